"""Known faults of published files, corrected by data and not by code.

What belongs here: the table `publisher_corrections.csv` as plain records, and the rule that an entry must still fit the
file it was written for. What does not: the faults themselves (the table) and reading files (`readers`).

An entry names the layout, the reporting year of the file, and a guard: the value `expect` in `column`. When the
publisher mends the file, the guard fails and the run stops, so that no correction outlives its fault.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import Refusal

SET_REPORTING_YEAR = "set_reporting_year"  # the header names another year than the figures are of
DROP_ROW = "drop_row"  # a row that the publisher did not mean to publish; `expect` is its area code
ACTIONS = (SET_REPORTING_YEAR, DROP_ROW)


@dataclass(frozen=True)
class Correction:
    """One row of `publisher_corrections.csv`. `reporting_year` is that of the file the entry is for."""

    entry: str
    layout: str
    action: str
    reporting_year: int
    column: str
    expect: str
    value: str
    reason: str
    source: str


def corrected_year(
    corrections: tuple[Correction, ...], layout: str, column: str, england_value: str
) -> Correction | None:
    """The entry that says a file with this header column and this England figure is of another year, if there is one."""
    for entry in corrections:
        if (entry.action, entry.layout, entry.column, entry.expect) == (
            SET_REPORTING_YEAR,
            layout,
            column,
            england_value,
        ):
            return entry
    return None


def rows_to_drop(corrections: tuple[Correction, ...], layout: str, reporting_year: int) -> dict[str, Correction]:
    """Area code -> entry, for the rows of this file that are to be left out."""
    return {
        entry.expect: entry
        for entry in corrections
        if (entry.action, entry.layout, entry.reporting_year) == (DROP_ROW, layout, reporting_year)
    }


def no_longer_fits(entry: Correction, file: str) -> Refusal:
    """The refusal for an entry whose guard fails on the file it was written for."""
    return Refusal(
        "correction_outdated",
        f"the correction {entry.entry} expects {entry.expect} there and does not find it: "
        "the publisher may have mended the file",
        file=file,
        column=entry.column,
        remedy="look at the file, then remove the entry from publisher_corrections.csv or give it a new guard",
    )
