"""The releases of a workspace, in its folder or at its URL, by the same names.

What belongs here: choosing between the two, and making this machine's copies fresh. What does not: anything of releases
(`releases`, `releases_by_url`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline import releases, releases_by_url
from pipeline.errors import Refusal
from pipeline.places import Workspace
from pipeline.release_folder import Proof
from pipeline.releases import Name, Release, Rollback


@dataclass(frozen=True)
class LocalShelf:
    """The releases beside a published database."""

    database: Path

    def current(self) -> Name | None:
        """The release that is to be shown."""
        return releases.current(self.database)

    def rolled_back(self) -> Rollback | None:
        """The rollback in force."""
        return releases.rolled_back(self.database)

    def listed(self) -> list[Release]:
        """All releases, the newest first."""
        return releases.listed(self.database)

    def prove(self, release: str) -> Proof:
        """Prove one release."""
        return releases.prove(self.database, release)

    def prove_shown(self) -> Proof:
        """Prove the release that is shown, and that it is what people open."""
        return releases.prove_shown(self.database)

    def roll_back(self, release: str, reason: str) -> Rollback | None:
        """Show an older release from now on; None when that is the newest."""
        return releases.roll_back(self.database, release, reason)

    def pin(self, release: str) -> None:
        """Keep a release whatever its age."""
        releases.pin(self.database, release)

    def unpin(self, release: str) -> None:
        """Let a release be pruned when it is old."""
        releases.unpin(self.database, release)


def of(workspace: Workspace) -> LocalShelf | releases_by_url.Shelf:
    """The releases of a workspace."""
    return releases_by_url.of(workspace) or LocalShelf(workspace.database)


def bring(workspace: Workspace) -> None:
    """Before a run: copy here what the URLs of a workspace hold now; nothing to do for local folders.

    A pointer that a killed publisher left behind is set right first.
    """
    copy, shelf = workspace.data_copy, releases_by_url.of(workspace)
    if copy:
        copy.bring()
    if shelf:
        shelf.point()
        shelf.bring()


def bring_shown(workspace: Workspace) -> None:
    """Before reading the published database: copy it here when another one is shown at the URL. Nothing is written there.

    While a publication is under way here, its copy stays what it is: readers never wait for it.
    """
    shelf = releases_by_url.of(workspace)
    try:
        if shelf:
            shelf.bring()
    except Refusal as refusal:
        if refusal.code != "already_publishing":
            raise
