"""How unusual a change is: z against usual movement, q over all units, grade and wording (methods.md C5).

What belongs here: what follows from a change, the usual movement and the number of units compared. What does not: the
change and its classes (`trends`), which a grade never alters, and the fit of the usual movement (`volatility`).

Arrays may have leading axes, one entry a simulated country; units are on the last axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from pipeline.settings import EvidenceSettings
from pipeline.volatility import Fit

Floats = npt.NDArray[np.float64]

A, B, C = "A", "B", "C"
EXCEPTIONAL = "exceptional even allowing for the number of authorities compared"
LARGER = "larger than usual year-to-year movement"
USUAL = "within usual year-to-year movement"
SHORT_SERIES = "short_series"


@dataclass(frozen=True)
class Evidence:
    """How unusual each unit's relative change is; all of the shape of the changes.

    `se` is the standard deviation of usual movement over the window (log ratio), `grade` A, B or C.
    """

    se: Floats
    z: Floats
    p: Floats
    q: Floats
    grade: npt.NDArray[np.str_]

    @property
    def is_unusual(self) -> npt.NDArray[np.bool_]:
        """Whether each grade is A or B."""
        is_graded: npt.NDArray[np.bool_] = self.grade != C
        return is_graded


def judge(relative_log: Floats, mean_number: Floats, years: int, usual: Fit, settings: EvidenceSettings) -> Evidence:
    """Judge relative changes (log ratios) over a number of years by the usual movement at the mean of the two counts.

    se = sqrt(years (a + b / mean number)), z = change / se, p two-sided normal, q over the units of the last axis.
    Raises ValueError without a usual movement: the caller says why there is no evidence.
    """
    if usual.reason is not None:
        raise ValueError(f"there is no usual movement to judge by: {usual.reason}")
    return against(relative_log, np.sqrt(usual.variance(mean_number, years)), settings)


def against(relative_log: Floats, se: Floats, settings: EvidenceSettings) -> Evidence:
    """Judge relative changes by the standard deviation of usual movement of each; both of one shape."""
    z = relative_log / se
    p = two_sided_p(z)
    q = benjamini_hochberg(p)
    is_larger = np.abs(z) >= settings.unusual_z
    grade = np.where(is_larger & (q <= settings.false_discovery), A, np.where(is_larger, B, C))
    return Evidence(se, z, p, q, grade)


def two_sided_p(z: Floats) -> Floats:
    """2 (1 - Phi(|z|)) of each z, exact also far out where 1 - Phi would round to 0."""
    p: Floats = 2 * special.ndtr(-np.abs(z))
    return p


def benjamini_hochberg(p: npt.ArrayLike) -> Floats:
    """Adjusted p-values (Benjamini and Hochberg 1995) over the last axis, shape as given.

    With p sorted upwards, q of the i-th of n is the least of n p_j / j over j >= i, 1 at most. A p that is missing is a
    ValueError: leave it out first, so that n is the number tested.
    """
    values = np.asarray(p, dtype=float)
    if not np.isfinite(values).all():
        raise ValueError("a p-value is missing: leave it out before adjusting, so that the number tested is right")
    n = values.shape[-1]
    if n == 0:
        return values.copy()
    order = np.argsort(values, axis=-1, kind="stable")
    scaled = np.take_along_axis(values, order, axis=-1) * (n / np.arange(1, n + 1))
    least = np.minimum.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1]
    adjusted = np.empty_like(values)
    np.put_along_axis(adjusted, order, np.minimum(least, 1.0), axis=-1)
    return adjusted


def pct(log_ratio: npt.ArrayLike) -> Floats:
    """A log ratio as a change in per cent: 100 (exp(x) - 1)."""
    per_cent: Floats = 100 * np.expm1(np.asarray(log_ratio, dtype=float))
    return per_cent


def range_of_usual_movement(relative_log: Floats, se: Floats, z: float) -> tuple[Floats, Floats]:
    """Range around each change, in per cent: the change relative to England -/+ z se."""
    return pct(relative_log - z * se), pct(relative_log + z * se)


def usual_range(se: Floats, z: float) -> tuple[Floats, Floats]:
    """What is usual for an authority of each size, in per cent: 100 (exp(-/+ z se) - 1)."""
    return pct(-z * se), pct(z * se)


def is_out_of_period(window_start: int, window_end: int, first_year: int, last_year: int) -> bool:
    """Whether a window is not wholly inside the years that the usual movement is measured on."""
    return window_start < first_year or window_end > last_year


def texts(
    change_pct: Sequence[float] | Floats, england_change_pct: float, grade: Sequence[str] | npt.NDArray[np.str_]
) -> list[str]:
    """Each unit's grade in words with both changes; beside A the number of units compared, which is all that are given."""
    england = moved(england_change_pct)
    compared = len(grade)
    return [
        f"{_headline(mark, compared)}: {moved(float(own))} while England {england}; a difference of this size is "
        f"{_commonness(mark)} for an authority of this size"
        for own, mark in zip(change_pct, grade, strict=True)
    ]


def _headline(grade: str, compared: int) -> str:
    if grade == A:
        return f"{EXCEPTIONAL} ({compared})"
    return LARGER if grade == B else USUAL


def _commonness(grade: str) -> str:
    return {A: "very rare", B: "uncommon", C: "common"}[grade]


def moved(change_pct: float) -> str:
    """A change in words, to whole per cent with halves away from 0: "fell by 12%", "rose by 4%"."""
    size = math.floor(abs(change_pct) + 0.5)
    if size == 0:
        return "changed by less than 0.5%"
    return f"{'rose' if change_pct > 0 else 'fell'} by {size}%"


def robust(available: pd.Series, agreeing: pd.Series, settings: EvidenceSettings) -> tuple[pd.Series, pd.Series]:
    """Whether enough of the alternates that can be computed agree (methods.md C7), and why that is not said.

    At least three quarters of them, rounded up, with five or more available; else missing, `short_series`.
    """
    is_enough = available >= settings.robust_available
    needed = np.ceil(settings.robust_share * available.astype(float))
    answer = (agreeing.astype(float) >= needed).astype("boolean").mask(~is_enough)
    reason = pd.Series(pd.NA, index=available.index, dtype="string").mask(~is_enough, SHORT_SERIES)
    return answer, reason
