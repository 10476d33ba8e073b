"""One verified database: built out of sight, swapped in whole, and untouched by anything that goes wrong.

What else a publication leaves, and which one is shown, is in `test_releases`. The frames are those of a small invented
country (`small_country`), all other declared tables empty. codebases.md section 6, traps 1 to 4.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import places, publish
from pipeline.errors import Refusal
from pipeline.tables import catalogue, ddl, frames
from tests.fixtures import small_country as small

PROJECT = Path(__file__).resolve().parents[2]
SQL = places.sql_folder()
FACTS = {"country": "Sarnland", "is_fictional": "true", "run_id": "one"}
NAME = "care_numbers.duckdb"


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write_frames(tmp_path_factory.mktemp("frames"), small.country().results())


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, parquet: Path) -> publish.Published:
    """Published once, for tests that only look."""
    return publish.publish(tmp_path_factory.mktemp("published") / NAME, parquet, SQL, FACTS, is_fictional=True)


@pytest.fixture
def own_parquet(tmp_path: Path, parquet: Path) -> Path:
    """A copy of the frames that a test may spoil."""
    return Path(shutil.copytree(parquet, tmp_path / "frames"))


@pytest.fixture
def standing(tmp_path: Path, published: publish.Published) -> Path:
    """A database published before, which must outlive whatever a test does."""
    database = tmp_path / "out" / NAME
    database.parent.mkdir()
    shutil.copy2(published.database, database)
    return database


def run(database: Path, parquet: Path, sql: Path = SQL, run_id: str = "two") -> publish.Published:
    return publish.publish(database, parquet, sql, FACTS | {"run_id": run_id}, is_fictional=False)


def rows(database: Path, sql: str) -> list[tuple]:
    connection = duckdb.connect(str(database), read_only=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def beside(database: Path) -> set[str]:
    """What lies in the folder beside the database, the lock and the releases, and what is begun among the releases."""
    begun = {path.name for path in (database.parent / "releases").glob(".*")}
    return {path.name for path in database.parent.iterdir()} - {NAME, ".publishing.lock", "releases"} | begun


def change_frame(parquet: Path, asset: str, **columns: object) -> None:
    """Put other values into a Parquet file past the check that frames go through."""
    file = publish.parquet_file(parquet, asset)
    table = next(table for table in catalogue.TABLES if table.asset == asset)
    schema = frames.arrow_schema(table)
    frame = pq.read_table(file).to_pandas().assign(**columns)
    pq.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False), file)


# ---------------------------------------------------------------------------------------------------------------------
# What is published


def test_every_declared_table_is_there_and_none_besides(published: publish.Published) -> None:
    found = rows(published.database, "SELECT table_schema || '.' || table_name FROM information_schema.tables")
    assert {name for (name,) in found} == set(catalogue.BY_NAME) == set(published.row_counts)


def test_every_column_is_there_in_its_order(published: publish.Published) -> None:
    found = rows(
        published.database,
        "SELECT table_schema || '.' || table_name, column_name FROM information_schema.columns"
        " ORDER BY table_schema, table_name, ordinal_position",
    )
    for name, table in catalogue.BY_NAME.items():
        assert [column for owner, column in found if owner == name] == table.column_names, name


def test_rows_are_those_of_the_parquet_files(published: publish.Published, parquet: Path) -> None:
    for table in catalogue.TABLES:
        if table.asset:
            n = pq.read_metadata(publish.parquet_file(parquet, table.asset)).num_rows
            assert published.row_counts[table.full_name] == n, table.full_name
    assert published.row_counts["main.five_year_change"] == 3
    assert published.row_counts["main.bucking_the_trend"] == 3


@pytest.mark.parametrize("schema", ["main", "core"])
def test_the_published_tables_hold_what_the_parquet_files_hold(
    published: publish.Published, parquet: Path, schema: str
) -> None:
    connection = duckdb.connect(str(published.database), read_only=True)
    try:
        for table in catalogue.TABLES:
            if table.asset and table.schema == schema:
                file = f"read_parquet('{publish.parquet_file(parquet, table.asset)}')"
                for first, second in ((table.full_name, file), (file, table.full_name)):
                    sql = f"SELECT * FROM {first} EXCEPT ALL SELECT * FROM {second}"
                    assert connection.execute(sql).fetchall() == [], table.full_name
    finally:
        connection.close()


def test_who_bucked_the_trend_is_a_query_away(published: publish.Published) -> None:
    found = rows(
        published.database, "SELECT unit_name, bucked, newest_window_has_direction FROM main.bucking_the_trend"
    )
    assert found == [("Eastmere", False, True), ("Kings Ferry", True, True), ("Marlshire", False, True)]


def test_every_table_view_and_column_has_a_comment(published: publish.Published) -> None:
    tables = rows(
        published.database,
        "SELECT schema_name, table_name, comment FROM duckdb_tables() WHERE NOT internal UNION ALL"
        " SELECT schema_name, view_name, comment FROM duckdb_views() WHERE NOT internal",
    )
    assert len(tables) == len(catalogue.TABLES)
    for schema, name, comment in tables:
        assert comment == publish.FICTIONAL_PREFIX + catalogue.BY_NAME[f"{schema}.{name}"].comment
    columns = rows(published.database, "SELECT comment FROM duckdb_columns() WHERE NOT internal")
    assert len(columns) == sum(len(table.columns) for table in catalogue.TABLES)
    assert all(comment for (comment,) in columns)


def test_the_file_is_for_reading(published: publish.Published) -> None:
    assert stat.S_IMODE(published.database.stat().st_mode) == 0o444
    assert rows(published.database, "SELECT count(*) FROM main.care_numbers") == [(6,)]


def test_the_storage_version_is_the_promised_one(published: publish.Published) -> None:
    ((tags,),) = rows(published.database, "SELECT tags FROM duckdb_databases() WHERE NOT internal")
    assert dict(tags)["storage_version"].startswith("v1.2.0")


def test_about_tells_of_the_run_the_tables_and_the_columns(published: publish.Published) -> None:
    told = dict(rows(published.database, "SELECT property, value FROM about.run"))
    first = {"release_before": publish.NONE, "ended_rollback": publish.NONE}
    assert told == FACTS | first | {"release": published.release.name, publish.SINCE: published.since}
    told = rows(published.database, "SELECT schema_name || '.' || table_name, row_count FROM about.tables")
    assert dict(told) == published.row_counts
    ((columns, tables),) = rows(
        published.database, "SELECT count(*), count(DISTINCT schema_name || table_name) FROM about.columns"
    )
    assert (columns, tables) == (sum(len(table.columns) for table in catalogue.TABLES), len(catalogue.TABLES))
    assert rows(
        published.database,
        "SELECT kind, unit, may_be_missing FROM about.columns"
        " WHERE table_name = 'care_numbers' AND column_name = 'looked_after'",
    ) == [("integer", "children", True)]


def test_real_data_are_not_called_fictional(tmp_path: Path, parquet: Path) -> None:
    database = run(tmp_path / NAME, parquet).database
    comments = rows(database, "SELECT comment FROM duckdb_tables() WHERE NOT internal")
    assert not any("FICTIONAL" in comment for (comment,) in comments)


def test_nothing_is_left_beside_the_database(published: publish.Published) -> None:
    assert beside(published.database) == set()


def test_publishing_the_same_again_gives_the_same_rows(
    tmp_path: Path, parquet: Path, published: publish.Published
) -> None:
    again = publish.publish(tmp_path / NAME, parquet, SQL, FACTS, is_fictional=True)
    assert again.row_counts == published.row_counts
    for name in catalogue.BY_NAME:
        sql = f"SELECT * FROM {name}"
        assert rows(again.database, sql) == rows(published.database, sql), name


# ---------------------------------------------------------------------------------------------------------------------
# Swapping in


def test_a_second_publication_replaces_the_first(standing: Path, parquet: Path) -> None:
    before = standing.stat().st_ino
    run(standing, parquet)
    assert standing.stat().st_ino != before  # another file under the old name: nothing was written into the old one
    assert ("run_id", "two") in rows(standing, "SELECT property, value FROM about.run")
    assert beside(standing) == set()


READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
def run_id():
    return connection.execute("SELECT value FROM about.run WHERE property = 'run_id'").fetchall()[0][0]
def counts():
    return connection.execute("SELECT count(*), sum(looked_after) FROM main.care_numbers").fetchall()[0]
print(run_id(), *counts(), flush=True)
sys.stdin.readline()
print(run_id(), *counts(), flush=True)
"""


