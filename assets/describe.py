"""What an asset says of itself in the UI: its columns before it runs, its numbers after.

What belongs here: metadata made from a declaration or a frame. What does not: figures that the frame does not hold, and
what a picture shows (`pipeline.charts`).
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any, TypedDict

import dagster as dg
import pandas as pd

from pipeline import charts, markdown, sentences
from pipeline.chart_parts import Spec
from pipeline.tables.declare import Table

TABLE_KEY = "care_numbers/table"
_PREVIEW_ROWS = 8


def table_metadata(table: Table) -> dict[str, Any]:
    """Definition metadata: the declared table and its column schema."""
    return {
        TABLE_KEY: table.full_name,
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(
                    name=column.name,
                    type=column.kind,
                    description=column.comment,
                    constraints=dg.TableColumnConstraints(nullable=column.nullable),
                )
                for column in table.columns
            ]
        ),
    }


class AssetArguments(TypedDict):
    """Arguments of `dagster.asset`."""

    group_name: str
    description: str
    metadata: dict[str, Any]


def spec(table: Table, group: str) -> AssetArguments:
    """Arguments of an asset that makes a declared table."""
    return AssetArguments(group_name=group, description=table.comment, metadata=table_metadata(table))


def out(table: Table, *, is_required: bool = True) -> dg.AssetOut:
    """One output of a node that makes several declared tables; what needs one that does not come is skipped."""
    return dg.AssetOut(
        key=table.asset, description=table.comment, metadata=table_metadata(table), is_required=is_required
    )


def span(frame: pd.DataFrame) -> dict[str, int]:
    """Years and authorities of a frame that has them."""
    facts = {}
    if "year" in frame and len(frame):
        facts["first_year"] = int(frame["year"].min())
        facts["last_year"] = int(frame["year"].max())
    if "la_code" in frame:
        facts["authorities"] = int(frame["la_code"].nunique())
    if "marker" in frame:
        facts["cells_without_a_number"] = int(frame["marker"].notna().sum())
    return facts


def preview(frame: pd.DataFrame, columns: list[str]) -> dg.MetadataValue:
    """The first rows of some columns as a small table."""
    rows = frame[columns].head(_PREVIEW_ROWS).astype("string").fillna("")
    return dg.MetadataValue.md(markdown.table(columns, rows.itertuples(index=False)))


def picture(chart: Spec, standing: Sequence[str] = sentences.ALL) -> dg.MetadataValue:
    """A chart, small enough for the event log, over the sentences that stand on everything of its kind.

    The image is part of the text, so that it needs no server and no file that could be swept away.
    """
    image = base64.b64encode(charts.png(chart)).decode("ascii")
    return dg.MetadataValue.md(
        "\n\n".join([f"![{markdown.text(charts.title(chart))}](data:image/png;base64,{image})", *standing])
    )


def files_version(register: pd.DataFrame) -> dg.DataVersion:
    """One version for a set of files: the hash of their hashes, in order."""
    joined = "\n".join(sorted(register["sha256"]))
    return dg.DataVersion(hashlib.sha256(joined.encode()).hexdigest())
