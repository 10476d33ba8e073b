"""The processes that work on the steps of a run: some of this machine, or the workers of a Dask cluster.

What belongs here: starting or reaching them, handing a step over, and telling whether it was lost with its worker. What does
not: which step is next (`apart`) and the step itself (`step_worker`).

A worker that dies costs its step a new beginning. Dask sees to that by itself, three times for one step; here the processes
are started anew.
"""

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from typing import Any, Protocol

from assets import where
from assets.step_worker import Answer, Order, work
from pipeline.errors import Refusal

ATTEMPTS = 3  # times that a step is begun whose worker dies
_CONNECT_SECONDS, _ANSWER_SECONDS, _PATIENCE_SECONDS = 5, 10, 30


class Lost(Exception):
    """A step that was lost with its worker, for good."""


class Handed(Protocol):
    """A step that somebody works on: a future of Python or of Dask."""

    def done(self) -> bool:
        """Whether there is an answer, or none to be expected."""


class Workers(Protocol):
    """Who works on steps. Everything here may raise a Refusal when nobody can."""

    def room(self) -> int:
        """How many steps can be worked on at a time."""

    def hand(self, order: Order) -> Handed:
        """Give a step to a worker."""

    def answer(self, handed: Handed) -> Answer | None:
        """What came of a step that is done; None when it was lost and is to be handed over again. Raises Lost."""

    def look(self) -> None:
        """See whether the workers are still there."""

    def stop(self) -> None:
        """Stop at once what can be stopped; a step that is cut off leaves nothing half-written under its name."""


# ---------------------------------------------------------------------------------------------------------------------
# Processes of this machine


class Processes:
    """Processes of this machine that live as long as the run and import the program once."""

    def __init__(self, wanted: int | None) -> None:
        self._room = wanted or os.cpu_count() or 1
        self._pool = self._begun()

    def _begun(self) -> ProcessPoolExecutor:
        # As many processes as processors: more threads of the linear algebra would only stand in each other's way.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        return ProcessPoolExecutor(
            self._room, mp_context=multiprocessing.get_context("spawn"), initializer=_for_this_run_alone
        )

    def room(self) -> int:
        """One step a process."""
        return self._room

    def hand(self, order: Order) -> Handed:
        """Give it to the next process that is free; where the death of one has ended all, to new ones."""
        with _deaf_to_ctrl_c():
            try:
                return self._pool.submit(work, order)
            except BrokenProcessPool:
                self._pool = self._begun()
                return self._pool.submit(work, order)

    def answer(self, handed: Handed) -> Answer | None:
        """When one process dies, what all of them are working on is lost, and nobody knows which one it was."""
        assert isinstance(handed, Future)
        try:
            answer: Answer = handed.result()
            return answer
        except (BrokenProcessPool, CancelledError):
            return None

    def look(self) -> None:
        """Their death shows in what they were given."""

    def stop(self) -> None:
        """End them."""
        for process in list((self._pool._processes or {}).values()):
            process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let processes begin that leave Ctrl-C to the run from their first instruction; here it comes a moment later."""
    resource_tracker.ensure_running()  # begun later, it would end the blocking of the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _for_this_run_alone() -> None:
    """In a new process: end with the run however it ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: Any) -> None:
    wait([sentinel])
    os._exit(1)


@contextlib.contextmanager
def processes(wanted: int | None) -> Iterator[Workers]:
    """So many processes, or one for each processor, for a while."""
    found = Processes(wanted)
    try:
        yield found
    finally:
        found.stop()


# ---------------------------------------------------------------------------------------------------------------------
# A Dask cluster


