"""What listens, and to whom: everything that the project starts takes connections from this machine alone.

What belongs here: daemon, code server and the commands that listen to nobody, as the kernel lists their sockets; and the
proxy with a password in front of the UI, where there is an nginx to try it with. What does not: what the UI does
(`test_ui`, which looks at the sockets of the UI as well).
"""

from __future__ import annotations

import base64
import getpass
import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole_runs.running import PROJECT, FinishedRun, care_numbers
from tests.whole_runs.services import LISTS_SOCKETS, Service, free_port, listening, program, running, socket_files

pytestmark = [
    pytest.mark.whole,
    pytest.mark.skipif(not LISTS_SOCKETS, reason="this system does not list its sockets in /proc/net/tcp"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("services")


@pytest.fixture(scope="module")
def finished(demonstration: FinishedRun, folder: Path) -> Path:
    """What `--out` has to be: a copy of a finished run."""
    shutil.copytree(demonstration.out, folder / "out", symlinks=True)
    return folder / "out"


# ---------------------------------------------------------------------------------------------------------------------
# The looking itself


def test_a_socket_for_everybody_is_seen() -> None:
    """Over both versions of the protocol, and datagrams too."""
    with socket.socket() as four, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        four.bind(("0.0.0.0", 0))
        four.listen()
        datagrams.bind(("0.0.0.0", 0))
        found = listening([os.getpid()])
        assert f"0.0.0.0:{four.getsockname()[1]}" in found
        assert f"0.0.0.0:{datagrams.getsockname()[1]}" in found
    if socket.has_ipv6 and Path("/proc/net/if_inet6").read_text():
        with socket.socket(socket.AF_INET6) as six:
            six.bind(("::", 0))
            six.listen()
            assert f":::{six.getsockname()[1]}" in listening([os.getpid()])


# ---------------------------------------------------------------------------------------------------------------------
# Services


@pytest.fixture(scope="module")
def daemon(finished: Path, folder: Path) -> Iterator[Service]:
    command = (program("care-numbers"), "daemon", "--data", "demo", "--out", finished)
    with running(*command, cwd=folder, log=folder / "daemon.log") as service:
        service.wait_until(lambda: "Instance is configured with the following daemons" in service.said)
        yield service


@pytest.fixture(scope="module")
def code_server(finished: Path, folder: Path) -> Iterator[tuple[Service, int]]:
    """Dagster's own, with nothing but a port, as somebody may start it who has read Dagster's documentation."""
    port = free_port()
    command = (program("dagster"), "api", "grpc", "--module-name", "assets.definitions", "--port", str(port))
    environment = {"CARE_NUMBERS_DATA": "demo", "CARE_NUMBERS_OUT": str(finished)}
    with running(*command, cwd=folder, log=folder / "code.log", environment=environment) as service:
        service.wait_until(lambda: listening(service.processes()))
        yield service, port


def test_the_daemon_listens_to_nobody_on_the_network(daemon: Service) -> None:
    """Its code server is asked over a file that only its owner may open to write, which connecting is."""
    daemon.wait_until(lambda: socket_files(daemon.processes()))
    assert listening(daemon.processes()) == set()
    for file in socket_files(daemon.processes()):
        assert not stat.S_IMODE(file.stat().st_mode) & (stat.S_IWGRP | stat.S_IWOTH), file


def test_a_code_server_listens_on_this_machine_alone(code_server: tuple[Service, int]) -> None:
    service, port = code_server
    assert listening(service.processes()) <= {f"127.0.0.1:{port}", f"::1:{port}"}


@pytest.mark.parametrize(
    "arguments", [("report",), ("status",), ("releases",), ("verify",), ("night",)], ids=lambda one: one[0]
)
def test_other_commands_listen_to_nobody(
    finished: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report is files and no server."""
    monkeypatch.setattr(socket.socket, "listen", lambda *_: pytest.fail("something listens"))
    assert care_numbers(*arguments, "--data", "demo", "--out", finished).code == 0


# ---------------------------------------------------------------------------------------------------------------------
# A password in front of the UI: deploy/nginx.conf as docs/operations.md gives it

TRUSTING = ssl.create_default_context()
NAME, PASSWORD, PREFIX = "ann", "a password of the test", "/care-numbers"
_QUERY = json.dumps({"query": "{ version }"}).encode()
_LAUNCH = json.dumps({"query": 'mutation { terminateRun(runId: "1") { __typename ... on PythonError { message } } }'})


@pytest.fixture(scope="module")
def read_only_ui(finished: Path, folder: Path) -> Iterator[int]:
    """The UI as a proxy needs it: under a path, and without the means to change anything. Its port."""
    port = free_port()
    out = folder / "ui_out"
    shutil.copytree(finished, out, symlinks=True)
    command = (program("care-numbers"), "ui", "--data", "demo", "--out", out, "--port", str(port), "--read-only",
               "--path-prefix", PREFIX)  # fmt: skip
    with running(*command, cwd=folder, log=folder / "ui.log") as service:
        service.wait_until(lambda: status_of(f"http://127.0.0.1:{port}{PREFIX}/server_info") == 200)
        yield port


def status_of(url: str, body: bytes | None = None, *, password: str | None = None, **headers: str) -> int:
    """The status of an answer; 0 where there is none."""
    return answer(url, body, password=password, **headers)[0]


def answer(url: str, body: bytes | None = None, *, password: str | None = None, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"} | headers)
    if password is not None:
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{NAME}:{password}".encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=20, context=TRUSTING) as response:
            return response.status, response.read().decode("utf-8", errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", errors="replace")
    except OSError:
        return 0, ""


@pytest.fixture(scope="module")
def proxy(read_only_ui: int, folder: Path) -> Iterator[str]:
    """Nginx with the project's own configuration; ports, files and the certificate are those of the test."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None or shutil.which("openssl") is None:
        pytest.skip("there is no nginx (Debian: nginx-light) or no openssl to try the proxy with")
    home, port, user = folder / "nginx", free_port(), getpass.getuser()
    home.mkdir()
    hashed = subprocess.run(["openssl", "passwd", "-apr1", PASSWORD], capture_output=True, text=True, check=True).stdout
    (home / "passwords").write_text(f"{NAME}:{hashed.strip()}\n", encoding="utf-8")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1", "-out", home / "certificate.pem", "-keyout", home / "key.pem"],
        capture_output=True, check=True,
    )  # fmt: skip
    TRUSTING.load_verify_locations(home / "certificate.pem")
    site = (PROJECT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for theirs, ours in {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "/etc/care-numbers/certificate.pem": str(home / "certificate.pem"),
        "/etc/care-numbers/key.pem": str(home / "key.pem"),
        "127.0.0.1:3000": f"127.0.0.1:{read_only_ui}",
        "/etc/care-numbers/passwords": str(home / "passwords"),
    }.items():
        assert theirs in site, theirs
        site = site.replace(theirs, ours)
    paths = "".join(f"{name}_temp_path {home};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    settings = [
        *([f"user {user};"] if user == "root" else []),
        f"pid {home}/pid; error_log {home}/errors; daemon off;",
        f"events {{}} http {{ access_log off; {paths}",
        site,
        "}",
    ]
    (home / "nginx.conf").write_text("\n".join(settings), encoding="utf-8")
    with running(
        nginx, "-p", home, "-e", home / "errors", "-c", home / "nginx.conf", cwd=home, log=home / "log"
    ) as service:
        service.wait_until(lambda: status_of(f"https://127.0.0.1:{port}/") != 0)
        yield f"https://127.0.0.1:{port}{PREFIX}"


@pytest.mark.parametrize(
    "path", ["", "/", "/server_info", "/graphql", "/assets", "/logs/1/x/stdout", "/download_debug/1"]
)
@pytest.mark.parametrize("password", [None, "", "another"])
def test_without_the_password_nothing_is_shown(proxy: str, path: str, password: str | None) -> None:
    assert status_of(proxy + path, password=password) == 401
    assert status_of(proxy + path, _QUERY, password=password) == 401


def test_with_the_password_the_ui_answers(proxy: str) -> None:
    code, page = answer(f"{proxy}/", password=PASSWORD)
    assert code == 200 and PREFIX in page and "<html" in page
    code, told = answer(f"{proxy}/graphql", _QUERY, password=PASSWORD)
    assert code == 200 and "version" in json.loads(told)["data"]


def test_live_updates_pass_the_proxy_with_the_password_alone(proxy: str) -> None:
    """The UI follows a run over a websocket, which a proxy has to be told of."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
        "Sec-WebSocket-Protocol": "graphql-ws",
    }
    assert status_of(f"{proxy}/graphql", **upgrade) == 401
    assert status_of(f"{proxy}/graphql", password=PASSWORD, **upgrade) == 101


def test_a_read_only_ui_changes_nothing(proxy: str) -> None:
    code, told = answer(f"{proxy}/graphql", _LAUNCH.encode(), password=PASSWORD)
    assert code == 200 and "UnauthorizedError" in told, told


def test_what_is_outside_the_path_is_not_there(proxy: str) -> None:
    assert status_of(f"{proxy.removesuffix(PREFIX)}/graphql", _QUERY, password=PASSWORD) == 404
