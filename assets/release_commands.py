"""The commands of the releases: `care-numbers releases`, `verify` and `rollback`.

What belongs here: what a terminal shows of releases. What does not: what a release is and which one is shown
(`pipeline.releases`).
"""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from assets.terminal import AsJson, Data, Out, out
from pipeline import places, publish, release_folder, run_lock, shelves
from pipeline.database import query
from pipeline.places import Workspace
from pipeline.release_folder import Proof
from pipeline.releases import LATEST, Release

_MEGABYTE = 1_000_000  # bytes
_SHORT = 12  # digits of a sha256 that tell releases apart; --json has all

Chosen = Annotated[
    str, typer.Argument(metavar="[RELEASE]", help="Such as 2030-03-11-1; the one that is shown if not given.")
]


def tell_published(workspace: Workspace) -> None:
    """Name the release that a run has just published, where its Parquet files lie, and the rollback that it has ended."""
    told = {row["property"]: row["value"] for row in query(workspace.database, "SELECT property, value FROM about.run")}
    folder = f"{workspace.releases_url or workspace.releases}/{told['release']}"
    out.print(f"Parquet   {escape(folder)}/{release_folder.PARQUET}", highlight=False, soft_wrap=True)
    out.print(f"Release   {told['release']} (care-numbers verify proves it)", highlight=False, soft_wrap=True)
    if told["ended_rollback"] != publish.NONE:
        out.print(escape(f"This ends a rollback. {told['ended_rollback']}"), highlight=False, soft_wrap=True)


def list_releases(
    data: Data = "auto",
    out_folder: Out = None,
    pin: Annotated[str | None, typer.Option(help="Keep this release whatever its age.")] = None,
    unpin: Annotated[str | None, typer.Option(help="Let this release be pruned when it is old.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the releases, the newest first, with what to cite of each: its name and the sha256 of its MANIFEST."""
    shelf = shelves.of(places.workspace(data, out_folder))
    if pin:
        shelf.pin(pin)
    if unpin:
        shelf.unpin(unpin)
    found, rollback = shelf.listed(), shelf.rolled_back()
    if as_json:
        told = {"releases": [asdict(one) for one in found], "rollback": asdict(rollback) if rollback else None}
        out.print_json(json.dumps(told))
        return
    for one in found:
        out.print(escape(_line(one)), highlight=False, soft_wrap=True)
    if rollback:
        out.print(escape(f"Rolled back: {rollback.sentence()}."), highlight=False, soft_wrap=True)
    if not found:
        out.print("There are no releases yet; care-numbers run publishes one.", highlight=False)


def _line(one: Release) -> str:
    marks = [word for word, is_so in (("shown", one.is_shown), ("pinned", one.is_pinned)) if is_so]
    published = one.published_at or "time not told"
    size = f"{one.bytes / _MEGABYTE:.1f} MB"
    return (
        f"{one.release}  {published}  {size:>9}  MANIFEST {one.manifest_sha256[:_SHORT]}  {', '.join(marks)}".rstrip()
    )


def verify(release: Chosen = LATEST, data: Data = "auto", out_folder: Out = None, as_json: AsJson = False) -> None:
    """Prove that a release is as it was published; without a name also that it is the one people open."""
    workspace = places.workspace(data, out_folder)
    shelf = shelves.of(workspace)
    proof = shelf.prove_shown() if release == LATEST else shelf.prove(release)
    if as_json:
        out.print_json(json.dumps(asdict(proof)))
        return
    out.print(_proved(proof), highlight=False, soft_wrap=True)
    if release == LATEST:
        shown = f"{workspace.releases_url} shows" if workspace.releases_url else f"{workspace.database} holds"
        out.print(f"It is what {escape(shown)}.", highlight=False, soft_wrap=True)


def _proved(proof: Proof) -> str:
    return (
        f"Release {proof.release} is intact: {proof.files} files as in MANIFEST, {len(proof.row_counts)} tables with "
        f"{sum(proof.row_counts.values()):,} rows, every check passed. sha256 of MANIFEST: {proof.manifest_sha256}"
    )


def rollback(
    release: Annotated[str, typer.Argument(help="The release to show from now on, such as 2030-03-11-1.")],
    reason: Annotated[str, typer.Option(help="Why, for the history and for who reads the status.")] = "",
    data: Data = "auto",
    out_folder: Out = None,
) -> None:
    """Verify an older release and show it instead of the newest, until there is something new to publish."""
    workspace = places.workspace(data, out_folder)
    with run_lock.held(workspace.out):  # a run under way would publish over it in a moment
        marker = shelves.of(workspace).roll_back(release, reason)
    if marker is None:
        shown = shelves.of(workspace).current()
        out.print(f"Release {shown} is shown; it is the newest, so no rollback is in force.", highlight=False)
        return
    out.print(escape(f"Rolled back: {marker.sentence()}."), highlight=False, soft_wrap=True)
    out.print(
        "The night publishes nothing from the files of that publication; new files, or care-numbers run, end the rollback.",
        highlight=False,
        soft_wrap=True,
    )
