"""What is published stays whole: under kill -9, under readers, in other versions of DuckDB, on another day.

The publications are those of a small invented country in two states, A and B, which any mixture would give away. What
releases are is tested in `pipeline/test_releases`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline import durable, places, publish, release_folder, releases
from tests.fixtures import small_country as small
from tests.whole_runs import publishing
from tests.whole_runs.publishing import Publisher
from tests.whole_runs.running import PROJECT, FinishedRun, care_numbers, reading, rows, tables_that_differ

pytestmark = pytest.mark.whole

SQL = places.sql_folder()
NAME = "care_numbers.duckdb"
# In state B there are twice as many children looked after, and the rates follow.
QUERIES = (
    "SELECT sum(looked_after)::BIGINT FROM main.care_numbers",
    "SELECT sum(looked_after_end)::BIGINT FROM main.five_year_change",
    "SELECT sum(looked_after_end)::BIGINT FROM main.bucking_the_trend JOIN main.five_year_change"
    " USING (window_start, window_end, unit_name)",
)
A, B = [1050, 550, 550], [2100, 1100, 1100]  # 500 and 550 children at the two ends, and twice that
KILLS, SWAPS, READERS = 50, 100, 8


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The finished frames of both states."""
    return small.write_two_states(tmp_path_factory.mktemp("states"), ("a", "b"))


def answers(database: Path) -> list[int]:
    return [rows(database, query)[0][0] for query in QUERIES]


def told(database: Path, named: str) -> str:
    return rows(database, f"SELECT value FROM about.run WHERE property = '{named}'")[0][0]


def hidden(out: Path) -> list[str]:
    """What is begun and not finished, anywhere in an output folder."""
    return sorted(path.name for path in out.rglob(".*") if path.name != ".publishing.lock")


# ---------------------------------------------------------------------------------------------------------------------
# Killed


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    started = Publisher(tmp_path / NAME, SQL)
    yield started
    publishing.end([started.process])


class Judge:
    """Holds the published database to "wholly old or wholly new" after each attempt to publish."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.shown = told(database, "run_id")
        self.checks = [file.read_text(encoding="utf-8") for file in sorted((SQL / "checks").glob("*.sql"))]

    def judge(self, run_id: str) -> bool:
        """Whether the new publication is shown; run ids end with the name of their state."""
        before = self.shown
        with reading(self.database) as opened:
            ((self.shown,),) = opened.execute("SELECT value FROM about.run WHERE property = 'run_id'").fetchall()
            found = [opened.execute(query).fetchall()[0][0] for query in QUERIES]
            broken = [opened.execute(check).fetchall() for check in self.checks]
        assert self.shown in (before, run_id)
        assert found == (A if self.shown.endswith("a") else B)
        assert not any(broken)
        latest = self.database.parent / "releases" / "latest"
        assert told(latest / NAME, "run_id") in (before, run_id)
        return self.shown == run_id

    def judge_all(self) -> None:
        """Every release that has a name is whole, and nothing else is left."""
        for name in releases.names(self.database):
            release_folder.prove(releases.shelf(self.database) / str(name))
        releases.prove_shown(self.database)
        assert hidden(self.database.parent) == []


def test_killed_at_any_moment(tmp_path: Path, frames: dict[str, Path], publisher: Publisher) -> None:
    """Fifty times, at random over a little more than the time that the quickest publication took."""
    database = tmp_path / NAME
    assert publisher.publish(frames["a"], "first a")
    begun = time.monotonic()
    assert publisher.publish(frames["b"], "second b")
    whole = time.monotonic() - begun
    judge, moments, killed, attempt = Judge(database), random.Random(20300311), 0, 0
    while killed < KILLS:
        attempt += 1
        state = "ab"[attempt % 2]
        run_id = f"{attempt} {state}"
        begun = time.monotonic()
        ended = publisher.publish(frames[state], run_id, kill_after=moments.uniform(0, 1.1 * whole))
        whole = min(whole, time.monotonic() - begun) if ended else whole
        killed += not ended
        assert judge.judge(run_id) or not ended
        assert attempt < 4 * KILLS, "publications end before they can be killed"
    assert publisher.publish(frames["a"], "last a")
    assert judge.judge("last a")
    judge.judge_all()


def test_killed_before_each_change_of_a_name(tmp_path: Path, frames: dict[str, Path], publisher: Publisher) -> None:
    """Every order in which names can be left, without exception: made, renamed, linked and removed, one step after another.

    From the folder's own renaming on, the new release is published, whatever is left to do.
    """
    database = tmp_path / NAME
    assert publisher.publish(frames["a"], "first a")
    judge, step, ended, shown = Judge(database), 0, False, []
    while not ended:
        state = "ba"[step % 2]
        run_id = f"{step} {state}"
        before = len(releases.names(database))
        ended = publisher.publish(frames[state], run_id, kill_at=step)
        shown.append(judge.judge(run_id))
        was_put = len(releases.names(database)) > before
        releases.heal(database)
        assert judge.judge(run_id) == was_put
        assert hidden(tmp_path) == []
        step += 1
    assert (
        step > 7 and shown[-1]
    )  # three folders made, the release renamed, the link made and renamed, the database renamed
    assert not any(shown[:4])
    judge.judge_all()


# ---------------------------------------------------------------------------------------------------------------------
# Read


@pytest.fixture
def prepared(tmp_path: Path, frames: dict[str, Path]) -> dict[str, Path]:
    """The finished release folders of both states, to be published again and again without building them."""
    for name in ("a", "b"):
        publish.publish(tmp_path / name / NAME, frames[name], SQL, {"run_id": name}, is_fictional=True)
    return {name: (tmp_path / name / "releases" / "latest").resolve() for name in ("a", "b")}


def publish_prepared(database: Path, release: Path) -> None:
    """The steps of a publication but for the build: put, show, log."""
    with durable.only_one(releases.lock_file(database)):
        releases.heal_locked(database)
        building = releases.begin(database)
        os.link(release / NAME, building / NAME)
        releases.stage(building / NAME, database)
        name = releases.next_name(database, dt.date(2030, 3, 11))
        releases.put(building, database, name)
        releases.show_current(database)
        releases.log(database, "published", release=str(name))


def test_eight_readers_see_no_error_and_no_mixture_through_a_hundred_publications(
    tmp_path: Path, prepared: dict[str, Path]
) -> None:
    """They open the published file and, by way of `latest`, the release; a ninth keeps its first connection open."""
    database, stop, queries = tmp_path / "out" / NAME, tmp_path / "stop", json.dumps(QUERIES)
    database.parent.mkdir()
    publish_prepared(database, prepared["a"])
    held = publishing.holder(database, queries)
    started = []
    try:
        assert publishing.answer(held) == json.dumps(A)
        started = publishing.readers(READERS, database, stop, queries)
        for swap in range(1, SWAPS + 1):
            publish_prepared(database, prepared["ab"[swap % 2]])
        stop.touch()
        found = [json.loads(reader.stdout.readline()) for reader in started]
        assert publishing.answer(held) == json.dumps(A)
    finally:
        publishing.end([held, *started])
    assert [reader.returncode for reader in started] == [0] * READERS
    assert len(releases.names(database)) == SWAPS + 1
    allowed = {json.dumps(A), json.dumps(B)}
    assert all(set(seen) <= allowed for _, seen in found)
    assert {state for _, seen in found for state in seen} == allowed
    assert all(rounds > 1 for rounds, _ in found)


# ---------------------------------------------------------------------------------------------------------------------
# Other versions of DuckDB

OPENS = """
import json, sys
import duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
tables = connection.execute("SELECT schema_name || '.' || table_name, row_count FROM about.tables").fetchall()
for name, row_count in tables:
    assert len(connection.execute(f"FROM {name}").fetchall()) == row_count, name
