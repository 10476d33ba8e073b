"""What a run leaves in the event log, and that every node can be materialised by itself, as a person does in the UI.

What the figures are is tested with `pipeline`. Everything here works on a copy of the one finished run.
"""

from __future__ import annotations

import re

import dagster as dg
import pytest

from assets.definitions import defs
from pipeline import publish
from tests.assets.conftest import Copy
from tests.assets.expected_graph import ASSETS, CHECKS, DATABASE, NEWS, REPORT
from tests.whole_runs.running import FinishedRun, rows, tables_that_differ

pytestmark = pytest.mark.whole


def _nodes() -> list[tuple[str, ...]]:
    """The assets of each node: some nodes make several tables, and those are always made together."""
    nodes = {}
    for definition in defs.resolve_asset_graph().assets_defs:
        if definition.keys:
            nodes[definition.node_def.name] = tuple(sorted(key.to_user_string() for key in definition.keys))
    return sorted(nodes.values())


NODES = _nodes()


@pytest.fixture(scope="module")
def log(copy_of_run: Copy) -> list[dg.EventLogEntry]:
    """The events of the finished run, which is the oldest of the instance."""
    return copy_of_run.instance.all_logs(copy_of_run.instance.get_runs()[-1].run_id)


def test_the_nodes_make_all_assets() -> None:
    assert sorted(asset for node in NODES for asset in node) == sorted(ASSETS)


def test_a_run_materialises_every_asset_once(log: list[dg.EventLogEntry]) -> None:
    made = [str(event.asset_materialization.asset_key.to_user_string()) for event in log if event.asset_materialization]
    assert sorted(made) == sorted(ASSETS)


def test_a_run_evaluates_every_check(log: list[dg.EventLogEntry]) -> None:
    evaluated = {
        (check.asset_key.to_user_string(), check.check_name): check.passed
        for check in (event.asset_check_evaluation for event in log)
        if check
    }
    assert set(evaluated) == {(asset, check) for asset, own in CHECKS.items() for check in own}
    assert all(evaluated.values())


def test_every_asset_says_how_many_rows_it_has(log: list[dg.EventLogEntry], demonstration: FinishedRun) -> None:
    """The rows that the UI shows are those of the database."""
    told = {
        event.asset_materialization.asset_key.to_user_string(): event.asset_materialization.metadata
        for event in log
        if event.asset_materialization
    }
    stored = dict(rows(demonstration.database, "SELECT schema_name || '.' || table_name, row_count FROM about.tables"))
    of_database = told.pop(DATABASE)
    assert of_database["dagster/row_count"].value == sum(stored.values())
    assert of_database["rows"].value == stored
    graph = defs.resolve_asset_graph()
    for asset in ASSETS[DATABASE][1]:
        table = graph.get(dg.AssetKey(asset)).metadata["care_numbers/table"]
        assert told[asset]["dagster/row_count"].value == stored[table], asset


def test_the_primary_window_is_told_at_a_glance(log: list[dg.EventLogEntry], demonstration: FinishedRun) -> None:
    (metadata,) = (
        event.asset_materialization.metadata
        for event in log
        if event.asset_materialization and event.asset_materialization.asset_key == dg.AssetKey("five_year_change")
    )
    ((start, end, change, units, down, up, bucking),) = rows(
        demonstration.database,
        "SELECT window_start, window_end, england_change_pct, units, units_down, units_up, units_bucking"
        " FROM main.windows WHERE role = 'primary'",
    )
    assert metadata["primary_window"].value == f"{start} to {end}"
    assert metadata["england_change_pct"].value == pytest.approx(change, abs=0.005)
    shown = [metadata[name].value for name in ("units", "units_down", "units_up", "units_bucking")]
    assert shown == [units, down, up, bucking]


def test_a_raw_asset_has_the_version_of_its_files(log: list[dg.EventLogEntry]) -> None:
    """A hash of hashes, so that other files are another version; a publication without files has that of nothing."""
    made = [event.asset_materialization for event in log if event.asset_materialization]
    versions = {
        found.asset_key.to_user_string(): found.tags["dagster/data_version"]
        for found in made
        if found.asset_key.path[-1].startswith("raw_") and found.metadata["dagster/row_count"].value
    }
    assert {"raw_files", "raw_children_looked_after", "raw_population"} <= set(versions)
    assert all(re.fullmatch("[0-9a-f]{64}", version) for version in versions.values()), versions
    assert len(set(versions.values())) == len(versions)


@pytest.mark.parametrize("node", NODES, ids=" and ".join)
def test_a_node_materialises_alone(copy_of_run: Copy, node: tuple[str, ...]) -> None:
    """After a full run each node finds what it needs, runs its own checks, and leaves the others alone."""
    if DATABASE not in node:
        others = {
            asset: publish.parquet_file(copy_of_run.workspace.frames, asset).stat().st_mtime_ns
            for asset in set(ASSETS) - set(node) - {DATABASE, NEWS, REPORT}
        }
    result = copy_of_run.materialise(*node)
    assert result.success
    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}
    assert made == set(node)
    evaluated = {(check.asset_key.to_user_string(), check.check_name) for check in result.get_asset_check_evaluations()}
    assert evaluated == {(asset, check) for asset in node for check in CHECKS.get(asset, {})}
    if DATABASE not in node:
        for asset, written in others.items():
            assert publish.parquet_file(copy_of_run.workspace.frames, asset).stat().st_mtime_ns == written, asset


def test_the_database_made_node_by_node_says_the_same(copy_of_run: Copy, demonstration: FinishedRun) -> None:
    copy_of_run.materialise(DATABASE)
    assert tables_that_differ(demonstration.database, copy_of_run.workspace.database) == []
