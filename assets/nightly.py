"""The job that materialises everything, and the schedule that runs it at night.

What belongs here: the job and its schedule. The schedule is off until somebody switches it on, so that a clone never
starts running by itself; 03:00 is clear of the change of the clocks.
"""

import dagster as dg

JOB = "refresh"

refresh = dg.define_asset_job(JOB, selection=dg.AssetSelection.all(), description="Materialise everything and publish.")

nightly = dg.ScheduleDefinition(
    name="nightly",
    job=refresh,
    cron_schedule="0 3 * * *",
    execution_timezone="Europe/London",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
