"""Group analysis: what goes with the change, and how far the regressions can be trusted.

What belongs here: one node or group of nodes a result table of the regressions. Every figure and sentence is made in
`pipeline.regression`.

The two heavy nodes are graphs of three ops: one cuts the work into pieces, one works on each piece, wherever the run is
worked on (`where`), and one puts what they came to together again.
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
from pipeline import exclusions, geography, sentences, settings
from pipeline.regression import analysis, model_charts, specification_curve, staggered, terms, units
from pipeline.regression import findings as words
from pipeline.regression import study_comparison as study
from pipeline.tables import main_tables, model_tables

_STANDING = (*sentences.ALL, *sentences.MODELS)


def _split_shares(
    raw_reference: pd.DataFrame, local_authorities: pd.DataFrame, chosen: ChosenData
) -> dict[tuple[str, str], float]:
    """Shares of the children of divided authorities, as the exposures have them."""
    return geography.split_shares(chosen.references(raw_reference)["split_child_weights_2016"], local_authorities)


@dg.op(out=dg.DynamicOut(io_manager_key=PIECES), description="Cuts the regressions into pieces that need no other.")
def regressions_cut(
    context: dg.OpExecutionContext,
    config: Cutting,
    raw_reference: pd.DataFrame,
    core_children_looked_after: pd.DataFrame,
    core_population: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    core_deprivation: pd.DataFrame,
    five_year_change: pd.DataFrame,
    five_year_change_alternates: pd.DataFrame,
    exposures: pd.DataFrame,
    volatility: pd.DataFrame,
    chosen: ChosenData,
) -> Iterator[dg.DynamicOutput[Any]]:
    """The windows with all that their models rest on, and the draws of each piece."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    found = analysis.pieces(
        analysis.Inputs(
            five_year_change,
            five_year_change_alternates,
            exposures,
            volatility,
            core_children_looked_after,
            core_population,
            core_deprivation,
        ),
        window_data(core_children_looked_after, core_population, areas),
        areas,
        _split_shares(raw_reference, core_local_authorities, chosen),
        settings.load(),
        config.cut(context, units=five_year_change["unit_id"].nunique()),
    )
    for piece in found:
        yield dg.DynamicOutput(piece, mapping_key=piece.name)


@dg.op(out=dg.Out(io_manager_key=PIECES), description="Fits and resamples one piece.")
def regressions_piece(piece: units.Piece) -> units.Done:
    """M0 to M10 of some windows, or further draws of them."""
    return units.work(piece, settings.load())


@dg.op(
    out={
        table.asset: dg.Out(metadata=describe.table_metadata(table))
        for table in (
            model_tables.REGRESSION_COEFFICIENTS,
            model_tables.REGRESSION_MODELS,
            model_tables.REGRESSION_INFLUENCE,
            model_tables.UNIVARIATE_ASSOCIATIONS,
            main_tables.EXCLUSIONS,
        )
    },
    description="Puts the pieces together again.",
)
def regressions_together(
    done: list[units.Done], trend_exclusions: pd.DataFrame, chosen: ChosenData
) -> Iterator[dg.Output[pd.DataFrame]]:
    """The tables of all windows; the units that the models leave out stand beside those that the windows do."""
    found = units.together(done, settings.load())
    yield dg.Output(found.coefficients, "regression_coefficients", metadata=_coefficients(found.coefficients, chosen))
    stopped = found.models.loc[found.models["reason"].notna()]
    yield dg.Output(
        found.models,
        "regression_models",
        metadata={
            "models": len(found.models),
            "not_fitted": len(stopped),
            "why": dg.MetadataValue.json({str(why): int(n) for why, n in stopped["reason"].value_counts().items()}),
        },
    )
    yield dg.Output(
        found.influence, "regression_influence", metadata={"influential": int(found.influence["is_influential"].sum())}
    )
    yield dg.Output(found.univariate, "univariate_associations")
    yield dg.Output(exclusions.together(trend_exclusions, found.exclusions), "exclusions")


@dg.graph_multi_asset(
    group_name=GROUP,
    outs={
        "regression_coefficients": describe.out(model_tables.REGRESSION_COEFFICIENTS),
        "regression_models": describe.out(model_tables.REGRESSION_MODELS),
        "regression_influence": describe.out(model_tables.REGRESSION_INFLUENCE),
        "univariate_associations": describe.out(model_tables.UNIVARIATE_ASSOCIATIONS),
        "exclusions": describe.out(main_tables.EXCLUSIONS),
    },
)
def regressions(
    raw_reference: Any,
    core_children_looked_after: Any,
    core_population: Any,
    core_local_authorities: Any,
    core_area_changes: Any,
    core_deprivation: Any,
    five_year_change: Any,
    five_year_change_alternates: Any,
    exposures: Any,
    volatility: Any,
    trend_exclusions: Any,
) -> Any:
    """M0 to M10 of every window, with resampling, diagnostics and the units they leave out."""
    pieces = regressions_cut(
        raw_reference,
        core_children_looked_after,
        core_population,
        core_local_authorities,
        core_area_changes,
        core_deprivation,
        five_year_change,
        five_year_change_alternates,
        exposures,
        volatility,
    )
    return regressions_together(pieces.map(regressions_piece).collect(), trend_exclusions)._asdict()


