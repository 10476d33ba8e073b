"""The charts of one authority's page, each with its words and the table behind it.

What belongs here: what a chart of one authority draws. What does not: figures (`stories`), other pages' charts.
"""

from __future__ import annotations

from typing import Any

from pipeline import evidence
from pipeline.chart_parts import (
    BLUE,
    DASHED,
    FAINT,
    INK,
    OCHRE,
    PAPER,
    QUIET,
    SCHEMA,
    SHADE,
    WIDTH,
    Rows,
    Spec,
    coloured,
    layer,
    quantity,
    signed,
)
from pipeline.database import Record
from pipeline.report import numbers
from pipeline.report.page import Chart, Column, DataTable
from pipeline.report.stories import Story

_GRADES = ("Outstanding", "Good", "Requires improvement to be good", "Inadequate", "No overall grade")
_TIME = {"type": "temporal", "title": None, "axis": {"format": "%Y", "tickCount": "year", "labelOverlap": True}}
_CONFIG = {
    "view": {"stroke": None},
    "axis": {
        "gridColor": SHADE, "domainColor": FAINT, "tickColor": FAINT, "labelColor": INK, "titleColor": QUIET,
        "titleFontWeight": "normal", "labelFontSize": 11, "titleFontSize": 11, "labelLimit": 230,
        "labelFlush": False, "labelSeparation": 4,
    },
    "legend": {"labelColor": INK, "labelFontSize": 11, "labelLimit": 0, "offset": 4},
}  # fmt: skip
MEASURES = {
    "cilif_relative_low_income_u16": "Children under 16 in low-income families (CiLIF)",
    "hmrc_low_income_u16": "Children under 16 in low-income families (HMRC, until 2016)",
    "free_school_meals_primary": "Primary school pupils with free school meals",
    "idaci": "Income deprivation affecting children (IDACI)",
}
_YEAR = Column("year", "31 March", "year")


def _whole(**drawn: Any) -> Spec:
    """The specification; a layer without points is left out, for it has no extent and the renderer complains."""
    if "layer" in drawn:
        drawn["layer"] = [one for one in drawn["layer"] if one.get("data", {}).get("values") != []]
    return {"$schema": SCHEMA, "background": PAPER, **drawn, "config": _CONFIG}


def _years(rows: Rows) -> Spec:
    """The horizontal axis of reporting years; one label a year, or every other where there are many."""
    known = sorted({row["year"] for row in rows})
    step = 1 if len(known) <= 12 else 2
    return quantity(
        "year",
        scale={"domain": [known[0], known[-1]], "nice": False},
        title=None,
        axis={"format": "d", "values": list(range(known[-1], known[0] - 1, -step)), "grid": False},
    )


def _ends(rows: list[Record], key: str, show: Any = numbers.count) -> str:
    """First and last value of a series in words."""
    known = [row for row in rows if row[key] is not None]
    if not known:
        return "no figure is known"
    first, last = known[0], known[-1]
    if first is last:
        return f"{show(first[key])} in {first['year']}"
    return f"{show(first[key])} in {first['year']}, {show(last[key])} in {last['year']}"


