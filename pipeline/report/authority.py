"""A page for every authority and combined unit, and the list by which they are found.

What belongs here: which parts a page has and their sentences. What does not: what is told (`stories`), what is drawn
(`authority_charts`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline import evidence, profile
from pipeline.database import Record
from pipeline.report import authority_charts as drawn
from pipeline.report import numbers
from pipeline.report.page import Column, DataTable, Page
from pipeline.report.published import Published
from pipeline.report.stories import Story, stories

_WINDOW = Column("window", "Window")
_ALTERNATES = {
    "other_length": "Over another number of years",
    "year_earlier": "A year earlier at both ends",
    "two_year_means": "From means of two years",
    "median_slope": "By the median slope of the years",
    "excluding_uasc": "Without unaccompanied children",
    "number": "By number instead of rate",
    "older_counts": "By the counts as first published",
    "starts": "By the children who started",
}
_KINDS = {
    "count": "the count",
    "population": "the population",
    "rate_only": "only the rate, because the population under it was revised",
}


def pages(published: Published) -> Iterator[Page]:
    """The list of authorities, then one page each."""
    told = stories(published)
    yield _list(told, published.about.country)
    for story in told:
        yield _page(story, published.about.country)


def _list(told: list[Story], country: str) -> Page:
    """Alphabetical; the search is over what stands in the list."""
    return Page(
        file="authorities.html",
        section="authorities",
        title="Authorities",
        template="authorities.html",
        facts={
            "living": [story for story in told if story.is_living and not story.members],
            "ended": [story for story in told if not story.is_living],
            "combined": [story for story in told if story.members],
        },
        inlined={
            "search": [
                {"name": story.label, "page": story.page, "words": f"{story.unit_id} {story.ons_codes} {story.region}"}
                for story in told
            ]
        },
        description=f"Every local authority of {country}, in alphabetical order.",
    )


def _page(story: Story, country: str) -> Page:
    charts = [
        drawn.number(story),
        drawn.rate(story, country),
        drawn.flow(story),
        drawn.changes(story, country),
        drawn.events(story),
        drawn.deprivation(story, country),
    ]
    return Page(
        file=story.page,
        section="authorities",
        title=story.label,
        template="authority.html",
        charts=[chart for chart in charts if chart is not None],
        tables=list(_tables(story, country)),
        facts={
            "story": story,
            "newest": story.windows[0] if story.windows else None,
            "newest_year": _newest_year(story),
            "sentences": _sentences(story, country),
            "no_programme": None if story.members or _has_programme(story) else profile.NO_PROGRAMME,
            "never_compared": not story.windows,
            "is_joined": any(row["page"] for row in story.windows),
        },
        description=f"{story.label}: children looked after, and how the rate moved against {country}'s.",
    )


def _newest_year(story: Story) -> Record | None:
    known = [row for row in story.years if row["looked_after"] is not None]
    return known[-1] if known else None


def _has_programme(story: Story) -> bool:
    return any(row["kind"] != "Judgement" for row in story.events)


def _sentences(story: Story, country: str) -> list[str]:
    """The newest window in plain words."""
    if not story.windows:
        return []
    row = story.windows[0]
    as_unit = "" if row["page"] is None else f" It is compared as one with others: {row['unit_name']}."
    said = [
        f"From {row['window']} the rate changed by {numbers.signed_pct(row['change_pct'])}; {country}'s changed by "
        f"{numbers.signed_pct(row['england_change_pct'])}.{as_unit}",
        ("Together: " if as_unit else "") + in_children(row, country),
        row["why"],
    ]
    if row["evidence"] is not None:
        said.append(
            f"Against the usual range of {numbers.between(row['usual_low_pct'], row['usual_high_pct'])} relative to "
            f"{country}, its change of {numbers.signed_pct(row['relative_change_pct'])} is {row['evidence_words']}."
        )
    else:
        said.append(f"Whether that is more than usual movement is not judged: {numbers.words(row['evidence_reason'])}.")
    if row["agreeing"]:
        said.append(f"The result is the same in {row['agreeing']} other ways of looking at it.")
    return said


def in_children(row: Record, country: str) -> str:
    """A change in children: how many there are, and how many there would be had the rate moved with the country's."""
    apart = round(row["looked_after_end"]) - round(row["expected"])
    there = f"{numbers.many(row['looked_after_end'], 'child', 'children')} in {row['window_end']}"
    if not apart:
        return f"{there}; it would be as many had its rate moved with {country}'s."
    return f"{there}; it would be {numbers.count(row['expected'])} had its rate moved with {country}'s."


