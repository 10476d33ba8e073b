"""A run whose steps are worked on apart: in other processes, and on a Dask cluster of this machine, with deaths in between.

What belongs here: whole runs by the command, and a real scheduler with real workers. What does not: the choice of where
(`tests/assets/test_where`) and the pieces that heavy nodes are cut into (`tests/assets/test_cut_nodes`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy.exc

from assets import workers
from pipeline import places, run_lock
from pipeline.errors import Refusal
from pipeline.places import Workspace
from tests.fixtures.same_database import differences
from tests.whole_runs.planting import PublishedTable
from tests.whole_runs.running import PROJECT, FinishedRun, care_numbers, leftovers
from tests.whole_runs.services import Service, free_port, program, running

distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.whole

RELEASE_2025 = "children_looked_after/2025/cla_number_and_rate_per_10k_children.csv"
ENDS_WITHIN = 300  # seconds; an idle machine takes a tenth of it
BEGUN, DONE = dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_SUCCESS
A_CELL, A_SUM = "a cell that is no number", "a sum that is not England's"
NUMBER = "children_count"
HEAVY = "regressions.regressions_piece"


@dataclass(frozen=True)
class Cluster:
    """A scheduler, and its workers by name."""

    address: str
    scheduler: Service
    workers: dict[str, Service]


@contextlib.contextmanager
def a_cluster(folder: Path, *names: str) -> Iterator[Cluster]:
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    dask = program("dask")
    only_here = ("--host", "127.0.0.1", "--no-dashboard")
    with contextlib.ExitStack() as stack:
        scheduler = stack.enter_context(
            running(dask, "scheduler", *only_here, "--port", str(port), cwd=folder, log=folder / "scheduler.log")
        )
        found = {}
        for name in names:
            found[name] = stack.enter_context(
                running(
                    *(dask, "worker", address, *only_here, "--no-nanny", "--nthreads", "1", "--memory-limit", "0"),
                    *("--name", name, "--local-directory", str(folder / name)),
                    cwd=PROJECT,
                    log=folder / f"{name}.log",
                )
            )
        yield Cluster(address, scheduler, found)


@contextlib.contextmanager
def a_run(folder: Path, *arguments: str | Path, data: str | Path = "demo") -> Iterator[Service]:
    command = (program("care-numbers"), "run", "--data", data, "--out", folder / "out", *arguments)
    with running(*command, cwd=PROJECT, log=folder / "run.log") as run:
        yield run


def ended(run: Service) -> int:
    return run.process.wait(timeout=ENDS_WITHIN)


def none_is_left(run: Service) -> bool:
    """Whether all its processes are gone, or go within seconds: what minds the others' memory ends after the run itself."""
    end = time.monotonic() + 20
    while run.processes() and time.monotonic() < end:
        time.sleep(0.1)
    return not run.processes()


def last_line(run: Service) -> str:
    return run.said.rstrip("\n").rsplit("\n", 1)[-1]


def workspace(folder: Path) -> Workspace:
    return places.workspace("demo", str(folder / "out"))


def steps_of(folder: Path, event: dg.DagsterEventType) -> Counter[str]:
    """How often each step of the only run in a folder was begun, or done."""
    with dg.DagsterInstance.from_config(str(workspace(folder).dagster_home)) as instance:
        (run,) = instance.get_runs()
        records = instance.all_logs(run.run_id, of_type=event)
    return Counter(record.step_key for record in records if record.step_key)


def progress(said: str) -> set[str]:
    return {line for line in said.split("\n") if line.startswith("  ")}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with a_cluster(tmp_path_factory.mktemp("cluster"), "one", "other") as found:
        yield found


def spawned(run: Service) -> list[int]:
    """The processes that a run has started for its steps."""
    commands = {pid: Path("/proc", str(pid), "cmdline") for pid in run.processes()}
    return [pid for pid, command in commands.items() if command.exists() and b"spawn_main" in command.read_bytes()]


