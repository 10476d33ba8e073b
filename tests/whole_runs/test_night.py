"""The night from the command: news or none, two at once, a full disk, a kill, and what `care-numbers status` says of it.

What belongs here: what an operator and a timer see. What does not: the kinds of news (`tests/pipeline/test_news`) and a
kill in the middle of a publication (`test_publications`).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assets import in_process, night_commands
from pipeline import night_status, places, run_lock
from pipeline.night_status import Night
from pipeline.places import Workspace
from pipeline.tables import catalogue
from tests.whole_runs.running import (
    FinishedRun,
    care_numbers,
    care_numbers_process,
    environment_of,
    leftovers,
    sha256,
    tables_that_differ,
)

pytestmark = pytest.mark.whole

SECONDS_WITHOUT_NEWS = 6
CHANGED = "children_looked_after/2025/cla_number_and_rate_per_10k_children.csv"


@pytest.fixture
def finished(demonstration: FinishedRun, tmp_path: Path) -> Workspace:
    """A finished run to spoil, on a folder of files that a test may change."""
    shutil.copytree(demonstration.out, tmp_path / "out", symlinks=True)
    return places.workspace("demo", str(tmp_path / "out"))


def out_of(workspace: Workspace) -> Path:
    """What `--out` has to be."""
    return workspace.out.parent


def status_of(workspace: Workspace, code: int = 0) -> dict:
    ended = care_numbers("status", "--json", "--data", "demo", "--out", out_of(workspace))
    assert ended.code == code, ended.err
    return json.loads(ended.out)


# ---------------------------------------------------------------------------------------------------------------------
# Without news


def test_a_night_without_news_takes_no_time_and_publishes_nothing(finished: Workspace) -> None:
    """Measured in processor time, which other work on the machine does not lengthen."""
    before, written = sha256(finished.database), finished.database.stat().st_mtime_ns
    there = sorted(path.name for path in finished.releases.iterdir())
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = care_numbers_process("night", "--data", "demo", "--out", out_of(finished))
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("No news since ")
    assert ended.err.splitlines() == ["care-numbers  demonstration country (fictional)"]
    assert (now.ru_utime + now.ru_stime) - (used.ru_utime + used.ru_stime) <= SECONDS_WITHOUT_NEWS
    assert (sha256(finished.database), finished.database.stat().st_mtime_ns) == (before, written)
    assert sorted(path.name for path in finished.releases.iterdir()) == there
    assert status_of(finished)["last_night"]["result"] == night_status.NO_NEWS


def test_as_json_a_night_prints_how_it_ended(finished: Workspace) -> None:
    ended = care_numbers("night", "--json", "--data", "demo", "--out", out_of(finished))
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["result"] == night_status.NO_NEWS


# ---------------------------------------------------------------------------------------------------------------------
# Killed, and the next night


def kill_at(line: str, *arguments: str | Path) -> None:
    """Run the command and kill it, with no chance to clean up, as soon as it has written a line that begins so."""
    program = Path(sys.executable).with_name("care-numbers")
    with subprocess.Popen(
        [program, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment_of(),
    ) as process:
        assert process.stderr
        for written in process.stderr:
            if written.strip().startswith(line):
                break
        else:
            pytest.fail(f"the command ended before {line}")
        os.kill(process.pid, signal.SIGKILL)


def test_a_killed_night_leaves_the_database_and_the_next_one_heals_it(finished: Workspace, tmp_path: Path) -> None:
    """Files that changed are read, the night is killed twice, and the third publishes them."""
    files = tmp_path / "files"
    shutil.copytree(finished.data, files)
    night = ("night", "--data", files, "--out", out_of(finished))
    with (files / CHANGED).open("a", encoding="utf-8", newline="") as file:
        file.write("\r\n" if b"\r\n" in (files / CHANGED).read_bytes() else "\n")  # an empty line changes no figure
    before = shutil.copy(finished.database, tmp_path / "before.duckdb")
    for line in ("raw_files ", "care_numbers "):
        kill_at(line, *night)
        assert sha256(finished.database) == sha256(Path(before))
        told = status_of(finished, code=1)
        assert (told["last_night"]["result"], told["is_running"]) == (night_status.INTERRUPTED, False)
        (finished.frames / f".{line.strip()}.parquet.1.part").write_bytes(b"PAR1 half")
    ended = care_numbers(*night)
    assert ended.code == 0, ended.err
    assert f"1 file is new, changed or gone ({CHANGED})" in ended.err
    told = status_of(finished)
    assert told["last_night"]["result"] == night_status.PUBLISHED
    assert told["last_night"]["release"] == told["publication"]["release"]
    results = {name for name in catalogue.BY_NAME if name.startswith("main.")}  # the others carry the hash of the file
    assert tables_that_differ(Path(before), finished.database, but=frozenset(catalogue.BY_NAME.keys() - results)) == []
    assert leftovers(finished.out) == []
    assert not list(finished.frames.glob(".*"))
    assert care_numbers(*night).out.startswith("No news since ")


# ---------------------------------------------------------------------------------------------------------------------
# What stops a night


@pytest.mark.parametrize("command", ["run", "night"])
def test_two_runs_at_once(finished: Workspace, command: str) -> None:
    before = sha256(finished.database)
    hold = f"import sys; from pathlib import Path; from {run_lock.__name__} import hold; hold(Path(sys.argv[1]));"
    hold += "print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(finished.out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout and first.stdout.readline()
        second = care_numbers(command, "--data", "demo", "--out", out_of(finished))
        first.kill()
    assert second.code == 1
    assert f"another run is under way in this folder (process {first.pid}, since " in second.refusal
    assert sha256(finished.database) == before
    assert not finished.status.exists()


def test_a_full_disk_is_told_in_a_sentence(finished: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(frame: object, table: object, where: Path, stamp: object) -> None:
        Path(where).write_bytes(b"PAR1 half")
        raise OSError(28, "No space left on device", str(where))

    monkeypatch.setattr("assets.parquet_io.frames.write", no_room)
    monkeypatch.setattr("pipeline.news.code_sha256", lambda: "0" * 64)
    before = sha256(finished.database)
    ended = care_numbers("night", "--data", "demo", "--out", out_of(finished))
    assert ended.code == 1
    assert "there is no space left on the disk" in ended.refusal
    assert sha256(finished.database) == before
    assert not list(finished.frames.glob(".*.part"))
    told = status_of(finished, code=1)["last_night"]
    assert (told["result"], "no space left" in told["reason"]) == (night_status.FAILED, True)


def test_a_program_that_does_not_start_is_told_too(finished: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an upgrade, say: no node runs, so no hook of the job can tell."""

    def half_an_upgrade(*_: object, **__: object) -> None:
        raise ImportError("cannot import name 'rates'")

    monkeypatch.setattr(in_process, "_execute", half_an_upgrade)
    monkeypatch.setattr("pipeline.news.code_sha256", lambda: "0" * 64)
    with pytest.raises(ImportError):
        care_numbers("night", "--data", "demo", "--out", out_of(finished))
    assert "ImportError: cannot import name 'rates'" in status_of(finished, code=1)["last_night"]["reason"]


