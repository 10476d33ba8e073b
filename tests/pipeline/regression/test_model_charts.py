"""The charts of the regressions: that they draw what their tables hold. What holds of every chart is in `test_charts`."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.chart_parts import BLUE, QUIET, About, Spec
from pipeline.regression import model_charts, terms
from tests.fixtures import drawn_models

ENGLAND = About("England", is_fictional=False)


def pct(log_ratio: float) -> float:
    return 100 * (math.exp(log_ratio) - 1)


def values(layer: Spec) -> list[dict[str, Any]]:
    return layer["data"]["values"]


def told(chart: Spec) -> str:
    return " ".join(chart["vconcat"][0]["title"]["subtitle"])


# ---------------------------------------------------------------------------------------------------------------------
# All specifications


@pytest.fixture(scope="module")
def specified() -> Spec:
    return model_charts.specifications(drawn_models.curve(), drawn_models.summary(), drawn_models.TERM, ENGLAND)


def test_every_estimate_is_drawn_with_its_limits_in_the_order_of_its_size(specified: Spec) -> None:
    intervals, zero, points, *_ = specified["vconcat"][0]["vconcat"][0]["layer"]
    fitted = drawn_models.curve().dropna(subset="estimate")
    assert [row["level"] for row in values(points)] == pytest.approx(sorted(pct(one) for one in fitted["estimate"]))
    assert [row["at"] for row in values(points)] == list(range(1, 577))
    assert values(zero) == [{"level": 0}]
    for row in values(intervals):
        middle = math.log1p(row["level"] / 100)
        assert (row["low"], row["high"]) == pytest.approx((pct(middle - 0.03), pct(middle + 0.03)))


def test_small_p_and_the_primary_model_have_colours_of_their_own(specified: Spec) -> None:
    _, _, points, own_line, own = specified["vconcat"][0]["vconcat"][0]["layer"]
    kinds = dict(zip(*(points["encoding"]["color"]["scale"][side] for side in ("domain", "range")), strict=True))
    assert (kinds["p under 0.05"], kinds["other specifications"]) == (BLUE, QUIET)
    assert all((row["kind"] == "p under 0.05") == (row["level"] > pct(0.05)) for row in values(points))
    assert values(own) == values(own_line)
    (primary,) = values(own)
    assert primary["kind"] == "the primary model"
    assert primary["level"] == pytest.approx(pct(drawn_models.curve()["estimate"].iloc[0]))


def test_of_choices_that_exclude_each_other_the_shares_make_one(specified: Spec) -> None:
    layers = specified["vconcat"][0]["vconcat"][1]["layer"]
    assert len(layers) == 8
    for layer in layers:
        by_place: dict[float, float] = {}
        for row in values(layer):
            by_place[row["at"]] = by_place.get(row["at"], 0) + row["share"]
        assert list(by_place.values()) == pytest.approx([1.0] * 32)
    # 576 in 32 groups of 18; the starts have by far the largest estimates, and no number was fitted.
    starts = [row for row in values(layers[0]) if row["choice"] == "Outcome: rate of starts"]
    assert [row["share"] for row in starts] == pytest.approx([12 / 18, *[1.0] * 10])
    assert max(row["at"] for row in starts) == pytest.approx(576 - 17 / 2)
    assert not [row for row in values(layers[0]) if row["choice"] == "Outcome: number"]


def test_every_choice_has_its_words() -> None:
    from pipeline.regression.specification_curve import SPECIFICATIONS

    for name, words in model_charts._CHOICES.items():
        assert set(words) == {getattr(one, name) for one in SPECIFICATIONS}


def test_the_joint_tests_are_told_with_what_they_are(specified: Spec) -> None:
    text = told(specified)
    assert text.startswith("Association across authorities, not an effect. 147 units, the same in every specification")
    assert "Median −9.1% (p = 0.021); 60% are negative (p = 0.500); 25% have p under 0.05 (p = 0.001)." in text
    assert "approximate: 999 joint permutations within regions" in text
    assert "in 576 specifications" in specified["vconcat"][0]["title"]["text"]


def test_without_an_estimate_there_is_nothing_to_draw() -> None:
    nothing = drawn_models.curve().assign(estimate=float("nan"))
    with pytest.raises(ValueError, match="no specification has an estimate of ofsted_good"):
        model_charts.specifications(nothing, drawn_models.summary(), drawn_models.TERM, ENGLAND)


# ---------------------------------------------------------------------------------------------------------------------
# Windows and models


@pytest.fixture(scope="module")
def forest() -> Spec:
    return model_charts.windows_and_models(drawn_models.coefficients(), "main_h5", ENGLAND)


def test_each_focal_term_has_its_windows_from_the_newest_and_then_the_other_models(forest: Spec) -> None:
    panels = forest["vconcat"][0]["hconcat"]
    assert [" ".join(panel["title"]["text"]) for panel in panels] == [
        "The change in child low income", "Taking part in the Innovation Programme", "A good or outstanding judgement"
    ]  # fmt: skip
    lines = ["2020 to 2025", "2016 to 2021", "2012 to 2017", "M7, Huber", "M8, without UASC"]
    for at, panel in enumerate(panels):
        *_, dots = panel["layer"]
        drawn = [(row["line"], row["model"][:2], row["level"]) for row in values(dots)]
        first, second = pct(0.02 * at - 0.05), pct(0.01 * at + 0.05)
        assert [one[:2] for one in drawn] == [
            (lines[0], "M1"), (lines[0], "M2"), (lines[1], "M2"), (lines[2], "M1"), (lines[2], "M2"),
            (lines[3], "ot"), (lines[4], "ot"),
        ]  # fmt: skip
        expected = [first, second, second, first, second, pct(0.04), pct(0.03)]
        assert [one[2] for one in drawn] == pytest.approx(expected)
        label = dots["encoding"]["y"]["axis"]["labelExpr"]
        assert all(f'"{line}"' in label for line in lines)


def test_the_bracket_goes_from_m1_to_m2_where_there_are_both(forest: Spec) -> None:
    for at, panel in enumerate(forest["vconcat"][0]["hconcat"]):
        _, brackets, _, dots = panel["layer"]
        ends = [end for row in values(brackets) for end in (row["level"], row["high"])]
        assert ends == pytest.approx([pct(0.02 * at - 0.05), pct(0.01 * at + 0.05)] * 2)
        # Around the lines of the newest window and of the oldest, whose dots it holds.
        for row, at_line, line in zip(values(brackets), (0, 2), ("2020 to 2025", "2012 to 2017"), strict=True):
            assert (row["at"] + row["below"]) / 2 == at_line
            own = [dot["at"] for dot in values(dots) if dot["line"] == line]
            assert row["at"] < own[0] < at_line < own[1] < row["below"]


def test_what_looks_into_a_window_is_named(forest: Spec) -> None:
    assert told(forest).endswith(
        "Models M3 to M9 are of 2020 to 2025. Within the window, so it may follow the change: taking part in the "
        "Innovation Programme, 2012 to 2017."
    )


def test_without_other_models_and_later_terms_neither_is_told() -> None:
    table = drawn_models.coefficients()
    chart = model_charts.windows_and_models(table.assign(is_post_baseline=False), "main_h4", ENGLAND)
    assert told(chart).endswith("Windows differ in the measure of low income.")


def test_without_any_model_there_is_nothing_to_draw() -> None:
    table = drawn_models.coefficients()
    with pytest.raises(ValueError, match="no model has an estimate"):
        model_charts.windows_and_models(table.loc[table["term"] == terms.BASELINE], "main_h5", ENGLAND)
