"""How far a coefficient can be trusted without leaning on asymptotics: bootstraps, permutations, leaving units out.

What belongs here: the resampling of one linear model (methods.md D6), and the regression of many outcomes on many columns
at once, which joint permutations need (D7). What does not: which models are resampled (`models`), and where the random
numbers come from (`pipeline.randomness`).

No draw is refitted. Let A be an orthonormal basis of the terms whose last axis is x~ / |x~|, x~ being what the other terms
leave of the tested one (Frisch, Waugh and Lovell). What is fitted without the term drops out of everything below, so a
draw is its residuals z alone: b* = x~'z / x~'x~, e* = z - A A'z, and with c = x~ / (x~'x~ (1 - leverage)) the HC3 variance
    sum (c e*)^2 = sum (c z)^2 - 2 (A'C z)'(A'z) + (A'z)'(A'C A)(A'z),    C = diag(c^2):
a block of draws costs one product of matrices. Bases are by QR, never by normal equations. Random numbers are drawn in the
order of the draws, each draw's together, so that the size of a block changes nothing but rounding.

`weights` w mean the model whose rows, outcome and constant alike, are multiplied by sqrt(w); residuals are flipped or
permuted on that scale. Designs are those that `design.problem` has nothing to say against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.regression.design import ALONE, Design, Floats, Integers

EQUAL = 1e-9  # relative: a draw that repeats the data has the same statistic but for rounding, and counts as large
_CANCELLED = 1e-4  # of the first of the three sums: a smaller variance has lost digits, and e* is written out instead
_SPANNED = 1e-9  # of a column's length: no more than rounding is left of a column that the others span
_BLOCK_NUMBERS = 2**16  # numbers in a block, 0.5 MB: it stays in the processor's cache
_FEWEST_ROWS = 8  # with fewer, a product of matrices waits for the memory that the bases of many units come from

_WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of some draws have a statistic at least as large as that of the data; tallies of other draws add up."""

    as_large: int
    draws: int

    @property
    def p_value(self) -> float:
        """(1 + #{|t*| >= |t|}) / (B + 1): two-sided, and never 0."""
        return (1 + self.as_large) / (self.draws + 1)

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.as_large + other.as_large, self.draws + other.draws)


@dataclass(frozen=True, slots=True)
class Draws:
    """A statistic of the data, and the same of every draw, shape (draws,)."""

    observed: float
    drawn: Floats

    @property
    def tally(self) -> Tally:
        """How many are as large as the observed."""
        as_large = np.abs(self.drawn) >= abs(self.observed) * (1 - EQUAL)
        return Tally(int(np.count_nonzero(as_large)), len(self.drawn))

    @property
    def p_value(self) -> float:
        """Of all these draws, see `Tally`."""
        return self.tally.p_value


def wild(
    design: Design,
    term: str,
    draws: int,
    random: np.random.Generator,
    *,
    weights: Floats | None = None,
    block: int | None = None,
) -> float:
    """The p-value of the wild bootstrap without the term: y* = fitted + residual x Rademacher sign, compared by HC3 t."""
    return wild_draws(design, term, draws, random, weights=weights, block=block).p_value


def region_wild(
    design: Design,
    term: str,
    draws: int,
    random: np.random.Generator,
    *,
    weights: Floats | None = None,
    block: int | None = None,
) -> float:
    """The p-value of the wild bootstrap with one Webb weight a region, compared by CR1 t by region.

    ValueError with under two regions.
    """
    return region_wild_draws(design, term, draws, random, weights=weights, block=block).p_value


def freedman_lane(
    design: Design,
    term: str,
    draws: int,
    random: np.random.Generator,
    *,
    weights: Floats | None = None,
    block: int | None = None,
) -> float:
    """The p-value of Freedman and Lane's permutation of residuals without the term within regions, compared by HC3 t."""
    return freedman_lane_draws(design, term, draws, random, weights=weights, block=block).p_value


def leave_one_out(design: Design, *, weights: Floats | None = None) -> Floats:
    """Estimates without each unit in turn, shape (n, k): b - R^-1 q_i e_i / (1 - h_i), X = QR."""
    matrix, outcome = _whitened(design, weights)
    q, r = np.linalg.qr(matrix)
    residuals = outcome - q @ (q.T @ outcome)
    missed_by = residuals / (1 - np.einsum("ij,ij->i", q, q))
    return np.linalg.solve(r, (q.T @ outcome)[:, np.newaxis] - (q * missed_by[:, np.newaxis]).T).T


