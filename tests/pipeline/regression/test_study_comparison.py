"""The study of 2018 beside the same years here: shares, regions, signs and national numbers."""

from __future__ import annotations

import csv
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline import region_trends, settings, trends, windows
from pipeline.regression import study_comparison
from tests.fixtures.readings import Readings
from tests.published_files import published

CHOSEN = settings.load()
GOLDEN = Path(__file__).parents[2] / "golden"
CLAIMS = [
    "share_up", "share_same", "share_down", "region_that_fell_most", "region_that_rose_most",
    "goes_with_deprivation_change", "goes_with_innovation_programme", "goes_with_ofsted_good",
    "goes_with_ofsted_good_at_end", "children_looked_after",
]  # fmt: skip

# Of 20,000 children: 101 are 50.5 per 10,000 and 102 are 51, which both print as 51; 100 print as 50.
ENDS = {"Marlshire": (100, 101), "Kings Ferry": (101, 102), "Eastmere": (120, 100), "Gull Island": (100, 130)}
MOVEMENT = {"Marlshire": "little_change", "Kings Ferry": "little_change", "Eastmere": "down", "Gull Island": "up"}


def changes(window_id: str = "orig_h5") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "window_id": window_id,
            "window_start": 2012,
            "window_end": 2017,
            "unit_name": list(ENDS),
            "looked_after_start": [start for start, _ in ENDS.values()],
            "looked_after_end": [end for _, end in ENDS.values()],
            "population_start": 20_000,
            "population_end": 20_000,
            "movement": list(MOVEMENT.values()),
            "population_vintage": "pre_census",
        }
    )


def regions(**change_pct: float) -> pd.DataFrame:
    changed = change_pct or {"London": -11.5, "North East": 17.5, "South West": 3.0}
    rows = [("orig_h5", name, "region", pct) for name, pct in changed.items()] + [("orig_h5", "Inner", "part", -99.0)]
    return pd.DataFrame(rows, columns=["window_id", "region", "region_level", "change_pct"])


def association(term: str, **but: Any) -> dict[str, Any]:
    """A row of `main.univariate_associations`: an indicator whose difference is -0.09, with limits below 0."""
    kind = "number" if term == "deprivation_change" else "indicator"
    row = {"window_id": "orig_h5", "outcome": "log_rate_ratio", "term": term, "kind": kind, "n": 148, "reason": None}
    row |= dict.fromkeys(["pearson_r", "pearson_lower_95", "pearson_upper_95"], np.nan)
    return (
        row | {"difference": -0.09, "difference_lower_95": -0.16, "difference_upper_95": -0.02, "p_value": 0.01} | but
    )


ASSOCIATIONS = [
    association("deprivation_change", pearson_r=0.3, pearson_lower_95=0.15, pearson_upper_95=0.44, difference=np.nan),
    association("innovation_programme"),
    association(
        "ofsted_good", difference=0.04, difference_lower_95=-0.05, difference_upper_95=0.13, p_value=0.4, n=103
    ),
    association("ofsted_good_at_end", difference_upper_95=0.003, p_value=0.06),
    # The level says something else, and is not what the study is set beside.
    association("innovation_programme", outcome="rate_level", difference=9.0),
]
SERIES = [(1997, "national_series", 50_880), (2012, "national_series", 67_070), (2012, "sum_of_authorities", 67_053)]


