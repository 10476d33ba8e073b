"""The tables of the models: a row a coefficient, and a row a model with its diagnostics (methods.md D4, D5).

What belongs here: turning fits, and the reasons why there are none, into `main.regression_coefficients` and
`main.regression_models`. What does not: the fits, their diagnostics and the resampling.

A model that was not fitted has rows with a reason and no number. A number that a fitted model does not have is missing with
a reason of its own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from pipeline import exposures, randomness
from pipeline.regression import design as designs
from pipeline.regression import diagnostics, models, observations, terms
from pipeline.regression.design import Fit, Fitted, Floats, Problem
from pipeline.regression.models import Key, Resampled
from pipeline.regression.observations import WindowUnits
from pipeline.settings import Settings
from pipeline.tables import model_tables
from pipeline.tables.declare import Table
from pipeline.tables.frames import conform

NOT_APPLICABLE = "not_applicable"
ALONE = "M0"  # its models have one variable each and share one id: their constants would be one row
_RATE = "children looked after per 10,000 children aged 0-17"
_PANEL_TERMS = (terms.DEPRIVATION_WITHIN, terms.DEPRIVATION_BETWEEN, terms.DEPRIVATION_LAGGED)
_DEPRIVATION = (
    terms.DEPRIVATION_CHANGE, exposures.FREE_MEALS_CHANGE, exposures.DEPRIVATION_CHANGE_RELATIVE, *_PANEL_TERMS,
    terms.DEPRIVATION_LEVEL, exposures.FREE_MEALS_LEVEL,
)  # fmt: skip
# Each column that says why others are missing, which are then missing together.
_REASONS = (
    "second_reason", "percent_reason", "spread_reason", "partial_r2_reason", "vif_reason", "resampling_reason",
    "region_bootstrap_reason", "permutation_reason", "q_value_reason",
)  # fmt: skip

_P_VALUES: dict[str, Callable[[Resampled], float | None]] = {
    "wild_bootstrap_p": lambda one: one.wild,
    "region_bootstrap_p": lambda one: one.region,
    "permutation_p": lambda one: one.permutation,
}

Row = dict[str, Any]
Adjusted = Mapping[tuple[str, str, str], tuple[float, int]]


def table(
    fitted: Sequence[Fitted],
    resampled: Mapping[Key, Resampled],
    settings: Settings,
    *,
    windows: Sequence[WindowUnits],
    univariate: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """`main.regression_coefficients`.

    `windows` say what their variables measure. `univariate` has the q_value and n_tests of the terms of M0 by window_id,
    outcome and term (`main.univariate_associations`).
    """
    measures = {window.window_id: window.measure for window in windows}
    adjusted = _adjusted(univariate)
    rows = [
        row
        for one in fitted
        for row in _rows(one, measures.get(one.window_id, {}), resampled, adjusted, settings.regression.detectable)
    ]
    return _framed(rows, model_tables.REGRESSION_COEFFICIENTS)


def with_resampling(frame: pd.DataFrame, resampled: Mapping[Key, Resampled]) -> pd.DataFrame:
    """`main.regression_coefficients` with the p-values of these draws in place of those that are there."""
    places = {key: place for place, key in enumerate(map(Key._make, frame[list(Key._fields)].itertuples(index=False)))}
    rows = [places[key] for key in resampled]
    told = frame.copy()
    for column, p_of in _P_VALUES.items():
        values = told[column].to_numpy(dtype=float, na_value=np.nan, copy=True)
        values[rows] = [np.nan if (p := p_of(one)) is None else p for one in resampled.values()]
        told[column] = values
    return told


def models_table(fitted: Sequence[Fitted], settings: Settings, *, windows: Sequence[WindowUnits]) -> pd.DataFrame:
    """`main.regression_models`; Moran's permutations are seeded by the number of the model."""
    measures = {window.window_id: window.measure for window in windows}
    run = {
        "seed": settings.seed,
        "moran_draws": settings.regression.moran_draws,
        "resampling_draws": settings.regression.resampling_draws,
        "numpy_version": np.__version__,
        "statsmodels_version": version("statsmodels"),
        "settings_sha256": settings.sha256,
    }
    rows = [_model_row(one, measures.get(one.window_id, {}), settings) | run for one in fitted]
    return _framed(rows, model_tables.REGRESSION_MODELS)


