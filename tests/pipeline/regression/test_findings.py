"""What the regressions say in words: every figure of the paragraph is one of the tables, and no word says more."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from pipeline import sentences
from pipeline.regression import findings, terms

SPAN = {"window_id": "main_h5", "window_start": 2030, "window_end": 2035}
MEASURES = {
    "deprivation_change": "cilif_relative_low_income_u16 (cilif_to_2024), 2029 to 2034",
    "innovation_programme": "innovation_r1, innovation_r2, begun before the window",
    "ofsted_good": "overall judgement, single inspection or ILACS",
}
EXPOSED = pd.DataFrame([{"window_id": "main_h5", "variable": name, "measure": own} for name, own in MEASURES.items()])
MODELS = pd.DataFrame([{**SPAN, "model": "M2", "outcome": "log_rate_ratio", "variant": "primary", "region_effects": False,
                        "n_left_out": 2}])  # fmt: skip
NO_CURVE = pd.DataFrame(columns=["window_id", "term", "n_specifications", "n_positive", "median_estimate", "median_p"])


def row(term: str, model: str = "M2", outcome: str = "log_rate_ratio", **own: Any) -> dict[str, Any]:
    """A coefficient of about +2% with limits -1% to +5%, or of +1.5 points (-0.5 to +3.5)."""
    is_log = outcome == "log_rate_ratio"
    numbers = {"estimate": 0.02, "lower_95": -0.01, "upper_95": 0.05} if is_log else {
        "estimate": 1.5, "lower_95": -0.5, "upper_95": 3.5}  # fmt: skip
    percent = {"percent_effect": 2.0, "percent_lower_95": -1.0, "percent_upper_95": 5.1} if is_log else {}
    return {**SPAN, "term": term, "model": model, "outcome": outcome, "variant": "primary", "region_effects": False,
            "n": 140, "minimum_detectable_effect": 0.04, "wild_bootstrap_p": 0.21, "permutation_p": None, "reason": None,
            **numbers, **percent, **own}  # fmt: skip


def primary(**changed: dict[str, Any]) -> list[dict[str, Any]]:
    """M1 and M2 of the three factors, both outcomes; `changed` are other figures of a term's M2 of the log rate ratio."""
    return [
        row(term, model, outcome, **(changed.get(term, {}) if (model, outcome) == ("M2", "log_rate_ratio") else {}))
        for term in terms.FOCAL
        for model in ("M1", "M2")
        for outcome in ("log_rate_ratio", "change_per_10k")
    ]


def paragraph(rows: list[dict[str, Any]], curve: pd.DataFrame = NO_CURVE) -> str:
    found = findings.findings(pd.DataFrame(rows), MODELS, curve, EXPOSED)
    assert list(found["caveats"]) == [" ".join(sentences.MODELS)]
    return str(found["finding"].iloc[0])


def test_every_factor_has_points_percentages_and_limits() -> None:
    said = paragraph(primary())
    assert "association across 140 authorities (2 more have a value missing)" in said
    assert said.count("1.5 per 10,000 children higher (95% limits -0.5 to +3.5)") == 3
    assert said.count("+2.0% (-1.0% to +5.1%)") == 3
    assert "relative low income before housing costs, children under 16, 2029 to 2034" in said
    assert "rounds 1 and 2, begun before the window" in said


def test_an_interval_that_holds_zero_says_what_the_model_would_find() -> None:
    said = paragraph(primary())
    assert said.count("not told apart from no association (bootstrap p = 0.21)") == 3
    assert "a difference of 4.1% four times in five" in said  # exp(0.04) - 1


def test_limits_that_do_not_hold_zero_say_so_with_small_p_told_apart_from_zero() -> None:
    clear = {"lower_95": 0.005, "percent_lower_95": 0.5, "wild_bootstrap_p": 0.0004, "permutation_p": 0.034}
    rows = [
        one | ({"lower_95": 0.5} if one["outcome"] == "change_per_10k" and one["model"] == "M2" else {})
        for one in primary(deprivation_change=clear)
    ]
    assert "The limits do not hold 0 (bootstrap p < 0.001, permutation p = 0.034)." in paragraph(rows)


def test_limits_that_differ_between_points_and_percentages_are_not_passed_over() -> None:
    clear = {"lower_95": 0.005, "percent_lower_95": 0.5}
    said = paragraph(primary(deprivation_change=clear))
    assert "The limits of the points hold 0 and those of the percentage do not" in said


def test_the_two_models_bracket_what_the_data_can_say() -> None:
    said = paragraph(primary(ofsted_good={"estimate": -0.03, "percent_effect": -3.0}))
    assert "With and without the rate at the start among the terms it is between -3.0% and +2.0%." in said


def test_the_curve_says_in_how_many_specifications_the_sign_is_the_same() -> None:
    curve = pd.DataFrame(
        [{"window_id": "main_h5", "term": "ofsted_good", "n_specifications": 768, "n_positive": 700, "median_estimate": 0.02,
          "median_p": 0.21}]
    )  # fmt: skip
    assert "the same in 700 of 768 specifications (median +2.0%, joint permutation p = 0.21)." in paragraph(
        primary(), curve
    )
    turned = paragraph(primary(ofsted_good={"estimate": -0.01}), curve)
    assert "the same in 68 of 768 specifications" in turned
    assert "So the sign depends on the choices made." in turned


def test_without_a_curve_the_models_of_the_window_are_counted() -> None:
    more = [row("ofsted_good", "M3", estimate=-0.01), row("ofsted_good", "M8", "excluding_uasc", estimate=0.01)]
    said = paragraph(primary() + more)
    assert re.search(r"good or outstanding.*The sign is the same in 5 of 6 models of this window", said)


@pytest.mark.parametrize(("estimate", "is_told"), [(-0.07, True), (0.07, False)])
def test_a_sign_that_turns_with_the_coding_is_told(estimate: float, is_told: bool) -> None:
    other = row("ofsted_good_at_end", variant="ofsted_good_at_end", estimate=estimate, percent_effect=-6.8)
    said = paragraph([*primary(), other])
    assert (
        "The sign depends on the coding: by the judgement in force at the end, which may follow the change" in said
    ) == (is_told)


def test_a_window_without_exposures_gives_the_reason_and_no_figure() -> None:
    blank = {name: None for name in ("estimate", "lower_95", "upper_95")}
    rows = [one | blank | {"reason": "no_exposure"} for one in primary()]
    assert paragraph(rows) == "2030 to 2035: the regressions are not fitted (no exposure)."


def test_no_sentence_says_that_one_thing_does_another() -> None:
    said = paragraph(primary()).lower()
    for word in ("effect of", "caused", "leads to", "because of", "due to", "impact"):
        assert word not in said
