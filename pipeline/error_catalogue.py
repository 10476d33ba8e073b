"""What every refusal means, by its code: the catalogue, and the page made from it.

What belongs here: reading `error_catalogue.toml` and writing `docs/errors.md`. What does not: the entries (that file) and
raising a refusal, which stands where the rule stands and says what is wrong in this case.
"""

from __future__ import annotations

import functools
import importlib.resources
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

GROUPS = {
    "files": "A file and its layout",
    "cells": "A cell or a row",
    "sources": "Which files take part",
    "fetch": "Getting files",
    "running": "Running and publishing",
    "stores": "Folders by URL",
    "releases": "Releases",
    "what_if": "Questions of one's own",
}
_HEAD = """# Refusals and what to do about them

*Made from `pipeline/error_catalogue.toml` by `make docs`; do not edit it here.*

When the data, a check or a command is refused, the program says what is wrong, where (file, row, column, value) and what
to do, and ends with exit code 1. What was published before stays as it is. Each refusal has a code, which does not change;
`care-numbers explain CODE` shows its entry here, and with `--json` a refusal is an object with these fields.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the data or a check refused |
| 2 | wrong usage: the command does not have that argument |
| 3 | a fault of the program; `--debug` shows where, and what was published stays as it is |
| 130 | stopped by Ctrl-C |
"""


@dataclass(frozen=True)
class Entry:
    """One code: what it means in general, and what to do. The message of a refusal says what holds in its case."""

    code: str
    group: str
    meaning: str
    remedy: str


@functools.cache
def catalogue() -> Mapping[str, Entry]:
    """All entries by code, in the order of the file."""
    text = importlib.resources.files("pipeline").joinpath("error_catalogue.toml").read_text(encoding="utf-8")
    return {code: Entry(code, **told) for code, told in tomllib.loads(text).items()}


def as_markdown() -> str:
    """The page of all refusals, one section a code, so that a code is also the anchor of its section."""
    parts = [_HEAD]
    for group, title in GROUPS.items():
        own = sorted((entry for entry in catalogue().values() if entry.group == group), key=lambda entry: entry.code)
        parts.append(f"\n## {title}\n")
        parts.extend(f"\n### {entry.code}\n\n{entry.meaning} {entry.remedy}\n" for entry in own)
    return "".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_markdown(), encoding="utf-8")
