"""What stands beside every change: all of it there or with a reason, and the published grades a second time."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import change_evidence, evidence, limits, recent_trend, settings, trends, volatility, windows
from pipeline.tables import evidence_tables, main_tables
from pipeline.tables.frames import conform
from pipeline.volatility import Fit
from tests.fixtures import small_country as small
from tests.fixtures.readings import Readings
from tests.fixtures.small_country import Cell
from tests.published_files import published

GOLDEN = Path(__file__).parents[1] / "golden" / "grades.csv"
SETTINGS, CLASSES = settings.load().evidence, settings.load().classes
USUAL, FITTED_YEARS = Fit(a=0.002, b=1.2), (2018, 2025)
ALTERNATES = ("alternates_available", "alternates_agreeing", "is_robust", "robust_reason")
YEARS = range(2018, 2024)


def beside(country: small.Country, usual: Fit = USUAL) -> pd.DataFrame:
    """The main window's units with everything that stands beside their changes, by unit_id."""
    data = country.windows
    changes = trends.changes(data, country.areas.too_small, CLASSES)
    found, _ = change_evidence.with_evidence(
        changes, data, country.looked_after, country.population, country.areas, usual, FITTED_YEARS, SETTINGS
    )
    return found.loc[found["window_id"] == "main_h5"].set_index("unit_id")


def forty(
    counts: Mapping[str, Mapping[int, Cell]] | None = None, people: Mapping[str, int] | None = None
) -> small.Country:
    """Forty authorities of 150 to 250 children among 30,000 in every year from 2018 to 2023, all in one release."""
    codes = [str(number) for number in range(301, 341)]
    random = np.random.default_rng(1)
    stock = {code: {year: int(random.integers(150, 250)) for year in YEARS} for code in codes}
    for code, own in (counts or {}).items():
        stock[code] |= own
    sizes = dict.fromkeys(codes, 30_000) | dict(people or {})
    return small.country().but(
        looked_after=small.looked_after(
            (code, year, 2023, "looked_after", stock[code][year]) for code in codes for year in YEARS
        ),
        population=small.population((code, year, "rebased", sizes[code]) for code in codes for year in YEARS),
        local_authorities=small.local_authorities({code: f"Area {code}" for code in codes}),
    )


@pytest.fixture(scope="module")
def plain() -> pd.DataFrame:
    return beside(forty())


def test_every_declared_column_but_the_alternates_is_there(plain: pd.DataFrame) -> None:
    declared = [column.name for column in evidence_tables.CHANGE_EVIDENCE if column.name not in ALTERNATES]
    assert plain.columns.tolist()[-len(declared) :] == declared


def test_one_unit_by_hand() -> None:
    """200 -> 242 children: the mean of both counts, limits, z and the usual range."""
    found = beside(forty({"301": {2018: 200, 2023: 242}})).loc["301"]
    se = math.sqrt(5 * (0.002 + 1.2 / 221))
    assert (found["mean_number"], found["se_usual"]) == pytest.approx((221, se))
    assert found["z"] == pytest.approx(found["relative_change_log"] / se)
    assert found["usual_high_pct"] == pytest.approx(100 * (math.exp(1.959964 * se) - 1))
    assert found["relative_low_pct"] == pytest.approx(
        100 * (math.exp(found["relative_change_log"] - 1.959964 * se) - 1)
    )
    # 200 children by Byar: 173.24 and 229.73 of 30,000.
    assert (found["rate_start_low"], found["rate_start_high"]) == pytest.approx((173.24 / 3, 229.73 / 3), rel=1e-4)
    assert found["rate_end_low"] < found["rate_end"] < found["rate_end_high"]
    assert (found["n_tested"], found["ab_out_of_period"]) == (40, False)


def test_grade_and_words_are_of_one_mind() -> None:
    found = beside(forty({"301": {2018: 200, 2023: 600}, "302": {2018: 200, 2023: 340}}))
    assert found.loc[["301", "302"], "evidence"].tolist() == ["A", "B"]
    for row in found.itertuples():
        headline = {"A": f"{evidence.EXCEPTIONAL} (40)", "B": evidence.LARGER, "C": evidence.USUAL}[row.evidence]
        assert row.evidence_text.startswith(f"{headline}: ")


def test_without_a_usual_movement_there_is_a_reason_and_all_else_stands() -> None:
    found = beside(forty(), usual=Fit(math.nan, math.nan, reason="not_converged"))
    assert set(found["evidence_reason"]) == {"not_converged"}
    judged = ["se_usual", "z", "p_value", "q_value", "evidence", "evidence_text", "usual_low_pct", "ab_out_of_period"]
    assert found[judged].isna().all(axis=None)
    assert found[["rate_start_low", "baseline_adjusted_change", "fingertips_marker"]].notna().all(axis=None)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [({2021: None}, "Missing values"), ({2021: "c"}, "Missing values"), ({2022: 0}, None), ({2019: 5, 2020: 5}, None)],
    ids=["missing year", "suppressed year", "nobody in one year", "single figures"],
)
def test_a_year_between_the_ends_costs_only_the_marker(
    plain: pd.DataFrame, counts: Mapping[int, Cell], reason: str | None
) -> None:
    found = beside(forty({"301": counts})).loc["301"]
    assert found["evidence"] == plain.at["301", "evidence"]
    if reason:
        assert (found["fingertips_marker"], found["fingertips_reason"]) == ("Cannot be calculated", reason)
    else:
        assert found["fingertips_marker"] != "Cannot be calculated"


