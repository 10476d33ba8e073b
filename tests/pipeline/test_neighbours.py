"""Which lists of neighbours hold, and rates and changes beside neighbours, region and England.

Hand-made cases first; then the published lists (README of the geography files) and rates worked out a second way.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Mapping

import pandas as pd
import pytest

from pipeline import checks, geography, neighbours, panel, settings, sources, trends, windows
from pipeline.checks import BLOCK
from pipeline.errors import Refusal
from pipeline.readers.layout import STATISTICAL_NEIGHBOURS
from pipeline.readers.statistical_neighbours import FORM, GROUPINGS, MODEL, TOOL
from pipeline.tables import covariate_tables
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.published_files import published

NAMES = {"701": "Marlshire", "702": "Kings Ferry", "703": "Eastmere", "704": "Wendbury", "705": "Gull Island"}
AREAS = geography.build_areas(small.local_authorities(NAMES), small.area_changes([]))
OLD, NEW = "2031-04", "2035-05"


def tidy(
    lists: Mapping[str, str], edition: str = NEW, layout: str = MODEL, closeness: str = "Close", file: str = ""
) -> pd.DataFrame:
    """Lists such as {"701": "702 703"} as a reader returns them from one file."""
    records = [
        (
            code,
            NAMES[code],
            neighbour,
            position,
            closeness,
            edition,
            False,
            file or f"{layout}.csv",
            small.SHA256,
            2,
            "SN",
        )
        for code, own in lists.items()
        for position, neighbour in enumerate(own.split(), start=1)
    ]
    return FORM.frame(records).assign(layout=layout, part=edition)


def core(*files: pd.DataFrame) -> pd.DataFrame:
    return neighbours.statistical_neighbours(pd.concat(files, ignore_index=True), AREAS)


NO_LISTS = core(tidy({}))


# ---------------------------------------------------------------------------------------------------------------------
# Which lists hold


def test_two_files_of_one_edition_that_agree_count_once() -> None:
    lists = {"701": "702 703", "702": "701 704"}
    both = core(tidy(lists, layout=TOOL), tidy(lists, layout=MODEL))
    assert len(both) == 4
    pd.testing.assert_frame_equal(both, core(tidy(lists, layout=MODEL)))


def test_lists_that_only_the_tool_still_carries_are_not_of_the_edition() -> None:
    both = core(tidy({"701": "702 703"}), tidy({"701": "702 703", "704": "702 701"}, layout=TOOL))
    assert set(both["la_code"]) == {"701"}


@pytest.mark.parametrize("cut", [GROUPINGS, TOOL])
def test_groupings_and_tool_of_one_edition_have_the_same_lists(cut: str) -> None:
    """A list that one of them has lost, be it the last of an authority that had ended, is noticed by the other."""
    lists = {"701": "702 703", "702": "701 704", "704": "701 702"}
    own = {layout: lists if layout != cut else dict(list(lists.items())[:2]) for layout in (GROUPINGS, TOOL)}
    with pytest.raises(Refusal) as caught:
        core(*(tidy(some, layout=layout) for layout, some in own.items()))
    assert (caught.value.code, caught.value.file) == ("missing_row", f"{cut}.csv")
    assert "704" in caught.value.problem


def test_without_another_file_the_tool_speaks() -> None:
    assert set(core(tidy({"701": "702 703", "704": "702 701"}, layout=TOOL))["la_code"]) == {"701", "704"}


@pytest.mark.parametrize(("other", "value"), [("702 704", "704"), ("703 702", "703")])
def test_two_files_of_one_edition_that_differ_are_refused(other: str, value: str) -> None:
    with pytest.raises(Refusal) as caught:
        core(
            tidy({"701": "702 703"}, file="model.csv"),
            tidy({"701": other}, layout=TOOL, file="tool.xlsx, sheet Groups"),
        )
    assert (caught.value.code, caught.value.file) == ("two_editions", "tool.xlsx, sheet Groups")
    assert caught.value.value == value
    assert "model.csv" in caught.value.problem


def test_two_files_of_one_edition_that_differ_in_closeness_are_refused() -> None:
    with pytest.raises(Refusal, match="Not close"):
        core(tidy({"701": "702 703"}), tidy({"701": "702 703"}, layout=TOOL, closeness="Not close"))


def test_editions_stand_side_by_side() -> None:
    both = core(tidy({"701": "702 703"}, OLD, GROUPINGS), tidy({"701": "704 703"}, NEW))
    assert both.groupby("edition")["neighbour_code"].agg(list).to_dict() == {OLD: ["702", "703"], NEW: ["704", "703"]}
    assert list(both["neighbour_name"]) == ["Kings Ferry", "Eastmere", "Wendbury", "Eastmere"]


def test_without_any_file_the_table_is_empty() -> None:
    assert NO_LISTS.empty
    assert list(NO_LISTS.columns) == covariate_tables.STATISTICAL_NEIGHBOURS.column_names


def test_the_newest_list_of_each_authority_holds() -> None:
    lists = core(tidy({"701": "702 703", "704": "702 703"}, OLD, GROUPINGS), tidy({"701": "704 703"}, NEW))
    newest = neighbours.newest_lists(lists)
    assert newest.groupby("la_code")["edition"].unique().map(list).to_dict() == {"701": [NEW], "704": [OLD]}
    assert set(newest.loc[newest["la_code"] == "701", "neighbour_code"]) == {"704", "703"}


# ---------------------------------------------------------------------------------------------------------------------
# Rates

NORTH, SOUTH = "North Sarn", "South Sarn"
REGIONS = {"701": NORTH, "702": NORTH, "703": SOUTH, "704": NORTH, "705": SOUTH}
# (count, population) by year; a text is the reason why there is no count, None that the authority is not in being.
# Rates of 2021: 40, 60, 80, suppressed, 1,000; of 2022: 50, 60, -, 90, 1,000.
Cells = dict[tuple[str, int], tuple[int | str, int]]
CELLS: Cells = {
    ("701", 2021): (40, 10_000), ("702", 2021): (120, 20_000), ("703", 2021): (80, 10_000),
    ("704", 2021): ("suppressed", 10_000), ("705", 2021): (100, 1_000),
    ("701", 2022): (50, 10_000), ("702", 2022): (120, 20_000), ("704", 2022): (90, 10_000), ("705", 2022): (100, 1_000),
}  # fmt: skip
LISTS = {"701": "702 703 704 705", "702": "704 701", "703": "704 705", "705": "701 702"}
SMALL = frozenset({"705"})


def rates(cells: Cells) -> pd.DataFrame:
    """The columns of `main.care_numbers` that a comparison reads."""
    rows = []
    for (code, year), (count, people) in cells.items():
        number = None if isinstance(count, str) else count
        rows.append((code, NAMES[code], REGIONS[code], year, number, people, count if number is None else None, None))
    columns = {"la_code": "string", "la_name": "string", "region": "string", "year": "Int64", "looked_after": "Int64",
               "population_0_17": "Int64", "looked_after_reason": "string", "population_reason": "string"}  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(columns)).astype(columns)
    number, people = (frame[name].astype("Float64").astype("float64") for name in ("looked_after", "population_0_17"))
    return frame.assign(rate_per_10k=10_000 * number / people)


def compared(lists: pd.DataFrame | None = None, cells: Cells = CELLS) -> pd.DataFrame:
    own = core(tidy(LISTS)) if lists is None else lists
    return neighbours.neighbour_comparison(own, rates(cells), SMALL).set_index(["la_code", "year"])


def test_a_median_is_over_the_neighbours_with_a_rate_and_says_how_many() -> None:
    """701 in 2021: of 702, 703, 704, 705 one is suppressed and one too small, so (60 + 80) / 2."""
    row = compared().loc[("701", 2021)]
    assert row["neighbour_median_rate_per_10k"] == pytest.approx(70)
    assert (row["neighbours"], row["neighbours_used"]) == (4, 2)
    assert pd.isna(row["neighbour_reason"])


def test_a_neighbour_that_is_not_in_being_is_left_out_of_that_year() -> None:
    """703 has ended by 2022: 701 stands beside 702 and 704, (60 + 90) / 2."""
    row = compared().loc[("701", 2022)]
    assert row["neighbour_median_rate_per_10k"] == pytest.approx(75)
    assert (row["neighbours"], row["neighbours_used"]) == (4, 2)


def test_without_a_neighbour_that_has_a_rate_there_is_no_median() -> None:
    row = compared().loc[("703", 2021)]
    assert pd.isna(row["neighbour_median_rate_per_10k"])
    assert (row["neighbours"], row["neighbours_used"], row["neighbour_reason"]) == (2, 0, "not_available")


def test_an_authority_without_a_list_has_no_median() -> None:
    row = compared().loc[("704", 2022)]
    assert pd.isna(row["edition"])
    assert (row["neighbours"], row["neighbours_used"], row["neighbour_reason"]) == (0, 0, "not_available")


def test_an_authority_without_a_rate_still_has_neighbours_and_a_reason() -> None:
    lists = core(tidy({**LISTS, "704": "701 702"}))
    row = compared(lists).loc[("704", 2021)]
    assert pd.isna(row["rate_per_10k"])
    assert row["rate_reason"] == "suppressed"
    assert row["neighbour_median_rate_per_10k"] == pytest.approx(50)


def test_an_authority_that_is_too_small_stands_beside_nobody() -> None:
    row = compared().loc[("705", 2021)]
    assert row["rate_per_10k"] == pytest.approx(1000)
    assert pd.isna(row["neighbour_median_rate_per_10k"])
    assert row["neighbour_reason"] == "too_small"


def test_pooled_rates_are_of_authorities_with_both_numbers() -> None:
    """2021: North (40 + 120) / 30,000 without the suppressed one; South 80 / 10,000; together 240 / 40,000."""
    frame = compared().xs(2021, level="year")
    assert frame.loc[["701", "702", "704"], "region_rate_per_10k"].tolist() == pytest.approx([160 / 3] * 3)
    assert frame.loc[["703", "705"], "region_rate_per_10k"].tolist() == pytest.approx([80, 80])
    assert frame["england_rate_per_10k"].tolist() == pytest.approx([60] * 5)


def test_a_region_without_any_rate_says_so() -> None:
    """In 2022 the South has only an authority that is too small."""
    row = compared().loc[("705", 2022)]
    assert pd.isna(row["region_rate_per_10k"])
    assert row["region_reason"] == "not_available"


def test_years_without_any_rate_are_left_out() -> None:
    early: Cells = {("701", 2012): ("no_denominator", 10_000), **CELLS}
    assert set(compared(cells=early).index.get_level_values("year")) == {2021, 2022}


def test_without_lists_region_and_england_are_still_there() -> None:
    frame = compared(NO_LISTS)
    assert len(frame) == len(CELLS)
    assert frame["neighbour_median_rate_per_10k"].isna().all()
    assert set(frame["neighbour_reason"]) == {"not_available", "too_small"}
    assert frame["england_rate_per_10k"].notna().all()


def test_the_order_of_rows_in_does_not_matter_and_out_is_alphabetical() -> None:
    frame = neighbours.neighbour_comparison(core(tidy(LISTS)), rates(CELLS), SMALL)
    turned = neighbours.neighbour_comparison(core(tidy(LISTS)).iloc[::-1], rates(CELLS).iloc[::-1], SMALL)
    pd.testing.assert_frame_equal(frame, turned)
    assert list(frame["la_name"]) == sorted(frame["la_name"])


# ---------------------------------------------------------------------------------------------------------------------
# Changes


def changes() -> pd.DataFrame:
    """One window: a unit of two authorities that replaced a third, and two of one authority. Rates +10%, -20%, +30%."""
    rows = [
        ("701", "701", NORTH, 100, 110, 10_000, 10_000, 10.0),
        ("702", "702", NORTH, 200, 160, 20_000, 20_000, -20.0),
        ("703+704", "703+704+705", SOUTH, 300, 390, 30_000, 30_000, 30.0),
    ]
    columns = {"unit_id": "string", "members": "string", "region": "string", "looked_after_start": "Int64",
               "looked_after_end": "Int64", "population_start": "Int64", "population_end": "Int64",
               "change_pct": "float64"}  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(columns)).astype(columns)
    return frame.assign(
        window_id="main_h5", window_start=2030, window_end=2035, unit_name="Unit " + frame["unit_id"],
        england_change_pct=10.0,
    )  # fmt: skip


def changed(lists: Mapping[str, str]) -> pd.DataFrame:
    return neighbours.neighbour_change(core(tidy(lists)), changes()).set_index("unit_id")


def test_a_neighbour_stands_for_its_unit_which_counts_once() -> None:
    """701 has 702 (-20%) and, by 703, 704 and 705, one unit (+30%): the median is +5%."""
    row = changed({"701": "702 703 704 705"}).loc["701"]
    assert row["neighbour_median_change_pct"] == pytest.approx(5)
    assert (row["neighbours"], row["neighbours_used"]) == (4, 2)


def test_a_neighbour_that_ended_within_the_window_stands_for_its_unit_too() -> None:
    row = changed({"701": "702 705"}).loc["701"]
    assert row["neighbour_median_change_pct"] == pytest.approx(5)
    assert (row["neighbours"], row["neighbours_used"]) == (2, 2)


def test_a_unit_of_several_has_the_neighbours_of_all_without_its_own_members() -> None:
    """703 has 704 and 701, 704 has 701 and 702: outside are 701 (+10%) and 702 (-20%), median -5%."""
    row = changed({"703": "704 701", "704": "701 702"}).loc["703+704"]
    assert row["neighbour_median_change_pct"] == pytest.approx(-5)
    assert (row["neighbours"], row["neighbours_used"]) == (2, 2)


def test_an_old_member_gives_no_list_of_its_own() -> None:
    """705 ended within the window; its neighbours were those of the old area."""
    assert changed({"705": "701 702"}).loc["703+704", "neighbour_reason"] == "not_available"


def test_a_neighbour_that_is_in_no_unit_is_listed_and_not_used() -> None:
    frame = changes()
    without = frame.loc[frame["unit_id"] != "702"]
    row = neighbours.neighbour_change(core(tidy({"701": "702 703"})), without).set_index("unit_id").loc["701"]
    assert row["neighbour_median_change_pct"] == pytest.approx(30)
    assert (row["neighbours"], row["neighbours_used"]) == (2, 1)


def test_a_unit_without_lists_has_a_reason() -> None:
    row = changed({"701": "702 703"}).loc["702"]
    assert pd.isna(row["neighbour_median_change_pct"])
    assert (row["neighbours"], row["neighbours_used"], row["neighbour_reason"]) == (0, 0, "not_available")


def test_regions_are_pooled_and_not_averaged() -> None:
    """North: 270 of 300 children are left, over the same 30,000; South grew by 30%."""
    frame = changed({"701": "702 703"})
    assert frame["region_change_pct"].to_dict() == pytest.approx({"701": -10, "702": -10, "703+704": 30})
    assert set(frame["england_change_pct"]) == {10.0}


def test_lists_of_several_editions_are_named() -> None:
    lists = core(tidy({"703": "701 702"}, OLD, GROUPINGS), tidy({"704": "701 702"}, NEW))
    frame = neighbours.neighbour_change(lists, changes()).set_index("unit_id")
    assert frame.loc["703+704", "edition"] == f"{OLD}+{NEW}"


def test_without_lists_or_windows_the_table_is_whole_or_empty() -> None:
    frame = neighbours.neighbour_change(NO_LISTS, changes())
    assert len(frame) == 3
    assert set(frame["neighbour_reason"]) == {"not_available"}
    assert neighbours.neighbour_change(NO_LISTS, changes().iloc[:0]).empty
    assert neighbours.neighbour_change(core(tidy({"701": "702 703"})), changes().iloc[:0]).empty


# ---------------------------------------------------------------------------------------------------------------------
# The check


def test_every_authority_in_being_must_have_a_list() -> None:
    born = dt.date(2031, 5, 1)  # a month after the older edition
    areas = geography.build_areas(small.local_authorities(NAMES), small.area_changes([("704", "705", "merge", born)]))
    old = core(tidy({"701": "702 703", "702": "703 704", "703": "701 702", "704": "701 702"}, OLD, GROUPINGS))
    new = core(tidy({"701": "702 703", "702": "701 703", "703": "701 702"}, NEW))
    (of_old,) = checks.every_authority_has_neighbours(old, areas)
    assert (of_old["n"], of_old["n_failed"], of_old["severity"]) == (4, 0, BLOCK)
    (of_new,) = checks.every_authority_has_neighbours(new, areas)
    assert (of_new["n"], of_new["n_failed"]) == (4, 1)
    assert "Gull Island (705)" in str(of_new["detail"])


def test_without_lists_there_is_nothing_to_check() -> None:
    assert checks.every_authority_has_neighbours(NO_LISTS, AREAS) == []


# ---------------------------------------------------------------------------------------------------------------------
# Published files


@pytest.fixture(scope="module")
def lists(real: Readings) -> pd.DataFrame:
    tidy = sources.read_tidy(real.folder, real.sources, STATISTICAL_NEIGHBOURS, real.knowledge)
    return neighbours.statistical_neighbours(tidy, real.areas)


@pytest.fixture(scope="module")
def rates_of_england(real: Readings) -> pd.DataFrame:
    return panel.care_numbers(real.core_looked_after, real.core_population, real.local_authorities, real.areas)


@published
def test_the_published_editions_count_once(lists: pd.DataFrame) -> None:
    """README: 156 authorities in April 2021 and 153 in 2025."""
    assert lists.groupby("edition")["la_code"].nunique().to_dict() == {"2021-04": 156, "2025-05": 153}
    assert len(lists) == 10 * (156 + 153)


@published
def test_every_published_neighbour_has_a_list_itself(lists: pd.DataFrame) -> None:
    for _, own in lists.groupby("edition"):
        assert set(own["neighbour_code"]) <= set(own["la_code"])


@published
def test_no_authority_in_being_is_without_published_neighbours(lists: pd.DataFrame, real: Readings) -> None:
    rows = checks.every_authority_has_neighbours(lists, real.areas)
    assert [(row["scope"], row["n_failed"]) for row in rows] == [("neighbours 2021-04", 0), ("neighbours 2025-05", 0)]


@published
def test_a_published_comparison_worked_out_a_second_way(
    lists: pd.DataFrame, rates_of_england: pd.DataFrame, real: Readings
) -> None:
    """Leeds, 31 March 2025, from the counts and populations of the ten in row 71 of the file of 2025."""
    ten = "851 882 373 826 382 355 801 852 306 839".split()
    own = rates_of_england.loc[rates_of_england["year"] == 2025].set_index("la_code")
    by_hand = [10_000 * int(own.at[code, "looked_after"]) / int(own.at[code, "population_0_17"]) for code in ten]
    frame = neighbours.neighbour_comparison(lists, rates_of_england, real.areas.too_small)
    row = frame.loc[(frame["la_code"] == "383") & (frame["year"] == 2025)].iloc[0]
    assert row["neighbour_median_rate_per_10k"] == pytest.approx(statistics.median(by_hand))
    assert (row["neighbours"], row["neighbours_used"], row["edition"]) == (10, 10, "2025-05")


@published
def test_england_beside_the_authorities_is_england_of_the_panel(
    lists: pd.DataFrame, rates_of_england: pd.DataFrame, real: Readings
) -> None:
    """F5: 81,766 children in 2025; City of London and Scilly, suppressed or without a population, are not among them."""
    frame = neighbours.neighbour_comparison(lists, rates_of_england, real.areas.too_small)
    assert sorted(frame["year"].unique()) == list(range(2013, 2026))
    own = rates_of_england.loc[
        (rates_of_england["year"] == 2025) & ~rates_of_england["la_code"].isin(real.areas.too_small)
    ]
    of_2025 = frame.loc[frame["year"] == 2025, "england_rate_per_10k"]
    assert of_2025.nunique() == 1
    assert of_2025.iloc[0] == pytest.approx(10_000 * own["looked_after"].sum() / own["population_0_17"].sum())
    assert set(frame.loc[frame["neighbour_reason"].notna(), "la_name"]) == {"City of London", "Isles of Scilly"}
    assert frame.loc[frame["neighbours"] > 0, "neighbours_used"].ge(8).all()


@published
def test_published_changes_beside_neighbours(lists: pd.DataFrame, real: Readings) -> None:
    data = windows.all_window_data(real.core_looked_after, real.core_population, real.areas, settings.load().windows)
    five_year = trends.changes(data, real.areas.too_small, settings.load().classes)
    frame = neighbours.neighbour_change(lists, five_year)
    assert len(frame) == len(five_year)
    assert frame["neighbour_reason"].isna().all()
    main = frame.loc[frame["window_id"] == "main_h5"].set_index("unit_id")
    joined = main.loc["942+943"]  # Cumberland and Westmorland and Furness: 20 places, each lists the other
    own = lists.loc[lists["la_code"].isin(["942", "943"]) & (lists["edition"] == "2025-05"), "neighbour_code"]
    outside = set(own) - {"942", "943"}
    assert joined["neighbours"] == len(outside)
    change = five_year.loc[five_year["window_id"] == "main_h5"].set_index("unit_id")["change_pct"]
    unit_of = {code: unit for unit in change.index for code in unit.split("+")}
    expected = statistics.median(change[unit] for unit in {unit_of[code] for code in outside})
    assert joined["neighbour_median_change_pct"] == pytest.approx(expected)
