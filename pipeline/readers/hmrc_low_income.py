"""Children in low-income families, local measure (HM Revenue & Customs), snapshots at 31 August of 2011 to 2016.

What belongs here: the summary sheet of the workbooks, by authority up to 2015 and by district in 2016. What does not:
adding districts up to counties (`pipeline.deprivation`), family types and the ages of children.

`year` of the tidy frame is that of the snapshot. Figures are of children under 16; counts are rounded to 5, and shares
are made from unrounded counts, so each share is held to its counts within that rounding. No file says which year it is
of: England's count of children in low-income families tells (`undated`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from pipeline import corrections
from pipeline.errors import Refusal
from pipeline.readers import shares, text_table, undated, workbook
from pipeline.readers.cells import Place, Seen
from pipeline.readers.layout import (
    DEPRIVATION,
    ENGLAND,
    MEASUREMENTS,
    Edition,
    Knowledge,
    Layout,
    SourceFile,
)
from pipeline.readers.ons_codes import CODE, AreaCodes
from pipeline.readers.opening import Opening
from pipeline.readers.text_table import TextTable

LAYOUT = "hmrc_low_income"
LOW_INCOME, CHILD_BENEFIT, SHARE = "low_income_u16", "child_benefit_u16", "low_income_share_u16"
# A dash is suppressed: "suppressed to prevent disclosure", note 2 of the summary sheets of 2012 and 2013.
MARKERS = frozenset({"-"})

_CODE_HEADING = "Local Authority Code"
_UNDER_16 = "Under 16"
# Headings as they stand above "Under 16", however spaced, each with the marks of a footnote that some years have. The
# last one must not go on: in 2016 another share follows, over another count of children.
_HEADINGS = {
    LOW_INCOME: re.compile(r"Children in families in receipt of (?:WTC or )?CTC \(<60% median income\) or IS/JSA"),
    CHILD_BENEFIT: re.compile(r"Children in (?:Child Benefit families|families registered for Child Benefit)"),
    SHARE: re.compile(r"% of Children in low-income families[\d*]?"),
}
_NAMED = {  # what a person is told to look for
    LOW_INCOME: "Children in families in receipt of CTC (<60% median income) or IS/JSA",
    CHILD_BENEFIT: "Children in Child Benefit families",
    SHARE: "% of Children in low-income families",
}
_OTHER_HEADING = "Children in IS/JSA families"
_ROUNDED_TO = 5
_HALF_OF_LAST_DIGIT = 0.0005  # of the shares, which have three decimals


def _recognises(opening: Opening) -> bool:
    for rows in opening.sheets.values():
        headings = {workbook.tidied(cell) for row in rows for cell in row}
        own = [
            _CODE_HEADING in headings,
            _OTHER_HEADING in headings,
            *(any(pattern.fullmatch(heading) for heading in headings) for pattern in _HEADINGS.values()),
        ]
        # Three of five: with one heading changed the file is still known, and then refused for it.
        if sum(own) >= 3:
            return True
    return False


def _summary(source: SourceFile) -> TextTable:
    """The sheet with the three figures of children under 16, as one table; found by its headings."""
    book = workbook.Workbook(source.content, source.name)
    tables = [table for sheet in book.names for table in _table(book.rows(sheet), f"{source.name}, sheet {sheet}")]
    if not tables:
        raise Refusal(
            "missing_sheet",
            f'no sheet has the columns "{_UNDER_16}" below "{_NAMED[LOW_INCOME]}" and its companions',
            file=source.name,
            remedy="use the file as published, with its sheet Summary",
        )
    whole = [table.file for table in tables if len(_columns(table)) == len(_HEADINGS)]
    workbook.refuse_doubled_sheet([place.split(", sheet ", 1)[1] for place in whole], source.name, "the summary")
    return max(tables, key=lambda table: len(_columns(table)))


def _table(rows: list[list[str]], place: str) -> Iterator[TextTable]:
    """The sheet as a table with one heading a column, if it has at least two of the three figures."""
    below = next((at for at, row in enumerate(rows) if sum(cell.strip() == _UNDER_16 for cell in row) >= 2), None)
    if below is None:
        return
    header = [_heading(rows, below, column) for column in range(len(rows[below]))]
    figures = [at for at, name in enumerate(header) if name.endswith(f", {_UNDER_16}")]
    table = workbook.table(
        rows,
        place,
        below + 1,
        header=header,
        # Notes stand below the figures, blank rows among them.
        is_data=lambda row: (
            any(CODE.fullmatch(cell.strip()) for cell in row) or any(row[at].strip() for at in figures if at < len(row))
        ),
    )
    if len(_columns(table)) >= 2:
        yield table


def _heading(rows: list[list[str]], below: int, column: int) -> str:
    """The nearest heading above, and the one in the lower header row, such as `..., Under 16`."""
    above = [row[column] for row in rows[:below] if column < len(row) and row[column].strip()]
    parts = [*above[-1:], rows[below][column]]
    return ", ".join(workbook.tidied(part) for part in parts if part.strip())


def _columns(table: TextTable) -> dict[str, str]:
    """Measure -> heading, for the figures of children under 16 that the table has."""
    found = {}
    for heading in table.header:
        group = heading.removesuffix(f", {_UNDER_16}")
        for measure, pattern in _HEADINGS.items():
            if group != heading and pattern.fullmatch(group):
                found[measure] = heading
    return found


def _positions(table: TextTable) -> dict[str, int]:
    headings = _columns(table)
    for measure in _HEADINGS:
        if measure not in headings:
            raise text_table.missing_column(
                table.file, f"{_NAMED[measure]}, {_UNDER_16}", table.header, table.header_row
            )
    return {measure: table.column(headings[measure]) for measure in _HEADINGS}


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    table = _summary(source)
    text_table.refuse_without_rows(table)
    code_at, low_income_at = table.column(_CODE_HEADING), _positions(table)[LOW_INCOME]
    codes = AreaCodes(knowledge)
    figure = ""
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        area = codes.area(line[code_at], Place(table.file, row, _CODE_HEADING))
        if area and area.level == ENGLAND:
            figure = line[low_income_at].strip()
    year = undated.reporting_year(LAYOUT, source.name, figure, knowledge, example="low-income-2016.xlsx")
    return Edition(release=year)


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    """Three records an area: both counts, and the share in per cent."""
    table = _summary(source)
    code_at, at = table.column(_CODE_HEADING), _positions(table)
    codes, seen = AreaCodes(knowledge), Seen(table.file)
    records: list[tuple[object, ...]] = []
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        code_place = Place(table.file, row, _CODE_HEADING)
        area = codes.area(line[code_at], code_place)
        if area is None:
            continue  # the file of 2016 covers the United Kingdom
        seen.once(area, code_place, line[code_at])
        places = {measure: Place(table.file, row, table.header[column]) for measure, column in at.items()}
        figures: dict[str, tuple[float | None, str | None]] = {
            LOW_INCOME: shares.count(line[at[LOW_INCOME]], places[LOW_INCOME], MARKERS),
            CHILD_BENEFIT: shares.count(line[at[CHILD_BENEFIT]], places[CHILD_BENEFIT], MARKERS),
            SHARE: shares.per_cent_of_fraction(line[at[SHARE]], places[SHARE], MARKERS),
        }
        _refuse_other_share({measure: value for measure, (value, _) in figures.items()}, places[SHARE], line[at[SHARE]])
        name = next((cell.strip() for cell in reversed(line[code_at + 1 : min(at.values())]) if _is_name(cell)), "")
        records += [
            (area.level, area.code, line[code_at].strip(), name, edition.release, edition.release, measure,
             value, marker, source.name, source.sha256, row, places[measure].column)
            for measure, (value, marker) in figures.items()
        ]  # fmt: skip
    tidy = MEASUREMENTS.frame(records)
    return corrections.set_missing(tidy, knowledge.corrections, LAYOUT, edition.release, table.file)


def _is_name(cell: str) -> bool:
    return any(letter.isalpha() for letter in cell)


def _refuse_other_share(figures: dict[str, float | None], place: Place, text: str) -> None:
    """The share is low income over Child Benefit, as far as counts rounded to 5 can tell."""
    low, children, share = figures[LOW_INCOME], figures[CHILD_BENEFIT], figures[SHARE]
    if low is None or children is None or share is None:
        return
    half = _ROUNDED_TO / 2
    least = max(low - half, 0) / (children + half) - _HALF_OF_LAST_DIGIT
    most = (low + half) / max(children - half, half) + _HALF_OF_LAST_DIGIT
    if not least <= share / 100 <= most:
        raise Refusal(
            "share_is_not_of_its_counts",
            f"{low} of {children} children lie between {least:.4f} and {most:.4f}, and the share is none of these",
            file=place.file,
            row=place.row,
            column=place.column,
            value=text,
            remedy="restore the published figures",
        )


LAYOUTS = [
    Layout(
        name=LAYOUT,
        publication=DEPRIVATION,
        title="Personal tax credits: children in low-income families local measure, local authorities",
        publisher="HM Revenue & Customs",
        recognises=_recognises,
        edition=_edition,
        read=_read,
        form=MEASUREMENTS,
    )
]
