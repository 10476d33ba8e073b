"""The twenty ways in which the documented services fail, each played over a real socket, and what fetching makes of it.

What belongs here: a test or more for each of the twenty, in their order. What does not: the parts of the client
(`tests/pipeline/fetch`), and whole fetches (`test_fetch_runs`).

The two services that nothing is fetched from, Nomis and ArcGIS, fail in ways of their own (9 and 10): a list that is cut
short with 200, and an error behind a 200. Both are played here by the services that are asked.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from dataclasses import replace
from email.utils import format_datetime

import pytest

from pipeline import reference_tables, settings
from pipeline.fetch.report import Report
from pipeline.readers import layouts
from pipeline.readers.layout import SourceFile
from tests.fetch.desk import NOON, QUICK, Desk, item, kinds
from tests.fixtures.imitation import Imitation, faults
from tests.fixtures.imitation.faults import Fault
from tests.fixtures.imitation.offers import (
    HISTORY_PAGE,
    LOOKED_AFTER,
    RATES,
    Attachment,
    Page,
    media_id,
    with_more_children,
    zipped,
)

CSV = r"/data-set/[^/]+/csv$"  # the address of a data set for users
RATES_SOURCE, POPULATION, HISTORY = "dfe_cla_rates", "dfe_population", "ofsted_history"
DEPRIVATION, OLD = "mhclg_file_11", "dfe_cla_before_ees"
FILE_11 = "File_11_-_IoD2019_Local_Authority_District_Summaries__upper-tier__.xlsx"
WORKBOOK = "Childrens_social_care_2023_underlying_data.xlsx"


@pytest.fixture
def rates(imitation: Imitation) -> Imitation:
    """The two newest releases of the rates, and nothing else."""
    imitation.offers = imitation.offers.only(RATES, "la_other")
    imitation.offers.releases = [entry for entry in imitation.offers.releases if entry.slug in ("2024", "2025")]
    return imitation


def newest(imitation: Imitation) -> bytes:
    return imitation.offers.release(LOOKED_AFTER, "2025").data_set(RATES).content


def refused(desk: Desk, report: Report, edition: str, *words: str) -> None:
    """The edition is refused in one sentence with these words, and nothing of it is registered."""
    line = item(report, edition)
    assert line.kind == "failed", line.sentence
    for word in words:
        assert word in line.sentence, line.sentence
    assert [entry for entry in desk.entries if entry.edition == edition] == []
    desk.check()


# ---------------------------------------------------------------------------------------------------------------------


def test_1_the_hash_is_that_of_the_decoded_bytes(desk: Desk, rates: Imitation) -> None:
    rates.spoil(CSV, faults.gzipped)
    assert kinds(desk.fetch(RATES_SOURCE)) == {"2025": "new", "2024": "new"}
    entry = desk.entry(RATES_SOURCE, "2025")
    assert entry.sha256 == hashlib.sha256(newest(rates)).hexdigest()
    assert entry.bytes == len(newest(rates))
    assert desk.content(entry) == newest(rates)


def test_2_a_mark_quotes_and_markers_survive(desk: Desk, rates: Imitation) -> None:
    """The file is stored as it came, and read past its byte order mark and the quotes around every cell."""
    plain = newest(rates)
    assert plain.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(plain.decode("utf-8-sig"))))
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(lines)
    quoted = b"\xef\xbb\xbf" + text.getvalue().encode()
    rates.offers.release(LOOKED_AFTER, "2025").amend(RATES, quoted)
    assert kinds(desk.fetch(RATES_SOURCE))["2025"] == "new"
    stored = desk.content(desk.entry(RATES_SOURCE, "2025"))
    assert stored == quoted
    read, expected = (_cells(desk, content) for content in (stored, plain))
    assert read["value"].equals(expected["value"])
    assert read["marker"].equals(expected["marker"])
    assert expected["marker"].notna().any()


@pytest.mark.parametrize("cell", ['"1,234"', "?"], ids=["thousands comma", "unknown symbol"])
def test_2_what_is_no_number_and_no_marker_is_named(desk: Desk, rates: Imitation, cell: str) -> None:
    """This file writes its numbers without commas: one with a comma is a change of the layout, and is not guessed at."""
    release = rates.offers.release(LOOKED_AFTER, "2025")
    line = next(line for line in newest(rates).split(b"\n") if b"Local authority" in line and b"31 March" in line)
    before, _, last = line.rpartition(b",")
    spoilt = before.rpartition(b",")[0] + b"," + cell.encode() + b"," + last
    release.amend(RATES, newest(rates).replace(line, spoilt))
    refused(desk, desk.fetch(RATES_SOURCE), "2025", cell.strip('"'), "children_count")


def _cells(desk: Desk, content: bytes):
    found = {
        reference_tables.recognise(path.read_text(encoding="utf-8-sig").split("\n")[0].strip().split(",")): path
        for path in (desk.folders.published / "reference").glob("*.csv")
    }
    tables = {
        name: reference_tables.parse(name, path.read_bytes(), path.name, is_from_data_folder=True)
        for name, path in found.items()
        if name
    }
    known = reference_tables.knowledge(reference_tables.load(desk.folders.references, tables))
    layout = layouts.BY_NAME["cla_since_2018"]
    source = SourceFile(RATES, content, hashlib.sha256(content).hexdigest())
    return layout.read(source, layout.edition(source, known), known)


@pytest.mark.parametrize(
    ("route", "source"),
    [
        (r"/publications/[^/]+/releases$", RATES_SOURCE),
        (r"/data-set-files\?", RATES_SOURCE),
        (CSV, RATES_SOURCE),
        (rf"{CSV}|/download$", RATES_SOURCE),
    ],
)
def test_3_a_removed_route_is_told_and_another_taken(desk: Desk, rates: Imitation, route: str, source: str) -> None:
    rates.spoil(route, faults.not_found)
    report = desk.fetch(source)
    assert kinds(report) == {"2025": "new", "2024": "new"}
    entry = desk.entry(source, "2025")
    assert entry.resolved_via == "content-api-fallback"
    assert desk.content(entry) == newest(rates)
    assert any("interface" in line for line in report.lines()), report.lines()


def test_4_a_superseded_version_is_resolved_again(desk: Desk, rates: Imitation) -> None:
    """The list of releases is a little old: its version gives an empty list, and the next look finds the new one."""
    release = rates.offers.release(LOOKED_AFTER, "2025")
    stale = rates.answer(f"/content/api/publications/{LOOKED_AFTER}/releases").body
    amended = newest(rates) + b"\n"
    release.amend(RATES, amended)
    rates.spoil(r"/publications/[^/]+/releases$", faults.other_bytes(stale), times=1)
    report = desk.fetch(RATES_SOURCE)
    assert item(report, "2025").kind == "new", report.lines()
    assert desk.content(desk.entry(RATES_SOURCE, "2025")) == amended


def test_4_a_version_that_stays_closed_stops_with_its_name(desk: Desk, imitation: Imitation) -> None:
    imitation.offers = imitation.offers.only("ons_mid-year")
    imitation.spoil(r"/releases/[^/]+/files/", faults.status(403))
    report = desk.fetch(POPULATION)
    refused(desk, report, "2025", "superseded", "403")
    assert kinds(report)["2021"] == "new"  # that one is a data set, with an address of its own
    assert len(imitation.asked_for(r"/releases/[^/]+/files/")) == 2  # and once more after resolving again


def test_4_a_version_superseded_meanwhile_is_fetched_from_the_new_one(desk: Desk, imitation: Imitation) -> None:
    imitation.offers = imitation.offers.only("ons_mid-year")
    imitation.spoil(r"/releases/[^/]+/files/", faults.status(403), times=1)
    assert kinds(desk.fetch(POPULATION)) == {"2025": "new", "2021": "new"}


def test_5_an_amended_file_is_an_edition_beside_the_old_one(desk: Desk, rates: Imitation) -> None:
    before = newest(rates)
    desk.fetch(RATES_SOURCE)
    first = desk.entry(RATES_SOURCE, "2025")
    amended = with_more_children(before)
    rates.offers.release(LOOKED_AFTER, "2025").amend(RATES, amended)
    report = desk.fetch(RATES_SOURCE)
    assert item(report, "2025").kind == "amended"
    assert item(report, "2024").kind == "unchanged"
    second = desk.entry(RATES_SOURCE, "2025", seen=2)
    assert desk.entry(RATES_SOURCE, "2025") == first
    assert (desk.content(first), desk.content(second)) == (before, amended)
    assert second.data_set_file_id == first.data_set_file_id
    desk.check()


def test_6_a_replaced_asset_is_recorded_by_its_last_address(desk: Desk, imitation: Imitation) -> None:
    """The page lists the old address; `Location` is protocol-relative, as the publisher writes it."""
    old = imitation.offers.attachment(WORKBOOK)
    there = f"/media/{media_id('replacement')}/{WORKBOOK}"
    old.moved_to = f"//assets.publishing.service.gov.uk{there}"
    imitation.offers.pages["/unlisted"] = Page("/unlisted", [Attachment(there, WORKBOOK, old.content)])
    assert kinds(desk.fetch(HISTORY)) == {"2023": "new"}
    entry = desk.entry(HISTORY, "2023")
    assert entry.requested_url == f"https://assets.publishing.service.gov.uk{old.path}"
    assert entry.final_url == f"https://assets.publishing.service.gov.uk{there}"


def test_6_a_former_file_name_leads_to_the_present_one(desk: Desk, imitation: Imitation) -> None:
    present = imitation.offers.attachment(WORKBOOK)
    present.listed_as = present.path.replace("social", "services")
    assert kinds(desk.fetch(HISTORY)) == {"2023": "new"}
    assert desk.entry(HISTORY, "2023").final_url == f"https://assets.publishing.service.gov.uk{present.path}"


def test_6_a_known_address_is_held_to_its_hash(desk: Desk, imitation: Imitation) -> None:
    """Without the page the known address is asked, and what comes is not the file whose hash is known."""
    imitation.spoil(r"/api/content/government/statistics/english-indices", faults.not_found)
    refused(desk, desk.fetch(DEPRIVATION), "2019", "hash")


@pytest.mark.parametrize(
    ("fault", "words"), [(faults.html, "text/html"), (faults.html_that_claims_to_be_the_file, "begins with")]
)
@pytest.mark.parametrize(("source", "edition", "route"), [(RATES_SOURCE, "2025", CSV), (HISTORY, "2023", "/media/")])
def test_7_a_web_page_is_no_file(
    desk: Desk, imitation: Imitation, fault: Fault, words: str, source: str, edition: str, route: str
) -> None:
    imitation.spoil(route, fault)
    refused(desk, desk.fetch(source), edition, words)


def test_8_a_stream_that_ends_early_is_begun_again(desk: Desk, rates: Imitation) -> None:
    rates.spoil(CSV, faults.cut_short, times=2)
    assert kinds(desk.fetch(RATES_SOURCE)) == {"2025": "new", "2024": "new"}
    assert desk.content(desk.entry(RATES_SOURCE, "2025")) == newest(rates)


def test_8_a_stream_that_always_ends_early_is_given_up(desk: Desk, rates: Imitation) -> None:
    rates.spoil(CSV, faults.cut_short)
    refused(desk, desk.fetch(RATES_SOURCE), "2025", "broke off")


def test_8_a_compressed_stream_that_ends_early(desk: Desk, rates: Imitation) -> None:
    """The length of the transfer is right, and the compressed text in it ends in the middle."""
    rates.spoil(CSV, lambda answer: faults.short_under_its_own_length(faults.gzipped(answer)))
    refused(desk, desk.fetch(RATES_SOURCE), "2025", "ends in the middle")


@pytest.mark.parametrize(("source", "edition"), [(HISTORY, "2023"), (OLD, "2017")])
def test_8_a_truncated_archive_or_workbook(desk: Desk, imitation: Imitation, source: str, edition: str) -> None:
    imitation.spoil("/media/", faults.short_under_its_own_length)
    refused(desk, desk.fetch(source), edition)


def test_9_rows_are_counted_against_what_the_publisher_says(desk: Desk, rates: Imitation) -> None:
    """A file cut at a line's end under its own length: the transfer is flawless."""
    rates.spoil(CSV, faults.short_under_its_own_length)
    refused(desk, desk.fetch(RATES_SOURCE), "2025", "2535", "rows")


