"""Children aged 0-17 by authority: the vintages, and the estimate for mid-years that have no published figure.

What belongs here: which file speaks for a vintage, and adding age bands up. What does not: which vintage a rate or a
window uses (`panel`, `windows`).

The age bands reach to 16. The 17-year-olds of a mid-year are taken to be the 16-year-olds of the year before; on the
years where both exist this is 0.05% too low on average and 0.6% off at most, but for the two smallest authorities.
"""

from __future__ import annotations

import datetime as dt

import pandas as pd

from pipeline import coverage
from pipeline.errors import Refusal
from pipeline.geography import Areas
from pipeline.readers.layout import AUTHORITY, ENGLAND
from pipeline.tables import core_tables
from pipeline.tables.frames import conform

AGE_BAND_ESTIMATE = "age_band_estimate"
_DFE_LAYOUT, _BANDS_LAYOUT = "population_dfe", "population_age_bands"
_BANDS_0_16 = ("0-4", "5-9", "10-14", "15", "16")
_BAND_16 = "16"
_MID_YEAR = (6, 30)  # the day of the estimates
# England is rounded to 10 in the files before the census of 2021, and exact after it.
_ROUNDING = 5


def boundaries_day(edition: int) -> dt.date:
    """The day whose boundaries the age-band extract of an edition is on: counties and unitaries as of April."""
    return dt.date(edition, 4, 1)


def authorities(tidy: pd.DataFrame, areas: Areas) -> pd.DataFrame:
    """`core.population`: published vintages, and estimates where all age bands are there.

    Raises Refusal for a file without an authority in being, and for one whose authorities do not add up to England.
    """
    published = _newest_editions(tidy.loc[tidy["layout"] == _DFE_LAYOUT])
    _refuse_another_sum(published)
    published = published.loc[published["area_level"] == AUTHORITY]
    for year, rows in published.groupby("year"):
        _refuse_missing_authorities(rows, areas, dt.date(int(year) - 1, *_MID_YEAR))
    published = published.rename(
        columns={"area_code": "la_code", "part": "vintage", "release": "edition", "value": "population_0_17"}
    )
    published = published.assign(mid_year=published["year"] - 1, is_estimated=False)
    estimated = _estimates(tidy.loc[tidy["layout"] == _BANDS_LAYOUT], areas)
    return conform(pd.concat([published, estimated], ignore_index=True), core_tables.POPULATION)


def totals(tidy: pd.DataFrame) -> pd.DataFrame:
    """`core.population_totals`: the England and region rows of the published vintages."""
    rows = _newest_editions(tidy.loc[tidy["layout"] == _DFE_LAYOUT])
    rows = rows.loc[rows["area_level"] != AUTHORITY].rename(columns={"part": "vintage", "value": "population_0_17"})
    return conform(rows.assign(mid_year=rows["year"] - 1), core_tables.POPULATION_TOTALS)


def _newest_editions(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each vintage, the file that reaches to the newest mid-year."""
    newest = rows.groupby("part")["release"].transform("max")
    return rows.loc[rows["release"] == newest]


def _estimates(bands: pd.DataFrame, areas: Areas) -> pd.DataFrame:
    """Ages 0-16 of a mid-year plus the 16-year-olds of the mid-year before, by authority; empty without all bands."""
    if set(bands["part"]) != set(_BANDS_0_16):
        return pd.DataFrame(columns=core_tables.POPULATION.column_names)
    edition = int(bands["release"].iloc[0])
    _refuse_missing_authorities(bands, areas, boundaries_day(edition))
    coverage.refuse_other_mid_years(bands)
    keys = ["la_code", "mid_year"]
    bands = bands.rename(columns={"area_code": "la_code", "year": "mid_year"})
    ages_0_16 = bands.groupby(keys)["value"].sum(min_count=len(_BANDS_0_16))
    ages_16 = bands.loc[bands["part"] == _BAND_16].set_index(keys)["value"]
    year_before = ages_16.rename(index=lambda year: year + 1, level="mid_year")
    children = (ages_0_16 + year_before).dropna().astype("Int64")
    estimates = children.rename("population_0_17").reset_index()
    ons_codes = bands.drop_duplicates("la_code").set_index("la_code")["ons_code"]
    return estimates.assign(
        ons_code=estimates["la_code"].map(ons_codes),
        year=estimates["mid_year"] + 1,
        vintage=AGE_BAND_ESTIMATE,
        edition=edition,
        marker=None,
        is_estimated=True,
        source_sha256=" ".join(sorted(set(bands["source_sha256"]))),
    )


def _refuse_missing_authorities(cells: pd.DataFrame, areas: Areas, day: dt.date) -> None:
    for file, rows in cells.groupby("source_file"):
        coverage.refuse_missing(set(rows["area_code"]), areas, day, str(file))


def _refuse_another_sum(published: pd.DataFrame) -> None:
    """The authorities of a year add up to England. Where one has a marker, they can only be fewer children."""
    for (file, year), rows in published.groupby(["source_file", "year"]):
        england = rows.loc[rows["area_level"] == ENGLAND, "value"].dropna()
        own = rows.loc[rows["area_level"] == AUTHORITY, "value"]
        if england.empty:
            continue
        gap = int(own.sum()) - int(england.iloc[0])
        if gap > _ROUNDING or (gap < -_ROUNDING and own.notna().all()):
            raise Refusal(
                "sum_differs",
                f"for mid-{int(year) - 1} the authorities have {abs(gap):,} children {'more' if gap > 0 else 'fewer'} than "
                f"the row of England, which has {int(england.iloc[0]):,}",
                file=str(file),
                remedy="use the file as published",
            )
