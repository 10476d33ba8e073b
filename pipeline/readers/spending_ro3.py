"""Revenue outturn RO3, social care: one row an authority, a block of columns a service, in thousand pounds.

What belongs here: the two services of use in the sheet by authority, with their labels in one header row (2024-25) or in
two (2019-20). What does not: adult social care and public health, and section 251 (`spending_s251`).

The two returns are not one series. They divide spending among lines in their own ways, and an authority whose services
are run by a trust may report them under another line: in 2024-25 Sandwell has 101 million pounds under other children's
services and -20,000 pounds under children looked after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from pipeline.errors import Refusal
from pipeline.readers import cells, text_table, workbook
from pipeline.readers.layout import AUTHORITY, SPENDING, Edition, Knowledge, Layout, SourceFile
from pipeline.readers.opening import ROWS, Opening
from pipeline.readers.spending_form import (
    AMOUNTS,
    CHILDREN_SOCIAL_CARE,
    FORM,
    INCOME,
    LOOKED_AFTER,
    NET,
    TOTAL,
    financial_year_end,
    refuse_disagreeing,
)
from pipeline.reasons import NOT_APPLICABLE, NOT_AVAILABLE

LAYOUT = "spending_ro3"
# Source: the sheets Front_Page (2019-20) and Notes (2024-25) of the workbooks.
SYMBOLS = {
    "[x]": NOT_AVAILABLE,  # data not received in time for publication
    "…": NOT_AVAILABLE,
    "[z]": NOT_APPLICABLE,  # this data item is not collected
}
_CODE, _NAME, _ENGLAND = "ONS Code", "Local authority", "ENGLAND"
_OWN_WORDS = {"E-code", _CODE, _NAME, "Class"}  # three of them make a header row
_OWN_HEADING = "children looked after"
_AUTHORITY_CODE = re.compile(r"[A-Z](06|08|09|10)[0-9]{6}")  # unitary, metropolitan, London, county; not districts
_THOUSAND = re.compile(r"£ ?thousand", re.IGNORECASE)
_TITLE = re.compile(r"Revenue Outturn \(RO\) 20\d\d-\d\d")
_SERVICES = {
    LOOKED_AFTER: "Children's social care - Children Looked After",
    CHILDREN_SOCIAL_CARE: "TOTAL CHILDREN SOCIAL CARE",
}
_AMOUNTS = {  # as they stand below or behind a service, and what a person is told to look for
    TOTAL: (re.compile(r"total expenditure \(c3\b.*\)", re.IGNORECASE), "Total Expenditure"),
    INCOME: (re.compile(r"total income \(c6\b.*\)", re.IGNORECASE), "Total Income"),
    NET: (re.compile(r"net current expenditure \(c7\b.*\)", re.IGNORECASE), "Net Current Expenditure"),
}
_BETWEEN = " - "
_PENCE = 2


def _header_at(rows: list[list[str]]) -> int | None:
    """Number of the header row; None where no row holds enough of its words."""
    for number, row in enumerate(rows, start=1):
        if len(_OWN_WORDS & {workbook.tidied(cell) for cell in row}) >= 3:
            return number
    return None


def _is_own(rows: list[list[str]]) -> bool:
    """A sheet by authority with children looked after among its headings: other returns have the same first columns."""
    return _header_at(rows) is not None and any(_OWN_HEADING in cell.casefold() for row in rows for cell in row)


def _recognises(opening: Opening) -> bool:
    return any(_is_own(rows) for rows in opening.sheets.values())


class _Sheet(NamedTuple):
    """The one sheet by authority, with its rows down to the header."""

    book: workbook.Workbook
    name: str
    head: list[list[str]]

    @property
    def place(self) -> str:
        return f"{self.book.file}, sheet {self.name}"

    def table(self) -> text_table.TextTable:
        """With one label a column: service and amount, joined by a dash."""
        table = workbook.table(self.book.rows(self.name), self.place, len(self.head), header=_labels(self.head))
        text_table.refuse_without_rows(table)
        return table


def _sheet(source: SourceFile) -> _Sheet:
    book = workbook.Workbook(source.content, source.name)
    heads = {name: book.rows(name, first=ROWS) for name in book.names}
    found = [_Sheet(book, name, head[: _header_at(head)]) for name, head in heads.items() if _is_own(head)]
    workbook.refuse_doubled_sheet([sheet.name for sheet in found], source.name, "the return by authority")
    if not found:
        raise Refusal(
            "no_header",
            f"no sheet has the header {', '.join(sorted(_OWN_WORDS))}",
            file=source.name,
            remedy="use the file as published",
        )
    return found[0]


def _labels(head: list[list[str]]) -> list[str]:
    """The last row's headings; an amount alone gets the nearest service to its left in the rows above put before it."""
    services = _service_row(head[:-1])
    labels, service = [], ""
    for at, cell in enumerate(head[-1]):
        service = (services[at] if at < len(services) else "") or service
        own = workbook.tidied(cell)
        is_amount_alone = any(wording.fullmatch(own) for wording, _ in _AMOUNTS.values())
        labels.append(f"{service}{_BETWEEN}{own}" if service and is_amount_alone else own)
    return labels


def _service_row(above: list[list[str]]) -> list[str]:
    wanted = {service.casefold() for service in _SERVICES.values()}
    for row in above:
        texts = [workbook.tidied(cell) for cell in row]
        if wanted & {text.casefold() for text in texts}:
            return texts
    return []


