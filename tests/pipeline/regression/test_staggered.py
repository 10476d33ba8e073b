"""The appendix on staggered entry: a small panel worked out by hand and by another library, and planted differences.

The figures of SMALL were computed with diff-diff 3.13.0 (`CallawaySantAnna(estimation_method="reg")`, no covariates, event
study, analytical errors), a library that this project does not use; those of single groups follow by hand from means.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline import geography, innovation_programme, sentences, settings
from pipeline.regression import staggered
from pipeline.regression.staggered import NEVER, NO_ENTRY, NOT_YET, Cohorts
from pipeline.tables import covariate_tables, model_tables
from pipeline.tables.frames import conform
from tests.fixtures import small_country
from tests.fixtures.readings import Readings
from tests.published_files import published

ENTRY = [0, 0, 0, 0, 0, 3, 3, 3, 4, 4, 4, 4]
LEVELS = [
    [10, 11, 13, 12, 15], [8, 8, 9, 11, 10], [12, 14, 13, 15, 17], [9, 10, 10, 12, 12], [11, 11, 14, 13, 14],
    [10, 12, 11, 14, 18], [7, 8, 8, 12, 13], [13, 13, 16, 17, 19],
    [9, 9, 11, 15, 14], [10, 12, 12, 13, 17], [12, 12, 14, 18, 18], [8, 10, 9, 11, 16],
]  # fmt: skip
SMALL = Cohorts((1, 2, 3, 4, 5), np.array(LEVELS, dtype=float), np.array(ENTRY))

GROUP_TIME = [
    (NEVER, 3, 2, 0.2, 0.5781195570314346),
    (NEVER, 3, 3, -0.33333333333333337, 1.167460047694551),
    (NEVER, 3, 5, 2.866666666666667, 0.43136304208181075),
    (NEVER, 4, 3, -0.25, 0.9065732182234373),
    (NEVER, 4, 4, 1.95, 0.9240535698756863),
    (NOT_YET, 3, 2, 0.11111111111111116, 0.5543196128553987),
    (NOT_YET, 3, 3, -0.2222222222222222, 1.0823436441631449),
    (NOT_YET, 4, 2, 0.125, 0.5711145900780333),
]
EVENT_STUDY = [
    (NEVER, -2, 0.2, 0.6016643582596529, 1),
    (NEVER, -1, -0.05714285714285716, 0.5084017144021026, 2),
    (NEVER, 0, 0.9714285714285712, 0.7315943689639146, 2),
    (NEVER, 1, 2.342857142857143, 0.6132074066864819, 2),
    (NEVER, 2, 2.866666666666667, 0.43136304208181075, 1),
    (NOT_YET, -2, 0.125, 0.5711145900780333, 1),
    (NOT_YET, -1, -0.0952380952380952, 0.5956446079754153, 2),
    (NOT_YET, 0, 1.019047619047619, 0.699936083383394, 2),
]


@pytest.mark.parametrize(("controls", "group", "year", "estimate", "std_error"), GROUP_TIME)
def test_a_group_in_a_year(controls: str, group: int, year: int, estimate: float, std_error: float) -> None:
    found = staggered.group_time(SMALL, group, year, controls)
    assert found is not None
    assert (found.estimate, found.std_error) == pytest.approx((estimate, std_error), rel=1e-12)


@pytest.mark.parametrize(("controls", "time", "estimate", "std_error", "groups"), EVENT_STUDY)
def test_years_from_entry(controls: str, time: int, estimate: float, std_error: float, groups: int) -> None:
    found = staggered.at_event_time(SMALL, time, controls, fewest=1)
    assert found is not None
    assert (found[0].estimate, found[0].std_error) == pytest.approx((estimate, std_error), rel=1e-12)
    assert found[1] == groups


def test_two_groups_and_two_years_are_a_difference_of_mean_changes() -> None:
    """Changes of 3 and 5 against 1, 1 and 4: 4 - 2, and the variance is 1/2 + 2/3 (spreads with n in place of n - 1)."""
    rates = np.array([[0.0, 3], [0, 5], [0, 1], [0, 1], [0, 4]])
    found = staggered.group_time(Cohorts((1, 2), rates, np.array([2, 2, 0, 0, 0])), 2, 2, NEVER)
    assert found is not None
    assert found.estimate == pytest.approx(2)
    assert found.std_error == pytest.approx(np.sqrt(1 / 2 + 2 / 3))
    assert (found.n_units, found.n_controls) == (2, 3)


def test_no_year_beyond_the_panel_and_no_difference_without_controls() -> None:
    assert staggered.at_event_time(SMALL, 3, NEVER, fewest=1) is None
    everybody = replace(SMALL, entry=np.array([3] * 12))
    assert staggered.group_time(everybody, 3, 4, NOT_YET) is None


def planted(seed: int, difference: float, *, drift: float = 0.0, units: int = 150) -> Cohorts:
    """Log rates that wander, and after entry lie `difference` higher; `drift` moves those that take part before it."""
    random = np.random.default_rng(seed)
    years = tuple(range(2013, 2023))
    entry = np.repeat([NO_ENTRY, 2016, 2018, 2019], [units - 90, 30, 30, 30])
    wander = random.normal(0, 0.3, (units, 1)) + random.normal(0, 0.05, (units, len(years))).cumsum(axis=1)
    since = np.array(years) - entry[:, np.newaxis]
    takes_part = (entry > NO_ENTRY)[:, np.newaxis]
    return Cohorts(years, wander + takes_part * ((since >= 0) * difference + drift * since), entry)


@pytest.fixture(scope="module")
def many() -> list[pd.DataFrame]:
    return [staggered.of_cohorts(planted(seed, -0.1), settings.load()) for seed in range(200)]


@pytest.mark.parametrize("controls", [NEVER, NOT_YET])
def test_planted_differences_are_found(many: list[pd.DataFrame], controls: str) -> None:
    """-0.1 from entry on and 0 before, each mean within 4 of its standard errors; intervals hold them in about 95%.

    Binomial limits of 95% of 200 times 10 rows that hang together: 91 to 98%.
    """
    rows = pd.concat([frame.loc[frame["control_group"] == controls] for frame in many])
    truth = np.where(rows["event_time"] >= 0, -0.1, 0.0)
    off = rows.assign(off=rows["estimate"] - truth).groupby("event_time")["off"]
    assert (off.mean().abs() < 4 * off.sem()).all()
    held = (rows["lower_95"] <= truth) & (truth <= rows["upper_95"])
    assert 0.91 < held.mean() < 0.98


def test_the_test_of_the_years_before_entry_has_its_level(many: list[pd.DataFrame]) -> None:
    """Uniform p where the groups move in parallel, whatever comes later."""
    p = [frame.loc[frame["control_group"] == NEVER, "pretrend_p"].iloc[0] for frame in many]
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_the_test_of_the_years_before_entry_sees_a_drift() -> None:
    frame = staggered.of_cohorts(planted(1, 0.0, drift=0.05), settings.load())
    assert (frame["pretrend_p"] < 1e-6).all()


def test_wald_of_one_difference_is_its_square_over_the_variance() -> None:
    found = staggered.group_time(SMALL, 4, 4, NEVER)
    assert found is not None
    assert staggered.wald([found]) == pytest.approx((1.95 / 0.9240535698756863) ** 2)
    # F with one degree of freedom is t squared.
    assert staggered.joint_p([found]) == pytest.approx(2 * stats.t.sf(1.95 / 0.9240535698756863, 11))


def test_wald_of_independent_differences_is_the_sum_of_squares() -> None:
    first, second = (staggered.group_time(SMALL, 4, year, NEVER) for year in (2, 3))
    assert first and second
    covariance = np.array([[a.influence @ b.influence for b in (first, second)] for a in (first, second)]) / 12**2
    estimates = np.array([first.estimate, second.estimate])
    assert staggered.wald([first, second]) == pytest.approx(estimates @ np.linalg.inv(covariance) @ estimates)


def test_no_joint_test_where_one_difference_follows_from_another() -> None:
    found = staggered.group_time(SMALL, 4, 4, NEVER)
    assert found is not None and staggered.wald([found, found]) is None and staggered.joint_p([found, found]) is None


# ---------------------------------------------------------------------------------------------------------------------
# The table


def test_years_before_entry_stand_first_and_every_row_has_its_counts() -> None:
    frame = staggered.of_cohorts(planted(3, -0.1), settings.load())
    assert frame["event_time"].tolist() == 2 * list(range(-4, 6))
    assert frame["is_pre_programme"].tolist() == (frame["event_time"] < 0).tolist()
    never = frame.loc[frame["control_group"] == NEVER].set_index("event_time")
    # Only 2018 and 2019 have a change that ends four or three years before them; 2019 ends with its third year after.
    assert never.loc[[-4, -3, 0, 3, 4, 5], "n_groups"].tolist() == [2, 2, 3, 3, 2, 1]
    assert never.loc[[-4, 0, 5], "n_units"].tolist() == [60, 90, 30]
    assert set(never["n_controls"]) == {60}
    assert frame["reason"].isna().all() and frame["pretrend_p"].between(0, 1).all()


def test_a_year_of_entry_with_few_units_is_left_out_whole() -> None:
    whole = planted(4, 0.0)
    entry = whole.entry.copy()
    entry[-4:] = 2021
    frame = staggered.of_cohorts(replace(whole, entry=entry), settings.load())
    assert set(frame["n_left_out"]) == {4}
    assert frame.loc[frame["event_time"] == 0, "n_units"].tolist() == [86, 86]
    kept = staggered.of_cohorts(whole.of(np.arange(150) < 146), settings.load())
    np.testing.assert_array_equal(frame["estimate"], kept["estimate"])


@pytest.mark.parametrize(
    ("panel", "reason"),
    [
        (planted(5, 0.0).of(np.arange(150) % 6 == 0), "too_few_units"),
        (replace(planted(5, 0.0), entry=np.zeros(150, dtype=np.int64)), "no_variation"),
        (replace(planted(5, 0.0), entry=np.full(150, 2016)), "too_few_units"),
    ],
    ids=["25 units", "nobody took part", "everybody took part"],
)
def test_a_panel_that_cannot_be_compared_has_its_reason(panel: Cohorts, reason: str) -> None:
    frame = staggered.of_cohorts(panel, settings.load())
    assert len(frame) == 20 and set(frame["reason"]) == {reason} and "estimate" not in frame


def programme(rows: list[tuple[str, str, int, str]]) -> pd.DataFrame:
    """`core.innovation_programme` from (code, programme, start year, confidence)."""
    table = covariate_tables.INNOVATION_PROGRAMME
    full = [
        dict.fromkeys(table.column_names)
        | {
            "la_code": code, "ons_code": code, "la_name": code, "programme": name, "project": "Farravel Homes",
            "lead_or_partner": "partner", "start_year": year, "end_year": year, "evidence": "invented",
            "confidence": confidence, "source_sha256": small_country.SHA256, "source_row": 2,
        }
        for code, name, year, confidence in rows
    ]  # fmt: skip
    return conform(pd.DataFrame(full, columns=table.column_names), table)


def small_cohorts(rows: list[tuple[str, str, int, str]], too_small: tuple[str, ...] = ()) -> Cohorts:
    """Four authorities from 2015 to 2018; the counts also have 2010, the populations also 2014; 704 has a marker in 2018."""
    codes = ("701", "702", "703", "704")
    counts = [(code, year, year, "looked_after", 100 + year) for code in codes for year in (2010, *range(2015, 2019))]
    counts[-1] = ("704", 2018, 2018, "looked_after", "c")
    people = [(code, year, "rebased", 50_000) for code in codes for year in range(2014, 2019)]
    local = small_country.local_authorities({code: f"Area {code}" for code in codes}, too_small)
    areas = geography.build_areas(local, small_country.area_changes([]))
    core = small_country.looked_after(counts), small_country.population(people)
    return staggered.cohorts(*core, programme(rows), areas, {})


def test_entry_is_the_reporting_year_after_the_first_published_project_of_a_round() -> None:
    found = small_cohorts(
        [
            ("701", innovation_programme.ROUND_2, 2017, "published"),
            ("701", innovation_programme.ROUND_1, 2015, "published"),
            ("702", innovation_programme.ROUND_1, 2015, "recalled"),
            ("703", innovation_programme.SFPC, 2019, "published"),
            ("703", innovation_programme.PARTNERS_IN_PRACTICE, 2016, "published"),
        ]
    )
    assert found.years == (2015, 2016, 2017, 2018)  # 2010 is cut off from them
    assert found.entry.tolist() == [2016, NO_ENTRY, NO_ENTRY]
    assert found.log_rates[0] == pytest.approx(np.log(np.array([2115, 2116, 2117, 2118]) / 50_000))


def test_authorities_that_are_too_small_are_not_in_it() -> None:
    rows = [("701", innovation_programme.ROUND_1, 2015, "published")]
    assert small_cohorts(rows, too_small=("702",)).entry.tolist() == [2016, NO_ENTRY]


def test_without_a_list_of_participants_there_is_no_exposure() -> None:
    local = small_country.country()
    frame = staggered.staggered_adoption(local.looked_after, local.population, programme([]), local.areas, {})
    assert set(frame["reason"]) == {"no_exposure"} == set(frame["pretrend_reason"]) == set(frame["panel_reason"])
    assert frame[["estimate", "pretrend_p", "first_year"]].isna().all(axis=None)


def test_the_table_says_first_what_to_read_first() -> None:
    warnings = model_tables.STAGGERED_ADOPTION.warnings
    assert warnings[0].startswith("Read the years before entry first")
    assert warnings[1] == sentences.NOT_RANDOM
    assert "no conclusion" in warnings[2]


@published
def test_published_files(real: Readings) -> None:
    """All years of the rebased populations; 151 authorities less those that boundary changes leave without a population.

    151 in being on 31 March 2025 and not too small, less two pairs of successors (Northamptonshire, Cumbria) is 149; the
    two of Dorset are one unit without a population before 2019.
    """
    references = real.register.references
    listed = innovation_programme.core(references["innovation_programme"], real.local_authorities, real.knowledge.names)
    shares = geography.split_shares(references["split_child_weights_2016"], real.local_authorities)
    found = staggered.cohorts(real.core_looked_after, real.core_population, listed, real.areas, shares)
    assert found.years == tuple(range(2013, 2026))
    assert len(found.entry) == 147
    assert found.entry[found.entry > 0].min() == 2015  # the first round began in October 2014
    frame = staggered.staggered_adoption(real.core_looked_after, real.core_population, listed, real.areas, shares)
    assert frame["estimate"].notna().all() and frame["pretrend_p"].notna().all()
    assert set(frame["last_year"]) == {2025}
