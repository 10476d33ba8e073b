"""The children who live in the pieces of the country, mid-year by mid-year, and the two ways they were estimated.

What belongs here: the simulated populations by vintage and age band. What does not: children looked after (`country`)
and files (`population_files`).

The estimates start together at the census of 2011. The ones made before the census of 2021 drift away from the truth,
most of all in the inner part of the capital; the rebased ones are the truth of this country.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.demonstration import gazetteer

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

FIRST_MID_YEAR, LAST_MID_YEAR = 2008, 2024  # reporting year 2009 divides by mid-2008, reporting year 2025 by mid-2024
MID_YEARS = np.arange(FIRST_MID_YEAR, LAST_MID_YEAR + 1)
LAST_PRE_CENSUS = 2020
_CENSUS = 2011
_LAST_RELEASE_WITH_OLDER = 2022  # the first that divides by rebased estimates as well
_NEWEST_RELEASE = 2025

# Median children and spread (standard deviation of the log) by the beginning of the area code: unitaries, metropolitan
# boroughs, boroughs of the capital, counties. About the skew of real upper-tier authorities.
_SIZES = {"Z06": (42_000, 0.40), "Z08": (62_000, 0.42), "Z09": (57_000, 0.28), "Z10": (140_000, 0.35)}
_SMALLEST, _LARGEST = 15_000, 300_000

_GROWTH, _GROWTH_SPREAD, _GROWTH_NOISE = 0.004, 0.004, 0.002  # a year, on the log scale

# Yearly drift of the estimates made before the census of 2021: mean and spread on the log scale.
_OVERCOUNT, _OVERCOUNT_INNER = (0.0028, 0.0030), (0.015, 0.006)
_OVERCOUNT_CITY = 0.06  # within ten years nearly twice the true number

# Children in each age band, as weights. Those aged 17 weigh as much as those aged 16, and no file has a band for them.
AGE_BANDS = {"0-4": 0.280, "5-9": 0.285, "10-14": 0.270, "15": 0.055, "16": 0.055}
_AGE_NOISE = 0.02  # of the weights, between places

# The two newest years of a release use estimates that are revised later. The city's, being tiny, by tens of per cent.
_REVISION, _REVISION_CITY = 0.0015, -0.30


@dataclass(frozen=True)
class Population:
    """Children aged 0-17, one row a piece of the country and one column a mid-year.

    `bands` holds the age bands, from the older estimates up to mid-2020 and from the rebased ones for mid-2021.
    `unrevised` is the factor by which a mid-year estimate was off when it came out.
    """

    rebased: Integers
    pre_census: Integers
    bands: dict[str, Integers]
    unrevised: Floats

    def mid_year(self, year: int, *, pre_census: bool) -> Integers:
        """Children of each piece at one mid-year. Older estimates after mid-2020, which there are none of: ValueError."""
        if pre_census and year > LAST_PRE_CENSUS:
            raise ValueError(f"the estimates from before the census end with mid-{LAST_PRE_CENSUS}, not mid-{year}")
        return (self.pre_census if pre_census else self.rebased)[:, year - FIRST_MID_YEAR]

    def in_release(self, release: int, reporting_year: int) -> Integers:
        """Children of each piece as a release divides by them: at the mid-year before the reporting year.

        Releases up to 2022 still use the older estimates for reporting years up to 2021, so rates inside the 2022
        release break between 2021 and 2022.
        """
        mid_year = reporting_year - 1
        if release <= _LAST_RELEASE_WITH_OLDER and mid_year <= LAST_PRE_CENSUS:
            return self.mid_year(mid_year, pre_census=True)
        rebased = self.mid_year(mid_year, pre_census=False)
        if release == _NEWEST_RELEASE or reporting_year < release - 1:
            return rebased
        return _whole(rebased * self.unrevised[:, mid_year - FIRST_MID_YEAR])


def simulate(pieces: list[str], rng: np.random.Generator) -> Population:
    """Simulate the populations of all pieces, whose names are codes of authorities or of the district that moves."""
    true = _true_children(pieces, rng)
    overcount = _overcount(pieces, rng)
    elapsed = np.maximum(0, MID_YEARS - _CENSUS)
    pre_census = _whole(true * np.exp(overcount[:, None] * elapsed))
    rebased = _whole(true)
    unrevised = 1 + rng.normal(0, _REVISION, rebased.shape)
    unrevised[pieces.index(gazetteer.TINY_CITY)] = 1 + _REVISION_CITY
    return Population(rebased, pre_census, _age_bands(rebased, pre_census, rng), unrevised)


def _true_children(pieces: list[str], rng: np.random.Generator) -> Floats:
    area_code = {authority.code: authority.area_codes[0][0] for authority in gazetteer.authorities()}
    spread = rng.standard_normal(len(pieces))
    start = np.empty(len(pieces))
    for row, piece in enumerate(pieces):
        median, sd = _SIZES[area_code.get(piece, "Z06")[:3]]
        drawn = np.clip(median * np.exp(sd * spread[row]), _SMALLEST, _LARGEST)
        start[row] = gazetteer.CHILDREN_2009.get(piece, drawn)
    local = rng.normal(_GROWTH, _GROWTH_SPREAD, len(pieces))
    steps = local[:, None] + rng.normal(0, _GROWTH_NOISE, (len(pieces), len(MID_YEARS)))
    path = np.cumsum(steps, axis=1)
    return start[:, None] * np.exp(path - path[:, [2009 - FIRST_MID_YEAR]])


def _overcount(pieces: list[str], rng: np.random.Generator) -> Floats:
    inner = {authority.code for authority in gazetteer.authorities() if authority.region == gazetteer.INNER_PART}
    means, spreads = zip(*(_OVERCOUNT_INNER if piece in inner else _OVERCOUNT for piece in pieces), strict=True)
    drift = rng.normal(means, spreads)
    drift[pieces.index(gazetteer.TINY_CITY)] = _OVERCOUNT_CITY
    return drift


def _age_bands(rebased: Integers, pre_census: Integers, rng: np.random.Generator) -> dict[str, Integers]:
    estimated = np.where(MID_YEARS <= LAST_PRE_CENSUS, pre_census, rebased)
    # The noise is of the place, not of the year: this year's children of 17 are last year's of 16.
    weights = {band: weight * (1 + rng.normal(0, _AGE_NOISE, len(rebased))) for band, weight in AGE_BANDS.items()}
    all_ages = np.sum(list(weights.values()), axis=0) + weights["16"]
    return {band: _whole(estimated * (weight / all_ages)[:, None]) for band, weight in weights.items()}


def _whole(values: Floats) -> Integers:
    return np.floor(values + 0.5).astype(np.int64)
