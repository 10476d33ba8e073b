"""Published files taken apart and put together again, so that a mutation can change one thing in them.

What belongs here: delimited texts, workbooks and Parquet files as one grid of cells, and writing the grid back. What does
not: what is changed (`mutations`) and what the change does (`oracle`).

A workbook is written back as xlsx whatever it was: the readers go by content. Of a long workbook or Parquet file only
a part of the rows that no reader takes is kept, so that a mutant takes a fraction of a second; `Document.as_bytes` of the
untouched grid gives the same figures as the file, which every run proves first.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from dataclasses import dataclass, field, replace
from functools import cached_property
from xml.sax.saxutils import escape

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import python_calamine

from pipeline.readers import parquet_table, workbook

TEXT, WORKBOOK, PARQUET = "text", "workbook", "parquet"
Cell = object
_UNTAKEN_KEPT = 10  # of the rows that no reader takes, one in so many
_FEW_ROWS = 1000  # a sheet of up to so many is kept whole
_OTHER_SHEET_ROWS = 200  # kept of the sheets that no reader takes rows from
_DAY_0 = dt.datetime(1899, 12, 30)


def kind(head: bytes) -> str:
    """TEXT, WORKBOOK or PARQUET, by the first bytes."""
    if workbook.is_workbook(head):
        return WORKBOOK
    return PARQUET if parquet_table.is_parquet(head) else TEXT


@dataclass
class Grid:
    """Cells of a text, of one sheet or of a Parquet file whose names stand in row 0.

    Positions count from 0. `body` is the first row below the headings. `records` are the rows that the reader takes,
    `taken` the cells in them that it says its values are from; empty where its form does not tell.
    """

    rows: list[list[Cell]]
    body: int
    records: list[int]
    taken: list[tuple[int, int]]
    sheet: str = ""
    beside: dict[str, list[list[Cell]]] = field(default_factory=dict)

    def text(self, row: int, column: int) -> str:
        """The cell as the readers see it; empty beyond the end of a short row."""
        line = self.rows[row]
        return workbook.text(line[column]) if column < len(line) and line[column] is not None else ""

    def set(self, row: int, column: int, text: str) -> None:
        """Put a text into a cell; it stays a number or a date where the cell was one and the text still is."""
        line = self.rows[row]
        line += [""] * (column + 1 - len(line))
        line[column] = _like(line[column], text)

    def copy(self) -> Grid:
        """A grid to spoil."""
        return replace(
            self,
            rows=[list(row) for row in self.rows],
            records=list(self.records),
            taken=list(self.taken),
            beside={name: [list(row) for row in rows] for name, rows in self.beside.items()},
        )

    def width(self) -> int:
        """Columns of the row of headings."""
        return len(self.rows[self.body - 1])


def _like(old: Cell, text: str) -> Cell:
    if isinstance(old, bool) or old is None or isinstance(old, str):
        return text
    try:
        if isinstance(old, float | int):
            return float(text)
        if isinstance(old, dt.date):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    return text


@dataclass(frozen=True)
class Document:
    """One published file: its bytes, and its grid, found with the help of the tidy frame that the reader made of it.

    `symbols` are the markers that its layout is known to use.
    """

    name: str
    content: bytes
    tidy: pd.DataFrame
    symbols: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """TEXT, WORKBOOK or PARQUET."""
        return kind(self.content)

    @cached_property
    def encoding(self) -> str:
        """Of a text."""
        if self.content.startswith(b"\xef\xbb\xbf"):
            return "utf-8-sig"
        try:
            self.content.decode("utf-8")
        except UnicodeDecodeError:
            return "cp1252"
        return "utf-8"

    @cached_property
    def line_end(self) -> str:
        """Of a text."""
        return "\r\n" if b"\r\n" in self.content else "\n"

    @cached_property
    def _grid(self) -> Grid:
        return {TEXT: self._of_text, WORKBOOK: self._of_workbook, PARQUET: self._of_parquet}[self.kind]()

    def grid(self) -> Grid:
        """A fresh grid to spoil."""
        return self._grid.copy()

    def as_bytes(self, grid: Grid) -> bytes:
        """The file with these cells."""
        if self.kind == TEXT:
            return as_text(grid.rows, self.line_end).encode(self.encoding)
        if self.kind == WORKBOOK:
            return xlsx({grid.sheet: grid.rows, **grid.beside})
        return _parquet(grid.rows)

    def _of_text(self) -> Grid:
        text = self.content.decode(self.encoding)
        rows, at = [], {}
        reader = csv.reader(io.StringIO(text, newline=""))
        for row in reader:
            at[reader.line_num] = len(rows)
            rows.append(list(row))
        return self._grid_of(rows, at)

    def _of_workbook(self) -> Grid:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(self.content))
        sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
        own = self._own_sheet(sheets)
        rows = sheets.pop(own)
        first, numbers = int(self.tidy["source_row"].min()), set(self.tidy["source_row"])
        kept = [
            number
            for number in range(1, len(rows) + 1)
            if number < first or number in numbers or len(rows) <= _FEW_ROWS or number % _UNTAKEN_KEPT == 0
        ]
        grid = self._grid_of(
            [list(rows[number - 1]) for number in kept], {number: at for at, number in enumerate(kept)}
        )
        grid.sheet = own
        grid.beside = {name: [list(row) for row in rows[:_OTHER_SHEET_ROWS]] for name, rows in sheets.items()}
        return grid

    def _own_sheet(self, sheets: dict[str, list[list[Cell]]]) -> str:
        place = str(self.tidy["source_file"].iloc[0])
        if ", sheet " in place:
            return place.split(", sheet ", 1)[1]
        # The form names the file alone: the sheet is the one that has the reader's columns, and the areas in its rows.
        areas = self.tidy.drop_duplicates("source_row")
        names = areas["ons_code"].fillna(areas["area_code"])
        columns = {workbook.tidied(name) for name in self.tidy["source_column"]}

        def likeness(name: str) -> tuple[int, int]:
            headings = {workbook.tidied(workbook.text(cell)) for row in sheets[name][:12] for cell in row}
            return len(columns & headings), _areas_found(sheets[name], areas["source_row"], names)

        return max(sheets, key=likeness)

    def _of_parquet(self) -> Grid:
        frame = pq.read_table(io.BytesIO(self.content)).to_pandas()
        numbers = sorted(set(self.tidy["source_row"]))
        kept = frame.iloc[[number - 1 for number in numbers]].astype(object)
        rows = [list(frame.columns), *kept.where(kept.notna(), None).to_numpy().tolist()]
        return self._grid_of(rows, {number: at for at, number in enumerate(numbers, start=1)})

    def _grid_of(self, rows: list[list[Cell]], at: dict[int, int]) -> Grid:
        """`at` maps the row numbers of the file to positions in `rows`."""
        records = sorted({at[int(number)] for number in self.tidy["source_row"]})
        columns = set(self.tidy["source_column"].dropna()) if "source_column" in self.tidy else set()
        body = min(records)
        position = {}
        for row in range(body):
            texts = [workbook.tidied(workbook.text(cell)) if cell is not None else "" for cell in rows[row]]
            found = {name: texts.index(workbook.tidied(name)) for name in columns if workbook.tidied(name) in texts}
            if len(found) >= max(1, len(position)):
                position = found
        if self.kind == TEXT and position:
            # A text may have rows between its headings and the first one that is taken.
            body = 1 + next(row for row in range(body) if set(position) <= set(map(str, rows[row])))
        cells = self.tidy[["source_row", "source_column"]].drop_duplicates() if position else self.tidy.iloc[:0]
        taken = [
            (at[int(row)], position[column])
            for row, column in zip(cells["source_row"], cells["source_column"], strict=True)
            if column in position
        ] if position else []  # fmt: skip
        return Grid(rows=rows, body=body, records=records, taken=taken)


def _areas_found(rows: list[list[Cell]], numbers: pd.Series, names: pd.Series) -> int:
    """How many rows hold the area that they are said to hold."""
    return sum(
        str(name) in (workbook.text(cell).strip() for cell in rows[int(number) - 1])
        for number, name in zip(numbers, names, strict=True)
        if number <= len(rows)
    )


def as_text(rows: list[list[Cell]], line_end: str = "\n", delimiter: str = ",") -> str:
    """Rows as delimited text."""
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end, delimiter=delimiter).writerows(rows)
    return text.getvalue()


def _parquet(rows: list[list[Cell]]) -> bytes:
    names, body = [str(name) for name in rows[0]], rows[1:]
    columns = []
    for at in range(len(names)):
        cells = [row[at] if at < len(row) else None for row in body]
        if any(isinstance(cell, str) for cell in cells):
            cells = [cell if cell is None or isinstance(cell, str) else workbook.text(cell) for cell in cells]
        columns.append(pa.array(cells))
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, names=names), sink)
    return sink.getvalue()


# ---------------------------------------------------------------------------------------------------------------------
# Workbooks

_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_RELATIONS = '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_BOOK, _SHEET = "workbook", "worksheet"  # names of the format
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
# Style 0 is plain, 1 a date, 2 a date with a time.
_STYLES = (
    f'<?xml version="1.0"?><styleSheet xmlns="{_MAIN}"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/>'
    '<xf numFmtId="22"/></cellXfs></styleSheet>'
)


def xlsx(sheets: dict[str, list[list[Cell]]]) -> bytes:
    """A workbook of these sheets; texts stand in their cells, so that no sheet depends on another part."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr(
            "_rels/.rels",
            f'{_RELATIONS}<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/{_BOOK}.xml"/>'
            "</Relationships>",
        )
        archive.writestr("xl/styles.xml", _STYLES)
        listed = "".join(
            f'<sheet name="{escape(name, {chr(34): "&quot;"})}" sheetId="{number}" r:id="rId{number}"/>'
            for number, name in enumerate(sheets, start=1)
        )
        archive.writestr(
            f"xl/{_BOOK}.xml",
            f'<?xml version="1.0"?><{_BOOK} xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></{_BOOK}>',
        )
        related = "".join(
            f'<Relationship Id="rId{number}" Type="{_OFFICE}/{_SHEET}" Target="{_SHEET}s/sheet{number}.xml"/>'
            for number in range(1, len(sheets) + 1)
        )
        archive.writestr(
            f"xl/_rels/{_BOOK}.xml.rels",
            f'{_RELATIONS}{related}<Relationship Id="rId0" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        )
        for number, rows in enumerate(sheets.values(), start=1):
            archive.writestr(f"xl/{_SHEET}s/sheet{number}.xml", _sheet(rows))
    return sink.getvalue()


def _sheet(rows: list[list[Cell]]) -> str:
    letters = [_letters(at) for at in range(max(map(len, rows), default=0))]
    parts = [f'<?xml version="1.0" encoding="UTF-8"?><{_SHEET} xmlns="{_MAIN}"><sheetData>']
    for number, row in enumerate(rows, start=1):
        cells = "".join(_xml(cell, f"{letters[at]}{number}") for at, cell in enumerate(row) if cell not in ("", None))
        parts.append(f'<row r="{number}">{cells}</row>')
    parts.append(f"</sheetData></{_SHEET}>")
    return "".join(parts)


def _xml(cell: Cell, at: str) -> str:
    if isinstance(cell, bool):
        return f'<c r="{at}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, float | int):
        return f'<c r="{at}"><v>{cell!r}</v></c>'
    if isinstance(cell, dt.datetime):
        return f'<c r="{at}" s="2"><v>{(cell - _DAY_0) / dt.timedelta(days=1)!r}</v></c>'
    if isinstance(cell, dt.date):
        return f'<c r="{at}" s="1"><v>{(dt.datetime.combine(cell, dt.time()) - _DAY_0).days}</v></c>'
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(str(cell))}</t></is></c>'


def _letters(at: int) -> str:
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