def test_the_marker_is_that_of_the_last_five_years_of_rates() -> None:
    """400 children in 2018, then from 100 up by 30 a year: rising over 2019 to 2023, whatever came before."""
    rising = {2018: 400, 2019: 100, 2020: 130, 2021: 160, 2022: 190, 2023: 220}
    found = beside(forty({"301": rising})).loc["301"]
    stock = [rising[year] for year in range(2019, 2024)]
    low, high = limits.rate_limits(stock, [30_000] * 5)
    expected = recent_trend.from_limits(range(2019, 2024), [10_000 * n / 30_000 for n in stock], low, high)
    assert (found["fingertips_marker"], found["fingertips_reason"]) == (expected.marker, expected.reason)
    assert found["fingertips_marker"] == "Increasing"


@pytest.mark.parametrize("counts", [{2018: 0}, {2023: 0}, {2018: "c"}, {2023: "c"}, {2018: None}])
def test_a_bad_end_leaves_the_window_and_spoils_nobody_else(counts: Mapping[int, Cell]) -> None:
    """Left out with its reason in main.exclusions; nothing infinite gets in."""
    found = beside(forty({"301": counts}))
    assert "301" not in found.index
    assert set(found["n_tested"]) == {39}
    assert_finite(found)


def test_an_authority_of_a_few_hundred_children_has_wide_ranges() -> None:
    found = beside(forty({"301": {2018: 1, 2023: 3}}, people={"301": 300}))
    assert_finite(found)
    assert found.at["301", "usual_high_pct"] > 500
    assert found.at["301", "evidence"] == "C"
    assert 0 < found.at["301", "rate_start_low"] < found.at["301", "rate_start_high"]


def test_few_authorities_get_evidence_but_no_line() -> None:
    """Three of them: too few for the line on the start, whose reason says so."""
    found = beside(small.country())
    assert set(found["baseline_reason"]) == {"too_few_units"}
    assert found["evidence"].notna().all()
    assert found["ab_out_of_period"].all()  # 2013 to 2018
    assert set(found["fingertips_reason"]) == {"Missing values"}


def test_no_window_no_rows_and_the_same_columns() -> None:
    found, convergence = change_evidence.with_evidence(
        trends.changes([], frozenset(), CLASSES), [], *_core(forty()), USUAL, FITTED_YEARS, SETTINGS
    )
    assert (len(found), len(convergence)) == (0, 0)
    assert set(found.columns) == set(beside(forty()).reset_index().columns)


def test_scaled_populations_and_another_order_change_no_evidence() -> None:
    country = forty({"301": {2018: 200, 2023: 600}, "302": {2018: 200, 2023: 340}})
    scaled = country.but(
        population=country.population.assign(population_0_17=country.population["population_0_17"] * 7)
    )
    shuffled = country.but(looked_after=country.looked_after.iloc[::-1], population=country.population.iloc[::-1])
    own = beside(country)
    for other in (beside(scaled), beside(shuffled)):
        assert other["evidence"].equals(own["evidence"])
        assert other["fingertips_marker"].equals(own["fingertips_marker"])
        assert other["q_value"].to_numpy() == pytest.approx(own["q_value"].to_numpy(), abs=1e-9)


def _core(country: small.Country) -> tuple:
    return country.looked_after, country.population, country.areas


def assert_finite(found: pd.DataFrame) -> None:
    numbers = found[[column.name for column in evidence_tables.CHANGE_EVIDENCE
                     if column.kind == "number" and column.name in found]]  # fmt: skip
    assert np.isfinite(numbers.to_numpy(dtype=float)).all()


# ---------------------------------------------------------------------------------------------------------------------
# The published files


@pytest.fixture(scope="module")
def real_changes(real: Readings) -> pd.DataFrame:
    data = windows.all_window_data(real.core_looked_after, real.core_population, real.areas, settings.load().windows)
    changes = trends.changes(data, real.areas.too_small, CLASSES)
    usual, table = volatility.volatility(real.core_looked_after, real.core_population, real.areas, SETTINGS)
    years = volatility.from_table(table)[1]
    found, _ = change_evidence.with_evidence(
        changes, data, real.core_looked_after, real.core_population, real.areas, usual, years, SETTINGS
    )
    return found


@published
def test_the_published_grades_worked_out_a_second_time(real_changes: pd.DataFrame) -> None:
    """tests/golden/calculate_evidence.py takes A from the step-up procedure itself, not from adjusted p-values."""
    with GOLDEN.open(encoding="utf-8") as file:
        golden = {(row["window_id"], row["unit_id"]): row for row in csv.DictReader(file)}
    flagged = real_changes.loc[real_changes["evidence"] != "C"].set_index(["window_id", "unit_id"])
    assert set(flagged.index) == set(golden)
    for key, row in flagged.iterrows():
        assert row["evidence"] == golden[key]["grade"], key
        assert row["z"] == pytest.approx(float(golden[key]["z"]), abs=1e-8)


@published
def test_everything_published_is_finite_and_keeps_to_the_declaration(real_changes: pd.DataFrame) -> None:
    assert_finite(real_changes)
    own = [column for column in evidence_tables.CHANGE_EVIDENCE if column.name not in ALTERNATES]
    table = replace(main_tables.CHANGES, columns=(*main_tables.CHANGES.columns, *own))
    assert len(conform(real_changes, table)) == len(real_changes)


@published
def test_windows_that_begin_before_the_fit_say_so(real_changes: pd.DataFrame) -> None:
    """methods.md C5: t0 before 2018."""
    out = real_changes.groupby("window_id")["ab_out_of_period"].first()
    starts = real_changes.groupby("window_id")["window_start"].first()
    assert (out == (starts < 2018)).all()
