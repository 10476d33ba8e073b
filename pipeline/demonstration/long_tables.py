"""The long tables since the 2018 reporting year: one row an area, year and measure; and the national time series.

What belongs here: their columns, wording and markers by release, and the invented years of the series before the
simulation. What does not: the wide tables before them (`wide_tables`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.demonstration.areas import members, total, with_parts_last
from pipeline.demonstration.country import Country
from pipeline.demonstration.gazetteer import COUNTRY_CODE, COUNTRY_NAME, TINY_ISLAND, Region
from pipeline.demonstration.population import Integers
from pipeline.demonstration.printing import (
    CRLF,
    LARGEST_HIDDEN,
    LF,
    SUPPRESSED_SINCE_2018,
    Row,
    nearest,
    rate_per_10_000,
    write_table,
)

_NOT_APPLICABLE, _NOT_AVAILABLE = "z", "x"


@dataclass(frozen=True)
class Release:
    """One release of the long table and what is peculiar to it.

    `absent` is what an authority that does not exist has for population, count and rate. `rounded_population` says
    whether populations of the country and its regions are rounded to 10.
    """

    year: int
    first_year: int
    absent: tuple[str, str, str]
    line_end: str
    byte_order_mark: bool
    rounded_population: bool = False
    renamed: bool = False
    island_is_blank: bool = False

    @property
    def years(self) -> range:
        """The reporting years in the release."""
        return range(self.first_year, self.year + 1)


_ALL_Z = (_NOT_APPLICABLE, _NOT_APPLICABLE, _NOT_APPLICABLE)
_X_AND_Z = (_NOT_AVAILABLE, _NOT_APPLICABLE, _NOT_APPLICABLE)
LONG_RELEASES = (
    Release(2021, 2018, _ALL_Z, CRLF, byte_order_mark=False, rounded_population=True),
    Release(2022, 2018, _ALL_Z, LF, byte_order_mark=True, rounded_population=True),
    Release(2024, 2020, _X_AND_Z, CRLF, byte_order_mark=True),
    # The newest release says z for the island, which exists, and gives it a population all the same.
    Release(2025, 2021, _X_AND_Z, LF, byte_order_mark=True, renamed=True, island_is_blank=True),
)

_COLUMNS = (
    "time_period", "time_identifier", "geographic_level", "country_code", "country_name", "region_code", "region_name",
    "old_la_code", "la_name", "new_la_code", "population_count", "population_estimate", "number", "rate_per_10000",
)  # fmt: skip
_RENAMED = {"population_count": "population_type", "number": "children_count"}
_MEASURES = {  # in the order of the file
    "ceased": "Children ceasing to be looked after each year",
    "looked_after": "Children looked after at 31 March each year",
    "started": "Children starting to be looked after each year",
}
_RENAMED_MEASURES = {**_MEASURES, "looked_after": "Children looked after on 31 March each year"}
_REPORTING_YEAR = "Reporting year"

_SERIES_COLUMNS = (
    "time_period", "time_identifier", "geographic_level", "country_code", "country_name", "population_count", "number",
)  # fmt: skip
_SERIES = {  # in the order of the file
    "ceased": "Children ceasing to be looked after during the year",
    "looked_after": "Children looked after at 31 March",
    "uasc": "Children looked after at 31 March who were unaccompanied asylum-seeking children",
    "adopted": "Children looked after who were adopted during the year",
    "started": "Children starting to be looked after during the year",
}
_SERIES_FIRST_YEAR, _SERIES_SIMULATED_FROM, _UASC_FROM = 1994, 2010, 2004
# What the series was in some years before the simulation, as a share of its value in 2010; straight lines between.
_BEFORE_2010 = {
    "looked_after": {1994: 0.76, 2000: 0.88, 2004: 0.94, 2008: 0.93, 2010: 1.0},
    "started": {1994: 1.10, 2001: 0.90, 2008: 0.84, 2010: 1.0},
    "ceased": {1994: 1.16, 2001: 0.95, 2008: 0.93, 2010: 1.0},
    "uasc": {2004: 0.80, 2008: 1.15, 2010: 1.0},
    "adopted": {1994: 0.68, 2005: 1.15, 2010: 1.0},
}
_ADOPTED_SHARES = {2010: 0.050, 2015: 0.077, 2020: 0.043, 2025: 0.036}  # of the stock


def write_long_tables(country: Country, folder: Path) -> None:
    """Write the number and rate table of each release and the two time series, a folder a release."""
    for release in LONG_RELEASES:
        write_table(
            folder / str(release.year) / "cla_number_and_rate_per_10k_children.csv",
            _long_rows(country, release),
            line_end=release.line_end,
            byte_order_mark=release.byte_order_mark,
        )
    for year, newest_first, line_end in ((2022, False, LF), (2024, True, CRLF)):
        write_table(
            folder / str(year) / f"cla_time_series_{_SERIES_FIRST_YEAR}_{year}.csv",
            _series_rows(country, year, newest_first=newest_first),
            line_end=line_end,
            byte_order_mark=True,
        )


def _long_rows(country: Country, release: Release) -> list[Row]:
    table: list[Row] = [[_RENAMED.get(name, name) if release.renamed else name for name in _COLUMNS]]
    listed = sorted({row for year in release.years for row in country.in_being(year)})
    regions = {region.code: region for region in with_parts_last()}
    listed.sort(key=lambda row: (country.authorities[row].region, _area_code(country, row, release)))
    for year in reversed(release.years):
        start = [year, _REPORTING_YEAR]
        children = country.children(country.population.in_release(release.year, year))
        table += _sum_rows(country, release, year, start, children)
        for row in listed:
            authority = country.authorities[row]
            region = regions[authority.region]
            place = [region.code, region.name, authority.code, authority.name, _area_code(country, row, release)]
            table += [
                [*start, "Local authority", COUNTRY_CODE, COUNTRY_NAME, *place, *cells]
                for cells in _authority_cells(country, release, year, row, children)
            ]
    return table


def _area_code(country: Country, row: int, release: Release) -> str:
    # A release writes the codes of the day it comes out, for all its years.
    return country.authorities[row].area_code_on(f"{release.year}-11-01")


def _sum_rows(country: Country, release: Release, year: int, start: list[object], children: Integers) -> list[Row]:
    """Build the rows of the country and of its regions and parts, whose counts are rounded to 10."""
    everyone = country.in_being(year)
    areas: list[tuple[str, Region | None, list[int]]] = [("National", None, everyone)]
    areas += [("Regional", region, members(country, everyone, region)) for region in with_parts_last()]
    table: list[Row] = []
    for level, region, rows in areas:
        population = total(children, rows)
        if release.rounded_population:
            population = nearest(population, 10)
        place = [region.code, region.name] if region else ["", ""]
        for measure, wording in _wording(release).items():
            exact = total(country.count(measure, year, release.year), rows)
            # The country's rate can be worked out from its rounded count; a region's comes from the exact one.
            rate = rate_per_10_000(exact if region else nearest(exact, 10), population)
            table.append(
                [*start, level, COUNTRY_CODE, COUNTRY_NAME, *place, "", "", "", wording, population]
                + [nearest(exact, 10), rate]
            )
    return table


def _authority_cells(country: Country, release: Release, year: int, row: int, children: Integers) -> list[list[object]]:
    """Give measure, population, count and rate of one authority in one year, a line a measure."""
    authority = country.authorities[row]
    lines: list[list[object]] = []
    if not authority.in_being(f"{year}-03-31"):
        nobody, number, rate = release.absent
        return [[wording, nobody, number, rate] for wording in _wording(release).values()]
    population = int(children[row])
    for measure, wording in _wording(release).items():
        count = int(country.count(measure, year, release.year)[row])
        if 1 <= count <= LARGEST_HIDDEN:
            lines.append([wording, population, SUPPRESSED_SINCE_2018, SUPPRESSED_SINCE_2018])
        elif release.island_is_blank and authority.code == TINY_ISLAND:
            lines.append([wording, population, _NOT_APPLICABLE, _NOT_APPLICABLE])
        else:
            lines.append([wording, population, count, rate_per_10_000(count, population)])
    return lines


def _wording(release: Release) -> dict[str, str]:
    return _RENAMED_MEASURES if release.renamed else _MEASURES


def _series_rows(country: Country, release: int, *, newest_first: bool) -> list[Row]:
    years = range(_SERIES_FIRST_YEAR, release + 1)
    start = ["Reporting year", "National", COUNTRY_CODE, COUNTRY_NAME]
    rows: list[Row] = [_SERIES_COLUMNS]
    for year in reversed(years) if newest_first else years:
        for measure, wording in _SERIES.items():
            hidden = measure == "uasc" and year < _UASC_FROM
            figure = _NOT_AVAILABLE if hidden else nearest(_series_value(country, measure, year, release), 10)
            rows.append([year, *start, wording, figure])
    return rows


def _series_value(country: Country, measure: str, year: int, release: int) -> int:
    if year < _SERIES_SIMULATED_FROM:
        known = _BEFORE_2010[measure]
        share = float(np.interp(year, list(known), list(known.values())))
        return round(share * _series_value(country, measure, _SERIES_SIMULATED_FROM, release))
    if measure == "adopted":
        share = float(np.interp(year, list(_ADOPTED_SHARES), list(_ADOPTED_SHARES.values())))
        return round(share * country.total("looked_after", year, release))
    return country.total(measure, year, release)
