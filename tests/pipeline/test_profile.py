"""Finding the authority that a person means, and its story. Names of England from the project's own lookup."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from pipeline import geography, places, profile, publish, reference_tables
from pipeline.errors import Refusal
from pipeline.tables import core_tables, frames
from tests.fixtures import small_country as small
from tests.fixtures.small_country import COUNTS, EASTMERE, ISLAND, KINGS_FERRY, MARLSHIRE, POPULATIONS, Country


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that holds the authorities of England and nothing else."""
    database = tmp_path_factory.mktemp("names") / "names.duckdb"
    local = geography.local_authorities(reference_tables.load(places.reference_folder(), {}))
    connection = duckdb.connect(str(database))
    connection.register("authorities", frames.to_arrow(local, core_tables.LOCAL_AUTHORITIES))
    connection.execute("CREATE SCHEMA core")
    connection.execute("CREATE TABLE core.local_authorities AS FROM authorities")
    connection.close()
    return database


def published(folder: Path, country: Country) -> Path:
    parquet = small.write_frames(folder / "frames", country.results())
    facts = {"country": "Sarnland", "is_fictional": "true"}
    database = folder / "care_numbers.duckdb"
    return publish.publish(database, parquet, places.sql_folder(), facts, is_fictional=True).database


@pytest.fixture(scope="module")
def small_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three authorities and an island too small for a rate, one count suppressed."""
    country = small.country(
        COUNTS | {EASTMERE: (100, "c"), ISLAND: (5, 6)}, POPULATIONS | {ISLAND: (400, 390)}, too_small=[ISLAND]
    )
    return published(tmp_path_factory.mktemp("profile"), country)


# ---------------------------------------------------------------------------------------------------------------------
# Finding


@pytest.mark.parametrize(
    ("wanted", "la_code"),
    [
        ("Leeds", "383"),
        ("leeds city council", "383"),
        ("  LEEDS  ", "383"),
        ("383", "383"),
        ("E08000035", "383"),
        ("e08000035", "383"),
        ("London Borough of Camden", "202"),
        ("Royal Borough of Kensington and Chelsea", "207"),
        ("Kensington & Chelsea", "207"),
        ("City of London", "201"),
        ("St Helens", "342"),
        ("st. helens", "342"),
        ("Durham", "840"),
        ("County Durham", "840"),
        ("Bristol", "801"),
        ("Herefordshire", "884"),
        ("Kingston upon Hull", "810"),
        ("Newcastle upon Tyne", "391"),
        ("Brighton & Hove", "846"),
        ("Bournemouth", "837"),  # an authority that has ended is still there to be looked up
        ("Cumbria", "909"),
        ("E10000002", "825"),  # a former ONS code of Buckinghamshire
        ("E06000060", "825"),
        ("Isle of Wight", "921"),
    ],
)
def test_names_and_codes_match_kindly(names: Path, wanted: str, la_code: str) -> None:
    assert profile.find(names, wanted)["la_code"] == la_code


def test_the_living_authority_goes_before_an_ended_one_of_its_name(names: Path) -> None:
    """Dorset was 835 until 2019 and is 838 since."""
    assert profile.find(names, "Dorset")["la_code"] == "838"
    assert profile.find(names, "835")["la_name"] == "Dorset"


def test_ons_codes_come_oldest_first(names: Path) -> None:
    assert profile.find(names, "Buckinghamshire")["ons_codes"] == ["E10000002", "E06000060"]


@pytest.mark.parametrize(
    ("wanted", "suggested"),
    [
        ("Leads", "Leeds"),
        ("Shefield", "Sheffield"),
        ("Hull", "Kingston upon Hull, City of"),
        ("Kingston", "Kingston upon Thames"),
        ("Kingston", "Kingston upon Hull, City of"),
        ("Bath", "Bath and North East Somerset"),
        ("Telford", "Telford and Wrekin"),
        ("Newcastle", "Newcastle upon Tyne"),
        ("Cheshire", "Cheshire East"),
        ("Cheshire", "Cheshire West and Chester"),
        ("London", "City of London"),
        ("Hammersmith Council", "Hammersmith and Fulham"),
    ],
)
def test_an_unknown_name_gets_the_nearest_ones(names: Path, wanted: str, suggested: str) -> None:
    with pytest.raises(Refusal) as caught:
        profile.find(names, wanted)
    assert caught.value.code == "unknown_authority"
    assert caught.value.value == wanted
    assert "did you mean" in caught.value.remedy and suggested in caught.value.remedy


def test_the_suggestions_are_few_and_the_first_holds_the_word(names: Path) -> None:
    with pytest.raises(Refusal, match="did you mean Kingston upon Hull, City of"):
        profile.find(names, "Hull")
    with pytest.raises(Refusal) as caught:
        profile.find(names, "North East West South")
    assert caught.value.remedy.count(" or ") <= 2


@pytest.mark.parametrize("wanted", ["", "   ", "xyzzy", "999", "E99999999"])
def test_what_is_near_no_name_points_to_the_list(names: Path, wanted: str) -> None:
    with pytest.raises(Refusal) as caught:
        profile.find(names, wanted)
    assert caught.value.remedy == "see core.local_authorities" or "did you mean" in caught.value.remedy


def test_two_living_authorities_of_one_name_are_told_apart_by_code(tmp_path: Path) -> None:
    local = small.local_authorities({"701": "Marlshire", "702": "Marlshire"})
    database = tmp_path / "names.duckdb"
    connection = duckdb.connect(str(database))
    connection.register("authorities", frames.to_arrow(local, core_tables.LOCAL_AUTHORITIES))
    connection.execute("CREATE SCHEMA core")
    connection.execute("CREATE TABLE core.local_authorities AS FROM authorities")
    connection.close()
    with pytest.raises(Refusal) as caught:
        profile.find(database, "marlshire")
    assert caught.value.code == "ambiguous_name"
    assert "Marlshire (701), Marlshire (702)" in caught.value.problem
    assert profile.find(database, "702")["la_code"] == "702"


def test_without_a_database_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        profile.profile(tmp_path / "care_numbers.duckdb", "Leeds")
    assert caught.value.code == "nothing_published" and "care-numbers run" in caught.value.remedy


# ---------------------------------------------------------------------------------------------------------------------
# The story


def test_the_years_of_an_authority(small_database: Path) -> None:
    found = profile.profile(small_database, "kings ferry")
    assert (found.la_code, found.la_name, found.region) == (KINGS_FERRY, "Kings Ferry", small.REGION)
    assert [(row["year"], row["looked_after"], row["rate_per_10k"]) for row in found.years] == [
        (2013, 200, 20.0),
        (2018, 150, 15.0),
    ]
    assert found.exclusions == []


def test_the_window_of_an_authority_has_england_beside_it(small_database: Path) -> None:
    """Without Eastmere: 400 of 200,000 -> 392 of 210,000 children."""
    (window,) = profile.profile(small_database, MARLSHIRE).windows
    assert (window["window_id"], window["unit_name"], window["movement"]) == ("main_h5", "Marlshire", "up")
    assert window["change_pct"] == pytest.approx(10.0)
    assert window["england_change_pct"] == pytest.approx(100 * ((392 / 210_000) / (400 / 200_000) - 1))


def test_a_suppressed_year_has_no_number_and_a_reason(small_database: Path) -> None:
    found = profile.profile(small_database, EASTMERE)
    assert [(row["looked_after"], row["looked_after_reason"]) for row in found.years] == [
        (100, None),
        (None, "suppressed"),
    ]
    assert found.windows == []
    assert [(row["rule"], row["reason"]) for row in found.exclusions] == [("excluded", "suppressed")]


def test_an_authority_that_is_left_out_says_so(small_database: Path) -> None:
    found = profile.profile(small_database, "Gull Island")
    assert found.windows == [] and [row["reason"] for row in found.exclusions] == ["too_small"]


def test_a_member_of_a_combined_unit_finds_the_unit(tmp_path: Path) -> None:
    day = dt.date(2016, 4, 1)
    country = small.country(
        {"810": (90, None), "811": (None, 40), "812": (None, 60), "813": (50, 60)},
        {"810": (9000, None), "811": (None, 4500), "812": (None, 5500), "813": (5000, 5000)},
    ).but(changes=small.area_changes([("810", "811", "split", day), ("810", "812", "split", day)]))
    database = published(tmp_path, country)
    for code in ("810", "811", "812"):
        assert [row["unit_name"] for row in profile.profile(database, code).windows] == ["Area 811 + Area 812"], code


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], "▁▂▃▄▅▆▇█"),
        ([10, None, 20], "▁·█"),
        ([5, 5], "▁▁"),
        ([None, None], "··"),
        ([], ""),
        ([0, 70, 35], "▁█▅"),  # the middle of eight bars is rounded to the even one of the fourth and fifth steps
    ],
)
def test_a_sparkline_has_a_bar_a_value(values: list, line: str) -> None:
    assert profile.sparkline(values) == line
