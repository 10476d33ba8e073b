"""The truth of the demonstration country: who is looked after where, and which authorities were made to part from it.

What belongs here: simulating the counts from a seed, and the plain arrays that all files are written from. What does
not: names and codes (`gazetteer`), populations (`population`), and how a figure is rounded, hidden or mislabelled when
it is published (the modules that write files).

Every piece follows the national rate plus a random walk of its own, whose yearly variance is a + b/N as in the real
series. Over the window it also follows its covariates, by the coefficients of `planted`, and the planted authorities
leave the nation by a known amount; both are spread evenly over the years.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pipeline.demonstration import atlas, exposures, gazetteer, planted, population
from pipeline.demonstration.exposures import WINDOW_END, WINDOW_START, Exposures
from pipeline.demonstration.gazetteer import TINY_CITY, TINY_ISLAND, Authority
from pipeline.demonstration.planted import Covariates
from pipeline.demonstration.population import Booleans, Floats, Integers, Population

FIRST_YEAR, LAST_YEAR = 2009, 2025  # reporting years ending 31 March; 2009 only to begin the flows of 2010 with
YEARS = range(FIRST_YEAR, LAST_YEAR + 1)
_START = 2010  # the year whose rates are drawn

# Variance of one year's movement of a local log rate net of the nation, a + b/N: measured on the real series.
_VARIANCE, _VARIANCE_PER_CHILD = 0.0018, 1.23

# Change of the national log rate into each reporting year. It rises clearly over 2012-2017 and 2020-2025 (8%), so that
# there is a trend to buck; in between more slowly.
_NATIONAL_STEPS = {
    2010: 0.020, 2011: 0.014, 2012: 0.016, 2013: 0.014, 2014: 0.013, 2015: 0.014, 2016: 0.016, 2017: 0.024,
    2018: 0.012, 2019: 0.010, 2020: 0.008, 2021: 0.012, 2022: 0.018, 2023: 0.019, 2024: 0.016, 2025: 0.012,
}  # fmt: skip
_RATE_MEDIAN, _RATE_SPREAD, _RATE_LOWEST, _RATE_HIGHEST = 62.0, 0.36, 30.0, 140.0  # per 10,000 in 2010
_RATE_BY_DEPRIVATION = 0.5  # correlation of the log rate of 2010 with deprivation

# No ordinary authority falls into single figures, in any year: in the published files only the tiny ones do.
_SMALLEST_STOCK, _SMALLEST_FLOW = 20, 8  # at least 6 are left to cease after the smallest gap

PLANTED_COUNT = 12
# Children at the start: below it chance alone moves an authority as far. Children and not those looked after, for else
# the authorities with high rates would be planted more often, and their deviation would pass for a coefficient.
_PLANTED_FEWEST_CHILDREN = 60_000
_PLANTED_LEAST, _PLANTED_MOST = -0.40, -0.55

# Started in the year, as a share of the average stock: mean, spread between places, noise of a year.
_TURNOVER, _TURNOVER_SPREAD, _TURNOVER_NOISE = 0.42, 0.05, 0.05
# Stock(t) exceeds stock(t-1) + started - ceased by a few: a child counts once a year in each flow.
_GAP_LOWEST, _GAP_HIGHEST = -2, 8

# Unaccompanied children as a share of the nation's stock, and how unevenly they live (shape of a gamma distribution).
_UASC_SHARES = {2009: 0.040, 2012: 0.028, 2014: 0.028, 2017: 0.062, 2021: 0.052, 2024: 0.088, 2025: 0.086}
_UASC_SHAPE, _UASC_LARGEST_SHARE = 1.2, 0.30

RELEASES = (2021, 2022, 2024, 2025)  # of the long layout
_REVISED_COUNT, _REVISED_SMALLEST_STOCK, _LARGEST_REVISION = 12, 250, 15

# The tiny authorities are written by hand, because their hidden cells have to be small enough for the sum of the shown
# ones to stay within the tolerance of the country's row: looked after and started by reporting year.
_CITY_STOCK = (12, 14, 9, 10, 9, 8, 11, 12, 13, 10, 19, 21, 20, 10, 9, 7, 1)
_CITY_STARTED = (6, 5, 3, 5, 3, 3, 5, 8, 6, 9, 17, 15, 12, 7, 8, 7, 6)
_ISLAND_STOCK = tuple(int(year == 2020) for year in YEARS)  # one child, who came in 2020 and left in 2021
_ISLAND_STARTED = _ISLAND_STOCK
_YEARS_WITH_A_HIDDEN_STOCK = (2020, 2025)


@dataclass(frozen=True)
class Country:
    """All that is true of the country. Arrays have one row an authority, in the order of `authorities`.

    `counts` maps a measure (looked_after, started, ceased, uasc) to children by authority and reporting year. Figures
    stand there in years before and after the authority as well, because its pieces do; only `in_being` says when they
    may be published. `first_counted` maps a release to the children it had too many in its newest year: its
    looked-after counts were higher by them, and its ceased lower, than in the next release. `planted` maps an authority
    to its deviation from the nation over the window, on the log scale; the others have none. `covariates` and `explained`
    have an element an authority in being at the start of the window (`atlas.places().at_window_start`): what it had, and
    how far that moved it from the nation.
    """

    seed: int
    authorities: tuple[Authority, ...]
    members: sparse.csr_array
    pieces: list[str]
    population: Population
    counts: dict[str, Integers]
    first_counted: dict[int, Integers]
    planted: dict[str, float]
    exposures: Exposures
    covariates: Covariates
    explained: Floats

    def in_being(self, year: int) -> list[int]:
        """Rows of the authorities that exist on 31 March of a year."""
        return [row for row, authority in enumerate(self.authorities) if authority.in_being(f"{year}-03-31")]

    def count(self, measure: str, year: int, release: int | None = None) -> Integers:
        """Children of each authority in a reporting year, as counted in a release; as they stand today without one."""
        counted = self.counts[measure][:, year - FIRST_YEAR]
        if release is None or year != release or release not in self.first_counted:
            return counted
        sign = {"looked_after": 1, "ceased": -1}.get(measure, 0)
        return counted + sign * self.first_counted[release]

    def total(self, measure: str, year: int, release: int | None = None) -> int:
        """Children in the whole country, before rounding, hidden cells included."""
        return int(self.count(measure, year, release)[self.in_being(year)].sum())

    def children(self, by_piece: Integers) -> Integers:
        """Children of each authority from the children of each piece."""
        by_authority: Integers = self.members @ by_piece
        return by_authority


@dataclass(frozen=True)
class Stock:
    """Those looked after on 31 March, by piece and year, and what moved them over the window (see `Country`)."""

    children: Integers
    planted: dict[str, float]
    covariates: Covariates
    explained: Floats


def simulate(seed: int) -> Country:
    """Make the country of a seed. The same seed makes the same country."""
    places = atlas.places()
    authorities, pieces, members = places.authorities, places.pieces, places.members
    people = population.simulate(pieces, _stream(seed, 1))
    causes = simulate_exposures(seed)
    stock = simulate_stock(seed, people.rebased, causes)
    flows = _stream(seed, 3)
    started = _started(pieces, stock.children, flows)
    counts = {"looked_after": members @ stock.children, "started": members @ started}
    counts["ceased"] = _ceased(authorities, counts["looked_after"], counts["started"], flows)
    counts["uasc"] = members @ _unaccompanied(stock.children, _stream(seed, 4))
    return Country(
        seed=seed,
        authorities=authorities,
        members=members,
        pieces=pieces,
        population=people,
        counts=counts,
        first_counted=_first_counted(authorities, counts["looked_after"], _stream(seed, 5)),
        planted=stock.planted,
        exposures=causes,
        covariates=stock.covariates,
        explained=stock.explained,
    )


def _stream(seed: int, purpose: int) -> np.random.Generator:
    """Give one stream a purpose, so that a change in one does not move the others."""
    return np.random.default_rng([seed, purpose])


def simulate_exposures(seed: int) -> Exposures:
    """Draw the covariates of a seed."""
    return exposures.simulate(_stream(seed, 6), _stream(seed, 7))


def simulate_stock(
    seed: int, children: Integers, causes: Exposures, coefficients: planted.Coefficients = planted.PLANTED
) -> Stock:
    """Simulate the looked-after children of a seed over all years; `children` by piece and mid-year.

    A reporting year divides by the mid-year before it, so one column of `children` stands for both. Other `coefficients`
    than those of the files make another country from the same chance.
    """
    places = atlas.places()
    pieces, ordinary, rng = places.pieces, places.is_ordinary, _stream(seed, 2)
    stock = np.empty((len(pieces), len(YEARS)), dtype=np.int64)
    log_rate = _first_log_rates(causes.deprivation, rng)
    stock[:, 1] = _whole_stock(children[:, 1], log_rate)
    stock[:, 0] = _whole_stock(children[:, 0], log_rate - _NATIONAL_STEPS[_START] - _own_steps(stock[:, 1], rng))
    target = _pooled(children[:, 1], log_rate, ordinary)
    for year in range(_START + 1, WINDOW_START + 1):
        log_rate, target = _next_year(year, log_rate, target, children, stock, np.zeros(len(pieces)), ordinary, rng)

    at_start = WINDOW_START - FIRST_YEAR
    deviations = _plant(pieces, children[:, at_start], rng)
    covariates = exposures.of_window(causes, children, stock[:, at_start], children[:, at_start])
    looked_after = places.members_at_window_start @ stock[:, at_start]
    explained = planted.explained(covariates, looked_after.astype(float), coefficients)
    deviation = np.array([deviations.get(piece, 0.0) for piece in pieces])
    moved = (deviation + explained @ places.members_at_window_start) / (WINDOW_END - WINDOW_START)
    free = ordinary & (deviation == 0)
    for year in range(WINDOW_START + 1, LAST_YEAR + 1):
        log_rate, target = _next_year(year, log_rate, target, children, stock, moved, free, rng)
    stock[pieces.index(TINY_CITY)] = _CITY_STOCK
    stock[pieces.index(TINY_ISLAND)] = _ISLAND_STOCK
    return Stock(_keep_sums_close(pieces, stock, deviations), deviations, covariates, explained)


def _next_year(
    year: int,
    log_rate: Floats,
    pooled: float,
    children: Integers,
    stock: Integers,
    moved: Floats,
    free: Booleans,
    rng: np.random.Generator,
) -> tuple[Floats, float]:
    """Fill in one year of `stock`; give the log rates and the pooled rate of that year.

    `moved` is the step of the year that was planted, `free` the pieces that are shifted together to hold the nation.
    """
    here = year - FIRST_YEAR
    step = _NATIONAL_STEPS[year] + _own_steps(stock[:, here - 1], rng) + moved
    target = pooled * np.exp(_NATIONAL_STEPS[year])
    held = _held_to_the_nation(log_rate + step, children[:, here], target, free)
    stock[:, here] = _whole_stock(children[:, here], held)
    return held, target


def _first_log_rates(deprivation: Floats, rng: np.random.Generator) -> Floats:
    own = np.sqrt(1 - _RATE_BY_DEPRIVATION**2) * rng.standard_normal(len(deprivation))
    drawn = _RATE_MEDIAN * np.exp(_RATE_SPREAD * (_RATE_BY_DEPRIVATION * deprivation + own))
    log_rates: Floats = np.log(np.clip(drawn, _RATE_LOWEST, _RATE_HIGHEST) / 10_000)
    return log_rates


def _own_steps(stock: Integers, rng: np.random.Generator) -> Floats:
    return np.sqrt(_VARIANCE + _VARIANCE_PER_CHILD / stock) * rng.standard_normal(len(stock))


def _pooled(children: Integers, log_rate: Floats, ordinary: Booleans) -> float:
    """Pool the nation's rate, the tiny authorities left out as they are in every analysis."""
    return float((children * np.exp(log_rate))[ordinary].sum() / children[ordinary].sum())


