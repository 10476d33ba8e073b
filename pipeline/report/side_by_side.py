"""Side by side: up to five authorities that the reader chooses.

What belongs here: the figures of every authority in a short form, and the charts without figures that the one script
fills. What does not: the choosing (`static/site.js`).

The page holds the data, because a browser lets no page read a file beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

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
    Spec,
    quantity,
    signed,
    years_of,
)
from pipeline.database import Record
from pipeline.report.page import Column, DataTable, Page, authority_file
from pipeline.report.published import Published

MOST = 5
# A colour and a pattern each, so that lines are told apart without colour; the country has its own.
_COLOURS = (BLUE, OCHRE, INK, "#7a4b78", "#5b8aa8")
_DASHES = ([1, 0], [6, 2], [2, 2], [8, 3, 2, 3], [12, 3])
_DECIMALS = 1


def pages(published: Published) -> Iterator[Page]:
    """The page of choosing."""
    years = published.rows(
        "SELECT la_code, la_name, region, year, looked_after, looked_after_reason, population_0_17, rate_per_10k,"
        " population_reason FROM main.care_numbers ORDER BY la_name, la_code, year"
    )
    changes = _changes(published)
    yield Page(
        file="side-by-side.html",
        section="side_by_side",
        title="Side by side",
        template="side_by_side.html",
        tables=[_table(years)],
        facts={"most": MOST},
        inlined={"side-by-side": _data(published, years, changes)},
        description="Up to five authorities beside each other: numbers, rates and changes.",
    )


def _changes(published: Published) -> list[Record]:
    """The newest window of five years that was computed, with what is usual; one row a unit."""
    return published.rows(
        "SELECT * FROM main.five_year_change WHERE window_id = (SELECT window_id FROM main.windows WHERE is_computed"
        " ORDER BY role = 'primary' DESC, window_end DESC, window_start, window_id LIMIT 1) ORDER BY unit_name, unit_id"
    )


def _data(published: Published, years: list[Record], changes: list[Record]) -> dict[str, Any]:
    """Years once, and for each authority its numbers and rates in their order; null where a figure is missing."""
    spread = sorted({row["year"] for row in years})
    own: dict[str, dict[int, Record]] = defaultdict(dict)
    for row in years:
        own[row["la_code"]][row["year"]] = row
    of_code = {code: row for row in changes for code in row["unit_id"].split("+")}
    country = {
        row["year"]: row
        for row in published.rows("SELECT * FROM main.national_trend WHERE source = 'sum_of_authorities' ORDER BY year")
    }
    labels = _labels(published)
    return {
        "most": MOST,
        "years": spread,
        "window": years_of(changes[0]) if changes else None,
        "country": {
            "name": published.about.country,
            "rates": [_rounded(country.get(year, {}).get("rate_per_10k")) for year in spread],
        },
        "authorities": [
            {
                "code": code,
                "name": labels[code],
                "page": authority_file(code),
                "numbers": [rows.get(year, {}).get("looked_after") for year in spread],
                "rates": [_rounded(rows.get(year, {}).get("rate_per_10k")) for year in spread],
                "change": _change(of_code.get(code)),
            }
            for code, rows in sorted(own.items(), key=lambda item: (labels[item[0]].casefold(), item[0]))
        ],
        "charts": {"rates": _lines("Per 10,000 children aged 0-17", ".0f"), "numbers": _lines("Children", ",d"),
                   "changes": _ranges(published.about.country)},
    }  # fmt: skip


def _labels(published: Published) -> dict[str, str]:
    """The names by code; an authority that has ended carries its last year, as it may share the name of another."""
    ended = published.rows(
        "SELECT la_code, year(max(in_being_to)) AS last FROM core.local_authorities"
        " WHERE in_being_to IS NOT NULL GROUP BY la_code"
    )
    until = {row["la_code"]: row["last"] for row in ended}
    return {
        code: f"{name} (until {until[code]})" if code in until else name for code, name in published.pages_of.items()
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)


def _change(row: Record | None) -> list[Any] | None:
    """Change relative to the country and the usual range in per cent, and the unit where that is not the authority."""
    if row is None:
        return None
    unit = row["unit_name"] if "+" in row["unit_id"] else None
    return [*(_rounded(row[name]) for name in ("relative_change_pct", "usual_low_pct", "usual_high_pct")), unit]


def _table(years: list[Record]) -> DataTable:
    """The file for those who would rather have all of it; too long to stand in the page."""
    return DataTable(
        "all",
        "Every authority by year",
        (
            Column("la_code", "Code"),
            Column("la_name", "Authority"),
            Column("region", "Region"),
            Column("year", "Year", "year"),
            Column("looked_after", "Children looked after", "count", reason="looked_after_reason"),
            Column("population_0_17", "Children aged 0-17", "count"),
            Column("rate_per_10k", "Per 10,000", "rate", reason="population_reason"),
        ),
        years,
    )


# ---------------------------------------------------------------------------------------------------------------------
# Charts without figures: the script gives `data.values` and the domain of `name`


def _config() -> Spec:
    axis = {"gridColor": SHADE, "domainColor": FAINT, "tickColor": FAINT, "labelColor": INK, "titleColor": QUIET,
            "titleFontWeight": "normal", "labelFontSize": 11, "titleFontSize": 11, "labelLimit": 230}  # fmt: skip
    return {"view": {"stroke": None}, "axis": axis, "legend": {"labelColor": INK, "labelFontSize": 11, "labelLimit": 0}}


def _by_name(values: Any) -> Spec:
    return {
        "field": "name", "type": "nominal", "sort": None, "scale": {"range": values},
        "legend": {"title": None, "orient": "top", "columns": 2, "symbolType": "stroke", "symbolSize": 300},
    }  # fmt: skip


def _lines(title: str, form: str) -> Spec:
    return {
        "$schema": SCHEMA,
        "background": PAPER,
        "width": "container",
        "height": 260,
        "data": {"values": []},
        "mark": {"type": "line", "strokeWidth": 2.2},
        "encoding": {
            "x": quantity("year", scale={"nice": False}, title=None, axis={"format": "d", "tickMinStep": 1, "grid": False}),
            "y": quantity("value", scale={"zero": False}, title=title, axis={"format": form}),
            "color": _by_name([*_COLOURS, QUIET]),
            "strokeDash": _by_name([*_DASHES, [1, 2]]),
            "tooltip": [{"field": "name", "title": "Authority"}, {"field": "year", "title": "31 March"},
                        {"field": "value", "title": title, "format": ",.1f" if form != ",d" else ",d"}],
        },
        "config": _config(),
    }  # fmt: skip


def _ranges(country: str) -> Spec:
    x = quantity("change", title=f"Change relative to {country}, per cent", axis={"labelExpr": signed("+d")})
    y = {"field": "name", "type": "nominal", "sort": None, "title": None, "axis": {"ticks": False, "domain": False}}
    return {
        "$schema": SCHEMA,
        "background": PAPER,
        "width": "container",
        "height": 30,  # of one authority; the script gives it for those chosen
        "data": {"values": []},
        "layer": [
            {
                "mark": {"type": "bar", "color": SHADE, "height": 14},
                "encoding": {"x": quantity("low"), "x2": {"field": "high"}, "y": y},
            },
            {"mark": DASHED, "encoding": {"x": {"datum": 0, "type": "quantitative"}}},
            {
                "mark": {"type": "point", "filled": True, "size": 80, "color": BLUE, "opacity": 1},
                "encoding": {"x": x, "y": y, "tooltip": [{"field": "name", "title": "Authority"},
                             {"field": "change", "title": f"Relative to {country}, %", "format": "+.1f"}]},
            },
        ],
        "config": _config(),
    }  # fmt: skip
