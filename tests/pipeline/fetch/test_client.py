"""`pipeline.fetch.client` against a small server of its own: bytes, patience, limits and the way to a host.

What belongs here: what a single request may do. What does not: the publishers' documents and whole fetches (`tests/fetch`).
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import os
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.fetch import client as client_module
from pipeline.fetch.addresses import ASSETS, EES_CONTENT, GOVUK, Addresses
from pipeline.fetch.client import Client, Manners, NotGot, user_agent

NOON = dt.datetime(2031, 3, 3, 12, 0, tzinfo=dt.UTC)
BODY = b"authority,children\n" + b"Marlshire,118\n" * 5000
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Server:
    """Answers by path; a list of answers is given out one by one, the last of them for ever."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    def says(self, path: str, *answers: Answer) -> None:
        self.answers[path] = list(answers)

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def server() -> Iterator[Server]:
    played = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            played.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            answers = played.answers.get(self.path) or [(404, {}, b"")]
            status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if not {"Content-Length", "Transfer-Encoding"} & set(headers):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = "Content-Length" in headers

        def log_message(self, *arguments: object) -> None:
            """Nothing is printed."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    played.port = running.server_address[1]
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield played
    running.shutdown()
    running.server_close()


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def asking(server: Server, waited: list[float]) -> Callable[..., Client]:
    """A client that asks the server in place of gov.uk's assets, and notes its waits instead of waiting."""

    def make(**manners: float) -> Client:
        chosen = Manners(**({"read": 1.0, "connect": 1.0} | manners))  # type: ignore[arg-type]
        addresses = Addresses({ASSETS: server.base, GOVUK: server.base})
        return Client(addresses, chosen, sleep=waited.append, wall=lambda: NOON)

    return make


def refusal_of(client: Client, path: str, tmp_path: Path) -> NotGot:
    with pytest.raises(NotGot) as caught:
        client.download(f"{ASSETS}{path}", tmp_path / "a.part")
    assert list(tmp_path.iterdir()) == []  # a failure leaves no file
    return caught.value


# ---------------------------------------------------------------------------------------------------------------------
# Bytes


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("", bytes),
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("gzip", lambda body: gzip.compress(body[:40]) + gzip.compress(body[40:])),
    ],
    ids=["plain", "gzip", "x-gzip", "deflate", "two members"],
)
def test_bytes_are_decoded_by_the_header(
    server: Server, asking: Callable[..., Client], tmp_path: Path, encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    server.says("/a.csv", (200, {"Content-Encoding": encoding} if encoding else {}, encode(BODY)))
    received = asking().download(f"{ASSETS}/a.csv", tmp_path / "a.part")
    assert (tmp_path / "a.part").read_bytes() == BODY
    assert received.sha256 == hashlib.sha256(BODY).hexdigest()
    assert (received.bytes, received.encoded_bytes) == (len(BODY), len(encode(BODY)))
    assert received.final_url == received.requested_url == f"{ASSETS}/a.csv"


def test_an_encoding_that_nobody_asked_for_is_refused(
    server: Server, asking: Callable[..., Client], tmp_path: Path
) -> None:
    server.says("/a.csv", (200, {"Content-Encoding": "br"}, BODY))
    assert refusal_of(asking(), "/a.csv", tmp_path).code == "unknown_encoding"
    assert server.asked[0][1]["accept-encoding"] == "gzip"


def test_damaged_compression_is_asked_for_again(server: Server, asking: Callable[..., Client], tmp_path: Path) -> None:
    good = (200, {"Content-Encoding": "gzip"}, gzip.compress(BODY))
    server.says("/a.csv", (200, {"Content-Encoding": "gzip"}, b"not compressed at all"), good)
    asking().download(f"{ASSETS}/a.csv", tmp_path / "a.part")
    assert (tmp_path / "a.part").read_bytes() == BODY


def test_a_second_attempt_begins_from_nothing(server: Server, asking: Callable[..., Client], tmp_path: Path) -> None:
    """What the broken attempt had written, longer than the file that comes then, is gone."""
    server.says("/a.csv", (200, {"Content-Length": str(len(BODY) + 9)}, BODY), (200, {}, b"whole\n"))
    received = asking().download(f"{ASSETS}/a.csv", tmp_path / "a.part")
    assert (tmp_path / "a.part").read_bytes() == b"whole\n"
    assert received.sha256 == hashlib.sha256(b"whole\n").hexdigest()


def test_a_small_file_that_expands_is_stopped(server: Server, asking: Callable[..., Client], tmp_path: Path) -> None:
    server.says("/a.csv", (200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 9_000_000)))
    assert refusal_of(asking(largest_decoded=1_000_000), "/a.csv", tmp_path).code == "too_large"
    assert len(server.asked) == 1


@pytest.mark.parametrize("announced", [True, False])
def test_a_file_beyond_its_size_is_stopped(
    server: Server, asking: Callable[..., Client], tmp_path: Path, announced: bool
) -> None:
    headers = {} if announced else {"Transfer-Encoding": "chunked"}
    body = BODY if announced else b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    server.says("/a.csv", (200, headers, body))
    refusal = refusal_of(asking(largest_encoded=len(BODY) - 1), "/a.csv", tmp_path)
    assert refusal.code == "too_large"


