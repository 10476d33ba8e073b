"""What became of the last night: one small file that an operator, a monitor or `care-numbers status` reads.

What belongs here: the file, and telling somebody elsewhere that a night failed. What does not: deciding how a night ended
(`assets.nightly`) and how it is shown (`assets.night_commands`).
"""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipeline.confidential import scrubbed
from pipeline.errors import Refusal

RUNNING, PUBLISHED, NO_NEWS, HELD_BACK, FAILED = "running", "published", "no_news", "held_back", "failed"
INTERRUPTED = "interrupted"  # never written: a night that is neither over nor running
WEBHOOK_VARIABLE = "CARE_NUMBERS_WEBHOOK"
_WEBHOOK_SECONDS = 10
OVERDUE_HOURS = 26  # a night is a day after the last one; two hours for a longer run and the change of the clocks


@dataclass(frozen=True)
class Night:
    """One night. Times are UTC in ISO form; `reason` is one line; `told` is what became of the webhook, if any.

    `code` is that of the refusal a night failed with; None when it did not fail or the fault was the program's.
    `fetched` says what was fetched and what could not be, a sentence each; None where nothing was to be fetched.
    """

    result: str
    run_id: str
    began: str
    ended: str | None = None
    reason: str = ""
    release: str | None = None
    told: str | None = None
    code: str | None = None
    fetched: list[str] | None = None


def now() -> str:
    """The present moment as the file writes it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def read(file: Path) -> Night | None:
    """The last night; None when there has been none. Raises Refusal when the file is not what this module writes."""
    try:
        return Night(**json.loads(file.read_text(encoding="utf-8"))["last_night"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(
            "bad_status_file",
            f"the status of the last night cannot be read ({error})",
            file=file.name,
            remedy="delete it; the next night writes it anew",
        ) from error


def write(file: Path, night: Night) -> None:
    """Replace the file in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        beside.write_text(json.dumps({"last_night": asdict(night)}, indent=1) + "\n", encoding="utf-8")
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)


def begin(file: Path, run_id: str) -> None:
    """A night begins, or goes on."""
    write(file, _of_run(file, run_id))


def fetched(file: Path, run_id: str, sentences: list[str]) -> None:
    """What the night's fetch came to."""
    write(file, replace(_of_run(file, run_id), fetched=sentences))


def has_fetched(file: Path, run_id: str) -> bool:
    """Whether this run has fetched already: its first node looks again where the command has looked before."""
    return _of_run(file, run_id).fetched is not None


def end(file: Path, run_id: str, result: str, reason: str, release: str | None = None, code: str | None = None) -> None:
    """A night ends. A failed one is told to the webhook first, which also works when the disk is full.

    Of several failures of one run the first counts: the others follow from it or stand beside it in the run's log.
    Secrets of the environment are taken out of the reason, which may be some library's sentence.
    """
    last = _of_run(file, run_id)
    if last.result == FAILED:
        return
    told = " ".join(scrubbed(reason).split())
    night = replace(last, result=result, ended=now(), reason=told, release=release, code=code)
    address = os.environ.get(WEBHOOK_VARIABLE)
    if result == FAILED and address:
        night = replace(night, told=post(address, night))
    write(file, night)


def _of_run(file: Path, run_id: str) -> Night:
    """The night of this run as it stands; one that failed before it could be written down began at some time before."""
    try:
        last = read(file)
    except Refusal:
        last = None  # a status that cannot be read is replaced, and the new one says how this night ended
    return last if last and last.run_id == run_id else Night(RUNNING, run_id, now())


def post(address: str, night: Night) -> str:
    """Send a night as JSON; what became of it in words. The address is a secret and stands in no text."""
    body = json.dumps({"text": f"care-numbers: the night failed. {night.reason}", **asdict(night)}).encode()
    try:
        if not address.startswith(("http://", "https://")):
            return "not told: the webhook's address does not begin with http:// or https://"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=_WEBHOOK_SECONDS) as response:
            return f"told the webhook (HTTP {response.status})"
    except urllib.error.HTTPError as error:
        return f"not told: the webhook answered with HTTP {error.code}"
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        return f"not told: the webhook cannot be reached ({type(reason).__name__})"


def result_now(night: Night, *, is_running: bool) -> str:
    """How a night stands: one that was begun and is no longer running was killed, or the machine stopped."""
    return INTERRUPTED if night.result == RUNNING and not is_running else night.result


def is_overdue(night: Night, at: dt.datetime | None = None) -> bool:
    """Whether a night has been missed since."""
    moment = at or dt.datetime.now(dt.UTC)
    return moment - dt.datetime.fromisoformat(night.ended or night.began) > dt.timedelta(hours=OVERDUE_HOURS)
