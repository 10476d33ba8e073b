"""What might go with a change: every covariate of every unit of every window, as of its day (methods.md D3).

What belongs here: which value a unit gets, on what day it was known, and why it has none. What does not: the inputs
(`deprivation`, `inspections`, `innovation_programme`), the choice of terms for a model, and any estimate.

Nothing that was published or had begun after a window's start may enter that window's primary model. Variables that look
into the window are there under names and a flag of their own (`is_post_baseline`).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline import deprivation, geography, innovation_programme, inspections, reasons
from pipeline.deprivation import MeasureYears
from pipeline.geography import Areas, Unit
from pipeline.innovation_programme import BY_START, EVER, PROGRAMMES, Rule
from pipeline.readers.judgements import GRADES, ILACS
from pipeline.tables import covariate_tables
from pipeline.tables.frames import conform, empty, of_one_text, pivoted, stacked
from pipeline.trends import units_compared
from pipeline.windows import STUDY, UnitEnds, WindowData

NO_EXPOSURE, NO_JUDGEMENT = reasons.NO_EXPOSURE, reasons.NO_JUDGEMENT_IN_FORCE

DEPRIVATION_CHANGE, DEPRIVATION_LEVEL = "deprivation_change", "deprivation_level"
DEPRIVATION_CHANGE_RELATIVE = "deprivation_change_relative"
FREE_MEALS_CHANGE, FREE_MEALS_LEVEL = "free_school_meals_change", "free_school_meals_level"
INNOVATION = "innovation_programme"
OFSTED_GOOD = "ofsted_good"
BASELINE = "baseline_log_rate"

_SIF_OR_ILACS = "overall judgement, single inspection or ILACS"
_SLAC = "worse of the two SLAC grades; its 'adequate' is shown as 'requires improvement to be good'"
_GOOD_OR_BETTER = GRADES[:2]  # Outstanding, Good
_INADEQUATE = GRADES[-1]
_FEWEST_FOR_R = 3  # two points always lie on a line
# The value of a grade on the score: 4 for Outstanding down to 1 for Inadequate.
_SCORE = {grade: len(GRADES) - place for place, grade in enumerate(GRADES)}


class Value(NamedTuple):
    """One covariate of one unit: a value, or the reason why there is none."""

    value: float | None
    reason: str | None
    as_of: dt.date | None


class Covariate(NamedTuple):
    """One covariate of all units of a window, in their order.

    `measure` says what is measured, in words; `sources` are the hashes of the files it rests on.
    """

    variable: str
    measure: str
    is_post_baseline: bool
    per_unit: list[Value]
    sources: frozenset[str]


@dataclass(frozen=True)
class Inputs:
    """The core tables that covariates are made from; any of them may be empty."""

    deprivation: pd.DataFrame
    inspections: pd.DataFrame
    programme: pd.DataFrame
    areas: Areas
    shares: Mapping[tuple[str, str], float]


def exposures(windows: Iterable[WindowData], inputs: Inputs) -> pd.DataFrame:
    """`main.exposures`: one row a window, unit and variable; a missing value has its reason."""
    found = [_of_window(data, inputs) for data in windows if data.not_computed is None]
    table = covariate_tables.EXPOSURES
    frames = [frame for frame in found if frame is not None]
    return conform(stacked(frames), table) if frames else empty(table)


def wide(exposures_of_window: pd.DataFrame) -> pd.DataFrame:
    """The rows of one window as a frame of values: a row a unit_id, a column a variable."""
    return pivoted(exposures_of_window, "variable", "value")


def _of_window(data: WindowData, inputs: Inputs) -> pd.DataFrame | None:
    """A row a variable and unit of one window; None where no unit is compared."""
    ends = units_compared(data, inputs.areas.too_small)
    ids = pd.Categorical([one.unit.unit_id for one in ends])
    names = pd.Categorical([one.unit.name for one in ends])
    frames = [_frame(one, ids, names) for one in _covariates(data, ends, inputs)] if ends else []
    if not frames:
        return None
    window = data.window
    return stacked(frames).assign(
        window_id=of_one_text(window.window_id, len(ends) * len(frames)),
        window_start=window.start,
        window_end=window.end,
    )


def _frame(covariate: Covariate, ids: pd.Categorical, names: pd.Categorical) -> pd.DataFrame:
    """A row a unit."""
    values, reasons, days = zip(*covariate.per_unit, strict=True)
    return pd.DataFrame(
        {
            "unit_id": ids,
            "unit_name": names,
            "value": np.array(values, dtype=float),
            "reason": pd.Categorical(pd.array(reasons, dtype="string")),
            "as_of": np.array(days, dtype=object),
            "variable": of_one_text(covariate.variable, len(ids)),
            "measure": of_one_text(covariate.measure, len(ids)),
            "is_post_baseline": covariate.is_post_baseline,
            "source_sha256": of_one_text(" ".join(sorted(covariate.sources)) or None, len(ids)),
        }
    )


def _covariates(data: WindowData, ends: Sequence[UnitEnds], inputs: Inputs) -> Iterator[Covariate]:
    units = [one.unit for one in ends]
    yield from _shares_of_children(data, units, inputs)
    yield from _judgements(data, units, inputs)
    yield from _participation(data, units, inputs)
    yield _baseline(data, ends)


# ---------------------------------------------------------------------------------------------------------------------
# Deprivation


def _shares_of_children(data: WindowData, units: Sequence[Unit], inputs: Inputs) -> Iterator[Covariate]:
    level, change = _level_and_change(deprivation.measure_for(data.window), units, inputs)
    yield level._replace(variable=DEPRIVATION_LEVEL)
    yield change._replace(variable=DEPRIVATION_CHANGE)
    yield _less_the_mean(change)._replace(variable=DEPRIVATION_CHANGE_RELATIVE)
    level, change = _level_and_change(deprivation.second_measure_for(data.window), units, inputs)
    yield level._replace(variable=FREE_MEALS_LEVEL)
    yield change._replace(variable=FREE_MEALS_CHANGE)


def _level_and_change(
    measure: MeasureYears | None, units: Sequence[Unit], inputs: Inputs
) -> tuple[Covariate, Covariate]:
    """Level at the start and change in percentage points, both within one measure and one basis."""
    if measure is None:
        nothing = Covariate("", "", False, [Value(None, NO_EXPOSURE, None)] * len(units), frozenset())
        return nothing, nothing
    name, basis, start, end = measure
    days = [deprivation.as_of(name, year) for year in (start, end)]
    cells = [deprivation.cells_of(inputs.deprivation, name, basis, year) for year in (start, end)]
    levels, changes = [], []
    for unit in units:
        before, after = (deprivation.value_of_unit(own, unit, inputs.shares) for own in cells)
        levels.append(Value(before.value, _or_none_at_all(before.reason, cells[0]), days[0]))
        if before.value is None or after.value is None:
            reason = _or_none_at_all(before.reason, cells[0]) or _or_none_at_all(after.reason, cells[1])
            changes.append(Value(None, reason, days[1]))
        else:
            changes.append(Value(after.value - before.value, None, days[1]))
    label = f"{name} ({basis}), {start}"
    sources = [_sources(inputs.deprivation, name, basis, year) for year in (start, end)]
    return (
        Covariate("", label, False, levels, sources[0]),
        Covariate("", f"{label} to {end}", False, changes, sources[0] | sources[1]),
    )


def _or_none_at_all(reason: str | None, cells: Mapping[str, object]) -> str | None:
    """A measure without any figure for the year is no exposure; a gap in it keeps its own reason."""
    return reason if cells or reason is None else NO_EXPOSURE


def _less_the_mean(covariate: Covariate) -> Covariate:
    """The change less the mean over the units: the national movement of a measure is that of its rules as well."""
    known = [one.value for one in covariate.per_unit if one.value is not None]
    mean = float(np.mean(known)) if known else 0.0
    values = [one._replace(value=None if one.value is None else one.value - mean) for one in covariate.per_unit]
    label = f"{covariate.measure}, less the mean of the units" if covariate.measure else ""
    return covariate._replace(per_unit=values, measure=label)


def _sources(frame: pd.DataFrame, measure: str, basis: str, year: int) -> frozenset[str]:
    own = frame.loc[(frame["measure"] == measure) & (frame["basis"] == basis) & (frame["year"] == year)]
    return frozenset(sha for joined in own["source_sha256"].unique() for sha in joined.split(" "))


# ---------------------------------------------------------------------------------------------------------------------
# Judgements


def _judgements(data: WindowData, units: Sequence[Unit], inputs: Inputs) -> Iterator[Covariate]:
    """The judgement in force at the start in its codings, and, flagged, the one in force at the end.

    A unit with one authority at the day takes that authority's; one with several has no judgement of its own, and the
    alternate that takes the lowest of theirs.
    """
    start, end = (geography.stock_day(year) for year in (data.window.start, data.window.end))
    overall = _overall_in_force(inputs.inspections, start)
    slac = _slac_in_force(inputs.inspections, start)
    is_study = data.window.role == STUDY
    at_start = slac if is_study else overall
    label = _SLAC if is_study else _SIF_OR_ILACS
    sources = frozenset(inputs.inspections["source_sha256"].unique())

    def covariate(
        variable: str, values: list[Value], measure: str = label, *, is_post_baseline: bool = False
    ) -> Covariate:
        return Covariate(variable, measure, is_post_baseline, values, sources)

    own = [_own_grade(at_start, unit.start, start) for unit in units]
    yield covariate(OFSTED_GOOD, [_coded(one, _is_good) for one in own])
    yield covariate("ofsted_not_inadequate", [_coded(one, _is_not_inadequate) for one in own])
    yield covariate("ofsted_score", [_coded(one, _SCORE.__getitem__) for one in own])
    yield covariate("ofsted_is_ilacs", [_framework(one) for one in own])
    lowest = [_lowest_grade(at_start, unit.start, start) for unit in units]
    yield covariate("ofsted_good_lowest_of_several", [_coded(one, _is_good) for one in lowest])
    by_slac = [_own_grade(slac, unit.start, start) for unit in units]
    yield covariate("ofsted_good_slac", [_coded(one, _is_good) for one in by_slac], _SLAC)
    later = _overall_in_force(inputs.inspections, end)
    at_end = [_own_grade(later, unit.end, end) for unit in units]
    in_window = [_coded(one, _is_good) for one in at_end]
    yield covariate("ofsted_good_at_end", in_window, f"{_SIF_OR_ILACS}; may follow the change", is_post_baseline=True)


class _Grade(NamedTuple):
    grade: str | None
    framework: str | None
    published: dt.date | None
    reason: str | None = None


def _overall_in_force(frame: pd.DataFrame, day: dt.date) -> dict[str, _Grade]:
    return {
        row.la_code: _Grade(row.overall, row.framework, row.publication_date)
        for row in inspections.in_force(frame, day).itertuples()
    }


def _slac_in_force(frame: pd.DataFrame, day: dt.date) -> dict[str, _Grade]:
    found = inspections.slac_worse_in_force(frame, day)
    return {
        row.la_code: _Grade(row.worse_grade, "SLAC", row.publication_date)
        for row in found.loc[found["reason"].isna()].itertuples()
    }


def _own_grade(grades: Mapping[str, _Grade], codes: Sequence[str], day: dt.date) -> _Grade:
    if len(codes) == 1 and codes[0] in grades:
        return grades[codes[0]]
    return _Grade(None, None, day, NO_JUDGEMENT)


def _lowest_grade(grades: Mapping[str, _Grade], codes: Sequence[str], day: dt.date) -> _Grade:
    own = [grades[code] for code in codes if code in grades]
    if len(own) < len(codes) or not own:
        return _Grade(None, None, day, NO_JUDGEMENT)
    return min(own, key=lambda one: _SCORE[str(one.grade)])


def _is_good(grade: str) -> float:
    return float(grade in _GOOD_OR_BETTER)


def _is_not_inadequate(grade: str) -> float:
    return float(grade != _INADEQUATE)


def _coded(one: _Grade, code: Callable[[str], float]) -> Value:
    return Value(None if one.grade is None else float(code(one.grade)), one.reason, one.published)


def _framework(one: _Grade) -> Value:
    return Value(None if one.grade is None else float(one.framework == ILACS), one.reason, one.published)


# ---------------------------------------------------------------------------------------------------------------------
# Programmes


def _participation(data: WindowData, units: Sequence[Unit], inputs: Inputs) -> Iterator[Covariate]:
    """Taking part by the start, under every rule; where the programmes had not begun, taking part at any time."""
    is_study = data.window.role == STUDY
    every = tuple(PROGRAMMES)
    by_start = Rule(BY_START)
    rules = {
        INNOVATION: replace(by_start, timing=EVER) if is_study else by_start,
        "innovation_by_start": by_start,
        "innovation_ever": replace(by_start, timing=EVER),
        "innovation_any_programme": replace(by_start, programmes=every),
        "innovation_lead": replace(by_start, lead_only=True),
        "innovation_with_recalled": replace(by_start, recalled=True),
        **{name: replace(by_start, programmes=(name,)) for name in every},
    }
    for variable, rule in rules.items():
        yield _taking_part(variable, rule, data, units, inputs, column="participates")
    yield _taking_part("innovation_projects", by_start, data, units, inputs, column="projects")


def _taking_part(
    variable: str, rule: Rule, data: WindowData, units: Sequence[Unit], inputs: Inputs, *, column: str
) -> Covariate:
    label = ", ".join(rule.programmes) + (", lead" if rule.lead_only else "")
    label += ", begun by the end of the window" if rule.timing == EVER else ", begun before the window"
    if rule.recalled:
        label += ", recalled parts counted"
    is_post_baseline = rule.timing == EVER
    if inputs.programme.empty:
        nothing = [Value(None, NO_EXPOSURE, None)] * len(units)
        return Covariate(variable, label, is_post_baseline, nothing, frozenset())
    found = innovation_programme.participation(
        inputs.programme, units, inputs.areas, inputs.shares, data.window.start, data.window.end, rule
    )
    values = [
        Value(float(value), None, dt.date(int(year), 12, 31))
        for value, year in zip(found[column], found["as_of"], strict=True)
    ]
    return Covariate(variable, label, is_post_baseline, values, frozenset(inputs.programme["source_sha256"].unique()))


# ---------------------------------------------------------------------------------------------------------------------
# Baseline


def _baseline(data: WindowData, ends: Sequence[UnitEnds]) -> Covariate:
    """L(t0) = ln(N / P) at the start. Units that are compared have both, above 0."""
    day = geography.stock_day(data.window.start)
    values = [Value(math.log((one.looked_after[0] or 0) / (one.population[0] or 0)), None, day) for one in ends]
    return Covariate(
        BASELINE, "natural logarithm of children looked after per child aged 0-17", False, values, frozenset()
    )


# ---------------------------------------------------------------------------------------------------------------------
# Correlations


def correlations(table: pd.DataFrame) -> pd.DataFrame:
    """`main.exposure_correlations` from `main.exposures`: Pearson r of every pair of variables, with its n.

    No r where fewer than three units have both, or one of the two does not vary (`no_variation`).
    """
    rows: list[dict[str, object]] = []
    for window_id, own in table.groupby("window_id", sort=True):
        values = wide(own)
        is_known = values.notna().to_numpy(dtype=int)
        n = is_known.T @ is_known
        r = values.corr(min_periods=_FEWEST_FOR_R).to_numpy()  # of each pair, over the units that have both
        for first, second in combinations(range(values.shape[1]), 2):
            coefficient, units = float(r[first, second]), int(n[first, second])
            rows.append(
                {
                    "window_id": window_id,
                    "variable": values.columns[first],
                    "other_variable": values.columns[second],
                    "r": None if math.isnan(coefficient) else coefficient,
                    "n": units,
                    "reason": _no_coefficient(units) if math.isnan(coefficient) else None,
                }
            )
    declared = covariate_tables.EXPOSURE_CORRELATIONS
    return conform(pd.DataFrame(rows, columns=declared.column_names), declared)


def _no_coefficient(units: int) -> str:
    if units >= _FEWEST_FOR_R:
        return reasons.NO_VARIATION
    return reasons.TOO_FEW_UNITS if units else NO_EXPOSURE
