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
    tool_uasc_share: float
    spending_pounds: float


@dataclass(frozen=True)
class UascSettings:
    """What is said of a marked cell of unaccompanied asylum-seeking children, and up to when the releases are its source."""

    lowest: int
    highest: int
    last_release: int


@dataclass(frozen=True)
class EvidenceSettings:
    """How unusual a change is: the fit of the usual movement, the grades, and what stands beside them."""

    start_a: float
    start_b: float
    winsorise_z: float
    convergence: float
    max_iterations: int
    comparator_from: int
    interval_z: float
    unusual_z: float
    false_discovery: float
    min_units: int
    limits_confidence: float
    funnel_winsorise: float
    funnel_inner_z: float
    funnel_outer_z: float
    trend_points: int
    trend_confidence: float
    first_long_year: int
    memory_lags: int
    memory_windows: tuple[int, ...]
    memory_large_quantile: float
    bootstrap_draws: int
    robust_available: int
    robust_share: float


@dataclass(frozen=True)
class GroupSettings:
    """When two groups are compared, and with which confidence."""

    fewest_in_group: int
    confidence: float


@dataclass(frozen=True)
class SensitivitySettings:
    """The grid of other settings: thresholds in per cent and lengths in years."""

    magnitudes_pct: tuple[float, ...]
    window_years: tuple[int, ...]


@dataclass(frozen=True)
class CalibrationSettings:
    """Countries drawn without local trends, and the mean share of flagged units (0 to 1) that is accepted in them."""

    draws: int
    lowest_share: float
    highest_share: float
    test_p: float


@dataclass(frozen=True)
class RegressionSettings:
    """When a model is fitted, how often it is resampled, and the levels that are told beside it."""

    fewest_units: int
    resampling_draws: int
    curve_draws: int
    moran_draws: int
    curve_p: float
    detectable: float
    huber_c: float


@dataclass(frozen=True)
class ReleaseSettings:
    """How long a release is kept, in days; the first of each month is kept for ever."""

    keep_days: int


@dataclass(frozen=True)
class Settings:
    """All settings with the sha256 of the file they came from."""

    seed: int
    windows: WindowSettings
    classes: ClassSettings
    checks: CheckSettings
    uasc: UascSettings
    evidence: EvidenceSettings
    groups: GroupSettings
    sensitivity: SensitivitySettings
    calibration: CalibrationSettings
    regression: RegressionSettings
    releases: ReleaseSettings
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
        uasc=UascSettings(**values["uasc"]),
        evidence=EvidenceSettings(
            **values["evidence"] | {"memory_windows": tuple(values["evidence"]["memory_windows"])}
        ),
        groups=GroupSettings(**values["groups"]),
        sensitivity=SensitivitySettings(**{name: tuple(chosen) for name, chosen in values["sensitivity"].items()}),
        calibration=CalibrationSettings(**values["calibration"]),
        regression=RegressionSettings(**values["regression"]),
        releases=ReleaseSettings(**values["releases"]),
        sha256=hashlib.sha256(content).hexdigest(),
    )
