"""Where a run is worked on: the command's choice, the environment's, the launchpad's, and how heavy nodes are cut then."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any
from unittest import mock

import dagster as dg
import pytest

from assets import where
from assets.cutting import Cutting
from assets.definitions import defs
from assets.where import Executor, Where
from pipeline.errors import Refusal
from pipeline.regression.units import Cut
from tests.assets.expected_graph import JOB, NIGHT, WHAT_IF
from tests.whole_runs.running import PROJECT, care_numbers

JOBS = [JOB, NIGHT, WHAT_IF, "__ASSET_JOB"]


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (where.EXECUTOR_VARIABLE, where.ADDRESS_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def without(package: str) -> Any:
    """As where a package is not installed."""
    found = importlib.util.find_spec
    return mock.patch.object(importlib.util, "find_spec", lambda name: None if name == package else found(name))


# ---------------------------------------------------------------------------------------------------------------------
# The choice of the command and of the environment


def test_one_process_unless_somebody_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert where.chosen() == Where(Executor.IN_PROCESS)
    assert where.chosen(Executor.MULTIPROCESS) == Where(Executor.MULTIPROCESS)
    assert where.chosen(Executor.DASK, "tcp://one:8786") == Where(Executor.DASK, "tcp://one:8786")
    monkeypatch.setenv(where.EXECUTOR_VARIABLE, "dask")
    monkeypatch.setenv(where.ADDRESS_VARIABLE, "tcp://two:8786")
    assert where.chosen() == Where(Executor.DASK, "tcp://two:8786")
    assert where.chosen(Executor.DASK, "tcp://one:8786") == Where(Executor.DASK, "tcp://one:8786")
    assert where.chosen(Executor.IN_PROCESS) == Where(
        Executor.IN_PROCESS
    )  # the address of the environment is no mistake


def test_an_unknown_executor_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(where.EXECUTOR_VARIABLE, "threads")
    with pytest.raises(Refusal, match="set it to one of in-process, multiprocess, dask, or unset it") as refused:
        where.chosen()
    assert (refused.value.code, refused.value.value) == ("unknown_executor", "threads")


def test_an_address_without_dask_is_a_mistake() -> None:
    with pytest.raises(Refusal) as refused:
        where.chosen(Executor.MULTIPROCESS, "tcp://one:8786")
    assert refused.value.code == "address_without_dask"


def test_dask_that_is_not_installed_is_told_in_a_sentence_before_anything_runs() -> None:
    with without("distributed"):
        ended = care_numbers("run", "--executor", "dask", "--data", "demo")
        assert where.chosen(Executor.MULTIPROCESS).executor is Executor.MULTIPROCESS
    assert ended.code == 1
    assert "which is not installed; install it with pip install 'care-numbers[dask]'" in ended.refusal
    assert "no_dask" in ended.refusal


def test_an_unknown_executor_of_the_command_is_wrong_usage() -> None:
    ended = care_numbers("run", "--executor", "threads")
    assert ended.code == 2
    assert all(one.value in ended.err for one in Executor)


def test_the_command_waits_for_neither_dagster_nor_dask_before_it_needs_them() -> None:
    loaded = "import sys, assets.command; print({'dagster', 'distributed'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", loaded], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# ---------------------------------------------------------------------------------------------------------------------
# The choice of the launchpad


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, where.IN_PROCESS),
        ({"in_process": {}}, where.IN_PROCESS),
        ({"multiprocess": {}}, where.MULTIPROCESS),
        ({"multiprocess": {"processes": 4}}, where.MULTIPROCESS),
        ({"dask": {}}, where.DASK),
        ({"dask": {"address": "tcp://one:8786"}}, where.DASK),
    ],
    ids=str,
)
def test_every_job_can_be_told_in_the_launchpad_and_is_in_one_process_without(
    job: str, told: dict[str, Any], expected: str
) -> None:
    config = {"execution": {"config": told}} if told else {}
    full = dg.validate_run_config(defs.resolve_job_def(job), config)
    assert full is not None
    assert list(full["execution"]["here_or_apart"]) == [expected]
    assert where.of_run(config) == expected


@pytest.mark.parametrize(
    "told", [{"threads": {}}, {"dask": {"adress": "tcp://one:8786"}}, {"dask": {}, "in_process": {}}]
)
def test_a_slip_in_the_launchpad_is_refused_before_the_run(told: dict[str, Any]) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError):
        dg.validate_run_config(defs.resolve_job_def(JOB), {"execution": {"config": told}})


@pytest.mark.parametrize("place", [Where(), Where(Executor.MULTIPROCESS), Where(Executor.DASK, "tcp://one:8786")])
def test_the_command_says_it_as_the_launchpad_does(place: Where) -> None:
    config = {"execution": {"config": place.config()}}
    full = dg.validate_run_config(defs.resolve_job_def(JOB), config)
    assert full is not None
    ((name, settings),) = full["execution"]["here_or_apart"].items()
    assert name == where.of_run(config)
    assert settings.get("address") == place.dask_address


# ---------------------------------------------------------------------------------------------------------------------
# How heavy nodes are cut


def cut(run_config: dict[str, Any], units: int, **told: Any) -> Cut:
    context = mock.Mock(run=mock.Mock(run_config=run_config))
    return Cutting(**told).cut(context, units=units)


def test_where_nobody_says_anything_it_depends_on_where_the_run_is_worked_on() -> None:
    apart = {"execution": {"config": {"multiprocess": {}}}}
    assert cut({}, 150) == Cut(by_window=False, draws_at_most=None)
    assert cut({}, 35_000) == Cut(by_window=True, draws_at_most=None)  # the fits of all windows would fill the memory
    assert cut(apart, 150) == Cut(by_window=True, draws_at_most=50_000)
    assert cut(apart, 150, by_window=False, draws_at_most=7) == Cut(by_window=False, draws_at_most=7)
    assert cut({}, 150, by_window=True, draws_at_most=100) == Cut(by_window=True, draws_at_most=100)
