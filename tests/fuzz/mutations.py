"""The ways in which the fuzzing spoils a published file: named, drawn from a seed, each changing one thing.

What belongs here: the mutations and which kinds of file they suit. What does not: taking files apart (`documents`) and
judging what came of a mutant (`oracle`).

A mutation is of the file's structure, its content or its identity. Structure is what a person or a program breaks on the
way: no such mutant may yield other figures, not even where the hash would tell. Content is one figure, key, word or row that
became another one of the same form: where the file says the thing only once, nothing but the pinned hash can tell. Identity
is what a file is known by: without it no layout knows the file, and it may be listed as one that is not used.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from random import Random

from tests.fuzz.documents import PARQUET, TEXT, WORKBOOK, Document, Grid, as_text

STRUCTURE, CONTENT, IDENTITY = "structure", "content", "identity"
_DIGIT = re.compile(r"\d")
_WHOLE = re.compile(r"\d{4,}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_YEAR = re.compile(r"(19|20)\d\d")
_UNKNOWN_MARKERS = ("q", "n/a", "*", "#REF!", "<5", "suppressed", "NaN", "None", "inf")
_OTHER_WORDS = ("", "renamed", "a_new_name", "Column1")


@dataclass(frozen=True)
class Mutant:
    """A spoilt file. `told` says what was done where.

    `like` is the file that it must be read as, where that is not the file it was made from.
    """

    content: bytes
    told: str
    like: bytes | None = None


@dataclass(frozen=True)
class Mutation:
    """One way to spoil a file; `make` gives None where the file has nothing that can be spoilt this way."""

    name: str
    of: str
    kinds: tuple[str, ...]
    make: Callable[[Document, Random], Mutant | None]


_ALL = (TEXT, WORKBOOK, PARQUET)
MUTATIONS: dict[str, Mutation] = {}


def _mutation(of: str, *kinds: str) -> Callable[[Callable[[Document, Random], Mutant | None]], Callable[..., object]]:
    def register(make: Callable[[Document, Random], Mutant | None]) -> Callable[..., object]:
        MUTATIONS[make.__name__] = Mutation(make.__name__, of, kinds or _ALL, make)
        return make

    return register


def _on_grid(of: str, *kinds: str) -> Callable[[Callable[[Grid, Random], str | None]], Callable[..., object]]:
    """A mutation of the cells: the function spoils the grid and says what it did, or None."""

    def register(spoil: Callable[[Grid, Random], str | None]) -> Callable[..., object]:
        def make(document: Document, draw: Random) -> Mutant | None:
            grid = document.grid()
            told = spoil(grid, draw)
            return None if told is None else Mutant(document.as_bytes(grid), told)

        MUTATIONS[spoil.__name__] = Mutation(spoil.__name__, of, kinds or _ALL, make)
        return spoil

    return register


# ---------------------------------------------------------------------------------------------------------------------
# Bytes


@_mutation(CONTENT)
def byte_flipped(document: Document, draw: Random) -> Mutant:
    at, bit = draw.randrange(len(document.content)), 1 << draw.randrange(8)
    content = bytearray(document.content)
    content[at] ^= bit
    return Mutant(bytes(content), f"bit {bit} of byte {at}")


@_mutation(STRUCTURE)
def cut_in_the_middle(document: Document, draw: Random) -> Mutant:
    at = int(len(document.content) * draw.uniform(0.2, 0.8))
    return Mutant(document.content[:at], f"cut after {at} of {len(document.content)} bytes")


@_mutation(STRUCTURE, WORKBOOK, PARQUET)
def cut_at_the_end(document: Document, draw: Random) -> Mutant:
    lost = draw.choice((1, 2, 8, 50, 400))
    return Mutant(document.content[:-lost], f"the last {lost} bytes lost")


@_mutation(STRUCTURE, TEXT)
def cut_within_a_line(document: Document, draw: Random) -> Mutant | None:
    lines = document.content.splitlines(keepends=True)
    row = draw.choice(document.grid().records)
    if row >= len(lines) or len(lines[row]) < 4:
        return None
    kept = draw.randrange(1, len(lines[row].rstrip()))
    return Mutant(b"".join(lines[:row]) + lines[row][:kept], f"cut in row {row + 1} after {kept} bytes")


@_mutation(STRUCTURE, TEXT)
def utf_16(document: Document, draw: Random) -> Mutant:
    encoding = draw.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32"))
    return Mutant(document.content.decode(document.encoding).encode(encoding), encoding)


@_mutation(STRUCTURE, TEXT)
def latin_1_name(document: Document, draw: Random) -> Mutant | None:
    text = document.content.decode(document.encoding)
    lines = text.splitlines(keepends=True)
    row = draw.choice(document.grid().records)
    vowels = (
        [match.start() for match in re.finditer(r"(?<=[a-z])[aeou](?=[a-z])", lines[row])] if row < len(lines) else []
    )
    if not vowels:
        return None
    at = draw.choice(vowels)
    accented = {"a": "â", "e": "é", "o": "ô", "u": "û"}[lines[row][at]]
    spoilt = "".join([*lines[:row], lines[row][:at], accented, lines[row][at + 1 :], *lines[row + 1 :]])
    return Mutant(spoilt.encode("cp1252"), f"{accented} in row {row + 1}", like=spoilt.encode("utf-8"))


@_mutation(STRUCTURE, TEXT)
def byte_order_mark_changed(document: Document, draw: Random) -> Mutant:
    text = document.content.decode(document.encoding)
    if document.encoding == "utf-8-sig":
        return Mutant(text.encode("utf-8"), "removed")
    return Mutant(text.encode("utf-8-sig"), "added")


@_mutation(STRUCTURE, TEXT)
def line_ends_changed(document: Document, draw: Random) -> Mutant:
    plain = document.content.replace(b"\r\n", b"\n")
    end = draw.choice((b"\r\n", b"\n", b"\r", b"\r\r\n"))
    return Mutant(plain.replace(b"\n", end), repr(end))


@_mutation(STRUCTURE, TEXT)
def delimiter_changed(document: Document, draw: Random) -> Mutant:
    delimiter = draw.choice((";", "\t", "|"))
    return Mutant(
        as_text(document.grid().rows, document.line_end, delimiter).encode(document.encoding), repr(delimiter)
    )


@_mutation(STRUCTURE, TEXT)
def quotation_mark_lost(document: Document, draw: Random) -> Mutant:
    """A mark goes where there is one, and comes where there is none."""
    marks = [match.start() for match in re.finditer(b'"', document.content)]
    if marks:
        at = draw.choice(marks)
        return Mutant(document.content[:at] + document.content[at + 1 :], f"lost at byte {at}")
    cell = document.content.find(b",", draw.randrange(len(document.content) // 2)) + 1
    return Mutant(document.content[:cell] + b'"' + document.content[cell:], f"added at byte {cell}")


@_mutation(STRUCTURE)
def web_page_instead(document: Document, draw: Random) -> Mutant:
    title = draw.choice(("404 - page not found", "Please sign in", "Service unavailable"))
    return Mutant(f"<!DOCTYPE html>\n<html><head><title>{title}</title></head></html>\n".encode(), title)


@_mutation(STRUCTURE)
def emptied(document: Document, draw: Random) -> Mutant:
    content = draw.choice((b"", b"\n", b"\r\n\r\n", b"   "))
    return Mutant(content, repr(content))


@_mutation(STRUCTURE)
def zeros_within(document: Document, draw: Random) -> Mutant:
    """A block of zeros, as a disk or a download leaves it."""
    at, long = draw.randrange(len(document.content)), draw.choice((16, 512, 4096))
    content = document.content[:at] + b"\x00" * long + document.content[at + long :]
    return Mutant(content, f"{long} zeros at byte {at}")


@_mutation(STRUCTURE, WORKBOOK)
def member_lost(document: Document, draw: Random) -> Mutant | None:
    """A part of the zip archive is not there; which one decides whether anything can be read."""
    if not zipfile.is_zipfile(BytesIO(document.content)):
        return None
    sink = BytesIO()
    with zipfile.ZipFile(BytesIO(document.content)) as archive:
        lost = draw.choice(archive.namelist())
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as less:
            for name in archive.namelist():
                if name != lost:
                    less.writestr(name, archive.read(name))
    return Mutant(sink.getvalue(), lost)


@_mutation(STRUCTURE, WORKBOOK)
def xml_damaged(document: Document, draw: Random) -> Mutant | None:
    """The text of a zipped part is cut in the middle, and the archive itself is sound."""
    if not zipfile.is_zipfile(BytesIO(document.content)):
        return None
    sink = BytesIO()
    with zipfile.ZipFile(BytesIO(document.content)) as archive:
        parts = [
            name for name in archive.namelist() if name.endswith(".xml") and archive.getinfo(name).file_size > 2000
        ]
        if not parts:
            return None
        cut = draw.choice(parts)
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as spoilt:
            for name in archive.namelist():
                text = archive.read(name)
                spoilt.writestr(name, text[: int(len(text) * draw.uniform(0.1, 0.9))] if name == cut else text)
    return Mutant(sink.getvalue(), cut)


# ---------------------------------------------------------------------------------------------------------------------
# Sheets


@_on_grid(STRUCTURE, WORKBOOK)
def sheet_renamed(grid: Grid, draw: Random) -> str:
    grid.sheet = draw.choice(("Sheet1", "Data", f"{grid.sheet} (2)", grid.sheet.upper() + "_"))[:31]
    return grid.sheet


@_on_grid(IDENTITY, WORKBOOK)
def sheet_lost(grid: Grid, draw: Random) -> str:
    grid.rows = [["This sheet is empty"]]
    return grid.sheet


@_on_grid(STRUCTURE, WORKBOOK)
def sheet_doubled(grid: Grid, draw: Random) -> str:
    """A copy beside the sheet, of which one has another figure; nothing says which is meant."""
    copy = [list(row) for row in grid.rows]
    grid.beside = {**grid.beside, "Copy": copy}
    cell = _figure(grid, draw)
    if cell:
        _change_digit(grid, *cell, draw)
    return f"{grid.sheet} and Copy"


# ---------------------------------------------------------------------------------------------------------------------
# Columns


def _column(grid: Grid, draw: Random) -> int:
    """A column, in two draws of three one that the reader says it takes values from."""
    taken = sorted({column for _, column in grid.taken})
    if taken and draw.random() < 2 / 3:
        return draw.choice(taken)
    return draw.randrange(grid.width())


def _heading(grid: Grid, column: int) -> str:
    return grid.text(grid.body - 1, column)


def _swap(grid: Grid, one: tuple[int, int], other: tuple[int, int]) -> str:
    """Let the texts of two cells change places, and what they were."""
    texts = grid.text(*one), grid.text(*other)
    grid.set(*one, texts[1])
    grid.set(*other, texts[0])
    return f"{texts[0]!r} and {texts[1]!r}"


def _first(grid: Grid) -> int:
    """The first row that has columns: in a text that of its headings, as its titles have others."""
    return grid.body - 1 if grid.sheet == "" else 0


@_on_grid(STRUCTURE)
def column_dropped(grid: Grid, draw: Random) -> str:
    column = _column(grid, draw)
    told = _heading(grid, column)
    for row in grid.rows[_first(grid) :]:
        del row[column : column + 1]
    return told


@_on_grid(STRUCTURE)
def column_renamed(grid: Grid, draw: Random) -> str | None:
    column = _column(grid, draw)
    old = _heading(grid, column)
    new = draw.choice([word for word in (old + "x", old[1:], old.swapcase(), old + " 2", *_OTHER_WORDS) if word != old])
    if _YEAR.search(old) and draw.random() < 0.5:
        new = _YEAR.sub(lambda match: str(int(match[0]) + draw.choice((-1, 1, 10))), old)
    grid.set(grid.body - 1, column, new)
    return f"{old!r} to {new!r}"


@_on_grid(STRUCTURE)
def column_moved(grid: Grid, draw: Random) -> str:
    column, to = _column(grid, draw), draw.randrange(grid.width())
    told = f"{_heading(grid, column)!r} from {column} to {to}"
    for row in grid.rows[_first(grid) :]:
        row += [""] * (max(column, to) + 1 - len(row))
        row.insert(to, row.pop(column))
    return told


@_on_grid(STRUCTURE)
def column_doubled(grid: Grid, draw: Random) -> str:
    """A second column of one heading, beside the first or at the end, with the same figures or with others."""
    column, is_beside, is_same = _column(grid, draw), draw.random() < 0.5, draw.random() < 0.5
    told = _heading(grid, column)
    for number, row in enumerate(grid.rows[_first(grid) :], start=_first(grid)):
        row += [""] * (column + 1 - len(row))
        cell = row[column] if is_same or number < grid.body or not _NUMBER.fullmatch(str(row[column])) else "1"
        row.insert(column + 1 if is_beside else len(row), cell)
    return f"{told!r} {'beside' if is_beside else 'at the end'}, {'the same' if is_same else 'other'} figures"


@_on_grid(STRUCTURE)
def column_blanked(grid: Grid, draw: Random) -> str:
    column = _column(grid, draw)
    for row in range(grid.body, len(grid.rows)):
        grid.set(row, column, "")
    return _heading(grid, column)


@_on_grid(STRUCTURE, TEXT, WORKBOOK)
def blank_column_added(grid: Grid, draw: Random) -> str:
    for row in grid.rows[_first(grid) :]:
        row.append("")
    return "at the end"


@_on_grid(CONTENT)
def headings_swapped(grid: Grid, draw: Random) -> str | None:
    """Two headings change places and the figures do not: the header is wrong, as it was in a file of 2015."""
    row = grid.body - 1
    columns = [column for column in range(grid.width()) if grid.text(row, column).strip()]
    one = _column(grid, draw)
    if one not in columns:
        return None
    other = draw.choice([column for column in columns if column != one])
    return _swap(grid, (row, one), (row, other))


# ---------------------------------------------------------------------------------------------------------------------
# Rows


@_on_grid(STRUCTURE)
def rows_shuffled(grid: Grid, draw: Random) -> str | None:
    first, last = grid.records[0], grid.records[-1]
    if last - first + 1 != len(grid.records):
        return None  # rows of another kind between them: their order has a meaning
    body = grid.rows[first : last + 1]
    draw.shuffle(body)
    grid.rows[first : last + 1] = body
    return f"rows {first + 1} to {last + 1}"


@_on_grid(STRUCTURE)
def row_doubled(grid: Grid, draw: Random) -> str:
    row = draw.choice(grid.records)
    to = draw.choice((row + 1, grid.records[-1] + 1))
    grid.rows.insert(to, list(grid.rows[row]))
    return f"row {row + 1} again in row {to + 1}"


@_on_grid(STRUCTURE)
def row_doubled_with_another_figure(grid: Grid, draw: Random) -> str | None:
    cell = _figure(grid, draw)
    if cell is None:
        return None
    row, column = cell
    grid.rows.insert(row + 1, list(grid.rows[row]))
    return f"row {row + 1} again, {_change_digit(grid, row + 1, column, draw)}"


@_on_grid(STRUCTURE)
def rows_doubled(grid: Grid, draw: Random) -> str:
    first = grid.records[0]
    grid.rows += [list(row) for row in grid.rows[first:]]
    return "all of them"


@_on_grid(STRUCTURE)
def rows_lost_at_the_end(grid: Grid, draw: Random) -> str:
    lost = draw.choice((1, 1, 2, 3, max(1, len(grid.records) // 10), max(1, len(grid.records) // 3)))
    del grid.rows[grid.records[-lost] :]
    return f"the last {lost} that are read"


@_on_grid(STRUCTURE)
def rows_lost_in_the_middle(grid: Grid, draw: Random) -> str:
    lost = max(2, int(len(grid.records) * draw.uniform(0.02, 0.4)))
    start = draw.randrange(max(1, len(grid.records) - lost))
    gone = set(grid.records[start : start + lost])
    grid.rows = [row for at, row in enumerate(grid.rows) if at not in gone]
    return f"{lost} from row {grid.records[start] + 1}"


@_on_grid(CONTENT)
def row_lost(grid: Grid, draw: Random) -> str:
    row = draw.choice(grid.records)
    del grid.rows[row]
    return f"row {row + 1}"


@_on_grid(STRUCTURE, TEXT, PARQUET)
def year_lost(grid: Grid, draw: Random) -> str | None:
    """All rows of the first or the last year of a long file."""
    for column in range(grid.width()):
        years = {grid.text(row, column) for row in grid.records}
        if len(years) > 1 and all(_YEAR.fullmatch(year) for year in years):
            lost = draw.choice((min(years), max(years)))
            grid.rows = [
                row
                for at, row in enumerate(grid.rows)
                if at < grid.body or column >= len(row) or str(row[column]) != lost
            ]
            return lost
    return None


@_on_grid(STRUCTURE, TEXT, WORKBOOK)
def blank_row_added(grid: Grid, draw: Random) -> str:
    row = draw.choice(grid.records)
    grid.rows.insert(row, [""] * (grid.width() if draw.random() < 0.5 else 0))
    return f"above row {row + 1}"


@_on_grid(STRUCTURE, TEXT, WORKBOOK)
def title_row_added(grid: Grid, draw: Random) -> str:
    """A line above everything, which moves the headings down."""
    grid.rows.insert(0, ["A title", *([""] * (grid.width() - 1))])
    return "above the first row"


@_on_grid(IDENTITY)
def headings_lost(grid: Grid, draw: Random) -> str:
    del grid.rows[grid.body - 1]
    if not grid.sheet and not grid.rows:
        grid.rows = [[""]]
    return f"row {grid.body}"


# ---------------------------------------------------------------------------------------------------------------------
# Cells


def _cells(grid: Grid, draw: Random, wanted: re.Pattern[str]) -> list[tuple[int, int]]:
    """Cells of some rows that are read, in which the whole text is as wanted: the ones taken, else any."""
    if grid.taken:
        some = draw.sample(grid.taken, min(200, len(grid.taken)))
        found = [cell for cell in some if wanted.fullmatch(grid.text(*cell).strip())]
        if found:
            return found
    rows = draw.sample(grid.records, min(20, len(grid.records)))
    return [
        (row, column)
        for row in rows
        for column in range(len(grid.rows[row]))
        if wanted.fullmatch(grid.text(row, column).strip())
    ]


def _all_cells(grid: Grid) -> list[tuple[int, int]]:
    return [(row, column) for row in grid.records for column in range(len(grid.rows[row]))]


def _figure(grid: Grid, draw: Random) -> tuple[int, int] | None:
    found = _cells(grid, draw, _NUMBER)
    return draw.choice(found) if found else None


def _change_digit(grid: Grid, row: int, column: int, draw: Random) -> str:
    old = grid.text(row, column)
    at = draw.choice([match.start() for match in _DIGIT.finditer(old)])
    digit = draw.choice([digit for digit in "0123456789" if digit != old[at]])
    new = old[:at] + digit + old[at + 1 :]
    grid.set(row, column, new)
    return f"row {row + 1}, {_heading(grid, column) if column < grid.width() else column!r}: {old!r} to {new!r}"


@_on_grid(CONTENT)
def digit_changed(grid: Grid, draw: Random) -> str | None:
    cell = _figure(grid, draw)
    return _change_digit(grid, *cell, draw) if cell else None


@_on_grid(CONTENT)
def digit_changed_anywhere(grid: Grid, draw: Random) -> str | None:
    """In any cell of a row that is read: codes, years, dates, names and figures that nobody reads."""
    row = draw.choice(grid.records)
    cells = [column for column in range(len(grid.rows[row])) if _DIGIT.search(grid.text(row, column))]
    return _change_digit(grid, row, draw.choice(cells), draw) if cells else None


@_on_grid(CONTENT)
def figures_swapped(grid: Grid, draw: Random) -> str | None:
    """Two figures of one column change places."""
    cell = _figure(grid, draw)
    if cell is None:
        return None
    row, column = cell
    others = [at for at in grid.records if at != row and _NUMBER.fullmatch(grid.text(at, column).strip())]
    if not others:
        return None
    other = draw.choice(others)
    texts = _swap(grid, (row, column), (other, column))
    return f"rows {row + 1} and {other + 1}, {_heading(grid, column)}: {texts}"


@_on_grid(STRUCTURE)
def thousands_comma(grid: Grid, draw: Random) -> str | None:
    cells = _cells(grid, draw, _WHOLE)
    if not cells:
        return None
    row, column = draw.choice(cells)
    grid.set(row, column, f"{int(grid.text(row, column)):,}")
    return f"row {row + 1}, {_heading(grid, column)}: {grid.text(row, column)!r}"


@_on_grid(STRUCTURE)
def thousands_commas_throughout(grid: Grid, draw: Random) -> str | None:
    changed = 0
    for row, column in grid.taken or _all_cells(grid):
        if _WHOLE.fullmatch(grid.text(row, column).strip()):
            grid.set(row, column, f"{int(grid.text(row, column)):,}")
            changed += 1
    return f"{changed} cells" if changed else None


@_on_grid(STRUCTURE)
def unknown_marker(grid: Grid, draw: Random) -> str | None:
    cell = _figure(grid, draw)
    if cell is None:
        return None
    marker = draw.choice(_UNKNOWN_MARKERS)
    grid.set(*cell, marker)
    return f"{marker!r} in row {cell[0] + 1}, {_heading(grid, cell[1])}"


@_on_grid(STRUCTURE)
def cell_blanked(grid: Grid, draw: Random) -> str | None:
    cell = _figure(grid, draw)
    if cell is None:
        return None
    grid.set(*cell, draw.choice(("", " ")))
    return f"row {cell[0] + 1}, {_heading(grid, cell[1])}"


@_on_grid(STRUCTURE)
def spaces_around(grid: Grid, draw: Random) -> str | None:
    cell = _figure(grid, draw)
    if cell is None:
        return None
    grid.set(*cell, f"  {grid.text(*cell)} ")
    return f"row {cell[0] + 1}, {_heading(grid, cell[1])}"


@_on_grid(CONTENT)
def sign_changed(grid: Grid, draw: Random) -> str | None:
    cell = _figure(grid, draw)
    if cell is None:
        return None
    old = grid.text(*cell)
    grid.set(*cell, old[1:] if old.startswith("-") else f"-{old}")
    return f"row {cell[0] + 1}, {_heading(grid, cell[1])}: {old!r}"


@_mutation(CONTENT)
def another_known_marker(document: Document, draw: Random) -> Mutant | None:
    """A marker where another one was, both known."""
    own, cells = _markers(document, draw)
    if len(own) < 2 or not cells:
        return None
    grid = document.grid()
    row, column = draw.choice(cells)
    old = grid.text(row, column).strip()
    new = draw.choice([marker for marker in own if marker != old])
    grid.set(row, column, new)
    return Mutant(document.as_bytes(grid), f"row {row + 1}, {_heading(grid, column)}: {old!r} to {new!r}")


@_mutation(CONTENT)
def marker_filled(document: Document, draw: Random) -> Mutant | None:
    """A number where a marker was."""
    own, cells = _markers(document, draw)
    if not cells:
        return None
    grid = document.grid()
    row, column = draw.choice(cells)
    old, new = grid.text(row, column), draw.choice(("0", "3"))
    grid.set(row, column, new)
    return Mutant(document.as_bytes(grid), f"row {row + 1}, {_heading(grid, column)}: {old!r} to {new!r}")


@_mutation(CONTENT)
def number_hidden(document: Document, draw: Random) -> Mutant | None:
    """A known marker where a number was."""
    own, _ = _markers(document, draw)
    grid = document.grid()
    cell = _figure(grid, draw)
    if not own or cell is None:
        return None
    old, new = grid.text(*cell), draw.choice(own)
    grid.set(*cell, new)
    return Mutant(document.as_bytes(grid), f"row {cell[0] + 1}, {_heading(grid, cell[1])}: {old!r} to {new!r}")


def _markers(document: Document, draw: Random) -> tuple[list[str], list[tuple[int, int]]]:
    """The markers that the layout knows, and the cells taken that hold one."""
    own = list(document.symbols)
    grid = document.grid()
    return own, [cell for cell in grid.taken or _all_cells(grid) if grid.text(*cell).strip() in own]
