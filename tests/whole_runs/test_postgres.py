"""The schedule with PostgreSQL storage: a real server, Dagster's own daemon, and a night that it launches and publishes.

What belongs here: the one way from `dagster.postgres.yaml` to a published database. Needs a server on this machine with the
role that `.ci/postgres.sh` makes; is skipped, and says so, where there is none.

Nobody waits for 03:00: the schedule was switched on two days ago as far as its state tells, so that the daemon finds a
missed night when it starts, and makes up for it once.
"""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import InstigatorStatus, ScheduleInstigatorData

from assets import in_process, nightly
from assets.terminal import naming
from pipeline import night_status, places
from pipeline.places import Workspace
from tests.whole_runs import postgres_server
from tests.whole_runs.postgres_server import HOST, PORT
from tests.whole_runs.running import PROJECT, care_numbers, care_numbers_process, environment_of, rows
from tests.whole_runs.services import Service, program, running

ROLE = "care_numbers_test"
TWO_DAYS = 2 * 24 * 60 * 60  # seconds
WITHIN = 240  # seconds for a whole night on a busy machine; an idle one takes some 40


def _why_not() -> str | None:
    """Why there is no server to test with."""
    if importlib.util.find_spec("dagster_postgres") is None:
        return "the extra care-numbers[postgres] is not installed"
    try:
        socket.create_connection((HOST, PORT), timeout=1).close()
    except OSError as error:
        return f"no PostgreSQL server on port {PORT} of this machine ({error}): start one with .ci/postgres.sh"
    return None


pytestmark = [pytest.mark.whole, pytest.mark.skipif(_why_not() is not None, reason=str(_why_not()))]


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    """The environment that names an empty database of the test's own."""
    with postgres_server.database(ROLE, ROLE) as environment:
        yield environment


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Nothing is there yet, so that everything is news."""
    return places.workspace("demo", str(tmp_path_factory.mktemp("postgres")))


@pytest.fixture(scope="module")
def chosen(server: dict[str, str], workspace: Workspace) -> dict[str, str]:
    """The environment of the server and of the workspace."""
    return server | {places.DATA_VARIABLE: "demo", places.OUT_VARIABLE: str(workspace.out.parent)}


@pytest.fixture(scope="module")
def instance(chosen: dict[str, str], workspace: Workspace) -> Iterator[dg.DagsterInstance]:
    """The storage as the daemon sees it; asking for the status has laid out the Dagster home."""
    workspace.dagster_home.mkdir(parents=True)
    assert care_numbers_process("status", environment=chosen).code == 0
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (chosen | {"DAGSTER_HOME": str(workspace.dagster_home)}).items():
            patch.setenv(name, value)
        with dg.DagsterInstance.get() as found:
            yield found


@pytest.fixture(scope="module")
def switched_on(instance: dg.DagsterInstance, chosen: dict[str, str], workspace: Workspace) -> None:
    """Somebody has switched the schedule on, two days ago."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dagster")), "schedule", "start", nightly.SCHEDULE,
         "--workspace", str(in_process.workspace_file(workspace, naming(workspace)))],
        env=environment_of(chosen) | {"DAGSTER_HOME": str(workspace.dagster_home)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (state,) = instance.all_instigator_state()
    assert state.status == InstigatorStatus.RUNNING
    since = ScheduleInstigatorData(nightly.CRON, start_timestamp=time.time() - TWO_DAYS)
    instance.update_instigator_state(state.with_data(since))


@pytest.fixture(scope="module")
def daemon(switched_on: None, chosen: dict[str, str], workspace: Workspace) -> Iterator[Service]:
    """`care-numbers daemon` in a session of its own, ended afterwards with everything that it started."""
    log = workspace.out / "daemon.log"
    with running(program("care-numbers"), "daemon", cwd=PROJECT, log=log, environment=chosen) as service:
        yield service


def wait_for_the_night(workspace: Workspace, log: Path) -> night_status.Night:
    """The night once it has ended; fails with what the daemon said when it does not."""
    until = time.monotonic() + WITHIN
    while time.monotonic() < until:
        night = night_status.read(workspace.status)
        if night and night.ended:
            return night
        time.sleep(0.2)
    pytest.fail(f"no night within {WITHIN} seconds:\n{log.read_text(encoding='utf-8')[-4000:]}")


def test_the_daemon_makes_up_for_a_missed_night_and_publishes(
    daemon: Service, workspace: Workspace, instance: dg.DagsterInstance
) -> None:
    log = daemon.log
    night = wait_for_the_night(workspace, log)
    assert night.result == night_status.PUBLISHED, night.reason
    told = dict(rows(workspace.database, "SELECT property, value FROM about.run"))
    assert (told["run_id"], told["release"]) == (night.run_id, night.release)
    run = instance.get_run_by_id(night.run_id)
    assert run is not None
    assert (run.job_name, run.tags["dagster/schedule_name"]) == (nightly.NIGHT, nightly.SCHEDULE)


def test_a_missed_night_is_made_up_for_once(
    daemon: Service, workspace: Workspace, instance: dg.DagsterInstance
) -> None:
    """Two were missed."""
    wait_for_the_night(workspace, daemon.log)
    assert len(instance.get_runs()) == 1


def test_runs_and_schedule_are_in_postgresql_and_nowhere_else(
    daemon: Service, server: dict[str, str], workspace: Workspace
) -> None:
    import psycopg2

    night = wait_for_the_night(workspace, daemon.log)
    connection = psycopg2.connect(
        host=HOST, port=PORT, user=ROLE, password=ROLE, dbname=server["CARE_NUMBERS_POSTGRES_DATABASE"]
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT run_id FROM runs")
        assert cursor.fetchall() == [(night.run_id,)]
        cursor.execute("SELECT count(*) FROM event_logs WHERE run_id = %s", (night.run_id,))
        assert cursor.fetchall()[0][0] > 100
        cursor.execute("SELECT count(*) FROM job_ticks")
        assert cursor.fetchall()[0][0] >= 1
    connection.close()
    assert not list(workspace.dagster_home.rglob("*.db"))
    assert ROLE not in (workspace.dagster_home / "dagster.yaml").read_text(encoding="utf-8")


def test_the_status_tells_when_the_next_run_is_due(
    daemon: Service, chosen: dict[str, str], workspace: Workspace
) -> None:
    wait_for_the_night(workspace, daemon.log)
    ended = care_numbers("status", environment=chosen)
    assert ended.code == 0, ended.out
    due = next(line for line in ended.out.splitlines() if line.startswith("Next run"))
    assert "T03:00" in due, due
