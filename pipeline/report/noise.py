"""Is it noise?: how large movements usually are, how often rules call a trend where there is none, levels and memory.

What belongs here: the sentences, charts and tables of that page. What does not: the fit (`volatility`), the drawn
countries (`null_calibration`), the funnel (`funnel`) and whether movements persist (`memory`); the page shows their tables.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline import charts, evidence, limits, sample, settings
from pipeline.chart_parts import BLUE, FAINT, INK, OCHRE, QUIET, Rows, coloured, in_page, layer, quantity, years_of
from pipeline.database import Record
from pipeline.report import numbers, page
from pipeline.report.compact import compact
from pipeline.report.page import Chart, Column, DataTable, Page, authority_file
from pipeline.report.published import Published

_SIZES = (25, 50, 100, 200, 400, 800, 1600)  # children looked after; doubled each time, for the axis is logarithmic
_FITS = {
    "primary": "in use: years since the populations are comparable, extremes drawn in",
    "no_winsorising": "the same years, extremes as they are",
    "all_pairs": "all years",
}
_RULES = {
    "usual_movement": "This report: larger than usual movement",
    "usual_movement_refitted": "The same, fitted to the imagined country",
    "evidence_a": "This report: exceptional",
    "evidence_a_refitted": "Exceptional, fitted to the imagined country",
    "opposite_sign": "Moved the other way than the country",
    "apart_from_england": "Parted from the country by a tenth",
    "funnel_od": "Outside a widened funnel of changes",
    "fingertips_marker": "Marker of a recent trend, five years",
    "poisson_slope": "Slope of counts (Poisson)",
    "quasi_poisson_slope": "Slope of counts (quasi-Poisson)",
    "mann_kendall": "Mann-Kendall test",
}
_OUTSIDE = {
    "above_998": "above 99.8%", "above_95": "above 95%", "inside": "inside", "below_95": "below 95%",
    "below_998": "below 99.8%",
}  # fmt: skip
_PANELS = {"all_units": "All authorities", "large_units": "The largest quarter"}
_STATISTICS = {
    "variance_ratio": "Spread over several years, against that of independent yearly steps",
    "drift_f": "Do mean yearly movements differ between authorities (F)",
    "drift_reliability": "Share of those differences that would be seen again",
    "lag_1_correlation": "Correlation of a year's movement with the next one's",
    "window_correlation": "Correlation of a window's change with that of the window before",
}


def pages(published: Published) -> Iterator[Page]:
    """The page on usual movement."""
    fits = published.rows("SELECT * FROM main.volatility ORDER BY fitted_on = 'primary' DESC, fitted_on")
    fit = next((row for row in fits if row["fitted_on"] == "primary" and row["a"] is not None), None)
    window = _window(published)
    drawn, tables = [], [_fits(fits)]
    if fit:
        drawn.append(_usual_movement(published, fit, window))
    rules = published.rows("SELECT * FROM main.null_calibration ORDER BY position")
    tried = [row for row in rules if row["share_null_mean"] is not None]
    if tried:
        drawn.append(_calibration(tried, published.about.country))
    if published.has("main.funnel_levels"):
        drawn.append(_levels(published))
    memory = published.rows("SELECT * FROM main.memory_stats ORDER BY panel, statistic, years")
    if memory:
        tables.append(_memory(memory))
    yield Page(
        file="noise.html",
        section="noise",
        title="Is it noise?",
        template="noise.html",
        charts=drawn,
        tables=tables,
        facts={
            "fit": fit,
            "no_fit": numbers.words(fits[0]["reason"]) if fits and not fit else "",
            "not_tried": numbers.words(rules[0]["reason"]) if rules and not tried else "",
            "calibration": {row["rule"]: row for row in tried},
            "memory_sentences": _memory_in_words(memory),
            "usual_of": _usual_pct,
        },
        description="How large a change usually is for an authority of a certain size, and how often rules see a trend "
        "where there is none.",
    )


def _window(published: Published) -> Record | None:
    """The primary window if it was computed."""
    found = published.rows("SELECT * FROM main.windows WHERE role = 'primary' AND is_computed")
    return found[0] if found else None


def _usual_pct(fit: Record, number: float, years: int = 1) -> float:
    """The upper end of the usual range, per cent: 100 (exp(1.959964 sqrt(years (a + b / number))) - 1), methods.md C4."""
    return float(evidence.pct(limits.z_of(limits.CONFIDENCE) * math.sqrt(years * (fit["a"] + fit["b"] / number))))


# ---------------------------------------------------------------------------------------------------------------------
# Usual movement


def _usual_movement(published: Published, fit: Record, window: Record | None) -> Chart:
    """Usual movement of one year and of the window's years by size, beside what counting alone would give."""
    years = (window["window_end"] - window["window_start"]) if window else 5
    one, several, alone = "one year", f"{years} years", "one year, chance alone"
    chance = {"a": 0.0, "b": 1.0}
    curves = {one: (fit, 1), several: (fit, years), alone: (chance, 1)}
    low, high = _sizes_of(published, window)
    across = [low * (high / low) ** (step / 60) for step in range(61)]
    lines = [
        {"size": size, "level": _usual_pct(fitted, size, over), "kind": kind}
        for kind, (fitted, over) in curves.items()
        for size in across
    ]
    dots = _units(published, window)
    rows = [
        {"size": size, **{key: _usual_pct(fitted, size, over) for key, (fitted, over) in zip(
            ("one_year", "several_years", "chance_alone"), curves.values(), strict=True)}}
        for size in _SIZES
    ]  # fmt: skip
    x = quantity(
        "size",
        scale={"type": "log", "nice": False},
        title="Children looked after (logarithmic)",
        axis={"values": list(_SIZES), "format": ",d", "grid": False},
    )
    y = quantity("level", title="Usual up to, per cent", axis={"gridColor": FAINT, "labelExpr": "'+' + datum.label"})
    tooltip: Any = [{"field": "name", "title": "Authority"}, {"field": "told", "title": "Usual range"}]
    colour = coloured("kind", {several: BLUE, one: INK, alone: OCHRE})
    spec = in_page(
        300,
        [
            layer(lines, {"type": "line", "strokeWidth": 2}, x=x, y=y, color=colour),
            layer(dots, {"type": "circle", "size": 26, "color": QUIET, "opacity": 0.7}, x=x, y=y, tooltip=tooltip),
        ],
    )
    hundred = rows[_SIZES.index(100)]
    many = rows[_SIZES.index(800)]
    told = (
        f"With 100 children, up to {numbers.signed_pct(hundred['one_year'])} in one year and "
        f"{numbers.signed_pct(hundred['several_years'])} over {several} is usual; with 800, "
        f"{numbers.signed_pct(many['one_year'])} and {numbers.signed_pct(many['several_years'])}."
    )
    return Chart(
        name="usual-movement",
        title="How much a rate usually moves, by the number of children looked after",
        spec=compact(spec),
        alternative=f"Three curves that fall as authorities grow larger. {told} If children came and went by chance alone, "
        f"{numbers.signed_pct(hundred['chance_alone'])} in one year would be usual with 100 children.",
        table=DataTable(
            "usual-movement",
            "Upper end of the usual range by number of children looked after",
            (
                Column("size", "Children looked after", "count"),
                Column("one_year", "One year", "signed_pct"),
                Column("several_years", several.capitalize(), "signed_pct"),
                Column("chance_alone", "One year, by chance alone", "signed_pct"),
            ),
            rows,
        ),
        told=(
            told,
            f"A dot for each authority at its number of children, mean of {window['window_start']} and "
            f"{window['window_end']}."
            if window and dots
            else "No authority was judged in the newest window, so there are curves only.",
        ),
        methods="usual-range",
    )


