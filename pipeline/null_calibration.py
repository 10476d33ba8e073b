"""How often units without a trend of their own are flagged, by the project's rule and by textbook rules (methods.md C13).

What belongs here: drawing countries in which every rate follows England and moves by usual movement alone, the share of
units that each rule flags in them and in the real data, and the verdict on the project's own rule. What does not: the
rules (`evidence`, `textbook_rules`, `recent_trend`, `funnel`) and the size of usual movement (`volatility`).

The draws are fitted to the data, so that they move as much as the data do by construction. The point is that no local
trend is needed to get such shares.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline import (
    evidence,
    funnel,
    limits,
    randomness,
    recent_trend,
    textbook_rules,
    trends,
    unit_series,
    volatility,
)
from pipeline.geography import Areas
from pipeline.limits import Floats
from pipeline.settings import Settings
from pipeline.tables import evidence_tables
from pipeline.tables.frames import conform
from pipeline.textbook_rules import Flags
from pipeline.volatility import Fit
from pipeline.windows import PRIMARY, Window, WindowData

USUAL, USUAL_REFITTED = "usual_movement", "usual_movement_refitted"
EXCEPTIONAL, EXCEPTIONAL_REFITTED = "evidence_a", "evidence_a_refitted"
OPPOSITE, APART, FUNNEL, MARKER = "opposite_sign", "apart_from_england", "funnel_od", "fingertips_marker"
POISSON, QUASI_POISSON, MANN_KENDALL = "poisson_slope", "quasi_poisson_slope", "mann_kendall"
RULES = (USUAL, USUAL_REFITTED, EXCEPTIONAL, EXCEPTIONAL_REFITTED, OPPOSITE, APART, FUNNEL, MARKER, POISSON,
         QUASI_POISSON, MANN_KENDALL)  # fmt: skip

NOT_AVAILABLE, TOO_FEW_UNITS, NOT_CONVERGED, NOT_APPLICABLE = (
    "not_available", "too_few_units", "not_converged", "not_applicable",
)  # fmt: skip
_TAILS = (2.5, 97.5)
# Draws at a time, and fewer where units are many: their arrays stay in the processor's cache, and the result does not
# depend on it.
_BLOCK, _BLOCK_NUMBERS = 50, 2**16


@dataclass(frozen=True)
class Panel:
    """The units of a window with both numbers in every year: arrays of shape (units, years), all above 0.

    `england_log` is the observed L of England, pooled over these units, of shape (years,).
    """

    unit_ids: tuple[str, ...]
    counts: Floats
    people: Floats

    @property
    def england_log(self) -> Floats:
        """Ln of the pooled rate of each year."""
        return unit_series.england_log_rate(self.counts, self.people)

    @property
    def steps(self) -> int:
        """Yearly steps: h."""
        years: int = self.counts.shape[1] - 1
        return years


@dataclass(frozen=True)
class Judged:
    """What the rules say of countries: for each rule flags of shape (countries, units), and the p of the project's rule.

    A rule that could not be applied to a country has no flags there (`cannot`, shape (countries,)).
    """

    flags: Mapping[str, Flags]
    cannot: Mapping[str, Flags]
    p: Floats

    def shares(self, rule: str) -> Floats:
        """Share of units flagged in each country, NaN where the rule could not be applied; shape (countries,)."""
        shares = self.flags[rule].mean(axis=-1)
        return np.where(self.cannot[rule], np.nan, shares) if rule in self.cannot else shares


@dataclass(frozen=True)
class Shares:
    """Shares flagged by rule, in the real data (a number) and in each draw (shape (draws,))."""

    real: Mapping[str, float]
    null: Mapping[str, Floats]


@dataclass(frozen=True)
class Calibration(Shares):
    """The same, with the p of the project's rule for every unit in every draw, shape (draws, units)."""

    p: Floats


def panel(data: WindowData, looked_after: pd.DataFrame, population: pd.DataFrame, areas: Areas) -> Panel:
    """The compared units of a window that have counts and populations in all its years, in unit_id order."""
    units = sorted((ends.unit for ends in trends.units_compared(data, areas.too_small)), key=lambda unit: unit.unit_id)
    years = range(data.window.start, data.window.end + 1)
    stock = unit_series.of_units(units, years, unit_series.newest(looked_after), areas)
    children = unit_series.of_units(units, years, unit_series.populations(population, data.window.vintage), areas)
    there = unit_series.complete(stock, children)
    return Panel(
        unit_ids=tuple(unit.unit_id for unit, complete in zip(units, there, strict=True) if complete),
        counts=stock.numbers[there],
        people=children.numbers[there],
    )


