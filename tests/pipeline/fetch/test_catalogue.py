"""`pipeline.fetch.catalogue`: what is fetched, under which names, and what is left to a person."""

from __future__ import annotations

import re

import pytest

from pipeline.errors import Refusal
from pipeline.fetch import catalogue
from pipeline.readers import layouts
from tests.published_files import published

SOURCES = {source.name: source for source in catalogue.load().sources}


def test_every_layout_is_fetched_or_in_the_list_for_a_person() -> None:
    fetched = [layout for source in SOURCES.values() for layout in source.layouts]
    by_hand = {layout for hand in catalogue.load().by_hand for layout in hand.layouts}
    assert len(fetched) == len(set(fetched))  # else `source_of` has two answers
    assert set(fetched) | by_hand == set(layouts.BY_NAME)


def test_the_required_sources() -> None:
    """Downloads.md, 1.1, and the design: both ends of a window, and population."""
    required = {name for name, source in SOURCES.items() if source.required}
    assert required == {"dfe_cla_rates", "dfe_cla_national_series", "dfe_population"}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("dfe_cla_rates", ["cla_number_and_rate_per_10k_children.csv", "CLA_number_and_rate_per_10k_children.CSV"]),
        (
            "dfe_cla_national_series",
            [
                "children_looked_after_time_series_1994_2021.csv",
                "cla_time_series_1994_2022.csv",
                "cla_time_series_1994_to_2026.csv",
            ],
        ),
        (
            "dfe_population",
            ["ons_mid-year_population_estimates_2012_to_2024.csv", "ons_mid-year_population_estimates.csv"],
        ),
        (
            "dfe_cla_before_ees",
            [
                "SFR27_2010_March.csv", "SFR27_2010_Started.csv", "SFR27_2010_Ceased.csv", "SFR36_UnderlyingData.zip",
                "UD_SFR36_2014.zip", "SFR34_2015_UnderlyingData.zip", "SFR41_2016_UD.zip",
                "SFR50_2017_UnderlyingData.zip", "underlying_20data_20sfr212011.zip",
            ],
        ),
        ("ofsted_outcomes", ["LA_Inspection_Outcomes_as_at_31_March_2025.ods"]),
        ("ofsted_history", ["Childrens_social_care_in_England_2023_underlying_data.ods"]),
        (
            "mhclg_file_11",
            [
                "File_11_ID_2015_Upper-tier_Local_Authority_Summaries.xlsx",
                "File_11_-_IoD2019_Local_Authority_District_Summaries__upper-tier__.xlsx",
                "File_11_-_IoD2025_Local_Authority_District_Summaries__upper-tier__v2.xlsx",
            ],
        ),
        (
            "dwp_cilif",
            [
                "children-in-low-income-families-local-area-statistics-2014-to-2024.ods",
                "children-in-low-income-families-local-area-statistics-2022-to-2025.ods",
            ],
        ),
    ],
)  # fmt: skip
def test_the_names_that_downloads_md_gives_are_wanted(source: str, names: list[str]) -> None:
    assert [name for name in names if not SOURCES[source].wants(name)] == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("dfe_cla_rates", "la_cla_number_and_rate_per_10k_children.csv"),
        ("dfe_cla_rates", "cla_number_and_rate_per_10k_children.csv.zip"),
        ("dfe_cla_before_ees", "SFR50_2017_LA_tables.xlsx"),
        ("dfe_cla_before_ees", "SFR50_2017-Children_looked_after_in_England.pdf"),
        ("mhclg_file_11", "File_10_-_IoD2019_Local_Authority_District_Summaries__lower-tier__.xlsx"),
        ("dwp_cilif", "children-in-low-income-families-local-area-statistics-2014-to-2022.ods"),
    ],
)
def test_other_files_of_the_same_pages_are_not(source: str, name: str) -> None:
    assert not SOURCES[source].wants(name)


@published
def test_the_members_of_the_old_archives_are_wanted(real: object) -> None:
    """The names in the folders of the published files; adoptions and notes are left where they are."""
    from tests import published_files

    source = SOURCES["dfe_cla_before_ees"]
    for year in range(2010, 2018):
        names = [path.name for path in (published_files.folder() / "cla" / str(year)).iterdir()]
        assert len([name for name in names if source.wants_member(name)]) == source.parts, (year, names)


def test_titles_of_the_newest_release_are_known() -> None:
    """Downloads.md, 1.1: for a file whose name has changed."""
    titles = {
        "dfe_cla_rates": "CLA numbers and rates per 10,000 children aged under 18 years - by local authority",
        "dfe_cla_national_series": "Time series of children looked after data – 1994 to 2025",
    }
    for name, title in titles.items():
        assert re.fullmatch(SOURCES[name].titled, title, re.IGNORECASE), name


def test_a_source_that_is_not_there_is_refused_with_those_that_are() -> None:
    assert catalogue.load().chosen(("ofsted_history",)) == (SOURCES["ofsted_history"],)
    with pytest.raises(Refusal) as caught:
        catalogue.load().chosen(("ofsted",))
    assert caught.value.code == "unknown_source" and "ofsted_history" in caught.value.remedy


def test_the_source_of_an_imported_file() -> None:
    assert catalogue.source_of("cla_since_2018") == "dfe_cla_rates"
    assert catalogue.source_of("spending_ro3") == "spending_ro3"
