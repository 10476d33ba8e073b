"""The long layout since 2018, its renamed vintage of 2025, and vintages nobody has seen yet.

Expected figures are those of the published files' README ("Cross-checks", "Rounding", "Known traps" 8 to 12) and of
methods.md F5.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from pipeline import sources
from pipeline.errors import Refusal
from pipeline.readers.layout import LOOKED_AFTER
from tests.fixtures import small_tables as small
from tests.fixtures.readings import Readings, pick, value
from tests.fixtures.small_tables import EASTMERE, MARLSHIRE, SAMPLES, long_release
from tests.published_files import PROJECT_REFERENCES, published

LAYOUT = "cla_since_2018"
MEASURES = ("looked_after", "started", "ceased")
YEARS = {2021: range(2018, 2022), 2022: range(2018, 2023), 2024: range(2020, 2025), 2025: range(2021, 2026)}
ENGLAND = {
    2021: {2018: 75_370, 2019: 78_140, 2020: 80_000, 2021: 80_850},
    2022: {2018: 75_360, 2019: 78_140, 2020: 80_000, 2021: 80_780, 2022: 82_170},
    2024: {2020: 80_000, 2021: 80_780, 2022: 82_090, 2023: 83_760, 2024: 83_630},
    2025: {2021: 80_780, 2022: 82_090, 2023: 83_750, 2024: 83_530, 2025: 81_770},
}
SUM_IN_2021_RELEASE = {2018: 75_368, 2019: 78_141, 2020: 79_997, 2021: 80_852}
SUM_IN_NEWEST_RELEASE = {
    2018: 75_363, 2019: 78_139, 2020: 79_998, 2021: 80_776, 2022: 82_088, 2023: 83_750, 2024: 83_529, 2025: 81_766,
}  # fmt: skip


def by_area_and_year(cells: pd.DataFrame, release: int, level: str = "authority") -> pd.DataFrame:
    """One row an area and year, one column a measure."""
    return pick(cells, release=release, area_level=level).pivot(
        index=["area_code", "year"], columns="measure", values="value"
    )


# ---------------------------------------------------------------------------------------------------------------------
# The layout, on a small table


def test_all_measures_populations_and_rates_are_read() -> None:
    edition, frame = small.read_sample(SAMPLES["long 2024"])
    assert (edition.release, edition.part) == (2024, "")
    newest = pick(frame, area_code=MARLSHIRE, year=2024)
    figures = dict(zip(newest["measure"], newest["value"], strict=True))
    assert figures == {
        "looked_after": 612, "looked_after_rate_per_10k": 61, "started": 233, "started_rate_per_10k": 23,
        "ceased": 205, "ceased_rate_per_10k": 21, "population_0_17": 100_000,
    }  # fmt: skip
    assert set(frame["year"]) == {2020, 2021, 2022, 2023, 2024}


def test_markers_are_kept_apart_from_numbers() -> None:
    _, frame = small.read_sample(SAMPLES["long 2024"])
    cells = pick(frame, area_code=EASTMERE, year=2022)
    assert cells["value"].isna().all()
    markers = dict(zip(cells["measure"], cells["marker"], strict=True))
    assert markers["population_0_17"] == "x"
    assert (markers["ceased"], markers["looked_after"], markers["started"]) == ("z", "c", "k")
    assert markers["looked_after_rate_per_10k"] == "c"


def test_renamed_columns_and_another_preposition_are_the_same_figures() -> None:
    """2025 says population_type for population_count, children_count for number, and "on" for "at" 31 March."""
    _, old = small.read_sample(long_release(2025))
    edition, new = small.read_sample(long_release(2025, renamed=True, preposition="on"))
    assert edition.release == 2025
    assert small.figures(new) == small.figures(old)
    assert set(new["source_column"]) == {"children_count", "population_estimate", "rate_per_10000"}


@pytest.mark.parametrize("mixed", ["population_count", "number"])
def test_one_column_may_be_renamed_without_the_other(mixed: str) -> None:
    sample = long_release(2025)
    header = [small.RENAMED[name] if name == mixed else name for name in sample.header]
    _, plain = small.read_sample(sample)
    _, frame = small.read_sample(sample.with_body(sample.body(), header))
    assert small.figures(frame) == small.figures(plain)


def test_inner_and_outer_parts_are_regions_beside_the_whole() -> None:
    """The tidy frame keeps what is published; nobody adds the region rows up."""
    _, frame = small.read_sample(SAMPLES["long 2024"])
    assert set(pick(frame, area_level="region")["ons_code"]) == {"Q12000001"}
    assert set(pick(frame, area_level="england")["ons_code"]) == {"Q92000001"}


def test_every_cell_leads_back_to_its_place() -> None:
    sample = SAMPLES["long 2024"]
    _, frame = small.read_sample(sample)
    for cell in frame.itertuples():
        assert sample.cell(cell.source_row, cell.source_column) == (
            str(cell.value) if pd.isna(cell.marker) else cell.marker
        )


# A vintage never seen: the same columns, another year.


@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize("release", [2023, 2026, 2031])
def test_a_release_that_nobody_has_seen_is_read(release: int, renamed: bool) -> None:
    edition, frame = small.read_sample(long_release(release, renamed=renamed, preposition="on" if renamed else "at"))
    assert edition.release == release
    assert set(frame["year"]) == set(range(release - 4, release + 1))
    assert value(frame, area_code=MARLSHIRE, year=release, measure="looked_after") == 612


def moved(content: bytes, years: int) -> bytes:
    """A release as it would be some years later: every time_period moves, nothing else."""
    header, *body = small.table_of(content)
    at = header.index("time_period")
    later = [[*line[:at], str(int(line[at]) + years), *line[at + 1 :]] for line in body]
    return small.as_bytes([header, *later], line_end="\r\n", byte_order_mark=True)


def read_alone(content: bytes, folder: Path) -> tuple[int, pd.DataFrame]:
    """A file read through register and readers, as in a run."""
    (folder / "any name.csv").write_bytes(content)
    register = sources.scan(folder, PROJECT_REFERENCES)
    (file,) = register.files
    assert file.layout == LAYOUT and file.release is not None
    return file.release, sources.read_tidy(folder, register.frame(), LOOKED_AFTER, register.knowledge)


@pytest.mark.parametrize(("known", "years"), [(2022, 1), (2024, -1), (2025, 1)], ids=["2023", "2023 too", "2026"])
def test_a_whole_release_of_another_year_is_read(demo: Readings, tmp_path: Path, known: int, years: int) -> None:
    """With all its areas, markers and renamed columns; figures are those of the known release, in other years."""
    content = demo.bytes_of(demo.file_of(LAYOUT, known))
    shutil.copytree(demo.folder / "reference", tmp_path / "reference")
    release, frame = read_alone(moved(content, years), tmp_path)
    assert release == known + years
    cells = pick(demo.looked_after, release=known)
    same = cells.assign(year=cells["year"] + years, release=release)
    assert small.figures(frame) == small.figures(same)


@published
@pytest.mark.parametrize(("known", "years"), [(2022, 1), (2024, -1), (2025, 1)], ids=["2023", "2023 too", "2026"])
def test_a_published_release_of_another_year_is_read(real: Readings, tmp_path: Path, known: int, years: int) -> None:
    content = real.bytes_of(real.file_of(LAYOUT, known))
    release, frame = read_alone(moved(content, years), tmp_path)
    assert release == known + years
    cells = pick(real.looked_after, release=known)
    assert small.figures(frame) == small.figures(cells.assign(year=cells["year"] + years, release=release))


@pytest.mark.parametrize(("release", "years"), [(2018, [2018]), (2020, [2018, 2019, 2020])])
def test_a_release_does_not_reach_behind_2018(release: int, years: list[int]) -> None:
    """The layout began with 2018, so its first releases hold fewer than five years."""
    sample = long_release(release)
    _, frame = small.read_sample(sample.with_body([line for line in sample.body() if int(line[0]) >= 2018]))
    assert sorted(set(frame["year"])) == years


def test_a_year_before_2018_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        small.read_sample(long_release(2020))
    assert (caught.value.code, caught.value.value) == ("year_outside_release", "2016")


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@published
@pytest.mark.parametrize("release", YEARS)
def test_england_on_31_march(real: Readings, release: int) -> None:
    england = pick(real.looked_after, release=release, area_level="england", measure="looked_after")
    assert dict(zip(england["year"], england["value"], strict=True)) == ENGLAND[release]


@published
@pytest.mark.parametrize("release", YEARS)
def test_authorities_add_up_to_england_within_its_rounding(real: Readings, release: int) -> None:
    """Stocks are at most 4 off, flows at most 9: England is rounded to 10, authorities are not."""
    for measure, most in (("looked_after", 4), ("started", 9), ("ceased", 9)):
        cells = pick(real.looked_after, release=release, measure=measure)
        sums = pick(cells, area_level="authority").groupby("year")["value"].sum()
        england = pick(cells, area_level="england").set_index("year")["value"]
        assert (england % 10 == 0).all()
        assert (sums - england).abs().max() <= most


@published
def test_sums_of_authorities_in_the_newest_release_of_each_year(real: Readings) -> None:
    cells = pick(real.looked_after, area_level="authority", measure="looked_after")
    sums = cells.loc[cells["release"] >= 2018].groupby(["year", "release"])["value"].sum()
    newest = {year: int(sums[year].iloc[-1]) for year in SUM_IN_NEWEST_RELEASE}
    assert newest == SUM_IN_NEWEST_RELEASE


@published
def test_the_release_of_2021(real: Readings) -> None:
    cells = pick(real.looked_after, release=2021)
    stock = pick(cells, measure="looked_after", area_level="authority")
    assert stock.groupby("year")["value"].sum().to_dict() == SUM_IN_2021_RELEASE
    assert stock.groupby("year")["area_code"].nunique().to_dict() == dict.fromkeys(YEARS[2021], 154)
    england = pick(cells, area_level="england", year=2021)
    assert value(england, measure="population_0_17") == 12_093_290
    assert value(england, measure="looked_after_rate_per_10k") == 67
    assert len(real.table_of(LAYOUT, 2021).rows) == 1_992


@published
@pytest.mark.parametrize(("release", "authorities"), [(2021, 154), (2022, 156), (2024, 155), (2025, 155)])
def test_every_area_stands_in_every_year(real: Readings, release: int, authorities: int) -> None:
    """An authority of any year of the release has rows for all its years, and 11 regions, London's two parts included."""
    stock = pick(real.looked_after, release=release, measure="looked_after")
    counts = stock.groupby(["year", "area_level"])["area_code"].nunique().unstack()
    assert list(counts.index) == list(YEARS[release])
    assert (counts == {"authority": authorities, "region": 11, "england": 1}).all(axis=None)
    assert {"E12000007", "E13000001", "E13000002"} <= set(pick(stock, area_level="region")["area_code"])


