"""Estimates against certified figures, against statsmodels where it is right, and against identities where it is not."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from pipeline.regression import design, fits
from pipeline.regression.design import Design, Fit, Floats, Problem

GOLDEN = tomllib.loads((Path(__file__).parents[2] / "golden" / "regression.toml").read_text(encoding="utf-8"))
REGIONS = ("Eastmark", "Northmark", "Westmark")


def certified(name: str, outcome: str, columns: list[str], rows: str = "index == index") -> tuple[Design, pd.DataFrame]:
    """A design from the data that statsmodels carries, and the data."""
    data = getattr(sm.datasets, name).load_pandas().data.query(rows)
    numbers = [str(number) for number in range(len(data))]
    made = design.build(
        data[outcome].to_numpy(float), {column: data[column].to_numpy(float) for column in columns}, numbers, numbers
    )
    return made, data


def of_names(made: Design, values: Floats, names: list[str]) -> list[float]:
    return [float(values[made.column(name)]) for name in names]


def country(seed: int = 7, n: int = 60) -> Design:
    """A fictional country: a continuous term, one of another size, an indicator, regions, spread that grows."""
    random = np.random.default_rng(seed)
    share, level, programme = random.normal(2, 1, n), random.normal(4_000, 300, n), random.random(n) < 0.4
    outcome = 0.1 * share - 0.0002 * level + 0.05 * programme + random.normal(size=n) * (0.05 + 0.1 * programme)
    regions = [REGIONS[place] for place in random.integers(0, 3, n)]
    columns = {"share": share, "level": level, "programme": programme.astype(float)}
    return design.build(outcome, columns, [f"U{row:03d}" for row in range(n)], regions, region_effects=True)


def unit_years(seed: int = 3, units: int = 24, years: int = 5) -> tuple[Design, list[str]]:
    """A fictional panel: a term that varies within units, with an intercept of each unit."""
    random = np.random.default_rng(seed)
    names = [f"U{unit:02d}" for unit in range(units) for _ in range(years)]
    share = random.normal(size=units * years) + np.repeat(random.normal(size=units), years)
    own = np.repeat(random.normal(size=units), years)
    outcome = 50 + 3 * share + 4 * own + random.normal(size=units * years)
    made = design.build(outcome, {"share": share}, names, ["Northmark"] * len(names))
    return made, names


def counts_of(made: Design) -> tuple[Floats, Floats]:
    """Counts and an offset that the terms of a design go with."""
    random = np.random.default_rng(11)
    offset = np.log(random.uniform(80, 600, made.n))
    return random.poisson(np.exp(offset + made.outcome)).astype(float), offset


def fitted(result: Fit | Problem) -> Fit:
    assert isinstance(result, Fit), result
    return result


WEIGHTS = np.random.default_rng(5).uniform(0.5, 4, 60)
COUNTS, OFFSET = counts_of(country())
GROUPS = [f"G{row // 4}" for row in range(60)]
# What each estimator gives for the fictional country with its rows in a given order.
ESTIMATORS: dict[str, Callable[[Design, Any], Fit | Problem]] = {
    "ols": lambda made, order: fits.ols(made),
    "wls": lambda made, order: fits.wls(made, WEIGHTS[order]),
    "quasi_poisson": lambda made, order: fits.quasi_poisson(made, COUNTS[order], OFFSET[order]),
    "huber": lambda made, order: fits.huber(made, 1.345),
    "median": lambda made, order: fits.median(made),
    "clustered": lambda made, order: fits.clustered(made, [GROUPS[row] for row in order]),
    "random_intercept": lambda made, order: fits.random_intercept(made, [GROUPS[row] for row in order]),
}
AS_IT_IS = np.arange(60)


# ---------------------------------------------------------------------------------------------------------------------
# Figures that others worked out


def test_longley_to_the_certified_digits() -> None:
    golden = GOLDEN["longley"]
    made, _ = certified("longley", "TOTEMP", golden["names"][1:])
    found = fits.ols(made)
    assert found.estimate == pytest.approx(golden["estimate"], rel=1e-8)
    assert found.classical_std_error == pytest.approx(golden["std_error"], rel=1e-8)
    spread = np.sqrt(found.residuals @ found.residuals / found.df)
    assert spread == pytest.approx(golden["residual_sd"], rel=1e-8)
    around = made.outcome - made.outcome.mean()
    explained = around @ around - found.residuals @ found.residuals
    assert explained / (around @ around) == pytest.approx(golden["r2"], rel=1e-8)
    assert explained / (made.k - 1) / spread**2 == pytest.approx(golden["f"], rel=1e-8)


def test_longley_hc3() -> None:
    golden = GOLDEN["longley"]
    made, _ = certified("longley", "TOTEMP", golden["names"][1:])
    found = of_names(made, fits.ols(made).std_error, list(golden["hc3"]))
    assert found == pytest.approx(list(golden["hc3"].values()), abs=5.1e-6)


def test_grunfeld_clustered_by_firm() -> None:
    golden = GOLDEN["grunfeld"]
    made, data = certified("grunfeld", "invest", ["value", "capital"], "firm != 'American Steel'")
    found = fits.clustered(made, data["firm"].tolist())
    for what, values in (
        ("estimate", found.estimate),
        ("std_error", found.std_error),
        ("lower_95", found.limits_95[0]),
    ):
        assert of_names(made, values, golden["names"]) == pytest.approx(golden[what], rel=1e-6)
    assert (found.df, found.extra[fits.CLUSTERS]) == (9, 10)


def test_stackloss_by_hubers_estimate() -> None:
    golden = GOLDEN["stackloss"]
    made, _ = certified("stackloss", "STACKLOSS", golden["names"][:-1])
    found = fitted(fits.huber(made, 1.345))
    assert of_names(made, found.estimate, golden["names"]) == pytest.approx(golden["estimate"], rel=1e-4)
    # R divides the squared psi otherwise than Huber (1981).
    assert of_names(made, found.std_error, golden["names"]) == pytest.approx(golden["std_error"], rel=2e-3)
    assert found.extra[fits.SCALE] == pytest.approx(golden["scale"], rel=1e-4)


def test_engel_by_median_regression() -> None:
    golden = GOLDEN["engel"]
    made, _ = certified("engel", "foodexp", ["income"])
    found = fitted(fits.median(made))
    assert found.estimate == pytest.approx([golden["constant"], golden["slope"]], rel=2e-6)
    assert np.abs(found.residuals).sum() == pytest.approx(golden["sum_of_absolute_residuals"], rel=1e-7)
    assert found.extra["bandwidth"] == pytest.approx(golden["kernel_bandwidth"], rel=1e-3)  # other quartiles
    assert found.std_error == pytest.approx(golden["kernel_std_error"], rel=1e-4)


# ---------------------------------------------------------------------------------------------------------------------
# Least squares


def test_least_squares_are_those_of_statsmodels() -> None:
    made = country()
    found = fits.ols(made)
    other = sm.OLS(made.outcome, made.matrix).fit(cov_type="HC3", use_t=True)
    assert found.estimate == pytest.approx(other.params, rel=1e-9)
    assert found.std_error == pytest.approx(other.bse, rel=1e-9)
    assert found.p_value == pytest.approx(other.pvalues, rel=1e-7)
    assert np.transpose(found.limits_95) == pytest.approx(other.conf_int(), rel=1e-7)


def test_statsmodels_takes_the_normal_distribution_for_hc3_unless_told() -> None:
    made = country(n=20)
    other = sm.OLS(made.outcome, made.matrix).fit(cov_type="HC3")
    t = np.abs(fits.ols(made).statistic)
    assert other.pvalues == pytest.approx(2 * stats.norm.sf(t), rel=1e-7)
    assert (fits.ols(made).p_value > other.pvalues).all()


@pytest.mark.parametrize("seed", range(3))
def test_what_least_squares_always_keep(seed: int) -> None:
    made = country(seed)
    found = fits.ols(made)
    assert found.leverage.sum() == pytest.approx(made.k)
    assert found.residuals.sum() == pytest.approx(0, abs=1e-9)
    assert found.fitted + found.residuals == pytest.approx(made.outcome)
    assert made.matrix.T @ found.residuals == pytest.approx(np.zeros(made.k), abs=1e-7)
    assert found.extra[fits.RESIDUAL_DF] == found.df == made.n - made.k


def test_weighted_least_squares_are_those_of_statsmodels() -> None:
    made = country()
    found = fitted(fits.wls(made, WEIGHTS))
    other = sm.WLS(made.outcome, made.matrix, weights=WEIGHTS).fit()
    assert found.estimate == pytest.approx(other.params, rel=1e-9)
    assert found.classical_std_error == pytest.approx(other.bse, rel=1e-9)
    robust = other.get_robustcov_results(cov_type="HC3", use_t=True)
    assert found.std_error == pytest.approx(robust.bse, rel=1e-9)
    assert found.residuals == pytest.approx(other.wresid)


def test_weights_of_whole_numbers_are_repeated_rows() -> None:
    made = country()
    times = np.random.default_rng(1).integers(1, 5, made.n)
    repeated = replace(made, matrix=np.repeat(made.matrix, times, axis=0), outcome=np.repeat(made.outcome, times))
    assert fitted(fits.wls(made, times.astype(float))).estimate == pytest.approx(fits.ols(repeated).estimate)


def test_equal_weights_are_none_and_their_scale_is_nothing() -> None:
    made = country()
    plain, equal = fits.ols(made), fitted(fits.wls(made, np.full(made.n, 9.0)))
    for name in ("estimate", "std_error", "classical_std_error", "leverage"):
        assert getattr(equal, name) == pytest.approx(getattr(plain, name))


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_a_weight_that_is_none_is_refused(wrong: float) -> None:
    weights = WEIGHTS.copy()
    weights[3] = wrong
    with pytest.raises(ValueError, match="above 0"):
        fits.wls(country(), weights)


def test_a_unit_alone_by_its_weight_is_a_problem() -> None:
    weights = np.ones(60)
    weights[7] = 1e12
    found = fits.wls(country(), weights)
    assert isinstance(found, Problem)
    assert (found.reason, "U007" in found.detail) == (design.HIGH_LEVERAGE, True)


# ---------------------------------------------------------------------------------------------------------------------
# Clusters


def test_clusters_are_those_of_statsmodels() -> None:
    made = country()
    found = fits.clustered(made, GROUPS)
    codes = pd.factorize(pd.Series(GROUPS))[0]
    other = sm.OLS(made.outcome, made.matrix).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    assert found.std_error == pytest.approx(other.bse, rel=1e-9)
    assert found.p_value == pytest.approx(other.pvalues, rel=1e-7)
    assert found.df == 14


def test_a_cluster_a_row_is_heteroscedasticity_alone() -> None:
    """CR1 of single rows is HC0 times n/(n - 1) x (n - 1)/(n - k)."""
    made = country()
    other = sm.OLS(made.outcome, made.matrix).fit(cov_type="HC0")
    found = fits.clustered(made, made.units)
    assert found.std_error == pytest.approx(other.bse * np.sqrt(made.n / (made.n - made.k)), rel=1e-9)


def test_absorbed_effects_are_indicators_that_nest_in_the_clusters() -> None:
    """Frisch, Waugh and Lovell; unit effects do not count in k, year effects do (methods.md D2)."""
    made, names = unit_years()
    units, years = 24, 5
    table = {"outcome": made.outcome.reshape(units, years), "share": made.matrix[:, 1].reshape(units, years)}
    within = {
        name: (one - one.mean(axis=1, keepdims=True) - one.mean(axis=0) + 2 * one.mean()).ravel()
        for name, one in table.items()
    }
    demeaned = design.build(within["outcome"], {"share": within["share"]}, names, names)
    found = fits.clustered(demeaned, names, absorbed=years - 1)

    indicators = np.hstack([np.kron(np.eye(units), np.ones((years, 1))), np.tile(np.eye(years)[:, 1:], (units, 1))])
    full = np.column_stack([made.matrix[:, 1], indicators])
    solved = fits.solve(full, made.outcome)
    inverse = np.linalg.inv(full.T @ full)
    score = np.add.reduceat(full * solved.residuals[:, None], np.arange(0, units * years, years))
    n, k = units * years, 1 + 1 + (years - 1)
    factor = units / (units - 1) * (n - 1) / (n - k)
    assert found.estimate[1] == pytest.approx(solved.estimate[0])
    assert found.std_error[1] == pytest.approx(np.sqrt(factor * (inverse @ score.T @ score @ inverse)[0, 0]))
    classical = sm.OLS(made.outcome, full).fit().bse[0]
    assert found.classical_std_error[1] == pytest.approx(classical)


# ---------------------------------------------------------------------------------------------------------------------
# Counts


def poisson_by_statsmodels(made: Design) -> Any:
    return sm.GLM(COUNTS, made.matrix / made.matrix.max(axis=0), family=sm.families.Poisson(), offset=OFFSET)


def test_quasi_poisson_is_that_of_statsmodels() -> None:
    made = country()
    found = fitted(fits.quasi_poisson(made, COUNTS, OFFSET))
    sizes = made.matrix.max(axis=0)
    other = poisson_by_statsmodels(made).fit(scale="X2", tol=1e-13)
    assert found.estimate == pytest.approx(other.params / sizes, rel=1e-7)
    assert found.std_error == pytest.approx(other.bse / sizes, rel=1e-7)
    assert found.extra[fits.SCALE] == pytest.approx(other.pearson_chi2 / (made.n - made.k), rel=1e-7)
    assert found.residuals == pytest.approx(other.resid_pearson, rel=1e-6, abs=1e-9)
    assert found.leverage.sum() == pytest.approx(made.k)
    assert found.df == made.n - made.k


def formula_of_methods(matrix: Floats, residuals: Floats, weight: Floats) -> Floats:
    """methods.md E1, as it stands there."""
    inverse = np.linalg.inv((matrix * weight[:, None]).T @ matrix)
    leverage = weight * np.sum((matrix @ inverse) * matrix, axis=1)
    middle = (matrix * ((residuals / (1 - leverage)) ** 2)[:, None]).T @ matrix
    return np.sqrt(np.diag(inverse @ middle @ inverse))


def test_hc3_of_counts_is_the_written_formula() -> None:
    made = country()
    found = fitted(fits.quasi_poisson(made, COUNTS, OFFSET))
    sizes = made.matrix.max(axis=0)
    expected = formula_of_methods(made.matrix / sizes, COUNTS - found.fitted, found.fitted) / sizes
    assert found.second_std_error == pytest.approx(expected, rel=1e-7)


def test_the_written_formula_with_equal_weights_is_hc3_of_least_squares() -> None:
    made = country()
    sizes = made.matrix.max(axis=0)
    found = fits.ols(made)
    expected = formula_of_methods(made.matrix / sizes, found.residuals, np.ones(made.n)) / sizes
    assert found.std_error == pytest.approx(expected, rel=1e-8)


def test_statsmodels_gives_hc0_where_hc3_is_asked_of_counts() -> None:
    """When this fails, statsmodels has mended it; the formula by hand stays right."""
    made = country()
    sizes = made.matrix.max(axis=0)
    model = poisson_by_statsmodels(made)
    asked, plain = model.fit(cov_type="HC3"), model.fit(cov_type="HC0")
    assert asked.bse == pytest.approx(plain.bse)
    ours = fitted(fits.quasi_poisson(made, COUNTS, OFFSET)).second_std_error
    assert ours is not None
    assert (ours > 1.02 * asked.bse / sizes).all()


def test_counts_that_are_all_0_where_an_indicator_is_1_have_no_estimate() -> None:
    made = country()
    counts = COUNTS.copy()
    counts[made.matrix[:, made.column("programme")] == 1] = 0
    found = fits.quasi_poisson(made, counts, OFFSET)
    assert isinstance(found, Problem)
    assert found.reason == design.NOT_CONVERGED


# ---------------------------------------------------------------------------------------------------------------------
# Robust estimates


def test_hubers_estimate_solves_its_equations() -> None:
    made = country()
    found = fitted(fits.huber(made, 1.345))
    scaled = found.residuals / found.extra[fits.SCALE]
    assert np.median(np.abs(scaled)) == pytest.approx(stats.norm.ppf(0.75))
    columns = made.matrix / np.abs(made.matrix).max(axis=0)
    assert columns.T @ np.clip(scaled, -1.345, 1.345) == pytest.approx(np.zeros(made.k), abs=1e-7)


def test_hubers_estimate_with_a_far_constant_is_least_squares() -> None:
    made = country()
    found, plain = fitted(fits.huber(made, 1e6)), fits.ols(made)
    assert found.estimate == pytest.approx(plain.estimate, rel=1e-7)
    assert found.std_error == pytest.approx(plain.classical_std_error, rel=1e-7)


def test_the_median_is_the_minimum_where_statsmodels_stops_before_it() -> None:
    for seed in range(5):
        made = country(seed)
        found = fitted(fits.median(made))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            other = sm.QuantReg(made.outcome, made.matrix).fit(q=0.5)
        assert np.abs(found.residuals).sum() <= np.abs(made.outcome - made.matrix @ other.params).sum()
        assert np.sum(np.abs(found.residuals) < 1e-9) == made.k
    same_spread = sm.QuantReg(made.outcome, made.matrix).fit(q=0.5, vcov="iid")
    assert other.bse == pytest.approx(same_spread.bse)  # called robust


def test_the_median_without_terms_is_the_median() -> None:
    outcome = np.array([0.3, 9.0, -1.0, 0.7, 0.1, 0.2, 4.0])
    made = design.build(outcome, {}, list("abcdefg"), list("abcdefg"))
    assert fitted(fits.median(made)).estimate == pytest.approx([0.3])


@pytest.mark.parametrize("estimator", [fits.median, lambda made: fits.huber(made, 1.345)])
def test_most_units_on_one_line_leave_no_error_to_estimate(estimator: Callable[[Design], Fit | Problem]) -> None:
    share = np.arange(40.0)
    outcome = 1 + 2 * share + np.where(share % 5 == 0, 3.0, 0.0) * share
    found = estimator(design.build(outcome, {"share": share}, ["U"] * 40, ["N"] * 40))
    assert isinstance(found, Problem)
    assert found.reason == design.NOT_CONVERGED


# ---------------------------------------------------------------------------------------------------------------------
# Random intercepts


def test_a_balanced_random_intercept_is_the_analysis_of_variance() -> None:
    """Three groups of four by hand: means 5, 8 and 11, squares within 10 + 2 + 10 = 22, between 4 x 18 = 72."""
    outcome = np.array([3, 4, 6, 7, 7, 8, 8, 9, 9, 10, 12, 13], dtype=float)
    groups = np.repeat(["a", "b", "c"], 4)
    made = design.build(outcome, {}, groups.tolist(), groups.tolist())
    found = fitted(fits.random_intercept(made, groups.tolist()))
    within, between = 22 / 9, 72 / 2
    assert found.extra[fits.RESIDUAL_VARIANCE] == pytest.approx(within, rel=1e-6)
    assert found.extra[fits.UNIT_VARIANCE] == pytest.approx((between - within) / 4, rel=1e-6)
    assert found.estimate == pytest.approx([8])
    assert found.std_error == pytest.approx([np.sqrt(between / 12)], rel=1e-6)
    assert (found.df, found.notes) == (2, ())


def reml_distance(made: Design, names: list[str], ratio: float) -> float:
    """-2 log restricted likelihood but for a constant, with the whole covariance matrix (Harville 1977)."""
    same = np.equal.outer(names, names).astype(float)
    covariance = np.eye(made.n) + ratio * same
    inverse = np.linalg.inv(covariance)
    information = made.matrix.T @ inverse @ made.matrix
    left = made.outcome - made.matrix @ np.linalg.solve(information, made.matrix.T @ inverse @ made.outcome)
    logs = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(information)[1]
    return float((made.n - made.k) * np.log(left @ inverse @ left) + logs)


def test_random_intercepts_are_those_of_statsmodels() -> None:
    made, names = unit_years()
    keep = np.random.default_rng(4).random(made.n) < 0.8  # units of unequal length
    names = [name for name, kept in zip(names, keep, strict=True) if kept]
    made = replace(made, matrix=made.matrix[keep], outcome=made.outcome[keep])
    found = fitted(fits.random_intercept(made, names))
    other = sm.MixedLM(made.outcome, made.matrix, groups=pd.factorize(pd.Series(names))[0]).fit(method="powell")
    assert found.estimate == pytest.approx(other.fe_params, rel=1e-5)
    between, within = found.extra[fits.UNIT_VARIANCE], found.extra[fits.RESIDUAL_VARIANCE]
    covariance = within * np.eye(made.n) + between * np.equal.outer(names, names)
    generalised = np.linalg.inv(made.matrix.T @ np.linalg.inv(covariance) @ made.matrix)
    assert found.std_error == pytest.approx(np.sqrt(np.diag(generalised)), rel=1e-9)
    # statsmodels inverts the observed information, whose cross terms with the variances are 0 on average only.
    assert found.std_error == pytest.approx(other.bse_fe, rel=1e-2)
    assert (between, within) == pytest.approx((float(other.cov_re[0, 0]), other.scale), rel=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_the_random_intercept_is_the_maximum_also_near_0(seed: int) -> None:
    """Where statsmodels calls itself converged at other points (0.15.0)."""
    made, names = unit_years(seed)
    noise = np.random.default_rng(100 + seed).normal(size=made.n)
    made = replace(made, outcome=noise)
    found = fitted(fits.random_intercept(made, names))
    ratio = found.extra[fits.UNIT_VARIANCE] / found.extra[fits.RESIDUAL_VARIANCE]
    reached = reml_distance(made, names, ratio)
    others = [0, ratio + 1e-3, max(ratio - 1e-3, 0), 0.01, 0.03, 0.1, 0.3, 1, 10]
    assert all(reached <= reml_distance(made, names, other) + 1e-9 for other in others)
    assert bool(found.notes) == (ratio == 0)


def test_no_variance_between_units_is_a_note_and_least_squares() -> None:
    made, names = unit_years()
    noise = np.random.default_rng(1).normal(size=(24, 5))
    level = replace(made, outcome=(noise - noise.mean(axis=1, keepdims=True)).ravel())
    found, plain = fitted(fits.random_intercept(level, names)), fits.ols(level)
    assert found.extra[fits.UNIT_VARIANCE] == 0
    assert "estimated at 0" in found.notes[0]
    assert found.estimate == pytest.approx(plain.estimate)
    assert found.std_error == pytest.approx(plain.classical_std_error)


@pytest.mark.parametrize("seed", range(5, 15))
def test_terms_that_tell_the_units_apart_leave_nothing_between_them(seed: int) -> None:
    """Region indicators with the regions as groups: the likelihood is flat, and rounding must not choose."""
    made = country(seed)
    found = fitted(fits.random_intercept(made, made.regions))
    assert found.extra[fits.UNIT_VARIANCE] == 0
    assert found.estimate == pytest.approx(fits.ols(made).estimate)


def test_no_variance_within_units_is_a_problem() -> None:
    made, names = unit_years()
    own = np.repeat(np.random.default_rng(1).normal(size=24), 5)
    found = fits.random_intercept(replace(made, outcome=own), names)
    assert isinstance(found, Problem)
    assert (found.reason, "within units" in found.detail) == (design.NOT_CONVERGED, True)


def test_only_the_librarys_own_warnings_become_notes() -> None:
    def fit() -> int:
        warnings.warn("far  from\nthe end", ConvergenceWarning, stacklevel=2)
        warnings.warn("something else", RuntimeWarning, stacklevel=2)
        return 3

    with pytest.warns(RuntimeWarning, match="something else") as seen:
        assert fits._listening(fit) == (3, ("far from the end",))
    assert len(seen) == 1


# ---------------------------------------------------------------------------------------------------------------------
# What no estimator may depend on


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_order_of_the_rows_changes_nothing(name: str) -> None:
    made = country()
    order = np.random.default_rng(9).permutation(made.n)
    mixed = replace(
        made,
        matrix=made.matrix[order],
        outcome=made.outcome[order],
        units=tuple(made.units[row] for row in order),
        regions=tuple(made.regions[row] for row in order),
    )
    plain, other = fitted(ESTIMATORS[name](made, AS_IT_IS)), fitted(ESTIMATORS[name](mixed, order))
    assert other.estimate == pytest.approx(plain.estimate, rel=1e-7)
    assert other.std_error == pytest.approx(plain.std_error, rel=1e-7)
    assert other.leverage == pytest.approx(plain.leverage[order])


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_unit_of_a_term_scales_its_coefficient_and_error(name: str) -> None:
    made = country()
    sizes = np.ones(made.k)
    sizes[made.column("share")], sizes[made.column("level")] = 1e4, 1e-3
    scaled = replace(made, matrix=made.matrix * sizes)
    plain, other = fitted(ESTIMATORS[name](made, AS_IT_IS)), fitted(ESTIMATORS[name](scaled, AS_IT_IS))
    assert other.estimate * sizes == pytest.approx(plain.estimate, rel=1e-7)
    assert other.std_error * sizes == pytest.approx(plain.std_error, rel=1e-7)
    assert other.p_value == pytest.approx(plain.p_value, rel=1e-5)


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name != "quasi_poisson"])
def test_the_unit_of_the_outcome_scales_everything(name: str) -> None:
    made = country()
    plain = fitted(ESTIMATORS[name](made, AS_IT_IS))
    other = fitted(ESTIMATORS[name](replace(made, outcome=made.outcome * 1e4), AS_IT_IS))
    assert other.estimate == pytest.approx(plain.estimate * 1e4, rel=1e-7)
    assert other.std_error == pytest.approx(plain.std_error * 1e4, rel=1e-7)
    assert other.notes == plain.notes


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_fit_says_what_it_is_and_has_the_shapes_it_promises(name: str) -> None:
    made = country()
    found = fitted(ESTIMATORS[name](made, AS_IT_IS))
    assert {len(own) for own in (found.residuals, found.fitted, found.leverage)} == {made.n}
    assert {len(own) for own in (found.estimate, found.std_error, found.classical_std_error)} == {made.k}
    assert np.isfinite(found.estimate).all() and (found.std_error > 0).all()
    assert np.isfinite(found.classical_std_error).all() == (found.method in fits.LEAST_SQUARES)
    assert (found.weights is not None) == (name == "wls")
    assert (found.second_std_error is not None) == (name == "quasi_poisson")
