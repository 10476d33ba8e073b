"""Resampling (methods.md D6) against the same work done draw by draw with statsmodels, and against what must hold.

All designs are made up.
"""

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from pipeline.regression import design, resampling
from pipeline.regression.design import Design, Floats

DRAWS = 50
CLOSE = 1e-10


def made_up(
    n: int = 40,
    seed: int = 1,
    *,
    regions: int = 4,
    region_effects: bool = False,
    slope: float = 0.4,
    noise: float = 1.0,
) -> Design:
    """Outcome on a number and an indicator, with a spread that grows with the number."""
    random = np.random.default_rng(seed)
    share = random.standard_normal(n)
    taking_part = (random.random(n) < 0.4).astype(float)
    outcome = 1 + slope * share + noise * random.standard_normal(n) * np.exp(0.3 * share)
    return design.build(
        outcome,
        {"share": share, "taking_part": taking_part},
        [f"unit {unit:02d}" for unit in range(n)],
        [f"region {unit % regions}" for unit in random.permutation(n)],
        region_effects=region_effects,
    )


def some_weights(own: Design) -> Floats:
    return np.random.default_rng(9).uniform(0.5, 3.0, own.n)


def fit(
    own: Design, outcome: Floats, roots: Floats, **covariance: object
) -> sm.regression.linear_model.RegressionResults:
    """By statsmodels, of the rows multiplied by the roots of the weights; the outcome comes so already."""
    return sm.OLS(outcome, own.matrix * roots[:, np.newaxis]).fit(**covariance)


def without(own: Design, term: str, roots: Floats) -> tuple[Floats, Floats]:
    """Fitted values and residuals of the model without a term."""
    matrix = np.delete(own.matrix, own.column(term), axis=1) * roots[:, np.newaxis]
    found = sm.OLS(own.outcome * roots, matrix).fit()
    return found.fittedvalues, found.resid


def one_by_one(
    own: Design, term: str, roots: Floats, drawn: Sequence[Floats], **covariance: object
) -> tuple[float, Floats]:
    """T of the data and of each draw of residuals, refitted one at a time."""
    place = own.column(term)
    fitted, _ = without(own, term, roots)
    data = fit(own, own.outcome * roots, roots, **covariance).tvalues[place]
    return data, np.array([fit(own, fitted + one, roots, **covariance).tvalues[place] for one in drawn])


weighted = pytest.mark.parametrize("is_weighted", [False, True], ids=["equal weights", "weights"])
terms = pytest.mark.parametrize("term", ["share", "taking_part"])
effects = pytest.mark.parametrize("region_effects", [False, True], ids=["no effects", "region effects"])


def roots_of(own: Design, is_weighted: bool) -> tuple[Floats | None, Floats]:
    weights = some_weights(own) if is_weighted else None
    return weights, np.ones(own.n) if weights is None else np.sqrt(weights)


@weighted
@effects
@terms
def test_wild_is_a_refit_of_every_draw(term: str, region_effects: bool, is_weighted: bool) -> None:
    own = made_up(region_effects=region_effects)
    weights, roots = roots_of(own, is_weighted)
    bits = np.concatenate(list(resampling.random_bits(np.random.default_rng(5), DRAWS, own.n)))
    _, residuals = without(own, term, roots)
    data, expected = one_by_one(own, term, roots, np.where(bits == 1, 1, -1) * residuals, cov_type="HC3")
    found = resampling.wild_draws(own, term, DRAWS, np.random.default_rng(5), weights=weights)
    assert found.observed == pytest.approx(data, abs=CLOSE)
    np.testing.assert_allclose(found.drawn, expected, rtol=0, atol=CLOSE)
    assert resampling.wild(own, term, DRAWS, np.random.default_rng(5), weights=weights) == found.p_value


