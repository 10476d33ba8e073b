"""Published files in a folder: recognised by content, registered with their hash, one edition of each release.

What belongs here: walking a folder, saying what each file is, settling which edition counts, and `care-numbers import`.
What does not: reading the figures (`readers`), the form of the lock file (`source_lock`) and fetching files from the
network (`fetch`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd

from pipeline import corrections, folders, reference_tables, run_lock, source_lock
from pipeline.errors import Refusal
from pipeline.fetch import catalogue
from pipeline.readers import layouts, opening
from pipeline.readers.layout import Edition, Knowledge, SourceFile
from pipeline.readers.opening import Opening
from pipeline.reference_tables import ReferenceTable
from pipeline.source_lock import LockEntry
from pipeline.tables import about_tables
from pipeline.tables.frames import conform

LICENCE = "Open Government Licence v3.0"
REFERENCE = "reference"
DATA_FOLDER, PROJECT = "data_folder", "project"
_NAMES_OF_TABLES = (".csv", ".tsv", ".xls", ".xlsx", ".ods", ".parquet")
# These say something about a folder and publish nothing.
OWN_FILES = {"manifest.json", "planted_truth.csv", "planted_coefficients.csv", "SHA256SUMS"}


@dataclass(frozen=True)
class RegisteredFile:
    """One published file that takes part in a run. `file` is relative to the data folder, with forward slashes."""

    file: str
    layout: str
    publication: str
    title: str
    publisher: str
    release: int | None
    part: str
    licence: str
    sha256: str
    bytes: int
    corrections: str = ""
    origin: str = DATA_FOLDER
    url: str | None = None
    retrieved: str | None = None

    @property
    def edition(self) -> tuple[str, int | None, str]:
        """What may be there only once: a layout's release, and the part of it."""
        return (self.layout, self.release, self.part)


@dataclass(frozen=True)
class Candidate:
    """A file that a layout knows, by the bytes that it was recognised by."""

    file: str
    layout: str
    looked_at_sha256: str


@dataclass
class Register:
    """What a data folder holds."""

    files: list[RegisteredFile]
    references: dict[str, ReferenceTable]
    not_used: list[tuple[str, str]] = field(default_factory=list)
    superseded: list[RegisteredFile] = field(default_factory=list)

    @property
    def knowledge(self) -> Knowledge:
        """What the readers may know."""
        return reference_tables.knowledge(self.references)

    def not_used_frame(self) -> pd.DataFrame:
        """`about.files_not_used`."""
        return conform(pd.DataFrame(self.not_used, columns=["file", "reason"]), about_tables.FILES_NOT_USED)

    def superseded_frame(self) -> pd.DataFrame:
        """The older editions of files that take part, in the columns of `about.sources`: what revisions are told from."""
        rows = pd.DataFrame([asdict(file) for file in self.superseded], columns=about_tables.SOURCES.column_names)
        return conform(rows, about_tables.SOURCES)

    def frame(self) -> pd.DataFrame:
        """`about.sources`: one row a file that takes part, reference tables included."""
        rows = [asdict(file) for file in self.files]
        for table in self.references.values():
            if not table.is_there:
                continue
            rows.append(
                asdict(
                    RegisteredFile(
                        file=table.file,
                        layout=table.name,
                        publication=REFERENCE,
                        title="Reference table compiled for this project"
                        if not table.is_from_data_folder
                        else "Reference table of the data folder",
                        publisher="care-numbers, from the sources its rows name",
                        release=None,
                        part="",
                        licence=LICENCE,
                        sha256=table.sha256,
                        bytes=table.bytes,
                        origin=DATA_FOLDER if table.is_from_data_folder else PROJECT,
                    )
                )
            )
        return conform(pd.DataFrame(rows), about_tables.SOURCES)


# ---------------------------------------------------------------------------------------------------------------------
# Recognise


