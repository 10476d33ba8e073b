"""Explore education statistics: from a publication to the address of a file of each of its releases.

What belongs here: the site's content API, which has no promise of stability, and the ways round each of its steps. What
does not: downloading what was found (`run`) and what a file must hold (`arrival`).

A release version's id changes with every amendment and the old one is closed to the public: it is never kept as an
address, only compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from pipeline.errors import Refusal
from pipeline.fetch.addresses import EES_CONTENT, EES_SITE
from pipeline.fetch.catalogue import Source
from pipeline.fetch.client import Client, NotGot
from pipeline.fetch.offers import (
    CONTENT_API,
    CONTENT_API_FALLBACK,
    EditionOffer,
    Known,
    Offer,
    Resolution,
    Trouble,
    not_resolved,
)

_PAGE_SIZE = 40
_MOST_PAGES = 50
_GONE = {404, 410}


@dataclass(frozen=True)
class _Release:
    slug: str
    version_id: str
    published: str | None
    via: str


def resolve(source: Source, client: Client, known: Known) -> Resolution:
    """The wanted file of every release, the newest first. Raises NotGot when the publication itself cannot be read.

    A release whose version is the known one costs one request, and its files are not listed.
    """
    found = Resolution()
    slug, releases = _releases(source, client, found.notes)
    for place, release in enumerate(releases):
        try:
            fingerprint = _version(client, slug, release.slug, found.notes)
            if fingerprint and known.get(release.slug) == fingerprint:
                found.as_before.append(release.slug)
                continue
            offer = _offer(source, client, slug, release, found.notes)
        except Refusal as refusal:
            found.troubles.append(Trouble(release.slug, refusal, is_newest=place == 0))
            continue
        own = f"{offer.data_set_file_id} {offer.last_updated}" if offer.last_updated else None
        found.editions.append(EditionOffer(release.slug, fingerprint or own, (offer,)))
    return found


def resolve_again(source: Source, client: Client, edition: str) -> Offer:
    """The file of one release once more, past what was answered before: an amendment may have come between.

    Raises Refusal where it is not there any more.
    """
    slug, releases = _releases(source, client, [], anew=True)
    release = next((release for release in releases if release.slug == edition), None)
    if release is None:
        raise not_resolved(
            f"release {edition}", _page(slug, edition), [r.slug for r in releases], "it was there before"
        )
    return _offer(source, client, slug, release, [], anew=True)


def last_revision(source: Source, client: Client, edition: str) -> str:
    """What the publisher says of the newest change to a release, in one sentence."""
    url = f"{EES_CONTENT}/publications/{source.publication}/releases/{quote(edition)}/updates?page=1&pageSize=100"
    try:
        results = _list(client.document(url), url, "results")
    except Refusal:
        return "the publisher's log of revisions could not be read"
    newest = max(results, key=lambda update: str(update.get("date")), default={})
    return f"the publisher says: {newest.get('summary')}" if newest else "the publisher says nothing of a revision"


# ---------------------------------------------------------------------------------------------------------------------
# Releases


def _releases(source: Source, client: Client, notes: list[str], *, anew: bool = False) -> tuple[str, list[_Release]]:
    """The publication's slug of today and its releases, the newest first."""
    slug = source.publication
    try:
        return slug, _listed(client, slug, anew)
    except NotGot as refusal:
        if refusal.status not in _GONE:
            raise
    moved = _moved(client, slug)
    if moved:
        notes.append(f"{source.name}: the publication is now called {moved}.")
        slug = moved
        try:
            return slug, _listed(client, slug, anew)
        except NotGot as refusal:
            if refusal.status not in _GONE:
                raise
    notes.append(f"{source.name}: interface changed: publications/{slug}/releases is gone; another way was taken.")
    return slug, _entries(client, slug, anew)


def _listed(client: Client, slug: str, anew: bool) -> list[_Release]:
    url = f"{EES_CONTENT}/publications/{slug}/releases"
    releases = [
        _Release(_text(entry, "slug", url), _text(entry, "id", url), entry.get("published"), CONTENT_API)
        for entry in _list(client.document(url, anew=anew), url)
    ]
    return sorted(releases, key=lambda release: release.slug, reverse=True)


