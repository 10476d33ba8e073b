"""Unaccompanied asylum-seeking children (UASC) of units: bounds and point values as the series that changes are made of.

What belongs here: the panel's bounds as cells by authority and year, which `unit_series` adds up over the members of a
unit that are in being (methods.md B10). What does not: the bounds themselves (`uasc`) and the changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pipeline import unit_series
from pipeline.reasons import UASC_NOT_AVAILABLE
from pipeline.unit_series import Cells


@dataclass(frozen=True)
class UascCells:
    """Least, most and point value of UASC by authority and year, each with the reasons where there is none.

    The point is the number itself, or the middle of the bounds where the cell is marked (2.5). `unsure` is 1 where a
    bound may not hold, else 0; added up over the members of a unit it is above 0 where any of them is unsure.
    """

    low: Cells
    high: Cells
    point: Cells
    unsure: Cells


def cells(panel: pd.DataFrame) -> UascCells:
    """The cells of `main.care_numbers`, for `unit_series.of_units`. Years without a source are uasc_not_available."""
    low, high = panel["uasc_low"].astype("Float64"), panel["uasc_high"].astype("Float64")

    def of(values: pd.Series) -> Cells:
        return unit_series.cells(
            panel["la_code"], panel["year"], values, panel["uasc_reason"], no_row=UASC_NOT_AVAILABLE
        )

    return UascCells(
        low=of(low), high=of(high), point=of((low + high) / 2), unsure=of(panel["uasc_bound_unsure"].astype("Float64"))
    )
