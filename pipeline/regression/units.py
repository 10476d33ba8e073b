"""The regressions as pieces of work that do not need one another, and what they come to put together again.

What belongs here: cutting the work into windows and ranges of draws, doing one piece, adding the pieces up. What does not:
any figure (the modules beside it), and where and in which order pieces are worked on: they may be in other processes or on
other machines, and the figures do not depend on it, nor on how the work was cut.

A piece takes with it all that it needs and nothing more. Its draws are a range of the one stream of methods.md D9: it passes
over those before its own. Of the pieces of a window the one with the first draws makes the tables; the others have tallies.

Matrices here are small, some 150 rows: on one thread of the linear algebra library they are faster, and the figures do not
depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from threadpoolctl import threadpool_limits

from pipeline import volatility
from pipeline.regression import coefficients, influence, left_out, models, panel_models, univariate
from pipeline.regression.design import Problem
from pipeline.regression.models import Key, Resampled
from pipeline.regression.observations import WindowUnits
from pipeline.regression.panel_models import Panel
from pipeline.settings import Settings
from pipeline.tables import main_tables, model_tables
from pipeline.tables.frames import conform, stacked

TOGETHER = "together"


@dataclass(frozen=True)
class Cut:
    """How the work is cut: one window at a time or all together, and at most so many draws at a time (None: all)."""

    by_window: bool = False
    draws_at_most: int | None = None

    def draws(self, wanted: int) -> list[range]:
        """The draws in ranges that follow on one another; one empty range where none are wanted."""
        size = max(1, min(self.draws_at_most or wanted, wanted))
        return [range(first, min(first + size, wanted)) for first in range(0, max(wanted, 1), size)]


@dataclass(frozen=True)
class Piece:
    """One piece of work: some windows, with their panels where it makes tables, and a range of the draws.

    `name` is its own among all.
    """

    name: str
    windows: tuple[WindowUnits, ...]
    panels: tuple[Panel | Problem, ...]
    usual_movement: volatility.Fit
    draws: range

    @property
    def makes_tables(self) -> bool:
        """Whether it makes the tables of its windows."""
        return self.draws.start == 0


@dataclass(frozen=True)
class Tables:
    """The tables of the models, and the regression stage of `main.exclusions`; of some windows or of all."""

    coefficients: pd.DataFrame
    models: pd.DataFrame
    influence: pd.DataFrame
    univariate: pd.DataFrame
    exclusions: pd.DataFrame


@dataclass(frozen=True)
class Done:
    """What a piece came to. The p-values of resampling in `tables` are of its own draws, as are those of `resampled`."""

    tables: Tables | None
    resampled: dict[Key, Resampled]


_DECLARED = {
    "coefficients": model_tables.REGRESSION_COEFFICIENTS,
    "models": model_tables.REGRESSION_MODELS,
    "influence": model_tables.REGRESSION_INFLUENCE,
    "univariate": model_tables.UNIVARIATE_ASSOCIATIONS,
    "exclusions": main_tables.EXCLUSIONS,
}


def pieces(
    windows: Sequence[WindowUnits],
    panels: Sequence[Panel | Problem],
    usual_movement: volatility.Fit,
    settings: Settings,
    cut: Cut,
) -> Iterator[Piece]:
    """The work in pieces, those with tables first; `panels` in the order of the windows."""
    together = [(TOGETHER, tuple(windows), tuple(panels))]
    alone = [(window.window_id, (window,), (panel,)) for window, panel in zip(windows, panels, strict=True)]
    for place, draws in enumerate(cut.draws(settings.regression.resampling_draws)):
        for name, own, their_panels in alone if cut.by_window else together:
            needed = () if place else their_panels
            yield Piece(f"{name}_draws_{place}" if place else name, own, needed, usual_movement, draws)


def work(piece: Piece, settings: Settings) -> Done:
    """Fit and resample one piece."""
    with threadpool_limits(1, user_api="blas"):
        of_changes = models.models(piece.windows, piece.usual_movement, settings, only_resampled=not piece.makes_tables)
        resampled = models.resampled(of_changes, settings, piece.draws)
        if not piece.makes_tables:
            return Done(None, resampled)
        alone, associations = univariate.models(piece.windows, settings)
        of_panels = [
            one
            for window, panel in zip(piece.windows, piece.panels, strict=True)
            for one in panel_models.of_panel(window, panel, settings.regression)
        ]
        fitted = [*alone, *of_changes, *of_panels]
        windows = piece.windows
        tables = Tables(
            coefficients=coefficients.table(fitted, resampled, settings, windows=windows, univariate=associations),
            models=coefficients.models_table(fitted, settings, windows=windows),
            influence=influence.table(fitted, windows=windows),
            univariate=associations,
            exclusions=left_out.regression_exclusions(windows, fitted),
        )
    return Done(tables, resampled)


def together(done: Sequence[Done], settings: Settings) -> Tables:
    """The tables of all pieces, in whatever order they come. ValueError when a piece is missing or there twice."""
    sums = _added_up(done)
    wanted = settings.regression.resampling_draws
    wrong = next((key for key, one in sums.items() if one.wild_tally.draws != wanted), None)
    if wrong is not None:
        raise ValueError(f"{sums[wrong].wild_tally.draws} draws of {wanted} for {wrong}")
    found = _joined([one.tables for one in done if one.tables is not None])
    return replace(found, coefficients=coefficients.with_resampling(found.coefficients, sums))


def _joined(parts: Sequence[Tables]) -> Tables:
    """The rows of all parts in their declared order."""
    if len(parts) == 1:
        return parts[0]
    joined = {}
    for name, table in _DECLARED.items():
        own = [getattr(part, name) for part in parts]
        filled = [frame for frame in own if len(frame)] or own[:1]
        joined[name] = conform(stacked(filled), table)
    return Tables(**joined)


def _added_up(done: Sequence[Done]) -> dict[Key, Resampled]:
    """What all draws say of each coefficient; the figures without draws are the same in every piece."""
    sums: dict[Key, Resampled] = {}
    for one in done:
        for key, resampled in one.resampled.items():
            sums[key] = sums[key] + resampled if key in sums else resampled
    return sums
