"""What stands beside every change in `main.five_year_change`: limits, evidence, baseline, recent trend.

What belongs here: putting the statistics of `evidence`, `limits`, `baseline` and `recent_trend` beside the changes they
are about, with a reason for whatever is missing. What does not: those statistics, and the alternates of a change.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline import baseline, evidence, limits, recent_trend, unit_series
from pipeline.geography import Areas
from pipeline.limits import Floats
from pipeline.settings import EvidenceSettings
from pipeline.volatility import Fit
from pipeline.windows import WindowData

_JUDGED = ("se_usual", "relative_low_pct", "relative_high_pct", "usual_low_pct", "usual_high_pct", "z", "p_value",
           "q_value")  # fmt: skip


def with_evidence(
    changes: pd.DataFrame,
    windows: Sequence[WindowData],
    looked_after: pd.DataFrame,
    population: pd.DataFrame,
    areas: Areas,
    usual: Fit,
    fitted_years: tuple[int, int] | None,
    settings: EvidenceSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The changes with the columns of CHANGE_EVIDENCE but for the alternates, and `main.baseline_convergence`.

    `changes` are the changes and classes of `trends`, `windows` the data they were made from, `usual` the primary fit and
    `fitted_years` its first and last year.
    """
    convergence, adjusted = baseline.adjusted(changes, settings)
    markers = _markers(changes, windows, looked_after, population, areas, settings)
    judged = [_judged(group, usual, fitted_years, settings) for _, group in changes.groupby("window_id", sort=False)]
    beside = pd.concat(judged) if judged else _not_judged(changes, None)
    return pd.concat([changes, _limits(changes, settings), beside, adjusted, markers], axis=1), convergence


def _limits(changes: pd.DataFrame, settings: EvidenceSettings) -> pd.DataFrame:
    columns: dict[str, Floats] = {}
    for end in ("start", "end"):
        counts, people = (changes[f"{name}_{end}"].to_numpy(dtype=float) for name in ("looked_after", "population"))
        low, high = limits.rate_limits(counts, people, settings.limits_confidence)
        columns |= {f"rate_{end}_low": low, f"rate_{end}_high": high}
    return pd.DataFrame(columns, index=changes.index)


def _judged(
    group: pd.DataFrame, usual: Fit, fitted_years: tuple[int, int] | None, settings: EvidenceSettings
) -> pd.DataFrame:
    """The evidence of one window's units; without a usual movement the reason stands in for all of it."""
    if usual.reason is not None or fitted_years is None:
        return _not_judged(group, usual.reason)
    start, end = int(group["window_start"].iloc[0]), int(group["window_end"].iloc[0])
    relative_log = group["relative_change_log"].to_numpy(dtype=float)
    mean_number = _mean_number(group)
    found = evidence.judge(relative_log, mean_number, end - start, usual, settings)
    relative_low, relative_high = evidence.range_of_usual_movement(relative_log, found.se, settings.interval_z)
    usual_low, usual_high = evidence.usual_range(found.se, settings.interval_z)
    texts = evidence.texts(
        group["change_pct"].to_numpy(dtype=float), float(group["england_change_pct"].iloc[0]), found.grade
    )
    judged = (found.se, relative_low, relative_high, usual_low, usual_high, found.z, found.p, found.q)
    columns: dict[str, object] = {
        "mean_number": mean_number,
        **dict(zip(_JUDGED, judged, strict=True)),
        "n_tested": len(group),
        "evidence": found.grade,
        "evidence_text": texts,
        "evidence_reason": pd.NA,
        "ab_out_of_period": evidence.is_out_of_period(start, end, *fitted_years),
    }
    return pd.DataFrame(columns, index=group.index)


def _not_judged(group: pd.DataFrame, reason: str | None) -> pd.DataFrame:
    """The same columns without evidence; without rows too where there is no window to judge."""
    nothing: dict[str, object] = {"mean_number": _mean_number(group), **dict.fromkeys(_JUDGED, np.nan)}
    words = dict.fromkeys(("n_tested", "evidence", "evidence_text", "evidence_reason", "ab_out_of_period"), pd.NA)
    return pd.DataFrame(nothing | words | {"evidence_reason": reason}, index=group.index)


def _mean_number(group: pd.DataFrame) -> Floats:
    """Children looked after, the mean of both ends of each unit; shape (units,)."""
    means: Floats = group[["looked_after_start", "looked_after_end"]].to_numpy(dtype=float).mean(axis=1)
    return means


def _markers(
    changes: pd.DataFrame,
    windows: Sequence[WindowData],
    looked_after: pd.DataFrame,
    population: pd.DataFrame,
    areas: Areas,
    settings: EvidenceSettings,
) -> pd.DataFrame:
    """The recent trend of each unit over the last years up to the end of its window, in the window's vintage."""
    counts = unit_series.newest(looked_after)
    of_window = {data.window.window_id: data for data in windows}
    frames = []
    for window_id, group in changes.groupby("window_id", sort=False):
        data = of_window[str(window_id)]
        unit_of = {ends.unit.unit_id: ends.unit for ends in data.units}
        units = [unit_of[unit_id] for unit_id in group["unit_id"]]
        years = tuple(range(data.window.end - settings.trend_points + 1, data.window.end + 1))
        people = unit_series.populations(population, data.window.vintage)
        stock = unit_series.of_units(units, years, counts, areas).numbers
        children = unit_series.of_units(units, years, people, areas).numbers
        low, high = limits.rate_limits(stock, children, settings.limits_confidence)
        rates = 10_000 * stock / np.where(children > 0, children, np.nan)
        markers, reasons = recent_trend.of_units(years, rates, low, high, settings.trend_confidence)
        frames.append(pd.DataFrame({"fingertips_marker": markers, "fingertips_reason": reasons}, index=group.index))
    empty = pd.DataFrame({"fingertips_marker": [], "fingertips_reason": []}, dtype="string", index=changes.index[:0])
    return pd.concat(frames) if frames else empty
