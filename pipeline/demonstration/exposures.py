"""The truth about what goes with children looked after: deprivation, taking part in programmes, judgements in force.

What belongs here: the covariates by piece of the country, drawn before any child is, and what an authority of the window
has of them. What does not: what they do to the counts (`planted`), dates, projects and grades (`inspections`,
`programmes`), and files.

Shares of children are in per cent, one row a piece and one column a year. One standard score a piece, its deprivation,
runs through all measures, so that they go together as the real ones do, and through the rate of 2010.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.demonstration import atlas
from pipeline.demonstration.planted import Covariates
from pipeline.demonstration.population import FIRST_MID_YEAR, Booleans, Floats, Integers

WINDOW_START, WINDOW_END = 2020, 2025
POVERTY_YEARS = range(2015, 2026)  # financial years ending
LOW_INCOME_YEARS = range(2011, 2017)  # 31 August
MEALS_YEARS = range(2016, 2026)  # January
INDEX_EDITIONS = (2015, 2019, 2025)
WEIGHTS_MID_YEAR = 2016  # children by whom pieces are weighed, as in the table of the divided counties

_REGION_SPREAD = 0.45  # of the deprivation score, whose variance is 1 in all

# Relative low income: median and spread at the financial year 2019, its change to 2024 in points, and the path between.
_POVERTY_MEDIAN, _POVERTY_SPREAD, _POVERTY_LEAST, _POVERTY_MOST = 17.5, 0.36, 5.0, 42.0
_CHANGE_MEAN, _CHANGE_SPREAD, _CHANGE_LEAST = 4.3, 2.4, -3.0
_BEFORE_2019 = {2015: -0.12, 2016: -0.05, 2017: -0.06, 2018: 0.07}  # as a share of the level of 2019
_AFTER_2019 = {2020: 0.7, 2021: 0.1, 2022: 0.3, 2023: 0.8, 2025: 1.1}  # as a share of the change to 2024
_POVERTY_NOISE, _POVERTY_FLOOR = 0.4, 2.0

# The older local measure falls where it was high: its rules changed, and not how people lived.
_LOW_INCOME_MEDIAN, _LOW_INCOME_SPREAD, _LOW_INCOME_LEAST, _LOW_INCOME_MOST = 19.5, 0.34, 6.0, 46.0
_LOW_INCOME_PATH = (1.0, 0.93, 0.90, 0.975, 0.815, 0.825)
_LOW_INCOME_NOISE = 0.015

_INDEX_PATH = {2015: 0.95, 2019: 0.80, 2025: 1.75}  # of the older measure's first year; incomes after housing in 2025
_INDEX_NOISE, _INDEX_MOST = 0.05, 85.0
_MEALS_MEDIAN, _MEALS_SPREAD, _MEALS_MOST = 14.5, 0.40, 60.0
_MEALS_OWN_STEP = 0.03  # of the log odds in a year
_MEALS_WITH_POVERTY = 0.7  # of the log odds with the logarithm of the share in low income
_MEALS_PATH = (1.0, 0.97, 0.95, 1.03, 1.14, 1.37, 1.46, 1.54, 1.58, 1.64)

# Log odds of taking part and of a good judgement: at middling deprivation, and by one standard score of it.
_TAKES_PART = (0.35, 0.30)
_IS_GOOD = (-0.15, -0.35)


@dataclass(frozen=True)
class Exposures:
    """The covariates by piece. `takes_part` and `is_good` are the same in all pieces of one authority.

    `takes_part`: of the authority of 2017 in the first or second round, by a published source. `is_good`: the judgement in
    force at the start of the window, 1 or 0, not a number where the authority of that day has none yet.
    """

    deprivation: Floats
    poverty: Floats
    low_income: Floats
    index: Floats
    meals: Floats
    takes_part: Booleans
    is_good: Floats


def simulate(shares: np.random.Generator, events: np.random.Generator) -> Exposures:
    """Draw the covariates of all pieces, shares from one stream and events from the other."""
    places = atlas.places()
    n = len(places.pieces)
    of_region = _REGION_SPREAD * shares.standard_normal(places.region_of_piece.max() + 1)
    own = np.sqrt(1 - _REGION_SPREAD**2) * shares.standard_normal(n)
    deprivation = of_region[places.region_of_piece] + own
    low_income = _low_income(deprivation, shares)
    poverty = _poverty(deprivation, shares)
    return Exposures(
        deprivation=deprivation,
        poverty=poverty,
        low_income=low_income,
        index=_index(low_income[:, 0], shares),
        meals=_meals(deprivation, poverty, shares),
        takes_part=_chosen(_TAKES_PART, deprivation, events)[places.leader_2017],
        is_good=np.where(places.is_new_in_window, np.nan, _chosen(_IS_GOOD, deprivation, events)[places.leader_2017]),
    )


def of_window(exposures: Exposures, children: Integers, stock: Integers, at_start: Integers) -> Covariates:
    """Tell the covariates of every authority in being at the start of the window, by the rules of methods.md D3.

    `children` has a column a mid-year; `stock` and `at_start` are the looked-after children and the children of the start
    by piece.
    """
    places = atlas.places()
    members = places.members_at_window_start
    weights = members.multiply(children[:, WEIGHTS_MID_YEAR - FIRST_MID_YEAR]).tocsr()
    weights = weights.multiply(1 / weights.sum(axis=1)[:, None]).tocsr()
    level, later = (exposures.poverty[:, POVERTY_YEARS.index(year - 1)] for year in (WINDOW_START, WINDOW_END))
    return Covariates(
        deprivation_change=weights @ (later - level),
        deprivation_level=weights @ level,
        innovation_programme=(members[:, places.passes_on] @ exposures.takes_part[places.passes_on] > 0).astype(float),
        ofsted_good=exposures.is_good[places.leader_at_window_start],
        baseline_rate=np.log((members @ stock) / (members @ at_start)),
    )


def _chosen(odds: tuple[float, float], deprivation: Floats, rng: np.random.Generator) -> Booleans:
    return rng.random(len(deprivation)) < 1 / (1 + np.exp(-(odds[0] + odds[1] * deprivation)))


def _related(deprivation: Floats, share: float, rng: np.random.Generator) -> Floats:
    """Draw standard scores that correlate with deprivation by `share`."""
    scores: Floats = share * deprivation + np.sqrt(1 - share**2) * rng.standard_normal(len(deprivation))
    return scores


def _poverty(deprivation: Floats, rng: np.random.Generator) -> Floats:
    drawn = _POVERTY_MEDIAN * np.exp(_POVERTY_SPREAD * _related(deprivation, 0.85, rng))
    level = np.clip(drawn, _POVERTY_LEAST, _POVERTY_MOST)
    change = np.maximum(_CHANGE_MEAN + _CHANGE_SPREAD * _related(deprivation, 0.35, rng), _CHANGE_LEAST)
    noise = _POVERTY_NOISE * rng.standard_normal((len(deprivation), len(POVERTY_YEARS)))
    noise[:, [POVERTY_YEARS.index(year - 1) for year in (WINDOW_START, WINDOW_END)]] = 0
    off = np.array([_BEFORE_2019.get(year, 0.0) for year in POVERTY_YEARS])
    along = np.array([_AFTER_2019.get(year, float(year == WINDOW_END - 1)) for year in POVERTY_YEARS])
    shares: Floats = np.maximum(level[:, None] * (1 + off) + change[:, None] * along + noise, _POVERTY_FLOOR)
    return shares


def _low_income(deprivation: Floats, rng: np.random.Generator) -> Floats:
    drawn = _LOW_INCOME_MEDIAN * np.exp(_LOW_INCOME_SPREAD * _related(deprivation, 0.9, rng))
    start = np.clip(drawn, _LOW_INCOME_LEAST, _LOW_INCOME_MOST)
    noise = np.exp(_LOW_INCOME_NOISE * rng.standard_normal((len(start), len(_LOW_INCOME_PATH))))
    shares: Floats = start[:, None] * np.array(_LOW_INCOME_PATH) * noise
    return shares


def _index(low_income: Floats, rng: np.random.Generator) -> Floats:
    noise = np.exp(_INDEX_NOISE * rng.standard_normal((len(low_income), len(INDEX_EDITIONS))))
    shares: Floats = np.minimum(
        low_income[:, None] * np.array([_INDEX_PATH[year] for year in INDEX_EDITIONS]) * noise, _INDEX_MOST
    )
    return shares


def _meals(deprivation: Floats, poverty: Floats, rng: np.random.Generator) -> Floats:
    """Draw odds that follow a common path, an authority's low income in part, and otherwise a path of its own."""
    start = np.minimum(_MEALS_MEDIAN * np.exp(_MEALS_SPREAD * _related(deprivation, 0.85, rng)), _MEALS_MOST)
    since_first = np.log(poverty[:, [POVERTY_YEARS.index(year) for year in MEALS_YEARS]])
    since_first -= since_first[:, :1]
    own = rng.normal(0.0, _MEALS_OWN_STEP, (len(start), len(MEALS_YEARS))).cumsum(axis=1)
    along = _MEALS_WITH_POVERTY * (since_first - since_first.mean(axis=0)) + own
    odds = start[:, None] / (100 - start[:, None]) * np.array(_MEALS_PATH) * np.exp(along)
    shares: Floats = 100 * odds / (1 + odds)
    return shares
