"""Every declared table keeps the house's grammar: described, keyed, in plain words."""

from __future__ import annotations

import re

import pytest

from pipeline import places
from pipeline.tables import about_tables, catalogue, core_tables, main_tables, shared_columns
from pipeline.tables.declare import Column, Table

each_table = pytest.mark.parametrize("table", catalogue.TABLES, ids=lambda table: table.full_name)
# The words of methods.md C6, and where the fixed sentences of A3 deny them.
FORBIDDEN = re.compile(r"\b(best|worst|top|bottom|rank|ranks|ranked|ranking|league|improved|deteriorated)\b", re.I)
CAUSAL = re.compile(r"\b(caused by|effect of)\b", re.I)
DENIED = re.compile(r"is not a league table|no rank|no \"improved\"")


def test_no_table_is_declared_twice() -> None:
    names = [table.full_name for table in catalogue.TABLES]
    assert len(names) == len(set(names)) == len(catalogue.BY_NAME)
    assets = [table.asset for table in catalogue.TABLES if table.asset]
    assert len(assets) == len(set(assets))


@pytest.mark.parametrize(
    ("schema", "tables"),
    [("core", core_tables.TABLES), ("main", main_tables.TABLES), ("about", about_tables.TABLES)],
)
def test_a_module_declares_one_schema_and_lists_all_it_declares(schema: str, tables: tuple[Table, ...]) -> None:
    assert {table.schema for table in tables} == {schema}
    module = {"core": core_tables, "main": main_tables, "about": about_tables}[schema]
    declared = {value.full_name for value in vars(module).values() if isinstance(value, Table)}
    assert declared == {table.full_name for table in tables}


@each_table
def test_a_table_says_what_it_is(table: Table) -> None:
    assert table.description.endswith(".") and len(table.description) > 20
    assert table.grain and not table.grain.endswith(".")
    assert all(warning.endswith(".") for warning in table.warnings)
    assert table.comment.startswith(table.description) and f"One row per {table.grain}." in table.comment
    assert all(warning in table.comment for warning in table.warnings)


@each_table
def test_a_table_has_a_key_of_its_own_columns(table: Table) -> None:
    names = table.column_names
    assert len(names) == len(set(names))
    assert table.key and set(table.key) <= set(names)
    assert set(table.sort_by) <= set(names)
    nullable = {column.name for column in table.columns if column.nullable}
    assert not nullable & set(table.key), "a key is never missing"


@each_table
def test_a_view_has_its_query_and_no_asset(table: Table) -> None:
    assert table.is_view == (places.sql_folder() / "views" / f"{table.name}.sql").exists()
    assert not (table.is_view and table.asset)


def test_every_view_is_declared() -> None:
    files = {file.stem for file in (places.sql_folder() / "views").glob("*.sql")}
    assert files == {table.name for table in catalogue.TABLES if table.is_view}


@each_table
def test_a_column_has_a_meaning(table: Table) -> None:
    for column in table.columns:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
        assert column.description.endswith((".", "?")) and len(column.description) > 3, column.name
        assert column.comment.startswith(column.description)
        assert not column.unit or f"Unit: {column.unit}." in column.comment, column.name
        assert not column.allowed or ", ".join(column.allowed) in column.comment, column.name


@each_table
def test_a_column_that_is_measured_has_its_unit(table: Table) -> None:
    for column in table.columns:
        if column.name.endswith("rate_per_10k"):
            assert column.unit == shared_columns.PER_10K, column.name
        if column.name.endswith("_pct"):
            assert column.unit == shared_columns.PER_CENT, column.name
        if column.name.endswith(("_log", "_per_10k", "_pct")):
            assert column.kind in ("number", "integer") and column.unit, column.name


@each_table
def test_codes_are_text_and_yes_or_no_is_a_boolean(table: Table) -> None:
    for column in table.columns:
        if column.name.startswith("is_"):
            assert column.kind == "boolean", column.name
        elif column.name.endswith("_code") or column.name in ("unit_id", "members"):
            assert column.kind == "text", column.name


@each_table
def test_reasons_come_from_the_closed_list(table: Table) -> None:
    for column in table.columns:
        if column.name == "reason" and table.schema == "main":
            assert column.allowed == shared_columns.REASONS
        elif column.name.endswith("_reason") and column.allowed:
            assert set(column.allowed) <= set(shared_columns.REASONS), column.name


@each_table
def test_the_words_are_plain(table: Table) -> None:
    texts = [table.name, table.description, table.grain, *table.warnings]
    texts += [text for column in table.columns for text in (column.name.replace("_", " "), column.comment)]
    for text in texts:
        assert not FORBIDDEN.search(DENIED.sub("", text)), text
        assert not CAUSAL.search(text), text


def test_a_column_may_differ_in_one_thing_alone() -> None:
    column = Column("a", "integer", "A.", "children", nullable=True)
    other = column.but(name="b", description="B.")
    assert (other.name, other.description, other.kind, other.unit, other.nullable) == (
        "b", "B.", "integer", "children", True
    )  # fmt: skip
    assert column.name == "a"


def test_tables_are_ordered_by_their_key_unless_they_say_otherwise() -> None:
    columns = (Column("a", "text", "A."), Column("b", "text", "B."))
    assert Table("main", "t", "D.", "row", ("b",), columns).sort_by == ["b"]
    assert Table("main", "t", "D.", "row", ("b",), columns, order=("a", "b")).sort_by == ["a", "b"]