def _held_to_the_nation(log_rate: Floats, children: Integers, target: float, free: Booleans) -> Floats:
    """Shift the free pieces together until the pooled rate is the target.

    So a planted deviation is one from the nation as anyone can compute it, planted authorities included, and not from a
    drift that only the simulation knows. One shift for all of them leaves every difference among them as it was.
    """
    ordinary = atlas.places().is_ordinary
    looked_after = children * np.exp(log_rate)
    wanted = target * children[ordinary].sum() - looked_after[ordinary & ~free].sum()
    return np.where(free, log_rate + np.log(wanted / looked_after[free].sum()), log_rate)


def _whole_stock(children: Integers, log_rate: Floats) -> Integers:
    stock: Integers = np.maximum(_SMALLEST_STOCK, np.floor(children * np.exp(log_rate) + 0.5)).astype(np.int64)
    return stock


def _plant(pieces: list[str], children: Integers, rng: np.random.Generator) -> dict[str, float]:
    """Choose authorities of middling to large size whose area never changes hands, and how far each is to go."""
    divided = {piece for members in gazetteer.PIECES_OF.values() for piece in members}
    eligible = [
        piece for piece, count in zip(pieces, children, strict=True)
        if piece not in divided and count >= _PLANTED_FEWEST_CHILDREN
    ]  # fmt: skip
    chosen = rng.choice(len(eligible), PLANTED_COUNT, replace=False)
    deviations = np.round(rng.uniform(_PLANTED_MOST, _PLANTED_LEAST, PLANTED_COUNT), 4)
    return {eligible[row]: float(deviation) for row, deviation in zip(chosen, deviations, strict=True)}


