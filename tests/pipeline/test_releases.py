"""Releases: what is in a folder, how it is proved, which one is shown, and what is kept.

The frames are those of a small invented country (`small_country`). Where only names and dates matter, a release is a
folder with a few words in it (`shelf_of`). Killed publications and readers at work are in `whole_runs/test_publications`.
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline import checksums, datapackage, durable, places, publish, release_folder, releases
from pipeline.errors import Refusal
from pipeline.releases import Name, Rollback
from pipeline.tables import catalogue
from tests.fixtures import small_country as small

SQL = places.sql_folder()
FACTS = {"country": "Sarnland", "published_at": "2030-03-11T03:00:00+00:00", "inputs_sha256": "7" * 64}
NAME = "care_numbers.duckdb"
DAY = dt.date(2030, 3, 11)


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write_frames(tmp_path_factory.mktemp("frames"), small.country().results())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, parquet: Path) -> Path:
    """An output folder with two publications of two days, for tests that copy it or only look."""
    out = tmp_path_factory.mktemp("made")
    for day in (DAY, DAY + dt.timedelta(days=1)):
        publish.publish(out / NAME, parquet, SQL, FACTS, is_fictional=True, today=day)
    return out


FIRST, SECOND = "2030-03-11-1", "2030-03-12-1"


@pytest.fixture
def database(tmp_path: Path, made: Path) -> Path:
    """The published database of a copy that a test may change; both releases lie beside it."""
    return Path(shutil.copytree(made, tmp_path / "out", symlinks=True)) / NAME


def rows(file: Path, sql: str) -> list[tuple]:
    connection = duckdb.connect(str(file), read_only=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def history(database: Path) -> list[tuple[str, str]]:
    lines = (database.parent / "releases" / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [(line["action"], line["release"]) for line in map(json.loads, lines)]


def state(database: Path) -> dict[str, str]:
    """Every name below the output folder with what it holds, but for the locks."""
    found = {}
    for path in sorted(database.parent.rglob("*")):
        name = path.relative_to(database.parent).as_posix()
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file() and not name.endswith(".lock"):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


# ---------------------------------------------------------------------------------------------------------------------
# What is in a release


def test_a_publication_leaves_a_release_and_shows_it(made: Path) -> None:
    assert [str(name) for name in releases.names(made / NAME)] == [FIRST, SECOND]
    assert os.readlink(made / "releases" / "latest") == SECOND  # relative: the folder can be moved as a whole
    assert (made / NAME).read_bytes() == (made / "releases" / "latest" / NAME).read_bytes()
    assert history(made / NAME) == [("published", FIRST), ("published", SECOND)]


def test_the_published_file_and_the_release_are_two_files(made: Path) -> None:
    """Whoever writes into the one, past its protection, must not change what a paper cites."""
    assert not (made / NAME).samefile(made / "releases" / SECOND / NAME)


def test_every_file_of_a_release_is_for_reading(made: Path) -> None:
    files = [path for path in (made / "releases" / SECOND).rglob("*") if path.is_file()]
    assert len(files) > len(catalogue.TABLES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o444}


def test_about_run_tells_the_release_and_the_one_before(made: Path) -> None:
    told = [dict(rows(made / "releases" / name / NAME, "FROM about.run")) for name in (FIRST, SECOND)]
    assert [run["release"] for run in told] == [FIRST, SECOND]
    assert [run["release_before"] for run in told] == ["none", FIRST]


@pytest.mark.parametrize("table", catalogue.TABLES, ids=lambda table: table.full_name)
def test_the_parquet_files_hold_what_the_database_holds(made: Path, table) -> None:
    folder = made / "releases" / SECOND
    file = f"read_parquet('{folder / 'parquet' / table.full_name}.parquet')"
    connection = duckdb.connect(str(folder / NAME), read_only=True)
    try:
        for one, other in ((table.full_name, file), (file, table.full_name)):
            assert connection.execute(f"FROM {one} EXCEPT ALL FROM {other}").fetchall() == []
        types = "SELECT column_name, column_type FROM (DESCRIBE FROM {})"
        assert (
            connection.execute(types.format(file)).fetchall()
            == connection.execute(types.format(table.full_name)).fetchall()
        )
    finally:
        connection.close()


def test_pandas_reads_whole_numbers_as_whole_numbers(made: Path) -> None:
    """A number that may be missing would else come back with a decimal point."""
    frame = pd.read_parquet(made / "releases" / SECOND / "parquet" / "main.care_numbers.parquet")
    assert frame["uasc"].isna().any() and frame["uasc"].dtype == "Int64"


def test_a_parquet_file_tells_where_it_is_from(made: Path) -> None:
    file = made / "releases" / SECOND / "parquet" / "core.population.parquet"
    told = pq.read_metadata(file).metadata
    table = catalogue.BY_NAME["core.population"]
    assert told[b"comment"].decode() == publish.FICTIONAL_PREFIX + table.comment
    assert told[b"grain"].decode() == table.grain
    assert (told[b"release"], told[b"is_fictional"]) == (SECOND.encode(), b"true")
    assert told[b"sources_sha256"].decode() == small.SHA256
    assert pq.read_schema(file).field("la_code").metadata[b"comment"].decode() == table.columns[0].comment


def test_a_computed_table_is_from_every_file_of_the_release(made: Path) -> None:
    """It has no column that names its files; `about.sources` of the same release does."""
    folder = made / "releases" / SECOND
    told = pq.read_metadata(folder / "parquet" / "main.five_year_change.parquet").metadata
    every = rows(folder / NAME, "SELECT DISTINCT sha256 FROM about.sources ORDER BY ALL")
    assert told[b"sources_sha256"].decode().split() == [sha256 for (sha256,) in every]


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not on this system")
def test_sha256sum_reads_the_manifest(database: Path) -> None:
    folder = database.parent / "releases" / SECOND

    def check() -> subprocess.CompletedProcess[str]:
        command = ["sha256sum", "--check", "--strict", "MANIFEST"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    first = check()
    assert first.returncode == 0
    assert len(first.stdout.splitlines()) == sum(path.is_file() for path in folder.rglob("*")) - 1
    change_byte(folder / "parquet" / "main.windows.parquet")
    second = check()
    assert second.returncode == 1 and "main.windows.parquet: FAILED" in second.stdout


def test_the_data_package_validates_with_the_frictionless_tools(made: Path) -> None:
    """Descriptor, the columns, types, keys and allowed values of every Parquet file, and the hash of the database."""
    frictionless = pytest.importorskip("frictionless", reason="the Frictionless tools are not installed")
    report = frictionless.validate(str(made / "releases" / SECOND / "datapackage.json"))
    assert report.valid, report.flatten(["name", "message"])[:5]
    assert {task.name for task in report.tasks} == {"care-numbers-duckdb", *catalogue.BY_NAME}


@pytest.mark.parametrize(
    ("what", "named"),
    [("database", "care-numbers-duckdb"), ("value", "main.five_year_change"), ("column", "main.windows")],
)
def test_the_frictionless_tools_see_a_difference(database: Path, what: str, named: str) -> None:
    """So the test above can fail."""
    frictionless = pytest.importorskip("frictionless", reason="the Frictionless tools are not installed")
    folder = database.parent / "releases" / SECOND
    if what == "database":
        change_byte(folder / NAME)
    else:
        file = folder / release_folder.parquet_path(named)
        frame = pd.read_parquet(file)
        file.chmod(0o644)
        changed = frame.assign(movement="sideways") if what == "value" else frame.rename(columns={"role": "part"})
        changed.to_parquet(file)
    report = frictionless.validate(str(folder / "datapackage.json"))
    assert {task.name for task in report.tasks if not task.valid} == {named}


def test_the_data_package_tells_release_licence_and_sources(made: Path) -> None:
    package = json.loads((made / "releases" / SECOND / "datapackage.json").read_text(encoding="utf-8"))
    assert (package["version"], package["created"]) == (SECOND, FACTS["published_at"])
    assert package["title"].startswith("FICTIONAL") and "Sarnland" in package["title"]
    assert package["licenses"][0]["name"] == "OGL-UK-3.0"
    known = rows(made / NAME, "SELECT sha256 FROM about.sources ORDER BY ALL")
    assert sorted((source["sha256"],) for source in package["sources"]) == known
    field = next(
        field
        for resource in package["resources"]
        if resource["name"] == "main.care_numbers"
        for field in resource["schema"]["fields"]
        if field["name"] == "rate_per_10k"
    )
    assert (field["type"], field["unit"]) == ("number", "children looked after per 10,000 children aged 0-17")


# ---------------------------------------------------------------------------------------------------------------------
# Proof


def change_byte(file: Path) -> None:
    """One bit of the last byte: the file is as long and as old as before."""
    before = file.stat()
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def not_intact(folder: Path) -> str:
    with pytest.raises(Refusal) as caught:
        release_folder.prove(folder)
    assert caught.value.code == "release_not_intact" and caught.value.file == folder.name
    return caught.value.problem


def test_a_release_is_proved(made: Path) -> None:
    proof = releases.prove(made / NAME, FIRST)
    assert proof.row_counts["main.care_numbers"] == 6
    assert set(proof.row_counts) == set(catalogue.BY_NAME)
    manifest = made / "releases" / FIRST / "MANIFEST"
    assert proof.manifest_sha256 == hashlib.sha256(manifest.read_bytes()).hexdigest()
    assert proof.files == len(manifest.read_text(encoding="utf-8").splitlines())
    assert releases.prove_shown(made / NAME).release == SECOND


@pytest.mark.parametrize("file", [NAME, "parquet/main.windows.parquet", "datapackage.json"])
def test_one_bit_is_seen(database: Path, file: str) -> None:
    folder = database.parent / "releases" / FIRST
    change_byte(folder / file)
    assert not_intact(folder).endswith(f"{file} has other bytes than were published")


def test_files_missing_and_besides_are_seen(database: Path) -> None:
    folder = database.parent / "releases" / FIRST
    (folder / "parquet" / "main.windows.parquet").rename(folder / "notes.txt")
    problem = not_intact(folder)
    assert "notes.txt is not in MANIFEST and 1 more" in problem


@pytest.mark.parametrize(
    ("content", "named"), [(None, "MANIFEST is missing"), ("five files\n", "line 1 of MANIFEST is not")]
)
def test_a_manifest_that_is_none(database: Path, content: str | None, named: str) -> None:
    folder = database.parent / "releases" / FIRST
    (folder / "MANIFEST").unlink()
    if content:
        (folder / "MANIFEST").write_text(content, encoding="utf-8")
    assert named in not_intact(folder)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "DELETE FROM main.care_numbers WHERE la_code = '701'",
            "main.care_numbers has 4 rows and about.tables tells 6",
        ),
        ("UPDATE main.care_numbers SET rate_per_10k = 1", "the check rates_follow_from_counts found"),
        ("UPDATE about.run SET value = '2030-01-01-1' WHERE property = 'release'", "calls itself release 2030-01-01-1"),
        ("DELETE FROM about.run", "calls itself release nothing"),
    ],
)
def test_a_forged_manifest_does_not_prove_a_database(database: Path, statement: str, named: str) -> None:
    folder = database.parent / "releases" / FIRST
    (folder / NAME).chmod(0o644)
    connection = duckdb.connect(str(folder / NAME))
    connection.execute(statement)
    connection.close()
    forge(folder)
    assert named in not_intact(folder)


def forge(folder: Path) -> None:
    """Write MANIFEST, and its hashes in the data package, for the files as they are now."""
    file = folder / "datapackage.json"
    package = json.loads(file.read_text(encoding="utf-8"))
    for resource in package["resources"]:
        resource["sha256"] = checksums.sha256(folder / resource["path"])
    for path in (file, folder / "MANIFEST"):
        path.chmod(0o644)
    file.write_text(json.dumps(package), encoding="utf-8")
    checksums.write(folder)


def test_parquet_and_package_are_held_to_the_database(database: Path) -> None:
    folder = database.parent / "releases" / FIRST
    file = folder / "parquet" / "main.care_numbers.parquet"
    whole = pq.read_table(file)
    file.chmod(0o644)
    pq.write_table(whole.slice(1), file)
    forge(folder)
    assert "main.care_numbers has 6 rows and its Parquet file 5" in not_intact(folder)
    pq.write_table(whole.drop_columns(["uasc"]), file)
    forge(folder)
    assert "the columns of main.care_numbers differ" in not_intact(folder)


@pytest.mark.parametrize(("change", "named"), [("sha256", "another sha256"), ("name", "does not list main.windows")])
def test_a_package_that_tells_something_else(database: Path, change: str, named: str) -> None:
    folder = database.parent / "releases" / FIRST
    file = folder / "datapackage.json"
    package = json.loads(file.read_text(encoding="utf-8"))
    (resource,) = (one for one in package["resources"] if one["name"] == "main.windows")
    resource[change] = "0" * 64
    for path in (file, folder / "MANIFEST"):
        path.chmod(0o644)
    file.write_text(json.dumps(package), encoding="utf-8")
    checksums.write(folder)
    assert named in not_intact(folder)


def test_a_release_is_held_to_its_own_checks(database: Path) -> None:
    """The project's checks of a later day may ask for tables that this release does not have."""
    folder = database.parent / "releases" / FIRST
    assert {path.name for path in (folder / "checks").iterdir()} == {
        path.name for path in (SQL / "checks").glob("*.sql")
    }
    (folder / "checks" / "of_this_release.sql").write_text("SELECT 'seen'", encoding="utf-8")
    forge(folder)
    assert "the check of_this_release found ('seen',)" in not_intact(folder)


