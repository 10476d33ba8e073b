"""A raw folder and somebody who fetches to it from the imitation, for the tests of fetching.

What belongs here: asking without waiting, looking at what is stored, and what holds of it at every moment. What does not:
the imitation of the services (`tests/fixtures/imitation`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import places, source_lock
from pipeline.fetch import run
from pipeline.fetch.addresses import Addresses
from pipeline.fetch.client import Client, Manners
from pipeline.fetch.report import Item, Report
from pipeline.places import RawFolders
from pipeline.source_lock import LockEntry

QUICK = Manners(waits=(0.0, 0.0, 0.0), connect=2.0, read=0.5, file_deadline=30.0, run_deadline=60.0)
NOON = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)


@dataclass
class Desk:
    """A raw folder, and somebody who fetches to it from an imitation."""

    raw: Path
    settings: Mapping[str, str]
    waited: list[float] = field(default_factory=list)

    @property
    def folders(self) -> RawFolders:
        return RawFolders(self.raw / "published", self.raw / "sources.lock.json", places.reference_folder())

    def fetch(self, *chosen: str, manners: Manners = QUICK, **options: Any) -> Report:
        client = Client(Addresses.from_environment(self.settings), manners, sleep=self.waited.append, wall=lambda: NOON)
        return run.fetch(self.folders, chosen=chosen, client=client, **options)

    @property
    def entries(self) -> list[LockEntry]:
        """What is registered, in the order of the lock file."""
        return list(source_lock.read(self.folders.lock).values())

    def entry(self, source: str, edition: str, seen: int = 1) -> LockEntry:
        """The one registered file of a source's edition."""
        wanted = (source, edition, seen)
        (found,) = [entry for entry in self.entries if (entry.source, entry.edition, entry.edition_seen) == wanted]
        return found

    def content(self, entry: LockEntry) -> bytes:
        return (self.folders.published / entry.file).read_bytes()

    def everything(self) -> dict[str, tuple[bytes, int]]:
        """Bytes and time of every file here, by its name; the lock on the folder and the state are no results."""
        return {
            path.relative_to(self.raw).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in sorted(self.raw.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }

    def check(self) -> None:
        """Every registered file has its bytes, every fetched file is registered, and nothing is half there."""
        registered = {entry.file: entry.sha256 for entry in self.entries}
        stored = {
            path.relative_to(self.folders.published).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.folders.published.rglob("*")
            if path.is_file() and "reference" not in path.parts
        }
        assert stored == registered
        assert parts(self.raw) == []


def parts(folder: Path) -> list[str]:
    """Files that are half there."""
    return sorted(path.name for path in folder.rglob("*.part"))


def item(report: Report, edition: str, source: str | None = None) -> Item:
    """The one line of a report for an edition."""
    found = [entry for entry in report.items if entry.edition == edition and source in (None, entry.source)]
    assert len(found) == 1, report.lines()
    return found[0]


def kinds(report: Report) -> dict[str, str]:
    """Edition -> what became of it, of a report on one source."""
    return {entry.edition: entry.kind for entry in report.items}


def kinds_of(report: Report, source: str) -> dict[str, str]:
    """The same of one source among several."""
    return {entry.edition: entry.kind for entry in report.items if entry.source == source}
