"""The 2010 release: three wide files without ONS codes. Expected figures are those of the published files' README."""

from __future__ import annotations

import pytest

from pipeline.errors import Refusal
from tests.fixtures import small_tables as small
from tests.fixtures.readings import Readings, pick, value
from tests.fixtures.small_tables import EASTMERE, MARLSHIRE, SAMPLES
from tests.published_files import published

PARTS = {"2010 March": "looked_after", "2010 started": "started", "2010 ceased": "ceased"}


# ---------------------------------------------------------------------------------------------------------------------
# The layout, on a small table


@pytest.mark.parametrize(("name", "part"), PARTS.items())
def test_each_file_is_a_part_of_the_release_of_2010(name: str, part: str) -> None:
    edition, frame = small.read_sample(SAMPLES[name])
    assert (edition.release, edition.part) == (2010, part)
    assert set(frame["year"]) == set(frame["release"]) == {2010}
    assert value(frame, area_code=MARLSHIRE, measure=part) == 612


def test_a_suppressed_count_keeps_its_marker_and_has_no_number() -> None:
    _, frame = small.read_sample(SAMPLES["2010 started"])
    (row,) = pick(frame, area_code=EASTMERE).itertuples()
    assert row.marker == "x"
    assert frame["value"].isna().sum() == 1


def test_there_is_no_ons_code() -> None:
    _, frame = small.read_sample(SAMPLES["2010 March"])
    assert frame["ons_code"].isna().all()


def test_placements_are_not_read_and_the_population_is() -> None:
    _, frame = small.read_sample(SAMPLES["2010 March"])
    assert set(frame["source_column"]) == {"MarTotal_2010", "Mid2009Pop0-17"}
    assert value(frame, area_code=MARLSHIRE, measure="population_0_17") == 92_300


def test_blanks_around_names_are_not_part_of_them() -> None:
    _, frame = small.read_sample(SAMPLES["2010 March"])
    assert set(pick(frame, area_level="region")["area_name"]) == {"North Sarn"}


def test_the_levels_of_later_releases_are_not_those_of_2010() -> None:
    with pytest.raises(Refusal, match="geog_l"):
        small.read_sample(SAMPLES["2010 March"].with_cell(2, "geog_l", "NATIONAL"))


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
def test_england_and_the_sum_of_authorities(real: Readings) -> None:
    cells = pick(real.looked_after, release=2010, measure="looked_after")
    assert value(cells, area_level="england") == 64_400
    assert pick(cells, area_level="authority")["value"].sum() == 64_378


@published
@pytest.mark.parametrize(("measure", "gap"), [("looked_after", -22), ("started", -56), ("ceased", -93)])
def test_england_is_rounded_to_a_hundred(real: Readings, measure: str, gap: int) -> None:
    cells = pick(real.looked_after, release=2010, measure=measure)
    england = value(cells, area_level="england")
    assert england % 100 == 0
    assert pick(cells, area_level="authority")["value"].sum() - england == gap


@published
@pytest.mark.parametrize("measure", ["looked_after", "started", "ceased"])
def test_the_areas_of_the_release(real: Readings, measure: str) -> None:
    cells = pick(real.looked_after, release=2010, measure=measure)
    assert cells["area_level"].value_counts().to_dict() == {"authority": 152, "region": 9, "england": 1}
    assert set(pick(cells, area_level="england")["area_code"]) == {"921"}
    assert cells["ons_code"].isna().all()


@published
def test_london_has_another_letter_than_later(real: Readings) -> None:
    """H is all of London in 2010 and Inner London from 2011 to 2017."""
    regions = pick(real.looked_after, area_level="region", measure="looked_after")
    assert set(pick(regions, release=2010, area_code="H")["area_name"]) == {"London"}
    assert set(pick(regions, release=2011, area_code="H")["area_name"]) == {"INNER LONDON"}
    assert set(pick(regions, release=2011, area_code="G")["area_name"]) == {"LONDON"}


@published
def test_names_stand_as_only_this_release_spells_them(real: Readings) -> None:
    cells = pick(real.looked_after, release=2010, area_level="authority", measure="looked_after")
    names = dict(zip(cells["area_code"], cells["area_name"], strict=True))
    spelt = {"Barking & Dagenham", "St Helens", "Newcastle Upon Tyne", "Stockton-On-Tees", "Bedford Borough"}
    assert spelt <= set(names.values())
    assert names["895"] == "Cheshire East"  # published with a blank behind it


@published
def test_the_isles_of_scilly_have_a_row(real: Readings) -> None:
    """A published 0 is a number: nobody was looked after there. Its population is rounded to 10, others to 100."""
    cells = pick(real.looked_after, release=2010, area_level="authority")
    assert value(cells, area_code="420", measure="looked_after") == 0
    assert value(cells, area_code="420", measure="population_0_17") == 410
    others = pick(cells, measure="population_0_17")
    assert (others.loc[others["area_code"] != "420", "value"] % 100 == 0).all()


@published
def test_kensington_and_chelsea_is_suppressed_although_it_is_not_small(real: Readings) -> None:
    """Secondary suppression: the visible reasons alone make 64 children ceasing, so x is not "1 to 5" here."""
    cells = pick(real.looked_after, release=2010, area_code="207")
    markers = dict(zip(cells["measure"], cells["marker"], strict=True))
    assert (markers["started"], markers["ceased"]) == ("x", "x")
    table = real.table_of("cla_2010_ceased", 2010)
    (line,) = [line for line in table.rows if line[table.column("geog_c")] == "207"]
    visible = [int(cell) for cell in line[table.column("CeasedTotal_2010") + 1 :] if cell.isdigit()]
    assert sum(visible) == 64
