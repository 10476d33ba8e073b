"""Children in low-income families by the older local measure: the truth in children, and the workbooks of 2011 to 2016.

What belongs here: the sheets of these workbooks, their header rows and their faults. What does not: the shares they come
from (`exposures`) and the districts (`districts`).

Counts are rounded to 5, shares are made from what was there before. The workbook of 2016 is by district.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.demonstration.country import Country
from pipeline.demonstration.districts import District, by_piece, divided
from pipeline.demonstration.exposures import LOW_INCOME_YEARS
from pipeline.demonstration.gazetteer import COUNTRY_CODE, COUNTRY_NAME, TINY_ISLAND, Authority
from pipeline.demonstration.population import FIRST_MID_YEAR, Integers
from pipeline.demonstration.printing import nearest
from pipeline.demonstration.workbooks import Cell, write_workbook

BY_DISTRICT = 2016
# The island's share is a 0 in the first and a dash in the second, its count a 0 in both.
SUPPRESSED_YEARS = (2012, 2013)
MARKER = "-"
FOOTNOTED = "Isles of Taviel2"  # the island's name with the number of a footnote
MISSPELT = {"Juttermark": "Jutermark"}  # in 2015

_UNDER_16, _WITH_BENEFIT = 0.88, 0.97  # of the children aged 0-17; of those under 16
_OLDER = 1.16  # all dependent children, to those under 16
_OUT_OF_WORK, _BOTH_CREDITS = 0.78, 0.07  # of the children in low-income families; the rest gets one credit alone

_OUT_OF_WORK_HEADING = "Children in IS/JSA families"
_BOTH_HEADING = "Children in families receiving WTC and CTC, and income <60% median income"
_ONE_HEADING = "Children in families receiving CTC only, and income <60% median income"
_LOW_HEADING = "Children in families in receipt of CTC (<60% median income) or IS/JSA "
_LOW_HEADING_2013 = "Children in families in receipt of WTC or CTC (<60% median income) or IS/JSA "
_BENEFIT_HEADING, _BENEFIT_HEADING_2016 = (
    "Children in Child Benefit families", "Children in families registered for Child Benefit",
)  # fmt: skip
_SHARE_HEADING = "% of Children in low-income families"
_CODE_HEADING = "Local Authority Code"
_NOTES: list[list[Cell]] = [
    [""], ["Notes:"], [""], ["Children in IS/JSA families:"],
    ["Number of children living in families in receipt of Income Support or Income-Based Jobseekers Allowance"],
]  # fmt: skip
_UNROUNDED = "1 These percentages are based on unrounded totals."
_SUPPRESSED = "2 The percentage within the Isles of Taviel has been suppressed to prevent disclosure."
_FOREIGN = {"Y06000001": "Osterhaven", "Y06000002": "Lindregard"}  # invented too; the workbook of 2016 has them
_FOREIGN_BENEFIT, _FOREIGN_LOW = 20_000, 4_000


@dataclass(frozen=True)
class Children:
    """Children under 16 by piece: a column a year of LOW_INCOME_YEARS."""

    with_benefit: Integers
    low_income: Integers


def children(country: Country) -> Children:
    """Count them, in whole children."""
    columns = [year - FIRST_MID_YEAR for year in LOW_INCOME_YEARS]
    with_benefit = np.rint(_UNDER_16 * _WITH_BENEFIT * country.population.rebased[:, columns]).astype(np.int64)
    return Children(with_benefit, np.rint(with_benefit * country.exposures.low_income / 100).astype(np.int64))


def country_figure(country: Country, year: int) -> int:
    """The country's children in low-income families as published, by which a workbook tells its year."""
    return nearest(int(children(country).low_income[:, LOW_INCOME_YEARS.index(year)].sum()), 5)


def by_district(country: Country, districts: list[District]) -> dict[str, tuple[int, int]]:
    """Children with Child Benefit and in low-income families in 2016, by code of the district."""
    counted, below = children(country), by_piece(districts)
    figures = {}
    for at, piece in enumerate(country.pieces):
        if own := below.get(piece):
            benefit = divided(int(counted.with_benefit[at, -1]), [district.share for district in own])
            low = divided(int(counted.low_income[at, -1]), [district.share * district.relative for district in own])
            figures.update({d.code: pair for d, pair in zip(own, zip(benefit, low, strict=True), strict=True)})
    return figures


def write_low_income_workbooks(country: Country, districts: list[District], folder: Path) -> None:
    """Write the six workbooks."""
    for year in LOW_INCOME_YEARS:
        sheets: dict[str, list[list[Cell]]] = {"Notes": _NOTES, _sheet_name(year): _summary(country, districts, year)}
        write_workbook(folder / f"low-income-{year}.xlsx", sheets)


def _sheet_name(year: int) -> str:
    return {2012: "Summary (rounded)", 2013: "Summary "}.get(year, "Summary")