def number(story: Story) -> Chart | None:
    """Children looked after, with and without unaccompanied children; those are a range where the publisher hides them."""
    known = [row for row in story.years if row["looked_after"] is not None]
    if not known:
        return None
    everybody, without = "all children looked after", "without unaccompanied asylum-seeking children"
    low, high = "looked_after_without_uasc_low", "looked_after_without_uasc_high"
    counted = [row for row in known if row[low] is not None]
    x = _years(known)
    y = quantity("value", scale={"zero": False}, title="Children on 31 March", axis={"format": ",d"})
    values: Rows = [{"year": row["year"], "value": row["looked_after"], "series": everybody} for row in known]
    ranges: Rows = [{"year": row["year"], "low": row[low], "high": row[high]} for row in counted]
    # A year with a range breaks the line: joined across it, it would tell a path that nobody published.
    values += [
        {"year": row["year"], "value": row[low] if row[low] == row[high] else None, "series": without} for row in known
    ]
    colours = {everybody: BLUE, without: OCHRE} if counted else {everybody: BLUE}
    line = layer(
        values, {"type": "line", "point": {"size": 28}}, x=x, y=y, color=coloured("series", colours),
        tooltip=[
            {"field": "year", "title": "31 March"}, {"field": "series", "title": "Series"},
            {"field": "value", "title": "Children", "format": ",d"},
        ],
    )  # fmt: skip
    band = layer(
        ranges, {"type": "rule", "color": OCHRE, "strokeWidth": 4, "opacity": 0.45}, x=x, y=quantity("low"),
        y2={"field": "high"},
    )  # fmt: skip
    hidden = [row for row in counted if row[low] != row[high]]
    told = [f"{numbers.count(known[-1]['looked_after'])} children on 31 March {known[-1]['year']}."]
    if hidden:
        told.append(
            "A bar shows a range, where the number of unaccompanied children is hidden by the publisher (0 to 5)."
        )
    return Chart(
        name="number",
        title="Children looked after, with and without unaccompanied children",
        spec=_whole(width="container", height=240, layer=[band, line] if ranges else [line]),
        alternative=f"Lines by year. All children looked after: {_ends(known, 'looked_after')}. "
        f"Without unaccompanied asylum-seeking children: {_ends(counted, high)}.",
        table=DataTable(
            "number",
            f"{story.label}: children looked after on 31 March",
            (
                _YEAR,
                Column("looked_after", "Looked after", "count", reason="looked_after_reason"),
                Column("uasc_low", "Unaccompanied, at least", "count", reason="uasc_reason"),
                Column("uasc_high", "at most", "count", reason="uasc_reason"),
                Column(low, "Without them, at least", "count", reason="uasc_reason"),
                Column(high, "at most", "count", reason="uasc_reason"),
                Column("population_0_17", "Children aged 0-17", "count", reason="population_reason"),
                Column("rate_per_10k", "Per 10,000", "rate", reason="population_reason"),
                Column("release", "Release", "year"),
            ),
            story.years,
        ),
        told=told,
        methods="uasc",
    )


def rate(story: Story, country: str) -> Chart | None:
    """The rate against the country, the region and the median of the statistical neighbours."""
    known = [row for row in story.rates if row["rate_per_10k"] is not None]
    if not known:
        return None
    used = sorted({row["neighbours_used"] for row in known if row["neighbour_median_rate_per_10k"] is not None})
    between = str(used[0]) if len(used) == 1 else f"{used[0]} to {used[-1]}" if used else "0"
    series = {
        story.name: ("rate_per_10k", BLUE, [1, 0]),
        f"median of {between} statistical neighbours": ("neighbour_median_rate_per_10k", OCHRE, [1, 0]),
        f"region: {story.region}": ("region_rate_per_10k", INK, [6, 3]),
        country: ("england_rate_per_10k", QUIET, [2, 2]),
    }
    values = [
        {"year": row["year"], "value": None if row[key] is None else round(row[key], 2), "series": name}
        for name, (key, *_) in series.items()
        if any(row[key] is not None for row in story.rates)
        for row in story.rates
    ]
    names = [name for name in series if any(row["series"] == name for row in values)]

    def looks(at: int) -> Spec:
        return {"domain": names, "range": [series[name][at] for name in names]}

    legend = {"title": None, "orient": "top", "columns": 2, "symbolSize": 300, "symbolType": "stroke"}
    spec = _whole(
        width="container",
        height=260,
        **layer(
            values, {"type": "line", "strokeWidth": 2.2}, x=_years(values),
            y=quantity("value", scale={"zero": False}, title="Per 10,000 children aged 0-17"),
            color={"field": "series", "type": "nominal", "scale": looks(1), "legend": legend},
            strokeDash={"field": "series", "type": "nominal", "scale": looks(2), "legend": legend},
            tooltip=[
                {"field": "year", "title": "31 March"}, {"field": "series", "title": "Series"},
                {"field": "value", "title": "Per 10,000", "format": ".1f"},
            ],
        ),
    )  # fmt: skip
    last = known[-1]
    told = (
        f"On 31 March {last['year']}: {numbers.rate(last['rate_per_10k'])} per 10,000; {country} "
        f"{numbers.rate(last['england_rate_per_10k'])}, region {numbers.rate(last['region_rate_per_10k'])}"
    )
    if last["neighbour_median_rate_per_10k"] is not None:
        told += (
            f", median of {last['neighbours_used']} of {last['neighbours']} statistical neighbours "
            f"{numbers.rate(last['neighbour_median_rate_per_10k'])}"
        )
    return Chart(
        name="rate",
        title=f"The rate beside {country}, the region and statistical neighbours",
        spec=spec,
        alternative="Lines by year. "
        + "; ".join(f"{name}: {_ends(story.rates, series[name][0], numbers.rate)}" for name in names)
        + ".",
        table=DataTable(
            "rate",
            f"{story.label}: children looked after per 10,000 aged 0-17",
            (
                _YEAR,
                Column("rate_per_10k", story.name, "rate", reason="rate_reason"),
                Column("england_rate_per_10k", country, "rate"),
                Column("region_rate_per_10k", "Region", "rate", reason="region_reason"),
                Column("neighbour_median_rate_per_10k", "Neighbours, median", "rate", reason="neighbour_reason"),
                Column("neighbours_used", "of how many", "count"),
                Column("neighbours", "of all", "count"),
            ),
            story.rates,
            note="Rates are on one vintage of population, which begins with 2013.",
        ),
        told=(f"{told}.",),
        methods="neighbours",
    )


