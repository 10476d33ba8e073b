"""Reading the published database, for whatever tells a person about it.

What belongs here: opening it read-only and a query as plain records. What does not: writing it (`publish`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import Refusal

Record = dict[str, Any]


def query(database: Path, sql: str, parameters: list[object] | None = None) -> list[Record]:
    """The rows of a query as dictionaries; missing values are None. The connection is closed at once.

    Raises Refusal when nothing has been published there yet.
    """
    if not database.exists():
        raise Refusal(
            "nothing_published",
            "there is no published database yet",
            file=str(database),
            remedy="run care-numbers run first",
        )
    connection = duckdb.connect(str(database), read_only=True)
    try:
        result = connection.execute(sql, parameters or [])
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    finally:
        connection.close()


def run_facts(database: Path) -> dict[str, str]:
    """What `about.run` tells of the run that published a database."""
    return {row["property"]: row["value"] for row in query(database, "SELECT property, value FROM about.run")}
