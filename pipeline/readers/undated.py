"""The reporting year of a file whose content names none.

What belongs here: the rule that England's figure in the file tells, else the one year in its path. What does not: where
that figure stands (the layout modules) and which figures are known (the compiled table `undated_files.csv`).
"""

from __future__ import annotations

import re

from pipeline.errors import Refusal
from pipeline.readers.layout import Knowledge

_YEAR_IN_NAME = re.compile(r"(?<!\d)(20\d\d)(?!\d)")


def reporting_year(layout: str, file: str, england: str, knowledge: Knowledge, *, example: str) -> int:
    """The year by England's figure, a whole number as text, else by the file's path; `example` is a name that tells it.

    Raises Refusal where the figure is not a known one and the path names no year, or several.
    """
    if england.isdigit():
        known = knowledge.undated.get((layout, int(england)))
        if known:
            return known
    years = set(_YEAR_IN_NAME.findall(file))
    if len(years) == 1:
        return int(years.pop())
    raise Refusal(
        "undated_file",
        "nothing in the file says which reporting year it is of, and England's figure in it is not a known one",
        file=file,
        value=england or None,
        remedy=f"put the reporting year into the file's name, such as {example}, or add it to undated_files.csv",
    )
