"""Published files that lie in an object store: a copy of the folder on this machine, which the readers read.

What belongs here: bringing the copy up to date, and for registered files taking back what an import or a fetch has added.
What does not: what the files are (`sources`). Whoever reads the copy holds every file to its registered hash, as in any
other folder.

The store is the truth. An object is downloaded once and again when its version is another; the copy is held to the sha256
that it had when it came; what has gone from the store goes from the copy.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline import checksums, durable, settings, stores
from pipeline.errors import Refusal
from pipeline.stores import Object, Store

FILES, INDEX, ARRIVING = "files", "index.json", ".arriving"
_ATTEMPTS = 3


@dataclass(frozen=True)
class Brought:
    """What is known of one file of the copy: its object then, and the sha256 of what came."""

    bytes: int
    version: str
    sha256: str


@contextlib.contextmanager
def changing(copy: Copy | None, last: str) -> Iterator[None]:
    """For whoever adds to the files: brought before, taken back afterwards, however it ends. Nothing for a local folder."""
    if copy is None:
        yield
        return
    copy.bring()
    try:
        yield
    finally:
        copy.take_back(last)


@dataclass(frozen=True)
class Copy:
    """The copy of a folder at a URL, below `place`. `hidden` are files with a full stop in front that belong to it."""

    url: str
    place: Path
    hidden: frozenset[str] = frozenset()

    @property
    def folder(self) -> Path:
        """The files, under the names that they have in the store."""
        return self.place / FILES

    def at_first_sight(self) -> Path:
        """The folder, brought here when it never was."""
        if not (self.place / INDEX).exists():
            self.bring()
        return self.folder

    def bring(self) -> None:
        """Make the copy what the store holds now.

        Raises Refusal when the store cannot be read, for a name that no file can have, and when objects go on changing
        while they are downloaded.
        """
        store = stores.of(self.url)
        for _ in range(_ATTEMPTS):
            there = self._listed(store)
            known = self._index()
            missing = [name for name, found in there.items() if not self._is_here(name, found, known)]
            known = {name: known[name] for name in there.keys() - missing} | self._download(store, missing, there)
            # What was replaced while it came may have come in halves: only a listing that has not moved proves it whole.
            if not missing or self._listed(store) == there:
                self._remove_all_but(there)
                self._write_index(known)
                return
        raise Refusal(
            "raw_files_moving",
            "files in the store were replaced again and again while they were downloaded",
            file=self.url,
            remedy="run again when whoever writes there has finished",
        )

    def bring_for(self, files: Mapping[str, str]) -> None:
        """Bring it when it does not hold these files (name -> sha256), as on a machine that joins a run."""
        known = self._index()
        if any(_known_hash(known, name) != sha256 for name, sha256 in files.items()):
            self.bring()

    def take_back(self, last: str) -> None:
        """Put into the store what was added here since `bring`, the file named `last` after all others.

        Raises Refusal when the store no longer holds what was brought: somebody else has added something meanwhile.
        """
        store = stores.of(self.url)
        known, there = self._index(), self._listed(store)
        if {name: (one.bytes, one.version) for name, one in known.items()} != _versions(there):
            raise Refusal(
                "raw_files_moving",
                "somebody else has changed the registered files meanwhile",
                file=self.url,
                remedy="run again; nothing was added",
            )
        here = {
            name: path for name, path in self._files().items() if checksums.sha256(path) != _known_hash(known, name)
        }
        store.upload({name: path for name, path in here.items() if name != last})
        if last in here:
            store.write(last, here[last].read_bytes())
        store.delete(sorted(known.keys() - self._files().keys()))
        now = self._listed(store)
        files = self._files()
        self._write_index(
            {name: Brought(now[name].bytes, now[name].version, checksums.sha256(files[name])) for name in files}
        )

    def _listed(self, store: Store) -> dict[str, Object]:
        return {name: found for name, found in store.listed().items() if self._counts(name)}

    def _counts(self, name: str) -> bool:
        """Whether it is a file that a folder would show; marks of folders and hidden files are not."""
        parts = name.split("/")
        if any(part in (".", "..") or "\0" in part for part in parts) or "" in parts[:-1]:
            raise Refusal(
                "bad_object_name",
                "this name in the store cannot be the name of a file",
                file=name,
                remedy="rename or delete the object; no file is read until then",
            )
        return name in self.hidden or not (name.endswith("/") or any(part.startswith(".") for part in parts))

    def _files(self) -> dict[str, Path]:
        found = {path.relative_to(self.folder).as_posix(): path for path in self.folder.rglob("*") if path.is_file()}
        return {name: path for name, path in sorted(found.items()) if self._counts(name)}

    def _is_here(self, name: str, found: Object, known: Mapping[str, Brought]) -> bool:
        brought, path = known.get(name), self.folder / name
        if brought is None or (brought.bytes, brought.version) != (found.bytes, found.version) or not path.is_file():
            return False
        return _is_too_large(found) or checksums.sha256(path) == brought.sha256

    def _download(self, store: Store, names: Collection[str], there: Mapping[str, Object]) -> dict[str, Brought]:
        arriving = self.place / ARRIVING
        shutil.rmtree(arriving, ignore_errors=True)
        small = [name for name in names if not _is_too_large(there[name])]
        store.download({name: arriving / name for name in small})
        brought = {}
        for name in names:
            path = arriving / name
            if name not in small:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as hollow:
                    hollow.truncate(there[name].bytes)
            sha256 = checksums.sha256(path) if name in small else ""
            brought[name] = Brought(there[name].bytes, there[name].version, sha256)
            self._put_in_place(path, self.folder / name)
        shutil.rmtree(arriving, ignore_errors=True)
        return brought

    def _put_in_place(self, path: Path, target: Path) -> None:
        for folder in target.relative_to(self.folder).parents:
            if (self.folder / folder).is_file():  # it was the name of a file until now
                (self.folder / folder).unlink()
        if target.is_dir():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(path, target)

    def _remove_all_but(self, there: Collection[str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in self._files().keys() - there:
            (self.folder / name).unlink()
            for emptied in (self.folder / name).parents:
                if emptied == self.folder or any(emptied.iterdir()):
                    break
                emptied.rmdir()

    def _index(self) -> dict[str, Brought]:
        """What came last time; nothing when it cannot be read, so that everything comes again."""
        try:
            told = json.loads((self.place / INDEX).read_text(encoding="utf-8"))
            return {name: Brought(**one) for name, one in told.items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            return {}

    def _write_index(self, known: Mapping[str, Brought]) -> None:
        told = {name: asdict(one) for name, one in sorted(known.items())}
        durable.write_text(self.place / INDEX, json.dumps(told, indent=1) + "\n")


def _is_too_large(found: Object) -> bool:
    """Such a file is not read; a hollow one of its size stands for it, as the register knows it by its size."""
    return found.bytes > settings.load().files.largest_bytes


def _versions(there: Mapping[str, Object]) -> dict[str, tuple[int, str]]:
    return {name: (found.bytes, found.version) for name, found in there.items()}


def _known_hash(known: Mapping[str, Brought], name: str) -> str:
    return known[name].sha256 if name in known else ""
