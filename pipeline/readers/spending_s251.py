"""Section 251 outturn, Table A1, children and young people's services: one row an authority and line, in pounds.

What belongs here: the workbooks of the years ending March 2012 and later, and the lines of use in them. What does not:
Table A (schools), the revenue outturn (`spending_ro3`) and how spending is told a head (`pipeline.spending`).

The header stands in row 4 up to 2013 and in row 1 after it; it is found by its words. The line's label is in
`CYPServiceDescription` or `Description` and begins with a number that changes from year to year, so that a line is known
by its words. What a line takes in changes as well: up to 2012 adoption and special guardianship stood outside the total
for children looked after.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from pipeline.errors import Refusal
from pipeline.readers import cells, text_table, undated, workbook
from pipeline.readers.layout import AUTHORITY, SPENDING, Edition, Knowledge, Layout, SourceFile
from pipeline.readers.opening import ROWS, Opening
from pipeline.readers.spending_form import (
    AMOUNTS,
    CHILDREN_AND_YOUNG_PEOPLE,
    FORM,
    INCOME,
    LOOKED_AFTER,
    NET,
    TOTAL,
    financial_year_end,
    refuse_disagreeing,
)

LAYOUT = "spending_s251"
_CODE, _NAME = "LA", "LA Name"
_LABELS = ("CYPServiceDescription", "Description")  # up to 2014, since 2015
_COLUMNS = {TOTAL: "TotalExpenditure", INCOME: "Income", NET: "NetCurrentExpenditure"}
_OWN_WORDS = {"OwnProvision", "PrivateProvision", "OtherPublic", "Voluntary", "TotalExpenditure",
              "NetCurrentExpenditure", "LEANetRevenueExpenditure"}  # fmt: skip
_ENOUGH = 4  # own words that make a header row, so that one with a missing column is still known
_NUMBER_OF_LINE = re.compile(r"^[\d.]+\s+")
_LINES = {  # the words of the label, and what a person is told to look for
    LOOKED_AFTER: (re.compile(r"total children looked after", re.IGNORECASE), "Total Children Looked After"),
    CHILDREN_AND_YOUNG_PEOPLE: (
        re.compile(
            r"(total )?children and young people'?s services (budget|expenditure) ?\(excluding cera\)", re.IGNORECASE
        ),
        "Children and Young People's Services Expenditure (excluding CERA)",
    ),
}


def _header_at(rows: list[list[str]]) -> int | None:
    """Number of the header row; None where no row holds enough of its words."""
    for number, row in enumerate(rows, start=1):
        if len(_OWN_WORDS & {workbook.tidied(cell) for cell in row}) >= _ENOUGH:
            return number
    return None


def _recognises(opening: Opening) -> bool:
    return any(_header_at(rows) for rows in opening.sheets.values())


class _Sheet(NamedTuple):
    """The one sheet of Table A1, with its rows as far as a header may stand."""

    book: workbook.Workbook
    name: str
    header_at: int
    head: list[list[str]]

    def table(self) -> text_table.TextTable:
        table = workbook.table(self.book.rows(self.name), f"{self.book.file}, sheet {self.name}", self.header_at)
        text_table.refuse_without_rows(table)
        return table


def _sheet(source: SourceFile) -> _Sheet:
    book = workbook.Workbook(source.content, source.name)
    heads = {name: book.rows(name, first=ROWS) for name in book.names}
    found = [_Sheet(book, name, at, head) for name, head in heads.items() if (at := _header_at(head))]
    workbook.refuse_doubled_sheet([sheet.name for sheet in found], source.name, "Table A1")
    if not found:
        raise Refusal(
            "no_header",
            f"no sheet has the header of Table A1 ({', '.join(_COLUMNS.values())})",
            file=source.name,
            remedy="use the file as published",
        )
    return found[0]


class _Line(NamedTuple):
    """One line of one authority, amounts in pounds."""

    row: int
    la_code: str
    la_name: str
    measure: str
    label: str
    amounts: dict[str, float]


def _lines(table: text_table.TextTable, knowledge: Knowledge) -> Iterator[_Line]:
    """The lines of use of every authority. Refuses a line that stands twice and one that an authority lacks."""
    code_at, name_at = table.column(_CODE), table.column(_NAME)
    label_at = _label_column(table)
    amount_at = {amount: table.column(column) for amount, column in _COLUMNS.items()}
    seen = cells.Seen(table.file)
    measures_of: dict[str, set[str]] = {}
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        place = cells.Place(table.file, row, _CODE)
        code = cells.dfe_code(line[code_at], place, knowledge.la_codes)
        own = measures_of.setdefault(code, set())
        label = workbook.tidied(line[label_at])
        measure = _measure(label)
        if not measure:
            continue
        seen.once((code, measure), place, line[code_at])
        own.add(measure)
        amounts = {
            amount: _amount(line[at], cells.Place(table.file, row, _COLUMNS[amount]))
            for amount, at in amount_at.items()
        }
        refuse_disagreeing(amounts, cells.Place(table.file, row, _COLUMNS[NET]))
        yield _Line(row, code, line[name_at].strip(), measure, label, amounts)
    _refuse_without(measures_of, table.file)


def _label_column(table: text_table.TextTable) -> int:
    for name in _LABELS:
        if name in table.header:
            return table.column(name)
    raise text_table.missing_column(table.file, " or ".join(_LABELS), table.header, table.header_row)


def _measure(label: str) -> str | None:
    words = _NUMBER_OF_LINE.sub("", label)
    return next((measure for measure, (wording, _) in _LINES.items() if wording.fullmatch(words)), None)


def _amount(text: str, place: cells.Place) -> float:
    number, _ = cells.measurement(text, place, symbols=())
    assert number is not None  # without symbols, what is no number is refused
    return number


def _refuse_without(measures_of: dict[str, set[str]], file: str) -> None:
    """Every authority has every line of use: a line that is not there was renamed or lost."""
    for code, found in measures_of.items():
        for measure, (_, told) in _LINES.items():
            if measure not in found:
                raise Refusal(
                    "missing_line",
                    f'authority {code} has no line "{told}"',
                    file=file,
                    remedy="use the file as published, or give the new wording to pipeline/readers/spending_s251.py",
                )


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    sheet = _sheet(source)
    titles = (financial_year_end(cell) for row in sheet.head[: sheet.header_at - 1] for cell in row)
    named = next((year for year in titles if year), None)
    if named:
        return Edition(release=named)
    net = [line.amounts[NET] for line in _lines(sheet.table(), knowledge) if line.measure == LOOKED_AFTER]
    england = str(round(math.fsum(net)))
    return Edition(release=undated.reporting_year(LAYOUT, source.name, england, knowledge, example="s251ye2019.xlsx"))


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    """Total and net current expenditure of the lines of use; `year` is the one in which the financial year ends."""
    table = _sheet(source).table()
    year = edition.release
    return FORM.frame(
        [
            (AUTHORITY, line.la_code, None, line.la_name, year, year, line.measure, line.amounts[amount], None,
             source.name, source.sha256, line.row, _COLUMNS[amount], amount, line.label)
            for line in _lines(table, knowledge)
            for amount in AMOUNTS
        ]
    )  # fmt: skip


LAYOUTS = [
    Layout(
        name=LAYOUT,
        publication=SPENDING,
        title="Section 251 outturn, Table A1: children and young people's services",
        publisher="Department for Education",
        recognises=_recognises,
        edition=_edition,
        read=_read,
        form=FORM,
    )
]