def scan(folder: Path, project_references: Path, lock: Path | None = None) -> Register:
    """Recognise every file below `folder` and settle on one edition of each release.

    A file that no layout knows is listed in `not_used`. Raises Refusal for a folder without any published file, for a
    file whose content is not what its name says, for a known file that breaks its contract, for a file that is no longer
    the one that `lock` pins under its name, and for two different files of one release that `lock` does not put in order.
    """
    candidates, not_used, found_references = _look(folder)
    locked = source_lock.read(lock) if lock else {}
    _refuse_unknown_in_place_of_known(folder, not_used, locked)
    if not candidates:
        raise Refusal(
            "no_published_files",
            f"no published file is recognised in this folder{_not_even_read(not_used)}",
            file=folder.name,
            remedy="give the folder that holds the files as downloaded, in any arrangement",
        )
    references = reference_tables.load(project_references, found_references)
    known = reference_tables.knowledge(references)
    _refuse_corrections_of_nothing(known)
    registered = [_register(folder, candidate, known, locked) for candidate in candidates]
    _refuse_drift(registered, locked)
    _refuse_outdated_year_corrections(registered, known)
    files, superseded, left_out = _settle(registered, locked)
    return Register(files, references, sorted(not_used + left_out), superseded)


def _not_even_read(not_used: list[tuple[str, str]]) -> str:
    """What stands there and is not looked into, if anything does."""
    unread = [(name, reason) for name, reason in not_used if reason in folders.REASONS]
    return f"; {len(unread)} in it are not read, such as {unread[0][0]}, {unread[0][1]}" if unread else ""


def _look(folder: Path) -> tuple[list[Candidate], list[tuple[str, str]], dict[str, ReferenceTable]]:
    candidates: list[Candidate] = []
    not_used: list[tuple[str, str]] = []
    references: dict[str, ReferenceTable] = {}
    for entry in folders.entries(folder):
        name, path = entry.name, entry.path
        if path.name in OWN_FILES:
            continue
        if entry.reason:
            _refuse_swollen(entry)
            not_used.append((name, entry.reason))
            continue
        looked_at = _beginning(path, name)
        beginning = _opening(looked_at, name)
        reference = reference_tables.recognise(beginning.header())
        layout = layouts.recognise(beginning, name)
        if reference:
            table = reference_tables.parse(reference, folders.read(path, name), name, is_from_data_folder=True)
            _refuse_second_reference(references.get(reference), table)
            references[reference] = table
        elif layout:
            candidates.append(Candidate(name, layout.name, hashlib.sha256(looked_at).hexdigest()))
        else:
            _refuse_rearranged(beginning, name)
            not_used.append((name, "not a layout that is read"))
    return candidates, not_used, references


def _refuse_rearranged(beginning: Opening, name: str) -> None:
    """A file that would be known but for its delimiter or the place of its header must not be left out as an unknown one.

    A program that saves a table may do either.
    """
    for delimiter, other in opening.with_other_delimiters(beginning):
        if what := _would_be(other):
            raise Refusal(
                "other_delimiter",
                f"{delimiter} stand between its cells, and it would be {what} with commas",
                file=name,
                remedy="use the file as published",
            )
    for place, other in opening.with_moved_rows(beginning):
        if what := _would_be(other):
            raise Refusal(
                "moved_header",
                f"it would be {what} if its header did not stand {place}",
                file=name,
                remedy="use the file as published, with the lines above its header",
            )


def _would_be(other: Opening) -> str:
    """What a file with this opening is; empty where nobody knows it."""
    reference, known = reference_tables.recognise(other.header()), layouts.claims(other)
    if reference:
        return f"the reference table {reference}"
    return f"a file of “{known[0].title}”" if known else ""


def hashes(folder: Path) -> dict[str, str]:
    """Name -> sha256 of every file below a folder that is not hidden, whatever it is; empty for no folder.

    What is there and is not read has why and its size in place of the hash.
    """
    return {
        entry.name: f"{entry.reason}, {entry.bytes} bytes"
        if entry.reason
        else hashlib.sha256(folders.read(entry.path, entry.name)).hexdigest()
        for entry in folders.entries(folder)
    }


def _beginning(path: Path, name: str) -> bytes:
    """What a file is recognised by: its first bytes, or all of it."""
    head = folders.read(path, name, opening.HEAD_BYTES)
    return folders.read(path, name) if opening.needs_whole_file(head) else head


def _refuse_swollen(entry: folders.Entry) -> None:
    """A known file that is too large to be read must not be left out as if nobody knew it."""
    if entry.reason != folders.TOO_LARGE:
        return
    head = folders.read(entry.path, entry.name, opening.HEAD_BYTES)
    if opening.needs_whole_file(head):
        return
    text = head.partition(b"\0")[0]  # a file that was only begun is filled up with zeros
    beginning = _opening(text, "")  # an unknown one may be called a table here
    if reference_tables.recognise(beginning.header()) or layouts.recognise(beginning):
        raise folders.too_large(entry.name)


