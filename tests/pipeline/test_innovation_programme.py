"""The table of the Innovation Programme, and which units count as having taken part: methods.md D3.

The compiled table is held to its README; the rules to hand-made cases.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping

import pandas as pd
import pytest

from pipeline import geography, innovation_programme, reference_tables, settings, trends, windows
from pipeline.area_names import AreaNames, NamedArea
from pipeline.errors import Refusal
from pipeline.geography import Unit
from pipeline.innovation_programme import PROGRAMMES, Rule, participation
from pipeline.reference_tables import HEADERS
from pipeline.tables import covariate_tables
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.published_files import PROJECT_REFERENCES, published

NAMES = {"701": "Marlshire", "702": "Kings Ferry", "703": "Eastmere", "704": "Wendbury", "705": "Gull Island",
         "711": "North Marlshire", "712": "South Marlshire", "713": "Eastmere Vale",
         "714": "Wendbury and Eastmere"}  # fmt: skip
LOCAL = small.local_authorities(NAMES)
AREA_NAMES = AreaNames(tuple(NamedArea(code, name) for code, name in NAMES.items()))


# ---------------------------------------------------------------------------------------------------------------------
# The compiled table

GOOD = {
    "la_name": "Marlshire", "ons_code": "Q06000701", "programme": "innovation_r1", "project": "Step Out",
    "lead_or_partner": "lead", "start_year": "2015", "end_year": "2017", "evidence": "Invented report",
    "confidence": "published",
}  # fmt: skip


def table_of(*rows: Mapping[str, str]) -> reference_tables.ReferenceTable:
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADERS["innovation_programme"])
    writer.writeheader()
    writer.writerows(rows)
    return reference_tables.parse(
        "innovation_programme", text.getvalue().encode(), "innovation_programme.csv", is_from_data_folder=True
    )


def core(*rows: Mapping[str, str]) -> pd.DataFrame:
    return innovation_programme.core(table_of(*rows), LOCAL, AREA_NAMES)


def test_a_row_is_joined_by_its_code() -> None:
    frame = core(GOOD, {**GOOD, "ons_code": "Q06000702", "la_name": "kings ferry council"})
    assert list(frame["la_code"]) == ["701", "702"]
    assert list(frame["la_name"]) == ["Marlshire", "Kings Ferry"]
    assert list(frame[["start_year", "end_year", "source_row"]].iloc[0]) == [2015, 2017, 2]


def test_without_a_table_there_are_no_rows() -> None:
    frame = innovation_programme.core(reference_tables.absent("innovation_programme"), LOCAL, AREA_NAMES)
    assert frame.empty
    assert list(frame.columns) == covariate_tables.INNOVATION_PROGRAMME.column_names


BAD = {
    "unknown code": ({"ons_code": "Q06000799"}, "bad_reference_table", "ons_code"),
    "DfE code": ({"ons_code": "701"}, "bad_reference_table", "ons_code"),
    "name of another": ({"la_name": "Eastmere"}, "name_and_code_differ", "la_name"),
    "unknown name": ({"la_name": "Farravel"}, "unknown_authority", "la_name"),
    "unknown programme": ({"programme": "innovation_r3"}, "bad_reference_table", "programme"),
    "unknown part": ({"lead_or_partner": "member"}, "bad_reference_table", "lead_or_partner"),
    "unknown confidence": ({"confidence": "likely"}, "bad_reference_table", "confidence"),
    "no confidence": ({"confidence": ""}, "bad_reference_table", "confidence"),
    "no project": ({"project": ""}, "bad_reference_table", "project"),
    "no evidence": ({"evidence": " "}, "bad_reference_table", "evidence"),
    "no year": ({"start_year": "2015/16"}, "bad_reference_table", "start_year"),
    "blank year": ({"end_year": ""}, "bad_reference_table", "end_year"),
    "before the programme": ({"start_year": "2013"}, "bad_reference_table", "start_year"),
    "end before start": ({"end_year": "2014"}, "bad_reference_table", "end_year"),
    "a slip of a digit": ({"end_year": "2071"}, "bad_reference_table", "end_year"),
}


@pytest.mark.parametrize(("change", "code", "column"), BAD.values(), ids=BAD.keys())
def test_a_bad_row_is_refused_with_its_place(change: dict[str, str], code: str, column: str) -> None:
    good = {**GOOD, "project": "Another"}
    with pytest.raises(Refusal) as caught:
        core(good, {**GOOD, **change})
    refusal = caught.value
    assert (refusal.code, refusal.file, refusal.row) == (code, "innovation_programme.csv", 3)
    assert (refusal.column, refusal.value) == (column, change[column].strip())
    assert refusal.remedy


@pytest.mark.parametrize(
    ("programme", "began"),
    [("innovation_r1", 2014), ("innovation_r2", 2016), ("partners_in_practice", 2015), ("sfpc", 2019)],
)
def test_no_project_is_older_than_its_programme(programme: str, began: int) -> None:
    """README, "Columns": Round 1 from 2014, Round 2 from 2016, partners named December 2015, SFPC from April 2019."""
    row = {**GOOD, "programme": programme, "start_year": str(began), "end_year": str(began + 2)}
    assert list(core(row)["start_year"]) == [began]
    with pytest.raises(Refusal, match=f"began in {began}"):
        core({**row, "start_year": str(began - 1)})


def test_an_authority_stands_in_a_project_once() -> None:
    with pytest.raises(Refusal, match="row 2") as caught:
        core(GOOD, {**GOOD, "lead_or_partner": "partner"})
    assert caught.value.row == 3


def test_one_project_may_be_in_two_programmes() -> None:
    assert len(core(GOOD, {**GOOD, "programme": "innovation_r2", "start_year": "2017"})) == 2


# ---------------------------------------------------------------------------------------------------------------------
# Taking part: rules

# 701 was divided in 2021 into 711 and 712; 703 in 2019 into 713 (88.7% of its children) and 714, which 704 joined.
CHANGES = [
    ("701", "711", "split", dt.date(2021, 4, 1)),
    ("701", "712", "split", dt.date(2021, 4, 1)),
    ("703", "713", "split", dt.date(2019, 4, 1)),
    ("703", "714", "split", dt.date(2019, 4, 1)),
    ("704", "714", "merge", dt.date(2019, 4, 1)),
]
SHARES = {("701", "711"): 0.6, ("701", "712"): 0.4, ("703", "713"): 0.887, ("703", "714"): 0.113}
AREAS = geography.build_areas(LOCAL, small.area_changes(CHANGES))
Row = tuple[str, str, str, str, int, str]  # authority, programme, project, part, start year, confidence


def rows(*found: Row) -> pd.DataFrame:
    columns = ["la_code", "programme", "project", "lead_or_partner", "start_year", "confidence"]
    frame = pd.DataFrame(found, columns=columns)
    return frame.astype({name: "Int64" if name == "start_year" else "string" for name in columns})


def one(la_code: str = "702", **changes: object) -> Row:
    row = {"la_code": la_code, "programme": "innovation_r1", "project": "Step Out", "part": "lead", "start": 2015,
           "confidence": "published"} | changes  # fmt: skip
    return tuple(row.values())  # type: ignore[return-value]


def found(
    programme: pd.DataFrame,
    rule: Rule | None = None,
    start: int = 2020,
    end: int = 2025,
    units: list[Unit] | None = None,
) -> pd.DataFrame:
    own = geography.units(AREAS, start, end) if units is None else units
    return participation(programme, own, AREAS, SHARES, start, end, rule).set_index("unit_id")


def taking_part(programme: pd.DataFrame, rule: Rule | None = None, start: int = 2020, end: int = 2025) -> set[str]:
    frame = found(programme, rule, start, end)
    return set(frame.index[frame["participates"]])


@pytest.mark.parametrize(("began", "by_t0", "ever"), [
    (2019, True, True),  # the calendar year before the start
    (2020, False, True),  # could be before or after 31 March 2020
    (2024, False, True),
    (2025, False, False),  # could be before or after 31 March 2025
])  # fmt: skip
def test_a_project_counts_from_the_calendar_year_before(began: int, by_t0: bool, ever: bool) -> None:
    programme = rows(one(programme="sfpc", start=began))
    for timing, expected in (("by_t0", by_t0), ("ever", ever)):
        assert taking_part(programme, Rule(timing, ("sfpc",))) == ({"702"} if expected else set())


@pytest.mark.parametrize(("timing", "as_of"), [("by_t0", 2019), ("ever", 2024)])
def test_the_last_year_that_counts_is_told(timing: str, as_of: int) -> None:
    assert set(found(rows(one()), Rule(timing))["as_of"]) == {as_of}


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_the_two_rounds_are_what_counts_unless_others_are_named(programme: str) -> None:
    own = rows(one(programme=programme, start=2019))
    assert taking_part(own) == ({"702"} if programme in ("innovation_r1", "innovation_r2") else set())
    assert taking_part(own, Rule(programmes=(programme,))) == {"702"}


def test_lead_only_and_recalled_are_switches() -> None:
    programme = rows(one("702"), one("705", part="partner"), one("704", confidence="recalled"))
    assert taking_part(programme) == {"702", "705"}
    assert taking_part(programme, Rule(lead_only=True)) == {"702"}
    assert taking_part(programme, Rule(recalled=True)) == {"702", "705", "714"}


def test_projects_are_counted_once_each() -> None:
    """Two authorities of a unit in one project; one name in two programmes is two projects."""
    programme = rows(
        one("711", project="Step Out", start=2014), one("712", project="Step Out"), one("712", project="Haven"),
        one("712", project="Haven", programme="innovation_r2", start=2017),
    )  # fmt: skip
    row = found(programme).loc["711+712"]
    assert (row["projects"], row["first_start_year"]) == (3, 2014)


def test_no_row_is_no_evidence_and_not_missing() -> None:
    frame = found(rows())
    assert not frame["participates"].any()
    assert set(frame["projects"]) == {0}
    assert frame["first_start_year"].isna().all()


@pytest.mark.parametrize("rule", [Rule(timing="before"), Rule(programmes=("innovation_r3",))])
def test_an_unknown_rule_is_an_error(rule: Rule) -> None:
    with pytest.raises(ValueError, match="before|innovation_r3"):
        found(rows(one()), rule)


def test_units_come_back_in_their_order_and_rows_in_do_not_matter() -> None:
    units = list(reversed(geography.units(AREAS, 2020, 2025)))
    programme = rows(one("702"), one("705", start=2014), one("705", project="Haven"))
    frame = found(programme, units=units)
    assert list(frame.index) == [unit.unit_id for unit in units]
    pd.testing.assert_frame_equal(frame, found(programme.iloc[::-1], units=units))


# ---------------------------------------------------------------------------------------------------------------------
# Taking part: boundaries


def test_a_unit_takes_part_if_any_member_old_or_new_did() -> None:
    """711 and 712 are one unit of 2020 to 2025; so are 713 and 714 of 2018 to 2023, with both old areas."""
    for code in ("701", "711", "712"):
        assert taking_part(rows(one(code))) == {"711+712"}
    for code in ("703", "704", "713", "714"):
        assert taking_part(rows(one(code)), start=2018, end=2023) == {"713+714"}


def test_a_member_counts_even_where_no_part_of_it_would_inherit() -> None:
    """701 is divided into five equal parts within the window: the unit is its own area, whoever inherits."""
    parts = ["705", "711", "712", "713", "714"]
    day = dt.date(2021, 4, 1)
    areas = geography.build_areas(LOCAL, small.area_changes([("701", part, "split", day) for part in parts]))
    shares = {("701", part): 0.2 for part in parts}
    for start, expected in ((2020, {"+".join(parts)}), (2022, set())):
        units = geography.units(areas, start, start + 5)
        frame = participation(rows(one("701")), units, areas, shares, start, start + 5)
        assert set(frame.loc[frame["participates"], "unit_id"]) == expected


def test_a_split_passes_it_to_the_larger_part_alone() -> None:
    assert taking_part(rows(one("703"))) == {"713"}


def test_a_merge_passes_it_on_whole() -> None:
    assert taking_part(rows(one("704"))) == {"714"}


@pytest.mark.parametrize(("share", "heirs"), [(0.25, {"703", "713", "714"}), (0.2499, {"703", "713"})])
def test_a_quarter_of_the_children_is_enough(share: float, heirs: set[str]) -> None:
    shares = {**SHARES, ("703", "713"): 1 - share, ("703", "714"): share}
    assert innovation_programme.heirs("703", AREAS, shares) == heirs


def test_both_halves_inherit_once_they_stand_alone() -> None:
    assert taking_part(rows(one("701")), start=2022, end=2027) == {"711", "712"}


def test_nothing_is_inherited_backwards() -> None:
    """713 took part; what was its area before is not said to have."""
    assert innovation_programme.heirs("713", AREAS, SHARES) == {"713"}
    assert taking_part(rows(one("713")), start=2017, end=2018) == set()


def test_it_passes_through_two_changes() -> None:
    areas = geography.build_areas(
        LOCAL, small.area_changes([("701", "702", "merge", dt.date(2019, 4, 1)), *[
            ("702", new, "split", dt.date(2021, 4, 1)) for new in ("711", "712")
        ]]),
    )  # fmt: skip
    shares = {("702", "711"): 0.9, ("702", "712"): 0.1}
    assert innovation_programme.heirs("701", areas, shares) == {"701", "702", "711"}


def test_an_unknown_share_is_refused_where_it_is_needed() -> None:
    shares = {pair: share for pair, share in SHARES.items() if pair != ("703", "714")}
    units = geography.units(AREAS, 2020, 2025)
    with pytest.raises(Refusal) as caught:
        participation(rows(one("703")), units, AREAS, shares, 2020, 2025)
    assert caught.value.code == "no_split_share"
    assert "Eastmere (703)" in caught.value.problem
    assert "Wendbury and Eastmere (714)" in caught.value.problem
    assert not participation(rows(one("702")), units, AREAS, shares, 2020, 2025).empty


# ---------------------------------------------------------------------------------------------------------------------
# Shares


def shares_table(*found: tuple[str, str, str]) -> reference_tables.ReferenceTable:
    header = ",".join(HEADERS["split_child_weights_2016"])
    lines = [f"Q06000{old},Q06000{new},1,1,districts,{share},1" for old, new, share in found]
    content = "\n".join([header, *lines, ""]).encode()
    return reference_tables.parse("split_child_weights_2016", content, "shares.csv", is_from_data_folder=True)


def test_shares_are_by_authority_and_add_up() -> None:
    table = shares_table(("701", "711", "0.6"), ("701", "712", "0.4"))
    assert geography.split_shares(table, LOCAL) == {("701", "711"): 0.6, ("701", "712"): 0.4}


@pytest.mark.parametrize(("pairs", "column"), [
    ([("799", "711", "0.6"), ("701", "712", "0.4")], "old_code"),
    ([("701", "799", "0.6"), ("701", "712", "0.4")], "new_code"),
    ([("701", "711", "60%"), ("701", "712", "0.4")], "share_of_old_children"),
    ([("701", "711", ""), ("701", "712", "0.4")], "share_of_old_children"),
    ([("701", "711", "nan"), ("701", "712", "0.4")], "share_of_old_children"),
    ([("701", "711", "60"), ("701", "712", "40")], "share_of_old_children"),
    ([("701", "711", "1.2"), ("701", "712", "-0.2")], "share_of_old_children"),
    ([("701", "711", "0.6")], "share_of_old_children"),  # the other part was lost
])  # fmt: skip
def test_what_is_no_share_is_refused(pairs: list[tuple[str, str, str]], column: str) -> None:
    with pytest.raises(Refusal) as caught:
        geography.split_shares(shares_table(*pairs), LOCAL)
    assert (caught.value.code, caught.value.row, caught.value.column) == ("bad_reference_table", 2, column)


# ---------------------------------------------------------------------------------------------------------------------
# The project's own table, held to its README


@pytest.fixture(scope="module")
def england() -> dict[str, reference_tables.ReferenceTable]:
    return reference_tables.load(PROJECT_REFERENCES, {})


@pytest.fixture(scope="module")
def local(england: dict[str, reference_tables.ReferenceTable]) -> pd.DataFrame:
    return geography.local_authorities(england)


@pytest.fixture(scope="module")
def compiled(england: dict[str, reference_tables.ReferenceTable], local: pd.DataFrame) -> pd.DataFrame:
    names = reference_tables.knowledge(england).names
    return innovation_programme.core(england["innovation_programme"], local, names)


ROUNDS = ("innovation_r1", "innovation_r2")
# README "Coverage": rows, authorities, authorities by published sources only, projects.
COVERAGE = {
    ("innovation_r1",): (100, 66, 65, 45),
    ("innovation_r2",): (121, 81, 73, 41),
    ("partners_in_practice",): (21, 21, 19, 3),
    ("sfpc",): (20, 20, 20, 3),
    ROUNDS: (221, 102, 95, None),
    tuple(PROGRAMMES): (262, 114, 107, None),
}


@pytest.mark.parametrize(("programmes", "expected"), COVERAGE.items(), ids=["+".join(names) for names in COVERAGE])
def test_the_coverage_of_the_readme(
    compiled: pd.DataFrame, programmes: tuple[str, ...], expected: tuple[int, int, int, int | None]
) -> None:
    own = compiled.loc[compiled["programme"].isin(programmes)]
    published_only = own.loc[own["confidence"] == "published"]
    counted = (len(own), own["la_code"].nunique(), published_only["la_code"].nunique(), own["project"].nunique())
    assert counted[:3] == expected[:3]
    assert expected[3] in (None, counted[3])


def test_authorities_without_a_row_are_those_of_the_readme(
    compiled: pd.DataFrame, england: dict[str, reference_tables.ReferenceTable], local: pd.DataFrame
) -> None:
    readme = (
        "Bedford, Birmingham, Blackburn with Darwen, Bournemouth, Brighton and Hove, Central Bedfordshire, Cheshire West "
        "and Chester, City of London, Dudley, East Sussex, Gateshead, Halton, Hartlepool, Herefordshire, Hillingdon, "
        "Isles of Scilly, Kirklees, Knowsley, Lambeth, Leicester, Liverpool, Milton Keynes, North Lincolnshire, "
        "Nottingham, Nottinghamshire, Poole, Redbridge, Rutland, Sandwell, Shropshire, Somerset, Southampton, "
        "Stockton-on-Tees, Sunderland, Waltham Forest, Wirral, Worcestershire, York"
    )
    names = reference_tables.knowledge(england).names
    expected = {area.la_code for name in readme.split(", ") for area in names.named(name)}
    areas = geography.build_areas(local, geography.area_changes(england["la_code_changes"]))
    of_2017 = set(areas.codes_in_being(geography.stock_day(2017)))
    assert len(of_2017) == 152
    assert of_2017 - set(compiled["la_code"]) == expected
    assert set(compiled["la_code"]) < of_2017


@published
def test_who_took_part_in_the_primary_window(
    compiled: pd.DataFrame, england: dict[str, reference_tables.ReferenceTable], real: Readings
) -> None:
    """All 95 authorities of the README began by 2019, and each is one unit of 2020 to 2025, Dorset's being Dorset's.

    Dorset's Christchurch, 11% of its children, went to an authority of which no other part has a row.
    """
    shares = geography.split_shares(england["split_child_weights_2016"], real.local_authorities)
    data = {
        own.window.window_id: own
        for own in windows.all_window_data(
            real.core_looked_after, real.core_population, real.areas, settings.load().windows
        )
    }

    def of(window_id: str, rule: Rule) -> pd.DataFrame:
        own = data[window_id]
        units = [ends.unit for ends in trends.units_compared(own, real.areas.too_small)]
        frame = participation(compiled, units, real.areas, shares, own.window.start, own.window.end, rule)
        return frame.set_index("unit_id")

    primary = of("main_h5", Rule())
    assert (len(primary), int(primary["participates"].sum())) == (149, 95)
    assert primary.loc[["838", "839", "940+941", "942+943"], "participates"].tolist() == [True, False, True, True]
    assert int(of("main_h5", Rule(recalled=True))["participates"].sum()) == 102
    # methods.md D3: nobody can have taken part before the windows of the study began.
    assert not of("orig_h5", Rule())["participates"].any()
    began_by_2016 = {
        row.ons_code
        for row in england["innovation_programme"].frame.itertuples()
        if row.programme in ROUNDS and row.confidence == "published" and int(row.start_year) <= 2016
    }
    assert int(of("orig_h5", Rule(timing="ever"))["participates"].sum()) == len(began_by_2016)
