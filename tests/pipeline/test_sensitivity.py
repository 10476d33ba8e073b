"""The grid of other settings: complete, by hand in a few cells, with reasons for the cells that cannot be computed."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from pipeline import interactive_tool, looked_after, panel, population, sensitivity, settings, volatility, windows
from pipeline.sensitivity import Flagged, Grid
from pipeline.tables import covariate_tables
from pipeline.tables.frames import conform, empty
from pipeline.volatility import Fit
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.fixtures.small_country import SHA256
from tests.published_files import published

CHOSEN = settings.load()
USUAL = Fit(a=0.002, b=1.2)
YEARS = range(2018, 2024)
KEY = ["magnitude_pct", "years", "outcome", "uasc", "england", "evidence_rule"]
N = 40


def country() -> small.Country:
    """Forty authorities of 200 children in every year, but for 301, which rises to 240, and 302, which falls to 100."""
    codes = [str(code) for code in range(301, 301 + N)]
    rising = dict(zip(YEARS, (200, 208, 216, 224, 232, 240), strict=True))
    falling = dict(zip(YEARS, (200, 180, 160, 140, 120, 100), strict=True))
    stock = {code: dict.fromkeys(YEARS, 200) for code in codes} | {"301": rising, "302": falling}
    sums = {year: sum(own[year] for own in stock.values()) for year in YEARS}
    return small.country().but(
        looked_after=small.looked_after(
            (code, year, 2023, "looked_after", stock[code][year]) for code in codes for year in YEARS
        ),
        population=small.population((code, year, "rebased", 30_000) for code in codes for year in YEARS),
        local_authorities=small.local_authorities({code: f"Area {code}" for code in codes}),
        totals=small.totals((year, 2023, "looked_after", round(number, -1)) for year, number in sums.items()),
        population_totals=small.population_totals((year, "rebased", 30_000 * N) for year in YEARS),
    )


def tool_totals(uasc: dict[int, int]) -> pd.DataFrame:
    rows = [
        {
            "area_level": "england", "area_code": "970", "area_name": "Sarnland", "year": year, "edition": 2024,
            "measure": "uasc", "value": number, "unit": "children", "marker": None, "reason": None,
            "source_sha256": SHA256, "source_row": 2,
        }
        for year, number in uasc.items()
    ]  # fmt: skip
    table = covariate_tables.INTERACTIVE_TOOL_TOTALS
    return conform(pd.DataFrame(rows), table) if rows else empty(table)


def tool(uasc: int | None) -> pd.DataFrame:
    """`core.interactive_tool`: the same number of UASC in every authority and year; None without any."""
    table = covariate_tables.INTERACTIVE_TOOL
    if uasc is None:
        return empty(table)
    rows = [
        {
            "la_code": str(code), "la_name": str(code), "year": year, "edition": 2024, "measure": "uasc", "value": uasc,
            "unit": "children", "marker": None, "reason": None, "source_sha256": SHA256, "source_row": 2,
        }
        for code in range(301, 301 + N) for year in YEARS
    ]  # fmt: skip
    return conform(pd.DataFrame(rows), table)


def grid(found: small.Country, uasc: int | None = 10) -> Grid:
    cells = tool(uasc)
    care_numbers = panel.care_numbers(found.looked_after, found.population, found.local_authorities, found.areas, cells)
    return sensitivity.inputs(
        found.main_window,
        found.looked_after,
        found.totals,
        found.population,
        found.population_totals,
        tool_totals({} if uasc is None else dict.fromkeys(YEARS, uasc * N)),
        care_numbers,
        found.areas,
    )


def table(found: small.Country, usual: Fit = USUAL, uasc: int | None = 10) -> pd.DataFrame:
    return sensitivity.flag_sensitivity(grid(found, uasc), usual, CHOSEN).set_index(KEY)


@pytest.fixture(scope="module")
def plain() -> pd.DataFrame:
    return table(country())


# ---------------------------------------------------------------------------------------------------------------------
# The whole grid


def test_all_combinations_are_there(plain: pd.DataFrame) -> None:
    """methods.md C8: 4 x 3 x 2 x 2 x 3 x 4."""
    expected = product(
        (5, 10, 15, 20), (3, 4, 5), ("rate", "number"), ("in", "out"), ("pooled", "published", "median"),
        ("none", "rw", "funnel_od", "fingertips"),
    )  # fmt: skip
    assert set(plain.index) == set(expected)
    assert len(plain) == 576


def test_whatever_is_missing_says_why(plain: pd.DataFrame) -> None:
    missing = plain[["n_units", "n_fell", "n_rose", "n_flagged", "jaccard_with_reference"]].isna().any(axis=1)
    assert (missing == plain["reason"].notna()).all()


def test_flagged_are_those_that_fell_and_those_that_rose(plain: pd.DataFrame) -> None:
    assert (plain["n_flagged"] == plain["n_fell"] + plain["n_rose"]).all()
    assert (plain["n_flagged"] <= plain["n_units"]).all()


def test_a_larger_magnitude_flags_no_more(plain: pd.DataFrame) -> None:
    wide = plain["n_flagged"].unstack("magnitude_pct")
    assert (wide.diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)


def test_a_rule_flags_no_more_than_none(plain: pd.DataFrame) -> None:
    wide = plain["n_flagged"].unstack("evidence_rule")
    assert (wide.le(wide["none"], axis=0)).all(axis=None)


def test_one_row_is_the_reference_and_is_like_itself(plain: pd.DataFrame) -> None:
    reference = plain.loc[plain["is_reference"]]
    assert reference.index.tolist() == [(10, 5, "rate", "in", "pooled", "rw")]
    assert reference["jaccard_with_reference"].tolist() == [1.0]


# ---------------------------------------------------------------------------------------------------------------------
# Cells by hand


def test_two_units_by_hand(plain: pd.DataFrame) -> None:
    """+20% and -50% against an England of 8,000 -> 7,940 children: +20.9% and -49.6%, the others +0.8%."""
    none = plain.xs("none", level="evidence_rule")
    for magnitude, flagged in ((5, 2), (10, 2), (15, 2), (20, 2)):
        row = none.loc[(magnitude, 5, "rate", "in", "pooled")]
        assert (row["n_units"], row["n_fell"], row["n_rose"], row["n_flagged"]) == (40, 1, 1, flagged)
    # The median change is 0: +20% is 20%.
    assert none.loc[(20, 5, "rate", "in", "median"), "n_rose"] == 1
    # Since 2020, 216 -> 240: +11.1%, and England 7,976 -> 7,940.
    assert none.loc[(10, 3, "rate", "in", "pooled"), "n_rose"] == 1
    assert none.loc[(15, 3, "rate", "in", "pooled"), "n_rose"] == 0


def test_usual_movement_by_hand(plain: pd.DataFrame) -> None:
    """301: ln(1.2 x 8000/7940) over sqrt(5 (0.002 + 1.2/220)) is 0.98 standard deviations; 302: -3.0 of them."""
    england = math.log(7940 / 8000)
    z = [(math.log(ratio) - england) / math.sqrt(5 * (0.002 + 1.2 / mean)) for ratio, mean in ((1.2, 220), (0.5, 150))]
    assert (abs(z[0]) < 1.96) and (abs(z[1]) > 1.96)
    row = plain.loc[(10, 5, "rate", "in", "pooled", "rw")]
    assert (row["n_fell"], row["n_rose"]) == (1, 0)
    # Of the two that "none" flags, one is in the reference.
    assert plain.loc[(10, 5, "rate", "in", "pooled", "none"), "jaccard_with_reference"] == 0.5


def test_the_marker_is_that_of_the_last_five_years_whatever_the_length(plain: pd.DataFrame) -> None:
    """180 -> 100 from 2019 on is Decreasing; 208 -> 240 is within the limits of such counts."""
    for years in (3, 4, 5):
        row = plain.loc[(5, years, "number", "in", "pooled", "fingertips")]
        assert (row["n_fell"], row["n_rose"]) == (1, 0)


def test_without_uasc_the_points_are_taken_off_everywhere(plain: pd.DataFrame) -> None:
    """190 -> 230 is +21.05% and England -0.79%: with 20.0% against the median it is flagged either way; at 22.0% by hand."""
    found = sensitivity._base(grid(country()), 5, "number", "out")
    assert found.counts[0].tolist() == [190, 230]
    assert found.counts[1].tolist() == [190, 90]
    # England's own rows: 8,000 - 400 and 7,940 - 400.
    assert sensitivity._published(grid(country()), 2018, "number", "out") == 7600
    assert sensitivity._published(grid(country()), 2023, "rate", "out") == pytest.approx(7540 / 1_200_000)


def test_england_as_published_is_the_row_of_the_release_used() -> None:
    """An older release has another number for 2018, which is not the one."""
    own = country()
    other = small.totals([(2018, 2022, "looked_after", 9000)])
    found = grid(own.but(totals=pd.concat([own.totals, other], ignore_index=True)))
    assert found.england["number", 2018] == 8000


@pytest.mark.parametrize(
    ("cell", "reference", "expected"),
    [
        ({1, 2}, {2, 3}, (1 / 3, None)),
        ({1}, {1}, (1.0, None)),
        (set(), {1}, (0.0, None)),
        (set(), set(), (None, "both_empty")),
    ],
)
def test_jaccard_by_hand(cell: set[int], reference: set[int], expected: tuple[float | None, str | None]) -> None:
    share, reason = sensitivity.jaccard(Flagged(fell=frozenset(cell)), Flagged(rose=frozenset(reference)))
    assert (None if math.isnan(share) else share, reason) == expected


# ---------------------------------------------------------------------------------------------------------------------
# Cells that cannot be computed


def cells(found: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    for level, value in wanted.items():
        found = found.loc[found.index.get_level_values(level) == value]
    return found


def test_without_uasc_figures_half_of_the_grid_has_none() -> None:
    found = table(country(), uasc=None)
    assert set(cells(found, uasc="out")["reason"]) == {"uasc_not_available"}
    assert cells(found, uasc="out")[["n_units", "n_flagged"]].isna().all(axis=None)
    assert cells(found, uasc="in")["n_flagged"].notna().all()


def test_without_england_s_row_only_published_is_missing() -> None:
    own = country()
    found = table(own.but(totals=own.totals.iloc[:0]))
    assert set(cells(found, england="published")["reason"]) == {"not_available"}
    assert cells(found, england="pooled")["n_flagged"].notna().all()


def test_without_england_s_population_the_published_number_is_still_there() -> None:
    own = country()
    found = cells(table(own.but(population_totals=own.population_totals.iloc[:0])), england="published")
    assert set(cells(found, outcome="rate")["reason"]) == {"no_denominator"}
    assert cells(found, outcome="number")["n_flagged"].notna().all()


def test_without_a_usual_movement_there_is_no_reference_either() -> None:
    found = table(country(), usual=Fit(math.nan, math.nan, reason="not_converged"))
    assert set(found["reason"]) == {"not_converged"}
    assert cells(found, evidence_rule="rw")["n_flagged"].isna().all()
    assert cells(found, evidence_rule="none")["n_flagged"].notna().all()
    assert found["jaccard_with_reference"].isna().all()


def test_few_units_have_no_funnel() -> None:
    found = table(small.country(), uasc=None)
    own = found.loc[found.index.get_level_values("years") == 5]
    assert set(cells(own, uasc="in", evidence_rule="funnel_od", england="pooled")["reason"]) == {"too_few_units"}
    assert cells(own, uasc="in", evidence_rule="none", england="pooled")["n_units"].tolist() == [3] * 8
    # Three authorities with counts in 2013 and 2018 alone: no other start, and no marker.
    assert set(cells(found, evidence_rule="fingertips", uasc="in", england="pooled")["reason"]) == {"not_available"}


def test_a_suppressed_year_takes_the_unit_out_of_the_cells_that_need_it() -> None:
    own = country()
    gone = own.looked_after["la_code"].eq("301") & own.looked_after["year"].eq(2020)
    found = table(own.but(looked_after=own.looked_after.loc[~gone]))
    n_units = cells(found, uasc="in", outcome="rate", england="pooled")["n_units"].unstack("evidence_rule")
    assert n_units.loc[10].loc[3].iloc[0].to_dict() == {"none": 39, "rw": 39, "funnel_od": 39, "fingertips": 39}
    assert n_units.loc[10].loc[5].iloc[0].to_dict() == {"none": 40, "rw": 40, "funnel_od": 40, "fingertips": 39}


def test_no_window_leaves_the_grid_with_reasons() -> None:
    found = sensitivity.flag_sensitivity(replace(grid(country()), units=()), USUAL, CHOSEN)
    assert len(found) == 576
    assert set(found["reason"]) == {"not_available"}


# ---------------------------------------------------------------------------------------------------------------------
# What does not matter


def test_scaled_populations_and_another_order_change_nothing(plain: pd.DataFrame) -> None:
    own = country()
    scaled = own.but(
        population=own.population.assign(population_0_17=own.population["population_0_17"] * 7),
        population_totals=own.population_totals.assign(population_0_17=own.population_totals["population_0_17"] * 7),
    )
    shuffled = own.but(looked_after=own.looked_after.iloc[::-1], population=own.population.iloc[::-1])
    for other in (scaled, shuffled):
        pd.testing.assert_frame_equal(table(other), plain)


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
def test_the_published_grid_is_complete(real: Readings) -> None:
    data = windows.all_window_data(real.core_looked_after, real.core_population, real.areas, CHOSEN.windows)
    usual, _ = volatility.volatility(real.core_looked_after, real.core_population, real.areas, CHOSEN.evidence)
    found = sensitivity.flag_sensitivity(
        sensitivity.inputs(
            sensitivity.primary(data),
            real.core_looked_after,
            looked_after.totals(real.looked_after),
            real.core_population,
            population.totals(real.population),
            interactive_tool.totals(real.tool),
            real.panel,
            real.areas,
        ),
        usual,
        CHOSEN,
    ).set_index(KEY)
    assert found["reason"].isna().all()
    assert set(found["n_units"]) == {149}
    # tests/golden/grades.csv: six units of the primary window with |z| of 1.96 or more, three of them fell; all of them
    # moved by more than 10% against England.
    reference = found.loc[(10, 5, "rate", "in", "pooled", "rw")]
    assert (reference["n_fell"], reference["n_rose"]) == (3, 3)
    # Published counts of the releases used (methods.md F5), and UASC of England in the tool's README.
    assert np.isfinite(found["jaccard_with_reference"]).all()
