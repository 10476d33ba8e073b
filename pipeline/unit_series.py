"""Counts and populations of units over any years, as arrays: the inputs of every statistic of change.

What belongs here: which release speaks for a year, adding the members of a unit up (methods.md B4, B8), and England
pooled over units (C2). What does not: which units a window has (`geography`), what is made of the numbers (`trends`,
`volatility`, `memory`) and the published ends of a window (`windows`).

A number is a float and a missing one NaN, always with its reason in an array of the same shape.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import geography
from pipeline.geography import Areas, Unit
from pipeline.panel import newest_release
from pipeline.population import AGE_BAND_ESTIMATE, boundaries_day
from pipeline.readers.population_dfe import PRE_CENSUS
from pipeline.reasons import BOUNDARY_CHANGE, DENOMINATOR_GEOGRAPHY, NO_DENOMINATOR, NOT_AVAILABLE

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Reasons = npt.NDArray[np.object_]

LOOKED_AFTER = "looked_after"
NOT_IN_BEING, OTHER_BOUNDARIES = BOUNDARY_CHANGE, DENOMINATOR_GEOGRAPHY


@dataclass(frozen=True)
class Cells:
    """The numbers of one measure by authority and year, each year from one source.

    `numbers` and `reasons` have shape (codes, years); `releases` has the release of each year, where counts have one.
    `boundaries` names the years whose numbers are on the boundaries of another day than 31 March of the year.
    """

    codes: tuple[str, ...]
    years: tuple[int, ...]
    numbers: Floats
    reasons: Reasons
    releases: Mapping[int, int] = field(default_factory=dict)
    boundaries: Mapping[int, dt.date] = field(default_factory=dict)
    no_row: str = NOT_AVAILABLE  # the reason where the source has no row for an authority

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {code: at for at, code in enumerate(self.codes)}

    def rows_of(self, codes: Iterable[str]) -> Integers:
        """The place of each code in the columns of `in_year`; those the source has no row for share the last one."""
        return np.array([self._row_of.get(code, len(self.codes)) for code in codes], dtype=np.int64)

    def in_year(self, year: int) -> tuple[Floats, Reasons]:
        """Numbers and reasons of one year, shape (codes + 1,): the last is of a code without a row."""
        absent = len(self.codes)
        if year not in self.years:
            return np.full(absent + 1, np.nan), np.full(absent + 1, self.no_row, dtype=object)
        column = self.years.index(year)
        return np.append(self.numbers[:, column], np.nan), np.append(self.reasons[:, column], self.no_row)


@dataclass(frozen=True)
class UnitSeries:
    """One measure of some units over some years: `numbers` and `reasons` of shape (units, years)."""

    units: tuple[Unit, ...]
    years: tuple[int, ...]
    numbers: Floats
    reasons: Reasons

    def at(self, year: int) -> Floats:
        """The numbers of one year, shape (units,)."""
        return self.numbers[:, self.years.index(year)]

    def over(self, years: Iterable[int]) -> Floats:
        """The numbers of some of the years, shape (units, years)."""
        return self.numbers[:, [self.years.index(year) for year in years]]


# ---------------------------------------------------------------------------------------------------------------------
# Which release speaks for a year


def newest(looked_after: pd.DataFrame, measure: str = LOOKED_AFTER) -> Cells:
    """Of each year the newest release that has it (B4), from `core.children_looked_after`."""
    return _counts(newest_release(_of_measure(looked_after, measure)))


def of_release(looked_after: pd.DataFrame, release: int, measure: str = LOOKED_AFTER) -> Cells:
    """The years of one release."""
    rows = _of_measure(looked_after, measure)
    return _counts(rows.loc[rows["release"] == release])


def release_holding(looked_after: pd.DataFrame, years: Sequence[int], measure: str = LOOKED_AFTER) -> int | None:
    """The newest release that holds all the years, so that a change between them is within one release; None without."""
    rows = _of_measure(looked_after, measure)
    held = rows.loc[rows["year"].isin(years)].groupby("release")["year"].nunique()
    whole = held.index[held == len(set(years))]
    return int(max(whole)) if len(whole) else None


def next_older(looked_after: pd.DataFrame, measure: str = LOOKED_AFTER) -> Cells:
    """Of each year the release before the newest one that has it; a year with one release only is not there."""
    rows = _of_measure(looked_after, measure)
    newest_of_year = rows.groupby("year")["release"].transform("max")
    return _counts(newest_release(rows.loc[rows["release"] < newest_of_year]))


def _of_measure(looked_after: pd.DataFrame, measure: str) -> pd.DataFrame:
    return looked_after.loc[looked_after["measure"] == measure]


def _counts(rows: pd.DataFrame) -> Cells:
    return cells(
        rows["la_code"],
        rows["year"],
        rows["value"],
        rows["marker_meaning"],
        no_row=NOT_AVAILABLE,
        releases={int(year): int(release) for year, release in rows.groupby("year")["release"].max().items()},
    )


def populations(population: pd.DataFrame, vintage: str) -> Cells:
    """Children aged 0-17 of one vintage, from `core.population`.

    The vintage from before the census begins with mid-2012; for the one reporting year before its first, the age-band
    estimate stands in, which is on the boundaries of its edition (B3).
    """
    rows = population.loc[population["vintage"] == vintage]
    boundaries: dict[int, dt.date] = {}
    if vintage == PRE_CENSUS and len(rows):
        before = int(rows["year"].min()) - 1
        estimate = population.loc[(population["vintage"] == AGE_BAND_ESTIMATE) & (population["year"] == before)]
        if len(estimate):
            boundaries[before] = boundaries_day(int(estimate["edition"].iloc[0]))
            rows = pd.concat([rows, estimate])
    reasons = pd.Series(NO_DENOMINATOR, index=rows.index, dtype="string")
    return cells(
        rows["la_code"], rows["year"], rows["population_0_17"], reasons, no_row=NO_DENOMINATOR, boundaries=boundaries
    )


def cells(
    codes: pd.Series,
    years: pd.Series,
    values: pd.Series,
    reasons: pd.Series,
    *,
    no_row: str,
    releases: Mapping[int, int] | None = None,
    boundaries: Mapping[int, dt.date] | None = None,
) -> Cells:
    """Cells from four columns of a frame, one row an authority and year: a second row for one is a ValueError.

    `reasons` says why a value is missing and is not looked at elsewhere; where it says nothing, `no_row` stands in.
    """
    keys = pd.DataFrame({"code": codes.astype("string"), "year": years.astype("int64")})
    if keys.duplicated().any():
        raise ValueError(f"two numbers for one authority and year: {keys.loc[keys.duplicated()].iloc[0].to_list()}")
    all_codes, code_at = np.unique(keys["code"].to_numpy(dtype=object).astype(str), return_inverse=True)
    all_years, year_at = np.unique(keys["year"].to_numpy(), return_inverse=True)
    numbers = values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    grid = np.full((len(all_codes), len(all_years)), np.nan)
    why = np.full(grid.shape, no_row, dtype=object)
    grid[code_at, year_at] = numbers
    why[code_at, year_at] = np.where(np.isnan(numbers), reasons.astype("string").fillna(no_row).to_numpy(object), None)
    return Cells(
        codes=tuple(all_codes.tolist()),
        years=tuple(int(year) for year in all_years),
        numbers=grid,
        reasons=why,
        releases=dict(releases or {}),
        boundaries=dict(boundaries or {}),
        no_row=no_row,
    )


# ---------------------------------------------------------------------------------------------------------------------
# Adding up the members


def of_units(units: Sequence[Unit], years: Sequence[int], source: Cells, areas: Areas) -> UnitSeries:
    """Each unit's number in each year: the sum over its members in being on 31 March, all numeric, else NaN (B8).

    The reason is that of the first member without a number; boundary_change where no member was in being, as for a new
    authority before it existed. A year that the source does not have is missing with the source's own reason.
    """
    numbers = np.full((len(units), len(years)), np.nan)
    reasons = np.full(numbers.shape, None, dtype=object)
    plain = [at for at, unit in enumerate(units) if unit.unit_id in areas.unchanged_units]
    others = [at for at, unit in enumerate(units) if unit.unit_id not in areas.unchanged_units]
    rows = source.rows_of([units[at].unit_id for at in plain])
    for column, year in enumerate(years):
        values, why = source.in_year(year)
        numbers[plain, column] = values[rows]
        own = why[rows]
        own[~np.isnan(values[rows])] = None  # `why` of several rows is a copy
        reasons[plain, column] = own
        members = [members_in(units[at], year, source, areas) for at in others]
        numbers[others, column], reasons[others, column] = add_up(source, year, members)
    return UnitSeries(tuple(units), tuple(years), numbers, reasons)


@dataclass(frozen=True)
class Members:
    """The codes whose numbers add up to a unit's in one year; none of them, with the reason, where nothing does."""

    codes: tuple[str, ...]
    reason: str | None = None


