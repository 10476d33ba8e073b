"""All specifications: that there are 768, that each is what it says, and that the joint test is the one that is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from pipeline import exposures, randomness, settings, volatility
from pipeline.regression import fits, models, observations, terms
from pipeline.regression import specification_curve as curves
from pipeline.regression.design import Fit, Floats
from pipeline.regression.observations import WindowUnits
from pipeline.regression.specification_curve import SPECIFICATIONS, Specification
from tests.fixtures.observed_windows import Observed, invented
from tests.published_files import published

A, B = 0.002, 1.1
USUAL = volatility.Fit(A, B)
FEW = 9  # draws where their number does not matter


def with_draws(draws: int) -> settings.Settings:
    chosen = settings.load()
    return replace(chosen, regression=replace(chosen.regression, curve_draws=draws))


def window(window_id: str, n: int = 60, **values: object) -> WindowUnits:
    """Three codings of the programme that differ, and years of the window's own."""
    random = np.random.default_rng(len(window_id) + n)
    lead = random.permutation(np.resize([1.0, 0.0, 0.0, 0.0], n))
    several = np.maximum(lead, random.permutation(np.resize([1.0, 0.0, 0.0], n)))
    codings = {"innovation_lead": lead, "innovation_programme": several,
               "innovation_any_programme": np.maximum(several, random.permutation(np.resize([1.0, 0.0], n)))}  # fmt: skip
    made = invented(n, window_id=window_id, seed=int(window_id[-1]), **{**codings, **values})
    return replace(made, start=2025 - int(window_id[-1]))


def with_values(own: WindowUnits, **values: object) -> WindowUnits:
    """The same units with other values of some variables."""
    return replace(own, values=own.values.assign(**values))  # noqa: PD011 - a frame


def variable(own: WindowUnits, name: str) -> pd.Series:
    return own.values[name]  # noqa: PD011 - a frame


@pytest.fixture(scope="module")
def two() -> dict[str, WindowUnits]:
    """Both windows; one unit of the five years and another of the four have a value missing."""
    meals = np.random.default_rng(1).normal(2, 1, 60)
    meals[5] = np.nan
    judged = np.resize([1.0, 0.0, 1.0], 60)
    judged[17] = np.nan
    return {
        "main_h5": window("main_h5", free_school_meals_change=meals),
        "main_h4": window("main_h4", ofsted_good=judged),
    }


