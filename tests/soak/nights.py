"""Many nights in a row, and what each of them has to come to.

What belongs here: what happens to the files before a night, the prediction of how the night ends, and holding the night to
it. What does not: how many nights there are and the figures that are printed (`run`, `test_soak_short`).

The prediction knows nothing of the program: it is kept by the names of the states that the files are in. A night publishes
exactly when the files differ from those of the published database and are sound.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import hashlib
import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import duckdb
import time_machine

from pipeline import checksums, durable, night_status, places, releases
from pipeline.database import run_facts
from pipeline.places import Workspace
from pipeline.settings import SETTINGS_VARIABLE
from tests.whole_runs.planting import PublishedTable
from tests.whole_runs.running import Ended, care_numbers
from tests.whole_runs.test_bad_input import RELEASE_2024, RELEASE_2025, STOCK_2017, an_authority

KEEP_DAYS, KEEP_RUN_DAYS = 20, 30  # shorter than the project's, so that both are reached many times in a soak
OWN_SETTINGS = f"""# Few draws: what is looked at is the nights, not the statistics.
[regression]
resampling_draws = 99
curve_draws = 19
moran_draws = 99
[calibration]
draws = 60
[releases]
keep_days = {KEEP_DAYS}
keep_run_days = {KEEP_RUN_DAYS}
"""
FIRST_NIGHT = dt.datetime(2031, 1, 1, 3, 30, tzinfo=dt.UTC)

PUBLISHED, NO_NEWS, HELD_BACK = night_status.PUBLISHED, night_status.NO_NEWS, night_status.HELD_BACK
ROLLBACK, DISK_FULL, KILLED = "rollback", "disk_full", "killed"


# ---------------------------------------------------------------------------------------------------------------------
# What can happen to the files


def _unknown_marker(folder: Path) -> None:
    table = PublishedTable(folder, STOCK_2017)
    table.set(an_authority(table), "CLA_Mar2017", "q")
    table.write()


def _not_a_count(folder: Path) -> None:
    table = PublishedTable(folder, RELEASE_2024)
    table.set(an_authority(table), "number", "612.5")
    table.write()


def _row_twice(folder: Path) -> None:
    table = PublishedTable(folder, STOCK_2017)
    table.repeat_row(an_authority(table))
    table.write()


def _cut_short(folder: Path) -> None:
    table = PublishedTable(folder, RELEASE_2024)
    table.cut_within(table.last_row - 40, 3)
    table.write()


def _web_page(folder: Path) -> None:
    (folder / RELEASE_2024).write_text("<!DOCTYPE html><title>Service unavailable</title>")


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "a marker that nobody knows": (_unknown_marker, "unknown_marker"),
    "half a child": (_not_a_count, "not_a_count"),
    "a row twice": (_row_twice, "duplicated_row"),
    "a file cut short": (_cut_short, "ragged_row"),
    "a web page for a file": (_web_page, "web_page"),
}


@dataclass(frozen=True, order=True)
class State:
    """Which files there are. States with equal fields are the same files to the byte."""

    has_2025: bool = True
    amended_by: int = 0  # children that an amendment added to one authority's count of 2017
    has_notes: bool = False
    broken: str | None = None

    def build(self, pristine: Path, folder: Path) -> None:
        """Make the folder hold these files."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(pristine, folder)
        if not self.has_2025:
            (folder / RELEASE_2025).unlink()
        if self.amended_by:
            table = PublishedTable(folder, STOCK_2017)
            row = an_authority(table)
            table.set(row, "CLA_Mar2017", str(int(table.cell(row, "CLA_Mar2017")) + self.amended_by))
            table.write()
        if self.has_notes:
            (folder / "notes.txt").write_text("Not a publication.")
        if self.broken:
            BROKEN[self.broken][0](folder)


# ---------------------------------------------------------------------------------------------------------------------
# A night, and what came of it


