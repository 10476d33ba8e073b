"""The overview, on a country whose figures are known by hand: 500 of 250,000 children in 2013, 550 of 250,000 in 2018."""

from __future__ import annotations

import pytest

from pipeline.report import overview
from pipeline.report.page import Chart, DataTable, Page, by_name
from pipeline.report.published import Published
from tests.fixtures.small_country import EASTMERE, KINGS_FERRY, MARLSHIRE
from tests.fixtures.small_report import HOSTILE


@pytest.fixture(scope="module")
def page(published: Published) -> Page:
    (only,) = overview.pages(published)
    return only


@pytest.fixture(scope="module")
def charts(page: Page) -> dict[str, Chart]:
    return by_name(page.charts, page.file)


@pytest.fixture(scope="module")
def tables(page: Page) -> dict[str, DataTable]:
    return by_name(page.tables, page.file)


def test_the_country_by_number_and_by_rate(page: Page, charts: dict[str, Chart]) -> None:
    (row,) = charts["number-and-rate"].table.rows
    assert row["window"] == "2013 to 2018"
    assert row["england_number_change_pct"] == pytest.approx(10.0)
    assert row["england_change_pct"] == pytest.approx(10.0)  # 20 per 10,000 and 22 per 10,000
    assert charts["number-and-rate"].told[0] == "2013 to 2018: number +10.0%, rate +10.0%."


def test_every_authority_alphabetical_with_its_change(tables: dict[str, DataTable]) -> None:
    rows = tables["changes"].rows
    assert [row["unit_name"] for row in rows] == [HOSTILE, "Kings Ferry, City of", "Marlshire"]
    changes = {row["unit_id"]: round(row["change_pct"], 6) for row in rows}
    assert changes == {MARLSHIRE: 10.0, KINGS_FERRY: -25.0, EASTMERE: 97.5}  # 20 -> 22, 20 -> 15, 20 -> 39.5
    assert tables["changes"].is_sortable
    assert [row["page"] for row in rows] == ["authorities/703.html", "authorities/702.html", "authorities/701.html"]


def test_without_evidence_the_usual_range_says_why(tables: dict[str, DataTable]) -> None:
    """Three authorities in two years are too few to measure usual movement."""
    shown = {column.key: column.shown(tables["changes"].rows[0]) for column in tables["changes"].columns}
    assert shown["usual_low_pct"] == shown["usual_high_pct"] == shown["grade"] != "–"
    assert not any(letter.isdigit() for letter in shown["grade"])


def test_who_bucked_the_trend(page: Page, tables: dict[str, DataTable]) -> None:
    """Only Kings Ferry fell while the country rose: 15/20 against 22/20 is a relative change of -31.8%."""
    (row,) = tables["bucked"].rows
    assert row["unit_name"] == "Kings Ferry, City of"
    assert row["relative_change_pct"] == pytest.approx(100 * (15 / 22 - 1))
    facts = page.facts["bucking"]
    assert (facts["window"], facts["flagged"], facts["units"], facts["direction"]) == ("2013 to 2018", 1, 3, "up")
    assert not facts["is_judged"]


def test_the_map_has_a_square_for_every_authority_also_those_not_compared(charts: dict[str, Chart]) -> None:
    rows = {row["la_name"]: row for row in charts["map"].table.rows}
    assert set(rows) == {"Marlshire", "Kings Ferry, City of", HOSTILE, "Isle of Nod"}
    assert len({(row["column"], row["line"]) for row in rows.values()}) == 4
    assert rows["Isle of Nod"]["relative_change_pct"] is None
    assert rows["Isle of Nod"]["told"] == "not compared"
    assert rows["Kings Ferry, City of"]["letters"] == "King"
    assert "rose relative to Sarnland by 10% or more in 1 and fell by as much in 1 of 3; 1 are not" in (
        charts["map"].alternative
    )


def test_the_text_of_the_national_series_tells_its_ends(charts: dict[str, Chart]) -> None:
    """The island, too small to be compared, is part of the sum: 500 + 5 and 550 + 6."""
    assert charts["national"].alternative == (
        "Lines by year. From 505 children looked after on 31 March 2013 to 556 in 2018; the highest number is 556 in 2018."
    )


def test_what_stands_behind_the_report(tables: dict[str, DataTable]) -> None:
    (row,) = tables["releases"].rows
    shown = [column.shown(row) for column in tables["releases"].columns]
    assert shown == ["children looked after", "Nobody", "2018", "1", "files of a folder, without a date"]
