"""The demonstration country's files on what goes with children looked after, as anyone would check published files.

Workbooks are opened with the library alone; where a table of the project's readers is used, it is held against the truth
that the country was made from.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import python_calamine

from pipeline import (
    deprivation,
    exposures,
    geography,
    innovation_programme,
    interactive_tool,
    places,
    reference_tables,
    settings,
    sources,
    windows,
)
from pipeline.demonstration import window_draw
from pipeline.demonstration.build import build_demonstration
from pipeline.readers.layout import DEPRIVATION, DISTRICT_LOOKUP, DISTRICT_POPULATION
from tests.fixtures.readings import Readings, read_folder

SEEDS = (20181129, 7)
CITY, ISLAND = "101", "550"
ENDED = {"547", "554", "557", "199", "161"}
HISTORY = "Childrens_social_care_2023_underlying_data.xlsx"
OUTCOMES = "LA_Inspection_Outcomes_as_at_31_March_2025.xlsx"
TOOL = {2024: "lait_bds_long_0_2025-05-28.parquet", 2025: "lait_bds_long_0_2026-04.parquet"}
Row = dict[str, str]
Cell = object
Sheet = list[list[Cell]]


@pytest.fixture(scope="module", params=SEEDS)
def country(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("country")
    build_demonstration(folder, request.param)
    return folder


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def reference(country: Path, name: str) -> list[Row]:
    return rows_of(country / "reference" / f"{name}.csv")


def book(path: Path) -> python_calamine.CalamineWorkbook:
    return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))


def sheet(path: Path, name: str) -> Sheet:
    return book(path).get_sheet_by_name(name).to_python(skip_empty_area=False)


def tool(country: Path, edition: int) -> pd.DataFrame:
    return pq.read_table(country / "interactive_tool" / TOOL[edition]).to_pandas()


def cells_of(cells: pd.DataFrame, key: str) -> dict[tuple[str, str], str]:
    """(Area, year) -> text of one measure."""
    rows = cells.loc[cells["Short Desc"] == key, ["LA Number", "Years", "Values"]]
    return {(f"{number:03.0f}", year): text for number, year, text in rows.itertuples(index=False)}


def only_sheet(path: Path) -> Sheet:
    (name,) = book(path).sheet_names
    return sheet(path, name)


def names(country: Path) -> dict[str, str]:
    return {row["old_la_code"]: row["la_name"] for row in reference(country, "dfe_la_lookup")}


def correction(country: Path, layout: str, action: str) -> list[Row]:
    entries = reference(country, "publisher_corrections")
    return [row for row in entries if (row["layout"], row["action"]) == (layout, action)]


# All of it


def test_every_publication_is_there(country: Path) -> None:
    layouts = Counter(file.layout for file in read_folder(country, places.reference_folder()).register.files)
    expected = {
        "hmrc_low_income": 6, "idaci_upper_tier": 2, "idaci_districts": 1, "district_lookup": 1, "district_population": 5,
        "interactive_tool": 2, "ofsted_history": 1, "ofsted_outcomes": 1, "neighbour_groupings": 1, "neighbour_model": 1,
        "spending_s251": 2, "spending_ro3": 1,
    }  # fmt: skip
    assert {name: layouts[name] for name in expected} == expected


def test_every_reference_table_of_the_project_has_one_here(country: Path) -> None:
    assert {path.stem for path in (country / "reference").iterdir()} == set(reference_tables.HEADERS)


def test_no_text_within_a_workbook_or_parquet_file_names_the_real_country(country: Path) -> None:
    workbooks = sorted(country.rglob("*.xlsx"))
    assert len(workbooks) == 13
    for path in workbooks:
        with zipfile.ZipFile(path) as archive:
            text = b" ".join(archive.read(name) for name in archive.namelist()).lower()
        assert not [word for word in (b"england", b"london", b"kingdom<") if word in text], path.name
    for edition in TOOL:
        cells = set(tool(country, edition)["LA and Regions"]) | set(tool(country, edition)["Region"])
        assert not [cell for cell in cells if "England" in cell or "London" in cell]


def test_workbooks_say_nothing_of_when_they_were_made(country: Path) -> None:
    for path in country.rglob("*.xlsx"):
        with zipfile.ZipFile(path) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert b"2000-01-01T00:00:00Z" in archive.read("docProps/core.xml")


# The interactive tool


def test_small_numbers_of_unaccompanied_children_are_dashes(country: Path) -> None:
    for edition in TOOL:
        rows = tool(country, edition).query("`Short Desc` == 'Unacc_Asylmn_Seek_Childn'")
        cells = Counter(rows["Values"])
        assert not {str(number) for number in range(1, 6)} & cells.keys()
        assert cells["-"] > 100
        assert cells["0"] > 0  # a 0 is a number
        assert sorted(set(rows["Years"])) == [str(year) for year in range(edition - 9, edition + 1)]


def test_counts_of_the_tool_are_those_of_the_release_of_its_time(country: Path) -> None:
    """Those of 2024 differ between the editions, as they do between the releases."""
    told = {edition: cells_of(tool(country, edition), "LACnum") for edition in TOOL}
    for edition, column in ((2024, "number"), (2025, "children_count")):
        path = country / "children_looked_after" / str(edition) / "cla_number_and_rate_per_10k_children.csv"
        kind = "population_count" if edition == 2024 else "population_type"
        published = {
            row["old_la_code"]: row[column]
            for row in rows_of(path)
            if (row["time_period"], row["geographic_level"]) == ("2024", "Local authority")
            and row[kind].startswith("Children looked after")
            and row[column].isdigit()
        }
        assert len(published) > 153
        assert all(told[edition][code, "2024"] == text for code, text in published.items())
    both = told[2024].keys() & told[2025].keys()
    changed = {(code, year) for code, year in both if told[2024][code, year] != told[2025][code, year] and code < "9"}
    assert {year for _, year in changed} == {"2024"}
    assert len(changed) == 12


def test_shares_reach_back_for_new_authorities_and_are_none_for_ended_ones(country: Path) -> None:
    values = cells_of(tool(country, 2024), "ChildPov")
    assert {code for (code, _), text in values.items() if text == "-"} == ENDED
    assert {year for code, year in values if code == "592"} == {str(year) for year in range(2015, 2025)}
    (entry,) = correction(country, "interactive_tool", "set_missing")
    code, year, zero = entry["expect"].split()
    assert [key for key, text in values.items() if text == "0"] == [(code, year)] == [("193", "2015")]
    assert (zero, entry["reporting_year"], entry["value"]) == ("0", "2024", "-")


def test_the_newer_edition_puts_poverty_on_a_basis_of_its_own(country: Path) -> None:
    old, new = (tool(country, edition).query("`Short Desc` == 'ChildPov'") for edition in (2024, 2025))
    assert sorted(set(new["Years"])) == ["2022", "2023", "2024", "2025"]
    both = old.merge(new, on=["LA Number", "Years"])
    differs = both.query("Values_x != '-'")
    assert (differs["Values_x"].astype(float) < differs["Values_y"].astype(float)).all()


def test_titles_stand_in_the_first_row_of_a_measure_or_nowhere(country: Path) -> None:
    titles = tool(country, 2024).groupby("Short Desc")["Data item"].count()
    assert titles["PriFSM"] == 0
    assert set(titles.drop("PriFSM")) == {1}
    assert tool(country, 2025).query("`Short Desc` == 'ChildPov'")["Data item"].isna().all()
    (poverty,) = tool(country, 2024).query("`Short Desc` == 'ChildPov'")["Data item"].dropna()
    assert "\r\n" in poverty


# The older measure of low income


@pytest.mark.parametrize(
    ("year", "name", "headers"),
    [
        (2011, "Summary", (1, 2)), (2012, "Summary (rounded)", (2, 3)), (2013, "Summary ", (1, 2)),
        (2014, "Summary", (1, 2)), (2015, "Summary", (3, 7)), (2016, "Summary", (3, 7)),
    ],
)  # fmt: skip
def test_low_income_sheets_are_where_the_published_ones_are(
    country: Path, year: int, name: str, headers: tuple[int, int]
) -> None:
    """Sheet names and header rows from the table in the publication's README."""
    path = country / "deprivation" / "low_income" / f"low-income-{year}.xlsx"
    assert name in book(path).sheet_names
    rows = sheet(path, name)
    above, below = (rows[header - 1] for header in headers)
    assert any("Child Benefit" in str(cell) for cell in above)
    assert [cell for cell in below if cell] == ["Under 16", "All Children"] * 6
    at = 0 if year < 2015 else 1
    codes = [str(row[at]) for row in rows if str(row[at])[:1] == "Z" and str(row[at])[1:3] != "92"]
    assert codes == sorted(codes)
    assert any(code.startswith("Z07") for code in codes) is (year == 2016)
    assert any(code.startswith("Z10") for code in codes) is (year != 2016)
    assert ("Z06000053" in codes, "Z06000069" in codes) == (year < 2015, year >= 2015)  # the boundary change of 2013


