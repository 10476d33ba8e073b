"""News: what changed since the last publication, which releases are the newest, and when the next one is due.

What belongs here: the page. What does not: comparing publications (`since`), what the publisher revised (`revisions`).

A date of a next release is shown only where a publisher told it (`NEXT_RELEASE` of `about.run`); it is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.database import Record
from pipeline.publish import NONE, SINCE
from pipeline.report import numbers
from pipeline.report.page import Column, DataTable, Page
from pipeline.report.published import Published
from pipeline.report.stories import MEASURES

NEXT_RELEASE = "next_release_date"


def pages(published: Published) -> Iterator[Page]:
    """The page of news."""
    newest = _newest(published)
    tables = [_releases(newest)]
    if published.has("main.revisions_summary"):
        tables.append(_revised(published))
    run = published.run
    yield Page(
        file="news.html",
        section="news",
        title="News",
        template="news.html",
        tables=tables,
        facts={
            "since": run[SINCE],
            "before": None if run["release_before"] == NONE else run["release_before"],
            "next_release": run.get(NEXT_RELEASE),
            "newest": newest,
        },
        description="What changed since the last publication.",
    )


def _newest(published: Published) -> list[Record]:
    """The newest release of every publication, in alphabetical order."""
    rows = published.rows(
        "SELECT publication, publisher, max(release) AS release, count(*) AS files, max(retrieved) AS retrieved"
        " FROM about.sources WHERE publication <> 'reference' GROUP BY publication, publisher"
        " ORDER BY publication, publisher"
    )
    return [
        row | {"publication_words": numbers.words(row["publication"]), "not_told": "files of a folder, without a date"}
        for row in rows
    ]


def _releases(rows: list[Record]) -> DataTable:
    return DataTable(
        "releases",
        "The newest release of each publication",
        (
            Column("publication_words", "Publication"),
            Column("publisher", "Publisher"),
            Column("release", "Newest release", "year"),
            Column("files", "Files", "count"),
            Column("retrieved", "Newest file retrieved", "day", reason="not_told"),
        ),
        rows,
    )


def _revised(published: Published) -> DataTable:
    """What the newest release revised of the ones before it."""
    rows = published.rows(
        "SELECT * FROM main.revisions_summary WHERE release_to = (SELECT max(release_to) FROM main.revisions_summary)"
        " ORDER BY release_from DESC, measure"
    )
    rows = [row | {"measure_words": MEASURES.get(row["measure"], numbers.words(row["measure"]))} for row in rows]
    return DataTable(
        "revised",
        "Figures that the newest release gives differently from the ones before it",
        (
            Column("measure_words", "Figure"),
            Column("release_from", "Against the release of", "year"),
            Column("n_compared", "Figures compared", "count"),
            Column("n_changed", "of them different", "count"),
            Column("median_change", "Median size", "decimal", reason="reason"),
            Column("largest_change", "Largest", "count", reason="reason"),
        ),
        rows,
    )
