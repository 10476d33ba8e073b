"""The interactive tool's base data: on a small file, and on the two published editions (counts of their README)."""

from __future__ import annotations

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import Refusal
from pipeline.readers import interactive_tool as reader
from pipeline.readers import layouts, opening
from tests.fixtures import small_tables as small
from tests.fixtures import small_tool
from tests.fixtures.readings import Readings, pick, value
from tests.fixtures.small_tables import EASTMERE, KINGS_FERRY, MARLSHIRE
from tests.fixtures.small_tool import ToolFile, tool
from tests.published_files import published

UASC = "Unacc_Asylmn_Seek_Childn"


def refusal_of(file: ToolFile) -> Refusal:
    with pytest.raises(Refusal) as caught:
        file.read()
    return caught.value


# ---------------------------------------------------------------------------------------------------------------------
# The layout, on a small file


def test_the_edition_is_the_newest_year_of_looked_after_children() -> None:
    assert tool().read()[0].release == 2024
    assert small_tool.a_year_on(tool()).read()[0].release == 2025


def test_only_the_measures_of_use_are_read_and_every_cell_of_them() -> None:
    _, frame = tool().read()
    assert set(frame["measure"]) == {measure.name for measure in reader.MEASURES.values()}
    assert len(frame) == 7 * 2 * 5
    assert not frame.duplicated(["measure", "year", "area_code"]).any()


def test_areas_have_three_digits_and_their_level() -> None:
    _, frame = tool().read()
    levels = frame.groupby("area_level")["area_code"].unique().map(sorted).to_dict()
    assert levels == {"authority": [MARLSHIRE, KINGS_FERRY, EASTMERE], "england": ["970"], "region": ["980"]}


def test_a_code_keeps_its_leading_zero() -> None:
    """A number loses it: 21 is authority 021, and not known here."""
    refusal = refusal_of(tool().with_column("LA Number", tool().frame["LA Number"].replace(701.0, 21.0)))
    assert (refusal.code, refusal.value) == ("unknown_area", "021")


def test_codes_may_be_stored_as_text() -> None:
    _, frame = tool().with_column("LA Number", tool().frame["LA Number"].map("{:g}".format)).read()
    pd.testing.assert_frame_equal(frame.drop(columns="source_sha256"), tool().read()[1].drop(columns="source_sha256"))


def test_a_marker_is_no_number_and_a_zero_is_one() -> None:
    _, frame = tool().read()
    (marked,) = pick(frame, measure="uasc", area_code=KINGS_FERRY, year=2023).itertuples()
    assert pd.isna(marked.value) and marked.marker == "-"
    assert value(frame, measure="uasc", area_code=KINGS_FERRY, year=2024) == 0
    assert (frame["value"].isna() == frame["marker"].notna()).all()


def test_a_financial_year_is_told_by_its_end() -> None:
    _, frame = tool().read()
    assert set(pick(frame, measure="looked_after_expenditure")["year"]) == {2023, 2024}
    assert value(frame, measure="looked_after_expenditure", area_code=MARLSHIRE, year=2023) == 25348465


def test_a_share_is_the_number_meant_by_its_digits() -> None:
    """16.899999999999999 is what a spreadsheet writes for 16.9."""
    _, frame = tool().read()
    (own,) = pick(frame, measure="free_school_meals_primary", area_code=MARLSHIRE, year=2023)["value"]
    assert own == 16.9


def test_a_row_leads_back_to_the_file() -> None:
    file = tool()
    _, frame = file.read()
    (own,) = pick(frame, measure="uasc", area_code=MARLSHIRE, year=2024).itertuples()
    assert (own.source_file, own.source_row, own.source_column) == (
        small_tool.FILE,
        file.row_of(UASC, MARLSHIRE, "2024"),
        "Values",
    )


def test_order_of_rows_and_columns_does_not_matter() -> None:
    shuffled = tool().frame.sample(frac=1, random_state=1).reset_index(drop=True)
    # The title goes with the first block of rows, wherever that is.
    frame = ToolFile(shuffled[shuffled.columns[::-1]].set_axis(range(1, len(shuffled) + 1))).read()[1]
    key = ["measure", "area_code", "year", "value", "marker"]
    same = tool().read()[1][key].sort_values(key[:3], ignore_index=True)
    pd.testing.assert_frame_equal(frame[key].sort_values(key[:3], ignore_index=True), same)


