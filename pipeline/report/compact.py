"""Specifications as small as they can be, for pages that hold charts of hundreds of points.

What belongs here: the same drawing in fewer bytes. What does not: what is drawn.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from pipeline.chart_parts import Spec

_DIGITS = 4  # a pixel of a chart is about a thousandth of it
_WORTHWHILE = 40  # rows, from which a list of points is written as CSV


def compact(spec: Spec) -> Spec:
    """A specification whose numbers are rounded to 4 digits and whose long lists of points are CSV, each written once.

    Lists that several layers draw become one named data set. Lists with a missing or a nested value stay as they are.
    """
    shared: dict[str, str] = {}
    small: Spec = _small(spec, shared)
    return small | {"datasets": {name: text for text, name in shared.items()}} if shared else small


def _small(part: Any, shared: dict[str, str]) -> Any:
    if isinstance(part, float):
        return float(f"{part:.{_DIGITS}g}")
    if isinstance(part, list):
        return [_small(one, shared) for one in part]
    if not isinstance(part, dict):
        return part
    rows = part.get("values")
    if set(part) == {"values"} and isinstance(rows, list) and _is_tabular(rows):
        text = _csv(_small(rows, shared))
        name = shared.setdefault(text, f"points{len(shared) + 1}")
        return {"name": name, "format": {"type": "csv"}}
    return {key: _small(value, shared) for key, value in part.items()}


def _is_tabular(rows: list[Any]) -> bool:
    """Whether rows are many, alike and of texts and numbers only, so that CSV says the same."""
    if len(rows) < _WORTHWHILE or not all(isinstance(row, dict) for row in rows):
        return False
    return all(
        row.keys() == rows[0].keys() and all(type(value) in (int, float, str) for value in row.values()) for row in rows
    )


def _csv(rows: list[dict[str, Any]]) -> str:
    written = io.StringIO()
    writer = csv.DictWriter(written, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()
