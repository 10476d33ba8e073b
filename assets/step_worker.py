"""One step of a run, worked on in another process than the run's: of this machine, or of a Dask cluster.

What belongs here: what such a process is sent, what it sends back, and the step itself. What does not: who works on which
step and when (`apart`).

A worker may be killed in the middle of a step, and the step is then begun again, here or elsewhere. That is safe: frames and
pieces are written whole or not at all, one of the same name replaces the other, and the publisher mends what a killed one
left. A step that was finished and whose answer was lost is not worked on twice: its answer is read from the event log.
"""

import os
import threading
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.execution.api import (
    ExecuteRunWithPlanIterable,
    create_execution_plan,
    inner_plan_execution_iterator,
)
from dagster._core.execution.context_creation_job import PlanExecutionContextManager
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._core.execution.retries import RetryMode
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._serdes import ConfigurableClassData
from threadpoolctl import threadpool_limits

from assets.progress import quiet
from pipeline import durable, news, night, places, run_lock, settings
from pipeline.errors import Refusal

# What a worker takes from the environment of the run: where things are, and nothing that is secret.
FORWARDED = (
    places.DATA_VARIABLE,
    places.OUT_VARIABLE,
    places.RAW_VARIABLE,
    night.FETCH_VARIABLE,
    settings.SETTINGS_VARIABLE,
)
_opened: list[tuple[InstanceRef, dg.DagsterInstance]] = []  # of the last run
_NO_OUTPUT = ConfigurableClassData(NoOpComputeLogManager.__module__, NoOpComputeLogManager.__name__, "{}")
_ONE_AT_A_TIME = threading.Lock()  # Dagster and the environment belong to the whole process


@dataclass(frozen=True)
class Order:
    """What a worker is sent. `code` and `settings` are the hashes of the program and the settings of the run.

    With `stops_at_failure` the answer has what stopped the step; without, as in a run of the UI, the hooks of the job are
    told and other steps go on.
    """

    job: ReconstructableJob
    run: dg.DagsterRun
    step_key: str
    known_state: KnownExecutionState
    instance: InstanceRef
    environment: Mapping[str, str]
    code: str
    settings: str
    stops_at_failure: bool


@dataclass(frozen=True)
class Answer:
    """What a worker sends back: the events of the step, and what stopped it, a refusal's fields or the fault in words."""

    events: tuple[dg.DagsterEvent, ...] = ()
    refusal: Mapping[str, Any] | None = None
    fault: str | None = None


def environment() -> dict[str, str]:
    """What to forward from this process; folders are named in full, as a worker may stand elsewhere."""
    told = {name: os.environ[name] for name in FORWARDED if os.environ.get(name)}
    told.setdefault(places.OUT_VARIABLE, str(places.processed_folder()))
    if settings.SETTINGS_VARIABLE in told:
        told[settings.SETTINGS_VARIABLE] = str(Path(told[settings.SETTINGS_VARIABLE]).expanduser().resolve())
    return told | {places.RAW_VARIABLE: places.raw_choice()}


@cache
def own_code() -> str:
    """Hash of the program that this process has loaded."""
    return news.code_sha256()


def work(order: Order) -> Answer:
    """Work on one step, in a thread of its own.

    There Dagster leaves the signals of the process alone: who stops a worker stops it at once. Linear algebra has one
    thread, as there are other workers for the other processors.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_work, order).result()


def _work(order: Order) -> Answer:
    quiet()
    events: list[dg.DagsterEvent] = []
    with _ONE_AT_A_TIME, _as_told(order.environment):
        try:
            _refuse_other_program(order)
            out = places.workspace().out
            instance = _instance(order.instance)
            with run_lock.lent(out), durable.refusing_full_disk(out), threadpool_limits(1, user_api="blas"):
                events.extend(_done_before(instance, order))
                if not events:
                    for event in _events(order, instance):
                        events.append(event)
        except Refusal as refusal:
            return Answer(tuple(events), refusal=refusal.fields())
        except Exception as error:
            return Answer(tuple(events), fault="".join(traceback.format_exception(error)))
    return Answer(tuple(events))


def _refuse_other_program(order: Order) -> None:
    """Raise Refusal where this process could give other figures than that of the run."""
    if own_code() != order.code:
        raise Refusal(
            "worker_of_other_code",
            "a worker runs another version of the program than the run, and could give other figures",
            remedy="install the same version on all machines and restart the workers",
        )
    settings.forget()  # a worker lives longer than a run
    if settings.load().sha256 != order.settings:
        raise Refusal(
            "worker_of_other_settings",
            "a worker reads other settings than the run, and would give other figures",
            remedy=f"have the file that {settings.SETTINGS_VARIABLE} names in the same place on all machines",
        )


def _instance(of: InstanceRef) -> dg.DagsterInstance:
    """The Dagster home of the run, opened once for all its steps: opening it takes longer than many a step.

    Steps print nothing, and to catch what they print Dagster would start four processes for each.
    """
    if _opened and _opened[0][0] != of:
        _opened.pop()[1].dispose()
    if not _opened:
        _opened.append((of, dg.DagsterInstance.from_ref(of._replace(compute_logs_data=_NO_OUTPUT))))
    return _opened[0][1]


def _events(order: Order, instance: dg.DagsterInstance) -> Iterator[dg.DagsterEvent]:
    """The events of the step as they come; then what stopped it is raised, if anything did and the run is to stop too."""
    run_config = order.run.run_config
    plan = create_execution_plan(
        order.job, run_config, step_keys_to_execute=[order.step_key], known_state=order.known_state
    )
    manager = PlanExecutionContextManager(
        job=order.job,
        execution_plan=plan,
        run_config=run_config,
        dagster_run=order.run,
        instance=instance,
        retry_mode=RetryMode.DISABLED,
        raise_on_error=order.stops_at_failure,
    )
    yield from ExecuteRunWithPlanIterable(plan, inner_plan_execution_iterator, manager)


def _done_before(instance: dg.DagsterInstance, order: Order) -> tuple[dg.DagsterEvent, ...]:
    """The events of the step where the log of the run says that it has succeeded, from its last beginning on."""
    finished = instance.all_logs(order.run.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
    if all(record.step_key != order.step_key for record in finished):
        return ()
    own = [
        record.dagster_event
        for record in instance.all_logs(order.run.run_id)
        if record.dagster_event is not None and record.step_key == order.step_key
    ]
    begun = max(place for place, event in enumerate(own) if event.event_type == dg.DagsterEventType.STEP_START)
    return tuple(own[begun:])


@contextmanager
def _as_told(told: Mapping[str, str]) -> Iterator[None]:
    """The environment of the run for a while."""
    before = {name: os.environ.get(name) for name in FORWARDED}
    try:
        for name in FORWARDED:
            _set(name, told.get(name))
        yield
    finally:
        for name, value in before.items():
            _set(name, value)


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
