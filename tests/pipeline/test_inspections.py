"""Which judgement is taken from which workbook, and which was in force when: methods.md D3 and the Ofsted README."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable

import pandas as pd
import pytest

from pipeline import checks, geography, inspections
from pipeline.readers import judgements, layouts
from pipeline.readers.judgements import Judgement
from pipeline.readers.layout import INSPECTIONS
from pipeline.tables import covariate_tables
from pipeline.tables.frames import from_arrow, to_arrow
from tests.fixtures import ofsted_files as small
from tests.fixtures import small_country
from tests.fixtures.ofsted_files import GOOD, INADEQUATE, OUTSTANDING, RI
from tests.fixtures.readings import Readings, pick
from tests.pipeline.readers.test_ofsted_history import counts
from tests.published_files import published

MARCH_31 = {year: dt.date(year, 3, 31) for year in range(2010, 2026)}
A_YEAR_LATER = dt.date(2031, 3, 31)
One = tuple[str, str, str, dict[str, str]]  # authority, framework, publication date, grades


def core(reports: Iterable[One], layout: str = "ofsted_history", release: int = 2030) -> pd.DataFrame:
    """`core.inspections` from single reports."""
    read = [
        Judgement(framework, dt.date.fromisoformat(day), row, "date", la_code=code, la_name=code, grades=grades)
        for row, (code, framework, day, grades) in enumerate(reports, start=2)
    ]
    frame = judgements.frame(read, release, "file", "0" * 64)
    return inspections.inspections(frame.assign(layout=layout, part=""))


def overall(code: str, framework: str, day: str, grade: str) -> One:
    return (code, framework, day, {"overall": grade})


def slac(code: str, day: str, **grades: str) -> One:
    return (code, "SLAC", day, grades)


def again(code: str, day: str, **grades: str) -> One:
    return (code, "SLAC re-inspection", day, grades)


def in_force(frame: pd.DataFrame, day: str | dt.date) -> dict[str, str]:
    day = dt.date.fromisoformat(day) if isinstance(day, str) else day
    return dict(inspections.in_force(frame, day)[["la_code", "overall"]].itertuples(index=False, name=None))


# ---------------------------------------------------------------------------------------------------------------------
# From which workbook


@pytest.fixture(scope="module")
def both() -> pd.DataFrame:
    return small.tidy(small.history(), small.outcomes())


def test_ilacs_is_from_the_outcomes_and_the_rest_from_the_history(both: pd.DataFrame) -> None:
    frame = inspections.inspections(both)
    ilacs = frame["framework"] == "ILACS"
    assert set(frame.loc[ilacs, "release"]) == {2025} and set(frame.loc[~ilacs, "release"]) == {2023}
    assert int(ilacs.sum()) == 4 and int((~ilacs).sum()) == 10
    assert frame.loc[ilacs, "inspection_date"].notna().all()


def test_ilacs_is_from_the_outcomes_even_if_the_history_is_newer() -> None:
    """Only they have inspection dates and area codes."""
    history = small.history()
    history["LA_inspections_2009-2023"][0] = ["LA inspections 2009-2026"]
    frame = inspections.inspections(small.tidy(history, small.outcomes()))
    assert set(frame["release"]) == {2025, 2026}
    assert set(pick(frame, framework="ILACS")["release"]) == {2025}


def test_one_workbook_is_enough() -> None:
    history = inspections.inspections(small.tidy(small.history()))
    outcomes = inspections.inspections(small.tidy(small.outcomes()))
    assert len(history) == 14 and set(outcomes["framework"]) == {"ILACS"} and len(outcomes) == 4
    assert (pick(history, framework="ILACS")["inspection_date_reason"] == "not_available").all()
    assert inspections.compared(small.tidy(small.history())).empty


def test_of_two_editions_the_newer_counts() -> None:
    older = small.outcomes()
    older["Cover"][0] = ["Local authority inspection outcomes as at 31 March 2024"]
    older["Inspections_as_at_31_March"][0] = ["Judgements as at 31 March 2024"]
    older["ILACS_inspection_history"] = [
        ["ILACS inspection history from 2018-2024"],
        *older["ILACS_inspection_history"][1:6],
    ]
    tidy = small.tidy(older, small.outcomes())
    assert len(tidy) == 3 + 4
    frame = inspections.inspections(tidy)
    assert len(frame) == 4 and set(frame["release"]) == {2025}
    assert list(inspections.compared(tidy)["release"]) == [2024, 2024, 2024]


def test_without_any_workbook_the_tables_are_empty() -> None:
    nothing = layouts.empty(INSPECTIONS).assign(layout="", part="")
    frame = inspections.inspections(nothing)
    assert frame.empty and list(frame.columns) == covariate_tables.INSPECTIONS.column_names
    assert inspections.compared(nothing).empty
    assert in_force(frame, "2020-03-31") == {} and inspections.slac_worse_in_force(frame, MARCH_31[2012]).empty
    assert checks.of_inspections(frame, inspections.compared(nothing), AREAS) == []


def test_every_missing_judgement_has_its_reason(both: pd.DataFrame) -> None:
    frame = inspections.inspections(both)
    assert (frame["overall"].isna() == frame["overall_reason"].notna()).all()
    assert (frame["inspection_date"].isna() == frame["inspection_date_reason"].notna()).all()
    without = frame.loc[frame["overall"].isna()]
    assert set(without["framework"]) == {"SLAC", "SLAC re-inspection"}
    assert set(without["overall_reason"]) == {"not_applicable"}


def test_both_slac_grades_stay_beside_the_worse_one(both: pd.DataFrame) -> None:
    own = pick(inspections.inspections(both), la_code=small.MARLSHIRE)
    columns = ["framework", "safeguarding", "looked_after", "worse_grade"]
    assert list(own.loc[own["safeguarding"].notna(), columns].itertuples(index=False, name=None)) == [
        ("SLAC", INADEQUATE, RI, INADEQUATE),
        ("SLAC re-inspection", RI, GOOD, RI),
    ]
    assert own.loc[own["overall"].notna(), "worse_grade"].isna().all()
    ferry = pick(inspections.inspections(both), la_code=small.KINGS_FERRY).iloc[0]
    assert pd.isna(ferry["worse_grade"]) and ferry["not_judged"] == "looked_after"


def test_the_relabelling_of_adequate_is_told() -> None:
    columns = {column.name: column.comment for column in covariate_tables.INSPECTIONS.columns}
    assert all("adequate" in columns[name] for name in ("worse_grade", "safeguarding", "looked_after"))
    assert "adequate" in covariate_tables.INSPECTIONS.comment


# ---------------------------------------------------------------------------------------------------------------------
# In force


def test_a_judgement_is_in_force_from_its_publication_day() -> None:
    frame = core([overall("701", "SIF", "2015-06-10", GOOD)])
    assert in_force(frame, "2015-06-09") == {}
    assert in_force(frame, "2015-06-10") == {"701": GOOD}
    assert in_force(frame, A_YEAR_LATER) == {"701": GOOD}


def test_the_next_full_inspection_replaces_it_across_frameworks() -> None:
    frame = core(
        [
            overall("701", "ILACS", "2018-09-03", OUTSTANDING),
            overall("701", "SIF", "2014-06-02", INADEQUATE),
            overall("701", "SIF re-inspection", "2016-07-04", RI),
            overall("702", "SIF", "2017-01-05", GOOD),
        ]
    )
    assert in_force(frame, "2016-07-03") == {"701": INADEQUATE}
    assert in_force(frame, "2016-07-04") == {"701": RI}
    assert in_force(frame, "2018-09-02") == {"701": RI, "702": GOOD}
    assert in_force(frame, "2018-09-03") == {"701": OUTSTANDING, "702": GOOD}


def test_a_narrower_inspection_replaces_nothing() -> None:
    frame = core(
        [
            overall("701", "SIF", "2012-01-02", GOOD),
            overall("701", "CPI", "2013-01-08", INADEQUATE),
            overall("701", "CPRI", "2013-07-26", INADEQUATE),
            overall("701", "TLAC", "2013-08-23", INADEQUATE),
            slac("701", "2012-08-10", safeguarding=INADEQUATE, looked_after=INADEQUATE),
            overall("702", "CPI", "2013-01-08", GOOD),
        ]
    )
    assert in_force(frame, "2014-03-31") == {"701": GOOD}
    assert set(inspections.in_force(frame, MARCH_31[2014], frameworks=("CPI",))["la_code"]) == {"701", "702"}


def test_it_is_the_publication_and_not_the_inspection_that_counts() -> None:
    """Inspected in March, published in May: on 31 March the older judgement was in force."""
    sheets = small.outcomes()
    rows = sheets["ILACS_inspection_history"]
    rows[4][5], rows[4][6] = dt.date(2022, 3, 7), dt.date(2022, 5, 6)
    del sheets["Inspections_as_at_31_March"]  # it has the inspection under its first date
    frame = inspections.inspections(small.tidy(sheets))
    assert in_force(frame, "2022-03-31")[small.MARLSHIRE] == GOOD
    assert in_force(frame, "2022-05-06")[small.MARLSHIRE] == RI


def test_a_new_authority_has_none_until_its_own_first_report(both: pd.DataFrame) -> None:
    """Old Westfold keeps its last one; who counts for a unit is not decided here."""
    frame = inspections.inspections(both)
    before, after = in_force(frame, "2024-12-01"), in_force(frame, "2024-12-02")
    assert small.NEW_WESTFOLD not in before and before[small.OLD_WESTFOLD] == RI
    assert after[small.NEW_WESTFOLD] == OUTSTANDING and after[small.OLD_WESTFOLD] == RI


def test_row_order_does_not_matter() -> None:
    reports = [
        overall("701", "SIF", "2014-06-02", INADEQUATE),
        overall("701", "SIF re-inspection", "2016-07-04", RI),
        overall("702", "SIF", "2015-01-05", GOOD),
    ]
    day = MARCH_31[2017]
    expected = inspections.in_force(core(reports), day)
    assert inspections.in_force(core(reversed(reports)), day).equals(expected)
    shuffled = core(reports).sample(frac=1, random_state=1)
    assert inspections.in_force(shuffled, day).equals(expected)


def test_it_survives_the_way_through_parquet(both: pd.DataFrame) -> None:
    frame = inspections.inspections(both)
    stored = from_arrow(to_arrow(frame, covariate_tables.INSPECTIONS), covariate_tables.INSPECTIONS)
    for day in (MARCH_31[2012], MARCH_31[2019], MARCH_31[2025]):
        assert inspections.in_force(stored, day).equals(inspections.in_force(frame, day))
        assert inspections.slac_worse_in_force(stored, day).equals(inspections.slac_worse_in_force(frame, day))


def check_no_later_judgement_enters(frame: pd.DataFrame, days: Iterable[dt.date]) -> None:
    """Nothing is from after the day, and nothing between what was taken and the day was passed over."""
    full = frame.loc[frame["framework"].isin(inspections.FULL_INSPECTIONS)]
    for day in days:
        found = inspections.in_force(frame, day)
        assert not found["la_code"].duplicated().any()
        assert (found["publication_date"] <= day).all()
        earlier = full.loc[full["publication_date"] <= day]
        assert set(found["la_code"]) == set(earlier["la_code"])
        newest = earlier.groupby("la_code")["publication_date"].max()
        assert found.set_index("la_code")["publication_date"].to_dict() == newest.to_dict()


def test_no_judgement_from_after_a_day_enters() -> None:
    """Three hundred random reports of twenty authorities, asked on a hundred random days."""
    chance = random.Random(5)
    start = dt.date(2014, 1, 1).toordinal()

    def any_day() -> dt.date:
        return dt.date.fromordinal(start + chance.randrange(4000))

    keys = {(f"7{chance.randrange(20):02}", chance.choice(judgements.FRAMEWORKS), any_day()) for _ in range(300)}
    frame = core(
        overall(code, framework, day.isoformat(), chance.choice(judgements.GRADES)) for code, framework, day in keys
    )
    check_no_later_judgement_enters(frame, [any_day() for _ in range(100)])


# ---------------------------------------------------------------------------------------------------------------------
# The two grades of 2009 to 2012


def worse(frame: pd.DataFrame, day: str) -> dict[str, object]:
    found = inspections.slac_worse_in_force(frame, dt.date.fromisoformat(day))
    assert (found["worse_grade"].isna() == found["reason"].notna()).all()
    return {row.la_code: None if pd.isna(row.worse_grade) else row.worse_grade for row in found.itertuples()}


@pytest.mark.parametrize(
    ("safeguarding", "looked_after", "expected"),
    [
        (GOOD, GOOD, GOOD),
        (OUTSTANDING, GOOD, GOOD),
        (GOOD, OUTSTANDING, GOOD),
        (RI, INADEQUATE, INADEQUATE),
        (INADEQUATE, OUTSTANDING, INADEQUATE),
        (RI, GOOD, RI),
    ],
)
def test_the_worse_of_the_two(safeguarding: str, looked_after: str, expected: str) -> None:
    """By the scale and not by the alphabet, in which Good comes before Inadequate and Outstanding after it."""
    frame = core([slac("701", "2011-05-06", safeguarding=safeguarding, looked_after=looked_after)])
    assert worse(frame, "2012-03-31") == {"701": expected}
    assert frame["worse_grade"].iloc[0] == expected


def test_a_re_inspection_replaces_its_own_service_alone() -> None:
    frame = core(
        [
            slac("701", "2010-01-07", safeguarding=INADEQUATE, looked_after=RI),
            again("701", "2011-10-10", safeguarding=GOOD),
            overall("701", "CPI", "2011-12-01", INADEQUATE),
        ]
    )
    assert worse(frame, "2010-01-06") == {}
    assert worse(frame, "2011-10-09") == {"701": INADEQUATE}
    assert worse(frame, "2011-10-10") == {"701": RI}
    found = inspections.slac_worse_in_force(frame, MARCH_31[2012]).iloc[0]
    assert [found["safeguarding"], found["looked_after"]] == [GOOD, RI]
    assert found["publication_date"] == dt.date(2011, 10, 10)


def test_a_service_that_was_not_judged_leaves_no_worse_grade() -> None:
    assert worse(core([slac("704", "2012-01-03", safeguarding=GOOD)]), "2012-03-31") == {"704": None}


# ---------------------------------------------------------------------------------------------------------------------
# Checks

VESTING = dt.date(2019, 4, 1)
AREAS = geography.build_areas(
    small_country.local_authorities({"701": "Marlshire", "705": "Westfold", "706": "Westfold"}),
    small_country.area_changes([("705", "706", "split", VESTING)]),
)
GOOD_REPORTS = [
    overall("701", "ILACS", "2021-05-04", GOOD),
    overall("705", "SIF", "2016-05-23", RI),
    overall("706", "ILACS", "2021-11-19", GOOD),
]


def results(frame: pd.DataFrame, compared: pd.DataFrame | None = None) -> dict[str, tuple[int, int, str]]:
    if compared is None:
        compared = inspections.compared(layouts.empty(INSPECTIONS).assign(layout="", part=""))
    rows = checks.of_inspections(frame, compared, AREAS)
    assert {row["severity"] for row in rows} == {"warn"}
    return {str(row["check_name"]): (row["n"], row["n_failed"], row["detail"]) for row in rows}  # type: ignore[misc]


def test_good_judgements_pass_every_check() -> None:
    found = results(core(GOOD_REPORTS))
    assert {name: failed for name, (_, failed, _) in found.items()} == {
        checks.JUDGED_IN_BEING: 0,
        checks.EVERY_JUDGEMENT: 0,
    }


def test_a_judgement_on_an_authority_not_in_being_is_named() -> None:
    frame = core([*GOOD_REPORTS, overall("706", "SIF", "2016-05-23", RI)])
    assert results(frame)[checks.JUDGED_IN_BEING] == (4, 1, "706 (706) 2016-05-23")


def test_a_report_after_the_end_on_an_inspection_before_it_is_no_fault() -> None:
    one = Judgement(
        "ILACS", dt.date(2019, 5, 20), 2, "date", "705", "Westfold", dt.date(2019, 3, 4), grades={"overall": RI}
    )
    tidy = judgements.frame([one], 2025, "file", "0" * 64).assign(layout="ofsted_outcomes", part="")
    assert results(inspections.inspections(tidy))[checks.JUDGED_IN_BEING][1] == 0


def test_an_authority_without_a_judgement_is_named_unless_it_is_new() -> None:
    """A sheet that lost rows. On 19 November 2021 New Westfold is two years old and need not have one yet."""
    lost = [overall("705", "SIF", "2016-05-23", RI), overall("705", "ILACS", "2021-11-19", RI)]
    assert results(core(lost))[checks.EVERY_JUDGEMENT] == (1, 1, "none for Marlshire (701)")
    later = [*lost, overall("701", "ILACS", "2022-04-01", GOOD)]
    assert results(core(later))[checks.EVERY_JUDGEMENT][:2] == (2, 1)


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ({"overall": GOOD}, "Marlshire 2022-06-03: Requires improvement to be good, Good in the newest"),
        ({"publication_date": dt.date(2022, 3, 6)}, "Marlshire 2022-06-03: Requires improvement to be good, no report"),
    ],
)
def test_workbooks_that_differ_are_named(spoilt: dict[str, object], said: str) -> None:
    """Before anything is spoilt both workbooks have the reports of 3 September 2018, and the older one two more."""
    outcomes = small.outcomes()
    del outcomes["Inspections_as_at_31_March"]  # it has the reports under their first dates
    outcomes["ILACS_inspection_history"][4][6] = dt.date(2022, 6, 3)
    outcomes["ILACS_inspection_history"][6][5:7] = [dt.date(2021, 9, 27), dt.date(2021, 11, 19)]
    outcomes["ILACS_inspection_history"][6][8] = GOOD
    tidy = small.tidy(small.history(), outcomes)
    compared = inspections.compared(tidy)
    assert len(compared) == 4 and compared["agrees"].all()
    assert results(core(GOOD_REPORTS), compared)[checks.JUDGEMENTS_AGREE] == (4, 0, "all agree")
    row = tidy.index[(tidy["layout"] == "ofsted_outcomes") & (tidy["publication_date"] == dt.date(2022, 6, 3))][0]
    for column, value in spoilt.items():
        tidy.at[row, column] = value
    n, failed, detail = results(core(GOOD_REPORTS), inspections.compared(tidy))[checks.JUDGEMENTS_AGREE]
    assert (n, failed) == (4, 1) and detail.startswith(said)


# ---------------------------------------------------------------------------------------------------------------------
# The published workbooks


@published
@pytest.mark.parametrize(
    ("year", "authorities"), [(2013, 0), (2014, 11), (2015, 48), (2016, 87), (2017, 124), (2018, 152)]
)
def test_authorities_with_a_judgement_in_force(real: Readings, year: int, authorities: int) -> None:
    """The table of the README, "What judgement was in force when"."""
    assert len(inspections.in_force(real.core_inspections, MARCH_31[year])) == authorities


@published
def test_judgements_in_force_at_31_march_2025(real: Readings) -> None:
    """The publisher counts reports up to June 2025 on inspections by then, of the 153 authorities that still are."""
    found = inspections.in_force(real.core_inspections, dt.date(2025, 6, 30))
    still = found.loc[[real.areas.in_being(code, MARCH_31[2025]) for code in found["la_code"]]]
    assert counts(still["overall"]) == (36, 67, 31, 19) and set(still["framework"]) == {"ILACS"}


@published
def test_the_published_workbooks_agree(real: Readings) -> None:
    """All 177 ILACS judgements of the older one, with Nottingham's date set right."""
    compared = inspections.compared(real.judgements)
    assert len(compared) == 177 and compared["agrees"].all()
    (agreement, *others) = checks.of_inspections(real.core_inspections, compared, real.areas)
    assert (agreement["check_name"], agreement["n"], agreement["n_failed"]) == (checks.JUDGEMENTS_AGREE, 177, 0)
    assert [row["n_failed"] for row in others] == [0, 0]


