"""Group core: what the files say, tidy and faithful.

What belongs here: one node or pair of nodes a core table. The reading is `pipeline.readers`, the shaping
`pipeline.looked_after`, `pipeline.population` and `pipeline.geography`.
"""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from assets import describe
from assets.chosen_data import ChosenData
from pipeline import geography, looked_after, population
from pipeline.readers.layout import LOOKED_AFTER, NATIONAL_SERIES, POPULATION
from pipeline.tables import core_tables

GROUP = "core"


@dg.asset(**describe.spec(core_tables.LOCAL_AUTHORITIES, GROUP))
def core_local_authorities(raw_reference: pd.DataFrame, chosen: ChosenData) -> dg.Output[pd.DataFrame]:
    """Authorities through time."""
    frame = geography.local_authorities(chosen.references(raw_reference))
    return dg.Output(frame, metadata=describe.span(frame))


@dg.asset(**describe.spec(core_tables.AREA_CHANGES, GROUP))
def core_area_changes(raw_reference: pd.DataFrame, chosen: ChosenData) -> dg.Output[pd.DataFrame]:
    """Splits, merges, recodes and boundary changes."""
    frame = geography.area_changes(chosen.references(raw_reference)["la_code_changes"])
    return dg.Output(
        frame, metadata={"changes": describe.preview(frame, ["effective_date", "change_type", "old_name"])}
    )


@dg.multi_asset(
    group_name=GROUP,
    outs={
        "core_children_looked_after": describe.out(core_tables.CHILDREN_LOOKED_AFTER),
        "core_children_looked_after_totals": describe.out(core_tables.CHILDREN_LOOKED_AFTER_TOTALS),
    },
)
def looked_after_cells(
    raw_children_looked_after: pd.DataFrame, raw_reference: pd.DataFrame, chosen: ChosenData
) -> Iterator[dg.Output[pd.DataFrame]]:
    """Read every looked-after file; authorities and totals apart."""
    tidy = chosen.read_tidy(LOOKED_AFTER, raw_children_looked_after, raw_reference)
    authorities, totals = looked_after.authorities(tidy), looked_after.totals(tidy)
    yield dg.Output(authorities, "core_children_looked_after", metadata=describe.span(authorities))
    yield dg.Output(totals, "core_children_looked_after_totals", metadata=describe.span(totals))


@dg.asset(**describe.spec(core_tables.NATIONAL_SERIES, GROUP))
def core_national_series(
    raw_national_series: pd.DataFrame, raw_reference: pd.DataFrame, chosen: ChosenData
) -> dg.Output[pd.DataFrame]:
    """The long national series of every release."""
    frame = looked_after.national_series(chosen.read_tidy(NATIONAL_SERIES, raw_national_series, raw_reference))
    return dg.Output(frame, metadata=describe.span(frame))


@dg.multi_asset(
    group_name=GROUP,
    outs={
        "core_population": describe.out(core_tables.POPULATION),
        "core_population_totals": describe.out(core_tables.POPULATION_TOTALS),
    },
)
def population_cells(
    raw_population: pd.DataFrame,
    raw_reference: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    chosen: ChosenData,
) -> Iterator[dg.Output[pd.DataFrame]]:
    """Read every population file; published vintages and the age-band estimate."""
    tidy = chosen.read_tidy(POPULATION, raw_population, raw_reference)
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    authorities, totals = population.authorities(tidy, areas), population.totals(tidy)
    vintages = ", ".join(sorted(authorities["vintage"].unique()))
    yield dg.Output(authorities, "core_population", metadata={**describe.span(authorities), "vintages": vintages})
    yield dg.Output(totals, "core_population_totals", metadata=describe.span(totals))
