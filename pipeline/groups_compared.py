"""Units that bucked the national trend beside the others: what the two groups looked like at the start (methods.md D3).

What belongs here: which windows and which measures are compared, the value of each unit, and why one has none. What does
not: the arithmetic of a comparison (`two_samples`), the covariates (`exposures`) and models of the change.

Windows: the newest five-year window in which England has a direction, as in `main.bucking_the_trend`, and the five years
of the study of 2018. Everything is as of the start of the window unless the row says that it is later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import evidence, exposures, spending, two_samples, uasc_series, unit_series
from pipeline.reasons import NOT_AVAILABLE
from pipeline.settings import Settings
from pipeline.tables import evidence_tables, shared_columns
from pipeline.tables.frames import conform
from pipeline.trends import NATIONAL_FLAT, NO_CLEAR_DIRECTION
from pipeline.unit_series import Cells, Members

Floats = npt.NDArray[np.float64]

STUDY_WINDOW = "orig_h5"
MEAN, SHARE = "mean", "share"
TOO_FEW_UNITS, NO_VARIATION, NOT_APPLICABLE = "too_few_units", "no_variation", "not_applicable"
PER = 10_000
_FLOWS = "children per 10,000 children aged 0-17"


@dataclass(frozen=True)
class Measure:
    """One measure of the units of a window, in their order: `numbers` of shape (units,), NaN with a reason.

    The numbers of a share are 1 or 0. `told` says what is measured, on which basis, in words.
    """

    variable: str
    told: str
    unit: str
    numbers: Floats
    reasons: npt.NDArray[np.object_]
    kind: str = MEAN
    is_post_baseline: bool = False


def groups_compared(
    changes: pd.DataFrame,
    exposed: pd.DataFrame,
    panel: pd.DataFrame,
    returns: pd.DataFrame,
    tool: pd.DataFrame,
    settings: Settings,
) -> pd.DataFrame:
    """`main.groups_compared`: one row a window and measure; q is adjusted over all tests of the table.

    `changes`, `exposed` and `panel` are `main.five_year_change`, `main.exposures` and `main.care_numbers`; `returns` and
    `tool` are `core.spending` and `core.interactive_tool`, either of which may be empty.
    """
    pounds = spending.expenditure(returns, tool)
    rows = [
        row
        for window_id in _windows(changes, settings.windows.years)
        for row in _rows(changes.loc[changes["window_id"] == window_id], exposed, panel, pounds, settings)
    ]
    table = evidence_tables.GROUPS_COMPARED
    return conform(_adjusted(pd.DataFrame(rows, columns=table.column_names)), table)


def directed_window(changes: pd.DataFrame, years: int) -> str | None:
    """The newest window of that length in which England has a direction, else the newest; None without any."""
    windows = changes.drop_duplicates("window_id")
    own = windows.loc[windows["window_end"] - windows["window_start"] == years]
    directed = own.loc[own["england_direction"] != NO_CLEAR_DIRECTION]
    newest = (directed if len(directed) else own).nlargest(1, "window_end")
    return None if newest.empty else str(newest["window_id"].iloc[0])


def _windows(changes: pd.DataFrame, years: int) -> list[str]:
    """That window and the study's, those of them that are computed, each once."""
    newest = directed_window(changes, years)
    study = [STUDY_WINDOW] if (changes["window_id"] == STUDY_WINDOW).any() else []
    return list(dict.fromkeys([*([newest] if newest else []), *study]))


# ---------------------------------------------------------------------------------------------------------------------
# The measures


