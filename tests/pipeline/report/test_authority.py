"""Pages of authorities, on a country whose figures are known by hand: its rate goes from 20 to 22 per 10,000."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline import evidence, settings
from pipeline.report import authority, authority_charts, stories
from pipeline.report import published as reading
from pipeline.report.page import Page, by_name
from pipeline.report.published import Published
from pipeline.report.site import Built
from pipeline.report.stories import Story
from tests.fixtures.small_country import EASTMERE, ISLAND, KINGS_FERRY, MARLSHIRE
from tests.fixtures.small_report import HOSTILE

CLASSES = settings.load().classes
_CHANGED = (
    "core.area_changes", "core.inspections", "core.innovation_programme", "core.deprivation", "core.deprivation_england",
    "core.local_authorities", "main.five_year_change", "main.revisions",
)  # fmt: skip
JOINT = f"{KINGS_FERRY}+{EASTMERE}"


@pytest.fixture(scope="module")
def told(published: Published) -> dict[str, Story]:
    return {story.unit_id: story for story in stories.stories(published)}


@pytest.fixture(scope="module")
def pages(published: Published) -> dict[str, Page]:
    return {page.file: page for page in authority.pages(published)}


@pytest.fixture(scope="module")
def after_a_merger(report_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """The small country in which Kings Ferry is compared with Eastmere as one, which ended and handed on to Marlshire.

    Eastmere's successor has its name, has a revised figure, judgements, a programme and deprivation besides.
    """
    database = tmp_path_factory.mktemp("merger") / "care_numbers.duckdb"
    shutil.copy(report_database, database)
    database.chmod(0o644)
    writing = duckdb.connect(str(database))
    for table in _CHANGED:  # without the constraints, so that a row has only what a test is about
        writing.execute(f"CREATE OR REPLACE TABLE {table} AS FROM {table}")
    for sql in (
        "UPDATE core.local_authorities SET la_name = 'Marlshire', in_being_to = DATE '2018-03-31'"
        f" WHERE la_code = '{EASTMERE}'",
        f"UPDATE core.local_authorities SET in_being_from = DATE '2018-04-01' WHERE la_code = '{MARLSHIRE}'",
        "INSERT INTO core.area_changes (old_code, new_code, change_type, effective_date)"
        f" VALUES ('{EASTMERE}', '{MARLSHIRE}', 'merge', DATE '2018-04-01')",
        f"UPDATE main.five_year_change SET unit_id = '{JOINT}', members = '{JOINT}', unit_name = 'Both'"
        f" WHERE unit_id = '{KINGS_FERRY}'",
        f"DELETE FROM main.five_year_change WHERE unit_id = '{EASTMERE}'",
        f"INSERT INTO main.revisions VALUES ('{MARLSHIRE}', 2013, 'looked_after', 2013, 2014, '', 199, 200, 1, 'count')",
        "INSERT INTO core.inspections (la_code, framework, publication_date, overall) VALUES"
        f" ('{MARLSHIRE}', 'SIF', DATE '2015-06-30', 'Good')",
        "INSERT INTO core.inspections (la_code, framework, publication_date, overall, safeguarding, looked_after) VALUES"
        f" ('{MARLSHIRE}', 'SLAC', DATE '2011-01-10', NULL, 'Good', 'Outstanding')",
        "INSERT INTO core.innovation_programme"
        " (la_code, programme, project, lead_or_partner, start_year, end_year, confidence)"
        f" VALUES ('{MARLSHIRE}', 'innovation_r1', 'Harbour', 'lead', 2015, 2016, 'recalled')",
        "INSERT INTO core.deprivation (la_code, measure, basis, year, value) VALUES"
        f" ('{MARLSHIRE}', 'hmrc_low_income_u16', 'hmrc_local_measure', 2014, 18.5),"
        f" ('{MARLSHIRE}', 'cilif_relative_low_income_u16', 'cilif_to_2024', 2015, 21.0)",
        "INSERT INTO core.deprivation_england (measure, basis, year, value)"
        " VALUES ('hmrc_low_income_u16', 'hmrc_local_measure', 2014, 20.25)",
    ):
        writing.execute(sql)
    writing.close()
    with reading.opened(database) as opened:
        yield opened


@pytest.fixture(scope="module")
def merged(after_a_merger: Published) -> dict[str, Story]:
    return {story.unit_id: story for story in stories.stories(after_a_merger)}


# ---------------------------------------------------------------------------------------------------------------------
# Which pages


def test_every_authority_has_a_page_also_one_that_is_never_compared(pages: dict[str, Page]) -> None:
    codes = [MARLSHIRE, KINGS_FERRY, EASTMERE, ISLAND]
    assert set(pages) == {"authorities.html", *(f"authorities/{code}.html" for code in codes)}


def test_the_list_is_alphabetical_and_searched_by_code_and_region(pages: dict[str, Page]) -> None:
    page = pages["authorities.html"]
    names = [story.label for story in page.facts["living"]]
    assert names == [HOSTILE, "Isle of Nod", "Kings Ferry, City of", "Marlshire"]
    entry = next(entry for entry in page.inlined["search"] if entry["name"] == "Marlshire")
    assert entry["page"] == "authorities/701.html"
    assert entry["words"].split() == ["701", "Q06000701", "North", "Sarn"]


def test_an_authority_too_small_says_why_and_what_was_left_out(pages: dict[str, Page]) -> None:
    page = pages[f"authorities/{ISLAND}.html"]
    assert page.facts["never_compared"]
    assert "too few children" in page.facts["story"].standing[0]
    (row,) = by_name(page.tables, page.file)["left-out"].rows
    assert (row["window"], row["what"], row["reason"]) == ("2013 to 2018", "left out", "too_small")
    assert {table.name for table in page.tables} == {"left-out"}


def test_an_authority_that_ended_is_told_from_its_namesake_and_leads_on(merged: dict[str, Story]) -> None:
    ended, living = merged[EASTMERE], merged[MARLSHIRE]
    assert (ended.label, living.label) == ("Marlshire (until 31 March 2018)", "Marlshire (since 1 April 2018)")
    assert not ended.is_living
    assert ended.standing == ["This authority ended on 31 March 2018. Its last figures are shown."]
    assert [(one["page"], one["how"]) for one in ended.related] == [
        ("authorities/701.html", "has taken over its area or part of it")
    ]
    assert [(one["page"], one["how"]) for one in living.related] == [
        ("authorities/703.html", "had its area before")
    ]  # fmt: skip


def test_a_combined_unit_has_a_page_and_its_members_lead_there(merged: dict[str, Story]) -> None:
    unit = merged[JOINT]
    assert (unit.page, unit.members) == ("authorities/702-703.html", [KINGS_FERRY, EASTMERE])
    assert [row["unit_id"] for row in unit.windows] == [JOINT]
    for code in unit.members:
        assert [(row["unit_id"], row["page"]) for row in merged[code].windows] == [(JOINT, unit.page)]
    assert [row["page"] for row in merged[MARLSHIRE].windows] == [None]


# ---------------------------------------------------------------------------------------------------------------------
# A change in words


@pytest.mark.parametrize(
    ("code", "expected", "sentence"),
    [
        # The country's rate at the end is 22 per 10,000; 100,000, 40,000 and 110,000 children live there.
        (KINGS_FERRY, 220, "150 children in 2018; it would be 220 had its rate moved with Sarnland's."),
        (EASTMERE, 88, "158 children in 2018; it would be 88 had its rate moved with Sarnland's."),
        (MARLSHIRE, 242, "242 children in 2018; it would be as many had its rate moved with Sarnland's."),
    ],
)
def test_a_change_in_children(told: dict[str, Story], code: str, expected: float, sentence: str) -> None:
    (row,) = told[code].windows
    assert row["expected"] == pytest.approx(expected)
    assert row["apart"] == pytest.approx(row["looked_after_end"] - expected)
    assert authority.in_children(row, "Sarnland") == sentence


def a_window(**classes: Any) -> dict[str, Any]:
    return {"england_direction": "up", "movement": "up", "relative": "moved_with_england", "bucked": False} | classes


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (a_window(), "Sarnland's rate rose and so did its own."),
        (a_window(england_direction="down", movement="down"), "Sarnland's rate fell and so did its own."),
        (a_window(movement="little_change"), "Its own rate changed by less than 5%, so it moved neither way."),
        (a_window(movement="down"), "Sarnland's rate rose and its own fell, but the two parted by less than 10%."),
        (
            a_window(movement="down", relative="fell_relative", bucked=True),
            "Sarnland's rate rose and its own fell by 5% or more, parting from Sarnland's by 10% or more.",
        ),
        (
            a_window(england_direction="no_clear_direction", bucked=None),
            "Sarnland's rate had no clear direction, so nobody can have moved against it.",
        ),
    ],
)
def test_why_a_flag_is_as_it_is(row: dict[str, Any], words: str) -> None:
    assert stories.why(row, CLASSES, "Sarnland") == words


def test_the_newest_window_in_words_says_why_there_is_no_evidence(pages: dict[str, Page]) -> None:
    said = pages[f"authorities/{KINGS_FERRY}.html"].facts["sentences"]
    assert said[0] == "From 2013 to 2018 the rate changed by −25.0%; Sarnland's changed by +10.0%."
    assert any(sentence.startswith("Whether that is more than usual movement is not judged: ") for sentence in said)


def test_a_member_of_a_unit_is_told_together(after_a_merger: Published) -> None:
    page = next(page for page in authority.pages(after_a_merger) if page.file == f"authorities/{KINGS_FERRY}.html")
    assert page.facts["sentences"][0].endswith("It is compared as one with others: Both.")
    assert page.facts["sentences"][1].startswith("Together: 150 children")


# ---------------------------------------------------------------------------------------------------------------------
# What is known besides


def test_judgements_and_programmes_stand_in_time(merged: dict[str, Story]) -> None:
    events = merged[MARLSHIRE].events
    assert [(row["when"], row["told"], row["row"]) for row in events] == [
        ("10 January 2011", "safeguarding Good, looked after Outstanding", "No overall grade"),
        ("2015 to 2016", "lead, from general knowledge", "Harbour"),
        ("30 June 2015", "Good", "Good"),
    ]
    chart = authority_charts.events(merged[MARLSHIRE])
    assert chart is not None
    assert "30 June 2015: Inspection (SIF), Good" in chart.alternative
    values = chart.spec["vconcat"][-1]["data"]["values"]
    assert [(value["day"], value.get("until")) for value in values] == [
        ("2011-01-10", None), ("2015-06-30", None), ("2015-01-01", "2016-12-31"),
    ]  # fmt: skip


def test_measures_of_deprivation_are_never_joined(merged: dict[str, Story]) -> None:
    chart = authority_charts.deprivation(merged[MARLSHIRE], "Sarnland")
    assert chart is not None
    panels = chart.spec["vconcat"]
    assert [[(value["series"], value["value"]) for value in panel["data"]["values"]] for panel in panels] == [
        [("Marlshire", 21.0)], [("Marlshire", 18.5), ("Sarnland", 20.25)],
    ]  # fmt: skip


def test_revisions_that_touched_it(after_a_merger: Published) -> None:
    page = next(page for page in authority.pages(after_a_merger) if page.file == f"authorities/{MARLSHIRE}.html")
    table = by_name(page.tables, page.file)["revisions"]
    shown = [column.shown(table.rows[0]) for column in table.columns]
    assert shown == ["2013", "children looked after", "2013", "199", "2014", "200", "+1", "the count"]


def test_no_programme_found_is_not_told_as_none(pages: dict[str, Page], after_a_merger: Published) -> None:
    assert "not evidence of not taking part" in pages[f"authorities/{MARLSHIRE}.html"].facts["no_programme"]
    page = next(page for page in authority.pages(after_a_merger) if page.file == f"authorities/{MARLSHIRE}.html")
    assert page.facts["no_programme"] is None


# ---------------------------------------------------------------------------------------------------------------------
# Charts


def a_story(**lists: Any) -> Story:
    return Story("701", "Marlshire", "Marlshire", "North Sarn", "Q06000701", True, [], [], [], **lists)


def a_year(year: int, low: int | None, high: int | None) -> dict[str, Any]:
    return {
        "year": year,
        "looked_after": 100,
        "looked_after_without_uasc_low": low,
        "looked_after_without_uasc_high": high,
    }


def test_a_hidden_number_is_a_range_and_breaks_the_line() -> None:
    """Joined across the year that is hidden, the line would tell a path that nobody published."""
    chart = authority_charts.number(a_story(years=[a_year(2013, 90, 90), a_year(2014, 95, 100), a_year(2015, 80, 80)]))
    assert chart is not None
    band, line = chart.spec["layer"]
    assert band["data"]["values"] == [
        {"year": 2013, "low": 90, "high": 90}, {"year": 2014, "low": 95, "high": 100},
        {"year": 2015, "low": 80, "high": 80},
    ]  # fmt: skip
    without = [value["value"] for value in line["data"]["values"] if value["series"].startswith("without")]
    assert without == [90, None, 80]


def test_the_rate_says_of_how_many_neighbours_the_median_is() -> None:
    row = {
        "year": 2018, "rate_per_10k": 22.0, "england_rate_per_10k": 21.0, "region_rate_per_10k": 20.0,
        "neighbour_median_rate_per_10k": 19.0, "neighbours": 10, "neighbours_used": 9,
    }  # fmt: skip
    chart = authority_charts.rate(a_story(rates=[row]), "Sarnland")
    assert chart is not None
    assert chart.told == (
        "On 31 March 2018: 22.0 per 10,000; Sarnland 21.0, region 20.0, median of 9 of 10 statistical neighbours 19.0.",
    )
    assert "median of 9 statistical neighbours: 19.0 in 2018" in chart.alternative


def test_a_change_larger_than_usual_is_seen_without_colour_too(told: dict[str, Story]) -> None:
    (window,) = told[KINGS_FERRY].windows
    judged = window | {
        "evidence": evidence.B, "evidence_words": evidence.LARGER, "usual_low_pct": -20.0, "usual_high_pct": 25.0,
    }  # fmt: skip
    chart = authority_charts.changes(a_story(windows=[judged]), "Sarnland")
    assert chart is not None
    assert chart.title == "Change relative to Sarnland: more than usual movement in 1 of 1 window"
    assert chart.spec["layer"][2]["encoding"]["shape"]["scale"]["range"] == ["circle", "diamond"]
    assert "2013 to 2018: −31.8%, usual −20.0% to +25.0%" in chart.alternative  # 15/22 - 1


def test_nothing_is_drawn_of_nothing() -> None:
    story = a_story()
    assert authority_charts.number(story) is None
    assert authority_charts.flow(story) is None
    assert authority_charts.events(story) is None
    for draw in (authority_charts.rate, authority_charts.changes, authority_charts.deprivation):
        assert draw(story, "Sarnland") is None


# ---------------------------------------------------------------------------------------------------------------------
# As written


def test_a_hostile_name_is_a_text_on_its_page_and_in_the_data_for_script(built: Built) -> None:
    for file in (f"authorities/{EASTMERE}.html", "authorities.html", "side-by-side.html"):
        written = (built.folder / file).read_text(encoding="utf-8")
        assert "<script>alert" not in written
        assert "alert(" in written


def test_pages_lead_to_pages_that_are_there(built: Built) -> None:
    folder = built.folder / "authorities"
    assert (folder / f"{ISLAND}.html").exists()
    written = (folder / f"{KINGS_FERRY}.html").read_text(encoding="utf-8")
    assert f'href="../side-by-side.html#{KINGS_FERRY}"' in written
    assert (built.folder / "side-by-side.html").exists()
