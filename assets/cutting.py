"""Into how many pieces the heavy nodes are cut, as a run may be told in the launchpad.

What belongs here: the configuration and what it is where nobody says anything. What does not: the pieces (`pipeline`). The
figures are the same however the work is cut; only where a piece is worked on and how long it takes differ.
"""

import dagster as dg
from pydantic import Field

from assets import where
from pipeline.regression.units import Cut

_DRAWS_APART = 50_000  # draws of all terms of a window: seconds of work, against a tenth of one to hand it over
_UNITS_AT_ONCE = 1_000  # from here on a window at a time, so that the fits of only one are held in memory


class Cutting(dg.Config):
    """How a node is cut; what is empty depends on where the run is worked on."""

    by_window: bool | None = Field(
        default=None,
        description="A piece for each window. Empty: where steps run apart, and from 1,000 units a window on.",
    )
    draws_at_most: int | None = Field(
        default=None, gt=0, description="Draws in one piece. Empty: 50,000 where steps run apart, else all."
    )

    def cut(self, context: dg.OpExecutionContext, *, units: int = 0) -> Cut:
        """The same for the pipeline, in a run with so many units in a window."""
        is_apart = where.of_run(context.run.run_config) != where.IN_PROCESS
        by_window = self.by_window if self.by_window is not None else is_apart or units > _UNITS_AT_ONCE
        return Cut(by_window, self.draws_at_most or (_DRAWS_APART if is_apart else None))
