"""The index of income deprivation affecting children: workbooks by upper tier, and the districts of 2025.

Expected figures of the published files are those of the deprivation README and the outside table beside it.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.errors import Refusal
from tests.fixtures import deprivation_files as files
from tests.fixtures import small_tables as small
from tests.fixtures.deprivation_files import KNOWLEDGE, SHIRE, Book, Published, idaci_workbook
from tests.fixtures.readings import pick
from tests.fixtures.small_tables import EASTMERE, KINGS_FERRY, MARLSHIRE, Table, as_bytes
from tests.published_files import published

BOOKS = {2015: idaci_workbook("2013"), 2019: idaci_workbook("2019", "IDACI"), 2025: idaci_workbook("2024", "IDACI")}
each_book = pytest.mark.parametrize("book", BOOKS.values(), ids=[str(edition) for edition in BOOKS])


def read(book: Book) -> pd.DataFrame:
    return small.read(book.content(), book.file, KNOWLEDGE)[1]


def read_districts(table: Table) -> pd.DataFrame:
    return small.read(as_bytes(table), "indices.csv", KNOWLEDGE)[1]


def values(cells: pd.DataFrame) -> dict[str, float]:
    return dict(zip(cells["area_code"], cells["value"], strict=True))


# ---------------------------------------------------------------------------------------------------------------------
# The workbooks by upper tier


@pytest.mark.parametrize("edition", BOOKS)
def test_the_codes_in_the_headings_tell_the_edition(edition: int) -> None:
    found, cells = small.read(BOOKS[edition].content(), "File_11.xlsx", KNOWLEDGE)
    assert found.release == edition
    assert set(cells["year"]) == {edition}


@each_book
def test_the_score_is_read_in_per_cent(book: Book) -> None:
    assert values(read(book)) == {MARLSHIRE: 25.0, KINGS_FERRY: 7.0, SHIRE: 30.0}


@each_book
def test_the_sheet_is_known_by_its_headings_under_any_name(book: Book) -> None:
    assert values(read(book.renamed("Sheet 9"))) == values(read(book))


@each_book
def test_two_sheets_of_the_index_are_refused(book: Book) -> None:
    doubled = replace(book, sheets={**book.sheets, "Copy": book.rows})
    with pytest.raises(Refusal) as caught:
        read(doubled)
    assert caught.value.code == "doubled_sheet" and f"{book.summary} and Copy" in caught.value.problem


@each_book
def test_a_header_that_moved_down_is_found(book: Book) -> None:
    cells = read(book.moved_down(4))
    assert values(cells) == values(read(book))
    assert list(cells["source_row"]) == [6, 7, 8]


def test_a_summary_by_district_is_another_file() -> None:
    """File 10 has the same sheets, and its headings begin with one word less."""
    book = idaci_workbook("2019", "IDACI")
    heading = "Upper Tier Local Authority District code (2019)"
    lower = book.with_cell(heading, heading.removeprefix("Upper Tier "))
    assert small.layout_of_bytes(lower.content(), "File_10.xlsx") is None


@pytest.mark.parametrize(
    ("heading", "named"),
    [
        ("Upper Tier Local Authority District code (2013)", "Upper Tier Local Authority District code (YYYY)"),
        ("Upper Tier Local Authority District name (2013)", "Upper Tier Local Authority District name (YYYY)"),
        ("Income Deprivation Affecting Children Index (IDACI) - Average score ", "IDACI - Average score"),
    ],
)
def test_a_changed_heading_is_refused_by_its_name(heading: str, named: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(idaci_workbook("2013").with_cell(heading, "Something else"))
    assert (caught.value.code, caught.value.column) == ("missing_column", named)


def test_codes_of_a_year_that_belongs_to_no_edition_are_refused() -> None:
    with pytest.raises(Refusal, match="area codes of 2021") as caught:
        read(idaci_workbook("2021"))
    assert caught.value.code == "unknown_edition"


@pytest.mark.parametrize(
    ("text", "other", "code"),
    [
        ("0.07", "7", "not_a_fraction"),
        ("0.07", "-0.07", "not_a_fraction"),
        ("0.07", "", "blank_cell"),
        ("0.07", "..", "unknown_marker"),
        ("Q06000002", "Q06000099", "unknown_area"),
        ("Q06000002", files.UPPER, "unknown_area"),
        ("Q06000002", "X06000002", "unknown_area"),
        ("Q06000002", "Q06000001", "duplicated_row"),
    ],
)
def test_a_bad_cell_is_refused_with_its_place_and_value(text: str, other: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(idaci_workbook().with_cell(text, other))
    refusal = caught.value
    assert (refusal.code, refusal.row, refusal.value) == (code, 3, other)
    assert str(refusal.file) == "File_11_2013.xlsx, sheet IDACI"


# ---------------------------------------------------------------------------------------------------------------------
# The districts of 2025


def with_cell(table: Table, text: str, other: str) -> Table:
    """Another text in every cell that has `text`."""
    return [[other if cell == text else cell for cell in row] for row in table]


def test_districts_and_single_tier_authorities_are_told_apart() -> None:
    cells = read_districts(files.idaci_districts())
    assert values(pick(cells, area_level="authority")) == {MARLSHIRE: 41.0, KINGS_FERRY: 12.0, EASTMERE: 20.0}
    assert values(pick(cells, area_level="district")) == {files.UPPER: 20.0, files.LOWER: 50.0}
    assert set(cells["measure"]) == {"idaci"}


def test_column_order_and_row_order_change_nothing() -> None:
    table = files.idaci_districts()
    turned = [row[::-1] for row in [table[0], *table[:0:-1]]]
    assert values(read_districts(turned)) == values(read_districts(table))


@pytest.mark.parametrize(
    ("text", "other", "code"),
    [
        ("0.41", "41", "not_a_fraction"),
        ("0.41", "", "blank_cell"),
        ("Q06000001", "Q06000099", "unknown_area"),
        ("Q06000001", "X06000001", "unknown_area"),
        ("Q06000001", "Q06000002", "duplicated_row"),
        ("2025", "2019", "unknown_edition"),
        ("Income Deprivation Affecting Children", "IDACI", "no_rows"),
        ("average_score", "score", "missing_column"),
        ("area_code", "lad24cd", "missing_column"),
    ],
)
def test_a_bad_table_of_districts_is_refused(text: str, other: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_districts(with_cell(files.idaci_districts(), text, other))
    assert caught.value.code == code
    assert caught.value.file == "indices.csv"


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
def test_the_authorities_of_each_edition(real_deprivation: Published) -> None:
    cells = pick(real_deprivation.cells.cells, measure="idaci")
    sizes = cells.groupby(["layout", "year", "area_level"]).size()
    assert dict(sizes) == {
        ("idaci_upper_tier", 2015, "authority"): 152,
        ("idaci_upper_tier", 2019, "authority"): 151,
        # 296 districts and single-tier authorities.
        ("idaci_districts", 2025, "authority"): 132,
        ("idaci_districts", 2025, "district"): 164,
    }


@published
def test_hartlepool_and_worcestershire(real_deprivation: Published) -> None:
    """First and last row of File 11 of 2015: 0.307 and 0.157."""
    cells = pick(real_deprivation.cells.cells, layout="idaci_upper_tier", year=2015)
    assert (values(cells)["805"], values(cells)["885"]) == (30.7, 15.7)
