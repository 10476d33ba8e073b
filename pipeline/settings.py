"""The settings of the statistics, read from `settings.toml` and from a file of the user's own.

What belongs here: reading these files and giving their values types. What does not: paths (`places`) and anything a
user sets on the command line.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import os
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.errors import Refusal

SETTINGS_VARIABLE = "CARE_NUMBERS_SETTINGS"
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
class ReportSettings:
    """Up to how many are shown before some of them stand for all."""

    authority_pages: int
    table_rows: int
    chart_points: int
    names: int


@dataclass(frozen=True)
class ReleaseSettings:
    """How long a release and what Dagster remembers of a run are kept, in days.

    The first release of each month is kept for ever.
    """

    keep_days: int
    keep_run_days: int


@dataclass(frozen=True)
class FileSettings:
    """How large a file, and what is made of it, may be; nothing larger is read."""

    largest_bytes: int
    unpacked_bytes: int
    members: int
    sheets: int
    cells: int
    columns: int
    record_characters: int
    parquet_rows: int
    reader_memory_bytes: int
    reader_seconds: int


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
    report: ReportSettings
    releases: ReleaseSettings
    files: FileSettings
    sha256: str

    own: tuple[str, ...] = ()  # what a file of the user's sets otherwise, such as "regression.curve_draws = 99 (999)"


def load() -> Settings:
    """The settings of `settings.toml`, and over them those of the file that `CARE_NUMBERS_SETTINGS` names, if any.

    They are read once in the life of a process. Raises Refusal for a file of the user's that cannot be read, or that sets
    what there is not or to what it cannot be. A fault of `settings.toml` itself is a TypeError: it is part of the code.
    """
    return _read(os.environ.get(SETTINGS_VARIABLE, "").strip())


def forget() -> None:
    """Read the files anew when they are next asked for: in a process that outlives a run."""
    _read.cache_clear()


@cache
def _read(own_file: str) -> Settings:
    content = _FILE.read_bytes()
    values = tomllib.loads(content.decode("utf-8"))
    changed: list[str] = []
    if own_file:
        own_content = _own(own_file)
        changed = _lay_over(values, _parsed(own_content, own_file), own_file)
        content += own_content
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
        report=ReportSettings(**values["report"]),
        releases=ReleaseSettings(**values["releases"]),
        files=FileSettings(**values["files"]),
        sha256=hashlib.sha256(content).hexdigest(),
        own=tuple(changed),
    )


# ---------------------------------------------------------------------------------------------------------------------
# Settings of a user's own


def _own(file: str) -> bytes:
    try:
        return Path(file).expanduser().read_bytes()
    except OSError as error:
        raise _bad(file, f"the file cannot be read ({error.strerror})") from error


def _parsed(content: bytes, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except ValueError as error:  # not UTF-8, or no TOML
        raise _bad(file, f"this is no TOML ({error})") from error


def _lay_over(values: dict[str, Any], own: dict[str, Any], file: str, within: str = "") -> list[str]:
    """Put the user's values in place of the project's; which those are, in words."""
    changed = []
    for name, value in own.items():
        full_name = f"{within}{name}"
        if name not in values:
            near = difflib.get_close_matches(name, values, n=1)
            raise _bad(
                file, "there is no setting of this name", full_name, f"did you mean {near[0]}?" if near else None
            )
        if isinstance(values[name], dict):
            if not isinstance(value, dict):
                raise _bad(file, "this is a group of settings and not one", full_name)
            changed += _lay_over(values[name], value, file, f"{full_name}.")
        else:
            if not _fits(value, values[name]):
                raise _bad(file, f"{value!r} cannot stand where {values[name]!r} is", full_name)
            changed.append(f"{full_name} = {value} ({values[name]})")
            values[name] = value
    return changed


def _fits(value: object, standard: object) -> bool:
    """Whether a value is of the kind of the project's, and not negative where that one is not."""
    if isinstance(standard, list):
        return isinstance(value, list) and bool(value) and all(_fits(one, standard[0]) for one in value)
    if isinstance(standard, bool) or isinstance(value, bool):
        return isinstance(standard, bool) and isinstance(value, bool)
    if isinstance(standard, int):
        return isinstance(value, int) and (value >= 0 or standard < 0)
    if isinstance(standard, float):
        return isinstance(value, int | float) and math.isfinite(value) and (value >= 0 or standard < 0)
    return type(value) is type(standard)


def _bad(file: str, problem: str, name: str | None = None, remedy: str | None = None) -> Refusal:
    return Refusal(
        "bad_settings",
        problem,
        file=file,
        column=name,
        remedy=remedy or f"name settings of pipeline/settings.toml only, or unset {SETTINGS_VARIABLE}",
    )
