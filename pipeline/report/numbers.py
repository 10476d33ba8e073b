"""Figures and dates as a reader of plain English expects them.

What belongs here: turning one value into the text of a cell or a sentence. What does not: choosing what is shown.

Every function takes a missing value (None, NaN, NA) and gives MISSING for it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from pipeline import settings

MISSING = "–"
_MINUS = "\N{MINUS SIGN}"
_NEXT_FACTOR = re.compile(r"(?<=[.)]) (?=Where )")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip


def is_missing(value: Any) -> bool:
    """Whether there is no value: None, NaN or NA."""
    return value is None or bool(pd.isna(value))


def _shown(form: Callable[[Any], str]) -> Callable[[Any], str]:
    def show(value: Any) -> str:
        return MISSING if is_missing(value) else form(value).replace("-", _MINUS)

    show.__doc__ = form.__doc__
    return show


def _decimals(value: float, digits: int) -> str:
    """Rounded, and never a zero with a minus."""
    rounded = f"{value:,.{digits}f}"
    return rounded.lstrip("-") if not float(rounded.replace(",", "")) else rounded


def _with_sign(value: float, digits: int) -> str:
    shown = _decimals(value, digits)
    return shown if shown.startswith("-") or not float(shown.replace(",", "")) else f"+{shown}"


count = _shown(lambda value: _decimals(value, 0))
signed_count = _shown(lambda value: _with_sign(value, 0))
rate = _shown(lambda value: _decimals(value, 1))
signed_rate = _shown(lambda value: _with_sign(value, 1))
decimal = _shown(lambda value: _decimals(value, 2))
signed_decimal = _shown(lambda value: _with_sign(value, 2))
three_digits = _shown(lambda value: _decimals(value, 3))
five_digits = _shown(lambda value: _decimals(value, 5))
pct = _shown(lambda value: f"{_decimals(value, 1)}%")
signed_pct = _shown(lambda value: f"{_with_sign(value, 1)}%")
whole_pct = _shown(lambda value: f"{_decimals(value, 0)}%")
probability = _shown(lambda value: "under 0.001" if value < 0.001 else _decimals(value, 3))


def year(value: Any) -> str:
    """A reporting year, without a separator of thousands."""
    return MISSING if is_missing(value) else str(int(value))


def text(value: Any) -> str:
    """A text as it is."""
    return MISSING if is_missing(value) else str(value)


def words(value: Any) -> str:
    """A value of a list of the database as words: `no_clear_direction` is "no clear direction"."""
    return MISSING if is_missing(value) else str(value).replace("_", " ")


def yes_no(value: Any) -> str:
    """Yes or no; a dash where the question has no answer."""
    return MISSING if is_missing(value) else "yes" if value else "no"


def day(value: Any) -> str:
    """A date in words; takes a date, a moment or their ISO text."""
    if is_missing(value):
        return MISSING
    moment = value if isinstance(value, dt.date) else dt.datetime.fromisoformat(str(value))
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def between(low: Any, high: Any, show: Callable[[Any], str] = signed_pct) -> str:
    """A range in words."""
    return MISSING if is_missing(low) or is_missing(high) else f"{show(low)} to {show(high)}"


def many(number: int, one: str, several: str | None = None) -> str:
    """A number with its noun: "1 authority", "3 authorities"."""
    return f"{count(number)} {one if number == 1 else several or one + 's'}"


def listed(names: list[str]) -> str:
    """Names as a sentence has them: "A, B and C"; those with a comma are parted by semicolons."""
    if len(names) < 2:
        return "".join(names)
    most = settings.load().report.names
    if len(names) > most:
        names = [*names[:most], f"{len(names) - most:,} more"]
    comma = "; " if any("," in name for name in names) else ", "
    return f"{comma.join(names[:-1])}{';' if comma == '; ' else ''} and {names[-1]}"


def sentences_apart(finding: str) -> list[str]:
    """A finding of `about.findings` in paragraphs, one for each factor; its sentences on a factor begin with "Where"."""
    return _NEXT_FACTOR.split(finding)


SHOW: dict[str, Callable[[Any], str]] = {
    "text": text,
    "words": words,
    "yes_no": yes_no,
    "day": day,
    "year": year,
    "count": count,
    "signed_count": signed_count,
    "rate": rate,
    "signed_rate": signed_rate,
    "decimal": decimal,
    "signed_decimal": signed_decimal,
    "three_digits": three_digits,
    "five_digits": five_digits,
    "pct": pct,
    "signed_pct": signed_pct,
    "whole_pct": whole_pct,
    "probability": probability,
}
WORDED = ("text", "words", "yes_no", "day")  # kinds that are no numbers, and stand at the left of their cell
