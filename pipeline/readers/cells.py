"""Single cells of published tables: counts and measurements with their markers, years, area codes.

What belongs here: turning one text into one value, or refusing it with its place. What does not: which column holds
what (the layout modules) and what a marker means (`markers`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import NamedTuple

from pipeline import markers
from pipeline.errors import Refusal

# Up to nine digits: more children than any country has would not fit the columns of counts either. All of these are of the
# digits 0 to 9; other scripts have digits that Python takes for them.
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_NUMERIC = re.compile(r"[+-]?[\d,]*\.?\d+(?:[eE][+-]?\d+)?", re.ASCII)
_DECIMAL = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_YEAR = re.compile(r"(19|20)\d\d", re.ASCII)
_DFE_CODE = re.compile(r"\d{3,6}", re.ASCII)  # England's have three; the lookup decides which exist


class Place(NamedTuple):
    """A cell as a person finds it."""

    file: str
    row: int
    column: str


class Seen:
    """The keys met so far in one file; meeting one a second time is refused. `what` says what a key is."""

    def __init__(self, file: str, what: str = "the same area and year") -> None:
        self._file = file
        self._what = what
        self._rows: dict[tuple[object, ...], int] = {}

    def once(self, key: tuple[object, ...], place: Place, value: str) -> None:
        """Note the key, or refuse with both rows if it was there already."""
        if key in self._rows:
            raise refuse(
                "duplicated_row",
                f"{self._what} stand in row {self._rows[key]} already",
                place,
                value,
                "remove the row that does not belong",
            )
        self._rows[key] = place.row


def count(text: str, place: Place, release: int) -> tuple[int | None, str | None]:
    """A published count as (number, marker); exactly one of the two is None.

    Counts are whole and not negative, without thousands separators, or one of the release's markers; all else is refused.
    """
    cell = text.strip()
    if _WHOLE.fullmatch(cell):
        return int(cell), None
    known = markers.symbols(release)
    if cell in known:
        return None, cell
    if _NUMERIC.fullmatch(cell):
        raise refuse(
            "not_a_count",
            "a count of children is a whole number of at most nine digits, not negative and without separators",
            place,
            text,
            "restore the published figure",
        )
    if not cell:
        raise _blank(text, place)
    raise refuse(
        "unknown_marker",
        f"the marker is not one of {' '.join(known)}, the ones known for the release of {release}",
        place,
        text,
        "if the publisher has added it, give its meaning in pipeline/markers.py",
    )


def measurement(text: str, place: Place, symbols: Collection[str]) -> tuple[float | None, str | None]:
    """A published share, amount or score as (number, marker); exactly one of the two is None.

    Decimals, a minus sign and an exponent may stand there, thousands separators may not. `symbols` are the markers that
    the layout is known to use; all else is refused.
    """
    cell = text.strip()
    if _DECIMAL.fullmatch(cell) and math.isfinite(float(cell)):
        return float(cell), None
    if cell in symbols:
        return None, cell
    if not cell:
        raise _blank(text, place)
    raise refuse(
        "unknown_marker",
        f"this is neither a number without separators nor a marker ({' '.join(symbols) or 'the layout has none'})",
        place,
        text,
        "use the file as published, or give the marker's meaning to its reader if the publisher has added it",
    )


def _blank(text: str, place: Place) -> Refusal:
    return refuse(
        "blank_cell",
        "the cell is blank, which is neither a number nor a marker",
        place,
        text,
        "use the file as published",
    )


def year(text: str, place: Place) -> int:
    """A four-digit year; all else is refused."""
    cell = text.strip()
    if not _YEAR.fullmatch(cell):
        raise refuse("not_a_year", "this is not a year", place, text, "use the file as published")
    return int(cell)


def dfe_code(text: str, place: Place, known: frozenset[str]) -> str:
    """A local authority code that the lookup knows, or it is refused. It stays text: leading zeros count."""
    cell = text.strip()
    if not _DFE_CODE.fullmatch(cell) or cell not in known:
        raise refuse(
            "unknown_area",
            "the area code is not in the lookup of local authorities",
            place,
            text,
            "if the authority is new, add it to dfe_la_lookup.csv and la_code_changes.csv in data/raw/reference",
        )
    return cell


def area(
    line: list[str], at: dict[str, int], level: str, file: str, row: int, known: frozenset[str]
) -> tuple[str, str, str]:
    """Code, ONS code and name of the row's area at its own level, in the DfE's long layouts.

    `at` maps the published column names to positions; `level` is authority, region or england.
    """
    if level == "authority":
        code = dfe_code(line[at["old_la_code"]], Place(file, row, "old_la_code"), known)
        return code, line[at["new_la_code"]].strip(), line[at["la_name"]].strip()
    kind = "region" if level == "region" else "country"
    code = line[at[f"{kind}_code"]].strip()
    return code, code, line[at[f"{kind}_name"]].strip()


def one_of(text: str, choices: dict[str, str], place: Place, what: str) -> str:
    """The meaning of a cell that may hold only a few words; others are refused."""
    cell = text.strip()
    if cell not in choices:
        raise refuse(
            "unknown_word",
            f"this is no {what} that the layout is known to use ({', '.join(choices)})",
            place,
            text,
            "use the file as published, or add the word to its reader if the publisher has changed it",
        )
    return choices[cell]


def refuse(code: str, problem: str, place: Place, value: str, remedy: str) -> Refusal:
    """The refusal for one cell: its place and the value as it stands there."""
    return Refusal(code, problem, file=place.file, row=place.row, column=place.column, value=value, remedy=remedy)
