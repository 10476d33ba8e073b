"""Corrections are guarded data: an entry that no longer fits its file, or fits nothing, stops the run and is named.

Each case is a folder as a run gets it: a few files of the demonstration country, with the entry or the file changed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipeline import corrections, sources
from pipeline.errors import Refusal
from pipeline.readers.layout import LOOKED_AFTER
from tests.fixtures import small_tables as small
from tests.fixtures.readings import Readings, pick, value
from tests.fixtures.small_tables import HEADER_CORRECTION, ISLAND_CORRECTION, Table
from tests.published_files import PROJECT_REFERENCES, published

STARTED, STOCK = "cla_2011_2017_started", "cla_2011_2017_looked_after"
TABLE = "reference/publisher_corrections.csv"


@pytest.fixture
def folder(demo: Readings, tmp_path: Path) -> Path:
    """Starts of 2014 and 2015, the stock of 2017, and the country's own reference tables."""
    shutil.copytree(demo.folder / "reference", tmp_path / "reference")
    for layout, release in ((STARTED, 2014), (STARTED, 2015), (STOCK, 2017)):
        (tmp_path / f"{layout}_{release}.csv").write_bytes(demo.bytes_of(demo.file_of(layout, release)))
    return tmp_path


def rewrite(path: Path, change: Callable[[Table], Table]) -> None:
    path.write_bytes(small.as_bytes(change(small.table_of(path.read_bytes()))))


def edit_entry(folder: Path, kind: str, **cells: str) -> str:
    """Change cells of the country's own entry of a kind (its action); its name is returned."""
    names: list[str] = []

    def change(table: Table) -> Table:
        header = table[0]
        for line in table[1:]:
            if line[header.index("action")] == kind:
                names.append(line[header.index("entry")])
                for column, cell in cells.items():
                    line[header.index(column)] = cell
        return table

    rewrite(folder / TABLE, change)
    (name,) = names
    return name


def scanned(folder: Path) -> pd.DataFrame:
    register = sources.scan(folder, PROJECT_REFERENCES)
    return sources.read_tidy(folder, register.frame(), LOOKED_AFTER, register.knowledge)


def refusal(folder: Path) -> Refusal:
    with pytest.raises(Refusal) as caught:
        scanned(folder)
    return caught.value


def test_the_entries_apply_where_they_fit(folder: Path, demo: Readings) -> None:
    cells = scanned(folder)
    assert set(pick(cells, measure="started")["year"]) == {2014, 2015}
    assert "CLA_started2014" in demo.table_of(STARTED, 2015).header  # the fault is there
    stock = demo.table_of(STOCK, 2017)
    (stray,) = [line for line in stock.rows if not line[stock.column("geog_l")]]
    assert stray[stock.column("geog_c")] not in set(pick(cells, release=2017)["area_code"])


def test_the_register_says_which_file_was_corrected(folder: Path) -> None:
    entry = edit_entry(folder, corrections.SET_REPORTING_YEAR)
    register = sources.scan(folder, PROJECT_REFERENCES)
    assert {(file.release, file.corrections) for file in register.files} == {(2014, ""), (2015, entry), (2017, "")}


def test_a_mended_header_stops_the_run(folder: Path) -> None:
    """The publisher has put 2015 where 2014 stood: the entry is out of date, although the figures are the same."""
    entry = edit_entry(folder, corrections.SET_REPORTING_YEAR)
    file = folder / f"{STARTED}_2015.csv"
    rewrite(file, lambda table: [[name.replace("2014", "2015") for name in table[0]], *table[1:]])
    found = refusal(folder)
    assert (found.code, found.file) == ("correction_outdated", file.name)
    assert entry in found.problem


def test_another_figure_for_england_under_the_wrong_header_stops_the_run(folder: Path) -> None:
    """The guard fails, so the file passes for a second one of 2014."""
    entry = edit_entry(folder, corrections.SET_REPORTING_YEAR)

    def revised(table: Table) -> Table:
        at = table[0].index("CLA_started2014")
        return [table[0], [*table[1][:at], str(int(table[1][at]) + 10), *table[1][at + 1 :]], *table[2:]]

    rewrite(folder / f"{STARTED}_2015.csv", revised)
    found = refusal(folder)
    assert found.code == "correction_outdated"
    assert entry in found.problem
    assert found.file is not None and f"{STARTED}_2015.csv" in found.file