def flow(story: Story) -> Chart | None:
    """Children who started and ceased to be looked after in each year."""
    kinds = {"started": ("started", BLUE), "ceased": ("ceased", OCHRE)}
    known = [key for key in kinds if any(row[key] is not None for row in story.years)]
    values = [{"year": row["year"], "value": row[key], "series": key} for key in known for row in story.years]
    if not values:
        return None
    return Chart(
        name="flow",
        title="Children who started and who ceased to be looked after",
        spec=_whole(
            width="container",
            height=180,
            **layer(
                values, {"type": "line", "point": {"size": 28}}, x=_years(values),
                y=quantity("value", scale={"zero": False}, title="Children in the year", axis={"format": ",d"}),
                color=coloured("series", {name: colour for name, colour in kinds.values()}),
            ),
        ),
        alternative=f"Lines by year, each year ending on 31 March. Started: {_ends(story.years, 'started')}. "
        f"Ceased: {_ends(story.years, 'ceased')}.",
        table=DataTable(
            "flow",
            f"{story.label}: children who started and who ceased to be looked after, years ending on 31 March",
            (
                Column("year", "Year ending 31 March", "year"),
                Column("started", "Started", "count", reason="started_reason"),
                Column("ceased", "Ceased", "count", reason="ceased_reason"),
            ),
            story.years,
        ),
        told=("Years end on 31 March.",),
        methods="national-trend",
    )  # fmt: skip