def _framed(rows: list[Row], declared: Table) -> pd.DataFrame:
    return conform(pd.DataFrame(rows, columns=declared.column_names), declared)


def _names(fitted: Fitted) -> Row:
    """The columns that both tables begin with."""
    return {
        "window_id": fitted.window_id,
        "window_start": fitted.window_start,
        "window_end": fitted.window_end,
        "outcome": fitted.outcome,
        "model": fitted.model,
        "region_effects": fitted.region_effects,
        "variant": fitted.variant,
    }


def _result(fitted: Fitted) -> Fit | Problem:
    """The fit, or why there is no number: one that is not finite would only look like a result."""
    fit = fitted.result
    if isinstance(fit, Problem):
        return fit
    finite = np.isfinite(fit.estimate) & np.isfinite(fit.std_error) & (fit.std_error > 0)
    if finite.all():
        return fit
    term = fit.design.names[int(np.argmin(finite))]
    return Problem(designs.SINGULAR, f"the residuals leave {term} without a standard error", term)


def _note(fitted: Fitted) -> str | None:
    said = fitted.result.notes if isinstance(fitted.result, Fit) else ()
    return " ".join(part for part in (fitted.note, *said) if part) or None


# ---------------------------------------------------------------------------------------------------------------------
# Coefficients


def _rows(
    fitted: Fitted,
    measures: Mapping[str, str],
    resampled: Mapping[Key, Resampled],
    adjusted: Adjusted,
    detectable: float,
) -> Iterator[Row]:
    result = _result(fitted)
    note = _note(fitted)
    if isinstance(result, Problem):
        missing = dict.fromkeys(("reason", *_REASONS), result.reason)
        for term in fitted.terms:
            yield _about(fitted, term, measures) | missing | {"detail": result.detail, "note": note}
        return
    columns = _columns(result, detectable)
    spreads = _spreads(result)
    partial_r2, vif = diagnostics.partial_r2(result), diagnostics.vif(result.design)
    for place, term in enumerate(result.design.names):
        if fitted.model == ALONE and term == terms.CONSTANT:
            continue
        yield {
            **_about(fitted, term, measures),
            "method": result.method,
            **{name: float(values[place]) for name, values in columns.items()},
            **_second(result, place),
            **_percentages(fitted, result, term, place),
            **spreads[place],
            **_known("partial_r2", float(partial_r2[place])),
            **_known("vif", float(vif[place])),
            **_resampled(resampled.get(models.key_of(fitted, term))),
            **_adjusted_p(fitted, term, adjusted),
            "n": result.design.n,
            "df": float(result.df),
            "note": note,
        }


def _about(fitted: Fitted, term: str, measures: Mapping[str, str]) -> Row:
    return {
        **_names(fitted),
        "term": term,
        "unit_of_term": fitted.units_of_terms.get(term, terms.unit_of(term)),
        "measure": _measure(fitted, term, measures),
        "is_log_outcome": fitted.is_log,
        "is_post_baseline": term in fitted.post_baseline,
    }


def _measure(fitted: Fitted, term: str, measures: Mapping[str, str]) -> str:
    """What a term measures, in words; of the terms of a panel, the measure over its years."""
    if term == terms.BASELINE and fitted.outcome == observations.CHANGE_PER_10K:
        return _RATE
    variable = exposures.DEPRIVATION_CHANGE if term in _PANEL_TERMS else terms.variable_of(term)
    return measures.get(variable, "")


def _columns(fit: Fit, detectable: float) -> dict[str, Floats]:
    """Columns of shape (k,) that every fit has."""
    low, high = fit.limits_95
    return {
        "estimate": fit.estimate,
        "std_error": fit.std_error,
        "statistic": fit.statistic,
        "p_value": fit.p_value,
        "lower_95": low,
        "upper_95": high,
        "minimum_detectable_effect": detectable * fit.std_error,
    }


def _known(name: str, value: float | None) -> Row:
    """A number, or not_applicable in the column of its reason."""
    if value is None or not math.isfinite(value):
        return {name: None, f"{name}_reason": NOT_APPLICABLE}
    return {name: value}


def _second(fit: Fit, place: int) -> Row:
    if fit.second_std_error is None:
        return {"second_reason": NOT_APPLICABLE}
    return {"std_error_second": float(fit.second_std_error[place])}


