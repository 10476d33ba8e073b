"""Planting a fault in a published file: one cell, row or column changes, every other byte stays.

What belongs here: changing comma-separated text by row and column. What does not: which faults there are
(`test_bad_input`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path


class PublishedTable:
    """A comma-separated file whose header is row 1. Rows are counted as a spreadsheet counts them."""

    def __init__(self, folder: Path, file: str) -> None:
        self.file = file
        self._path = folder / file
        self._lines = self._path.read_bytes().decode("utf-8").splitlines(keepends=True)

    @property
    def last_row(self) -> int:
        """The number of the last row."""
        return len(self._lines)

    def _cells(self, row: int) -> list[str]:
        return next(csv.reader([self._lines[row - 1].rstrip("\r\n")]))

    def _at(self, column: str) -> int:
        header = self._cells(1)
        header[0] = header[0].removeprefix("\ufeff")
        return header.index(column)

    def _put(self, row: int, cells: list[str]) -> None:
        line = self._lines[row - 1]
        end = line[len(line.rstrip("\r\n")) :]
        text = io.StringIO()
        csv.writer(text, lineterminator=end).writerow(cells)
        self._lines[row - 1] = text.getvalue()

    def cell(self, row: int, column: str) -> str:
        """The cell as it stands."""
        return self._cells(row)[self._at(column)]

    def row_where(self, test: Callable[[dict[str, str]], bool]) -> int:
        """The first row whose cells, by header, pass the test."""
        header = self._cells(1)
        header[0] = header[0].removeprefix("\ufeff")
        for row in range(2, self.last_row + 1):
            if test(dict(zip(header, self._cells(row), strict=True))):
                return row
        raise AssertionError(f"no such row in {self.file}")

    def set(self, row: int, column: str, value: str) -> None:
        """Put another value into a cell."""
        cells = self._cells(row)
        cells[self._at(column)] = value
        self._put(row, cells)

    def drop_column(self, column: str) -> None:
        """Leave a column out of every row."""
        at = self._at(column)
        for row in range(1, self.last_row + 1):
            cells = self._cells(row)
            self._put(row, cells[:at] + cells[at + 1 :])

    def drop_row(self, row: int) -> None:
        """Leave a row out."""
        del self._lines[row - 1]

    def repeat_row(self, row: int) -> int:
        """Put the same row again at the end; gives the number of the repetition."""
        self._lines.append(self._lines[row - 1])
        return self.last_row

    def cut_after(self, row: int) -> None:
        """Lose all rows after this one."""
        del self._lines[row:]

    def cut_within(self, row: int, cells: int) -> None:
        """Lose everything after the first cells of a row."""
        self.cut_after(row)
        self._lines[row - 1] = ",".join(self._cells(row)[:cells])

    def write(self, folder: Path | None = None, file: str | None = None) -> None:
        """Put the changed file back, or elsewhere under another name."""
        path = folder / (file or self.file) if folder else self._path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("".join(self._lines).encode("utf-8"))
