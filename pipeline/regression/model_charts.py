"""Charts of the regressions: a focal term in all specifications, and the focal terms in all windows and models.

What belongs here: what these charts show and their words. What does not: figures (a chart draws the columns of its table),
the parts of all charts (`chart_parts`) and the renderer (`charts`).

Coefficients of log ratios are drawn as percentages, 100 (exp(b) - 1), on an axis without a good or a bad side.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.chart_parts import (
    BLUE,
    DASHED,
    FAINT,
    INK,
    OCHRE,
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
from pipeline.evidence import pct
from pipeline.regression import observations, terms
from pipeline.tables import model_tables

_SOURCES = f"{SOURCES}; Ofsted; HM Revenue & Customs; Department for Work and Pensions"
_PRIMARY, _OTHERS, _SMALL_P = "the primary model", "other specifications", "p under {level}"
_ESTIMATES_HEIGHT, _ROW_HEIGHT = 210, 13
_BINS = 32  # neighbours share a square: 768 columns would be narrower than a pixel
_LARGEST_SQUARE = 100
_CHOICES: dict[str, dict[object, str]] = {
    "outcome": {
        observations.LOG_RATE_RATIO: "Outcome: rate",
        observations.NUMBER: "Outcome: number",
        observations.EXCLUDING_UASC: "Outcome: rate without UASC",
        observations.STARTS: "Outcome: rate of starts",
    },
    "window_id": {"main_h5": "Window: five years", "main_h4": "Window: four years"},
    "has_baseline": {True: "Rate at the start: in", False: "Rate at the start: out"},
    "region_effects": {True: "Region effects: in", False: "Region effects: out"},
    "weights": {"equal": "Weights: equal", "usual_movement": "Weights: usual movement"},
    "deprivation": {"low_income": "Deprivation: low income", "free_school_meals": "Deprivation: free meals"},
    "ofsted": {"ofsted_good": "Judgement: good or better", "ofsted_not_inadequate": "Judgement: not inadequate"},
    "innovation": {
        "innovation_programme": "Programme: rounds 1 and 2",
        "innovation_any_programme": "Programme: any",
        "innovation_lead": "Programme: lead only",
    },
}
_LINE_HEIGHT, _ASIDE, _LETTERS_A_PANEL = 22, 0.17, 28
_OTHER_MODELS = "other models"
_BRACKET = {"M1": "M1, without the rate at the start", "M2": "M2, with it"}
_MODELS = {
    ("M3", "primary"): "M3, weighted",
    ("M4", "primary"): "M4, quasi-Poisson",
    ("M7", "huber"): "M7, Huber",
    ("M7", "median"): "M7, median",
    ("M8", "primary"): "M8, without UASC",
    ("M9", "primary"): "M9, starts",
}


def specifications(curve: pd.DataFrame, summary: pd.DataFrame, term: str, about: About) -> Spec:
    """One term of `main.specification_curve` and its summary: sorted estimates with their intervals, and the choices.

    A square stands for some neighbouring specifications, and its area for the share of them that made the choice.
    ValueError where no specification has an estimate.
    """
    fitted = curve.loc[(curve["term"] == term) & curve["estimate"].notna()]
    if fitted.empty:
        raise ValueError(f"no specification has an estimate of {term}: there is nothing to draw")
    told = summary.loc[summary["term"] == term].iloc[0]
    ordered = fitted.sort_values(["estimate", "specification"], ignore_index=True)
    x = quantity("at", scale={"domain": [0, len(ordered) + 1], "nice": False})
    return finish(
        {"vconcat": [_estimates(ordered, float(told["p_level"]), x), _choices(ordered, x)], "spacing": 8},
        f"Association with {terms.TERMS[term].words}, in {len(ordered)} specifications",
        _told_of_specifications(told),
        about,
        _SOURCES,
    )


def _estimates(ordered: pd.DataFrame, level: float, x: Spec) -> Spec:
    kinds = {_SMALL_P.format(level=f"{level:g}"): BLUE, _OTHERS: QUIET, _PRIMARY: OCHRE}
    small_p, others, primary = kinds
    points = [
        {
            "at": place,
            "level": float(pct(row.estimate)),
            "low": float(pct(row.lower_95)),
            "high": float(pct(row.upper_95)),
            "kind": small_p if row.p_value < level else others,
        }
        for place, row in enumerate(ordered.itertuples(), start=1)
    ]
    own = [
        point | {"kind": primary} for point, is_primary in zip(points, ordered["is_primary"], strict=True) if is_primary
    ]
    y = quantity(
        "level",
        title=f"Difference, per cent ({ordered['unit_of_term'].iloc[0]})",
        axis={"labelExpr": signed("+~g")},
    )
    across = x | {"axis": {"labels": False, "ticks": False, "grid": False, "title": None}}
    ends = {"y": y | {"field": "low"}, "y2": {"field": "high"}}
    colour = coloured("kind", kinds)
    return {
        "layer": [
            layer(points, {"type": "rule", "color": SHADE, "strokeWidth": 1}, x=across, **ends),
            layer([{"level": 0}], DASHED, y=y),
            layer(points, {"type": "circle", "size": 6, "opacity": 1}, x=across, y=y, color=colour),
            layer(own, {"type": "rule", "strokeWidth": 1.6}, x=across, color=colour, **ends),
            layer(own, {"type": "circle", "size": 60, "opacity": 1}, x=across, y=y, color=colour),
        ],
        "width": WIDTH,
        "height": _ESTIMATES_HEIGHT,
    }


def _choices(ordered: pd.DataFrame, x: Spec) -> Spec:
    """A row for each choice; its squares are the shares of groups of neighbours that made it."""
    groups = np.array_split(np.arange(len(ordered)), min(_BINS, len(ordered)))
    words = [told for choices in _CHOICES.values() for told in choices.values()]
    y = {
        "field": "choice", "type": "nominal", "title": None, "sort": None, "scale": {"domain": words},
        "axis": {"ticks": False, "domain": False, "grid": False, "labelLimit": 200},
    }  # fmt: skip
    across = x | {"title": "Specifications, sorted by estimate", "axis": {"grid": False, "format": "d"}}
    size = quantity("share", scale={"domain": [0, 1], "range": [0, _LARGEST_SQUARE]}, legend=None)
    layers = []
    for place, (column, choices) in enumerate(_CHOICES.items()):
        made = ordered[column].to_numpy()
        squares = [
            {"at": float(group.mean()) + 1, "choice": told, "share": share}
            for value, told in choices.items()
            for group in groups
            if (share := float(np.mean(made[group] == value))) > 0
        ]
        # Choices that exclude each other have one colour, and their neighbours another.
        mark = {"type": "square", "opacity": 1, "color": (INK, BLUE)[place % 2]}
        layers.append(layer(squares, mark, x=across, y=y, size=size))
    return {"layer": layers, "width": WIDTH, "height": _ROW_HEIGHT * len(words)}


def _told_of_specifications(told: pd.Series) -> list[str]:
    return [
        model_tables.NOT_AN_EFFECT + f" {int(told['n'])} units, the same in every specification; lines: 95% limits.",
        f"Median {_signed_percent(told['median_estimate'])} (p = {told['median_p']:.3f}); "
        f"{100 * told['majority_share']:.0f}% are {told['majority_sign']} (p = {told['majority_p']:.3f}); "
        f"{100 * told['significant_share']:.0f}% have p under {told['p_level']:g} (p = {told['significant_p']:.3f}).",
        f"These three p are approximate: {int(told['draws'])} joint permutations within regions. "
        "Squares: the area is the share of neighbours with the choice.",
    ]


def _signed_percent(log_ratio: float) -> str:
    return f"{float(pct(log_ratio)):+.1f}%".replace("-", "−")


# ---------------------------------------------------------------------------------------------------------------------
# Windows and models


def windows_and_models(coefficients: pd.DataFrame, window_id: str, about: About) -> Spec:
    """`main.regression_coefficients`: the focal terms under M1 and M2 in every window, and in the other models of one.

    The shaded bar between the estimates of M1 and M2 is what the choice between the two leaves open. Models without region
    effects and of log ratios only. ValueError where none has an estimate.
    """
    known = coefficients.loc[
        coefficients["term"].isin(list(terms.FOCAL))
        & coefficients["is_log_outcome"].astype(bool)
        & ~coefficients["region_effects"].astype(bool)
        & coefficients["estimate"].notna()
    ]
    lines = [*_bracketed(known), *_other_models(known, window_id)]
    if not lines:
        raise ValueError("no model has an estimate of a focal term: there is nothing to draw")
    order = list(dict.fromkeys(line["line"] for line in lines))
    panels = [
        _forest([line for line in lines if line["term"] == term], order, term, has_labels=at == 0)
        for at, term in enumerate(terms.FOCAL)
    ]
    return finish(
        {"hconcat": panels, "spacing": 12},
        "Associations with the change, by window and model",
        [
            model_tables.NOT_AN_EFFECT + " Differences of the change in per cent, with 95% limits.",
            "Shaded: between M1 and M2, which the data cannot choose between. Windows differ in the measure of low income.",
            *_told_of_others(known, window_id),
            *_told_of_later(known.loc[known["model"].isin(list(_BRACKET))]),
        ],
        about,
        _SOURCES,
    )


def _bracketed(known: pd.DataFrame) -> Rows:
    """M1 and M2 of every window that has them, the newest first."""
    own = known.loc[
        known["model"].isin(list(_BRACKET))
        & (known["variant"] == "primary")
        & (known["outcome"] == observations.LOG_RATE_RATIO)
    ]
    ordered = own.sort_values(["window_end", "window_start", "model"], ascending=[False, False, True])
    return [_line(row, years_of(row), _BRACKET[row["model"]]) for row in ordered.to_dict("records")]


def _other_models(known: pd.DataFrame, window_id: str) -> Rows:
    own = known.loc[known["window_id"] == window_id].to_dict("records")
    return [
        _line(row, told, _OTHER_MODELS)
        for (model, variant), told in _MODELS.items()
        for row in own
        if (row["model"], row["variant"]) == (model, variant)
    ]


def _told_of_others(known: pd.DataFrame, window_id: str) -> list[str]:
    own = known.loc[known["window_id"] == window_id]
    return [f"Models M3 to M9 are of {years_of(own.iloc[0])}."] if _other_models(known, window_id) else []


def _told_of_later(known: pd.DataFrame) -> list[str]:
    """Terms that look into a window, with the windows."""
    later = known.loc[known["is_post_baseline"].astype(bool)].sort_values(["window_end", "window_start"])
    told = []
    for term in terms.FOCAL:
        windows = dict.fromkeys(years_of(row) for row in later.loc[later["term"] == term].to_dict("records"))
        if windows:
            told.append(
                f"Within the window, so it may follow the change: {terms.TERMS[term].words}, {', '.join(windows)}."
            )
    return told


def _line(row: Any, line: str, model: str) -> dict[str, Any]:
    return {
        "line": line,
        "term": row["term"],
        "model": model,
        "level": float(pct(row["estimate"])),
        "low": float(pct(row["lower_95"])),
        "high": float(pct(row["upper_95"])),
    }


def _forest(lines: Rows, order: Sequence[str], term: str, *, has_labels: bool) -> Spec:
    """One term: a line of the chart for each window, with M1 above M2, and for each other model."""
    colours = {_BRACKET["M1"]: OCHRE, _BRACKET["M2"]: BLUE, _OTHER_MODELS: QUIET}
    beside = {_BRACKET["M1"]: -_ASIDE, _BRACKET["M2"]: _ASIDE, _OTHER_MODELS: 0.0}
    placed = [one | {"at": order.index(one["line"]) + beside[one["model"]]} for one in lines]
    x = quantity(
        "level",
        title=f"Per cent, {terms.unit_of(term)}",
        axis={"labelExpr": signed("+~g"), "tickCount": 4, "labelOverlap": True},
    )
    labels = {"values": list(range(len(order))), "labelExpr": f"{json.dumps(order)}[datum.value]", "labelLimit": 200}
    y = quantity(
        "at",
        title=None,
        scale={"domain": [-0.5, len(order) - 0.5], "reverse": True, "nice": False, "zero": False},
        axis={"labels": has_labels, "ticks": False, "domain": False, "grid": False} | labels,
    )
    colour = coloured("model", colours)
    return {
        "layer": [
            layer([{"level": 0}], DASHED, x=x),
            layer(_brackets(lines, order), {"type": "rect", "color": FAINT, "opacity": 0.6}, x=x, x2={"field": "high"},
                  y=y, y2={"field": "below"}),
            layer(placed, {"type": "rule", "strokeWidth": 1.4}, x=x | {"field": "low"}, x2={"field": "high"}, y=y,
                  color=colour),
            layer(placed, {"type": "circle", "size": 40, "opacity": 1, "stroke": PAPER}, x=x, y=y, color=colour),
        ],
        "width": WIDTH / 3 - 10,
        "height": _LINE_HEIGHT * len(order),
        "title": {"text": textwrap.wrap(_heading(term), _LETTERS_A_PANEL), "fontSize": 11, "anchor": "start",
                  "frame": "group", "color": INK},
    }  # fmt: skip


def _brackets(lines: Rows, order: Sequence[str]) -> Rows:
    """From the estimate of M1 to that of M2, on the lines that have both."""
    found = []
    for at, line in enumerate(order):
        levels = {one["model"]: one["level"] for one in lines if one["line"] == line}
        ends = [levels[model] for model in _BRACKET.values() if model in levels]
        if len(ends) == len(_BRACKET):
            found.append({"at": at - 2 * _ASIDE, "below": at + 2 * _ASIDE, "level": ends[0], "high": ends[1]})
    return found


def _heading(term: str) -> str:
    words = terms.TERMS[term].words
    return words[0].upper() + words[1:]