@weighted
@effects
@terms
def test_permutation_is_a_refit_of_every_draw(term: str, region_effects: bool, is_weighted: bool) -> None:
    own = made_up(region_effects=region_effects)
    weights, roots = roots_of(own, is_weighted)
    moved = np.concatenate(list(resampling.permutations_within(np.random.default_rng(5), DRAWS, own.regions)))
    _, residuals = without(own, term, roots)
    data, expected = one_by_one(own, term, roots, residuals[moved], cov_type="HC3")
    found = resampling.freedman_lane_draws(own, term, DRAWS, np.random.default_rng(5), weights=weights)
    assert found.observed == pytest.approx(data, abs=CLOSE)
    np.testing.assert_allclose(found.drawn, expected, rtol=0, atol=CLOSE)
    assert resampling.freedman_lane(own, term, DRAWS, np.random.default_rng(5), weights=weights) == found.p_value


@weighted
@effects
@terms
def test_region_wild_is_a_refit_of_every_draw(term: str, region_effects: bool, is_weighted: bool) -> None:
    own = made_up(region_effects=region_effects)
    weights, roots = roots_of(own, is_weighted)
    names, codes = np.unique(own.regions, return_inverse=True)
    webb = np.concatenate(list(resampling.webb_weights(np.random.default_rng(5), DRAWS, len(names))))
    _, residuals = without(own, term, roots)
    # statsmodels' own factor for clusters is G/(G-1) (N-1)/(N-k).
    data, expected = one_by_one(
        own, term, roots, webb[:, codes] * residuals, cov_type="cluster", cov_kwds={"groups": codes}
    )
    found = resampling.region_wild_draws(own, term, DRAWS, np.random.default_rng(5), weights=weights)
    assert found.observed == pytest.approx(data, abs=CLOSE)
    np.testing.assert_allclose(found.drawn, expected, rtol=0, atol=1e-9)
    assert resampling.region_wild(own, term, DRAWS, np.random.default_rng(5), weights=weights) == found.p_value


@weighted
@effects
def test_leaving_a_unit_out_is_a_refit_without_it(region_effects: bool, is_weighted: bool) -> None:
    own = made_up(region_effects=region_effects)
    weights, roots = roots_of(own, is_weighted)
    expected = [
        sm.OLS(np.delete(own.outcome * roots, row), np.delete(own.matrix * roots[:, np.newaxis], row, axis=0))
        .fit()
        .params
        for row in range(own.n)
    ]
    np.testing.assert_allclose(resampling.leave_one_out(own, weights=weights), expected, rtol=0, atol=CLOSE)


def test_every_outcome_on_every_column_is_a_fit_of_each() -> None:
    random = np.random.default_rng(2)
    others = np.column_stack([np.ones(40), random.standard_normal((40, 2))])
    columns, outcomes = random.standard_normal((7, 40)), random.standard_normal((3, 40))
    estimate, std_error = resampling.regress_on_columns(others, columns, outcomes, block=2)
    assert estimate.shape == std_error.shape == (7, 3)
    for draw, outcome in itertools.product(range(7), range(3)):
        expected = sm.OLS(outcomes[outcome], np.column_stack([others, columns[draw]])).fit(cov_type="HC3")
        assert estimate[draw, outcome] == pytest.approx(expected.params[-1], abs=CLOSE)
        assert std_error[draw, outcome] == pytest.approx(expected.bse[-1], abs=CLOSE)


def test_a_column_that_others_span_has_no_estimate() -> None:
    random = np.random.default_rng(2)
    others = np.column_stack([np.ones(40), random.standard_normal((40, 2))])
    columns = np.array([others @ [1.0, 2.0, 3.0], random.standard_normal(40), np.full(40, 7.0)])
    estimate, std_error = resampling.regress_on_columns(others, columns, random.standard_normal((2, 40)))
    assert np.isnan(estimate[[0, 2]]).all() and np.isnan(std_error[[0, 2]]).all()
    assert np.isfinite(estimate[1]).all() and np.isfinite(std_error[1]).all()


def test_a_column_that_only_one_unit_has_gets_no_error() -> None:
    random = np.random.default_rng(2)
    alone = np.zeros((1, 40))
    alone[0, 11] = 1.0
    _, std_error = resampling.regress_on_columns(np.ones((40, 1)), alone, random.standard_normal((2, 40)))
    assert np.isnan(std_error).all()


