"""How often the method is right, which no real data can tell: what was planted, and what is found in thousands of seeds.

The country of each seed is drawn in memory by the demonstration country's own law, with coefficients planted in the terms
of the primary model. A 95% interval must hold the planted coefficient in close to 95% of seeds, and the p-values of a
permutation must be uniform where nothing was planted.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pipeline.demonstration import window_draw
from pipeline.demonstration.planted import PLANTED
from pipeline.regression import design, fits, resampling, terms
from pipeline.regression.design import Design, Fit

SEEDS = 2000
PERMUTED_SEEDS = 1000
DRAWS = 199  # p in steps of 1/200: fine enough for a distance of 0.05
WITHOUT_INNOVATION = replace(PLANTED, innovation_programme=0.0)


def primary_design(draw: window_draw.WindowDraw, *, region_effects: bool = False) -> Design:
    """The primary model of a draw: its units with every value, the starting rate as observed."""
    columns = {term: getattr(draw.covariates, term) for term in terms.PRIMARY}
    known = ~np.isnan(np.column_stack(list(columns.values()))).any(axis=1)
    return design.build(
        draw.change[known],
        {term: values[known] for term, values in columns.items()},
        np.array(draw.codes)[known].tolist(),
        np.array(draw.region)[known].tolist(),
        region_effects=region_effects,
    )


@pytest.fixture(scope="module")
def found() -> list[Fit]:
    """The primary model of every seed."""
    results = [fits.ols(primary_design(window_draw.draw(seed))) for seed in range(SEEDS)]
    assert all(isinstance(one, Fit) for one in results)
    return results  # type: ignore[return-value]


@pytest.mark.parametrize("term", terms.PRIMARY)
def test_intervals_hold_the_planted_coefficient(found: list[Fit], term: str) -> None:
    """The band of 93.5 to 96.5% is three standard errors of a share of 2,000 about 95%."""
    column = found[0].design.column(term)
    limits = np.array([[limit[column] for limit in one.limits_95] for one in found])
    held = (limits[:, 0] <= getattr(PLANTED, term)) & (getattr(PLANTED, term) <= limits[:, 1])
    assert 0.935 <= held.mean() <= 0.965


@pytest.mark.parametrize("term", terms.PRIMARY)
def test_estimates_are_about_what_was_planted(found: list[Fit], term: str) -> None:
    """Within four standard errors of a mean over the seeds."""
    column = found[0].design.column(term)
    estimates = np.array([one.estimate[column] for one in found])
    assert abs(estimates.mean() - getattr(PLANTED, term)) < 4 * estimates.std() / np.sqrt(len(estimates))


@pytest.mark.parametrize("region_effects", [False, True])
def test_permutation_p_values_are_uniform_where_nothing_was_planted(region_effects: bool) -> None:
    p_values = []
    for seed in range(PERMUTED_SEEDS):
        own = primary_design(window_draw.draw(seed, WITHOUT_INNOVATION), region_effects=region_effects)
        p_values.append(resampling.freedman_lane(own, terms.INNOVATION, DRAWS, np.random.default_rng(seed)))
    assert stats.kstest(p_values, "uniform").statistic < 0.05


def test_a_planted_coefficient_is_mostly_found_and_a_planted_zero_mostly_not(found: list[Fit]) -> None:
    """The sizes are about three standard errors: found in five seeds of six. A zero is found in one of twenty."""
    column = found[0].design.column
    p_values = np.array([one.p_value for one in found])
    assert (p_values[:, column(terms.INNOVATION)] < 0.05).mean() > 0.8
    assert 0.035 <= (p_values[:, column(terms.DEPRIVATION_LEVEL)] < 0.05).mean() <= 0.065


def test_other_coefficients_make_another_country_from_the_same_chance() -> None:
    """The covariates stay, and taking part moves the change by what is planted."""
    with_it, without = window_draw.draw(5), window_draw.draw(5, WITHOUT_INNOVATION)
    took_part = with_it.covariates.innovation_programme == 1
    assert np.array_equal(took_part, without.covariates.innovation_programme == 1)
    moved = with_it.change - without.change
    ordinary = with_it.planted_deviation == 0
    difference = moved[took_part & ordinary].mean() - moved[~took_part & ordinary].mean()
    assert difference == pytest.approx(PLANTED.innovation_programme, abs=0.01)
