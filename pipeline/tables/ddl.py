"""Declared tables as DuckDB statements: tables with keys and checks, and comments on everything.

What belongs here: SQL text that follows from a declaration. What does not: running it (`publish`) and the views
themselves (`sql/views`).
"""

from __future__ import annotations

from pipeline.tables.declare import Column, Table

_TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
}


def quoted(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def create_table(table: Table) -> str:
    """CREATE TABLE with its key, its required columns and its allowed values."""
    lines = [_column(column) for column in table.columns]
    lines.append(f"PRIMARY KEY ({', '.join(_name(key) for key in table.key)})")
    return f"CREATE TABLE {table.full_name} (\n  " + ",\n  ".join(lines) + "\n)"


def comments(table: Table, prefix: str = "") -> list[str]:
    """COMMENT statements for the table or view and each of its columns; `prefix` stands before the table's comment."""
    kind = "VIEW" if table.is_view else "TABLE"
    statements = [f"COMMENT ON {kind} {table.full_name} IS {quoted(prefix + table.comment)}"]
    statements += [
        f"COMMENT ON COLUMN {table.full_name}.{_name(column.name)} IS {quoted(column.comment)}"
        for column in table.columns
    ]
    return statements


def _column(column: Column) -> str:
    required = "" if column.nullable else " NOT NULL"
    allowed = ""
    if column.allowed:
        allowed = f" CHECK ({_name(column.name)} IN ({', '.join(quoted(value) for value in column.allowed)}))"
    return f"{_name(column.name)} {_TYPES[column.kind]}{required}{allowed}"


def _name(name: str) -> str:
    return f'"{name}"'
