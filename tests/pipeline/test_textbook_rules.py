"""Textbook rules for many series at once are those of statsmodels and scipy for one."""

from __future__ import annotations

import math
import tomllib
import warnings
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from pipeline import textbook_rules

GOLDEN = Path(__file__).parents[1] / "golden" / "multiplicity_and_slopes.toml"
YEARS = 6


def some_series(n: int = 40, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Counts of 5 to 3,000, not whole, that wander, and exposures that change by year."""
    random = np.random.default_rng(seed)
    level = np.exp(random.uniform(math.log(5), math.log(3000), size=(n, 1)))
    counts = level * np.exp(random.normal(0, 0.1, size=(n, YEARS)).cumsum(axis=1))
    exposures = random.uniform(900, 1100, size=(n, YEARS)) * level
    return counts, exposures


def by_statsmodels(counts: np.ndarray, exposures: np.ndarray) -> tuple[float, float, float, float, float]:
    """Slope, standard error, scale, Poisson p and quasi-Poisson p on years - 2 degrees of freedom."""
    design = sm.add_constant(np.arange(len(counts), dtype=float))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = sm.GLM(counts, design, family=sm.families.Poisson(), offset=np.log(exposures))
        fitted = model.fit(tol=1e-14, maxiter=200)
        quasi = model.fit(scale="X2", tol=1e-14, maxiter=200)
    statistic = fitted.params[1] / quasi.bse[1]
    return (
        fitted.params[1],
        fitted.bse[1],
        quasi.scale,
        fitted.pvalues[1],
        2 * float(stats.t.sf(abs(statistic), len(counts) - 2)),
    )


def test_slopes_are_those_of_a_poisson_glm() -> None:
    counts, exposures = some_series()
    found = textbook_rules.slopes(counts, exposures)
    for at in range(len(counts)):
        slope, error, scale, p, p_quasi = by_statsmodels(counts[at], exposures[at])
        assert found.slope[at] == pytest.approx(slope, rel=1e-10, abs=1e-12)
        assert found.std_error[at] == pytest.approx(error, rel=1e-10)
        assert found.scale[at] == pytest.approx(scale, rel=1e-10)
        assert found.p_poisson[at] == pytest.approx(p, rel=1e-8, abs=1e-12)
        assert found.p_quasi[at] == pytest.approx(p_quasi, rel=1e-8, abs=1e-12)


def test_a_slope_by_hand() -> None:
    """Two years are fitted exactly: 100 and 150 among 1,000 each, slope ln 1.5, variance 1/100 + 1/150."""
    found = textbook_rules.slopes(np.array([[100.0, 150.0, 225.0]]), np.array([1000.0, 1000.0, 1000.0]))
    assert found.slope[0] == pytest.approx(math.log(1.5), rel=1e-12)
    # A series on its line has no residual: only the model that takes it for chance has anything to say.
    assert found.scale[0] == pytest.approx(0, abs=1e-20)


def test_leading_axes_are_carried_along_and_exposures_broadcast() -> None:
    counts, exposures = some_series(6)
    many = textbook_rules.slopes(counts.reshape(2, 3, YEARS), exposures[:3])
    for i in range(2):
        one = textbook_rules.slopes(counts.reshape(2, 3, YEARS)[i], exposures[:3])
        assert many.slope[i] == pytest.approx(one.slope, rel=1e-12)
        assert many.p_quasi[i] == pytest.approx(one.p_quasi, rel=1e-12)


def test_a_scaled_exposure_changes_nothing_but_the_intercept() -> None:
    counts, exposures = some_series()
    own, scaled = textbook_rules.slopes(counts, exposures), textbook_rules.slopes(counts, exposures * 7)
    assert scaled.slope == pytest.approx(own.slope, abs=1e-12)
    assert scaled.p_poisson == pytest.approx(own.p_poisson, rel=1e-9)


@pytest.mark.parametrize(
    "counts", [[1.0, 1e-3, 1.0, 500.0, 1e4, 9e5], [9e5, 1.0, 1.0, 1.0, 1.0, 0.0], [0, 0, 1, 0, 0, 0]]
)
def test_extreme_series_settle(counts: list[float]) -> None:
    found = textbook_rules.slopes(np.array([counts]), np.full(YEARS, 1000.0))
    # At the maximum the fitted mean year is the one of the counts.
    weights = np.exp(found.slope[0] * np.arange(YEARS))
    mean_year = np.dot(counts, np.arange(YEARS)) / np.sum(counts)
    assert np.dot(weights, np.arange(YEARS)) / weights.sum() == pytest.approx(mean_year, abs=1e-9)
    assert np.isfinite([found.p_poisson[0], found.p_quasi[0]]).all()


@pytest.mark.parametrize("counts", [[0.0, 0, 0, 0, 0, 4], [4.0, 0, 0, 0, 0, 0]])
def test_counts_in_the_last_or_first_year_alone_have_no_slope(counts: list[float]) -> None:
    with pytest.raises(ValueError, match="first or last year"):
        textbook_rules.slopes(np.array([counts]), np.full(YEARS, 1000.0))


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_mann_kendall_is_exact(n: int) -> None:
    """Every order of the years, against scipy."""
    orders = np.array(list(permutations(range(n))), dtype=float)
    found = textbook_rules.mann_kendall_p(orders)
    seen: dict[float, float] = {}
    for at, order in enumerate(orders):
        s = abs(float(textbook_rules.kendall_s(order)))
        if s not in seen:
            seen[s] = float(stats.kendalltau(np.arange(n), order, method="exact").pvalue)
        assert found[at] == pytest.approx(seen[s], abs=1e-12)


@pytest.mark.parametrize("case", ["monotone", "one_step_back"])
def test_mann_kendall_golden(case: str) -> None:
    known = tomllib.loads(GOLDEN.read_text(encoding="utf-8"))["kendall"][case]
    assert textbook_rules.mann_kendall_p(np.array(known["series"], dtype=float)) == pytest.approx(known["p"], abs=1e-6)


def test_a_series_that_does_not_move_has_no_trend() -> None:
    assert textbook_rules.mann_kendall_p(np.ones((2, YEARS))).tolist() == [1.0, 1.0]


def test_opposite_sign() -> None:
    change = np.array([-0.1, 0.0, 0.2])
    assert textbook_rules.opposite_sign(change, 0.05).tolist() == [True, False, False]
    assert textbook_rules.opposite_sign(change, -0.05).tolist() == [False, False, True]
    assert textbook_rules.opposite_sign(change, 0.0).tolist() == [False, False, False]


def test_apart_counts_the_threshold_itself_on_either_side() -> None:
    relative = np.array([math.log(1.1), -math.log(1.1), math.log(1.0999), 0.0])
    assert textbook_rules.is_apart(relative, 10.0, 1e-12).tolist() == [True, True, False, False]
