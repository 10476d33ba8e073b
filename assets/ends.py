"""How a command ends: one sentence for whoever started it, and an exit code for programs.

What belongs here: what becomes of a refusal, of a fault of the program and of Ctrl-C, in a terminal and as JSON. What does
not: the sentences themselves (`pipeline.errors`, and where each rule stands) and what stopped a job of Dagster
(`in_process`).

Exit codes: 0 done, 1 the data or a check refused, 2 wrong usage (typer's), 3 a fault of the program, 130 stopped by Ctrl-C
(typer's).
"""

import json
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from rich.markup import escape

from assets.terminal import DEBUG, err, out
from pipeline.confidential import scrubbed
from pipeline.errors import Refusal, of_the_system

DEBUG_VARIABLE = "CARE_NUMBERS_DEBUG"
REFUSED, FAULT = 1, 3
_KEPT = "what was published before stays as it is"


def run(command: Callable[[], None], *, debug: bool, as_json: bool) -> None:
    """Run a command to its end; leave the process with 1 for a refusal and 3 for a fault."""
    if debug or os.environ.get(DEBUG_VARIABLE, "") not in ("", "0"):
        return command()
    try:
        command()
    except Refusal as refusal:
        _refused(refusal, as_json)
    except Exception as error:
        mendable = of_the_system(error) if isinstance(error, OSError) else None
        if mendable is None:
            failed(error)
        _refused(mendable, as_json)


def _refused(refusal: Refusal, as_json: bool) -> NoReturn:
    if as_json:
        out.print_json(json.dumps({"refused": refusal.as_dict()}))
    more = f"(care-numbers explain {refusal.code})"
    err.print(f"[bold]Refused.[/bold] {escape(str(refusal))} {more}", highlight=False, soft_wrap=True)
    sys.exit(REFUSED)


def failed(error: Exception) -> NoReturn:
    """End with the sentence for a fault of the program."""
    told = scrubbed(f"{type(error).__name__}: {error}".strip().rstrip(":").replace("\n", " "))
    err.print(
        f"[bold]Failed.[/bold] This is a fault of the program ({escape(told)}); {_KEPT}. Run it again with {DEBUG} to see"
        " where, and report it.",
        highlight=False,
        soft_wrap=True,
    )
    sys.exit(FAULT)
