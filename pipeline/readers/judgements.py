"""Ofsted's judgements on local authorities: the tidy form and the cells that all of its layouts share.

What belongs here: the frameworks, the grades, one judgement as a record, and finding the sheet that holds them. What does
not: the headings of a layout (`ofsted_history`, `ofsted_outcomes`) and which judgement counts when (`inspections`).

Grades keep the published words. Those of 2009 to 2013 were "adequate" when they were made and are published as "Requires
improvement to be good": the word is the same and the standard is not.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

import pandas as pd

from pipeline.errors import Refusal
from pipeline.readers import workbook
from pipeline.readers.cells import Place
from pipeline.readers.layout import SourceFile, TidyForm
from pipeline.readers.opening import ROWS, Opening
from pipeline.readers.text_table import TextTable

SLAC, SLAC_AGAIN = "SLAC", "SLAC re-inspection"
CPI, CPRI, TLAC = "CPI", "CPRI", "TLAC"
SIF, SIF_AGAIN, ILACS = "SIF", "SIF re-inspection", "ILACS"
FRAMEWORKS = (SLAC, SLAC_AGAIN, CPI, CPRI, TLAC, SIF, SIF_AGAIN, ILACS)

GRADES = ("Outstanding", "Good", "Requires improvement to be good", "Inadequate")  # in the order of the scale
STANDARD, SHORT = "ILACS Standard Inspection", "ILACS Short Inspection"
JUDGED = ("overall", "safeguarding", "looked_after", "help_and_protection", "leadership", "care_leavers", "adoption",
          "lscb")  # fmt: skip
_NOT_JUDGED = "-"
_FIRST_REPORT = dt.date(2009, 8, 1)  # of the oldest framework
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_YEAR = re.compile(r"(?<!\d)20\d\d(?!\d)")

FORM = TidyForm(
    {
        "la_code": "string",
        "la_name": "string",  # as published
        "framework": "string",
        "inspection_type": "string",  # as published; missing where the framework has no types
        "inspection_date": "object",  # first day of the inspection, a date; missing where the file has none
        "publication_date": "object",  # of the report, a date
        **dict.fromkeys(JUDGED, "string"),  # grades as published; missing where there is none
        "not_judged": "string",  # those of them that the publisher marks with a dash
        "release": "Int64",
        "source_file": "string",
        "source_sha256": "string",
        "source_row": "Int64",
        "source_column": "string",  # column of the publication date
    }
)


@dataclass
class Judgement:
    """One report: the grades by the names of JUDGED, those with a dash left out and named in `not_judged`."""

    framework: str
    publication_date: dt.date
    source_row: int
    source_column: str
    la_code: str = ""
    la_name: str = ""
    inspection_date: dt.date | None = None
    inspection_type: str | None = None
    grades: dict[str, str] = field(default_factory=dict)
    not_judged: list[str] = field(default_factory=list)

    def add(self, judged: str, text: str, place: Place) -> None:
        """Take in the cell of one grade."""
        word = grade(text, place)
        if word is None:
            self.not_judged.append(judged)
        else:
            self.grades[judged] = word


def frame(judgements: Iterable[Judgement], release: int, place: str, sha256: str) -> pd.DataFrame:
    """Judgements as a frame with the columns of FORM."""
    return FORM.frame(
        [
            (
                one.la_code,
                one.la_name,
                one.framework,
                one.inspection_type,
                one.inspection_date,
                one.publication_date,
                *(one.grades.get(judged) for judged in JUDGED),
                ", ".join(one.not_judged) or None,
                release,
                place,
                sha256,
                one.source_row,
                one.source_column,
            )
            for one in judgements
        ]
    )


# ---------------------------------------------------------------------------------------------------------------------
# Cells


def grade(text: str, place: Place) -> str | None:
    """A grade in the published words; None where a dash says that it was not judged. Refuses other words."""
    cell = workbook.tidied(text)
    if cell in GRADES:
        return cell
    if cell == _NOT_JUDGED:
        return None
    if not cell:
        raise _refuse(
            "blank_cell", "the grade is missing beside a publication date", place, text, "use the file as published"
        )
    raise _refuse(
        "unknown_word",
        f"this is no grade that the publisher is known to use ({', '.join(GRADES)}, and {_NOT_JUDGED} for not judged)",
        place,
        text,
        "use the file as published; if the publisher has a new grade, add it to GRADES in pipeline/readers/judgements.py "
        "and say there where on the scale it stands",
    )


def day(text: str, place: Place, release: int) -> dt.date:
    """A true date; text such as 07/07/2014 is refused, because it can be read in two ways."""
    cell = text.strip()
    try:
        found = dt.date.fromisoformat(cell) if _ISO_DATE.fullmatch(cell) else None
    except ValueError:
        found = None
    if found is None:
        raise _refuse(
            "not_a_date",
            "this is not a date cell, and as text a day and a month can be taken for each other",
            place,
            text,
            "use the file as published, where dates are date cells, or enter the date as one",
        )
    if not _FIRST_REPORT <= found <= dt.date(release, 12, 31):
        raise _refuse(
            "date_out_of_range",
            f"reports of these frameworks begin in {_FIRST_REPORT:%B %Y}, and the file is of {release}",
            place,
            text,
            "use the file as published",
        )
    return found


def _refuse(code: str, problem: str, place: Place, value: str, remedy: str) -> Refusal:
    return Refusal(code, problem, file=place.file, row=place.row, column=place.column, value=value, remedy=remedy)


# ---------------------------------------------------------------------------------------------------------------------
# Sheets and columns

IsHeader = Callable[[set[str]], bool]


def recognises(opening: Opening, is_header: IsHeader) -> bool:
    """Whether a sheet has the header among its first rows, whatever the sheet is called."""
    return any(_has_header(rows, is_header) for rows in opening.sheets.values())


def tables(source: SourceFile, is_header: IsHeader) -> list[TextTable]:
    """The tables of the one sheet that has such headers, one below the other. Rows with a single cell are titles.

    A column without a heading gets a name that says so, so that no cell falls out of sight. Refuses a workbook with two
    such sheets.
    """
    book = workbook.Workbook(source.content, source.name)
    found = [name for name in book.names if _has_header(book.rows(name, first=ROWS), is_header)]
    if len(found) != 1:
        raise Refusal(
            "two_editions",
            f"the sheets {' and '.join(found)} hold judgements each, and nothing says which is meant",
            file=source.name,
            remedy="keep the one that is meant",
        )
    rows = book.rows(found[0])
    starts = [number for number, row in enumerate(rows, start=1) if is_header({workbook.tidied(cell) for cell in row})]
    ends = [*(start - 1 for start in starts[1:]), len(rows)]
    return [
        workbook.table(
            rows[:end],
            f"{source.name}, sheet {found[0]}",
            start,
            header=[
                workbook.tidied(cell) or f"column {at} without a heading" for at, cell in enumerate(rows[start - 1], 1)
            ],
            is_data=lambda row: sum(bool(cell.strip()) for cell in row) > 1,
        )
        for start, end in zip(starts, ends, strict=True)
    ]


def release(table: TextTable, source: SourceFile) -> int:
    """Year of the release: the newest that the titles of the sheets and the lines above the table name.

    Refuses a workbook that names none.
    """
    book = workbook.Workbook(source.content, source.name)
    titles = [row for name in book.names for row in book.rows(name, first=1)]
    years = [year for row in [*titles, *table.preamble] for year in _YEAR.findall(" ".join(row))]
    if not years:
        raise Refusal(
            "undated_file",
            "no title in the workbook names a year",
            file=table.file,
            remedy="use the file as published, with the titles above its tables",
        )
    return int(max(years))


def column(table: TextTable, heading: str, known: Collection[str] = ()) -> int:
    """Position of a column; Refusal with the nearest heading there is that is not a `known` one itself."""
    if heading in table.header:
        return table.header.index(heading)
    near = difflib.get_close_matches(heading, [other for other in table.header if other not in known], n=1)
    raise Refusal(
        "missing_column",
        f'the column is missing; the nearest heading is "{near[0]}"' if near else "the column is missing",
        file=table.file,
        row=table.header_row,
        column=heading,
        remedy="use the file as published, or tell its reader the new heading if the publisher renamed it",
    )


def _has_header(rows: list[list[str]], is_header: IsHeader) -> bool:
    return any(is_header({workbook.tidied(cell) for cell in row}) for row in rows)
