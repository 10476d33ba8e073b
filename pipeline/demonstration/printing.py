"""How a figure looks when it is published, and how a table becomes a file.

What belongs here: rounding, hiding of small counts, rates, and delimited text with the line ends and byte order marks
of the real files. What does not: which figure goes where (the modules that write the files).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

SUPPRESSED_UNTIL_2017, SUPPRESSED_SINCE_2018 = "x", "c"
LARGEST_HIDDEN = 5  # counts of 1 to 5 are hidden, 0 is not

CRLF, LF = "\r\n", "\n"

Row = Sequence[object]


def nearest(value: int, step: int) -> int:
    """Round to a multiple of `step`, halves up."""
    return (2 * value + step) // (2 * step) * step


def shown(value: int, marker: str) -> str:
    """Print a count of one authority, unrounded, or the marker where it is 1 to 5."""
    return marker if 1 <= value <= LARGEST_HIDDEN else str(value)


def rate_per_10_000(count: int, children: int) -> int:
    """Compute the published rate: a whole number, halves up."""
    return (20_000 * count + children) // (2 * children)


def write_table(path: Path, rows: Iterable[Row], *, line_end: str = LF, byte_order_mark: bool = False) -> None:
    """Write rows as comma-separated text, quoting only what needs it, exactly with the line end given."""
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end).writerows(rows)
    write_text(path, text.getvalue(), byte_order_mark=byte_order_mark)


def write_text(path: Path, text: str, *, byte_order_mark: bool = False) -> None:
    """Write text as UTF-8, line ends as they are, and the folder if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8-sig" if byte_order_mark else "utf-8"))
