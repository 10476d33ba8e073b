"""The findings of the regressions as the pages show them.

What belongs here: which windows have one and in which order. What does not: their words (`pipeline.regression.findings`).
"""

from __future__ import annotations

from pipeline.database import Record
from pipeline.report.published import Published

_HAS_MODEL = (
    "EXISTS (SELECT 1 FROM main.regression_models AS m WHERE m.window_id = f.window_id AND m.model = 'M2'"
    " AND m.reason IS NULL)"
)
_FINDINGS = "SELECT f.*, w.role FROM about.findings AS f JOIN main.windows AS w USING (window_id)"
_NEWEST_FIRST = "w.role <> 'primary', f.window_end DESC, f.window_start DESC, window_id"


def fitted(published: Published) -> list[Record]:
    """The findings of the windows whose primary model was fitted: the primary window, then from the newest back."""
    return published.rows(f"{_FINDINGS} WHERE {_HAS_MODEL} ORDER BY {_NEWEST_FIRST}")


def not_fitted(published: Published) -> list[Record]:
    """Those of the other windows, which say why."""
    return published.rows(f"{_FINDINGS} WHERE NOT {_HAS_MODEL} ORDER BY {_NEWEST_FIRST}")