def _sizes_of(published: Published, window: Record | None) -> tuple[float, float]:
    """The smallest and largest number of children of a unit of the window, or the ends of the list of sizes."""
    found = [dot["size"] for dot in _units(published, window)]
    return (min(found), max(found)) if len(found) > 1 else (float(_SIZES[0]), float(_SIZES[-1]))


def _units(published: Published, window: Record | None) -> Rows:
    if window is None:
        return []
    found = published.rows(
        "SELECT unit_name, mean_number, usual_low_pct, usual_high_pct FROM main.five_year_change"
        f" WHERE window_id = '{window['window_id']}' AND usual_high_pct IS NOT NULL ORDER BY unit_name, unit_id"
    )
    return [
        {
            "size": row["mean_number"],
            "level": row["usual_high_pct"],
            "name": row["unit_name"],
            "told": numbers.between(row["usual_low_pct"], row["usual_high_pct"]),
        }
        for row in sample.every(found, settings.load().report.chart_points)
    ]


def _fits(fits: list[Record]) -> DataTable:
    rows = [
        row
        | {"words": _FITS[row["fitted_on"]], "span": numbers.between(row["first_year"], row["last_year"], numbers.year)}
        for row in fits
    ]
    return DataTable(
        "fits",
        "How usual movement was fitted: variance of one year's change = a + b / number of children",
        (
            Column("words", "Fitted to"),
            Column("span", "Years"),
            Column("a", "a", "five_digits", reason="reason"),
            Column("b", "b", "three_digits", reason="reason"),
            Column("n_pairs", "Pairs of years", "count"),
            Column("n_obs", "Yearly changes", "count"),
            Column("n_winsorised", "Of them drawn in", "count"),
        ),
        rows,
        note="a is movement that size does not lessen; b is that of counting children, 1 if they came and went one by one "
        "and by chance. Changes are logarithms, relative to the country.",
    )


