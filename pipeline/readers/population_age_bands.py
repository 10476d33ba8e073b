"""Population by age band and authority, the Nomis extract: one file a band, one column a mid-year.

What belongs here: the title lines and header of `popest-*.csv`. What does not: adding the bands up to children aged 0-17
(`population`).

The extract covers the United Kingdom on one geography ("as of April 2021") for all its years. Only codes that the lookup
of authorities knows are kept; each of its authorities in being on that day must be there.
"""

from __future__ import annotations

import re

import pandas as pd

from pipeline.errors import Refusal
from pipeline.readers import cells, text_table
from pipeline.readers.layout import AUTHORITY, COUNTS, POPULATION, Edition, Knowledge, Layout, SourceFile
from pipeline.readers.opening import Opening
from pipeline.readers.text_table import TextTable

_HEADER_ROW = 7
_AREA_HEADING = "local authority: county / unitary (as of April YYYY)"
_AREA = re.compile(re.escape(_AREA_HEADING).replace("YYYY", r"(\d{4})"))
_AGES = re.compile(r"Aged? (\d+)(?:\s*-\s*(\d+))?")
_MID_YEAR = re.compile(r"(19|20)\d\d", re.ASCII)
_CODE = "mnemonic"


def _recognises(opening: Opening) -> bool:
    rows = opening.rows
    if len(rows) < _HEADER_ROW or not any(row and row[0].startswith("Population estimates") for row in rows):
        return False
    header = rows[_HEADER_ROW - 1]
    if any(_AREA.fullmatch(name) for name in header):
        return True
    # Without that column the file is still known; the extract by district has one of other words.
    return _CODE in header and not any(name.startswith("local authority") for name in header)


def band(table: TextTable) -> str:
    """The age band of the file, such as `0-4` or `16`, from its title lines; without one it is refused."""
    for line in table.preamble:
        if line and line[0].startswith("Age"):
            match = _AGES.fullmatch(line[1].strip()) if len(line) > 1 else None
            if match:
                return "-".join(age for age in match.groups() if age)
    raise Refusal(
        "no_age_band",
        "the title lines do not say which ages the file is of",
        file=table.file,
        row=5,
        remedy="use the file as downloaded, with its title lines",
    )


def mid_year_columns(table: TextTable) -> dict[int, int]:
    """Position -> mid-year of the columns of figures. Refuses an extract without any, or with a gap in them."""
    found = {at: int(name) for at, name in enumerate(table.header) if _MID_YEAR.fullmatch(name)}
    if not found:
        raise text_table.missing_column(table.file, "a mid-year", table.header, table.header_row)
    for mid_year in range(min(found.values()), max(found.values())):
        if mid_year not in found.values():
            raise text_table.missing_column(table.file, str(mid_year), table.header, table.header_row)
    return found


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    table = text_table.read(source.content, source.name, header_row=_HEADER_ROW)
    text_table.refuse_without_rows(table)
    return Edition(release=_boundaries(table)[1], part=band(table))


def _boundaries(table: TextTable) -> tuple[int, int]:
    """Position of the column of area names, and the year of the boundaries that its heading tells."""
    for at, name in enumerate(table.header):
        match = _AREA.fullmatch(name)
        if match:
            return at, int(match.group(1))
    raise text_table.missing_column(table.file, _AREA_HEADING, table.header, table.header_row)


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    """One record an authority and mid-year; `year` is the mid-year, `release` the year of the geography."""
    table = text_table.read(source.content, source.name, header_row=_HEADER_ROW)
    code_at = table.column(_CODE)
    name_at, _ = _boundaries(table)
    mid_years = mid_year_columns(table)
    seen = cells.Seen(source.name)
    records: list[tuple[object, ...]] = []
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        ons_code = line[code_at].strip()
        if ons_code not in knowledge.la_code_of_ons_code:
            continue  # Wales, Scotland, Northern Ireland; that none of ours is missing is checked in `population`
        seen.once((ons_code,), cells.Place(source.name, row, _CODE), ons_code)
        for at, mid_year in mid_years.items():
            place = cells.Place(source.name, row, table.header[at])
            value, marker = cells.count(line[at], place, edition.release)
            records.append(
                (AUTHORITY, knowledge.la_code_of_ons_code[ons_code], ons_code, line[name_at].strip(), mid_year,
                 edition.release, f"population_{edition.part}", value, marker,
                 source.name, source.sha256, row, table.header[at])
            )  # fmt: skip
    return COUNTS.frame(records)


LAYOUTS = [
    Layout(
        name="population_age_bands",
        publication=POPULATION,
        title="Mid-year population estimates by age band, counties and unitary authorities (Nomis)",
        publisher="Office for National Statistics",
        recognises=_recognises,
        edition=_edition,
        read=_read,
    )
]