@dataclass
class Soak:
    """A folder of files, one of outputs, and what the nights so far should have left there."""

    pristine: Path
    root: Path
    state: State = State()
    shown: State | None = None  # the files of the published database
    held_back: State | None = None  # the files of the release that was rolled back from
    day: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    content: dict[State, str] = field(default_factory=dict)
    published: list[tuple[str, State]] = field(default_factory=list)  # releases in their order

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "own.toml").write_text(OWN_SETTINGS)
        self.data.mkdir(exist_ok=True)

    @property
    def data(self) -> Path:
        """The folder of published files."""
        return self.root / "data"

    @property
    def workspace(self) -> Workspace:
        """Where the outputs are."""
        return places.workspace(str(self.data), str(self.root / "out"))

    def night(self, happens: str, state: State) -> None:
        """Let something happen, let a night pass, and hold it to the prediction."""
        self.day += 1
        at = FIRST_NIGHT + dt.timedelta(days=self.day)
        if state != self.state or self.day == 1:
            state.build(self.pristine, self.data)
            self.state = state
        with self._environment(), time_machine.travel(at, tick=True):
            if happens == ROLLBACK:
                self._roll_back()
            if happens == KILLED:
                self._leave_behind()
            expected, code = self._expected(happens)
            with _full_disk() if happens == DISK_FULL else contextlib.nullcontext():
                ended = care_numbers("night", "--data", self.data, "--out", self.root / "out", "--json")
        self._hold(ended, expected, code)
        self.kinds[f"{expected}: {code}" if code else expected] += 1

    def _environment(self) -> contextlib.AbstractContextManager[object]:
        return mock.patch.dict(os.environ, {SETTINGS_VARIABLE: str(self.root / "own.toml")})

    def _expected(self, happens: str) -> tuple[str, str | None]:
        """How the night has to end: the result, and the code of the refusal where there is one."""
        if self.held_back == self.state:
            return HELD_BACK, None
        if self.shown == self.state and self.held_back is None:
            return NO_NEWS, None
        if self.state.broken:
            return night_status.FAILED, BROKEN[self.state.broken][1]
        if happens == DISK_FULL:
            return night_status.FAILED, "disk_full"
        return PUBLISHED, None

    def _hold(self, ended: Ended, expected: str, code: str | None) -> None:
        told = night_status.read(self.workspace.status)
        assert told is not None, (self.day, ended)
        assert (told.result, told.code) == (expected, code), (self.day, self.state, told, ended.err)
        assert ended.code == int(expected == night_status.FAILED)
        if expected == PUBLISHED:
            assert told.release is not None
            self.published.append((told.release, self.state))
            self.shown, self.held_back = self.state, None
        if self.shown is not None:
            self._hold_published()
        self._hold_folders()

    def _hold_published(self) -> None:
        """The published database is whole, is that of its night's files, and says so."""
        workspace = self.workspace
        assert self.shown is not None
        proof = releases.prove_shown(workspace.database)
        assert proof.release == next(name for name, state in reversed(self.published) if state == self.shown)
        with duckdb.connect(str(workspace.database), read_only=True) as connection:
            tables = connection.execute(
                "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE schema_name IN ('main', 'core')"
            ).fetchall()
            # A sum of the hashes of rows, so that their order does not matter.
            sums = [
                connection.execute(f"SELECT sum(hash(t)) FROM {name} AS t").fetchone() for (name,) in sorted(tables)
            ]
            sources = connection.execute(
                "SELECT file, sha256 FROM about.sources WHERE origin = 'data_folder'"
            ).fetchall()
        digest = hashlib.sha256(repr(sums).encode()).hexdigest()
        assert self.content.setdefault(self.shown, digest) == digest, (self.day, self.shown)
        if self.shown == self.state:
            assert {file: checksums.sha256(self.data / file) for file, _ in sources} == dict(sources)
            assert (RELEASE_2025 in dict(sources)) == self.state.has_2025
        assert run_facts(workspace.database)["own_settings"].startswith("regression.resampling_draws = 99")

    def _hold_folders(self) -> None:
        """Releases are those that the retention keeps, and nothing half-written lies about."""
        workspace = self.workspace
        hidden = [path for path in workspace.out.rglob(".*") if path.suffix in (".part", ".building", ".pruned")]
        assert hidden == [], (self.day, hidden)
        there = {path.name for path in workspace.releases.iterdir() if path.name[0].isdigit()}
        assert there <= {name for name, _ in self.published}
        assert there == self._kept(), self.day

    def _kept(self) -> set[str]:
        """By the rule of docs/operations.md: the last days counted from the newest, the first of each month, the shown."""
        names = [name for name, _ in self.published]
        if not names:
            return set()
        days = {name: dt.date.fromisoformat(name.rpartition("-")[0]) for name in names}
        newest = max(days.values())
        kept = {name for name in names if (newest - days[name]).days < KEEP_DAYS} | {names[-1]}
        firsts: dict[str, str] = {}
        for name in names:
            firsts.setdefault(name[:7], name)
        # Pruning happens at a publication: what was within the days at the last one is still there.
        return kept | set(firsts.values())

    def _roll_back(self) -> None:
        before = self.published[-2]
        ended = care_numbers("rollback", before[0], "--data", self.data, "--out", self.root / "out", "--reason", "soak")
        assert ended.code == 0, ended.err
        self.held_back, self.shown = self.published[-1][1], before[1]

    def _leave_behind(self) -> None:
        """What a process leaves that was killed while it published."""
        out = self.workspace.out
        for name in (".7.building", ".8.pruned"):
            (self.workspace.releases / name).mkdir(parents=True, exist_ok=True)
            (self.workspace.releases / name / "half").write_text("half")
        (out / ".status.json.7.part").write_text("{")
        (out / ".care_numbers.7.building.duckdb").write_bytes(b"half")
        if self.workspace.status.exists():
            told = json.loads(self.workspace.status.read_text())
            told["last_night"] |= {"result": night_status.RUNNING, "run_id": "killed"}
            self.workspace.status.write_text(json.dumps(told))


