"""Unaccompanied asylum-seeking children: source of a year, bounds of a marked cell, units (methods.md B10).

Counts of published cells are those of the README of the published files.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from pipeline import checks, geography, interactive_tool, settings, uasc, uasc_series, unit_series
from pipeline.tables import covariate_tables
from pipeline.tables.frames import empty
from tests.fixtures import small_country as small
from tests.fixtures import small_tool
from tests.fixtures.readings import Readings, pick
from tests.fixtures.small_country import EASTMERE, KINGS_FERRY, MARLSHIRE
from tests.published_files import published

NO_TOOL = empty(covariate_tables.INTERACTIVE_TOOL)
BOUNDS = settings.load().uasc

# One release each up to 2017: the figure of 2015 and later stands there too, and is not the one that is used.
CELLS = [
    *((code, year, year, "looked_after", count) for code, count in ((MARLSHIRE, 612), (KINGS_FERRY, 3))
      for year in (2014, 2015, 2023, 2024)),
    (MARLSHIRE, 2014, 2014, "uasc", 30),
    (KINGS_FERRY, 2014, 2014, "uasc", "x"),
    (MARLSHIRE, 2015, 2015, "uasc", 33),
    (KINGS_FERRY, 2015, 2015, "uasc", 7),
]  # fmt: skip


def tool(*files: small_tool.ToolFile) -> pd.DataFrame:
    """`core.interactive_tool` of small editions."""
    return interactive_tool.authorities(pd.concat([file.read()[1] for file in files], ignore_index=True))


def panel(cells: list = CELLS, editions: pd.DataFrame = NO_TOOL) -> pd.DataFrame:
    """`main.care_numbers` of Marlshire and Kings Ferry."""
    from pipeline import panel as panels

    local = small.local_authorities({MARLSHIRE: "Marlshire", KINGS_FERRY: "Kings Ferry"})
    areas = geography.build_areas(local, small.area_changes([]))
    return panels.care_numbers(small.looked_after(cells), small.population([]), local, areas, editions)


def at(frame: pd.DataFrame, la_code: str, year: int) -> dict[str, object]:
    """The row's columns about UASC; missing is None."""
    (row,) = pick(frame, la_code=la_code, year=year).to_dict("records")
    return {
        name.removeprefix("uasc_"): None if pd.isna(value) else value for name, value in row.items() if "uasc" in name
    }


NOTHING = {
    "uasc": None, "marker": None, "low": None, "high": None, "bound_unsure": None, "source": None, "release": None,
    "looked_after_without_uasc_low": None, "looked_after_without_uasc_high": None,
}  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# The source of a year


def test_up_to_2014_the_releases_speak() -> None:
    assert at(panel(), MARLSHIRE, 2014) == {
        "uasc": 30, "marker": None, "reason": None, "low": 30, "high": 30, "bound_unsure": False,
        "source": "release", "release": 2014,
        "looked_after_without_uasc_low": 582, "looked_after_without_uasc_high": 582,
    }  # fmt: skip


def test_from_2015_on_the_releases_do_not() -> None:
    """Without the tool there is no figure, though the release of 2015 has one."""
    for code in (MARLSHIRE, KINGS_FERRY):
        assert at(panel(), code, 2015) == {**NOTHING, "reason": "uasc_not_available"}


def test_the_newest_edition_with_the_year_speaks() -> None:
    """The edition of 2024 has 2023 and 2024, that of 2025 has 2024 and 2025."""
    old, new = small_tool.tool(), small_tool.a_year_on(small_tool.tool())
    frame = panel(editions=tool(old, new))
    assert (at(frame, MARLSHIRE, 2023)["uasc"], at(frame, MARLSHIRE, 2023)["release"]) == (40, 2024)
    assert (at(frame, MARLSHIRE, 2024)["uasc"], at(frame, MARLSHIRE, 2024)["release"]) == (40, 2025)
    assert at(panel(editions=tool(old)), MARLSHIRE, 2024)["uasc"] == 38


def test_a_marker_of_the_newest_edition_stays_a_marker() -> None:
    """Kings Ferry has 0 in 2024 by the edition of 2024, and a marker by the newer one."""
    old, new = small_tool.tool(), small_tool.a_year_on(small_tool.tool())
    assert at(panel(editions=tool(old)), KINGS_FERRY, 2024)["uasc"] == 0
    cell = at(panel(editions=tool(old, new)), KINGS_FERRY, 2024)
    assert (cell["uasc"], cell["marker"]) == (None, "-")


def test_a_year_of_which_the_tool_knows_nothing_is_not_available() -> None:
    assert at(panel(editions=tool(small_tool.tool())), MARLSHIRE, 2015)["reason"] == "uasc_not_available"


def test_an_authority_without_a_row_has_no_bounds() -> None:
    cells = [cell for cell in CELLS if cell[:2] != (KINGS_FERRY, 2014) or cell[3] != "uasc"]
    assert at(panel(cells), KINGS_FERRY, 2014) == {**NOTHING, "reason": "not_available"}


# ---------------------------------------------------------------------------------------------------------------------
# Bounds


