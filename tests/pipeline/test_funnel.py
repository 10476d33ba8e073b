"""Funnel limits: golden Poisson limits, over-dispersion by hand and on simulated authorities, and the published level."""

from __future__ import annotations

import csv
import math
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import funnel, settings
from pipeline.geography import Unit
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.published_files import published

GOLDEN = Path(__file__).parents[1] / "golden"
POISSON = tomllib.loads((GOLDEN / "limits.toml").read_text(encoding="utf-8"))["funnel"]
SETTINGS = settings.load().evidence


@pytest.mark.parametrize("case", POISSON["limits"], ids=lambda case: f"{case['events']} at {case['confidence']}")
def test_golden_poisson_limits(case: dict) -> None:
    low, high = funnel.poisson_limits(case["events"], POISSON["baseline"], case["confidence"])
    assert (float(low), float(high)) == pytest.approx((case["low"], case["high"]), rel=1e-4)


# ---------------------------------------------------------------------------------------------------------------------
# Over-dispersion


def test_over_dispersion_by_hand() -> None:
    """Four units with s^2 = 1/4: y = -1, 1, -1, 1 are z = -2, 2, -2, 2, so phi = 4.

    With w = 4 each, sum w - sum w^2 / sum w = 16 - 64/16 = 12 and tau2 = (4 x 4 - 3) / 12 = 13/12; z_adjusted = 1 /
    sqrt(1/4 + 13/12) = sqrt 3 / 2.
    """
    found = funnel.dispersion(np.array([-1.0, 1.0, -1.0, 1.0]), np.full(4, 0.25), 0.0)
    assert found.z.tolist() == [-2, 2, -2, 2]
    assert (found.phi[0], found.tau2[0]) == pytest.approx((4, 13 / 12))
    assert found.z_adjusted[1] == pytest.approx(math.sqrt(3) / 2)


def test_winsorising_by_hand() -> None:
    """0 to 10: the 10th and 90th percentiles by linear interpolation are 1 and 9."""
    assert funnel.winsorise(np.arange(11.0), 0.10).tolist() == [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]
    assert funnel.winsorise(np.arange(11.0), 0.0).tolist() == list(range(11))
    assert funnel.winsorise(np.array([0.0, 1, 2, 3, 4, 5]), 0.10).tolist() == [0.5, 1, 2, 3, 4, 4.5]


def test_chance_alone_has_no_added_variance() -> None:
    """Winsorised, phi lies below 1, so that tau2 is 0 and the adjusted z is the plain one."""
    random = np.random.default_rng(1)
    variances = random.uniform(0.002, 0.02, 150)
    found = funnel.dispersion(random.standard_normal(150) * np.sqrt(variances), variances, 0.10)
    assert found.tau2[0] == 0
    assert np.array_equal(found.z_adjusted, found.z)


def test_added_variance_is_recovered() -> None:
    """Without winsorising the estimate is right on average: 200 countries with tau2 = 0.09."""
    random = np.random.default_rng(2)
    variances = random.uniform(0.002, 0.02, (200, 150))
    values = random.standard_normal((200, 150)) * np.sqrt(variances + 0.09)
    found = funnel.dispersion(values, variances, 0.0)
    assert found.tau2.mean() == pytest.approx(0.09, rel=0.03)
    assert found.z_adjusted.std() == pytest.approx(1, abs=0.02)


def test_many_countries_at_once_are_as_each_alone() -> None:
    random = np.random.default_rng(3)
    values, start, end = random.standard_normal((3, 8, 40))
    counts = 100 + 10 * np.abs(start), 120 + 10 * np.abs(end)
    together = funnel.of_changes(values, *counts, 0.10)
    for at in range(8):
        assert np.array_equal(together[at], funnel.of_changes(values[at], counts[0][at], counts[1][at], 0.10))