def simulated(found: Panel, usual: Fit, noise: Floats) -> Floats:
    """Counts of countries without local trends, not rounded; shape (countries, units, years).

    From the observed first year on, L*(t) = L*(t-1) + [G(t) - G(t-1)] + noise x sqrt(a + b / N*(t-1)), G being England's
    observed L, and N*(t) = P(t) exp(L*(t)). `noise` is standard normal, of shape (countries, steps, units).
    """
    people, england_steps = found.people, np.diff(found.england_log)
    counts = np.empty((len(noise), *people.shape))
    counts[:, :, 0] = found.counts[:, 0]
    log_rate = np.broadcast_to(np.log(found.counts[:, 0] / people[:, 0]), (len(noise), len(people)))
    for step in range(found.steps):
        spread = np.sqrt(usual.variance(counts[:, :, step]))
        log_rate = log_rate + england_steps[step] + noise[:, step] * spread
        counts[:, :, step + 1] = people[:, step + 1] * np.exp(log_rate)
    return counts


def blocks_of_noise(found: Panel, draws: int | range, seed: int, block: int) -> Iterator[Floats]:
    """The noise of so many draws or of a range of them, a few at a time: shape (draws, steps, units).

    Cut into blocks of any size it is the same. A normal number takes now one and now several numbers of the generator,
    so those before the range are made and left.
    """
    wanted = draws if isinstance(draws, range) else range(draws)
    random = randomness.stream(seed, randomness.NULL_CALIBRATION)
    for first in range(0, wanted.start, block):
        random.standard_normal((min(block, wanted.start - first), found.steps, len(found.counts)))
    for first in range(wanted.start, wanted.stop, block):
        yield random.standard_normal((min(block, wanted.stop - first), found.steps, len(found.counts)))


def judge(counts: Floats, found: Panel, usual: Fit, settings: Settings) -> Judged:
    """Apply every rule to countries of shape (countries, units, years) with the panel's populations.

    England of a relative change is pooled over each country's own counts. Where a rule needs England by itself (its sign,
    the offset of the slopes, L - G) it is the observed one.
    """
    people, england, steps = found.people, found.england_log, found.steps
    chosen = settings.evidence
    change = np.log(counts[..., -1] / counts[..., 0]) - np.log(people[:, -1] / people[:, 0])
    own_england = np.log(counts.sum(axis=-2)[..., [0, -1]] / people.sum(axis=0)[[0, -1]])
    relative = change - (own_england[..., 1] - own_england[..., 0])[..., np.newaxis]
    mean_number = (counts[..., 0] + counts[..., -1]) / 2
    usual_movement = evidence.judge(relative, mean_number, steps, usual, chosen)
    flags = {
        USUAL: usual_movement.is_unusual,
        EXCEPTIONAL: usual_movement.grade == evidence.A,
        OPPOSITE: textbook_rules.opposite_sign(change, england[-1] - england[0]),
        APART: textbook_rules.is_apart(relative, settings.classes.relative_pct, settings.classes.tolerance_log),
        FUNNEL: is_outside_funnel(relative, counts[..., 0], counts[..., -1], settings),
        MARKER: _is_marked(counts, people, settings),
        MANN_KENDALL: textbook_rules.mann_kendall_p(np.log(counts / people) - england) < settings.calibration.test_p,
    }
    slopes = textbook_rules.slopes(counts, people * np.exp(england))
    flags |= {
        POISSON: slopes.p_poisson < settings.calibration.test_p,
        QUASI_POISSON: slopes.p_quasi < settings.calibration.test_p,
    }
    refitted, cannot = _refitted(counts, people, relative, mean_number, settings)
    return Judged(flags | refitted, dict.fromkeys(refitted, cannot), usual_movement.p)


def is_outside_funnel(relative: Floats, count_start: Floats, count_end: Floats, settings: Settings) -> Flags:
    """Whether each relative change is outside the funnel widened for over-dispersion (C10 on relative changes)."""
    z = funnel.of_changes(relative, count_start, count_end, settings.evidence.funnel_winsorise)
    return np.abs(z) >= settings.evidence.funnel_inner_z


def _is_marked(counts: Floats, people: Floats, settings: Settings) -> Flags:
    points = min(settings.evidence.trend_points, counts.shape[-1])
    own, children = counts[..., -points:], people[:, -points:]
    low, high = limits.rate_limits(own, children, settings.evidence.limits_confidence)
    years, rates = np.arange(points, dtype=float), 10_000 * own / children
    return recent_trend.trends(years, rates, low, high, settings.evidence.trend_confidence).is_marked


