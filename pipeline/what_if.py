"""What if the thresholds, the window or the seed were others: one window worked out anew beside the published answer.

What belongs here: which questions can be asked, the answer from the finished tables, and its page. What does not: any
figure (`five_year_change`, `null_calibration`) and where the answer is written (`assets.what_if`).

An answer is for the person who asked. It never becomes part of what is published: thresholds that are tried until the
answer pleases say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from pipeline import five_year_change, markdown, null_calibration, sentences, volatility, windows
from pipeline.errors import Refusal
from pipeline.five_year_change import Inputs
from pipeline.geography import Areas
from pipeline.readers.population_dfe import PRE_CENSUS, REBASED
from pipeline.settings import Settings
from pipeline.windows import PRIMARY, Window, WindowData

WINDOW_ID = "what_if"
_FEWEST_YEARS, _MOST_YEARS = 3, 10  # a shorter change is a year's movement, a longer one mixes too many boundaries
_LARGEST_PCT = 100


@dataclass(frozen=True)
class Question:
    """Thresholds in per cent, the reporting years of the window (both None: the newest five years) and the seed."""

    england_pct: float
    movement_pct: float
    relative_pct: float
    start: int | None
    end: int | None
    seed: int


@dataclass(frozen=True)
class Answer:
    """The tables of one window under the settings asked for: `main.five_year_change` and `main.null_calibration`."""

    window: Window
    settings: Settings
    changes: pd.DataFrame
    calibration: pd.DataFrame


def answer(question: Question, inputs: Inputs, areas: Areas, settings: Settings) -> Answer:
    """Work one window out anew. Raises Refusal for a question that has no meaning or no data, naming what there is."""
    asked = _settings(question, settings)
    counted = windows.counts(inputs.looked_after)
    window = _window(question, sorted(counted.release_of_year), settings)
    data = windows.window_data(window, counted, inputs.population, areas)
    found = five_year_change.five_year_change([data], inputs, areas, asked)
    if found.changes.empty:
        raise Refusal(
            "no_such_window",
            f"the window {window.start} to {window.end} cannot be worked out: "
            f"{data.not_computed or 'no unit has numbers at both ends'}",
            remedy="choose other years",
        )
    return Answer(window, asked, found.changes, _calibration(data, inputs, areas, asked))


def _calibration(data: WindowData, inputs: Inputs, areas: Areas, settings: Settings) -> pd.DataFrame:
    usual, _ = volatility.from_table(inputs.volatility)
    return null_calibration.null_calibration([data], inputs.looked_after, inputs.population, areas, usual, settings)


# ---------------------------------------------------------------------------------------------------------------------
# The question


def _settings(question: Question, settings: Settings) -> Settings:
    for name in ("england_pct", "movement_pct", "relative_pct"):
        value = getattr(question, name)
        if not 0 <= value <= _LARGEST_PCT:  # nor is "not a number" in between
            raise Refusal(
                "threshold_out_of_range",
                f"{name} is a threshold in per cent and has to lie between 0 and {_LARGEST_PCT}",
                value=f"{value:g}",
                remedy=f"give the published {getattr(settings.classes, name):g} or another one in between",
            )
    if question.seed < 0:
        raise Refusal("seed_below_0", "a seed is a whole number from 0 on", value=str(question.seed),
                      remedy=f"give the published {settings.seed} or another one")  # fmt: skip
    classes = replace(
        settings.classes,
        england_pct=question.england_pct,
        movement_pct=question.movement_pct,
        relative_pct=question.relative_pct,
    )
    return replace(settings, seed=question.seed, classes=classes)


def _window(question: Question, years: Sequence[int], settings: Settings) -> Window:
    """The window asked for, on the vintage of the published window of these years or else on the one that has them."""
    start, end = question.start, question.end
    if start is None and end is None:
        start, end = years[-1] - settings.windows.years, years[-1]
    if start is None or end is None:
        raise Refusal("half_a_window", "a window has two ends and one of them is missing",
                      remedy="give both years, or neither for the newest five years")  # fmt: skip
    absent = [str(year) for year in (start, end) if year not in years]
    if absent:
        raise Refusal(
            "no_such_year",
            f"there are no looked-after counts for {' and '.join(absent)}",
            remedy=f"choose reporting years from {', '.join(map(str, years))}",
        )
    if not _FEWEST_YEARS <= end - start <= _MOST_YEARS:
        raise Refusal(
            "window_length",
            f"a window from {start} to {end} is {end - start} years long",
            remedy=f"choose an end {_FEWEST_YEARS} to {_MOST_YEARS} years after the start",
        )
    published = {(one.start, one.end): one.vintage for one in windows.windows(years[-1], settings.windows)}
    vintage = REBASED if start >= settings.windows.first_rebased_start else PRE_CENSUS
    return Window(WINDOW_ID, start, end, published.get((start, end), vintage), PRIMARY)


# ---------------------------------------------------------------------------------------------------------------------
# The page


def page(found: Answer, published: pd.DataFrame, usual: Settings, *, is_fictional: bool) -> str:
    """The answer in Markdown. `published` is the published `main.five_year_change`, `usual` the project's settings."""
    changes, first = found.changes, found.changes.iloc[0]
    flagged = set(changes.loc[changes["bucked"].fillna(False).astype(bool), "unit_name"])
    classes = found.settings.classes
    lines = [
        f"# {'FICTIONAL: ' if is_fictional else ''}What if, {found.window.start} to {found.window.end}",
        "A trial answer, which is not published. The published one is in the database.",
        markdown.table(
            ("setting", "here", "published"),
            [
                *(
                    (name, f"{getattr(classes, name):g}", f"{getattr(usual.classes, name):g}")
                    for name in ("england_pct", "movement_pct", "relative_pct")
                ),
                ("seed", str(found.settings.seed), str(usual.seed)),
                ("population_vintage", found.window.vintage, ""),
            ],
        ),
        f"England's rate changed by {first['england_change_pct']:+.1f}% and its number by "
        f"{first['england_number_change_pct']:+.1f}% over {len(changes)} units: "
        f"{str(first['england_direction']).replace('_', ' ')}.",
        _flagged(first, flagged),
        *_units(changes, flagged),
        _beside_published(found, published, flagged),
        f"{null_calibration.acceptance(found.calibration, found.settings).detail.capitalize()}.",
        *(f"- {sentence}" for sentence in sentences.ALL + sentences.TREND),
    ]
    return "\n\n".join(lines) + "\n"


