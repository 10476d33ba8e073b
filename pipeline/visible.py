"""Text of unknown origin made fit to be shown: every character is one that a person sees, and there are not too many.

What belongs here: control characters and length, wherever a text goes. What does not: the marks of one place it goes to,
which that place takes care of (HTML, Markdown, a terminal's markup, a spreadsheet).
"""

from __future__ import annotations

import re

# Control characters (an escape can rewrite a terminal), half characters of undecodable names, and those that turn the
# direction of writing, after which a name reads as another one.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_KEPT = frozenset("\n\t")


def visible(text: str, longest: int | None = None, *, keep: frozenset[str] = frozenset()) -> str:
    r"""A text with unseen characters spelt out (`\x1b`), cut at `longest` characters; `keep` are left as they are."""
    cut = text if longest is None or len(text) <= longest else f"{text[: longest - 1]}…"
    return _UNSEEN.sub(lambda match: match[0] if match[0] in keep else _spelt(match[0]), cut)


def lines(text: str) -> str:
    """The same for a text of several lines: line ends and tabs stay."""
    return visible(text, keep=_KEPT)


def is_visible(text: str) -> bool:
    """Whether every character is one that a person sees."""
    return _UNSEEN.search(text) is None


def _spelt(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
