"""What rates remember: simulated walks, levels and trends, by hand, and the published files a second time."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline import memory, settings
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.published_files import published

GOLDEN = Path(__file__).parents[1] / "golden" / "evidence.csv"
SETTINGS, SEED = settings.load().evidence, settings.load().seed
UNITS, YEARS = 2000, 9


def ratios(log_rates: np.ndarray, draws: int = 50) -> list[float]:
    return [one.value for one in memory.variance_ratios(log_rates, 5, draws, SEED)]


@pytest.fixture(scope="module")
def steps() -> np.ndarray:
    return 0.06 * np.random.default_rng(1).standard_normal((UNITS, YEARS))


# ---------------------------------------------------------------------------------------------------------------------
# Simulated truths


def test_a_random_walk_has_ratios_of_one_and_no_drift(steps: np.ndarray) -> None:
    walk = steps.cumsum(axis=1)
    assert ratios(walk) == pytest.approx([1] * 5, abs=0.06)
    found = memory.drift(memory.yearly_deviations(walk))
    assert found.f == pytest.approx(1, abs=0.1)
    assert found.reliability < 0.1
    assert memory.lag_1_correlation(memory.yearly_deviations(walk)) == pytest.approx(0, abs=0.03)


def test_noise_around_a_fixed_level_has_ratios_of_one_over_k(steps: np.ndarray) -> None:
    """L(t) - L(t-k) is then a difference of two noises, whatever k; the next change takes half of the last one back."""
    level = steps + np.linspace(-1, 1, UNITS)[:, np.newaxis]
    assert ratios(level) == pytest.approx([1 / k for k in range(1, 6)], rel=0.06)
    assert memory.lag_1_correlation(memory.yearly_deviations(level)) == pytest.approx(-0.5, abs=0.03)
    assert memory.drift(memory.yearly_deviations(level)).reliability == 0


def test_persistent_trends_have_large_ratios_and_a_large_f(steps: np.ndarray) -> None:
    """Drifts as spread as the yearly noise: V_k = k s^2 + k^2 s^2, so VR(k) = (1 + k)/2; F is 1 + Y in expectation."""
    drifts = 0.06 * np.random.default_rng(2).standard_normal((UNITS, 1))
    trending = (steps + drifts).cumsum(axis=1)
    assert ratios(trending) == pytest.approx([(1 + k) / 2 for k in range(1, 6)], rel=0.06)
    found = memory.drift(memory.yearly_deviations(trending))
    assert found.f == pytest.approx(YEARS, rel=0.1)  # 1 + 8 changes
    assert found.p < 1e-10
    assert found.reliability == pytest.approx(8 / 9, abs=0.02)
    assert memory.lag_1_correlation(memory.yearly_deviations(trending)) == pytest.approx(0.5, abs=0.04)


def test_limits_cover_one_for_walks_as_often_as_they_say() -> None:
    """60 walks of 150 units: 95% limits of VR(3) miss 1 in about 3 of them, and hardly ever in more than 9."""
    random = np.random.default_rng(3)
    missed = 0
    for _ in range(60):
        walk = random.standard_normal((150, 8)).cumsum(axis=1)
        third = memory.variance_ratios(walk, 3, 200, SEED)[2]
        missed += not third.low <= 1 <= third.high
    assert missed <= 9


# ---------------------------------------------------------------------------------------------------------------------
# By hand, and identities


def test_variance_ratio_by_hand() -> None:
    """Two units, one going 0, 1, 2 and one staying: V_1 = 1/2 in both years, V_2 = 2, so VR(2) = 2 / (2 x 1/2) = 2."""
    found = memory.variance_ratios(np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]]), 5, 20, SEED)
    assert [(one.years, one.value) for one in found] == [(1, 1.0), (2, pytest.approx(2.0))]
    assert [one.n_values for one in found] == [4, 2]


def test_drift_is_the_one_way_analysis_of_variance() -> None:
    """The F of scipy, but for the degrees of freedom within: n (Y-1) there, (n-1)(Y-1) here, with a mean off each year."""
    d = memory.yearly_deviations(np.random.default_rng(4).standard_normal((12, 6)).cumsum(axis=1))
    found = memory.drift(d)
    assert (found.df_between, found.df_within) == (11, 44)
    assert found.f == pytest.approx(stats.f_oneway(*d).statistic * 44 / 48)
    assert found.p == pytest.approx(stats.f.sf(found.f, 11, 44))


def test_what_happens_to_all_alike_is_not_remembered(steps: np.ndarray) -> None:
    """The nation's own changes, which every unit shares, change no statistic."""
    walk = steps[:200].cumsum(axis=1)
    shared = walk + np.array([0, 0.1, -0.2, 0.3, 0.0, 0.1, 0.1, -0.4, 0.2])
    assert ratios(shared) == pytest.approx(ratios(walk))
    own, with_nation = memory.drift(memory.yearly_deviations(walk)), memory.drift(memory.yearly_deviations(shared))
    assert with_nation.f == pytest.approx(own.f)


