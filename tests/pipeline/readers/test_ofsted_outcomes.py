"""The history of ILACS inspections: small fictional workbooks, and the published one by its README."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from pipeline.errors import Refusal
from pipeline.readers import layouts, opening, workbook
from tests.fixtures import ofsted_files as small
from tests.fixtures.ofsted_files import GOOD, INADEQUATE, OUTCOMES_HEADER, OUTSTANDING, RI, STANDARD, Cell, Sheets
from tests.fixtures.readings import Readings, pick
from tests.pipeline.readers.test_ofsted_history import counts, judgements
from tests.published_files import published

SHEET, NEWEST_SHEET = "ILACS_inspection_history", "Inspections_as_at_31_March"
PLACE = f"inspections.xlsx, sheet {SHEET}"
NAME, CODE, INSPECTED, PUBLISHED, TYPE, OVERALL = (
    OUTCOMES_HEADER[at] for at in (2, 1, 5, 6, 7, 8)
)  # fmt: skip
CARE_LEAVERS = OUTCOMES_HEADER[-1]


def changed(row: int, column: str, cell: Cell) -> Sheets:
    """The small workbook with one cell of the history replaced."""
    sheets = small.outcomes()
    sheets[SHEET][row - 1][OUTCOMES_HEADER.index(column)] = cell
    return sheets


def without(*columns: str) -> Sheets:
    sheets = small.outcomes()
    kept = [at for at, name in enumerate(OUTCOMES_HEADER) if name not in columns]
    sheets[SHEET] = [[row[at] for at in kept] if len(row) > 1 else row for row in sheets[SHEET]]
    return sheets


def refusal_of(sheets: Sheets) -> Refusal:
    with pytest.raises(Refusal) as caught:
        small.read(sheets)
    return caught.value


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return small.read(small.outcomes())[2]


@pytest.fixture(scope="module")
def real_outcomes(real: Readings) -> pd.DataFrame:
    return pick(real.judgements, layout="ofsted_outcomes")


# ---------------------------------------------------------------------------------------------------------------------
# Reading


def test_every_row_is_a_judgement(frame: pd.DataFrame) -> None:
    columns = [
        "la_code",
        "framework",
        "inspection_type",
        "inspection_date",
        "publication_date",
        "overall",
        "source_row",
    ]
    assert list(frame[columns].itertuples(index=False, name=None)) == [
        ("701", "ILACS", small.SHORT, dt.date(2018, 7, 2), dt.date(2018, 9, 3), GOOD, 4),
        ("701", "ILACS", small.STANDARD, dt.date(2022, 1, 10), dt.date(2022, 3, 6), RI, 5),
        ("705", "ILACS", small.STANDARD, dt.date(2018, 6, 25), dt.date(2018, 8, 24), RI, 6),
        ("706", "ILACS", small.STANDARD, dt.date(2024, 9, 30), dt.date(2024, 12, 2), OUTSTANDING, 7),
    ]
    assert (frame["release"] == 2025).all() and (frame["source_file"] == PLACE).all()


def test_the_grades(frame: pd.DataFrame) -> None:
    newest = frame.iloc[3]
    assert [newest[name] for name in ("leadership", "help_and_protection", "looked_after", "care_leavers")] == [
        OUTSTANDING, GOOD, GOOD, OUTSTANDING,
    ]  # fmt: skip
    assert frame.iloc[1]["help_and_protection"] == INADEQUATE
    assert frame["care_leavers"].isna().sum() == 3 and frame["not_judged"].isna().all()


def test_the_sheet_may_have_another_name(frame: pd.DataFrame) -> None:
    sheets = {"Table 3" if name == SHEET else name: rows for name, rows in small.outcomes().items()}
    assert judgements(small.read(sheets)[2]) == judgements(frame)


@pytest.mark.parametrize("move", [-2, -1, 4])
def test_the_header_may_stand_in_another_row(frame: pd.DataFrame, move: int) -> None:
    sheets = small.outcomes()
    rows = sheets[SHEET]
    sheets[SHEET] = rows[-move:] if move < 0 else [*([[]] * move), *rows]
    _, edition, moved = small.read(sheets)
    assert edition.release == 2025
    assert judgements(moved) == judgements(frame)
    assert list(moved["source_row"]) == [row + move for row in frame["source_row"]]


def test_headings_may_hold_stray_spaces_and_line_breaks(frame: pd.DataFrame) -> None:
    sheets = small.outcomes()
    sheets[SHEET][2] = [f"  {str(heading).replace(' ', chr(10), 1)} " for heading in sheets[SHEET][2]]
    assert judgements(small.read(sheets)[2]) == judgements(frame)


def test_columns_and_rows_may_stand_in_another_order(frame: pd.DataFrame) -> None:
    sheets = small.outcomes()
    top, body = sheets[SHEET][:3], sheets[SHEET][3:]
    sheets[SHEET] = [*top[:2], top[2][::-1], *(row[::-1] for row in reversed(body))]
    assert judgements(small.read(sheets)[2]) == judgements(frame)


@pytest.mark.parametrize("visit", ["ILACS Focused Visit", "LA Monitoring visit"])
def test_a_visit_is_no_judgement(frame: pd.DataFrame, visit: str) -> None:
    sheets = small.outcomes()
    sheets[SHEET].append(
        [small.LINK, "Q06000001", "Marlshire", "Current", "", dt.date(2024, 2, 5), dt.date(2024, 3, 4), visit]
        + [""] * 5
    )
    assert judgements(small.read(sheets)[2]) == judgements(frame)


def test_an_edition_without_codes_and_inspection_dates_is_read_by_name(frame: pd.DataFrame) -> None:
    """As before 2025. Names that two authorities share are told apart by the publication date."""
    older = small.read(without(CODE, "Local authority status", INSPECTED))[2]
    assert older["inspection_date"].isna().all()
    same = ["la_code", "publication_date", "overall"]
    assert older[same].equals(frame[same])


# ---------------------------------------------------------------------------------------------------------------------
# Refusing


def test_a_new_word_is_refused_and_told_where_to_add_it() -> None:
    refusal = refusal_of(changed(5, OVERALL, "Needs attention"))
    assert (refusal.code, refusal.file, refusal.row) == ("unknown_word", PLACE, 5)
    assert (refusal.column, refusal.value) == (OVERALL, "Needs attention")
    assert "GRADES in pipeline/readers/judgements.py" in refusal.remedy


def test_a_new_type_of_inspection_is_refused() -> None:
    refusal = refusal_of(changed(5, TYPE, "ILACS Long Inspection"))
    assert (refusal.code, refusal.row, refusal.column) == ("unknown_word", 5, TYPE)


@pytest.mark.parametrize("column", [INSPECTED, PUBLISHED])
@pytest.mark.parametrize("text", ["03/09/2018", "3 September 2018", "43346", ""])
def test_a_date_as_text_is_refused(column: str, text: str) -> None:
    refusal = refusal_of(changed(4, column, text))
    assert (refusal.code, refusal.file, refusal.row) == ("not_a_date", PLACE, 4)
    assert (refusal.column, refusal.value) == (column, text)


def test_a_report_before_its_inspection_is_refused() -> None:
    refusal = refusal_of(changed(4, PUBLISHED, dt.date(2018, 6, 29)))
    assert (refusal.code, refusal.row, refusal.value) == ("dates_in_wrong_order", 4, "2018-06-29")


def test_an_unknown_name_is_refused() -> None:
    refusal = refusal_of(changed(5, NAME, "Marlsshire"))
    assert (refusal.code, refusal.row, refusal.value) == ("unknown_authority", 5, "Marlsshire")
    assert "Marlshire" in refusal.remedy


def test_an_unknown_code_is_refused() -> None:
    refusal = refusal_of(changed(5, CODE, "Q06000099"))
    assert (refusal.code, refusal.row, refusal.column) == ("unknown_area", 5, CODE)


def test_a_code_that_is_not_the_names_is_refused() -> None:
    refusal = refusal_of(changed(5, CODE, "Q06000003"))
    assert (refusal.code, refusal.row, refusal.value) == ("name_and_code_differ", 5, "Marlshire")
    assert "Eastmere and Sands (703)" in refusal.problem


def test_a_missing_grade_is_refused() -> None:
    assert refusal_of(changed(4, OVERALL, "")).code == "blank_cell"


def test_care_leavers_are_graded_since_2023() -> None:
    """By the day of the inspection: a report of 2023 on one of 2022 has none."""
    refusal = refusal_of(changed(7, CARE_LEAVERS, ""))
    assert (refusal.code, refusal.row, refusal.column) == ("blank_cell", 7, CARE_LEAVERS)
    sheets = changed(5, INSPECTED, dt.date(2022, 12, 12))
    sheets[SHEET][4][OUTCOMES_HEADER.index(PUBLISHED)] = dt.date(2023, 1, 31)
    del sheets[NEWEST_SHEET]  # it has the inspection under its first date
    assert len(small.read(sheets)[2]) == 4


@pytest.mark.parametrize("sheet", [NEWEST_SHEET, "In-year_inspections"])
@pytest.mark.parametrize("fault", ["lost", "another day", "another grade"])
def test_an_inspection_of_another_sheet_that_is_not_in_the_history_is_refused(sheet: str, fault: str) -> None:
    """Marlshire's report of 6 March 2022 in row 5; a lost row leaves no gap in the history."""
    sheets = small.outcomes()
    if sheet != NEWEST_SHEET:
        sheets[sheet].append([*sheets[NEWEST_SHEET].pop()[:6], STANDARD, RI, RI, INADEQUATE, RI, ""])
        del sheets[sheet][-1][3:4]
        sheets[sheet][-1].insert(3, "North Sarn")
    small.read(sheets)
    if fault == "lost":
        del sheets[SHEET][4]
    else:
        column, cell = (PUBLISHED, dt.date(2022, 3, 8)) if fault == "another day" else (OVERALL, GOOD)
        sheets[SHEET][4][OUTCOMES_HEADER.index(column)] = cell
    refusal = refusal_of(sheets)
    assert (refusal.code, refusal.file) == ("missing_row", PLACE)
    assert "Marlshire published on 2022-03-06" in refusal.problem and sheet in refusal.problem


