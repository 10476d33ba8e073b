"""The services of deploy/compose.yaml as plain processes: the same commands, settings and health checks, on this machine.

What belongs here: that they start, find each other and PostgreSQL, say that they are healthy when and only when they are,
and do a night that somebody launches in the UI. What does not: the files as texts (`tests/test_deploy_files`), and
containers, which need an engine that a test cannot count on.

Where a service of Compose is found by its name, a process is found at 127.0.0.1; that and the ports are all that differs.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from assets.raw import NEWS_NODE
from tests.whole_runs.running import PROJECT, FinishedRun, environment_of
from tests.whole_runs.services import LISTS_SOCKETS, Service, free_port, listening, program, running
from tests.whole_runs.test_postgres import pytestmark as needs_postgresql
from tests.whole_runs.test_postgres import server

pytestmark = needs_postgresql
__all__ = ["server"]  # the fixture: an empty database of the test's own

LAUNCH = """mutation Launch($parameters: ExecutionParams!) { launchPipelineExecution(executionParams: $parameters) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
STATUS = "query Status($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
LOCATIONS = "{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } } }"
RUNS_WITHIN = 120  # seconds


@dataclass
class Deployed:
    """The services of the Compose file, each under the name that it has there."""

    compose: dict[str, Any]
    folder: Path
    settings: Mapping[str, str]
    ports: dict[str, int]
    services: dict[str, Service] = field(default_factory=dict)

    def here(self, words: list[str]) -> list[str]:
        """A command of the file as a process of this machine takes it."""
        text = [word.replace("0.0.0.0", "127.0.0.1") for word in words]
        for theirs, ours in {"3000": self.ports["webserver"], "4000": self.ports["code"]}.items():
            text = [re.sub(rf"(?<!\d){theirs}(?!\d)", str(ours), word) for word in text]
        return [program(text[0]), *(str(self.folder / word) if word.startswith("home/") else word for word in text[1:])]

    def environment(self, name: str) -> dict[str, str]:
        """The settings of a service: those of the file where they are fixed, those of the test where they are left open."""
        told = {key: str(value) for key, value in self.compose["services"][name]["environment"].items()}
        fixed = {key: value for key, value in told.items() if "$" not in value and key not in self.settings}
        return fixed | {key: value for key, value in self.settings.items() if key in told} | {
            "DAGSTER_HOME": str(self.folder / "home"),
            "CARE_NUMBERS_OUT": str(self.folder / "out"),
        }  # fmt: skip

    @contextlib.contextmanager
    def start(self, name: str) -> Iterator[Service]:
        command = self.here(self.compose["services"][name]["command"])
        log = self.folder / f"{name}.log"
        with running(*command, cwd=self.folder, log=log, environment=self.environment(name)) as service:
            self.services[name] = service
            yield service
        del self.services[name]

    def is_healthy(self, name: str) -> bool:
        """What the health check of the file says, within its own time."""
        check = self.compose["services"][name]["healthcheck"]
        _, *words = check["test"]
        try:
            done = subprocess.run(
                self.here(words),
                env=environment_of(self.environment(name)),
                cwd=self.folder,
                capture_output=True,
                check=False,
                timeout=4 * int(check["timeout"].removesuffix("s")),  # a busy machine
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """One request of the UI."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        address = f"http://127.0.0.1:{self.ports['webserver']}/graphql"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer
        return answer["data"]


@pytest.fixture(scope="module")
def prepared(demonstration: FinishedRun, server: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Everything but the processes: a home as the image has one, over a copy of a finished run."""
    folder = tmp_path_factory.mktemp("deployment")
    shutil.copytree(demonstration.out, folder / "out", symlinks=True)
    shutil.rmtree(folder / "out" / "demo" / "dagster_home")
    (folder / "home").mkdir()
    shutil.copyfile(PROJECT / "dagster.postgres.yaml", folder / "home" / "dagster.yaml")
    ports = {"code": free_port(), "webserver": free_port()}
    workspace = yaml.safe_load((PROJECT / "deploy" / "code_locations.yaml").read_text(encoding="utf-8"))
    workspace["load_from"][0]["grpc_server"] |= {"host": "127.0.0.1", "port": ports["code"]}
    (folder / "home" / "code_locations.yaml").write_text(yaml.safe_dump(workspace), encoding="utf-8")
    compose = yaml.safe_load((PROJECT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    return Deployed(compose, folder, server | {"CARE_NUMBERS_DATA": "demo"}, ports)


@pytest.fixture(scope="module")
def deployed(prepared: Deployed) -> Iterator[Deployed]:
    """All of them, each once those are healthy that it depends on; until then it is not healthy itself."""
    before = {name: prepared.is_healthy(name) for name in ("code", "webserver", "daemon")}
    assert before == {"code": False, "webserver": False, "daemon": False}
    with prepared.start("code") as code:
        code.wait_until(lambda: prepared.is_healthy("code"))
        with prepared.start("webserver") as webserver, prepared.start("daemon") as daemon:
            webserver.wait_until(lambda: prepared.is_healthy("webserver"))
            daemon.wait_until(lambda: prepared.is_healthy("daemon"))
            yield prepared


def test_every_service_says_that_it_is_healthy(deployed: Deployed) -> None:
    assert {name: deployed.is_healthy(name) for name in deployed.services} == dict.fromkeys(deployed.services, True)
    (location,) = deployed.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
    assert location == {"name": "care-numbers", "loadStatus": "LOADED"}


@pytest.mark.skipif(not LISTS_SOCKETS, reason="this system does not list its sockets in /proc/net/tcp")
def test_each_listens_where_the_others_look_for_it_and_nowhere_else(deployed: Deployed) -> None:
    found = {name: listening(service.processes()) for name, service in deployed.services.items()}
    assert found["daemon"] == set()
    assert found["webserver"] == {f"127.0.0.1:{deployed.ports['webserver']}"}
    assert found["code"] == {f"127.0.0.1:{deployed.ports['code']}"}


def test_a_night_that_somebody_launches_is_done_by_the_code_location(deployed: Deployed) -> None:
    """From the UI over the queue of the daemon to a process of the code location. There is no news, so it is short."""
    selector = {
        "repositoryLocationName": "care-numbers",
        "repositoryName": "__repository__",
        "pipelineName": "night",
    }
    config = {"ops": {NEWS_NODE: {"config": {"is_night": True}}}}
    parameters = {"selector": selector, "mode": "default", "runConfigData": json.dumps(config)}
    launched = deployed.ask(LAUNCH, parameters=parameters)["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run = launched["run"]["runId"]
    end = time.monotonic() + RUNS_WITHIN
    while (status := deployed.ask(STATUS, run=run)["runOrError"]["status"]) not in ("SUCCESS", "FAILURE", "CANCELED"):
        assert time.monotonic() < end, {name: service.said[-2000:] for name, service in deployed.services.items()}
        time.sleep(0.3)
    assert status == "SUCCESS", deployed.services["code"].said[-3000:]
    told = json.loads((deployed.folder / "out" / "demo" / "status.json").read_text(encoding="utf-8"))["last_night"]
    assert (told["run_id"], told["result"]) == (run, "no_news")


def test_a_service_that_is_gone_is_not_healthy(deployed: Deployed) -> None:
    """The code location last of all: the others look for it."""
    deployed.services["code"].process.terminate()
    deployed.services["code"].process.wait(timeout=RUNS_WITHIN)
    assert not deployed.is_healthy("code")
    assert deployed.is_healthy("webserver")
