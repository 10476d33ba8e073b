"""Is it noise?: what the page makes of fits, drawn countries and memory, and of a country too small for any of them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.report import noise
from pipeline.report.page import by_name
from pipeline.report.published import Published

_FIT = {"a": 0.002, "b": 1.0}


def _rule(rule: str, position: int, **more: Any) -> dict[str, Any]:
    return {
        "rule": rule, "position": position, "nominal": 0.05, "nominal_reason": None, "share_real": 0.04,
        "share_null_mean": 0.049, "share_null_lo": 0.02, "share_null_hi": 0.09, "n_units": 149, "window_start": 2020,
        "window_end": 2025, "draws": 1000, "reason": None,
    } | more  # fmt: skip


def test_the_usual_range_by_hand() -> None:
    """Variance 0.002 + 1/100 = 0.012, so 100 (exp(1.959964 x 0.1095445) - 1) = 23.95; over five years sqrt(5) as far."""
    assert noise._usual_pct(_FIT, 100) == pytest.approx(23.95, abs=0.01)
    assert noise._usual_pct(_FIT, 100, 5) == pytest.approx(100 * (math.exp(1.959964 * math.sqrt(0.06)) - 1))


def test_a_share_is_told_in_per_cent_with_what_was_meant() -> None:
    chart = noise._calibration(
        [_rule("usual_movement", 1), _rule("poisson_slope", 2, share_null_mean=0.486)], "Sarnland"
    )
    assert "The rule of this report marks 4.9% of" in chart.told[0]
    assert "A slope fitted to counts marks 48.6% of" in chart.told[0]
    assert [column.shown(chart.table.rows[0]) for column in chart.table.columns[1:]] == [
        "5.0%", "4.9%", "2.0%", "9.0%", "4.0%",
    ]  # fmt: skip


def test_a_rule_that_is_no_test_says_so_in_place_of_a_share() -> None:
    rule = _rule("opposite_sign", 5, nominal=None, nominal_reason="not_applicable")
    chart = noise._calibration([rule], "Sarnland")
    assert chart.table.columns[1].shown(chart.table.rows[0]) == "not applicable"


@pytest.mark.parametrize(
    ("low", "value", "high", "told"),
    [
        (-0.06, 0.0, 0.07, "do not show that one year tells anything of the next"),
        (0.06, 0.19, 0.31, "followed by one in the same direction"),
        (-0.31, -0.19, -0.06, "followed by one in the other direction"),
    ],
)
def test_memory_in_words(low: float, value: float, high: float, told: str) -> None:
    row = {"panel": "all_units", "statistic": "lag_1_correlation", "years": 1, "value": value, "low_95": low,
           "high_95": high}  # fmt: skip
    (sentence,) = noise._memory_in_words([row])
    assert sentence.startswith("All authorities: ") and told in sentence


def test_a_country_too_small_to_judge_says_why(published: Published) -> None:
    (page,) = noise.pages(published)
    assert page.facts["fit"] is None
    assert "calibration" not in by_name(page.charts, page.file)
    assert page.facts["no_fit"] and page.facts["not_tried"]
