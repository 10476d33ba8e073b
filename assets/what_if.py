"""The job in which an analyst tries other thresholds, another window or another seed from the launchpad.

What belongs here: the job, its configuration, and writing its answer to a scratch folder. What does not: the answer
(`pipeline.what_if`). The job reads the finished frames, materialises nothing, and nothing that it writes is published.
"""

import os
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
from pydantic import Field

from assets.chosen_data import ChosenData
from pipeline import frames_by_url, geography, settings, what_if
from pipeline.errors import Refusal
from pipeline.five_year_change import Inputs
from pipeline.places import Workspace
from pipeline.publish import FICTIONAL_PREFIX, parquet_file
from pipeline.tables import catalogue, evidence_tables, frames, main_tables

JOB = "what_if"
SCRATCH = "scratch"
_TABLE_OF = {table.asset: table for table in catalogue.TABLES if table.asset}


class WhatIf(dg.Config):
    """What an analyst sets; the launchpad shows the published settings to begin with."""

    england_pct: float = Field(description="England has a direction from this change of its rate on, in per cent.")
    movement_pct: float = Field(description="A unit has moved from this change of its rate on, in per cent.")
    relative_pct: float = Field(description="A unit has parted from England from this difference on, in per cent.")
    start: int | None = Field(default=None, description="Reporting year at the start; empty for the newest five years.")
    end: int | None = Field(default=None, description="Reporting year at the end; empty for the newest five years.")
    seed: int = Field(description="Seed of the countries drawn without local trends.")

    def question(self) -> what_if.Question:
        """The same, for the pipeline."""
        return what_if.Question(self.england_pct, self.movement_pct, self.relative_pct, self.start, self.end, self.seed)


@dg.op(out=dg.Out(dg.Nothing), description="Works one window out anew and writes the answer to the scratch folder.")
def answer(context: dg.OpExecutionContext, config: WhatIf, chosen: ChosenData) -> dg.Output[None]:
    """One window under other settings, from the finished frames of this workspace."""
    workspace, usual = chosen.workspace, settings.load()
    stored = _Finished(workspace)
    inputs = Inputs(
        stored["core_children_looked_after"],
        stored["core_population"],
        stored["core_interactive_tool"],
        stored["care_numbers"],
        stored["volatility"],
    )
    areas = geography.build_areas(stored["core_local_authorities"], stored["core_area_changes"])
    found = what_if.answer(config.question(), inputs, areas, usual)
    page = what_if.page(found, stored["five_year_change"], usual, is_fictional=chosen.is_fictional)
    folder = _write(found, page, workspace.out / SCRATCH / context.run_id, is_fictional=chosen.is_fictional)
    context.log.info(f"The answer is in {folder}. It is not published.")
    return dg.Output(None, metadata={"folder": dg.MetadataValue.path(str(folder)), "answer": dg.MetadataValue.md(page)})


def _published_settings() -> dict[str, Any]:
    """What the launchpad holds to begin with, the empty years included, so that an analyst sees what can be set."""
    chosen = settings.load()
    classes = chosen.classes
    return {
        "ops": {
            "answer": {
                "config": {
                    "england_pct": classes.england_pct,
                    "movement_pct": classes.movement_pct,
                    "relative_pct": classes.relative_pct,
                    "start": None,
                    "end": None,
                    "seed": chosen.seed,
                }
            }
        }
    }


@dg.job(
    name=JOB,
    config=_published_settings(),
    description="Try other thresholds, another window or another seed on the finished tables. The answer goes to a scratch "
    "folder and is never published.",
)
def what_if_job() -> None:
    """One step: the published answer stays as it is."""
    answer()


class _Finished:
    """The frames of the last run, by asset."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __getitem__(self, asset: str) -> pd.DataFrame:
        file = parquet_file(self._workspace.frames, asset)
        frames_by_url.bring(self._workspace, [file], run_id="")
        if not file.exists():
            raise Refusal(
                "no_finished_run",
                f"there is no table {asset} yet",
                file=str(file),
                remedy="materialise everything first, in the UI or with care-numbers run",
            )
        return frames.read(file, _TABLE_OF[asset])


def _write(found: what_if.Answer, page: str, folder: Path, *, is_fictional: bool) -> Path:
    """The tables and the page, written beside and renamed: the folder is there whole or not at all."""
    beside = folder.with_name(f".{folder.name}.part")
    beside.mkdir(parents=True)
    for table, frame in (
        (main_tables.FIVE_YEAR_CHANGE, found.changes),
        (evidence_tables.NULL_CALIBRATION, found.calibration),
    ):
        frames.write(frame, table, beside / f"{table.name}.parquet", _stamp(is_fictional=is_fictional))
    (beside / "what_if.md").write_text(page, encoding="utf-8")
    os.replace(beside, folder)
    return folder


def _stamp(*, is_fictional: bool) -> dict[str, str]:
    comment = (FICTIONAL_PREFIX if is_fictional else "") + "What if: other settings than the published ones."
    return {"comment": comment, "is_fictional": str(is_fictional).lower()}
