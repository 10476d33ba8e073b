"""The areas a table has rows for: the country, its regions, its authorities, in the order of each layout.

What belongs here: order, sums over areas, and which authorities a region holds. What does not: columns and figures.
"""

from __future__ import annotations

from pipeline.demonstration import gazetteer
from pipeline.demonstration.country import Country
from pipeline.demonstration.gazetteer import PARTS, REGIONS, Region
from pipeline.demonstration.population import Integers


def members(country: Country, rows: list[int], region: Region) -> list[int]:
    """Keep the authorities that lie in a region or in a part of one."""
    return [
        row
        for row in rows
        if region.code in (country.authorities[row].region, gazetteer.whole_region(country.authorities[row].region))
    ]


def total(values: Integers, rows: list[int]) -> int:
    """Sum over authorities, as a plain number."""
    return int(values[rows].sum())


def with_parts_inside() -> tuple[Region, ...]:
    """Regions in the order of the wide tables: the parts follow the region they divide."""
    ordered: list[Region] = []
    for region in REGIONS:
        ordered += [region, *(part for part in PARTS if part.part_of == region.code)]
    return tuple(ordered)


def with_parts_last() -> tuple[Region, ...]:
    """Regions in the order of the long tables and of the populations: by code."""
    return (*REGIONS, *PARTS)
