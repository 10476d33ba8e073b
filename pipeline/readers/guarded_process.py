"""The process that opens workbooks and Parquet files, so that a hostile one ends this process and not the run.

What belongs here: the limits that it sets itself, its questions and answers, and the calls of the two libraries. What does
not: deciding what is refused (`guarded`), and anything of the project: it imports nothing of it, so that it starts fast.

A request is a line of JSON, followed by the bytes of a file where it brings one; an answer is a line of JSON followed by
bytes. It writes nothing, and ends with its standard input.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import IO, Any

ERROR, TOO_MANY, NO_MEMORY = "error", "too_many_cells", "no_memory"


class TooMany(Exception):
    """A table that is larger than the limits allow."""


def text(cell: object) -> str:
    """A cell of a workbook as text."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell)


class _Opened:
    """The one file that is open at a time."""

    def __init__(self, content: bytes, limits: dict[str, int]) -> None:
        self.content = content
        self.limits = limits
        self._book: Any = None
        self._held: tuple[str, Any] | None = None  # name of the sheet that was asked for last, and the sheet

    def sheets(self) -> list[str]:
        return list(self._workbook().sheet_names)

    def _workbook(self) -> Any:
        import python_calamine

        if self._book is None:
            self._book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(self.content))
        return self._book

    def rows(self, sheet: str, first: int | None) -> list[list[str]]:
        """All rows of a sheet or its first ones, blank rows and columns before the data kept."""
        found = self._parsed(sheet)
        if found.end is not None:
            height, width = found.end[0] + 1, found.end[1] + 1
            height = height if first is None else min(height, first)
            if width > self.limits["columns"]:
                raise TooMany(f"the sheet {sheet!r} has {width:,} columns")
            if height * width > self.limits["cells"]:
                raise TooMany(f"the sheet {sheet!r} has {height:,} rows of {width:,} columns")
        cells = found.to_python(skip_empty_area=False, nrows=first)
        texts = [[text(cell) for cell in row] for row in cells]
        if sum(len(cell) for row in texts for cell in row) > self.limits["answer_bytes"]:
            raise TooMany(f"the sheet {sheet!r} holds more than {self.limits['answer_bytes']:,} characters")
        return texts

    def _parsed(self, sheet: str) -> Any:
        """A sheet, which is looked for by its first rows and then read: parsed once for both."""
        if self._held is None or self._held[0] != sheet:
            self._held = None  # let go of it before the next one needs room
            self._held = sheet, self._workbook().get_sheet_by_name(sheet)
        return self._held[1]

    def columns(self) -> list[str]:
        """Names of the columns of a Parquet file."""
        return list(self._parquet().schema_arrow.names)

    def _parquet(self) -> Any:
        import pyarrow.parquet as pq

        file = pq.ParquetFile(io.BytesIO(self.content))
        if file.metadata.num_rows > self.limits["parquet_rows"]:
            raise TooMany(f"it claims {file.metadata.num_rows:,} rows")
        if file.metadata.num_columns > self.limits["columns"]:
            raise TooMany(f"it claims {file.metadata.num_columns:,} columns")
        return file

    def table(self, columns: list[str], keep: dict[str, list[str]]) -> bytes:
        """Chosen rows of a Parquet file as an Arrow stream, with the number of each in the column `row`, from 1."""
        import pyarrow as pa
        import pyarrow.compute as pc

        pa.set_cpu_count(1)
        written, writer, seen = io.BytesIO(), None, 0
        for batch in self._parquet().iter_batches(columns=columns, use_threads=False):
            numbers = pa.array(range(seen + 1, seen + batch.num_rows + 1))
            seen += batch.num_rows
            chosen = pa.Table.from_batches([batch]).append_column("row", numbers)
            for name, wanted in keep.items():
                chosen = chosen.filter(pc.is_in(chosen[name], pa.array(wanted)))
            writer = writer or pa.ipc.new_stream(written, chosen.schema)
            writer.write_table(chosen)
            if written.tell() > self.limits["answer_bytes"]:
                raise TooMany(f"the wanted rows hold more than {self.limits['answer_bytes']:,} bytes")
        if writer is not None:
            writer.close()
        return written.getvalue()

    def distinct(self, column: str) -> list[str]:
        """The different texts of one column of a Parquet file, ordered."""
        found: set[str] = set()
        for batch in self._parquet().iter_batches(columns=[column], use_threads=False):
            found |= {str(value) for value in batch.column(0).unique().to_pylist() if value is not None}
        return sorted(found)


# ---------------------------------------------------------------------------------------------------------------------
# Questions and answers


def _answer(opened: _Opened, question: str, arguments: dict[str, Any]) -> tuple[Any, bytes]:
    if question == "table":
        return None, opened.table(**arguments)
    questions: dict[str, Callable[..., Any]] = {
        "sheets": opened.sheets, "rows": opened.rows, "columns": opened.columns, "distinct": opened.distinct,
    }  # fmt: skip
    return questions[question](**arguments), b""


def _limit(memory_bytes: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command, whose end ends this process
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_seconds(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime) + seconds, hard))


def _serve(requests: IO[bytes], answers: IO[bytes], limits: dict[str, int]) -> None:
    opened: _Opened | None = None
    while line := requests.readline():
        request = json.loads(line)
        _limit_seconds(limits["seconds"])
        if request["bytes"]:
            opened = None  # let go of the last file before the next one comes
            opened = _Opened(requests.read(request["bytes"]), limits)
        told: dict[str, Any] = {}
        payload = b""
        try:
            if opened is None:
                raise ValueError("no file was given")
            told["answer"], payload = _answer(opened, request["question"], request["arguments"])
        except TooMany as error:
            told = {"failed": TOO_MANY, "why": str(error)}
        except MemoryError:
            told = {"failed": NO_MEMORY, "why": ""}
        except BaseException as error:  # a panic of a library in Rust is no Exception
            told = {"failed": ERROR, "why": f"{error}" or type(error).__name__}
        answers.write(json.dumps(told | {"bytes": len(payload)}).encode() + b"\n" + payload)
        answers.flush()


def main() -> None:
    """Set the limits of the first argument (JSON), say that all is ready, and answer until the requests end."""
    limits = json.loads(sys.argv[1])
    _limit(limits["memory_bytes"])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    _serve(sys.stdin.buffer, answers, limits)


if __name__ == "__main__":
    main()
