"""Frames keep to their declaration, and survive the way through Arrow and Parquet."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import Refusal
from pipeline.tables import catalogue, frames
from pipeline.tables.declare import Column, Table
from tests.fixtures import small_country as small

EVERY_KIND = Table(
    schema="main",
    name="invented",
    description="A table with a column of every kind.",
    grain="authority and year",
    key=("la_code", "year"),
    columns=(
        Column("la_code", "text", "Code."),
        Column("year", "integer", "Year."),
        Column("count", "integer", "Count.", "children", nullable=True),
        Column("rate", "number", "Rate.", "per 10,000", nullable=True),
        Column("flag", "boolean", "Flag.", nullable=True),
        Column("day", "date", "Day.", nullable=True),
        Column("moment", "timestamp", "Moment.", nullable=True),
        Column("word", "text", "Word.", allowed=("up", "down")),
    ),
)
ROWS = {
    "la_code": ["702", "701", "701"],
    "year": [2021, 2022, 2021],
    "count": [5, None, 0],
    "rate": [0.1, None, 1 / 3],
    "flag": [True, None, False],
    "day": [dt.date(2021, 4, 1), None, dt.date(1974, 4, 1)],
    "moment": [pd.Timestamp("2025-11-20T09:30:00.123456Z"), None, pd.Timestamp("2000-01-01T00:00:00Z")],
    "word": ["up", "down", "up"],
}


def frame(**changed: list) -> pd.DataFrame:
    return pd.DataFrame(ROWS | changed)


def refused(**changed: list) -> Refusal:
    with pytest.raises(Refusal) as caught:
        frames.conform(frame(**changed), EVERY_KIND)
    assert caught.value.code == "table_breaks_contract"
    return caught.value


# ---------------------------------------------------------------------------------------------------------------------
# Conforming


def test_columns_take_their_declared_order_and_types() -> None:
    given = frame()[list(reversed(ROWS))].assign(more="left behind")
    found = frames.conform(given, EVERY_KIND)
    assert list(found.columns) == EVERY_KIND.column_names
    assert {name: str(kind) for name, kind in found.dtypes.items()} == {
        "la_code": "string",
        "year": "Int64",
        "count": "Int64",
        "rate": "float64",
        "flag": "boolean",
        "day": "object",
        "moment": "datetime64[us, UTC]",
        "word": "string",
    }


def test_rows_are_in_the_order_of_the_key() -> None:
    found = frames.conform(frame(), EVERY_KIND)
    assert list(zip(found["la_code"], found["year"], strict=True)) == [("701", 2021), ("701", 2022), ("702", 2021)]
    assert list(found.index) == [0, 1, 2]


def test_a_missing_value_stays_missing_and_a_nought_a_nought() -> None:
    found = frames.conform(frame(), EVERY_KIND).set_index(["la_code", "year"])
    assert found.loc[("701", 2022), ["count", "rate", "flag", "day", "moment"]].isna().all()
    assert [found.at[("701", 2021), name] for name in ("count", "flag")] == [0, False]


@pytest.mark.parametrize("column", ["la_code", "year", "word"])
def test_a_missing_value_where_one_is_required_is_refused(column: str) -> None:
    values: list = list(ROWS[column])
    values[1] = None
    refusal = refused(**{column: values})
    assert refusal.column == column and "a value is missing" in refusal.problem


def test_a_repeated_key_is_refused_with_the_key() -> None:
    refusal = refused(year=[2021, 2021, 2021])
    assert "the key stands there twice" in refusal.problem
    assert "la_code 701, year 2021" in refusal.problem


def test_a_value_that_is_not_allowed_is_refused_with_its_row() -> None:
    refusal = refused(word=["up", "sideways", "up"])
    assert (refusal.column, refusal.value) == ("word", "sideways")
    assert "main.invented" in refusal.problem and "la_code 701, year 2022" in refusal.problem


def test_a_missing_column_is_a_bug_and_no_refusal() -> None:
    with pytest.raises(KeyError, match="rate"):
        frames.conform(frame().drop(columns="rate"), EVERY_KIND)


def test_half_a_child_is_never_rounded_away() -> None:
    with pytest.raises(TypeError, match="cannot safely cast"):
        frames.conform(frame(count=[5.5, None, 0]), EVERY_KIND)


def test_an_undeclared_column_is_refused_by_the_check() -> None:
    conforming = frames.conform(frame(), EVERY_KIND)
    with pytest.raises(Refusal, match="column_in_schema"):
        frames.check(conforming.assign(more=1), EVERY_KIND)


def test_an_empty_frame_conforms() -> None:
    for table in catalogue.TABLES:
        empty = frames.conform(pd.DataFrame(columns=table.column_names), table)
        assert list(empty.columns) == table.column_names and empty.empty


# ---------------------------------------------------------------------------------------------------------------------
# Arrow and Parquet


def test_the_arrow_schema_carries_types_requirements_and_comments() -> None:
    schema = frames.arrow_schema(EVERY_KIND)
    assert schema.names == EVERY_KIND.column_names
    assert [str(field.type) for field in schema] == [
        "string", "int64", "int64", "double", "bool", "date32[day]", "timestamp[us, tz=UTC]", "string"
    ]  # fmt: skip
    assert [field.nullable for field in schema] == [False, False, True, True, True, True, True, False]
    assert schema.field("count").metadata == {b"comment": b"Count. Unit: children."}


def test_a_frame_comes_back_from_parquet_as_it_went(tmp_path: Path) -> None:
    before = frames.conform(frame(), EVERY_KIND)
    pq.write_table(frames.to_arrow(before, EVERY_KIND), tmp_path / "t.parquet")
    after = frames.from_arrow(pq.read_table(tmp_path / "t.parquet"), EVERY_KIND)
    pd.testing.assert_frame_equal(before, after)


def test_a_missing_number_is_null_in_parquet_and_not_nan() -> None:
    """A NaN would count in SQL: avg() of it is NaN, and it is not NULL."""
    table = frames.to_arrow(frames.conform(frame(), EVERY_KIND), EVERY_KIND)
    assert table.column("rate").to_pylist() == [pytest.approx(1 / 3), None, 0.1]
    assert {
        name: table.column(name).null_count for name in ("count", "rate", "flag", "day", "moment")
    } == dict.fromkeys(("count", "rate", "flag", "day", "moment"), 1)


def test_a_required_value_that_is_missing_does_not_reach_a_file() -> None:
    spoilt = frames.conform(frame(), EVERY_KIND)
    spoilt.loc[0, "word"] = pd.NA
    with pytest.raises((pa.ArrowInvalid, ValueError)):
        frames.to_arrow(spoilt, EVERY_KIND)


def test_every_table_of_a_small_country_comes_back_as_it_went() -> None:
    results = small.country().results()
    by_asset = {table.asset: table for table in catalogue.TABLES if table.asset}
    for asset, made in results.items():
        table = by_asset[asset]
        before = frames.conform(made, table)
        pd.testing.assert_frame_equal(before, frames.from_arrow(frames.to_arrow(before, table), table), obj=asset)


# ---------------------------------------------------------------------------------------------------------------------
# Few texts for many rows

REPEATED = Table(
    schema="main",
    name="invented_repeated",
    description="A table with texts that many rows share.",
    grain="place and year",
    key=("place", "year"),
    columns=(
        Column("place", "text", "Place.", is_repeated=True),
        Column("year", "integer", "Year."),
        Column("reason", "text", "Reason.", nullable=True, is_repeated=True),
    ),
)


def repeated(places: list[str], reasons: list[str | None]) -> pd.DataFrame:
    columns = {"place": pd.Categorical(places, categories=sorted(set(places), reverse=True)), "year": 2021}
    return pd.DataFrame(columns | {"reason": pd.array(reasons, dtype="string")})


def test_repeated_texts_are_kept_once_and_rows_are_still_in_the_order_of_the_texts() -> None:
    found = frames.conform(repeated(["C", "A", "B"], [None, "small", None]), REPEATED)
    assert found["place"].tolist() == ["A", "B", "C"]
    assert found["reason"].isna().tolist() == [False, True, True]
    assert found["place"].cat.categories.tolist() == ["A", "B", "C"]


def test_frames_one_after_the_other_keep_repeated_texts_once_though_each_has_its_own() -> None:
    parts = [frames.conform(repeated(*of), REPEATED) for of in ((["B"], [None]), (["C", "A"], ["small", None]))]
    found = frames.stacked(parts)
    assert found["place"].tolist() == ["B", "A", "C"]
    assert [str(found[name].dtype) for name in ("place", "reason")] == ["category", "category"]
    assert found["reason"].isna().tolist() == [True, True, False]


def test_a_frame_written_in_parts_comes_back_as_it_went_and_others_read_plain_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "ROWS_AT_ONCE", 2)
    before = frames.conform(repeated(["C", "A", "E", "B", "D"], [None, "small", None, None, "new"]), REPEATED)
    frames.write(before, REPEATED, tmp_path / "t.parquet", {"comment": "invented"})
    pd.testing.assert_frame_equal(before, frames.read(tmp_path / "t.parquet", REPEATED))
    file = pq.ParquetFile(tmp_path / "t.parquet")
    assert file.num_row_groups == 3
    assert file.schema_arrow.metadata[b"comment"] == b"invented"
    assert pd.read_parquet(tmp_path / "t.parquet").dtypes.astype(str).to_dict() == {
        "place": "string",
        "year": "Int64",
        "reason": "string",
    }


def test_a_wide_frame_of_repeated_texts_has_plain_ones() -> None:
    rows = frames.conform(repeated(["B", "A"], ["small", "new"]), REPEATED).assign(
        unit_id=pd.Categorical(["1", "1"]), value=[0.5, 1.5]
    )
    wide = frames.pivoted(rows, "place", "reason")
    assert wide.index.tolist() == ["1"] and wide.loc["1"].tolist() == ["new", "small"]
    assert [str(one) for one in (wide.index.dtype, wide.columns.dtype, wide["A"].dtype)] == ["string"] * 3
