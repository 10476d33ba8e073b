"""`pipeline.fetch.ees` and `pipeline.fetch.govuk` on documents: which file is chosen, and what is said when none fits.

What belongs here: rules about documents that whole fetches against the imitation (`tests/fetch`) do not come to. What does
not: anything on the wire.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import Refusal
from pipeline.fetch import catalogue, ees, govuk
from pipeline.fetch.addresses import ASSETS, EES_CONTENT, EES_SITE, GOVUK, Addresses
from pipeline.fetch.client import NotGot
from pipeline.fetch.offers import Resolution

SOURCES = {source.name: source for source in catalogue.load().sources}
TODAY = dt.date(2026, 11, 25)
OLD, NEW = "68ff7e26" + "a" * 16, "6917414a" + "b" * 16  # uploaded on 27 October and 14 November 2025


class Documents:
    """Stands for the client: documents by address, 404 for any other."""

    def __init__(self, documents: dict[str, Any]) -> None:
        self.documents = documents
        self.addresses = Addresses()
        self.asked: list[str] = []

    def document(self, url: str, *, anew: bool = False) -> Any:
        self.asked.append(url)
        if url not in self.documents:
            raise NotGot("http_status", "there is nothing at this address (status 404)", url=url, status=404)
        return self.documents[url]


def attachment(name: str, media: str = OLD, **more: Any) -> dict[str, Any]:
    return {"attachment_type": "file", "filename": name, "url": f"{ASSETS}/media/{media}/{name}", "file_size": 9} | more


def page(*attachments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "document_type": "official_statistics",
        "first_published_at": "2025-10-30T09:30:00Z",
        "public_updated_at": "2025-11-17T09:30:00Z",
        "details": {"attachments": list(attachments)},
    } | more


def resolve_pages(source: str, documents: dict[str, Any], **changes: Any) -> Resolution:
    at = {f"{GOVUK}/api/content{path}": document for path, document in documents.items()}
    chosen = replace(SOURCES[source], **changes)
    return govuk.resolve(chosen, Documents(at), TODAY, set())  # type: ignore[arg-type]


IOD = "/government/statistics/english-indices-of-deprivation-"
FILE_11 = "File_11_-_IoD2025_Local_Authority_District_Summaries__upper-tier_"


# ---------------------------------------------------------------------------------------------------------------------
# gov.uk


def test_of_two_files_the_newest_upload_is_taken_and_told() -> None:
    names = (f"{FILE_11}_v2.xlsx", f"{FILE_11}.xlsx")
    found = resolve_pages("mhclg_file_11", {f"{IOD}2025": page(attachment(names[0], NEW), attachment(names[1], OLD))})
    (edition,) = [edition for edition in found.editions if edition.edition == "2025"]
    assert [offer.filename for offer in edition.offers] == [names[0]]
    assert edition.offers[0].data_set_file_id == NEW
    assert any("newest upload" in note and names[0] in note for note in found.notes)


def test_of_two_files_elsewhere_none_is_taken() -> None:
    names = ("LA_Inspection_Outcomes_as_at_31_March_2025.ods", "LA_Inspection_Outcomes_as_at_31_March_2025.xlsx")
    path = "/government/statistics/local-authority-inspection-outcomes-as-at-31-march-2025"
    found = resolve_pages("ofsted_outcomes", {path: page(*(attachment(name) for name in names))})
    (trouble,) = found.troubles
    assert found.editions == [] and trouble.edition == "2025"
    assert all(name in str(trouble.refusal) for name in names)


def test_known_addresses_stand_in_for_pages_that_cannot_be_read() -> None:
    found = resolve_pages("mhclg_file_11", {})
    assert {edition.edition: edition.offers[0].resolved_via for edition in found.editions} == {
        "2015": "pinned-url",
        "2019": "pinned-url",
    }
    assert all(edition.offers[0].pinned_sha256 for edition in found.editions)
    assert [trouble.edition for trouble in found.troubles] == ["2025"]


def test_a_page_without_a_list_of_files_is_searched_for_links() -> None:
    """Inferred in downloads.md, 1.3: older pages have the links in their text alone."""
    name = "File_11_ID_2015_Upper-tier_Local_Authority_Summaries.xlsx"
    path = f"/government/uploads/system/uploads/attachment_data/file/464465/{name}"
    text = f'<p><a class="b" href="{ASSETS}{path}">File 11</a> <a href="/help?a=1&amp;b=2">Help</a></p>'
    found = resolve_pages("mhclg_file_11", {f"{IOD}2015": page(details={"documents": [text]})})
    (edition,) = [edition for edition in found.editions if edition.edition == "2015"]
    assert (edition.offers[0].urls, edition.offers[0].data_set_file_id) == ((f"{ASSETS}{path}",), "464465")
    assert edition.offers[0].resolved_via == "govuk-content-api"


@pytest.mark.parametrize("kind", ["redirect", "gone"])
def test_a_page_that_is_no_page_any_more_is_refused_by_its_kind(kind: str) -> None:
    path = SOURCES["ofsted_history"].pages[0].path
    (trouble,) = resolve_pages("ofsted_history", {path: {"document_type": kind}}).troubles
    assert kind in trouble.refusal.problem


def test_a_withdrawn_page_is_told_and_used() -> None:
    path = SOURCES["ofsted_history"].pages[0].path
    name = "Childrens_social_care_in_England_2023_underlying_data.ods"
    found = resolve_pages("ofsted_history", {path: page(attachment(name), withdrawn_notice={"explanation": "old"})})
    assert [edition.edition for edition in found.editions] == ["2023"]
    assert "withdrawn" in found.notes[0]


def test_attachments_that_are_pages_are_passed_over() -> None:
    path = SOURCES["ofsted_history"].pages[0].path
    html = {"attachment_type": "html", "title": "Main findings", "url": "/government/statistics/a/main-findings"}
    name = "Childrens_social_care_in_England_2023_underlying_data.ods"
    found = resolve_pages("ofsted_history", {path: page(html, attachment(name))})
    assert [offer.filename for edition in found.editions for offer in edition.offers] == [name]


def test_the_year_of_the_newest_page_is_found_by_looking_back() -> None:
    start = "/government/statistics/local-authority-inspection-outcomes-as-at-31-march-"
    name = "LA_Inspection_Outcomes_as_at_31_March_2025.ods"
    found = resolve_pages("ofsted_outcomes", {f"{start}2025": page(attachment(name)), f"{start}2024": page()})
    assert [edition.edition for edition in found.editions] == ["2025"]


def test_else_the_collection_names_the_newest_page() -> None:
    start = "/government/statistics/local-authority-inspection-outcomes-as-at-31-march-"
    collection = SOURCES["ofsted_outcomes"].collection
    links = [{"base_path": f"{start}{year}"} for year in (2021, 2022)] + [{"base_path": "/government/statistics/other"}]
    documents = {
        collection: {"links": {"documents": links}},
        f"{start}2022": page(attachment("LA_Inspection_Outcomes_as_at_31_March_2022.ods")),
    }
    found = resolve_pages("ofsted_outcomes", documents)
    assert [edition.edition for edition in found.editions] == ["2022"]


def test_the_two_series_of_a_collection_are_two_editions() -> None:
    start = "/government/statistics/children-in-low-income-families-local-area-statistics-"
    series = ("2014-to-2024", "2022-to-2025", "2014-to-2023")
    documents: dict[str, Any] = {
        f"{start}{years}": page(attachment(f"{start.rsplit('/', 1)[-1]}{years}.ods")) for years in series
    }
    documents[SOURCES["dwp_cilif"].collection] = {"links": {"documents": [{"base_path": path} for path in documents]}}
    found = resolve_pages("dwp_cilif", documents)
    assert sorted(edition.edition for edition in found.editions) == ["2024", "2025"]


def test_a_collection_without_a_page_that_fits_names_those_that_are_there() -> None:
    documents = {SOURCES["dwp_cilif"].collection: {"links": {"documents": [{"base_path": "/government/statistics/x"}]}}}
    (trouble,) = resolve_pages("dwp_cilif", documents).troubles
    assert "offered are x" in str(trouble.refusal)


# ---------------------------------------------------------------------------------------------------------------------
# Explore education statistics

RATES = SOURCES["dfe_cla_rates"]
START = f"{EES_CONTENT}/publications/{RATES.publication}/releases"
LIST = f"{EES_CONTENT}/data-set-files?publicationId={RATES.publication_id}&releaseId=v1&latestOnly=false&page=1&pageSize=40"


def release(files: list[dict[str, Any]], **more: Any) -> Documents:
    return Documents(
        {
            START: [{"id": "v1", "slug": "2025", "published": "2025-11-26T09:30:00Z"}],
            f"{START}/2025/version-summary": {"id": "v1", "lastUpdated": "2025-11-26T09:30:00Z", "updateCount": 1},
            LIST: {"results": files, "paging": {"totalPages": 1}},
        }
        | more
    )


def data_set(name: str, title: str = "", identifier: str = "d1") -> dict[str, Any]:
    return {
        "id": identifier,
        "fileId": "f1",
        "filename": name,
        "fileSize": "392 Kb",
        "title": title,
        "lastUpdated": "2025-11-26T09:30:00Z",
        "meta": {"numDataFileRows": 2505},
    }


def test_a_data_set_is_offered_at_three_addresses() -> None:
    found = ees.resolve(RATES, release([data_set("cla_number_and_rate_per_10k_children.csv")]), {})  # type: ignore[arg-type]
    (edition,) = found.editions
    (offer,) = edition.offers
    assert offer.urls == (
        f"{EES_SITE}/data-catalogue/data-set/d1/csv",
        f"{EES_CONTENT}/data-set-files/d1/download",
        f"{EES_CONTENT}/releases/v1/files/f1",
    )
    assert (offer.rows, offer.least_bytes, offer.data_set_file_id) == (2505, 392_000, "d1")


def test_a_file_under_another_name_is_known_by_its_title() -> None:
    title = "CLA numbers and rates per 10,000 children aged under 18 years - by local authority"
    found = ees.resolve(RATES, release([data_set("renamed.csv", title), data_set("x.csv", "other")]), {})  # type: ignore[arg-type]
    assert [offer.filename for edition in found.editions for offer in edition.offers] == ["renamed.csv"]


def test_two_files_that_fit_are_refused_with_both_names() -> None:
    files = [data_set(RATES_FILE, identifier="d1"), data_set(RATES_FILE.upper(), identifier="d2")]
    (trouble,) = ees.resolve(RATES, release(files), {}).troubles  # type: ignore[arg-type]
    assert RATES_FILE in str(trouble.refusal) and RATES_FILE.upper() in str(trouble.refusal)


RATES_FILE = "cla_number_and_rate_per_10k_children.csv"


def test_a_release_as_before_is_not_listed() -> None:
    client = release([data_set(RATES_FILE)])
    (edition,) = ees.resolve(RATES, client, {}).editions  # type: ignore[arg-type]
    client.asked.clear()
    assert edition.fingerprint
    found = ees.resolve(RATES, client, {"2025": edition.fingerprint})  # type: ignore[arg-type]
    assert (found.as_before, found.editions) == (["2025"], [])
    assert client.asked == [START, f"{START}/2025/version-summary"]


@pytest.mark.parametrize(
    "document", [{"results": []}, [1], [{"slug": "2025"}], "releases"], ids=["object", "number", "no id", "text"]
)
def test_a_list_of_another_form_is_an_interface_that_changed(document: object) -> None:
    with pytest.raises(Refusal) as caught:
        ees.resolve(RATES, Documents({START: document}), {})  # type: ignore[arg-type]
    assert "interface changed" in str(caught.value)


@pytest.mark.parametrize(
    ("told", "least"), [("392 Kb", 392_000), ("2 Mb", 2_000_000), ("17 B", 17), ("", 0), (None, 0), ("1.5 Kb", 0)]
)
def test_the_size_that_is_told_is_a_lower_bound(told: object, least: int) -> None:
    assert ees._least_bytes(told) == least
