"""Which authority a name means. Names of England are spelt as the README of the Ofsted files lists them."""

from __future__ import annotations

import datetime as dt

import pytest

from pipeline import area_names, geography, places, reference_tables
from pipeline.area_names import AreaNames, NamedArea
from pipeline.errors import Refusal
from pipeline.readers.cells import Place
from pipeline.reference_tables import ReferenceTable
from tests.fixtures import ofsted_files
from tests.fixtures.readings import Readings

PLACE = Place("judgements.xlsx, sheet History", 12, "Local authority name")
LAST_DAY = dt.date(2019, 3, 31)


@pytest.fixture(scope="module")
def tables() -> dict[str, ReferenceTable]:
    return reference_tables.load(places.reference_folder(), {})


@pytest.fixture(scope="module")
def england(tables: dict[str, ReferenceTable]) -> AreaNames:
    return reference_tables.knowledge(tables).names


@pytest.mark.parametrize(
    ("name", "la_code"),
    [
        ("Leeds", "383"),
        ("leeds city council", "383"),
        ("Bedford Borough", "822"),
        ("Bedford", "822"),
        ("Central Bedfordshire", "823"),
        ("Kingston Upon Hull", "810"),
        ("Kingston upon Hull", "810"),
        ("Kingston upon Hull, City of", "810"),
        ("Hull", "810"),
        ("Richmond Upon Thames", "318"),
        ("Kingston Upon Thames", "314"),
        ("Hammersmith & Fulham", "205"),
        ("Telford & Wrekin", "894"),
        ("Bournemouth, Christchurch & Poole", "839"),
        ("Bournemouth, Christchurch and Poole", "839"),
        ("Bournemouth", "837"),
        ("Bristol", "801"),
        ("Durham", "840"),
        ("Herefordshire", "884"),
        ("St Helens", "342"),
        ("Southend-on-Sea", "882"),
        ("City of London", "201"),
        ("Derby", "831"),
        ("Derbyshire", "830"),
        ("Nottingham", "892"),
        ("Nottinghamshire", "891"),
        ("Dorset (Pre LG)", "835"),
        ("Isles of Scilly2", "420"),
    ],
)
def test_names_of_england(england: AreaNames, name: str, la_code: str) -> None:
    assert england.la_code(name, PLACE) == la_code


def test_a_shared_name_is_settled_by_the_day(england: AreaNames) -> None:
    """Dorset County Council ended on 31 March 2019, Dorset Council began the day after."""
    assert england.la_code("Dorset", PLACE, LAST_DAY) == "835"
    assert england.la_code("Dorset", PLACE, LAST_DAY + dt.timedelta(days=1)) == "838"


@pytest.mark.parametrize("day", [None, dt.date(2025, 1, 1)])
def test_a_shared_name_that_no_day_settles_is_refused(day: dt.date | None) -> None:
    both = AreaNames((NamedArea("701", "Marlshire"), NamedArea("702", "Marlshire")))
    with pytest.raises(Refusal) as caught:
        both.la_code("Marlshire", PLACE, day)
    assert caught.value.code == "ambiguous_name"
    assert "Marlshire (701), Marlshire (702)" in caught.value.problem


def test_no_name_of_england_is_shared_but_dorset(england: AreaNames) -> None:
    """No rule for names may bring two places together: "Bedford Borough" is not Central Bedfordshire."""
    shared = {area.name: sorted(own.la_code for own in england.named(area.name)) for area in england.areas}
    assert {name: codes for name, codes in shared.items() if len(codes) > 1} == {"Dorset": ["835", "838"]}


def test_every_authority_has_its_own_name(england: AreaNames) -> None:
    for area in england.areas:
        assert area.la_code in {own.la_code for own in england.named(area.name)}
        if area_names.bare(area.name):
            assert area.la_code in {own.la_code for own in england.named(f"{area.name.upper()} COUNCIL")}, area.name


