"""Single cells: measurements. Counts, years and codes are tested on every layout in `test_bad_files`."""

from __future__ import annotations

import pytest

from pipeline.errors import Refusal
from pipeline.readers.cells import Place, measurement

PLACE = Place("rates.xlsx, sheet 2", 118, "share")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("12.5", 12.5),
        (" 7 ", 7),
        ("-20", -20),
        ("16.899999999999999", 16.9),
        ("1e-05", 0.00001),
        ("2E+3", 2000),
    ],
)
def test_a_number_has_no_marker(text: str, number: float) -> None:
    assert measurement(text, PLACE, ("-",)) == (number, None)


def test_a_marker_has_no_number() -> None:
    assert measurement("[x]", PLACE, {"[x]": "not_available"}) == (None, "[x]")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "blank_cell"),
        ("  ", "blank_cell"),
        ("1,234", "unknown_marker"),
        ("£5", "unknown_marker"),
        ("5%", "unknown_marker"),
        (".5", "unknown_marker"),
        ("nan", "unknown_marker"),
        ("inf", "unknown_marker"),
        ("1e999", "unknown_marker"),  # Python reads it as infinity
        ("١٢", "unknown_marker"),  # digits of another script, which Python takes for numbers
        ("-", "unknown_marker"),
    ],
)
def test_anything_else_is_refused_with_its_place(text: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        measurement(text, PLACE, ("[x]",))
    refusal = caught.value
    assert (refusal.code, refusal.file, refusal.row, refusal.column, refusal.value) == (code, *PLACE, text)