def test_a_marked_cell_is_bounded_and_unsure() -> None:
    """Marker x hides 1 to 5, or more by secondary suppression. Kings Ferry looks after 3: none may be left without them."""
    assert at(panel(), KINGS_FERRY, 2014) == {
        "uasc": None, "marker": "x", "reason": "suppressed", "low": 0, "high": 5, "bound_unsure": True,
        "source": "release", "release": 2014,
        "looked_after_without_uasc_low": 0, "looked_after_without_uasc_high": 3,
    }  # fmt: skip


def test_the_tools_marker_says_no_more_than_that_there_is_no_number() -> None:
    cell = at(panel(editions=tool(small_tool.tool())), KINGS_FERRY, 2023)
    assert (cell["reason"], cell["low"], cell["high"], cell["bound_unsure"]) == ("not_available", 0, 5, True)


def test_a_published_zero_is_a_number() -> None:
    cell = at(panel(editions=tool(small_tool.tool())), KINGS_FERRY, 2024)
    assert (cell["uasc"], cell["low"], cell["high"], cell["bound_unsure"]) == (0, 0, 0, False)


def test_another_marker_of_the_releases_is_not_bounded() -> None:
    """`..` is not available: nothing says that it is small."""
    cells = [*CELLS[:-4], (MARLSHIRE, 2014, 2014, "uasc", 30), (KINGS_FERRY, 2014, 2014, "uasc", "..")]
    cell = at(panel(cells), KINGS_FERRY, 2014)
    assert (cell["uasc"], cell["reason"], cell["low"], cell["high"]) == (None, "not_available", None, None)


def test_a_suppressed_count_stays_unknown_without_uasc() -> None:
    cells = [(KINGS_FERRY, 2014, 2014, "looked_after", "x") if cell[:4] == (KINGS_FERRY, 2014, 2014, "looked_after")
             else cell for cell in CELLS]  # fmt: skip
    cell = at(panel(cells), KINGS_FERRY, 2014)
    assert (cell["looked_after_without_uasc_low"], cell["looked_after_without_uasc_high"]) == (None, None)


def test_no_other_authority_tells_what_a_marked_cell_hides() -> None:
    """Differencing: whatever the others and England have, a marked row stays the same."""
    rows = small.looked_after(CELLS)[["la_code", "year"]].drop_duplicates()
    marked = []
    for others in (0, 30, 610):
        cells = [(*cell[:4], others) if cell[0] == MARLSHIRE and cell[3] == "uasc" else cell for cell in CELLS]
        own = uasc.of_authorities(rows, small.looked_after(cells), NO_TOOL, BOUNDS)
        marked.append(pick(own, la_code=KINGS_FERRY).reset_index(drop=True))
    pd.testing.assert_frame_equal(marked[0], marked[1])
    pd.testing.assert_frame_equal(marked[1], marked[2])


# ---------------------------------------------------------------------------------------------------------------------
# Units


def test_a_unit_adds_up_bounds_and_points_of_its_members() -> None:
    """Old Shire was divided in 2024: one marked part and one with 38 make 38 to 43, and 40.5 at the point."""
    names = {MARLSHIRE: "Marlshire", KINGS_FERRY: "Kings Ferry", EASTMERE: "Old Shire"}
    changes = [(EASTMERE, new, "split", dt.date(2023, 4, 1)) for new in (MARLSHIRE, KINGS_FERRY)]
    local = small.local_authorities(names)
    areas = geography.build_areas(local, small.area_changes(changes))
    frame = pd.DataFrame(
        {
            "la_code": pd.array([EASTMERE, MARLSHIRE, KINGS_FERRY], dtype="string"),
            "year": pd.array([2020, 2024, 2024], dtype="Int64"),
            "uasc_low": pd.array([50, 38, 0], dtype="Int64"),
            "uasc_high": pd.array([50, 38, 5], dtype="Int64"),
            "uasc_bound_unsure": pd.array([False, False, True], dtype="boolean"),
            "uasc_reason": pd.array([None, None, "not_available"], dtype="string"),
        }
    )
    (unit,) = geography.units(areas, 2020, 2024)
    cells = uasc_series.cells(frame)

    def both(source: unit_series.Cells) -> list[float]:
        return unit_series.of_units([unit], [2020, 2024], source, areas).over([2020, 2024])[0].tolist()

    assert (both(cells.low), both(cells.high), both(cells.point)) == ([50, 38], [50, 43], [50, 40.5])
    assert both(cells.unsure) == [0, 1]


def test_a_unit_without_a_source_has_the_reason_of_its_year() -> None:
    frame = panel()
    local = small.local_authorities({MARLSHIRE: "Marlshire", KINGS_FERRY: "Kings Ferry"})
    areas = geography.build_areas(local, small.area_changes([]))
    cells = uasc_series.cells(frame)
    found = unit_series.of_units(geography.units(areas, 2014, 2015), [2014, 2015, 2016], cells.point, areas)
    assert found.at(2014).tolist() == [30, 2.5]
    assert np.isnan(found.over([2015, 2016])).all()
    assert set(found.reasons[:, 1:].ravel()) == {"uasc_not_available"}


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
def test_marked_cells_of_the_releases(real: Readings) -> None:
    """README: `x` in 48, 50, 50 and 47 authorities, 2011 to 2014."""
    marked = pick(real.panel, uasc_source="release").groupby("year")["uasc_marker"].count()
    assert marked.to_dict() == {2011: 48, 2012: 50, 2013: 50, 2014: 47}


