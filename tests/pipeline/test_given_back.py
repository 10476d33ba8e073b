"""Memory is given back where a process holds much more than before, and not otherwise."""

from __future__ import annotations

import gc
import sys

import pytest

from pipeline import given_back

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is counted on Linux alone")


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows by one whenever memory is given back."""
    times: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda: times.append(1))
    monkeypatch.setattr(given_back, "_left", 0)
    return times


def holding(monkeypatch: pytest.MonkeyPatch, megabytes: int) -> None:
    monkeypatch.setattr(given_back, "held", lambda: megabytes * 1_000_000)


def test_a_run_of_england_s_size_is_left_alone(monkeypatch: pytest.MonkeyPatch, collected: list[int]) -> None:
    holding(monkeypatch, 1_400)
    given_back.give_back()
    assert not collected


def test_a_large_one_gives_back_once_and_again_when_it_has_grown(
    monkeypatch: pytest.MonkeyPatch, collected: list[int]
) -> None:
    for megabytes, times in ((2_000, 1), (2_400, 1), (2_600, 2)):
        holding(monkeypatch, megabytes)
        given_back.give_back()
        assert len(collected) == times


def test_what_is_held_is_counted_in_bytes() -> None:
    assert 10_000_000 < given_back.held() < 100_000_000_000