class _Service(NamedTuple):
    """One service of one authority, amounts in thousand pounds, each with the marker where there is none."""

    row: int
    la_code: str
    ons_code: str
    la_name: str
    measure: str
    amounts: dict[str, tuple[float | None, str | None]]


def _columns(table: text_table.TextTable) -> dict[str, dict[str, int]]:
    """Measure -> amount -> position of its column. Refusal where a service has lost an amount."""
    return {
        measure: {amount: _column(table, service, *wording) for amount, wording in _AMOUNTS.items()}
        for measure, service in _SERVICES.items()
    }


def _column(table: text_table.TextTable, service: str, amount: re.Pattern[str], told: str) -> int:
    start = f"{service}{_BETWEEN}"
    for at, label in enumerate(table.header):
        if label.casefold().startswith(start.casefold()) and amount.fullmatch(label[len(start) :]):
            return at
    named = [label for label in table.header if "children" in label.casefold()]
    raise text_table.missing_column(table.file, f"{start}{told}", named, table.header_row)


def _services(table: text_table.TextTable, knowledge: Knowledge) -> Iterator[_Service]:
    """Both services of every authority. Districts, police and the rest have other codes and none of these services."""
    code_at, name_at = table.column(_CODE), table.column(_NAME)
    column_of = _columns(table)
    seen = cells.Seen(table.file)
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        ons_code = line[code_at].strip()
        if not _AUTHORITY_CODE.fullmatch(ons_code):
            continue
        place = cells.Place(table.file, row, _CODE)
        code = _la_code(ons_code, place, knowledge)
        seen.once((code,), place, ons_code)
        for measure, at in column_of.items():
            amounts = {
                amount: cells.measurement(line[column], cells.Place(table.file, row, table.header[column]), SYMBOLS)
                for amount, column in at.items()
            }
            numbers = {amount: number for amount, (number, _) in amounts.items()}
            refuse_disagreeing(numbers, cells.Place(table.file, row, table.header[at[NET]]))
            yield _Service(row, code, ons_code, line[name_at].strip(), measure, amounts)


def _la_code(ons_code: str, place: cells.Place, knowledge: Knowledge) -> str:
    if ons_code not in knowledge.la_code_of_ons_code:
        raise Refusal(
            "unknown_area",
            "the area code is not in the lookup of local authorities",
            file=place.file,
            row=place.row,
            column=place.column,
            value=ons_code,
            remedy="if the authority is new, add it to dfe_la_lookup.csv and la_code_changes.csv in data/raw/reference",
        )
    return knowledge.la_code_of_ons_code[ons_code]


def _refuse_another_sum(table: text_table.TextTable, services: list[_Service]) -> None:
    """The authorities add up to the row of England, unless some are missing: then the publisher has estimated for them.

    Held to on children looked after alone: districts have a little of the total.
    """
    england = next((line for line in table.rows if line[table.column(_NAME)].strip() == _ENGLAND), None)
    own = [service.amounts[NET][0] for service in services if service.measure == LOOKED_AFTER]
    numbers = [number for number in own if number is not None]
    if england is None or len(numbers) < len(own):
        return
    at = _columns(table)[LOOKED_AFTER][NET]
    published, _ = cells.measurement(england[at], cells.Place(table.file, 0, table.header[at]), SYMBOLS)
    # Each authority is rounded to a thousand pounds, and so is England.
    if published is not None and abs(sum(numbers) - published) > (len(numbers) + 1) / 2:
        raise Refusal(
            "sum_differs",
            f"the authorities add up to {sum(numbers):,.0f} thousand pounds, and the row of England has {published:,.0f}",
            file=table.file,
            column=table.header[at],
            remedy="use the file as published",
        )


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    sheet = _sheet(source)  # its title dates it, so that the rest is read once only
    for cell in (cell for row in sheet.head[:-1] for cell in row):
        year = financial_year_end(cell) if _TITLE.search(cell) else None
        if year:
            return Edition(release=year)
    raise Refusal(
        "undated_file",
        'no title above the header says which year it is of, such as "Revenue Outturn (RO) 2024-25"',
        file=sheet.place,
        remedy="use the file as published",
    )


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    """Total and net current expenditure of both services, in pounds; `year` is the one in which the financial year ends."""
    table = _sheet(source).table()
    if not any(_THOUSAND.search(cell) for row in table.preamble for cell in row):
        raise Refusal(
            "unknown_unit",
            "the rows above the header do not say that amounts are in thousand pounds",
            file=table.file,
            remedy="use the file as published, or give its unit to pipeline/readers/spending_ro3.py if it has changed",
        )
    services, column_of = list(_services(table, knowledge)), _columns(table)
    _refuse_another_sum(table, services)
    year = edition.release
    records: list[tuple[object, ...]] = []
    for service in services:
        for amount in AMOUNTS:
            number, marker = service.amounts[amount]
            label = table.header[column_of[service.measure][amount]]
            pounds = None if number is None else round(number * 1000, _PENCE)
            records.append(
                (AUTHORITY, service.la_code, service.ons_code, service.la_name, year, year, service.measure, pounds,
                 marker, source.name, source.sha256, service.row, label, amount, label)
            )  # fmt: skip
    return FORM.frame(records)


LAYOUTS = [
    Layout(
        name=LAYOUT,
        publication=SPENDING,
        title="Local authority revenue outturn RO3, social care and public health",
        publisher="Ministry of Housing, Communities and Local Government",
        recognises=_recognises,
        edition=_edition,
        read=_read,
        form=FORM,
    )
]
