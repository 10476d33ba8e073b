"""One window of one seed in memory, by the same simulation that the files are written from.

What belongs here: the change and the covariates of every unit of the window, for a test that draws thousands of seeds.
What does not: the simulation (`country`) and any estimate.

`draw(seed)` and the files of `build_demonstration(folder, seed)` tell of one truth: the same counts and populations, and
covariates that differ by the rounding of what is published.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.demonstration import atlas, country, population
from pipeline.demonstration.country import FIRST_YEAR
from pipeline.demonstration.exposures import WINDOW_END, WINDOW_START
from pipeline.demonstration.planted import PLANTED, Coefficients, Covariates
from pipeline.demonstration.population import Floats


@dataclass(frozen=True)
class WindowDraw:
    """One element a unit, in the order of `codes`, the authorities in being at the start that are not too small.

    `change` is the log change of the rate from start to end; `planted_deviation` is that of the planted authorities, 0 for
    the others. The Ofsted covariate is not a number where there was no judgement.
    """

    codes: tuple[str, ...]
    change: Floats
    covariates: Covariates
    looked_after_start: Floats
    looked_after_end: Floats
    children_start: Floats
    children_end: Floats
    planted_deviation: Floats
    region: tuple[str, ...]


def draw(seed: int, coefficients: Coefficients = PLANTED) -> WindowDraw:
    """Simulate the window of a seed; some 2 ms. The same seed and coefficients draw the same."""
    places = atlas.places()
    children = population.simulate(places.pieces, np.random.default_rng([seed, 1])).rebased
    stock = country.simulate_stock(seed, children, country.simulate_exposures(seed), coefficients)
    members = places.members_at_window_start
    looked_after = [members @ stock.children[:, year - FIRST_YEAR] for year in (WINDOW_START, WINDOW_END)]
    people = [members @ children[:, year - FIRST_YEAR] for year in (WINDOW_START, WINDOW_END)]
    own = [places.authorities[row] for row in places.at_window_start]
    return WindowDraw(
        codes=tuple(authority.code for authority in own),
        change=np.log(looked_after[1] / people[1]) - np.log(looked_after[0] / people[0]),
        covariates=stock.covariates,
        looked_after_start=looked_after[0].astype(float),
        looked_after_end=looked_after[1].astype(float),
        children_start=people[0].astype(float),
        children_end=people[1].astype(float),
        planted_deviation=np.array([stock.planted.get(authority.code, 0.0) for authority in own]),
        region=tuple(authority.region for authority in own),
    )
