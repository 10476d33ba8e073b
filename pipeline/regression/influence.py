"""How much each unit weighs in the models that carry the findings (methods.md D5).

What belongs here: `main.regression_influence`, of M1, M2 and M10. What does not: the figures themselves (`diagnostics`),
and leaving a unit out: none is, whatever its weight.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.regression import diagnostics, models, terms
from pipeline.regression.design import Fit, Fitted
from pipeline.regression.observations import WindowUnits
from pipeline.tables import model_tables
from pipeline.tables.frames import conform, empty, of_one_text, stacked

NOT_APPLICABLE = "not_applicable"
_MODELS = ("M1", "M2", "M10")


def table(fitted: Sequence[Fitted], *, windows: Sequence[WindowUnits]) -> pd.DataFrame:
    """`main.regression_influence`: a row a unit of every fitted M1, M2 and M10 in its primary variant."""
    names = {window.window_id: window.units["unit_name"] for window in windows}
    parts = [
        _of_model(one, one.result, names[one.window_id])
        for one in fitted
        if one.model in _MODELS and one.variant == models.PRIMARY and isinstance(one.result, Fit)
    ]
    declared = model_tables.REGRESSION_INFLUENCE
    return conform(stacked(parts), declared) if parts else empty(declared)


def _of_model(fitted: Fitted, fit: Fit, names: pd.Series) -> pd.DataFrame:
    design = fit.design
    moved = diagnostics.dfbetas(design, fit)
    columns: dict[str, object] = {
        f"dfbetas_{term}": moved[:, design.column(term)] if term in design.names else np.nan for term in terms.PRIMARY
    }
    is_far = np.abs(moved) > diagnostics.dfbetas_limit(design.n)
    flagged = [term for term in terms.PRIMARY if term in design.names]
    places = [design.column(term) for term in flagged]
    found = diagnostics.influence(design, fit)
    n = len(found)
    return found.assign(
        unit_id=pd.Categorical(found["unit_id"]),
        window_id=of_one_text(fitted.window_id, n),
        window_start=fitted.window_start,
        window_end=fitted.window_end,
        outcome=of_one_text(fitted.outcome, n),
        model=of_one_text(fitted.model, n),
        region_effects=fitted.region_effects,
        unit_name=pd.Categorical(names.loc[list(design.units)].to_numpy()),
        dfbetas_baseline_reason=of_one_text(None if terms.BASELINE in design.names else NOT_APPLICABLE, n),
        terms_moved=pd.Categorical(
            [", ".join(term for term, far in zip(flagged, row, strict=True) if far) for row in is_far[:, places]]
        ),
        n=design.n,
        **columns,
    )
