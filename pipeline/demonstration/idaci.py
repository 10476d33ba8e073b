"""The index of income deprivation affecting children: two workbooks by authority, and the edition that is by district.

What belongs here: the sheets of the workbooks of 2015 and 2019, the long table of 2025, and the lookup and the populations
by district that the latter needs. What does not: the scores (`exposures`) and the districts (`districts`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.demonstration.country import Country
from pipeline.demonstration.districts import District, by_county, divided
from pipeline.demonstration.exposures import INDEX_EDITIONS
from pipeline.demonstration.population import FIRST_MID_YEAR, Floats
from pipeline.demonstration.population_files import BAND_TITLES, FOREIGN_AREAS, FOREIGN_CHILDREN
from pipeline.demonstration.printing import LF, Row, write_table, write_text
from pipeline.demonstration.workbooks import Cell, write_workbook

_FILES = {
    2015: "File_11_ID_2015_Upper-tier_Local_Authority_Summaries.xlsx",
    2019: "File_11_-_IoD2019_Local_Authority_District_Summaries__upper-tier__.xlsx",
}
_CODES_OF = {2015: 2013, 2019: 2019, 2025: 2024}  # year of the area codes, and of the authorities, on 1 April
_SMALL_AREAS = 32_844  # of which an average position is one
_LONG_TABLE = "iod2025_lad_summaries_reshaped.csv"
_LONG_COLUMNS = (
    "area_code", "area_name", "area_type", "deprivation_data_year", "index_domain", "average_rank",
    "rank_average_rank", "average_score", "rank_average_score", "proportion_bottom_decile",
    "rank_proportion_bottom_decile",
)  # fmt: skip
_DOMAINS = {  # as a share of the score of children, which is the one that is read
    "Index of Multiple Deprivation": 0.7, "Income": 0.6, "Income Deprivation Affecting Children": 1.0,
}  # fmt: skip
_LOOKUP = "LTLA-UTLA_Apr23_Lookup.csv"
_LOOKUP_DAY, _POPULATION_DAY, _POPULATION_YEAR = "2023-04-01", "2021-04-01", 2021


def write_idaci_files(country: Country, districts: list[District], folder: Path) -> None:
    """Write the workbooks, the long table and what goes with it."""
    for edition, name in _FILES.items():
        write_workbook(folder / "iod" / name, _sheets(country, edition))
    write_table(folder / "iod" / _LONG_TABLE, _long_rows(country, districts))
    write_table(folder / "districts" / _LOOKUP, _lookup_rows(country, districts), byte_order_mark=True)
    for band, title in BAND_TITLES.items():
        write_text(folder / "districts" / f"pop-{band}.csv", _population_text(country, districts, band, title))


def _scores(country: Country, edition: int) -> Floats:
    """Scores of all authorities as fractions: the mean over their pieces, weighted by children."""
    children = country.population.rebased[:, min(edition, 2024) - FIRST_MID_YEAR]
    score = country.exposures.index[:, INDEX_EDITIONS.index(edition)]
    means: Floats = (country.members @ (children * score)) / country.children(children) / 100
    return means


def _sheets(country: Country, edition: int) -> dict[str, list[list[Cell]]]:
    day = f"{_CODES_OF[edition]}-04-01"
    scores = _scores(country, edition)
    rows = [row for row, authority in enumerate(country.authorities) if authority.in_being(day)]
    rows.sort(key=lambda row: country.authorities[row].area_code_on(day))
    sheets: dict[str, list[list[Cell]]] = {"Notes": []}
    long_name = "Income Deprivation Affecting Children Index (IDACI)" if edition == 2015 else "IDACI"
    for sheet, name, factor in (("IMD", "IMD", 90.0), ("IDACI", long_name, 1.0), ("IDAOPI", "IDAOPI", 0.8)):
        own = scores[rows] * factor
        lines: list[list[Cell]] = [
            [country.authorities[row].area_code_on(day), country.authorities[row].name,
             round(_SMALL_AREAS * (1 - place / len(rows)), 2), place, round(float(score), 3), place,
             round(float(score) / (2.5 * factor), 4), place]
            for row, score, place in zip(rows, own, _places(own), strict=True)
        ]  # fmt: skip
        sheets[sheet] = [_header(name, edition), *lines]
    return sheets


def _header(name: str, edition: int) -> list[Cell]:
    """The headings of 2019 end in a blank, and one has two in a row."""
    end, proportion = (" ", "Proportion ") if edition == 2019 else ("", "Proportion")
    codes = _CODES_OF[edition]
    return [
        f"Upper Tier Local Authority District code ({codes})",
        f"Upper Tier Local Authority District name ({codes})",
        *(
            f"{name} - {words}{end}"
            for words in (
                "Average rank", "Rank of average rank", "Average score", "Rank of average score",
                f"{proportion} of LSOAs in most deprived 10% nationally",
                "Rank of proportion of LSOAs in most deprived 10% nationally",
            )
        ),
    ]  # fmt: skip


def _places(scores: Floats) -> list[int]:
    """Position of each score, 1 for the largest; equal ones in the order of the sheet."""
    return [int(place) for place in np.argsort(np.argsort(-scores, kind="stable"), kind="stable") + 1]


def _long_rows(country: Country, districts: list[District]) -> list[Row]:
    """Districts, and the authorities that have none, on the boundaries of 2024."""
    day = f"{_CODES_OF[2025]}-04-01"
    scores = _scores(country, 2025)
    areas: list[tuple[str, str, float]] = []
    below = by_county(districts)
    for row, authority in enumerate(country.authorities):
        if authority.in_being(day):
            code = authority.area_code_on(day)
            if code.startswith("Z10"):
                own = below.get(authority.code, [])
                areas += [(one.code, one.name, min(float(scores[row]) * one.relative, 0.95)) for one in own]
            else:
                areas.append((code, authority.name, float(scores[row])))
    areas.sort()
    rows: list[Row] = [_LONG_COLUMNS]
    for domain, factor in _DOMAINS.items():
        own_scores = np.array([score * factor for _, _, score in areas])
        for (code, name, _), score, place in zip(areas, own_scores, _places(own_scores), strict=True):
            average = f"{_SMALL_AREAS * (1 - place / len(areas)):.2f}"
            rows.append((code, name, "Local Authority District (2024)", 2025, domain, average, place, f"{score:.3f}",
                         place, f"{score / 2.5:.4f}", place))  # fmt: skip
    return rows


def _lookup_rows(country: Country, districts: list[District]) -> list[Row]:
    pairs: list[tuple[str, str, str, str]] = []
    below = by_county(districts)
    for authority in country.authorities:
        if authority.in_being(_LOOKUP_DAY):
            code = authority.area_code_on(_LOOKUP_DAY)
            own = [(district.code, district.name) for district in below.get(authority.code, [])]
            lower = own if code.startswith("Z10") else [(code, authority.name)]
            pairs += [(*area, code, authority.name) for area in lower]
    pairs += [(code, name, code, name) for code, name in FOREIGN_AREAS.items()]
    rows: list[Row] = [("LTLA23CD", "LTLA23NM", "LTLA23NMW", "UTLA23CD", "UTLA23NM", "UTLA23NMW", "ObjectId")]
    rows += [
        (code, name, "", above, above_name, "", number)
        for number, (code, name, above, above_name) in enumerate(sorted(pairs), start=1)
    ]
    return rows


def _population_text(country: Country, districts: list[District], band: str, title: str) -> str:
    """Build the extract of one age band by district: titles, the first of them blank, a header, and a blank tail."""
    children = country.population.bands[band][:, _POPULATION_YEAR - FIRST_MID_YEAR]
    of_authority, below = country.children(children), by_county(districts)
    at = {piece: column for column, piece in enumerate(country.pieces)}
    figures: list[tuple[str, str, int]] = []
    for row, authority in enumerate(country.authorities):
        if authority.in_being(_POPULATION_DAY):
            code = authority.area_code_on(_POPULATION_DAY)
            if not code.startswith("Z10"):
                figures.append((authority.name, code, int(of_authority[row])))
                continue
            for piece in authority.pieces:
                own = [district for district in below.get(authority.code, []) if district.piece == piece]
                total = int(children[at[piece]])
                parts = divided(total, [district.share for district in own])
                figures += [(one.name, one.code, part) for one, part in zip(own, parts, strict=True)]
    figures += [(name, code, FOREIGN_CHILDREN) for code, name in FOREIGN_AREAS.items()]
    lines = [
        "",
        '"Population estimates - local authority based by single year of age"',
        '"Invented figures of the demonstration country"',
        '"Gender     :","Total"',
        f'"Age        :","{title}"',
        "",
        f'"local authority: district / unitary (as of April {_POPULATION_YEAR})","mnemonic","{_POPULATION_YEAR}"',
        "",
        *(f'"{name}","{code}",{number}' for name, code, number in figures),
    ]
    return LF.join([*lines, "", "", "", ""])
