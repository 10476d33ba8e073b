"""Declared tables as pandas frames and Parquet: types, order, and the check that a frame keeps to its declaration.

What belongs here: everything about frames that follows from a declaration. What does not: DuckDB (`ddl`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandas.api.extensions import ExtensionArray
from pandas.api.types import union_categoricals

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
_REPEATED = "category"  # the texts once, and a number a row: with millions of rows gigabytes less
ROWS_AT_ONCE = 2**20  # of Arrow, whose texts are written out: a row group of Parquet has as many
_BROKEN = {"not_nullable": "a value is missing", "multiple_fields_uniqueness": "the key stands there twice"}


def _dtype(column: Column) -> str:
    return _REPEATED if column.is_repeated else _PANDAS[column.kind]


def _typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    typed = frame.astype({column.name: _dtype(column) for column in table.columns})
    for column in table.columns:
        if column.is_repeated:
            typed[column.name] = _in_order(typed[column.name])
    return typed


def _in_order(texts: pd.Series) -> pd.Series:
    """The same with its texts of one type wherever they come from, and in their order: rows are sorted by it."""
    used = texts.cat.remove_unused_categories()
    known = used.cat.categories.astype("string")
    renamed = used.cat.rename_categories(known)
    return renamed if known.is_monotonic_increasing else renamed.cat.reorder_categories(known.sort_values())


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


def stacked(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One frame of the rows of several with the same columns, one after the other; repeated texts stay kept once each."""
    columns = {}
    for name in parts[0].columns:
        own = [part[name].array for part in parts]
        if all(isinstance(array, pd.Categorical) for array in own):
            columns[name] = union_categoricals(own)
        else:
            columns[name] = pd.concat([part[name] for part in parts], ignore_index=True)
    return pd.DataFrame(columns)


def of_one_text(text: str | None, rows: int) -> pd.Categorical:
    """A column with one text in every row, kept once."""
    return pd.Categorical.from_codes(
        np.full(rows, -1 if text is None else 0, dtype=np.int8),
        pd.Index([] if text is None else [text], dtype="string"),
    )


def pivoted(rows: pd.DataFrame, columns: str, values: str) -> pd.DataFrame:
    """A row a unit_id, a column a text of `columns`, with the `values`; ids and names are texts, repeated ones too."""
    told = rows[["unit_id", columns, values]]
    if told[values].dtype == _REPEATED:
        told = told.assign(**{values: _written_out(told[values])})
    wide = told.pivot(index="unit_id", columns=columns, values=values)
    return wide.set_axis(wide.index.astype("string")).set_axis(wide.columns.astype("string"), axis="columns")


def empty(table: Table) -> pd.DataFrame:
    """The table without rows, in the declared types: what an optional input is where its files are not there."""
    return conform(pd.DataFrame(columns=table.column_names), table)


def check(frame: pd.DataFrame, table: Table) -> None:
    """Refuse a frame that breaks its declaration, with the first row that does."""
    import pandera.errors

    try:
        _frame_schema(table).validate(frame, lazy=True, inplace=True)  # nothing is coerced, so nothing is changed
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
    """A frame with the declared columns as an Arrow table of the declared schema; whoever reads it has plain texts."""
    texts = {column.name: _written_out(frame[column.name]) for column in table.columns if column.is_repeated}
    return pa.Table.from_pandas(frame.assign(**texts), schema=arrow_schema(table), preserve_index=False)


def _written_out(texts: pd.Series) -> ExtensionArray:
    """Repeated texts one by one; by way of Arrow, since pandas makes an object of each."""
    codes = texts.cat.codes.to_numpy()
    every = pa.array(texts.cat.categories, type=pa.string()).take(pa.array(codes, mask=codes < 0))
    return pd.StringDtype().__from_arrow__(every)


def from_arrow(data: pa.Table, table: Table) -> pd.DataFrame:
    """A frame with the declared columns in the declared types."""
    frame = data.to_pandas(date_as_object=True)
    return _typed(frame, table)


def write(frame: pd.DataFrame, table: Table, file: Path, stamp: Mapping[str, str]) -> None:
    """The Parquet file of a frame with the declared columns; `stamp` is added to the metadata of its schema."""
    starts = range(0, max(len(frame), 1), ROWS_AT_ONCE)
    write_parts((frame.iloc[start : start + ROWS_AT_ONCE] for start in starts), table, file, stamp)


def write_parts(
    parts: Iterable[pd.DataFrame], table: Table, file: Path, stamp: Mapping[str, str], compression: str = "snappy"
) -> None:
    """The same of frames that follow on one another, of which no more than one is looked at at a time.

    `parts`: at least one, each with the declared columns, in the order of the rows.
    """
    found = (to_arrow(part, table) for part in parts)
    first = next(found)
    schema = first.schema.with_metadata({**(first.schema.metadata or {}), **stamp})
    with pq.ParquetWriter(file, schema, compression=compression) as writer:
        writer.write_table(first)
        for part in found:
            writer.write_table(part)


def read(file: Path, table: Table) -> pd.DataFrame:
    """The frame of a Parquet file that `write` has written, with the columns and types that `conform` gives."""
    repeated = [column.name for column in table.columns if column.is_repeated]
    return from_arrow(pq.read_table(file, read_dictionary=repeated), table)