# ---------------------------------------------------------------------------------------------------------------------
# The same database


def test_on_dask_the_database_is_the_same_though_a_worker_dies(
    demonstration: FinishedRun, cluster: Cluster, tmp_path: Path
) -> None:
    with (
        distributed.Client(cluster.address, set_as_default=False) as client,
        a_run(tmp_path, "--executor", "dask", "--dask-address", cluster.address) as run,
    ):
        killed: list[str] = []

        def one_dies_of_a_piece() -> bool:
            """Whether a worker was killed in the middle of one. Not stopped first: it may hold the record of the run."""
            names = {address: told["name"] for address, told in client.scheduler_info()["workers"].items()}
            for address, keys in client.processing().items():
                steps = [HEAVY + str(key).split(HEAVY)[1] for key in keys if HEAVY in str(key)]
                if steps and address in names and is_in_the_middle(tmp_path, steps[0]):
                    cluster.workers[names[address]].process.kill()
                    killed.append(steps[0])
                    return True
            return False

        run.wait_until(one_dies_of_a_piece, ENDS_WITHIN)
        assert ended(run) == 0, run.said
    assert [service.process.poll() for service in cluster.workers.values()].count(None) == 1
    assert steps_of(tmp_path, BEGUN)[killed[0]] == 2
    assert steps_of(tmp_path, DONE)[killed[0]] == 1
    assert differences(demonstration.database, workspace(tmp_path).database) == []
    assert progress(run.said) == progress(demonstration.ended.err)
    assert not (workspace(tmp_path).out / "pieces").exists()


def test_in_processes_the_database_is_the_same_though_one_dies(demonstration: FinishedRun, tmp_path: Path) -> None:
    with a_run(tmp_path, "--executor", "multiprocess") as run:
        run.wait_until(lambda: "  exposures" in run.said, ENDS_WITHIN)
        os.kill(spawned(run)[0], signal.SIGKILL)
        assert ended(run) == 0, run.said
        assert none_is_left(run)
    assert {1, 2} <= set(steps_of(tmp_path, BEGUN).values()) <= {1, 2}
    assert set(steps_of(tmp_path, DONE).values()) == {1}
    assert differences(demonstration.database, workspace(tmp_path).database) == []
    assert progress(run.said) == progress(demonstration.ended.err)
    assert not run_lock.is_held(workspace(tmp_path).out)


# ---------------------------------------------------------------------------------------------------------------------
# What stops it


def is_in_the_middle(folder: Path, step: str) -> bool:
    """Whether a step was begun and is not done; not known, so no, while the record is being written."""
    try:
        return bool(steps_of(folder, BEGUN)[step]) and not steps_of(folder, DONE)[step]
    except sqlalchemy.exc.OperationalError:
        return False


