"""Each variable alone, as the study of 2018 did it: M0 (methods.md D2).

What belongs here: which variables are looked at, and the tests of one variable against one outcome. What does not: the
fit of a slope (`fits`), models of several variables (`models`), and what the study said (`study_comparison`).

A variable is a number (Pearson's correlation and a slope), an indicator (Welch's t between two groups, and the slope that
says the same with HC3) or a set of groups (Welch's analysis of variance); whatever has an order has Spearman's
correlation too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from pipeline import evidence, exposures, innovation_programme, memory, two_samples
from pipeline.regression import design, fits, observations, terms
from pipeline.regression.design import Design, Fit, Fitted, Problem
from pipeline.regression.observations import WindowUnits
from pipeline.settings import Settings
from pipeline.tables import model_tables
from pipeline.tables.frames import conform

Floats = npt.NDArray[np.float64]
Known = npt.NDArray[Any]  # numbers, or names of groups
Row = dict[str, Any]

MODEL = "M0"
FIRST_WINDOWS = ("orig_h4", "orig_h5", "main_h5")  # the study's own years, both readings, and the newest
OUTCOMES = (observations.LOG_RATE_RATIO, observations.CHANGE_PER_10K, observations.RATE_LEVEL)
NUMBER, INDICATOR, GROUPS = "number", "indicator", "groups"
PEARSON, WELCH_T, WELCH_ANOVA = "pearson", "welch_t", "welch_anova"
TEST_OF = {NUMBER: PEARSON, INDICATOR: WELCH_T, GROUPS: WELCH_ANOVA}
REGION, GRADE = "region", "ofsted_score"
NOT_APPLICABLE = "not_applicable"

_STILL = 1e-12  # a correlation this near to 1 is 1 but for rounding


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of M0: its term, the exposure behind it, its kind, and the unit of its slope.

    `has_order` says of groups whether a higher value is more; numbers and indicators always have an order.
    """

    term: str
    exposure: str
    kind: str
    unit: str
    has_order: bool = True


def _number(term: str, exposure: str | None = None, unit: str = terms.PER_POINT) -> Variable:
    return Variable(term, exposure or term, NUMBER, unit)


def _indicator(term: str) -> Variable:
    return Variable(term, term, INDICATOR, terms.ONE_AGAINST_ZERO)


VARIABLES = (
    _number(terms.DEPRIVATION_CHANGE),
    _number(terms.DEPRIVATION_LEVEL),
    _number(exposures.DEPRIVATION_CHANGE_RELATIVE),
    _number(exposures.FREE_MEALS_CHANGE),
    _number(exposures.FREE_MEALS_LEVEL),
    _indicator(terms.INNOVATION),
    *(_indicator(programme) for programme in innovation_programme.PROGRAMMES),
    _indicator("innovation_any_programme"),
    _indicator("innovation_lead"),
    _indicator("innovation_ever"),
    _indicator(terms.OFSTED_GOOD),
    _indicator("ofsted_not_inadequate"),
    Variable(GRADE, GRADE, GROUPS, terms.PER_UNIT),
    _indicator("ofsted_good_at_end"),
    _number(terms.BASELINE, exposures.BASELINE, terms.PER_LOG_RATE),
    Variable(REGION, REGION, GROUPS, terms.PER_UNIT, has_order=False),
)


def models(windows: Iterable[WindowUnits], settings: Settings) -> tuple[list[Fitted], pd.DataFrame]:
    """The slopes of every window, outcome and variable that has one, and `main.univariate_associations`.

    The study's windows and the primary one come first in the list. Slopes have HC3 standard errors; groups have none.
    """
    fitted: list[Fitted] = []
    rows: list[Row] = []
    for window in sorted(windows, key=lambda one: _place(one.window_id)):
        own = [_values(variable, window) for variable in VARIABLES]
        twins = _twins(own)
        for outcome in OUTCOMES:
            found = [_one(values, outcome, window, settings) for values in own]
            fitted += [one.fitted for one in found if one.fitted is not None]
            rows += adjusted([one.row for one in found], twins)
    table = model_tables.UNIVARIATE_ASSOCIATIONS
    return fitted, conform(pd.DataFrame(rows, columns=table.column_names), table)


