"""The graph is the one that is meant: assets, what each is made from, checks, job, schedule, settings.

What the nodes compute is tested with `pipeline`; here nothing runs, but for the validation of the definitions.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

import assets
from assets import describe
from assets.definitions import defs
from pipeline import places
from pipeline.tables import catalogue
from tests.assets.expected_graph import (
    ANALYSIS,
    ASSETS,
    CHECKS,
    CORE,
    DATABASE,
    JOB,
    NEWS,
    NIGHT,
    NOT_IN_THE_DATABASE,
    PUBLISHED,
    RAW,
    REPORT,
    SCHEDULE,
    WHAT_IF,
)

GROUPS_IN_ORDER = [RAW, CORE, ANALYSIS, PUBLISHED]


@pytest.fixture(scope="module")
def graph() -> AssetGraph:
    return defs.resolve_asset_graph()


def names(keys: object) -> set[str]:
    return {key.to_user_string() for key in keys}  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------------------------------------------------
# Assets


def test_the_assets_are_the_expected_ones(graph: AssetGraph) -> None:
    assert names(graph.get_all_asset_keys()) == set(ASSETS)


@pytest.mark.parametrize("asset", ASSETS)
def test_an_asset_is_in_its_group_and_made_from_what_is_expected(graph: AssetGraph, asset: str) -> None:
    group, made_from = ASSETS[asset]
    node = graph.get(dg.AssetKey(asset))
    assert node.group_name == group
    assert names(node.parent_keys) == made_from


def test_the_story_goes_one_way(graph: AssetGraph) -> None:
    """Raw, core, analysis, published: no asset is made from a later group."""
    for asset, (group, made_from) in ASSETS.items():
        for upstream in made_from:
            earlier = GROUPS_IN_ORDER.index(ASSETS[upstream][0])
            assert earlier <= GROUPS_IN_ORDER.index(group), f"{asset} from {upstream}"


def test_a_module_holds_nodes_of_one_group() -> None:
    """A newcomer finds a node by its group, and no module that holds nodes is left out of the graph."""
    held: dict[str, str] = {}
    for found in pkgutil.iter_modules(assets.__path__):
        module = importlib.import_module(f"assets.{found.name}")
        nodes = [thing for thing in vars(module).values() if isinstance(thing, dg.AssetsDefinition)]
        held |= {key.to_user_string(): module.GROUP for node in nodes for key in node.keys}
    assert held == {asset: group for asset, (group, _) in ASSETS.items()}


def test_everything_is_made_from_the_first_node() -> None:
    assert [asset for asset, (_, made_from) in ASSETS.items() if not made_from] == [NEWS]


def test_what_goes_into_the_database_is_every_declared_table() -> None:
    assert ASSETS[DATABASE][1] == {table.asset for table in catalogue.TABLES if table.asset}
    assert not ASSETS[DATABASE][1] & NOT_IN_THE_DATABASE


# ---------------------------------------------------------------------------------------------------------------------
# What an asset says of itself before it runs


@pytest.mark.parametrize("asset", sorted(set(ASSETS) - {DATABASE, NEWS, REPORT}))
def test_a_table_asset_shows_its_declared_columns(graph: AssetGraph, asset: str) -> None:
    metadata = graph.get(dg.AssetKey(asset)).metadata
    table = catalogue.BY_NAME[metadata[describe.TABLE_KEY]]
    schema = metadata["dagster/column_schema"]
    assert [column.name for column in schema.columns] == table.column_names
    assert [column.constraints.nullable for column in schema.columns] == [column.nullable for column in table.columns]
    assert all(column.description for column in schema.columns)


@pytest.mark.parametrize("asset", sorted(ASSETS))
def test_an_asset_has_a_description(graph: AssetGraph, asset: str) -> None:
    assert graph.get(dg.AssetKey(asset)).description


# ---------------------------------------------------------------------------------------------------------------------
# Checks


def test_the_checks_are_the_expected_ones_and_block_where_a_wrong_figure_would_get_out(graph: AssetGraph) -> None:
    found: dict[str, dict[str, bool]] = {}
    for key in graph.asset_check_keys:
        found.setdefault(key.asset_key.to_user_string(), {})[key.name] = graph.get(key).blocking
    assert found == CHECKS
    assert all(len(graph.get(key).description or "") > 40 for key in graph.asset_check_keys)


# ---------------------------------------------------------------------------------------------------------------------
# When and how it runs


@pytest.mark.parametrize("job", [JOB, NIGHT])
def test_the_job_and_the_one_of_the_night_materialise_everything(job: str) -> None:
    named = [job.name for job in defs.resolve_all_job_defs() if not job.name.startswith("__")]
    assert sorted(named) == sorted([JOB, NIGHT, WHAT_IF])
    assert names(defs.resolve_job_def(job).asset_layer.selected_asset_keys) == set(ASSETS)


def test_one_schedule_at_three_in_london_off_by_default() -> None:
    repository = defs.get_repository_def()
    assert [schedule.name for schedule in repository.schedule_defs] == [SCHEDULE]
    assert not repository.sensor_defs
    (schedule,) = repository.schedule_defs
    assert schedule.job_name == NIGHT
    assert schedule.cron_schedule == "0 3 * * *"
    assert schedule.execution_timezone == "Europe/London"
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED


@pytest.mark.parametrize("job", [JOB, NIGHT, WHAT_IF, "__ASSET_JOB"])
def test_runs_are_in_one_process_from_the_ui_too(job: str) -> None:
    """The UI's own Materialise uses the job of all assets; to hand every step to another process takes longer."""
    config = dg.validate_run_config(defs.resolve_job_def(job))
    assert config is not None
    assert list(config["execution"]["here_or_apart"]) == ["in_process"]


