"""The models of rates year by year: within and between authorities (M5), and two-way fixed effects (M6).

What belongs here: the balanced panel of a window's units and years, the designs of M5 and M6, and who is left out of them.
What does not: the estimators (`fits`) and the models of one change per unit (`models`).

Deprivation of the year before goes with the rate of a year, all years of a window on one measure and one basis: the years
are those between the two that `exposures` takes. Rates and shares are of the units of the window (methods.md B8), so a
boundary change inside it moves neither. Panels always cluster by unit: with independent errors they reject far too often
on levels that depend on the year before (methods.md D2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import alternates, deprivation, exposures, unit_series
from pipeline.deprivation import MeasureYears
from pipeline.geography import Areas, Unit
from pipeline.readers.population_dfe import PRE_CENSUS, REBASED
from pipeline.regression import design, fits, observations, terms
from pipeline.regression.design import (
    HIGH_LEVERAGE,
    NO_EXPOSURE,
    NO_VARIATION,
    TOO_FEW_UNITS,
    Design,
    Fit,
    Fitted,
    Problem,
)
from pipeline.regression.observations import WindowUnits
from pipeline.settings import RegressionSettings
from pipeline.unit_series import Cells, Floats, Reasons
from pipeline.windows import WindowData

WITHIN_BETWEEN, TWO_WAY = "M5", "M6"
PRIMARY, RANDOM_INTERCEPT = "primary", "random_intercept"

_PER_10K = 10_000
_OWN = {terms.INNOVATION: exposures.INNOVATION, terms.OFSTED_GOOD: exposures.OFSTED_GOOD}  # one value a unit
# Of the largest value: what is left of a share that is the same in every unit of a year is rounding.
_ROUNDING = 1e-9


# ---------------------------------------------------------------------------------------------------------------------
# The panel


@dataclass(frozen=True)
class Inputs:
    """Where the numbers of every unit and year come from.

    `populations` by vintage; `deprivation` is `core.deprivation`, `shares` are those of `geography.split_shares`.
    """

    looked_after: Cells
    populations: Mapping[str, Cells]
    deprivation: pd.DataFrame
    areas: Areas
    shares: Mapping[tuple[str, str], float]


def inputs(
    looked_after: pd.DataFrame,
    population: pd.DataFrame,
    shares_of_children: pd.DataFrame,
    areas: Areas,
    split_shares: Mapping[tuple[str, str], float],
) -> Inputs:
    """From `core.children_looked_after`, `core.population` and `core.deprivation`."""
    return Inputs(
        looked_after=unit_series.newest(looked_after),
        populations={vintage: unit_series.populations(population, vintage) for vintage in (REBASED, PRE_CENSUS)},
        deprivation=shares_of_children,
        areas=areas,
        shares=split_shares,
    )


@dataclass(frozen=True)
class Panel:
    """Units with every number in every year of a window, shape (units, years) each.

    `log_rates` are ln(children looked after / children), `shares` the per cent of children in low income a year before.
    `left_out` maps the ids of the other units to the first reason why.
    """

    measure: MeasureYears
    years: tuple[int, ...]
    units: tuple[str, ...]
    regions: tuple[str, ...]
    log_rates: Floats
    shares: Floats
    left_out: dict[str, str]

    @property
    def rates(self) -> Floats:
        """Children looked after per 10,000 children, shape (units, years)."""
        return _PER_10K * np.exp(self.log_rates)

    def of(self, kept: npt.NDArray[np.bool_], left_out: Mapping[str, str]) -> Panel:
        """The panel of some of the units, with the reasons for the others."""
        return replace(
            self,
            units=tuple(np.array(self.units, dtype=object)[kept]),
            regions=tuple(np.array(self.regions, dtype=object)[kept]),
            log_rates=self.log_rates[kept],
            shares=self.shares[kept],
            left_out={**self.left_out, **left_out},
        )


def panel(window: WindowUnits, data: WindowData, found: Inputs) -> Panel | Problem:
    """The balanced panel of a window: units without a count, population or share in one of the years are left out.

    A window without a measure of deprivation for all its years has none (`no_exposure`).
    """
    measure = deprivation.measure_for(data.window)
    if measure is None:
        return Problem(
            NO_EXPOSURE, f"no measure of deprivation on one basis from {window.start - 1} to {window.end - 1}"
        )
    years = tuple(range(window.start, window.end + 1))
    unit_of = {ends.unit.unit_id: ends.unit for ends in data.units}
    units = [unit_of[str(unit_id)] for unit_id in window.units.index]
    shares, why = _shares(units, measure, found)
    if not np.isfinite(shares).all(axis=1).any():
        return Problem(NO_EXPOSURE, f"{label(measure)}: no unit has a share in every year")
    counts, people = (
        unit_series.of_units(units, years, source, found.areas)
        for source in (found.looked_after, found.populations[data.window.vintage])
    )
    numbers = alternates.together((counts.numbers, counts.reasons), (people.numbers, people.reasons))
    reasons = np.where(alternates.is_there(numbers.reasons), why, numbers.reasons)
    whole = Panel(
        measure=measure,
        years=years,
        units=tuple(unit.unit_id for unit in units),
        regions=tuple(unit.region for unit in units),
        log_rates=unit_series.log_rates(counts.numbers, people.numbers),
        shares=shares,
        left_out={},
    )
    return whole.of(alternates.is_there(reasons), _reasons(whole.units, reasons))


def label(measure: MeasureYears) -> str:
    """The measure and its years in words."""
    return f"child low income: {measure.measure} ({measure.basis}), {measure.start_year} to {measure.end_year}"


def with_own_values(whole: Panel, window: WindowUnits) -> Panel | Problem:
    """The units that also have the covariates of one value, taking part and the judgement; no_exposure where none has."""
    own = _values_of(whole.units, window)
    why = window.reasons.reindex(columns=list(_OWN.values())).loc[list(whole.units)]
    lacks = own.isna().to_numpy()
    for at, term in enumerate(_OWN):
        if len(lacks) and lacks[:, at].all():
            return Problem(NO_EXPOSURE, f"{term} has no value in any unit", term)
    told = why.astype("string").fillna(NO_EXPOSURE).to_numpy(dtype=object)
    first = told[np.arange(len(told)), lacks.argmax(axis=1)]
    reasons = np.where(lacks.any(axis=1), first, np.full(len(told), None, dtype=object))
    return whole.of(~lacks.any(axis=1), _reasons(whole.units, reasons))


def _values_of(units: Sequence[str], window: WindowUnits) -> pd.DataFrame:
    """The covariates of one value, a row a unit; a variable that the window does not have is missing."""
    table = window.values  # noqa: PD011 - a field of ours, not the values of a frame
    return table.reindex(index=list(units), columns=list(_OWN.values()))


def _shares(units: Sequence[Unit], measure: MeasureYears, found: Inputs) -> tuple[Floats, Reasons]:
    """Each unit's share in the years of a measure, shape (units, years), and its first reason, shape (units,)."""
    cells = [
        deprivation.cells_of(found.deprivation, measure.measure, measure.basis, year)
        for year in range(measure.start_year, measure.end_year + 1)
    ]
    values = [[deprivation.value_of_unit(of_year, unit, found.shares) for of_year in cells] for unit in units]
    numbers = np.array([[np.nan if one.value is None else one.value for one in row] for row in values])
    first = np.array([next((one.reason for one in row if one.value is None), None) for row in values], dtype=object)
    return numbers.reshape(len(units), len(cells)), first


