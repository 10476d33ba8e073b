"""What the publisher suppressed stays suppressed: an attack on every published table and page recovers nothing.

The attack is in `disclosure`. It is first shown to work: a leak planted in any of the tables is found.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.tables import catalogue
from tests import published_files
from tests.whole_runs.disclosure import MEASURES, Attack, Cell, Tables, attack
from tests.whole_runs.running import FinishedRun, reading

pytestmark = pytest.mark.whole

# Every table of `main` is attacked, or stands here with why it can hold nothing of a hidden count.
ATTACKED = {
    "main.care_numbers",
    "main.national_trend",
    "main.five_year_change",
    "main.five_year_change_alternates",
    "main.region_trends",
    "main.vintage_effect",
    "main.funnel_levels",
    "main.neighbour_comparison",
    "main.revisions",
}
_OF_UNITS_WITH_A_CHANGE = "made of units that have a change, and a unit with a hidden member has none"
CANNOT_HOLD_ONE = {
    "main.bucking_the_trend": "a view of main.five_year_change",
    "main.baseline_convergence": _OF_UNITS_WITH_A_CHANGE,
    "main.groups_compared": _OF_UNITS_WITH_A_CHANGE,
    "main.neighbour_change": _OF_UNITS_WITH_A_CHANGE,
    "main.regression_coefficients": _OF_UNITS_WITH_A_CHANGE,
    "main.regression_influence": _OF_UNITS_WITH_A_CHANGE,
    "main.regression_models": _OF_UNITS_WITH_A_CHANGE,
    "main.specification_curve": _OF_UNITS_WITH_A_CHANGE,
    "main.specification_curve_summary": _OF_UNITS_WITH_A_CHANGE,
    "main.staggered_adoption": "made of the panel's counts, in which a hidden one is missing",
    "main.study_comparison": _OF_UNITS_WITH_A_CHANGE,
    "main.univariate_associations": _OF_UNITS_WITH_A_CHANGE,
    "main.flag_sensitivity": "numbers of units that have a change; without UASC by the stated middle of the bounds",
    "main.memory_stats": _OF_UNITS_WITH_A_CHANGE,
    "main.null_calibration": _OF_UNITS_WITH_A_CHANGE,
    "main.volatility": _OF_UNITS_WITH_A_CHANGE,
    "main.windows": _OF_UNITS_WITH_A_CHANGE,
    "main.exposures": "of the covariates; the rate at the start is that of a unit whose members are all visible",
    "main.exposure_correlations": "of the covariates",
    "main.data_checks": "compares the publisher's totals with the sum of the visible counts, as anybody can",
    "main.exclusions": "names and reasons, no count of a year",
    "main.exclusion_steps": "numbers of units",
    "main.revisions_summary": "numbers of revised cells that both releases show",
}


def tables_of(database: Path) -> Tables:
    with reading(database) as connection:
        return {name: connection.execute(f"FROM {name}").df() for name in catalogue.BY_NAME}


@pytest.fixture(scope="module")
def demonstration_tables(demonstration: FinishedRun) -> Tables:
    return tables_of(demonstration.database)


@pytest.fixture(scope="module")
def attacked(demonstration_tables: Tables) -> Attack:
    return attack(demonstration_tables)


def told(found: Attack, name: str) -> str:
    """The figures of an attack, for whoever runs the suite with -s and for the reliability page."""
    by = found.intervals
    width = by["publisher_high"] - by["publisher_low"]
    return (
        f"{name}: {len(by)} suppressed cells ({', '.join(f'{m} {n}' for m, n in by['measure'].value_counts().items())});"
        f" {len(found.from_publisher)} totals of the publisher, {len(found.contradictions)} of them contradict others;"
        f" narrowest interval by the publisher alone {width.min():.1f};"
        f" {len(found.from_outputs)} equations from this project's tables, {len(found.narrowed())} intervals narrowed"
    )


def test_nothing_of_the_demonstration_is_recovered(attacked: Attack) -> None:
    print(told(attacked, "demonstration country"))  # noqa: T201 - the figures of the reliability page
    assert set(attacked.intervals["measure"]) == set(MEASURES)
    assert attacked.from_outputs == []
    assert attacked.narrowed().empty


@pytest.mark.published
@pytest.mark.skipif(not published_files.IS_HERE, reason="the published files are not here")
def test_nothing_of_the_published_files_is_recovered(published_run: FinishedRun) -> None:
    found = attack(tables_of(published_run.database))
    print(told(found, "published files"))  # noqa: T201
    headline = found.intervals.loc[found.intervals["measure"] != "uasc"]
    # The complete list of suppressed headline cells in the README of the published files: City of London (started of
    # 2010 to 2015, ceased of 2010, 2012 to 2015 and 2017, count of 2025), Kensington and Chelsea 2010 (both flows), and
    # Isles of Scilly (count and started of 2020; ceased of 2021 is a number in the interactive tool).
    assert headline.groupby(["measure", "la_code"]).size().to_dict() == {
        ("ceased", "201"): 6,
        ("ceased", "207"): 1,
        ("looked_after", "201"): 1,
        ("looked_after", "420"): 1,
        ("started", "201"): 6,
        ("started", "207"): 1,
        ("started", "420"): 1,
    }
    assert found.from_outputs == []
    assert found.narrowed().empty


def test_every_table_is_attacked_or_has_a_reason() -> None:
    tables = {name for name in catalogue.BY_NAME if name.startswith("main.")}
    assert tables == ATTACKED | CANNOT_HOLD_ONE.keys()
    assert not ATTACKED & CANNOT_HOLD_ONE.keys()


@pytest.mark.parametrize("table", [name for name, why in CANNOT_HOLD_ONE.items() if why == _OF_UNITS_WITH_A_CHANGE])
def test_a_unit_with_a_hidden_member_is_not_in_the_tables_of_changes(
    demonstration_tables: Tables, attacked: Attack, table: str
) -> None:
    """Where such a table names units, none of them has a member that is hidden at an end of the window."""
    frame = demonstration_tables[table]
    if "unit_id" not in frame or "leverage" not in frame and "change_pct" not in frame:
        return
    figure = "leverage" if "leverage" in frame else "change_pct"
    hidden = {(c.la_code, c.year) for c in attacked.intervals.itertuples() if c.measure == "looked_after"}
    shown = frame.loc[frame[figure].notna()]
    for end in ("window_start", "window_end"):
        assert not hidden & set(shown[["unit_id", end]].itertuples(index=False, name=None))


def test_revisions_show_no_count_that_a_release_hides(demonstration_tables: Tables) -> None:
    releases = demonstration_tables["core.children_looked_after"]
    keys = ["la_code", "year", "measure", "release"]
    hidden = set(releases.loc[releases["marker_meaning"] == "suppressed", keys].itertuples(index=False, name=None))
    moved = demonstration_tables["main.revisions"]
    for side in ("from", "to"):
        shown = moved.loc[moved[f"value_{side}"].notna(), ["la_code", "year", "measure", f"release_{side}"]]
        assert not hidden & set(shown.itertuples(index=False, name=None))


def test_no_page_and_no_download_shows_a_hidden_count(demonstration: FinishedRun, attacked: Attack) -> None:
    """The pages' tables are these downloads (`test_pages` holds them equal), and a chart has no point without a row."""
    folder = demonstration.workspace.report / "tables" / "authorities"
    files = {"looked_after": "number", "started": "flow", "ceased": "flow", "uasc": "number"}
    looked_at = 0
    for cell in attacked.intervals.itertuples():
        file = folder / f"{cell.la_code}-{files[cell.measure]}.csv"
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if row["year"] == str(cell.year)]
        for row in rows:
            assert row.get(cell.measure, "") == "", (cell, row)
            if cell.measure == "looked_after":
                assert row["rate_per_10k"] == row["looked_after_without_uasc_low"] == "", (cell, row)
            looked_at += 1
    assert looked_at > 100


