"""Looking into a folder that somebody else filled: which entries are files that may be read, and reading one of them.

What belongs here: links, devices, pipes, sizes and names, before any byte is judged. What does not: what a file is
(`sources`, `readers`) and the figures of the limits (`settings.toml`).

A link is followed to a file inside the same folder only, as in archives that keep their files under other names. Anything
else could lead to a file that nobody put there, or to a device that never ends.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import settings
from pipeline.errors import Refusal
from pipeline.visible import is_visible, visible

LEADS_OUT = "a link that leads out of the folder"
LEADS_NOWHERE = "a link that leads nowhere"
LINKED_FOLDER = "a link to a folder"
NO_FILE = "a device, a pipe or a socket"
UNSEEN_NAME = "a name with characters that cannot be shown"
TOO_LARGE = "larger than any file of these publications"
UNREADABLE = "a file that this account may not read"
REASONS = (LEADS_OUT, LEADS_NOWHERE, LINKED_FOLDER, NO_FILE, UNSEEN_NAME, TOO_LARGE, UNREADABLE)


@dataclass(frozen=True)
class Entry:
    """What is below a folder: its name there as a person sees it, and why it is not read, if it is not."""

    name: str
    path: Path
    reason: str = ""
    bytes: int = 0


def entries(folder: Path) -> Iterator[Entry]:
    """Every file below a folder that is not hidden, and everything that stands there like one, by path.

    Folders are gone into, links to folders are not. A name or a folder that begins with a full stop is hidden.
    """
    root = os.path.realpath(folder)
    there = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"), key=os.fsencode)}
    for name, path in there.items():
        if any(part.startswith(".") for part in name.split("/")) or (path.is_dir() and not path.is_symlink()):
            continue
        reason, size = _judged(path, name, root)
        shown = visible(name)
        while shown != name and shown in there:  # a name may be spelt like another one is shown
            shown += "?"
        yield Entry(shown, path, reason, size)


def _judged(path: Path, name: str, root: str) -> tuple[str, int]:
    if path.is_symlink():
        goal = os.path.realpath(path)
        if os.path.commonpath([root, goal]) != root:
            return LEADS_OUT, 0
        if not os.path.exists(goal):
            return LEADS_NOWHERE, 0
        if os.path.isdir(goal):
            return LINKED_FOLDER, 0
    try:
        found = path.stat()
    except OSError:
        return LEADS_NOWHERE if path.is_symlink() else UNREADABLE, 0
    if not stat.S_ISREG(found.st_mode):
        return NO_FILE, 0
    if not is_visible(name):
        return UNSEEN_NAME, found.st_size
    if not os.access(path, os.R_OK):
        return UNREADABLE, found.st_size
    return (TOO_LARGE if found.st_size > settings.load().files.largest_bytes else "", found.st_size)


def read(path: Path, name: str, first: int | None = None) -> bytes:
    """All bytes of a file, or its first ones.

    Raises Refusal for what is no file any more and for one that is larger than the limit, however large it said it was.
    """
    largest = settings.load().files.largest_bytes
    # Without O_NONBLOCK a pipe that took the file's name since would be waited for, for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise no_longer_a_file(name, NO_FILE)
        content = stream.read(largest + 1 if first is None else first)
    if len(content) > largest:
        raise too_large(name)
    return content


def read_small(folder: Path, name: str, largest: int = 65536) -> bytes | None:
    """A small file directly in a folder; None where it is not there, is larger, or is nothing that `entries` would read."""
    path = folder / name
    if not path.is_symlink() and not path.exists():
        return None
    reason, size = _judged(path, name, os.path.realpath(folder))
    return None if reason or size > largest else read(path, name)


def no_longer_a_file(name: str, reason: str) -> Refusal:
    """The refusal for what has taken the place of a file."""
    return Refusal(
        "hash_differs", f"it is {reason} now, and was a file", file=name, remedy="put the file back, and run again"
    )


def too_large(name: str) -> Refusal:
    """The refusal for a file that is larger than any publication."""
    limit = settings.load().files.largest_bytes // 2**20
    return Refusal(
        "too_large",
        f"the file is larger than {limit} MiB, and no publication is",
        file=name,
        remedy="replace it with the file as published, or take it out of the folder",
    )
