"""Ofsted's local authority inspection outcomes: the history of all ILACS inspections, one row an inspection.

What belongs here: the headings of the history sheet of these workbooks, and holding it to their sheets of newest judgements
and of the year's inspections, whose graded rows stand in the history too. What does not: older frameworks
(`ofsted_history`).

Editions before 2025 have no area code, status and inspection date. The grade for children in care was one for children in
care and care leavers up to 2022, and stands in the same column.
"""

from __future__ import annotations

import datetime as dt

import pandas as pd

from pipeline.errors import Refusal
from pipeline.readers import cells, judgements, text_table, workbook
from pipeline.readers.cells import Place
from pipeline.readers.judgements import ILACS, SHORT, STANDARD, Judgement
from pipeline.readers.layout import INSPECTIONS, Edition, Knowledge, Layout, SourceFile
from pipeline.readers.opening import ROWS, Opening
from pipeline.readers.text_table import TextTable

LAYOUT = "ofsted_outcomes"
_NAME, _PUBLISHED, _TYPE = "Local authority name", "Publication date", "Inspection type"
_CODE, _STATUS, _INSPECTED = "Local authority area code", "Local authority status", "Inspection date"
_NOT_READ = {"Web link", "Ofsted region"}
_SINCE_2025 = (_CODE, _STATUS, _INSPECTED)
_GRADES = {
    "overall": "Overall effectiveness",
    "leadership": "The impact of leaders on social work practice with children and families",
    "help_and_protection": "The experiences and progress of children who need help and protection",
    "looked_after": "The experiences and progress of children in care",
    "care_leavers": "The experiences and progress of care leavers",
}
_CARE_LEAVERS_FROM = dt.date(2023, 1, 1)  # inspections from this day on grade care leavers by themselves
# Visits carry no grade and never change the judgement in force; these workbooks list them on a sheet of their own.
_VISITS = {"ILACS Focused Visit": "", "LA Monitoring visit": ""}
_TYPES = {STANDARD: STANDARD, SHORT: SHORT, **_VISITS}
_OWN = {_TYPE, _STATUS}  # what the sheets of newest judgements and of visits do not have
_SHARED = {_NAME, _PUBLISHED, _CODE, _INSPECTED, *_GRADES.values()}
_ENOUGH_SHARED = 5  # of nine: a sheet in which some have changed is still known, and refused for it


def _is_header(headings: set[str]) -> bool:
    return bool(headings & _OWN) and len(headings & _SHARED) >= _ENOUGH_SHARED


def _recognises(opening: Opening) -> bool:
    return judgements.recognises(opening, _is_header)


def _table(source: SourceFile) -> TextTable:
    return judgements.tables(source, _is_header)[0]


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    return Edition(release=judgements.release(_table(source), source))


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    table = _table(source)
    text_table.refuse_without_rows(table)
    headings = [_NAME, _PUBLISHED, _TYPE, *_GRADES.values()]
    if any(heading in table.header for heading in _SINCE_2025):
        headings += _SINCE_2025
    at = {heading: judgements.column(table, heading, {*headings, *_NOT_READ}) for heading in headings}
    seen = cells.Seen(table.file, "the same authority and publication date")
    read: list[Judgement] = []
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        cell = {heading: line[position].strip() for heading, position in at.items()}
        place = {heading: Place(table.file, row, heading) for heading in at}
        inspection_type = cells.one_of(cell[_TYPE], _TYPES, place[_TYPE], "type of inspection")
        if not inspection_type:
            continue
        judgement = Judgement(
            ILACS, judgements.day(cell[_PUBLISHED], place[_PUBLISHED], edition.release), row, _PUBLISHED,
            la_name=cell[_NAME], inspection_type=inspection_type,
        )  # fmt: skip
        if _INSPECTED in at:
            judgement.inspection_date = judgements.day(cell[_INSPECTED], place[_INSPECTED], edition.release)
            _refuse_wrong_order(judgement, place[_PUBLISHED])
        judgement.la_code = _la_code(cell, place, judgement, knowledge)
        seen.once((judgement.la_code, judgement.publication_date), place[_PUBLISHED], cell[_PUBLISHED])
        for judged, heading in _GRADES.items():
            if cell[heading] or _is_required(judged, judgement):
                judgement.add(judged, cell[heading], place[heading])
        read.append(judgement)
    _refuse_lost_judgements(source, read, table.file)
    return judgements.frame(read, edition.release, table.file, source.sha256)


def _refuse_lost_judgements(source: SourceFile, read: list[Judgement], file: str) -> None:
    """Every graded row of the other sheets is in the history: one that is not was lost there, or changed in one of them."""
    overall = _GRADES["overall"]
    history = {(one.la_name, one.publication_date.isoformat(), one.grades.get("overall")) for one in read}
    book = workbook.Workbook(source.content, source.name)
    for sheet in book.names:
        rows = book.rows(sheet)
        header_at = workbook.header_row(rows[:ROWS], (_NAME, _PUBLISHED, overall))
        if not header_at:
            continue
        table = workbook.table(rows, f"{source.name}, sheet {sheet}", header_at)
        at = [table.column(heading) for heading in (_NAME, _PUBLISHED, overall)]
        for line in table.rows:
            name, published, word = (line[position].strip() for position in at)
            if workbook.tidied(word) in judgements.GRADES and (name, published, workbook.tidied(word)) not in history:
                raise Refusal(
                    "missing_row",
                    f"there is no inspection of {name} published on {published} with the judgement {word}, which the sheet "
                    f"{sheet} has: rows may have been lost or changed",
                    file=file,
                    remedy="use the file as published",
                )


def _la_code(cell: dict[str, str], place: dict[str, Place], judgement: Judgement, knowledge: Knowledge) -> str:
    """By area code, held to the name; by name where the edition has no codes."""
    if _CODE not in cell:
        return knowledge.names.la_code(cell[_NAME], place[_NAME], judgement.publication_date)
    code = knowledge.la_code_of_ons_code.get(cell[_CODE])
    if code is None:
        raise Refusal(
            "unknown_area",
            "the area code is not in the lookup of local authorities",
            file=place[_CODE].file,
            row=place[_CODE].row,
            column=_CODE,
            value=cell[_CODE],
            remedy="if the code is new, add it to dfe_la_lookup.csv and la_code_changes.csv in data/raw/reference",
        )
    knowledge.names.refuse_other(cell[_NAME], code, place[_NAME])
    return code


def _is_required(judged: str, judgement: Judgement) -> bool:
    """Whether a blank grade is a fault. Publication follows months later, so it does not tell which form was used."""
    if judged != "care_leavers":
        return True
    return judgement.inspection_date is not None and judgement.inspection_date >= _CARE_LEAVERS_FROM


def _refuse_wrong_order(judgement: Judgement, place: Place) -> None:
    inspected = judgement.inspection_date
    if inspected is not None and judgement.publication_date < inspected:
        raise Refusal(
            "dates_in_wrong_order",
            f"the report is dated before its inspection, which began on {inspected.isoformat()}",
            file=place.file,
            row=place.row,
            column=place.column,
            value=judgement.publication_date.isoformat(),
            remedy="use the file as published; if it is published so, ask the publisher which date is meant",
        )


LAYOUTS = [
    Layout(
        name=LAYOUT,
        publication=INSPECTIONS,
        title="Local authority inspection outcomes: ILACS inspection history",
        publisher="Ofsted",
        recognises=_recognises,
        edition=_edition,
        read=_read,
        form=judgements.FORM,
    )
]
