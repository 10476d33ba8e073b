"""Eight other ways to take the same change, to see whether a unit's class depends on the choice (methods.md C7).

What belongs here: the change and classes of every unit under other years, another measure, other counts or without
unaccompanied asylum-seeking children (UASC), and how many of them agree. What does not: the primary change (`trends`),
how unusual it is (`evidence`), and other thresholds (`sensitivity`).

Every alternate is about the units of the window. A unit without the numbers is unavailable, with the reason, and is left
out of that alternate's England.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import interactive_tool, trends, uasc_series, unit_series
from pipeline.evidence import robust
from pipeline.geography import Areas, Unit
from pipeline.limits import Floats
from pipeline.readers.population_dfe import PRE_CENSUS, REBASED
from pipeline.reasons import NOT_APPLICABLE, NOT_AVAILABLE, UASC_BOUNDS_DISAGREE, ZERO_COUNT
from pipeline.settings import ClassSettings, EvidenceSettings, WindowSettings
from pipeline.tables import evidence_tables
from pipeline.tables.frames import conform, empty, of_one_text, stacked
from pipeline.uasc_series import UascCells
from pipeline.unit_series import Cells, Reasons
from pipeline.windows import Window, WindowData

OTHER_LENGTH, YEAR_EARLIER, TWO_YEAR_MEANS, MEDIAN_SLOPE = (
    "other_length",
    "year_earlier",
    "two_year_means",
    "median_slope",
)
EXCLUDING_UASC, NUMBER, OLDER_COUNTS, STARTS = "excluding_uasc", "number", "older_counts", "starts"
NAMES = (OTHER_LENGTH, YEAR_EARLIER, TWO_YEAR_MEANS, MEDIAN_SLOPE, EXCLUDING_UASC, NUMBER, OLDER_COUNTS, STARTS)

STARTED = "started"

_TEXTS_OF_THE_UNIT = ("window_id", "unit_id", "unit_name")
_OF_THE_UNIT = (*_TEXTS_OF_THE_UNIT, "window_start", "window_end")

Change = Callable[[Floats], Floats]  # log rates of shape (..., years) to changes (...)


@dataclass(frozen=True)
class Sources:
    """Where the numbers of all windows come from, by authority and year.

    `older` has of each year the release before the newest, and before the long layout the interactive tool's figure.
    """

    looked_after: Cells
    started: Cells
    older: tuple[Cells, ...]
    uasc: UascCells
    populations: dict[str, Cells]


@dataclass(frozen=True)
class Numbers:
    """Counts and populations of units in some years, shape (units, years); `reasons` says what is missing, (units,).

    A unit with a reason is unavailable. Without populations (`people` all 1) a rate is a number.
    """

    counts: Floats
    people: Floats
    reasons: Reasons


@dataclass(frozen=True)
class Alternate:
    """One alternate of all units of a window: changes as log ratios, NaN with a reason where unavailable; shape (units,).

    `low` and `high` are the changes at the bounds of marked cells, `is_unsure` whether a bound may not hold; None where
    the alternate has no bounds.
    """

    change_log: Floats
    england_log: float
    reasons: Reasons
    low: Floats | None = None
    high: Floats | None = None
    is_unsure: npt.NDArray[np.bool_] | None = None


def sources(
    looked_after: pd.DataFrame, population: pd.DataFrame, tool: pd.DataFrame, panel: pd.DataFrame, first_long_year: int
) -> Sources:
    """From the core tables, `core.interactive_tool` and `main.care_numbers`.

    `first_long_year` is the first reporting year that later releases repeat; before it each year has one release.
    """
    return Sources(
        looked_after=unit_series.newest(looked_after),
        started=unit_series.newest(looked_after, STARTED),
        older=(unit_series.next_older(looked_after), _tool_counts(tool, first_long_year)),
        uasc=uasc_series.cells(panel),
        populations={vintage: unit_series.populations(population, vintage) for vintage in (REBASED, PRE_CENSUS)},
    )


def _tool_counts(tool: pd.DataFrame, before: int) -> Cells:
    rows = tool.loc[(tool["measure"] == unit_series.LOOKED_AFTER) & (tool["year"] < before)]
    rows = interactive_tool.newest_edition(rows)
    return unit_series.cells(rows["la_code"], rows["year"], rows["value"], rows["reason"], no_row=NOT_AVAILABLE)


# ---------------------------------------------------------------------------------------------------------------------
# Numbers, and the changes that are made of them


class UnitNumbers:
    """The numbers of one window's units, year by year, in the window's vintage; shape (units, years) each."""

    def __init__(self, units: Sequence[Unit], vintage: str, found: Sources, areas: Areas) -> None:
        self._units, self._areas, self._sources = units, areas, found
        self._people = found.populations[vintage]

    def of(self, years: Sequence[int], source: Cells) -> tuple[Floats, Reasons]:
        """One source's numbers and the reasons for what is missing, shape (units, years) each."""
        series = unit_series.of_units(self._units, years, source, self._areas)
        return series.numbers, series.reasons

    def rates(self, years: Sequence[int], source: Cells) -> Numbers:
        """Counts of one source over the populations of the vintage."""
        return together(self.of(years, source), self.of(years, self._people))

    def people(self, years: Sequence[int]) -> tuple[Floats, Reasons]:
        """Populations of the vintage, shape (units, years), and the reasons for what is missing."""
        return self.of(years, self._people)

    def older(self, years: Sequence[int]) -> Numbers | None:
        """Counts of another source in every year that has one, and of the newest release elsewhere; None without any."""
        choices = [
            next((cells for cells in self._sources.older if year in cells.years), self._sources.looked_after)
            for year in years
        ]
        if all(cells is self._sources.looked_after for cells in choices):
            return None
        columns = [self.of((year,), cells) for year, cells in zip(years, choices, strict=True)]
        counts, reasons = (np.concatenate(parts, axis=1) for parts in zip(*columns, strict=True))
        return together((counts, reasons), self.people(years))


