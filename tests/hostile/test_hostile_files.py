"""Files that claim, swell or loop are refused in bounded memory and time, each with a code and a sentence.

What belongs here: single files, read in a process that may take 1.5 GB (`bounded`). What does not: folders and their links
(`test_hostile_folders`) and whole runs (`test_hostile_run`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline import settings
from pipeline.errors import Refusal
from pipeline.readers import archives, guarded, text_table, workbook
from tests.hostile import making as make
from tests.hostile.bounded import Ending, read_bounded

GOOD_XLS = make.xls(make.xls_dimensions(1, 1) + make.xls_number(0, 0))
LAUGHS = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))
ENTITIES = f'<!DOCTYPE s [<!ENTITY l0 "lol">{LAUGHS}]>'
LAUGHING = '<row r="1"><c r="A1" t="inlineStr"><is><t>&l9;</t></is></c></row>'
SPACES = (
    '<table:table-cell office:value-type="string"><text:p><text:s text:c="2000000000"/></text:p></table:table-cell>'
)

# What it is -> how it is made, and how reading it ends. Each has a few kilobytes at most, but for the three swelling ones.
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "one cell at the end of the sheet.xlsx": (lambda: make.xlsx(make.xlsx_cell("XFD1048576")), "too_large"),
    "two corners.xlsx": (lambda: make.xlsx(make.xlsx_cell("A1") + make.xlsx_cell("XFD1048576")), "too_large"),
    "a cell beyond any sheet.xlsx": (
        lambda: make.xlsx(make.xlsx_cell("A1") + make.xlsx_cell("ZZZZZZ4294967295")),
        "damaged_workbook",
    ),
    "claimed dimensions alone.xlsx": (lambda: make.xlsx(make.xlsx_cell("A1"), claimed="A1:XFD1048576"), "read"),
    "a thousand million laughs.xlsx": (lambda: make.xlsx(LAUGHING, before=ENTITIES), "damaged_workbook"),
    "swelling.xlsx": (lambda: make.zeros(300), "too_large"),
    "swelling and denying it.xlsx": (
        lambda: make.with_claimed_size(make.zeros(300), "xl/media/image1.png", 10),
        "too_large",
    ),
    "claiming 4 GB.xlsx": (
        lambda: make.with_claimed_size(make.xlsx(make.xlsx_cell("A1")), make.SHEET_PART, 4_000_000_000),
        "too_large",
    ),
    "an archive in an archive.xlsx": (lambda: make.zipped({"inner.xlsx": make.zeros(1)}), "damaged_workbook"),
    "two thousand members.xlsx": (
        lambda: make.xlsx(make.xlsx_cell("A1"), **{f"xl/{at}.xml": "" for at in range(2000)}),
        "too_large",
    ),
    "a member twice.xlsx": (lambda: make.twice_named(make.xlsx(make.xlsx_cell("A1"))), "damaged_workbook"),
    "a thousand million columns.ods": (
        lambda: make.ods(make.ods_row(make.ods_cell(times=1_000_000_000))),
        "too_large",
    ),
    "a million rows of five.ods": (
        lambda: make.ods(make.ods_row(make.ods_cell(times=5), times=1_048_576)),
        "too_large",
    ),
    "rows with a gap of sixteen thousand.ods": (
        lambda: make.ods(make.ods_row(make.ods_cell(), make.ods_cell("", 16_000), make.ods_cell()) * 2000),
        "too_large",
    ),
    "spaces without end.ods": (lambda: make.ods(make.ods_row(SPACES)), "too_large"),
    "dimensions of 2 to the 48.xls": (
        lambda: make.xls(make.xls_dimensions(0xFFFFFFFF, 0xFFFF) + make.xls_number(0, 0)),
        "too_large",
    ),
    "dimensions that end before they begin.xls": (
        lambda: make.xls(make.record(0x0200, struct.pack("<IIHHH", 10, 1, 5, 1, 0)) + make.xls_number(0, 0)),
        "too_large",
    ),
    "two corners.xls": (lambda: make.xls(make.xls_number(0, 0) + make.xls_number(65535, 65535)), "too_large"),
    "many sheets of two corners.xls": (
        lambda: make.xls(make.xls_number(0, 0) + make.xls_number(65535, 255), sheets=20),
        "too_large",
    ),
    "many sheets.xls": (lambda: make.xls(make.xls_number(0, 0), sheets=101), "too_large"),
    "a loop of sectors.xls": (lambda: make.with_fat(GOOD_XLS, 4, 2), "read"),
    "a sector beyond the file.xls": (lambda: make.with_fat(GOOD_XLS, 4, 0x10000000), "damaged_workbook"),
    "a record that ends early.xls": (
        lambda: make.xls(make.xls_number(0, 0) + make.record(0x00E5, b"\xff\xff")),
        "damaged_workbook",
    ),
    "six million rows.parquet": (lambda: make.parquet({"a": pa.nulls(6_000_000, pa.int8())}), "too_large"),
    "a long text often.parquet": (lambda: make.parquet({"a": make.long_text_often(4_000_000, 300_000)}), "too_large"),
    "five thousand columns.parquet": (
        lambda: make.parquet({f"c{at}": pa.array([1]) for at in range(5_001)}),
        "too_large",
    ),
    "a million columns.csv": (lambda: b"a," * 1_000_000 + b"\n", "too_large"),
    "one line of 60 MB.csv": (lambda: b"time_period" * 5_500_000, "too_large"),
    "a quote that never ends.csv": (lambda: b'a,b\n1,"' + b"xyz\n" * 5_000_000, "damaged_text"),
    "a row of quoted lines.csv": (lambda: b'a\n"\n","\n",' + b'"\n",' * 400_000, "too_large"),
    "four million blanks.csv": (lambda: (b"," * 1_999 + b"\n") * 2_001, "too_large"),
    "zeros.csv": (lambda: b"a,b\n1,\x00\n", "not_text"),
}


@pytest.fixture(scope="module")
def endings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ending]:
    folder = tmp_path_factory.mktemp("hostile_files")
    for name, (made, _) in FILES.items():
        (folder / name).write_bytes(made())
    found = read_bounded([folder / name for name in FILES])
    for name in FILES:
        (folder / name).unlink()
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_ends_in_a_sentence(endings: dict[str, Ending], name: str) -> None:
    ending = endings[name]
    assert ending.code == FILES[name][1], ending
    assert ending.seconds < 20
    if ending.code != "read":
        assert ending.sentence.startswith(f"{name}, row ") or ending.sentence.startswith(f"{name}: ")
        assert len(ending.sentence) < 2_500


def test_a_sheet_too_large_is_not_even_handed_over(endings: dict[str, Ending]) -> None:
    """The process that opened it says how large it is, before it makes texts of its cells."""
    assert "1,048,576 rows of 5 columns" in endings["a million rows of five.ods"].sentence


def test_a_row_of_too_many_cells_is_refused_for_them(endings: dict[str, Ending]) -> None:
    assert "row 1 has" in endings["a million columns.csv"].sentence


def test_the_hand_made_workbooks_are_good() -> None:
    """A hostile one proves nothing if the form that it is made in cannot be read at all."""
    for content in (make.xlsx(make.xlsx_cell("B2", 7)), make.ods(make.ods_row(make.ods_cell("seven"))), GOOD_XLS):
        book = workbook.Workbook(content, "good")
        assert len(book.names) == 1
        assert book.rows(book.names[0])[-1][-1] in ("7", "seven", "1")


# ---------------------------------------------------------------------------------------------------------------------
# The process that opens workbooks


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Other limits for the rest of the test; the process is started anew with them."""

    def limit(**limits: int) -> None:
        usual = settings.load()
        smaller = replace(usual, files=replace(usual.files, **limits))
        monkeypatch.setattr(settings, "load", lambda: smaller)
        guarded.close()

    yield limit
    guarded.close()


