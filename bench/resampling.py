"""How long resampling takes, next to the same work one draw at a time by statsmodels and by pyfixest.

What belongs here: the timing of `pipeline.regression.resampling` on one made-up model, whether a loop of fits gives equal
statistics for equal draws, and how time and memory grow. What does not: tests of results (`tests`), and whole analyses.

    python -m bench.resampling

A loop is timed on a few draws and scaled to all. It draws its own random numbers, as the engine does, and calls what its
library offers for one fit with the statistic that is asked for. pyfixest's own bootstrap and randomisation are timed too,
which answer the question with other draws and, where it says so, another statistic.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
import typer
from threadpoolctl import threadpool_limits

from bench.evidence import seconds
from pipeline.regression import design, resampling
from pipeline.regression.design import Design, Floats

UNITS, REGIONS, DRAWS = 150, 9, 9999
TERM = "taking_part"
LIMIT_RATIO = 200  # statsmodels loop over engine, for all that methods.md D6 asks of one model
LIMIT_GROWTH = 1.1  # exponent: linear, but for the logarithm of a sort, which adds 0.1 between 150 and 35,000 units
EQUAL = 1e-10
TIMED, COMPARED = 150, 50  # draws of a loop that are timed, and whose statistics are compared
SIZES, SIZE_DRAWS = (150, 500, 1500, 5000, 15_000, 35_000), 999
DRAW_COUNTS = (1000, 3000, 10_000, 30_000, 100_000)
REPEATS = 7  # of the engine, which is over so soon that anything else on the machine shows
SEED = 20181129
MISSING = (
    "pyfixest is not installed, so that it is not compared. It brings some forty packages that nothing else needs;\n"
    "`make bench` installs them from bench/requirements.lock where it reaches a package index."
)


@dataclass(frozen=True)
class Method:
    """A way of resampling: the engine, the residuals of its draws for a loop, and the covariance by which it compares.

    `given` gives the engine's own draws, `fresh` draws one at a time as a plain loop would. `tests` are the terms of one
    model that it is applied to (methods.md D6).
    """

    name: str
    engine: Callable[..., resampling.Draws]
    given: Callable[[Design, Floats, int], Floats]
    fresh: Callable[[Design, Floats, np.random.Generator], Floats]
    tests: int
    by_region: bool = False


def made_up(units: int) -> Design:
    """Six terms like those of the primary model, and regions; the same for a number of units."""
    random = np.random.default_rng(SEED)
    columns = {name: random.standard_normal(units) for name in ("change", "level", "start")}
    columns |= {TERM: 1.0 * (random.random(units) < 0.3), "judged_good": 1.0 * (random.random(units) < 0.4)}
    outcome = 0.1 * columns["change"] + random.standard_normal(units) * np.exp(0.2 * columns["level"])
    return design.build(
        outcome, columns, [str(unit) for unit in range(units)], [f"{u % REGIONS}" for u in range(units)]
    )


def stream() -> np.random.Generator:
    """The same random numbers every time."""
    return np.random.default_rng(SEED)


def region_codes(own: Design) -> np.ndarray:
    """Regions as whole numbers."""
    return np.unique(own.regions, return_inverse=True)[1]


def _given_signs(own: Design, residuals: Floats, draws: int) -> Floats:
    return (2 * np.concatenate(list(resampling.random_bits(stream(), draws, own.n))) - 1) * residuals


def _given_webb(own: Design, residuals: Floats, draws: int) -> Floats:
    webb = np.concatenate(list(resampling.webb_weights(stream(), draws, REGIONS)))
    return webb[:, region_codes(own)] * residuals


def _given_moves(own: Design, residuals: Floats, draws: int) -> Floats:
    return residuals[np.concatenate(list(resampling.permutations_within(stream(), draws, own.regions)))]


def _fresh_signs(own: Design, residuals: Floats, random: np.random.Generator) -> Floats:
    return residuals * random.choice([-1.0, 1.0], size=own.n)


def _fresh_webb(own: Design, residuals: Floats, random: np.random.Generator) -> Floats:
    points = np.sqrt([1.5, 1.0, 0.5])
    return residuals * random.choice([*-points, *points], size=REGIONS)[region_codes(own)]


def _fresh_moves(own: Design, residuals: Floats, random: np.random.Generator) -> Floats:
    moved, codes = residuals.copy(), region_codes(own)
    for region in range(REGIONS):
        moved[codes == region] = random.permutation(residuals[codes == region])
    return moved


METHODS = (
    Method("wild bootstrap", resampling.wild_draws, _given_signs, _fresh_signs, 4),
    Method("wild bootstrap by region", resampling.region_wild_draws, _given_webb, _fresh_webb, 4, by_region=True),
    Method("permutation within regions", resampling.freedman_lane_draws, _given_moves, _fresh_moves, 1),
)


@dataclass(frozen=True)
class Loop:
    """One fit after another by a library: t of the term for an outcome."""

    name: str
    t: Callable[[Design, Floats, bool], float]


def by_statsmodels(own: Design, outcome: Floats, by_region: bool) -> float:
    """HC3, or clustered by region with the usual factor."""
    covariance = (
        {"cov_type": "cluster", "cov_kwds": {"groups": region_codes(own)}} if by_region else {"cov_type": "HC3"}
    )
    return sm.OLS(outcome, own.matrix).fit(**covariance).tvalues[own.column(TERM)]


def by_pyfixest(own: Design, outcome: Floats, by_region: bool) -> float:
    """The same, with small-sample factors chosen to be those of methods.md (HC3 has none)."""
    import pyfixest

    return pyfixest.feols(
        _formula(own),
        _table(own, outcome),
        vcov={"CRV1": "region"} if by_region else "HC3",
        ssc=pyfixest.ssc(k_adj=by_region, G_adj=by_region),
        lean=True,
        store_data=False,
        copy_data=False,
    ).tstat()[TERM]


def _formula(own: Design) -> str:
    return f"outcome ~ {' + '.join(own.names[1:])}"


def _table(own: Design, outcome: Floats) -> pd.DataFrame:
    columns = dict(zip(own.names[1:], own.matrix[:, 1:].T, strict=True))
    return pd.DataFrame(columns | {"outcome": outcome, "region": region_codes(own)})


def without_term(own: Design) -> tuple[Floats, Floats]:
    """Fitted values and residuals of the model without the term."""
    found = sm.OLS(own.outcome, np.delete(own.matrix, own.column(TERM), axis=1)).fit()
    return found.fittedvalues, found.resid


def loop_seconds(own: Design, method: Method, loop: Loop) -> float:
    """Of all draws one by one, scaled from a few after one to warm up."""
    fitted, residuals = without_term(own)
    random = stream()
    loop.t(own, own.outcome, method.by_region)

    def some() -> None:
        for _ in range(TIMED):
            loop.t(own, fitted + method.fresh(own, residuals, random), method.by_region)

    return seconds(some) * DRAWS / TIMED


def difference(own: Design, method: Method, loop: Loop) -> float:
    """Largest difference of t for equal draws, of the data's too."""
    fitted, residuals = without_term(own)
    found = method.engine(own, TERM, COMPARED, stream())
    plain = [loop.t(own, fitted + one, method.by_region) for one in method.given(own, residuals, COMPARED)]
    data = loop.t(own, own.outcome, method.by_region)
    return float(max(np.abs(found.drawn - plain).max(), abs(found.observed - data)))