# ---------------------------------------------------------------------------------------------------------------------
# Patience


def test_waits_grow_and_attempts_end(
    server: Server, asking: Callable[..., Client], tmp_path: Path, waited: list[float]
) -> None:
    """Downloads.md, 5: at most four attempts with waits of 1, 2, 4 s and a little more."""
    server.says("/a.csv", (503, {}, b""))
    refusal = refusal_of(asking(), "/a.csv", tmp_path)
    assert (refusal.code, refusal.status, len(server.asked)) == ("http_status", 503, 4)
    assert [int(wait / least) for wait, least in zip(waited, (1, 2, 4), strict=True)] == [1, 1, 1]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_mend_is_asked_for_again(
    server: Server, asking: Callable[..., Client], tmp_path: Path, status: int
) -> None:
    server.says("/a.csv", (status, {}, b"{}"), (200, {}, BODY))
    assert asking().download(f"{ASSETS}/a.csv", tmp_path / "a.part").bytes == len(BODY)


@pytest.mark.parametrize("told", ["Mon, 03 Mar 2031 12:01:30 GMT", "90"])
def test_retry_after_is_kept_to(
    server: Server, asking: Callable[..., Client], tmp_path: Path, waited: list[float], told: str
) -> None:
    server.says("/a.csv", (429, {"Retry-After": told}, b""), (200, {}, BODY))
    asking().download(f"{ASSETS}/a.csv", tmp_path / "a.part")
    assert waited == [90.0]


@pytest.mark.parametrize("told", ["soon", "-4", "Mon, 03 Mar 2031 11:00:00 GMT"])
def test_a_retry_after_without_sense_is_the_usual_wait(
    server: Server, asking: Callable[..., Client], tmp_path: Path, waited: list[float], told: str
) -> None:
    server.says("/a.csv", (503, {"Retry-After": told}, b""), (200, {}, BODY))
    asking().download(f"{ASSETS}/a.csv", tmp_path / "a.part")
    assert [1.0 <= wait <= 1.25 for wait in waited] == [True]


def test_no_wait_goes_beyond_the_time_of_the_run(
    server: Server, asking: Callable[..., Client], tmp_path: Path, waited: list[float]
) -> None:
    server.says("/a.csv", (503, {"Retry-After": "60"}, b""))
    assert refusal_of(asking(run_deadline=30.0), "/a.csv", tmp_path).status == 503
    assert (waited, len(server.asked)) == ([], 1)


def test_after_the_time_of_the_run_nothing_is_asked(server: Server, tmp_path: Path) -> None:
    moments = iter([0.0, *[5000.0] * 20])
    client = Client(Addresses({ASSETS: server.base}), clock=lambda: next(moments))
    assert refusal_of(client, "/a.csv", tmp_path).code == "too_slow"
    assert server.asked == []