def _percentages(fitted: Fitted, fit: Fit, term: str, place: int) -> Row:
    """100 (exp(b) - 1) of a log outcome; the constant is a change where every term is 0, which no authority has."""
    if not fitted.is_log or term == terms.CONSTANT:
        return {"percent_reason": NOT_APPLICABLE}
    low, high = fit.limits_95
    sizes = {"effect": fit.estimate, "lower_95": low, "upper_95": high}
    return {f"percent_{name}": 100 * math.expm1(values[place]) for name, values in sizes.items()}


def _spreads(fit: Fit) -> list[Row]:
    """The estimates for one standard deviation and for the distance of the quartiles: a spread is no size for 1 or 0."""
    matrix = fit.design.matrix
    low, high = np.percentile(matrix, [25, 75], axis=0, method="linear")
    per_sd, per_iqr = fit.estimate * np.std(matrix, axis=0, ddof=1), fit.estimate * (high - low)
    is_indicator = [bool(np.isin(column, (0.0, 1.0)).all()) for column in matrix.T]
    return [
        {"spread_reason": NOT_APPLICABLE} if indicator else {"per_sd": float(sd), "per_iqr": float(iqr)}
        for indicator, sd, iqr in zip(is_indicator, per_sd, per_iqr, strict=True)
    ]


def _resampled(found: Resampled | None) -> Row:
    if found is None:
        return dict.fromkeys(("resampling_reason", "region_bootstrap_reason", "permutation_reason"), NOT_APPLICABLE)
    return {
        **{column: p_of(found) for column, p_of in _P_VALUES.items()},
        "leave_one_out_min": found.leave_one_out_min,
        "leave_one_out_max": found.leave_one_out_max,
        "leave_one_out_sign_changes": found.sign_changes,
        "region_bootstrap_reason": NOT_APPLICABLE if found.region is None else None,
        "permutation_reason": NOT_APPLICABLE if found.permutation is None else None,
    }


def _adjusted(univariate: pd.DataFrame | None) -> Adjusted:
    if univariate is None:
        return {}
    known = univariate.loc[univariate["q_value"].notna(), ["window_id", "outcome", "term", "q_value", "n_tests"]]
    return {
        (window, outcome, term): (float(q), int(n)) for window, outcome, term, q, n in known.itertuples(index=False)
    }


def _adjusted_p(fitted: Fitted, term: str, adjusted: Adjusted) -> Row:
    found = adjusted.get((fitted.window_id, fitted.outcome, term)) if fitted.model == ALONE else None
    if found is None:
        return {"q_value_reason": NOT_APPLICABLE}
    return {"q_value": found[0], "n_tests": found[1]}


# ---------------------------------------------------------------------------------------------------------------------
# Models


def _model_row(fitted: Fitted, measures: Mapping[str, str], settings: Settings) -> Row:
    row = {
        **_names(fitted),
        "terms": ", ".join(fitted.terms),
        "deprivation_measure": _deprivation_measure(fitted, measures),
        "n_left_out": len(fitted.left_out),
        "left_out": _left_out(fitted.left_out),
        "note": _note(fitted),
    }
    result = _result(fitted)
    if isinstance(result, Problem):
        return row | {"reason": result.reason, "detail": result.detail, "diagnostics_reason": result.reason}
    stream = randomness.stream(settings.seed, randomness.MORAN, models.model_index(fitted))
    figures = diagnostics.of_model(
        result.design, result, moran_draws=settings.regression.moran_draws, seed_stream=stream
    )
    is_missing = any(value is None or not math.isfinite(value) for value in figures.values())
    return {
        **row,
        **figures,
        "method": result.method,
        "n": result.design.n,
        "k": result.design.k,
        "df": float(result.df),
        "diagnostics_reason": NOT_APPLICABLE if is_missing else None,
    }


def _deprivation_measure(fitted: Fitted, measures: Mapping[str, str]) -> str:
    """The measure of the model's change in deprivation, or of its level where it has no change."""
    term = next((one for one in _DEPRIVATION if one in fitted.terms), None)
    return _measure(fitted, term, measures) if term else ""


def _left_out(reasons: Mapping[str, str]) -> str:
    """`2 no_judgement_in_force, 1 not_available`: the commonest first."""
    counts = sorted(Counter(reasons.values()).items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{count} {reason}" for reason, count in counts)