def wild_draws(
    design: Design,
    term: str,
    draws: int,
    random: np.random.Generator,
    *,
    weights: Floats | None = None,
    block: int | None = None,
) -> Draws:
    """The HC3 t of the data and of each draw of `wild`."""
    tested = _tested(*_whitened(design, weights), design.column(term))
    flipped = tested.residuals[:, np.newaxis] * tested.both_bases
    # 2 bit - 1 is the sign of a bit, so the bits are multiplied as they are; and signs do not change z^2.
    all_minus = flipped.sum(axis=0)
    squares = tested.residuals**2 @ tested.squared
    found = []
    for bits in random_bits(random, draws, design.n, block=block):
        products = 2 * (bits @ flipped) - all_minus
        found.append(tested.statistics(products, np.full(len(bits), squares), _flipped(bits, tested.residuals)))
    return Draws(tested.observed, np.concatenate(found))


def region_wild_draws(
    design: Design,
    term: str,
    draws: int,
    random: np.random.Generator,
    *,
    weights: Floats | None = None,
    block: int | None = None,
) -> Draws:
    """The CR1 t of the data and of each draw of `region_wild`: G/(G-1) (N-1)/(N-k) times the sum of squared scores.

    The score of a region, its sum of x~ e*, is linear in the weights of the regions: row g of `scores` is what the
    residuals of region g bring to the score of each. ValueError for a design of one region.
    """
    tested = _tested(*_whitened(design, weights), design.column(term))
    region = _codes(design.regions)
    n_regions = int(region.max()) + 1
    if n_regions < 2:
        raise ValueError(f"clusters by region need two regions or more; the design has {n_regions}")
    member = (region == np.arange(n_regions)[:, np.newaxis]).astype(float)
    products = member @ (tested.column * tested.residuals)
    scores = (
        np.diag(products) - (member * tested.residuals) @ tested.basis @ ((member * tested.column) @ tested.basis).T
    )
    correction = n_regions / (n_regions - 1) * (design.n - 1) / (design.n - design.k)

    def statistics(webb: Floats) -> Floats:
        own = webb @ scores
        t: Floats = (webb @ products) / np.sqrt(correction * np.einsum("ij,ij->i", own, own))
        return t

    drawn = [statistics(webb) for webb in webb_weights(random, draws, n_regions, block=block)]
    return Draws(float(statistics(np.ones((1, n_regions)))[0]), np.concatenate(drawn))


def freedman_lane_draws(
    design: Design,
    term: str,
    draws: int,
    random: np.random.Generator,
    *,
    weights: Floats | None = None,
    block: int | None = None,
) -> Draws:
    """The HC3 t of the data and of each draw of `freedman_lane`."""
    tested = _tested(*_whitened(design, weights), design.column(term))
    found = []
    for moved in permutations_within(random, draws, design.regions, block=block):
        z = np.take(tested.residuals, moved)
        found.append(tested.statistics(z @ tested.both_bases, z**2 @ tested.squared, z.__getitem__))
    return Draws(tested.observed, np.concatenate(found))


def regress_on_columns(
    others: Floats, columns: Floats, outcomes: Floats, *, block: int | None = None
) -> tuple[Floats, Floats]:
    """Least squares of every outcome on every column beside the same other terms: estimates and HC3 standard errors.

    `others` has shape (n, k - 1) and includes the constant, `columns` (draws, n), `outcomes` (m, n); both results have
    shape (draws, m). For weights, all three come multiplied by sqrt(w). A column that the others span has neither
    estimate nor error: NaN. So has the error of a column that gives a unit a leverage of 1.
    """
    basis, _ = np.linalg.qr(others)
    left = outcomes - (outcomes @ basis) @ basis.T
    own_leverage = np.einsum("ij,ij->i", basis, basis)
    n, m = others.shape[0], len(outcomes)
    estimate, std_error = np.empty((len(columns), m)), np.empty((len(columns), m))
    for rows in _blocks(len(columns), block or rows_in_block(n)):
        column = columns[rows] - (columns[rows] @ basis) @ basis.T
        length = np.einsum("ij,ij->i", column, column)
        is_spanned = length <= _SPANNED**2 * np.einsum("ij,ij->i", columns[rows], columns[rows])
        length = np.where(is_spanned, np.nan, length)[:, np.newaxis]
        room = 1 - own_leverage - column**2 / length
        squared = (column / (length * np.where(room > 1 - ALONE, room, np.nan))) ** 2
        estimate[rows] = column @ left.T / length
        std_error[rows] = np.sqrt(_sums_of_squares(squared, left, column, estimate[rows]))
    return estimate, std_error


