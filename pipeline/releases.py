"""The releases: one immutable, dated folder a publication, and which of them is shown.

What belongs here: names, order and age of releases, what `latest` and the published database point at, going back to an
older release, pins, pruning, and mending what a killed process left. What does not: what is in a release
(`release_folder`) and making one (`publish`).

Beside the published database lies `releases/`:

    <date>-<n>/      a release; there under this name only when it is whole, and never changed afterwards
    latest           a relative link to the release that is shown
    rollback.json    which release is shown instead of the newest one, since when and why; only while it is so
    pinned.txt       releases that are kept whatever their age, one a line; a person may write it
    history.jsonl    what was published, rolled back, pinned and pruned, and when

Giving a finished folder its name is the moment of publication. Everything else follows from what is there: `current` says
which release is to be shown, and `heal` shows it. The published database is a copy of that release's own, not a second
name of the same file: whoever writes into it past its protection must not change what a paper has cited.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline import checksums, datapackage, durable, release_folder
from pipeline.database import query
from pipeline.errors import Refusal

LATEST = "latest"
LOCK = ".publishing.lock"
FOLDER, ROLLBACK, PINNED = "releases", "rollback.json", "pinned.txt"
_HISTORY = "history.jsonl"
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})-([1-9]\d*)")


@dataclass(frozen=True, order=True)
class Name:
    """`<date>-<n>`: the day of publication (UTC) and a number within the day; names sort in the order of publication."""

    day: dt.date
    n: int

    def __str__(self) -> str:
        return f"{self.day.isoformat()}-{self.n}"


@dataclass(frozen=True)
class Rollback:
    """An older release is shown since `at`; `rolled_back_from` is the newest there was at that time.

    `inputs_sha256` is what that one was made from, as its `about.run` tells; empty when it does not.
    """

    release: str
    rolled_back_from: str
    at: str
    reason: str
    inputs_sha256: str = ""

    def sentence(self) -> str:
        """What an operator is told."""
        why = f" ({self.reason})" if self.reason else ""
        return f"release {self.release} is shown since {self.at} instead of {self.rolled_back_from}{why}"


@dataclass(frozen=True)
class Release:
    """One line of the list of releases; `bytes` is the size of the whole folder."""

    release: str
    published_at: str | None
    bytes: int
    manifest_sha256: str
    is_shown: bool
    is_pinned: bool


def name_of(text: str) -> Name | None:
    """The name that a text is, None for any other text."""
    match = _NAME.fullmatch(text)
    try:
        return Name(dt.date.fromisoformat(match[1]), int(match[2])) if match else None
    except ValueError:  # the 31st of June
        return None


# ---------------------------------------------------------------------------------------------------------------------
# What is there. `database` is the published database throughout: releases are found from it.


def shelf(database: Path) -> Path:
    """The folder of all releases."""
    return database.parent / FOLDER


def names(database: Path) -> list[Name]:
    """All releases, the oldest first."""
    if not shelf(database).is_dir():
        return []
    found = (name_of(path.name) for path in shelf(database).iterdir() if path.is_dir() and not path.is_symlink())
    return sorted(name for name in found if name is not None)


def folder_of(database: Path, release: str) -> Path:
    """The folder of a release that exists. Raises Refusal for any other name; `latest` is the release that is shown."""
    return shelf(database) / str(chosen(release, names(database), current(database)))


def chosen(release: str, there: list[Name], shown: Name | None) -> Name:
    """The release that a person means. Raises Refusal for a name that is not there."""
    name = shown if release == LATEST else name_of(release)
    if name is None or name not in there:
        known = f"the newest are {', '.join(str(one) for one in there[-3:])}" if there else "there are none yet"
        raise Refusal(
            "no_release",
            f"there is no release {release}",
            file=FOLDER,
            remedy=f"{known}; care-numbers releases lists all",
        )
    return name


def rolled_back(database: Path) -> Rollback | None:
    """The rollback in force, None when the newest release is shown. A release published since ends a rollback."""
    return in_force(_marker(database), names(database))


def in_force(marker: Rollback | None, there: list[Name]) -> Rollback | None:
    """The rollback that a note tells of, None when a release published since has ended it."""
    newest = max(there, default=None)
    if marker is None or newest is None:
        return None
    since = name_of(marker.rolled_back_from)
    return marker if since is not None and newest <= since else None


def _marker(database: Path) -> Rollback | None:
    file = shelf(database) / ROLLBACK
    return marker_of(file.read_text(encoding="utf-8")) if file.exists() else None


def marker_of(text: str) -> Rollback:
    """What the note of a rollback says. Raises Refusal when it cannot be read."""
    try:
        return Rollback(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise Refusal(
            "rollback_unreadable",
            f"it does not tell which release is shown ({error})",
            file=f"{FOLDER}/{ROLLBACK}",
            remedy="delete it, and go back with care-numbers rollback RELEASE if you want to",
        ) from error


def marker_text(marker: Rollback) -> str:
    """The note of a rollback."""
    return json.dumps(asdict(marker), ensure_ascii=False) + "\n"


def current(database: Path) -> Name | None:
    """The release that is to be shown: the newest, or the one rolled back to. None before the first publication."""
    return to_be_shown(rolled_back(database), names(database))


def to_be_shown(rollback: Rollback | None, there: list[Name]) -> Name | None:
    """The same, from a rollback in force and the releases that are there."""
    return max(there, default=None) if rollback is None else name_of(rollback.release)


def pinned(database: Path) -> set[Name]:
    """Releases that are kept whatever their age. Raises Refusal for a line that names none."""
    file = shelf(database) / PINNED
    return pins_of(file.read_text(encoding="utf-8")) if file.exists() else set()


def pins_of(text: str) -> set[Name]:
    """The releases that a list of pins names. Raises Refusal for a line that names none."""
    found = set()
    for number, line in enumerate(text.splitlines(), start=1):
        told = line.split("#", maxsplit=1)[0].strip()
        name = name_of(told)
        if told and name is None:
            raise Refusal(
                "pin_unreadable",
                "this is not the name of a release",
                file=f"{FOLDER}/{PINNED}",
                row=number,
                value=told,
                remedy="write one name such as 2030-03-11-1 a line; nothing is pruned until it can be read",
            )
        found |= {name} if name else set()
    return found


def listed(database: Path) -> list[Release]:
    """All releases as a person asks for them, the newest first."""
    shown, kept = current(database), pinned(database)
    found = []
    for name in reversed(names(database)):
        folder = shelf(database) / str(name)
        package = json.loads((folder / datapackage.FILE).read_text(encoding="utf-8"))
        found.append(
            Release(
                release=str(name),
                published_at=package.get("created"),
                bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
                manifest_sha256=checksums.sha256(folder / checksums.FILE),
                is_shown=name == shown,
                is_pinned=name in kept,
            )
        )
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Adding one. The publisher calls these under the lock, in this order.


def lock_file(database: Path) -> Path:
    """Whoever changes anything here holds it (`durable.only_one`)."""
    return database.parent / LOCK


def next_name(database: Path, today: dt.date) -> Name:
    """The name of the next release. A clock that was put back does not put a release before an older one."""
    return next_after(max(names(database), default=None), today)


def next_after(newest: Name | None, today: dt.date) -> Name:
    """The same, from the newest name that is taken."""
    if newest is None or newest.day < today:
        return Name(today, 1)
    return Name(newest.day, newest.n + 1)


def begin(database: Path) -> Path:
    """An empty hidden folder to build a release in."""
    building = shelf(database) / f".{os.getpid()}.building"
    building.mkdir(parents=True)
    return building


def stage(source: Path, database: Path) -> None:
    """Copy a finished database beside the published one, so that showing it needs no more room on the disk."""
    beside = _beside(database)
    shutil.copy2(source, beside)  # with its time, by which a later look knows it again
    durable.sync(beside)


def _beside(database: Path) -> Path:
    return database.with_name(f".{database.stem}.{os.getpid()}.building.duckdb")


def put(building: Path, database: Path, name: Name) -> None:
    """Give a finished folder its name: from here on it is published, and `heal` would show it."""
    durable.replace(building, shelf(database) / str(name))


def show_current(database: Path, *, anew: bool = False) -> None:
    """Let `latest` and the published database be those of the current release; what is so already is left alone.

    With `anew` the database is copied even when it looks the same.
    """
    name = current(database)
    if name is None:
        return
    folder = folder_of(database, str(name))
    link = shelf(database) / LATEST
    if not link.is_symlink() or os.readlink(link) != str(name):
        beside = shelf(database) / f".{LATEST}.{os.getpid()}"
        beside.symlink_to(str(name), target_is_directory=True)
        durable.replace(beside, link)
    source = folder / release_folder.DATABASE
    if anew or not _looks_the_same(source, database):
        if not _looks_the_same(source, _beside(database)):
            stage(source, database)
        durable.replace(_beside(database), database)


def _looks_the_same(source: Path, copy: Path) -> bool:
    if not copy.exists():
        return False
    one, other = source.stat(), copy.stat()
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def end_rollback(database: Path) -> Rollback | None:
    """Take away the note of a rollback that a newer release has ended, and return it."""
    marker = _marker(database)
    if marker is None or rolled_back(database) is not None:
        return None
    (shelf(database) / ROLLBACK).unlink()
    durable.sync(shelf(database))
    log(database, "rollback_ended", **asdict(marker) | {"newest": str(max(names(database)))})
    return marker


def heal(database: Path) -> None:
    """Mend what a killed process left behind. Raises Refusal while another one is publishing."""
    with durable.only_one(lock_file(database)):
        heal_locked(database)


def heal_locked(database: Path) -> None:
    """The same for whoever holds the lock."""
    remove_leftovers(database)
    show_current(database)
    end_rollback(database)


def remove_leftovers(database: Path) -> None:
    """Files and folders that were begun and never got their names."""
    for path in database.parent.glob(f".{database.stem}.*.building.duckdb*"):
        path.unlink(missing_ok=True)
    for pattern in (".*.building", ".*.pruned", f".{LATEST}.*", ".*.part"):
        for path in shelf(database).glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def prune(database: Path, keep_days: int) -> list[Name]:
    """Delete old releases by the rule of `outdated` and return their names."""
    gone = outdated(database, keep_days)
    for name in gone:
        remove(database, name)
        log(database, "pruned", release=str(name))
    return gone


def remove(database: Path, name: Name) -> None:
    """Delete a release: out of its name in one step, as a folder that is half deleted is no release."""
    hidden = shelf(database) / f".{name}.pruned"
    durable.replace(shelf(database) / str(name), hidden)
    shutil.rmtree(hidden)


def outdated(database: Path, keep_days: int) -> list[Name]:
    """Releases older than `keep_days`, counted back from the newest, that are not the first of their month.

    Never the newest one, the one that is shown, the two that a rollback names, nor one that is pinned. Counting from the
    newest release and not from today: a wrong clock deletes nothing.
    """
    return outdated_of(names(database), pinned(database), rolled_back(database), keep_days)


def outdated_of(there: list[Name], pins: set[Name], rollback: Rollback | None, keep_days: int) -> list[Name]:
    """The same, from what is there: all releases, the oldest first, those pinned, and the rollback in force."""
    newest = (to_be_shown(rollback, there), max(there, default=None))
    kept = pins | {name for name in newest if name is not None}
    if rollback is not None:
        kept |= {name for text in (rollback.release, rollback.rolled_back_from) if (name := name_of(text)) is not None}
    first_of_month: dict[tuple[int, int], Name] = {}
    for name in there:
        first_of_month.setdefault((name.day.year, name.day.month), name)
    kept |= set(first_of_month.values())
    return [name for name in there if (there[-1].day - name.day).days >= keep_days and name not in kept]


def log(database: Path, action: str, **told: str) -> None:
    """Add a line to the history."""
    line = {"at": now(), "action": action} | told
    durable.append_line(shelf(database) / _HISTORY, json.dumps(line, ensure_ascii=False))


def now() -> str:
    """The moment as the notes of releases tell it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


