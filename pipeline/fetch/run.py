"""One fetch: resolve every source, download what is new, judge it, register it, and say what happened.

What belongs here: the order of these steps, and the rule that a source which fails stops no other. What does not: each of
the steps (`ees`, `govuk`, `client`, `arrival`) and the form of the register (`source_lock`).

A file is put in its place first and then entered in the lock file, each in one step. Whatever stops a fetch, what is
registered is whole, and the next one goes on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pipeline import confidential, durable, reference_tables, run_lock, source_lock, sources
from pipeline.errors import Refusal
from pipeline.fetch import arrival, catalogue, ees, govuk
from pipeline.fetch.addresses import Addresses, host_of
from pipeline.fetch.arrival import Arrived
from pipeline.fetch.catalogue import EES, Source
from pipeline.fetch.client import Client, NotGot, Received
from pipeline.fetch.offers import ABSENT as NOT_RESOLVED
from pipeline.fetch.offers import CONTENT_API_FALLBACK, EditionOffer, Offer, Resolution
from pipeline.fetch.report import (
    ABSENT,
    AMENDED,
    FAILED,
    NEW,
    NOT_OFFERED,
    RESTORED,
    SAME_TEXT,
    UNCHANGED,
    WOULD_FETCH,
    HandItem,
    Item,
    Report,
)
from pipeline.fetch.state import Seen, State
from pipeline.places import RawFolders
from pipeline.readers.layout import Knowledge
from pipeline.source_lock import LockEntry

_DISK_FULL = "disk_full"  # of `durable`: the one fault that is no publisher's
_CLOSED_TO_US = {403, 404, 410}  # another address of the same file may still answer


def fetch(
    folders: RawFolders,
    chosen: tuple[str, ...] = (),
    *,
    dry_run: bool = False,
    locked: bool = False,
    anew: bool = False,
    client: Client | None = None,
    now: Callable[[], dt.datetime] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Report:
    """Fetch the chosen sources, all for none, and report.

    With `dry_run` nothing is downloaded or written. With `locked` only bytes that the lock file names are accepted. With
    `anew` everything is downloaded and compared, whatever the last look saw, closed sources included.

    Raises Refusal for an unknown source, a lock file that cannot be read, another fetch or import under way, and a full
    disk. What a publisher does wrong is in the report.
    """
    wanted = catalogue.load().chosen(chosen)
    asking = client or Client(Addresses.from_environment(os.environ))
    fetching = _Fetching(
        folders=folders,
        client=asking,
        dry_run=dry_run,
        locked=locked,
        looks_anew=anew,
        now=now or (lambda: dt.datetime.now(dt.UTC)),
        tell=tell or (lambda line: None),
    )
    try:
        if dry_run:
            return fetching.all(wanted)
        with run_lock.held(folders.lock.parent):
            return fetching.all(wanted)
    finally:
        asking.close()


class _Fetching:
    """One fetch under way: the lock file and the state as they stand, and the report as it grows."""

    def __init__(
        self,
        *,
        folders: RawFolders,
        client: Client,
        dry_run: bool,
        locked: bool,
        looks_anew: bool,
        now: Callable[[], dt.datetime],
        tell: Callable[[str], None],
    ) -> None:
        self.folders, self.client = folders, client
        self.dry_run, self.locked, self.looks_anew = dry_run, locked, looks_anew
        self.now, self.tell = now, tell
        self.report = Report()

    def all(self, wanted: tuple[Source, ...]) -> Report:
        """Every source in turn. Between two of them everything that arrived is registered."""
        with durable.refusing_full_disk(self.folders.lock.parent):
            return self._all(wanted)

    def _all(self, wanted: tuple[Source, ...]) -> Report:
        if not self.dry_run:
            shutil.rmtree(self.folders.arriving, ignore_errors=True)  # of a fetch that was killed
        self.entries = source_lock.read(self.folders.lock)
        self.state = State.read(self.folders.state)
        self.known = knowledge(self.folders)
        try:
            for source in wanted:
                self.tell(f"{source.title} ({source.name})")
                self._source(source)
        finally:
            if not self.dry_run:
                self.state.write()
                shutil.rmtree(self.folders.arriving, ignore_errors=True)
        self.report.by_hand = self._by_hand()
        more = sorted(self.client.addresses.more_hosts)
        if more:
            self.report.notes.append(f"Also allowed by setting: {', '.join(more)}.")
        return self.report

    # -----------------------------------------------------------------------------------------------------------------
    # A source

    def _source(self, source: Source) -> None:
        before = len(self.report.items)
        try:
            resolution = self._resolve(source)
        except NotGot as refusal:
            self._failed(source, None, None, refusal)
        else:
            self._take_all(source, resolution)
        failed = any(item.kind == FAILED for item in self.report.items[before:])
        if source.required and failed and not self._stored(source):
            self.report.failed_required.append(source.name)

    def _resolve(self, source: Source) -> Resolution:
        if source.route == EES:
            return ees.resolve(source, self.client, self._known_fingerprints(source))
        return govuk.resolve(source, self.client, self.now().date(), self._complete(source))

    def _complete(self, source: Source) -> set[str]:
        """Editions of a closed source whose parts are all here, by whichever way they came."""
        if not source.closed or self.looks_anew:
            return set()
        parts = Counter(edition for edition, _ in {(entry.edition, entry.identity) for entry in self._stored(source)})
        return {edition for edition, count in parts.items() if count >= source.parts}

    def _take_all(self, source: Source, resolution: Resolution) -> None:
        self.report.notes += resolution.notes
        for edition in resolution.as_before:
            self._say(source, edition, None, UNCHANGED, "nothing has changed.")
        for offered in resolution.editions:
            self.state.missing_since.pop(_key(source, offered.edition), None)
            self._take_edition(source, offered)
        for trouble in resolution.troubles:
            self._trouble(source, trouble.edition, trouble.refusal, is_newest=trouble.is_newest)
        self._tell_missing(source, resolution)

    def _trouble(self, source: Source, edition: str, refusal: Refusal, *, is_newest: bool) -> None:
        if refusal.code == NOT_RESOLVED and self._stored(source, edition):
            self._not_offered(source, edition, f"temporarily absent or gone; {refusal}")
        elif refusal.code == NOT_RESOLVED and not is_newest:
            self._say(source, edition, None, ABSENT, str(refusal))
        else:
            self._failed(source, edition, None, refusal)

    def _tell_missing(self, source: Source, resolution: Resolution) -> None:
        """Editions that were fetched once and that the publication no longer names at all."""
        named = {offered.edition for offered in resolution.editions} | set(resolution.as_before)
        named |= {trouble.edition for trouble in resolution.troubles}
        if source.route != EES:
            return  # a page is asked for by its own address, and says itself when it is gone
        fetched = {e.edition for e in self._stored(source) if e.resolved_via != source_lock.IMPORTED}
        for edition in sorted(fetched - named):
            self._not_offered(source, edition, "the publication no longer lists this release")

    def _not_offered(self, source: Source, edition: str, problem: str) -> None:
        since = self.state.missing_since.setdefault(_key(source, edition), self.now().date().isoformat())
        self._say(source, edition, None, NOT_OFFERED, f"no longer offered since {since}: {problem.rstrip('.')}.")

    # -----------------------------------------------------------------------------------------------------------------
    # An edition

    def _take_edition(self, source: Source, offered: EditionOffer) -> None:
        key = _key(source, offered.edition)
        seen = self.state.seen.get(key)
        if not self.looks_anew and seen and seen.fingerprint == offered.fingerprint and self._all_there(seen.sha256):
            for offer in offered.offers:
                self._say(source, offered.edition, offer.filename, UNCHANGED, "nothing has changed.")
            return
        stored: list[str] = []
        is_complete = True
        for offer in offered.offers:
            if offer.pinned_sha256 and self._all_there([offer.pinned_sha256]):
                self._say(source, offered.edition, offer.filename, UNCHANGED, "the known file is here.")
            elif self.dry_run:
                word = "looked at again, it may be amended" if self._stored(source, offered.edition) else "new"
                sentence = f"{offer.filename} ({word}): {confidential.address(offer.urls[0])}"
                self._say(source, offered.edition, offer.filename, WOULD_FETCH, sentence)
            else:
                try:
                    stored += self._take(source, offered.edition, offer)
                except Refusal as refusal:
                    if refusal.code == _DISK_FULL:
                        raise
                    is_complete = False
                    self._failed(source, offered.edition, offer.filename, refusal)
        if is_complete and not self.dry_run and offered.fingerprint:
            self.state.seen[key] = Seen(offered.fingerprint, sorted(set(stored)))
            self.state.write()

    def _take(self, source: Source, edition: str, offer: Offer) -> list[str]:
        """Download, judge and register one offer; the sha256 of its files as they are stored."""
        part = self.folders.arriving / f".{len(self.report.items)}.part"
        try:
            offer, received = self._download(source, edition, offer, part)
            content = part.read_bytes()
        finally:
            part.unlink(missing_ok=True)
        if hashlib.sha256(content).hexdigest() != received.sha256:
            raise Refusal("disk_error", "the disk gave back other bytes than were written", file=offer.filename,
                          remedy="look at the disk; nothing was registered")  # fmt: skip
        self.tell(f"  {offer.filename}: {_seen_on_the_way(received, content)}")
        try:
            self._refuse_other_than_pinned(received, offer)
            arrivals = self._judged(source, edition, offer, received, content)
        except Refusal as refusal:
            kept = self._set_apart(source, edition, offer, content, refusal)
            raise Refusal(
                refusal.code,
                refusal.problem,
                file=refusal.file,
                row=refusal.row,
                column=refusal.column,
                value=refusal.value,
                remedy=f"it is kept as {kept} and not used; {refusal.remedy}",
            ) from refusal
        return [self._register(source, edition, offer, received, arrived) for arrived in arrivals]

    def _judged(self, source: Source, edition: str, offer: Offer, received: Received, content: bytes) -> list[Arrived]:
        """A file that trips a reader is set apart like one that it refuses: the other sources have nothing to do with it."""
        try:
            return arrival.judge(content, received, offer, source, edition, self.known)
        except Refusal:
            raise
        except Exception as error:
            raise Refusal(
                "reader_failed",
                f"its reader failed ({type(error).__name__}: {error}), which is a fault of the program",
                file=offer.filename,
                remedy="report it with the file",
            ) from error

    def _download(self, source: Source, edition: str, offer: Offer, part: Path) -> tuple[Offer, Received]:
        """From the first of the offer's addresses that answers; once more after resolving anew, for an amendment."""
        try:
            return self._from_any(offer, part)
        except NotGot as refusal:
            if refusal.status not in _CLOSED_TO_US or source.route != EES:
                raise
        return self._from_any(ees.resolve_again(source, self.client, edition), part)

    def _from_any(self, offer: Offer, part: Path) -> tuple[Offer, Received]:
        *others, last = offer.urls
        for url in others:
            try:
                return offer, self.client.download(url, part)
            except NotGot as refusal:
                if refusal.status not in _CLOSED_TO_US and not refusal.is_out_of_reach:
                    raise
                what = "interface changed" if refusal.status == 404 else "another address was taken"
                self.report.notes.append(f"{offer.filename}: {what}: {refusal.problem}: {confidential.address(url)}.")
                offer = replace(offer, resolved_via=CONTENT_API_FALLBACK)
        return offer, self.client.download(last, part)

    def _refuse_other_than_pinned(self, received: Received, offer: Offer) -> None:
        if offer.pinned_sha256 and received.sha256 != offer.pinned_sha256:
            raise Refusal(
                "not_the_pinned_file",
                f"the address now gives other bytes than the known ones (hash {received.sha256[:12]}…, and "
                f"{offer.pinned_sha256[:12]}… was expected), from {_without_query(received.final_url)}",
                file=offer.filename,
                remedy="look at the page, and import the file if it is the right one",
            )
        pins = {entry.sha256 for entry in self.entries.values()} | {e.archive_sha256 for e in self.entries.values()}
        if self.locked and received.sha256 not in pins:
            raise Refusal(
                "not_locked",
                f"the lock file does not name these bytes (hash {received.sha256[:12]}…, from "
                f"{_without_query(received.final_url)})",
                file=offer.filename,
                remedy="run care-numbers fetch without --locked to accept it",
            )

    def _set_apart(self, source: Source, edition: str, offer: Offer, content: bytes, refusal: Refusal) -> str:
        """Keep a refused file where nothing reads it, with the reason beside it; its name there."""
        digest = hashlib.sha256(content).hexdigest()
        target = sources.with_hash(self.folders.quarantine / source.name / edition / _own_name(offer.filename), digest)
        if refusal.code == "not_locked":
            target = target.with_name(f"{target.name}.rejected")
        self._put(content, target)
        reason = f"{refusal}\nfrom {confidential.address(offer.urls[0])}\nat {self._moment()}\n"
        durable.write_text(target.with_name(f"{target.name}.reason.txt"), reason)
        return target.relative_to(self.folders.lock.parent).as_posix()

    # -----------------------------------------------------------------------------------------------------------------
    # The register

    def _register(self, source: Source, edition: str, offer: Offer, received: Received, arrived: Arrived) -> str:
        """Enter one file; the sha256 under which it, or the one that makes it superfluous, is stored."""
        identity = (arrived.layout.name, arrived.edition.release, arrived.edition.part)
        entry = self.entries.get(arrived.sha256)
        if entry and self._is_there(entry):
            self._say(source, edition, arrived.filename, UNCHANGED, "it is here already.", entry.sha256)
            return entry.sha256
        if entry:
            self._put(arrived.content, self.folders.published / entry.file)
            self._say(source, edition, arrived.filename, RESTORED, f"{entry.file} was gone and is back.", entry.sha256)
            return entry.sha256
        same = source_lock.with_same_text(self.entries, identity, arrived.facts.text_sha256)
        if same and self._is_there(same):
            sentence = f"{arrived.filename} differs from {same.file} in line ends or byte order mark alone."
            self._say(source, edition, arrived.filename, SAME_TEXT, sentence, same.sha256)
            return same.sha256
        earlier = source_lock.of_identity(self.entries, identity)
        new = self._enter(source, edition, offer, received, arrived)
        if earlier:
            sentence = self._difference(source, edition, earlier[-1], new)
            self._say(source, edition, arrived.filename, AMENDED, sentence, new.sha256)
        else:
            self._say(source, edition, arrived.filename, NEW, f"{new.file}, {new.bytes} bytes.", new.sha256)
        return new.sha256

    def _enter(self, source: Source, edition: str, offer: Offer, received: Received, arrived: Arrived) -> LockEntry:
        identity = (arrived.layout.name, arrived.edition.release, arrived.edition.part)
        name = _own_name(arrived.filename)
        folder = self.folders.published / arrived.layout.publication / str(arrived.edition.release)
        target = sources.with_hash(folder / name, arrived.sha256)
        entry = LockEntry(
            source=source.name,
            edition=edition,
            edition_seen=source_lock.next_edition(self.entries, identity),
            file=target.relative_to(self.folders.published).as_posix(),
            layout=arrived.layout.name,
            publication=arrived.layout.publication,
            release=arrived.edition.release,
            part=arrived.edition.part,
            resolved_via=offer.resolved_via,
            filename=arrived.filename,
            sha256=arrived.sha256,
            bytes=len(arrived.content),
            licence=source.licence,
            page_url=offer.page_url,
            requested_url=_without_query(received.requested_url),
            final_url=_without_query(received.final_url),
            data_set_file_id=offer.data_set_file_id,
            archive_sha256=arrived.archive_sha256,
            text_sha256=arrived.facts.text_sha256,
            rows=arrived.facts.rows,
            header_sha256=arrived.facts.header_sha256,
            published=offer.published,
            last_updated=offer.last_updated,
            etag=received.headers.get("etag"),
            last_modified=received.headers.get("last-modified"),
            retrieved_at=self._moment(),
        )
        self._put(arrived.content, target)
        self.entries[entry.sha256] = entry
        source_lock.write(self.folders.lock, list(self.entries.values()))
        return entry

    def _difference(self, source: Source, edition: str, old: LockEntry, new: LockEntry) -> str:
        parts = [f"{new.file} is edition {new.edition_seen} beside {old.file}"]
        if old.rows != new.rows:
            parts.append(f"{old.rows} rows became {new.rows}")
        if old.header_sha256 != new.header_sha256:
            parts.append("the header is another one")
        if source.route == EES:
            parts.append(ees.last_revision(source, self.client, edition).rstrip("."))
        return "; ".join(parts) + "."

    def _put(self, content: bytes, target: Path) -> None:
        """Write a file in one step. Its place is on the same disk as the folder of arrivals."""
        beside = self.folders.arriving / f".{target.name}.part"
        beside.parent.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_bytes(content)
            durable.sync(beside)
            durable.replace(beside, target)
        finally:
            beside.unlink(missing_ok=True)

    # -----------------------------------------------------------------------------------------------------------------
    # What is here

    def _is_there(self, entry: LockEntry) -> bool:
        return (self.folders.published / entry.file).exists()

    def _all_there(self, digests: list[str]) -> bool:
        return all(digest in self.entries and self._is_there(self.entries[digest]) for digest in digests)

    def _stored(self, source: Source, edition: str | None = None) -> list[LockEntry]:
        """What is registered of a source, by whichever way it came."""
        own = [entry for entry in self.entries.values() if entry.layout in source.layouts and self._is_there(entry)]
        return [entry for entry in own if edition is None or edition in (entry.edition, str(entry.release))]

    def _known_fingerprints(self, source: Source) -> dict[str, str]:
        if self.looks_anew:
            return {}
        start = f"{source.name}/"
        return {
            key.removeprefix(start): seen.fingerprint
            for key, seen in self.state.seen.items()
            if key.startswith(start) and self._all_there(seen.sha256)
        }

    def _by_hand(self) -> list[HandItem]:
        here = [(entry.layout, entry.release) for entry in self.entries.values() if self._is_there(entry)]
        return [
            HandItem(
                hand.what,
                hand.page,
                hand.file,
                hand.how,
                is_there=any(layout in hand.layouts and hand.release in (None, release) for layout, release in here),
            )
            for hand in catalogue.load().by_hand
        ]

    # -----------------------------------------------------------------------------------------------------------------
    # Saying it

    def _say(
        self,
        source: Source,
        edition: str | None,
        filename: str | None,
        kind: str,
        sentence: str,
        sha256: str | None = None,
    ) -> None:
        item = Item(source.name, edition, filename, kind, sentence, sha256)
        self.report.items.append(item)
        self.tell(f"  {edition or ''} {kind.replace('_', ' ')}: {sentence}")

    def _failed(self, source: Source, edition: str | None, filename: str | None, refusal: Refusal) -> None:
        if isinstance(refusal, NotGot) and refusal.is_out_of_reach:
            if any(item.source == source.name and item.kind == FAILED for item in self.report.items):
                return  # one sentence a source: the host is the same
            edition = None
        self._say(source, edition, filename, FAILED, str(refusal))
        self.report.items[-1] = replace(self.report.items[-1], used_instead=self._instead(source, edition))

    def _instead(self, source: Source, edition: str | None) -> str:
        """What is used in place of what failed, and since when it has been here."""
        stored = self._stored(source, edition) or self._stored(source)
        if not stored:
            return "Nothing of this source is stored."
        newest = max(stored, key=lambda entry: (entry.release or 0, entry.edition_seen))
        age = ""
        if newest.retrieved_at:
            days = (self.now() - dt.datetime.fromisoformat(newest.retrieved_at)).days
            age = f", registered {days} days ago"
        return f"Meanwhile {newest.filename} of release {newest.release}{age}, is used instead."

    def _moment(self) -> str:
        return self.now().astimezone(dt.UTC).isoformat(timespec="microseconds")


