"""The terms of the models: their names, the exposure behind each, and the unit of its coefficient.

What belongs here: names and words that every model, table and sentence uses for one thing. What does not: which terms a
model has (`models`, `panel_models`, `univariate`, `specification_curve`).
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline import exposures, innovation_programme

CONSTANT = "constant"
DEPRIVATION_CHANGE = "deprivation_change"
DEPRIVATION_LEVEL = "deprivation_level"
INNOVATION = "innovation_programme"
OFSTED_GOOD = "ofsted_good"
BASELINE = "baseline_rate"
DEPRIVATION_WITHIN, DEPRIVATION_BETWEEN = "deprivation_within", "deprivation_between"  # of the panels
DEPRIVATION_LAGGED = "deprivation_lagged"
REGION_PREFIX = "region: "
YEAR_PREFIX = "year: "

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
    DEPRIVATION_WITHIN: Term(exposures.DEPRIVATION_LEVEL, PER_POINT, "child low income less the authority's own mean"),
    DEPRIVATION_BETWEEN: Term(exposures.DEPRIVATION_LEVEL, PER_POINT, "the authority's own mean of child low income"),
    DEPRIVATION_LAGGED: Term(exposures.DEPRIVATION_LEVEL, PER_POINT, "child low income in the year before"),
}


# Covariates that are 1 or 0, where one stands in the place of a primary term under its own name.
INDICATORS = frozenset(
    {
        "ofsted_not_inadequate", "ofsted_good_lowest_of_several", "ofsted_good_slac", "ofsted_good_at_end",
        "ofsted_is_ilacs", "ofsted_grade_outstanding", "ofsted_grade_good", "ofsted_grade_inadequate",
        "innovation_by_start", "innovation_ever", "innovation_any_programme", "innovation_lead",
        "innovation_with_recalled",
        *innovation_programme.PROGRAMMES,
    }
)  # fmt: skip
# Grades of the judgement by their score; requires improvement, which scores 2, is what they are compared with.
OFSTED_SCORE = "ofsted_score"
GRADES = {"ofsted_grade_outstanding": 4, "ofsted_grade_good": 3, "ofsted_grade_inadequate": 1}
_PER_POINT_TOO = frozenset({exposures.FREE_MEALS_CHANGE, exposures.FREE_MEALS_LEVEL})


def region_term(region: str) -> str:
    """The name of a region's indicator."""
    return f"{REGION_PREFIX}{region}"


def year_term(year: int) -> str:
    """The name of a reporting year's indicator."""
    return f"{YEAR_PREFIX}{year}"


def is_year(term: str) -> bool:
    """Whether a term is a year's indicator."""
    return term.startswith(YEAR_PREFIX)


def is_region(term: str) -> bool:
    """Whether a term is a region's indicator."""
    return term.startswith(REGION_PREFIX)


def unit_of(term: str) -> str:
    """The unit of a coefficient's term, in words."""
    if term == CONSTANT:
        return "the constant"
    if is_region(term) or is_year(term):
        return ONE_AGAINST_ZERO
    if term in INDICATORS:
        return ONE_AGAINST_ZERO
    if term in _PER_POINT_TOO:
        return PER_POINT
    return TERMS[term].unit if term in TERMS else PER_UNIT


def variable_of(term: str) -> str:
    """The exposure variable behind a term; a covariate that is a term under its own name stands for itself."""
    if term in GRADES:
        return OFSTED_SCORE
    return TERMS[term].variable if term in TERMS else term
