"""How long all regressions take: every model of every window with its resampling, and the specification curve.

What belongs here: this one measurement. What does not: reading files, which is not timed, and the engine of the resampling
by itself (`resampling`).

    python -m bench.regressions [--data FOLDER]

Without a folder the published files beside the project are used, and the demonstration country where there are none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.evidence import chosen_folder, seconds
from pipeline import places, settings
from pipeline.regression import analysis, findings
from tests.fixtures.observed_windows import Observed, observe
from tests.fixtures.readings import read_folder

LIMIT_SECONDS = 12.0  # models, curve and findings together, on two cores
REPEATS = 2


def measure(observed: Observed) -> bool:
    """Print all figures; whether the limit holds."""
    chosen, tables = settings.load(), observed.tables
    found = analysis.regressions(tables, observed.data, observed.areas, observed.shares, chosen)
    usual = (tables.changes, tables.alternates, tables.exposures, tables.volatility)
    _, summary = analysis.curve(*usual, chosen)
    draws = chosen.regression
    parts = {
        f"{len(found.models)} models, {draws.resampling_draws:,} draws each": lambda: analysis.regressions(
            tables, observed.data, observed.areas, observed.shares, chosen
        ),
        f"specification curve, {draws.curve_draws} permutations": lambda: analysis.curve(*usual, chosen),
        "findings": lambda: findings.findings(found.coefficients, found.models, summary, tables.exposures),
    }
    total = 0.0
    for name, work in parts.items():
        taken = seconds(work, REPEATS)
        total += taken
        typer.echo(f"{name:<40} {taken:7.2f} s")
    is_quick = total < LIMIT_SECONDS
    typer.echo(f"{'together':<40} {total:7.2f} s  ({'under' if is_quick else 'OVER'} {LIMIT_SECONDS:g} s)")
    return is_quick


def main(data: Annotated[Path | None, typer.Option(help="Folder with published files.")] = None) -> None:
    """Measure the regressions; ends with 1 where the limit does not hold."""
    with chosen_folder(data) as folder:
        if not measure(observe(read_folder(folder, places.reference_folder()))):
            raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
