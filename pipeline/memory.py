"""What rates remember: whether yearly movements last, add up, or cancel (methods.md C14).

What belongs here: variance ratios, the analysis of variance of units' drifts, and correlations of neighbouring changes.
What does not: the size of a usual movement (`volatility`) and what the numbers are taken to mean (the pages, whose text
follows them).

A variance ratio of 1 at every lag is a random walk: every year's movement is new. White noise around a fixed level gives
1/k, persistent local trends give more than 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from pipeline import geography, randomness, unit_series
from pipeline.geography import Areas
from pipeline.readers.population_dfe import REBASED
from pipeline.reasons import NO_VARIATION, NOT_APPLICABLE, NOT_AVAILABLE, SHORT_SERIES, TOO_FEW_UNITS
from pipeline.settings import EvidenceSettings
from pipeline.tables import evidence_tables
from pipeline.tables.frames import conform

Floats = npt.NDArray[np.float64]

ALL_UNITS, LARGE_UNITS = "all_units", "large_units"
_TAILS = (2.5, 97.5)
_BLOCK_NUMBERS = 2**22  # resamples are made in blocks of so many numbers; the figures do not depend on it
_STILL = 1e-24  # a variance this small, of movements of 1e-12 on the log scale, is rounding


@dataclass(frozen=True)
class VarianceRatio:
    """VR(k) with its bootstrap limits over units, and how many changes over k years it is made of."""

    years: int
    value: float
    low: float
    high: float
    n_values: int


@dataclass(frozen=True)
class Drift:
    """Analysis of variance of yearly changes by unit: F, its degrees of freedom and p, and the reliability 1 - 1/F."""

    f: float
    df_between: int
    df_within: int
    p: float
    reliability: float


def variance_ratios(log_rates: Floats, lags: int, draws: int, seed: int) -> list[VarianceRatio]:
    """VR(k) = mean_t V_k(t) / (k mean_t V_1(t)) for k = 1..lags, V_k the variance over units of L(t) - L(t-k), ddof 1.

    `log_rates` has shape (units, years), complete. Limits are percentiles (linear interpolation) of `draws` resamples of
    units, the same resamples for every k. Lags that the years do not reach are left out. Movements that do not vary give
    NaN.
    """
    n, years = log_rates.shape
    ks = [k for k in range(1, lags + 1) if k < years]
    changes = [log_rates[:, k:] - log_rates[:, :-k] for k in ks]
    random = randomness.stream(seed, randomness.VARIANCE_RATIO)
    observed = [_mean_variance(np.ones((1, n)), change)[0] for change in changes]
    resampled = np.empty((len(ks), draws))
    block = max(1, _BLOCK_NUMBERS // n)
    for first in range(0, draws, block):
        rows = min(block, draws - first)
        picks = random.integers(0, n, size=(rows, n))
        # How often each unit is in each resample: the variances of all of them are then two products of matrices.
        times = np.zeros((rows, n))
        np.add.at(times, (np.arange(rows)[:, np.newaxis], picks), 1.0)
        resampled[:, first : first + rows] = [_mean_variance(times, change) for change in changes]
    found = []
    for k, change, own, drawn in zip(ks, changes, observed, resampled, strict=True):
        if observed[0] <= _STILL:
            found.append(VarianceRatio(k, math.nan, math.nan, math.nan, change.size))
            continue
        moving = resampled[0] > _STILL
        ratios = drawn[moving] / (k * resampled[0][moving])
        low, high = np.percentile(ratios, _TAILS, method="linear")
        found.append(VarianceRatio(k, float(own / (k * observed[0])), float(low), float(high), change.size))
    return found


def _mean_variance(times: Floats, changes: Floats) -> Floats:
    """Mean over years of the variance over units (ddof 1), units counting `times`; shape (draws,) from (draws, units)."""
    n = times.sum(axis=1, keepdims=True)
    centred = changes - changes.mean(axis=0)
    sums = times @ centred
    variances = (times @ centred**2 - sums**2 / n) / (n - 1)
    means: Floats = variances.mean(axis=1)
    return means


def yearly_deviations(log_rates: Floats) -> Floats:
    """d: each unit's yearly change less the mean change of that year over units; shape (units, years - 1)."""
    steps = np.diff(log_rates, axis=1)
    deviations: Floats = steps - steps.mean(axis=0)
    return deviations


