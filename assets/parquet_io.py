"""Frames between assets as Parquet files.

What belongs here: writing a declared table in one step and reading it back in its declared types. What does not: the
published database, which the publisher writes by itself (`published`).

A frame belongs to the table that its asset names in its definition (`describe.table_metadata`).
"""

import os

import dagster as dg
import pandas as pd

from assets.chosen_data import ChosenData
from assets.describe import TABLE_KEY
from pipeline import frames_by_url, given_back
from pipeline.publish import FICTIONAL_PREFIX, parquet_file
from pipeline.tables import catalogue, frames
from pipeline.tables.declare import Table


class ParquetFrames(dg.ConfigurableIOManager):
    """Reads and writes `<out>/parquet/<asset>.parquet`."""

    chosen: dg.ResourceDependency[ChosenData]

    def handle_output(self, context: dg.OutputContext, obj: pd.DataFrame) -> None:
        """Write beside, then rename: a reader sees the old file or the new one."""
        table = catalogue.BY_NAME[context.definition_metadata[TABLE_KEY]]
        target = parquet_file(self.chosen.workspace.frames, context.asset_key.to_python_identifier())
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            frames.write(obj, table, beside, self._stamp(table, context.run_id))
            os.replace(beside, target)
            frames_by_url.push(self.chosen.workspace, target)
        finally:
            beside.unlink(missing_ok=True)
        context.add_output_metadata({"dagster/row_count": len(obj)})

    def _stamp(self, table: Table, run_id: str) -> dict[str, str]:
        """What the table is, whether it is fictional and which run made it: the file may be handed on alone."""
        is_fictional = self.chosen.is_fictional
        return {
            "comment": (FICTIONAL_PREFIX if is_fictional else "") + table.comment,
            "is_fictional": str(is_fictional).lower(),
            frames_by_url.RUN: run_id,
        }

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """The upstream asset's frame."""
        upstream = context.upstream_output
        if upstream is None:
            raise ValueError(f"{context.name} has no upstream asset")
        table = catalogue.BY_NAME[upstream.definition_metadata[TABLE_KEY]]
        file = parquet_file(self.chosen.workspace.frames, context.asset_key.to_python_identifier())
        given_back.give_back()  # what the step before has left behind
        frames_by_url.bring(self.chosen.workspace, [file], context.step_context.run_id)
        return frames.read(file, table)
