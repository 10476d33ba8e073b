"""Where things are: the project's own files, the raw files, the outputs.

What belongs here: turning "a checkout" or "an installed copy" and the user's `--data` and `--out` into paths. What does
not: reading or writing any of them, but that files by URL are copied here when nobody has ever looked at them.

A folder by URL has a place on this machine: for the copy that is read, or for working on the outputs.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline import manifest, stores
from pipeline.errors import Refusal
from pipeline.raw_by_url import Copy

DATA_VARIABLE = "CARE_NUMBERS_DATA"
OUT_VARIABLE = "CARE_NUMBERS_OUT"
RAW_VARIABLE = "CARE_NUMBERS_RAW"
COPIES_VARIABLE = "CARE_NUMBERS_COPIES"
POSTGRES_VARIABLE = "CARE_NUMBERS_POSTGRES_HOST"
SHIPPED = "_shipped"
STATE, REGISTER = ".fetch_state.json", "sources.lock.json"

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / SHIPPED  # an installed copy has no checkout around it; the build puts the files here


def _checkout() -> Path | None:
    root = _PACKAGE.parent
    return root if (root / "pyproject.toml").exists() and (root / "sql").is_dir() else None


def root() -> Path:
    """The folder that holds `data/`: the checkout, or for an installed copy the folder one works in."""
    return _checkout() or Path.cwd()


def reference_folder() -> Path:
    """The small tables compiled for this project."""
    checkout = _checkout()
    return checkout / "data" / "raw" / "reference" if checkout else _SHIPPED / "reference"


def sql_folder() -> Path:
    """The views, checks and example questions."""
    checkout = _checkout()
    return checkout / "sql" if checkout else _SHIPPED / "sql"


def code_folders() -> dict[str, Path]:
    """The folders of the program by name; an installed copy has its queries elsewhere than a checkout."""
    return {"pipeline": _PACKAGE, "assets": _PACKAGE.parent / "assets", "sql": sql_folder()}


def dagster_yaml() -> Path:
    """The instance settings that every Dagster home gets a copy of: those with PostgreSQL where a server is named."""
    name = "dagster.postgres.yaml" if os.environ.get(POSTGRES_VARIABLE) else "dagster.yaml"
    return (_checkout() or _SHIPPED) / name


def raw_folder() -> Path:
    """What came from outside: the published files, their register, and the files that were refused."""
    copy = raw_copy()
    if copy:
        return copy.at_first_sight()
    chosen = stores.local_path(os.environ.get(RAW_VARIABLE) or "")
    return Path(chosen).expanduser().resolve() if chosen else root() / "data" / "raw"


def raw_choice() -> str:
    """That folder as it is told to other machines: by URL, or the whole path."""
    copy = raw_copy()
    return copy.url if copy else str(raw_folder())


def raw_copy() -> Copy | None:
    """The copy of that folder where it is by URL, None where it is on this machine."""
    chosen = os.environ.get(RAW_VARIABLE) or ""
    if stores.local_path(chosen) is not None:
        return None
    return Copy(stores.tidy(chosen), place_of(chosen) / "raw", hidden=frozenset({STATE}))


def published_folder() -> Path:
    """Where `care-numbers import` and `care-numbers fetch` register published files."""
    return raw_folder() / "published"


def lock_file() -> Path:
    """The register of published files: one entry an edition, with its sha256."""
    return raw_folder() / REGISTER


@dataclass(frozen=True)
class RawFolders:
    """Where fetched files go. `references` are the project's own tables; the rest lies below one folder."""

    published: Path
    lock: Path
    references: Path

    @property
    def quarantine(self) -> Path:
        """Files that were refused, each with its reason."""
        return self.lock.parent / "quarantine"

    @property
    def arriving(self) -> Path:
        """Files on their way in; on the same disk as the published ones, so that one step puts them in place."""
        return self.lock.parent / ".arriving"

    @property
    def state(self) -> Path:
        """What the last look at the publishers saw. Without it the next one looks at everything again."""
        return self.lock.parent / STATE


def raw_folders() -> RawFolders:
    """The folders of the registered published files."""
    return RawFolders(published_folder(), lock_file(), reference_folder())


