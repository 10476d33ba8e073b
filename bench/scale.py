"""How the whole run grows with areas and with draws: time and memory a stage, and the exponents that they grow by.

What belongs here: this one measurement, on countries of `scale_country` of several sizes. What does not: what the parts cost
at the size of England (the other benchmarks).

    python -m bench.scale [--areas N ...] [--processes 1 --processes 2] [--countries FOLDER] [--no-draws] [--no-limits]

The runs are those of the command `care-numbers run`, with settings of their own: limits of files that such countries fit in,
and the draws that `docs/operations.md` gives for them. A country is written once and kept where `--countries` says. Memory
and processor time are of the run with all its processes, as /proc has them: Linux alone.

Exponents are fitted to processor seconds where there is one process, for these do not depend on what else the machine does;
where steps overlap nobody can tell theirs apart, and the clock has to do. What has to end in time is always the clock's.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
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
TIMES_THE_DRAWS = (1, 4, 16)
AREAS_OF_DRAWS = 150
FITTED_FROM = 1_500  # below it a run is what Dagster and imports cost
MOST_EXPONENT, MOST_SECONDS, MOST_MEGABYTES, MOST_MILLISECONDS = 1.1, 600.0, 6_000.0, 100.0
LEAST_SECONDS = 2.0  # a stage that takes less at the largest size has no exponent worth a limit
_EVERY_SECONDS = 0.1
# What a run is taken to need, from runs of other sizes; with less than that free it would only end in the middle.
_LEAST_MEGABYTES, _MEGABYTES_AN_AREA = 1_000.0, 0.17

SETTINGS = """
[regression]
resampling_draws = {resampling}
curve_draws = {permutations}
moran_draws = {permutations}

[calibration]
draws = {countries}

