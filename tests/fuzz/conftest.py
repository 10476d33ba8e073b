"""How many examples the property tests draw: few and always the same in the suite, many and new ones in `make fuzz`.

What belongs here: the two profiles. What does not: the properties. No example is kept in the checkout; a failing one is
printed.
"""

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow]  # a workbook is written for each example
_BOTH = {"deadline": None, "database": None, "suppress_health_check": _SLOW}
settings.register_profile("suite", max_examples=12, derandomize=True, **_BOTH)
settings.register_profile("thorough", max_examples=100, **_BOTH)
settings.load_profile("suite")
