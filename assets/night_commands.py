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
from pipeline import database, durable, night_status, places, releases, run_lock, shelves
from pipeline.errors import Refusal
from pipeline.night import begin_night
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
_OFF, _NO_DAEMON, _ON = "off", "no_daemon", "on"
_SCHEDULES = {
    _OFF: "the schedule of Dagster is off; a timer of the system may run care-numbers night all the same",
    _NO_DAEMON: "the schedule of Dagster is on and nothing runs it: start care-numbers daemon or care-numbers ui",
}
_HEARTBEAT_SECONDS = 300  # Dagster's own measure of a daemon that has died
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
        with run_lock.held(workspace.out), durable.refusing_full_disk(workspace.out):
            # The job looks again; looking first spares a timer the seconds that loading Dagster and its graph takes.
            if begin_night(workspace, run_id).is_new:
                in_process.materialise(in_process.NIGHT, workspace, data, out_folder, quiet=as_json, run_id=run_id)
    except Exception as error:
        _write_down(workspace, run_id, error)
        raise
    last = night_status.read(workspace.status)
    if as_json:
        out.print_json(json.dumps(last.__dict__ if last else None))
    elif last:
        for line in [*(last.fetched or []), last.reason]:
            out.print(escape(line), highlight=False, soft_wrap=True)


def _write_down(workspace: Workspace, run_id: str, error: Exception) -> None:
    """Leave a failure in the status file. The hook of the job has done so already, but not for what is outside its nodes."""
    if isinstance(error, Refusal) and error.code == run_lock.ALREADY_RUNNING:
        return  # the run that is under way tells of itself
    refusal, reason = in_process.refusal_of(error, workspace.out), in_process.reason(error, workspace.out)
    try:
        night_status.end(workspace.status, run_id, night_status.FAILED, reason, code=refusal.code if refusal else None)
    except OSError as unwritten:
        err.print(f"The status file cannot be written ({unwritten.strerror}).", highlight=False)


def status(data: Data = "auto", out_folder: Out = None, as_json: AsJson = False) -> None:
    """Tell how the last night ended, how old the sources are, and when the next run is due; 1 when somebody is needed."""
    workspace = places.workspace(data, out_folder)
    shelves.bring_shown(workspace)
    last = night_status.read(workspace.status)
    result = night_status.result_now(last, is_running=run_lock.is_held(workspace.out)) if last else None
    rollback = releases.rolled_back(workspace.database)
    schedule, due = _next_run(workspace, data, out_folder)
    facts: dict[str, Any] = {
        "data": naming(workspace),
        "last_night": {**last.__dict__, "result": result} if last else None,
        "is_overdue": bool(last and night_status.is_overdue(last)),
        "is_running": run_lock.is_held(workspace.out),
        "publication": _publication(workspace),
        "rollback": rollback.sentence() if rollback else None,
        "sources": _sources(workspace),
        "schedule": schedule,
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
    """Run the nights by schedule until stopped, without the UI; switched off in the UI, the schedule stays off."""
    workspace = places.workspace(data, out_folder)
    environment = in_process.environment(workspace, data, out_folder) | {in_process.SCHEDULE_VARIABLE: in_process.ON}
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


def _next_run(workspace: Workspace, data: str, out_folder: str | None) -> tuple[str, str | None]:
    """Whether Dagster's schedule is off, on without a daemon to run it, or on; then also when its next run is due."""
    if not workspace.dagster_home.exists():
        return _OFF, None
    os.environ.update(in_process.environment(workspace, data, out_folder))
    import dagster as dg
    from dagster._core.scheduler.instigation import InstigatorStatus
    from dagster._utils.schedules import cron_string_iterator

    from assets import nightly

    with dg.DagsterInstance.get() as instance:
        states = [state.status for state in instance.all_instigator_state() if state.name == nightly.SCHEDULE]
        beats = instance.get_daemon_heartbeats().values()
    if not states or InstigatorStatus.STOPPED in states:
        return _OFF, None
    now = dt.datetime.now(dt.UTC).timestamp()
    if not any(beat.daemon_type == "SCHEDULER" and now - beat.timestamp < _HEARTBEAT_SECONDS for beat in beats):
        return _NO_DAEMON, None
    return _ON, next(cron_string_iterator(now, nightly.CRON, nightly.TIMEZONE)).isoformat(timespec="minutes")


# ---------------------------------------------------------------------------------------------------------------------
# In words


def _lines(facts: dict[str, Any], last: Night | None, result: str | None) -> list[str]:
    return [
        *_of_night(facts, last, result),
        *_of_publication(facts),
        *(f"Source       {_of_source(row)}" for row in facts["sources"]),
        f"Next run     {facts['next_run'] or _SCHEDULES[facts['schedule']]}",
    ]


def _of_night(facts: dict[str, Any], last: Night | None, result: str | None) -> list[str]:
    lines = [f"Data         {facts['data']}"]
    if last is None or result is None:
        return [*lines, "Last night   none yet"]
    lines.append(f"Last night   {last.ended or last.began}  {_RESULTS[result]}")
    if last.reason:
        lines.append(f"             {last.reason}")
    lines += [f"             {sentence}" for sentence in last.fetched or []]
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