def test_the_pause_is_for_other_machines(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds between requests to gov.uk and one elsewhere, counted from the end of the last one; none here."""
    waited: list[float] = []
    client = Client(Addresses({ASSETS: server.base, GOVUK: server.base}), sleep=waited.append, clock=lambda: 100.0)
    for base in (GOVUK, GOVUK, ASSETS, ASSETS):
        with pytest.raises(NotGot):
            client.document(f"{base}/nothing{len(server.asked)}")
    assert waited == []
    monkeypatch.setattr(client_module, "is_loopback", lambda url: False)
    client._pause(f"{GOVUK}/a", f"{GOVUK}/a")
    client._pause(f"{ASSETS}/a", f"{ASSETS}/a")
    client._pause(f"{EES_CONTENT}/a", f"{EES_CONTENT}/a")  # never asked before
    assert waited == [2.0, 1.0]


# ---------------------------------------------------------------------------------------------------------------------
# Documents


def test_a_document_is_asked_for_once_a_run(server: Server, asking: Callable[..., Client]) -> None:
    server.says("/api", (200, {}, b'{"a": 1}'))
    client = asking()
    assert [client.document(f"{GOVUK}/api") for _ in range(3)] == [{"a": 1}] * 3
    assert len(server.asked) == 1
    client.document(f"{GOVUK}/api", anew=True)
    assert len(server.asked) == 2


def test_a_refused_document_is_not_asked_for_again(server: Server, asking: Callable[..., Client]) -> None:
    client = asking()
    for _ in range(2):
        with pytest.raises(NotGot) as caught:
            client.document(f"{GOVUK}/api")
        assert caught.value.status == 404
    assert len(server.asked) == 1


def test_an_answer_that_is_no_json_is_refused(server: Server, asking: Callable[..., Client]) -> None:
    server.says("/api", (200, {}, b"<!DOCTYPE html>"))
    with pytest.raises(NotGot) as caught:
        asking().document(f"{GOVUK}/api")
    assert caught.value.code == "not_json"


def test_a_compressed_document_is_read_whole(server: Server, asking: Callable[..., Client]) -> None:
    document = {"names": ["Marlshire"] * 20000}
    server.says("/api", (200, {"Content-Encoding": "gzip"}, gzip.compress(json.dumps(document).encode())))
    assert asking().document(f"{GOVUK}/api") == document


# ---------------------------------------------------------------------------------------------------------------------
# The way there


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_host_that_refuses_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    connecting = client_module._connecting
    monkeypatch.setattr(client_module, "_connecting", lambda place, s: tried.append(place) or connecting(place, s))
    client = Client(Addresses({ASSETS: f"http://127.0.0.1:{closed_port()}"}), sleep=lambda seconds: None)
    for name in ("a", "b"):
        refusal = refusal_of(client, f"/{name}", tmp_path)
        assert (refusal.code, refusal.is_out_of_reach) == ("host_unreachable", True)
        assert "assets.publishing.service.gov.uk cannot be reached" in str(refusal)
    assert len(tried) == 1


def test_a_host_that_takes_connections_and_says_nothing_is_tried_once(tmp_path: Path) -> None:
    """Not four times for each of its files."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as silent:
        client = Client(Addresses({ASSETS: f"http://127.0.0.1:{silent.getsockname()[1]}"}), Manners(read=0.1))
        began = time.monotonic()
        assert [refusal_of(client, f"/{name}", tmp_path).code for name in "abc"] == ["host_unreachable"] * 3
        assert time.monotonic() - began < 1


def test_a_name_that_resolves_for_ever_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """However long the system takes to find no address, and however many it then tries."""
    held = threading.Event()

    def resolving(*arguments: object, **options: object) -> socket.socket:
        held.wait(30)
        raise OSError("no such name")

    monkeypatch.setattr(client_module.socket, "create_connection", resolving)
    began = time.monotonic()
    client = Client(Addresses(), Manners(connect=0.2))
    assert refusal_of(client, "/a", tmp_path).code == "host_unreachable"
    assert time.monotonic() - began < 2
    held.set()


def test_without_two_hosts_there_is_no_network(tmp_path: Path) -> None:
    """The third is not even tried; where one host was reached, it is."""
    bases = {base: f"http://127.0.0.1:{closed_port()}" for base in (EES_CONTENT, GOVUK, ASSETS)}
    assert len(set(bases.values())) == 3
    client = Client(Addresses(bases))
    codes = []
    for base in bases:
        with pytest.raises(NotGot) as caught:
            client.download(f"{base}/a", tmp_path / "a.part")
        codes.append(caught.value.code)
    assert codes == ["host_unreachable", "host_unreachable", "no_network"]


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is accepted when SSL_CERT_FILE names its authority: that is the only way."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl makes no certificate here")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments: object) -> None:
            """Nothing is printed."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    running.handle_error = lambda *arguments: None  # type: ignore[method-assign]
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    addresses = Addresses({GOVUK: f"https://localhost:{running.server_address[1]}"})
    try:
        with pytest.raises(NotGot) as caught:
            Client(addresses, sleep=lambda seconds: None).document(f"{GOVUK}/a")
        assert caught.value.code == "host_unreachable" and "certificate" in str(caught.value).lower()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert Client(addresses).document(f"{GOVUK}/a") == {}
    finally:
        running.shutdown()
        running.server_close()


def test_no_proxy_stands_before_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    assert client_module._proxy("https://www.gov.uk/a") == "http://proxy.example:3128"
    assert client_module._proxy("http://127.0.0.1:9/a") is None
    monkeypatch.setenv("no_proxy", "www.gov.uk")
    assert client_module._proxy("https://www.gov.uk/a") is None


def test_nothing_but_the_own_name_is_sent(
    server: Server, asking: Callable[..., Client], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No cookie that a server set, no password that lies about in the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    server.says("/a", (302, {"Location": "/b", "Set-Cookie": "a=b; Path=/"}, b""))
    server.says("/b", (200, {}, b"{}"))
    asking().document(f"{GOVUK}/a")
    assert server.paths() == ["/a", "/b"]
    for _, headers in server.asked:
        assert set(headers) == {"host", "user-agent", "accept", "accept-encoding"}
        assert headers["user-agent"].startswith("Mozilla/5.0 (compatible; care-numbers/")


def test_somebody_else_may_say_who_asks() -> None:
    assert user_agent({"CARE_NUMBERS_USER_AGENT": "county council, data@county.example"}).startswith("county council")
    assert user_agent({}) == user_agent({"CARE_NUMBERS_USER_AGENT": ""})


def test_interrupting_leaves_no_file(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(seconds: float) -> None:
        raise KeyboardInterrupt

    server.says("/a.csv", (503, {}, b""))
    client = Client(Addresses({ASSETS: server.base}), sleep=stop)
    with pytest.raises(KeyboardInterrupt):
        client.download(f"{ASSETS}/a.csv", tmp_path / "a.part")
    assert os.listdir(tmp_path) == []
