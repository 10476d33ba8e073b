"""Workbooks as published (xls, xlsx, ods): sheets as rows of text, every row with its number.

What belongs here: opening a workbook, cells as text, finding a header row by its words, and refusing what is damaged.
What does not: the meaning of any sheet or column (the layout modules).

Everything becomes text, as in delimited files, so that one rule reads a figure wherever it stands. A date becomes
`2017-03-31`, a whole number `1234`, another number its shortest exact form.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterable

import python_calamine

from pipeline.errors import Refusal
from pipeline.readers.text_table import TextTable

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"  # xlsx and ods are zip archives, xls is an OLE container
_RESTORE = "replace it with the file as published (its size or hash on the publisher's page tells)"


def is_workbook(head: bytes) -> bool:
    """Whether the first bytes are those of a workbook's container."""
    return head.startswith((_ZIP, _OLE))


class Workbook:
    """One workbook. Raises Refusal where the bytes are no workbook that can be opened."""

    def __init__(self, content: bytes, file: str) -> None:
        self.file = file
        try:
            self._book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        except (python_calamine.CalamineError, OSError, ValueError) as error:
            raise Refusal(
                "damaged_workbook",
                f"the workbook cannot be opened ({error})",
                file=file,
                remedy=_RESTORE,
            ) from error

    @property
    def names(self) -> list[str]:
        """Names of the sheets, exactly as they stand there."""
        return list(self._book.sheet_names)

    def rows(self, sheet: str, first: int | None = None) -> list[list[str]]:
        """All rows of a sheet, or its first ones, as text; blank rows and columns before the data are kept."""
        try:
            cells = self._book.get_sheet_by_name(sheet).to_python(skip_empty_area=False, nrows=first)
        except (python_calamine.CalamineError, OSError, ValueError) as error:
            raise Refusal(
                "damaged_workbook",
                f"the sheet {sheet!r} cannot be read ({error})",
                file=self.file,
                remedy=_RESTORE,
            ) from error
        return [[text(cell) for cell in row] for row in cells]


def text(cell: object) -> str:
    """A cell as text."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell)


def tidied(heading: str) -> str:
    """A heading with its spaces and line breaks collapsed: published headings carry stray ones."""
    return " ".join(heading.split())


def header_row(rows: list[list[str]], wanted: Iterable[str]) -> int | None:
    """Number (from 1) of the first row that holds all wanted headings, however spaced; None where no row does."""
    needed = {tidied(name) for name in wanted}
    for number, row in enumerate(rows, start=1):
        if needed <= {tidied(cell) for cell in row}:
            return number
    return None


def table(
    rows: list[list[str]],
    place: str,
    header_at: int,
    *,
    header: list[str] | None = None,
    is_data: Callable[[list[str]], bool] = any,
) -> TextTable:
    """The rows below a header row as a table; `place` is what a person is told, such as `file.ods, sheet History`.

    `header` replaces the row's own headings (tidied) where several header rows make one. Rows that `is_data` denies
    are left out: without it, those that are blank throughout. Row numbers are those of the sheet.
    """
    names = header if header is not None else [tidied(cell) for cell in rows[header_at - 1]]
    width = len(names)
    while width and not names[width - 1]:
        width -= 1
    body = [(number, row) for number, row in enumerate(rows[header_at:], start=header_at + 1) if is_data(row)]
    return TextTable(
        file=place,
        header=names[:width],
        rows=[(row + [""] * width)[:width] for _, row in body],
        row_numbers=[number for number, _ in body],
        preamble=rows[: header_at - 1],
        header_row=header_at,
    )
