"""The lists of statistical neighbours: both forms, the workbook, how an edition is known, and what is refused.

Fictional lists of twelve authorities; the published ones by the README of the geography files ("statistical neighbours").
"""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
import xlsxwriter

from pipeline import sources
from pipeline.area_names import AreaNames, NamedArea
from pipeline.errors import Refusal
from pipeline.readers import layouts, opening
from pipeline.readers.layout import STATISTICAL_NEIGHBOURS, Edition, Knowledge, SourceFile
from tests.fixtures.readings import Readings
from tests.fixtures.small_tables import Table, as_bytes
from tests.published_files import published

CODES = [str(code) for code in range(701, 713)]
NAMES = {code: f"Sarnton {letter}" for code, letter in zip(CODES, "ABCDEFGHIJKL", strict=True)}
ENDED = "712"
# The ten that follow in the circle of codes; a test that needs other lists turns them round.
LISTS = {code: [CODES[(at + step) % 12] for step in range(1, 11)] for at, code in enumerate(CODES)}
WORDS = ["Extremely Close", "Very Close", "Very Close", "Close", "Close", "Close", "Somewhat close", "Somewhat close",
         "Not Close", "Not Close"]  # fmt: skip
EDITION = "2031-04"
KNOWLEDGE = Knowledge(
    la_codes=frozenset(CODES),
    names=AreaNames(tuple(NamedArea(code, name) for code, name in NAMES.items()), {"Sarnton L (old)": ENDED}),
    neighbour_editions={
        ("701", tuple(LISTS["701"])): EDITION,
        ("701", tuple(reversed(LISTS["701"]))): "2035-05",
    },
)
Read = tuple[Edition, pd.DataFrame]


def pairs(code: str) -> list[str]:
    return [cell for pair in zip(LISTS[code], WORDS, strict=True) for cell in pair]


def groupings(codes: list[str] = CODES) -> Table:
    """As in the groupings: the closeness has one heading ten times, and a column without any heading ends the row."""
    header = ["LA num", "LA Name", "LA number", "GOInd", "GOReg"]
    header += [name for position in range(1, 11) for name in (f"SN{position}", "SNP")] + [""]
    return [header, *([code, NAMES[code], code, "1", "North Sarn", *pairs(code), ""] for code in codes)]


def model(codes: list[str] = CODES) -> Table:
    """As in the newer model: every heading once, words in other initials and with blanks after them."""
    header = ["old_la_code", "la_name", "region_ind", "region_name"]
    header += [name for position in range(1, 11) for name in (f"SN_{position}", f"SN_{position}P")]
    rows = [[code, NAMES[code], "1", "North Sarn", *pairs(code)] for code in codes]
    words = {
        "Extremely Close": "Extremely close",
        "Very Close": "Very close",
        "Close": "Close ",
        "Not Close": "Not close",
    }
    return [header, *([words.get(cell, cell) for cell in row] for row in rows)]


