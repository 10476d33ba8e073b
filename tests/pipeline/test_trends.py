"""Changes and classes: by hand on round numbers, at the thresholds, under rescaling, and on the published files."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import looked_after, panel, population, settings, trends, windows
from pipeline.geography import Unit
from pipeline.windows import UnitEnds, Window, WindowData
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.fixtures.small_country import EASTMERE, KINGS_FERRY, MARLSHIRE
from tests.published_files import published

GOLDEN = Path(__file__).parents[1] / "golden"
CLASSES = settings.load().classes
Numbers = dict[str, tuple[int | None, int | None, int | None, int | None]]  # counts, then populations, start and end


def window_of(numbers: Numbers, *, published_codes: set[str] | None = None) -> WindowData:
    """A window whose units are single authorities."""
    return WindowData(
        window=Window("main_h5", 2013, 2018, "rebased", "primary"),
        published=frozenset(numbers if published_codes is None else published_codes),
        units=tuple(
            UnitEnds(
                unit=Unit(code, f"Area {code}", "North Sarn", (code,), (code,), (code,), (code,), None),
                looked_after=(n0, n1),
                population=(p0, p1),
                missing_count=None,
                missing_population=None,
            )
            for code, (n0, n1, p0, p1) in numbers.items()
        ),
        releases=(2013, 2018),
        is_estimated=False,
    )


def changes_of(numbers: Numbers, **more: object) -> pd.DataFrame:
    too_small = frozenset(more.pop("too_small", ()))
    data = window_of(numbers, **more)
    return trends.changes([data], too_small, CLASSES).set_index("unit_id")


# ---------------------------------------------------------------------------------------------------------------------
# By hand


@pytest.fixture(scope="module")
def by_hand() -> pd.DataFrame:
    country = small.country()
    return trends.changes(country.windows, frozenset(), CLASSES).set_index("unit_id")


# Rates 20 -> 22, 20 -> 15, 20 -> 39.5; pooled 500 of 250,000 -> 550 of 250,000, that is 20 -> 22.
@pytest.mark.parametrize(
    ("code", "rate_end", "change_pct", "change_per_10k", "relative_ratio", "movement", "relative", "bucked"),
    [
        (MARLSHIRE, 22.0, 10.0, 2.0, 1.0, "up", "moved_with_england", False),
        (KINGS_FERRY, 15.0, -25.0, -5.0, 0.75 / 1.1, "down", "fell_relative", True),
        (EASTMERE, 39.5, 97.5, 19.5, 1.975 / 1.1, "up", "rose_relative", False),
    ],
)
def test_three_units_by_hand(
    by_hand: pd.DataFrame,
    code: str,
    rate_end: float,
    change_pct: float,
    change_per_10k: float,
    relative_ratio: float,
    movement: str,
    relative: str,
    bucked: bool,
) -> None:
    row = by_hand.loc[code]
    assert (row["rate_start"], row["rate_end"]) == pytest.approx((20.0, rate_end))
    assert row["change_pct"] == pytest.approx(change_pct)
    assert row["change_per_10k"] == pytest.approx(change_per_10k)
    assert row["change_log"] == pytest.approx(math.log(rate_end / 20))
    assert row["relative_change_log"] == pytest.approx(math.log(relative_ratio), abs=1e-15)
    assert row["relative_change_pct"] == pytest.approx(100 * (relative_ratio - 1), abs=1e-12)
    assert list(row[["movement", "relative", "bucked"]]) == [movement, relative, bucked]


def test_england_by_hand(by_hand: pd.DataFrame) -> None:
    assert by_hand["england_change_pct"].tolist() == pytest.approx([10.0] * 3)
    assert by_hand["england_number_change_pct"].tolist() == pytest.approx([10.0] * 3)
    assert set(by_hand["england_direction"]) == {"up"}
    assert by_hand["bucked_reason"].isna().all() and by_hand["reason"].isna().all()


def test_what_stands_beside_the_figures(by_hand: pd.DataFrame) -> None:
    row = by_hand.loc[MARLSHIRE]
    assert list(row[["window_start", "window_end", "population_vintage"]]) == [2013, 2018, "rebased"]
    assert list(row[["release_start", "release_end", "mixed_release"]]) == [2013, 2018, True]
    assert list(row[["looked_after_start", "looked_after_end"]]) == list(small.COUNTS[MARLSHIRE])
    assert list(row[["population_start", "population_end"]]) == list(small.POPULATIONS[MARLSHIRE])
    assert list(row[["members", "region", "unit_name"]]) == [MARLSHIRE, small.REGION, "Marlshire"]


def test_two_ends_of_one_release_are_not_mixed() -> None:
    data = replace(window_of({"1": (10, 20, 100, 100)}), releases=(2018, 2018))
    assert not trends.changes([data], frozenset(), CLASSES)["mixed_release"].any()


def test_the_rate_and_the_number_of_england_can_go_different_ways() -> None:
    """As in 2020 to 2025: more children looked after among many more children. Nobody can buck that."""
    found = changes_of({"1": (500, 505, 250_000, 300_000), "2": (500, 505, 250_000, 250_000)})
    row = found.loc["1"]
    assert row["england_number_change_pct"] == pytest.approx(1.0)
    assert row["england_change_pct"] == pytest.approx(100 * (1.01 / 1.1 - 1))
    assert set(found["england_direction"]) == {"no_clear_direction"}
    assert found["bucked"].isna().all()
    assert set(found["bucked_reason"]) == set(found["reason"]) == {"national_flat"}
    assert row["movement"] == "down"  # the unit's own classes do not hang on England's direction


def test_england_going_down_is_bucked_by_a_rise() -> None:
    found = changes_of(
        {"1": (600, 500, 100_000, 100_000), "2": (300, 340, 100_000, 100_000), "3": (100, 60, 9000, 9000)}
    )
    assert set(found["england_direction"]) == {"down"}  # 1,000 -> 900
    assert found["bucked"].to_dict() == {"1": False, "2": True, "3": False}


# ---------------------------------------------------------------------------------------------------------------------
# Thresholds


TINY = 1e-12  # the tolerance of methods.md C2


@pytest.mark.parametrize(
    ("per_cent", "classify", "up", "down", "between"),
    [
        (5, trends.movement, "up", "down", "little_change"),
        (10, trends.relative_class, "rose_relative", "fell_relative", "moved_with_england"),
    ],
)
def test_a_class_begins_exactly_at_its_threshold(per_cent: int, classify, up: str, down: str, between: str) -> None:
    edge = math.log(1 + per_cent / 100)
    logs = np.array([edge, edge - 0.9 * TINY, edge - 1.5 * TINY, 0.0, -edge + 1.5 * TINY, -edge + 0.9 * TINY, -edge])
    assert list(classify(logs, CLASSES)) == [up, up, between, between, between, down, down]


def test_england_has_a_direction_exactly_from_2_per_cent_on() -> None:
    edge = math.log(1.02)

    def direction(rate_log: float, number_log: float) -> str:
        return trends.england_direction(trends.EnglandChange(rate_log, number_log), CLASSES)

    assert direction(edge, 0.5) == direction(edge - 0.9 * TINY, 0.5) == "up"
    assert direction(-edge, -0.5) == direction(-edge + 0.9 * TINY, -0.5) == "down"
    assert direction(edge - 1.5 * TINY, 0.5) == direction(-edge + 1.5 * TINY, -0.5) == "no_clear_direction"


@pytest.mark.parametrize("number_log", [-0.1, 0.0])
def test_england_has_no_direction_unless_its_number_goes_the_same_way(number_log: float) -> None:
    change = trends.EnglandChange(rate_log=0.1, number_log=number_log)
    assert trends.england_direction(change, CLASSES) == "no_clear_direction"
    change = trends.EnglandChange(rate_log=-0.1, number_log=-number_log)
    assert trends.england_direction(change, CLASSES) == "no_clear_direction"


def test_thresholds_hold_for_counts_that_meet_them_exactly() -> None:
    """100 -> 105 is a movement and 1,000 -> 1,049 none; 100 -> 110 against a flat country parts from it."""
    found = changes_of(
        {
            "up": (100, 105, 1000, 1000),
            "down": (105, 100, 1000, 1000),
            "not quite": (1000, 1049, 9000, 9000),
            "not quite down": (1049, 1000, 9000, 9000),
            "apart": (100, 110, 1000, 1000),
            "apart down": (110, 100, 1000, 1000),
        }
    )
    assert found["england_change_pct"].iloc[0] == pytest.approx(0.0, abs=1e-12)
    assert found["movement"].to_dict() == {
        "up": "up",
        "down": "down",
        "not quite": "little_change",
        "not quite down": "little_change",
        "apart": "up",
        "apart down": "down",
    }
    assert found["relative"].to_dict() == {
        "up": "moved_with_england",
        "down": "moved_with_england",
        "not quite": "moved_with_england",
        "not quite down": "moved_with_england",
        "apart": "rose_relative",
        "apart down": "fell_relative",
    }


@pytest.mark.parametrize(("end", "direction"), [(1020, "up"), (1019, "no_clear_direction")])
def test_a_country_that_meets_2_per_cent_exactly_has_a_direction(end: int, direction: str) -> None:
    assert set(changes_of({"1": (1000, end, 50_000, 50_000)})["england_direction"]) == {direction}


MOVEMENTS, RELATIVES = ("up", "down", "little_change"), ("rose_relative", "fell_relative", "moved_with_england")


@pytest.mark.parametrize("direction", ["up", "down", "no_clear_direction"])
def test_bucked_needs_both_the_own_movement_and_the_parting(direction: str) -> None:
    pairs = [(moved, apart) for moved in MOVEMENTS for apart in RELATIVES]
    found = trends.bucked(direction, np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]))
    bucking = {"up": [("down", "fell_relative")], "down": [("up", "rose_relative")]}.get(direction)
    if bucking is None:
        assert found == [None] * 9
    else:
        assert [pair for pair, flag in zip(pairs, found, strict=True) if flag] == bucking
        assert set(found) == {True, False}


# ---------------------------------------------------------------------------------------------------------------------
# Who takes part


def test_a_unit_without_all_four_numbers_takes_no_part_in_england() -> None:
    whole: Numbers = {"1": (100, 120, 1000, 1000), "2": (50, 40, 1000, 1100)}
    spoilt: Numbers = whole | {
        "3": (None, 900, 1000, 1000),
        "4": (900, 0, 1000, 1000),
        "5": (0, 900, 1000, 1000),
        "6": (900, 900, None, 1000),
        "7": (900, 900, 1000, 0),
    }
    pd.testing.assert_frame_equal(changes_of(spoilt), changes_of(whole))


def test_the_too_small_and_the_unpublished_take_no_part_in_england() -> None:
    whole: Numbers = {"1": (100, 120, 1000, 1000)}
    more: Numbers = whole | {"2": (5, 900, 1000, 1000), "3": (5, 900, 1000, 1000)}
    found = changes_of(more, too_small={"2"}, published_codes={"1", "2"})
    pd.testing.assert_frame_equal(found, changes_of(whole))


def test_a_window_without_any_unit_has_no_rows() -> None:
    assert changes_of({"1": (None, 10, 10, 10)}).empty
    data = replace(window_of({}), not_computed="no looked-after counts for 2013")
    assert trends.changes([data], frozenset(), CLASSES).empty


# ---------------------------------------------------------------------------------------------------------------------
# Invariances


@pytest.fixture(scope="module")
def forty() -> Numbers:
    """Forty units of all sizes whose rates move both ways."""
    draw = np.random.default_rng(20181129)
    people = draw.integers(10_000, 300_000, 40)
    start = np.maximum(people * draw.uniform(0.003, 0.012, 40), 1).astype(int)
    end = (start * draw.uniform(0.7, 1.6, 40)).astype(int)
    return {
        f"{at:03}": (int(start[at]), int(end[at]), int(people[at]), int(people[at] * 1.02)) for at in range(len(people))
    }


WORDS = ["england_direction", "movement", "relative", "bucked"]
FIGURES = ["change_log", "relative_change_log", "change_pct", "relative_change_pct", "england_change_pct"]


@pytest.mark.parametrize(("counts_by", "people_by"), [(7, 1), (1, 13), (3, 1000)])
def test_a_change_of_scale_changes_no_change_and_no_class(forty: Numbers, counts_by: int, people_by: int) -> None:
    before = changes_of(forty)
    after = changes_of(
        {
            code: (n0 * counts_by, n1 * counts_by, p0 * people_by, p1 * people_by)
            for code, (n0, n1, p0, p1) in forty.items()
        }
    )
    assert {len(set(before[name].dropna())) for name in ("movement", "relative", "bucked")} == {3, 2}
    pd.testing.assert_frame_equal(before[WORDS], after[WORDS])
    np.testing.assert_allclose(after[FIGURES], before[FIGURES], rtol=0, atol=1e-11)


def test_the_order_of_the_units_changes_nothing(forty: Numbers) -> None:
    turned = dict(sorted(forty.items(), key=lambda item: item[1]))
    assert list(turned) != list(forty)
    pd.testing.assert_frame_equal(changes_of(turned), changes_of(forty))


def test_the_order_of_the_rows_changes_nothing() -> None:
    country = small.country()
    turned = country.but(looked_after=country.looked_after.iloc[::-1], population=country.population.iloc[::-1])
    first, second = (trends.changes(each.windows, frozenset(), CLASSES) for each in (country, turned))
    pd.testing.assert_frame_equal(first, second)


def test_swapping_the_ends_turns_every_change_round(forty: Numbers) -> None:
    there = changes_of(forty)
    back = changes_of({code: (n1, n0, p1, p0) for code, (n0, n1, p0, p1) in forty.items()})
    np.testing.assert_allclose(back["change_log"], -there["change_log"], atol=1e-12)
    np.testing.assert_allclose(back["relative_change_log"], -there["relative_change_log"], atol=1e-12)
    opposite = {"up": "down", "down": "up", "little_change": "little_change"}
    assert list(back["movement"]) == [opposite[word] for word in there["movement"]]
    assert list(back["bucked"]) == list(there["bucked"])  # whoever went against a rise goes against the fall


def test_england_is_the_units_weighed_by_their_children(forty: Numbers) -> None:
    """D_E from the pooled sums equals the log of the mean of the units' ratios, weighed by expected children."""
    found = changes_of(forty)
    start_rate = found["looked_after_start"].sum() / found["population_start"].sum()
    ratio = (found["rate_end"] / 10_000 / start_rate * found["population_end"]).sum() / found["population_end"].sum()
    assert found["england_change_pct"].iloc[0] == pytest.approx(100 * (ratio - 1), abs=1e-9)
    one = changes_of({"1": (200, 240, 10_000, 11_000)})
    assert one["relative_change_log"].iloc[0] == pytest.approx(0.0, abs=1e-15)


