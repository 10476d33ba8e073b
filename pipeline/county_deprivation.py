"""Figures of counties that were published by district: sums, means and shares put together from the lower tier.

What belongs here: the three ways in which a county gets a figure from those of its districts (counts added up, scores
weighted by children, shares from counts and shares), and the refusal of a district that is missing. What does not: which
figures are published by authority, and the published tables (`deprivation`).

All or none: a figure of some of the districts would stand for the whole county, and nobody would see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from pipeline import coverage
from pipeline.errors import Refusal
from pipeline.readers.layout import AUTHORITY, DISTRICT
from pipeline.reference_tables import ReferenceTable

_AGES_0_15 = ("population_0-4", "population_5-9", "population_10-14", "population_15")


# ---------------------------------------------------------------------------------------------------------------------
# Counts: HMRC's local measure


def county_of_districts(table: ReferenceTable, la_code_of_ons_code: Mapping[str, str]) -> dict[str, str]:
    """DfE code of the county by ONS code of the district, from the compiled table of districts and counties.

    Raises Refusal for a county that is no local authority.
    """
    counties = {}
    for row in table.frame.itertuples():
        if row.cty16cd not in la_code_of_ons_code:
            raise table.bad_cell(row, "cty16cd", "the county is not in the lookup of local authorities")
        counties[str(row.lad16cd)] = la_code_of_ons_code[str(row.cty16cd)]
    return counties


def sums_of_districts(districts: pd.DataFrame, county_of_district: Mapping[str, str]) -> pd.DataFrame:
    """One row a county and year: numerator and denominator added up, all or none, and the share they make in per cent.

    Raises Refusal for a district that the table does not know or the file leaves out.
    """
    counties = districts["area_code"].map(county_of_district)
    if counties.isna().any():
        first = districts.loc[counties.isna()].iloc[0]
        raise Refusal(
            "unknown_area",
            "the district is not in the table of districts and counties",
            file=first["source_file"],
            row=int(first["source_row"]),
            value=first["area_code"],
            remedy="use the file as published, or add the district to lad16_to_county16.csv",
        )
    records = []
    for (county, year), members in districts.groupby([counties, "year"]):
        wanted = {district for district, of in county_of_district.items() if of == county}
        lost = sorted(wanted - set(members["area_code"]))
        if lost:
            raise Refusal(
                "missing_row",
                f"there is no row for the district {lost[0]}, without which its county cannot be added up",
                file=members["source_file"].iloc[0],
                remedy="use the file as published",
            )
        low, children = (members[name].sum(min_count=len(members)) for name in ("numerator", "denominator"))
        is_whole = pd.notna(low) and pd.notna(children)
        records.append(
            {
                **members.iloc[0].to_dict(),
                "area_level": AUTHORITY,
                "area_code": county,
                "ons_code": None,
                "year": year,
                "numerator": low,
                "denominator": children,
                "value": 100 * low / children if is_whole else None,
                "marker": None if is_whole else members["marker"].dropna().iloc[0],
                "is_derived": True,
                "source_row": None,
            }
        )
    return pd.DataFrame(records, columns=[*districts.columns, "is_derived"])


# ---------------------------------------------------------------------------------------------------------------------
# Scores: the index


def means_of_districts(
    districts: pd.DataFrame, wanted: Iterable[str], lookup: pd.DataFrame, population: pd.DataFrame
) -> pd.DataFrame:
    """One row each of the `wanted` authorities: the mean of its districts' scores, weighted by children aged 0-15.

    `districts` are the scores of one edition, `lookup` and `population` the publications of districts, either of which may
    be empty: there is then no value. Raises Refusal where one of them, or the edition itself, lacks a district of the
    others.
    """
    children, weights_sha256 = _children_of_districts(population)
    lookup = _newest(lookup)
    districts_of = _districts_of(lookup)
    scores = districts.set_index("area_code")["value"]
    scored, counted, first = set(scores.index), set(children.index), districts.iloc[0].to_dict()
    _refuse_unlisted_districts(districts, lookup)
    files = {*districts["source_sha256"], *lookup["source_sha256"], *weights_sha256}
    records = []
    for code in wanted:
        members = sorted(districts_of.get(code, ()))
        _refuse_lost_districts(members, scored, code, first["source_file"])
        if not children.empty:
            people = str(population["source_file"].iloc[0])
            _refuse_lost_districts(members, counted, code, f"{people} or one of the other age bands")
        is_whole = bool(members) and all(member in scored and member in counted for member in members)
        weight = children.reindex(members)
        records.append(
            {
                **first,
                "area_level": AUTHORITY,
                "area_code": code,
                "ons_code": None,
                "value": float((scores[members] * weight).sum() / weight.sum()) if is_whole else None,
                "marker": None,
                "is_derived": True,
                "source_sha256": " ".join(sorted(files)),
                "source_row": None,
            }
        )
    return pd.DataFrame(records, columns=[*districts.columns, "is_derived"])


def _refuse_unlisted_districts(districts: pd.DataFrame, lookup: pd.DataFrame) -> None:
    """A district that the lookup leaves out would be missing from its county's mean, and nobody would see it."""
    if lookup.empty:
        return
    missing = sorted(set(districts["area_code"]) - set(lookup["district_code"]))
    if missing:
        raise Refusal(
            "missing_row",
            f"there is no row for the district {missing[0]}, which has a score of its own: the lookup may have been cut "
            "short",
            file=str(lookup["source_file"].iloc[0]),
            remedy="use the file as published, or a lookup of the year of the scores",
        )


