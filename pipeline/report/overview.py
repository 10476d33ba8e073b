"""The overview: the country through time, every authority's change, who bucked the trend, and what it all stands on.

What belongs here: the sentences, charts and tables of the first page. What does not: the figures, which stand in the
published tables, and the drawing that other places show too (`charts`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline import charts, evidence, settings
from pipeline.chart_parts import (
    BLUE,
    CONFIG,
    FAINT,
    INK,
    OCHRE,
    PAPER,
    QUIET,
    SCHEMA,
    Spec,
    coloured,
    layer,
    quantity,
    years_of,
)
from pipeline.database import Record
from pipeline.report import findings, numbers, page, tile_map
from pipeline.report.page import Chart, Column, DataTable, Page, authority_file
from pipeline.report.published import Published

_SQUARE = 27  # of the map, in pixels
_BAR = 15  # and what a bar has of the height
_LETTERS = 4  # of a name that a square has room for
_FULL_COLOUR = 40  # per cent apart from the country at which a square has its full colour
_MEETING = "#f3f1ec"  # of the two colours, where an authority moved with the country
_LIGHT_TEXT_FROM = 28  # per cent, where the square is too dark for dark letters
_GRADES = {evidence.A: evidence.EXCEPTIONAL, evidence.B: evidence.LARGER, evidence.C: evidence.USUAL}
_NAME = Column("unit_name", "Authority", link="page")
_REGION = Column("region", "Region")
_IN_WORDS = {"up": "rose", "down": "fell", "no_clear_direction": "had no clear direction"}


def pages(published: Published) -> Iterator[Page]:
    """The first page."""
    windows = _windows(published)
    newest = _newest(windows)
    units = _units(published, newest) if newest else []
    bucking = published.rows("SELECT * FROM main.bucking_the_trend ORDER BY unit_name")
    drawn = [_national_series(published, newest)]
    if windows:
        drawn.append(_number_and_rate(published, windows))
    tables = [_provenance(published)]
    if newest and units:
        map_of = _map(published, newest, units)
        drawn += [*([map_of] if map_of else []), _sizes(published, newest)]
        tables.append(_changes(published, newest, units))
    if bucking:
        tables.append(_bucked(bucking, published.about.country))
    yield Page(
        file="index.html",
        section="overview",
        title=f"Which authorities bucked the trend in {published.about.country}?",
        template="overview.html",
        charts=drawn,
        tables=tables,
        facts={
            "newest": newest,
            "national": _newest_year(published),
            "bucking": _bucking_facts(bucking),
            "findings": findings.fitted(published),
            "not_fitted": findings.not_fitted(published),
            "since": published.run.get("since_last_publication"),
            "warnings": published.rows("SELECT * FROM main.data_checks WHERE n_failed > 0 ORDER BY check_name, scope"),
            "rose_or_fell": _IN_WORDS,
        },
        description=f"Children looked after by local authorities in {published.about.country}: five-year changes.",
    )


def _windows(published: Published) -> list[Record]:
    """The computed windows, the oldest first."""
    return published.rows("SELECT * FROM main.windows WHERE is_computed ORDER BY window_end, window_start, window_id")


def _newest(windows: list[Record]) -> Record | None:
    """The primary window; without one the newest that was computed."""
    primary = [window for window in windows if window["role"] == "primary"]
    chosen = primary or windows
    return chosen[-1] if chosen else None


def _newest_year(published: Published) -> Record:
    return published.rows(
        "SELECT year, looked_after, population_0_17, rate_per_10k FROM main.national_trend"
        " WHERE source = 'sum_of_authorities' ORDER BY year DESC LIMIT 1"
    )[0]


def _units(published: Published, window: Record) -> list[Record]:
    """Every unit of a window in alphabetical order, with the address of its page."""
    found = published.rows(
        f"SELECT * FROM main.five_year_change WHERE window_id = '{window['window_id']}' ORDER BY unit_name, unit_id"
    )
    return [row | {"page": authority_file(row["unit_id"])} for row in found]


# ---------------------------------------------------------------------------------------------------------------------
# The country


def _national_series(published: Published, newest: Record | None) -> Chart:
    national = published.frame("SELECT * FROM main.national_trend ORDER BY source, year")
    spans = [charts.Span(newest["window_start"], newest["window_end"])] if newest else []
    rows = published.rows(
        "SELECT year, source, looked_after, population_0_17, rate_per_10k, rate_reason FROM main.national_trend"
        " WHERE looked_after IS NOT NULL ORDER BY year, source"
    )
    table = DataTable(
        "national-series",
        f"Children looked after in {published.about.country} by year and source",
        (
            Column("year", "31 March", "year"),
            Column("source", "Source", "words"),
            Column("looked_after", "Children looked after", "count"),
            Column("population_0_17", "Children aged 0-17", "count"),
            Column("rate_per_10k", "Per 10,000", "rate", reason="rate_reason"),
        ),
        rows,
    )
    first, last = rows[0], [row for row in rows if row["source"] == "sum_of_authorities"][-1]
    highest = max(rows, key=lambda row: row["looked_after"])
    alternative = (
        f"Lines by year. From {numbers.count(first['looked_after'])} children looked after on 31 March {first['year']} to "
        f"{numbers.count(last['looked_after'])} in {last['year']}; the highest number is "
        f"{numbers.count(highest['looked_after'])} in {highest['year']}."
    )
    finished = charts.national_series(national, spans, published.about)
    return page.from_finished("national", finished, alternative, table, methods="national-trend")


def _number_and_rate(published: Published, windows: list[Record]) -> Chart:
    """The country's change by number and by rate, side by side for every window."""
    country = published.about.country
    rows = [window | {"window": years_of(window)} for window in windows]
    by_number, by_rate = "number of children", "rate per 10,000 children"
    values = [
        {"window": row["window"], "id": row["window_id"], "kind": kind, "change": row[column]}
        for row in rows
        for kind, column in ((by_number, "england_number_change_pct"), (by_rate, "england_change_pct"))
    ]
    spec: Spec = {
        "$schema": SCHEMA,
        "background": PAPER,
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "height": len(values) * _BAR,
        **layer(
            values,
            {"type": "bar"},
            y={
                "field": "window", "type": "nominal", "sort": None, "title": None,
                "axis": {"ticks": False, "domain": False, "labelPadding": 8},
            },
            yOffset={"field": "kind", "sort": [by_number, by_rate]},
            x=quantity("change", title="Change, per cent", axis={"labelExpr": _SIGNED}),
            color=coloured("kind", {by_number: QUIET, by_rate: BLUE}),
        ),
        "config": CONFIG,
    }  # fmt: skip
    newest = _newest(windows)
    assert newest is not None
    told = (
        f"{years_of(newest)}: number {numbers.signed_pct(newest['england_number_change_pct'])}, "
        f"rate {numbers.signed_pct(newest['england_change_pct'])}."
    )
    return Chart(
        name="number-and-rate",
        title=f"{country}'s change by number and by rate",
        spec=spec,
        alternative=f"A pair of bars for each window, by number and by rate. {told}",
        table=DataTable(
            "number-and-rate",
            f"{country}'s change in every window",
            (
                Column("window", "Window"),
                Column("england_number_change_pct", "Change of the number", "signed_pct"),
                Column("england_change_pct", "Change of the rate", "signed_pct"),
                Column("england_direction", "Direction of the rate", "words"),
                Column("population_vintage", "Vintage of population", "words"),
                Column("units", "Units compared", "count"),
            ),
            rows,
        ),
        told=(told, "They differ where the number of children living there changed; this report compares rates."),
        methods="national-trend",
    )