# ---------------------------------------------------------------------------------------------------------------------
# Rules tried out where there is no trend


def _calibration(tried: list[Record], country: str) -> Chart:
    """The share that each rule marks in imagined countries without local trends, and in the published data."""
    null, real, meant = "imagined countries without trends", "published figures", "meant to mark"
    rows = [
        row | {
            "told": _RULES[row["rule"]],
            "nominal_pct": _percent(row["nominal"]),
            "real_pct": _percent(row["share_real"]),
            "null_pct": _percent(row["share_null_mean"]),
            "low_pct": _percent(row["share_null_lo"]),
            "high_pct": _percent(row["share_null_hi"]),
        }
        for row in tried
    ]  # fmt: skip
    order = [row["told"] for row in rows]
    points, marks = (
        [
            {"rule": row["told"], "level": row[column], "kind": kind}
            for row in rows
            for kind, column in columns
            if row[column] is not None
        ]
        for columns in (((null, "null_pct"), (real, "real_pct")), ((meant, "nominal_pct"),))
    )
    ranges = [{"rule": row["told"], "level": row["low_pct"], "high": row["high_pct"]} for row in rows]
    y = {
        "field": "rule", "type": "nominal", "title": None, "sort": None, "scale": {"domain": order},
        "axis": {"ticks": False, "domain": False, "labelLimit": 330},
    }  # fmt: skip
    x = quantity("level", title="Authorities marked, per cent", axis={"gridColor": FAINT}, scale={"domainMin": 0})
    colour = coloured("kind", {null: BLUE, real: OCHRE, meant: INK})
    colour["legend"] |= {"columns": 1, "labelLimit": 0}
    spec = in_page(
        24 * len(rows),
        [
            layer(ranges, {"type": "rule", "strokeWidth": 3, "color": FAINT}, x=x, x2={"field": "high"}, y=y),
            layer(marks, {"type": "tick", "thickness": 2, "size": 18}, x=x, y=y, color=colour),
            layer(points, {"type": "circle", "size": 70, "opacity": 1}, x=x, y=y, color=colour),
        ],
    )
    own, slope = (
        next((row for row in rows if row["rule"] == name), None) for name in ("usual_movement", "poisson_slope")
    )
    told = " ".join(
        f"{name} marks {numbers.pct(row['null_pct'])} of authorities that have no trend of their own, where "
        f"{numbers.pct(row['nominal_pct'])} is meant."
        for name, row in (("The rule of this report", own), ("A slope fitted to counts", slope))
        if row is not None
    )
    window = years_of(rows[0])
    return Chart(
        name="calibration",
        title="How many authorities each rule marks where nobody has a trend",
        spec=spec,
        alternative=f"A line for each of {len(rows)} rules. {told}",
        table=DataTable(
            "calibration",
            f"Share of authorities that each rule marks, {window}",
            (
                Column("told", "Rule"),
                Column("nominal_pct", "Meant to mark", "pct", reason="nominal_reason"),
                Column("null_pct", "In imagined countries without trends, mean", "pct"),
                Column("low_pct", "from", "pct"),
                Column("high_pct", "to", "pct"),
                Column("real_pct", f"In {country}", "pct"),
            ),
            rows,
            note="From and to: 95 of 100 imagined countries lie between. The first rules belong together: this report uses "
            "the first, the others are to compare with.",
        ),
        told=(
            told,
            f"{numbers.count(rows[0]['draws'])} imagined countries, {numbers.count(rows[0]['n_units'])} authorities each, "
            f"{window}.",
        ),
        methods="noise",
    )