@contextlib.contextmanager
def _full_disk() -> Iterator[None]:
    """No room when the finished release is to get its name."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with mock.patch.object(durable, "sync", refuse):
        yield


# ---------------------------------------------------------------------------------------------------------------------
# What happens when


def plan(seed: int) -> Iterator[Callable[[Soak], tuple[str, State]]]:
    """Endless nights, as life brings them: most without news, faults that are mended after a night or two."""
    chance = random.Random(seed)
    while True:
        drawn = chance.random()
        if drawn < 0.25:
            yield lambda soak: ("something new", _another(soak, chance))
        elif drawn < 0.72:
            yield lambda soak: ("nothing", _mended(soak.state))
        elif drawn < 0.86:
            kind = chance.choice(sorted(BROKEN))
            yield lambda soak, kind=kind: ("broken", _broken(soak.state, kind))
        elif drawn < 0.90:
            yield lambda soak: (ROLLBACK if _can_roll_back(soak) else "nothing", _mended(soak.state))
        elif drawn < 0.95:
            yield lambda soak: (DISK_FULL, _another(soak, chance))
        else:
            yield lambda soak: (KILLED, _another(soak, chance))


def _can_roll_back(soak: Soak) -> bool:
    """There is a release before the one that is shown, of other files, and no rollback is in force."""
    own = soak.published[-2:]
    return (
        soak.held_back is None
        and len(own) == 2
        and soak.shown == own[1][1] == _mended(soak.state)
        and own[0][1] != own[1][1]
        and own[0][0] in soak._kept()
    )


def _mended(state: State) -> State:
    return State(state.has_2025, state.amended_by, state.has_notes)


def _broken(state: State, kind: str) -> State:
    return State(state.has_2025, state.amended_by, state.has_notes, kind)


def _another(soak: Soak, chance: random.Random) -> State:
    """Sound files other than those that are published, with one difference to those that are there."""
    now = _mended(soak.state)
    choices = [
        State(not now.has_2025, now.amended_by, now.has_notes),
        State(now.has_2025, (now.amended_by + 1) % 3, now.has_notes),
        State(now.has_2025, now.amended_by, not now.has_notes),
    ]
    return chance.choice([one for one in choices if one not in (soak.shown, soak.held_back)])
