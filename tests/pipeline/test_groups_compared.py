"""The two groups: which windows, whose values, why there is none, and whether a planted difference is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline import groups_compared, settings
from pipeline.tables import covariate_tables, frames

CHOSEN = settings.load()
EXPOSED = ("deprivation_level", "deprivation_change", "ofsted_good", "innovation_programme")
START, END = 2019, 2024


def changes(
    bucked: list[bool | None], *, window_id: str = "prev_h5", direction: str = "up", **but: Any
) -> pd.DataFrame:
    """Units 701, 702, ... of one authority each: 100 children looked after of 20,000, unless said otherwise."""
    n = len(bucked)
    codes = [str(701 + at) for at in range(n)]
    columns = {
        "window_id": [window_id] * n,
        "window_start": START,
        "window_end": END,
        "unit_id": codes,
        "members": codes,
        "england_direction": direction,
        "bucked": pd.array(bucked, dtype="boolean"),
        "looked_after_start": 100,
        "population_start": 20_000,
        "rate_start": 50.0,
    }
    return pd.DataFrame(columns | but)


def exposed(units: pd.DataFrame, **values: list[float | None]) -> pd.DataFrame:
    """Rows of `main.exposures`; a variable that is not given is without exposure, a missing value without judgement."""
    rows = []
    for variable in EXPOSED:
        own = values.get(variable)
        for at, unit_id in enumerate(units["unit_id"]):
            value = own[at] if own else None
            reason = "no_judgement_in_force" if own else "no_exposure"
            rows.append(
                {
                    "window_id": units["window_id"].iloc[0],
                    "unit_id": unit_id,
                    "variable": variable,
                    "value": np.nan if value is None else value,
                    "reason": reason if value is None else None,
                    "measure": f"{variable} as measured",
                    "is_post_baseline": variable == "innovation_programme",
                }
            )
    return pd.DataFrame(rows).astype({"reason": "string"})


def panel(codes: list[str], year: int = START, **but: Any) -> pd.DataFrame:
    columns = {
        "la_code": codes, "year": year, "started": 40, "started_reason": None, "ceased": 30, "ceased_reason": None,
        "uasc_low": 4, "uasc_high": 4, "uasc_reason": None, "uasc_bound_unsure": False,
    }  # fmt: skip
    texts = {name: "string" for name in columns if name.endswith("_reason")}
    return pd.DataFrame(columns | but).astype({**texts, "uasc_low": "Int64", "uasc_high": "Int64", "la_code": "string"})


def spending(codes: list[str], pounds: list[float | None], year: int = START) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "la_code": codes, "la_name": codes, "year": year, "source": "section_251", "measure": "children_looked_after",
            "amount": "total_expenditure", "line": "1", "definition": "s251_from_2018", "value_pounds": pounds,
            "marker": None, "reason": None, "source_sha256": "0" * 64, "source_row": range(len(codes)),
            "source_column": "a",
        }
    )  # fmt: skip
    return frames.conform(frame, covariate_tables.SPENDING)


NO_SPENDING, NO_TOOL = frames.empty(covariate_tables.SPENDING), frames.empty(covariate_tables.INTERACTIVE_TOOL)


def compare(
    units: pd.DataFrame,
    exposures: pd.DataFrame | None = None,
    cells: pd.DataFrame | None = None,
    returns: pd.DataFrame = NO_SPENDING,
) -> pd.DataFrame:
    """`main.groups_compared` by window and variable."""
    found = groups_compared.groups_compared(
        units,
        exposed(units) if exposures is None else exposures,
        panel(list(units["unit_id"])) if cells is None else cells,
        returns,
        NO_TOOL,
        CHOSEN,
    )
    return found.set_index(["window_id", "variable"])


TEN_AND_TEN: list[bool | None] = [True] * 10 + [False] * 10


# ---------------------------------------------------------------------------------------------------------------------
# Windows


def test_the_newest_window_with_a_direction_and_the_study_are_compared() -> None:
    flat = changes([None] * 20, window_id="main_h5", direction="no_clear_direction", window_start=2020, window_end=2025)
    four = changes(TEN_AND_TEN, window_id="main_h4", window_start=2021, window_end=2025)
    older = changes(TEN_AND_TEN, window_id="hist_h5_2023", window_start=2018, window_end=2023)
    study = changes(TEN_AND_TEN, window_id="orig_h5", window_start=2012, window_end=2017)
    every = pd.concat([flat, four, changes(TEN_AND_TEN), older, study], ignore_index=True)
    found = compare(every, exposed(changes(TEN_AND_TEN)), panel(list(study["unit_id"])))
    assert set(found.index.get_level_values(0)) == {"prev_h5", "orig_h5"}
    assert groups_compared.directed_window(every, 5) == "prev_h5"


def test_the_study_is_not_compared_twice() -> None:
    study = changes(TEN_AND_TEN, window_id="orig_h5", window_start=2012, window_end=2017)
    assert len(compare(study, cells=panel(list(study["unit_id"]), 2012))) == 9


def test_without_a_direction_every_measure_is_national_flat() -> None:
    found = compare(changes([None] * 20, direction="no_clear_direction"))
    assert set(found["reason"]) == {"national_flat"}
    assert found[["n_bucked", "bucked_mean", "difference", "p_value", "q_value"]].isna().all().all()
    assert (found["n_tests"] == 0).all()


def test_without_windows_there_are_no_rows() -> None:
    assert compare(changes([]).astype({"window_id": "string"}), exposed(changes(TEN_AND_TEN)).iloc[:0], panel([])).empty


# ---------------------------------------------------------------------------------------------------------------------
# Values


def test_means_medians_and_difference_by_hand() -> None:
    """Rates 40, 50, 60, 70, 130 against 30 five times and 40 five times."""
    units = changes([True] * 5 + [False] * 10, rate_start=[40.0, 50, 60, 70, 130, *[30.0] * 5, *[40.0] * 5])
    row = compare(units).loc[("prev_h5", "baseline_rate")]
    assert (row["bucked_mean"], row["others_mean"], row["difference"]) == (70, 35, 35)
    assert (row["bucked_median"], row["others_median"]) == (60, 35)
    assert (row["n"], row["n_bucked"], row["n_others"], row["n_missing"]) == (15, 5, 10, 0)
    assert row["lower_95"] < 35 < row["upper_95"]
    assert row["standard_deviation"] == pytest.approx(np.std(units["rate_start"], ddof=1))
    assert (row["interval_method"], row["test"], row["compared"]) == ("welch", "welch", "mean")


def test_a_share_is_of_units_and_has_no_median() -> None:
    """6 of 10 against 2 of 10 are good or better: 40 percentage points; Fisher's p is 21,252 / 184,756 = 0.1698."""
    units = changes(TEN_AND_TEN)
    good = [1.0] * 6 + [0.0] * 4 + [1.0] * 2 + [0.0] * 8
    row = compare(units, exposed(units, ofsted_good=good)).loc[("prev_h5", "ofsted_good")]
    assert (row["bucked_mean"], row["others_mean"], row["difference"]) == pytest.approx((60, 20, 40))
    assert row["p_value"] == pytest.approx(0.1698, abs=5e-5)
    assert (row["interval_method"], row["test"], row["compared"]) == ("newcombe_wilson", "fisher_exact", "share")
    assert pd.isna(row["bucked_median"])
    assert row["median_reason"] == "not_applicable"
    assert row["measure"] == "ofsted_good as measured"


