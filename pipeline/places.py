"""Where things are: the project's own files, the raw files, the outputs.

What belongs here: turning "a checkout" or "an installed copy" and the user's `--data` and `--out` into paths. What does
not: reading or writing any of them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pipeline import manifest
from pipeline.errors import Refusal

DATA_VARIABLE = "CARE_NUMBERS_DATA"
OUT_VARIABLE = "CARE_NUMBERS_OUT"
RAW_VARIABLE = "CARE_NUMBERS_RAW"
POSTGRES_VARIABLE = "CARE_NUMBERS_POSTGRES_HOST"
SHIPPED = "_shipped"

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
    chosen = os.environ.get(RAW_VARIABLE)
    return Path(chosen).expanduser().resolve() if chosen else root() / "data" / "raw"


def published_folder() -> Path:
    """Where `care-numbers import` and `care-numbers fetch` register published files."""
    return raw_folder() / "published"


def lock_file() -> Path:
    """The register of published files: one entry an edition, with its sha256."""
    return raw_folder() / "sources.lock.json"


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
        return self.lock.parent / ".fetch_state.json"


def raw_folders() -> RawFolders:
    """The folders of the registered published files."""
    return RawFolders(published_folder(), lock_file(), reference_folder())


@dataclass(frozen=True)
class Workspace:
    """One choice of data and outputs. The demonstration country and real data never share an output folder."""

    data: Path
    out: Path
    kind: str  # demo, published or folder

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

    `auto` takes the registered published files if there are any, else the demonstration country. Raises Refusal when a
    named folder does not exist.
    """
    choice = data or os.environ.get(DATA_VARIABLE) or "auto"
    chosen_out = out or os.environ.get(OUT_VARIABLE)
    base = Path(chosen_out).expanduser().resolve() if chosen_out else processed_folder()
    if choice == "auto":
        choice = "published" if _has_files(published_folder()) else "demo"
    if choice == "demo":
        return Workspace(data=base / "demo" / "published", out=base / "demo", kind="demo")
    if choice == "published":
        return Workspace(data=published_folder(), out=base, kind="published")
    folder = Path(choice).expanduser().resolve()
    if not folder.is_dir():
        raise Refusal(
            "no_folder",
            "there is no such folder",
            file=choice,
            remedy="give a folder with published files, or one of auto, published, demo",
        )
    # A copy of the demonstration country must not overwrite real results either.
    return Workspace(data=folder, out=base / "demo" if manifest.read(folder).is_fictional else base, kind="folder")


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(path.is_file() and not path.name.startswith(".") for path in folder.rglob("*"))
