"""Local authorities through time: which were in being, which belong together across a boundary change.

What belongs here: the rules of methods.md B8 over the tables of areas and changes. What does not: counts, populations
and windows' thresholds. Codes are DfE three-digit codes as text; ONS codes are carried along and never joined on.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from pipeline import reasons
from pipeline.reference_tables import ReferenceTable
from pipeline.tables import core_tables
from pipeline.tables.frames import conform

SPLIT, MERGE, RECODE, BOUNDARY = "split", "merge", "recode", "boundary"
_ENDS_A_CODE = (SPLIT, MERGE)
_SHARES_TOLERANCE = 0.001  # shares are given to four decimals


def stock_day(year: int) -> dt.date:
    """31 March of a reporting year, the day on which children looked after are counted."""
    return dt.date(year, 3, 31)


@dataclass(frozen=True)
class Change:
    """A split or merge between two different DfE codes, effective from the morning of `day`."""

    old: str
    new: str
    day: dt.date


@dataclass(frozen=True)
class Areas:
    """Every authority of the lookup, its newest name and region, and the splits and merges between them."""

    names: dict[str, str]
    regions: dict[str, str]
    changes: tuple[Change, ...]
    too_small: frozenset[str]

    @cached_property
    def changed(self) -> frozenset[str]:
        """The authorities that a split or merge ends or makes. All others are in being on every day, and alone."""
        return frozenset(code for change in self.changes for code in (change.old, change.new))

    @cached_property
    def unchanged_units(self) -> dict[str, Unit]:
        """The unit of each of those others, which is the same in every window."""
        return {
            code: Unit(code, name, self.regions[code], (code,), (code,), (code,), (code,), None)
            for code, name in self.names.items()
            if code not in self.changed
        }

    def in_being(self, code: str, day: dt.date) -> bool:
        """Whether the authority existed on that day: not yet ended by a split or merge, and not still to be made by one."""
        if code not in self.changed:
            return True
        ended = any(change.old == code and change.day <= day for change in self.changes)
        unborn = any(change.new == code and change.day > day for change in self.changes)
        return not ended and not unborn

    def codes_in_being(self, day: dt.date) -> list[str]:
        """All authorities that existed on that day, in code order."""
        return [code for code in sorted(self.names) if self.in_being(code, day)]

    def components(self, after: dt.date, until: dt.date) -> list[frozenset[str]]:
        """Groups of two or more authorities linked by a split or merge later than `after` and not later than `until`."""
        neighbours: dict[str, set[str]] = defaultdict(set)
        for change in self.changes:
            if after < change.day <= until:
                neighbours[change.old].add(change.new)
                neighbours[change.new].add(change.old)
        groups: list[frozenset[str]] = []
        left = set(neighbours)
        while left:
            group, edge = set(), {min(left)}
            while edge:
                group |= edge
                edge = set().union(*(neighbours[code] for code in edge)) - group
            groups.append(frozenset(group))
            left -= group
        return sorted(groups, key=min)


@dataclass(frozen=True)
class Unit:
    """What a window compares: one authority, or several that a boundary change ties together.

    `members` are all codes of the component, old and new. `start` and `end` are those in being at either end, whose
    counts add up to the unit's; `population_start` are the codes whose populations do so at the start, which differ from
    `start` where the only denominators are on later boundaries. `reason` says why several were combined.
    """

    unit_id: str
    name: str
    region: str
    members: tuple[str, ...]
    start: tuple[str, ...]
    end: tuple[str, ...]
    population_start: tuple[str, ...]
    reason: str | None


def units(areas: Areas, start: int, end: int, denominators_as_of: dt.date | None = None) -> list[Unit]:
    """The units of the window from 31 March `start` to 31 March `end`, ordered by unit_id.

    `denominators_as_of` is the day whose boundaries the start's populations are on, where that is not the start itself:
    then authorities that only that later geography ties together are combined too.
    """
    first, last = stock_day(start), stock_day(end)
    grouped = {code: group for group in areas.components(first, last) for code in group}
    later = {}
    if denominators_as_of:
        later = {code: group for group in areas.components(first, denominators_as_of) for code in group}
    found: dict[frozenset[str], Unit] = {}
    for code in (code for code in areas.names if code in areas.changed):
        group = grouped.get(code, frozenset({code})) | later.get(code, frozenset())
        at_start = tuple(sorted(member for member in group if areas.in_being(member, first)))
        at_end = tuple(sorted(member for member in group if areas.in_being(member, last)))
        if not at_end or group in found:
            continue
        # Also a code that began and ended between the two ends: its children are in the unit at neither.
        in_window = tuple(sorted({*at_start, *at_end, *grouped.get(code, ())}))
        populated = at_start
        reason = reasons.BOUNDARY_CHANGE if len(in_window) > 1 else None
        if denominators_as_of and code in later:
            populated = tuple(sorted(member for member in group if areas.in_being(member, denominators_as_of)))
            if len(at_start) > 1 and code not in grouped:
                reason = reasons.DENOMINATOR_GEOGRAPHY
        found[group] = Unit(
            unit_id="+".join(at_end),
            name=" + ".join(areas.names[member] for member in at_end),
            region=areas.regions[at_end[0]],
            members=in_window,
            start=at_start,
            end=at_end,
            population_start=populated,
            reason=reason,
        )
    return sorted([*areas.unchanged_units.values(), *found.values()], key=lambda unit: unit.unit_id)


def build_areas(local: pd.DataFrame, changes: pd.DataFrame) -> Areas:
    """Areas from `core.local_authorities` and `core.area_changes`."""
    newest = local.loc[local["is_newest_code"].astype(bool)].set_index("la_code")
    linked = changes["change_type"].isin(_ENDS_A_CODE) & (changes["old_code"] != changes["new_code"])
    return Areas(
        names=newest["la_name"].to_dict(),
        regions=newest["region"].to_dict(),
        changes=tuple(
            Change(row.old_code, row.new_code, row.effective_date) for row in changes.loc[linked].itertuples()
        ),
        too_small=frozenset(newest.index[newest["is_too_small"].astype(bool)]),
    )


def area_changes(table: ReferenceTable) -> pd.DataFrame:
    """`core.area_changes`: one row a change, DfE codes in old_code and new_code, dates as dates.

    Raises Refusal for a kind of change that is unknown.
    """
    rows = []
    for row in table.frame.itertuples():
        if row.change_type not in (SPLIT, MERGE, RECODE, BOUNDARY):
            raise table.bad_cell(row, "change_type", f"a change is one of {SPLIT}, {MERGE}, {RECODE}, {BOUNDARY}")
        rows.append(
            {
                "old_code": row.old_dfe_code,
                "new_code": row.new_dfe_code,
                "old_ons_code": row.old_code,
                "new_ons_code": row.new_code,
                "old_name": row.old_name,
                "new_name": row.new_name,
                "change_type": row.change_type,
                "effective_date": table.day(row, "effective_date"),
                "evidence": row.evidence or None,
                "note": row.note or None,
                "source_sha256": table.sha256,
            }
        )
    return conform(pd.DataFrame(rows), core_tables.AREA_CHANGES)


def split_shares(table: ReferenceTable, local: pd.DataFrame) -> dict[tuple[str, str], float]:
    """(Old, new) DfE code -> share of a divided authority's children, 0 to 1, that lived in the successor's area.

    `table` is split_child_weights_2016, `local` is `core.local_authorities`. Raises Refusal for a code that is not in the
    lookup, for what is no share, and for an authority whose shares do not add up to 1.
    """
    code_of = dict(zip(local["ons_code"], local["la_code"], strict=True))
    shares: dict[tuple[str, str], float] = {}
    sums: dict[str, float] = defaultdict(float)
    for row in table.frame.itertuples():
        for column in ("old_code", "new_code"):
            if getattr(row, column) not in code_of:
                raise table.bad_cell(row, column, "the code is not in the lookup of local authorities")
        try:
            share = float(row.share_of_old_children)
        except ValueError:
            share = math.nan
        if not 0 <= share <= 1:
            raise table.bad_cell(row, "share_of_old_children", "a share lies between 0 and 1")
        old = code_of[row.old_code]
        shares[old, code_of[row.new_code]] = share
        sums[old] += share
    for row in table.frame.itertuples():
        if abs(sums[code_of[row.old_code]] - 1) > _SHARES_TOLERANCE:
            raise table.bad_cell(row, "share_of_old_children", "the shares of this old area do not add up to 1")
    return shares


def local_authorities(tables: dict[str, ReferenceTable]) -> pd.DataFrame:
    """`core.local_authorities`: one row an authority and ONS code, with its region of nine and the days it was in being.

    Raises Refusal for a region that the table of regions does not have.
    """
    lookup, regions = tables["dfe_la_lookup"], tables["regions"]
    region_of = {row.region_code: row for row in regions.frame.itertuples()}
    changes = area_changes(tables["la_code_changes"])
    ends = changes.loc[changes["change_type"].isin(_ENDS_A_CODE) & (changes["old_code"] != changes["new_code"])]
    ended = ends.groupby("old_code")["effective_date"].min().to_dict()
    began = ends.groupby("new_code")["effective_date"].max().to_dict()
    small = {row.la_code: row.reason for row in tables["too_small"].frame.itertuples()}
    places = locations(tables["la_locations"])
    rows = []
    for row in lookup.frame.itertuples():
        part = region_of.get(row.region_code)
        if part is None or (part.part_of and part.part_of not in region_of):
            raise lookup.bad_cell(row, "region_code", "the region is not in the table of regions")
        whole = region_of[part.part_of] if part.part_of else part
        end = ended.get(row.old_la_code)
        latitude, longitude = places.get(row.old_la_code, (None, None))
        rows.append(
            {
                "la_code": row.old_la_code,
                "ons_code": row.new_la_code,
                "la_name": row.la_name,
                "region": whole.region_name,
                "region_code": whole.region_code,
                "region_part": part.region_name if part.part_of else None,
                "ons_code_from": lookup.day(row, "code_valid_from"),
                "ons_code_to": lookup.day(row, "code_valid_to") if row.code_valid_to else None,
                "in_being_from": began.get(row.old_la_code),
                "in_being_to": end - dt.timedelta(days=1) if end else None,
                "is_too_small": row.old_la_code in small,
                "latitude": latitude,
                "longitude": longitude,
                "source_sha256": lookup.sha256,
            }
        )
    frame = pd.DataFrame(rows).sort_values(["la_code", "ons_code_from"], ignore_index=True)
    frame["is_newest_code"] = ~frame["la_code"].duplicated(keep="last")
    return conform(frame, core_tables.LOCAL_AUTHORITIES)


def locations(table: ReferenceTable) -> dict[str, tuple[float, float]]:
    """Code -> latitude and longitude in degrees of a point inside the authority. Refuses what is no such number."""
    found = {}
    for row in table.frame.itertuples():
        degrees = []
        for column, limit in (("latitude", 90), ("longitude", 180)):
            try:
                degrees.append(float(str(getattr(row, column))))
            except ValueError:
                raise table.bad_cell(row, column, "this is no number of degrees") from None
            if not abs(degrees[-1]) <= limit:
                raise table.bad_cell(row, column, f"degrees lie between -{limit} and {limit}")
        found[str(row.la_code)] = (degrees[0], degrees[1])
    return found


def ons_code_on(local: pd.DataFrame, codes: Iterable[str], day: dt.date) -> dict[str, str]:
    """ONS code of each authority on a day; an authority that was not in being then has none."""
    from_day = pd.to_datetime(local["ons_code_from"])
    to_day = pd.to_datetime(local["ons_code_to"])
    moment = pd.Timestamp(day)
    valid = local.loc[(from_day <= moment) & (to_day.isna() | (to_day >= moment))]
    known = dict(zip(valid["la_code"], valid["ons_code"], strict=True))
    return {code: known[code] for code in codes if code in known}
