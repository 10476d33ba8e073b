"""Looked-after cells in the core tables: nothing added, nothing lost, every missing number with its reason.

Expected figures are those of the published files' README ("Suppressed headline cells, complete list" and others).
"""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline import looked_after
from pipeline.errors import Refusal
from pipeline.geography import Areas
from pipeline.readers.layout import AUTHORITY
from pipeline.tables import core_tables
from tests.fixtures import small_tables as small
from tests.fixtures.readings import Readings, pick
from tests.fixtures.small_tables import EASTMERE, MARLSHIRE, SAMPLES
from tests.published_files import published

HEADLINE = ["looked_after", "started", "ceased"]
CITY, KENSINGTON, SCILLY = "201", "207", "420"
SUPPRESSED = {
    *((year, CITY, year, "started") for year in range(2010, 2016)),
    *((year, CITY, year, "ceased") for year in (2010, 2012, 2013, 2014, 2015, 2017)),
    (2010, KENSINGTON, 2010, "started"),
    (2010, KENSINGTON, 2010, "ceased"),
    # The long releases repeat a year, so a suppressed cell of 2020 or 2021 stands in each of them.
    *((release, SCILLY, 2020, measure) for release in (2021, 2022, 2024) for measure in ("looked_after", "started")),
    *((release, SCILLY, 2021, "ceased") for release in (2021, 2022, 2024, 2025)),
    (2025, CITY, 2025, "looked_after"),
}


def tidy(*names: str) -> pd.DataFrame:
    return pd.concat([small.read_sample(SAMPLES[name])[1] for name in names], ignore_index=True)


# ---------------------------------------------------------------------------------------------------------------------
# The rules, on small tables


def test_authorities_and_totals_share_the_cells_between_them() -> None:
    cells = tidy("CLA", "ADM", "long 2024")
    authorities, totals = looked_after.authorities(cells), looked_after.totals(cells)
    assert len(authorities) + len(totals) == len(cells)
    assert set(totals["area_level"]) == {"england", "region"}
    assert len(authorities) == (cells["area_level"] == AUTHORITY).sum()


def test_a_marker_has_the_meaning_of_its_release() -> None:
    """Eastmere is x in 2016 (suppressed); its population is x in 2024 (not available)."""
    core = looked_after.authorities(tidy("CLA", "long 2024"))
    suppressed = pick(core, la_code=EASTMERE, release=2016, measure="looked_after")
    assert list(suppressed["marker_meaning"]) == ["suppressed"]
    cells = pick(core, la_code=EASTMERE, release=2024, year=2024).set_index("measure")
    assert cells.at["population_0_17", "marker"] == "x"
    assert cells["marker_meaning"].to_dict() == {
        "looked_after": "suppressed", "looked_after_rate_per_10k": "suppressed",
        "started": "suppressed", "started_rate_per_10k": "not_applicable",
        "ceased": "not_applicable", "ceased_rate_per_10k": "not_applicable", "population_0_17": "not_available",
    }  # fmt: skip


def test_a_number_has_neither_marker_nor_meaning() -> None:
    core = pick(looked_after.authorities(tidy("long 2024")), la_code=MARLSHIRE)
    assert core["value"].notna().all()
    assert core["marker"].isna().all() and core["marker_meaning"].isna().all()


def test_a_suppressed_count_is_no_zero() -> None:
    core = looked_after.authorities(tidy("CLA", "ADM", "CEA"))
    cells = pick(core, la_code=EASTMERE)
    assert cells["value"].isna().all()
    assert core["value"].sum(min_count=1) == tidy("CLA", "ADM", "CEA").query("area_level == 'authority'")["value"].sum()


def test_a_cell_leads_back_to_its_file_row_and_column() -> None:
    sample = SAMPLES["CLA"]
    _, cells = small.read_sample(sample)
    for row in looked_after.authorities(cells).itertuples():
        assert row.source_sha256 == cells["source_sha256"].iloc[0]
        assert sample.cell(row.source_row, row.source_column) == (str(row.value) if pd.isna(row.marker) else row.marker)


