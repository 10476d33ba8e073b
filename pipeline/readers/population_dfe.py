"""Children aged 0-17 at mid-year by authority, as the Department for Education publishes the ONS estimates.

What belongs here: the columns of `ons_mid-year_population_estimates_*.csv` and which population vintage such a file is.
What does not: which vintage a rate uses (`panel`, `windows`) and the age-band extract (`population_age_bands`).

`year` of the tidy frame is the reporting year that the estimate serves: the children looked after on 31 March of year t
are divided by the children of mid-(t-1). The file's `time_period` is that mid-year.
"""

from __future__ import annotations

import pandas as pd

from pipeline.errors import Refusal
from pipeline.readers import cells, long, text_table, undated
from pipeline.readers.layout import (
    AUTHORITY,
    COUNTS,
    ENGLAND,
    POPULATION,
    REGION,
    Edition,
    Knowledge,
    Layout,
    SourceFile,
)
from pipeline.readers.opening import Opening

REBASED, PRE_CENSUS = "rebased", "pre_census"
# Estimates up to mid-2020 were published before the 2021 census was known; a file that reaches beyond it is rebased.
_LAST_MID_YEAR_BEFORE_CENSUS = 2020
_LEVELS = {"National": ENGLAND, "Regional": REGION, "Local authority": AUTHORITY}
_AGES = {"Children aged 0 to 17 years": "population_0_17"}
_COUNT = "population_estimate"
# What the looked-after releases have beside their populations (`cla_since_2018`).
_COLUMNS_OF_RELEASES = {"rate_per_10000", *long.MEASURE_COLUMNS, *long.COUNT_COLUMNS}


def _recognises(opening: Opening) -> bool:
    header = opening.header()
    own = [
        "age_group" in header,
        _COUNT in header,
        "time_period" in header and "geographic_level" in header,
    ]
    return sum(own) >= 2 and not header & _COLUMNS_OF_RELEASES


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    table = text_table.read(source.content, source.name)
    text_table.refuse_without_rows(table)
    at = table.column("time_period")
    years = {
        cells.year(line[at], cells.Place(source.name, row, "time_period"))
        for row, line in zip(table.row_numbers, table.rows, strict=True)
    }
    undated.refuse_other_span(min(years), max(years), source.name, "time_period")
    newest = max(years)
    return Edition(release=newest, part=PRE_CENSUS if newest <= _LAST_MID_YEAR_BEFORE_CENSUS else REBASED)


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    table = text_table.read(source.content, source.name)
    names = ("time_period", "geographic_level", "country_code", "country_name", "region_code", "region_name",
             "old_la_code", "la_name", "new_la_code", "age_group")  # fmt: skip
    at = {name: table.column(name) for name in names}
    count_at = table.column(_COUNT)
    seen = cells.Seen(source.name)
    totals: dict[tuple[str, str], set[int]] = {}
    records: list[tuple[object, ...]] = []
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        mid_year = int(line[at["time_period"]])
        level = cells.one_of(
            line[at["geographic_level"]], _LEVELS, cells.Place(source.name, row, "geographic_level"), "geography level"
        )
        code, ons_code, name = cells.area(line, at, level, source.name, row, knowledge.la_codes)
        measure = cells.one_of(line[at["age_group"]], _AGES, cells.Place(source.name, row, "age_group"), "age group")
        seen.once((level, code, mid_year), cells.Place(source.name, row, "time_period"), str(mid_year))
        if level != AUTHORITY:
            totals.setdefault((level, code), set()).add(mid_year)
        # The files were published after 2018, so their `x` is "not available".
        value, marker = cells.count(line[count_at], cells.Place(source.name, row, _COUNT), max(edition.release, 2018))
        records.append(
            (level, code, ons_code, name, mid_year + 1, edition.release, measure, value, marker,
             source.name, source.sha256, row, _COUNT)
        )  # fmt: skip
    _refuse_gaps(totals, {int(line[at["time_period"]]) for line in table.rows}, source.name)
    return COUNTS.frame(records)


def _refuse_gaps(totals: dict[tuple[str, str], set[int]], mid_years: set[int], file: str) -> None:
    """England and each region have a row for every mid-year; which authorities should is checked in `population`."""
    if not any(level == ENGLAND for level, _ in totals):
        raise _missing_row(file, "England", min(mid_years))
    for (_, code), there in sorted(totals.items()):
        if mid_years - there:
            raise _missing_row(file, code, min(mid_years - there))


def _missing_row(file: str, area: str, mid_year: int) -> Refusal:
    return Refusal(
        "missing_row",
        f"area {area} has no row for mid-{mid_year}: the file may have been cut short",
        file=file,
        remedy="use the file as published",
    )


LAYOUTS = [
    Layout(
        name="population_dfe",
        publication=POPULATION,
        title="ONS mid-year population estimates, children aged 0 to 17 (supporting file to Children in need)",
        publisher="Department for Education and Office for National Statistics",
        recognises=_recognises,
        edition=_edition,
        read=_read,
    )
]
