"""Statistical neighbours: which lists hold, and an authority beside its neighbours, its region and England.

What belongs here: settling files of one edition, choosing an authority's list, medians over neighbours and pooled rates
beside them. What does not: reading files (`readers.statistical_neighbours`), rates (`panel`) and changes (`trends`).

A comparison says whom a figure may be set beside. Nothing here is ordered by rate.
"""

from __future__ import annotations

import pandas as pd

from pipeline.errors import Refusal
from pipeline.geography import Areas
from pipeline.readers.statistical_neighbours import GROUPINGS, MODEL, TOOL
from pipeline.reasons import NOT_AVAILABLE, TOO_SMALL
from pipeline.tables import covariate_tables
from pipeline.tables.frames import conform

# Of several files of one edition the first of these speaks, and the others must say the same: the tool's workbook adds
# lists of ended authorities that the edition itself no longer has.
_SPEAKS_FIRST = (MODEL, GROUPINGS, TOOL)
_ITEM = ["la_code", "position"]


def statistical_neighbours(tidy: pd.DataFrame, areas: Areas) -> pd.DataFrame:
    """`core.statistical_neighbours` from the tidy lists of every file; two files of one edition count once.

    Raises Refusal where two files give an authority different neighbours in one edition.
    """
    kept = [tidy.iloc[:0]]
    for _, rows in tidy.groupby("edition"):
        by_layout = {layout: rows.loc[rows["layout"] == layout] for layout in _SPEAKS_FIRST}
        speaking, *others = [own for own in by_layout.values() if len(own)]
        for other in others:
            _refuse_differing(speaking, other)
        _refuse_lost_list(by_layout[GROUPINGS], by_layout[TOOL])
        kept.append(speaking)
    lists = pd.concat(kept, ignore_index=True)
    lists = lists.assign(
        la_name=lists["la_code"].map(areas.names), neighbour_name=lists["neighbour_code"].map(areas.names)
    )
    return conform(lists, covariate_tables.STATISTICAL_NEIGHBOURS)


def _refuse_differing(speaking: pd.DataFrame, other: pd.DataFrame) -> None:
    both = other.merge(speaking, on=_ITEM, suffixes=("", "_of_first"), validate="1:1")
    same = (both["neighbour_code"] == both["neighbour_code_of_first"]) & (
        both["closeness"] == both["closeness_of_first"]
    )
    if same.all():
        return
    first = both.loc[~same].iloc[0]
    raise Refusal(
        "two_editions",
        f"{first['source_file_of_first']} is of the same edition ({first['edition']}) and has "
        f"{first['neighbour_code_of_first']} ({first['closeness_of_first']}) where this file has "
        f"{first['neighbour_code']} ({first['closeness']})",
        file=first["source_file"],
        row=int(first["source_row"]),
        column=first["source_column"],
        value=first["neighbour_code"],
        remedy="keep the one that is meant",
    )


def _refuse_lost_list(groupings: pd.DataFrame, tool: pd.DataFrame) -> None:
    """The groupings and the tool's workbook of one edition hold lists of the same authorities: one may have lost some."""
    if groupings.empty or tool.empty:
        return
    for fewer, more in ((groupings, tool), (tool, groupings)):
        missing = sorted(set(more["la_code"]) - set(fewer["la_code"]))
        if missing:
            raise Refusal(
                "missing_row",
                f"there is no list for the authority {missing[0]}, which {more['source_file'].iloc[0]} of the same edition "
                "has: the file may have been cut short",
                file=fewer["source_file"].iloc[0],
                remedy="use the file as published",
            )


def newest_lists(neighbours: pd.DataFrame) -> pd.DataFrame:
    """Of each authority, the rows of the newest edition that has some for it: one list, so that years compare."""
    newest = neighbours.groupby("la_code")["edition"].transform("max")
    return neighbours.loc[neighbours["edition"] == newest, ["la_code", "neighbour_code", "edition"]]


