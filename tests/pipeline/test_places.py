"""Where data and outputs are: a checkout or an installed copy, and what `--data` and `--out` mean. Nothing is created."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline import places
from pipeline.errors import Refusal

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_choice_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(places.DATA_VARIABLE, raising=False)
    monkeypatch.delenv(places.OUT_VARIABLE, raising=False)
    monkeypatch.delenv(places.RAW_VARIABLE, raising=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own, without any published file."""
    root = tmp_path / "checkout"
    (root / "pipeline").mkdir(parents=True)
    (root / "sql").mkdir()
    (root / "pyproject.toml").touch()
    monkeypatch.setattr(places, "_PACKAGE", root / "pipeline")
    return root


def published_file(root: Path, name: str = "cla/2025/file.csv") -> None:
    path = root / "data" / "raw" / "published" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


# ---------------------------------------------------------------------------------------------------------------------
# The project's own files


def test_a_checkout_has_its_files_around_the_package(project: Path) -> None:
    assert places.root() == project
    assert places.reference_folder() == project / "data" / "raw" / "reference"
    assert places.sql_folder() == project / "sql"
    assert places.dagster_yaml() == project / "dagster.yaml"
    assert places.published_folder() == project / "data" / "raw" / "published"
    assert places.lock_file() == project / "data" / "raw" / "sources.lock.json"
    assert places.processed_folder() == project / "data" / "processed"


def test_raw_files_may_lie_elsewhere(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(places.RAW_VARIABLE, str(tmp_path / "raw"))
    folders = places.raw_folders()
    assert (folders.published, folders.lock) == (places.published_folder(), places.lock_file())
    assert {
        path.parent for path in (folders.published, folders.lock, folders.quarantine, folders.arriving, folders.state)
    } == {tmp_path / "raw"}
    assert folders.references == project / "data" / "raw" / "reference"


def test_the_files_of_this_checkout_are_there() -> None:
    assert places.root() == PROJECT
    assert all(path.exists() for path in (places.reference_folder(), places.sql_folder(), places.dagster_yaml()))


def test_an_installed_copy_ships_its_files_and_works_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, here = tmp_path / "site-packages" / "pipeline", tmp_path / "here"
    here.mkdir()
    monkeypatch.setattr(places, "_PACKAGE", package)
    monkeypatch.setattr(places, "_SHIPPED", package / "_shipped")
    monkeypatch.chdir(here)
    assert places.root() == here
    assert places.published_folder() == here / "data" / "raw" / "published"
    assert places.reference_folder() == package / "_shipped" / "reference"
    assert places.sql_folder() == package / "_shipped" / "sql"
    assert places.dagster_yaml() == package / "_shipped" / "dagster.yaml"


def test_the_current_folder_does_not_matter_to_a_checkout(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert places.workspace("demo").out == project / "data" / "processed" / "demo"


# ---------------------------------------------------------------------------------------------------------------------
# Workspaces


def test_a_fresh_clone_gets_the_demonstration_country(project: Path) -> None:
    space = places.workspace()
    assert space.kind == "demo" and space.is_demo
    assert space.out == project / "data" / "processed" / "demo"
    assert space.data == space.out / "published"
    assert not space.out.exists()


def test_registered_published_files_go_before_it(project: Path) -> None:
    published_file(project)
    space = places.workspace()
    assert (space.kind, space.is_demo) == ("published", False)
    assert space.data == project / "data" / "raw" / "published"
    assert space.out == project / "data" / "processed"


@pytest.mark.parametrize("hidden", [".gitkeep", "cla/.DS_Store"])
def test_a_hidden_file_is_no_published_file(project: Path, hidden: str) -> None:
    published_file(project, hidden)
    assert places.workspace().kind == "demo"


def test_the_demonstration_country_can_be_asked_for_beside_real_data(project: Path) -> None:
    published_file(project)
    assert places.workspace("demo").out == project / "data" / "processed" / "demo"


def test_a_folder_is_read_where_it_is(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    space = places.workspace(str(folder))
    assert (space.kind, space.data, space.out) == ("folder", folder, project / "data" / "processed")


def test_a_relative_folder_is_taken_from_where_one_stands(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "files").mkdir()
    monkeypatch.chdir(tmp_path)
    space = places.workspace("files", "results")
    assert (space.data, space.out) == (tmp_path / "files", tmp_path / "results")


def test_a_folder_that_is_not_there_is_refused(project: Path, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        places.workspace(str(tmp_path / "nowhere"))
    assert caught.value.code == "no_folder" and caught.value.file == str(tmp_path / "nowhere")


def test_a_file_is_no_folder(project: Path, tmp_path: Path) -> None:
    (tmp_path / "file.csv").touch()
    with pytest.raises(Refusal):
        places.workspace(str(tmp_path / "file.csv"))


def test_fictional_files_never_overwrite_real_results(project: Path, tmp_path: Path) -> None:
    """A copy of the demonstration country, wherever it lies and whatever --out says."""
    folder = tmp_path / "copy"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"fictional": True, "name": "Sarnland"}), encoding="utf-8")
    assert places.workspace(str(folder)).out == project / "data" / "processed" / "demo"
    assert places.workspace(str(folder), str(tmp_path / "out")).out == tmp_path / "out" / "demo"
    assert places.workspace("demo", str(tmp_path / "out")).out == tmp_path / "out" / "demo"
    assert places.workspace("published", str(tmp_path / "out")).out == tmp_path / "out"


@pytest.mark.parametrize("manifest", ["{}", '{"fictional": "yes"}', "[]", "not json"])
def test_somebody_else_s_manifest_does_not_make_data_fictional(project: Path, tmp_path: Path, manifest: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest, encoding="utf-8")
    assert places.workspace(str(tmp_path)).out == project / "data" / "processed"


def test_the_environment_chooses_where_nothing_else_does(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(places.DATA_VARIABLE, str(tmp_path))
    monkeypatch.setenv(places.OUT_VARIABLE, str(tmp_path / "out"))
    assert (places.workspace().data, places.workspace().out) == (tmp_path, tmp_path / "out")
    given = places.workspace("demo", str(tmp_path / "other"))
    assert (given.kind, given.out) == ("demo", tmp_path / "other" / "demo")


def test_everything_of_a_workspace_lies_in_its_output_folder(project: Path) -> None:
    space = places.workspace("demo")
    assert space.database == space.out / "care_numbers.duckdb"
    assert space.frames == space.out / "parquet"
    assert space.dagster_home == space.out / "dagster_home"
