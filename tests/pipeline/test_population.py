"""Children aged 0-17: the two published vintages kept apart, and the estimate that is added up from age bands.

Expected figures are worked out by hand on small tables; for the published files they are those of the population README
and of the derived table beside it, which this project does not compute.
"""

from __future__ import annotations

import csv

import pandas as pd
import pytest

from pipeline import population
from pipeline.errors import Refusal
from pipeline.geography import Areas
from tests.fixtures import small_tables as small
from tests.fixtures.readings import Readings, pick
from tests.fixtures.small_tables import EASTMERE, KINGS_FERRY, MARLSHIRE, Sample, age_band, dfe_population
from tests.published_files import published

CITY, SCILLY = "201", "420"
BANDS = ("0-4", "5-9", "10-14", "15", "16")
DERIVED = "population/derived/nomis_child_population_utla21_2009_2021.csv"
KEYS = ["la_code", "mid_year"]


def areas(*codes: str) -> Areas:
    return Areas(
        names={code: small.NAMES[code] for code in codes},
        regions=dict.fromkeys(codes, "North Sarn"),
        changes=(),
        too_small=frozenset(),
    )


def cells(*samples: Sample) -> pd.DataFrame:
    frames = []
    for sample in samples:
        edition, frame = small.read_sample(sample)
        frames.append(frame.assign(layout=sample.name, part=edition.part))
    return pd.concat(frames, ignore_index=True)


def bands(**figures: tuple[int, ...]) -> list[Sample]:
    """All five bands of one authority; figures of mid-2010, 2011 and 2012 by band, `b0` for 0-4 and so on."""
    named = dict(zip(("b0", "b5", "b10", "b15", "b16"), BANDS, strict=True))
    return [age_band(named[key], {MARLSHIRE: counts}) for key, counts in figures.items()]


FIVE = {
    "b0": (100, 110, 120), "b5": (200, 210, 220), "b10": (300, 310, 320), "b15": (60, 61, 62), "b16": (70, 71, 72),
}  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# The estimate


def test_the_seventeen_year_olds_are_last_years_sixteen_year_olds() -> None:
    """Mid-2011: 110 + 210 + 310 + 61 + 71 aged 0-16, and the 70 who were 16 in mid-2010, make 832."""
    core = population.authorities(cells(*bands(**FIVE)), areas(MARLSHIRE))
    found = core.set_index("mid_year")
    assert found["population_0_17"].to_dict() == {2011: 832, 2012: 120 + 220 + 320 + 62 + 72 + 71}
    assert found["year"].to_dict() == {2011: 2012, 2012: 2013}  # the reporting years they serve
    assert set(core["vintage"]) == {"age_band_estimate"}
    assert core["is_estimated"].all()
    assert set(core["edition"]) == {2021}


def test_the_first_mid_year_has_no_estimate() -> None:
    """Nobody knows the 16-year-olds of the year before."""
    core = population.authorities(cells(*bands(**FIVE)), areas(MARLSHIRE))
    assert 2010 not in set(core["mid_year"])


@pytest.mark.parametrize("lost", FIVE)
def test_without_one_of_the_bands_there_is_no_estimate(lost: str) -> None:
    four = {key: counts for key, counts in FIVE.items() if key != lost}
    assert population.authorities(cells(*bands(**four)), areas(MARLSHIRE)).empty


@pytest.mark.parametrize("band", BANDS)
def test_a_missing_figure_makes_no_smaller_estimate(band: str) -> None:
    """A marker in one band of mid-2011: that year has no estimate; nor has mid-2012 when it is the 16-year-olds'."""
    samples = [
        sample.with_cell(9, "2011", "x") if sample.file == f"popest-{band}.csv" else sample for sample in bands(**FIVE)
    ]
    core = population.authorities(cells(*samples), areas(MARLSHIRE))
    assert set(core["mid_year"]) == (set() if band == "16" else {2012})


def test_an_estimate_names_all_its_files() -> None:
    tidy = cells(*bands(**FIVE))
    core = population.authorities(tidy, areas(MARLSHIRE))
    (hashes,) = set(core["source_sha256"])
    assert set(hashes.split(" ")) == set(tidy["source_sha256"])