# ---------------------------------------------------------------------------------------------------------------------
# Summary of windows


def test_the_summary_counts_what_the_units_did() -> None:
    results = small.country().results()
    table = results["windows"].set_index("window_id")
    main = table.loc["main_h5"]
    assert list(main[["units", "units_down", "units_up", "units_bucking"]]) == [3, 1, 2, 1]
    assert list(main[["england_direction", "years", "role"]]) == ["up", 5, "primary"]
    assert main["published_england_number_change_pct"] == pytest.approx(10.0)
    assert main["is_computed"] and pd.isna(main["reason"])


def test_the_summary_says_why_a_window_is_not_computed() -> None:
    table = small.country().results()["windows"].set_index("window_id")
    assert not table.loc["main_h4", "is_computed"]
    assert list(table.loc["main_h4", ["reason", "detail"]]) == ["not_available", "no looked-after counts for 2014"]
    assert pd.isna(table.loc["main_h4", "units"]) and pd.isna(table.loc["main_h4", "england_direction"])
    country = small.country()
    older = country.but(population=country.population.assign(vintage="pre_census"))
    main = older.results()["windows"].set_index("window_id").loc["main_h5"]
    assert list(main[["reason", "detail"]]) == ["no_denominator", "no rebased populations for 2013 or 2018"]


