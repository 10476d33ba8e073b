"""The page on the architecture says what is so: its drawing, its names, its folders, and one count followed through a run.

What belongs here: docs/architecture.md held to the graph, to the code and to a finished run on the demonstration country.
What does not: whether the graph is the one that is meant (`tests/assets/test_graph`) and whether a figure is right.
"""

from __future__ import annotations

import ast
import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from assets import diagram
from assets.definitions import defs
from pipeline import geography, settings, sources, windows
from tests.assets.expected_graph import ASSETS
from tests.whole_runs.running import FinishedRun, finished_demonstration, rows

PROJECT = Path(__file__).resolve().parents[1]
FILE = PROJECT / "docs" / "architecture.md"
PAGE = FILE.read_text(encoding="utf-8")
CODE, NAME, YEAR, UNIT = "108", "Oskavel", 2025, "108"


def section(heading: str) -> str:
    """What stands below a heading of the page."""
    (found,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return found


def table(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its own headings."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


# ---------------------------------------------------------------------------------------------------------------------
# The drawing


def test_the_drawing_is_that_of_the_graph() -> None:
    assert diagram.written(PAGE) == PAGE, "run make docs"


def test_every_asset_is_in_the_drawing_once_and_in_the_frame_of_its_group() -> None:
    frames = re.findall(r'subgraph \w+\["group (\w+)"\]\n(.*?)\n  end\n', diagram.mermaid(), re.DOTALL)
    drawn = [(asset, group) for group, boxes in frames for asset in re.findall(r"<br/>(\w+)", boxes)]
    assert sorted(drawn) == sorted((asset, group) for asset, (group, _) in ASSETS.items())
    assert len(defs.resolve_asset_graph().get_all_asset_keys()) == len(drawn)


def test_every_arrow_of_the_graph_is_drawn_by_itself_or_by_way_of_groups_between() -> None:
    homes, groups = diagram.homes_and_groups()
    arrows = re.findall(r"^  (\w+) (?:-->|==>) (\w+)$", diagram.mermaid(), re.MULTILINE)
    way = {"raw": 0, "core": 1, "analysis": 2, "published": 3}
    assert [one for one in arrows if one[0].endswith("_group")] == [
        ("analysis_group", "published_group"), ("core_group", "analysis_group"), ("raw_group", "core_group"),
    ]  # fmt: skip
    for asset, (group, made_from) in ASSETS.items():
        for above in made_from:
            if groups[homes[above]] != group:
                assert way[groups[homes[above]]] < way[group]
            elif homes[above] != homes[asset]:
                assert (homes[above], homes[asset]) in arrows
    inner = {one for one in arrows if not one[0].endswith("_group")}
    real = {(homes[above], homes[asset]) for asset, (_, made_from) in ASSETS.items() for above in made_from}
    assert inner <= real


def test_a_detour_is_left_out_and_a_circle_is_refused() -> None:
    assert diagram.without_detours({("a", "b"), ("b", "c"), ("a", "c")}) == {("a", "b"), ("b", "c")}
    assert diagram.in_order({("b", "c"), ("a", "b")}) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="made from each other"):
        diagram.in_order({("a", "b"), ("b", "a")})


def test_a_page_without_both_markers_is_refused() -> None:
    for page in ("", diagram.BEGIN, diagram.END + diagram.BEGIN):
        with pytest.raises(ValueError, match="end of the diagram"):
            diagram.written(page)


def test_the_drawing_is_written_as_make_docs_does(tmp_path: Path) -> None:
    target = tmp_path / "page.md"
    target.write_text(f"before\n{diagram.BEGIN}old\n{diagram.END}after\n", encoding="utf-8")
    subprocess.run([sys.executable, "-m", "assets.diagram", str(target)], cwd=PROJECT, check=True)
    assert target.read_text(encoding="utf-8") == f"before\n{diagram.BEGIN}{diagram.mermaid()}{diagram.END}after\n"


# ---------------------------------------------------------------------------------------------------------------------
# Files, functions, folders


def definitions(file: str) -> set[str]:
    """The functions and names that a module defines at its top."""
    body = ast.parse((PROJECT / file).read_text(encoding="utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_every_file_that_is_named_exists() -> None:
    quoted = re.findall(r"`([\w./-]+)`", PAGE) + re.findall(r"\]\(([\w./-]+)\)", PAGE)
    paths = [name for name in quoted if "/" in name and not name.startswith(("children_looked_after/", "authorities/"))]
    assert len(paths) > 40
    missing = [name for name in paths if not ((PROJECT / name).exists() or (FILE.parent / name).exists())]
    assert not missing


def test_every_function_that_is_named_exists() -> None:
    hops = [re.fullmatch(r"`([\w/.]+)` · `(\w+)`", cells[1]) for cells in table("One count, hop by hop")]
    assert len(hops) > 10 and all(hops)
    for hop in hops:
        assert hop is not None
        assert hop[2] in definitions(hop[1]), hop[0]
    after = section("One count, hop by hop").rsplit("The nodes that call these", 1)[1]
    nodes = [
        (node, file)
        for names, file in re.findall(r"((?:`\w+`(?:,| and)? ?)+) ?in `([\w/.]+)`", after)
        for node in re.findall(r"`(\w+)`", names)
    ]
    assert len(nodes) == 7
    for node, file in nodes:
        assert node in definitions(file), f"{node} in {file}"


def test_every_folder_of_the_code_is_in_the_table() -> None:
    told = [cells[0].strip("`") for cells in table("Who may know whom")]
    there = {
        f"{path.relative_to(PROJECT).as_posix()}/"
        for package in ("pipeline", "assets")
        for path in [PROJECT / package, *(PROJECT / package).rglob("*")]
        if path.is_dir() and path.name != "__pycache__"
    }
    assert there <= set(told) and len(there) > 7
    assert len(told) == len(set(told))


# ---------------------------------------------------------------------------------------------------------------------
# One count, hop by hop


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return finished_demonstration(tmp_path_factory)


def frame(run: FinishedRun, name: str) -> pd.DataFrame:
    return pd.read_parquet(run.frames / f"{name}.parquet")


def published_cell(run: FinishedRun) -> str:
    """The cell as it stands in the file, found without any code of the project's."""
    file = "children_looked_after/2025/cla_number_and_rate_per_10k_children.csv"
    with (run.data / file).open(encoding="utf-8-sig", newline="") as lines:
        header, *body = csv.reader(lines)
    (row,) = [
        number
        for number, line in enumerate(body, start=2)
        if dict(zip(header, line, strict=True))["la_name"] == NAME
        and line[0] == str(YEAR)
        and "on 31 March" in str(line)
    ]
    value = dict(zip(header, body[row - 2], strict=True))["children_count"]
    return f"`{file}`, row {row}, `children_count`: {value}"


def registered(run: FinishedRun) -> str:
    ((layout, release),) = rows(
        run.database, "SELECT layout, release FROM about.sources WHERE file LIKE 'children_looked_after/2025/%'"
    )
    return f"`{layout}`, release {release}"


def read(run: FinishedRun) -> str:
    register = frame(run, "raw_children_looked_after")
    register = register.loc[register["file"].str.startswith("children_looked_after/2025/")]
    known = sources.reference_tables.knowledge(
        sources.references_of(frame(run, "raw_reference"), run.data, PROJECT / "data" / "raw" / "reference")
    )
    tidy = sources.read_tidy(run.data, register, "children_looked_after", known)
    own = tidy.loc[(tidy["area_code"] == CODE) & (tidy["year"] == YEAR) & (tidy["measure"] == "looked_after")].iloc[0]
    marker = "no marker" if pd.isna(own["marker"]) else f"marker {own['marker']}"
    return f"`{own['measure']}` of {own['area_code']} in {own['year']}: {own['value']}, {marker}"


def core_table(run: FinishedRun) -> str:
    ((value, row),) = rows(
        run.database,
        "SELECT value, source_row FROM core.children_looked_after"
        " WHERE la_code = ? AND year = ? AND release = ? AND measure = 'looked_after'",
        [CODE, YEAR, YEAR],
    )
    return f"`core.children_looked_after`: {value}, source row {row}"


def panel(run: FinishedRun) -> str:
    ((children, people, rate),) = rows(
        run.database,
        "SELECT looked_after, population_0_17, rate_per_10k FROM main.care_numbers WHERE la_code = ? AND year = ?",
        [CODE, YEAR],
    )
    return f"`main.care_numbers`: {children} of {people:,} children, {rate:.2f} per 10,000"


def unit(run: FinishedRun) -> str:
    areas = geography.build_areas(frame(run, "core_local_authorities"), frame(run, "core_area_changes"))
    (own,) = [one for one in geography.units(areas, 2020, YEAR) if CODE in one.members]
    return f"{own.unit_id}, {'by itself' if len(own.members) == 1 else 'with others'}"


def window(run: FinishedRun) -> str:
    areas = geography.build_areas(frame(run, "core_local_authorities"), frame(run, "core_area_changes"))
    data = windows.all_window_data(
        frame(run, "core_children_looked_after"), frame(run, "core_population"), areas, settings.load().windows
    )
    (main,) = [one for one in data if one.window.window_id == "main_h5"]
    (own,) = [ends for ends in main.units if ends.unit.unit_id == UNIT]
    years = f"{main.window.start} to {main.window.end}"
    return f"`{main.window.window_id}`, {years}: {own.looked_after[0]} to {own.looked_after[1]}"


def change(run: FinishedRun, columns: str) -> tuple:
    query = f"SELECT {columns} FROM main.five_year_change WHERE window_id = 'main_h5' AND unit_id = ?"
    (found,) = rows(run.database, query, [UNIT])
    return found


def flag(run: FinishedRun) -> str:
    own, england, is_bucked = change(run, "change_pct, england_change_pct, bucked")
    return f"{own:+.1f}%, England {england:+.1f}%: {'bucked' if is_bucked else 'not bucked'}"


def evidence(run: FinishedRun) -> str:
    z, grade = change(run, "z, evidence")
    return f"z = {z:.2f}: {grade}"


def covariates(run: FinishedRun) -> str:
    ((value,),) = rows(
        run.database,
        "SELECT value FROM main.exposures WHERE window_id = 'main_h5' AND unit_id = ? AND variable = 'deprivation_change'",
        [UNIT],
    )
    return f"`deprivation_change`: {value:.2f} points"


def coefficient(run: FinishedRun) -> str:
    of_m2 = "window_id = 'main_h5' AND model = 'M2' AND outcome = 'log_rate_ratio' AND NOT region_effects"
    ((estimate, units),) = rows(
        run.database,
        "SELECT estimate, n FROM main.regression_coefficients"
        f" WHERE {of_m2} AND variant = 'primary' AND term = 'deprivation_change'",
    )
    # The unit is one of them: its influence on the model is known.
    assert rows(run.database, f"FROM main.regression_influence WHERE {of_m2} AND unit_id = ?", [UNIT])
    return f"M2, one of {units} units: `deprivation_change` {estimate:+.4f}"


def database(run: FinishedRun) -> str:
    assert rows(run.database, "FROM main.bucking_the_trend WHERE bucked AND unit_name = ?", [NAME])
    return f"`main.bucking_the_trend`: a row of {NAME}"


def page_text(run: FinishedRun) -> str:
    return (run.workspace.report / "authorities" / f"{CODE}.html").read_text(encoding="utf-8")


def chart(run: FinishedRun) -> str:
    (text,) = re.findall(r'<script type="application/json" id="spec-number">(.*?)</script>', page_text(run))
    drawn = [point for layer in json.loads(text)["layer"] for point in layer["data"]["values"]]
    (point,) = [one for one in drawn if one.get("series") == "all children looked after" and one["year"] == YEAR]
    return f"a point of {point['year']} at {point['value']}"


def page(run: FinishedRun) -> str:
    (told,) = re.findall(r'<p class="told">(\d+ children on 31 March \d+\.)</p>', page_text(run))
    return f"`authorities/{CODE}.html`: {told}"


HOPS = {
    "the published cell": published_cell, "recognised and registered": registered, "read": read, "core table": core_table,
    "panel": panel, "unit": unit, "window": window, "flag": flag, "evidence": evidence, "covariates": covariates,
    "coefficient": coefficient, "database": database, "chart": chart, "page": page,
}  # fmt: skip


def test_every_hop_is_followed() -> None:
    assert [cells[0] for cells in table("One count, hop by hop")] == list(HOPS)


@pytest.mark.whole
@pytest.mark.parametrize("hop", HOPS)
def test_what_the_page_says_of_a_hop_stands_there(demonstration: FinishedRun, hop: str) -> None:
    told = {cells[0]: cells[2] for cells in table("One count, hop by hop")}
    assert told[hop] == HOPS[hop](demonstration)