def test_the_settings_of_the_instance() -> None:
    settings = yaml.safe_load(places.dagster_yaml().read_text(encoding="utf-8"))
    assert settings["telemetry"]["enabled"] is False
    assert settings["nux"]["enabled"] is False
    assert settings["concurrency"]["runs"]["max_concurrent_runs"] == 1
    assert settings["run_monitoring"] == {"enabled": True, "max_runtime_seconds": 3600}
    assert settings["retention"]["schedule"]["purge_after_days"] > 0
    assert all(days > 0 for days in settings["retention"]["sensor"]["purge_after_days"].values())


def test_dagster_accepts_the_settings(tmp_path: Path) -> None:
    """A name that Dagster does not know would be an error here, and a setting without effect is none of ours."""
    (tmp_path / "dagster.yaml").write_bytes(places.dagster_yaml().read_bytes())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.telemetry_enabled is False
        assert instance.nux_enabled is False
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1


def test_the_settings_with_postgresql_differ_in_the_storage_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = yaml.safe_load(places.dagster_yaml().read_text(encoding="utf-8"))
    monkeypatch.setenv(places.POSTGRES_VARIABLE, "db.example")
    other = yaml.safe_load(places.dagster_yaml().read_text(encoding="utf-8"))
    storage = other.pop("storage")
    assert other == plain
    asked = {name: value for name, value in storage["postgres"]["postgres_db"].items() if name != "scheme"}
    assert all(set(value) == {"env"} for value in asked.values())  # no address and no password in the file
    assert asked["hostname"] == {"env": places.POSTGRES_VARIABLE}


@pytest.mark.whole
def test_dagster_validates_the_definitions(tmp_path: Path) -> None:
    """As a person does it: from the project folder, with nothing but a home."""
    (tmp_path / "dagster.yaml").write_bytes(places.dagster_yaml().read_bytes())
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dagster")), "definitions", "validate"],
        cwd=places.root(),
        env=os.environ | {"DAGSTER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "All code locations passed validation" in done.stderr + done.stdout
