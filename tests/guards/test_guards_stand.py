"""The list of guards fits the code: each stands where it is said to, and its test exists.

That a test really fails without its guard is shown by `make guards`, which takes minutes, and for one guard here.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.guards import run

ALL = run.guards()


def test_there_are_ten_or_more() -> None:
    assert len({guard.name for guard in ALL}) == len(ALL) >= 10


@pytest.mark.parametrize("guard", ALL, ids=lambda guard: guard.name.replace(" ", "_"))
def test_it_stands_once_and_its_test_is_there(guard: run.Guard) -> None:
    assert (run.PROJECT / guard.file).read_text(encoding="utf-8").count(guard.there) == 1
    assert guard.there != guard.instead
    module, _, name = guard.test.partition("::")
    text = (run.PROJECT / module).read_text(encoding="utf-8")
    assert f"def {name}" in text


def test_every_guard_is_on_the_reliability_page() -> None:
    page = (run.PROJECT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert [guard.name for guard in ALL if guard.name not in page] == []


def test_one_guard_is_taken_away_and_missed(tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(run.PROJECT, copy, ignore=run._NOT_COPIED, symlinks=True)
    own = next(guard for guard in ALL if guard.file == "pipeline/null_calibration.py")
    before = (copy / own.file).read_bytes()
    assert "test_the_verdict" in str(run._without(copy, own))
    assert (copy / own.file).read_bytes() == before
