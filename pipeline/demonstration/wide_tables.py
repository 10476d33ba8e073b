"""The wide tables of the 2010 to 2017 releases: one row an area, one column a measure.

What belongs here: their headers, their file names, the spelling of places in them, and their known faults. What does
not: the long tables that came after (`long_tables`).

Only the headline columns and a few others are written; the real files have up to sixty more. The
country's figure is rounded to 100 in 2010 and to 10 later, regions always to 10, authorities never. The faults of the
real files are kept, in the same years.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.demonstration import gazetteer
from pipeline.demonstration.areas import members, total, with_parts_inside
from pipeline.demonstration.country import Country
from pipeline.demonstration.gazetteer import COUNTRY_CODE, COUNTRY_NAME, REGIONS, TINY_ISLAND
from pipeline.demonstration.population import Integers
from pipeline.demonstration.printing import CRLF, SUPPRESSED_UNTIL_2017, Row, nearest, shown, write_table

WIDE_YEARS = range(2011, 2018)
MISLABELLED_YEAR = 2015  # the header of its file of starts names the year before
DATED_CEASED_YEAR = 2017  # in earlier files nothing in the content tells the year of the ceases
ISLAND_ROW_YEAR = 2017

COUNTRY_CODE_2010, COUNTRY_CODE_2011 = "921", "999"

# Area codes as of this day stay in the tables through 2017, whatever changed meanwhile.
_CODES_AS_OF = "2013-03-31"

# Beside the city's hidden flows of 2010 those of one neighbour are hidden too, so that no one can take the difference.
_HIDDEN_BESIDE_THE_CITY = "106"

_SPELLINGS_2010 = {
    "St. Orvel": "St Orvel",
    "Barkavel and Dagmora": "Barkavel & Dagmora",
    "Cheldra East": "Cheldra East ",
    "County Kelvary": "Kelvary",
    "Heravane, County of": "Heravane",
    "Skerrow Coast": "Skerrow Coast ",
    "Eastern Sarn": "Eastern Sarn ",
    "Quorin": "Quorin ",
}
_SPELLINGS_2011 = {"County Kelvary": "Kelvary", "Heravane, County of": "Heravane"}

_PUBLICATIONS = {
    2010: "SFR27", 2011: "SFR21", 2012: "SFR20", 2013: "SFR36", 2014: "SFR36", 2015: "SFR34", 2016: "SFR41",
    2017: "SFR50",
}  # fmt: skip
# Files that the publisher named otherwise than the rest of their series.
_ODD_FILE_NAMES = {("ADM", 2011): "SFE21_ADM.csv", ("CEA", 2011): "SFR21_CEA.csv", ("CLA", 2011): "SFR21_CLA.csv",
                   ("CEA", 2012): "SFR_CEA2012.csv"}  # fmt: skip

# Children in placement, by sex and so on, as shares of the count they are part of: the invented country has no more
# than that to say about them.
_SHARES_2010 = {
    "March": {"MarPlace_P1_2010": 0.07, "MarPlace_K2_2010": 0.07, "MarPlace_R3_2010": 0.11, "MarPlace_S1_2010": 0.003},
    "Started": {"StartPlace_Q1_2010": 0.10, "StartPlace_Q2_2010": 0.66, "StartPlace_R5_2010": 0.004},
    "Ceased": {"CeasedAdoptUnop_2010": 0.07, "CeasedHome_2010": 0.39, "CeasedDied_2010": 0.003},
}
_MALE, _FOSTERED, _TAKEN, _UNDER_1, _DIED = 0.55, 0.74, 0.36, 0.19, 0.002
# Series of short-term placements went out of use.
_SHORT_TERM = {2011: 0.13, 2012: 0.11, 2013: 0.08, 2014: 0.05, 2015: 0.04, 2016: 0.03, 2017: 0.026}

_NET_GAIN_SPREAD = 0.12  # of the stock: children placed here by others, less own children placed elsewhere
_NET_GAIN_STREAM = 11  # beside the streams of the simulation itself

# Blank columns without a name at the end of a file, left over from a spreadsheet.
_UNNAMED_COLUMNS = {("ADM", 2013): 9, ("CLA", 2014): 3}
# What stands in the country's cell of the net gain instead of the sum.
_NET_GAIN_OF_COUNTRY = {2013: "#VALUE!", 2014: "..", 2015: "0", 2017: SUPPRESSED_UNTIL_2017}
_NEGATIVE_NET_GAIN_SHOWN = 2015  # in the other years a negative one was hidden like a small count


@dataclass(frozen=True)
class Column:
    """One measure column: figures by authority, and what the country's cell holds where it is not their sum."""

    name: str
    values: Integers
    country_cell: str | None = None
    negative_shown: bool = True
    negative_region_shown: bool = True

    def authority_cell(self, row: int) -> str:
        """Print the figure of one authority: not rounded, hidden where small."""
        value = int(self.values[row])
        hidden = value < 0 and not self.negative_shown
        return SUPPRESSED_UNTIL_2017 if hidden else shown(value, SUPPRESSED_UNTIL_2017)

    def region_cell(self, rows: list[int]) -> str:
        """Print the sum over a region, to the nearest 10."""
        value = total(self.values, rows)
        hidden = value < 0 and not self.negative_region_shown
        return SUPPRESSED_UNTIL_2017 if hidden else str(nearest(value, 10))

    def country_total(self, rows: list[int], step: int) -> str:
        """Print the country's cell, to the nearest `step`."""
        return str(nearest(total(self.values, rows), step)) if self.country_cell is None else self.country_cell