def _reasons(units: Sequence[str], reasons: npt.NDArray[Any]) -> dict[str, str]:
    return {unit: str(reason) for unit, reason in zip(units, reasons, strict=True) if reason is not None}


# ---------------------------------------------------------------------------------------------------------------------
# M5 and M6


def models(
    windows: Iterable[WindowUnits], data: Iterable[WindowData], found: Inputs, settings: RegressionSettings
) -> list[Fitted]:
    """M5 (pooled and with a random intercept) and M6 of every window, each with and without region effects.

    `data` are the windows that the changes were made from (`windows.all_window_data`). A model that cannot be fitted is
    there with its reason.
    """
    data_of = {one.window.window_id: one for one in data}
    return [
        one for window in windows for one in of_panel(window, panel(window, data_of[window.window_id], found), settings)
    ]


def of_panel(window: WindowUnits, whole: Panel | Problem, settings: RegressionSettings) -> list[Fitted]:
    """The same of one window, from its panel."""
    results: list[Fitted] = []
    for region_effects in (False, True):
        results += _within_between(window, whole, settings, region_effects=region_effects)
        results.append(_two_way(window, whole, settings, region_effects=region_effects))
    return results


def _within_between(
    window: WindowUnits, whole: Panel | Problem, settings: RegressionSettings, *, region_effects: bool
) -> Iterator[Fitted]:
    """M5: the rate on the share less the unit's mean, that mean, programme, judgement and years."""
    own = whole if isinstance(whole, Problem) else with_own_values(whole, window)
    matrix: Design | Problem
    if isinstance(own, Problem):
        matrix = own
    else:
        matrix = _refused(own, terms.DEPRIVATION_WITHIN, settings) or _checked(
            within_between_design(own, window, region_effects=region_effects), settings
        )
    asked = (terms.DEPRIVATION_WITHIN, terms.DEPRIVATION_BETWEEN, *_OWN)
    for variant, estimator in ((PRIMARY, fits.clustered), (RANDOM_INTERCEPT, fits.random_intercept)):
        yield Fitted(
            window_id=window.window_id,
            window_start=window.start,
            window_end=window.end,
            outcome=observations.RATE_PANEL,
            model=WITHIN_BETWEEN,
            variant=variant,
            region_effects=region_effects,
            terms=(*asked, *(terms.year_term(year) for year in range(window.start + 1, window.end + 1))),
            result=matrix if isinstance(matrix, Problem) else estimator(matrix, matrix.units),
            is_log=False,
            post_baseline=frozenset(term for term, name in _OWN.items() if window.is_post_baseline.get(name, False)),
            left_out=_left_out(own, window),
        )


