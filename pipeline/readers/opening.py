"""The beginning of a file, by which it is recognised: first rows of a text, of each sheet, or the columns of a Parquet file.

What belongs here: telling the three kinds of file apart by their first bytes, showing a layout what it may judge by, and how
else a text might have begun. What does not: which layout a beginning belongs to (the layout modules) and reading the rest
(`text_table`, `workbook`, `parquet_table`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pipeline.readers import parquet_table, text_table, workbook

ROWS = 12  # the deepest header of any layout stands in row 10; two rows more, so that one moved down is still seen
HEAD_BYTES = 65536  # of a text: enough for that many rows of the widest layout
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True)
class Opening:
    """What a layout sees of a file. Exactly one of the three has content; all are empty for a kind nobody reads.

    `rows` are the first rows of a delimited text, `sheets` those of each sheet of a workbook by sheet name, `columns`
    the column names of a Parquet file. Rows keep their place: row 1 is `rows[0]`.
    """

    rows: list[list[str]] = field(default_factory=list)
    sheets: dict[str, list[list[str]]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()

    def header(self, row: int = 1) -> frozenset[str]:
        """The header names of a text; empty when it is shorter."""
        return frozenset(self.rows[row - 1]) if len(self.rows) >= row else frozenset()


def needs_whole_file(head: bytes) -> bool:
    """Whether a file with this beginning can only be looked into as a whole: workbooks and Parquet."""
    return workbook.is_workbook(head) or parquet_table.is_parquet(head)


def of(content: bytes, file: str) -> Opening:
    """The opening of a file's bytes; for a text the first HEAD_BYTES are enough.

    Raises Refusal for a text that is none (see `text_table.decode`) and for a damaged workbook or Parquet file.
    """
    if workbook.is_workbook(content):
        book = workbook.Workbook(content, file)
        return Opening(sheets={name: book.rows(name, first=ROWS) for name in book.names})
    if parquet_table.is_parquet(content):
        return Opening(columns=parquet_table.column_names(content, file))
    return Opening(rows=text_table.opening(content, file, ROWS))


def with_other_delimiters(opening: Opening) -> Iterator[tuple[str, Opening]]:
    """The opening of a text split at each other delimiter, with that one's name."""
    for delimiter, name in _DELIMITERS.items():
        lines = [" ".join(",".join(row).split("\n")).replace("\r", " ") for row in opening.rows]
        rows = [next(csv.reader([line], delimiter=delimiter), []) for line in lines]
        yield name, replace(opening, rows=rows)


def with_moved_rows(opening: Opening) -> Iterator[tuple[str, Opening]]:
    """The opening of a text with its rows moved up and down, with how far its header stands from its place."""
    for lines in range(1, len(opening.rows)):
        yield f"{_rows(lines)} too low", replace(opening, rows=opening.rows[lines:])
    for lines in range(1, ROWS if opening.rows else 1):
        above: list[list[str]] = [[] for _ in range(lines)]
        yield f"{_rows(lines)} too high", replace(opening, rows=above + opening.rows)


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"