def publication(year: int) -> str:
    """Name of the statistical first release of a reporting year, such as SFR21/2011."""
    return f"{_PUBLICATIONS[year]}/{year}"


def country_cell(country: Country, measure: str, year: int) -> str:
    """Give what the country's row says for a headline measure in a file of 2011 to 2017."""
    return str(nearest(country.total(measure, year), 10))


def write_wide_tables(country: Country, folder: Path) -> None:
    """Write the three files of every release from 2010 to 2017, a folder a release."""
    _write_2010(country, folder / "2010")
    net_gain = _net_gain(country)
    for year in WIDE_YEARS:
        for series, columns in _columns_of(country, year, net_gain[year]).items():
            rows = _wide_rows(country, year, series, columns)
            write_table(folder / str(year) / _file_name(series, year), rows, line_end=CRLF)


def _write_2010(country: Country, folder: Path) -> None:
    rows = country.in_being(2010)
    for part, (headline, measure) in {
        "March": ("MarTotal_2010", "looked_after"),
        "Started": ("StartTotal_2010", "started"),
        "Ceased": ("CeasedTotal_2010", "ceased"),
    }.items():
        values = country.count(measure, 2010)
        more = [Column(name, _share(values, share)) for name, share in _SHARES_2010[part].items()]
        table = _table_2010(country, rows, [Column(headline, values), *more], with_population=part == "March")
        if part != "March":
            _hide_headline(table, _HIDDEN_BESIDE_THE_CITY)
        write_table(folder / f"SFR27_2010_{part}.csv", table, line_end=CRLF)


def _table_2010(
    country: Country, rows: list[int], columns: list[Column], *, with_population: bool
) -> list[list[object]]:
    """Build a table of 2010: no area codes, and populations, where they stand, beside the headline."""
    children = country.children(country.population.mid_year(2009, pre_census=True))

    def line(start: list[object], cells: list[str], population: int) -> list[object]:
        return [*start, cells[0], *([population] if with_population else []), *cells[1:]]

    names: list[str] = [column.name for column in columns]
    table = [line(["geog_l", "geog_c", "geog_n"], names, 0)]
    if with_population:
        table[0][4] = "Mid2009Pop0-17"
    everyone = [column.country_total(rows, 100) for column in columns]
    table.append(line(["National", COUNTRY_CODE_2010, COUNTRY_NAME], everyone, nearest(total(children, rows), 100)))
    for region in REGIONS:
        inside = members(country, rows, region)
        start: list[object] = ["GOR", region.letter_2010, _spelt(region.name, _SPELLINGS_2010)]
        cells = [column.region_cell(inside) for column in columns]
        table.append(line(start, cells, nearest(total(children, inside), 100)))
    for row in rows:
        authority = country.authorities[row]
        start = ["LA", authority.code, _spelt(authority.name, _SPELLINGS_2010)]
        step = 10 if authority.code == TINY_ISLAND else 100
        cells = [column.authority_cell(row) for column in columns]
        table.append(line(start, cells, nearest(int(children[row]), step)))
    return table


def _hide_headline(table: list[list[object]], code: str) -> None:
    for line in table:
        if line[:2] == ["LA", code]:
            line[3] = SUPPRESSED_UNTIL_2017


def _columns_of(country: Country, year: int, net_gain: Integers) -> dict[str, list[Column]]:
    stock, started, ceased = (country.count(measure, year) for measure in ("looked_after", "started", "ceased"))
    return {
        "CLA": _stock_columns(year, stock, ceased, country.count("uasc", year), net_gain),
        "ADM": _started_columns(year, started),
        "CEA": _ceased_columns(year, ceased),
    }