@published
@pytest.mark.parametrize(
    ("year", "release", "in_being"),
    [(2018, 2022, 152), (2019, 2022, 152), (2020, 2022, 151), (2021, 2022, 151), (2022, 2024, 152), (2023, 2024, 152),
     (2024, 2024, 153), (2025, 2025, 153)],
)  # fmt: skip
def test_authorities_in_being(real: Readings, year: int, release: int, in_being: int) -> None:
    """An authority in being has a number or a suppressed cell; one that has ended or not begun has markers only."""
    cells = pick(real.looked_after, release=release, area_level="authority", year=year)
    alive = cells["value"].notna() | (cells["marker"] == "c").fillna(False)
    assert cells.loc[alive, "area_code"].nunique() == in_being


@published
def test_populations_change_inside_the_release_of_2022(real: Readings) -> None:
    """Up to 2021 it has the estimates from before the census, for 2022 those after it: its rates are not comparable."""
    england = pick(real.looked_after, area_level="england", year=2021)
    population = pick(england, measure="population_0_17").set_index("release")["value"].to_dict()
    assert population == {2021: 12_093_290, 2022: 12_093_290, 2024: 11_787_794, 2025: 11_787_794}
    rate = pick(england, measure="looked_after_rate_per_10k").set_index("release")["value"].to_dict()
    assert rate == {2021: 67, 2022: 67, 2024: 69, 2025: 69}


