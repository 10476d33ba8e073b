"""`make audit`, against a service on this machine that answers as OSV's does, and against none.

What belongs here: what it says and its exit codes. What does not: advisories, which only the real service knows.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.test_house import PROJECT, requirements, text_of
from tests.whole_runs.services import free_port

SCRIPT = PROJECT / ".ci" / "audit.py"
HASH = f"--hash=sha256:{'0' * 64}"


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    specification = importlib.util.spec_from_file_location("audit", SCRIPT)
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@dataclass
class Advisories:
    """A service with advisories; `known` are those by name of a package, `asked` what it was asked for."""

    url: str
    known: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def advisories() -> Iterator[Advisories]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = query["package"]["name"]
            service.asked.append((name, query["version"]))
            body = json.dumps({"vulns": service.known[name]} if name in service.known else {}).encode()
            self.send_response(service.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service = Advisories(f"http://127.0.0.1:{server.server_address[1]}/v1/query")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield service
    server.shutdown()
    server.server_close()


def advisory(name: str, fixed: str) -> dict[str, Any]:
    """As the service's documentation shows one; the package and the flaw are made up."""
    affected = {
        "package": {"name": name, "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
    }
    return {"id": "TEST-2030-1", "summary": "A flaw\nthat nobody has.", "affected": [affected]}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(f"alder==1.0 {HASH}\nbirch==2.0 ; python_version >= '3' {HASH}\n", encoding="utf-8")
    return path


@dataclass(frozen=True)
class Audited:
    code: int
    said: str


def audited(audit: ModuleType, lock: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Audited:
    monkeypatch.setenv(audit.SERVICE_VARIABLE, url)
    code = audit.main((str(lock),))
    return Audited(code, capsys.readouterr().out)


def test_nothing_known(
    audit: ModuleType, advisories: Advisories, lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    done = audited(audit, lock, advisories.url, monkeypatch, capsys)
    assert done.code == audit.CLEAN and "2 packages, no known vulnerability" in done.said
    assert sorted(advisories.asked) == [("alder", "1.0"), ("birch", "2.0")]


def test_a_known_vulnerability_is_named_with_the_version_that_mends_it(
    audit: ModuleType, advisories: Advisories, lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    advisories.known["birch"] = [advisory("birch", fixed="2.1")]
    done = audited(audit, lock, advisories.url, monkeypatch, capsys)
    assert done.code == audit.VULNERABLE
    assert "birch 2.0: TEST-2030-1, mended in 2.1. A flaw that nobody has." in done.said
    assert "no known vulnerability" not in done.said


def test_without_a_network_it_says_so_and_claims_nothing(
    audit: ModuleType, lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    done = audited(audit, lock, f"http://127.0.0.1:{free_port()}/v1/query", monkeypatch, capsys)
    assert done.code == audit.NOT_AUDITED
    assert "cannot be reached" in done.said and "needs a way to the internet" in done.said
    assert "Not audited: nothing is known" in done.said and "no known vulnerability" not in done.said


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_service_that_refuses_is_no_clean_answer(
    audit: ModuleType, advisories: Advisories, lock: Path, status: int, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    advisories.status = status
    done = audited(audit, lock, advisories.url, monkeypatch, capsys)
    assert done.code == audit.NOT_AUDITED and "no known vulnerability" not in done.said


def test_a_package_that_was_not_looked_up_is_no_clean_answer(audit: ModuleType, capsys: Any) -> None:
    """As pip-audit tells of one that a mirror of the package index does not know, with exit code 0."""
    packages = [
        {"name": "alder", "skip_reason": "Dependency not found"},
        {"name": "birch", "version": "2.0", "vulns": []},
    ]
    assert audit._told("requirements.lock", packages) == audit.NOT_AUDITED
    assert "alder: not looked up (Dependency not found)" in capsys.readouterr().out
    assert audit._told("requirements.lock", []) == audit.NOT_AUDITED


def test_a_lock_file_without_hashes_is_not_audited(
    audit: ModuleType, advisories: Advisories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("alder==1.0\n", encoding="utf-8")
    done = audited(audit, lock, advisories.url, monkeypatch, capsys)
    assert done.code == audit.NOT_AUDITED and "without an answer" in done.said


def test_every_locked_package_of_this_machine_is_asked_for(advisories: Advisories) -> None:
    """The real lock files, as `make audit` calls the script."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env=os.environ | {"CARE_NUMBERS_AUDIT_URL": advisories.url},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["requirements.lock", "bench/requirements.lock"]
    asked = dict(advisories.asked)
    for name in ("dagster", "duckdb", "pandas", "urllib3", "pyfixest"):
        assert name in asked
    assert len(asked) > 0.8 * len(requirements())  # the others are for other systems


def test_make_has_the_target() -> None:
    assert "\naudit: " in text_of("Makefile") and ".ci/audit.py" in text_of("Makefile")
