"""The SQL of the declarations, run in DuckDB: keys, required columns, allowed values and comments hold there."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pipeline.tables import catalogue, ddl
from pipeline.tables.declare import Column, Table

INVENTED = Table(
    schema="main",
    name="invented",
    description='The authority\'s "own" figures.',
    grain="authority and year",
    key=("la_code", "year"),
    warnings=("Mind the gap.",),
    columns=(
        Column("la_code", "text", "Code."),
        Column("year", "integer", "Year."),
        Column("order", "number", "A column called as a word of SQL.", "children", nullable=True),
        Column("word", "text", "Word.", allowed=("up", "it's down")),
    ),
)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    database = duckdb.connect()
    database.execute("CREATE SCHEMA core")
    database.execute("CREATE SCHEMA about")
    database.execute(ddl.create_table(INVENTED))
    yield database
    database.close()


def test_texts_are_quoted() -> None:
    assert ddl.quoted("it's") == "'it''s'"


@pytest.mark.parametrize(
    "row",
    [
        "('701', 2021, 1.5, 'up')",
        "('701', 2021, NULL, 'it''s down')",
    ],
)
def test_a_good_row_goes_in(connection: duckdb.DuckDBPyConnection, row: str) -> None:
    connection.execute(f"INSERT INTO invented VALUES {row}")
    assert connection.execute("SELECT count(*) FROM invented").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "rows",
    [
        "('701', 2021, 1, 'up'), ('701', 2021, 2, 'up')",
        "(NULL, 2021, 1, 'up')",
        "('701', 2021, 1, NULL)",
        "('701', 2021, 1, 'sideways')",
    ],
)
def test_a_bad_row_does_not(connection: duckdb.DuckDBPyConnection, rows: str) -> None:
    with pytest.raises(duckdb.ConstraintException):
        connection.execute(f"INSERT INTO invented VALUES {rows}")


@pytest.mark.parametrize("table", catalogue.TABLES, ids=lambda table: table.full_name)
def test_every_declared_table_can_be_made_with_its_comments(
    connection: duckdb.DuckDBPyConnection, table: Table
) -> None:
    if table.is_view:
        nulls = ", ".join(f'NULL AS "{name}"' for name in table.column_names)
        connection.execute(f"CREATE VIEW {table.full_name} AS SELECT {nulls}")
    else:
        connection.execute(ddl.create_table(table))
    for statement in ddl.comments(table):
        connection.execute(statement)
    columns = connection.execute(
        "SELECT column_name, comment FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? ORDER BY column_index",
        [table.schema, table.name],
    ).fetchall()
    assert columns == [(column.name, column.comment) for column in table.columns]
    source = "duckdb_views()" if table.is_view else "duckdb_tables()"
    name = "view_name" if table.is_view else "table_name"
    comment = connection.execute(
        f"SELECT comment FROM {source} WHERE schema_name = ? AND {name} = ?", [table.schema, table.name]
    ).fetchall()
    assert comment == [(table.comment,)]


def test_a_prefix_stands_before_the_comment_of_the_table_alone(connection: duckdb.DuckDBPyConnection) -> None:
    for statement in ddl.comments(INVENTED, "FICTIONAL. "):
        connection.execute(statement)
    found = connection.execute("SELECT comment FROM duckdb_tables() WHERE table_name = 'invented'").fetchall()
    assert found == [('FICTIONAL. The authority\'s "own" figures. One row per authority and year. Mind the gap.',)]
    columns = connection.execute("SELECT comment FROM duckdb_columns() WHERE table_name = 'invented'").fetchall()
    assert not any(comment.startswith("FICTIONAL") for (comment,) in columns)


@pytest.mark.parametrize(
    ("kind", "sql"),
    [("text", "VARCHAR"), ("integer", "BIGINT"), ("number", "DOUBLE"), ("boolean", "BOOLEAN"), ("date", "DATE"),
     ("timestamp", "TIMESTAMP WITH TIME ZONE")],
)  # fmt: skip
def test_every_kind_has_its_type(connection: duckdb.DuckDBPyConnection, kind: str, sql: str) -> None:
    column = Column("a", kind, "A.")  # type: ignore[arg-type]
    connection.execute(ddl.create_table(Table("main", "one", "D.", "row", ("a",), (column,))))
    assert connection.execute("SELECT data_type FROM duckdb_columns() WHERE table_name = 'one'").fetchall() == [(sql,)]
