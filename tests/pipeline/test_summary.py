"""What a run tells: each sentence by hand, the figures from small published countries and the demonstration country."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline import places, publish, summary
from pipeline.summary import Summary
from tests.fixtures import small_country as small
from tests.fixtures.small_country import COUNTS, EASTMERE, ISLAND, POPULATIONS, Country
from tests.whole_runs import running

PRIMARY: dict[str, Any] = {
    "window_id": "main_h5", "window_start": 2013, "window_end": 2018, "role": "primary", "is_computed": True,
    "detail": None, "units": 3, "units_down": 1, "units_up": 2, "units_bucking": 1, "england_direction": "up",
    "england_change_pct": 10.0, "england_number_change_pct": 4.0,
}  # fmt: skip
BUCKING: dict[str, Any] = {
    "window_id": "main_h5", "window_start": 2013, "window_end": 2018, "newest_window_has_direction": True,
    "england_direction": "up", "england_change_pct": 10.0, "units": 3,
}  # fmt: skip


def told(**changes: Any) -> list[str]:
    """The sentences of a small summary with some of it changed."""
    values: dict[str, Any] = {
        "database": "care_numbers.duckdb",
        "country": "Sarnland",
        "is_fictional": False,
        "newest_year": 2018,
        "newest_looked_after": 12_550,
        "newest_rate_per_10k": 22.04,
        "windows": [PRIMARY],
        "bucking_window": BUCKING,
        "bucking": ["Kings Ferry"],
        "bucking_unusual": [],
        "no_evidence_reason": None,
        "false_alarms": None,
        "findings": [],
        "left_out": [],
        "since_last_publication": None,
        "warnings": [],
        "files_used": 1,
        "files_not_used": 0,
    }
    return summary.sentences(Summary(**(values | changes)))


def one(lines: list[str], start: str) -> str:
    (line,) = (line for line in lines if line.startswith(start))
    return line


# ---------------------------------------------------------------------------------------------------------------------
# Sentences by hand


def test_the_headline() -> None:
    lines = told()
    assert lines[0] == (
        "Sarnland had 12,550 children looked after on 31 March 2018, 22.0 per 10,000 children (sum of authorities)."
    )
    assert lines[1] == (
        "2013 to 2018: Sarnland's rate changed by +10.0% and its number by +4.0%, which is a rise; of 3 units compared, "
        "the rate moved down by 5% or more in 1 and up in 2."
    )
    assert not any("FICTIONAL" in line or "Planted" in line for line in lines)


def test_without_a_population_there_is_no_rate_to_tell() -> None:
    assert told(newest_rate_per_10k=None)[0] == (
        "Sarnland had 12,550 children looked after on 31 March 2018 (sum of authorities)."
    )


def test_a_fictional_country_says_so_first() -> None:
    lines = told(is_fictional=True)
    assert lines[0].startswith("Sarnland is FICTIONAL") and lines[1].startswith("Sarnland had")


@pytest.mark.parametrize(
    ("direction", "change_pct", "words"),
    [
        ("up", 10.0, "changed by +10.0% and its number by +4.0%, which is a rise"),
        ("down", -10.0, "changed by -10.0% and its number by +4.0%, which is a fall"),
        ("no_clear_direction", -1.05, "changed by -1.1% and its number by +4.0%, which is no clear direction"),
    ],
)
def test_the_direction_in_words(direction: str, change_pct: float, words: str) -> None:
    assert words in told(windows=[PRIMARY | {"england_direction": direction, "england_change_pct": change_pct}])[1]


def test_who_bucked_a_rise_and_a_fall() -> None:
    assert one(told(), "2013 to 2018 Sarnland's rate") == (
        "2013 to 2018 Sarnland's rate rose by 10.0%; 1 of 3 units moved against it and parted from it "
        "(main.bucking_the_trend)."
    )
    fall = told(bucking_window=BUCKING | {"england_direction": "down", "england_change_pct": -10.0})
    assert one(fall, "2013 to 2018 Sarnland's rate fell by 10.0%;")


def test_an_older_window_says_that_it_is_the_newest_with_a_direction() -> None:
    line = one(told(bucking_window=BUCKING | {"newest_window_has_direction": False}), "2013 to 2018, the newest")
    assert line.startswith("2013 to 2018, the newest five-year window with a clear direction, Sarnland's rate rose by")


def test_nobody_who_bucked_is_no_empty_list() -> None:
    line = one(told(bucking=[]), "2013 to 2018 Sarnland's rate")
    assert line.endswith("0 of 3 units moved against it and parted from it (main.bucking_the_trend).")


def test_many_names_are_cut_and_counted() -> None:
    names = [f"Area {at:02}" for at in range(15)]
    line = one(told(bucking=[*names, "Kings Ferry"], bucking_unusual=names), "Of these 16, 15 moved")
    assert line.count("Area") == 12 and "Area 11 and 3 more)" in line and line.endswith("the other 1 are within it.")


def test_a_country_without_direction_has_nothing_to_buck() -> None:
    assert "In no five-year window does Sarnland have a clear direction, so nobody can have bucked it." in told(
        bucking_window=None, bucking=[]
    )


def test_a_primary_window_that_is_not_computed_says_why() -> None:
    missing = PRIMARY | {"is_computed": False, "detail": "no rebased populations for 2013 or 2018"}
    assert told(windows=[missing])[1] == "2013 to 2018: not computed, no rebased populations for 2013 or 2018."


def test_windows_that_lack_the_same_are_told_once() -> None:
    missing = {"window_start": 2012, "window_end": 2017, "is_computed": False, "detail": "no counts for 2012"}
    other = PRIMARY | missing | {"role": "study"}
    lines = told(windows=[PRIMARY, other, other | {"role": "alternate"}])
    assert [line for line in lines if "Not computed" in line] == ["Not computed: 2012 to 2017 (no counts for 2012)."]


def test_the_finding_of_the_primary_window_comes_with_its_caveats() -> None:
    own = {"window_id": "main_h5", "finding": "An association of 2%.", "caveats": "Not causal."}
    lines = told(findings=[own, own | {"window_id": "prev_h5", "finding": "Another."}])
    assert "An association of 2%. Not causal. All windows: about.findings." in lines
    assert not any("Another" in line for line in lines)


def test_what_changed_since_the_last_publication_is_told() -> None:
    assert "Since the last publication: Files: 2 new, 0 no longer used." in told(
        since_last_publication="Files: 2 new, 0 no longer used."
    )


def test_planted_coefficients_stand_beside_the_estimates() -> None:
    terms = (
        summary.PlantedTerm("ofsted_good", -0.11, -0.10, -0.18, -0.02),
        summary.PlantedTerm("deprivation_level", 0.0, 0.02, 0.01, 0.03),
    )
    assert told(planted_terms=terms)[-1] == (
        "Planted / found, coefficients of M2: ofsted good -0.110 / -0.100 (-0.180 to -0.020); deprivation level +0.000 / "
        "+0.020 (+0.010 to +0.030). The 95% limits hold 1 of 2."
    )


def test_planted_and_found() -> None:
    flags = (
        summary.Flags("whatever the evidence", 4, 20),
        summary.Flags("with evidence A or B", 3, 1),
        summary.Flags("with evidence A", 2, 0),
    )
    planted = summary.Planted(2013, 2018, 5, 140, ("Marlshire",), flags)
    assert one(told(planted=planted), "Planted / found") == (
        "Planted / found, 2013 to 2018: 5 of 140 units were made to buck the trend. Flagged whatever the evidence 4 of them "
        "and 20 others; with evidence A or B 3 of them and 1 others; with evidence A 2 of them and 0 others. Of the flags "
        "with evidence A or B, 1 of 4 are of units that were not made to. Not flagged: Marlshire."
    )


def test_which_of_those_that_bucked_the_trend_did_so_by_more_than_usual() -> None:
    lines = told(bucking=["Marlshire", "Kings Ferry", "Eastmere"], bucking_unusual=["Kings Ferry"])
    assert one(lines, "Of these 3") == (
        "Of these 3, 1 moved by more than usual year-to-year movement of an authority of that size (Kings Ferry); the other "
        "2 are within it."
    )


def test_without_a_measure_of_usual_movement_no_flag_is_called_usual() -> None:
    lines = told(no_evidence_reason="too_few_units")
    assert one(lines, "Whether these movements").endswith("cannot be told: too few units.")
    assert not [line for line in lines if line.startswith("Of these")]


def test_false_alarms_are_told_where_they_were_measured() -> None:
    shares = {"usual_movement": 4.91, "poisson_slope": 48.6, "draws": 1000}
    assert "flags 4.9% of units, the textbook slope of a Poisson model 49%" in one(
        told(false_alarms=shares), "False alarms"
    )
    assert not [line for line in told(false_alarms=None) if line.startswith("False alarms")]


# ---------------------------------------------------------------------------------------------------------------------
# Small countries, published


def published(folder: Path, country: Country, name: str) -> Path:
    parquet = small.write_frames(folder / "frames", country.results())
    facts = {"country": name, "is_fictional": str(name != "England").lower()}
    database = folder / "care_numbers.duckdb"
    publish.publish(database, parquet, places.sql_folder(), facts, is_fictional=name != "England")
    return database


def test_a_small_country(tmp_path: Path) -> None:
    """Kings Ferry was planted and is found; Marlshire was planted and is not; nobody else is flagged."""
    truth = tmp_path / "planted_truth.csv"
    truth.write_text(
        "window_start,window_end,la_code,la_name,planted\n2013,2018,701,Marlshire,fall\n2013,2018,702,Kings Ferry,fall\n"
        "2013,2018,703,Eastmere,none\n",
        encoding="utf-8",
    )
    found = summary.summarise(published(tmp_path, small.country(), "Sarnland"), truth)
    assert (found.country, found.is_fictional) == ("Sarnland", True)
    assert (found.newest_year, found.newest_looked_after) == (2018, 550)
    assert found.newest_rate_per_10k == pytest.approx(22.0)
    assert found.planted is not None
    assert (found.planted.planted, found.planted.units, found.planted.missed) == (2, 3, ("Marlshire",))
    assert found.planted.flags[0] == summary.Flags("whatever the evidence", 1, 0)
    assert found.bucking == ["Kings Ferry"] and found.bucking_window is not None
    assert found.bucking_window["units"] == 3 and found.bucking_window["newest_window_has_direction"]
    lines = summary.sentences(found)
    assert "of 3 units compared, the rate moved down by 5% or more in 1 and up in 2." in lines[2]
    assert [line for line in lines if line.startswith("Not computed")] == [
        "Not computed: 2013 to 2017 (no looked-after counts for 2017).",
        "Not computed: 2012 to 2017 (no looked-after counts for 2012 and 2017).",
        "Not computed: 2014 to 2018 (no looked-after counts for 2014).",
    ]


def test_who_is_left_out_and_what_warns(tmp_path: Path) -> None:
    """Eastmere is suppressed, the island too small, and the country's starts are far from those of the authorities."""
    counts = COUNTS | {EASTMERE: (100, "c"), ISLAND: (5, 6)}
    country = small.country(counts, POPULATIONS | {ISLAND: (400, 390)}, too_small=[ISLAND])
    stocks = [(code, year, year, "looked_after", cells[at]) for code, cells in counts.items()
              for at, year in ((0, 2013), (1, 2018))]  # fmt: skip
    starts = [(code, 2018, 2018, "started", 50) for code in counts]
    england = [(2013, 2013, "looked_after", 505), (2018, 2018, "looked_after", 398), (2018, 2018, "started", 250)]
    country = country.but(looked_after=small.looked_after([*stocks, *starts]), totals=small.totals(england))
    found = summary.summarise(published(tmp_path, country, "England"))
    assert not found.is_fictional and found.planted is None
    lines = summary.sentences(found)
    assert one(lines, "Left out") == "Left out of 2013 to 2018: Eastmere (suppressed); Gull Island (too small)."
    assert one(lines, "To look at") == (
        "To look at: authorities_sum_to_england_flows (release 2018): started 2018: authorities 200, England 250."
    )


