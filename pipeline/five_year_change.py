"""`main.five_year_change` put together: changes and classes, how unusual they are, and whether other measures agree.

What belongs here: the one place where the columns of that table meet, with the tables that come out beside it. What does
not: any of the figures (`trends`, `change_evidence`, `alternates`).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pipeline import alternates, change_evidence, trends, volatility
from pipeline.geography import Areas
from pipeline.settings import Settings
from pipeline.tables import main_tables
from pipeline.tables.frames import conform
from pipeline.windows import WindowData


@dataclass(frozen=True)
class Inputs:
    """The stored tables that the changes rest on; `tool` may be empty."""

    looked_after: pd.DataFrame
    population: pd.DataFrame
    tool: pd.DataFrame
    panel: pd.DataFrame
    volatility: pd.DataFrame


@dataclass(frozen=True)
class Found:
    """`main.five_year_change`, `main.five_year_change_alternates` and `main.baseline_convergence`."""

    changes: pd.DataFrame
    alternates: pd.DataFrame
    convergence: pd.DataFrame


def five_year_change(windows: list[WindowData], inputs: Inputs, areas: Areas, settings: Settings) -> Found:
    """Every unit of every computed window with its evidence, its alternates and the lines of the windows."""
    usual, fitted_years = volatility.from_table(inputs.volatility)
    changes = trends.changes(windows, areas.too_small, settings.classes)
    judged, convergence = change_evidence.with_evidence(
        changes, windows, inputs.looked_after, inputs.population, areas, usual, fitted_years, settings.evidence
    )
    sources = alternates.sources(
        inputs.looked_after, inputs.population, inputs.tool, inputs.panel, settings.evidence.first_long_year
    )
    others = alternates.five_year_change_alternates(
        changes, windows, sources, areas, settings.classes, settings.windows
    )
    agreement = alternates.agreement(changes, others, settings.evidence)
    return Found(
        changes=conform(pd.concat([judged, agreement], axis=1), main_tables.FIVE_YEAR_CHANGE),
        alternates=others,
        convergence=convergence,
    )
