"""Running the `care-numbers` command in tests, and looking at what it left behind.

What belongs here: the command in this process or in one of its own, one finished run on the demonstration country that
all tests share, and comparing databases. What does not: expectations (the test modules) and faults (`planting`).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn
from unittest import mock

import duckdb
import pytest

from assets import command, ends
from pipeline import places
from pipeline.places import Workspace
from pipeline.tables import catalogue
from tests.once import once

PROJECT = Path(__file__).resolve().parents[2]
_PROGRESS = ("  ", "care-numbers")  # how the lines begin that a run writes before its end
# What a developer's or a CI machine's environment must not change in a test.
_FOREIGN = ("DAGSTER_HOME", places.DATA_VARIABLE, places.OUT_VARIABLE, "FORCE_COLOR", "NO_COLOR", "COLUMNS")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one sentence after the progress lines; fails the test when there is anything else on standard error."""
        lines = self.err.rstrip("\n").split("\n")
        *before, last = lines
        unexpected = [line for line in before if not line.startswith(_PROGRESS)]
        assert not unexpected, f"more than progress and one sentence on standard error:\n{self.err}"
        assert last.startswith("Refused. "), self.err
        return last


def environment_of(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command in tests: the present one without what is foreign to it, and `extra`."""
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return kept | dict(extra or {})


def care_numbers(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, faults_escape: bool = True
) -> Ended:
    """Run the command in this process; a fault of the program is a failure of the test, with its traceback.

    Unless `faults_escape` is false: then the command ends as it does for a person.
    """
    out, err = io.StringIO(), io.StringIO()
    code: int | str | None = 0
    with (
        mock.patch.dict(os.environ, environment_of(environment), clear=True),
        mock.patch.object(sys, "argv", ["care-numbers", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
        mock.patch.object(ends, "failed", _escape) if faults_escape else contextlib.nullcontext(),
    ):
        try:
            command.main()
        except SystemExit as end:
            code = end.code
    return Ended(code if isinstance(code, int) else int(code is not None), out.getvalue(), err.getvalue())


def _escape(error: Exception) -> NoReturn:
    raise error


def care_numbers_process(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, cwd: Path = PROJECT
) -> Ended:
    """Run the installed command as a person would, in a process of its own."""
    program = Path(sys.executable).with_name("care-numbers")
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        env=environment_of(environment),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class FinishedRun:
    """A run that is over: where it put things and what it said. Tests read it and change nothing in it."""

    out: Path
    ended: Ended
    workspace: Workspace

    @property
    def database(self) -> Path:
        """The published database."""
        return self.workspace.database

    @property
    def frames(self) -> Path:
        """Its Parquet files."""
        return self.workspace.frames

    @property
    def data(self) -> Path:
        """The files it read."""
        return self.workspace.data


def finished_run(factory: pytest.TempPathFactory, name: str, data: str | Path) -> FinishedRun:
    """The one run on some data that all tests of a session share, in whichever process they are."""

    def run(out: Path) -> None:
        ended = care_numbers("run", "--data", data, "--out", out)
        assert ended.code == 0, ended.err
        out.with_name(f"{name}.ended.json").write_text(json.dumps(asdict(ended)))

    out = once(factory, name, run)
    ended = Ended(**json.loads(out.with_name(f"{name}.ended.json").read_text()))
    return FinishedRun(out, ended, places.workspace(str(data), str(out)))


def finished_demonstration(factory: pytest.TempPathFactory) -> FinishedRun:
    """The one run on the demonstration country."""
    return finished_run(factory, "demonstration_run", "demo")


def sha256(path: Path) -> str:
    """Hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def leftovers(folder: Path) -> list[str]:
    """Files of an unfinished publication below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.building*"))


@contextlib.contextmanager
def reading(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection, closed afterwards."""
    connection = duckdb.connect(str(database), read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def rows(database: Path, sql: str, parameters: list[object] | None = None) -> list[tuple]:
    """The rows of one query."""
    with reading(database) as connection:
        return connection.execute(sql, parameters or []).fetchall()


def tables_that_differ(first: Path, second: Path, *, but: frozenset[str] = frozenset({"about.run"})) -> list[str]:
    """Declared tables whose rows are not the same in both databases, whatever their order, but for those named."""
    connection = duckdb.connect()
    try:
        connection.execute(f"ATTACH '{first}' AS first_one (READ_ONLY)")
        connection.execute(f"ATTACH '{second}' AS second_one (READ_ONLY)")
        differing = []
        for name in sorted(catalogue.BY_NAME.keys() - but):
            here, there = f"FROM first_one.{name}", f"FROM second_one.{name}"
            gone = connection.execute(f"SELECT * {here} EXCEPT ALL SELECT * {there} LIMIT 1").fetchall()
            new = connection.execute(f"SELECT * {there} EXCEPT ALL SELECT * {here} LIMIT 1").fetchall()
            if gone or new:
                differing.append(f"{name}: {gone} against {new}")
        return differing
    finally:
        connection.close()
