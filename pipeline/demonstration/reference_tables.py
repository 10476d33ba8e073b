"""The small tables that a project compiles about a country's areas and about faults of its publications.

What belongs here: the tables that the demonstration country brings along in place of the project's own, with the same
headers. What does not: published files.
"""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from pipeline.demonstration import (
    gazetteer,
    interactive_tool,
    low_income,
    neighbour_files,
    ofsted_workbooks,
    spending_workbooks,
    wide_tables,
)
from pipeline.demonstration.country import Country
from pipeline.demonstration.districts import COUNTIES_OF, District
from pipeline.demonstration.exposures import LOW_INCOME_YEARS
from pipeline.demonstration.gazetteer import CHANGES, PARTS, REGIONS, TINY_ISLAND, TOO_SMALL
from pipeline.demonstration.inspections import Report
from pipeline.demonstration.printing import Row, nearest, write_table
from pipeline.demonstration.programmes import programme_rows

_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
_SEED_DEGREES = 0.16
_SIMULATED = "simulated with the demonstration country"


def write_reference_tables(country: Country, districts: list[District], reports: list[Report], folder: Path) -> None:
    """Write all of them into one folder. ValueError for a seed by which two files could not be told apart."""
    tables = {
        "la_code_changes.csv": _code_changes(),
        "dfe_la_lookup.csv": _lookup(country),
        "lad16_to_county16.csv": _districts(districts),
        "split_child_weights_2016.csv": _split_weights(country, districts),
        "regions.csv": _regions(),
        "too_small.csv": _too_small(country),
        "la_locations.csv": _locations(country),
        "undated_files.csv": _undated_files(country),
        "publisher_corrections.csv": _corrections(country, reports),
        "la_name_spellings.csv": _spellings(country),
        "neighbour_editions.csv": neighbour_files.edition_rows(country),
        "innovation_programme.csv": programme_rows(country),
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


def _districts(districts: list[District]) -> list[Row]:
    """List the districts of the counties of 2016 with the county each lay in."""
    rows: list[Row] = [("lad16cd", "lad16nm", "cty16cd", "evidence", "cty16nm")]
    return rows + [
        (district.code, district.name, district.county.area_code_on(COUNTIES_OF), _SIMULATED, district.county.name)
        for district in districts
    ]


def _split_weights(country: Country, districts: list[District]) -> list[Row]:
    """Give the share of the children of each divided county that went to each of its successors."""
    figures = low_income.by_district(country, districts)
    successor_of = {piece: a for a in country.authorities if a.ends is None for piece in a.pieces}
    rows: list[Row] = [
        ("old_code", "new_code", "child_benefit_u16", "low_income_u16", "districts", "share_of_old_children",
         "pct_low_income_u16_2016")
    ]  # fmt: skip
    for county in country.authorities:
        if county.code not in gazetteer.PIECES_OF or county.ends is None:
            continue
        members = {piece: [one for one in districts if one.piece == piece] for piece in county.pieces}
        young = {piece: sum(nearest(figures[one.code][0], 5) for one in own) for piece, own in members.items()}
        for piece, own in members.items():
            poor = sum(nearest(figures[one.code][1], 5) for one in own)
            rows.append(
                (county.area_codes[-1][0], successor_of[piece].area_codes[0][0], young[piece], poor,
                 "; ".join(one.name for one in own), f"{young[piece] / sum(young.values()):.4f}",
                 f"{100 * poor / young[piece]:.2f}")
            )  # fmt: skip
    return rows


def _regions() -> list[Row]:
    header = ("region_code", "region_name", "part_of")
    return [header, *((region.code, region.name, region.part_of) for region in (*REGIONS, *PARTS))]


def _too_small(country: Country) -> list[Row]:
    names = {authority.code: authority.name for authority in country.authorities}
    header = ("la_code", "la_name", "reason")
    return [header, *((code, names[code], why) for code, why in sorted(TOO_SMALL.items()))]


def _locations(country: Country) -> list[Row]:
    """Give every authority a point; those of a region lie evenly around its middle, as seeds do in a sunflower."""
    whole = {part.code: part.part_of for part in PARTS}
    placed: Counter[str] = Counter()
    rows: list[Row] = [("la_code", "ons_code", "la_name", "latitude", "longitude")]
    for authority in country.authorities:
        region = whole.get(authority.region, authority.region)
        latitude, longitude = gazetteer.REGION_CENTRES[region]
        angle, distance = placed[region] * _GOLDEN_ANGLE, _SEED_DEGREES * math.sqrt(placed[region])
        rows.append(
            (
                authority.code, authority.area_codes[-1][0], authority.name,
                f"{latitude + distance * math.sin(angle):.2f}", f"{longitude + 1.4 * distance * math.cos(angle):.2f}",
            )
        )  # fmt: skip
        placed[region] += 1
    return rows


def _undated_files(country: Country) -> list[Row]:
    """Tell the files of ceases that name no year by the country's figure in them, which must differ by year."""
    years = [year for year in wide_tables.WIDE_YEARS if year != wide_tables.DATED_CEASED_YEAR]
    figures = {year: wide_tables.country_cell(country, "ceased", year) for year in years}
    shared = [figure for figure, times in Counter(figures.values()).items() if times > 1]
    if shared:
        raise ValueError(f"seed {country.seed} gives two years the same figure of ceases, {shared[0]}: use another one")
    header = ("layout", "england_value", "reporting_year", "publication", "evidence")
    rows: list[Row] = [header]
    rows += [
        ("cla_2011_2017_ceased", figure, year, wide_tables.publication(year), f"column CLA_cease; {_SIMULATED}")
        for year, figure in figures.items()
    ]
    rows += [
        ("hmrc_low_income", low_income.country_figure(country, year), year, f"low income {year}", _SIMULATED)
        for year in LOW_INCOME_YEARS
    ]
    year = spending_workbooks.UNDATED_YEAR
    rows.append(("spending_s251", spending_workbooks.undated_figure(country), year, f"section 251 {year}", _SIMULATED))
    return rows


def _spellings(country: Country) -> list[Row]:
    """List the spellings that the rule for names does not catch: a suffix, a footnote and a slip."""
    ended = [authority for authority in country.authorities if authority.ends is not None]
    before_2020 = [authority for authority in ended if str(authority.ends) < "2020"]
    code_of = {authority.name: authority.code for authority in country.authorities}
    return [
        ("spelling", "la_code", "seen_in"),
        *((f"{one.name} {neighbour_files.ENDED_WORDS}", one.code, "interactive tool; neighbours of 2021") for one in ended),
        *((f"{one.name} {spending_workbooks.ENDED_WORDS}", one.code, "section 251, 2019") for one in before_2020),
        *((wrong, code_of[right], "low income 2015") for right, wrong in low_income.MISSPELT.items()),
        (low_income.FOOTNOTED, TINY_ISLAND, "low income 2012 to 2014, with the number of a footnote"),
    ]  # fmt: skip


def _corrections(country: Country, reports: list[Report]) -> list[Row]:
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
        *_figures_that_are_none(),
        _misdated_report(reports),
    ]  # fmt: skip


