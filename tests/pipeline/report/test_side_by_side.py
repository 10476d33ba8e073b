"""Side by side: the data that the script is given."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.report import published as reading
from pipeline.report import side_by_side
from pipeline.report.page import Page
from pipeline.report.published import Published
from pipeline.report.site import Built
from tests.fixtures.small_country import EASTMERE, ISLAND, KINGS_FERRY, MARLSHIRE
from tests.fixtures.small_report import HOSTILE


@pytest.fixture(scope="module")
def page(published: Published) -> Page:
    (only,) = side_by_side.pages(published)
    return only


@pytest.fixture(scope="module")
def data(page: Page) -> dict[str, Any]:
    return dict(page.inlined["side-by-side"])


def test_authorities_are_alphabetical_with_their_figures_in_the_order_of_years(data: dict[str, Any]) -> None:
    assert [one["name"] for one in data["authorities"]] == [HOSTILE, "Isle of Nod", "Kings Ferry, City of", "Marlshire"]
    of_code = {one["code"]: one for one in data["authorities"]}
    assert data["years"][0] == 2013
    assert data["years"][-1] == 2018
    assert (of_code[KINGS_FERRY]["numbers"][0], of_code[KINGS_FERRY]["numbers"][-1]) == (200, 150)
    assert (of_code[KINGS_FERRY]["rates"][0], of_code[KINGS_FERRY]["rates"][-1]) == (20.0, 15.0)
    assert all(len(one[key]) == len(data["years"]) for one in data["authorities"] for key in ("numbers", "rates"))


def test_the_change_is_that_of_the_window_told(data: dict[str, Any]) -> None:
    """Relative to the country's 22/20: 15/22, 39.5/22 and 22/22. The island is not compared."""
    changes = {one["code"]: one["change"] for one in data["authorities"]}
    assert data["window"] == "2013 to 2018"
    assert changes[KINGS_FERRY] == [-31.8, None, None, None]
    assert changes[EASTMERE] == [79.5, None, None, None]
    assert changes[MARLSHIRE][0] == pytest.approx(0)
    assert changes[ISLAND] is None


def test_of_several_windows_the_primary_one_is_taken(report_database: Path, tmp_path: Path) -> None:
    database = tmp_path / "care_numbers.duckdb"
    shutil.copy(report_database, database)
    database.chmod(0o644)
    with duckdb.connect(str(database)) as writing:
        for table in ("main.windows", "main.five_year_change"):
            writing.execute(f"CREATE TEMP TABLE kept AS FROM {table}")
            is_view = writing.execute(
                "SELECT count(*) FROM duckdb_views() WHERE schema_name || '.' || view_name = ?", [table]
            ).fetchall()[0][0]
            if is_view:
                writing.execute(f"DROP VIEW {table}")
            writing.execute(f"CREATE OR REPLACE TABLE {table} AS FROM kept")
            writing.execute("DROP TABLE kept")
            writing.execute(f"INSERT INTO {table} SELECT * REPLACE ('other' AS window_id, 2012 AS window_start,"
                            f" 2017 AS window_end) FROM {table}")  # fmt: skip
            writing.execute(f"INSERT INTO {table} SELECT * REPLACE ('third' AS window_id, 2014 AS window_start,"
                            f" 2018 AS window_end) FROM {table} WHERE window_id <> 'other'")  # fmt: skip
        writing.execute("UPDATE main.windows SET role = 'alternate' WHERE window_id IN ('other', 'third')")
        writing.execute("UPDATE main.windows SET role = 'primary' WHERE window_id NOT IN ('other', 'third')")
    with reading.opened(database) as published:
        (page,) = side_by_side.pages(published)
    assert page.inlined["side-by-side"]["window"] == "2013 to 2018"


def test_there_are_enough_looks_for_all_that_can_be_chosen_and_the_country(data: dict[str, Any]) -> None:
    for channel in ("color", "strokeDash"):
        looks = data["charts"]["rates"]["encoding"][channel]["scale"]["range"]
        assert len({json.dumps(look) for look in looks}) == data["most"] + 1


def test_without_script_the_page_leads_to_the_figures(built: Built) -> None:
    written = (built.folder / "side-by-side.html").read_text(encoding="utf-8")
    assert "<noscript>" in written
    assert "tables/side-by-side-all.csv" in written
    rows = (built.folder / "tables" / "side-by-side-all.csv").read_text(encoding="utf-8-sig").splitlines()
    assert rows[0].startswith("la_code,la_name,region,year,looked_after")
    assert any(row.startswith(f'{KINGS_FERRY},"Kings Ferry, City of",North Sarn,2018,150') for row in rows)
