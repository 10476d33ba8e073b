"""The sentences that stand on everything this project shows (methods.md A3).

What belongs here: wording that is the same wherever it is printed. What does not: findings, which are written from the
figures of a run (`summary`, `evidence`).

ALL is for every chart and page, TREND for those with a change over time, MODELS for those with a regression. The comment of
a table takes the first two in short.
"""

from __future__ import annotations

NO_LEAGUE_TABLE = (
    "Describes published counts; it does not measure the performance of an authority and is not a league table."
)
_NO_POLARITY = "A looked-after rate has no good or bad direction"
NO_POLARITY = f"{_NO_POLARITY}: a fall can reflect less need, earlier help, higher thresholds or unmet need."
_NO_FORECAST = "A change over five years does not predict the change over the next"
NO_FORECAST = (
    f"{_NO_FORECAST}: an unusual change is an unusual accumulation of yearly movements, not a persistent local trend."
)
COMPLETE_COUNT = (
    "The counts are a complete enumeration: intervals show usual year-to-year movement, not sampling error."
)
ECOLOGICAL = "The unit is the authority: nothing here is about individual children or families, and nothing is causal."
NOT_RANDOM = (
    "Programme entry and inspection results are not random: some programmes recruited authorities with high or rising "
    "rates, and inspection itself is followed by changes in care entry."
)
FEW_PER_TERM = (
    'The primary model has few authorities per term: "no clear association" is not "no association" (see the minimum '
    "detectable effect)."
)

ALL = (NO_LEAGUE_TABLE, NO_POLARITY)
TREND = (NO_FORECAST, COMPLETE_COUNT)
MODELS = (ECOLOGICAL, NOT_RANDOM, FEW_PER_TERM)
# For the comment of a table, which has its own warnings beside them: the claim without what explains it.
NO_POLARITY_IN_SHORT = f"{_NO_POLARITY}."
ALL_IN_SHORT = (NO_LEAGUE_TABLE, NO_POLARITY_IN_SHORT)
TREND_IN_SHORT = (f"{_NO_FORECAST}.",)
