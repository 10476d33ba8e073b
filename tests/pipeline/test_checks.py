"""Each invariant passes on good tables and names the one cell that spoils them: methods.md B7.

That the exclusions reconcile is tested with the exclusions (`test_exclusions`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from pipeline import checks, geography, looked_after, settings
from pipeline.checks import BLOCK, WARN, Row
from pipeline.errors import Refusal
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.fixtures.small_country import EASTMERE, ISLAND, KINGS_FERRY, MARLSHIRE
from tests.published_files import published

RULES = settings.load().checks
AREAS = geography.build_areas(small.local_authorities(small.NAMES, too_small=[ISLAND]), small.area_changes([]))
RELEASE = 2022
# Children, starts and ceases of 2021 and 2022, population, and the three whole-number rates of 2022. The rates of
# Marlshire are 52.5, 17.5 and 12.5 before rounding, where rounding half to even would go wrong.
FLOWS = {MARLSHIRE: (200, 210, 70, 60), KINGS_FERRY: (100, 95, 30, 35), EASTMERE: (40, 44, 14, 10)}
PEOPLE = {MARLSHIRE: 40_000, KINGS_FERRY: 30_000, EASTMERE: 8_000}
RATES = {MARLSHIRE: (53, 18, 15), KINGS_FERRY: (32, 10, 12), EASTMERE: (55, 18, 13)}
Key = tuple[str, int, int, str]


def good_cells() -> dict[Key, int | str]:
    cells: dict[Key, int | str] = {}
    for code, (before, after, started, ceased) in FLOWS.items():
        for year, stock in ((2021, before), (2022, after)):
            figures = {"looked_after": stock, "started": started, "ceased": ceased, "population_0_17": PEOPLE[code]}
            if year == 2022:
                names = ("looked_after", "started", "ceased")
                figures |= {f"{name}_rate_per_10k": rate for name, rate in zip(names, RATES[code], strict=True)}
            cells |= {(code, year, RELEASE, measure): value for measure, value in figures.items()}
    return cells


def table(changed: dict[Key, int | str | None] | None = None) -> pd.DataFrame:
    """The good cells with some changed; None leaves the row out."""
    cells = good_cells() | (changed or {})
    return small.looked_after((*key, cell) for key, cell in cells.items())


# Authorities add up to 340 and 349 children, 114 starts and 105 ceases a year; the country is rounded to 10.
TOTALS = {
    (2021, "looked_after"): 340, (2022, "looked_after"): 350, (2021, "started"): 110, (2022, "started"): 110,
    (2021, "ceased"): 110, (2022, "ceased"): 100,
}  # fmt: skip


def totals(changed: dict[tuple[int, str], int] | None = None, release: int = RELEASE) -> pd.DataFrame:
    return small.totals((year, release, measure, n) for (year, measure), n in (TOTALS | (changed or {})).items())


def only(rows: list[Row], name: str, scope: str | None = None) -> Row:
    (row,) = (row for row in rows if row["check_name"] == name and scope in (None, row["scope"]))
    return row


def failed(rows: list[Row]) -> list[str]:
    return [f"{row['check_name']} {row['scope']}: {row['detail']}" for row in rows if row["n_failed"]]


def test_good_tables_pass_every_check() -> None:
    rows = checks.of_looked_after(table(), totals(), AREAS, RULES)
    assert failed(rows) == []
    assert {row["check_name"]: row["n"] for row in rows} == {
        checks.NO_DUPLICATES: 33,
        checks.KNOWN_CODES: 3,
        checks.NUMBER_OR_MARKER: 33,
        checks.EVERY_AUTHORITY: 18,  # 3 authorities, 2 years, 3 measures
        checks.PUBLISHED_RATE: 9,
        checks.SUM_OF_STOCKS: 2,
        checks.SUM_OF_FLOWS: 4,
        checks.STOCK_FLOW: 3,
    }


# ---------------------------------------------------------------------------------------------------------------------
# Published rate


@pytest.mark.parametrize(
    ("measure", "wrong", "detail"),
    [
        ("looked_after", 52, "701 2022 looked_after: published 52, computed 53"),  # half to even
        ("started", 17, "701 2022 started: published 17, computed 18"),
        ("ceased", 16, "701 2022 ceased: published 16, computed 15"),
    ],
)
def test_a_rate_that_is_not_half_up_is_named(measure: str, wrong: int, detail: str) -> None:
    spoilt = table({(MARLSHIRE, 2022, RELEASE, f"{measure}_rate_per_10k"): wrong})
    row = only(checks.published_rate(spoilt), checks.PUBLISHED_RATE)
    assert (row["n"], row["n_failed"], row["severity"], row["detail"]) == (9, 1, BLOCK, detail)


def test_a_rate_is_only_held_to_account_with_all_three_numbers() -> None:
    spoilt = table({(MARLSHIRE, 2022, RELEASE, "population_0_17"): "x", (EASTMERE, 2022, RELEASE, "looked_after"): "c"})
    row = only(checks.published_rate(spoilt), checks.PUBLISHED_RATE)
    assert (row["n"], row["n_failed"]) == (5, 0)


def test_a_rate_is_held_to_the_population_of_its_own_release() -> None:
    older = {(*key[:2], 2021, key[3]): cell for key, cell in good_cells().items() if key[1] == 2021}
    older[(MARLSHIRE, 2021, 2021, "population_0_17")] = 50_000
    older[(MARLSHIRE, 2021, 2021, "looked_after_rate_per_10k")] = 40
    rows = checks.published_rate(table(older))
    assert failed(rows) == [] and {row["scope"] for row in rows} == {"release 2021", "release 2022"}


def test_releases_without_rates_have_nothing_to_check() -> None:
    assert checks.published_rate(small.looked_after([(MARLSHIRE, 2016, 2016, "looked_after", 200)])) == []


# ---------------------------------------------------------------------------------------------------------------------
# Sums against England


@pytest.mark.parametrize(
    ("measure", "england", "check", "severity", "is_failed"),
    [
        ("looked_after", 349 + 5, checks.SUM_OF_STOCKS, BLOCK, False),
        ("looked_after", 349 + 6, checks.SUM_OF_STOCKS, BLOCK, True),
        ("looked_after", 349 - 6, checks.SUM_OF_STOCKS, BLOCK, True),
        ("started", 114 + 10, checks.SUM_OF_FLOWS, WARN, False),
        ("started", 114 + 11, checks.SUM_OF_FLOWS, WARN, True),
        ("ceased", 105 - 11, checks.SUM_OF_FLOWS, WARN, True),
    ],
)
def test_authorities_add_up_to_england_within_its_rounding(
    measure: str, england: int, check: str, severity: str, is_failed: bool
) -> None:
    row = only(checks.authority_sums(table(), totals({(2022, measure): england}), RULES), check)
    assert row["severity"] == severity
    assert row["n_failed"] == int(is_failed)
    if is_failed:
        own = {"looked_after": 349, "started": 114, "ceased": 105}[measure]
        assert row["detail"] == f"{measure} 2022: authorities {own}, England {england}"


def test_a_sum_says_how_many_cells_it_left_out() -> None:
    spoilt = table({(EASTMERE, 2022, RELEASE, "looked_after"): "c"})
    row = only(checks.authority_sums(spoilt, totals({(2022, "looked_after"): 305}), RULES), checks.SUM_OF_STOCKS)
    assert (row["n_failed"], row["detail"]) == (0, "largest gap 0; 1 cells without a number left out of the sums")


def test_a_lost_authority_shows_in_the_sum() -> None:
    spoilt = table({(EASTMERE, 2022, RELEASE, "looked_after"): None})
    row = only(checks.authority_sums(spoilt, totals(), RULES), checks.SUM_OF_STOCKS)
    assert row["detail"] == "looked_after 2022: authorities 305, England 350"


@pytest.mark.parametrize(
    ("release", "n_failed", "detail"),
    [(2010, 0, "not held to it, rounded to 100: largest gap 22"), (2011, 1, "authorities 178, England 200")],
)
def test_only_the_2010_release_is_excused_for_its_rounding_to_100(release: int, n_failed: int, detail: str) -> None:
    cells = small.looked_after([(MARLSHIRE, release, release, "looked_after", 178)])
    england = small.totals([(release, release, "looked_after", 200)])
    row = only(checks.authority_sums(cells, england, RULES), checks.SUM_OF_STOCKS)
    assert row["n_failed"] == n_failed and detail in str(row["detail"])


def test_regions_are_no_england_row() -> None:
    regions = totals({(2022, "looked_after"): 1000}).assign(area_level="region")
    assert checks.authority_sums(table(), regions, RULES) == []


# ---------------------------------------------------------------------------------------------------------------------
# Stock and flow


@pytest.mark.parametrize(
    ("code", "stock", "detail"),
    [
        (MARLSHIRE, 210 + 15, None),  # 15 children are allowed in any authority
        (MARLSHIRE, 210 + 16, "701 2022: gap 16"),
        (MARLSHIRE, 210 - 16, "701 2022: gap -16"),
    ],
)
def test_a_stock_follows_from_the_flows(code: str, stock: int, detail: str | None) -> None:
    row = only(
        checks.stock_flow(table({(code, 2022, RELEASE, "looked_after"): stock}), AREAS, RULES), checks.STOCK_FLOW
    )
    assert (row["n_failed"], row["severity"]) == (int(detail is not None), BLOCK)
    assert row["detail"] == (detail or "median gap 0 children")


@pytest.mark.parametrize(("gap", "n_failed"), [(50, 0), (51, 1)])
def test_a_large_authority_is_allowed_5_per_cent(gap: int, n_failed: int) -> None:
    spoilt = table({(MARLSHIRE, 2021, RELEASE, "looked_after"): 1000 - gap, (MARLSHIRE, 2022, RELEASE, "looked_after"): 1000,
                    (MARLSHIRE, 2022, RELEASE, "ceased"): 70})  # fmt: skip
    assert only(checks.stock_flow(spoilt, AREAS, RULES), checks.STOCK_FLOW)["n_failed"] == n_failed


def test_across_releases_a_gap_only_warns() -> None:
    older = {(*key[:2], 2021, key[3]): cell for key, cell in good_cells().items() if key[1] == 2021}
    cells = {key: cell for key, cell in good_cells().items() if key[1] == 2022} | older
    cells[(MARLSHIRE, 2021, 2021, "looked_after")] = 900
    rows = checks.stock_flow(small.looked_after((*key, cell) for key, cell in cells.items()), AREAS, RULES)
    row = only(rows, checks.STOCK_FLOW_MIXED)
    assert len(rows) == 1
    assert (row["severity"], row["n"], row["detail"]) == (WARN, 3, "701 2022: gap -700")


def test_years_of_one_release_are_not_compared_again_as_mixed() -> None:
    assert [row["check_name"] for row in checks.stock_flow(table(), AREAS, RULES)] == [checks.STOCK_FLOW]


def test_only_the_years_where_releases_meet_are_compared_as_mixed() -> None:
    """2020 is from one release, 2021 and 2022 from the next: the mixed pair is 2020 to 2021 alone."""
    first = {(code, 2020, 2020, "looked_after"): before for code, (before, *_) in FLOWS.items()}
    rows = checks.stock_flow(table(first), AREAS, RULES)
    assert {row["check_name"]: row["n"] for row in rows} == {checks.STOCK_FLOW: 3, checks.STOCK_FLOW_MIXED: 3}


def test_a_missing_year_is_not_stepped_over() -> None:
    """2020 and 2022 are two years apart; their stocks do not follow from one year's flows."""
    cells = {(*key[:1], 2020 if key[1] == 2021 else 2022, *key[2:]): cell for key, cell in good_cells().items()}
    cells[(MARLSHIRE, 2020, RELEASE, "looked_after")] = 900
    row = only(
        checks.stock_flow(small.looked_after((*key, cell) for key, cell in cells.items()), AREAS, RULES),
        checks.STOCK_FLOW,
    )
    assert (row["n"], row["n_failed"]) == (0, 0)


