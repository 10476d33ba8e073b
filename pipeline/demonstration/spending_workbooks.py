"""What authorities spend on children: the truth in pounds, two section 251 workbooks and one of the revenue outturn.

What belongs here: the amounts, the lines and sheets of both returns, and their faults. What does not: the base data of the
interactive tool, which repeats one of the amounts.

Two of the layouts of section 251 are written: that of 2013, which names its year above the header, and that of 2019,
which names none and has a column before the others. Lines that nobody reads are few here and hundreds there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.demonstration.country import FIRST_YEAR, Country
from pipeline.demonstration.districts import District
from pipeline.demonstration.gazetteer import COUNTRY_CODE, COUNTRY_NAME
from pipeline.demonstration.population import Floats
from pipeline.demonstration.workbooks import Cell, write_workbook

SECTION_251_YEARS = (2013, 2019)  # the financial years ending; the workbook of the second does not say so
UNDATED_YEAR = 2019
OUTTURN_YEAR = 2025
ENDED_WORDS = "(Pre LGR 2019)"

_STREAM = 15
_PER_CHILD, _PER_CHILD_SPREAD, _GROWTH, _NOISE = 41_000, 0.15, 0.045, 0.05  # pounds of 2013; a year; of a year
_INCOME = 0.05
_LINES = {  # share of the spending on children looked after; label of 2013, label of 2019
    "residential": (0.34, "5 Residential care", "3.1.1 Residential care"),
    "fostering": (0.52, "6 Fostering services", "3.1.2 Fostering services"),
    "looked_after": (1.0, "15 Total Children Looked After", "3.1.11 Total Children Looked After"),
    "all": (
        2.3, "33 CHILDREN AND YOUNG PEOPLE'S SERVICES BUDGET (excluding CERA)",
        "5.0.2 Total Children and Young People's Services Expenditure (excluding CERA)",
    ),
    "all_and_capital": (
        2.32, "32 CHILDREN AND YOUNG PEOPLE'S SERVICES BUDGET (Including CERA)",
        "5.0.3 Total Children and Young People's Services Expenditure (including CERA)",
    ),
}  # fmt: skip
_AMOUNTS: tuple[Cell, ...] = (
    "OwnProvision", "PrivateProvision", "OtherPublic", "Voluntary", "TotalExpenditure", "Income", "NetCurrentExpenditure",
    "GovGrantsInsideAEF", "GovGrantsOutsideAEF", "LEANetRevenueExpenditure",
)  # fmt: skip
_RUN_BY_A_TRUST = "176"  # in the outturn its spending stands under another line
_TRUST_INCOME = 20  # thousand pounds, left under the line that has no spending
_LATE = "189"  # whose outturn came too late


@dataclass(frozen=True)
class Spending:
    """Expenditure on children looked after and the income against it, in pounds and pence.

    One row an authority and one column a reporting year from 2009; figures stand there before and after the authority as
    well.
    """

    total: Floats
    income: Floats

    def of(self, row: int, year: int) -> tuple[float, float]:
        """Total and income of one authority in the financial year that ends with a reporting year."""
        at = year - FIRST_YEAR
        return float(self.total[row, at]), float(self.income[row, at])


def spending(country: Country) -> Spending:
    """Draw what each authority spends, by the children it looks after."""
    rng = np.random.default_rng([country.seed, _STREAM])
    stock = country.counts["looked_after"]
    per_child = _PER_CHILD * np.exp(rng.normal(0, _PER_CHILD_SPREAD, len(stock)))[:, None]
    growth = np.exp(_GROWTH * (np.arange(stock.shape[1]) + FIRST_YEAR - SECTION_251_YEARS[0]))
    total = np.round(stock * per_child * growth * np.exp(rng.normal(0, _NOISE, stock.shape)), 2)
    return Spending(total, np.round(total * _INCOME * rng.uniform(0.2, 1.8, stock.shape), 2))


def write_spending_workbooks(country: Country, districts: list[District], folder: Path) -> None:
    """Write all workbooks."""
    spent = spending(country)
    for year in SECTION_251_YEARS:
        sheet = "TA1_AllData_1213" if year == SECTION_251_YEARS[0] else "TableA1"
        write_workbook(folder / f"s251ye{year}.xlsx", {sheet: _table_a1(country, spent, year)})
    write_workbook(folder / "RO3_LA_Data_2024-25_data_by_LA.xlsx", _outturn(country, spent, districts))


def undated_figure(country: Country) -> int:
    """Net expenditure on children looked after of all authorities, in pounds, by which the workbook tells its year."""
    spent = spending(country)
    pairs = [spent.of(row, UNDATED_YEAR) for row in country.in_being(UNDATED_YEAR)]
    return round(math.fsum(round(total - income, 2) for total, income in pairs))


def _table_a1(country: Country, spent: Spending, year: int) -> list[list[Cell]]:
    is_2013 = year == SECTION_251_YEARS[0]
    rows: list[list[Cell]] = []
    for at, (share, *labels) in enumerate(_LINES.values(), start=1):
        for row in country.in_being(year):
            authority = country.authorities[row]
            total, income = (round(share * amount, 2) for amount in spent.of(row, year))
            own, private = round(total * 0.6, 2), round(total * 0.3, 2)
            net = round(total - income, 2)
            amounts: list[Cell] = [own, private, 0, round(total - own - private, 2), total, income, net, 0, 0, net]
            name = authority.name
            if authority.ends and authority.ends.startswith("2019"):
                name = f"{name} {ENDED_WORDS}"
            start: list[Cell] = (
                [authority.code, name, at, labels[0], "CHILDREN LOOKED AFTER"]
                if is_2013
                else [at, authority.code, name, "CHILDREN LOOKED AFTER", at, labels[1], labels[1].split(" ")[0]]
            )
            rows.append([*start, *amounts])
    if is_2013:
        titles: list[list[Cell]] = [["S251 Outturn 2012-13 - Table A1"],
                                    ["Cash terms figures as reported by local authorities"], []]  # fmt: skip
        return [*titles, ["LA", "LA Name", "LineNumber", "CYPServiceDescription", "ReportGroup", *_AMOUNTS], *rows]
    return [["ident", "LA", "LA Name", "ReportGroup", "OrderLine", "Description", "s251line", *_AMOUNTS], *rows]


_COLUMNS = (
    "Employees (C1)", "Running Expenses (C2)", "Total Expenditure (C3 = C1 + C2)", "Total Income (C6 = C4 + C5)",
    "Net Current Expenditure (C7 = C3 - C6)",
)  # fmt: skip
_SERVICES = {
    "looked_after": "Children's social care - Children Looked After",
    "residential": "Children's social care - Children Looked After of which residential care",
    "other": "Children's social care - Other children and families services",
    "all": "TOTAL CHILDREN SOCIAL CARE",
}


def _outturn(country: Country, spent: Spending, districts: list[District]) -> dict[str, list[list[Cell]]]:
    title = "Revenue Outturn (RO) 2024-25: Social Care and Public Health (RO3) data"
    header: list[Cell] = ["E-code", "ONS Code", "Local authority", "Notes", "Class", "Certification"]
    header += [f"{service} - {column}" for service in _SERVICES.values() for column in _COLUMNS]
    width = len(_SERVICES) * len(_COLUMNS)
    rows: list[list[Cell]] = []
    nation = np.zeros(width)
    day = f"{OUTTURN_YEAR}-03-31"
    for row in country.in_being(OUTTURN_YEAR):
        authority = country.authorities[row]
        total, income = (round(amount / 1000) for amount in spent.of(row, OUTTURN_YEAR))
        figures = _services(total, income, by_trust=authority.code == _RUN_BY_A_TRUST)
        nation += figures
        kind = {"Z06": "UA", "Z08": "MD", "Z09": "LB", "Z10": "SC"}[authority.area_codes[-1][0][:3]]
        is_late = authority.code == _LATE
        rows.append([f"Z{authority.code}1", authority.area_code_on(day), authority.name, "M" if is_late else "", kind,
                     "[x]" if is_late else "Y", *(["[x]"] * width if is_late else figures)])  # fmt: skip
    for at, district in enumerate(districts):
        if district.county.in_being(day) and district.county.area_code_on(day).startswith("Z10"):
            rows.append([f"Z9{at:03d}", district.code, district.name, "", "SD", "Y", *[0] * width])
    whole: list[Cell] = ["Ard", COUNTRY_CODE, COUNTRY_NAME.upper(), "", "Ard", "", *(float(sum_) for sum_ in nation)]
    classes: list[list[Cell]] = [["[Y]", "Z23", "Police", "", "O", "1", *[0] * width]]
    return {
        "Front_Page": [[f"General Fund Revenue Account Outturn - RO3 {OUTTURN_YEAR - 1}-25"], ["Description"]],
        "Notes": [["Notes"], ["[x]", "Data not received in time for publication"],
                  ["[z]", "This data item is not collected. "]],
        "RO3_LA_Data_202425": [
            [f"Worksheet 2: {title}"], ["This worksheet contains two tables. Data are reported in £ thousand."],
            ["This table contains notes, which can be found in the Notes worksheet."],
            ["Blank cells indicate that there is no note in that row."], ["Row 431 is hidden."],
            [f"Source: invented; {COUNTRY_NAME}"], header, *rows, whole, [], list(header), *classes,
        ],
    }  # fmt: skip


def _services(total: int, income: int, *, by_trust: bool) -> list[int]:
    """Figures of one authority in thousand pounds. A trust's work is reported under the other services."""
    spends = {"looked_after": total, "residential": round(total * 0.34), "other": round(total * 1.3)}
    earns = {"looked_after": income, "residential": round(income * 0.2), "other": income}
    if by_trust:
        spends = {"looked_after": 0, "residential": 0, "other": sum(spends.values())}
        earns = {"looked_after": _TRUST_INCOME, "residential": 0, "other": income}
    spends["all"], earns["all"] = (own["looked_after"] + own["other"] for own in (spends, earns))
    figures: list[int] = []
    for service in _SERVICES:
        staff = round(spends[service] * 0.2)
        figures += [staff, spends[service] - staff, spends[service], earns[service], spends[service] - earns[service]]
    return figures
