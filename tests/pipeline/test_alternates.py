"""Eight other ways to take a change: each by hand, who is unavailable and why, and what does not matter."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest

from pipeline import alternates, panel, settings, trends
from pipeline.readers.population_dfe import REBASED
from pipeline.tables import covariate_tables
from pipeline.tables.frames import conform, empty
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.fixtures.small_country import SHA256, Cell
from tests.published_files import published

CHOSEN = settings.load()
NO_TOOL = empty(covariate_tables.INTERACTIVE_TOOL)
FIRST, LAST = 2017, 2023  # the main window is 2018 to 2023
YEARS = range(FIRST, LAST + 1)
NUMBER_OF = {name: number for number, name in enumerate(alternates.NAMES, start=1)}

# Two authorities of 10,000 and 20,000 children in all years.
PEOPLE = {"301": 10_000, "302": 20_000}
STOCK: dict[str, list[Cell]] = {
    "301": [95, 100, 110, 120, 105, 140, 150],
    "302": [210, 200, 190, 205, 180, 170, 160],
}


def tool(cells: Iterable[tuple[str, int, str, int | None]], edition: int = 2024) -> pd.DataFrame:
    """`core.interactive_tool` from (code, year, measure, number); None is the tool's marker."""
    rows = [
        {
            "la_code": code, "la_name": code, "year": year, "edition": edition, "measure": measure, "value": number,
            "unit": "children", "marker": None if number is not None else "-",
            "reason": None if number is not None else "not_available", "source_sha256": SHA256, "source_row": 2,
        }
        for code, year, measure, number in cells
    ]  # fmt: skip
    return conform(pd.DataFrame(rows), covariate_tables.INTERACTIVE_TOOL)


def uasc(starts: dict[str, tuple[int | None, int | None]]) -> pd.DataFrame:
    """UASC at both ends of the main window."""
    return tool(
        (code, year, "uasc", number)
        for code, ends in starts.items()
        for year, number in zip((2018, LAST), ends, strict=True)
    )


def country(
    stock: dict[str, list[Cell]] = STOCK,
    older: Iterable[tuple[str, int, int, str, Cell]] = (),
    started: Iterable[tuple[str, int, Cell]] = (),
) -> small.Country:
    """All years in one release of 2023, with older releases and starts as given."""
    cells = [(code, year, LAST, "looked_after", cell) for code, own in stock.items()
             for year, cell in zip(YEARS, own, strict=True)]  # fmt: skip
    starts = [(code, year, LAST, "started", cell) for code, year, cell in started]
    return small.country().but(
        looked_after=small.looked_after([*cells, *older, *starts]),
        population=small.population((code, year, "rebased", PEOPLE[code]) for code in stock for year in YEARS),
        local_authorities=small.local_authorities({code: f"Area {code}" for code in stock}),
    )


def of_main_window(found: small.Country, tool_cells: pd.DataFrame = NO_TOOL) -> pd.DataFrame:
    """The alternates of the main window by (unit_id, alternate)."""
    care_numbers = panel.care_numbers(
        found.looked_after, found.population, found.local_authorities, found.areas, tool_cells
    )
    data = found.windows
    sources = alternates.sources(
        found.looked_after, found.population, tool_cells, care_numbers, CHOSEN.evidence.first_long_year
    )
    changes = trends.changes(data, found.areas.too_small, CHOSEN.classes)
    table = alternates.five_year_change_alternates(changes, data, sources, found.areas, CHOSEN.classes, CHOSEN.windows)
    return table.loc[table["window_id"] == "main_h5"].set_index(["unit_id", "alternate"])


@pytest.fixture(scope="module")
def plain() -> pd.DataFrame:
    return of_main_window(country())


def figures(table: pd.DataFrame, unit: str, alternate: str) -> tuple[float, float, float]:
    row = table.loc[(unit, alternate)]
    return row["change_log"], row["england_change_log"], row["relative_change_log"]


# ---------------------------------------------------------------------------------------------------------------------
# Each by hand; 301 has 10,000 children in every year, so that its log changes are those of its counts


