"""The small tables compiled for this project, or for a data folder that brings its own.

What belongs here: their names, headers and loading, and the rule which of them hold: a table in the data folder replaces
the project's of the same name, and the project's say nothing about another country. What does not: what the rows mean
(`geography`, `corrections`, `readers`).

A table is known by its header, wherever it lies and whatever its file is called.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import corrections
from pipeline.area_names import AreaNames, NamedArea
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
    "la_name_spellings": ("spelling", "la_code", "seen_in"),
    "neighbour_editions": ("edition", "la_code", "neighbours", "publication", "evidence"),
    "innovation_programme": ("la_name", "ons_code", "programme", "project", "lead_or_partner", "start_year", "end_year",
                             "evidence", "confidence"),
    "la_locations": ("la_code", "ons_code", "la_name", "latitude", "longitude"),
    "undated_files": ("layout", "england_value", "reporting_year", "publication", "evidence"),
    "publisher_corrections": ("entry", "layout", "action", "reporting_year", "column", "expect", "value", "reason",
                              "source"),
}  # fmt: skip
_NAME_OF_HEADER = {frozenset(header): name for name, header in HEADERS.items()}
_LOOKUP = "dfe_la_lookup"
_EDITION = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])")
_NEIGHBOURS = 10


@dataclass(frozen=True)
class ReferenceTable:
    """One table: all cells as text, one extra column `source_row`, and where it came from."""

    name: str
    file: str
    sha256: str
    bytes: int
    frame: pd.DataFrame
    is_from_data_folder: bool

    @property
    def is_there(self) -> bool:
        """Whether there is a file of it; without one the table is empty."""
        return bool(self.file)

    def day(self, row: object, column: str) -> dt.date:
        """A cell of one row of `frame` as a date; Refusal where it is none."""
        try:
            return dt.date.fromisoformat(getattr(row, column))
        except ValueError:
            raise self.bad_cell(row, column, "this is no date of the form 2019-04-01") from None

    def bad_cell(self, row: object, column: str, problem: str) -> Refusal:
        """The refusal for a cell of one row of `frame`."""
        return Refusal(
            "bad_reference_table",
            problem,
            file=self.file,
            row=row.source_row,  # type: ignore[attr-defined]
            column=column,
            value=getattr(row, column),
            remedy="mend the table",
        )


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


def absent(name: str) -> ReferenceTable:
    """The table without rows, for a country about which nobody has compiled it."""
    frame = pd.DataFrame(columns=[*HEADERS[name], "source_row"], dtype=str)
    return ReferenceTable(name, "", "", 0, frame, is_from_data_folder=False)


def load(project_folder: Path, from_data_folder: dict[str, ReferenceTable]) -> dict[str, ReferenceTable]:
    """All reference tables by name: the project's, each replaced by the data folder's where it brings one.

    The project's tables speak of the authorities in the project's lookup. A data folder whose own lookup has none of
    their ONS codes is about another country: there a table that it does not bring is absent, and never the project's.
    A lookup that shares codes is an amended one of the same country, and the project's other tables stay.
    """
    own = {}
    for name in HEADERS:
        path = project_folder / f"{name}.csv"
        own[name] = parse(name, path.read_bytes(), f"reference/{path.name}", is_from_data_folder=False)
    rest = {name: absent(name) for name in HEADERS} if _is_another_country(own, from_data_folder) else own
    return {name: from_data_folder.get(name, rest[name]) for name in HEADERS}


def _is_another_country(own: dict[str, ReferenceTable], from_data_folder: dict[str, ReferenceTable]) -> bool:
    if _LOOKUP not in from_data_folder:
        return False
    codes = [set(tables[_LOOKUP].frame["new_la_code"]) for tables in (own, from_data_folder)]
    return not codes[0] & codes[1]


def knowledge(tables: dict[str, ReferenceTable]) -> Knowledge:
    """What the readers may know, from the loaded tables. Refuses a cell that cannot be what its column holds."""
    lookup = tables["dfe_la_lookup"].frame
    return Knowledge(
        la_codes=frozenset(lookup["old_la_code"]),
        la_code_of_ons_code=dict(zip(lookup["new_la_code"], lookup["old_la_code"], strict=True)),
        undated=_undated(tables["undated_files"]),
        corrections=_corrections(tables["publisher_corrections"]),
        names=_names(tables["dfe_la_lookup"], tables["la_name_spellings"]),
        neighbour_editions=_neighbour_editions(tables["neighbour_editions"]),
    )


def _undated(table: ReferenceTable) -> dict[tuple[str, int], int]:
    """(Layout, England's figure) -> the reporting year of the file that has it."""
    years = {}
    for row in table.frame.itertuples():
        for column in ("england_value", "reporting_year"):
            if not str(getattr(row, column)).isdigit():
                raise table.bad_cell(row, column, "this is no whole number")
        years[str(row.layout), int(str(row.england_value))] = int(str(row.reporting_year))
    return years


def _neighbour_editions(table: ReferenceTable) -> dict[tuple[str, tuple[str, ...]], str]:
    """(Authority, its ten neighbours in order) -> the edition that is known by them."""
    editions = {}
    for row in table.frame.itertuples():
        codes = tuple(str(row.neighbours).split())
        if not _EDITION.fullmatch(str(row.edition)):
            raise table.bad_cell(row, "edition", "an edition is a year and a month, such as 2025-05")
        if len(codes) != _NEIGHBOURS:
            raise table.bad_cell(row, "neighbours", f"these are not the DfE codes of {_NEIGHBOURS} authorities")
        editions[str(row.la_code), codes] = str(row.edition)
    return editions


def _names(lookup: ReferenceTable, spellings: ReferenceTable) -> AreaNames:
    """The authorities by name, each in being from the first day of its first ONS code to the last of its last one."""
    first: dict[str, dt.date] = {}
    last: dict[str, dt.date] = {}
    for row in lookup.frame.itertuples():
        code = str(row.old_la_code)
        first[code] = min(lookup.day(row, "code_valid_from"), first.get(code, dt.date.max))
        until = lookup.day(row, "code_valid_to") if row.code_valid_to else dt.date.max
        last[code] = max(until, last.get(code, dt.date.min))
    named = lookup.frame[["old_la_code", "la_name"]].drop_duplicates()
    areas = tuple(NamedArea(code, name, first[code], last[code]) for code, name in named.itertuples(index=False))
    for row in spellings.frame.itertuples():
        if row.la_code not in first:
            raise spellings.bad_cell(row, "la_code", "the code is not in the lookup of local authorities")
    return AreaNames(areas, dict(zip(spellings.frame["spelling"], spellings.frame["la_code"], strict=True)))


def _refuse_bad_correction(table: ReferenceTable, row: Any) -> None:
    faults = {
        "entry": not row.entry,
        "action": row.action not in corrections.ACTIONS,
        "reporting_year": not row.reporting_year.isdigit(),
        "expect": not row.expect,
        "value": row.action == corrections.SET_REPORTING_YEAR and not row.value.isdigit(),
        "reason": not row.reason,
    }
    for column, is_bad in faults.items():
        if is_bad:
            raise Refusal(
                "bad_correction",
                "a correction needs a name, an action that is known, a year, what it expects, and a reason",
                file=table.file,
                row=row.source_row,
                column=column,
                value=getattr(row, column),
                remedy=f"mend the entry; the actions are {', '.join(corrections.ACTIONS)}",
            )


def _corrections(table: ReferenceTable) -> tuple[corrections.Correction, ...]:
    entries = []
    for row in table.frame.itertuples():
        _refuse_bad_correction(table, row)
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
