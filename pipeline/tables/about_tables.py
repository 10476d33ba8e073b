"""Where the figures are from and what the database holds.

What belongs here: declarations of the tables of schema `about`. They are filled by the publisher, from the register of
files, the run and the declarations themselves.
"""

from __future__ import annotations

from pipeline.tables.declare import Column, Table

SOURCES = Table(
    schema="about",
    name="sources",
    asset="raw_files",
    description="Every file that a figure of this database is from.",
    grain="file",
    key=("origin", "file"),
    order=("publication", "release", "layout", "part", "file"),
    columns=(
        Column("file", "text", "Path below the data folder, or reference/ for tables compiled for this project."),
        Column("origin", "text", "Where it lay.", allowed=("data_folder", "project")),
        Column("publisher", "text", "Who published it."),
        Column("publication", "text", "Publication that it belongs to."),
        Column("title", "text", "Title of the publication."),
        Column("layout", "text", "Published layout that it was recognised as."),
        Column("release", "integer", "Release: reporting year, or newest mid-year of populations.", nullable=True),
        Column("part", "text", "Part of the release, where it has several files."),
        Column("licence", "text", "Licence of the data."),
        Column("url", "text", "Address that it was fetched from; missing for files put there by hand.", nullable=True),
        Column("retrieved", "text", "When it was registered; missing for folders read directly.", nullable=True),
        Column("sha256", "text", "sha256 of its bytes."),
        Column("bytes", "integer", "Its size.", "bytes"),
        Column("corrections", "text", "Entries of the corrections table that applied to it."),
    ),
)

FILES_NOT_USED = Table(
    schema="about",
    name="files_not_used",
    asset="raw_files_not_used",
    description="Files of the data folder that took no part, with the reason.",
    grain="file",
    key=("file",),
    columns=(
        Column("file", "text", "Path below the data folder."),
        Column("reason", "text", "Why it took no part."),
    ),
)

RUN = Table(
    schema="about",
    name="run",
    description="The run that made this database.",
    grain="property of the run",
    key=("property",),
    columns=(
        Column("property", "text", "What is told."),
        Column("value", "text", "Its value."),
    ),
)

TABLES_TABLE = Table(
    schema="about",
    name="tables",
    description="Every table and view of this database.",
    grain="table",
    key=("schema_name", "table_name"),
    columns=(
        Column("schema_name", "text", "Schema."),
        Column("table_name", "text", "Table or view."),
        Column("kind", "text", "Table or view.", allowed=("table", "view")),
        Column("row_count", "integer", "Rows."),
        Column("grain", "text", "What one row is."),
        Column("key_columns", "text", "Columns that identify a row."),
        Column("description", "text", "Meaning and warnings."),
    ),
)

COLUMNS_TABLE = Table(
    schema="about",
    name="columns",
    description="Every column of this database.",
    grain="column",
    key=("schema_name", "table_name", "column_name"),
    order=("schema_name", "table_name", "position"),
    columns=(
        Column("schema_name", "text", "Schema."),
        Column("table_name", "text", "Table or view."),
        Column("column_name", "text", "Column."),
        Column("position", "integer", "Its place in the table, from 1."),
        Column("kind", "text", "Type of the values."),
        Column("unit", "text", "Unit.", nullable=True),
        Column("may_be_missing", "boolean", "Whether a value may be missing."),
        Column("allowed_values", "text", "The only values there may be.", nullable=True),
        Column("description", "text", "Meaning."),
    ),
)

LINEAGE = Table(
    schema="about",
    name="lineage",
    description="Which publications a table rests on, by the graph that made it; about.sources has their files.",
    grain="table and publication",
    key=("schema_name", "table_name", "publication"),
    warnings=(
        "A row of core names its own file in source_sha256. A row of main is made from the rows of core of its authorities "
        "and years, and from no file of a publication that is not listed here.",
    ),
    columns=(
        Column("schema_name", "text", "Schema."),
        Column("table_name", "text", "Table or view."),
        Column("publication", "text", "Publication, as in about.sources."),
    ),
)

CAVEATS = Table(
    schema="about",
    name="caveats",
    description="What has to be said with the figures: sentences for everything, and the warnings of each table.",
    grain="what it applies to, and sentence",
    key=("applies_to", "position"),
    columns=(
        Column("applies_to", "text", "all, trend (changes over time), models (regressions), or a table."),
        Column("position", "integer", "Order of the sentences, from 1."),
        Column("caveat", "text", "The sentence."),
    ),
)

TABLES = (SOURCES, FILES_NOT_USED, RUN, TABLES_TABLE, COLUMNS_TABLE, LINEAGE, CAVEATS)