_SIGNED = "datum.value == 0 ? '0' : format(datum.value, '+d')"


# ---------------------------------------------------------------------------------------------------------------------
# The authorities


def _map(published: Published, window: Record, units: list[Record]) -> Chart | None:
    """A square for each authority in being at the end of the window; None where no places are known."""
    living = published.rows(
        "SELECT la_code, la_name, region, latitude, longitude FROM core.local_authorities WHERE is_newest_code"
        f" AND latitude IS NOT NULL AND (in_being_to IS NULL OR year(in_being_to) > {window['window_end']})"
        f" AND (in_being_from IS NULL OR in_being_from <= DATE '{window['window_end']}-03-31') ORDER BY la_code"
    )
    if not living or published.sampled:  # more squares than fit a screen
        return None
    squares = tile_map.tiles({row["la_code"]: (row["latitude"], row["longitude"]) for row in living})
    unit_of = {code: unit for unit in units for code in unit["unit_id"].split("+")}
    country = published.about.country
    rows = []
    for row in living:
        unit, (column, line) = unit_of.get(row["la_code"]), squares[row["la_code"]]
        rows.append(_square(row, unit) | {"column": column, "line": line})
    compared = [row for row in rows if row["relative"] is not None]
    apart = {way: sum(row["relative"] == way for row in compared) for way in ("rose_relative", "fell_relative")}
    limit = numbers.whole_pct(settings.load().classes.relative_pct)
    unusual = sorted((row["la_name"] for row in compared if row["unusual"]), key=str.casefold)
    alternative = (
        f"A map of {len(rows)} squares of one size, each near where its authority lies. The rate rose relative to "
        f"{country} by {limit} or more in {apart['rose_relative']} and fell by as much in {apart['fell_relative']} of "
        f"{len(compared)}; {len(rows) - len(compared)} are not compared. "
        + (f"By more than usual movement: {numbers.listed(unusual)}." if unusual else "")
    )
    return Chart(
        name="map",
        title=f"Where rates moved apart from {country}'s, {years_of(window)}",
        spec=_map_spec(rows, country),
        alternative=alternative,
        table=DataTable(
            "map",
            f"Change of the rate relative to {country}, {years_of(window)}, by authority",
            (
                Column("la_name", "Authority", link="page"),
                _REGION,
                Column("relative_change_pct", f"Relative to {country}", "signed_pct", reason="not_compared"),
                Column("evidence_words", "Against usual movement"),
            ),
            sorted(rows, key=lambda row: str(row["la_name"]).casefold()),
        ),
        told=(
            "One square an authority, all of one size, near where it lies. Neither colour means good or bad.",
            "A heavy border: more than usual year-to-year movement for an authority of that size.",
        ),
        methods="map",
    )