def compare(loops: list[Loop]) -> bool:
    """Print every method beside every loop; whether the differences and the first loop's ratio hold."""
    own = made_up(UNITS)
    quick = {method.name: seconds(lambda m=method: m.engine(own, TERM, DRAWS, stream()), REPEATS) for method in METHODS}
    typer.echo(f"n = {own.n}, k = {own.k}, {DRAWS:,} draws")
    for name, taken in quick.items():
        typer.echo(f"{name:<52} {1000 * taken:9.1f} ms")
    holds = True
    for loop in loops:
        slow = {method.name: loop_seconds(own, method, loop) for method in METHODS}
        for method in METHODS:
            apart = difference(own, method, loop)
            is_equal = apart <= EQUAL
            holds &= is_equal
            _tell(f"{method.name}, {loop.name}", slow[method.name], quick[method.name])
            typer.echo(
                f"{'  largest difference of t':<52} {apart:9.1e}    ({'equal' if is_equal else 'NOT EQUAL'} to {EQUAL:g})"
            )
        together = [sum(method.tests * times[method.name] for method in METHODS) for times in (slow, quick)]
        _tell(f"one model of 4 terms, {loop.name}", *together)
        if loop.t is by_statsmodels:
            is_quick = together[0] / together[1] >= LIMIT_RATIO
            holds &= is_quick
            typer.echo(f"  {'at least' if is_quick else 'UNDER'} {LIMIT_RATIO} times")
    return holds


