"""The national time series, whichever way round it lists its years.

Expected figures are those of the published files' README ("National time series", "Cross-checks").
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import Refusal
from tests.fixtures import small_tables as small
from tests.fixtures.readings import Readings, pick, value
from tests.published_files import published

LAYOUT = "cla_time_series"
MEASURES = {"looked_after", "uasc", "started", "ceased", "adopted"}
RELEASES = (2021, 2022, 2024)
IN_2024_RELEASE = {
    1997: 50_880, 2010: 64_460, 2011: 65_500, 2012: 67_070, 2013: 68_060, 2014: 68_790, 2015: 69_460, 2016: 70_400,
    2017: 72_600,
}  # fmt: skip


def test_the_five_series_are_told_apart() -> None:
    """The wording of one (unaccompanied asylum-seeking children) begins with all of that of another."""
    edition, frame = small.read_sample(small.series())
    assert edition.release == 1996
    figures = {row.measure: row.value for row in pick(frame, year=1995).itertuples() if row.measure != "uasc"}
    assert figures == {"looked_after": 610, "started": 240, "ceased": 210, "adopted": 30}
    assert list(pick(frame, year=1995, measure="uasc")["marker"]) == ["x"]


def test_the_order_of_years_does_not_matter() -> None:
    _, oldest_first = small.read_sample(small.series())
    edition, newest_first = small.read_sample(small.series(newest_first=True))
    assert edition.release == 1996
    assert small.figures(newest_first) == small.figures(oldest_first)


@pytest.mark.parametrize("release", [2023, 2025, 2030])
def test_a_series_that_nobody_has_seen_is_read(release: int) -> None:
    edition, frame = small.read_sample(small.series(release))
    assert edition.release == release
    assert len(frame) == 5 * (release - 1993)


@pytest.mark.parametrize("year", ["1994", "1996"])
def test_a_series_without_the_first_or_last_year_of_its_name_is_refused(year: str) -> None:
    """A year that is lost with all its rows leaves no gap; the name of the file still promises it."""
    sample = small.series()
    cut = sample.with_body([line for line in sample.body() if line[0] != year])
    assert cut.file == "cla_time_series_1994_1996.csv"
    with pytest.raises(Refusal) as caught:
        small.read_sample(cut)
    assert (caught.value.code, caught.value.column) == ("missing_year", "time_period")


def test_a_name_that_promises_nothing_is_held_to_nothing() -> None:
    sample = small.series()
    cut = replace(sample, file="series.csv", table=[line for line in sample.table if line[0] != "1996"])
    assert small.read_sample(cut)[0].release == 1995


@pytest.mark.parametrize("column", ["population_count", "number"])
def test_columns_renamed_as_in_2025_are_the_same_figures(column: str) -> None:
    sample = small.series()
    header = [small.RENAMED[name] if name == column else name for name in sample.header]
    _, plain = small.read_sample(sample)
    _, frame = small.read_sample(sample.with_body(sample.body(), header))
    assert small.figures(frame) == small.figures(plain)


@published
@pytest.mark.parametrize("release", RELEASES)
def test_every_year_since_1994_has_five_series(real: Readings, release: int) -> None:
    series = pick(real.series, release=release)
    assert len(series) == 5 * (release - 1993)
    assert set(series["measure"]) == MEASURES
    assert set(series["year"]) == set(range(1994, release + 1))
    assert set(series["area_level"]) == {"england"}


@published
def test_figures_of_the_release_of_2024(real: Readings) -> None:
    """50,880 is the often quoted 50,900 of 1997; 72,600 for 2017 was 72,670 when first published."""
    stock = pick(real.series, release=2024, measure="looked_after").set_index("year")["value"]
    assert {year: stock[year] for year in IN_2024_RELEASE} == IN_2024_RELEASE
    first_published = pick(real.looked_after, release=2017, area_level="england", measure="looked_after")
    assert value(first_published, year=2017) == 72_670


@published
@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("measure", ["looked_after", "started", "ceased"])
def test_the_series_agrees_with_england_in_the_same_release(real: Readings, release: int, measure: str) -> None:
    """Both are England's, rounded to 10."""
    cells = pick(real.looked_after, release=release, area_level="england", measure=measure)
    england = cells.set_index("year")["value"]
    series = pick(real.series, release=release, measure=measure).set_index("year")["value"]
    assert series.loc[england.index].to_dict() == england.to_dict()


@published
@pytest.mark.parametrize(("release", "first"), [(2021, "1994"), (2022, "1994"), (2024, "2024")])
def test_the_releases_list_their_years_both_ways(real: Readings, release: int, first: str) -> None:
    table = real.table_of(LAYOUT, release)
    assert table.rows[0][table.column("time_period")] == first


@published
def test_values_are_rounded_to_ten(real: Readings) -> None:
    assert (real.series["value"].dropna() % 10 == 0).all()
