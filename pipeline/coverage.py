"""Whether a file has a row for every authority that was in being, and the years of its companions: others may be lost.

What belongs here: the refusals for a file that was cut short after a whole row or column, which nothing in the file itself
can tell. What does not: rows that are there with a marker, which are the publisher's word.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import pandas as pd

from pipeline.errors import Refusal
from pipeline.geography import Areas


def refuse_missing(
    found: Collection[str], areas: Areas, day: dt.date, file: str, *, but: Collection[str] = frozenset()
) -> None:
    """Refuse a file whose codes `found` lack an authority in being on `day`, those in `but` aside."""
    missing = sorted(set(areas.codes_in_being(day)) - set(but) - set(found))
    if missing:
        more = f" and {len(missing) - 1} more authorities" if len(missing) > 1 else ""
        raise Refusal(
            "missing_row",
            f"there is no row for {areas.names[missing[0]]} ({missing[0]}){more}, in being on {day:%d %B %Y}: the file may "
            "have been cut short",
            file=file,
            remedy="use the file as published",
        )


def refuse_other_mid_years(bands: pd.DataFrame) -> None:
    """Refuse an extract by age band without a mid-year that another band's has; `bands` are tidy cells of one edition."""
    mid_years = set(bands["year"])
    for file, rows in bands.groupby("source_file"):
        missing = sorted(mid_years - set(rows["year"]))
        if missing:
            raise Refusal(
                "missing_year",
                f"the file has no column for mid-{missing[0]}, which the files of the other age bands have",
                file=str(file),
                column=str(missing[0]),
                remedy="use the file as downloaded",
            )