def test_one_report_in_two_rows_is_refused() -> None:
    sheets = small.outcomes()
    sheets[SHEET].append(sheets[SHEET][3])
    refusal = refusal_of(sheets)
    assert (refusal.code, refusal.row) == ("duplicated_row", 8)
    assert "the same authority and publication date stand in row 4" in refusal.problem


@pytest.mark.parametrize("heading", [name for name in OUTCOMES_HEADER if name not in ("Web link", "Ofsted region")])
def test_a_renamed_heading_is_refused(heading: str) -> None:
    refusal = refusal_of(changed(3, heading, f"{heading} (new)"))
    assert (refusal.code, refusal.file, refusal.row, refusal.column) == ("missing_column", PLACE, 3, heading)
    assert f'nearest heading is "{heading} (new)"' in refusal.problem


def test_a_history_without_rows_is_refused() -> None:
    sheets = small.outcomes()
    sheets[SHEET] = sheets[SHEET][:3]
    assert refusal_of(sheets).code == "no_rows"


def test_other_sheets_alone_are_not_taken_for_it() -> None:
    sheets = small.outcomes()
    del sheets[SHEET]
    assert layouts.recognise(opening.of(small.workbook(sheets), "outcomes.xlsx")) is None


# ---------------------------------------------------------------------------------------------------------------------
# The published workbook: figures of its README


