"""What is told of each authority: the published rows of all of them, read once and sorted to their pages.

What belongs here: queries, their grouping, and the words for a row. What does not: how a page looks (`authority`) and what
its charts draw (`authority_charts`).

A story is that of an authority, or of a combined unit: authorities that are compared as one because a boundary moved
between them. An authority's story has the windows in which it was compared alone and those in which it was part of a unit.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipeline import exclusions, profile, settings
from pipeline.chart_parts import years_of
from pipeline.database import Record
from pipeline.report import numbers
from pipeline.report.page import authority_file
from pipeline.report.published import Published
from pipeline.settings import ClassSettings

JOINT = "+"  # between the codes of a combined unit
_PROGRAMMES = {
    "innovation_r1": "Innovation Programme, first round",
    "innovation_r2": "Innovation Programme, second round",
    "partners_in_practice": "Partners in Practice",
    "sfpc": "Strengthening Families, Protecting Children",
}
MEASURES = {
    "looked_after": "children looked after",
    "started": "children who started",
    "ceased": "children who ceased",
    "population_0_17": "children aged 0-17",
    "looked_after_rate_per_10k": "looked after per 10,000",
    "started_rate_per_10k": "started per 10,000",
    "ceased_rate_per_10k": "ceased per 10,000",
}
_OPPOSITE = {"up": "down", "down": "up"}
_WENT = {"up": "rose", "down": "fell"}


@dataclass(frozen=True)
class Story:
    """Everything that a page tells of one authority or combined unit. Lists hold plain records in the order of telling.

    `name` is the authority's, `label` also tells it from another one of the same name. `members` are the codes of a
    combined unit, empty for an authority. `standing` are sentences of why it is unlike others: ended, new, left out.
    `windows` are newest first, the longer first of those that end together, and `alternates` those of the first of them;
    `neighbours` are nearest first.
    """

    unit_id: str
    name: str
    label: str
    region: str
    ons_codes: str
    is_living: bool
    members: list[str]
    standing: list[str]
    related: list[Record]
    years: list[Record] = field(default_factory=list)
    rates: list[Record] = field(default_factory=list)
    windows: list[Record] = field(default_factory=list)
    alternates: list[Record] = field(default_factory=list)
    exclusions: list[Record] = field(default_factory=list)
    left_out: list[Record] = field(default_factory=list)
    revisions: list[Record] = field(default_factory=list)
    events: list[Record] = field(default_factory=list)
    deprivation: list[Record] = field(default_factory=list)
    neighbours: list[Record] = field(default_factory=list)

    @property
    def page(self) -> str:
        """The address of its page, from the folder of the site."""
        return authority_file(self.unit_id)


Grouped = dict[str, list[Record]]


def stories(published: Published) -> list[Story]:
    """The story of every authority and every combined unit, in alphabetical order. One query a table."""
    windows = _windows(published)
    country_deprivation = published.rows("SELECT * FROM core.deprivation_england ORDER BY measure, basis, year")
    of_code: dict[str, Grouped] = {
        "years": _by(published.rows("SELECT * FROM main.care_numbers ORDER BY la_code, year"), "la_code"),
        "rates": _by(published.rows("SELECT * FROM main.neighbour_comparison ORDER BY la_code, year"), "la_code"),
        "windows": _of_members(windows),
        "exclusions": _by(_exclusions(published), "la_code"),
        "left_out": _by(_left_out(published), "la_code"),
        "revisions": _by(_revisions(published), "la_code"),
        "events": _by(_events(published), "la_code"),
        "deprivation": _by(_deprivation(published, country_deprivation), "la_code"),
        "neighbours": _by(_neighbours(published), "la_code"),
    }
    of_unit: dict[str, Grouped] = {"windows": _by([row | {"page": None} for row in windows], "unit_id")}
    alternates = _by(
        published.rows("SELECT * FROM main.five_year_change_alternates ORDER BY window_id, unit_id, alt_id"), "unit_id"
    )
    found = [*_authorities(published), *_units(published, windows)]
    told = []
    for story in found:
        parts = of_unit if story.members else of_code
        lists = {name: groups.get(story.unit_id, []) for name, groups in parts.items()}
        lists["alternates"] = _of_newest(lists["windows"], alternates)
        told.append(Story(**{**story.__dict__, **lists}))
    return sorted(told, key=lambda story: (story.label.casefold(), story.unit_id))


def _by(rows: Iterable[Record], key: str) -> Grouped:
    groups: Grouped = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return dict(groups)


def _of_members(windows: Iterable[Record]) -> Grouped:
    """Windows by the code of every authority whose children are in the unit."""
    groups: Grouped = defaultdict(list)
    for row in windows:
        for code in row["members"].split(JOINT):
            groups[code].append(row if row["unit_id"] != code else row | {"page": None})
    return dict(groups)


def _of_newest(windows: list[Record], alternates: Grouped) -> list[Record]:
    if not windows:
        return []
    newest = windows[0]
    return [row for row in alternates.get(newest["unit_id"], []) if row["window_id"] == newest["window_id"]]


# ---------------------------------------------------------------------------------------------------------------------
# Who there is


def _authorities(published: Published) -> Iterator[Story]:
    """Every authority of the lookup, those that have ended or are too small included, without its lists."""
    rows = published.rows(
        "SELECT la_code, la_name, region, list(ons_code ORDER BY ons_code_from) AS ons_codes, max(in_being_to) AS ended,"
        " min(in_being_from) AS began, bool_or(is_too_small) AS is_too_small"
        " FROM core.local_authorities GROUP BY la_code, la_name, region ORDER BY la_name, la_code"
    )
    moves = published.rows(
        "SELECT DISTINCT old_code, new_code, effective_date FROM core.area_changes WHERE old_code <> new_code"
        " ORDER BY effective_date, old_code, new_code"
    )
    shared = {name for name, own in _by(rows, "la_name").items() if len(own) > 1}
    names = {row["la_code"]: row["la_name"] for row in rows}
    for row in rows:
        after = [move["new_code"] for move in moves if move["old_code"] == row["la_code"]] if row["ended"] else []
        before = [move["old_code"] for move in moves if move["new_code"] == row["la_code"]] if row["began"] else []
        yield Story(
            unit_id=row["la_code"],
            name=row["la_name"],
            label=_label(row, is_shared=row["la_name"] in shared),
            region=row["region"],
            ons_codes=", ".join(row["ons_codes"]),
            is_living=row["ended"] is None,
            members=[],
            standing=_standing(row),
            related=[
                {"name": names[code], "page": authority_file(code), "how": how}
                for codes, how in ((after, "has taken over its area or part of it"), (before, "had its area before"))
                for code in codes
                if code in names
            ],
        )


def _label(authority: Record, *, is_shared: bool) -> str:
    if authority["ended"]:
        return f"{authority['la_name']} (until {numbers.day(authority['ended'])})"
    if is_shared and authority["began"]:
        return f"{authority['la_name']} (since {numbers.day(authority['began'])})"
    return str(authority["la_name"])


def _standing(authority: Record) -> list[str]:
    said = []
    if authority["ended"]:
        said.append(f"This authority ended on {numbers.day(authority['ended'])}. Its last figures are shown.")
    if authority["began"]:
        said.append(f"This authority began on {numbers.day(authority['began'])}.")
    if authority["is_too_small"]:
        said.append(
            "It is left out of every comparison: too few children live here for a rate to mean anything. Many of its "
            "figures are hidden by the publisher so that nobody can be recognised."
        )
    return said


def _units(published: Published, windows: list[Record]) -> Iterator[Story]:
    """Every combined unit of a window, without its lists."""
    for unit_id, own in _by(windows, "unit_id").items():
        if JOINT not in unit_id:
            continue
        codes = list(dict.fromkeys(code for row in own for code in row["members"].split(JOINT)))
        yield Story(
            unit_id=unit_id,
            name=own[0]["unit_name"],
            label=own[0]["unit_name"],
            region=own[0]["region"],
            ons_codes="",
            is_living=True,
            members=codes,
            standing=[
                "These authorities are added up and compared as one, because a boundary moved between them or because "
                "population estimates know only their sum."
            ],
            related=[
                {"name": published.pages_of[code], "page": authority_file(code), "how": "is part of it"}
                for code in codes
                if code in published.pages_of
            ],
        )


# ---------------------------------------------------------------------------------------------------------------------
# What is known


def _windows(published: Published) -> list[Record]:
    """Every unit of every window, newest window first, with the words of its flags."""
    rows = published.rows(
        "SELECT c.*, n.neighbour_median_change_pct, n.neighbours, n.neighbours_used, n.neighbour_reason,"
        " n.region_change_pct FROM main.five_year_change AS c"
        " LEFT JOIN main.neighbour_change AS n USING (window_id, unit_id)"
        " ORDER BY c.window_end DESC, c.window_start, c.window_id, c.unit_name"
    )
    classes = settings.load().classes
    country = published.about.country
    return [_told(row, classes, country) for row in rows]


def _told(row: Record, classes: ClassSettings, country: str) -> Record:
    expected = with_the_country(row["looked_after_end"], row["relative_change_pct"])
    if row["alternates_available"]:
        agreeing = f"{row['alternates_agreeing']} of {row['alternates_available']}"
    else:
        agreeing = None
    return row | {
        "window": years_of(row),
        "page": authority_file(row["unit_id"]),
        "expected": expected,
        "apart": row["looked_after_end"] - expected,
        "why": why(row, classes, country),
        "agreeing": agreeing,
        "evidence_words": (row["evidence_text"] or "").split(":")[0] or None,
    }


def with_the_country(looked_after_end: int, relative_change_pct: float) -> float:
    """Children at the end of a window had the rate moved exactly as the country's did (methods page, "children").

    The rate at the start, moved as the country's, times the children living there at the end; which is the number at
    the end divided by the relative change.
    """
    return looked_after_end / (1 + relative_change_pct / 100)


def why(row: Record, classes: ClassSettings, country: str) -> str:
    """Why a unit of a window has the flag it has: the classes of its change in words (methods.md C3)."""
    direction, movement = row["england_direction"], row["movement"]
    if row["bucked"] is None:
        return f"{country}'s rate had no clear direction, so nobody can have moved against it."
    nation = f"{country}'s rate {_WENT[direction]}"
    if row["bucked"]:
        return (
            f"{nation} and its own {_WENT[movement]} by {numbers.whole_pct(classes.movement_pct)} or more, parting from "
            f"{country}'s by {numbers.whole_pct(classes.relative_pct)} or more."
        )
    if movement == direction:
        return f"{nation} and so did its own."
    if movement == _OPPOSITE[direction]:
        return (
            f"{nation} and its own {_WENT[movement]}, but the two parted by less than "
            f"{numbers.whole_pct(classes.relative_pct)}."
        )
    return f"Its own rate changed by less than {numbers.whole_pct(classes.movement_pct)}, so it moved neither way."


def _exclusions(published: Published) -> list[Record]:
    rule = {exclusions.EXCLUDED: "left out", exclusions.COMBINED: "compared with others as one"}
    rows = published.rows(f"{profile.EXCLUSIONS} ORDER BY window_end DESC, window_start DESC, step")
    return [
        row
        | {
            "window": years_of(row),
            "what": rule.get(row["rule"], row["rule"]),
            "page": authority_file(row["unit_id"]) if JOINT in (row["unit_id"] or "") else None,
        }
        for row in rows
    ]


def _left_out(published: Published) -> list[Record]:
    """Why an authority, or the unit it is part of, is missing in regressions: a row a window and reason."""
    rows = published.rows(
        "SELECT window_id, window_start, window_end, coalesce(unit_id, la_code) AS unit_id, reason,"
        " string_agg(DISTINCT model, ', ' ORDER BY model) AS models, count(DISTINCT model) AS n_models"
        " FROM main.exclusions WHERE stage = 'regression' AND coalesce(unit_id, la_code) IS NOT NULL"
        " GROUP BY ALL ORDER BY window_end DESC, window_start DESC, window_id, reason"
    )
    return [row | {"la_code": code, "window": years_of(row)} for row in rows for code in row["unit_id"].split(JOINT)]


def _revisions(published: Published) -> list[Record]:
    if not published.has("main.revisions"):
        return []
    rows = published.rows("SELECT * FROM main.revisions ORDER BY la_code, year DESC, measure, release_to, release_from")
    return [row | {"measure_words": MEASURES.get(row["measure"], numbers.words(row["measure"]))} for row in rows]


def _events(published: Published) -> list[Record]:
    """Judgements on the day of their publication and programmes from their first to their last year, in time."""
    judgements = [
        {
            "la_code": row["la_code"],
            "kind": "Judgement",
            "begins": row["publication_date"],
            "ends": None,
            "when": numbers.day(row["publication_date"]),
            "what": f"Inspection ({row['framework']})",
            "told": profile.graded(row),
            "row": row["overall"] or "No overall grade",
        }
        for row in published.rows(f"{profile.JUDGEMENTS} ORDER BY publication_date, framework")
        if row["publication_date"] is not None
    ]
    programmes = [
        {
            "la_code": row["la_code"],
            "kind": _PROGRAMMES.get(row["programme"], numbers.words(row["programme"])),
            "begins": dt.date(row["start_year"], 1, 1),
            "ends": dt.date(row["end_year"] or row["start_year"], 12, 31),
            "when": f"{row['start_year']} to {row['end_year'] or 'not told'}",
            "what": row["project"],
            "told": f"{row['lead_or_partner']}, "
            + (profile.RECALLED if row["confidence"] == "recalled" else "from a published source"),
            "row": row["project"],
        }
        for row in published.rows(f"{profile.PROGRAMMES} ORDER BY start_year, programme, project")
        if row["start_year"] is not None
    ]
    return sorted([*judgements, *programmes], key=lambda row: (row["begins"], row["kind"], row["what"]))


def _deprivation(published: Published, country: list[Record]) -> list[Record]:
    """Deprivation by measure, basis and year, with the country beside it."""
    beside = {(row["measure"], row["basis"], row["year"]): row["value"] for row in country}
    rows = published.rows("SELECT * FROM core.deprivation ORDER BY measure, basis, year")
    return [row | {"country_value": beside.get((row["measure"], row["basis"], row["year"]))} for row in rows]


def _neighbours(published: Published) -> list[Record]:
    rows = published.rows(f"{profile.NEIGHBOURS} ORDER BY position")
    pages = published.pages_of
    return [
        row | {"page": authority_file(row["neighbour_code"]) if row["neighbour_code"] in pages else None}
        for row in rows
    ]
