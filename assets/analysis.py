"""Group analysis: the panel, the national trend, the windows and their changes, and who is left out.

What belongs here: one node or pair of nodes a result table. Every figure is computed in `pipeline`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pandas as pd

from assets import describe
from assets.checks import MEASURED, measure
from assets.chosen_data import ChosenData
from pipeline import (
    charts,
    checks,
    exclusions,
    geography,
    groups_compared,
    looked_after,
    panel,
    revisions,
    sentences,
    settings,
    trends,
    windows,
)
from pipeline.five_year_change import Inputs
from pipeline.five_year_change import five_year_change as put_together
from pipeline.readers.layout import LOOKED_AFTER
from pipeline.tables import evidence_tables, main_tables
from pipeline.windows import WindowData

GROUP = "analysis"


@dg.asset(**describe.spec(main_tables.CARE_NUMBERS, GROUP))
def care_numbers(
    core_children_looked_after: pd.DataFrame,
    core_population: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    core_interactive_tool: pd.DataFrame,
    core_spending: pd.DataFrame,
) -> dg.Output[pd.DataFrame]:
    """The panel of authorities and years."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    frame = panel.care_numbers(
        core_children_looked_after,
        core_population,
        core_local_authorities,
        areas,
        core_interactive_tool,
        core_spending,
    )
    without = frame.loc[frame["looked_after"].isna(), ["la_name", "year", "looked_after_reason"]]
    return dg.Output(
        frame,
        metadata={
            **describe.span(frame),
            "counts_missing": len(without),
            "missing": describe.preview(without, list(without.columns)),
            "uasc_marked": int(frame["uasc_marker"].notna().sum()),
            "years_with_uasc": _years(frame, "uasc"),
            "years_with_spending": _years(frame, "spending_per_child"),
        },
    )


def _years(frame: pd.DataFrame, column: str) -> str:
    years = frame.loc[frame[column].notna(), "year"]
    return f"{years.min()} to {years.max()}" if len(years) else "none"


@dg.asset(**describe.spec(main_tables.NATIONAL_TREND, GROUP))
def national_trend(
    care_numbers: pd.DataFrame,
    core_children_looked_after_totals: pd.DataFrame,
    core_national_series: pd.DataFrame,
    core_population_totals: pd.DataFrame,
    chosen: ChosenData,
) -> dg.Output[pd.DataFrame]:
    """England by year from three sources."""
    frame = panel.national_trend(
        care_numbers, core_children_looked_after_totals, core_national_series, core_population_totals
    )
    newest = frame.loc[frame["source"] == "published_row"].iloc[-1]
    return dg.Output(
        frame,
        metadata={
            **describe.span(frame),
            "newest_year": int(newest["year"]),
            "newest_looked_after": int(newest["looked_after"]),
            "newest_rate_per_10k": round(float(newest["rate_per_10k"]), 2),
            "picture": describe.picture(charts.national_series(frame, _marked(int(newest["year"])), chosen.about)),
        },
    )


def _marked(latest: int) -> list[charts.Span]:
    """The primary window and the five years of the study, to be marked in the national series."""
    return [
        charts.Span(window.start, window.end)
        for window in windows.windows(latest, settings.load().windows)
        if window.window_id in (groups_compared.STUDY_WINDOW, "main_h5")
    ]


