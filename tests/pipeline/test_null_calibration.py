"""Countries without local trends: how they are drawn, what does not matter, and when the project's rule is accepted."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline import evidence, null_calibration, settings, volatility, windows
from pipeline.null_calibration import RULES, USUAL, USUAL_REFITTED, Panel
from pipeline.volatility import Fit
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.published_files import published

CHOSEN = settings.load()
USUAL_FIT = Fit(a=0.002, b=1.2)


def some_panel(n: int = 60, seed: int = 3) -> Panel:
    """Authorities of 50 to 1,500 children over six years; England falls by 2% a year."""
    random = np.random.default_rng(seed)
    people = random.uniform(10_000, 200_000, size=(n, 1)) * np.linspace(1, 1.03, 6)
    rates = random.uniform(0.004, 0.009, size=(n, 1)) * 0.98 ** np.arange(6) * np.exp(random.normal(0, 0.05, (n, 6)))
    return Panel(tuple(str(code) for code in range(301, 301 + n)), np.round(people * rates), people)


# ---------------------------------------------------------------------------------------------------------------------
# Drawing


def test_two_steps_by_hand() -> None:
    """100 of 10,000 and 300 of 30,000; England goes from 1% to 1.1% and stays; each step is as wide as the number before."""
    people = np.array([[1e4, 1e4, 2e4], [3e4, 3e4, 3e4]])
    panel = Panel(("301", "302"), np.array([[100.0, 110, 220], [300, 330, 330]]), people)
    counts = null_calibration.simulated(panel, Fit(0.002, 1.2), np.array([[[2.0, -1.0], [1.0, 0.0]]]))
    assert counts[0, :, 0].tolist() == [100, 300]
    first = 110 * math.exp(2 * math.sqrt(0.002 + 1.2 / 100))
    other = 330 * math.exp(-math.sqrt(0.002 + 1.2 / 300))
    assert counts[0, :, 1] == pytest.approx([first, other], rel=1e-12)
    # The population of the first doubles, and with it the number.
    assert counts[0, :, 2] == pytest.approx([2 * first * math.exp(math.sqrt(0.002 + 1.2 / first)), other], rel=1e-12)


def test_without_noise_every_rate_follows_england() -> None:
    panel = some_panel()
    counts = null_calibration.simulated(panel, USUAL_FIT, np.zeros((1, 5, 60)))
    log_rates = np.log(counts[0] / panel.people)
    steps = np.diff(log_rates, axis=1)
    assert steps == pytest.approx(np.broadcast_to(np.diff(panel.england_log), steps.shape), abs=1e-12)


def test_the_noise_is_that_of_the_specification() -> None:
    """methods.md C13 and D9: standard_normal((draws, h, n)) of default_rng([seed, 1, 0, 0])."""
    panel = some_panel()
    expected = np.random.default_rng([CHOSEN.seed, 1, 0, 0]).standard_normal((7, 5, 60))
    assert np.array_equal(np.concatenate(list(null_calibration.blocks_of_noise(panel, 7, CHOSEN.seed, 3))), expected)


def test_the_size_of_blocks_changes_nothing() -> None:
    panel = some_panel()
    one, other = (null_calibration.calibrate(panel, USUAL_FIT, CHOSEN, draws=23, block=block) for block in (1, 10))
    for rule in RULES:
        assert np.array_equal(one.null[rule], other.null[rule]), rule
    assert one.p == pytest.approx(other.p, rel=1e-12)


def test_scaled_populations_change_no_flag() -> None:
    """Limits of rates, offsets and England all scale along."""
    panel = some_panel()
    scaled = replace(panel, people=panel.people * 7)
    one, other = (null_calibration.calibrate(each, USUAL_FIT, CHOSEN, draws=10) for each in (panel, scaled))
    for rule in RULES:
        assert one.null[rule] == pytest.approx(other.null[rule], abs=1e-12), rule
        assert one.real[rule] == pytest.approx(other.real[rule], abs=1e-12), rule


# ---------------------------------------------------------------------------------------------------------------------
# The shares


@pytest.fixture(scope="module")
def calibration() -> null_calibration.Calibration:
    return null_calibration.calibrate(some_panel(), USUAL_FIT, CHOSEN, draws=400)


def test_p_values_of_the_project_s_rule_are_uniform(calibration: null_calibration.Calibration) -> None:
    assert null_calibration.distance_from_uniform(calibration.p) < 0.02


def test_the_project_s_rule_keeps_its_level(calibration: null_calibration.Calibration) -> None:
    """24,000 units at 5%: the mean share is within half a point of it, refitted as well."""
    for rule in (USUAL, USUAL_REFITTED):
        assert calibration.null[rule].mean() == pytest.approx(0.05, abs=0.01)


def test_textbook_rules_do_not(calibration: null_calibration.Calibration) -> None:
    """methods.md C4: they flag a third to a half of units without a trend."""
    for rule in ("poisson_slope", "quasi_poisson_slope"):
        assert calibration.null[rule].mean() > 0.25


def test_a_usual_movement_twice_too_small_is_found_out() -> None:
    """A yardstick of a quarter of the variance: z is doubled, and P(|Z| >= 0.98) is 33%."""
    panel = some_panel()
    draws = null_calibration.simulated(panel, USUAL_FIT, np.random.default_rng(1).standard_normal((100, 5, 60)))
    judged = null_calibration.judge(draws, panel, Fit(USUAL_FIT.a / 4, USUAL_FIT.b / 4), CHOSEN)
    assert judged.shares(USUAL).mean() == pytest.approx(0.33, abs=0.03)
    assert judged.shares(USUAL_REFITTED).mean() == pytest.approx(0.05, abs=0.01)  # this one measures it itself


def test_a_planted_trend_is_flagged() -> None:
    """Every rule that looks at the series flags a unit whose rate doubles."""
    panel = some_panel()
    counts = panel.counts.copy()
    counts[0] = counts[0, 0] * panel.people[0] / panel.people[0, 0] * 2 ** (np.arange(6) / 5)
    judged = null_calibration.judge(counts[np.newaxis], panel, USUAL_FIT, CHOSEN)
    for rule in RULES:
        assert judged.flags[rule][0, 0], rule


def test_a_country_without_a_fit_has_no_refitted_share() -> None:
    """Nothing moves at all, so there is nothing to fit, and no share in place of one."""
    panel = replace(some_panel(), people=np.full((60, 6), 8192.0))
    still = np.full((60, 6), 64.0)
    judged = null_calibration.judge(np.stack([still, some_panel().counts]), panel, USUAL_FIT, CHOSEN)
    assert np.isnan(judged.shares(USUAL_REFITTED)).tolist() == [True, False]
    assert np.isfinite(judged.shares(USUAL)).all()


@pytest.mark.parametrize(("p", "distance"), [([0.5], 0.5), ([0.25, 0.75], 0.25), ([0.1, 0.2], 0.8), ([0.9, 1.0], 0.9)])
def test_distance_from_uniform_by_hand(p: list[float], distance: float) -> None:
    assert null_calibration.distance_from_uniform(np.array(p)) == pytest.approx(distance)


# ---------------------------------------------------------------------------------------------------------------------
# The table and the verdict


def country(n: int = 40) -> small.Country:
    """A country of n authorities with counts and populations from 2018 to 2023."""
    panel = some_panel(n)
    years = range(2018, 2024)
    return small.country().but(
        looked_after=small.looked_after(
            (code, year, 2023, "looked_after", int(panel.counts[at, year - 2018]))
            for at, code in enumerate(panel.unit_ids) for year in years
        ),
        population=small.population(
            (code, year, "rebased", int(panel.people[at, year - 2018]))
            for at, code in enumerate(panel.unit_ids) for year in years
        ),
        local_authorities=small.local_authorities({code: f"Area {code}" for code in panel.unit_ids}),
    )  # fmt: skip


def table(found: small.Country, usual: Fit = USUAL_FIT) -> pd.DataFrame:
    return null_calibration.null_calibration(
        found.windows, found.looked_after, found.population, found.areas, usual, CHOSEN
    )


def test_the_table_has_every_rule_with_its_shares() -> None:
    found = table(country())
    assert found["rule"].tolist() == list(RULES)
    assert set(found["n_units"]) == {40}
    assert set(found["draws"]) == {1000}
    assert (found["share_null_lo"] <= found["share_null_mean"]).all()
    assert (found["share_null_mean"] <= found["share_null_hi"]).all()
    assert (found["nominal"].isna() == found["nominal_reason"].notna()).all()
    assert found["reason"].isna().all()
    assert found.set_index("rule")["nominal"].dropna().to_dict() == pytest.approx(
        {"usual_movement": 0.05, "usual_movement_refitted": 0.05, "funnel_od": 0.05, "fingertips_marker": 0.002,
         "poisson_slope": 0.05, "quasi_poisson_slope": 0.05, "mann_kendall": 0.05}, rel=1e-3
    )  # fmt: skip


def test_a_unit_with_a_missing_year_is_not_in_it() -> None:
    own = country()
    gone = own.looked_after["la_code"].eq("301") & own.looked_after["year"].eq(2020)
    assert set(table(own.but(looked_after=own.looked_after.loc[~gone]))["n_units"]) == {39}


def test_the_order_of_rows_changes_nothing() -> None:
    own = country()
    other = own.but(looked_after=own.looked_after.iloc[::-1], population=own.population.iloc[::-1])
    pd.testing.assert_frame_equal(table(own), table(other))


@pytest.mark.parametrize(
    ("n", "usual", "reason"),
    [(29, USUAL_FIT, "too_few_units"), (40, Fit(math.nan, math.nan, reason="short_series"), "short_series")],
)
def test_what_cannot_be_calibrated_says_why_and_blocks_nothing(n: int, usual: Fit, reason: str) -> None:
    found = table(country(n), usual)
    assert set(found["reason"]) == {reason}
    assert found[["share_real", "share_null_mean", "share_null_lo", "share_null_hi"]].isna().all(axis=None)
    verdict = null_calibration.acceptance(found, CHOSEN)
    assert (verdict.is_accepted, verdict.detail) == (True, f"not calibrated: {reason}")


@pytest.mark.parametrize(
    ("published_share", "refitted", "is_accepted"),
    [
        (0.05, 0.05, True), (0.02, 0.08, True), (0.019, 0.05, False), (0.05, 0.081, False), (0.081, 0.05, False),
        (0.05, 0.0, False), (0.05, math.nan, False),
    ],
)  # fmt: skip
def test_the_verdict(published_share: float, refitted: float, is_accepted: bool) -> None:
    """methods.md C13: both between 2% and 8%, the limits included."""
    rows = pd.DataFrame(
        {"rule": [USUAL, USUAL_REFITTED], "share_null_mean": [published_share, refitted], "draws": 1000, "reason": None}
    )
    verdict = null_calibration.acceptance(rows, CHOSEN)
    assert verdict.is_accepted is is_accepted
    assert f"{100 * published_share:.1f}%" in verdict.detail
    assert "2.0% to 8.0%" in verdict.detail


def test_the_settings_draw_enough() -> None:
    """methods.md C13: never fewer than 500."""
    assert CHOSEN.calibration.draws >= 500
    assert (CHOSEN.calibration.lowest_share, CHOSEN.calibration.highest_share) == (0.02, 0.08)


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
def test_the_published_data_are_accepted_and_p_is_uniform(real: Readings) -> None:
    data = windows.all_window_data(real.core_looked_after, real.core_population, real.areas, CHOSEN.windows)
    usual, _ = volatility.volatility(real.core_looked_after, real.core_population, real.areas, CHOSEN.evidence)
    found = null_calibration.null_calibration(
        data, real.core_looked_after, real.core_population, real.areas, usual, CHOSEN
    )
    assert null_calibration.acceptance(found, CHOSEN).is_accepted
    shares = found.set_index("rule")["share_real"]
    # tests/golden/grades.csv: six units of the primary window are graded, one of them A; 149 units (methods.md B11).
    assert shares[USUAL] == pytest.approx(6 / 149)
    assert shares["evidence_a"] == pytest.approx(1 / 149)

    primary = next(one for one in data if one.window.window_id == "main_h5")
    panel = null_calibration.panel(primary, real.core_looked_after, real.core_population, real.areas)
    drawn = null_calibration.calibrate(panel, usual, CHOSEN)
    assert drawn.p.shape == (1000, 149)
    assert null_calibration.distance_from_uniform(drawn.p) < 0.02
    assert ((drawn.p <= float(evidence.two_sided_p(np.array(1.96)))).mean(axis=1)) == pytest.approx(drawn.null[USUAL])


# ---------------------------------------------------------------------------------------------------------------------
# In ranges of draws


@pytest.mark.parametrize("ends", [[1000], [333, 1000], [1, 51, 501, 1000]])
def test_ranges_of_draws_made_anywhere_and_in_any_order_come_to_the_same(ends: list[int]) -> None:
    found = country()
    asked = null_calibration.work(found.windows, found.looked_after, found.population, found.areas, USUAL_FIT, CHOSEN)
    ranges = [range(start, end) for start, end in zip([0, *ends], ends, strict=False)]
    parts = [null_calibration.drawn(asked, draws, CHOSEN) for draws in reversed(ranges)]
    pd.testing.assert_frame_equal(null_calibration.together(asked, parts, CHOSEN), table(found), check_exact=True)
    with pytest.raises(ValueError, match="not each of 1000 draws once"):
        null_calibration.together(asked, parts[1:] or [parts[0], parts[0]], CHOSEN)


def test_the_noise_of_a_range_is_that_of_the_whole() -> None:
    panel = some_panel()
    expected = np.random.default_rng([CHOSEN.seed, 1, 0, 0]).standard_normal((20, 5, 60))
    found = list(null_calibration.blocks_of_noise(panel, range(7, 20), CHOSEN.seed, 3))
    assert np.array_equal(np.concatenate(found), expected[7:])