# ---------------------------------------------------------------------------------------------------------------------
# What a person asks for


def prove(database: Path, release: str) -> release_folder.Proof:
    """Prove one release. Raises Refusal when there is none of that name, or with the first thing that is not as it was."""
    return release_folder.prove(folder_of(database, release))


def prove_shown(database: Path) -> release_folder.Proof:
    """Prove the release that is shown, and that `latest` and the published database are its own. Raises Refusal."""
    folder = folder_of(database, LATEST)
    proof = release_folder.prove(folder)
    link = shelf(database) / LATEST
    shown = os.readlink(link) if link.is_symlink() else "no release"
    if shown != folder.name:
        raise _not_shown(database, f"{FOLDER}/{LATEST} leads to {shown} and not to {folder.name}", folder.name)
    if not database.exists():
        raise _not_shown(database, "it is missing", folder.name)
    if checksums.sha256(database) != checksums.read(folder)[release_folder.DATABASE]:
        raise _not_shown(database, f"it has other bytes than release {folder.name}", folder.name)
    return proof


def _not_shown(database: Path, problem: str, release: str) -> Refusal:
    return Refusal(
        "release_not_shown",
        problem,
        file=database.name,
        remedy=f"care-numbers rollback {release} puts the published database of that release back",
    )


def roll_back(database: Path, release: str, reason: str) -> Rollback | None:
    """Show an older release from now on, after proving it; the newest one ends a rollback, and then this is None.

    Raises Refusal when there is no such release, when it is not intact, or while another process is publishing.
    """
    with durable.only_one(lock_file(database)), durable.refusing_full_disk(database.parent):
        heal_locked(database)
        name = folder_of(database, release).name
        release_folder.prove(shelf(database) / name)
        before, newest = str(current(database)), str(max(names(database)))
        marker = None if name == newest else Rollback(name, newest, now(), reason, _inputs(database, newest))
        if marker is None:
            (shelf(database) / ROLLBACK).unlink(missing_ok=True)
            durable.sync(shelf(database))
        else:
            durable.write_text(shelf(database) / ROLLBACK, marker_text(marker))
        show_current(database, anew=True)
        log(database, "rolled_back", release=name, shown_before=before, newest=newest, reason=reason)
    return marker


