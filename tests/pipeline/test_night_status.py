"""The status file of the night, and the webhook that is told of a failure."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline import night_status
from pipeline.errors import Refusal
from pipeline.night_status import FAILED, INTERRUPTED, NO_NEWS, PUBLISHED, RUNNING, Night

SECRET = "s3cret-path"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(night_status.WEBHOOK_VARIABLE, raising=False)
    return tmp_path / "out" / "status.json"


def last(file: Path) -> Night:
    night = night_status.read(file)
    assert night is not None
    return night


def test_before_the_first_night_there_is_none(file: Path) -> None:
    assert night_status.read(file) is None


def test_a_night_from_beginning_to_end(file: Path) -> None:
    night_status.begin(file, "run-1")
    begun = last(file)
    assert (begun.result, begun.run_id, begun.ended) == (RUNNING, "run-1", None)
    night_status.end(file, "run-1", PUBLISHED, "Published as 2030-03-11-1.", "2030-03-11-1")
    night = last(file)
    assert (night.result, night.reason, night.release) == (PUBLISHED, "Published as 2030-03-11-1.", "2030-03-11-1")
    assert night.began == begun.began
    assert night.ended and dt.datetime.fromisoformat(night.ended).tzinfo is not None
    assert [path.name for path in file.parent.iterdir()] == ["status.json"]


def test_the_reason_is_one_line(file: Path) -> None:
    night_status.end(file, "run-1", FAILED, "rates.csv, row 3:\n  marker q\tis not known")
    assert last(file).reason == "rates.csv, row 3: marker q is not known"


def test_the_first_failure_of_a_run_counts(file: Path) -> None:
    night_status.begin(file, "run-1")
    night_status.end(file, "run-1", FAILED, "the cause")
    night_status.end(file, "run-1", FAILED, "what followed")
    assert last(file).reason == "the cause"
    night_status.end(file, "run-2", NO_NEWS, "No news.")
    assert last(file).result == NO_NEWS


def test_a_night_that_failed_before_it_was_written_down_is_not_the_one_before(file: Path) -> None:
    night_status.begin(file, "run-1")
    night_status.end(file, "run-1", PUBLISHED, "Published.", "2030-03-11-1")
    night_status.end(file, "run-2", FAILED, "the program does not start")
    assert (last(file).run_id, last(file).release) == ("run-2", None)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"last_night": {"result": "published"}}', "null"])
def test_a_file_of_another_kind_is_refused_to_a_reader_and_replaced_by_a_night(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(Refusal, match="status.json"):
        night_status.read(file)
    night_status.end(file, "run-1", NO_NEWS, "No news.")
    assert last(file).result == NO_NEWS


def test_a_night_that_neither_ended_nor_runs_was_interrupted() -> None:
    night = Night(RUNNING, "run-1", "2030-03-11T03:00:00+00:00")
    assert night_status.result_now(night, is_running=True) == RUNNING
    assert night_status.result_now(night, is_running=False) == INTERRUPTED
    assert night_status.result_now(Night(PUBLISHED, "run-1", night.began), is_running=False) == PUBLISHED


@pytest.mark.parametrize(("hours", "overdue"), [(24, False), (25, False), (27, True), (24 * 9, True)])
def test_a_missed_night_is_noticed(hours: int, overdue: bool) -> None:
    """A night is due every 24 hours, 25 when the clocks go back."""
    ended = dt.datetime(2030, 3, 11, 3, tzinfo=dt.UTC)
    night = Night(PUBLISHED, "run-1", "2030-03-11T02:59:00+00:00", ended.isoformat())
    assert night_status.is_overdue(night, ended + dt.timedelta(hours=hours)) is overdue


# ---------------------------------------------------------------------------------------------------------------------
# The webhook


@dataclass
class Receiver:
    """A server on this machine that takes what is posted and answers with a status."""

    answers: int = 204
    bodies: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/json"
            told.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(told.answers)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing on the terminal."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told.address = f"http://127.0.0.1:{server.server_port}/{SECRET}"
        monkeypatch.setenv(night_status.WEBHOOK_VARIABLE, told.address)
        yield told
        server.shutdown()


def test_a_failure_is_told(file: Path, receiver: Receiver) -> None:
    night_status.begin(file, "run-1")
    night_status.end(file, "run-1", FAILED, "the disk is full")
    (body,) = receiver.bodies
    assert "the disk is full" in body["text"]
    assert (body["result"], body["run_id"], body["reason"]) == (FAILED, "run-1", "the disk is full")
    assert last(file).told == "told the webhook (HTTP 204)"


def test_only_a_failure_is_told_and_only_once(file: Path, receiver: Receiver) -> None:
    night_status.end(file, "run-1", PUBLISHED, "Published.", "2030-03-11-1")
    night_status.end(file, "run-2", NO_NEWS, "No news.")
    assert receiver.bodies == []
    night_status.end(file, "run-3", FAILED, "the cause")
    night_status.end(file, "run-3", FAILED, "what followed")
    assert len(receiver.bodies) == 1


def test_a_full_disk_does_not_keep_the_webhook_from_being_told(
    file: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(night_status, "write", no_room)
    with pytest.raises(OSError, match="No space left"):
        night_status.end(file, "run-1", FAILED, "the disk is full")
    assert len(receiver.bodies) == 1


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"ftp://127.0.0.1/{SECRET}", "does not begin with http"),
        (f"{SECRET}", "does not begin with http"),
        (f"http://127.0.0.1:1/{SECRET}", "cannot be reached (ConnectionRefusedError)"),
        (f"http://[{SECRET}", "cannot be reached"),
        (f"http://127.0.0.1:{SECRET}/", "cannot be reached"),
    ],
)
def test_a_webhook_that_does_not_work_is_noted_without_its_address(
    file: Path, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    monkeypatch.setenv(night_status.WEBHOOK_VARIABLE, address)
    night_status.end(file, "run-1", FAILED, "the cause")
    told = last(file).told or ""
    assert said in told
    assert (last(file).result, last(file).reason) == (FAILED, "the cause")
    assert SECRET not in file.read_text()


def test_an_answer_that_is_an_error_is_noted(file: Path, receiver: Receiver) -> None:
    receiver.answers = 403
    night_status.end(file, "run-1", FAILED, "the cause")
    assert last(file).told == "not told: the webhook answered with HTTP 403"
    assert SECRET not in file.read_text()