def test_what_looks_into_the_window_says_so() -> None:
    found = compare(changes(TEN_AND_TEN))
    assert found.index[found["is_post_baseline"].astype(bool)].to_list() == [("prev_h5", "innovation_programme")]


def test_a_unit_is_the_sum_of_its_members_in_being_at_the_start() -> None:
    """A county of two: 30 + 50 starts among 40,000 are 20 per 10,000. Its successor of 2021 has no row in 2019."""
    units = changes(
        TEN_AND_TEN, population_start=[40_000] + [20_000] * 19, members=["700+701+799", *map(str, range(702, 721))]
    )
    codes = ["700", *map(str, range(701, 721))]
    cells = panel(codes, started=[30, 50, *[40] * 19], ceased=[10, 30, *[30] * 19])
    row = compare(units, cells=cells).loc["prev_h5"]
    assert row.loc["started_per_10k", "bucked_mean"] == pytest.approx(
        20
    )  # the others of the group have 40 / 2 = 20 too
    assert row.loc["ceased_per_10k", "bucked_mean"] == pytest.approx((10 + 9 * 15) / 10)


def test_a_suppressed_member_leaves_the_unit_without_a_figure() -> None:
    codes = list(changes(TEN_AND_TEN)["unit_id"])
    cells = panel(codes, started=[None, *[40] * 19], started_reason=["suppressed", *[None] * 19])
    row = compare(changes(TEN_AND_TEN), cells=cells).loc[("prev_h5", "started_per_10k")]
    assert (row["n"], row["n_bucked"], row["n_missing"], row["missing_reason"]) == (19, 9, 1, "suppressed")
    assert row["bucked_mean"] == 20