@pytest.mark.parametrize(
    ("name", "suggested"), [("Leads", "Leeds"), ("Kingston", "Kingston upon Thames"), ("Bornemouth", "Bournemouth")]
)
def test_an_unknown_name_is_refused_with_its_place_and_the_nearest(
    england: AreaNames, name: str, suggested: str
) -> None:
    with pytest.raises(Refusal) as caught:
        england.la_code(name, PLACE, LAST_DAY)
    refusal = caught.value
    assert (refusal.code, refusal.file, refusal.row, refusal.value) == ("unknown_authority", PLACE.file, 12, name)
    assert suggested in refusal.remedy and "la_name_spellings.csv" in refusal.remedy
    assert refusal.remedy.count(" or ") <= 2


@pytest.mark.parametrize("name", ["", "  ", "Council", "County Council", "of"])
def test_a_name_without_a_place_means_nobody(england: AreaNames, name: str) -> None:
    """City of London has no word left that is not the name of a kind; it must not answer to all of them."""
    assert england.named(name) == []


def test_a_compiled_spelling_goes_before_the_rule() -> None:
    names = AreaNames((NamedArea("701", "Marlshire"), NamedArea("702", "Kings Ferry")), {"Marlshire (new)": "702"})
    assert [area.la_code for area in names.named("MARLSHIRE (NEW)")] == ["702"]
    assert [area.la_code for area in names.named("Marlshire")] == ["701"]


def test_a_code_is_held_to_its_name() -> None:
    names = ofsted_files.NAMES
    names.refuse_other("The Ferry", ofsted_files.KINGS_FERRY, PLACE)
    names.refuse_other("Westfold", ofsted_files.OLD_WESTFOLD, PLACE)
    names.refuse_other("Westfold", ofsted_files.NEW_WESTFOLD, PLACE)
    with pytest.raises(Refusal) as caught:
        names.refuse_other("Marlshire", ofsted_files.KINGS_FERRY, PLACE)
    assert caught.value.code == "name_and_code_differ"
    assert "Kings Ferry, City of (702)" in caught.value.problem and caught.value.value == "Marlshire"


def test_an_authority_is_in_being_as_long_as_its_codes(
    tables: dict[str, ReferenceTable], england: AreaNames, demo: Readings
) -> None:
    """The two sources of the days agree: first and last day of the ONS codes, and the splits and merges."""
    fictional = demo.knowledge.names
    for names, local in ((england, None), (fictional, demo.local_authorities)):
        frame = geography.local_authorities(tables) if local is None else local
        ended = frame.dropna(subset=["in_being_to"]).groupby("la_code")["in_being_to"].max().to_dict()
        assert {area.la_code: area.last_day for area in names.areas if area.last_day != dt.date.max} == ended
        assert len(ended) >= 5


def test_spellings_of_england_say_nothing_about_another_country(demo: Readings) -> None:
    """What is not brought along is empty in another country, so no spelling there is one of England's."""
    assert set(demo.knowledge.names.spellings.values()) <= set(demo.local_authorities["la_code"])
    assert demo.knowledge.names.named("Hull") == []


def test_every_compiled_spelling_is_needed_and_sourced(tables: dict[str, ReferenceTable], england: AreaNames) -> None:
    official = [area.name for area in england.areas]
    for row in tables["la_name_spellings"].frame.itertuples():
        assert area_names.matching(row.spelling, official) == [], f"the rule knows {row.spelling} by itself"
        assert row.seen_in


def test_a_spelling_of_an_unknown_code_is_refused(tables: dict[str, ReferenceTable]) -> None:
    content = b"spelling,la_code,seen_in\nHull,810,here\nNowhere,999,here\n"
    spoilt = reference_tables.parse("la_name_spellings", content, "la_name_spellings.csv", is_from_data_folder=True)
    with pytest.raises(Refusal) as caught:
        reference_tables.knowledge({**tables, "la_name_spellings": spoilt})
    assert (caught.value.file, caught.value.row, caught.value.value) == ("la_name_spellings.csv", 3, "999")
