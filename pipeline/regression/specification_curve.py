"""Whether the choices matter: one question under all 768 specifications, and how unusual their picture is (methods.md D7).

What belongs here: the specifications, their estimates, and the joint permutation test (after Simonsohn, Simmons and Nelson
2020, Nat Hum Behav 4:1208). What does not: single models (`models`) and the algebra of a refit (`resampling`).

All specifications have the same units, so that one permutation of them serves all. Under a permutation every coding of the
focal variable, in both windows, goes with its unit to another unit of the region, and everything else stays: the other
terms, the level of deprivation where its change is permuted, weights and outcomes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from pipeline import exposures, randomness, volatility
from pipeline.reasons import NOT_AVAILABLE
from pipeline.regression import design, observations, resampling, terms
from pipeline.regression.design import Design, Floats, Integers, Problem
from pipeline.regression.observations import WindowUnits
from pipeline.settings import Settings
from pipeline.tables import model_tables
from pipeline.tables.frames import conform

PRIMARY_WINDOW = "main_h5"
WINDOWS = (PRIMARY_WINDOW, "main_h4")
OUTCOMES = (observations.LOG_RATE_RATIO, observations.NUMBER, observations.EXCLUDING_UASC, observations.STARTS)
EQUAL, USUAL_MOVEMENT = "equal", "usual_movement"
WEIGHTS = (EQUAL, USUAL_MOVEMENT)
LOW_INCOME, FREE_MEALS = "low_income", "free_school_meals"
# Change and level of each measure of deprivation.
DEPRIVATION = {
    LOW_INCOME: (exposures.DEPRIVATION_CHANGE, exposures.DEPRIVATION_LEVEL),
    FREE_MEALS: (exposures.FREE_MEALS_CHANGE, exposures.FREE_MEALS_LEVEL),
}
OFSTED = (exposures.OFSTED_GOOD, "ofsted_not_inadequate")
INNOVATION = (exposures.INNOVATION, "innovation_any_programme", "innovation_lead")

_VARIABLES = (*(name for pair in DEPRIVATION.values() for name in pair), *OFSTED, *INNOVATION, exposures.BASELINE)
# Columns at a time: their intermediate results stay in the processor's cache, and their products are too small for the
# library to share them among threads, which on a busy machine takes ten times as long.
_BLOCK = 128
_PERMUTED_NUMBERS = 2**22  # of permuted columns at a time: where units are many, all draws would not fit the memory
_SAME = 1e-12  # of a statistic: a draw that gives the observed picture again is not under it for a rounding error

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Specification:
    """One set of choices. Variables are named as in `main.exposures`, outcomes as in `observations`."""

    outcome: str
    window_id: str
    has_baseline: bool
    region_effects: bool
    weights: str
    deprivation: str
    ofsted: str
    innovation: str

    @property
    def variables(self) -> dict[str, str]:
        """The variable behind each term, in the order of the terms of M2."""
        change, level = DEPRIVATION[self.deprivation]
        baseline = {terms.BASELINE: exposures.BASELINE} if self.has_baseline else {}
        return {
            terms.DEPRIVATION_CHANGE: change,
            terms.DEPRIVATION_LEVEL: level,
            terms.INNOVATION: self.innovation,
            terms.OFSTED_GOOD: self.ofsted,
        } | baseline


# The first is the primary model, M2.
SPECIFICATIONS = tuple(
    Specification(*choice)
    for choice in product(OUTCOMES, WINDOWS, (True, False), (False, True), WEIGHTS, DEPRIVATION, OFSTED, INNOVATION)
)


@dataclass(frozen=True)
class CompleteUnits:
    """The units that have every value in every specification that can be made, in the order of their ids.

    `outcomes` and `exposed` are keyed by window and name, `weights` (M3, 1 / variance of usual movement) by window, each of
    shape (n,). `missing` has the reason of every part that no unit has, keyed in the same way.
    """

    units: tuple[str, ...]
    regions: tuple[str, ...]
    outcomes: Mapping[tuple[str, str], Floats]
    exposed: Mapping[tuple[str, str], Floats]
    weights: Mapping[str, Floats]
    missing: Mapping[tuple[str, str], str]

    def why_not(self, one: Specification) -> Problem | None:
        """The first part of a specification that is missing."""
        for name in (one.outcome, *one.variables.values(), one.weights):
            if (one.window_id, name) in self.missing:
                return Problem(self.missing[one.window_id, name], f"{name} has no values in {one.window_id}")
        return None

    def design(self, one: Specification) -> Design:
        """The design of a specification whose parts are all there."""
        columns = {term: self.exposed[one.window_id, name] for term, name in one.variables.items()}
        return design.build(
            self.outcomes[one.window_id, one.outcome],
            columns,
            self.units,
            self.regions,
            region_effects=one.region_effects,
        )


@dataclass(frozen=True)
class Refits:
    """The estimates of one focal term: the observed in row 0, then a row a draw; a column a specification.

    NaN where there is no specification to fit, and where the permuted column leaves nothing to estimate from. `std_error`
    has the observed row alone, shape (specifications,).
    """

    estimate: Floats
    is_significant: Bools
    std_error: Floats


@dataclass(frozen=True)
class Picture:
    """What a set of estimates comes to, observed in place 0 and then by draw; each of shape (1 + draws,)."""

    median: Floats
    positive_share: Floats
    majority_share: Floats
    significant_share: Floats


@dataclass(frozen=True)
class Piece:
    """One piece of work: a focal term under a range of the permutations. It needs no other piece.

    `spans` are the years of the windows that are there. `name` is its own among all pieces.
    """

    name: str
    term: str
    draws: range
    found: CompleteUnits
    problems: Mapping[Specification, Problem]
    spans: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Done:
    """What a piece came to: the curve and the facts of its summary, which are of the observed, and the draws' pictures.

    `pictures` has the observed in place 0; it is None where nothing can be fitted.
    """

    term: str
    draws: range
    curve: pd.DataFrame
    facts: Mapping[str, object]
    pictures: Picture | None
    n_refits_missing: int


def specification_curve(
    windows: Mapping[str, WindowUnits], usual_movement: volatility.Fit, settings: Settings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`main.specification_curve` and `main.specification_curve_summary`, worked on here one term after the other.

    `windows` by their id, of which `main_h5` and `main_h4` are taken if they are there. `usual_movement` is the
    primary fit of `main.volatility`, whose reason stands where there is none. What cannot be fitted has a reason and no
    estimate.
    """
    wanted = [range(settings.regression.curve_draws)]
    return together([work(piece, settings) for piece in pieces(windows, usual_movement, settings, wanted)], settings)


