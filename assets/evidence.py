"""Group analysis: how unusual a change is, and whether the answer depends on the choices made.

What belongs here: one node a table of usual movement, comparison, sensitivity and calibration. Every figure is computed
in `pipeline`; the evidence of each unit is made where its change is (`analysis`).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pandas as pd

from assets import describe
from assets.analysis import GROUP, window_data
from assets.chosen_data import ChosenData
from assets.cutting import Cutting
from assets.piece_io import PIECES
from pipeline import charts, funnel, geography, memory, sensitivity, settings
from pipeline import null_calibration as calibration
from pipeline import region_trends as regions
from pipeline import volatility as movement
from pipeline.tables import evidence_tables


@dg.asset(**describe.spec(evidence_tables.VOLATILITY, GROUP))
def volatility(
    core_children_looked_after: pd.DataFrame,
    core_population: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
) -> dg.Output[pd.DataFrame]:
    """The size of usual year-to-year movement, fitted afresh."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    fit, frame = movement.volatility(core_children_looked_after, core_population, areas, settings.load().evidence)
    known = {} if fit.reason else {"a": round(fit.a, 6), "b": round(fit.b, 4)}
    return dg.Output(
        frame, metadata={**known, "movements": int(frame["n_obs"].iloc[0]), "reason": fit.reason or "none"}
    )


@dg.asset(**describe.spec(evidence_tables.MEMORY_STATS, GROUP))
def memory_stats(
    core_children_looked_after: pd.DataFrame,
    core_population: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
) -> dg.Output[pd.DataFrame]:
    """Whether rates net of England have trends of their own, or wander."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    chosen = settings.load()
    frame = memory.memory_stats(core_children_looked_after, core_population, areas, chosen.evidence, chosen.seed)
    return dg.Output(frame, metadata={"statistics": describe.preview(frame, ["panel", "statistic", "value", "reason"])})


@dg.asset(**describe.spec(evidence_tables.FUNNEL_LEVELS, GROUP))
def funnel_levels(
    core_children_looked_after: pd.DataFrame,
    core_population: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    chosen: ChosenData,
) -> dg.Output[pd.DataFrame]:
    """The level of every unit beside what chance and over-dispersion allow, by year."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    frame = funnel.funnel_levels(core_children_looked_after, core_population, areas, settings.load().evidence)
    newest = frame.loc[frame["year"] == frame["year"].max()]
    picture = {"picture": describe.picture(charts.levels(newest, chosen.about))} if len(newest) else {}
    return dg.Output(frame, metadata={**describe.span(frame), **picture})


@dg.asset(**describe.spec(evidence_tables.REGION_TRENDS, GROUP))
def region_trends(five_year_change: pd.DataFrame, core_local_authorities: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """The change of every region over every window."""
    frame = regions.region_trends(five_year_change, core_local_authorities, settings.load().classes)
    return dg.Output(frame, metadata={"windows": int(frame["window_id"].nunique())})


@dg.asset(**describe.spec(evidence_tables.FLAG_SENSITIVITY, GROUP))
def flag_sensitivity(
    core_children_looked_after: pd.DataFrame,
    core_children_looked_after_totals: pd.DataFrame,
    core_population: pd.DataFrame,
    core_population_totals: pd.DataFrame,
    core_interactive_tool_totals: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    care_numbers: pd.DataFrame,
    volatility: pd.DataFrame,
) -> dg.Output[pd.DataFrame]:
    """Whether other thresholds, years, measures or rules would flag the same units."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    grid = sensitivity.inputs(
        sensitivity.primary(window_data(core_children_looked_after, core_population, areas)),
        core_children_looked_after,
        core_children_looked_after_totals,
        core_population,
        core_population_totals,
        core_interactive_tool_totals,
        care_numbers,
        areas,
    )
    usual, _ = movement.from_table(volatility)
    frame = sensitivity.flag_sensitivity(grid, usual, settings.load())
    return dg.Output(frame, metadata={"not_computed": int(frame["n_flagged"].isna().sum())})


@dg.op(
    out={"asked": dg.Out(io_manager_key=PIECES), "ranges": dg.DynamicOut(io_manager_key=PIECES)},
    description="Prepares the draws of countries without local trends, in ranges that need no other.",
)
def calibration_cut(
    context: dg.OpExecutionContext,
    config: Cutting,
    core_children_looked_after: pd.DataFrame,
    core_population: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    volatility: pd.DataFrame,
) -> Iterator[dg.Output[calibration.Work] | dg.DynamicOutput[range]]:
    """What all draws rest on, and the ranges of draws."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    usual, _ = movement.from_table(volatility)
    data = window_data(core_children_looked_after, core_population, areas)
    chosen = settings.load()
    asked = calibration.work(data, core_children_looked_after, core_population, areas, usual, chosen)
    yield dg.Output(asked, "asked")
    for place, draws in enumerate(config.cut(context).draws(chosen.calibration.draws)):
        yield dg.DynamicOutput(draws, mapping_key=f"draws_{place}", output_name="ranges")


@dg.op(out=dg.Out(io_manager_key=PIECES), description="Draws some of the countries and applies every rule to them.")
def calibration_piece(draws: range, asked: calibration.Work) -> calibration.Drawn:
    """A range of the draws."""
    return calibration.drawn(asked, draws, settings.load())


@dg.op(
    out=dg.Out(metadata=describe.table_metadata(evidence_tables.NULL_CALIBRATION)),
    description="Puts the draws together again.",
)
def calibration_together(asked: calibration.Work, drawn: list[calibration.Drawn]) -> dg.Output[pd.DataFrame]:
    """The shares of all draws."""
    frame = calibration.together(asked, drawn, settings.load())
    return dg.Output(
        frame,
        metadata={
            "verdict": calibration.acceptance(frame, settings.load()).detail,
            "shares": describe.preview(frame, ["rule", "share_real", "share_null_mean"]),
        },
    )


@dg.graph_asset(**describe.spec(evidence_tables.NULL_CALIBRATION, GROUP))
def null_calibration(
    core_children_looked_after: Any,
    core_population: Any,
    core_local_authorities: Any,
    core_area_changes: Any,
    volatility: Any,
) -> Any:
    """How often each rule flags a unit where there is no local trend at all."""
    asked, ranges = calibration_cut(
        core_children_looked_after, core_population, core_local_authorities, core_area_changes, volatility
    )
    drawn = ranges.map(lambda draws: calibration_piece(draws, asked))
    return calibration_together(asked, drawn.collect())
