"""Regions: pooled by hand, parts beside their region, and what the published files and the study of 2018 say."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from pipeline import region_trends, settings, trends, windows
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.published_files import published

CLASSES = settings.load().classes
SUMS = ["looked_after_start", "looked_after_end", "population_start", "population_end"]


def local(parts: dict[str, str | None]) -> pd.DataFrame:
    frame = small.local_authorities({code: code for code in parts})
    return frame.assign(region_part=pd.array([parts[code] for code in frame["la_code"]], dtype="string"))


@cache
def _small_changes() -> pd.DataFrame:
    country = small.country()
    found = trends.changes(country.windows, country.areas.too_small, CLASSES)
    return found.loc[found["window_id"] == "main_h5"]


def changes(**regions: str) -> pd.DataFrame:
    """The three authorities of the small country, each in a region of its own choosing."""
    found = _small_changes()
    return found.assign(region=[regions.get(f"r{code}", "North Sarn") for code in found["unit_id"]])


def test_a_region_is_pooled_not_averaged() -> None:
    """Marlshire and Kings Ferry: 400 -> 392 of 200,000 -> 210,000 children, rates 20 and 18.667, 7% down."""
    found = region_trends.region_trends(changes(r703="South Sarn"), local(dict.fromkeys(small.COUNTS)), CLASSES)
    north = found.set_index("region").loc["North Sarn"]
    assert north[SUMS].tolist() == [400, 392, 200_000, 210_000]
    assert (north["rate_start"], north["rate_end"]) == pytest.approx((20, 56 / 3))
    assert (north["change_pct"], north["number_change_pct"]) == pytest.approx((-100 / 15, -2))
    assert north["change_per_10k"] == pytest.approx(-4 / 3)
    # England: 500 of 250,000 -> 550 of 250,000, 10% up.
    assert north["relative_change_pct"] == pytest.approx(100 * (14 / 15 / 1.1 - 1))
    assert (north["movement"], north["relative"], north["england_direction"]) == ("down", "fell_relative", "up")
    assert (north["units"], north["region_level"]) == (2, "region")


def test_parts_stand_beside_their_region() -> None:
    parts = local({"701": "Inner Sarn", "702": "Outer Sarn", "703": None})
    found = region_trends.region_trends(changes(r703="South Sarn"), parts, CLASSES).set_index("region")
    assert found["region_level"].to_dict() == {
        "Inner Sarn": "part", "Outer Sarn": "part", "North Sarn": "region", "South Sarn": "region",
    }  # fmt: skip
    assert found.loc[["Inner Sarn", "Outer Sarn"], "part_of"].tolist() == ["North Sarn"] * 2
    assert found.loc[["Inner Sarn", "Outer Sarn"], SUMS].sum().tolist() == found.loc["North Sarn", SUMS].tolist()


def test_a_unit_of_several_authorities_is_in_the_part_of_the_first() -> None:
    joined = changes().assign(unit_id=["701+709", "702", "703"])
    found = region_trends.region_trends(joined, local({"701": "Inner Sarn", "702": None, "703": None}), CLASSES)
    assert found.loc[found["region"] == "Inner Sarn", "units"].tolist() == [1]


def test_regions_add_up_to_the_whole() -> None:
    own = changes(r703="South Sarn", r702="East Sarn")
    found = region_trends.region_trends(own, local(dict.fromkeys(small.COUNTS)), CLASSES)
    assert found[SUMS].sum().tolist() == own[SUMS].sum().tolist()


def test_one_region_that_is_everything_moves_with_the_country() -> None:
    found = region_trends.region_trends(changes(), local(dict.fromkeys(small.COUNTS)), CLASSES)
    assert found["relative_change_log"].tolist() == pytest.approx([0], abs=1e-12)
    assert found["change_pct"].tolist() == pytest.approx([10])


@pytest.fixture(scope="module")
def real_regions(real: Readings) -> pd.DataFrame:
    data = windows.all_window_data(real.core_looked_after, real.core_population, real.areas, settings.load().windows)
    found = trends.changes(data, real.areas.too_small, settings.load().classes)
    return region_trends.region_trends(found, real.local_authorities, CLASSES)


@published
def test_nine_regions_and_two_parts_in_every_window(real_regions: pd.DataFrame) -> None:
    levels = real_regions.groupby("window_id")["region_level"].value_counts().unstack()
    assert (levels["region"] == 9).all() and (levels["part"] == 2).all()
    parts = real_regions.loc[real_regions["region_level"] == "part"]
    assert set(zip(parts["region"], parts["part_of"], strict=True)) == {
        ("Inner London", "London"), ("Outer London", "London"),
    }  # fmt: skip
    # The 32 boroughs: 13 in Inner London as statistics draw it (with Haringey and Newham, without Greenwich).
    assert set(parts.groupby("region")["units"].first()) == {13, 19}


@published
def test_the_study_of_2018(real_regions: pd.DataFrame) -> None:
    """Wijedasa, Warner and Scourfield: from 2012 to 2017 London fell most and the North East rose most (methods.md A1)."""
    own = real_regions.loc[(real_regions["window_id"] == "orig_h5") & (real_regions["region_level"] == "region")]
    by_change = own.sort_values("change_pct")["region"].tolist()
    assert (by_change[0], by_change[-1]) == ("London", "North East")
    assert own.set_index("region").at["London", "change_pct"] < 0
