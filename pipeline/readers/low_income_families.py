"""Children in low income families (CiLIF), the workbook of the Department for Work and Pensions. Layout not yet seen.

What belongs here: the sheet of relative low income by local authority, before housing costs. What does not: adding
districts up to counties and which source speaks for a series (`pipeline.deprivation`), the absolute measure, and the
measure after housing costs.

Layout not yet seen: no file of it has been read here. Sheet names, headings, marks and the form of the shares are those
that published code for these workbooks relies on (sheet `3_Relative_Local_Authority`; a header row 9 or 10 with
`Local Authority [note 2]`, `Area Code`, `Number of children FYE 2024 [p]`, `Percentage of children FYE 2024 (%) [p]
[note 3]`; shares as fractions, shown in per cent). Whatever does not fit that description is refused.

Rows are districts and single-tier authorities of the whole kingdom, figures are of children under 16, and `year` is the
financial year ending. The years tell the series: every release revises all of its own, and one of the years from 2015
to 2022 is calibrated otherwise than that of 2015 to 2024.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from pipeline import corrections
from pipeline.errors import Refusal
from pipeline.readers import cells, shares, text_table, workbook
from pipeline.readers.cells import Place, Seen
from pipeline.readers.layout import DEPRIVATION, MEASUREMENTS, Edition, Knowledge, Layout, SourceFile
from pipeline.readers.ons_codes import CODE, AreaCodes
from pipeline.readers.opening import Opening
from pipeline.readers.text_table import TextTable
from pipeline.reasons import NOT_AVAILABLE, SUPPRESSED

LAYOUT = "low_income_families"
CHILDREN, SHARE = "children_in_low_income_families", "share_in_low_income_families"
TO_2024, FROM_2022 = "cilif_to_2024", "cilif_from_2022"
# Financial years ending of the series that are known, first and last; None: still published. Within one, values may be
# compared. Releases up to March 2024 also began with 2015, and were calibrated by region: they are none of these.
SERIES: dict[str, tuple[int, int | None]] = {FROM_2022: (2022, None), TO_2024: (2015, 2024)}
# Marker -> reason. [low] stands for nil or negligible, and is as little a 0 as the k of other publications.
MARKERS = {"[x]": NOT_AVAILABLE, "[low]": SUPPRESSED}

_NAME, _CODE = "Local Authority", "Area Code"
_COUNT, _PERCENTAGE = "Number of children", "Percentage of children"
_MARKS = re.compile(r"\[[^\]]*\]|\(%\)")  # [note 2], [p] provisional, [r] revised
_OF_YEAR = re.compile(rf"(?P<what>{_COUNT}|{_PERCENTAGE}) FYE (?P<year>20\d\d)")
_SHEET = re.compile(r"relative[ _]local[ _]authority", re.IGNORECASE)
_AFTER_COSTS, _BEFORE_COSTS = (re.compile(rf"(?<![a-z]){costs}(?![a-z])", re.IGNORECASE) for costs in ("AHC", "BHC"))
_AS_PUBLISHED = "use the file as published, or tell pipeline/readers/low_income_families.py what the publisher changed"


def _heading(cell: str) -> str:
    """A heading without its marks and stray spaces."""
    return workbook.tidied(_MARKS.sub(" ", cell))


def _kinds(row: list[str]) -> set[str]:
    """Which of the layout's four kinds of heading a row has."""
    headings = {_heading(cell) for cell in row}
    of_years = {match["what"] for heading in headings if (match := _OF_YEAR.fullmatch(heading))}
    return of_years | (headings & {_NAME, _CODE})


def _header_row(rows: list[list[str]]) -> int | None:
    # Three of four: with one heading changed the file is still known, and then refused for it.
    return next((number for number, row in enumerate(rows, start=1) if len(_kinds(row)) >= 3), None)


def _recognises(opening: Opening) -> bool:
    return any(_header_row(rows) for rows in opening.sheets.values())


class _Sheet(NamedTuple):
    """The sheet of the measure, and where its columns stand: those of the figures by year."""

    name: str
    table: TextTable
    name_at: int
    code_at: int
    counts: dict[int, int]
    percentages: dict[int, int]


def _sheet(source: SourceFile) -> _Sheet:
    book = workbook.Workbook(source.content, source.name)
    own = [name for name in book.names if _SHEET.search(name) and not _AFTER_COSTS.search(name)]
    if len(own) != 1:
        raise Refusal(
            "missing_sheet" if not own else "doubled_sheet",
            f"{'no sheet' if not own else 'more than one sheet'} is of relative low income by local authority before "
            f"housing costs; the sheets are {', '.join(book.names)}",
            file=source.name,
            remedy=_AS_PUBLISHED,
        )
    place, rows = f"{source.name}, sheet {own[0]}", book.rows(own[0])
    header_at = _header_row(rows)
    if not header_at:
        raise Refusal("no_header", f'no row has the headings "{_CODE}" and "{_COUNT} FYE …"', file=place,
                      remedy=_AS_PUBLISHED)  # fmt: skip
    return _columns(own[0], _table(rows, place, header_at))


