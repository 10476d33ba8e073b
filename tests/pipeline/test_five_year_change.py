"""The changes put together: what stays of them where there is no window at all.

What belongs here: the three tables as a whole. What does not: their figures (`test_trends`, `test_change_evidence`,
`test_alternates`).
"""

from __future__ import annotations

from pipeline import five_year_change, panel, settings, volatility
from pipeline.five_year_change import Inputs
from pipeline.tables import covariate_tables, evidence_tables, frames, main_tables
from tests.fixtures.small_country import country


def test_without_a_window_the_tables_are_there_and_empty() -> None:
    small, chosen = country(), settings.load()
    care_numbers = panel.care_numbers(small.looked_after, small.population, small.local_authorities, small.areas)
    _, usual = volatility.volatility(small.looked_after, small.population, small.areas, chosen.evidence)
    tool = frames.empty(covariate_tables.INTERACTIVE_TOOL)
    inputs = Inputs(small.looked_after, small.population, tool, care_numbers, usual)
    found = five_year_change.five_year_change([], inputs, small.areas, chosen)
    for frame, table in (
        (found.changes, main_tables.FIVE_YEAR_CHANGE),
        (found.alternates, evidence_tables.FIVE_YEAR_CHANGE_ALTERNATES),
        (found.convergence, evidence_tables.BASELINE_CONVERGENCE),
    ):
        assert len(frame) == 0
        assert frame.dtypes.to_dict() == frames.empty(table).dtypes.to_dict(), table.name
