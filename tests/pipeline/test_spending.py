"""Spending: the core table of both returns, and pounds per child in the panel."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from pipeline import checks, geography, settings, spending
from pipeline.errors import Refusal
from pipeline.geography import Areas
from pipeline.readers import layouts
from pipeline.readers.layout import SPENDING
from pipeline.tables import covariate_tables
from pipeline.tables.frames import empty
from tests.fixtures import small_country as small
from tests.fixtures import small_spending as returns
from tests.fixtures import small_tables
from tests.fixtures.readings import Readings, pick
from tests.fixtures.small_tables import EASTMERE, KINGS_FERRY, MARLSHIRE
from tests.published_files import published


def areas_of(*codes: str, changes: tuple = ()) -> Areas:
    local = small.local_authorities({code: f"Authority {code}" for code in codes})
    return geography.build_areas(local, small.area_changes(list(changes)))


AREAS = areas_of(MARLSHIRE, KINGS_FERRY, EASTMERE)


def cells(*files: tuple[list, str, str]) -> pd.DataFrame:
    """Tidy cells of small workbooks: (rows, file, layout)."""
    frames = [
        small_tables.read(returns.workbook({"Sheet1": rows}), file)[1].assign(layout=layout, part="")
        for rows, file, layout in files
    ]
    return pd.concat(frames, ignore_index=True)


def core(*files: tuple[list, str, str]) -> pd.DataFrame:
    return spending.authorities(cells(*files), AREAS)


S251_2016 = (returns.s251(), "s251ye2016.xlsx", "spending_s251")
RO3_2025 = (returns.ro3(), "RO3.xlsx", "spending_ro3")


def tool_of(rows: list[tuple[str, int, int, float | None]]) -> pd.DataFrame:
    """Expenditure cells of the interactive tool: authority, year, edition, pounds."""
    frame = pd.DataFrame(rows, columns=["la_code", "year", "edition", "value"])
    return frame.assign(
        measure="looked_after_expenditure", reason=frame["value"].map(lambda v: "not_available" if pd.isna(v) else None)
    )


def panel_rows(year: int, people: dict[str, int | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "la_code": pd.array(list(people), dtype="string"),
            "year": pd.array([year] * len(people), dtype="Int64"),
            "population_0_17": pd.array(list(people.values()), dtype="Int64"),
            "population_reason": pd.array(
                [None if count else "no_denominator" for count in people.values()], dtype="string"
            ),
        }
    )


def told(frame: pd.DataFrame) -> dict[str, tuple[object, object, object]]:
    """Authority -> pounds per child, basis, reason; missing is None."""
    columns = frame[["spending_per_child", "spending_basis", "spending_reason"]].astype(object)
    plain = columns.where(columns.notna(), None)
    return dict(zip(frame["la_code"], plain.itertuples(index=False, name=None), strict=True))


NO_RETURNS, NO_TOOL = empty(covariate_tables.SPENDING), empty(covariate_tables.INTERACTIVE_TOOL)
PEOPLE = {MARLSHIRE: 10_000, KINGS_FERRY: 5_000, EASTMERE: None}


# ---------------------------------------------------------------------------------------------------------------------
# The core table


def test_both_returns_stand_side_by_side() -> None:
    frame = core(S251_2016, RO3_2025)
    found = set(frame[["source", "year", "definition"]].itertuples(index=False, name=None))
    assert found == {("section_251", 2016, "s251_2013_to_2017"), ("revenue_outturn", 2025, "ro3")}
    assert len(frame) == 24


@pytest.mark.parametrize(
    ("year", "definition"),
    [(2012, "s251_to_2012"), (2013, "s251_2013_to_2017"), (2017, "s251_2013_to_2017"), (2018, "s251_from_2018")],
)
def test_a_year_has_the_definition_of_its_return(year: int, definition: str) -> None:
    assert set(core((returns.s251(), f"s251ye{year}.xlsx", "spending_s251"))["definition"]) == {definition}


def test_a_return_that_came_too_late_has_its_reason() -> None:
    rows = returns.ro3()
    rows[4] = [*rows[4][:5], *["[x]"] * 12]
    frame = core((rows, "RO3.xlsx", "spending_ro3"))
    own = pick(frame, la_code=MARLSHIRE)
    assert own["value_pounds"].isna().all() and set(own["reason"]) == {"not_available"}
    assert pick(frame, la_code=KINGS_FERRY)["reason"].isna().all()


def test_a_file_without_an_authority_in_being_is_refused() -> None:
    """On 31 March 2016; a new authority of 2017 is not asked for."""
    later = ((KINGS_FERRY, "705", "split", dt.date(2017, 4, 1)),)
    spending.authorities(cells(S251_2016), areas_of(MARLSHIRE, KINGS_FERRY, EASTMERE, "705", changes=later))
    with pytest.raises(Refusal) as caught:
        spending.authorities(cells(S251_2016), areas_of(MARLSHIRE, KINGS_FERRY, EASTMERE, "704", "705"))
    assert (caught.value.code, caught.value.file) == ("missing_row", "s251ye2016.xlsx")
    assert "no row for Authority 704 (704) and 1 more authorities, in being on 31 March 2016" in caught.value.problem


def test_without_files_the_table_is_empty() -> None:
    assert spending.authorities(layouts.empty(SPENDING).assign(layout="", part=""), AREAS).empty


# ---------------------------------------------------------------------------------------------------------------------
# Pounds per child


def test_total_expenditure_over_the_panels_children() -> None:
    """5,000,000.75 / 10,000 and 2,500,000 / 5,000; not net, not all services. Eastmere has no population."""
    found = told(spending.per_child(panel_rows(2016, PEOPLE), core(S251_2016), NO_TOOL))
    assert found == {
        MARLSHIRE: (pytest.approx(500.000075, rel=1e-12), "s251_2013_to_2017", None),
        KINGS_FERRY: (500, "s251_2013_to_2017", None),
        EASTMERE: (None, None, "no_denominator"),
    }


def test_the_return_comes_before_the_tool_and_the_tool_after_it() -> None:
    tool = tool_of([(MARLSHIRE, 2016, 2025, 1.0), (MARLSHIRE, 2020, 2024, 7.0), (MARLSHIRE, 2020, 2025, 6_000_000),
                    (KINGS_FERRY, 2020, 2025, None)])  # fmt: skip
    returned = told(spending.per_child(panel_rows(2016, PEOPLE), core(S251_2016), tool))
    assert returned[MARLSHIRE][1] == "s251_2013_to_2017"
    later = told(spending.per_child(panel_rows(2020, PEOPLE), core(S251_2016), tool))
    assert later == {
        MARLSHIRE: (600, "interactive_tool", None),
        KINGS_FERRY: (None, None, "not_available"),
        EASTMERE: (None, None, "not_available"),
    }


def test_the_revenue_outturn_is_never_taken_for_it() -> None:
    found = told(spending.per_child(panel_rows(2025, PEOPLE), core(RO3_2025), NO_TOOL))
    assert set(found.values()) == {(None, None, "not_available")}


def test_without_any_file_every_row_has_its_reason() -> None:
    found = told(spending.per_child(panel_rows(2016, PEOPLE), NO_RETURNS, NO_TOOL))
    assert set(found.values()) == {(None, None, "not_available")}


def test_a_population_of_none_gives_no_figure() -> None:
    """Nor an infinite one."""
    rows = panel_rows(2016, {MARLSHIRE: 10_000}).assign(population_0_17=pd.array([0], dtype="Int64"))
    rows["population_reason"] = pd.array(["no_denominator"], dtype="string")
    assert told(spending.per_child(rows, core(S251_2016), NO_TOOL))[MARLSHIRE] == (None, None, "no_denominator")


@pytest.mark.parametrize(("pounds", "failed"), [(5_000_001, 0), (5_000_001.75, 0), (5_000_002, 1)])
def test_the_tool_repeats_the_return_to_a_pound(pounds: float, failed: int) -> None:
    tool = tool_of([(MARLSHIRE, 2016, 2025, pounds), (KINGS_FERRY, 2016, 2025, None)])
    (row,) = checks.tool_repeats_the_return(tool, core(S251_2016), settings.load().checks)
    assert (row["n"], row["n_failed"]) == (1, failed)


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
def test_the_basis_of_each_year(real: Readings) -> None:
    there = real.panel.dropna(subset=["spending_per_child"])
    bases = {int(year): set(own) for year, own in there.groupby("year")["spending_basis"]}
    assert bases == {
        **{year: {"s251_2013_to_2017"} for year in range(2013, 2018)},
        **{year: {"s251_from_2018"} for year in (2018, 2019)},
        **{year: {"interactive_tool"} for year in range(2020, 2026)},
    }


@published
def test_who_has_no_spending_per_child(real: Readings) -> None:
    """The three of 2019 have no rebased population; four returns of 2024 and 2025 are not in the tool."""
    frame = real.panel.loc[(real.panel["year"] >= 2013) & real.panel["spending_reason"].notna()]
    names = frame.groupby(["spending_reason", "year"])["la_name"].unique().map(set).to_dict()
    three = {"Bournemouth", "Poole", "Dorset"}
    assert names == {
        **{("no_denominator", year): three for year in range(2013, 2020)},
        ("not_available", 2024): {"Cumberland", "Westmorland and Furness"},
        ("not_available", 2025): {"Middlesbrough", "Wandsworth"},
    }
    assert set(real.panel.loc[real.panel["year"] == 2012, "spending_reason"]) == {"no_denominator"}


@published
def test_spending_a_child_by_hand(real: Readings) -> None:
    """Camden 2019: 23,665,543 pounds of total expenditure in the workbook, over the panel's children of mid-2018."""
    (row,) = pick(real.panel, la_code="202", year=2019).itertuples()
    assert row.spending_per_child == pytest.approx(23_665_543 / row.population_0_17, rel=1e-9)


@published
def test_the_two_returns_are_not_one_series(real: Readings) -> None:
    """Sandwell reports a trust's services under another line of the revenue outturn: -20,000 pounds against 57.8 million."""
    (ro3,) = pick(real.core_spending, source="revenue_outturn", la_code="333", year=2025,
                  measure="children_looked_after", amount="net_current_expenditure")["value_pounds"]  # fmt: skip
    (told_by_tool,) = pick(real.core_tool, la_code="333", year=2025, measure="looked_after_expenditure")["value"]
    assert (ro3, told_by_tool) == (-20_000, 57_798_488)