def test_the_file_is_known_with_any_one_column_missing_and_refused_for_it() -> None:
    for column in ("Short Desc", "Years", "LA and Regions", "Values", "LA Number", "Data item"):
        file = tool().without_column(column)
        layout = layouts.recognise(opening.of(file.content(), small_tool.FILE))
        assert layout is not None and layout.name == "interactive_tool"
        refusal = refusal_of(file)
        assert (refusal.code, refusal.column) == ("missing_column", column)


def test_another_parquet_file_is_not_claimed() -> None:
    other = ToolFile(pd.DataFrame({"LA Number": [1.0], "Values": ["1"], "Years": ["2024"]}, index=[1]))
    assert layouts.recognise(opening.of(other.content(), "other.parquet")) is None


BAD_CELLS = {
    "no marker of this file": (UASC, "Values", "c", "unknown_marker"),
    "two dots": (UASC, "Values", "..", "unknown_marker"),
    "blank": (UASC, "Values", "", "unknown_marker"),
    "missing": (UASC, "Values", None, "unknown_marker"),
    "separators": ("TotalLACFinance", "Values", "25,348,465", "unknown_marker"),
    "half a child": (UASC, "Values", "12.5", "not_a_count"),
    "fewer than none": ("LACnum", "Values", "-5", "not_a_count"),
    "more than there are people": ("LACnum", "Values", "1234567890", "not_a_count"),
    "infinite pounds": ("TotalLACFinance", "Values", "1e999", "unknown_marker"),
    "digits of another script": ("LACnum", "Values", "١٢", "unknown_marker"),
    "more than all": ("ChildPov", "Values", "100.1", "not_a_share"),
    "a negative share": ("PriFSM", "Values", "-1", "not_a_share"),
    "a school year": ("LACnum", "Years", "2023/24", "not_a_year"),
    "provisional": (UASC, "Years", "2024 (prov)", "not_a_year"),
    "a plan": ("TotalLACFinance", "Years", "2023-24 (B)", "not_a_year"),
    "years that do not follow": ("TotalLACFinance", "Years", "2023-25 (OT)", "not_a_year"),
    "another definition": (UASC, "Data item", "Children seeking asylum, rate per 10,000", "other_measure"),
    "an area nobody knows": ("LACnum", "LA Number", 799.0, "unknown_area"),
    "a region nobody knows": ("LACnum", "LA Number", 991.0, "unknown_area"),
}


@pytest.mark.parametrize(("measure", "column", "cell", "code"), BAD_CELLS.values(), ids=BAD_CELLS)
def test_a_bad_cell_is_refused_with_its_place(measure: str, column: str, cell: object, code: str) -> None:
    file = tool()
    years = "2023-24 (OT)" if measure == "TotalLACFinance" else "2024"
    row = file.row_of(measure, MARLSHIRE, years)
    refusal = refusal_of(file.with_cell(row, column, cell))
    assert (refusal.code, refusal.file, refusal.row, refusal.column) == (code, small_tool.FILE, row, column)
    shown = "" if cell is None else f"{cell:g}" if isinstance(cell, float) else cell
    assert refusal.value == shown
    assert refusal.remedy


def test_fractions_in_place_of_per_cent_are_refused() -> None:
    """0.226 would be read as a quarter of one per cent; all shares of a measure at most 1 are fractions."""
    file = tool()
    for years, cells in (("2023", ("0.226", "0.1")), ("2024", ("0.231", "0.082"))):
        for code, cell in zip((MARLSHIRE, KINGS_FERRY), cells, strict=True):
            file = file.with_cell(file.row_of("ChildPov", code, years), "Values", cell)
    refusal = refusal_of(file)
    assert (refusal.code, refusal.value) == ("share_as_fraction", "0.226")


def test_a_measure_that_is_gone_is_refused_and_its_new_key_is_shown() -> None:
    """The reader cannot know a new key; a person is told where to look."""
    keys = tool().frame["Short Desc"].replace(UASC, "Unacc_Asylum_Seek_Childn")
    refusal = refusal_of(tool().with_column("Short Desc", keys))
    assert refusal.code == "missing_measure"
    assert UASC in refusal.problem and "it has Unacc_Asylum_Seek_Childn" in refusal.problem


def test_a_key_that_stands_twice_is_refused_with_both_rows() -> None:
    file = tool()
    row = file.row_of(UASC, KINGS_FERRY, "2024")
    refusal = refusal_of(file.and_again(row))
    assert (refusal.code, refusal.row, refusal.value) == ("duplicated_row", len(file.frame) + 1, KINGS_FERRY)
    assert f"row {row}" in refusal.problem


