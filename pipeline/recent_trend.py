"""The recent-trend marker in the manner of Fingertips: a comparison, never the flag (methods.md C9).

What belongs here: the published recent-trend method of the Office for Health Improvement and Disparities, with its error
order and its words. What does not: this project's own evidence (`evidence`). The method takes the years to be
independent, which rates of authorities are not; its authors do not call it a rigorous analysis of a series.

Years are on the last axis of every array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from pipeline.limits import Floats, z_of

INCREASING, DECREASING = "Increasing", "Decreasing"
NO_CHANGE, NO_MARKER = "No significant change", "Cannot be calculated"
SIGNIFICANT, OUTLIER, NO_TREND = "No outliers and significant trend", "Outlier found", "No significant trend"
DUPLICATE_YEARS, TOO_FEW_POINTS = "Duplicate years in group", "Not enough data points"
MISSING_VALUES, MISSING_LIMITS = "Missing values", "Missing at least one confidence interval value"

LEAST_POINTS = 5  # of the published method; the settings' trend_points say how many years the product gives it
CONFIDENCE = 0.998
_LIMITS_CONFIDENCE = 0.95  # of the limits that the standard errors are read off
_FLAT = 1e-12  # a slope this small against the values is none: it comes from rounding


@dataclass(frozen=True)
class Marker:
    """One marker with its reason; chi2 and gradient (values per year) are None where it cannot be calculated."""

    chi2: float | None
    gradient: float | None
    marker: str
    reason: str


@dataclass(frozen=True)
class Trends:
    """Many trends; arrays of the shape of the values without their years.

    `has_outlier`: leaving out one of the points turns the slope round or makes it flat.
    """

    chi2: Floats
    gradient: Floats
    has_outlier: npt.NDArray[np.bool_]
    threshold: float

    @property
    def is_marked(self) -> npt.NDArray[np.bool_]:
        """Whether the marker of each series is Increasing or Decreasing."""
        return (self.chi2 > self.threshold) & ~self.has_outlier

    def markers(self) -> npt.NDArray[np.str_]:
        """The marker of each series in the method's words."""
        return np.where(self.is_marked, np.where(self.gradient > 0, INCREASING, DECREASING), NO_CHANGE)

    def reasons(self) -> npt.NDArray[np.str_]:
        """The reason for each marker in the method's words."""
        return np.where(self.chi2 > self.threshold, np.where(self.has_outlier, OUTLIER, SIGNIFICANT), NO_TREND)


def threshold(confidence: float = CONFIDENCE) -> float:
    """The chi-square quantile with one degree of freedom: 9.549535706 at 0.998."""
    return z_of(confidence) ** 2


def trends(years: Floats, values: Floats, low: Floats, high: Floats, confidence: float = CONFIDENCE) -> Trends:
    """Weighted least squares of values with 95% limits on the years, for complete values of shape (..., years).

    sigma = (high - low) / (2 x 1.959964), w = 1/sigma^2, chi2 = slope^2 x sum w (t - mean_w t)^2.
    """
    sigma = (high - low) / (2 * z_of(_LIMITS_CONFIDENCE))
    weights = 1 / (sigma * sigma)
    slope, spread = _slope(years, values, weights)
    return Trends(slope**2 * spread, slope, _turns(years, values, weights, slope), threshold(confidence))