def test_an_authority_that_began_in_the_year_has_no_stock_to_follow_from() -> None:
    day = dt.date(2021, 4, 1)
    changed = replace(AREAS, changes=(geography.Change("799", MARLSHIRE, day),))
    spoilt = table({(MARLSHIRE, 2021, RELEASE, "looked_after"): 0})
    row = only(checks.stock_flow(spoilt, changed, RULES), checks.STOCK_FLOW)
    assert (row["n"], row["n_failed"]) == (2, 0)


def test_without_flows_there_is_nothing_to_follow_from() -> None:
    cells = [(MARLSHIRE, year, RELEASE, "looked_after", 200) for year in (2021, 2022)]
    row = only(checks.stock_flow(small.looked_after(cells), AREAS, RULES), checks.STOCK_FLOW)
    assert (row["n"], row["n_failed"], row["detail"]) == (0, 0, "no started in these files")


# ---------------------------------------------------------------------------------------------------------------------
# Rows and codes


@pytest.mark.parametrize("measure", ["looked_after", "started", "ceased"])
def test_a_missing_row_is_named(measure: str) -> None:
    spoilt = table({(EASTMERE, 2021, RELEASE, measure): None})
    row = only(checks.every_authority_has_a_row(spoilt, AREAS), checks.EVERY_AUTHORITY)
    assert (row["n_failed"], row["severity"]) == (1, BLOCK)
    assert row["detail"] == f"no row for Eastmere (703) in 2021 {measure}"


