"""Frames by URL: what one machine writes another reads, and never an older one of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import frames_by_url, places
from pipeline.places import Workspace
from pipeline.stores import Store

FRAME = "windows.parquet"


@pytest.fixture
def machines(in_memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Workspace, Workspace]:
    """Two machines that work on the same outputs."""
    found = []
    for name in ("one", "two"):
        monkeypatch.setenv(places.COPIES_VARIABLE, str(tmp_path / name))
        found.append(places.workspace("demo", in_memory))
        found[-1].frames.mkdir(parents=True)
    return found[0], found[1]


def write(workspace: Workspace, value: int, run_id: str) -> Path:
    """A frame of a run, written as the manager of frames does."""
    file = workspace.frames / FRAME
    pq.write_table(pa.table({"value": [value]}).replace_schema_metadata({frames_by_url.RUN: run_id}), file)
    frames_by_url.push(workspace, file)
    return file


def read(workspace: Workspace, run_id: str) -> int:
    file = workspace.frames / FRAME
    frames_by_url.bring(workspace, [file], run_id)
    return pq.read_table(file)["value"][0].as_py()


def test_another_machine_reads_what_one_wrote(machines: tuple[Workspace, Workspace]) -> None:
    one, two = machines
    write(one, 1, "first")
    assert read(two, "first") == 1
    write(one, 2, "second")
    assert read(two, "second") == 2
    write(two, 3, "third")
    assert read(one, "third") == 3


def test_a_frame_of_an_earlier_run_is_fetched_whatever_is_here(machines: tuple[Workspace, Workspace]) -> None:
    """As after materialising a part of the graph: what the store holds counts, and no copy from yesterday."""
    one, two = machines
    write(one, 1, "first")
    write(two, 2, "second")
    assert read(one, "third") == 2


def test_a_run_on_one_machine_downloads_nothing(
    machines: tuple[Workspace, Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: Store, files: Mapping[str, Path] | None = None) -> None:
        raise AssertionError("nothing is to be asked for")

    write(machines[0], 1, "first")
    monkeypatch.setattr(Store, "download", never)
    monkeypatch.setattr(Store, "listed", never)
    assert read(machines[0], "first") == 1


def test_a_frame_that_is_no_longer_there_is_not_taken_from_a_copy(machines: tuple[Workspace, Workspace]) -> None:
    one, _ = machines
    file = write(one, 1, "first")
    store = frames_by_url.stores.of(one.frames_url or "")
    store.delete([FRAME])
    frames_by_url.bring(one, [file], "second")
    assert not file.exists()


def test_a_download_that_fails_leaves_what_was_there(
    machines: tuple[Workspace, Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machines
    write(one, 1, "first")
    read(two, "first")
    write(one, 2, "second")

    def half(self: Store, files: Mapping[str, Path]) -> None:
        for path in files.values():
            path.write_bytes(b"PAR1 half")
        raise ConnectionError("the line went dead")

    monkeypatch.setattr(Store, "download", half)
    with pytest.raises(ConnectionError):
        read(two, "second")
    assert [path.name for path in two.frames.iterdir()] == [FRAME]
    assert pq.read_table(two.frames / FRAME)["value"][0].as_py() == 1


def test_folders_of_this_machine_have_no_store(tmp_path: Path) -> None:
    workspace = places.workspace("demo", str(tmp_path))
    workspace.frames.mkdir(parents=True)
    file = workspace.frames / FRAME
    pq.write_table(pa.table({"value": [1]}), file)
    frames_by_url.push(workspace, file)
    frames_by_url.bring(workspace, [file], "another")
    assert file.exists()