for query in json.loads(sys.argv[2]):
    connection.execute(query).fetchall()
print(duckdb.__version__, len(tables))
"""


def other_duckdb(version: str, folder: Path) -> Path:
    """A folder with that version of DuckDB; made once and kept in the cache of the tests. Skips where none can be had."""
    packages = folder / "packages"
    if not packages.exists():
        beside = folder / f"packages.{os.getpid()}"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
                   "--retries", "0", "--only-binary", ":all:", "--no-deps", "--target", beside,
                   f"duckdb=={version}"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"DuckDB {version} cannot be had here: {done.stderr.strip().splitlines()[-1][:200]}")
        beside.rename(packages)
    return packages


@pytest.mark.parametrize("version", ["1.2.2", "2.0.1"])
def test_it_opens_and_everything_answers_in_duckdb(
    version: str, demonstration: FinishedRun, pytestconfig: pytest.Config
) -> None:
    """Every table, view, check and example question."""
    environment = dict(os.environ)
    if duckdb.__version__ != version:
        cache = pytestconfig.cache
        assert cache is not None
        environment["PYTHONPATH"] = str(other_duckdb(version, cache.mkdir(f"duckdb-{version}-{sys.version_info[1]}")))
    queries = [file.read_text(encoding="utf-8") for file in sorted(SQL.glob("*/*.sql")) if file.parent.name != "views"]
    done = subprocess.run(
        [sys.executable, "-c", OPENS, str(demonstration.database), json.dumps(queries)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ((tables,),) = rows(demonstration.database, "SELECT count(*) FROM about.tables")
    assert done.stdout.split() == [version, str(tables)]


# ---------------------------------------------------------------------------------------------------------------------
# The same inputs


def test_the_same_files_on_another_day_give_the_same_database(demonstration: FinishedRun, tmp_path: Path) -> None:
    """A year and more later; all that differs is what tells of the run."""
    time_machine = pytest.importorskip("time_machine", reason="time-machine is not installed, which turns the clock")
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=400)
    with time_machine.travel(later, tick=True):
        ended = care_numbers("run", "--data", "demo", "--out", tmp_path)
    assert ended.code == 0, ended.err
    workspace = places.workspace("demo", str(tmp_path))
    assert tables_that_differ(demonstration.database, workspace.database) == []
    assert told(workspace.database, "published_at")[:10] == later.date().isoformat()
    assert told(workspace.database, "release") == f"{later.date().isoformat()}-1"
    first, second = (dict(rows(file, "FROM about.run")) for file in (demonstration.database, workspace.database))
    differing = {name for name in first | second if first.get(name) != second.get(name)}
    # The code is the same unless somebody is at work on it while the tests run.
    assert differing - {"code_sha256"} == {"run_id", "published_at", "release"}


# ---------------------------------------------------------------------------------------------------------------------
# The commands


@pytest.fixture
def two_releases(tmp_path: Path, frames: dict[str, Path]) -> Path:
    """An output folder for `--out` with two releases of the demonstration's workspace."""
    database = places.workspace("demo", str(tmp_path)).database
    for day, name in ((11, "a"), (12, "b")):
        facts = {"run_id": name, "published_at": f"2030-03-{day}T03:00:00+00:00"}
        publish.publish(database, frames[name], SQL, facts, is_fictional=True, today=dt.date(2030, 3, day))
    return tmp_path