def test_9_a_list_is_read_to_its_last_page(desk: Desk, rates: Imitation) -> None:
    """The release of 2025 has 42 data sets, the wanted one the last of them, and a page holds 40."""
    assert kinds(desk.fetch(RATES_SOURCE))["2025"] == "new"
    assert rates.asked_for(r"/data-set-files\?.*\bpage=2\b")


@pytest.mark.parametrize("route", [r"/publications/[^/]+/releases$", r"/data-set-files\?"])
def test_10_an_error_behind_a_200_is_no_list(desk: Desk, rates: Imitation, route: str) -> None:
    rates.spoil(route, faults.error_with_200)
    rates.spoil(r"/release-entries|/data-content", faults.error_with_200)
    report = desk.fetch(RATES_SOURCE)
    assert report.exit_code == 1
    assert desk.entries == []
    assert all(entry.kind == "failed" for entry in report.items)


@pytest.mark.parametrize(
    ("fault", "least"),
    [
        (faults.too_many("7"), 7.0),
        (faults.too_many(format_datetime(NOON.replace(second=9), usegmt=True)), 9.0),
        (faults.status(429, Retry_After="7"), 7.0),
        (faults.status(503), 0.0),
        (faults.status(504), 0.0),
    ],
    ids=["front, seconds", "front, date", "application, seconds", "503", "504"],
)
def test_11_a_busy_server_is_asked_again_when_it_says(desk: Desk, rates: Imitation, fault: Fault, least: float) -> None:
    rates.spoil(CSV, fault, times=2)
    assert kinds(desk.fetch(RATES_SOURCE)) == {"2025": "new", "2024": "new"}
    assert len([wait for wait in desk.waited if wait >= least]) >= 2


