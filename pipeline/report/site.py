"""The site as a whole: which pages there are, in which order they are listed, and writing them.

What belongs here: the list of pages, the templates' common variables, files. What does not: what a page says.

The folder is made beside the old one and takes its name when it is whole. Nothing in it asks for a network: styles and
scripts are files of it, data are inside the pages, for a browser lets no page read a file beside it.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from pipeline import sample, sentences, settings
from pipeline.report import (
    authority,
    cells,
    methods,
    news,
    noise,
    numbers,
    overview,
    quality,
    regressions,
    side_by_side,
)
from pipeline.report.page import DataTable, Page, authority_file, by_name
from pipeline.report.published import Published, opened

# Section -> label and page of its entry in the navigation; an entry without a page is left out.
NAVIGATION: dict[str, tuple[str, str]] = {
    "overview": ("Overview", "index.html"),
    "authorities": ("Authorities", "authorities.html"),
    "side_by_side": ("Side by side", "side-by-side.html"),
    "news": ("News", "news.html"),
    "regressions": ("Regressions", "regressions.html"),
    "noise": ("Is it noise?", "noise.html"),
    "quality": ("Data quality", "data-quality.html"),
    "methods": ("Methods", "methods.html"),
}
PAGES: tuple[Callable[[Published], Iterable[Page]], ...] = (
    overview.pages,
    authority.pages,
    side_by_side.pages,
    news.pages,
    regressions.pages,
    noise.pages,
    quality.pages,
    methods.pages,
)

_OF_EACH_AUTHORITY = (authority.pages, side_by_side.pages)

INDEX = "index.html"
STAMP = "BUILT"
_HERE = Path(__file__).resolve().parent
_CHARTS_SCRIPT = "static/vega.js"
_TELL_CHARTS = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True)
class Built:
    """A finished site: its folder, its first page, how many pages, the bytes of the largest, and those of all files."""

    folder: Path
    index: Path
    pages: int
    largest_page_bytes: int
    bytes: int


def build(database: Path, folder: Path) -> Built:
    """Write the site of a published database into a folder, in place of the one that was there.

    Raises Refusal when there is no database. A build that fails leaves the old site as it was.
    """
    stamp = _stamp(database)
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.building")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
        sizes = _write(database, beside)
        (beside / STAMP).write_text(stamp, encoding="utf-8")
        _swap(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    everything = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Built(folder, folder / INDEX, len(sizes), max(sizes), everything)


def is_current(database: Path, folder: Path) -> bool:
    """Whether a folder holds the site of this database, written by these templates."""
    try:
        return (folder / STAMP).read_text(encoding="utf-8") == _stamp(database)
    except FileNotFoundError:
        return False


def _stamp(database: Path) -> str:
    code = hashlib.sha256()
    for path in sorted(path for path in _HERE.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        code.update(path.relative_to(_HERE).as_posix().encode() + path.read_bytes())
    with opened(database) as published:
        run = published.run
    return f"release {run.get('release', '')}\nrun {run['run_id']}\nreport {code.hexdigest()}\n"


def _swap(beside: Path, folder: Path) -> None:
    """Give the new folder the name. A folder cannot take the place of another in one step; the old one goes aside first."""
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(beside, folder)
    shutil.rmtree(old, ignore_errors=True)


# ---------------------------------------------------------------------------------------------------------------------
# Writing


def _write(database: Path, folder: Path) -> list[int]:
    """All files of the site; the bytes of each page."""
    with opened(database) as published:
        pages = [_within_limits(page) for of_module in PAGES for page in of_module(_told_from(of_module, published))]
        sizes = list(write_pages(pages, published, folder))
    shutil.copytree(_HERE / "static", folder / "static")
    (folder / _CHARTS_SCRIPT).write_text(_charts_script(), encoding="utf-8")
    return sizes


def _told_from(of_module: Callable[[Published], Iterable[Page]], published: Published) -> Published:
    return published.of_pages if of_module in _OF_EACH_AUTHORITY else published


def _within_limits(page: Page) -> Page:
    """The page with no table longer than anyone reads; a longer one shows some of its rows and says which."""
    most = settings.load().report.table_rows
    if all(len(table.rows) <= most for table in page.all_tables()):
        return page

    def shortened(table: DataTable) -> DataTable:
        told = sample.told(len(table.rows), most, "rows")
        note = " ".join(part for part in (table.note, told) if part)
        return dataclasses.replace(table, rows=sample.every(table.rows, most), note=note)

    return dataclasses.replace(
        page,
        tables=[shortened(table) for table in page.tables],
        charts=[dataclasses.replace(chart, table=shortened(chart.table)) for chart in page.charts],
    )


def write_pages(pages: list[Page], published: Published, folder: Path) -> Iterator[int]:
    """Draw each page and write it with the CSV files of its tables; yields the bytes of each page."""
    files = {page.file for page in pages}
    engine = environment(files)
    country = published.about.country + (" (fictional)" if published.about.is_fictional else "")
    common = _common(published, files)
    for page in pages:
        drawn = render(page, engine, common).encode("utf-8")
        _fresh(folder / page.file).write_bytes(drawn)
        for table in by_name(page.all_tables(), page.file).values():
            _fresh(folder / page.csv_file(table)).write_text(table.csv(country), encoding="utf-8-sig")
        yield len(drawn)


def render(page: Page, engine: jinja2.Environment, common: dict[str, Any]) -> str:
    """The HTML of a page."""
    return engine.get_template(page.template).render(
        common,
        page=page,
        root=page.root,
        charts=by_name(page.charts, page.file),
        tables=by_name(page.tables, page.file),
        **page.facts,
    )


def environment(files: Collection[str] | None = None) -> jinja2.Environment:
    """The template engine: every text is escaped, and a variable that is not there is an error.

    Tables link to pages among `files` only; to any where none are given.
    """
    engine = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # `tojson` also writes <, >, & and ' as escapes, so no data can end the element that they stand in.
    engine.policies["json.dumps_kwargs"] = {
        "allow_nan": False,
        "ensure_ascii": False,
        "separators": (",", ":"),
        "default": _plain,
    }
    engine.filters |= numbers.SHOW | {"drawn": _drawn, "sentences_apart": numbers.sentences_apart}
    engine.globals |= {
        "between": numbers.between,
        "many": numbers.many,
        "authority_file": authority_file,
        "body_of": functools.partial(cells.body, files=files),
    }
    return engine


def _drawn(part: Any) -> Any:
    """A specification with six significant digits, which is finer than any screen; the CSV file has them all."""
    if isinstance(part, dict):
        return {key: _drawn(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_drawn(value) for value in part]
    if isinstance(part, float | np.floating):
        return float(f"{float(part):.6g}")
    return part


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be put into a page")


def _common(published: Published, files: set[str]) -> dict[str, Any]:
    """The variables of every template."""
    return {
        "about": published.about,
        "run": published.run,
        "navigation": {key: entry for key, entry in NAVIGATION.items() if entry[1] in files},
        "always": sentences.ALL,
        "sampled": published.sampled,
    }


@functools.cache
def _charts_script() -> str:
    """Vega-Lite and what draws it, as one script that needs no network. Slow to import, so only here."""
    import vl_convert

    return str(vl_convert.javascript_bundle(_TELL_CHARTS))


def _fresh(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
