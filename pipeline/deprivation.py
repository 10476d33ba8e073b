"""Child deprivation by authority: four measures on their own bases, and which of them a window may use.

What belongs here: shaping what the readers found into `core.deprivation` (which file speaks for a measure, the basis of an
edition), and the rules of methods.md B8 and D3 by which a unit of a window gets one value. What does not: reading files
(`readers`), putting a county together from its districts (`county_deprivation`) and the table of exposures.

The measures cannot be joined. HMRC counts families by benefit rules that changed, the CiLIF estimates are calibrated to a
survey and were put on a new basis, the index orders areas within one edition, and free school meals have rules of their
own. A basis names the series within which values may be compared; a change is taken within one basis, or not at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from pipeline import county_deprivation
from pipeline.errors import Refusal
from pipeline.geography import Areas, Unit
from pipeline.readers import hmrc_low_income, idaci, low_income_families
from pipeline.readers.layout import AUTHORITY, DISTRICT, ENGLAND
from pipeline.reasons import BOUNDARY_CHANGE, NOT_AVAILABLE, SUPPRESSED
from pipeline.reference_tables import ReferenceTable
from pipeline.tables import covariate_tables
from pipeline.tables.frames import conform
from pipeline.windows import STUDY, Window

HMRC, CILIF = "hmrc_low_income_u16", "cilif_relative_low_income_u16"
IDACI, FREE_MEALS = "idaci", "free_school_meals_primary"

HMRC_LOCAL = "hmrc_local_measure"
CILIF_TO_2024, CILIF_FROM_2022 = low_income_families.TO_2024, low_income_families.FROM_2022
SCHOOL_CENSUS = "school_census"
# The measures as a sentence says them.
WORDS = {
    HMRC: "HMRC's local measure of children under 16",
    CILIF: "relative low income before housing costs, children under 16",
    IDACI: "the income deprivation affecting children index",
    FREE_MEALS: "free school meals in primary schools",
}
# Financial years ending that a basis covers; None: still published.
CILIF_YEARS = low_income_families.SERIES
_FIRST_FREE_MEALS = 2016

UNITS = {
    HMRC: "per cent of children under 16 in families with Child Benefit",
    CILIF: "per cent of children under 16",
    IDACI: "per cent of children aged 0-15",
    FREE_MEALS: "per cent of primary school pupils",
}
# Last day of the year that the incomes behind each edition are of (deprivation README of the published files), and the
# day of the boundaries that its figures are on.
_INCOMES_OF = {2015: dt.date(2013, 3, 31), 2019: dt.date(2016, 3, 31), 2025: dt.date(2022, 12, 31)}
_BOUNDARIES_OF = {2015: dt.date(2013, 4, 1), 2019: dt.date(2019, 4, 1), 2025: dt.date(2024, 4, 1)}

CHILD_POVERTY = "child_poverty"  # what the interactive tool's reader calls the CiLIF share
_COLUMNS = ("area_level", "area_code", "ons_code", "measure", "basis", "year", "value", "numerator", "denominator",
            "is_derived", "marker", "reason", "release", "source_sha256", "source_row")  # fmt: skip


@dataclass(frozen=True)
class Sources:
    """What core.deprivation is made from; any of it may be empty.

    `cells`, `district_population` and `district_lookup` are the tidy frames of the publications of those names (deprivation
    for the first), `tool` and `tool_totals` are `core.interactive_tool` and its totals.
    """

    cells: pd.DataFrame
    district_population: pd.DataFrame
    district_lookup: pd.DataFrame
    tool: pd.DataFrame
    tool_totals: pd.DataFrame


# ---------------------------------------------------------------------------------------------------------------------
# core.deprivation and core.deprivation_england


def core_tables(
    sources: Sources, county_of_district: ReferenceTable, la_code_of_ons_code: Mapping[str, str], areas: Areas
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`core.deprivation` and `core.deprivation_england`: every measure that is there, by authority and for England.

    Raises Refusal for a district of 2016 that the table of counties does not know or the file leaves out, and for an
    edition of the interactive tool whose basis is not known.
    """
    counties = county_deprivation.county_of_districts(county_of_district, la_code_of_ons_code)
    tool = _tool_cells(sources)
    families = _one_source_a_basis(_poverty(tool), _families(sources, areas))
    rows = pd.concat(
        [_low_income(sources.cells, counties), _index(sources, areas), families, _free_meals(tool)],
        ignore_index=True,
    )
    rows = rows.assign(
        as_of=[as_of(str(row.measure), int(row.year)) for row in rows.itertuples()], unit=rows["measure"].map(UNITS)
    )
    own = rows.loc[rows["area_level"] == AUTHORITY].rename(columns={"area_code": "la_code"})
    england = rows.loc[rows["area_level"] == ENGLAND]
    return (
        conform(own, covariate_tables.DEPRIVATION),
        conform(england, covariate_tables.DEPRIVATION_ENGLAND),
    )


