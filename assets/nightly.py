"""The job that materialises everything, the one of the night, and the schedule that runs it.

What belongs here: jobs, schedule, and what a night leaves in the status file when it publishes or fails. The schedule is
off until somebody switches it on in the UI or starts `care-numbers daemon`, so that a clone never starts running by
itself; 03:00 is clear of the change of the clocks. What does not: looking for news, which is the first node (`raw`).
"""

import os

import dagster as dg

from assets import in_process
from assets.published import DATABASE
from assets.raw import NEWS_NODE
from pipeline import database, night_status, publish, run_lock
from pipeline.errors import Refusal
from pipeline.places import Workspace

JOB, NIGHT = in_process.REFRESH, in_process.NIGHT
SCHEDULE = "nightly"
THAT_PUBLISH = (JOB, NIGHT, "__ASSET_JOB")  # the last is Dagster's own, for what is materialised from the UI
CRON_VARIABLE = "CARE_NUMBERS_NIGHTLY_CRON"
CRON = os.environ.get(CRON_VARIABLE) or "0 3 * * *"
TIMEZONE = "Europe/London"
_STATUS = dg.DefaultScheduleStatus


@dg.success_hook(required_resource_keys={"chosen"})
def tell_published(context: dg.HookContext) -> None:
    """Once the database is published, the night is over."""
    if context.op.name != DATABASE:
        return
    workspace: Workspace = context.resources.chosen.workspace
    told = database.run_facts(workspace.database)
    ended = f" This ends a rollback: {told['ended_rollback']}" if told["ended_rollback"] != publish.NONE else ""
    _end(context, night_status.PUBLISHED, f"Published as {told['release']}.{ended}", told["release"])


@dg.failure_hook(required_resource_keys={"chosen"})
def tell_failed(context: dg.HookContext) -> None:
    """A node failed: whoever looks in the morning finds one line, and a webhook is told if there is one."""
    error = context.op_exception
    if isinstance(error, Refusal) and error.code == run_lock.ALREADY_RUNNING:
        return  # the run that is under way tells of itself
    failed = in_process.failed_checks(context.instance, context.run_id)
    out = context.resources.chosen.workspace.out
    refusal = in_process.refusal_of(error, out, failed)
    reason = in_process.reason(error, out, failed)
    _end(context, night_status.FAILED, reason, code=refusal.code if refusal else None)


def _end(
    context: dg.HookContext, result: str, reason: str, release: str | None = None, code: str | None = None
) -> None:
    """Write how the night ended. A disk too full for that one line must not hide in the log why the night failed."""
    workspace: Workspace = context.resources.chosen.workspace
    try:
        night_status.end(workspace.status, context.run_id, result, reason, release, code)
    except OSError as error:
        context.log.error(f"The status file cannot be written ({error.strerror}). {reason}")


refresh = dg.define_asset_job(JOB, selection=dg.AssetSelection.all(), description="Materialise everything and publish.")

night = dg.define_asset_job(
    NIGHT,
    selection=dg.AssetSelection.all(),
    description="Look for news; with news materialise everything and publish. What became of it is in status.json.",
    config={"ops": {NEWS_NODE: {"config": {"is_night": True}}}},
    hooks={tell_published, tell_failed},
)

nightly = dg.ScheduleDefinition(
    name=SCHEDULE,
    job=night,
    cron_schedule=CRON,
    execution_timezone=TIMEZONE,
    default_status=_STATUS.RUNNING
    if os.environ.get(in_process.SCHEDULE_VARIABLE) == in_process.ON
    else _STATUS.STOPPED,
)