@published
def test_published_rates_of_two_releases_are_not_comparable(real: Readings) -> None:
    """295 of 453 rates change from the 2022 to the 2024 release, 247 of them on an unchanged count."""
    older, newer = by_area_and_year(real.looked_after, 2022), by_area_and_year(real.looked_after, 2024)
    rate = "looked_after_rate_per_10k"
    both = older.index.intersection(newer.index)
    older, newer = older.loc[both], newer.loc[both]
    with_rates = older[rate].notna() & newer[rate].notna()
    changed = with_rates & (older[rate] != newer[rate]).fillna(False)
    same_count = (older["looked_after"] == newer["looked_after"]).fillna(False)
    assert (with_rates.sum(), changed.sum(), (changed & same_count).sum()) == (453, 295, 247)


@published
@pytest.mark.parametrize(("release", "population_marker"), [(2022, "z"), (2024, "x"), (2025, "x")])
def test_markers_of_an_authority_not_in_being(real: Readings, release: int, population_marker: str) -> None:
    """The count and the rate are z; the population is z in 2022 and x later. Northamptonshire ended in 2021."""
    cells = pick(real.looked_after, release=release, year=2022, area_code="928")
    markers = dict(zip(cells["measure"], cells["marker"], strict=True))
    assert markers.pop("population_0_17") == population_marker
    assert set(markers.values()) == {"z"}


