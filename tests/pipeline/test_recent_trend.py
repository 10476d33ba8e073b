"""The Fingertips-style marker: golden cases, the order of its errors, and many series at once."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm

from pipeline import recent_trend

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "recent_trend_markers.toml").read_text(encoding="utf-8"))
FIRST = GOLDEN["other_trends"]


def test_golden_threshold() -> None:
    assert recent_trend.threshold() == pytest.approx(GOLDEN["threshold"], abs=1e-9)


@pytest.mark.parametrize("name", ["other_trends", "other_grouped"])
def test_golden_values_with_limits(name: str) -> None:
    case = GOLDEN[name]
    found = recent_trend.from_limits(case["years"], case["values"], case["low"], case["high"])
    assert (round(found.chi2, 4), round(found.gradient, 4)) == (case["chi2"], case["gradient"])
    assert (found.marker, found.reason) == (case["marker"], "No outliers and significant trend")


def test_golden_proportions() -> None:
    case = GOLDEN["prop_trends"]
    found = recent_trend.from_proportions(case["years"], case["counts"], case["denominators"])
    assert (round(found.chi2, 4), round(found.gradient, 4)) == (case["chi2"], case["gradient"])
    assert (found.marker, found.reason) == (case["marker"], "No outliers and significant trend")


def spoilt(name: str) -> dict[str, list]:
    """The first golden case with the named thing wrong."""
    case = {key: list(FIRST[key]) for key in ("years", "values", "low", "high")}
    if "missing_value" in name:
        case["values"][2] = math.nan
    if "missing_limit" in name:
        case["high"][4] = math.nan
    if "four_points" in name:
        case = {key: cells[:4] for key, cells in case.items()}
    if "duplicate_year" in name:
        case["years"][1] = case["years"][0]
    return case


@pytest.mark.parametrize("name", ["missing_value", "missing_limit", "four_points", "duplicate_year"])
def test_golden_errors_are_returned(name: str) -> None:
    found = recent_trend.from_limits(**spoilt(name))
    assert found == recent_trend.Marker(None, None, GOLDEN["errors"]["marker"], GOLDEN["errors"][name])


def test_the_order_of_errors() -> None:
    """methods.md C9: duplicates, too few points, missing values, missing limits."""
    order = ["duplicate_year", "four_points", "missing_value", "missing_limit"]
    while order:
        assert recent_trend.from_limits(**spoilt(" ".join(order))).reason == GOLDEN["errors"][order[0]]
        order.pop(0)


def test_proportions_have_the_same_errors() -> None:
    found = recent_trend.from_proportions([1, 2, 3, 4, 5], [3, 4, math.nan, 5, 6], [9] * 5)
    assert found.reason == "Missing values"
    assert recent_trend.from_proportions([1, 2], [3, 4], [9, 9]).reason == "Not enough data points"


def test_a_share_without_a_logit_is_refused() -> None:
    with pytest.raises(ValueError, match="no logit"):
        recent_trend.from_proportions([1, 2, 3, 4, 5], [0, 1, 2, 3, 4], [9] * 5)


def test_no_significant_trend() -> None:
    found = recent_trend.from_limits([1, 2, 3, 4, 5], [10, 11, 10, 11, 10], [8] * 5, [12] * 5)
    assert (found.marker, found.reason) == ("No significant change", "No significant trend")


def test_a_trend_that_hangs_on_one_point_is_none() -> None:
    """Four points fall a little and the fifth is far above: significant with it, downwards without it."""
    found = recent_trend.from_limits([1, 2, 3, 4, 5], [10, 9.9, 9.8, 9.7, 20], [9] * 4 + [19], [11] * 4 + [21])
    assert found.chi2 > recent_trend.threshold()
    assert (found.marker, found.reason) == ("No significant change", "Outlier found")


@pytest.mark.parametrize("level", [10.1, 12.7, 33.3, 59.27, 64.84616, 100 / 3])
def test_a_flat_line_but_for_one_point_is_none(level: float) -> None:
    """Without the last point the slope is 0, which is another sign than up; rounding must not make a trend of it."""
    values, half = np.array([level] * 4 + [2 * level]), np.array([1.1] * 4 + [1.87])
    found = recent_trend.from_limits([1, 2, 3, 4, 5], values, values - half, values + half)
    assert found.reason == "Outlier found"


@pytest.mark.parametrize(("sigma", "marker"), [(1.0, "Increasing"), (1.03, "No significant change")])
def test_the_threshold_by_hand(sigma: float, marker: str) -> None:
    """A slope of 1 over five years: chi2 = (4 + 1 + 0 + 1 + 4) / sigma^2 = 10 or 9.43, on either side of 9.55."""
    values = np.array([10.0, 11, 12, 13, 14])
    half = 1.959964 * sigma
    found = recent_trend.from_limits([1, 2, 3, 4, 5], values, values - half, values + half)
    assert found.marker == marker
    assert (found.gradient, found.chi2) == pytest.approx((1, 10 / sigma**2))


@pytest.fixture(scope="module")
def many() -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(1)
    values = 60 + random.standard_normal((4, 30, 5)).cumsum(axis=-1) * 6
    half = random.uniform(2, 9, values.shape)
    return np.arange(2019.0, 2024.0), values, values - half, values + half


def test_many_series_are_as_each_alone(many: tuple[np.ndarray, ...]) -> None:
    years, values, low, high = many
    found = recent_trend.trends(years, values, low, high)
    reasons = set()
    for at in np.ndindex(values.shape[:-1]):
        alone = recent_trend.from_limits(years.tolist(), values[at], low[at], high[at])
        assert (found.markers()[at], found.reasons()[at]) == (alone.marker, alone.reason)
        assert found.chi2[at] == pytest.approx(alone.chi2, rel=1e-10)
        reasons.add(alone.reason)
    assert reasons == {"No significant trend", "Outlier found", "No outliers and significant trend"}


def test_the_fit_is_weighted_least_squares(many: tuple[np.ndarray, ...]) -> None:
    """statsmodels, one series at a time, also with each point left out; the scale of the errors is known, not estimated."""
    years, values, low, high = many
    found = recent_trend.trends(years, values, low, high)
    design = sm.add_constant(years - years.mean())
    for at in [(0, 0), (1, 7), (2, 11), (3, 29)]:
        weights = ((high[at] - low[at]) / (2 * 1.959963985)) ** -2
        fitted = sm.WLS(values[at], design, weights=weights).fit()
        assert found.gradient[at] == pytest.approx(fitted.params[1], rel=1e-10)
        assert found.chi2[at] == pytest.approx(fitted.params[1] ** 2 / fitted.normalized_cov_params[1, 1], rel=1e-8)
        signs = {
            np.sign(sm.WLS(values[at][kept], design[kept], weights=weights[kept]).fit().params[1])
            for kept in (np.arange(5) != out for out in range(5))
        }
        assert found.has_outlier[at] == (signs != {np.sign(fitted.params[1])})


def test_rates_per_another_number_get_the_same_marker(many: tuple[np.ndarray, ...]) -> None:
    years, values, low, high = many
    assert np.array_equal(
        recent_trend.trends(years, values, low, high).is_marked,
        recent_trend.trends(years - 7, values / 10, low / 10, high / 10).is_marked,
    )


def test_units_with_a_missing_year_get_the_reason(many: tuple[np.ndarray, ...]) -> None:
    years, values, low, high = (one.copy() for one in many)
    values[0][3, 2] = math.nan
    markers, reasons = recent_trend.of_units(years.astype(int).tolist(), values[0], low[0], high[0])
    assert (markers[3], reasons[3]) == ("Cannot be calculated", "Missing values")
    whole = recent_trend.trends(years, values[0][:3], low[0][:3], high[0][:3])
    assert markers[:3] == whole.markers().tolist()


def test_units_with_too_few_years_get_the_reason(many: tuple[np.ndarray, ...]) -> None:
    _, values, low, high = (one[..., :4] for one in many)
    markers, reasons = recent_trend.of_units([1, 2, 3, 4], values[0], low[0], high[0])
    assert set(markers) == {"Cannot be calculated"}
    assert set(reasons) == {"Not enough data points"}
