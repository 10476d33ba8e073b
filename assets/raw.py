"""Group raw: the published files as they are, one node a publication.

What belongs here: registering files, and telling whether there is news in them. Nothing is read from them but what tells
which file it is; the version of a node is the hash of its files.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pandas as pd
from pydantic import Field

from assets import describe, history
from assets.chosen_data import ChosenData
from pipeline import night, run_lock, settings
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
from pipeline.sources import REFERENCE
from pipeline.tables import about_tables

GROUP = "raw"


NEWS = "news"
NEWS_NODE = "registered_files"
SUPERSEDED = "raw_superseded_files"


class Looking(dg.Config):
    """Whether the run is the night's, which ends at the first node when there is no news."""

    is_night: bool = Field(
        default=False, description="End here when nothing is new, and write what becomes of the run to status.json."
    )


@dg.multi_asset(
    name=NEWS_NODE,
    group_name=GROUP,
    outs={
        NEWS: dg.AssetOut(
            dagster_type=dg.Nothing,
            description="Whether files, code or settings differ from those that the published database followed from.",
        ),
        "raw_files": describe.out(about_tables.SOURCES, is_required=False),
        "raw_files_not_used": describe.out(about_tables.FILES_NOT_USED, is_required=False),
        SUPERSEDED: dg.AssetOut(
            description="Older editions of files that take part: what the publisher amended within a release.",
            metadata=describe.table_metadata(about_tables.SOURCES),
            is_required=False,
        ),
    },
    internal_asset_deps={
        NEWS: set(),
        "raw_files": {dg.AssetKey(NEWS)},
        "raw_files_not_used": {dg.AssetKey(NEWS)},
        SUPERSEDED: {dg.AssetKey(NEWS)},
    },
)
def registered_files(
    context: dg.AssetExecutionContext, config: Looking, chosen: ChosenData
) -> Iterator[dg.Output[Any]]:
    """Tell whether anything is new, and recognise every file of the data folder by its content.

    A night without news yields no files, so that Dagster skips all that follows.
    """
    workspace = chosen.workspace
    run_lock.hold(workspace.out)
    run_id = context.run.run_id
    found = night.begin_night(workspace, run_id) if config.is_night else night.begin(workspace)
    history.forget_old_runs(context.instance, workspace.dagster_home, settings.load().releases.keep_run_days)
    yield dg.Output(None, output_name=NEWS, metadata={"news": found.sentence, **found.origin.facts()})
    if config.is_night and not found.is_new:
        return
    register = chosen.scan()
    files, not_used = register.frame(), register.not_used_frame()
    yield dg.Output(
        files,
        output_name="raw_files",
        data_version=describe.files_version(files),
        metadata={
            "data": chosen.workspace.kind,
            "is_fictional": chosen.is_fictional,
            "files": describe.preview(files, ["publication", "release", "file"]),
        },
    )
    yield dg.Output(
        not_used, output_name="raw_files_not_used", metadata={"files": describe.preview(not_used, ["file", "reason"])}
    )
    older = register.superseded_frame()
    yield dg.Output(older, output_name=SUPERSEDED, metadata={"files": describe.preview(older, ["release", "file"])})


# The publications whose files each node registers.
PUBLICATIONS = {
    "raw_children_looked_after": (LOOKED_AFTER,),
    "raw_national_series": (NATIONAL_SERIES,),
    "raw_population": (POPULATION,),
    "raw_deprivation": (DEPRIVATION, DISTRICT_LOOKUP, DISTRICT_POPULATION),
    "raw_statistical_neighbours": (STATISTICAL_NEIGHBOURS,),
    "raw_inspections": (INSPECTIONS,),
    "raw_interactive_tool": (INTERACTIVE_TOOL,),
    "raw_spending": (SPENDING,),
    "raw_reference": (REFERENCE,),
}


def _publication(raw_files: pd.DataFrame, node: str) -> dg.Output[pd.DataFrame]:
    files = raw_files.loc[raw_files["publication"].isin(PUBLICATIONS[node])].reset_index(drop=True)
    releases = sorted(int(release) for release in files["release"].dropna().unique())
    return dg.Output(
        files,
        data_version=describe.files_version(files),
        metadata={
            "releases": ", ".join(map(str, releases)),
            "bytes": int(files["bytes"].sum()),
            "corrections": ", ".join(sorted({entry for entry in files["corrections"] if entry})) or "none",
        },
    )


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_children_looked_after(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of the looked-after releases."""
    return _publication(raw_files, "raw_children_looked_after")


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_national_series(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of the national time series."""
    return _publication(raw_files, "raw_national_series")


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_population(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of the population estimates."""
    return _publication(raw_files, "raw_population")


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_deprivation(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of child deprivation, and of the districts that counties are put together from."""
    return _publication(raw_files, "raw_deprivation")


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_statistical_neighbours(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of the statistical neighbours."""
    return _publication(raw_files, "raw_statistical_neighbours")


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_inspections(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of the inspections of local authorities."""
    return _publication(raw_files, "raw_inspections")


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_interactive_tool(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of the interactive tool's base data."""
    return _publication(raw_files, "raw_interactive_tool")


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_spending(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of the returns of spending."""
    return _publication(raw_files, "raw_spending")


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_reference(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """The small compiled tables: the project's, or the data folder's where it brings its own."""
    return _publication(raw_files, "raw_reference")