def test_the_bootstrap_is_that_of_the_seed_and_of_whole_units() -> None:
    """The same by resampling one by one, with the generator of methods.md D9, purpose 2."""
    walk = np.random.default_rng(5).standard_normal((40, 6)).cumsum(axis=1)
    found = memory.variance_ratios(walk, 2, 100, SEED)
    picks = np.random.default_rng([SEED, 2, 0, 0]).integers(0, 40, size=(100, 40))
    drawn = [ratios(walk[pick], draws=1)[1] for pick in picks]
    assert (found[1].low, found[1].high) == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])))


def test_the_order_of_units_changes_no_value(steps: np.ndarray) -> None:
    walk = steps[:300].cumsum(axis=1)
    assert ratios(walk[::-1]) == pytest.approx(ratios(walk))


def test_correlation_and_its_limits() -> None:
    x, y = np.random.default_rng(6).standard_normal((2, 50))
    r = memory.correlation(x, y)
    assert r == pytest.approx(stats.pearsonr(x, y).statistic)
    low, high = stats.pearsonr(x, y).confidence_interval(0.95)
    assert memory.fisher_limits(r, 50, SETTINGS.interval_z) == pytest.approx((low, high), abs=1e-6)


def test_what_does_not_vary_has_no_statistic() -> None:
    still = np.zeros((40, 5))
    assert all(math.isnan(one.value) for one in memory.variance_ratios(still, 3, 10, SEED))
    assert math.isnan(memory.drift(memory.yearly_deviations(still)).f)
    assert math.isnan(memory.lag_1_correlation(memory.yearly_deviations(still)))
    assert np.isnan(memory.fisher_limits(math.nan, 50, 1.96)).all()
    assert np.isnan(memory.fisher_limits(0.5, 3, 1.96)).all()


# ---------------------------------------------------------------------------------------------------------------------
# The table


def country(first: int, last: int, units: int, *, still: bool = False) -> small.Country:
    """Authorities with counts of the release of their year and populations, in every year."""
    random = np.random.default_rng(7)
    codes = [str(number) for number in range(300, 300 + units)]
    years = range(first, last + 1)
    counts = {(code, year): 100 if still else int(random.integers(80, 120)) for code in codes for year in years}
    return small.country().but(
        looked_after=small.looked_after((code, year, year, "looked_after", n) for (code, year), n in counts.items()),
        population=small.population((code, year, "rebased", 10_000) for code, year in counts),
        local_authorities=small.local_authorities({code: f"Area {code}" for code in codes}),
    )


def stats_of(of: small.Country) -> pd.DataFrame:
    few_draws = dataclasses.replace(SETTINGS, bootstrap_draws=20)
    return memory.memory_stats(of.looked_after, of.population, of.areas, few_draws, SEED)


