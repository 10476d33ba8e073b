"""The executor of every job: in one process, in several of this machine, or on a Dask cluster, as the run is told.

What belongs here: the choice as the launchpad shows it. What does not: the choice of the command (`where`) and how steps are
worked on elsewhere (`apart`), which is loaded when it is chosen.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import dagster as dg
from dagster._core.definitions.executor_definition import (
    ExecutorRequirement,
    multiple_process_executor_requirements,
)
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor

from assets import where

_CHOICE = dg.Selector(
    {
        where.IN_PROCESS: dg.Field(
            {}, is_required=False, description="All steps in the process of the run: the fastest for one country."
        ),
        where.MULTIPROCESS: dg.Field(
            {
                "processes": dg.Field(
                    dg.Noneable(dg.IntSource),
                    default_value=None,
                    description="How many processes of this machine; empty: as many as it has processors.",
                )
            },
            is_required=False,
            description="Steps in several processes of this machine.",
        ),
        where.DASK: dg.Field(
            {
                "address": dg.Field(
                    dg.Noneable(dg.StringSource),
                    default_value=None,
                    description="The scheduler, such as tcp://scheduler:8786; empty: that of the environment, or a cluster"
                    " of this machine for the run.",
                )
            },
            is_required=False,
            description="Steps on the workers of a Dask cluster, which see the same outputs and have the same program.",
        ),
    }
)


def _requirements(config: Mapping[str, Any]) -> Sequence[ExecutorRequirement]:
    return [] if where.IN_PROCESS in config else multiple_process_executor_requirements()


@dg.executor(
    name="here_or_apart",
    config_schema=dg.Field(_CHOICE, default_value={where.default(): {}}),
    requirements=_requirements,
)
def here_or_apart(context: dg.InitExecutorContext) -> dg.Executor:
    """One process unless the configuration or the environment says otherwise."""
    ((chosen, told),) = context.executor_config.items()
    if chosen == where.IN_PROCESS:
        return InProcessExecutor(retries=RetryMode.ENABLED)
    from assets import apart, workers

    config: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    if chosen == where.DASK:
        return apart.Apart(partial(workers.cluster, config.get("address") or where.address_of_environment()))
    return apart.Apart(partial(workers.processes, config.get("processes")))
