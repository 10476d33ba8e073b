"""The interactive tool's cells as core tables, and the invariants that hold them to the files they come from."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline import checks, interactive_tool, settings
from pipeline.readers import layouts
from pipeline.readers.layout import INTERACTIVE_TOOL
from pipeline.tables import covariate_tables
from pipeline.tables.frames import empty
from tests.fixtures import small_country as small
from tests.fixtures import small_tool
from tests.fixtures.readings import Readings, pick
from tests.fixtures.small_tables import EASTMERE, KINGS_FERRY, MARLSHIRE
from tests.published_files import published

TOLERANCES = settings.load().checks


@pytest.fixture(scope="module")
def tidy() -> pd.DataFrame:
    """Two editions: of 2024 with the years 2023 and 2024, and the same a year on."""
    files = (small_tool.tool(), small_tool.a_year_on(small_tool.tool()))
    return pd.concat([file.read()[1] for file in files], ignore_index=True)


@pytest.fixture(scope="module")
def tool(tidy: pd.DataFrame) -> pd.DataFrame:
    return interactive_tool.authorities(tidy)


def numbers(row: checks.Row) -> tuple[object, object]:
    return row["n"], row["n_failed"]


# ---------------------------------------------------------------------------------------------------------------------
# Core tables


def test_authorities_and_totals_are_apart(tidy: pd.DataFrame, tool: pd.DataFrame) -> None:
    totals = interactive_tool.totals(tidy)
    assert set(tool["la_code"]) == {MARLSHIRE, KINGS_FERRY, EASTMERE}
    assert set(zip(totals["area_level"], totals["area_code"], strict=True)) == {("england", "970"), ("region", "980")}
    assert len(tool) + len(totals) == len(tidy)


def test_what_is_missing_says_so_and_nothing_more(tool: pd.DataFrame) -> None:
    marked = tool["marker"].notna()
    assert tool.loc[marked, "value"].isna().all() and set(tool.loc[marked, "reason"]) == {"not_available"}
    assert tool.loc[~marked, "value"].notna().all() and tool.loc[~marked, "reason"].isna().all()


def test_every_value_has_its_unit(tool: pd.DataFrame) -> None:
    units = tool.groupby("measure")["unit"].unique().map(list).to_dict()
    assert units == {
        **{name: ["children"] for name in ("looked_after", "started", "ceased", "uasc")},
        **{name: ["per cent"] for name in ("child_poverty", "free_school_meals_primary")},
        "looked_after_expenditure": ["pounds"],
    }


def test_the_newest_edition_speaks_for_a_year(tool: pd.DataFrame) -> None:
    newest = interactive_tool.newest_edition(tool)
    assert newest.groupby("year")["edition"].unique().map(list).to_dict() == {2023: [2024], 2024: [2025], 2025: [2025]}
    assert not newest.duplicated(["la_code", "year", "measure"]).any()


def test_without_an_edition_the_tables_are_empty() -> None:
    nothing = layouts.empty(INTERACTIVE_TOOL)
    assert interactive_tool.authorities(nothing).empty and interactive_tool.totals(nothing).empty
    assert checks.tool_follows_the_releases(empty(covariate_tables.INTERACTIVE_TOOL), small.looked_after([])) == []


# ---------------------------------------------------------------------------------------------------------------------
# Held to the releases

# The release of 2024 has the figures of the edition of 2024, whose year 2023 was revised since.
RELEASES = [
    (MARLSHIRE, 2023, 2023, "looked_after", 999),
    (MARLSHIRE, 2023, 2024, "looked_after", 612),
    (MARLSHIRE, 2024, 2024, "looked_after", 630),
    (KINGS_FERRY, 2023, 2024, "looked_after", 447),
    (KINGS_FERRY, 2024, 2024, "looked_after", "c"),
]


def follows(tool: pd.DataFrame, cells: list) -> dict[str, checks.Row]:
    return {str(row["scope"]): row for row in checks.tool_follows_the_releases(tool, small.looked_after(cells))}


def test_an_edition_repeats_the_newest_release(tool: pd.DataFrame) -> None:
    """Cells without a number in one of the two are not compared."""
    assert numbers(follows(tool, RELEASES)["edition 2024"]) == (3, 0)


def test_an_edition_is_not_held_to_releases_older_than_its_own(tool: pd.DataFrame) -> None:
    """The edition of 2025 revises 2024, and its release is not here."""
    row = follows(tool, RELEASES)["edition 2025"]
    assert numbers(row) == (0, 0)
    assert "of 1 cells whose last release is not here 1 differ" in str(row["detail"])


def test_a_cell_that_differs_from_its_last_release_is_named(tool: pd.DataFrame) -> None:
    row = follows(tool, [*RELEASES[:2], (MARLSHIRE, 2024, 2024, "looked_after", 629), *RELEASES[3:]])["edition 2024"]
    assert (numbers(row), row["severity"]) == ((3, 1), "warn")
    assert row["detail"] == "701 2024 looked_after: release 2024 has 629, the tool 630"


@pytest.mark.parametrize(("first", "failed"), [(37, 0), (44, 0), (36, 1), (45, 1), (4, 1)])
def test_sums_of_uasc_may_be_revised_by_a_tenth(tool: pd.DataFrame, first: int, failed: int) -> None:
    """The edition of 2024 has 40 in 2023: 4 off 36 and 5 off 45 are more than a tenth, 3 off 37 and 4 off 44 are not.

    Kings Ferry is marked in the edition and is in neither sum.
    """
    own = tool.loc[tool["edition"] == 2024]
    cells = small.looked_after([(MARLSHIRE, 2023, 2023, "uasc", first), (KINGS_FERRY, 2023, 2023, "uasc", 9)])
    (row,) = checks.tool_uasc_near_the_first_releases(own, cells, TOLERANCES)
    assert numbers(row) == (1, failed)


def test_more_unaccompanied_children_than_children_are_named() -> None:
    panel = pd.DataFrame(
        {
            "la_code": [MARLSHIRE, KINGS_FERRY, EASTMERE],
            "year": [2024, 2024, 2024],
            "uasc": pd.array([38, 12, None], dtype="Int64"),
            "looked_after": pd.array([38, 11, 4], dtype="Int64"),
        }
    )
    (row,) = checks.uasc_are_part_of_looked_after(panel)
    assert (numbers(row), row["detail"]) == ((2, 1), "702 2024: 12 of 11")


# ---------------------------------------------------------------------------------------------------------------------
# The published editions


@published
def test_expenditure_is_the_section_251_total_of_the_same_line(real: Readings) -> None:
    """Found by comparing the two publications: 2016 to 2019, 152 authorities a year, equal but for pence."""
    own = pick(real.core_spending, source="section_251", measure="children_looked_after", amount="total_expenditure")
    told = pick(real.core_tool, measure="looked_after_expenditure")[["edition", "la_code", "year", "value"]]
    both = own.merge(told, on=["la_code", "year"]).dropna(subset=["value"])
    assert both.groupby(["edition", "year"]).size().to_dict() == {
        **{(2024, year): 152 for year in range(2016, 2020)},
        **{(2025, year): 152 for year in range(2017, 2020)},
    }
    assert ((both["value"] - both["value_pounds"]).abs() <= 0.51).all()


@published
def test_the_last_edition_equals_the_newest_release(real: Readings) -> None:
    """README: LACnum, LACnum_Start and LACceased, 2018 to 2025 but for 2019, whose last release (2023) is not here."""
    row = {r["scope"]: r for r in checks.tool_follows_the_releases(real.core_tool, real.core_looked_after)}[
        "edition 2025"
    ]
    assert row["n_failed"] == 0
    assert str(row["detail"]).startswith("years 2018, 2020, 2021, 2022, 2023, 2024, 2025 agree")
