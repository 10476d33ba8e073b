"""Runs whose folders are by URL: the same results as in a folder, whole to every reader, whatever is killed.

The object store is moto's imitation of S3 on this machine; a folder by `file://` is held to the same. Single writes that
are the last one, and the rules of releases, are in `pipeline/test_releases_by_url`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest

from pipeline import checksums, places, publish, release_folder, releases_by_url, shelves, stores
from pipeline.places import Workspace
from pipeline.releases import Name
from pipeline.releases_by_url import POINTER, Shelf
from tests.fixtures import small_country as small
from tests.fixtures.object_store import SECRET, ObjectStore, bucket_of
from tests.whole_runs.running import PROJECT, Ended, FinishedRun, care_numbers, environment_of, rows, tables_that_differ

pytestmark = pytest.mark.whole

SQL = places.sql_folder()
DAY = dt.date(2030, 3, 11)
FIRST, SECOND = Name(DAY, 1), Name(DAY, 2)
A, B = 550, 1100  # children at the end of the window in the two states
CHILDREN = "SELECT sum(looked_after_end)::BIGINT FROM main.five_year_change"
SWAPS, KILLED_AT = 6, (1, 40)


# ---------------------------------------------------------------------------------------------------------------------
# A whole run


@dataclass(frozen=True)
class RunByUrl:
    """The run on the demonstration country with everything by URL."""

    bucket: str
    copies: Path
    ended: Ended

    @property
    def choice(self) -> tuple[str, ...]:
        return ("--data", f"{self.bucket}/raw", "--out", f"{self.bucket}/out")

    @property
    def workspace(self) -> Workspace:
        return places.workspace(f"{self.bucket}/raw", f"{self.bucket}/out")


@pytest.fixture(scope="module")
def by_url(
    object_store: ObjectStore, demonstration: FinishedRun, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunByUrl]:
    copies = tmp_path_factory.mktemp("by_url")
    with bucket_of(object_store, copies) as bucket:
        files = [path for path in demonstration.data.rglob("*") if path.is_file()]
        stores.of(f"{bucket}/raw").upload({path.relative_to(demonstration.data).as_posix(): path for path in files})
        ended = care_numbers("run", "--data", f"{bucket}/raw", "--out", f"{bucket}/out")
        yield RunByUrl(bucket, copies, ended)


def test_a_run_by_url_has_the_results_of_the_local_one(by_url: RunByUrl, demonstration: FinishedRun) -> None:
    assert by_url.ended.code == 0, by_url.ended.err
    assert tables_that_differ(by_url.workspace.database, demonstration.database) == []


def test_its_frames_are_in_the_store(by_url: RunByUrl, demonstration: FinishedRun) -> None:
    workspace = by_url.workspace
    there = {name: found.bytes for name, found in stores.of(workspace.frames_url or "").listed().items()}
    assert there == {path.name: path.stat().st_size for path in workspace.frames.iterdir()}
    assert there.keys() == {path.name for path in demonstration.frames.iterdir()}


def test_it_says_where_the_release_is(by_url: RunByUrl) -> None:
    shelf = releases_by_url.of(by_url.workspace)
    assert shelf is not None
    assert f"Parquet   {by_url.bucket}/out/demo/releases/{shelf.current()}/parquet" in by_url.ended.out


def test_it_is_proved_on_a_machine_that_never_saw_it(
    by_url: RunByUrl, demonstration: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(places.COPIES_VARIABLE, str(tmp_path))
    proved, local = (
        care_numbers("verify", *by_url.choice),
        care_numbers("verify", "--data", "demo", "--out", demonstration.out),
    )
    assert proved.code == 0, proved.err
    told = proved.out.split("is intact: ")[1].split(" sha256")[0]
    assert told == local.out.split("is intact: ")[1].split(" sha256")[0]
    assert f"It is what {by_url.bucket}/out/demo/releases shows." in proved.out
    authority = rows(demonstration.database, "SELECT min(la_code) FROM main.care_numbers")[0][0]
    here = care_numbers("profile", authority, *by_url.choice, "--json")
    assert here.out == care_numbers("profile", authority, "--data", "demo", "--out", demonstration.out, "--json").out


def test_the_night_after_it_finds_no_news_wherever_it_runs(
    by_url: RunByUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(places.COPIES_VARIABLE, str(tmp_path))
    night = care_numbers("night", *by_url.choice)
    assert (night.code, night.out.startswith("No news since ")) == (0, True), night.out + night.err
    assert len(shelves.of(by_url.workspace).listed()) == 1


def test_nothing_of_it_holds_the_key_of_the_store(by_url: RunByUrl) -> None:
    told = [by_url.ended.out.encode(), by_url.ended.err.encode()]
    store = stores.of(by_url.bucket)
    told += store.read_all([name for name in store.listed() if not name.startswith("raw/")]).values()
    told += [path.read_bytes() for path in by_url.copies.rglob("*") if path.is_file()]
    assert len(told) > 300
    assert not [text[:80] for text in told if SECRET.encode() in text]


def test_a_folder_by_file_url_is_that_folder(demonstration: FinishedRun) -> None:
    """The same code, so that one look is enough."""
    choice = ("--data", "demo", "--out")
    by_path = care_numbers("verify", *choice, demonstration.out)
    assert by_path.code == 0 and care_numbers("verify", *choice, demonstration.out.as_uri()) == by_path
    listed = care_numbers("releases", "--json", *choice, demonstration.out)
    assert care_numbers("releases", "--json", *choice, demonstration.out.as_uri()) == listed


# ---------------------------------------------------------------------------------------------------------------------
# Releases, by the commands: in a store and in a folder by file://


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return small.write_two_states(tmp_path_factory.mktemp("states"), ("a", "b"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, frames: dict[str, Path]) -> Path:
    """Both states as releases in a folder."""
    out = places.workspace("demo", str(tmp_path_factory.mktemp("made")))
    for state in "ab":
        _publish(out, frames[state])
    return out.releases


def _publish(workspace: Workspace, frames_folder: Path) -> None:
    publish.publish(
        workspace.database,
        frames_folder,
        SQL,
        {"country": "Sarnland", "published_at": "2030-03-11T03:00:00+00:00", "inputs_sha256": "7" * 64},
        is_fictional=True,
        today=DAY,
        elsewhere=releases_by_url.of(workspace),
    )


@pytest.fixture(params=["s3", "file"])
def out_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"{request.getfixturevalue('bucket')}/out" if request.param == "s3" else (tmp_path / "out").as_uri()


def test_the_commands_of_releases_by_url(out_url: str, frames: dict[str, Path]) -> None:
    choice = ("--data", "demo", "--out", out_url)
    workspace = places.workspace("demo", out_url)
    assert "There are no releases yet" in care_numbers("releases", *choice).out
    for state in "ab":
        _publish(workspace, frames[state])
    listed = json.loads(care_numbers("releases", "--json", *choice).out)["releases"]
    assert [(one["release"], one["is_shown"]) for one in listed] == [(str(SECOND), True), (str(FIRST), False)]
    assert care_numbers("verify", *choice).code == 0
    assert care_numbers("verify", str(FIRST), *choice).code == 0
    assert rows(workspace.database, CHILDREN) == [(B,)]

    back = care_numbers("rollback", str(FIRST), "--reason", "a fault", *choice)
    assert back.code == 0 and f"release {FIRST} is shown since" in back.out
    assert rows(workspace.database, CHILDREN) == [(A,)]
    assert care_numbers("verify", *choice).code == 0
    assert f"release {FIRST} is shown since" in care_numbers("status", *choice).out
    assert care_numbers("rollback", str(SECOND), *choice).code == 0
    assert rows(workspace.database, CHILDREN) == [(B,)]

    assert "pinned" in care_numbers("releases", "--pin", str(FIRST), *choice).out
    assert "pinned" not in care_numbers("releases", "--unpin", str(FIRST), *choice).out
    missing = care_numbers("verify", "2031-01-01-1", *choice)
    assert (missing.code, "there is no release 2031-01-01-1" in missing.refusal) == (1, True)


def test_a_store_that_cannot_be_used_is_one_sentence(bucket: str) -> None:
    for command in (("night",), ("verify",), ("status",), ("profile", "701")):
        ended = care_numbers(*command, "--data", "demo", "--out", "s3://no-bucket-of-this-name/out")
        assert (ended.code, "there is no such bucket" in ended.refusal) == (1, True), command
    ended = care_numbers("run", "--data", "s3://no-bucket-of-this-name/raw")
    assert (ended.code, "there is no such bucket" in ended.refusal) == (1, True)
    ended = care_numbers("import", f"{bucket}/nothing")
    assert (ended.code, "no published file is recognised" in ended.refusal) == (1, True)


def test_files_are_registered_by_url(bucket: str, demonstration: FinishedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """From one URL into another, twice; the register is the same for whoever looks."""
    chosen = rows(
        demonstration.database,
        "SELECT file FROM about.sources WHERE origin = 'data_folder'"
        " AND (publication = 'reference' OR layout = 'idaci_upper_tier')",
    )
    arrived = stores.of(f"{bucket}/arrived")
    arrived.upload({name: demonstration.data / name for (name,) in chosen})
    monkeypatch.setenv(places.RAW_VARIABLE, f"{bucket}/registered")
    assert "2 files registered, 0 there already" in care_numbers("import", f"{bucket}/arrived").out
    assert "0 files registered, 2 there already" in care_numbers("import", f"{bucket}/arrived").out
    there = stores.of(f"{bucket}/registered").listed()
    assert len(there) == len(chosen) + 1 and places.REGISTER in there
    assert {name.split("/")[0] for name in there} == {"published", places.REGISTER}


# ---------------------------------------------------------------------------------------------------------------------
# Killed, and read meanwhile


# Uploads the release of a folder under the next free name, each time in a process of its own.
_UPLOADER = """
import datetime as dt, os, sys
from pathlib import Path
import s3fs
from pipeline import places, releases_by_url
shelf = releases_by_url.of(places.workspace("demo", sys.argv[1]))
folder = Path(sys.argv[2])
print(shelf.claim(dt.date.fromisoformat(sys.argv[3])), flush=True)
shelf.put(folder, shelf.claim(dt.date.fromisoformat(sys.argv[3])))
"""

# Follows the pointer and asks two Parquet files of the release, until the file `stop` is there.
_READER = """
import json, sys
from pathlib import Path
import duckdb, fsspec
url, stop = sys.argv[1], Path(sys.argv[2])
files = fsspec.filesystem("s3", use_listings_cache=False)
seen, rounds, is_last = set(), 0, False
while not is_last:
    is_last = stop.exists()
    release = json.loads(files.cat_file(f"{url}/latest.json"))["release"]
    connection = duckdb.connect()
    connection.register_filesystem(files)
    answers = [
        connection.execute(f"SELECT sum({column})::BIGINT FROM read_parquet('{url}/{release}/parquet/{table}.parquet')")
        .fetchall()[0][0]
        for table, column in (("main.five_year_change", "looked_after_end"), ("main.care_numbers", "looked_after"))
    ]
    connection.close()
    seen.add(json.dumps(answers))
    rounds += 1
    if rounds == 1:
        print("reading", flush=True)
