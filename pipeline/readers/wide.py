"""The wide tables of 2010 to 2017: one row an area, one column a measure.

What belongs here: the walk over rows and measure columns that the 2010 and the 2011-2017 layouts share. What does not:
their headers and words (`cla_2010`, `cla_2011_2017`).
"""

from __future__ import annotations

import pandas as pd

from pipeline import corrections
from pipeline.errors import Refusal
from pipeline.readers import cells, text_table
from pipeline.readers.layout import AUTHORITY, COUNTS, ENGLAND, Edition, Knowledge, SourceFile

LEVEL, CODE, NAME, ONS_CODE = "geog_l", "geog_c", "geog_n", "New_geog_code"


def england_cell(table: text_table.TextTable, column: str, levels: dict[str, str]) -> str:
    """The cell of England's row in `column`; empty when the table has no such row."""
    level_at, column_at = table.column(LEVEL), table.column(column)
    for line in table.rows:
        if levels.get(line[level_at].strip()) == ENGLAND:
            return line[column_at].strip()
    return ""


def read_wide(
    table: text_table.TextTable,
    source: SourceFile,
    edition: Edition,
    knowledge: Knowledge,
    *,
    layout: str,
    levels: dict[str, str],
    measures: dict[str, str],
    has_ons_code: bool,
) -> pd.DataFrame:
    """All cells of a wide table in the tidy form; `measures` maps header to measure.

    The year of the figures is that of the release. Raises Refusal for a cell that breaks the layout, for an area that
    stands twice, and for a correction that no longer fits.
    """
    text_table.refuse_without_rows(table)
    level_at, code_at, name_at = (table.column(name) for name in (LEVEL, CODE, NAME))
    ons_at = table.column(ONS_CODE) if has_ons_code else None
    measure_at = {table.column(name): (name, measure) for name, measure in measures.items()}
    to_drop = corrections.rows_to_drop(knowledge.corrections, layout, edition.release)
    seen = cells.Seen(source.name)
    records: list[tuple[object, ...]] = []
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        if not line[level_at].strip() and line[code_at].strip() in to_drop:
            del to_drop[line[code_at].strip()]
            continue
        level = cells.one_of(line[level_at], levels, cells.Place(source.name, row, LEVEL), "geography level")
        code_place = cells.Place(source.name, row, CODE)
        code = line[code_at].strip()
        if level == AUTHORITY:
            code = cells.dfe_code(code, code_place, knowledge.la_codes)
        seen.once((level, code), code_place, code)
        ons_code = None if ons_at is None else line[ons_at].strip()
        for at, (column, measure) in measure_at.items():
            value, marker = cells.count(line[at], cells.Place(source.name, row, column), edition.release)
            records.append(
                (level, code, ons_code, line[name_at].strip(), edition.release, edition.release, measure,
                 value, marker, source.name, source.sha256, row, column)
            )  # fmt: skip
    for entry in to_drop.values():
        raise corrections.no_longer_fits(entry, source.name)
    if not any(level == ENGLAND for level, *_ in records):
        raise Refusal(
            "missing_row",
            "there is no row for England: the file may have been cut short",
            file=source.name,
            remedy="use the file as published",
        )
    return COUNTS.frame(records)
