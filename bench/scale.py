"""How the whole run grows with areas and with draws: time and memory a stage, and the exponents that they grow by.

What belongs here: this one measurement, on countries of `scale_country` of several sizes. What does not: what the parts cost
at the size of England (the other benchmarks).

    python -m bench.scale [--areas N ...] [--processes 1 --processes 2] [--countries FOLDER] [--no-draws] [--no-limits]

The runs are those of the command `care-numbers run`, with settings of their own: limits of files that such countries fit in,
and the draws that `docs/operations.md` gives for them. A country is written once and kept where `--countries` says. Memory
is of the run with all its processes, as /proc has it: Linux alone.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import dagster as dg
import duckdb
import numpy as np
import typer

from bench.queries import milliseconds
from pipeline import places, settings

AREAS = (150, 1_500, 15_000, 35_000)
DRAWS = (999, 9_999, 99_999)
AREAS_OF_DRAWS = 150
FITTED_FROM = 1_500  # below it a run is what Dagster and imports cost
MOST_EXPONENT, MOST_SECONDS, MOST_MEGABYTES, MOST_MILLISECONDS = 1.1, 600.0, 6_000.0, 100.0
LEAST_SECONDS = 2.0  # a stage that takes less at the largest size has no exponent worth a limit
_EVERY_SECONDS = 0.1

SETTINGS = """
[regression]
resampling_draws = {resampling}
curve_draws = {permutations}
moran_draws = {permutations}

[calibration]
draws = 500

[files]
largest_bytes = 4_294_967_296
unpacked_bytes = 4_294_967_296
cells = 100_000_000
parquet_rows = 100_000_000
reader_memory_bytes = 8_589_934_592
reader_seconds = 600
"""
RESAMPLING, PERMUTATIONS = 999, 199

# The first whose words begin a step's name, or are all of it where they end in a blank.
_STAGES = (
    ("recognise files", ("registered_files", "raw_")),
    ("read into core", ("core_", "looked_after_cells", "population_cells", "judgements", "interactive_tool_cells",
                        "deprivation_shares")),
    ("panel", ("care_numbers ", "national_trend", "vintage_effect", "revised")),
    ("windows and changes", ("window_changes", "left_out", "region_trends", "beside_neighbours", "groups_compared")),
    ("evidence", ("volatility", "memory_stats", "funnel_levels", "flag_sensitivity")),
    ("null calibration", ("null_calibration", "calibration")),
    ("exposures", ("exposed_units",)),
    ("models with inference", ("regressions", "findings", "study_comparison", "staggered_adoption")),
    ("specification curve", ("all_specifications",)),
    ("checks", ("data_checks", "looked_after_invariants", "result_invariants")),
    ("publication", ("care_numbers_database",)),
    ("report", ("report",)),
)  # fmt: skip
OTHER, WHOLE = "other", "whole run"


@dataclass(frozen=True)
class Sample:
    """What the run and its processes held at a moment."""

    at: float
    megabytes: float


@dataclass(frozen=True)
class Measured:
    """Seconds and most megabytes by stage, the whole run among them."""

    seconds: dict[str, float]
    megabytes: dict[str, float]


def stage_of(step: str) -> str:
    """The stage that a step of Dagster belongs to."""
    name = f"{step.split('[')[0]} "
    return next((stage for stage, begins in _STAGES if name.startswith(begins)), OTHER)


def country(areas: int, folder: Path) -> Path:
    """The files of a country of that size, written if they are not there."""
    found = folder / f"areas_{areas}"
    if not found.exists():
        typer.echo(f"writing a country of {areas:,} areas", err=True)
        beside = found.with_suffix(".part")
        subprocess.run([sys.executable, "-m", "bench.scale_country", str(areas), str(beside)], check=True)
        beside.rename(found)
    return found


def run(data: Path, out: Path, processes: int, draws: int) -> Measured:
    """One run of the command; raises CalledProcessError when it ends otherwise than well."""
    out.mkdir(parents=True, exist_ok=True)
    own = out / "settings.toml"
    own.write_text(SETTINGS.format(resampling=draws, permutations=PERMUTATIONS), encoding="utf-8")
    command = [
        str(Path(sys.executable).with_name("care-numbers")),
        "run",
        "--data",
        str(data),
        "--out",
        str(out),
        "--json",
    ]
    command += ["--executor", "multiprocess"] if processes > 1 else []
    environment = os.environ | {settings.SETTINGS_VARIABLE: str(own)}
    began = time.time()
    samples = []
    with (out / "log.txt").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        while process.poll() is None:
            samples.append(Sample(time.time(), megabytes(process.pid)))
            time.sleep(_EVERY_SECONDS)
    took = time.time() - began
    if process.returncode:
        sys.stderr.write((out / "log.txt").read_text(encoding="utf-8")[-2000:])
        raise subprocess.CalledProcessError(process.returncode, command)
    return _by_stage(places.workspace(str(data), str(out)).dagster_home, samples, took)


def megabytes(pid: int) -> float:
    """Memory of a process and all that it began, in MB; 0 when it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6 + sum(megabytes(child) for child in children)


