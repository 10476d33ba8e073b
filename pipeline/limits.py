"""Limits of a single count, rate or share: the chance variation of one published number (methods.md C6).

What belongs here: intervals that follow from one count by a closed form. What does not: how far an authority usually
moves from year to year (`volatility`, `evidence`), which is many times as much, and limits around a group (`funnel`).

The counts are a complete enumeration. These limits describe chance variation in a count of this size, nothing more.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]

# Byar's approximation errs in the third digit below 10, and the exact limits cost nothing there.
EXACT_BELOW = 10
CONFIDENCE = 0.95


def z_of(confidence: float) -> float:
    """The two-sided normal quantile: 1.959964 for 0.95, 3.090232 for 0.998."""
    return float(special.ndtri(0.5 + confidence / 2))


def byar(counts: npt.ArrayLike, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Byar's approximation to the Poisson limits of counts above 0 (Breslow and Day 1987); same shape as `counts`.

    Lower = x (1 - 1/(9x) - z/(3 sqrt x))^3, upper the same with x + 1 and + z.
    """
    x = np.asarray(counts, dtype=float)
    z = z_of(confidence)
    lower = x * _cube(1 - 1 / (9 * x) - z / (3 * np.sqrt(x)))
    upper = (x + 1) * _cube(1 - 1 / (9 * (x + 1)) + z / (3 * np.sqrt(x + 1)))
    return lower, upper


def _cube(x: Floats) -> Floats:
    # The general power is ten times as slow as two products, and the null calibration asks for millions of these.
    return x * x * x


def exact(counts: npt.ArrayLike, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Exact Poisson limits by the chi-square distribution; the lower limit of 0 is 0. Same shape as `counts`.

    A half of chi2inv(p, 2k) is the p-quantile of a gamma distribution with shape k.
    """
    x = np.asarray(counts, dtype=float)
    tail = (1 - confidence) / 2
    lower = np.where(x > 0, special.gammaincinv(np.where(x > 0, x, 1.0), tail), 0.0)
    upper = special.gammaincinv(x + 1, 1 - tail)
    return np.where(np.isnan(x), np.nan, lower), upper


def count_limits(counts: npt.ArrayLike, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Lower and upper limit of each count: exact below 10, Byar from there on. A missing count has none (NaN).

    A negative count is a ValueError: the readers let none in.
    """
    shape = np.shape(counts)
    x = np.atleast_1d(np.asarray(counts, dtype=float))
    if np.any(x < 0):
        raise ValueError("a count below 0 has no limits")
    lower, upper = byar(np.maximum(x, EXACT_BELOW), confidence)
    is_small = x < EXACT_BELOW
    if is_small.any():
        lower[is_small], upper[is_small] = exact(x[is_small], confidence)
    return lower.reshape(shape), upper.reshape(shape)


def rate_limits(
    counts: npt.ArrayLike, populations: npt.ArrayLike, confidence: float = CONFIDENCE, per: float = 10_000
) -> tuple[Floats, Floats]:
    """Limits of `per` x count / population of each. NaN where the count or the population is missing or nobody lives."""
    lower, upper = count_limits(counts, confidence)
    people = np.asarray(populations, dtype=float)
    scale = per / np.where(people > 0, people, np.nan)
    return lower * scale, upper * scale


def wilson(counts: npt.ArrayLike, denominators: npt.ArrayLike, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Wilson's limits of each share, count / denominator, between 0 and 1 (Wilson 1927)."""
    x, n = np.asarray(counts, dtype=float), np.asarray(denominators, dtype=float)
    z = z_of(confidence)
    middle = 2 * x + z**2
    half = z * np.sqrt(z**2 + 4 * x * (1 - x / n))
    below = 2 * (n + z**2)
    return (middle - half) / below, (middle + half) / below
