"""Children in low income families: the workbook of either series, on constructed ones, for no published one was seen.

Sheet names, headings and markers are those that public code for these workbooks relies on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from pipeline.corrections import Correction
from pipeline.errors import Refusal
from pipeline.readers import layouts, low_income_families
from pipeline.readers.layout import DEPRIVATION, Edition
from tests.fixtures import low_income_families_files as files
from tests.fixtures import small_tables as small
from tests.fixtures.deprivation_files import KNOWLEDGE, LOWER, UPPER, Book
from tests.fixtures.low_income_families_files import OWN, OWN_FROM_2022
from tests.fixtures.readings import pick
from tests.fixtures.small_tables import EASTMERE, KINGS_FERRY, MARLSHIRE

CHILDREN, SHARE = low_income_families.CHILDREN, low_income_families.SHARE
BOOKS: dict[str, Callable[[], Book]] = {"to 2024": files.to_2024, "from 2022": files.from_2022}
each_series = pytest.mark.parametrize("book", [make() for make in BOOKS.values()], ids=list(BOOKS))
each_form = pytest.mark.parametrize("as_bytes", [Book.content, files.ods], ids=["xlsx", "ods"])


def read(book: Book) -> pd.DataFrame:
    return small.read(book.content(), book.file, KNOWLEDGE)[1]


def refusal_of(book: Book) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(book)
    assert caught.value.remedy
    return caught.value


def figures(cells: pd.DataFrame, code: str, year: int) -> dict[str, float]:
    return {row.measure: row.value for row in pick(cells, area_code=code, year=year).itertuples()}


# ---------------------------------------------------------------------------------------------------------------------
# What is read


@each_form
@each_series
def test_counts_and_shares_are_read_from_either_form(book: Book, as_bytes: Callable[[Book], bytes]) -> None:
    cells = small.read(as_bytes(book), book.file, KNOWLEDGE)[1]
    assert figures(cells, MARLSHIRE, 2023) == {CHILDREN: 2000, SHARE: 17.5}
    assert figures(cells, KINGS_FERRY, 2024) == {CHILDREN: 1005, SHARE: 15.0}
    assert set(cells["area_level"]) == {"authority", "district"}
    assert set(cells["area_code"]) == {MARLSHIRE, KINGS_FERRY, EASTMERE, UPPER, LOWER}  # and no area abroad


@pytest.mark.parametrize(
    ("book", "edition", "years"),
    [(files.to_2024(), 2024, range(2015, 2025)), (files.from_2022(), 2025, range(2022, 2026)),
     (files.from_2022(range(2022, 2027)), 2026, range(2022, 2027))],
)  # fmt: skip
def test_the_last_year_is_the_release(book: Book, edition: int, years: range) -> None:
    found, cells = small.read(book.content(), book.file, KNOWLEDGE)
    assert found == Edition(release=edition)
    assert sorted(cells["year"].unique()) == list(years)
    assert set(cells["release"]) == {edition}


def test_a_figure_leads_back_to_its_cell() -> None:
    cells = read(files.to_2024(header_row=9))
    (row,) = pick(cells, area_code=KINGS_FERRY, year=2024, measure=SHARE).itertuples()
    assert (row.source_row, row.ons_code, row.area_name) == (12, "Q06000002", "Kings Ferry")
    assert row.source_column == "Percentage of children FYE 2024 (%) [p] [note 3]"


def test_markers_are_kept_and_are_no_numbers() -> None:
    cells = pick(read(files.to_2024()), area_code=EASTMERE, year=2020).set_index("measure")
    assert cells["value"].isna().all()
    assert cells["marker"].to_dict() == {CHILDREN: "[low]", SHARE: "[x]"}


def test_the_sheet_before_housing_costs_is_taken() -> None:
    """The other sheets of both workbooks have a share of 0.1 per cent everywhere."""
    for make in BOOKS.values():
        cells = read(make())
        assert (cells.loc[cells["measure"] == SHARE, "value"].dropna() >= 10).all()


@pytest.mark.parametrize("header_row", [5, 9, 10])
def test_the_header_row_is_found_by_its_words(header_row: int) -> None:
    assert figures(read(files.to_2024(header_row=header_row)), MARLSHIRE, 2015)[SHARE] == 17.5


def test_the_sheet_of_the_release_of_2021_had_another_number() -> None:
    assert len(read(files.to_2024().renamed("1_Relative_Local_Authority"))) == 5 * 10 * 2


def test_headings_without_the_sign_of_per_cent_are_known() -> None:
    book = files.to_2024()
    rows = [files.header(files.YEARS_TO_2024, per_cent="") if row == book.rows[8] else row for row in book.rows]
    assert small.figures(read(book.with_rows(rows))) == small.figures(read(book))


def test_a_correction_finds_its_figure() -> None:
    entry = Correction("1", low_income_families.LAYOUT, "set_missing", 2024, SHARE, f"{MARLSHIRE} 2015 17.5", "[x]",
                       "a reason", "a source")  # fmt: skip
    book = files.to_2024()
    cells = small.read(book.content(), book.file, replace(KNOWLEDGE, corrections=(entry,)))[1]
    (row,) = pick(cells, area_code=MARLSHIRE, year=2015, measure=SHARE).itertuples()
    assert (pd.isna(row.value), row.marker) == (True, "[x]")


def test_the_register_says_that_no_published_file_was_seen() -> None:
    layout = layouts.BY_NAME[low_income_families.LAYOUT]
    assert layout.publication == DEPRIVATION
    assert "layout not yet seen" in layout.title


# ---------------------------------------------------------------------------------------------------------------------
# What is refused


@pytest.mark.parametrize(
    "years",
    [range(2015, 2022), range(2015, 2023), range(2015, 2024), range(2015, 2026), range(2016, 2025), range(2021, 2025),
     [2015, *range(2017, 2025)], [2022, 2024, 2025]],
    ids=str,
)  # fmt: skip
def test_other_years_tell_no_series(years: range | list[int]) -> None:
    """Releases up to March 2024 are calibrated by region: they began with 2015 as well and are not comparable."""
    refusal = refusal_of(files.to_2024(years))
    assert refusal.code == "unknown_basis"
    assert "calibrated" in refusal.problem


def test_the_newer_series_must_say_that_it_is_before_housing_costs() -> None:
    refusal = refusal_of(files.from_2022().renamed("1_Relative_Local_Authority"))
    assert (refusal.code, "BHC" in refusal.problem) == ("unknown_basis", True)


@each_series
def test_without_its_sheet_a_workbook_is_refused_by_the_names_it_has(book: Book) -> None:
    refusal = refusal_of(book.renamed("A_Sheet"))
    assert (refusal.code, "A_Sheet" in refusal.problem) == ("missing_sheet", True)


def test_two_sheets_that_could_be_meant_are_refused() -> None:
    book = files.to_2024()
    both = replace(book, sheets={**book.sheets, "9_Relative_Local_Authority": book.rows})
    assert refusal_of(both).code == "doubled_sheet"


@pytest.mark.parametrize(
    ("heading", "other", "named"),
    [
        ("Local Authority [note 2]", "Area", "Local Authority"),
        ("Area Code", "Code", "Area Code"),
        ("Number of children FYE 2020", "Children, 2020", "Number of children FYE 2020"),
        ("Percentage of children \nFYE 2020 (%) [note 3]", "Share", "Percentage of children FYE 2020"),
    ],
)
def test_a_heading_that_was_renamed_is_refused_by_name(heading: str, other: str, named: str) -> None:
    refusal = refusal_of(files.to_2024().with_cell(heading, other))
    assert (refusal.code, refusal.column, refusal.row) == ("missing_column", named, 9)


def test_a_year_that_stands_twice_is_refused() -> None:
    assert refusal_of(files.to_2024().with_cell("Number of children FYE 2020", "Number of children FYE 2019")).code == (
        "doubled_column"
    )


FIRST_COUNT, FIRST_SHARE = 1, 11  # columns after the code


@pytest.mark.parametrize(
    ("right", "text", "code"),
    [
        (FIRST_SHARE, "17.5", "not_a_fraction"),  # in per cent
        (FIRST_SHARE, "17.5%", "unknown_marker"),
        (FIRST_SHARE, "", "blank_cell"),
        (FIRST_SHARE, "-", "unknown_marker"),
        (FIRST_SHARE, "0", "share_is_not_of_its_counts"),
        (FIRST_COUNT, "2000.5", "not_a_count"),
        (FIRST_COUNT, "-5", "not_a_count"),
        (FIRST_COUNT, "2,000", "unknown_marker"),
        (FIRST_COUNT, "..", "unknown_marker"),
    ],
)
def test_a_bad_cell_is_refused_with_its_place(right: int, text: str, code: str) -> None:
    refusal = refusal_of(files.to_2024().with_cell("Q06000001", text, right=right))
    assert (refusal.code, refusal.row, refusal.value) == (code, 11, text)
    assert f"sheet {OWN}" in str(refusal.file)
    assert "FYE 2015" in str(refusal.column)


@pytest.mark.parametrize(
    ("code", "other", "refused"),
    [("Q06000001", "Q06000099", "unknown_area"), ("Q06000001", "Marlshire", "unknown_area"),
     ("Q06000001", "Q06000002", "duplicated_row")],
)  # fmt: skip
def test_an_area_that_is_not_known_or_there_twice_is_refused(code: str, other: str, refused: str) -> None:
    assert refusal_of(files.to_2024().with_cell(code, other)).code == refused


def test_a_sheet_of_other_nations_alone_is_refused() -> None:
    abroad = {code: area for code, area in files.AREAS.items() if not code.startswith("Q")}
    assert refusal_of(files.to_2024().with_rows(files.sheet(files.YEARS_TO_2024, abroad))).code == "no_rows"


def test_a_header_without_rows_is_refused() -> None:
    assert refusal_of(files.to_2024().with_rows(files.sheet(files.YEARS_TO_2024, {}))).code == "no_rows"


def test_a_workbook_of_wards_alone_is_known_and_refused() -> None:
    """It is the publication, and not the part of it that is needed."""
    book = files.from_2022()
    wards = {name: rows for name, rows in book.sheets.items() if name.endswith("Ward")}
    assert OWN_FROM_2022 not in wards
    assert refusal_of(replace(book, sheets=wards)).code == "missing_sheet"


@pytest.mark.parametrize("rows", [[["Area Code", "Local Authority"]], [["Number of children FYE 2024"]], [["Notes"]]])
def test_other_workbooks_are_not_claimed(rows: list[list[str]]) -> None:
    assert small.layout_of_bytes(replace(files.to_2024(), sheets={OWN: rows}).content(), "x.xlsx") is None
