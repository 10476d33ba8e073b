"""The sheet of all inspections since 2009: small fictional workbooks, and the published one by its README."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from pipeline.area_names import NamedArea
from pipeline.errors import Refusal
from pipeline.readers import layouts, opening
from tests.fixtures import ofsted_files as small
from tests.fixtures.ofsted_files import GOOD, INADEQUATE, RI, Cell, Sheets
from tests.fixtures.readings import Readings, pick
from tests.published_files import published

SHEET = "LA_inspections_2009-2023"
PLACE = f"inspections.xlsx, sheet {SHEET}"


def changed(row: int, column: int, cell: Cell) -> Sheets:
    """The small workbook with one cell of the sheet replaced; row and column as a spreadsheet counts."""
    sheets = small.history()
    line = sheets[SHEET][row - 1]
    line += [""] * (column - len(line))
    line[column - 1] = cell
    return sheets


def refusal_of(sheets: Sheets, knowledge: small.Knowledge = small.KNOWLEDGE) -> Refusal:
    with pytest.raises(Refusal) as caught:
        small.read(sheets, knowledge=knowledge)
    return caught.value


def judgements(frame: pd.DataFrame) -> set[tuple[object, ...]]:
    """What a workbook says, without where in it."""
    columns = [name for name in frame if not name.startswith("source_")]
    return set(frame[columns].astype(object).where(frame[columns].notna(), None).itertuples(index=False, name=None))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return small.read(small.history())[2]


@pytest.fixture(scope="module")
def real_history(real: Readings) -> pd.DataFrame:
    return pick(real.judgements, layout="ofsted_history")


# ---------------------------------------------------------------------------------------------------------------------
# Reading


def test_a_row_gives_a_judgement_for_each_inspection(frame: pd.DataFrame) -> None:
    own = pick(frame, la_code=small.MARLSHIRE)
    assert list(own["framework"]) == ["SLAC", "SLAC re-inspection", "CPI", "SIF", "SIF re-inspection", "ILACS", "ILACS"]
    assert list(own["publication_date"]) == [
        dt.date(2010, 2, 5), dt.date(2011, 9, 9), dt.date(2013, 1, 8), dt.date(2014, 6, 2), dt.date(2016, 7, 4),
        dt.date(2018, 9, 3), dt.date(2022, 6, 3),
    ]  # fmt: skip
    assert own["inspection_date"].isna().all()
    assert (own["source_row"] == 6).all() and (own["release"] == 2023).all()


def test_the_grades_of_the_single_inspection_framework(frame: pd.DataFrame) -> None:
    sif = pick(frame, la_code=small.MARLSHIRE, framework="SIF").iloc[0]
    assert [sif["overall"], sif["help_and_protection"], sif["looked_after"], sif["adoption"]] == [
        INADEQUATE, INADEQUATE, RI, GOOD,
    ]  # fmt: skip
    assert [sif["care_leavers"], sif["leadership"], sif["lscb"]] == ["Outstanding", INADEQUATE, RI]
    assert pd.isna(sif["safeguarding"]) and pd.isna(sif["inspection_type"])


def test_both_re_inspections_of_one_day_are_one_judgement(frame: pd.DataFrame) -> None:
    again = pick(frame, framework="SLAC re-inspection").iloc[0]
    assert [again["safeguarding"], again["looked_after"]] == [RI, GOOD]
    assert pd.isna(again["overall"])


def test_a_blank_grade_of_care_leavers_is_not_a_fault(frame: pd.DataFrame) -> None:
    second = pick(frame, la_code=small.MARLSHIRE, framework="ILACS").iloc[1]
    assert second["inspection_type"] == small.STANDARD and second["looked_after"] == RI
    assert pd.isna(second["care_leavers"]) and pd.isna(second["not_judged"])


def test_a_dash_is_not_judged(frame: pd.DataFrame) -> None:
    ferry = pick(frame, la_code=small.KINGS_FERRY).iloc[0]
    assert ferry["safeguarding"] == GOOD and pd.isna(ferry["looked_after"]) and ferry["not_judged"] == "looked_after"
    assert pick(frame, la_code=small.EASTMERE)["not_judged"].iloc[0] == "looked_after, adoption"


def test_the_second_table_is_read_and_its_place_told_from_its_namesake(frame: pd.DataFrame) -> None:
    old, new = pick(frame, la_code=small.OLD_WESTFOLD), pick(frame, la_code=small.NEW_WESTFOLD)
    assert list(old["framework"]) == ["SLAC", "CPI", "SIF", "ILACS"] and (old["source_row"] == 14).all()
    assert list(new["publication_date"]) == [dt.date(2021, 11, 19)] and list(new["source_row"]) == [9]


def test_an_ended_authority_keeps_a_report_from_after_its_end() -> None:
    """The row is of one authority, and its first report is from when only that one was in being."""
    _, _, frame = small.read(changed(14, small.FIRST_ILACS_AT + 1, dt.date(2019, 5, 20)))
    own = pick(frame, la_code=small.OLD_WESTFOLD)
    assert list(own["publication_date"])[-1] == dt.date(2019, 5, 20) and len(own) == 4


def test_the_year_may_be_named_above_the_table_alone() -> None:
    sheets = small.history()
    sheets["LA_level_at_31_Mar_2023"][0] = ["Social care data"]
    sheets[SHEET].insert(0, ["Official statistics"])
    assert small.read(sheets)[1].release == 2023


def test_the_sheet_may_have_another_name(frame: pd.DataFrame) -> None:
    sheets = {"Table 10" if name == SHEET else name: rows for name, rows in small.history().items()}
    _, _, renamed = small.read(sheets)
    assert judgements(renamed) == judgements(frame)
    assert (renamed["source_file"] == "inspections.xlsx, sheet Table 10").all()


@pytest.mark.parametrize("move", [-4, -2, 3])
def test_the_header_may_stand_in_another_row(frame: pd.DataFrame, move: int) -> None:
    """Without any title above the table, the year is in those of the other sheets."""
    sheets = small.history()
    rows = sheets[SHEET]
    sheets[SHEET] = rows[-move:] if move < 0 else [*([[]] * move), *rows]
    _, edition, moved = small.read(sheets)
    assert edition.release == 2023
    assert judgements(moved) == judgements(frame)
    assert set(moved["source_row"]) == {row + move for row in frame["source_row"]}


def test_columns_may_stand_in_another_order(frame: pd.DataFrame) -> None:
    sheets = small.history()
    width = len(small.HISTORY_HEADER)
    sheets[SHEET] = [[*reversed([*row, *[""] * (width - len(row))])] if len(row) > 1 else row for row in sheets[SHEET]]
    assert judgements(small.read(sheets)[2]) == judgements(frame)


def test_a_third_round_needs_no_new_code(frame: pd.DataFrame) -> None:
    sheets = small.history()
    start, end = small.SECOND_ILACS_AT - 1, len(small.HISTORY_HEADER)
    sheets[SHEET][4] += [heading.replace("Second", "Third") for heading in small.HISTORY_HEADER[start:end]]
    sheets[SHEET][5] += [small.SHORT, dt.date(2023, 3, 3), GOOD, GOOD, GOOD, GOOD, RI]
    third = judgements(small.read(sheets)[2]) - judgements(frame)
    assert {(row[0], row[2], row[5], row[6]) for row in third} == {
        (small.MARLSHIRE, "ILACS", dt.date(2023, 3, 3), GOOD)
    }


def test_a_row_without_inspections_says_nothing(frame: pd.DataFrame) -> None:
    sheets = small.history()
    sheets[SHEET].insert(6, small.history_row("Nova Insula", {}))
    assert judgements(small.read(sheets)[2]) == judgements(frame)


# ---------------------------------------------------------------------------------------------------------------------
# Refusing


def test_a_new_word_is_refused_and_told_where_to_add_it() -> None:
    refusal = refusal_of(changed(8, small.SIF_AT + 1, "Strong"))
    assert (refusal.code, refusal.file, refusal.row, refusal.value) == ("unknown_word", PLACE, 8, "Strong")
    assert refusal.column == "First SIF Overall Judgement (OE)"
    assert "GRADES in pipeline/readers/judgements.py" in refusal.remedy


@pytest.mark.parametrize("word", ["good", "Adequate", "RI", "Requires improvement", "1"])
def test_a_word_nearly_known_is_refused(word: str) -> None:
    assert refusal_of(changed(8, small.SIF_AT + 1, word)).code == "unknown_word"


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    refusal = refusal_of(changed(6, 2, "Marlsshire"))
    assert (refusal.code, refusal.file, refusal.row, refusal.value) == ("unknown_authority", PLACE, 6, "Marlsshire")
    assert refusal.column == "Local authority name" and "Marlshire" in refusal.remedy


@pytest.mark.parametrize("text", ["07/07/2014", "7 July 2014", "2014-07", "41827", "2014-07-32", "Good"])
def test_a_date_as_text_is_refused(text: str) -> None:
    refusal = refusal_of(changed(8, small.SIF_AT, text))
    assert (refusal.code, refusal.file, refusal.row, refusal.value) == ("not_a_date", PLACE, 8, text)
    assert refusal.column == "Single Inspection of LA Children's Services (SIF) First SIF publication date"


@pytest.mark.parametrize("day", [dt.date(2005, 6, 2), dt.date(2024, 1, 1)])
def test_a_date_that_cannot_be_is_refused(day: dt.date) -> None:
    refusal = refusal_of(changed(8, small.SIF_AT, day))
    assert (refusal.code, refusal.row, refusal.value) == ("date_out_of_range", 8, day.isoformat())


def test_a_grade_without_a_date_is_refused() -> None:
    refusal = refusal_of(changed(6, small.CPI_AT, ""))
    assert (refusal.code, refusal.row) == ("not_a_date", 6)
    assert refusal.column == "Child Protection Inspections (CPI) publication date"


@pytest.mark.parametrize("column", [small.SLAC_AT + 2, small.SIF_AT + 1, small.FIRST_ILACS_AT + 2, small.CPI_AT + 1])
def test_a_date_without_a_grade_is_refused(column: int) -> None:
    refusal = refusal_of(changed(6, column, ""))
    assert (refusal.code, refusal.row) == ("blank_cell", 6)


def test_a_renamed_heading_is_refused_with_the_nearest() -> None:
    refusal = refusal_of(changed(5, small.SIF_AT + 1, "First SIF judgement, overall (OE)"))
    assert (refusal.code, refusal.file, refusal.row) == ("missing_column", PLACE, 5)
    assert refusal.column == "First SIF Overall Judgement (OE)"
    assert 'nearest heading is "First SIF' in refusal.problem


def test_a_heading_missing_from_the_second_table_is_refused() -> None:
    refusal = refusal_of(changed(13, small.SLAC_AT, "SLAC date"))
    assert (refusal.code, refusal.row) == ("missing_column", 13)


@pytest.mark.parametrize("heading", ["Fourth framework overall effectiveness", ""])
def test_a_column_that_nobody_reads_is_refused_if_it_holds_anything(frame: pd.DataFrame, heading: str) -> None:
    at = len(small.HISTORY_HEADER) + 1
    assert judgements(small.read(changed(5, at, heading))[2]) == judgements(frame)
    sheets = changed(5, at, heading)
    sheets[SHEET][6] += [""] * (at - 1 - len(sheets[SHEET][6])) + [GOOD]
    refusal = refusal_of(sheets)
    assert (refusal.code, refusal.row, refusal.value) == ("unknown_column", 7, GOOD)
    assert refusal.column == (heading or f"column {at} without a heading")


def test_an_authority_in_two_rows_is_refused() -> None:
    sheets = small.history()
    sheets[SHEET].insert(7, small.history_row("The Ferry", {small.SLAC_AT: [dt.date(2011, 1, 4), RI, RI]}))
    refusal = refusal_of(sheets)
    assert (refusal.code, refusal.row) == ("duplicated_row", 8)
    assert "the same authority and inspection stand in row 7" in refusal.problem


def test_two_sheets_of_judgements_are_refused() -> None:
    sheets = small.history()
    sheets["Copy"] = sheets[SHEET]
    assert refusal_of(sheets).code == "two_editions"


def test_a_sheet_without_inspections_is_refused() -> None:
    sheets = small.history()
    sheets[SHEET] = sheets[SHEET][:5]
    refusal = refusal_of(sheets)
    assert (refusal.code, refusal.row) == ("no_rows", 5)


def test_a_workbook_that_names_no_year_is_refused() -> None:
    sheets = small.history()
    sheets["LA_level_at_31_Mar_2023"] = [["Social care data"]]
    sheets[SHEET][0] = ["LA inspections"]
    assert refusal_of(sheets).code == "undated_file"


def test_a_damaged_workbook_is_refused() -> None:
    content = small.workbook(small.history())
    with pytest.raises(Refusal) as caught:
        opening.of(content[: len(content) // 2], "inspections.xlsx")
    assert caught.value.code == "damaged_workbook" and caught.value.file == "inspections.xlsx"


def test_other_sheets_alone_are_not_taken_for_it() -> None:
    sheets = small.history()
    del sheets[SHEET]
    assert layouts.recognise(opening.of(small.workbook(sheets), "inspections.xlsx")) is None


# ---------------------------------------------------------------------------------------------------------------------
# Corrections

CORRECTED = replace(small.KNOWLEDGE, corrections=(small.WRONG_DATE,))


def test_a_known_wrong_date_is_set_right_and_named() -> None:
    _, edition, frame = small.read(small.history(), knowledge=CORRECTED)
    own = pick(frame, la_code=small.MARLSHIRE, framework="ILACS")
    assert list(own["publication_date"]) == [dt.date(2018, 9, 3), dt.date(2022, 3, 6)]
    assert edition.corrections == ("marlshire_date",)


@pytest.mark.parametrize("cells", [[small.STANDARD, dt.date(2022, 3, 6), RI, RI, INADEQUATE, RI], [""] * 6])
def test_a_correction_that_no_longer_fits_stops_the_run(cells: list[Cell]) -> None:
    sheets = small.history()
    start = small.SECOND_ILACS_AT - 1
    sheets[SHEET][5][start : start + 6] = cells
    refusal = refusal_of(sheets, CORRECTED)
    assert refusal.code == "correction_outdated" and "marlshire_date" in refusal.problem


def test_a_correction_of_another_year_does_nothing(frame: pd.DataFrame) -> None:
    other = replace(small.KNOWLEDGE, corrections=(replace(small.WRONG_DATE, reporting_year=2022),))
    _, edition, read = small.read(small.history(), knowledge=other)
    assert judgements(read) == judgements(frame) and edition.corrections == ()


def test_an_authority_whose_row_was_lost_is_refused() -> None:
    """Eastmere has been there all along, and was inspected in the first round; nothing in the sheet counts its rows."""
    sheets = small.history()
    sheets[SHEET] = [row for row in sheets[SHEET] if "Eastmere & Sands" not in row]
    refusal = refusal_of(sheets)
    assert (refusal.code, refusal.file) == ("missing_row", PLACE)
    assert "Eastmere and Sands (703)" in refusal.problem


def test_an_authority_that_is_new_need_not_have_been_inspected() -> None:
    """A fourth one began in 2021, less than three years before the newest report, of 2022."""
    newcomer = NamedArea("707", "Newmere", first_day=dt.date(2021, 4, 1))
    names = replace(small.NAMES, areas=(*small.NAMES.areas, newcomer))
    known = replace(small.KNOWLEDGE, names=names)
    assert len(small.read(small.history(), knowledge=known)[2]) == len(small.read(small.history())[2])


# ---------------------------------------------------------------------------------------------------------------------
# The published workbook: figures of its README

# Outstanding, Good, Requires improvement (adequate up to 2013), Inadequate
GRADES = ("Outstanding", "Good", "Requires improvement to be good", "Inadequate")


def counts(grades: pd.Series) -> tuple[int, ...]:
    return tuple(int((grades == grade).sum()) for grade in GRADES)


@published
@pytest.mark.parametrize(
    ("framework", "judged", "expected"),
    [
        ("SLAC", "safeguarding", (5, 57, 66, 24)),
        ("SLAC", "looked_after", (2, 79, 67, 3)),
        ("SIF", "overall", (3, 51, 65, 33)),
        ("SIF re-inspection", "overall", (0, 3, 11, 7)),
    ],
)
def test_judgements_of_the_published_workbook(
    real_history: pd.DataFrame, framework: str, judged: str, expected: tuple[int, ...]
) -> None:
    assert counts(pick(real_history, framework=framework)[judged]) == expected


@published
def test_authorities_of_each_framework_in_the_published_workbook(real_history: pd.DataFrame) -> None:
    found = real_history.groupby("framework")["la_code"].nunique().to_dict()
    assert found == {
        "SLAC": 152, "SLAC re-inspection": 9, "CPI": 50, "CPRI": 1, "TLAC": 5, "SIF": 152, "SIF re-inspection": 21,
        "ILACS": 154,
    }  # fmt: skip
    assert len(pick(real_history, framework="ILACS")) == 177
    again = pick(real_history, framework="SLAC re-inspection")
    assert (int(again["safeguarding"].notna().sum()), int(again["looked_after"].notna().sum())) == (9, 2)


@published
def test_reports_of_each_framework_fall_into_its_years(real_history: pd.DataFrame) -> None:
    """The first report is of 7 August 2009, the last of 10 May 2023; the rest by month, as the README tells them."""
    dates = real_history.groupby("framework")["publication_date"].agg(["min", "max"])
    assert (dates.at["SLAC", "min"], dates.at["ILACS", "max"]) == (dt.date(2009, 8, 7), dt.date(2023, 5, 10))
    assert dates.at["SLAC", "max"].strftime("%Y-%m") == "2012-08"
    assert (dates.at["CPI", "min"].strftime("%Y-%m"), dates.at["CPI", "max"].strftime("%Y-%m")) == (
        "2012-07",
        "2013-08",
    )
    assert (dates.at["SIF", "min"].strftime("%Y-%m"), dates.at["SIF", "max"].strftime("%Y-%m")) == (
        "2014-02",
        "2017-12",
    )
    assert dates.at["SIF re-inspection", "min"].strftime("%Y-%m") == "2016-02"
    assert dates.at["SIF re-inspection", "max"].strftime("%Y-%m") == "2018-08"


@published
def test_the_one_blank_is_not_judged(real_history: pd.DataFrame) -> None:
    slac = pick(real_history, framework="SLAC")
    assert list(
        slac.loc[slac["looked_after"].isna(), ["la_name", "not_judged"]].itertuples(index=False, name=None)
    ) == [("Isles of Scilly", "looked_after")]


@published
def test_re_inspections_are_of_authorities_first_judged_inadequate(real_history: pd.DataFrame) -> None:
    first = pick(real_history, framework="SIF").set_index("la_code")["overall"]
    again = pick(real_history, framework="SIF re-inspection")["la_code"]
    assert set(first[again]) == {"Inadequate"}


@published
def test_both_dorsets_are_read(real_history: pd.DataFrame) -> None:
    """The county's SIF report is of 23 May 2016, in the second table (row 163); the unitary's ILACS of 19 November 2021."""
    county, unitary = pick(real_history, la_code="835"), pick(real_history, la_code="838")
    assert list(pick(county, framework="SIF")["publication_date"]) == [dt.date(2016, 5, 23)]
    assert set(county["source_row"]) == {163} and list(unitary["framework"]) == ["ILACS"]
    assert list(unitary["publication_date"]) == [dt.date(2021, 11, 19)]


@published
def test_kent_was_adequate_and_is_shown_relabelled(real_history: pd.DataFrame) -> None:
    """The report of 23 August 2013 says "Grade 3 (Adequate)"."""
    kent = pick(real_history, la_code="886", framework="TLAC")
    assert list(kent["overall"]) == [RI] and list(kent["publication_date"]) == [dt.date(2013, 8, 23)]


@published
def test_nottinghams_date_is_set_right(real: Readings, real_history: pd.DataFrame) -> None:
    own = pick(real_history, la_code="892", framework="ILACS")
    assert list(own["publication_date"])[1] == dt.date(2022, 9, 5)
    assert real.file_of("ofsted_history", 2023).corrections == "nottingham_ilacs_2022_date"
