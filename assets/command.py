"""The `care-numbers` command.

What belongs here: arguments, exit codes, progress and what a terminal shows. What does not: anything computed
(`pipeline`) and the graph (`definitions`).

Exit codes: 0 done, 1 the data or a check refused, 2 wrong usage.
"""

import importlib.util
import json
import os
import shutil
import sys
import uuid
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from assets import profile_view
from pipeline import manifest, places, profile, sources, summary
from pipeline.demonstration.build import PLANTED_TRUTH, refresh_demonstration
from pipeline.errors import Refusal
from pipeline.places import Workspace

if TYPE_CHECKING:
    from dagster import DagsterInstance

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Children looked after by English local authorities: five-year changes, and who bucked the national trend.",
    pretty_exceptions_enable=False,
)
out = Console()
err = Console(stderr=True)

Data = Annotated[str, typer.Option(help="auto, published, demo, or a folder with published files.")]
Out = Annotated[str | None, typer.Option("--out", help="Folder for the outputs; data/processed if not given.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


def main() -> None:
    """Run the command; a refusal ends with its sentence and exit code 1."""
    try:
        app()
    except Refusal as refusal:
        err.print(f"[bold]Refused.[/bold] {escape(str(refusal))}", highlight=False, soft_wrap=True)
        sys.exit(1)


@app.command()
def run(data: Data = "auto", out_folder: Out = None, as_json: AsJson = False) -> None:
    """Materialise everything in one process and publish the database."""
    workspace = places.workspace(data, out_folder)
    if not as_json:
        err.print(f"[bold]care-numbers[/bold]  {escape(_naming(workspace))}", highlight=False)
    _materialise(workspace, data, out_folder, quiet=as_json)
    found = summary.summarise(workspace.database, workspace.data / PLANTED_TRUTH)
    if as_json:
        out.print_json(json.dumps(found.as_dict(), default=str))
        return
    out.print()
    for sentence in summary.sentences(found):
        out.print(f"• {escape(sentence)}", highlight=False, soft_wrap=True)
    out.print()
    out.print(f"Database  {workspace.database}", highlight=False, soft_wrap=True)
    out.print(f"Parquet   {workspace.frames}", highlight=False, soft_wrap=True)
    if found.files_not_used:
        out.print(
            f"{found.files_used} files used, {found.files_not_used} not used (about.files_not_used says why).",
            highlight=False,
        )
    out.print('Next      care-numbers ui, or care-numbers profile "NAME"', highlight=False)


@app.command("import")
def import_files(
    folder: Annotated[str, typer.Argument(help="Folder with published files, in any arrangement.")],
) -> None:
    """Recognise published files by their content and register them in data/raw/published."""
    origin = Path(folder).expanduser().resolve()
    if not origin.is_dir():
        raise Refusal("no_folder", "there is no such folder", file=folder, remedy="give a folder with published files")
    done = sources.import_folder(origin, places.published_folder(), places.reference_folder(), places.lock_file())
    for file in done.new:
        out.print(f"  registered  {escape(file.file)}  {file.sha256[:12]}", highlight=False, soft_wrap=True)
    out.print(
        f"{len(done.new)} files registered, {len(done.present)} there already, {len(done.not_used)} not recognised.",
        highlight=False,
    )
    for name, reason in done.not_used:
        out.print(f"  not used    {escape(name)}  ({reason})", highlight=False, soft_wrap=True)


@app.command("profile")
def show_profile(
    authority: Annotated[str, typer.Argument(help='Name or code, such as "Leeds", 383 or E08000035.')],
    data: Data = "auto",
    out_folder: Out = None,
    as_json: AsJson = False,
) -> None:
    """One authority's story in the terminal."""
    workspace = places.workspace(data, out_folder)
    found = profile.profile(workspace.database, authority)
    if as_json:
        out.print_json(json.dumps(found.__dict__, default=str))
        return
    profile_view.show(found, out, is_fictional=manifest.read(workspace.data).is_fictional)


@app.command()
def ui(
    data: Data = "auto",
    out_folder: Out = None,
    port: Annotated[int, typer.Option(help="Port on localhost.")] = 3000,
) -> None:
    """Open the Dagster UI on localhost, with the home of the chosen data."""
    workspace = places.workspace(data, out_folder)
    if workspace.is_demo and not workspace.data.exists():
        refresh_demonstration(workspace.data)
    environment = _environment(workspace, data, out_folder)
    file = workspace.dagster_home / "workspace.yaml"
    file.write_text(
        "load_from:\n"
        "  - python_module:\n"
        "      module_name: assets.definitions\n"
        f"      location_name: {json.dumps(_naming(workspace))}\n"
        f"      working_directory: {json.dumps(str(places.root()))}\n"
    )
    program = shutil.which(
        "dagster", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    )
    if program is None or importlib.util.find_spec("dagster_webserver") is None:
        raise Refusal(
            "no_ui", "the Dagster UI is not installed", remedy="install it with pip install 'care-numbers[ui]'"
        )
    err.print(f"{escape(_naming(workspace))}: http://127.0.0.1:{port}  (stop with Ctrl-C)", highlight=False)
    arguments = [program, "dev", "--workspace", str(file), "--host", "127.0.0.1", "--port", str(port)]
    # In place of this process, so that whoever stops the command stops Dagster and leaves none of its servers behind.
    os.execve(program, arguments, os.environ | environment)


# ---------------------------------------------------------------------------------------------------------------------
# Running


def _naming(workspace: Workspace) -> str:
    """The data in words, for the first line of a run and the name in the UI."""
    if workspace.is_demo:
        return "demonstration country (fictional)"
    if workspace.kind == "published":
        return "registered published files"
    told = manifest.read(workspace.data)
    return f"folder {workspace.data.name}" + (" (fictional)" if told.is_fictional else "")


def _environment(workspace: Workspace, data: str, out_folder: str | None) -> dict[str, str]:
    """The environment that makes Dagster use this workspace; its home gets the project's settings."""
    home = workspace.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(places.dagster_yaml(), home / "dagster.yaml")
    environment = {"DAGSTER_HOME": str(home), places.DATA_VARIABLE: data if data != "auto" else workspace.kind}
    if workspace.kind == "folder":
        environment[places.DATA_VARIABLE] = str(workspace.data)
    if out_folder:
        environment[places.OUT_VARIABLE] = str(Path(out_folder).expanduser().resolve())
    return environment


def _materialise(workspace: Workspace, data: str, out_folder: str | None, *, quiet: bool) -> None:
    """Run the refresh job in this process. Raises Refusal with the first failure's own sentence."""
    os.environ.update(_environment(workspace, data, out_folder))
    warnings.filterwarnings("ignore", module="dagster")
    import dagster as dg

    warnings.filterwarnings("ignore", category=dg.BetaWarning)  # data versions of outputs are still called beta
    from assets import nightly, progress
    from assets.definitions import defs

    job = defs.resolve_job_def(nightly.JOB)
    run_id = str(uuid.uuid4())
    with dg.DagsterInstance.get() as instance:
        try:
            job.execute_in_process(
                instance=instance,
                run_id=run_id,
                run_config={"loggers": {"silent" if quiet else progress.PROGRESS: {}}},
                raise_on_error=True,
            )
        except dg.DagsterError as failure:  # Dagster keeps the class for failed checks to itself
            failed = _failed_checks(instance, run_id)
            if not failed:
                raise
            raise Refusal(
                "check_failed",
                f"a blocking check failed, {'; '.join(failed)}",
                remedy="compare the file with the publisher's and use it as published; nothing was published",
            ) from failure


def _failed_checks(instance: "DagsterInstance", run_id: str) -> list[str]:
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


if __name__ == "__main__":
    main()