def _coefficients(frame: pd.DataFrame, chosen: ChosenData) -> dict[str, Any]:
    """The primary model and the change score of the primary window beside each other, and the picture of all windows."""
    own = frame.loc[
        (frame["window_id"] == "main_h5")
        & frame["model"].isin(["M1", "M2"])
        & (frame["outcome"] == "log_rate_ratio")
        & (frame["variant"] == "primary")
        & ~frame["region_effects"]
    ]
    columns = ["model", "term", "estimate", "lower_95", "upper_95", "minimum_detectable_effect", "n", "reason"]
    told = {"bracket": describe.preview(own, columns)}
    if frame.loc[frame["term"].isin(terms.FOCAL), "estimate"].notna().any():
        chart = model_charts.windows_and_models(frame, "main_h5", chosen.about)
        told["picture"] = describe.picture(chart, _STANDING)
    return told


@dg.asset(**describe.spec(model_tables.STUDY_COMPARISON, GROUP))
def study_comparison(
    five_year_change: pd.DataFrame,
    region_trends: pd.DataFrame,
    univariate_associations: pd.DataFrame,
    national_trend: pd.DataFrame,
) -> dg.Output[pd.DataFrame]:
    """What the study of 2018 found beside what the same windows give here."""
    frame = study.study_comparison(five_year_change, region_trends, univariate_associations, national_trend)
    return dg.Output(frame, metadata={"claims": describe.preview(frame, ["claim", "statement", "ours"])})


@dg.op(out=dg.DynamicOut(io_manager_key=PIECES), description="Cuts the specification curve into pieces.")
def specifications_cut(
    context: dg.OpExecutionContext,
    config: Cutting,
    five_year_change: pd.DataFrame,
    five_year_change_alternates: pd.DataFrame,
    exposures: pd.DataFrame,
    volatility: pd.DataFrame,
) -> Iterator[dg.DynamicOutput[Any]]:
    """A piece for each of the three factors and range of permutations."""
    cut = config.cut(context, units=five_year_change["unit_id"].nunique())
    chosen = five_year_change, five_year_change_alternates, exposures, volatility
    for piece in analysis.curve_pieces(*chosen, settings.load(), cut):
        yield dg.DynamicOutput(piece, mapping_key=piece.name)


@dg.op(out=dg.Out(io_manager_key=PIECES), description="Fits all specifications of one factor.")
def specifications_piece(piece: specification_curve.Piece) -> specification_curve.Done:
    """The curve of one factor, and some of its permutations."""
    return analysis.curve_piece(piece, settings.load())


@dg.op(
    out={
        table.asset: dg.Out(metadata=describe.table_metadata(table))
        for table in (model_tables.SPECIFICATION_CURVE, model_tables.SPECIFICATION_CURVE_SUMMARY)
    },
    description="Puts the pieces together again.",
)
def specifications_together(
    done: list[specification_curve.Done], chosen: ChosenData
) -> Iterator[dg.Output[pd.DataFrame]]:
    """The curves of the three factors, with a picture of each."""
    frame, summary = specification_curve.together(done, settings.load())
    pictures = {
        f"picture_{term}": describe.picture(model_charts.specifications(frame, summary, term, chosen.about), _STANDING)
        for term in terms.FOCAL
        if frame.loc[frame["term"] == term, "estimate"].notna().any()
    }
    yield dg.Output(frame, "specification_curve", metadata=pictures)
    columns = [
        "term",
        "n_specifications",
        "median_estimate",
        "median_p",
        "majority_share",
        "significant_share",
        "reason",
    ]
    yield dg.Output(summary, "specification_curve_summary", metadata={"terms": describe.preview(summary, columns)})


@dg.graph_multi_asset(
    group_name=GROUP,
    outs={
        "specification_curve": describe.out(model_tables.SPECIFICATION_CURVE),
        "specification_curve_summary": describe.out(model_tables.SPECIFICATION_CURVE_SUMMARY),
    },
)
def all_specifications(five_year_change: Any, five_year_change_alternates: Any, exposures: Any, volatility: Any) -> Any:
    """Whether the three factors' associations depend on the choices made: 768 specifications, permuted jointly."""
    pieces = specifications_cut(five_year_change, five_year_change_alternates, exposures, volatility)
    return specifications_together(pieces.map(specifications_piece).collect())._asdict()


@dg.asset(**describe.spec(model_tables.STAGGERED_ADOPTION, GROUP))
def staggered_adoption(
    raw_reference: pd.DataFrame,
    core_children_looked_after: pd.DataFrame,
    core_population: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    core_innovation_programme: pd.DataFrame,
    chosen: ChosenData,
) -> dg.Output[pd.DataFrame]:
    """Appendix: years from entry to the programme, the years before entry first."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    shares = _split_shares(raw_reference, core_local_authorities, chosen)
    frame = staggered.staggered_adoption(
        core_children_looked_after, core_population, core_innovation_programme, areas, shares
    )
    known = frame["pretrend_p"].dropna()
    told = {"p_of_the_years_before_entry": float(known.iloc[0])} if len(known) else {}
    return dg.Output(frame, metadata={**told, "to_be_read_with": model_tables.STAGGERED_ADOPTION.warnings[0]})


@dg.asset(**describe.spec(model_tables.FINDINGS, GROUP))
def findings(
    regression_coefficients: pd.DataFrame,
    regression_models: pd.DataFrame,
    specification_curve_summary: pd.DataFrame,
    exposures: pd.DataFrame,
) -> dg.Output[pd.DataFrame]:
    """What the regressions of each window say, in words."""
    frame = words.findings(regression_coefficients, regression_models, specification_curve_summary, exposures)
    told = {f"{row.window_id}": dg.MetadataValue.md(f"{row.finding}\n\n{row.caveats}") for row in frame.itertuples()}
    return dg.Output(frame, metadata=told)