def test_a_row_with_a_marker_is_a_row() -> None:
    spoilt = table({(EASTMERE, 2021, RELEASE, "looked_after"): "c"})
    assert failed(checks.every_authority_has_a_row(spoilt, AREAS)) == []


def test_only_authorities_in_being_are_asked_for() -> None:
    ended = replace(AREAS, changes=(geography.Change(EASTMERE, KINGS_FERRY, dt.date(2021, 4, 1)),))
    gone = {(EASTMERE, 2022, RELEASE, measure): None for measure in ("looked_after", "started", "ceased")}
    early = {(KINGS_FERRY, 2021, RELEASE, measure): None for measure in ("looked_after", "started", "ceased")}
    assert failed(checks.every_authority_has_a_row(table(gone | early), ended)) == []
    assert failed(checks.every_authority_has_a_row(table(gone | early), AREAS)) != []


def test_an_authority_year_that_stands_there_twice_is_named() -> None:
    cells = table()
    doubled = pd.concat([cells, cells.loc[[0]]], ignore_index=True)
    row = only(checks.keys_and_codes(doubled, AREAS), checks.NO_DUPLICATES)
    assert (row["n_failed"], row["severity"]) == (1, BLOCK)
    assert row["detail"] == "(2022, '701', 2021, 'ceased')"


