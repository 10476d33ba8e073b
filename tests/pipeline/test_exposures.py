"""What a unit is taken to have been exposed to: its value, the day it is of, and why there is none.

Rules on an invented country; counts of the published files against the READMEs that came with them. How a value of several
authorities is put together is tested with its own module (`test_deprivation`, `test_innovation_programme`,
`test_inspections`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest

from pipeline import exposures, geography, innovation_programme, reference_tables, settings, windows
from pipeline.exposures import Inputs
from pipeline.readers.judgements import JUDGED
from pipeline.tables import covariate_tables
from pipeline.tables.frames import conform
from pipeline.windows import HISTORY, STUDY, Window, WindowData
from tests.fixtures import small_country
from tests.fixtures.deprivation_files import Published
from tests.fixtures.readings import Readings
from tests.fixtures.small_country import EASTMERE, KINGS_FERRY, MARLSHIRE, SHA256
from tests.published_files import published

START, END = 2018, 2023  # of the invented window: its own start year must be one that has a measure of deprivation


def judgement(code: str, framework: str, day: dt.date, grade: str, **more: object) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(covariate_tables.INSPECTIONS.column_names)
    return row | {
        "la_code": code, "la_name": code, "framework": framework, "publication_date": day, "overall": grade,
        "source_sha256": SHA256, "source_row": 2, "source_column": "day", "release": 2025,
    } | more  # fmt: skip


def inspections(rows: Iterable[dict[str, object]] = ()) -> pd.DataFrame:
    table = covariate_tables.INSPECTIONS
    return conform(pd.DataFrame(list(rows), columns=table.column_names), table)


def shares(cells: dict[tuple[str, int], float | None], measure: str, basis: str) -> pd.DataFrame:
    """`core.deprivation` from {(code, year): per cent}; None is a gap the publisher left."""
    table = covariate_tables.DEPRIVATION
    rows = [
        dict.fromkeys(table.column_names)
        | {
            "la_code": code, "measure": measure, "basis": basis, "year": year, "as_of": dt.date(year, 3, 31),
            "value": value, "unit": "per cent", "is_derived": False, "release": 2024, "source_sha256": SHA256,
            "marker": None if value is not None else "-", "reason": None if value is not None else "not_available",
            "source_row": 2,
        }
        for (code, year), value in cells.items()
    ]  # fmt: skip
    return conform(pd.DataFrame(rows, columns=table.column_names), table)


def programme(rows: Iterable[tuple[str, str, int, str]] = ()) -> pd.DataFrame:
    """`core.innovation_programme` from (code, programme, start year, confidence)."""
    table = covariate_tables.INNOVATION_PROGRAMME
    full = [
        dict.fromkeys(table.column_names)
        | {
            "la_code": code, "ons_code": code, "la_name": code, "programme": name, "project": f"Project {at}",
            "lead_or_partner": "partner", "start_year": year, "end_year": year + 1, "evidence": "invented",
            "confidence": confidence, "source_sha256": SHA256, "source_row": 2,
        }
        for at, (code, name, year, confidence) in enumerate(rows)
    ]  # fmt: skip
    return conform(pd.DataFrame(full, columns=table.column_names), table)


COUNTRY = small_country.country()


def window_data(role: str = HISTORY) -> WindowData:
    """The invented country's one window, moved to years that have measures of deprivation."""
    data = COUNTRY.main_window
    moved = Window("moved", START, END, data.window.vintage, role)
    return WindowData(moved, data.published, data.units, data.releases, is_estimated=False)


def made(
    deprivation: pd.DataFrame | None = None,
    inspected: pd.DataFrame | None = None,
    took_part: pd.DataFrame | None = None,
    role: str = HISTORY,
) -> pd.DataFrame:
    inputs = Inputs(
        shares({}, "", "") if deprivation is None else deprivation,
        inspections() if inspected is None else inspected,
        programme() if took_part is None else took_part,
        COUNTRY.areas,
        {},
    )
    return exposures.exposures([window_data(role)], inputs)