[files]
largest_bytes = 4_294_967_296
unpacked_bytes = 4_294_967_296
cells = 100_000_000
parquet_rows = 100_000_000
reader_memory_bytes = 8_589_934_592
reader_seconds = 600
"""
RESAMPLING, PERMUTATIONS, CALIBRATION = 999, 199, 500

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
    """What the run and its processes held at a moment, and the processor seconds they had taken until then."""

    at: float
    megabytes: float
    processor: float


@dataclass(frozen=True)
class Measured:
    """Seconds of the clock and of the processors, and most megabytes, by stage, the whole run among them."""

    seconds: dict[str, float]
    processor: dict[str, float]
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


def run(data: Path, out: Path, processes: int, times: int = 1) -> Measured:
    """One run of the command with so many times the draws; raises CalledProcessError when it ends otherwise than well."""
    out.mkdir(parents=True, exist_ok=True)
    own = out / "settings.toml"
    drawn = {"resampling": RESAMPLING, "permutations": PERMUTATIONS, "countries": CALIBRATION}
    own.write_text(SETTINGS.format(**{name: times * number for name, number in drawn.items()}), encoding="utf-8")
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
    samples: list[Sample] = []
    with (out / "log.txt").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        while process.poll() is None:
            samples.append(_sample(process.pid))
            time.sleep(_EVERY_SECONDS)
    took = time.time() - began
    if process.returncode:
        sys.stderr.write((out / "log.txt").read_text(encoding="utf-8")[-2000:])
        raise subprocess.CalledProcessError(process.returncode, command)
    return _by_stage(places.workspace(str(data), str(out)).dagster_home, samples, took)


def _sample(pid: int) -> Sample:
    """A process and all that it began; nothing of one that has ended, whose time is then its parent's."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
        children = [
            _sample(int(child))
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return Sample(time.time(), 0.0, 0.0)
    return Sample(
        time.time(),
        pages * os.sysconf("SC_PAGE_SIZE") / 1e6 + sum(child.megabytes for child in children),
        sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") + sum(child.processor for child in children),
    )


def free_megabytes() -> float:
    """What the machine could give to a run now, in MB."""
    told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(told["MemAvailable"].split()[0]) * 1024 / 1e6


def too_little_memory(areas: int) -> str:
    """The sentence that says why a country of that size is not measured here; empty where it can be."""
    needed, free = _LEAST_MEGABYTES + _MEGABYTES_AN_AREA * areas, free_megabytes()
    if free >= needed:
        return ""
    return (
        f"{areas:,} areas are not measured: they need some {needed:,.0f} MB, and this machine has {free:,.0f} MB free"
    )


def _by_stage(home: Path, samples: list[Sample], took: float) -> Measured:
    seconds, most = {WHOLE: took}, {WHOLE: max(sample.megabytes for sample in samples)}
    processor = {WHOLE: samples[-1].processor}
    os.environ["DAGSTER_HOME"] = str(home)
    with dg.DagsterInstance.get() as instance:
        (newest,) = instance.get_runs(limit=1)
        steps = instance.get_run_step_stats(newest.run_id)
    for step in steps:
        if step.start_time and step.end_time:
            stage = stage_of(step.step_key)
            seconds[stage] = seconds.get(stage, 0.0) + step.end_time - step.start_time
            own = [one for one in samples if step.start_time <= one.at <= step.end_time]
            most[stage] = max([most.get(stage, 0.0), *(one.megabytes for one in own)])
            taken = own[-1].processor - own[0].processor if own else 0.0
            processor[stage] = processor.get(stage, 0.0) + taken
    return Measured(seconds, processor, most)


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """The slope of the logarithms: values grow as sizes to this power. NaN of one size."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0]) if len(sizes) > 1 else math.nan


def _lines(found: dict[int, Measured], fitted: Sequence[int], *, by_clock: bool) -> Iterator[tuple[str, float]]:
    """A line a stage, told and then its exponent where that has a limit; NaN elsewhere."""
    sizes = sorted(found)
    for stage in [*(name for name, _ in _STAGES), OTHER, WHOLE]:
        if not all(stage in found[size].seconds for size in sizes):
            continue
        taken = {size: (one.seconds if by_clock else one.processor)[stage] for size, one in found.items()}
        counts = taken[sizes[-1]] >= LEAST_SECONDS and min(taken.values()) > 0
        power = exponent(fitted, [taken[size] for size in fitted]) if counts else math.nan
        cells = [
            f"{found[size].seconds[stage]:8.1f} {taken[size]:8.1f} {found[size].megabytes[stage]:7.0f}"
            for size in sizes
        ]
        told = f"{power:8.2f}" if counts else "       - (too short to tell)"
        yield f"{stage:<24}{''.join(cells)}{told}", power


def _print_table(title: str, found: dict[int, Measured], fitted: Sequence[int], *, by_clock: bool) -> bool:
    """Print the stages of some runs; whether each grows as it may."""
    typer.echo(f"\n{title:<24}{''.join(f'{size:>25,}' for size in sorted(found))}  exponent")
    typer.echo(f"{'':<24}{'   clock s    cpu s      MB' * len(found)}")
    holds = True
    for line, power in _lines(found, fitted, by_clock=by_clock):
        ok = math.isnan(power) or power <= MOST_EXPONENT
        holds &= ok
        typer.echo(line + ("" if ok else f"  OVER {MOST_EXPONENT}"))
    return holds


def areas_table(areas: list[int], processes: int, countries: Path) -> bool:
    """Measure runs of all sizes; whether all limits hold. A size that the machine is too small for is not measured."""
    found, medians = {}, {}
    holds = True
    for size in sorted(areas):
        too_little = too_little_memory(size)
        if too_little:
            typer.echo(too_little)
            holds = False
            break
        with tempfile.TemporaryDirectory() as out:
            data = country(size, countries)
            found[size] = run(data, Path(out), processes)
            medians[size] = median_of_questions(places.workspace(str(data), out).database)
    if not found:
        return False
    fitted = [size for size in found if size >= FITTED_FROM] or list(found)
    holds &= _print_table(f"areas, {processes} process(es)", found, fitted, by_clock=processes > 1)
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
    """Measure runs of one country under more and more draws of every kind; whether each stage grows as it may."""
    found = {}
    for times in TIMES_THE_DRAWS:
        with tempfile.TemporaryDirectory() as out:
            found[times * RESAMPLING] = run(country(AREAS_OF_DRAWS, countries), Path(out), 1, times)
    return _print_table(f"draws, {AREAS_OF_DRAWS} areas", found, list(found), by_clock=False)


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
