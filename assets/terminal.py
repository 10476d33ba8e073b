"""What the commands share in the terminal: their common options, and the two streams.

What belongs here: an option that several commands take, and how the chosen data are named to a person. What does not: any
command (`command`, `*_commands`).
"""

from typing import Annotated

import typer
from rich.console import Console

from pipeline import manifest
from pipeline.places import Workspace

Data = Annotated[str, typer.Option(help="auto, published, demo, or a folder with published files.")]
Out = Annotated[str | None, typer.Option("--out", help="Folder for the outputs; data/processed if not given.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]

out = Console()
err = Console(stderr=True)


def naming(workspace: Workspace) -> str:
    """The data in words, for the first line of a run and the name in the UI."""
    if workspace.is_demo:
        return "demonstration country (fictional)"
    if workspace.kind == "published":
        return "registered published files"
    told = manifest.read(workspace.data)
    return f"folder {workspace.data.name}" + (" (fictional)" if told.is_fictional else "")
