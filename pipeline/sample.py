"""Some of many: what a page or a picture shows where all of them would be more than anyone can read.

What belongs here: the one rule by which some are taken, and the sentence that says so. What does not: which pages and
pictures there are. A sample is never taken where a figure is made: every count and share is of all.

Every so many-th is taken in a fixed order, so that no place is chosen for what its figures are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def step(n: int, at_most: int) -> int:
    """Every how many-th of n is taken so that no more than `at_most` are: 1 takes all."""
    return max(1, -(-n // max(1, at_most)))


def every(rows: Sequence[T], at_most: int) -> Sequence[T]:
    """The rows, or every so many-th of them where there are more than `at_most`."""
    return rows[:: step(len(rows), at_most)]


def told(n: int, at_most: int, what: str) -> str:
    """The sentence that goes with a sample; empty where all are shown."""
    size = step(n, at_most)
    if size == 1:
        return ""
    shown = -(-n // size)
    return f"Shown: {shown:,} of {n:,} {what}, every {_ordinal(size)} in their order; the published database has all."


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
