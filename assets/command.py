"""The `care-numbers` command.

What belongs here: arguments, exit codes, progress and what a terminal shows. What does not: anything computed
(`pipeline`) and the graph (`definitions`).

How a command ends, and its exit codes: `ends`.
"""

import difflib
import importlib.util
import json
import sys
from typing import Annotated

import typer
from rich.markup import escape

from assets import (
    ends,
    fetch_commands,
    in_process,
    night_commands,
    profile_view,
    release_commands,
    report_commands,
    where,
)
from assets.terminal import AS_JSON, DEBUG, AsJson, Data, Out, err, naming, out
from pipeline import error_catalogue, manifest, places, profile, raw_by_url, shelves, sources, summary
from pipeline.demonstration import PLANTED_TRUTH
from pipeline.errors import Refusal

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command. Whatever stops it ends with one sentence; a traceback is shown to whoever asks for it."""
    arguments = [argument for argument in sys.argv[1:] if argument != DEBUG]
    ends.run(lambda: app(args=arguments), debug=len(arguments) < len(sys.argv) - 1, as_json=AS_JSON in arguments)


@app.callback()
def _options(
    debug: Annotated[
        bool, typer.Option(DEBUG, help="Show where a refusal or a fault comes from, as a traceback.")
    ] = False,
) -> None:
    """Children looked after by English local authorities: five-year changes, and who bucked the national trend."""


@app.command()
def explain(
    code: Annotated[str | None, typer.Argument(help="The code of a refusal; without it all are listed.")] = None,
) -> None:
    """What a refusal means and what to do about it."""
    entries = error_catalogue.catalogue()
    if code is None:
        for entry in entries.values():
            out.print(f"[bold]{entry.code}[/bold]  {escape(entry.meaning)}", highlight=False, soft_wrap=True)
        return
    if code not in entries:
        near = difflib.get_close_matches(code, entries, n=3)
        raise Refusal(
            "unknown_code",
            "no refusal has that code",
            value=code,
            remedy=f"did you mean {' or '.join(near)}?" if near else "care-numbers explain lists all",
        )
    entry = entries[code]
    out.print(f"[bold]{entry.code}[/bold]", highlight=False)
    out.print(escape(entry.meaning), highlight=False, soft_wrap=True)
    out.print(escape(entry.remedy), highlight=False, soft_wrap=True)


@app.command()
def run(
    data: Data = "auto",
    out_folder: Out = None,
    as_json: AsJson = False,
    executor: Annotated[
        where.Executor | None,
        typer.Option(help="Where the steps are worked on; in this process unless the environment says otherwise."),
    ] = None,
    dask_address: Annotated[
        str | None,
        typer.Option(help="Scheduler of the Dask cluster, such as tcp://host:8786; without it one is started here."),
    ] = None,
) -> None:
    """Materialise everything and publish the database."""
    place = where.chosen(executor, dask_address)
    workspace = places.workspace(data, out_folder)
    if not as_json:
        err.print(f"[bold]care-numbers[/bold]  {escape(naming(workspace))}", highlight=False)
    in_process.materialise(in_process.REFRESH, workspace, data, out_folder, quiet=as_json, place=place)
    found = summary.summarise(workspace.database, workspace.data / PLANTED_TRUTH)
    if as_json:
        out.print_json(json.dumps(found.as_dict(), default=str))
        return
    out.print()
    for sentence in summary.sentences(found):
        out.print(f"• {escape(sentence)}", highlight=False, soft_wrap=True)
    out.print()
    out.print(f"Database  {escape(str(workspace.database))}", highlight=False, soft_wrap=True)
    release_commands.tell_published(workspace)
    report = f"{escape(str(workspace.report))}/index.html"
    out.print(f"Report    {report} (care-numbers report --open)", highlight=False, soft_wrap=True)
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
    origin = places.folder_of(folder)
    if not origin.is_dir():
        raise Refusal("no_folder", "there is no such folder", file=folder, remedy="give a folder with published files")
    with raw_by_url.changing(places.raw_copy(), places.REGISTER):
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
    shelves.bring_shown(workspace)
    found = profile.profile(workspace.database, authority)
    if as_json:
        out.print_json(json.dumps(found.__dict__, default=str))
        return
    profile_view.show(found, out, is_fictional=manifest.read(workspace.data).is_fictional)


@app.command()
def ui(
    data: Data = "auto",
    out_folder: Out = None,
    port: Annotated[int, typer.Option(help="Port on localhost.", min=1, max=65535)] = 3000,
    is_read_only: Annotated[
        bool, typer.Option("--read-only", help="Without the means to start or change anything; the nights go on.")
    ] = False,
    path_prefix: Annotated[
        str, typer.Option(help="Path at which a proxy in front of it serves it, such as /care-numbers.")
    ] = "",
) -> None:
    """Open the Dagster UI on localhost, with the home of the chosen data."""
    workspace = places.workspace(data, out_folder)
    if workspace.is_demo and not workspace.data.exists():
        from pipeline.demonstration.build import refresh_demonstration  # slow to import

        refresh_demonstration(workspace.data)
    environment = in_process.environment(workspace, data, out_folder)
    file = in_process.workspace_file(workspace, naming(workspace))
    if importlib.util.find_spec("dagster_webserver") is None:
        raise Refusal(
            "no_ui", "the Dagster UI is not installed", remedy="install it with pip install 'care-numbers[ui]'"
        )
    program = in_process.program("dagster")
    in_process.refuse_port_in_use(port)
    err.print(f"{escape(naming(workspace))}: http://127.0.0.1:{port}{path_prefix}  (stop with Ctrl-C)", highlight=False)
    environment |= {"DAGSTER_WEBSERVER_READ_ONLY": str(int(is_read_only)), "DAGSTER_WEBSERVER_PATH_PREFIX": path_prefix}
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