def _table(rows: list[list[str]], place: str, header_at: int) -> TextTable:
    figures = [at for at, cell in enumerate(rows[header_at - 1]) if _OF_YEAR.fullmatch(_heading(cell))]
    return workbook.table(
        rows,
        place,
        header_at,
        # A note may stand below the figures.
        is_data=lambda row: (
            any(CODE.fullmatch(cell.strip()) for cell in row) or any(row[at].strip() for at in figures if at < len(row))
        ),
    )


def _columns(name: str, table: TextTable) -> _Sheet:
    text_table.refuse_without_rows(table)
    at: dict[str, dict[int, int]] = {_COUNT: {}, _PERCENTAGE: {}}
    for column, heading in enumerate(table.header):
        match = _OF_YEAR.fullmatch(_heading(heading))
        if match is None:
            continue
        years = at[match["what"]]
        if int(match["year"]) in years:
            raise Refusal("doubled_column", "the column stands twice in the header", file=table.file,
                          row=table.header_row, column=heading, remedy=_AS_PUBLISHED)  # fmt: skip
        years[int(match["year"])] = column
    for what, other in ((_COUNT, _PERCENTAGE), (_PERCENTAGE, _COUNT)):
        for year in sorted(at[what].keys() - at[other].keys()):
            raise text_table.missing_column(table.file, f"{other} FYE {year}", table.header, table.header_row)
    return _Sheet(name, table, _position(table, _NAME), _position(table, _CODE), at[_COUNT], at[_PERCENTAGE])


def _position(table: TextTable, name: str) -> int:
    for at, heading in enumerate(table.header):
        if _heading(heading) == name:
            return at
    raise text_table.missing_column(table.file, name, table.header, table.header_row)


def _refuse_unknown_series(sheet: _Sheet) -> None:
    years = sorted(sheet.counts)
    first, last = years[0], years[-1]
    known = next((name for name, span in SERIES.items() if span == (first, last) or span == (first, None)), None)
    if known is None or years != list(range(first, last + 1)):
        raise Refusal(
            "unknown_basis",
            f"its financial years ending are {', '.join(map(str, years))}, which tells no series that is known: releases "
            "up to that of March 2024 are calibrated otherwise, and their figures may not stand beside later ones",
            file=sheet.table.file,
            row=sheet.table.header_row,
            remedy="take the release with the years 2015 to 2024, or one that begins with 2022, and leave this file out",
        )
    if known == FROM_2022 and not _BEFORE_COSTS.search(sheet.name):
        raise Refusal(
            "unknown_basis",
            "the series that begins with 2022 is published before and after housing costs, and the name of the sheet "
            "does not say that this is before (BHC)",
            file=sheet.table.file,
            remedy=_AS_PUBLISHED,
        )


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    """The release is the last financial year ending; with the first it tells the series."""
    sheet = _sheet(source)
    _refuse_unknown_series(sheet)
    return Edition(release=max(sheet.counts))


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    """Two records an area and year: the count and the share in per cent. Other nations' areas are left out."""
    sheet = _sheet(source)
    codes, seen = AreaCodes(knowledge), Seen(sheet.table.file, "the figures of the same area")
    records: list[tuple[object, ...]] = []
    for row, line in zip(sheet.table.row_numbers, sheet.table.rows, strict=True):
        place = Place(sheet.table.file, row, sheet.table.header[sheet.code_at])
        area = codes.area(line[sheet.code_at], place)
        if area is None:
            continue
        seen.once(area, place, line[sheet.code_at])
        records += [
            (area.level, area.code, line[sheet.code_at].strip(), _heading(line[sheet.name_at]), year, edition.release,
             measure, value, marker, source.name, source.sha256, row, column)
            for year, measure, value, marker, column in _figures(sheet, row, line)
        ]  # fmt: skip
    tidy = MEASUREMENTS.frame(records)
    if tidy.empty:
        raise Refusal("no_rows", "no row is of an area of the nation", file=sheet.table.file, remedy=_AS_PUBLISHED)
    return corrections.set_missing(tidy, knowledge.corrections, LAYOUT, edition.release, sheet.table.file)


def _figures(sheet: _Sheet, row: int, line: list[str]) -> Iterator[tuple[int, str, float | None, str | None, str]]:
    """Year, measure, value, marker and column of every figure of a row."""
    for year, at in sorted(sheet.counts.items()):
        places = [Place(sheet.table.file, row, sheet.table.header[column]) for column in (at, sheet.percentages[year])]
        children, no_count = shares.count(line[at], places[0], MARKERS)
        text = line[sheet.percentages[year]]
        share, no_share = shares.per_cent_of_fraction(text, places[1], MARKERS)
        if children and share == 0:
            raise cells.refuse(
                "share_is_not_of_its_counts", f"there are {children} children and a share of 0", places[1], text,
                "restore the published figures",
            )  # fmt: skip
        yield year, CHILDREN, children, no_count, places[0].column
        yield year, SHARE, share, no_share, places[1].column


LAYOUTS = [
    Layout(
        name=LAYOUT,
        publication=DEPRIVATION,
        title="Children in low income families: local area statistics, relative low income by local authority "
        "(layout not yet seen: read as others describe it)",
        publisher="Department for Work and Pensions",
        recognises=_recognises,
        edition=_edition,
        read=_read,
        form=MEASUREMENTS,
    )
]
