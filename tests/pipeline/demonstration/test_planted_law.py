"""The law of the planted window: what is drawn in memory is what the files tell, and a sound estimate finds it.

Estimates here are least squares written out (methods.md D1), so that they rest on nothing that the project computes.
"""

from __future__ import annotations

import csv
import math
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline import sources
from pipeline.demonstration import PLANTED_TRUTH, atlas, build, country, exposures, window_draw
from pipeline.demonstration.planted import PLANTED, UNITS, Coefficients, Covariates, explained

SEED = 7
TERMS = tuple(UNITS)
T_147 = 1.977  # two-sided 5% point of t with some 143 degrees of freedom
Row = dict[str, str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("country")
    build.build_demonstration(folder, SEED)
    return folder


@pytest.fixture(scope="module")
def fits() -> tuple[np.ndarray, np.ndarray]:
    """Estimates and HC3 standard errors of the five terms, a row a seed."""
    found = [fit(window_draw.draw(seed)) for seed in range(100, 400)]
    return np.array([estimate for estimate, _ in found]), np.array([error for _, error in found])


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fit(draw: window_draw.WindowDraw) -> tuple[np.ndarray, np.ndarray]:
    columns = [np.ones(len(draw.change)), *(getattr(draw.covariates, term) for term in TERMS)]
    x = np.column_stack(columns)
    known = ~np.isnan(x).any(axis=1)
    x, y = x[known], draw.change[known]
    inverse = np.linalg.inv(x.T @ x)
    estimate = inverse @ x.T @ y
    leverage = np.einsum("ij,jk,ik->i", x, inverse, x)
    residual = (y - x @ estimate) / (1 - leverage)
    variance = inverse @ (x.T * residual**2) @ x @ inverse
    return estimate[1:], np.sqrt(np.diag(variance))[1:]


# The terms


def three(**values: list[float]) -> Covariates:
    zeros = {field.name: np.zeros(3) for field in fields(Covariates)}
    return Covariates(**{**zeros, **{name: np.array(own) for name, own in values.items()}})


def test_a_term_is_its_coefficient_times_the_distance_from_the_weighted_mean() -> None:
    covariates = three(deprivation_change=[1.0, 2.0, 5.0])
    # Weighted mean (1 + 2 + 2 x 5) / 4 = 3.25.
    found = explained(covariates, np.array([1.0, 1.0, 2.0]), Coefficients(deprivation_change=0.1))
    assert found == pytest.approx([-0.225, -0.125, 0.175])


def test_terms_add_up_and_the_nation_does_not_move() -> None:
    covariates = three(innovation_programme=[1, 0, 0], ofsted_good=[1, 1, 0], baseline_rate=[-5.0, -4.5, -5.5])
    weights = np.array([300.0, 500.0, 200.0])
    found = explained(covariates, weights)
    parts = [
        explained(three(**{term: list(getattr(covariates, term))}), weights)
        for term in ("innovation_programme", "ofsted_good", "baseline_rate")
    ]
    assert found == pytest.approx(sum(parts))
    assert weights @ found == pytest.approx(0, abs=1e-12)


def test_an_authority_without_a_covariate_is_not_moved_by_it() -> None:
    found = explained(three(ofsted_good=[1.0, 0.0, math.nan]), np.ones(3), Coefficients(ofsted_good=0.2))
    assert found == pytest.approx([0.1, -0.1, 0.0])


def test_taking_part_does_not_pass_on_with_a_small_district() -> None:
    """The county of 2017 took part; a district with 12% of its children went to 595, the rest became 594."""
    drawn = country.simulate_exposures(SEED)
    pieces = atlas.places().pieces
    county = np.array([piece in ("594", "Crestavik") for piece in pieces])
    children = np.full((len(pieces), 17), 1000)
    found = exposures.of_window(replace(drawn, takes_part=county), children, children[:, 0], children[:, 0])
    codes = [atlas.places().authorities[row].code for row in atlas.places().at_window_start]
    assert [code for code, value in zip(codes, found.innovation_programme, strict=True) if value] == ["594"]


# The draw


def test_same_seed_same_draw_and_another_seed_another() -> None:
    first, second, other = (window_draw.draw(seed).change for seed in (3, 3, 4))
    assert (first == second).all()
    assert (first != other).any()


def test_the_draw_is_what_the_files_tell(folder: Path) -> None:
    """Rates from the published files, for every authority that is the same at both ends."""
    draw = window_draw.draw(SEED)
    looked_after: dict[tuple[str, int], int] = {}
    for release, column, kind in ((2024, "number", "population_count"), (2025, "children_count", "population_type")):
        path = folder / "children_looked_after" / str(release) / "cla_number_and_rate_per_10k_children.csv"
        for row in rows_of(path):
            if "looked after o" in row[kind] or "looked after a" in row[kind]:
                if row[column].isdigit():
                    looked_after[row["old_la_code"], int(row["time_period"])] = int(row[column])
    people = {
        (row["old_la_code"], int(row["time_period"])): int(row["population_estimate"])
        for row in rows_of(folder / "population" / "ons_mid-year_population_estimates_2012_to_2024.csv")
        if row["population_estimate"].isdigit()
    }
    compared = 0
    for at, code in enumerate(draw.codes):
        if (code, 2025) in looked_after:
            ends = [math.log(looked_after[code, year] / people[code, year - 1]) for year in (2020, 2025)]
            assert draw.change[at] == pytest.approx(ends[1] - ends[0], abs=1e-12)
            assert draw.covariates.baseline_rate[at] == pytest.approx(ends[0], abs=1e-12)
            compared += 1
    assert compared == len(draw.codes) - 2  # two counties are divided within the window


def test_the_nation_rises_as_it_was_told_whatever_is_planted() -> None:
    """The steps of 2021 to 2025: 0.012 + 0.018 + 0.019 + 0.016 + 0.012."""
    for seed in range(20):
        draw = window_draw.draw(seed)
        pooled = [
            math.log(count.sum() / people.sum())
            for count, people in (
                (draw.looked_after_start, draw.children_start),
                (draw.looked_after_end, draw.children_end),
            )
        ]
        assert pooled[1] - pooled[0] == pytest.approx(0.077, abs=0.0005)


def test_being_planted_goes_with_no_covariate() -> None:
    """Else the planted authorities would pass for a coefficient; correlation of 12 in 151, over 300 seeds: se 0.005."""
    draws = [window_draw.draw(seed) for seed in range(1000, 1300)]
    for term in TERMS:
        correlations = []
        for draw in draws:
            values = getattr(draw.covariates, term)
            known = ~np.isnan(values)
            correlations.append(np.corrcoef(values[known], draw.planted_deviation[known])[0, 1])
        assert abs(np.mean(correlations)) < 4 / math.sqrt(149 * 300), term


# What an estimate finds


@pytest.mark.parametrize("term", TERMS)
def test_estimates_centre_on_what_was_planted(fits: tuple[np.ndarray, np.ndarray], term: str) -> None:
    estimates = fits[0][:, TERMS.index(term)]
    standard_error = estimates.std(ddof=1) / math.sqrt(len(estimates))
    assert abs(estimates.mean() - getattr(PLANTED, term)) < 4 * standard_error


@pytest.mark.parametrize("term", TERMS)
def test_intervals_hold_what_was_planted_nineteen_times_in_twenty(
    fits: tuple[np.ndarray, np.ndarray], term: str
) -> None:
    """Of 300 intervals 285 should; three binomial standard errors are 11."""
    estimates, errors = (values[:, TERMS.index(term)] for values in fits)
    held = int((np.abs(estimates - getattr(PLANTED, term)) < T_147 * errors).sum())
    assert 274 <= held <= 296


def test_most_seeds_show_what_is_there_and_few_what_is_not(fits: tuple[np.ndarray, np.ndarray]) -> None:
    found = (np.abs(fits[0] / fits[1]) > T_147).mean(axis=0)
    for term, share in zip(TERMS, found, strict=True):
        if getattr(PLANTED, term) == 0:
            assert share < 0.09
        else:
            assert share > (0.45 if term == "baseline_rate" else 0.75), (term, share)


# What is written beside the country


def test_coefficients_are_told_beside_the_country(folder: Path) -> None:
    told = {row["term"]: (float(row["value"]), row["unit"]) for row in rows_of(folder / build.PLANTED_COEFFICIENTS)}
    assert told == {term: (value, UNITS[term]) for term, value in asdict(PLANTED).items()}
    assert [term for term, (value, _) in told.items() if value == 0] == ["deprivation_level"]


def test_what_the_covariates_did_is_told_of_every_authority(folder: Path) -> None:
    """Read back: the deviation of an authority of both days is the sum of its terms."""
    draw = window_draw.draw(SEED)
    by_hand = explained(draw.covariates, draw.looked_after_start)
    told = {row["la_code"]: row["explained_log_deviation"] for row in rows_of(folder / PLANTED_TRUTH)}
    assert [code for code, text in told.items() if not text] == ["101", "550"]
    for code, value in zip(draw.codes, by_hand, strict=True):
        if code in told:
            assert float(told[code]) == pytest.approx(value, abs=0.00006)
    assert told["590"] == told["591"]  # divided within the window: one authority when it began


def test_the_truth_is_not_taken_for_a_published_file(folder: Path) -> None:
    register = sources.scan(folder, Path(__file__).parents[3] / "data" / "raw" / "reference")
    assert register.not_used == []
    assert not [file.file for file in register.files if "planted" in file.file]