def test_low_income_of_the_island_is_a_zero_that_means_none(country: Path) -> None:
    found = {}
    for year, name in ((2011, "Summary"), (2012, "Summary (rounded)"), (2013, "Summary ")):
        rows = sheet(country / "deprivation" / "low_income" / f"low-income-{year}.xlsx", name)
        (row,) = [row for row in rows if str(row[0]) == "Z06000027"]
        found[year] = (row[13], row[19])
        assert str(row[2]) == ("Isles of Taviel" if year == 2011 else "Isles of Taviel2")
    assert found[2012] == (0, 0)
    assert found[2013] == (0, "-")
    assert all(number > 0 for number in found[2011])
    entries = {(row["reporting_year"], row["column"]) for row in correction(country, "hmrc_low_income", "set_missing")}
    assert entries == {
        ("2012", "low_income_share_u16"), ("2012", "low_income_u16"), ("2013", "low_income_u16"),
    }  # fmt: skip


def test_a_name_is_misspelt_in_2015_and_known_by_its_spelling(country: Path) -> None:
    rows = sheet(country / "deprivation" / "low_income" / "low-income-2015.xlsx", "Summary")
    spellings = {row["spelling"]: row["la_code"] for row in reference(country, "la_name_spellings")}
    official = set(names(country).values())
    odd = [str(row[2]) for row in rows[8:] if len(row) > 2 and row[2] and str(row[2]) not in {*official, "Ardenia"}]
    assert odd == ["Jutermark"]
    assert names(country)[spellings["Jutermark"]] == "Juttermark"