def _keep_sums_close(pieces: list[str], stock: Integers, planted: dict[str, float]) -> Integers:
    """Give a child to the largest authority where one hidden child would put the shown sum six from the country's row.

    With a total of ...5 the row is rounded up by five, and the shown cells, without the hidden child, fall one short
    of that. The published files stay within five.
    """
    kept = stock.copy()
    largest = max((row for row, piece in enumerate(pieces) if piece not in planted), key=lambda row: stock[row, -1])
    for year in _YEARS_WITH_A_HIDDEN_STOCK:
        kept[largest, year - FIRST_YEAR] += kept[:, year - FIRST_YEAR].sum() % 10 == 5
    return kept


def _started(pieces: list[str], stock: Integers, rng: np.random.Generator) -> Integers:
    """Children who started in each year: a share of the stock, more where it grew. Column 0 is not used."""
    before, now = np.hstack([stock[:, :1], stock[:, :-1]]), stock
    share = rng.normal(_TURNOVER, _TURNOVER_SPREAD, len(pieces))[:, None]
    noise = 1 + rng.normal(0, _TURNOVER_NOISE, stock.shape)
    growth = now - before
    expected = share * noise * (before + now) / 2 + growth / 2
    least = _SMALLEST_FLOW + np.maximum(0, growth)  # leaves as many to cease
    started: Integers = np.maximum(least, np.floor(expected + 0.5)).astype(np.int64)
    started[pieces.index(TINY_CITY)] = _CITY_STARTED
    started[pieces.index(TINY_ISLAND)] = _ISLAND_STARTED
    return started


