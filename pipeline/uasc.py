"""Unaccompanied asylum-seeking children (UASC) among the looked after: one source a year, bounds for marked cells.

What belongs here: which source a year has, and the bounds, by authority (methods.md B10). What does not: reading files
(`readers`), adding up the members of a unit (`uasc_series`) and what becomes of trends without these children.

The releases of 2015 to 2017 have the figure too, but are not used for it: England's row of 2015 is not the sum of its
authorities, the notes of 2016 say "during the year", and later releases, which the interactive tool follows, have revised
more than a third of the cells.

A marked cell is never 0 and never worked out from other figures: all that is said of it is that it lies between two
bounds (0 and 5). Where the publisher hides a larger number to protect another one (the releases), or does not say why a
cell is empty (the interactive tool), even that is not sure, and a flag says so.
"""

from __future__ import annotations

import pandas as pd

from pipeline import interactive_tool
from pipeline.reasons import NOT_AVAILABLE, SUPPRESSED, UASC_NOT_AVAILABLE
from pipeline.settings import UascSettings

UASC = "uasc"
RELEASE, INTERACTIVE_TOOL = "release", "interactive_tool"
SOURCES = (RELEASE, INTERACTIVE_TOOL)

_COLUMNS = ["uasc", "uasc_marker", "uasc_reason", "uasc_low", "uasc_high", "uasc_bound_unsure", "uasc_source",
            "uasc_release"]  # fmt: skip


def of_authorities(
    rows: pd.DataFrame, looked_after: pd.DataFrame, tool: pd.DataFrame, settings: UascSettings
) -> pd.DataFrame:
    """`rows` (with la_code and year, each pair once) with eight columns more, all of them about UASC on 31 March.

    `uasc` is the published number; `uasc_low` and `uasc_high` equal it, or bound it where there is a marker. All three
    are missing, with a reason, where the year has no source or the source says nothing of the authority.
    `looked_after` and `tool` are `core.children_looked_after` and `core.interactive_tool`.
    """
    cells = pd.concat(
        [_of_releases(looked_after, settings.last_release), _of_tool(tool, settings.last_release)], ignore_index=True
    )
    joined = rows.merge(cells, how="left", on=["la_code", "year"], validate="1:1")
    has_source = joined["year"].isin(cells["year"])
    is_number, is_bounded = joined["uasc"].notna(), joined["is_bounded"].fillna(False).astype(bool)
    joined["uasc_low"] = joined["uasc"].mask(is_bounded, settings.lowest)
    joined["uasc_high"] = joined["uasc"].mask(is_bounded, settings.highest)
    # Both sources can hide more than the bound, so every bounded cell is unsure.
    joined["uasc_bound_unsure"] = is_bounded.astype("boolean").where(is_number | is_bounded)
    reason = joined["uasc_reason"].fillna(NOT_AVAILABLE).where(has_source, UASC_NOT_AVAILABLE)
    joined["uasc_reason"] = reason.mask(is_number)
    return joined[[*rows.columns, *_COLUMNS]]


def without(looked_after: pd.Series, low: pd.Series, high: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Children looked after without UASC, at the least and at the most; missing where any part is.

    Where all looked-after children of an authority are fewer than the bound, none is left at the least.
    """
    return (looked_after - high).clip(lower=0), looked_after - low


def _of_releases(looked_after: pd.DataFrame, last: int) -> pd.DataFrame:
    own = looked_after.loc[(looked_after["measure"] == UASC) & (looked_after["year"] <= last)]
    return pd.DataFrame(
        {
            "la_code": own["la_code"],
            "year": own["year"],
            "uasc": own["value"],
            "uasc_marker": own["marker"],
            "uasc_reason": own["marker_meaning"],
            "is_bounded": own["marker_meaning"] == SUPPRESSED,
            "uasc_source": pd.Series(RELEASE, index=own.index, dtype="string"),
            "uasc_release": own["release"],
        }
    )


def _of_tool(tool: pd.DataFrame, last: int) -> pd.DataFrame:
    own = tool.loc[(tool["measure"] == UASC) & (tool["year"] > last)]
    own = interactive_tool.newest_edition(own)
    return pd.DataFrame(
        {
            "la_code": own["la_code"],
            "year": own["year"],
            "uasc": own["value"].astype("Float64").astype("Int64"),
            "uasc_marker": own["marker"],
            "uasc_reason": own["reason"],
            "is_bounded": own["marker"].notna(),
            "uasc_source": pd.Series(INTERACTIVE_TOOL, index=own.index, dtype="string"),
            "uasc_release": own["edition"],
        }
    )
