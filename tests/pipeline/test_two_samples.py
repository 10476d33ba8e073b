"""Two groups side by side: against published figures, against scipy, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pipeline import two_samples


def test_welch_by_hand() -> None:
    """Means 2 and 5, variances 1 and 4 over 3 values each: se^2 = 5/3, t = -3 / sqrt(5/3), df = (5/3)^2 / (1/18 + 16/18)."""
    found = two_samples.welch(np.array([1.0, 2, 3]), np.array([3.0, 5, 7]), 0.95)
    assert found.value == pytest.approx(-3)
    assert found.statistic == pytest.approx(-3 / (5 / 3) ** 0.5)
    assert found.df == pytest.approx(50 / 17)
    assert (found.low + found.high) / 2 == pytest.approx(-3)


@pytest.mark.parametrize(("n_first", "n_second", "spread"), [(5, 40, 3.0), (41, 106, 1.0), (2, 2, 0.1)])
def test_welch_is_that_of_scipy(n_first: int, n_second: int, spread: float) -> None:
    random = np.random.default_rng(n_first)
    first, second = random.normal(1, spread, n_first), random.normal(0, 1, n_second)
    found = two_samples.welch(first, second, 0.95)
    theirs = stats.ttest_ind(first, second, equal_var=False)
    limits = theirs.confidence_interval(0.95)
    assert (found.statistic, found.df, found.p) == pytest.approx(
        (theirs.statistic, theirs.df, theirs.pvalue), rel=1e-10
    )
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high), rel=1e-10)


def test_welch_needs_two_values_and_some_spread() -> None:
    with pytest.raises(ValueError, match="two values"):
        two_samples.welch(np.array([1.0]), np.array([1.0, 2]), 0.95)
    with pytest.raises(ValueError, match="spread"):
        two_samples.welch(np.array([1.0, 1]), np.array([2.0, 2]), 0.95)


# Newcombe 1998, Stat Med 17:873, table II, method 10, to the digits printed there.
NEWCOMBE = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ((0, 10, 0, 10), (-0.2775, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0000)),
    ((10, 10, 0, 10), (0.6075, 1.0000)),
]


@pytest.mark.parametrize(("table", "limits"), NEWCOMBE)
def test_limits_of_a_difference_of_shares(table: tuple[int, int, int, int], limits: tuple[float, float]) -> None:
    found = two_samples.shares(*table, 0.95)
    assert (found.low, found.high) == pytest.approx(limits, abs=5.1e-5)
    assert found.value == pytest.approx(table[0] / table[1] - table[2] / table[3])


@pytest.mark.parametrize(
    "table", [(3, 10, 12, 15), (0, 10, 0, 20), (10, 10, 0, 10), (29, 46, 42, 102), (1, 5, 1, 5), (18, 41, 50, 106)]
)
def test_fisher_is_that_of_scipy(table: tuple[int, int, int, int]) -> None:
    a, n, b, m = table
    assert two_samples.fisher_exact(*table) == pytest.approx(
        stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue, rel=1e-9
    )


def test_fisher_by_hand() -> None:
    """The lady who tasted tea: 3 of 4 and 1 of 4. Ways: 1, 16, 36, 16, 1 of 70; no likelier than 16: 34 of 70."""
    assert two_samples.fisher_exact(3, 4, 1, 4) == pytest.approx(34 / 70)


def test_the_order_of_the_groups_turns_the_sign() -> None:
    one, other = two_samples.shares(9, 10, 3, 10, 0.95), two_samples.shares(3, 10, 9, 10, 0.95)
    assert (other.value, other.low, other.high) == pytest.approx((-one.value, -one.high, -one.low))
    assert other.p == pytest.approx(one.p)


def test_an_interval_holds_the_difference_as_often_as_it_says() -> None:
    """Groups of 41 and 106, 2,000 times: 95% +/- 1.5 points is three standard deviations; Newcombe's is a little wide."""
    random, rounds = np.random.default_rng(20181129), 2000
    means = shares = 0
    for _ in range(rounds):
        mean = two_samples.welch(random.normal(1, 3, 41), random.normal(0, 1, 106), 0.95)
        share = two_samples.shares(int(random.binomial(41, 0.6)), 41, int(random.binomial(106, 0.4)), 106, 0.95)
        means += mean.low <= 1 <= mean.high
        shares += share.low <= 0.2 <= share.high
    assert 0.935 * rounds <= means <= 0.965 * rounds
    assert 0.935 * rounds <= shares <= 0.97 * rounds
