"""What the tests of the graph share: the finished run on the demonstration country, and a copy of it to work in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import dagster as dg
import pytest

from assets import nightly
from assets.definitions import defs
from pipeline import places
from pipeline.places import Workspace
from tests.whole_runs.running import FinishedRun, finished_demonstration


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    run = finished_demonstration(tmp_path_factory)
    assert run.ended.code == 0, run.ended.err
    return run


@dataclass(frozen=True)
class Copy:
    """A finished run to work in: its folders, and a Dagster instance in which everything has been materialised once."""

    workspace: Workspace
    instance: dg.DagsterInstance

    def materialise(self, *assets: str, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
        """Materialise some assets as the UI does: the job of all assets, cut down to a selection."""
        return defs.resolve_job_def(nightly.JOB).execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey(asset) for asset in assets],
            run_config={"loggers": {"silent": {}}},
            raise_on_error=raise_on_error,
        )


@pytest.fixture(scope="module")
def copy_of_run(demonstration: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """One copy a module; a test that spoils it puts it right again."""
    out = tmp_path_factory.mktemp("copy") / "out"
    shutil.copytree(demonstration.out, out, symlinks=True)
    workspace = places.workspace("demo", str(out))
    environment = {
        places.DATA_VARIABLE: "demo",
        places.OUT_VARIABLE: str(out),
        "DAGSTER_HOME": str(workspace.dagster_home),
    }
    with mock.patch.dict("os.environ", environment), dg.DagsterInstance.get() as instance:
        yield Copy(workspace, instance)


@pytest.fixture
def frame_file(copy_of_run: Copy) -> Iterator[Path]:
    """The Parquet file of the looked-after cells, which the test may spoil; it is put back afterwards."""
    file = copy_of_run.workspace.frames / "core_children_looked_after.parquet"
    content = file.read_bytes()
    yield file
    file.write_bytes(content)
