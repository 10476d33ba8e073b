"""The same drawing in fewer bytes."""

from __future__ import annotations

import csv
import io
from typing import Any

from pipeline.report.compact import compact

_MANY = 50


def _points(count: int = _MANY, **more: Any) -> list[dict[str, Any]]:
    return [{"at": at, "level": at / 3, "kind": "one, other"} | more for at in range(count)]


def test_points_of_two_layers_are_written_once() -> None:
    layers = [{"data": {"values": _points()}, "mark": mark} for mark in ("rule", "circle")]
    small = compact({"layer": layers})
    assert [one["data"]["name"] for one in small["layer"]] == ["points1", "points1"]
    rows = list(csv.DictReader(io.StringIO(small["datasets"]["points1"])))
    assert len(rows) == _MANY
    assert rows[10] == {"at": "10", "level": "3.333", "kind": "one, other"}


def test_numbers_keep_four_digits_whatever_their_size() -> None:
    assert compact({"a": [123456.7, 0.000123456, 2, "2.00001"]}) == {"a": [123500.0, 0.0001235, 2, "2.00001"]}


def test_few_points_missing_values_and_truths_stay_as_they_are() -> None:
    for rows in (_points(3), _points(level=None), _points(is_own=True)):
        small = compact({"data": {"values": rows}})
        assert len(small["data"]["values"]) == len(rows)
        assert "datasets" not in small


def test_the_given_specification_is_not_changed() -> None:
    given = {"data": {"values": _points()}}
    compact(given)
    assert given == {"data": {"values": _points()}}