@dataclass(frozen=True)
class Workspace:
    """One choice of data and outputs. The demonstration country and real data never share an output folder."""

    data: Path
    out: Path
    kind: str  # demo, published or folder
    data_url: str | None = None
    out_url: str | None = None

    @property
    def frames_url(self) -> str | None:
        """Where the frames between assets are kept, when the outputs are by URL; `frames` then holds copies."""
        return f"{self.out_url}/parquet" if self.out_url else None

    @property
    def releases_url(self) -> str | None:
        """Where releases are published, when the outputs are by URL; `database` then is a copy of the one shown."""
        return f"{self.out_url}/releases" if self.out_url else None

    @property
    def data_copy(self) -> Copy | None:
        """The copy of the published files, when they are by URL; `data` is its folder."""
        if self.data_url:
            return Copy(self.data_url, self.data.parent)
        return raw_copy() if self.is_registered else None

    @property
    def is_demo(self) -> bool:
        """Whether the data are those of the demonstration country, built here when they are not there yet."""
        return self.kind == "demo"

    @property
    def is_registered(self) -> bool:
        """Whether it is on the registered published files, which can be fetched."""
        return self.kind == "published"

    @property
    def database(self) -> Path:
        """The published database."""
        return self.out / "care_numbers.duckdb"

    @property
    def frames(self) -> Path:
        """The Parquet files that travel between assets."""
        return self.out / "parquet"

    @property
    def dagster_home(self) -> Path:
        """Runs, events and schedules of this workspace."""
        return self.out / "dagster_home"

    @property
    def releases(self) -> Path:
        """The dated publications beside the database."""
        return self.out / "releases"

    @property
    def report(self) -> Path:
        """The folder of the report, a site of static pages."""
        return self.out / "report"

    @property
    def status(self) -> Path:
        """What became of the last night."""
        return self.out / "status.json"


def processed_folder() -> Path:
    """Where outputs go when nothing else is said."""
    return root() / "data" / "processed"


def workspace(data: str | None = None, out: str | None = None) -> Workspace:
    """The workspace for `--data` and `--out`; where they are not given, the environment and then `auto` decide.

    `auto` takes the registered published files if there are any, else the demonstration country. Either may be the URL
    of a folder in an object store. Raises Refusal when a named folder does not exist.
    """
    choice = data if data is not None else os.environ.get(DATA_VARIABLE) or "auto"
    base = _base(out if out is not None else os.environ.get(OUT_VARIABLE))
    if choice == "auto":
        choice = "published" if _has_files(published_folder()) else "demo"
    if choice == "demo":
        return base.workspace(base.out / "demo" / "published", "demo", is_fictional=True)
    if choice == "published":
        return base.workspace(published_folder(), "published", is_fictional=False)
    copy = _copy_of(choice)
    if copy:
        folder = copy.at_first_sight()
        return base.workspace(folder, "folder", is_fictional=manifest.read(folder).is_fictional, data_url=copy.url)
    folder = _resolved(stores.local_path(choice) or choice)
    if not choice or not folder.is_dir():
        raise Refusal(
            "no_folder",
            "there is no such folder",
            file=choice,
            remedy="give a folder with published files, or one of auto, published, demo",
        )
    return base.workspace(folder, "folder", is_fictional=manifest.read(folder).is_fictional)


def folder_of(choice: str) -> Path:
    """A folder of files that a person names, whether it is there or not; what is by URL is copied here anew.

    Raises Refusal for what cannot be a folder.
    """
    copy = _copy_of(choice)
    if copy is None:
        return _resolved(stores.local_path(choice) or choice)
    copy.bring()
    return copy.folder


def _copy_of(choice: str) -> Copy | None:
    return Copy(stores.tidy(choice), place_of(choice)) if stores.local_path(choice) is None else None


@dataclass(frozen=True)
class _Base:
    """Where outputs go, before it is known whether they are fictional."""

    out: Path
    url: str | None = None

    def workspace(self, data: Path, kind: str, *, is_fictional: bool, data_url: str | None = None) -> Workspace:
        """The demonstration country, or a copy of it, must not overwrite real results."""
        if not is_fictional:
            return Workspace(data, self.out, kind, data_url, self.url)
        return Workspace(data, self.out / "demo", kind, data_url, f"{self.url}/demo" if self.url else None)


def _base(chosen: str | None) -> _Base:
    if chosen is None:
        return _Base(processed_folder())
    path = stores.local_path(chosen)
    return _Base(_resolved(path)) if path is not None else _Base(place_of(chosen) / "out", stores.tidy(chosen))


def whole(chosen: str) -> str:
    """A folder as it is told to other processes, which may stand elsewhere: the whole path, or the URL.

    Raises Refusal for what cannot be a folder.
    """
    path = stores.local_path(chosen)
    return str(_resolved(path)) if path is not None else stores.tidy(chosen)


def place_of(url: str) -> Path:
    """The folder on this machine for a folder by URL: named after it, with the head of its hash to tell it apart."""
    url = stores.tidy(url)
    chosen = os.environ.get(COPIES_VARIABLE)
    copies = Path(chosen).expanduser().resolve() if chosen else processed_folder() / "by_url"
    name = re.sub(r"[^A-Za-z0-9]+", "-", url).strip("-")[:60]
    return copies / f"{name}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def _resolved(choice: str) -> Path:
    """The folder that a person names. Raises Refusal when its links lead nowhere."""
    try:
        return Path(choice).expanduser().resolve()
    except RuntimeError as error:  # links in a circle, or the home of an account that is not there
        raise Refusal(
            "file_not_usable", f"the folder cannot be found ({error})", file=choice, remedy="give another folder"
        ) from error


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(path.is_file() and not path.name.startswith(".") for path in folder.rglob("*"))