@pytest.fixture
def reader(standing: Path) -> Iterator[subprocess.Popen[str]]:
    """A researcher's process that has the standing database open."""
    process = subprocess.Popen(
        [sys.executable, "-c", READER, str(standing)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.stdin.close()
    process.stdout.close()
    process.wait()


def test_an_open_reader_keeps_its_copy_and_a_new_one_sees_the_new(
    standing: Path, parquet: Path, reader: subprocess.Popen[str]
) -> None:
    assert reader.stdout.readline().split() == ["one", "6", "1050"]  # 500 and 550 children
    run(standing, parquet)
    assert rows(standing, "SELECT value FROM about.run WHERE property = 'run_id'") == [("two",)]
    reader.stdin.write("\n")
    reader.stdin.flush()
    assert reader.stdout.readline().split() == ["one", "6", "1050"]


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline import publish
publish.{step} = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
publish.publish(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), {{}}, is_fictional=False)
"""


@pytest.mark.parametrize("step", ["verify", "releases.put"])
def test_a_build_that_was_killed_leaves_the_old_database_and_is_cleared_by_the_next(
    standing: Path, parquet: Path, step: str
) -> None:
    before = sha256(standing)
    code = KILLED.format(step=step)
    killed = subprocess.run(
        [sys.executable, "-c", code, str(standing), str(parquet), str(SQL)], cwd=PROJECT, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert sha256(standing) == before
    assert any(".building" in name for name in beside(standing))
    run(standing, parquet)
    assert beside(standing) == set()
    assert ("run_id", "two") in rows(standing, "SELECT property, value FROM about.run")


def test_leftovers_of_other_databases_are_not_touched(standing: Path, parquet: Path) -> None:
    (standing.parent / ".other.123.building.duckdb").write_bytes(b"not ours")
    (standing.parent / f".{standing.stem}.123.building.duckdb.wal").write_bytes(b"ours")
    run(standing, parquet)
    assert beside(standing) == {".other.123.building.duckdb"}


def test_a_leftover_of_the_same_process_number_is_not_built_upon(standing: Path, parquet: Path) -> None:
    """Process numbers come round again: a half-built file may bear the name of the new one."""
    leftover = standing.parent / "releases" / f".{os.getpid()}.building"
    leftover.mkdir(parents=True)
    connection = duckdb.connect(str(leftover / NAME))
    connection.execute("CREATE SCHEMA core")
    connection.close()
    run(standing, parquet)
    assert beside(standing) == set()


def test_a_second_publisher_is_refused_and_harms_nothing(
    standing: Path, parquet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It begins while the first one is verifying; the first one goes on."""
    verify, refusals = publish.verify, []

    def second_publisher(*given: Path) -> dict[str, int]:
        monkeypatch.setattr(publish, "verify", verify)
        with pytest.raises(Refusal) as caught:
            run(standing, parquet, run_id="three")
        refusals.append(caught.value.code)
        return verify(*given)

    monkeypatch.setattr(publish, "verify", second_publisher)
    run(standing, parquet)
    assert refusals == ["already_publishing"]
    assert ("run_id", "two") in rows(standing, "SELECT property, value FROM about.run")
    run(standing, parquet, run_id="three")  # the lock ends with its holder, the file may stay


# ---------------------------------------------------------------------------------------------------------------------
# Refusals: each leaves the old database byte for byte and nothing beside it


def refused(standing: Path, parquet: Path, sql: Path = SQL) -> Refusal:
    before = sha256(standing), standing.stat().st_ino
    with pytest.raises(Refusal) as caught:
        run(standing, parquet, sql)
    assert (sha256(standing), standing.stat().st_ino) == before
    assert beside(standing) == set()
    return caught.value


def test_a_check_that_fails(standing: Path, own_parquet: Path) -> None:
    """One rate changed after it was computed."""
    change_frame(own_parquet, "five_year_change", rate_end=[39.5, 15.0, 23.0])
    refusal = refused(standing, own_parquet)
    assert refusal.code == "check_failed"
    assert "701" in refusal.problem


def test_a_flag_that_does_not_follow_its_rule(standing: Path, own_parquet: Path) -> None:
    change_frame(own_parquet, "five_year_change", bucked=[True, True, False])
    refusal = refused(standing, own_parquet)
    assert refusal.code == "check_failed"
    assert "bucked_follows_its_rule" in refusal.problem and "703" in refusal.problem


def test_a_row_from_a_file_that_is_not_registered(standing: Path, own_parquet: Path) -> None:
    change_frame(own_parquet, "core_population", source_sha256="6" * 64)
    assert "every_source_is_registered" in refused(standing, own_parquet).problem


def test_a_missing_value_without_a_reason(standing: Path, own_parquet: Path) -> None:
    change_frame(own_parquet, "care_numbers", started_reason=pd.NA)
    assert "missing_values_have_reasons" in refused(standing, own_parquet).problem


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("movement", "sideways", id="not allowed"),
        pytest.param("unit_id", "701", id="key twice"),
    ],
)
def test_a_value_that_breaks_the_declaration(standing: Path, own_parquet: Path, column: str, value: str) -> None:
    change_frame(own_parquet, "five_year_change", **{column: value})
    assert refused(standing, own_parquet).code == "table_breaks_contract"


