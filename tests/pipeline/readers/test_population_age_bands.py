"""The age-band extract: title lines, one band a file, the whole United Kingdom.

Expected figures of the published files were read off them by eye.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import Refusal
from tests.fixtures import small_tables as small
from tests.fixtures.readings import Readings, pick, value
from tests.fixtures.small_tables import KINGS_FERRY, MARLSHIRE, Sample, age_band
from tests.published_files import published

BANDS = ("0-4", "5-9", "10-14", "15", "16")
_TITLE_OF_AGES = 5


def with_title(row: int, cells: list[str]) -> Sample:
    sample = age_band()
    table = [list(line) for line in sample.table]
    table[row - 1] = cells
    return replace(sample, table=table)


# ---------------------------------------------------------------------------------------------------------------------
# The layout, on a small table


@pytest.mark.parametrize("band", BANDS)
def test_the_title_lines_tell_the_band(band: str) -> None:
    edition, frame = small.read_sample(age_band(band))
    assert (edition.release, edition.part) == (2021, band)  # the release is the year of the boundaries
    assert set(frame["measure"]) == {f"population_{band}"}


def test_one_column_a_mid_year() -> None:
    _, frame = small.read_sample(age_band())
    counts = pick(frame, area_code=MARLSHIRE)
    assert dict(zip(counts["year"], counts["value"], strict=True)) == {2010: 1010, 2011: 1020, 2012: 1030}


def test_authorities_come_under_their_dfe_code_and_others_are_left_out() -> None:
    """The extract has ONS codes only, and Wales, Scotland and Northern Ireland too."""
    _, frame = small.read_sample(age_band())
    assert set(frame["area_code"]) == {"701", "702", "703"}
    assert set(pick(frame, area_code=KINGS_FERRY)["ons_code"]) == {"Q06000002"}
    assert "Farravel" not in set(frame["area_name"])


def test_rows_are_counted_with_the_title_lines() -> None:
    sample = age_band()
    _, frame = small.read_sample(sample)
    for cell in frame.itertuples():
        assert sample.cell(cell.source_row, cell.source_column) == str(cell.value)


@pytest.mark.parametrize("cells", [["Age        :"], ["Age        :", "All ages"], ["Ages        ", "All ages"], []])
def test_a_file_that_does_not_say_its_ages_is_refused(cells: list[str]) -> None:
    with pytest.raises(Refusal) as caught:
        small.read_sample(with_title(_TITLE_OF_AGES, cells))
    assert (caught.value.code, caught.value.row) == ("no_age_band", _TITLE_OF_AGES)


def test_the_same_extract_by_district_is_not_taken_for_it() -> None:
    heading = "local authority: district / unitary (as of April 2021)"
    district = with_title(7, [heading, "mnemonic", "2010", "2011", "2012"])
    assert small.layout_of(district) != "population_age_bands"


def test_a_file_without_mid_years_is_refused() -> None:
    sample = age_band().without_column("2010").without_column("2011").without_column("2012")
    with pytest.raises(Refusal) as caught:
        small.read_sample(sample)
    assert (caught.value.code, caught.value.row) == ("missing_column", 7)


def test_a_mid_year_between_two_others_that_was_lost_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        small.read_sample(age_band().without_column("2011"))
    assert (caught.value.code, caught.value.column) == ("missing_column", "2011")


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
def test_the_five_bands_are_there_on_boundaries_of_april_2021(real: Readings) -> None:
    files = [file for file in real.register.files if file.layout == "population_age_bands"]
    assert {(file.release, file.part) for file in files} == {(2021, band) for band in BANDS}


@published
def test_each_band_has_every_authority_of_april_2021(real: Readings) -> None:
    cells = pick(real.population, layout="population_age_bands")
    assert set(cells["year"]) == set(range(2009, 2022))
    assert cells.groupby("part")["area_code"].nunique().to_dict() == dict.fromkeys(BANDS, 152)
    assert {"940", "941", "909"} <= set(cells["area_code"]) and not {"928", "942"} & set(cells["area_code"])


@published
def test_sixteen_year_olds_of_darlington(real: Readings) -> None:
    cells = pick(real.population, layout="population_age_bands", part="16", area_code="841")
    assert value(cells, year=2009) == 1_292
    assert value(cells, year=2021) == 1_284


@published
def test_the_district_files_of_the_same_source_are_not_used(real: Readings) -> None:
    used = {file.file for file in real.register.files if file.layout == "population_age_bands"}
    assert not [name for name in used if "lad" in name]
