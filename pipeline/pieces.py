"""Where pieces of work and what they came to lie between two steps of a run, for whichever process works on them.

What belongs here: names, writing whole and reading back, and clearing. What does not: what a piece is (`regression.units`,
`null_calibration`), and frames, which have a declaration and are Parquet.

Pieces are pickles: short-lived, of one run and one version of the program, and read by nobody else. Like the published
database they are as trustworthy as those who may write to the folder of the outputs. Where the outputs are by URL, pieces
are objects beside the frames, and a file here is a copy that cannot be out of date: its name has the run in it.
"""

from __future__ import annotations

import os
import pickle
import re
import shutil
from pathlib import Path
from typing import Any

from pipeline import stores
from pipeline.places import Workspace

FOLDER = "pieces"
_NAME = re.compile(r"[A-Za-z0-9_.\-]+")


def write(workspace: Workspace, run_id: str, name: str, piece: Any) -> None:
    """Keep a piece under its name; one of the same name is replaced in one step. ValueError for a name of no file."""
    target = _file(workspace, run_id, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(pickle.dumps(piece, protocol=pickle.HIGHEST_PROTOCOL))
        if workspace.out_url:
            stores.of(workspace.out_url).below(FOLDER).upload({f"{run_id}/{target.name}": beside})
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def read(workspace: Workspace, run_id: str, name: str) -> Any:
    """The piece of that name. FileNotFoundError when there is none, ValueError for a name of no file."""
    file = _file(workspace, run_id, name)
    if workspace.out_url and not file.exists():
        beside = file.with_name(f".{file.name}.{os.getpid()}.part")
        stores.of(workspace.out_url).below(FOLDER).download({f"{run_id}/{file.name}": beside})
        os.replace(beside, file)
    return pickle.loads(file.read_bytes())


def clear(workspace: Workspace) -> None:
    """Remove the pieces of all runs, when a run begins or has published; only for who holds the folder (`run_lock`)."""
    folder = workspace.out / FOLDER
    if folder.exists():
        shutil.rmtree(folder)
    if workspace.out_url:
        store = stores.of(workspace.out_url).below(FOLDER)
        store.delete(list(store.listed()))


def _file(workspace: Workspace, run_id: str, name: str) -> Path:
    """Run ids are Dagster's and names those of steps and windows: nothing else may become part of a path."""
    for part in (run_id, name):
        if not _NAME.fullmatch(part) or part.startswith("."):
            raise ValueError(f"{part!r} cannot be the name of a file")
    return workspace.out / FOLDER / run_id / f"{name}.pickle"