def changes(story: Story, country: str) -> Chart | None:
    """Every window: the change relative to the country, and what is usual for the size."""
    if not story.windows:
        return None
    names = [f"{row['window']}{' *' if row['population_vintage'] != 'rebased' else ''}" for row in story.windows]
    inside, outside = "within usual movement, or not judged", "larger than usual movement"
    values = [
        {
            "window": name,
            "change": round(row["relative_change_pct"], 2),
            "low": row["usual_low_pct"],
            "high": row["usual_high_pct"],
            "kind": outside if row["evidence"] in (evidence.A, evidence.B) else inside,
            "evidence": row["evidence_words"] or "not judged",
        }
        for name, row in zip(names, story.windows, strict=True)
    ]
    y = {
        "field": "window", "type": "nominal", "sort": names, "title": None,
        "axis": {"ticks": False, "domain": False, "labelPadding": 8},
    }  # fmt: skip
    x = quantity(
        "change", title=f"Change relative to {country}, per cent", axis={"labelExpr": signed("+d"), "tickCount": 9}
    )
    tooltip = [
        {"field": "window", "title": "Window"},
        {"field": "change", "title": f"Relative to {country}, %", "format": "+.1f"},
        {"field": "evidence", "title": "Evidence"},
    ]
    spec = _whole(
        width="container",
        height=22 * len(values),
        layer=[
            layer(
                [row for row in values if row["low"] is not None],
                {"type": "bar", "color": SHADE, "height": 12}, x=quantity("low"), x2={"field": "high"}, y=y,
            ),
            layer([{"change": 0}], DASHED, x=x),
            layer(
                values, {"type": "point", "filled": True, "size": 70, "opacity": 1}, x=x, y=y,
                color=coloured("kind", {inside: BLUE, outside: OCHRE}),
                shape={"field": "kind", "scale": {"domain": [inside, outside], "range": ["circle", "diamond"]},
                       "legend": {"title": None, "orient": "top"}},
                tooltip=tooltip,
            ),
        ],
    )  # fmt: skip
    unusual = [row["window"] for row in story.windows if row["evidence"] in (evidence.A, evidence.B)]
    judged = [row for row in story.windows if row["evidence"] is not None]
    told = ["Shaded: the usual range for an authority of this size without any trend of its own."]
    if any(name.endswith("*") for name in names):
        told.append("* On the population estimates from before the 2021 census.")
    alternative = "; ".join(
        f"{row['window']}: {numbers.signed_pct(row['relative_change_pct'])}"
        f"{', usual ' + numbers.between(row['usual_low_pct'], row['usual_high_pct']) if row['evidence'] else ''}"
        for row in story.windows
    )
    return Chart(
        name="changes",
        title=_changes_title(country, len(judged), len(unusual)),
        spec=spec,
        alternative=f"A dot for each window over a bar of the usual range. {alternative}.",
        table=DataTable(
            "changes",
            f"{story.label}: change of the rate in every window",
            (
                Column("window", "Window"),
                Column("unit_name", "Compared as", link="page"),
                Column("rate_start", "Per 10,000 at the start", "rate"),
                Column("rate_end", "at the end", "rate"),
                Column("change_pct", "Change", "signed_pct"),
                Column("england_change_pct", country, "signed_pct"),
                Column("region_change_pct", "Region", "signed_pct"),
                Column("neighbour_median_change_pct", "Neighbours, median", "signed_pct", reason="neighbour_reason"),
                Column("neighbours_used", "of how many", "count"),
                Column("relative_change_pct", f"Relative to {country}", "signed_pct"),
                Column("usual_low_pct", "Usual from", "signed_pct", reason="evidence_reason"),
                Column("usual_high_pct", "to", "signed_pct", reason="evidence_reason"),
                Column("population_vintage", "Vintage of population", "words"),
            ),
            story.windows,
        ),
        told=told,
        methods="usual-range",
    )


def _changes_title(country: str, judged: int, unusual: int) -> str:
    if not judged:
        return f"Change relative to {country} in every window"
    return (
        f"Change relative to {country}: more than usual movement in {unusual or 'none'} of "
        f"{numbers.many(judged, 'window')}"
    )


def events(story: Story) -> Chart | None:
    """Judgements and programmes on one axis of time, under the rate."""
    if not story.events:
        return None
    rates = [
        {"day": f"{row['year']}-03-31", "value": round(row["rate_per_10k"], 2)}
        for row in story.rates
        if row["rate_per_10k"] is not None
    ]
    used = {row["row"] for row in story.events}
    rows = [grade for grade in _GRADES if grade in used]
    rows += [row for row in dict.fromkeys(event["row"] for event in story.events) if row not in rows]
    x = {**_TIME, "scale": {"type": "utc", "nice": "year"}}
    y = {"field": "row", "type": "nominal", "sort": rows, "title": None, "axis": {"grid": True, "ticks": False}}
    tooltip = [{"field": name, "title": title} for name, title in
               (("kind", "Kind"), ("what", "What"), ("when", "When"), ("told", "Told"))]  # fmt: skip
    points: Rows = []
    bars: Rows = []
    for event in story.events:
        value = {name: event[name] for name in ("row", "kind", "what", "when", "told")}
        value["day"] = event["begins"].isoformat()
        if event["ends"]:
            bars.append(value | {"until": event["ends"].isoformat()})
        else:
            points.append(value)
    marks: list[Spec] = []  # only those that something is drawn with: a layer without rows has no extent in time
    if bars:
        marks.append(
            {
                "transform": [{"filter": "isValid(datum.until)"}],
                "mark": {"type": "bar", "height": 10, "color": BLUE},
                "encoding": {"x2": {"field": "until"}},
            }
        )
    if points:
        marks.append(
            {
                "transform": [{"filter": "!isValid(datum.until)"}],
                "mark": {"type": "point", "shape": "diamond", "filled": True, "size": 80, "color": INK, "opacity": 1},
            }
        )
    strip: Spec = {
        "width": WIDTH - 130,
        "height": {"step": 24},
        "data": {"values": [*points, *bars]},
        "encoding": {"x": {**x, "field": "day"}, "y": y, "tooltip": tooltip},
        "layer": marks,
    }
    panels = [strip]
    if rates:
        line = layer(
            rates, {"type": "line", "color": BLUE}, x={**x, "field": "day"},
            y=quantity("value", scale={"zero": False}, title="Per 10,000", axis={"tickCount": 4}),
        )  # fmt: skip
        panels.insert(0, {"width": WIDTH - 130, "height": 100, **line})
    told = "; ".join(f"{row['when']}: {row['what']}, {row['told']}" for row in story.events)
    return Chart(
        name="events",
        title="Judgements and programmes, with the rate above",
        spec=_whole(vconcat=panels, spacing=12, resolve={"scale": {"x": "shared"}}),
        alternative=f"A time line. {told}.",
        table=DataTable(
            "events",
            f"{story.label}: judgements and programmes",
            (
                Column("when", "Published, or years"),
                Column("kind", "Kind"),
                Column("what", "What"),
                Column("told", "Grade, or part taken"),
            ),
            story.events,
        ),
        told=(
            "A diamond is a judgement on the day on which its report was published, a bar the years of a programme. That "
            "one comes before another in time says nothing of why.",
        ),
        methods="judgements",
    )


