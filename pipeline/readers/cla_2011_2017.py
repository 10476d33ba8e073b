"""Children looked after, the layout of the 2011 to 2017 releases: wide CLA, ADM and CEA files, one set a year.

What belongs here: the headline headers of those files and how their reporting year is told. What does not: the other
sixty columns, and the files before (`cla_2010`) and after (`cla_since_2018`).

The headline count is `CLA_MarYYYY`. `CLA_YYYY` counts children looked after at any time in the year and `CLA_stpYYYY`
series of short-term placements: neither is read. Starts and ceases leave out short-term placements as well.
"""

from __future__ import annotations

import re
from functools import partial

import pandas as pd

from pipeline import corrections
from pipeline.readers import text_table, undated
from pipeline.readers.layout import (
    AUTHORITY,
    ENGLAND,
    LOOKED_AFTER,
    REGION,
    Edition,
    Knowledge,
    Layout,
    SourceFile,
)
from pipeline.readers.opening import Opening
from pipeline.readers.wide import england_cell, read_wide

_LEVELS = {"NATIONAL": ENGLAND, "REGION": REGION, "LA": AUTHORITY}
_HEADLINES = {
    "looked_after": re.compile(r"CLA_Mar(201[1-7])"),
    "started": re.compile(r"CLA_started(201[1-7])"),
    "ceased": re.compile(r"CLA_cease(201[1-7])?"),  # the year stands there in 2017 only
}
# Other columns that only this file has, so that it is known even when its headline column is the one missing.
# The adoption files (ADP) have CLA_cease too, and none of these.
_COMPANIONS = {
    "looked_after": {"CLA_UASC", "CLA_Fost", "CLA_male"},
    "started": {"SCLA_male", "SCLA_female", "SCLA_U1"},
    "ceased": {"CLA_ceamal", "CLA_ceafe", "CEA_male", "CEA_female"},
}


def layout_name(part: str) -> str:
    """Name of the layout of the CLA, ADM or CEA file, as the compiled tables write it."""
    return f"cla_2011_2017_{part}"


def _headlines(part: str, header: list[str] | frozenset[str]) -> list[str]:
    return [name for name in header if _HEADLINES[part].fullmatch(name)]


def _recognises(part: str, opening: Opening) -> bool:
    header = opening.header()
    if header & _COMPANIONS[part]:
        return True
    return part != "ceased" and bool(_headlines(part, header))


def _headline(part: str, table: text_table.TextTable) -> str:
    found = _headlines(part, table.header)
    if len(found) != 1:
        raise text_table.missing_column(
            table.file, _HEADLINES[part].pattern.replace("(201[1-7])", "YYYY"), table.header
        )
    return found[0]


def _edition(part: str, source: SourceFile, knowledge: Knowledge) -> Edition:
    table = text_table.read(source.content, source.name)
    column = _headline(part, table)
    england = england_cell(table, column, _LEVELS)
    correction = corrections.corrected_year(knowledge.corrections, layout_name(part), column, england)
    if correction:
        return Edition(release=int(correction.value), part=part, corrections=(correction.entry,))
    match = _HEADLINES[part].fullmatch(column)
    year = match.group(1) if match else None
    if year:
        return Edition(release=int(year), part=part)
    told = undated.reporting_year(layout_name(part), source.name, england, knowledge, example="CEA2013.csv")
    return Edition(release=told, part=part)


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    table = text_table.read(source.content, source.name)
    measures = {_headline(edition.part, table): edition.part}
    if edition.part == "looked_after":
        measures["CLA_UASC"] = "uasc"
    return read_wide(
        table,
        source,
        edition,
        knowledge,
        layout=layout_name(edition.part),
        levels=_LEVELS,
        measures=measures,
        has_ons_code=True,
    )


LAYOUTS = [
    Layout(
        name=layout_name(part),
        publication=LOOKED_AFTER,
        title="Children looked after in England including adoption (statistical first release)",
        publisher="Department for Education",
        recognises=partial(_recognises, part),
        edition=partial(_edition, part),
        read=_read,
    )
    for part in _HEADLINES
]
