"""The site as files: whole, without a network, accessible in its markup, and safe from the texts of source files."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest

from pipeline.errors import Refusal
from pipeline.report import methods, site
from pipeline.report.page import Page
from pipeline.report.published import Published
from tests.fixtures.small_report import HOSTILE, publish_small
from tests.test_words import forbidden

_VOID = {"meta", "link", "br", "img", "hr", "input", "col", "wbr"}
_LIMIT = 300_000  # bytes of a page


class Read(HTMLParser):
    """One page taken apart: elements with their attributes, visible text, ids, headings, the JSON it carries."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.json: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "script" and dict(attrs).get("type") == "application/json":
            self.json.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if "script" not in self.open:
            self.text.append(data)
        elif self.json and self.elements[-1][1].get("type") == "application/json":
            self.json[-1] += data

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


@pytest.fixture(scope="module")
def pages(built: site.Built) -> dict[str, Read]:
    """Every page by its file."""
    files = sorted(built.folder.rglob("*.html"))
    return {file.relative_to(built.folder).as_posix(): Read(file.read_text(encoding="utf-8")) for file in files}


def test_what_was_built(built: site.Built, pages: dict[str, Read]) -> None:
    assert built.index == built.folder / "index.html"
    assert built.index.exists()
    assert {"index.html", "methods.html"} <= set(pages)
    assert built.pages == len(pages)
    assert built.largest_page_bytes == max(file.stat().st_size for file in built.folder.rglob("*.html")) < _LIMIT
    assert not [path for path in built.folder.parent.iterdir() if path != built.folder]  # no leftovers beside it


# ---------------------------------------------------------------------------------------------------------------------
# Without a network, and every link leads somewhere


def test_no_page_asks_for_anything_from_outside(pages: dict[str, Read], built: site.Built) -> None:
    for file, page in pages.items():
        for name in ("src", "href"):
            addresses = [element[name] for _, element in page.elements if element.get(name)]
            assert not [one for one in addresses if re.match(r"[a-z]+:|//", str(one)) and one != "data:,"], file
        assert not [element for _, element in page.elements if any(name.startswith("on") for name in element)], file
    own = [(built.folder / "static" / name).read_text(encoding="utf-8") for name in ("site.css", "site.js")]
    assert not [text for text in own if re.search(r"https?://|@import|fetch\(|XMLHttpRequest|url\(", text)]


def test_every_link_leads_to_a_file_or_a_part_of_a_page(pages: dict[str, Read], built: site.Built) -> None:
    ids = {file: {element["id"] for _, element in page.elements if element.get("id")} for file, page in pages.items()}
    lost = []
    for file, page in pages.items():
        for link in (str(one["href"]) for one in page.of("a", "link") if one["href"] != "data:,"):
            path, _, part = link.partition("#")
            target = (built.folder / file).parent / path if path else built.folder / file
            name = target.resolve().relative_to(built.folder.resolve()).as_posix()
            is_choice = (
                name == "side-by-side.html"
            )  # there the script reads the authorities chosen, and nothing is named so
            if not target.exists() or (part and part not in ids[name] and not is_choice):
                lost.append((file, link))
    assert not lost


# ---------------------------------------------------------------------------------------------------------------------
# Markup


def test_every_page_is_one_document_in_english_with_its_banner_and_footer(pages: dict[str, Read]) -> None:
    for file, page in pages.items():
        assert not page.open, file
        assert page.of("html")[0]["lang"] == "en-GB"
        assert len(page.of("h1")) == len(page.of("main")) == 1, file
        assert page.of("a")[0] == {"class": "skip", "href": "#content"}
        assert [element for element in page.of("a") if element.get("aria-current")], file
        assert "FICTIONAL. Sarnland does not exist." in page.words
        assert "11 March 2030" in page.words and "is not a league table" in page.words


def test_real_pages_have_no_fictional_banner(tmp_path: Path) -> None:
    built = site.build(publish_small(tmp_path, is_fictional="false"), tmp_path / "report")
    assert "FICTIONAL" not in built.index.read_text(encoding="utf-8")
    assert "fictional" not in (built.folder / "tables" / "index-changes.csv").read_text(encoding="utf-8-sig")


def test_headings_are_in_order(pages: dict[str, Read]) -> None:
    for file, page in pages.items():
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1, file
        assert all(later <= before + 1 for before, later in zip(levels, levels[1:], strict=False)), (file, levels)


def test_ids_are_unique(pages: dict[str, Read]) -> None:
    for file, page in pages.items():
        ids = [element["id"] for _, element in page.elements if element.get("id")]
        assert len(ids) == len(set(ids)), file


