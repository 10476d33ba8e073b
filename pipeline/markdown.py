"""Markdown, as the Dagster UI shows it: texts in which nothing is markup, and tables.

What belongs here: escaping and the shape of a table. What does not: what is said (the rooms that say it). A name comes from
a file that was read: it must not draw a table, a link or a picture that a browser would fetch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pipeline.visible import visible

# An underscore within a word, as in a column's name, is none.
_MARKUP = re.compile(r"[\\`*\[\]<>|!&~#]|(?<![^\W_])_|_(?![^\W_])")


def text(value: str) -> str:
    """A text that Markdown shows as it is: no markup, no link, no picture, no new line."""
    return _MARKUP.sub(r"\\\g<0>", visible(value))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """One paragraph that is a table of texts."""
    drawn = ["| " + " | ".join(map(text, line)) + " |" for line in (head, *rows)]
    return "\n".join([drawn[0], "|" + "---|" * len(head), *drawn[1:]])