def pieces(
    windows: Mapping[str, WindowUnits], usual_movement: volatility.Fit, settings: Settings, draws: Sequence[range]
) -> Iterator[Piece]:
    """A piece for each focal term and each of the ranges, which together are the settings' draws."""
    found = complete_units(windows, usual_movement)
    problems = problems_of(found, settings.regression.fewest_units)
    spans = {
        window_id: (windows[window_id].start, windows[window_id].end) for window_id in WINDOWS if window_id in windows
    }
    for term in terms.FOCAL:
        for place, own in enumerate(draws):
            yield Piece(f"{term}_draws_{place}" if place else term, term, own, found, problems, spans)


def work(piece: Piece, settings: Settings) -> Done:
    """All specifications of one term under a range of the permutations."""
    found, problems = piece.found, piece.problems
    random = randomness.stream(settings.seed, randomness.SPECIFICATION_CURVE)
    resampling.pass_over_permutations(random, piece.draws.start, len(found.regions))
    order = permutations(found.regions, len(piece.draws), random)
    refits = refit(piece.term, found, problems, order, settings.regression.curve_p)
    fitted = [place for place, one in enumerate(SPECIFICATIONS) if one not in problems]
    estimate = refits.estimate[:, fitted]
    return Done(
        term=piece.term,
        draws=piece.draws,
        curve=_curve_of(piece.term, found, piece.spans, problems, refits),
        facts=_facts_of(piece.term, found, problems, refits, settings),
        pictures=picture(estimate, refits.is_significant[:, fitted]) if fitted else None,
        n_refits_missing=int((~np.isfinite(estimate[1:])).sum()),
    )


