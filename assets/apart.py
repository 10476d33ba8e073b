"""A run whose steps are worked on apart from it: which step is next, who works on it, and what becomes of the answer.

What belongs here: the executor for other processes and for Dask, which differ in their workers alone (`workers`), and
running a job with it. What does not: a step (`step_worker`), and the run in one process, which is Dagster's own.

The process of the run holds the lock of the outputs for all its workers. When it stops at a failure or at Ctrl-C, steps that
are being worked on come to their end first, or are cut off where that is possible; it never lets go of the folder before.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.api import ExecuteRunWithPlanIterable, create_execution_plan, job_execution_iterator
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.context_creation_job import (
    PlanOrchestrationContextManager,
    orchestration_context_event_generator,
)
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.step import ExecutionStep
from dagster._core.execution.retries import RetryMode
from dagster._utils.error import SerializableErrorInfo

from assets import step_worker
from assets.raw import NEWS_NODE
from assets.step_worker import Answer, Order
from assets.workers import ATTEMPTS, Handed, Lost, Workers
from pipeline import places, run_lock, settings
from pipeline.errors import Refusal

_MODULE, _DEFINITIONS = "assets.definitions", "defs"
_PAUSE = 0.02  # seconds between two looks at what is done
_LAST_STEPS = 120  # seconds that steps have to come to an end, once the run stops


class StepFault(dg.DagsterError):
    """A fault of the program in a step that was worked on elsewhere: its last line, and as a note the traceback there."""

    def __init__(self, traceback: str) -> None:
        super().__init__(traceback.strip().rsplit("\n", 1)[-1])
        self.add_note(traceback)


class Apart(dg.Executor):
    """Works on the steps of a run with the workers that it is given."""

    def __init__(self, workers: Callable[[], AbstractContextManager[Workers]]) -> None:
        self._workers = workers

    @property
    def retries(self) -> RetryMode:
        """Of Dagster's there are none: a lost step is begun again, and a refused one would be refused again."""
        return RetryMode.DISABLED

    def execute(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[Any]:
        """Hand over every step whose inputs are there, until all are done. Yields their events."""
        with ExitStack() as stack:
            if NEWS_NODE in execution_plan.step_keys_to_execute:
                stack.enter_context(run_lock.held(places.workspace().out))
            workers = stack.enter_context(self._workers())
            active = stack.enter_context(ActiveExecution(execution_plan, retry_mode=self.retries))
            yield from _Work(self, plan_context, active, workers).until_done()


class _Work:
    """The steps that are being worked on, and those that are next."""

    def __init__(
        self, executor: Apart, context: PlanOrchestrationContext, active: ActiveExecution, workers: Workers
    ) -> None:
        self._executor, self._context, self._active, self._workers = executor, context, active, workers
        self._code, self._environment = step_worker.own_code(), step_worker.environment()
        self._handed: dict[str, tuple[Handed, ExecutionStep, int]] = {}

    def until_done(self) -> Iterator[dg.DagsterEvent]:
        """Until every step is done, or those that are being worked on when something stops the run; then that is raised."""
        stopped_by: BaseException | None = None
        until = 0.0
        while self._handed or not stopped_by:
            if self._active.check_for_interrupts():
                if isinstance(stopped_by, DagsterExecutionInterruptedError):
                    break  # somebody has no patience for the last steps
                stopped_by = DagsterExecutionInterruptedError()
                self._active.mark_interrupted()
                self._workers.stop()
            if not stopped_by:
                until = time.monotonic() + _LAST_STEPS
                self._hand_over_next()
                yield from self._active.plan_events_iterator(self._context)
                if self._active.is_complete and not self._handed:
                    return
            elif time.monotonic() > until:
                break
            self._workers.look()
            for step, attempt, answer in self._answers():
                if answer is not None:
                    yield from self._told(step, answer)
                    stopped_by = stopped_by or self._stopped(answer)
                elif not stopped_by:
                    yield from self._begin_again(step, attempt)
            time.sleep(_PAUSE)
        raise stopped_by or DagsterExecutionInterruptedError()

    def _hand_over_next(self) -> None:
        room = self._workers.room() - len(self._handed)
        for step in self._active.get_steps_to_execute(limit=max(0, room)):
            self._hand_over(step, 1)

    def _hand_over(self, step: ExecutionStep, attempt: int) -> None:
        order = Order(
            job=self._context.reconstructable_job,
            run=self._context.dagster_run,
            step_key=step.key,
            known_state=self._active.get_known_state(),
            instance=self._context.instance.get_ref(),
            environment=self._environment,
            code=self._code,
            settings=settings.load().sha256,
            stops_at_failure=bool(self._context.raise_on_error),
        )
        self._handed[step.key] = (self._workers.hand(order), step, attempt)

    def _answers(self) -> Iterator[tuple[ExecutionStep, int, Answer | None]]:
        """What has come back, with the number of the attempt; None for a step that was lost with its worker."""
        for key in [key for key, (handed, _, _) in self._handed.items() if handed.done()]:
            handed, step, attempt = self._handed.pop(key)
            try:
                yield step, attempt, self._workers.answer(handed)
            except Lost as error:
                yield step, attempt, _of_lost(step, str(error))

    def _begin_again(self, step: ExecutionStep, attempt: int) -> Iterator[dg.DagsterEvent]:
        """Hand a lost step over again, but for one that seems to be what its workers die of."""
        if attempt == ATTEMPTS:
            answer = _of_lost(step, f"{ATTEMPTS} processes died that worked on it")
            yield from self._told(step, answer)
            if stopped := self._stopped(answer):
                raise stopped
            return
        self._context.log.warning(f"A process died while {step.key} was worked on; it begins again.")
        self._hand_over(step, attempt + 1)

    def _stopped(self, answer: Answer) -> Refusal | StepFault | None:
        """What ends the run after this answer; None when it goes on."""
        if not self._context.raise_on_error:
            return None
        if answer.refusal:
            return Refusal(**answer.refusal)
        return StepFault(answer.fault) if answer.fault else None

    def _told(self, step: ExecutionStep, answer: Answer) -> Iterator[dg.DagsterEvent]:
        """Its events; where there is none of its end, one that says so."""
        for event in answer.events:
            yield event
            if event.step_key == step.key and not event.is_step_skipped:
                self._active.handle_event(event)
        if not any(event.is_step_success or event.is_step_failure for event in answer.events):
            told = answer.refusal["problem"] if answer.refusal else answer.fault or "it ended without a word"
            failure = self._executor.log_failure_or_retry_event_after_error(
                self._context.for_step(step), SerializableErrorInfo(told, [], None), self._active.get_known_state()
            )
            yield failure
            self._active.handle_event(failure)
        self._active.verify_complete(self._context, step.key)


def _of_lost(step: ExecutionStep, why: str) -> Answer:
    refusal = Refusal(
        "step_lost",
        f"the step {step.key} could not be worked on: {why}",
        remedy="see that the workers have memory enough and are not stopped by somebody, and run again",
    )
    return Answer(refusal=refusal.fields())


def execute(
    job: str,
    instance: dg.DagsterInstance,
    run_id: str,
    run_config: dict[str, Any],
    tell: Callable[[dg.DagsterEvent], None],
) -> None:
    """Run a job with the executor of its configuration; `tell` hears every event. Raises what stopped it."""
    repository = ReconstructableRepository.for_module(_MODULE, _DEFINITIONS)
    load_data = repository.get_definition().repository_load_data
    reconstructable = repository.get_reconstructable_job(job).with_repository_load_data(load_data)
    definition = reconstructable.get_definition()
    plan = create_execution_plan(reconstructable, run_config)
    run = instance.create_run_for_job(
        job_def=definition,
        execution_plan=plan,
        run_id=run_id,
        run_config=run_config,
        tags=definition.run_tags,
        job_code_origin=reconstructable.get_python_origin(),
        repository_load_data=load_data,
    )
    manager = PlanOrchestrationContextManager(
        context_event_generator=orchestration_context_event_generator,
        job=reconstructable,
        execution_plan=plan,
        dagster_run=run,
        instance=instance,
        run_config=run_config,
        raise_on_error=True,
    )
    for event in ExecuteRunWithPlanIterable(plan, job_execution_iterator, manager):
        tell(event)
