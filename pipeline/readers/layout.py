"""What a layout is to the rest of the project: how it is recognised, dated and read.

What belongs here: the types that every layout module fills in and every caller relies on, and the columns of the tidy
frames they return. What does not: any particular layout, and the list of them (`layouts`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from pipeline.corrections import Correction

AUTHORITY, REGION, ENGLAND = "authority", "region", "england"

# Publications: what a reader of the project would ask for by name.
LOOKED_AFTER = "children_looked_after"
NATIONAL_SERIES = "national_series"
POPULATION = "population"

# Columns of the frame that every looked-after and population reader returns, one row a published cell.
TIDY_COLUMNS = [
    "area_level",  # authority, region or england
    "area_code",  # DfE code for an authority, else the publisher's code
    "ons_code",  # as published; missing where the layout has none
    "area_name",  # as published
    "year",  # reporting year ending 31 March (population files: the mid-year)
    "release",  # reporting year of the release the cell stands in
    "measure",
    "value",  # whole number; missing where there is a marker
    "marker",  # the publisher's symbol; missing where there is a number
    "source_file",
    "source_sha256",
    "source_row",
    "source_column",
]


@dataclass(frozen=True)
class SourceFile:
    """The bytes of one file, with the name a person knows it by and their sha256."""

    name: str
    content: bytes
    sha256: str


@dataclass(frozen=True)
class Edition:
    """Which edition of its publication a file is: the release, and the part of it where a release has several files."""

    release: int
    part: str = ""
    corrections: tuple[str, ...] = ()


@dataclass(frozen=True)
class Knowledge:
    """What a reader may know beside the file: the area codes there are, and what the compiled tables say of faults.

    `undated` maps (layout, England's figure) to the reporting year, for the files whose content names no year.
    """

    la_codes: frozenset[str]
    la_code_of_ons_code: dict[str, str] = field(default_factory=dict)
    undated: dict[tuple[str, int], int] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True)
class Layout:
    """One published layout.

    `recognises` sees the first rows of a file; `edition` and `read` see all of it and raise Refusal where the file
    breaks its contract. `header_row` is where the header stands, counted from 1.
    """

    name: str
    publication: str
    title: str
    publisher: str
    recognises: Callable[[list[list[str]]], bool]
    edition: Callable[[SourceFile, Knowledge], Edition]
    read: Callable[[SourceFile, Edition, Knowledge], pd.DataFrame]
    header_row: int = 1


def header_of(rows: list[list[str]], row: int = 1) -> frozenset[str]:
    """The header names among a file's first rows; empty when the file is shorter."""
    return frozenset(rows[row - 1]) if len(rows) >= row else frozenset()


def tidy(records: list[tuple[object, ...]]) -> pd.DataFrame:
    """Records in the order of TIDY_COLUMNS as a frame with nullable types."""
    frame = pd.DataFrame.from_records(records, columns=TIDY_COLUMNS)
    whole = {"year": "Int64", "release": "Int64", "value": "Int64", "source_row": "Int64"}
    return frame.astype({name: whole.get(name, "string") for name in TIDY_COLUMNS})
