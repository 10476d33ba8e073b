"""Who is left out of a window or joined with others, and the count-down that proves nobody is lost.

What belongs here: the steps of methods.md B11 from the published authorities to the units compared, as two tables, and
the test that they reconcile. What does not: the rules themselves (`geography`, `windows`).
"""

from __future__ import annotations

import pandas as pd

from pipeline import reasons
from pipeline.geography import Areas
from pipeline.tables import main_tables
from pipeline.tables.frames import conform, stacked
from pipeline.windows import UnitEnds, WindowData

EXCLUDED, COMBINED = "excluded", "combined"
TREND = "trend"


class _CountDown:
    """The rows of one window, step by step."""

    def __init__(self, data: WindowData, areas: Areas) -> None:
        self._data = data
        self._areas = areas
        self.n = len(data.published)
        self.rows: list[dict[str, object]] = []
        self.steps: list[dict[str, object]] = [self._step("published", self.n, 0, 0)]

    def _step(self, step: str, before: int, excluded: int, combined_away: int) -> dict[str, object]:
        return {
            "window_id": self._data.window.window_id,
            "step_number": 1 if step == "published" else len(self.steps) + 1,
            "step": step,
            "n_before": before,
            "n_excluded": excluded,
            "n_combined_away": combined_away,
            "n_after": before - excluded - combined_away,
        }

    def take(self, step: str, found: list[dict[str, object]], *, excluded: int = 0, combined_away: int = 0) -> None:
        """Record a step: its rows, and how many authorities or units it took off."""
        before, after = self.n, self.n - excluded - combined_away
        window = self._data.window
        for row in found:
            code = str(row["la_code"])
            self.rows.append(
                {
                    "window_id": window.window_id,
                    "window_start": window.start,
                    "window_end": window.end,
                    "stage": TREND,
                    "model": "",
                    "step": step,
                    "la_name": self._areas.names[code],
                    "n_before": before,
                    "n_after": after,
                    **row,
                }
            )
        self.steps.append(self._step(step, before, excluded, combined_away))
        self.n = after


def exclusions(windows: list[WindowData], areas: Areas) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`main.exclusions` and `main.exclusion_steps` for the trend stage of every computed window."""
    rows: list[dict[str, object]] = []
    steps: list[dict[str, object]] = []
    for data in windows:
        if data.not_computed is None:
            count_down = _count_down(data, areas)
            rows += count_down.rows
            steps += count_down.steps
    return (
        conform(pd.DataFrame(rows, columns=main_tables.EXCLUSIONS.column_names), main_tables.EXCLUSIONS),
        conform(pd.DataFrame(steps, columns=main_tables.EXCLUSION_STEPS.column_names), main_tables.EXCLUSION_STEPS),
    )


def _count_down(data: WindowData, areas: Areas) -> _CountDown:
    down = _CountDown(data, areas)
    unit_of = {code: ends for ends in data.units for code in ends.unit.members}
    in_being_at_end = {code for ends in data.units for code in ends.unit.end}

    gone = sorted(data.published - in_being_at_end)
    down.take("in_being_at_end", [_gone(code, data, unit_of) for code in gone], excluded=len(gone))

    there = data.published & in_being_at_end
    small = sorted(there & areas.too_small)
    down.take("not_too_small", [_too_small(code) for code in small], excluded=len(small))

    left = there - areas.too_small
    units = [ends for ends in data.units if set(ends.unit.end) & left]
    joined = [ends for ends in units if len(ends.unit.end) > 1 or ends.unit.reason == reasons.DENOMINATOR_GEOGRAPHY]
    down.take(
        "units",
        [_joined(code, ends) for ends in joined for code in ends.unit.end if code in left],
        combined_away=sum(len(left & set(ends.unit.end)) - 1 for ends in joined),
    )

    uncounted = [ends for ends in units if _count_problem(ends)]
    down.take(
        "counts_at_both_ends",
        [_missing(code, ends, _count_problem(ends)) for ends in uncounted for code in ends.unit.end if code in left],
        excluded=len(uncounted),
    )
    unpopulated = [ends for ends in units if not _count_problem(ends) and _population_problem(ends)]
    down.take(
        "population_at_both_ends",
        [_missing(code, ends, _population_problem(ends)) for ends in unpopulated for code in ends.unit.end],
        excluded=len(unpopulated),
    )
    return down


def _count_problem(ends: UnitEnds) -> tuple[str, int | None, str | None] | None:
    if ends.missing_count:
        return ends.missing_count
    return (reasons.ZERO_COUNT, None, "a rate of 0 has no logarithm") if 0 in ends.looked_after else None


def _population_problem(ends: UnitEnds) -> tuple[str, int | None, str | None] | None:
    if ends.missing_population:
        return ends.missing_population
    return (reasons.NO_DENOMINATOR, None, "a population of 0") if 0 in ends.population else None


def _gone(code: str, data: WindowData, unit_of: dict[str, UnitEnds]) -> dict[str, object]:
    successor = unit_of.get(code)
    if successor:
        detail = f"ended before 31 March {data.window.end}; counted within {successor.unit.name}"
    else:
        detail = f"not in being within the window, though the release lists it with markers ({data.window.end})"
    return {
        "la_code": code,
        "rule": EXCLUDED,
        "unit_id": successor.unit.unit_id if successor else None,
        "year": data.window.end,
        "reason": reasons.BOUNDARY_CHANGE,
        "detail": detail,
        "evidence": "core.area_changes",
    }


def _too_small(code: str) -> dict[str, object]:
    return {
        "la_code": code,
        "rule": EXCLUDED,
        "unit_id": code,
        "year": None,
        "reason": reasons.TOO_SMALL,
        "detail": "left out of every window: too few children for a rate that means anything",
        "evidence": "core.local_authorities",
    }


def _joined(code: str, ends: UnitEnds) -> dict[str, object]:
    return {
        "la_code": code,
        "rule": COMBINED,
        "unit_id": ends.unit.unit_id,
        "year": None,
        "reason": ends.unit.reason,
        "detail": f"counted within {ends.unit.name}",
        "evidence": "core.area_changes",
    }


def _missing(code: str, ends: UnitEnds, problem: tuple[str, int | None, str | None] | None) -> dict[str, object]:
    if problem is None:
        raise ValueError(f"{ends.unit.unit_id} has no missing number")
    reason, year, evidence = problem
    when = f" for {year}" if year else ""
    return {
        "la_code": code,
        "rule": EXCLUDED,
        "unit_id": ends.unit.unit_id,
        "year": year,
        "reason": reason,
        "detail": f"{ends.unit.name}: {reason.replace('_', ' ')}{when}",
        "evidence": evidence,
    }


def together(of_trends: pd.DataFrame, of_regressions: pd.DataFrame) -> pd.DataFrame:
    """`main.exclusions` of both stages."""
    return conform(stacked([of_trends, of_regressions]), main_tables.EXCLUSIONS)
