"""Every marker of the published headline files is seen: the counts of the README's table, and what becomes of them.

The README counts all measure cells of a file at all levels. Of the wide files the readers take two columns of sixty, so
those counts hold the reading of text to the file; of the long files they take every measure cell.
"""

from __future__ import annotations

from collections import Counter

import pytest

from pipeline.readers.text_table import TextTable
from tests.fixtures.readings import Readings
from tests.fixtures.small_tables import table_of
from tests.published_files import published

WIDE = {
    2010: {"looked_after": 910, "started": 825, "ceased": 732},
    2011: {"looked_after": 1157, "started": 690, "ceased": 806},
    2012: {"looked_after": 1180, "started": 669, "ceased": 754},
    2013: {"looked_after": 1180, "started": 666, "ceased": 685},
    2014: {"looked_after": 1215, "started": 682, "ceased": 619},
    2015: {"looked_after": 1328, "started": 853, "ceased": 905},
    2016: {"looked_after": 1078, "started": 996, "ceased": 1020},
    2017: {"looked_after": 1892, "started": 783, "ceased": 1013},
}
OTHER_WIDE = {(2013, "looked_after"): {"#VALUE!": 1}, (2014, "looked_after"): {"..": 1}}
UNNAMED_COLUMNS = {(2013, "started"): (9, 1467), (2014, "looked_after"): (3, 489)}  # columns, blank cells below them
LONG = {
    2021: {"z": 90, "c": 6},  # "z 30 each of number, rate, population"; the c count and its rate
    2022: {"z": 198, "c": 6},
    2024: {"z": 96, "x": 48, "c": 6},
    2025: {"z": 112, "x": 42, "c": 4},
}
WIDE_FILES = [(release, part) for release, parts in WIDE.items() for part in parts]


def wide_layout(release: int, part: str) -> str:
    return f"cla_2010_{part}" if release == 2010 else f"cla_2011_2017_{part}"


def is_number(cell: str) -> bool:
    return cell.removeprefix("-").isdigit()


def markers_below(table: TextTable, first: int) -> Counter[str]:
    """Cells from column `first` on that hold no number."""
    return Counter(cell for line in table.rows for cell in line[first:] if not is_number(cell))


@published
@pytest.mark.parametrize(("release", "part"), WIDE_FILES)
def test_markers_of_the_wide_files(real: Readings, release: int, part: str) -> None:
    table = real.table_of(wide_layout(release, part), release)
    expected = {"x": WIDE[release][part], **OTHER_WIDE.get((release, part), {})}
    assert markers_below(table, table.column("geog_n") + 1) == expected


@published
@pytest.mark.parametrize(("release", "part"), UNNAMED_COLUMNS)
def test_unnamed_columns_are_blank_and_dropped(real: Readings, release: int, part: str) -> None:
    columns, cells = UNNAMED_COLUMNS[release, part]
    layout = wide_layout(release, part)
    raw = table_of(real.bytes_of(real.file_of(layout, release)))
    assert raw[0][-columns:] == [""] * columns
    assert sum(cell == "" for line in raw[1:] for cell in line[-columns:]) == cells
    assert len(real.table_of(layout, release).header) == len(raw[0]) - columns


@published
def test_negative_numbers_of_2015(real: Readings) -> None:
    table = real.table_of("cla_2011_2017_looked_after", 2015)
    assert sum(cell.startswith("-") for line in table.rows for cell in line) == 85


@published
@pytest.mark.parametrize("release", LONG)
def test_markers_of_the_long_files(real: Readings, release: int) -> None:
    """Read cell by cell: a marker in the file is one in the tidy frame. The population stands there once, not thrice."""
    cells = real.looked_after.loc[real.looked_after["release"] == release]
    marked = cells.loc[cells["marker"].notna()]
    weights = marked["measure"].map(lambda measure: 3 if measure == "population_0_17" else 1)
    assert weights.groupby(marked["marker"]).sum().to_dict() == LONG[release]


@published
@pytest.mark.parametrize(("release", "symbol"), [(2021, ":"), (2022, "x"), (2024, "x")])
def test_markers_of_the_series(real: Readings, release: int, symbol: str) -> None:
    """Unaccompanied asylum-seeking children are not available before 2004; 2021 has another symbol for it."""
    cells = real.series.loc[real.series["release"] == release]
    marked = cells.loc[cells["marker"].notna()]
    assert dict(zip(marked["year"], marked["marker"], strict=True)) == dict.fromkeys(range(1994, 2004), symbol)
    assert set(marked["measure"]) == {"uasc"}


@published
def test_a_cell_is_a_number_or_a_marker(real: Readings) -> None:
    for cells in (real.looked_after, real.series, real.population):
        assert (cells["value"].isna() == cells["marker"].notna()).all()


@published
def test_the_stock_is_never_suppressed_up_to_2017(real: Readings) -> None:
    cells = real.looked_after
    stock = cells.loc[(cells["measure"] == "looked_after") & (cells["release"] <= 2017)]
    assert stock["marker"].isna().all()


@published
def test_the_files_know_no_other_symbols(real: Readings) -> None:
    """`u`, `low`, `.`, `-` and thousands separators do not occur in the files that are read."""
    seen = set(real.looked_after["marker"].dropna()) | set(real.series["marker"].dropna())
    assert seen == {"x", "c", "z", ":"}