def national(rows: list[tuple[int, str, int | None]] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame(SERIES if rows is None else rows, columns=["year", "source", "looked_after"])
    return frame.assign(authorities=[151 if source == "sum_of_authorities" else None for source in frame["source"]])


def compare(
    of: pd.DataFrame | None = None,
    by_region: pd.DataFrame | None = None,
    associations: list[dict[str, Any]] | None = None,
    numbers: pd.DataFrame | None = None,
) -> pd.DataFrame:
    found = study_comparison.study_comparison(
        changes() if of is None else of,
        regions() if by_region is None else by_region,
        pd.DataFrame(ASSOCIATIONS if associations is None else associations),
        national() if numbers is None else numbers,
    )
    return found.set_index(["claim", "period"])


@pytest.mark.parametrize(
    ("count", "people", "rate"),
    [(101, 20_000, 51), (100, 20_000, 50), (1_009, 200_000, 50), (1_010, 200_000, 51), (0, 10, 0), (605, 110_000, 55)],
)
def test_whole_number_rates_round_halves_up(count: int, people: int, rate: int) -> None:
    assert study_comparison.whole_number_rates(np.array([count]), np.array([people])).tolist() == [rate]


def test_shares_by_hand() -> None:
    """Printed rates 50 51, 51 51, 60 50, 50 65: two up, one the same, one down; by movement one, two, one."""
    found = compare()
    for claim, by_rates, by_movement, said in (
        ("share_up", 50, 25, 60), ("share_same", 25, 50, 4), ("share_down", 25, 25, 36)
    ):  # fmt: skip
        row = found.loc[(claim, "orig_h5")]
        assert (row["ours_by_whole_number_rates"], row["ours_by_movement"]) == (by_rates, by_movement)
        assert (row["published_value"], row["n"], row["population_vintage"]) == (said, 4, "pre_census")
        assert pd.isna(row["agrees"]) and pd.isna(row["reason"])
    assert found.at[("share_up", "orig_h5"), "ours"] == "2 of 4 units by whole-number rates, 1 by movement"


def test_the_regions_that_moved_most_are_named_without_their_parts() -> None:
    found = compare()
    assert found.at[("region_that_fell_most", "orig_h5"), "ours"] == "London: -11.5% (London: -11.5%)"
    assert found.at[("region_that_rose_most", "orig_h5"), "ours_value"] == 17.5
    assert found.loc[["region_that_fell_most", "region_that_rose_most"], "agrees"].dropna().all()


def test_another_region_is_told_with_the_published_one_beside_it() -> None:
    found = compare(by_region=regions(**{"London": 2.0, "East": -4.0}))
    fell, rose = (found.loc[(f"region_that_{moved}_most", "orig_h5")] for moved in ("fell", "rose"))
    assert not fell["agrees"] and fell["ours"] == "East: -4.0% (London: +2.0%)"
    assert not rose["agrees"] and rose["ours"] == "London: +2.0% (North East: no such region)"


def test_signs_stand_beside_those_of_the_study() -> None:
    found = compare().xs("orig_h5", level="period")
    signs = found.loc[found["published_sign"].notna(), ["published_sign", "ours_sign", "agrees", "ours_value", "n"]]
    assert {str(claim): tuple(row) for claim, row in signs.iterrows()} == {
        "goes_with_deprivation_change": ("positive", "positive", True, 0.3, 148),
        "goes_with_innovation_programme": ("negative", "negative", True, -0.09, 148),
        "goes_with_ofsted_good": ("negative", "positive", False, 0.04, 103),
        "goes_with_ofsted_good_at_end": ("negative", "negative", True, -0.09, 148),
    }


def test_a_sign_whose_limits_hold_0_is_no_clear_association() -> None:
    told = compare().xs("orig_h5", level="period")["ours"]
    assert told["goes_with_innovation_programme"].endswith("; a clear association, the same sign as in the study")
    assert told["goes_with_ofsted_good"].endswith("; no clear association, another sign than in the study")
    assert "-0.090 (95% -0.160 to +0.003); no clear" in told["goes_with_ofsted_good_at_end"]


def test_numbers_stand_beside_the_series_and_the_sum() -> None:
    found = compare().loc["children_looked_after"]
    row = found.loc["2012"]
    assert row["ours"] == "national series 67,070; sum of the authorities 67,053"
    assert (row["published_value"], row["ours_value"], row["n"]) == (67_050, 67_070, 151)
    assert (found.at["1997", "ours_value"], found.at["1997", "n"]) == (50_880, 0)
    assert found.at["2017", "reason"] == "not_available" and pd.isna(found.at["2017", "ours_value"])
    assert pd.isna(row["window_id"]) and row["window_end"] == 2012


def test_without_the_series_the_sum_stands_alone() -> None:
    found = compare(numbers=national([(2017, "sum_of_authorities", 72_669), (2017, "national_series", None)]))
    row = found.loc[("children_looked_after", "2017")]
    assert (row["ours"], row["ours_value"]) == ("sum of the authorities 72,669", 72_669)


def test_a_window_that_is_not_computed_has_its_claims_and_reasons() -> None:
    found = compare(of=changes("main_h5"), by_region=regions().iloc[:0], associations=[association("sfpc")])
    of_windows = found.loc[found["window_id"].notna()]
    assert (of_windows["reason"] == "not_available").all()
    assert found.index.get_level_values("claim").unique().tolist() == CLAIMS
    assert len(found) == 2 * (len(CLAIMS) - 1) + 4
    assert of_windows[["ours_value", "ours_by_movement", "agrees"]].isna().all().all()


def test_a_variable_without_a_test_passes_its_reason_on() -> None:
    rows = [*ASSOCIATIONS[:2], association("ofsted_good", n=29, reason="too_few_units", difference=np.nan)]
    row = compare(associations=rows).loc[("goes_with_ofsted_good", "orig_h5")]
    assert (row["reason"], row["n"], row["ours"]) == ("too_few_units", 29, "")
    assert pd.isna(row["ours_sign"]) and pd.isna(row["agrees"])


# ---------------------------------------------------------------------------------------------------------------------
# Published files


@pytest.fixture(scope="module")
def real_changes(real: Readings) -> pd.DataFrame:
    data = windows.all_window_data(real.core_looked_after, real.core_population, real.areas, CHOSEN.windows)
    study = [one for one in data if one.window.window_id in study_comparison.WINDOWS]
    return trends.changes(study, real.areas.too_small, CHOSEN.classes)


@pytest.fixture(scope="module")
def real_comparison(real: Readings, real_changes: pd.DataFrame) -> pd.DataFrame:
    by_region = region_trends.region_trends(real_changes, real.local_authorities, CHOSEN.classes)
    return compare(real_changes, by_region, [association("sfpc")])


@published
def test_shares_of_published_files(real_changes: pd.DataFrame, real_comparison: pd.DataFrame) -> None:
    """Movement as `calculate.py` counts it; whole-number rates once more by decimal arithmetic."""
    with (GOLDEN / "windows.csv").open(encoding="utf-8", newline="") as file:
        golden = {line["window_id"]: line for line in csv.DictReader(file)}
    for window_id, units in real_changes.groupby("window_id"):
        n = len(units)
        assert n == int(golden[window_id]["units"])
        own = real_comparison.xs(window_id, level="period")
        for claim, column in (("share_up", "units_up"), ("share_down", "units_down")):
            assert own.at[claim, "ours_by_movement"] == pytest.approx(100 * int(golden[window_id][column]) / n)
        printed = [
            [
                (Decimal(10_000) * count / people).quantize(Decimal(1), ROUND_HALF_UP)
                for count, people in zip(
                    map(int, units[f"looked_after_{end}"]), map(int, units[f"population_{end}"]), strict=True
                )
            ]
            for end in ("start", "end")
        ]
        signs = [(later > earlier) - (later < earlier) for earlier, later in zip(*printed, strict=True)]
        for claim, sign in (("share_up", 1), ("share_same", 0), ("share_down", -1)):
            assert own.at[claim, "ours_by_whole_number_rates"] == pytest.approx(100 * signs.count(sign) / n)


@published
def test_london_and_the_north_east(real_comparison: pd.DataFrame) -> None:
    """methods.md A1: London fell most and the North East rose most, under either reading of the five years."""
    regions_named = real_comparison.loc[["region_that_fell_most", "region_that_rose_most"]]
    assert len(regions_named) == 4 and regions_named["agrees"].all()


def test_first_published_numbers_are_those_of_the_releases() -> None:
    with (GOLDEN / "england_on_31_march.csv").open(encoding="utf-8", newline="") as file:
        rows = {int(line["year"]): int(line["published_row"]) for line in csv.DictReader(file) if line["published_row"]}
    first = {year: n for year, (n, who) in study_comparison.NUMBERS.items() if who == study_comparison.FIRST_RELEASE}
    assert {year: rows[year] for year in first} == first
