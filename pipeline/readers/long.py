"""The long tables since 2018: one row an area, year and measure, with columns and wordings that get renamed.

What belongs here: finding a column under either of its names and a measure under any of its wordings, for the layouts
that share this. What does not: which names and wordings a layout has.
"""

from __future__ import annotations

import re

from pipeline.errors import Refusal
from pipeline.readers import cells, text_table

MEASURE_COLUMNS = ("population_type", "population_count")  # since 2025, before
COUNT_COLUMNS = ("children_count", "number")  # since 2025, before


def either(table: text_table.TextTable, names: tuple[str, ...]) -> tuple[str, int]:
    """Name and position of the column under whichever name this release uses. Refuses a table without it."""
    for name in names:
        if name in table.header:
            return name, table.column(name)
    raise text_table.missing_column(table.file, " or ".join(names), table.header)


def measure(text: str, wordings: dict[str, re.Pattern[str]], place: cells.Place) -> str:
    """The measure that a wording stands for; Refusal for one the layout is not known to use."""
    for name, wording in wordings.items():
        if wording.fullmatch(text.strip()):
            return name
    raise Refusal(
        "unknown_measure",
        "this wording is none of the measures that the layout is known to hold",
        file=place.file,
        row=place.row,
        column=place.column,
        value=text,
        remedy="use the file as published, or add the wording to its reader in pipeline/readers",
    )
