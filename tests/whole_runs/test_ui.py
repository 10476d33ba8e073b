"""The UI from the command to a published database: started, asked over its own interface, stopped.

What belongs here: what a person does with the mouse, sent as the requests that the mouse would send. What does not: how
it looks, and single nodes (`tests/assets/test_node_by_node`).
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.assets.expected_graph import ASSETS
from tests.whole_runs.running import FinishedRun, care_numbers, environment_of, leftovers, sha256, tables_that_differ
from tests.whole_runs.services import LISTS_SOCKETS, listening, of_session, socket_files

pytestmark = pytest.mark.whole

LOCATION = "demonstration country (fictional)"
STARTS_WITHIN, RUNS_WITHIN, STOPS_WITHIN = (
    60,
    120,
    30,
)  # seconds; a busy machine takes a few times as long as an idle one

LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries {
    name loadStatus locationOrLoadError { ... on PythonError { message } } } } } }"""
ASSET_KEYS = "{ assetNodes { assetKey { path } } }"
LAUNCH = """mutation Launch($parameters: ExecutionParams!) { launchPipelineExecution(executionParams: $parameters) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
STATUS = "query Status($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"


@dataclass(frozen=True)
class Ui:
    """A running UI, with the folder its results go to and what it writes to the terminal."""

    process: subprocess.Popen[bytes]
    port: int
    out: Path
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """One GraphQL request; an error in the answer fails the test."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.address}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer
        return answer["data"]

    def answers(self) -> bool:
        try:
            return bool(self.ask("{ version }"))
        except OSError:
            return False

    def processes(self) -> list[int]:
        """What still lives of the processes that the command started: all are of its session."""
        return of_session(self.process.pid)


def wait_for(what: Callable[[], object], seconds: float, ui: Ui) -> None:
    """Ask again and again, for so long and no longer."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, ui.log.read_text(encoding="utf-8")[-3000:]
        time.sleep(0.2)


def _as_in_the_background() -> None:
    """A shell that starts a program in the background lets it ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.fixture(scope="module")
def ui(demonstration: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """Over a copy of a finished run, so that a run from here is a second one, and from a folder that is nobody's."""
    folder = tmp_path_factory.mktemp("ui")
    shutil.copytree(demonstration.out, folder / "out", symlinks=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("care-numbers")
    log = folder / "log"
    with log.open("wb") as terminal:
        process = subprocess.Popen(
            [program, "ui", "--data", "demo", "--out", folder / "out", "--port", str(port)],
            cwd=folder,
            env=environment_of(),
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_as_in_the_background,
        )
    ui = Ui(process, port, folder / "out" / "demo", log)
    try:
        wait_for(lambda: ui.answers() or process.poll() is not None, STARTS_WITHIN, ui)
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield ui
    finally:
        for left in ui.processes():
            os.kill(left, signal.SIGKILL)
        process.wait()


def test_it_names_its_data_and_loads(ui: Ui) -> None:
    (entry,) = ui.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
    assert (entry["name"], entry["loadStatus"]) == (LOCATION, "LOADED")
    assert "message" not in entry["locationOrLoadError"], entry
    assert f"{LOCATION}: {ui.address}" in ui.log.read_text(encoding="utf-8")


@pytest.mark.skipif(not LISTS_SOCKETS, reason="this system does not list its sockets in /proc/net/tcp")
def test_it_listens_on_this_machine_alone(ui: Ui) -> None:
    """With its daemon and its code server, which is asked over a file that only its owner may open to write."""
    found = listening(ui.processes())
    assert f"127.0.0.1:{ui.port}" in found
    assert [address for address in found if not address.startswith("127.0.0.1:")] == []
    files = socket_files(ui.processes())
    assert files
    assert [file for file in files if stat.S_IMODE(file.stat().st_mode) & (stat.S_IWGRP | stat.S_IWOTH)] == []


def test_every_asset_materialises_from_the_ui(ui: Ui, demonstration: FinishedRun) -> None:
    """What the button Materialize all sends: the job of all assets with every asset selected."""
    keys = [node["assetKey"] for node in ui.ask(ASSET_KEYS)["assetNodes"]]
    assert sorted(key["path"][0] for key in keys) == sorted(ASSETS)
    selector = {
        "repositoryLocationName": LOCATION,
        "repositoryName": "__repository__",
        "pipelineName": "__ASSET_JOB",
        "assetSelection": keys,
    }
    launched = ui.ask(LAUNCH, parameters={"selector": selector, "mode": "default", "runConfigData": "{}"})
    assert launched["launchPipelineExecution"]["__typename"] == "LaunchRunSuccess", launched
    run = launched["launchPipelineExecution"]["run"]["runId"]

    def status() -> str:
        return ui.ask(STATUS, run=run)["runOrError"]["status"]

    wait_for(lambda: status() in ("SUCCESS", "FAILURE", "CANCELED"), RUNS_WITHIN, ui)
    assert status() == "SUCCESS", ui.log.read_text(encoding="utf-8")[-3000:]
    database = ui.out / "care_numbers.duckdb"
    assert sha256(database) != sha256(demonstration.database)
    assert tables_that_differ(demonstration.database, database) == []
    assert leftovers(ui.out) == []


def test_it_stops_when_it_is_asked_to(ui: Ui) -> None:
    """A service manager asks the command alone; nothing that it started may live on and hold the port."""
    ui.process.send_signal(signal.SIGTERM)
    ui.process.wait(timeout=STOPS_WITHIN)
    wait_for(lambda: not ui.processes(), STOPS_WITHIN, ui)
    assert not ui.answers()


def test_without_its_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster itself is there without the extra, so its program alone proves nothing."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "dagster_webserver" else name)
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("the UI was started"))
    ended = care_numbers("ui", "--data", "demo", "--out", tmp_path)
    assert ended.code == 1
    assert "care-numbers[ui]" in ended.refusal
