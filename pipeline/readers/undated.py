"""What a file's name and one figure in it say of its years, where its content does not say it.

What belongs here: the rule that England's figure in the file tells the reporting year, else the one year in its path; and
holding a file of many years to the span in its name. What does not: where that figure stands (the layout modules) and
which figures are known (the compiled table `undated_files.csv`).
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pipeline.errors import Refusal
from pipeline.readers.layout import Knowledge

_YEAR_IN_NAME = re.compile(r"(?<!\d)(20\d\d)(?!\d)")
_SPAN_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d\d)[ _-](?:to[ _-])?((?:19|20)\d\d)(?!\d)")


def reporting_year(layout: str, file: str, england: str, knowledge: Knowledge, *, example: str) -> int:
    """The year by England's figure, a whole number as text, else by the file's path; `example` is a name that tells it.

    Raises Refusal where the figure is not a known one and the path names no year, or several.
    """
    if england.isdecimal():
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


def refuse_other_span(first: int, last: int, file: str, column: str) -> None:
    """Refuse a file that lacks years at either end of the span in its name, such as `1994_2024` or `2012_to_2024`.

    A year that is lost with all of its rows leaves no gap. A name without a span promises nothing.
    """
    named = _SPAN_IN_NAME.search(PurePosixPath(file).name)
    if named and (int(named[1]), int(named[2])) != (first, last):
        raise Refusal(
            "missing_year",
            f"the file's name says {named[1]} to {named[2]}, and it holds {first} to {last}: it may have been cut short",
            file=file,
            column=column,
            remedy="use the file as published, or give it a name with the years that it holds",
        )
