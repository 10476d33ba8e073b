"""Frames between assets: written in one step, read back in declared types, refused rather than half-written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import dagster as dg
import pandas as pd
import pyarrow.parquet as pq
import pytest

from assets import describe
from assets.chosen_data import ChosenData
from assets.parquet_io import ParquetFrames
from pipeline import places, publish
from pipeline.tables import catalogue
from pipeline.tables.frames import conform

TABLE = catalogue.BY_NAME["about.files_not_used"]
FIRST = pd.DataFrame({"file": ["notes.txt"], "reason": ["not a layout that is read"]})
SECOND = pd.DataFrame({"file": ["notes.txt", "map.csv"], "reason": ["not a layout that is read"] * 2})


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    with mock.patch.dict("os.environ", {places.DATA_VARIABLE: "demo", places.OUT_VARIABLE: str(tmp_path)}):
        yield publish.parquet_file(places.workspace().frames, "given")


def materialise(frame: pd.DataFrame, seen: list[pd.DataFrame] | None = None) -> dg.ExecuteInProcessResult:
    """An asset that gives the frame, and one that takes it."""

    @dg.asset(metadata=describe.table_metadata(TABLE))
    def given() -> pd.DataFrame:
        return frame

    @dg.asset(io_manager_key="nowhere")
    def taken(given: pd.DataFrame) -> None:
        if seen is not None:
            seen.append(given)

    return dg.materialize(
        [given, taken],
        resources={"io_manager": ParquetFrames(chosen=ChosenData()), "nowhere": dg.InMemoryIOManager()},
    )


def test_a_frame_comes_back_as_declared(target: Path) -> None:
    seen: list[pd.DataFrame] = []
    given = conform(SECOND, TABLE)
    result = materialise(given, seen)
    pd.testing.assert_frame_equal(seen[0], given)
    (event,) = (event for event in result.get_asset_materialization_events() if event.asset_key == dg.AssetKey("given"))
    assert event.materialization.metadata["dagster/row_count"].value == 2
    assert [path.name for path in target.parent.iterdir()] == ["given.parquet"]


def test_table_and_columns_carry_their_comments(target: Path) -> None:
    materialise(conform(FIRST, TABLE))
    schema = pq.read_schema(target)
    assert schema.metadata[b"comment"].decode() == TABLE.comment
    assert schema.metadata[b"is_fictional"] == b"false"
    for column in TABLE.columns:
        assert schema.field(column.name).metadata[b"comment"].decode() == column.comment


def test_a_reader_never_sees_a_half_written_file(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file is written beside; while that is going on, the old one is whole. A write that fails leaves nothing."""
    materialise(conform(FIRST, TABLE))
    before = target.read_bytes()
    while_writing: list[bytes] = []

    def runs_out_of_space(frame: object, table: object, where: Path, stamp: object) -> None:
        Path(where).write_bytes(b"PAR1 half")
        while_writing.append(target.read_bytes())
        raise OSError("no space left on device")

    monkeypatch.setattr("assets.parquet_io.frames.write", runs_out_of_space)
    with pytest.raises(OSError, match="no space left"):
        materialise(conform(SECOND, TABLE))
    assert while_writing == [before]
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == ["given.parquet"]
