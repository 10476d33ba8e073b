"""The settings of the statistics, read from `settings.toml`.

What belongs here: reading that one file and giving its values types. What does not: paths (`places`) and anything a
user sets on the command line.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("settings.toml")


@dataclass(frozen=True)
class WindowSettings:
    """Which windows there are; years are reporting years ending 31 March."""

    years: int
    alternate_years: int
    study_end: int
    first_rebased_start: int


@dataclass(frozen=True)
class ClassSettings:
    """Thresholds of the three classes, in per cent, and the tolerance of comparisons on the log scale."""

    england_pct: float
    movement_pct: float
    relative_pct: float
    tolerance_log: float


@dataclass(frozen=True)
class CheckSettings:
    """Tolerances of the published invariants, in children unless the name says otherwise."""

    stock_sum_tolerance: int
    flow_sum_tolerance: int
    exact_totals_from: int
    stock_flow_children: int
    stock_flow_share: float


@dataclass(frozen=True)
class Settings:
    """All settings with the sha256 of the file they came from."""

    seed: int
    windows: WindowSettings
    classes: ClassSettings
    checks: CheckSettings
    sha256: str


@cache
def load() -> Settings:
    """Read `settings.toml`. A missing or unknown name is a TypeError: the file is part of the code."""
    content = _FILE.read_bytes()
    values = tomllib.loads(content.decode("utf-8"))
    return Settings(
        seed=values["seed"],
        windows=WindowSettings(**values["windows"]),
        classes=ClassSettings(**values["classes"]),
        checks=CheckSettings(**values["checks"]),
        sha256=hashlib.sha256(content).hexdigest(),
    )