@published
def test_without_its_correction_nottingham_is_the_one_difference(real: Readings) -> None:
    published_date = real.judgements.copy()
    row = published_date.index[
        (published_date["layout"] == "ofsted_history")
        & (published_date["la_code"] == "892")
        & (published_date["publication_date"] == dt.date(2022, 9, 5))
    ]
    published_date.loc[row, "publication_date"] = pd.Series([dt.date(2022, 11, 5)], index=row, dtype=object)
    (agreement, *_) = checks.of_inspections(real.core_inspections, inspections.compared(published_date), real.areas)
    assert agreement["n_failed"] == 1 and str(agreement["detail"]).startswith("Nottingham 2022-11-05")


@published
def test_nottingham_has_the_date_of_its_report(real: Readings) -> None:
    """A window from 31 October 2022 has the judgement of 5 September in force."""
    found = inspections.in_force(real.core_inspections, dt.date(2022, 10, 31)).set_index("la_code")
    assert (found.at["892", "publication_date"], found.at["892", "overall"]) == (dt.date(2022, 9, 5), INADEQUATE)


@published
def test_the_table_has_the_counts_of_the_readme(real: Readings) -> None:
    frame = real.core_inspections
    found = frame["framework"].value_counts().to_dict()
    assert found == {
        "ILACS": 271, "SLAC": 152, "SIF": 152, "CPI": 50, "SIF re-inspection": 21, "SLAC re-inspection": 9, "TLAC": 5,
        "CPRI": 1,
    }  # fmt: skip
    assert counts(pick(frame, framework="ILACS")["overall"]) == (55, 107, 74, 35)
    assert set(frame["source_sha256"]) == set(real.sources.loc[real.sources["publication"] == INSPECTIONS, "sha256"])


@published
def test_every_authority_had_both_grades_by_august_2012_but_scilly(real: Readings) -> None:
    found = inspections.slac_worse_in_force(real.core_inspections, dt.date(2012, 8, 31))
    assert len(found) == 152
    assert list(found.loc[found["reason"].notna(), "la_code"]) == ["420"]


@published
def test_no_published_judgement_from_after_a_day_enters(real: Readings) -> None:
    chance = random.Random(11)
    days = [dt.date(2014, 1, 1) + dt.timedelta(days=chance.randrange(4200)) for _ in range(40)]
    check_no_later_judgement_enters(real.core_inspections, [*days, *MARCH_31.values()])
