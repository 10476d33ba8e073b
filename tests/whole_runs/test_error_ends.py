"""How commands end: every mistake a person can make at the command line ends in one sentence with its code.

None of these needs a finished run. What is wrong in a published file is tested in `test_bad_input` and with the readers.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline import error_catalogue, places
from tests.whole_runs.running import care_numbers

pytestmark = pytest.mark.whole


def out_of(folder: Path) -> list[str | Path]:
    """The options that make a command look into `folder`."""
    return ["--data", "published", "--out", folder]


def a_file(folder: Path) -> Path:
    path = folder / "a_file"
    path.write_text("no folder")
    return path


def a_loop(folder: Path) -> Path:
    path = folder / "loop"
    path.symlink_to("loop")
    return path


def with_database(folder: Path, content: bytes = b"garbage") -> Path:
    (folder / "care_numbers.duckdb").write_bytes(content)
    return folder


def foreign(folder: Path) -> Path:
    duckdb.connect(str(folder / "care_numbers.duckdb")).execute("CREATE TABLE t (i INTEGER)").close()
    return folder


def of_another_version(folder: Path) -> Path:
    connection = duckdb.connect(str(folder / "care_numbers.duckdb"))
    connection.execute("CREATE SCHEMA about")
    connection.execute("CREATE TABLE about.run (property VARCHAR, value VARCHAR)")
    told = {"run_id": "1", "release": "2030-01-01-1", "country": "Nowhere", "is_fictional": "true"}
    connection.executemany("INSERT INTO about.run VALUES (?, ?)", [list(pair) for pair in told.items()])
    connection.close()
    return folder


def with_status(folder: Path) -> Path:
    (folder / "status.json").write_text("{")
    return folder


def pins(folder: Path) -> Path:
    (folder / "releases" / "2030-01-01-1").mkdir(parents=True)
    (folder / "releases" / "rollback.json").write_text("[]")
    return folder


def binary_lookup(folder: Path) -> Path:
    (folder / "reference").mkdir()
    (folder / "reference" / "dfe_la_lookup.csv").write_bytes(bytes(range(256)) * 8)
    return folder


MISTAKES: dict[str, tuple[Callable[[Path], list[str | Path]], str]] = {
    "a folder that is not there": (lambda at: ["run", "--data", at / "nowhere"], "no_folder"),
    "a file for a folder": (lambda at: ["run", "--data", a_file(at)], "no_folder"),
    "a device for a folder": (lambda _: ["run", "--data", "/dev/null"], "no_folder"),
    "no name at all": (lambda _: ["run", "--data", ""], "no_folder"),
    "links in a circle": (lambda at: ["run", "--data", a_loop(at)], "file_not_usable"),
    "output to links in a circle": (lambda at: ["run", "--data", "demo", "--out", a_loop(at)], "file_not_usable"),
    "output into a file": (lambda at: ["run", "--data", "demo", "--out", a_file(at)], "file_not_usable"),
    "a name too long": (lambda _: ["run", "--data", "x" * 300], "file_not_usable"),
    "a folder without files": (lambda at: ["run", "--data", at, "--out", at / "out"], "no_published_files"),
    "a lookup of random bytes": (lambda at: ["run", "--data", binary_lookup(at), "--out", at / "out"], "not_text"),
    "an import of a file": (lambda at: ["import", a_file(at)], "no_folder"),
    "an import of nowhere": (lambda at: ["import", at / "nowhere"], "no_folder"),
    "a profile of nothing": (lambda at: ["profile", "Leeds", *out_of(at)], "nothing_published"),
    "a profile of garbage": (lambda at: ["profile", "Leeds", *out_of(with_database(at))], "database_unreadable"),
    "a profile of an empty file": (
        lambda at: ["profile", "Leeds", *out_of(with_database(at, b""))],
        "database_unreadable",
    ),
    "a profile of another program's": (
        lambda at: ["profile", "Leeds", *out_of(foreign(at))],
        "database_of_another_version",
    ),
    "a profile of another version's": (
        lambda at: ["profile", "Leeds", *out_of(of_another_version(at))],
        "database_of_another_version",
    ),
    "a report of nothing": (lambda at: ["report", *out_of(at)], "nothing_published"),
    "a report of garbage": (lambda at: ["report", *out_of(with_database(at))], "database_unreadable"),
    "a report of another version's": (
        lambda at: ["report", *out_of(of_another_version(at))],
        "database_of_another_version",
    ),
    "a status that is none": (lambda at: ["status", *out_of(with_status(at))], "bad_status_file"),
    "a proof of nothing": (lambda at: ["verify", *out_of(at)], "no_release"),
    "a proof of a release that is not there": (lambda at: ["verify", "2030-01-01-1", *out_of(at)], "no_release"),
    "a rollback to nothing": (lambda at: ["rollback", "2030-01-01-1", *out_of(at)], "no_release"),
    "a note of a rollback that is none": (lambda at: ["verify", *out_of(pins(at))], "rollback_unreadable"),
    "a night of an empty folder": (lambda at: ["night", "--data", at, "--out", at / "out"], "no_published_files"),
    "a code that is none": (lambda _: ["explain", "unknown_markr"], "unknown_code"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_sentence_with_its_code(mistake: str, tmp_path: Path) -> None:
    arguments, code = MISTAKES[mistake]
    ended = care_numbers(*arguments(tmp_path))
    assert ended.code == 1, ended.err
    assert ended.refusal.endswith(f"(care-numbers explain {code})")
    assert "Traceback" not in ended.err + ended.out
    assert code in error_catalogue.catalogue()


def test_a_port_that_is_taken_is_refused_before_dagster_begins(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = care_numbers("ui", "--port", str(taken.getsockname()[1]), "--data", tmp_path, "--out", tmp_path / "out")
    assert ended.code == 1
    assert "explain port_in_use" in ended.refusal


@pytest.mark.parametrize(
    "arguments", [["run", "--nope"], ["nothing"], ["rollback"], ["ui", "--port", "99999"], ["run", "--data"]]
)
def test_wrong_usage_is_told_apart_from_refusals(arguments: list[str]) -> None:
    ended = care_numbers(*arguments)
    assert ended.code == 2
    assert "Traceback" not in ended.err


def test_a_refusal_is_an_object_for_programs(tmp_path: Path) -> None:
    ended = care_numbers("run", "--json", "--data", tmp_path / "nowhere")
    told = json.loads(ended.out)["refused"]
    assert (ended.code, told["code"], told["file"]) == (1, "no_folder", str(tmp_path / "nowhere"))
    assert told["sentence"] in ended.err
    assert {"problem", "remedy", "row", "column", "value"} <= told.keys()


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--debug", "run"], {}),
        (["run", "--debug"], {}),
        (["run"], {"CARE_NUMBERS_DEBUG": "1"}),
    ],
)
def test_whoever_asks_gets_the_traceback(arguments: list[str], environment: dict[str, str], tmp_path: Path) -> None:
    from pipeline.errors import Refusal

    with pytest.raises(Refusal, match="no such folder"):
        care_numbers(*arguments, "--data", tmp_path / "nowhere", environment=environment)


def test_a_fault_of_the_program_says_so_and_has_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object) -> places.Workspace:
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr(places, "workspace", broken)
    ended = care_numbers("verify", environment={"CARE_NUMBERS_DEBUG": "0"}, faults_escape=False)
    assert ended.code == 3
    assert "Failed. This is a fault of the program (ZeroDivisionError: nobody foresaw this)" in ended.err
    assert "--debug" in ended.err and "Traceback" not in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_a_code_is_explained(tmp_path: Path) -> None:
    entry = error_catalogue.catalogue()["unknown_marker"]
    ended = care_numbers("explain", "unknown_marker")
    assert (ended.code, ended.out) == (0, f"{entry.code}\n{entry.meaning}\n{entry.remedy}\n")
    every = care_numbers("explain")
    assert all(code in every.out for code in error_catalogue.catalogue())