def test_a_renamed_release_is_seen(database: Path) -> None:
    folder = database.parent / "releases" / FIRST
    renamed = folder.rename(folder.with_name("2030-03-11-2"))
    assert f"calls itself release {FIRST}" in not_intact(renamed)


@pytest.mark.parametrize("fault", ["bytes", "missing", "link"])
def test_what_people_open_is_held_to_the_release_that_is_shown_and_can_be_put_back(database: Path, fault: str) -> None:
    if fault == "bytes":
        change_byte(database)
    elif fault == "missing":
        database.unlink()
    else:
        (database.parent / "releases" / "latest").unlink()
        (database.parent / "releases" / "latest").symlink_to(FIRST)
    with pytest.raises(Refusal) as caught:
        releases.prove_shown(database)
    assert caught.value.code == "release_not_shown"
    assert f"care-numbers rollback {SECOND}" in caught.value.remedy
    releases.roll_back(database, SECOND, "")
    assert releases.prove_shown(database).release == SECOND


def test_no_such_release(database: Path) -> None:
    for name in ("2030-03-13-1", "yesterday", "../out", ""):
        with pytest.raises(Refusal) as caught:
            releases.prove(database, name)
        assert caught.value.code == "no_release" and SECOND in caught.value.remedy


# ---------------------------------------------------------------------------------------------------------------------
# Names, and which release is shown


