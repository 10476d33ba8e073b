"""Children aged 0-17 at mid-year by authority, as the Department for Education publishes the ONS estimates.

What belongs here: the columns of `ons_mid-year_population_estimates_*.csv` and which population vintage such a file is.
What does not: which vintage a rate uses (`panel`, `windows`) and the age-band extract (`population_age_bands`).

`year` of the tidy frame is the reporting year that the estimate serves: the children looked after on 31 March of year t
are divided by the children of mid-(t-1). The file's `time_period` is that mid-year.
"""

from __future__ import annotations

import pandas as pd

from pipeline.errors import Refusal
from pipeline.readers import cells, text_table
from pipeline.readers.layout import (
    AUTHORITY,
    ENGLAND,
    POPULATION,
    REGION,
    Edition,
    Knowledge,
    Layout,
    SourceFile,
    header_of,
    tidy,
)

REBASED, PRE_CENSUS = "rebased", "pre_census"
# Estimates up to mid-2020 were published before the 2021 census was known; a file that reaches beyond it is rebased.
_LAST_MID_YEAR_BEFORE_CENSUS = 2020
_LEVELS = {"National": ENGLAND, "Regional": REGION, "Local authority": AUTHORITY}
_AGES = {"Children aged 0 to 17 years": "population_0_17"}
_COUNT = "population_estimate"


def _recognises(rows: list[list[str]]) -> bool:
    header = header_of(rows)
    own = [
        "age_group" in header,
        _COUNT in header,
        "time_period" in header and "geographic_level" in header,
    ]
    return sum(own) >= 2 and "rate_per_10000" not in header and "number" not in header


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    table = text_table.read(source.content, source.name)
    at = table.column("time_period")
    years = {
        cells.year(line[at], cells.Place(source.name, row, "time_period"))
        for row, line in zip(table.row_numbers, table.rows, strict=True)
    }
    if not years:
        raise Refusal(
            "no_rows", "the file has a header and no rows", file=source.name, remedy="use the file as published"
        )
    newest = max(years)
    return Edition(release=newest, part=PRE_CENSUS if newest <= _LAST_MID_YEAR_BEFORE_CENSUS else REBASED)


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    table = text_table.read(source.content, source.name)
    names = ("time_period", "geographic_level", "country_code", "country_name", "region_code", "region_name",
             "old_la_code", "la_name", "new_la_code", "age_group")  # fmt: skip
    at = {name: table.column(name) for name in names}
    count_at = table.column(_COUNT)
    seen = cells.Seen(source.name)
    records: list[tuple[object, ...]] = []
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        mid_year = int(line[at["time_period"]])
        level = cells.one_of(
            line[at["geographic_level"]], _LEVELS, cells.Place(source.name, row, "geographic_level"), "geography level"
        )
        code, ons_code, name = cells.area(line, at, level, source.name, row, knowledge.la_codes)
        measure = cells.one_of(line[at["age_group"]], _AGES, cells.Place(source.name, row, "age_group"), "age group")
        seen.once((level, code, mid_year), cells.Place(source.name, row, "time_period"), str(mid_year))
        # The files were published after 2018, so their `x` is "not available".
        value, marker = cells.count(line[count_at], cells.Place(source.name, row, _COUNT), max(edition.release, 2018))
        records.append(
            (level, code, ons_code, name, mid_year + 1, edition.release, measure, value, marker,
             source.name, source.sha256, row, _COUNT)
        )  # fmt: skip
    return tidy(records)


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
