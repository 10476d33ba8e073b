"""The short form of `make soak`: one night of each kind, held to the same prediction."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import night_status
from pipeline.demonstration.build import build_demonstration
from tests.soak.nights import BROKEN, DISK_FULL, HELD_BACK, KILLED, NO_NEWS, PUBLISHED, ROLLBACK, Soak, State
from tests.soak.run import MOST_HANDLES_MORE, measured

pytestmark = pytest.mark.whole


def test_one_night_of_each_kind(tmp_path: Path) -> None:
    pristine = tmp_path / "pristine"
    build_demonstration(pristine)
    soak = Soak(pristine, tmp_path / "soak")
    soak.night("the first night", State())
    soak.night("nothing", State())
    soak.night(KILLED, State(amended_by=1))
    before = measured(soak)
    for kind in sorted(BROKEN):
        soak.night("broken", State(amended_by=1, broken=kind))
    soak.night("mended", State(amended_by=1))
    soak.night(ROLLBACK, State(amended_by=1))
    soak.night(DISK_FULL, State(has_2025=False, amended_by=1))
    soak.night("the disk has room again", State(has_2025=False, amended_by=1))
    soak.night("what was published first comes back", State())
    after = measured(soak)
    assert soak.kinds[PUBLISHED] == 4
    assert soak.kinds[NO_NEWS] == 2
    assert soak.kinds[HELD_BACK] == 1
    assert soak.kinds[f"{night_status.FAILED}: disk_full"] == 1
    assert len(soak.content) == 3
    assert after.handles - before.handles <= MOST_HANDLES_MORE