def _tell(name: str, slow: float, quick: float) -> None:
    typer.echo(f"{name:<52} {slow:9.2f} s   ({slow / quick:,.0f} times as long)")


def pyfixest_itself() -> None:
    """Print what pyfixest offers for the same questions, with its own draws."""
    import pyfixest

    own = made_up(UNITS)
    fitted = pyfixest.feols(_formula(own), _table(own, own.outcome), vcov="HC3")
    wild, region_wild, moved = (method.engine for method in METHODS)

    def told(name: str, engine: Callable[..., resampling.Draws], draws: int, theirs: Callable[[], pd.Series]) -> None:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            result = theirs()
            slow = seconds(theirs)
        _tell(name, slow, seconds(lambda: engine(own, TERM, draws, stream())))
        ours = engine(own, TERM, draws, stream())
        typer.echo(f"  p {float(result['Pr(>|t|)']):.4f}, ours {ours.p_value:.4f}")

    if importlib.util.find_spec("wildboottest"):
        told("wild bootstrap, wildboottest (HC1)", wild, DRAWS, lambda: fitted.wildboottest(DRAWS, param=TERM, seed=1))
        told(
            "wild bootstrap by region, wildboottest",
            region_wild,
            DRAWS,
            lambda: fitted.wildboottest(DRAWS, cluster="region", param=TERM, weights_type="webb", seed=1),
        )
    told(
        "permutation of the term, ritest, 999 draws",
        moved,
        999,
        lambda: fitted.ritest(TERM, reps=999, type="randomization-t", rng=np.random.default_rng(1)),
    )


def growth() -> bool:
    """Print how time and memory grow with units and with draws; whether the powers of time are in their limit."""
    holds = True
    for method in METHODS:
        sizes = {f"{n:,} units": (float(n), made_up(n), SIZE_DRAWS) for n in SIZES}
        counts = {f"{draws:,} draws": (float(draws), made_up(UNITS), draws) for draws in DRAW_COUNTS}
        for what, steps in (("units", sizes), ("draws", counts)):
            exponent = _growth_of(method, steps)
            holds &= exponent <= LIMIT_GROWTH
            verdict = f"{'under' if exponent <= LIMIT_GROWTH else 'OVER'} {LIMIT_GROWTH:g}"
            typer.echo(f"{method.name + ', time by ' + what:<52}   grows as the power {exponent:.2f}  ({verdict})")
    return holds


def _growth_of(method: Method, steps: dict[str, tuple[float, Design, int]]) -> float:
    """The slope of log time on log size, printing every step with its peak of memory."""
    taken = []
    for name, (_, own, draws) in steps.items():
        taken.append(_processor_seconds(lambda o=own, d=draws: method.engine(o, TERM, d, stream())))
        peak = _peak_megabytes(lambda o=own, d=draws: method.engine(o, TERM, d, stream()))
        typer.echo(f"  {method.name + ', ' + name:<50} {1000 * taken[-1]:9.1f} ms  {peak:7.1f} MB")
    return float(np.polyfit(np.log([size for size, _, _ in steps.values()]), np.log(taken), 1)[0])


def _processor_seconds(work: Callable[[], object]) -> float:
    """The shortest of a few runs on one thread, by the time they had the processor: a long one waits for others more."""
    taken = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def _peak_megabytes(work: Callable[[], object]) -> float:
    """The most that one run holds at a time, by Python's own account of it, in which numpy takes part."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """On one thread of the linear algebra library, as in a run, and without what libraries say about themselves."""
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def main() -> None:
    """Measure the resampling; ends with 1 where a limit does not hold."""
    typer.echo(f"{os.cpu_count()} processors, one thread")
    loops = [Loop("statsmodels one by one", by_statsmodels)]
    has_pyfixest = importlib.util.find_spec("pyfixest") is not None
    if has_pyfixest:
        loops.append(Loop("pyfixest one by one", by_pyfixest))
    with quietly():
        holds = compare(loops)
        if has_pyfixest:
            pyfixest_itself()
        else:
            typer.echo(MISSING)
        holds &= growth()
    if not holds:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
