"""The wide CLA, ADM and CEA files of 2011 to 2017 and their faults.

Expected figures are those of the published files' README ("Known traps", "Cross-checks", "UASC by LA after 2017").
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import Refusal
from pipeline.readers.layout import LOOKED_AFTER
from pipeline.readers.text_table import TextTable
from tests.fixtures import small_tables as small
from tests.fixtures.readings import Readings, pick, value
from tests.fixtures.small_tables import EASTMERE, ISLAND, MARLSHIRE, SAMPLES, Sample, wide_2016
from tests.published_files import published

YEARS = range(2011, 2018)
ENGLAND = {2011: 65_520, 2012: 67_050, 2013: 68_110, 2014: 68_840, 2015: 69_540, 2016: 70_440, 2017: 72_670}
SUM_OF_AUTHORITIES = {
    2011: 65_524, 2012: 67_053, 2013: 68_108, 2014: 68_836, 2015: 69_542, 2016: 70_443, 2017: 72_669,
}  # fmt: skip
SUPPRESSED_UASC = {2011: 48, 2012: 50, 2013: 50, 2014: 47, 2015: 45, 2016: 50, 2017: 28}


def england_cell(table: TextTable, column: str) -> str:
    return table.rows[0][table.column(column)]


# ---------------------------------------------------------------------------------------------------------------------
# The layout, on a small table


def cla_2017() -> Sample:
    """As published: a column for the order in front, and a row of zeros for the island without a level."""
    sample = wide_2016("CLA", "looked_after", "CLA_Mar2017", ("CLA_2017", "CLA_stp2017", "CLA_UASC"), year=2017)
    island = [small.ONS_CODES[ISLAND], "", ISLAND, "Little Eastmere", "0", "0", "0", "0"]
    body = [*sample.body(), island]
    return sample.with_body(
        [[str(order), *line] for order, line in enumerate(body, start=1)], ["LA_order", *sample.header]
    )


def test_the_count_on_31_march_is_not_that_of_the_year() -> None:
    """CLA_2016 (any time in the year) and CLA_stp2016 (short-term placements only) stand beside it."""
    sample = SAMPLES["CLA"].with_cell(4, "CLA_2016", "999").with_cell(4, "CLA_stp2016", "888")
    _, frame = small.read_sample(sample)
    assert value(frame, area_code=MARLSHIRE, measure="looked_after") == 612
    assert set(frame["source_column"]) == {"CLA_Mar2016", "CLA_UASC"}


@pytest.mark.parametrize(("series", "part"), [("CLA", "looked_after"), ("ADM", "started"), ("CEA", "ceased")])
def test_each_file_is_a_part_of_its_release(series: str, part: str) -> None:
    edition, frame = small.read_sample(SAMPLES[series])
    assert (edition.release, edition.part) == (2016, part)
    assert value(frame, area_code=MARLSHIRE, measure=part) == 612


def test_a_column_for_the_order_changes_nothing() -> None:
    edition, frame = small.read_sample(cla_2017())
    assert edition.release == 2017
    assert value(frame, area_code=MARLSHIRE, measure="looked_after") == 612


def test_the_row_without_a_level_is_left_out() -> None:
    _, frame = small.read_sample(cla_2017())
    assert ISLAND not in set(frame["area_code"])


def test_the_same_row_with_a_level_stops_the_run_and_names_the_correction() -> None:
    """The publisher has mended the file: the entry must go, not the row."""
    mended = cla_2017().with_cell(7, "geog_l", "LA")
    with pytest.raises(Refusal, match="island_row") as caught:
        small.read_sample(mended)
    assert caught.value.code == "correction_outdated"


def test_another_row_without_a_level_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        small.read_sample(cla_2017().with_cell(5, "geog_l", ""))
    assert (caught.value.row, caught.value.column) == (5, "geog_l")


def test_a_row_without_a_level_is_refused_in_other_years() -> None:
    blank = SAMPLES["CLA"].with_row([small.ONS_CODES[ISLAND], "", ISLAND, "Little Eastmere", *["0"] * 5])
    with pytest.raises(Refusal) as caught:
        small.read_sample(blank)
    assert (caught.value.row, caught.value.column) == (7, "geog_l")


def misdated(england: str) -> Sample:
    """Starts whose header says 2014; England's figure is all that tells the year."""
    sample = wide_2016("ADM", "started", "CLA_started2014", ("CLA_taken2014", "SCLA_male"), year=2015)
    return sample.with_cell(2, "CLA_started2014", england)