def test_11_a_server_that_stays_busy_is_left_alone(desk: Desk, rates: Imitation) -> None:
    rates.spoil(CSV, faults.status(503))
    refused(desk, desk.fetch(RATES_SOURCE), "2025", "503")
    (data_set,) = [entry for entry in rates.offers.release(LOOKED_AFTER, "2025").data_sets if entry.filename == RATES]
    assert len(rates.asked_for(f"/data-set/{data_set.id}/csv")) == QUICK.attempts


def test_11_too_long_a_wait_ends_the_source(desk: Desk, rates: Imitation) -> None:
    rates.spoil(CSV, faults.too_many("3600"))
    refused(desk, desk.fetch(RATES_SOURCE), "2025", "3600 s")
    assert max(desk.waited, default=0.0) <= QUICK.longest_wait


@pytest.mark.parametrize("code", [400, 401, 410, 422])
def test_11_a_refusal_is_not_asked_for_again(desk: Desk, imitation: Imitation, code: int) -> None:
    imitation.spoil("/media/", faults.status(code))
    refused(desk, desk.fetch(HISTORY), "2023", str(code))
    assert len(imitation.asked_for("/media/")) == 1


def test_12_an_empty_list_means_none(desk: Desk, rates: Imitation) -> None:
    for release in rates.offers.releases:
        release.data_sets.clear()
    report = desk.fetch(RATES_SOURCE)
    assert report.exit_code == 1
    assert report.failed_required == [RATES_SOURCE]
    assert desk.entries == []


