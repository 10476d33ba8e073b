"""The lists of `tests/groups.py` name files that are there, each once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import groups

HERE = Path(__file__).parent


@pytest.mark.parametrize("file", sorted(groups.files(groups.LONG) | groups.files(groups.SLOW)))
def test_a_listed_file_is_there(file: str) -> None:
    assert (HERE / file).is_file()


def test_no_file_stands_in_two_lists() -> None:
    named = [file for group in (groups.LONG, groups.SLOW) for own in group.values() for file in own]
    assert sorted(named) == sorted(set(named))
