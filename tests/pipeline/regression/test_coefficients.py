"""The tables of the models: every number by hand or by another library, and no number without a fit."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import OLSInfluence, variance_inflation_factor

from pipeline import settings, volatility
from pipeline.regression import coefficients, design, fits, influence, left_out, models, observations, terms
from pipeline.regression.design import Fit, Fitted
from pipeline.regression.models import Key, Resampled
from pipeline.regression.observations import WindowUnits
from pipeline.regression.resampling import Tally
from pipeline.tables import model_tables, shared_columns
from tests.fixtures.observed_windows import NO_JUDGEMENT, Observed, invented

CHOSEN = settings.load()
QUICK = replace(CHOSEN, regression=replace(CHOSEN.regression, resampling_draws=99, moran_draws=19))
USUAL = volatility.Fit(0.002, 1.1)
LOG, POINTS = observations.LOG_RATE_RATIO, observations.CHANGE_PER_10K
VARIABLES = ["deprivation_change", "deprivation_level", "innovation_programme", "ofsted_good", "baseline_log_rate"]

# What is missing together with each reason, besides `reason`, which takes every number with it.
MISSING_WITH = {
    "second_reason": ["std_error_second"],
    "percent_reason": ["percent_effect", "percent_lower_95", "percent_upper_95"],
    "spread_reason": ["per_sd", "per_iqr"],
    "partial_r2_reason": ["partial_r2"],
    "vif_reason": ["vif"],
    "resampling_reason": ["wild_bootstrap_p", "leave_one_out_min", "leave_one_out_max", "leave_one_out_sign_changes"],
    "region_bootstrap_reason": ["region_bootstrap_p"],
    "permutation_reason": ["permutation_p"],
    "q_value_reason": ["q_value", "n_tests"],
}
ALWAYS = [
    "estimate",
    "std_error",
    "statistic",
    "p_value",
    "lower_95",
    "upper_95",
    "minimum_detectable_effect",
    "n",
    "df",
]


def exposed(window: WindowUnits) -> pd.DataFrame:
    """The exposures of the units, by variable."""
    return window.values  # noqa: PD011 (a field of WindowUnits, not of a frame)


def rows_of(
    *windows: WindowUnits, resampled: dict[Key, Resampled] | None = None, univariate: pd.DataFrame | None = None
) -> pd.DataFrame:
    fitted = models.models(windows, USUAL, QUICK)
    return coefficients.table(fitted, resampled or {}, QUICK, windows=windows, univariate=univariate)


def pick(table: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    given: dict[str, object] = {"outcome": LOG, "variant": "primary", "region_effects": False} | wanted
    for column, value in given.items():
        table = table.loc[table[column] == value]
    return table


def row(table: pd.DataFrame, term: str, **wanted: object) -> pd.Series:
    found = pick(table, term=term, **wanted)
    assert len(found) == 1
    return found.iloc[0]


@pytest.fixture(scope="module")
def window() -> WindowUnits:
    return invented()


@pytest.fixture(scope="module")
def table(window: WindowUnits) -> pd.DataFrame:
    return rows_of(window)


# ---------------------------------------------------------------------------------------------------------------------
# Coefficients


def test_the_estimate_with_its_sizes_by_hand(window: WindowUnits, table: pd.DataFrame) -> None:
    x = sm.add_constant(exposed(window)[VARIABLES].to_numpy())
    y = window.units[LOG].to_numpy()
    expected, plain = sm.OLS(y, x).fit(cov_type="HC3", use_t=True), sm.OLS(y, x).fit()
    change = exposed(window)["deprivation_change"]
    own = row(table, terms.DEPRIVATION_CHANGE, model="M2")
    b, se = expected.params[1], expected.bse[1]
    without = sm.OLS(y, np.delete(x, 1, axis=1)).fit()
    by_hand = {
        "estimate": b,
        "std_error": se,
        "statistic": b / se,
        "p_value": expected.pvalues[1],
        "lower_95": expected.conf_int()[1][0],
        "upper_95": expected.conf_int()[1][1],
        "percent_effect": 100 * (np.exp(b) - 1),
        "percent_lower_95": 100 * (np.exp(expected.conf_int()[1][0]) - 1),
        "percent_upper_95": 100 * (np.exp(expected.conf_int()[1][1]) - 1),
        "per_sd": b * change.std(),
        "per_iqr": b * (change.quantile(0.75) - change.quantile(0.25)),
        "partial_r2": (without.ssr - plain.ssr) / without.ssr,
        "vif": variance_inflation_factor(x, 1),
        "minimum_detectable_effect": 2.8 * se,
        "n": 60,
        "df": 54,
    }
    for name, value in by_hand.items():
        assert own[name] == pytest.approx(value, rel=1e-8), name
    assert own["method"] == fits.OLS


def test_every_missing_number_has_its_reason(window: WindowUnits) -> None:
    """Fitted or not, of every model: a number is there or the column for its reason is filled, and never both."""
    fitted = models.models([window, invented(29, window_id="prev_h5")], USUAL, QUICK)
    found = models.resampled(fitted, QUICK)
    table = coefficients.table(fitted, found, QUICK, windows=[window, invented(29, window_id="prev_h5")])
    numbers = [column.name for column in model_tables.REGRESSION_COEFFICIENTS.columns if column.kind == "number"]
    assert set(numbers) <= {*ALWAYS, *(name for names in MISSING_WITH.values() for name in names)}
    assert table["reason"].notna().any()
    assert table["reason"].isna().any()
    for reason, names in ({"reason": ALWAYS} | MISSING_WITH).items():
        for name in names:
            assert (table[name].isna() == table[reason].notna()).all(), (reason, name)
    assert (table["detail"].isna() == table["reason"].isna()).all()
    for reason in ("reason", *MISSING_WITH):
        assert set(table[reason].dropna()) <= set(shared_columns.REASONS)


def test_a_model_without_a_fit_has_a_row_a_term_and_no_number() -> None:
    table = rows_of(invented(60, deprivation_change=np.full(60, 1.0)))
    numbers = [
        column.name
        for column in model_tables.REGRESSION_COEFFICIENTS.columns
        if column.kind in ("number", "integer") and column.name not in ("window_start", "window_end")
    ]
    own = pick(table, model="M2")
    assert sorted(own["term"]) == sorted(terms.PRIMARY)
    assert set(own["reason"]) == {"no_variation"}
    assert set(own["detail"]) == {"deprivation_change is the same in every unit"}
    assert own[numbers].isna().all(axis=None)
    assert own["method"].isna().all()


def test_a_fit_without_a_standard_error_is_no_result(window: WindowUnits) -> None:
    """Units that lie on the model exactly: an error of nothing would make any coefficient certain."""
    fitted = models.models([window], USUAL, QUICK)
    whole = next(one for one in fitted if one.model == "M2" and isinstance(one.result, Fit))
    assert isinstance(whole.result, Fit)
    nothing = replace(whole, result=replace(whole.result, std_error=np.zeros(whole.result.design.k)))
    found = coefficients.table([nothing], {}, QUICK, windows=[window])
    assert set(found["reason"]) == {"singular"}
    assert found["estimate"].isna().all()
    about = coefficients.models_table([nothing], QUICK, windows=[window])
    assert about["reason"].tolist() == ["singular"]
    assert about[["n", "r2", "morans_i_p"]].isna().all(axis=None)


def test_points_have_no_percentages_and_a_baseline_in_points(table: pd.DataFrame) -> None:
    own = pick(table, outcome=POINTS, model="M2")
    assert not own["is_log_outcome"].any()
    assert set(own["percent_reason"]) == {"not_applicable"}
    baseline = row(table, terms.BASELINE, outcome=POINTS, model="M2")
    assert baseline["unit_of_term"] == "per child looked after per 10,000 children at the start"
    assert baseline["measure"] == "children looked after per 10,000 children aged 0-17"
    assert row(table, terms.BASELINE, model="M2")["measure"] == "baseline_log_rate as measured"


def test_indicators_have_no_size_for_a_spread(table: pd.DataFrame) -> None:
    own = table.loc[table["estimate"].notna()]
    without = set(own.loc[own["spread_reason"].notna(), "term"])
    assert {terms.CONSTANT, terms.INNOVATION, terms.OFSTED_GOOD, "region: North Sarn", "ofsted_is_ilacs"} <= without
    assert without.isdisjoint({terms.DEPRIVATION_CHANGE, terms.BASELINE, "ofsted_score", "innovation_projects"})


def test_every_indicator_says_one_against_zero(table: pd.DataFrame) -> None:
    own = table.loc[table["spread_reason"].notna() & (table["term"] != terms.CONSTANT)]
    assert set(own["unit_of_term"]) == {terms.ONE_AGAINST_ZERO}
    assert not (table.loc[table["spread_reason"].isna(), "unit_of_term"] == terms.ONE_AGAINST_ZERO).any()


def test_region_terms_are_named_and_have_one_inflation_factor(table: pd.DataFrame) -> None:
    own = pick(table, model="M1", region_effects=True)
    regions = own.loc[own["term"].str.startswith("region: ")]
    assert regions["term"].tolist() == ["region: North Sarn", "region: South Sarn", "region: West Sarn"]
    assert regions["vif"].nunique() == 1
    assert not pick(table, model="M1")["term"].str.startswith("region: ").any()


def test_the_constant_is_no_percentage_and_has_no_inflation_factor(table: pd.DataFrame) -> None:
    own = row(table, terms.CONSTANT, model="M2")
    assert [own["percent_reason"], own["vif_reason"], own["spread_reason"]] == ["not_applicable"] * 3


def test_the_second_error_is_that_of_the_quasi_poisson_model(table: pd.DataFrame) -> None:
    assert set(table.loc[table["std_error_second"].notna(), "model"]) == {"M4"}
    assert pick(table, model="M4")["std_error_second"].notna().all()


def test_what_resampling_says_stands_beside_the_coefficient(window: WindowUnits) -> None:
    key = Key("main_h5", LOG, "M2", True, "primary", terms.INNOVATION)
    other = key._replace(term=terms.OFSTED_GOOD)
    table = rows_of(
        window,
        resampled={
            key: Resampled(Tally(0, 99), Tally(1, 99), Tally(2, 99), -0.4, 0.5, 6),
            other: Resampled(Tally(10, 99), None, None, 0.1, 0.2, 0),
        },
    )
    names = [*MISSING_WITH["resampling_reason"], "region_bootstrap_p", "permutation_p"]
    own = row(table, terms.INNOVATION, model="M2", region_effects=True)
    assert own[names].tolist() == [0.01, -0.4, 0.5, 6, 0.02, 0.03]
    own = row(table, terms.OFSTED_GOOD, model="M2", region_effects=True)
    assert own[["region_bootstrap_reason", "permutation_reason"]].tolist() == ["not_applicable"] * 2
    assert own["wild_bootstrap_p"] == 0.11
    assert table["wild_bootstrap_p"].notna().sum() == 2


def alone(window: WindowUnits, term: str) -> Fitted:
    """M0 of one variable."""
    line = design.build(
        window.units[LOG].to_numpy(), {term: exposed(window)[term].to_numpy()}, list(window.units.index),
        list(window.units["region"]),
    )  # fmt: skip
    return Fitted(window.window_id, 2020, 2025, LOG, "M0", False, (term,), fits.ols(line))


def test_variables_alone_share_an_id_and_have_a_q_value(window: WindowUnits) -> None:
    fitted = [alone(window, "deprivation_change"), alone(window, "ofsted_good"), *models.models([window], USUAL, QUICK)]
    univariate = pd.DataFrame(
        {"window_id": "main_h5", "outcome": [LOG, LOG, POINTS], "term": ["deprivation_change", "ofsted_good", "sfpc"],
         "q_value": [0.25, np.nan, 0.5], "n_tests": [14, pd.NA, 14]}
    )  # fmt: skip
    table = coefficients.table(fitted, {}, QUICK, windows=[window], univariate=univariate)
    own = pick(table, model="M0").set_index("term")
    assert sorted(own.index) == ["deprivation_change", "ofsted_good"]
    assert own.loc["deprivation_change", ["q_value", "n_tests"]].tolist() == [0.25, 14]
    assert own.at["ofsted_good", "q_value_reason"] == "not_applicable"
    assert table["q_value"].notna().sum() == 1
    about = coefficients.models_table(fitted[:2], QUICK, windows=[window])
    assert about["terms"].tolist() == ["deprivation_change", "ofsted_good"]


# ---------------------------------------------------------------------------------------------------------------------
# Models


def test_a_model_with_its_diagnostics(window: WindowUnits) -> None:
    fitted = models.models([window], USUAL, QUICK)
    own = pick(coefficients.models_table(fitted, QUICK, windows=[window]), model="M2").iloc[0]
    expected = sm.OLS(window.units[LOG].to_numpy(), sm.add_constant(exposed(window)[VARIABLES].to_numpy())).fit()
    assert own["r2"] == pytest.approx(expected.rsquared)
    assert own["adjusted_r2"] == pytest.approx(expected.rsquared_adj)
    assert own["rmse"] == pytest.approx(np.sqrt(expected.mse_resid))
    assert own["aic"] == pytest.approx(expected.aic)
    assert own[["n", "k", "df", "n_left_out", "left_out"]].tolist() == [60, 6, 54, 0, ""]
    assert own["terms"] == ", ".join(terms.PRIMARY)
    assert own["deprivation_measure"] == "deprivation_change as measured"
    assert own[["seed", "moran_draws", "resampling_draws"]].tolist() == [20181129, 19, 99]
    assert own["numpy_version"] == version("numpy")
    assert own["statsmodels_version"] == version("statsmodels")
    assert own["settings_sha256"] == CHOSEN.sha256


def test_what_a_method_does_not_have_is_missing_with_a_reason(window: WindowUnits) -> None:
    about = coefficients.models_table(models.models([window], USUAL, QUICK), QUICK, windows=[window])
    figures = ["r2", "adjusted_r2", "rmse", "aic", "breusch_pagan_p", "shapiro_wilk_p", "reset_p", "morans_i",
               "morans_i_p", "condition_number"]  # fmt: skip
    assert (about[figures].isna().any(axis=1) == about["diagnostics_reason"].notna()).all()
    assert set(about.loc[about["diagnostics_reason"].notna(), "model"]) == {"M4", "M7"}


def test_units_left_out_are_counted_by_reason() -> None:
    window = invented(60, ofsted_good=[np.nan] * 3 + [0.0, 1.0, 1.0] * 19)
    window.reasons.loc["701", "ofsted_good"] = "not_available"
    about = coefficients.models_table(models.models([window], USUAL, QUICK), QUICK, windows=[window])
    own = pick(about, model="M2").iloc[0]
    assert own["left_out"] == "2 no_judgement_in_force, 1 not_available"
    assert own[["n", "n_left_out"]].tolist() == [57, 3]


# ---------------------------------------------------------------------------------------------------------------------
# Influence


def test_influence_is_that_of_statsmodels(window: WindowUnits) -> None:
    fitted = models.models([window], USUAL, QUICK)
    table = influence.table(fitted, windows=[window])
    assert set(table["model"]) == {"M1", "M2"}
    assert len(table) == 2 * 2 * 2 * 60
    own = table.loc[(table["model"] == "M2") & (table["outcome"] == LOG) & ~table["region_effects"]].set_index(
        "unit_id"
    )
    result = sm.OLS(window.units[LOG].to_numpy(), sm.add_constant(exposed(window)[VARIABLES].to_numpy())).fit()
    expected = OLSInfluence(result)
    own = own.loc[window.units.index]
    np.testing.assert_allclose(own["leverage"], expected.hat_matrix_diag)
    np.testing.assert_allclose(own["studentised_residual"], expected.resid_studentized_external)
    np.testing.assert_allclose(own["cooks_distance"], expected.cooks_distance[0])
    names = [f"dfbetas_{term}" for term in terms.PRIMARY]
    np.testing.assert_allclose(own[names], expected.dfbetas[:, 1:], atol=1e-12)
    assert own["is_influential"].tolist() == (expected.cooks_distance[0] > 4 / 60).tolist()
    far = np.abs(expected.dfbetas[:, 1:]) > 2 / np.sqrt(60)
    moved = [", ".join(np.array(terms.PRIMARY)[flags]) for flags in far]
    assert own["terms_moved"].tolist() == moved
    assert any(moved)
    assert own.at["701", "unit_name"] == "Place 701"


def test_m1_has_no_baseline_to_move(window: WindowUnits) -> None:
    table = influence.table(models.models([window], USUAL, QUICK), windows=[window])
    is_m1 = table["model"] == "M1"
    assert (table["dfbetas_baseline_rate"].isna() == is_m1).all()
    assert (table["dfbetas_baseline_reason"].eq("not_applicable").fillna(False) == is_m1).all()


def test_without_a_fit_there_is_no_influence() -> None:
    window = invented(29)
    assert influence.table(models.models([window], USUAL, QUICK), windows=[window]).empty


# ---------------------------------------------------------------------------------------------------------------------
# Who is left out


def test_an_authority_is_in_a_model_or_left_out_of_it_with_a_reason(observed_demo: Observed) -> None:
    """Recounted for every model and window from the fits: in, or listed, never both and never neither."""
    windows = list(observed_demo.windows.values())
    fitted = models.models(windows, observed_demo.usual_movement, CHOSEN)
    table = left_out.regression_exclusions(windows, fitted)
    assert set(table["stage"]) == {"regression"}
    assert set(table["model"]) == {"M1", "M2", "M3", "M4", "M7", "M8", "M9", "M10"}
    primary = {(one.window_id, one.model): one for one in fitted if one.variant in ("primary", "huber")}
    listed = {names: set(own["la_code"]) for names, own in table.groupby(["window_id", "model"])}
    for names, one in primary.items():
        every = {code for unit in observed_demo.windows[one.window_id].units.index for code in unit.split("+")}
        inside = set()
        if isinstance(one.result, Fit):
            inside = {code for unit in one.result.design.units for code in unit.split("+")}
        assert inside | listed.get(names, set()) == every
        assert not inside & listed.get(names, set())


def test_an_authority_of_a_joined_unit_has_a_row_of_its_own() -> None:
    window = invented(60, ofsted_good=[np.nan] + [0.0, 1.0] * 29 + [1.0])
    joined = {"701": "701+799"}
    window = replace(
        window,
        units=window.units.rename(index=joined).assign(
            unit_name=["Marlshire + Eastmere", *window.units["unit_name"][1:]]
        ),
        values=exposed(window).rename(index=joined),
        reasons=window.reasons.rename(index=joined),
    )
    table = left_out.regression_exclusions([window], models.models([window], USUAL, QUICK))
    own = table.loc[table["model"] == "M2"]
    assert own["la_code"].tolist() == ["701", "799"]
    assert own["la_name"].tolist() == ["Marlshire", "Eastmere"]
    assert set(own["unit_id"]) == {"701+799"}
    assert set(own["reason"]) == {NO_JUDGEMENT}
    assert own[["n_before", "n_after"]].iloc[0].tolist() == [60, 59]
    assert own["detail"].iloc[0] == "Marlshire + Eastmere: no judgement in force"


def test_where_a_model_is_not_fitted_every_unit_is_listed_with_its_reason() -> None:
    window = invented(29, ofsted_good=[np.nan] + [0.0, 1.0] * 14)
    table = left_out.regression_exclusions([window], models.models([window], USUAL, QUICK))
    own = table.loc[table["model"] == "M2"]
    assert own.groupby(["step", "reason"]).size().to_dict() == {
        ("complete_cases", NO_JUDGEMENT): 1, ("fitted", "too_few_units"): 28,
    }  # fmt: skip
    assert set(own.loc[own["step"] == "fitted", "n_after"]) == {0}
