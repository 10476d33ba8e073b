"""The parts that all charts are made of: their colours, layers, scales, heading and foot.

What belongs here: what two or more charts share. What does not: any chart (`charts`, `regression.model_charts`), and the
renderer (`charts.png`).

No polarity: one neutral palette, in which no colour stands for a good or a bad direction.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

Spec = dict[str, Any]
Rows = list[dict[str, Any]]

INK, QUIET, FAINT, SHADE = "#1f2a37", "#6b7684", "#c9d1da", "#e8edf3"
BLUE, OCHRE = "#2f5f8f", "#c77c11"
PAPER = "#ffffff"
PALETTE = (INK, QUIET, FAINT, SHADE, BLUE, OCHRE)

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH = 620
_LETTERS_A_LINE = 138
FICTIONAL = "FICTIONAL: "
SOURCES = (
    "Department for Education, children looked after; Office for National Statistics, mid-year population estimates"
)
CONFIG = {
    "view": {"stroke": None},
    "axis": {
        "gridColor": SHADE, "domainColor": FAINT, "tickColor": FAINT, "labelColor": INK, "titleColor": QUIET,
        "titleFontWeight": "normal", "labelFontSize": 10, "titleFontSize": 10,
    },
    "legend": {"labelColor": INK, "labelFontSize": 10, "labelLimit": 0, "offset": 4},
}  # fmt: skip
DASHED = {"type": "rule", "color": QUIET, "strokeDash": [4, 3]}
DOT = {"type": "circle", "size": 44, "opacity": 0.85, "stroke": PAPER, "strokeWidth": 0.6}


@dataclass(frozen=True)
class About:
    """What a chart is about: the country by name, and whether it is fictional."""

    country: str
    is_fictional: bool


def years_of(row: pd.Series | Mapping[str, Any]) -> str:
    """The window of a row by its years, such as `2019 to 2024`."""
    return f"{int(row['window_start'])} to {int(row['window_end'])}"


def layer(rows: Rows, mark: Spec, **encoding: Any) -> Spec:
    """One layer: a mark for each row, with the encodings of its fields."""
    values = [
        {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()} for row in rows
    ]
    return {"data": {"values": values}, "mark": mark, "encoding": encoding}


def quantity(field: str, **rest: Any) -> Spec:
    """A field on a scale of numbers."""
    return {"field": field, "type": "quantitative", **rest}


def coloured(field: str, colours: dict[str, str]) -> Spec:
    """A colour for each value of a field, with a legend above."""
    return {
        "field": field,
        "type": "nominal",
        "scale": {"domain": list(colours), "range": list(colours.values())},
        "legend": {"title": None, "orient": "top"},
    }


def signed(form: str) -> str:
    """Labels of an axis with their sign, and 0 without one."""
    return f"datum.value == 0 ? '0' : format(datum.value, '{form}')"


def in_page(height: int, layers: Sequence[Spec]) -> Spec:
    """Layers as a chart of a page of the report, as wide as the page; the page has its title and source beside it."""
    return {
        "$schema": SCHEMA,
        "background": PAPER,
        "width": "container",
        "height": height,
        "layer": list(layers),
        "config": {"view": {"stroke": None}},
    }


def finish(drawn: Spec, title: str, told: Sequence[str], about: About, sources: str = SOURCES) -> Spec:
    """With the title and what it tells above, and the source below."""
    heading = {
        "text": (FICTIONAL if about.is_fictional else "") + title, "subtitle": list(told), "anchor": "start",
        "fontSize": 14, "subtitleFontSize": 11, "color": INK, "subtitleColor": QUIET, "offset": 10,
    }  # fmt: skip
    source = f"Source: {'invented files in the layouts of: ' if about.is_fictional else ''}{sources}."
    return {
        "$schema": SCHEMA,
        "background": PAPER,
        "padding": 12,
        "title": {
            "text": textwrap.wrap(source, _LETTERS_A_LINE),
            "orient": "bottom", "anchor": "start", "fontSize": 9, "fontWeight": "normal", "color": QUIET, "offset": 12,
        },
        # The heading is that of the inner chart, for the outer one has its title at the foot.
        "vconcat": [drawn | {"title": heading}],
        "resolve": {"legend": {"color": "independent"}},
        "config": CONFIG,
    }  # fmt: skip
