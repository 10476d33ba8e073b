"""Whether other thresholds, years, measures or rules would flag the same units (methods.md C8).

What belongs here: the grid of all combinations of six settings, how many units of the primary window each flags, and how
far these are the ones that the reference flags. What does not: other ways to take the change of one unit (`alternates`)
and whether a rule flags too many (`null_calibration`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from pipeline import interactive_tool, limits, recent_trend, textbook_rules, trends, uasc_series, unit_series
from pipeline.alternates import is_there, together
from pipeline.geography import Areas, Unit
from pipeline.limits import Floats
from pipeline.null_calibration import is_outside_funnel
from pipeline.readers.layout import ENGLAND
from pipeline.reasons import BOTH_EMPTY, NO_DENOMINATOR, NOT_AVAILABLE, TOO_FEW_UNITS, UASC_NOT_AVAILABLE
from pipeline.settings import Settings
from pipeline.tables import evidence_tables
from pipeline.tables.frames import conform
from pipeline.textbook_rules import Flags
from pipeline.uasc import UASC
from pipeline.unit_series import LOOKED_AFTER, Cells, Reasons
from pipeline.volatility import Fit
from pipeline.windows import PRIMARY, WindowData

RATE, NUMBER = "rate", "number"
IN, OUT = "in", "out"
POOLED, PUBLISHED, MEDIAN = "pooled", "published", "median"
NONE, USUAL, FUNNEL, FINGERTIPS = "none", "rw", "funnel_od", "fingertips"
OUTCOMES, WITH_UASC, ENGLANDS = (RATE, NUMBER), (IN, OUT), (POOLED, PUBLISHED, MEDIAN)
RULES = (NONE, USUAL, FUNNEL, FINGERTIPS)


@dataclass(frozen=True)
class Grid:
    """The numbers of the primary window's units up to its end, and what England's own rows say.

    `units` in unit_id order; `counts`, `people` and `uasc` (point values) are sources by authority and year, `england` are
    published rows by (outcome or uasc, year), each a number or the reason why there is none.
    """

    units: tuple[Unit, ...]
    end: int
    areas: Areas
    counts: Cells
    people: Cells
    uasc: Cells
    england: dict[tuple[str, int], float | str]


@dataclass(frozen=True)
class Base:
    """Changes of one span, measure and choice about UASC: arrays over the units that have them.

    `at` are the places of these units among all; `counts` and `people` have shape (units, 2), people all 1 for a number.
    `reason` says why there are none.
    """

    years: int
    at: np.ndarray
    counts: Floats
    people: Floats
    reason: str | None

    @property
    def change_log(self) -> Floats:
        """D of each unit."""
        rates = np.log(self.counts / self.people)
        return rates[:, 1] - rates[:, 0]


def inputs(
    data: WindowData,
    looked_after: pd.DataFrame,
    totals: pd.DataFrame,
    population: pd.DataFrame,
    population_totals: pd.DataFrame,
    tool_totals: pd.DataFrame,
    panel: pd.DataFrame,
    areas: Areas,
) -> Grid:
    """From the primary window, the core tables, their England rows, and `main.care_numbers` (for UASC)."""
    units = sorted((ends.unit for ends in trends.units_compared(data, areas.too_small)), key=lambda unit: unit.unit_id)
    counts = unit_series.newest(looked_after)
    vintage = data.window.vintage
    return Grid(
        units=tuple(units),
        end=data.window.end,
        areas=areas,
        counts=counts,
        people=unit_series.populations(population, vintage),
        uasc=uasc_series.cells(panel).point,
        england={
            **_england_counts(totals, counts),
            **_england_people(population_totals, vintage),
            **_england_uasc(tool_totals),
        },
    )


def _england_counts(totals: pd.DataFrame, counts: Cells) -> dict[tuple[str, int], float | str]:
    """England's row of each year in the release that the authorities' counts are from."""
    rows = totals.loc[(totals["area_level"] == ENGLAND) & (totals["measure"] == LOOKED_AFTER)]
    rows = rows.loc[rows["release"] == rows["year"].map(counts.releases)]
    return _cells(NUMBER, rows["year"], rows["value"], rows["marker_meaning"].fillna(NOT_AVAILABLE))


def _england_people(totals: pd.DataFrame, vintage: str) -> dict[tuple[str, int], float | str]:
    rows = totals.loc[(totals["area_level"] == ENGLAND) & (totals["vintage"] == vintage)]
    reasons = pd.Series(NO_DENOMINATOR, index=rows.index)
    return _cells(RATE, rows["year"], rows["population_0_17"], reasons)


def _england_uasc(totals: pd.DataFrame) -> dict[tuple[str, int], float | str]:
    rows = interactive_tool.newest_edition(totals.loc[(totals["area_level"] == ENGLAND) & (totals["measure"] == UASC)])
    return _cells(UASC, rows["year"], rows["value"], rows["reason"].fillna(NOT_AVAILABLE))


def _cells(name: str, years: pd.Series, values: pd.Series, reasons: pd.Series) -> dict[tuple[str, int], float | str]:
    return {
        (name, int(year)): str(reason) if pd.isna(value) else float(value)
        for year, value, reason in zip(years, values, reasons, strict=True)
    }


# ---------------------------------------------------------------------------------------------------------------------
# The grid


def flag_sensitivity(found: Grid, usual: Fit, settings: Settings) -> pd.DataFrame:
    """`main.flag_sensitivity`: one row a combination, always all of them; without units they are not available."""
    flagged = dict(_all_flags(found, usual, settings)) if found.units else {}
    reference = flagged.get(reference_key(settings), Flagged(reason=NOT_AVAILABLE))
    rows = []
    for key in keys(settings):
        cell = flagged.get(key, Flagged(reason=NOT_AVAILABLE))
        overlap, why = jaccard(cell, reference)
        is_there = cell.reason is None
        rows.append(
            {
                **dict(zip(_SETTINGS, key, strict=True)),
                "window_start": found.end - key[1],
                "window_end": found.end,
                "n_units": len(cell.units) if is_there else None,
                "n_fell": len(cell.fell) if is_there else None,
                "n_rose": len(cell.rose) if is_there else None,
                "n_flagged": len(cell.flagged) if is_there else None,
                "jaccard_with_reference": overlap,
                "is_reference": key == reference_key(settings),
                "reason": cell.reason or why,
            }
        )
    return conform(pd.DataFrame(rows), evidence_tables.FLAG_SENSITIVITY)


_SETTINGS = ("magnitude_pct", "years", "outcome", "uasc", "england", "evidence_rule")
Key = tuple[float, int, str, str, str, str]


@dataclass(frozen=True)
class Flagged:
    """The units of one cell: all that it could judge, those flagged after a fall and after a rise against England.

    `reason` says why the cell could not be computed.
    """

    units: frozenset[int] = frozenset()
    fell: frozenset[int] = frozenset()
    rose: frozenset[int] = frozenset()
    reason: str | None = None

    @property
    def flagged(self) -> frozenset[int]:
        """Fell or rose."""
        return self.fell | self.rose


def keys(settings: Settings) -> list[Key]:
    """All combinations of the six settings."""
    chosen = settings.sensitivity
    return list(product(chosen.magnitudes_pct, chosen.window_years, OUTCOMES, WITH_UASC, ENGLANDS, RULES))


def reference_key(settings: Settings) -> Key:
    """The combination that is nearest to what the project publishes."""
    return (settings.classes.relative_pct, settings.windows.years, RATE, IN, POOLED, USUAL)


def jaccard(cell: Flagged, reference: Flagged) -> tuple[float, str | None]:
    """Flagged by both over flagged by either; NaN with a reason where one is not computed or neither flags any."""
    reason = cell.reason or reference.reason
    if reason:
        return math.nan, reason
    either = cell.flagged | reference.flagged
    if not either:
        return math.nan, BOTH_EMPTY
    return len(cell.flagged & reference.flagged) / len(either), None


def _all_flags(found: Grid, usual: Fit, settings: Settings) -> Iterator[tuple[Key, Flagged]]:
    for outcome, uasc in product(OUTCOMES, WITH_UASC):
        marked = _marked(found, outcome, uasc, settings)
        for years in settings.sensitivity.window_years:
            base = _base(found, years, outcome, uasc)
            for england in ENGLANDS:
                relative, reason = _relative(found, base, outcome, uasc, england)
                for rule in RULES:
                    holds, judged, why = _rule(rule, base, relative, marked, usual, settings)
                    for magnitude in settings.sensitivity.magnitudes_pct:
                        key = (magnitude, years, outcome, uasc, england, rule)
                        yield key, _flagged(base, relative, holds, judged, magnitude, reason or why, settings)


def _base(found: Grid, years: int, outcome: str, uasc: str) -> Base:
    ends = (found.end - years, found.end)
    counts, reasons = _counts(found, ends, uasc)
    people = unit_series.of_units(found.units, ends, found.people, found.areas)
    numbers = together((counts, reasons), (people.numbers, people.reasons) if outcome == RATE else None)
    at = np.flatnonzero(is_there(numbers.reasons))
    reason = None if len(at) else str(numbers.reasons[0]) if len(numbers.reasons) else NOT_AVAILABLE
    return Base(years, at, numbers.counts[at], numbers.people[at], reason)


def _counts(found: Grid, years: tuple[int, ...], uasc: str) -> tuple[Floats, Reasons]:
    """Counts, or counts without the point values of UASC."""
    stock = unit_series.of_units(found.units, years, found.counts, found.areas)
    if uasc == IN:
        return stock.numbers, stock.reasons
    points = unit_series.of_units(found.units, years, found.uasc, found.areas)
    return stock.numbers - points.numbers, np.where(is_there(stock.reasons), points.reasons, stock.reasons)


def _relative(found: Grid, base: Base, outcome: str, uasc: str, england: str) -> tuple[Floats, str | None]:
    """Changes less one of three Englands, and why there is none."""
    change = base.change_log
    if base.reason:
        return change, base.reason
    if england == MEDIAN:
        return change - np.median(change), None
    if england == POOLED:
        first, last = unit_series.england_log_rate(base.counts, base.people)
        return change - (last - first), None
    own = [_published(found, year, outcome, uasc) for year in (found.end - base.years, found.end)]
    reason = next((one for one in own if isinstance(one, str)), None)
    if reason:
        return change, reason
    first, last = (float(one) for one in own)
    return change - (math.log(last) - math.log(first)), None


def _published(found: Grid, year: int, outcome: str, uasc: str) -> float | str:
    """England's published number or rate (per child) of a year, or why there is none."""
    count = found.england.get((NUMBER, year), NOT_AVAILABLE)
    less = found.england.get((UASC, year), UASC_NOT_AVAILABLE) if uasc == OUT else 0.0
    people = found.england.get((RATE, year), NO_DENOMINATOR) if outcome == RATE else 1.0
    for one in (count, less, people):
        if isinstance(one, str):
            return one
    return (float(count) - float(less)) / float(people)


