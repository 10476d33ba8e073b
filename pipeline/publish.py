"""The published database: built out of sight, verified, then put on the shelf as a release and shown.

What belongs here: turning the Parquet files of a finished run into `care_numbers.duckdb`, proving that it is whole, and the
steps of a publication. What does not: any figure (the frames are finished), the wording of views and checks (`sql/`),
what else is in a release (`release_folder`) and which one is shown (`releases`).

Readers keep their open copy; a failure at any point leaves the old file as it was.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from pipeline import durable, release_folder, releases, sentences, settings, since
from pipeline.errors import Refusal
from pipeline.releases import Name, Rollback
from pipeline.releases_by_url import Shelf
from pipeline.tables import about_tables, catalogue, ddl, frames
from pipeline.tables.declare import Table

STORAGE_VERSION = "v1.2.0"  # the oldest DuckDB promised; a file in the newest format would shut older readers out
BLOCK_BYTES = 32_768  # most columns are short: with DuckDB's own 262,144 the file is twice the size and no faster
FICTIONAL_PREFIX = "FICTIONAL demonstration data. "
SINCE = "since_last_publication"
NONE = "none"  # a property of about.run without a value: every run has the same properties
_ABOUT = {table.name: table for table in about_tables.TABLES}

Lineage = Mapping[str, Collection[str]]  # full name of a table -> publications


@dataclass(frozen=True)
class Published:
    """What was published: the file, its release, and the rows of each table and view.

    `release_before` was shown until then; `ended_rollback` is the rollback that this publication has ended; `since` says
    what changed since then.
    """

    database: Path
    row_counts: dict[str, int]
    release: Path
    release_before: Name | None
    ended_rollback: Rollback | None
    pruned: list[Name]
    since: str


def publish(
    database: Path,
    frames_folder: Path,
    sql_folder: Path,
    run_facts: Mapping[str, str],
    *,
    is_fictional: bool,
    lineage: Lineage | None = None,
    today: dt.date | None = None,
    elsewhere: Shelf | None = None,
) -> Published:
    """Build and verify a release from the Parquet files of all declared tables, then show it; prune old ones at the end.

    `lineage` has the publications that each table rests on, by the table's full name. With `elsewhere` the release is
    published in a store, and `database` is the copy on this machine.
    Raises Refusal when a file is missing, a constraint or a check in `sql/checks` fails, the disk is full, or another
    publication is under way; what was published before is then untouched.
    """
    prefix = FICTIONAL_PREFIX if is_fictional else ""
    with durable.only_one(releases.lock_file(database)), durable.refusing_full_disk(database.parent):
        if elsewhere:
            elsewhere.bring_locked()
        else:
            releases.heal_locked(database)
        before, rollback = releases.current(database), releases.rolled_back(database)
        day = today or dt.datetime.now(dt.UTC).date()
        name = elsewhere.claim(day) if elsewhere else releases.next_name(database, day)
        facts = {**run_facts, "release": str(name)}
        facts |= {
            "release_before": str(before or NONE),
            "ended_rollback": f"Until then {rollback.sentence()}." if rollback else NONE,
        }
        try:
            building = releases.begin(database)
            built = building / release_folder.DATABASE
            said = _build(built, frames_folder, sql_folder, facts, prefix, lineage or {}, database if before else None)
            counts = verify(built, frames_folder, sql_folder)
            release_folder.fill(building, str(name), sql_folder, prefix)
            releases.stage(built, database)
            if elsewhere:
                elsewhere.put(building, name)  # from here on it is published; the copy follows
            releases.put(building, database, name)
            releases.show_current(database)
        finally:
            releases.remove_leftovers(database)
        releases.log(database, "published", release=str(name))
        ended = releases.end_rollback(database)
        keep_days = settings.load().releases.keep_days
        pruned = elsewhere.settle(keep_days) if elsewhere else releases.prune(database, keep_days)
    return Published(database, counts, releases.shelf(database) / str(name), before, ended, pruned, said)


def parquet_file(frames_folder: Path, asset: str) -> Path:
    """Where the frame of an asset lies."""
    return frames_folder / f"{asset}.parquet"


# ---------------------------------------------------------------------------------------------------------------------
# Build


def _build(
    building: Path,
    frames_folder: Path,
    sql_folder: Path,
    run_facts: Mapping[str, str],
    comment_prefix: str,
    lineage: Lineage,
    published_before: Path | None,
) -> str:
    """Write the whole database; what changed since the one published before, in a sentence or more."""
    connection = duckdb.connect()
    try:
        connection.execute(
            f"ATTACH {ddl.quoted(str(building))} AS build"
            f" (STORAGE_VERSION '{STORAGE_VERSION}', BLOCK_SIZE {BLOCK_BYTES})"
        )
        connection.execute("USE build")
        connection.execute("BEGIN")  # one write to the disk for some thousand statements
        for schema in ("core", "about"):
            connection.execute(f"CREATE SCHEMA {schema}")
        for table in catalogue.TABLES:
            if table.asset:
                connection.execute(ddl.create_table(table))
                _insert_parquet(connection, table, parquet_file(frames_folder, table.asset))
        _create_views(connection, sql_folder)
        _fill_about(connection, {**run_facts, SINCE: ""}, lineage)  # told when all else is there to be compared
        for table in catalogue.TABLES:
            for statement in ddl.comments(table, comment_prefix):
                connection.execute(statement)
        connection.execute("COMMIT")
        said = _tell_changes(connection, published_before)
        connection.execute("CHECKPOINT")
        connection.execute("USE memory")
        connection.execute("DETACH build")
        return said
    except duckdb.ConstraintException as error:
        raise Refusal(
            "table_breaks_contract",
            f"a table breaks its declaration ({str(error).splitlines()[0]})",
            remedy="look at the source of that value; the published database is unchanged",
        ) from error
    finally:
        connection.close()


def _insert_parquet(connection: duckdb.DuckDBPyConnection, table: Table, file: Path) -> None:
    if not file.exists():
        raise Refusal(
            "not_materialised",
            f"{table.full_name} has not been computed yet",
            file=file.name,
            remedy=f"materialise the asset {table.asset} first, or run everything",
        )
    order = ", ".join(f'"{name}"' for name in table.sort_by)
    connection.execute(
        f"INSERT INTO {table.full_name} BY NAME SELECT * FROM read_parquet({ddl.quoted(str(file))}) ORDER BY {order}"
    )


def view_files(sql_folder: Path) -> dict[str, Path]:
    """Name of each view -> its file."""
    return {file.stem: file for file in sorted((sql_folder / "views").glob("*.sql"))}


def _create_views(connection: duckdb.DuckDBPyConnection, sql_folder: Path) -> None:
    files = view_files(sql_folder)
    for table in catalogue.TABLES:
        if table.is_view:
            query = files[table.name].read_text(encoding="utf-8").strip().rstrip(";")
            connection.execute(f"CREATE VIEW {table.full_name} AS {query}")


def _tell_changes(connection: duckdb.DuckDBPyConnection, published_before: Path | None) -> str:
    """Say in `about.run` what changed since the last publication."""
    said = " ".join(since.sentences(connection, published_before))
    connection.execute("UPDATE about.run SET value = ? WHERE property = ?", [said, SINCE])
    return said


def _fill_about(connection: duckdb.DuckDBPyConnection, run_facts: Mapping[str, str], lineage: Lineage) -> None:
    run = pd.DataFrame({"property": list(run_facts), "value": list(run_facts.values())})
    _insert_frame(connection, _ABOUT["run"], run)
    _insert_frame(connection, _ABOUT["lineage"], _lineage_rows(lineage))
    _insert_frame(connection, _ABOUT["caveats"], _caveat_rows())
    for name in ("tables", "columns"):
        connection.execute(ddl.create_table(_ABOUT[name]))
    _insert_rows(connection, _ABOUT["columns"], _column_rows())
    counts = {table.full_name: 0 for table in catalogue.TABLES}
    for full_name in counts:
        counts[full_name] = _one(connection, f"SELECT count(*) FROM {full_name}")
    counts["about.tables"] = len(catalogue.TABLES)
    _insert_rows(connection, _ABOUT["tables"], _table_rows(counts))


def _insert_frame(connection: duckdb.DuckDBPyConnection, table: Table, rows: pd.DataFrame) -> None:
    connection.execute(ddl.create_table(table))
    _insert_rows(connection, table, rows)


def _insert_rows(connection: duckdb.DuckDBPyConnection, table: Table, rows: pd.DataFrame) -> None:
    connection.register("rows_to_insert", frames.to_arrow(frames.conform(rows, table), table))
    connection.execute(f"INSERT INTO {table.full_name} BY NAME SELECT * FROM rows_to_insert")
    connection.unregister("rows_to_insert")


def _table_rows(counts: Mapping[str, int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "schema_name": table.schema,
            "table_name": table.name,
            "kind": "view" if table.is_view else "table",
            "row_count": counts[table.full_name],
            "grain": table.grain,
            "key_columns": ", ".join(table.key),
            "description": table.comment,
        }
        for table in catalogue.TABLES
    )


def _lineage_rows(lineage: Lineage) -> pd.DataFrame:
    rows = [
        (*full_name.split("."), publication) for full_name, own in lineage.items() for publication in sorted(set(own))
    ]
    return pd.DataFrame(rows, columns=_ABOUT["lineage"].column_names)


def _caveat_rows() -> pd.DataFrame:
    groups = {"all": sentences.ALL, "trend": sentences.TREND, "models": sentences.MODELS}
    groups |= {table.full_name: table.warnings for table in catalogue.TABLES if table.warnings}
    return pd.DataFrame(
        {"applies_to": applies_to, "position": position, "caveat": caveat}
        for applies_to, caveats in groups.items()
        for position, caveat in enumerate(caveats, start=1)
    )


def _column_rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "schema_name": table.schema,
            "table_name": table.name,
            "column_name": column.name,
            "position": position,
            "kind": column.kind,
            "unit": column.unit,
            "may_be_missing": column.nullable,
            "allowed_values": ", ".join(column.allowed) if column.allowed else None,
            "description": column.description,
        }
        for table in catalogue.TABLES
        for position, column in enumerate(table.columns, start=1)
    )


# ---------------------------------------------------------------------------------------------------------------------
# Verify


def verify(database: Path, frames_folder: Path, sql_folder: Path) -> dict[str, int]:
    """Row counts of a finished database, after proving that it is whole.

    Every declared table is there and none besides; every table, view and column has its comment; no figure is infinite or
    a NaN; counts equal the Parquet files; every query in `sql/checks` returns no row; the storage version is the promised
    one. Raises Refusal with the first of these that is not so.
    """
    connection = duckdb.connect(str(database), read_only=True)
    try:
        _refuse_undeclared(connection)
        _refuse_uncommented(connection)
        _refuse_storage_version(connection)
        _refuse_no_number(connection)
        counts = {
            table.full_name: _one(connection, f"SELECT count(*) FROM {table.full_name}") for table in catalogue.TABLES
        }
        for table in catalogue.TABLES:
            if table.asset:
                rows = pq.read_metadata(parquet_file(frames_folder, table.asset)).num_rows
                if rows != counts[table.full_name]:
                    raise _not_whole(
                        f"{table.full_name} has {counts[table.full_name]} rows and its Parquet file {rows}"
                    )
        told = connection.execute("SELECT schema_name || '.' || table_name, row_count FROM about.tables").fetchall()
        if dict(told) != counts:
            wrong = sorted(name for name, rows in (set(told) ^ set(counts.items())))
            raise _not_whole(f"about.tables tells another number of rows of {wrong[0]}")
        for file in sorted((sql_folder / "checks").glob("*.sql")):
            broken = connection.execute(file.read_text(encoding="utf-8")).fetchall()
            if broken:
                raise Refusal(
                    "check_failed",
                    f"the check {file.stem} of the finished database found {broken[0]}",
                    remedy="look at that row's source; the published database is unchanged",
                )
        return counts
    finally:
        connection.close()


def _refuse_undeclared(connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute("SELECT table_schema || '.' || table_name FROM information_schema.tables").fetchall()
    there, declared = {row[0] for row in rows}, {table.full_name for table in catalogue.TABLES}
    if there != declared:
        raise _not_whole(f"tables differ from the declared ones: {', '.join(sorted(there ^ declared))}")


def _refuse_uncommented(connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE comment IS NULL AND NOT internal"
        " UNION ALL SELECT schema_name || '.' || view_name FROM duckdb_views() WHERE comment IS NULL AND NOT internal"
        " UNION ALL SELECT schema_name || '.' || table_name || '.' || column_name FROM duckdb_columns()"
        " WHERE comment IS NULL AND NOT internal"
    ).fetchall()
    if rows:
        raise _not_whole(f"{rows[0][0]} has no comment")


def _refuse_storage_version(connection: duckdb.DuckDBPyConnection) -> None:
    tags = connection.execute("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchall()
    written = str(dict(tags[0][0]).get("storage_version", ""))
    if not written.startswith(STORAGE_VERSION.removesuffix(".0")):
        raise _not_whole(f"its storage version is {written}, not {STORAGE_VERSION}")


def _refuse_no_number(connection: duckdb.DuckDBPyConnection) -> None:
    """What is missing is null and has a reason; an infinity or a NaN would pass for a figure in sums and comparisons."""
    for table in catalogue.TABLES:
        numbers = [column.name for column in table.columns if column.kind == "number"]
        if numbers and not table.is_view:
            bad = " OR ".join(f'NOT isfinite("{name}")' for name in numbers)
            if _one(connection, f"SELECT count(*) FROM {table.full_name} WHERE {bad}"):
                raise _not_whole(f"{table.full_name} holds an infinity or a NaN")


def _not_whole(problem: str) -> Refusal:
    return Refusal(
        "database_not_whole",
        f"the new database is not whole: {problem}",
        remedy="this is a fault of the program, please report it; the published database is unchanged",
    )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])
