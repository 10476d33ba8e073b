"""A fault in one published file, as a whole run: exit code 1, one sentence, and nothing published.

What belongs here: the faults of the issue, each planted into a copy of the demonstration country's files, over a folder
in which a run has finished before. What does not: every fault in every layout (`tests/pipeline/readers/test_bad_files`).
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pipeline import places
from pipeline.places import Workspace
from tests.whole_runs.planting import PublishedTable
from tests.whole_runs.running import Ended, FinishedRun, care_numbers, care_numbers_process, leftovers, sha256

pytestmark = pytest.mark.whole

RELEASE_2025 = "children_looked_after/2025/cla_number_and_rate_per_10k_children.csv"
RELEASE_2024 = "children_looked_after/2024/cla_number_and_rate_per_10k_children.csv"
STOCK_2017 = "children_looked_after/2017/SFR50_CLA2017.csv"
STARTED_2014 = "children_looked_after/2014/SFR36_ADM2014.csv"
POPULATION = "population/ons_mid-year_population_estimates_2012_to_2024.csv"


@dataclass(frozen=True)
class Fault:
    """Where the fault is, as far as it has a place, and a word of the remedy."""

    remedy: str
    file: str | None = None
    row: int | None = None
    column: str | None = None
    value: str | None = None
    told: tuple[str, ...] = ()

    @property
    def parts(self) -> list[str]:
        """What the sentence must hold."""
        parts = [
            self.file,
            None if self.row is None else f"row {self.row}",
            None if self.column is None else f'column "{self.column}"',
            None if self.value is None else f'value "{self.value}"',
            self.remedy,
            *self.told,
        ]
        return [part for part in parts if part]


def an_authority(table: PublishedTable) -> int:
    """The first row of an authority whose count on 31 March stands in the release's own year, in any layout."""
    return table.row_where(
        lambda row: row.get("geog_l") == "LA" or (row.get("geographic_level") == "Local authority" and _is_stock(row))
    )


def _is_stock(row: dict[str, str]) -> bool:
    wording = row.get("population_type", row.get("population_count", "looked after"))
    return "looked after" in wording and "start" not in wording and "ceas" not in wording


def a_cell(file: str, column: str, value: str, remedy: str) -> Callable[[Path], Fault]:
    """Another value in one cell of an authority."""

    def plant(folder: Path) -> Fault:
        table = PublishedTable(folder, file)
        row = an_authority(table)
        table.set(row, column, value)
        table.write()
        return Fault(remedy, file, row, column, value)

    return plant


def cut_within_a_row(folder: Path) -> Fault:
    """A download that broke off."""
    table = PublishedTable(folder, RELEASE_2025)
    table.cut_within(1500, cells=5)
    table.write()
    return Fault("replace it with the file as published", RELEASE_2025, 1500, told=("cut short",))


def cut_between_rows(folder: Path) -> Fault:
    """It broke off where a row ends: every row is good, and the authorities that should follow are not there."""
    table = PublishedTable(folder, STOCK_2017)
    name = table.cell(table.last_row, "geog_n")
    table.cut_after(table.last_row - 1)
    table.write()
    return Fault("use the file as published", STOCK_2017, told=("there is no row for", "cut short", name))


def a_web_page(folder: Path) -> Fault:
    """What a publisher's server gives when a file has moved."""
    (folder / STARTED_2014).write_text("<!DOCTYPE html>\n<html><body>Page not found</body></html>\n", encoding="utf-8")
    return Fault("replace it with the file as published", STARTED_2014, told=("web page",))


def a_row_twice(folder: Path) -> Fault:
    """The same authority and year once more at the end."""
    table = PublishedTable(folder, RELEASE_2025)
    first = an_authority(table)
    again = table.repeat_row(first)
    table.write()
    return Fault("remove the row", RELEASE_2025, again, "time_period", "2025", told=(f"row {first} already",))


def no_column(folder: Path) -> Fault:
    """The publisher has renamed the counts to something else, or somebody left them out."""
    table = PublishedTable(folder, RELEASE_2024)
    table.drop_column("number")
    table.write()
    return Fault("tell its reader the new name", RELEASE_2024, 1, "children_count or number")


def an_empty_folder(folder: Path) -> Fault:
    """The wrong folder, most likely."""
    shutil.rmtree(folder)
    folder.mkdir()
    return Fault("give the folder that holds the files", folder.name, told=("no published file",))


