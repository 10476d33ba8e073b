"""Judging what arrived, before it may be registered: a status of 200 proves nothing.

What belongs here: content type, first bytes, archives, row counts, and that a reader takes the whole file. What does not:
getting it (`client`) and where it goes (`run`).
"""

from __future__ import annotations

import hashlib
import io
import lzma
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline import folders, settings, source_lock
from pipeline.errors import Refusal
from pipeline.fetch.catalogue import Source
from pipeline.fetch.client import Received
from pipeline.fetch.offers import Offer
from pipeline.readers import archives, layouts, opening
from pipeline.readers.layout import Edition, Knowledge, Layout, SourceFile
from pipeline.source_lock import TextFacts

_ZIP, _GZIP, _OLD_EXCEL = b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0"
_FIRST_BYTES = {".zip": _ZIP, ".xlsx": _ZIP, ".ods": _ZIP, ".xls": _OLD_EXCEL}
_NEVER = {"text/html", "application/xhtml+xml", "application/json", "application/problem+json", "application/xml"}
# RuntimeError is a password, NotImplementedError a way of packing that nobody knows.
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, NotImplementedError)
_REMEDY = "look at it and at the page, and put the right file in with care-numbers import"


@dataclass(frozen=True)
class Arrived:
    """A file that may be registered: what it is, and what is known of its text. Out of an archive, with its hash."""

    filename: str
    content: bytes
    sha256: str
    layout: Layout
    edition: Edition
    facts: TextFacts
    archive_sha256: str | None = None


def judge(
    content: bytes, received: Received, offer: Offer, source: Source, edition: str, known: Knowledge
) -> list[Arrived]:
    """The files that an offer brought: one, or the wanted members of an archive.

    Raises Refusal for anything that is not what the offer promised, and whatever the readers refuse.
    """
    _refuse_kind(content, received, offer)
    _refuse_cut_short(content, received, offer)
    if offer.filename.lower().endswith(".zip"):
        members = _members(content, offer, source)
        return [_judged(name, data, source, edition, known, received.sha256) for name, data in members]
    if content.startswith(_ZIP):
        with _archive(content, offer):
            pass
    return [_judged(offer.filename, content, source, edition, known)]


def _refusal(code: str, problem: str, file: str) -> Refusal:
    return Refusal(code, problem, file=file, remedy=_REMEDY)


# ---------------------------------------------------------------------------------------------------------------------
# From outside


def _refuse_kind(content: bytes, received: Received, offer: Offer) -> None:
    """Content type and first bytes against the kind that the file's name says."""
    name = offer.filename
    if not content.strip():
        raise _refusal("empty_file", "the file is empty", name)
    if len(content) > settings.load().files.largest_bytes:
        raise folders.too_large(name)
    if received.content_type in _NEVER:
        raise _refusal("web_page", f"the server sent {received.content_type}, not a data file", name)
    expected = _FIRST_BYTES.get(PurePosixPath(name.lower()).suffix)
    if expected and not content.startswith(expected):
        raise _refusal("wrong_kind", f"it begins with {_begins(content)}, which no file of that name does", name)
    if expected is None and content.startswith((_ZIP, _GZIP, _OLD_EXCEL)):
        raise _refusal("wrong_kind", f"it begins with {_begins(content)}, which no text does", name)
    if expected is None and content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        raise _refusal("web_page", "it begins with <, as web pages do", name)


def _refuse_cut_short(content: bytes, received: Received, offer: Offer) -> None:
    """Fewer rows or bytes than the publisher says. The size of a file that another one has replaced says nothing."""
    if offer.rows is not None:
        rows = source_lock.text_facts(content, offer.filename).rows
        if rows not in (None, offer.rows):
            problem = f"the file has {rows} rows and its publisher says {offer.rows}: it may have been cut short"
            raise _refusal("row_count", problem, offer.filename)
    if len(content) < offer.least_bytes and received.final_url == received.requested_url:
        problem = f"the file has {len(content)} bytes and its publisher says {offer.least_bytes} at least"
        raise _refusal("cut_short", problem, offer.filename)


def _begins(content: bytes) -> str:
    return repr(content[:8])


# ---------------------------------------------------------------------------------------------------------------------
# Archives


def _archive(content: bytes, offer: Offer) -> zipfile.ZipFile:
    """A zip file, or a workbook that is one, all of whose members are whole and of a bearable size."""
    try:
        archives.refuse_swollen(content, offer.filename)
        archive = zipfile.ZipFile(io.BytesIO(content))
        for name in archive.namelist():
            if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/"):
                raise _refusal(
                    "bad_archive", f"a member is called {name!r}, which leads out of the archive", offer.filename
                )
        broken = archive.testzip()
    except (*_DAMAGE, archives.BadArchive) as error:
        raise _refusal("bad_archive", f"the file is damaged or cut short ({error})", offer.filename) from error
    if broken:
        raise _refusal("bad_archive", f"its member {broken} is damaged", offer.filename)
    return archive


def _members(content: bytes, offer: Offer, source: Source) -> list[tuple[str, bytes]]:
    """The wanted members by their own names; nothing is unpacked to where a member says."""
    with _archive(content, offer) as archive:
        wanted = {}
        for name in archive.namelist():
            own = PurePosixPath(name).name
            if not source.wants_member(own):
                continue
            if own in wanted:
                raise _refusal("bad_archive", f"two members are called {own}", offer.filename)
            if archive.getinfo(name).file_size > settings.load().files.largest_bytes:
                raise folders.too_large(own)
            wanted[own] = archive.read(name)
        if not wanted:
            names = ", ".join(archive.namelist()[:12])
            raise _refusal("nothing_wanted", f"none of its members is a wanted one; it has {names}", offer.filename)
    return sorted(wanted.items())


# ---------------------------------------------------------------------------------------------------------------------
# What it is


def _judged(
    name: str, content: bytes, source: Source, edition: str, known: Knowledge, archive_sha256: str | None = None
) -> Arrived:
    """Recognise a file, and read all of it, so that one which breaks its contract is never registered."""
    layout = layouts.recognise(opening.of(content, name), name)
    if layout is None or layout.name not in source.layouts:
        found = "is not a layout that is read" if layout is None else f"is recognised as {layout.name}"
        header = opening.of(content, name).rows[:1]
        columns = f"; its header is {', '.join(header[0])[:300]}" if header else ""
        raise _refusal("wrong_layout", f"the file {found}; expected was {' or '.join(source.layouts)}{columns}", name)
    digest = hashlib.sha256(content).hexdigest()
    file = SourceFile(name=name, content=content, sha256=digest)
    found_edition = layout.edition(file, known)
    if source.release_is_edition and edition.isdigit() and found_edition.release != int(edition):
        raise _refusal(
            "wrong_release", f"it holds the release {found_edition.release}, and {edition} was asked for", name
        )
    layout.read(file, found_edition, known)
    return Arrived(name, content, digest, layout, found_edition, source_lock.text_facts(content, name), archive_sha256)
