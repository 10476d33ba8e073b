"""What a publisher offers: the form in which every resolver answers.

What belongs here: those few types. What does not: how an offer is found (`ees`, `govuk`) and taken (`run`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.errors import Refusal

# How an offer was found.
CONTENT_API, CONTENT_API_FALLBACK = "content-api", "content-api-fallback"
GOVUK_CONTENT_API, PINNED_URL = "govuk-content-api", "pinned-url"
ABSENT = "not_resolved"  # code of the refusal for a file that a release does not offer


@dataclass(frozen=True)
class Offer:
    """One file, and what its publisher says of it.

    `urls` are its addresses in the order in which they are tried; `rows` the data rows it should have, and `least_bytes`
    what it should have at least, because the size that is told may be rounded down.
    `pinned_sha256` is the only content that is accepted from an address which no page has confirmed.
    """

    filename: str
    urls: tuple[str, ...]
    resolved_via: str
    page_url: str
    data_set_file_id: str | None = None
    rows: int | None = None
    least_bytes: int = 0
    published: str | None = None
    last_updated: str | None = None
    pinned_sha256: str | None = None


@dataclass(frozen=True)
class EditionOffer:
    """The files of one edition. Equal fingerprints mean that nothing has changed; None means that nothing can tell."""

    edition: str
    fingerprint: str | None
    offers: tuple[Offer, ...]


@dataclass(frozen=True)
class Trouble:
    """An edition that could not be resolved; `is_newest` where it is the one that matters most."""

    edition: str
    refusal: Refusal
    is_newest: bool


@dataclass
class Resolution:
    """What became of resolving one source. `as_before` are editions whose fingerprint is the known one."""

    editions: list[EditionOffer] = field(default_factory=list)
    as_before: list[str] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


Known = Mapping[str, str]  # edition -> the fingerprint it had when all its files were stored


def not_resolved(what: str, page: str, offered: list[str], expected: str) -> Refusal:
    """The refusal for a page or a release on which the wanted file is not the one that fits."""
    names = ", ".join(sorted(offered)[:12]) or "nothing"
    more = f" and {len(offered) - 12} more" if len(offered) > 12 else ""
    return Refusal(
        ABSENT,
        f"not resolved: {what}; {expected}; offered are {names}{more}",
        file=page,
        remedy="nothing is changed; if the file is there under another name, put it in with care-numbers import",
    )
