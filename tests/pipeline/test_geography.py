"""Which authorities were in being and which belong together: invented changes for the rules, the real table for facts."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from pipeline import geography, places, reference_tables
from pipeline.errors import Refusal
from pipeline.geography import Areas, Change, Unit, stock_day
from tests.fixtures import small_country as small

# Invented: 10 splits into 11 and 12; 20 and 21 merge into 22; 30 gives a part to 33, which takes 31 whole, and is 32
# from then on; 40 is always there; 50 becomes 51, which becomes 52.
SPLIT_DAY, MERGE_DAY, MOVE_DAY = dt.date(2015, 4, 1), dt.date(2016, 4, 1), dt.date(2018, 4, 1)
CODES = ("10", "11", "12", "20", "21", "22", "30", "31", "32", "33", "40", "50", "51", "52")
AREAS = Areas(
    names={code: f"Area {code}" for code in CODES},
    regions=dict.fromkeys(CODES, "North Sarn"),
    changes=(
        Change("10", "11", SPLIT_DAY),
        Change("10", "12", SPLIT_DAY),
        Change("20", "22", MERGE_DAY),
        Change("21", "22", MERGE_DAY),
        Change("30", "32", MOVE_DAY),
        Change("30", "33", MOVE_DAY),
        Change("31", "33", MOVE_DAY),
        Change("50", "51", dt.date(2014, 4, 1)),
        Change("51", "52", dt.date(2015, 10, 1)),
    ),
    too_small=frozenset({"40"}),
)


def by_id(units: list[Unit]) -> dict[str, Unit]:
    return {unit.unit_id: unit for unit in units}


@pytest.fixture(scope="module")
def tables() -> dict[str, reference_tables.ReferenceTable]:
    return reference_tables.load(places.reference_folder(), {})


@pytest.fixture(scope="module")
def local(tables: dict[str, reference_tables.ReferenceTable]) -> pd.DataFrame:
    return geography.local_authorities(tables)


@pytest.fixture(scope="module")
def england(tables: dict[str, reference_tables.ReferenceTable], local: pd.DataFrame) -> Areas:
    """The authorities of England, from the tables that the project ships."""
    return geography.build_areas(local, geography.area_changes(tables["la_code_changes"]))


# ---------------------------------------------------------------------------------------------------------------------
# In being on a day


def test_stocks_are_counted_on_31_march() -> None:
    assert stock_day(2025) == dt.date(2025, 3, 31)


@pytest.mark.parametrize(
    ("code", "day", "is_there"),
    [
        ("10", dt.date(2015, 3, 31), True),
        ("10", SPLIT_DAY, False),  # a change is effective from the morning of its day
        ("11", dt.date(2015, 3, 31), False),
        ("11", SPLIT_DAY, True),
        ("22", dt.date(2016, 3, 31), False),
        ("22", dt.date(2017, 3, 31), True),
        ("20", dt.date(2017, 3, 31), False),
        ("33", dt.date(2018, 3, 31), False),
        ("33", dt.date(2019, 3, 31), True),
        ("51", dt.date(2014, 3, 31), False),
        ("51", dt.date(2015, 3, 31), True),
        ("51", dt.date(2016, 3, 31), False),
        ("40", dt.date(1990, 3, 31), True),
    ],
)
def test_in_being_follows_from_splits_and_merges(code: str, day: dt.date, is_there: bool) -> None:
    assert AREAS.in_being(code, day) is is_there


def test_codes_in_being_are_in_order() -> None:
    assert AREAS.codes_in_being(stock_day(2017)) == ["11", "12", "22", "30", "31", "40", "52"]


# ---------------------------------------------------------------------------------------------------------------------
# Components


def test_components_link_everything_that_a_change_ties_together() -> None:
    together = AREAS.components(stock_day(2013), stock_day(2019))
    assert [sorted(group) for group in together] == [
        ["10", "11", "12"],
        ["20", "21", "22"],
        ["30", "31", "32", "33"],
        ["50", "51", "52"],
    ]


@pytest.mark.parametrize(
    ("after", "until", "linked"),
    [
        (dt.date(2015, 3, 31), dt.date(2015, 4, 1), True),  # the last day counts
        (dt.date(2015, 4, 1), dt.date(2016, 3, 31), False),  # the first day does not: the change lies before it
        (dt.date(2014, 3, 31), dt.date(2015, 3, 31), False),
    ],
)
def test_a_change_links_within_the_window_only(after: dt.date, until: dt.date, linked: bool) -> None:
    assert (frozenset({"10", "11", "12"}) in AREAS.components(after, until)) is linked


# ---------------------------------------------------------------------------------------------------------------------
# Units


def test_a_split_within_the_window_is_put_together_again() -> None:
    unit = by_id(geography.units(AREAS, 2014, 2017))["11+12"]
    assert unit.name == "Area 11 + Area 12"
    assert unit.members == ("10", "11", "12")
    assert (unit.start, unit.end, unit.population_start) == (("10",), ("11", "12"), ("10",))
    assert unit.reason == "boundary_change"


def test_the_old_county_is_never_split() -> None:
    """Before the split it stands alone, across it as one unit of its successors, after it not at all."""
    before, across, after = (
        by_id(geography.units(AREAS, *years)) for years in ((2013, 2015), (2015, 2016), (2016, 2019))
    )
    assert before["10"].members == ("10",) and not {"11", "12", "11+12"} & before.keys()
    assert "11+12" in across and not {"10", "11", "12"} & across.keys()
    assert {"11", "12"} <= after.keys() and not {"10", "11+12"} & after.keys()


def test_a_merge_within_the_window_adds_up_the_old_ones() -> None:
    unit = by_id(geography.units(AREAS, 2016, 2018))["22"]
    assert (unit.start, unit.end, unit.members) == (("20", "21"), ("22",), ("20", "21", "22"))
    assert unit.reason == "boundary_change"


def test_a_part_that_moved_makes_one_unit_of_all() -> None:
    unit = by_id(geography.units(AREAS, 2018, 2019))["32+33"]
    assert (unit.start, unit.end) == (("30", "31"), ("32", "33"))
    assert unit.members == ("30", "31", "32", "33")


def test_a_code_that_begins_and_ends_within_the_window_is_a_member() -> None:
    unit = by_id(geography.units(AREAS, 2013, 2016))["52"]
    assert (unit.start, unit.end, unit.members) == (("50",), ("52",), ("50", "51", "52"))


def test_an_authority_without_change_is_its_own_unit() -> None:
    unit = by_id(geography.units(AREAS, 2013, 2019))["40"]
    assert (unit.members, unit.start, unit.end, unit.reason) == (("40",), ("40",), ("40",), None)


def test_units_are_in_order_and_share_no_member() -> None:
    units = geography.units(AREAS, 2013, 2019)
    assert [unit.unit_id for unit in units] == ["11+12", "22", "32+33", "40", "52"]
    members = [code for unit in units for code in unit.members]
    assert sorted(members) == sorted(CODES)


def test_denominators_on_later_boundaries_tie_the_old_ones_together() -> None:
    """The window ends before the change, but its populations are on the boundaries after it."""
    units = by_id(geography.units(AREAS, 2016, 2018, denominators_as_of=dt.date(2019, 4, 1)))
    unit = units["30+31"]
    assert (unit.start, unit.end, unit.population_start) == (("30", "31"), ("30", "31"), ("32", "33"))
    assert unit.reason == "denominator_geography"
    # A change within the window is a boundary change, whatever the denominators are on.
    assert units["22"].reason == "boundary_change"
    assert units["40"].reason is None


def test_a_later_split_only_changes_where_the_population_is_from() -> None:
    unit = by_id(geography.units(AREAS, 2013, 2014, denominators_as_of=dt.date(2016, 4, 1)))["10"]
    assert (unit.members, unit.population_start, unit.reason) == (("10",), ("11", "12"), None)


# ---------------------------------------------------------------------------------------------------------------------
# Building areas and ONS codes


def test_recodes_and_boundary_changes_keep_the_unit() -> None:
    local = small.local_authorities({"60": "Kept", "61": "Begun", "62": "Ended"})
    changes = small.area_changes(
        [
            ("60", "60", "recode", dt.date(2015, 4, 1)),
            ("60", "60", "boundary", dt.date(2016, 4, 1)),
            ("60", "60", "split", dt.date(2016, 5, 1)),  # same DfE code before and after: the area goes on
            ("62", "61", "merge", dt.date(2017, 4, 1)),
        ]
    )
    areas = geography.build_areas(local, changes)
    assert areas.changes == (Change("62", "61", dt.date(2017, 4, 1)),)
    assert by_id(geography.units(areas, 2014, 2017))["60"].members == ("60",)


def test_areas_carry_names_regions_and_who_is_too_small() -> None:
    areas = geography.build_areas(small.local_authorities(small.NAMES, too_small=["704"]), small.area_changes([]))
    assert areas.names == small.NAMES
    assert set(areas.regions.values()) == {small.REGION}
    assert areas.too_small == {"704"}


def test_the_ons_code_is_the_one_of_the_day() -> None:
    local = pd.DataFrame(
        {
            "la_code": ["60", "60", "61"],
            "ons_code": ["Q1", "Q2", "Q3"],
            "ons_code_from": [dt.date(2009, 4, 1), dt.date(2020, 4, 1), dt.date(2021, 4, 1)],
            "ons_code_to": [dt.date(2020, 3, 31), None, None],
        }
    )
    assert geography.ons_code_on(local, ["60", "61"], dt.date(2020, 3, 31)) == {"60": "Q1"}
    assert geography.ons_code_on(local, ["60", "61"], dt.date(2021, 4, 1)) == {"60": "Q2", "61": "Q3"}


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("la_code_changes", "change_type", "divorce"),
        ("la_code_changes", "effective_date", "1/4/2019"),
        ("dfe_la_lookup", "region_code", "E12000099"),
        ("dfe_la_lookup", "code_valid_from", ""),
    ],
)
def test_a_bad_cell_of_a_reference_table_is_named(
    tables: dict[str, reference_tables.ReferenceTable], table: str, column: str, value: str
) -> None:
    frame = tables[table].frame.copy()
    frame.loc[1, column] = value
    with pytest.raises(Refusal) as caught:
        geography.local_authorities(tables | {table: replace(tables[table], frame=frame)})
    refusal = caught.value
    assert (refusal.code, refusal.row, refusal.column, refusal.value) == ("bad_reference_table", 3, column, value)


# ---------------------------------------------------------------------------------------------------------------------
# England: README of the geography files, methods.md B8 and B11


def test_of_25_changes_twelve_replace_a_dfe_code(england: Areas, tables: dict) -> None:
    assert len(geography.area_changes(tables["la_code_changes"])) == 25
    # Bedfordshire 2 and Cheshire 2 in 2009, Bournemouth, Poole and Dorset 4, Northamptonshire 2, Cumbria 2.
    assert len(england.changes) == 12
    assert {change.day.year for change in england.changes} == {2009, 2019, 2021, 2023}


@pytest.mark.parametrize(
    ("years", "in_being"),
    [
        # README of the looked-after files, "LAs in being"; it leaves the Isles of Scilly out of 2010 to 2017 and 2020
        # on where the files do, here they are always there.
        (range(2010, 2020), 152),
        (range(2020, 2022), 151),
        (range(2022, 2024), 152),
        (range(2024, 2026), 153),
    ],
)
def test_authorities_in_being(england: Areas, years: range, in_being: int) -> None:
    assert {year: len(england.codes_in_being(stock_day(year))) for year in years} == dict.fromkeys(years, in_being)


# Cumbria, Northamptonshire, and Dorset with Bournemouth and Poole, by the windows that span 2023, 2021 and 2019.
@pytest.mark.parametrize(
    ("start", "end", "joined"),
    [
        (2013, 2018, []),
        (2014, 2019, []),
        (2015, 2020, ["838+839"]),
        (2016, 2021, ["838+839"]),
        (2017, 2022, ["838+839", "940+941"]),
        (2018, 2023, ["838+839", "940+941"]),
        (2019, 2024, ["838+839", "940+941", "942+943"]),
        (2020, 2025, ["940+941", "942+943"]),
        (2021, 2025, ["940+941", "942+943"]),
        (2022, 2026, ["942+943"]),
        (2024, 2029, []),
    ],
)
def test_units_of_windows_that_span_a_reorganisation(england: Areas, start: int, end: int, joined: list[str]) -> None:
    units = geography.units(england, start, end)
    assert [unit.unit_id for unit in units if len(unit.members) > 1] == joined
    assert all(unit.reason == "boundary_change" for unit in units if len(unit.members) > 1)


def test_the_three_reorganisations_in_full(england: Areas) -> None:
    units = by_id(geography.units(england, 2019, 2024))
    facts = {name: (units[name].name, units[name].members, units[name].start, units[name].region)
             for name in ("838+839", "940+941", "942+943")}  # fmt: skip
    assert facts == {
        "838+839": (
            "Dorset + Bournemouth, Christchurch and Poole",
            ("835", "836", "837", "838", "839"),
            ("835", "836", "837"),
            "South West",
        ),
        "940+941": (
            "North Northamptonshire + West Northamptonshire",
            ("928", "940", "941"),
            ("928",),
            "East Midlands",
        ),
        "942+943": ("Cumberland + Westmorland and Furness", ("909", "942", "943"), ("909",), "North West"),
    }


def test_mid_2011_denominators_combine_dorset_and_add_up_northamptonshire(england: Areas) -> None:
    units = by_id(geography.units(england, 2012, 2017, denominators_as_of=dt.date(2021, 4, 1)))
    dorset = units["835+836+837"]
    assert dorset.name == "Dorset + Poole + Bournemouth"
    assert (dorset.population_start, dorset.reason) == (("838", "839"), "denominator_geography")
    assert (units["928"].population_start, units["928"].reason) == (("940", "941"), None)
    assert units["909"].population_start == ("909",)  # Cumbria was still one county in April 2021
    assert [unit.unit_id for unit in units.values() if len(unit.end) > 1] == ["835+836+837"]


@pytest.mark.parametrize(("start", "end", "count"), [(2020, 2025, 149), (2021, 2025, 149), (2019, 2024, 148)])
def test_number_of_units_without_the_too_small(england: Areas, start: int, end: int, count: int) -> None:
    """methods.md B11: 149 units in 2020 to 2025; 148 in 2019 to 2024 before one has no denominator."""
    assert england.too_small == {"201", "420"}
    assert sum(1 for unit in geography.units(england, start, end) if not england.too_small & set(unit.end)) == count


@pytest.mark.parametrize(
    ("la_code", "year", "ons_code"),
    [
        ("825", 2020, "E10000002"),  # Buckinghamshire became a unitary authority on 1 April 2020
        ("825", 2021, "E06000060"),
        ("929", 2013, "E06000048"),  # Northumberland, 1 April 2013
        ("929", 2014, "E06000057"),
        ("390", 2014, "E08000037"),  # Gateshead, the same day
        ("815", 2023, "E10000023"),  # North Yorkshire, 1 April 2023
        ("815", 2024, "E06000065"),
        ("933", 2024, "E06000066"),  # Somerset, the same day
        ("370", 2025, "E08000016"),  # Barnsley, 1 April 2025
        ("909", 2023, "E10000006"),
        ("942", 2024, "E06000063"),
        ("928", 2021, "E10000021"),
    ],
)
def test_ons_codes_of_the_day(local: pd.DataFrame, la_code: str, year: int, ons_code: str) -> None:
    assert geography.ons_code_on(local, [la_code], stock_day(year)) == {la_code: ons_code}


def test_every_authority_in_being_has_an_ons_code(england: Areas, local: pd.DataFrame) -> None:
    for year in range(2010, 2026):
        codes = england.codes_in_being(stock_day(year))
        assert geography.ons_code_on(local, codes, stock_day(year)).keys() == set(codes), year


def test_local_authorities_have_nine_regions_and_the_days_of_their_being(local: pd.DataFrame) -> None:
    assert len(local) == 165 and local["la_code"].nunique() == 158
    assert local["region_code"].nunique() == 9
    london = local.loc[local["region"] == "London"]
    assert set(london["region_code"]) == {"E12000007"}
    assert set(london["region_part"]) == {"Inner London", "Outer London"}
    assert local.loc[local["region"] != "London", "region_part"].isna().all()
    days = local.loc[local["is_newest_code"]].set_index("la_code")
    assert days.at["909", "in_being_to"] == dt.date(2023, 3, 31)
    assert days.at["942", "in_being_from"] == dt.date(2023, 4, 1)
    assert set(days.index[days["is_too_small"]]) == {"201", "420"}
    assert local.groupby("la_code")["is_newest_code"].sum().eq(1).all()
    assert (days.at["825", "ons_code"], days.at["815", "ons_code"]) == ("E06000060", "E06000065")


# ---------------------------------------------------------------------------------------------------------------------
# Places on a map


def _locations(*lines: str) -> reference_tables.ReferenceTable:
    content = "\n".join([",".join(reference_tables.HEADERS["la_locations"]), *lines, ""]).encode()
    return reference_tables.parse("la_locations", content, "la_locations.csv", is_from_data_folder=True)


def test_an_authority_has_the_place_that_is_noted() -> None:
    table = _locations("701,Q06000001,Marlshire,51.5,-0.25")
    assert geography.locations(table) == {"701": (51.5, -0.25)}


@pytest.mark.parametrize(
    ("latitude", "longitude", "column"),
    [("north", "0", "latitude"), ("", "0", "latitude"), ("91", "0", "latitude"), ("0", "-181", "longitude"),
     ("nan", "0", "latitude")],
)  # fmt: skip
def test_what_is_no_place_is_refused_with_its_cell(latitude: str, longitude: str, column: str) -> None:
    with pytest.raises(Refusal, match="degrees") as caught:
        geography.locations(_locations(f"701,Q06000001,Marlshire,{latitude},{longitude}"))
    assert (caught.value.row, caught.value.column) == (2, column)


def test_every_authority_of_the_lookup_has_a_place() -> None:
    """As it is drawn on the map; the demonstration country's too."""
    local = geography.local_authorities(reference_tables.load(places.reference_folder(), {}))
    assert local["latitude"].notna().all() and local["longitude"].notna().all()
    assert local["latitude"].between(49, 56).all() and local["longitude"].between(-7, 2).all()
