"""No secret lands in a log, a file, the event store or on the terminal, whether a night goes well or not.

What belongs here: nights with a marked secret in every place that the product takes one from, and looking for the marks
in all that is left afterwards. What does not: how single texts are cleared (`tests/pipeline/test_confidential`).

Each secret is a word of its own that stands nowhere else, so that a find says which one it is.
"""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import os
import shutil
import sqlite3
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pandas as pd
import pytest

from pipeline import night_status, places, settings
from tests.fixtures.imitation import Imitation, faults
from tests.fixtures.imitation.offers import IN_NEED, LOOKED_AFTER, RATES, of_folder, with_more_children
from tests.whole_runs import postgres_server
from tests.whole_runs.planting import PublishedTable
from tests.whole_runs.postgres_server import HOST, PORT
from tests.whole_runs.running import Ended, FinishedRun, care_numbers, care_numbers_process
from tests.whole_runs.searching import found_in, in_texts, of_duckdb
from tests.whole_runs.services import free_port, program, running

pytestmark = pytest.mark.whole

ROLE = "care_numbers_test_secret"
ESTIMATES = "ons_mid-year_population_estimates_2012_to_2020_cin2021.csv"
SECRETS = {
    "password of PostgreSQL": "canary-postgres-5e1f0c",  # as .ci/postgres.sh sets it
    "token of the webhook": "canary-webhook-91bb27",
    "identity of the store": "CANARYKEYID4D2A",
    "key of the store": "canary-store-key-70ce11",
    "session of the store": "canary-store-session-0b8f3d",
    "password of the proxy": "canary-proxy-c2a9e4",
    "signature of a file": "canary-signature-3f77d0",
    "signature of a closed file": "canary-closed-signature-a6104b",
    "signature behind the proxy": "canary-proxied-signature-d1e358",
    "password in a base address": "canary-base-password-88fa02",
    "token in a base address": "canary-base-token-1c6b9e",
}


def in_terminal(ended: Ended) -> list[str]:
    return in_texts([ended.out.encode(), ended.err.encode()], SECRETS)


# ---------------------------------------------------------------------------------------------------------------------
# The looking itself


def test_a_secret_is_seen_in_every_kind_of_file(tmp_path: Path) -> None:
    words = {"mark": "canary-of-the-search"}
    word = words["mark"]
    (tmp_path / "plain.txt").write_text(f"a {word}.")
    (tmp_path / "packed.svgz").write_bytes(gzip.compress(word.encode()))
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sheet", word * 3)
    pd.DataFrame({"text": [word] * 5 + ["other"]}).to_parquet(tmp_path / "frame.parquet")
    with duckdb.connect(str(tmp_path / "d.duckdb")) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT '{word}' || (i % 3) AS text FROM range(5000) r(i)")
    with sqlite3.connect(tmp_path / "runs.db") as sqlite:
        sqlite.execute("CREATE TABLE t (text)")
        sqlite.execute("INSERT INTO t VALUES (?)", [word])
    sqlite.close()
    (tmp_path / f"{word}.empty").touch()
    assert len(found_in(tmp_path, words)) == 7


# ---------------------------------------------------------------------------------------------------------------------
# A host that signs its addresses, takes the webhook's posts, and stands in for a proxy


