"""The few pictures that people would rather look at than read: charts of published tables as small PNG files.

What belongs here: what a chart shows and its words, and the renderer. What does not: figures (a chart draws the columns of
its table), what all charts share (`chart_parts`), those of regressions (`regression.model_charts`), and where a picture is
shown (`assets.describe`).

A chart is a Vega-Lite specification as plain data, which the renderer takes as it is. Every chart says what it shows and
from what; the sentences that stand on everything are printed under it as text, for letters are what a picture costs most.
The same table gives the same bytes.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline import evidence, sample, settings
from pipeline.chart_parts import (
    BLUE,
    DASHED,
    DOT,
    FAINT,
    INK,
    OCHRE,
    PALETTE,
    PAPER,
    QUIET,
    SHADE,
    SOURCES,
    WIDTH,
    About,
    Rows,
    Spec,
    coloured,
    finish,
    layer,
    quantity,
    signed,
    years_of,
)

_HEIGHT = 360
_SCALE = 1.2  # legible on a dense screen, and well under the size that an event log should hold
_STEPS = 6  # between a colour and the paper: the edges of letters need no more
_ALL_BUT_PAPER = 16  # of 255: the packer matches colours coarsely, and would tint the paper
_GAP, _LETTER_WIDTH, _NAME_HEIGHT = 6, 5, 11  # of a name at its size, in points: enough to keep names off each other
_MEASURES = {
    "baseline_rate": "Rate at the start",
    "started_per_10k": "Started, per 10,000 children",
    "ceased_per_10k": "Ceased, per 10,000 children",
    "uasc_share": "Unaccompanied children, share",
    "deprivation_level": "Child deprivation, level",
    "deprivation_change": "Child deprivation, change",
    "spending_per_child": "Spending per child",
    "ofsted_good": "Judged good or better",
    "innovation_programme": "Innovation Programme",
}


@dataclass(frozen=True)
class Span:
    """A window to mark in a series, in reporting years."""

    start: int
    end: int


# ---------------------------------------------------------------------------------------------------------------------
# The charts


def national_series(national: pd.DataFrame, spans: Sequence[Span], about: About) -> Spec:
    """Children looked after by year from `main.national_trend`: number and rate, with windows shaded."""
    known = national.loc[national["looked_after"].notna()]
    summed, series = (known.loc[known["source"] == source] for source in ("sum_of_authorities", "national_series"))
    by_authority, rounded = "sum of authorities", "national series, rounded"
    numbers = [_in_year(row.year, row.looked_after, rounded) for row in series.itertuples()]
    numbers += [_in_year(row.year, row.looked_after, by_authority) for row in summed.itertuples()]
    rated = summed.loc[summed["rate_per_10k"].notna()]
    rates = [_in_year(row.year, row.rate_per_10k, by_authority) for row in rated.itertuples()]
    first, last = min(row["year"] for row in numbers), max(row["year"] for row in numbers)
    years = {"domain": [first, last], "nice": False}
    colour = coloured("series", {by_authority: BLUE, rounded: QUIET})
    shaded = layer(
        [{"start": span.start, "end": span.end} for span in spans],
        {"type": "rect", "color": SHADE},
        x=quantity("start", scale=years, title=None),
        x2={"field": "end"},
    )

    def panel(rows: Rows, title: str, form: str, height: int) -> Spec:
        line = layer(
            rows,
            {"type": "line", "point": {"size": 16}},
            x=quantity("year", scale=years, title=None, axis={"format": "d", "tickMinStep": 1}),
            y=quantity("value", scale={"zero": False}, title=title, axis={"format": form}),
            color=colour,
        )
        return {"layer": [shaded, line], "width": WIDTH, "height": height}

    panels = [panel(numbers, "Children looked after on 31 March", ",.0f", 220)]
    if rates:
        panels.append(panel(rates, "Per 10,000 children aged 0-17", ".0f", 130))
    newest = summed.iloc[-1]
    return finish(
        {"vconcat": panels, "spacing": 14},
        f"Children looked after in {about.country}, {first} to {last}",
        [
            f"{int(newest['looked_after']):,} on 31 March {int(newest['year'])} (sum of authorities). "
            f"Shaded: {' and '.join(f'{span.start} to {span.end}' for span in spans)}.",
            "Rates are on one vintage of population, which begins with 2013.",
        ],
        about,
    )


def changes(units: pd.DataFrame, about: About) -> Spec:
    """Every unit of one window of `main.five_year_change`: its change against England beside what is usual at its size.

    Without evidence there is no shaded range, and nobody is named.
    """
    first = units.iloc[0]
    is_judged = bool(units["se_usual"].notna().all())
    is_outside = units["evidence"].isin([evidence.A, evidence.B]).to_numpy(dtype=bool)
    outside = int(is_outside.sum())
    shown = _shown(units)
    groups = {True: f"moved against {about.country} and parted from it", False: "other units"}
    has_bucked = shown["bucked"].fillna(False).astype(bool)
    points = [
        {"size": row.mean_number, "level": row.relative_change_pct, "group": groups[own], "name": row.unit_name}
        for row, own in zip(shown.itertuples(), has_bucked, strict=True)
    ]
    ends = [point["level"] for point in points]
    x = quantity(
        "size",
        scale={"type": "log", "nice": False, "padding": 12},
        title="Children looked after, mean of both ends (logarithmic)",
        axis={"values": [50, 100, 200, 500, 1000, 2000], "format": ",d"},
    )
    y = quantity(
        "level",
        scale={"domain": [min(-50, *ends), max(50, *ends)], "clamp": True, "padding": 6},
        title=f"Change of the rate relative to {about.country}, per cent",
        axis={"labelExpr": signed("+d")},
    )
    usual = [
        {"size": row.mean_number, "low": row.usual_low_pct, "high": row.usual_high_pct}
        for row in shown.sort_values("mean_number").itertuples()
        if is_judged
    ]
    area = {"type": "area", "color": SHADE, "clip": True}
    range_of_usual = layer(usual, area, x=x, y=quantity("low"), y2={"field": "high"})
    dots = layer(points, DOT, x=x, y=y, color=coloured("group", {groups[True]: OCHRE, groups[False]: BLUE}))
    is_named = shown["evidence"].isin([evidence.A, evidence.B])
    named = [point for point, is_own in zip(points, is_named, strict=True) if is_own]
    return finish(
        {
            "layer": [
                *([range_of_usual] if usual else []),
                layer([{"level": 0}], DASHED, y=y),
                dots,
                *_names(named, points, x, y),
            ],
            "width": WIDTH,
            "height": _HEIGHT,
        },
        f"Change against {about.country}, {years_of(first)}: every unit, and what is usual for its size",
        [*_told_of_changes(units, about, outside, is_judged=is_judged), *_told_of_sample(units, "units")],
        about,
    )


def _told_of_changes(units: pd.DataFrame, about: About, outside: int, *, is_judged: bool) -> list[str]:
    first = units.iloc[0]
    nation = f"{about.country}'s rate {evidence.moved(float(first['england_change_pct']))}"
    if pd.isna(first["bucked"]):
        lines = [f"{nation}: no clear direction, so nobody can have moved against it."]
    else:
        lines = [f"{nation}; {int(units['bucked'].sum())} of {len(units)} units moved against it and parted from it."]
    if is_judged:
        lines.append(
            f"Shaded: usual movement, in which 95 in 100 units stay without a trend; {outside} lie outside it."
        )
    return lines


def levels(funnel: pd.DataFrame, about: About) -> Spec:
    """The rates of one year of `main.funnel_levels` by size, with the funnel limits around the national rate."""
    year, national_rate = int(funnel["year"].iloc[0]), float(funnel["england_rate_per_10k"].iloc[0])
    kinds = {
        "99.8%, widened for the usual spread": (INK, "low_998", "high_998"),
        "95%, widened": (QUIET, "low_95", "high_95"),
        "95%, chance alone": (FAINT, "poisson_low_95", "poisson_high_95"),
    }
    shown = _shown(funnel)
    limits = [
        {"size": row["population_0_17"], "level": row[column], "kind": kind, "side": column}
        for row in shown.sort_values("population_0_17").to_dict("records")
        for kind, (_, *columns) in kinds.items()
        for column in columns
    ]
    points = [
        {"size": row.population_0_17, "level": row.rate_per_10k, "name": row.unit_name} for row in shown.itertuples()
    ]
    x = quantity(
        "size",
        scale={"type": "log", "nice": False, "padding": 12},
        title="Children aged 0-17 (logarithmic)",
        axis={"values": [10_000, 20_000, 50_000, 100_000, 200_000, 300_000], "format": ",d"},
    )
    y = quantity("level", scale={"zero": True}, title="Children looked after per 10,000")
    colours = coloured("kind", {kind: colour for kind, (colour, *_) in kinds.items()})
    far_outside = ["above_998", "below_998"]
    named = [point for point, outer in zip(points, shown["outside"].isin(far_outside), strict=True) if outer]
    outside, far = int((funnel["outside"] != "inside").sum()), int(funnel["outside"].isin(far_outside).sum())
    return finish(
        {
            "layer": [
                layer(
                    limits, {"type": "line", "strokeWidth": 1.3}, x=x, y=y, color=colours,
                    detail={"field": "side", "type": "nominal"},
                ),
                layer([{"level": national_rate}], {"type": "rule", "color": OCHRE}, y=y),
                layer(points, DOT | {"color": BLUE}, x=x, y=y),
                *_names(named, points, x, y),
            ],
            "width": WIDTH,
            "height": _HEIGHT,
        },
        f"The level of the rate on 31 March {year}, by size of authority",
        [
            f"{about.country}: {national_rate:.0f} per 10,000 (ochre line). {outside} of {len(funnel)} authorities lie "
            f"outside the 95% limits, {far} outside 99.8%.",
            "For the level of one year only; a change is judged by the usual movement.",
            *_told_of_sample(funnel, "authorities"),
        ],
        about,
    )  # fmt: skip


def groups(table: pd.DataFrame, false_discovery: float, about: About) -> Spec:
    """`main.groups_compared`: the difference of the two groups in each measure, in standard deviations, with limits.

    A dot is filled where q is at or under `false_discovery`.
    """
    windows = list(dict.fromkeys(table.sort_values("window_end", ascending=False)["window_id"]))
    rows_of = {
        window_id: [_compared(row, false_discovery) for row in table.itertuples() if row.window_id == window_id]
        for window_id in windows
    }
    ends = [row[end] for rows in rows_of.values() for row in rows for end in ("low", "high") if row["is_compared"]]
    low, high = min([-1.05, *ends]), max([1.05, *ends])
    x = quantity(
        "difference",
        scale={"domain": [low, high + 0.45 * (high - low)], "nice": False},  # room for the figures at the right
        title="Difference, standard deviations",
        axis={"values": [-1, -0.5, 0, 0.5, 1], "labelExpr": signed("+.1f")},
    )
    width = WIDTH / 2 - 30
    panels = []
    for at, (window_id, rows) in enumerate(rows_of.items()):
        y = {
            "field": "measure", "type": "nominal", "title": None, "sort": None,
            "scale": {"domain": list(_MEASURES.values())},
            "axis": {"labels": at == 0, "ticks": False, "domain": False, "labelLimit": 220, "grid": True},
        }  # fmt: skip
        there = [row for row in rows if row["is_compared"]]
        fill = {"field": "is_apart", "scale": {"domain": [True, False], "range": [BLUE, PAPER]}, "legend": None}
        panels.append(
            {
                "layer": [
                    layer([{"difference": 0}], DASHED, x=x),
                    layer(there, {"type": "rule", "color": BLUE, "strokeWidth": 2}, x=x | {"field": "low"},
                           x2={"field": "high"}, y=y),
                    layer(there, {"type": "point", "size": 70, "stroke": BLUE, "opacity": 1}, x=x, y=y,
                           fill=fill | {"type": "nominal"}),
                    layer(rows, {"type": "text", "align": "right", "color": INK, "fontSize": 10},
                           x={"value": width}, y=y, text={"field": "told"}),
                ],
                "width": width,
                "height": 28 * len(_MEASURES),
                "title": {"text": _panel_title(table.loc[table["window_id"] == window_id]), "fontSize": 11,
                          "anchor": "start", "color": INK},
            }
        )  # fmt: skip
    return finish(
        {"hconcat": panels, "spacing": 16},
        "Units that bucked the national trend beside the others",
        [
            "Difference of the means (or shares) with its 95% interval; right of 0, higher among those that bucked it.",
            f"Filled: q up to {false_discovery:.2f} over all tests. Figures: mean or share of both, those that did first.",
        ],
        about,
        f"{SOURCES}; Ofsted; HM Revenue & Customs; Department for Work and Pensions",
    )


def _compared(row: Any, false_discovery: float) -> dict[str, Any]:
    """One measure for the chart; the reason in words where there is no comparison."""
    measure = {"measure": _MEASURES[row.variable], "is_compared": bool(pd.isna(row.reason))}
    if not measure["is_compared"]:
        return measure | {"told": f"not compared: {str(row.reason).replace('_', ' ')}"}
    sd = row.standard_deviation
    return measure | {
        "difference": row.difference / sd,
        "low": row.lower_95 / sd,
        "high": row.upper_95 / sd,
        "is_apart": bool(row.q_value <= false_discovery),
        "told": " | ".join(_figure(mean, row) for mean in (row.bucked_mean, row.others_mean)),
    }


def _figure(mean: float, row: Any) -> str:
    if row.compared == "share":
        return f"{mean:.0f}%"
    return f"{mean:.{0 if abs(row.others_mean) >= 100 else 1}f}".replace("-", "−")


def _panel_title(own: pd.DataFrame) -> str:
    largest = own.loc[own["n"].idxmax()]
    if pd.isna(largest["n_bucked"]):
        return f"{years_of(largest)}: no clear national direction"
    return f"{years_of(largest)}: {int(largest['n_bucked'])} bucked it, {int(largest['n_others'])} did not"


# ---------------------------------------------------------------------------------------------------------------------
# Their parts


def _shown(units: pd.DataFrame) -> pd.DataFrame:
    """The units whose dots are drawn: all, or where they are too many some of them in the order of their ids."""
    size = sample.step(len(units), settings.load().report.chart_points)
    return units if size == 1 else units.sort_values("unit_id").iloc[::size].sort_index()


def _told_of_sample(units: pd.DataFrame, what: str) -> list[str]:
    sentence = sample.told(len(units), settings.load().report.chart_points, what)
    return [sentence] if sentence else []


def _in_year(year: int, value: float, series: str) -> dict[str, Any]:
    return {"year": int(year), "value": float(value), "series": series}


def _names(named: Rows, points: Rows, x: Spec, y: Spec) -> list[Spec]:
    """Names beside some of the points, on whichever side is free; a name without room is left out."""
    sides: dict[str, Rows] = {"left": [], "right": []}
    for point, side in _with_room(named, points):
        sides[side].append(point)
    return [
        layer(
            own,
            {"type": "text", "align": align, "dx": gap, "fontSize": 9, "color": INK},
            x=x, y=y, text={"field": "name"},
        )
        for own, align, gap in ((sides["right"], "left", _GAP), (sides["left"], "right", -_GAP))
        if own
    ]  # fmt: skip


def _with_room(named: Rows, points: Rows) -> Iterator[tuple[dict[str, Any], str]]:
    """Each point whose name lies on no other name or point, with the side it stands on; sizes are on a logarithmic axis."""
    sizes, heights = [math.log(point["size"]) for point in points], [point["level"] for point in points]
    across = WIDTH / ((max(sizes) - min(sizes)) or 1)
    up = _HEIGHT / ((max(heights) - min(heights)) or 1)
    dots = [((size - min(sizes)) * across, height * up) for size, height in zip(sizes, heights, strict=True)]
    taken: list[tuple[float, float, float]] = []
    for point in sorted(named, key=lambda one: str(one["name"])):
        at, height = (math.log(point["size"]) - min(sizes)) * across, point["level"] * up
        length = _LETTER_WIDTH * len(point["name"])
        for side, first in (("right", at + _GAP), ("left", at - _GAP - length)):
            last = first + length
            is_inside = first >= 0 and last <= WIDTH
            is_on_a_name = any(
                first <= end and last >= begin and abs(height - level) < _NAME_HEIGHT for begin, end, level in taken
            )
            is_on_a_dot = any(first <= x <= last and abs(height - y) < _NAME_HEIGHT / 2 for x, y in dots)
            if is_inside and not is_on_a_name and not is_on_a_dot:
                taken.append((first, last, height))
                yield point, side
                break


def title(chart: Spec) -> str:
    """The title of a chart, for those who do not see it."""
    return str(chart["vconcat"][0]["title"]["text"])


# ---------------------------------------------------------------------------------------------------------------------
# From chart to bytes


def png(chart: Spec) -> bytes:
    """The chart as a PNG file. The renderer and its packer are slow to import and are imported here."""
    import vl_convert
    from PIL import Image

    drawn = Image.open(io.BytesIO(vl_convert.vegalite_to_png(chart, scale=_SCALE)))
    # A chart has a few colours and their blends with the paper; the renderer's own file is ten times as large.
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for colour in _blends() for value in colour])
    packed = io.BytesIO()
    drawn.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE).save(packed, "PNG", compress_level=9)
    return packed.getvalue()


def _blends() -> Iterator[tuple[int, int, int]]:
    """Every colour of the palette in steps from the paper to itself, without those that are all but the paper."""
    paper = _rgb(PAPER)
    yield paper
    for colour in map(_rgb, PALETTE):
        for step in range(1, _STEPS + 1):
            first, second, third = (round(p + (c - p) * step / _STEPS) for p, c in zip(paper, colour, strict=True))
            if step == _STEPS or max(paper) - min(first, second, third) > _ALL_BUT_PAPER:
                yield first, second, third


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