def _refitted(
    counts: Floats, people: Floats, relative: Floats, mean_number: Floats, settings: Settings
) -> tuple[dict[str, Flags], Flags]:
    """The project's rule with usual movement fitted to each country's own yearly movements, and where it has no fit."""
    deviation, number = volatility.deviations_of(counts, people)
    countries, steps = len(counts), deviation.shape[-1]
    fits = volatility.fit_many(deviation.reshape(countries, -1), number.reshape(countries, -1), settings.evidence)
    a, b = (np.where(fits.is_converged, values, 1.0)[:, np.newaxis] for values in (fits.a, fits.b))
    found = evidence.against(relative, np.sqrt(steps * (a + b / mean_number)), settings.evidence)
    return {USUAL_REFITTED: found.is_unusual, EXCEPTIONAL_REFITTED: found.grade == evidence.A}, ~fits.is_converged


def calibrate(
    found: Panel, usual: Fit, settings: Settings, *, draws: int | None = None, block: int | None = None
) -> Calibration:
    """Shares of all rules in the real data and in every draw; the settings' number of draws unless given."""
    wanted = settings.calibration.draws if draws is None else draws
    p: list[Floats] = []
    shares = shares_of(found, usual, settings, range(wanted), block=block, keep_p=p)
    return Calibration(shares.real, shares.null, np.concatenate(p))