print(json.dumps([rounds, sorted(seen)]), flush=True)
"""


def process(program: str, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=PROJECT,
        env=environment_of(),
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def shelf(bucket: str, made: Path) -> Shelf:
    """A store in which state A is shown."""
    found = releases_by_url.of(places.workspace("demo", f"{bucket}/out"))
    assert found is not None
    found.put(made / str(FIRST), FIRST)
    return found


def test_killed_in_the_middle_of_an_upload(shelf: Shelf, bucket: str, made: Path, tmp_path: Path) -> None:
    """`kill -9` when so many objects have arrived; what is seen is the old release, and the next run publishes."""
    for objects in KILLED_AT:
        uploader = process(_UPLOADER, f"{bucket}/out", made / str(SECOND), DAY.isoformat())
        assert uploader.stdout is not None
        claimed = uploader.stdout.readline().strip()
        name = Name(DAY, int(claimed.rpartition("-")[2]) + 1)
        end = time.monotonic() + 30
        while len(shelf.state().of(name)) < objects and uploader.poll() is None and time.monotonic() < end:
            pass
        os.kill(uploader.pid, signal.SIGKILL)
        assert uploader.wait() in (-signal.SIGKILL, 0)
        uploader.stdout.close()
        state = shelf.state()
        assert json.loads(shelf.store.read(POINTER) or b"")["release"] in {str(one) for one in state.names}
        for one in state.names:
            assert checksums.problems(shelf._download(state, one, tmp_path / str(objects))) == []
    before = shelf.state()
    assert len(before.names) + len(before.begun) == 1 + len(KILLED_AT)
    assert before.begun, "no process was killed before it had finished"
    shelf.put(made / str(SECOND), shelf.claim(DAY))
    shown = shelf.state().names[-1]
    assert (str(shown), shelf.current()) == (json.loads(shelf.store.read(POINTER) or b"")["release"], shown)
    assert shown > before.begun[-1] and checksums.problems(shelf._download(shelf.state(), shown, tmp_path)) == []


def test_readers_of_a_store_see_one_publication_or_the_next(shelf: Shelf, made: Path, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    reader = process(_READER, shelf.store.url, stop)
    assert reader.stdout is not None and reader.stdout.readline() == "reading\n"
    for swap in range(SWAPS):
        shelf.put(made / str((SECOND, FIRST)[swap % 2]), shelf.claim(DAY))
    stop.touch()
    rounds, seen = json.loads(reader.stdout.readline())
    reader.stdout.close()
    assert reader.wait() == 0
    assert rounds > 2 and {tuple(json.loads(one)) for one in seen} <= {(A, 1050), (B, 2100)}


# ---------------------------------------------------------------------------------------------------------------------
# What researchers do with it


def test_parquet_is_read_from_the_store_as_the_documentation_says(shelf: Shelf, made: Path) -> None:
    """The snippet as it stands there, by way of fsspec; the extension of DuckDB would have to be downloaded first."""
    page = (PROJECT / "docs" / "querying.md").read_text(encoding="utf-8")
    snippet = page.split("### From an object store")[1].split("```python\n")[1].split("```")[0]
    told = "s3://bucket/care-numbers/releases"
    assert told in snippet
    names: dict[str, Any] = {}
    exec(snippet.replace(told, shelf.store.url), names)
    found = names["counts"][["la_name", "year", "looked_after"]]
    local = made / str(FIRST) / release_folder.DATABASE
    expected = rows(local, "SELECT la_name, year, looked_after FROM main.care_numbers")
    assert sorted(found.itertuples(index=False, name=None)) == sorted(expected)
    assert len(pd.read_parquet(f"{shelf.store.url}/{FIRST}/parquet/main.care_numbers.parquet")) == len(expected)


def test_a_release_is_copied_and_proved_without_this_program(shelf: Shelf, tmp_path: Path) -> None:
    """As its MANIFEST is what `sha256sum -c` reads."""
    fsspec.filesystem("s3").get(f"{shelf.store.url}/{FIRST}/", str(tmp_path / str(FIRST)), recursive=True)
    done = subprocess.run(
        ["sha256sum", "--quiet", "-c", checksums.FILE],
        cwd=tmp_path / str(FIRST),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