def test_districts_of_2016_add_up_to_the_county_before(country: Path) -> None:
    """Children in Child Benefit families grow by 0.4% a year or so, each place in its own way."""
    districts = {row["lad16cd"]: row["cty16cd"] for row in reference(country, "lad16_to_county16")}
    before = {
        str(row[1]): float(row[15])  # type: ignore[arg-type]
        for row in sheet(country / "deprivation" / "low_income" / "low-income-2015.xlsx", "Summary")
        if str(row[1]).startswith("Z10")
    }
    sums: Counter[str] = Counter()
    for row in sheet(country / "deprivation" / "low_income" / "low-income-2016.xlsx", "Summary"):
        if str(row[1]) in districts:
            sums[districts[str(row[1])]] += int(row[15])  # type: ignore[call-overload]
    assert sums.keys() == before.keys()
    assert all(0.985 < sums[county] / before[county] < 1.025 for county in before)


# The index


def test_headings_of_2019_end_in_blanks_and_one_has_two_in_a_row(country: Path) -> None:
    (path,) = (country / "deprivation" / "iod").glob("*IoD2019*")
    header = [str(cell) for cell in sheet(path, "IDACI")[0]]
    assert all(cell.endswith(" ") for cell in header[2:])
    assert sum("  " in cell for cell in header) == 1
    assert len(sheet(path, "IDACI")) == 1 + 153
    (older,) = (country / "deprivation" / "iod").glob("File_11_ID_2015*")
    assert len(sheet(older, "IDACI")) == 1 + 154
    assert all(0 < float(row[4]) < 1 for row in sheet(older, "IDACI")[1:])  # type: ignore[arg-type]


def test_the_edition_of_2025_is_by_district(country: Path) -> None:
    rows = rows_of(country / "deprivation" / "iod" / "iod2025_lad_summaries_reshaped.csv")
    codes = {row["area_code"] for row in rows if row["index_domain"] == "Income Deprivation Affecting Children"}
    assert not [code for code in codes if code.startswith("Z10")]
    lookup = {row["LTLA23CD"] for row in rows_of(country / "deprivation" / "districts" / "LTLA-UTLA_Apr23_Lookup.csv")}
    assert codes <= lookup  # none was recoded in the year between
    assert {code[0] for code in lookup - codes} == {"Y", "X"}


# Inspections


def test_headings_of_the_history_carry_line_breaks_and_blanks(country: Path) -> None:
    header = [str(cell) for cell in sheet(country / "inspections" / HISTORY, "LA_inspections_2009-2023")[4]]
    assert " First SIF Overall Judgement\n(OE)" in header
    assert "LSCB Overall Effectiveness " in header
    assert len([cell for cell in header if cell]) == 45  # as many columns as the published sheet


