"""The districts below the counties, and their part in what a county has.

What belongs here: districts, their codes, and how the children and the poor children of a county divide among them. What
does not: the files that publish by district.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import count

import numpy as np

from pipeline.demonstration import gazetteer
from pipeline.demonstration.country import Country
from pipeline.demonstration.gazetteer import Authority

COUNTIES_OF = "2016-04-01"
_COMPASS = ("North", "East", "South", "West")
_STREAM = 12
_SIZE_SPREAD, _POOR_SPREAD = 0.30, 0.25  # of the logs, between the districts of one piece


@dataclass(frozen=True)
class District:
    """One district of 2016. Of the children of its piece it has `share`, and they are `relative` times as often poor."""

    code: str
    name: str
    county: Authority
    piece: str
    share: float
    relative: float


def districts(country: Country) -> list[District]:
    """All districts, county by county. The shares of a piece add up to 1, the poor children to those of the piece."""
    rng = np.random.default_rng([country.seed, _STREAM])
    numbers = count(1)
    found = []
    for county in country.authorities:
        if county.area_code_on(COUNTIES_OF).startswith("Z10") and county.in_being(COUNTIES_OF):
            for piece in county.pieces:
                names = _names(county, piece)
                share = np.exp(_SIZE_SPREAD * rng.standard_normal(len(names)))
                share /= share.sum()
                relative = np.exp(_POOR_SPREAD * rng.standard_normal(len(names)))
                relative /= share @ relative
                found += [
                    District(f"Z07{next(numbers):06d}", name, county, piece, float(own), float(often))
                    for name, own, often in zip(names, share, relative, strict=True)
                ]
    return found


def by_county(all_districts: list[District]) -> dict[str, list[District]]:
    """The districts of each county, by the county's code; an authority without districts has none."""
    found: dict[str, list[District]] = defaultdict(list)
    for district in all_districts:
        found[district.county.code].append(district)
    return found


def by_piece(all_districts: list[District]) -> dict[str, list[District]]:
    """The districts of each piece that has some."""
    found: dict[str, list[District]] = defaultdict(list)
    for district in all_districts:
        found[district.piece].append(district)
    return found


def divided(total: int, shares: list[float]) -> list[int]:
    """Divide children among districts by shares that add up to 1, whole and without a rest."""
    ends = np.floor(np.cumsum(shares) * total + 0.5).astype(int)
    ends[-1] = total
    return [int(part) for part in np.diff(ends, prepend=0)]


def _names(county: Authority, piece: str) -> list[str]:
    if county.code in gazetteer.PIECES_OF:
        return list(gazetteer.DISTRICTS_OF_PIECE[piece])
    return [f"{point} {county.name}" for point in _COMPASS]
