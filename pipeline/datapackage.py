"""`datapackage.json`: what a release holds, in the words of the Frictionless Data Package.

What belongs here: declared tables as a descriptor that tools read (specs.frictionlessdata.io, version 1). What does not:
writing the files it describes (`release_folder`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.database import Record
from pipeline.tables.declare import Column, Table

FILE = "datapackage.json"
_TYPES = {
    "text": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "datetime",
}
_LICENCE = {
    "name": "OGL-UK-3.0",
    "title": "Open Government Licence v3.0",
    "path": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
}


@dataclass(frozen=True)
class DataFile:
    """One file of the release: path below its folder, size in bytes, sha256."""

    path: str
    bytes: int
    sha256: str


def descriptor(
    release: str,
    run: Mapping[str, str],
    sources: list[Record],
    database: DataFile,
    tables: list[tuple[Table, DataFile]],
    comment_prefix: str = "",
) -> dict[str, Any]:
    """The descriptor of a release from `about.run`, `about.sources`, its database and the Parquet file of each table."""
    country = run.get("country", "England")
    package: dict[str, Any] = {
        "profile": "data-package",
        "name": "care-numbers",
        "id": f"care-numbers-{release}",
        "title": f"{comment_prefix}Children looked after in {country}: five-year changes by local authority",
        "description": f"{comment_prefix}Release {release} of care-numbers: a DuckDB file, and its tables as Parquet.",
        "version": release,
        "licenses": [_LICENCE],
        "sources": [_source(source) for source in sources],
        "resources": [
            _database_resource(database),
            *(_table_resource(table, file, comment_prefix) for table, file in tables),
        ],
    }
    if "published_at" in run:
        package["created"] = run["published_at"]
    return package


def _source(source: Record) -> dict[str, Any]:
    title = f"{source['publisher']}: {source['title']} ({source['file']})"
    told = {"title": title, "sha256": source["sha256"], "bytes": source["bytes"]}
    return told | ({"path": source["url"]} if source["url"] else {})


def _database_resource(file: DataFile) -> dict[str, Any]:
    return {
        "name": "care-numbers-duckdb",
        "path": file.path,
        "format": "duckdb",
        "mediatype": "application/vnd.duckdb",
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
        "sha256": file.sha256,
    }


def _table_resource(table: Table, file: DataFile, comment_prefix: str) -> dict[str, Any]:
    return {
        "name": table.full_name,
        "type": "table",
        "path": file.path,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        # Not as "bytes" and "hash": the tools count them while reading text, so for Parquet they find none and object.
        "sha256": file.sha256,
        "title": table.full_name,
        "description": comment_prefix + table.comment,
        "schema": {
            "fields": [_field(column) for column in table.columns],
            "primaryKey": list(table.key),
            "missingValues": [],  # Parquet knows a missing value from an empty text
        },
    }


def _field(column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "type": _TYPES[column.kind], "description": column.comment}
    constraints: dict[str, Any] = {} if column.nullable else {"required": True}
    if column.allowed:
        constraints["enum"] = list(column.allowed)
    if constraints:
        field["constraints"] = constraints
    return field | ({"unit": column.unit} if column.unit else {})
