"""What the report reads: one published database, opened once.

What belongs here: queries as frames and records, and the facts that every page stands on. What does not: any page.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import duckdb
import pandas as pd

from pipeline import sample, settings
from pipeline.chart_parts import About
from pipeline.database import Record, reading
from pipeline.tables import ddl


@dataclass(frozen=True)
class Published:
    """An open database. Pages share it: one query a table, then groups of the frame, never a query a page."""

    connection: duckdb.DuckDBPyConnection
    _closing: list[duckdb.DuckDBPyConnection] = field(default_factory=list)

    def frame(self, sql: str) -> pd.DataFrame:
        """The rows of a query as a frame; missing values are NA or NaN."""
        return self.connection.execute(sql).df()

    def rows(self, sql: str) -> list[Record]:
        """The rows of a query as dictionaries; missing values are None."""
        result = self.connection.execute(sql)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def has(self, full_name: str) -> bool:
        """Whether a table, such as `main.revisions`, is there and has rows."""
        schema, name = full_name.split(".")
        found = self.connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = ?", [schema, name]
        ).fetchone()
        if not found or not found[0]:
            return False
        return self.connection.execute(f'SELECT 1 FROM {schema}."{name}" LIMIT 1').fetchone() is not None

    @cached_property
    def run(self) -> dict[str, str]:
        """What `about.run` tells of the run that published."""
        return {row["property"]: row["value"] for row in self.rows("SELECT property, value FROM about.run")}

    @cached_property
    def about(self) -> About:
        """The country by name, and whether it is fictional."""
        return About(self.run["country"], self.run["is_fictional"] == "true")

    @cached_property
    def pages_of(self) -> dict[str, str]:
        """The name of every authority that has a page, by code; of a large country some have one."""
        codes = sample.every(list(self.names), settings.load().report.authority_pages)
        return {code: self.names[code] for code in codes}

    @cached_property
    def names(self) -> dict[str, str]:
        """The name of every authority, by code."""
        sql = "SELECT DISTINCT la_code, la_name FROM core.local_authorities ORDER BY la_code"
        return {row["la_code"]: row["la_name"] for row in self.rows(sql)}

    @property
    def sampled(self) -> str:
        """Which authorities have a page, in a sentence; empty where all have."""
        return sample.told(len(self.names), settings.load().report.authority_pages, "authorities")

    @cached_property
    def of_pages(self) -> Published:
        """The database with the rows of the authorities that have a page and no others, for what is told of each.

        Nothing may be counted there but what is of one authority. The same database where all have a page.
        """
        if not self.sampled:
            return self
        connection = duckdb.connect()
        self._closing.append(connection)
        file = self.connection.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchall()[0][0]
        connection.execute(f"ATTACH {ddl.quoted(file)} AS whole (READ_ONLY)")
        connection.execute("USE whole")
        connection.execute("CREATE TEMP TABLE with_page AS SELECT unnest(?) AS code", [list(self.pages_of)])
        columns: dict[tuple[str, str], set[str]] = {}
        for schema, table, column in connection.execute(
            "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE database_name = 'whole'"
        ).fetchall():
            columns.setdefault((schema, table), set()).add(column)
        for schema in {schema for schema, _ in columns} - {"main"}:
            connection.execute(f"CREATE SCHEMA memory.{schema}")
        for (schema, table), own in columns.items():
            connection.execute(f"CREATE TABLE memory.{schema}.{table} AS FROM {schema}.{table} {_of_page(own)}")
        connection.execute("USE memory")
        return Published(connection)


def _of_page(columns: set[str]) -> str:
    """The rows of a table that are of an authority with a page, or of a unit that holds one."""
    if "la_code" in columns:
        return "WHERE la_code IN (FROM with_page)"
    if "unit_id" in columns:
        return "WHERE list_has_any(string_split(unit_id, '+'), (SELECT list(code) FROM with_page))"
    return ""


@contextlib.contextmanager
def opened(database: Path) -> Iterator[Published]:
    """Open the published database read-only. Raises Refusal when there is none or it has other tables."""
    with reading(database) as connection:
        published = Published(connection)
        try:
            yield published
        finally:
            for one in published._closing:
                one.close()