def test_errors_keep_their_digits_where_a_column_explains_nearly_everything() -> None:
    random = np.random.default_rng(3)
    others, column = np.ones((30, 1)), random.standard_normal(30)
    outcome = 3 * column + 1e-6 * random.standard_normal(30)
    _, std_error = resampling.regress_on_columns(others, column[np.newaxis], outcome[np.newaxis])
    expected = sm.OLS(outcome, np.column_stack([others, column])).fit(cov_type="HC3").bse[1]
    assert std_error[0, 0] == pytest.approx(expected, rel=1e-8)


def test_draws_keep_their_digits_where_they_repeat_data_that_are_nearly_explained() -> None:
    own = made_up(n=7, seed=3, slope=3.0, noise=1e-5)
    bits = np.concatenate(list(resampling.random_bits(np.random.default_rng(5), 2000, own.n)))
    repeats = np.flatnonzero(np.ptp(bits, axis=1) == 0)  # all signs alike: the data again, or their mirror image
    assert len(repeats) > 0
    data, _ = one_by_one(own, "share", np.ones(7), [], cov_type="HC3")
    found = resampling.wild_draws(own, "share", 2000, np.random.default_rng(5)).drawn
    assert abs(data) > 1e4
    np.testing.assert_allclose(np.abs(found[repeats]), abs(data), rtol=1e-8)


def test_p_counts_draws_as_large_as_the_data_on_either_side() -> None:
    """By hand: -2.1, 2 and 2 less a rounding error are as large as 2, so p = (1 + 3) / (5 + 1)."""
    drawn = np.array([1.0, -2.1, 2.0, 2.0 * (1 - 1e-13), -1.999])
    assert resampling.Draws(2.0, drawn).p_value == pytest.approx(4 / 6)
    assert resampling.Draws(-2.0, drawn).p_value == pytest.approx(4 / 6)
    assert resampling.Draws(9.0, drawn).p_value == pytest.approx(1 / 6)


def test_sampled_signs_come_to_the_p_of_all_signs() -> None:
    """All 2^8 ways to give signs, each refitted by statsmodels, against draws of them."""
    own = made_up(n=8, seed=4)
    _, residuals = without(own, "share", np.ones(8))
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=8)))
    data, every = one_by_one(own, "share", np.ones(8), signs * residuals, cov_type="HC3")
    exact = np.mean(np.abs(every) >= abs(data) * (1 - 1e-9))
    draws = 20_000
    found = resampling.wild(own, "share", draws, np.random.default_rng(1))
    assert 0.05 < exact < 0.95
    assert found == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / draws))


def test_permutations_stay_within_regions_and_leave_nobody_out() -> None:
    regions = ("north", "south", "east", "south", "north", "south", "east")
    moved = np.concatenate(list(resampling.permutations_within(np.random.default_rng(1), 300, regions)))
    assert (np.sort(moved, axis=1) == np.arange(7)).all()
    assert (np.asarray(regions)[moved] == np.asarray(regions)).all()


def test_permutations_of_a_region_are_equally_likely() -> None:
    """Six orders of three units in 6,000 draws: 1,000 of each, chi-squared with 5 degrees of freedom."""
    moved = np.concatenate(list(resampling.permutations_within(np.random.default_rng(1), 6000, ("a", "b", "a", "a"))))
    _, counts = np.unique(moved, axis=0, return_counts=True)
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > 0.001


def test_bits_are_fair_and_webb_weights_have_mean_0_and_variance_1() -> None:
    bits = np.concatenate(list(resampling.random_bits(np.random.default_rng(1), 4000, 70)))
    webb = np.concatenate(list(resampling.webb_weights(np.random.default_rng(1), 40_000, 9)))
    assert set(np.unique(bits)) == {0.0, 1.0}
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(4000)
    np.testing.assert_allclose(np.unique(webb) ** 2, [1.5, 1, 0.5, 0.5, 1, 1.5], atol=1e-15)
    assert webb.mean() == pytest.approx(0, abs=0.01)
    assert webb.var() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