def test_a_flat_country_has_nobody_bucking_rather_than_none() -> None:
    """Null, not 0: the question does not arise."""
    table = small.country({"701": (100, 100), "702": (100, 100)}, {"701": (1000, 1000), "702": (1000, 1000)})
    main = table.results()["windows"].set_index("window_id").loc["main_h5"]
    assert main["england_direction"] == "no_clear_direction" and pd.isna(main["units_bucking"])
    assert list(main[["units", "units_up", "units_down"]]) == [2, 0, 0]


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@pytest.fixture(scope="module")
def real_changes(real: Readings) -> pd.DataFrame:
    data = windows.all_window_data(real.core_looked_after, real.core_population, real.areas, settings.load().windows)
    return trends.changes(data, real.areas.too_small, CLASSES)


def golden(name: str) -> list[dict[str, str]]:
    with (GOLDEN / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@published
@pytest.mark.parametrize("expected", golden("windows.csv"), ids=lambda line: line["window_id"])
def test_every_window_as_worked_out_without_this_code(real_changes: pd.DataFrame, expected: dict[str, str]) -> None:
    own = real_changes.loc[real_changes["window_id"] == expected["window_id"]]
    assert {
        "units": len(own),
        "looked_after_start": int(own["looked_after_start"].sum()),
        "looked_after_end": int(own["looked_after_end"].sum()),
        "units_down": int((own["movement"] == "down").sum()),
        "units_up": int((own["movement"] == "up").sum()),
    } == {
        name: int(expected[name])
        for name in ("units", "looked_after_start", "looked_after_end", "units_down", "units_up")
    }
    assert set(own["england_direction"]) == {expected["england_direction"]}
    bucking = own["bucked"].isna().all() if not expected["units_bucking"] else int(own["bucked"].sum())
    assert bucking == (int(expected["units_bucking"]) if expected["units_bucking"] else True)
    for figure, found in (
        ("england_change_pct", own["england_change_pct"].iloc[0]),
        ("england_number_change_pct", own["england_number_change_pct"].iloc[0]),
        ("median_change_pct", own["change_pct"].median()),
        ("mean_change_log", own["change_log"].mean()),
    ):
        assert found == pytest.approx(float(expected[figure]), rel=1e-9), figure


@published
@pytest.mark.parametrize("window_id", ["prev_h5", "orig_h5"])
def test_who_bucked_the_trend_as_worked_out_without_this_code(real_changes: pd.DataFrame, window_id: str) -> None:
    expected = {line["unit_id"] for line in golden("bucking_units.csv") if line["window_id"] == window_id}
    own = real_changes.loc[(real_changes["window_id"] == window_id) & real_changes["bucked"].fillna(False)]
    assert set(own["unit_id"]) == expected


@published
def test_the_counts_of_2012_to_2017_moved_as_the_readme_says(real: Readings) -> None:
    """README of the looked-after files: among the 149 authorities with more than 30 children, 52 fell."""
    care = panel.care_numbers(real.core_looked_after, real.core_population, real.local_authorities, real.areas)
    counts = care.pivot(index="la_name", columns="year", values="looked_after")[[2012, 2017]].dropna().astype(int)
    large = counts.loc[counts[2012] > 30]
    change_pct = 100 * (large[2017] / large[2012] - 1)
    assert (len(large), int((change_pct < 0).sum())) == (149, 52)
    expected = {line["la_name"]: float(line["change_pct"]) for line in golden("counts_2012_to_2017.csv")}
    ordered = change_pct.sort_values()
    assert {
        name: round(float(change), 1) for name, change in pd.concat([ordered[:3], ordered[-2:]]).items()
    } == expected


@published
def test_published_england_numbers_stand_beside_the_pooled_change(real: Readings, real_changes: pd.DataFrame) -> None:
    """+8.4% from 2012 to 2017 (README of the looked-after files); 80,000 to 81,770 from 2020 to 2025 (methods.md F5)."""
    care = panel.care_numbers(real.core_looked_after, real.core_population, real.local_authorities, real.areas)
    national = panel.national_trend(
        care,
        looked_after.totals(real.looked_after),
        looked_after.national_series(real.series),
        population.totals(real.population),
    )
    data = windows.all_window_data(real.core_looked_after, real.core_population, real.areas, settings.load().windows)
    table = trends.window_summary(data, real_changes, national).set_index("window_id")
    column = "published_england_number_change_pct"
    assert round(float(table.at["orig_h5", column]), 1) == 8.4
    assert table.at["main_h5", column] == pytest.approx(100 * (81_770 / 80_000 - 1))


@published
def test_the_figures_worked_out_before_are_those_of_these_files(tmp_path: Path) -> None:
    """The golden tables are what their script makes of the published files today."""
    from tests.golden import calculate
    from tests.published_files import folder

    calculate.calculate(folder(), tmp_path)
    for name in ("windows.csv", "bucking_units.csv"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (GOLDEN / name).read_text(encoding="utf-8"), name
