"""How unusual a change is: z by hand, the published example of false discovery, grades at their edges, and the words."""

from __future__ import annotations

import csv
import math
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from pipeline import evidence, settings
from pipeline.volatility import Fit, Fits
from tests.published_files import folder, published

GOLDEN = Path(__file__).parents[1] / "golden"
WORKED = tomllib.loads((GOLDEN / "multiplicity_and_slopes.toml").read_text(encoding="utf-8"))
SETTINGS = settings.load().evidence
USUAL = Fit(a=0.002, b=1.2)

# ---------------------------------------------------------------------------------------------------------------------
# z, p and the two ranges


def test_z_by_hand() -> None:
    """Mean number 150 over 5 years: variance 5 (0.002 + 1.2/150) = 0.05; a change of 0.5 is 0.5 / sqrt(0.05) = sqrt 5."""
    found = evidence.judge(np.array([0.5]), np.array([150.0]), 5, USUAL, SETTINGS)
    assert found.se[0] == pytest.approx(math.sqrt(0.05))
    assert found.z[0] == pytest.approx(math.sqrt(5))
    assert found.p[0] == pytest.approx(2 * stats.norm.sf(math.sqrt(5)))
    assert found.q[0] == found.p[0]


def test_ranges_by_hand() -> None:
    """With se = ln 2 / 1.959964 the usual range is a halving to a doubling, and a change of ln 3 ranges from 1.5 to 6."""
    se = np.array([math.log(2) / 1.959964])
    low, high = evidence.usual_range(se, 1.959964)
    assert (low[0], high[0]) == pytest.approx((-50, 100))
    low, high = evidence.range_of_usual_movement(np.array([math.log(3)]), se, 1.959964)
    assert (low[0], high[0]) == pytest.approx((50, 500))


def test_a_change_is_larger_than_usual_where_it_leaves_the_usual_range() -> None:
    changes = np.linspace(-0.6, 0.6, 241)
    found = evidence.judge(changes, np.full(241, 300.0), 5, USUAL, SETTINGS)
    low, high = evidence.usual_range(found.se, SETTINGS.interval_z)
    outside = (evidence.pct(changes) < low) | (evidence.pct(changes) > high)
    assert np.array_equal(found.is_unusual, outside)


def test_smaller_authorities_may_move_further() -> None:
    found = evidence.judge(np.full(3, 0.3), np.array([50.0, 500.0, 5000.0]), 5, USUAL, SETTINGS)
    assert (np.diff(found.z) > 0).all()


def test_p_far_out_is_small_and_not_nought() -> None:
    assert 0 < evidence.two_sided_p(np.array([-30.0]))[0] < 1e-190


def test_units_in_another_order_are_judged_alike() -> None:
    random = np.random.default_rng(1)
    changes, numbers = random.standard_normal(149) * 0.2, random.uniform(60, 2000, 149)
    order = random.permutation(149)
    found = evidence.judge(changes, numbers, 5, USUAL, SETTINGS)
    again = evidence.judge(changes[order], numbers[order], 5, USUAL, SETTINGS)
    assert np.array_equal(again.grade, found.grade[order])
    assert np.array_equal(again.q, found.q[order])


def test_many_countries_at_once_are_as_each_alone() -> None:
    random = np.random.default_rng(2)
    changes, numbers = random.standard_normal((20, 80)) * 0.25, random.uniform(60, 2000, (20, 80))
    together = evidence.judge(changes, numbers, 5, USUAL, SETTINGS)
    for at in range(20):
        alone = evidence.judge(changes[at], numbers[at], 5, USUAL, SETTINGS)
        assert np.array_equal(together.grade[at], alone.grade)
        assert np.array_equal(together.q[at], alone.q)


def test_each_country_by_a_usual_movement_of_its_own() -> None:
    """As when a and b are fitted afresh to every simulated country."""
    random = np.random.default_rng(4)
    changes, numbers = random.standard_normal((3, 80)) * 0.25, random.uniform(60, 2000, (3, 80))
    a, b = np.array([0.001, 0.002, 0.003]), np.array([2.0, 1.2, 0.8])
    nothing = np.zeros(3, dtype=np.int64)
    fits = Fits(a, b, nothing, nothing, np.ones(3, dtype=bool))
    together = evidence.against(changes, np.sqrt(fits.variance(numbers, 5)), SETTINGS)
    for at in range(3):
        alone = evidence.judge(changes[at], numbers[at], 5, Fit(a[at], b[at]), SETTINGS)
        assert np.array_equal(together.z[at], alone.z)
        assert np.array_equal(together.grade[at], alone.grade)