def _place(window_id: str) -> tuple[int, str]:
    first = FIRST_WINDOWS.index(window_id) if window_id in FIRST_WINDOWS else len(FIRST_WINDOWS)
    return first, window_id


# ---------------------------------------------------------------------------------------------------------------------
# The values of a variable


@dataclass(frozen=True)
class _Values:
    """One variable in a window: `known` are the values there are, `is_known` says of every unit whether it has one."""

    variable: Variable
    is_known: npt.NDArray[np.bool_]
    known: Known
    left_out: dict[str, str]
    measure: str
    is_post_baseline: bool

    @property
    def n(self) -> int:
        return len(self.known)

    @property
    def missing(self) -> list[tuple[str, int]]:
        """How many units have no value for which reason, the commonest first."""
        reasons = list(self.left_out.values())
        return sorted(((name, reasons.count(name)) for name in set(reasons)), key=lambda told: (-told[1], told[0]))


def _values(variable: Variable, window: WindowUnits) -> _Values:
    units = window.units.index
    if variable.term == REGION:
        names = window.units[REGION].to_numpy(dtype=object)
        return _Values(variable, np.ones(len(units), dtype=bool), names, {}, "region of the unit", False)
    name, table = variable.exposure, window.values  # noqa: PD011 - a field of ours, not the values of a frame
    if name not in table:
        nothing = dict.fromkeys(map(str, units), exposures.NO_EXPOSURE)
        return _Values(variable, np.zeros(len(units), dtype=bool), np.empty(0), nothing, "", False)
    values = table[name].to_numpy(dtype=float)
    is_known = np.isfinite(values)
    reasons = window.reasons.loc[~is_known, name].fillna(exposures.NO_EXPOSURE)  # a unit without a row has no reason
    return _Values(
        variable,
        is_known,
        values[is_known],
        {str(unit): str(reason) for unit, reason in reasons.items()},
        window.measure.get(name, ""),
        window.is_post_baseline.get(name, False),
    )


def _twins(own: Sequence[_Values]) -> dict[str, str]:
    """Terms that say the same as an earlier one of their kind: their values differ by a shift or a factor alone.

    The change of deprivation less its mean is one; where all programmes begun are of one round, so are their indicators.
    A test that is made twice is one test, and counts once among those that q allows for.
    """
    found: dict[str, str] = {}
    seen: list[_Values] = []
    for one in own:
        if one.variable.kind == GROUPS or one.n == 0:
            continue
        twin = next((earlier for earlier in seen if _is_twin(one, earlier)), None)
        if twin is None:
            seen.append(one)
        else:
            found[one.variable.term] = twin.variable.term
    return found


def _is_twin(one: _Values, earlier: _Values) -> bool:
    is_alike = one.variable.kind == earlier.variable.kind and np.array_equal(one.is_known, earlier.is_known)
    return is_alike and abs(memory.correlation(one.known, earlier.known)) > 1 - _STILL  # NaN where one does not vary


# ---------------------------------------------------------------------------------------------------------------------
# One variable and one outcome


class _Found(NamedTuple):
    row: Row
    fitted: Fitted | None


def _one(own: _Values, outcome: str, window: WindowUnits, settings: Settings) -> _Found:
    variable = own.variable
    y = window.units[outcome].to_numpy(dtype=float)[own.is_known]
    row: Row = {
        "window_id": window.window_id,
        "window_start": window.start,
        "window_end": window.end,
        "outcome": outcome,
        "term": variable.term,
        "kind": variable.kind,
        "measure": own.measure,
        "is_post_baseline": own.is_post_baseline,
        "n": own.n,
        "n_missing": len(own.left_out),
        "missing": "; ".join(f"{name} {count}" for name, count in own.missing),
        "test": TEST_OF[variable.kind],
        "spearman_reason": None if variable.has_order else NOT_APPLICABLE,
    }
    if variable.kind == GROUPS:
        return _Found(row | _of_groups(own, y, settings), None)
    result = _slope(own, y, window, settings)
    fitted = Fitted(
        window_id=window.window_id,
        window_start=window.start,
        window_end=window.end,
        outcome=outcome,
        model=MODEL,
        region_effects=False,
        terms=(variable.term,),
        result=result,
        is_log=outcome == observations.LOG_RATE_RATIO,
        post_baseline=frozenset({variable.term}) if own.is_post_baseline else frozenset(),
        left_out=own.left_out,
        units_of_terms={variable.term: variable.unit},
    )
    if isinstance(result, Problem):
        return _Found(row | _stopped(result), fitted)
    return _Found(row | _spearman(own.known, y) | _tested(own, y, settings), fitted)


