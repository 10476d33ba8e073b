"""Group raw: the published files as they are, one node a publication.

What belongs here: registering files. Nothing is read from them but what tells which file it is; the version of a node
is the hash of its files.
"""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from assets import describe
from assets.chosen_data import ChosenData
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


@dg.multi_asset(
    group_name=GROUP,
    outs={
        "raw_files": describe.out(about_tables.SOURCES),
        "raw_files_not_used": describe.out(about_tables.FILES_NOT_USED),
    },
)
def registered_files(chosen: ChosenData) -> Iterator[dg.Output[pd.DataFrame]]:
    """Recognise every file of the data folder by its content."""
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


def _publication(raw_files: pd.DataFrame, *publications: str) -> dg.Output:
    files = raw_files.loc[raw_files["publication"].isin(publications)].reset_index(drop=True)
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
    return _publication(raw_files, LOOKED_AFTER)


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_national_series(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of the national time series."""
    return _publication(raw_files, NATIONAL_SERIES)


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_population(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of the population estimates."""
    return _publication(raw_files, POPULATION)


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_deprivation(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of child deprivation, and of the districts that counties are put together from."""
    return _publication(raw_files, DEPRIVATION, DISTRICT_LOOKUP, DISTRICT_POPULATION)


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_statistical_neighbours(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of the statistical neighbours."""
    return _publication(raw_files, STATISTICAL_NEIGHBOURS)


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_inspections(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of the inspections of local authorities."""
    return _publication(raw_files, INSPECTIONS)


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_interactive_tool(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of the interactive tool's base data."""
    return _publication(raw_files, INTERACTIVE_TOOL)


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_spending(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """Files of the returns of spending."""
    return _publication(raw_files, SPENDING)


@dg.asset(group_name=GROUP, metadata=describe.table_metadata(about_tables.SOURCES))
def raw_reference(raw_files: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    """The small compiled tables: the project's, or the data folder's where it brings its own."""
    return _publication(raw_files, REFERENCE)