def together(counts: tuple[Floats, Reasons], people: tuple[Floats, Reasons] | None = None) -> Numbers:
    """Numbers with the first reason of each unit: counts before populations, in the order of the years."""
    children = people[0] if people else np.ones_like(counts[0])
    numbers = np.concatenate([counts[0], children], axis=1)
    why = np.concatenate([counts[1], people[1] if people else np.full(counts[0].shape, None, dtype=object)], axis=1)
    bad = ~(numbers > 0)
    first = bad.argmax(axis=1)
    rows = np.arange(len(numbers))
    # A number without a reason that is not above 0 is a published 0, which has no logarithm.
    reasons = np.where(is_there(why[rows, first]), ZERO_COUNT, why[rows, first])
    reasons[~bad[rows, first]] = None
    return Numbers(counts[0], children, reasons)


def is_there(reasons: Reasons) -> npt.NDArray[np.bool_]:
    """Where nothing is missing: the places without a reason; shape as given."""
    return np.array([reason is None for reason in reasons.flat], dtype=bool).reshape(reasons.shape)


def from_start_to_end(log_rates: Floats) -> Floats:
    """L of the last year less L of the first; shape (...,) from (..., years)."""
    return log_rates[..., -1] - log_rates[..., 0]


def between_two_year_means(log_rates: Floats) -> Floats:
    """Mean of the last two L less mean of the first two; shape (...,) from (..., years)."""
    return (log_rates[..., -2] + log_rates[..., -1] - log_rates[..., 0] - log_rates[..., 1]) / 2


def along_median_slope(log_rates: Floats) -> Floats:
    """Theil-Sen: the median slope of all pairs of years, times the yearly steps; shape (...,) from (..., years)."""
    years = log_rates.shape[-1]
    slopes = [(log_rates[..., j] - log_rates[..., i]) / (j - i) for i, j in combinations(range(years), 2)]
    changes: Floats = (years - 1) * np.median(np.stack(slopes, axis=-1), axis=-1)
    return changes


def alternate(numbers: Numbers, change: Change) -> Alternate:
    """The change of each available unit and of England, which is pooled over them; all NaN where none is available."""
    there = is_there(numbers.reasons)
    changes = np.full(len(there), np.nan)
    if not there.any():
        return Alternate(changes, np.nan, numbers.reasons)
    counts, people = numbers.counts[there], numbers.people[there]
    changes[there] = change(np.log(counts / people))
    return Alternate(changes, float(change(unit_series.england_log_rate(counts, people))), numbers.reasons)