def neighbour_comparison(neighbours: pd.DataFrame, panel: pd.DataFrame, too_small: frozenset[str]) -> pd.DataFrame:
    """`main.neighbour_comparison` from `core.statistical_neighbours` and `main.care_numbers`.

    Years in which nobody has a rate are left out. Without any lists the medians are missing, with the reason.
    """
    is_small = panel["la_code"].isin(too_small)
    usable = panel.loc[panel["rate_per_10k"].notna() & ~is_small]
    rows = panel.loc[panel["year"].isin(usable["year"])].copy()
    lists = newest_lists(neighbours)
    lists = lists.loc[~lists["la_code"].isin(too_small)]

    rates = usable[["la_code", "year", "rate_per_10k"]].rename(columns={"la_code": "neighbour_code"})
    of_neighbours = (
        lists.merge(rates, on="neighbour_code", validate="m:m")
        .groupby(["la_code", "year"])["rate_per_10k"]
        .agg(neighbour_median_rate_per_10k="median", neighbours_used="size")
        .reset_index()
    )
    rows = rows.merge(_listed(lists), how="left", on="la_code", validate="m:1")
    rows = rows.merge(of_neighbours, how="left", on=["la_code", "year"], validate="1:1")
    rows = rows.merge(_pooled(usable, ["region", "year"], "region"), how="left", on=["region", "year"], validate="m:1")
    rows = rows.merge(_pooled(usable, ["year"], "england"), how="left", on="year", validate="m:1")
    rows = _with_reason(rows, "neighbour_median_rate_per_10k", rows["la_code"].isin(too_small))
    missing = rows["looked_after_reason"].fillna(rows["population_reason"])
    rows["rate_reason"] = missing.where(rows["rate_per_10k"].isna())
    rows["region_reason"] = _reason(rows["region_rate_per_10k"].isna())
    return conform(rows, covariate_tables.NEIGHBOUR_COMPARISON)


def neighbour_change(neighbours: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """`main.neighbour_change` from `core.statistical_neighbours` and `main.five_year_change`."""
    window = ["window_id", "unit_id"]
    codes = changes[window].assign(la_code=changes["unit_id"].str.split("+")).explode("la_code")
    members = changes[window].assign(neighbour_code=changes["members"].str.split("+")).explode("neighbour_code")
    listed = codes.astype({"la_code": "string"}).merge(newest_lists(neighbours), on="la_code", validate="m:m")
    members = members.astype({"neighbour_code": "string"}).rename(columns={"unit_id": "neighbour_unit"})
    pairs = listed.merge(members, how="left", on=["window_id", "neighbour_code"], validate="m:1")
    pairs = pairs.loc[pairs["neighbour_unit"].isna() | (pairs["neighbour_unit"] != pairs["unit_id"])]

    own = changes[["window_id", "unit_id", "change_pct"]].rename(columns={"unit_id": "neighbour_unit"})
    of_neighbours = (
        pairs.dropna(subset="neighbour_unit")
        .drop_duplicates([*window, "neighbour_unit"])
        .merge(own, on=["window_id", "neighbour_unit"], validate="m:1")
        .groupby(window)["change_pct"]
        .agg(neighbour_median_change_pct="median", neighbours_used="size")
        .reset_index()
    )
    told = pairs.groupby(window).agg(
        neighbours=("neighbour_code", "nunique"), edition=("edition", lambda own: "+".join(sorted(set(own))))
    )
    rows = changes.merge(told.reset_index(), how="left", on=window, validate="1:1")
    rows = rows.merge(of_neighbours, how="left", on=window, validate="1:1")
    rows = rows.merge(_region_change(changes), how="left", on=["window_id", "region"], validate="m:1")
    rows = _with_reason(rows, "neighbour_median_change_pct", pd.Series(False, index=rows.index))
    return conform(rows, covariate_tables.NEIGHBOUR_CHANGE)


def _listed(lists: pd.DataFrame) -> pd.DataFrame:
    """Number of neighbours and edition of each authority's list."""
    return (
        lists.groupby("la_code").agg(neighbours=("neighbour_code", "size"), edition=("edition", "first")).reset_index()
    )


def _pooled(usable: pd.DataFrame, by: list[str], name: str) -> pd.DataFrame:
    sums = usable.groupby(by)[["looked_after", "population_0_17"]].sum().astype("float64")
    rate = 10_000 * sums["looked_after"] / sums["population_0_17"]
    return rate.rename(f"{name}_rate_per_10k").reset_index()


def _region_change(changes: pd.DataFrame) -> pd.DataFrame:
    ends = ["looked_after_start", "looked_after_end", "population_start", "population_end"]
    sums = changes.groupby(["window_id", "region"])[ends].sum().astype("float64")
    of_children = sums["looked_after_end"] / sums["looked_after_start"]
    of_population = sums["population_end"] / sums["population_start"]
    return (100 * (of_children / of_population - 1)).rename("region_change_pct").reset_index()


def _with_reason(rows: pd.DataFrame, median: str, is_small: pd.Series) -> pd.DataFrame:
    """No list is 0 neighbours; a missing median says why."""
    counted = {name: rows[name].astype("Int64").fillna(0) for name in ("neighbours", "neighbours_used")}
    reason = _reason(rows[median].isna())
    return rows.assign(**counted, neighbour_reason=reason.mask(is_small & rows[median].isna(), TOO_SMALL))


def _reason(is_missing: pd.Series) -> pd.Series:
    return pd.Series(pd.NA, index=is_missing.index, dtype="string").mask(is_missing, NOT_AVAILABLE)
