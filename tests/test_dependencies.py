"""What docs/dependencies.md tells of packages is what pyproject.toml declares and what the packages say of themselves.

What belongs here: names, extras and licences. What does not: versions and hashes, which `test_house` holds.
"""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PAGE = (PROJECT / "docs" / "dependencies.md").read_text(encoding="utf-8")
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.partition("| package |")[2].partition("\n\n")[0].splitlines()[2:]
]


def declared() -> list[tuple[str, str]]:
    """Every direct dependency with its extra, in the order of pyproject.toml."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return [(re.split(r"[\[<>=~!;\s]", line)[0], extra) for extra, lines in groups.items() for line in lines]


def licence_of(package: str) -> str:
    """The licence that a package's metadata name: the expression, else the classifier, else the first line of the field."""
    told = importlib.metadata.metadata(package)
    if told.get("License-Expression"):
        return told["License-Expression"]
    for classifier in told.get_all("Classifier") or []:
        if classifier.startswith("License :: "):
            return classifier.rsplit(" :: ", 1)[1]
    return (told.get("License") or "not told").splitlines()[0]


def test_the_table_has_what_is_declared() -> None:
    assert [(package, extra) for package, extra, _, _ in ROWS] == declared()


def test_every_package_says_what_it_is_for() -> None:
    assert len(ROWS) > 30
    assert not [package for package, _, purpose, _ in ROWS if len(purpose) < 5]


@pytest.mark.parametrize(("package", "licence"), [(row[0], row[3]) for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_licence_is_the_one_that_the_package_names(package: str, licence: str) -> None:
    assert licence == licence_of(package)
