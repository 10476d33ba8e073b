"""The panel of authorities and years and England beside it: methods.md B2 to B6 and F5."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from pipeline import geography, looked_after, panel, population
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.fixtures.small_country import EASTMERE, ISLAND, KINGS_FERRY, MARLSHIRE
from tests.published_files import published

GOLDEN = Path(__file__).parents[1] / "golden"
NO_CELLS = pd.DataFrame({name: [] for name in ("year", "release", "measure", "value")})


def row(frame: pd.DataFrame, la_code: str, year: int) -> pd.Series:
    (found,) = (own for _, own in frame.loc[(frame["la_code"] == la_code) & (frame["year"] == year)].iterrows())
    return found


def panel_of(cells: list, people: list = (), names: dict | None = None, changes: list = ()) -> pd.DataFrame:
    local = small.local_authorities(names or {MARLSHIRE: "Marlshire", KINGS_FERRY: "Kings Ferry"})
    areas = geography.build_areas(local, small.area_changes(changes))
    return panel.care_numbers(small.looked_after(cells), small.population(people), local, areas)


# ---------------------------------------------------------------------------------------------------------------------
# Newest release


REVISED = [
    (MARLSHIRE, 2021, 2021, "looked_after", 200),
    (MARLSHIRE, 2021, 2022, "looked_after", 210),
    (MARLSHIRE, 2022, 2022, "looked_after", 220),
    (KINGS_FERRY, 2021, 2021, "looked_after", 50),
    (KINGS_FERRY, 2021, 2022, "looked_after", "c"),
    (KINGS_FERRY, 2022, 2022, "looked_after", 60),
]


def test_the_newest_release_speaks_for_a_year() -> None:
    frame = panel_of(REVISED)
    assert list(row(frame, MARLSHIRE, 2021)[["looked_after", "release"]]) == [210, 2022]
    assert list(row(frame, MARLSHIRE, 2022)[["looked_after", "release"]]) == [220, 2022]


def test_a_marker_in_the_newest_release_stays_a_marker() -> None:
    cell = row(panel_of(REVISED), KINGS_FERRY, 2021)
    assert pd.isna(cell["looked_after"])
    assert (cell["looked_after_marker"], cell["looked_after_reason"]) == ("c", "suppressed")


def test_an_authority_that_the_newest_release_leaves_out_is_not_filled_from_an_older_one() -> None:
    cell = row(panel_of([cell for cell in REVISED if cell[:3] != (KINGS_FERRY, 2021, 2022)]), KINGS_FERRY, 2021)
    assert pd.isna(cell["looked_after"]) and pd.isna(cell["looked_after_marker"])
    assert cell["looked_after_reason"] == "not_available"


def test_each_measure_takes_the_newest_release_that_holds_it() -> None:
    frame = panel_of([*REVISED, (MARLSHIRE, 2021, 2021, "started", 70), (MARLSHIRE, 2022, 2022, "started", 80)])
    assert list(frame.loc[frame["la_code"] == MARLSHIRE, "started"]) == [70, 80]
    assert row(frame, KINGS_FERRY, 2022)["started_reason"] == "not_available"
    assert set(frame["ceased_reason"]) == {"not_available"}


def test_newest_release_is_taken_by_year_and_measure() -> None:
    newest = panel.newest_release(small.looked_after([*REVISED, (MARLSHIRE, 2021, 2021, "started", 70)]))
    assert set(newest[["year", "measure", "release"]].itertuples(index=False, name=None)) == {
        (2021, "looked_after", 2022),
        (2022, "looked_after", 2022),
        (2021, "started", 2021),
    }


@pytest.mark.parametrize(
    ("release", "marker", "reason"),
    [(2017, "x", "suppressed"), (2022, "x", "not_available"), (2022, "z", "not_applicable"), (2022, "k", "suppressed")],
)
def test_the_reason_for_a_missing_count_depends_on_the_release(release: int, marker: str, reason: str) -> None:
    cells = [(code, release, release, "looked_after", marker) for code in (MARLSHIRE, KINGS_FERRY)]
    frame = panel_of(cells)
    assert set(frame["looked_after_reason"]) == {reason}
    assert frame["looked_after"].isna().all() and frame["rate_per_10k"].isna().all()


def test_a_published_nought_is_a_number() -> None:
    cell = row(
        panel_of([(MARLSHIRE, 2022, 2022, "looked_after", 0)], [(MARLSHIRE, 2022, "rebased", 400)]), MARLSHIRE, 2022
    )
    assert cell["looked_after"] == 0 and pd.isna(cell["looked_after_reason"]) and cell["rate_per_10k"] == 0.0


# ---------------------------------------------------------------------------------------------------------------------
# Rates, populations, rows


def test_rates_are_not_rounded_and_use_the_rebased_population() -> None:
    cells = [(MARLSHIRE, 2022, 2022, "looked_after", 1), (MARLSHIRE, 2022, 2022, "looked_after_rate_per_10k", 3)]
    people = [(MARLSHIRE, 2022, "rebased", 3000), (MARLSHIRE, 2022, "pre_census", 2500)]
    cell = row(panel_of(cells, people), MARLSHIRE, 2022)
    assert cell["rate_per_10k"] == pytest.approx(10 / 3, rel=1e-15)
    assert (cell["published_rate_per_10k"], cell["population_vintage"]) == (3, "rebased")


@pytest.mark.parametrize("other", ["pre_census", "age_band_estimate"])
def test_no_other_vintage_stands_in_for_the_rebased_population(other: str) -> None:
    cell = row(
        panel_of([(MARLSHIRE, 2012, 2012, "looked_after", 100)], [(MARLSHIRE, 2012, other, 50_000)]), MARLSHIRE, 2012
    )
    assert pd.isna(cell["population_0_17"]) and pd.isna(cell["rate_per_10k"]) and pd.isna(cell["population_vintage"])
    assert cell["population_reason"] == "no_denominator"


def test_a_count_never_meets_the_population_of_another_year() -> None:
    people = [(MARLSHIRE, 2021, "rebased", 50_000)]
    frame = panel_of([(MARLSHIRE, 2022, 2022, "looked_after", 100)], people)
    assert frame["rate_per_10k"].isna().all()


def test_rows_are_the_authorities_in_being_whatever_the_file_lists() -> None:
    """The file has a row for the old county after its end, and none for one authority."""
    names = {"10": "Oldshire", "11": "North Oldshire", "12": "South Oldshire", MARLSHIRE: "Marlshire"}
    day = dt.date(2021, 4, 1)
    cells = [
        (code, year, 2022, "looked_after", cell)
        for code, both in {"10": (90, "z"), "11": ("z", 50), "12": ("z", 45)}.items()
        for year, cell in zip((2021, 2022), both, strict=True)
    ]
    frame = panel_of(cells, names=names, changes=[("10", "11", "split", day), ("10", "12", "split", day)])
    assert list(frame["la_code"] + " " + frame["year"].astype("string")) == [
        "10 2021",
        "11 2022",
        "12 2022",
        f"{MARLSHIRE} 2021",
        f"{MARLSHIRE} 2022",
    ]
    assert frame.loc[frame["la_code"] != MARLSHIRE, "looked_after"].tolist() == [90, 50, 45]


# ---------------------------------------------------------------------------------------------------------------------
# England beside it, and the two vintages


def national(cells: list, england: list, people: list = ()) -> pd.DataFrame:
    frame = panel.national_trend(panel_of(cells), small.totals(england), NO_CELLS, small.population_totals(people))
    return frame.set_index(["year", "source"])


def test_a_suppressed_cell_never_enters_the_sum_and_is_counted() -> None:
    found = national(REVISED, [(2021, 2022, "looked_after", 260)], [(2021, "rebased", 100_000)])
    sums = found.loc[(2021, "sum_of_authorities")]
    assert list(sums[["looked_after", "authorities", "authorities_missing"]]) == [210, 1, 1]
    assert sums["rate_per_10k"] == pytest.approx(21.0)
    published_row = found.loc[(2021, "published_row")]
    assert published_row["rate_per_10k"] == pytest.approx(26.0) and pd.isna(published_row["authorities"])
    assert list(found.loc[(2022, "sum_of_authorities"), ["looked_after", "authorities_missing"]]) == [280, 0]
    assert found.loc[(2022, "sum_of_authorities"), "rate_reason"] == "no_denominator"


def test_a_year_without_any_number_has_no_sum() -> None:
    cells = [(code, 2022, 2022, "looked_after", "c") for code in (MARLSHIRE, KINGS_FERRY)]
    sums = national(cells, [], [(2022, "rebased", 100_000)]).loc[(2022, "sum_of_authorities")]
    assert pd.isna(sums["looked_after"]) and pd.isna(sums["rate_per_10k"])
    assert (sums["authorities_missing"], sums["rate_reason"]) == (2, "not_available")


def test_the_vintage_effect_holds_the_count_fixed() -> None:
    people = [
        (MARLSHIRE, 2018, "pre_census", 50_000),
        (MARLSHIRE, 2018, "rebased", 40_000),
        (KINGS_FERRY, 2018, "pre_census", 30_000),
        (KINGS_FERRY, 2018, "rebased", "x"),
    ]
    cells = [(MARLSHIRE, 2018, 2018, "looked_after", 200), (KINGS_FERRY, 2018, 2018, "looked_after", 90)]
    effect = panel.vintage_effect(panel_of(cells, people), small.population(people))
    assert len(effect) == 1  # an authority with one of the two has no effect to show
    only = effect.iloc[0]
    assert only["looked_after"] == 200
    assert list(only[["rate_pre_census", "rate_rebased"]]) == pytest.approx([40.0, 50.0])
    assert only["rate_difference_pct"] == pytest.approx(25.0)


def test_without_a_second_vintage_there_is_no_effect_to_show() -> None:
    people = [(MARLSHIRE, 2018, "rebased", 40_000)]
    cells = [(MARLSHIRE, 2018, 2018, "looked_after", 200)]
    assert panel.vintage_effect(panel_of(cells, people), small.population(people)).empty


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@pytest.fixture(scope="module")
def real_panel(real: Readings) -> pd.DataFrame:
    return panel.care_numbers(real.core_looked_after, real.core_population, real.local_authorities, real.areas)


@pytest.fixture(scope="module")
def real_national(real: Readings, real_panel: pd.DataFrame) -> pd.DataFrame:
    return panel.national_trend(
        real_panel,
        looked_after.totals(real.looked_after),
        looked_after.national_series(real.series),
        population.totals(real.population),
    )


def golden_england() -> list[dict[str, str]]:
    with (GOLDEN / "england_on_31_march.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@published
@pytest.mark.parametrize("source", ["sum_of_authorities", "published_row", "national_series"])
def test_england_on_31_march(real_national: pd.DataFrame, source: str) -> None:
    found = real_national.loc[real_national["source"] == source].set_index("year")["looked_after"]
    expected = {int(line["year"]): int(line[source]) for line in golden_england() if line[source]}
    assert {year: int(found[year]) for year in expected} == expected


@published
def test_published_england_rates_of_2021_to_2025_are_ours_rounded(real_national: pd.DataFrame) -> None:
    """methods.md F5; the 2025 release divides by the rebased population too."""
    rates = real_national.loc[real_national["source"] == "published_row"].set_index("year")["rate_per_10k"]
    assert {year: int(rates[year] + 0.5) for year in range(2021, 2026)} == dict(
        zip(range(2021, 2026), (69, 70, 70, 69, 67), strict=True)
    )


@published
def test_755_of_755_published_rates_are_half_up(real: Readings) -> None:
    """methods.md F5, with the arithmetic of the 2025 release alone."""
    cells = real.core_looked_after
    own = cells.loc[cells["release"] == 2025].pivot(index=["la_code", "year"], columns="measure", values="value")
    rows = own[["looked_after", "population_0_17", "looked_after_rate_per_10k"]].dropna().astype(int)
    half_up = [int(10_000 * n / p + 0.5) for n, p in zip(rows["looked_after"], rows["population_0_17"], strict=True)]
    assert len(rows) == 755
    assert half_up == list(rows["looked_after_rate_per_10k"])


@published
def test_the_population_of_a_year_is_the_release_s_own(real: Readings, real_panel: pd.DataFrame) -> None:
    """README of the looked-after files: population_estimate of year t is mid-(t-1), equal in all 761 authority-years."""
    cells = real.core_looked_after
    own = cells.loc[(cells["release"] == 2025) & (cells["measure"] == "population_0_17")].dropna(subset=["value"])
    both = own.merge(real_panel, on=["la_code", "year"])
    assert len(both) == 761
    assert (both["value"] == both["population_0_17"]).all()


@published
@pytest.mark.parametrize(
    ("years", "in_being", "numbers"),
    [
        # README of the looked-after files: 152 in 2010; Isles of Scilly left out of 2011 to 2017 and suppressed in 2020.
        ((2010,), 152, 152),
        (range(2011, 2018), 152, 151),
        ((2018, 2019), 152, 152),
        ((2020, 2021), 151, 150),
        ((2022, 2023), 152, 151),
        ((2024,), 153, 152),
        ((2025,), 153, 151),  # City of London suppressed too
    ],
)
def test_rows_a_year(real_panel: pd.DataFrame, years: range, in_being: int, numbers: int) -> None:
    for year in years:
        own = real_panel.loc[real_panel["year"] == year]
        assert (len(own), int(own["looked_after"].count())) == (in_being, numbers), year


@published
def test_the_counts_that_are_missing_are_those_of_the_two_too_small(real_panel: pd.DataFrame) -> None:
    missing = real_panel.loc[real_panel["looked_after"].isna()]
    assert set(missing["la_code"]) == {"201", "420"}
    reasons = {(row.la_code, int(row.year)): row.looked_after_reason for row in missing.itertuples()}
    assert reasons[("201", 2025)] == "suppressed" and reasons[("420", 2020)] == "suppressed"
    assert {reasons[("420", year)] for year in range(2011, 2018)} == {"not_available"}
    assert {reasons[("420", year)] for year in range(2021, 2026)} == {"not_applicable"}


@published
@pytest.mark.parametrize(
    ("la_code", "year", "count"),
    [
        # README of the looked-after files: the newest release, not the first.
        ("928", 2021, 1144),
        ("940", 2022, 525),
        ("941", 2022, 658),
        ("909", 2023, 740),
        ("942", 2024, 482),
        ("943", 2024, 247),
        ("850", 2024, 1893),  # Hampshire, 1,917 in the release of 2024
        ("873", 2024, 631),  # Cambridgeshire, 649 before
        ("882", 2022, 314),  # Southend-on-Sea, 327 before
    ],
)
def test_counts_of_the_newest_release(real_panel: pd.DataFrame, la_code: str, year: int, count: int) -> None:
    assert row(real_panel, la_code, year)["looked_after"] == count


@published
def test_releases_of_the_panel(real_panel: pd.DataFrame) -> None:
    releases = real_panel.groupby("year")["release"].unique().map(list).to_dict()
    assert releases == {year: [year] for year in range(2010, 2018)} | {
        2018: [2022], 2019: [2022], 2020: [2024], **{year: [2025] for year in range(2021, 2026)}
    }  # fmt: skip


@published
def test_ons_codes_of_the_panel_are_those_of_the_day(real_panel: pd.DataFrame) -> None:
    assert [row(real_panel, "825", year)["ons_code"] for year in (2020, 2021)] == ["E10000002", "E06000060"]
    assert real_panel["ons_code"].notna().all()


@published
def test_every_missing_figure_of_the_panel_has_its_reason(real_panel: pd.DataFrame) -> None:
    for measure in ("looked_after", "started", "ceased"):
        assert (real_panel[measure].isna() == real_panel[f"{measure}_reason"].notna()).all(), measure
    assert (real_panel["population_0_17"].isna() == real_panel["population_reason"].notna()).all()
    known = real_panel["looked_after"].notna() & real_panel["population_0_17"].notna()
    assert (real_panel["rate_per_10k"].notna() == known).all()


@published
def test_the_rebasing_moved_the_rates_of_mid_2017_as_the_readme_says(real: Readings, real_panel: pd.DataFrame) -> None:
    """README of the population files: 1.8% lower on average; City of London -48%, Westminster -25%, Camden -19%."""
    effect = panel.vintage_effect(real_panel, real.core_population)
    own = effect.loc[effect["year"] == 2018].set_index("la_code")
    population_pct = 100 * (own["population_rebased"] / own["population_pre_census"] - 1)
    assert {code: round(float(population_pct[code])) for code in ("201", "213", "202")} == {
        "201": -48,
        "213": -25,
        "202": -19,
    }
    assert float(population_pct.mean()) == pytest.approx(-1.8, abs=0.05)


def test_the_island_is_in_being_though_no_file_lists_it() -> None:
    names = {MARLSHIRE: "Marlshire", EASTMERE: "Eastmere", ISLAND: "Gull Island"}
    cells = [(code, 2016, 2016, "looked_after", 100) for code in (MARLSHIRE, EASTMERE)]
    cell = row(panel_of(cells, names=names), ISLAND, 2016)
    assert cell["looked_after_reason"] == "not_available" and pd.isna(cell["looked_after"])