def as_of(measure: str, year: int) -> dt.date:
    """The last day that a figure speaks of.

    31 August for HMRC's snapshots and 31 March for the financial year ending; for school meals the day of the January
    census, its third Thursday; for the index the end of the year that its incomes are of, some years before its name.
    """
    if measure == HMRC:
        return dt.date(year, 8, 31)
    if measure == CILIF:
        return dt.date(year, 3, 31)
    if measure == FREE_MEALS:
        first = dt.date(year, 1, 1)
        return first + dt.timedelta(days=(3 - first.weekday()) % 7 + 14)
    return _INCOMES_OF[year]


def boundaries_of(measure: str, year: int) -> dt.date:
    """The day whose authorities a figure is of."""
    return _BOUNDARIES_OF[year] if measure == IDACI else as_of(measure, year)


def _rows(cells: pd.DataFrame, reason: str | pd.Series, *, measure: str, basis: str | pd.Series) -> pd.DataFrame:
    """Tidy cells with the columns of the core tables; `reason` is why a value that is missing here is missing."""
    reasons = pd.Series(reason, index=cells.index, dtype="string").where(cells["value"].isna())
    # One type, whichever frames are empty: a missing number of one type is refused where another is expected.
    value = cells["value"].astype("Float64").astype("float64")
    whole = cells.assign(measure=measure, basis=basis, value=value, reason=reasons)
    for name, where_absent in (("numerator", pd.NA), ("denominator", pd.NA), ("is_derived", False)):
        if name not in whole:
            whole[name] = where_absent
    return whole[list(_COLUMNS)]


# ---------------------------------------------------------------------------------------------------------------------
# HMRC's local measure


def _low_income(cells: pd.DataFrame, county_of_district: Mapping[str, str]) -> pd.DataFrame:
    """Shares with their counts: as published, and for counties that were published by district the sums."""
    own = cells.loc[cells["layout"] == hmrc_low_income.LAYOUT]
    keys = ["area_level", "area_code", "year"]
    rows = own.loc[own["measure"] == hmrc_low_income.SHARE]
    for name, measure in (("numerator", hmrc_low_income.LOW_INCOME), ("denominator", hmrc_low_income.CHILD_BENEFIT)):
        counts = own.loc[own["measure"] == measure, [*keys, "value"]].rename(columns={"value": name})
        rows = rows.merge(counts, on=keys, how="left", validate="one_to_one")
    is_district = rows["area_level"] == DISTRICT
    summed = county_deprivation.sums_of_districts(rows.loc[is_district], county_of_district)
    published = rows.loc[~is_district].assign(is_derived=False)
    return _rows(pd.concat([published, summed], ignore_index=True), SUPPRESSED, measure=HMRC, basis=HMRC_LOCAL)


# ---------------------------------------------------------------------------------------------------------------------
# IDACI


def _index(sources: Sources, areas: Areas) -> pd.DataFrame:
    """Scores as published, and for counties that were published by district the mean weighted by children 0-15.

    An authority in being for which neither can be had is there without a value.
    """
    own = sources.cells.loc[sources.cells["measure"] == idaci.IDACI]
    # A workbook by upper tier says more than the districts of the same edition.
    authorities = own.loc[own["area_level"] == AUTHORITY].sort_values("layout", key=lambda name: name != idaci.LAYOUT)
    authorities = authorities.drop_duplicates(["area_code", "year"]).assign(is_derived=False)
    districts = own.loc[own["area_level"] == DISTRICT]
    published = {int(year): set(codes) for year, codes in authorities.groupby("year")["area_code"]}
    derived = []
    for year, members in districts.groupby("year"):
        there, in_being = published.get(int(year), set()), areas.codes_in_being(_BOUNDARIES_OF[int(year)])
        wanted = [code for code in in_being if code not in there]
        derived.append(
            county_deprivation.means_of_districts(members, wanted, sources.district_lookup, sources.district_population)
        )
    rows = pd.concat([authorities, *derived], ignore_index=True)
    return _rows(rows, NOT_AVAILABLE, measure=IDACI, basis="iod_" + rows["year"].astype("string"))


# ---------------------------------------------------------------------------------------------------------------------
# The interactive tool: CiLIF and free school meals


def _tool_cells(sources: Sources) -> pd.DataFrame:
    """Authorities and England in the form of the other cells."""
    authorities = sources.tool.rename(columns={"la_code": "area_code"}).assign(area_level=AUTHORITY)
    england = sources.tool_totals.loc[sources.tool_totals["area_level"] == ENGLAND]
    return (
        pd.concat([authorities, england], ignore_index=True)
        .rename(columns={"edition": "release"})
        .assign(ons_code=pd.NA)
    )