@pytest.fixture(scope="module")
def made(two: dict[str, WindowUnits]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return curves.specification_curve(two, USUAL, with_draws(FEW))


def row_of(curve: pd.DataFrame, one: Specification, term: str) -> pd.Series:
    own = curve.loc[(curve["specification"] == SPECIFICATIONS.index(one) + 1) & (curve["term"] == term)]
    return own.squeeze()


# ---------------------------------------------------------------------------------------------------------------------
# The specifications


def test_there_are_768_and_each_choice_is_in_its_share_of_them() -> None:
    """768 = 4 x 2 x 2 x 2 x 2 x 2 x 2 x 3 (methods.md D7)."""
    assert len(SPECIFICATIONS) == len(set(SPECIFICATIONS)) == 768
    numbers = {"outcome": 4, "window_id": 2, "has_baseline": 2, "region_effects": 2, "weights": 2, "deprivation": 2,
               "ofsted": 2, "innovation": 3}  # fmt: skip
    for name, number in numbers.items():
        counted = Counter(getattr(one, name) for one in SPECIFICATIONS)
        assert len(counted) == number
        assert set(counted.values()) == {768 // number}


def test_the_first_is_the_primary_model() -> None:
    first = SPECIFICATIONS[0]
    assert (first.outcome, first.window_id) == (observations.LOG_RATE_RATIO, "main_h5")
    assert tuple(first.variables) == terms.PRIMARY
    assert first.variables == {term: terms.TERMS[term].variable for term in terms.PRIMARY}
    assert not first.region_effects
    assert first.weights == curves.EQUAL


def test_a_row_for_each_specification_and_focal_term(made: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    curve, summary = made
    assert len(curve) == 2_304
    assert curve.groupby("term")["specification"].nunique().to_dict() == dict.fromkeys(terms.FOCAL, 768)
    choices = [
        "outcome",
        "window_id",
        "has_baseline",
        "region_effects",
        "weights",
        "deprivation",
        "ofsted",
        "innovation",
    ]
    assert not curve.duplicated(["term", *choices]).any()
    assert curve["reason"].isna().all()
    assert curve[["estimate", "std_error", "p_value", "lower_95", "upper_95"]].notna().all().all()
    assert curve.loc[curve["is_primary"], "specification"].to_list() == [1, 1, 1]
    assert summary["n_specifications"].to_list() == [768] * 3
    assert set(zip(curve["window_id"], curve["window_start"], strict=True)) == {("main_h5", 2020), ("main_h4", 2021)}


def test_all_have_the_units_that_are_complete_in_both_windows(
    two: dict[str, WindowUnits], made: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    found = curves.complete_units(two, USUAL)
    assert set(two["main_h5"].units.index) - set(found.units) == {"706", "718"}
    assert set(made[0]["n"]) == {58}
    assert set(made[0].loc[made[0]["region_effects"] & made[0]["has_baseline"], "df"]) == {58 - 6 - 3}
    assert set(made[0].loc[~made[0]["region_effects"] & ~made[0]["has_baseline"], "df"]) == {58 - 5}


# ---------------------------------------------------------------------------------------------------------------------
# One of them


@pytest.mark.parametrize(
    "one",
    [
        SPECIFICATIONS[0],
        replace(SPECIFICATIONS[0], weights=curves.USUAL_MOVEMENT, region_effects=True),
        Specification("starts", "main_h4", False, True, curves.USUAL_MOVEMENT, curves.FREE_MEALS,
                      "ofsted_not_inadequate", "innovation_lead"),
        Specification("number", "main_h4", True, False, curves.EQUAL, curves.FREE_MEALS, "ofsted_good",
                      "innovation_any_programme"),
    ],
    ids=["primary", "weighted with regions", "far from it", "free meals"],
)  # fmt: skip
def test_a_specification_is_the_hc3_regression_of_statsmodels(
    one: Specification, two: dict[str, WindowUnits], made: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """Put together here from the windows' frames, without the module's own design."""
    own = two[one.window_id]
    keep = [name for name in own.units.index if name not in ("706", "718")]
    units, values = own.units.loc[keep], own.values.loc[keep]  # noqa: PD011 - a frame
    change, level = {
        curves.LOW_INCOME: ("deprivation_change", "deprivation_level"),
        curves.FREE_MEALS: ("free_school_meals_change", "free_school_meals_level"),
    }[one.deprivation]
    columns = [change, level, one.innovation, one.ofsted, *(["baseline_log_rate"] if one.has_baseline else [])]
    matrix = values[columns].assign(constant=1.0)
    if one.region_effects:
        matrix = matrix.join(pd.get_dummies(units["region"], dtype=float).iloc[:, 1:])
    weights = np.ones(len(keep))
    if one.weights == curves.USUAL_MOVEMENT:
        mean = (units["looked_after_start"] + units["looked_after_end"]) / 2
        weights = (1 / (own.years * (A + B / mean))).to_numpy()
    fit = sm.WLS(units[one.outcome], matrix, weights=weights).fit(cov_type="HC3", use_t=True)
    for term, name in zip(terms.FOCAL, (change, one.innovation, one.ofsted), strict=True):
        row = row_of(made[0], one, term)
        assert row["variable"] == name
        found = [row[figure] for figure in ("estimate", "std_error", "p_value", "lower_95", "upper_95", "df")]
        low, high = fit.conf_int().loc[name]
        expected = [fit.params[name], fit.bse[name], fit.pvalues[name], low, high, fit.df_resid]
        assert found == pytest.approx(expected, rel=1e-8)


def test_the_primary_one_is_m2_on_the_same_units(
    two: dict[str, WindowUnits], made: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    own = two["main_h5"]
    keep = [name for name in own.units.index if name not in ("706", "718")]
    restricted = replace(own, units=own.units.loc[keep], values=own.values.loc[keep],  # noqa: PD011 - a frame
                         reasons=own.reasons.loc[keep])  # fmt: skip
    for model, one in (
        ("M2", SPECIFICATIONS[0]),
        ("M1", replace(SPECIFICATIONS[0], has_baseline=False)),
        ("M3", replace(SPECIFICATIONS[0], weights=curves.USUAL_MOVEMENT)),
    ):
        fit = next(
            fitted.result
            for fitted in models.models([restricted], USUAL, settings.load())
            if (fitted.model, fitted.variant, fitted.outcome, fitted.region_effects)
            == (model, "primary", "log_rate_ratio", False)
        )
        assert isinstance(fit, Fit)
        for term in terms.FOCAL:
            place, row = fit.design.column(term), row_of(made[0], one, term)
            assert row["estimate"] == pytest.approx(fit.estimate[place], rel=1e-9)
            assert row["std_error"] == pytest.approx(fit.std_error[place], rel=1e-9)


# ---------------------------------------------------------------------------------------------------------------------
# The joint permutation


def test_units_are_permuted_within_their_regions() -> None:
    regions = tuple("cabbacab" * 5)
    order = curves.permutations(regions, 200, np.random.default_rng(1))
    assert order.shape == (201, 40)
    assert order[0].tolist() == list(range(40))
    assert (np.sort(order, axis=1) == np.arange(40)).all()
    assert (np.array(regions)[order] == np.array(regions)).all()
    # Each of a region's members comes to a place about as often as any other: 200 draws of 10 or 15.
    first = np.array(regions) == "c"
    assert set(order[1:, first].ravel()) == set(np.flatnonzero(first))
    assert len({tuple(row) for row in order}) == 201


def hc3(matrix: Floats, outcome: Floats, column: int) -> tuple[float, float]:
    """Estimate and HC3 error by the written formula (methods.md D1)."""
    inverse = np.linalg.inv(matrix.T @ matrix)
    b = inverse @ matrix.T @ outcome
    leverage = np.einsum("ij,jk,ik->i", matrix, inverse, matrix)
    scaled = ((outcome - matrix @ b) / (1 - leverage)) ** 2
    covariance = inverse @ (matrix.T * scaled) @ matrix @ inverse
    return float(b[column]), float(np.sqrt(covariance[column, column]))


@pytest.mark.parametrize("term", terms.FOCAL)
def test_the_joint_statistics_are_those_of_a_plain_loop(
    term: str, two: dict[str, WindowUnits], made: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """Every draw and specification refitted from scratch, with the focal variables of both windows dealt out anew."""
    found = curves.complete_units(two, USUAL)
    random = randomness.stream(settings.load().seed, randomness.SPECIFICATION_CURVE)
    order = curves.permutations(found.regions, FEW, random)
    medians, majorities, small = [], [], []
    focal = {one.variables[term] for one in SPECIFICATIONS}
    for moved in order:
        dealt = replace(
            found,
            exposed={(at, name): values[moved] if name in focal else values
                     for (at, name), values in found.exposed.items()},
        )  # fmt: skip
        estimates, p_values = [], []
        for one in SPECIFICATIONS:
            made_here = dealt.design(one)
            root = np.sqrt(
                found.weights[one.window_id] if one.weights == curves.USUAL_MOVEMENT else np.ones(made_here.n)
            )
            b, se = hc3(made_here.matrix * root[:, None], made_here.outcome * root, made_here.column(term))
            estimates.append(b)
            p_values.append(2 * stats.t.sf(abs(b / se), made_here.n - made_here.k))
        positive = np.mean(np.array(estimates) > 0)
        medians.append(np.median(estimates))
        majorities.append(max(positive, 1 - positive))
        small.append(np.mean(np.array(p_values) < 0.05))
    refits = curves.refit(term, found, {}, order, 0.05)
    seen = curves.picture(refits.estimate, refits.is_significant)
    assert seen.median == pytest.approx(np.array(medians), rel=1e-10, abs=1e-10)
    assert seen.majority_share == pytest.approx(np.array(majorities), abs=1e-12)
    assert seen.significant_share == pytest.approx(np.array(small), abs=1e-12)
    row = made[1].set_index("term").loc[term]
    expected = [
        (1 + sum(abs(one) >= abs(medians[0]) for one in medians[1:])) / (FEW + 1),
        (1 + sum(one >= majorities[0] for one in majorities[1:])) / (FEW + 1),
        (1 + sum(one >= small[0] for one in small[1:])) / (FEW + 1),
    ]
    assert row[["median_p", "majority_p", "significant_p"]].to_list() == pytest.approx(expected)
    assert row["median_estimate"] == pytest.approx(medians[0], rel=1e-10)


@pytest.mark.parametrize("block", [1, 7, 5_000])
def test_the_size_of_a_block_changes_nothing(
    block: int, two: dict[str, WindowUnits], made: tuple[pd.DataFrame, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "_BLOCK", block)
    again = curves.specification_curve(two, USUAL, with_draws(FEW))
    for one, other in zip(made, again, strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-10, atol=1e-12)


def test_the_summary_is_of_the_curve(made: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    curve, summary = made
    for row in summary.to_dict("records"):
        own = curve.loc[curve["term"] == row["term"]]
        positive = int((own["estimate"] > 0).sum())
        assert (row["n_positive"], row["n"], row["n_asked"]) == (positive, 58, 768)
        assert row["majority_sign"] == ("positive" if positive >= 384 else "negative")
        assert row["majority_share"] == max(positive, 768 - positive) / 768
        assert row["median_estimate"] == own["estimate"].median()
        assert row["n_p_below_level"] == (own["p_value"] < 0.05).sum()
        assert row["significant_share"] == (own["p_value"] < 0.05).mean()
        assert (row["lowest_estimate"], row["highest_estimate"]) == (own["estimate"].min(), own["estimate"].max())
        assert (row["draws"], row["seed"], row["n_refits_missing"]) == (FEW, 20181129, 0)


def test_a_planted_association_is_found(two: dict[str, WindowUnits]) -> None:
    """Every outcome rises with taking part in any programme, by far more than it moves besides."""
    planted = {}
    for window_id, own in two.items():
        part = variable(own, "innovation_any_programme")
        codings = dict.fromkeys(curves.INNOVATION, part)
        outcomes = {name: own.units[name] + 2 * part for name in curves.OUTCOMES}
        planted[window_id] = replace(with_values(own, **codings), units=own.units.assign(**outcomes))
    _, summary = curves.specification_curve(planted, USUAL, with_draws(199))
    found = summary.set_index("term").loc[terms.INNOVATION]
    assert found["median_estimate"] == pytest.approx(2, abs=0.1)
    assert found["majority_share"] == found["significant_share"] == 1
    assert found["median_p"] == found["significant_p"] == 1 / 200


def test_p_counts_the_draws_that_are_as_large() -> None:
    assert curves.joint_p(np.array([2.0, 1.0, 2.0, 3.0])) == 3 / 4
    assert curves.joint_p(np.array([4.0, 1.0, 2.0, 3.0])) == 1 / 4
    # A draw that gives the same picture again counts, though its sum was taken in another order.
    assert curves.joint_p(np.array([0.1 + 0.2, 0.3])) == 1
    # Nor does a draw in which nothing could be fitted speak for the observed.
    assert curves.joint_p(np.array([4.0, 1.0, np.nan, 3.0])) == 2 / 4


def test_a_refit_without_an_estimate_is_left_out_of_its_draw() -> None:
    estimate = np.array([[1.0, -2.0, 3.0, 4.0], [1.0, np.nan, -3.0, -4.0]])
    seen = curves.picture(estimate, np.array([[True, False, False, False], [True, False, False, True]]))
    assert seen.median.tolist() == [2.0, -3.0]
    assert seen.positive_share.tolist() == [3 / 4, 1 / 3]
    assert seen.majority_share.tolist() == [3 / 4, 2 / 3]
    assert seen.significant_share.tolist() == [1 / 4, 2 / 3]
    nothing = curves.picture(np.full((1, 2), np.nan), np.zeros((1, 2), dtype=bool))
    assert np.isnan([nothing.median, nothing.majority_share, nothing.significant_share]).all()


def test_a_draw_in_which_a_unit_has_a_term_to_itself_has_no_estimate_there() -> None:
    """Good: three units of a region. Taking part: two others. Dealt out to two of the three, the third is alone."""
    n, good = 40, [0, 4, 8]
    is_good, took_part = (np.isin(np.arange(n), rows).astype(float) for rows in (good, [12, 16]))
    windows = {
        at: window(at, n, ofsted_good=is_good, **dict.fromkeys(curves.INNOVATION, took_part)) for at in curves.WINDOWS
    }
    _, summary = curves.specification_curve(windows, USUAL, with_draws(199))
    found = summary.set_index("term").loc[terms.INNOVATION]
    random = randomness.stream(settings.load().seed, randomness.SPECIFICATION_CURVE)
    order = curves.permutations(tuple(windows["main_h5"].units["region"]), 199, random)
    alone = sum(set(np.flatnonzero(took_part[moved])) < set(good) for moved in order)
    assert alone > 0
    assert found["n_refits_missing"] == 384 * alone  # half of the specifications code the judgement as good
    assert 0 < found["median_p"] <= 1


# ---------------------------------------------------------------------------------------------------------------------
# What cannot be fitted


def reasons(curve: pd.DataFrame) -> dict[str, int]:
    """How many specifications of a focal term have which reason, "" for an estimate; every row has the one or the other."""
    figures = ["estimate", "std_error", "statistic", "p_value", "lower_95", "upper_95"]
    assert (curve[figures].isna().all(axis=1) == curve["reason"].notna()).all()
    assert (curve[figures].isna().any(axis=1) == curve["reason"].notna()).all()
    assert (curve["detail"].notna() == curve["reason"].notna()).all()
    first = curve.loc[curve["term"] == terms.INNOVATION]
    return first["reason"].fillna("").value_counts().to_dict()


def test_a_window_that_is_not_there_takes_its_specifications_with_it(two: dict[str, WindowUnits]) -> None:
    curve, summary = curves.specification_curve({"main_h5": two["main_h5"]}, USUAL, with_draws(FEW))
    assert reasons(curve) == {"": 384, "not_available": 384}
    assert set(curve["n"]) == {59}
    assert curve.loc[curve["window_id"] == "main_h4", "window_start"].isna().all()
    assert set(summary["n_specifications"]) == {384}


def test_a_measure_without_any_value_takes_its_specifications_and_no_unit(two: dict[str, WindowUnits]) -> None:
    gone = ["free_school_meals_level", "free_school_meals_change"]
    windows = {
        at: replace(with_values(own, **dict.fromkeys(gone, np.nan)), reasons=own.reasons.drop(columns=gone))
        for at, own in two.items()
    }
    curve, _ = curves.specification_curve(windows, USUAL, with_draws(FEW))
    assert reasons(curve) == {"": 384, exposures.NO_EXPOSURE: 384}
    assert set(curve["n"]) == {59}  # the unit without free meals is complete in what is left


def test_a_reason_that_is_given_is_told(two: dict[str, WindowUnits]) -> None:
    own = two["main_h4"]
    unjudged = replace(
        with_values(own, ofsted_not_inadequate=np.nan),
        units=own.units.assign(excluding_uasc=np.nan),
        outcome_reasons=pd.DataFrame({"excluding_uasc": "uasc_not_available"}, index=own.units.index),
        reasons=own.reasons.assign(ofsted_not_inadequate="no_judgement_in_force"),
    )
    curve, _ = curves.specification_curve({**two, "main_h4": unjudged}, USUAL, with_draws(FEW))
    # Of the 384 with four years: a quarter is without UASC, and half of the other three quarters by that coding.
    assert reasons(curve) == {"": 384 + 144, "uasc_not_available": 96, "no_judgement_in_force": 144}


def test_without_usual_movement_nothing_is_weighted(two: dict[str, WindowUnits]) -> None:
    none = volatility.Fit(np.nan, np.nan, reason="not_converged")
    curve, summary = curves.specification_curve(two, none, with_draws(FEW))
    assert reasons(curve) == {"": 384, "not_converged": 384}
    assert set(curve.loc[curve["reason"].notna(), "weights"]) == {curves.USUAL_MOVEMENT}
    assert set(summary["n_specifications"]) == {384}


def test_under_30_units_there_is_nothing() -> None:
    small = {at: window(at, n=29) for at in curves.WINDOWS}
    curve, summary = curves.specification_curve(small, USUAL, with_draws(FEW))
    assert reasons(curve) == {"too_few_units": 768}
    assert summary["reason"].to_list() == ["too_few_units"] * 3
    figures = ["n_specifications", "median_estimate", "median_p", "majority_share", "significant_p", "draws"]
    assert summary[figures].isna().all().all()
    assert set(curve["n"]) == {29}


def test_without_windows_there_is_a_reason_in_every_row() -> None:
    curve, summary = curves.specification_curve({}, USUAL, with_draws(FEW))
    assert reasons(curve) == {"not_available": 768}
    assert set(curve["n"]) == {0}
    assert summary["reason"].to_list() == ["not_available"] * 3


@pytest.mark.parametrize(
    ("coding", "reason"),
    [
        (lambda own: 0.0, "no_variation"),
        (lambda own: (own.units.index == "720").astype(float), "high_leverage"),
        (lambda own: variable(own, "ofsted_good"), "singular"),
    ],
)
def test_a_coding_that_cannot_be_told_from_the_rest_has_no_number(
    coding: object, reason: str, two: dict[str, WindowUnits]
) -> None:
    windows = {at: with_values(own, innovation_lead=coding(own)) for at, own in two.items()}  # type: ignore[operator]
    curve, _ = curves.specification_curve(windows, USUAL, with_draws(FEW))
    told = reasons(curve)
    # A third have the coding; it is a combination of the judgement only where that is coded as good.
    assert told == {reason: 128 if reason == "singular" else 256, "": 640 if reason == "singular" else 512}
    assert set(curve.loc[curve["reason"].notna(), "innovation"]) == {"innovation_lead"}


# ---------------------------------------------------------------------------------------------------------------------
# Whole countries


@published
def test_the_published_files_have_every_specification(observed_real: Observed) -> None:
    """The primary specification against M2 of statsmodels on the units that have both measures of deprivation."""
    usual = observed_real.usual_movement
    curve, summary = curves.specification_curve(observed_real.windows, usual, with_draws(FEW))
    assert len(curve) == 2_304
    assert curve["reason"].isna().all()
    found = curves.complete_units(observed_real.windows, usual)
    fit = fits.ols(found.design(SPECIFICATIONS[0]))
    assert isinstance(fit, Fit)
    row = row_of(curve, SPECIFICATIONS[0], terms.OFSTED_GOOD)
    assert row["std_error"] == pytest.approx(fit.std_error[fit.design.column(terms.OFSTED_GOOD)], rel=1e-9)
    gone = set(observed_real.windows["main_h5"].units.index) - set(found.units)
    judged = variable(observed_real.windows["main_h5"], "ofsted_good")
    assert gone >= set(judged.index[judged.isna()])


def test_the_planted_factors_are_found_in_the_demonstration(observed_demo: Observed) -> None:
    usual = observed_demo.usual_movement
    curve, summary = curves.specification_curve(observed_demo.windows, usual, with_draws(99))
    assert curve["reason"].isna().all()
    rows = summary.set_index("term")
    # planted.py: the rate rises with deprivation and falls with a good judgement.
    assert rows.loc[terms.DEPRIVATION_CHANGE, "majority_sign"] == "positive"
    assert rows.loc[terms.OFSTED_GOOD, "majority_sign"] == "negative"
    assert (rows.loc[[terms.DEPRIVATION_CHANGE, terms.OFSTED_GOOD], "median_p"] < 0.05).all()


def test_every_choice_of_the_table_is_a_choice_of_the_curve() -> None:
    from pipeline.tables import model_tables

    allowed = {column.name: column.allowed for column in model_tables.SPECIFICATION_CURVE.columns}
    for name in ("outcome", "weights", "deprivation", "ofsted", "innovation"):
        assert set(allowed[name] or ()) == {getattr(one, name) for one in SPECIFICATIONS}
    assert list(allowed["term"] or ()) == list(terms.FOCAL)