MARKERS = "give its meaning in pipeline/markers.py"
FIGURE = "restore the published figure"
LOOKUP = "add it to dfe_la_lookup.csv"
FAULTS: dict[str, Callable[[Path], Fault]] = {
    "cut within a row": cut_within_a_row,
    "cut between rows": cut_between_rows,
    "a web page named .csv": a_web_page,
    "unknown marker": a_cell(STOCK_2017, "CLA_Mar2017", "q", MARKERS),
    "authority-year twice": a_row_twice,
    "missing column": no_column,
    "negative count": a_cell(STARTED_2014, "CLA_started2014", "-3", FIGURE),
    "fractional count": a_cell(RELEASE_2024, "number", "612.5", FIGURE),
    "fractional population": a_cell(POPULATION, "population_estimate", "1.5", FIGURE),
    "a year before the release": a_cell(RELEASE_2025, "time_period", "2015", "as published"),
    "a year after the release": a_cell(RELEASE_2025, "time_period", "2031", "as published"),
    "unknown area": a_cell(STOCK_2017, "geog_c", "998", LOOKUP),
    "an empty folder": an_empty_folder,
}


@pytest.fixture(scope="module")
def last_night(demonstration: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Outputs of a run that went well on these very files, which a bad night must leave as they are."""
    out = tmp_path_factory.mktemp("bad_input") / "out"
    shutil.copytree(demonstration.out, out, symlinks=True)
    demo = out / "demo"
    return Workspace(data=demo / "published", out=demo, kind="folder")


@pytest.fixture
def country(demonstration: FinishedRun, tmp_path: Path) -> Path:
    """A copy of the files, for the fault."""
    return Path(shutil.copytree(demonstration.data, tmp_path / "country"))


def files_but_dagster(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and "dagster_home" not in path.parts}


def expect_one_sentence(ended: Ended, fault: Fault) -> None:
    assert ended.code == 1, ended.err
    assert ended.out == ""
    sentence = ended.refusal
    for part in fault.parts:
        assert part in sentence, sentence
    assert "Traceback" not in ended.err
    assert re.search(r"[.?] \(care-numbers explain [a-z0-9_]+\)$", sentence)
    assert len(re.findall(r"[.?!] [A-Z]", sentence.removeprefix("Refused. "))) == 0, sentence


@pytest.mark.parametrize("plant", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_ends_in_one_sentence_and_publishes_nothing(
    last_night: Workspace, country: Path, plant: Callable[[Path], Fault]
) -> None:
    before, files = sha256(last_night.database), files_but_dagster(last_night.out)
    written = last_night.database.stat().st_mtime_ns
    fault = plant(country)
    out = last_night.out.parent
    if not (country / "manifest.json").exists():
        out = last_night.out  # without a manifest nothing says fictional, so this would be the folder of real results
    ended = care_numbers("run", "--data", country, "--out", out)
    expect_one_sentence(ended, fault)
    assert sha256(last_night.database) == before
    assert last_night.database.stat().st_mtime_ns == written
    assert files_but_dagster(last_night.out) == files
    assert leftovers(last_night.out) == []


def test_a_person_sees_the_sentence_and_no_traceback(last_night: Workspace, country: Path) -> None:
    """The same in a process of its own: what a terminal and a scheduler get."""
    before = sha256(last_night.database)
    fault = a_cell(RELEASE_2025, "children_count", "[low]", MARKERS)(country)
    ended = care_numbers_process("run", "--data", country, "--out", last_night.out.parent)
    expect_one_sentence(ended, fault)
    assert sha256(last_night.database) == before


def test_as_json_the_refusal_is_an_object_and_the_sentence_goes_to_standard_error(
    last_night: Workspace, country: Path
) -> None:
    fault = FAULTS["unknown area"](country)
    ended = care_numbers("run", "--json", "--data", country, "--out", last_night.out.parent)
    assert len(ended.err.splitlines()) == 1
    refused = json.loads(ended.out)["refused"]
    assert (refused["code"], refused["value"]) == ("unknown_area", "998")
    assert refused["sentence"] in ended.refusal
    expect_one_sentence(replace(ended, out=""), fault)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    ended = care_numbers("run", "--data", tmp_path / "nowhere", "--out", tmp_path)
    expect_one_sentence(ended, Fault("give a folder with published files", str(tmp_path / "nowhere")))


def test_nothing_is_imported_from_a_folder_with_a_fault(
    country: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`import` reads everything first: a file that breaks its contract is never registered."""
    registered, lock = tmp_path / "registered", tmp_path / "lock.json"
    monkeypatch.setattr(places, "published_folder", lambda: registered)
    monkeypatch.setattr(places, "lock_file", lambda: lock)
    fault = FAULTS["negative count"](country)
    expect_one_sentence(care_numbers("import", country), fault)
    assert not lock.exists()
    assert not registered.exists()
