"""What the compiled tables of areas say, held to the geography README of the published files and to ONS's own history.

The rules over these tables are tested in `test_geography`, how they are known and replaced in `test_reference_tables`.
"""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest

from pipeline import reference_tables
from tests.fixtures.readings import Readings, pick
from tests.published_files import PROJECT_REFERENCES, published

OLD_DORSET = {"835", "836", "837"}


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return {name: table.frame for name, table in reference_tables.load(PROJECT_REFERENCES, {}).items()}


def kept_code(changes: pd.DataFrame) -> set[str]:
    """DfE codes that a change leaves as they are."""
    return set(changes.loc[changes["old_dfe_code"] == changes["new_dfe_code"], "old_dfe_code"])


def test_25_changes_2009_to_2025(frames: dict[str, pd.DataFrame]) -> None:
    changes = frames["la_code_changes"]
    assert len(changes) == 25
    assert set(changes["change_type"]) == {"split", "merge", "recode", "boundary"}
    assert {day[:4] for day in changes["effective_date"]} == {"2009", "2013", "2019", "2020", "2021", "2023", "2025"}
    assert set(changes["effective_date"].str[4:]) == {"-04-01"}  # every reorganisation begins with a financial year


def test_the_lookup_has_158_authorities_under_165_codes(frames: dict[str, pd.DataFrame]) -> None:
    lookup = frames["dfe_la_lookup"]
    assert len(lookup) == 165
    assert lookup["old_la_code"].nunique() == 158
    assert not lookup["new_la_code"].duplicated().any()
    assert lookup["old_la_code"].str.fullmatch(r"\d{3}").all()


def test_a_recode_or_boundary_change_keeps_the_dfe_code(frames: dict[str, pd.DataFrame]) -> None:
    changes = frames["la_code_changes"]
    kept = changes.loc[changes["change_type"].isin(["recode", "boundary"])]
    assert (kept["old_dfe_code"] == kept["new_dfe_code"]).all()
    assert {"825", "815", "933", "840", "929", "390", "370", "373"} <= kept_code(changes)


def test_a_split_or_merge_makes_new_dfe_codes(frames: dict[str, pd.DataFrame]) -> None:
    """But for Cornwall and the Isles of Scilly, which ONS had as one county and the Department as two authorities."""
    changes = frames["la_code_changes"]
    ended = changes.loc[changes["change_type"].isin(["split", "merge"]) & ~changes["old_dfe_code"].isin(["908", "420"])]
    since_2019 = ended.loc[ended["effective_date"] >= "2019-01-01"]
    pairs = set(zip(since_2019["effective_date"], since_2019["old_dfe_code"], since_2019["new_dfe_code"], strict=True))
    assert pairs == {
        ("2019-04-01", "837", "839"), ("2019-04-01", "836", "839"), ("2019-04-01", "835", "839"),
        ("2019-04-01", "835", "838"), ("2021-04-01", "928", "940"), ("2021-04-01", "928", "941"),
        ("2023-04-01", "909", "942"), ("2023-04-01", "909", "943"),
    }  # fmt: skip
    assert not kept_code(ended)


def test_every_code_of_a_change_is_in_the_lookup_but_for_the_counties_of_2009(frames: dict[str, pd.DataFrame]) -> None:
    changes, known = frames["la_code_changes"], set(frames["dfe_la_lookup"]["old_la_code"])
    assert set(changes["new_dfe_code"]) <= known
    unknown = set(changes["old_dfe_code"]) - known
    assert unknown == {"820", "875"}  # Bedfordshire and Cheshire ended before the first release that is read


def test_districts_and_children_of_the_counties(frames: dict[str, pd.DataFrame]) -> None:
    """201 districts of 2016 in 27 counties; the shares of a split county add up, Christchurch has 11.3% of Dorset's."""
    districts, weights = frames["lad16_to_county16"], frames["split_child_weights_2016"]
    assert (len(districts), districts["cty16cd"].nunique()) == (201, 27)
    assert not districts["lad16cd"].duplicated().any()
    shares = weights["share_of_old_children"].astype(float).groupby(weights["old_code"]).sum()
    assert shares.round(4).eq(1).all() and set(shares.index) == {"E10000006", "E10000009", "E10000021"}
    (christchurch,) = weights.loc[weights["districts"] == "Christchurch", "share_of_old_children"]
    assert round(100 * float(christchurch), 1) == 11.3


