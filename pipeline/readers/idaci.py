"""Income Deprivation Affecting Children Index (IDACI) by upper-tier authority: File 11 of the Indices of Deprivation.

What belongs here: the IDACI sheet of the upper-tier summaries. What does not: the other domains, and the edition that is
only there by district (`idaci_2025`).

The average score is the population-weighted mean of small areas, which is the share of children aged 0-15 in
income-deprived families; the file gives it as a fraction. The headings tell the vintage of the area codes, and that tells
the edition.
"""

from __future__ import annotations

import re

import pandas as pd

from pipeline.errors import Refusal
from pipeline.readers import shares, text_table, workbook
from pipeline.readers.cells import Place, Seen
from pipeline.readers.layout import (
    AUTHORITY,
    DEPRIVATION,
    MEASUREMENTS,
    Edition,
    Knowledge,
    Layout,
    SourceFile,
)
from pipeline.readers.ons_codes import AreaCodes
from pipeline.readers.opening import Opening

LAYOUT = "idaci_upper_tier"
IDACI = "idaci"
EDITION_OF_CODES = {2013: 2015, 2019: 2019, 2024: 2025}  # year of the area codes -> year of the indices

_INDEX = r"(?:Income Deprivation Affecting Children Index \(IDACI\)|IDACI)"
_HEADINGS = {
    "code": re.compile(r"Upper Tier Local Authority District code \((\d{4})\)"),
    "name": re.compile(r"Upper Tier Local Authority District name \(\d{4}\)"),
    "score": re.compile(_INDEX + r" - Average score"),
}
_NAMED = {
    "code": "Upper Tier Local Authority District code (YYYY)",
    "name": "Upper Tier Local Authority District name (YYYY)",
    "score": "IDACI - Average score",
}
_ANY_OF_INDEX = re.compile(_INDEX + r" - .+")
_LOWER_TIER = re.compile(r"Local Authority District code \(\d{4}\)")  # File 10, the same sheets by district


def _header_row(rows: list[list[str]]) -> int | None:
    """Number of the header row of the IDACI sheet: most of its eight columns are named for the index."""
    for number, row in enumerate(rows, start=1):
        headings = [workbook.tidied(cell) for cell in row]
        if any(_LOWER_TIER.fullmatch(heading) for heading in headings):
            return None
        if sum(bool(_ANY_OF_INDEX.fullmatch(heading)) for heading in headings) >= 3:
            return number
    return None


def _recognises(opening: Opening) -> bool:
    return any(_header_row(rows) for rows in opening.sheets.values())


def _table(source: SourceFile) -> text_table.TextTable:
    book = workbook.Workbook(source.content, source.name)
    found = {}
    for sheet in book.names:
        rows = book.rows(sheet)
        header_at = _header_row(rows)
        if header_at:
            found[sheet] = workbook.table(rows, f"{source.name}, sheet {sheet}", header_at)
    workbook.refuse_doubled_sheet(found, source.name, "the index")
    for table in found.values():
        return table
    raise Refusal(
        "missing_sheet",
        "no sheet has the columns of the index",
        file=source.name,
        remedy="use the file as published, with its sheet IDACI",
    )


def _position(table: text_table.TextTable, column: str) -> int:
    for at, heading in enumerate(table.header):
        if _HEADINGS[column].fullmatch(heading):
            return at
    raise text_table.missing_column(table.file, _NAMED[column], table.header, table.header_row)


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    table = _table(source)
    text_table.refuse_without_rows(table)
    heading = table.header[_position(table, "code")]
    codes_of = int(heading[-5:-1])
    if codes_of not in EDITION_OF_CODES:
        raise Refusal(
            "unknown_edition",
            f"area codes of {codes_of} belong to no edition of the indices that is known",
            file=table.file,
            row=table.header_row,
            column=heading,
            remedy="use the file as published, or add the edition to pipeline/readers/idaci.py",
        )
    return Edition(release=EDITION_OF_CODES[codes_of])


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    """One record an authority, in per cent; `year` and `release` are those in the name of the indices."""
    table = _table(source)
    at = {column: _position(table, column) for column in _HEADINGS}
    codes, seen = AreaCodes(knowledge), Seen(table.file)
    records: list[tuple[object, ...]] = []
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        code_place = Place(table.file, row, table.header[at["code"]])
        la_code = codes.authority(line[at["code"]], code_place)
        seen.once((la_code,), code_place, line[at["code"]])
        score = table.header[at["score"]]
        value, marker = shares.per_cent_of_fraction(line[at["score"]], Place(table.file, row, score))
        records.append(
            (AUTHORITY, la_code, line[at["code"]].strip(), line[at["name"]].strip(), edition.release, edition.release,
             IDACI, value, marker, source.name, source.sha256, row, score)
        )  # fmt: skip
    return MEASUREMENTS.frame(records)


LAYOUTS = [
    Layout(
        name=LAYOUT,
        publication=DEPRIVATION,
        title="English Indices of Deprivation, File 11: upper-tier local authority summaries",
        publisher="Ministry of Housing, Communities and Local Government",
        recognises=_recognises,
        edition=_edition,
        read=_read,
        form=MEASUREMENTS,
    )
]