def test_a_flat_country_has_no_window_to_buck_and_a_combined_authority_is_not_left_out(tmp_path: Path) -> None:
    """810 was divided: it has ended, and its successors count as one unit."""
    day = dt.date(2016, 4, 1)
    counts = {"810": (100, None), "811": (None, 60), "812": (None, 40), "813": (100, 100)}
    people = {"810": (9000, None), "811": (None, 5000), "812": (None, 4000), "813": (9000, 9000)}
    changes = small.area_changes([("810", "811", "split", day), ("810", "812", "split", day)])
    found = summary.summarise(published(tmp_path, small.country(counts, people).but(changes=changes), "England"))
    assert found.bucking_window is None and found.bucking == []
    assert found.windows and found.newest_looked_after == 200
    assert found.left_out == [{"reason": "boundary_change", "authorities": 1, "names": "Area 810"}]


# ---------------------------------------------------------------------------------------------------------------------
# The demonstration country


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> running.FinishedRun:
    run = running.finished_demonstration(tmp_path_factory)
    assert run.ended.code == 0, run.ended.err
    return run


@pytest.fixture(scope="module")
def found(demonstration: running.FinishedRun) -> summary.Summary:
    return summary.summarise(demonstration.database, demonstration.data / "planted_truth.csv")


def test_the_demonstration_says_what_was_planted_and_found(
    demonstration: running.FinishedRun, found: summary.Summary
) -> None:
    with (demonstration.data / "planted_truth.csv").open(encoding="utf-8", newline="") as file:
        truth = list(csv.DictReader(file))
    planted = {row["la_code"] for row in truth if row["planted"] != "none"}
    flagged = {
        code
        for unit, bucked in running.rows(
            demonstration.database,
            "SELECT unit_id, bucked FROM main.five_year_change WHERE window_start = ? AND window_end = ?",
            [int(truth[0]["window_start"]), int(truth[0]["window_end"])],
        )
        if bucked
        for code in unit.split("+")
    }
    assert found.planted is not None
    whatever, judged, sure = found.planted.flags
    assert (found.planted.planted, whatever.planted) == (len(planted), len(planted & flagged))
    assert whatever.planted + len(found.planted.missed) == found.planted.planted
    assert whatever.planted >= 0.8 * found.planted.planted
    # Evidence only ever takes flags away, and it takes away those by chance first.
    assert whatever.planted >= judged.planted >= sure.planted
    assert judged.others <= 0.3 * (judged.planted + judged.others) < 0.3 * (whatever.planted + whatever.others)