def test_a_marked_cell_of_unaccompanied_children_is_the_middle_of_its_bounds() -> None:
    codes = list(changes(TEN_AND_TEN)["unit_id"])
    cells = panel(codes, uasc_low=[0, *[4] * 19], uasc_high=[5, *[4] * 19])
    row = compare(changes(TEN_AND_TEN), cells=cells).loc[("prev_h5", "uasc_share")]
    assert row["bucked_mean"] == pytest.approx((2.5 + 9 * 4) / 10)  # of 100 children each


def test_spending_is_over_the_windows_own_children() -> None:
    """Also in 2012, for which the panel has no population: 3 million pounds among 20,000 children are 150 each."""
    units = changes(TEN_AND_TEN, window_id="orig_h5", window_start=2012, window_end=2017)
    codes = list(units["unit_id"])
    returns = spending(codes, [3e6] * 9 + [5e6] + [2e6] * 9 + [4e6], 2012)
    row = compare(units, cells=panel(codes, 2012), returns=returns).loc[("orig_h5", "spending_per_child")]
    assert (row["bucked_mean"], row["bucked_median"], row["others_mean"]) == pytest.approx((160, 150, 110))
    assert "s251_from_2018" in row["measure"]


# ---------------------------------------------------------------------------------------------------------------------
# Why there is no comparison


def test_no_value_at_all_has_the_reason_of_the_values() -> None:
    row = compare(changes(TEN_AND_TEN)).loc[("prev_h5", "deprivation_level")]
    assert (row["reason"], row["n"], row["n_missing"]) == ("no_exposure", 0, 20)
    assert row["median_reason"] == "no_exposure"
    no_return = compare(changes(TEN_AND_TEN)).loc[("prev_h5", "spending_per_child")]
    assert no_return["reason"] == "not_available"


@pytest.mark.parametrize(
    ("bucked", "reason"), [(4, "too_few_units"), (5, None), (16, "too_few_units"), (0, "too_few_units")]
)
def test_a_group_under_five_is_not_compared(bucked: int, reason: str | None) -> None:
    rates = [50.0 + at for at in range(20)]
    row = compare(changes([True] * bucked + [False] * (20 - bucked), rate_start=rates)).loc[
        ("prev_h5", "baseline_rate")
    ]
    assert (row["reason"] if isinstance(row["reason"], str) else None) == reason
    assert pd.isna(row["p_value"]) == (reason is not None)
    assert pd.isna(row["bucked_mean"]) == (bucked == 0)