@pytest.mark.parametrize(
    "drawn",
    [
        lambda random, block: resampling.random_bits(random, 150, 67, block=block),
        lambda random, block: resampling.webb_weights(random, 150, 9, block=block),
        lambda random, block: resampling.permutations_within(random, 150, list("abcabcaab"), block=block),
    ],
    ids=["bits", "webb", "permutations"],
)
def test_draws_are_the_same_whatever_the_block(drawn: Callable[..., object], block: int) -> None:
    whole = np.concatenate(list(drawn(np.random.default_rng(3), None)))
    assert np.array_equal(np.concatenate(list(drawn(np.random.default_rng(3), block))), whole)


METHODS = [resampling.wild_draws, resampling.region_wild_draws, resampling.freedman_lane_draws]
methods = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)


@pytest.mark.parametrize("block", [1, 33])
@methods
def test_statistics_are_the_same_whatever_the_block(method: Callable[..., resampling.Draws], block: int) -> None:
    own = made_up()
    whole = method(own, "taking_part", 100, np.random.default_rng(3))
    cut = method(own, "taking_part", 100, np.random.default_rng(3), block=block)
    np.testing.assert_allclose(cut.drawn, whole.drawn, rtol=0, atol=CLOSE)


@methods
def test_statistics_do_not_depend_on_the_unit_of_the_outcome(method: Callable[..., resampling.Draws]) -> None:
    own = made_up()
    larger = design.build(
        1000 * own.outcome, {"share": own.matrix[:, 1], "taking_part": own.matrix[:, 2]}, own.units, own.regions
    )
    one, other = (method(each, "share", 100, np.random.default_rng(3)) for each in (own, larger))
    np.testing.assert_allclose(other.drawn, one.drawn, rtol=0, atol=CLOSE)


_ELSEWHERE = """
import numpy as np
from pipeline.regression import resampling
from tests.pipeline.regression.test_resampling import made_up
for name in ("wild_draws", "region_wild_draws", "freedman_lane_draws"):
    print(*getattr(resampling, name)(made_up(n=150), "share", 600, np.random.default_rng(3), block=600).drawn.tolist())
"""


def test_statistics_are_the_same_whatever_the_number_of_threads() -> None:
    own = made_up(n=150)
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    told = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE], env=os.environ | one_thread, capture_output=True, text=True, check=True
    )
    for method, line in zip(METHODS, told.stdout.splitlines(), strict=True):
        here = method(own, "share", 600, np.random.default_rng(3), block=600).drawn
        np.testing.assert_allclose(here, np.array(line.split(), dtype=float), rtol=0, atol=CLOSE)


@pytest.mark.parametrize("method", [resampling.wild, resampling.freedman_lane], ids=lambda method: method.__name__)
def test_p_is_uniform_where_the_term_has_nothing_to_say(method: Callable[..., float]) -> None:
    """200 countries; the largest distance from uniform is under 0.115 in 99 of 100 such trials (1.63 / sqrt 200)."""
    p = [
        method(made_up(seed=seed, slope=0.0), "taking_part", 199, np.random.default_rng([seed, 1]))
        for seed in range(200)
    ]
    assert stats.kstest(p, "uniform").statistic < 0.115


@pytest.mark.parametrize(
    ("method", "largest"), [(resampling.wild, 0.002), (resampling.freedman_lane, 0.002), (resampling.region_wild, 0.05)]
)
def test_p_is_small_where_much_is_planted(method: Callable[..., float], largest: float) -> None:
    own = made_up(n=90, regions=9, slope=3.0)
    assert method(own, "share", 999, np.random.default_rng(1)) <= largest


def test_one_region_makes_no_clusters() -> None:
    with pytest.raises(ValueError, match="two regions or more; the design has 1"):
        resampling.region_wild(made_up(regions=1), "share", 9, np.random.default_rng(1))
