"""An attack on what the publisher suppressed: every way from the published figures back to a hidden count.

What belongs here: the hidden cells of a database, what the publisher's own totals allow anybody to say of them, and what
the tables of this project add to that. What does not: judging it (the tests beside it).

The attacker has the whole database. From the publisher's own tables (authorities, regions, England, each rounded as
published) follows an interval for each hidden count: the sum of a region less its visible authorities, and so on, solved
together as a linear programme. Each figure of this project that is not explained by visible counts alone is one more
equation. The tables are safe when no interval gets narrower by those equations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import linprog

MEASURES = ("looked_after", "started", "ceased", "uasc")
ENGLAND = "England"
HALF_OF_10, HALF_OF_100 = 5.0, 50.0
_EXACT = 1e-6

# Columns of main.care_numbers that are a count, or a rate of the column named beside them.
_OF_A_COUNT = {
    "looked_after": ("looked_after", "looked_after_without_uasc_low", "looked_after_without_uasc_high"),
    "started": ("started",),
    "ceased": ("ceased",),
    "uasc": ("uasc",),
}
_RATES = {"looked_after": (("rate_per_10k", _EXACT), ("published_rate_per_10k", 0.5))}

Cell = tuple[str, str, int]  # measure, la_code, year
Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Equation:
    """low <= the sum of the hidden `cells` <= high, and where that can be read."""

    cells: tuple[Cell, ...]
    low: float
    high: float
    read_in: str


@dataclass(frozen=True)
class Attack:
    """The hidden cells with the interval each has by the publisher alone and with this project's tables."""

    intervals: pd.DataFrame
    from_publisher: list[Equation]
    from_outputs: list[Equation]
    contradictions: list[str] = field(default_factory=list)

    def narrowed(self) -> pd.DataFrame:
        """The cells about which this project's tables say more than the publisher's."""
        by = self.intervals
        as_wide = (by["low"] <= by["publisher_low"] + _EXACT) & (by["high"] >= by["publisher_high"] - _EXACT)
        return by.loc[~as_wide]  # also where this project's tables contradict the publisher's: the interval is then NaN


def attack(tables: Tables) -> Attack:
    """Try to recover every hidden cell of a published database from all of its tables."""
    known, hidden = _cells(tables)
    publisher, contradictions = _made_consistent(list(_publisher(tables, known, hidden)))
    outputs = list(_outputs(tables, known, hidden))
    alone, together = _solve(hidden, publisher), _solve(hidden, [*publisher, *outputs])
    rows = [(*cell, *alone[cell], *together[cell]) for cell in sorted(hidden)]
    columns = ["measure", "la_code", "year", "publisher_low", "publisher_high", "low", "high"]
    return Attack(pd.DataFrame(rows, columns=columns), publisher, outputs, contradictions)


# ---------------------------------------------------------------------------------------------------------------------
# What is hidden, and what anybody can see


def _cells(tables: Tables) -> tuple[dict[Cell, float], set[Cell]]:
    """Counts that a publication of the publisher prints, and those that every one of them keeps back.

    The interactive tool marks suppressed and missing cells alike: there, every mark of an authority that has children
    looked after counts as hidden.
    """
    releases, tool = tables["core.children_looked_after"], tables["core.interactive_tool"]
    known: dict[Cell, float] = {}
    for frame, edition in ((tool, "edition"), (releases, "release")):
        seen = frame.loc[frame["value"].notna() & frame["measure"].isin(MEASURES)].sort_values(edition)
        known |= {
            (m, la, int(y)): float(v)
            for m, la, y, v in seen[["measure", "la_code", "year", "value"]].itertuples(index=False)
        }
    suppressed = releases.loc[(releases["marker_meaning"] == "suppressed") & releases["measure"].isin(MEASURES)]
    marked = tool.loc[tool["marker"].notna() & tool["measure"].isin(MEASURES)]
    of_both = pd.concat([frame[["measure", "la_code", "year"]] for frame in (suppressed, marked)])
    in_being = set(
        tables["main.care_numbers"]
        .loc[lambda f: f["looked_after"].notna() | (f["looked_after_reason"] == "suppressed"), ["la_code", "year"]]
        .itertuples(index=False, name=None)
    )
    hidden = {(m, la, int(y)) for m, la, y in of_both.itertuples(index=False) if (la, y) in in_being}
    return known, hidden - known.keys()


