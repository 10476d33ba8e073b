"""gov.uk: from a page to the addresses of the files attached to it.

What belongs here: the content API of gov.uk, pages and collections, and the address of an asset that is known with its
bytes. What does not: downloading what was found (`run`) and what a file must hold (`arrival`).

An address under /media/ is not kept: a replaced file redirects to its replacement, so the page is asked each time.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from pipeline.errors import Refusal
from pipeline.fetch.addresses import GOVUK
from pipeline.fetch.catalogue import Page, Source
from pipeline.fetch.client import Client, NotGot
from pipeline.fetch.offers import (
    GOVUK_CONTENT_API,
    PINNED_URL,
    EditionOffer,
    Offer,
    Resolution,
    Trouble,
    not_resolved,
)

_GONE = {404, 410}
_YEARS_BACK = 3
_MEDIA = re.compile(r"/media/([0-9a-f]{8})[0-9a-f]{16}/")


@dataclass(frozen=True)
class _Attachment:
    filename: str
    url: str
    size: int | None

    @property
    def uploaded(self) -> int | None:
        """Seconds since 1970, from the first digits of the media id; None for an address of the old form."""
        match = _MEDIA.search(self.url)
        return int(match[1], 16) if match else None


def resolve(source: Source, client: Client, today: dt.date, stored: Collection[str]) -> Resolution:
    """The wanted files of every page of the source. Raises NotGot when nothing at all could be asked.

    `stored` are the editions of a closed source that are here already: their pages are not asked.
    """
    found = Resolution(as_before=[page.edition for page in source.pages if page.edition in stored])
    pages = [page for page in source.pages if page.edition not in stored]
    if source.page_of_year:
        pages += _newest_page(source, client, today)
    elif source.collection:
        pages += _pages_in_collection(source, client)
        if not pages:
            found.troubles.append(Trouble("", _no_page(source, client), is_newest=True))
    newest = max((page.edition for page in [*pages, *source.pages]), default="")
    for page in pages:
        try:
            found.editions.append(_edition(source, client, page, found.notes))
        except Refusal as refusal:
            pinned = _pinned(source, page)
            if isinstance(refusal, NotGot) and refusal.is_out_of_reach and not source.pinned:
                raise
            if pinned:
                found.notes.append(f"{source.name} {page.edition}: the page could not be used ({refusal.problem}).")
                found.editions.append(pinned)
            else:
                found.troubles.append(Trouble(page.edition, refusal, is_newest=page.edition == newest))
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Pages


def _newest_page(source: Source, client: Client, today: dt.date) -> list[Page]:
    """The page of this year or of one of the years before, else the newest that the collection has."""
    refusal: NotGot | None = None
    for year in range(today.year, today.year - _YEARS_BACK, -1):
        page = Page(str(year), source.page_of_year.format(year=year))
        try:
            client.document(_content_url(page.path))
            return [page]
        except NotGot as answer:
            if answer.status not in _GONE:
                raise
            refusal = answer
    in_collection = _pages_in_collection(source, client)
    if not in_collection and refusal:
        raise refusal
    return in_collection[:1]


def _pages_in_collection(source: Source, client: Client) -> list[Page]:
    """The collection's pages that fit, the newest first; the pattern's group that matches is the edition."""
    if not source.collection:
        return []
    pages = []
    for path in _collected(source, client):
        match = re.fullmatch(source.pages_in_collection, path)
        if match:
            pages.append(Page(next(group for group in match.groups() if group), path))
    return sorted(pages, key=lambda page: page.edition, reverse=True)


def _collected(source: Source, client: Client) -> list[str]:
    """The paths of a collection's pages."""
    document = client.document(_content_url(source.collection))
    links = document.get("links", {}) if isinstance(document, dict) else {}
    return [str(link.get("base_path", "")) for link in links.get("documents", [])]


def _no_page(source: Source, client: Client) -> Refusal:
    paths = [path.rsplit("/", 1)[-1] for path in _collected(source, client)]
    return not_resolved(source.title, f"{GOVUK}{source.collection}", paths, "no page of the collection fits")


def _content_url(path: str) -> str:
    return f"{GOVUK}/api/content{path}"


def _edition(source: Source, client: Client, page: Page, notes: list[str]) -> EditionOffer:
    document = client.document(_content_url(page.path))
    address = f"{GOVUK}{page.path}"
    if not isinstance(document, dict):
        raise NotGot("interface_changed", "interface changed: the page is no object", url=address)
    kind = document.get("document_type")
    if kind in ("redirect", "gone"):
        raise NotGot("page_gone", f"the page is now of the type {kind}", url=address)
    if document.get("withdrawn_notice"):
        notes.append(f"{source.name} {page.edition}: the publisher has withdrawn the page {address}.")
    attachments = list(_attachments(document, client, address))
    wanted = [one for one in attachments if source.wants(one.filename)]
    if len(wanted) > page.files and source.newest_upload and all(one.uploaded for one in wanted):
        newest = max(wanted, key=lambda one: one.uploaded or 0)
        notes.append(f"{source.name} {page.edition}: of {len(wanted)} files the newest upload, {newest.filename}.")
        wanted = [newest]
    if len(wanted) != page.files:
        names = [one.filename for one in attachments]
        expected = f"{page.files} should fit and {len(wanted)} do"
        raise not_resolved(f"{source.title}, {page.edition}", address, names, expected)
    updated = document.get("public_updated_at")
    offers = tuple(
        Offer(
            filename=one.filename,
            urls=(one.url,),
            resolved_via=GOVUK_CONTENT_API,
            page_url=address,
            data_set_file_id=_identifier(one.url),
            least_bytes=one.size or 0,
            published=document.get("first_published_at"),
            last_updated=updated,
        )
        for one in wanted
    )
    fingerprint = " ".join([str(updated), *(f"{one.url} {one.size}" for one in wanted)])
    return EditionOffer(page.edition, fingerprint, offers)


def _attachments(document: dict[str, Any], client: Client, page: str) -> Iterator[_Attachment]:
    """Files attached to a page; where it does not list them, those that its text links to."""
    details = document.get("details") or {}
    listed = details.get("attachments")
    if listed is None:
        for text in details.get("documents") or []:
            for link in re.findall(r'href="([^"]+)"', str(text)):
                url = client.addresses.found_at(html.unescape(link), page)
                yield _Attachment(_filename(url), url, None)
        return
    for one in listed:
        if one.get("attachment_type") == "file" and one.get("url"):
            url = client.addresses.found_at(one["url"], page)
            yield _Attachment(one.get("filename") or _filename(url), url, one.get("file_size"))


def _filename(url: str) -> str:
    return unquote(urlsplit(url).path.rsplit("/", 1)[-1])


def _identifier(url: str) -> str | None:
    """The media id of an asset, or the number of one with an address of the old form."""
    match = re.search(r"/media/([0-9a-f]{24})/|/attachment_data/file/(\d+)/", url)
    return (match[1] or match[2]) if match else None


def _pinned(source: Source, page: Page) -> EditionOffer | None:
    """The way round a page: an address whose bytes are known."""
    for pinned in source.pinned:
        if pinned.edition == page.edition:
            offer = Offer(
                filename=_filename(pinned.url),
                urls=(pinned.url,),
                resolved_via=PINNED_URL,
                page_url=f"{GOVUK}{page.path}",
                data_set_file_id=_identifier(pinned.url),
                pinned_sha256=pinned.sha256,
            )
            return EditionOffer(page.edition, f"pinned {pinned.sha256}", (offer,))
    return None