@pytest.mark.parametrize(
    ("alternate", "change", "england"),
    [
        ("other_length", math.log(150 / 110), math.log(310 / 300)),  # 2019 to 2023
        ("year_earlier", math.log(140 / 95), math.log(310 / 305)),  # 2017 to 2022
        ("two_year_means", math.log(140 * 150 / (100 * 110)) / 2, math.log(310 * 310 / (300 * 300)) / 2),
        ("number", math.log(150 / 100), math.log(310 / 300)),
    ],
)
def test_by_hand(plain: pd.DataFrame, alternate: str, change: float, england: float) -> None:
    assert figures(plain, "301", alternate) == pytest.approx((change, england, change - england), abs=1e-12)
    assert plain.at[("301", alternate), "alt_id"] == NUMBER_OF[alternate]


def test_the_median_slope_by_hand() -> None:
    """Sen 1968: pairs of (0, 1, 5, 6) have slopes 1, 2.5, 2, 4, 2.5 and 1; their median is 2.25, over three steps."""
    assert alternates.along_median_slope(np.array([0.0, 1, 5, 6])) == pytest.approx(3 * 2.25)


def test_the_median_slope_of_a_straight_line_is_the_change(plain: pd.DataFrame) -> None:
    line = np.array([[1.0, 1.5, 2, 2.5], [3, 2, 1, 0]])
    assert alternates.along_median_slope(line) == pytest.approx(alternates.from_start_to_end(line))
    assert plain.at[("301", "median_slope"), "available"]


def test_starts_take_the_place_of_the_stock() -> None:
    starts = [("301", 2018, 40), ("301", 2023, 30), ("302", 2018, 50), ("302", 2023, 50)]
    found = of_main_window(country(started=starts))
    change, england = math.log(30 / 40), math.log(80 / 90)
    assert figures(found, "301", "starts") == pytest.approx((change, england, change - england))
    assert found.at[("301", "starts"), "movement"] == "down"


def test_older_counts_take_the_release_before_at_each_end_that_has_one() -> None:
    """2018 is in the release of 2022 as well, with 90; 2023 is in one release alone and keeps its count."""
    older = [("301", 2018, 2022, "looked_after", 90), ("302", 2018, 2022, "looked_after", 210)]
    found = of_main_window(country(older=older))
    change, england = math.log(150 / 90), math.log(310 / 300)
    assert figures(found, "301", "older_counts") == pytest.approx((change, england, change - england))


def test_before_the_long_layout_the_tool_is_the_other_source() -> None:
    """The four-year window of 2013 to 2017 ends in a year for which the tool has 120 in place of 100."""
    cells = [
        (code, year, year, "looked_after", number)
        for code, ends in {"301": (80, 100), "302": (100, 100)}.items()
        for year, number in zip((2013, 2017), ends, strict=True)
    ]
    old = country().but(
        looked_after=small.looked_after(cells),
        population=small.population((code, year, "pre_census", 10_000) for code in PEOPLE for year in (2013, 2017)),
    )
    other = tool([("301", 2017, "looked_after", 120), ("302", 2017, "looked_after", 100)])
    data = old.windows
    changes = trends.changes(data, frozenset(), CHOSEN.classes)
    care_numbers = panel.care_numbers(old.looked_after, old.population, old.local_authorities, old.areas, other)
    sources = alternates.sources(old.looked_after, old.population, other, care_numbers, 2018)
    table = alternates.five_year_change_alternates(changes, data, sources, old.areas, CHOSEN.classes, CHOSEN.windows)
    found = table.loc[table["window_id"] == "orig_h4"].set_index(["unit_id", "alternate"])
    assert figures(found, "301", "older_counts")[:2] == pytest.approx((math.log(120 / 80), math.log(220 / 180)))


# ---------------------------------------------------------------------------------------------------------------------
# Without unaccompanied asylum-seeking children


def test_uasc_are_taken_off_at_both_ends() -> None:
    found = of_main_window(country(), uasc({"301": (10, 30), "302": (20, 40)}))
    change, england = math.log(120 / 90), math.log(240 / 270)
    assert figures(found, "301", "excluding_uasc") == pytest.approx((change, england, change - england))
    row = found.loc[("301", "excluding_uasc")]
    assert (row["change_low_log"], row["change_high_log"]) == pytest.approx((change, change))
    assert not row["uasc_bound_unsure"]