def _ceased(
    authorities: tuple[Authority, ...], stock: Integers, started: Integers, rng: np.random.Generator
) -> Integers:
    """Children who ceased in each year, so that every authority's stock and flows agree but for a small gap."""
    gap = rng.integers(_GAP_LOWEST, _GAP_HIGHEST + 1, stock.shape)
    gap[[authority.code in gazetteer.TOO_SMALL for authority in authorities]] = 0
    before = np.hstack([stock[:, :1], stock[:, :-1]])
    return before + started - stock + gap


def _unaccompanied(stock: Integers, rng: np.random.Generator) -> Integers:
    nation = np.interp(YEARS, list(_UASC_SHARES), list(_UASC_SHARES.values()))
    place = rng.gamma(_UASC_SHAPE, 1 / _UASC_SHAPE, len(stock))
    return rng.binomial(stock, np.minimum(_UASC_LARGEST_SHARE, place[:, None] * nation)).astype(np.int64)


def _first_counted(
    authorities: tuple[Authority, ...], stock: Integers, rng: np.random.Generator
) -> dict[int, Integers]:
    """For each release but the newest: the children that a few authorities had too many or too few at first."""
    counted = {}
    for release in RELEASES[:-1]:
        eligible = [
            row for row, authority in enumerate(authorities)
            if authority.in_being(f"{release}-03-31")
            and stock[row, release - FIRST_YEAR] >= _REVISED_SMALLEST_STOCK
        ]  # fmt: skip
        rows = rng.choice(eligible, _REVISED_COUNT, replace=False)
        counted[release] = np.zeros(len(authorities), dtype=np.int64)
        counted[release][rows] = rng.integers(1, _LARGEST_REVISION + 1, _REVISED_COUNT) * rng.choice(
            [-1, 1], _REVISED_COUNT
        )
    return counted
