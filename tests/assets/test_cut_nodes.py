"""The nodes that are graphs of pieces, as the launchpad runs them: the frames are the same however they are cut."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pandas as pd
import pytest

from assets import nightly
from assets.definitions import defs
from pipeline import pieces
from tests.assets.conftest import Copy

pytestmark = pytest.mark.whole

SPECIFICATIONS = ["specification_curve", "specification_curve_summary"]
CALIBRATION = ["null_calibration"]
REGRESSIONS = [
    "regression_coefficients",
    "regression_models",
    "regression_influence",
    "univariate_associations",
    "exclusions",
]
CUT = {
    "all_specifications": {"ops": {"specifications_cut": {"config": {"draws_at_most": 400}}}},
    "null_calibration": {"ops": {"calibration_cut": {"config": {"draws_at_most": 300}}}},
    "regressions": {"ops": {"regressions_cut": {"config": {"by_window": True, "draws_at_most": 6000}}}},
}
ASSETS = [*SPECIFICATIONS, *CALIBRATION, *REGRESSIONS]


@pytest.fixture(scope="module")
def ran(copy_of_run: Copy) -> Iterator[tuple[Copy, dict[str, pd.DataFrame], dg.ExecuteInProcessResult]]:
    """The frames of the finished run, and the nodes made again in pieces."""
    frames = {asset: pd.read_parquet(copy_of_run.workspace.frames / f"{asset}.parquet") for asset in ASSETS}
    result = defs.resolve_job_def(nightly.JOB).execute_in_process(
        instance=copy_of_run.instance,
        asset_selection=[dg.AssetKey(asset) for asset in ASSETS],
        run_config={"ops": CUT, "loggers": {"silent": {}}},
    )
    yield copy_of_run, frames, result
    pieces.clear(copy_of_run.workspace)


def steps(result: dg.ExecuteInProcessResult, op: str) -> list[str]:
    return [event.step_key for event in result.all_events if event.is_step_success and f".{op}[" in event.step_key]


def test_they_are_worked_on_in_as_many_pieces_as_asked(
    ran: tuple[Copy, dict[str, pd.DataFrame], dg.ExecuteInProcessResult],
) -> None:
    _, frames, result = ran
    windows = frames["regression_coefficients"]["window_id"].nunique()
    assert len(steps(result, "regressions_piece")) == 2 * windows  # 9,999 draws, 6,000 at a time
    assert len(steps(result, "specifications_piece")) == 9  # three terms; 999 permutations, 400 at a time
    assert len(steps(result, "calibration_piece")) == 4  # 1,000 draws, 300 at a time


@pytest.mark.parametrize("asset", ASSETS)
def test_the_frame_is_the_same(
    ran: tuple[Copy, dict[str, pd.DataFrame], dg.ExecuteInProcessResult], asset: str
) -> None:
    copy, frames, _ = ran
    found = pd.read_parquet(copy.workspace.frames / f"{asset}.parquet")
    pd.testing.assert_frame_equal(found, frames[asset], check_exact=False, rtol=1e-12, atol=0)


def test_pieces_of_a_node_made_alone_stay_until_a_run_begins_or_publishes(
    ran: tuple[Copy, dict[str, pd.DataFrame], dg.ExecuteInProcessResult],
) -> None:
    copy, _, result = ran
    folder = copy.workspace.out / pieces.FOLDER
    assert [found.name for found in folder.iterdir()] == [result.run_id]
    copy.materialise("care_numbers_database")
    assert not folder.exists()
