"""A small fictional file in each layout, as rows that a property test can change and write again.

What belongs here: gathering the small files of `tests/fixtures` under one form. What does not: the properties
(`test_reader_properties`). The layouts of one reader that differ in a heading alone are there once.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.readers import layouts, opening
from pipeline.readers.layout import Knowledge, SourceFile
from tests.fixtures import deprivation_files as deprivation
from tests.fixtures import low_income_families_files as families
from tests.fixtures import ofsted_files as ofsted
from tests.fixtures import small_spending as spending
from tests.fixtures import small_tables as small
from tests.fixtures import small_tool
from tests.fuzz.documents import PARQUET, TEXT, WORKBOOK, Cell, as_text, xlsx
from tests.pipeline.readers import test_statistical_neighbours as neighbours

Rows = list[list[Cell]]


@dataclass(frozen=True, repr=False)
class SmallFile:
    """`rows` are those of the text, the sheet that is read, or the Parquet file with its names in front.

    `header_at` is the position of the row of headings, `beside` the other sheets.
    """

    name: str
    file: str
    kind: str
    rows: Rows
    knowledge: Knowledge
    header_at: int = 0
    sheet: str = ""
    beside: Mapping[str, Rows] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"the small file {self.name}"  # not all of its cells, where an example fails

    def content(self, rows: Rows) -> bytes:
        """The file with other rows."""
        if self.kind == TEXT:
            return as_text(rows).encode("utf-8", "surrogatepass")
        if self.kind == WORKBOOK:
            return xlsx({self.sheet: rows, **self.beside})
        names, body = [str(name) for name in rows[0]], rows[1:]
        columns = [[row[at] if at < len(row) else None for row in body] for at in range(len(names))]
        texts = [
            pa.array([None if cell is None else str(cell) for cell in cells])
            if any(isinstance(cell, str) for cell in cells)
            else pa.array(cells)
            for cells in columns
        ]
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_arrays(texts, names=names), sink)
        return sink.getvalue()

    def read(self, rows: Rows | None = None, content: bytes | None = None) -> pd.DataFrame | None:
        """The cells of the file, or of its other bytes; None where no layout knows it. Raises Refusal as a run does."""
        content = self.content(self.rows if rows is None else rows) if content is None else content
        layout = layouts.recognise(opening.of(content, self.file))
        if layout is None:
            return None
        source = SourceFile(self.file, content, hashlib.sha256(content).hexdigest())
        return layout.read(source, layout.edition(source, self.knowledge), self.knowledge)


def figures(frame: pd.DataFrame) -> list[str]:
    """What a frame says, without where in a file it says it."""
    own = frame[[name for name in frame.columns if not name.startswith("source_")]]
    return sorted(map(repr, own.astype(object).where(own.notna(), None).itertuples(index=False, name=None)))


def _text(name: str, table: Rows, file: str, knowledge: Knowledge, header_at: int = 0) -> SmallFile:
    return SmallFile(name, file, TEXT, table, knowledge, header_at)


def _book(
    name: str, sheets: Mapping[str, Rows], own: str, header_at: int, knowledge: Knowledge, file: str
) -> SmallFile:
    beside = {other: rows for other, rows in sheets.items() if other != own}
    return SmallFile(name, file, WORKBOOK, [list(row) for row in sheets[own]], knowledge, header_at, own, beside)


def _all() -> list[SmallFile]:
    found = [
        _text(name, sample.table, sample.file, small.KNOWLEDGE, sample.header_row - 1)
        for name, sample in small.SAMPLES.items()
    ]
    of_districts = {
        "districts": deprivation.idaci_districts(),
        "district lookup": deprivation.district_lookup(),
        "neighbour groupings": neighbours.groupings(),
        "neighbour model": neighbours.model(),
    }
    for name, table in of_districts.items():
        known = neighbours.KNOWLEDGE if name.startswith("neighbour") else deprivation.KNOWLEDGE
        found.append(_text(name, table, f"{name}.csv", known))
    found.append(_text("district band", deprivation.district_population("15"), "pop-15.csv", deprivation.KNOWLEDGE, 6))
    for name, book in {
        "low income 2011": deprivation.low_income_2011(),
        "low income 2016": deprivation.low_income_2016(),
        "indices": deprivation.idaci_workbook(),
        "families": families.from_2022(),
    }.items():
        at = next(number for number, row in enumerate(book.rows) if any(_is_code(cell) for cell in row)) - 1
        found.append(_book(name, book.sheets, book.summary, at, deprivation.KNOWLEDGE, book.file))
    history, outcomes = ofsted.history(), ofsted.outcomes()
    found += [
        _book("return 251", {"A1": spending.s251()}, "A1", 0, small.KNOWLEDGE, spending.S251_FILE),
        _book("outturn", {"LA": spending.ro3()}, "LA", len(spending.RO3_TITLE), small.KNOWLEDGE, spending.RO3_FILE),
        _book("neighbours of the tool", {"SN": [*neighbours.TITLES, *neighbours.groupings()]}, "SN", 2,
              neighbours.KNOWLEDGE, "neighbours.xlsx"),
        _book("inspections since 2009", history, "LA_inspections_2009-2023", ofsted.HISTORY_HEADER_ROW - 1,
              ofsted.KNOWLEDGE, "inspections.xlsx"),
        _book("outcomes", outcomes, "ILACS_inspection_history", ofsted.OUTCOMES_HEADER_ROW - 1, ofsted.KNOWLEDGE,
              "inspections.xlsx"),
    ]  # fmt: skip
    tool = small_tool.tool().frame.astype(object)
    rows = [list(tool.columns), *tool.where(tool.notna(), None).to_numpy().tolist()]
    found.append(SmallFile("interactive tool", small_tool.FILE, PARQUET, rows, small.KNOWLEDGE))
    return found


def _is_code(cell: Cell) -> bool:
    return isinstance(cell, str) and len(cell) == 9 and cell[1:].isdigit()


SMALL_FILES: dict[str, SmallFile] = {one.name: one for one in _all()}
