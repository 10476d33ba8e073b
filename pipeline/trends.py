"""Changes over a window and their classes: methods.md C2 and C3.

What belongs here: the change of each unit, of England over the same units, and the three classes that follow. What does
not: which units there are (`windows`), how unusual a change is, and who is left out (`exclusions`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline import reasons
from pipeline.settings import ClassSettings
from pipeline.tables import main_tables
from pipeline.tables.frames import conform
from pipeline.windows import UnitEnds, WindowData

NATIONAL_FLAT = reasons.NATIONAL_FLAT
NO_CLEAR_DIRECTION = "no_clear_direction"


@dataclass(frozen=True)
class EnglandChange:
    """England pooled over the units of a window: change of the rate and of the number, as log ratios."""

    rate_log: float
    number_log: float


def included(data: WindowData) -> list[UnitEnds]:
    """The units that take part: not too small is settled before; here both counts above 0 and both populations."""
    return [
        ends
        for ends in data.units
        if all(ends.looked_after) and all(ends.population)  # neither missing nor 0
    ]


def england_change(units: list[UnitEnds]) -> EnglandChange:
    """D_E and D_E^N of methods.md C2. Needs at least one unit."""
    start, end = (sum(ends.looked_after[at] or 0 for ends in units) for at in (0, 1))
    population_start, population_end = (sum(ends.population[at] or 0 for ends in units) for at in (0, 1))
    number_log = math.log(end / start)
    return EnglandChange(rate_log=number_log - math.log(population_end / population_start), number_log=number_log)


def england_direction(change: EnglandChange, classes: ClassSettings) -> str:
    """Up or down where the rate moved by the threshold or more and the number went the same way, else no_clear_direction."""
    threshold = math.log1p(classes.england_pct / 100) - classes.tolerance_log
    if change.rate_log >= threshold and change.number_log > 0:
        return "up"
    if change.rate_log <= -threshold and change.number_log < 0:
        return "down"
    return NO_CLEAR_DIRECTION


def movement(change_log: np.ndarray, classes: ClassSettings) -> np.ndarray:
    """up, down or little_change of each unit's own rate; shape (n,) in and out."""
    threshold = math.log1p(classes.movement_pct / 100) - classes.tolerance_log
    return np.select([change_log >= threshold, change_log <= -threshold], ["up", "down"], "little_change")


def relative_class(relative_log: np.ndarray, classes: ClassSettings) -> np.ndarray:
    """rose_relative, fell_relative or moved_with_england; shape (n,) in and out."""
    threshold = math.log1p(classes.relative_pct / 100) - classes.tolerance_log
    return np.select(
        [relative_log >= threshold, relative_log <= -threshold],
        ["rose_relative", "fell_relative"],
        "moved_with_england",
    )


def bucked(direction: str, moved: np.ndarray, relative: np.ndarray) -> list[bool | None]:
    """Whether each unit moved against England's direction and parted from it; None for all where there is none."""
    if direction == NO_CLEAR_DIRECTION:
        return [None] * len(moved)
    against = ("down", "fell_relative") if direction == "up" else ("up", "rose_relative")
    return [bool(own == against[0] and apart == against[1]) for own, apart in zip(moved, relative, strict=True)]


def changes(windows: list[WindowData], too_small: frozenset[str], classes: ClassSettings) -> pd.DataFrame:
    """The changes and classes of `main.five_year_change`: every unit of every window that is computed."""
    frames = [_window_changes(data, too_small, classes) for data in windows if data.not_computed is None]
    empty = pd.DataFrame(columns=main_tables.CHANGES.column_names)
    frames = [frame for frame in frames if len(frame)] or [empty]
    return conform(pd.concat(frames, ignore_index=True), main_tables.CHANGES)


def units_compared(data: WindowData, too_small: frozenset[str]) -> list[UnitEnds]:
    """The units of a window that are compared: published, not too small, numeric and above 0 at both ends."""
    return [
        ends for ends in included(data) if not set(ends.unit.end) & too_small and set(ends.unit.end) & data.published
    ]