def test_a_code_outside_the_lookup_is_named() -> None:
    row = only(checks.keys_and_codes(table({("999", 2022, RELEASE, "looked_after"): 5}), AREAS), checks.KNOWN_CODES)
    assert (row["n_failed"], row["severity"], row["detail"]) == (1, BLOCK, "999")


@pytest.mark.parametrize(("value", "marker"), [(5, "c"), (None, None)])
def test_a_cell_with_both_or_neither_is_named(value: int | None, marker: str | None) -> None:
    cells = table()
    at = cells.index[(cells["la_code"] == EASTMERE) & (cells["measure"] == "started") & (cells["year"] == 2022)]
    cells.loc[at, ["value", "marker"]] = [value, marker]
    row = only(checks.keys_and_codes(cells, AREAS), checks.NUMBER_OR_MARKER)
    assert (row["n_failed"], row["severity"], row["detail"]) == (1, BLOCK, "703 2022 started")


def test_a_detail_shows_the_first_three_and_counts_the_rest() -> None:
    spoilt = {
        (code, 2022, RELEASE, f"{measure}_rate_per_10k"): 99 for code in FLOWS for measure in ("started", "ceased")
    }
    row = only(checks.published_rate(table(spoilt)), checks.PUBLISHED_RATE)
    assert row["n_failed"] == 6
    assert str(row["detail"]).count(";") == 2 and str(row["detail"]).endswith(" and 3 more")


# ---------------------------------------------------------------------------------------------------------------------
# One vintage


@pytest.fixture(scope="module")
def results() -> dict[str, pd.DataFrame]:
    return small.country().results()


def test_one_vintage_each_passes(results: dict[str, pd.DataFrame]) -> None:
    assert failed(checks.one_population_vintage(results["care_numbers"], results["five_year_change"])) == []


def test_a_panel_of_two_vintages_is_named(results: dict[str, pd.DataFrame]) -> None:
    mixed = results["care_numbers"].copy()
    mixed.loc[0, "population_vintage"] = "pre_census"
    row = only(
        checks.one_population_vintage(mixed, results["five_year_change"]), checks.ONE_VINTAGE, "main.care_numbers"
    )
    assert (row["n_failed"], row["severity"], row["detail"]) == (1, BLOCK, "panel: pre_census, rebased")


def test_a_window_of_two_vintages_is_named(results: dict[str, pd.DataFrame]) -> None:
    mixed = results["five_year_change"].copy()
    mixed.loc[2, "population_vintage"] = "pre_census"
    rows = checks.one_population_vintage(results["care_numbers"], mixed)
    row = only(rows, checks.ONE_VINTAGE, "main.five_year_change")
    assert (row["n_failed"], row["severity"], row["detail"]) == (1, BLOCK, "main_h5: pre_census, rebased")


def test_two_windows_may_be_on_two_vintages(results: dict[str, pd.DataFrame]) -> None:
    other = results["five_year_change"].assign(window_id="orig_h5", population_vintage="pre_census")
    both = pd.concat([results["five_year_change"], other])
    assert failed(checks.one_population_vintage(results["care_numbers"], both)) == []