def test_a_row_that_was_lost_is_refused() -> None:
    file = tool()
    lost = file.frame.index == file.row_of(UASC, MARLSHIRE, "2023")
    refusal = refusal_of(file.where(pd.Series(~lost, index=file.frame.index)))
    assert refusal.code == "missing_row"
    assert "area 701 has no row for uasc in 2023" in refusal.problem


def test_a_damaged_file_is_refused() -> None:
    content = tool().content()
    with pytest.raises(Refusal, match="cannot be read"):
        opening.of(content[: len(content) // 2], small_tool.FILE)


@pytest.mark.parametrize("column", ["Short Desc", "Values", "LA Number"])
def test_a_column_that_stands_twice_is_refused(column: str) -> None:
    table = pa.Table.from_pandas(tool().frame, preserve_index=False)
    sink = io.BytesIO()
    pq.write_table(table.append_column(column, table[column]), sink)
    with pytest.raises(Refusal) as caught:
        small.read(sink.getvalue(), small_tool.FILE)
    assert (caught.value.code, caught.value.column) == ("doubled_column", column)


def test_a_byte_that_makes_a_text_none_is_refused() -> None:
    """The file is sound and one of its texts is not: it would fail in whatever touches that text first."""
    content = tool().content()
    title = b"Number of Looked after Children"
    assert content.count(title) >= 1
    spoilt = content.replace(title, b"N\x80" + title[2:])
    with pytest.raises(Refusal) as caught:
        small.read(spoilt, small_tool.FILE)
    assert (caught.value.code, caught.value.file) == ("damaged_parquet", small_tool.FILE)


# ---------------------------------------------------------------------------------------------------------------------
# The published editions


@pytest.fixture(scope="module")
def cells(real: Readings) -> pd.DataFrame:
    return real.tool


@published
def test_the_two_editions_stand_side_by_side(cells: pd.DataFrame) -> None:
    years = pick(cells, measure="looked_after").groupby("release")["year"].agg(["min", "max", "size"])
    assert years.loc[2024].to_list() == [2015, 2024, 1700]
    assert years.loc[2025].to_list() == [2016, 2025, 1700]
    areas = (
        cells.loc[cells["measure"] != "child_poverty"].groupby(["release", "year", "measure"])["area_code"].nunique()
    )
    assert set(areas) == {170}


@published
def test_cells_with_a_uasc_number(cells: pd.DataFrame) -> None:
    """README of the published files: 2016 to 2025, of 170 areas."""
    found = pick(cells, measure="uasc", release=2025).groupby("year")["value"].count()
    assert found.to_dict() == dict(
        zip(range(2016, 2026), (117, 141, 141, 138, 134, 133, 156, 160, 163, 163), strict=True)
    )


@published
@pytest.mark.parametrize(
    ("measure", "both", "equal", "revised"),
    [
        ("uasc", 1283, 1214, {2021: 1, 2022: 1, 2023: 9, 2024: 58}),
        ("looked_after", 1470, 1360, {2021: 5, 2022: 7, 2023: 18, 2024: 80}),
    ],
)
def test_editions_compared(cells: pd.DataFrame, measure: str, both: int, equal: int, revised: dict[int, int]) -> None:
    """README of the published files: cells numeric in both, those that are equal, and the revisions by year."""
    wide = pick(cells, measure=measure).pivot(index=["area_code", "year"], columns="release", values="value").dropna()
    same = wide[2024] == wide[2025]
    assert (len(wide), int(same.sum())) == (both, equal)
    assert wide.loc[~same].groupby(level="year").size().to_dict() == revised


@published
def test_areas_that_have_ended_stay(cells: pd.DataFrame) -> None:
    """Cumbria and Northamptonshire, and the three of 2019."""
    ended = pick(cells, measure="looked_after", release=2025, year=2025)
    marked = set(ended.loc[ended["marker"].notna(), "area_code"])
    assert {"909", "928", "837", "836", "835"} <= marked


@published
def test_england_has_the_published_counts(cells: pd.DataFrame) -> None:
    """methods.md F5: England on 31 March 2016 to 2025."""
    england = pick(cells, area_level="england", measure="looked_after", release=2025).set_index("year")["value"]
    counts = (70410, 72610, 75360, 78140, 80000, 80780, 82090, 83750, 83530, 81770)
    assert england.to_dict() == dict(zip(range(2016, 2026), counts, strict=True))


@published
def test_small_numbers_do_not_occur(cells: pd.DataFrame) -> None:
    """1 to 5 are hidden wherever they would stand: so a marked cell is bounded by 0 and 5."""
    own = pick(cells, measure="uasc", area_level="authority")["value"].dropna()
    assert not own.between(1, 5).any()
    assert own.min() == 0