def _opening(content: bytes, name: str) -> Opening:
    """The beginning of a file. One that is no table is unknown, unless its name claims that it is."""
    try:
        return opening.of(content, name)
    except Refusal:
        if name.lower().endswith(_NAMES_OF_TABLES):
            raise
        return Opening()


def _refuse_second_reference(first: ReferenceTable | None, second: ReferenceTable) -> None:
    if first and first.sha256 != second.sha256:
        raise Refusal(
            "two_editions",
            f"this and {first.file} are two different tables {first.name}",
            file=second.file,
            remedy="keep the one that is meant",
        )


def _register(folder: Path, candidate: Candidate, known: Knowledge, locked: dict[str, LockEntry]) -> RegisteredFile:
    layout, name = layouts.BY_NAME[candidate.layout], candidate.file
    source = open_source(folder, name)
    whole = opening.needs_whole_file(source.content)
    looked_at = hashlib.sha256(source.content if whole else source.content[: opening.HEAD_BYTES]).hexdigest()
    if looked_at != candidate.looked_at_sha256:
        raise _hash_differs(name, "the file", candidate.looked_at_sha256, looked_at)
    edition = layout.edition(source, known)
    lock_entry = locked.get(source.sha256)
    return RegisteredFile(
        file=name,
        layout=layout.name,
        publication=layout.publication,
        title=layout.title,
        publisher=layout.publisher,
        release=edition.release,
        part=edition.part,
        licence=LICENCE,
        sha256=source.sha256,
        bytes=len(source.content),
        corrections=",".join(edition.corrections),
        url=lock_entry.final_url if lock_entry else None,
        retrieved=lock_entry.retrieved_at if lock_entry else None,
    )


def open_source(folder: Path, name: str, expected_sha256: str | None = None) -> SourceFile:
    """The bytes of a file with their hash; Refusal when they are not the ones that were registered."""
    content = folders.read(folder / name, name)
    sha256 = hashlib.sha256(content).hexdigest()
    if expected_sha256 and sha256 != expected_sha256:
        raise _hash_differs(name, "the file", expected_sha256, sha256)
    return SourceFile(name=name, content=content, sha256=sha256)


def _hash_differs(file: str, what: str, then: str, now: str) -> Refusal:
    return Refusal(
        "hash_differs",
        f"{what} has changed since it was registered (sha256 {then[:12]}… then, {now[:12]}… now)",
        file=file,
        remedy="restore the file, or move the new one elsewhere and register it from there with care-numbers import",
    )


def _refuse_drift(registered: list[RegisteredFile], locked: dict[str, LockEntry]) -> None:
    """A file that is pinned must still have the bytes that were."""
    pinned = {entry.file: entry for entry in locked.values()}
    for file in registered:
        pin = pinned.get(file.file)
        if pin and pin.sha256 != file.sha256:
            raise _hash_differs(file.file, f"the file of release {pin.release}", pin.sha256, file.sha256)


def _refuse_unknown_in_place_of_known(
    folder: Path, not_used: list[tuple[str, str]], locked: dict[str, LockEntry]
) -> None:
    """A pinned file that no layout knows any more was changed: without it the run would go on with less."""
    pinned = {entry.file: entry for entry in locked.values()}
    for name, reason in not_used:
        pin = pinned.get(name)
        if pin is None:
            continue
        if reason in folders.REASONS:
            raise folders.no_longer_a_file(name, reason)
        sha256 = hashlib.sha256(folders.read(folder / name, name)).hexdigest()
        if sha256 != pin.sha256:
            raise _hash_differs(name, f"the file of release {pin.release}", pin.sha256, sha256)


def references_of(register: pd.DataFrame, folder: Path, project_references: Path) -> dict[str, ReferenceTable]:
    """The reference tables of a register (`about.sources`), read again and proved unchanged; those not in it are empty."""
    tables = {name: reference_tables.absent(name) for name in reference_tables.HEADERS}
    for row in register.loc[register["publication"] == REFERENCE].itertuples():
        is_own = row.origin == PROJECT
        name = row.file.removeprefix(f"{REFERENCE}/") if is_own else row.file
        source = open_source(project_references if is_own else folder, name, row.sha256)
        tables[row.layout] = reference_tables.parse(
            row.layout, source.content, row.file, is_from_data_folder=not is_own
        )
    return tables