# ---------------------------------------------------------------------------------------------------------------------
# The table and the refusal


def outcome(name: str, n_failed: int, severity: str) -> Row:
    return {
        "check_name": name,
        "scope": "release 2022",
        "n": 9,
        "n_failed": n_failed,
        "severity": severity,
        "detail": "x",
    }


def test_a_blocking_failure_stops_publication() -> None:
    found = checks.data_checks([outcome("a", 0, BLOCK), outcome("b", 2, BLOCK), outcome("c", 1, WARN)])
    with pytest.raises(Refusal) as caught:
        checks.refuse_failed(found)
    assert caught.value.code == "check_failed"
    assert caught.value.problem == "the check b failed on release 2022 in 2 of 9 cases: x"
    assert "nothing was published" in caught.value.remedy


@pytest.mark.parametrize(("more", "said"), [(1, "(1 more check failed)"), (2, "(2 more checks failed)")])
def test_the_refusal_counts_the_others(more: int, said: str) -> None:
    found = checks.data_checks([outcome(str(at), 1, BLOCK) for at in range(more + 1)])
    with pytest.raises(Refusal, match=said.replace("(", r"\(").replace(")", r"\)")):
        checks.refuse_failed(found)


def test_warnings_and_passes_stop_nothing() -> None:
    checks.refuse_failed(checks.data_checks([outcome("a", 0, BLOCK), outcome("c", 1, WARN)]))
    checks.refuse_failed(checks.data_checks([]))


def test_one_spoilt_cell_is_refused_from_beginning_to_end() -> None:
    rows = checks.of_looked_after(table({(MARLSHIRE, 2022, RELEASE, "looked_after"): 211}), totals(), AREAS, RULES)
    checks.refuse_failed(checks.data_checks(rows))  # 52.75 is 53 too, and one child is within every tolerance
    rows = checks.of_looked_after(table({(MARLSHIRE, 2022, RELEASE, "looked_after"): 219}), totals(), AREAS, RULES)
    with pytest.raises(Refusal, match="authorities_sum_to_england_stock"):
        checks.refuse_failed(checks.data_checks(rows))


# ---------------------------------------------------------------------------------------------------------------------
# The published files and the demonstration country


@pytest.fixture(scope="module")
def real_rows(real: Readings) -> list[Row]:
    totals_of_files = looked_after.totals(real.looked_after)
    return checks.of_looked_after(real.core_looked_after, totals_of_files, real.areas, RULES)


@published
def test_the_published_files_pass_every_blocking_check(real_rows: list[Row]) -> None:
    checks.refuse_failed(checks.data_checks(real_rows))


@published
def test_6812_published_rates_of_the_last_three_releases_agree(real_rows: list[Row]) -> None:
    """README of the looked-after files: half up in all 6,812 cells."""
    n = [row["n"] for row in real_rows if row["check_name"] == checks.PUBLISHED_RATE and row["scope"] != "release 2021"]
    assert len(n) == 3 and sum(int(str(each)) for each in n) == 6812


@published
def test_the_only_warning_is_leicester_whose_first_release_was_revised(real_rows: list[Row]) -> None:
    """README of the looked-after files: Leicester on 31 March 2017 went from 695 to 639 in later editions."""
    assert failed(real_rows) == [f"{checks.STOCK_FLOW_MIXED} newest releases: 856 2018: gap -47"]


@published
@pytest.mark.parametrize(
    ("check", "release", "largest"),
    [
        # README of the looked-after files, "Rounding" and "Cross-checks".
        (checks.SUM_OF_STOCKS, 2010, 22),
        (checks.SUM_OF_STOCKS, 2011, 4),
        (checks.SUM_OF_STOCKS, 2017, 1),
        (checks.SUM_OF_STOCKS, 2025, 4),
        (checks.SUM_OF_FLOWS, 2010, 93),
        (checks.SUM_OF_FLOWS, 2011, 9),
    ],
)
def test_how_far_authorities_are_from_england(real_rows: list[Row], check: str, release: int, largest: int) -> None:
    assert f"largest gap {largest};" in str(only(real_rows, check, f"release {release}")["detail"])


def test_the_demonstration_country_passes_every_blocking_check(demo: Readings) -> None:
    rows = checks.of_looked_after(demo.core_looked_after, looked_after.totals(demo.looked_after), demo.areas, RULES)
    checks.refuse_failed(checks.data_checks(rows))
    assert {row["check_name"] for row in rows} >= {checks.PUBLISHED_RATE, checks.STOCK_FLOW, checks.STOCK_FLOW_MIXED}