def _sums_of_squares(squared: Floats, outcomes: Floats, columns: Floats, slopes: Floats) -> Floats:
    """Sum over units of c^2 (y - b x)^2, shape (rows, m): c^2 and x (rows, n), y (m, n), b (rows, m)."""
    first = squared @ (outcomes**2).T
    scaled = squared * columns
    last = np.einsum("ij,ij->i", scaled, columns)[:, np.newaxis]
    sums: Floats = first - 2 * slopes * (scaled @ outcomes.T) + slopes**2 * last
    row, outcome = np.nonzero(sums < _CANCELLED * first)
    residuals = outcomes[outcome] - slopes[row, outcome][:, np.newaxis] * columns[row]
    sums[row, outcome] = np.einsum("ij,ij->i", squared[row], residuals**2)
    return sums


def permutations_within(
    random: np.random.Generator, draws: int, regions: Sequence[str], *, block: int | None = None
) -> Iterator[Integers]:
    """Permutations of units that stay in their regions, in blocks of shape (rows, n): the unit that comes to each place.

    One 64-bit number a unit and draw, whose lowest bits are replaced by the unit. Sorting a region's numbers puts its
    units into random order, and they are read off the sorted numbers. Below 65,536 units 48 bits or more are random.
    """
    region = _codes(regions)
    n = len(region)
    by_region = np.argsort(region, kind="stable")
    place = np.argsort(by_region)
    ends = np.cumsum(np.bincount(region))
    own_columns = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    is_unit = np.uint64((1 << int(n - 1).bit_length()) - 1)
    for rows in _blocks(draws, block or rows_in_block(n)):
        numbers = random.integers(0, 2**64, size=(rows.stop - rows.start, n), dtype=np.uint64)
        numbers &= ~is_unit
        numbers |= by_region.astype(np.uint64)
        for own in own_columns:
            numbers[:, own].sort(axis=1)
        numbers &= is_unit
        yield np.take(numbers.view(np.int64), place, axis=1)