def _two_way(
    window: WindowUnits, whole: Panel | Problem, settings: RegressionSettings, *, region_effects: bool
) -> Fitted:
    """M6: the log rate on the share, unit and year (or region-by-year) effects absorbed."""
    return Fitted(
        window_id=window.window_id,
        window_start=window.start,
        window_end=window.end,
        outcome=observations.LOG_RATE_PANEL,
        model=TWO_WAY,
        region_effects=region_effects,
        terms=(terms.DEPRIVATION_LAGGED,),
        result=_two_way_fit(whole, settings, region_effects=region_effects),
        left_out=_left_out(whole, window),
    )


def _two_way_fit(whole: Panel | Problem, settings: RegressionSettings, *, region_effects: bool) -> Fit | Problem:
    if isinstance(whole, Problem):
        return whole
    refused = _refused(whole, terms.DEPRIVATION_LAGGED, settings)
    if refused:
        return refused
    made, absorbed = two_way_design(whole, region_effects=region_effects)
    matrix = _checked(made, settings)
    return matrix if isinstance(matrix, Problem) else fits.clustered(matrix, matrix.units, absorbed=absorbed)


def _left_out(own: Panel | Problem, window: WindowUnits) -> Mapping[str, str]:
    """The units that are not in the panel; every unit where there is none."""
    return dict.fromkeys(window.units.index, own.reason) if isinstance(own, Problem) else own.left_out