def knowledge(folders: RawFolders) -> Knowledge:
    """What the readers may know: the project's reference tables, and those that were imported in their place."""
    found = {}
    for path in sorted((folders.published / sources.REFERENCE).glob("*.csv")):
        name = path.stem
        if name in reference_tables.HEADERS:
            file = f"{sources.REFERENCE}/{path.name}"
            found[name] = reference_tables.parse(name, path.read_bytes(), file, is_from_data_folder=True)
    return reference_tables.knowledge(reference_tables.load(folders.references, found))


def _key(source: Source, edition: str) -> str:
    return f"{source.name}/{edition}"


def _own_name(filename: str) -> str:
    """The last part of a name that somebody else chose, never a path or hidden."""
    return Path(filename.replace("\\", "/")).name.lstrip(".") or "file"


def _without_query(url: str) -> str:
    """Storage hosts sign their addresses in the query, which is nobody's business."""
    return confidential.address(url.partition("?")[0])


def _seen_on_the_way(received: Received, content: bytes) -> str:
    """What nobody has established of the live services, for the log."""
    encoding = received.headers.get("content-encoding", "not compressed")
    ends = "CRLF" if b"\r\n" in content[:65536] else "LF"
    mark = "with" if content.startswith(b"\xef\xbb\xbf") else "without"
    text = f", {ends}, {mark} byte order mark" if b"\x00" not in content[:1024] else ""
    return f"status {received.status}, {received.bytes} bytes, {encoding}{text}, from {host_of(received.final_url)}"
