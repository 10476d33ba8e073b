"""Where the steps of a run are worked on: in one process, in several of this machine, or on a Dask cluster.

What belongs here: the choice, from the command, the environment or the configuration of a run, and what a person has to be
told of it. What does not: the executors (`executors`) and everything that needs Dagster, which most commands do without.
"""

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pipeline.errors import Refusal

EXECUTOR_VARIABLE, ADDRESS_VARIABLE = "CARE_NUMBERS_EXECUTOR", "CARE_NUMBERS_DASK_ADDRESS"
IN_PROCESS, MULTIPROCESS, DASK = "in_process", "multiprocess", "dask"  # as the configuration of a run names them


class Executor(Enum):
    """The choice of `--executor`."""

    IN_PROCESS = "in-process"
    MULTIPROCESS = "multiprocess"
    DASK = "dask"


@dataclass(frozen=True)
class Where:
    """A choice, with the address of the Dask scheduler; without one a cluster is started on this machine for the run."""

    executor: Executor = Executor.IN_PROCESS
    dask_address: str | None = None

    @property
    def is_here(self) -> bool:
        """Whether everything is worked on in the process of the run."""
        return self.executor is Executor.IN_PROCESS

    def config(self) -> dict[str, Any]:
        """The choice as Dagster has it under `execution: config:`."""
        if self.executor is Executor.DASK:
            return {DASK: {"address": self.dask_address} if self.dask_address else {}}
        return {IN_PROCESS if self.is_here else MULTIPROCESS: {}}


def chosen(executor: Executor | None = None, dask_address: str | None = None) -> Where:
    """The choice of a command; where it says nothing the environment decides, and then it is one process.

    Raises Refusal for an unknown executor, an address without Dask, and Dask that is not installed.
    """
    if executor is None:
        named = os.environ.get(EXECUTOR_VARIABLE) or Executor.IN_PROCESS.value
        try:
            executor = Executor(named)
        except ValueError:
            raise Refusal(
                "unknown_executor",
                f"{EXECUTOR_VARIABLE} names no way to run",
                value=named,
                remedy=f"set it to one of {', '.join(one.value for one in Executor)}, or unset it",
            ) from None
    if executor is not Executor.DASK:
        if dask_address:
            raise Refusal(
                "address_without_dask",
                "there is the address of a Dask scheduler, and the run is not to use it",
                value=dask_address,
                remedy="add --executor dask, or leave the address out",
            )
        return Where(executor)
    refuse_without_dask()
    return Where(executor, dask_address or address_of_environment())


def address_of_environment() -> str | None:
    """The scheduler that the environment names, if it does."""
    return os.environ.get(ADDRESS_VARIABLE) or None


def refuse_without_dask() -> None:
    """Raise Refusal where Dask is not installed."""
    if importlib.util.find_spec("distributed") is None:
        raise Refusal(
            "no_dask",
            "the run is to use Dask, which is not installed",
            remedy="install it with pip install 'care-numbers[dask]', or use --executor multiprocess",
        )


def of_run(run_config: Mapping[str, Any]) -> str:
    """Where the run with this configuration is worked on: in_process, multiprocess or dask."""
    told = (run_config.get("execution") or {}).get("config") or {}
    return next(iter(told), None) or default()


def default() -> str:
    """Where a run is worked on whose configuration does not say: what the environment says, or in one process."""
    named = os.environ.get(EXECUTOR_VARIABLE, "")
    return next((next(iter(Where(one).config())) for one in Executor if one.value == named), IN_PROCESS)