def _measures(
    units: pd.DataFrame, exposed: pd.DataFrame, panel: pd.DataFrame, pounds: pd.DataFrame
) -> Iterator[Measure]:
    year = int(units["window_start"].iloc[0])
    children = units["population_start"].to_numpy(dtype=float)
    stock = units["looked_after_start"].to_numpy(dtype=float)
    members = _members(units, panel, year)
    nobody = np.full(len(units), None, dtype=object)

    def of_panel(name: str) -> Cells:
        return unit_series.cells(
            panel["la_code"], panel["year"], panel[name], panel[f"{name}_reason"], no_row=NOT_AVAILABLE
        )

    rate = units["rate_start"].to_numpy(dtype=float)
    yield Measure("baseline_rate", f"rate on 31 March {year}", shared_columns.PER_10K, rate, nobody)
    yield _exposure(exposures.DEPRIVATION_LEVEL, "per cent of children", units, exposed)
    yield _exposure(exposures.DEPRIVATION_CHANGE, "percentage points", units, exposed)
    counts, reasons = unit_series.add_up(uasc_series.cells(panel).point, year, members)
    yield Measure(
        "uasc_share",
        f"unaccompanied asylum-seeking children among the looked after on 31 March {year}; a marked cell is the middle "
        "of its bounds",
        "per cent of children looked after",
        100 * counts / stock,
        reasons,
    )
    yield _exposure(exposures.OFSTED_GOOD, "per cent of units judged good or better", units, exposed, SHARE)
    yield _exposure(exposures.INNOVATION, "per cent of units found to take part", units, exposed, SHARE)
    spent = pounds.loc[pounds["year"] == year]
    cells = unit_series.cells(spent["la_code"], spent["year"], spent["pounds"], spent["pounds_reason"],
                              no_row=NOT_AVAILABLE)  # fmt: skip
    counts, reasons = unit_series.add_up(cells, year, members)
    basis = ", ".join(sorted(spent["spending_basis"].dropna().unique())) or "no return"
    yield Measure(
        "spending_per_child",
        f"total expenditure on children looked after in the financial year ending {year} ({basis})",
        "pounds of the day per child aged 0-17",
        counts / children,
        reasons,
    )
    for flow in ("started", "ceased"):
        counts, reasons = unit_series.add_up(of_panel(flow), year, members)
        told = f"children who {flow} to be looked after in the year ending 31 March {year}"
        yield Measure(f"{flow}_per_10k", told, _FLOWS, PER * counts / children, reasons)


def _members(units: pd.DataFrame, panel: pd.DataFrame, year: int) -> list[Members]:
    """Of every unit the authorities in being on 31 March of the year, for whom alone the panel has rows."""
    in_being = set(panel.loc[panel["year"] == year, "la_code"])
    members = [tuple(code for code in joined.split("+") if code in in_being) for joined in units["members"]]
    return [Members(codes, None if codes else unit_series.NOT_IN_BEING) for codes in members]


def _exposure(variable: str, unit: str, units: pd.DataFrame, exposed: pd.DataFrame, kind: str = MEAN) -> Measure:
    window_id = units["window_id"].iloc[0]
    own = exposed.loc[(exposed["window_id"] == window_id) & (exposed["variable"] == variable)]
    texts = {name: own[name].astype("string") for name in ("unit_id", "reason")}
    of_units = own.assign(**texts).set_index("unit_id").reindex(units["unit_id"])
    values = of_units["value"].to_numpy(dtype=float)
    reasons = (
        of_units["reason"].fillna(exposures.NO_EXPOSURE).to_numpy(dtype=object)
    )  # looked at where there is no value
    return Measure(
        variable,
        "" if own.empty else str(own["measure"].iloc[0]),
        unit,
        values,
        reasons,
        kind,
        is_post_baseline=bool(own["is_post_baseline"].any()),
    )


# ---------------------------------------------------------------------------------------------------------------------
# The comparison


def _rows(
    units: pd.DataFrame, exposed: pd.DataFrame, panel: pd.DataFrame, pounds: pd.DataFrame, settings: Settings
) -> Iterator[dict[str, object]]:
    first = units.iloc[0]
    is_flat = first["england_direction"] == NO_CLEAR_DIRECTION
    has_bucked = units["bucked"].fillna(False).to_numpy(dtype=bool)
    for measure in _measures(units, exposed, panel, pounds):
        yield {
            **{name: first[name] for name in ("window_id", "window_start", "window_end", "england_direction")},
            "variable": measure.variable,
            "measure": measure.told,
            "is_post_baseline": measure.is_post_baseline,
            "unit_of_value": measure.unit,
            "compared": measure.kind,
            "interval_method": two_samples.WELCH if measure.kind == MEAN else two_samples.NEWCOMBE,
            "test": two_samples.WELCH if measure.kind == MEAN else two_samples.FISHER,
            **(_no_groups(measure) if is_flat else _compared(measure, has_bucked, settings)),
        }


