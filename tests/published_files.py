"""The published files beside the project, for the tests that hold the readers to real releases.

What belongs here: where the files are, the mark that skips a test without them, and one reading of all of them that the
tests share. What does not: expected figures, which stand in the tests with their source.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.readings import Readings, read_folder

PROJECT = Path(__file__).resolve().parents[1]
PROJECT_REFERENCES = PROJECT / "data" / "raw" / "reference"


def folder() -> Path:
    """Where the published files are if they are here: in `shared/data` next to the project."""
    return PROJECT.parent / "shared" / "data"


IS_HERE = (folder() / "cla").is_dir()
NEEDED = [
    pytest.mark.published,
    pytest.mark.skipif(not IS_HERE, reason=f"the published files are not here: there is no {folder() / 'cla'}"),
]


def published(test):
    """Mark a test that reads published files; without them it is skipped and says so."""
    for mark in NEEDED:
        test = mark(test)
    return test


@pytest.fixture(scope="session")
def real() -> Readings:
    """All published files, registered and read once."""
    return read_folder(folder(), PROJECT_REFERENCES)
