"""Which data a run reads and where its outputs go, as a Dagster resource.

What belongs here: handing the choice of `--data` and `--out` to the assets. What does not: the choice itself
(`pipeline.places`).
"""

from typing import Any

import dagster as dg
import pandas as pd

from pipeline import manifest, places, reference_tables, sources
from pipeline.chart_parts import About
from pipeline.places import Workspace
from pipeline.reference_tables import ReferenceTable
from pipeline.sources import Register


class ChosenData(dg.ConfigurableResource[Any]):
    """`data` is auto, published, demo or a folder; empty values leave the choice to the environment."""

    data: str = ""
    out: str = ""

    @property
    def workspace(self) -> Workspace:
        """The folders of this choice."""
        return places.workspace(self.data or None, self.out or None)

    def scan(self) -> Register:
        """Recognise and register the files."""
        workspace = self.workspace
        lock = places.lock_file() if workspace.kind == "published" else None
        return sources.scan(workspace.data, places.reference_folder(), lock)

    def references(self, register: pd.DataFrame) -> dict[str, ReferenceTable]:
        """The reference tables of a register frame."""
        self._bring_for(register.loc[register["origin"] == sources.DATA_FOLDER])
        return sources.references_of(register, self.workspace.data, places.reference_folder())

    def read_tidy(self, publication: str, register: pd.DataFrame, references_register: pd.DataFrame) -> pd.DataFrame:
        """All cells of a publication's files in `register`, read with what the reference tables say."""
        known = reference_tables.knowledge(self.references(references_register))
        self._bring_for(register.loc[register["publication"] == publication])
        return sources.read_tidy(self.workspace.data, register, publication, known)

    def _bring_for(self, registered: pd.DataFrame) -> None:
        """On another machine than the one that began the run, the copy of files by URL may be older."""
        workspace = self.workspace
        copy = workspace.data_copy
        if copy:
            below = workspace.data.relative_to(copy.folder)
            hashes = zip(registered["file"], registered["sha256"], strict=True)
            copy.bring_for({(below / file).as_posix(): sha256 for file, sha256 in hashes})

    @property
    def is_fictional(self) -> bool:
        """Whether the data folder says of itself that it is fictional."""
        return manifest.read(self.workspace.data).is_fictional

    @property
    def about(self) -> About:
        """What a chart has to say of its country."""
        told = manifest.read(self.workspace.data)
        return About(told.name or "England", told.is_fictional)
