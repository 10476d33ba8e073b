"""Group analysis: what goes with the change, and how far the regressions can be trusted.

What belongs here: one node or group of nodes a result table of the regressions. Every figure and sentence is made in
`pipeline.regression`.
"""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from assets import describe
from assets.analysis import GROUP, window_data
from assets.chosen_data import ChosenData
from pipeline import exclusions, geography, sentences, settings
from pipeline.regression import analysis, model_charts, staggered, terms
from pipeline.regression import findings as words
from pipeline.regression import study_comparison as study
from pipeline.tables import main_tables, model_tables

_STANDING = (*sentences.ALL, *sentences.MODELS)


def _split_shares(raw_reference: pd.DataFrame, local_authorities: pd.DataFrame, chosen: ChosenData) -> dict:
    """Shares of the children of divided authorities, as the exposures have them."""
    return geography.split_shares(chosen.references(raw_reference)["split_child_weights_2016"], local_authorities)


@dg.multi_asset(
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
    trend_exclusions: pd.DataFrame,
    chosen: ChosenData,
) -> Iterator[dg.Output[pd.DataFrame]]:
    """M0 to M10 of every window, with resampling, diagnostics and the units they leave out."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    found = analysis.regressions(
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
    )
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


def _coefficients(frame: pd.DataFrame, chosen: ChosenData) -> dict:
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


@dg.multi_asset(
    group_name=GROUP,
    outs={
        "specification_curve": describe.out(model_tables.SPECIFICATION_CURVE),
        "specification_curve_summary": describe.out(model_tables.SPECIFICATION_CURVE_SUMMARY),
    },
)
def all_specifications(
    five_year_change: pd.DataFrame,
    five_year_change_alternates: pd.DataFrame,
    exposures: pd.DataFrame,
    volatility: pd.DataFrame,
    chosen: ChosenData,
) -> Iterator[dg.Output[pd.DataFrame]]:
    """Whether the three factors' associations depend on the choices made: 768 specifications, permuted jointly."""
    frame, summary = analysis.curve(
        five_year_change, five_year_change_alternates, exposures, volatility, settings.load()
    )
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
