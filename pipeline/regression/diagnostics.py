"""How far a fit can be trusted as it stands: its residuals, its terms, and each unit's pull on it (methods.md D4, D5).

What belongs here: figures of one fit, and the units and terms that they point at. What does not: estimates (`fits`), what
resampling says of them (`resampling`), and any choice that rests on a figure from here: none is made, no test is a gate.

Least-squares fits have every figure; of weighted ones the figures are those of the weighted rows. Other fits have those that
need residuals and terms only. What a fit does not have is None.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special, stats

from pipeline.regression import fits, terms
from pipeline.regression.design import Design, Fit, Floats

R2, ADJUSTED_R2, RMSE, AIC = "r2", "adjusted_r2", "rmse", "aic"
BREUSCH_PAGAN_P, SHAPIRO_WILK_P, RESET_P = "breusch_pagan_p", "shapiro_wilk_p", "reset_p"
MORANS_I, MORANS_I_P, CONDITION_NUMBER = "morans_i", "morans_i_p", "condition_number"
KEYS = (
    R2, ADJUSTED_R2, RMSE, AIC, BREUSCH_PAGAN_P, SHAPIRO_WILK_P, RESET_P, MORANS_I, MORANS_I_P, CONDITION_NUMBER,
)  # fmt: skip

_POWERS = (2, 3)  # of the fitted values in RESET (Ramsey 1969)
_NOTHING = 1e-9  # share of a column's length that is left of it when it is a combination of the others
_BLOCK_NUMBERS = 2**20  # permutations are made in blocks of so many numbers; the figures do not depend on it
_SAME = 1e-12  # two values of Moran's I that differ by less are one value in two roundings


def of_model(
    design: Design, fit: Fit, *, moran_draws: int, seed_stream: np.random.Generator
) -> dict[str, float | None]:
    """Every figure of `KEYS`, None where the fit does not have it.

    Of least squares: r2 about the (weighted) mean; rmse, the root of the residual sum of squares over the residual degrees
    of freedom, in the unit of the outcome (with weights: of the root of a weight times it); aic, 2k - 2 log-likelihood of
    normal errors with the variance not counted. Of least squares with one row a unit: p of Breusch-Pagan (Koenker 1981,
    studentised), of Shapiro-Wilk and of RESET. Of any fit with one row a unit: Moran's I of the residuals, neighbours being
    the units of the same region. The condition number is that of the terms standardised, without the constant.
    """
    figures: dict[str, float | None] = dict.fromkeys(KEYS)
    figures[CONDITION_NUMBER] = condition_number(design)
    if fit.method in fits.LEAST_SQUARES:
        figures |= _of_least_squares(design, fit)
    # Several rows of one unit hang together: tests that take rows as independent would answer another question.
    if len(set(design.units)) == design.n:
        if fit.method in fits.LEAST_SQUARES:
            figures[BREUSCH_PAGAN_P] = breusch_pagan_p(design.matrix, fit.residuals)
            figures[SHAPIRO_WILK_P] = float(stats.shapiro(fit.residuals).pvalue)
            figures[RESET_P] = reset_p(design, fit)
        figures[MORANS_I], figures[MORANS_I_P] = morans_i(fit.residuals, design.regions, moran_draws, seed_stream)
    return figures


def _of_least_squares(design: Design, fit: Fit) -> dict[str, float | None]:
    """r2, adjusted_r2, rmse and aic."""
    weights = np.ones(design.n) if fit.weights is None else fit.weights
    left = float(fit.residuals @ fit.residuals)
    deviations = design.outcome - np.average(design.outcome, weights=weights)
    r2 = 1 - left / float(weights @ deviations**2)
    df = fit.extra[fits.RESIDUAL_DF]
    log_likelihood = 0.5 * (np.log(weights).sum() - design.n * (np.log(2 * np.pi * left / design.n) + 1))
    return {
        R2: r2,
        ADJUSTED_R2: 1 - (1 - r2) * (design.n - 1) / df,
        RMSE: float(np.sqrt(left / df)),
        AIC: float(2 * design.k - 2 * log_likelihood),
    }


def breusch_pagan_p(matrix: Floats, residuals: Floats) -> float | None:
    """Koenker (1981): n R2 of the squared residuals on the terms, against chi-square with k - 1 df. None without a term."""
    n, k = matrix.shape
    squared = residuals**2
    spread = squared - squared.mean()
    if k == 1 or not spread.any():
        return None
    left = fits.solve(matrix, squared).residuals
    return float(special.chdtrc(k - 1, n * (1 - left @ left / (spread @ spread))))


def reset_p(design: Design, fit: Fit) -> float | None:
    """F test of the second and third power of the fitted values, added to the terms (Ramsey 1969).

    A power that is a combination of the terms already (the square of a single indicator) is not counted; None where none is
    left, or no degree of freedom for it. With weights, the rows and the powers are weighted as the fit is.
    """
    matrix, _ = fits.whitened(design, fit.weights)
    roots = np.ones(design.n) if fit.weights is None else np.sqrt(fit.weights)
    fitted = fit.fitted / roots
    centred = fitted - fitted.mean()
    # The powers of the standardised values span the same space beside the terms, without their large common part.
    spread = np.sqrt(np.mean(centred**2))
    if spread <= _NOTHING * np.abs(fitted).max():
        return None
    powers = np.column_stack([roots * (centred / spread) ** power for power in _POWERS])
    powers /= np.linalg.norm(powers, axis=0)
    q, _ = np.linalg.qr(matrix)
    added, sizes, _ = np.linalg.svd(powers - q @ (q.T @ powers), full_matrices=False)
    added = added[:, sizes > _NOTHING]
    count = added.shape[1]
    df = design.n - design.k - count
    if count == 0 or df <= 0:
        return None
    gain = float(np.sum((added.T @ fit.residuals) ** 2))
    left = float(fit.residuals @ fit.residuals) - gain
    return float(special.fdtrc(count, df, gain / count / (left / df)))


def morans_i(
    residuals: Floats, regions: Sequence[str], draws: int, random: np.random.Generator
) -> tuple[float | None, float | None]:
    """Moran's I with the other units of the region as neighbours, and its two-sided permutation p.

    Each unit's weights sum to 1; a unit alone in its region has none. p = (1 + #{|I* - E| >= |I - E|}) / (draws + 1) with
    E = -1 / (n - 1), residuals permuted among all units. None where no unit has a neighbour or all residuals are equal.
    """
    names, codes = np.unique(np.asarray(regions, dtype=str), return_inverse=True)
    members = np.bincount(codes)
    centred = residuals - residuals.mean()
    if members.max() < 2 or not centred.any():
        return None, None
    indicators = np.zeros((len(codes), len(names)))
    indicators[np.arange(len(codes)), codes] = 1 / np.sqrt(np.maximum(members - 1, 1))[codes]
    neighboured = members[members > 1].sum()
    squared = indicators**2

    def products(rows: Floats) -> Floats:
        # Of a region: (sum^2 - sum of squares) / (members - 1) is each residual times its neighbours' mean; 0 of one unit.
        sums: Floats = np.sum((rows @ indicators) ** 2, axis=1) - np.sum(rows**2 @ squared, axis=1)
        return sums

    block = max(1, _BLOCK_NUMBERS // len(codes))
    sums = [products(centred[np.newaxis])]
    for first in range(0, draws, block):
        sums.append(products(random.permuted(np.tile(centred, (min(block, draws - first), 1)), axis=1)))
    found = len(codes) / neighboured * np.concatenate(sums) / (centred @ centred)
    distance = np.abs(found + 1 / (len(codes) - 1))
    as_far = int(np.sum(distance[1:] >= distance[0] - _SAME))
    return float(found[0]), (1 + as_far) / (draws + 1)


def condition_number(design: Design) -> float | None:
    """Largest over smallest singular value of the standardised terms, the constant left out. None: no term."""
    scaled = _standardised(design)
    if scaled.shape[1] == 0:
        return None
    sizes = np.linalg.svd(scaled, compute_uv=False)
    return float(sizes[0] / sizes[-1])


def vif(design: Design) -> Floats:
    """Variance inflation factor of each term, shape (k,), NaN for the constant.

    Of a single term 1 / (1 - R2) on the other terms. Of region indicators, which stand and fall together, the generalised
    factor to the power 1 / (2 df), one value for all of them (Fox and Monette 1992): a factor of standard errors, so its
    square is what compares with that of a single term.
    """
    scaled = _standardised(design)
    inverse = np.linalg.inv(np.linalg.qr(scaled, mode="r")) if scaled.shape[1] else np.empty((0, 0))
    factors = np.full(design.k, np.nan)
    at = np.array(_terms(design), dtype=int)
    factors[at] = np.sum(inverse**2, axis=1)
    regions = np.array([terms.is_region(design.names[place]) for place in at], dtype=bool)
    if regions.any():
        logs = _log_det(scaled[:, regions]) + _log_det(scaled[:, ~regions]) - _log_det(scaled)
        factors[at[regions]] = np.exp(logs / (2 * regions.sum()))
    return factors


def partial_r2(fit: Fit) -> Floats:
    """What a term explains of what the others leave, t^2 / (t^2 + df), t classical: (k,), NaN but of least squares."""
    squared = (fit.estimate / fit.classical_std_error) ** 2
    return squared / (squared + fit.extra.get(fits.RESIDUAL_DF, fit.df))


# ---------------------------------------------------------------------------------------------------------------------
# Each unit's pull


def influence(design: Design, fit: Fit) -> pd.DataFrame:
    """unit_id, leverage, studentised_residual, cooks_distance, is_influential: one row a row of the design, in its order.

    The residual is studentised without its own row. Cook's distance is flagged above 4/n. Of least squares with two degrees
    of freedom or more; raises ValueError otherwise.
    """
    outside, _ = _without_own(fit)
    left = float(fit.residuals @ fit.residuals)
    inside = fit.residuals / np.sqrt(left / fit.extra[fits.RESIDUAL_DF] * (1 - fit.leverage))
    cooks = inside**2 / design.k * fit.leverage / (1 - fit.leverage)
    return pd.DataFrame(
        {
            "unit_id": list(design.units),
            "leverage": fit.leverage,
            "studentised_residual": outside,
            "cooks_distance": cooks,
            "is_influential": cooks > cooks_limit(design.n),
        }
    )


def dfbetas(design: Design, fit: Fit) -> Floats:
    """Change of each estimate when a row is left in rather than out, in standard errors made without it, shape (n, k).

    ValueError but for least squares with a degree of freedom to spare.
    """
    _, spread = _without_own(fit)
    matrix, _ = fits.whitened(design, fit.weights)
    q, r = np.linalg.qr(matrix)
    inverse = np.linalg.inv(r)
    change = (inverse @ q.T).T * (fit.residuals / (1 - fit.leverage))[:, None]
    dfbeta: Floats = change / (spread[:, None] * np.linalg.norm(inverse, axis=1))
    return dfbeta


def cooks_limit(n: int) -> float:
    """4/n: a distance above it is flagged."""
    return 4 / n


def dfbetas_limit(n: int) -> float:
    """2 / root n: a change of more standard errors, up or down, is flagged (Belsley, Kuh and Welsch 1980)."""
    return 2 / float(np.sqrt(n))


def _without_own(fit: Fit) -> tuple[Floats, Floats]:
    """Residuals studentised without their own row, and the residual standard deviation without each row; shape (n,)."""
    if fit.method not in fits.LEAST_SQUARES:
        raise ValueError(f"{fit.method}: the pull of a unit is that of least squares")
    df = fit.extra[fits.RESIDUAL_DF]
    if df < 2:
        raise ValueError("without a row no degree of freedom is left")
    scaled = fit.residuals / np.sqrt(1 - fit.leverage)
    spread = np.sqrt((fit.residuals @ fit.residuals - scaled**2) / (df - 1))
    return scaled / spread, spread


def _terms(design: Design) -> list[int]:
    """Columns that are not the constant."""
    return [place for place, name in enumerate(design.names) if name != terms.CONSTANT]


def _standardised(design: Design) -> Floats:
    """The terms without the constant, each less its mean and of length 1: shape (n, terms)."""
    columns = design.matrix[:, _terms(design)]
    centred = columns - columns.mean(axis=0)
    scaled: Floats = centred / np.linalg.norm(centred, axis=0)
    return scaled


def _log_det(scaled: Floats) -> float:
    """Log determinant of the correlation matrix of standardised columns; 0 of none."""
    if scaled.shape[1] == 0:
        return 0.0
    return float(2 * np.log(np.abs(np.diag(np.linalg.qr(scaled, mode="r")))).sum())
