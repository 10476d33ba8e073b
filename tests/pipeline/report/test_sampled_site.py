"""The report of a country with more places than anyone can read: some have pages, and every figure is still of all."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from pipeline import sample, settings
from pipeline.report import site
from pipeline.report.page import authority_file

PAGES, ROWS = 2, 3
OWN = f"[report]\nauthority_pages = {PAGES}\ntable_rows = {ROWS}\nchart_points = 3\nnames = 2\n"


@pytest.fixture
def sampled(report_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> site.Built:
    own = tmp_path / "own.toml"
    own.write_text(OWN, encoding="utf-8")
    monkeypatch.setenv(settings.SETTINGS_VARIABLE, str(own))
    return site.build(report_database, tmp_path / "report")


def codes(database: Path) -> list[str]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return [code for (code,) in connection.execute("SELECT DISTINCT la_code FROM main.care_numbers").fetchall()]


def test_some_authorities_have_a_page_and_the_list_says_how_many_of_how_many(
    sampled: site.Built, report_database: Path
) -> None:
    all_codes = codes(report_database)
    with_page = [code for code in all_codes if (sampled.folder / authority_file(code)).exists()]
    assert 0 < len(with_page) <= PAGES < len(all_codes)
    listed = (sampled.folder / "authorities.html").read_text(encoding="utf-8")
    assert f"of {len(all_codes)} authorities, every" in listed


def test_no_page_links_to_a_page_that_is_not_there(sampled: site.Built) -> None:
    for page in sampled.folder.rglob("*.html"):
        for address in re.findall(r'href="([^"#?]+\.html)', page.read_text(encoding="utf-8")):
            if "://" not in address:
                assert (page.parent / address).resolve().is_file(), (page.name, address)


def test_a_table_has_no_more_rows_than_there_is_room_for_and_says_so(sampled: site.Built) -> None:
    files = [file.read_text(encoding="utf-8-sig").splitlines() for file in sampled.folder.rglob("*.csv")]
    assert files
    assert max(len(lines) for lines in files) > 1
    pages = [page.read_text(encoding="utf-8") for page in sampled.folder.rglob("*.html")]
    assert any(re.search(r"Shown: \d+ of \d+ rows, every", page) for page in pages)
    for page in pages:
        for body in re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL):
            assert body.count("<tr") <= max(ROWS, PAGES)


def test_what_the_first_page_counts_is_of_all(sampled: site.Built, built: site.Built) -> None:
    """The headline sentences are the same words as in the report that shows everything."""

    def told(one: site.Built) -> str:
        text = (one.folder / site.INDEX).read_text(encoding="utf-8")
        return re.search(r"<h1.*?</h1>\s*(.*?)<h2", text, re.DOTALL)[1]

    assert re.search(r"\d", re.sub(r"<[^>]+>", "", told(built)))
    assert re.sub(r"<[^>]+>", "", told(sampled)) == re.sub(r"<[^>]+>", "", told(built))


def test_nothing_is_left_out_of_a_country_that_fits(built: site.Built) -> None:
    for page in built.folder.rglob("*.html"):
        assert "every 2nd in their order" not in page.read_text(encoding="utf-8")
    assert sample.told(172, settings.load().report.authority_pages, "authorities") == ""
