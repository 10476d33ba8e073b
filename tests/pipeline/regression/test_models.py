"""Which models there are, what each is made of, and what is said where one cannot be fitted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

from pipeline import randomness, settings, volatility
from pipeline.regression import fits, models, observations, resampling, terms
from pipeline.regression.design import Fit, Fitted, Floats, Problem
from pipeline.regression.observations import WindowUnits
from tests.fixtures.observed_windows import NO_JUDGEMENT, Observed, invented
from tests.published_files import published

CHOSEN = settings.load()
QUICK = replace(CHOSEN, regression=replace(CHOSEN.regression, resampling_draws=99))
USUAL = volatility.Fit(0.002, 1.1)
LOG, POINTS = observations.LOG_RATE_RATIO, observations.CHANGE_PER_10K


def of(
    window: WindowUnits,
    model: str,
    outcome: str = LOG,
    *,
    variant: str = models.PRIMARY,
    region_effects: bool = False,
    usual: volatility.Fit = USUAL,
) -> Fitted:
    """One model of a window."""
    wanted = (model, outcome, variant, region_effects)
    (found,) = [
        one
        for one in models.models([window], usual, CHOSEN)
        if (one.model, one.outcome, one.variant, one.region_effects) == wanted
    ]
    return found


def fit_of(fitted: Fitted) -> Fit:
    assert isinstance(fitted.result, Fit), fitted.result
    return fitted.result


def estimates(fitted: Fitted, *names: str) -> Floats:
    fit = fit_of(fitted)
    return np.array([fit.estimate[fit.design.column(name)] for name in names or fit.design.names])


def matrix(window: WindowUnits, *variables: str) -> Floats:
    """Constant and exposures, put together here rather than by the code under test."""
    return sm.add_constant(window.values[list(variables)].to_numpy(), has_constant="add")


VARIABLES = ("deprivation_change", "deprivation_level", "innovation_programme", "ofsted_good", "baseline_log_rate")

# ---------------------------------------------------------------------------------------------------------------------
# Which models there are


@pytest.mark.parametrize(
    ("window_id", "more"),
    [
        ("main_h5", ["innovation_ever"]),
        ("main_h4", ["innovation_ever"]),
        ("prev_h5", ["innovation_ever"]),
        ("orig_h4", ["innovation_by_start"]),
        ("hist_h5_2022", ["innovation_ever", "ofsted_good_slac"]),
    ],
)
def test_every_window_has_every_model_without_and_with_region_effects(window_id: str, more: list[str]) -> None:
    found = models.models([invented(window_id=window_id)], USUAL, CHOSEN)
    expected = {
        ("M1", LOG, "primary"), ("M1", POINTS, "primary"), ("M2", LOG, "primary"), ("M2", POINTS, "primary"),
        ("M3", LOG, "primary"), ("M4", LOG, "primary"), ("M7", LOG, "huber"), ("M7", LOG, "median"),
        ("M8", "excluding_uasc", "primary"), ("M8", LOG, "same_units"), ("M9", "starts", "primary"),
    }  # fmt: skip
    if window_id == "main_h4":
        expected |= {("M10", LOG, "primary"), ("M10", POINTS, "primary")}
    codings = {
        "ofsted_not_inadequate", "ofsted_score", "ofsted_good_lowest_of_several", "ofsted_grades", "ofsted_good_at_end",
        "ofsted_is_ilacs", "innovation_any_programme", "innovation_lead", "innovation_with_recalled",
        "innovation_projects", "innovation_r1", "innovation_r2", "partners_in_practice", "sfpc", "free_school_meals",
        *more,
    }  # fmt: skip
    expected |= {("M2", LOG, coding) for coding in codings}
    assert Counter((one.model, one.outcome, one.variant, one.region_effects) for one in found) == {
        (*names, region_effects): 1 for names in expected for region_effects in (False, True)
    }


def test_m10_is_the_m2_of_the_four_year_window() -> None:
    window = invented(window_id="main_h4")
    assert np.array_equal(estimates(of(window, "M10", POINTS)), estimates(of(window, "M2", POINTS)))


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("ofsted_score", (*terms.PRIMARY[:3], "ofsted_score", "baseline_rate")),
        ("ofsted_is_ilacs", (*terms.PRIMARY, "ofsted_is_ilacs")),
        ("sfpc", ("deprivation_change", "deprivation_level", "sfpc", "ofsted_good", "baseline_rate")),
        ("free_school_meals", ("free_school_meals_change", "free_school_meals_level", *terms.PRIMARY[2:])),
    ],
)
def test_another_coding_stands_in_the_place_of_the_primary_one(variant: str, expected: tuple[str, ...]) -> None:
    found = of(invented(), "M2", variant=variant)
    assert found.terms == expected
    assert fit_of(found).design.names == ("constant", *expected)


def test_what_may_follow_the_change_is_marked_and_is_in_no_primary_model() -> None:
    found = models.models([invented()], USUAL, CHOSEN)
    marked = {(one.variant, term) for one in found for term in one.post_baseline}
    assert marked == {("ofsted_good_at_end", "ofsted_good_at_end"), ("innovation_ever", "innovation_ever")}
    late = of(invented(), "M2", variant="ofsted_good_at_end")
    assert late.note is not None
    assert "may follow the change" in late.note


def test_the_models_of_the_study_s_windows_are_called_an_extension() -> None:
    found = models.models([invented(window_id="orig_h5")], USUAL, CHOSEN)
    assert all(one.note is not None and one.note.startswith("Extension of the 2018 study") for one in found)
    assert not any("xtension" in str(one.note) for one in models.models([invented()], USUAL, CHOSEN))


# ---------------------------------------------------------------------------------------------------------------------
# What each is made of


@pytest.mark.parametrize("window_id", ["main_h5", "prev_h5", "orig_h4"])
def test_m1_and_m2_with_hc3_are_those_of_statsmodels(observed_demo: Observed, window_id: str) -> None:
    window = observed_demo.windows[window_id]
    for model, variables in (("M1", VARIABLES[:-1]), ("M2", VARIABLES)):
        for outcome in (LOG, POINTS):
            columns = window.values[list(variables)].copy()
            if model == "M2" and outcome == POINTS:
                columns["baseline_log_rate"] = window.units["rate_start"]
            known = columns.notna().all(axis=1)
            expected = sm.OLS(
                window.units.loc[known, outcome].to_numpy(dtype=float), sm.add_constant(columns[known].to_numpy())
            ).fit(cov_type="HC3", use_t=True)
            fit = fit_of(of(window, model, outcome))
            assert fit.design.n == known.sum() > 100
            np.testing.assert_allclose(fit.estimate, expected.params, rtol=1e-9)
            np.testing.assert_allclose(fit.std_error, expected.bse, rtol=1e-9)
            np.testing.assert_allclose(fit.p_value, expected.pvalues, rtol=1e-7)
            np.testing.assert_allclose(np.transpose(fit.limits_95), expected.conf_int(), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(("outcome", "end"), [(LOG, "log_end"), (POINTS, "rate_end")])
def test_m2_is_the_regression_of_the_level_at_the_end_on_the_same_terms(outcome: str, end: str) -> None:
    window = invented()
    x = matrix(window, *VARIABLES)
    if outcome == POINTS:
        x[:, -1] = window.units["rate_start"]
    level = {"log_end": np.log(window.units["looked_after_end"] / window.units["population_end"]),
             "rate_end": window.units["rate_end"]}[end]  # fmt: skip
    of_level, *_ = np.linalg.lstsq(x, level.to_numpy(dtype=float), rcond=None)
    of_change = estimates(of(window, "M2", outcome))
    np.testing.assert_allclose(of_change[1:5], of_level[1:5], rtol=1e-8)
    assert of_change[5] == pytest.approx(of_level[5] - 1)


def test_m3_weighs_by_the_usual_movement_over_the_window() -> None:
    window = invented()
    number = (window.units["looked_after_start"] + window.units["looked_after_end"]) / 2
    weights = 1 / (5 * (0.002 + 1.1 / number))
    expected = sm.WLS(window.units[LOG], matrix(window, *VARIABLES), weights=weights).fit()
    found = of(window, "M3")
    np.testing.assert_allclose(estimates(found), expected.params, rtol=1e-9)
    np.testing.assert_allclose(fit_of(found).weights, weights, rtol=1e-12)


def test_without_a_usual_movement_there_is_no_m3() -> None:
    nothing = volatility.Fit(float("nan"), float("nan"), reason="short_series")
    result = of(invented(), "M3", usual=nothing).result
    assert isinstance(result, Problem)
    assert result.reason == "short_series"


def test_m4_explains_the_number_at_the_end_beside_what_the_start_and_the_populations_give() -> None:
    window = invented()
    units = window.units
    offset = np.log(units["looked_after_start"] * units["population_end"] / units["population_start"])
    expected = sm.GLM(
        units["looked_after_end"], matrix(window, *VARIABLES), family=sm.families.Poisson(), offset=offset
    ).fit(scale="X2")
    fit = fit_of(of(window, "M4"))
    np.testing.assert_allclose(fit.estimate, expected.params, rtol=1e-6)
    np.testing.assert_allclose(fit.std_error, expected.bse, rtol=1e-6)
    assert fit.second_std_error is not None


def test_m7_is_m2_by_two_other_methods() -> None:
    window = invented()
    assert fit_of(of(window, "M7", variant="huber")).method == fits.HUBER
    assert fit_of(of(window, "M7", variant="median")).method == fits.MEDIAN
    assert fit_of(of(window, "M7", variant="huber")).design.names == fit_of(of(window, "M2")).design.names


def without_uasc(window: WindowUnits, *units: str) -> WindowUnits:
    """The window whose units have no figure without unaccompanied children."""
    own = window.units.copy()
    own.loc[list(units), "excluding_uasc"] = np.nan
    reasons = own[["excluding_uasc"]].isna().replace({True: "uasc_not_available", False: None}).astype("string")
    return replace(window, units=own, outcome_reasons=reasons)


def test_m8_stands_beside_m2_on_the_same_units() -> None:
    window = without_uasc(invented(), "701", "712")
    without, beside = (
        of(window, "M8", "excluding_uasc"),
        of(window, "M8", LOG, variant="same_units"),
    )
    assert without.left_out == beside.left_out == {"701": "uasc_not_available", "712": "uasc_not_available"}
    assert fit_of(without).design.units == fit_of(beside).design.units
    assert fit_of(of(window, "M2")).design.n == 60
    assert np.array_equal(fit_of(beside).design.outcome, window.units.drop(["701", "712"])[LOG])


def test_an_outcome_that_no_unit_has_gives_its_own_reason() -> None:
    window = invented()
    result = of(without_uasc(window, *window.units.index), "M8", "excluding_uasc").result
    assert result == Problem("uasc_not_available", "no unit of the window has the outcome excluding_uasc")


@pytest.mark.parametrize("region_effects", [False, True])
def test_grades_are_tested_against_their_score(region_effects: bool) -> None:
    window = invented(120)
    score = window.values["ofsted_score"]
    others = matrix(window, "deprivation_change", "deprivation_level", "innovation_programme", "baseline_log_rate")
    if region_effects:
        regions = sorted(window.units["region"].unique())[1:]
        others = np.column_stack([others, *(window.units["region"] == region for region in regions)])
    grades = np.column_stack([others, score == 4, score == 3, score == 1]).astype(float)
    line = np.column_stack([others, score]).astype(float)
    wide = sm.OLS(window.units[LOG].to_numpy(), grades).fit()
    f, p, added = wide.compare_f_test(sm.OLS(window.units[LOG].to_numpy(), line).fit())
    note = of(window, "M2", variant="ofsted_grades", region_effects=region_effects).note
    assert (
        note == f"Grades against their linear score: F = {f:.2f} on {added:.0f} and {wide.df_resid:.0f}, p = {p:.3f}."
    )


def test_the_order_of_the_units_does_not_matter() -> None:
    window = invented()
    order = np.random.default_rng(3).permutation(len(window.units))
    moved = replace(
        window,
        units=window.units.iloc[order], values=window.values.iloc[order], reasons=window.reasons.iloc[order],
    )  # fmt: skip
    pairs = zip(models.models([window], USUAL, CHOSEN), models.models([moved], USUAL, CHOSEN), strict=True)
    for one, other in pairs:
        if one.variant != "median":  # between units on the line a median may have more than one minimum
            np.testing.assert_allclose(estimates(one), estimates(other), rtol=1e-7, atol=1e-10)
            np.testing.assert_allclose(fit_of(one).std_error, fit_of(other).std_error, rtol=1e-7, atol=1e-10)


# ---------------------------------------------------------------------------------------------------------------------
# Who is in, and why a model is not fitted


def test_units_in_and_units_left_out_are_the_units_of_the_window(observed_demo: Observed) -> None:
    left: Counter[str] = Counter()
    for one in models.models(observed_demo.windows.values(), observed_demo.usual_movement, CHOSEN):
        units = set(observed_demo.windows[one.window_id].units.index)
        assert set(one.left_out) <= units
        if isinstance(one.result, Fit):
            assert units - set(one.left_out) == set(one.result.design.units)
            assert len(one.left_out) + one.result.design.n == len(units)
            left.update(one.left_out.values())
    assert left[NO_JUDGEMENT]


def test_a_unit_without_a_value_is_left_out_with_the_reason_of_what_it_lacks_first() -> None:
    window = invented()
    values, reasons = window.values.copy(), window.reasons.copy()
    for unit, variable, reason in (
        ("703", "ofsted_good", NO_JUDGEMENT), ("704", "deprivation_level", "not_available"),
        ("705", "ofsted_good", NO_JUDGEMENT), ("705", "deprivation_change", "suppressed"),
        ("706", "sfpc", "not_available"),
    ):  # fmt: skip
        values.loc[unit, variable], reasons.loc[unit, variable] = np.nan, reason
    found = of(replace(window, values=values, reasons=reasons), "M2")
    assert found.left_out == {"703": NO_JUDGEMENT, "704": "not_available", "705": "suppressed"}
    assert fit_of(found).design.n == 57


def _one(n: int, at: int = 0) -> Floats:
    return (np.arange(n) == at).astype(float)


UNFIT: dict[str, tuple[int, dict[str, Any], str, str | None]] = {
    "collinear": (60, {"deprivation_level": 3 + 2 * np.linspace(0, 4, 60), "deprivation_change": np.linspace(0, 4, 60)},
                  "singular", "deprivation_level"),
    "constant": (60, {"deprivation_change": np.full(60, 1.5)}, "no_variation", "deprivation_change"),
    "one authority": (60, {"innovation_programme": _one(60)}, "high_leverage", "innovation_programme"),
    "all but one authority": (60, {"ofsted_good": 1 - _one(60, 7)}, "high_leverage", "ofsted_good"),
    "29 authorities": (29, {}, "too_few_units", None),
    "29 with every value": (60, {"ofsted_good": np.where(np.arange(60) < 29, np.arange(60) % 2, np.nan)},
                            "too_few_units", None),
    "no data": (60, {"deprivation_change": np.full(60, np.nan)}, "no_exposure", "deprivation_change"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
@pytest.mark.parametrize("region_effects", [False, True])
@pytest.mark.parametrize("model", ["M1", "M2", "M3", "M4", "M7"])
def test_a_design_without_an_answer_has_a_reason(case: str, region_effects: bool, model: str) -> None:
    n, values, reason, term = UNFIT[case]
    variant = "median" if model == "M7" else models.PRIMARY
    result = of(invented(n, **values), model, variant=variant, region_effects=region_effects).result
    assert isinstance(result, Problem)
    assert (result.reason, result.term) == (reason, term)
    assert result.detail


def test_thirty_authorities_are_enough() -> None:
    assert fit_of(of(invented(30), "M2")).design.n == 30


def test_a_region_of_one_authority_stops_region_effects_only() -> None:
    window = invented()
    window.units.loc["705", "region"] = "Farravel"
    result = of(window, "M2", region_effects=True).result
    assert isinstance(result, Problem)
    assert result.reason == "high_leverage"
    assert fit_of(of(window, "M2")).design.n == 60


def test_a_window_without_exposures_says_so_in_every_model() -> None:
    window = invented(window_id="hist_h5_2018")
    window = replace(window, values=window.values[["baseline_log_rate"]], reasons=window.reasons[["baseline_log_rate"]])
    found = models.models([window], USUAL, CHOSEN)
    assert {one.result.reason for one in found if isinstance(one.result, Problem)} == {"no_exposure"}
    assert len(found) == sum(isinstance(one.result, Problem) for one in found) == 2 * (11 + 17)
    assert all(len(one.left_out) == 60 and set(one.left_out.values()) == {"no_exposure"} for one in found)


# ---------------------------------------------------------------------------------------------------------------------
# Resampling


def test_four_terms_of_the_models_named_are_resampled() -> None:
    windows = [invented(window_id="main_h5"), invented(window_id="main_h4")]
    found = models.resampled(models.models(windows, USUAL, QUICK), QUICK)
    asked = {(key.window_id, key.model, key.outcome, key.region_effects) for key in found}
    main = {
        ("M1", LOG), ("M1", POINTS), ("M2", LOG), ("M2", POINTS), ("M8", "excluding_uasc"), ("M9", "starts"),
    }  # fmt: skip
    four_years = main | {("M10", LOG), ("M10", POINTS)}
    assert asked == {
        (window_id, *names, region_effects)
        for window_id, own in (("main_h5", main), ("main_h4", four_years))
        for names in own
        for region_effects in (False, True)
    }
    assert Counter(key.term for key in found) == dict.fromkeys(terms.WITHOUT_BASELINE, len(asked))
    assert {key.variant for key in found} == {"primary"}
    assert all((one.permutation is not None) == (key.term == terms.INNOVATION) for key, one in found.items())


def test_every_term_has_the_stream_of_its_model_and_column() -> None:
    """The seeds of methods.md D9, written out: 20181129, purpose, model (+100 with region effects), column of the term."""
    fitted = models.models([invented()], USUAL, QUICK)
    found = models.resampled(fitted, QUICK)
    for model, outcome, region_effects, index in (("M2", LOG, False, 2), ("M9", "starts", True, 109)):
        design = fit_of(of(invented(), model, outcome, region_effects=region_effects)).design
        key = models.Key("main_h5", outcome, model, region_effects, "primary", "innovation_programme")
        p = [
            method(design, key.term, 99, np.random.default_rng([20181129, purpose, index, 3]))
            for method, purpose in ((resampling.wild, 3), (resampling.region_wild, 4), (resampling.freedman_lane, 5))
        ]
        assert [found[key].wild, found[key].region, found[key].permutation] == p


def test_resampling_does_not_depend_on_what_else_is_resampled() -> None:
    fitted = models.models([invented()], USUAL, QUICK)
    alone = [one for one in fitted if one.model == "M9"]
    whole = models.resampled(fitted, QUICK)
    assert models.resampled(alone, QUICK) == {key: one for key, one in whole.items() if key.model == "M9"}


def test_the_range_without_one_unit_is_that_of_all_refits() -> None:
    window = invented(40)
    found = models.resampled(models.models([window], USUAL, QUICK), QUICK)
    fit = fit_of(of(window, "M2"))
    refits = np.array(
        [np.linalg.lstsq(np.delete(fit.design.matrix, row, 0), np.delete(fit.design.outcome, row), rcond=None)[0]
         for row in range(40)]
    )  # fmt: skip
    for term in terms.WITHOUT_BASELINE:
        one = found[models.Key("main_h5", LOG, "M2", False, "primary", term)]
        own = refits[:, fit.design.column(term)]
        assert one.leave_one_out_min == pytest.approx(own.min(), rel=1e-8)
        assert one.leave_one_out_max == pytest.approx(own.max(), rel=1e-8)
        assert one.sign_changes == np.count_nonzero(own * fit.estimate[fit.design.column(term)] < 0)


def test_one_region_has_no_bootstrap_by_region() -> None:
    window = invented()
    window.units["region"] = "Farravel"
    fitted = [of(window, "M2")]
    assert {one.region for one in models.resampled(fitted, QUICK).values()} == {None}


def test_the_number_of_a_model_seeds_its_streams() -> None:
    window = invented(window_id="main_h4")
    assert models.model_index(of(window, "M10")) == 10
    assert models.model_index(of(window, "M2", region_effects=True)) == 2 + randomness.WITH_REGION_EFFECTS == 102


# ---------------------------------------------------------------------------------------------------------------------
# Published files


@published
def test_the_units_of_the_published_windows(observed_real: Observed) -> None:
    """2020 to 2025 loses 838 and 839, which had no judgement of their own yet (methods.md B11): 147 of 149."""
    found = {
        one.window_id: one
        for one in models.models(observed_real.windows.values(), observed_real.usual_movement, CHOSEN)
        if (one.model, one.outcome, one.variant, one.region_effects) == ("M2", LOG, "primary", False)
    }
    assert found["main_h5"].left_out == {"838": NO_JUDGEMENT, "839": NO_JUDGEMENT}
    assert fit_of(found["main_h5"]).design.n == 147
    assert fit_of(found["prev_h5"]).design.n == 147
    without = {window_id for window_id, one in found.items() if isinstance(one.result, Problem)}
    assert without == {"hist_h5_2018", "hist_h5_2019", "hist_h5_2020"}
    assert {one.result.reason for one in found.values() if isinstance(one.result, Problem)} == {"no_exposure"}
    assert found["orig_h4"].post_baseline == {terms.INNOVATION}
    assert found["main_h5"].post_baseline == frozenset()