@published
def test_each_year_has_the_source_that_the_method_names(real: Readings) -> None:
    """methods.md B10: 2015 from the edition of May 2025, 2016 to 2025 from that of April 2026; 2010 from nowhere."""
    there = real.panel.dropna(subset=["uasc_source"])
    sources = there.groupby("year").agg(source=("uasc_source", "unique"), release=("uasc_release", "unique"))
    found = {int(year): (*row.source, *map(int, row.release)) for year, row in sources.iterrows()}
    assert found == {
        **{year: ("release", year) for year in range(2011, 2015)},
        2015: ("interactive_tool", 2024),
        **{year: ("interactive_tool", 2025) for year in range(2016, 2026)},
    }
    assert set(pick(real.panel, year=2010)["uasc_reason"]) == {"uasc_not_available"}


@published
def test_every_authority_and_year_with_a_source_has_bounds(real: Readings) -> None:
    """But for the Isles of Scilly, which the releases leave out."""
    frame = real.panel.loc[real.panel["year"] > 2010]
    without = frame.loc[frame["uasc_low"].isna()]
    assert set(without["la_code"]) == {"420"} and set(without["year"]) == {2011, 2012, 2013, 2014}
    assert (frame["uasc_low"] >= 0).all() and (frame["uasc_low"] <= frame["uasc_high"]).all()
    assert (frame["looked_after_without_uasc_low"].dropna() >= 0).all()
    marked = frame["uasc_marker"].notna()
    assert (frame.loc[marked, "uasc_high"] - frame.loc[marked, "uasc_low"] == 5).all()
    assert frame.loc[marked, "uasc"].isna().all()


@published
def test_england_lies_between_the_sums_of_the_bounds(real: Readings) -> None:
    """The tool's England row, rounded to 10, is not used for any of this; from 2016 on it lies within the bounds."""
    england = interactive_tool.newest_edition(interactive_tool.totals(real.tool))
    england = pick(england, area_code="970", measure="uasc").set_index("year")["value"]
    sums = real.panel.groupby("year")[["uasc_low", "uasc_high"]].sum()
    for year in range(2016, 2026):
        assert sums.at[year, "uasc_low"] - 5 <= england[year] <= sums.at[year, "uasc_high"] + 5, year


@published
def test_a_marked_row_says_the_same_as_any_other_marked_row(real: Readings) -> None:
    """City of London and Scilly are the only ones marked in 2024 and 2025, so England less the rest would tell of them.

    Their rows hold bounds that hold for every marked cell, and what follows from those and their own count.
    """
    marked = real.panel.loc[real.panel["uasc_marker"].notna()]
    assert set(marked.loc[marked["year"] >= 2024, "la_code"]) == {"201", "420"}
    assert marked["uasc"].isna().all()
    assert set(zip(marked["uasc_low"], marked["uasc_high"], marked["uasc_bound_unsure"], strict=True)) == {(0, 5, True)}
    counted = marked.dropna(subset=["looked_after"])
    assert (counted["looked_after_without_uasc_low"] == (counted["looked_after"] - 5).clip(lower=0)).all()
    assert (counted["looked_after_without_uasc_high"] == counted["looked_after"]).all()


@published
def test_no_column_holds_what_england_leaves_for_the_only_one_suppressed(real: Readings) -> None:
    """In 2025 City of London alone has no count."""
    frame = pick(real.panel, year=2025)
    lone = frame.loc[frame["looked_after_reason"] == "suppressed"]
    assert set(lone["la_code"]) == {"201"}
    england = interactive_tool.totals(real.tool)
    (published_count,) = pick(england, area_code="970", measure="looked_after", year=2025)["value"]
    rest = published_count - frame["looked_after"].sum()
    numbers = lone.select_dtypes("number").drop(columns=["year", "release", "uasc_release"]).iloc[0].dropna()
    assert rest not in numbers.to_list()
    assert {"looked_after", "rate_per_10k", "published_rate_per_10k", "uasc"}.isdisjoint(numbers.index)
    assert {"looked_after_without_uasc_low", "looked_after_without_uasc_high"}.isdisjoint(numbers.index)


@published
def test_the_checks_of_the_tool_find_nothing(real: Readings) -> None:
    """README: the tool's value for a year is that of the last release containing the year, equal in every such cell."""
    found = checks.of_interactive_tool(
        real.core_tool, real.core_looked_after, real.core_spending, real.panel, settings.load().checks
    )
    assert [row["n_failed"] for row in found] == [0] * len(found)
    follows = {row["scope"]: row["n"] for row in found if row["check_name"] == checks.TOOL_FOLLOWS}
    assert set(follows) == {"edition 2024", "edition 2025"} and min(follows.values()) > 2000