@published
def test_judgements_of_the_published_history(real_outcomes: pd.DataFrame) -> None:
    assert counts(real_outcomes["overall"]) == (55, 107, 74, 35) and len(real_outcomes) == 271
    assert real_outcomes["inspection_type"].value_counts().to_dict() == {small.STANDARD: 171, small.SHORT: 100}
    assert set(real_outcomes["release"]) == {2025}


@published
def test_authorities_of_the_published_history(real_outcomes: pd.DataFrame) -> None:
    """156 names: 42 with one inspection, 113 with two, one with three."""
    assert real_outcomes["la_code"].nunique() == real_outcomes["la_name"].nunique() == 156
    assert real_outcomes.groupby("la_code").size().value_counts().to_dict() == {1: 42, 2: 113, 3: 1}


@published
def test_dates_of_the_published_history(real_outcomes: pd.DataFrame) -> None:
    inspected, reported = real_outcomes["inspection_date"], real_outcomes["publication_date"]
    assert (inspected.min(), inspected.max()) == (dt.date(2018, 1, 29), dt.date(2025, 3, 24))
    assert (reported.min(), reported.max()) == (dt.date(2018, 3, 12), dt.date(2025, 5, 14))


@published
@pytest.mark.parametrize(
    ("la_code", "first"),
    [
        ("839", dt.date(2022, 2, 11)),  # Bournemouth, Christchurch and Poole
        ("838", dt.date(2021, 11, 19)),  # Dorset
        ("940", dt.date(2022, 11, 25)),  # North Northamptonshire
        ("941", dt.date(2022, 11, 25)),  # West Northamptonshire
        ("942", dt.date(2024, 11, 26)),  # Cumberland
        ("943", dt.date(2024, 7, 12)),  # Westmorland and Furness
    ],
)
def test_first_reports_of_successor_authorities(real_outcomes: pd.DataFrame, la_code: str, first: dt.date) -> None:
    assert pick(real_outcomes, la_code=la_code)["publication_date"].min() == first


@published
def test_ended_authorities_keep_their_history(real_outcomes: pd.DataFrame) -> None:
    """Three rows say "No longer exists": Bournemouth, Cumbria, Northamptonshire."""
    ended = pick(real_outcomes, la_code="837"), pick(real_outcomes, la_code="909"), pick(real_outcomes, la_code="928")
    assert [len(rows) for rows in ended] == [1, 1, 1]


@published
def test_the_newest_judgement_of_each_authority_is_the_publishers_own(
    real: Readings, real_outcomes: pd.DataFrame
) -> None:
    """The sheet of newest judgements, which no reader takes, says the same of all 153 authorities: 36, 67, 31, 19."""
    file = real.file_of("ofsted_outcomes", 2025)
    rows = workbook.Workbook(real.bytes_of(file), file.file).rows("Inspections_as_at_31_March")[3:]
    theirs = {(real.knowledge.la_code_of_ons_code[row[1]], row[5], row[6]) for row in rows}
    newest = real_outcomes.sort_values("publication_date").drop_duplicates("la_code", keep="last")
    ours = {
        (row.la_code, row.publication_date.isoformat(), row.overall)
        for row in newest.itertuples()
        if row.la_code not in ("837", "909", "928")
    }
    assert ours == theirs and len(ours) == 153
    assert counts(pd.Series([overall for _, _, overall in ours])) == (36, 67, 31, 19)
