"""An installed copy: what the code reads at run time travels in the wheel, and the folder one works in holds the data.

What belongs here: the wheel, and runs of the copy installed from it. What does not: figures (`test_published_run`).
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline import places
from tests import published_files
from tests.whole_runs.installed import Installed
from tests.whole_runs.running import PROJECT, Ended, FinishedRun, leftovers, rows, sha256, tables_that_differ

pytestmark = pytest.mark.whole


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_the_code_and_what_it_reads(installed: Installed) -> None:
    inside = contents(installed.wheel)
    for package in ("pipeline", "assets"):
        for path in (PROJECT / package).rglob("*"):
            if path.suffix in (".py", ".toml"):
                name = path.relative_to(PROJECT).as_posix()
                assert inside[name] == path.read_bytes(), name
    for shipped, folder in (("sql", PROJECT / "sql"), ("reference", PROJECT / "data" / "raw" / "reference")):
        for path in folder.rglob("*"):
            if path.is_file():
                name = f"pipeline/_shipped/{shipped}/{path.relative_to(folder).as_posix()}"
                assert inside[name] == path.read_bytes(), name
    assert inside["pipeline/_shipped/dagster.yaml"] == (PROJECT / "dagster.yaml").read_bytes()


def test_the_wheel_holds_nothing_else(installed: Installed) -> None:
    tops = {name.split("/")[0] for name in contents(installed.wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pipeline", "assets"}


def test_the_wheel_has_the_licence_and_the_command(installed: Installed) -> None:
    inside = contents(installed.wheel)
    (licence,) = (name for name in inside if name.endswith("LICENSE"))
    assert inside[licence] == (PROJECT / "LICENSE").read_bytes()
    (points,) = (name for name in inside if name.endswith("entry_points.txt"))
    assert b"care-numbers = assets.command:main" in inside[points]


@dataclass(frozen=True)
class Elsewhere:
    """A run of the installed copy in an empty folder, with a person's home and a Dagster home of something else."""

    ended: Ended
    folder: Path
    home: Path

    @property
    def database(self) -> Path:
        return self.folder / "data" / "processed" / "demo" / "care_numbers.duckdb"


@pytest.fixture(scope="module")
def elsewhere(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    folder, home = tmp_path_factory.mktemp("elsewhere"), tmp_path_factory.mktemp("home")
    (home / "of_something_else").mkdir()
    environment = {"HOME": str(home), "DAGSTER_HOME": str(home / "of_something_else")}
    return Elsewhere(installed.care_numbers("run", "--json", cwd=folder, environment=environment), folder, home)


def test_it_runs_from_an_empty_folder_and_says_the_same(demonstration: FinishedRun, elsewhere: Elsewhere) -> None:
    """The tables of another run, from the checkout, without a Dagster home: the rows are equal, the run is not."""
    assert elsewhere.ended.code == 0, elsewhere.ended.err
    assert sha256(elsewhere.database) != sha256(demonstration.database)
    assert tables_that_differ(demonstration.database, elsewhere.database) == []
    assert leftovers(elsewhere.folder) == []


def test_outputs_are_below_the_folder_one_works_in_and_nowhere_else(elsewhere: Elsewhere) -> None:
    """No events under a foreign home, no telemetry in the person's own."""
    assert [path.name for path in elsewhere.folder.iterdir()] == ["data"]
    assert [path.relative_to(elsewhere.home).as_posix() for path in elsewhere.home.rglob("*")] == ["of_something_else"]


def test_json_is_json_and_nothing_else(demonstration: FinishedRun, elsewhere: Elsewhere) -> None:
    told = json.loads(elsewhere.ended.out)
    assert elsewhere.ended.err == ""
    assert told["database"] == str(elsewhere.database)
    assert told["is_fictional"] is True
    ((units,),) = rows(demonstration.database, "SELECT units FROM main.windows WHERE role = 'primary'")
    assert (told["planted"]["planted"], told["planted"]["units"]) == (12, units)
    assert len(told["windows"]) == 11


# ---------------------------------------------------------------------------------------------------------------------
# Import, then run on what is registered


@pytest.fixture(scope="module")
def imported(installed: Installed, published_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder into which the published files have been imported."""
    folder = tmp_path_factory.mktemp("imported")
    ended = installed.care_numbers("import", published_folder, cwd=folder)
    assert ended.code == 0, ended.err
    return folder


def registered(folder: Path) -> list[dict]:
    return json.loads((folder / "data" / "raw" / "sources.lock.json").read_text(encoding="utf-8"))["files"]


@published_files.published
def test_import_registers_faithful_copies(imported: Path) -> None:
    files = registered(imported)
    assert {file["publication"] for file in files} >= {"children_looked_after", "population"}
    published = imported / "data" / "raw" / "published"
    for file in files:
        assert sha256(published / file["file"]) == file["sha256"]
    there = {path.relative_to(published).as_posix() for path in published.rglob("*") if path.is_file()}
    assert {file["file"] for file in files} <= there


@published_files.published
def test_a_run_on_registered_files_gives_the_tables_of_the_folder(
    installed: Installed, imported: Path, published_run: FinishedRun
) -> None:
    """Only where a file lies and when it arrived may differ, and what was not recognised stays behind."""
    ended = installed.care_numbers("run", "--data", "published", "--json", cwd=imported)
    assert ended.code == 0, ended.err
    database = imported / "data" / "processed" / "care_numbers.duckdb"
    assert json.loads(ended.out)["database"] == str(database)
    apart = frozenset({"about.run", "about.sources", "about.files_not_used", "about.tables"})
    assert tables_that_differ(published_run.database, database, but=apart) == []
    without_place = (
        "SELECT publication, layout, release, part, sha256, bytes, corrections FROM about.sources ORDER BY ALL"
    )
    assert rows(published_run.database, without_place) == rows(database, without_place)
    ((undated,),) = rows(
        database, "SELECT count(*) FROM about.sources WHERE origin = 'data_folder' AND retrieved IS NULL"
    )
    assert undated == 0


@published_files.published
def test_files_that_are_there_are_taken_without_being_named(imported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` takes registered files where there are any; the demonstration country is for a fresh clone."""
    monkeypatch.delenv(places.DATA_VARIABLE, raising=False)
    monkeypatch.delenv(places.OUT_VARIABLE, raising=False)
    monkeypatch.setattr(places, "root", lambda: imported)
    assert places.workspace("auto").kind == "published"
    monkeypatch.setattr(places, "root", lambda: imported / "empty")
    assert places.workspace("auto").kind == "demo"
