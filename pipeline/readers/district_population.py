"""Population by age band and district, the Nomis extract: one file a band, one column a mid-year.

What belongs here: the title lines and header of `pop-*.csv`. What does not: the extract by county, which has the same
title lines and other words in its header (`population_age_bands`), and what is weighted with it (`pipeline.deprivation`).
"""

from __future__ import annotations

import re

import pandas as pd

from pipeline.readers import shares, text_table
from pipeline.readers.cells import Place, Seen
from pipeline.readers.layout import COUNTS, DISTRICT_POPULATION, Edition, Knowledge, Layout, SourceFile
from pipeline.readers.ons_codes import AreaCodes
from pipeline.readers.opening import Opening
from pipeline.readers.population_age_bands import band, mid_year_columns

LAYOUT = "district_population"

_HEADER_ROW = 7
_AREA_HEADING = "local authority: district / unitary (as of April YYYY)"
_AREA = re.compile(re.escape(_AREA_HEADING).replace("YYYY", r"(\d{4})"))
_CODE = "mnemonic"


def _recognises(opening: Opening) -> bool:
    has_title = any(row and row[0].startswith("Population estimates") for row in opening.rows)
    return has_title and any(_AREA.fullmatch(name) for name in opening.header(_HEADER_ROW))


def _boundaries(table: text_table.TextTable) -> tuple[int, int]:
    """Position of the column of area names, and the year of the boundaries that its heading tells."""
    for at, name in enumerate(table.header):
        match = _AREA.fullmatch(name)
        if match:
            return at, int(match.group(1))
    raise text_table.missing_column(table.file, _AREA_HEADING, table.header, table.header_row)


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    table = text_table.read(source.content, source.name, header_row=_HEADER_ROW)
    text_table.refuse_without_rows(table)
    return Edition(release=_boundaries(table)[1], part=band(table))


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    """One record a district or single-tier authority and mid-year; `release` is the year of the boundaries."""
    table = text_table.read(source.content, source.name, header_row=_HEADER_ROW)
    name_at, code_at = _boundaries(table)[0], table.column(_CODE)
    mid_years = mid_year_columns(table)
    codes, seen = AreaCodes(knowledge), Seen(source.name)
    records: list[tuple[object, ...]] = []
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        place = Place(source.name, row, _CODE)
        area = codes.area(line[code_at], place)
        if area is None:
            continue  # the extract covers the United Kingdom
        seen.once(area, place, line[code_at])
        for at, mid_year in mid_years.items():
            value, marker = shares.count(line[at], Place(source.name, row, table.header[at]))
            records.append(
                (area.level, area.code, line[code_at].strip(), line[name_at].strip(), mid_year, edition.release,
                 f"population_{edition.part}", value, marker, source.name, source.sha256, row, table.header[at])
            )  # fmt: skip
    return COUNTS.frame(records)


LAYOUTS = [
    Layout(
        name=LAYOUT,
        publication=DISTRICT_POPULATION,
        title="Mid-year population estimates by age band, districts and unitary authorities (Nomis)",
        publisher="Office for National Statistics",
        recognises=_recognises,
        edition=_edition,
        read=_read,
    )
]
