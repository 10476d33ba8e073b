"""A matrix with names, and what a fit of it came to: the plain data that the estimators share.

What belongs here: the design of one model, the reasons why a design cannot be fitted, and the result of a fit. What does
not: any estimate (`fits`) and the choice of terms (`models`).

Every reason is looked for before a fit: a design that would give a number that only looks fine gives a `Problem` instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import special

from pipeline.regression import terms

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

NO_EXPOSURE, NO_VARIATION, TOO_FEW_UNITS = "no_exposure", "no_variation", "too_few_units"
SINGULAR, HIGH_LEVERAGE, NOT_CONVERGED = "singular", "high_leverage", "not_converged"

ALONE = 1 - 1e-8  # a unit with this leverage has a term to itself, and HC3 divides by nearly 0 (methods.md D1)
_DEPENDENT = 1e-9  # of the largest singular value of the columns, each scaled to length 1


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a model is not fitted: a reason of `shared_columns.REASONS`, the term it concerns if one, and a sentence."""

    reason: str
    detail: str
    term: str | None = None


@dataclass(frozen=True, slots=True)
class Design:
    """One linear model: outcome of shape (n,), matrix of shape (n, k) with the constant first, and what the rows are.

    `names` are the k terms, `units` and `regions` of length n. Region indicators, if any, are the last columns; the first
    region of the alphabet is their reference.
    """

    names: tuple[str, ...]
    matrix: Floats
    outcome: Floats
    units: tuple[str, ...]
    regions: tuple[str, ...]

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.outcome)

    @property
    def k(self) -> int:
        """Columns, the constant counted."""
        return len(self.names)

    def column(self, term: str) -> int:
        """Place of a term in the matrix: the term_index of the seeds (methods.md D9)."""
        return self.names.index(term)

    @property
    def has_region_effects(self) -> bool:
        """Whether the regions have indicators."""
        return any(terms.is_region(name) for name in self.names)


def build(
    outcome: Floats,
    columns: Mapping[str, Floats],
    units: Sequence[str],
    regions: Sequence[str],
    *,
    region_effects: bool = False,
) -> Design:
    """Constant, the columns in their order, then region indicators. All of length n and finite (see `complete`)."""
    parts = {terms.CONSTANT: np.ones(len(outcome)), **columns}
    if region_effects:
        for region in sorted(set(regions))[1:]:
            parts[terms.region_term(region)] = np.array([own == region for own in regions], dtype=float)
    return Design(
        names=tuple(parts),
        matrix=np.column_stack([np.asarray(part, dtype=float) for part in parts.values()]),
        outcome=np.asarray(outcome, dtype=float),
        units=tuple(units),
        regions=tuple(regions),
    )


def problem(design: Design, fewest_units: int) -> Problem | None:
    """The first reason why a design cannot be fitted, looked for in this order; None where it can.

    too_few_units (or no degree of freedom), no_variation (outcome or a term), singular (a term is a combination of those
    before it), high_leverage (a unit has a term to itself).
    """
    if design.n < max(fewest_units, design.k + 1):
        return Problem(
            TOO_FEW_UNITS, f"{design.n} units with every value; at least {max(fewest_units, design.k + 1)} needed"
        )
    if np.ptp(design.outcome) == 0:
        return Problem(NO_VARIATION, "the outcome is the same in every unit")
    for name, column in zip(design.names[1:], design.matrix[:, 1:].T, strict=True):
        if np.ptp(column) <= _DEPENDENT * np.abs(column).max():
            return Problem(NO_VARIATION, f"{name} is the same in every unit", name)
    dependent = _first_dependent(design.matrix)
    if dependent is not None:
        name = design.names[dependent]
        return Problem(SINGULAR, f"{name} is a combination of the terms before it", name)
    own = leverage(design.matrix)
    if own.max() > ALONE:
        row = int(own.argmax())
        return Problem(HIGH_LEVERAGE, f"{design.units[row]} has a term of the model to itself", _alone_in(design, row))
    return None


def leverage(matrix: Floats) -> Floats:
    """Diagonal of the projection on the columns, shape (n,), by QR."""
    q, _ = np.linalg.qr(matrix)
    diagonal: Floats = np.einsum("ij,ij->i", q, q)
    return diagonal


def _first_dependent(matrix: Floats) -> int | None:
    """The first column that is a combination of those before it, by what QR leaves of it."""
    scaled = matrix / np.linalg.norm(matrix, axis=0)
    _, r = np.linalg.qr(scaled)
    small = np.flatnonzero(np.abs(np.diag(r)) < _DEPENDENT)
    return int(small[0]) if len(small) else None


def _alone_in(design: Design, row: int) -> str | None:
    """The indicator that only this row has, or only this row has not."""
    for name, column in zip(design.names[1:], design.matrix[:, 1:].T, strict=True):
        if np.sum(column == column[row]) == 1 and len(np.unique(column)) == 2:
            return name
    return None


@dataclass(frozen=True, slots=True)
class Fit:
    """What a fit came to. Arrays of shape (k,) are in the order of `design.names`.

    `std_error` is the one that `statistic`, `p_value` and the limits rest on, and `method` says which it is. `residuals`,
    `fitted` and `leverage` have shape (n,) and belong to the fitted (for weights: the weighted) rows. `df` are the degrees
    of freedom of t. `classical_std_error` is that of equal variances, for the partial R2. `second_std_error` stands beside
    it where a second one is asked for (quasi-Poisson: HC3). `extra` holds further figures of the method by name. `weights`
    of shape (n,) belong to weighted least squares; None where every row counts alike.
    """

    design: Design
    method: str
    estimate: Floats
    std_error: Floats
    df: float
    residuals: Floats
    fitted: Floats
    leverage: Floats
    classical_std_error: Floats
    second_std_error: Floats | None = None
    extra: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    weights: Floats | None = None

    @property
    def statistic(self) -> Floats:
        """Estimate over standard error: t, shape (k,)."""
        return self.estimate / self.std_error

    @property
    def p_value(self) -> Floats:
        """Two-sided, t with `df` degrees of freedom, shape (k,)."""
        p: Floats = 2 * special.stdtr(self.df, -np.abs(self.statistic))
        return p

    @property
    def limits_95(self) -> tuple[Floats, Floats]:
        """Lower and upper 95% limits, shape (k,) each."""
        half = special.stdtrit(self.df, 0.975) * self.std_error
        return self.estimate - half, self.estimate + half


@dataclass(frozen=True, slots=True)
class Fitted:
    """One model of one window: what was asked, and the fit or the reason why there is none.

    `model` is M0 to M10; `variant` tells apart models of one id (such as huber and median in M7), "primary" where there is
    one only. `terms` are asked for whether or not they could be fitted (region indicators aside). `post_baseline` are those
    that look into the window. `is_log` says that 100 (exp(b) - 1) is a percentage difference of the outcome. `left_out` maps
    unit ids to the reason why a unit is not in the model.
    """

    window_id: str
    window_start: int
    window_end: int
    outcome: str
    model: str
    region_effects: bool
    terms: tuple[str, ...]
    result: Fit | Problem
    variant: str = "primary"
    note: str | None = None
    is_log: bool = True
    post_baseline: frozenset[str] = frozenset()
    left_out: Mapping[str, str] = field(default_factory=dict)
    units_of_terms: Mapping[str, str] = field(default_factory=dict)
