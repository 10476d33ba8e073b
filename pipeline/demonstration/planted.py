"""What was planted into the change of the window: the coefficients, and what they make of an authority's covariates.

What belongs here: the coefficients in the terms of the primary model (methods.md D1), and the sum of their terms. What
does not: the covariates (`exposures`), the counts that follow them (`country`), and any estimate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.demonstration.population import Floats


@dataclass(frozen=True)
class Coefficients:
    """Difference in the log change of the rate over the five years of the window, by one unit of each covariate.

    The noise of five years is sqrt(5 (a + b/N)), about 0.15, and the planted authorities add nearly as much again, so that
    the residuals spread by 0.21. With 149 units a binary term then has a standard error of about 0.036 and one point of a
    change in deprivation, which spreads by 2.5, one of 0.008. The sizes are about three of these: a sound method finds each
    in five seeds of six or more (the baseline in three of five), and none is so large that any method would.
    """

    deprivation_change: float = 0.025  # per percentage point
    deprivation_level: float = 0.0  # per cent of children at the start: a planted zero, which must not be found
    innovation_programme: float = -0.12  # taken part by the start, against not
    ofsted_good: float = -0.11  # in force at the start: good or outstanding, against not
    baseline_rate: float = -0.10  # per unit of the log rate at the start: rates draw together a little


PLANTED = Coefficients()
UNITS = {
    "deprivation_change": "log rate ratio per percentage point",
    "deprivation_level": "log rate ratio per percentage point",
    "innovation_programme": "log rate ratio, 1 against 0",
    "ofsted_good": "log rate ratio, 1 against 0",
    "baseline_rate": "log rate ratio per unit of the log rate at the start",
}


@dataclass(frozen=True)
class Covariates:
    """The covariates of the primary model, one element an authority; not a number where there is none.

    Shares are in per cent, their change in percentage points; the two indicators are 1 or 0; the baseline is
    ln(looked after / children) at the start.
    """

    deprivation_change: Floats
    deprivation_level: Floats
    innovation_programme: Floats
    ofsted_good: Floats
    baseline_rate: Floats


def explained(covariates: Covariates, weights: Floats, coefficients: Coefficients = PLANTED) -> Floats:
    """Sum the terms, each about its mean weighted by `weights`; an authority without a covariate has that mean.

    About the mean, so that the terms say who parts from the nation and not where the nation goes.
    """
    total = np.zeros(len(weights))
    for term in UNITS:
        values = getattr(covariates, term)
        known = ~np.isnan(values)
        mean = np.average(values[known], weights=weights[known])
        total += getattr(coefficients, term) * np.where(known, values - mean, 0.0)
    return total
