"""What the regressions of a window say, in a paragraph that anybody can read.

What belongs here: the sentences, made from the figures of the published tables. What does not: the figures, and the
standing caveats (`sentences`), which are put after them.

An association across authorities is told as a difference between authorities that are alike in the other terms, never as
what a factor does. Where the interval holds 0 the paragraph says so, and how large a difference the model would find.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline import deprivation, sentences
from pipeline.regression import observations, terms
from pipeline.tables import model_tables
from pipeline.tables.frames import conform

PRIMARY = "primary"
_PRIMARY_MODEL, _CHANGE_SCORE = "M2", "M1"
_MODELS = ("M1", "M2", "M3", "M4", "M7", "M8", "M10")  # all have log ratios of a stock for outcome
_SAYS = {
    terms.DEPRIVATION_CHANGE: "Where child low income ({measure}) rose by one percentage point more",
    terms.INNOVATION: "Where an authority was found to have taken part in the Innovation Programme ({measure})",
    terms.OFSTED_GOOD: "Where the judgement was good or outstanding ({measure})",
}
# Other codings of the same factor, and how they differ, for the sentence on signs that depend on the coding.
_OTHER_CODINGS = {
    terms.OFSTED_GOOD: ("ofsted_good_at_end", "the judgement in force at the end, which may follow the change"),
    terms.INNOVATION: ("innovation_ever", "taking part at any time up to the end of the window"),
}

_MOSTLY = 0.75  # of the specifications: with fewer of one sign the choices decide it

Row = dict[str, Any]


def findings(
    coefficients: pd.DataFrame, models: pd.DataFrame, curve: pd.DataFrame, exposed: pd.DataFrame
) -> pd.DataFrame:
    """`about.findings`: one paragraph a window.

    From `main.regression_coefficients`, `main.regression_models`, `main.specification_curve_summary` and
    `main.exposures`; a window whose primary model was not fitted has the reason in its paragraph.
    """
    rows = []
    for window_id, own in coefficients.groupby("window_id", sort=False):
        about = models.loc[models["window_id"] == window_id]
        measures = exposed.loc[exposed["window_id"] == window_id].drop_duplicates("variable")
        told = measures.set_index("variable")["measure"].to_dict()
        first = own.iloc[0]
        parts = list(_paragraph(own, about, curve.loc[curve["window_id"] == window_id], told))
        rows.append(
            {
                "window_id": window_id,
                "window_start": first["window_start"],
                "window_end": first["window_end"],
                "finding": " ".join(parts),
                "caveats": " ".join(sentences.MODELS),
            }
        )
    table = model_tables.FINDINGS
    return conform(pd.DataFrame(rows, columns=table.column_names), table)


def _paragraph(own: pd.DataFrame, about: pd.DataFrame, curve: pd.DataFrame, told: dict[str, str]) -> Iterator[str]:
    first = own.iloc[0]
    span = f"{first['window_start']} to {first['window_end']}"
    primary = _model(own, _PRIMARY_MODEL)
    stopped = primary.loc[primary["reason"].notna()]
    if len(stopped) or primary.empty:
        why = str(stopped["reason"].iloc[0]).replace("_", " ") if len(stopped) else "no exposure"
        yield f"{span}: the regressions are not fitted ({why})."
        return
    n = int(primary["n"].iloc[0])
    left = _left_out(about)
    yield (
        f"{span}, association across {n} authorities{left}, each compared with authorities alike in the other terms of "
        "the model (child low income and its change, the Innovation Programme, the judgement, the rate at the start)."
    )
    for term in terms.FOCAL:
        yield from _term(term, own, curve, told)


def _left_out(about: pd.DataFrame) -> str:
    primary = _model(about, _PRIMARY_MODEL)
    count = int(primary["n_left_out"].iloc[0]) if len(primary) else 0
    return f" ({count} more have a value missing)" if count else ""


def _model(frame: pd.DataFrame, model: str, *, outcome: str = observations.LOG_RATE_RATIO) -> pd.DataFrame:
    """The rows of one model without region effects, in its primary variant."""
    return frame.loc[
        (frame["model"] == model)
        & (frame["outcome"] == outcome)
        & (frame["variant"] == PRIMARY)
        & ~frame["region_effects"].astype(bool)
    ]


def _term(term: str, own: pd.DataFrame, curve: pd.DataFrame, told: dict[str, str]) -> Iterator[str]:
    row = _row(_model(own, _PRIMARY_MODEL), term)
    points = _row(_model(own, _PRIMARY_MODEL, outcome=observations.CHANGE_PER_10K), term)
    if row is None or points is None:
        return
    measure = _in_words(told[terms.TERMS[term].variable])
    yield (
        f"{_SAYS[term].format(measure=measure)}, the change in the rate was {_size(points['estimate'], 1)} per 10,000 "
        f"children {_side(points['estimate'])} (95% limits {points['lower_95']:+.1f} to {points['upper_95']:+.1f}); in per "
        f"cent of the rate at the end {row['percent_effect']:+.1f}% ({row['percent_lower_95']:+.1f}% to "
        f"{row['percent_upper_95']:+.1f}%)."
    )
    yield _clarity(row, points)
    yield from _bracket(term, own, row)
    yield _holds(term, own, curve, row)
    yield from _coding(term, own, row)


def _in_words(measure: str) -> str:
    """What `main.exposures` says a variable measures, with the names of measures and programmes in words."""
    named = measure.replace("innovation_r1, innovation_r2", "rounds 1 and 2")
    for name, words in deprivation.WORDS.items():
        named = re.sub(rf"^{name} \([a-z0-9_]+\)", words, named)
    return named


def _row(frame: pd.DataFrame, term: str) -> Row | None:
    found = frame.loc[(frame["term"] == term) & frame["estimate"].notna()]
    return None if found.empty else found.iloc[0].to_dict()


def _size(value: float, places: int) -> str:
    return f"{abs(value):.{places}f}"


def _side(value: float) -> str:
    return "higher" if value >= 0 else "lower"


def _percent(log_ratio: float) -> float:
    return 100 * math.expm1(log_ratio)


def _clarity(row: Row, points: Row) -> str:
    """Whether the limits hold 0, with the p-values that do not lean on large samples."""
    others = [
        f"{name} {_p(row[column])}"
        for name, column in (("bootstrap", "wild_bootstrap_p"), ("permutation", "permutation_p"))
        if not pd.isna(row[column])
    ]
    told = f" ({', '.join(others)})" if others else ""
    hold_zero = [_holds_zero(one) for one in (row, points)]
    least = _percent(row["minimum_detectable_effect"])
    power = f"the model would find a difference of {least:.1f}% four times in five, and smaller ones less often"
    if all(hold_zero):
        return f"That is not told apart from no association{told}: {power}."
    if any(hold_zero):
        held, free = ("percentage", "points") if hold_zero[0] else ("points", "percentage")
        return f"The limits of the {held} hold 0 and those of the {free} do not{told}: {power}."
    return f"The limits do not hold 0{told}."


def _holds_zero(row: Row) -> bool:
    return bool(row["lower_95"] <= 0 <= row["upper_95"])


def _p(value: float) -> str:
    """A p-value to two places, or three where two would say nothing."""
    if value < 0.001:
        return "p < 0.001"
    return f"p = {value:.2f}" if value >= 0.095 else f"p = {value:.3f}"


def _bracket(term: str, own: pd.DataFrame, row: Row) -> Iterator[str]:
    """The same without the rate at the start: the two models bracket what the data can say (methods.md D2)."""
    other = _row(_model(own, _CHANGE_SCORE), term)
    if other is None:
        return
    low, high = sorted((row["percent_effect"], other["percent_effect"]))
    yield f"With and without the rate at the start among the terms it is between {low:+.1f}% and {high:+.1f}%."


def _holds(term: str, own: pd.DataFrame, curve: pd.DataFrame, row: Row) -> str:
    """In how many other specifications the sign is the same; the curve where there is one, else the models of the window."""
    focal = curve.loc[(curve["term"] == term) & curve["n_specifications"].notna()]
    if len(focal):
        one = focal.iloc[0]
        same = one["n_positive"] if row["estimate"] >= 0 else one["n_specifications"] - one["n_positive"]
        return (
            f"The sign is the same in {int(same)} of {int(one['n_specifications'])} specifications "
            f"(median {_percent(one['median_estimate']):+.1f}%, joint permutation {_p(one['median_p'])})."
            f"{_turns(int(same), int(one['n_specifications']))}"
        )
    rows = own.loc[own["model"].isin(_MODELS) & (own["term"] == term) & own["estimate"].notna()]
    same = int(((rows["estimate"] >= 0) == (row["estimate"] >= 0)).sum())
    return f"The sign is the same in {same} of {len(rows)} models of this window.{_turns(same, len(rows))}"


def _turns(same: int, asked: int) -> str:
    """What to say where the choices made decide the sign."""
    return " So the sign depends on the choices made." if same < _MOSTLY * asked else ""


def _coding(term: str, own: pd.DataFrame, row: Row) -> Iterator[str]:
    """Where the sign turns with the coding of the factor, the paragraph must say so."""
    if term not in _OTHER_CODINGS:
        return
    variant, words = _OTHER_CODINGS[term]
    rows = own.loc[
        (own["model"] == _PRIMARY_MODEL)
        & (own["variant"] == variant)
        & (own["outcome"] == observations.LOG_RATE_RATIO)
        & ~own["region_effects"].astype(bool)
        & own["term"].isin([term, variant])
        & own["estimate"].notna()
    ]
    if rows.empty:
        return
    other = rows.iloc[0]
    if (other["estimate"] >= 0) != (row["estimate"] >= 0):
        yield (
            f"The sign depends on the coding: by {words}, the difference is {other['percent_effect']:+.1f}% "
            f"({other['percent_lower_95']:+.1f}% to {other['percent_upper_95']:+.1f}%)."
        )
