"""Group core: what the files say, tidy and faithful.

What belongs here: one node or pair of nodes a core table. The reading is `pipeline.readers`, the shaping
`pipeline.looked_after`, `pipeline.population` and `pipeline.geography`.
"""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from assets import describe
from assets.chosen_data import ChosenData
from pipeline import (
    deprivation,
    geography,
    innovation_programme,
    inspections,
    interactive_tool,
    looked_after,
    neighbours,
    population,
    reference_tables,
    spending,
)
from pipeline.readers.layout import (
    DEPRIVATION,
    DISTRICT_LOOKUP,
    DISTRICT_POPULATION,
    INSPECTIONS,
    INTERACTIVE_TOOL,
    LOOKED_AFTER,
    NATIONAL_SERIES,
    POPULATION,
    SPENDING,
    STATISTICAL_NEIGHBOURS,
)
from pipeline.tables import core_tables, covariate_tables

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
    raw_children_looked_after: pd.DataFrame,
    raw_reference: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    chosen: ChosenData,
) -> Iterator[dg.Output[pd.DataFrame]]:
    """Read every looked-after file; authorities and totals apart."""
    tidy = chosen.read_tidy(LOOKED_AFTER, raw_children_looked_after, raw_reference)
    looked_after.refuse_missing_rows(tidy, geography.build_areas(core_local_authorities, core_area_changes))
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


@dg.asset(**describe.spec(covariate_tables.STATISTICAL_NEIGHBOURS, GROUP))
def core_statistical_neighbours(
    raw_statistical_neighbours: pd.DataFrame,
    raw_reference: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    chosen: ChosenData,
) -> dg.Output[pd.DataFrame]:
    """The lists of neighbours of every edition."""
    tidy = chosen.read_tidy(STATISTICAL_NEIGHBOURS, raw_statistical_neighbours, raw_reference)
    frame = neighbours.statistical_neighbours(tidy, geography.build_areas(core_local_authorities, core_area_changes))
    editions = frame.groupby("edition")["la_code"].nunique()
    return dg.Output(
        frame,
        metadata={
            **describe.span(frame),
            "authorities_of_each_edition": ", ".join(f"{name}: {n}" for name, n in editions.items()) or "no file",
        },
    )


@dg.asset(**describe.spec(covariate_tables.INNOVATION_PROGRAMME, GROUP))
def core_innovation_programme(
    raw_reference: pd.DataFrame, core_local_authorities: pd.DataFrame, chosen: ChosenData
) -> dg.Output[pd.DataFrame]:
    """Who is known to have taken part in the Innovation Programme and its successors."""
    tables = chosen.references(raw_reference)
    frame = innovation_programme.core(
        tables["innovation_programme"], core_local_authorities, reference_tables.knowledge(tables).names
    )
    published = frame.loc[frame["confidence"] == innovation_programme.PUBLISHED]
    return dg.Output(
        frame,
        metadata={**describe.span(frame), "authorities_by_published_sources": int(published["la_code"].nunique())},
    )


@dg.multi_asset(
    group_name=GROUP,
    outs={
        "core_inspections": describe.out(covariate_tables.INSPECTIONS),
        "core_inspections_compared": describe.out(covariate_tables.INSPECTIONS_COMPARED),
    },
)
def judgements(
    raw_inspections: pd.DataFrame, raw_reference: pd.DataFrame, chosen: ChosenData
) -> Iterator[dg.Output[pd.DataFrame]]:
    """Read every workbook of inspections; the judgements that count, and the older workbooks beside them."""
    tidy = chosen.read_tidy(INSPECTIONS, raw_inspections, raw_reference)
    frame, compared = inspections.inspections(tidy), inspections.compared(tidy)
    by_framework = frame["framework"].value_counts(sort=False)
    yield dg.Output(
        frame,
        "core_inspections",
        metadata={
            **describe.span(frame),
            "judgements": ", ".join(f"{name}: {n}" for name, n in by_framework.items()) or "no file",
            "newest_publication": "no file" if frame.empty else frame["publication_date"].max().isoformat(),
        },
    )
    yield dg.Output(
        compared, "core_inspections_compared", metadata={"that_differ": int((~compared["agrees"].astype(bool)).sum())}
    )


@dg.multi_asset(
    group_name=GROUP,
    outs={
        "core_interactive_tool": describe.out(covariate_tables.INTERACTIVE_TOOL),
        "core_interactive_tool_totals": describe.out(covariate_tables.INTERACTIVE_TOOL_TOTALS),
    },
)
def interactive_tool_cells(
    raw_interactive_tool: pd.DataFrame, raw_reference: pd.DataFrame, chosen: ChosenData
) -> Iterator[dg.Output[pd.DataFrame]]:
    """Read every edition of the interactive tool's base data; authorities and totals apart."""
    tidy = chosen.read_tidy(INTERACTIVE_TOOL, raw_interactive_tool, raw_reference)
    authorities, totals = interactive_tool.authorities(tidy), interactive_tool.totals(tidy)
    yield dg.Output(authorities, "core_interactive_tool", metadata=describe.span(authorities))
    yield dg.Output(totals, "core_interactive_tool_totals", metadata=describe.span(totals))


@dg.asset(**describe.spec(covariate_tables.SPENDING, GROUP))
def core_spending(
    raw_spending: pd.DataFrame,
    raw_reference: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    chosen: ChosenData,
) -> dg.Output[pd.DataFrame]:
    """Spending as the authorities reported it, from both returns."""
    tidy = chosen.read_tidy(SPENDING, raw_spending, raw_reference)
    frame = spending.authorities(tidy, geography.build_areas(core_local_authorities, core_area_changes))
    years = frame.groupby("source")["year"].unique()
    told = {f"years_of_{source}": ", ".join(map(str, sorted(own))) for source, own in years.items()}
    return dg.Output(frame, metadata={**describe.span(frame), **told})


@dg.multi_asset(
    group_name=GROUP,
    outs={
        "core_deprivation": describe.out(covariate_tables.DEPRIVATION),
        "core_deprivation_england": describe.out(covariate_tables.DEPRIVATION_ENGLAND),
    },
)
def deprivation_shares(
    raw_deprivation: pd.DataFrame,
    raw_reference: pd.DataFrame,
    core_interactive_tool: pd.DataFrame,
    core_interactive_tool_totals: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
    chosen: ChosenData,
) -> Iterator[dg.Output[pd.DataFrame]]:
    """Read every file of child deprivation; four measures by authority, and England's rows."""
    references = chosen.references(raw_reference)
    authorities, england = deprivation.core_tables(
        deprivation.Sources(
            cells=chosen.read_tidy(DEPRIVATION, raw_deprivation, raw_reference),
            district_population=chosen.read_tidy(DISTRICT_POPULATION, raw_deprivation, raw_reference),
            district_lookup=chosen.read_tidy(DISTRICT_LOOKUP, raw_deprivation, raw_reference),
            tool=core_interactive_tool,
            tool_totals=core_interactive_tool_totals,
        ),
        references["lad16_to_county16"],
        reference_tables.knowledge(references).la_code_of_ons_code,
        geography.build_areas(core_local_authorities, core_area_changes),
    )
    years = authorities.groupby(["measure", "basis"])["year"].agg(["min", "max"])
    spans = [f"{measure} ({basis}): {first} to {last}" for (measure, basis), (first, last) in years.iterrows()]
    yield dg.Output(
        authorities,
        "core_deprivation",
        metadata={**describe.span(authorities), "years": "; ".join(spans) or "no file"},
    )
    yield dg.Output(england, "core_deprivation_england", metadata=describe.span(england))