def members_in(unit: Unit, year: int, source: Cells, areas: Areas) -> Members:
    """The members in being on 31 March of the year, or what became of them where the source is on later boundaries.

    Later boundaries serve a unit when no authority outside it has a share in the successors (denominator_geography
    otherwise).
    """
    day = geography.stock_day(year)
    then = {code for code in unit.members if areas.in_being(code, day)}
    if not then:
        return Members((), NOT_IN_BEING)
    later = source.boundaries.get(year)
    if later is None:
        return Members(tuple(sorted(then)))
    tied = [group for group in areas.components(day, later) if group & then]
    if any(areas.in_being(code, day) and code not in then for group in tied for code in group):
        return Members((), OTHER_BOUNDARIES)
    whole = then.union(*tied)
    return Members(tuple(sorted(code for code in whole if areas.in_being(code, later))))


def add_up(source: Cells, year: int, members: Sequence[Members]) -> tuple[Floats, Reasons]:
    """The sum over each group of codes in one year, NaN with a reason as soon as one has no number; shape (groups,)."""
    numbers, why = source.in_year(year)
    sums = np.full(len(members), np.nan)
    reasons = np.array([group.reason for group in members], dtype=object)
    for at, group in enumerate(members):
        if group.codes:
            rows = source.rows_of(group.codes)
            sums[at] = numbers[rows].sum()
            reasons[at] = next((why[row] for row in rows if np.isnan(numbers[row])), None)
    return sums, reasons


def log_rates(counts: Floats, people: Floats) -> Floats:
    """L = ln(N / P) where both are above 0, else NaN; shapes as given."""
    usable = (counts > 0) & (people > 0)
    return np.log(np.where(usable, counts, np.nan) / np.where(usable, people, np.nan))


def england_log_rate(counts: Floats, people: Floats) -> Floats:
    """L_E(t) = ln(sum N / sum P) over the units, shape (..., years) from (..., units, years). Needs complete numbers."""
    log_rate: Floats = np.log(counts.sum(axis=-2) / people.sum(axis=-2))
    return log_rate


def complete(*series: UnitSeries) -> npt.NDArray[np.bool_]:
    """Which units have a number above 0 in every year of every series; shape (units,)."""
    is_complete: npt.NDArray[np.bool_] = np.logical_and.reduce([(one.numbers > 0).all(axis=1) for one in series])
    return is_complete
