"""Parquet files as published: their column names, and chosen rows as text.

What belongs here: opening and filtering. What does not: the meaning of any column (the layout modules).
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from pipeline.errors import Refusal
from pipeline.readers import guarded

_MAGIC = b"PAR1"
_RESTORE = "replace it with the file as published (its size or hash on the publisher's page tells)"


def is_parquet(head: bytes) -> bool:
    """Whether the first bytes are those of a Parquet file."""
    return head.startswith(_MAGIC)


def column_names(content: bytes, file: str) -> tuple[str, ...]:
    """Names of the columns, in order. Raises Refusal for a damaged file."""
    return tuple(_ask(content, file, "columns"))


def read(content: bytes, file: str, columns: list[str], keep: dict[str, list[str]]) -> pd.DataFrame:
    """The named columns of the rows whose cells are among the wanted ones in every column of `keep`.

    Raises Refusal for a damaged file and for a missing or doubled column. The index is the row's number in the file, from 1.
    """
    there = column_names(content, file)
    for name in [*columns, *keep]:
        if name not in there:
            raise Refusal(
                "missing_column",
                f"the column is missing; the file has {', '.join(there)}",
                file=file,
                column=name,
                remedy="use the file as published, or tell its reader the new name if the publisher renamed it",
            )
        if there.count(name) > 1:
            raise Refusal(
                "doubled_column",
                "the column stands twice in the file",
                file=file,
                column=name,
                remedy="use the file as published",
            )
    wanted = list(dict.fromkeys([*columns, *keep]))
    stream = _ask(content, file, "table", columns=wanted, keep=keep)
    if not stream:  # a file without a row
        return pd.DataFrame({name: pd.Series(dtype=str) for name in wanted}, index=pd.RangeIndex(0, name="row"))
    table = pa.ipc.open_stream(stream).read_all()
    try:
        table.validate(full=True)  # else bytes that are no text would end in whatever touches them first
    except pa.ArrowInvalid as error:
        raise _damaged(file, error) from error
    return table.to_pandas().set_index("row")


def distinct(content: bytes, file: str, column: str) -> list[str]:
    """The different texts of one column, ordered; to tell a person what is there in place of what was looked for.

    Refuses a damaged file.
    """
    return list(_ask(content, file, "distinct", column=column))


def _ask(content: bytes, file: str, question: str, **arguments: Any) -> Any:
    try:
        return guarded.ask(content, file, question, **arguments)
    except guarded.Damaged as error:
        raise _damaged(file, error) from error


def _damaged(file: str, error: Exception) -> Refusal:
    return Refusal("damaged_parquet", f"the Parquet file cannot be read ({error})", file=file, remedy=_RESTORE)
