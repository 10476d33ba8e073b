"""One estimate of one model: least squares and its weighted, clustered, robust and counting relatives (methods.md D1, D2).

What belongs here: the estimators, each from a `Design` to a `Fit` or to the `Problem` of an estimate that was not reached.
What does not: whether a design can be fitted at all (`design.problem`, asked first by whoever calls), the choice of terms,
and how far an estimate can be trusted (`diagnostics`, `resampling`).

Least squares are solved by QR here. statsmodels fits counts and Huber's estimate, on orthonormal columns of the same space:
its tolerances are absolute, and would otherwise depend on the units of the terms. By hand is what it has wrong (0.15.0): HC3
of a generalised linear model is HC0; a median regression may stop before the minimum, up to 0.8 standard errors away from it
on the published files, and its "robust" errors are those of equal spread; a random intercept with a small variance between
units may be called converged far from the maximum.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, optimize, special
from statsmodels.genmod.families import Poisson
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.robust import norms
from statsmodels.robust.robust_linear_model import RLM
from statsmodels.tools.sm_exceptions import ModelWarning

from pipeline.regression.design import (
    ALONE,
    HIGH_LEVERAGE,
    NOT_CONVERGED,
    Design,
    Fit,
    Floats,
    Integers,
    Problem,
    leverage,
)

OLS = "least squares; HC3; t with n - k df"
WLS = "weighted least squares; HC3 of the weighted rows; t with n - k df"
QUASI_POISSON = "quasi-Poisson; errors scaled by Pearson chi-square / (n - k); t with n - k df"
HUBER = "Huber's M-estimate, scale by MAD; its asymptotic errors; t with n - k df"
MEDIAN = "median regression; kernel errors (Powell); t with n - k df"
CLUSTERED = "least squares; errors clustered (CR1); t with clusters - 1 df"
RANDOM_INTERCEPT = "random intercept by REML; errors of generalised least squares; t with clusters - 1 df"
LEAST_SQUARES = frozenset({OLS, WLS, CLUSTERED})

CLUSTERS, RESIDUAL_DF, SCALE = "clusters", "residual_df", "scale"
UNIT_VARIANCE, RESIDUAL_VARIANCE = "unit_variance", "residual_variance"

_TOLERANCE = 1e-10  # of the coefficients of orthonormal columns, in standard deviations of the residuals
_MOST_STEPS = 500  # the Huber fits of the published files take 20 to 40
_NO_SPREAD = 1e-6  # of the residuals' standard deviation: a robust scale below it says that most units lie on the line
_MOST_ALIKE = 1 - 1e-9  # share of the variance between units; above it nothing is left within them
_NO_SCORE = 1e-9  # a row; where groups differ it is about 1 a row
_FEW_ROWS = 2_000  # up to here median regression takes the programme itself, above it the dual, which is faster there
_HALL_SHEATHER_ALPHA = 0.05  # the bandwidth suits 95% limits
_ON_LINE = "most units lie on one line, which leaves no spread to make errors from"


@dataclass(frozen=True, slots=True)
class Solved:
    """Least squares by QR: q (n, k) and r (k, k) of the matrix, estimate (k,), residuals, fitted and leverage (n,)."""

    q: Floats
    r: Floats
    estimate: Floats
    residuals: Floats
    fitted: Floats
    leverage: Floats


def solve(matrix: Floats, outcome: Floats) -> Solved:
    """Least squares by QR, never by normal equations: those square the condition number."""
    q, r = np.linalg.qr(matrix)
    fitted = q @ (q.T @ outcome)
    return Solved(q, r, _back(r, q.T @ outcome), outcome - fitted, fitted, np.einsum("ij,ij->i", q, q))


def whitened(design: Design, weights: Floats | None) -> tuple[Floats, Floats]:
    """Matrix (n, k) and outcome (n,) with each row multiplied by the root of its weight; as they are without weights."""
    if weights is None:
        return design.matrix, design.outcome
    roots = np.sqrt(weights)
    return design.matrix * roots[:, None], design.outcome * roots


def ols(design: Design) -> Fit:
    """Least squares with HC3 errors, (X'X)^-1 X' diag(e^2 / (1 - h)^2) X (X'X)^-1 (MacKinnon and White 1985)."""
    solved = solve(design.matrix, design.outcome)
    return _fit(design, OLS, solved, _hc3(solved, solved.residuals))


def wls(design: Design, weights: Floats) -> Fit | Problem:
    """Least squares of the rows times the root of their weights; residuals, fitted, leverage and HC3 are of those rows.

    The weights (shape (n,), above 0, else ValueError) may have any scale: it changes no coefficient and no standard error.
    """
    if not (np.isfinite(weights) & (weights > 0)).all():
        raise ValueError("weights are finite and above 0")
    solved = solve(*whitened(design, weights))
    alone = _alone(design, solved.leverage)
    return alone or _fit(design, WLS, solved, _hc3(solved, solved.residuals), weights=weights)


def clustered(design: Design, groups: Sequence[object], absorbed: int = 0) -> Fit:
    """Least squares with errors clustered by group: CR1, G/(G - 1) x (N - 1)/(N - k), and t with G - 1 df.

    Rows may be unit-years. `absorbed` above 0 says that the groups' own effects and as many parameters more (those of years)
    were taken out of the rows before: the parameters count in k, the groups' effects nest in the clusters and do not
    (methods.md D2). The classical errors count both.
    """
    solved = solve(design.matrix, design.outcome)
    codes, clusters = _codes(groups)
    scores = _sums(solved.q * solved.residuals[:, None], codes)
    counted = design.k + absorbed
    factor = clusters / (clusters - 1) * (design.n - 1) / (design.n - counted)
    return _fit(
        design,
        CLUSTERED,
        solved,
        np.sqrt(factor) * np.linalg.norm(_back(solved.r, scores.T), axis=1),
        df=clusters - 1,
        residual_df=design.n - counted - (clusters - 1 if absorbed else 0),
        extra={CLUSTERS: float(clusters)},
    )


def quasi_poisson(design: Design, counts: Floats, offset: Floats) -> Fit | Problem:
    """Counts with a log link and an offset, both of shape (n,); the outcome of the design is not looked at.

    `std_error` is scaled by the root of Pearson's chi-square / (n - k), which `extra` has as `scale`; `second_std_error` is
    HC3 (methods.md E1). `residuals` are Pearson's, `fitted` the expected counts, `leverage` that of the last weighting.
    """
    q, r = _orthonormal(design)
    model = GLM(np.asarray(counts, dtype=float), q, family=Poisson(), offset=np.asarray(offset, dtype=float))
    result, notes = _listening(lambda: model.fit(tol_criterion="params", tol=_TOLERANCE))
    if not result.converged:
        return _not_converged("the quasi-Poisson fit", notes)
    expected = np.asarray(result.mu, dtype=float)
    # Weighted by the expected counts the matrix is that of the last step; its residuals are Pearson's.
    pearson = (counts - expected) / np.sqrt(expected)
    solved = solve(design.matrix * np.sqrt(expected)[:, None], pearson)
    alone = _alone(design, solved.leverage)
    if alone:
        return alone
    df = design.n - design.k
    scale = float(pearson @ pearson / df)
    return Fit(
        design=design,
        method=QUASI_POISSON,
        estimate=_back(r, np.asarray(result.params, dtype=float)),
        std_error=np.sqrt(scale) * _unscaled(solved.r),
        df=df,
        residuals=pearson,
        fitted=expected,
        leverage=solved.leverage,
        classical_std_error=_none(design),
        second_std_error=_hc3(solved, pearson),
        extra={SCALE: scale},
        notes=notes,
    )


def huber(design: Design, c: float) -> Fit | Problem:
    """Huber's M-estimate with tuning constant c; the scale is the median absolute residual / 0.6745 at each step.

    The errors are statsmodels' `bcov_scaled` (Huber 1981, eq. 6.5 in section 7.6): those of errors of equal spread.
    `scale` is in `extra`.
    """
    q, r = _orthonormal(design)
    unit = _spread(design)
    model = RLM(design.outcome / unit, q, M=norms.HuberT(t=c))
    result, notes = _listening(lambda: model.fit(scale_est="mad", conv="coefs", tol=_TOLERANCE, maxiter=_MOST_STEPS))
    if result.scale < _NO_SPREAD:
        return Problem(NOT_CONVERGED, f"Huber's estimate: {_ON_LINE}")
    if result.fit_history["iteration"] >= _MOST_STEPS:
        return _not_converged("Huber's estimate", notes)
    basis = np.asarray(result.bcov_scaled, dtype=float)
    estimate = _back(r, np.asarray(result.params, dtype=float)) * unit
    return _robust(
        design,
        HUBER,
        estimate,
        unit * np.sqrt(np.diag(_back(r, _back(r, basis).T))),
        extra={SCALE: float(result.scale) * unit},
        notes=notes,
    )


def median(design: Design) -> Fit | Problem:
    """Median regression: the exact minimum of the sum of absolute residuals, by linear programming.

    Errors by Powell's kernel estimate, (X'FX)^-1 X'X (X'FX)^-1 / 4 with F the normal kernel at the residuals and the
    bandwidth of Hall and Sheather (Koenker 2005, section 3.4.2; `se = "ker"` of the R package quantreg). statsmodels'
    "robust" errors are at the median those of residuals of equal spread.
    """
    estimate = _least_absolute(design)
    if isinstance(estimate, Problem):
        return estimate
    residuals = design.outcome - design.matrix @ estimate
    bandwidth = _kernel_bandwidth(residuals)
    if bandwidth < _NO_SPREAD * _spread(design):
        return Problem(NOT_CONVERGED, f"median regression: {_ON_LINE}")
    density = np.exp(-0.5 * (residuals / bandwidth) ** 2) / (bandwidth * np.sqrt(2 * np.pi))
    _, r = np.linalg.qr(design.matrix * np.sqrt(density)[:, None])
    bread = _back(r, linalg.solve_triangular(r, np.eye(design.k), trans="T"))
    return _robust(
        design,
        MEDIAN,
        estimate,
        0.5 * np.linalg.norm(bread @ design.matrix.T, axis=1),
        extra={"bandwidth": bandwidth},
    )


def random_intercept(design: Design, groups: Sequence[object]) -> Fit | Problem:
    """Random intercept by group, REML; errors are those of generalised least squares at the estimated variances.

    A variance between groups of 0 is a note of the fit, not an error (methods.md E6). `residuals` and `fitted` are of the
    fixed part. `extra` has both variances, in squared units of the outcome.
    """
    codes, clusters = _codes(groups)
    columns, r = _orthonormal(design)
    ratio = _variance_ratio(columns, design.outcome, codes)
    if ratio is None:
        return Problem(NOT_CONVERGED, "the random intercept: nothing varies within units")
    solved = solve(_quasi_demeaned(columns, codes, ratio), _quasi_demeaned(design.outcome, codes, ratio))
    remaining = design.n - design.k
    within = float(solved.residuals @ solved.residuals / remaining)
    return _robust(
        design,
        RANDOM_INTERCEPT,
        _back(r, solved.estimate),
        np.sqrt(within) * _unscaled(solved.r @ r),
        df=clusters - 1,
        extra={
            UNIT_VARIANCE: ratio * within,
            RESIDUAL_VARIANCE: within,
            CLUSTERS: float(clusters),
            RESIDUAL_DF: float(remaining),
        },
        notes=() if ratio else ("the variance between units is estimated at 0: the fit is that of least squares",),
    )


# ---------------------------------------------------------------------------------------------------------------------
# Parts of an estimate


def _fit(
    design: Design,
    method: str,
    solved: Solved,
    std_error: Floats,
    *,
    df: int | None = None,
    residual_df: int | None = None,
    extra: dict[str, float] | None = None,
    weights: Floats | None = None,
) -> Fit:
    """A least-squares fit; the residual degrees of freedom are those of the classical errors."""
    remaining = design.n - design.k if residual_df is None else residual_df
    spread = np.sqrt(solved.residuals @ solved.residuals / remaining)
    return Fit(
        design=design,
        method=method,
        estimate=solved.estimate,
        std_error=std_error,
        df=remaining if df is None else df,
        residuals=solved.residuals,
        fitted=solved.fitted,
        leverage=solved.leverage,
        classical_std_error=spread * _unscaled(solved.r),
        extra={RESIDUAL_DF: float(remaining), **(extra or {})},
        weights=weights,
    )


def _robust(
    design: Design,
    method: str,
    estimate: Floats,
    std_error: Floats,
    *,
    extra: dict[str, float],
    df: int | None = None,
    notes: tuple[str, ...] = (),
) -> Fit:
    """A fit that is not least squares: without classical errors, leverage that of the matrix."""
    fitted = design.matrix @ estimate
    return Fit(
        design=design,
        method=method,
        estimate=estimate,
        std_error=std_error,
        df=design.n - design.k if df is None else df,
        residuals=design.outcome - fitted,
        fitted=fitted,
        leverage=leverage(design.matrix),
        classical_std_error=_none(design),
        extra=extra,
        notes=notes,
    )


def _none(design: Design) -> Floats:
    """No classical errors: NaN, so that no partial R2 can be made of them."""
    return np.full(design.k, np.nan)


def _back(r: Floats, right: Floats) -> Floats:
    """r^-1 times a vector or matrix, r upper triangular."""
    solution: Floats = linalg.solve_triangular(r, right)
    return solution


def _unscaled(r: Floats) -> Floats:
    """Root of the diagonal of (X'X)^-1, shape (k,)."""
    roots: Floats = np.linalg.norm(_back(r, np.eye(len(r))), axis=1)
    return roots


def _hc3(solved: Solved, residuals: Floats) -> Floats:
    """HC3 standard errors, shape (k,): row norms of (X'X)^-1 X' diag(e / (1 - h))."""
    influence = solved.q * (residuals / (1 - solved.leverage))[:, None]
    errors: Floats = np.linalg.norm(_back(solved.r, influence.T), axis=1)
    return errors


def _alone(design: Design, own: Floats) -> Problem | None:
    """Weights move leverage: a row may come to stand alone that does not without them."""
    if own.max() <= ALONE:
        return None
    return Problem(
        HIGH_LEVERAGE, f"with its weight {design.units[int(own.argmax())]} has a term of the model to itself"
    )


def _codes(groups: Sequence[object]) -> tuple[Integers, int]:
    """Whole numbers from 0 for the groups, shape (n,), and how many there are."""
    labels, codes = np.unique(np.asarray(groups), return_inverse=True)
    return codes.astype(np.int64).ravel(), len(labels)


def _orthonormal(design: Design) -> tuple[Floats, Floats]:
    """Columns of length root n that span the same space, and r such that matrix = columns @ r."""
    q, r = np.linalg.qr(design.matrix)
    root = np.sqrt(design.n)
    return q * root, r / root


def _spread(design: Design) -> float:
    """Root mean square of the least-squares residuals: the unit in which an outcome is handed to statsmodels."""
    residuals = solve(design.matrix, design.outcome).residuals
    return float(np.sqrt(residuals @ residuals / design.n))


def _listening(fit: Callable[[], Any]) -> tuple[Any, tuple[str, ...]]:
    """The result of a fit and what statsmodels warned of meanwhile; other warnings go where they would have gone."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ModelWarning)
        result = fit()
    for other in caught:
        if not issubclass(other.category, ModelWarning):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    said = [" ".join(str(own.message).split()) for own in caught if issubclass(own.category, ModelWarning)]
    return result, tuple(dict.fromkeys(said))


def _not_converged(what: str, notes: tuple[str, ...]) -> Problem:
    """Why there is no estimate, with what the library said."""
    return Problem(NOT_CONVERGED, ": ".join([f"{what} did not converge", "; ".join(notes)]).removesuffix(": "))


# ---------------------------------------------------------------------------------------------------------------------
# Median regression and random intercepts


def _least_absolute(design: Design) -> Floats | Problem:
    """The coefficients with the smallest sum of absolute residuals, shape (k,)."""
    columns, r = _orthonormal(design)
    unit = _spread(design)
    outcome = design.outcome / unit
    found = (_programme if design.n <= _FEW_ROWS else _dual_programme)(columns, outcome)
    if found.status != 0:
        return _not_converged("median regression", (str(found.message),))
    if design.n <= _FEW_ROWS:
        distance = found.x[design.k : design.k + design.n] + found.x[design.k + design.n :]
    else:
        distance = np.abs(outcome + columns @ found.eqlin.marginals)
    # The programme's own coefficients are good to 1e-7; those of the units on the line, solved once more, to the last digit.
    on_line = distance < 1e-7
    exact, *_ = np.linalg.lstsq(columns[on_line], outcome[on_line], rcond=None)
    return _back(r, exact) * unit


def _programme(columns: Floats, outcome: Floats) -> Any:
    """Coefficients and each row's distance above and below the line, with the smallest sum of distances."""
    n, k = columns.shape
    ones = np.eye(n)
    return optimize.linprog(
        np.concatenate([np.zeros(k), np.ones(2 * n)]),
        A_eq=np.hstack([columns, ones, -ones]),
        b_eq=outcome,
        bounds=[(None, None)] * k + [(0, None)] * (2 * n),
        method="highs-ds",
    )


def _dual_programme(columns: Floats, outcome: Floats) -> Any:
    """The dual of the same (Koenker 2005, section 6.2): k conditions for n rows, so that the time grows with n alone.

    The coefficients are its multipliers with the sign changed. Where several have the smallest sum it may find another of
    them than the programme itself.
    """
    return optimize.linprog(
        -outcome, A_eq=columns.T, b_eq=np.zeros(columns.shape[1]), bounds=(-1, 1), method="highs-ds"
    )


def _kernel_bandwidth(residuals: Floats) -> float:
    """Hall and Sheather's bandwidth for the median, carried to the scale of the residuals; quartiles by interpolation."""
    n = len(residuals)
    normal = 1 / np.sqrt(2 * np.pi)  # its density at the median
    share = n ** (-1 / 3) * special.ndtri(1 - _HALL_SHEATHER_ALPHA / 2) ** (2 / 3) * (1.5 * normal**2) ** (1 / 3)
    while share >= 0.5:  # fewer than eight units
        share /= 2
    low, high = np.quantile(residuals, [0.25, 0.75])
    spread = min(float(np.std(residuals, ddof=1)), float(high - low) / 1.34)
    return float(2 * special.ndtri(0.5 + share) * spread)


def _variance_ratio(matrix: Floats, outcome: Floats, codes: Integers) -> float | None:
    """REML estimate of the variance between groups over that within them; 0 at the boundary, None where within is 0.

    The root of the score of the profiled likelihood (Harville 1977, section 5.3), sought over the share between groups.
    """
    counts = np.bincount(codes)

    def score(share: float) -> float:
        """Derivative of -2 log-likelihood by the ratio."""
        ratio = share / (1 - share)
        solved = solve(_quasi_demeaned(matrix, codes, ratio), _quasi_demeaned(outcome, codes, ratio))
        shrunk = 1 / (1 + counts * ratio)
        sums = _sums(np.column_stack([outcome - matrix @ solved.estimate, matrix]), codes) * shrunk[:, None]
        terms = linalg.solve_triangular(solved.r, sums[:, 1:].T, trans="T")
        left = solved.residuals @ solved.residuals / (len(outcome) - matrix.shape[1])
        return float(counts @ shrunk - np.sum(terms**2) - sums[:, 0] @ sums[:, 0] / left)

    # At 0 too where the terms tell the groups apart as they stand: the score is then 0 everywhere, give or take rounding.
    if score(0.0) >= -_NO_SCORE * len(outcome):
        return 0.0
    if score(_MOST_ALIKE) <= 0:
        return None
    share = float(optimize.brentq(score, 0.0, _MOST_ALIKE, xtol=1e-14))
    return share / (1 - share)


def _sums(rows: Floats, codes: Integers) -> Floats:
    """Sums of rows by group, shape (groups, ...)."""
    sums = np.zeros((codes.max() + 1, *rows.shape[1:]))
    np.add.at(sums, codes, rows)
    return sums


def _quasi_demeaned(rows: Floats, codes: Integers, ratio: float) -> Floats:
    """Rows less their group's mean times 1 - 1 / root(1 + m ratio), m rows in the group: V^-1/2 times the rows."""
    counts = np.bincount(codes)
    share = (1 - 1 / np.sqrt(1 + counts * ratio)) / counts
    left: Floats = rows - (share * _sums(rows, codes).T).T[codes]
    return left
