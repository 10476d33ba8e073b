"""The line of changes on where they started: by hand, against statsmodels, and the published files a second time."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from pipeline import baseline, settings, trends, windows
from tests.fixtures.readings import Readings
from tests.published_files import published

GOLDEN = Path(__file__).parents[1] / "golden" / "evidence.csv"
SETTINGS = settings.load().evidence


def test_the_line_by_hand() -> None:
    """(0, 1), (1, 0), (2, 2): slope 1/2, intercept 1/2, residuals 1/2, -1, 1/2.

    R2 = 1 - 1.5/2 = 1/4 and r = 1/2. Leverages 5/6, 1/3, 5/6, so e/(1-h) = 3, -1.5, 3 and HC3 = (1 x 9 + 0 + 1 x 9) /
    2^2 = 4.5.
    """
    found = baseline.line(np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.0, 2.0]))
    assert (found.slope, found.intercept, found.r2, found.correlation) == pytest.approx((0.5, 0.5, 0.25, 0.5))
    assert found.residuals == pytest.approx([0.5, -1, 0.5])
    assert found.std_error == pytest.approx(math.sqrt(4.5))


def changes(n: int = 60, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    people = random.uniform(20_000, 90_000, n).round()
    stock = (people * np.exp(random.normal(-5, 0.4, n))).round()
    drop = -0.2 * (np.log(stock / people) + 5) + random.normal(0, 0.1, n) * np.exp(np.log(stock / people) + 5)
    return pd.DataFrame(
        {
            "window_id": "main_h5", "window_start": 2020, "window_end": 2025, "change_log": drop,
            "looked_after_start": stock, "population_start": people,
        }
    )  # fmt: skip


def test_the_line_is_that_of_statsmodels() -> None:
    """With HC3 and the t distribution, which it uses only when asked (methods.md E2)."""
    frame = changes()
    table, own = baseline.adjusted(frame, SETTINGS)
    start = np.log(frame["looked_after_start"] / frame["population_start"])
    fitted = sm.OLS(frame["change_log"], sm.add_constant(start)).fit(cov_type="HC3", use_t=True)
    row = table.iloc[0]
    low, high = fitted.conf_int().iloc[1]
    assert row[["intercept", "slope", "std_error", "statistic", "p_value", "r2"]].astype(
        float
    ).tolist() == pytest.approx(
        [*fitted.params, fitted.bse.iloc[1], fitted.tvalues.iloc[1], fitted.pvalues.iloc[1], fitted.rsquared], rel=1e-9
    )
    assert (row["lower_95"], row["upper_95"]) == pytest.approx((low, high), rel=1e-9)
    assert own["baseline_adjusted_change"].to_numpy() == pytest.approx(fitted.resid.to_numpy(), abs=1e-12)
    assert own["baseline_reason"].isna().all()


def test_adjusted_changes_go_with_the_start_no_more() -> None:
    frame = changes()
    _, own = baseline.adjusted(frame, SETTINGS)
    start = np.log(frame["looked_after_start"] / frame["population_start"])
    assert own["baseline_adjusted_change"].mean() == pytest.approx(0, abs=1e-12)
    assert np.corrcoef(start, own["baseline_adjusted_change"])[0, 1] == pytest.approx(0, abs=1e-10)


def test_windows_are_fitted_apart_and_rows_keep_their_place() -> None:
    first, second = changes(seed=1), changes(seed=2).assign(window_id="prev_h5")
    both = pd.concat([first, second], ignore_index=True).sample(frac=1, random_state=3)
    table, own = baseline.adjusted(both, SETTINGS)
    assert table["window_id"].tolist() == ["main_h5", "prev_h5"]
    _, alone = baseline.adjusted(second, SETTINGS)
    of_second = own["baseline_adjusted_change"].sort_index().iloc[60:].to_numpy()
    assert of_second == pytest.approx(alone["baseline_adjusted_change"].to_numpy(), abs=1e-12)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        pytest.param(changes(29), "too_few_units", id="29 units"),
        pytest.param(
            changes().assign(looked_after_start=100, population_start=10_000), "no_variation", id="equal starts"
        ),
        pytest.param(changes().assign(change_log=0.1), "no_variation", id="equal changes"),
        pytest.param(
            changes().assign(looked_after_start=[999] + [100] * 59, population_start=10_000),
            "high_leverage",
            id="one apart",
        ),
    ],
)
def test_why_there_is_no_line(frame: pd.DataFrame, reason: str) -> None:
    table, own = baseline.adjusted(frame, SETTINGS)
    assert table["reason"].tolist() == [reason]
    assert table[["slope", "std_error", "p_value", "r2", "correlation"]].isna().all(axis=None)
    assert own["baseline_adjusted_change"].isna().all()
    assert set(own["baseline_reason"]) == {reason}


def test_no_window_no_line() -> None:
    table, own = baseline.adjusted(changes().iloc[:0], SETTINGS)
    assert (len(table), len(own)) == (0, 0)


@published
def test_the_published_files_worked_out_a_second_time(real: Readings) -> None:
    """tests/golden/calculate_evidence.py writes the sandwich out as two by two matrices."""
    with GOLDEN.open(encoding="utf-8") as file:
        golden = {row["figure"]: float(row["value"]) for row in csv.DictReader(file)}
    data = windows.all_window_data(real.core_looked_after, real.core_population, real.areas, settings.load().windows)
    found = trends.changes(data, real.areas.too_small, settings.load().classes)
    row = baseline.adjusted(found, SETTINGS)[0].set_index("window_id").loc["main_h5"]
    for name in ("slope", "std_error", "correlation"):
        assert row[name] == pytest.approx(golden[f"baseline/{name}"], rel=1e-8)
