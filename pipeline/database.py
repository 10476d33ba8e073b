"""Reading the published database, for whatever tells a person about it.

What belongs here: opening it read-only and a query as plain records. What does not: writing it (`publish`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import Refusal

Record = dict[str, Any]

PATIENCE_SECONDS = 30.0  # one swap a night is usual; one in every opening for so long is a fault


def connect(database: Path) -> duckdb.DuckDBPyConnection:
    """Open a published database read-only, all of it of one publication.

    DuckDB opens the file three times while it connects: for its kind, its header and its data. A publication in between
    would join the header of one file to the data of another, so what was opened while the file was replaced is let go and
    opened again. Raises Refusal when that goes on, and for a file that is damaged or no database.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        before = _identity(database)
        try:
            connection = duckdb.connect(str(database), read_only=True)
        except duckdb.Error as error:
            if _identity(database) == before:
                raise _unreadable(database, str(error).splitlines()[0]) from error
            continue
        if _identity(database) == before:
            return connection
        connection.close()
    raise Refusal(
        "replaced_again_and_again",
        f"for {PATIENCE_SECONDS:g} seconds the database was replaced whenever it was being opened",
        file=str(database),
        remedy="try again, or open the file of a release, which is never replaced",
    )


def _unreadable(database: Path, why: str) -> Refusal:
    return Refusal(
        "database_unreadable",
        f"the published database cannot be read ({why})",
        file=str(database),
        remedy="care-numbers rollback RELEASE puts a release back, and care-numbers run publishes anew",
    )


@contextlib.contextmanager
def _refusing_other_versions(database: Path) -> Iterator[None]:
    """Around queries: Refusal where a table or column is not there, as in a database of another version or program."""
    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise Refusal(
            "database_of_another_version",
            f"another version of the program, or another program, has made the database ({str(error).splitlines()[0]})",
            file=str(database),
            remedy="run care-numbers run to publish with this version; the releases keep what was published before",
        ) from error


def _identity(database: Path) -> tuple[int, int, int]:
    """What tells one file from another that took its name."""
    found = database.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


@contextlib.contextmanager
def reading(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published database, open to be read and closed afterwards.

    Raises Refusal when nothing has been published there yet, when it cannot be read and when it has other tables.
    """
    if not database.exists():
        raise Refusal(
            "nothing_published",
            "there is no published database yet",
            file=str(database),
            remedy="run care-numbers run first",
        )
    connection = connect(database)
    try:
        with _refusing_other_versions(database):
            yield connection
    finally:
        connection.close()


def query(database: Path, sql: str, parameters: list[object] | None = None) -> list[Record]:
    """The rows of a query as dictionaries; missing values are None. Refuses what `reading` refuses."""
    with reading(database) as connection:
        result = connection.execute(sql, parameters or [])
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def run_facts(database: Path) -> dict[str, str]:
    """What `about.run` tells of the run that published a database."""
    return {row["property"]: row["value"] for row in query(database, "SELECT property, value FROM about.run")}
