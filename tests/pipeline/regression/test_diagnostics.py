"""Diagnostics against statsmodels, against fits without a row or a term, and by hand."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.diagnostic import het_breuschpagan, linear_reset
from statsmodels.stats.outliers_influence import OLSInfluence, variance_inflation_factor

from pipeline.regression import design, diagnostics, fits, terms
from pipeline.regression.design import Design, Fit, Floats, Problem

REGIONS = ("Eastmark", "Northmark", "Southmark", "Westmark")
RANDOM = 20181129


def country(seed: int = 7, n: int = 60, *, region_effects: bool = True) -> Design:
    """A fictional country: a continuous term, one that goes with it, an indicator, regions, spread that grows."""
    random = np.random.default_rng(seed)
    share = random.normal(20, 4, n)
    level, programme = 2 * share + random.normal(0, 8, n), (random.random(n) < 0.4).astype(float)
    outcome = 0.03 * share - 0.01 * level + 0.2 * programme + random.normal(size=n) * (0.1 + 0.2 * programme)
    regions = [REGIONS[place] for place in random.integers(0, 4, n)]
    columns = {"share": share, "level": level, "programme": programme}
    units = [f"U{row:03d}" for row in range(n)]
    return design.build(outcome, columns, units, regions, region_effects=region_effects)


WEIGHTS = np.random.default_rng(5).uniform(0.5, 4, 60)


def weighted(made: Design) -> Fit:
    found = fits.wls(made, WEIGHTS)
    assert isinstance(found, Fit)
    return found


def figures(made: Design, fit: Fit, draws: int = 99) -> dict[str, float | None]:
    return diagnostics.of_model(made, fit, moran_draws=draws, seed_stream=np.random.default_rng(RANDOM))


def without_row(made: Design, row: int) -> Design:
    return replace(
        made,
        matrix=np.delete(made.matrix, row, axis=0),
        outcome=np.delete(made.outcome, row),
        units=made.units[:row] + made.units[row + 1 :],
        regions=made.regions[:row] + made.regions[row + 1 :],
    )


# ---------------------------------------------------------------------------------------------------------------------
# Of a model


def test_figures_of_least_squares_are_those_of_statsmodels() -> None:
    made = country()
    found, other = figures(made, fits.ols(made)), sm.OLS(made.outcome, made.matrix).fit()
    assert list(found) == list(diagnostics.KEYS)
    assert found["r2"] == pytest.approx(other.rsquared)
    assert found["adjusted_r2"] == pytest.approx(other.rsquared_adj)
    assert found["rmse"] == pytest.approx(np.sqrt(other.scale))
    assert found["aic"] == pytest.approx(other.aic)
    assert found["breusch_pagan_p"] == pytest.approx(het_breuschpagan(other.resid, made.matrix)[1], rel=1e-7)
    assert found["shapiro_wilk_p"] == pytest.approx(stats.shapiro(other.resid).pvalue, rel=1e-7)
    reset = linear_reset(other, power=3, test_type="fitted", use_f=True)
    assert found["reset_p"] == pytest.approx(float(reset.pvalue), rel=1e-6)


def test_figures_of_weighted_least_squares_are_those_of_statsmodels() -> None:
    made = country()
    found, other = figures(made, weighted(made)), sm.WLS(made.outcome, made.matrix, weights=WEIGHTS).fit()
    assert found["r2"] == pytest.approx(other.rsquared)
    assert found["adjusted_r2"] == pytest.approx(other.rsquared_adj)
    assert found["rmse"] == pytest.approx(np.sqrt(other.scale))
    assert found["aic"] == pytest.approx(other.aic)
    assert found["breusch_pagan_p"] == pytest.approx(het_breuschpagan(other.wresid, made.matrix)[1], rel=1e-7)
    powers = np.column_stack([made.matrix, other.fittedvalues**2, other.fittedvalues**3])
    larger = sm.WLS(made.outcome, powers, weights=WEIGHTS).fit()
    assert found["reset_p"] == pytest.approx(larger.compare_f_test(other)[1], rel=1e-5)


def test_equal_weights_change_no_figure_but_those_in_units_of_the_weights() -> None:
    made = country()
    equal = fits.wls(made, np.full(made.n, 4.0))
    assert isinstance(equal, Fit)
    found, plain = figures(made, equal), figures(made, fits.ols(made))
    assert found.pop("rmse") == pytest.approx(2 * plain.pop("rmse"))
    assert found == pytest.approx(plain)


def test_the_power_of_an_indicator_is_nothing_new() -> None:
    """Of one indicator every power is a combination of it and the constant; of three groups only the square is new."""
    random = np.random.default_rng(1)
    outcome, groups = random.normal(size=45), np.repeat([0.0, 1.0, 2.0], 15)
    one = design.build(outcome, {"programme": (groups > 0).astype(float)}, ["U"] * 45, ["N"] * 45)
    assert diagnostics.reset_p(one, fits.ols(one)) is None
    line = design.build(outcome, {"dose": groups}, ["U"] * 45, ["N"] * 45)
    curve = sm.OLS(outcome, np.column_stack([line.matrix, groups**2])).fit()
    assert diagnostics.reset_p(line, fits.ols(line)) == pytest.approx(curve.pvalues[2], rel=1e-7)


def test_a_model_of_the_constant_alone_has_no_figures_of_terms() -> None:
    made = design.build(np.random.default_rng(2).normal(size=30), {}, [f"U{n}" for n in range(30)], ["N"] * 30)
    found = figures(made, fits.ols(made))
    assert [key for key, value in found.items() if value is None] == ["breusch_pagan_p", "reset_p", "condition_number"]
    assert found["r2"] == pytest.approx(0, abs=1e-12)


def test_a_curve_and_a_fan_are_seen() -> None:
    """A square in the outcome is what RESET looks for, spread that grows with a term what Breusch-Pagan looks for."""
    random = np.random.default_rng(3)
    share, noise = random.uniform(1, 5, 150), random.normal(size=150)
    units = [f"U{n}" for n in range(150)]
    p = {}
    for name, outcome in {"line": share + noise, "curve": share**2 + noise, "fan": share + share * noise}.items():
        made = design.build(outcome, {"share": share}, units, ["N"] * 150)
        p[name] = figures(made, fits.ols(made))
    assert p["curve"]["reset_p"] < 1e-6 < 0.01 < p["line"]["reset_p"]
    assert p["fan"]["breusch_pagan_p"] < 1e-3 < 0.05 < p["line"]["breusch_pagan_p"]


def test_several_rows_of_a_unit_have_no_tests_of_independent_rows() -> None:
    made = country()
    panel = replace(made, units=tuple(f"U{row // 3}" for row in range(made.n)))
    found = figures(panel, fits.clustered(panel, panel.units))
    absent = {"breusch_pagan_p", "shapiro_wilk_p", "reset_p", "morans_i", "morans_i_p"}
    assert {key for key, value in found.items() if value is None} == absent
    assert found["r2"] == pytest.approx(sm.OLS(made.outcome, made.matrix).fit().rsquared)


def test_a_robust_fit_has_its_residuals_and_terms_only() -> None:
    made = country()
    fit = fits.huber(made, 1.345)
    assert isinstance(fit, Fit)
    found = figures(made, fit)
    assert {key for key, value in found.items() if value is not None} == {"morans_i", "morans_i_p", "condition_number"}
    with pytest.raises(ValueError, match="least squares"):
        diagnostics.influence(made, fit)


def test_the_condition_number_does_not_know_units() -> None:
    made = country()
    sizes = np.array([1, 1e4, 1e-3, 1, *[1] * (made.k - 4)])
    scaled = replace(made, matrix=made.matrix * sizes)
    standard = stats.zscore(made.matrix[:, 1:], axis=0)
    expected = np.sqrt(np.linalg.cond(standard.T @ standard))
    assert diagnostics.condition_number(made) == pytest.approx(expected)
    assert diagnostics.condition_number(scaled) == pytest.approx(expected)


# ---------------------------------------------------------------------------------------------------------------------
# Moran's I


def moran_as_written(values: Floats, regions: list[str]) -> float:
    """Moran (1950): n / S0 times sum of w_ij z_i z_j over sum of z_i^2, with every weight written out."""
    same = np.equal.outer(np.array(regions), np.array(regions)) & ~np.eye(len(regions), dtype=bool)
    weights = same / np.maximum(same.sum(axis=1, keepdims=True), 1)
    centred = values - values.mean()
    return float(len(values) / weights.sum() * (centred @ weights @ centred) / (centred @ centred))


def test_morans_i_by_hand() -> None:
    """1 and 2 in one region, 3, 4, 5 in the other: I = 5/5 x (2 x 2 + (9 - 5)/2) / 10 about the mean 3."""
    value, _ = diagnostics.morans_i(np.array([1.0, 2, 3, 4, 5]), list("aabbb"), 9, np.random.default_rng(1))
    # -2 x -1 counted from both ends = 4; of 0, 1, 2: (3^2 - 5) / 2 = 2.
    assert value == pytest.approx((4 + 2) / 10)


@pytest.mark.parametrize("seed", range(3))
def test_morans_i_is_the_double_sum_also_with_a_unit_alone(seed: int) -> None:
    random = np.random.default_rng(seed)
    regions = ["alone", *(str(region) for region in random.choice(list("abc"), 29))]
    values = random.normal(5, 1, 30)
    value, _ = diagnostics.morans_i(values, regions, 9, random)
    assert value == pytest.approx(moran_as_written(values, regions))


def test_p_of_morans_i_is_the_share_of_all_orders() -> None:
    values, regions = np.array([0.1, 0.4, -1.0, 2.0, 0.7, -0.3]), list("aabbbc")
    expected = -1 / 5
    orders = [moran_as_written(np.array(order), regions) for order in itertools.permutations(values)]
    assert np.mean(orders) == pytest.approx(expected)
    own = abs(moran_as_written(values, regions) - expected)
    share = np.mean(np.abs(np.array(orders) - expected) >= own - 1e-12)
    draws = 20_000
    _, p = diagnostics.morans_i(values, regions, draws, np.random.default_rng(RANDOM))
    assert p == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / draws))


def test_regions_that_differ_have_the_smallest_p() -> None:
    regions = np.repeat(list("abcd"), 10)
    values = np.repeat([0.0, 1, 2, 3], 10) + np.random.default_rng(1).normal(0, 0.1, 40)
    value, p = diagnostics.morans_i(values, regions.tolist(), 999, np.random.default_rng(RANDOM))
    assert value is not None and value > 0.9
    assert p == 1 / 1000


def test_equal_values_of_morans_i_count_as_far() -> None:
    """With two units of either value in either region every order is as far as the own one or nearer."""
    _, p = diagnostics.morans_i(np.array([1.0, 1, 0, 0]), list("aabb"), 200, np.random.default_rng(RANDOM))
    # 8 of the 24 orders keep equal values together: |I - E| = 4/3; the others 2/3.
    assert p == pytest.approx(1 / 3, abs=0.13)


def test_no_neighbours_and_no_residuals_have_no_morans_i() -> None:
    random = np.random.default_rng(1)
    assert diagnostics.morans_i(random.normal(size=4), list("abcd"), 9, random) == (None, None)
    assert diagnostics.morans_i(np.zeros(4), list("aabb"), 9, random) == (None, None)


def test_the_same_stream_gives_the_same_p() -> None:
    made = country()
    fit = fits.ols(made)
    assert figures(made, fit) == figures(made, fit)


# ---------------------------------------------------------------------------------------------------------------------
# Terms


def test_inflation_is_that_of_statsmodels() -> None:
    made = country(region_effects=False)
    found = diagnostics.vif(made)
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx([variance_inflation_factor(made.matrix, place) for place in range(1, made.k)])


def test_inflation_of_regions_is_generalised_and_has_no_reference_region() -> None:
    """Fox and Monette 1992: determinants of correlation matrices; another region left out changes nothing."""
    made = country()
    found = diagnostics.vif(made)
    own = np.array([terms.is_region(name) for name in made.names])
    correlations = np.corrcoef(made.matrix[:, 1:], rowvar=False)
    sets = [correlations[np.ix_(part, part)] for part in (own[1:], ~own[1:])]
    generalised = np.linalg.det(sets[0]) * np.linalg.det(sets[1]) / np.linalg.det(correlations)
    assert found[own] == pytest.approx(np.full(3, generalised ** (1 / 6)))
    assert found[1:4] == pytest.approx([variance_inflation_factor(made.matrix, place) for place in (1, 2, 3)])

    renamed = {"Eastmark": "Zenmark", "Northmark": "Northmark", "Southmark": "Southmark", "Westmark": "Westmark"}
    columns = {name: made.matrix[:, made.column(name)] for name in ("share", "level", "programme")}
    regions = [renamed[region] for region in made.regions]
    other = diagnostics.vif(design.build(made.outcome, columns, made.units, regions, region_effects=True))
    assert other == pytest.approx(found, nan_ok=True)


def test_unrelated_terms_inflate_nothing() -> None:
    made = design.build(
        np.arange(8.0), {"one": np.tile([0.0, 1], 4), "two": np.repeat([0.0, 1], 4)}, list("abcdefgh"), ["N"] * 8
    )
    assert diagnostics.vif(made)[1:] == pytest.approx([1, 1])
    assert diagnostics.condition_number(made) == pytest.approx(1)
    alone = design.build(np.arange(8.0), {}, list("abcdefgh"), list("aabbaabb"), region_effects=True)
    assert diagnostics.vif(alone)[1:] == pytest.approx([1])


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_partial_r2_is_what_a_term_explains_of_what_the_others_leave(weights: Floats | None) -> None:
    made = country()
    fit = fits.ols(made) if weights is None else weighted(made)
    matrix, outcome = fits.whitened(made, weights)
    for place in range(made.k):
        smaller = fits.solve(np.delete(matrix, place, axis=1), outcome).residuals
        share = 1 - fit.residuals @ fit.residuals / (smaller @ smaller)
        assert diagnostics.partial_r2(fit)[place] == pytest.approx(share)


def test_partial_r2_has_the_residual_degrees_of_freedom_also_with_clusters() -> None:
    made = country()
    clustered = fits.clustered(made, [f"G{row // 5}" for row in range(made.n)])
    assert diagnostics.partial_r2(clustered) == pytest.approx(diagnostics.partial_r2(fits.ols(made)))
    robust = fits.median(made)
    assert not isinstance(robust, Problem)
    assert np.isnan(diagnostics.partial_r2(robust)).all()


# ---------------------------------------------------------------------------------------------------------------------
# Each unit's pull


def test_influence_is_that_of_statsmodels() -> None:
    made = country()
    fit = fits.ols(made)
    found, other = diagnostics.influence(made, fit), OLSInfluence(sm.OLS(made.outcome, made.matrix).fit())
    assert found["unit_id"].tolist() == list(made.units)
    assert found["leverage"].to_numpy() == pytest.approx(other.hat_matrix_diag)
    assert found["studentised_residual"].to_numpy() == pytest.approx(other.resid_studentized_external)
    assert found["cooks_distance"].to_numpy() == pytest.approx(other.cooks_distance[0])
    assert diagnostics.dfbetas(made, fit) == pytest.approx(other.dfbetas)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_influence_is_what_leaving_a_unit_out_does(weights: Floats | None) -> None:
    made = country()
    fit = fits.ols(made) if weights is None else weighted(made)
    found, moved = diagnostics.influence(made, fit), diagnostics.dfbetas(made, fit)
    matrix, _ = fits.whitened(made, weights)
    inverse = np.linalg.inv(matrix.T @ matrix)
    for row in (0, 17, 59):
        left = without_row(made, row)
        other = fits.ols(left) if weights is None else fits.wls(left, np.delete(weights, row))
        assert isinstance(other, Fit)
        change = fit.estimate - other.estimate
        spread = np.sqrt(other.residuals @ other.residuals / other.df)
        assert moved[row] == pytest.approx(change / (spread * np.sqrt(np.diag(inverse))))
        mean_square = fit.residuals @ fit.residuals / fit.df
        shift = matrix @ change
        assert found["cooks_distance"].iloc[row] == pytest.approx(shift @ shift / (made.k * mean_square))
        assert found["studentised_residual"].iloc[row] == pytest.approx(
            fit.residuals[row] / (spread * np.sqrt(1 - fit.leverage[row]))
        )


def test_a_unit_far_off_is_flagged_and_the_limits_are_those_of_the_books() -> None:
    made = country()
    outcome = made.outcome.copy()
    outcome[11] += 5
    far = replace(made, outcome=outcome)
    found = diagnostics.influence(far, fits.ols(far))
    assert found.loc[found["unit_id"] == "U011", "is_influential"].item()
    assert (found["is_influential"] == (found["cooks_distance"] > 4 / 60)).all()
    assert diagnostics.cooks_limit(100) == 0.04
    assert diagnostics.dfbetas_limit(100) == 0.2


def test_without_a_degree_of_freedom_to_spare_there_is_no_pull() -> None:
    made = design.build(np.array([1.0, 2, 4]), {"share": np.array([0.0, 1, 5])}, list("abc"), list("NNN"))
    with pytest.raises(ValueError, match="degree of freedom"):
        diagnostics.influence(made, fits.ols(made))
