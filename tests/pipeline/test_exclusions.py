"""Nobody is lost: every published authority is in a unit or listed with a reason, and the count-down adds up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pandas as pd
import pytest

from pipeline import checks, exclusions, settings, trends, windows
from pipeline.windows import WindowData
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.fixtures.small_country import COUNTS, EASTMERE, ISLAND, KINGS_FERRY, MARLSHIRE, POPULATIONS, Country
from tests.published_files import published

STEPS = ["published", "in_being_at_end", "not_too_small", "units", "counts_at_both_ends", "population_at_both_ends"]


Tables = dict[str, pd.DataFrame]


def tables_of(country: Country) -> Tables:
    """What the check recomputes, of a small country."""
    data = country.windows
    excluded, steps = exclusions.exclusions(data, country.areas)
    changes = trends.changes(data, country.areas.too_small, settings.load().classes)
    return {
        "looked_after": country.looked_after,
        "five_year_change": changes,
        "exclusions": excluded,
        "exclusion_steps": steps,
    }


def reconcile(tables: Tables) -> checks.Row:
    (row,) = checks.exclusions_reconcile(
        tables["looked_after"], tables["five_year_change"], tables["exclusions"], tables["exclusion_steps"]
    )
    return row


def count_down(tables: Tables) -> list[int]:
    steps = tables["exclusion_steps"]
    assert list(steps["step"]) == STEPS and list(steps["step_number"]) == [1, 2, 3, 4, 5, 6]
    return [int(n) for n in steps["n_after"]]


def left_out(tables: Tables) -> pd.DataFrame:
    return tables["exclusions"].set_index("la_code")


# ---------------------------------------------------------------------------------------------------------------------
# A reason each


def test_a_country_without_gaps_leaves_nobody_out() -> None:
    tables = tables_of(small.country())
    assert left_out(tables).empty
    assert count_down(tables) == [3, 3, 3, 3, 3, 3]


@pytest.mark.parametrize(
    ("counts", "people", "expected"),
    [
        pytest.param(
            ("x", 158), (50_000, 40_000),
            ("counts_at_both_ends", "suppressed", 2013, "marker x in the release of 2013"), id="suppressed start",
        ),
        pytest.param(
            (100, "c"), (50_000, 40_000),
            ("counts_at_both_ends", "suppressed", 2018, "marker c in the release of 2018"), id="suppressed end",
        ),
        pytest.param(
            (100, "x"), (50_000, 40_000),
            ("counts_at_both_ends", "not_available", 2018, "marker x in the release of 2018"), id="not available",
        ),
        pytest.param(
            (100, "z"), (50_000, 40_000),
            ("counts_at_both_ends", "not_applicable", 2018, "marker z in the release of 2018"), id="not applicable",
        ),
        pytest.param(
            (None, 158), (50_000, 40_000),
            ("counts_at_both_ends", "not_available", 2013, "no row in the release"), id="no row",
        ),
        pytest.param(
            (0, 158), (50_000, 40_000),
            ("counts_at_both_ends", "zero_count", None, "a rate of 0 has no logarithm"), id="nought at the start",
        ),
        pytest.param(
            (100, 0), (50_000, 40_000),
            ("counts_at_both_ends", "zero_count", None, "a rate of 0 has no logarithm"), id="nought at the end",
        ),
        pytest.param(
            (100, 158), ("x", 40_000),
            ("population_at_both_ends", "no_denominator", 2013, "marker x in the population file"), id="population x",
        ),
        pytest.param(
            (100, 158), (50_000, None),
            ("population_at_both_ends", "no_denominator", 2018, "no row in the population file"), id="no population",
        ),
        pytest.param(
            (100, 158), (50_000, 0),
            ("population_at_both_ends", "no_denominator", None, "a population of 0"), id="population of nought",
        ),
        pytest.param(  # a count is looked for before a population
            ("x", 158), (None, None),
            ("counts_at_both_ends", "suppressed", 2013, "marker x in the release of 2013"), id="both missing",
        ),
    ],
)  # fmt: skip
def test_each_gap_has_its_reason(counts: tuple, people: tuple, expected: tuple) -> None:
    tables = tables_of(small.country(COUNTS | {EASTMERE: counts}, POPULATIONS | {EASTMERE: people}))
    found = left_out(tables)
    assert list(found.index) == [EASTMERE]
    row = found.loc[EASTMERE]
    step, reason, year, evidence = expected
    assert list(row[["step", "rule", "reason", "evidence", "unit_id"]]) == [
        step,
        "excluded",
        reason,
        evidence,
        EASTMERE,
    ]
    assert (None if pd.isna(row["year"]) else row["year"]) == year
    assert row["detail"].startswith("Eastmere: ")
    after = [3, 3, 3, 3, 2, 2] if step == "counts_at_both_ends" else [3, 3, 3, 3, 3, 2]
    assert count_down(tables) == after
    assert (row["n_before"], row["n_after"]) == (3, 2)
    assert reconcile(tables)["n_failed"] == 0


def test_the_too_small_are_left_out_whatever_their_numbers() -> None:
    tables = tables_of(small.country(COUNTS | {ISLAND: (5, 9)}, POPULATIONS | {ISLAND: (400, 390)}, too_small=[ISLAND]))
    row = left_out(tables).loc[ISLAND]
    assert list(row[["step", "reason", "stage", "model", "la_name"]]) == [
        "not_too_small", "too_small", "trend", "", "Gull Island"
    ]  # fmt: skip
    assert count_down(tables) == [4, 4, 3, 3, 3, 3]
    assert reconcile(tables)["n_failed"] == 0


def test_an_authority_that_no_release_lists_is_no_exclusion() -> None:
    """As the Isles of Scilly in 2011 to 2017: in being, but not published, so there is nothing to account for."""
    tables = tables_of(small.country(COUNTS, POPULATIONS | {ISLAND: (400, 390)}, too_small=[ISLAND]))
    assert left_out(tables).empty
    assert count_down(tables)[0] == 3


# ---------------------------------------------------------------------------------------------------------------------
# Boundary changes: 10 splits into 11 and 12; 21 and 22 merge into 20; 30 is listed before it begins in 2020


def reorganised(**changed: dict) -> Country:
    counts = {"10": (90, "z"), "11": ("..", 40), "12": ("..", 60), "21": (30, None), "22": (50, None), "20": (None, 70),
              "30": ("..", "z"), "40": (300, 310)} | changed.get("counts", {})  # fmt: skip
    people = {"10": (9000, None), "11": (None, 4500), "12": (None, 5500), "21": (3000, None), "22": (5000, None),
              "20": (None, 8200), "40": (9000, 9000)} | changed.get("people", {})  # fmt: skip
    day = dt.date(2016, 4, 1)
    changes = [("10", "11", "split", day), ("10", "12", "split", day), ("21", "20", "merge", day),
               ("22", "20", "merge", day), ("40", "30", "split", dt.date(2020, 4, 1))]  # fmt: skip
    return small.country(counts, people).but(changes=small.area_changes(changes))


def test_a_reorganisation_is_counted_down_to_its_units() -> None:
    tables = tables_of(reorganised())
    found = left_out(tables)
    # Eight codes; 10, 21 and 22 have ended and 30 has not begun; 11 and 12 become one unit.
    assert count_down(tables) == [8, 4, 4, 3, 3, 3]
    assert found["rule"].to_dict() == {
        "10": "excluded",
        "11": "combined",
        "12": "combined",
        "21": "excluded",
        "22": "excluded",
        "30": "excluded",
    }
    assert set(found["reason"]) == {"boundary_change"}
    unit_ids = {code: None if pd.isna(unit) else unit for code, unit in found["unit_id"].items()}
    assert unit_ids == {"10": "11+12", "11": "11+12", "12": "11+12", "21": "20", "22": "20", "30": None}
    assert found.at["10", "detail"] == "ended before 31 March 2018; counted within Area 11 + Area 12"
    assert found.at["30", "detail"].startswith("not in being within the window")
    assert reconcile(tables)["n_failed"] == 0


def test_a_combined_unit_without_a_number_is_left_out_once() -> None:
    """Its members are listed each, and take one unit off."""
    tables = tables_of(reorganised(counts={"12": ("..", "c")}))
    excluded = tables["exclusions"]
    own = excluded.loc[excluded["step"] == "counts_at_both_ends"]
    assert list(own["la_code"]) == ["11", "12"] and set(own["unit_id"]) == {"11+12"}
    assert set(own["reason"]) == {"suppressed"}
    assert count_down(tables) == [8, 4, 4, 3, 2, 2]
    assert reconcile(tables)["n_failed"] == 0


def test_a_successor_that_no_release_lists_is_not_counted_down() -> None:
    tables = tables_of(reorganised(counts={"12": (None, None)}))
    excluded = tables["exclusions"]
    assert "12" not in set(excluded["la_code"])
    assert excluded.loc[excluded["la_code"] == "11", "reason"].tolist() == ["not_available", "boundary_change"]
    assert count_down(tables) == [7, 3, 3, 3, 2, 2]
    assert reconcile(tables)["n_failed"] == 0


# ---------------------------------------------------------------------------------------------------------------------
# The check that recomputes it: each way of losing somebody is seen


def broken(**spoil: Callable[[pd.DataFrame], pd.DataFrame]) -> checks.Row:
    """The check on the reorganised country with one suppressed authority, after a change to one of its tables."""
    tables = tables_of(reorganised(counts={"40": (300, "c")}))
    return reconcile(tables | {name: change(tables[name]) for name, change in spoil.items()})


def test_the_country_reconciles_before_it_is_spoilt() -> None:
    row = broken()
    assert row["n_failed"] == 0
    assert row["detail"] == "8 published, 5 excluded, 2 units"


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        ({"exclusions": lambda t: t[t["la_code"] != "10"]}, "10 is in neither"),
        ({"exclusions": lambda t: t[t["la_code"] != "40"]}, "40 is in neither"),
        ({"exclusions": lambda t: t[t["la_code"] != "11"]}, "step units: 3 stated, 4 by the listed rows"),
        ({"five_year_change": lambda t: t[t["unit_id"] != "20"]}, "20 is in neither"),
        ({"five_year_change": lambda t: pd.concat([t, t[t["unit_id"] == "20"]])}, "20 is in two units"),
        ({"five_year_change": lambda t: t.assign(unit_id=t["unit_id"].replace("20", "20+40"))}, "40 is in both"),
        ({"five_year_change": lambda t: t.iloc[:0]}, "11 is in neither; 12 is in neither; 20 is in neither"),
        (
            {"exclusion_steps": lambda t: t.assign(n_after=t["n_after"].mask(t["step"] == "units", 4))},
            "step units: 4 stated, 3 by the listed rows",
        ),
        ({"exclusion_steps": lambda t: t.iloc[:0]}, "8 units by the count-down, 2 in the result"),
        (
            {"looked_after": lambda t: t.assign(la_code=t["la_code"].replace("40", "41"))},
            "41 is in neither",
        ),
    ],
)
def test_whoever_is_lost_is_named(spoil: dict, named: str) -> None:
    row = broken(**spoil)
    assert row["n_failed"] > 0 and row["severity"] == checks.BLOCK
    assert named in str(row["detail"])


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@pytest.fixture(scope="module")
def real_windows(real: Readings) -> list[WindowData]:
    return windows.all_window_data(real.core_looked_after, real.core_population, real.areas, settings.load().windows)


@pytest.fixture(scope="module")
def real_exclusions(real: Readings, real_windows: list[WindowData]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return exclusions.exclusions(real_windows, real.areas)


@published
@pytest.mark.parametrize(
    ("window_id", "after"),
    [
        # methods.md B11: 2020 to 2025, 155 codes to 149 units; 2019 to 2024, 158 codes to 147.
        ("main_h5", [155, 153, 151, 149, 149, 149]),
        ("prev_h5", [158, 153, 151, 148, 148, 147]),
        # By hand from the README: 151 listed in 2012 and 2017, City of London too small, three joined into one.
        ("orig_h5", [151, 151, 150, 148, 148, 148]),
        ("orig_h4", [151, 151, 150, 150, 150, 150]),
    ],
)
def test_the_count_down_of_the_methods(
    real_exclusions: tuple[pd.DataFrame, pd.DataFrame], window_id: str, after: list[int]
) -> None:
    steps = real_exclusions[1]
    own = steps.loc[steps["window_id"] == window_id]
    assert list(own["step"]) == STEPS
    assert list(own["n_after"]) == after


@published
def test_who_is_left_out_of_2020_to_2025(real_exclusions: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    excluded = real_exclusions[0]
    own = excluded.loc[excluded["window_id"] == "main_h5"]
    out = own.loc[own["rule"] == "excluded"].set_index("la_code")["reason"].to_dict()
    assert out == {"909": "boundary_change", "928": "boundary_change", "201": "too_small", "420": "too_small"}
    assert set(own.loc[own["rule"] == "combined", "la_code"]) == {"940", "941", "942", "943"}


@published
def test_dorset_is_combined_for_its_denominator_in_2012_to_2017(
    real_exclusions: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    excluded = real_exclusions[0]
    own = excluded.loc[(excluded["window_id"] == "orig_h5") & (excluded["rule"] == "combined")]
    assert set(own["la_code"]) == {"835", "836", "837"}
    assert set(own["reason"]) == {"denominator_geography"}


@published
def test_every_published_authority_is_in_a_unit_or_left_out_exactly_once(
    real: Readings, real_windows: list[WindowData], real_exclusions: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    changes = trends.changes(real_windows, real.areas.too_small, settings.load().classes)
    excluded = real_exclusions[0].loc[real_exclusions[0]["rule"] == "excluded"]
    for data in real_windows:
        name = data.window.window_id
        inside = [code for unit in changes.loc[changes["window_id"] == name, "unit_id"] for code in unit.split("+")]
        out = list(excluded.loc[excluded["window_id"] == name, "la_code"])
        assert sorted(inside + out) == sorted(data.published), name


@published
def test_the_check_passes_on_the_published_files(
    real: Readings, real_windows: list[WindowData], real_exclusions: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    changes = trends.changes(real_windows, real.areas.too_small, settings.load().classes)
    rows = checks.exclusions_reconcile(real.core_looked_after, changes, *real_exclusions)
    assert len(rows) == 11
    assert [row["detail"] for row in rows if row["n_failed"]] == []


def test_the_demonstration_country_reconciles(demo: Readings) -> None:
    data = windows.all_window_data(demo.core_looked_after, demo.core_population, demo.areas, settings.load().windows)
    changes = trends.changes(data, demo.areas.too_small, settings.load().classes)
    rows = checks.exclusions_reconcile(demo.core_looked_after, changes, *exclusions.exclusions(data, demo.areas))
    assert len(rows) == 11
    assert [row["detail"] for row in rows if row["n_failed"]] == []


def test_marlshire_and_kings_ferry_stay_when_eastmere_goes() -> None:
    country = small.country(COUNTS | {EASTMERE: (100, "c")})
    units = trends.changes(country.windows, frozenset(), settings.load().classes)["unit_id"]
    assert set(units) == {MARLSHIRE, KINGS_FERRY}