def _entries(client: Client, slug: str, anew: bool) -> list[_Release]:
    """The way round the list of releases. An entry without a slug is a page of gov.uk from before."""
    url = f"{EES_CONTENT}/publications/{slug}/release-entries?page=1&pageSize=100"
    slugs = [entry["slug"] for entry in _list(client.document(url, anew=anew), url, "results") if entry.get("slug")]
    releases = []
    for name in sorted(slugs, reverse=True):
        summary_url = _summary_url(slug, name)
        summary = client.document(summary_url, anew=anew)
        releases.append(
            _Release(name, _text(summary, "id", summary_url), summary.get("published"), CONTENT_API_FALLBACK)
        )
    return releases


def _moved(client: Client, slug: str) -> str | None:
    url = f"{EES_CONTENT}/redirects"
    try:
        redirects = _list(client.document(url), url, "publicationRedirects")
    except NotGot as refusal:
        if refusal.status not in _GONE:
            raise
        return None
    return next((entry.get("toSlug") for entry in redirects if entry.get("fromSlug") == slug), None)


def _version(client: Client, slug: str, release: str, notes: list[str]) -> str | None:
    """What changes with every amendment of a release; None where the interface does not tell."""
    url = _summary_url(slug, release)
    try:
        summary = client.document(url)
    except NotGot as refusal:
        if refusal.status not in _GONE:
            raise
        note = "interface changed: version-summary is gone; releases are compared by the files that they list."
        if note not in notes:
            notes.append(note)
        return None
    return f"{summary.get('id')} {summary.get('lastUpdated')} {summary.get('updateCount')}"


def _summary_url(slug: str, release: str) -> str:
    return f"{EES_CONTENT}/publications/{slug}/releases/{quote(release)}/version-summary"


def _page(slug: str, release: str) -> str:
    return f"{EES_SITE}/find-statistics/{slug}/{release}"


# ---------------------------------------------------------------------------------------------------------------------
# Files of a release


def _offer(
    source: Source, client: Client, slug: str, release: _Release, notes: list[str], *, anew: bool = False
) -> Offer:
    """By file name, else by title, among the data sets; then among the supporting files."""
    try:
        listed = _data_sets(source, client, release, anew)
        via = release.via
    except NotGot as refusal:
        if refusal.status not in _GONE:
            raise
        notes.append(
            f"{source.name} {release.slug}: interface changed: data-set-files is gone; files were found by title."
        )
        listed, via = None, CONTENT_API_FALLBACK
    if listed == [] and not anew:
        _, today = _releases(source, client, notes, anew=True)
        other = next((one for one in today if one.slug == release.slug and one.version_id != release.version_id), None)
        if other:  # an amendment has superseded the version, whose list is empty since
            return _offer(source, client, slug, other, notes, anew=True)
    if listed:
        chosen = [one for one in listed if source.wants(str(one.get("filename", "")))] or _titled(source, listed)
        if chosen:
            return _of_data_set(source, _only(source, slug, release, chosen, "filename"), slug, release, via)
    if listed is None or source.supporting_files:
        offer = _in_content(source, client, slug, release, use_data_sets=listed is None, anew=anew)
        if offer:
            return offer
    names = [str(one.get("filename")) for one in listed or []]
    expected = "the release lists no data set at all" if not names else "no data set has its name or title"
    raise not_resolved(f"{source.title}, release {release.slug}", _page(slug, release.slug), names, expected)


def _data_sets(source: Source, client: Client, release: _Release, anew: bool) -> list[dict[str, Any]]:
    """All pages of the list. An empty one says that it has one page."""
    found: list[dict[str, Any]] = []
    for page in range(1, _MOST_PAGES + 1):
        asked = {
            "publicationId": source.publication_id,
            "releaseId": release.version_id,
            "latestOnly": "false",
            "page": page,
            "pageSize": _PAGE_SIZE,
        }
        url = f"{EES_CONTENT}/data-set-files?{urlencode(asked)}"
        document = client.document(url, anew=anew)
        results = _list(document, url, "results")
        found += results
        if not results or page >= int(document.get("paging", {}).get("totalPages") or 1):
            break
    return found


