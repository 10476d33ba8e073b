"""Releases by URL: visible when complete and never before, whatever stops a publisher, and the rules of local releases.

What is published is the country of `small_country` in two states. Most stores are in memory, where each write can be the
last one; S3 as moto imitates it, killed processes and readers at work are in `whole_runs/test_by_url`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import time_machine

from pipeline import (
    checksums,
    datapackage,
    durable,
    places,
    publish,
    release_folder,
    releases,
    releases_by_url,
    shelves,
    stores,
)
from pipeline.errors import Refusal
from pipeline.places import Workspace
from pipeline.releases import Name
from pipeline.releases_by_url import POINTER, Shelf
from pipeline.stores import Store
from tests.fixtures import small_country as small
from tests.whole_runs.running import rows, tables_that_differ

SQL = places.sql_folder()
FACTS = {"country": "Sarnland", "published_at": "2030-03-11T03:00:00+00:00", "inputs_sha256": "7" * 64}
DAY = dt.date(2030, 3, 11)
FIRST, SECOND = Name(DAY, 1), Name(DAY + dt.timedelta(days=1), 1)
OLD, NEW = 550, 1100  # children at the end of the window in each state


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return small.write_two_states(tmp_path_factory.mktemp("states"), ("old", "new"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, frames: dict[str, Path]) -> Path:
    """A local output folder with both states published on two days: what is uploaded, and what to compare with."""
    out = tmp_path_factory.mktemp("made")
    for day, state in ((FIRST.day, "old"), (SECOND.day, "new")):
        publish.publish(out / release_folder.DATABASE, frames[state], SQL, FACTS, is_fictional=True, today=day)
    return out / "releases"


@pytest.fixture
def workspace(in_memory: str) -> Workspace:
    return places.workspace("demo", in_memory)


@pytest.fixture
def shelf(workspace: Workspace) -> Shelf:
    found = releases_by_url.of(workspace)
    assert found is not None
    return found


def another_machine(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str = "other"
) -> Workspace:
    monkeypatch.setenv(places.COPIES_VARIABLE, str(tmp_path / name))
    assert workspace.out_url is not None
    return places.workspace("demo", workspace.out_url.removesuffix("/demo"))


def publish_on(workspace: Workspace, frames: Path, day: dt.date, **facts: str) -> publish.Published:
    return publish.publish(
        workspace.database,
        frames,
        SQL,
        FACTS | facts,
        is_fictional=True,
        today=day,
        elsewhere=releases_by_url.of(workspace),
    )


def children(database: Path) -> int:
    return rows(database, "SELECT sum(looked_after_end)::BIGINT FROM main.five_year_change")[0][0]


def pointer(shelf: Shelf) -> dict[str, str]:
    return json.loads(shelf.store.read(POINTER) or b"{}")


def history(shelf: Shelf) -> list[tuple[str, str]]:
    lines = shelf.store.read_all([name for name in shelf.store.listed() if name.startswith("history/")])
    told = [json.loads(lines[name]) for name in sorted(lines)]
    return [(one["action"], one["release"]) for one in told]


# ---------------------------------------------------------------------------------------------------------------------
# A publication


def test_a_publication_by_url_is_the_local_one(
    workspace: Workspace, shelf: Shelf, frames: dict[str, Path], made: Path
) -> None:
    published = publish_on(workspace, frames["old"], FIRST.day)
    assert shelf.state().names == [FIRST] and shelf.current() == FIRST
    there = {name.removeprefix(f"{FIRST}/") for name in shelf.state().of(FIRST)}
    local = made / str(FIRST)
    assert there == {path.relative_to(local).as_posix() for path in local.rglob("*") if path.is_file()}
    assert tables_that_differ(published.database, local / release_folder.DATABASE) == []
    proof = shelf.prove_shown()
    assert proof.row_counts == published.row_counts
    assert pointer(shelf) == {
        "release": "2030-03-11-1",
        "manifest_sha256": proof.manifest_sha256,
        "database": "2030-03-11-1/care_numbers.duckdb",
        "parquet": "2030-03-11-1/parquet",
    }
    assert history(shelf) == [("published", "2030-03-11-1")]
    assert (published.release_before, children(workspace.database)) == (None, OLD)
    published = publish_on(workspace, frames["new"], SECOND.day)
    assert (published.release_before, children(workspace.database)) == (FIRST, NEW)
    assert "counts of children looked after differ" in published.since


def test_another_machine_takes_over(
    workspace: Workspace,
    shelf: Shelf,
    made: Path,
    frames: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What changed is told against what the store shows, and the names go on from there."""
    shelf.put(made / str(FIRST), FIRST)
    other = another_machine(workspace, tmp_path, monkeypatch)
    assert not other.database.exists()
    published = publish_on(other, frames["new"], FIRST.day)
    assert (published.release.name, published.release_before) == ("2030-03-11-2", FIRST)
    shelves.bring_shown(workspace)
    assert children(workspace.database) == NEW