def drift(deviations: Floats) -> Drift:
    """F = [Y sum_i dbar_i^2 / (n-1)] / [sum (d_it - dbar_i)^2 / ((n-1)(Y-1))] of deviations of shape (n, Y).

    NaN where nothing varies within units. The reliability is max(0, 1 - 1/F): the share of the spread of mean changes
    that is the unit's own.
    """
    n, years = deviations.shape
    means = deviations.mean(axis=1)
    between, within = n - 1, (n - 1) * (years - 1)
    residual = ((deviations - means[:, np.newaxis]) ** 2).sum() / within
    if residual <= _STILL:
        return Drift(math.nan, between, within, math.nan, math.nan)
    f = float(years * (means**2).sum() / between / residual)
    return Drift(f, between, within, float(special.fdtrc(between, within, f)), max(0.0, 1 - 1 / f) if f > 0 else 0.0)


def lag_1_correlation(deviations: Floats) -> float:
    """Correlation of a year's deviation with the next year's, all units and years pooled; NaN where nothing varies."""
    return correlation(deviations[:, :-1].ravel(), deviations[:, 1:].ravel())


def correlation(first: Floats, second: Floats) -> float:
    """Pearson's correlation of two arrays of one length; NaN where one of them does not vary."""
    x, y = first - first.mean(), second - second.mean()
    of_x, of_y = float((x * x).sum()), float((y * y).sum())
    if min(of_x, of_y) <= _STILL * len(x):
        return math.nan
    return float((x * y).sum()) / math.sqrt(of_x * of_y)


def fisher_limits(r: float, n: int, z: float) -> tuple[float, float]:
    """Limits of a correlation of n pairs: tanh(artanh r -/+ z / sqrt(n - 3)). NaN where r is, or under 4 pairs."""
    if math.isnan(r) or n < 4 or abs(r) >= 1:
        return math.nan, math.nan
    half = z / math.sqrt(n - 3)
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


# ---------------------------------------------------------------------------------------------------------------------
# The published table


@dataclass(frozen=True)
class _Panel:
    """Units with their mean number over all years of a span, and their log rates in the years that are asked for.

    Shapes (units,) and (units, len(years)); the log rates are complete.
    """

    span: tuple[int, int]
    years: tuple[int, ...]
    mean_numbers: Floats
    log_rates: Floats


def memory_stats(
    looked_after: pd.DataFrame, population: pd.DataFrame, areas: Areas, settings: EvidenceSettings, seed: int
) -> pd.DataFrame:
    """`main.memory_stats` from the core tables: newest counts, rebased populations, units complete in all years."""
    counts = unit_series.newest(looked_after)
    people = unit_series.populations(population, REBASED)
    latest = max(counts.years)
    yearly = _panel(tuple(range(min(settings.first_long_year, latest), latest + 1)), counts, people, areas)
    spanning = {
        years: _panel((latest - 2 * years, latest - years, latest), counts, people, areas)
        for years in settings.memory_windows
    }
    rows: list[dict[str, object]] = []
    for name in (ALL_UNITS, LARGE_UNITS):
        rows += _yearly_rows(name, _sized(yearly, name, settings), settings, seed)
        rows += [_window_row(name, years, _sized(panel, name, settings), settings) for years, panel in spanning.items()]
    return conform(pd.DataFrame(rows), evidence_tables.MEMORY_STATS)


def _panel(years: tuple[int, ...], counts: unit_series.Cells, people: unit_series.Cells, areas: Areas) -> _Panel:
    """The units of the window that spans the years, those with both numbers in each of them."""
    span = (years[0], years[-1])
    units = [unit for unit in geography.units(areas, *span) if not set(unit.end) & areas.too_small]
    stock = unit_series.of_units(units, range(span[0], span[1] + 1), counts, areas)
    children = unit_series.of_units(units, years, people, areas)
    numbers = stock.over(years)
    there = (numbers > 0).all(axis=1) & (children.numbers > 0).all(axis=1)
    return _Panel(
        span=span,
        years=years,
        mean_numbers=np.nanmean(stock.numbers[there], axis=1),
        log_rates=unit_series.log_rates(numbers[there], children.numbers[there]),
    )


