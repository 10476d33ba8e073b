"""Children looked after, the long layout since the 2018 reporting year: one row an area, year and measure.

What belongs here: the columns and words of `cla_number_and_rate_per_10k_children.csv` in all its vintages, the renamed
ones of 2025 included. A release that keeps to them needs no new code, whatever its year. What does not: the national
time series (`cla_time_series`) and the other tables of the same releases.

A release holds five years, and its first years are revised ones. The release is the newest year with an England row;
the layout began with 2018, so earlier releases hold fewer years.
"""

from __future__ import annotations

import re

import pandas as pd

from pipeline.errors import Refusal
from pipeline.readers import cells, long, text_table
from pipeline.readers.layout import (
    AUTHORITY,
    COUNTS,
    ENGLAND,
    LOOKED_AFTER,
    REGION,
    Edition,
    Knowledge,
    Layout,
    SourceFile,
)
from pipeline.readers.opening import Opening

_FIRST_YEAR = 2018
_YEARS_IN_RELEASE = 5
_LEVELS = {"National": ENGLAND, "Regional": REGION, "Local authority": AUTHORITY}
_POPULATION, _RATE = "population_estimate", "rate_per_10000"
# The wording changes between releases ("at" or "on" 31 March), the beginning does not.
_MEASURES = {
    "looked_after": re.compile(r"children looked after (at|on) 31 march( each year)?", re.IGNORECASE),
    "started": re.compile(r"children starting to be looked after( each year| during the year)?", re.IGNORECASE),
    "ceased": re.compile(r"children ceasing to be looked after( each year| during the year)?", re.IGNORECASE),
}


def _recognises(opening: Opening) -> bool:
    header = opening.header()
    if "age_group" in header or not header & {"time_period", "geographic_level"}:
        return False
    own = [bool(header & set(long.MEASURE_COLUMNS)), _POPULATION in header, _RATE in header]
    return sum(own) >= 2  # any one of the three may be the column that is missing


def _years(table: text_table.TextTable) -> dict[int, int]:
    """Year -> number of its rows. Refuses a year that has no England row: it does not belong to the release."""
    year_at, level_at = table.column("time_period"), table.column("geographic_level")
    rows: dict[int, int] = {}
    first_row: dict[int, int] = {}
    with_england = set()
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        year = cells.year(line[year_at], cells.Place(table.file, row, "time_period"))
        rows[year] = rows.get(year, 0) + 1
        first_row.setdefault(year, row)
        if _LEVELS.get(line[level_at].strip()) == ENGLAND:
            with_england.add(year)
    for year in sorted(set(rows) - with_england):
        raise _outside(table.file, first_row[year], year, with_england)
    newest = max(with_england, default=0)
    for year in sorted(with_england):
        if not max(_FIRST_YEAR, newest - _YEARS_IN_RELEASE + 1) <= year:
            raise _outside(table.file, first_row[year], year, {newest - _YEARS_IN_RELEASE + 1, newest})
    expected = range(max(_FIRST_YEAR, newest - _YEARS_IN_RELEASE + 1), newest + 1)
    for year in expected:
        if year not in rows:
            raise Refusal(
                "missing_year",
                f"the release of {newest} should hold {expected[0]} to {newest}, and {year} is not there: "
                "the file may have been cut short",
                file=table.file,
                column="time_period",
                remedy="use the file as published",
            )
    return rows


def _outside(file: str, row: int, year: int, years: set[int]) -> Refusal:
    held = f"{min(years)} to {max(years)}" if years else "no year with an England row"
    return Refusal(
        "year_outside_release",
        f"the year does not belong to the release, which holds {held}",
        file=file,
        row=row,
        column="time_period",
        value=str(year),
        remedy="use the file as published",
    )


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    table = text_table.read(source.content, source.name)
    text_table.refuse_without_rows(table)
    return Edition(release=max(_years(table)))


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    """Counts, published rates and the release's own population, one record a cell.

    The population stands in all three rows of an area and year; it is taken once and must be the same in the others.
    """
    table = text_table.read(source.content, source.name)
    names = ("time_period", "geographic_level", "country_code", "country_name", "region_code", "region_name",
             "old_la_code", "la_name", "new_la_code")  # fmt: skip
    at = {name: table.column(name) for name in names}
    measure_name, measure_at = long.either(table, long.MEASURE_COLUMNS)
    count_name, count_at = long.either(table, long.COUNT_COLUMNS)
    population_at, rate_at = table.column(_POPULATION), table.column(_RATE)
    release = edition.release
    seen = cells.Seen(source.name)
    populations: dict[tuple[str, int], tuple[int | None, str | None]] = {}
    measures_of: dict[tuple[str, str, int], set[str]] = {}
    records: list[tuple[object, ...]] = []
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        year = int(line[at["time_period"]])
        level = cells.one_of(
            line[at["geographic_level"]], _LEVELS, cells.Place(source.name, row, "geographic_level"), "geography level"
        )
        code, ons_code, name = cells.area(line, at, level, source.name, row, knowledge.la_codes)
        measure = long.measure(line[measure_at], _MEASURES, cells.Place(source.name, row, measure_name))
        seen.once((level, code, year, measure), cells.Place(source.name, row, "time_period"), str(year))
        measures_of.setdefault((level, code, year), set()).add(measure)
        population = cells.count(line[population_at], cells.Place(source.name, row, _POPULATION), release)
        readings = [
            (measure, count_name, cells.count(line[count_at], cells.Place(source.name, row, count_name), release)),
            (f"{measure}_rate_per_10k", _RATE,
             cells.count(line[rate_at], cells.Place(source.name, row, _RATE), release)),
        ]  # fmt: skip
        if (code, year) not in populations:
            populations[code, year] = population
            readings.append(("population_0_17", _POPULATION, population))
        elif populations[code, year] != population:
            raise Refusal(
                "population_differs",
                f"another row of the same area and year has {_shown(populations[code, year])}",
                file=source.name,
                row=row,
                column=_POPULATION,
                value=line[population_at],
                remedy="use the file as published",
            )
        for reading, column, (value, marker) in readings:
            records.append(
                (level, code, ons_code, name, year, release, reading, value, marker,
                 source.name, source.sha256, row, column)
            )  # fmt: skip
    _refuse_gaps(measures_of, source.name)
    return COUNTS.frame(records)


def _shown(cell: tuple[int | None, str | None]) -> str:
    return str(cell[0] if cell[1] is None else cell[1])


def _refuse_gaps(measures_of: dict[tuple[str, str, int], set[str]], file: str) -> None:
    """Every area of the file has a row for every year and measure of it; a gap means that rows were lost."""
    areas = {(level, code) for level, code, _ in measures_of}
    years = {year for _, _, year in measures_of}
    for level, code in sorted(areas):
        for year in sorted(years):
            missing = set(_MEASURES) - measures_of.get((level, code, year), set())
            if missing:
                raise Refusal(
                    "missing_row",
                    f"area {code} has no row for {year} ({', '.join(sorted(missing))}): the file may have been cut short",
                    file=file,
                    remedy="use the file as published",
                )


LAYOUTS = [
    Layout(
        name="cla_since_2018",
        publication=LOOKED_AFTER,
        title="Children looked after in England including adoptions",
        publisher="Department for Education",
        recognises=_recognises,
        edition=_edition,
        read=_read,
    )
]