def _titled(source: Source, listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        one for one in listed if source.titled and re.fullmatch(source.titled, str(one.get("title", "")), re.IGNORECASE)
    ]


def _only(source: Source, slug: str, release: _Release, chosen: list[dict[str, Any]], name: str) -> dict[str, Any]:
    if len(chosen) > 1:
        names = [str(one.get(name)) for one in chosen]
        raise not_resolved(
            f"{source.title}, release {release.slug}", _page(slug, release.slug), names, "more than one fits"
        )
    return chosen[0]


def _of_data_set(source: Source, found: dict[str, Any], slug: str, release: _Release, via: str) -> Offer:
    page = _page(slug, release.slug)
    identifier = _text(found, "id", page)
    urls = [
        f"{EES_SITE}/data-catalogue/data-set/{identifier}/csv",
        f"{EES_CONTENT}/data-set-files/{identifier}/download",
    ]
    if found.get("fileId"):
        urls.append(f"{EES_CONTENT}/releases/{release.version_id}/files/{found['fileId']}")
    rows = found.get("meta", {}).get("numDataFileRows")
    return Offer(
        filename=_text(found, "filename", page),
        urls=tuple(urls),
        resolved_via=via,
        page_url=page,
        data_set_file_id=identifier,
        rows=int(rows) if rows is not None else None,
        least_bytes=_least_bytes(found.get("fileSize")),
        published=found.get("published") or release.published,
        last_updated=found.get("lastUpdated"),
    )


def _in_content(
    source: Source, client: Client, slug: str, release: _Release, *, use_data_sets: bool, anew: bool
) -> Offer | None:
    """The file in the release's own content: data sets by title (it has no file names), supporting files by name."""
    url = f"{EES_CONTENT}/publications/{slug}/releases/{quote(release.slug)}/data-content"
    content = client.document(url, anew=anew)
    titled = _titled(source, _list(content, url, "dataSets")) if use_data_sets else []
    if titled:
        one = _only(source, slug, release, titled, "title")
        found = one | {"id": one.get("dataSetFileId"), "filename": f"{source.name}_{release.slug}.csv"}
        return _of_data_set(source, found, slug, release, CONTENT_API_FALLBACK)
    supporting = [one for one in _list(content, url, "supportingFiles") if source.wants(str(one.get("filename", "")))]
    if not supporting or not source.supporting_files:
        return None
    one = _only(source, slug, release, supporting, "filename")
    return Offer(
        filename=_text(one, "filename", url),
        urls=(f"{EES_CONTENT}/releases/{release.version_id}/files/{_text(one, 'fileId', url)}",),
        resolved_via=release.via,
        page_url=_page(slug, release.slug),
        data_set_file_id=one.get("fileId"),
        least_bytes=_least_bytes(one.get("size")),
        published=release.published,
    )


def _least_bytes(size: object) -> int:
    """Of "392 Kb", which is rounded down: at least so many thousands, whether a Kb is 1000 or 1024 bytes."""
    match = re.fullmatch(r"(\d+) ?([KM]?)b", str(size), re.IGNORECASE)
    return int(match[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[match[2].lower()] if match else 0


# ---------------------------------------------------------------------------------------------------------------------
# Documents


def _list(document: Any, url: str, name: str | None = None) -> list[dict[str, Any]]:
    """A list of objects, by itself or under a name; NotGot where the document has another shape."""
    found = document if name is None else document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise _changed(url, name or "the list")
    return found


def _text(document: Any, name: str, url: str) -> str:
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, str) or not value:
        raise _changed(url, name)
    return value


def _changed(url: str, name: str) -> NotGot:
    return NotGot(
        "interface_changed",
        f"interface changed: {name} is not where the answer had it",
        url=url,
        remedy="nothing is changed; put the file in with care-numbers import until the program knows the new form",
    )
