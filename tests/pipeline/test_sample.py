"""Some of many: the rule, and the sentence that goes with it."""

from __future__ import annotations

import pytest

from pipeline import sample


@pytest.mark.parametrize(
    ("n", "at_most", "step"), [(0, 5, 1), (5, 5, 1), (6, 5, 2), (10, 5, 2), (11, 5, 3), (35_000, 500, 70), (3, 0, 3)]
)
def test_so_many_are_taken_that_there_is_room(n: int, at_most: int, step: int) -> None:
    assert sample.step(n, at_most) == step
    assert len(sample.every(range(n), at_most)) <= max(1, at_most)


def test_it_is_every_so_many_th_in_the_order_that_there_is() -> None:
    assert list(sample.every("abcdefg", 3)) == ["a", "d", "g"]
    assert list(sample.every("abcdefg", 7)) == list("abcdefg")


def test_the_sentence_says_how_many_of_how_many() -> None:
    assert sample.told(7, 3, "rows") == "Shown: 3 of 7 rows, every 3rd in their order; the published database has all."
    assert sample.told(35_000, 500, "units").startswith("Shown: 500 of 35,000 units, every 70th in")
    assert sample.told(7, 7, "rows") == ""
