"""The terms of the models: their names, the exposure behind each, and the unit of its coefficient.

What belongs here: names and words that every model, table and sentence uses for one thing. What does not: which terms a
model has (`models`, `panel_models`, `univariate`, `specification_curve`).
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline import exposures

CONSTANT = "constant"
DEPRIVATION_CHANGE = "deprivation_change"
DEPRIVATION_LEVEL = "deprivation_level"
INNOVATION = "innovation_programme"
OFSTED_GOOD = "ofsted_good"
BASELINE = "baseline_rate"
REGION_PREFIX = "region: "

FOCAL = (DEPRIVATION_CHANGE, INNOVATION, OFSTED_GOOD)
WITHOUT_BASELINE = (DEPRIVATION_CHANGE, DEPRIVATION_LEVEL, INNOVATION, OFSTED_GOOD)
PRIMARY = (*WITHOUT_BASELINE, BASELINE)

PER_POINT = "per percentage point"
ONE_AGAINST_ZERO = "1 against 0"
PER_LOG_RATE = "per unit of the log rate at the start"
PER_UNIT = "per unit of the variable"


@dataclass(frozen=True, slots=True)
class Term:
    """A term in words: the exposure variable it takes its values from, the unit of its coefficient, what it is called.

    `is_indicator` terms are 1 or 0: a spread is no size for them, and per_sd and per_iqr are not given.
    """

    variable: str
    unit: str
    words: str
    is_indicator: bool = False


TERMS = {
    DEPRIVATION_CHANGE: Term(exposures.DEPRIVATION_CHANGE, PER_POINT, "the change in child low income"),
    DEPRIVATION_LEVEL: Term(exposures.DEPRIVATION_LEVEL, PER_POINT, "child low income at the start"),
    INNOVATION: Term(exposures.INNOVATION, ONE_AGAINST_ZERO, "taking part in the Innovation Programme", True),
    OFSTED_GOOD: Term(exposures.OFSTED_GOOD, ONE_AGAINST_ZERO, "a good or outstanding judgement", True),
    BASELINE: Term(exposures.BASELINE, PER_LOG_RATE, "the rate at the start"),
}


def region_term(region: str) -> str:
    """The name of a region's indicator."""
    return f"{REGION_PREFIX}{region}"


def is_region(term: str) -> bool:
    """Whether a term is a region's indicator."""
    return term.startswith(REGION_PREFIX)


def unit_of(term: str) -> str:
    """The unit of a coefficient's term, in words."""
    if term == CONSTANT:
        return "the constant"
    if is_region(term):
        return ONE_AGAINST_ZERO
    return TERMS[term].unit if term in TERMS else PER_UNIT
