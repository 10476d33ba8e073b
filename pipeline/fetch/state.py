"""What the last look at the publishers saw: a small file that saves downloads, and that nothing depends on.

What belongs here: fingerprints of editions whose files are all stored, and since when one is no longer offered. What does
not: hashes that anything is held to (`source_lock`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import durable


@dataclass
class Seen:
    """An edition when all its files were stored: its fingerprint and their sha256."""

    fingerprint: str
    sha256: list[str]


@dataclass
class State:
    """`seen` and `missing_since` by source and edition, as `source/edition`."""

    file: Path
    seen: dict[str, Seen] = field(default_factory=dict)
    missing_since: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> State:
        """From its file; empty where there is none or none that can be read: then everything is looked at anew."""
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            seen = {key: Seen(**value) for key, value in content["seen"].items()}
            return cls(file, seen, dict(content["missing_since"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return cls(file)

    def write(self) -> None:
        """Write the file, if it would be another one."""
        content = {
            "seen": {key: value.__dict__ for key, value in sorted(self.seen.items())},
            "missing_since": dict(sorted(self.missing_since.items())),
        }
        text = json.dumps(content, indent=1) + "\n"
        if not self.file.exists() or self.file.read_text(encoding="utf-8") != text:
            durable.write_text(self.file, text)