def test_without_a_usual_movement_nothing_is_judged() -> None:
    with pytest.raises(ValueError, match="not_converged"):
        evidence.judge(np.zeros(2), np.ones(2), 5, Fit(math.nan, math.nan, reason="not_converged"), SETTINGS)


# ---------------------------------------------------------------------------------------------------------------------
# False discovery


def test_golden_benjamini_hochberg() -> None:
    case = WORKED["benjamini_hochberg"]
    q = evidence.benjamini_hochberg(case["p"])
    assert (q <= case["level"]).sum() == case["rejected"]
    assert (len(q) * np.array(case["p"]) <= case["level"]).sum() == case["rejected_by_bonferroni"]


def test_benjamini_hochberg_by_hand() -> None:
    """4 tests: .01 x 4/1 = .04, .02 x 4/2 = .04, .06 x 4/3 = .08, .07 x 4/4 = .07, and .06 may not lie above .07."""
    assert evidence.benjamini_hochberg([0.06, 0.01, 0.07, 0.02]) == pytest.approx([0.07, 0.04, 0.07, 0.04])


@pytest.mark.parametrize("seed", range(5))
def test_benjamini_hochberg_is_that_of_statsmodels(seed: int) -> None:
    p = np.random.default_rng(seed).uniform(size=151) ** (1 + seed)
    p[7] = p[70]  # a tie
    assert evidence.benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], abs=1e-14)


def test_a_missing_p_is_refused() -> None:
    """methods.md E7: the library would return nothing but missing values."""
    assert np.isnan(multipletests([0.01, math.nan], method="fdr_bh")[1]).any()
    with pytest.raises(ValueError, match="missing"):
        evidence.benjamini_hochberg([0.01, math.nan])


def test_no_test_at_all() -> None:
    assert evidence.benjamini_hochberg([]).tolist() == []


# ---------------------------------------------------------------------------------------------------------------------
# Grades


def graded(*z: float) -> list[str]:
    """Grades of changes with these z, all of one size."""
    se = math.sqrt(5 * float(USUAL.variance(300.0)))
    return evidence.judge(np.array(z) * se, np.full(len(z), 300.0), 5, USUAL, SETTINGS).grade.tolist()


def test_grades_at_their_edges() -> None:
    """One unit alone has q = p = 0.05 at 1.96, so it is A or C; among twenty ordinary ones it is B."""
    assert graded(1.9601) == ["A"]
    assert graded(1.9599) == ["C"]
    assert graded(*[0.1] * 20, -1.9601)[-1] == "B"
    assert graded(*[0.1] * 20, -1.9599)[-1] == "C"


def test_a_is_where_q_is_a_tenth() -> None:
    """Among 20, the smallest p is A up to 0.10/20 = 0.005, which is |z| = 2.807."""
    assert graded(*[0.1] * 19, 2.808)[-1] == "A"
    assert graded(*[0.1] * 19, 2.806)[-1] == "B"


def test_many_small_p_do_not_make_a_usual_change_exceptional() -> None:
    """Where most units are far out, q of the others falls below 0.10 too; under 1.96 they stay C all the same."""
    assert graded(*[5.0] * 19, 1.7)[-1] == "C"


def test_under_no_trend_five_in_a_hundred_are_unusual_and_hardly_any_exceptional() -> None:
    random = np.random.default_rng(3)
    numbers = np.broadcast_to(np.exp(random.uniform(np.log(60), np.log(2500), 150)), (400, 150))
    changes = random.standard_normal((400, 150)) * np.sqrt(USUAL.variance(numbers, 5))
    found = evidence.judge(changes, numbers, 5, USUAL, SETTINGS)
    assert found.is_unusual.mean() == pytest.approx(0.05, abs=0.004)
    assert (found.grade == "A").any(axis=1).mean() == pytest.approx(0.10, abs=0.05)
    assert stats.kstest(found.p.ravel(), "uniform").statistic < 0.01


# ---------------------------------------------------------------------------------------------------------------------
# Words


def test_usual_movement_in_words() -> None:
    """methods.md C5, to the word."""
    (text,) = evidence.texts([-12.2], 3.9, ["C"])
    assert text == (
        "within usual year-to-year movement: fell by 12% while England rose by 4%; "
        "a difference of this size is common for an authority of this size"
    )


def test_larger_than_usual_in_words() -> None:
    (text,) = evidence.texts([31.0], -1.05, ["B"])
    assert text.startswith("larger than usual year-to-year movement: rose by 31% while England fell by 1%; ")


