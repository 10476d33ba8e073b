"""What the publisher's symbols mean, by the release they stand in.

What belongs here: the table of symbols and the one function that turns a symbol into a reason. What does not: reading
cells (`readers`). A marker is never a number, and `x` means one thing up to the 2017 release and another after it.
"""

from __future__ import annotations

from pipeline.reasons import NOT_APPLICABLE, NOT_AVAILABLE, SUPPRESSED

LAST_SFR_RELEASE = 2017  # the statistical first releases ended; the long layout with new symbols began with 2018

# Source: the publisher's notes in each release ("Meta Data Document", "data-guidance").
_UNTIL_2017 = {
    "x": SUPPRESSED,  # 1 to 5 children, or a larger number hidden by secondary suppression
    "..": NOT_AVAILABLE,
    "#VALUE!": NOT_AVAILABLE,  # a spreadsheet error that was published
}
_SINCE_2018 = {
    "c": SUPPRESSED,
    "k": SUPPRESSED,  # rounds to zero but is not zero: a small number that is not given
    "low": SUPPRESSED,  # the newer spelling of k
    "~": SUPPRESSED,  # the spelling of k in the 2021 release
    "u": NOT_AVAILABLE,  # too unreliable to publish
    "x": NOT_AVAILABLE,
    ":": NOT_AVAILABLE,  # the spelling of x in the 2021 release
    "..": NOT_AVAILABLE,
    "z": NOT_APPLICABLE,
}


def symbols(release: int) -> dict[str, str]:
    """The symbols that may stand in a cell of this release, each with its reason."""
    return _UNTIL_2017 if release <= LAST_SFR_RELEASE else _SINCE_2018


def reason(marker: str, release: int) -> str:
    """Why a cell with this marker holds no number. KeyError for a symbol the readers would have refused."""
    return symbols(release)[marker]