def _slope(years: Floats, values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Slope of the weighted line and the weighted spread of the years around their weighted mean."""
    total = weights.sum(axis=-1, keepdims=True)
    away = years - (weights * years).sum(axis=-1, keepdims=True) / total
    spread = (weights * away * away).sum(axis=-1)
    return (weights * away * values).sum(axis=-1) / spread, spread


def _turns(years: Floats, values: Floats, weights: Floats, slope: Floats) -> npt.NDArray[np.bool_]:
    """Whether leaving out any one point gives a slope of another sign.

    The five sums of a weighted line, less one point each: a fit for every point would take five times as long.
    """
    t = years - years.mean()
    y = values - values.mean(axis=-1, keepdims=True)
    w, wt, wy = weights, weights * t, weights * y
    s, st, sy = (_all_but_one(one) for one in (w, wt, wy))
    stt, sty = _all_but_one(wt * t), _all_but_one(wt * y)
    other = (s * sty - st * sy) / (s * stt - st * st)
    flat = _FLAT * np.abs(values).max(axis=-1, keepdims=True)
    signs = np.where(np.abs(other) <= flat, 0.0, np.sign(other))
    turned: npt.NDArray[np.bool_] = (signs != np.sign(slope)[..., np.newaxis]).any(axis=-1)
    return turned


def _all_but_one(values: Floats) -> Floats:
    others: Floats = values.sum(axis=-1, keepdims=True) - values
    return others


def from_limits(
    years: Sequence[int],
    values: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    confidence: float = CONFIDENCE,
) -> Marker:
    """The marker of one series of values with 95% limits; NaN is a missing value. Errors are returned, not raised."""
    error = _error(years, [values], [low, high])
    if error:
        return Marker(None, None, NO_MARKER, error)
    t, y, lower, upper = (np.asarray(one, dtype=float) for one in (years, values, low, high))
    return _one(trends(t, y, lower, upper, confidence))


def from_proportions(
    years: Sequence[int], counts: Sequence[float], denominators: Sequence[float], confidence: float = CONFIDENCE
) -> Marker:
    """The marker of one series of shares: chi-square for trend, gradient of the unweighted line on the logits.

    A share of 0 or 1, which has no logit, is a ValueError.
    """
    error = _error(years, [counts, denominators], [])
    if error:
        return Marker(None, None, NO_MARKER, error)
    t, c, d = (np.asarray(one, dtype=float) for one in (years, counts, denominators))
    if np.any(c <= 0) or np.any(c >= d):
        raise ValueError("a share of 0 or 1 has no logit")
    t = t - t.mean()
    n, all_c = d.sum(), c.sum()
    apart = n * (c * t).sum() - all_c * (d * t).sum()
    chi2 = n * apart**2 / (all_c * (n - all_c) * (n * (d * t * t).sum() - (d * t).sum() ** 2))
    logits, even = special.logit(c / d), np.ones_like(t)
    slope, _ = _slope(t, logits, even)
    return _one(Trends(np.asarray(chi2), slope, _turns(t, logits, even, slope), threshold(confidence)))


def _one(found: Trends) -> Marker:
    return Marker(float(found.chi2), float(found.gradient), str(found.markers()), str(found.reasons()))


def _error(years: Sequence[int], values: Sequence[Sequence[float]], limits: Sequence[Sequence[float]]) -> str | None:
    """Why there is no marker, in the order in which the method looks."""
    if len(set(years)) < len(years):
        return DUPLICATE_YEARS
    if len(years) < LEAST_POINTS:
        return TOO_FEW_POINTS
    if any(np.isnan(np.asarray(one, dtype=float)).any() for one in values):
        return MISSING_VALUES
    return MISSING_LIMITS if any(np.isnan(np.asarray(one, dtype=float)).any() for one in limits) else None


def of_units(
    years: Sequence[int], values: Floats, low: Floats, high: Floats, confidence: float = CONFIDENCE
) -> tuple[list[str], list[str]]:
    """Marker and reason of each unit from values and limits of shape (units, years), NaN where missing."""
    t = np.asarray(years, dtype=float)
    whole = ~(np.isnan(values) | np.isnan(low) | np.isnan(high)).any(axis=1)
    error = _error(years, [], [])
    markers, reasons = [NO_MARKER] * len(values), [error or MISSING_VALUES] * len(values)
    if error:
        return markers, reasons
    found = trends(t, values[whole], low[whole], high[whole], confidence)
    for at, marker, reason in zip(np.flatnonzero(whole), found.markers(), found.reasons(), strict=True):
        markers[at], reasons[at] = str(marker), str(reason)
    return markers, reasons
