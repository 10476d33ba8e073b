"""Pieces of work between the steps of a node that is worked on in several places.

What belongs here: handing them from step to step. What does not: where they lie (`pipeline.pieces`) and the frames of
assets (`parquet_io`).
"""

from typing import Any

import dagster as dg

from assets.chosen_data import ChosenData
from pipeline import given_back, pieces

PIECES = "pieces"


class Pieces(dg.ConfigurableIOManager):
    """Writes and reads the pieces of a run."""

    chosen: dg.ResourceDependency[ChosenData]

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Keep a piece under its step, output and mapping key."""
        run_id, name = _place(context)
        pieces.write(self.chosen.workspace, run_id, name, obj)

    def load_input(self, context: dg.InputContext) -> Any:
        """The piece that an earlier step of this run, or of the run that it goes on from, has kept."""
        if context.upstream_output is None:
            raise ValueError(f"{context.name} has no upstream step")
        given_back.give_back()  # what the step before has left behind
        run_id, name = _place(context.upstream_output)
        return pieces.read(self.chosen.workspace, run_id, name)


def _place(context: dg.OutputContext) -> tuple[str, str]:
    """Run, and a name made of step, output and mapping key. The key of a step that was mapped has brackets around it."""
    run_id, *parts = context.get_identifier()
    return run_id, ".".join(parts).replace("[", ".").replace("]", "")