def _square(authority: Record, unit: Record | None) -> dict[str, Any]:
    """What a square shows of its authority; a unit of several authorities gives each of them its change."""
    change = unit["relative_change_pct"] if unit else None
    grade = unit["evidence"] if unit else None
    letters = "".join(letter for letter in authority["la_name"] if letter.isalpha())
    return {
        "la_name": authority["la_name"],
        "region": authority["region"],
        "page": authority_file(authority["la_code"]),
        "letters": letters[:_LETTERS],
        "relative_change_pct": change,
        "relative": unit["relative"] if unit else None,
        "not_compared": None if unit else "not_compared",
        "unusual": grade in (evidence.A, evidence.B),
        "evidence_words": _evidence_words(unit),
        "told": f"{numbers.signed_pct(change)}" if unit else "not compared",
    }


def _evidence_words(unit: Record | None) -> str:
    if unit is None or unit["evidence"] is None:
        return numbers.words(unit["evidence_reason"]) if unit else numbers.MISSING
    return _GRADES[unit["evidence"]]


def _map_spec(rows: list[dict[str, Any]], country: str) -> Spec:
    shown = ("la_name", "region", "letters", "relative_change_pct", "unusual", "told", "column", "line")
    values = [{name: row[name] for name in shown} for row in rows]
    columns, lines = (max(row[name] for row in rows) + 1 for name in ("column", "line"))
    x = {"field": "column", "type": "ordinal", "axis": None, "scale": {"domain": list(range(columns)), "padding": 0.06}}
    y = {"field": "line", "type": "ordinal", "axis": None, "scale": {"domain": list(range(lines)), "padding": 0.06}}
    is_missing = "datum.relative_change_pct === null"
    colour = {
        "condition": {"test": is_missing, "value": PAPER},
        "field": "relative_change_pct",
        "type": "quantitative",
        "scale": {
            "domain": [-_FULL_COLOUR, 0, _FULL_COLOUR], "range": [BLUE, _MEETING, OCHRE], "clamp": True,
            "interpolate": "lab",
        },
        "legend": {
            "title": f"Relative to {country}, per cent", "orient": "top", "gradientLength": 240, "titleLimit": 400,
            "labelExpr": _SIGNED, "values": [-40, -20, 0, 20, 40],
        },
    }  # fmt: skip
    tooltip = [
        {"field": "la_name", "title": "Authority"},
        {"field": "region", "title": "Region"},
        {"field": "told", "title": f"Relative to {country}"},
    ]
    border = {
        "condition": [{"test": "datum.unusual", "value": INK}, {"test": is_missing, "value": QUIET}],
        "value": FAINT,
    }
    width = {"condition": {"test": "datum.unusual", "value": 2.5}, "value": 0.75}
    letters = {"condition": {"test": f"datum.relative_change_pct < -{_LIGHT_TEXT_FROM}", "value": PAPER}, "value": INK}
    return {
        "$schema": SCHEMA,
        "background": PAPER,
        "data": {"values": values},
        "width": columns * _SQUARE,
        "height": lines * _SQUARE,
        "encoding": {"x": x, "y": y},
        "layer": [
            {
                "mark": {"type": "rect", "invalid": "show"},
                "encoding": {
                    "color": colour, "stroke": border, "strokeWidth": width, "tooltip": tooltip,
                },
            },
            {
                "mark": {"type": "text", "fontSize": 9},
                "encoding": {"text": {"field": "letters"}, "color": letters, "tooltip": tooltip},
            },
        ],
        "config": CONFIG,
    }  # fmt: skip


