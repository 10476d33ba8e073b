"""Each variable alone: the tests themselves, who is in them, why there is none, and how many tests are allowed for."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

from pipeline import (
    exposures,
    geography,
    innovation_programme,
    reference_tables,
    settings,
    trends,
    two_samples,
    windows,
)
from pipeline.exposures import Inputs
from pipeline.regression import observations, univariate
from pipeline.regression.design import Fit, Fitted, Problem
from pipeline.regression.observations import WindowUnits
from tests.fixtures.deprivation_files import Published
from tests.fixtures.readings import Readings
from tests.published_files import published

CHOSEN = settings.load()
GOLDEN = Path(__file__).parents[2] / "golden"
N = 40
REGIONS = ("East Sarn", "North Sarn", "South Sarn", "West Sarn")


def window(
    n: int = N, *, window_id: str = "main_h5", outcome: Sequence[float] | None = None, **values: Sequence[float]
) -> WindowUnits:
    """Units 701, 702, ... in four regions in turn, whose changes wander; NaN in a variable is without a judgement."""
    random = np.random.default_rng(11)
    index = pd.Index([str(701 + at) for at in range(n)], name="unit_id")
    change = random.normal(0.03, 0.1, n) if outcome is None else np.asarray(outcome, dtype=float)
    units = pd.DataFrame(
        {
            "region": [REGIONS[at % len(REGIONS)] for at in range(n)],
            "log_rate_ratio": change,
            "change_per_10k": 60 * np.expm1(change) + random.normal(0, 1, n),
            "rate_level": random.normal(60, 12, n),
        },
        index=index,
    )
    given: dict[str, Any] = {"baseline_log_rate": random.normal(-5.1, 0.3, n)} | values
    table = pd.DataFrame(given, index=index, dtype=float)
    return WindowUnits(
        window_id=window_id,
        start=2020,
        end=2025,
        units=units,
        values=table,
        reasons=table.isna().replace({True: "no_judgement_in_force", False: None}).astype("string"),
        is_post_baseline={name: name.endswith(("_at_end", "_ever")) for name in table},
        measure={name: f"{name} as measured" for name in table},
    )


def associations(*of: WindowUnits, outcome: str = observations.LOG_RATE_RATIO) -> pd.DataFrame:
    """Rows of one outcome by term, of one window."""
    _, table = univariate.models(of, CHOSEN)
    return table.loc[table["outcome"] == outcome].set_index("term")


def slope(of: WindowUnits, term: str, outcome: str = observations.LOG_RATE_RATIO) -> Fitted:
    fitted, _ = univariate.models([of], CHOSEN)
    (one,) = [one for one in fitted if one.terms == (term,) and one.outcome == outcome]
    return one


def halves(n: int = N) -> list[float]:
    return [float(at % 2) for at in range(n)]


def wander(seed: int, n: int = N) -> list[float]:
    return np.random.default_rng(seed).normal(0, 1, n).tolist()


# ---------------------------------------------------------------------------------------------------------------------
# The tests, by hand and beside scipy and statsmodels


def test_a_correlation_by_hand() -> None:
    """Deviations -2 -1 0 1 2 and -2 0 1 0 1: sums of products 6, of squares 10 and 6; t = r sqrt(3 / (1 - 0.6))."""
    x, y = np.array([1.0, 2, 3, 4, 5]), np.array([2.0, 4, 5, 4, 5])
    r, p = univariate.correlation_test(x, y)
    assert r == pytest.approx(6 / np.sqrt(60), rel=1e-12)
    assert p == pytest.approx(2 * stats.t.sf(np.sqrt(0.6 * 3 / 0.4), 3), rel=1e-12)


def test_on_one_line_a_correlation_is_certain() -> None:
    x = np.arange(5.0)
    assert univariate.correlation_test(x, 2 * x) == (1, 0)


@pytest.mark.parametrize("seed", range(3))
def test_numbers_agree_with_scipy(seed: int) -> None:
    values = np.round(wander(seed), 1)  # ties, which share a place
    of = window(deprivation_change=values)
    row, y = associations(of).loc["deprivation_change"], of.units["log_rate_ratio"].to_numpy()
    theirs = stats.pearsonr(values, y)
    low, high = theirs.confidence_interval(0.95)
    assert [row["pearson_r"], row["p_value"]] == pytest.approx([theirs.statistic, theirs.pvalue], rel=1e-10)
    assert [row["pearson_lower_95"], row["pearson_upper_95"]] == pytest.approx([low, high], abs=1e-7)
    spearman = stats.spearmanr(values, y)
    assert [row["spearman_rho"], row["spearman_p"]] == pytest.approx([spearman.statistic, spearman.pvalue], rel=1e-10)
    assert (row["test"], row["n"]) == ("pearson", N)


def test_an_indicator_agrees_with_scipy() -> None:
    values = np.array([1.0] * 13 + [0.0] * 27)
    of = window(innovation_programme=values)
    row, y = associations(of).loc["innovation_programme"], of.units["log_rate_ratio"].to_numpy()
    theirs = stats.ttest_ind(y[values == 1], y[values == 0], equal_var=False)
    low, high = theirs.confidence_interval(0.95)
    assert [row["welch_statistic"], row["welch_df"], row["p_value"]] == pytest.approx(
        [theirs.statistic, theirs.df, theirs.pvalue], rel=1e-10
    )
    assert [row["difference_lower_95"], row["difference_upper_95"]] == pytest.approx([low, high], rel=1e-10)
    assert row["difference"] == pytest.approx(y[:13].mean() - y[13:].mean())
    assert (row["test"], row["n_groups"], row["n_smallest_group"]) == ("welch_t", 2, 13)


def test_groups_agree_with_statsmodels() -> None:
    of = window(ofsted_score=[float(1 + at % 4) for at in range(N)])
    rows, y = associations(of), of.units["log_rate_ratio"].to_numpy()
    for term, names in (("ofsted_score", of.values["ofsted_score"]), ("region", of.units["region"])):  # noqa: PD011
        theirs = anova_oneway([y[names == name] for name in sorted(set(names))], use_var="unequal")
        row = rows.loc[term]
        assert [row["welch_statistic"], row["welch_df_between"], row["welch_df"], row["p_value"]] == pytest.approx(
            [theirs.statistic, *theirs.df, theirs.pvalue], rel=1e-10
        )
        assert (row["test"], row["n_groups"], row["n_smallest_group"]) == ("welch_anova", 4, 10)


def test_of_two_groups_f_is_the_square_of_t() -> None:
    first, second = np.array(wander(1, 9)), 3 * np.array(wander(2, 14)) + 1
    found, t = univariate.welch_anova([first, second]), two_samples.welch(first, second, 0.95)
    assert found.df_between == 1
    assert [found.f, found.df_within, found.p] == pytest.approx([(t.statistic or 0) ** 2, t.df, t.p], rel=1e-10)


@pytest.mark.parametrize("groups", [[[1.0, 2]], [[1.0, 2], [3.0]], [[1.0, 2], [3.0, 3.0]]])
def test_an_analysis_of_variance_needs_spread_in_every_group(groups: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="every group needs"):
        univariate.welch_anova([np.array(group) for group in groups])


def test_the_order_of_the_units_does_not_matter() -> None:
    of = window(deprivation_change=wander(3), innovation_programme=halves())
    turned = WindowUnits(
        of.window_id, of.start, of.end, of.units[::-1], of.values[::-1], of.reasons[::-1],  # noqa: PD011
        of.is_post_baseline, of.measure,
    )  # fmt: skip
    numbers = ["pearson_r", "spearman_rho", "welch_statistic", "p_value", "q_value"]
    pd.testing.assert_frame_equal(associations(of)[numbers], associations(turned)[numbers])


# ---------------------------------------------------------------------------------------------------------------------
# Slopes


def test_a_slope_is_the_correlation_in_units() -> None:
    of = window(deprivation_change=wander(4))
    one = slope(of, "deprivation_change")
    assert isinstance(one.result, Fit)
    y, x = of.units["log_rate_ratio"], of.values["deprivation_change"]  # noqa: PD011
    r = associations(of).at["deprivation_change", "pearson_r"]
    assert one.result.estimate[1] == pytest.approx(r * y.std() / x.std(), rel=1e-10)
    assert (one.model, one.region_effects, one.variant, one.result.df) == ("M0", False, "primary", N - 2)
    assert one.units_of_terms == {"deprivation_change": "per percentage point"}


def test_the_slope_of_an_indicator_is_the_difference_of_means() -> None:
    of = window(ofsted_good=halves())
    one = slope(of, "ofsted_good", observations.RATE_LEVEL)
    assert isinstance(one.result, Fit)
    row = associations(of, outcome=observations.RATE_LEVEL).loc["ofsted_good"]
    assert one.result.estimate[1] == pytest.approx(row["difference"], rel=1e-10)


def test_only_the_log_rate_ratio_is_a_percentage() -> None:
    fitted, _ = univariate.models([window()], CHOSEN)
    assert {one.outcome for one in fitted if one.is_log} == {"log_rate_ratio"}
    assert {one.outcome for one in fitted} == {"log_rate_ratio", "change_per_10k", "rate_level"}


def test_groups_have_no_slope_and_all_else_has_one_or_a_reason() -> None:
    fitted, table = univariate.models([window()], CHOSEN)
    of_groups = set(table.loc[table["kind"] == "groups", "term"])
    assert of_groups == {"region", "ofsted_score"}
    assert {term for one in fitted for term in one.terms} == set(table["term"]) - of_groups
    assert len(fitted) == len(table) - 3 * len(of_groups)


def test_the_rate_at_the_start_has_the_name_of_its_term() -> None:
    row = associations(window()).loc["baseline_rate"]
    assert row["measure"] == "baseline_log_rate as measured" and pd.isna(row["reason"])


def test_the_windows_of_the_study_come_first() -> None:
    of = [window(window_id=name) for name in ("hist_h5_2022", "main_h5", "main_h4", "orig_h5", "orig_h4")]
    fitted, table = univariate.models(of, CHOSEN)
    assert list(dict.fromkeys(one.window_id for one in fitted)) == [
        "orig_h4", "orig_h5", "main_h5", "hist_h5_2022", "main_h4"
    ]  # fmt: skip
    assert set(table["window_id"]) == {one.window_id for one in fitted}


def test_what_looks_into_the_window_says_so() -> None:
    of = window(ofsted_good_at_end=halves(), ofsted_good=halves()[1:] + [1.0])
    rows = associations(of)
    assert rows.loc[rows["is_post_baseline"]].index.tolist() == ["ofsted_good_at_end"]
    assert slope(of, "ofsted_good_at_end").post_baseline == {"ofsted_good_at_end"}
    assert slope(of, "ofsted_good").post_baseline == frozenset()


# ---------------------------------------------------------------------------------------------------------------------
# Who is in a test, and why there is none


def test_units_without_a_value_are_counted_by_reason() -> None:
    of = window(ofsted_good=[np.nan, np.nan, np.nan, *halves()[3:]])
    of.reasons.loc["702", "ofsted_good"] = "not_available"
    row, one = associations(of).loc["ofsted_good"], slope(of, "ofsted_good")
    assert (row["n"], row["n_missing"]) == (37, 3)
    assert row["missing"] == "no_judgement_in_force 2; not_available 1"
    assert one.left_out == {"701": "no_judgement_in_force", "702": "not_available", "703": "no_judgement_in_force"}
    assert isinstance(one.result, Fit) and one.result.design.units == tuple(of.units.index[3:])


ONE_UNIT = [1.0] + [0.0] * (N - 1)
MISSING = [np.nan] * N
NUMBERS_OF_A_TEST = ["pearson_r", "spearman_rho", "difference", "welch_statistic", "p_value", "q_value"]


@pytest.mark.parametrize(
    ("term", "values", "reason", "detail"),
    [
        ("ofsted_good", MISSING, "no_judgement_in_force", "no unit of the window has a value"),
        ("ofsted_score", MISSING, "no_judgement_in_force", "no unit of the window has a value"),
        ("sfpc", None, "no_exposure", "no unit of the window has a value"),
        ("ofsted_good", [*MISSING[:11], *halves()[11:]], "too_few_units", "29 units"),
        ("ofsted_score", [*MISSING[:11], *halves()[11:]], "too_few_units", "29 units"),
        ("innovation_programme", [0.0] * N, "no_variation", "innovation_programme is the same"),
        ("deprivation_level", [17.1] * N, "no_variation", "deprivation_level is the same"),
        ("ofsted_score", [2.0] * N, "no_variation", "ofsted_score is the same"),
        ("innovation_programme", ONE_UNIT, "high_leverage", "701"),
        ("deprivation_change", ONE_UNIT, "high_leverage", "701"),
    ],
)
def test_a_variable_that_cannot_be_tested_has_a_reason_and_no_number(
    term: str, values: list[float] | None, reason: str, detail: str
) -> None:
    of = window(**({} if values is None else {term: values}))
    row = associations(of).loc[term]
    assert (row["reason"], row["spearman_reason"]) == (reason, reason) and detail in row["detail"]
    assert row[NUMBERS_OF_A_TEST].isna().all()
    if row["kind"] != "groups":
        result = slope(of, term).result
        assert isinstance(result, Problem) and result.reason == reason


def test_a_grade_of_one_authority_stops_the_comparison_of_grades_but_not_their_order() -> None:
    row = associations(window(ofsted_score=[4.0, *(float(1 + at % 2) for at in range(N - 1))])).loc["ofsted_score"]
    assert (row["reason"], row["detail"]) == ("high_leverage", "one unit alone has ofsted_score 4")
    assert pd.isna(row["p_value"]) and pd.isna(row["welch_statistic"]) and row["n_smallest_group"] == 1
    assert abs(row["spearman_rho"]) <= 1 and pd.isna(row["spearman_reason"])


def test_a_group_in_which_nothing_varies_has_no_test() -> None:
    """Units 701, 705, ... are one region."""
    changes = np.where(np.arange(N) % 4 == 0, 0.05, wander(6))
    row = associations(window(outcome=changes.tolist())).loc["region"]
    assert (row["reason"], row["spearman_reason"]) == ("no_variation", "not_applicable")
    assert row["detail"] == "the outcome is the same in every unit with region East Sarn"


@pytest.mark.parametrize("term", ["deprivation_change", "region", "ofsted_good"])
def test_an_outcome_that_does_not_vary_has_no_test(term: str) -> None:
    of = window(outcome=[0.05] * N, deprivation_change=wander(7), ofsted_good=halves())
    row = associations(of).loc[term]
    assert row["reason"] == "no_variation" and row[NUMBERS_OF_A_TEST].isna().all()


@pytest.mark.parametrize("term", ["deprivation_change", "ofsted_good"])
def test_units_on_one_line_have_no_test_that_looks_certain(term: str) -> None:
    values = wander(8) if term == "deprivation_change" else halves()
    of = window(outcome=[0.3 * value + 0.1 for value in values], **{term: values})
    row = associations(of).loc[term]
    assert row["reason"] == "no_variation" and "on one line" in row["detail"]
    assert isinstance(slope(of, term).result, Problem)


def test_regions_have_no_order() -> None:
    row = associations(window()).loc["region"]
    assert row["spearman_reason"] == "not_applicable" and pd.isna(row["spearman_rho"]) and pd.notna(row["p_value"])


def test_every_missing_number_has_its_reason() -> None:
    _, table = univariate.models([window(ofsted_good=halves(), deprivation_change=wander(9), sfpc=ONE_UNIT)], CHOSEN)
    has_reason = table["reason"].notna()
    for kind, columns in (
        ("number", ["pearson_r", "pearson_lower_95", "pearson_upper_95", "p_value", "q_value"]),
        ("indicator", ["difference", "difference_lower_95", "welch_statistic", "welch_df", "p_value", "q_value"]),
        ("groups", ["welch_statistic", "welch_df_between", "welch_df", "p_value", "q_value"]),
    ):
        own = table["kind"] == kind
        assert (table.loc[own, columns].isna().any(axis=1) == has_reason[own]).all()
    assert (table["spearman_rho"].isna() == table["spearman_reason"].notna()).all()
    assert (table["detail"].notna() == has_reason).all()


# ---------------------------------------------------------------------------------------------------------------------
# Allowing for the number of tests


def test_the_worked_example_of_benjamini_and_hochberg() -> None:
    worked = tomllib.loads((GOLDEN / "multiplicity_and_slopes.toml").read_text(encoding="utf-8"))["benjamini_hochberg"]
    rows = [{"term": f"term {at}", "p_value": p} for at, p in enumerate(worked["p"])]
    without = {"term": "untested", "reason": "no_exposure"}
    found = list(univariate.adjusted([*rows, without], {}))
    assert sum(row["q_value"] <= worked["level"] for row in found) == worked["rejected"]
    assert {row["n_tests"] for row in found} == {len(worked["p"])}
    assert np.isnan(found[-1]["q_value"])


def test_q_is_adjusted_within_a_window_and_an_outcome() -> None:
    of = [
        window(deprivation_change=wander(1), ofsted_good=halves()),
        window(window_id="prev_h5", deprivation_change=wander(2)),
    ]
    _, table = univariate.models(of, CHOSEN)
    for _, own in table.groupby(["window_id", "outcome"]):
        tested = own.loc[own["p_value"].notna()]
        assert tested["q_value"].to_list() == pytest.approx(stats.false_discovery_control(tested["p_value"]).tolist())
        assert set(own["n_tests"]) == {len(tested)}
    assert table.groupby("window_id")["n_tests"].first().to_dict() == {"main_h5": 4, "prev_h5": 3}


def test_a_test_made_twice_counts_once() -> None:
    """The change less its mean is the same test; so are a second indicator of the same units and one of the others."""
    change = np.array(wander(5))
    of = window(
        deprivation_change=change, deprivation_change_relative=change - change.mean(),
        innovation_programme=halves(), innovation_r1=halves(), innovation_ever=[1 - one for one in halves()],
    )  # fmt: skip
    rows = associations(of)
    assert rows["same_test_as"].dropna().to_dict() == {
        "deprivation_change_relative": "deprivation_change", "innovation_r1": "innovation_programme",
        "innovation_ever": "innovation_programme",
    }  # fmt: skip
    for term, other in rows["same_test_as"].dropna().items():
        assert rows.loc[term, ["p_value", "q_value"]].tolist() == pytest.approx(
            rows.loc[other, ["p_value", "q_value"]].tolist()
        )
    assert set(rows["n_tests"]) == {4}  # deprivation, programme, rate at the start, region


def test_the_same_values_in_fewer_units_are_another_test() -> None:
    of = window(innovation_programme=halves(), innovation_r1=[np.nan, *halves()[1:]])
    assert associations(of)["same_test_as"].isna().all()


# ---------------------------------------------------------------------------------------------------------------------
# Published files


@pytest.fixture(scope="module")
def real_rows(real: Readings, real_deprivation: Published) -> tuple[list[WindowUnits], pd.DataFrame]:
    references = real.register.references
    programme = innovation_programme.core(
        references["innovation_programme"], real.local_authorities, reference_tables.knowledge(references).names
    )
    shares = geography.split_shares(references["split_child_weights_2016"], real.local_authorities)
    data = windows.all_window_data(real.core_looked_after, real.core_population, real.areas, CHOSEN.windows)
    data = [one for one in data if one.window.window_id in univariate.FIRST_WINDOWS]
    changes = trends.changes(data, real.areas.too_small, CHOSEN.classes)
    inputs = Inputs(real_deprivation.core, real.core_inspections, programme, real.areas, shares)
    none = [changes[["window_id", "unit_id"]].assign(alternate=name) for name in ("number", "excluding_uasc", "starts")]
    others = pd.concat(none, ignore_index=True).assign(change_log=np.nan, reason="not_available")
    units = list(observations.all_windows(changes, others, exposures.exposures(data, inputs)))
    return units, univariate.models(units, CHOSEN)[1]


@published
@pytest.mark.parametrize("window_id", ["orig_h4", "orig_h5"])
def test_the_signs_that_the_study_of_2018_found(
    real_rows: tuple[list[WindowUnits], pd.DataFrame], window_id: str
) -> None:
    """Falls went with falling child poverty and with the Innovation Programme (methods.md A1); q allows for all tests.

    The third, higher Ofsted ratings, is left open: it depends on whether the judgement is that of the start or of the end.
    """
    _, table = real_rows
    own = table.loc[(table["window_id"] == window_id) & (table["outcome"] == "log_rate_ratio")].set_index("term")
    assert own.at["deprivation_change", "pearson_lower_95"] > 0
    assert own.at["innovation_programme", "difference_upper_95"] < 0
    assert (own.loc[["deprivation_change", "innovation_programme"], "q_value"] < 0.05).all()
    assert own.at["innovation_programme", "is_post_baseline"] and own.at["ofsted_good_at_end", "is_post_baseline"]


@published
def test_published_figures_agree_with_scipy(real_rows: tuple[list[WindowUnits], pd.DataFrame]) -> None:
    units, table = real_rows
    for of in units:
        own = table.loc[(table["window_id"] == of.window_id) & (table["outcome"] == "change_per_10k")].set_index("term")
        y, known = of.units["change_per_10k"].astype(float), of.values["ofsted_good"].dropna()  # noqa: PD011
        r = stats.pearsonr(of.values["deprivation_level"].astype(float), y).statistic  # noqa: PD011
        t = stats.ttest_ind(*(y[known.index[known == one]] for one in (1, 0)), equal_var=False)
        assert own.at["deprivation_level", "pearson_r"] == pytest.approx(r, rel=1e-9)
        assert own.at["ofsted_good", "p_value"] == pytest.approx(t.pvalue, rel=1e-9)