def test_nine_regions_two_of_whose_parts_are_told_apart(frames: dict[str, pd.DataFrame]) -> None:
    regions = frames["regions"]
    whole = regions.loc[regions["part_of"] == ""]
    assert list(whole["region_code"]) == [f"E1200000{number}" for number in range(1, 10)]
    parts = regions.loc[regions["part_of"] != ""]
    assert dict(zip(parts["region_name"], parts["part_of"], strict=True)) == {
        "Inner London": "E12000007", "Outer London": "E12000007",
    }  # fmt: skip
    assert set(frames["dfe_la_lookup"]["region_code"]) == set(regions["region_code"]) - {"E12000007"}


def test_the_two_that_are_too_small(frames: dict[str, pd.DataFrame]) -> None:
    small = frames["too_small"]
    assert dict(zip(small["la_code"], small["la_name"], strict=True)) == {
        "201": "City of London", "420": "Isles of Scilly",
    }  # fmt: skip
    assert small["reason"].str.len().min() > 20


# ---------------------------------------------------------------------------------------------------------------------
# Against the published files


@published
@pytest.mark.parametrize("name", ["la_code_changes", "dfe_la_lookup", "lad16_to_county16", "split_child_weights_2016"])
def test_the_projects_copy_is_the_compiled_table(real: Readings, name: str) -> None:
    """The folder's own table is used there; it is the same one."""
    table = real.register.references[name]
    assert table.is_from_data_folder
    assert (PROJECT_REFERENCES / f"{name}.csv").read_bytes() == (real.folder / table.file).read_bytes()


@pytest.fixture(scope="module")
def history(real: Readings) -> dict[str, dict[str, str]]:
    """ONS Code History Database, July 2024: code -> its first and last day, as far as it has ended."""
    found = {}
    for path in (real.folder / "geography" / "chd_2024-07").glob("*.json"):
        for code, periods in json.loads(path.read_text(encoding="utf-8"))["areas"].items():
            (period,) = periods
            found[code] = period["date"]
    return found


@published
def test_23_of_25_changes_agree_with_the_code_history_to_the_day(
    frames: dict[str, pd.DataFrame], history: dict[str, dict[str, str]]
) -> None:
    """Old code ends, new code begins the day after. Barnsley and Sheffield of 2025 are newer than that history."""
    agree, newer = 0, set()
    for row in frames["la_code_changes"].itertuples():
        effective = dt.date.fromisoformat(row.effective_date)
        if row.new_code not in history:
            newer.add(row.new_name)
            continue
        assert dt.date.fromisoformat(history[row.old_code]["e"]) + dt.timedelta(days=1) == effective, row.old_name
        assert dt.date.fromisoformat(history[row.new_code]["s"]) == effective, row.new_name
        agree += 1
    assert (agree, newer) == (23, {"Barnsley", "Sheffield"})


@published
def test_the_lookup_has_every_code_of_the_published_files(real: Readings) -> None:
    """Each ONS code stands beside the DfE code that the lookup gives it, in every release and population file."""
    known = real.knowledge.la_code_of_ons_code
    for cells in (real.looked_after, real.population):
        authorities = pick(cells, area_level="authority")
        pairs = authorities[["area_code", "ons_code"]].dropna().drop_duplicates()
        wrong = [(code, ons) for code, ons in pairs.itertuples(index=False) if known.get(ons) != code]
        assert not wrong
    seen = set(pick(real.looked_after, area_level="authority")["area_code"])
    assert len(seen) == 158 == len(set(known.values()) & seen)


@published
def test_how_many_authorities_last_from_2012_to_2025(real: Readings) -> None:
    """146 DfE codes, 145 of them with a rate in 2025 (City of London's count is suppressed); five have gone."""
    stock = pick(real.looked_after, area_level="authority", measure="looked_after")
    first = set(pick(stock, release=2012)["area_code"])
    rate = pick(real.looked_after, release=2025, year=2025, area_level="authority", measure="looked_after_rate_per_10k")
    with_rate = set(rate.loc[rate["value"].notna(), "area_code"])
    alive = {code for code in first if real.areas.in_being(code, dt.date(2025, 3, 31))}
    assert first - alive == OLD_DORSET | {"909", "928"}
    assert (len(alive), len(alive & with_rate), len(with_rate)) == (146, 145, 151)
    assert alive - with_rate == {"201"}


@published
def test_ended_authorities_still_stand_in_the_release_of_2025(real: Readings) -> None:
    codes = set(pick(real.looked_after, release=2025, year=2025, area_level="authority")["area_code"])
    assert len(codes) == 155
    assert {code for code in codes if not real.areas.in_being(code, dt.date(2025, 3, 31))} == {"909", "928"}