def _sized(panel: _Panel, name: str, settings: EvidenceSettings) -> _Panel:
    """All units, or the large ones: by the mean over all years, as a selection on an end year would select the change."""
    if name == ALL_UNITS or not len(panel.mean_numbers):
        return panel
    large = panel.mean_numbers > np.quantile(panel.mean_numbers, settings.memory_large_quantile)
    return replace(panel, mean_numbers=panel.mean_numbers[large], log_rates=panel.log_rates[large])


def _row(panel_name: str, statistic: str, years: int, panel: _Panel) -> dict[str, object]:
    return dict.fromkeys(evidence_tables.MEMORY_STATS.column_names) | {
        "panel": panel_name,
        "statistic": statistic,
        "years": years,
        "n_units": len(panel.log_rates),
        "n_values": 0,
        "first_year": panel.span[0],
        "last_year": panel.span[1],
        "detail_reason": NOT_APPLICABLE,
    }


def _yearly_rows(name: str, panel: _Panel, settings: EvidenceSettings, seed: int) -> list[dict[str, object]]:
    missing = _why_not(panel, settings)
    kinds = [("variance_ratio", k) for k in range(1, settings.memory_lags + 1)]
    kinds += [(kind, 1) for kind in ("drift_f", "drift_reliability", "lag_1_correlation")]
    rows = {kind: _row(name, *kind, panel) for kind in kinds}
    if missing:
        return [row | {"reason": missing, "detail_reason": missing} for row in rows.values()]

    ratios = variance_ratios(panel.log_rates, settings.memory_lags, settings.bootstrap_draws, seed)
    for ratio in ratios:
        rows["variance_ratio", ratio.years] |= {
            "value": ratio.value, "low_95": ratio.low, "high_95": ratio.high, "n_values": ratio.n_values,
            "bootstrap_draws": settings.bootstrap_draws, "seed": seed, "reason": _no_variation(ratio.value),
        }  # fmt: skip
    for k in range(len(ratios) + 1, settings.memory_lags + 1):
        rows["variance_ratio", k] |= {"reason": SHORT_SERIES, "detail_reason": SHORT_SERIES}

    deviations = yearly_deviations(panel.log_rates)
    found = drift(deviations)
    common = {
        "n_values": deviations.size, "p_value": found.p, "df_between": found.df_between, "df_within": found.df_within,
        "reason": _no_variation(found.f),
    }  # fmt: skip
    rows["drift_f", 1] |= common | {"value": found.f}
    rows["drift_reliability", 1] |= common | {"value": found.reliability}
    pairs = deviations[:, 1:].size
    rows["lag_1_correlation", 1] |= _correlation(lag_1_correlation(deviations), pairs, settings)
    return list(rows.values())


def _window_row(name: str, years: int, panel: _Panel, settings: EvidenceSettings) -> dict[str, object]:
    """Correlation of the changes relative to England in the two latest windows that touch but do not overlap."""
    row = _row(name, "window_correlation", years, panel)
    missing = _why_not(panel, settings)
    if missing:
        return row | {"reason": missing, "detail_reason": missing}
    # Taking England off both changes takes the same number off every unit: the correlation is that of the changes.
    before, after = np.diff(panel.log_rates, axis=1).T
    return row | _correlation(correlation(before, after), len(before), settings)


def _correlation(r: float, pairs: int, settings: EvidenceSettings) -> dict[str, object]:
    low, high = fisher_limits(r, pairs, settings.interval_z)
    return {"value": r, "low_95": low, "high_95": high, "n_values": pairs, "reason": _no_variation(r)}


def _why_not(panel: _Panel, settings: EvidenceSettings) -> str | None:
    """Why a panel has no statistics: they need two steps at least, and enough units."""
    if len(panel.years) < 3:
        return SHORT_SERIES
    if not len(panel.log_rates):
        return NOT_AVAILABLE
    return TOO_FEW_UNITS if len(panel.log_rates) < settings.min_units else None


def _no_variation(value: float) -> str | None:
    return NO_VARIATION if math.isnan(value) else None
