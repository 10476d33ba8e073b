"""Group analysis: what might go with a change, and whom an authority may be set beside.

What belongs here: one node or pair of nodes a result table made from the optional inputs. Every figure is computed in
`pipeline`.
"""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from assets import describe
from assets.analysis import GROUP, window_data
from assets.chosen_data import ChosenData
from pipeline import charts, geography, neighbours, sentences, settings
from pipeline import exposures as covariates
from pipeline import groups_compared as groups
from pipeline.tables import covariate_tables, evidence_tables


@dg.multi_asset(
    group_name=GROUP,
    outs={
        "neighbour_comparison": describe.out(covariate_tables.NEIGHBOUR_COMPARISON),
        "neighbour_change": describe.out(covariate_tables.NEIGHBOUR_CHANGE),
    },
)
def beside_neighbours(
    core_statistical_neighbours: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    care_numbers: pd.DataFrame,
    five_year_change: pd.DataFrame,
) -> Iterator[dg.Output[pd.DataFrame]]:
    """Every authority's rate and change beside its statistical neighbours, its region and England."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    rates = neighbours.neighbour_comparison(core_statistical_neighbours, care_numbers, areas.too_small)
    changes = neighbours.neighbour_change(core_statistical_neighbours, five_year_change)
    yield dg.Output(
        rates,
        "neighbour_comparison",
        metadata={**describe.span(rates), "without_a_median": int(rates["neighbour_reason"].notna().sum())},
    )
    yield dg.Output(
        changes, "neighbour_change", metadata={"without_a_median": int(changes["neighbour_reason"].notna().sum())}
    )


@dg.multi_asset(
    group_name=GROUP,
    outs={
        "exposures": describe.out(covariate_tables.EXPOSURES),
        "exposure_correlations": describe.out(covariate_tables.EXPOSURE_CORRELATIONS),
    },
)
def exposed_units(
    raw_reference: pd.DataFrame,
    core_children_looked_after: pd.DataFrame,
    core_population: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    core_deprivation: pd.DataFrame,
    core_inspections: pd.DataFrame,
    core_innovation_programme: pd.DataFrame,
    chosen: ChosenData,
) -> Iterator[dg.Output[pd.DataFrame]]:
    """Every covariate of every unit of every window, and how they go together."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    shares = geography.split_shares(
        chosen.references(raw_reference)["split_child_weights_2016"], core_local_authorities
    )
    inputs = covariates.Inputs(core_deprivation, core_inspections, core_innovation_programme, areas, shares)
    frame = covariates.exposures(window_data(core_children_looked_after, core_population, areas), inputs)
    primary = frame.loc[(frame["window_id"] == "main_h5") & frame["reason"].notna()]
    missing = primary.groupby(["variable", "reason"]).size().rename("units").reset_index()
    yield dg.Output(
        frame,
        "exposures",
        metadata={
            "missing_in_primary_window": describe.preview(missing, ["variable", "reason", "units"]),
            "values_missing": int(frame["value"].isna().sum()),
        },
    )
    yield dg.Output(covariates.correlations(frame), "exposure_correlations")


@dg.asset(**describe.spec(evidence_tables.GROUPS_COMPARED, GROUP))
def groups_compared(
    five_year_change: pd.DataFrame,
    exposures: pd.DataFrame,
    care_numbers: pd.DataFrame,
    core_spending: pd.DataFrame,
    core_interactive_tool: pd.DataFrame,
    chosen: ChosenData,
) -> dg.Output[pd.DataFrame]:
    """Units that bucked the trend beside the others, one measure at a time."""
    own = settings.load()
    frame = groups.groups_compared(five_year_change, exposures, care_numbers, core_spending, core_interactive_tool, own)
    rate = own.evidence.false_discovery
    apart = groups.apart(frame, rate)
    standing = (*sentences.ALL, sentences.ECOLOGICAL)
    picture = describe.picture(charts.groups(frame, rate, chosen.about), standing) if len(frame) else None
    return dg.Output(
        frame,
        metadata={
            "measures_that_differ": ", ".join(apart) or "none beyond chance",
            "groups": describe.preview(frame, ["window_id", "variable", "difference", "q_value"]),
            **({"picture": picture} if picture else {}),
        },
    )