def _refuse_lost_districts(members: list[str], there: set[str], county: str, file: str) -> None:
    """All districts of an authority, or a mean of the rest would stand for the whole."""
    missing = [member for member in members if member not in there]
    if missing:
        raise Refusal(
            "missing_row",
            f"there is no row for {missing[0]}, without which the authority {county} cannot be put together",
            file=file,
            remedy="use the file as published",
        )


def _children_of_districts(population: pd.DataFrame) -> tuple[pd.Series, set[str]]:
    """Children aged 0-15 by ONS code at the newest mid-year that has all bands, and the files they are from."""
    newest = _newest(population)
    coverage.refuse_other_mid_years(newest)
    bands = newest.loc[newest["measure"].isin(_AGES_0_15) & (newest["year"] == newest["year"].max())]
    children = bands.groupby("ons_code")["value"].sum(min_count=len(_AGES_0_15)).dropna()
    return children, set(bands["source_sha256"])


# ---------------------------------------------------------------------------------------------------------------------
# Shares: the department's workbook of low income


def shares_of_districts(
    rows: pd.DataFrame, published: set[str], lookup: pd.DataFrame, in_being: Mapping[int, Iterable[str]]
) -> pd.DataFrame:
    """One row a year for every authority in being, or put together from districts, that one workbook has no row for.

    `rows` are its shares in per cent with the column `children`, `published` the authorities it has, `in_being` those there
    are by year. A share is missing where a district's is, or where no lookup says which districts there are.
    """
    lookup = _newest(lookup)
    districts_of = _districts_of(lookup)
    districts = rows.loc[rows["area_level"] == DISTRICT].set_index(["area_code", "year"])
    there = set(districts.index.get_level_values(0))
    files = " ".join(sorted({*rows["source_sha256"], *lookup["source_sha256"]}))
    put_together = {code for code, members in districts_of.items() if members & there}
    records = []
    for year in sorted(rows["year"].unique()):
        for code in sorted({*in_being[int(year)], *put_together} - published):
            wanted = [(district, year) for district in sorted(districts_of.get(code, ()))]
            own = districts.reindex(wanted)
            records.append(
                {
                    **rows.iloc[0].to_dict(),
                    "area_level": AUTHORITY,
                    "area_code": code,
                    "ons_code": None,
                    "year": year,
                    "value": _share_of_all(own["children"], own["value"]),
                    # Where several have a symbol, one of them says why the whole has no number.
                    "marker": next(iter(own["marker"].dropna()), None),
                    "is_derived": True,
                    "source_sha256": files,
                    "source_row": None,
                }
            )
    types = rows.dtypes.to_dict() | {"source_sha256": "string"}  # the files of a county are none of those of one row
    return pd.DataFrame(records, columns=[*rows.columns, "is_derived"]).astype(types)


def _share_of_all(children: pd.Series, shares_pct: pd.Series) -> float | None:
    """Per cent of all children of some districts, from their counts and shares; None where one of them has no number."""
    if children.empty or children.isna().any() or shares_pct.isna().any() or (shares_pct == 0).any():
        return None
    return float(100 * children.sum() / (100 * children / shares_pct).sum())


# ---------------------------------------------------------------------------------------------------------------------
# Districts


def _newest(publication: pd.DataFrame) -> pd.DataFrame:
    return publication.loc[publication["release"] == publication["release"].max()]


def _districts_of(lookup: pd.DataFrame) -> dict[str, set[str]]:
    """ONS codes of the lower tier by DfE code; a single-tier authority has itself."""
    return {str(code): set(group) for code, group in lookup.groupby("la_code")["district_code"]}
