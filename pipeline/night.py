"""How a run begins: tidy, with its data in place, and at night only when there is news.

What belongs here: these first steps, which the first node of the graph and the command of the night share. What does not:
what news is (`news`) and how a night is written down (`night_status`). Whoever calls holds the folder (`run_lock`).
"""

from __future__ import annotations

import os

from pipeline import leftovers, news, night_status, places, raw_by_url, shelves
from pipeline.fetch.report import Report
from pipeline.news import News
from pipeline.places import Workspace

FETCH_VARIABLE, OFF = "CARE_NUMBERS_NIGHT_FETCH", "off"


def fetch() -> Report:
    """Everything that the publishers have anew; none of it where fetching at night is switched off."""
    from pipeline.fetch import run  # half a second of imports that a night on a folder does without

    if os.environ.get(FETCH_VARIABLE) == OFF:
        return Report()
    with raw_by_url.changing(places.raw_copy(), places.REGISTER):
        return run.fetch(places.raw_folders())


def begin(workspace: Workspace) -> News:
    """Clear what a killed run left, build the demonstration country when it is the choice, and look for news.

    Folders by URL are copied here first.
    """
    leftovers.clear(workspace)
    shelves.bring(workspace)
    if workspace.is_demo:
        from pipeline.demonstration.build import refresh_demonstration  # slow to import, and not for published files

        refresh_demonstration(workspace.data)
    return news.look(workspace)


def begin_night(workspace: Workspace, run_id: str) -> News:
    """The same at night, after a fetch: the status file says that it has begun, and without news that it is over.

    A source that cannot be fetched stops nothing: what is stored is used, and the status file says so.
    """
    night_status.begin(workspace.status, run_id)
    if workspace.is_registered and not night_status.has_fetched(workspace.status, run_id):
        night_status.fetched(workspace.status, run_id, fetch().night_lines())
    found = begin(workspace)
    if not found.is_new:
        result = night_status.HELD_BACK if found.is_held_back else night_status.NO_NEWS
        night_status.end(workspace.status, run_id, result, found.sentence)
    return found
