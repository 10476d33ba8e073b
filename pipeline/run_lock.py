"""One run at a time in an output folder, whoever started it: a person, a timer or Dagster's daemon.

What belongs here: taking, keeping and asking for that lock. What does not: the publisher's own, which is held for the swap
alone (`publish`).

The system gives the lock back when the process ends, however it ends; there is nothing to clear after a crash.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pipeline.errors import Refusal

FILE = ".running.lock"
ALREADY_RUNNING = "already_running"
# A process holds a folder once: Dagster's own run begins within the command's. None: it is lent, see there.
_held: dict[Path, IO[str] | None] = {}


def hold(folder: Path) -> None:
    """Hold the folder until this process ends or `release`s it; nothing happens when it holds it already.

    Raises Refusal when another process does.
    """
    key = folder.resolve()
    if key in _held:
        return
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / FILE).open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise Refusal(
            ALREADY_RUNNING,
            f"another run is under way in this folder{f' ({holder})' if holder else ''}",
            file=folder.name,
            remedy="wait for it to end; nothing has been changed",
        ) from None
    file.truncate(0)
    file.write(f"process {os.getpid()}, since {dt.datetime.now(dt.UTC).isoformat(timespec='seconds')}")
    file.flush()
    _held[key] = file


def release(folder: Path) -> None:
    """Give the folder back, if this process holds it."""
    file = _held.pop(folder.resolve(), None)
    if file:
        file.close()


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder for a while; within another such while, until that one ends."""
    is_mine_already = folder.resolve() in _held
    hold(folder)
    try:
        yield
    finally:
        if not is_mine_already:
            release(folder)


@contextlib.contextmanager
def lent(folder: Path) -> Iterator[None]:
    """Work for the process that holds the folder, on a step of its run: nothing is locked and `hold` has nothing to do."""
    key = folder.resolve()
    if key in _held:
        yield
        return
    _held[key] = None
    try:
        yield
    finally:
        del _held[key]


def is_held(folder: Path) -> bool:
    """Whether any process, this one included, is running in the folder."""
    if folder.resolve() in _held:
        return True
    try:
        with (folder / FILE).open("r", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
