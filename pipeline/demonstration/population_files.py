"""The population files: two vintages in one layout, and five age bands in another.

What belongs here: layouts, area codes and gaps of those files. What does not: the populations (`population`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.demonstration.areas import members, total, with_parts_last
from pipeline.demonstration.country import Country
from pipeline.demonstration.gazetteer import COUNTRY_CODE, COUNTRY_NAME, PIECES_OF, Authority
from pipeline.demonstration.population import FIRST_MID_YEAR, LAST_PRE_CENSUS, Integers
from pipeline.demonstration.printing import LF, Row, nearest, write_table, write_text

_COLUMNS = (
    "time_period", "time_identifier", "geographic_level", "country_code", "country_name", "region_code", "region_name",
    "old_la_code", "new_la_code", "la_name", "age_group", "population_estimate",
)  # fmt: skip
_AGE_GROUP = "Children aged 0 to 17 years"
_FIRST_YEAR = 2012
_NOT_AVAILABLE = "x"
_MERGED_CODE = "595"  # its area cannot be put together from older ones, nor theirs from it
_REORGANISED = "2019"

# Neighbouring countries that do not exist either; the age band files cover them too.
FOREIGN_AREAS = {
    "Y06000001": "Osterhaven", "Y06000002": "Lindregard", "Y06000003": "Mirrenoss", "X12000001": "Farravel",
    "X12000002": "Quandrisk",
}  # fmt: skip
FOREIGN_CHILDREN = 30_000  # invented and the same in all of them: nobody should count them
BAND_TITLES = {"0-4": "Age 0 - 4", "5-9": "Aged 5-9", "10-14": "Aged 10-14", "15": "Age 15", "16": "Age 16"}
_BAND_YEARS = range(2009, 2022)
_BAND_BOUNDARIES = "2021-04-01"  # of all years


@dataclass(frozen=True)
class Vintage:
    """One of the two files of children aged 0-17: the estimates before or after the rebasing on the census."""

    file: str
    last_year: int
    pre_census: bool
    codes_as_of: str | None  # the day of the area codes in all years; None for the codes of each year

    def area_code(self, authority: Authority, year: int) -> str:
        """Give the area code that the file uses for an authority at a mid-year."""
        # The boundary recode of 2013 is carried back to the first year.
        return authority.area_code_on(self.codes_as_of or f"{max(year, 2013)}-06-30")


VINTAGES = (
    Vintage("ons_mid-year_population_estimates_2012_to_2024.csv", 2024, pre_census=False, codes_as_of=None),
    Vintage(
        "ons_mid-year_population_estimates_2012_to_2020_cin2021.csv", LAST_PRE_CENSUS, pre_census=True,
        codes_as_of="2021-11-01",
    ),
)  # fmt: skip


def write_population_files(country: Country, folder: Path) -> None:
    """Write both vintages and the age bands."""
    for vintage in VINTAGES:
        write_table(folder / vintage.file, _vintage_rows(country, vintage), byte_order_mark=vintage.pre_census)
    for band, values in country.population.bands.items():
        write_text(folder / "age_bands" / f"popest-{band}.csv", _band_text(country, band, values))


def _vintage_rows(country: Country, vintage: Vintage) -> list[Row]:
    table: list[Row] = [_COLUMNS]
    regions = {region.code: region.name for region in with_parts_last()}
    for year in range(vintage.last_year, _FIRST_YEAR - 1, -1):
        rows = _in_being_at_mid_year(country, year)
        children = country.children(country.population.mid_year(year, pre_census=vintage.pre_census))
        step = 10 if vintage.pre_census else 1
        start = [year, "Reporting year"]
        country_columns = [COUNTRY_CODE, COUNTRY_NAME]
        blank = ["", "", "", _AGE_GROUP]
        table.append([*start, "National", *country_columns, "", "", *blank, nearest(total(children, rows), step)])
        for region in with_parts_last():
            figure = nearest(total(children, members(country, rows, region)), step)
            table.append([*start, "Regional", *country_columns, region.code, region.name, *blank, figure])
        for row in sorted(rows, key=lambda row: (country.authorities[row].region, country.authorities[row].name)):
            authority = country.authorities[row]
            gone = not vintage.pre_census and _area_was_dissolved(authority)
            table.append(
                [*start, "Local authority", *country_columns, authority.region, regions[authority.region]]
                + [authority.code, vintage.area_code(authority, year), authority.name, _AGE_GROUP]
                + [_NOT_AVAILABLE if gone else int(children[row])]
            )
    return table


def _in_being_at_mid_year(country: Country, year: int) -> list[int]:
    return [row for row, authority in enumerate(country.authorities) if authority.in_being(f"{year}-06-30")]


def _area_was_dissolved(authority: Authority) -> bool:
    """Whether rebased estimates for it were never made, because its area ended up in more than one authority."""
    shares_a_piece = set(authority.pieces) & set(PIECES_OF[_MERGED_CODE])
    return authority.ends is not None and authority.ends.startswith(_REORGANISED) and bool(shares_a_piece)


def _band_text(country: Country, band: str, by_piece: Integers) -> str:
    """Build one age band file: titles, the first of them blank, a header, and a blank tail."""
    lines = [
        "",
        '"Population estimates - local authority based by single year of age"',
        '"Invented figures of the demonstration country"',
        '"Gender     :","Total"',
        f'"Age        :","{BAND_TITLES[band]}"',
        "",
        ",".join(
            ['"local authority: county / unitary (as of April 2021)"', '"mnemonic"', *(f'"{y}"' for y in _BAND_YEARS)]
        ),
        "",
    ]
    columns = slice(_BAND_YEARS[0] - FIRST_MID_YEAR, _BAND_YEARS[-1] + 1 - FIRST_MID_YEAR)
    figures = country.children(by_piece)[:, columns]
    for row, authority in enumerate(country.authorities):
        if authority.in_being(_BAND_BOUNDARIES):
            cells = [f'"{authority.name}"', f'"{authority.area_code_on(_BAND_BOUNDARIES)}"', *map(str, figures[row])]
            lines.append(",".join(cells))
    for code, name in FOREIGN_AREAS.items():
        lines.append(",".join([f'"{name}"', f'"{code}"', *[str(FOREIGN_CHILDREN)] * len(_BAND_YEARS)]))
    return LF.join([*lines, "", "", "", ""])