def _inputs(database: Path, release: str) -> str:
    sql = "SELECT value FROM about.run WHERE property = 'inputs_sha256'"
    rows = query(shelf(database) / release / release_folder.DATABASE, sql)
    return rows[0]["value"] if rows else ""


def pin(database: Path, release: str) -> None:
    """Keep a release whatever its age."""
    with durable.only_one(lock_file(database)):
        name = folder_of(database, release).name
        if name_of(name) not in pinned(database):
            file = shelf(database) / PINNED
            durable.write_text(file, with_pin(file.read_text(encoding="utf-8") if file.exists() else "", name))
            log(database, "pinned", release=name)


def unpin(database: Path, release: str) -> None:
    """Let a release be pruned when it is old."""
    with durable.only_one(lock_file(database)):
        name = folder_of(database, release).name
        if name_of(name) in pinned(database):
            file = shelf(database) / PINNED
            durable.write_text(file, without_pin(file.read_text(encoding="utf-8"), name))
            log(database, "unpinned", release=name)


def with_pin(text: str, name: str) -> str:
    """A list of pins with one more."""
    return text + ("" if text.endswith("\n") or not text else "\n") + name + "\n"


def without_pin(text: str, name: str) -> str:
    """A list of pins without one; the other lines stay as somebody wrote them."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if line.split("#", maxsplit=1)[0].strip() != name)