@published
def test_the_isles_of_scilly_change_from_0_to_z(real: Readings) -> None:
    """In the 2025 release z, although they have a population; 0 in the releases before, and c in 2020."""
    cells = pick(real.looked_after, area_code="420")
    stock = pick(cells, measure="looked_after")
    assert set(pick(stock, release=2025)["marker"]) == {"z"}
    assert pick(cells, release=2025, measure="population_0_17")["value"].notna().all()
    for release in (2022, 2024):
        own = pick(stock, release=release)
        assert dict(zip(own["year"], own["value"], strict=True)) | {2020: 0} == dict.fromkeys(YEARS[release], 0)
        assert list(pick(own, year=2020)["marker"]) == ["c"]


@published
def test_populations_are_revised(real: Readings) -> None:
    """City of London most of all: 642 children for 2024 in the release of that year, 918 a year later."""
    city = pick(real.looked_after, area_code="201", year=2024, measure="population_0_17")
    assert dict(zip(city["release"], city["value"], strict=True)) == {2024: 642, 2025: 918}


@published
def test_the_renamed_columns_of_2025(real: Readings) -> None:
    header = {release: set(real.table_of(LAYOUT, release).header) for release in YEARS}
    assert {"population_type", "children_count"} <= header[2025]
    assert all({"population_count", "number"} <= header[release] for release in (2021, 2022, 2024))
    table = real.table_of(LAYOUT, 2025)
    wordings = {line[table.column("population_type")] for line in table.rows}
    assert "Children looked after on 31 March each year" in wordings


@published
@pytest.mark.parametrize("release", YEARS)
def test_byte_order_marks_are_not_part_of_the_first_heading(real: Readings, release: int) -> None:
    assert real.bytes_of(real.file_of(LAYOUT, release)).startswith(b"\xef\xbb\xbf")
    assert real.table_of(LAYOUT, release).header[0] == "time_period"


@published
@pytest.mark.parametrize(
    ("level", "cells", "differ"), [("authority", 6_812, 0), ("england", 45, 0), ("region", 495, 15)]
)
def test_published_rates_are_half_up(real: Readings, level: str, cells: int, differ: int) -> None:
    """All but some regional ones, which come from unrounded counts. Releases of 2022, 2024 and 2025."""
    compared = wrong = 0
    for release in (2022, 2024, 2025):
        wide = by_area_and_year(real.looked_after, release, level)
        for measure in MEASURES:
            full = wide[[measure, f"{measure}_rate_per_10k", "population_0_17"]].dropna().astype("int64")
            # floor(10,000 N / P + 1/2) in whole numbers
            half_up = (20_000 * full[measure] + full["population_0_17"]) // (2 * full["population_0_17"])
            compared += len(full)
            wrong += int((half_up != full[f"{measure}_rate_per_10k"]).sum())
    assert (compared, wrong) == (cells, differ)


@published
def test_755_rates_of_31_march_in_the_release_of_2025(real: Readings) -> None:
    wide = by_area_and_year(real.looked_after, 2025)
    assert wide[["looked_after", "looked_after_rate_per_10k", "population_0_17"]].notna().all(axis=1).sum() == 755


@published
def test_authority_counts_are_not_rounded(real: Readings) -> None:
    """5 to 19% of headline values end in 0, where rounding to 10 would make it all of them."""
    cells = real.looked_after
    headline = cells.loc[(cells["area_level"] == "authority") & cells["measure"].isin(MEASURES) & cells["value"].gt(0)]
    shares = headline.groupby(["release", "year", "measure"])["value"].agg(
        lambda counts: 100 * (counts % 10 == 0).mean()
    )
    assert shares.round().between(5, 19).all()
    regions = cells.loc[(cells["area_level"] == "region") & cells["measure"].isin(MEASURES) & (cells["release"] > 2010)]
    assert (regions["value"] % 10 == 0).all()


