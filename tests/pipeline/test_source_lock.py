"""`pipeline.source_lock`: the form of the lock file, and which of several editions counts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest

from pipeline import source_lock
from pipeline.errors import Refusal
from pipeline.source_lock import LockEntry
from tests.fixtures import small_tables as small

# Downloads.md, 3: the names are the contract.
CONTRACT = {
    "source", "edition", "edition_seen", "resolved_via", "page_url", "requested_url", "final_url", "data_set_file_id",
    "filename", "sha256", "text_sha256", "bytes", "rows", "header_sha256", "published", "last_updated", "etag",
    "last_modified", "retrieved_at", "licence",
}  # fmt: skip
TEXT = "code,children\nA1,3\nA2,4\n"


def entry(sha256: str = "a" * 64, **changes: object) -> LockEntry:
    values = {
        "source": "dfe_cla_rates", "edition": "2025", "edition_seen": 1, "file": f"{sha256[:3]}.csv",
        "layout": "cla_since_2018", "publication": "children_looked_after", "release": 2025, "part": "",
        "resolved_via": "content-api", "filename": "a.csv", "sha256": sha256, "bytes": 9,
    }  # fmt: skip
    return LockEntry(**values | changes)  # type: ignore[arg-type]


def test_an_entry_has_every_field_of_the_contract() -> None:
    assert {field.name for field in dataclasses.fields(LockEntry)} >= CONTRACT


def test_what_is_written_is_read_sorted_by_source_edition_and_seen(tmp_path: Path) -> None:
    entries = [
        entry("d" * 64, source="ofsted_history", edition="2023"),
        entry("c" * 64, edition_seen=2),
        entry("b" * 64, edition_seen=1, final_url="https://www.gov.uk/a", rows=2505),
        entry("a" * 64, edition="2024"),
    ]
    source_lock.write(tmp_path / "lock.json", entries)
    found = source_lock.read(tmp_path / "lock.json")
    assert list(found) == ["a" * 64, "b" * 64, "c" * 64, "d" * 64]
    assert set(found.values()) == set(entries)
    before = (tmp_path / "lock.json").read_bytes()
    source_lock.write(tmp_path / "lock.json", list(found.values()))
    assert (tmp_path / "lock.json").read_bytes() == before


def test_no_lock_file_is_an_empty_one(tmp_path: Path) -> None:
    assert source_lock.read(tmp_path / "lock.json") == {}


@pytest.mark.parametrize("text", ["{", "[]", "7", '{"version": 2}', '{"version": 2, "files": [{"sha256": "a"}]}'])
def test_a_damaged_one_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock.json").write_text(text)
    with pytest.raises(Refusal) as caught:
        source_lock.read(tmp_path / "lock.json")
    assert (caught.value.code, caught.value.file) == ("bad_lock_file", "lock.json")


def test_the_first_form_is_read_in_the_order_of_arrival(tmp_path: Path) -> None:
    """As written before there was a fetch: the second arrival of a release is its second edition."""
    old = {
        "file": "children_looked_after/2016/stock.csv", "layout": "cla_2011_2017_looked_after", "release": 2016,
        "publication": "children_looked_after", "title": "t", "publisher": "p", "part": "looked_after", "bytes": 9,
        "licence": "Open Government Licence v3.0", "corrections": "", "origin": "data_folder", "url": None,
    }  # fmt: skip
    files = [
        old | {"sha256": "b" * 64, "retrieved": "2031-03-04T03:00:00+00:00", "file": "x/stock.b.csv"},
        old | {"sha256": "a" * 64, "retrieved": "2031-03-03T03:00:00+00:00"},
        old | {"sha256": "c" * 64, "retrieved": "2031-03-03T03:00:00+00:00", "part": "started"},
    ]
    (tmp_path / "lock.json").write_text(json.dumps({"version": 1, "files": files}))
    found = source_lock.read(tmp_path / "lock.json")
    assert {sha256[0]: one.edition_seen for sha256, one in found.items()} == {"a": 1, "b": 2, "c": 1}
    one = found["a" * 64]
    assert (one.resolved_via, one.edition, one.filename) == ("import", "2016", "stock.csv")
    assert one.retrieved_at == "2031-03-03T03:00:00+00:00"


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n"), TEXT.replace("\n", "\r"), "\ufeff" + TEXT])
def test_line_ends_and_byte_order_mark_do_not_count_in_the_text(text: str) -> None:
    """The hashes are of the text with single line ends, and of its two names joined by U+001F."""
    facts = source_lock.text_facts(text.encode(), "a.csv")
    assert facts.text_sha256 == hashlib.sha256(b"code,children\nA1,3\nA2,4\n").hexdigest()
    assert facts.header_sha256 == hashlib.sha256(b"code\x1fchildren").hexdigest()
    assert facts.rows == 2


def test_rows_are_records_and_not_lines() -> None:
    """A quoted line break is part of a cell; a blank line at the end is no row."""
    assert source_lock.text_facts(b'a,b\n"one\ntwo",3\n4,5\n\n,\n', "a.csv").rows == 2


def test_a_workbook_has_no_text() -> None:
    facts = source_lock.text_facts(b"PK\x03\x04" + bytes(99), "a.xlsx")
    assert (facts.text_sha256, facts.rows, facts.header_sha256) == (None, None, None)


def test_editions_of_a_release_are_counted_apart_from_other_parts_of_it() -> None:
    entries = {one.sha256: one for one in (entry("a" * 64), entry("b" * 64, edition_seen=2, text_sha256="t"))}
    identity = ("cla_since_2018", 2025, "")
    assert [one.sha256[0] for one in source_lock.of_identity(entries, identity)] == ["a", "b"]
    assert source_lock.next_edition(entries, identity) == 3
    assert source_lock.next_edition(entries, ("cla_since_2018", 2024, "")) == 1
    assert source_lock.with_same_text(entries, identity, "t") == entries["b" * 64]
    assert source_lock.with_same_text(entries, identity, "other") is None
    assert source_lock.with_same_text({"a" * 64: entry("a" * 64)}, identity, None) is None


def test_only_the_newest_edition_is_compared() -> None:
    """Text that comes back after an amendment is news: the amendment was taken back."""
    entries = {
        one.sha256: one for one in (entry("a" * 64, text_sha256="t"), entry("b" * 64, edition_seen=2, text_sha256="u"))
    }
    assert source_lock.with_same_text(entries, ("cla_since_2018", 2025, ""), "t") is None


def test_a_sample_of_the_layouts_has_its_rows() -> None:
    content = small.as_bytes(small.SAMPLES["series"].table)
    assert source_lock.text_facts(content, "a.csv").rows == content.decode("utf-8-sig").strip().count("\n")
