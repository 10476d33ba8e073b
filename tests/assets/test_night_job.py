"""The night's job on a finished run: what it ends with, and what it leaves in the status file.

What belongs here: the job in this process, cut down where only one node matters. What does not: the commands, and a night
from beginning to end (`tests/whole_runs/test_night`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from assets import in_process, nightly
from assets.definitions import defs
from assets.raw import NEWS_NODE
from pipeline import database, news, night_status, releases, run_lock, sources
from pipeline.errors import Refusal
from pipeline.night_status import FAILED, HELD_BACK, NO_NEWS, PUBLISHED, Night
from tests.assets.conftest import Copy
from tests.assets.expected_graph import DATABASE, NEWS
from tests.assets.test_blocking import CELLS_NODE, more_children, read_wrongly
from tests.whole_runs.running import environment_of, sha256

pytestmark = pytest.mark.whole

FIRST_NODE = (NEWS, "raw_files", "raw_files_not_used", "raw_superseded_files")


@pytest.fixture(autouse=True)
def own_lock(copy_of_run: Copy, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process holds its folder until it ends, and this one goes on to the next test."""
    monkeypatch.delenv(night_status.WEBHOOK_VARIABLE, raising=False)
    yield
    run_lock.release(copy_of_run.workspace.out)


def run_night(copy: Copy, *assets: str) -> dg.ExecuteInProcessResult:
    """The job as the schedule launches it; of some assets alone where a test is about those."""
    return defs.resolve_job_def(nightly.NIGHT).execute_in_process(
        instance=copy.instance,
        asset_selection=[dg.AssetKey(asset) for asset in assets] or None,
        run_config={"loggers": {"silent": {}}},
        raise_on_error=False,
    )


def made(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}


def status(copy: Copy) -> Night:
    night = night_status.read(copy.workspace.status)
    assert night is not None
    return night


def test_a_night_without_news_ends_at_the_first_node(copy_of_run: Copy) -> None:
    before = sha256(copy_of_run.workspace.database)
    written = copy_of_run.workspace.database.stat().st_mtime_ns
    there = releases.names(copy_of_run.workspace.database)
    result = run_night(copy_of_run)
    assert result.success
    assert made(result) == {NEWS}
    assert result.get_asset_check_evaluations() == []
    (event,) = result.get_asset_materialization_events()
    assert event.materialization.metadata["news"].value.startswith("No news since ")
    night = status(copy_of_run)
    assert (night.result, night.run_id, night.release) == (NO_NEWS, result.run_id, None)
    assert night.reason == event.materialization.metadata["news"].value
    assert (sha256(copy_of_run.workspace.database), there) == (
        before,
        releases.names(copy_of_run.workspace.database),
    )
    assert copy_of_run.workspace.database.stat().st_mtime_ns == written


def test_any_other_run_goes_on_without_news_and_leaves_the_status_of_the_night(copy_of_run: Copy) -> None:
    run_night(copy_of_run)
    before = status(copy_of_run)
    result = copy_of_run.materialise(*FIRST_NODE)
    assert made(result) == set(FIRST_NODE)
    assert status(copy_of_run) == before


def test_after_a_rollback_the_night_holds_back_and_says_so(copy_of_run: Copy) -> None:
    (release,) = releases.names(copy_of_run.workspace.database)
    inputs = news.look(copy_of_run.workspace).origin.inputs_sha256
    marker = releases.Rollback(str(release), str(release), "2030-03-11T08:00:00+00:00", "a wrong file", inputs)
    file = copy_of_run.workspace.releases / "rollback.json"
    file.write_text(json.dumps(marker.__dict__), encoding="utf-8")
    try:
        result = run_night(copy_of_run)
    finally:
        file.unlink()
    assert result.success
    assert made(result) == {NEWS}
    night = status(copy_of_run)
    assert night.result == HELD_BACK
    assert "a wrong file" in night.reason


def test_a_failure_leaves_its_sentence_and_the_database(copy_of_run: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Refusal("bad_file", "marker q is not known", file="rates.csv", row=3, remedy="give its meaning")

    monkeypatch.setattr(news, "code_sha256", lambda: "0" * 64)
    monkeypatch.setattr(sources, "scan", refuse)
    monkeypatch.setenv(night_status.WEBHOOK_VARIABLE, "http://127.0.0.1:1/secret")
    before = sha256(copy_of_run.workspace.database)
    result = run_night(copy_of_run)
    assert not result.success
    night = status(copy_of_run)
    assert (night.result, night.reason) == (FAILED, "rates.csv, row 3: marker q is not known; give its meaning.")
    assert night.told == "not told: the webhook cannot be reached (ConnectionRefusedError)"
    assert sha256(copy_of_run.workspace.database) == before


def test_a_blocking_check_is_named(copy_of_run: Copy, frame_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_wrongly(monkeypatch, more_children)
    result = run_night(copy_of_run, *CELLS_NODE, "care_numbers")
    assert not result.success
    night = status(copy_of_run)
    assert night.result == FAILED
    assert "authorities_sum_to_england_stock" in night.reason


def test_a_fault_of_the_program_is_told_as_one(copy_of_run: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "look", lambda workspace: 1 // 0)
    run_night(copy_of_run)
    night = status(copy_of_run)
    assert night.result == FAILED
    assert "ZeroDivisionError" in night.reason
    assert "\n" not in night.reason


def test_a_publication_is_told_with_its_release(copy_of_run: Copy) -> None:
    result = run_night(copy_of_run, DATABASE)
    assert result.success, status(copy_of_run).reason
    night = status(copy_of_run)
    newest = str(releases.names(copy_of_run.workspace.database)[-1])
    assert (night.result, night.release, night.run_id) == (PUBLISHED, newest, result.run_id)


def test_a_database_of_frames_from_several_runs_is_news(copy_of_run: Copy) -> None:
    """Materialising a part may have read other files or run other code than the rest: nobody can tell any more."""
    copy_of_run.materialise(*FIRST_NODE, DATABASE)
    told = database.run_facts(copy_of_run.workspace.database)
    assert {told[name] for name in news.HASHES} == {news.SEVERAL_RUNS}
    assert "several runs" in news.look(copy_of_run.workspace).sentence


def test_two_runs_at_once(copy_of_run: Copy) -> None:
    """The second is refused at its first node, and the status stays that of the first."""
    before = night_status.read(copy_of_run.workspace.status)
    hold = (
        "import sys; from pathlib import Path; from pipeline import run_lock; run_lock.hold(Path(sys.argv[1]));"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(copy_of_run.workspace.out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout and other.stdout.readline() == "held\n"
        result = run_night(copy_of_run)
        other.kill()
    assert not result.success
    failure = result.failure_data_for_node(NEWS_NODE)
    assert failure is not None and failure.error is not None
    assert "another run is under way" in str(failure.error.to_string())
    assert night_status.read(copy_of_run.workspace.status) == before


def test_the_daemon_s_environment_switches_the_schedule_on_and_sets_its_hour() -> None:
    """In a process of its own: the definitions are made when they are imported."""
    code = "from assets.nightly import nightly; print(nightly.default_status.value, nightly.cron_schedule)"
    told = {in_process.SCHEDULE_VARIABLE: in_process.ON, nightly.CRON_VARIABLE: "30 4 * * 1-5"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment_of(told),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "RUNNING 30 4 * * 1-5\n"
