"""How sheets become a workbook: the same cells, the same bytes.

What belongs here: writing rows as .xlsx without a trace of when and where. What does not: what stands in a sheet (the
modules that write files).
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import xlsxwriter

Cell = str | int | float | dt.date | None
Sheets = Mapping[str, Sequence[Sequence[Cell]]]

_WRITTEN = dt.datetime(2000, 1, 1)  # the archive's own times are constant as well


def write_workbook(path: Path, sheets: Sheets) -> None:
    """Write the sheets in their order, and the folder if it is not there. None and empty text are empty cells."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_urls": False})
    book.set_properties({"created": _WRITTEN})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell is None or cell == "":
                    continue
                if isinstance(cell, str):
                    sheet.write_string(at, column, cell)
                elif isinstance(cell, dt.date):
                    sheet.write_datetime(at, column, cell, day)
                else:
                    sheet.write_number(at, column, cell)
    book.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.getvalue())
