"""Whether there is anything to publish: what a publication follows from, against what the published one followed from.

What belongs here: the three hashes (inputs, code, settings), their comparison with those in `about.run`, and the sentence
that says what is new. What does not: what a file is (`sources`), and what a run does about the answer (`assets.raw`).

Equal hashes mean equal results but for times: all randomness is seeded. The hashes are taken before a run reads anything,
so that what changes under its hands is news to the next one.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline import checksums, database, places, releases, settings, sources
from pipeline.errors import Refusal
from pipeline.places import Workspace

HASHES = ("inputs_sha256", "code_sha256")  # the settings have theirs in every database
SEVERAL_RUNS = "frames of several runs"
# Those that read, compute or write figures: another version may give other ones.
LIBRARIES = ("duckdb", "numpy", "pandas", "pyarrow", "python-calamine", "scipy", "statsmodels")
_CODE = (".py", ".toml", ".sql")
_SETTINGS = "settings.toml"
_NAMED = 3  # files that a sentence names; the rest are counted


@dataclass(frozen=True)
class Origin:
    """What a publication follows from, each as a sha256 in hexadecimal digits."""

    inputs_sha256: str
    code_sha256: str
    settings_sha256: str

    def facts(self) -> dict[str, str]:
        """Its rows of `about.run`."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class News:
    """What looking for news found. `is_held_back`: nothing is published because somebody rolled these inputs back."""

    is_new: bool
    sentence: str
    origin: Origin
    is_held_back: bool = False


def _inputs_sha256(workspace: Workspace, files: Mapping[str, str]) -> str:
    """Hash of the names and contents of all files of the data folder and of the project's reference tables.

    With registered files also of their register, which says which edition of a release counts.
    """
    lock = places.lock_file()
    registered = workspace.kind == "published" and lock.exists()
    looked_at = [files, sources.hashes(places.reference_folder()), checksums.sha256(lock) if registered else ""]
    return hashlib.sha256(json.dumps(looked_at, sort_keys=True).encode()).hexdigest()


def code_sha256(libraries: Collection[str] = LIBRARIES) -> str:
    """Hash of the program as shipped, queries included, and of the versions of the libraries that it computes with.

    The same for a checkout and an installed copy. The settings are no part of it: they have a hash of their own.
    """
    digest = hashlib.sha256()
    for label, folder in places.code_folders().items():
        for path in sorted(path for path in folder.rglob("*") if path.suffix in _CODE):
            name = path.relative_to(folder)
            if path.name != _SETTINGS and name.parts[0] != places.SHIPPED:
                digest.update(f"{label}/{name.as_posix()}\n".encode())
                digest.update(f"{checksums.sha256(path)}\n".encode())
    for library in libraries:
        digest.update(f"{library} {importlib.metadata.version(library)}\n".encode())
    return digest.hexdigest()


def look(workspace: Workspace) -> News:
    """Compare what is there with what the published database followed from.

    A database that is missing or cannot be read is news: publishing anew is the remedy. Raises Refusal for a note of a
    rollback that cannot be read.
    """
    files = sources.hashes(workspace.data)
    now = Origin(_inputs_sha256(workspace, files), code_sha256(), settings.load().sha256)
    rollback = releases.rolled_back(workspace.database)
    if rollback and rollback.inputs_sha256 == now.inputs_sha256:
        return News(is_new=False, sentence=_held_back(rollback), origin=now, is_held_back=True)
    if not workspace.database.exists():
        return News(is_new=True, sentence="News: nothing has been published here yet.", origin=now)
    try:
        told = database.run_facts(workspace.database)
        news = _differences(now, told, _changed(files, workspace.database))
    except (duckdb.Error, Refusal):
        return News(is_new=True, sentence="News: the published database cannot be read.", origin=now)
    if news:
        return News(is_new=True, sentence=f"News: {'; '.join(news)}.", origin=now)
    since = told.get("published_at", "the last publication")
    sentence = f"No news since {since}: files, code and settings are those of the published database."
    return News(is_new=False, sentence=sentence, origin=now)


def _held_back(rollback: releases.Rollback) -> str:
    return (
        f"Nothing is published: {rollback.sentence()}, and the files are still those that {rollback.rolled_back_from} "
        "was made from. Other files end the rollback, and so does care-numbers run."
    )


def _differences(now: Origin, told: Mapping[str, str], changed: list[str]) -> list[str]:
    """What is new, in words."""
    if told.get("inputs_sha256") == SEVERAL_RUNS:
        return ["the published database was put together from several runs"]
    news = []
    if told.get("inputs_sha256") != now.inputs_sha256:
        news.append(_named(changed) or "reference tables, or files that take no part, have changed")
    if told.get("code_sha256") != now.code_sha256:
        news.append("the program or a library it computes with has changed")
    if told.get("settings_sha256") != now.settings_sha256:
        news.append("the settings have changed")
    return news


def _named(names: list[str]) -> str:
    if not names:
        return ""
    counted = "1 file is" if len(names) == 1 else f"{len(names)} files are"
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{counted} new, changed or gone ({', '.join(names[:_NAMED])}{rest})"


def _changed(files: Mapping[str, str], published: Path) -> list[str]:
    """Files that take part and are not as they were, and files that were not there or are no longer there."""
    of_sources = "SELECT file, sha256 FROM about.sources WHERE origin = 'data_folder'"
    used = {row["file"]: row["sha256"] for row in database.query(published, of_sources)}
    not_used = {row["file"] for row in database.query(published, "SELECT file FROM about.files_not_used")}
    tables = {name: sha256 for name, sha256 in files.items() if Path(name).name not in sources.OWN_FILES}
    new = {name for name, sha256 in tables.items() if used.get(name) != sha256} - not_used
    gone = (used.keys() | not_used) - tables.keys()
    return sorted(new | gone)
