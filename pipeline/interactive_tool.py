"""The interactive tool's cells into core tables, and the rule which of its editions speaks for a year.

What belongs here: shaping what the reader returns into `core.interactive_tool` and its totals. What does not: reading the
file (`readers.interactive_tool`) and what becomes of single measures (`uasc`, `spending`, `deprivation`).

The marker `-` stands for suppressed, not applicable and missing alike, so its reason is not_available: nothing more is
known of it.
"""

from __future__ import annotations

import pandas as pd

from pipeline.readers.interactive_tool import MEASURES
from pipeline.readers.layout import AUTHORITY
from pipeline.reasons import NOT_AVAILABLE
from pipeline.tables import covariate_tables
from pipeline.tables.frames import conform

_UNITS = {measure.name: measure.unit for measure in MEASURES.values()}


def authorities(tidy: pd.DataFrame) -> pd.DataFrame:
    """`core.interactive_tool` from the cells of all editions; without rows where there is no edition."""
    rows = tidy.loc[tidy["area_level"] == AUTHORITY].rename(columns={"area_code": "la_code", "area_name": "la_name"})
    return conform(_told(rows), covariate_tables.INTERACTIVE_TOOL)


def totals(tidy: pd.DataFrame) -> pd.DataFrame:
    """`core.interactive_tool_totals`: the England and region rows of the same cells."""
    return conform(_told(tidy.loc[tidy["area_level"] != AUTHORITY]), covariate_tables.INTERACTIVE_TOOL_TOTALS)


def newest_edition(cells: pd.DataFrame) -> pd.DataFrame:
    """Of each year and measure, the rows of the newest edition that holds them; a marker there stays a marker."""
    newest = cells.groupby(["year", "measure"])["edition"].transform("max")
    return cells.loc[cells["edition"] == newest]


def _told(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.rename(columns={"release": "edition"}).assign(
        unit=rows["measure"].map(_UNITS).astype("string"),
        reason=rows["marker"].notna().map({True: NOT_AVAILABLE, False: None}).astype("string"),
    )