def _window_changes(data: WindowData, too_small: frozenset[str], classes: ClassSettings) -> pd.DataFrame:
    units = units_compared(data, too_small)
    if not units:
        return pd.DataFrame()
    england = england_change(units)
    direction = england_direction(england, classes)
    counts = np.array([ends.looked_after for ends in units], dtype=float)
    populations = np.array([ends.population for ends in units], dtype=float)
    rates = 10_000 * counts / populations
    change_log = np.log(rates[:, 1] / rates[:, 0])
    relative_log = change_log - england.rate_log
    moved, relative = movement(change_log, classes), relative_class(relative_log, classes)
    is_flat = direction == NO_CLEAR_DIRECTION
    reason = NATIONAL_FLAT if is_flat else None
    return pd.DataFrame(
        {
            "window_id": data.window.window_id,
            "window_start": data.window.start,
            "window_end": data.window.end,
            "unit_id": [ends.unit.unit_id for ends in units],
            "unit_name": [ends.unit.name for ends in units],
            "members": ["+".join(ends.unit.members) for ends in units],
            "region": [ends.unit.region for ends in units],
            "looked_after_start": counts[:, 0],
            "looked_after_end": counts[:, 1],
            "population_start": populations[:, 0],
            "population_end": populations[:, 1],
            "rate_start": rates[:, 0],
            "rate_end": rates[:, 1],
            "change_log": change_log,
            "change_pct": 100 * np.expm1(change_log),
            "change_per_10k": rates[:, 1] - rates[:, 0],
            "england_change_pct": 100 * math.expm1(england.rate_log),
            "england_number_change_pct": 100 * math.expm1(england.number_log),
            "relative_change_log": relative_log,
            "relative_change_pct": 100 * np.expm1(relative_log),
            "england_direction": direction,
            "movement": moved,
            "relative": relative,
            "bucked": pd.array(bucked(direction, moved, relative), dtype="boolean"),
            "bucked_reason": reason,
            "population_vintage": data.window.vintage,
            "estimated_denominator": data.is_estimated,
            "release_start": data.releases[0],
            "release_end": data.releases[1],
            "mixed_release": data.releases[0] != data.releases[1],
            "reason": reason,
            "combination_reason": [ends.unit.reason for ends in units],
        }
    )


def window_summary(windows: list[WindowData], changes: pd.DataFrame, national: pd.DataFrame) -> pd.DataFrame:
    """`main.windows`: every window with England's change and how many units moved which way.

    `national` is `main.national_trend`, for the published England rows beside the pooled change.
    """
    published_rows = national.loc[(national["source"] == "published_row") & national["looked_after"].notna()]
    england_rows = {int(row.year): int(row.looked_after) for row in published_rows.itertuples()}
    rows = []
    for data in windows:
        own = changes.loc[changes["window_id"] == data.window.window_id]
        first = own.iloc[0] if len(own) else None
        published = [england_rows.get(year) for year in (data.window.start, data.window.end)]
        is_flat = first is not None and first["england_direction"] == NO_CLEAR_DIRECTION
        rows.append(
            {
                "window_id": data.window.window_id,
                "window_start": data.window.start,
                "window_end": data.window.end,
                "years": data.window.years,
                "population_vintage": data.window.vintage,
                "role": data.window.role,
                "is_computed": first is not None,
                "reason": None if first is not None else _why_not(data),
                "detail": None if first is not None else data.not_computed or "no unit has numbers at both ends",
                "estimated_denominator": data.is_estimated,
                "units": None if first is None else len(own),
                "units_down": None if first is None else int((own["movement"] == "down").sum()),
                "units_up": None if first is None else int((own["movement"] == "up").sum()),
                "units_bucking": None if first is None or is_flat else int(own["bucked"].sum()),
                "england_direction": None if first is None else first["england_direction"],
                "england_change_pct": None if first is None else first["england_change_pct"],
                "england_number_change_pct": None if first is None else first["england_number_change_pct"],
                "published_england_number_change_pct": _pct(published[0], published[1]),
            }
        )
    return conform(pd.DataFrame(rows), main_tables.WINDOWS)


def _why_not(data: WindowData) -> str:
    no_population = data.not_computed and "population" in data.not_computed
    return reasons.NO_DENOMINATOR if no_population else reasons.NOT_AVAILABLE


def _pct(before: int | None, after: int | None) -> float | None:
    return None if not before or after is None else 100 * (after / before - 1)