def without_uasc(
    looked_after: tuple[Floats, Reasons],
    people: tuple[Floats, Reasons],
    low: Floats,
    high: Floats,
    point: tuple[Floats, Reasons],
    unsure: Floats,
) -> Alternate:
    """The change without UASC at their point values, with the changes at the bounds (B10).

    At the lowest, the fewest are left at the end and the most at the start. England is the one of the point values.
    """
    counts, reasons = looked_after
    left = (counts - point[0], np.where(is_there(reasons), point[1], reasons))
    found = alternate(together(left, people), from_start_to_end)
    there = ~np.isnan(found.change_log)
    fewest, most = np.maximum(counts - high, 0.0)[there], (counts - low)[there]
    grown = np.log(people[0][there, -1] / people[0][there, 0])
    lowest, highest = np.full(len(there), np.nan), np.full(len(there), np.nan)
    with np.errstate(divide="ignore"):  # none left at a bound: the change is without limit on that side
        lowest[there] = np.log(fewest[:, -1]) - np.log(most[:, 0]) - grown
        highest[there] = np.log(most[:, -1]) - np.log(fewest[:, 0]) - grown
    is_unsure = np.any(unsure > 0, axis=1)
    return Alternate(found.change_log, found.england_log, found.reasons, lowest, highest, is_unsure)


def of_window(window: Window, numbers: UnitNumbers, found: Sources, windows: WindowSettings) -> dict[str, Alternate]:
    """All eight alternates of the units of one window, by name in the order of their numbers."""
    start, end = window.start, window.end
    ends, years = (start, end), range(start, end + 1)
    other = windows.alternate_years if window.years == windows.years else windows.years
    stock = found.looked_after
    around = sorted({start, start + 1, end - 1, end})
    older = numbers.older(ends)
    uasc = found.uasc
    return {
        OTHER_LENGTH: alternate(numbers.rates((end - other, end), stock), from_start_to_end),
        YEAR_EARLIER: alternate(numbers.rates((start - 1, end - 1), stock), from_start_to_end),
        TWO_YEAR_MEANS: alternate(numbers.rates(around, stock), between_two_year_means),
        MEDIAN_SLOPE: alternate(numbers.rates(years, stock), along_median_slope),
        EXCLUDING_UASC: without_uasc(
            numbers.of(ends, stock),
            numbers.people(ends),
            numbers.of(ends, uasc.low)[0],
            numbers.of(ends, uasc.high)[0],
            numbers.of(ends, uasc.point),
            numbers.of(ends, uasc.unsure)[0],
        ),
        NUMBER: alternate(together(numbers.of(ends, stock)), from_start_to_end),
        OLDER_COUNTS: alternate(older, from_start_to_end) if older else _nothing_changes(numbers, stock, ends),
        STARTS: alternate(numbers.rates(ends, found.started), from_start_to_end),
    }


def _nothing_changes(numbers: UnitNumbers, stock: Cells, ends: Sequence[int]) -> Alternate:
    n = len(numbers.of(ends, stock)[0])
    return Alternate(np.full(n, np.nan), np.nan, np.full(n, NOT_AVAILABLE, dtype=object))


# ---------------------------------------------------------------------------------------------------------------------
# The published table


def five_year_change_alternates(
    changes: pd.DataFrame,
    data: Sequence[WindowData],
    found: Sources,
    areas: Areas,
    classes: ClassSettings,
    windows: WindowSettings,
) -> pd.DataFrame:
    """`main.five_year_change_alternates`: every unit of every window under each of the eight alternates.

    `changes` are rows of `main.five_year_change` with the primary classes, `data` the windows they were made from.
    """
    of_window_id = {one.window.window_id: one for one in data}
    frames = []
    for window_id, units in changes.groupby("window_id", sort=False):
        own = of_window_id[str(window_id)]
        unit_of = {ends.unit.unit_id: ends.unit for ends in own.units}
        kept_once = units.assign(**{name: pd.Categorical(units[name]) for name in _TEXTS_OF_THE_UNIT})
        numbers = UnitNumbers([unit_of[unit_id] for unit_id in units["unit_id"]], own.window.vintage, found, areas)
        for alt_id, (name, one) in enumerate(of_window(own.window, numbers, found, windows).items(), start=1):
            named = of_one_text(name, len(units))
            frames.append(_frame(kept_once, one, classes).assign(alt_id=alt_id, alternate=named))
    table = evidence_tables.FIVE_YEAR_CHANGE_ALTERNATES
    return conform(stacked(frames), table) if frames else empty(table)


