"""The `care-numbers` command.

What belongs here: arguments, exit codes, progress and what a terminal shows. What does not: anything computed
(`pipeline`) and the graph (`definitions`).

Exit codes: 0 done, 1 the data or a check refused, 2 wrong usage.
"""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from assets import fetch_commands, in_process, night_commands, profile_view, release_commands, report_commands
from assets.terminal import AsJson, Data, Out, err, naming, out
from pipeline import manifest, places, profile, sources, summary
from pipeline.demonstration.build import PLANTED_TRUTH, refresh_demonstration
from pipeline.errors import Refusal

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Children looked after by English local authorities: five-year changes, and who bucked the national trend.",
    pretty_exceptions_enable=False,
)


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
        err.print(f"[bold]care-numbers[/bold]  {escape(naming(workspace))}", highlight=False)
    in_process.materialise(in_process.REFRESH, workspace, data, out_folder, quiet=as_json)
    found = summary.summarise(workspace.database, workspace.data / PLANTED_TRUTH)
    if as_json:
        out.print_json(json.dumps(found.as_dict(), default=str))
        return
    out.print()
    for sentence in summary.sentences(found):
        out.print(f"• {escape(sentence)}", highlight=False, soft_wrap=True)
    out.print()
    out.print(f"Database  {workspace.database}", highlight=False, soft_wrap=True)
    release_commands.tell_published(workspace)
    out.print(f"Report    {workspace.report}/index.html (care-numbers report --open)", highlight=False, soft_wrap=True)
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
    environment = in_process.environment(workspace, data, out_folder)
    file = in_process.workspace_file(workspace, naming(workspace))
    if importlib.util.find_spec("dagster_webserver") is None:
        raise Refusal(
            "no_ui", "the Dagster UI is not installed", remedy="install it with pip install 'care-numbers[ui]'"
        )
    program = in_process.program("dagster")
    err.print(f"{escape(naming(workspace))}: http://127.0.0.1:{port}  (stop with Ctrl-C)", highlight=False)
    arguments = ["dev", "--workspace", str(file), "--host", "127.0.0.1", "--port", str(port)]
    in_process.become(program, arguments, environment)


app.command("releases")(release_commands.list_releases)
app.command()(release_commands.verify)
app.command()(report_commands.report)
app.command()(release_commands.rollback)
app.command()(fetch_commands.fetch)
app.command()(night_commands.night)
app.command()(night_commands.status)
app.command()(night_commands.daemon)


if __name__ == "__main__":
    main()
