"""The command of the report: `care-numbers report`.

What belongs here: when the site is built, and opening it. What does not: the site (`pipeline.report`).
"""

import json
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from assets.terminal import AsJson, Data, Out, err, out
from pipeline import places, shelves
from pipeline.places import Workspace

_MEGABYTE = 1_000_000  # bytes


def report(
    data: Data = "auto",
    out_folder: Out = None,
    is_opened: Annotated[bool, typer.Option("--open", help="Open it in the web browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """Build the report of the published database, where it is not there yet or of another release."""
    workspace = places.workspace(data, out_folder)
    shelves.bring_shown(workspace)
    index, was_built = _up_to_date(workspace, quiet=as_json)
    if as_json:
        out.print_json(json.dumps({"report": str(index), "was_built": was_built}))
    else:
        out.print(f"Report    {escape(str(index))}", highlight=False, soft_wrap=True)
    if is_opened and not webbrowser.open(index.as_uri()):
        err.print("There is no web browser to open it with; open the file above.", highlight=False)


def _up_to_date(workspace: Workspace, *, quiet: bool) -> tuple[Path, bool]:
    """The first page of the site, and whether it was built now. The templates are slow to import and are imported here."""
    from pipeline.report import site

    if site.is_current(workspace.database, workspace.report):
        return workspace.report / site.INDEX, False
    built = site.build(workspace.database, workspace.report)
    if not quiet:
        err.print(f"{built.pages} pages built, {built.bytes / _MEGABYTE:.1f} MB.", highlight=False)
    return built.index, True
