"""What a fetch did, for a person and for the night's summary.

What belongs here: the items, how they read, and the exit code. What does not: doing it (`run`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

NEW, AMENDED, RESTORED, UNCHANGED, SAME_TEXT = "new", "amended", "restored", "unchanged", "same_text"
NOT_OFFERED, ABSENT, FAILED, WOULD_FETCH = "not_offered", "absent", "failed", "would_fetch"
NEWS = (NEW, AMENDED, RESTORED)
_TITLES = {
    NEW: "New",
    AMENDED: "Amended by the publisher; the earlier edition stays beside it",
    RESTORED: "Back in its place",
    WOULD_FETCH: "Would be fetched",
    SAME_TEXT: "Other line ends or byte order mark alone, not taken",
    NOT_OFFERED: "No longer offered; what is stored stays in use",
    ABSENT: "Not resolved in an earlier release",
    FAILED: "Not fetched",
}


@dataclass(frozen=True)
class Item:
    """One edition of a source. `used_instead` says of a failure what is used instead and how old it is."""

    source: str
    edition: str | None
    filename: str | None
    kind: str
    sentence: str
    sha256: str | None = None
    used_instead: str | None = None


@dataclass(frozen=True)
class HandItem:
    """A file that a person has to fetch, and whether one of its kind is registered."""

    what: str
    page: str
    file: str
    how: str
    is_there: bool


@dataclass
class Report:
    """All that happened. `failed_required` names required sources that failed and of which nothing is stored."""

    items: list[Item] = field(default_factory=list)
    by_hand: list[HandItem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed_required: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """1 when a required source failed and has no earlier edition, else 0."""
        return 1 if self.failed_required else 0

    @property
    def has_news(self) -> bool:
        """Whether a file was registered."""
        return any(item.kind in NEWS for item in self.items)

    def of_kind(self, *kinds: str) -> list[Item]:
        """The items of these kinds, in order."""
        return [item for item in self.items if item.kind in kinds]

    def lines(self) -> list[str]:
        """Everything, for the terminal."""
        lines = []
        for kind, title in _TITLES.items():
            items = self.of_kind(kind)
            if items:
                lines += [f"{title}:", *(f"  {_line(item)}" for item in items)]
        unchanged = len(self.of_kind(UNCHANGED))
        lines.append(f"{unchanged} editions unchanged.")
        lines += self.notes
        if self.by_hand:
            lines.append("To be fetched by hand, then care-numbers import FOLDER:")
        for hand in self.by_hand:
            how = f"; {hand.how}" if hand.how else ""
            lines.append(
                f"  [{'there' if hand.is_there else 'not there'}] {hand.what}: {hand.file}; page {hand.page}{how}"
            )
        lines += [
            f"Required and not there: {name}. Nothing can be computed without it." for name in self.failed_required
        ]
        return lines

    def night_lines(self) -> list[str]:
        """News, and what failed with what is used instead; empty on a night without either."""
        return [_line(item) for item in self.of_kind(*NEWS, NOT_OFFERED, FAILED)] + [
            f"Required and not there: {name}." for name in self.failed_required
        ]

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "items": [asdict(item) for item in self.items],
            "by_hand": [asdict(hand) for hand in self.by_hand],
            "notes": self.notes,
            "failed_required": self.failed_required,
            "exit_code": self.exit_code,
        }


def _line(item: Item) -> str:
    name = f"{item.source} {item.edition}" if item.edition else item.source
    instead = f" {item.used_instead}" if item.used_instead else ""
    return f"{name}: {item.sentence}{instead}"
