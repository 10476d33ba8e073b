"""The releases where the outputs are by URL: published to an object store, the one that is shown copied to this machine.

What belongs here: the moment of publication in a store, which release is shown there, going back, pins, pruning and mending
there, and the local copy. What does not: the rules of releases, which are those of a local folder (`releases`), what is in
one (`release_folder`), and making one (`publish`), which happens on this machine and ends with `put`.

Below the URL lies `releases/`:

    <date>-<n>/      a release; it is one from the moment when its MANIFEST is there, which is written last and once
    latest.json      a pointer: which release is shown, and the sha256 of its MANIFEST
    rollback.json, pinned.txt   as in a local folder
    history/         an object for each publication, rollback, pin and pruning, as objects cannot be added to
    .claims/         the names that publishers have taken, each with the first write of that name

What is begun and has no MANIFEST is no release to anybody. A publisher that died leaves such objects and its claim; the
name stays taken, so the number of a day may have a gap, and whoever publishes a day later removes them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import tempfile
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow.parquet as pq

from pipeline import checksums, datapackage, durable, release_folder, releases, stores
from pipeline.errors import Refusal
from pipeline.places import Workspace
from pipeline.releases import Name, Release, Rollback
from pipeline.stores import Object, Store

POINTER, HISTORY, CLAIMS = "latest.json", "history", ".claims"
# By the clock of the store. No publication takes so long; what is older and has no MANIFEST was left by one that died.
LEFT_AFTER = dt.timedelta(days=1)
_ATTEMPTS = 5


@dataclass(frozen=True)
class State:
    """What one listing of the store shows, with the note of a rollback and the pins."""

    objects: dict[str, Object]
    marker: Rollback | None
    pins: set[Name]

    @property
    def names(self) -> list[Name]:
        """The releases, the oldest first."""
        return sorted(name for name in self._folders() if f"{name}/{checksums.FILE}" in self.objects)

    @property
    def begun(self) -> list[Name]:
        """Names under which there are objects and no release."""
        return sorted(self._folders() - set(self.names))

    @property
    def claimed(self) -> set[Name]:
        """Names that publishers have taken, those of finished releases among them."""
        found = (releases.name_of(Path(one).stem) for one in self.objects if one.startswith(f"{CLAIMS}/"))
        return {name for name in found if name is not None}

    @property
    def rollback(self) -> Rollback | None:
        """The rollback in force."""
        return releases.in_force(self.marker, self.names)

    @property
    def current(self) -> Name | None:
        """The release that is to be shown."""
        return releases.to_be_shown(self.rollback, self.names)

    def of(self, name: Name) -> dict[str, Object]:
        """The objects of a release."""
        return {one: found for one, found in self.objects.items() if one.startswith(f"{name}/")}

    def _folders(self) -> set[Name]:
        found = (releases.name_of(one.split("/")[0]) for one in self.objects if "/" in one)
        return {name for name in found if name is not None}


@dataclass(frozen=True)
class Shelf:
    """The releases of a store, and the published database of the local copy."""

    store: Store
    database: Path

    # -----------------------------------------------------------------------------------------------------------------
    # What is there

    def state(self) -> State:
        """What the store holds now. Raises Refusal for a note of a rollback or a list of pins that cannot be read."""
        objects = self.store.listed()
        rollback = self.store.read(releases.ROLLBACK) if releases.ROLLBACK in objects else None
        pins = self.store.read(releases.PINNED) if releases.PINNED in objects else None
        return State(
            objects,
            releases.marker_of(rollback.decode("utf-8")) if rollback else None,
            releases.pins_of(pins.decode("utf-8")) if pins else set(),
        )

    def current(self) -> Name | None:
        """The release that is to be shown."""
        return self.state().current

    def rolled_back(self) -> Rollback | None:
        """The rollback in force."""
        return self.state().rollback

    def listed(self) -> list[Release]:
        """All releases, the newest first."""
        state = self.state()
        wanted = [f"{name}/{file}" for name in state.names for file in (checksums.FILE, datapackage.FILE)]
        told = self.store.read_all(wanted)
        return [
            Release(
                release=str(name),
                published_at=json.loads(told[f"{name}/{datapackage.FILE}"]).get("created"),
                bytes=sum(found.bytes for found in state.of(name).values()),
                manifest_sha256=_sha256(told[f"{name}/{checksums.FILE}"]),
                is_shown=name == state.current,
                is_pinned=name in state.pins,
            )
            for name in reversed(state.names)
        ]

    def prove(self, release: str) -> release_folder.Proof:
        """Prove a release from what the store holds of it. Raises Refusal as for a local one."""
        state = self.state()
        name = releases.chosen(release, state.names, state.current)
        with tempfile.TemporaryDirectory() as place:
            return release_folder.prove(self._download(state, name, Path(place)))

    def prove_shown(self) -> release_folder.Proof:
        """Prove the release that is shown, and that the pointer names it. Raises Refusal."""
        proof = self.prove(releases.LATEST)
        if self.store.read(POINTER) != _pointer(proof.release, proof.manifest_sha256):
            raise Refusal(
                "release_not_shown",
                f"{releases.FOLDER}/{POINTER} does not name release {proof.release}",
                file=self.store.url,
                remedy=f"care-numbers rollback {proof.release} lets it name that release",
            )
        return proof

    # -----------------------------------------------------------------------------------------------------------------
    # The local copy

    def bring(self) -> None:
        """Let the local copy show what the store shows. Raises Refusal while another process is publishing here."""
        state = self.state()
        if not self._is_here(state):
            with durable.only_one(releases.lock_file(self.database)):
                self._bring(state)

    def bring_locked(self) -> None:
        """The same for whoever holds the lock, mending the copy as well."""
        self._bring(self.state())

    def _is_here(self, state: State) -> bool:
        if state.current is None:
            return not self.database.exists() and not releases.names(self.database)
        return (
            releases.current(self.database) == state.current
            and releases.rolled_back(self.database) == state.rollback
            and self.database.exists()
            and self._has(state.current)
        )

    def _has(self, name: Name) -> bool:
        """Whether the local release of this name is the one of the store; the MANIFEST stands for all of it."""
        here = releases.shelf(self.database) / str(name) / checksums.FILE
        return here.exists() and here.read_bytes() == self.store.read(f"{name}/{checksums.FILE}")

    def _bring(self, state: State) -> None:
        shelf, name = releases.shelf(self.database), state.current
        shelf.mkdir(parents=True, exist_ok=True)
        releases.remove_leftovers(self.database)
        if not self._is_here(state):
            if name is not None and not self._has(name):
                self._copy(state, name)
            for old in releases.names(self.database):
                if old != name:
                    releases.remove(self.database, old)
            if name is None:
                self.database.unlink(missing_ok=True)
            if state.rollback:
                durable.write_text(shelf / releases.ROLLBACK, releases.marker_text(state.rollback))
            else:
                (shelf / releases.ROLLBACK).unlink(missing_ok=True)
        releases.heal_locked(self.database)

    def _copy(self, state: State, name: Name) -> None:
        building = releases.begin(self.database)
        folder = self._download(state, name, building)
        problems = checksums.problems(folder)
        if problems:
            raise Refusal(
                "release_not_intact",
                f"release {name} is not as it was published: {problems[0]}",
                file=self.store.url,
                remedy="show another one with care-numbers rollback, or delete its MANIFEST there, and it is none any more",
            )
        if name in releases.names(self.database):
            releases.remove(self.database, name)
        durable.replace(folder, releases.shelf(self.database) / str(name))
        building.rmdir()

    def _download(self, state: State, name: Name, place: Path) -> Path:
        """Everything that the store holds of a release, in a folder of its name."""
        self.store.download({one: place / one for one in state.of(name)})
        for path in (place / str(name)).rglob("*"):
            if path.is_file():
                path.chmod(release_folder.READ_ONLY)
        return place / str(name)

    # -----------------------------------------------------------------------------------------------------------------
    # Adding one. The publisher calls these in this order.

    def claim(self, today: dt.date) -> Name:
        """Take the name of the next release; of two publishers one gets it and the other the number after it."""
        state = self.state()
        taken = state.claimed | set(state.names) | set(state.begun)
        name = releases.next_after(max(taken, default=None), today)
        told = json.dumps({"by": uuid.uuid4().hex, "at": releases.now()}).encode()
        while not self.store.create(f"{CLAIMS}/{name}.json", told):
            name = Name(name.day, name.n + 1)
        return name

    def put(self, folder: Path, name: Name) -> None:
        """Upload a finished folder: its MANIFEST at the end, which publishes it, and then the pointer.

        Raises Refusal when what arrived is not what was sent, as when somebody else has written under this name.
        """
        files = {f"{name}/{file}": folder / file for file in checksums.read(folder)}
        self.store.upload(files)
        manifest = f"{name}/{checksums.FILE}"
        sent = {one: path.stat().st_size for one, path in files.items()}
        if {one: found.bytes for one, found in self.state().of(name).items()} != sent:
            raise self._not_as_sent(name)
        if not self.store.create(manifest, (folder / checksums.FILE).read_bytes()):
            raise self._not_as_sent(name)
        self.point()
        self._log("published", release=str(name))

    def _not_as_sent(self, name: Name) -> Refusal:
        return Refusal(
            "upload_incomplete",
            f"what arrived of release {name} is not what was sent; it was not published",
            file=self.store.url,
            remedy="look whether somebody else publishes to this URL, and run again",
        )

    def settle(self, keep_days: int) -> list[Name]:
        """After a publication: end a rollback, prune, remove what dead publishers left. The releases pruned."""
        state = self.state()
        if state.marker and not state.rollback:
            self.store.delete([releases.ROLLBACK])
            self._log("rollback_ended", **asdict(state.marker) | {"newest": str(max(state.names))})
        gone = releases.outdated_of(state.names, state.pins, state.rollback, keep_days) if state.names else []
        for name in gone:
            self.store.delete([f"{name}/{checksums.FILE}"])  # without it, it is no release: nobody sees half of one
            self.store.delete(state.of(name).keys() - {f"{name}/{checksums.FILE}"})
            self._log("pruned", release=str(name))
        self.store.delete(self._left(state))
        return gone

    def _left(self, state: State) -> list[str]:
        """Objects of names that were begun and left, and claims that are of no more use."""
        moments = [found.changed_at for found in state.objects.values() if found.changed_at is not None]
        if not moments:
            return []
        latest_of_old = max(moments) - LEFT_AFTER
        left: list[str] = []
        for name in {*state.begun, *state.claimed}:
            claim = {one: found for one, found in state.objects.items() if one == f"{CLAIMS}/{name}.json"}
            its = claim if name in state.names else {**claim, **state.of(name)}
            if all(found.changed_at is not None and found.changed_at < latest_of_old for found in its.values()):
                left += its
        return left

    def point(self) -> None:
        """Let the pointer name the current release, also when another publisher is at it."""
        for _ in range(_ATTEMPTS):
            name = self.current()
            if name is None:
                self.store.delete([POINTER] if self.store.read(POINTER) is not None else [])
                return
            pointer = _pointer(str(name), _sha256(self.store.read(f"{name}/{checksums.FILE}") or b""))
            if self.store.read(POINTER) == pointer:
                return
            self.store.write(POINTER, pointer)
        # Others go on publishing, and whoever is last has set it.

    def _log(self, action: str, **told: str) -> None:
        at = releases.now()
        line = json.dumps({"at": at, "action": action} | told, ensure_ascii=False)
        moment = re.sub(r"[^0-9T]", "", at.removesuffix("+00:00"))  # sorted by name, they are in order
        self.store.write(f"{HISTORY}/{moment}Z-{action}-{uuid.uuid4().hex[:8]}.json", line.encode("utf-8"))

    # -----------------------------------------------------------------------------------------------------------------
    # What a person asks for

    def roll_back(self, release: str, reason: str) -> Rollback | None:
        """Show an older release from now on, after proving it; the newest one ends a rollback, and then this is None."""
        state = self.state()
        name = releases.chosen(release, state.names, state.current)
        self.prove(str(name))
        newest, before = state.names[-1], str(state.current)
        marker = None
        if name != newest:
            marker = Rollback(str(name), str(newest), releases.now(), reason, self._inputs(newest))
            self.store.write(releases.ROLLBACK, releases.marker_text(marker).encode("utf-8"))
        elif state.marker:
            self.store.delete([releases.ROLLBACK])
        self.point()
        self._log("rolled_back", release=str(name), shown_before=before, newest=str(newest), reason=reason)
        self.bring()
        return marker

    def _inputs(self, name: Name) -> str:
        path = release_folder.parquet_path("about.run")
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "about.run.parquet"
            self.store.download({f"{name}/{path}": file})
            told = pq.read_table(file).to_pylist()
        return next((row["value"] for row in told if row["property"] == "inputs_sha256"), "")

    def pin(self, release: str) -> None:
        """Keep a release whatever its age."""
        state = self.state()
        name = releases.chosen(release, state.names, state.current)
        if name not in state.pins:
            text = (self.store.read(releases.PINNED) or b"").decode("utf-8")
            self.store.write(releases.PINNED, releases.with_pin(text, str(name)).encode("utf-8"))
            self._log("pinned", release=str(name))

    def unpin(self, release: str) -> None:
        """Let a release be pruned when it is old."""
        state = self.state()
        name = releases.chosen(release, state.names, state.current)
        if name in state.pins:
            text = (self.store.read(releases.PINNED) or b"").decode("utf-8")
            self.store.write(releases.PINNED, releases.without_pin(text, str(name)).encode("utf-8"))
            self._log("unpinned", release=str(name))


def of(workspace: Workspace) -> Shelf | None:
    """The releases at the URL of a workspace, None for a local folder."""
    return Shelf(stores.of(workspace.releases_url), workspace.database) if workspace.releases_url else None


def _pointer(release: str, manifest_sha256: str) -> bytes:
    told = {
        "release": release,
        "manifest_sha256": manifest_sha256,
        "database": f"{release}/{release_folder.DATABASE}",
        "parquet": f"{release}/{release_folder.PARQUET}",
    }
    return (json.dumps(told, indent=1) + "\n").encode("utf-8")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
