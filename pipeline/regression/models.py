"""The models of one change a unit: M1 to M4 and M7 to M10, in every window (methods.md D1 to D3).

What belongs here: which outcome, terms, units and method make a model, and which of them are resampled. What does not: the
fits (`fits`), the panels (`panel_models`), one variable alone (`univariate`), and the tables (`coefficients`).

Every model is asked for in every window. Where it cannot be fitted the answer is a `Problem`, never silence: a window
without the exposures has `no_exposure` for each of its models.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from pipeline import exposures, innovation_programme, randomness, volatility
from pipeline.regression import design as designs
from pipeline.regression import fits, observations, resampling, terms
from pipeline.regression.design import Design, Fit, Fitted, Floats, Integers, Problem
from pipeline.regression.observations import WindowUnits
from pipeline.regression.resampling import Tally
from pipeline.settings import Settings

Flags = npt.NDArray[np.bool_]

PRIMARY, HUBER, MEDIAN, SAME_UNITS = "primary", "huber", "median", "same_units"
FREE_SCHOOL_MEALS, OFSTED_GRADES = "free_school_meals", "ofsted_grades"
FOUR_YEARS = "main_h4"  # the window whose M2 is called M10 as well

NOT_AVAILABLE = "not_available"
_RATE_AT_START = "per child looked after per 10,000 children at the start"
_EXTENSION = "Extension of the 2018 study, which tested one variable at a time."
_MAY_FOLLOW = "The judgement in force at the end of the window: it may follow the change."
_RESAMPLED = {
    "M1": (observations.LOG_RATE_RATIO, observations.CHANGE_PER_10K),
    "M2": (observations.LOG_RATE_RATIO, observations.CHANGE_PER_10K),
    "M8": (observations.EXCLUDING_UASC,),
    "M9": (observations.STARTS,),
    "M10": (observations.LOG_RATE_RATIO, observations.CHANGE_PER_10K),
}


class Key(NamedTuple):
    """One row of `main.regression_coefficients`."""

    window_id: str
    outcome: str
    model: str
    region_effects: bool
    variant: str
    term: str


@dataclass(frozen=True, slots=True)
class Resampled:
    """What some draws say of one coefficient (methods.md D6). None: not for this term, or not with these regions.

    Tallies of the three methods; the least and greatest estimate with one unit left out, and without how many units the
    sign is another.
    """

    wild_tally: Tally
    region_tally: Tally | None
    permutation_tally: Tally | None
    leave_one_out_min: float
    leave_one_out_max: float
    sign_changes: int

    @property
    def wild(self) -> float:
        """p-value of the wild bootstrap."""
        return self.wild_tally.p_value

    @property
    def region(self) -> float | None:
        """p-value of the wild bootstrap by region."""
        return self.region_tally.p_value if self.region_tally else None

    @property
    def permutation(self) -> float | None:
        """p-value of the permutations."""
        return self.permutation_tally.p_value if self.permutation_tally else None

    def __add__(self, other: Resampled) -> Resampled:
        """The same coefficient with the draws of both; what leaving units out says is not of the draws."""
        return replace(
            self,
            wild_tally=self.wild_tally + other.wild_tally,
            region_tally=_sum(self.region_tally, other.region_tally),
            permutation_tally=_sum(self.permutation_tally, other.permutation_tally),
        )


def _sum(one: Tally | None, other: Tally | None) -> Tally | None:
    return one + other if one and other else None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is asked for: `also_needs` are outcomes that a unit must have besides its own, so that two models share units."""

    model: str
    outcome: str
    terms: tuple[str, ...]
    variant: str = PRIMARY
    note: str | None = None
    also_needs: tuple[str, ...] = ()

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Its own outcome, and those that it needs besides."""
        return (self.outcome, *self.also_needs)


def models(
    windows: Iterable[WindowUnits],
    usual_movement: volatility.Fit,
    settings: Settings,
    *,
    only_resampled: bool = False,
) -> list[Fitted]:
    """Every model of every window, without and with region effects; or those alone that are resampled.

    `usual_movement` is the primary fit of `main.volatility`, which M3 weighs by.
    """
    return [
        _fitted(sheet, plan, usual_movement, settings, region_effects=region_effects)
        for window in windows
        for sheet in [_Sheet(window)]
        for plan in _plans(window)
        if not only_resampled or is_resampled(plan)
        for region_effects in (False, True)
    ]


def key_of(fitted: Fitted, term: str) -> Key:
    """The row of a term of a model."""
    return Key(fitted.window_id, fitted.outcome, fitted.model, fitted.region_effects, fitted.variant, term)


def model_index(fitted: Fitted) -> int:
    """The number that seeds its random streams (methods.md D9)."""
    return int(fitted.model.removeprefix("M")) + (randomness.WITH_REGION_EFFECTS if fitted.region_effects else 0)


# ---------------------------------------------------------------------------------------------------------------------
# What is asked for


def _plans(window: WindowUnits) -> Iterator[_Plan]:
    log, points = observations.LOG_RATE_RATIO, observations.CHANGE_PER_10K
    extension = _EXTENSION if _is_study(window) else None
    for outcome in (log, points):
        yield _Plan("M1", outcome, terms.WITHOUT_BASELINE, note=extension)
        yield _Plan("M2", outcome, terms.PRIMARY, note=extension)
        if window.window_id == FOUR_YEARS:
            yield _Plan("M10", outcome, terms.PRIMARY)
    yield _Plan("M3", log, terms.PRIMARY, note=extension)
    yield _Plan("M4", log, terms.PRIMARY, note=extension)
    yield _Plan("M7", log, terms.PRIMARY, HUBER, extension)
    yield _Plan("M7", log, terms.PRIMARY, MEDIAN, extension)
    excluding = observations.EXCLUDING_UASC
    yield _Plan("M8", excluding, terms.PRIMARY, note=extension)
    beside = _joined(extension, "M2 on the units of M8.")
    yield _Plan("M8", log, terms.PRIMARY, SAME_UNITS, beside, also_needs=(excluding,))
    yield _Plan("M9", observations.STARTS, terms.PRIMARY, note=extension)
    for variant, changed, note in _codings(window):
        yield _Plan("M2", log, changed, variant, _joined(extension, note))


def _codings(window: WindowUnits) -> Iterator[tuple[str, tuple[str, ...], str | None]]:
    """M2 with another coding of a covariate: the name of the variant, its terms, and what to say (methods.md D3)."""

    def instead(old: str, *new: str) -> tuple[str, ...]:
        return tuple(one for term in terms.PRIMARY for one in (new if term == old else (term,)))

    for variable in ("ofsted_not_inadequate", terms.OFSTED_SCORE, "ofsted_good_lowest_of_several"):
        yield variable, instead(terms.OFSTED_GOOD, variable), None
    yield OFSTED_GRADES, instead(terms.OFSTED_GOOD, *terms.GRADES), None
    yield "ofsted_good_at_end", instead(terms.OFSTED_GOOD, "ofsted_good_at_end"), _MAY_FOLLOW
    if window.window_id.startswith("hist_"):
        yield "ofsted_good_slac", instead(terms.OFSTED_GOOD, "ofsted_good_slac"), None
    yield "ofsted_is_ilacs", (*terms.PRIMARY, "ofsted_is_ilacs"), "The two frameworks of inspection are not one scale."
    # The primary coding of a study's window is taking part at any time, because nothing had begun by its start.
    other_time = "innovation_by_start" if _is_study(window) else "innovation_ever"
    for variable in (
        other_time, "innovation_any_programme", "innovation_lead", "innovation_with_recalled", "innovation_projects",
        *innovation_programme.PROGRAMMES,
    ):  # fmt: skip
        yield variable, instead(terms.INNOVATION, variable), None
    meals = {
        terms.DEPRIVATION_CHANGE: exposures.FREE_MEALS_CHANGE,
        terms.DEPRIVATION_LEVEL: exposures.FREE_MEALS_LEVEL,
    }
    yield FREE_SCHOOL_MEALS, tuple(meals.get(term, term) for term in terms.PRIMARY), None


def _is_study(window: WindowUnits) -> bool:
    return window.window_id.startswith("orig_")


def _joined(*notes: str | None) -> str | None:
    return " ".join(note for note in notes if note) or None


# ---------------------------------------------------------------------------------------------------------------------
# One model


class _Sheet:
    """The columns of one window as arrays of shape (units,), each taken once."""

    def __init__(self, window: WindowUnits) -> None:
        self.window = window
        self._columns: dict[str, Floats] = {}
        self._reasons: dict[str, list[str | None]] = {}
        self.units = tuple(str(unit) for unit in window.units.index)
        self.regions = tuple(str(region) for region in window.units["region"])

    def values(self, variable: str) -> Floats:
        """An exposure, or all missing where the window has none of that name."""
        return self._taken(self.window.values, variable)

    def outcome(self, outcome: str) -> Floats:
        """An outcome, or another number of the units."""
        return self._taken(self.window.units, outcome)

    def term(self, term: str, outcome: str) -> Floats:
        """The values of a term. Where the outcome is in points, the rate at the start is too (methods.md D2)."""
        if term in terms.GRADES:
            score = self.values(terms.OFSTED_SCORE)
            return np.where(np.isnan(score), np.nan, score == terms.GRADES[term])
        if term == terms.BASELINE and outcome == observations.CHANGE_PER_10K:
            return self.outcome("rate_start")
        return self.values(terms.variable_of(term))

    def missing(self, plan: _Plan) -> Flags:
        """Which units lack which of the outcomes and then of the terms, shape (units, outcomes + terms)."""
        columns = [self.outcome(name) for name in plan.outcomes]
        columns += [self.term(term, plan.outcome) for term in plan.terms]
        missing: Flags = ~np.isfinite(np.column_stack(columns))
        return missing

    def is_complete(self, plan: _Plan) -> Flags:
        """Which units have the outcomes and every term, shape (units,)."""
        has_all: Flags = np.count_nonzero(self.missing(plan), axis=1) == 0
        return has_all

    def reason(self, variable: str, row: int) -> str:
        """Why a unit has no value of an exposure."""
        return self._reason(self.window.reasons, variable, row) or designs.NO_EXPOSURE

    def reason_of_outcome(self, outcome: str, row: int) -> str:
        """Why a unit has no value of an outcome."""
        return self._reason(self.window.outcome_reasons, outcome, row) or NOT_AVAILABLE

    def _reason(self, frame: pd.DataFrame, name: str, row: int) -> str | None:
        if name not in self._reasons:
            known = name in frame.columns
            self._reasons[name] = [None if pd.isna(one) else str(one) for one in frame[name]] if known else []
        return self._reasons[name][row] if self._reasons[name] else None

    def _taken(self, frame: pd.DataFrame, name: str) -> Floats:
        if name not in self._columns:
            known = name in frame.columns
            self._columns[name] = (
                frame[name].to_numpy(dtype=float, na_value=np.nan) if known else np.full(len(self.units), np.nan)
            )
        return self._columns[name]


def _fitted(
    sheet: _Sheet,
    plan: _Plan,
    usual_movement: volatility.Fit,
    settings: Settings,
    *,
    region_effects: bool,
) -> Fitted:
    window, in_points = sheet.window, plan.outcome == observations.CHANGE_PER_10K
    is_complete = sheet.is_complete(plan)
    rows = np.flatnonzero(is_complete)
    result = _without_data(plan, sheet)
    if result is None:
        design = _design(sheet, plan, rows, region_effects=region_effects)
        result = designs.problem(design, settings.regression.fewest_units)
    fit = result or _fit(design, plan, sheet, rows, usual_movement, settings.regression.huber_c)
    note = plan.note
    if plan.variant == OFSTED_GRADES and isinstance(fit, Fit):
        note = _joined(note, _against_a_line(fit, sheet.values(terms.OFSTED_SCORE)[rows]))
    return Fitted(
        window_id=window.window_id,
        window_start=window.start,
        window_end=window.end,
        outcome=plan.outcome,
        model=plan.model,
        region_effects=region_effects,
        terms=plan.terms,
        result=fit,
        variant=plan.variant,
        note=note,
        is_log=not in_points,
        post_baseline=frozenset(
            term for term in plan.terms if window.is_post_baseline.get(terms.variable_of(term), False)
        ),
        left_out=_left_out(plan, sheet, np.flatnonzero(~is_complete)),
        units_of_terms={terms.BASELINE: _RATE_AT_START} if in_points else {},
    )


def _design(sheet: _Sheet, plan: _Plan, rows: Integers, *, region_effects: bool) -> Design:
    """The outcome and the terms of the units that have them all."""
    return designs.build(
        sheet.outcome(plan.outcome)[rows],
        {term: sheet.term(term, plan.outcome)[rows] for term in plan.terms},
        [sheet.units[row] for row in rows],
        [sheet.regions[row] for row in rows],
        region_effects=region_effects,
    )


def _without_data(plan: _Plan, sheet: _Sheet) -> Problem | None:
    """A term or an outcome that no unit of the window has."""
    for name in plan.outcomes:
        if not np.isfinite(sheet.outcome(name)).any():
            reasons = Counter(sheet.reason_of_outcome(name, row) for row in range(len(sheet.units)))
            reason = reasons.most_common(1)[0][0] if reasons else NOT_AVAILABLE
            return Problem(reason, f"no unit of the window has the outcome {name}")
    for term in plan.terms:
        if not np.isfinite(sheet.term(term, plan.outcome)).any():
            variable = terms.variable_of(term)
            return Problem(designs.NO_EXPOSURE, f"no unit of the window has a value of {variable}", term)
    return None


def _left_out(plan: _Plan, sheet: _Sheet, rows: Integers) -> dict[str, str]:
    """Why each of some units is not in the model: the first thing it lacks, outcome before terms."""
    first = sheet.missing(plan)[rows].argmax(axis=1)
    found = {}
    for row, lacking in zip(rows.tolist(), first.tolist(), strict=True):
        if lacking < len(plan.outcomes):
            found[sheet.units[row]] = sheet.reason_of_outcome(plan.outcomes[lacking], row)
        else:
            found[sheet.units[row]] = sheet.reason(terms.variable_of(plan.terms[lacking - len(plan.outcomes)]), row)
    return found


def _fit(
    design: Design,
    plan: _Plan,
    sheet: _Sheet,
    rows: Integers,
    usual_movement: volatility.Fit,
    huber_c: float,
) -> Fit | Problem:
    """The estimate of a model, by its own method."""
    start, end = (sheet.outcome(f"looked_after_{when}")[rows] for when in ("start", "end"))
    if plan.model == "M3":
        if usual_movement.reason is not None:
            return Problem(usual_movement.reason, "the usual movement could not be fitted, see main.volatility")
        return fits.wls(design, 1 / usual_movement.variance((start + end) / 2, sheet.window.years))
    if plan.model == "M4":
        people = [sheet.outcome(f"population_{when}")[rows] for when in ("start", "end")]
        return fits.quasi_poisson(design, end, np.log(start * people[1] / people[0]))
    if plan.variant == HUBER:
        return fits.huber(design, huber_c)
    if plan.variant == MEDIAN:
        return fits.median(design)
    return fits.ols(design)


def _against_a_line(fit: Fit, score: Floats) -> str:
    """Whether the grades say more than their score: F of three indicators against one slope, equal variances."""
    design = fit.design
    others = [place for place, name in enumerate(design.names) if name not in terms.GRADES]
    on_a_line = np.column_stack([design.matrix[:, others], score])
    fitted, *_ = np.linalg.lstsq(on_a_line, design.outcome, rcond=None)
    with_line = float(np.sum((design.outcome - on_a_line @ fitted) ** 2))
    with_grades = float(fit.residuals @ fit.residuals)
    added = design.k - on_a_line.shape[1]
    f = (with_line - with_grades) / added / (with_grades / fit.df)
    p = float(special.fdtrc(added, fit.df, f))
    return f"Grades against their linear score: F = {f:.2f} on {added} and {fit.df:.0f}, p = {p:.3f}."


# ---------------------------------------------------------------------------------------------------------------------
# Resampling


def resampled(fitted: Sequence[Fitted], settings: Settings, draws: range | None = None) -> dict[Key, Resampled]:
    """Bootstraps, permutations and leave-one-out of the terms of M1, M2, M8, M9 and M10 (methods.md D6).

    All draws of the settings, or those of a range: ranges that follow on one another add up to the same.

    One term after another: more threads than those of the linear algebra cost more than they bring.
    """
    wanted = range(settings.regression.resampling_draws) if draws is None else draws
    fits_of = [(one, one.result) for one in fitted if isinstance(one.result, Fit) and is_resampled(one)]
    return {
        key_of(one, term): _resample(one, fit, term, settings.seed, wanted)
        for one, fit in fits_of
        for term in terms.WITHOUT_BASELINE
    }


def is_resampled(model: Fitted | _Plan) -> bool:
    """Whether methods.md D6 names the model."""
    return model.variant == PRIMARY and model.outcome in _RESAMPLED.get(model.model, ())


def _resample(fitted: Fitted, fit: Fit, term: str, seed: int, draws: range) -> Resampled:
    design, place = fit.design, fit.design.column(term)
    estimate = fit.estimate[place]
    left_out = resampling.leave_one_out(design)[:, place]
    regions = len(set(design.regions))

    def stream(purpose: int) -> np.random.Generator:
        return randomness.stream(seed, purpose, model_index(fitted), place)

    def wild() -> Tally:
        random = stream(randomness.WILD)
        resampling.pass_over_bits(random, draws.start, design.n)
        return resampling.wild_draws(design, term, len(draws), random).tally

    def by_region() -> Tally:
        random = stream(randomness.REGION_WILD)
        resampling.pass_over_webb(random, draws.start, regions)
        return resampling.region_wild_draws(design, term, len(draws), random).tally

    def permutation() -> Tally:
        random = stream(randomness.FREEDMAN_LANE)
        resampling.pass_over_permutations(random, draws.start, design.n)
        return resampling.freedman_lane_draws(design, term, len(draws), random).tally

    return Resampled(
        wild_tally=wild(),
        region_tally=by_region() if regions > 1 else None,
        permutation_tally=permutation() if term == terms.INNOVATION else None,
        leave_one_out_min=float(left_out.min()),
        leave_one_out_max=float(left_out.max()),
        sign_changes=int(np.count_nonzero(np.sign(left_out) != np.sign(estimate))),
    )
