"""`care-numbers report`: builds the site where it is not there or of another publication, and opens it when asked."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assets import command
from pipeline import places
from pipeline.errors import Refusal
from tests.fixtures.small_report import publish_small


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report_command")
    workspace = places.workspace("demo", str(folder))
    workspace.out.mkdir(parents=True)
    publish_small(workspace.out)
    return folder


def report(out: Path, *more: str) -> str:
    done = CliRunner().invoke(
        command.app, ["report", "--data", "demo", "--out", str(out), *more], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return done.stdout


def test_it_is_built_once_for_a_publication(out: Path) -> None:
    first = json.loads(report(out, "--json"))
    assert first["was_built"]
    assert Path(first["report"]) == out / "demo" / "report" / "index.html"
    assert Path(first["report"]).exists()
    again = json.loads(report(out, "--json"))
    assert again == first | {"was_built": False}


def test_it_is_opened_from_the_disk_when_asked(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    report(out)
    assert opened == []
    report(out, "--open")
    assert opened == [(out / "demo" / "report" / "index.html").as_uri()]


def test_without_a_web_browser_the_place_is_told(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    assert "index.html" in report(out, "--open")


def test_before_a_first_run_there_is_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="run care-numbers run first"):
        report(tmp_path)
    assert not (tmp_path / "demo").exists()