def test_a_marked_cell_is_taken_at_its_point_and_its_bounds_are_told() -> None:
    """Marked at the start: 0 to 5, point 2.5. The change is least when none was one of them."""
    found = of_main_window(country(), uasc({"301": (None, 30), "302": (20, 40)}))
    row = found.loc[("301", "excluding_uasc")]
    assert row["change_log"] == pytest.approx(math.log(120 / 97.5))
    assert (row["change_low_log"], row["change_high_log"]) == pytest.approx((math.log(120 / 100), math.log(120 / 95)))
    assert row["available"]
    assert row["uasc_bound_unsure"]


def test_classes_that_differ_between_the_bounds_leave_no_class() -> None:
    """40 -> 42 children with 0 to 5 UASC at either end: -7% to +18%."""
    stock = {**STOCK, "301": [40, 40, 40, 40, 40, 40, 42]}
    found = of_main_window(country(stock), uasc({"301": (None, None), "302": (20, 40)})).loc[("301", "excluding_uasc")]
    assert (found["available"], found["reason"]) == (False, "uasc_bounds_disagree")
    assert pd.isna(found[["movement", "relative", "agrees"]]).all()
    assert found["change_log"] == pytest.approx(math.log(39.5 / 37.5))  # the point values are still told


def test_bounds_that_disagree_stay_in_england() -> None:
    """methods.md B10: both bounds are classed against the one England of the point values."""
    stock = {**STOCK, "301": [40, 40, 40, 40, 40, 40, 42]}
    found = of_main_window(country(stock), uasc({"301": (None, None), "302": (20, 40)}))
    assert found.at[("302", "excluding_uasc"), "england_change_log"] == pytest.approx(math.log(159.5 / 217.5))


def test_a_bound_that_leaves_no_child_has_no_number() -> None:
    stock = {**STOCK, "301": [4, 4, 4, 4, 4, 4, 4]}
    found = of_main_window(country(stock), uasc({"301": (None, 1), "302": (20, 40)})).loc[("301", "excluding_uasc")]
    assert pd.isna(found[["change_low_log", "change_high_log"]]).all()
    assert (found["bounds_reason"], found["reason"]) == ("zero_count", "uasc_bounds_disagree")


def test_without_a_source_uasc_are_not_available(plain: pd.DataFrame) -> None:
    found = plain.xs("excluding_uasc", level="alternate")
    assert set(found["reason"]) == {"uasc_not_available"}
    assert set(found["bounds_reason"]) == {"uasc_not_available"}
    assert found["uasc_bound_unsure"].isna().all()


# ---------------------------------------------------------------------------------------------------------------------
# Who is unavailable, and why


@pytest.mark.parametrize(
    ("year", "cell", "alternate", "reason"),
    [
        (2019, "c", "other_length", "suppressed"),
        (2017, "c", "year_earlier", "suppressed"),
        (2022, None, "two_year_means", "not_available"),
        (2020, "x", "median_slope", "not_available"),
        (2019, 0, "two_year_means", "zero_count"),
    ],
)
def test_a_missing_cell_makes_its_alternates_unavailable(year: int, cell: Cell, alternate: str, reason: str) -> None:
    own = list(STOCK["301"])
    own[year - FIRST] = cell
    found = of_main_window(country({**STOCK, "301": own}))
    row = found.loc[("301", alternate)]
    assert (row["available"], row["reason"]) == (False, reason)
    assert pd.isna(row[["change_log", "relative_change_log", "movement", "relative", "agrees"]]).all()
    # The other is compared with an England of itself alone.
    assert found.at[("302", alternate), "relative_change_log"] == pytest.approx(0, abs=1e-12)


def test_nothing_else_is_unavailable(plain: pd.DataFrame) -> None:
    """One release, no starts, no tool: three of eight have no source."""
    gone = plain.loc[~plain["available"]].xs("301")
    assert gone["reason"].to_dict() == {
        "excluding_uasc": "uasc_not_available",
        "older_counts": "not_available",
        "starts": "not_available",
    }


