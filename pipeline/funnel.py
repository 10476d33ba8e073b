"""Funnel limits for the level of rates in one year, widened for the usual spread between authorities (methods.md C10).

What belongs here: over-dispersion by an added variance (Spiegelhalter 2005, Stat Med 24:1185; Qual Saf Health Care
14:347), and the limits of chance alone. What does not: changes (`evidence`), except that the same arithmetic serves as
one of the rules they are compared by.

Arrays may have leading axes, one entry a simulated country; units are on the last axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import geography, limits, unit_series
from pipeline.geography import Areas
from pipeline.readers.population_dfe import REBASED
from pipeline.settings import EvidenceSettings
from pipeline.tables import evidence_tables
from pipeline.tables.frames import conform

Floats = npt.NDArray[np.float64]

PER = 10_000


@dataclass(frozen=True)
class Dispersion:
    """How far values lie apart beyond chance.

    `z`, `z_winsorised` and `z_adjusted` have the shape of the values, `phi` and `tau2` (variance, in squared units of the
    values) that of the leading axes with one entry kept on the last.
    """

    z: Floats
    z_winsorised: Floats
    phi: Floats
    tau2: Floats
    z_adjusted: Floats


def winsorise(z: Floats, share: float) -> Floats:
    """Each value cut at the `share` and 1 - `share` quantiles (linear interpolation) of the last axis."""
    if share == 0:
        return z
    low, high = np.quantile(z, (share, 1 - share), axis=-1, keepdims=True, method="linear")
    return np.clip(z, low, high)


def dispersion(values: Floats, variances: Floats, share: float) -> Dispersion:
    """Additive over-dispersion of values around 0 with chance variances, over n >= 2 units of the last axis.

    z = y / s; phi = mean(z_w^2); w = 1/s^2; tau2 = max(0, (n phi - (n - 1)) / (sum w - sum w^2 / sum w));
    z_adjusted = y / sqrt(s^2 + tau2).
    """
    n = values.shape[-1]
    z = values / np.sqrt(variances)
    cut = winsorise(z, share)
    phi = (cut * cut).mean(axis=-1, keepdims=True)
    w = 1 / variances
    total = w.sum(axis=-1, keepdims=True)
    tau2 = np.maximum(0.0, (n * phi - (n - 1)) / (total - (w * w).sum(axis=-1, keepdims=True) / total))
    return Dispersion(z, cut, phi, tau2, values / np.sqrt(variances + tau2))


def of_changes(relative_log: Floats, count_start: Floats, count_end: Floats, share: float) -> Floats:
    """The funnel's adjusted z of each relative change, s^2 = 1/N0 + 1/N1: a rule that stands beside the primary one."""
    return dispersion(relative_log, 1 / count_start + 1 / count_end, share).z_adjusted


def poisson_limits(events: npt.ArrayLike, baseline: float, confidence: float) -> tuple[Floats, Floats]:
    """Limits of chance alone at a number of events above 0: events / exact Poisson limit(events) x baseline.

    The rate is then just outside where the baseline is just inside the exact limits of the events.
    """
    x = np.asarray(events, dtype=float)
    low, high = limits.exact(x, confidence)
    return x / high * baseline, x / low * baseline


def funnel_levels(
    looked_after: pd.DataFrame, population: pd.DataFrame, areas: Areas, settings: EvidenceSettings
) -> pd.DataFrame:
    """`main.funnel_levels`: every year with counts and rebased populations, from the core tables."""
    counts = unit_series.newest(looked_after)
    people = unit_series.populations(population, REBASED)
    frames = [_level(year, counts, people, areas, settings) for year in counts.years if year in people.years]
    empty = pd.DataFrame(columns=evidence_tables.FUNNEL_LEVELS.column_names)
    frames = [frame for frame in frames if len(frame)] or [empty]
    return conform(pd.concat(frames, ignore_index=True), evidence_tables.FUNNEL_LEVELS)


def _level(
    year: int, counts: unit_series.Cells, people: unit_series.Cells, areas: Areas, settings: EvidenceSettings
) -> pd.DataFrame:
    units = [unit for unit in geography.units(areas, year, year) if not set(unit.end) & areas.too_small]
    stock = unit_series.of_units(units, (year,), counts, areas)
    children = unit_series.of_units(units, (year,), people, areas)
    there = np.flatnonzero(unit_series.complete(stock, children))
    if len(there) < settings.min_units:
        return pd.DataFrame()
    return level_frame(year, [units[at] for at in there], stock.at(year)[there], children.at(year)[there], settings)


def level_frame(
    year: int, units: Sequence[geography.Unit], observed: Floats, people: Floats, settings: EvidenceSettings
) -> pd.DataFrame:
    """The rows of one year, from counts and populations above 0; shape (units,) each."""
    england = observed.sum() / people.sum()
    expected = people * england
    y, variance = np.log(observed / expected), 1 / expected
    found = dispersion(y, variance, settings.funnel_winsorise)
    spread = np.sqrt(variance + found.tau2)
    inner, outer = settings.funnel_inner_z * spread, settings.funnel_outer_z * spread
    chance_low, chance_high = poisson_limits(expected, PER * england, limits.CONFIDENCE)
    outside = np.select(
        [y > outer, y < -outer, y > inner, y < -inner], ["above_998", "below_998", "above_95", "below_95"], "inside"
    )
    return pd.DataFrame(
        {
            "year": year,
            "unit_id": [unit.unit_id for unit in units],
            "unit_name": [unit.name for unit in units],
            "region": [unit.region for unit in units],
            "observed": observed,
            "expected": expected,
            "population_0_17": people,
            "population_vintage": REBASED,
            "rate_per_10k": PER * observed / people,
            "england_rate_per_10k": PER * england,
            "log_ratio": y,
            "std_error": np.sqrt(variance),
            "z_unadjusted": found.z,
            "z_winsorised": found.z_winsorised,
            "phi": found.phi[0],
            "tau2": found.tau2[0],
            "z_adjusted": found.z_adjusted,
            "low_95": PER * england * np.exp(-inner),
            "high_95": PER * england * np.exp(inner),
            "low_998": PER * england * np.exp(-outer),
            "high_998": PER * england * np.exp(outer),
            "poisson_low_95": chance_low,
            "poisson_high_95": chance_high,
            "outside": outside,
        }
    )
