"""Children aged 0-17 in the Department for Education's files, before and after the census.

Expected figures are those of the population README of the published files.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.errors import Refusal
from tests.fixtures import small_tables as small
from tests.fixtures.readings import Readings, pick, value
from tests.fixtures.small_tables import EASTMERE, MARLSHIRE, dfe_population
from tests.published_files import published

OLD_DORSET = {"835", "836", "837"}  # Dorset, Poole, Bournemouth, to March 2019
NEW_DORSET = {"838", "839"}
UP_TO_2020 = {**dict.fromkeys(range(2012, 2019), 152), 2019: 151, 2020: 151}


def of_vintage(real: Readings, vintage: str, level: str = "authority") -> pd.DataFrame:
    return pick(real.population, layout="population_dfe", part=vintage, area_level=level)


# ---------------------------------------------------------------------------------------------------------------------
# The layout, on a small table


def test_a_mid_year_serves_the_reporting_year_after_it() -> None:
    """Children looked after on 31 March 2025 are divided by the children of mid-2024."""
    _, frame = small.read_sample(dfe_population(2024))
    assert value(frame, area_code=MARLSHIRE, year=2025) == 92_000 + 2024
    assert value(frame, area_code=MARLSHIRE, year=2024) == 92_000 + 2023
    assert set(frame["year"]) == {2024, 2025}


@pytest.mark.parametrize(
    ("newest", "vintage"),
    [(2019, "pre_census"), (2020, "pre_census"), (2021, "rebased"), (2024, "rebased"), (2027, "rebased")],
)
def test_the_newest_mid_year_tells_the_vintage(newest: int, vintage: str) -> None:
    """Estimates up to mid-2020 were published before the census of 2021 was known."""
    edition, _ = small.read_sample(dfe_population(newest))
    assert (edition.release, edition.part) == (newest, vintage)


@pytest.mark.parametrize("newest", [2020, 2024])
def test_x_is_a_marker_in_both_vintages(newest: int) -> None:
    _, frame = small.read_sample(dfe_population(newest))
    cells = pick(frame, area_code=EASTMERE)
    assert cells["value"].isna().all()
    assert set(cells["marker"]) == {"x"}


def test_regions_and_england_are_read_beside_the_authorities() -> None:
    _, frame = small.read_sample(dfe_population())
    assert value(frame, area_level="england", area_code="Q92000001", year=2025) == 95_000
    assert value(frame, area_level="region", area_code="Q12000001", year=2025) == 95_000


@pytest.mark.parametrize(("row", "area"), [(4, "Q12000001"), (5, "Q92000001")])
def test_a_region_or_england_without_a_year_is_refused(row: int, area: str) -> None:
    with pytest.raises(Refusal) as caught:
        small.read_sample(dfe_population().without_row(row))
    assert caught.value.code == "missing_row"
    assert area in caught.value.problem and "mid-2024" in caught.value.problem


def test_a_file_without_england_is_refused() -> None:
    with pytest.raises(Refusal, match="England"):
        small.read_sample(dfe_population().without_row(9).without_row(5))


@pytest.mark.parametrize("year", ["2023", "2024"])
def test_a_file_without_the_first_or_last_mid_year_of_its_name_is_refused(year: str) -> None:
    sample = replace(small.dfe_population(), file="estimates_2023_to_2024.csv")
    assert len(small.read_sample(sample)[1]) == 8
    cut = sample.with_body([line for line in sample.body() if line[0] != year])
    with pytest.raises(Refusal) as caught:
        small.read_sample(cut)
    assert (caught.value.code, caught.value.column) == ("missing_year", "time_period")


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
@pytest.mark.parametrize(
    ("vintage", "authorities"),
    [
        ("pre_census", UP_TO_2020),
        ("rebased", {**UP_TO_2020, 2021: 152, 2022: 152, 2023: 153, 2024: 153}),
    ],
)
def test_authorities_of_each_mid_year(real: Readings, vintage: str, authorities: dict[int, int]) -> None:
    cells = of_vintage(real, vintage)
    found = cells.groupby("year")["area_code"].nunique()
    assert {year - 1: count for year, count in found.items()} == authorities


@published
@pytest.mark.parametrize("vintage", ["pre_census", "rebased"])
def test_eleven_regions_and_england(real: Readings, vintage: str) -> None:
    """Inner and Outer London stand beside London, so nine of the eleven add up to England, within their rounding."""
    regions = of_vintage(real, vintage, "region")
    england = of_vintage(real, vintage, "england").set_index("year")["value"]
    assert regions.groupby("year")["area_code"].nunique().eq(11).all()
    nine = regions.loc[regions["area_code"].str.startswith("E12")].groupby("year")["value"].sum()
    assert (nine - england).abs().max() <= 50


@published
def test_england_of_mid_2024(real: Readings) -> None:
    assert value(of_vintage(real, "rebased", "england"), year=2025) == 12_183_016


@published
def test_dorset_bournemouth_and_poole_have_no_rebased_estimate(real: Readings) -> None:
    """21 cells: three authorities, mid-2012 to mid-2018. Their successors start in mid-2019."""
    rebased = of_vintage(real, "rebased")
    missing = rebased.loc[rebased["marker"].notna()]
    assert set(missing["marker"]) == {"x"}
    assert set(zip(missing["area_code"], missing["year"] - 1, strict=True)) == {
        (code, mid_year) for code in OLD_DORSET for mid_year in range(2012, 2019)
    }
    successors = rebased.loc[rebased["area_code"].isin(NEW_DORSET)]
    assert successors.groupby("area_code")["year"].min().to_dict() == dict.fromkeys(NEW_DORSET, 2020)


@published
def test_the_older_file_has_all_three(real: Readings) -> None:
    older = of_vintage(real, "pre_census")
    assert older["marker"].isna().all()
    three = older.loc[older["area_code"].isin(OLD_DORSET)]
    assert three.groupby("area_code")["year"].agg(["min", "max"]).eq([2013, 2019]).all(axis=None)


@published
@pytest.mark.parametrize(
    ("la_code", "first", "last"),
    [
        ("909", 2012, 2022),
        ("942", 2023, 2024),
        ("943", 2023, 2024),
        ("928", 2012, 2020),
        ("940", 2021, 2024),
        ("941", 2021, 2024),
    ],
)
def test_there_is_no_back_cast_for_later_boundaries(real: Readings, la_code: str, first: int, last: int) -> None:
    """Cumbria to mid-2022, Northamptonshire to mid-2020; their successors from the year after."""
    mid_years = pick(of_vintage(real, "rebased"), area_code=la_code)["year"] - 1
    assert (mid_years.min(), mid_years.max()) == (first, last)


@published
def test_codes_of_buckinghamshire(real: Readings) -> None:
    """The rebased file has the code of each year, the older one the newest code for all of them."""
    rebased = pick(of_vintage(real, "rebased"), area_code="825")
    codes = dict(zip(rebased["year"] - 1, rebased["ons_code"], strict=True))
    assert codes == {mid_year: "E10000002" if mid_year <= 2019 else "E06000060" for mid_year in range(2012, 2025)}
    assert set(pick(of_vintage(real, "pre_census"), area_code="825")["ons_code"]) == {"E06000060"}


@published
def test_how_far_the_vintages_are_apart(real: Readings) -> None:
    """Mid-2017: 1.8% lower on average after rebasing, and far lower in inner London."""
    at = {
        vintage: pick(of_vintage(real, vintage), year=2018).set_index("area_code")["value"]
        for vintage in ("rebased", "pre_census")
    }
    change = 100 * (at["rebased"] / at["pre_census"] - 1).dropna()
    assert round(float(change.mean()), 1) == -1.8
    assert {code: round(float(change[code])) for code in ("201", "213", "202")} == {"201": -48, "213": -25, "202": -19}


@published
def test_the_two_smallest_authorities(real: Readings) -> None:
    """City of London has about a thousand children, the Isles of Scilly about 400; all others have thousands."""
    cells = pd.concat([of_vintage(real, "rebased"), of_vintage(real, "pre_census")])
    assert pick(cells, area_code="201")["value"].between(600, 2_000).all()
    assert pick(cells, area_code="420")["value"].between(300, 450).all()
    others = cells.loc[~cells["area_code"].isin(["201", "420"]), "value"].dropna()
    assert others.min() > 5_000


@published
def test_the_populations_of_the_release_of_2025_are_the_rebased_ones(real: Readings) -> None:
    """Reporting year t is served by mid-(t-1) in all 761 authority-years, which a shift by a year would break."""
    release = pick(real.looked_after, release=2025, area_level="authority", measure="population_0_17")
    published_there = release.dropna(subset="value").set_index(["area_code", "year"])["value"]
    rebased = of_vintage(real, "rebased").dropna(subset="value").set_index(["area_code", "year"])["value"]
    assert len(published_there) == 761
    assert published_there.to_dict() == rebased.loc[published_there.index].to_dict()


@published
@pytest.mark.parametrize("release", [2021, 2022])
def test_releases_up_to_2021_used_the_estimates_from_before_the_census(real: Readings, release: int) -> None:
    cells = pick(real.looked_after, release=release, area_level="england", measure="population_0_17", year=2021)
    assert value(cells) == value(of_vintage(real, "pre_census", "england"), year=2021) == 12_093_290