class Cluster:
    """The workers of a Dask cluster. They work on one step at a time, however many threads they have."""

    def __init__(self, client: Any, address: str) -> None:
        self._client, self._address = client, address
        self._looked = self._seen = time.monotonic()
        self._room = 1

    def room(self) -> int:
        """One step a worker that is there."""
        return self._room

    def hand(self, order: Order) -> Handed:
        """Give it to the scheduler."""
        handed: Handed = self._client.submit(
            work, order, key=f"{order.run.run_id}-{order.step_key}", pure=False, priority=0
        )
        return handed

    def answer(self, handed: Any) -> Answer | None:
        """A step that was given to several workers which all died is lost; a cancelled one has lost its scheduler."""
        from distributed import KilledWorker

        if handed.status in ("cancelled", "lost"):
            raise _unreachable(self._address, "it has gone away during the run")
        try:
            answer: Answer = handed.result(timeout=_ANSWER_SECONDS)
        except KilledWorker as error:
            raise Lost(f"all workers died that worked on it, the last one {error.last_worker.address}") from error
        except (TimeoutError, OSError, CancelledError) as error:
            raise _unreachable(self._address, "it does not hand over what its workers have done") from error
        handed.release()
        return answer

    def look(self) -> None:
        """Ask the scheduler for its workers every few seconds. Raises Refusal when it does not answer or has none left."""
        now = time.monotonic()
        if now - self._looked < _CONNECT_SECONDS:
            return
        self._looked = now
        self._count()
        if self._room:
            self._seen = now
        elif now - self._seen > _PATIENCE_SECONDS:
            raise _without_workers(self._address)

    def begin(self) -> None:
        """Wait for a first worker."""
        try:
            self._client.wait_for_workers(1, timeout=_ANSWER_SECONDS)
        except TimeoutError as error:
            raise _without_workers(self._address) from error
        self._count()

    def _count(self) -> None:
        try:
            told = self._client.sync(self._client.scheduler.identity, callback_timeout=_ANSWER_SECONDS)
        except (OSError, TimeoutError, RuntimeError) as error:
            raise _unreachable(self._address, "it does not answer any more") from error
        self._room = len(told["workers"])

    def stop(self) -> None:
        """Nothing: Dask cannot stop what a worker has begun, and has not been given more than its workers work on."""


def _unreachable(address: str, why: str) -> Refusal:
    return Refusal(
        "dask_unreachable",
        f"the Dask scheduler cannot be reached: {why}",
        value=address,
        remedy="see that it runs and that the address and the network are right, and run again",
    )


def _without_workers(address: str) -> Refusal:
    return Refusal(
        "dask_without_workers",
        "the Dask cluster has no worker",
        value=address,
        remedy=f"start some with dask worker {address} --nthreads 1, and run again",
    )


def _refuse_nobody(address: str) -> None:
    """Raise Refusal where no Dask answers. A client that finds it out by itself is left half-made, and may hang later."""
    from distributed.comm import connect, parse_address, parse_host_port
    from distributed.comm.registry import get_backend

    async def ask() -> None:
        answering = await connect(address, timeout=_CONNECT_SECONDS)
        await answering.close()

    try:
        scheme, place = parse_address(address)
        get_backend(scheme)
        parse_host_port(place)
    except (ValueError, ImportError) as error:
        raise _unreachable(address, f"that is no address of one ({error})") from error
    # Dask itself waits for ever for the first word. In a thread of its own: whoever calls may be in an event loop already.
    with ThreadPoolExecutor(1) as thread:
        try:
            thread.submit(asyncio.run, asyncio.wait_for(ask(), _CONNECT_SECONDS + 1)).result()
        except (OSError, TimeoutError) as error:
            raise _unreachable(address, "nobody answers there") from error


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[Workers]:
    """The cluster at an address; without one, a cluster of this machine's processors for a while."""
    where.refuse_without_dask()
    import dask
    from distributed import Client, LocalCluster

    for name in [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what a person has to know is in the refusals
    patience = {"distributed.comm.timeouts.connect": f"{_CONNECT_SECONDS}s"}
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(patience))
        if address is None:
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
            own = LocalCluster(
                n_workers=os.cpu_count(), threads_per_worker=1, host="127.0.0.1", dashboard_address=None, memory_limit=0
            )
            stack.enter_context(own)
            address = str(own.scheduler_address)
        _refuse_nobody(address)
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False, name="care-numbers")
        stack.callback(client.close, timeout=_CONNECT_SECONDS)
        found = Cluster(client, address)
        found.begin()
        yield found
