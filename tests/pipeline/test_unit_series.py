"""Numbers of units over years: which release speaks, how members add up, and why a number is missing."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pipeline import geography, settings, unit_series, windows
from pipeline.geography import Areas
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.published_files import published

STOCK = "looked_after"


def areas(changes: list[tuple[str, str, str, dt.date]] | None = None, codes: str = "701 702 703") -> Areas:
    return geography.build_areas(
        small.local_authorities({code: f"Area {code}" for code in codes.split()}), small.area_changes(changes or [])
    )


# Old 701 becomes 702 and 703 on 1 April 2021.
SPLIT = areas([("701", "702", "split", dt.date(2021, 4, 1)), ("701", "703", "split", dt.date(2021, 4, 1))])
SPLIT_CELLS = [
    ("701", 2020, 2021, STOCK, 30), ("701", 2021, 2021, STOCK, 31),
    ("702", 2022, 2023, STOCK, 10), ("703", 2022, 2023, STOCK, 22),
    ("702", 2023, 2023, STOCK, 11), ("703", 2023, 2023, STOCK, "c"),
]  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# Which release speaks for a year

REVISED = [
    ("701", 2018, 2021, STOCK, 100), ("701", 2019, 2021, STOCK, 110),
    ("701", 2019, 2022, STOCK, 111), ("701", 2020, 2022, STOCK, 120),
    ("701", 2020, 2024, STOCK, "c"), ("701", 2021, 2024, STOCK, 130),
    ("701", 2021, 2024, "started", 40),
]  # fmt: skip


def series(source: unit_series.Cells) -> dict[int, float]:
    """The numbers of 701, by year; None for a missing one."""
    row = source.codes.index("701")
    pairs = zip(source.years, source.numbers[row], strict=True)
    return {year: None if np.isnan(number) else number for year, number in pairs}


def test_the_newest_release_speaks_and_its_marker_stays() -> None:
    source = unit_series.newest(small.looked_after(REVISED))
    assert series(source) == {2018: 100, 2019: 111, 2020: None, 2021: 130}
    assert source.releases == {2018: 2021, 2019: 2022, 2020: 2024, 2021: 2024}
    assert source.reasons[0].tolist() == [None, None, "suppressed", None]


def test_one_release_by_itself() -> None:
    assert series(unit_series.of_release(small.looked_after(REVISED), 2022)) == {2019: 111, 2020: 120}


def test_the_next_older_release_has_only_the_years_that_two_releases_have() -> None:
    source = unit_series.next_older(small.looked_after(REVISED))
    assert series(source) == {2019: 110, 2020: 120}
    assert source.releases == {2019: 2021, 2020: 2022}


@pytest.mark.parametrize(
    ("years", "release"),
    [((2018, 2019), 2021), ((2019, 2020), 2022), ((2020, 2021), 2024), ((2018, 2020), None), ((2019,), 2022)],
)
def test_the_newest_release_that_holds_all_years(years: tuple[int, ...], release: int | None) -> None:
    assert unit_series.release_holding(small.looked_after(REVISED), years) == release


def test_another_measure() -> None:
    assert series(unit_series.newest(small.looked_after(REVISED), "started")) == {2021: 40}


def test_two_numbers_for_one_authority_and_year_are_a_bug() -> None:
    doubled = pd.Series(["701", "701"]), pd.Series([2020, 2020]), pd.Series([1, 2]), pd.Series(["", ""])
    with pytest.raises(ValueError, match=r"two numbers .*701.*2020"):
        unit_series.cells(*doubled, no_row="not_available")


# ---------------------------------------------------------------------------------------------------------------------
# Members


def test_a_unit_is_the_sum_of_its_members_in_being() -> None:
    """30 and 31 before the split; 10 + 22 after it; then one of the two is suppressed, and 11 alone is no sum."""
    units = geography.units(SPLIT, 2020, 2023)
    assert [unit.unit_id for unit in units] == ["702+703"]
    found = unit_series.of_units(
        units, [2020, 2021, 2022, 2023], unit_series.newest(small.looked_after(SPLIT_CELLS)), SPLIT
    )
    assert found.numbers[0, :3].tolist() == [30, 31, 32]
    assert np.isnan(found.at(2023)[0])
    assert found.reasons[0].tolist() == [None, None, None, "suppressed"]


def test_a_new_authority_has_no_number_before_it_existed() -> None:
    units = geography.units(SPLIT, 2022, 2023)
    found = unit_series.of_units(units, [2021, 2022], unit_series.newest(small.looked_after(SPLIT_CELLS)), SPLIT)
    assert np.isnan(found.at(2021)).all()
    assert found.reasons[:, 0].tolist() == ["boundary_change", "boundary_change"]
    assert found.at(2022).tolist() == [10, 22]


def test_a_row_of_an_authority_that_has_ended_counts_for_nothing() -> None:
    """Files keep rows of authorities that have ended (methods.md E10)."""
    cells = [*SPLIT_CELLS, ("701", 2022, 2023, STOCK, 999)]
    units = geography.units(SPLIT, 2020, 2022)
    found = unit_series.of_units(units, [2022], unit_series.newest(small.looked_after(cells)), SPLIT)
    assert found.at(2022).tolist() == [32]


def test_no_row_and_no_year_are_missing_with_the_reason_of_the_source() -> None:
    source = unit_series.newest(small.looked_after(SPLIT_CELLS[:2]))
    units = geography.units(SPLIT, 2022, 2022)
    found = unit_series.of_units(units, [2022], source, SPLIT)
    assert np.isnan(found.numbers).all()
    assert found.reasons.ravel().tolist() == ["not_available"] * 2
    people = unit_series.populations(small.population([("702", 2022, "rebased", 500)]), "rebased")
    found = unit_series.of_units(units, [2022, 2023], people, SPLIT)
    assert found.reasons.tolist() == [[None, "no_denominator"], ["no_denominator", "no_denominator"]]


def test_the_order_of_rows_changes_nothing() -> None:
    frame = small.looked_after(SPLIT_CELLS)
    units = geography.units(SPLIT, 2020, 2023)
    years = [2020, 2021, 2022, 2023]
    one = unit_series.of_units(units, years, unit_series.newest(frame), SPLIT)
    other = unit_series.of_units(units, years, unit_series.newest(frame.iloc[::-1]), SPLIT)
    assert np.array_equal(one.numbers, other.numbers, equal_nan=True)


# ---------------------------------------------------------------------------------------------------------------------
# Populations of the year before the older estimates begin, on boundaries of April 2021

OLD = [("701", 2013, "pre_census", 90), ("702", 2022, "age_band_estimate", 1), ("702", 2012, "age_band_estimate", 40),
       ("703", 2012, "age_band_estimate", 45), ("702", 2011, "age_band_estimate", 7)]  # fmt: skip


def test_the_estimate_stands_in_for_one_year_only() -> None:
    source = unit_series.populations(small.population(OLD), "pre_census")
    assert source.years == (2012, 2013)
    assert source.boundaries == {2012: dt.date(2021, 4, 1)}
    assert unit_series.populations(small.population(OLD), "rebased").years == ()


def test_successors_stand_for_an_authority_that_ended_later() -> None:
    units = geography.units(SPLIT, 2013, 2017)
    found = unit_series.of_units(
        units, [2012, 2013], unit_series.populations(small.population(OLD), "pre_census"), SPLIT
    )
    assert [unit.unit_id for unit in units] == ["701"]
    assert found.numbers.tolist() == [[85, 90]]


def test_successors_shared_with_another_authority_stand_for_neither() -> None:
    """701 and 702 were later rearranged into 703: only both together can be told from its population."""
    merged = areas([("701", "703", "merge", dt.date(2019, 4, 1)), ("702", "703", "merge", dt.date(2019, 4, 1))])
    people = unit_series.populations(
        small.population([("701", 2013, "pre_census", 50), ("703", 2012, "age_band_estimate", 99)]), "pre_census"
    )
    apart = unit_series.of_units(geography.units(merged, 2013, 2017), [2012], people, merged)
    assert np.isnan(apart.numbers).all()
    assert apart.reasons.ravel().tolist() == ["denominator_geography"] * 2
    combined = geography.units(merged, 2012, 2017, dt.date(2021, 4, 1))
    assert [unit.unit_id for unit in combined] == ["701+702"]
    assert unit_series.of_units(combined, [2012], people, merged).numbers.tolist() == [[99]]


# ---------------------------------------------------------------------------------------------------------------------
# England and log rates


def test_log_rates_exist_where_both_numbers_are_above_nought() -> None:
    counts, people = np.array([[10.0, 0.0, np.nan]]), np.array([[1000.0, 1000.0, 1000.0]])
    assert unit_series.log_rates(counts, people)[0].tolist() == pytest.approx(
        [np.log(0.01), np.nan, np.nan], nan_ok=True
    )
    assert np.isnan(unit_series.log_rates(people, counts * 0)).all()


def test_england_is_pooled_not_averaged() -> None:
    """10 of 1,000 and 90 of 3,000 are 100 of 4,000: neither the mean of 1% and 3% nor that of their logarithms."""
    pooled = unit_series.england_log_rate(np.array([[10.0], [90.0]]), np.array([[1000.0], [3000.0]]))
    assert pooled == pytest.approx(np.log(0.025))


@published
def test_the_ends_of_every_window_are_those_of_the_windows(real: Readings) -> None:
    """Two ways to the same sums: `windows` cell by cell, here over whole years at once."""
    counts = unit_series.newest(real.core_looked_after)
    for data in windows.all_window_data(
        real.core_looked_after, real.core_population, real.areas, settings.load().windows
    ):
        units = [ends.unit for ends in data.units]
        years = (data.window.start, data.window.end)
        people = unit_series.populations(real.core_population, data.window.vintage)
        for source, own in (
            (counts, [ends.looked_after for ends in data.units]),
            (people, [ends.population for ends in data.units]),
        ):
            found = unit_series.of_units(units, years, source, real.areas)
            expected = np.array(own, dtype=float)
            assert np.array_equal(found.numbers, expected, equal_nan=True), data.window.window_id
            assert (np.isnan(found.numbers) == ~pd.isna(found.reasons)).all()
