"""The one way in: build the demonstration country in a folder.

What belongs here: which files there are and the manifest that marks them as fictional. What does not: their content.
Further publications of the country are further modules, each written from the same simulated truth, and one line here.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from pipeline.demonstration import PLANTED_TRUTH, atlas
from pipeline.demonstration.country import Country, simulate
from pipeline.demonstration.districts import districts
from pipeline.demonstration.exposures import WINDOW_END, WINDOW_START
from pipeline.demonstration.gazetteer import COUNTRY_NAME
from pipeline.demonstration.idaci import write_idaci_files
from pipeline.demonstration.inspections import reports
from pipeline.demonstration.interactive_tool import write_interactive_tool
from pipeline.demonstration.long_tables import write_long_tables
from pipeline.demonstration.low_income import write_low_income_workbooks
from pipeline.demonstration.neighbour_files import write_neighbour_files
from pipeline.demonstration.ofsted_workbooks import write_ofsted_workbooks
from pipeline.demonstration.planted import PLANTED, UNITS
from pipeline.demonstration.population_files import write_population_files
from pipeline.demonstration.printing import Row, write_table, write_text
from pipeline.demonstration.reference_tables import write_reference_tables
from pipeline.demonstration.spending_workbooks import write_spending_workbooks
from pipeline.demonstration.wide_tables import write_wide_tables

PLANTED_COEFFICIENTS = "planted_coefficients.csv"
_NOTE = (
    f"{COUNTRY_NAME} does not exist. All places, codes and figures are invented, and written in the layouts of "
    "published files so that the pipeline can run and be tested without any. Nothing here is about a real place."
)


def build_demonstration(folder: Path, seed: int = 20181129, *, optional: bool = True) -> None:
    """Write all files of the country into an empty folder, which is made if need be. Same seed, same bytes.

    Without the `optional` publications there are no neighbours, spending, index of deprivation and older low incomes.

    Raises FileExistsError when there is something in the folder: files of two seeds must not mix.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: the demonstration country is built in an empty folder")
    country = simulate(seed)
    below, judged = districts(country), reports(country)
    write_wide_tables(country, folder / "children_looked_after")
    write_long_tables(country, folder / "children_looked_after")
    write_population_files(country, folder / "population")
    write_interactive_tool(country, folder / "interactive_tool")
    write_ofsted_workbooks(country, judged, folder / "inspections")
    if optional:
        write_low_income_workbooks(country, below, folder / "deprivation" / "low_income")
        write_idaci_files(country, below, folder / "deprivation")
        write_neighbour_files(country, folder / "neighbours")
        write_spending_workbooks(country, below, folder / "spending")
    write_reference_tables(country, below, judged, folder / "reference")
    write_table(folder / PLANTED_TRUTH, _planted_truth(country))
    write_table(folder / PLANTED_COEFFICIENTS, _planted_coefficients())
    manifest = {"fictional": True, "name": COUNTRY_NAME, "seed": seed, "note": _NOTE}
    write_text(folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")


def refresh_demonstration(folder: Path) -> None:
    """Build the country afresh in place of what is in `folder`, so that the files always fit the code that made them."""
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.building")
    shutil.rmtree(beside, ignore_errors=True)
    build_demonstration(beside)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside.rename(folder)


def _planted_truth(country: Country) -> list[Row]:
    """List every authority at the end of the window, with how far it was made to leave the nation, on the log scale.

    `explained_log_deviation` is what its covariates add to that; an authority that began within the window has that of
    the one whose area it was, and the tiny ones have none.
    """
    explained = _explained(country)
    rows: list[Row] = [
        ("la_code", "la_name", "window_start", "window_end", "planted", "planted_log_deviation", "explained_log_deviation")
    ]  # fmt: skip
    for row in country.in_being(WINDOW_END):
        authority = country.authorities[row]
        deviation = country.planted.get(authority.code, 0.0)
        planted = "none" if not deviation else "bucker_down" if deviation < 0 else "bucker_up"
        by_covariates = explained.get(authority.pieces[0])
        rows.append(
            (authority.code, authority.name, WINDOW_START, WINDOW_END, planted, f"{deviation:.4f}",
             "" if by_covariates is None else f"{by_covariates:.4f}")
        )  # fmt: skip
    return rows


def _explained(country: Country) -> dict[str, float]:
    """What the covariates add, by piece."""
    rows = atlas.places().at_window_start
    return {
        piece: float(value)
        for row, value in zip(rows, country.explained, strict=True)
        for piece in country.authorities[row].pieces
    }


def _planted_coefficients() -> list[Row]:
    """List the coefficients of the primary model's terms; the baseline is the log rate at the start."""
    return [("term", "value", "unit"), *((term, getattr(PLANTED, term), unit) for term, unit in UNITS.items())]
