"""What the commands share in the terminal: their common options, and the two streams.

What belongs here: an option that several commands take, and how the chosen data are named to a person. What does not: any
command (`command`, `*_commands`).
"""

from typing import Annotated, Any

import typer
from rich.console import Console

from pipeline import manifest
from pipeline.places import Workspace
from pipeline.visible import lines

Data = Annotated[str, typer.Option(help="auto, published, demo, or a folder with published files, a URL too.")]
Out = Annotated[str | None, typer.Option("--out", help="Folder or URL for the outputs; data/processed if not given.")]
AS_JSON, DEBUG = "--json", "--debug"
AsJson = Annotated[bool, typer.Option(AS_JSON, help="Print the result as JSON on standard output.")]


class Terminal(Console):
    """A console that shows control characters and does not obey them: a file's name can hold any."""

    def print(self, *objects: Any, **how: Any) -> None:
        """As Rich prints; its own colours are put on afterwards."""
        super().print(*(lines(one) if isinstance(one, str) else one for one in objects), **how)


out = Terminal()
err = Terminal(stderr=True)


def naming(workspace: Workspace) -> str:
    """The data in words, for the first line of a run and the name in the UI."""
    if workspace.is_demo:
        return "demonstration country (fictional)"
    if workspace.kind == "published":
        return "registered published files"
    told = manifest.read(workspace.data)
    return f"folder {workspace.data_url or workspace.data.name}" + (" (fictional)" if told.is_fictional else "")