def test_one_name_stands_in_both_tables_of_the_history(country: Path) -> None:
    rows = sheet(country / "inspections" / HISTORY, "LA_inspections_2009-2023")
    (second,) = (at for at, row in enumerate(rows) if str(row[0]).startswith("Table 11"))
    first_table = [str(row[1]) for row in rows[5:second] if str(row[0]).startswith("Ofsted")]
    second_table = [str(row[1]) for row in rows[second + 2 :]]
    assert first_table.count("Dorvane") == second_table.count("Dorvane") == 1
    assert sorted(second_table) == ["Dorvane", "Nardenmark", "Pellavik", "Solmunde"]
    assert not any(any(str(cell) for cell in row) for row in rows[second - 2 : second])


def test_one_report_is_misdated_and_the_correction_tells(country: Path) -> None:
    (entry,) = correction(country, "ofsted_history", "set_date")
    code, wrong = entry["expect"].split()
    right = dt.date.fromisoformat(entry["value"])
    assert (dt.date.fromisoformat(wrong) - right).days in range(59, 63)
    rows = sheet(country / "inspections" / HISTORY, "LA_inspections_2009-2023")
    at = [str(cell) for cell in rows[4]].index(entry["column"])
    dates = [row[at] for row in rows[5:] if len(row) > at]
    assert dates.count(dt.date.fromisoformat(wrong)) >= 1
    history = sheet(country / "inspections" / OUTCOMES, "ILACS_inspection_history")
    lookup = {row["new_la_code"]: row["old_la_code"] for row in reference(country, "dfe_la_lookup")}
    published = {row[6] for row in history[3:] if lookup[str(row[1])] == code}
    assert right in published and dt.date.fromisoformat(wrong) not in published


def test_the_island_was_not_judged_on_everything(country: Path) -> None:
    rows = sheet(country / "inspections" / HISTORY, "LA_inspections_2009-2023")
    marked = {str(row[1]) for row in rows if " -" in row}
    assert marked == {"Isles of Taviel"}


def test_the_outcomes_name_authorities_that_no_longer_exist(country: Path) -> None:
    rows = sheet(country / "inspections" / OUTCOMES, "ILACS_inspection_history")
    assert rows[2][3] == "Local authority status"
    ended = {str(row[2]) for row in rows[3:] if row[3] == "No longer exists"}
    assert ended <= {"Dorvane", "Halvermark", "Nardenmark", "Pellavik", "Solmunde"}
    assert {"Halvermark", "Nardenmark"} <= ended
    newest = sheet(country / "inspections" / OUTCOMES, "Inspections_as_at_31_March")[3:]
    assert len(newest) == 155


# Neighbours


def test_lists_of_neighbours(country: Path) -> None:
    with (country / "neighbours" / "Statistical_Neighbour_Groupings_April_2021.csv").open(encoding="utf-8-sig") as file:
        lines = list(csv.reader(file))
    assert lines[0].count("SNP") == 10
    old = next(at for at, line in enumerate(lines) if "Old SNs:" in line)
    assert {line[1] for line in lines[old + 2 :]} == {
        f"{name} (Pre LG)" for name in ("Dorvane", "Nardenmark", "Pellavik", "Solmunde")
    }
    for line in [*lines[1:old], *lines[old + 2 :]]:
        ten = line[5:25:2]
        assert len(set(ten)) == 10 and line[0] not in ten
    model = rows_of(country / "neighbours" / "sn_model_2025_wide.csv")
    assert len(model) == 155
    assert any(cell.endswith(" ") for row in model for cell in row.values())
    known = {row["edition"]: row["neighbours"].split() for row in reference(country, "neighbour_editions")}
    (own,) = [row for row in model if row["old_la_code"] == "102"]
    assert known["2025-05"] == [own[f"SN_{place}"] for place in range(1, 11)]
    assert known["2025-05"] != known["2021-04"]


# Spending


def test_headers_of_the_return(country: Path) -> None:
    first, second = (only_sheet(country / "spending" / f"s251ye{year}.xlsx") for year in (2013, 2019))
    assert first[3][:4] == ["LA", "LA Name", "LineNumber", "CYPServiceDescription"]
    assert second[0][:3] == ["ident", "LA", "LA Name"]
    total = [row for row in second if str(row[5]).endswith("Total Children Looked After")]
    assert len(total) == 154
    (entry,) = [row for row in reference(country, "undated_files") if row["layout"] == "spending_s251"]
    assert int(entry["england_value"]) == round(math.fsum(float(row[13]) for row in total))  # type: ignore[arg-type]
    assert len([row for row in total if "(Pre LGR 2019)" in str(row[2])]) == 3