def test_an_authority_that_did_not_exist_yet() -> None:
    """301 splits on 1 April 2017 into 303 and 304: in 2018 they stand alone, the year before they were not in being."""
    stock: dict[str, list[Cell]] = {
        "302": STOCK["302"],
        "303": [None, *STOCK["301"][1:]],
        "304": [None, *STOCK["301"][1:]],
    }
    cells = [(code, year, LAST, "looked_after", cell) for code, own in stock.items()
             for year, cell in zip(YEARS, own, strict=True)]  # fmt: skip
    split = [("301", new, "split", dt.date(2017, 4, 1)) for new in ("303", "304")]
    found = of_main_window(
        country().but(
            looked_after=small.looked_after([*cells, ("301", 2017, LAST, "looked_after", 95)]),
            population=small.population((code, year, "rebased", 10_000) for code in ("301", *stock) for year in YEARS),
            local_authorities=small.local_authorities({code: f"Area {code}" for code in ("301", *stock)}),
            changes=small.area_changes(split),
        )
    )
    assert found.loc[("303", "year_earlier"), ["available", "reason"]].tolist() == [False, "boundary_change"]
    assert found.at[("303", "other_length"), "available"]
    assert found.at[("302", "year_earlier"), "available"]


# ---------------------------------------------------------------------------------------------------------------------
# Agreement


def test_agreeing_is_of_both_classes(plain: pd.DataFrame) -> None:
    """301 rose by 50%, against England's 3%: up, rose_relative; two_year_means +38%, England +3%: the same."""
    assert plain.at[("301", "two_year_means"), "agrees"]
    assert plain.loc[("301", "number"), ["movement", "relative"]].tolist() == ["up", "rose_relative"]


@pytest.mark.parametrize(
    ("available", "agreeing", "is_robust"),
    [(8, 6, True), (8, 5, False), (5, 4, True), (5, 3, False), (4, 4, None), (7, 6, True), (7, 5, False)],
)
def test_robust_needs_three_quarters_of_five_or_more(available: int, agreeing: int, is_robust: bool | None) -> None:
    changes = pd.DataFrame({"window_id": ["main_h5"], "unit_id": ["301"]})
    others = pd.DataFrame(
        {
            "window_id": "main_h5",
            "unit_id": "301",
            "available": [place < available for place in range(8)],
            "agrees": pd.array([place < agreeing if place < available else None for place in range(8)], "boolean"),
        }
    )
    found = alternates.agreement(changes, others, CHOSEN.evidence).iloc[0]
    assert (found["alternates_available"], found["alternates_agreeing"]) == (available, agreeing)
    assert (None if pd.isna(found["is_robust"]) else found["is_robust"]) == is_robust
    assert (None if pd.isna(found["robust_reason"]) else found["robust_reason"]) == (
        "short_series" if is_robust is None else None
    )


# ---------------------------------------------------------------------------------------------------------------------
# What does not matter


def test_scaled_populations_and_another_order_change_no_class() -> None:
    own = country()
    scaled = own.but(population=own.population.assign(population_0_17=own.population["population_0_17"] * 7))
    shuffled = own.but(looked_after=own.looked_after.iloc[::-1], population=own.population.iloc[::-1])
    classes = ["movement", "relative", "available", "agrees"]
    for other in (scaled, shuffled):
        assert of_main_window(other)[classes].equals(of_main_window(own)[classes])


def test_no_window_no_rows() -> None:
    changes = trends.changes([], frozenset(), CHOSEN.classes)
    own = country()
    sources = alternates.sources(own.looked_after, own.population, NO_TOOL, panel.care_numbers(
        own.looked_after, own.population, own.local_authorities, own.areas), 2018)  # fmt: skip
    assert alternates.five_year_change_alternates(changes, [], sources, own.areas, CHOSEN.classes, CHOSEN.windows).empty


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@pytest.fixture(scope="module")
def real_alternates(real: Readings) -> pd.DataFrame:
    from pipeline import windows

    data = windows.all_window_data(real.core_looked_after, real.core_population, real.areas, CHOSEN.windows)
    changes = trends.changes(data, real.areas.too_small, CHOSEN.classes)
    sources = alternates.sources(
        real.core_looked_after, real.core_population, real.core_tool, real.panel, CHOSEN.evidence.first_long_year
    )
    return alternates.five_year_change_alternates(changes, data, sources, real.areas, CHOSEN.classes, CHOSEN.windows)


