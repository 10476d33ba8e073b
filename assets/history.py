"""What Dagster remembers of earlier runs, and for how long.

What belongs here: forgetting runs that are older than the settings keep them. What does not: releases, which have a
retention of their own (`pipeline.releases`), and schedule ticks, which Dagster forgets by itself (`dagster.yaml`).
"""

import datetime as dt
import shutil
from pathlib import Path

import dagster as dg

_SUCCEEDED = [dg.DagsterRunStatus.SUCCESS]
_AT_ONCE = 100


def forget_old_runs(instance: dg.DagsterInstance, home: Path, keep_days: int) -> list[str]:
    """Forget runs that began more than `keep_days` days ago, with their events and logs; their ids.

    The last run that succeeded is kept whatever its age: the UI shows of each asset when it was last made.
    """
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=keep_days)
    last = {run.run_id for run in instance.get_runs(filters=dg.RunsFilter(statuses=_SUCCEEDED), limit=1)}
    gone = []
    for record in instance.get_run_records(
        filters=dg.RunsFilter(created_before=before), limit=_AT_ONCE, ascending=True
    ):
        run = record.dagster_run
        if run.run_id in last or not run.is_finished:
            continue
        instance.delete_run(run.run_id)
        shutil.rmtree(home / "storage" / run.run_id, ignore_errors=True)  # what its steps printed
        for file in (home / "history" / "runs").glob(f"{run.run_id}.db*"):  # emptied; with PostgreSQL there is none
            file.unlink(missing_ok=True)
        gone.append(run.run_id)
    return gone