@dataclass
class Host:
    """What was asked of it and sent to it; `told` are the bodies of the webhook."""

    port: int
    files: dict[str, bytes] = field(default_factory=dict)
    told: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    proxied_as: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked.append(self.path)
            content = known.files.get(urlsplit(self.path).path)
            self._send(403 if content is None else 200, content or b"")

        def do_POST(self) -> None:
            known.asked.append(self.path)
            known.told.append(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(404, b"")

        def do_CONNECT(self) -> None:
            known.proxied_as.add(self.headers.get("Proxy-Authorization", ""))
            self._send(407, b"")

        def _send(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/csv")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = Host(server.server_address[1])
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield known
    server.shutdown()
    server.server_close()


def secrets_of(host: Host) -> dict[str, str]:
    """Settings that hold a secret, for every night."""
    proxy = f"http://somebody:{SECRETS['password of the proxy']}@127.0.0.1:{host.port}"
    return {
        night_status.WEBHOOK_VARIABLE: f"{host.address}/hooks/{SECRETS['token of the webhook']}",
        "AWS_ACCESS_KEY_ID": SECRETS["identity of the store"],
        "AWS_SECRET_ACCESS_KEY": SECRETS["key of the store"],
        "AWS_SESSION_TOKEN": SECRETS["session of the store"],
        "HTTPS_PROXY": proxy,
        "https_proxy": proxy,
        "no_proxy": "127.0.0.1",
        "CARE_NUMBERS_FETCH_HOSTS": "storage.example",
    }


# ---------------------------------------------------------------------------------------------------------------------
# Nights on fetched files: one that publishes, and those that fail


@dataclass
class Nights:
    """A raw folder, an output folder, and what the nights on them said."""

    folder: Path
    imitation: Imitation
    host: Host
    environment: dict[str, str]

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def night(self, **changed: str) -> Ended:
        environment = self.environment | changed
        with pytest.MonkeyPatch.context() as patch:
            full = settings.load()
            few = replace(full.regression, resampling_draws=99, curve_draws=19, moran_draws=19)
            patch.setattr(settings, "load", lambda: replace(full, regression=few))
            return care_numbers("night", "--data", "published", "--out", self.out, environment=environment)

    def status(self) -> str:
        return (self.out / "status.json").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def nights(demonstration: FinishedRun, host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    """The newest rates come from a signed address, those before from one that is closed, old estimates by a proxy."""
    folder = tmp_path_factory.mktemp("confidential")
    offers, others = of_folder(demonstration.data)
    for path in others:
        target = folder / "by_hand" / path.relative_to(demonstration.data)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    host.files["/signed.csv"] = offers.release(LOOKED_AFTER, "2025").data_set(RATES).content
    ways = {
        (LOOKED_AFTER, "2025", RATES): f"{host.address}/signed.csv?sig={SECRETS['signature of a file']}",
        (LOOKED_AFTER, "2024", RATES): f"{host.address}/closed.csv?sig={SECRETS['signature of a closed file']}",
        (IN_NEED, "2021", ESTIMATES): f"https://storage.example/a.csv?sig={SECRETS['signature behind the proxy']}",
    }
    with Imitation(offers) as imitation:
        for (publication, slug, name), address in ways.items():
            data_set = offers.release(publication, slug).data_set(name)
            for part in (data_set.id, data_set.file_id):
                imitation.spoil(part, faults.redirect(address, 302))
        environment = imitation.base_urls() | secrets_of(host) | {places.RAW_VARIABLE: str(folder / "raw")}
        found = Nights(folder, imitation, host, environment)
        ended = care_numbers("import", folder / "by_hand", environment=environment)
        assert ended.code == 0, ended.err
        yield found
        found.imitation.mend()


@pytest.fixture(scope="module")
def published(nights: Nights) -> Ended:
    return nights.night()


def test_a_night_that_publishes_tells_no_secret(nights: Nights, published: Ended) -> None:
    assert published.code == 0, published.err
    assert json.loads(nights.status())["last_night"]["result"] == night_status.PUBLISHED
    assert in_terminal(published) == []
    assert found_in(nights.folder, SECRETS) == []
    assert in_texts(list(of_duckdb(nights.out / "care_numbers.duckdb")), SECRETS) == []


def test_the_secrets_were_used_and_what_was_refused_is_told(nights: Nights, published: Ended) -> None:
    """Else nothing would have been tried: the signed file came, the closed one did not, the proxy was told who asks."""
    asked = " ".join(nights.host.asked)
    assert SECRETS["signature of a file"] in asked and SECRETS["signature of a closed file"] in asked
    assert any(header.startswith("Basic ") for header in nights.host.proxied_as)
    said = published.out + nights.status()
    assert "/closed.csv?sig=" in said and "storage.example" in said, said
    lock = (nights.folder / "raw" / "sources.lock.json").read_text(encoding="utf-8")
    assert f"{nights.host.address}/signed.csv" in lock


def test_a_night_that_fails_in_the_graph_tells_no_secret(nights: Nights, published: Ended) -> None:
    """An amended release contradicts itself, a check stops the night, and the webhook refuses the post."""
    release = nights.imitation.offers.release(LOOKED_AFTER, "2025")
    nights.host.files["/signed.csv"] = with_more_children(release.data_set(RATES).content, year=2025, children=90000)
    release.amend(RATES, nights.host.files["/signed.csv"])
    ended = nights.night()
    last = json.loads(nights.status())["last_night"]
    assert (ended.code, last["result"]) == (1, night_status.FAILED), ended.err
    assert last["told"] == "not told: the webhook answered with HTTP 404"
    assert nights.host.told and SECRETS["token of the webhook"] in " ".join(nights.host.asked)
    assert in_texts(nights.host.told, SECRETS) == []
    assert in_terminal(ended) == []
    assert found_in(nights.folder, SECRETS) == []


@pytest.mark.parametrize(
    "address",
    [
        f"https://somebody:{SECRETS['password in a base address']}@mirror.example/www",
        f"https://mirror.example/www?token={SECRETS['token in a base address']}",
        f"ftp://somebody:{SECRETS['password in a base address']}@mirror.example/www",
    ],
)
def test_a_night_with_a_secret_in_a_setting_that_takes_none(nights: Nights, published: Ended, address: str) -> None:
    ended = nights.night(GOVUK_URL=address)
    assert ended.code == 1 and "GOVUK_URL" in ended.err
    assert in_terminal(ended) == []
    assert found_in(nights.folder, SECRETS) == []


def test_a_webhook_that_is_not_there_is_told_without_its_address(nights: Nights, published: Ended) -> None:
    gone = f"http://127.0.0.1:{free_port()}/hooks/{SECRETS['token of the webhook']}"
    ended = nights.night(GOVUK_URL="nowhere", **{night_status.WEBHOOK_VARIABLE: gone})
    last = json.loads(nights.status())["last_night"]
    assert ended.code == 1 and last["told"].startswith("not told: the webhook cannot be reached")
    assert in_terminal(ended) == []
    assert found_in(nights.folder, SECRETS) == []


def test_what_a_library_says_of_a_fault_is_cleared(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that names its whole connection string, say; and a person who asks for the traceback takes it as it is."""
    told = f"could not connect to postgresql://ann:{SECRETS['password of PostgreSQL']}@db.example/runs"

    def fails(*_: object, **__: object) -> None:
        raise ConnectionError(told)

    monkeypatch.setattr("assets.in_process._execute", fails)
    monkeypatch.setattr("pipeline.news.code_sha256", lambda: "0" * 64)
    with contextlib.suppress(ConnectionError):
        nights.night(CARE_NUMBERS_POSTGRES_PASSWORD=SECRETS["password of PostgreSQL"], CARE_NUMBERS_NIGHT_FETCH="off")
    assert "could not connect to postgresql://ann:\\u2026@db.example" in nights.status()
    assert found_in(nights.folder, SECRETS) == []


# ---------------------------------------------------------------------------------------------------------------------
# Nights with PostgreSQL


def _why_not() -> str | None:
    """Why there is no server with the role whose password is a mark."""
    try:
        import psycopg2

        psycopg2.connect(
            host=HOST, port=PORT, user=ROLE, password=SECRETS["password of PostgreSQL"], dbname="postgres",
            connect_timeout=2,
        ).close()  # fmt: skip
    except ImportError:
        return "the extra care-numbers[postgres] is not installed"
    except psycopg2.OperationalError as error:
        return f"no PostgreSQL server with the role {ROLE}, which .ci/postgres.sh makes ({str(error).splitlines()[0]})"
    return None


needs_server = pytest.mark.skipif(_why_not() is not None, reason=str(_why_not()))


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    """The environment that names an empty database of the test's own."""
    with postgres_server.database(ROLE, SECRETS["password of PostgreSQL"]) as environment:
        yield environment


@pytest.fixture
def broken_files(demonstration: FinishedRun, tmp_path: Path) -> Path:
    """The demonstration country's files with a cell that its reader refuses, so that a night ends in its first seconds."""
    files = tmp_path / "files"
    shutil.copytree(demonstration.data, files)
    table = PublishedTable(files, "children_looked_after/2025/" + RATES)
    table.set(table.last_row, "children_count", "q")
    table.write()
    return files


def stored(server: Mapping[str, str]) -> list[bytes]:
    """Every row of every table as text."""
    import psycopg2

    connection = psycopg2.connect(
        host=HOST, port=PORT, user=ROLE, password=SECRETS["password of PostgreSQL"],
        dbname=server["CARE_NUMBERS_POSTGRES_DATABASE"],
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        texts = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            texts += [row[0].encode() for row in cursor.fetchall()]
    connection.close()
    return texts


@needs_server
def test_with_postgresql_a_failed_night_leaves_no_secret_in_the_event_store(
    server: dict[str, str], broken_files: Path, host: Host, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    environment = server | secrets_of(host)
    ended = care_numbers_process("night", "--data", broken_files, "--out", out, environment=environment)
    assert ended.code == 1 and RATES in ended.err
    texts = stored(server)
    assert any(b"STEP_FAILURE" in text for text in texts)
    assert in_texts(texts, SECRETS) == []
    assert in_terminal(ended) == []
    assert found_in(out, SECRETS) == []


@needs_server
def test_a_daemon_shows_no_secret_in_its_log_or_its_command_lines(
    server: dict[str, str], broken_files: Path, host: Host, tmp_path: Path
) -> None:
    """Everybody on the machine may read the command line of a process."""
    log, out = tmp_path / "daemon.log", tmp_path / "out"
    arguments = (program("care-numbers"), "daemon", "--data", broken_files, "--out", out)
    with running(*arguments, cwd=tmp_path, log=log, environment=server | secrets_of(host)) as service:
        service.wait_until(lambda: "Instance is configured with the following daemons" in service.said)
        service.wait_until(lambda: len(service.processes()) > 1)
        lines = [Path("/proc", str(pid), "cmdline").read_bytes() for pid in service.processes()]
    assert any(b"grpc" in line for line in lines)
    assert in_texts(lines, SECRETS) == []
    assert in_texts([log.read_bytes()], SECRETS) == []
    assert found_in(out, SECRETS) == []


def settings_of_server(**changed: str) -> dict[str, str]:
    return {
        places.POSTGRES_VARIABLE: HOST,
        "CARE_NUMBERS_POSTGRES_PORT": str(PORT),
        "CARE_NUMBERS_POSTGRES_USER": ROLE,
        "CARE_NUMBERS_POSTGRES_PASSWORD": SECRETS["password of PostgreSQL"],
        "CARE_NUMBERS_POSTGRES_DATABASE": "there_is_none",
    } | {f"CARE_NUMBERS_POSTGRES_{name}": value for name, value in changed.items()}


@pytest.fixture
def empty_files(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    (tmp_path / "out" / "dagster_home").mkdir(parents=True)  # without one the status does not ask the server
    return tmp_path / "files"


@pytest.mark.parametrize("command", ["night", "status", "run", "ui", "daemon"])
def test_a_database_server_that_is_down_is_told_in_a_sentence(
    command: str, empty_files: Path, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and without the password; Dagster alone tries for a quarter of a minute and ends with a traceback."""
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("a service was started"))
    out = empty_files.parent / "out"
    environment = secrets_of(host) | settings_of_server(PORT=str(free_port()))
    ended = care_numbers(command, "--data", empty_files, "--out", out, environment=environment)
    assert ended.code == 1 and f"the PostgreSQL server at {HOST}:" in ended.refusal
    assert in_terminal(ended) == []
    assert found_in(out, SECRETS) == []


@needs_server
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "there_is_none"),
        ({"USER": "nobody_of_that_name"}, "nobody_of_that_name"),
        ({"PASSWORD": "wrong-canary"}, ROLE),
    ],
    ids=["no-database", "no-role", "wrong-password"],
)
def test_a_server_that_does_not_let_us_in_is_told_in_a_sentence(
    changed: dict[str, str], said: str, empty_files: Path, host: Host
) -> None:
    out = empty_files.parent / "out"
    environment = secrets_of(host) | settings_of_server(**changed)
    ended = care_numbers("status", "--data", empty_files, "--out", out, environment=environment)
    assert ended.code == 1 and said in ended.refusal
    assert in_texts([ended.err.encode()], SECRETS | {"the wrong one": "wrong-canary"}) == []


def test_a_setting_that_is_missing_is_named(empty_files: Path) -> None:
    out = empty_files.parent / "out"
    environment = {places.POSTGRES_VARIABLE: HOST, "CARE_NUMBERS_POSTGRES_PORT": str(PORT)}
    ended = care_numbers("status", "--data", empty_files, "--out", out, environment=environment)
    assert ended.code == 1 and "CARE_NUMBERS_POSTGRES_PASSWORD" in ended.refusal
