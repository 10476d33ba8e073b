"""The data dictionary, written from the declarations.

What belongs here: declared tables as one Markdown document. `make docs` writes it to `docs/data-dictionary.md`, and a test
holds the committed copy to the declarations.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.tables import catalogue
from pipeline.tables.declare import Column, Table

_HEAD = """# Data dictionary

Every table, view and column of `care_numbers.duckdb`. This page is written from the declarations in `pipeline/tables`
by `make docs`; the same texts are the comments in the database and stand in `about.tables` and `about.columns`.
"""


def markdown() -> str:
    """The whole document."""
    return "\n".join([_HEAD, *(_table(table) for table in catalogue.TABLES)])


def _table(table: Table) -> str:
    lines = [f"## {table.full_name}", "", table.description, ""]
    lines.append(f"One row per {table.grain}. Key: {', '.join(f'`{key}`' for key in table.key)}.")
    lines += ["", *(f"- {warning}" for warning in table.warnings), ""] if table.warnings else [""]
    lines += ["| column | type | unit | may be missing | meaning |", "|---|---|---|---|---|"]
    lines += [_column(column) for column in table.columns]
    return "\n".join([*lines, ""])


def _column(column: Column) -> str:
    allowed = f" One of: {', '.join(f'`{value}`' for value in column.allowed)}." if column.allowed else ""
    return (
        f"| `{column.name}` | {column.kind} | {column.unit or ''} | {'yes' if column.nullable else 'no'} "
        f"| {column.description}{allowed} |"
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")