def test_an_entry_with_a_wrong_guard_stops_the_run(folder: Path) -> None:
    entry = edit_entry(folder, corrections.SET_REPORTING_YEAR, expect="1")
    found = refusal(folder)
    assert found.code == "correction_outdated" and entry in found.problem


def test_a_row_that_is_no_longer_there_stops_the_run(folder: Path) -> None:
    entry = edit_entry(folder, corrections.DROP_ROW)
    file = folder / f"{STOCK}_2017.csv"

    def without_stray_row(table: Table) -> Table:
        at = table[0].index("geog_l")
        return [line for line in table if line[at]]

    rewrite(file, without_stray_row)
    found = refusal(folder)
    assert (found.code, found.file) == ("correction_outdated", file.name)
    assert entry in found.problem and TABLE.removeprefix("reference/") in found.remedy


def test_a_row_to_drop_that_never_was_stops_the_run(folder: Path) -> None:
    entry = edit_entry(folder, corrections.DROP_ROW, expect="999")
    assert refusal(folder).column == "geog_l"  # the stray row, which no entry names any more
    rewrite(folder / f"{STOCK}_2017.csv", lambda table: [line for line in table if line[table[0].index("geog_l")]])
    found = refusal(folder)
    assert found.code == "correction_outdated" and entry in found.problem


def test_an_entry_for_a_layout_that_nobody_reads_stops_the_run(folder: Path) -> None:
    """It would match nothing, for ever and unnoticed."""
    entry = edit_entry(folder, corrections.DROP_ROW, layout="cla_2011_2017_lookedafter")
    found = refusal(folder)
    assert (found.code, found.column, found.value) == ("bad_correction", "layout", "cla_2011_2017_lookedafter")
    assert entry in found.problem


def test_an_entry_for_a_file_that_is_not_here_waits(folder: Path) -> None:
    """A folder need not hold every release; the entry has nothing to correct and nothing to complain of."""
    (folder / f"{STARTED}_2015.csv").unlink()
    (folder / f"{STOCK}_2017.csv").unlink()
    assert set(scanned(folder)["release"]) == {2014}


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("entry", ""),
        ("action", "multiply"),
        ("reporting_year", "2015/16"),
        ("expect", ""),
        ("value", "soon"),
        ("reason", ""),
    ],
)
def test_an_entry_that_says_too_little_is_refused(folder: Path, column: str, cell: str) -> None:
    edit_entry(folder, corrections.SET_REPORTING_YEAR, **{column: cell})
    found = refusal(folder)
    assert (found.code, found.file, found.column, found.value) == ("bad_correction", TABLE, column, cell)
    assert found.row is not None and found.row >= 2


# ---------------------------------------------------------------------------------------------------------------------
# The rules on plain records

BOTH = (HEADER_CORRECTION, ISLAND_CORRECTION)


def test_a_year_is_corrected_by_layout_column_and_guard_together() -> None:
    assert corrections.corrected_year(BOTH, STARTED, "CLA_started2014", "110") is HEADER_CORRECTION
    assert corrections.corrected_year(BOTH, STARTED, "CLA_started2014", "104") is None
    assert corrections.corrected_year(BOTH, STARTED, "CLA_started2015", "110") is None
    assert corrections.corrected_year(BOTH, STOCK, "CLA_started2014", "110") is None


def test_rows_are_dropped_in_their_own_file_only() -> None:
    assert corrections.rows_to_drop(BOTH, STOCK, 2017) == {"704": ISLAND_CORRECTION}
    assert corrections.rows_to_drop(BOTH, STOCK, 2016) == {}
    assert corrections.rows_to_drop(BOTH, STARTED, 2017) == {}


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
def test_every_entry_of_the_project_finds_its_file(real: Readings) -> None:
    """With all published files here, an entry that corrects nothing is a leftover."""
    files = {(file.layout, file.release) for file in real.register.files}
    for entry in real.knowledge.corrections:
        assert (entry.layout, entry.reporting_year) in files, entry.entry
        assert entry.reason and entry.source


@published
def test_the_guard_of_2015_is_englands_figure(real: Readings) -> None:
    (entry,) = [entry for entry in real.knowledge.corrections if entry.action == corrections.SET_REPORTING_YEAR]
    starts = pick(real.looked_after, measure="started", area_level="england")
    assert int(entry.expect) == value(starts, year=2015) == 31_070
