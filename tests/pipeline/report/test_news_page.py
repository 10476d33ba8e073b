"""News: what is told of the last publication, and that a date is never guessed."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from pipeline.report import news, site
from pipeline.report import published as reading
from pipeline.report.page import Page
from pipeline.report.published import Published
from pipeline.since import FIRST


def drawn(published: Published) -> tuple[Page, str]:
    (page,) = news.pages(published)
    return page, site.render(page, site.environment(), site._common(published, {page.file}))


def test_a_first_publication_says_so_and_no_date_is_guessed(published: Published) -> None:
    page, written = drawn(published)
    assert page.facts["since"] == FIRST
    assert page.facts["next_release"] is None
    assert "is not known here" in written


@pytest.fixture(scope="module")
def later(report_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small country's database, told to be the second publication."""
    database = tmp_path_factory.mktemp("later") / "care_numbers.duckdb"
    shutil.copy(report_database, database)
    database.chmod(0o644)
    facts = {
        "release": "2030-03-11-1",
        "release_before": "2030-01-05-2",
        "since_last_publication": "Files: 1 new, 0 no longer used.",
        news.NEXT_RELEASE: "2030-11-20",
    }
    with duckdb.connect(str(database)) as writing:
        writing.execute("CREATE OR REPLACE TABLE about.run AS FROM about.run")
        writing.execute("DELETE FROM about.run WHERE list_contains(?, property)", [list(facts)])
        writing.executemany("INSERT INTO about.run (property, value) VALUES (?, ?)", list(facts.items()))
    return database


def test_a_later_publication_is_compared_and_a_date_that_was_told_is_shown(later: Path) -> None:
    with reading.opened(later) as published:
        _, written = drawn(published)
    assert "Release 2030-03-11-1 of 11 March 2030, compared with release 2030-01-05-2." in written
    assert "Files: 1 new, 0 no longer used." in written
    assert "next release of children looked after for 20 November 2030" in written
