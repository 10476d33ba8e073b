"""Data quality: counts of what is missing, left out and mended, on the small country and beside the demonstration."""

from __future__ import annotations

import hashlib

import pytest

from pipeline import places
from pipeline.report import quality
from pipeline.report.page import DataTable, Page, by_name
from pipeline.report.published import Published


class Answers:
    """Stands for a database: the rows of each query, by the table that it asks."""

    def __init__(self, **tables: list[dict[str, object]]) -> None:
        self.tables = tables

    def rows(self, sql: str) -> list[dict[str, object]]:
        return self.tables["corrections" if "corrections <> ''" in sql else "hashes"]


FILE = {"file": "cla/2015/SFR34_ADM2015.csv", "release": 2015, "corrections": "adm_2015_header"}


@pytest.fixture(scope="module")
def page(published: Published) -> Page:
    (only,) = quality.pages(published)
    return only


@pytest.fixture(scope="module")
def tables(page: Page) -> dict[str, DataTable]:
    return by_name(page.tables, page.file)


def test_the_island_too_small_is_among_those_left_out(tables: dict[str, DataTable]) -> None:
    (row,) = tables["excluded"].rows
    shown = [column.shown(row) for column in tables["excluded"].columns[:3]]
    assert shown == ["Isle of Nod", "too small", "2013 to 2018"]
    assert tables["excluded"].columns[0].address(row) == "authorities/704.html"


def test_every_check_of_the_database_is_listed(page: Page, published: Published, tables: dict[str, DataTable]) -> None:
    assert page.facts["n_checks"] == len(tables["checks"].rows)
    assert page.facts["n_checks"] == len(published.rows("SELECT check_name FROM main.data_checks"))


def test_a_fault_is_told_with_its_reason_where_the_projects_table_was_used() -> None:
    table = (places.reference_folder() / "publisher_corrections.csv").read_bytes()
    own = Answers(corrections=[FILE], hashes=[{"sha256": hashlib.sha256(table).hexdigest()}])
    faults = quality._faults(own)  # type: ignore[arg-type]
    (row,) = faults.rows
    assert row["handled"] == "taken as the year that its figures are of"
    assert "headers of SFR34_ADM2015.csv still name 2014" in row["why"]


def test_a_fault_by_a_table_of_the_data_folder_is_not_given_the_projects_reason() -> None:
    other = Answers(corrections=[FILE], hashes=[{"sha256": "0" * 64}])
    faults = quality._faults(other)  # type: ignore[arg-type]
    (row,) = faults.rows
    shown = {column.key: column.shown(row) for column in faults.columns}
    assert shown["entry"] == "adm 2015 header"
    assert shown["why"] == "see the corrections table of the data folder"


def test_two_faults_of_one_file_are_two_rows() -> None:
    both = Answers(corrections=[FILE | {"corrections": "one,another"}], hashes=[])
    assert [row["entry"] for row in quality._faults(both).rows] == ["one", "another"]  # type: ignore[arg-type]
