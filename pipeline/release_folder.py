"""What is in one release: the database, its tables as Parquet, its checks, `datapackage.json` and `MANIFEST`.

What belongs here: filling the folder from a finished database, and proving later that it is still whole. What does not:
which releases there are and which is shown (`releases`), and building the database (`publish`).

A release is proved by what it brings along, its own list of tables and its own checks: the project's may have moved on.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import checksums, datapackage, durable
from pipeline.database import Record
from pipeline.datapackage import DataFile
from pipeline.errors import Refusal
from pipeline.tables import catalogue, frames
from pipeline.tables.declare import Table

DATABASE = "care_numbers.duckdb"
PARQUET = "parquet"
CHECKS = "checks"
READ_ONLY = 0o444  # nobody edits it by accident; a folder of such files can still be deleted on purpose


@dataclass(frozen=True)
class Proof:
    """A release that was found whole: its tables with their rows, and the sha256 of its MANIFEST, which stands for all."""

    release: str
    row_counts: dict[str, int]
    files: int
    manifest_sha256: str


# ---------------------------------------------------------------------------------------------------------------------
# Fill


def fill(folder: Path, release: str, sql_folder: Path, comment_prefix: str = "") -> None:
    """Add everything else to a folder that holds the finished database, and write all of it through to the disk."""
    (folder / PARQUET).mkdir()
    connection = duckdb.connect(str(folder / DATABASE), read_only=True)
    try:
        run = dict(connection.execute("SELECT property, value FROM about.run").fetchall())
        sources = _records(connection, "SELECT * FROM about.sources ORDER BY ALL")
        every_source = sorted({source["sha256"] for source in sources})
        for table in catalogue.TABLES:
            stamp = _stamp(connection, table, release, every_source, comment_prefix)
            _write_parquet(connection, table, folder / parquet_path(table.full_name), stamp)
    finally:
        connection.close()
    shutil.copytree(sql_folder / "checks", folder / CHECKS, ignore=_all_but_sql)
    tables = [(table, _data_file(folder, parquet_path(table.full_name))) for table in catalogue.TABLES]
    package = datapackage.descriptor(release, run, sources, _data_file(folder, DATABASE), tables, comment_prefix)
    (folder / datapackage.FILE).write_text(json.dumps(package, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    checksums.write(folder)
    _settle(folder)


def parquet_path(full_name: str) -> str:
    """Where a table lies in a release."""
    return f"{PARQUET}/{full_name}.parquet"


def _all_but_sql(_: str, names: list[str]) -> Iterable[str]:
    return [name for name in names if not name.endswith(".sql")]


def _records(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Record]:
    result = connection.execute(sql)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _stamp(
    connection: duckdb.DuckDBPyConnection, table: Table, release: str, every_source: list[str], comment_prefix: str
) -> dict[str, str]:
    """What a Parquet file says of itself, for whoever is handed it alone.

    A table whose rows name their files has those; one that is computed has all files of the release.
    """
    sources = every_source
    if "source_sha256" in table.column_names:
        used = connection.execute(
            f"SELECT DISTINCT unnest(string_split(source_sha256, ' ')) AS sha256 FROM {table.full_name} ORDER BY ALL"
        ).fetchall()
        sources = [sha256 for (sha256,) in used if sha256]
    return {
        "table": table.full_name,
        "comment": comment_prefix + table.comment,
        "grain": table.grain,
        "key": ", ".join(table.key),
        "release": release,
        "is_fictional": str(bool(comment_prefix)).lower(),
        "sources_sha256": " ".join(sources),
    }


def _write_parquet(connection: duckdb.DuckDBPyConnection, table: Table, file: Path, stamp: dict[str, str]) -> None:
    """From the database and not from the frames it was built from: those may be on their way to the next run."""
    order = ", ".join(f'"{name}"' for name in table.sort_by)
    found = connection.sql(f"SELECT * FROM {table.full_name} ORDER BY {order}").to_arrow_reader(frames.ROWS_AT_ONCE)
    frames.write_parts(_parts(found, table), table, file, stamp, compression="zstd")


def _parts(found: pa.RecordBatchReader, table: Table) -> Iterator[pd.DataFrame]:
    """By way of frames, whose types pandas then gives back: a number that may be missing stays a whole number."""
    is_empty = True
    for batch in found:
        is_empty = False
        yield frames.from_arrow(pa.Table.from_batches([batch]), table)
    if is_empty:
        yield frames.empty(table)


def _data_file(folder: Path, path: str) -> DataFile:
    file = folder / path
    return DataFile(path, file.stat().st_size, checksums.sha256(file))


def _settle(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder before the folder
        if path.is_file():
            path.chmod(READ_ONLY)
        durable.sync(path)
    durable.sync(folder)


# ---------------------------------------------------------------------------------------------------------------------
# Prove


def prove(folder: Path) -> Proof:
    """Hold a release to what it says of itself.

    Every file has the bytes of MANIFEST and none is besides; the database names this release, has the rows that
    `about.tables` tells, answers for every table and view, and passes the checks it brings along; `datapackage.json` lists
    each Parquet file with its sha256, and each has the columns and rows of its table. Raises Refusal with the first
    thing that is not so.
    """
    found = checksums.problems(folder)
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise _not_intact(folder, f"{found[0]}{more}")
    connection = duckdb.connect(str(folder / DATABASE), read_only=True)
    try:
        counts = _proved_counts(folder, connection)
        _refuse_failed_checks(folder, connection)
        columns = _columns(connection)
    finally:
        connection.close()
    _prove_package(folder, counts, columns)
    return Proof(folder.name, counts, len(checksums.read(folder)), checksums.sha256(folder / checksums.FILE))


def _proved_counts(folder: Path, connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    told = connection.execute("SELECT value FROM about.run WHERE property = 'release'").fetchall()
    if told != [(folder.name,)]:
        raise _not_intact(folder, f"its database calls itself release {told[0][0] if told else 'nothing'}")
    listed = connection.execute("SELECT schema_name || '.' || table_name, row_count FROM about.tables").fetchall()
    for name, row_count in listed:
        ((found,),) = connection.execute(f"SELECT count(*) FROM (SELECT * FROM {name})").fetchall()
        if found != row_count:
            raise _not_intact(folder, f"{name} has {found} rows and about.tables tells {row_count}")
    return dict(listed)


def _refuse_failed_checks(folder: Path, connection: duckdb.DuckDBPyConnection) -> None:
    for file in sorted((folder / CHECKS).glob("*.sql")):
        broken = connection.execute(file.read_text(encoding="utf-8")).fetchall()
        if broken:
            raise _not_intact(folder, f"the check {file.stem} found {broken[0]}")


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    rows = connection.execute(
        "SELECT schema_name || '.' || table_name, column_name FROM about.columns"
        " ORDER BY schema_name, table_name, position"
    ).fetchall()
    columns: dict[str, list[str]] = {}
    for table, column in rows:
        columns.setdefault(table, []).append(column)
    return columns


def _prove_package(folder: Path, counts: dict[str, int], columns: dict[str, list[str]]) -> None:
    package = json.loads((folder / datapackage.FILE).read_text(encoding="utf-8"))
    hashes = checksums.read(folder)
    resources = {resource["name"]: resource for resource in package["resources"]}
    for resource in resources.values():
        path = resource["path"]
        if resource["sha256"] != hashes.get(path):
            raise _not_intact(folder, f"{datapackage.FILE} tells another sha256 of {path}")
    for name, row_count in counts.items():
        if name not in resources:
            raise _not_intact(folder, f"{datapackage.FILE} does not list {name}")
        fields = [field["name"] for field in resources[name]["schema"]["fields"]]
        parquet = pq.read_metadata(folder / resources[name]["path"])
        if not fields == columns[name] == parquet.schema.to_arrow_schema().names:
            raise _not_intact(folder, f"the columns of {name} differ between database, Parquet and {datapackage.FILE}")
        if parquet.num_rows != row_count:
            raise _not_intact(folder, f"{name} has {row_count} rows and its Parquet file {parquet.num_rows}")


def _not_intact(folder: Path, problem: str) -> Refusal:
    return Refusal(
        "release_not_intact",
        f"this release is not as it was published: {problem}",
        file=folder.name,
        remedy="do not use it; take another copy of it, or another release (care-numbers releases lists them)",
    )