def _summary(country: Country, districts: list[District], year: int) -> list[list[Cell]]:
    body = _areas(country, districts, year)
    if year >= 2015:
        note = _UNROUNDED if year == 2015 else f"* {_UNROUNDED[2:]}"
        figures_by_area: list[list[Cell]] = [["", code, name, *figures] for code, name, figures in body]
        return [*_head_since_2015(year), *figures_by_area, [], [], ["", note]]
    lines = [_old_line(at, *area) for at, area in enumerate(body)]
    titles: list[list[Cell]] = [["", "", "Revised 10 December 2014"]] if year == 2012 else []
    blank: list[list[Cell]] = [[]]
    notes: list[list[Cell]] = [[_UNROUNDED]]
    if year >= 2012:
        notes.append([_SUPPRESSED])
    return [*titles, *_head_until_2014(year), *blank, lines[0], *blank, *lines[1:], *blank, *notes]


def _old_line(at: int, code: str, name: str, figures: list[Cell]) -> list[Cell]:
    """Put the older code of four characters between code and name; the country stands where that code would."""
    if at == 0:
        return [code, name, "", "", *figures]
    return [code, f"9{at:03d}", name, "", *figures]


def _head_until_2014(year: int) -> list[list[Cell]]:
    mark = "" if year == 2011 else "1"
    low = _LOW_HEADING_2013 if year == 2013 else _LOW_HEADING
    groups = (_OUT_OF_WORK_HEADING, _BOTH_HEADING, _ONE_HEADING, low, _BENEFIT_HEADING, f"{_SHARE_HEADING}{mark}")
    above: list[Cell] = [_CODE_HEADING, "Local Authority", "", ""]
    below: list[Cell] = ["", "", "", ""]
    for group in groups:
        above += [group, "", ""]
        below += ["Under 16", "All Children", ""]
    return [above, below]


def _head_since_2015(year: int) -> list[list[Cell]]:
    """Seven rows: in 2015 all headings in the third, in 2016 those of two groups, the others in the fourth."""
    is_2016 = year == BY_DISTRICT
    benefit = _BENEFIT_HEADING_2016 if is_2016 else _BENEFIT_HEADING
    share = f"{_SHARE_HEADING}{'*' if is_2016 else '1'}"
    groups = (_OUT_OF_WORK_HEADING, _BOTH_HEADING, _ONE_HEADING, _LOW_HEADING, benefit, share)
    third: list[Cell] = ["", "", ""]
    fourth: list[Cell] = ["", _CODE_HEADING, "Local Authority Name"]
    below: list[Cell] = ["", "", ""]
    for group in groups:
        in_fourth = is_2016 and group not in (benefit, share)
        third += ["" if in_fourth else group, "", ""]
        fourth += [group if in_fourth else "", "", ""]
        below += ["Under 16", "All Children", ""]
    return [[], [], third, fourth, [], [], below, []]


def _areas(country: Country, districts: list[District], year: int) -> list[tuple[str, str, list[Cell]]]:
    """Code, name and cells of the country and of each area, in the order of the codes."""
    counted, at = children(country), LOW_INCOME_YEARS.index(year)
    benefit, low = counted.with_benefit[:, at], counted.low_income[:, at]
    benefit_here, low_here = country.children(benefit), country.children(low)
    areas = [(COUNTRY_CODE, COUNTRY_NAME, _cells(int(low.sum()), int(benefit.sum())))]
    local: list[tuple[str, str, list[Cell]]] = []
    districted = by_district(country, districts) if year == BY_DISTRICT else {}
    if districted:
        local += [(d.code, d.name, _cells(districted[d.code][1], districted[d.code][0])) for d in districts]
        local += [(code, name, _cells(_FOREIGN_LOW, _FOREIGN_BENEFIT)) for code, name in _FOREIGN.items()]
    counties = {district.county.code for district in districts} if districted else set()
    day = f"{year}-08-31" if year >= 2015 else "2013-03-31"  # codes of before 2013 up to the workbook of 2014
    for row, authority in enumerate(country.authorities):
        if authority.in_being(f"{year}-08-31") and authority.code not in counties:
            cells = _cells(int(low_here[row]), int(benefit_here[row]))
            if authority.code == TINY_ISLAND and year in SUPPRESSED_YEARS:
                cells[9:11] = [0, 0]
                cells[15:17] = [0, 0] if year == SUPPRESSED_YEARS[0] else [MARKER, MARKER]
            local.append((authority.area_code_on(day), _spelt(authority, year), cells))
    united = [("X02000001", "United Realms", _cells(int(low.sum()), int(benefit.sum())))] if districted else []
    return [*united, *areas, *sorted(local)]


def _spelt(authority: Authority, year: int) -> str:
    if authority.code == TINY_ISLAND and year in (2012, 2013, 2014):
        return FOOTNOTED
    return MISSPELT.get(authority.name, authority.name) if year == 2015 else authority.name


def _cells(low: int, benefit: int) -> list[Cell]:
    """The six groups of one area: under 16, all dependent children, and a blank column after each."""
    out_of_work, both = round(low * _OUT_OF_WORK), round(low * _BOTH_CREDITS)
    cells: list[Cell] = []
    for number in (out_of_work, both, low - out_of_work - both, low, benefit):
        cells += [nearest(number, 5), nearest(round(number * _OLDER), 5), ""]
    share = round(low / benefit, 3)
    return [*cells, share, round(share * 0.985, 3), ""]
