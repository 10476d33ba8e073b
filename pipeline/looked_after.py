"""Looked-after cells into the core tables: authorities apart from totals, markers with their meaning.

What belongs here: shaping what the readers return into `core.children_looked_after`, its totals and the national series.
What does not: reading files (`readers`) and choosing among releases (`panel`).
"""

from __future__ import annotations

import pandas as pd

from pipeline import coverage, geography, markers
from pipeline.errors import Refusal
from pipeline.geography import Areas
from pipeline.readers.layout import AUTHORITY
from pipeline.tables import core_tables
from pipeline.tables.frames import conform


def refuse_missing_rows(tidy: pd.DataFrame, areas: Areas) -> None:
    """Refuse a file without a row for an authority in being on 31 March of its year, but for those too small.

    The releases of 2011 to 2017 leave one of these out. Every area of one file of a release must be in its others, too.
    """
    own = tidy.loc[tidy["area_level"] == AUTHORITY]
    for (file, year), rows in own.groupby(["source_file", "year"]):
        day = geography.stock_day(int(year))
        coverage.refuse_missing(set(rows["area_code"]), areas, day, str(file), but=areas.too_small)
    for release, rows in tidy.groupby("release"):
        for file, own in rows.groupby("source_file"):
            _refuse_missing_area(sorted(set(rows["area_code"]) - set(own["area_code"])), str(file), int(release))


def _refuse_missing_area(missing: list[str], file: str, release: int) -> None:
    if missing:
        raise Refusal(
            "missing_row",
            f"there is no row for the area {missing[0]}, which another file of the release of {release} has: the file may "
            "have been cut short",
            file=file,
            remedy="use the file as published",
        )


def authorities(tidy: pd.DataFrame) -> pd.DataFrame:
    """`core.children_looked_after` from the tidy cells of all releases."""
    rows = tidy.loc[tidy["area_level"] == AUTHORITY].rename(columns={"area_code": "la_code", "area_name": "la_name"})
    return conform(_with_meaning(rows), core_tables.CHILDREN_LOOKED_AFTER)


def totals(tidy: pd.DataFrame) -> pd.DataFrame:
    """`core.children_looked_after_totals`: the England and region rows of the same cells."""
    rows = tidy.loc[tidy["area_level"] != AUTHORITY]
    return conform(_with_meaning(rows), core_tables.CHILDREN_LOOKED_AFTER_TOTALS)


def national_series(tidy: pd.DataFrame) -> pd.DataFrame:
    """`core.national_series` from the tidy cells of every edition of the series."""
    return conform(_with_meaning(tidy), core_tables.NATIONAL_SERIES)


def _with_meaning(rows: pd.DataFrame) -> pd.DataFrame:
    meanings = [
        None if pd.isna(marker) else markers.reason(marker, int(release))
        for marker, release in zip(rows["marker"], rows["release"], strict=True)
    ]
    return rows.assign(marker_meaning=pd.array(meanings, dtype="string"))
