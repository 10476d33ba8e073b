"""One row a unit of one window: outcomes and covariates side by side.

What belongs here: putting the tables of changes, alternates and exposures together for one window. What does not: the
figures themselves, the choice of terms, and who is left out of a model (`design`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from pipeline import alternates, exposures
from pipeline.tables.frames import pivoted

LOG_RATE_RATIO, CHANGE_PER_10K, NUMBER = "log_rate_ratio", "change_per_10k", "number"
EXCLUDING_UASC, STARTS = "excluding_uasc", "starts"
RATE_LEVEL, RATE_PANEL, LOG_RATE_PANEL = "rate_level", "rate_panel", "log_rate_panel"
OUTCOMES = (LOG_RATE_RATIO, CHANGE_PER_10K, NUMBER, EXCLUDING_UASC, STARTS, RATE_LEVEL, RATE_PANEL, LOG_RATE_PANEL)

_FROM_ALTERNATES = {
    alternates.NUMBER: NUMBER,
    alternates.EXCLUDING_UASC: EXCLUDING_UASC,
    alternates.STARTS: STARTS,
}
_FROM_CHANGES = (
    "unit_name", "members", "region", "looked_after_start", "looked_after_end", "population_start", "population_end",
    "rate_start", "rate_end", "change_per_10k",
)  # fmt: skip


@dataclass(frozen=True)
class WindowUnits:
    """The units of one window in the order of their id.

    `units` is indexed by unit_id, with unit_name, members, region, counts and populations at both ends, the rates
    (children per 10,000), the outcomes `log_rate_ratio`, `change_per_10k` (points), `number`, `excluding_uasc`, `starts`
    (log ratios) and `rate_level` (the rate at the end).
    `values` has the same index and a column for each exposure variable; `reasons` says why a value is missing;
    `is_post_baseline` says of each variable whether it looks into the window, `measure` what it measures. `outcome_reasons`
    says why an outcome that is not of the window's own changes is missing.
    """

    window_id: str
    start: int
    end: int
    units: pd.DataFrame
    values: pd.DataFrame
    reasons: pd.DataFrame
    is_post_baseline: dict[str, bool]
    measure: dict[str, str]
    outcome_reasons: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def years(self) -> int:
        """Length of the window."""
        return self.end - self.start


def all_windows(changes: pd.DataFrame, others: pd.DataFrame, exposed: pd.DataFrame) -> Iterator[WindowUnits]:
    """Every window of `main.five_year_change`, with `main.five_year_change_alternates` and `main.exposures`."""
    for window_id in changes["window_id"].unique():
        yield of_window(str(window_id), changes, others, exposed)


def of_window(window_id: str, changes: pd.DataFrame, others: pd.DataFrame, exposed: pd.DataFrame) -> WindowUnits:
    """The units of one window. A unit without an outcome or exposure has a missing value, and a reason for exposures.

    `changes`, `others` and `exposed` are the tables of `all_windows`.
    """
    own = changes.loc[changes["window_id"] == window_id].set_index("unit_id").sort_index()
    outcomes = others.loc[(others["window_id"] == window_id) & others["alternate"].isin(list(_FROM_ALTERNATES))]
    found = pivoted(outcomes, "alternate", "change_log").rename(columns=_FROM_ALTERNATES)
    units = own[list(_FROM_CHANGES)].assign(
        **{LOG_RATE_RATIO: own["change_log"], RATE_LEVEL: own["rate_end"]},
        **{name: found[name].reindex(own.index) for name in _FROM_ALTERNATES.values()},
    )
    unknown = pivoted(outcomes, "alternate", "reason").rename(columns=_FROM_ALTERNATES)
    rows = exposed.loc[exposed["window_id"] == window_id]
    told = rows.drop_duplicates("variable").set_index("variable")
    reasons = pivoted(rows, "variable", "reason")
    return WindowUnits(
        window_id=window_id,
        start=int(own["window_start"].iloc[0]),
        end=int(own["window_end"].iloc[0]),
        units=units,
        values=exposures.wide(rows).reindex(own.index),
        reasons=reasons.reindex(own.index),
        is_post_baseline={str(name): bool(flag) for name, flag in told["is_post_baseline"].items()},
        measure={str(name): str(words) for name, words in told["measure"].items()},
        outcome_reasons=unknown.reindex(own.index),
    )