# ---------------------------------------------------------------------------------------------------------------------
# What the publisher's own tables allow


def _publisher(tables: Tables, known: dict[Cell, float], hidden: set[Cell]) -> Iterator[Equation]:
    """Each printed total less what is visible of it, in the same publication, within its rounding."""
    regions = _regions(tables["main.care_numbers"])
    for kind, cells, totals, edition in (
        ("release", "core.children_looked_after", "core.children_looked_after_totals", "release"),
        ("tool", "core.interactive_tool", "core.interactive_tool_totals", "edition"),
    ):
        printed = tables[cells].loc[lambda f: f["measure"].isin(MEASURES)]
        groups = dict(iter(printed.groupby(["measure", "year", edition])))
        for total in tables[totals].loc[lambda f: f["measure"].isin(MEASURES) & f["value"].notna()].itertuples():
            own = groups.get((total.measure, total.year, getattr(total, edition)))
            name = total.area_name.lower()
            if own is None or (name not in regions.values() and total.area_level != "england"):
                continue
            if total.area_level != "england":
                own = own.loc[[regions.get(la) == name for la in own["la_code"]]]
            cells = list(zip(own["measure"], own["la_code"], own["year"].astype(int), strict=True))
            inside = tuple(cell for cell in cells if cell in hidden)
            if not inside:
                continue
            # A cell that this publication hides and another one shows is visible to everybody.
            visible = sum(
                known.get(cell, 0.0) if pd.isna(value) else float(value)
                for cell, value in zip(cells, own["value"], strict=True)
                if cell not in hidden
            )
            rest = float(total.value) - visible
            half = HALF_OF_100 if total.year == 2010 and total.area_level == "england" else HALF_OF_10
            place = f"{kind} {getattr(total, edition)}, {total.area_name}, {total.measure} {total.year}"
            yield Equation(inside, rest - half, rest + half, place)


def _regions(panel: pd.DataFrame) -> dict[str, str]:
    """Region of each authority in small letters, as the publications write its name in different ways."""
    return dict(zip(panel["la_code"], panel["region"].str.lower(), strict=True))


def _made_consistent(equations: list[Equation]) -> tuple[list[Equation], list[str]]:
    """The equations, those that cannot hold together widened by as little as makes them hold, and which those are.

    Publications contradict each other where one has revised a figure and the other has not.
    """
    widened, contradictions = [], []
    for own in _by_measure_and_year(equations).values():
        cells, matrix = _matrix(own)
        count = len(own)
        slack = np.vstack([-np.eye(count), -np.eye(count)])
        limits = np.array([one.high for one in own] + [-one.low for one in own])
        goal = np.concatenate([np.zeros(len(cells)), np.ones(count)])
        found = linprog(goal, A_ub=np.hstack([matrix, slack]), b_ub=limits, bounds=(0, None))
        for one, by in zip(own, found.x[len(cells) :], strict=True):
            if by > _EXACT:
                contradictions.append(one.read_in)
            widened.append(Equation(one.cells, one.low - by - _EXACT / 10, one.high + by + _EXACT / 10, one.read_in))
    return widened, contradictions


# ---------------------------------------------------------------------------------------------------------------------
# What this project's tables add


def _outputs(tables: Tables, known: dict[Cell, float], hidden: set[Cell]) -> Iterator[Equation]:
    """Every figure that contains a hidden cell, solved for it."""
    yield from _panel(tables["main.care_numbers"], hidden)
    yield from _sums_of_authorities(tables, hidden)
    yield from _units(tables, known, hidden)
    yield from _regions_of_units(tables)
    yield from _single_years(tables, hidden)
    yield from _without_uasc(tables, hidden)


def _panel(panel: pd.DataFrame, hidden: set[Cell]) -> Iterator[Equation]:
    """A hidden cell's own row: the count under any name, or a rate times its population."""
    for row in panel.to_dict("records"):
        for measure in MEASURES:
            cell = (measure, row["la_code"], int(row["year"]))
            if cell not in hidden:
                continue
            for column in _OF_A_COUNT[measure]:
                if pd.notna(row[column]):
                    yield Equation((cell,), float(row[column]), float(row[column]), f"care_numbers.{column}")
            for column, half in _RATES.get(measure, ()):
                if pd.notna(row[column]) and pd.notna(row["population_0_17"]):
                    low, high = ((row[column] + s * half) * row["population_0_17"] / 1e4 for s in (-1, 1))
                    yield Equation((cell,), low, high, f"care_numbers.{column}")


