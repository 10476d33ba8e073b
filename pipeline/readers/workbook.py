"""Workbooks as published (xls, xlsx, ods): sheets as rows of text, every row with its number.

What belongs here: opening a workbook, cells as text, finding a header row by its words, and refusing what is damaged.
What does not: the meaning of any sheet or column (the layout modules).

Everything becomes text, as in delimited files, so that one rule reads a figure wherever it stands. A date becomes
`2017-03-31`, a whole number `1234`, another number its shortest exact form.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from pipeline import settings
from pipeline.errors import Refusal
from pipeline.readers import archives, guarded
from pipeline.readers.guarded_process import text as text
from pipeline.readers.text_table import TextTable

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"  # xlsx and ods are zip archives, xls is an OLE container
_RESTORE = "replace it with the file as published (its size or hash on the publisher's page tells)"


def is_workbook(head: bytes) -> bool:
    """Whether the first bytes are those of a workbook's container."""
    return head.startswith((_ZIP, _OLE))


class Workbook:
    """One workbook, opened by the guarded process. Raises Refusal where the bytes are none that can be opened or borne."""

    def __init__(self, content: bytes, file: str) -> None:
        self.file = file
        self._content = content
        try:
            if content.startswith(_ZIP):
                archives.refuse_swollen(content, file)
            self.names: list[str] = guarded.ask(content, file, "sheets")  # exactly as they stand there
        except (archives.BadArchive, guarded.Damaged) as error:
            raise self._damaged(f"the workbook cannot be opened ({error})") from error
        if len(self.names) > settings.load().files.sheets:
            raise guarded.too_large(f"it has {len(self.names):,} sheets, and no publication has", file)
        self._room = settings.load().files.cells

    def rows(self, sheet: str, first: int | None = None) -> list[list[str]]:
        """All rows of a sheet, or its first ones, as text; blank rows and columns before the data are kept.

        Refuses a damaged sheet, and a workbook with more cells than any publication.
        """
        try:
            rows: list[list[str]] = guarded.ask(self._content, self.file, "rows", sheet=sheet, first=first)
        except guarded.Damaged as error:
            raise self._damaged(f"the sheet {sheet!r} cannot be read ({error})") from error
        self._room -= sum(map(len, rows))
        if self._room < 0:
            raise guarded.too_large("its sheets have more cells together than any publication", self.file)
        return rows

    def _damaged(self, problem: str) -> Refusal:
        return Refusal("damaged_workbook", problem, file=self.file, remedy=_RESTORE)


def refuse_doubled_sheet(found: Collection[str], file: str, what: str) -> None:
    """Refuse a workbook in which several sheets hold the table that is looked for; `found` are their names."""
    if len(found) > 1:
        raise Refusal(
            "doubled_sheet",
            f"the sheets {' and '.join(found)} hold {what} each, and nothing says which is meant",
            file=file,
            remedy="keep the one that is meant",
        )


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
