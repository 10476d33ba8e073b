"""What the report reads: one published database, opened once.

What belongs here: queries as frames and records, and the facts that every page stands on. What does not: any page.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import pandas as pd

from pipeline.chart_parts import About
from pipeline.database import Record, connect, refusing_other_versions
from pipeline.errors import Refusal


@dataclass(frozen=True)
class Published:
    """An open database. Pages share it: one query a table, then groups of the frame, never a query a page."""

    connection: duckdb.DuckDBPyConnection

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
        """The name of every authority that has a page, by code."""
        sql = "SELECT DISTINCT la_code, la_name FROM core.local_authorities ORDER BY la_code"
        return {row["la_code"]: row["la_name"] for row in self.rows(sql)}


@contextlib.contextmanager
def opened(database: Path) -> Iterator[Published]:
    """Open the published database read-only. Raises Refusal when there is none or it has other tables."""
    if not database.exists():
        raise Refusal(
            "nothing_published",
            "there is no published database yet",
            file=str(database),
            remedy="run care-numbers run first",
        )
    connection = connect(database)
    try:
        with refusing_other_versions(database):
            yield Published(connection)
    finally:
        connection.close()
