"""Usual year-to-year movement: the variance of one year's change of a rate net of England, a + b/m (methods.md C4).

What belongs here: the yearly movements of all units, and the fit of a and b to them, which is the yardstick of every
change. What does not: judging a change with it (`evidence`), and whether movements persist (`memory`).

The fit has no random numbers: a winsorised weighted least squares, repeated until it stands still.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import geography, unit_series
from pipeline.geography import Areas
from pipeline.readers.population_dfe import REBASED
from pipeline.reasons import NOT_CONVERGED, SHORT_SERIES, TOO_FEW_UNITS
from pipeline.settings import EvidenceSettings
from pipeline.tables import evidence_tables
from pipeline.tables.frames import conform

Floats = npt.NDArray[np.float64]

PRIMARY, NO_WINSORISING, ALL_PAIRS = "primary", "no_winsorising", "all_pairs"
_LEAST_SCALE = 1e-6  # below it a step is measured against this, so that a = 0 is a place to stop at


@dataclass(frozen=True)
class Movements:
    """One year's movement of every unit: `deviation` e (log ratio net of England) and `number` m, both of shape (n,).

    `years` are the second years of the pairs and `releases` the release of each pair, as text; both of shape (pairs,).
    """

    deviation: Floats
    number: Floats
    years: tuple[int, ...]
    releases: tuple[str, ...]


@dataclass(frozen=True)
class Fits:
    """Many fits of a + b/m, one a row of movements; all of shape (rows,). `is_converged` False leaves a and b NaN."""

    a: Floats
    b: Floats
    n_winsorised: npt.NDArray[np.int64]
    iterations: npt.NDArray[np.int64]
    is_converged: npt.NDArray[np.bool_]

    def variance(self, mean_number: Floats, years: int = 1) -> Floats:
        """Variance of the movement over a number of years, of the shape of `mean_number`: (rows, units)."""
        return years * (self.a[:, np.newaxis] + self.b[:, np.newaxis] / mean_number)


@dataclass(frozen=True)
class Fit:
    """Variance of one year's movement: a + b / mean number. `a` is in squared log ratios, `b` in those times children.

    `reason` says why there is no fit; a and b are then NaN.
    """

    a: float
    b: float
    n_winsorised: int = 0
    iterations: int = 0
    reason: str | None = None

    def variance(self, mean_number: npt.ArrayLike, years: int = 1) -> Floats:
        """Variance of each movement over a number of years: years x (a + b / mean number)."""
        return years * (self.a + self.b / np.asarray(mean_number, dtype=float))


def movements(looked_after: pd.DataFrame, population: pd.DataFrame, areas: Areas) -> Movements:
    """Every pair of years that one release holds, both counts from the newest such release (C4 steps 1 and 2)."""
    years = unit_series.newest(looked_after).years
    pairs = []
    for year in years:
        release = unit_series.release_holding(looked_after, (year - 1, year))
        if release is not None:
            pairs.append((year, unit_series.of_release(looked_after, release), str(release)))
    return _stacked(pairs, population, areas)


def movements_across_releases(
    looked_after: pd.DataFrame, population: pd.DataFrame, areas: Areas, first_year: int
) -> Movements:
    """Every pair of years from `first_year` on with the newest count of each, whichever release it is from."""
    source = unit_series.newest(looked_after)
    pairs = [
        (year, source, f"{source.releases[year - 1]}/{source.releases[year]}")
        for year in source.years
        if year >= first_year and year - 1 in source.years
    ]
    return _stacked(pairs, population, areas)


def _stacked(pairs: Sequence[tuple[int, unit_series.Cells, str]], population: pd.DataFrame, areas: Areas) -> Movements:
    people = unit_series.populations(population, REBASED)
    deviations, numbers, used = [], [], []
    for year, counts, release in pairs:
        ends = (year - 1, year)
        units = [unit for unit in geography.units(areas, *ends) if not set(unit.end) & areas.too_small]
        stock = unit_series.of_units(units, ends, counts, areas)
        children = unit_series.of_units(units, ends, people, areas)
        there = unit_series.complete(stock, children)
        if there.any():
            deviation, number = deviations_of(stock.numbers[there], children.numbers[there])
            deviations.append(deviation[:, 0])
            numbers.append(number[:, 0])
            used.append((year, release))
    empty = np.empty(0)
    return Movements(
        deviation=np.concatenate(deviations) if used else empty,
        number=np.concatenate(numbers) if used else empty,
        years=tuple(year for year, _ in used),
        releases=tuple(release for _, release in used),
    )


def deviations_of(counts: Floats, people: Floats) -> tuple[Floats, Floats]:
    """The e and m of each yearly step: shapes (..., units, years - 1) from (..., units, years), all above 0.

    e = the step of ln(N/P) less the step of England's, pooled over the units; m = the mean of the two counts.
    """
    steps = np.diff(np.log(counts / people), axis=-1)
    england = np.diff(unit_series.england_log_rate(counts, people), axis=-1)
    return steps - england[..., np.newaxis, :], (counts[..., :-1] + counts[..., 1:]) / 2


def kappa(cut: float) -> float:
    """E[min(Z^2, cut^2)] of a standard normal Z: dividing by it makes a winsorised square right on average.

    (2 Phi(c) - 1) - 2 c phi(c) + 2 c^2 (1 - Phi(c)); 0.9950072780 at c = 3.
    """
    if math.isinf(cut):
        return 1.0
    above = 0.5 * math.erfc(cut / math.sqrt(2))
    density = math.exp(-(cut**2) / 2) / math.sqrt(2 * math.pi)
    return (1 - 2 * above) - 2 * cut * density + 2 * cut**2 * above


def one_step(
    squares: Floats, inverse: Floats, a: Floats, b: Floats, cut: float = 3.0
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """One round of steps 4 and 5: new a, new b and how many squares were cut, each of shape (rows,).

    `squares` are e^2 and `inverse` 1/m, both of shape (rows, n). Weighted least squares of the winsorised squares on
    (1, 1/m) with weights 1/v^2, v = a + b/m; a negative part is set to 0 and the other fitted alone.
    """
    v = a[:, np.newaxis] + b[:, np.newaxis] * inverse
    limit = cut**2 * v
    y = np.minimum(squares, limit) / kappa(cut)
    w = 1 / (v * v)
    s, sy = w.sum(axis=1), _dot(w, y)
    centre = _dot(w, inverse) / s
    # Centred sums: the textbook difference of two large products would lose half the digits.
    from_centre = inverse - centre[:, np.newaxis]
    weighted = w * from_centre
    spread, lean = _dot(weighted, from_centre), _dot(weighted, y)
    sxx, sxy = spread + s * centre**2, lean + sy * centre
    is_level = spread <= 1e-12 * sxx  # all units of one size: 1/m is a constant and b is not told from a
    new_b = np.where(is_level, 0.0, lean / np.where(is_level, 1.0, spread))
    new_a = sy / s - new_b * centre
    without_a, without_b = new_a < 0, new_b < 0
    new_b = np.where(without_a, sxy / sxx, new_b)
    new_a = np.where(without_a, 0.0, new_a)
    new_a = np.where(without_b, sy / s, new_a)
    new_b = np.where(without_b, 0.0, new_b)
    return new_a, new_b, (squares > limit).sum(axis=1)


def _dot(left: Floats, right: Floats) -> Floats:
    sums: Floats = np.einsum("ij,ij->i", left, right)
    return sums


def fit_many(
    deviation: Floats,
    number: Floats,
    settings: EvidenceSettings,
    *,
    cut: float | None = None,
    start: tuple[float, float] | None = None,
) -> Fits:
    """Fit a and b to each row of movements by themselves; `deviation` and `number` have shape (rows, n).

    `cut` in standard deviations is the settings' unless given (`math.inf`: no winsorising). A row that does not stand
    still within the settings' iterations, or whose movements are all 0, is not converged.
    """
    squares, inverse = deviation**2, 1 / number
    limit = settings.winsorise_z if cut is None else cut
    first_a, first_b = start or (settings.start_a, settings.start_b)
    rows = len(squares)
    a, b = np.full(rows, float(first_a)), np.full(rows, float(first_b))
    n_winsorised, iterations = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    is_converged = np.zeros(rows, dtype=bool)
    active = np.flatnonzero((squares > 0).any(axis=1))
    for iteration in range(1, settings.max_iterations + 1):
        if not len(active):
            break
        # The rows that have come to rest are left out by copying; before the first has, there is nothing to copy.
        whole = len(active) == rows
        new_a, new_b, cut_now = one_step(
            squares if whole else squares[active], inverse if whole else inverse[active], a[active], b[active], limit
        )
        step_a = np.abs(new_a - a[active]) / np.maximum(new_a, _LEAST_SCALE)
        step_b = np.abs(new_b - b[active]) / np.maximum(new_b, _LEAST_SCALE)
        a[active], b[active], n_winsorised[active] = new_a, new_b, cut_now
        iterations[active] = iteration
        rests = np.maximum(step_a, step_b) < settings.convergence
        is_converged[active[rests]] = True
        active = active[~rests]
    a[~is_converged], b[~is_converged] = np.nan, np.nan
    return Fits(a, b, n_winsorised, iterations, is_converged)


def fit(
    found: Movements,
    settings: EvidenceSettings,
    *,
    cut: float | None = None,
    start: tuple[float, float] | None = None,
) -> Fit:
    """The usual movement from all movements; without enough of them, or at no rest, a reason in place of a and b."""
    if len(found.deviation) < settings.min_units:
        return Fit(math.nan, math.nan, reason=TOO_FEW_UNITS if found.years else SHORT_SERIES)
    many = fit_many(found.deviation[np.newaxis], found.number[np.newaxis], settings, cut=cut, start=start)
    if not many.is_converged[0]:
        return Fit(math.nan, math.nan, iterations=int(many.iterations[0]), reason=NOT_CONVERGED)
    return Fit(float(many.a[0]), float(many.b[0]), int(many.n_winsorised[0]), int(many.iterations[0]))


def volatility(
    looked_after: pd.DataFrame, population: pd.DataFrame, areas: Areas, settings: EvidenceSettings
) -> tuple[Fit, pd.DataFrame]:
    """The fit that judges changes, and `main.volatility` with the two comparators beside it."""
    within = movements(looked_after, population, areas)
    across = movements_across_releases(looked_after, population, areas, settings.comparator_from)
    primary = fit(within, settings)
    rows = [
        _row(PRIMARY, within, primary, settings.winsorise_z),
        _row(NO_WINSORISING, within, fit(within, settings, cut=math.inf), math.inf),
        _row(ALL_PAIRS, across, fit(across, settings), settings.winsorise_z),
    ]
    return primary, conform(pd.DataFrame(rows), evidence_tables.VOLATILITY)


def from_table(table: pd.DataFrame) -> tuple[Fit, tuple[int, int] | None]:
    """The primary fit of `main.volatility` and its first and last year, for nodes that start from the stored table."""
    row = table.loc[table["fitted_on"] == PRIMARY].iloc[0]
    reason = None if pd.isna(row["reason"]) else str(row["reason"])
    span = None if pd.isna(row["first_year"]) else (int(row["first_year"]), int(row["last_year"]))
    return Fit(float(row["a"]), float(row["b"]), int(row["n_winsorised"]), int(row["iterations"]), reason), span


def _row(name: str, found: Movements, fitted: Fit, cut: float) -> dict[str, object]:
    return {
        "fitted_on": name,
        "a": fitted.a,
        "b": fitted.b,
        "n_pairs": len(found.years),
        "n_obs": len(found.deviation),
        "n_winsorised": fitted.n_winsorised,
        "iterations": fitted.iterations,
        "winsorised_at": None if math.isinf(cut) else cut,
        "kappa": kappa(cut),
        "first_year": found.years[0] - 1 if found.years else None,
        "last_year": found.years[-1] if found.years else None,
        "years": " ".join(f"{year - 1}-{year}" for year in found.years),
        "releases": " ".join(found.releases),
        "reason": fitted.reason,
    }
