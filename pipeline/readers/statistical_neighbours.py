"""The publisher's statistical neighbours: ten authorities that its model holds most like each, nearest first.

What belongs here: the two forms of the lists (`SN1, SNP, SN2, SNP, ...` in the groupings and in the workbook of the
interactive tool; `SN_1, SN_1P, ...` in the file of the newer model), their words for closeness, and how an edition is
known. What does not: which edition serves an authority, and what is compared (`neighbours`).

No file says which edition it is. An edition is known by one authority's ten neighbours, which the compiled table
`neighbour_editions` holds; lists that match none are refused until it does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from pipeline.errors import Refusal
from pipeline.readers import cells, text_table, workbook
from pipeline.readers.cells import Place
from pipeline.readers.layout import STATISTICAL_NEIGHBOURS, Edition, Knowledge, Layout, SourceFile, TidyForm
from pipeline.readers.opening import ROWS, Opening
from pipeline.readers.text_table import TextTable

GROUPINGS, MODEL, TOOL = "neighbour_groupings", "neighbour_model", "neighbour_tool"  # names of the layouts
_POSITIONS = range(1, 11)
_ENOUGH_HEADINGS = 8  # of the ten: a file that has lost one is still known, and refused for it
_OLD_LISTS = "Old SNs:"  # a line of its own above the lists of authorities that had ended
_NO_LIST = "-"
_RESTORE = "use the file as published"
_WORDS = (
    "Extremely Close", "Very Close", "Close", "Somewhat close", "Not Close",  # as the groupings spell them
    "Extremely close", "Very close", "Not close",  # as the newer model does
)  # fmt: skip
_CLOSENESS = {word: word for word in _WORDS}

FORM = TidyForm(
    {
        "la_code": "string",
        "la_name": "string",  # as published
        "neighbour_code": "string",
        "position": "Int64",  # 1 is the nearest
        "closeness": "string",  # as published, without the blanks after it
        "edition": "string",  # year and month, such as 2025-05
        "is_old_list": "boolean",  # stands below the line that announces the lists of authorities that had ended
        "source_file": "string",
        "source_sha256": "string",
        "source_row": "Int64",
        "source_column": "string",
    }
)


@dataclass(frozen=True)
class _Headings:
    """The headings of a form; `{}` stands for the position. `closeness` repeats where it does not name the position."""

    la_code: str
    la_name: str
    neighbour: str
    closeness: str

    def header_row(self, rows: list[list[str]]) -> int | None:
        """Number (from 1) of the first row with nearly all headings of neighbours; None where no row has them."""
        wanted = {self.neighbour.format(position) for position in _POSITIONS}
        for number, row in enumerate(rows, start=1):
            if len(wanted & {workbook.tidied(cell) for cell in row}) >= _ENOUGH_HEADINGS:
                return number
        return None

    def columns(self, table: TextTable) -> list[tuple[int, int]]:
        """Positions of neighbour and closeness in the table, nearest neighbour first."""
        found = []
        for position in _POSITIONS:
            name, closeness = self.neighbour.format(position), self.closeness.format(position)
            at = table.column(name)
            # The repeated heading tells nothing by itself: it belongs to the neighbour on its left.
            beside = at + 1 if closeness == self.closeness else table.column(closeness)
            if table.header[beside : beside + 1] != [closeness]:
                raise text_table.missing_column(table.file, f"{closeness} after {name}", table.header, table.header_row)
            found.append((at, beside))
        return found


_GROUPINGS = _Headings(la_code="LA number", la_name="LA Name", neighbour="SN{}", closeness="SNP")
_MODEL = _Headings(la_code="old_la_code", la_name="la_name", neighbour="SN_{}", closeness="SN_{}P")


def _text(source: SourceFile, headings: _Headings) -> TextTable:
    rows = text_table.opening(source.content, source.name, ROWS)
    header_at = headings.header_row(rows) or 1
    return text_table.read(source.content, source.name, header_row=header_at, repeating=frozenset({headings.closeness}))


def _sheet(source: SourceFile, headings: _Headings) -> TextTable:
    """The one sheet that holds lists, whatever its name."""
    book = workbook.Workbook(source.content, source.name)
    found = {}
    for name in book.names:
        rows = book.rows(name)
        header_at = headings.header_row(rows[:ROWS])
        if header_at:
            found[name] = workbook.table(rows, f"{source.name}, sheet {name}", header_at)
    if len(found) != 1:
        raise Refusal(
            "two_editions",
            f"the sheets {' and '.join(found)} hold neighbours each, and nothing says which is meant",
            file=source.name,
            remedy="keep the one that is meant",
        )
    return next(iter(found.values()))


def _records(table: TextTable, headings: _Headings, knowledge: Knowledge) -> list[tuple[object, ...]]:
    """One record a neighbour in the order of FORM, as far as `closeness`; then is_old_list, row and column."""
    text_table.refuse_without_rows(table)
    code_at, name_at = table.column(headings.la_code), table.column(headings.la_name)
    columns = headings.columns(table)
    seen = cells.Seen(table.file)
    is_old = False
    records: list[tuple[object, ...]] = []
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        if [cell.strip() for cell in line if cell.strip()] == [_OLD_LISTS]:
            is_old = True
            continue
        place = Place(table.file, row, headings.la_code)
        code = cells.dfe_code(line[code_at], place, knowledge.la_codes)
        knowledge.names.refuse_other(line[name_at].strip(), code, Place(table.file, row, headings.la_name))
        seen.once((code,), place, code)
        if all(line[at].strip() == _NO_LIST for pair in columns for at in pair):
            continue
        neighbours: set[str] = set()
        for position, (at, beside) in zip(_POSITIONS, columns, strict=True):
            column = table.header[at]
            place = Place(table.file, row, column)
            neighbour = cells.dfe_code(line[at], place, knowledge.la_codes)
            _refuse_wrong_neighbour(neighbour, code, neighbours, place)
            neighbours.add(neighbour)
            closeness = cells.one_of(
                line[beside], _CLOSENESS, place._replace(column=f"{table.header[beside]} after {column}"), "closeness"
            )
            records.append((code, line[name_at].strip(), neighbour, position, closeness, is_old, row, column))
    return records


def _refuse_wrong_neighbour(neighbour: str, code: str, before: set[str], place: Place) -> None:
    if neighbour != code and neighbour not in before:
        return
    raise Refusal(
        "wrong_neighbour",
        "the authority is listed as a neighbour of its own" if neighbour == code else "the neighbour is listed twice",
        file=place.file,
        row=place.row,
        column=place.column,
        value=neighbour,
        remedy=_RESTORE,
    )


def _edition_of(records: list[tuple[object, ...]], table: TextTable, knowledge: Knowledge) -> Edition:
    lists: dict[object, tuple[object, ...]] = {}
    for code, _, neighbour, *_rest in records:
        lists[code] = (*lists.get(code, ()), neighbour)
    found = {edition for (code, ten), edition in knowledge.neighbour_editions.items() if lists.get(code) == ten}
    if len(found) != 1:
        known = ", ".join(sorted(set(knowledge.neighbour_editions.values()))) or "none"
        raise Refusal(
            "unknown_edition",
            f"the lists are not those of one edition that is known ({known})",
            file=table.file,
            remedy="use the file as published; if it is a new edition, enter one authority's ten neighbours in "
            "neighbour_editions.csv in data/raw/reference",
        )
    edition = found.pop()
    return Edition(release=int(edition[:4]), part=edition)


def _layout(name: str, title: str, headings: _Headings, is_text: bool) -> Layout:
    open_table: Callable[[SourceFile, _Headings], TextTable] = _text if is_text else _sheet

    def recognises(opening: Opening) -> bool:
        beginnings = [opening.rows] if is_text else list(opening.sheets.values())
        return any(headings.header_row(rows) for rows in beginnings)

    def edition(source: SourceFile, knowledge: Knowledge) -> Edition:
        table = open_table(source, headings)
        return _edition_of(_records(table, headings, knowledge), table, knowledge)

    def read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
        """One record an authority and position; authorities without a list have none."""
        table = open_table(source, headings)
        return FORM.frame(
            [
                (*told, edition.part, is_old, table.file, source.sha256, row, column)
                for *told, is_old, row, column in _records(table, headings, knowledge)
            ]
        )

    return Layout(
        name=name,
        publication=STATISTICAL_NEIGHBOURS,
        title=title,
        publisher="Department for Education",
        recognises=recognises,
        edition=edition,
        read=read,
        form=FORM,
    )


LAYOUTS = [
    _layout(GROUPINGS, "Children's services statistical neighbour groupings", _GROUPINGS, is_text=True),
    _layout(MODEL, "Children's services statistical neighbour model", _MODEL, is_text=True),
    _layout(TOOL, "Local Authority Interactive Tool, statistical neighbours", _GROUPINGS, is_text=False),
]