@pytest.mark.parametrize(
    ("old", "new"), [(b"rate_per_10000", b"rate_of_10000"), (b"time_period", b"period")], ids=["figure", "key"]
)
def test_13_an_unknown_column_is_named_and_nothing_registered(
    desk: Desk, rates: Imitation, old: bytes, new: bytes
) -> None:
    rates.offers.release(LOOKED_AFTER, "2025").amend(RATES, newest(rates).replace(old, new, 1))
    report = desk.fetch(RATES_SOURCE)
    refused(desk, report, "2025", "column", new.decode())
    assert item(report, "2024").kind == "new"
    (reason,) = desk.folders.quarantine.rglob("*.reason.txt")
    assert new.decode() in reason.read_text(encoding="utf-8")


def test_13_an_unknown_label_is_named(desk: Desk, rates: Imitation) -> None:
    label = b"Children looked after on 31 March each year"
    assert label in newest(rates)
    rates.offers.release(LOOKED_AFTER, "2025").amend(RATES, newest(rates).replace(label, b"Children in care"))
    refused(desk, desk.fetch(RATES_SOURCE), "2025", "Children in care")


def test_14_a_publication_with_a_new_slug_is_found(desk: Desk, rates: Imitation) -> None:
    new = "looked-after-children"
    for release in rates.offers.releases:
        release.publication = new
    rates.offers.moved_slugs[LOOKED_AFTER] = new
    assert kinds(desk.fetch(RATES_SOURCE)) == {"2025": "new", "2024": "new"}


