"""Every regression of a run, put together: from the stored tables of changes and exposures to the tables of the models.

What belongs here: which tables go into which models. What does not: how the work is cut and put together (`units`), any
figure (the modules beside it) and the sentences (`findings`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from threadpoolctl import threadpool_limits

from pipeline import volatility
from pipeline.geography import Areas
from pipeline.regression import observations, panel_models, specification_curve, units
from pipeline.regression.units import Cut, Piece, Tables
from pipeline.settings import Settings
from pipeline.windows import WindowData

TOGETHER = Cut()


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


def pieces(
    inputs: Inputs,
    data: Sequence[WindowData],
    areas: Areas,
    split_shares: Mapping[tuple[str, str], float],
    settings: Settings,
    cut: Cut,
) -> Iterator[Piece]:
    """M0 to M10 of every window with their inference and diagnostics, as pieces of work."""
    windows = list(observations.all_windows(inputs.changes, inputs.alternates, inputs.exposures))
    usual, _ = volatility.from_table(inputs.volatility)
    found = panel_models.inputs(inputs.looked_after, inputs.population, inputs.deprivation, areas, split_shares)
    data_of = {one.window.window_id: one for one in data}
    panels = [panel_models.panel(window, data_of[window.window_id], found) for window in windows]
    return units.pieces(windows, panels, usual, settings, cut)


def regressions(
    inputs: Inputs,
    data: Sequence[WindowData],
    areas: Areas,
    split_shares: Mapping[tuple[str, str], float],
    settings: Settings,
    cut: Cut = TOGETHER,
) -> Tables:
    """The same, worked on here one piece after the other."""
    done = [units.work(piece, settings) for piece in pieces(inputs, data, areas, split_shares, settings, cut)]
    return units.together(done, settings)


def curve_pieces(
    changes: pd.DataFrame,
    alternates: pd.DataFrame,
    exposures: pd.DataFrame,
    usual: pd.DataFrame,
    settings: Settings,
    cut: Cut,
) -> Iterator[specification_curve.Piece]:
    """The specification curve as pieces of work, one a focal term and range of draws; `usual` is `main.volatility`."""
    there = set(changes["window_id"].unique())
    windows = {
        name: observations.of_window(name, changes, alternates, exposures)
        for name in specification_curve.WINDOWS
        if name in there
    }
    fit, _ = volatility.from_table(usual)
    return specification_curve.pieces(windows, fit, settings, cut.draws(settings.regression.curve_draws))


def curve_piece(piece: specification_curve.Piece, settings: Settings) -> specification_curve.Done:
    """Work on one of them."""
    with threadpool_limits(1, user_api="blas"):
        return specification_curve.work(piece, settings)


def curve(
    changes: pd.DataFrame, alternates: pd.DataFrame, exposures: pd.DataFrame, usual: pd.DataFrame, settings: Settings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`main.specification_curve` and `main.specification_curve_summary`, worked on here one piece after the other."""
    pieces = curve_pieces(changes, alternates, exposures, usual, settings, TOGETHER)
    return specification_curve.together([curve_piece(piece, settings) for piece in pieces], settings)
