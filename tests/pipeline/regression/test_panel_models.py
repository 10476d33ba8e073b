"""The panels of a window: what is in them, which designs they make, and what the two models find in them.

The identities are of balanced panels: Frisch, Waugh and Lovell for effects taken out, and least squares within and between
units apart from each other.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from pipeline import geography, settings, windows
from pipeline.deprivation import CILIF, CILIF_TO_2024, HMRC, HMRC_LOCAL, MeasureYears
from pipeline.readers.population_dfe import PRE_CENSUS, REBASED
from pipeline.regression import panel_models, terms
from pipeline.regression.design import Fit, Fitted, Floats, Problem
from pipeline.regression.observations import WindowUnits
from pipeline.regression.panel_models import Panel
from pipeline.tables import covariate_tables
from pipeline.tables.frames import conform
from pipeline.windows import HISTORY, STUDY, Window, WindowData
from tests.fixtures import small_country
from tests.fixtures.deprivation_files import Published
from tests.fixtures.readings import Readings
from tests.published_files import published

START, END = 2018, 2021
YEARS = tuple(range(START, END + 1))
SETTINGS = settings.load().regression
MEASURE = MeasureYears(CILIF, CILIF_TO_2024, START - 1, END - 1)
REGIONS = ("North Sarn", "South Sarn", "Farravel")


# ---------------------------------------------------------------------------------------------------------------------
# A panel of invented units, and the covariates of its window


def units_of_window(ids: list[str], *, innovation: Floats | None = None, good: Floats | None = None) -> WindowUnits:
    """A window with two covariates: every fifth unit took part, every second was judged good."""
    at = np.arange(len(ids))
    values = pd.DataFrame(
        {
            "innovation_programme": (at % 5 == 0).astype(float) if innovation is None else innovation,
            "ofsted_good": (at % 2 == 0).astype(float) if good is None else good,
        },
        index=ids,
    )
    reasons = values.isna().replace({True: "no_judgement_in_force", False: None}).astype(object)
    units = pd.DataFrame({"unit_name": ids}, index=ids)
    late = {"innovation_programme": True, "ofsted_good": False}
    return WindowUnits("invented", START, END, units, values, reasons, late, {})


def invented(n: int = 45, seed: int = 1) -> tuple[Panel, WindowUnits]:
    """Units whose log rates have effects of their own and of the year, and nothing to do with their shares."""
    random = np.random.default_rng(seed)
    ids = tuple(f"{at:03}" for at in range(n))
    shares = 20 + random.normal(0, 4, (n, 1)) + random.normal(0, 1, (n, len(YEARS)))
    log_rates = -5 + random.normal(0, 0.3, (n, 1)) + random.normal(0, 0.05, (n, len(YEARS)))
    regions = tuple(REGIONS[at % 3] for at in range(n))
    return Panel(MEASURE, YEARS, ids, regions, log_rates, shares, {}), units_of_window(list(ids))


def results(panel: Panel | Problem, window: WindowUnits) -> dict[tuple[str, str, bool], Fitted]:
    """All six models of a panel, by model, variant and region effects."""
    found = []
    for region_effects in (False, True):
        found += panel_models._within_between(window, panel, SETTINGS, region_effects=region_effects)
        found.append(panel_models._two_way(window, panel, SETTINGS, region_effects=region_effects))
    return {(one.model, one.variant, one.region_effects): one for one in found}


def estimate(fitted: Fitted, term: str) -> float:
    assert isinstance(fitted.result, Fit)
    return float(fitted.result.estimate[fitted.result.design.column(term)])


def std_error(fitted: Fitted, term: str) -> float:
    assert isinstance(fitted.result, Fit)
    return float(fitted.result.std_error[fitted.result.design.column(term)])


def test_every_model_is_there_with_its_terms() -> None:
    found = results(*invented())
    variants = [("M5", "primary"), ("M5", "random_intercept"), ("M6", "primary")]
    assert set(found) == {(*one, region_effects) for one in variants for region_effects in (False, True)}
    for (model, _, region_effects), one in found.items():
        assert isinstance(one.result, Fit)
        if model == "M5":
            assert one.outcome == "rate_panel" and not one.is_log
            assert one.terms == (
                "deprivation_within", "deprivation_between", "innovation_programme", "ofsted_good",
                "year: 2019", "year: 2020", "year: 2021",
            )  # fmt: skip
            assert one.post_baseline == {"innovation_programme"}
            assert one.result.design.has_region_effects == region_effects
        else:
            assert one.outcome == "log_rate_panel" and one.is_log and one.terms == ("deprivation_lagged",)
        assert one.result.df == 45 - 1  # units, not rows
        assert one.result.design.n == 45 * len(YEARS)


# ---------------------------------------------------------------------------------------------------------------------
# Identities


def indicators(labels: list[str]) -> Floats:
    return pd.get_dummies(pd.Series(labels)).to_numpy(dtype=float)


def explicit(panel: Panel, *, by_region: bool = False) -> Floats:
    """The share with an indicator for every unit and for every year but the first, in each region or in the country."""
    units = np.repeat(panel.units, len(YEARS)).tolist()
    groups = np.repeat(panel.regions, len(YEARS)) if by_region else np.full(len(units), "")
    years = np.tile(YEARS, len(panel.units))
    of_year = [(years == year) & (groups == group) for group in sorted(set(groups)) for year in YEARS[1:]]
    return np.column_stack([panel.shares.ravel(), indicators(units), *of_year]).astype(float)


@pytest.mark.parametrize("region_effects", [False, True])
def test_two_way_effects_taken_out_are_those_of_indicators(region_effects: bool) -> None:
    """Estimate and clustered error equal those with an indicator for each unit and year, but for k (methods.md D2)."""
    panel, window = invented()
    one = results(panel, window)["M6", "primary", region_effects]
    codes = np.repeat(np.arange(45), len(YEARS))
    whole = sm.OLS(panel.log_rates.ravel(), explicit(panel, by_region=region_effects)).fit(
        cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False}
    )
    assert estimate(one, terms.DEPRIVATION_LAGGED) == pytest.approx(whole.params[0], rel=1e-9)
    # Unit effects nest in the clusters and do not count: the share, one constant, and the years within their groups.
    k = 2 + (len(REGIONS) if region_effects else 1) * (len(YEARS) - 1)
    n, g = 45 * len(YEARS), 45
    factor = np.sqrt(g / (g - 1) * (n - 1) / (n - k))
    assert std_error(one, terms.DEPRIVATION_LAGGED) == pytest.approx(factor * whole.bse[0], rel=1e-9)


def test_two_way_effects_of_published_data() -> None:
    """Grunfeld's ten firms with firm and year effects: value .11772, capital .35792, as R's plm (effect = "twoways").

    Baltagi, Econometric Analysis of Panel Data, has the first three digits (.118 and .358).
    """
    data = sm.datasets.grunfeld.load_pandas().data
    data = data.loc[data["firm"] != "American Steel"]
    invest, value, capital = (
        panel_models.demeaned(data.pivot(index="firm", columns="year", values=name).to_numpy(dtype=float)).ravel()
        for name in ("invest", "value", "capital")
    )
    slopes, *_ = np.linalg.lstsq(np.column_stack([value, capital]), invest, rcond=None)
    assert slopes == pytest.approx([0.11772, 0.35792], abs=5e-6)


def test_within_is_the_estimate_with_unit_indicators() -> None:
    panel, window = invented()
    one = results(panel, window)["M5", "primary", False]
    slopes, *_ = np.linalg.lstsq(explicit(panel), panel.rates.ravel(), rcond=None)
    assert estimate(one, terms.DEPRIVATION_WITHIN) == pytest.approx(slopes[0], rel=1e-9)


def test_between_is_the_estimate_of_the_means() -> None:
    panel, window = invented()
    one = results(panel, window)["M5", "primary", True]
    taking_part, good = np.arange(45) % 5 == 0, np.arange(45) % 2 == 0
    x = np.column_stack([panel.shares.mean(axis=1), taking_part, good, indicators(list(panel.regions))])
    slopes, *_ = np.linalg.lstsq(x, panel.rates.mean(axis=1), rcond=None)
    found = [estimate(one, name) for name in (terms.DEPRIVATION_BETWEEN, terms.INNOVATION, terms.OFSTED_GOOD)]
    assert found == pytest.approx(slopes[:3], rel=1e-9)


@pytest.mark.parametrize("region_effects", [False, True])
def test_a_random_intercept_moves_the_errors_and_not_the_estimates(region_effects: bool) -> None:
    found = results(*invented())
    pooled, other = found["M5", "primary", region_effects], found["M5", "random_intercept", region_effects]
    for term in pooled.terms:
        assert estimate(other, term) == pytest.approx(estimate(pooled, term), rel=1e-6, abs=1e-6)
    assert std_error(other, terms.DEPRIVATION_WITHIN) != pytest.approx(
        std_error(pooled, terms.DEPRIVATION_WITHIN), rel=1e-3
    )


def test_planted_associations_are_found_exactly_without_noise() -> None:
    panel, window = invented()
    rates = 40 + 1.5 * (panel.shares - panel.shares.mean(axis=1, keepdims=True))
    rates += 2.5 * panel.shares.mean(axis=1, keepdims=True) + np.array([0, 1, -2, 3])
    rates += -4.0 * (np.arange(45) % 5 == 0)[:, np.newaxis] - 3.0 * (np.arange(45) % 2 == 0)[:, np.newaxis]
    one = results(replace(panel, log_rates=np.log(rates / 10_000)), window)["M5", "primary", False]
    assert [estimate(one, term) for term in one.terms] == pytest.approx([1.5, 2.5, -4, -3, 1, -2, 3])
    log_rates = -5 + 0.02 * panel.shares + np.arange(45)[:, np.newaxis] / 9 + np.array([0, 0.1, 0.3, -0.2])
    two_way = results(replace(panel, log_rates=log_rates), window)["M6", "primary", False]
    assert estimate(two_way, terms.DEPRIVATION_LAGGED) == pytest.approx(0.02)


@pytest.mark.parametrize("region_effects", [False, True])
def test_what_a_unit_or_a_year_has_alone_moves_no_two_way_estimate(region_effects: bool) -> None:
    panel, window = invented()
    units, years = np.arange(45)[:, np.newaxis] / 7, np.array([0.0, 1.0, -3.0, 0.5])
    moved = replace(panel, log_rates=panel.log_rates + units + years, shares=panel.shares + 3 * units - 2 * years)
    before, after = (results(one, window)["M6", "primary", region_effects] for one in (panel, moved))
    term = terms.DEPRIVATION_LAGGED
    assert (estimate(after, term), std_error(after, term)) == pytest.approx(
        (estimate(before, term), std_error(before, term)), rel=1e-8
    )


# ---------------------------------------------------------------------------------------------------------------------
# What cannot be fitted has its reason


def reasons(found: dict[tuple[str, str, bool], Fitted]) -> dict[str, set[tuple[str, str | None]]]:
    """Reasons and terms of all rows, by model."""
    told: dict[str, set[tuple[str, str | None]]] = {"M5": set(), "M6": set()}
    for (model, *_), one in found.items():
        assert isinstance(one.result, Problem)
        told[model].add((one.result.reason, one.result.term))
    return told


def test_units_are_counted_and_not_their_years() -> None:
    told = reasons(results(*invented(29)))
    assert told == {"M5": {("too_few_units", None)}, "M6": {("too_few_units", None)}}


def test_no_unit_at_all() -> None:
    panel, window = invented()
    nobody = panel.of(np.zeros(45, dtype=bool), {})
    assert reasons(results(nobody, window))["M6"] == {("too_few_units", None)}


def test_shares_that_move_alike_everywhere_are_no_variation() -> None:
    panel, window = invented()
    alike = replace(panel, shares=panel.shares[:, :1] + np.array([0.0, 0.3, 0.7, 1.9]))
    assert reasons(results(alike, window)) == {
        "M5": {("no_variation", "deprivation_within")},
        "M6": {("no_variation", "deprivation_lagged")},
    }


def test_shares_that_move_alike_in_a_region_leave_nothing_beside_region_by_year_effects() -> None:
    panel, window = invented()
    steps = np.array([[0.0, 0.3, 0.7, 1.9], [0.0, 1.0, 0.0, 1.0], [0.0, -1.0, -2.0, 0.0]])
    alike = replace(panel, shares=panel.shares[:, :1] + steps[np.arange(45) % 3])
    found = results(alike, window)
    assert isinstance(found["M6", "primary", False].result, Fit)
    told = found["M6", "primary", True].result
    assert isinstance(told, Problem) and (told.reason, told.term) == ("no_variation", "deprivation_lagged")


def test_a_covariate_without_any_value_is_no_exposure_and_leaves_the_other_model_alone() -> None:
    panel, _ = invented()
    window = units_of_window(list(panel.units), good=np.full(45, np.nan))
    found = results(panel, window)
    told = found["M5", "primary", False]
    assert isinstance(told.result, Problem)
    assert (told.result.reason, told.result.term) == ("no_exposure", "ofsted_good")
    assert set(told.left_out) == set(panel.units)
    assert isinstance(found["M6", "primary", False].result, Fit)


def test_a_covariate_that_is_the_same_everywhere_is_no_variation() -> None:
    panel, _ = invented()
    found = results(panel, units_of_window(list(panel.units), innovation=np.zeros(45)))
    told = found["M5", "primary", True].result
    assert isinstance(told, Problem) and (told.reason, told.term) == ("no_variation", "innovation_programme")


def test_a_covariate_of_one_unit_is_no_number_that_looks_fine() -> None:
    """Its six rows share the leverage, but one cluster has the term to itself: no error can be told for it."""
    panel, _ = invented()
    found = results(panel, units_of_window(list(panel.units), innovation=(np.arange(45) == 7).astype(float)))
    for variant in ("primary", "random_intercept"):
        told = found["M5", variant, False].result
        assert isinstance(told, Problem) and (told.reason, told.term) == ("high_leverage", "innovation_programme")


def test_a_unit_without_a_judgement_is_left_out_of_one_model() -> None:
    panel, _ = invented()
    good = (np.arange(45) % 2).astype(float)
    good[4] = np.nan
    found = results(panel, units_of_window(list(panel.units), good=good))
    assert found["M5", "primary", False].left_out == {"004": "no_judgement_in_force"}
    assert found["M5", "primary", False].result.design.n == 44 * len(YEARS)  # type: ignore[union-attr]
    assert found["M6", "primary", False].left_out == {}


# ---------------------------------------------------------------------------------------------------------------------
# The panel from the core tables

CODES = ("701", "702", "703", "704", "705")


def core_deprivation(cells: dict[tuple[str, int], float | None], measure: str, basis: str) -> pd.DataFrame:
    table = covariate_tables.DEPRIVATION
    rows = [
        dict.fromkeys(table.column_names)
        | {
            "la_code": code, "measure": measure, "basis": basis, "year": year, "as_of": dt.date(year, 3, 31),
            "value": value, "unit": "per cent", "is_derived": False, "release": 2024, "source_row": 2,
            "marker": None if value is not None else "-", "reason": None if value is not None else "not_available",
            "source_sha256": small_country.SHA256,
        }
        for (code, year), value in cells.items()
    ]  # fmt: skip
    return conform(pd.DataFrame(rows, columns=table.column_names), table)


def made(
    *,
    role: str = HISTORY,
    vintage: str = REBASED,
    measure: tuple[str, str] = (CILIF, CILIF_TO_2024),
    gaps: tuple[tuple[str, int], ...] = (),
    marked: tuple[tuple[str, int], ...] = (),
    share_years: tuple[int, ...] = tuple(range(START - 1, END)),
) -> Panel | Problem:
    """Five authorities; 704 and 705 became 706 in 2020. Counts are 100 + the year's last digit, of 50,000 children.

    Shares are the year's last digits; that of 706 is published, and stands for both. `gaps` have no share, `marked` no
    count.
    """
    codes = (*CODES, "706")
    years = {code: range(START, 2020) if code in ("704", "705") else range(START, END + 1) for code in CODES}
    years["706"] = range(2020, END + 1)
    counts = [
        (code, year, year, "looked_after", "c" if (code, year) in marked else 100 + year % 10)
        for code in codes
        for year in years[code]
    ]
    people = [(code, year, vintage, 50_000) for code in codes for year in years[code]]
    shares = {
        (code, year): None if (code, year) in gaps else float(year % 100)
        for code in ("701", "702", "703", "706")
        for year in share_years
    }
    local = small_country.local_authorities({code: f"Area {code}" for code in codes})
    day = dt.date(2019, 4, 1)
    areas = geography.build_areas(local, small_country.area_changes((old, "706", "merge", day) for old in CODES[3:]))
    units = geography.units(areas, START, END)
    ends = tuple(windows.UnitEnds(unit, (1, 1), (1, 1), None, None) for unit in units)
    data = WindowData(Window("invented", START, END, vintage, role), frozenset(codes), ends, (0, 0), False)
    inputs = panel_models.inputs(
        small_country.looked_after(counts),
        small_country.population(people),
        core_deprivation(shares, *measure),
        areas,
        {},
    )
    return panel_models.panel(units_of_window([unit.unit_id for unit in units]), data, inputs)


def test_units_keep_their_boundaries_through_the_years() -> None:
    panel = made()
    assert isinstance(panel, Panel)
    assert panel.units == ("701", "702", "703", "706") and panel.years == YEARS
    # Two authorities until 2019: twice the children, among twice as many.
    assert panel.rates[3] == pytest.approx([2 * 108 / 10, 2 * 109 / 10, 100 / 5, 101 / 5])
    assert panel.rates[0] == pytest.approx([108 / 5, 109 / 5, 100 / 5, 101 / 5])


def test_the_share_of_a_year_is_that_of_the_year_before() -> None:
    panel = made()
    assert isinstance(panel, Panel)
    assert panel.shares.tolist() == [[17, 18, 19, 20]] * 4


def test_a_unit_with_a_gap_in_any_year_is_left_out_with_the_reason() -> None:
    panel = made(gaps=(("701", 2018),), marked=(("702", 2019), ("705", 2018)))
    assert isinstance(panel, Panel)
    assert panel.units == ("703",)
    assert panel.left_out == {"701": "not_available", "702": "suppressed", "706": "suppressed"}


def test_the_gap_of_a_count_is_told_before_that_of_a_share() -> None:
    panel = made(gaps=(("701", 2018),), marked=(("701", 2020),))
    assert isinstance(panel, Panel) and panel.left_out == {"701": "suppressed"}


def test_a_window_of_the_study_takes_its_measure_and_vintage() -> None:
    panel = made(role=STUDY, vintage=PRE_CENSUS, measure=(HMRC, HMRC_LOCAL))
    assert isinstance(panel, Panel) and panel.measure == MeasureYears(HMRC, HMRC_LOCAL, 2017, 2020)


@pytest.mark.parametrize(
    "given",
    [{"measure": (HMRC, HMRC_LOCAL)}, {"share_years": (2017, 2018, 2020)}],
    ids=["another measure", "a year without any share"],
)
def test_without_shares_for_every_year_there_is_no_exposure(given: dict) -> None:
    told = made(**given)
    assert isinstance(told, Problem) and told.reason == "no_exposure"
    assert "cilif_relative_low_income_u16 (cilif_to_2024), 2017 to 2020" in told.detail


# ---------------------------------------------------------------------------------------------------------------------
# Published files


@pytest.fixture(scope="module")
def real_panels(real: Readings, real_deprivation: Published) -> dict[str, Panel | Problem]:
    shares = geography.split_shares(real.register.references["split_child_weights_2016"], real.local_authorities)
    core = real.core_looked_after, real.core_population
    found = panel_models.inputs(*core, real_deprivation.core, real.areas, shares)
    panels = {}
    for data in windows.all_window_data(*core, real.areas, settings.load().windows):
        small = real.areas.too_small
        ids = [one.unit.unit_id for one in data.units if small.isdisjoint(one.unit.members)]
        window = replace(units_of_window(ids), start=data.window.start, end=data.window.end)
        panels[data.window.window_id] = panel_models.panel(window, data, found)
    return panels


@published
@pytest.mark.parametrize(
    ("window_id", "units", "left_out"),
    [
        ("main_h5", 149, {}),  # methods.md B11
        ("prev_h5", 147, {"838+839": "no_denominator"}),  # the same
        ("hist_h5_2021", 146, {"838+839": "no_denominator", "855": "not_available"}),  # Leicestershire FYE 2015, D3
        ("orig_h4", 150, {}),
        ("orig_h5", 148, {}),  # three authorities are one unit (denominator_geography)
    ],
)
def test_units_of_published_panels(
    real_panels: dict[str, Panel | Problem], window_id: str, units: int, left_out: dict[str, str]
) -> None:
    panel = real_panels[window_id]
    assert isinstance(panel, Panel)
    assert len(panel.units) == units and panel.left_out == left_out
    assert np.isfinite(panel.log_rates).all() and np.isfinite(panel.shares).all()


@published
def test_windows_that_begin_before_a_measure_have_no_exposure(real_panels: dict[str, Panel | Problem]) -> None:
    none = {window_id for window_id, panel in real_panels.items() if isinstance(panel, Problem)}
    assert none == {"hist_h5_2018", "hist_h5_2019", "hist_h5_2020"}


@published
def test_rates_of_published_panels(real: Readings, real_panels: dict[str, Panel | Problem]) -> None:
    """Five years of one authority are those of the release, rounded half up; a unit of two is the sum of both."""
    panel = real_panels["main_h5"]
    assert isinstance(panel, Panel)
    rates = real.core_looked_after.loc[
        (real.core_looked_after["measure"] == "looked_after_rate_per_10k") & (real.core_looked_after["release"] == 2025)
    ]
    one = rates.loc[rates["la_code"] == "383"].sort_values("year")["value"]
    own = panel.rates[panel.units.index("383"), 1:]
    assert np.floor(own + 0.5).tolist() == one.tolist()
    assert "940+941" in panel.units
