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

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "_shipped"  # an installed copy has no checkout around it; the build puts the files here


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


def dagster_yaml() -> Path:
    """The instance settings that every Dagster home gets a copy of."""
    checkout = _checkout()
    return checkout / "dagster.yaml" if checkout else _SHIPPED / "dagster.yaml"


def published_folder() -> Path:
    """Where `care-numbers import` registers published files."""
    return root() / "data" / "raw" / "published"


def lock_file() -> Path:
    """The register of published files: one entry an edition, with its sha256."""
    return root() / "data" / "raw" / "sources.lock.json"


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
