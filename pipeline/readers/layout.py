"""What a layout is to the rest of the project: how it is recognised, dated and read.

What belongs here: the types that every layout module fills in and every caller relies on, and the forms of the tidy
frames they return. What does not: any particular layout, and the list of them (`layouts`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from pipeline.area_names import AreaNames
from pipeline.corrections import Correction
from pipeline.readers.opening import Opening

AUTHORITY, REGION, ENGLAND = "authority", "region", "england"
DISTRICT = "district"  # below a county; never in a published table of this project, only on the way to one

# Publications: what a reader of the project would ask for by name.
LOOKED_AFTER = "children_looked_after"
NATIONAL_SERIES = "national_series"
POPULATION = "population"
DEPRIVATION = "deprivation"
DISTRICT_POPULATION = "district_population"
DISTRICT_LOOKUP = "district_lookup"
INSPECTIONS = "inspections"
INTERACTIVE_TOOL = "interactive_tool"
STATISTICAL_NEIGHBOURS = "statistical_neighbours"
SPENDING = "spending"


@dataclass(frozen=True)
class TidyForm:
    """The tidy frame of a kind of publication: column -> pandas type, in order. Types can hold "missing"."""

    columns: dict[str, str]

    def frame(self, records: list[tuple[object, ...]]) -> pd.DataFrame:
        """Records in the order of the columns as a frame of those types."""
        return pd.DataFrame.from_records(records, columns=list(self.columns)).astype(self.columns)


# One row a published cell.
_CELL = {
    "area_level": "string",  # authority, region or england
    "area_code": "string",  # DfE code for an authority, else the publisher's code
    "ons_code": "string",  # as published; missing where the layout has none
    "area_name": "string",  # as published
    "year": "Int64",  # reporting year ending 31 March (the reader says what year means where it is another)
    "release": "Int64",  # reporting year of the release the cell stands in
    "measure": "string",
    "value": "Int64",  # missing where there is a marker
    "marker": "string",  # the publisher's symbol; missing where there is a number
    "source_file": "string",
    "source_sha256": "category",
    "source_row": "Int64",
    "source_column": "category",
}
COUNTS = TidyForm(_CELL)  # whole numbers
MEASUREMENTS = TidyForm({**_CELL, "value": "Float64"})  # shares, amounts, scores


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
    """What a reader may know beside the file: the areas there are, and what the compiled tables say of faults.

    `names` are for the publications that have no code, and to hold a code to its name. `undated` maps (layout,
    England's figure) to the reporting year, for the files whose content names no year. `neighbour_editions` maps (an
    authority, its neighbours in order) to the edition of the lists, which name none either.
    """

    la_codes: frozenset[str]
    la_code_of_ons_code: dict[str, str] = field(default_factory=dict)
    undated: dict[tuple[str, int], int] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()
    names: AreaNames = field(default_factory=AreaNames)
    neighbour_editions: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """One published layout.

    `recognises` sees the opening of a file; `edition` and `read` see all of it and raise Refusal where the file breaks
    its contract. `read` returns a frame of `form`, which all layouts of one publication share.
    """

    name: str
    publication: str
    title: str
    publisher: str
    recognises: Callable[[Opening], bool]
    edition: Callable[[SourceFile, Knowledge], Edition]
    read: Callable[[SourceFile, Edition, Knowledge], pd.DataFrame]
    form: TidyForm = COUNTS