def _figures_that_are_none() -> list[Row]:
    """Zeros that stand where a figure is suppressed or was not filled in."""
    code, year = interactive_tool.NOT_FILLED_IN
    first, second = low_income.SUPPRESSED_YEARS
    suppressed = "a 0 where the figure is suppressed to prevent disclosure"
    cells = [(first, "low_income_share_u16"), (first, "low_income_u16"), (second, "low_income_u16")]
    return [
        (
            f"poverty_{year}_not_filled_in", "interactive_tool", "set_missing", interactive_tool.EDITIONS[0],
            "child_poverty", f"{code} {year} 0", interactive_tool.MARKER, "a 0 where nothing was filled in", _SIMULATED,
        ),
        *(
            (
                f"island_{measure}_{of}", "hmrc_low_income", "set_missing", of, measure, f"{TINY_ISLAND} {of} 0",
                low_income.MARKER, suppressed, _SIMULATED,
            )
            for of, measure in cells
        ),
    ]  # fmt: skip


def _misdated_report(reports: list[Report]) -> Row:
    report, wrong = ofsted_workbooks.misdated(reports)
    return (
        f"report_of_{report.authority.code}_misdated", "ofsted_history", "set_date", ofsted_workbooks.RELEASE_2023,
        ofsted_workbooks.SECOND_ILACS_DATE, f"{report.authority.code} {wrong.isoformat()}", report.published.isoformat(),
        "the workbook gives a day two months after the report's", _SIMULATED,
    )  # fmt: skip
