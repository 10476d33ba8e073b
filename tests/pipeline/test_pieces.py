"""Pieces of work between two steps: whole or not there, of one run, and gone when it is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import leftovers, pieces
from pipeline.places import Workspace

RUN = "0b9e6c1e-8d5f-4f0e-9a59-1d3f3f6a2f11"


def workspace(out: Path, url: str | None = None) -> Workspace:
    return Workspace(out / "files", out, "folder", None, url)


def test_what_is_written_is_read_back_under_its_name_and_run(tmp_path: Path) -> None:
    here = workspace(tmp_path)
    pieces.write(here, RUN, "regressions.regressions_cut.result.main_h5", range(3, 7))
    pieces.write(here, RUN, "regressions.regressions_cut.result.main_h5", range(3, 9))
    assert pieces.read(here, RUN, "regressions.regressions_cut.result.main_h5") == range(3, 9)
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == [
        "regressions.regressions_cut.result.main_h5.pickle"
    ]
    for run, name in (("another", "regressions.regressions_cut.result.main_h5"), (RUN, "main_h4")):
        with pytest.raises(FileNotFoundError):
            pieces.read(here, run, name)


@pytest.mark.parametrize(("run", "name"), [("..", "one"), (RUN, "../one"), (RUN, "a/b"), (RUN, ""), (RUN, ".one")])
def test_no_name_leads_elsewhere(tmp_path: Path, run: str, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a file"):
        pieces.write(workspace(tmp_path), run, name, 1)
    assert not list(tmp_path.iterdir())


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(AttributeError):  # a function within a function is not pickled
        pieces.write(workspace(tmp_path), RUN, "one", lambda: None)
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_the_next_run_begins_without_them(tmp_path: Path) -> None:
    here = workspace(tmp_path)
    pieces.write(here, RUN, "one", 1)
    kept = tmp_path / "care_numbers.duckdb"
    kept.touch()
    leftovers.clear(here)
    assert list(tmp_path.iterdir()) == [kept]
    pieces.clear(here)  # and nothing is wrong where there are none


def test_with_outputs_by_url_another_machine_reads_them_too(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    url = "memory://bucket/pieces_of_a_run"
    one, other = (workspace(tmp_path / name, url) for name in ("one", "other"))
    pieces.write(one, RUN, "main_h5", {"draws": 9999})
    assert pieces.read(other, RUN, "main_h5") == {"draws": 9999}
    pieces.clear(one)
    third = workspace(tmp_path / "third", url)
    with pytest.raises(FileNotFoundError):
        pieces.read(third, RUN, "main_h5")