def _no_groups(measure: Measure) -> dict[str, object]:
    return {
        "n": int(np.isfinite(measure.numbers).sum()),
        **_missing(measure),
        "reason": NATIONAL_FLAT,
        "median_reason": NATIONAL_FLAT,
    }


def _compared(measure: Measure, has_bucked: npt.NDArray[np.bool_], settings: Settings) -> dict[str, object]:
    known = np.isfinite(measure.numbers)
    bucked, others = measure.numbers[known & has_bucked], measure.numbers[known & ~has_bucked]
    both = measure.numbers[known]
    scale = 100 if measure.kind == SHARE else 1
    missing = _missing(measure)
    reason = _why_not(measure, bucked, others, missing["missing_reason"], settings.groups.fewest_in_group)
    has_medians = len(bucked) > 0 and len(others) > 0
    row: dict[str, object] = {
        "n": len(both),
        "n_bucked": len(bucked),
        "n_others": len(others),
        **missing,
        "bucked_mean": _mean(bucked, scale),
        "others_mean": _mean(others, scale),
        "bucked_median": _median(bucked, measure.kind),
        "others_median": _median(others, measure.kind),
        "median_reason": NOT_APPLICABLE if measure.kind == SHARE else (None if has_medians else reason),
        "reason": reason,
    }
    if reason is not None:
        return row
    confidence = settings.groups.confidence
    if measure.kind == SHARE:
        yes = [int(group.sum()) for group in (bucked, others)]
        found = two_samples.shares(yes[0], len(bucked), yes[1], len(others), confidence)
    else:
        found = two_samples.welch(bucked, others, confidence)
    return row | {
        "difference": scale * found.value,
        "lower_95": scale * found.low,
        "upper_95": scale * found.high,
        "standard_deviation": scale * float(np.std(both, ddof=1)),
        "p_value": found.p,
    }


def _mean(numbers: Floats, scale: int) -> float:
    return scale * float(numbers.mean()) if len(numbers) else np.nan


def _median(numbers: Floats, kind: str) -> float:
    return float(np.median(numbers)) if kind == MEAN and len(numbers) else np.nan


def _why_not(measure: Measure, bucked: Floats, others: Floats, missing: object, fewest: int) -> str | None:
    """Why the groups cannot be compared: nobody has a value, too few of a group have, or all have the same."""
    both = np.concatenate([bucked, others])
    if not len(both):
        return str(missing)
    if min(len(bucked), len(others)) < fewest:
        return TOO_FEW_UNITS
    if measure.kind == SHARE:
        return NO_VARIATION if np.ptp(both) == 0 else None
    return NO_VARIATION if np.ptp(bucked) == np.ptp(others) == 0 else None


def _missing(measure: Measure) -> dict[str, object]:
    """How many units have no value, and the commonest reason; of two as common the first in the alphabet."""
    reasons = sorted(str(reason) for reason in measure.reasons[np.isnan(measure.numbers)])
    commonest = max(sorted(set(reasons)), key=reasons.count) if reasons else None
    return {"n_missing": len(reasons), "missing_reason": commonest}


def _adjusted(rows: pd.DataFrame) -> pd.DataFrame:
    """With q over all tests that were made, and their number."""
    p = rows["p_value"].astype("float64")
    tested = p.notna()
    q = pd.Series(np.nan, index=rows.index)
    q[tested] = evidence.benjamini_hochberg(p[tested].to_numpy())
    return rows.assign(q_value=q, n_tests=int(tested.sum()))


def apart(table: pd.DataFrame, false_discovery: float) -> list[str]:
    """Window and variable of every row whose q is at or under a rate of false discovery, for a headline."""
    own = table.loc[table["q_value"] <= false_discovery]
    return [f"{row.window_start} to {row.window_end} {row.variable}" for row in own.itertuples()]