def _refused(own: Panel, term: str, settings: RegressionSettings) -> Problem | None:
    """Why a panel cannot be used at all: units are counted, not their years, and shares have to part in some year."""
    few, n = settings.fewest_units, len(own.units)
    if n < few:
        return Problem(TOO_FEW_UNITS, f"{n} units with every value in every year; at least {few} needed")
    if np.ptp(demeaned(own.shares)) <= _ROUNDING * np.abs(own.shares).max():
        return Problem(NO_VARIATION, f"{term} moves alike in every unit: the years take all of it", term)
    return None


def _checked(matrix: Design, settings: RegressionSettings) -> Design | Problem:
    return design.problem(matrix, settings.fewest_units) or _one_unit(matrix) or matrix


def _one_unit(matrix: Design) -> Problem | None:
    """A unit that has a combination of terms to itself: its rows share the leverage, and its cluster tells no error."""
    q, _ = np.linalg.qr(matrix.matrix)
    units = list(dict.fromkeys(matrix.units))
    rows = q.reshape(len(units), -1, matrix.k)
    own = np.linalg.norm(rows, ord=2, axis=(1, 2)) ** 2  # 1 where the unit's rows alone decide about a combination
    if own.max() <= design.ALONE:
        return None
    unit = units[int(own.argmax())]
    inside = np.array([one == unit for one in matrix.units])
    term = next((name for name in matrix.names[1:] if np.ptp(matrix.matrix[~inside, matrix.column(name)]) == 0), None)
    return Problem(HIGH_LEVERAGE, f"{unit} has a term of the model to itself", term)


# ---------------------------------------------------------------------------------------------------------------------
# Designs: one row a unit and year, units outside, years inside


def within_between_design(own: Panel, window: WindowUnits, *, region_effects: bool = False) -> Design:
    """M5: rates per 10,000; within and between add up to the share itself. The first year is the reference."""
    n_years = len(own.years)
    mean = own.shares.mean(axis=1, keepdims=True)
    values = _values_of(own.units, window)
    year_of_row = np.tile(own.years, len(own.units))
    columns = {
        terms.DEPRIVATION_WITHIN: (own.shares - mean).ravel(),
        terms.DEPRIVATION_BETWEEN: np.repeat(mean.ravel(), n_years),
        **{term: np.repeat(values[name].to_numpy(dtype=float), n_years) for term, name in _OWN.items()},
        **{terms.year_term(year): (year_of_row == year).astype(float) for year in own.years[1:]},
    }
    return design.build(
        own.rates.ravel(),
        columns,
        np.repeat(np.array(own.units, dtype=object), n_years).tolist(),
        np.repeat(np.array(own.regions, dtype=object), n_years).tolist(),
        region_effects=region_effects,
    )


def two_way_design(own: Panel, *, region_effects: bool = False) -> tuple[Design, int]:
    """M6 with unit and year effects taken out, and how many year (or region-by-year) effects those are.

    In a balanced panel the estimates are those of the regression with an indicator for every unit and year (Frisch, Waugh
    and Lovell). The mean of all rows is put back, so that the constant is the mean of the unit and year effects.
    """
    groups = np.array(own.regions, dtype=object) if region_effects else np.full(len(own.units), "")
    n_years = len(own.years)
    matrix = design.build(
        demeaned(own.log_rates, groups).ravel() + own.log_rates.mean(),
        {terms.DEPRIVATION_LAGGED: demeaned(own.shares, groups).ravel() + own.shares.mean()},
        np.repeat(np.array(own.units, dtype=object), n_years).tolist(),
        np.repeat(np.array(own.regions, dtype=object), n_years).tolist(),
    )
    return matrix, len(set(groups.tolist())) * (n_years - 1)


def demeaned(values: Floats, groups: npt.NDArray[np.object_] | None = None) -> Floats:
    """Values of shape (units, years) less the mean of their unit and of their group's year, plus that of the group."""
    left: Floats = values - values.mean(axis=1, keepdims=True)
    for group in [None] if groups is None else sorted(set(groups.tolist())):
        rows = slice(None) if group is None or groups is None else groups == group
        left[rows] -= left[rows].mean(axis=0)
    return left