def test_tables_have_a_caption_headings_with_scope_and_a_region_for_the_keyboard(pages: dict[str, Read]) -> None:
    for file, page in pages.items():
        tables = page.of("table")
        assert len(page.of("caption")) == len(tables), file
        assert {element.get("scope") for element in page.of("th")} <= {"col", "row"}, file
        regions = [one for one in page.of("div") if str(one.get("class")).startswith("scroll")]
        assert len(regions) == len(tables)
        assert all(one["tabindex"] == "0" and one["role"] == "region" and one["aria-labelledby"] for one in regions)


def test_every_chart_has_a_text_a_table_and_its_method(pages: dict[str, Read]) -> None:
    charts = pages["index.html"].of("figure")
    assert len(charts) >= 3
    for file, page in pages.items():
        drawings = [one for one in page.of("div") if one.get("data-chart")]
        ids = {element.get("id") for _, element in page.elements}
        for one in drawings:
            assert {f"{one['data-chart']}-alternative", f"spec-{one['data-chart']}"} <= ids, file
        summaries = [one for one in page.of("a") if "methods.html#" in str(one.get("href"))]
        assert len(summaries) >= len(drawings), file


def test_the_methods_page_has_all_its_parts(pages: dict[str, Read]) -> None:
    headings = [element["id"] for element in pages["methods.html"].of("h2")]
    assert headings == list(methods.PARTS)


def test_the_words_of_the_pages(pages: dict[str, Read]) -> None:
    for file, page in pages.items():
        assert not forbidden(page.words), file


# ---------------------------------------------------------------------------------------------------------------------
# Texts of source files


def test_a_hostile_name_is_shown_as_text(pages: dict[str, Read]) -> None:
    index = pages["index.html"]
    assert HOSTILE in index.words
    scripts = index.of("script")
    assert all(one.get("src") or one.get("type") == "application/json" for one in scripts)


def test_data_in_a_page_cannot_end_their_element(pages: dict[str, Read], built: site.Built) -> None:
    specs = [json.loads(text) for text in pages["index.html"].json]
    assert HOSTILE in json.dumps(specs, ensure_ascii=False).replace('\\"', '"')
    html = built.index.read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "\\u003cscript\\u003ealert" in html


def test_a_missing_variable_stops_the_build(published: Published) -> None:
    engine = site.environment()
    page = Page("a.html", "overview", "A", "overview.html")
    with pytest.raises(jinja2.UndefinedError):
        site.render(page, engine, {})


def test_a_number_that_is_none_stops_the_build() -> None:
    engine = site.environment()
    with pytest.raises(ValueError, match="not JSON compliant"):
        engine.from_string("{{ value | tojson }}").render(value=float("nan"))


# ---------------------------------------------------------------------------------------------------------------------
# CSV files


def test_csv_files_have_the_rows_of_their_tables_and_say_that_they_are_fictional(built: site.Built) -> None:
    with (built.folder / "tables" / "index-changes.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["unit_name"] for row in rows} == {"Marlshire", "Kings Ferry, City of", HOSTILE}
    assert {row["country"] for row in rows} == {"Sarnland (fictional)"}


# ---------------------------------------------------------------------------------------------------------------------
# Building


def test_a_build_that_fails_leaves_the_old_site(
    report_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "report"
    site.build(report_database, folder)
    (folder / "mark").touch()

    def refuse() -> str:
        raise OSError("no space")

    monkeypatch.setattr(site, "_charts_script", refuse)
    with pytest.raises(OSError, match="no space"):
        site.build(report_database, folder)
    assert (folder / "mark").exists() and (folder / "index.html").exists()
    assert list(tmp_path.iterdir()) == [folder]


def test_a_new_build_replaces_the_old_site_whole(report_database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "old.html").touch()
    site.build(report_database, folder)
    assert not (folder / "old.html").exists()
    assert list(tmp_path.iterdir()) == [folder]


def test_a_site_is_current_until_there_is_another_publication(report_database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    assert not site.is_current(report_database, folder)
    site.build(report_database, folder)
    assert site.is_current(report_database, folder)
    other = publish_small(tmp_path / "other", run_id="00000000-0000-0000-0000-000000000002")
    assert not site.is_current(other, folder)


def test_without_a_database_there_is_nothing_to_build(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no published database"):
        site.build(tmp_path / "care_numbers.duckdb", tmp_path / "report")
    assert list(tmp_path.iterdir()) == []
