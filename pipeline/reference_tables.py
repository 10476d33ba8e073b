"""The small tables compiled for this project, or for a data folder that brings its own.

What belongs here: their names, headers and loading, and the rule that a table in the data folder replaces the project's
of the same name. What does not: what the rows mean (`geography`, `corrections`, `readers`).

A table is known by its header, wherever it lies and whatever its file is called.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline import corrections
from pipeline.errors import Refusal
from pipeline.readers import text_table
from pipeline.readers.layout import Knowledge

HEADERS: dict[str, tuple[str, ...]] = {
    "la_code_changes": ("old_code", "old_name", "new_code", "new_name", "change_type", "effective_date",
                        "old_dfe_code", "new_dfe_code", "evidence", "note"),
    "dfe_la_lookup": ("old_la_code", "new_la_code", "la_name", "region_code", "region_name", "code_valid_from",
                      "code_valid_to", "seen_in"),
    "lad16_to_county16": ("lad16cd", "lad16nm", "cty16cd", "evidence", "cty16nm"),
    "split_child_weights_2016": ("old_code", "new_code", "child_benefit_u16", "low_income_u16", "districts",
                                 "share_of_old_children", "pct_low_income_u16_2016"),
    "regions": ("region_code", "region_name", "part_of"),
    "too_small": ("la_code", "la_name", "reason"),
    "undated_files": ("layout", "england_value", "reporting_year", "publication", "evidence"),
    "publisher_corrections": ("entry", "layout", "action", "reporting_year", "column", "expect", "value", "reason",
                              "source"),
}  # fmt: skip
_NAME_OF_HEADER = {frozenset(header): name for name, header in HEADERS.items()}


@dataclass(frozen=True)
class ReferenceTable:
    """One table: all cells as text, one extra column `source_row`, and where it came from."""

    name: str
    file: str
    sha256: str
    bytes: int
    frame: pd.DataFrame
    is_from_data_folder: bool


def recognise(header: Iterable[str]) -> str | None:
    """Name of the reference table with this header, in any column order; None if it is none of them."""
    return _NAME_OF_HEADER.get(frozenset(header))


def parse(name: str, content: bytes, file: str, *, is_from_data_folder: bool) -> ReferenceTable:
    """One reference table from its bytes; Refusal where it is not a table with the header of that name."""
    table = text_table.read(content, file)
    order = [table.column(column) for column in HEADERS[name]]
    frame = pd.DataFrame(
        [[line[at].strip() for at in order] for line in table.rows], columns=list(HEADERS[name]), dtype=str
    )
    frame["source_row"] = table.row_numbers
    return ReferenceTable(name, file, hashlib.sha256(content).hexdigest(), len(content), frame, is_from_data_folder)


def load(project_folder: Path, from_data_folder: dict[str, ReferenceTable]) -> dict[str, ReferenceTable]:
    """All reference tables by name: the project's, each replaced by the data folder's where it brings one."""
    tables = {}
    for name in HEADERS:
        if name in from_data_folder:
            tables[name] = from_data_folder[name]
            continue
        path = project_folder / f"{name}.csv"
        tables[name] = parse(name, path.read_bytes(), f"reference/{path.name}", is_from_data_folder=False)
    return tables


def knowledge(tables: dict[str, ReferenceTable]) -> Knowledge:
    """What the readers may know, from the loaded tables."""
    lookup = tables["dfe_la_lookup"].frame
    return Knowledge(
        la_codes=frozenset(lookup["old_la_code"]),
        la_code_of_ons_code=dict(zip(lookup["new_la_code"], lookup["old_la_code"], strict=True)),
        undated={
            (row.layout, int(row.england_value)): int(row.reporting_year)
            for row in tables["undated_files"].frame.itertuples()
        },
        corrections=_corrections(tables["publisher_corrections"]),
    )


def _corrections(table: ReferenceTable) -> tuple[corrections.Correction, ...]:
    entries = []
    for row in table.frame.itertuples():
        if row.action not in corrections.ACTIONS or not row.reporting_year.isdigit() or not row.reason:
            raise Refusal(
                "bad_correction",
                "a correction needs an action that is known, a reporting year and a reason",
                file=table.file,
                row=row.source_row,
                column="action",
                value=row.action,
                remedy=f"use one of {', '.join(corrections.ACTIONS)}",
            )
        entries.append(
            corrections.Correction(
                entry=row.entry,
                layout=row.layout,
                action=row.action,
                reporting_year=int(row.reporting_year),
                column=row.column,
                expect=row.expect,
                value=row.value,
                reason=row.reason,
                source=row.source,
            )
        )
    return tuple(entries)