@published
@pytest.mark.parametrize(
    ("la_code", "codes"),
    [
        ("929", {2022: "E06000057", 2024: "E06000057", 2025: "E06000057"}),  # Northumberland
        ("390", {2022: "E08000037", 2024: "E08000037", 2025: "E08000037"}),  # Gateshead
        ("825", {2022: "E06000060", 2024: "E06000060", 2025: "E06000060"}),  # Buckinghamshire
        ("815", {2022: "E10000023", 2024: "E06000065", 2025: "E06000065"}),  # North Yorkshire
        ("933", {2022: "E10000027", 2024: "E06000066", 2025: "E06000066"}),  # Somerset
        ("370", {2022: "E08000016", 2024: "E08000016", 2025: "E08000016"}),  # Barnsley, recoded in April 2025
        ("373", {2022: "E08000019", 2024: "E08000019", 2025: "E08000019"}),  # Sheffield, recoded in April 2025
    ],
)
def test_a_recoded_authority_keeps_its_dfe_code(real: Readings, la_code: str, codes: dict[int, str]) -> None:
    """Each release has one ONS code for all its years; which one it is changes between releases."""
    cells = pick(real.looked_after, area_code=la_code)
    for release, ons_code in codes.items():
        assert set(pick(cells, release=release)["ons_code"]) == {ons_code}


@published
def test_two_authorities_are_called_dorset(real: Readings) -> None:
    """835 to 2019 and 838 from 2020, on other boundaries, under one name in every year of the 2022 release."""
    dorset = pick(real.looked_after, release=2022, area_name="Dorset", measure="looked_after")
    assert sorted(zip(dorset["year"], dorset["area_code"], strict=True)) == [
        (year, code) for year in YEARS[2022] for code in ("835", "838")
    ]
    alive = dorset.loc[dorset["value"].notna()]
    assert sorted(zip(alive["area_code"], alive["year"], strict=True)) == [
        ("835", 2018), ("835", 2019), ("838", 2020), ("838", 2021), ("838", 2022),
    ]  # fmt: skip


@published
def test_splits_are_seen_in_the_counts(real: Readings) -> None:
    stock = pick(real.looked_after, release=2025, measure="looked_after")
    figures = stock.set_index(["area_code", "year"])["value"]
    assert figures["928", 2021] == 1_144  # Northamptonshire
    assert (figures["940", 2022], figures["941", 2022]) == (525, 658)
    assert figures["909", 2023] == 740  # Cumbria
    assert (figures["942", 2024], figures["943", 2024]) == (482, 247)


@published
def test_london_authorities_stand_under_its_parts(real: Readings) -> None:
    table = real.table_of(LAYOUT, 2025)
    level, region = table.column("geographic_level"), table.column("region_code")
    codes = {line[region] for line in table.rows if line[level] == "Local authority"}
    assert {"E13000001", "E13000002"} <= codes
    assert "E12000007" not in codes
    assert len(codes) == 10  # eight regions and the two parts


@published
def test_names_of_the_later_releases(real: Readings) -> None:
    names = set(pick(real.looked_after, release=2025, area_level="authority")["area_name"])
    assert {"County Durham", "Herefordshire, County of", "Kingston upon Hull, City of"} <= names


@published
def test_how_much_two_releases_differ(real: Readings) -> None:
    """Revised authority-years: 242 of 1,359 and 226 of 1,812; 194 of the 204 by more than 1 are of the newest year."""
    changed, larger, larger_in_newest = {}, 0, 0
    for older, newer in ((2022, 2024), (2024, 2025)):
        first, second = by_area_and_year(real.looked_after, older), by_area_and_year(real.looked_after, newer)
        both = first.index.intersection(second.index)
        pairs = pd.concat(
            [pd.DataFrame({"first": first.loc[both, name], "second": second.loc[both, name]}) for name in MEASURES]
        ).dropna()
        gap = (pairs["first"] - pairs["second"]).abs()
        changed[older] = (int((gap > 0).sum()), len(pairs))
        larger += int((gap > 1).sum())
        larger_in_newest += int(((gap > 1) & (pairs.index.get_level_values("year") == older)).sum())
    assert changed == {2022: (242, 1_359), 2024: (226, 1_812)}
    assert (larger, larger_in_newest) == (204, 194)
