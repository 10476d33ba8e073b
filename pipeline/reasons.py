"""Why a figure is missing: one word for each reason, the same in every table.

What belongs here: the words, and what each of them says. What does not: deciding which one holds (the module of the figure)
and what a publisher's symbol means (`markers`).
"""

from __future__ import annotations

# The publisher gives no number.
SUPPRESSED = "suppressed"  # it is small, or tells a small one
NOT_AVAILABLE = "not_available"  # nobody has it, or it is too unreliable
NOT_APPLICABLE = "not_applicable"  # the question has no meaning there
UASC_NOT_AVAILABLE = "uasc_not_available"
NO_JUDGEMENT_IN_FORCE = "no_judgement_in_force"

# Areas and their populations.
BOUNDARY_CHANGE = "boundary_change"  # the area was another one, or was not
DENOMINATOR_GEOGRAPHY = "denominator_geography"  # children and population are counted within different boundaries
NO_DENOMINATOR = "no_denominator"
TOO_SMALL = "too_small"
MIXED_VINTAGE = "mixed_vintage"

# The figure cannot be worked out from those that there are.
SHORT_SERIES = "short_series"
ZERO_COUNT = "zero_count"  # it has no logarithm
NATIONAL_FLAT = "national_flat"  # without a direction nobody moves against it
UASC_BOUNDS_DISAGREE = "uasc_bounds_disagree"
BOTH_EMPTY = "both_empty"

# A regression or a comparison cannot be fitted.
NO_EXPOSURE = "no_exposure"
NO_VARIATION = "no_variation"
TOO_FEW_UNITS = "too_few_units"
SINGULAR = "singular"
HIGH_LEVERAGE = "high_leverage"
NOT_CONVERGED = "not_converged"

# In the order in which the tables list them.
ALL = (
    SUPPRESSED, NOT_AVAILABLE, NOT_APPLICABLE, BOUNDARY_CHANGE, DENOMINATOR_GEOGRAPHY, NO_DENOMINATOR,
    TOO_SMALL, SHORT_SERIES, ZERO_COUNT, NATIONAL_FLAT, UASC_NOT_AVAILABLE, UASC_BOUNDS_DISAGREE,
    NO_JUDGEMENT_IN_FORCE, NO_EXPOSURE, NO_VARIATION, TOO_FEW_UNITS, SINGULAR, HIGH_LEVERAGE,
    NOT_CONVERGED, BOTH_EMPTY, MIXED_VINTAGE,
)  # fmt: skip