def test_the_next_file_is_read_after_one_that_ended_the_process() -> None:
    """And an open workbook goes on being read when another was opened in between."""
    good = workbook.Workbook(make.xlsx(make.xlsx_cell("A1", 5)), "good.xlsx")
    with pytest.raises(Refusal):
        workbook.Workbook(make.xls(make.xls_dimensions(0xFFFFFFFF, 0xFFFF)), "bad.xls")
    assert good.rows("S") == [["5"]]


def test_a_file_that_takes_too_long_is_refused(small_limits: Callable[..., None]) -> None:
    """A second of computing is all that this one has, and 60 million cells of text take longer; memory does not end it."""
    small_limits(reader_seconds=1, cells=10**9, columns=10**6, reader_memory_bytes=64 * 2**30)
    with pytest.raises(Refusal, match="takes more than 1 seconds") as caught:
        workbook.Workbook(make.ods(make.ods_row(make.ods_cell(times=60), times=1_000_000)), "slow.ods").rows("S")
    assert caught.value.code == "too_large"


def test_sheets_are_counted_together(small_limits: Callable[..., None]) -> None:
    small_limits(cells=10)
    book = workbook.Workbook(make.xls(make.xls_number(0, 3), sheets=3), "three.xls")
    book.rows("S0"), book.rows("S1")
    with pytest.raises(Refusal, match="together"):
        book.rows("S2")