def _by_stage(home: Path, samples: list[Sample], took: float) -> Measured:
    seconds, most = {WHOLE: took}, {WHOLE: max(sample.megabytes for sample in samples)}
    os.environ["DAGSTER_HOME"] = str(home)
    with dg.DagsterInstance.get() as instance:
        (newest,) = instance.get_runs(limit=1)
        steps = instance.get_run_step_stats(newest.run_id)
    for step in steps:
        if step.start_time and step.end_time:
            stage = stage_of(step.step_key)
            seconds[stage] = seconds.get(stage, 0.0) + step.end_time - step.start_time
            held = [one.megabytes for one in samples if step.start_time <= one.at <= step.end_time]
            most[stage] = max([most.get(stage, 0.0), *held])
    return Measured(seconds, most)


def exponent(sizes: list[int], values: list[float]) -> float:
    """The slope of the logarithms: values grow as sizes to this power."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0]) if len(sizes) > 1 else math.nan


def _lines(found: dict[int, Measured]) -> Iterator[tuple[str, float]]:
    """A line a stage, told and then its exponent where that has a limit; NaN elsewhere."""
    sizes = sorted(found)
    fitted = [size for size in sizes if size >= FITTED_FROM] or sizes
    for stage in [*(name for name, _ in _STAGES), OTHER, WHOLE]:
        if not all(stage in found[size].seconds for size in sizes):
            continue
        power = exponent(fitted, [found[size].seconds[stage] for size in fitted])
        cells = [f"{found[size].seconds[stage]:8.1f} s {found[size].megabytes[stage]:6.0f} MB" for size in sizes]
        counts = found[sizes[-1]].seconds[stage] >= LEAST_SECONDS
        yield (
            f"{stage:<24}{''.join(cells)}{power:8.2f}{'' if counts else '  (too short to tell)'}",
            power if counts else math.nan,
        )


def areas_table(areas: list[int], processes: int, countries: Path) -> bool:
    """Measure runs of all sizes; whether all limits hold."""
    found, medians = {}, {}
    for size in areas:
        with tempfile.TemporaryDirectory() as out:
            data = country(size, countries)
            found[size] = run(data, Path(out), processes, RESAMPLING)
            medians[size] = median_of_questions(places.workspace(str(data), out).database)
    typer.echo(
        f"\n{'processes: ' + str(processes):<24}{''.join(f'{size:>13,} areas  ' for size in sorted(found))}exponent"
    )
    holds = True
    for line, power in _lines(found):
        ok = math.isnan(power) or power <= MOST_EXPONENT
        holds &= ok
        typer.echo(line + ("" if ok else f"  OVER {MOST_EXPONENT}"))
    largest = found[max(found)]
    for what, value, most, unit in (
        ("whole run", largest.seconds[WHOLE], MOST_SECONDS, "s"),
        ("memory", largest.megabytes[WHOLE], MOST_MEGABYTES, "MB"),
        ("median of the questions", medians[max(medians)], MOST_MILLISECONDS, "ms"),
    ):
        ok = value < most
        holds &= ok
        typer.echo(f"{what:<24}{value:10.1f} {unit}  ({'under' if ok else 'OVER'} {most:g} {unit})")
    return holds


def median_of_questions(database: Path) -> float:
    """The median over the example questions of how long each takes, in milliseconds."""
    with duckdb.connect(str(database), read_only=True) as connection:
        files = sorted((places.sql_folder() / "examples").glob("*.sql"))
        return statistics.median(milliseconds(connection, file.read_text(encoding="utf-8")) for file in files)


def draws_table(countries: Path) -> bool:
    """Measure the stage with inference under more and more draws; whether it grows as it may."""
    taken = []
    for draws in DRAWS:
        with tempfile.TemporaryDirectory() as out:
            measured = run(country(AREAS_OF_DRAWS, countries), Path(out), 1, draws)
        taken.append(measured.seconds["models with inference"])
        typer.echo(f"{draws:>8,} draws, {AREAS_OF_DRAWS} areas: models with inference {taken[-1]:7.1f} s")
    power = exponent(list(DRAWS), taken)
    ok = power <= MOST_EXPONENT
    typer.echo(f"exponent in draws {power:.2f}  ({'at most' if ok else 'OVER'} {MOST_EXPONENT})")
    return ok


def main(
    areas: Annotated[list[int] | None, typer.Option(help="Sizes to measure.")] = None,
    processes: Annotated[list[int] | None, typer.Option(help="Processes to measure with.")] = None,
    countries: Annotated[Path | None, typer.Option(help="Where the countries are kept.")] = None,
    draws: Annotated[bool, typer.Option(help="Measure the growth in draws as well.")] = True,
    limits: Annotated[bool, typer.Option(help="End with 1 where a limit does not hold.")] = True,
) -> None:
    """Measure how the run grows; ends with 1 where a limit does not hold."""
    with tempfile.TemporaryDirectory() as kept:
        folder = countries or Path(kept)
        folder.mkdir(parents=True, exist_ok=True)
        holds = draws_table(folder) if draws else True
        for number in processes or [1, 2]:
            holds &= areas_table(areas or list(AREAS), number, folder)
    if limits and not holds:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