def workbook(*sheets: tuple[str, Table]) -> bytes:
    """Codes as numbers, as in the published workbooks."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    for name, rows in sheets:
        sheet = book.add_worksheet(name)
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, [int(cell) if cell.isdigit() else cell for cell in row])
    book.close()
    return content.getvalue()


TITLES: Table = [["A", "B", "C", "D", "E", "3"], ["1", "2", "3", "4", "5", "6"]]


def tool(rows: Table | None = None, titles: Table = TITLES, name: str = "LA SN Groups") -> bytes:
    return workbook((name, [*titles, *(rows or groupings())]))


def read(content: bytes, file: str = "neighbours.csv", knowledge: Knowledge = KNOWLEDGE) -> Read:
    layout = layouts.recognise(opening.of(content, file))
    assert layout is not None, "no layout knows the file"
    assert layout.publication == STATISTICAL_NEIGHBOURS
    source = SourceFile(file, content, hashlib.sha256(content).hexdigest())
    edition = layout.edition(source, knowledge)
    return edition, layout.read(source, edition, knowledge)


def told(frame: pd.DataFrame) -> set[tuple[object, ...]]:
    """What the lists say, without where they say it and in which initials."""
    return {
        (row.la_code, row.position, row.neighbour_code, row.closeness.lower(), row.is_old_list)
        for row in frame.itertuples()
    }


FORMS: dict[str, Callable[[], bytes]] = {
    "groupings": lambda: as_bytes(groupings()),
    "model": lambda: as_bytes(model()),
    "tool": tool,
}
ALL = {
    (code, position, neighbour, word.lower(), False)
    for code in CODES
    for position, (neighbour, word) in enumerate(zip(LISTS[code], WORDS, strict=True), start=1)
}
each_form = pytest.mark.parametrize("content", [make() for make in FORMS.values()], ids=FORMS.keys())


# ---------------------------------------------------------------------------------------------------------------------
# Reading


@each_form
def test_every_form_gives_the_same_lists(content: bytes) -> None:
    edition, frame = read(content)
    assert edition == Edition(release=2031, part=EDITION)
    assert told(frame) == ALL
    assert set(frame["edition"]) == {EDITION}
    assert frame.notna().all(axis=None)


def test_words_are_kept_and_blanks_after_them_are_not() -> None:
    _, frame = read(as_bytes(model()))
    assert set(frame["closeness"]) == {"Extremely close", "Very close", "Close", "Somewhat close", "Not close"}
    _, frame = read(as_bytes(groupings()))
    assert set(frame["closeness"]) == {"Extremely Close", "Very Close", "Close", "Somewhat close", "Not Close"}


def test_a_record_says_where_it_stands() -> None:
    _, frame = read(tool(), "tool.xlsx")
    record = frame.loc[(frame["la_code"] == "703") & (frame["position"] == 4)].iloc[0]
    assert record["source_file"] == "tool.xlsx, sheet LA SN Groups"
    assert (record["source_row"], record["source_column"]) == (6, "SN4")  # two title rows, the header, 701, 702, 703


def test_lists_below_the_line_of_old_ones_are_marked() -> None:
    rows = groupings([code for code in CODES if code != ENDED])
    width = len(rows[0])
    old = groupings([ENDED])[1]
    old[1] = "Sarnton L (old)"
    _, frame = read(as_bytes([*rows, [""] * width, ["", "Old SNs:"] + [""] * (width - 2), [""] * width, old]))
    assert told(frame) == {(*rest, code == ENDED) for code, *rest_, _ in ALL for rest in [(code, *rest_)]}


def test_a_list_of_dashes_is_no_list() -> None:
    """The tool names authorities that are too new for an edition."""
    rows = groupings()
    rows[-1][5:25] = ["-"] * 20
    _, frame = read(as_bytes(rows))
    assert told(frame) == {record for record in ALL if record[0] != ENDED}


# ---------------------------------------------------------------------------------------------------------------------
# Harmless changes


def shuffled(rows: Table) -> Table:
    body = rows[1:]
    random.Random(20310401).shuffle(body)
    return [rows[0], *body]


def pairs_moved(rows: Table, first: int) -> Table:
    """The columns of the last neighbour in front of those of the first."""
    return [[*row[:first], *row[first + 18 : first + 20], *row[first : first + 18], *row[first + 20 :]] for row in rows]


HARMLESS = {
    "line ends": as_bytes(groupings(), line_end="\r\n"),
    "byte order mark": as_bytes(groupings(), byte_order_mark=True),
    "order of rows": as_bytes(shuffled(groupings())),
    "order of pairs": as_bytes(pairs_moved(groupings(), 5)),
    "order of columns": as_bytes([list(reversed(row)) for row in model()]),
    "a column more": as_bytes([[*row, "note" if at == 0 else "x"] for at, row in enumerate(model())]),
    "title lines": as_bytes([["Statistical neighbours"], [], *groupings()]),
    "another sheet name": tool(name="Groups 2031"),
    "header row moved up": tool(titles=[]),
    "header row moved down": tool(titles=[[], ["A title"], [], *TITLES, [], []]),
    "other sheets": workbook(("Notes", [["Read me"]]), ("LA SN Groups", groupings()), ("Codes", [["701", "702"]])),
    "spaces in headings": tool([[f" {name.replace(' ', '  ')} " for name in groupings()[0]], *groupings()[1:]]),
}


@pytest.mark.parametrize("content", HARMLESS.values(), ids=HARMLESS.keys())
def test_harmless_changes_do_no_harm(content: bytes) -> None:
    edition, frame = read(content)
    assert edition.part == EDITION
    assert told(frame) == ALL


# ---------------------------------------------------------------------------------------------------------------------
# Refusals


def refusal_of(content: bytes, knowledge: Knowledge = KNOWLEDGE) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(content, "neighbours.csv", knowledge)
    assert caught.value.remedy
    return caught.value


def spoilt(row: int, column: int, cell: str) -> Table:
    """The groupings with one cell changed; row and column count from 1 as in a spreadsheet."""
    rows = groupings()
    rows[row - 1][column - 1] = cell
    return rows


# Row 5 is the list of 704; its first neighbour stands in column 6, its third in column 10.
BAD_CELLS = {
    "unknown neighbour": (10, "799", "unknown_area", "SN3"),
    "blank neighbour": (10, "", "unknown_area", "SN3"),
    "a name for a code": (10, "Sarnton G", "unknown_area", "SN3"),
    "no neighbour there": (10, "-", "unknown_area", "SN3"),
    "its own neighbour": (10, "704", "wrong_neighbour", "SN3"),
    "a neighbour twice": (10, "705", "wrong_neighbour", "SN3"),
    "a new word": (11, "Nearly close", "unknown_word", "SNP after SN3"),
    "no word": (11, "", "unknown_word", "SNP after SN3"),
    "an unknown authority": (3, "799", "unknown_area", "LA number"),
    "no authority": (3, "", "unknown_area", "LA number"),
    "an unknown name": (2, "Farravel", "unknown_authority", "LA Name"),
    "the name of another": (2, "Sarnton E", "name_and_code_differ", "LA Name"),
}


@pytest.mark.parametrize(("column", "cell", "code", "heading"), BAD_CELLS.values(), ids=BAD_CELLS.keys())
@pytest.mark.parametrize("as_file", [as_bytes, tool], ids=["text", "workbook"])
def test_a_bad_cell_is_refused_with_its_place(
    as_file: Callable[[Table], bytes], column: int, cell: str, code: str, heading: str
) -> None:
    refusal = refusal_of(as_file(spoilt(5, column, cell)))
    is_text = as_file is as_bytes
    assert refusal.code == code
    assert refusal.file == ("neighbours.csv" if is_text else "neighbours.csv, sheet LA SN Groups")
    assert refusal.row == (5 if is_text else 5 + len(TITLES))
    assert (refusal.column, refusal.value) == (heading, cell)


def test_an_authority_that_stands_twice_is_refused() -> None:
    refusal = refusal_of(as_bytes([*groupings(), groupings()[3]]))
    assert (refusal.code, refusal.row, refusal.value) == ("duplicated_row", 14, "703")


def test_a_line_of_its_own_that_is_not_the_known_one_is_refused() -> None:
    rows = groupings()
    rows.insert(4, ["", "New SNs:"] + [""] * (len(rows[0]) - 2))
    assert refusal_of(as_bytes(rows)).row == 5


@pytest.mark.parametrize("heading", ["LA number", "LA Name", "SN1", "SN4", "SN10"])
def test_a_missing_heading_is_named(heading: str) -> None:
    header = [name if name != heading else f"{name} (renamed)" for name in groupings()[0]]
    refusal = refusal_of(as_bytes([header, *groupings()[1:]]))
    assert (refusal.code, refusal.column) == ("missing_column", heading)


def test_a_missing_closeness_is_not_taken_from_the_next_neighbour() -> None:
    rows = [[*row[:12], *row[13:]] for row in groupings()]  # without the SNP that belongs to SN4
    refusal = refusal_of(as_bytes(rows))
    assert (refusal.code, refusal.column) == ("missing_column", "SNP after SN4")


def test_a_missing_closeness_of_the_model_is_named() -> None:
    at = model()[0].index("SN_4P")
    refusal = refusal_of(as_bytes([[*row[:at], *row[at + 1 :]] for row in model()]))
    assert (refusal.code, refusal.column) == ("missing_column", "SN_4P")


@pytest.mark.parametrize("heading", ["LA number", "SN4"])
def test_only_the_heading_that_repeats_may_repeat(heading: str) -> None:
    rows = groupings()
    rows[0][3] = heading
    refusal = refusal_of(as_bytes(rows))
    assert (refusal.code, refusal.column) == ("doubled_column", heading)


def test_the_model_repeats_no_heading() -> None:
    rows = model()
    rows[0][2] = "SN_4P"
    assert refusal_of(as_bytes(rows)).code == "doubled_column"


def test_lists_of_no_known_edition_are_refused() -> None:
    """The nearest two of the authority by which an edition is known have changed places."""
    rows = groupings()
    rows[1][5], rows[1][7] = rows[1][7], rows[1][5]
    refusal = refusal_of(as_bytes(rows))
    assert refusal.code == "unknown_edition"
    assert "neighbour_editions.csv" in refusal.remedy
    assert "2031-04, 2035-05" in refusal.problem


def test_a_country_without_known_editions_says_so() -> None:
    refusal = refusal_of(as_bytes(groupings()), replace(KNOWLEDGE, neighbour_editions={}))
    assert refusal.code == "unknown_edition"
    assert "none" in refusal.problem


def test_lists_of_two_editions_are_no_edition() -> None:
    editions = {**KNOWLEDGE.neighbour_editions, ("702", tuple(LISTS["702"])): "2033-01"}
    assert refusal_of(as_bytes(groupings()), replace(KNOWLEDGE, neighbour_editions=editions)).code == "unknown_edition"


def test_another_edition_is_known_by_its_lists() -> None:
    lists = {code: list(reversed(LISTS[code])) for code in CODES}
    rows = groupings()
    for row in rows[1:]:
        row[5:25:2] = lists[row[0]]
    edition, _ = read(as_bytes(rows))
    assert edition == Edition(release=2035, part="2035-05")


def test_two_sheets_with_lists_are_refused() -> None:
    refusal = refusal_of(workbook(("One", groupings()), ("Two", groupings())))
    assert refusal.code == "two_editions"
    assert "One and Two" in refusal.problem


def test_a_damaged_workbook_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        opening.of(tool()[:3000], "neighbours.xlsx")
    assert caught.value.code == "damaged_workbook"


@pytest.mark.parametrize(
    "content",
    [as_bytes(groupings()[:1]), as_bytes(model()[:1]), tool(groupings()[:1])],
    ids=FORMS.keys(),
)
def test_a_header_alone_is_refused(content: bytes) -> None:
    assert refusal_of(content).code == "no_rows"


# ---------------------------------------------------------------------------------------------------------------------
# Published files


@pytest.fixture(scope="module")
def lists(real: Readings) -> pd.DataFrame:
    return sources.read_tidy(real.folder, real.sources, STATISTICAL_NEIGHBOURS, real.knowledge)


@published
def test_authorities_of_the_published_editions(lists: pd.DataFrame) -> None:
    """README: 156 rows in April 2021, the 153 authorities of 2023 on in 2025; ten neighbours each."""
    counted = lists.groupby(["edition", "layout"]).agg(authorities=("la_code", "nunique"), rows=("la_code", "size"))
    assert counted.to_dict("index") == {
        ("2021-04", "neighbour_groupings"): {"authorities": 156, "rows": 1560},
        ("2021-04", "neighbour_tool"): {"authorities": 156, "rows": 1560},
        ("2025-05", "neighbour_model"): {"authorities": 153, "rows": 1530},
        ("2025-05", "neighbour_tool"): {"authorities": 158, "rows": 1580},
    }


@published
def test_which_authorities_the_published_editions_have(lists: pd.DataFrame) -> None:
    """README: before and after 2019 and 2021 side by side in 2021, with 909 but not 942 and 943; City and Scilly in both."""
    of = {layout: set(rows["la_code"]) for layout, rows in lists.groupby("layout")}
    assert {"835", "836", "837", "838", "839", "928", "940", "941", "909", "201", "420"} <= of["neighbour_groupings"]
    assert not {"942", "943"} & of["neighbour_groupings"]
    assert {"942", "943", "838", "839", "940", "941", "201", "420"} <= of["neighbour_model"]
    assert not {"835", "836", "837", "909", "928"} & of["neighbour_model"]


@published
def test_the_published_old_lists_are_those_of_ended_authorities(lists: pd.DataFrame) -> None:
    old = lists.loc[lists["is_old_list"]].groupby(["edition", "layout"])["la_code"].unique()
    assert {key: set(codes) for key, codes in old.items()} == {
        ("2021-04", "neighbour_groupings"): {"835", "836", "837", "928"},
        ("2021-04", "neighbour_tool"): {"835", "836", "837", "928"},
        ("2025-05", "neighbour_tool"): {"835", "836", "837", "909", "928"},
    }


@published
def test_nobody_is_a_neighbour_twice_or_of_their_own(lists: pd.DataFrame) -> None:
    by_list = lists.groupby(["edition", "layout", "la_code"])
    assert (by_list["neighbour_code"].nunique() == 10).all()
    assert by_list["position"].agg(list).map(lambda positions: positions == list(range(1, 11))).all()
    assert (lists["la_code"] != lists["neighbour_code"]).all()


@published
def test_the_first_published_list_as_it_stands_in_the_file(lists: pd.DataFrame) -> None:
    """Row 3 of the April 2021 file: "202,Camden,202,3,London (Inner),213,Very Close,205,Close,..."."""
    camden = lists.loc[(lists["layout"] == "neighbour_groupings") & (lists["la_code"] == "202")]
    assert list(camden["neighbour_code"]) == ["213", "205", "207", "206", "212", "352", "203", "870", "309", "302"]
    assert list(camden["closeness"][:2]) == ["Very Close", "Close"]
    assert set(camden["source_row"]) == {3}
