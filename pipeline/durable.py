"""Files that are whole or not there, whatever happens to the machine.

What belongs here: writing through to the disk, replacing a file in one step, one publisher at a time, and the sentence
for a full disk. What does not: what is in the files.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb

from pipeline.errors import Refusal

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold the lock file. Raises Refusal at once when another process holds it; the lock ends with its holder."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(
                "already_publishing",
                "another run is publishing to this folder",
                file=lock.parent.name,
                remedy="wait for it to end and run again",
            ) from None
        yield


@contextlib.contextmanager
def refusing_full_disk(folder: Path) -> Iterator[None]:
    """Turn "no space left", by whichever library it is told, into a Refusal."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        refusal = full_disk(error, folder)
        if refusal is None:
            raise
        raise refusal from error


def full_disk(error: BaseException | None, folder: Path) -> Refusal | None:
    """The refusal for an error that says that there is no space left; None for any other."""
    told = str(error)
    if isinstance(error, OSError):
        is_full = error.errno in _FULL
    else:  # DuckDB hands on the system's sentence and no number
        is_full = isinstance(error, duckdb.Error) and any(os.strerror(number) in told for number in _FULL)
    if not is_full:
        return None
    return Refusal(
        "disk_full",
        "there is no space left on the disk",
        file=folder.name,
        remedy="make room and run again; what is published is whole, and nothing is left half-written",
    )


def sync(path: Path) -> None:
    """Wait until a file, or the list of names of a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(beside: Path, target: Path) -> None:
    """Give a finished file, folder or link its name, in place of the file or link that had it."""
    os.replace(beside, target)
    sync(target.parent)


def write_text(target: Path, text: str) -> None:
    """Write a small file in one step; a leftover of a killed one begins with a full stop and ends with `.part`."""
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        sync(beside)
        replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def append_line(target: Path, line: str) -> None:
    """Add a line to a log. The rest of a line that a killed process began stays a line of its own."""
    with target.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(line.encode("utf-8") + b"\n")
        file.flush()
        os.fsync(file.fileno())
