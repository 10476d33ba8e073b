"""Children looked after, the national time series since 1994: one row a year and measure, England only.

What belongs here: the columns and words of `cla_time_series_1994_YYYY.csv`, whichever way round it lists its years.
What does not: areas below England (`cla_since_2018`).
"""

from __future__ import annotations

import re

import pandas as pd

from pipeline.errors import Refusal
from pipeline.readers import cells, long, text_table, undated
from pipeline.readers.layout import (
    COUNTS,
    ENGLAND,
    NATIONAL_SERIES,
    Edition,
    Knowledge,
    Layout,
    SourceFile,
)
from pipeline.readers.opening import Opening

_FIRST_YEAR = 1994
_COLUMNS = {"time_period", "time_identifier", "geographic_level", "country_code", "country_name",
            *long.MEASURE_COLUMNS, *long.COUNT_COLUMNS}  # fmt: skip
_MEASURES = {
    "looked_after": re.compile(r"children looked after (at|on) 31 march( each year)?", re.IGNORECASE),
    "uasc": re.compile(
        r"children looked after (at|on) 31 march who were unaccompanied asylum.seeking children", re.IGNORECASE
    ),
    "started": re.compile(r"children starting to be looked after (during the|each) year", re.IGNORECASE),
    "ceased": re.compile(r"children ceasing to be looked after (during the|each) year", re.IGNORECASE),
    "adopted": re.compile(r"children looked after who were adopted (during the|each) year", re.IGNORECASE),
}


def _recognises(opening: Opening) -> bool:
    header = opening.header()
    if "old_la_code" in header or "rate_per_10000" in header or "cla_group" in header:
        return False
    if header & set(long.COUNT_COLUMNS) and header <= _COLUMNS:
        return True
    return bool(header & set(long.MEASURE_COLUMNS)) and bool(header & {"time_period", "country_name"})


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    table = text_table.read(source.content, source.name)
    text_table.refuse_without_rows(table)
    year_at = table.column("time_period")
    years = {
        cells.year(line[year_at], cells.Place(source.name, row, "time_period"))
        for row, line in zip(table.row_numbers, table.rows, strict=True)
    }
    gaps = sorted(set(range(_FIRST_YEAR, max(years) + 1)) - years)
    if gaps or min(years) < _FIRST_YEAR:
        raise Refusal(
            "missing_year",
            f"the series should run from {_FIRST_YEAR} without a gap, and it holds "
            + (f"no {gaps[0]}" if gaps else f"{min(years)}"),
            file=source.name,
            column="time_period",
            remedy="use the file as published",
        )
    undated.refuse_other_span(min(years), max(years), source.name, "time_period")
    return Edition(release=max(years))


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    table = text_table.read(source.content, source.name)
    year_at, code_at, name_at = (table.column(name) for name in ("time_period", "country_code", "country_name"))
    measure_name, measure_at = long.either(table, long.MEASURE_COLUMNS)
    count_name, count_at = long.either(table, long.COUNT_COLUMNS)
    seen = cells.Seen(source.name)
    records: list[tuple[object, ...]] = []
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        year = int(line[year_at])
        measure = long.measure(line[measure_at], _MEASURES, cells.Place(source.name, row, measure_name))
        seen.once((year, measure), cells.Place(source.name, row, "time_period"), str(year))
        value, marker = cells.count(line[count_at], cells.Place(source.name, row, count_name), edition.release)
        records.append(
            (ENGLAND, line[code_at].strip(), line[code_at].strip(), line[name_at].strip(), year, edition.release,
             measure, value, marker, source.name, source.sha256, row, count_name)
        )  # fmt: skip
    frame = COUNTS.frame(records)
    _refuse_gaps(frame, source.name)
    return frame


def _refuse_gaps(frame: pd.DataFrame, file: str) -> None:
    """Every year has all five series; a gap means that rows were lost."""
    for year, rows in frame.groupby("year"):
        missing = sorted(set(_MEASURES) - set(rows["measure"]))
        if missing:
            raise Refusal(
                "missing_row",
                f"the year {year} has no row for {', '.join(missing)}: the file may have been cut short",
                file=file,
                remedy="use the file as published",
            )


LAYOUTS = [
    Layout(
        name="cla_time_series",
        publication=NATIONAL_SERIES,
        title="Children looked after in England including adoptions: national time series",
        publisher="Department for Education",
        recognises=_recognises,
        edition=_edition,
        read=_read,
    )
]
