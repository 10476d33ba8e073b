"""What becomes of a step whose answer is lost, late or of another program: with workers that a test makes up.

What belongs here: orders and answers in this process. What does not: real processes and a real cluster
(`tests/whole_runs/test_apart`).
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from assets import nightly, step_worker, workers
from assets.apart import StepFault
from assets.step_worker import Answer, Order
from pipeline import run_lock, settings
from pipeline.errors import Refusal
from tests.assets.conftest import Copy
from tests.assets.test_apart_by_launchpad import launched

pytestmark = pytest.mark.whole

CALIBRATION = "null_calibration"


class MadeUp:
    """Workers that work on a step at once, as `does` says: None for a step that is lost."""

    def __init__(self, does: Callable[[Order], Answer | None]) -> None:
        self.does, self.orders = does, list[Order]()

    def room(self) -> int:
        return 1

    def hand(self, order: Order) -> Future[Answer | None]:
        self.orders.append(order)
        handed: Future[Answer | None] = Future()
        handed.set_result(self.does(order))
        return handed

    def answer(self, handed: Future[Answer | None]) -> Answer | None:
        return handed.result()

    def look(self) -> None:
        """They are there."""

    def stop(self) -> None:
        """They have nothing to stop."""


Run = Callable[[Callable[[Order], Answer | None]], tuple[MadeUp, dg.JobExecutionResult]]


@pytest.fixture
def run(copy_of_run: Copy, monkeypatch: pytest.MonkeyPatch) -> Run:
    """One node by workers that do as they are told; what stops it is raised."""

    def run_with(does: Callable[[Order], Answer | None]) -> tuple[MadeUp, dg.JobExecutionResult]:
        made_up = MadeUp(does)

        @contextlib.contextmanager
        def of_this_test(wanted: int | None) -> Iterator[MadeUp]:
            yield made_up

        monkeypatch.setattr(workers, "processes", of_this_test)
        return made_up, launched(copy_of_run, nightly.JOB, CALIBRATION, raise_on_error=True)

    return run_with


def begun(copy: Copy, result: dg.JobExecutionResult) -> Counter[str]:
    records = copy.instance.all_logs(result.run_id, of_type=dg.DagsterEventType.STEP_START)
    return Counter(record.step_key for record in records if record.step_key)


def test_a_step_that_had_ended_is_not_worked_on_again_when_its_answer_is_lost(copy_of_run: Copy, run: Run) -> None:
    def twice(order: Order) -> Answer:
        first, second = step_worker.work(order), step_worker.work(order)
        told = [event.event_type for event in first.events if event.step_key == order.step_key]
        again = [event.event_type for event in second.events]
        assert again == told[told.index(dg.DagsterEventType.STEP_START) :]
        return second

    _, result = run(twice)
    assert result.success
    assert set(begun(copy_of_run, result).values()) == {1}


def test_a_step_that_was_begun_and_not_ended_begins_again(copy_of_run: Copy, run: Run) -> None:
    lost: list[str] = []

    def loses_the_first(order: Order) -> Answer | None:
        if order.step_key.endswith("calibration_together") and not lost:
            lost.append(order.step_key)
            return None
        return step_worker.work(order)

    found, result = run(loses_the_first)
    assert result.success
    assert [order.step_key for order in found.orders].count(lost[0]) == 2


def test_a_step_that_every_worker_dies_of_ends_the_run(run: Run) -> None:
    asked: list[str] = []

    def dies(order: Order) -> None:
        asked.append(order.step_key)

    with pytest.raises(Refusal, match="3 processes died that worked on it") as refused:
        run(dies)
    assert refused.value.code == "step_lost"
    assert asked == ["null_calibration.calibration_cut"] * workers.ATTEMPTS


@pytest.mark.parametrize(
    ("other", "code"),
    [({"code": "of another day"}, "worker_of_other_code"), ({"settings": "others"}, "worker_of_other_settings")],
)
def test_a_worker_of_another_program_or_other_settings_is_refused(run: Run, other: dict[str, str], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        run(lambda order: step_worker.work(replace(order, **other)))
    assert refused.value.code == code


def test_a_fault_of_the_program_keeps_where_it_was(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline import null_calibration

    def wrong(*_: Any) -> None:
        raise ZeroDivisionError("a number by none")

    monkeypatch.setattr(null_calibration, "work", wrong)
    with pytest.raises(StepFault, match="ZeroDivisionError: a number by none") as failed:
        run(step_worker.work)
    assert "in wrong" in "".join(failed.value.__notes__)


def test_a_step_holds_no_lock_and_leaves_the_environment_as_it_was(
    copy_of_run: Copy, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = copy_of_run.workspace.out

    def looks(order: Order) -> Answer:
        monkeypatch.setenv(settings.SETTINGS_VARIABLE, "")
        answer = step_worker.work(order)
        assert not run_lock.is_held(out)
        return answer

    assert run(looks)[1].success


# ---------------------------------------------------------------------------------------------------------------------
# A cluster that changes during the run


def cluster(told: Callable[[], dict[str, Any]]) -> workers.Cluster:
    """A cluster whose scheduler answers as told when it is asked for its workers."""
    client = SimpleNamespace(sync=lambda *_, **__: told(), scheduler=SimpleNamespace(identity=None))
    return workers.Cluster(client, "tcp://one:8786")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_CONNECT_SECONDS", 0)
    monkeypatch.setattr(workers, "_PATIENCE_SECONDS", 0.05)


def test_there_is_room_for_as_many_steps_as_there_are_workers(impatient: None) -> None:
    there = {"one": {}, "other": {}}
    found = cluster(lambda: {"workers": there})
    found.look()
    assert found.room() == 2
    there.pop("one")
    found.look()
    assert found.room() == 1


def test_workers_that_come_back_in_time_are_waited_for_and_others_are_not(impatient: None) -> None:
    there: dict[str, Any] = {}
    found = cluster(lambda: {"workers": there})
    found.look()
    assert found.room() == 0
    there["one"] = {}
    time.sleep(0.06)
    found.look()
    there.clear()
    found.look()
    time.sleep(0.06)
    with pytest.raises(Refusal) as refused:
        found.look()
    assert refused.value.code == "dask_without_workers"


@pytest.mark.parametrize("error", [OSError("no route"), TimeoutError(), RuntimeError("closed")])
def test_a_scheduler_that_hangs_ends_the_run(impatient: None, error: Exception) -> None:
    def raises() -> dict[str, Any]:
        raise error

    with pytest.raises(Refusal, match="it does not answer any more") as refused:
        cluster(raises).look()
    assert refused.value.code == "dask_unreachable"


def test_a_step_that_killed_its_workers_on_dask_is_lost() -> None:
    distributed = pytest.importorskip("distributed")

    def result(timeout: float) -> Answer:
        raise distributed.KilledWorker("step", SimpleNamespace(address="tcp://one:1"), 3)

    with pytest.raises(workers.Lost, match="tcp://one:1"):
        cluster(lambda: {}).answer(SimpleNamespace(status="error", result=result))
    with pytest.raises(Refusal, match="it has gone away during the run"):
        cluster(lambda: {}).answer(SimpleNamespace(status="cancelled"))