def _percent(share: Any) -> float | None:
    return None if share is None else 100 * float(share)


# ---------------------------------------------------------------------------------------------------------------------
# Levels and memory


def _levels(published: Published) -> Chart:
    """The funnel of the newest year."""
    newest = published.frame(
        "SELECT * FROM main.funnel_levels WHERE year = (SELECT max(year) FROM main.funnel_levels)"
        " ORDER BY unit_name, unit_id"
    )
    rows = [
        row | {"page": authority_file(row["unit_id"]), "where": _OUTSIDE[row["outside"]]}
        for row in newest.to_dict("records")
    ]
    apart = [str(row["unit_name"]) for row in rows if str(row["outside"]).endswith("998")]
    year = int(newest["year"].iloc[0])
    table = DataTable(
        "levels",
        f"The rate on 31 March {year} and the funnel",
        (
            Column("unit_name", "Authority", link="page"),
            Column("population_0_17", "Children aged 0-17", "count"),
            Column("rate_per_10k", "Per 10,000", "rate"),
            Column("low_95", "Widened 95% limits from", "rate"),
            Column("high_95", "to", "rate"),
            Column("where", "Against the limits"),
        ),
        rows,
        note="Alphabetical. Only the level of one year: an authority may lie outside for what kind of place it is.",
    )
    made = page.from_finished(
        "levels",
        charts.levels(newest, published.about),
        f"A dot for each of {len(rows)} authorities: children living there across, rate upwards, in a funnel that is wide "
        "for few children and narrow for many. "
        + (
            f"Outside the widened 99.8% limits: {numbers.listed(apart)}."
            if apart
            else "None outside the widened 99.8% limits."
        ),
        table,
        methods="noise",
    )
    return dataclasses.replace(made, spec=compact(made.spec))


def _memory(memory: list[Record]) -> DataTable:
    rows = [row | {"told": _STATISTICS[row["statistic"]], "units": _PANELS[row["panel"]]} for row in memory]
    return DataTable(
        "memory",
        "Do movements persist?",
        (
            Column("told", "What is measured"),
            Column("units", "Of"),
            Column("years", "Years", "count"),
            Column("value", "Value", "decimal", reason="reason"),
            Column("low_95", "95% limits from", "decimal"),
            Column("high_95", "to", "decimal"),
            Column("p_value", "p", "probability"),
        ),
        rows,
    )


def _memory_in_words(memory: list[Record]) -> list[str]:
    """What the statistics say of all units and of the largest, a sentence each; none where nothing was computed."""
    told = []
    for panel, name in _PANELS.items():
        of_panel = [row for row in memory if row["panel"] == panel and row["value"] is not None]
        lag = next((row for row in of_panel if row["statistic"] == "lag_1_correlation"), None)
        ratio = max(
            (row for row in of_panel if row["statistic"] == "variance_ratio"),
            key=lambda row: row["years"],
            default=None,
        )
        if lag:
            told.append(
                f"{name}: the movement of one year and that of the next have a correlation of "
                f"{numbers.signed_decimal(lag['value'])} ({_limits(lag)}). {_meaning(lag, 0, 'one year tells', 'the next')}"
            )
        if ratio:
            told.append(
                f"{name}: over {ratio['years']} years the spread of changes is {numbers.decimal(ratio['value'])} times that "
                f"of independent yearly steps ({_limits(ratio)})."
            )
    return told


def _limits(row: Record) -> str:
    return f"95% limits {numbers.between(row['low_95'], row['high_95'], numbers.decimal)}"


def _meaning(row: Record, none: float, tells: str, of_what: str) -> str:
    if pd.isna(row["low_95"]) or row["low_95"] <= none <= row["high_95"]:
        return f"The limits hold {none:g}: these figures do not show that {tells} anything of {of_what}."
    way = "the same" if row["value"] > none else "the other"
    return f"The limits do not hold {none:g}: a movement tends to be followed by one in {way} direction."
