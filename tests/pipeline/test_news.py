"""What counts as news: files, code and settings against those that the published database followed from.

The published database is a small one made here with just the tables that tell of its origin.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from pipeline import news, places, releases
from pipeline.errors import Refusal
from pipeline.places import Workspace

PUBLISHED_AT = "2030-03-11T03:00:20+00:00"


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small program in place of this one."""
    folder = tmp_path / "code"
    for name in ("pipeline/rates.py", "pipeline/settings.toml", "assets/core.py", "sql/views/rates.sql"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"-- {name}\n")
    monkeypatch.setattr(places, "code_folders", lambda: {part: folder / part for part in ("pipeline", "assets", "sql")})
    return folder


@pytest.fixture
def references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "regions.csv").write_text("region_code,region_name\nR1,Upper Vale\n")
    monkeypatch.setattr(places, "reference_folder", lambda: folder)
    return folder


@pytest.fixture
def workspace(tmp_path: Path, code: Path, references: Path) -> Workspace:
    """Two files, of which one takes part, and a database that was published from them."""
    place = Workspace(data=tmp_path / "data", out=tmp_path / "out", kind="folder")
    (place.data / "2030").mkdir(parents=True)
    place.out.mkdir()
    (place.data / "2030" / "rates.csv").write_text("year,rate\n2030,71\n")
    (place.data / "notes.txt").write_text("to do\n")
    publish(place)
    return place


def publish(workspace: Workspace, **other: str) -> None:
    """A database that says of itself what the files, the code and the settings of this moment are."""
    workspace.database.unlink(missing_ok=True)
    facts = {"published_at": PUBLISHED_AT} | news.look(workspace).origin.facts() | other
    files = news.sources.hashes(workspace.data)
    with duckdb.connect(str(workspace.database)) as connection:
        connection.execute("CREATE SCHEMA about")
        connection.execute("CREATE TABLE about.run (property VARCHAR, value VARCHAR)")
        connection.execute("CREATE TABLE about.sources (file VARCHAR, sha256 VARCHAR, origin VARCHAR)")
        connection.execute("CREATE TABLE about.files_not_used (file VARCHAR)")
        connection.executemany("INSERT INTO about.run VALUES (?, ?)", [list(fact) for fact in facts.items()])
        for name, sha256 in files.items():
            if name == "notes.txt":
                connection.execute("INSERT INTO about.files_not_used VALUES (?)", [name])
            else:
                connection.execute("INSERT INTO about.sources VALUES (?, ?, 'data_folder')", [name, sha256])


def test_nothing_published_is_news(workspace: Workspace) -> None:
    workspace.database.unlink()
    found = news.look(workspace)
    assert found.is_new
    assert "nothing has been published" in found.sentence


def test_nothing_changed_is_no_news_and_says_since_when(workspace: Workspace) -> None:
    found = news.look(workspace)
    assert not found.is_new
    assert found.sentence.startswith(f"No news since {PUBLISHED_AT}")


def test_a_changed_file_is_named(workspace: Workspace) -> None:
    (workspace.data / "2030" / "rates.csv").write_text("year,rate\n2030,72\n")
    found = news.look(workspace)
    assert found.is_new
    assert found.sentence == "News: 1 file is new, changed or gone (2030/rates.csv)."


def test_new_files_are_counted_and_the_first_are_named(workspace: Workspace) -> None:
    for year in range(2031, 2036):
        (workspace.data / f"{year}.csv").write_text("year,rate\n")
    assert "5 files are new, changed or gone (2031.csv, 2032.csv, 2033.csv and 2 more)" in news.look(workspace).sentence


def test_a_file_that_is_gone_is_news(workspace: Workspace) -> None:
    (workspace.data / "2030" / "rates.csv").unlink()
    assert "(2030/rates.csv)" in news.look(workspace).sentence


@pytest.mark.parametrize("name", [".DS_Store", ".2030/rates.csv", "2030/.rates.csv.part"])
def test_hidden_files_are_no_news(workspace: Workspace, name: str) -> None:
    (workspace.data / name).parent.mkdir(exist_ok=True)
    (workspace.data / name).write_text("x")
    assert not news.look(workspace).is_new


@pytest.mark.parametrize("name", ["notes.txt", "manifest.json"])
def test_a_file_that_took_no_part_may_take_part_now(workspace: Workspace, name: str) -> None:
    """Whether it does only the readers can tell, so the run looks."""
    (workspace.data / name).write_text("year,rate\n2031,70\n")
    found = news.look(workspace)
    assert found.is_new
    assert "files that take no part" in found.sentence