def shares_of(
    found: Panel,
    usual: Fit,
    settings: Settings,
    draws: range,
    *,
    block: int | None = None,
    keep_p: list[Floats] | None = None,
) -> Shares:
    """The same of a range of the draws. The p of each block, which is as large as the draws, goes into `keep_p` if given."""
    real = judge(found.counts[np.newaxis], found, usual, settings)
    at_a_time = block or max(1, min(_BLOCK, _BLOCK_NUMBERS // len(found.counts)))
    null: dict[str, list[Floats]] = {rule: [] for rule in RULES}
    for noise in blocks_of_noise(found, draws, settings.seed, at_a_time):
        judged = judge(simulated(found, usual, noise), found, usual, settings)
        for rule in RULES:
            null[rule].append(judged.shares(rule))
        if keep_p is not None:
            keep_p.append(judged.p)
    return Shares(
        real={rule: float(real.shares(rule)[0]) for rule in RULES},
        null={rule: np.concatenate(shares) for rule, shares in null.items()},
    )


def distance_from_uniform(p: Floats) -> float:
    """Largest distance between the distribution of p-values and the uniform one (Kolmogorov and Smirnov)."""
    ordered = np.sort(np.ravel(p))
    n = len(ordered)
    return float(max((np.arange(1, n + 1) / n - ordered).max(), (ordered - np.arange(n) / n).max()))


# ---------------------------------------------------------------------------------------------------------------------
# The published table and the verdict


@dataclass(frozen=True)
class Work:
    """The draws of a window's calibration, which need not be made in one place: `panel` is None where there are none.

    `reason` is why. `units` counts the units of the window's panel.
    """

    window: Window
    units: int
    usual: Fit
    panel: Panel | None
    reason: str | None


def null_calibration(
    data: list[WindowData],
    looked_after: pd.DataFrame,
    population: pd.DataFrame,
    areas: Areas,
    usual: Fit,
    settings: Settings,
) -> pd.DataFrame:
    """`main.null_calibration`: one row a rule, for the primary window; without shares and with a reason if need be."""
    asked = work(data, looked_after, population, areas, usual, settings)
    return together(asked, [drawn(asked, range(settings.calibration.draws), settings)], settings)


def work(
    data: list[WindowData],
    looked_after: pd.DataFrame,
    population: pd.DataFrame,
    areas: Areas,
    usual: Fit,
    settings: Settings,
) -> Work:
    """What the draws of the primary window rest on."""
    primary = next(one for one in data if one.window.role == PRIMARY)
    if primary.not_computed is not None:
        return Work(primary.window, 0, usual, None, NOT_AVAILABLE)
    found = panel(primary, looked_after, population, areas)
    n = len(found.unit_ids)
    if usual.reason is not None or n < settings.evidence.min_units:
        return Work(primary.window, n, usual, None, usual.reason or TOO_FEW_UNITS)
    return Work(primary.window, n, usual, found, None)


@dataclass(frozen=True)
class Drawn:
    """A range of the draws and what the rules said of them; None where there is nothing to draw from."""

    draws: range
    found: Shares | None


def drawn(asked: Work, draws: range, settings: Settings) -> Drawn:
    """A range of the draws (methods.md D9): it may be made anywhere, before or after any other."""
    if asked.panel is None:
        return Drawn(draws, None)
    return Drawn(draws, shares_of(asked.panel, asked.usual, settings, draws))


def together(asked: Work, parts: Sequence[Drawn], settings: Settings) -> pd.DataFrame:
    """`main.null_calibration` from all ranges of draws, in whatever order they come.

    ValueError when the ranges are not the settings' draws, each once.
    """
    ordered = sorted(parts, key=lambda part: part.draws.start)
    ends = [0, *(part.draws.stop for part in ordered)]
    if [part.draws.start for part in ordered] != ends[:-1] or ends[-1] != settings.calibration.draws:
        raise ValueError(f"not each of {settings.calibration.draws} draws once: {[part.draws for part in ordered]}")
    found = [part.found for part in ordered if part.found is not None]
    if not found:
        return _table(asked.window, asked.units, settings, None, asked.reason)
    whole = Shares(found[0].real, {rule: np.concatenate([one.null[rule] for one in found]) for rule in RULES})
    return _table(asked.window, asked.units, settings, whole, None)


def nominal(settings: Settings) -> dict[str, float]:
    """The share that a rule is meant to flag where there is no trend; only rules that are tests have one."""
    usual, test = float(evidence.two_sided_p(np.array(settings.evidence.unusual_z))), settings.calibration.test_p
    return {
        USUAL: usual,
        USUAL_REFITTED: usual,
        FUNNEL: float(evidence.two_sided_p(np.array(settings.evidence.funnel_inner_z))),
        MARKER: 1 - settings.evidence.trend_confidence,
        POISSON: test,
        QUASI_POISSON: test,
        MANN_KENDALL: test,
    }


def _table(window: Window, n: int, settings: Settings, found: Shares | None, reason: str | None) -> pd.DataFrame:
    meant = nominal(settings)
    rows = []
    for position, rule in enumerate(RULES, start=1):
        real, mean, low, high = _summary(rule, found)
        is_missing = any(math.isnan(share) for share in (real, mean, low, high))
        rows.append(
            {
                "rule": rule,
                "position": position,
                "nominal": meant.get(rule, math.nan),
                "nominal_reason": None if rule in meant else NOT_APPLICABLE,
                "share_real": real,
                "share_null_mean": mean,
                "share_null_lo": low,
                "share_null_hi": high,
                "n_units": n,
                "window_start": window.start,
                "window_end": window.end,
                "draws": settings.calibration.draws if found else 0,
                "seed": settings.seed,
                "reason": (reason or NOT_CONVERGED) if is_missing else None,
            }
        )
    return conform(pd.DataFrame(rows), evidence_tables.NULL_CALIBRATION)


def _summary(rule: str, found: Shares | None) -> tuple[float, float, float, float]:
    if found is None:
        return math.nan, math.nan, math.nan, math.nan
    shares = found.null[rule]
    low, high = np.percentile(shares, _TAILS, method="linear")
    return found.real[rule], float(shares.mean()), float(low), float(high)


@dataclass(frozen=True)
class Acceptance:
    """Whether the project's own rule flags as few units without a trend as it should, with the figures in a sentence."""

    is_accepted: bool
    detail: str


def acceptance(table: pd.DataFrame, settings: Settings) -> Acceptance:
    """The verdict on `main.null_calibration`, for the project's rule as published and refitted to each draw.

    Accepted if the mean share of units with evidence A or B lies within the settings' limits under both. Where no draws
    were made there is no evidence to hold to account, and the reason stands in the sentence. A fit that did not settle in
    some draw is not accepted.
    """
    lowest, highest = settings.calibration.lowest_share, settings.calibration.highest_share
    shares = table.set_index("rule").loc[[USUAL, USUAL_REFITTED]]
    if not shares["draws"].any():
        return Acceptance(True, f"not calibrated: {shares['reason'].iloc[0]}")
    means = shares["share_null_mean"]
    is_accepted = bool(means.between(lowest, highest).all())
    told = " and ".join(
        f"{_percent(share)} with usual movement {how}"
        for share, how in zip(means, ("as published", "refitted to each draw"), strict=True)
    )
    draws = int(shares["draws"].iloc[0])
    return Acceptance(
        is_accepted,
        f"in {draws} countries without local trends the mean share of units flagged is {told}; "
        f"{'within' if is_accepted else 'it has to be within'} {_percent(lowest)} to {_percent(highest)}",
    )


def _percent(share: float) -> str:
    return "not known" if math.isnan(share) else f"{100 * share:.1f}%"
