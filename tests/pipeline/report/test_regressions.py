"""The pages of the regressions: figures in per cent, choices, what stands first, and a country without any."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from pipeline.regression import terms
from pipeline.report import regressions
from pipeline.report.published import Published


class Answers:
    """Stands for a database whose every query has these rows."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.given = list(rows)

    def rows(self, _sql: str) -> list[dict[str, Any]]:
        return self.given


def _coefficient(model: str, estimate: float) -> dict[str, Any]:
    return {
        "term": terms.OFSTED_GOOD, "model": model, "percent_effect": 100 * (math.exp(estimate) - 1),
        "percent_lower_95": -4.0, "percent_upper_95": 6.0, "reason": None, "percent_reason": None,
        "wild_bootstrap_p": 0.6, "minimum_detectable_effect": math.log(1.08), "leave_one_out_min": math.log(0.99),
        "leave_one_out_max": math.log(1.02),
    }  # fmt: skip


WINDOW = {"window_id": "main_h5", "window_start": 2020, "window_end": 2025}


def test_the_bracket_sets_both_models_side_by_side_in_per_cent() -> None:
    both = Answers(_coefficient("M1", math.log(1.05)), _coefficient("M2", math.log(0.98)))
    table = regressions._bracket(both, WINDOW)  # type: ignore[arg-type]
    row = next(row for row in table.rows if row["factor"] == terms.TERMS[terms.OFSTED_GOOD].words)
    shown = {column.key: column.shown(row) for column in table.columns}
    assert (shown["m1_pct"], shown["m2_pct"]) == ("+5.0%", "−2.0%")
    assert shown["m2_limits"] == "−4.0% to +6.0%"
    assert (shown["m2_detectable"], shown["m2_one_out"]) == ("8.0%", "−1.0% to +2.0%")


def _curve() -> pd.DataFrame:
    """Four specifications of one factor: with the rate at the start below zero, without it above."""
    shared: dict[str, Any] = {
        "term": terms.OFSTED_GOOD, "outcome": "log_rate_ratio", "window_start": 2020, "window_end": 2025,
        "window_id": "main_h5", "region_effects": False, "weights": "equal", "deprivation": "low_income",
        "ofsted": "ofsted_good", "innovation": "innovation_programme",
    }  # fmt: skip
    ratios = {1: (0.98, True), 2: (0.96, True), 3: (1.02, False), 4: (1.10, False)}
    return pd.DataFrame(
        [
            shared
            | {"specification": number, "has_baseline": has, "estimate": math.log(ratio), "is_primary": number == 1}
            for number, (ratio, has) in ratios.items()
        ]
    )


def test_specifications_by_choice() -> None:
    ((_, own),) = regressions._fitted(_curve())
    told = {row["choice"]: row for row in regressions._by_choice(own)}
    assert told["Rate at the start: in"]["n"] == told["Rate at the start: out"]["n"] == 2
    assert told["Rate at the start: in"]["above"] == 0 and told["Rate at the start: out"]["above"] == 100
    assert told["Years: five"]["lowest"] == pytest.approx(-4) and told["Years: five"]["highest"] == pytest.approx(10)
    assert told["Years: five"]["middle"] == pytest.approx(
        100 * (math.sqrt(math.exp(math.log(0.98) + math.log(1.02))) - 1)
    )
    assert "Years: four" not in told


def test_the_sorted_estimates_of_a_factor() -> None:
    (chart,) = regressions._curves(_curve())
    (panel,) = chart.spec["hconcat"]
    dots, _, mine = panel["layer"]
    assert [round(point["level"], 6) for point in dots["data"]["values"]] == [-4, -2, 2, 10]
    assert mine["data"]["values"] == [{"at": 2, "level": pytest.approx(-2)}]
    assert "from −4.0% to +10.0%, 50% above zero." in chart.alternative


def test_a_specification_without_estimate_is_in_no_chart() -> None:
    curve = _curve()
    curve["estimate"] = math.nan
    assert list(regressions._curves(curve)) == []


@pytest.mark.parametrize(
    ("p", "reason", "told"),
    [
        (0.001, None, "moving apart before entry already"),
        (0.4, None, "do not show that they moved apart"),
        (None, "short_series", "cannot be told (short series)"),
    ],
)
def test_what_the_years_before_entry_say(p: float | None, reason: str | None, told: str) -> None:
    (sentence,) = regressions._pretrends(Answers({"control_group": "never", "p": p, "reason": reason}))  # type: ignore[arg-type]
    assert sentence.startswith("Against authorities without an entry: ") and told in sentence


def test_a_country_without_regressions_has_the_page_and_no_chart(published: Published) -> None:
    first, *others = regressions.pages(published)
    assert first.file == "regressions.html" and others == []
    assert first.charts == [] and first.facts["window"] is None