@pytest.mark.parametrize(
    ("route", "code", "to"),
    [
        (r"/api/content/government/statistics/childrens-social-care-data", 303, "/api/content/moved"),
        (r"/media/", 301, "https://assets.publishing.service.gov.uk/moved"),
    ],
)
def test_14_redirects_are_followed(desk: Desk, imitation: Imitation, route: str, code: int, to: str) -> None:
    page = imitation.offers.pages[HISTORY_PAGE]
    imitation.offers.pages["/moved"] = replace(page, path="/moved")
    imitation.offers.pages["/unlisted"] = Page(
        "/unlisted", [Attachment("/moved", WORKBOOK, imitation.offers.pages[HISTORY_PAGE].attachments[0].content)]
    )
    imitation.spoil(route, faults.redirect(to, code))
    assert kinds(desk.fetch(HISTORY)) == {"2023": "new"}


def test_15_the_same_name_under_a_new_id_is_known_by_its_hash(desk: Desk, imitation: Imitation) -> None:
    """The same bytes are no edition; other bytes are one."""
    desk.fetch(DEPRIVATION)
    page = imitation.offers.page_of(FILE_11)
    old = page.attachments[0]
    later = media_id("later", uploaded=0x691DED56)
    page.attachments = [Attachment(f"/media/{later}/{FILE_11}", FILE_11, old.content)]
    page.updated = "2025-11-19T16:14:14.000+00:00"
    assert kinds(desk.fetch(DEPRIVATION))["2019"] in ("unchanged", "same_text")
    assert len([entry for entry in desk.entries if entry.edition == "2019"]) == 1
    other = _repacked(old.content)
    assert other != old.content
    page.attachments = [Attachment(f"/media/{media_id('latest', uploaded=0x6A000000)}/{FILE_11}", FILE_11, other)]
    page.updated = "2026-05-10T09:30:00.000+00:00"
    assert kinds(desk.fetch(DEPRIVATION))["2019"] == "amended"
    assert [desk.content(desk.entry(DEPRIVATION, "2019", seen)) for seen in (1, 2)] == [old.content, other]