@pytest.mark.parametrize("band", BANDS)
def test_a_band_that_has_lost_an_authority_is_refused(band: str) -> None:
    both = {MARLSHIRE: (1, 2, 3), KINGS_FERRY: (4, 5, 6)}
    one = {MARLSHIRE: (1, 2, 3)}
    samples = [age_band(name, one if name == band else both) for name in BANDS]
    with pytest.raises(Refusal) as caught:
        population.authorities(cells(*samples), areas(MARLSHIRE, KINGS_FERRY))
    assert (caught.value.code, caught.value.file) == ("missing_row", f"popest-{band}.csv")
    assert "Kings Ferry" in caught.value.problem


# ---------------------------------------------------------------------------------------------------------------------
# Published vintages


def test_vintages_stand_side_by_side() -> None:
    core = population.authorities(cells(dfe_population(2020), dfe_population(2024)), areas(MARLSHIRE, EASTMERE))
    found = pick(core, la_code=MARLSHIRE).set_index(["vintage", "mid_year"])["population_0_17"].to_dict()
    assert found == {
        ("pre_census", 2019): 94_019, ("pre_census", 2020): 94_020, ("rebased", 2023): 94_023, ("rebased", 2024): 94_024,
    }  # fmt: skip
    assert not core["is_estimated"].any()


def test_of_one_vintage_the_newest_file_speaks() -> None:
    """The older file's years are not filled in: a file is revised as a whole."""
    core = population.authorities(cells(dfe_population(2023), dfe_population(2025)), areas(MARLSHIRE, EASTMERE))
    assert set(core["edition"]) == {2025}
    assert set(core["mid_year"]) == {2024, 2025}


def test_a_marker_stays_a_marker() -> None:
    core = pick(population.authorities(cells(dfe_population()), areas(MARLSHIRE, EASTMERE)), la_code=EASTMERE)
    assert core["population_0_17"].isna().all()
    assert set(core["marker"]) == {"x"}


def test_a_file_that_has_lost_an_authority_is_refused() -> None:
    """Kings Ferry is in being and has no row: published or cut off, its rate would be gone without a word."""
    with pytest.raises(Refusal) as caught:
        population.authorities(cells(dfe_population()), areas(MARLSHIRE, EASTMERE, KINGS_FERRY))
    assert (caught.value.code, caught.value.file) == ("missing_row", "mid-year_population_2024.csv")
    assert "Kings Ferry" in caught.value.problem and "30 June 2023" in caught.value.problem


@pytest.mark.parametrize(
    ("england", "is_refused"), [("94024", False), ("94018", True), ("94019", False), ("95000", False)]
)
def test_authorities_that_add_up_to_more_than_england_are_refused(england: str, is_refused: bool) -> None:
    """Marlshire has 94,024 in mid-2024, and Eastmere a marker: together they are at least that, within rounding to 10."""
    sample = dfe_population().with_cell(5, "population_estimate", england)
    assert sample.cell(5, "geographic_level") == "National"
    if not is_refused:
        population.authorities(cells(sample), areas(MARLSHIRE, EASTMERE))
        return
    with pytest.raises(Refusal) as caught:
        population.authorities(cells(sample), areas(MARLSHIRE, EASTMERE))
    assert (caught.value.code, caught.value.file) == ("sum_differs", "mid-year_population_2024.csv")
    assert "6 children more than the row of England, which has 94,018" in caught.value.problem


@pytest.mark.parametrize(("figure", "is_refused"), [("976", False), ("970", True), ("971", False), ("900", True)])
def test_without_a_marker_the_authorities_are_england(figure: str, is_refused: bool) -> None:
    """94,024 and 976 make 95,000."""
    sample = dfe_population().with_cell(3, "population_estimate", figure)
    assert (sample.cell(3, "la_name"), sample.cell(5, "population_estimate")) == (small.NAMES[EASTMERE], "95000")
    if not is_refused:
        population.authorities(cells(sample), areas(MARLSHIRE, EASTMERE))
        return
    with pytest.raises(Refusal) as caught:
        population.authorities(cells(sample), areas(MARLSHIRE, EASTMERE))
    assert caught.value.code == "sum_differs" and "fewer than the row of England" in caught.value.problem


