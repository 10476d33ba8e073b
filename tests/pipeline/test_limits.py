"""Limits of a count, a rate and a share: golden figures, the edges, and what must not change them."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pipeline import limits, settings

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "limits.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", GOLDEN["rates"], ids=lambda case: f"{case['count']} at {case['confidence']}")
def test_golden_rates(case: dict) -> None:
    low, high = limits.rate_limits(case["count"], case["denominator"], case["confidence"], per=100)
    assert 100 * case["count"] / case["denominator"] == case["rate"]
    assert (float(low), float(high)) == pytest.approx((case["low"], case["high"]), rel=1e-4)


def test_golden_byar() -> None:
    case = GOLDEN["byar"]
    low, high = limits.byar(case["count"], case["confidence"])
    assert (float(low), float(high)) == pytest.approx((case["low"], case["high"]), rel=1e-4)


def test_golden_wilson() -> None:
    case = GOLDEN["wilson"]
    low, high = limits.wilson(case["count"], case["denominator"], case["confidence"])
    assert (float(low), float(high)) == pytest.approx((case["low"], case["high"]), rel=1e-4)


def test_the_normal_quantiles() -> None:
    """methods.md C6 and any table of the normal distribution."""
    assert limits.z_of(0.95) == pytest.approx(1.959964, abs=1e-6)
    assert limits.z_of(0.998) == pytest.approx(3.090232, abs=1e-6)


def test_the_settings_use_the_same_quantile() -> None:
    evidence = settings.load().evidence
    assert evidence.interval_z == pytest.approx(limits.z_of(evidence.limits_confidence), abs=1e-6)


def test_nobody_still_has_limits() -> None:
    """0 children: the lower limit is 0, the upper -ln(0.025), as no event is seen with a chance of exp(-mean)."""
    low, high = limits.count_limits(0)
    assert float(low) == 0
    assert float(high) == pytest.approx(-math.log(0.025))


@pytest.mark.parametrize("count", range(10))
def test_exact_below_ten(count: int) -> None:
    """The chance of a count as large under the lower limit, and as small under the upper one, is 2.5%."""
    low, high = (float(limit) for limit in limits.count_limits(count))
    assert stats.poisson.cdf(count, high) == pytest.approx(0.025)
    if count:
        assert stats.poisson.sf(count - 1, low) == pytest.approx(0.025)


def test_byar_from_ten_on_is_close_to_exact() -> None:
    counts = np.array([10, 11, 50, 400, 2000])
    for approximate, exact in zip(limits.count_limits(counts), limits.exact(counts), strict=True):
        assert approximate == pytest.approx(exact, rel=3e-3)
        assert not np.array_equal(approximate, exact)


def test_a_missing_number_has_no_limits() -> None:
    low, high = limits.count_limits([5, math.nan, 500])
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [False, True, False]
    low, high = limits.rate_limits([50, 50, 50], [1000, math.nan, 0])
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [False, True, True]


def test_a_count_below_nought_is_refused() -> None:
    with pytest.raises(ValueError, match="below 0"):
        limits.count_limits([3, -1])


def test_small_and_large_side_by_side_are_as_each_alone() -> None:
    counts = np.array([[3.0, 300.0], [9.5, 10.0]])
    low, high = limits.count_limits(counts)
    for at in np.ndindex(counts.shape):
        alone_low, alone_high = limits.count_limits(counts[at])
        assert (low[at], high[at]) == (float(alone_low), float(alone_high))


def test_a_larger_population_scales_the_limits() -> None:
    low, high = limits.rate_limits(40, 8000)
    half_low, half_high = limits.rate_limits(40, 16_000)
    assert (float(low), float(high)) == pytest.approx((2 * float(half_low), 2 * float(half_high)))
    assert float(low) < 50 < float(high)
