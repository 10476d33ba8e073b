"""Whether a data folder is fictional.

What belongs here: reading the manifest that marks the demonstration country. Only the command and the stamp on outputs
ask; no reader, rule or statistic may.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pipeline import folders

FILE = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What the folder says of itself."""

    is_fictional: bool
    name: str


def read(folder: Path) -> Manifest:
    """The folder's manifest; a folder without one, or with somebody else's, holds real data."""
    try:
        content = json.loads(folders.read_small(folder, FILE) or b"")
    except (OSError, ValueError, RecursionError):
        return Manifest(is_fictional=False, name="")
    if not isinstance(content, dict) or content.get("fictional") is not True:
        return Manifest(is_fictional=False, name="")
    return Manifest(is_fictional=True, name=str(content.get("name", "")))
