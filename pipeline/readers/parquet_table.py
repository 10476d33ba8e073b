"""Parquet files as published: their column names, and chosen rows as text.

What belongs here: opening and filtering. What does not: the meaning of any column (the layout modules).
"""

from __future__ import annotations

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import Refusal

_MAGIC = b"PAR1"
_RESTORE = "replace it with the file as published (its size or hash on the publisher's page tells)"


def is_parquet(head: bytes) -> bool:
    """Whether the first bytes are those of a Parquet file."""
    return head.startswith(_MAGIC)


def column_names(content: bytes, file: str) -> tuple[str, ...]:
    """Names of the columns, in order. Raises Refusal for a damaged file."""
    try:
        return tuple(pq.read_schema(io.BytesIO(content)).names)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error


def read(content: bytes, file: str, columns: list[str], keep: dict[str, list[str]]) -> pd.DataFrame:
    """The named columns of the rows whose cells are among the wanted ones in every column of `keep`.

    Raises Refusal for a damaged file and for a missing column. The index is the row's number in the file, from 1.
    """
    for name in [*columns, *keep]:
        if name not in column_names(content, file):
            raise Refusal(
                "missing_column",
                f"the column is missing; the file has {', '.join(column_names(content, file))}",
                file=file,
                column=name,
                remedy="use the file as published, or tell its reader the new name if the publisher renamed it",
            )
    try:
        whole = pq.read_table(io.BytesIO(content), columns=list(dict.fromkeys([*columns, *keep])))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error
    numbered = whole.append_column("row", pa.array(range(1, whole.num_rows + 1)))
    for name, wanted in keep.items():
        numbered = numbered.filter(pa.compute.is_in(numbered[name], pa.array(wanted)))
    return numbered.to_pandas().set_index("row")


def distinct(content: bytes, file: str, column: str) -> list[str]:
    """The different texts of one column, ordered; to tell a person what is there in place of what was looked for."""
    try:
        values = pq.read_table(io.BytesIO(content), columns=[column])[column]
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error
    return sorted(str(value) for value in values.unique().to_pylist() if value is not None)


def _damaged(file: str, error: Exception) -> Refusal:
    return Refusal("damaged_parquet", f"the Parquet file cannot be read ({error})", file=file, remedy=_RESTORE)
