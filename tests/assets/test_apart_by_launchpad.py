"""Steps in other processes as the launchpad runs them: failures are the run's, hooks are told, and other steps go on."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from dagster._core.definitions.reconstruct import ReconstructableRepository

from assets import nightly
from pipeline import night_status, run_lock
from tests.assets.conftest import Copy
from tests.assets.test_blocking import spoil
from tests.whole_runs.running import sha256

pytestmark = pytest.mark.whole

PROCESSES = {"execution": {"config": {"multiprocess": {"processes": 2}}}, "loggers": {"silent": {}}}


def launched(copy: Copy, job: str, *assets: str, raise_on_error: bool = False) -> dg.JobExecutionResult:
    """The job as a run that the UI or the daemon has launched."""
    repository = ReconstructableRepository.for_module("assets.definitions", "defs")
    return dg.execute_job(
        repository.get_reconstructable_job(job),
        instance=copy.instance,
        run_config=PROCESSES,
        asset_selection=[dg.AssetKey(asset) for asset in assets],
        raise_on_error=raise_on_error,
    )


def test_a_node_is_cut_and_made_in_other_processes(copy_of_run: Copy) -> None:
    file = copy_of_run.workspace.frames / "null_calibration.parquet"
    before = pd.read_parquet(file)
    file.unlink()
    result = launched(copy_of_run, nightly.JOB, "null_calibration", "region_trends")
    assert result.success
    assert not run_lock.is_held(copy_of_run.workspace.out)
    pd.testing.assert_frame_equal(pd.read_parquet(file), before, check_exact=False, rtol=1e-12)
    told = [event for event in result.all_events if event.is_step_success]
    assert "null_calibration.calibration_piece[draws_0]" in {event.step_key for event in told}


def test_a_failure_is_told_to_the_hooks_and_does_not_stop_what_does_not_need_it(
    copy_of_run: Copy, frame_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(night_status.WEBHOOK_VARIABLE, raising=False)
    database = sha256(copy_of_run.workspace.database)
    night_status.begin(copy_of_run.workspace.status, "a night")
    spoil(frame_file, _no_year)
    result = launched(copy_of_run, nightly.NIGHT, "null_calibration", "core_area_changes", "care_numbers_database")
    assert not result.success
    ended = {event.step_key: event.event_type for event in result.all_events if event.is_step_failure}
    assert "null_calibration.calibration_cut" in ended
    made = {event.asset_key.to_user_string() for event in result.all_events if event.is_step_materialization}
    assert made == {"core_area_changes"}
    status = night_status.read(copy_of_run.workspace.status)
    assert status is not None
    assert status.result == night_status.FAILED
    assert sha256(copy_of_run.workspace.database) == database


def _no_year(frame: pd.DataFrame) -> pd.DataFrame:
    """The cells of one release alone: there is no window any more."""
    return frame.loc[frame["release"] == -1]
