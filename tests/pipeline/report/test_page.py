"""Tables, charts and pages as plain data."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from pipeline.chart_parts import About, finish
from pipeline.report import page
from pipeline.report.page import Chart, Column, DataTable, Page

COLUMNS = (
    Column("name", "Authority", link="page"),
    Column("rate", "Per 10,000", "rate", reason="why"),
)
ROWS = [
    {"name": "Marlshire", "page": "authorities/701.html", "rate": 20.123456789, "why": None},
    {"name": "Kings Ferry, City of", "page": None, "rate": None, "why": "no_denominator"},
]
TABLE = DataTable("rates", "Rates", COLUMNS, ROWS)


def test_a_missing_value_shows_its_reason() -> None:
    assert [COLUMNS[1].shown(row) for row in ROWS] == ["20.1", "no denominator"]


def test_sorting_is_by_the_unrounded_number_and_a_missing_one_has_none() -> None:
    assert [COLUMNS[1].sort_value(row) for row in ROWS] == ["20.123456789", ""]
    assert COLUMNS[1].sort_value({"rate": pd.NA}) == ""


def test_a_cell_leads_to_its_page() -> None:
    assert [COLUMNS[0].address(row) for row in ROWS] == ["authorities/701.html", None]


def test_the_csv_file_has_unrounded_values_reasons_and_the_country() -> None:
    read = list(csv.reader(io.StringIO(TABLE.csv("Sarnland (fictional)"))))
    assert read == [
        ["name", "rate", "why", "country"],
        ["Marlshire", "20.123456789", "", "Sarnland (fictional)"],
        ["Kings Ferry, City of", "", "no_denominator", "Sarnland (fictional)"],
    ]


@pytest.mark.parametrize("name", ["Rates", "a b", "../a", "", "a_b"])
def test_a_table_needs_a_name_that_names_a_file(name: str) -> None:
    with pytest.raises(ValueError, match="names no file"):
        DataTable(name, "Rates", COLUMNS, ROWS)


def test_a_chart_needs_a_text_alternative() -> None:
    with pytest.raises(ValueError, match="no text alternative"):
        Chart("rates", "Rates", {}, "", TABLE)


def test_two_parts_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two parts named 'rates'"):
        page.by_name([TABLE, TABLE], "index.html")


def test_the_words_of_a_finished_drawing_become_text_of_the_page() -> None:
    drawn = finish({"mark": "point"}, "Rates of 2030", ["All of them."], About("Sarnland", True), "nobody")
    chart = page.from_finished("rates", drawn, "Two dots.", TABLE, methods="change")
    assert (chart.title, chart.told) == ("Rates of 2030", ("All of them.",))
    assert chart.source == "Source: invented files in the layouts of: nobody."
    assert "title" not in chart.spec and "title" not in chart.spec["vconcat"][0]
    assert "title" in drawn  # the drawing itself stays as it was
    assert chart.methods_address == "methods.html#change"


def test_a_page_knows_the_way_to_the_folder_of_the_site() -> None:
    deep = Page("authorities/701.html", "authorities", "Marlshire", "authority.html")
    assert deep.root == "../"
    assert deep.csv_file(TABLE) == "tables/authorities/701-rates.csv"
    assert Page("index.html", "overview", "Overview", "overview.html").root == ""


def test_the_page_of_a_unit_of_several_authorities() -> None:
    assert page.authority_file("940+941") == "authorities/940-941.html"