def _rule(
    rule: str, base: Base, relative: Floats, marked: tuple[Flags, Flags], usual: Fit, settings: Settings
) -> tuple[Flags, Flags, str | None]:
    """Whether the rule holds for each unit, whether it can be applied to it, and why it cannot be applied to any."""
    all_of_them = np.ones(len(relative), dtype=bool)
    if rule == USUAL:
        if usual.reason:
            return all_of_them, all_of_them, usual.reason
        z = relative / np.sqrt(usual.variance(base.counts.mean(axis=1), base.years))
        return np.abs(z) >= settings.evidence.unusual_z, all_of_them, None
    if rule == FUNNEL:
        if len(relative) < settings.evidence.min_units:
            return all_of_them, all_of_them, TOO_FEW_UNITS
        return is_outside_funnel(relative, base.counts[:, 0], base.counts[:, 1], settings), all_of_them, None
    if rule == FINGERTIPS:
        holds, judged = marked[0][base.at], marked[1][base.at]
        return holds, judged, None if judged.any() else NOT_AVAILABLE
    return all_of_them, all_of_them, None


def _marked(found: Grid, outcome: str, uasc: str, settings: Settings) -> tuple[Flags, Flags]:
    """Whether each unit's recent trend is marked, and whether it has one: always the last years up to the end."""
    chosen = settings.evidence
    years = tuple(range(found.end - chosen.trend_points + 1, found.end + 1))
    counts, _ = _counts(found, years, uasc)
    counts = np.where(counts >= 0, counts, np.nan)
    people = np.ones_like(counts)
    if outcome == RATE:
        people = unit_series.of_units(found.units, years, found.people, found.areas).numbers
    low, high = limits.rate_limits(counts, people, chosen.limits_confidence)
    rates = 10_000 * counts / np.where(people > 0, people, np.nan)
    markers, _ = recent_trend.of_units(years, rates, low, high, chosen.trend_confidence)
    words = np.array(markers, dtype=str)
    is_marked = np.isin(words, (recent_trend.INCREASING, recent_trend.DECREASING))
    return is_marked, words != recent_trend.NO_MARKER


def _flagged(
    base: Base,
    relative: Floats,
    holds: Flags,
    judged: Flags,
    magnitude: float,
    reason: str | None,
    settings: Settings,
) -> Flagged:
    if reason:
        return Flagged(reason=reason)
    flagged = textbook_rules.is_apart(relative, magnitude, settings.classes.tolerance_log) & holds

    def places(chosen: Flags) -> frozenset[int]:
        return frozenset(base.at[chosen].tolist())

    return Flagged(places(judged), places(flagged & (relative < 0)), places(flagged & (relative > 0)))


def primary(data: list[WindowData]) -> WindowData:
    """The primary window, computed or not."""
    return next(one for one in data if one.window.role == PRIMARY)
