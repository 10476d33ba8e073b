"""What stops a publication and what does not: blocking checks, the publisher's own look at its inputs, warnings.

Whether a check finds its fault is tested with `pipeline/checks.py`; here a fault is put into the Parquet files of a
finished run, where no reader can see it, and the run goes on from there (codebases.md 6, trap 8).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets import core
from pipeline.errors import Refusal
from tests.assets.conftest import Copy
from tests.assets.expected_graph import ANALYSIS, ASSETS, DATABASE, PUBLISHED
from tests.whole_runs.running import leftovers, sha256

pytestmark = pytest.mark.whole

CELLS = "core_children_looked_after"
CELLS_NODE = {CELLS, f"{CELLS}_totals"}
AFTER_THE_CELLS = {asset for asset, (group, _) in ASSETS.items() if group in (ANALYSIS, PUBLISHED)}


def spoil(file: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change the frame and keep the file's schema."""
    table = pq.read_table(file)
    frame = change(table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get))
    pq.write_table(pa.Table.from_pandas(frame, schema=table.schema, preserve_index=False), file)


def more_in_one_authority(frame: pd.DataFrame, measure: str, release: int, children: int) -> pd.DataFrame:
    """Children added to the first authority that has a number of a measure in a release's own year."""
    own = (frame["measure"] == measure) & (frame["release"] == release) & (frame["year"] == release)
    at = frame.index[own & frame["value"].notna()][0]
    frame.loc[at, "value"] += children
    return frame


def a_number_beside_a_marker(frame: pd.DataFrame) -> pd.DataFrame:
    """A suppressed cell gets a number after all."""
    frame.loc[frame.index[frame["marker"].notna()][0], "value"] = 7
    return frame


def more_children(frame: pd.DataFrame) -> pd.DataFrame:
    return more_in_one_authority(frame, "looked_after", 2025, 100)


def more_starts_in_2014(frame: pd.DataFrame) -> pd.DataFrame:
    """That layout publishes no rates, so only the sums, which warn, can notice."""
    return more_in_one_authority(frame, "started", 2014, 100)


@pytest.mark.parametrize(
    ("change", "check"),
    [(a_number_beside_a_marker, "number_or_marker_never_both"), (more_children, "authorities_sum_to_england_stock")],
)
def test_publishing_alone_looks_at_its_inputs_again(
    copy_of_run: Copy, frame_file: Path, change: Callable[[pd.DataFrame], pd.DataFrame], check: str
) -> None:
    """A blocking check stops only its own run, so yesterday's red check does not stop the publisher by itself."""
    before = sha256(copy_of_run.workspace.database)
    spoil(frame_file, change)
    with pytest.raises(Refusal, match=check) as caught:
        copy_of_run.materialise(DATABASE)
    assert caught.value.code == "check_failed"
    assert sha256(copy_of_run.workspace.database) == before
    assert leftovers(copy_of_run.workspace.out) == []


def read_wrongly(monkeypatch: pytest.MonkeyPatch, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """The reading goes wrong in a way that no reader notices."""
    right = core.looked_after.authorities
    monkeypatch.setattr(core.looked_after, "authorities", lambda tidy: change(right(tidy)))


def test_a_blocking_check_that_fails_stops_what_follows(
    copy_of_run: Copy, frame_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_wrongly(monkeypatch, more_children)
    before = sha256(copy_of_run.workspace.database)
    result = copy_of_run.materialise(*CELLS_NODE, *AFTER_THE_CELLS, raise_on_error=False)
    assert not result.success
    failed = {check.check_name for check in result.get_asset_check_evaluations() if not check.passed}
    assert {"authorities_sum_to_england_stock", "published_rate_is_half_up"} <= failed
    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}
    assert made == CELLS_NODE
    assert sha256(copy_of_run.workspace.database) == before
    assert leftovers(copy_of_run.workspace.out) == []


def test_a_warning_stops_nothing(copy_of_run: Copy, frame_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_wrongly(monkeypatch, more_starts_in_2014)
    before = sha256(copy_of_run.workspace.database)
    result = copy_of_run.materialise(*CELLS_NODE, *AFTER_THE_CELLS)
    assert result.success
    found = {check.check_name: check for check in result.get_asset_check_evaluations() if not check.passed}
    assert "authorities_sum_to_england_flows" in found
    assert {check.severity for check in found.values()} == {dg.AssetCheckSeverity.WARN}
    assert "2014" in (found["authorities_sum_to_england_flows"].description or "")
    assert sha256(copy_of_run.workspace.database) != before
