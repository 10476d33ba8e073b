"""Whether a file has a row for every authority that was in being: a row that is not there may have been lost.

What belongs here: the one refusal for a file that was cut short after a whole row, which nothing in the file itself can
tell. What does not: rows that are there with a marker, which are the publisher's word.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from pipeline.errors import Refusal
from pipeline.geography import Areas


def refuse_missing(
    found: Collection[str], areas: Areas, day: dt.date, file: str, *, but: Collection[str] = frozenset()
) -> None:
    """Refuse a file whose codes `found` lack an authority in being on `day`, those in `but` aside."""
    missing = sorted(set(areas.codes_in_being(day)) - set(but) - set(found))
    if missing:
        more = f" and {len(missing) - 1} more authorities" if len(missing) > 1 else ""
        raise Refusal(
            "missing_row",
            f"there is no row for {areas.names[missing[0]]} ({missing[0]}){more}, in being on {day:%d %B %Y}: the file may "
            "have been cut short",
            file=file,
            remedy="use the file as published",
        )
