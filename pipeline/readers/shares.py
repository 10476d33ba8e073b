"""Published shares given as fractions, and the counts that stand beside them.

What belongs here: one text into one share in per cent or one count of people, or its refusal with its place. What does
not: shares given in per cent and other measurements (`cells`), and which column holds what (the layout modules).

Tables give shares as fractions (0.206) or in per cent (20.6). Mixing the two up changes a figure a hundredfold and looks
like a figure all the same, so each layout says which it has, and the other is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from pipeline.readers import cells
from pipeline.readers.cells import Place

_MOST_PEOPLE = 999_999_999  # more than any country has


def count(text: str, place: Place, symbols: Collection[str] = ()) -> tuple[int | None, str | None]:
    """A whole number of people as (number, marker); exactly one of the two is None. Refuses a fraction."""
    number, marker = cells.measurement(text, place, symbols)
    if number is None:
        return None, marker
    if not 0 <= number <= _MOST_PEOPLE or not number.is_integer():
        raise cells.refuse(
            "not_a_count",
            "a count is a whole number of at most nine digits, not negative",
            place,
            text,
            "use the file as published",
        )
    return int(number), None


def per_cent_of_fraction(text: str, place: Place, symbols: Collection[str] = ()) -> tuple[float | None, str | None]:
    """A share that the layout gives as a fraction, as (per cent, marker); exactly one of the two is None.

    Refuses a share above 1, which is one in per cent. The decimal is moved, not multiplied: 0.306 is 30.6 exactly.
    """
    number, marker = cells.measurement(text, place, symbols)
    if number is None:
        return None, marker
    if not 0 <= number <= 1:
        raise cells.refuse(
            "not_a_fraction",
            "this layout gives shares as fractions between 0 and 1, and this is none: is it in per cent?",
            place,
            text,
            "restore the published fraction",
        )
    return float(Decimal(text.strip()).scaleb(2)), None
