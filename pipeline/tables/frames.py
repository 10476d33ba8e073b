"""Declared tables as pandas frames and Parquet: types, order, and the check that a frame keeps to its declaration.

What belongs here: everything about frames that follows from a declaration. What does not: DuckDB (`ddl`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from pipeline.errors import Refusal
from pipeline.tables.declare import Column, Table

if TYPE_CHECKING:
    import pandera.pandas

_ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
# Numbers stay numpy floats, where missing is NaN; everything else is a type that can hold "missing" without changing.
_PANDAS = {"text": "string", "integer": "Int64", "number": "float64", "boolean": "boolean", "date": "object",
           "timestamp": "datetime64[us, UTC]"}  # fmt: skip
_FEW_FOR_MANY_ROWS = "category"  # the texts once, and a number a row: with millions of rows a gigabyte less
_BROKEN = {"not_nullable": "a value is missing", "multiple_fields_uniqueness": "the key stands there twice"}


def _dtype(column: Column) -> str:
    return _FEW_FOR_MANY_ROWS if column.is_provenance else _PANDAS[column.kind]


def _typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    typed = frame.astype({column.name: _dtype(column) for column in table.columns})
    for column in table.columns:
        if column.is_provenance:  # the texts are of one type wherever they come from
            few = typed[column.name].cat
            typed[column.name] = few.rename_categories(few.categories.astype("string"))
    return typed


def arrow_schema(table: Table) -> pa.Schema:
    """Schema of the table's Parquet file; columns carry their comments."""
    return pa.schema(
        [
            pa.field(column.name, _ARROW[column.kind], column.nullable, {b"comment": column.comment.encode()})
            for column in table.columns
        ]
    )


def conform(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """The frame with exactly the declared columns, in declared types and order; extra columns are left behind.

    Raises Refusal when the frame breaks the declaration: a missing column is a bug and stays a KeyError, a missing
    value, a repeated key or a value that is not allowed is named with the key of its row.
    """
    typed = _typed(frame[table.column_names], table)
    ordered = typed.sort_values(table.sort_by, ignore_index=True)
    check(ordered, table)
    return ordered


def empty(table: Table) -> pd.DataFrame:
    """The table without rows, in the declared types: what an optional input is where its files are not there."""
    return conform(pd.DataFrame(columns=table.column_names), table)


def check(frame: pd.DataFrame, table: Table) -> None:
    """Refuse a frame that breaks its declaration, with the first row that does."""
    import pandera.errors

    try:
        _frame_schema(table).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        first = errors.failure_cases.iloc[0]
        place = ""
        if not pd.isna(first["index"]):  # an undeclared column is of no row
            place = " at " + ", ".join(f"{name} {frame.at[first['index'], name]}" for name in table.key)
        raise Refusal(
            "table_breaks_contract",
            f"{table.full_name} breaks its declaration ({_BROKEN.get(first['check'], first['check'])}){place}",
            column=str(first["column"]),
            value=str(first["failure_case"]),
            remedy="look at the source of that value; nothing was published",
        ) from errors


@cache
def _frame_schema(table: Table) -> pandera.pandas.DataFrameSchema:
    import pandera.pandas as pa_frames

    def column_schema(column: Column) -> pandera.pandas.Column:
        checks = [pa_frames.Check.isin(column.allowed)] if column.allowed else []
        return pa_frames.Column(_dtype(column), checks=checks, nullable=column.nullable)

    return pa_frames.DataFrameSchema(
        {column.name: column_schema(column) for column in table.columns},
        unique=list(table.key),
        strict=True,
        ordered=True,
    )


def to_arrow(frame: pd.DataFrame, table: Table) -> pa.Table:
    """A frame with the declared columns as an Arrow table of the declared schema."""
    return pa.Table.from_pandas(frame, schema=arrow_schema(table), preserve_index=False)


def from_arrow(data: pa.Table, table: Table) -> pd.DataFrame:
    """A frame with the declared columns in the declared types."""
    frame = data.to_pandas(date_as_object=True)
    return _typed(frame, table)