@pytest.fixture(scope="module")
def spoilt(demonstration: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spoilt") / "files"
    shutil.copytree(demonstration.data, folder)
    return folder


@pytest.fixture
def a_fault(request: pytest.FixtureRequest, demonstration: FinishedRun, spoilt: Path) -> Iterator[None]:
    table = PublishedTable(demonstration.data, RELEASE_2025)
    row = table.row_where(
        lambda cells: (
            cells["geographic_level"] == "Local authority"
            and cells["time_period"] == "2025"
            and cells["population_type"].startswith("Children looked after")
            and cells[NUMBER].isdigit()
        )
    )
    number = table.cell(row, NUMBER)
    table.set(row, NUMBER, "q" if request.param == A_CELL else str(int(number) + 700))
    table.write(spoilt)
    yield
    shutil.copyfile(demonstration.data / RELEASE_2025, spoilt / RELEASE_2025)


@pytest.mark.parametrize(("a_fault", "executor"), [(A_CELL, "multiprocess"), (A_SUM, "dask")], indirect=["a_fault"])
def test_a_refusal_and_a_failed_check_are_told_as_in_one_process(
    a_fault: None, spoilt: Path, cluster: Cluster, tmp_path: Path, executor: str
) -> None:
    expected = care_numbers("run", "--data", spoilt, "--out", tmp_path / "here")
    assert expected.code == 1
    address = ("--dask-address", cluster.address) if executor == "dask" else ()
    with a_run(tmp_path, "--executor", executor, *address, data=spoilt) as run:
        assert ended(run) == 1, run.said
    assert last_line(run) == expected.refusal
    assert not workspace(tmp_path).database.exists()


def test_ctrl_c_ends_the_run_and_all_its_processes(tmp_path: Path) -> None:
    with a_run(tmp_path, "--executor", "multiprocess") as run:
        run.wait_until(lambda: "  core_" in run.said, ENDS_WITHIN)
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.process.wait(timeout=30) == 130, run.said
        assert none_is_left(run)
    assert "Traceback" not in run.said
    out = workspace(tmp_path).out
    assert not run_lock.is_held(out)
    assert leftovers(out) == []
    assert not workspace(tmp_path).database.exists()


def test_a_killed_run_takes_its_processes_with_it(tmp_path: Path) -> None:
    with a_run(tmp_path, "--executor", "multiprocess") as run:
        run.wait_until(lambda: "  raw_files" in run.said and spawned(run), ENDS_WITHIN)
        run.process.kill()
        run.process.wait()
        assert none_is_left(run)


# ---------------------------------------------------------------------------------------------------------------------
# A cluster that is not there


def refused(address: str) -> Refusal:
    began = time.monotonic()
    with pytest.raises(Refusal) as found, workers.cluster(address):
        raise AssertionError("somebody is there")
    assert time.monotonic() - began < 30  # some seconds, on a machine that does much else
    return found.value


def test_nobody_at_the_address(tmp_path: Path) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    ended = care_numbers("run", "--data", "demo", "--out", tmp_path, "--executor", "dask", "--dask-address", address)
    assert ended.code == 1
    assert f'value "{address}": the Dask scheduler cannot be reached: nobody answers there' in ended.refusal
    assert "dask_unreachable" in ended.refusal
    assert not run_lock.is_held(tmp_path / "demo")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_CONNECT_SECONDS", 1)
    monkeypatch.setattr(workers, "_ANSWER_SECONDS", 1)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "smtp://127.0.0.1:25", "no such host:8786", ""])
def test_no_address_of_a_scheduler(impatient: None, address: str) -> None:
    assert refused(address).code == "dask_unreachable"


def test_nobody_is_found_out_from_within_an_event_loop_as_well() -> None:
    """As a notebook has one, and a driver of browsers; in a thread, as the tests themselves may be in one."""

    async def ask() -> Refusal:
        return refused(f"tcp://127.0.0.1:{free_port()}")

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, ask()).result().code == "dask_unreachable"


def test_somebody_who_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert refused(f"tcp://127.0.0.1:{silent.getsockname()[1]}").code == "dask_unreachable"


def test_a_scheduler_without_workers(tmp_path: Path, impatient: None) -> None:
    with a_cluster(tmp_path) as empty:
        empty.scheduler.wait_until(lambda: "Scheduler at" in empty.scheduler.said)
        found = refused(empty.address)
    assert found.code == "dask_without_workers"
    assert f"start some with dask worker {empty.address}" in found.remedy


def test_a_scheduler_that_goes_away_during_the_run(tmp_path: Path) -> None:
    with a_cluster(tmp_path, "one") as short:
        with a_run(tmp_path, "--executor", "dask", "--dask-address", short.address) as run:
            run.wait_until(lambda: "  raw_files" in run.said, ENDS_WITHIN)
            short.scheduler.process.kill()
            gone = time.monotonic()
            assert ended(run) == 1, run.said
            assert time.monotonic() - gone < 60
    assert "the Dask scheduler cannot be reached" in last_line(run)
    assert "Traceback" not in run.said
    assert not workspace(tmp_path).database.exists()
