"""The base data of the interactive tool: two editions, one long Parquet file each.

What belongs here: its columns, measures, areas and years by edition, and its known faults. What does not: the figures
themselves, which are those of the other files.

All cells are text but the area's code. A dash hides small numbers and stands for what is missing alike. Authorities that
have ended stay in the file, and their successors have shares for the years before they began. The title of a measure
stands in its first row alone, and in one edition some measures have none. The new edition puts child poverty on a new
basis and drops the years before 2022.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.demonstration.areas import members, with_parts_last
from pipeline.demonstration.country import FIRST_YEAR, Country
from pipeline.demonstration.exposures import MEALS_YEARS, POVERTY_YEARS
from pipeline.demonstration.gazetteer import COUNTRY_NAME, PARTS, REGIONS
from pipeline.demonstration.neighbour_files import ENDED_WORDS
from pipeline.demonstration.population import FIRST_MID_YEAR, LAST_MID_YEAR, Floats
from pipeline.demonstration.printing import LARGEST_HIDDEN, nearest, shown
from pipeline.demonstration.spending_workbooks import Spending, spending

MARKER = "-"
EDITIONS = (2024, 2025)  # by the newest year of looked-after children
NOT_FILLED_IN = ("193", 2015)  # authority and year whose child poverty is a 0 in the older edition
_FILES = {2024: "lait_bds_long_0_2025-05-28.parquet", 2025: "lait_bds_long_0_2026-04.parquet"}
_YEARS = 10  # of counts in an edition
_NEW_BASIS_FROM, _NEW_BASIS = 2022, (1.06, 0.4)  # factor and points more
_COUNTRY_NUMBER, _FIRST_REGION_NUMBER = 970, 980


@dataclass(frozen=True)
class _Cells:
    """One measure in one edition: figures by year, a row an authority, and the sums or means above them."""

    key: str
    title: str
    years: dict[str, list[str]]


def write_interactive_tool(country: Country, folder: Path) -> None:
    """Write both editions."""
    spent = spending(country)
    for edition, name in _FILES.items():
        rows = [row for cells in _measures(country, spent, edition) for row in _rows(country, cells)]
        names = ("Short Desc", "Data item", "Years", "LA and Regions", "Values")
        columns = {title: pa.array([row[at] for row in rows], pa.string()) for at, title in enumerate(names)}
        columns["LA Number"] = pa.array([row[5] for row in rows], pa.float64())
        columns["Region"] = pa.array([row[6] for row in rows], pa.string())
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), folder / name)


def _rows(country: Country, cells: _Cells) -> Iterator[tuple[str, str | None, str, str, str, float, str]]:
    regions = {region.code: region.name for region in with_parts_last()}
    areas: list[tuple[str, float, str]] = [
        (
            authority.name if authority.ends is None else f"{authority.name} {ENDED_WORDS}",
            float(authority.code),
            regions[authority.region],
        )
        for authority in country.authorities
    ]
    areas.append((COUNTRY_NAME, float(_COUNTRY_NUMBER), "NA"))
    areas += [(region.name, float(_FIRST_REGION_NUMBER + at), "NA") for at, region in enumerate((*REGIONS, *PARTS))]
    title: str | None = cells.title or None
    for year, texts in cells.years.items():
        for (name, number, region), text in zip(areas, texts, strict=True):
            yield cells.key, title, year, name, text, number, region
            title = None


def _measures(country: Country, spent: Spending, edition: int) -> Iterator[_Cells]:
    years = range(edition - _YEARS + 1, edition + 1)
    for key, title, measure in (
        ("LACnum", "Number of Looked after Children", "looked_after"),
        (
            "LACnum_Start",
            "Number of Children who started to be looked after during the year ending 31 March",
            "started",
        ),
        ("LACceased", "Number of children who ceased to be looked after during the year", "ceased"),
        (
            "Unacc_Asylmn_Seek_Childn",
            "Number of unaccompanied Asylum Seeking Children looked after at 31 March.",
            "uasc",
        ),
    ):
        yield _Cells(key, title, {str(year): _counts(country, measure, year, edition) for year in years})
    yield _Cells("LAC", "Rate of looked after children", {str(year): _rates(country, year, edition) for year in years})
    yield _poverty(country, edition)
    meals = {
        str(year): _shares(country, country.exposures.meals[:, MEALS_YEARS.index(year)], year, country.in_being(year))
        for year in MEALS_YEARS
        if year <= edition
    }
    yield _Cells("PriFSM", "Primary FSM" if edition == EDITIONS[1] else "", meals)
    expenditure = {
        f"{year - 1}-{year % 100:02d} (OT)": _expenditure(country, spent, year)
        for year in range(edition - 8, edition + 1)
    }
    yield _Cells("TotalLACFinance", "Total Children Looked After (finance)", expenditure)


def _counts(country: Country, measure: str, year: int, edition: int) -> list[str]:
    values = country.count(measure, year, edition)

    def rounded(rows: list[int]) -> str:
        return str(nearest(int(values[rows].sum()), 10))

    return _column(country, year, lambda row: shown(int(values[row]), MARKER), rounded)


def _rates(country: Country, year: int, edition: int) -> list[str]:
    values = country.count("looked_after", year, edition)
    children = country.children(country.population.mid_year(year - 1, pre_census=False))

    def rate(rows: list[int]) -> str:
        count = int(values[rows].sum())
        return str(int(10_000 * count / int(children[rows].sum()) + 0.5)) if count > LARGEST_HIDDEN else MARKER

    return _column(country, year, lambda row: rate([row]), rate)


def _poverty(country: Country, edition: int) -> _Cells:
    """Shares of the authorities of today for all years; those that have ended have none."""
    years = [year for year in POVERTY_YEARS if year <= edition and (edition < EDITIONS[1] or year >= _NEW_BASIS_FROM)]
    factor, more = _NEW_BASIS if edition == EDITIONS[1] else (1.0, 0.0)
    today = [row for row, authority in enumerate(country.authorities) if authority.ends is None]
    columns = {}
    for year in years:
        shares = country.exposures.poverty[:, POVERTY_YEARS.index(year)] * factor + more
        columns[str(year)] = _shares(country, shares, year, today)
    code, faulty = NOT_FILLED_IN
    if str(faulty) in columns:
        columns[str(faulty)][[authority.code for authority in country.authorities].index(code)] = "0"
    title = "Proportion of children living in poverty \r\n(Under 16)" if edition == EDITIONS[0] else ""
    return _Cells("ChildPov", title, columns)


def _shares(country: Country, by_piece: Floats, year: int, shown: list[int]) -> list[str]:
    """Means weighted by children, with one digit: as the shortest text of 17 digits, which is not the shortest there is."""
    children = country.population.rebased[:, min(year, LAST_MID_YEAR) - FIRST_MID_YEAR]
    weighted, people = country.children(children * by_piece), country.children(children)  # type: ignore[arg-type]

    def share(rows: list[int]) -> str:
        return f"{round(float(weighted[rows].sum() / people[rows].sum()), 1):.17g}"

    return _column(country, year, lambda row: share([row]), share, shown)


def _expenditure(country: Country, spent: Spending, year: int) -> list[str]:
    totals = np.rint(spent.total[:, year - FIRST_YEAR]).astype(np.int64)
    return _column(country, year, lambda row: str(totals[row]), lambda rows: str(int(totals[rows].sum())))


def _column(
    country: Country,
    year: int,
    of_authority: Callable[[int], str],
    of_several: Callable[[list[int]], str],
    shown: list[int] | None = None,
) -> list[str]:
    """Texts of one measure and year: authorities, the country, its regions and the parts of one."""
    rows = country.in_being(year) if shown is None else shown
    there = set(rows)
    texts = [of_authority(row) if row in there else MARKER for row in range(len(country.authorities))]
    groups = [rows, *(members(country, rows, region) for region in (*REGIONS, *PARTS))]
    return texts + [of_several(group) for group in groups]