def one(frame: pd.DataFrame, unit_id: str, variable: str) -> pd.Series:
    rows = frame.loc[(frame["unit_id"] == unit_id) & (frame["variable"] == variable)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_without_any_input_every_unit_has_every_variable_with_a_reason() -> None:
    frame = made()
    per_unit = frame.groupby("unit_id")["variable"].nunique()
    assert set(per_unit.index) == {MARLSHIRE, KINGS_FERRY, EASTMERE} and per_unit.nunique() == 1
    assert frame["value"].isna().equals(frame["reason"].notna())
    # The starting rate is the one covariate that needs no other file: 200 children of 100,000.
    assert one(frame, MARLSHIRE, "baseline_log_rate")["value"] == pytest.approx(np.log(0.002))
    others = frame.loc[frame["variable"] != "baseline_log_rate"]
    assert set(others["reason"]) == {"no_exposure", "no_judgement_in_force"}


# ---------------------------------------------------------------------------------------------------------------------
# Deprivation: the year before either end, within one basis

CILIF = ("cilif_relative_low_income_u16", "cilif_to_2024")


def test_level_is_of_the_year_before_the_start_and_the_change_of_the_year_before_the_end() -> None:
    frame = made(
        shares(
            {(MARLSHIRE, 2017): 20.0, (MARLSHIRE, 2022): 23.5, (KINGS_FERRY, 2017): 10.0, (KINGS_FERRY, 2022): 9.5,
             (EASTMERE, 2017): 5.0, (EASTMERE, 2022): 8.0, (MARLSHIRE, 2018): 90.0, (MARLSHIRE, 2023): 90.0},
            *CILIF,
        )
    )  # fmt: skip
    level, change = (one(frame, MARLSHIRE, f"deprivation_{what}") for what in ("level", "change"))
    assert (level["value"], level["as_of"]) == (20.0, dt.date(2017, 3, 31))
    assert (change["value"], change["as_of"]) == (3.5, dt.date(2022, 3, 31))
    assert "cilif_to_2024" in change["measure"] and "2017 to 2022" in change["measure"]
    # Changes of 3.5, -0.5 and 3.0 points have the mean 2.
    assert one(frame, KINGS_FERRY, "deprivation_change_relative")["value"] == pytest.approx(-2.5)


def test_a_gap_at_either_end_leaves_no_change_and_keeps_its_reason() -> None:
    frame = made(
        shares({(MARLSHIRE, 2017): None, (MARLSHIRE, 2022): 3.0, (EASTMERE, 2017): 5.0, (EASTMERE, 2022): None}, *CILIF)
    )
    assert one(frame, MARLSHIRE, "deprivation_level")["reason"] == "not_available"
    for code in (MARLSHIRE, EASTMERE):
        change = one(frame, code, "deprivation_change")
        assert pd.isna(change["value"]) and change["reason"] == "not_available"


def test_values_on_another_basis_are_no_exposure() -> None:
    cells = {(MARLSHIRE, 2017): 20.0, (MARLSHIRE, 2022): 23.5}
    frame = made(shares(cells, "cilif_relative_low_income_u16", "cilif_from_2022"))
    assert one(frame, MARLSHIRE, "deprivation_change")["reason"] == "no_exposure"


# ---------------------------------------------------------------------------------------------------------------------
# Judgements: in force at the start, by publication

STOCK_DAY = dt.date(START, 3, 31)


def test_a_judgement_counts_from_its_publication_and_never_from_its_inspection() -> None:
    before = judgement(MARLSHIRE, "SIF", dt.date(2016, 5, 1), "Inadequate")
    later = judgement(MARLSHIRE, "ILACS", STOCK_DAY + dt.timedelta(days=1), "Good", inspection_date=dt.date(2018, 2, 1))
    on_the_day = judgement(KINGS_FERRY, "ILACS", STOCK_DAY, "Outstanding")
    frame = made(inspected=inspections([before, later, on_the_day]))
    assert one(frame, MARLSHIRE, "ofsted_good")["value"] == 0
    assert one(frame, MARLSHIRE, "ofsted_not_inadequate")["value"] == 0
    assert one(frame, MARLSHIRE, "ofsted_good_at_end")["value"] == 1
    assert one(frame, MARLSHIRE, "ofsted_good_at_end")["is_post_baseline"]
    assert one(frame, KINGS_FERRY, "ofsted_good")["value"] == 1
    assert one(frame, KINGS_FERRY, "ofsted_score")["value"] == 4
    assert one(frame, KINGS_FERRY, "ofsted_is_ilacs")["value"] == 1
    assert one(frame, EASTMERE, "ofsted_good")["reason"] == "no_judgement_in_force"


@pytest.mark.parametrize("seed", range(20))
def test_no_judgement_after_the_start_enters_the_primary_model(seed: int) -> None:
    """However the reports fall, what was published after the start changes only what is flagged as later."""
    rng = np.random.default_rng(seed)
    grades = ["Outstanding", "Good", "Requires improvement to be good", "Inadequate"]
    days = [STOCK_DAY + dt.timedelta(days=int(shift)) for shift in rng.integers(-1500, 1500, 12)]
    rows = {
        (code, framework, day): judgement(code, framework, day, str(rng.choice(grades)))
        for code, framework, day in zip(
            rng.choice([MARLSHIRE, KINGS_FERRY, EASTMERE], 12), rng.choice(["SIF", "ILACS"], 12), days, strict=True
        )
    }
    known = [row for (_, _, day), row in rows.items() if day <= STOCK_DAY]
    everything, only_known = made(inspected=inspections(rows.values())), made(inspected=inspections(known))
    primary = ["window_id", "unit_id", "variable", "value", "reason", "as_of"]
    at_start = [frame.loc[~frame["is_post_baseline"], primary] for frame in (everything, only_known)]
    pd.testing.assert_frame_equal(*at_start)
    assert (everything.loc[everything["variable"] == "ofsted_good", "as_of"] <= STOCK_DAY).all()


def test_the_windows_of_the_2018_study_take_the_lower_of_the_two_slac_grades() -> None:
    grades = {"overall": None, "safeguarding": "Good", "looked_after": "Inadequate"}
    assert set(grades) <= set(JUDGED)
    row = judgement(MARLSHIRE, "SLAC", dt.date(2011, 1, 1), "", **grades) | {
        "worse_grade": "Inadequate", "overall_reason": "not_applicable",
    }  # fmt: skip
    frame = made(inspected=inspections([row]), role=STUDY)
    good = one(frame, MARLSHIRE, "ofsted_good")
    assert good["value"] == 0 and "adequate" in good["measure"] and not good["is_post_baseline"]
    history = made(inspected=inspections([row]))
    assert one(history, MARLSHIRE, "ofsted_good")["reason"] == "no_judgement_in_force"
    assert one(history, MARLSHIRE, "ofsted_good_slac")["value"] == 0


# ---------------------------------------------------------------------------------------------------------------------
# Programmes


def test_a_project_of_the_year_of_the_start_is_too_late_for_the_primary_model() -> None:
    took_part = programme(
        [(MARLSHIRE, "innovation_r2", START - 1, "published"), (KINGS_FERRY, "innovation_r2", START, "published"),
         (EASTMERE, "innovation_r1", 2015, "recalled")]
    )  # fmt: skip
    frame = made(took_part=took_part)
    found = {code: one(frame, code, "innovation_programme")["value"] for code in (MARLSHIRE, KINGS_FERRY, EASTMERE)}
    assert found == {MARLSHIRE: 1, KINGS_FERRY: 0, EASTMERE: 0}
    assert one(frame, KINGS_FERRY, "innovation_ever")["value"] == 1
    assert one(frame, KINGS_FERRY, "innovation_ever")["is_post_baseline"]
    assert one(frame, EASTMERE, "innovation_with_recalled")["value"] == 1
    assert one(frame, MARLSHIRE, "innovation_projects")["value"] == 1


def test_in_a_window_of_the_study_taking_part_is_at_any_time_and_flagged() -> None:
    took_part = programme([(KINGS_FERRY, "innovation_r2", START + 1, "published")])
    frame = made(took_part=took_part, role=STUDY)
    primary = one(frame, KINGS_FERRY, "innovation_programme")
    assert primary["value"] == 1 and primary["is_post_baseline"]
    assert one(frame, KINGS_FERRY, "innovation_by_start")["value"] == 0


# ---------------------------------------------------------------------------------------------------------------------
# Correlations


def test_correlations_have_their_n_and_none_without_variation() -> None:
    frame = made(
        shares(
            {(MARLSHIRE, 2017): 20.0, (MARLSHIRE, 2022): 21.0, (KINGS_FERRY, 2017): 10.0, (KINGS_FERRY, 2022): 12.0,
             (EASTMERE, 2017): 30.0, (EASTMERE, 2022): 30.0},
            *CILIF,
        ),
        took_part=programme([(MARLSHIRE, "sfpc", 2021, "published")]),
    )  # fmt: skip
    table = exposures.correlations(frame).set_index(["variable", "other_variable"])
    # Changes 1, 2, 0 fall on levels 20, 10, 30 in a straight line.
    falls = table.loc["deprivation_change", "deprivation_level"]
    assert falls["r"] == pytest.approx(-1) and falls["n"] == 3
    assert table.loc["deprivation_level", "sfpc"]["reason"] == "no_variation"  # none had begun by the start
    assert table.loc["deprivation_change", "ofsted_good"]["reason"] == "no_exposure"
    assert (table["r"].isna() == table["reason"].notna()).all()


# ---------------------------------------------------------------------------------------------------------------------
# Published files


@pytest.fixture(scope="module")
def real_exposures(real: Readings, real_deprivation: Published) -> pd.DataFrame:
    references = real.register.references
    core = innovation_programme.core(
        references["innovation_programme"], real.local_authorities, reference_tables.knowledge(references).names
    )
    shares_of_old = geography.split_shares(references["split_child_weights_2016"], real.local_authorities)
    data = windows.all_window_data(real.core_looked_after, real.core_population, real.areas, settings.load().windows)
    inputs = Inputs(real_deprivation.core, real.core_inspections, core, real.areas, shares_of_old)
    return exposures.exposures(data, inputs)


@published
@pytest.mark.parametrize(
    ("window_id", "variable", "n"),
    [
        ("main_h5", "deprivation_change", 149),  # 153 authorities in CiLIF, less two too small and two combinations
        ("main_h5", "ofsted_good", 147),  # methods: the two authorities of 2019 have no judgement of their own yet
        ("prev_h5", "ofsted_good", 147),
        ("orig_h5", "deprivation_change", 148),  # HMRC has all 152; three became one unit and two are too small
        ("main_h5", "innovation_programme", 149),
    ],
)
def test_how_many_units_have_a_value(real_exposures: pd.DataFrame, window_id: str, variable: str, n: int) -> None:
    own = real_exposures.loc[(real_exposures["window_id"] == window_id) & (real_exposures["variable"] == variable)]
    assert own["value"].notna().sum() == n


@published
def test_changes_of_published_measures(real_exposures: pd.DataFrame) -> None:
    """README of the deprivation files: HMRC fell everywhere, by 4.0 points on average; CiLIF 2019 to 2024 rose by 4.3."""
    changes = real_exposures.loc[real_exposures["variable"] == "deprivation_change"].set_index("window_id")["value"]
    assert (changes["orig_h5"] < 0).all() and changes["orig_h5"].mean() == pytest.approx(-4.0, abs=0.05)
    assert changes["main_h5"].mean() == pytest.approx(4.3, abs=0.1)  # units, where the README has authorities


@published
def test_only_the_new_authorities_of_2019_lack_a_judgement_in_2020(real_exposures: pd.DataFrame) -> None:
    own = real_exposures.loc[(real_exposures["window_id"] == "main_h5") & (real_exposures["variable"] == "ofsted_good")]
    assert set(own.loc[own["value"].isna(), "unit_id"]) == {"838", "839"}