def _tables(story: Story, country: str) -> Iterator[DataTable]:
    if story.windows:
        yield _children(story, country)
        yield _flags(story, country)
    if story.alternates:
        yield _choices(story)
    if story.exclusions:
        yield DataTable(
            "left-out",
            f"{story.label}: left out of windows, or joined with others",
            (
                _WINDOW,
                Column("what", "What", link="page"),
                Column("reason", "Reason", "words"),
                Column("detail", "In detail"),
            ),
            story.exclusions,
        )
    if story.left_out:
        yield DataTable(
            "regressions-left-out",
            f"{story.label}: left out of regressions",
            (
                _WINDOW,
                Column("unit_id", "Unit"),
                Column("reason", "Reason", "words"),
                Column("n_models", "Models", "count"),
                Column("models", "which"),
            ),
            story.left_out,
        )
    if story.revisions:
        yield _revisions(story)


def _children(story: Story, country: str) -> DataTable:
    return DataTable(
        "children",
        f"{story.label}: the changes in children",
        (
            _WINDOW,
            Column("unit_name", "Compared as", link="page"),
            Column("looked_after_start", "Children at the start", "count"),
            Column("looked_after_end", "at the end", "count"),
            Column("expected", f"had its rate moved with {country}'s", "count"),
            Column("apart", "Difference", "signed_count"),
        ),
        story.windows,
        note="Arithmetic that gives a sense of scale, and no target. Rounded to whole children.",
    )


def _flags(story: Story, country: str) -> DataTable:
    rows = [row | {"flag": profile.bucked(row["bucked"], country), "grade": _grade(row)} for row in story.windows]
    return DataTable(
        "flags",
        f"{story.label}: what the flags say, and why",
        (
            _WINDOW,
            Column("flag", "Flag"),
            Column("why", "Why"),
            Column("grade", "Evidence", reason="evidence_reason"),
            Column("agreeing", "Same in other ways", reason="robust_reason"),
        ),
        rows,
    )


def _grade(row: Record) -> str | None:
    told = {evidence.A: evidence.EXCEPTIONAL, evidence.B: evidence.LARGER, evidence.C: evidence.USUAL}
    return told.get(row["evidence"])


def _choices(story: Story) -> DataTable:
    rows: list[dict[str, Any]] = [
        row
        | {
            "way": _ALTERNATES.get(row["alternate"], numbers.words(row["alternate"])),
            "same": row["agrees"] if row["available"] else None,
        }
        for row in story.alternates
    ]
    return DataTable(
        "choices",
        f"{story.label}: {story.windows[0]['window']} in other ways",
        (
            Column("way", "Looked at"),
            Column("movement", "Movement", "words", reason="reason"),
            Column("relative", "Relative to the country", "words", reason="reason"),
            Column("same", "Same as the flag", "yes_no", reason="reason"),
        ),
        rows,
    )


def _revisions(story: Story) -> DataTable:
    return DataTable(
        "revisions",
        f"{story.label}: figures that the publisher revised",
        (
            Column("year", "Year", "year"),
            Column("measure_words", "Figure"),
            Column("release_from", "Release", "year"),
            Column("value_from", "said", "count"),
            Column("release_to", "Release", "year"),
            Column("value_to", "said", "count"),
            Column("difference", "Difference", "signed_count"),
            Column("moved", "What moved"),
        ),
        [row | {"moved": _KINDS.get(row["kind"], numbers.words(row["kind"]))} for row in story.revisions],
        note="Every pair of releases that give a figure differently. Results use the newest release of a year.",
    )