def test_the_number_compared_stands_beside_every_a() -> None:
    texts = evidence.texts([80.0, 1.0, -60.0], 4.0, ["A", "C", "A"])
    assert texts[0].startswith("exceptional even allowing for the number of authorities compared (3): rose by 80% ")
    assert "(3)" in texts[2] and "(" not in texts[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (0.49, "changed by less than 0.5%"), (-0.49, "changed by less than 0.5%"), (0.0, "changed by less than 0.5%"),
        (0.5, "rose by 1%"), (-0.5, "fell by 1%"), (2.5, "rose by 3%"), (-99.9, "fell by 100%"), (112.4, "rose by 112%"),
    ],
)  # fmt: skip
def test_a_change_in_words(change: float, words: str) -> None:
    assert evidence.moved(change) == words


def test_no_word_judges() -> None:
    """methods.md C6."""
    text = " ".join(evidence.texts([-12.0, 31.0, 0.1], 4.0, ["A", "B", "C"]))
    assert not re.search(r"\b(best|worst|top|bottom|rank|league|improved|deteriorated|caused|effect)\b", text)


# ---------------------------------------------------------------------------------------------------------------------
# The rest


@pytest.mark.parametrize(
    ("start", "end", "is_out"), [(2018, 2023, False), (2020, 2025, False), (2017, 2022, True), (2021, 2026, True)]
)
def test_a_window_outside_the_years_of_the_fit(start: int, end: int, is_out: bool) -> None:
    assert evidence.is_out_of_period(start, end, 2018, 2025) is is_out


@pytest.mark.parametrize(
    ("available", "agreeing", "answer"),
    [
        (8, 6, True),
        (8, 5, False),
        (7, 6, True),
        (7, 5, False),
        (6, 5, True),
        (6, 4, False),
        (5, 4, True),
        (5, 3, False),
    ],
)
def test_robust_with_three_quarters_rounded_up(available: int, agreeing: int, answer: bool) -> None:
    """methods.md C7: 6 of 8, 6 of 7, 5 of 6, 4 of 5."""
    found, reason = evidence.robust(pd.Series([available]), pd.Series([agreeing]), SETTINGS)
    assert found.tolist() == [answer]
    assert reason.isna().all()


def test_robust_is_not_said_with_under_five_alternates() -> None:
    found, reason = evidence.robust(pd.Series([4, 8]), pd.Series([4, 8]), SETTINGS)
    assert found.isna().tolist() == [True, False]
    assert reason[0] == "short_series"


def test_the_settings_are_those_of_the_method() -> None:
    """methods.md C4, C5, C7, C9, C10, C14."""
    assert (SETTINGS.start_a, SETTINGS.start_b, SETTINGS.winsorise_z) == (0.005, 2.0, 3.0)
    assert (SETTINGS.convergence, SETTINGS.max_iterations, SETTINGS.comparator_from) == (1e-10, 200, 2014)
    assert (SETTINGS.interval_z, SETTINGS.unusual_z, SETTINGS.false_discovery) == (1.959964, 1.96, 0.10)
    assert (SETTINGS.robust_available, SETTINGS.robust_share, SETTINGS.min_units) == (5, 0.75, 30)
    assert (SETTINGS.trend_points, SETTINGS.trend_confidence) == (5, 0.998)
    assert (SETTINGS.funnel_winsorise, SETTINGS.funnel_inner_z, SETTINGS.funnel_outer_z) == (0.10, 1.96, 3.09)
    assert (SETTINGS.first_long_year, SETTINGS.memory_lags, SETTINGS.memory_windows) == (2018, 5, (4, 5))
    assert (SETTINGS.bootstrap_draws, SETTINGS.memory_large_quantile) == (1000, 0.75)


def test_golden_theil_sen() -> None:
    """The library does what Sen did by hand, so that it can be used for the alternates."""
    case = WORKED["theil_sen"]
    found = stats.theilslopes(case["y"], case["x"], alpha=1 - case["alpha"])
    assert (found.slope, found.low_slope, found.high_slope, found.intercept) == pytest.approx(
        (case["slope"], case["low"], case["high"], case["intercept"]), rel=1e-4
    )


@pytest.mark.parametrize("name", ["monotone", "one_step_back"])
def test_golden_kendall(name: str) -> None:
    case = WORKED["kendall"][name]
    found = stats.kendalltau(range(5), case["series"], method="exact")
    assert found.pvalue == pytest.approx(case["p"], abs=1e-6)


@published
def test_the_golden_figures_are_those_of_these_files(tmp_path: Path) -> None:
    """The script that made them makes them again."""
    script = GOLDEN / "calculate_evidence.py"
    subprocess.run([sys.executable, script, folder(), tmp_path], check=True)
    for name in ("evidence.csv", "grades.csv"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (GOLDEN / name).read_text(encoding="utf-8"), name


def test_every_golden_grade_is_unusual() -> None:
    with (GOLDEN / "grades.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert all(abs(float(row["z"])) >= 1.96 and row["grade"] in "AB" for row in rows)