def test_every_statistic_is_there_or_says_why_not() -> None:
    """2018 to 2022: lag 5 and the windows before 2018 are out of reach; a quarter of 40 units is too few."""
    table = stats_of(country(2018, 2022, 40)).set_index(["panel", "statistic", "years"])
    assert len(table) == 2 * (5 + 3 + 2)
    assert (table["value"].isna() == table["reason"].notna()).all()
    reason = table["reason"].to_dict()
    assert reason["all_units", "variance_ratio", 5] == "short_series"
    assert reason["all_units", "window_correlation", 4] == "not_available"
    assert reason["large_units", "drift_f", 1] == "too_few_units"
    assert pd.isna(reason["all_units", "variance_ratio", 4])


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        pytest.param({"first": 2018, "last": 2022, "units": 29}, "too_few_units", id="29 units"),
        pytest.param({"first": 2018, "last": 2019, "units": 40}, "short_series", id="one step"),
        pytest.param({"first": 2012, "last": 2017, "units": 40}, "short_series", id="ends before the long layout"),
        pytest.param({"first": 2018, "last": 2022, "units": 40, "still": True}, "no_variation", id="nothing moves"),
    ],
)
def test_why_there_are_no_statistics(of: dict, reason: str) -> None:
    table = stats_of(country(**of))
    yearly = table.loc[(table["panel"] == "all_units") & table["statistic"].isin(["drift_f", "lag_1_correlation"])]
    assert yearly["reason"].tolist() == [reason] * 2
    assert yearly["value"].isna().all()


def test_a_unit_without_a_number_in_one_year_is_not_in_the_panel() -> None:
    of = country(2018, 2022, 40)
    hidden = of.looked_after.loc[~((of.looked_after["la_code"] == "300") & (of.looked_after["year"] == 2020))]
    assert set(stats_of(of.but(looked_after=hidden)).query("statistic == 'drift_f'")["n_units"]) == {39, 10}


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@pytest.fixture(scope="module")
def real_stats(real: Readings) -> pd.DataFrame:
    found = memory.memory_stats(real.core_looked_after, real.core_population, real.areas, SETTINGS, SEED)
    return found.set_index(["panel", "statistic", "years"])


@published
def test_the_published_files_worked_out_a_second_time(real_stats: pd.DataFrame) -> None:
    """tests/golden/calculate_evidence.py."""
    with GOLDEN.open(encoding="utf-8") as file:
        golden = {row["figure"]: float(row["value"]) for row in csv.DictReader(file)}
    own = real_stats.loc["all_units"]
    assert own.loc[("drift_f", 1), "n_units"] == golden["memory/n_units"]
    for k in range(2, 6):
        assert own.loc[("variance_ratio", k), "value"] == pytest.approx(golden[f"memory/variance_ratio_{k}"], rel=1e-9)
    for name in ("drift_f", "lag_1_correlation"):
        assert own.loc[(name, 1), "value"] == pytest.approx(golden[f"memory/{name}"], rel=1e-8)


@published
def test_the_published_rates_are_close_to_a_random_walk(real_stats: pd.DataFrame) -> None:
    """methods.md C4: what the yardstick rests on. All limits of the ratios hold 1."""
    of_ratios = real_stats.loc["all_units"].loc["variance_ratio"].drop(index=1)
    assert ((of_ratios["low_95"] < 1) & (of_ratios["high_95"] > 1)).all()
    assert real_stats.loc[("all_units", "drift_f", 1), "p_value"] > 0.05


@published
def test_the_same_seed_gives_the_same_limits(real: Readings, real_stats: pd.DataFrame) -> None:
    again = memory.memory_stats(
        real.core_looked_after.iloc[::-1], real.core_population, real.areas, SETTINGS, SEED
    ).set_index(["panel", "statistic", "years"])
    pd.testing.assert_frame_equal(again, real_stats)