def test_a_change_has_the_variance_of_both_its_counts() -> None:
    """Two units of 100 and 25 children at both ends: s^2 = 2/100 and 2/25."""
    found = funnel.of_changes(np.array([0.1, -0.1]), np.array([100.0, 25.0]), np.array([100.0, 25.0]), 0.0)
    expected = funnel.dispersion(np.array([0.1, -0.1]), np.array([0.02, 0.08]), 0.0).z_adjusted
    assert np.array_equal(found, expected)


# ---------------------------------------------------------------------------------------------------------------------
# The table


def units(n: int) -> list[Unit]:
    codes = [str(300 + at) for at in range(n)]
    return [Unit(code, f"Area {code}", "North Sarn", (code,), (code,), (code,), (code,), None) for code in codes]


@pytest.fixture
def level() -> pd.DataFrame:
    """Forty authorities around 60 per 10,000, one far above and one far below."""
    random = np.random.default_rng(4)
    people = random.uniform(20_000, 200_000, 40).round()
    rates = 0.006 * np.exp(random.standard_normal(40) * 0.1)
    rates[0], rates[1] = 0.02, 0.002
    return funnel.level_frame(2025, units(40), (people * rates).round(), people, SETTINGS)


def test_expected_children_add_up_to_the_observed(level: pd.DataFrame) -> None:
    assert level["expected"].sum() == pytest.approx(level["observed"].sum())


def test_outside_is_where_the_rate_leaves_the_limits(level: pd.DataFrame) -> None:
    rate = level["rate_per_10k"]
    for word, outside in (
        ("above_998", rate > level["high_998"]),
        ("below_998", rate < level["low_998"]),
        ("above_95", (rate > level["high_95"]) & (rate <= level["high_998"])),
        ("below_95", (rate < level["low_95"]) & (rate >= level["low_998"])),
    ):
        assert ((level["outside"] == word) == outside).all(), word
    assert level["outside"].iloc[:2].tolist() == ["above_998", "below_998"]
    assert (level["outside"] == "inside").mean() > 0.8


def test_limits_are_wider_for_small_authorities_and_hold_those_of_chance(level: pd.DataFrame) -> None:
    ordered = level.sort_values("population_0_17")
    assert (np.diff(ordered["high_95"]) < 0).all()
    assert (level["low_95"] < level["poisson_low_95"]).all()
    assert (level["high_95"] > level["poisson_high_95"]).all()
    assert (level["low_998"] < level["low_95"]).all()


def test_a_population_scaled_by_a_constant_leaves_nobody_in_or_out(level: pd.DataFrame) -> None:
    """Every rate and limit moves alike."""
    observed, people = (level[name].to_numpy(dtype=float) for name in ("observed", "population_0_17"))
    scaled = funnel.level_frame(2025, units(40), observed, 2 * people, SETTINGS)
    assert scaled["outside"].tolist() == level["outside"].tolist()
    assert scaled["high_998"].to_numpy() == pytest.approx(level["high_998"].to_numpy() / 2)


def test_years_with_few_authorities_have_no_funnel() -> None:
    country = small.country()
    found = funnel.funnel_levels(country.looked_after, country.population, country.areas, SETTINGS)
    assert len(found) == 0


@published
def test_the_published_level_worked_out_a_second_time(real: Readings) -> None:
    """tests/golden/calculate_evidence.py; 151 authorities in being but for two too small, as in 2025."""
    with (GOLDEN / "evidence.csv").open(encoding="utf-8") as file:
        golden = {row["figure"]: float(row["value"]) for row in csv.DictReader(file)}
    found = funnel.funnel_levels(real.core_looked_after, real.core_population, real.areas, SETTINGS)
    newest = found.loc[found["year"] == found["year"].max()]
    assert (newest["phi"].iloc[0], newest["tau2"].iloc[0]) == pytest.approx(
        (golden["funnel/phi"], golden["funnel/tau2"]), rel=1e-9
    )
    assert len(newest) == 151
    assert found["year"].min() == 2013
    assert np.isfinite(found.select_dtypes("number").to_numpy(dtype=float)).all()