def test_the_copy_is_not_downloaded_twice(
    workspace: Workspace, shelf: Shelf, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put(made / str(FIRST), FIRST)
    shelves.bring(workspace)

    def never(self: Store, files: Mapping[str, Path]) -> None:
        raise AssertionError(f"{list(files)} are here")

    monkeypatch.setattr(Store, "download", never)
    shelves.bring(workspace)
    shelf.bring_locked()
    assert children(workspace.database) == OLD


def test_a_store_that_was_emptied_empties_the_copy(workspace: Workspace, shelf: Shelf, made: Path) -> None:
    shelf.put(made / str(FIRST), FIRST)
    shelves.bring(workspace)
    shelf.store.delete(list(shelf.store.listed()))
    shelves.bring(workspace)
    assert not workspace.database.exists() and releases.names(workspace.database) == []


def test_readers_do_not_wait_for_a_publication(workspace: Workspace, shelf: Shelf, made: Path) -> None:
    """Between the moment of publication and the swap of the copy, whoever reads here goes on with the old one."""
    shelf.put(made / str(FIRST), FIRST)
    shelves.bring(workspace)
    shelf.put(made / str(SECOND), SECOND)
    with durable.only_one(releases.lock_file(workspace.database)):
        shelves.bring_shown(workspace)
        assert children(workspace.database) == OLD
        with pytest.raises(Refusal, match="another run is publishing"):
            shelves.bring(workspace)
    shelves.bring_shown(workspace)
    assert children(workspace.database) == NEW


# ---------------------------------------------------------------------------------------------------------------------
# Stopped anywhere


class Died(BaseException):
    """The machine stopped."""


class DyingStore(Store):
    """Dies instead of the write with this number, deletions included."""

    def __init__(self, url: str, filesystem: Any, lives: int) -> None:
        super().__init__(url, filesystem)
        self.lives = lives

    def _live(self) -> None:
        if self.lives == 0:
            raise Died
        self.lives -= 1

    def write(self, name: str, content: bytes) -> None:
        self._live()
        super().write(name, content)

    def create(self, name: str, content: bytes) -> bool:
        self._live()
        return super().create(name, content)

    def upload(self, files: Mapping[str, Path]) -> None:
        for name, path in files.items():
            self._live()
            super().upload({name: path})

    def delete(self, names: Any) -> None:
        for name in names:
            self._live()
            super().delete([name])


def dying(shelf: Shelf, lives: int) -> Shelf:
    return Shelf(DyingStore(shelf.store.url, shelf.store._files, lives), shelf.database)


def whole_at(shelf: Shelf, name: Name, place: Path) -> bool:
    """Whether everything that a MANIFEST in the store names is there with its bytes, and nothing besides."""
    return checksums.problems(shelf._download(shelf.state(), name, place)) == []


def test_a_publisher_that_dies_leaves_the_old_release_or_the_new_one(shelf: Shelf, made: Path, tmp_path: Path) -> None:
    """Once before each of its writes, from the claim to the pruning; each leaves its rubbish to the next."""
    shelf.put(made / str(FIRST), FIRST)
    old, files = shelf.state().of(FIRST), len(checksums.read(made / str(SECOND)))
    # The claim and the files leave the old one; from MANIFEST on it is the new one: there are the pointer and the history.
    for lives in range(files + 5):
        victim = dying(shelf, lives)
        with contextlib.suppress(Died):
            victim.put(made / str(SECOND), victim.claim(SECOND.day))
            victim.settle(31)
        state = shelf.state()
        assert state.of(FIRST) == old
        has_manifest = lives >= files + 2
        assert len(state.names) == 1 + max(0, lives - files - 1), lives
        assert (state.current != FIRST) == has_manifest
        assert pointer(shelf)["release"] in map(str, state.names)
    for name in state.names:
        assert whole_at(shelf, name, tmp_path)


def test_what_a_dead_publisher_left_is_seen_by_nobody(workspace: Workspace, shelf: Shelf, made: Path) -> None:
    shelf.put(made / str(FIRST), FIRST)
    victim = dying(shelf, 20)
    with pytest.raises(Died):
        victim.put(made / str(SECOND), victim.claim(SECOND.day))
    assert shelf.state().begun == [SECOND]
    assert [one.release for one in shelf.listed()] == [str(FIRST)]
    assert shelf.prove_shown().release == str(FIRST)
    for asked in (shelf.prove, shelf.pin, lambda name: shelf.roll_back(name, "")):
        with pytest.raises(Refusal) as caught:
            asked(str(SECOND))
        assert caught.value.code == "no_release"
    shelves.bring(workspace)
    assert children(workspace.database) == OLD


def test_the_next_publication_goes_on_and_a_day_later_it_is_cleared_away(shelf: Shelf, made: Path) -> None:
    with time_machine.travel(dt.datetime(2030, 3, 12, 3, tzinfo=dt.UTC)) as clock:
        victim = dying(shelf, 20)
        with pytest.raises(Died):
            victim.put(made / str(SECOND), victim.claim(SECOND.day))
        clock.shift(dt.timedelta(hours=1))
        name = shelf.claim(SECOND.day)
        shelf.put(made / str(FIRST), name)
        shelf.settle(31)
        assert (str(name), shelf.state().begun) == ("2030-03-12-2", [SECOND])  # the other one might be alive
        clock.shift(dt.timedelta(hours=24))
        shelf.put(made / str(SECOND), shelf.claim(SECOND.day + dt.timedelta(days=1)))
        shelf.settle(31)
    state = shelf.state()
    assert (state.begun, [str(name) for name in state.names]) == ([], ["2030-03-12-2", "2030-03-13-1"])
    assert state.claimed == {Name(dt.date(2030, 3, 13), 1)}


def test_a_publication_that_was_not_pointed_at_is_shown_by_the_next_look(
    workspace: Workspace, shelf: Shelf, made: Path
) -> None:
    shelf.put(made / str(FIRST), FIRST)
    files = len(checksums.read(made / str(SECOND)))
    victim = dying(shelf, files + 2)
    with pytest.raises(Died):
        victim.put(made / str(SECOND), victim.claim(SECOND.day))
    assert (pointer(shelf)["release"], shelf.current()) == (str(FIRST), SECOND)
    with pytest.raises(Refusal) as caught:
        shelf.prove_shown()
    assert caught.value.code == "release_not_shown"
    shelves.bring(workspace)
    assert pointer(shelf)["release"] == str(SECOND)
    assert children(workspace.database) == NEW


def test_an_upload_that_fails_leaves_this_machine_as_it_was(
    workspace: Workspace, shelf: Shelf, made: Path, frames: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put(made / str(FIRST), FIRST)
    shelves.bring(workspace)

    def fails(self: Store, files: Mapping[str, Path]) -> None:
        raise Refusal("store_unreachable", "the store does not answer", remedy="look at the network")

    monkeypatch.setattr(Store, "upload", fails)
    with pytest.raises(Refusal, match="does not answer"):
        publish_on(workspace, frames["new"], SECOND.day)
    monkeypatch.undo()
    assert children(workspace.database) == OLD
    assert releases.prove_shown(workspace.database).release == str(FIRST)
    assert sorted(path.name for path in workspace.out.rglob(".*")) == [".publishing.lock"]


def test_half_a_pruning_is_no_release(shelf: Shelf, made: Path) -> None:
    shelf.put(made / str(FIRST), FIRST)
    later = Name(FIRST.day + dt.timedelta(days=1), 1)
    shelf.store.write(f"{later}/{checksums.FILE}", b"")
    newest = Name(FIRST.day + dt.timedelta(days=90), 1)
    shelf.store.write(f"{newest}/{checksums.FILE}", b"")
    victim = dying(shelf, 1)
    with pytest.raises(Died):
        victim.settle(31)
    assert shelf.state().names == [FIRST, newest]


# ---------------------------------------------------------------------------------------------------------------------
# Two publishers


def test_two_publishers_get_two_names(shelf: Shelf, workspace: Workspace) -> None:
    """Both looked before either had claimed."""
    other = Shelf(stores.of(shelf.store.url), workspace.database)
    seen = shelf.state()
    assert seen.names == []
    first = shelf.claim(DAY)

    class Early(Shelf):
        def state(self) -> releases_by_url.State:
            return seen

    second = Early(other.store, other.database).claim(DAY)
    assert (str(first), str(second)) == ("2030-03-11-1", "2030-03-11-2")


def test_whoever_writes_under_a_name_of_another_publishes_nothing(shelf: Shelf, made: Path) -> None:
    """A store may not know the condition of the claim; then what arrived is not what was sent."""
    shelf.put(made / str(FIRST), FIRST)
    shelf.store.write(f"{SECOND}/stranger.txt", b"1")
    with pytest.raises(Refusal) as caught:
        shelf.put(made / str(SECOND), SECOND)
    assert caught.value.code == "upload_incomplete"
    assert shelf.current() == FIRST


def test_a_release_is_written_once(shelf: Shelf, made: Path) -> None:
    shelf.put(made / str(FIRST), FIRST)
    before = shelf.store.read(f"{FIRST}/{checksums.FILE}")
    with pytest.raises(Refusal) as caught:
        shelf.put(made / str(FIRST), FIRST)
    assert caught.value.code == "upload_incomplete"
    assert shelf.store.read(f"{FIRST}/{checksums.FILE}") == before


def test_the_pointer_does_not_go_back(shelf: Shelf, made: Path) -> None:
    """The older of two publications may be the last to end."""
    shelf.put(made / str(SECOND), SECOND)
    shelf.put(made / str(FIRST), FIRST)
    assert pointer(shelf)["release"] == str(SECOND)
    assert shelf.current() == SECOND


# ---------------------------------------------------------------------------------------------------------------------
# The rules of releases


@pytest.fixture
def two(workspace: Workspace, shelf: Shelf, made: Path) -> Shelf:
    """A store with both releases, and the copy of this machine."""
    for name in (FIRST, SECOND):
        shelf.put(made / str(name), name)
    shelves.bring(workspace)
    return shelf


def test_the_list_is_the_local_one(two: Shelf, made: Path) -> None:
    assert two.listed() == releases.listed(made.parent / release_folder.DATABASE)


def test_a_release_that_was_changed_is_not_proved(two: Shelf) -> None:
    two.store.write(f"{FIRST}/parquet/main.care_numbers.parquet", b"PAR1")
    with pytest.raises(Refusal) as caught:
        two.prove(str(FIRST))
    assert caught.value.code == "release_not_intact"
    assert two.prove_shown().release == str(SECOND)
    with pytest.raises(Refusal):
        two.roll_back(str(FIRST), "")
    assert two.rolled_back() is None


def test_a_damaged_release_is_not_copied_here(
    two: Shelf, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.store.write(f"{SECOND}/{release_folder.DATABASE}", b"DUCK")
    other = another_machine(workspace, tmp_path, monkeypatch)
    with pytest.raises(Refusal) as caught:
        shelves.bring(other)
    assert caught.value.code == "release_not_intact"
    assert not other.database.exists()
    shelves.of(other).roll_back(str(FIRST), "the newest is damaged")
    assert children(other.database) == OLD


def test_going_back_is_seen_everywhere(
    two: Shelf, workspace: Workspace, frames: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = two.roll_back(str(FIRST), "a fault in the files")
    assert marker is not None and marker.inputs_sha256 == FACTS["inputs_sha256"]
    assert (pointer(two)["release"], two.current(), two.rolled_back()) == (str(FIRST), FIRST, marker)
    assert children(workspace.database) == OLD
    assert releases.rolled_back(workspace.database) == marker
    other = another_machine(workspace, tmp_path, monkeypatch)
    shelves.bring(other)
    assert (children(other.database), releases.rolled_back(other.database)) == (OLD, marker)
    published = publish_on(other, frames["new"], SECOND.day)
    assert (published.release.name, published.release_before) == ("2030-03-12-2", FIRST)
    assert published.ended_rollback == marker
    assert two.rolled_back() is None and releases.ROLLBACK not in two.store.listed()
    told = dict(rows(other.database, "SELECT property, value FROM about.run"))
    assert "a fault in the files" in told["ended_rollback"]
    shelves.bring(workspace)
    assert (children(workspace.database), releases.rolled_back(workspace.database)) == (NEW, None)
    assert [action for action, _ in history(two)][-2:] in (
        ["published", "rollback_ended"],
        ["rollback_ended", "published"],
    )


def test_going_forward_again_ends_it(two: Shelf, workspace: Workspace) -> None:
    two.roll_back(str(FIRST), "")
    assert two.roll_back(str(SECOND), "") is None
    assert (two.current(), two.rolled_back(), children(workspace.database)) == (SECOND, None, NEW)


def test_pins(two: Shelf) -> None:
    two.store.write(releases.PINNED, b"# of the paper of 2030\n")
    two.pin(str(FIRST))
    two.pin(str(FIRST))
    assert two.store.read(releases.PINNED) == b"# of the paper of 2030\n2030-03-11-1\n"
    assert [one.is_pinned for one in two.listed()] == [False, True]
    two.unpin(str(FIRST))
    assert two.store.read(releases.PINNED) == b"# of the paper of 2030\n"


def name_only(shelf: Shelf, *names: Name) -> None:
    """Releases of which only the name matters."""
    for name in names:
        shelf.store.write(f"{name}/{datapackage.FILE}", b"{}")
        shelf.store.write(f"{name}/{checksums.FILE}", b"")


def test_old_releases_are_pruned_by_the_same_rule(shelf: Shelf) -> None:
    """The first of a month, the pinned, and the last 31 days stay."""
    days = [Name(dt.date(2030, 1, day), 1) for day in (1, 2, 3, 30)] + [Name(dt.date(2030, 3, 1), 1)]
    name_only(shelf, *days)
    shelf.pin("2030-01-03-1")
    assert [str(name) for name in shelf.settle(31)] == ["2030-01-02-1"]
    assert [str(name) for name in shelf.state().names] == [
        "2030-01-01-1",
        "2030-01-03-1",
        "2030-01-30-1",
        "2030-03-01-1",
    ]
    assert not [name for name in shelf.store.listed() if name.startswith("2030-01-02-1")]
    assert ("pruned", "2030-01-02-1") in history(shelf)


@pytest.mark.parametrize(
    ("file", "content", "code"),
    [(releases.ROLLBACK, b"{", "rollback_unreadable"), (releases.PINNED, b"yesterday's", "pin_unreadable")],
)
def test_notes_that_cannot_be_read_are_refused(shelf: Shelf, file: str, content: bytes, code: str) -> None:
    name_only(shelf, FIRST)
    shelf.store.write(file, content)
    with pytest.raises(Refusal) as caught:
        shelf.state()
    assert caught.value.code == code


def test_what_is_no_release_is_left_alone(shelf: Shelf) -> None:
    name_only(shelf, FIRST)
    for name in ("notes.txt", "2030-13-01-1/MANIFEST", "latest/MANIFEST", "2030-03-11-01/MANIFEST", ".git/MANIFEST"):
        shelf.store.write(name, b"")
    assert shelf.state().names == [FIRST] and shelf.state().begun == []
    shelf.settle(31)
    assert len(shelf.store.listed()) == 7


def test_local_workspaces_have_local_shelves(tmp_path: Path) -> None:
    workspace = places.workspace("demo", str(tmp_path))
    assert releases_by_url.of(workspace) is None
    assert shelves.of(workspace) == shelves.LocalShelf(workspace.database)