def read_tidy(folder: Path, register: pd.DataFrame, publication: str, known: Knowledge) -> pd.DataFrame:
    """All cells of one publication's registered files in its tidy form, with `layout` and `part` beside each.

    `register` holds rows of `about.sources`. Empty, with the same columns, where it has no file of the publication. Raises
    Refusal for a file in which no row is of an area that is known: it would vanish, and no check would miss it.
    """
    frames = []
    for row in register.loc[register["publication"] == publication].itertuples():
        source = open_source(folder, row.file, row.sha256)
        names = tuple(name for name in row.corrections.split(",") if name)
        frame = layouts.BY_NAME[row.layout].read(source, Edition(int(row.release), row.part, names), known)
        if frame.empty:
            raise Refusal(
                "no_rows",
                "no row of the file is of an area of this country",
                file=row.file,
                remedy="use the file as published: its column of area codes may have been emptied",
            )
        frames.append(frame.assign(layout=row.layout, part=row.part))
    if not frames:
        return layouts.empty(publication).assign(layout="", part="")
    return pd.concat(frames, ignore_index=True)


# ---------------------------------------------------------------------------------------------------------------------
# Editions


def _settle(
    registered: list[RegisteredFile], locked: dict[str, LockEntry]
) -> tuple[list[RegisteredFile], list[RegisteredFile], list[tuple[str, str]]]:
    """One file an edition: copies count once, and among different files the one that the lock saw last.

    Those that count, those that they supersede, and name and reason of all that are left out.
    """
    superseded: list[RegisteredFile] = []
    kept: dict[tuple[str, int | None, str], RegisteredFile] = {}
    left_out: list[tuple[str, str]] = []
    for file in registered:
        other = kept.get(file.edition)
        if other is None:
            kept[file.edition] = file
        elif other.sha256 == file.sha256:
            left_out.append((file.file, f"a copy of {other.file}"))
        elif _order(other, locked) != _order(file, locked) and other.sha256 in locked and file.sha256 in locked:
            newer, older = sorted((other, file), key=lambda entry: _order(entry, locked), reverse=True)
            kept[file.edition] = newer
            superseded.append(older)
            left_out.append((older.file, f"an older edition than {newer.file}"))
        else:
            raise Refusal(
                "two_editions",
                f"this and {other.file} are two different files of one release ({file.layout}, {file.release})",
                file=file.file,
                remedy="keep the one that is meant, or register them one after the other with care-numbers import",
            )
    return sorted(kept.values(), key=lambda entry: entry.file), superseded, left_out


def _order(file: RegisteredFile, locked: dict[str, LockEntry]) -> int:
    return locked[file.sha256].edition_seen if file.sha256 in locked else 0


def _refuse_outdated_year_corrections(files: list[RegisteredFile], known: Knowledge) -> None:
    """A correction for a file that is here must have applied to it, else the publisher has mended the file.

    A mended header shows the file under its own year; mended figures under the wrong header show it as a second file of
    the year that the header names.
    """
    for entry in known.corrections:
        if entry.action != corrections.SET_REPORTING_YEAR:
            continue
        of_layout = [file for file in files if file.layout == entry.layout]
        corrected = [file for file in of_layout if entry.entry in file.corrections.split(",")]
        for file in of_layout:
            if file.release == entry.reporting_year and file not in corrected:
                raise corrections.no_longer_fits(entry, file.file)
        of_year_in_header = {file.sha256: file.file for file in of_layout if str(file.release) in entry.column}
        if not corrected and len(of_year_in_header) > 1:
            raise corrections.no_longer_fits(entry, " or ".join(of_year_in_header.values()))


def _refuse_corrections_of_nothing(known: Knowledge) -> None:
    """A correction for a layout that nobody reads would never be applied, and never be missed."""
    for entry in known.corrections:
        if entry.layout not in layouts.BY_NAME:
            raise Refusal(
                "bad_correction",
                f"the correction {entry.entry} is for a layout that is not read",
                file="publisher_corrections.csv",
                column="layout",
                value=entry.layout,
                remedy=f"use one of {', '.join(layouts.BY_NAME)}",
            )


# ---------------------------------------------------------------------------------------------------------------------
# Import


@dataclass(frozen=True)
class Imported:
    """What an import did: files new to the register, files that were there already, files nobody knows."""

    new: list[LockEntry]
    present: list[LockEntry]
    not_used: list[tuple[str, str]]