@published
def test_every_unit_has_eight_rows_and_every_absence_its_reason(real_alternates: pd.DataFrame) -> None:
    assert (real_alternates.groupby(["window_id", "unit_id"]).size() == 8).all()
    assert (real_alternates["available"] == real_alternates["reason"].isna()).all()
    assert (real_alternates["available"] == real_alternates["movement"].notna()).all()
    assert (real_alternates["change_low_log"].isna() == real_alternates["bounds_reason"].notna()).all()


@published
@pytest.mark.parametrize(
    ("window_id", "alternate", "reasons"),
    [
        # The new authorities of 1 April 2019 (methods.md B8).
        ("main_h5", "year_earlier", {"838": "boundary_change", "839": "boundary_change"}),
        # The denominators of mid-2011 are on boundaries of 2021: the three old ones cannot be told apart.
        ("orig_h4", "other_length", dict.fromkeys(("835", "836", "837"), "denominator_geography")),
    ],
)
def test_who_is_unavailable(
    real_alternates: pd.DataFrame, window_id: str, alternate: str, reasons: dict[str, str]
) -> None:
    rows = real_alternates.loc[
        (real_alternates["window_id"] == window_id)
        & (real_alternates["alternate"] == alternate)
        & real_alternates["reason"].notna()
    ]
    assert dict(zip(rows["unit_id"], rows["reason"], strict=True)) == reasons


@published
@pytest.mark.parametrize("window_id", ["hist_h5_2018", "orig_h5"])
def test_a_year_without_populations_of_the_vintage(real_alternates: pd.DataFrame, window_id: str) -> None:
    rows = real_alternates.loc[
        (real_alternates["window_id"] == window_id) & (real_alternates["alternate"] == "year_earlier")
    ]
    assert set(rows["reason"]) == {"no_denominator"}


@published
def test_changes_of_single_authorities_follow_from_the_panel(real: Readings, real_alternates: pd.DataFrame) -> None:
    """A second way: the panel's own columns for the units that are one authority throughout."""
    main = real_alternates.loc[real_alternates["window_id"] == "main_h5"]
    cells = real.panel.set_index(["la_code", "year"])
    rates = {
        "number": cells["looked_after"].astype(float),
        "starts": cells["started"].astype(float) / cells["population_0_17"].astype(float),
        "excluding_uasc": (
            cells["looked_after_without_uasc_low"].astype(float) + cells["looked_after_without_uasc_high"].astype(float)
        ) / 2 / cells["population_0_17"].astype(float),
    }  # fmt: skip
    for name, rate in rates.items():
        own = main.loc[(main["alternate"] == name) & ~main["unit_id"].str.contains("+", regex=False)]
        expected = [math.log(rate[unit, 2025] / rate[unit, 2020]) for unit in own["unit_id"]]
        assert len(own) > 140
        assert own["change_log"].to_numpy() == pytest.approx(expected, abs=1e-12)


@published
def test_the_vintage_is_that_of_the_window(real: Readings, real_alternates: pd.DataFrame) -> None:
    """Barnet from 2013 to 2016, by populations from before the census and not by the rebased ones."""
    row = real_alternates.set_index(["window_id", "unit_id", "alternate"]).loc[("orig_h4", "302", "year_earlier")]
    stock = real.core_looked_after.query("la_code == '302' and measure == 'looked_after'").set_index("year")["value"]
    people = real.core_population.query("la_code == '302'").set_index(["vintage", "year"])["population_0_17"]
    start = float(stock[2012]) / float(people["age_band_estimate", 2012])
    assert row["change_log"] == pytest.approx(math.log(float(stock[2016]) / float(people["pre_census", 2016]) / start))
    assert float(people["pre_census", 2016]) != float(people[REBASED, 2016])
