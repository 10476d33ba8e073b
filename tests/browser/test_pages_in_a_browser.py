"""The site as a reader meets it: in a browser, from disk, by keyboard, on a narrow screen and on paper.

What belongs here: what only a browser can tell. What does not: figures and sentences (`tests/pipeline/report`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.report import site
from tests.browser.conftest import Opened
from tests.fixtures.small_report import HOSTILE

Open = Callable[[Path], Opened]

AN_AUTHORITY = "an authority"
PAGES = ("index.html", "authorities.html", AN_AUTHORITY, "side-by-side.html", "news.html", "regressions.html",
         "regressions/specifications-ofsted-good.html", "noise.html", "data-quality.html", "methods.html")  # fmt: skip
MOST_BYTES = 300_000
NARROW, PAPER = 320, 680  # pixels of CSS: a small telephone, and A4 less margins of 15 mm at 96 an inch
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
A4 = (595, 842)  # points


def address(built: site.Built, name: str) -> Path:
    """The file of a page; AN_AUTHORITY is one that has changes to show, from the middle of the list."""
    if name != AN_AUTHORITY:
        return built.folder / name
    pages = sorted((built.folder / "authorities").glob("*.html"))
    return pages[len(pages) // 2]


@pytest.fixture(scope="module", params=PAGES)
def visited(request: pytest.FixtureRequest, wide: Any, demo_site: site.Built) -> Iterator[Opened]:
    """A page of the demonstration country, opened once for all tests of it, its charts drawn."""
    one = Opened(wide, address(demo_site, request.param)).drawn()
    yield one
    one.page.close()


# ---------------------------------------------------------------------------------------------------------------------
# Every page


def test_a_page_opens_without_a_word_on_the_console(visited: Opened) -> None:
    assert visited.said == []
    assert visited.page.locator("h1").count() == 1


def test_a_page_asks_for_nothing_outside_its_folder(visited: Opened, demo_site: site.Built) -> None:
    within = (demo_site.folder.as_uri(), "data:")
    assert [url for url in visited.asked_for if not url.startswith(within)] == []
    assert any(url.endswith("site.css") for url in visited.asked_for), "nothing was listened to"


def test_a_page_of_the_demonstration_is_visibly_fictional(visited: Opened) -> None:
    assert visited.page.title().startswith("FICTIONAL")
    banner = visited.page.locator(".fictional")
    assert banner.is_visible() and banner.bounding_box()["y"] < 100
    assert "does not exist" in banner.inner_text()


def test_a_page_has_no_violation_of_wcag_2_2_aa(visited: Opened) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
    # `preload` would fetch the style sheet once more, which a browser forbids to a page on disk.
    options = {"runOnly": {"type": "tag", "values": list(WCAG)}, "resultTypes": ["violations"], "preload": False}
    found = axe.Axe().run(visited.page, options=options).response
    assert found["passes"], "no rule was applied"
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []


def test_a_page_reads_at_320_pixels_without_scrolling_sideways(visited: Opened) -> None:
    assert width_at(visited, NARROW) <= NARROW


def test_a_page_fits_the_width_of_a4_in_print(visited: Opened) -> None:
    visited.page.emulate_media(media="print")
    try:
        assert width_at(visited, PAPER) <= PAPER
        assert not visited.page.locator("header.site nav").is_visible()
    finally:
        visited.page.emulate_media(media="screen")


def width_at(visited: Opened, width: int) -> int:
    """How wide the content is when the window has a width, in pixels."""
    page = visited.page
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 800})
    found = int(page.evaluate("document.documentElement.scrollWidth"))
    page.set_viewport_size(before)
    return found


def test_pages_are_light(demo_site: site.Built) -> None:
    heavy = {
        path.relative_to(demo_site.folder).as_posix(): path.stat().st_size
        for path in demo_site.folder.rglob("*.html")
        if path.stat().st_size >= MOST_BYTES
    }
    assert heavy == {}


# ---------------------------------------------------------------------------------------------------------------------
# Keyboard, search, sorting

# What a reader can do something with, in the order of the page; what is folded or hidden is not there yet.
REACHABLE = """() => {
  window.reachable = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled);
  window.reached = new Set();
  document.activeElement.blur();
  return window.reachable.length;
}"""
STEP = """() => {
  const one = document.activeElement;
  window.reached.add(one);
  const style = getComputedStyle(one);
  return one === document.body || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
}"""
NOT_REACHED = (
    "() => window.reachable.filter((one) => !window.reached.has(one)).map((one) => one.outerHTML.slice(0, 120))"
)


@pytest.mark.parametrize(
    "name", ["index.html", AN_AUTHORITY, "side-by-side.html", "regressions.html", "data-quality.html"]
)
def test_the_keyboard_alone_reaches_everything_and_shows_where_it_is(
    name: str, opened: Open, demo_site: site.Built
) -> None:
    page = opened(address(demo_site, name)).drawn().page
    count = page.evaluate(REACHABLE)
    assert count > 10
    shown = []
    for _ in range(count):
        page.keyboard.press("Tab")
        shown.append(page.evaluate(STEP))
    assert page.evaluate(NOT_REACHED) == []
    assert all(shown), f"focus cannot be seen at {shown.index(False)}"


def test_the_first_key_leads_past_the_navigation(opened: Open, demo_site: site.Built) -> None:
    page = opened(demo_site.index).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_folded_figures_open_by_keyboard(opened: Open, demo_site: site.Built) -> None:
    page = opened(address(demo_site, "noise.html")).drawn().page
    summary = page.locator("figure summary").first
    table = page.locator("figure table").first
    assert not table.is_visible()
    summary.focus()
    page.keyboard.press("Enter")
    assert table.is_visible()


def test_search_finds_an_authority_by_the_beginning_of_its_name(opened: Open, demo_site: site.Built) -> None:
    page = opened(address(demo_site, "authorities.html")).page
    wanted = page.locator("main ul.places:not(#search-found) a").nth(40)
    name, target = wanted.inner_text(), wanted.get_attribute("href")
    page.locator("#search-words").focus()
    page.keyboard.type(name[:-1].upper())
    found = page.locator("#search-found a")
    assert name in found.all_inner_texts()
    assert page.locator("#search-told").inner_text().endswith("found")
    page.keyboard.type(name[-1])
    assert found.first.get_attribute("href") == target
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{target}")
    assert page.locator("h1").inner_text() == name


def test_search_says_so_when_there_is_nothing(opened: Open, demo_site: site.Built) -> None:
    page = opened(address(demo_site, "authorities.html")).page
    page.locator("#search-words").fill("zzzz")
    assert page.locator("#search-found a").count() == 0
    assert page.locator("#search-told").inner_text() == "0 found"


def test_a_table_is_sorted_by_mouse_and_by_keyboard(opened: Open, demo_site: site.Built) -> None:
    page = opened(demo_site.index).page
    table = page.locator("#table-changes")
    names = table.locator("tbody th").all_inner_texts()
    assert names == sorted(names, key=str.casefold)

    heading = table.locator("thead th.number").first
    at = heading.evaluate("(one) => one.cellIndex")
    values = table.locator(f"tbody td:nth-child({at + 1})")

    def numbers() -> list[float]:
        return [float(value) for value in values.evaluate_all("(all) => all.map((one) => one.dataset.value)") if value]

    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert numbers() == sorted(numbers()) and len(set(numbers())) > 10
    heading.locator("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert numbers() == sorted(numbers(), reverse=True)
    assert table.locator("[aria-sort]").count() == 1


def test_authorities_are_put_side_by_side_and_the_address_remembers_them(opened: Open, demo_site: site.Built) -> None:
    page = opened(demo_site.folder / "side-by-side.html").page
    choices = page.locator("#choosing select")
    assert choices.count() == 5
    names = choices.first.locator("option").all_inner_texts()
    chosen = [names[1], names[-1]]
    for at, name in enumerate(chosen):
        choices.nth(at).select_option(label=name)
    page.wait_for_selector("#side-rates canvas, #side-rates svg")
    assert page.locator("#chosen-told").inner_text() == f"Shown: {'; '.join(chosen)}."
    page.locator("#side-numbers summary").click()
    heads = page.locator("#side-numbers thead th").all_inner_texts()
    assert all(name in heads for name in chosen)
    again = opened(demo_site.folder / "side-by-side.html").page
    again.goto(page.url)
    again.reload()
    assert again.locator("#chosen-told").inner_text() == f"Shown: {'; '.join(chosen)}."


# ---------------------------------------------------------------------------------------------------------------------
# Paper, hostile names, no script


@pytest.mark.parametrize("name", ["index.html", "regressions.html"])
def test_a_page_prints_on_a4(name: str, opened: Open, demo_site: site.Built) -> None:
    written = opened(address(demo_site, name)).drawn().page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", written)
    assert boxes and {(round(float(width)), round(float(height))) for width, height in boxes} == {A4}


def test_a_script_for_a_name_is_a_name(opened: Open, small_site: site.Built) -> None:
    addresses = [
        small_site.index,
        small_site.folder / "authorities.html",
        small_site.folder / "authorities" / "703.html",
    ]
    for one in addresses:
        visited = opened(one).drawn()
        assert HOSTILE in visited.page.locator("body").inner_text()
        assert visited.dialogs == [] and visited.said == []
    page = opened(small_site.folder / "authorities.html").page
    page.locator("#search-words").fill("script")
    assert page.locator("#search-found a").all_inner_texts() == [HOSTILE]
    assert page.locator("#search-found script").count() == 0


def test_without_script_a_page_keeps_its_words_and_tables(browser: Any, demo_site: site.Built) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = Opened(context, address(demo_site, "noise.html")).page
    assert page.locator(".alternative").first.is_visible()
    page.locator("figure summary").first.click()
    assert page.locator("figure table").first.is_visible()
    context.close()
