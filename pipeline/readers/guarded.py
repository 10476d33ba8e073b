"""Asking the guarded process: workbooks and Parquet files are opened there, within limits of memory and time.

What belongs here: starting that process, asking it, and the refusals for what it could not bear. What does not: what it
does (`guarded_process`) and the meaning of its answers (`workbook`, `parquet_table`).

The libraries that open these files trust them: a few bytes can claim a sheet of 17 thousand million cells, and the attempt
to make room for it ends the whole process. One process serves all files of a run; where it dies, the next file starts
another one.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any, cast

from pipeline import settings
from pipeline.errors import Refusal
from pipeline.readers import guarded_process

_PROGRAM = Path(guarded_process.__file__)
# It computes with nothing of the environment; these say where Python and its libraries are.
_HANDED_ON = ("PATH", "PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL")
_SETTLED = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_REMEDY = "replace it with the file as published (its size or hash on the publisher's page tells)"


def _limits() -> dict[str, int]:
    files = settings.load().files
    return {
        "cells": files.cells,
        "columns": files.columns,
        "parquet_rows": files.parquet_rows,
        "answer_bytes": files.unpacked_bytes,
        "memory_bytes": files.reader_memory_bytes,
        "seconds": files.reader_seconds,
    }


class Damaged(Exception):
    """The library's own words for why a file cannot be opened."""


class _Guarded:
    """One process and the file that it holds open."""

    def __init__(self) -> None:
        environment = {name: os.environ[name] for name in _HANDED_ON if name in os.environ} | _SETTLED
        self.owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-B", str(_PROGRAM), json.dumps(_limits())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        self._held: bytes | None = None

    def ask(self, content: bytes, question: str, arguments: dict[str, Any]) -> tuple[Any, bytes] | None:
        """The answer and its bytes; None where the process did not live to give it."""
        is_new = content is not self._held
        request = {"question": question, "arguments": arguments, "bytes": len(content) if is_new else 0}
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            if is_new:
                self._requests.write(content)
            self._requests.flush()
            line = self._answers.readline()
        except BrokenPipeError:
            return None
        if not line.endswith(b"\n"):
            return None
        self._held = content
        told = json.loads(line)
        payload = self._answers.read(told["bytes"])
        if "failed" in told:
            raise _Failed(told["failed"], told["why"])
        return told["answer"], payload

    def end(self) -> int:
        """Let the process end, and how it did."""
        for stream in (self._requests, self._answers):
            try:
                stream.close()
            except BrokenPipeError:
                pass  # it is over already, which is what is wanted
        return self._process.wait()


class _Failed(Exception):
    def __init__(self, kind: str, why: str) -> None:
        self.kind, self.why = kind, why
        super().__init__(why)


_lock = threading.Lock()
_current: _Guarded | None = None


def ask(content: bytes, file: str, question: str, **arguments: Any) -> Any:
    """The answer of the guarded process about a file; for the question `table` its bytes.

    Raises Damaged with the library's words, and Refusal for a file that is too large or that it could not bear.
    """
    global _current
    with _lock:
        if _current is None or _current.owner != os.getpid():  # a fork must not share the pipes of its parent
            _current = _Guarded()
        try:
            told = _current.ask(content, question, arguments)
        except _Failed as failed:
            raise _of_failure(failed, file) from None
        except BaseException:  # stopped between question and answer: the next one must not get this one's answer
            _stop()
            raise
        if told is None:
            raise _died(_stop(), file)
    return told[1] if question == "table" else told[0]


def _stop() -> int:
    global _current
    ended, _current = _current, None
    return ended.end() if ended and ended.owner == os.getpid() else 0


def close() -> None:
    """End the process, if there is one; the next question starts another."""
    with _lock:
        _stop()


atexit.register(close)


def _of_failure(failed: _Failed, file: str) -> Exception:
    if failed.kind == guarded_process.TOO_MANY:
        return too_large(f"{failed.why}, and no publication is so large", file)
    if failed.kind == guarded_process.NO_MEMORY:
        return too_large(_beyond_memory(), file)
    return Damaged(failed.why)


def _beyond_memory() -> str:
    return f"to open it takes more than {settings.load().files.reader_memory_bytes // 2**20} MiB of memory"


def _died(code: int, file: str) -> Refusal:
    if code == -signal.SIGXCPU:
        return too_large(f"to open it takes more than {settings.load().files.reader_seconds} seconds", file)
    return too_large(_beyond_memory(), file)


def too_large(problem: str, file: str) -> Refusal:
    """The refusal for what unpacks to more than any publication."""
    return Refusal("too_large", problem, file=file, remedy=_REMEDY)
