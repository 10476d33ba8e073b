"""The commands of the night: `care-numbers night`, `status` and `daemon`.

What belongs here: running the night's job from a timer or by its schedule, and showing an operator how things stand. What
does not: looking for news (`raw`) and what a night writes down (`nightly`, `pipeline.night_status`).
"""

import datetime as dt
import json
import os
import uuid
from typing import Any

import typer
from rich.markup import escape

from assets import in_process
from assets.terminal import AsJson, Data, Out, err, naming, out
from pipeline import database, night_status, places, releases, run_lock
from pipeline.errors import Refusal
from pipeline.night_status import Night
from pipeline.places import Workspace

_RESULTS = {
    night_status.RUNNING: "is running",
    night_status.PUBLISHED: "published",
    night_status.NO_NEWS: "no news, nothing was published",
    night_status.HELD_BACK: "held back after a rollback, nothing was published",
    night_status.FAILED: "failed, the published database is unchanged",
    night_status.INTERRUPTED: "was interrupted (killed, or the machine stopped); the next run makes everything anew",
}
_NEEDS_SOMEBODY = (night_status.FAILED, night_status.INTERRUPTED)
_NEWEST_FILES = (
    "SELECT publication, count(*) AS files, max(release) AS newest_release, max(retrieved) AS newest_retrieved"
    " FROM about.sources WHERE origin = 'data_folder' GROUP BY publication ORDER BY publication"
)


def night(data: Data = "auto", out_folder: Out = None, as_json: AsJson = False) -> None:
    """Look for news; with news, materialise everything and publish. For a timer; `run` computes in any case."""
    workspace = places.workspace(data, out_folder)
    if not as_json:
        err.print(f"[bold]care-numbers[/bold]  {escape(naming(workspace))}", highlight=False)
    run_id = str(uuid.uuid4())
    try:
        in_process.materialise(in_process.NIGHT, workspace, data, out_folder, quiet=as_json, run_id=run_id)
    except Exception as error:
        # Most failures are written down already by the hook of the job; not those before or after its nodes.
        if not (isinstance(error, Refusal) and error.code == run_lock.ALREADY_RUNNING):
            night_status.end(workspace.status, run_id, night_status.FAILED, in_process.reason(error))
        raise
    last = night_status.read(workspace.status)
    if as_json:
        out.print_json(json.dumps(last.__dict__ if last else None))
    elif last:
        out.print(escape(last.reason), highlight=False, soft_wrap=True)


def status(data: Data = "auto", out_folder: Out = None, as_json: AsJson = False) -> None:
    """Tell how the last night ended, how old the sources are, and when the next run is due; 1 when somebody is needed."""
    workspace = places.workspace(data, out_folder)
    last = night_status.read(workspace.status)
    result = night_status.result_now(last, is_running=run_lock.is_held(workspace.out)) if last else None
    rollback = releases.rolled_back(workspace.database)
    switched_on, due = _next_run(workspace, data, out_folder)
    facts: dict[str, Any] = {
        "data": naming(workspace),
        "last_night": {**last.__dict__, "result": result} if last else None,
        "is_overdue": bool(last and night_status.is_overdue(last)),
        "is_running": run_lock.is_held(workspace.out),
        "publication": _publication(workspace),
        "rollback": rollback.sentence() if rollback else None,
        "sources": _sources(workspace),
        "schedule_is_on": switched_on,
        "next_run": due,
    }
    if as_json:
        out.print_json(json.dumps(facts))
    else:
        for line in _lines(facts, last, result):
            out.print(escape(line), highlight=False, soft_wrap=True)
    if result in _NEEDS_SOMEBODY:
        raise typer.Exit(1)


def daemon(data: Data = "auto", out_folder: Out = None) -> None:
    """Run the schedule without the UI, until stopped; it must have been switched on in the UI or with dagster schedule."""
    workspace = places.workspace(data, out_folder)
    environment = in_process.environment(workspace, data, out_folder)
    file = in_process.workspace_file(workspace, naming(workspace))
    err.print(
        f"{escape(naming(workspace))}: schedule {environment['DAGSTER_HOME']}  (stop with Ctrl-C)", highlight=False
    )
    in_process.become(in_process.program("dagster-daemon"), ["run", "--workspace", str(file)], environment)


def _publication(workspace: Workspace) -> dict[str, str] | None:
    """What `about.run` tells of the published database; None when there is none."""
    if not workspace.database.exists():
        return None
    return database.run_facts(workspace.database)


def _sources(workspace: Workspace) -> list[database.Record]:
    """Files, newest release and age in days of each publication; no age for files that were never registered."""
    if not workspace.database.exists():
        return []
    rows = database.query(workspace.database, _NEWEST_FILES)
    today = dt.datetime.now(dt.UTC)
    for row in rows:
        retrieved = row["newest_retrieved"]
        row["age_days"] = (today - dt.datetime.fromisoformat(retrieved)).days if retrieved else None
    return rows


def _next_run(workspace: Workspace, data: str, out_folder: str | None) -> tuple[bool, str | None]:
    """Whether the schedule is switched on in the Dagster home, and when its next run is due if it is."""
    if not workspace.dagster_home.exists():
        return False, None
    os.environ.update(in_process.environment(workspace, data, out_folder))
    import dagster as dg
    from dagster._core.scheduler.instigation import InstigatorStatus
    from dagster._utils.schedules import cron_string_iterator

    from assets import nightly

    with dg.DagsterInstance.get() as instance:
        states = instance.all_instigator_state()
    if not any(state.name == nightly.SCHEDULE and state.status == InstigatorStatus.RUNNING for state in states):
        return False, None
    due = next(cron_string_iterator(dt.datetime.now(dt.UTC).timestamp(), nightly.CRON, nightly.TIMEZONE))
    return True, due.isoformat(timespec="minutes")


# ---------------------------------------------------------------------------------------------------------------------
# In words


def _lines(facts: dict[str, Any], last: Night | None, result: str | None) -> list[str]:
    return [
        *_of_night(facts, last, result),
        *_of_publication(facts),
        *(f"Source       {_of_source(row)}" for row in facts["sources"]),
        f"Next run     {facts['next_run']}"
        if facts["schedule_is_on"]
        else "Next run     the schedule is off in Dagster; a timer of the system may run care-numbers night all the same",
    ]


def _of_night(facts: dict[str, Any], last: Night | None, result: str | None) -> list[str]:
    lines = [f"Data         {facts['data']}"]
    if last is None or result is None:
        return [*lines, "Last night   none yet"]
    lines.append(f"Last night   {last.ended or last.began}  {_RESULTS[result]}")
    if last.reason:
        lines.append(f"             {last.reason}")
    if last.told:
        lines.append(f"             {last.told}")
    if facts["is_overdue"]:
        lines.append(f"             that is more than {night_status.OVERDUE_HOURS} hours ago: a night has been missed")
    if facts["is_running"] and result != night_status.RUNNING:
        lines.append("             another run is under way now")
    return lines


def _of_publication(facts: dict[str, Any]) -> list[str]:
    told, rollback = facts["publication"], facts["rollback"]
    if told is None:
        return ["Published    nothing yet"]
    lines = [f"Published    {told['release']}, {told['published_at']}, {told['country']}"]
    if rollback:
        lines.append(f"             after a rollback: {rollback}")
    return lines


def _of_source(row: database.Record) -> str:
    age = "read from a folder" if row["age_days"] is None else f"registered {row['age_days']} days ago"
    newest = "" if row["newest_release"] is None else f", newest release {row['newest_release']}"
    return f"{row['publication']}: {row['files']} files{newest}, {age}"
