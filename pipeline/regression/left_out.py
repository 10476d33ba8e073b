"""Which authorities are in no model, and why: the regression stage of `main.exclusions` (methods.md B11).

What belongs here: the rows of units that a model leaves out, or that have no model at all. What does not: who is left out of
the window itself (`exclusions`), and the reasons (`models`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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
    names = {
        window.window_id: dict(zip(window.units.index, window.units["unit_name"], strict=True)) for window in windows
    }
    frames = [
        frame for one in first.values() for frame in _of_model(one, by_window[one.window_id], names[one.window_id])
    ]
    empty = pd.DataFrame(columns=main_tables.EXCLUSIONS.column_names)
    return conform(pd.concat(frames, ignore_index=True) if frames else empty, main_tables.EXCLUSIONS)


def _of_model(fitted: Fitted, window: WindowUnits, names: Mapping[str, str]) -> Iterator[pd.DataFrame]:
    units = len(window.units)
    complete = units - len(fitted.left_out)
    if fitted.left_out:
        told = [(unit_id, reason, reason.replace("_", " ")) for unit_id, reason in fitted.left_out.items()]
        yield _of_step(fitted, COMPLETE_CASES, told, names, units, complete)
    if isinstance(fitted.result, Problem) and complete:
        reason, words = fitted.result.reason, f"the model was not fitted: {fitted.result.detail}"
        others = [(unit_id, reason, words) for unit_id in window.units.index.difference(list(fitted.left_out))]
        yield _of_step(fitted, FITTED, others, names, complete, 0)


def _of_step(
    fitted: Fitted, step: str, told: Sequence[tuple[str, str, str]], names: Mapping[str, str], before: int, after: int
) -> pd.DataFrame:
    """A row for each authority of each unit; a unit's names stand in the order of its codes (methods.md B8).

    `told` has the unit's id, the reason and the reason in words.
    """
    rows = [
        (code, own, unit_id, reason, f"{names[unit_id]}: {words}")
        for unit_id, reason, words in told
        for code, own in zip(unit_id.split("+"), names[unit_id].split(" + "), strict=True)
    ]
    return pd.DataFrame(rows, columns=["la_code", "la_name", "unit_id", "reason", "detail"]).assign(
        window_id=fitted.window_id,
        window_start=fitted.window_start,
        window_end=fitted.window_end,
        stage=REGRESSION,
        model=fitted.model,
        step=step,
        rule=EXCLUDED,
        year=None,
        evidence=None,
        n_before=before,
        n_after=after,
    )
