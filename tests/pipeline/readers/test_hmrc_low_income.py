"""Children in low-income families, HMRC's local measure: six workbooks in four arrangements, none of them dated.

Expected figures of the published files are those of the deprivation README beside them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from pipeline.corrections import Correction
from pipeline.errors import Refusal
from pipeline.readers import layouts, opening
from pipeline.readers.layout import SourceFile
from tests.fixtures import deprivation_files as files
from tests.fixtures import small_tables as small
from tests.fixtures.deprivation_files import KNOWLEDGE, Book, Published
from tests.fixtures.readings import pick
from tests.fixtures.small_tables import EASTMERE, KINGS_FERRY, MARLSHIRE
from tests.published_files import published

BOOKS: dict[str, Callable[[], Book]] = {
    "2011": files.low_income_2011,
    "2015": files.low_income_2015,
    "2016": files.low_income_2016,
}
each_book = pytest.mark.parametrize("book", [make() for make in BOOKS.values()], ids=list(BOOKS))
LOW, BENEFIT, SHARE = "low_income_u16", "child_benefit_u16", "low_income_share_u16"


def read(book: Book) -> pd.DataFrame:
    return small.read(book.content(), book.file, KNOWLEDGE)[1]


def refusal_of(book: Book) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(book)
    return caught.value


def figures(cells: pd.DataFrame, code: str) -> dict[str, float]:
    own = cells.loc[cells["area_code"] == code]
    return {row.measure: row.value for row in own.itertuples()}


# ---------------------------------------------------------------------------------------------------------------------
# The layouts, on small workbooks


@each_book
def test_two_sheets_with_the_figures_are_refused(book: Book) -> None:
    refusal = refusal_of(replace(book, sheets={**book.sheets, "Copy": book.rows}))
    assert refusal.code == "doubled_sheet" and f"{book.summary} and Copy" in refusal.problem


@each_book
def test_counts_and_share_of_an_authority_are_read_in_every_arrangement(book: Book) -> None:
    cells = read(book)
    assert figures(cells, MARLSHIRE) == {LOW: 2000, BENEFIT: 10000, SHARE: 20.0}
    assert figures(cells, KINGS_FERRY) == {LOW: 1005, BENEFIT: 6700, SHARE: 15.0}


@pytest.mark.parametrize(("name", "year"), [("2011", 2011), ("2015", 2015), ("2016", 2016)])
def test_the_country_s_count_tells_the_year(name: str, year: int) -> None:
    """The notes name other years (a revision of 2014, an Act of 2010) and never the one of the snapshot."""
    edition, cells = small.read(BOOKS[name]().content(), "no year in this name.xlsx", KNOWLEDGE)
    assert edition.release == year
    assert set(cells["year"]) == set(cells["release"]) == {year}


def test_a_file_that_nothing_dates_is_refused() -> None:
    book = files.low_income_2011().with_cell("3305", "3310")
    with pytest.raises(Refusal, match=r"3310.*which reporting year.*undated_files.csv") as caught:
        small.read(book.content(), "undated.xlsx", KNOWLEDGE)
    assert caught.value.code == "undated_file"


@each_book
def test_areas_are_known_by_code_and_names_are_kept_as_they_stand(book: Book) -> None:
    """One is misspelt, and up to 2014 an old code stands between code and name."""
    cells = read(book)
    names = {code: set(pick(cells, area_code=code)["area_name"]) for code in (MARLSHIRE, EASTMERE, files.COUNTRY)}
    assert names == {MARLSHIRE: {"Marlshire"}, EASTMERE: {"Eastmear"}, files.COUNTRY: {"Sarnland"}}


def test_places_abroad_are_left_out_and_districts_are_told_apart() -> None:
    cells = read(files.low_income_2016())
    assert set(pick(cells, area_level="district")["area_code"]) == {files.UPPER, files.LOWER}
    assert set(pick(cells, area_level="england")["area_code"]) == {files.COUNTRY}
    assert set(pick(cells, area_level="authority")["area_code"]) == {MARLSHIRE, KINGS_FERRY, EASTMERE}


def test_the_share_over_another_count_of_children_is_not_taken() -> None:
    """In 2016 a second share follows, under a heading that begins with the same words."""
    assert figures(read(files.low_income_2016()), MARLSHIRE)[SHARE] == 20.0


def test_a_dash_stays_a_marker() -> None:
    book = files.low_income_2011().with_cell("0.15", "-")
    share = pick(read(book), area_code=KINGS_FERRY, measure=SHARE)
    assert share["value"].isna().all()
    assert list(share["marker"]) == ["-"]


def test_every_cell_says_where_it_stands() -> None:
    row = pick(read(files.low_income_2015()), area_code=MARLSHIRE, measure=SHARE).iloc[0]
    assert (row["source_row"], row["source_column"]) == (10, "% of Children in low-income families1, Under 16")


# ---------------------------------------------------------------------------------------------------------------------
# Harmless changes


@each_book
def test_the_sheet_is_known_by_its_headings_under_any_name(book: Book) -> None:
    pd.testing.assert_frame_equal(read(book.renamed("Table 1")).drop(columns="source_sha256"),
                                  read(book).drop(columns="source_sha256"))  # fmt: skip


def test_a_sheet_with_some_of_the_figures_is_not_taken_for_the_summary() -> None:
    book = files.low_income_2011()
    extract = [
        ["Local Authority Code", "Local Authority", files.LOW_INCOME, files.CHILD_BENEFIT],
        ["", "", files.UNDER_16, files.UNDER_16],
        ["Q06000001", "Marlshire", "7", "70"],
    ]
    both = replace(book, sheets={"Extract": extract, **book.sheets})
    assert figures(read(both), MARLSHIRE) == {LOW: 2000, BENEFIT: 10000, SHARE: 20.0}


@each_book
def test_a_header_that_moved_down_is_found(book: Book) -> None:
    ours = ["area_code", "measure", "value"]
    pd.testing.assert_frame_equal(read(book.moved_down(3))[ours], read(book)[ours])


def test_columns_that_moved_are_found() -> None:
    """A column more on the left: nothing is read by position."""
    book = files.low_income_2011()
    moved = book.with_rows([["", *row] for row in book.rows])
    assert figures(read(moved), MARLSHIRE) == {LOW: 2000, BENEFIT: 10000, SHARE: 20.0}


# ---------------------------------------------------------------------------------------------------------------------
# Refusals


@pytest.mark.parametrize(
    ("heading", "named"),
    [
        (files.LOW_INCOME, "Children in families in receipt of CTC"),
        (files.CHILD_BENEFIT, "Children in Child Benefit families"),
        (f"{files.SHARE}1", "% of Children in low-income families"),
        ("Local Authority Code", "Local Authority Code"),
    ],
)
def test_a_changed_heading_is_refused_by_its_name(heading: str, named: str) -> None:
    refusal = refusal_of(files.low_income_2011().with_cell(heading, "Something else"))
    assert refusal.code == "missing_column"
    assert named in str(refusal.column)
    assert "sheet Summary" in str(refusal.file)


@pytest.mark.parametrize(
    ("text", "other", "code"),
    [
        ("0.15", "15", "not_a_fraction"),
        ("0.15", "0.0015", "share_is_not_of_its_counts"),
        ("0.15", "0.152", "share_is_not_of_its_counts"),
        ("0.15", "", "blank_cell"),
        ("0.15", "x", "unknown_marker"),
        ("1005", "1005.5", "not_a_count"),
        ("1005", "-5", "not_a_count"),
        ("Q06000002", "Q06000099", "unknown_area"),
        ("Q06000002", "Kings Ferry", "unknown_area"),
        ("Q06000002", "Q06000001", "duplicated_row"),
    ],
)
def test_a_bad_cell_is_refused_with_its_place_and_value(text: str, other: str, code: str) -> None:
    book = files.low_income_2011()
    refusal = refusal_of(book.with_cell(text, other))
    assert (refusal.code, refusal.row) == (code, book.place(text)[0] + 1)
    assert refusal.value == other
    assert "low-income-2011.xlsx, sheet Summary" in str(refusal)


def test_a_count_that_its_share_denies_is_refused() -> None:
    refusal = refusal_of(files.low_income_2011().with_cell("6700", "67000"))
    assert refusal.code == "share_is_not_of_its_counts"
    assert "1005 of 67000 children" in refusal.problem


@pytest.mark.parametrize(("share", "fits"), [("0.142", False), ("0.143", True), ("0.157", True), ("0.158", False)])
def test_a_share_is_held_to_its_counts_as_far_as_rounding_to_five_goes(share: str, fits: bool) -> None:
    """60 of 400 children, each rounded to 5, are between 57.5 / 402.5 = 0.1429 and 62.5 / 397.5 = 0.1572."""
    book = files.low_income_2011().with_cell("1005", "60").with_cell("6700", "400").with_cell("0.15", share)
    if fits:
        assert figures(read(book), KINGS_FERRY)[SHARE] == pytest.approx(100 * float(share))
    else:
        assert refusal_of(book).code == "share_is_not_of_its_counts"


def test_a_damaged_workbook_is_refused() -> None:
    content = files.low_income_2011().content()
    with pytest.raises(Refusal) as caught:
        opening.of(content[: len(content) // 2], "low-income-2011.xlsx")
    assert caught.value.code == "damaged_workbook"
    assert "low-income-2011.xlsx" in str(caught.value)


def test_a_workbook_without_the_summary_is_refused() -> None:
    """The other sheets still tell what it is."""
    book = files.low_income_2011()
    family = [["Local Authority Code", files.BENEFIT, files.LOW_INCOME, f"{files.SHARE}1"], ["", "Couple", "", ""]]
    refusal = refusal_of(replace(book, sheets={"Family type": family}))
    assert refusal.code == "missing_sheet"


def test_a_correction_that_no_longer_fits_is_refused() -> None:
    entry = Correction("kings_ferry", "hmrc_low_income", "set_missing", 2011, SHARE, f"{KINGS_FERRY} 2011 14", "-",
                       "invented", "invented")  # fmt: skip
    content = files.low_income_2011().content()
    layout = layouts.BY_NAME["hmrc_low_income"]
    known = replace(KNOWLEDGE, corrections=(entry,))
    source = SourceFile("low-income-2011.xlsx", content, hashlib.sha256(content).hexdigest())
    with pytest.raises(Refusal, match="kings_ferry") as caught:
        layout.read(source, layout.edition(source, known), known)
    assert caught.value.code == "correction_outdated"
    fitting = replace(known, corrections=(replace(entry, expect=f"{KINGS_FERRY} 2011 15"),))
    share = pick(layout.read(source, layout.edition(source, fitting), fitting), area_code=KINGS_FERRY, measure=SHARE)
    assert share["value"].isna().all()
    assert list(share["marker"]) == ["-"]


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
def test_the_six_snapshots_are_recognised(real_deprivation: Published) -> None:
    cells = pick(real_deprivation.cells.cells, layout="hmrc_low_income")
    authorities = pick(cells, area_level="authority", measure=SHARE).groupby("year").size()
    # 27 counties of 2016 are there by their 201 districts.
    assert dict(authorities) == {**dict.fromkeys(range(2011, 2016), 152), 2016: 152 - 27}
    assert len(pick(cells, area_level="district", measure=SHARE)) == 201


@published
def test_england_fell_from_20_6_to_17_0_per_cent(real_deprivation: Published) -> None:
    england = pick(real_deprivation.cells.cells, layout="hmrc_low_income", area_level="england", measure=SHARE)
    shares = dict(zip(england["year"], england["value"], strict=True))
    assert (shares[2011], shares[2014], shares[2015], shares[2016]) == (20.6, 20.1, 16.8, 17.0)


@published
def test_the_isles_of_scilly_are_suppressed_in_2012_and_2013(real_deprivation: Published) -> None:
    """Published as 0 in one of them, under a note that says suppressed."""
    scilly = pick(real_deprivation.cells.cells, layout="hmrc_low_income", area_code="420")
    hidden = scilly.loc[scilly["marker"].notna()]
    assert set(zip(hidden["year"], hidden["measure"], strict=True)) == {
        (y, m) for y in (2012, 2013) for m in (LOW, SHARE)
    }
    assert not (scilly["value"] == 0).any()