def test_the_process_cannot_write_and_knows_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file larger than nothing cannot be written by it, and its environment says where Python is and no more."""
    monkeypatch.setenv("CARE_NUMBERS_WEBHOOK", "https://example.org/canary")
    guarded.close()
    workbook.Workbook(make.xlsx(make.xlsx_cell("A1")), "good.xlsx")
    process = guarded._current._process.pid  # type: ignore[union-attr]
    limits = Path(f"/proc/{process}/limits").read_text(encoding="utf-8")
    assert [line.split()[3] for line in limits.splitlines() if line.startswith("Max file size")] == ["0"]
    assert "canary" not in Path(f"/proc/{process}/environ").read_text(encoding="utf-8")


# ---------------------------------------------------------------------------------------------------------------------
# Limits


def test_the_limits_are_those_that_the_published_files_need() -> None:
    """Measured on the published files: 3.9 MB, 40 MB unpacked, 45 members, 16 sheets, 497 columns, 376,334 cells."""
    files = settings.load().files
    assert files.largest_bytes >= 10 * 3_856_731
    assert files.unpacked_bytes >= 5 * 39_959_905
    assert (files.members, files.sheets, files.columns) >= (450, 96, 4_970)
    assert files.cells >= 10 * 376_334
    assert files.parquet_rows >= 7 * 641_070


def test_counting_stops_at_the_limit(small_limits: Callable[..., None]) -> None:
    small_limits(unpacked_bytes=100_000)
    with pytest.raises(Refusal, match="unpacked it is more than"):
        archives.refuse_swollen(make.with_claimed_size(make.zeros(5), "xl/media/image1.png", 10), "liar.xlsx")


def test_a_member_that_is_cut_short_is_damage() -> None:
    content = make.zipped({"a.txt": b"abc" * 1000})
    at = content.index(b"PK\x01\x02")
    shorter = content[: at + 20] + struct.pack("<I", 4) + content[at + 24 :]
    with pytest.raises(archives.BadArchive, match="cut short"):
        archives.refuse_swollen(shorter, "cut.zip")


def test_a_header_without_end_does_not_make_a_sentence_without_end() -> None:
    table = text_table.read(
        ("name of a column," * 4_999 + "x\n1" + "," * 4_999 + "\n").encode(),
        "wide.csv",
        repeating=frozenset({"name of a column"}),
    )
    with pytest.raises(Refusal) as caught:
        table.column("not there")
    assert len(caught.value.sentence()) < 2_500