def _poverty(tool: pd.DataFrame) -> pd.DataFrame:
    """CiLIF on each basis, from the newest edition on it: every release revises the whole series."""
    rows = newest_poverty(tool, "release")
    return _rows(rows, NOT_AVAILABLE, measure=CILIF, basis=rows["basis"])


def newest_poverty(tool: pd.DataFrame, edition: str = "edition") -> pd.DataFrame:
    """The tool's CiLIF shares, of each basis its newest edition, with a column `basis`.

    `edition` is the column of `tool` that names it. Raises Refusal for an edition whose first year tells no basis.
    """
    own = tool.loc[tool["measure"] == CHILD_POVERTY]
    basis_of = {}
    for name, first_year in own.groupby(edition)["year"].min().items():
        basis = _basis_that_begins_with(int(first_year))
        if basis is None:
            raise Refusal(
                "unknown_basis",
                f"child poverty in the edition {name} of the interactive tool begins with {first_year}, which tells "
                "no basis: series begin with " + " or ".join(str(begins) for begins, _ in CILIF_YEARS.values()),
                value=str(first_year),
                remedy="look up in the publisher's notes what the series may be compared with, then tell "
                "pipeline/readers/low_income_families.py",
            )
        basis_of[name] = basis
    newest = {basis: name for name, basis in sorted(basis_of.items())}
    rows = own.loc[own[edition].isin(list(newest.values()))]
    return rows.assign(basis=rows[edition].map(basis_of).astype("string"))


def _basis_that_begins_with(year: int) -> str | None:
    return next((name for name, (begins, _) in CILIF_YEARS.items() if begins == year), None)


def _free_meals(tool: pd.DataFrame) -> pd.DataFrame:
    """Pupils of primary schools with free meals, each year from the newest edition that has it."""
    own = tool.loc[tool["measure"] == FREE_MEALS].sort_values("release", kind="stable")
    rows = own.drop_duplicates(["area_level", "area_code", "year"], keep="last")
    return _rows(rows, NOT_AVAILABLE, measure=FREE_MEALS, basis=SCHOOL_CENSUS)


# ---------------------------------------------------------------------------------------------------------------------
# CiLIF from the department's own workbook


def _families(sources: Sources, areas: Areas) -> pd.DataFrame:
    """CiLIF on each basis from the newest workbook on it: shares as published, counties put together from districts.

    The publisher's share is its count over all children under 16, so a district's count over its share gives those
    children back, and a county has the sum of its counts over the sum of its children. An authority in being for which
    neither can be had is there without a value.
    """
    own = sources.cells.loc[sources.cells["layout"] == low_income_families.LAYOUT]
    if own.empty:
        return _rows(own, NOT_AVAILABLE, measure=CILIF, basis="")
    basis_of = {
        release: _basis_that_begins_with(int(year)) for release, year in own.groupby("release")["year"].min().items()
    }
    newest = {basis: release for release, basis in sorted(basis_of.items())}
    keys = ["release", "area_level", "area_code", "year"]
    counts = own.loc[own["measure"] == low_income_families.CHILDREN, [*keys, "value"]]
    rows = own.loc[(own["measure"] == low_income_families.SHARE) & own["release"].isin(list(newest.values()))]
    rows = rows.merge(counts.rename(columns={"value": "children"}), on=keys, how="left", validate="one_to_one")
    published = rows.loc[rows["area_level"] != DISTRICT].assign(is_derived=False)
    in_being = {year: areas.codes_in_being(as_of(CILIF, year)) for year in map(int, rows["year"].unique())}
    put_together = [
        county_deprivation.shares_of_districts(
            members,
            set(published.loc[published["release"] == release, "area_code"]),
            sources.district_lookup,
            in_being,
        )
        for release, members in rows.groupby("release")
    ]
    whole = pd.concat([published, *put_together], ignore_index=True)
    reasons = whole["marker"].map(low_income_families.MARKERS).fillna(NOT_AVAILABLE)
    return _rows(whole, reasons, measure=CILIF, basis=whole["release"].map(basis_of))


def _one_source_a_basis(tool: pd.DataFrame, workbooks: pd.DataFrame) -> pd.DataFrame:
    """Of each basis the department's own workbook or the tool, never both: every release revises its whole series.

    The workbook speaks for a basis if it has a share for every authority and year that the tool has one for. It lacks
    some where the tool goes on longer, or where no lookup tells which districts make a county.
    """
    chosen = []
    for basis in CILIF_YEARS:
        told, own = (rows.loc[rows["basis"] == basis] for rows in (tool, workbooks))
        chosen.append(own if _shares_of_authorities(told) <= _shares_of_authorities(own) and len(own) else told)
    return pd.concat(chosen, ignore_index=True)


