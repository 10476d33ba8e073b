"""Where the time of one run goes: imports, the steps themselves, and what Dagster does around them.

What belongs here: this one measurement. What does not: what the statistics cost beside plain loops (`evidence`,
`regressions`).

    python -m bench.run_parts

Imports are those of a fresh process that loads the whole graph. A step's time is the one that Dagster records for it: our
own work, with the reading and writing of its frames. The rest is Dagster's bookkeeping, with the command around it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import typer

from bench.evidence import chosen_folder
from pipeline import places

LONGEST_SHOWN = 10


@dataclass(frozen=True)
class Parts:
    """Seconds of one run; `steps` by the name of the step."""

    whole: float
    imports: float
    steps: dict[str, float]

    @property
    def around(self) -> float:
        """What is neither imports nor a step."""
        return self.whole - self.imports - sum(self.steps.values())


def measure(data: Path, out: Path) -> Parts:
    """One run in a process of its own, in one process, and the record that it left."""
    program = Path(sys.executable).with_name("care-numbers")
    whole = _seconds([str(program), "run", "--data", str(data), "--out", str(out), "--json"])
    imports = _seconds([sys.executable, "-c", "import assets.definitions"]) - _seconds([sys.executable, "-c", "pass"])
    return Parts(whole, imports, _steps(places.workspace(str(data), str(out)).dagster_home))


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def _steps(home: Path) -> dict[str, float]:
    import dagster as dg

    os.environ["DAGSTER_HOME"] = str(home)
    with dg.DagsterInstance.get() as instance:
        (run,) = instance.get_runs(limit=1)
        records = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
    events = [entry.dagster_event for entry in records if entry.dagster_event]
    return {str(event.step_key): event.step_success_data.duration_ms / 1000 for event in events}


def main() -> None:
    """Print the parts of a run; there is no limit to break, so it fails only when the run does."""
    with chosen_folder(None) as folder, tempfile.TemporaryDirectory() as made:
        parts = measure(folder, Path(made))
    typer.echo(f"one run  {parts.whole:5.1f} s")
    for name, seconds in (
        ("imports", parts.imports),
        (f"our own {len(parts.steps)} steps", sum(parts.steps.values())),
        ("Dagster and the command around them", parts.around),
    ):
        typer.echo(f"  {name:<38} {seconds:5.1f} s  {seconds / parts.whole:4.0%}")
    typer.echo(f"the {LONGEST_SHOWN} longest steps")
    for name, seconds in sorted(parts.steps.items(), key=lambda step: -step[1])[:LONGEST_SHOWN]:
        typer.echo(f"  {name:<38} {seconds:5.2f} s")


if __name__ == "__main__":
    typer.run(main)
