"""One run at a time in a folder, seen from two processes; a process that dies leaves nothing to clear."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import leftovers, run_lock
from pipeline.errors import Refusal
from pipeline.places import Workspace

HOLD = "import sys; from pathlib import Path; from pipeline import run_lock; run_lock.hold(Path(sys.argv[1]))\n"
HOLD += "print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder until it is stopped."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_run_is_refused_and_told_who_runs(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    assert run_lock.is_held(tmp_path)
    with pytest.raises(Refusal, match=f"another run is under way.*process {other.pid}, since 20") as caught:
        run_lock.hold(tmp_path)
    assert caught.value.code == run_lock.ALREADY_RUNNING


def test_a_killed_run_holds_nothing(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait()
    assert not run_lock.is_held(tmp_path)
    with run_lock.held(tmp_path):
        assert run_lock.is_held(tmp_path)
    assert not run_lock.is_held(tmp_path)


def test_a_process_holds_a_folder_once(tmp_path: Path) -> None:
    """Dagster's run begins within the command's."""
    with run_lock.held(tmp_path):
        run_lock.hold(tmp_path)
        with run_lock.held(tmp_path):
            pass
        assert run_lock.is_held(tmp_path)
        assert f"process {os.getpid()}, since" in (tmp_path / run_lock.FILE).read_text()


def test_another_folder_is_free(tmp_path: Path) -> None:
    with run_lock.held(tmp_path / "real"), run_lock.held(tmp_path / "real" / "demo"):
        assert run_lock.is_held(tmp_path / "real" / "demo")


def test_nobody_holds_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert not run_lock.is_held(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("kind", ["demo", "folder"])
def test_what_a_killed_run_left_half_written_is_cleared(tmp_path: Path, kind: str) -> None:
    """And nothing else: least of all in a folder that belongs to somebody."""
    workspace = Workspace(tmp_path / "published", tmp_path / "out", kind)
    half = [workspace.frames / ".care_numbers.parquet.7.part", workspace.out / ".status.json.7.part"]
    whole = [workspace.frames / "care_numbers.parquet", workspace.status, workspace.data / "a.csv"]
    for file in half + whole:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    building = tmp_path / ".published.7.building"
    building.mkdir()
    leftovers.clear(workspace)
    assert [file.exists() for file in half] == [False, False]
    assert all(file.exists() for file in whole)
    assert building.exists() == (kind == "folder")


def test_a_step_works_for_the_process_that_holds_the_folder(tmp_path: Path) -> None:
    """It takes no lock and gives none back, whoever else asks."""
    with run_lock.lent(tmp_path):
        run_lock.hold(tmp_path)
        with run_lock.held(tmp_path), run_lock.lent(tmp_path):
            assert not (tmp_path / run_lock.FILE).exists()
        assert run_lock.is_held(tmp_path)
    assert not run_lock.is_held(tmp_path)
    with run_lock.held(tmp_path):
        with run_lock.lent(tmp_path):
            assert run_lock.is_held(tmp_path)
        assert run_lock.is_held(tmp_path)  # lending ends, and the lock stays
