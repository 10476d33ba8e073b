"""Doing what a recipe of docs/recipes says: its blocks applied to a copy of the project, its commands run there.

What belongs here: reading the blocks of a page and carrying them out. What does not: the recipes (docs/recipes), and what
has to be true afterwards (`test_recipes`, `.ci/recipe.sh`).

A block with `file=` in its first line is a whole new file, or with the language `diff` a change of a file that is there. A
change has no line numbers, which would go stale with any other change: what it keeps and takes away must stand in the file
exactly once. Blocks of the language `sh` are commands for the folder of the project.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "processed", "__pycache__", ".*_cache", "*.egg-info", "dist", "build"
)


class Stale(Exception):
    """A block that cannot be carried out: the page says something that is not so any more."""


@dataclass(frozen=True)
class Block:
    """One block of a page: its language, the file it is of, if any, and its text."""

    language: str
    file: str | None
    text: str


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in order."""
    return [Block(language, file or None, text) for language, file, text in _BLOCK.findall(page)]


def apply(page: str, project: Path) -> list[str]:
    """Write the new files of a page and make its changes. Returns the files; raises Stale where one does not fit."""
    touched = []
    for block in blocks(page):
        if block.file is None:
            continue
        path = project / block.file
        if block.language == "diff":
            path.write_text(changed(path.read_text(encoding="utf-8"), block), encoding="utf-8")
        elif path.exists():
            raise Stale(f"{block.file} is there already")
        else:
            path.write_text(block.text, encoding="utf-8")
        touched.append(block.file)
    return touched


def changed(text: str, block: Block) -> str:
    """A text with the changes of a block. Raises Stale where what a change is of stands there not once."""
    for change in re.split(r"^@@.*\n", block.text, flags=re.MULTILINE):
        lines = [" \n" if line == "\n" else line for line in change.splitlines(keepends=True)]  # an empty line is kept
        before = "".join(line[1:] for line in lines if not line.startswith("+"))
        after = "".join(line[1:] for line in lines if not line.startswith("-"))
        if not before and not after:
            continue
        if text.count(before) != 1:
            raise Stale(f"in {block.file} this stands {text.count(before)} times:\n{before}")
        text = text.replace(before, after)
    return text


def copied(target: Path) -> Path:
    """A copy of the project to work in."""
    shutil.copytree(PROJECT, target, ignore=_NOT_COPIED, symlinks=True)
    return target


def run(page: str, project: Path) -> str:
    """Run the commands of a page in a copy, whose code comes before the installed one. Raises Stale where one fails."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    said = ""
    for command in [block.text for block in blocks(page) if block.language == "sh"]:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=project,
            env=os.environ | {"PATH": path, "PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        said += done.stdout + done.stderr
        if done.returncode:
            raise Stale(f"this failed:\n{command}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}")
    return said


if __name__ == "__main__":
    recipe, folder = Path(sys.argv[1]), Path(sys.argv[2])
    apply(recipe.read_text(encoding="utf-8"), folder)
