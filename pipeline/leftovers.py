"""What a killed run left half-written, and clearing it when the next one begins.

What belongs here: the names that such files and folders bear while they are written. What does not: the publisher's,
which clears its own.
"""

from __future__ import annotations

import shutil

from pipeline import pieces
from pipeline.places import Workspace


def clear(workspace: Workspace) -> None:
    """Remove what was being written when an earlier run ended; only for who holds the folder (`run_lock`)."""
    pieces.clear(workspace)
    for folder in (workspace.frames, workspace.out):
        for file in folder.glob(".*.part"):
            file.unlink(missing_ok=True)
    if workspace.is_demo:  # anybody else's folder is never written to
        for folder in workspace.data.parent.glob(f".{workspace.data.name}.*.building"):
            shutil.rmtree(folder)
