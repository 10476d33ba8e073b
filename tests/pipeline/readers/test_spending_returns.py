"""The returns of spending: on small workbooks, and on the published ones (totals of their README)."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.errors import Refusal
from pipeline.readers import layouts, opening
from pipeline.readers.layout import Edition, Knowledge, SourceFile
from pipeline.readers.spending_form import financial_year_end
from tests.fixtures import small_spending as returns
from tests.fixtures import small_tables as small
from tests.fixtures.readings import Readings, pick
from tests.fixtures.small_spending import RO3_FILE, S251_FILE, workbook
from tests.fixtures.small_tables import EASTMERE, KINGS_FERRY, MARLSHIRE, Table
from tests.published_files import published

NET, TOTAL = "net_current_expenditure", "total_expenditure"


def read(rows: Table, file: str, sheet: str = "Sheet1", knowledge: Knowledge = small.KNOWLEDGE, **more: Table):
    return small.read(workbook({sheet: rows, **more}), file, knowledge)


def read_s251(rows: Table, file: str = S251_FILE, **more) -> tuple[Edition, pd.DataFrame]:
    return read(rows, file, **more)


def read_ro3(rows: Table, **more) -> tuple[Edition, pd.DataFrame]:
    return read(rows, RO3_FILE, **more)


def pounds(frame: pd.DataFrame, **wanted: object) -> float:
    rows = pick(frame, **wanted)
    assert len(rows) == 1, wanted
    return float(rows["value"].iloc[0])


def with_cell(rows: Table, row: int, column: str, cell: str, header_row: int = 1) -> Table:
    """The rows with another cell; rows are counted from 1."""
    changed = [list(line) for line in rows]
    changed[row - 1][rows[header_row - 1].index(column)] = cell
    return changed


def refusal_of_s251(rows: Table, file: str = S251_FILE) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_s251(rows, file)
    return caught.value


def refusal_of_ro3(rows: Table) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_ro3(rows)
    return caught.value


@pytest.mark.parametrize(
    ("rows", "file"), [(returns.s251(), S251_FILE), (returns.ro3(), RO3_FILE), (returns.ro3_two_headers(), RO3_FILE)]
)
def test_two_sheets_of_a_return_are_refused(rows: Table, file: str) -> None:
    """A copy with one other figure stands beside it; reading the first would be a choice that nobody made."""
    with pytest.raises(Refusal) as caught:
        read(rows, file, Copy=rows)
    assert caught.value.code == "doubled_sheet" and "Sheet1 and Copy" in caught.value.problem


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("S251 Outturn 2011-12 - Table A1", 2012),
        ("Revenue Outturn (RO) 1999-00 and 2019-20 Final", 2020),
        ("Outturn 2019-21", None),
        ("TA1_AllData_1112_180113", None),
        ("", None),
    ],
)
def test_a_financial_year_is_told_by_its_end(title: str, year: int | None) -> None:
    assert financial_year_end(title) == year


# ---------------------------------------------------------------------------------------------------------------------
# Section 251


def test_lines_of_use_with_total_and_net_in_pounds() -> None:
    edition, frame = read_s251(returns.s251())
    assert edition.release == 2016  # by the name: nothing in the file says it, and England's figure is not a known one
    assert len(frame) == 3 * 2 * 2
    assert pounds(frame, area_code=MARLSHIRE, measure="children_looked_after", amount=TOTAL) == 5000000.75
    assert pounds(frame, area_code=MARLSHIRE, measure="children_looked_after", amount=NET) == 4750000.75
    assert pounds(frame, area_code=KINGS_FERRY, measure="children_and_young_people", amount=NET) == 7000000
    assert set(frame["line"]) == {returns.LOOKED_AFTER, returns.ALL}
    assert frame["marker"].isna().all()


def test_income_above_spending_makes_a_negative_amount() -> None:
    _, frame = read_s251(returns.s251())
    assert pounds(frame, area_code=EASTMERE, measure="children_looked_after", amount=NET) == -50000


def test_the_header_is_found_where_it_stands_and_a_title_tells_the_year() -> None:
    """Row 4 up to 2013, under a title; then row 1."""
    titled = [*returns.S251_TITLE, *returns.s251(returns.S251_HEADER_2013)]
    edition, frame = read_s251(titled)
    assert edition.release == 2013
    (own,) = pick(frame, area_code=MARLSHIRE, measure="children_looked_after", amount=NET).itertuples()
    assert own.source_row == 4 + 3 + 1  # below four rows, the three of residential care come first
    assert (own.source_column, own.source_file) == ("NetCurrentExpenditure", S251_FILE)


def test_the_name_of_the_sheet_and_blank_sheets_do_not_matter() -> None:
    content = workbook({"Sheet2": [], "Table A1 (final)": returns.s251()})
    assert small.read(content, S251_FILE)[0].release == 2016


def test_england_tells_the_year_of_a_file_that_names_none() -> None:
    """Net on the line of looked-after children: 4,750,000.75 + 2,400,000 - 50,000 pounds."""
    knowledge = Knowledge(la_codes=small.KNOWLEDGE.la_codes, undated={("spending_s251", 7100001): 2018})
    assert read_s251(returns.s251(), "returns/s251.xlsx", knowledge=knowledge)[0].release == 2018
    refusal = refusal_of_s251(returns.s251(), "returns/s251.xlsx")
    assert (refusal.code, refusal.value) == ("undated_file", "7100001")


def test_a_first_column_more_does_not_matter() -> None:
    """As in 2019."""
    rows = [["ident" if at == 0 else "1", *row] for at, row in enumerate(returns.s251())]
    assert len(read_s251(rows)[1]) == 12


@pytest.mark.parametrize(
    "column", ["LA", "LA Name", "Description", "TotalExpenditure", "Income", "NetCurrentExpenditure"]
)
def test_a_missing_column_is_refused_by_name(column: str) -> None:
    at = returns.S251_HEADER.index(column)
    refusal = refusal_of_s251([row[:at] + row[at + 1 :] for row in returns.s251()])
    assert refusal.code == "missing_column"
    assert column in str(refusal.column)
    assert refusal.file == f"{S251_FILE}, sheet Sheet1"


def test_a_renamed_line_is_refused_and_not_passed_over() -> None:
    rows = [[cell.replace("Total Children Looked After", "Total Children in Care") for cell in row]
            for row in returns.s251()]  # fmt: skip
    refusal = refusal_of_s251(rows)
    assert refusal.code == "missing_line"
    assert 'authority 701 has no line "Total Children Looked After"' in refusal.problem


def test_a_line_that_one_authority_lacks_is_refused() -> None:
    rows = returns.s251()
    del rows[5]  # looked-after children of Kings Ferry
    refusal = refusal_of_s251(rows)
    assert (refusal.code, "702" in refusal.problem) == ("missing_line", True)


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("NetCurrentExpenditure", "", "blank_cell"),
        ("NetCurrentExpenditure", "NULL", "unknown_marker"),
        ("TotalExpenditure", "c", "unknown_marker"),
        ("TotalExpenditure", "2,500,000", "unknown_marker"),
        ("LA", "799", "unknown_area"),
        ("NetCurrentExpenditure", "2400", "amounts_disagree"),  # in thousand pounds
        ("TotalExpenditure", "25000000", "amounts_disagree"),
    ],
)
def test_a_bad_cell_is_refused_with_its_place(column: str, cell: str, code: str) -> None:
    row = 6  # looked-after children of Kings Ferry
    refusal = refusal_of_s251(with_cell(returns.s251(), row, column, cell))
    place = "NetCurrentExpenditure" if code == "amounts_disagree" else column
    assert (refusal.code, refusal.row, refusal.column) == (code, row, place)
    assert refusal.file == f"{S251_FILE}, sheet Sheet1"


def test_a_line_that_stands_twice_is_refused() -> None:
    rows = returns.s251()
    refusal = refusal_of_s251([*rows, rows[4]])
    assert (refusal.code, refusal.row) == ("duplicated_row", len(rows) + 1)


def test_what_is_not_read_may_hold_anything() -> None:
    """Memorandum lines have NULL or blanks in the published files."""
    assert len(read_s251(with_cell(returns.s251(), 2, "NetCurrentExpenditure", "NULL"))[1]) == 12


# ---------------------------------------------------------------------------------------------------------------------
# Revenue outturn


@pytest.mark.parametrize(("rows", "year"), [(returns.ro3(), 2025), (returns.ro3_two_headers(), 2020)], ids=["1", "2"])
def test_one_header_row_or_two_say_the_same(rows: Table, year: int) -> None:
    edition, frame = read_ro3(rows)
    assert edition.release == year
    assert set(frame["area_code"]) == {MARLSHIRE, KINGS_FERRY, EASTMERE}
    assert len(frame) == 3 * 2 * 2
    assert pounds(frame, area_code=MARLSHIRE, measure="children_looked_after", amount=NET) == 5_700_000
    assert pounds(frame, area_code=MARLSHIRE, measure="children_social_care", amount=TOTAL) == 16_000_000


def test_thousands_become_pounds_to_the_penny() -> None:
    _, frame = read_ro3(returns.ro3())
    assert pounds(frame, area_code=KINGS_FERRY, measure="children_looked_after", amount=NET) == 3_000_500
    assert pounds(frame, area_code=EASTMERE, measure="children_looked_after", amount=NET) == -20_000


def test_a_part_of_the_service_is_not_taken_for_it() -> None:
    """Residential care is 'Children Looked After of which residential care'."""
    _, frame = read_ro3(returns.ro3())
    lines = set(pick(frame, measure="children_looked_after")["line"])
    assert lines == {returns.NET_LOOKED_AFTER, returns.TOTAL_LOOKED_AFTER}


def test_a_return_that_came_too_late_has_its_marker() -> None:
    row = 5  # Marlshire, below three titles and the header
    rows = returns.ro3()
    rows[row - 1] = [*rows[row - 1][:5], *["[x]"] * 12]
    _, frame = read_ro3(rows)
    own = pick(frame, area_code=MARLSHIRE)
    assert own["value"].isna().all() and set(own["marker"]) == {"[x]"}
    # England holds an estimate for it then, and is not held to the sum.
    assert len(frame) == 12


def test_the_sum_must_be_england() -> None:
    rows = with_cell(returns.ro3(), 5, returns.NET_LOOKED_AFTER, "7500", 4)
    refusal = refusal_of_ro3(with_cell(rows, 5, returns.TOTAL_LOOKED_AFTER, "7800", 4))
    assert (refusal.code, "10,480" in refusal.problem) == ("sum_differs", True)


def test_the_sheet_of_another_return_before_it_is_passed_by() -> None:
    """One workbook may hold several returns, all with the same first columns."""
    roads = [["E-code", "ONS Code", "Local authority", "Notes", "Class", "Roads - Net"], ["Q0101", "Q06000001"]]
    content = workbook({"RO2": roads, "RO3": returns.ro3()})
    assert len(small.read(content, RO3_FILE)[1]) == 12


def test_a_header_row_further_down_is_found() -> None:
    rows = [*returns.RO3_TITLE, [], ["Another note"], *returns.ro3()[3:]]
    assert len(read_ro3(rows)[1]) == 12


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([["Revenue Outturn (RO) 2024-25"], ["Data are reported in £ million."], *returns.ro3()[3:]], "unknown_unit"),
        ([["Revenue Outturn (RO)"], ["£ thousand"], *returns.ro3()[3:]], "undated_file"),
        (with_cell(returns.ro3(), 4, returns.NET_LOOKED_AFTER, "Children in care - Net", 4), "missing_column"),
        (with_cell(returns.ro3(), 6, "ONS Code", "Q06000099", 4), "unknown_area"),
        (with_cell(returns.ro3(), 6, "ONS Code", "Q06000001", 4), "duplicated_row"),
        (with_cell(returns.ro3(), 6, returns.NET_LOOKED_AFTER, "c", 4), "unknown_marker"),
        (with_cell(returns.ro3(), 6, returns.NET_LOOKED_AFTER, "", 4), "blank_cell"),
        (with_cell(returns.ro3(), 6, returns.NET_LOOKED_AFTER, "3.0005", 4), "amounts_disagree"),
    ],
    ids=["million", "no year", "no column", "area", "twice", "marker", "blank", "million in a cell"],
)
def test_a_bad_sheet_is_refused(rows: Table, code: str) -> None:
    refusal = refusal_of_ro3(rows)
    assert refusal.code == code
    assert str(refusal.file).startswith(f"{RO3_FILE}, sheet Sheet1")
    assert refusal.remedy


# ---------------------------------------------------------------------------------------------------------------------
# Which file is what


def test_each_return_is_known_for_what_it_is() -> None:
    others = {
        "a return of other services": [["E-code", "ONS Code", "Local authority", "Class", "Roads - Total"], ["1"] * 5],
        "Table A": [["LA", "LA Name", "EarlyYears", "Primary", "Secondary", "Income", "NetCurrentExpenditure"]],
        "notes": [["Children looked after"]],
    }
    for name, rows in others.items():
        content = workbook({"Sheet1": rows})
        assert layouts.recognise(opening.of(content, f"{name}.xlsx")) is None, name
    for rows, layout in ((returns.s251(), "spending_s251"), (returns.ro3(), "spending_ro3")):
        found = layouts.recognise(opening.of(workbook({"Front_Page": [["Notes"]], "X": rows}), "x.xlsx"))
        assert found is not None and found.name == layout


# ---------------------------------------------------------------------------------------------------------------------
# The published files

ENGLAND_NET = {2012: 2983, 2013: 3377, 2014: 3516, 2015: 3614, 2016: 3762, 2017: 3933, 2018: 4262, 2019: 4659}
# README of the published files: the totals of the line over all authorities, million pounds. 2017 is 3,932.49 there.


@published
def test_england_on_the_line_of_looked_after_children(real: Readings) -> None:
    net = pick(real.spending, layout="spending_s251", measure="children_looked_after", amount=NET)
    millions = net.groupby("year")["value"].sum() / 1e6
    for year, expected in ENGLAND_NET.items():
        assert millions[year] == pytest.approx(expected, abs=0.52), year
    assert net.groupby("year")["area_code"].nunique().to_dict() == dict.fromkeys(ENGLAND_NET, 152)


@published
def test_the_year_of_2019_is_on_the_boundaries_before_its_end(real: Readings) -> None:
    codes = set(pick(real.spending, layout="spending_s251", year=2019)["area_code"])
    assert {"835", "836", "837"} <= codes and not codes & {"838", "839"}


@published
def test_the_revenue_outturn_adds_up_to_england(real: Readings) -> None:
    """England's row of the sheet of 2019-20, thousand pounds: 5,047,091. In 2024-25 three returns came too late."""
    net = pick(real.spending, layout="spending_ro3", measure="children_looked_after", amount=NET)
    assert pick(net, year=2020)["value"].sum() == 5_047_091_000
    late = pick(net, year=2025)
    assert set(late.loc[late["marker"].notna(), "area_name"]) == {"Birmingham", "Cumberland", "Slough UA"}
    assert (len(pick(net, year=2020)), len(late)) == (151, 153)
    (gateshead,) = pick(late, area_code="390").itertuples()
    assert gateshead.value == 39_182_999.59


@published
def test_no_two_files_are_of_one_year(real: Readings) -> None:
    files = [file for file in real.register.files if file.publication == "spending"]
    assert len(files) == 10
    assert len({file.edition for file in files}) == 10


@published
def test_the_year_follows_from_the_figures_whatever_the_file_is_called(real: Readings) -> None:
    """The six files from 2014 name no year inside; England's figure tells it."""
    for year in range(2014, 2020):
        file = real.file_of("spending_s251", year)
        nameless = SourceFile("return.bin", real.bytes_of(file), file.sha256)
        assert layouts.BY_NAME["spending_s251"].edition(nameless, real.knowledge).release == year
