"""The small tables that a project compiles about a country's areas and about faults of its publications.

What belongs here: the tables that the demonstration country brings along in place of the project's own, with the same
headers. What does not: published files.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import numpy as np

from pipeline.demonstration import gazetteer, wide_tables
from pipeline.demonstration.country import Country
from pipeline.demonstration.gazetteer import CHANGES, PARTS, REGIONS, TINY_ISLAND, TOO_SMALL, Authority
from pipeline.demonstration.population import FIRST_MID_YEAR
from pipeline.demonstration.printing import Row, write_table

_SIMULATED = "simulated with the demonstration country"
_COMPASS = ("North", "East", "South", "West")
_WEIGHTS_YEAR = 2016
_UNDER_16 = 0.88  # of the children aged 0-17
_LOW_INCOME = (0.10, 0.20)  # lowest and highest share of them
_LOW_INCOME_STREAM = 12  # beside the streams of the simulation itself


def write_reference_tables(country: Country, folder: Path) -> None:
    """Write all of them into one folder."""
    tables = {
        "la_code_changes.csv": _code_changes(),
        "dfe_la_lookup.csv": _lookup(country),
        "lad16_to_county16.csv": _districts(country),
        "split_child_weights_2016.csv": _split_weights(country),
        "regions.csv": _regions(),
        "too_small.csv": _too_small(country),
        "undated_files.csv": _undated_files(country),
        "publisher_corrections.csv": _corrections(country),
    }
    for name, rows in tables.items():
        write_table(folder / name, rows)


def _code_changes() -> list[Row]:
    header = (
        "old_code", "old_name", "new_code", "new_name", "change_type", "effective_date", "old_dfe_code", "new_dfe_code",
        "evidence", "note",
    )  # fmt: skip
    return [header, *(
        (change.old_area, change.old_name, change.new_area, change.new_name, change.kind, change.day, change.old_code,
         change.new_code, _SIMULATED, change.note)
        for change in CHANGES
    )]  # fmt: skip


def _lookup(country: Country) -> list[Row]:
    names = {region.code: region.name for region in (*REGIONS, *PARTS)}
    rows: list[Row] = [
        ("old_la_code", "new_la_code", "la_name", "region_code", "region_name", "code_valid_from", "code_valid_to",
         "seen_in")
    ]  # fmt: skip
    for authority in country.authorities:
        for place, (area_code, first_day) in enumerate(authority.area_codes):
            later = [day for _, day in authority.area_codes[place + 1 :]]
            last_day = _day_before(later[0] if later else authority.ends)
            rows.append(
                (authority.code, area_code, authority.name, authority.region, names[authority.region], first_day,
                 last_day, _SIMULATED)
            )  # fmt: skip
    return rows


def _day_before(day: str | None) -> str:
    return "" if day is None else (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def _districts(country: Country) -> list[Row]:
    """List the districts of the counties of 2016 with the county each lay in."""
    rows: list[Row] = [("lad16cd", "lad16nm", "cty16cd", "evidence", "cty16nm")]
    numbers = count(1)
    for county in country.authorities:
        code = county.area_code_on("2016-04-01")
        if code.startswith("Z10") and county.in_being("2016-04-01"):
            rows += [
                (f"Z07{next(numbers):06d}", district, code, _SIMULATED, county.name) for district in _within(county)
            ]
    return rows


def _within(county: Authority) -> list[str]:
    if county.code in gazetteer.PIECES_OF:
        return [district for piece in county.pieces for district in gazetteer.DISTRICTS_OF_PIECE[piece]]
    return [f"{point} {county.name}" for point in _COMPASS]


def _split_weights(country: Country) -> list[Row]:
    """Give the share of the children of each divided county that went to each of its successors."""
    rng = np.random.default_rng([country.seed, _LOW_INCOME_STREAM])
    children = country.population.rebased[:, _WEIGHTS_YEAR - FIRST_MID_YEAR]
    successor_of = {piece: a for a in country.authorities if a.ends is None for piece in a.pieces}
    rows: list[Row] = [
        ("old_code", "new_code", "child_benefit_u16", "low_income_u16", "districts", "share_of_old_children",
         "pct_low_income_u16_2016")
    ]  # fmt: skip
    for county in country.authorities:
        if county.code not in gazetteer.PIECES_OF or county.ends is None:
            continue
        under_16 = [round(_UNDER_16 * int(children[country.pieces.index(piece)])) for piece in county.pieces]
        for piece, young in zip(county.pieces, under_16, strict=True):
            poor = round(young * rng.uniform(*_LOW_INCOME))
            rows.append(
                (county.area_codes[-1][0], successor_of[piece].area_codes[0][0], young, poor,
                 "; ".join(gazetteer.DISTRICTS_OF_PIECE[piece]), f"{young / sum(under_16):.4f}",
                 f"{100 * poor / young:.2f}")
            )  # fmt: skip
    return rows


def _regions() -> list[Row]:
    header = ("region_code", "region_name", "part_of")
    return [header, *((region.code, region.name, region.part_of) for region in (*REGIONS, *PARTS))]


def _too_small(country: Country) -> list[Row]:
    names = {authority.code: authority.name for authority in country.authorities}
    header = ("la_code", "la_name", "reason")
    return [header, *((code, names[code], why) for code, why in sorted(TOO_SMALL.items()))]


def _undated_files(country: Country) -> list[Row]:
    """Tell the files of ceases that name no year by the country's figure in them, which must differ by year."""
    years = [year for year in wide_tables.WIDE_YEARS if year != wide_tables.DATED_CEASED_YEAR]
    figures = {year: wide_tables.country_cell(country, "ceased", year) for year in years}
    shared = [figure for figure, times in Counter(figures.values()).items() if times > 1]
    if shared:
        raise ValueError(f"seed {country.seed} gives two years the same figure of ceases, {shared[0]}: use another one")
    header = ("layout", "england_value", "reporting_year", "publication", "evidence")
    return [header] + [
        ("cla_2011_2017_ceased", figure, year, wide_tables.publication(year), f"column CLA_cease; {_SIMULATED}")
        for year, figure in figures.items()
    ]


def _corrections(country: Country) -> list[Row]:
    mislabelled = wide_tables.MISLABELLED_YEAR
    stray = wide_tables.ISLAND_ROW_YEAR
    started = wide_tables.country_cell(country, "started", mislabelled)
    if started == wide_tables.country_cell(country, "started", mislabelled - 1):
        raise ValueError(f"seed {country.seed} gives two files with one header the same figure, {started}: use another")
    return [
        ("entry", "layout", "action", "reporting_year", "column", "expect", "value", "reason", "source"),
        (
            f"adm_{mislabelled}_header", "cla_2011_2017_started", "set_reporting_year", mislabelled,
            f"CLA_started{mislabelled - 1}", started, mislabelled,
            "the header names the year before; the figures are of the year of the release", _SIMULATED,
        ),
        (
            f"island_{stray}_blank_level", "cla_2011_2017_looked_after", "drop_row", stray, "geog_l", TINY_ISLAND, "",
            "a row of zeros without a geography level, for an authority that the table leaves out", _SIMULATED,
        ),
    ]  # fmt: skip