@dg.asset(**describe.spec(main_tables.VINTAGE_EFFECT, GROUP))
def vintage_effect(care_numbers: pd.DataFrame, core_population: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """What the rebasing of populations alone does to the rates."""
    frame = panel.vintage_effect(care_numbers, core_population)
    return dg.Output(
        frame, metadata={**describe.span(frame), "median_difference_pct": float(frame["rate_difference_pct"].median())}
    )


def window_data(looked_after: pd.DataFrame, population: pd.DataFrame, areas: geography.Areas) -> list[WindowData]:
    """Every window with its units and their numbers, by the project's settings."""
    return windows.all_window_data(looked_after, population, areas, settings.load().windows)


@dg.multi_asset(
    group_name=GROUP,
    outs={
        "five_year_change": describe.out(main_tables.FIVE_YEAR_CHANGE),
        "windows": describe.out(main_tables.WINDOWS),
        "five_year_change_alternates": describe.out(evidence_tables.FIVE_YEAR_CHANGE_ALTERNATES),
        "baseline_convergence": describe.out(evidence_tables.BASELINE_CONVERGENCE),
    },
)
def window_changes(
    core_children_looked_after: pd.DataFrame,
    core_population: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    core_interactive_tool: pd.DataFrame,
    care_numbers: pd.DataFrame,
    national_trend: pd.DataFrame,
    volatility: pd.DataFrame,
    chosen: ChosenData,
) -> Iterator[dg.Output[pd.DataFrame]]:
    """The change of every unit in every window with its evidence and its alternates, and each window's summary."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    data = window_data(core_children_looked_after, core_population, areas)
    inputs = Inputs(core_children_looked_after, core_population, core_interactive_tool, care_numbers, volatility)
    found = put_together(data, inputs, areas, settings.load())
    summary = trends.window_summary(data, found.changes, national_trend)
    yield dg.Output(
        found.changes,
        "five_year_change",
        metadata={**_headlines(summary), **_grades(found.changes), **_picture(found.changes, chosen)},
    )
    yield dg.Output(found.alternates, "five_year_change_alternates")
    yield dg.Output(found.convergence, "baseline_convergence")
    yield dg.Output(
        summary,
        "windows",
        metadata={
            "windows": describe.preview(
                summary, ["window_id", "window_start", "window_end", "units", "england_direction", "units_bucking"]
            )
        },
    )


def _headlines(summary: pd.DataFrame) -> dict[str, Any]:
    """What an analyst wants to see first of the primary window."""
    main = summary.loc[(summary["role"] == "primary") & summary["is_computed"]]
    if main.empty:
        return {"primary_window": "not computed"}
    row = main.iloc[0]
    bucking = row["units_bucking"]
    return {
        "primary_window": f"{row['window_start']} to {row['window_end']}",
        "england_change_pct": round(float(row["england_change_pct"]), 2),
        "england_number_change_pct": round(float(row["england_number_change_pct"]), 2),
        "england_direction": row["england_direction"],
        "units": int(row["units"]),
        "units_down": int(row["units_down"]),
        "units_up": int(row["units_up"]),
        "units_bucking": "England has no clear direction" if pd.isna(bucking) else int(bucking),
    }


def _picture(changes: pd.DataFrame, chosen: ChosenData) -> dict[str, Any]:
    """The newest window in which England has a direction, if there is any window."""
    window = groups_compared.directed_window(changes, settings.load().windows.years)
    if window is None:
        return {}
    chart = charts.changes(changes.loc[changes["window_id"] == window], chosen.about)
    return {"picture": describe.picture(chart, sentences.ALL + sentences.TREND)}


def _grades(changes: pd.DataFrame) -> dict[str, Any]:
    """How many units of the primary window have which evidence."""
    own = changes.loc[changes["window_id"] == "main_h5", "evidence"]
    return {f"units_with_evidence_{grade}": int((own == grade).sum()) for grade in ("A", "B", "C")}


@dg.multi_asset(
    group_name=GROUP,
    outs={
        "trend_exclusions": dg.AssetOut(
            description="The trend stage of main.exclusions: authorities that are not a unit by themselves, and why.",
            metadata=describe.table_metadata(main_tables.EXCLUSIONS),
        ),
        "exclusion_steps": describe.out(main_tables.EXCLUSION_STEPS),
    },
)
def left_out(
    core_children_looked_after: pd.DataFrame,
    core_population: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
) -> Iterator[dg.Output[pd.DataFrame]]:
    """Every authority that is not a unit by itself, with the reason, and the count-down of each window."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    data = window_data(core_children_looked_after, core_population, areas)
    excluded, steps = exclusions.exclusions(data, areas)
    primary = excluded.loc[excluded["window_id"] == "main_h5"]
    yield dg.Output(
        excluded,
        "trend_exclusions",
        metadata={
            "left_out_of_primary_window": int((primary["rule"] == "excluded").sum()),
            "primary_window": describe.preview(primary, ["la_name", "rule", "reason"]),
        },
    )
    yield dg.Output(steps, "exclusion_steps")


@dg.multi_asset(
    group_name=GROUP,
    outs={
        "revisions": describe.out(main_tables.REVISIONS),
        "revisions_summary": describe.out(main_tables.REVISIONS_SUMMARY),
    },
)
def revised(
    core_children_looked_after: pd.DataFrame,
    raw_superseded_files: pd.DataFrame,
    raw_reference: pd.DataFrame,
    chosen: ChosenData,
) -> Iterator[dg.Output[pd.DataFrame]]:
    """Every figure that two releases, or two editions of one, give differently, and how many there are."""
    older = [
        looked_after.authorities(chosen.read_tidy(LOOKED_AFTER, raw_superseded_files.iloc[[row]], raw_reference))
        for row in range(len(raw_superseded_files))
        if raw_superseded_files["publication"].iloc[row] == LOOKED_AFTER
    ]
    found, summary = revisions.revisions(core_children_looked_after, older)
    yield dg.Output(
        found, "revisions", metadata={"kinds": dg.MetadataValue.json(found["kind"].value_counts().to_dict())}
    )
    yield dg.Output(summary, "revisions_summary")


@dg.asset(**describe.spec(main_tables.DATA_CHECKS, GROUP), ins={name: dg.AssetIn(name) for name in MEASURED})
def data_checks(**frames: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Every invariant as found in this run."""
    frame = checks.data_checks(measure(frames))
    failed = frame.loc[frame["n_failed"] > 0]
    return dg.Output(
        frame,
        metadata={
            "checks": len(frame),
            "failed": len(failed),
            "failures": describe.preview(failed, ["check_name", "scope", "severity", "n_failed"]),
        },
    )