# ---------------------------------------------------------------------------------------------------------------------
# Status


def in_words(workspace: Workspace, code: int = 0) -> str:
    ended = care_numbers("status", "--data", "demo", "--out", out_of(workspace))
    assert ended.code == code, ended.err
    return ended.out


def test_the_status_of_nothing(tmp_path: Path) -> None:
    ended = care_numbers("status", "--data", "demo", "--out", tmp_path / "out")
    assert ended.code == 0
    for told in ("Last night   none yet", "Published    nothing yet", "the schedule of Dagster is off"):
        assert told in ended.out
    assert not (tmp_path / "out").exists()


def test_the_status_of_a_finished_run(finished: Workspace, demonstration: FinishedRun) -> None:
    said = in_words(finished)
    (release,) = (path.name for path in demonstration.workspace.releases.iterdir() if path.name[0].isdigit())
    assert f"Published    {release}, " in said
    assert "children_looked_after: 28 files, newest release 2025, read from a folder" in said


def test_the_age_of_registered_files_is_told(finished: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted from the newest arrival of a publication."""
    arrived = (dt.datetime.now(dt.UTC) - dt.timedelta(days=40, hours=1)).isoformat()
    row = {"publication": "population", "files": 7, "newest_release": 2024, "newest_retrieved": arrived}
    query = night_commands.database.query
    monkeypatch.setattr(
        "assets.night_commands.database.query",
        lambda file, sql: [dict(row)] if "about.sources" in sql else query(file, sql),
    )
    assert "population: 7 files, newest release 2024, registered 40 days ago" in in_words(finished)


@pytest.mark.parametrize(
    ("night", "code", "said"),
    [
        (Night("failed", "1", "2030-03-11T03:00:00+00:00", "2030-03-11T03:01:00+00:00", "rates.csv is cut short."), 1,
         ("failed, the published database is unchanged", "rates.csv is cut short.")),
        (Night("published", "1", "2001-03-11T03:00:00+00:00", "2001-03-11T03:01:00+00:00", "Published.", "2001-03-11-1"),
         0, ("published", "a night has been missed")),
        (Night("running", "1", "2030-03-11T03:00:00+00:00"), 1, ("was interrupted",)),
        (Night("held_back", "1", "2030-03-11T03:00:00+00:00", "2030-03-11T03:00:05+00:00", "Nothing is published."), 0,
         ("held back after a rollback",)),
    ],
    ids=lambda value: value.result if isinstance(value, Night) else None,
)  # fmt: skip
def test_how_the_last_night_ended(finished: Workspace, night: Night, code: int, said: tuple[str, ...]) -> None:
    night_status.write(finished.status, night)
    words = in_words(finished, code)
    for told in said:
        assert told in words
    assert ("missed" in words) == ("missed" in " ".join(said))


def test_a_run_under_way_is_told(finished: Workspace) -> None:
    night_status.begin(finished.status, "1")
    with run_lock.held(finished.out):
        assert "is running" in in_words(finished)
    with contextlib.suppress(FileNotFoundError):
        finished.status.unlink()
    with run_lock.held(finished.out):
        assert status_of(finished)["is_running"]


def test_without_its_package_postgresql_is_refused(finished: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.postgres_storage.importlib.util.find_spec", lambda name: None)
    ended = care_numbers(
        "run", "--data", "demo", "--out", out_of(finished), environment={places.POSTGRES_VARIABLE: "127.0.0.1"}
    )
    assert ended.code == 1
    assert "care-numbers[postgres]" in ended.refusal
