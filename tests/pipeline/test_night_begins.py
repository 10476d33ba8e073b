"""How a night begins: a fetch where files are registered, once a run, and never in the way of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import night, night_status
from pipeline.fetch.report import FAILED, Item, Report
from pipeline.news import News, Origin
from pipeline.places import Workspace

SENTENCE = "the host does not answer."
INSTEAD = "What is stored is used, retrieved 9 days ago."
DOWN = Report([Item("ofsted_outcomes", "2030", None, FAILED, SENTENCE, used_instead=INSTEAD)])


@pytest.fixture
def fetches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was fetched; looking for news finds some."""
    calls: list[str] = []

    def fetch() -> Report:
        calls.append("fetched")
        return DOWN

    monkeypatch.setattr(night, "fetch", fetch)
    monkeypatch.setattr(
        night, "begin", lambda workspace: News(is_new=True, sentence="news", origin=Origin("i", "c", "s"))
    )
    return calls


def workspace(folder: Path, kind: str) -> Workspace:
    return Workspace(data=folder / "published", out=folder / "out", kind=kind)


def test_registered_files_are_fetched_first_and_a_source_that_is_down_is_told(
    tmp_path: Path, fetches: list[str]
) -> None:
    own = workspace(tmp_path, "published")
    assert night.begin_night(own, "run-1").is_new
    last = night_status.read(own.status)
    assert last is not None and last.fetched == [f"ofsted_outcomes 2030: {SENTENCE} {INSTEAD}"]


def test_the_command_and_the_first_node_of_its_run_fetch_once(tmp_path: Path, fetches: list[str]) -> None:
    own = workspace(tmp_path, "published")
    night.begin_night(own, "run-1")
    night.begin_night(own, "run-1")
    assert fetches == ["fetched"]
    night.begin_night(own, "run-2")
    assert fetches == ["fetched", "fetched"]


@pytest.mark.parametrize("kind", ["demo", "folder"])
def test_other_data_are_not_fetched(tmp_path: Path, fetches: list[str], kind: str) -> None:
    own = workspace(tmp_path, kind)
    night.begin_night(own, "run-1")
    last = night_status.read(own.status)
    assert fetches == [] and last is not None and last.fetched is None


def test_what_was_fetched_stays_when_the_night_ends(tmp_path: Path, fetches: list[str]) -> None:
    own = workspace(tmp_path, "published")
    night.begin_night(own, "run-1")
    night_status.end(own.status, "run-1", night_status.PUBLISHED, "Published.", "2030-01-01-1")
    last = night_status.read(own.status)
    assert last is not None and last.fetched and last.result == night_status.PUBLISHED


def test_fetching_at_night_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(night.FETCH_VARIABLE, night.OFF)
    assert night.fetch().night_lines() == []