def test_a_table_that_was_not_computed(standing: Path, own_parquet: Path) -> None:
    publish.parquet_file(own_parquet, "exclusions").unlink()
    refusal = refused(standing, own_parquet)
    assert (refusal.code, refusal.file) == ("not_materialised", "exclusions.parquet")
    assert "exclusions" in refusal.remedy


def test_a_bug_leaves_the_old_database_too(
    standing: Path, parquet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sha256(standing)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(publish, "_fill_about", broken)
    with pytest.raises(ZeroDivisionError):
        run(standing, parquet)
    assert sha256(standing) == before and beside(standing) == set()


# ---------------------------------------------------------------------------------------------------------------------
# Verification sees what a build may not do. Each test spoils a finished file and verifies it again.


@pytest.fixture
def spoil(tmp_path: Path, published: publish.Published, parquet: Path) -> Iterator:
    """Run a statement on a copy of the published file; gives the refusal of `verify`."""

    def spoilt(*statements: str) -> Refusal:
        database = tmp_path / NAME
        shutil.copyfile(published.database, database)
        connection = duckdb.connect(str(database))
        for statement in statements:
            connection.execute(statement)
        connection.close()
        with pytest.raises(Refusal) as caught:
            publish.verify(database, parquet, SQL)
        return caught.value

    yield spoilt


def test_the_published_file_verifies(published: publish.Published, parquet: Path) -> None:
    assert publish.verify(published.database, parquet, SQL) == published.row_counts


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE TABLE main.scratch (a INTEGER)", "main.scratch"),
        ("CREATE VIEW core.more AS SELECT 1 AS a", "core.more"),
        ("DROP TABLE main.vintage_effect", "main.vintage_effect"),
        ("DROP VIEW main.bucking_the_trend", "main.bucking_the_trend"),
        ("COMMENT ON TABLE main.windows IS NULL", "main.windows has no comment"),
        ("COMMENT ON VIEW main.bucking_the_trend IS NULL", "main.bucking_the_trend has no comment"),
        ("COMMENT ON COLUMN main.windows.units IS NULL", "main.windows.units has no comment"),
        ("UPDATE about.tables SET row_count = 7 WHERE table_name = 'care_numbers'", "rows of main.care_numbers"),
        ("DELETE FROM main.care_numbers WHERE la_code = '701'", "main.care_numbers has 4 rows and its Parquet file 6"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(spoil, statement: str, named: str) -> None:
    refusal = spoil(statement)
    assert refusal.code == "database_not_whole"
    assert named in refusal.problem


def test_a_figure_changed_in_the_file_is_refused(spoil) -> None:
    refusal = spoil("UPDATE main.care_numbers SET rate_per_10k = rate_per_10k + 0.001 WHERE la_code = '702'")
    assert refusal.code == "check_failed" and "702" in refusal.problem


def test_another_storage_version_is_refused(tmp_path: Path, published: publish.Published, parquet: Path) -> None:
    """As a build without the promise would write it."""
    newer = tmp_path / NAME
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{published.database}' AS old (READ_ONLY)")
    connection.execute(f"ATTACH '{newer}' AS new (STORAGE_VERSION 'latest')")
    connection.execute("COPY FROM DATABASE old TO new")
    for table in catalogue.TABLES:
        for statement in ddl.comments(table):
            connection.execute(statement.replace(f" {table.full_name}", f" new.{table.full_name}", 1))
    connection.close()
    with pytest.raises(Refusal, match="storage version"):
        publish.verify(newer, parquet, SQL)


@pytest.mark.parametrize("figure", ["nan", "infinity", "-infinity"])
def test_what_is_no_number_stops_publication(
    standing: Path, parquet: Path, monkeypatch: pytest.MonkeyPatch, figure: str
) -> None:
    """A missing figure is null; DuckDB would sort a NaN above every number and carry an infinity into every mean."""
    fill = publish._fill_about

    def fill_and_spoil(connection: duckdb.DuckDBPyConnection, *given: object) -> None:
        fill(connection, *given)
        connection.execute(f"UPDATE main.vintage_effect SET rate_rebased = '{figure}'::DOUBLE")
        connection.execute(f"UPDATE main.five_year_change SET z = '{figure}'::DOUBLE")

    monkeypatch.setattr(publish, "_fill_about", fill_and_spoil)
    assert "main.five_year_change holds an infinity or a NaN" in refused(standing, parquet).problem


def test_an_undeclared_table_stops_publication(standing: Path, parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that somebody creates on the way, but forgets to declare."""
    fill = publish._fill_about

    def fill_and_more(connection: duckdb.DuckDBPyConnection, *given: object) -> None:
        fill(connection, *given)
        connection.execute("CREATE TABLE main.scratch (a INTEGER)")

    monkeypatch.setattr(publish, "_fill_about", fill_and_more)
    assert "main.scratch" in refused(standing, parquet).problem


def test_a_check_is_a_query_that_finds_nothing(standing: Path, parquet: Path, tmp_path: Path) -> None:
    """A new file in sql/checks holds from the next publication on, and names what it found."""
    sql = Path(shutil.copytree(SQL, tmp_path / "sql"))
    check = textwrap.dedent("""
        -- No unit may be called Eastmere.
        SELECT window_id, unit_name FROM main.five_year_change WHERE unit_name = 'Eastmere'
    """)
    (sql / "checks" / "no_eastmere.sql").write_text(check, encoding="utf-8")
    refusal = refused(standing, parquet, sql)
    assert refusal.code == "check_failed"
    assert "no_eastmere" in refusal.problem and "Eastmere" in refusal.problem