def test_the_demonstration_in_sentences(found: summary.Summary) -> None:
    lines = summary.sentences(found)
    assert found.is_fictional and lines[0].startswith(f"{found.country} is FICTIONAL")
    assert re.search(r"had [\d,]+ children looked after on 31 March \d{4}, \d+\.\d per 10,000", lines[1])
    assert one(lines, "Planted / found, 20")
    assert one(lines, "Planted / found, coefficients of M2: deprivation change +0.025 / ")
    assert not any(line.startswith("To look at") for line in lines) or found.warnings
    assert all(line.endswith(".") for line in lines)


def test_no_sentence_uses_a_word_that_ranks(found: summary.Summary) -> None:
    words = re.compile(r"\b(best|worst|top|bottom|rank|league|improved|deteriorated)\b", re.I)
    assert not any(words.search(line) for line in summary.sentences(found))


def test_the_summary_is_plain_data(found: summary.Summary) -> None:
    told = json.loads(json.dumps(found.as_dict(), default=str))
    assert told["is_fictional"] is True and told["newest_looked_after"] == found.newest_looked_after
    assert len(told["windows"]) == 11 and all(window["is_computed"] for window in told["windows"])
    assert told["bucking"] == sorted(told["bucking"])


def test_the_numbers_are_those_of_the_database(demonstration: running.FinishedRun, found: summary.Summary) -> None:
    ((year, looked_after),) = running.rows(
        demonstration.database,
        "SELECT year, sum(looked_after) FROM main.care_numbers GROUP BY year ORDER BY year DESC LIMIT 1",
    )
    assert (found.newest_year, found.newest_looked_after) == (year, looked_after)
    assert found.files_used == running.rows(demonstration.database, "SELECT count(*) FROM about.sources")[0][0]