def shelf_of(folder: Path, *names: str) -> Path:
    """The published database beside releases that hold a few words each."""
    for name in names:
        release = folder / "releases" / name
        release.mkdir(parents=True)
        (release / NAME).write_text(f"database of {name}", encoding="utf-8")
    return folder / NAME


def write_marker(database: Path, release: str, since: str) -> None:
    marker = {"release": release, "rolled_back_from": since, "at": "2030-03-12T09:00:00+00:00", "reason": "a trial"}
    (database.parent / "releases" / "rollback.json").write_text(json.dumps(marker), encoding="utf-8")


def test_releases_sort_by_day_and_number(tmp_path: Path) -> None:
    database = shelf_of(tmp_path, "2030-03-11-10", "2030-03-11-9", "2030-03-02-1", "2029-12-31-2")
    assert [str(name) for name in releases.names(database)] == [
        "2029-12-31-2", "2030-03-02-1", "2030-03-11-9", "2030-03-11-10",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "other", ["notes", "2030-03-11", "2030-02-30-1", "2030-03-11-0", ".1.building", "2030-03-11-1.old"]
)
def test_what_is_no_release_is_none(tmp_path: Path, other: str) -> None:
    assert releases.names(shelf_of(tmp_path, other)) == []
    assert releases.current(tmp_path / NAME) is None


