"""Opening the published database while another takes its place."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from pipeline import database
from pipeline.errors import Refusal


def made(file: Path, number: int) -> Path:
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"CREATE TABLE told AS SELECT {number} AS number")
    return file


class Swapping:
    """A connect that lets other files take the name while DuckDB opens it, as often as there are files."""

    def __init__(self, target: Path, others: list[Path]) -> None:
        self.connect, self.target, self.others, self.calls = duckdb.connect, target, others, 0

    def __call__(self, *arguments: object, **options: object) -> duckdb.DuckDBPyConnection:
        self.calls += 1
        opened = self.connect(*arguments, **options)  # type: ignore[arg-type]
        if self.others:
            os.replace(self.others.pop(0), self.target)
        return opened


def test_a_database_replaced_while_it_opens_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = made(tmp_path / "published.duckdb", 1)
    swapping = Swapping(target, [made(tmp_path / "next.duckdb", 2)])
    monkeypatch.setattr(duckdb, "connect", swapping)
    with database.connect(target) as connection:
        assert connection.execute("SELECT number FROM told").fetchall() == [(2,)]
    assert swapping.calls == 2


def test_an_error_of_a_file_that_was_replaced_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, other = made(tmp_path / "published.duckdb", 1), made(tmp_path / "next.duckdb", 2)
    connect, calls = duckdb.connect, []

    def torn(*arguments: object, **options: object) -> duckdb.DuckDBPyConnection:
        calls.append(1)
        if len(calls) == 1:
            os.replace(other, target)
            raise duckdb.IOException("Could not read enough bytes")
        return connect(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(duckdb, "connect", torn)
    assert database.query(target, "SELECT number FROM told") == [{"number": 2}]


def test_a_damaged_file_is_told_at_once(tmp_path: Path) -> None:
    target = made(tmp_path / "published.duckdb", 1)
    target.write_bytes(target.read_bytes()[:4096])
    with pytest.raises(Refusal, match="cannot be read"):
        database.connect(target)


def test_a_file_that_is_replaced_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every opening finds another time on the file than before it."""
    target = made(tmp_path / "published.duckdb", 1)
    connect, calls = duckdb.connect, []

    def restless(*arguments: object, **options: object) -> duckdb.DuckDBPyConnection:
        calls.append(1)
        os.utime(target, ns=(len(calls), len(calls)))
        return connect(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(duckdb, "connect", restless)
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 3.0)  # a busy machine opens it twice in that
    with pytest.raises(Refusal, match="replaced"):
        database.connect(target)
    assert len(calls) > 1