def _frame(units: pd.DataFrame, one: Alternate, classes: ClassSettings) -> pd.DataFrame:
    """One alternate beside the primary classes of the same units."""
    relative_log = one.change_log - one.england_log
    moved, apart = _classes(one.change_log, one.england_log, classes)
    reasons = one.reasons.copy()
    if one.low is not None and one.high is not None:
        at_low, at_high = (_classes(bound, one.england_log, classes) for bound in (one.low, one.high))
        agree = (at_low[0] == at_high[0]) & (at_low[1] == at_high[1])
        reasons[is_there(reasons) & ~agree] = UASC_BOUNDS_DISAGREE
    available = is_there(reasons)
    agrees = (moved == units["movement"].to_numpy(str)) & (apart == units["relative"].to_numpy(str))
    return pd.DataFrame(
        {
            **{name: units[name].array for name in _OF_THE_UNIT},
            "change_log": one.change_log,
            "england_change_log": one.england_log,
            "relative_change_log": relative_log,
            "movement": pd.Categorical(pd.array(moved, dtype="string")),
            "relative": pd.Categorical(pd.array(apart, dtype="string")),
            "available": available,
            "agrees": pd.array(agrees, dtype="boolean"),
            "reason": pd.Categorical(pd.array(reasons, dtype="string")),
            **_bounds(one),
        }
    ).pipe(_blank_unavailable, available)


def _classes(change_log: Floats, england_log: float, classes: ClassSettings) -> tuple[np.ndarray, np.ndarray]:
    return trends.movement(change_log, classes), trends.relative_class(change_log - england_log, classes)


def _blank_unavailable(frame: pd.DataFrame, available: np.ndarray) -> pd.DataFrame:
    for column in ("movement", "relative", "agrees"):
        frame[column] = frame[column].where(available)
    return frame


def _bounds(one: Alternate) -> dict[str, object]:
    """Changes at the bounds; where nothing is left at a bound the change has no limit on that side, and no number."""
    if one.low is None or one.high is None or one.is_unsure is None:
        return {"change_low_log": np.nan, "change_high_log": np.nan,
                "uasc_bound_unsure": pd.array([pd.NA], dtype="boolean").repeat(len(one.change_log)),
                "bounds_reason": of_one_text(NOT_APPLICABLE, len(one.change_log))}  # fmt: skip
    there = ~np.isnan(one.change_log)
    whole = np.isfinite(one.low) & np.isfinite(one.high)
    reasons = np.where(there & ~whole, ZERO_COUNT, one.reasons)
    return {
        "change_low_log": np.where(whole, one.low, np.nan),
        "change_high_log": np.where(whole, one.high, np.nan),
        "uasc_bound_unsure": pd.Series(one.is_unsure, dtype="boolean").where(there).array,
        "bounds_reason": pd.Categorical(pd.array(reasons, dtype="string")),
    }


def agreement(changes: pd.DataFrame, alternates: pd.DataFrame, settings: EvidenceSettings) -> pd.DataFrame:
    """The four columns that the alternates add to `main.five_year_change`, with the index of `changes`."""
    keys = ["window_id", "unit_id"]
    counted = alternates.groupby(keys)[["available", "agrees"]].sum()
    counted.index = counted.index.set_levels([level.astype("string") for level in counted.index.levels])
    own = changes[keys].join(counted, on=keys)
    available, agreeing = own["available"].astype("Int64"), own["agrees"].astype("Int64")
    is_robust, reason = robust(available, agreeing, settings)
    return pd.DataFrame(
        {
            "alternates_available": available,
            "alternates_agreeing": agreeing,
            "is_robust": is_robust,
            "robust_reason": reason,
        },
        index=changes.index,
    )
