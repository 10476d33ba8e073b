"""The publisher's statistical neighbours: two editions of ten authorities each that are most alike.

What belongs here: who is nearest to whom, the two layouts, and the row by which an edition is known. What does not: what
makes authorities alike (`exposures`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from pipeline.demonstration.country import Country
from pipeline.demonstration.exposures import POVERTY_YEARS
from pipeline.demonstration.gazetteer import PARTS, REGIONS
from pipeline.demonstration.population import FIRST_MID_YEAR, Floats
from pipeline.demonstration.printing import Row, write_table

ENDED_WORDS = "(Pre LG)"
KNOWN_BY = "102"  # whose ten neighbours tell the edition
_NEIGHBOURS = 10
_CANDIDATES = 3 * _NEIGHBOURS  # of the tree; the nearest among them are taken with ties in the order of the lists
_IN_THE_CAPITAL = 1.2  # how far the capital is from the rest, in standard scores
_DIVIDED_OLD_LISTS = "2018-06-01"  # a day on which those that have ended since were all there
_CLOSENESS_2021 = ((0.10, "Extremely Close"), (0.35, "Very Close"), (0.7, "Close"), (1.1, "Somewhat close"))
_CLOSENESS_2025 = ((0.10, "Extremely close"), (0.35, "Very close"), (0.7, "Close"), (1.1, "Somewhat close"))


@dataclass(frozen=True)
class EditionOfLists:
    """An edition: its name, the day whose authorities it lists, and whether it compares the newer figures."""

    name: str
    day: str
    is_newer: bool


GROUPINGS = EditionOfLists("2021-04", "2021-04-30", is_newer=False)
MODEL = EditionOfLists("2025-05", "2025-05-31", is_newer=True)


def write_neighbour_files(country: Country, folder: Path) -> None:
    """Write both editions."""
    write_table(folder / "Statistical_Neighbour_Groupings_April_2021.csv", _groupings(country), byte_order_mark=True)
    write_table(folder / "sn_model_2025_wide.csv", _model(country), byte_order_mark=True)


def edition_rows(country: Country) -> list[Row]:
    """Build the table by which an edition is known.

    Raises ValueError for a seed whose editions give that authority the same neighbours.
    """
    rows: list[Row] = [("edition", "la_code", "neighbours", "publication", "evidence")]
    for edition in (GROUPINGS, MODEL):
        listed = _in_being(country, edition.day)
        (row,) = (row for row in listed if country.authorities[row].code == KNOWN_BY)
        nearest = _nearest(country, [row], listed, edition)
        codes = " ".join(country.authorities[other].code for other, _ in nearest[row])
        if codes in {line[2] for line in rows}:
            raise ValueError(f"seed {country.seed} gives {KNOWN_BY} the same neighbours in two editions: use another")
        rows.append((edition.name, KNOWN_BY, codes, f"statistical neighbours, {edition.name}", "simulated"))
    return rows


def _groupings(country: Country) -> list[Row]:
    header: list[object] = ["LA num", "LA Name", "LA number", "GOInd", "GOReg"]
    for position in range(1, _NEIGHBOURS + 1):
        header += [f"SN{position}", "SNP"]
    current = _in_being(country, GROUPINGS.day)
    rows: list[Row] = [[*header, ""]]
    nearest = _nearest(country, current, current, GROUPINGS)
    rows += [_grouping(country, row, nearest[row], country.authorities[row].name) for row in current]
    rows += [["", "Old SNs:", *[""] * (len(header) - 1)], [""] * (len(header) + 1)]
    before = _in_being(country, _DIVIDED_OLD_LISTS)
    ended = [row for row in before if not country.authorities[row].in_being(GROUPINGS.day)]
    nearest = _nearest(country, ended, before, GROUPINGS)
    rows += [_grouping(country, row, nearest[row], f"{country.authorities[row].name} {ENDED_WORDS}") for row in ended]
    return rows


def _grouping(country: Country, row: int, nearest: list[tuple[int, float]], name: str) -> Row:
    authority = country.authorities[row]
    cells: list[object] = [authority.code, name, authority.code, *_region(authority.region)]
    for other, distance in nearest:
        cells += [country.authorities[other].code, _closeness(distance, _CLOSENESS_2021, "Not Close")]
    return [*cells, ""]


def _model(country: Country) -> list[Row]:
    """The newer layout; its words carry a blank behind them."""
    header: list[object] = ["old_la_code", "la_name", "region_ind", "region_name"]
    for position in range(1, _NEIGHBOURS + 1):
        header += [f"SN_{position}", f"SN_{position}P"]
    current = _in_being(country, MODEL.day)
    nearest = _nearest(country, current, current, MODEL)
    rows: list[Row] = [header]
    for row in sorted(current, key=lambda row: country.authorities[row].name):
        authority = country.authorities[row]
        cells: list[object] = [authority.code, authority.name, *_region(authority.region)]
        for other, distance in nearest[row]:
            word = _closeness(distance, _CLOSENESS_2025, "Not close")
            cells += [country.authorities[other].code, word if word.startswith("Somewhat") else f"{word} "]
        rows.append(cells)
    return rows


def _in_being(country: Country, day: str) -> list[int]:
    return [row for row, authority in enumerate(country.authorities) if authority.in_being(day)]


def _traits(country: Country, edition: EditionOfLists) -> Floats:
    """Standard scores of low income, of the log of the number of children and of living in the capital."""
    year = 2024 if edition.is_newer else 2015
    children = country.population.rebased[:, year - FIRST_MID_YEAR]
    of_piece = country.exposures.poverty if edition.is_newer else country.exposures.meals
    at = POVERTY_YEARS.index(year) if edition.is_newer else 0
    people = country.children(children)
    share = (country.members @ (children * np.log(of_piece[:, at]))) / people
    parts = {part.code for part in PARTS}
    capital = np.array([authority.region in parts for authority in country.authorities])
    return np.column_stack([_standard(share), _standard(np.log(people)), _IN_THE_CAPITAL * capital])


def _standard(values: Floats) -> Floats:
    scores: Floats = (values - values.mean()) / values.std()
    return scores


def _nearest(
    country: Country, rows: list[int], listed: list[int], edition: EditionOfLists
) -> dict[int, list[tuple[int, float]]]:
    """For each of some rows the ten of those listed that are most like it, nearest first, each with its distance."""
    traits, there = _traits(country, edition), np.array(listed)
    _, close = KDTree(traits[listed]).query(traits[rows], k=min(_CANDIDATES, len(listed)))
    found = {}
    for row, candidates in zip(rows, np.sort(close, axis=1), strict=True):
        others = there[candidates]
        distance = np.sqrt(((traits[others] - traits[row]) ** 2).sum(axis=1))
        order = [at for at in np.argsort(distance, kind="stable") if others[at] != row][:_NEIGHBOURS]
        found[row] = [(int(others[at]), float(distance[at])) for at in order]
    return found


def _closeness(distance: float, words: tuple[tuple[float, str], ...], else_word: str) -> str:
    return next((word for most, word in words if distance <= most), else_word)


def _region(code: str) -> tuple[int, str]:
    regions = (*REGIONS, *PARTS)
    at = next(at for at, region in enumerate(regions) if region.code == code)
    return at + 1, regions[at].name