def _slope(own: _Values, y: Floats, window: WindowUnits, settings: Settings) -> Fit | Problem:
    """The slope of the outcome on the variable alone, or the reason why the variable cannot be looked at."""
    if own.n == 0:
        return _without_values(own)
    units = window.units.index.to_numpy(dtype=object)[own.is_known]
    regions = window.units[REGION].to_numpy(dtype=object)[own.is_known]
    line = design.build(y, {own.variable.term: own.known}, units.tolist(), regions.tolist())
    stopped = design.problem(line, settings.regression.fewest_units)
    if stopped is None and _is_exact(line):
        stopped = Problem(design.NO_VARIATION, f"every unit is on one line with {own.variable.term}", own.variable.term)
    return stopped or fits.ols(line)


def _is_exact(line: Design) -> bool:
    """Whether nothing is left beside the line: a standard error of 0 would make any test certain."""
    return abs(memory.correlation(line.matrix[:, 1], line.outcome)) > 1 - _STILL


def _without_values(own: _Values) -> Problem:
    reason = own.missing[0][0] if own.missing else exposures.NO_EXPOSURE
    return Problem(reason, "no unit of the window has a value", own.variable.term)


def _stopped(why: Problem) -> Row:
    return {"reason": why.reason, "detail": why.detail, "spearman_reason": why.reason}


def _tested(own: _Values, y: Floats, settings: Settings) -> Row:
    if own.variable.kind == NUMBER:
        r, p = correlation_test(own.known, y)
        low, high = memory.fisher_limits(r, own.n, settings.evidence.interval_z)
        return {"pearson_r": r, "pearson_lower_95": low, "pearson_upper_95": high, "p_value": p}
    ones, zeros = y[own.known == 1], y[own.known == 0]
    found = two_samples.welch(ones, zeros, settings.groups.confidence)
    return {
        "welch_statistic": found.statistic,
        "welch_df": found.df,
        "n_groups": 2,
        "n_smallest_group": min(len(ones), len(zeros)),
        "difference": found.value,
        "difference_lower_95": found.low,
        "difference_upper_95": found.high,
        "p_value": found.p,
    }


def _of_groups(own: _Values, y: Floats, settings: Settings) -> Row:
    """Welch's analysis of variance, and Spearman's correlation where the groups have an order.

    The latter needs no spread within a group, so it is there also where one group is a single unit.
    """
    names, of_unit = np.unique(own.known, return_inverse=True)
    groups = [y[of_unit == at] for at in range(len(names))]
    stopped = _without_groups(own, y, len(groups), settings.regression.fewest_units)
    if stopped is not None:
        return _stopped(stopped)
    row: Row = {"n_groups": len(groups), "n_smallest_group": min(map(len, groups))}
    if own.variable.has_order:
        row |= _spearman(np.asarray(own.known, dtype=float), y)
    for name, group in zip(names, groups, strict=True):
        which = f"{own.variable.term} {name:g}" if isinstance(name, float) else f"{own.variable.term} {name}"
        if len(group) < 2:
            return row | {"reason": design.HIGH_LEVERAGE, "detail": f"one unit alone has {which}"}
        if np.ptp(group) == 0:
            return row | {
                "reason": design.NO_VARIATION,
                "detail": f"the outcome is the same in every unit with {which}",
            }
    found = welch_anova(groups)
    return row | {
        "welch_statistic": found.f,
        "welch_df_between": found.df_between,
        "welch_df": found.df_within,
        "p_value": found.p,
    }


