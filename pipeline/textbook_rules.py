"""Rules by which a trend is often called, for many series at once: they stand beside the project's own rule, never in it.

What belongs here: slopes of log-linear count models, the Mann-Kendall test, and simple rules of sign and size
(methods.md C13). What does not: the project's own evidence (`evidence`), the marker (`recent_trend`) and the funnel
(`funnel`), which are rules too but have a home; and drawing countries without trends (`null_calibration`).

All of these tests take the years of an authority to be independent. Rates net of England are close to a random walk, so
the tests flag many authorities that have no trend of their own.

Years are on the last axis of every array, one step apart; every other axis is carried along.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
from scipy import special

from pipeline.limits import Floats

Flags = npt.NDArray[np.bool_]

_MAX_ROUNDS = 100
_STILL = 1e-13  # a step of the slope this small, per year on the log scale, no longer changes it
_ROUNDING = 4e-15  # of a mean year: a gap this small cannot be told from none, however flat the likelihood
_LARGEST_STEP = 1.0  # per year on the log scale: keeps the first rounds from flying off in an extreme series


@dataclass(frozen=True)
class Slopes:
    """Slopes per year (log ratio) of log-linear models of counts, all of the shape of the counts without their years.

    `std_error` and `p_poisson` take the variance of a count to be its mean, `p_quasi` multiplies it by `scale`, Pearson's
    chi-square over years - 2, and compares with Student's t.
    """

    slope: Floats
    std_error: Floats
    scale: Floats
    p_poisson: Floats
    p_quasi: Floats


def slopes(counts: Floats, exposures: Floats) -> Slopes:
    """Maximum likelihood of ln E(count) = intercept + slope x year + ln exposure, a Poisson model with an offset.

    `counts` are 0 or more (not all 0 in a series) and need not be whole; `exposures` are above 0 and broadcast against
    them. For a given slope the intercept has a closed form, so the likelihood is one of a single number: with weights
    e_t = exposure_t exp(slope x t) it is highest where the e-weighted mean year is the count-weighted one, and its
    curvature is (sum of counts) x (e-weighted variance of the years). Newton's method finds it. Counts in the first or
    last year alone, which have no highest likelihood, are a ValueError, and a slope that does not settle an
    ArithmeticError.
    """
    y = np.moveaxis(np.asarray(counts, dtype=float), -1, 0)
    base = np.moveaxis(np.broadcast_to(np.asarray(exposures, dtype=float), np.shape(counts)), -1, 0)
    y, base = np.ascontiguousarray(y), np.ascontiguousarray(base)
    total = _sum(y)
    mean_year = _sum(year * count for year, count in enumerate(y)) / total
    if np.any((mean_year <= 0) | (mean_year >= len(y) - 1)):
        raise ValueError("a series has all its counts in its first or last year: its slope has no limit")
    slope = np.zeros(total.shape)
    for _ in range(_MAX_ROUNDS):
        centre, variance = _mean_and_variance(_grown(base, slope))
        gap = mean_year - centre
        step = np.clip(gap / variance, -_LARGEST_STEP, _LARGEST_STEP)
        slope = slope + step
        if np.all((np.abs(step) < _STILL) | (np.abs(gap) < _ROUNDING)):
            break
    else:
        raise ArithmeticError(f"a slope did not settle in {_MAX_ROUNDS} rounds")
    return _tested(y, _grown(base, slope), slope, total)


def _grown(base: Floats, slope: Floats) -> Floats:
    """base_t exp(slope x t), years on the first axis: one exponential for all years."""
    factor, grown = np.exp(slope), np.empty_like(base)
    power = np.ones_like(factor)
    for year, values in enumerate(base):
        grown[year] = values * power
        power = power * factor
    return grown


def _mean_and_variance(weights: Floats) -> tuple[Floats, Floats]:
    """Weighted mean and variance of the years 0, 1, ... on the first axis."""
    total = _sum(weights)
    centre = _sum(year * weight for year, weight in enumerate(weights)) / total
    return centre, _sum((year - centre) ** 2 * weight for year, weight in enumerate(weights)) / total


def _tested(y: Floats, weights: Floats, slope: Floats, total: Floats) -> Slopes:
    _, variance = _mean_and_variance(weights)
    std_error = 1 / np.sqrt(total * variance)
    fitted = weights * (total / _sum(weights))
    residual_df = len(y) - 2
    scale = _sum((count - mean) ** 2 / mean for count, mean in zip(y, fitted, strict=True)) / residual_df
    z = np.abs(slope) / std_error
    # A series on its line to the last bit has no residual to judge by; its slope is then as sure as can be.
    t = np.divide(z, np.sqrt(scale), out=np.full_like(z, np.inf), where=scale > 0)
    p_quasi = np.where((scale > 0) | (slope != 0), 2 * special.stdtr(residual_df, -t), 1.0)
    return Slopes(slope, std_error, scale, 2 * special.ndtr(-z), p_quasi)


def _sum(parts: Iterable[Floats]) -> Floats:
    """Sum of arrays one after another: faster here than a reduction along a short axis."""
    return reduce(np.add, parts)


def kendall_s(values: Floats) -> Floats:
    """Kendall's S of each series: how many pairs of years go up less how many go down; a tie counts for neither."""
    x = np.moveaxis(np.asarray(values, dtype=float), -1, 0)
    s = np.zeros(x.shape[1:])
    for later in range(1, len(x)):
        for earlier in range(later):
            s += np.sign(x[later] - x[earlier])
    return s


def mann_kendall_p(values: Floats) -> Floats:
    """Two-sided exact probability of an S as far from 0 as each, where all orders of the years are as likely.

    The distribution is that of series without ties; measured rates have none.
    """
    n = np.shape(values)[-1]
    p: Floats = _two_sided(n)[np.abs(kendall_s(values)).astype(int)]
    return p


def _two_sided(n: int) -> Floats:
    """P(|S| >= s) for s = 0, 1, ..., n (n - 1) / 2, from the number of orders of n with each number of inversions."""
    orders = np.ones(1)
    for size in range(2, n + 1):
        orders = np.convolve(orders, np.ones(size))
    pairs = n * (n - 1) // 2
    away = np.abs(pairs - 2 * np.arange(pairs + 1))  # |S| at each number of inversions
    return np.array([orders[away >= s].sum() for s in range(pairs + 1)]) / math.factorial(n)


def opposite_sign(change_log: Floats, england_log: float) -> Flags:
    """Whether each change (log ratio) has the other sign than England's."""
    is_opposite: Flags = np.sign(change_log) * np.sign(england_log) < 0
    return is_opposite


def is_apart(relative_log: Floats, pct: float, tolerance_log: float) -> Flags:
    """Whether each change differs from England's by `pct` per cent or more, up or (as a ratio) down."""
    return np.abs(relative_log) >= math.log1p(pct / 100) - tolerance_log
