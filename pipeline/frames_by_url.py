"""Frames between assets where the outputs are by URL: written through to the store, read from a copy on this machine.

What belongs here: which copy is still good, and getting the others. What does not: what is in a frame (`tables`) and the
file of a local folder, which is written first in any case.

A copy that the run at hand has written or brought is good, as within one run a frame has one content; every other one is
fetched anew. So a run on one machine downloads nothing, and a run on several sees what the others wrote.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import pyarrow.parquet as pq

from pipeline import stores
from pipeline.places import Workspace

RUN = "run"  # in the metadata of a frame: the run that wrote it


def run_of(file: Path) -> str:
    """Id of the run that wrote a frame; empty when it does not say."""
    written_by: bytes = (pq.read_schema(file).metadata or {}).get(RUN.encode(), b"")
    return written_by.decode()


def push(workspace: Workspace, file: Path) -> None:
    """Write a finished frame through to the store; nothing to do for a local folder."""
    if workspace.frames_url:
        stores.of(workspace.frames_url).upload({file.name: file})


def bring(workspace: Workspace, files: Collection[Path], run_id: str) -> None:
    """Make local frames what the store holds, those of the run at hand left alone; nothing to do for a local folder.

    What the store does not hold is removed here too: it is of outputs that are no longer there.
    """
    if not workspace.frames_url:
        return
    old = [file for file in files if not file.exists() or run_of(file) != run_id]
    if not old:
        return
    store = stores.of(workspace.frames_url)
    there = store.listed()
    beside = {file: file.with_name(f".{file.name}.{os.getpid()}.part") for file in old}
    try:
        store.download({file.name: beside[file] for file in old if file.name in there})
        for file in old:
            if file.name in there:
                os.replace(beside[file], file)
            else:
                file.unlink(missing_ok=True)
    finally:
        for part in beside.values():
            part.unlink(missing_ok=True)
