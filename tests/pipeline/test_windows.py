"""Which windows there are, their one population vintage, and the numbers at their two ends: methods.md B3, B8, C1."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from pipeline import geography, panel, settings, windows
from pipeline.windows import UnitEnds, Window, WindowData
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.fixtures.small_country import EASTMERE, KINGS_FERRY, MARLSHIRE
from tests.published_files import published

RULES = settings.load().windows
# methods.md C1 with T = 2025, in the order of the table.
OF_2025 = {
    "main_h5": (2020, 2025, "rebased", "primary"),
    "main_h4": (2021, 2025, "rebased", "alternate"),
    "prev_h5": (2019, 2024, "rebased", "alternate"),
    "orig_h4": (2013, 2017, "pre_census", "study"),
    "orig_h5": (2012, 2017, "pre_census", "study"),
    "hist_h5_2018": (2013, 2018, "rebased", "history"),
    "hist_h5_2019": (2014, 2019, "rebased", "history"),
    "hist_h5_2020": (2015, 2020, "rebased", "history"),
    "hist_h5_2021": (2016, 2021, "rebased", "history"),
    "hist_h5_2022": (2017, 2022, "rebased", "history"),
    "hist_h5_2023": (2018, 2023, "rebased", "history"),
}


def as_table(found: list[Window]) -> dict[str, tuple[int, int, str, str]]:
    return {window.window_id: (window.start, window.end, window.vintage, window.role) for window in found}


# ---------------------------------------------------------------------------------------------------------------------
# The list


def test_the_windows_up_to_2025() -> None:
    assert as_table(windows.windows(2025, RULES)) == OF_2025


def test_every_five_year_window_from_2012_on_and_two_of_four_years() -> None:
    found = windows.windows(2025, RULES)
    assert sorted((w.start, w.end) for w in found if w.years == 5) == [(end - 5, end) for end in range(2017, 2026)]
    assert sorted((w.start, w.end) for w in found if w.years == 4) == [(2013, 2017), (2021, 2025)]
    assert {w.years for w in found} == {4, 5}


def test_another_year_moves_the_newest_windows_and_adds_one_to_history() -> None:
    found = as_table(windows.windows(2026, RULES))
    assert found["main_h5"][:2] == (2021, 2026) and found["main_h4"][:2] == (2022, 2026)
    assert found["prev_h5"] == (2020, 2025, "rebased", "alternate")
    assert found["hist_h5_2024"] == (2019, 2024, "rebased", "history")
    assert {name: found[name] for name in OF_2025 if name.startswith(("hist", "orig"))} == {
        name: OF_2025[name] for name in OF_2025 if name.startswith(("hist", "orig"))
    }
    assert len(found) == 12


def test_oldest_end_comes_first_and_no_window_twice() -> None:
    found = windows.windows(2025, RULES)
    assert [w.end for w in found] == sorted(w.end for w in found)
    assert len({(w.start, w.end) for w in found}) == len(found) == len({w.window_id for w in found})


# ---------------------------------------------------------------------------------------------------------------------
# One vintage


REBASED_WINDOW = Window("main_h5", 2013, 2018, "rebased", "primary")
STUDY_WINDOW = Window("orig_h5", 2012, 2017, "pre_census", "study")


def test_a_window_takes_both_ends_from_its_own_vintage() -> None:
    people = small.population(
        [(MARLSHIRE, year, vintage, size) for year, vintage, size in (
            (2013, "rebased", 90), (2018, "rebased", 95), (2013, "pre_census", 100), (2018, "pre_census", 105))]
    )  # fmt: skip
    found = windows.denominators(REBASED_WINDOW, people)
    assert found is not None and not found.is_estimated
    assert (found.start[MARLSHIRE].value, found.end[MARLSHIRE].value) == (90, 95)
    older = windows.denominators(replace(REBASED_WINDOW, vintage="pre_census"), people)
    assert older is not None and (older.start[MARLSHIRE].value, older.end[MARLSHIRE].value) == (100, 105)


@pytest.mark.parametrize(("start", "end"), [("rebased", "pre_census"), ("pre_census", "rebased")])
def test_a_window_is_never_put_together_from_two_vintages(start: str, end: str) -> None:
    people = small.population([(MARLSHIRE, 2013, start, 90), (MARLSHIRE, 2018, end, 95)])
    assert windows.denominators(REBASED_WINDOW, people) is None
    assert windows.denominators(replace(REBASED_WINDOW, vintage="pre_census"), people) is None


def test_one_authority_never_borrows_from_the_other_vintage() -> None:
    people = [
        *((MARLSHIRE, year, vintage, 100) for year in (2013, 2018) for vintage in ("rebased", "pre_census")),
        (KINGS_FERRY, 2013, "pre_census", 100),
        (KINGS_FERRY, 2018, "rebased", 100),
    ]
    found = windows.denominators(REBASED_WINDOW, small.population(people))
    assert found is not None and set(found.start) == {MARLSHIRE} and set(found.end) == {MARLSHIRE, KINGS_FERRY}


def test_the_age_band_estimate_serves_the_older_vintage_alone() -> None:
    """It is added up from estimates made before the census; a rebased window must not touch it."""
    people = small.population([(MARLSHIRE, 2012, "age_band_estimate", 88), (MARLSHIRE, 2017, "pre_census", 99)])
    found = windows.denominators(STUDY_WINDOW, people)
    assert found is not None and found.is_estimated
    assert found.as_of == dt.date(2021, 4, 1)
    assert (found.start[MARLSHIRE].value, found.end[MARLSHIRE].value) == (88, 99)
    rebased = small.population([(MARLSHIRE, 2012, "age_band_estimate", 88), (MARLSHIRE, 2017, "rebased", 99)])
    assert windows.denominators(replace(STUDY_WINDOW, vintage="rebased"), rebased) is None


def test_a_published_population_goes_before_the_estimate() -> None:
    estimate = (MARLSHIRE, 2012, "age_band_estimate", 88)
    people = small.population([estimate, (MARLSHIRE, 2012, "pre_census", 87), (MARLSHIRE, 2017, "pre_census", 99)])
    found = windows.denominators(STUDY_WINDOW, people)
    assert found is not None and found.start[MARLSHIRE].value == 87 and not found.is_estimated


# ---------------------------------------------------------------------------------------------------------------------
# Numbers at the two ends


def ends_of(data: WindowData) -> dict[str, UnitEnds]:
    return {ends.unit.unit_id: ends for ends in data.units}


def test_the_numbers_of_a_small_country() -> None:
    data = small.country().main_window
    found = ends_of(data)
    assert {code: ends.looked_after for code, ends in found.items()} == small.COUNTS
    assert {code: ends.population for code, ends in found.items()} == small.POPULATIONS
    assert data.releases == (2013, 2018) and data.published == set(small.COUNTS)
    assert all(ends.missing_count is None and ends.missing_population is None for ends in data.units)


# 10 splits into 11 and 12 within the window; 20 and 21 merge into 22.
SPLIT = [("10", "11", "split", dt.date(2016, 4, 1)), ("10", "12", "split", dt.date(2016, 4, 1))]
MERGE = [("20", "22", "merge", dt.date(2016, 4, 1)), ("21", "22", "merge", dt.date(2016, 4, 1))]


def reorganised(cells: list, people: list) -> WindowData:
    local = small.local_authorities({code: f"Area {code}" for code in ("10", "11", "12", "20", "21", "22")})
    areas = geography.build_areas(local, small.area_changes([*SPLIT, *MERGE]))
    counted = windows.counts(small.looked_after(cells))
    return windows.window_data(REBASED_WINDOW, counted, small.population(people), areas)


def stock(code: str, year: int, cell: int | str) -> tuple:
    return (code, year, year, "looked_after", cell)


CELLS = [stock("10", 2013, 90), stock("11", 2018, 40), stock("12", 2018, 60),
         stock("20", 2013, 30), stock("21", 2013, 50), stock("22", 2018, 70)]  # fmt: skip
PEOPLE = [("10", 2013, "rebased", 9000), ("11", 2018, "rebased", 4500), ("12", 2018, "rebased", 5500),
          ("20", 2013, "rebased", 3000), ("21", 2013, "rebased", 5000), ("22", 2018, "rebased", 8200)]  # fmt: skip


def test_a_unit_adds_up_the_members_in_being_at_each_end() -> None:
    found = ends_of(reorganised(CELLS, PEOPLE))
    assert (found["11+12"].looked_after, found["11+12"].population) == ((90, 100), (9000, 10_000))
    assert (found["22"].looked_after, found["22"].population) == ((80, 70), (8000, 8200))


def test_a_row_of_an_authority_that_is_not_in_being_is_not_added() -> None:
    """Files list the successors before they begin and the old county after its end, sometimes with numbers."""
    stray = [stock("11", 2013, 1000), stock("10", 2018, 1000)]
    found = ends_of(reorganised([*CELLS, *stray], PEOPLE))
    assert found["11+12"].looked_after == (90, 100)


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        (stock("12", 2018, "c"), ("suppressed", 2018, "marker c in the release of 2018")),
        (stock("12", 2018, "u"), ("not_available", 2018, "marker u in the release of 2018")),
        (stock("12", 2018, "z"), ("not_applicable", 2018, "marker z in the release of 2018")),
        (stock("10", 2013, "x"), ("suppressed", 2013, "marker x in the release of 2013")),
    ],
)
def test_one_member_without_a_number_leaves_the_unit_without_one(changed: tuple, missing: tuple) -> None:
    others = [cell for cell in CELLS if cell[:2] != changed[:2]]
    found = ends_of(reorganised([*others, changed], PEOPLE))["11+12"]
    assert found.looked_after[0 if changed[1] == 2013 else 1] is None
    assert found.missing_count == missing
    assert found.missing_population is None


def test_a_member_without_a_row_is_not_available() -> None:
    found = ends_of(reorganised([cell for cell in CELLS if cell[0] != "21"], PEOPLE))["22"]
    assert found.looked_after == (None, 70)
    assert found.missing_count == ("not_available", 2013, "no row in the release")


@pytest.mark.parametrize(
    ("cell", "evidence"), [("x", "marker x in the population file"), (None, "no row in the population file")]
)
def test_a_member_without_a_population_leaves_the_unit_without_a_denominator(cell: str | None, evidence: str) -> None:
    others = [row for row in PEOPLE if row[0] != "11"]
    found = ends_of(reorganised(CELLS, [*others, ("11", 2018, "rebased", cell)]))["11+12"]
    assert found.population == (9000, None) and found.looked_after == (90, 100)
    assert found.missing_population == ("no_denominator", 2018, evidence)


def test_a_nought_is_a_number_and_not_missing() -> None:
    others = [cell for cell in CELLS if cell[:2] != ("12", 2018)]
    found = ends_of(reorganised([*others, stock("12", 2018, 0)], PEOPLE))["11+12"]
    assert found.looked_after == (90, 40) and found.missing_count is None


def test_a_window_without_counts_or_populations_says_what_is_missing() -> None:
    data = {each.window.window_id: each for each in small.country().windows}
    assert data["main_h4"].not_computed == "no looked-after counts for 2014"
    assert data["orig_h5"].not_computed == "no looked-after counts for 2012 and 2017"
    country = small.country()
    older = country.population.assign(vintage="pre_census")
    assert country.but(population=older).main_window.not_computed == "no rebased populations for 2013 or 2018"


def test_counts_take_the_newest_release_and_its_list_of_authorities() -> None:
    cells = [
        (MARLSHIRE, 2018, 2018, "looked_after", 1),
        (EASTMERE, 2018, 2018, "looked_after", 2),
        (MARLSHIRE, 2018, 2020, "looked_after", 3),
        (KINGS_FERRY, 2018, 2020, "looked_after", "z"),
        (MARLSHIRE, 2018, 2020, "started", 99),
    ]
    counted = windows.counts(small.looked_after(cells))
    assert counted.release_of_year == {2018: 2020}
    assert counted.published_codes == {2018: {MARLSHIRE, KINGS_FERRY}}
    assert counted.cells[(MARLSHIRE, 2018)].value == 3
    assert (EASTMERE, 2018) not in counted.cells


def test_populations_on_later_boundaries_are_added_up_on_those() -> None:
    """10 splits after the window, but its mid-2011 population is only there for its successors."""
    day = dt.date(2019, 4, 1)
    local = small.local_authorities({code: f"Area {code}" for code in ("10", "11", "12")})
    areas = geography.build_areas(local, small.area_changes([("10", "11", "split", day), ("10", "12", "split", day)]))
    counted = windows.counts(small.looked_after([stock("10", 2012, 90), stock("10", 2017, 95)]))
    people = [("11", 2012, "age_band_estimate", 4000), ("12", 2012, "age_band_estimate", 5000),
              ("10", 2012, "age_band_estimate", 1), ("10", 2017, "pre_census", 9100)]  # fmt: skip
    data = windows.window_data(STUDY_WINDOW, counted, small.population(people), areas)
    assert data.is_estimated
    assert ends_of(data)["10"].population == (9000, 9100)


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@pytest.fixture(scope="module")
def real_windows(real: Readings) -> dict[str, WindowData]:
    found = windows.all_window_data(real.core_looked_after, real.core_population, real.areas, RULES)
    return {data.window.window_id: data for data in found}


@published
def test_all_eleven_windows_are_computed(real_windows: dict[str, WindowData]) -> None:
    assert as_table([data.window for data in real_windows.values()]) == OF_2025
    assert {data.not_computed for data in real_windows.values()} == {None}
    assert [name for name, data in real_windows.items() if data.is_estimated] == ["orig_h5"]


@published
def test_five_year_windows_of_today_are_mixed_and_the_four_year_one_is_not(real_windows: dict[str, WindowData]) -> None:
    """methods.md B4: the newest release holds five years, so a five-year window takes its start from an older one."""
    releases = {name: data.releases for name, data in real_windows.items()}
    assert releases["main_h5"] == (2024, 2025)
    assert releases["main_h4"] == (2025, 2025)
    assert releases["orig_h5"] == (2012, 2017)
    assert releases["prev_h5"] == (2022, 2025)


@published
def test_published_codes_of_a_window(real_windows: dict[str, WindowData]) -> None:
    """methods.md B11: 155 in 2020 to 2025; 158 in 2019 to 2024, where the three old ones are still listed."""
    assert len(real_windows["main_h5"].published) == 155
    assert len(real_windows["prev_h5"].published) == 158
    assert {"835", "836", "837"} <= real_windows["prev_h5"].published - real_windows["main_h5"].published


@published
def test_the_reorganised_areas_add_up_to_what_the_files_say(real_windows: dict[str, WindowData]) -> None:
    """README of the looked-after files: Northamptonshire 1,144 in 2021; Cumbria 740 in 2023, 482 + 247 in 2024."""
    four_years = ends_of(real_windows["main_h4"])
    assert four_years["940+941"].looked_after[0] == 1144
    assert ends_of(real_windows["prev_h5"])["942+943"].looked_after[1] == 482 + 247
    assert ends_of(real_windows["hist_h5_2023"])["909"].looked_after[1] == 740


@published
def test_dorset_has_no_rebased_denominator_before_2020(real_windows: dict[str, WindowData]) -> None:
    for name in ("hist_h5_2020", "hist_h5_2021", "hist_h5_2022", "hist_h5_2023", "prev_h5"):
        missing = ends_of(real_windows[name])["838+839"].missing_population
        assert missing is not None and missing[0] == "no_denominator", name
    for name in ("hist_h5_2018", "hist_h5_2019"):
        found = ends_of(real_windows[name])
        assert all(found[code].missing_population for code in ("835", "836", "837")), name
    assert ends_of(real_windows["orig_h4"])["835"].missing_population is None


@published
def test_the_study_windows_use_the_populations_from_before_the_census(
    real: Readings, real_windows: dict[str, WindowData]
) -> None:
    """And no other window does: both ends of every unit are found again in the vintage of its window."""
    people = real.core_population.set_index(["vintage", "la_code", "year"])["population_0_17"]
    for name, data in real_windows.items():
        for ends in data.units:
            if name == "orig_h5":
                continue
            for year, codes, value in (
                (data.window.start, ends.unit.start, ends.population[0]),
                (data.window.end, ends.unit.end, ends.population[1]),
            ):
                if value is not None:
                    assert value == sum(people[(data.window.vintage, code, year)] for code in codes), (name, codes)


def test_the_reason_for_a_missing_population_is_the_panel_s() -> None:
    people = small.population([(MARLSHIRE, 2013, "rebased", "x"), (MARLSHIRE, 2018, "rebased", 5)])
    found = windows.denominators(REBASED_WINDOW, people)
    assert found is not None and found.start[MARLSHIRE].reason == panel.NO_DENOMINATOR
    assert pd.isna(people["population_0_17"]).sum() == 1
