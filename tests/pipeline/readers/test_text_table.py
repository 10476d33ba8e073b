"""Delimited text: encodings, quoting, row numbers and the opening rows."""

from __future__ import annotations

import pytest

from pipeline.errors import Refusal
from pipeline.readers import text_table
from tests.fixtures.small_tables import as_bytes


def test_a_quoted_name_keeps_its_comma() -> None:
    table = text_table.read(b'code,name\n701,"Kings Ferry, City of"\n', "areas.csv")
    assert table.rows == [["701", "Kings Ferry, City of"]]


def test_utf_8_with_a_mark_without_one_and_windows_1252_are_the_same_text() -> None:
    text = "code,name\n701,Child’s Ferry\n"
    contents = [text.encode("utf-8"), text.encode("utf-8-sig"), text.encode("cp1252")]
    tables = [text_table.read(content, "areas.csv") for content in contents]
    assert {table.rows[0][1] for table in tables} == {"Child’s Ferry"}
    assert {table.header[0] for table in tables} == {"code"}


def test_line_ends_that_a_program_doubled_are_line_ends() -> None:
    """CR CR LF is what is left of CR LF where a program took it for LF; a blank line after each would move the header."""
    table = text_table.read(b"title\r\r\ncode,name\r\r\n701,a\r\r\n", "areas.csv", header_row=2)
    assert (table.header, table.rows, table.row_numbers) == (["code", "name"], [["701", "a"]], [3])


def test_rows_keep_the_numbers_a_spreadsheet_shows() -> None:
    """Blank lines are counted and skipped; a name over two lines ends on the second."""
    table = text_table.read(b'code,name\n\n701,a\n,\n702,"b\nb"\n703,c\n', "areas.csv")
    assert dict(zip(table.row_numbers, [line[0] for line in table.rows], strict=True)) == {3: "701", 6: "702", 7: "703"}


def test_a_header_may_stand_below_title_lines() -> None:
    table = text_table.read(b"Title\n\ncode,name\n701,a\n", "areas.csv", header_row=3)
    assert (table.header, table.row_numbers) == (["code", "name"], [4])
    assert table.preamble == [["Title"], []]
    with pytest.raises(Refusal) as caught:
        table.column("region")
    assert caught.value.row == 3


def test_a_file_that_ends_before_its_header_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        text_table.read(b"Title\n", "areas.csv", header_row=3)
    assert caught.value.code == "no_header"


@pytest.mark.parametrize("content", [b'code,name\n701,"Kings Fer', b'code,name\n701,"Kings" Ferry\n'])
def test_text_that_cannot_be_split_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        text_table.read(content, "areas.csv")
    assert (caught.value.code, caught.value.row) == ("damaged_text", 2)


def test_damage_does_not_hide_what_the_file_is() -> None:
    """The opening shows the rows before the damage, so that the file is recognised and then refused by `read`."""
    content = b'code,name\n701,a\n702,"Kings Fer'
    assert text_table.opening(content, "areas.csv", 7) == [["code", "name"], ["701", "a"]]


def test_the_opening_of_a_long_file_ends_with_a_whole_row() -> None:
    rows = [["code", "name"], *([str(number), "é" * 40] for number in range(2000))]
    content = as_bytes(rows)
    assert len(content) > 65536
    shown = text_table.opening(content, "areas.csv", 2000)
    assert shown == rows[: len(shown)]
    assert len(shown) > 500


def test_the_opening_of_a_short_file_is_the_file() -> None:
    assert text_table.opening(b"code,name", "areas.csv", 7) == [["code", "name"]]
