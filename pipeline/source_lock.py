"""The lock file of the published files: one entry a stored edition, with its hash and where it came from.

What belongs here: the form of an entry, reading and writing the file, and the rule which of several editions counts. What
does not: what a published file is (`sources`) and how it is fetched (`fetch`).

The sha256 is the pin. Nothing is ever taken out: other bytes of the same release are a new entry with `edition_seen` one
higher, and the readers use the highest.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pipeline import durable
from pipeline.errors import Refusal
from pipeline.readers import opening, text_table

VERSION = 2
IMPORTED = "import"  # put there by hand
LICENCE = "OGL-UK-3.0"


@dataclass(frozen=True)
class LockEntry:
    """One stored edition. Addresses are the public ones; times are ISO 8601; None where nobody said it.

    `source` is the name in the fetch catalogue, or the layout of a file that no source has; `edition` the release as its
    publisher calls it. `text_sha256` is that of the text without a byte order mark and with single line ends, `rows` the
    data rows, `header_sha256` that of the header's names joined by U+001F: all three of delimited texts only.
    `archive_sha256` is that of the archive which the file was read from.
    """

    source: str
    edition: str
    edition_seen: int
    file: str
    layout: str
    publication: str
    release: int | None
    part: str
    resolved_via: str
    filename: str
    sha256: str
    bytes: int
    licence: str = LICENCE
    page_url: str | None = None
    requested_url: str | None = None
    final_url: str | None = None
    data_set_file_id: str | None = None
    archive_sha256: str | None = None
    text_sha256: str | None = None
    rows: int | None = None
    header_sha256: str | None = None
    published: str | None = None
    last_updated: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    retrieved_at: str | None = None

    @property
    def identity(self) -> tuple[str, int | None, str]:
        """What the readers use once only: a layout's release, and the part of it."""
        return (self.layout, self.release, self.part)


@dataclass(frozen=True)
class TextFacts:
    """What is known of a delimited text beside its bytes; all None for a workbook or a Parquet file."""

    text_sha256: str | None = None
    rows: int | None = None
    header_sha256: str | None = None


def text_facts(content: bytes, file: str) -> TextFacts:
    """Of a file's bytes. Raises Refusal for a text that is none."""
    if opening.needs_whole_file(content[: opening.HEAD_BYTES]):
        return TextFacts()
    text = text_table.decode(content, file).replace("\r\n", "\n").replace("\r", "\n")
    lines = [cells for _, cells in text_table.lines(text, file, is_strict=False) if any(cell.strip() for cell in cells)]
    header = "\x1f".join(name.strip() for name in lines[0])
    return TextFacts(_sha256(text), len(lines) - 1, _sha256(header))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read(path: Path) -> dict[str, LockEntry]:
    """The entries by sha256; empty where there is no lock file yet. Raises Refusal when it cannot be read."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        entries = content["files"] if content.get("version") == VERSION else _of_version_1(content["files"])
        return {entry["sha256"]: LockEntry(**entry) for entry in entries}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refusal(
            "bad_lock_file",
            f"the lock file cannot be read ({error})",
            file=path.name,
            remedy="restore it from version control or a backup, or delete it and import the files again",
        ) from error


def _of_version_1(files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries of the first form, which knew imported files only: their order of arrival numbers the editions."""
    entries: list[dict[str, Any]] = []
    seen: dict[tuple[Any, ...], int] = {}
    for old in sorted(files, key=lambda old: old["retrieved"] or ""):
        identity = (old["layout"], old["release"], old["part"])
        seen[identity] = seen.get(identity, 0) + 1
        kept = {field.name: old[field.name] for field in fields(LockEntry) if field.name in old}
        entries.append(
            kept
            | {
                "source": old["layout"],
                "edition": str(old["release"]),
                "edition_seen": seen[identity],
                "resolved_via": IMPORTED,
                "filename": Path(old["file"]).name,
                "licence": LICENCE,
                "retrieved_at": old["retrieved"],
            }
        )
    return entries


def write(path: Path, entries: list[LockEntry]) -> None:
    """Replace the lock file in one step, sorted by source, edition, edition_seen."""
    ordered = sorted(entries, key=lambda entry: (entry.source, entry.edition, entry.edition_seen, entry.file))
    text = json.dumps({"version": VERSION, "files": [asdict(entry) for entry in ordered]}, indent=1) + "\n"
    durable.write_text(path, text)


def of_identity(entries: dict[str, LockEntry], identity: tuple[str, int | None, str]) -> list[LockEntry]:
    """The editions that were stored of one layout's release and part, the oldest first."""
    return sorted(
        (entry for entry in entries.values() if entry.identity == identity), key=lambda entry: entry.edition_seen
    )


def next_edition(entries: dict[str, LockEntry], identity: tuple[str, int | None, str]) -> int:
    """The `edition_seen` of other bytes of that release."""
    return max((entry.edition_seen for entry in of_identity(entries, identity)), default=0) + 1


def with_same_text(
    entries: dict[str, LockEntry], identity: tuple[str, int | None, str], text_sha256: str | None
) -> LockEntry | None:
    """The newest edition of that release, if it differs in line ends and byte order mark at most."""
    stored = of_identity(entries, identity)
    return stored[-1] if stored and text_sha256 and stored[-1].text_sha256 == text_sha256 else None
