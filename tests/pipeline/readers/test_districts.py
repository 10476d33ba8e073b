"""Districts: which authority they lie in and how many children they have, and area codes that tell levels apart."""

from __future__ import annotations

import pytest

from pipeline.errors import Refusal
from pipeline.readers.cells import Place
from pipeline.readers.ons_codes import Area, AreaCodes
from tests.fixtures import deprivation_files as files
from tests.fixtures import small_tables as small
from tests.fixtures.deprivation_files import KNOWLEDGE, SHIRE, Published
from tests.fixtures.readings import pick
from tests.fixtures.small_tables import EASTMERE, KINGS_FERRY, MARLSHIRE, Table, as_bytes
from tests.published_files import published

PLACE = Place("areas.csv", 7, "code")


def refusal_of(table: Table, file: str = "file.csv") -> Refusal:
    with pytest.raises(Refusal) as caught:
        small.read(as_bytes(table), file, KNOWLEDGE)
    return caught.value


# ---------------------------------------------------------------------------------------------------------------------
# Codes


@pytest.mark.parametrize(
    ("code", "area"),
    [
        ("Q06000001", Area("authority", MARLSHIRE)),
        (" Q10000001 ", Area("authority", SHIRE)),
        ("Q07000009", Area("district", "Q07000009")),
        ("Q92000001", Area("england", "Q92000001")),
        ("K02000001", None),
        ("X06000001", None),
    ],
)
def test_the_form_of_a_code_tells_the_level(code: str, area: Area | None) -> None:
    assert AreaCodes(KNOWLEDGE).area(code, PLACE) == area


@pytest.mark.parametrize("code", ["Q06000099", "Q10000009", "Q12000001", "Marlshire", "", "Q6000001", "q06000001"])
def test_a_code_of_the_nation_that_is_not_known_is_refused(code: str) -> None:
    with pytest.raises(Refusal) as caught:
        AreaCodes(KNOWLEDGE).area(code, PLACE)
    assert (caught.value.code, caught.value.value) == ("unknown_area", code)
    assert 'areas.csv, row 7, column "code"' in str(caught.value)


@pytest.mark.parametrize("code", ["Q07000001", "Q92000001", "X06000001"])
def test_where_authorities_are_expected_nothing_else_will_do(code: str) -> None:
    with pytest.raises(Refusal, match="upper-tier authorities"):
        AreaCodes(KNOWLEDGE).authority(code, PLACE)


# ---------------------------------------------------------------------------------------------------------------------
# The lookup


@pytest.mark.parametrize(("year", "release"), [("21", 2021), ("23", 2023)])
def test_the_lookup_gives_each_district_its_authority(year: str, release: int) -> None:
    edition, frame = small.read(as_bytes(files.district_lookup(year)), "lookup.csv", KNOWLEDGE)
    assert edition.release == release
    assert dict(zip(frame["district_code"], frame["la_code"], strict=True)) == {
        "Q06000001": MARLSHIRE, "Q06000002": KINGS_FERRY, "Q06000003": EASTMERE,
        files.UPPER: SHIRE, files.LOWER: SHIRE,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "other", "code"),
    [
        ("UTLA23CD", "UTLA22CD", "missing_column"),
        ("LTLA23CD", "code", "missing_column"),
        (files.UPPER, files.LOWER, "duplicated_row"),
        (files.UPPER, "Upper Shire", "unknown_area"),
        ("Q10000001", "Q10000009", "unknown_area"),
    ],
)
def test_a_bad_lookup_is_refused(text: str, other: str, code: str) -> None:
    table = [[other if cell == text else cell for cell in row] for row in files.district_lookup()]
    assert refusal_of(table).code == code


# ---------------------------------------------------------------------------------------------------------------------
# Population


@pytest.mark.parametrize("band", files.BANDS)
def test_each_band_of_the_districts_is_a_part(band: str) -> None:
    edition, frame = small.read(as_bytes(files.district_population(band)), "pop.csv", KNOWLEDGE)
    assert (edition.release, edition.part) == (2021, band)
    assert set(frame["measure"]) == {f"population_{band}"}
    children = dict(zip(frame["ons_code"], frame["value"], strict=True))
    assert children == {"Q06000001": 5000, files.UPPER: 100, files.LOWER: 300}


def test_the_extract_by_county_is_another_layout() -> None:
    """Both have the same title lines; a district's children are not a county's."""
    by_district = as_bytes(files.district_population("16"))
    by_county = as_bytes(small.age_band("16").table)
    assert small.layout_of_bytes(by_district, "pop-16.csv") == "district_population"
    assert small.layout_of_bytes(by_county, "popest-16.csv") == "population_age_bands"


@pytest.mark.parametrize(
    ("text", "other", "code"),
    [
        ("mnemonic", "code", "missing_column"),
        ("2021", "mid", "missing_column"),
        ("Age 15", "All ages", "no_age_band"),
        ("300", "3.5", "not_a_count"),
        ("300", "-", "unknown_marker"),
        (files.LOWER, files.UPPER, "duplicated_row"),
        (files.LOWER, "Q06000099", "unknown_area"),
    ],
)
def test_a_bad_extract_is_refused(text: str, other: str, code: str) -> None:
    table = [[other if cell == text else cell for cell in row] for row in files.district_population("15")]
    assert refusal_of(table).code == code


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
def test_the_published_districts(real_deprivation: Published) -> None:
    """296 districts and single-tier authorities of April 2023 in 153 authorities; five bands of mid-2021."""
    lookup = pick(real_deprivation.cells.district_lookup, release=2023)
    assert (len(lookup), lookup["la_code"].nunique()) == (296, 153)
    population = real_deprivation.cells.district_population
    assert set(population["measure"]) == {f"population_{band}" for band in files.BANDS}
    assert set(population["year"]) == {2021}