def test_a_band_that_has_lost_its_last_mid_year_is_refused() -> None:
    samples = bands(**FIVE)
    samples[2] = samples[2].without_column("2012")
    with pytest.raises(Refusal) as caught:
        population.authorities(cells(*samples), areas(MARLSHIRE))
    assert (caught.value.code, caught.value.file, caught.value.column) == ("missing_year", "popest-10-14.csv", "2012")


def test_totals_are_kept_apart() -> None:
    totals = population.totals(cells(dfe_population(2020), dfe_population(2024)))
    assert set(totals["area_level"]) == {"england", "region"}
    assert pick(totals, vintage="rebased", area_level="england", mid_year=2024)["population_0_17"].tolist() == [95_000]


def test_nothing_makes_nothing() -> None:
    assert population.authorities(cells(dfe_population()).iloc[:0], areas(MARLSHIRE)).empty


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@pytest.fixture(scope="session")
def derived(real: Readings) -> pd.DataFrame:
    """`pop_0_17_estimated` of the table that stands beside the published files, worked out elsewhere."""
    with (real.folder / DERIVED).open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["pop_0_17_estimated"]]
    frame = pd.DataFrame(
        [(row["old_la_code"], int(row["mid_year"]), int(row["pop_0_17_estimated"])) for row in rows],
        columns=[*KEYS, "derived"],
    )
    return frame.astype({"la_code": "string"}).set_index(KEYS)


@published
def test_the_estimates_equal_the_derived_table(real: Readings, derived: pd.DataFrame) -> None:
    """152 authorities, mid-2010 to mid-2021."""
    own = pick(real.core_population, vintage="age_band_estimate").set_index(KEYS)["population_0_17"]
    assert len(own) == 152 * 12
    assert own.to_dict() == derived["derived"].to_dict()


@published
def test_how_far_the_rule_is_off_where_both_exist(real: Readings) -> None:
    """0.05% too low on average and 0.6% off at worst over mid-2012 to mid-2020, without City of London and Scilly.

    The README's average is of the signed errors; their mean size is a little more.
    """
    core = real.core_population
    published_there = pick(core, vintage="pre_census").set_index(KEYS)["population_0_17"]
    estimated = pick(core, vintage="age_band_estimate").set_index(KEYS)["population_0_17"]
    both = pd.concat([published_there.rename("published"), estimated.rename("estimated")], axis=1).dropna()
    both = both.loc[~both.index.get_level_values("la_code").isin([CITY, SCILLY])].astype("float64")
    error_pct = 100 * (both["estimated"] / both["published"] - 1)
    assert set(both.index.get_level_values("mid_year")) == set(range(2012, 2021))
    # 150 authorities to 2018 and 149 after, less those that the boundaries of 2021 do not have: the old Dorset's three
    # to 2018, and Northamptonshire throughout.
    assert len(both) == (150 - 4) * 7 + (149 - 1) * 2
    assert round(error_pct.mean(), 2) == -0.05
    assert round(error_pct.abs().max(), 1) == 0.6


@published
def test_mid_2011_is_only_estimated(real: Readings) -> None:
    """The reporting year 2012 needs mid-2011, which the Department's files do not reach."""
    cells_of_2012 = pick(real.core_population, year=2012)
    assert set(cells_of_2012["vintage"]) == {"age_band_estimate"}
    assert len(cells_of_2012) == 152


@published
def test_estimates_are_on_the_boundaries_of_april_2021(real: Readings) -> None:
    """North and West Northamptonshire and the new Dorset back to 2010; Cumbria still whole."""
    estimates = pick(real.core_population, vintage="age_band_estimate", mid_year=2010 + 1)
    codes = set(estimates["la_code"])
    assert {"940", "941", "838", "839", "909"} <= codes
    assert not codes & {"928", "835", "836", "837", "942", "943"}


@published
def test_rows_of_each_vintage(real: Readings) -> None:
    """Authority-years: 152 x 7 + 151 x 2; the same, then 152 x 2 and 153 x 2; 152 x 12."""
    counts = real.core_population["vintage"].value_counts().to_dict()
    assert counts == {"pre_census": 1_366, "rebased": 1_366 + 610, "age_band_estimate": 1_824}
    assert real.core_population["population_0_17"].isna().sum() == 21
    assert len(population.totals(real.population)) == (9 + 13) * 12
