"""The main job on a fresh clone: a run on the demonstration country, what it prints, leaves behind and says again.

What the figures are is tested with `pipeline`; what the planted truth shows is read off the printed summary and held
against the database.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipeline import manifest, places
from pipeline.publish import FICTIONAL_PREFIX
from tests.assets.expected_graph import ASSETS, DATABASE, NEWS, REPORT
from tests.whole_runs.running import (
    PROJECT,
    FinishedRun,
    care_numbers,
    reading,
    rows,
)

pytestmark = pytest.mark.whole


# ---------------------------------------------------------------------------------------------------------------------
# What a run prints


def test_a_line_an_asset_while_it_goes(demonstration: FinishedRun) -> None:
    first, *lines = demonstration.ended.err.splitlines()
    assert first == "care-numbers  demonstration country (fictional)"
    assert sorted(line.split()[0] for line in lines) == sorted(ASSETS)


def test_planted_and_found_are_printed_and_true(demonstration: FinishedRun) -> None:
    """Counted again here from the file of planted authorities and the published table."""
    with (demonstration.data / "planted_truth.csv").open(encoding="utf-8", newline="") as stream:
        truth = list(csv.DictReader(stream))
    planted = {row["la_code"] for row in truth if row["planted"] != "none"}
    start, end = int(truth[0]["window_start"]), int(truth[0]["window_end"])
    found = rows(
        demonstration.database,
        "SELECT unit_id, evidence FROM main.five_year_change WHERE window_start = ? AND window_end = ? AND bucked",
        [start, end],
    )

    def counted(grades: str) -> tuple[int, int]:
        own = [set(unit.split("+")) for unit, evidence in found if evidence in grades]
        made_to = [codes for codes in own if codes & planted]
        return len(made_to), len(own) - len(made_to)

    (line,) = (line for line in demonstration.ended.out.splitlines() if "Planted / found, 20" in line)
    assert f"Planted / found, {start} to {end}: {len(planted)} of" in line
    for words, grades in (("whatever the evidence", "ABC"), ("with evidence A or B", "AB"), ("with evidence A", "A")):
        made_to, others = counted(grades)
        assert f"{words} {made_to} of them and {others} others" in line
    assert counted("ABC")[0] >= len(planted) - 2
    # The point of the evidence: the flags by chance alone go, most of the planted ones stay.
    assert counted("AB")[0] >= 0.6 * len(planted) and counted("AB")[1] <= 2


def test_the_outputs_are_named(demonstration: FinishedRun) -> None:
    assert f"Database  {demonstration.database}\n" in demonstration.ended.out
    (release,) = (path for path in demonstration.workspace.releases.iterdir() if path.name[0].isdigit())
    assert f"Parquet   {release / 'parquet'}\n" in demonstration.ended.out
    assert f"Release   {release.name} " in demonstration.ended.out
    assert demonstration.database.is_file()
    assert {path.stem for path in demonstration.frames.glob("*.parquet")} >= set(ASSETS) - {DATABASE, NEWS, REPORT}
    assert f"Report    {demonstration.workspace.report}/index.html" in demonstration.ended.out
    assert (demonstration.workspace.report / "index.html").is_file()


@pytest.mark.parametrize(
    "word", ["best", "worst", "top", "bottom", "rank", "league", "improved", "deteriorated", "caused by", "effect of"]
)
def test_nothing_printed_judges(demonstration: FinishedRun, word: str) -> None:
    assert not re.search(rf"\b{word}", demonstration.ended.out, re.IGNORECASE)


# ---------------------------------------------------------------------------------------------------------------------
# Fictional, and says so everywhere


def test_the_summary_says_that_the_country_is_fictional(demonstration: FinishedRun) -> None:
    assert "is FICTIONAL" in demonstration.ended.out


def test_results_lie_apart_from_real_ones(demonstration: FinishedRun) -> None:
    assert demonstration.database == demonstration.out / "demo" / "care_numbers.duckdb"
    assert [path.name for path in demonstration.out.iterdir()] == ["demo"]


def test_the_database_says_it_in_every_comment_and_in_about_run(demonstration: FinishedRun) -> None:
    with reading(demonstration.database) as connection:
        comments = connection.execute(
            "SELECT comment FROM duckdb_tables() WHERE NOT internal"
            " UNION ALL SELECT comment FROM duckdb_views() WHERE NOT internal"
        ).fetchall()
        run = dict(connection.execute("SELECT property, value FROM about.run").fetchall())
    assert len(comments) > 10
    assert all(comment.startswith(FICTIONAL_PREFIX) for (comment,) in comments)
    assert run["is_fictional"] == "true"
    assert run["country"] == manifest.read(demonstration.data).name != "England"


def test_every_parquet_file_says_it(demonstration: FinishedRun) -> None:
    """Somebody may be handed one file alone."""
    for file in sorted(demonstration.frames.glob("*.parquet")):
        found = duckdb.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(file)]).fetchall()
        told = {bytes(key).decode(): bytes(value).decode() for key, value in found}
        assert told.get("is_fictional") == "true", file.name
        assert told["comment"].startswith(FICTIONAL_PREFIX), file.name


def test_the_data_say_it(demonstration: FinishedRun) -> None:
    assert manifest.read(demonstration.data).is_fictional


# ---------------------------------------------------------------------------------------------------------------------
# Places do not depend on where one works (a second run is in `test_installed_copy` and, over the first, in `test_ui`)


def test_paths_do_not_depend_on_where_one_works(tmp_path: Path) -> None:
    """Two processes, two folders: the same files are read, and the same places are written to."""
    code = (
        "from pipeline import places as p; w = p.workspace('demo');"
        "print(w.data, w.database, w.frames, w.dagster_home, p.published_folder(), p.lock_file(), p.sql_folder(),"
        " p.reference_folder(), p.dagster_yaml(), sep='\\n')"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CARE_NUMBERS")}
    told = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True, check=True
        ).stdout
        for cwd in (PROJECT, tmp_path)
    ]
    assert told[0] == told[1]
    assert all(Path(line).is_relative_to(PROJECT) for line in told[0].splitlines())


def test_a_copy_of_the_demonstration_country_goes_to_the_demo_folder_too(
    demonstration: FinishedRun, tmp_path: Path
) -> None:
    """`--data DIR` with fictional files must not write over real results."""
    shutil.copytree(demonstration.data, tmp_path / "files")
    assert places.workspace(str(tmp_path / "files"), str(tmp_path / "out")).out == tmp_path / "out" / "demo"


# ---------------------------------------------------------------------------------------------------------------------
# Wrong usage


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--everything"],
        ["run", "--data"],
        ["publish"],
        ["import"],
        ["profile"],
        ["ui", "--port", "three"],
        [],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    ended = care_numbers(*arguments)
    assert ended.code == 2
    assert re.search("Usage|Error", ended.out + ended.err)


def test_help_is_exit_code_0_and_names_the_commands() -> None:
    ended = care_numbers("--help")
    assert ended.code == 0
    for command in ("run", "import", "profile", "ui"):
        assert re.search(rf"\b{command}\b", ended.out)


# ---------------------------------------------------------------------------------------------------------------------
# One authority's story


def test_a_profile_is_printed(demonstration: FinishedRun) -> None:
    ((name, code),) = rows(
        demonstration.database,
        "SELECT la_name, la_code FROM main.care_numbers WHERE year = 2025 ORDER BY la_code LIMIT 1",
    )
    ended = care_numbers("profile", code, "--data", "demo", "--out", demonstration.out)
    assert ended.code == 0, ended.err
    assert name in ended.out
    assert "FICTIONAL" in ended.out
    as_json = care_numbers("profile", name, "--data", "demo", "--out", demonstration.out, "--json")
    assert json.loads(as_json.out)["la_code"] == code


def test_a_profile_before_any_run_is_refused(tmp_path: Path) -> None:
    ended = care_numbers("profile", "Marlshire", "--data", "demo", "--out", tmp_path)
    assert ended.code == 1
    assert "care-numbers run" in ended.refusal
