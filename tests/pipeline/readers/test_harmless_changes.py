"""What changes nothing in a table's meaning changes nothing in its figures: codebases.md section 6, trap 11.

Line ends, byte order mark, order of columns and rows, blank trailing columns, blank lines and quoting, for every layout.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.readers import layouts
from pipeline.readers.layout import LOOKED_AFTER, NATIONAL_SERIES, POPULATION, Edition, SourceFile
from tests.fixtures import small_tables as small
from tests.fixtures.readings import Readings
from tests.fixtures.small_tables import SAMPLES, Sample, Table
from tests.published_files import published

Change = Callable[[Table, int], bytes]  # rows and the row of the header, to the bytes of a file


def reordered(table: Table, header_row: int, order: Callable[[list[int]], list[int]]) -> Table:
    """Header and body with their columns in another order, unnamed ones included; title lines stay."""
    columns = order(list(range(len(table[header_row - 1]))))
    return [
        line if number < header_row or not line else [line[at] for at in columns]
        for number, line in enumerate(table, start=1)
    ]


def with_trailing_columns(table: Table, header_row: int) -> Table:
    return [line if number < header_row or not line else [*line, "", ""] for number, line in enumerate(table, start=1)]


def with_rows_reversed(table: Table, header_row: int) -> Table:
    return [*table[:header_row], *reversed(table[header_row:])]


def all_quoted(table: Table) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(table)
    return text.getvalue().encode()


def mixed_line_ends(table: Table) -> bytes:
    lines = small.as_bytes(table).split(b"\n")
    return b"".join(line + (b"\r\n" if number % 2 else b"\n") for number, line in enumerate(lines[:-1]))


CHANGES: dict[str, Change] = {
    "CRLF": lambda table, header_row: small.as_bytes(table, line_end="\r\n"),
    "mixed line ends": lambda table, header_row: mixed_line_ends(table),
    "byte order mark": lambda table, header_row: small.as_bytes(table, byte_order_mark=True),
    "mark and CRLF": lambda table, header_row: small.as_bytes(table, line_end="\r\n", byte_order_mark=True),
    "no last line end": lambda table, header_row: small.as_bytes(table).rstrip(b"\n"),
    "columns reversed": lambda table, header_row: small.as_bytes(
        reordered(table, header_row, lambda columns: columns[::-1])
    ),
    "columns turned": lambda table, header_row: small.as_bytes(
        reordered(table, header_row, lambda columns: [*columns[2:], *columns[:2]])
    ),
    "blank trailing columns": lambda table, header_row: small.as_bytes(with_trailing_columns(table, header_row)),
    "rows reversed": lambda table, header_row: small.as_bytes(with_rows_reversed(table, header_row)),
    "blank lines": lambda table, header_row: small.as_bytes(
        [*table[:header_row], [], *table[header_row:], [], ["  "], []]
    ),
    "all quoted": lambda table, header_row: all_quoted(table),
}


def everything_at_once(table: Table, header_row: int) -> bytes:
    """All of them together."""
    changed = with_rows_reversed(table, header_row)
    changed = with_trailing_columns(reordered(changed, header_row, lambda columns: columns[::-1]), header_row)
    return small.as_bytes(changed, line_end="\r\n", byte_order_mark=True)


CHANGES["everything at once"] = everything_at_once


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
def test_the_figures_stay(sample: Sample, change: Change) -> None:
    edition, plain = small.read_sample(sample)
    changed_edition, changed = small.read(change(sample.table, sample.header_row), sample.file)
    assert changed_edition == edition
    assert small.figures(changed) == small.figures(plain)


def test_the_comparison_sees_a_figure_that_moves() -> None:
    """Equal figures must mean equal figures: one count more, and they differ."""
    sample = SAMPLES["CLA"]
    _, plain = small.read_sample(sample)
    _, other = small.read_sample(sample.with_cell(4, sample.count_column, "613"))
    assert small.figures(plain) != small.figures(other)


def test_a_file_name_changes_nothing_but_the_undated_ones() -> None:
    for sample in SAMPLES.values():
        if sample is not SAMPLES["CEA"]:
            edition, _ = small.read_sample(sample)
            assert small.read_sample(replace(sample, file="download (3).txt"))[0] == edition


@published
@pytest.mark.parametrize("publication", [LOOKED_AFTER, NATIONAL_SERIES, POPULATION])
def test_the_figures_of_published_files_stay(real: Readings, publication: str) -> None:
    """Every published file with everything changed at once."""
    tidy = {LOOKED_AFTER: real.looked_after, NATIONAL_SERIES: real.series, POPULATION: real.population}[publication]
    files = [file for file in real.register.files if file.publication == publication]
    assert files
    for file in files:
        header_row = 7 if file.layout == "population_age_bands" else 1
        content = everything_at_once(small.table_of(real.bytes_of(file)), header_row)
        source = SourceFile(file.file, content, file.sha256)
        layout = layouts.BY_NAME[file.layout]
        assert small.layout_of_bytes(content, file.file) == file.layout
        edition = layout.edition(source, real.knowledge)
        assert (edition.release, edition.part, ",".join(edition.corrections)) == (
            file.release, file.part, file.corrections,
        )  # fmt: skip
        changed = layout.read(source, Edition(edition.release, edition.part, edition.corrections), real.knowledge)
        assert small.figures(changed) == small.figures(tidy.loc[tidy["source_file"] == file.file])
