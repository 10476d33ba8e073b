"""The windows over which changes are taken, and the numbers at their two ends.

What belongs here: which windows there are (methods.md C1), their single population vintage (B3), and each unit's count
and population at either end (B8). What does not: changes and classes (`trends`), and who is left out (`exclusions`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from pipeline import geography
from pipeline.geography import Areas, Unit
from pipeline.panel import NO_DENOMINATOR, newest_release
from pipeline.population import AGE_BAND_ESTIMATE, boundaries_day
from pipeline.readers.population_dfe import PRE_CENSUS, REBASED
from pipeline.settings import WindowSettings

PRIMARY, ALTERNATE, STUDY, HISTORY = "primary", "alternate", "study", "history"


@dataclass(frozen=True)
class Window:
    """One window between 31 March of two reporting years, on one population vintage."""

    window_id: str
    start: int
    end: int
    vintage: str
    role: str

    @property
    def years(self) -> int:
        """Its length."""
        return self.end - self.start


def windows(latest: int, settings: WindowSettings) -> list[Window]:
    """Every window that the rules allow when `latest` is the newest reporting year, oldest end first."""
    h, short = settings.years, settings.alternate_years
    study = settings.study_end
    named = [
        Window("main_h5", latest - h, latest, REBASED, PRIMARY),
        Window("main_h4", latest - short, latest, REBASED, ALTERNATE),
        Window("prev_h5", latest - 1 - h, latest - 1, REBASED, ALTERNATE),
        Window("orig_h4", study - short, study, PRE_CENSUS, STUDY),
        Window("orig_h5", study - h, study, PRE_CENSUS, STUDY),
    ]
    taken = {(window.start, window.end) for window in named}
    history = [
        Window(f"hist_h5_{end}", end - h, end, REBASED, HISTORY)
        for end in range(settings.first_rebased_start + h, latest - 1)
        if (end - h, end) not in taken
    ]
    return sorted(named + history, key=lambda window: (window.end, -window.years, window.window_id))


class Cell(NamedTuple):
    """A count or population of one authority at one end; `reason` says why there is no value."""

    value: int | None
    reason: str | None
    evidence: str | None = None


_NOT_LISTED = Cell(None, "not_available", "no row in the release")
_NO_ROW = Cell(None, NO_DENOMINATOR, "no row in the population file")


@dataclass(frozen=True)
class Counts:
    """Children looked after by authority and year, with the release of each year and the codes its file lists."""

    cells: dict[tuple[str, int], Cell]
    release_of_year: dict[int, int]
    published_codes: dict[int, frozenset[str]]


@dataclass(frozen=True)
class Denominators:
    """Populations of one window's two ends. `as_of` is the day of the start's boundaries, where not the start itself."""

    start: dict[str, Cell]
    end: dict[str, Cell]
    as_of: dt.date | None

    @property
    def is_estimated(self) -> bool:
        """Whether the start is added up from age bands, which are on later boundaries."""
        return self.as_of is not None


class UnitEnds(NamedTuple):
    """A unit with its four numbers, all there or with the cell that is not.

    `missing` holds (reason, year, evidence) of the first number that is missing, counts before populations.
    """

    unit: Unit
    looked_after: tuple[int | None, int | None]
    population: tuple[int | None, int | None]
    missing_count: tuple[str, int, str | None] | None
    missing_population: tuple[str, int, str | None] | None


@dataclass(frozen=True)
class WindowData:
    """One window with all its units, or why it cannot be computed."""

    window: Window
    published: frozenset[str]
    units: tuple[UnitEnds, ...]
    releases: tuple[int, int]
    is_estimated: bool
    not_computed: str | None = None


def counts(looked_after: pd.DataFrame) -> Counts:
    """Counts of the newest release of each year, from `core.children_looked_after`."""
    newest = newest_release(looked_after)
    rows = newest.loc[newest["measure"] == "looked_after"]
    cells = {
        (code, year): Cell(value, meaning, None if marker is None else f"marker {marker} in the release of {release}")
        for code, year, value, meaning, marker, release in zip(
            *(_plain(rows[name]) for name in ("la_code", "year", "value", "marker_meaning", "marker", "release")),
            strict=True,
        )
    }
    return Counts(
        cells=cells,
        release_of_year={int(year): int(release) for year, release in rows.groupby("year")["release"].max().items()},
        published_codes={int(year): frozenset(group) for year, group in rows.groupby("year")["la_code"]},
    )


def denominators(window: Window, population: pd.DataFrame) -> Denominators | None:
    """Populations of the window's vintage at both ends; None where an end has none.

    The vintage from before the census begins with mid-2012; for the reporting year before, the age-band estimate stands
    in, which belongs to the same estimates but is on later boundaries.
    """
    end = _populations(population, window.vintage, window.end)
    start = _populations(population, window.vintage, window.start)
    if start and end:
        return Denominators(start, end, as_of=None)
    estimate = _populations(population, AGE_BAND_ESTIMATE, window.start)
    if window.vintage == PRE_CENSUS and end and estimate:
        edition = population.loc[population["vintage"] == AGE_BAND_ESTIMATE, "edition"].iloc[0]
        return Denominators(estimate, end, as_of=boundaries_day(int(edition)))
    return None


def _populations(population: pd.DataFrame, vintage: str, year: int) -> dict[str, Cell]:
    rows = population.loc[(population["vintage"] == vintage) & (population["year"] == year)]
    return {
        code: Cell(
            value,
            NO_DENOMINATOR if value is None else None,
            None if marker is None else f"marker {marker} in the population file",
        )
        for code, value, marker in zip(
            *(_plain(rows[name]) for name in ("la_code", "population_0_17", "marker")), strict=True
        )
    }


def _plain(column: pd.Series) -> list[Any]:
    """The values as plain Python ones, None where there is none."""
    values: list[Any] = column.astype(object).where(column.notna(), None).tolist()
    return values


def all_window_data(
    looked_after: pd.DataFrame, population: pd.DataFrame, areas: Areas, settings: WindowSettings
) -> list[WindowData]:
    """Every window up to the newest reporting year, with its units and their numbers, from the core tables."""
    counted = counts(looked_after)
    latest = max(counted.release_of_year)
    return [window_data(window, counted, population, areas) for window in windows(latest, settings)]


def window_data(window: Window, counted: Counts, population: pd.DataFrame, areas: Areas) -> WindowData:
    """All units of the window with their counts and populations."""
    years = (window.start, window.end)
    absent = [year for year in years if year not in counted.release_of_year]
    if absent:
        return _not_computed(window, f"no looked-after counts for {' and '.join(map(str, absent))}")
    populations = denominators(window, population)
    if populations is None:
        return _not_computed(window, f"no {window.vintage} populations for {window.start} or {window.end}")
    units = geography.units(areas, window.start, window.end, populations.as_of)
    return WindowData(
        window=window,
        published=counted.published_codes[window.start] | counted.published_codes[window.end],
        units=tuple(_ends(unit, window, counted, populations) for unit in units),
        releases=(counted.release_of_year[window.start], counted.release_of_year[window.end]),
        is_estimated=populations.is_estimated,
    )


def _not_computed(window: Window, why: str) -> WindowData:
    return WindowData(window, frozenset(), (), (0, 0), is_estimated=False, not_computed=why)


def _ends(unit: Unit, window: Window, counted: Counts, populations: Denominators) -> UnitEnds:
    count_cells = [
        (year, [counted.cells.get((code, year), _NOT_LISTED) for code in codes])
        for year, codes in ((window.start, unit.start), (window.end, unit.end))
    ]
    population_cells = [
        (window.start, [populations.start.get(code, _NO_ROW) for code in unit.population_start]),
        (window.end, [populations.end.get(code, _NO_ROW) for code in unit.end]),
    ]
    looked_after = tuple(_all_or_none(cells) for _, cells in count_cells)
    population = tuple(_all_or_none(cells) for _, cells in population_cells)
    return UnitEnds(
        unit=unit,
        looked_after=(looked_after[0], looked_after[1]),
        population=(population[0], population[1]),
        missing_count=_first_missing(count_cells),
        missing_population=_first_missing(population_cells),
    )


def _all_or_none(cells: Iterable[Cell]) -> int | None:
    """The sum of the members; None as soon as one of them has no number."""
    total = 0
    for cell in cells:
        if cell.value is None:
            return None
        total += cell.value
    return total


def _first_missing(ends: list[tuple[int, list[Cell]]]) -> tuple[str, int, str | None] | None:
    for year, cells in ends:
        for cell in cells:
            if cell.value is None:
                return cell.reason or "not_available", year, cell.evidence
    return None
