"""What holds for every reader whatever stands in a file: figures come back as they went in, and nothing crashes.

Each property is drawn by hypothesis on a small fictional file of each layout. `make fuzz` draws more examples.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import markers
from pipeline.errors import Refusal
from tests.fixtures import small_tables as small
from tests.fixtures.small_tables import SAMPLES, Sample, as_bytes
from tests.fuzz.documents import TEXT, as_text
from tests.fuzz.small_files import SMALL_FILES, SmallFile, figures

each_file = pytest.mark.parametrize("file", SMALL_FILES.values(), ids=SMALL_FILES.keys())
each_text = pytest.mark.parametrize(
    "file", [one for one in SMALL_FILES.values() if one.kind == TEXT], ids=lambda one: one.name
)
each_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())

ODD = (
    "", " ", "0", "00", "-1", "+1", "1.", ".5", "1,234", "1 234", "1_000", "1e5", "1e999", "-0", "0x10", "inf", "nan",
    "²", "¼", "١٢", "１２", "−5", "x", "c", "..", "#VALUE!", "TRUE", "None", "2016", "2999", "31/03/2016", "2016-02-30",
    "=1+1", "'12", '"', "\n", "\x00", "\ufeff", "[x]", "701", "999", "Q06000001", "E92000001", "é", "9" * 400,
)  # fmt: skip
anything = st.one_of(st.sampled_from(ODD), st.text(max_size=12))


def release_of(sample: Sample) -> int:
    return small.read_sample(sample)[0].release


@each_sample
@given(data=st.data())
def test_counts_and_markers_come_back_as_they_went_in(sample: Sample, data: st.DataObject) -> None:
    """In every cell of the headline column at once; England's is left, for some files are told their year by it."""
    known = sorted(
        markers.symbols(max(release_of(sample), 2018) if sample.name == "population_dfe" else release_of(sample))
    )
    cells = st.one_of(st.integers(0, 2_000_000).map(str), st.sampled_from(known))
    at = sample.at(sample.count_column)
    rows = [row for row, line in enumerate(sample.table) if row >= sample.header_row and line]
    own = [row for row in rows if "National" not in sample.table[row] and "NATIONAL" not in sample.table[row]] or rows
    table = [list(line) for line in sample.table]
    put = {row + 1: data.draw(cells, label=f"row {row + 1}") for row in own}
    for row, text in put.items():
        table[row - 1][at] = text
    _, frame = small.read(as_bytes(table), sample.file)
    found = {
        cell.source_row: str(cell.value) if cell.marker is None or cell.marker != cell.marker else cell.marker
        for cell in frame.astype(object).where(frame.notna(), None).itertuples()
        if cell.source_column == sample.count_column and cell.source_row in put
    }
    assert found and found == {row: text for row, text in put.items() if row in found}
    assert len(found) >= len(put) - 1  # the age bands have a row of an area abroad


@each_file
@given(data=st.data())
def test_anything_in_any_cell_is_read_or_refused(file: SmallFile, data: st.DataObject) -> None:
    """A crash would be a night without a sentence: a file with another text in one cell is read, unknown or refused."""
    row = data.draw(st.integers(0, len(file.rows) - 1), label="row")
    column = data.draw(st.integers(0, max(len(file.rows[file.header_at]) - 1, 0)), label="column")
    rows = [list(line) for line in file.rows]
    rows[row] += [""] * (column + 1 - len(rows[row]))
    rows[row][column] = data.draw(anything, label="text")
    try:
        file.read(rows)
    except Refusal as refusal:
        assert refusal.code and refusal.remedy


@each_file
@given(data=st.data())
def test_bytes_that_were_cut_or_changed_are_read_or_refused(file: SmallFile, data: st.DataObject) -> None:
    content = bytearray(file.content(file.rows))
    for _ in range(data.draw(st.integers(0, 4), label="changes")):
        content[data.draw(st.integers(0, len(content) - 1), label="at")] = data.draw(st.integers(0, 255), label="byte")
    kept = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))), label="kept")
    try:
        file.read(content=bytes(content[:kept]))
    except Refusal as refusal:
        assert refusal.code and refusal.remedy


def columns_in(file: SmallFile, order: list[int]) -> list[list[object]]:
    """The rows with their columns in another order; titles above them stay."""
    return [
        line
        if number < file.header_at or not line
        else [line[at] if at < len(line) else "" for at in order if at < max(len(line), len(order))]
        for number, line in enumerate(file.rows)
    ]


NEIGHBOURS_BY_PLACE = "neighbour groupings"  # its closeness belongs to the column on its left


@pytest.mark.parametrize(
    "file", [one for one in SMALL_FILES.values() if one.kind == TEXT and one.name != NEIGHBOURS_BY_PLACE],
    ids=lambda one: one.name,
)  # fmt: skip
@given(data=st.data())
def test_the_order_of_columns_and_rows_the_line_ends_and_the_mark_say_nothing(
    file: SmallFile, data: st.DataObject
) -> None:
    width = len(file.rows[file.header_at])
    rows = columns_in(file, data.draw(st.permutations(range(width)), label="columns"))
    above, body = rows[: file.header_at + 1], [line for line in rows[file.header_at + 1 :] if line]
    body = list(data.draw(st.permutations(body), label="rows"))
    for place in data.draw(st.lists(st.integers(0, len(body)), max_size=3), label="blank lines"):
        body.insert(place, data.draw(st.sampled_from([[], [""] * width])))
    if data.draw(st.booleans(), label="blank column"):
        above[-1] = [*above[-1], ""]
        body = [[*line, ""] if line else line for line in body]
    text = as_text([*above, *body], data.draw(st.sampled_from(["\n", "\r\n", "\r", "\r\r\n"]), label="line end"))
    content = text.encode(data.draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]), label="encoding"))
    frame, expected = file.read(content=content), file.read()
    assert frame is not None and expected is not None
    assert figures(frame) == figures(expected)


@each_file
def test_the_small_files_are_good(file: SmallFile) -> None:
    """Else all that is proved here would be that they are refused."""
    frame = file.read()
    assert frame is not None and len(frame) >= 3
