"""Running a job of Dagster in the process of a command, or a server of Dagster in its place.

What belongs here: the Dagster home of the chosen data, the run itself, what an earlier run left behind, and one sentence
for whatever stopped it. What does not: what a terminal shows (`command`) and the graph (`definitions`).

Dagster is imported when something runs and not before: most commands do without it.
"""

import json
import os
import shutil
import signal
import socket
import sys
import uuid
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from assets import postgres_storage, where
from assets.where import Where
from pipeline import durable, places, run_lock
from pipeline.errors import Refusal
from pipeline.places import Workspace

if TYPE_CHECKING:
    from dagster import DagsterInstance

REFRESH, NIGHT = "refresh", "night"  # the jobs by name, for commands that load Dagster late
SCHEDULE_VARIABLE, ON = "CARE_NUMBERS_SCHEDULE", "on"


def environment(workspace: Workspace, data: str, out_folder: str | None) -> dict[str, str]:
    """The environment that makes Dagster use this workspace; its home gets the project's settings.

    Raises Refusal where the settings ask for PostgreSQL and it cannot be used.
    """
    postgres_storage.refuse_unusable()
    home = workspace.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(places.dagster_yaml(), home / "dagster.yaml")
    variables = {"DAGSTER_HOME": str(home), places.DATA_VARIABLE: data if data != "auto" else workspace.kind}
    if workspace.kind == "folder":
        variables[places.DATA_VARIABLE] = workspace.data_url or str(workspace.data)
    if out_folder:
        variables[places.OUT_VARIABLE] = places.whole(out_folder)
    return variables


def workspace_file(workspace: Workspace, name: str) -> Path:
    """The file in the Dagster home that tells its servers what to load, under the name of the chosen data."""
    file = workspace.dagster_home / "workspace.yaml"
    file.write_text(
        "load_from:\n"
        "  - python_module:\n"
        "      module_name: assets.definitions\n"
        f"      location_name: {json.dumps(' '.join(name.replace('/', ' ').split()))}\n"
        f"      working_directory: {json.dumps(str(places.root()))}\n"
    )
    return file


def program(name: str) -> str:
    """A program of Dagster beside the Python that runs this. Raises Refusal when it is not installed."""
    found = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if found is None:
        raise Refusal(
            "no_program", f"the program {name} is not installed", remedy="install it with pip install care-numbers"
        )
    return found


def refuse_port_in_use(port: int) -> None:
    """Refusal when another program of this machine listens on a port: Dagster would end with a traceback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was just given back is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Refusal(
                "port_in_use",
                f"port {port} cannot be listened on ({error.strerror})",
                remedy="stop the program that listens there, or give another one with --port",
            ) from error


def become(program: str, arguments: list[str], variables: dict[str, str]) -> NoReturn:
    """Go on as another program.

    In place of this process, so that whoever stops the command stops Dagster and leaves none of its servers behind. A
    shell lets what it starts in the background ignore Ctrl-C, and Dagster then heeds no other request to stop either.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execve(program, [program, *arguments], os.environ | variables)


def materialise(
    job: str,
    workspace: Workspace,
    data: str,
    out_folder: str | None,
    *,
    quiet: bool,
    run_id: str | None = None,
    place: Where | None = None,
) -> None:
    """Run a job of all assets from this process, under the lock of the output folder.

    `place` is where its steps are worked on; without one the environment says it, or they are worked on in this process.

    Raises Refusal with the first failure's own sentence, also when another run is under way in the folder or the disk is
    full.
    """
    with run_lock.held(workspace.out), durable.refusing_full_disk(workspace.out):
        _execute(job, workspace, data, out_folder, run_id or str(uuid.uuid4()), place or where.chosen(), quiet=quiet)


def _execute(
    job: str, workspace: Workspace, data: str, out_folder: str | None, run_id: str, place: Where, *, quiet: bool
) -> None:
    os.environ.update(environment(workspace, data, out_folder))
    warnings.filterwarnings("ignore", module="dagster")
    import dagster as dg
    from dagster._core.errors import DagsterExecutionInterruptedError

    from assets import progress

    progress.quiet()
    from assets.definitions import defs

    with dg.DagsterInstance.get() as instance:
        _close_abandoned(instance)
        try:
            if place.is_here:
                defs.resolve_job_def(job).execute_in_process(
                    instance=instance,
                    run_id=run_id,
                    run_config={"loggers": {"silent" if quiet else progress.PROGRESS: {}}},
                    raise_on_error=True,
                )
            else:
                from assets import apart

                # Workers elsewhere have other terminals, so the lines are written here, of the events that they send.
                run_config = {"loggers": {"silent": {}}, "execution": {"config": place.config()}}
                apart.execute(job, instance, run_id, run_config, _unheard if quiet else progress.tell)
        except DagsterExecutionInterruptedError:
            raise KeyboardInterrupt from None
        except dg.DagsterError as failure:  # Dagster keeps the class for failed checks to itself
            failed = failed_checks(instance, run_id)
            if not failed:
                raise
            raise check_failed(failed) from failure


def _unheard(event: object) -> None:
    """Say nothing of an event."""


def _close_abandoned(instance: "DagsterInstance") -> None:
    """Tell Dagster which runs are over: one that was killed stays "started" for ever, and would hold up its queue.

    Whoever holds the lock of the folder knows that no other run of these jobs is alive.
    """
    import dagster as dg

    from assets import nightly

    unfinished = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=unfinished)):
        if run.job_name in nightly.THAT_PUBLISH:
            instance.report_run_failed(run, "The run was killed or its machine stopped; a later run has taken over.")


# ---------------------------------------------------------------------------------------------------------------------
# Why a run stopped, in a sentence


def check_failed(failed: Sequence[str]) -> Refusal:
    """The refusal for blocking checks that failed."""
    return Refusal(
        "check_failed",
        f"a blocking check failed, {'; '.join(failed)}",
        remedy="compare the file with the publisher's and use it as published; nothing was published",
    )


def failed_checks(instance: "DagsterInstance", run_id: str) -> list[str]:
    """Name and finding of every blocking check that failed in a run."""
    import dagster as dg

    records = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    evaluations = [record.dagster_event.event_specific_data for record in records if record.dagster_event]
    return [
        f"{evaluation.check_name} ({evaluation.description})"
        for evaluation in evaluations
        if isinstance(evaluation, dg.AssetCheckEvaluation)
        and not evaluation.passed
        and evaluation.severity == dg.AssetCheckSeverity.ERROR
    ]


def refusal_of(error: BaseException | None, folder: Path, failed: Sequence[str] = ()) -> Refusal | None:
    """The refusal that stopped a run: its own, a full disk, or the checks that failed. None for a fault of the program."""
    if isinstance(error, Refusal):
        return error
    return durable.full_disk(error, folder) or (check_failed(failed) if failed else None)


def reason(error: BaseException | None, folder: Path, failed: Sequence[str] = ()) -> str:
    """Why a run stopped, for a person who was not there."""
    refusal = refusal_of(error, folder, failed)
    if refusal:
        return refusal.sentence()
    return f"a fault of the program ({type(error).__name__}: {error}); the run's log in the Dagster UI has the rest."