def _difference(cells: Iterable[Cell], total: float, visible: float, place: str) -> Iterator[Equation]:
    """The equation of a sum, unless visible counts explain it wholly: then the hidden ones are not in it."""
    inside = tuple(cells)
    if inside and abs(total - visible) > _EXACT:
        yield Equation(inside, total - visible, total - visible, place)


def _sums_of_authorities(tables: Tables, hidden: set[Cell]) -> Iterator[Equation]:
    panel = tables["main.care_numbers"]
    is_hidden = [("looked_after", la, int(y)) in hidden for la, y in zip(panel["la_code"], panel["year"], strict=True)]
    visible = panel.loc[~np.array(is_hidden)].groupby("year")["looked_after"].sum()
    trend = tables["main.national_trend"]
    for row in trend.loc[trend["source"] == "sum_of_authorities"].itertuples():
        inside = [c for c in hidden if c[0] == "looked_after" and c[2] == row.year]
        yield from _difference(
            inside, float(row.looked_after), float(visible[row.year]), f"national_trend, sum of {row.year}"
        )


def _units(tables: Tables, known: dict[Cell, float], hidden: set[Cell]) -> Iterator[Equation]:
    """A unit's count and its rates at both ends, where a member is hidden."""
    for row in tables["main.five_year_change"].to_dict("records"):
        for end in ("start", "end"):
            year = int(row[f"window_{end}"])
            cells = [("looked_after", la, year) for la in _members(row["members"])]
            inside = [c for c in cells if c in hidden]
            if not inside:
                continue
            visible = sum(known.get(c, 0.0) for c in cells if c not in hidden)
            place = f"five_year_change, {row['unit_name']} in {row['window_id']}"
            count, rate, population = (row[f"{what}_{end}"] for what in ("looked_after", "rate", "population"))
            if pd.notna(count):
                yield from _difference(inside, float(count), visible, f"{place}: looked_after_{end}")
            if pd.notna(rate) and pd.notna(population):
                yield from _difference(inside, rate * population / 1e4, visible, f"{place}: rate_{end}")
            for column in ("change_log", "change_pct", "change_per_10k", "relative_change_log", "z", "mean_number"):
                if pd.notna(row[column]):  # with the other end visible, any of these gives the hidden one
                    yield Equation(tuple(inside), 0.0, 0.0, f"{place}: {column}")


def _members(told: object) -> list[str]:
    return [part.strip() for part in str(told).replace("+", ",").split(",")]


def _regions_of_units(tables: Tables) -> Iterator[Equation]:
    """A region's sum over units less those of its units that are shown: what is left is an area kept back."""
    units = tables["main.five_year_change"]
    trends = tables["main.region_trends"]
    shown = units.dropna(subset=["looked_after_start", "looked_after_end"])
    sums = shown.groupby(["window_id", "region"])[["looked_after_start", "looked_after_end"]].sum()
    for row in trends.loc[trends["region_level"] == "region"].to_dict("records"):
        visible = sums.loc[(row["window_id"], row["region"])]
        for end in ("start", "end"):
            total = float(row[f"looked_after_{end}"])
            cells = [("looked_after", f"region {row['region']}", int(row[f"window_{end}"]))]
            yield from _difference(
                cells, total, float(visible[f"looked_after_{end}"]), f"region_trends, {row['region']}"
            )


def _single_years(tables: Tables, hidden: set[Cell]) -> Iterator[Equation]:
    """Tables with a figure an authority and year: none of a hidden count."""
    codes = {(c[1], c[2]): c for c in hidden if c[0] == "looked_after"}
    for table, code, columns in (
        ("main.vintage_effect", "la_code", ("looked_after", "rate_pre_census", "rate_rebased")),
        ("main.funnel_levels", "unit_id", ("observed", "rate_per_10k", "log_ratio")),
        ("main.neighbour_comparison", "la_code", ("rate_per_10k",)),
    ):
        for row in tables[table].to_dict("records"):
            cell = codes.get((row[code], int(row["year"])))
            for column in columns if cell else ():
                if pd.notna(row[column]):
                    yield Equation((cell,), 0.0, 0.0, f"{table}.{column}")