def test_a_header_that_names_the_year_before_is_corrected_by_englands_figure() -> None:
    edition, frame = small.read_sample(misdated("110"))
    assert (edition.release, edition.corrections) == (2015, ("starts_header",))
    assert set(frame["year"]) == {2015}


def test_the_same_header_is_right_in_the_file_of_its_year() -> None:
    edition, frame = small.read_sample(misdated("104"))
    assert (edition.release, edition.corrections) == (2014, ())
    assert set(frame["year"]) == {2014}


def undated(england: str, file: str) -> Sample:
    return replace(SAMPLES["CEA"].with_cell(2, "CLA_cease", england), file=file)


def test_ceases_are_dated_by_englands_figure_whatever_the_name() -> None:
    """`CLA_cease` names no year, and neither need the file."""
    edition, _ = small.read_sample(undated("100", "ceases.csv"))
    assert edition.release == 2013
    edition, _ = small.read_sample(undated("100", "releases/2016/ceases.csv"))
    assert edition.release == 2013


@pytest.mark.parametrize("file", ["SFR99_CEA2014.csv", "releases/2014/ceases.csv", "2014/SFR99_CEA2014.csv"])
def test_ceases_with_an_unknown_figure_are_dated_by_their_path(file: str) -> None:
    edition, _ = small.read_sample(undated("105", file))
    assert edition.release == 2014


@pytest.mark.parametrize("file", ["ceases.csv", "2014/SFR99_CEA2015.csv", "SFR99_CEA20145.csv"])
def test_ceases_that_nothing_dates_are_refused(file: str) -> None:
    with pytest.raises(Refusal) as caught:
        small.read_sample(undated("105", file))
    assert (caught.value.code, caught.value.file, caught.value.value) == ("undated_file", file, "105")


def test_ceases_of_2017_have_the_year_in_their_header() -> None:
    sample = wide_2016("CEA", "ceased", "CLA_cease2017", ("CEA_male", "CEA_female"), year=2017)
    edition, frame = small.read_sample(replace(sample, file="ceases.csv"))
    assert edition.release == 2017
    assert value(frame, area_code=MARLSHIRE, measure="ceased") == 612


def test_adoptions_are_not_taken_for_ceases() -> None:
    """The ADP files have a column CLA_cease too."""
    adoptions = wide_2016("ADP", "ceased", "CLA_cease", ("CLA_ceaAdop",))
    assert small.layout_of(adoptions) is None


def test_faults_in_columns_that_are_not_read_do_no_harm() -> None:
    """CLA_NetGain, with a blank behind its name, has held #VALUE!, .., a 0 for England, and negative numbers."""
    sample = SAMPLES["CLA"]
    net_gain = ["#VALUE!", "..", "0", "-4", "x"]
    body = [[*line, cell] for line, cell in zip(sample.body(), net_gain, strict=True)]
    _, plain = small.read_sample(sample)
    _, faulty = small.read_sample(sample.with_body(body, [*sample.header, "CLA_NetGain "]))
    assert small.figures(faulty) == small.figures(plain)


def test_columns_are_found_by_name_and_not_by_place() -> None:
    """CLA_CPG and CLA_YJLS swap places after 2011; here two neighbours of what is read do."""
    sample = SAMPLES["CLA"]
    swap = [0, 1, 2, 3, 8, 5, 6, 7, 4]
    swapped = sample.with_body(
        [[line[at] for at in swap] for line in sample.body()], [sample.header[at] for at in swap]
    )
    _, plain = small.read_sample(sample)
    _, frame = small.read_sample(swapped)
    assert small.figures(frame) == small.figures(plain)


@pytest.mark.parametrize("spelling", ["CLAA_InBound", "CLA-ceaDied", "CLA_Miss", "CLA_OthPl"])
def test_odd_spellings_of_other_columns_do_no_harm(spelling: str) -> None:
    sample = SAMPLES["CLA"]
    _, plain = small.read_sample(sample)
    _, frame = small.read_sample(sample.with_body([[*line, "7"] for line in sample.body()], [*sample.header, spelling]))
    assert small.figures(frame) == small.figures(plain)


def test_a_suppressed_count_keeps_its_marker() -> None:
    _, frame = small.read_sample(SAMPLES["ADM"])
    (row,) = pick(frame, area_code=EASTMERE).itertuples()
    assert row.marker == "x"
    assert frame["value"].isna().sum() == 1


