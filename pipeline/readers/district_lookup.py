"""Which upper-tier authority each district lies in, the lookup of the Office for National Statistics.

What belongs here: the codes and names of both tiers. What does not: what is added up with them (`pipeline.deprivation`).

The headings carry the year of the codes: `LTLA23CD` and `UTLA23CD` are those of April 2023. An authority that is both
tiers stands there with itself.
"""

from __future__ import annotations

import re

import pandas as pd

from pipeline.readers import text_table
from pipeline.readers.cells import Place, Seen
from pipeline.readers.layout import DISTRICT_LOOKUP, Edition, Knowledge, Layout, SourceFile, TidyForm
from pipeline.readers.ons_codes import AreaCodes
from pipeline.readers.opening import Opening

LAYOUT = "district_lookup"
FORM = TidyForm(
    {
        "district_code": "string",  # ONS code of the lower tier
        "la_code": "string",  # DfE code of the upper tier
        "release": "Int64",  # year of the codes
        "source_file": "string",
        "source_sha256": "string",
        "source_row": "Int64",
    }
)

_HEADING = re.compile(r"([LU])TLA(\d\d)(CD|NM)")


def _recognises(opening: Opening) -> bool:
    found = {(match[1], match[3]) for name in opening.header() if (match := _HEADING.fullmatch(name))}
    return len(found) >= 3


def _year(table: text_table.TextTable) -> str:
    """The two digits of the year, from the headings of the two code columns."""
    years = [match[2] for name in table.header if (match := _HEADING.fullmatch(name))]
    return max(years, key=years.count)


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    table = text_table.read(source.content, source.name)
    text_table.refuse_without_rows(table)
    return Edition(release=2000 + int(_year(table)))


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    """One record a district or single-tier authority of the nation."""
    table = text_table.read(source.content, source.name)
    lower, upper = (f"{tier}TLA{_year(table)}CD" for tier in "LU")
    lower_at, upper_at = table.column(lower), table.column(upper)
    codes, seen = AreaCodes(knowledge), Seen(source.name)
    records: list[tuple[object, ...]] = []
    for row, line in zip(table.row_numbers, table.rows, strict=True):
        place = Place(source.name, row, lower)
        if codes.area(line[lower_at], place) is None:
            continue  # the lookup covers Wales as well
        district = line[lower_at].strip()
        seen.once((district,), place, district)
        la_code = codes.authority(line[upper_at], Place(source.name, row, upper))
        records.append((district, la_code, edition.release, source.name, source.sha256, row))
    return FORM.frame(records)


LAYOUTS = [
    Layout(
        name=LAYOUT,
        publication=DISTRICT_LOOKUP,
        title="Lower tier to upper tier local authority lookup",
        publisher="Office for National Statistics",
        recognises=_recognises,
        edition=_edition,
        read=_read,
        form=FORM,
    )
]