def _without_groups(own: _Values, y: Floats, groups: int, fewest: int) -> Problem | None:
    """Why groups cannot be looked at as a whole, in the order of `design.problem`."""
    term = own.variable.term
    if own.n == 0:
        return _without_values(own)
    if own.n < fewest:
        return Problem(design.TOO_FEW_UNITS, f"{own.n} units with every value; at least {fewest} needed", term)
    if np.ptp(y) == 0:
        return Problem(design.NO_VARIATION, "the outcome is the same in every unit")
    if groups < 2:
        return Problem(design.NO_VARIATION, f"{term} is the same in every unit", term)
    return None


# ---------------------------------------------------------------------------------------------------------------------
# The tests


def correlation_test(x: Floats, y: Floats) -> tuple[float, float]:
    """Pearson's correlation and its two-sided p: t = r sqrt((n - 2) / (1 - r^2)) with n - 2 degrees of freedom.

    NaN for both where one of the two does not vary; needs three values.
    """
    r = memory.correlation(x, y)
    df = len(x) - 2
    rest = 1 - r * r
    if rest <= 0:
        return r, 0.0
    return r, 2 * float(special.stdtr(df, -abs(r) * math.sqrt(df / rest)))


def _spearman(x: Floats, y: Floats) -> Row:
    """The correlation of the places of the values in order, equal ones sharing the mean of theirs; p as of Pearson's."""
    rho, p = correlation_test(_places(x), _places(y))
    return {"spearman_rho": rho, "spearman_p": p}


def _places(values: Floats) -> Floats:
    places: Floats = pd.Series(values).rank().to_numpy(dtype=float)
    return places


class WelchAnova(NamedTuple):
    """F with its degrees of freedom between and within groups, and its probability."""

    f: float
    df_between: float
    df_within: float
    p: float


def welch_anova(groups: Sequence[Floats]) -> WelchAnova:
    """Whether the means of several groups differ, without taking the spreads to be equal (Welch 1951, Biometrika 38:330).

    With w = n / s^2, W = sum w and m the mean weighted by w: F = (sum w (mean - m)^2 / (k - 1)) / (1 + 2 (k - 2) L /
    (k^2 - 1)), L = sum (1 - w / W)^2 / (n - 1), degrees of freedom k - 1 and (k^2 - 1) / (3 L). For two groups F is the
    square of Welch's t. Needs two values and some spread in every group: ValueError without.
    """
    k = len(groups)
    n = np.array([len(group) for group in groups], dtype=float)
    if k < 2 or n.min() < 2 or any(np.ptp(group) == 0 for group in groups):
        raise ValueError("every group needs two values and some spread, and there must be two groups")
    weights = n / np.array([np.var(group, ddof=1) for group in groups])
    means = np.array([np.mean(group) for group in groups])
    total = weights.sum()
    middle = float(weights @ means) / total
    spread = float((((1 - weights / total) ** 2) / (n - 1)).sum())
    f = float(weights @ (means - middle) ** 2) / (k - 1) / (1 + 2 * (k - 2) * spread / (k * k - 1))
    df = (k * k - 1) / (3 * spread)
    return WelchAnova(f, k - 1, df, float(special.fdtrc(k - 1, df, f)))


def adjusted(rows: Sequence[Row], twins: dict[str, str]) -> Iterator[Row]:
    """The rows of one window and outcome with q over their tests; a twin takes the q of the variable it repeats."""
    tested = [row for row in rows if "p_value" in row and row["term"] not in twins]
    q = evidence.benjamini_hochberg([row["p_value"] for row in tested])
    of_term = {row["term"]: float(own) for row, own in zip(tested, q, strict=True)}
    for row in rows:
        term = twins.get(row["term"], row["term"])
        yield row | {
            "q_value": of_term.get(term, np.nan) if "p_value" in row else np.nan,
            "n_tests": len(tested),
            "same_test_as": twins.get(row["term"]) if "p_value" in row else None,
        }
