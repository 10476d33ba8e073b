"""How long a researcher waits: every example question on a finished database, on an open connection, warm.

What belongs here: this one measurement. What does not: whether the answers are right (`tests`).

    python -m bench.queries [--database FILE]

Without a file the database of the published files is made first, or that of the demonstration country where there are none.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from bench.evidence import chosen_folder
from pipeline import places

LIMIT_MS = 10.0  # median of all questions
REPEATS = 21  # of each question; the first is thrown away, the median of the others told


def milliseconds(connection: duckdb.DuckDBPyConnection, query: str) -> float:
    """The median time of one question, its answer fetched whole."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        connection.execute(query).fetchall()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken[1:])


def measure(database: Path) -> bool:
    """Print the time of every question; whether the limit holds."""
    with duckdb.connect(str(database), read_only=True) as connection:
        times = {
            file.stem: milliseconds(connection, file.read_text(encoding="utf-8"))
            for file in sorted((places.sql_folder() / "examples").glob("*.sql"))
        }
    for name, taken in times.items():
        typer.echo(f"{name:<40} {taken:7.1f} ms")
    median = statistics.median(times.values())
    is_quick = median < LIMIT_MS
    typer.echo(f"{'median of the questions':<40} {median:7.1f} ms  ({'under' if is_quick else 'OVER'} {LIMIT_MS:g} ms)")
    return is_quick


def main(database: Annotated[Path | None, typer.Option(help="A finished database.")] = None) -> None:
    """Measure the example questions; ends with 1 where the limit does not hold."""
    if database:
        is_quick = measure(database)
    else:
        with chosen_folder(None) as folder, tempfile.TemporaryDirectory() as made:
            program = Path(sys.executable).with_name("care-numbers")
            subprocess.run([program, "run", "--data", folder, "--out", made, "--json"], check=True, capture_output=True)
            is_quick = measure(places.workspace(str(folder), made).database)
    if not is_quick:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
