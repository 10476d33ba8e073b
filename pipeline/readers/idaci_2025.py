"""IDACI of the Indices of Deprivation 2025 by district, in the long form that others made of File 10.

What belongs here: that one long table. What does not: the weighted means of counties (`pipeline.deprivation`) and the
workbooks by upper tier (`idaci`).

The index of 2025 counts income after housing costs: within its year it orders areas, and against 2015 and 2019 it says
nothing. Scores are fractions.
"""

from __future__ import annotations

import pandas as pd

from pipeline.errors import Refusal
from pipeline.readers import cells, shares, text_table
from pipeline.readers.cells import Place, Seen
from pipeline.readers.idaci import IDACI
from pipeline.readers.layout import (
    DEPRIVATION,
    MEASUREMENTS,
    Edition,
    Knowledge,
    Layout,
    SourceFile,
)
from pipeline.readers.ons_codes import AreaCodes
from pipeline.readers.opening import Opening

LAYOUT = "idaci_districts"
_EDITION = 2025

_CODE, _NAME, _YEAR, _DOMAIN, _SCORE = (
    "area_code",
    "area_name",
    "deprivation_data_year",
    "index_domain",
    "average_score",
)
_OWN = {_YEAR, _DOMAIN, _SCORE, "proportion_bottom_decile"}
_IDACI_DOMAIN = "Income Deprivation Affecting Children"


def _recognises(opening: Opening) -> bool:
    return len(opening.header() & _OWN) >= 3


def _own_rows(table: text_table.TextTable) -> list[tuple[int, list[str]]]:
    """The rows of the index, each with its number; the table has the other nine domains as well."""
    domain_at = table.column(_DOMAIN)
    rows = [
        (row, line)
        for row, line in zip(table.row_numbers, table.rows, strict=True)
        if line[domain_at].strip() == _IDACI_DOMAIN
    ]
    if not rows:
        raise Refusal(
            "no_rows",
            f"no row is of the domain {_IDACI_DOMAIN}",
            file=table.file,
            column=_DOMAIN,
            remedy="use the table with all its domains, under the names it had",
        )
    return rows


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    table = text_table.read(source.content, source.name)
    year_at = table.column(_YEAR)
    years = {cells.year(line[year_at], Place(source.name, row, _YEAR)) for row, line in _own_rows(table)}
    if years != {_EDITION}:
        raise Refusal(
            "unknown_edition",
            f"the table is of the indices of {' and '.join(map(str, sorted(years)))}, and only those of {_EDITION} "
            "are read in this form",
            file=source.name,
            column=_YEAR,
            remedy="use the workbook by upper tier (File 11) for other editions",
        )
    return Edition(release=_EDITION)


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    """One record a district or single-tier authority, in per cent."""
    table = text_table.read(source.content, source.name)
    code_at, name_at, score_at = (table.column(name) for name in (_CODE, _NAME, _SCORE))
    codes, seen = AreaCodes(knowledge), Seen(source.name)
    records: list[tuple[object, ...]] = []
    for row, line in _own_rows(table):
        place = Place(source.name, row, _CODE)
        area = codes.area(line[code_at], place)
        if area is None:
            raise Refusal(
                "unknown_area",
                "the area is abroad, and the indices are of one nation",
                file=source.name,
                row=row,
                column=_CODE,
                value=line[code_at],
                remedy="use the table as it was made",
            )
        seen.once(area, place, line[code_at])
        value, marker = shares.per_cent_of_fraction(line[score_at], Place(source.name, row, _SCORE))
        records.append(
            (area.level, area.code, line[code_at].strip(), line[name_at].strip(), edition.release, edition.release,
             IDACI, value, marker, source.name, source.sha256, row, _SCORE)
        )  # fmt: skip
    return MEASUREMENTS.frame(records)


LAYOUTS = [
    Layout(
        name=LAYOUT,
        publication=DEPRIVATION,
        title="English Indices of Deprivation, File 10 in long form: local authority district summaries",
        publisher="Ministry of Housing, Communities and Local Government",
        recognises=_recognises,
        edition=_edition,
        read=_read,
        form=MEASUREMENTS,
    )
]
