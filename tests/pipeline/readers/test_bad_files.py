"""A damaged or unknown cell, row or file is refused with its place, the value and what to do.

Every case runs on a small fictional table of each layout; codebases.md section 6, traps 6, 7 and 10.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from pipeline import checks, looked_after, sources
from pipeline.errors import Refusal
from pipeline.readers import text_table
from tests.fixtures import small_tables as small
from tests.fixtures.readings import Readings
from tests.fixtures.small_tables import SAMPLES, Sample

each_layout = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
YEARLY = {name: SAMPLES[name] for name in ("long 2024", "long 2025", "series", "population")}


def refusal_of(sample: Sample) -> Refusal:
    with pytest.raises(Refusal) as caught:
        small.read_sample(sample)
    return caught.value


def test_the_samples_are_good() -> None:
    """A bad cell proves nothing on a table that would be refused anyway."""
    for sample in SAMPLES.values():
        _, frame = small.read_sample(sample)
        assert len(frame) >= 5
        assert (frame["source_file"] == sample.file).all()


# ---------------------------------------------------------------------------------------------------------------------
# Cells

BAD_COUNTS = {
    "q": "unknown_marker",  # no publisher's symbol
    "-": "unknown_marker",  # the symbol of another publication (LAIT), not of these files
    "n/a": "unknown_marker",
    "-12": "not_a_count",
    "12.5": "not_a_count",
    "1,234": "not_a_count",
    "1e3": "not_a_count",
    "1234567890": "not_a_count",  # more children than there are people
    "9" * 20: "not_a_count",  # does not fit a column of counts
    "١٢": "unknown_marker",  # digits of another script, which Python takes for numbers
    "": "blank_cell",
    "   ": "blank_cell",
}


@each_layout
@pytest.mark.parametrize(("cell", "code"), BAD_COUNTS.items(), ids=[f"'{cell}'" for cell in BAD_COUNTS])
def test_a_bad_count_is_refused_with_its_place(sample: Sample, cell: str, code: str) -> None:
    row = sample.first_authority_row
    refusal = refusal_of(sample.with_cell(row, sample.count_column, cell))
    assert (refusal.code, refusal.file, refusal.row) == (code, sample.file, row)
    assert (refusal.column, refusal.value) == (sample.count_column, cell)
    assert refusal.remedy
    for part in (sample.file, f"row {row}", f'column "{sample.count_column}"', f'value "{cell}"', refusal.remedy):
        assert part in str(refusal)


@pytest.mark.parametrize("column", ["population_estimate", "rate_per_10000"])
@pytest.mark.parametrize("cell", ["q", "-1", "1.5", "1,000", ""])
def test_bad_populations_and_rates_of_a_release_are_refused(column: str, cell: str) -> None:
    sample = SAMPLES["long 2024"]
    refusal = refusal_of(sample.with_cell(sample.first_authority_row, column, cell))
    assert (refusal.row, refusal.column, refusal.value) == (sample.first_authority_row, column, cell)


@pytest.mark.parametrize("symbol", ["c", "z", "k"])
def test_symbols_of_later_releases_are_unknown_in_the_older_ones(symbol: str) -> None:
    sample = SAMPLES["CLA"]
    assert refusal_of(sample.with_cell(4, sample.count_column, symbol)).code == "unknown_marker"


def test_a_spreadsheet_error_is_unknown_in_later_releases() -> None:
    sample = SAMPLES["long 2024"]
    refusal = refusal_of(sample.with_cell(sample.first_authority_row, "number", "#VALUE!"))
    assert refusal.code == "unknown_marker"
    assert "markers.py" in refusal.remedy


AUTHORITY_CODED = {name: sample for name, sample in SAMPLES.items() if name not in ("series", "age band")}


@pytest.mark.parametrize("sample", AUTHORITY_CODED.values(), ids=AUTHORITY_CODED.keys())
@pytest.mark.parametrize("code", ["799", "70", "Q06000001", ""])
def test_an_unknown_authority_is_refused(sample: Sample, code: str) -> None:
    row = sample.first_authority_row
    refusal = refusal_of(sample.with_cell(row, sample.code_column, code))
    assert (refusal.code, refusal.row, refusal.column) == ("unknown_area", row, sample.code_column)
    assert refusal.value == code
    assert "dfe_la_lookup.csv" in refusal.remedy


def test_a_number_code_keeps_its_leading_zero() -> None:
    """`021` and `21` are not one authority: the code is text."""
    sample = SAMPLES["CLA"].with_cell(4, "geog_c", "21")
    knowledge = small.Knowledge(la_codes=frozenset({*small.KNOWLEDGE.la_codes, "021"}))
    with pytest.raises(Refusal, match="not in the lookup"):
        small.read_sample(sample, knowledge)
    _, frame = small.read_sample(sample.with_cell(4, "geog_c", "021"), knowledge)
    assert "021" in set(frame["area_code"])


@each_layout
def test_an_area_that_stands_twice_is_refused_with_both_rows(sample: Sample) -> None:
    first = sample.first_authority_row
    doubled = sample.with_row(sample.table[first - 1])
    refusal = refusal_of(doubled)
    assert (refusal.code, refusal.row) == ("duplicated_row", len(doubled.table))
    assert f"row {first}" in refusal.problem


@pytest.mark.parametrize("sample", YEARLY.values(), ids=YEARLY.keys())
@pytest.mark.parametrize("cell", ["2023-24", "23", "", "x"])
def test_what_is_no_year_is_refused(sample: Sample, cell: str) -> None:
    row = sample.first_authority_row
    refusal = refusal_of(sample.with_cell(row, "time_period", cell))
    assert (refusal.code, refusal.row, refusal.column, refusal.value) == ("not_a_year", row, "time_period", cell)


@pytest.mark.parametrize("year", ["2019", "2026", "1994"])
def test_a_year_outside_the_release_is_refused(year: str) -> None:
    """A release of 2024 holds 2020 to 2024, and each year of it has an England row."""
    sample = SAMPLES["long 2024"]
    row = sample.first_authority_row
    refusal = refusal_of(sample.with_cell(row, "time_period", year))
    assert (refusal.code, refusal.row, refusal.value) == ("year_outside_release", row, year)


def test_a_sixth_year_is_refused_even_with_its_england_row() -> None:
    sample = SAMPLES["long 2024"]
    older = [["2019", *line[1:]] for line in sample.body() if line[0] == "2020"]
    assert refusal_of(sample.with_body(sample.body() + older)).code == "year_outside_release"


@pytest.mark.parametrize("name", ["CLA", "2010 March", "long 2024", "population"])
def test_an_unknown_geography_level_is_refused(name: str) -> None:
    sample = SAMPLES[name]
    column = "geographic_level" if "geographic_level" in sample.header else "geog_l"
    refusal = refusal_of(sample.with_cell(sample.first_authority_row, column, "District"))
    assert (refusal.code, refusal.column, refusal.value) == ("unknown_word", column, "District")


@pytest.mark.parametrize("name", ["long 2024", "long 2025", "series"])
def test_an_unknown_measure_is_refused(name: str) -> None:
    sample = SAMPLES[name]
    column = "population_type" if "population_type" in sample.header else "population_count"
    wording = "Children looked after at any time in the year"
    refusal = refusal_of(sample.with_cell(sample.first_authority_row, column, wording))
    assert (refusal.code, refusal.column, refusal.value) == ("unknown_measure", column, wording)


def test_another_age_group_is_refused() -> None:
    sample = SAMPLES["population"]
    refusal = refusal_of(sample.with_cell(2, "age_group", "Children aged 0 to 15 years"))
    assert (refusal.code, refusal.row, refusal.column) == ("unknown_word", 2, "age_group")


def test_two_populations_of_one_area_and_year_are_refused() -> None:
    sample = SAMPLES["long 2024"]
    row = sample.first_authority_row + 1
    refusal = refusal_of(sample.with_cell(row, "population_estimate", "99999"))
    assert (refusal.code, refusal.row, refusal.value) == ("population_differs", row, "99999")


# ---------------------------------------------------------------------------------------------------------------------
# Columns

REQUIRED = [(name, column) for name, sample in SAMPLES.items() for column in sample.required]


@pytest.mark.parametrize(("name", "column"), REQUIRED, ids=[f"{name}-{column}" for name, column in REQUIRED])
def test_a_missing_column_is_refused_by_name_and_not_passed_over(name: str, column: str) -> None:
    """The file is still known for what it is: passing it over in silence would lose a release."""
    sample = SAMPLES[name]
    refusal = refusal_of(sample.without_column(column))
    assert (refusal.code, refusal.file) == ("missing_column", sample.file)
    undated = re.sub(r"20\d\d", "YYYY", column)  # the reader says CLA_MarYYYY: it cannot know which year is missing
    assert refusal.column is not None
    assert column in refusal.column or undated in refusal.column
    assert refusal.remedy


def test_a_column_that_stands_twice_is_refused() -> None:
    sample = SAMPLES["CLA"]
    twice = sample.with_body([[*line, "1"] for line in sample.body()], [*sample.header, "CLA_UASC"])
    refusal = refusal_of(twice)
    assert (refusal.code, refusal.column) == ("doubled_column", "CLA_UASC")


def test_an_unnamed_column_with_values_is_refused() -> None:
    """Blank trailing columns are harmless (2013, 2014); one with figures in it is not."""
    sample = SAMPLES["CLA"]
    body = [[*line, ""] for line in sample.body()]
    body[2][-1] = "7"
    refusal = refusal_of(sample.with_body(body, [*sample.header, ""]))
    assert (refusal.code, refusal.row) == ("unnamed_column", 4)


# ---------------------------------------------------------------------------------------------------------------------
# Files cut short


@each_layout
def test_a_file_cut_in_the_middle_of_a_row_is_refused(sample: Sample) -> None:
    """The last row of areas lost its last cells."""
    lines = small.as_bytes([line for line in sample.table if line] if sample.header_row == 1 else sample.table)
    body = lines.rstrip(b"\n")
    cut = body[: body.rfind(b",")]
    with pytest.raises(Refusal) as caught:
        small.read(cut, sample.file)
    assert caught.value.code == "ragged_row"
    assert caught.value.row == len(body.split(b"\n"))
    assert "cut short" in caught.value.problem


def test_a_file_cut_inside_a_quoted_name_is_refused(tmp_path: Path) -> None:
    """A name with a comma is quoted; without its closing quote the file must not be passed over as unknown."""
    content = small.as_bytes(SAMPLES["CLA"].table)
    cut = content[: content.index(b"Kings Ferry, C") + 12]
    (tmp_path / "SFR99_CLA2016.csv").write_bytes(cut)
    (tmp_path / "SFR99_ADM2016.csv").write_bytes(small.as_bytes(SAMPLES["ADM"].table))
    with pytest.raises(Refusal) as caught:
        sources.scan(tmp_path, _references())
    assert caught.value.file == "SFR99_CLA2016.csv"


def _references() -> Path:
    from pipeline import places

    return places.reference_folder()


@pytest.mark.parametrize("rows_left", [1, 4, 12, 13, 25, 40, 59])
def test_a_long_release_cut_after_a_whole_row_is_refused(rows_left: int) -> None:
    sample = SAMPLES["long 2024"]
    assert len(sample.body()) == 60
    assert refusal_of(sample.with_body(sample.body()[:rows_left])).code in (
        "missing_row", "missing_year", "year_outside_release",
    )  # fmt: skip


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_series_cut_inside_a_year_is_refused(newest_first: bool) -> None:
    """The last year has lost one of its five series."""
    sample = small.series(newest_first=newest_first)
    refusal = refusal_of(sample.with_body(sample.body()[:-1]))
    assert refusal.file == sample.file


def test_a_series_without_its_first_years_is_refused() -> None:
    sample = small.series(newest_first=True)
    assert refusal_of(sample.with_body(sample.body()[:-5])).code == "missing_year"


def test_a_population_file_cut_after_a_whole_row_is_refused() -> None:
    """The last year has no row for some areas that the other years have, England among them."""
    sample = SAMPLES["population"]
    refusal = refusal_of(sample.with_body(sample.body()[:-2]))
    assert refusal.file == sample.file


@pytest.mark.parametrize("series", ["CLA", "ADM", "CEA"])
def test_a_wide_file_cut_after_a_whole_row_is_refused(demo: Readings, series: str) -> None:
    """By its reader, or by the check that every authority in being has a row, before anything is published."""
    (path,) = (demo.folder / "children_looked_after" / "2016").glob(f"*{series}*.csv")
    cut = small.table_of(path.read_bytes())[:-10]
    with pytest.raises(Refusal) as caught:
        _, frame = small.read(small.as_bytes(cut), path.name, demo.knowledge)
        cells = looked_after.authorities(frame)
        checks.refuse_failed(checks.data_checks(checks.every_authority_has_a_row(cells, demo.areas)))
    assert "no row" in caught.value.problem


def test_an_age_band_cut_after_a_whole_row_is_refused(demo: Readings) -> None:
    from pipeline import population

    file = "population/age_bands/popest-16.csv"
    lost = demo.areas.names["551"]
    rows = demo.population
    cut = rows.loc[~((rows["source_file"] == file) & (rows["area_code"] == "551"))]
    with pytest.raises(Refusal) as caught:
        population.authorities(cut, demo.areas)
    assert (caught.value.code, caught.value.file) == ("missing_row", file)
    assert lost in caught.value.problem


@each_layout
def test_a_header_without_rows_is_refused(sample: Sample, tmp_path: Path) -> None:
    """A release without a single row is not a release."""
    refusal = refusal_of(sample.with_body([]))
    assert refusal.file == sample.file


# ---------------------------------------------------------------------------------------------------------------------
# What is not a table at all

PAGE = b"<!DOCTYPE html>\n<html><head><title>Sorry</title></head><body>Moved</body></html>\n"
NOT_TABLES = {
    "empty": (b"", "empty_file"),
    "blank": (b"\r\n\r\n", "empty_file"),
    "web page": (PAGE, "web_page"),
    "web page with a mark": (b"\xef\xbb\xbf\n" + PAGE, "web_page"),
    "cut workbook": (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00", "damaged_workbook"),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not_text"),
    "UTF-16": ("time_period,number\n".encode("utf-16"), "not_text"),
}


@pytest.mark.parametrize(("content", "code"), NOT_TABLES.values(), ids=NOT_TABLES.keys())
def test_what_is_no_table_is_refused_under_a_table_name(content: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / "cla_number_and_rate.csv").write_bytes(content)
    (tmp_path / "good.csv").write_bytes(small.as_bytes(SAMPLES["ADM"].table))
    with pytest.raises(Refusal) as caught:
        sources.scan(tmp_path, _references())
    assert (caught.value.code, caught.value.file) == (code, "cla_number_and_rate.csv")
    assert caught.value.remedy


def test_the_same_bytes_under_another_name_are_only_passed_over(demo: Readings, tmp_path: Path) -> None:
    """A saved page, an archive or a note in the folder harms nothing as long as it does not claim to be a table."""
    names = {"page.html": PAGE, "all.zip": NOT_TABLES["cut workbook"][0], "notes.txt": b"", "map.png": b"\x89PNG\x00"}
    for name, content in names.items():
        (tmp_path / name).write_bytes(content)
    year = demo.folder / "children_looked_after" / "2016" / "SFR41_ADM2016.csv"
    (tmp_path / year.name).write_bytes(year.read_bytes())
    shutil.copytree(demo.folder / "reference", tmp_path / "reference")
    register = sources.scan(tmp_path, _references())
    assert [file.file for file in register.files] == [year.name]
    assert {name for name, _ in register.not_used} == set(names)


def test_windows_1252_notes_decode() -> None:
    assert text_table.decode(b"number,a\x92b\n", "notes.txt") == "number,a’b\n"