@pytest.mark.parametrize("year", [2010, 2018, 2026])
def test_a_header_of_a_year_that_the_layout_does_not_have_is_refused(year: int) -> None:
    """The figures would stand under a year of their own, beside nothing that contradicts them."""
    with pytest.raises(Refusal) as caught:
        small.read_sample(wide_2016("CLA", "looked_after", f"CLA_Mar{year}", ("CLA_UASC",)))
    assert (caught.value.code, caught.value.column) == ("missing_column", "CLA_MarYYYY")


@pytest.mark.parametrize("name", ["CLA", "ADM"])
def test_a_file_without_the_row_of_england_is_refused(name: str) -> None:
    """It is what the authorities are added up against."""
    with pytest.raises(Refusal) as caught:
        small.read_sample(SAMPLES[name].without_row(2))
    assert (caught.value.code, caught.value.file) == ("missing_row", SAMPLES[name].file)


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
@pytest.mark.parametrize("year", YEARS)
def test_england_as_first_published_and_the_sum_of_authorities(real: Readings, year: int) -> None:
    cells = pick(real.looked_after, release=year, measure="looked_after")
    assert value(cells, area_level="england") == ENGLAND[year]
    assert pick(cells, area_level="authority")["value"].sum() == SUM_OF_AUTHORITIES[year]


@published
def test_72_670_in_2017_is_the_count_on_31_march(real: Readings) -> None:
    """102,590 children were looked after at any time in that year; that is not the headline count."""
    (england,) = pick(real.looked_after, release=2017, measure="looked_after", area_level="england").itertuples()
    assert (england.value, england.source_column, england.area_code) == (72_670, "CLA_Mar2017", "999")
    table = real.table_of("cla_2011_2017_looked_after", 2017)
    assert england_cell(table, "CLA_2017") == "102590"


@published
@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("measure", ["started", "ceased"])
def test_flows_of_authorities_add_up_to_england_within_its_rounding(real: Readings, year: int, measure: str) -> None:
    cells = pick(real.looked_after, release=year, measure=measure)
    gap = pick(cells, area_level="authority")["value"].sum() - value(cells, area_level="england")
    assert abs(gap) <= 9


@published
@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("measure", ["looked_after", "started", "ceased"])
def test_the_areas_of_a_release(real: Readings, year: int, measure: str) -> None:
    """151 authorities: the Isles of Scilly are left out, in 2017 by a correction. England's code is 999."""
    cells = pick(real.looked_after, release=year, measure=measure)
    assert cells["area_level"].value_counts().to_dict() == {"authority": 151, "region": 11, "england": 1}
    assert set(pick(cells, area_level="england")["area_code"]) == {"999"}
    assert "420" not in set(cells["area_code"])


@published
def test_the_stray_row_of_2017_is_there_and_left_out(real: Readings) -> None:
    table = real.table_of("cla_2011_2017_looked_after", 2017)
    assert table.header[0] == "LA_order"
    (stray,) = [line for line in table.rows if not line[table.column("geog_l")]]
    assert stray[table.column("geog_c")] == "420"
    assert set(stray[table.column("geog_n") + 1 :]) == {"0"}
    assert len(table.rows) == 151 + 11 + 1 + 1


@published
def test_the_starts_of_2015_are_dated_2015_although_their_header_says_2014(real: Readings) -> None:
    starts = pick(real.looked_after, measure="started", area_level="england")
    assert value(starts, year=2015) == 31_070
    assert value(starts, year=2014) == 30_430
    assert set(pick(starts, year=2015)["source_column"]) == {"CLA_started2014"}
    assert real.file_of("cla_2011_2017_started", 2015).corrections == "adm_2015_header"


@published
def test_no_other_file_of_these_years_is_corrected_by_its_header(real: Readings) -> None:
    own = [file for file in real.register.files if file.publication == LOOKED_AFTER]
    assert [file.release for file in own if file.corrections] == [2015]


@published
@pytest.mark.parametrize("year", YEARS)
def test_three_rows_of_london_share_one_code(real: Readings, year: int) -> None:
    """G is London, H and I its parts; all carry E12000007, so a join on it would count London three times."""
    regions = pick(real.looked_after, release=year, measure="looked_after", area_level="region")
    london = pick(regions, ons_code="E12000007")
    assert set(london["area_code"]) == {"G", "H", "I"}
    figures = london.set_index("area_code")["value"]
    assert abs(figures["H"] + figures["I"] - figures["G"]) <= 10  # each is rounded to 10


@published
@pytest.mark.parametrize("year", YEARS)
def test_suppressed_uasc_of_authorities(real: Readings, year: int) -> None:
    uasc = pick(real.looked_after, release=year, measure="uasc", area_level="authority")
    assert uasc["marker"].value_counts().to_dict() == {"x": SUPPRESSED_UASC[year]}
    assert len(uasc) == 151