def _sizes(published: Published, window: Record) -> Chart:
    """Every change beside what is usual for the authority's size."""
    units = published.frame(
        f"SELECT * FROM main.five_year_change WHERE window_id = '{window['window_id']}' ORDER BY unit_name, unit_id"
    )
    country = published.about.country
    rows = units.to_dict("records")
    outside = [str(row["unit_name"]) for row in rows if row["evidence"] in (evidence.A, evidence.B)]
    alternative = (
        f"A dot for each of {len(rows)} units: children looked after across, change relative to {country} upwards. The "
        "shaded range of usual movement is wide for few children and narrow for many. "
        + (f"Outside it: {numbers.listed(outside)}." if outside else "None lies outside it.")
    )
    table = DataTable(
        "usual-movement",
        f"Change relative to {country} and what is usual, {years_of(window)}",
        (
            Column("unit_name", "Authority"),
            Column("mean_number", "Children looked after, mean of both ends", "rate"),
            Column("relative_change_pct", f"Relative to {country}", "signed_pct"),
            Column("usual_low_pct", "Usual from", "signed_pct", reason="evidence_reason"),
            Column("usual_high_pct", "to", "signed_pct", reason="evidence_reason"),
        ),
        rows,
    )
    finished = charts.changes(units, published.about)
    return page.from_finished("sizes", finished, alternative, table, methods="usual-range")


def _changes(published: Published, window: Record, units: list[Record]) -> DataTable:
    country = published.about.country
    rows = [row | {"grade": _evidence_words(row)} for row in units]
    return DataTable(
        "changes",
        f"Every authority's change, {years_of(window)}",
        (
            _NAME,
            _REGION,
            Column("looked_after_start", f"Children {window['window_start']}", "count"),
            Column("looked_after_end", f"Children {window['window_end']}", "count"),
            Column("rate_start", f"Per 10,000 {window['window_start']}", "rate"),
            Column("rate_end", f"Per 10,000 {window['window_end']}", "rate"),
            Column("change_pct", "Change of the rate", "signed_pct"),
            Column("relative_change_pct", f"Relative to {country}", "signed_pct"),
            Column("usual_low_pct", "Usual for its size: from", "signed_pct", reason="evidence_reason"),
            Column("usual_high_pct", "to", "signed_pct", reason="evidence_reason"),
            Column("grade", "Against usual movement"),
        ),
        rows,
        note="Alphabetical. Several authorities joined by + are compared together, because a boundary moved between them.",
        is_sortable=True,
    )


# ---------------------------------------------------------------------------------------------------------------------
# Who bucked the trend


def _bucking_facts(bucking: list[Record]) -> dict[str, Any] | None:
    """The window and the counts; None where no window has a direction."""
    if not bucking:
        return None
    flagged = [row for row in bucking if row["bucked"]]
    return {
        "window": years_of(bucking[0]),
        "is_newest": bucking[0]["newest_window_has_direction"],
        "direction": bucking[0]["england_direction"],
        "change_pct": abs(bucking[0]["england_change_pct"]),
        "units": len(bucking),
        "flagged": len(flagged),
        "unusual": [row["unit_name"] for row in flagged if row["evidence"] in (evidence.A, evidence.B)],
        "is_judged": any(row["evidence"] is not None for row in bucking),
    }


def _bucked(bucking: list[Record], country: str) -> DataTable:
    rows = [
        row | {"page": authority_file(row["unit_id"]), "told": _GRADES.get(row["evidence"], "cannot be told")}
        for row in bucking
        if row["bucked"]
    ]
    return DataTable(
        "bucked",
        f"Moved against {country}, {years_of(bucking[0])}",
        (
            _NAME,
            _REGION,
            Column("change_pct", "Change of the rate", "signed_pct"),
            Column("relative_change_pct", f"Relative to {country}", "signed_pct"),
            Column("told", "Against usual movement"),
            Column("is_robust", "Same under other choices", "yes_no"),
        ),
        rows,
        note="Alphabetical.",
        is_sortable=True,
    )


def _provenance(published: Published) -> DataTable:
    """The releases behind the figures, a row a publication."""
    frame = published.frame(
        "SELECT publication, publisher, release, sha256, retrieved FROM about.sources"
        " WHERE publication <> 'reference' ORDER BY publication, release"
    )
    rows = []
    for publication, own in frame.groupby("publication", sort=True):
        releases = sorted({int(year) for year in own["release"].dropna()})
        retrieved = own["retrieved"].dropna()
        rows.append(
            {
                "publication": publication,
                "publisher": "; ".join(sorted(set(own["publisher"].dropna()))),
                "releases": ", ".join(map(str, releases)),
                "files": len(own),
                "retrieved": None if retrieved.empty else _date_of(retrieved.max()),
                "not_told": "files of a folder, without a date" if retrieved.empty else None,
            }
        )
    return DataTable(
        "releases",
        "The publications behind this report",
        (
            Column("publication", "Publication", "words"),
            Column("publisher", "Publisher"),
            Column("releases", "Releases"),
            Column("files", "Files", "count"),
            Column("retrieved", "Newest file retrieved", "day", reason="not_told"),
        ),
        rows,
    )


def _date_of(value: Any) -> str:
    day: str = pd.Timestamp(value).date().isoformat()
    return day