def _repacked(workbook: bytes) -> bytes:
    """A workbook with the same cells and other bytes."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return zipped({name: archive.read(name) for name in archive.namelist()})


def test_16_a_reset_begins_again_from_zero(desk: Desk, rates: Imitation) -> None:
    rates.spoil(CSV, faults.reset, times=2)
    assert kinds(desk.fetch(RATES_SOURCE)) == {"2025": "new", "2024": "new"}
    assert desk.content(desk.entry(RATES_SOURCE, "2025")) == newest(rates)


def test_16_a_slow_drip_has_an_end(desk: Desk, rates: Imitation) -> None:
    """Each byte comes before a read times out; the deadline of the file ends it."""
    rates.spoil(CSV, faults.dripping(0.02))
    report = desk.fetch(RATES_SOURCE, manners=replace(QUICK, file_deadline=0.4))
    refused(desk, report, "2025", "time")
    assert len(rates.asked_for(CSV)) <= 4  # two files, and no more than another address for each


def test_17_a_file_under_replacement_is_not_gone(desk: Desk, rates: Imitation) -> None:
    desk.fetch(RATES_SOURCE)
    before = desk.everything()
    release = rates.offers.release(LOOKED_AFTER, "2025")
    release.data_set(RATES).is_withheld = True
    release.version += 1
    report = desk.fetch(RATES_SOURCE)
    assert item(report, "2025").kind == "not_offered"
    assert report.exit_code == 0
    assert desk.everything() == before
    release.data_set(RATES).is_withheld = False
    amended = with_more_children(newest(rates))
    release.amend(RATES, amended)
    assert item(desk.fetch(RATES_SOURCE), "2025").kind == "amended"


@pytest.mark.parametrize(
    "location",
    ["//assets.publishing.service.gov.uk/moved", "/moved", "../../moved"],
    ids=["protocol-relative", "absolute path", "relative path"],
)
def test_18_a_relative_location_is_joined(desk: Desk, imitation: Imitation, location: str) -> None:
    content = imitation.offers.attachment(WORKBOOK).content
    imitation.offers.pages["/unlisted"] = Page("/unlisted", [Attachment("/moved", WORKBOOK, content)])
    imitation.spoil("/media/", faults.redirect(location))
    assert kinds(desk.fetch(HISTORY)) == {"2023": "new"}
    assert desk.entry(HISTORY, "2023").final_url == "https://assets.publishing.service.gov.uk/moved"


@pytest.mark.parametrize(
    ("location", "word"),
    [
        ("http://assets.publishing.service.gov.uk/moved", "only https"),
        ("https://draft-assets.publishing.service.gov.uk/moved", "draft-assets.publishing.service.gov.uk"),
        ("https://somebody:secret@assets.publishing.service.gov.uk/moved", "a name or a password"),
        ("ftp://assets.publishing.service.gov.uk/moved", "only https"),
    ],
    ids=["http", "another host", "credentials", "another protocol"],
)
def test_18_a_location_that_leads_astray_is_refused(desk: Desk, imitation: Imitation, location: str, word: str) -> None:
    imitation.spoil("/media/", faults.redirect(location))
    report = desk.fetch(HISTORY)
    refused(desk, report, "2023", word)
    assert "secret" not in "".join(report.lines())
    assert len(imitation.asked_for("/media/")) == 1


def test_18_a_loop_is_refused(desk: Desk, imitation: Imitation) -> None:
    imitation.spoil("/media/", lambda answer: faults.redirect(imitation.offers.attachment(WORKBOOK).path)(answer))
    refused(desk, desk.fetch(HISTORY), "2023", "loop")
    assert len(imitation.asked_for("/media/")) == 6  # the first, and five hops


@pytest.mark.parametrize("code", [410, 404])
def test_19_an_asset_that_is_gone_is_not_asked_for_again(desk: Desk, imitation: Imitation, code: int) -> None:
    attachment = imitation.offers.attachment(WORKBOOK)
    if code == 410:
        imitation.offers.gone_assets.add(attachment.path)
    else:
        attachment.listed_as = "/media/000000000000000000000000/" + WORKBOOK
    refused(desk, desk.fetch(HISTORY), "2023", str(code))
    assert len(imitation.asked_for("/media/")) == 1


def test_19_the_placeholder_means_later(desk: Desk, imitation: Imitation) -> None:
    imitation.spoil("/media/", faults.redirect("/government/placeholder", 302), times=1)
    refused(desk, desk.fetch(HISTORY), "2023", "virus", "later")
    assert kinds(desk.fetch(HISTORY)) == {"2023": "new"}


@pytest.mark.parametrize(("source", "edition", "route"), [(RATES_SOURCE, "2025", CSV), (HISTORY, "2023", "/media/")])
def test_20_an_empty_file_is_refused(desk: Desk, imitation: Imitation, source: str, edition: str, route: str) -> None:
    imitation.spoil(route, faults.empty)
    refused(desk, desk.fetch(source), edition, "empty")


def test_20_a_text_that_expands_without_end(desk: Desk, rates: Imitation) -> None:
    rates.spoil(CSV, faults.endless_gzip(megabytes=12))
    report = desk.fetch(RATES_SOURCE, manners=replace(QUICK, largest_decoded=10 * 2**20))
    refused(desk, report, "2025", "10 MiB")


def test_20_a_transfer_that_is_too_large(desk: Desk, rates: Imitation) -> None:
    report = desk.fetch(RATES_SOURCE, manners=replace(QUICK, largest_encoded=len(newest(rates)) - 1))
    refused(desk, report, "2025", "larger than")


def test_20_an_archive_that_expands_without_end(
    desk: Desk, imitation: Imitation, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings.load()
    smaller = replace(chosen, files=replace(chosen.files, unpacked_bytes=10 * 2**20))
    monkeypatch.setattr(settings, "load", lambda: smaller)
    archive = faults.endless_zip("SFR50_CLA2017.csv", megabytes=12)
    assert len(archive) < 2**20
    imitation.offers.attachment("SFR50_2017_UnderlyingData.zip").content = archive
    refused(desk, desk.fetch(OLD), "2017", "12 MiB")


@pytest.mark.parametrize("name", ["../../SFR50_CLA2017.csv", "/SFR50_CLA2017.csv", "..\\..\\SFR50_CLA2017.csv"])
def test_20_a_name_in_an_archive_leads_nowhere(desk: Desk, imitation: Imitation, name: str) -> None:
    imitation.offers.attachment("SFR50_2017_UnderlyingData.zip").content = zipped({name: b"New_geog_code\n"})
    before = {path for path in desk.raw.parent.rglob("*") if desk.raw not in path.parents}
    refused(desk, desk.fetch(OLD), "2017", "leads out of the archive")
    assert {path for path in desk.raw.parent.rglob("*") if desk.raw not in path.parents} == before