# ---------------------------------------------------------------------------------------------------------------------
# The attack works: each way that a count could get out, planted


def _cell(found: Attack, measure: str) -> Cell:
    """A hidden cell with room above its least value, so that a leak narrows its interval."""
    own = found.intervals.loc[found.intervals["measure"] == measure]
    widest = own.loc[(own["publisher_high"] - own["publisher_low"]).replace(np.inf, -1).idxmax()]
    return measure, str(widest["la_code"]), int(widest["year"])


def _row(frame: pd.DataFrame, cell: Cell) -> pd.Series:
    return (frame["la_code"] == cell[1]) & (frame["year"] == cell[2])


def _count_filled_in(tables: Tables, found: Attack) -> None:
    panel, cell = tables["main.care_numbers"], _cell(found, "looked_after")
    panel.loc[_row(panel, cell), "looked_after"] = 3


def _flow_filled_in(tables: Tables, found: Attack) -> None:
    panel, cell = tables["main.care_numbers"], _cell(found, "started")
    panel.loc[_row(panel, cell), "started"] = 4


def _rate_left_standing(tables: Tables, found: Attack) -> None:
    panel, cell = tables["main.care_numbers"], _cell(found, "looked_after")
    row = _row(panel, cell)
    panel.loc[row, "rate_per_10k"] = 3 / panel.loc[row, "population_0_17"].astype(float) * 1e4


