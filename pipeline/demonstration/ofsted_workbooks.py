"""The inspectorate's two workbooks: every framework up to 2023, and the history of the newest framework up to 2025.

What belongs here: their sheets, headings, spellings and known faults. What does not: the reports (`inspections`).

The headings carry the blanks and line breaks of the published ones. The workbook of 2023 has no area codes, lists the
authorities that had ended in a second table below the first, and misdates one report.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pipeline.demonstration.country import Country
from pipeline.demonstration.gazetteer import COUNTRY_NAME, REGIONS, Authority, whole_region
from pipeline.demonstration.inspections import CPI, ILACS, SIF, SIF_AGAIN, SLAC, SLAC_AGAIN, TLAC, Report
from pipeline.demonstration.workbooks import Cell, write_workbook

RELEASE_2023 = 2023
_LAST_VISIT_2023 = dt.date(2023, 3, 24)  # so that its report is out when the workbook is made
_AS_AT_2023, _AS_AT_2025 = "2023-03-31", "2025-03-31"
_LINK = "Ofsted Local Authority Webpage"
_NOT_JUDGED = " -"

# Spellings of the two workbooks that differ from the lookup's and from each other's, as those of the real ones do.
_SPELT_2023 = {
    "County Kelvary": "Kelvary", "Heravane, County of": "Heravane", "Hullavik upon Orr, City of": "Hullavik Upon Orr",
    "Tressavik, City of": "Tressavik", "St. Orvel": "St Orvel", "Abrenune": "Abrenune Borough",
}  # fmt: skip
_SPELT_2025 = {
    "County Kelvary": "Kelvary", "Heravane, County of": "Heravane", "Hullavik upon Orr, City of": "Hullavik upon Orr",
    "Tressavik, City of": "Tressavik", "St. Orvel": "St Orvel", "Barkavel and Dagmora": "Barkavel & Dagmora",
    "Solmunde, Crestavik and Pellavik": "Solmunde, Crestavik & Pellavik",
}  # fmt: skip
_KINDS = {"Z06": "Unitary", "Z08": "Metropolitan District", "Z09": "Capital Borough", "Z10": "Shire County"}

SECOND_ILACS_DATE = "Second ILACS framework publication date"
_SIF_START = "Single Inspection of LA Children's Services (SIF) "
_BEFORE_ILACS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (  # framework -> heading, what it holds
    (SLAC, (
        ("Safeguarding & Looked After Children (SLAC) Inspection publication date", "published"),
        ("SLAC Safeguarding Overall effectiveness (OE)", "safeguarding"),
        ("SLAC Looked After Children Overall Effectiveness (OE)", "looked_after"),
    )),
    (SLAC_AGAIN, (
        ("SLAC re-inspection of Safeguarding publication date", "published"),
        ("SLAC re-inspection Safeguarding OE", "safeguarding"),
    )),
    ("", (
        ("SLAC re-inspection of services for Children Looked After publication date", ""),
        ("SLAC re-inspection of services Children Looked After OE", ""),
    )),
    (CPI, (
        ("Child Protection Inspections (CPI) publication date", "published"),
        ("CPI Overall Effectiveness (OE)", "overall"),
    )),
    ("", (
        ("Child Protection Re-Inspection (CPRI) publication date", ""),
        ("CPRI Overall Effectiveness (OE)", ""),
    )),
    (TLAC, (
        ("Targeted Looked After Children (TLAC) inspection publication date", "published"),
        ("TLAC Overall Effectiveness (OE)", "overall"),
    )),
    (SIF, (
        (f"{_SIF_START} First SIF publication date", "published"),
        (" First SIF Overall Judgement\n(OE)", "overall"),
        (" First SIF children who need help and protection ", "help"),
        (" First SIF children looked after and achieving permanence ", "looked_after"),
        (" First SIF CLA Sub: Adoption Performance", "adoption"),
        (" First SIF CLA Sub: Experiences and progress of care leavers", "care_leavers"),
        (" First SIF leadership, management and governance", "leadership"),
        ("LSCB Overall Effectiveness ", "board"),
    )),
    (SIF_AGAIN, (
        (f"{_SIF_START}SIF Re-inspection publication date", "published"),
        (" SIF Re-inspection Overall Judgement\n(OE)", "overall"),
        (" SIF Re-inspection children who need help and protection ", "help"),
        (" SIF Re-inspection children looked after and achieving permanence ", "looked_after"),
        (" SIF Re-inspection CLA Sub: Adoption Performance", "adoption"),
        (" SIF Re-inspection CLA Sub: Experiences and progress of care leavers", "care_leavers"),
        (" SIF Re-inspection leadership, management and governance", "leadership"),
    )),
)  # fmt: skip


def write_ofsted_workbooks(country: Country, reports: list[Report], folder: Path) -> None:
    """Write both workbooks."""
    write_workbook(folder / "Childrens_social_care_2023_underlying_data.xlsx", _underlying_data(country, reports))
    write_workbook(folder / "LA_Inspection_Outcomes_as_at_31_March_2025.xlsx", _outcomes(country, reports))


def misdated(reports: list[Report]) -> tuple[Report, dt.date]:
    """Tell the report that the workbook of 2023 misdates, and the day it gives: the same day two months later.

    Raises ValueError for a seed that has no report whose day is there two months later in the same year.
    """
    for report in _second_ilacs(reports):
        if report.published.year == RELEASE_2023 - 1 and report.published.month <= 10 and report.published.day <= 28:
            return report, report.published.replace(month=report.published.month + 2)
    raise ValueError("no second report of this seed can be misdated: use another one")


def _second_ilacs(reports: list[Report]) -> list[Report]:
    found = []
    for reported in _by_authority(reports).values():
        own, authority = _ilacs_of_2023(reported), reported[0].authority
        if len(own) > 1 and authority.in_being(_AS_AT_2023):
            found.append(own[1])
    return found


def _by_authority(reports: list[Report]) -> dict[str, list[Report]]:
    found: dict[str, list[Report]] = defaultdict(list)
    for report in reports:
        found[report.authority.code].append(report)
    return found


def _ilacs_of_2023(own: list[Report]) -> list[Report]:
    return [report for report in own if report.visited is not None and report.visited <= _LAST_VISIT_2023]


# ---------------------------------------------------------------------------------------------------------------------
# The workbook of 2023


def _underlying_data(country: Country, reports: list[Report]) -> dict[str, list[list[Cell]]]:
    title = f"Children's social care data in {COUNTRY_NAME} 2023"
    wrong, day = misdated(reports)
    shown = [replace(report, published=day) if report is wrong else report for report in reports]
    current = _listed(country, shown, lambda authority: authority.in_being(_AS_AT_2023))
    ended = _listed(country, shown, lambda authority: (authority.ends or _AS_AT_2025) <= _AS_AT_2023)
    before = [heading for _, columns in _BEFORE_ILACS for heading, _ in columns]
    first: list[Cell] = [*_ABOUT, *before, *_ilacs_headings("First "), *_ilacs_headings("Second ", care_leavers=True)]
    second: list[Cell] = [*_ABOUT, *before, *_ilacs_headings("")]
    return {
        "Cover": [["Cover sheet - Official statistics"], ["Section", "Detail"], ["Policy area:", title],
                  ["Published on:", dt.date(2023, 7, 6)], ["Coverage:", COUNTRY_NAME]],
        "LA_level_at_31_Mar_2023": _newest_judgements(country, reports, title),
        "LA_inspections_2009-2023": [
            [f"{title} - LA inspections 2009-2023"],
            ["This worksheet contains two tables with no blank rows or columns."],
            ["Column A includes a link to the Local Authority Webpage for each local authority."],
            ["Some cells in this table are empty because data was not provided to Ofsted. "],
            first,
            *current,
            [],
            [],
            ["Table 11:History of inspections of local authorities that existed before the restructure"],
            second,
            *(row[: len(second)] for row in ended),
        ],
    }  # fmt: skip


_ABOUT = ("Web link", "Local authority name", "LA region", "LA Authority Type")


def _ilacs_headings(ordinal: str, *, care_leavers: bool = False) -> list[str]:
    start = f"{ordinal}ILACS framework"
    in_care = f"{start} experiences and progress of children in care"
    last = [f"{in_care} and care leavers"]
    if care_leavers:
        last = [in_care, f"{start} experiences and progress of care leavers"]
    return [
        f"{start} inspection type", f"{start} publication date", f"{start} overall effectiveness",
        f"{start} impact of leaders", f"{start} experiences and progress of children who need help and protection", *last,
    ]  # fmt: skip


def _listed(country: Country, reports: list[Report], is_listed: Callable[[Authority], bool]) -> list[list[Cell]]:
    """One row an authority by name: its reports of each framework, and its first two ILACS inspections."""
    rows: list[list[Cell]] = []
    reported = _by_authority(reports)
    for authority in sorted(country.authorities, key=lambda one: one.name):
        own = reported.get(authority.code)
        if is_listed(authority) and own:
            rows.append(_history_row(authority, own))
    return rows


def _history_row(authority: Authority, own: list[Report]) -> list[Cell]:
    kind = _KINDS[authority.area_codes[-1][0][:3]]
    row: list[Cell] = [_LINK, _SPELT_2023.get(authority.name, authority.name), _region(authority), kind]
    for framework, columns in _BEFORE_ILACS:
        report = next((one for one in own if one.framework == framework), None)
        row += [_cell(report, held) for _, held in columns]
    ilacs = _ilacs_of_2023(own)
    for at, held in enumerate((("looked_after",), ("looked_after", "care_leavers"))):
        report = ilacs[at] if at < len(ilacs) else None
        shown = ("published", "overall", "leadership", "help", *held)
        row += [report.kind if report else "", *(_cell(report, one) for one in shown)]
    return row


def _cell(report: Report | None, held: str) -> Cell:
    if report is None:
        return ""
    if held == "published":
        return report.published
    return "" if held not in report.grades else report.grades[held] or _NOT_JUDGED


def _newest_judgements(country: Country, reports: list[Report], title: str) -> list[list[Cell]]:
    rows: list[list[Cell]] = [
        [f"{title} - LA level at 31 March 2023"], ["This worksheet contains one table."], [""],
        ["Web link", "Local authority name", "Ofsted region", "Inspection date", "Overall effectiveness",
         "Impact of leaders", "Experiences and progress of children who need help and protection",
         "Experiences and progress of children in care", "Experiences and progress of care leavers"],
    ]  # fmt: skip
    reported = _by_authority(reports)
    for authority in _current(country, _AS_AT_2023):
        own = _ilacs_of_2023(reported.get(authority.code, []))
        if own:
            rows.append([_LINK, authority.name, _region(authority), own[-1].visited, *_grades(own[-1])])
    return rows


# ---------------------------------------------------------------------------------------------------------------------
# The workbook of 2025

_OUTCOMES = (
    "Web link", "Local authority area code", "Local authority name", "Local authority status", "Ofsted region",
    "Inspection date", "Publication date", "Inspection type", "Overall effectiveness",
    "The impact of leaders on social work practice with children and families",
    "The experiences and progress of children who need help and protection",
    "The experiences and progress of children in care", "The experiences and progress of care leavers",
)  # fmt: skip
_NOT_AMONG_NEWEST = ("Local authority status", "Inspection type")


def _outcomes(country: Country, reports: list[Report]) -> dict[str, list[list[Cell]]]:
    history = [_outcome(report) for report in sorted(reports, key=_by_name) if report.framework == ILACS]
    newest: dict[str, list[Cell]] = {}
    for row in history:
        if row[3] == "Current":
            named = zip(_OUTCOMES, row, strict=True)
            newest[str(row[1])] = [cell for name, cell in named if name not in _NOT_AMONG_NEWEST]
    note = "There are blank cells in column K for inspections before 1 January 2023."
    visits: list[list[Cell]] = [
        [_LINK, authority.area_code_on(_AS_AT_2025), authority.name, _region(authority), dt.date(2024, 11, 5),
         dt.date(2024, 12, 5), "ILACS Focused Visit", "", "", "", "", "", "Care leavers"]
        for authority in _current(country, _AS_AT_2025)[::5]
    ]  # fmt: skip
    visits_header: list[Cell] = [
        "Web link", "Local authority area code", "Local authority name", "Region", "Inspection/Visit date",
        "Publication date", "Inspection/Visit type", *_OUTCOMES[8:], "Visit Theme",
    ]  # fmt: skip
    return {
        "Cover": [["Local authority inspection outcomes as at 31 March 2025"], ["Section", "Detail"]],
        "Inspections_as_at_31_March": [
            ["Local authority inspection judgements as at 31 March 2025"], [note],
            [name for name in _OUTCOMES if name not in _NOT_AMONG_NEWEST], *newest.values(),
        ],
        "In-year_inspections": [
            ["Local authority in-year inspection activity 2024-25"], [note], visits_header, *visits,
        ],
        "ILACS_inspection_history": [["ILACS inspection history from 2018-2025"], [note], list(_OUTCOMES), *history],
    }  # fmt: skip


def _outcome(report: Report) -> list[Cell]:
    authority = report.authority
    status = "Current" if authority.in_being(_AS_AT_2025) else "No longer exists"
    name = _SPELT_2025.get(authority.name, authority.name)
    return [_LINK, authority.area_code_on(_AS_AT_2025), name, status, _region(authority), report.visited,
            report.published, report.kind, *_grades(report)]  # fmt: skip


def _grades(report: Report) -> list[Cell]:
    return [_cell(report, held) for held in ("overall", "leadership", "help", "looked_after", "care_leavers")]


def _by_name(report: Report) -> tuple[str, str, dt.date]:
    return report.authority.name, report.authority.code, report.published


def _current(country: Country, day: str) -> list[Authority]:
    return sorted((one for one in country.authorities if one.in_being(day)), key=lambda one: one.name)


def _region(authority: Authority) -> str:
    """The publisher's regions do not divide the capital."""
    names = {region.code: region.name for region in REGIONS}
    return names[whole_region(authority.region)]
