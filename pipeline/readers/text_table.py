"""Delimited text as published: bytes to header and rows, every cell as text, every row with its number.

What belongs here: encoding, line ends, quoting, blank trailing columns, and refusing what is not a table. What does
not: the meaning of any column (`cells` and the layout modules).
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline import settings
from pipeline.errors import Refusal

DAMAGED = "damaged_text"
_HTML_OPENINGS = ("<!doctype", "<html", "<head", "<?xml", "<body")
_RESTORE = "replace it with the file as published (its size or hash on the publisher's page tells)"


@dataclass(frozen=True)
class TextTable:
    """One delimited file. `rows[i]` stands in row `row_numbers[i]` of the file, counted from 1."""

    file: str
    header: list[str]
    rows: list[list[str]]
    row_numbers: list[int]
    preamble: list[list[str]]
    header_row: int = 1

    def column(self, name: str) -> int:
        """Position of a column; Refusal when the published layout demands it and it is not there."""
        try:
            return self.header.index(name)
        except ValueError:
            raise missing_column(self.file, name, self.header, self.header_row) from None


def missing_column(file: str, name: str, header: list[str], header_row: int = 1) -> Refusal:
    """The refusal for a column that the layout needs."""
    return Refusal(
        "missing_column",
        f"the column is missing; the file has {', '.join(h for h in header if h) or 'no header'}",
        file=file,
        row=header_row,
        column=name,
        remedy="use the file as published, or tell its reader the new name if the publisher renamed it",
    )


def refuse_without_rows(table: TextTable) -> None:
    """Refuse a table that has a header and nothing below it."""
    if not table.rows:
        raise Refusal(
            "no_rows", "the file has a header and no rows", file=table.file, row=table.header_row, remedy=_RESTORE
        )


def decode(content: bytes, file: str) -> str:
    """Text of a published file: UTF-8 with or without a byte order mark, else Windows-1252.

    Refuses what is not text at all and what is a web page under a data file's name.
    """
    if not content.strip():
        raise Refusal("empty_file", "the file is empty", file=file, remedy=_RESTORE)
    if b"\x00" in content:
        raise Refusal("not_text", "the file holds binary data, not comma-separated text", file=file, remedy=_RESTORE)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # The publisher's older files are Windows-1252; figures and codes are ASCII in either.
        text = content.decode("cp1252", errors="replace")
    # Programs that take CR LF for LF and write CR LF again leave a blank line after each line.
    text = text.replace("\r\r\n", "\r\n")
    if text.lstrip().lower().startswith(_HTML_OPENINGS):
        raise Refusal(
            "web_page", "this is a web page, not the data file that its name says", file=file, remedy=_RESTORE
        )
    return text


def read(content: bytes, file: str, *, header_row: int = 1, repeating: frozenset[str] = frozenset()) -> TextTable:
    """The whole table below `header_row`. Blank lines are skipped; a row with too few or too many cells is refused.

    Unnamed columns are dropped when they are blank throughout, and refused when they are not. A heading may stand
    there once only, unless the layout is one in which it repeats.
    """
    lines = list(_lines(decode(content, file), file))
    if len(lines) < header_row:
        raise Refusal(
            "no_header", f"the file ends before its header row {header_row}", file=file, row=len(lines), remedy=_RESTORE
        )
    header = list(lines[header_row - 1][1])
    body = [(number, cells) for number, cells in lines[header_row:] if any(cell.strip() for cell in cells)]
    for number, cells in body:
        if len(cells) != len(header):
            raise Refusal(
                "ragged_row",
                f"the row has {len(cells)} cells and the header {len(header)}: the file may have been cut short",
                file=file,
                row=number,
                remedy=_RESTORE,
            )
    named = [at for at, name in enumerate(header) if name.strip()]
    unnamed = [at for at, name in enumerate(header) if not name.strip()]
    for number, cells in body:
        if any(cells[at].strip() for at in unnamed):
            raise Refusal(
                "unnamed_column", "a column without a header holds values", file=file, row=number, remedy=_RESTORE
            )
    header = [header[at] for at in named]
    doubled = sorted(name for name, times in Counter(header).items() if times > 1 and name not in repeating)
    if doubled:
        raise Refusal(
            "doubled_column",
            "the column stands twice in the header",
            file=file,
            row=header_row,
            column=doubled[0],
            remedy=_RESTORE,
        )
    return TextTable(
        file=file,
        header=header,
        rows=[[cells[at] for at in named] for _, cells in body] if unnamed else [cells for _, cells in body],
        row_numbers=[number for number, _ in body],
        preamble=[cells for _, cells in lines[: header_row - 1]],
        header_row=header_row,
    )


def opening(content: bytes, file: str, rows: int) -> list[list[str]]:
    """The first rows of a file, for recognising it; fewer when the file is shorter or damaged.

    Damage is not refused here: whether it matters is known once the file is, and then `read` refuses it.
    """
    head = content[:65536]
    if len(content) > len(head):
        head = head[: head.rfind(b"\n") + 1] or head
    lines = _lines(decode(head, file), file)
    found: list[list[str]] = []
    try:
        while len(found) < rows:
            found.append(next(lines)[1])
    except StopIteration:
        pass
    except Refusal as refusal:
        if refusal.code != DAMAGED:
            raise
    return found


def _lines(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    return lines(text, file, is_strict=True)


class _RowByRow:
    """The lines of a text, no row of which may go on for ever: csv.reader gathers a whole row before it gives it."""

    def __init__(self, text: str, file: str, longest: int) -> None:
        self._lines, self._file, self._longest, self._room = io.StringIO(text, newline=""), file, longest, longest

    def __iter__(self) -> _RowByRow:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._room -= len(line)
        if self._room < 0:
            raise _too_large(f"a row is longer than {self._longest:,} characters", self._file)
        return line

    def begin_row(self) -> None:
        """The row is over."""
        self._room = self._longest


def _too_large(problem: str, file: str) -> Refusal:
    return Refusal("too_large", f"{problem}, more than any publication", file=file, remedy=_RESTORE)


def lines(text: str, file: str, *, is_strict: bool) -> Iterator[tuple[int, list[str]]]:
    """The rows of a text with the number of the line that each ends in; Refusal where they are larger than any table."""
    # csv.reader copes with both line ends; a NUL or an endless quote is the only thing that stops it.
    limits = settings.load().files
    source = _RowByRow(text, file, limits.record_characters)
    reader = csv.reader(source, strict=is_strict)
    room = limits.cells
    try:
        for cells in reader:
            room -= len(cells)
            if len(cells) > limits.columns:
                raise _too_large(f"row {reader.line_num} has {len(cells):,} cells", file)
            if room < 0:
                raise _too_large(f"there are more than {limits.cells:,} cells", file)
            source.begin_row()
            yield reader.line_num, cells
    except csv.Error as error:
        raise Refusal(
            DAMAGED,
            f"the text cannot be split into cells ({error}): a quotation mark may be missing or the file cut short",
            file=file,
            row=reader.line_num,
            remedy=_RESTORE,
        ) from error
