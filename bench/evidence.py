"""How long the evidence takes: flags of all windows, the grid of other settings, and 1,000 countries without trends.

What belongs here: this one measurement, and the same textbook tests in a plain loop over statsmodels and scipy on a few
countries, which has to give equal figures. What does not: reading files, which is not timed.

    python -m bench.evidence [--data FOLDER]

Without a folder the published files beside the project are used, and the demonstration country where there are none.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import statsmodels.api as sm
import typer
from scipy import stats

from pipeline import (
    five_year_change,
    interactive_tool,
    looked_after,
    null_calibration,
    places,
    population,
    sensitivity,
    settings,
    textbook_rules,
    volatility,
    windows,
)
from pipeline.demonstration.build import build_demonstration
from pipeline.limits import Floats
from pipeline.null_calibration import Panel
from pipeline.settings import Settings
from pipeline.volatility import Fit
from pipeline.windows import WindowData
from tests import published_files
from tests.fixtures.readings import Readings, read_folder

LIMIT_SECONDS = 4.0  # flags, grid and draws together, on two cores
PLAIN_COUNTRIES = 20  # enough to time the loop by; all of them would take minutes
EQUAL = 1e-10
REPEATS = 3  # the shortest of them is told: the others were disturbed


@dataclass(frozen=True)
class Inputs:
    """Core tables of a folder, read before the clock starts."""

    found: Readings
    totals: pd.DataFrame
    population_totals: pd.DataFrame
    tool_totals: pd.DataFrame
    panel: pd.DataFrame


def read(folder: Path) -> Inputs:
    """Everything that the timed work starts from."""
    found = read_folder(folder, places.reference_folder())
    return Inputs(
        found=found,
        totals=looked_after.totals(found.looked_after),
        population_totals=population.totals(found.population),
        tool_totals=interactive_tool.totals(found.tool),
        panel=found.panel,
    )


def flags(inputs: Inputs, chosen: Settings) -> tuple[list[WindowData], pd.DataFrame]:
    """Usual movement and every change with its evidence and alternates; the windows and `main.volatility`."""
    found = inputs.found
    data = windows.all_window_data(found.core_looked_after, found.core_population, found.areas, chosen.windows)
    _, movements = volatility.volatility(found.core_looked_after, found.core_population, found.areas, chosen.evidence)
    tables = five_year_change.Inputs(
        found.core_looked_after, found.core_population, found.core_tool, inputs.panel, movements
    )
    five_year_change.five_year_change(data, tables, found.areas, chosen)
    return data, movements


def grid(inputs: Inputs, data: list[WindowData], usual: Fit, chosen: Settings) -> None:
    """All cells of the grid of other settings."""
    found = inputs.found
    sources = sensitivity.inputs(
        sensitivity.primary(data),
        found.core_looked_after,
        inputs.totals,
        found.core_population,
        inputs.population_totals,
        inputs.tool_totals,
        inputs.panel,
        found.areas,
    )
    sensitivity.flag_sensitivity(sources, usual, chosen)


def draws(inputs: Inputs, data: list[WindowData], usual: Fit, chosen: Settings) -> None:
    """All rules on all drawn countries."""
    found = inputs.found
    null_calibration.null_calibration(data, found.core_looked_after, found.core_population, found.areas, usual, chosen)


def countries(panel: Panel, usual: Fit, chosen: Settings, wanted: int) -> Floats:
    """Counts of drawn countries, shape (countries, units, years)."""
    (noise,) = null_calibration.blocks_of_noise(panel, wanted, chosen.seed, wanted)
    return null_calibration.simulated(panel, usual, noise)


def at_once(counts: Floats, panel: Panel) -> Floats:
    """Slope, standard error, scale, two p-values of it and that of Mann-Kendall; shape (6, countries, units)."""
    england = panel.england_log
    found = textbook_rules.slopes(counts, panel.people * np.exp(england))
    kendall = textbook_rules.mann_kendall_p(np.log(counts / panel.people) - england)
    return np.stack([found.slope, found.std_error, found.scale, found.p_poisson, found.p_quasi, kendall])


def one_by_one(counts: Floats, panel: Panel) -> Floats:
    """The same figures, each series by itself, by statsmodels and scipy."""
    years = np.arange(counts.shape[-1], dtype=float)
    design, england = sm.add_constant(years), panel.england_log
    figures = np.empty((6, *counts.shape[:2]))
    for country, units in enumerate(counts):
        for unit, series in enumerate(units):
            offset = np.log(panel.people[unit]) + england
            fitted = sm.GLM(series, design, family=sm.families.Poisson(), offset=offset).fit(
                tol=1e-12, tol_criterion="params"
            )
            scale = fitted.pearson_chi2 / fitted.df_resid
            statistic = abs(fitted.params[1]) / (fitted.bse[1] * np.sqrt(scale))
            net = np.log(series / panel.people[unit]) - england
            figures[:, country, unit] = (
                fitted.params[1],
                fitted.bse[1],
                scale,
                fitted.pvalues[1],
                2 * stats.t.sf(statistic, fitted.df_resid),
                stats.kendalltau(years, net, method="exact").pvalue,
            )
    return figures


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The shortest of a few runs."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def measure(inputs: Inputs, chosen: Settings) -> bool:
    """Print all figures; whether the limits hold."""
    data, movements = flags(inputs, chosen)
    usual, _ = volatility.from_table(movements)
    if usual.reason:
        typer.echo(f"there is no usual movement to draw countries with: {usual.reason}")
        return False
    parts = {
        f"flags of {sum(one.not_computed is None for one in data)} windows": seconds(lambda: flags(inputs, chosen)),
        f"grid of {len(sensitivity.keys(chosen))} settings": seconds(lambda: grid(inputs, data, usual, chosen)),
        f"{chosen.calibration.draws} countries without trends": seconds(lambda: draws(inputs, data, usual, chosen)),
    }
    for name, taken in parts.items():
        typer.echo(f"{name:<40} {taken:7.2f} s")
    total = sum(parts.values())
    is_quick = total < LIMIT_SECONDS
    typer.echo(f"{'together':<40} {total:7.2f} s  ({'under' if is_quick else 'OVER'} {LIMIT_SECONDS:g} s)")
    return compare(inputs, data, usual, chosen) and is_quick


def compare(inputs: Inputs, data: list[WindowData], usual: Fit, chosen: Settings) -> bool:
    """Print how much longer the plain loop takes; whether its figures are equal."""
    found = inputs.found
    panel = null_calibration.panel(
        sensitivity.primary(data), found.core_looked_after, found.core_population, found.areas
    )
    counts = countries(panel, usual, chosen, chosen.calibration.draws)
    quick = seconds(lambda: at_once(counts, panel))
    few = counts[:PLAIN_COUNTRIES]
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels calls a fit that cannot be bettered any more a failure
        plain = one_by_one(few, panel)
    slow = (time.perf_counter() - start) * len(counts) / len(few)
    typer.echo(f"{'slopes and Mann-Kendall, at once':<40} {quick:7.2f} s")
    typer.echo(f"{'the same one by one (scaled)':<40} {slow:7.1f} s  ({slow / quick:,.0f} times as long)")
    apart = np.abs(at_once(few, panel) - plain) / np.maximum(np.abs(plain), 1.0)
    is_equal = bool(apart.max() <= EQUAL)
    typer.echo(
        f"{'largest difference of a figure':<40} {apart.max():7.1e}    ({'equal' if is_equal else 'NOT EQUAL'} to {EQUAL:g})"
    )
    return is_equal


@contextlib.contextmanager
def chosen_folder(data: Path | None) -> Iterator[Path]:
    """The folder to measure on, which is told: what was given, the published files, or a demonstration country."""
    with tempfile.TemporaryDirectory() as made:
        folder = data or (published_files.folder() if published_files.IS_HERE else None)
        if folder is None:
            folder = Path(made) / "country"
            build_demonstration(folder)
        typer.echo("the demonstration country" if str(folder).startswith(made) else "published files")
        yield folder


def main(data: Annotated[Path | None, typer.Option(help="Folder with published files.")] = None) -> None:
    """Measure the evidence; ends with 1 where a limit does not hold."""
    with chosen_folder(data) as folder:
        if not measure(read(folder), settings.load()):
            raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
