"""Looking for a word in everything that a run leaves behind, packed and compressed files included.

What belongs here: turning files and databases into text that can be searched. What does not: which words (the test modules).
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow.parquet as pq


def found_in(folder: Path, words: Mapping[str, str]) -> list[str]:
    """`file: name of the word` for every word that is in a file below a folder or in a file's name."""
    found = []
    for path in sorted(folder.rglob("*")):
        texts = [path.name.encode()]
        if path.is_file() and not path.is_symlink():
            texts += contents(path)
        found += [f"{path.relative_to(folder)}: {name}" for name in in_texts(texts, words)]
    return found


def in_texts(texts: list[bytes], words: Mapping[str, str]) -> list[str]:
    """The names of the words that are in one of the texts."""
    return sorted(name for name, word in words.items() if any(word.encode() in text for text in texts))


def contents(path: Path) -> list[bytes]:
    """The bytes of a file, and what they unfold to."""
    raw = path.read_bytes()
    return [raw, *_unfolded(path, raw)]


def _unfolded(path: Path, raw: bytes) -> Iterator[bytes]:
    if raw.startswith(b"\x1f\x8b"):
        yield gzip.decompress(raw)
    elif raw.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    elif raw.startswith(b"PAR1"):
        yield from _of_parquet(path)
    elif raw[8:12] == b"DUCK":
        yield from of_duckdb(path)
    elif raw.startswith(b"\x89PNG"):
        yield from _of_png(raw)


def _of_parquet(path: Path) -> Iterator[bytes]:
    table = pq.read_table(path)
    yield str(table.schema).encode()
    for column in table.columns:
        yield "\n".join(map(str, column.unique().to_pylist())).encode()


def of_duckdb(path: Path) -> Iterator[bytes]:
    """Every text of every table, which the file itself may hold in pieces."""
    with duckdb.connect(str(path), read_only=True) as connection:
        columns = connection.execute(
            "SELECT schema_name, table_name, column_name, comment FROM duckdb_columns()"
            " WHERE NOT internal AND data_type = 'VARCHAR'"
        ).fetchall()
        assert columns
        for schema, table, column, comment in columns:
            yield str(comment).encode()
            rows = connection.execute(f'SELECT DISTINCT "{column}" FROM "{schema}"."{table}"').fetchall()
            yield "\n".join(str(row[0]) for row in rows).encode()


def _of_png(raw: bytes) -> Iterator[bytes]:
    """The texts of a picture, which may be compressed."""
    at = 8
    while at < len(raw):
        length, kind = int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + 8]
        if kind in (b"zTXt", b"iTXt"):
            _, _, packed = raw[at + 8 : at + 8 + length].partition(b"\x00")
            yield zlib.decompress(packed[1:]) if kind == b"zTXt" else packed
        at += 12 + length
