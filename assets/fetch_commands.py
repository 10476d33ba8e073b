"""`care-numbers fetch`.

What belongs here: its arguments, its progress and what it prints. What does not: anything that is fetched
(`pipeline.fetch`).
"""

import json
from typing import Annotated

import typer
from rich.markup import escape

from assets.terminal import AsJson, err, out
from pipeline import places, raw_by_url
from pipeline.fetch import run


def fetch(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is new or amended; download nothing.")] = False,
    locked: Annotated[bool, typer.Option("--locked", help="Accept only what the lock file names.")] = False,
    source: Annotated[list[str] | None, typer.Option("--source", help="This source alone; may be given again.")] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Download and compare everything, whatever the last look saw.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Resolve and download the published files, and register them in data/raw/published."""
    try:
        with raw_by_url.changing(places.raw_copy(), places.REGISTER):
            report = run.fetch(
                places.raw_folders(),
                tuple(source or ()),
                dry_run=dry_run,
                locked=locked,
                anew=anew,
                tell=None if as_json else _progress,
            )
    except KeyboardInterrupt:
        err.print("Stopped. What had arrived is registered; care-numbers fetch goes on from there.", highlight=False)
        raise typer.Exit(1) from None
    if as_json:
        out.print_json(json.dumps(report.as_dict()))
    else:
        for line in report.lines():
            out.print(escape(line), highlight=False, soft_wrap=True)
    raise typer.Exit(report.exit_code)


def _progress(line: str) -> None:
    err.print(escape(line), style="dim", highlight=False, soft_wrap=True)
