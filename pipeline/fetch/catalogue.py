"""What is fetched and from where, read from `catalogue.toml`; and what a person has to fetch.

What belongs here: reading that one file and giving its values types. What does not: asking any publisher (`ees`, `govuk`).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.errors import Refusal

_FILE = Path(__file__).with_name("catalogue.toml")
EES, GOVUK = "ees", "govuk"


@dataclass(frozen=True)
class Page:
    """A page of gov.uk by its path, the edition whose files it offers, and how many of them are wanted."""

    edition: str
    path: str
    files: int = 1


@dataclass(frozen=True)
class Pinned:
    """A file whose address and bytes are known: the way round a page that cannot be read."""

    edition: str
    url: str
    sha256: str


@dataclass(frozen=True)
class Source:
    """One publication, or one file of its releases.

    `files` is what the wanted file is called, as a regular expression for the whole name, whatever its case; `members` says
    the same of the files in an archive, and `titled` of the title of a data set whose file name nobody foresaw. `layouts`
    are what a file may be recognised as. With `newest_upload` the newest of several files that fit is taken. A source that
    is `closed` gets no new editions: one that is here with all its `parts` is not looked at again, unless everything
    is looked at anew.
    """

    name: str
    title: str
    route: str
    files: str
    layouts: tuple[str, ...]
    licence: str
    required: bool = False
    closed: bool = False
    publication: str = ""
    publication_id: str = ""
    titled: str = ""
    supporting_files: bool = False
    release_is_edition: bool = False
    pages: tuple[Page, ...] = ()
    page_of_year: str = ""
    collection: str = ""
    pages_in_collection: str = ""
    members: str = ""
    parts: int = 1
    newest_upload: bool = False
    pinned: tuple[Pinned, ...] = ()

    def wants(self, filename: str) -> bool:
        """Whether a file of this name is the wanted one."""
        return re.fullmatch(self.files, filename, re.IGNORECASE) is not None

    def wants_member(self, name: str) -> bool:
        """Whether a member of this name is wanted out of an archive."""
        return bool(self.members) and re.fullmatch(self.members, name, re.IGNORECASE) is not None


@dataclass(frozen=True)
class ByHand:
    """A file that nobody has established an address for: `page` is where to look, and `how` what to do there.

    `release` is None where any release will do. `layouts` are what it is recognised as once it is imported.
    """

    what: str
    page: str
    file: str
    layouts: tuple[str, ...]
    how: str = ""
    release: int | None = None


@dataclass(frozen=True)
class Catalogue:
    """The sources in the order in which they are fetched, and the list for a person."""

    sources: tuple[Source, ...]
    by_hand: tuple[ByHand, ...]

    def chosen(self, names: tuple[str, ...]) -> tuple[Source, ...]:
        """The sources of these names, all for none. Raises Refusal for a name that is not there."""
        known = {source.name: source for source in self.sources}
        for name in names:
            if name not in known:
                raise Refusal(
                    "unknown_source",
                    "there is no source of this name",
                    value=name,
                    remedy=f"use one of {', '.join(known)}",
                )
        return tuple(known[name] for name in names) if names else self.sources


@cache
def load() -> Catalogue:
    """Read `catalogue.toml`. A missing or unknown name is a TypeError: the file is part of the code."""
    content = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    licence = content["licence"]
    return Catalogue(
        sources=tuple(_source({"licence": licence} | values) for values in content["source"]),
        by_hand=tuple(ByHand(**values | {"layouts": tuple(values["layouts"])}) for values in content["by_hand"]),
    )


def _source(values: dict[str, Any]) -> Source:
    return Source(
        **values
        | {
            "layouts": tuple(values["layouts"]),
            "pages": tuple(Page(**page) for page in values.get("pages", ())),
            "pinned": tuple(Pinned(**pinned) for pinned in values.get("pinned", ())),
        }
    )


def source_of(layout: str) -> str:
    """The source that a file of this layout is an edition of; the layout's own name where none has it."""
    return next((source.name for source in load().sources if layout in source.layouts), layout)