def _flagged(first: pd.Series, flagged: set[str]) -> str:
    if pd.isna(first["bucked"]):
        return "England has no clear direction, so nobody can have moved against it."
    return f"{len(flagged)} units moved against England and parted from it."


def _units(changes: pd.DataFrame, flagged: set[str]) -> list[str]:
    own = changes.loc[changes["unit_name"].isin(flagged)].sort_values("unit_name")
    if own.empty:
        return []
    rows = [
        (
            row.unit_name,
            f"{row.change_pct:+.1f}",
            f"{row.relative_change_pct:+.1f}",
            "" if pd.isna(row.evidence) else row.evidence,
        )
        for row in own.itertuples()
    ]
    return [markdown.table(("unit", "change, %", "relative to England, %", "evidence"), rows)]


def _beside_published(found: Answer, published: pd.DataFrame, flagged: set[str]) -> str:
    same = published.loc[
        (published["window_start"] == found.window.start) & (published["window_end"] == found.window.end)
    ]
    if same.empty:
        return "This window is not a published one."
    own = set(same.loc[same["bucked"].fillna(False).astype(bool), "unit_name"])
    if pd.isna(same["bucked"].iloc[0]):
        return "In the published answer England has no clear direction over these years."
    added, gone = _named(flagged - own), _named(own - flagged)
    return f"Beside the published answer, which has {len(own)} such units: added {added}; no longer there {gone}."


def _named(units: set[str]) -> str:
    return ", ".join(map(markdown.text, sorted(units))) or "none"