def test_the_series_becomes_one_row_a_year_and_measure() -> None:
    core = looked_after.national_series(tidy("series"))
    assert len(core) == 3 * 5
    uasc = pick(core, measure="uasc")
    assert set(uasc["marker_meaning"]) == {"suppressed"}  # the small table is of 1996, when x was a suppressed count


def test_no_cells_make_empty_tables() -> None:
    none = tidy("CLA").iloc[:0]
    assert list(looked_after.authorities(none).columns) == core_tables.CHILDREN_LOOKED_AFTER.column_names
    assert looked_after.totals(none).empty and looked_after.national_series(none).empty


@pytest.mark.parametrize("area", ["A", EASTMERE])
def test_an_area_that_another_file_of_the_release_has_must_be_in_each(area: str) -> None:
    """A region, and an authority too small to be asked for: neither is missed in a file by itself."""
    areas = Areas(names=small.NAMES, regions={}, changes=(), too_small=frozenset(small.NAMES))
    whole = tidy("CLA", "ADM", "long 2024").assign(release=2016)
    whole = whole.loc[whole["source_file"] != SAMPLES["long 2024"].file]
    looked_after.refuse_missing_rows(whole, areas)
    lost = (whole["source_file"] == SAMPLES["ADM"].file) & (whole["area_code"] == area)
    with pytest.raises(Refusal) as caught:
        looked_after.refuse_missing_rows(whole.loc[~lost], areas)
    assert (caught.value.code, caught.value.file) == ("missing_row", SAMPLES["ADM"].file)
    assert f"area {area}" in caught.value.problem


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
def test_suppressed_headline_cells_are_these_and_no_others(real: Readings) -> None:
    core = real.core_looked_after
    cells = core.loc[core["measure"].isin(HEADLINE) & (core["marker_meaning"] == "suppressed").fillna(False)]
    found = set(cells[["release", "la_code", "year", "measure"]].itertuples(index=False, name=None))
    assert found == SUPPRESSED
    assert set(cells.loc[cells["release"] <= 2017, "marker"]) == {"x"}
    assert set(cells.loc[cells["release"] > 2017, "marker"]) == {"c"}


@published
def test_other_missing_headline_cells_are_of_authorities_not_in_being_or_too_small(real: Readings) -> None:
    core = real.core_looked_after
    cells = core.loc[core["measure"].isin(HEADLINE) & (core["marker"] == "z").fillna(False)]
    for row in cells[["la_code", "year"]].drop_duplicates().itertuples():
        day = pd.Timestamp(year=int(row.year), month=3, day=31).date()
        assert row.la_code == SCILLY or not real.areas.in_being(row.la_code, day), (row.la_code, row.year)


@published
def test_no_cell_is_lost_on_the_way(real: Readings) -> None:
    cells = real.looked_after
    authorities, totals = real.core_looked_after, looked_after.totals(cells)
    assert len(authorities) + len(totals) == len(cells)
    assert int(authorities["value"].sum()) + int(totals["value"].sum()) == int(cells["value"].sum())
    assert (authorities["value"].isna() == authorities["marker_meaning"].notna()).all()


@published
@pytest.mark.parametrize("measure", HEADLINE)
def test_releases_stand_side_by_side(real: Readings, measure: str) -> None:
    """2021 is in four releases; core keeps each, and choosing among them is the panel's."""
    cells = pick(real.core_looked_after, la_code="383", year=2021, measure=measure)
    assert sorted(cells["release"]) == [2021, 2022, 2024, 2025]


@published
def test_the_series_before_2004_has_no_asylum_seeking_children(real: Readings) -> None:
    core = looked_after.national_series(real.series)
    missing = core.loc[core["value"].isna()]
    assert set(missing["measure"]) == {"uasc"}
    assert set(missing["marker_meaning"]) == {"not_available"}
    assert missing.groupby("release").size().to_dict() == {2021: 10, 2022: 10, 2024: 10}
