"""Reading files in a process that may not take more than 1.5 GB and 60 seconds of computing, and telling how each ended.

What belongs here: that process. Run as a program it reads the files of its arguments and prints a line of JSON a file.
What does not: the files (`making`) and what is expected of them (the test modules).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
MEMORY_BYTES, SECONDS = 1_500_000_000, 60


@dataclass(frozen=True)
class Ending:
    """How reading one file ended: the code of the refusal or `read`, its sentence, and how long it took."""

    code: str
    sentence: str
    seconds: float


def read_bounded(files: list[Path]) -> dict[str, Ending]:
    """Name of each file -> how reading it ended; a file that ends the process itself fails the test."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.bounded", *map(str, files)],
        cwd=PROJECT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"},
        preexec_fn=_limit,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    return {name: Ending(*told) for name, *told in map(json.loads, done.stdout.splitlines())}


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def _read(path: Path) -> None:
    """All of a file, by every way that a reader takes."""
    from pipeline import folders
    from pipeline.readers import opening, parquet_table, text_table, workbook

    content = folders.read(path, path.name)
    beginning = opening.of(content, path.name)
    if workbook.is_workbook(content):
        book = workbook.Workbook(content, path.name)
        for sheet in book.names:
            book.rows(sheet)
    elif parquet_table.is_parquet(content):
        parquet_table.distinct(content, path.name, beginning.columns[0])
        parquet_table.read(content, path.name, [beginning.columns[0]], {})
    else:
        text_table.read(content, path.name)


def _ending(path: Path) -> tuple[str, str]:
    from pipeline.errors import Refusal

    try:
        _read(path)
    except Refusal as refusal:
        return refusal.code, refusal.sentence()
    return "read", ""


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        began = time.monotonic()
        code, sentence = _ending(Path(argument))
        sys.stdout.write(json.dumps([Path(argument).name, code, sentence, time.monotonic() - began]) + "\n")