def test_outturn_has_a_trust_a_late_return_and_districts(country: Path) -> None:
    rows = sheet(country / "spending" / "RO3_LA_Data_2024-25_data_by_LA.xlsx", "RO3_LA_Data_202425")
    header = [str(cell) for cell in rows[6]]
    net = header.index("Children's social care - Children Looked After - Net Current Expenditure (C7 = C3 - C6)")
    values = {str(row[1]): row[net] for row in rows[7:] if len(row) > net}
    assert [value for value in values.values() if isinstance(value, (int, float)) and value < 0] == [-20]
    assert list(values.values()).count("[x]") == 1
    assert {values[code] for code in values if code.startswith("Z07")} == {0}


# Programmes


def test_the_compiled_table_names_authorities_of_2017(country: Path) -> None:
    rows = reference(country, "innovation_programme")
    lookup = {row["new_la_code"]: row["la_name"] for row in reference(country, "dfe_la_lookup")}
    assert all(lookup[row["ons_code"]] == row["la_name"] for row in rows)
    assert {row["programme"] for row in rows} == {"innovation_r1", "innovation_r2", "partners_in_practice", "sfpc"}
    assert {row["confidence"] for row in rows} == {"published", "recalled"}
    rounds = [row for row in rows if row["programme"].startswith("innovation")]
    recalled, published = (
        {row["la_name"] for row in rounds if row["confidence"] == confidence}
        for confidence in ("recalled", "published")
    )
    assert recalled and not recalled & published


# From the files back to the truth


@pytest.fixture(scope="module")
def read_back(demo: Readings) -> pd.DataFrame:
    """The covariates of the planted window, a row a unit and a column a variable, by the product's own way."""
    references = demo.register.references
    cells, population, lookup = (
        sources.read_tidy(demo.folder, demo.sources, publication, demo.knowledge)
        for publication in (DEPRIVATION, DISTRICT_POPULATION, DISTRICT_LOOKUP)
    )
    shares, _ = deprivation.core_tables(
        deprivation.Sources(cells, population, lookup, demo.core_tool, interactive_tool.totals(demo.tool)),
        references["lad16_to_county16"],
        demo.knowledge.la_code_of_ons_code,
        demo.areas,
    )
    programme = innovation_programme.core(
        references["innovation_programme"], demo.local_authorities, demo.knowledge.names
    )
    weights = geography.split_shares(references["split_child_weights_2016"], demo.local_authorities)
    inputs = exposures.Inputs(shares, demo.core_inspections, programme, demo.areas, weights)
    data = windows.all_window_data(demo.core_looked_after, demo.core_population, demo.areas, settings.load().windows)
    planted = [one for one in data if one.window.window_id == "main_h5"]
    return exposures.wide(exposures.exposures(planted, inputs))


@pytest.mark.parametrize(
    ("variable", "term", "rounding"),
    [
        ("deprivation_change", "deprivation_change", 0.1001),  # two shares with one digit
        ("deprivation_level", "deprivation_level", 0.1),  # one digit, and for a merged area weights of another year
        ("innovation_programme", "innovation_programme", 0),
        ("ofsted_good", "ofsted_good", 0),
        ("baseline_log_rate", "baseline_rate", 1e-12),
    ],
)
def test_what_is_read_is_what_was_planted_with(
    read_back: pd.DataFrame, variable: str, term: str, rounding: float
) -> None:
    draw = window_draw.draw(SEEDS[0])
    unit_of = {"199": "590+591", "161": "592+593"}
    own = read_back.loc[[unit_of.get(code, code) for code in draw.codes], variable].astype("float64").to_numpy()
    true = getattr(draw.covariates, term)
    assert len(read_back) == len(draw.codes)
    assert (np.isnan(own) == np.isnan(true)).all()
    assert np.nanmax(np.abs(own - true)) <= rounding


def test_covariates_are_missing_only_where_there_can_be_none(read_back: pd.DataFrame) -> None:
    """Two authorities of 2019 have no judgement and no school meals of the year before; two of later no later judgement."""
    missing = {
        variable: set(values.index[values.isna()]) for variable, values in read_back.items() if values.isna().any()
    }
    new = {"594", "595"}
    ofsted = {"good", "good_lowest_of_several", "good_slac", "not_inadequate", "score", "is_ilacs"}
    assert missing == {
        **{f"ofsted_{coding}": new for coding in ofsted},
        "free_school_meals_level": new,
        "free_school_meals_change": new,
        "ofsted_good_at_end": {"590+591", "592+593"},
    }