@published
def test_uasc_totals_of_2015_are_not_those_of_the_authorities(real: Readings) -> None:
    """England's 2,030 and the South East's 440 are below the sums of their authorities, which are to be used."""
    uasc = pick(real.looked_after, release=2015, measure="uasc")
    assert value(uasc, area_level="england") == 2_030
    assert pick(uasc, area_level="authority")["value"].sum() == 2_515
    assert value(uasc, area_level="region", area_name="SOUTH EAST") == 440
    assert value(uasc, area_name="Kent") + value(uasc, area_name="Surrey") == 469


@published
def test_northumberland_and_gateshead_stand_under_their_old_codes(real: Readings) -> None:
    cells = pick(real.looked_after, measure="looked_after", area_level="authority")
    wide = cells.loc[cells["release"].between(2011, 2017)]
    assert set(pick(wide, area_code="929")["ons_code"]) == {"E06000048"}
    assert set(pick(wide, area_code="390")["ons_code"]) == {"E08000020"}


@published
def test_names_stand_as_published(real: Readings) -> None:
    """Quoted names keep their comma; spellings differ from the releases before and after."""
    cells = pick(real.looked_after, release=2012, measure="looked_after")
    names = set(pick(cells, area_level="authority")["area_name"])
    assert {"St. Helens", "Durham", "Bristol, City of", "Kingston Upon Hull, City of"} <= names
    assert pick(cells, area_level="region")["area_name"].str.isupper().all()


# File name as its notes have it -> as it is: both must be found by content.
@published
@pytest.mark.parametrize(
    ("layout", "release", "name"),
    [
        ("cla_2010_looked_after", 2010, "SFR27_2010_March.csv"),
        ("cla_2011_2017_started", 2011, "SFE21_ADM.csv"),
        ("cla_2011_2017_ceased", 2012, "SFR_CEA2012.csv"),
    ],
)
def test_files_whose_names_are_not_those_of_the_notes(real: Readings, layout: str, release: int, name: str) -> None:
    assert real.file_of(layout, release).file.endswith(f"/{name}")


# Faults in columns that are not read. They are here so that whoever reads one of them next knows.


@published
@pytest.mark.parametrize(("year", "cell"), [(2013, "#VALUE!"), (2014, ".."), (2015, "0"), (2017, "x")])
def test_net_gain_of_england_is_no_figure(real: Readings, year: int, cell: str) -> None:
    table = real.table_of("cla_2011_2017_looked_after", year)
    column = "CLA_NetGain" if year == 2017 else "CLA_NetGain "
    assert england_cell(table, column) == cell


@published
def test_negative_net_gains_of_authorities_are_shown_in_2015_alone(real: Readings) -> None:
    negative = {}
    for year in YEARS:
        table = real.table_of("cla_2011_2017_looked_after", year)
        level, net_gain = table.column("geog_l"), table.column("CLA_NetGain" if year == 2017 else "CLA_NetGain ")
        negative[year] = sum(line[net_gain].startswith("-") for line in table.rows if line[level] == "LA")
    assert [year for year, count in negative.items() if count] == [2015]


@published
@pytest.mark.parametrize(
    ("year", "total", "england"), [(2011, 210, 350), (2012, 0, 350), (2013, 240, 340), (2014, 140, 300)]
)
def test_small_counts_of_mothers_show_as_zero(real: Readings, year: int, total: int, england: int) -> None:
    """CLA_Moth has 0 where it should have x: the authorities add up to far less than England."""
    table = real.table_of("cla_2011_2017_looked_after", year)
    level, mothers = table.column("geog_l"), table.column("CLA_Moth")
    authorities = [line[mothers] for line in table.rows if line[level] == "LA"]
    assert england_cell(table, "CLA_Moth") == str(england)
    assert sum(int(cell) for cell in authorities if cell.isdigit()) == total


@published
def test_columns_change_names_and_places(real: Readings) -> None:
    headers = {year: real.table_of("cla_2011_2017_looked_after", year).header for year in YEARS}
    assert "CLA_Miss" in headers[2016] and "CLA_OthPl" not in headers[2016]
    assert [year for year in YEARS if "CLAA_InBound" in headers[year]] == [2011, 2012]
    assert [year for year in YEARS if headers[year].index("CLA_YJLS") < headers[year].index("CLA_CPG")] == [2011]
    ceases = {year: real.table_of("cla_2011_2017_ceased", year).header for year in YEARS}
    assert [year for year in YEARS if "CLA-ceaDied" in ceases[year]] == [2011, 2012, 2013]
