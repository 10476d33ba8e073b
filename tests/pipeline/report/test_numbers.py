"""How figures and dates are spelt."""

from __future__ import annotations

import datetime as dt
import math

import pandas as pd
import pytest

from pipeline.report import numbers


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("count", 81766, "81,766"),
        ("count", 0, "0"),
        ("signed_count", 80, "+80"),
        ("signed_count", -1200, "−1,200"),
        ("signed_count", 0.4, "0"),
        ("rate", 67.118, "67.1"),
        ("signed_rate", -2.55, "−2.5"),
        ("signed_pct", 4.2037, "+4.2%"),
        ("signed_pct", -0.04, "0.0%"),
        ("pct", 100, "100.0%"),
        ("whole_pct", 5.0, "5%"),
        ("signed_decimal", 0.256, "+0.26"),
        ("three_digits", 0.0006, "0.001"),
        ("probability", 0.0004, "under 0.001"),
        ("probability", 0.31, "0.310"),
        ("year", 2025.0, "2025"),
        ("words", "no_clear_direction", "no clear direction"),
        ("yes_no", True, "yes"),
        ("yes_no", False, "no"),
        ("day", "2026-11-25T00:10:48+00:00", "25 November 2026"),
        ("day", dt.date(2019, 4, 1), "1 April 2019"),
        ("text", "Kingston upon Hull, City of", "Kingston upon Hull, City of"),
    ],
)
def test_a_value_is_shown(kind: str, value: object, shown: str) -> None:
    assert numbers.SHOW[kind](value) == shown


@pytest.mark.parametrize("kind", numbers.SHOW)
@pytest.mark.parametrize("missing", [None, math.nan, pd.NA, pd.NaT], ids=str)
def test_a_missing_value_is_never_a_number(kind: str, missing: object) -> None:
    assert numbers.SHOW[kind](missing) == numbers.MISSING


def test_a_range_needs_both_ends() -> None:
    assert numbers.between(-26.1, 35.4) == "−26.1% to +35.4%"
    assert numbers.between(-26.1, None) == numbers.MISSING


def test_names_in_a_sentence() -> None:
    assert numbers.listed([]) == ""
    assert numbers.listed(["Leeds"]) == "Leeds"
    assert numbers.listed(["Leeds", "Kent", "York"]) == "Leeds, Kent and York"
    assert numbers.listed(["Bristol, City of", "Kent", "York"]) == "Bristol, City of; Kent; and York"


def test_a_number_with_its_noun() -> None:
    assert [numbers.many(n, "authority", "authorities") for n in (1, 2, 1500)] == [
        "1 authority", "2 authorities", "1,500 authorities",
    ]  # fmt: skip


def test_a_finding_is_parted_at_each_factor_and_nothing_is_lost() -> None:
    finding = "Across 10 (two alike). Where it rose, it is so. That holds 0 (p = 0.4). Where it was good, it is not so."
    parts = numbers.sentences_apart(finding)
    assert [part.split()[0] for part in parts] == ["Across", "Where", "Where"]
    assert " ".join(parts) == finding