def together(done: Sequence[Done], settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`main.specification_curve` and `main.specification_curve_summary` of all pieces, in whatever order they come.

    ValueError when the ranges of a term are not the settings' draws, each once.
    """
    curves, summaries = [], []
    for term in terms.FOCAL:
        own = sorted((one for one in done if one.term == term), key=lambda one: one.draws.start)
        ends = [0, *(one.draws.stop for one in own)]
        if [one.draws.start for one in own] != ends[:-1] or ends[-1] != settings.regression.curve_draws:
            raise ValueError(f"{term}: not each of {settings.regression.curve_draws} permutations once")
        curves.append(own[0].curve)
        summaries.append({**own[0].facts, **_tested(own)})
    table, summary = model_tables.SPECIFICATION_CURVE, model_tables.SPECIFICATION_CURVE_SUMMARY
    return conform(pd.concat(curves), table), conform(pd.DataFrame(summaries, columns=summary.column_names), summary)


# ---------------------------------------------------------------------------------------------------------------------
# Which units, and which specifications can be fitted


def complete_units(windows: Mapping[str, WindowUnits], usual_movement: volatility.Fit) -> CompleteUnits:
    """The units complete in every specification, in both windows.

    A part without a value in any unit of a window (an optional file that is not there) takes its specifications with it,
    not the units.
    """
    frames = {window_id: _parts(windows[window_id]) for window_id in WINDOWS if window_id in windows}
    missing = {
        (window_id, name): _why(windows.get(window_id), name)
        for window_id in WINDOWS
        for name in (*OUTCOMES, *_VARIABLES)
        if window_id not in frames or frames[window_id][name].isna().all()
    }
    there = [
        frame[[name for name in frame if (window_id, name) not in missing]].dropna().index
        for window_id, frame in frames.items()
    ]
    ids = sorted(set(there[0]).intersection(*there[1:])) if there else []
    own = {window_id: frame.loc[ids] for window_id, frame in frames.items()}
    regions = windows[next(iter(frames))].units["region"].loc[ids] if frames else []
    weights = {}
    if usual_movement.reason is None:
        for window_id, frame in own.items():
            weights[window_id] = 1 / usual_movement.variance(frame["mean_number"], windows[window_id].years)
    unweighed = usual_movement.reason or NOT_AVAILABLE
    missing |= {(window_id, USUAL_MOVEMENT): unweighed for window_id in WINDOWS if window_id not in weights}
    return CompleteUnits(
        units=tuple(str(one) for one in ids),
        regions=tuple(str(region) for region in regions),
        outcomes={(at, name): frame[name].to_numpy(dtype=float) for at, frame in own.items() for name in OUTCOMES},
        exposed={(at, name): frame[name].to_numpy(dtype=float) for at, frame in own.items() for name in _VARIABLES},
        weights=weights,
        missing=missing,
    )


def _parts(window: WindowUnits) -> pd.DataFrame:
    """Outcomes, variables and the mean of the two counts, a row a unit."""
    counts = window.units[["looked_after_start", "looked_after_end"]].astype(float)
    values = window.values.reindex(columns=list(_VARIABLES)).astype(float)  # noqa: PD011 - a frame, not a method
    return pd.concat(
        [window.units[list(OUTCOMES)].astype(float), values, counts.mean(axis=1).rename("mean_number")], axis=1
    )


def _why(window: WindowUnits | None, name: str) -> str:
    """The reason of a part without values: that of its first unit, where it has one."""
    if window is None:
        return NOT_AVAILABLE
    told = window.reasons if name in _VARIABLES else window.outcome_reasons
    known = told[name].dropna() if name in told else []
    if len(known):
        return str(next(iter(known)))
    return exposures.NO_EXPOSURE if name in _VARIABLES else NOT_AVAILABLE


def problems_of(found: CompleteUnits, fewest_units: int) -> dict[Specification, Problem]:
    """Why each specification that cannot be fitted cannot. Weights do not matter: no unit has weight 0."""
    known: dict[Specification, Problem | None] = {}
    problems = {}
    for one in SPECIFICATIONS:
        absent = found.why_not(one)
        if absent is None:
            unweighted = replace(one, weights=EQUAL)
            if unweighted not in known:
                known[unweighted] = design.problem(found.design(unweighted), fewest_units)
            absent = known[unweighted]
        if absent is not None:
            problems[one] = absent
    return problems


# ---------------------------------------------------------------------------------------------------------------------
# Estimates, observed and permuted


def permutations(regions: Sequence[str], draws: int, random: np.random.Generator) -> Integers:
    """Which unit's value comes to each unit: row 0 its own, then a row a draw, within region; shape (1 + draws, n)."""
    own = np.arange(len(regions))[np.newaxis]
    return np.concatenate([own, *resampling.permutations_within(random, draws, regions)]) if len(regions) else own


def refit(
    term: str, found: CompleteUnits, problems: Mapping[Specification, Problem], order: Integers, level: float
) -> Refits:
    """Every specification under every permutation of one focal term; p is under `level` where t is over its critical value.

    Specifications that differ in their outcome and the coding of the term alone share the other terms, and are refitted
    together.
    """
    shape = (len(order), len(SPECIFICATIONS))
    refits = Refits(np.full(shape, np.nan), np.zeros(shape, dtype=bool), np.full(shape[1], np.nan))
    for members in _groups(term, problems):
        _refit_group(term, members, found, order, level, refits)
    return refits


def _groups(term: str, problems: Mapping[Specification, Problem]) -> Iterable[list[int]]:
    """Places of the specifications that can be fitted, by the terms that stay as they are."""
    groups: dict[Specification, list[int]] = defaultdict(list)
    for place, one in enumerate(SPECIFICATIONS):
        if one not in problems:
            groups[_without_focal(one, term)].append(place)
    return groups.values()


def _without_focal(one: Specification, term: str) -> Specification:
    """The same for all that share the other terms. The level of deprivation is one of them, so its measure stays."""
    if term == terms.INNOVATION:
        return replace(one, outcome="", innovation="")
    if term == terms.OFSTED_GOOD:
        return replace(one, outcome="", ofsted="")
    return replace(one, outcome="")


def _refit_group(
    term: str, members: Sequence[int], found: CompleteUnits, order: Integers, level: float, refits: Refits
) -> None:
    """Fill the members' columns. A group is all its outcomes by all its codings: a problem is of one or of the other."""
    first = SPECIFICATIONS[members[0]]
    full = found.design(first)
    root = np.sqrt(found.weights[first.window_id]) if first.weights == USUAL_MOVEMENT else np.ones(full.n)
    codings = list(dict.fromkeys(SPECIFICATIONS[place].variables[term] for place in members))
    outcomes = list(dict.fromkeys(SPECIFICATIONS[place].outcome for place in members))
    others = np.delete(full.matrix, full.column(term), axis=1) * root[:, np.newaxis]
    weighted = np.stack([found.outcomes[first.window_id, outcome] for outcome in outcomes]) * root
    critical = special.stdtrit(full.n - full.k, 1 - level / 2)
    at_a_time = max(1, _PERMUTED_NUMBERS // full.n)
    for start in range(0, len(order), at_a_time):
        rows = slice(start, min(start + at_a_time, len(order)))
        permuted = np.concatenate([found.exposed[first.window_id, coding][order[rows]] for coding in codings])
        estimate, std_error = resampling.regress_on_columns(
            others, permuted * root, weighted, block=min(_BLOCK, resampling.rows_in_block(full.n))
        )
        shape = (len(codings), rows.stop - rows.start, len(outcomes))
        estimate, std_error = (
            np.where(np.isfinite(std_error), estimate, np.nan).reshape(shape),
            std_error.reshape(shape),
        )
        for place in members:
            one = SPECIFICATIONS[place]
            coding, outcome = codings.index(one.variables[term]), outcomes.index(one.outcome)
            refits.estimate[rows, place] = estimate[coding, :, outcome]
            refits.is_significant[rows, place] = (
                np.abs(estimate[coding, :, outcome]) > critical * std_error[coding, :, outcome]
            )
            if start == 0:
                refits.std_error[place] = std_error[coding, 0, outcome]


# ---------------------------------------------------------------------------------------------------------------------
# What they come to


def picture(estimate: Floats, is_significant: Bools) -> Picture:
    """Median, shares of the signs and share of small p, by row; shape (1 + draws, specifications).

    Refits that gave no estimate are left out of the row; a row of nothing else has NaN.
    """
    fitted = np.isfinite(estimate)
    n = fitted.sum(axis=1)

    def share(flags: Bools) -> Floats:
        shares: Floats = np.divide((flags & fitted).sum(axis=1), n, out=np.full(len(n), np.nan), where=n > 0)
        return shares

    median = np.full(len(n), np.nan)
    whole, some = n == estimate.shape[1], (n > 0) & (n < estimate.shape[1])
    median[whole] = np.median(estimate[whole], axis=1)
    median[some] = np.nanmedian(estimate[some], axis=1)
    positive = share(estimate > 0)
    return Picture(median, positive, np.maximum(positive, share(estimate < 0)), share(is_significant))


def joint_p(statistic: Floats) -> float:
    """(1 + draws with a statistic at least as large as the observed) / (1 + draws); the observed is in place 0.

    A draw without a statistic (NaN) counts as one of them: what is not known speaks for nothing.
    """
    is_smaller = statistic[1:] < statistic[0] - _SAME * abs(statistic[0])
    return float((1 + np.count_nonzero(~is_smaller)) / len(statistic))


def _curve_of(
    term: str,
    found: CompleteUnits,
    spans: Mapping[str, tuple[int, int]],
    problems: Mapping[Specification, Problem],
    refits: Refits,
) -> pd.DataFrame:
    rows = [
        {
            "specification": place + 1,
            "term": term,
            "variable": one.variables[term],
            "unit_of_term": terms.unit_of(term),
            "outcome": one.outcome,
            "window_id": one.window_id,
            "window_start": spans[one.window_id][0] if one.window_id in spans else None,
            "window_end": spans[one.window_id][1] if one.window_id in spans else None,
            "has_baseline": one.has_baseline,
            "region_effects": one.region_effects,
            "weights": one.weights,
            "deprivation": one.deprivation,
            "ofsted": one.ofsted,
            "innovation": one.innovation,
            "is_primary": place == 0,
            "n": len(found.units),
            **_figures(problems.get(one), refits.estimate[0, place], refits.std_error[place], _df(one, found)),
        }
        for place, one in enumerate(SPECIFICATIONS)
    ]
    return pd.DataFrame(rows)


def _df(one: Specification, found: CompleteUnits) -> int:
    """Units less the constant, the terms, and the regions but one."""
    regions = len(set(found.regions)) - 1 if one.region_effects else 0
    return len(found.units) - 1 - len(one.variables) - regions


def _figures(problem: Problem | None, estimate: float, std_error: float, df: int) -> dict[str, object]:
    if problem is not None:
        nothing = dict.fromkeys(("df", "estimate", "std_error", "statistic", "p_value", "lower_95", "upper_95"))
        return nothing | {"reason": problem.reason, "detail": problem.detail}
    t = estimate / std_error
    half = float(special.stdtrit(df, 0.975)) * std_error
    return {
        "df": df,
        "estimate": estimate,
        "std_error": std_error,
        "statistic": t,
        "p_value": float(2 * special.stdtr(df, -abs(t))),
        "lower_95": estimate - half,
        "upper_95": estimate + half,
        "reason": None,
        "detail": None,
    }


def _facts_of(
    term: str, found: CompleteUnits, problems: Mapping[Specification, Problem], refits: Refits, settings: Settings
) -> dict[str, object]:
    """What a summary says of the observed estimates."""
    fitted = [place for place, one in enumerate(SPECIFICATIONS) if one not in problems]
    row: dict[str, object] = {
        "window_id": PRIMARY_WINDOW,
        "term": term,
        "unit_of_term": terms.unit_of(term),
        "n_asked": len(SPECIFICATIONS),
        "n": len(found.units),
        "p_level": settings.regression.curve_p,
        "seed": settings.seed,
    }
    if not fitted:
        first = next(iter(problems.values()))
        return row | {"reason": first.reason}
    observed = refits.estimate[0, fitted]
    return row | {
        "n_specifications": len(fitted),
        "n_positive": int((observed > 0).sum()),
        "n_p_below_level": int(refits.is_significant[0, fitted].sum()),
        "lowest_estimate": float(observed.min()),
        "highest_estimate": float(observed.max()),
        "reason": None,
    }


def _tested(parts: Sequence[Done]) -> dict[str, object]:
    """What a summary says of the observed picture among those of all draws; nothing where there is none."""
    pictures = [one.pictures for one in parts if one.pictures is not None]
    if not pictures:
        return {}
    seen = _joined(pictures)
    return {
        "median_estimate": float(seen.median[0]),
        "median_p": joint_p(np.abs(seen.median)),
        "majority_sign": "positive" if seen.positive_share[0] == seen.majority_share[0] else "negative",
        "majority_share": float(seen.majority_share[0]),
        "majority_p": joint_p(seen.majority_share),
        "significant_share": float(seen.significant_share[0]),
        "significant_p": joint_p(seen.significant_share),
        "draws": len(seen.median) - 1,
        "n_refits_missing": sum(one.n_refits_missing for one in parts),
    }


def _joined(pictures: Sequence[Picture]) -> Picture:
    """The observed once, then the draws of all."""

    def of(name: str) -> Floats:
        first, *others = (getattr(one, name) for one in pictures)
        return np.concatenate([first, *(own[1:] for own in others)])

    return Picture(*(of(field.name) for field in fields(Picture)))