def _shares_of_authorities(rows: pd.DataFrame) -> set[tuple[str, int]]:
    there = rows.loc[(rows["area_level"] == AUTHORITY) & rows["value"].notna()]
    return set(zip(there["area_code"], there["year"], strict=True))


# ---------------------------------------------------------------------------------------------------------------------
# One value a unit of a window


class MeasureYears(NamedTuple):
    """Which measure a window takes, on which basis, and in which years: the level is that of `start_year`."""

    measure: str
    basis: str
    start_year: int
    end_year: int


def measure_for(window: Window) -> MeasureYears | None:
    """The deprivation measure of a window, a year before either end (methods.md D3); None: no exposure.

    The windows of the 2018 study take HMRC's local measure, whose Augusts lie seven months before the counts. All others
    take CiLIF, if one basis has both years.
    """
    years = (window.start - 1, window.end - 1)
    if window.role == STUDY:
        return MeasureYears(HMRC, HMRC_LOCAL, *years)
    for basis, (first, last) in CILIF_YEARS.items():
        if first <= years[0] and (last is None or years[1] <= last):
            return MeasureYears(CILIF, basis, *years)
    return None


def second_measure_for(window: Window) -> MeasureYears | None:
    """Free school meals in the January before the year of either end; None before the series begins."""
    if window.role == STUDY or window.start - 1 < _FIRST_FREE_MEALS:
        return None
    return MeasureYears(FREE_MEALS, SCHOOL_CENSUS, window.start - 1, window.end - 1)


class UnitValue(NamedTuple):
    """A unit's share in per cent, or the reason why there is none."""

    value: float | None
    reason: str | None


class Cell(NamedTuple):
    """One authority's figure; counts are there for HMRC alone."""

    value: float | None
    numerator: float | None
    denominator: float | None
    reason: str | None


def cells_of(deprivation: pd.DataFrame, measure: str, basis: str, year: int) -> dict[str, Cell]:
    """The figures of `core.deprivation` for one measure, basis and year, by DfE code."""
    rows = deprivation.loc[
        (deprivation["measure"] == measure) & (deprivation["basis"] == basis) & (deprivation["year"] == year)
    ]
    columns = (rows[name].astype(object) for name in ("value", "numerator", "denominator", "reason"))
    known = [column.where(column.notna(), None).tolist() for column in columns]
    return {code: Cell(*own) for code, *own in zip(rows["la_code"].tolist(), *known, strict=True)}


def value_of_unit(cells: Mapping[str, Cell], unit: Unit, shares: Mapping[tuple[str, str], float]) -> UnitValue:
    """One share for a unit (methods.md B8, last point); `shares` are those of `geography.split_shares`.

    In this order: the published share of the one authority that was the unit at its start or at its end; for counts, the
    sums over its authorities, all or none; the mean of the successors of the one authority that it was, weighted by the
    share of its children in each. A unit of several authorities that were redrawn into several has no weights: it stays
    without a value, `boundary_change`, where only shares are published.
    """
    if len(unit.start) == 1 and (own := cells.get(unit.start[0])) and own.value is not None:
        return UnitValue(own.value, None)
    generations = [members for members in dict.fromkeys((unit.start, unit.end)) if members]
    for members in generations:
        own = cells.get(members[0])
        if len(members) == 1 and own and own.value is not None:
            return UnitValue(own.value, None)
    for members in generations:
        counts = [(cells[code].numerator, cells[code].denominator) for code in members if code in cells]
        if len(counts) == len(members) and all(low is not None and children for low, children in counts):
            low, children = (sum(number or 0 for number in column) for column in zip(*counts, strict=True))
            return UnitValue(100 * low / children, None)
    if len(unit.start) == 1:
        weights = {new: share for (old, new), share in shares.items() if old == unit.start[0]}
        return _mean_of_successors(cells, unit, weights)
    return UnitValue(None, _why(cells, unit) if _nothing_published(cells, unit) else BOUNDARY_CHANGE)


def _mean_of_successors(cells: Mapping[str, Cell], unit: Unit, weights: Mapping[str, float]) -> UnitValue:
    """All or none: without one successor the others say nothing of the whole."""
    values = {code: cells[code].value for code in weights if code in cells}
    if not weights or len(values) < len(weights) or any(value is None for value in values.values()):
        return UnitValue(None, _why(cells, unit))
    total = sum(weights.values())
    return UnitValue(sum(share * (values[code] or 0.0) for code, share in weights.items()) / total, None)


def _nothing_published(cells: Mapping[str, Cell], unit: Unit) -> bool:
    return all(code not in cells or cells[code].value is None for code in unit.members)


def _why(cells: Mapping[str, Cell], unit: Unit) -> str:
    """The reason of the first figure that is missing, or that there is none at all."""
    reasons = (cells[code].reason for code in unit.members if code in cells)
    return next((reason for reason in reasons if reason), NOT_AVAILABLE)