@pytest.mark.parametrize(
    ("there", "today", "expected"),
    [
        ([], DAY, "2030-03-11-1"),
        (["2030-03-10-3"], DAY, "2030-03-11-1"),
        (["2030-03-11-9"], DAY, "2030-03-11-10"),
        (["2030-03-12-1"], DAY, "2030-03-12-2"),  # the clock was put back: still the newest
    ],
)
def test_the_next_name_is_after_all_others(tmp_path: Path, there: list[str], today: dt.date, expected: str) -> None:
    assert str(releases.next_name(shelf_of(tmp_path, *there), today)) == expected


def test_the_newest_is_shown_unless_a_rollback_says_otherwise(tmp_path: Path) -> None:
    database = shelf_of(tmp_path, FIRST, SECOND)
    assert str(releases.current(database)) == SECOND
    write_marker(database, FIRST, since=SECOND)
    assert str(releases.current(database)) == FIRST
    shelf_of(tmp_path, "2030-03-13-1")  # a release published since ends it, even before anybody took the note away
    assert str(releases.current(database)) == "2030-03-13-1"
    assert releases.rolled_back(database) is None


@pytest.mark.parametrize("content", ["{", "[]", '{"release": 1}'])
def test_a_note_of_a_rollback_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    """To guess would be to undo it in silence."""
    database = shelf_of(tmp_path, FIRST)
    (tmp_path / "releases" / "rollback.json").write_text(content, encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        releases.current(database)
    assert caught.value.code == "rollback_unreadable"


def test_a_release_rolled_back_to_that_somebody_deleted_is_refused(tmp_path: Path) -> None:
    database = shelf_of(tmp_path, SECOND)
    write_marker(database, FIRST, since=SECOND)
    with pytest.raises(Refusal) as caught:
        releases.heal(database)
    assert caught.value.code == "no_release"


# ---------------------------------------------------------------------------------------------------------------------
# Mending


def test_a_release_that_was_put_but_not_shown_is_shown(tmp_path: Path) -> None:
    """Killed right after the moment of publication."""
    database = shelf_of(tmp_path, FIRST)
    releases.heal(database)
    shelf_of(tmp_path, SECOND)
    releases.heal(database)
    assert database.read_text(encoding="utf-8") == f"database of {SECOND}"
    assert os.readlink(tmp_path / "releases" / "latest") == SECOND


def test_mending_what_is_whole_changes_nothing(database: Path) -> None:
    before, inode = state(database), database.stat().st_ino
    releases.heal(database)
    assert (state(database), database.stat().st_ino) == (before, inode)


def test_a_rollback_that_was_killed_half_way_is_finished(tmp_path: Path) -> None:
    database = shelf_of(tmp_path, FIRST, SECOND)
    releases.heal(database)
    write_marker(database, FIRST, since=SECOND)
    releases.heal(database)
    assert database.read_text(encoding="utf-8") == f"database of {FIRST}"
    assert os.readlink(tmp_path / "releases" / "latest") == FIRST


def test_leftovers_go_and_other_files_stay(tmp_path: Path) -> None:
    database = shelf_of(tmp_path, FIRST, ".12.building", ".2030-01-02-1.pruned", ".of somebody")
    (tmp_path / "releases" / ".latest.12").symlink_to(FIRST)
    (tmp_path / "releases" / ".pinned.txt.12.part").touch()
    (tmp_path / f".{database.stem}.12.building.duckdb").touch()
    (tmp_path / "releases" / "notes.txt").touch()
    releases.heal(database)
    assert {path.name for path in (tmp_path / "releases").iterdir()} == {FIRST, "latest", ".of somebody", "notes.txt"}
    assert {path.name for path in tmp_path.iterdir()} == {"releases", NAME, ".publishing.lock"}


def test_before_the_first_release_nothing_is_touched(tmp_path: Path) -> None:
    """A database from before there were releases stays until the next publication."""
    (tmp_path / NAME).write_text("older", encoding="utf-8")
    releases.heal(tmp_path / NAME)
    assert (tmp_path / NAME).read_text(encoding="utf-8") == "older"


# ---------------------------------------------------------------------------------------------------------------------
# Going back


def test_going_back_shows_the_older_release_and_leaves_a_note(database: Path) -> None:
    marker = releases.roll_back(database, FIRST, "counts of 2029 look wrong")
    assert (marker.release, marker.rolled_back_from, marker.reason) == (FIRST, SECOND, "counts of 2029 look wrong")
    assert dict(rows(database, "FROM about.run"))["release"] == FIRST
    assert os.readlink(database.parent / "releases" / "latest") == FIRST
    assert releases.prove_shown(database).release == FIRST
    note = json.loads((database.parent / "releases" / "rollback.json").read_text(encoding="utf-8"))
    assert (note["release"], note["inputs_sha256"]) == (FIRST, FACTS["inputs_sha256"])  # by which a night knows them
    assert history(database)[-1] == ("rolled_back", FIRST)


def test_going_back_to_the_newest_ends_it(database: Path) -> None:
    releases.roll_back(database, FIRST, "")
    assert releases.roll_back(database, SECOND, "") is None
    assert releases.rolled_back(database) is None
    assert releases.prove_shown(database).release == SECOND
    assert not (database.parent / "releases" / "rollback.json").exists()


def test_a_publication_ends_a_rollback_and_says_so(database: Path, parquet: Path) -> None:
    releases.roll_back(database, FIRST, "a trial")
    done = publish.publish(database, parquet, SQL, FACTS, is_fictional=True, today=DAY)
    assert done.ended_rollback == Rollback(FIRST, SECOND, done.ended_rollback.at, "a trial", FACTS["inputs_sha256"])
    told = dict(rows(database, "FROM about.run"))
    assert (told["release"], told["release_before"]) == ("2030-03-12-2", FIRST)
    assert FIRST in told["ended_rollback"] and SECOND in told["ended_rollback"] and "a trial" in told["ended_rollback"]
    assert not (database.parent / "releases" / "rollback.json").exists()
    assert [action for action, _ in history(database)[-2:]] == ["published", "rollback_ended"]


def test_a_release_that_is_not_intact_is_not_gone_back_to(database: Path) -> None:
    change_byte(database.parent / "releases" / FIRST / "parquet" / "main.windows.parquet")
    before = state(database)
    with pytest.raises(Refusal) as caught:
        releases.roll_back(database, FIRST, "")
    assert caught.value.code == "release_not_intact"
    assert state(database) == before


def test_nobody_goes_back_while_another_publishes(database: Path) -> None:
    before = state(database)
    with durable.only_one(releases.lock_file(database)):
        for change in (
            lambda: releases.roll_back(database, FIRST, ""),
            lambda: releases.heal(database),
            lambda: releases.pin(database, FIRST),
        ):
            with pytest.raises(Refusal) as caught:
                change()
            assert caught.value.code == "already_publishing"
    assert state(database) == before


# ---------------------------------------------------------------------------------------------------------------------
# What is kept

YEAR = ["2029-12-31-1", "2030-01-02-1", "2030-01-02-2", "2030-01-15-1", "2030-02-01-1", "2030-02-08-1", "2030-02-09-1",
        "2030-03-11-1", "2030-03-11-2"]  # fmt: skip


def old(database: Path, keep_days: int = 31) -> list[str]:
    return [str(name) for name in releases.outdated(database, keep_days)]


def test_a_month_is_kept_whole_and_then_the_first_of_each_month(tmp_path: Path) -> None:
    """31 days back from 11 March begin after 8 February: 2030 is no leap year, and 28 - 8 + 11 is 31."""
    assert old(shelf_of(tmp_path, *YEAR)) == ["2030-01-02-2", "2030-01-15-1", "2030-02-08-1"]
    assert old(tmp_path / NAME, keep_days=30) == ["2030-01-02-2", "2030-01-15-1", "2030-02-08-1", "2030-02-09-1"]


def test_what_a_rollback_names_and_what_is_pinned_is_kept(tmp_path: Path) -> None:
    database = shelf_of(tmp_path, *YEAR)
    write_marker(database, "2030-01-15-1", since="2030-03-11-2")
    (tmp_path / "releases" / "pinned.txt").write_text("# cited\n\n2030-02-08-1  # in a paper\n", encoding="utf-8")
    assert old(database) == ["2030-01-02-2"]


def test_the_newest_is_kept_whatever_the_rule(tmp_path: Path) -> None:
    assert old(shelf_of(tmp_path, "2030-03-01-1", "2030-03-11-1", "2030-03-11-2"), keep_days=0) == ["2030-03-11-1"]


def test_a_line_of_pins_that_names_none_stops_pruning(tmp_path: Path) -> None:
    database = shelf_of(tmp_path, *YEAR)
    (tmp_path / "releases" / "pinned.txt").write_text("2030-02-08-1\n2030-02-9\n", encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        releases.prune(database, 31)
    assert (caught.value.code, caught.value.row, caught.value.value) == ("pin_unreadable", 2, "2030-02-9")
    assert len(releases.names(database)) == len(YEAR)


def test_pruning_deletes_and_says_so(tmp_path: Path) -> None:
    database = shelf_of(tmp_path, *YEAR)
    assert [str(name) for name in releases.prune(database, 31)] == ["2030-01-02-2", "2030-01-15-1", "2030-02-08-1"]
    assert [str(name) for name in releases.names(database)] == [
        name for name in YEAR if name not in ("2030-01-02-2", "2030-01-15-1", "2030-02-08-1")
    ]
    assert [action for action, _ in history(database)] == ["pruned"] * 3
    assert releases.prune(database, 31) == []


def test_a_publication_prunes_by_the_settings(database: Path, parquet: Path) -> None:
    shutil.copytree(database.parent / "releases" / FIRST, database.parent / "releases" / "2030-03-13-1")
    done = publish.publish(database, parquet, SQL, FACTS, is_fictional=True, today=dt.date(2030, 4, 20))
    assert done.pruned == [Name(dt.date(2030, 3, 12), 1), Name(dt.date(2030, 3, 13), 1)]
    assert [str(name) for name in releases.names(database)] == [FIRST, "2030-04-20-1"]


def test_pins_are_set_and_lifted(database: Path) -> None:
    file = database.parent / "releases" / "pinned.txt"
    file.write_text("# cited in papers", encoding="utf-8")  # as an editor may leave it, without an end of line
    releases.pin(database, "latest")
    releases.pin(database, SECOND)
    assert file.read_text(encoding="utf-8") == f"# cited in papers\n{SECOND}\n"
    assert [(one.release, one.is_shown, one.is_pinned) for one in releases.listed(database)] == [
        (SECOND, True, True),
        (FIRST, False, False),
    ]
    releases.unpin(database, SECOND)
    assert file.read_text(encoding="utf-8") == "# cited in papers\n"
    assert [action for action, _ in history(database)[-2:]] == ["pinned", "unpinned"]


def test_the_list_tells_what_to_cite(made: Path) -> None:
    newest = releases.listed(made / NAME)[0]
    folder = made / "releases" / SECOND
    assert newest.published_at == FACTS["published_at"]
    assert newest.manifest_sha256 == hashlib.sha256((folder / "MANIFEST").read_bytes()).hexdigest()
    assert newest.bytes == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


# ---------------------------------------------------------------------------------------------------------------------
# A full disk


def refused_as_full(database: Path, parquet: Path) -> None:
    before = state(database)
    with pytest.raises(Refusal) as caught:
        publish.publish(database, parquet, SQL, FACTS, is_fictional=True, today=DAY)
    assert caught.value.code == "disk_full", caught.value
    assert state(database) == before


@pytest.mark.parametrize(
    ("module", "function", "number"),
    [
        pytest.param(durable, "sync", errno.ENOSPC, id="written through"),
        pytest.param(pq, "ParquetWriter", errno.ENOSPC, id="a Parquet file"),
        pytest.param(shutil, "copy2", errno.ENOSPC, id="the copy that people open"),
        pytest.param(datapackage, "descriptor", errno.EDQUOT, id="somebody's share of the disk"),
    ],
)
def test_no_space_left_is_a_sentence_and_leaves_nothing(
    database: Path, parquet: Path, monkeypatch: pytest.MonkeyPatch, module: object, function: str, number: int
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module, function, full)
    refused_as_full(database, parquet)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_really_is_full(small_disk: Path, made: Path, parquet: Path) -> None:
    """With room for nothing, for half a database, for the database alone, and for almost all."""
    database = Path(shutil.copytree(made, small_disk / "out", symlinks=True)) / NAME
    size = database.stat().st_size
    filler = small_disk / "filler"
    for room in (0, size // 2, size + 300_000, 2 * size):
        filler.unlink(missing_ok=True)
        disk = os.statvfs(small_disk)
        filler.write_bytes(bytes(disk.f_bavail * disk.f_frsize - room))
        refused_as_full(database, parquet)
    filler.unlink()
    done = publish.publish(database, parquet, SQL, FACTS, is_fictional=True, today=DAY)
    assert done.release.name == "2030-03-12-2"
    releases.prove_shown(database)


def test_another_fault_of_the_disk_is_not_called_full(
    database: Path, parquet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(durable, "sync", broken)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        publish.publish(database, parquet, SQL, FACTS, is_fictional=True)


# ---------------------------------------------------------------------------------------------------------------------
# Small files


def test_a_line_of_history_cut_short_stays_by_itself(tmp_path: Path) -> None:
    file = tmp_path / "history"
    durable.append_line(file, "one")
    with file.open("a", encoding="utf-8") as stream:
        stream.write("tw")
    durable.append_line(file, "three")
    assert file.read_text(encoding="utf-8") == "one\ntw\nthree\n"
