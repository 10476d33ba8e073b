"""Every regression of a run, put together: from the stored tables of changes and exposures to the tables of the models.

What belongs here: which tables go into which models, and one list of all fits. What does not: any figure (the modules
beside it) and the sentences (`findings`).

Matrices here are small, some 150 rows: on one thread of the linear algebra library they are faster, and the figures do not
depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from threadpoolctl import threadpool_limits

from pipeline import volatility
from pipeline.geography import Areas
from pipeline.regression import (
    coefficients,
    influence,
    left_out,
    models,
    observations,
    panel_models,
    specification_curve,
    univariate,
)
from pipeline.settings import Settings
from pipeline.windows import WindowData


@dataclass(frozen=True)
class Inputs:
    """The stored tables that the models rest on.

    `changes`, `alternates`, `exposures` and `volatility` are the tables of `main` of these names; the others are of `core`.
    """

    changes: pd.DataFrame
    alternates: pd.DataFrame
    exposures: pd.DataFrame
    volatility: pd.DataFrame
    looked_after: pd.DataFrame
    population: pd.DataFrame
    deprivation: pd.DataFrame


@dataclass(frozen=True)
class Found:
    """The tables of the models, and the regression stage of `main.exclusions`."""

    coefficients: pd.DataFrame
    models: pd.DataFrame
    influence: pd.DataFrame
    univariate: pd.DataFrame
    exclusions: pd.DataFrame


def regressions(
    inputs: Inputs,
    data: Sequence[WindowData],
    areas: Areas,
    split_shares: Mapping[tuple[str, str], float],
    settings: Settings,
) -> Found:
    """M0 to M10 of every window with their inference and diagnostics."""
    windows = list(observations.all_windows(inputs.changes, inputs.alternates, inputs.exposures))
    usual, _ = volatility.from_table(inputs.volatility)
    panel = panel_models.inputs(inputs.looked_after, inputs.population, inputs.deprivation, areas, split_shares)
    with threadpool_limits(1, user_api="blas"):
        alone, associations = univariate.models(windows, settings)
        of_changes = models.models(windows, usual, settings)
        fitted = [*alone, *of_changes, *panel_models.models(windows, data, panel, settings.regression)]
        resampled = models.resampled(of_changes, settings)
        return Found(
            coefficients=coefficients.table(fitted, resampled, settings, windows=windows, univariate=associations),
            models=coefficients.models_table(fitted, settings, windows=windows),
            influence=influence.table(fitted, windows=windows),
            univariate=associations,
            exclusions=left_out.regression_exclusions(windows, fitted),
        )


def curve(
    changes: pd.DataFrame, alternates: pd.DataFrame, exposures: pd.DataFrame, usual: pd.DataFrame, settings: Settings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`main.specification_curve` and `main.specification_curve_summary`; `usual` is `main.volatility`."""
    windows = observations.all_windows(changes, alternates, exposures)
    fit, _ = volatility.from_table(usual)
    with threadpool_limits(1, user_api="blas"):
        return specification_curve.specification_curve({one.window_id: one for one in windows}, fit, settings)
