"""The settings of the statistics are those of methods.md, and every one of them is used."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import re
import tomllib
from pathlib import Path

import pytest

from pipeline import settings
from pipeline.errors import Refusal

PIPELINE = Path(settings.__file__).parent
FILE = PIPELINE / "settings.toml"


@pytest.fixture
def another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the file that `load` reads instead."""
    copy = tmp_path / "settings.toml"
    copy.write_bytes(FILE.read_bytes())
    monkeypatch.setattr(settings, "_FILE", copy)
    settings._read.cache_clear()
    yield copy
    settings._read.cache_clear()


def test_the_thresholds_of_the_classes() -> None:
    """methods.md C2 and C3."""
    classes = settings.load().classes
    assert (classes.england_pct, classes.movement_pct, classes.relative_pct) == (2.0, 5.0, 10.0)
    assert classes.tolerance_log == 1e-12


def test_the_windows() -> None:
    """methods.md C1: five and four years, the study ends in 2017, the rebased populations serve 2013 and later."""
    windows = settings.load().windows
    assert (windows.years, windows.alternate_years, windows.study_end, windows.first_rebased_start) == (
        5,
        4,
        2017,
        2013,
    )


def test_the_tolerances_of_the_checks() -> None:
    """methods.md B7."""
    checks = settings.load().checks
    assert (checks.stock_sum_tolerance, checks.flow_sum_tolerance, checks.exact_totals_from) == (5, 10, 2011)
    assert (checks.stock_flow_children, checks.stock_flow_share) == (15, 0.05)


def test_the_grid_of_other_settings() -> None:
    """methods.md C8."""
    grid = settings.load().sensitivity
    assert (grid.magnitudes_pct, grid.window_years) == ((5, 10, 15, 20), (3, 4, 5))


def test_the_draws_without_trends() -> None:
    """methods.md C13."""
    drawn = settings.load().calibration
    assert (drawn.draws, drawn.lowest_share, drawn.highest_share, drawn.test_p) == (1000, 0.02, 0.08, 0.05)


def test_the_seed() -> None:
    """methods.md D9."""
    assert settings.load().seed == 20181129


def test_the_hash_is_that_of_the_file() -> None:
    assert settings.load().sha256 == hashlib.sha256(FILE.read_bytes()).hexdigest()


def test_a_change_of_the_file_changes_the_hash(another_file: Path) -> None:
    before = settings.load().sha256
    another_file.write_text(another_file.read_text(encoding="utf-8").replace("= 5.0", "= 6.0", 1), encoding="utf-8")
    settings._read.cache_clear()
    assert settings.load().classes.movement_pct == 6.0
    assert settings.load().sha256 != before


@pytest.mark.parametrize(
    ("old", "new"),
    [("movement_pct = ", "movment_pct = "), ("[classes]\n", "[classes]\nanother = 1\n")],
)
def test_an_unknown_or_missing_name_is_a_bug(another_file: Path, old: str, new: str) -> None:
    another_file.write_text(another_file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(TypeError):
        settings.load()


def test_settings_cannot_be_changed_on_the_way() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.load().classes.movement_pct = 1.0  # type: ignore[misc]


def leaves() -> list[str]:
    values = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return [name for table in values.values() if isinstance(table, dict) for name in table]


@pytest.mark.parametrize("name", leaves())
def test_every_setting_is_used(name: str) -> None:
    """A setting that nothing reads would be changed in vain."""
    rooms = (PIPELINE, PIPELINE.parent / "assets")
    readers = [path for room in rooms for path in room.rglob("*.py") if path.name != "settings.py"]
    assert any(re.search(rf"\.{name}\b", path.read_text(encoding="utf-8")) for path in readers)


@pytest.mark.parametrize("name", [*leaves(), "seed"])
def test_every_setting_says_why(name: str) -> None:
    (line,) = re.findall(rf"^{name} = .*$", FILE.read_text(encoding="utf-8"), re.M)
    assert "#" in line or name == "seed"


def test_every_threshold_is_a_share_of_something() -> None:
    """Per cent, not a fraction: 5% is 5.0. A threshold of 0.05 would flag everybody."""
    classes = settings.load().classes
    for value in (classes.england_pct, classes.movement_pct, classes.relative_pct):
        assert 1 <= value < 100 and math.isfinite(value)


# ---------------------------------------------------------------------------------------------------------------------
# A file of the user's own


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "own.toml"
    monkeypatch.setenv(settings.SETTINGS_VARIABLE, str(path))
    settings._read.cache_clear()
    yield path
    settings._read.cache_clear()


def test_a_file_of_the_users_own_sets_what_it_names_and_nothing_else(own_file: Path) -> None:
    own_file.write_text("seed = 7\n[regression]\ncurve_draws = 99\n[classes]\nmovement_pct = 6\n")
    chosen = settings.load()
    assert (chosen.seed, chosen.regression.curve_draws, chosen.classes.movement_pct) == (7, 99, 6)
    assert chosen.own == (
        "seed = 7 (20181129)",
        "regression.curve_draws = 99 (999)",
        "classes.movement_pct = 6 (5.0)",
    )
    own_file.unlink()
    assert settings.load() is chosen, "the settings are those of the process, whatever becomes of the file"
    standard = settings._read("")
    assert standard.own == () and standard.sha256 != chosen.sha256
    same = dataclasses.replace(
        chosen,
        seed=standard.seed,
        regression=dataclasses.replace(chosen.regression, curve_draws=standard.regression.curve_draws),
        classes=dataclasses.replace(chosen.classes, movement_pct=standard.classes.movement_pct),
        sha256=standard.sha256,
        own=(),
    )
    assert same == standard


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [
        ("sed = 7", "sed", "did you mean seed"),
        ("[regression]\ndraws = 9", "regression.draws", "there is no setting of this name"),
        ("regression = 9", "regression", "a group of settings"),
        ("seed = 1.5", "seed", "1.5 cannot stand where 20181129 is"),
        ("seed = true", "seed", "cannot stand"),
        ("seed = -1", "seed", "cannot stand"),
        ('[classes]\nmovement_pct = "5"', "classes.movement_pct", "cannot stand"),
        ("[classes]\nmovement_pct = nan", "classes.movement_pct", "cannot stand"),
        ("[sensitivity]\nmagnitudes_pct = []", "sensitivity.magnitudes_pct", "cannot stand"),
        ("seed = ", None, "no TOML"),
    ],
)
def test_what_cannot_be_a_setting_is_refused(own_file: Path, text: str, column: str | None, told: str) -> None:
    own_file.write_text(text)
    with pytest.raises(Refusal, match=told) as caught:
        settings.load()
    assert (caught.value.code, caught.value.file, caught.value.column) == ("bad_settings", str(own_file), column)


def test_a_file_that_is_not_there_is_refused(own_file: Path) -> None:
    with pytest.raises(Refusal, match="cannot be read"):
        settings.load()