def import_folder(
    folder: Path, published: Path, project_references: Path, lock: Path, now: dt.datetime | None = None
) -> Imported:
    """Copy the recognised files of `folder` into `published` and pin them in the lock file.

    A file keeps its name and bytes and lies in `<publication>/<release>/`. A changed file of a release that is there
    already goes in beside it under a name with the head of its hash; nothing is overwritten, and a second reference table
    of one name is refused. A file that differs from the one there in its line ends or byte order mark alone is there.
    Every file is read in full first, so that a file which breaks its contract is not registered.
    """
    register = scan(folder, project_references)
    moment = (now or dt.datetime.now(dt.UTC)).isoformat(timespec="microseconds")
    known, frame = register.knowledge, register.frame()
    for publication in {file.publication for file in register.files}:
        read_tidy(folder, frame, publication, known)
    references = _references_to_copy(register, published, project_references)
    published.mkdir(parents=True, exist_ok=True)
    new: list[LockEntry] = []
    present: list[LockEntry] = []
    with run_lock.held(lock.parent):
        locked = source_lock.read(lock)
        for file in register.files:
            there = _there(published, locked, folder, file)
            if there:
                present.append(there)
                continue
            target = target_of(published, file.publication, file.release, Path(file.file).name, file.sha256)
            _copy(folder / file.file, target, file.sha256)
            entry = _entry(file, target, published, locked, moment)
            locked[file.sha256] = entry
            new.append(entry)
        for table in references:
            _copy(folder / table.file, _reference_target(published, table), table.sha256)
        source_lock.write(lock, list(locked.values()))
    return Imported(new=new, present=present, not_used=register.not_used)


def _there(published: Path, locked: dict[str, LockEntry], folder: Path, file: RegisteredFile) -> LockEntry | None:
    """The entry that makes a second copy of the file superfluous."""
    facts = source_lock.text_facts(open_source(folder, file.file, file.sha256).content, file.file)
    entry = locked.get(file.sha256) or source_lock.with_same_text(locked, file.edition, facts.text_sha256)
    if entry is None or not (published / entry.file).exists():
        return None
    open_source(published, entry.file, entry.sha256)
    return entry


def _entry(file: RegisteredFile, target: Path, published: Path, locked: dict[str, LockEntry], moment: str) -> LockEntry:
    lost = locked.get(file.sha256)  # its file has gone; the edition is the same one
    facts = source_lock.text_facts(target.read_bytes(), target.name)
    return LockEntry(
        source=catalogue.source_of(file.layout),
        edition=str(file.release),
        edition_seen=lost.edition_seen if lost else source_lock.next_edition(locked, file.edition),
        file=target.relative_to(published).as_posix(),
        layout=file.layout,
        publication=file.publication,
        release=file.release,
        part=file.part,
        resolved_via=source_lock.IMPORTED,
        filename=Path(file.file).name,
        sha256=file.sha256,
        bytes=file.bytes,
        retrieved_at=moment,
        **asdict(facts),
    )


def target_of(published: Path, publication: str, release: int | None, name: str, sha256: str) -> Path:
    """Where a file goes: under its own name, or with the head of its hash where another one has that."""
    target = published / publication / str(release) / name
    if target.exists():
        target = with_hash(target, sha256)
    return target


def with_hash(path: Path, sha256: str) -> Path:
    """The path with the head of the file's hash in its name."""
    return path.with_name(f"{path.stem}.{sha256[:12]}{path.suffix}")


def _copy(origin: Path, target: Path, sha256: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    content = folders.read(origin, origin.name)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Refusal(
            "hash_differs", "the file changed while it was being copied", file=origin.name, remedy="import it again"
        )
    temporary.write_bytes(content)
    os.replace(temporary, target)


def _references_to_copy(register: Register, published: Path, project_references: Path) -> list[ReferenceTable]:
    """The folder's own reference tables that are not there yet; Refusal where another one of that name is."""
    wanted = []
    for table in register.references.values():
        if not table.is_from_data_folder or _has_hash(project_references / f"{table.name}.csv", table.sha256):
            continue
        there = _reference_target(published, table)
        if _has_hash(there, table.sha256):
            continue
        if there.exists():
            raise Refusal(
                "two_editions",
                f"another table {table.name} is registered already, as {REFERENCE}/{there.name}",
                file=table.file,
                remedy="remove that one, or leave this one out of the folder",
            )
        wanted.append(table)
    return wanted


def _reference_target(published: Path, table: ReferenceTable) -> Path:
    return published / REFERENCE / f"{table.name}.csv"


def _has_hash(path: Path, sha256: str) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256