def _stock_columns(
    year: int, stock: Integers, ceased: Integers, unaccompanied: Integers, net_gain: Integers
) -> list[Column]:
    male = _share(stock, _MALE)
    return [
        Column(f"CLA_Mar{year}", stock),
        Column(f"CLA_{year}", stock + ceased),  # at any time in the year: still there, or gone since
        Column(f"CLA_stp{year}", _share(stock, _SHORT_TERM[year])),
        Column("CLA_male", male),
        Column("CLA_female", stock - male),
        Column("CLA_Fost", _share(stock, _FOSTERED)),
        Column("CLA_UASC", unaccompanied),
        Column(
            "CLA_NetGain" if year == 2017 else "CLA_NetGain ",  # with a space at its end through 2016
            net_gain,
            country_cell=_NET_GAIN_OF_COUNTRY.get(year),
            negative_shown=year == _NEGATIVE_NET_GAIN_SHOWN,
            negative_region_shown=year < 2017,
        ),
    ]


def _started_columns(year: int, started: Integers) -> list[Column]:
    labelled = year - 1 if year == MISLABELLED_YEAR else year
    male = _share(started, _MALE)
    return [
        Column(f"CLA_started{labelled}", started),
        Column(f"CLA_taken{labelled}", _share(started, _TAKEN)),
        Column("SCLA_male", male),
        Column("SCLA_female", started - male),
        Column("SCLA_U1", _share(started, _UNDER_1)),
    ]


def _ceased_columns(year: int, ceased: Integers) -> list[Column]:
    names = ["CLA_cease", "CLA_ceamal", "CLA_ceafe", "CLA-ceaDied" if year <= 2013 else "CLA_ceaDied"]
    if year == DATED_CEASED_YEAR:
        names = ["CLA_cease2017", "CEA_male", "CEA_female", "CEA_Died"]
    male = _share(ceased, _MALE)
    figures = [ceased, male, ceased - male, _share(ceased, _DIED)]
    return [Column(name, values) for name, values in zip(names, figures, strict=True)]


def _wide_rows(country: Country, year: int, series: str, columns: list[Column]) -> list[Row]:
    """Build the table of one file of 2011 to 2017. The island has no row, but for a stray one in 2017."""
    rows = [row for row in country.in_being(year) if country.authorities[row].code != TINY_ISLAND]
    header = ["New_geog_code", "geog_l", "geog_c", "geog_n", *(column.name for column in columns)]
    table: list[list[object]] = [list(header)]
    everyone = [column.country_total(country.in_being(year), 10) for column in columns]
    table.append([COUNTRY_CODE, "NATIONAL", COUNTRY_CODE_2011, COUNTRY_NAME.upper(), *everyone])
    for region in with_parts_inside():
        inside = members(country, rows, region)
        # Both parts of the divided region carry its own area code.
        area_code, name = gazetteer.whole_region(region.code), region.name.upper()
        cells = [column.region_cell(inside) for column in columns]
        table.append([area_code, "REGION", region.letter_2011, name, *cells])
    stray = series == "CLA" and year == ISLAND_ROW_YEAR
    listed = set(rows)
    for row, authority in enumerate(country.authorities):
        if row in listed or (stray and authority.code == TINY_ISLAND):
            level = "LA" if row in listed else ""
            area_code, name = authority.area_code_on(_CODES_AS_OF), _spelt(authority.name, _SPELLINGS_2011)
            cells = [column.authority_cell(row) for column in columns] if level else ["0"] * len(columns)
            table.append([area_code, level, authority.code, name, *cells])
    blanks = [""] * _UNNAMED_COLUMNS.get((series, year), 0)
    if year == 2017:
        return _with_order(country, table)
    return [[*line, *blanks] for line in table]


def _with_order(country: Country, table: list[list[object]]) -> list[Row]:
    """Put the first column of 2017 before the others: the place of each row in a listing by region and name."""
    order = {COUNTRY_CODE_2011: 1}
    listed = {str(line[2]) for line in table}
    for region in with_parts_inside():
        order[region.letter_2011] = len(order) + 1
        inside = [authority for authority in country.authorities if authority.region == region.code]
        for authority in sorted(inside, key=lambda authority: authority.name):
            if authority.code in listed:
                order[authority.code] = len(order) + 1
    return [["LA_order", *table[0]], *([order[str(line[2])], *line] for line in table[1:])]


def _file_name(series: str, year: int) -> str:
    return _ODD_FILE_NAMES.get((series, year), f"{_PUBLICATIONS[year]}_{series}{year}.csv")


def _net_gain(country: Country) -> dict[int, Integers]:
    rng = np.random.default_rng([country.seed, _NET_GAIN_STREAM])
    share = rng.normal(0, _NET_GAIN_SPREAD, len(country.authorities))  # the same every year: homes stay where they are
    return {year: np.rint(share * country.count("looked_after", year)).astype(np.int64) for year in WIDE_YEARS}


def _share(values: Integers, share: float) -> Integers:
    whole: Integers = np.floor(values * share + 0.5).astype(np.int64)
    return whole


def _spelt(name: str, spellings: dict[str, str]) -> str:
    return spellings.get(name, name)
