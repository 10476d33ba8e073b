"""How far a change goes with where a unit started (methods.md C12).

What belongs here: the line of the changes on the log rate at the start, and what is left of each change beside it. What
does not: models with further terms. Convergence towards the mean is shown beside every trend, not removed from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from pipeline.reasons import HIGH_LEVERAGE, NO_VARIATION, TOO_FEW_UNITS
from pipeline.settings import EvidenceSettings
from pipeline.tables import evidence_tables
from pipeline.tables.frames import conform

Floats = npt.NDArray[np.float64]

_STILL = 1e-12  # a spread this small on the log scale is rounding
_ALONE = 1 - 1e-8  # a unit with this leverage has the line to itself, and HC3 divides by nearly 0


@dataclass(frozen=True)
class Line:
    """Least squares of y on (1, x) with the HC3 standard error of the slope.

    `residuals` has the shape of y. `reason` says why there is no line; the numbers are then NaN.
    """

    residuals: Floats
    intercept: float = math.nan
    slope: float = math.nan
    std_error: float = math.nan
    r2: float = math.nan
    correlation: float = math.nan
    reason: str | None = None

    @property
    def degrees_of_freedom(self) -> int:
        """Units less two."""
        return len(self.residuals) - 2


def line(x: Floats, y: Floats, least_units: int = 3) -> Line:
    """Fit the line; HC3 with one regressor is sum (x - xbar)^2 (e / (1 - h))^2 / Sxx^2 (Long and Ervin 2000)."""
    nothing = np.full(len(y), np.nan)
    if len(y) < least_units:
        return Line(nothing, reason=TOO_FEW_UNITS)
    away, up = x - x.mean(), y - y.mean()
    sxx, syy = float((away * away).sum()), float((up * up).sum())
    if np.ptp(x) <= _STILL or np.ptp(y) <= _STILL:
        return Line(nothing, reason=NO_VARIATION)
    leverage = 1 / len(x) + away**2 / sxx
    if leverage.max() > _ALONE:
        return Line(nothing, reason=HIGH_LEVERAGE)
    sxy = float((away * up).sum())
    slope = sxy / sxx
    residuals = up - slope * away
    return Line(
        residuals=residuals,
        intercept=float(y.mean() - slope * x.mean()),
        slope=slope,
        std_error=math.sqrt(float((away**2 * (residuals / (1 - leverage)) ** 2).sum())) / sxx,
        r2=1 - float((residuals**2).sum()) / syy,
        correlation=sxy / math.sqrt(sxx * syy),
    )


def adjusted(changes: pd.DataFrame, settings: EvidenceSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`main.baseline_convergence`, and each unit's adjusted change with its reason.

    `changes` are rows of `main.five_year_change`. The second frame has its index and the columns
    `baseline_adjusted_change` (log ratio) and `baseline_reason`.
    """
    rows = []
    own = pd.DataFrame(
        {
            "baseline_adjusted_change": np.full(len(changes), np.nan),
            "baseline_reason": pd.array([None] * len(changes), dtype="string"),
        },
        index=changes.index,
    )
    for window_id, group in changes.groupby("window_id", sort=False):
        stock, children = (group[f"{name}_start"].to_numpy(dtype=float) for name in ("looked_after", "population"))
        fitted = line(np.log(stock / children), group["change_log"].to_numpy(dtype=float), settings.min_units)
        own.loc[group.index, "baseline_adjusted_change"] = fitted.residuals
        own.loc[group.index, "baseline_reason"] = fitted.reason
        rows.append(_row(str(window_id), group, fitted))
    columns = evidence_tables.BASELINE_CONVERGENCE.column_names
    return conform(pd.DataFrame(rows, columns=columns), evidence_tables.BASELINE_CONVERGENCE), own


def _row(window_id: str, group: pd.DataFrame, fitted: Line) -> dict[str, object]:
    df = fitted.degrees_of_freedom
    statistic = fitted.slope / fitted.std_error if fitted.std_error > 0 else math.nan
    half = float(special.stdtrit(df, 0.975)) * fitted.std_error if fitted.reason is None else math.nan
    return {
        "window_id": window_id,
        "window_start": group["window_start"].iloc[0],
        "window_end": group["window_end"].iloc[0],
        "n": len(group),
        "intercept": fitted.intercept,
        "slope": fitted.slope,
        "std_error": fitted.std_error,
        "statistic": statistic,
        "p_value": 2 * float(special.stdtr(df, -abs(statistic))) if fitted.reason is None else math.nan,
        "lower_95": fitted.slope - half,
        "upper_95": fitted.slope + half,
        "r2": fitted.r2,
        "correlation": fitted.correlation,
        "reason": fitted.reason,
    }