def _counted_in_the_national_sum(tables: Tables, found: Attack) -> None:
    trend, cell = tables["main.national_trend"], _cell(found, "looked_after")
    trend.loc[(trend["source"] == "sum_of_authorities") & (trend["year"] == cell[2]), "looked_after"] += 3


def _in_the_sum_of_a_region(tables: Tables, found: Attack) -> None:
    regions = tables["main.region_trends"]
    regions.loc[regions["region_level"] == "region", "looked_after_end"] += 3


def _uasc_of_the_truth_in_a_change(tables: Tables, found: Attack) -> None:
    """As if the change without these children had been made from the true count where the panel states bounds."""
    changes = tables["main.five_year_change_alternates"]
    hidden = {(c.la_code, c.year) for c in found.intervals.itertuples() if c.measure == "uasc"}
    own = changes["alternate"].eq("excluding_uasc") & changes["change_log"].notna()
    own &= np.array([pair in hidden for pair in zip(changes["unit_id"], changes["window_end"], strict=True)])
    changes.loc[own, "change_log"] += 0.004


def _level_of_a_year(tables: Tables, found: Attack) -> None:
    levels, cell = tables["main.vintage_effect"], _cell(found, "looked_after")
    extra = levels.iloc[[0]].assign(la_code=cell[1], year=cell[2], looked_after=3)
    tables["main.vintage_effect"] = pd.concat([levels, extra], ignore_index=True)


LEAKS = [
    _count_filled_in,
    _flow_filled_in,
    _rate_left_standing,
    _counted_in_the_national_sum,
    _in_the_sum_of_a_region,
    _uasc_of_the_truth_in_a_change,
    _level_of_a_year,
]


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__.strip("_"))
def test_a_planted_leak_is_found(
    demonstration_tables: Tables, attacked: Attack, leak: Callable[[Tables, Attack], None]
) -> None:
    planted = {name: frame.copy() for name, frame in demonstration_tables.items()}
    leak(planted, attacked)
    found = attack(planted)
    assert found.from_outputs, "the attack overlooks this leak"


def test_a_leak_within_the_interval_narrows_it(demonstration_tables: Tables, attacked: Attack) -> None:
    """The intervals are solved, not only the equations counted: a true count leaves one value."""
    cell = _cell(attacked, "looked_after")
    own = attacked.intervals.loc[lambda f: (f["measure"] == cell[0]) & (f["year"] == cell[2])].iloc[0]
    count = float(np.floor((own["publisher_low"] + own["publisher_high"]) / 2))
    planted = {name: frame.copy() for name, frame in demonstration_tables.items()}
    panel = planted["main.care_numbers"]
    panel.loc[_row(panel, cell), "looked_after"] = int(count)
    narrowed = attack(planted).narrowed()
    assert [tuple(row) for row in narrowed[["measure", "la_code", "year", "low", "high"]].itertuples(index=False)] == [
        (*cell, count, count)
    ]
