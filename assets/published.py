"""Group published: the database that researchers open.

What belongs here: the one node that publishes. It reads the Parquet files by itself, checks them by itself, and swaps
the new database in; a check that failed on another day cannot be walked around by materialising this node alone.
"""

import datetime as dt
import platform
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd

from assets.checks import MEASURED, measure
from assets.chosen_data import ChosenData
from assets.raw import NEWS, PUBLICATIONS
from pipeline import (
    __version__,
    checks,
    frames_by_url,
    given_back,
    manifest,
    news,
    pieces,
    places,
    publish,
    releases_by_url,
    settings,
    shelves,
)
from pipeline.tables import catalogue, frames
from pipeline.tables.declare import Table

GROUP = "published"
DATABASE = "care_numbers_database"


@dg.asset(
    name=DATABASE,
    group_name=GROUP,
    deps=[table.asset for table in catalogue.TABLES if table.asset],
    kinds={"duckdb"},
)
def database(context: dg.AssetExecutionContext, chosen: ChosenData) -> dg.MaterializeResult[None]:
    """`care_numbers.duckdb` and its release: built out of sight, verified, renamed in; old releases are pruned."""
    workspace = chosen.workspace
    every_frame = [publish.parquet_file(workspace.frames, table.asset) for table in catalogue.TABLES if table.asset]
    frames_by_url.bring(workspace, every_frame, context.run.run_id)
    frame_files = [file for file in every_frame if file.exists()]
    stored = {
        table.asset: _stored(workspace, table)
        for table in catalogue.TABLES
        if table.asset in MEASURED and publish.parquet_file(workspace.frames, table.asset).exists()
    }
    checks.refuse_failed(checks.data_checks(measure(stored)))
    del stored  # building the database needs the memory
    given_back.give_back()
    published = publish.publish(
        workspace.database,
        workspace.frames,
        places.sql_folder(),
        _run_facts(context.run.run_id, chosen) | _origin(context, frame_files),
        is_fictional=chosen.is_fictional,
        lineage=_lineage(context),
        elsewhere=releases_by_url.of(workspace),
    )
    pieces.clear(workspace)
    return dg.MaterializeResult(
        metadata={
            "database": dg.MetadataValue.path(str(published.database)),
            "release": published.release.name,
            "release_before": str(published.release_before or "none"),
            "pruned": ", ".join(str(name) for name in published.pruned) or "none",
            **_rollback_ended(published),
            **_url_of(workspace, published),
            publish.SINCE: published.since,
            "bytes": published.database.stat().st_size,
            "is_fictional": chosen.is_fictional,
            "tables": len(published.row_counts),
            "dagster/row_count": sum(published.row_counts.values()),
            "rows": dg.MetadataValue.json(published.row_counts),
        }
    )


def _url_of(workspace: places.Workspace, published: publish.Published) -> dict[str, str]:
    """Where the release is, when the outputs are by URL; `database` is a copy then."""
    return {"url": f"{workspace.releases_url}/{published.release.name}"} if workspace.releases_url else {}


def _rollback_ended(published: publish.Published) -> dict[str, str]:
    """What a publication after a rollback says of it; nothing otherwise."""
    ended = published.ended_rollback
    return {"ends_a_rollback": f"Until now {ended.sentence()}."} if ended else {}


def _lineage(context: dg.AssetExecutionContext) -> dict[str, set[str]]:
    """The publications behind each table, by the graph; a view rests on what its own table does."""
    graph = context.job_def.asset_layer.asset_graph
    found = {}
    for table in catalogue.TABLES:
        if not table.asset or table.asset not in {key.to_python_identifier() for key in graph.get_all_asset_keys()}:
            continue
        before = {key.to_python_identifier() for key in graph.get_ancestor_asset_keys(dg.AssetKey(table.asset))}
        found[table.full_name] = {one for node in before & PUBLICATIONS.keys() for one in PUBLICATIONS[node]}
    return found


def _stored(workspace: places.Workspace, table: Table) -> pd.DataFrame:
    return frames.read(publish.parquet_file(workspace.frames, table.asset), table)


def _origin(context: dg.AssetExecutionContext, frame_files: list[Path]) -> dict[str, str]:
    """What the frames follow from, as the first node of this run told.

    Where some are of another run, as after materialising a part of the graph, nobody can tell: the next night finds news.
    """
    run_id = context.run.run_id
    event = context.instance.get_latest_materialization_event(dg.AssetKey(NEWS))
    told = event.asset_materialization if event and event.run_id == run_id else None
    if told is None or {frames_by_url.run_of(file) for file in frame_files} != {run_id}:
        return dict.fromkeys(news.HASHES, news.SEVERAL_RUNS)
    return {name: str(told.metadata[name].value) for name in news.HASHES}


def _run_facts(run_id: str, chosen: ChosenData) -> dict[str, str]:
    """What `about.run` tells of this run."""
    return {
        "run_id": run_id,
        "published_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "data": chosen.workspace.kind,
        "is_fictional": str(chosen.is_fictional).lower(),
        "country": manifest.read(chosen.workspace.data).name or "England",
        "care_numbers_version": __version__,
        "settings_sha256": settings.load().sha256,
        "own_settings": "; ".join(settings.load().own) or "none",
        "seed": str(settings.load().seed),
        "storage_version": publish.STORAGE_VERSION,
        "duckdb_version": duckdb.__version__,
        "pandas_version": pd.__version__,
        "python_version": platform.python_version(),
        "licence_of_data": "Open Government Licence v3.0",
    }


@dg.asset(group_name=GROUP, deps=[DATABASE], kinds={"html"})
def report(chosen: ChosenData) -> dg.MaterializeResult[None]:
    """The pages that everyone else reads, built from the published database; opens from disk without a network."""
    from pipeline.report import site  # the templates are slow to import, and most commands build no page

    shelves.bring_shown(chosen.workspace)  # the database may have been published from another machine
    built = site.build(chosen.workspace.database, chosen.workspace.report)
    return dg.MaterializeResult(
        metadata={
            "report": dg.MetadataValue.path(str(built.index)),
            "open_it": dg.MetadataValue.md(
                f"[Open the report]({built.index.as_uri()}), or run `care-numbers report --open`"
            ),
            "pages": built.pages,
            "largest_page_bytes": built.largest_page_bytes,
            "bytes": built.bytes,
        }
    )
