"""Ofsted's inspections of local authorities under every framework since 2009: one row an authority, wide.

What belongs here: the headings of that sheet, a group of columns for each inspection, and its second table of authorities
that had ended. What does not: the ILACS history of later workbooks (`ofsted_outcomes`), which alone has inspection dates
and area codes. Dates here are publication dates.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from pipeline import corrections
from pipeline.area_names import AreaNames
from pipeline.corrections import Correction
from pipeline.errors import Refusal
from pipeline.readers import cells, judgements
from pipeline.readers.cells import Place
from pipeline.readers.judgements import (
    CPI,
    CPRI,
    ILACS,
    SHORT,
    SIF,
    SIF_AGAIN,
    SLAC,
    SLAC_AGAIN,
    STANDARD,
    TLAC,
    Judgement,
)
from pipeline.readers.layout import INSPECTIONS, Edition, Knowledge, Layout, SourceFile
from pipeline.readers.opening import Opening
from pipeline.readers.text_table import TextTable

LAYOUT = "ofsted_history"
_NAME = "Local authority name"
# Said of the authority and not of an inspection, or the same in every row.
_NOT_READ = {"Web link", "LA region", "LA Authority Type"}
_TYPES = {word: word for word in (STANDARD, SHORT)}
_FIRST_ROUND_OVER = dt.date(2012, 8, 1)
_ROUND = dt.timedelta(days=3 * 366)
_ILACS_DATE = "ILACS framework publication date"  # "First", "Second", ... may stand before it


@dataclass(frozen=True)
class _Group:
    """The columns of one inspection: the heading of its publication date, and of its grades by what was judged.

    Grades in `optional` may be blank beside a date.
    """

    framework: str
    published: str
    grades: dict[str, str]
    inspection_type: str = ""
    optional: frozenset[str] = field(default_factory=frozenset)

    def headings(self) -> list[str]:
        """All of its columns."""
        return [self.published, *self.grades.values(), *filter(None, [self.inspection_type])]


def _sif(framework: str, prefix: str, **more: str) -> _Group:
    return _Group(
        framework,
        f"Single Inspection of LA Children's Services (SIF) {prefix} publication date",
        {
            "overall": f"{prefix} Overall Judgement (OE)",
            "help_and_protection": f"{prefix} children who need help and protection",
            "looked_after": f"{prefix} children looked after and achieving permanence",
            "adoption": f"{prefix} CLA Sub: Adoption Performance",
            "care_leavers": f"{prefix} CLA Sub: Experiences and progress of care leavers",
            "leadership": f"{prefix} leadership, management and governance",
            **more,
        },
    )


_GROUPS = (
    _Group(
        SLAC,
        "Safeguarding & Looked After Children (SLAC) Inspection publication date",
        {
            "safeguarding": "SLAC Safeguarding Overall effectiveness (OE)",
            "looked_after": "SLAC Looked After Children Overall Effectiveness (OE)",
        },
    ),
    _Group(
        SLAC_AGAIN,
        "SLAC re-inspection of Safeguarding publication date",
        {"safeguarding": "SLAC re-inspection Safeguarding OE"},
    ),
    _Group(
        SLAC_AGAIN,
        "SLAC re-inspection of services for Children Looked After publication date",
        {"looked_after": "SLAC re-inspection of services Children Looked After OE"},
    ),
    _Group(
        CPI,
        "Child Protection Inspections (CPI) publication date",
        {"overall": "CPI Overall Effectiveness (OE)"},
    ),
    _Group(
        CPRI,
        "Child Protection Re-Inspection (CPRI) publication date",
        {"overall": "CPRI Overall Effectiveness (OE)"},
    ),
    _Group(
        TLAC,
        "Targeted Looked After Children (TLAC) inspection publication date",
        {"overall": "TLAC Overall Effectiveness (OE)"},
    ),
    _sif(SIF, "First SIF", lscb="LSCB Overall Effectiveness"),
    _sif(SIF_AGAIN, "SIF Re-inspection"),
)
_FIXED = {heading for group in _GROUPS for heading in group.headings()}
_ENOUGH_HEADINGS = len(_FIXED) // 2  # a sheet in which some have changed is still known, and refused for it


def _is_header(headings: set[str]) -> bool:
    return len(headings & _FIXED) >= _ENOUGH_HEADINGS


def _recognises(opening: Opening) -> bool:
    return judgements.recognises(opening, _is_header)


def _corrections(knowledge: Knowledge, release: int) -> dict[tuple[str, str], Correction]:
    return corrections.dates_to_set(knowledge.corrections, LAYOUT, release)


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    release = judgements.release(judgements.tables(source, _is_header)[0], source)
    applied = sorted(entry.entry for entry in _corrections(knowledge, release).values())
    return Edition(release=release, corrections=tuple(applied))


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    """Every inspection of every authority. Two re-inspections of one day, of both services, are one judgement."""
    to_set = _corrections(knowledge, edition.release)
    read: list[Judgement] = []
    tables = judgements.tables(source, _is_header)
    seen = cells.Seen(tables[0].file, "the same authority and inspection")
    for table in tables:
        groups = [*_GROUPS, *_ilacs_groups(table)]
        _refuse_other_columns(table, groups)
        name_at = judgements.column(table, _NAME)
        for row, line in zip(table.row_numbers, table.rows, strict=True):
            own = list(_of_row(table, row, line, groups, edition.release))
            if not own:
                continue
            name = line[name_at].strip()
            # The first report tells apart an authority that has ended and the one that took its name.
            first = min(judgement.publication_date for judgement in own)
            code = knowledge.names.la_code(name, Place(table.file, row, _NAME), first)
            for judgement in own:
                judgement.la_code, judgement.la_name = code, name
                place = Place(table.file, row, judgement.source_column)
                seen.once((code, judgement.source_column), place, judgement.publication_date.isoformat())
                judgement.publication_date = _corrected(judgement, to_set, place)
            read += _joined(own)
    for entry in to_set.values():
        raise corrections.no_longer_fits(entry, source.name)
    if not read:
        raise Refusal(
            "no_rows",
            "the sheet has headings and no inspection below them",
            file=tables[0].file,
            row=tables[0].header_row,
            remedy="use the file as published",
        )
    _refuse_missing_authorities(read, knowledge.names, tables[0].file)
    return judgements.frame(read, edition.release, tables[0].file, source.sha256)


def _refuse_missing_authorities(read: list[Judgement], names: AreaNames, file: str) -> None:
    """Every authority has been inspected, but for those that are new: one without a row was lost.

    The first round of inspections was over in 2012, and full inspections come round within three years.
    """
    newest = max(judgement.publication_date for judgement in read)
    settled = newest - _ROUND
    there = {judgement.la_code for judgement in read}
    for area in names.areas:
        is_due = area.in_being(_FIRST_ROUND_OVER) or (area.in_being(settled) and area.in_being(newest))
        if is_due and newest >= _FIRST_ROUND_OVER and area.la_code not in there:
            raise Refusal(
                "missing_row",
                f"there is no inspection of {area.name} ({area.la_code}): the file may have been cut short",
                file=file,
                remedy="use the file as published",
            )


def _ilacs_groups(table: TextTable) -> Iterator[_Group]:
    """The ILACS inspections that the table has columns for; the second table has one, without an ordinal."""
    dates = [heading for heading in table.header if heading.endswith(_ILACS_DATE)]
    if not dates:
        judgements.column(table, f"First {_ILACS_DATE}")
    for heading in dates:
        prefix = heading.removesuffix(" publication date")
        in_care = f"{prefix} experiences and progress of children in care"
        grades = {
            "overall": f"{prefix} overall effectiveness",
            "leadership": f"{prefix} impact of leaders",
            "help_and_protection": f"{prefix} experiences and progress of children who need help and protection",
        }
        if in_care in table.header:
            grades |= {"looked_after": in_care, "care_leavers": f"{prefix} experiences and progress of care leavers"}
        else:
            grades["looked_after"] = f"{in_care} and care leavers"
        # Care leavers have a grade of their own since January 2023.
        yield _Group(ILACS, heading, grades, f"{prefix} inspection type", frozenset({"care_leavers"}))


def _refuse_other_columns(table: TextTable, groups: list[_Group]) -> None:
    """Every column of the groups must be there, and a column that nobody reads may be an inspection that would be lost."""
    read = [_NAME, *(heading for group in groups for heading in group.headings())]
    known = {*read, *_NOT_READ}
    for heading in read:
        judgements.column(table, heading, known)
    for at, heading in enumerate(table.header):
        if heading in known:
            continue
        for row, line in zip(table.row_numbers, table.rows, strict=True):
            if line[at].strip():
                raise Refusal(
                    "unknown_column",
                    "the column is not one that the sheet is known to have",
                    file=table.file,
                    row=row,
                    column=heading,
                    value=line[at],
                    remedy="use the file as published, or tell its reader the new heading if the publisher added it",
                )


def _of_row(table: TextTable, row: int, line: list[str], groups: list[_Group], release: int) -> Iterator[Judgement]:
    """The inspections in one row, with their dates as published."""
    for group in groups:
        cell = {heading: line[judgements.column(table, heading)] for heading in group.headings()}
        if not any(text.strip() for text in cell.values()):
            continue
        place = Place(table.file, row, group.published)
        published = judgements.day(cell[group.published], place, release)
        judgement = Judgement(group.framework, published, row, group.published)
        if group.inspection_type:
            heading = group.inspection_type
            judgement.inspection_type = cells.one_of(
                cell[heading], _TYPES, Place(table.file, row, heading), "type of inspection"
            )
        for judged, heading in group.grades.items():
            if cell[heading].strip() or judged not in group.optional:
                judgement.add(judged, cell[heading], Place(table.file, row, heading))
        yield judgement


def _corrected(judgement: Judgement, to_set: dict[tuple[str, str], Correction], place: Place) -> dt.date:
    """The publication date, or the one that the corrections table has for it; the entry is then spent."""
    entry = to_set.get((judgement.la_code, judgement.source_column))
    if entry is None:
        return judgement.publication_date
    if entry.expect.split()[-1] != judgement.publication_date.isoformat():
        raise corrections.no_longer_fits(entry, place.file)
    del to_set[judgement.la_code, judgement.source_column]
    return dt.date.fromisoformat(entry.value)


def _joined(own: list[Judgement]) -> list[Judgement]:
    reports: dict[tuple[str, dt.date], Judgement] = {}
    for judgement in own:
        key = (judgement.framework, judgement.publication_date)
        if key in reports:
            reports[key].grades.update(judgement.grades)
            reports[key].not_judged += judgement.not_judged
        else:
            reports[key] = judgement
    return list(reports.values())


LAYOUTS = [
    Layout(
        name=LAYOUT,
        publication=INSPECTIONS,
        title="Children's social care data in England, underlying data: inspections of local authorities since 2009",
        publisher="Ofsted",
        recognises=_recognises,
        edition=_edition,
        read=_read,
        form=judgements.FORM,
    )
]