def test_where_all_have_the_same_nothing_varies() -> None:
    units = changes(TEN_AND_TEN)
    found = compare(units, exposed(units, innovation_programme=[0.0] * 20)).loc["prev_h5"]
    assert found.loc["innovation_programme", "reason"] == "no_variation"
    assert found.loc["baseline_rate", "reason"] == "no_variation"
    assert found.loc["baseline_rate", "others_mean"] == 50


def test_every_missing_figure_has_its_reason() -> None:
    units = changes([True] * 4 + [False] * 16)
    found = compare(units, exposed(units, ofsted_good=[1.0, None] * 10))
    for column in ("difference", "lower_95", "upper_95", "p_value", "q_value", "standard_deviation"):
        assert (found[column].isna() == found["reason"].notna()).all(), column
    assert (found["bucked_median"].isna() == found["median_reason"].notna()).all()
    assert ((found["n_missing"] > 0) == found["missing_reason"].notna()).all()


# ---------------------------------------------------------------------------------------------------------------------
# As a whole


def test_q_is_over_the_tests_of_the_table() -> None:
    """Two windows of one variable each that can be tested: q of the smaller p is twice it at most."""
    random = np.random.default_rng(7)
    rates = random.normal(60, 10, 40)
    frames_of = [
        changes([True] * 20 + [False] * 20, rate_start=rates + shift * ([1.0] * 20 + [0.0] * 20), **window)
        for shift, window in (
            (np.array(5.0), {"window_id": "prev_h5"}),
            (np.array(9.0), {"window_id": "orig_h5", "window_start": 2012, "window_end": 2017}),
        )
    ]
    units = pd.concat(frames_of, ignore_index=True)
    found = compare(units, exposed(frames_of[0]), panel(list(frames_of[0]["unit_id"])))
    tested = found.loc[found["p_value"].notna()].sort_values("p_value")
    assert tested.index.get_level_values("variable").unique().to_list() == ["baseline_rate"]
    assert (found["n_tests"] == 2).all()
    smaller, larger = tested["p_value"]
    assert tested["q_value"].to_list() == pytest.approx([min(2 * smaller, larger), larger])


def test_the_order_of_rows_changes_nothing() -> None:
    random = np.random.default_rng(3)
    units = changes(TEN_AND_TEN, rate_start=random.normal(60, 10, 20))
    turned = units.sample(frac=1, random_state=1, ignore_index=True)
    pd.testing.assert_frame_equal(compare(units), compare(turned), rtol=1e-12)


def test_a_planted_difference_is_found_and_no_other() -> None:
    """Two groups of 40 and 107 lie a standard deviation apart in one measure, and not in another, 20 times."""
    random = np.random.default_rng(20181129)
    bucked: list[bool | None] = [True] * 40 + [False] * 107
    found = falsely = 0
    for _ in range(20):
        units = changes(bucked, rate_start=60 + 10 * np.array(bucked, dtype=float) + random.normal(0, 10, 147))
        table = compare(units, exposed(units, deprivation_level=list(random.normal(20, 5, 147)))).loc["prev_h5"]
        found += table.loc["baseline_rate", "q_value"] <= 0.05
        falsely += table.loc["deprivation_level", "q_value"] <= 0.05
    assert found == 20  # the power of one is above 0.999
    assert falsely <= 5  # one expected; above five is once in 3,000


def test_the_headline_names_what_differs() -> None:
    units = changes([True] * 20 + [False] * 20, rate_start=[*range(60, 80), *range(40, 60)])
    found = compare(units).reset_index()
    assert groups_compared.apart(found, 0.10) == ["2019 to 2024 baseline_rate"]
    assert groups_compared.apart(found, 0.0) == []


def test_the_settings_say_how_few_are_too_few() -> None:
    chosen = replace(CHOSEN, groups=replace(CHOSEN.groups, fewest_in_group=11))
    units = changes(TEN_AND_TEN, rate_start=[float(at) for at in range(20)])
    found = groups_compared.groups_compared(
        units, exposed(units), panel(list(units["unit_id"])), NO_SPENDING, NO_TOOL, chosen
    )
    assert "too_few_units" in set(found["reason"].dropna())