def command(out: Path, *arguments: str):
    return care_numbers(*arguments, "--data", "demo", "--out", out)


def test_the_list_of_releases(two_releases: Path) -> None:
    lines = command(two_releases, "releases", "--pin", "2030-03-11-1").out.splitlines()
    assert [line.split()[0] for line in lines] == ["2030-03-12-1", "2030-03-11-1"]
    assert lines[0].endswith("shown") and lines[1].endswith("pinned")
    as_json = json.loads(command(two_releases, "releases", "--unpin", "2030-03-11-1", "--json").out)
    assert [(one["release"], one["is_shown"], one["is_pinned"]) for one in as_json["releases"]] == [
        ("2030-03-12-1", True, False),
        ("2030-03-11-1", False, False),
    ]
    assert as_json["rollback"] is None


def test_before_the_first_release_the_list_says_what_to_do(tmp_path: Path) -> None:
    assert "care-numbers run" in command(tmp_path, "releases").out
    ended = command(tmp_path, "verify")
    assert (ended.code, "there are none yet" in ended.refusal) == (1, True)


def test_a_release_is_verified(two_releases: Path) -> None:
    ended = command(two_releases, "verify")
    assert ended.code == 0
    assert ended.out.startswith("Release 2030-03-12-1 is intact") and "care_numbers.duckdb" in ended.out
    assert json.loads(command(two_releases, "verify", "2030-03-11-1", "--json").out)["release"] == "2030-03-11-1"


def test_a_changed_release_is_refused_with_exit_code_1(two_releases: Path) -> None:
    file = two_releases / "demo" / "releases" / "2030-03-11-1" / "datapackage.json"
    file.chmod(0o644)
    file.write_text("{}", encoding="utf-8")
    ended = command(two_releases, "verify", "2030-03-11-1")
    assert (ended.code, "datapackage.json has other bytes" in ended.refusal) == (1, True)


def test_going_back_and_forth(two_releases: Path) -> None:
    ended = command(two_releases, "rollback", "2030-03-11-1", "--reason", "a look at [yesterday]")
    assert ended.code == 0
    assert "instead of 2030-03-12-1 (a look at [yesterday])" in ended.out
    assert answers(two_releases / "demo" / NAME) == A
    assert "Rolled back: release 2030-03-11-1 is shown" in command(two_releases, "releases").out
    assert "no rollback is in force" in command(two_releases, "rollback", "2030-03-12-1").out
    assert answers(two_releases / "demo" / NAME) == B
    assert command(two_releases, "rollback", "2030-01-01-1").code == 1


HOLDS = """
import sys
from pathlib import Path
from pipeline import run_lock
run_lock.hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
"""


def test_nobody_goes_back_while_a_run_is_under_way(two_releases: Path) -> None:
    """It would publish over the rollback a moment later."""
    running = publishing.process(HOLDS, two_releases / "demo")
    try:
        assert running.stdout.readline() == "held\n"
        ended = command(two_releases, "rollback", "2030-03-11-1")
    finally:
        publishing.end([running])
    assert (ended.code, "another run is under way" in ended.refusal) == (1, True)
    assert answers(two_releases / "demo" / NAME) == B


def test_the_examples_of_the_readers_page_run(
    demonstration: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (PROJECT / "docs" / "querying.md").read_text(encoding="utf-8")
    snippets = [snippet for snippet in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "s3://" not in snippet]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "processed").symlink_to(demonstration.database.parent)
    monkeypatch.chdir(tmp_path)
    for snippet in snippets:
        found: dict[str, object] = {}
        exec(compile(snippet, "querying.md", "exec"), found)
        assert len(found["counts"]) > 100
    assert len(snippets) == 2


def test_a_run_names_its_release(demonstration: FinishedRun) -> None:
    release = told(demonstration.database, "release")
    assert f"Release   {release} " in demonstration.ended.out
    assert (demonstration.workspace.releases / release / "parquet" / "main.care_numbers.parquet").is_file()
    assert release_folder.prove(demonstration.workspace.releases / release).release == release
    assert PROJECT not in demonstration.workspace.releases.parents