def test_a_reference_table_is_news(workspace: Workspace, references: Path) -> None:
    (references / "regions.csv").write_text("region_code,region_name\nR1,Lower Vale\n")
    assert "reference tables" in news.look(workspace).sentence


@pytest.mark.parametrize("name", ["pipeline/rates.py", "assets/core.py", "sql/views/rates.sql", "assets/new.py"])
def test_the_program_is_news(workspace: Workspace, code: Path, name: str) -> None:
    (code / name).write_text("-- otherwise\n")
    assert news.look(workspace).sentence == "News: the program or a library it computes with has changed."


def test_another_version_of_a_library_is_news(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news.importlib.metadata, "version", lambda library: "99.0")
    assert "library" in news.look(workspace).sentence


def test_the_settings_have_a_hash_of_their_own(workspace: Workspace, code: Path) -> None:
    (code / "pipeline" / "settings.toml").write_text("seed = 2\n")
    assert not news.look(workspace).is_new  # the program is the same
    publish(workspace, settings_sha256="0" * 64)
    assert news.look(workspace).sentence == "News: the settings have changed."


def test_what_is_no_code_is_no_news(workspace: Workspace, code: Path) -> None:
    (code / "pipeline" / "__pycache__").mkdir()
    (code / "pipeline" / "__pycache__" / "rates.cpython-311.pyc").write_bytes(b"1")
    assert not news.look(workspace).is_new


def test_an_installed_copy_has_the_hash_of_its_checkout(
    workspace: Workspace, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a wheel the queries lie inside the package."""
    checkout = news.code_sha256()
    shipped = code / "pipeline" / places.SHIPPED / "sql"
    shutil.move(code / "sql", shipped)
    folders = {"pipeline": code / "pipeline", "assets": code / "assets", "sql": shipped}
    monkeypatch.setattr(places, "code_folders", lambda: folders)
    assert news.code_sha256() == checkout


def test_a_database_of_several_runs_is_made_anew(workspace: Workspace) -> None:
    publish(workspace, inputs_sha256=news.SEVERAL_RUNS)
    assert news.look(workspace).sentence == "News: the published database was put together from several runs."


def test_a_database_of_before_there_were_hashes_is_made_anew(workspace: Workspace) -> None:
    publish(workspace, inputs_sha256="", code_sha256="")
    assert news.look(workspace).is_new


def test_a_broken_database_is_made_anew(workspace: Workspace) -> None:
    workspace.database.write_bytes(b"half a database")
    assert news.look(workspace).sentence == "News: the published database cannot be read."


def test_which_edition_counts_is_an_input(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With registered files the register says it; with a folder there is none."""
    lock = tmp_path / "lock.json"
    monkeypatch.setattr(places, "lock_file", lambda: lock)
    lock.write_text("{}")
    assert not news.look(workspace).is_new
    registered = Workspace(workspace.data, workspace.out, "published")
    publish(registered)
    assert not news.look(registered).is_new
    lock.write_text('{"version": 1}')
    assert news.look(registered).is_new


# ---------------------------------------------------------------------------------------------------------------------
# After a rollback


def roll_back(workspace: Workspace, inputs_sha256: str) -> None:
    for name in ("2030-03-10-1", "2030-03-11-1"):
        (workspace.releases / name).mkdir(parents=True, exist_ok=True)
    marker = releases.Rollback("2030-03-10-1", "2030-03-11-1", "2030-03-11T08:12:00+00:00", "wrong file", inputs_sha256)
    (workspace.releases / "rollback.json").write_text(json.dumps(marker.__dict__))


def test_the_files_that_were_rolled_back_are_not_published_again(workspace: Workspace) -> None:
    roll_back(workspace, news.look(workspace).origin.inputs_sha256)
    publish(workspace, inputs_sha256="0" * 64, code_sha256="0" * 64)  # the older release is shown
    found = news.look(workspace)
    assert (found.is_new, found.is_held_back) == (False, True)
    for told in ("2030-03-10-1", "2030-03-11-1", "wrong file", "care-numbers run"):
        assert told in found.sentence


def test_other_files_are_published_after_a_rollback(workspace: Workspace) -> None:
    roll_back(workspace, news.look(workspace).origin.inputs_sha256)
    (workspace.data / "2030" / "rates.csv").write_text("year,rate\n2030,72\n")
    found = news.look(workspace)
    assert (found.is_new, found.is_held_back) == (True, False)


def test_a_note_that_cannot_be_read_stops_the_night(workspace: Workspace) -> None:
    """Publishing over a rollback that nobody can read would undo it in silence."""
    roll_back(workspace, "0" * 64)
    (workspace.releases / "rollback.json").write_text("{")
    with pytest.raises(Refusal, match="rollback"):
        news.look(workspace)