def _without_uasc(tables: Tables, hidden: set[Cell]) -> Iterator[Equation]:
    """Changes with and without UASC solved for the UASC of one end, where those of the other are visible.

    A solution that is one of the stated bounds or the middle between them is a convention and says nothing.
    """
    units = tables["main.five_year_change"].set_index(["window_id", "unit_id"])
    panel = tables["main.care_numbers"].set_index(["la_code", "year"])[["uasc_low", "uasc_high"]]
    changes = tables["main.five_year_change_alternates"]
    for row in changes.loc[changes["alternate"] == "excluding_uasc"].to_dict("records"):
        unit = units.loc[(row["window_id"], row["unit_id"])]
        ends = {end: int(unit[f"window_{end}"]) for end in ("start", "end")}
        cells = {end: [("uasc", la, ends[end]) for la in _members(unit["members"])] for end in ends}
        inside = {end: [c for c in cells[end] if c in hidden] for end in ends}
        for end, other in (("start", "end"), ("end", "start")):
            # Both ends hidden: one equation with two unknowns, which is solved with the convention at the other end.
            if not inside[end]:
                continue
            for column, shares in (
                ("change_log", {"start": 0.5, "end": 0.5}),
                ("change_low_log", {"start": 0.0, "end": 1.0}),
                ("change_high_log", {"start": 1.0, "end": 0.0}),
            ):
                if pd.isna(row[column]):
                    continue
                at_other = sum(_uasc(c, panel, shares[other]) for c in cells[other])
                ratio = np.exp(row[column] - unit["change_log"]) * unit["looked_after_end"] / unit["looked_after_start"]
                remaining = unit[f"looked_after_{other}"] - at_other
                solved = unit[f"looked_after_{end}"] - (remaining * ratio if end == "end" else remaining / ratio)
                visible = sum(_uasc(c, panel, shares[end]) for c in cells[end] if c not in hidden)
                by_convention = sum(_uasc(c, panel, shares[end]) for c in inside[end])
                if abs(solved - visible - by_convention) > 1e-3:
                    place = f"five_year_change_alternates, {unit['unit_name']} in {row['window_id']}: {column}"
                    yield Equation(tuple(inside[end]), solved - visible, solved - visible, place)


def _uasc(cell: Cell, panel: pd.DataFrame, share: float) -> float:
    """The panel's count, or the point at `share` of the way between the bounds that it states for a marked cell.

    A member that is not in being in the year has no row and no children.
    """
    if cell[1:] not in panel.index:
        return 0.0
    low, high = panel.loc[cell[1:], :].astype(float)
    return low + share * (high - low)


# ---------------------------------------------------------------------------------------------------------------------
# Intervals


def _solve(hidden: set[Cell], equations: list[Equation]) -> dict[Cell, tuple[float, float]]:
    """The least and most that each hidden count can be, by all equations of its measure and year together.

    A cell of no equation is anything from 0. Equations that cannot hold together leave NaN, which no interval contains.
    """
    found = {cell: (0.0, np.inf) for cell in hidden}
    for own in _by_measure_and_year(equations).values():
        cells, matrix = _matrix(own)
        at = {cell: k for k, cell in enumerate(cells)}
        limits = np.array([one.high for one in own] + [-one.low for one in own])
        for cell in cells:
            goal = np.zeros(len(cells))
            goal[at[cell]] = 1.0
            ends = [linprog(sign * goal, A_ub=matrix, b_ub=limits, bounds=(0, None)) for sign in (1.0, -1.0)]
            found[cell] = tuple(_value(end, sign) for end, sign in zip(ends, (1.0, -1.0), strict=True))
    return found


def _by_measure_and_year(equations: list[Equation]) -> dict[tuple[str, int], list[Equation]]:
    together: dict[tuple[str, int], list[Equation]] = {}
    for one in equations:
        together.setdefault((one.cells[0][0], one.cells[0][2]), []).append(one)
    return together


def _matrix(own: list[Equation]) -> tuple[list[Cell], np.ndarray]:
    """The cells of some equations, and the rows "sum of the cells <= high" above the rows "minus the sum <= -low"."""
    cells = sorted({cell for one in own for cell in one.cells})
    at = {cell: k for k, cell in enumerate(cells)}
    sums = np.zeros((len(own), len(cells)))
    for k, one in enumerate(own):
        sums[k, [at[cell] for cell in one.cells]] = 1.0
    return cells, np.vstack([sums, -sums])


def _value(end: object, sign: float) -> float:
    if end.status == 0:
        return sign * end.fun
    return sign * np.inf if end.status == 3 and sign < 0 else np.nan
