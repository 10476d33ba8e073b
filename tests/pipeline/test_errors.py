"""How a refusal reads: where, what, and what to do."""

from __future__ import annotations

import pytest

from pipeline.errors import Refusal


def test_a_refusal_with_its_whole_place_is_one_sentence() -> None:
    refusal = Refusal(
        "unknown_marker",
        'the marker "q" is not one of c k u x z low',
        remedy="give its meaning in the marker table",
        file="looked_after_2033.csv",
        row=118,
        column="number",
        value="q",
    )
    assert str(refusal) == (
        'looked_after_2033.csv, row 118, column "number", value "q": the marker "q" is not one of c k u x z low; '
        "give its meaning in the marker table."
    )


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({}, "it is so; mend it."),
        ({"file": "a.csv"}, "a.csv: it is so; mend it."),
        ({"row": 3}, "row 3: it is so; mend it."),
        ({"value": "Leads"}, 'value "Leads": it is so; mend it.'),
        ({"value": ""}, 'value "": it is so; mend it.'),
        ({"file": "a.csv", "column": "number"}, 'a.csv, column "number": it is so; mend it.'),
    ],
)
def test_the_place_is_as_exact_as_the_fault_allows(place: dict, expected: str) -> None:
    assert str(Refusal("code", "it is so", remedy="mend it", **place)) == expected


@pytest.mark.parametrize(
    ("remedy", "end"),
    [("mend it", "; mend it."), ("mend it.", "; mend it."), ("did you mean Leeds?", "; did you mean Leeds?")],
)
def test_the_sentence_ends_once(remedy: str, end: str) -> None:
    assert str(Refusal("code", "it is so", remedy=remedy)).endswith(end)


def test_the_parts_are_there_for_a_script() -> None:
    refusal = Refusal("code", "problem", remedy="remedy", file="a.csv", row=2, column="c", value="v")
    assert (refusal.code, refusal.problem, refusal.remedy) == ("code", "problem", "remedy")
    assert (refusal.file, refusal.row, refusal.column, refusal.value) == ("a.csv", 2, "c", "v")
    assert isinstance(refusal, Exception)
