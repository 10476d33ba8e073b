"""The beginning of a file, by which it is recognised: first rows of a text, of each sheet, or the columns of a Parquet file.

What belongs here: telling the three kinds of file apart by their first bytes and showing a layout what it may judge by.
What does not: which layout a beginning belongs to (the layout modules) and reading the rest (`text_table`, `workbook`,
`parquet_table`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.readers import parquet_table, text_table, workbook

ROWS = 12  # the deepest header of any layout stands in row 10; two rows more, so that one moved down is still seen
HEAD_BYTES = 65536  # of a text: enough for that many rows of the widest layout


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
