"""`MANIFEST`: the sha256 of every file of a release, as `sha256sum -c MANIFEST` reads it.

What belongs here: the sha256 of one file, writing that of all of them, and holding a folder to it. What does not: what the
files mean.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

FILE = "MANIFEST"
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


def sha256(file: Path) -> str:
    """Of the file's bytes, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _files(folder: Path) -> dict[str, Path]:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    found.pop(FILE, None)
    return dict(sorted(found.items()))


def write(folder: Path) -> Path:
    """Write the file from all other files of the folder, sorted by path."""
    lines = [f"{sha256(path)}  {name}\n" for name, path in _files(folder).items()]
    target = folder / FILE
    target.write_text("".join(lines), encoding="utf-8")
    return target


def read(folder: Path) -> dict[str, str]:
    """Path below the folder -> sha256. Raises ValueError for a line that is none, OSError when there is no such file."""
    listed = {}
    for number, line in enumerate((folder / FILE).read_text(encoding="utf-8").splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"line {number} of {FILE} is not a sha256 and a path")
        listed[match[2]] = match[1]
    return listed


def problems(folder: Path) -> list[str]:
    """What differs between a folder and its MANIFEST, a sentence each; empty when the folder is as it was written."""
    try:
        listed = read(folder)
    except FileNotFoundError:
        return [f"{FILE} is missing"]
    except ValueError as error:
        return [str(error)]
    files = _files(folder)
    found = [f"{name} is missing" for name in listed if name not in files]
    found += [f"{name} is not in {FILE}" for name in files if name not in listed]
    for name in files.keys() & listed.keys():
        if files[name].is_symlink() or sha256(files[name]) != listed[name]:
            found.append(f"{name} has other bytes than were published")
    return sorted(found)