def random_bits(random: np.random.Generator, draws: int, n: int, *, block: int | None = None) -> Iterator[Floats]:
    """Fair bits, 0.0 or 1.0, in blocks of shape (rows, n); every draw begins with a new 64-bit number."""
    words = -(-n // 64)
    for rows in _blocks(draws, block or rows_in_block(n)):
        numbers = random.integers(0, 2**64, size=(rows.stop - rows.start, words), dtype=np.uint64)
        eighths = numbers.astype("<u8", copy=False).view(np.uint8)
        yield np.unpackbits(eighths, axis=1, count=n, bitorder="little").astype(float)


def webb_weights(random: np.random.Generator, draws: int, n: int, *, block: int | None = None) -> Iterator[Floats]:
    """Webb's six points, +-sqrt 1.5, +-1 and +-sqrt 0.5 with equal chances, in blocks of shape (rows, n)."""
    for rows in _blocks(draws, block or rows_in_block(n)):
        yield _WEBB[random.integers(0, len(_WEBB), size=(rows.stop - rows.start, n))]


def pass_over_bits(random: np.random.Generator, draws: int, n: int) -> None:
    """Leave the stream where `random_bits` would after as many draws. Whole 64-bit numbers are counted, not made.

    TypeError for a generator that cannot count them.
    """
    _advance(random, draws * -(-n // 64))


def pass_over_permutations(random: np.random.Generator, draws: int, n: int) -> None:
    """Leave the stream where `permutations_within` would after as many draws of n units.

    TypeError for a generator that cannot count them.
    """
    _advance(random, draws * n)


def pass_over_webb(random: np.random.Generator, draws: int, n: int) -> None:
    """Leave the stream where `webb_weights` would: they take half a number each, at times another, so they are made."""
    for _ in webb_weights(random, draws, n):
        pass


def _advance(random: np.random.Generator, numbers: int) -> None:
    generator = random.bit_generator
    if not isinstance(generator, np.random.PCG64):
        raise TypeError(f"streams are of numpy's default generator, not {type(generator).__name__}")
    generator.advance(numbers)


@dataclass(frozen=True, slots=True)
class _Tested:
    """A design seen from one of its terms, in the notation of the module's text.

    `basis` is A, shape (n, k), `both_bases` A beside C A, shape (n, 2k), `inner` A'C A; `squared` is c^2, `column` x~ and
    `length` x~'x~; `residuals` are those without the term, `observed` the HC3 t of the data.
    """

    basis: Floats
    both_bases: Floats
    inner: Floats
    squared: Floats
    column: Floats
    length: float
    residuals: Floats
    observed: float

    def statistics(self, products: Floats, squares: Floats, drawn: Callable[[Integers], Floats]) -> Floats:
        """HC3 t of draws z from z [A, C A], shape (rows, 2k), and sum (c z)^2; `drawn` gives z itself for some rows."""
        k = self.basis.shape[1]
        on_basis, on_scaled = products[:, :k], products[:, k:]
        variance = squares + np.einsum("ij,ij->i", on_basis @ self.inner - 2 * on_scaled, on_basis)
        cancelled = np.flatnonzero(variance < _CANCELLED * squares)
        if len(cancelled):
            z = drawn(cancelled)
            variance[cancelled] = (z - (z @ self.basis) @ self.basis.T) ** 2 @ self.squared
        t: Floats = on_basis[:, -1] / np.sqrt(self.length * variance)
        return t


def _tested(matrix: Floats, outcome: Floats, place: int) -> _Tested:
    """The design seen from the term in this place."""
    others, _ = np.linalg.qr(np.delete(matrix, place, axis=1))
    # Twice: what rounding leaves of the others after the first time would show where the term is nearly one of them.
    column = _without(others, _without(others, matrix[:, place]))
    length = float(column @ column)
    basis = np.column_stack([others, column / np.sqrt(length)])
    squared = (column / (length * (1 - np.einsum("ij,ij->i", basis, basis)))) ** 2
    scaled = squared[:, np.newaxis] * basis
    residuals = _without(others, outcome)
    final = _without(basis, residuals)
    return _Tested(
        basis=basis,
        both_bases=np.column_stack([basis, scaled]),
        inner=basis.T @ scaled,
        squared=squared,
        column=column,
        length=length,
        residuals=residuals,
        observed=float(column @ residuals / length / np.sqrt(squared @ final**2)),
    )


def _flipped(bits: Floats, residuals: Floats) -> Callable[[Integers], Floats]:
    """Gives some rows of the draws: every residual with the sign of its bit."""

    def drawn(rows: Integers) -> Floats:
        return (2 * bits[rows] - 1) * residuals

    return drawn


def _without(basis: Floats, vector: Floats) -> Floats:
    """What an orthonormal basis leaves of a vector."""
    return vector - basis @ (basis.T @ vector)


def _whitened(design: Design, weights: Floats | None) -> tuple[Floats, Floats]:
    """Matrix and outcome with their rows multiplied by the roots of the weights."""
    if weights is None:
        return design.matrix, design.outcome
    roots = np.sqrt(weights)
    return design.matrix * roots[:, np.newaxis], design.outcome * roots


def _codes(regions: Sequence[str]) -> Integers:
    """Regions as whole numbers from 0, in the order of the alphabet."""
    _, codes = np.unique(np.asarray(regions, dtype=str), return_inverse=True)
    return codes.astype(np.int64)


def rows_in_block(n: int) -> int:
    """Draws in a block where the caller does not say."""
    return max(_FEWEST_ROWS, _BLOCK_NUMBERS // n)


def _blocks(draws: int, rows: int) -> Iterator[slice]:
    """The draws, some at a time."""
    for first in range(0, draws, rows):
        yield slice(first, min(first + rows, draws))
