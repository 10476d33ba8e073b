"""Known faults of published files, corrected by data and not by code.

What belongs here: the table `publisher_corrections.csv` as plain records, and the rule that an entry must still fit the
file it was written for. What does not: the faults themselves (the table) and reading files (`readers`).

An entry names the layout, the reporting year of the file, and a guard: the value `expect` in `column`. When the
publisher mends the file, the guard fails and the run stops, so that no correction outlives its fault.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pipeline.errors import Refusal

SET_REPORTING_YEAR = "set_reporting_year"  # the header names another year than the figures are of
DROP_ROW = "drop_row"  # a row that the publisher did not mean to publish; `expect` is its area code
SET_MISSING = (
    "set_missing"  # a figure that is none; `expect` is its area code, year and text, `value` the marker it gets
)
SET_DATE = "set_date"  # a date that is another one; `expect` is its area code and the date as published
ACTIONS = (SET_REPORTING_YEAR, DROP_ROW, SET_MISSING, SET_DATE)


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


def set_missing(
    tidy: pd.DataFrame, corrections: tuple[Correction, ...], layout: str, reporting_year: int, file: str
) -> pd.DataFrame:
    """A file's tidy frame with its faulty figures replaced by a marker that the layout has.

    An entry names the measure in `column`, and in `expect` the area code, the year and the figure, such as `855 2015 0`.
    Raises Refusal for an entry whose figure is not there.
    """
    corrected = tidy.copy()
    for entry in corrections:
        if (entry.action, entry.layout, entry.reporting_year) != (SET_MISSING, layout, reporting_year):
            continue
        parts = entry.expect.split()
        try:
            area, year, figure = parts[0], int(parts[1]), float(parts[2])
        except (IndexError, ValueError):
            raise no_longer_fits(entry, file) from None
        own = (corrected["area_code"] == area) & (corrected["year"] == year) & (corrected["measure"] == entry.column)
        fits = own & (corrected["value"] == figure).fillna(False)
        if not fits.any():
            raise no_longer_fits(entry, file)
        corrected.loc[fits, "value"] = pd.NA
        corrected.loc[fits, "marker"] = entry.value
    return corrected


def dates_to_set(
    corrections: tuple[Correction, ...], layout: str, reporting_year: int
) -> dict[tuple[str, str], Correction]:
    """(Area code, column) -> entry, for the dates of this file that are to be replaced by `value`.

    `expect` is such as `892 2022-11-05`; the reader refuses an entry whose cell holds another date.
    """
    return {
        (entry.expect.split()[0], entry.column): entry
        for entry in corrections
        if (entry.action, entry.layout, entry.reporting_year) == (SET_DATE, layout, reporting_year)
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
