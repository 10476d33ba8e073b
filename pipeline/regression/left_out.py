"""Which authorities are in no model, and why: the regression stage of `main.exclusions` (methods.md B11).

What belongs here: the rows of units that a model leaves out, or that have no model at all. What does not: who is left out of
the window itself (`exclusions`), and the reasons (`models`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from pipeline.exclusions import EXCLUDED
from pipeline.regression import models
from pipeline.regression.design import Fitted, Problem
from pipeline.regression.observations import WindowUnits
from pipeline.tables import main_tables
from pipeline.tables.frames import conform

REGRESSION = "regression"
COMPLETE_CASES, FITTED = "complete_cases", "fitted"
_ALONE = "M0"

Row = dict[str, Any]


def regression_exclusions(windows: Sequence[WindowUnits], fitted: Sequence[Fitted]) -> pd.DataFrame:
    """Rows of `main.exclusions`: for each model of a window the units it leaves out, an authority a row.

    The units of a model are those of its primary variant (of M7: of either); region effects and outcomes in points have the
    same. Of M0 every variable has its own units, which `main.univariate_associations` counts. Where a model was not fitted,
    the units with every value are listed with its reason, in the step `fitted`.
    """
    by_window = {window.window_id: window for window in windows}
    first: dict[tuple[str, str], Fitted] = {}
    for one in fitted:
        if one.model != _ALONE and one.variant in (models.PRIMARY, models.HUBER):
            first.setdefault((one.window_id, one.model), one)
    rows = [row for one in first.values() for row in _of_model(one, by_window[one.window_id])]
    return conform(pd.DataFrame(rows, columns=main_tables.EXCLUSIONS.column_names), main_tables.EXCLUSIONS)


def _of_model(fitted: Fitted, window: WindowUnits) -> Iterator[Row]:
    units = len(window.units)
    complete = units - len(fitted.left_out)
    for unit_id, reason in fitted.left_out.items():
        words = reason.replace("_", " ")
        yield from _of_unit(fitted, window, unit_id, COMPLETE_CASES, reason, words, units, complete)
    if isinstance(fitted.result, Problem):
        for unit_id in window.units.index.difference(list(fitted.left_out)):
            reason, words = fitted.result.reason, f"the model was not fitted: {fitted.result.detail}"
            yield from _of_unit(fitted, window, str(unit_id), FITTED, reason, words, complete, 0)


def _of_unit(
    fitted: Fitted, window: WindowUnits, unit_id: str, step: str, reason: str, words: str, before: int, after: int
) -> Iterator[Row]:
    """A row for each authority of a unit; its names stand in the order of its codes (methods.md B8)."""
    name = str(window.units.at[unit_id, "unit_name"])
    for code, own in zip(unit_id.split("+"), name.split(" + "), strict=True):
        yield {
            "window_id": fitted.window_id,
            "window_start": fitted.window_start,
            "window_end": fitted.window_end,
            "stage": REGRESSION,
            "model": fitted.model,
            "step": step,
            "rule": EXCLUDED,
            "la_code": code,
            "la_name": own,
            "unit_id": unit_id,
            "year": None,
            "reason": reason,
            "detail": f"{name}: {words}",
            "evidence": None,
            "n_before": before,
            "n_after": after,
        }
