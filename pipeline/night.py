"""How a run begins: tidy, with its data in place, and at night only when there is news.

What belongs here: these first steps, which the first node of the graph and the command of the night share. What does not:
what news is (`news`) and how a night is written down (`night_status`). Whoever calls holds the folder (`run_lock`).
"""

from __future__ import annotations

from pipeline import leftovers, news, night_status
from pipeline.demonstration.build import refresh_demonstration
from pipeline.news import News
from pipeline.places import Workspace


def begin(workspace: Workspace) -> News:
    """Clear what a killed run left, build the demonstration country when it is the choice, and look for news."""
    leftovers.clear(workspace)
    if workspace.is_demo:
        refresh_demonstration(workspace.data)
    return news.look(workspace)


def begin_night(workspace: Workspace, run_id: str) -> News:
    """The same at night: the status file says that it has begun, and without news that it is over."""
    night_status.begin(workspace.status, run_id)
    found = begin(workspace)
    if not found.is_new:
        result = night_status.HELD_BACK if found.is_held_back else night_status.NO_NEWS
        night_status.end(workspace.status, run_id, result, found.sentence)
    return found