def deprivation(story: Story, country: str) -> Chart | None:
    """Each measure of deprivation in a panel of its own, for they count different things."""
    known = [row for row in story.deprivation if row["value"] is not None]
    if not known:
        return None
    first, last = min(row["year"] for row in known), max(row["year"] for row in known)
    panels = []
    for measure in dict.fromkeys(row["measure"] for row in known):
        own = [row for row in known if row["measure"] == measure]
        values = [
            {"year": row["year"], "value": row[key], "series": name, "basis": row["basis"]}
            for name, key in ((story.name, "value"), (country, "country_value"))
            for row in own
            if row[key] is not None
        ]
        drawn = layer(
            values,
            {"type": "line", "point": {"size": 26}},
            x=_years([{"year": first}, {"year": last}]),
            y=quantity("value", scale={"zero": True}, title="per cent", axis={"tickCount": 3}),
            detail={"field": "basis", "type": "nominal"},
            color=coloured("series", {story.name: BLUE, country: QUIET}),
        )
        title = {"text": MEASURES.get(measure, numbers.words(measure)), "anchor": "start", "fontSize": 11,
                 "fontWeight": "normal", "color": INK}  # fmt: skip
        panels.append({"title": title, "width": WIDTH - 50, "height": 70, **drawn})
    newest = max(known, key=lambda row: (row["measure"].startswith("cilif"), row["year"]))
    return Chart(
        name="deprivation",
        title=f"Child deprivation beside {country}'s, by measure",
        spec=_whole(vconcat=panels, spacing=16),
        alternative="Lines by year, a panel for each measure. "
        + " ".join(
            f"{MEASURES.get(measure, numbers.words(measure))}: "
            f"{_ends([row for row in known if row['measure'] == measure], 'value', numbers.pct)}."
            for measure in dict.fromkeys(row["measure"] for row in known)
        ),
        table=DataTable(
            "deprivation",
            f"{story.label}: child deprivation, per cent",
            (
                Column("measure_words", "Measure"),
                Column("year", "Year", "year"),
                Column("basis", "Basis", "words"),
                Column("value", story.name, "rate", reason="reason"),
                Column("country_value", country, "rate"),
            ),
            [
                row | {"measure_words": MEASURES.get(row["measure"], numbers.words(row["measure"]))}
                for row in story.deprivation
            ],
        ),
        told=(
            f"{MEASURES.get(newest['measure'], numbers.words(newest['measure']))}: {numbers.pct(newest['value'])} in "
            f"{newest['year']}; {country} {numbers.pct(newest['country_value'])}.",
            "The measures count different things and are never joined. Editions of one measure are lines of their own.",
        ),
        methods="deprivation",
    )
