"""The panel of authorities and years, and England beside it.

What belongs here: the newest-release rule for counts (methods.md B4), one population vintage, one row for every
authority in being on 31 March. What does not: windows and changes (`windows`, `trends`), and how single columns come
about that have a module of their own (`uasc`, `spending`).
"""

from __future__ import annotations

import pandas as pd

from pipeline import geography, settings, spending, uasc
from pipeline.geography import Areas
from pipeline.readers.layout import ENGLAND
from pipeline.readers.population_dfe import REBASED
from pipeline.reasons import NOT_AVAILABLE
from pipeline.tables import covariate_tables, main_tables, shared_columns
from pipeline.tables.frames import conform, empty

NO_DENOMINATOR = "no_denominator"


def newest_release(cells: pd.DataFrame) -> pd.DataFrame:
    """Of each year and measure, the rows of the newest release that holds them.

    A marker in the newest release stays a marker: there is no falling back to an older number.
    """
    newest = cells.groupby(["year", "measure"])["release"].transform("max")
    return cells.loc[cells["release"] == newest]


def care_numbers(
    looked_after: pd.DataFrame,
    population: pd.DataFrame,
    local: pd.DataFrame,
    areas: Areas,
    tool: pd.DataFrame | None = None,
    returns: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """`main.care_numbers` from the core tables; `tool` and `returns` are `core.interactive_tool` and `core.spending`.

    Those two are optional: without them their columns are missing with a reason.
    """
    newest = newest_release(looked_after)
    years = sorted(newest.loc[newest["measure"] == "looked_after", "year"].unique())
    rows = pd.concat([_in_being(int(year), local, areas) for year in years], ignore_index=True)
    for measure in ("looked_after", "started", "ceased"):
        rows = _with_measure(rows, newest, measure)
    rates = newest.loc[newest["measure"] == "looked_after_rate_per_10k", ["la_code", "year", "value"]]
    rows = rows.merge(
        rates.rename(columns={"value": "published_rate_per_10k"}), how="left", on=["la_code", "year"], validate="1:1"
    )
    rows = _with_population(rows, population)
    release_of_year = newest.loc[newest["measure"] == "looked_after"].groupby("year")["release"].max()
    rows["release"] = rows["year"].map(release_of_year)
    rows["rate_per_10k"] = 10_000 * _float(rows["looked_after"]) / _float(rows["population_0_17"])
    tool = empty(covariate_tables.INTERACTIVE_TOOL) if tool is None else tool
    returns = empty(covariate_tables.SPENDING) if returns is None else returns
    rows = _with_uasc(rows, looked_after, tool)
    rows = spending.per_child(rows, returns, tool)
    return conform(rows, main_tables.CARE_NUMBERS)


def _in_being(year: int, local: pd.DataFrame, areas: Areas) -> pd.DataFrame:
    day = geography.stock_day(year)
    codes = areas.codes_in_being(day)
    ons_codes = geography.ons_code_on(local, codes, day)
    return pd.DataFrame(
        {
            "la_code": pd.array(codes, dtype="string"),
            "ons_code": pd.array([ons_codes.get(code) for code in codes], dtype="string"),
            "la_name": [areas.names[code] for code in codes],
            "region": [areas.regions[code] for code in codes],
            "year": pd.array([year] * len(codes), dtype="Int64"),
        }
    )


def _with_measure(rows: pd.DataFrame, newest: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The measure, its marker and the reason where it is missing; an authority without any row is not available."""
    cells = newest.loc[newest["measure"] == measure, ["la_code", "year", "value", "marker", "marker_meaning"]]
    joined = rows.merge(cells, how="left", on=["la_code", "year"], validate="1:1")
    reason = joined["marker_meaning"].where(joined["marker"].notna(), NOT_AVAILABLE)
    joined[f"{measure}_reason"] = reason.mask(joined["value"].notna())
    return joined.rename(columns={"value": measure, "marker": f"{measure}_marker"}).drop(columns="marker_meaning")


def _with_population(rows: pd.DataFrame, population: pd.DataFrame) -> pd.DataFrame:
    rebased = population.loc[population["vintage"] == REBASED, ["la_code", "year", "population_0_17"]]
    joined = rows.merge(rebased, how="left", on=["la_code", "year"], validate="1:1")
    there = joined["population_0_17"].notna()
    joined["population_vintage"] = pd.array([REBASED if known else None for known in there], dtype="string")
    joined["population_reason"] = pd.array([None if known else NO_DENOMINATOR for known in there], dtype="string")
    return joined


def _with_uasc(rows: pd.DataFrame, looked_after: pd.DataFrame, tool: pd.DataFrame) -> pd.DataFrame:
    """UASC with bounds, and the looked-after children without them."""
    rows = uasc.of_authorities(rows, looked_after, tool, settings.load().uasc)
    low, high = uasc.without(rows["looked_after"], rows["uasc_low"], rows["uasc_high"])
    return rows.assign(looked_after_without_uasc_low=low, looked_after_without_uasc_high=high)


def national_trend(
    panel: pd.DataFrame, totals: pd.DataFrame, series: pd.DataFrame, population_totals: pd.DataFrame
) -> pd.DataFrame:
    """`main.national_trend`: sum of authorities, published England row and national series, side by side.

    All three rates are on the rebased England population, so that the sources differ in their counts alone.
    """
    england = totals.loc[(totals["area_level"] == ENGLAND) & (totals["measure"] == "looked_after")]
    sources = {
        "sum_of_authorities": _sums(panel),
        "published_row": _counts(newest_release(england)),
        "national_series": _counts(newest_release(series.loc[series["measure"] == "looked_after"])),
    }
    rows = pd.concat([frame.assign(source=source) for source, frame in sources.items()], ignore_index=True)
    populations = population_totals.loc[
        (population_totals["area_level"] == ENGLAND) & (population_totals["vintage"] == REBASED)
    ]
    rows = rows.merge(populations[["year", "population_0_17"]], how="left", on="year", validate="m:1")
    rows["rate_per_10k"] = 10_000 * _float(rows["looked_after"]) / _float(rows["population_0_17"])
    reason = rows["population_0_17"].isna().map({True: NO_DENOMINATOR, False: None})
    rows["rate_reason"] = reason.mask(rows["looked_after"].isna(), NOT_AVAILABLE)
    return conform(rows, main_tables.NATIONAL_TREND)


def _counts(rows: pd.DataFrame) -> pd.DataFrame:
    frame = rows[["year", "release", "value"]].rename(columns={"value": "looked_after"})
    return frame.assign(
        authorities=pd.array([None] * len(frame), dtype="Int64"),
        authorities_missing=pd.array([None] * len(frame), dtype="Int64"),
    )


def _sums(panel: pd.DataFrame) -> pd.DataFrame:
    """Sum over the authorities with a number; how many there are and how many are missing stands beside it.

    A year in which none has a number has no sum: 0 would be a count.
    """
    return (
        panel.groupby("year")
        .agg(
            release=("release", "max"),
            looked_after=("looked_after", lambda counts: counts.sum(min_count=1)),
            authorities=("looked_after", "count"),
            in_being=("la_code", "size"),
        )
        .reset_index()
        .assign(authorities_missing=lambda frame: frame["in_being"] - frame["authorities"])
        .astype({"authorities": "Int64", "authorities_missing": "Int64"})
        .drop(columns="in_being")
    )


def vintage_effect(panel: pd.DataFrame, population: pd.DataFrame) -> pd.DataFrame:
    """`main.vintage_effect`: the rate under either vintage with the count held fixed."""
    wide = population.pivot(index=["la_code", "year"], columns="vintage", values="population_0_17").reset_index()
    for vintage in shared_columns.VINTAGES:
        if vintage not in wide:
            wide[vintage] = pd.NA
    both = wide.dropna(subset=list(shared_columns.VINTAGES))
    rows = panel[["la_code", "la_name", "year", "looked_after", "looked_after_reason"]].merge(
        both, on=["la_code", "year"], validate="1:1"
    )
    rows = rows.rename(
        columns={
            "pre_census": "population_pre_census",
            "rebased": "population_rebased",
            "looked_after_reason": "reason",
        }
    )
    before, after = _float(rows["population_pre_census"]), _float(rows["population_rebased"])
    children = _float(rows["looked_after"])
    rows["rate_pre_census"], rows["rate_rebased"] = 10_000 * children / before, 10_000 * children / after
    rows["rate_difference_pct"] = 100 * (before / after - 1)
    return conform(rows, main_tables.VINTAGE_EFFECT)


def _float(values: pd.Series) -> pd.Series:
    return values.astype("Float64").astype("float64")
