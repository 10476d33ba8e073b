"""The usual year-to-year movement: one step by hand, known truths recovered, and the published files a second time."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import settings, volatility
from pipeline.volatility import Fit, Movements
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.published_files import published

GOLDEN = Path(__file__).parents[1] / "golden" / "evidence.csv"
SETTINGS = settings.load().evidence
Floats = np.ndarray


def golden() -> dict[str, float]:
    with GOLDEN.open(encoding="utf-8") as file:
        return {row["figure"]: float(row["value"]) for row in csv.DictReader(file)}


def movements_of(deviation: Floats, number: Floats) -> Movements:
    return Movements(deviation, number, (2019,), ("2022",))


def simulated(a: float, b: float, n: int, seed: int = 1) -> Movements:
    """So many movements of a known variance, among authorities of 60 to 3,000 children."""
    random = np.random.default_rng(seed)
    number = np.exp(random.uniform(np.log(60), np.log(3000), n))
    return movements_of(random.standard_normal(n) * np.sqrt(a + b / number), number)


@pytest.fixture(scope="module")
def many() -> Movements:
    return simulated(0.002, 1.2, 40_000)


# ---------------------------------------------------------------------------------------------------------------------
# The fit


def test_kappa() -> None:
    """methods.md C4 gives the ten digits; a cut that nothing reaches leaves the plain variance, 1."""
    assert volatility.kappa(3.0) == pytest.approx(0.9950072780, abs=5e-11)
    assert volatility.kappa(math.inf) == 1.0
    assert volatility.kappa(40.0) == pytest.approx(1.0, abs=1e-12)


def test_one_step_by_hand() -> None:
    """From a = 0, b = 1 on m = 1, 2, 4.

    v = 1, 1/2, 1/4 and w = 1/v^2 = 1, 4, 16, so that w/m^2 = 1 and w/m = 1, 2, 4. With cut 1 the squares 5, 1/2, 1/8
    become 1, 1/2, 1/8. All three then lie on y = 1/m but the last, which lies 1/8 below it. Weighted means: sum w = 21,
    sum w/m = 7, sum w/m^2 = 3, sum w y = 1 + 2 + 2 = 5, sum w y/m = 1 + 1 + 1/2 = 5/2. So b = (21 x 5/2 - 7 x 5) /
    (21 x 3 - 49) = 17.5 / 14 = 5/4 and a = (5 - 5/4 x 7) / 21 = -5/28 < 0: a = 0, and b = (5/2) / 3 = 5/6, each over
    kappa.
    """
    squares, inverse = np.array([[5.0, 0.5, 0.125]]), np.array([[1.0, 0.5, 0.25]])
    a, b, cut = volatility.one_step(squares, inverse, np.array([0.0]), np.array([1.0]), cut=1.0)
    assert (a[0], b[0]) == pytest.approx((0.0, 5 / 6 / volatility.kappa(1.0)))
    assert cut.tolist() == [1]


def test_one_step_by_hand_without_a_limit_in_the_way() -> None:
    """From a = 1, b = 0 all weights are 1: the plain line through (1/m, e^2) = (0.1, 3), (0.2, 5), (0.3, 4).

    Mean 0.2 and 4; slope (-0.1 x -1 + 0.1 x 0) / 0.02 = 5; intercept 4 - 5 x 0.2 = 3. Nothing is cut at 3 x 1 = 9.
    """
    a, b, cut = volatility.one_step(
        np.array([[3.0, 5.0, 4.0]]), np.array([[0.1, 0.2, 0.3]]), np.array([1.0]), np.array([0.0])
    )
    assert (a[0], b[0]) == pytest.approx((3 / volatility.kappa(3.0), 5 / volatility.kappa(3.0)))
    assert cut.tolist() == [0]


def test_a_negative_part_is_set_to_nought_and_the_other_fitted_alone() -> None:
    """Squares that grow with the number of children: b would be negative, and a is their weighted mean, here (1 + 2)/2."""
    a, b, _ = volatility.one_step(np.array([[1.0, 2.0]]), np.array([[0.5, 0.1]]), np.array([1.0]), np.array([0.0]))
    assert (a[0], b[0]) == pytest.approx((1.5 / volatility.kappa(3.0), 0.0))


@pytest.mark.parametrize(("a", "b"), [(0.002, 1.2), (0.0005, 3.0), (0.01, 0.2)])
def test_a_known_truth_is_recovered(a: float, b: float) -> None:
    """40,000 movements: the standard error of a variance is then about 1%, that of each of its two parts some more."""
    found = volatility.fit(simulated(a, b, 40_000), SETTINGS)
    sizes = np.array([100.0, 300.0, 1000.0])
    assert found.variance(sizes) == pytest.approx(a + b / sizes, rel=0.03)
    assert found.a == pytest.approx(a, rel=0.10, abs=2e-4)
    assert found.b == pytest.approx(b, rel=0.10, abs=0.08)


def test_only_chance_gives_a_near_nought() -> None:
    found = volatility.fit(simulated(0.0, 1.0, 40_000), SETTINGS)
    assert found.a == pytest.approx(0.0, abs=1e-4)
    assert found.b == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize("start", [(1e-5, 1e-3), (1.0, 100.0), (0.005, 0.0), (0.0, 2.0), (1e3, 1e3)])
def test_the_start_does_not_matter(many: Movements, start: tuple[float, float]) -> None:
    """methods.md C4: the same inputs give the same a and b to 1e-9."""
    found, other = volatility.fit(many, SETTINGS), volatility.fit(many, SETTINGS, start=start)
    assert (other.a, other.b) == pytest.approx((found.a, found.b), abs=1e-9)


def test_movements_twice_as_large_have_four_times_the_variance(many: Movements) -> None:
    found = volatility.fit(many, SETTINGS)
    twice = volatility.fit(movements_of(2 * many.deviation, many.number), SETTINGS)
    assert (twice.a, twice.b) == pytest.approx((4 * found.a, 4 * found.b), rel=1e-8)
    assert twice.n_winsorised == found.n_winsorised


def test_counts_twice_as_large_double_b_alone(many: Movements) -> None:
    found = volatility.fit(many, SETTINGS)
    twice = volatility.fit(movements_of(many.deviation, 2 * many.number), SETTINGS)
    assert (twice.a, twice.b) == pytest.approx((found.a, 2 * found.b), rel=1e-8)


def test_the_order_of_movements_does_not_matter(many: Movements) -> None:
    order = np.random.default_rng(2).permutation(len(many.number))
    found = volatility.fit(many, SETTINGS)
    other = volatility.fit(movements_of(many.deviation[order], many.number[order]), SETTINGS)
    assert (other.a, other.b) == pytest.approx((found.a, found.b), rel=1e-8)


def test_a_few_data_faults_hardly_move_the_fit(many: Movements) -> None:
    """One movement in a thousand gets the size of a file read wrongly, 1 on the log scale; uncut they dominate."""
    spoilt = many.deviation.copy()
    spoilt[::1000] = 1.0
    found = volatility.fit(many, SETTINGS)
    cut = volatility.fit(movements_of(spoilt, many.number), SETTINGS)
    uncut = volatility.fit(movements_of(spoilt, many.number), SETTINGS, cut=math.inf)
    sizes = np.array([100.0, 1000.0])
    assert cut.variance(sizes) == pytest.approx(found.variance(sizes), rel=0.03)
    assert (uncut.variance(sizes) > 1.05 * found.variance(sizes)).all()


def test_many_fits_are_as_each_alone() -> None:
    found = [simulated(0.002, 1.2, 700, seed) for seed in range(5)]
    deviation, number = (np.array([getattr(one, name) for one in found]) for name in ("deviation", "number"))
    together = volatility.fit_many(deviation, number, SETTINGS)
    for at, one in enumerate(found):
        alone = volatility.fit(one, SETTINGS)
        assert (together.a[at], together.b[at]) == pytest.approx((alone.a, alone.b), abs=1e-12)
        assert together.iterations[at] == alone.iterations


# ---------------------------------------------------------------------------------------------------------------------
# Where there is no fit


def test_a_fit_that_does_not_come_to_rest_says_so(many: Movements) -> None:
    hasty = dataclasses.replace(SETTINGS, max_iterations=2)
    found = volatility.fit(many, hasty)
    assert found.reason == "not_converged"
    assert math.isnan(found.a) and math.isnan(found.b)


def test_rates_that_never_move_have_no_fit() -> None:
    assert volatility.fit(movements_of(np.zeros(50), np.full(50, 100.0)), SETTINGS).reason == "not_converged"


def test_too_few_movements_have_no_fit() -> None:
    few = simulated(0.002, 1.2, SETTINGS.min_units - 1)
    assert volatility.fit(few, SETTINGS).reason == "too_few_units"
    nothing = Movements(np.empty(0), np.empty(0), (), ())
    assert volatility.fit(nothing, SETTINGS).reason == "short_series"


@pytest.mark.parametrize("size", [200.0, 137.0, 61.3, 911.0])
def test_authorities_of_one_size_share_one_variance(size: float) -> None:
    """No b can be told from a: all of it is called a, and no figure is infinite."""
    random = np.random.default_rng(3)
    found = volatility.fit(movements_of(random.standard_normal(5000) * 0.1, np.full(5000, size)), SETTINGS)
    assert found.b == 0
    assert found.a == pytest.approx(0.01, rel=0.05)


# ---------------------------------------------------------------------------------------------------------------------
# Movements


def test_deviations_by_hand() -> None:
    """100 -> 121 and 100 -> 100 of 1,000 children each: England 200 -> 221, so ln 1.21 - ln 1.105 and -ln 1.105."""
    e, m = volatility.deviations_of(np.array([[100.0, 121.0], [100.0, 100.0]]), np.full((2, 2), 1000.0))
    assert e[:, 0] == pytest.approx([math.log(1.21 / 1.105), -math.log(1.105)])
    assert m[:, 0].tolist() == [110.5, 100.0]


COUNTS = {
    # code: year, release, number. Both years of a pair come from the newest release that holds both.
    "701": [(2019, 2021, 90), (2020, 2021, 99), (2020, 2022, 100), (2021, 2022, 110), (2017, 2017, 80)],
    "702": [(2019, 2021, 200), (2020, 2021, 200), (2020, 2022, 200), (2021, 2022, 210), (2017, 2017, 190)],
    "703": [(2019, 2021, 50), (2020, 2021, 50), (2020, 2022, "c"), (2021, 2022, 55), (2017, 2017, 50)],
}


@pytest.fixture
def three() -> small.Country:
    cells = [(code, y, r, "looked_after", number) for code, rows in COUNTS.items() for y, r, number in rows]
    people = [(code, year, "rebased", 10_000) for code in COUNTS for year in (2017, 2019, 2020, 2021)]
    return small.country().but(looked_after=small.looked_after(cells), population=small.population(people))


def test_a_pair_is_within_one_release(three: small.Country) -> None:
    """2019-2020 from the release of 2021, which alone holds both; 2020-2021 from that of 2022, without the hidden one."""
    found = volatility.movements(three.looked_after, three.population, three.areas)
    assert found.years == (2020, 2021)
    assert found.releases == ("2021", "2022")
    assert found.number.tolist() == [94.5, 200.0, 50.0, 105.0, 205.0]
    england = math.log(349 / 340)
    assert found.deviation[0] == pytest.approx(math.log(99 / 90) - england)


def test_pairs_across_releases_take_the_newest_counts(three: small.Country) -> None:
    found = volatility.movements_across_releases(three.looked_after, three.population, three.areas, 2014)
    assert found.years == (2020, 2021)
    assert found.releases == ("2021/2022", "2022/2022")
    assert found.number.tolist() == [95.0, 200.0, 105.0, 205.0]
    later = volatility.movements_across_releases(three.looked_after, three.population, three.areas, 2021)
    assert later.years == (2021,)


def test_authorities_that_are_too_small_take_no_part(three: small.Country) -> None:
    small_one = small.local_authorities({code: code for code in COUNTS}, too_small=["702"])
    found = volatility.movements(three.looked_after, three.population, three.but(local_authorities=small_one).areas)
    assert 200.0 not in found.number


def test_without_a_population_a_pair_has_no_movements(three: small.Country) -> None:
    found = volatility.movements(
        three.looked_after, three.population.loc[three.population["year"] != 2020], three.areas
    )
    assert (found.years, len(found.deviation)) == ((), 0)


def test_the_table_says_why_there_is_no_fit(three: small.Country) -> None:
    usual, table = volatility.volatility(three.looked_after, three.population, three.areas, SETTINGS)
    assert usual.reason == "too_few_units"
    assert table["reason"].tolist() == ["too_few_units"] * 3
    assert table[["a", "b"]].isna().all(axis=None)
    assert volatility.from_table(table)[0].reason == "too_few_units"


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@pytest.fixture(scope="module")
def real_fit(real: Readings) -> tuple[Fit, pd.DataFrame]:
    return volatility.volatility(real.core_looked_after, real.core_population, real.areas, SETTINGS)


@published
def test_the_published_files_worked_out_a_second_time(real_fit: tuple[Fit, pd.DataFrame]) -> None:
    """tests/golden/calculate_evidence.py: plain loops, normal equations, nothing of this project."""
    expected, table = golden(), real_fit[1].set_index("fitted_on")
    primary, uncut = table.loc["primary"], table.loc["no_winsorising"]
    assert primary["n_obs"] == expected["volatility/n_obs"]
    assert primary["n_winsorised"] == expected["volatility/n_winsorised"]
    assert (primary["a"], primary["b"]) == pytest.approx((expected["volatility/a"], expected["volatility/b"]), rel=1e-9)
    assert (uncut["a"], uncut["b"]) == pytest.approx(
        (expected["volatility/a_uncut"], expected["volatility/b_uncut"]), rel=1e-9
    )


@published
def test_the_published_pairs(real_fit: tuple[Fit, pd.DataFrame]) -> None:
    """Releases of 2021, 2022, 2024 and 2025: the newest that holds both years of each pair."""
    table = real_fit[1].set_index("fitted_on")
    assert table.at["primary", "releases"] == "2022 2022 2024 2025 2025 2025 2025"
    assert table.at["primary", "years"].split()[0] == "2018-2019"
    assert (table.at["all_pairs", "first_year"], table.at["all_pairs", "n_pairs"]) == (2013, 12)


@published
def test_the_stored_table_gives_the_fit_back(real_fit: tuple[Fit, pd.DataFrame]) -> None:
    usual, table = real_fit
    assert volatility.from_table(table) == (usual, (2018, 2025))


@published
def test_populations_scaled_by_a_constant_change_nothing(real: Readings, real_fit: tuple[Fit, pd.DataFrame]) -> None:
    people = real.core_population.assign(population_0_17=real.core_population["population_0_17"] * 3)
    scaled, _ = volatility.volatility(real.core_looked_after, people, real.areas, SETTINGS)
    assert (scaled.a, scaled.b) == pytest.approx((real_fit[0].a, real_fit[0].b), abs=1e-9)


@published
def test_the_order_of_rows_changes_nothing(real: Readings, real_fit: tuple[Fit, pd.DataFrame]) -> None:
    shuffled = real.core_looked_after.sample(frac=1, random_state=1)
    again, _ = volatility.volatility(shuffled, real.core_population.iloc[::-1], real.areas, SETTINGS)
    assert (again.a, again.b) == (real_fit[0].a, real_fit[0].b)
