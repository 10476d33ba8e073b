"""`pipeline.fetch.arrival`: what may be registered, on files made by hand.

What belongs here: archives and kinds of file. What does not: what a whole fetch does with a refused file (`tests/fetch`).
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from pipeline import settings
from pipeline.errors import Refusal
from pipeline.fetch import arrival, catalogue
from pipeline.fetch.arrival import Arrived
from pipeline.fetch.client import Received
from pipeline.fetch.offers import Offer
from tests.fixtures.small_tables import KNOWLEDGE, SAMPLES, as_bytes

SOURCES = {source.name: source for source in catalogue.load().sources}
OLD = SOURCES["dfe_cla_before_ees"]


def received(content: bytes, content_type: str = "application/octet-stream", final: str = "https://a/b") -> Received:
    digest = hashlib.sha256(content).hexdigest()
    return Received("https://a/b", final, 200, {"content-type": content_type}, digest, len(content), len(content))


def judge(content: bytes, name: str, source: str = OLD.name, **more: Any) -> list[Arrived]:
    edition = more.pop("edition", "2016")
    came = received(content, more.pop("content_type", "application/octet-stream"), more.pop("final", "https://a/b"))
    offer = Offer(name, ("https://a/b",), "content-api", "https://a/", **more)
    return arrival.judge(content, came, offer, SOURCES[source], edition, KNOWLEDGE)


def refused(content: bytes, name: str, *, of: str = OLD.name, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        judge(content, name, of, **more)
    return caught.value


def archive(**members: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return held.getvalue()


STOCK = as_bytes(SAMPLES["CLA"].table)


def test_the_wanted_members_of_an_archive_arrive_under_their_own_names() -> None:
    content = archive(**{"data/SFR41_CLA2016.csv": STOCK, "data/SFR41_ADP2016.csv": b"x", "Meta Data.txt": b"notes"})
    (arrived,) = judge(content, "SFR41_2016_UD.zip")
    assert (arrived.filename, arrived.content) == ("SFR41_CLA2016.csv", STOCK)
    assert arrived.sha256 == hashlib.sha256(STOCK).hexdigest()
    assert arrived.archive_sha256 == hashlib.sha256(content).hexdigest()
    assert (arrived.layout.name, arrived.edition.release) == ("cla_2011_2017_looked_after", 2016)


@pytest.mark.parametrize("name", ["../SFR41_CLA2016.csv", "/etc/SFR41_CLA2016.csv", "a/../../SFR41_CLA2016.csv"])
def test_an_archive_that_leads_out_of_itself_is_refused(name: str) -> None:
    assert refused(archive(**{name: STOCK}), "a_UD.zip").code == "bad_archive"


def test_an_archive_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = settings.load()
    small = replace(usual, files=replace(usual.files, unpacked_bytes=10_000))
    monkeypatch.setattr(settings, "load", lambda: small)
    assert refused(archive(**{"a.txt": bytes(10_001)}), "a_UD.zip").code == "too_large"


def test_a_member_that_stands_there_twice_is_refused() -> None:
    content = archive(**{"a/SFR41_CLA2016.csv": STOCK, "b/SFR41_CLA2016.csv": STOCK})
    assert refused(content, "a_UD.zip").code == "bad_archive"


def test_an_archive_without_a_wanted_member_names_those_it_has() -> None:
    refusal = refused(archive(**{"SFR41_tables.xlsx": b"x"}), "a_UD.zip")
    assert refusal.code == "nothing_wanted" and "SFR41_tables.xlsx" in refusal.problem


def test_a_damaged_member_is_refused() -> None:
    content = bytearray(archive(**{"SFR41_CLA2016.csv": STOCK}))
    content[60] ^= 0xFF  # within the packed bytes of the only member
    assert refused(bytes(content), "a_UD.zip").code == "bad_archive"


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a_UD.csv", "empty_file"),
        (b" \r\n", "a_UD.csv", "empty_file"),
        (b"\xef\xbb\xbf <html>", "a_UD.csv", "web_page"),
        (b"PK\x03\x04", "a_UD.csv", "wrong_kind"),
        (b"\x1f\x8b", "a_UD.csv", "wrong_kind"),
        (b"<html>", "a_UD.zip", "wrong_kind"),
        (b"PK\x03\x04", "a.xls", "wrong_kind"),
        (b"\xd0\xcf\x11\xe0", "a.xlsx", "wrong_kind"),
        (b"a,b\n1,2\n", "a.ods", "wrong_kind"),
        (b"PK\x03\x04 cut", "a.xlsx", "bad_archive"),
    ],
)
def test_the_first_bytes_say_what_it_is(content: bytes, name: str, code: str) -> None:
    assert refused(content, name).code == code


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json", "application/problem+json"])
def test_a_content_type_of_something_else_is_refused(kind: str) -> None:
    assert refused(STOCK, "a_UD.csv", content_type=kind).code == "web_page"


def test_rows_are_those_that_the_publisher_says() -> None:
    rows = STOCK.strip().count(b"\n")
    assert len(judge(STOCK, "a_UD.csv", rows=rows)) == 1
    refusal = refused(STOCK, "a_UD.csv", rows=rows + 1)
    assert refusal.code == "row_count" and str(rows) in refusal.problem and str(rows + 1) in refusal.problem


def test_a_file_below_its_size_is_cut_short_unless_it_is_a_replacement() -> None:
    assert refused(STOCK, "a_UD.csv", least_bytes=len(STOCK) + 1).code == "cut_short"
    assert judge(STOCK, "a_UD.csv", least_bytes=len(STOCK))
    assert judge(STOCK, "a_UD.csv", least_bytes=len(STOCK) + 1, final="https://a/replacement")


def test_a_file_of_another_layout_is_refused_with_its_header() -> None:
    refusal = refused(as_bytes(SAMPLES["series"].table), "a_UD.csv")
    assert refusal.code == "wrong_layout" and "cla_time_series" in refusal.problem
    refusal = refused(b"item,price\nmilk,2\n", "a_UD.csv")
    assert refusal.code == "wrong_layout" and "item, price" in refusal.problem


def test_a_file_of_another_release_is_refused() -> None:
    refusal = refused(STOCK, "a_UD.csv", edition="2015")
    assert refusal.code == "wrong_release" and "2016" in refusal.problem


def test_a_file_that_its_reader_refuses_is_refused_with_the_cell() -> None:
    refusal = refused(as_bytes(SAMPLES["CLA"].with_cell(4, "CLA_Mar2016", "q").table), "a_UD.csv")
    assert (refusal.code, refusal.row, refusal.column) == ("unknown_marker", 4, "CLA_Mar2016")
