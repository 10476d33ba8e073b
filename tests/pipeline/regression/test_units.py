"""However the regressions are cut into pieces, and in whatever order these come back, the figures are the same."""

from __future__ import annotations

import pickle
import random
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from pipeline.regression import analysis, models, resampling, specification_curve, terms, units
from pipeline.regression.units import Cut, Tables
from tests.fixtures.observed_windows import CHOSEN, Observed, invented

DRAWS = 101  # a prime number: no range of draws divides it
QUICK = replace(CHOSEN, regression=replace(CHOSEN.regression, resampling_draws=DRAWS, curve_draws=23, moran_draws=9))
CUTS = [Cut(by_window=True), Cut(draws_at_most=40), Cut(by_window=True, draws_at_most=33), Cut(draws_at_most=1000)]
_WINDOWS = ["hist_h5_2018", "main_h4", "main_h5"]  # without exposures, with the model M10, and the primary one


@pytest.fixture(scope="module")
def some(observed_demo: Observed) -> Observed:
    """Three of the demonstration country's windows."""
    own = observed_demo.tables
    chosen = {
        name: frame.loc[frame["window_id"].isin(_WINDOWS)]
        for name, frame in (("changes", own.changes), ("alternates", own.alternates), ("exposures", own.exposures))
    }
    return replace(observed_demo, tables=replace(own, **chosen))


def pieces(observed: Observed, cut: Cut) -> list[units.Piece]:
    return list(analysis.pieces(observed.tables, observed.data, observed.areas, observed.shares, QUICK, cut))


@pytest.fixture(scope="module")
def whole(some: Observed) -> Tables:
    return analysis.regressions(some.tables, some.data, some.areas, some.shares, QUICK)


def of_another_process(piece: units.Piece) -> units.Done:
    """Worked on as elsewhere: nothing is shared with the piece that was cut."""
    done = units.work(pickle.loads(pickle.dumps(piece)), QUICK)
    return pickle.loads(pickle.dumps(done))


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_the_tables_are_the_same_to_the_last_bit_however_the_work_is_cut(
    some: Observed, whole: Tables, cut: Cut
) -> None:
    done = [of_another_process(piece) for piece in pieces(some, cut)]
    random.Random(5).shuffle(done)
    found = units.together(done, QUICK)
    for field in fields(Tables):
        pd.testing.assert_frame_equal(getattr(found, field.name), getattr(whole, field.name), check_exact=True)
    assert whole.coefficients["wild_bootstrap_p"].nunique() > 20  # there is something to be the same


def test_the_pieces_are_named_after_their_windows_and_those_with_tables_come_first(some: Observed) -> None:
    found = pieces(some, Cut(by_window=True, draws_at_most=60))
    assert [piece.name for piece in found] == [*_WINDOWS, *(f"{window}_draws_1" for window in _WINDOWS)]
    assert [list(piece.draws) for piece in found[::3]] == [list(range(60)), list(range(60, DRAWS))]
    assert [piece.makes_tables for piece in found] == [True] * 3 + [False] * 3
    assert [len(piece.panels) for piece in found] == [1] * 3 + [0] * 3  # nothing that is not needed
    assert [piece.name for piece in pieces(some, Cut())] == ["together"]


@pytest.mark.parametrize("wrong", ["missing", "twice"])
def test_a_piece_that_is_missing_or_there_twice_is_noticed(some: Observed, wrong: str) -> None:
    found = pieces(some, Cut(draws_at_most=60))
    done = [units.work(piece, QUICK) for piece in found]
    done = done[:1] if wrong == "missing" else [*done, done[1]]
    with pytest.raises(ValueError, match=f"{60 if wrong == 'missing' else 142} draws of 101 for"):
        units.together(done, QUICK)


@pytest.mark.parametrize(
    ("at_most", "wanted", "ranges"),
    [
        (None, 10, [(0, 10)]),
        (4, 10, [(0, 4), (4, 8), (8, 10)]),
        (10, 10, [(0, 10)]),
        (99, 10, [(0, 10)]),
        (4, 0, [(0, 0)]),
    ],
)
def test_ranges_of_draws_follow_on_one_another(at_most: int | None, wanted: int, ranges: list[tuple[int, int]]) -> None:
    assert [(own.start, own.stop) for own in Cut(draws_at_most=at_most).draws(wanted)] == ranges


def test_tallies_of_two_ranges_are_those_of_both() -> None:
    window = invented()
    fitted = models.models([window], units_of_movement(), QUICK, only_resampled=True)
    assert {one.model for one in fitted} == {"M1", "M2", "M8", "M9"}
    whole = models.resampled(fitted, QUICK)
    first, second = (models.resampled(fitted, QUICK, draws) for draws in (range(17), range(17, DRAWS)))
    assert {key: first[key] + second[key] for key in whole} == whole
    some = whole[models.Key("main_h5", "log_rate_ratio", "M2", False, "primary", terms.INNOVATION)]
    assert some.wild_tally.draws == DRAWS
    assert first != second


def units_of_movement() -> models.volatility.Fit:
    return models.volatility.Fit(0.002, 1.1)


@pytest.mark.parametrize("n", [1, 63, 64, 65, 149, 200])
@pytest.mark.parametrize("passed", [0, 1, 7, 100])
def test_passing_over_draws_leaves_the_stream_where_drawing_them_does(n: int, passed: int) -> None:
    regions = [f"region {place % 4}" for place in range(n)]
    methods = (
        (resampling.pass_over_bits, lambda stream, draws: resampling.random_bits(stream, draws, n)),
        (
            resampling.pass_over_permutations,
            lambda stream, draws: resampling.permutations_within(stream, draws, regions),
        ),
        (resampling.pass_over_webb, lambda stream, draws: resampling.webb_weights(stream, draws, n)),
    )
    for pass_over, draw in methods:
        all_of_them = np.concatenate(list(draw(np.random.default_rng([1, n]), passed + 5)))
        stream = np.random.default_rng([1, n])
        pass_over(stream, passed, n)
        assert np.array_equal(np.concatenate(list(draw(stream, 5))), all_of_them[passed:]), pass_over


def test_another_generator_is_not_passed_over_wrongly() -> None:
    with pytest.raises(TypeError, match="MT19937"):
        resampling.pass_over_bits(np.random.Generator(np.random.MT19937(1)), 3, 10)


# ---------------------------------------------------------------------------------------------------------------------
# The specification curve


@pytest.mark.parametrize("at_most", [5, 22, 23])
def test_the_curve_is_the_same_however_it_is_cut(some: Observed, at_most: int) -> None:
    tables = some.tables.changes, some.tables.alternates, some.tables.exposures, some.tables.volatility
    whole = analysis.curve(*tables, QUICK)
    cut = list(analysis.curve_pieces(*tables, QUICK, Cut(draws_at_most=at_most)))
    done = [analysis.curve_piece(pickle.loads(pickle.dumps(piece)), QUICK) for piece in cut]
    random.Random(1).shuffle(done)
    for frame, expected in zip(specification_curve.together(done, QUICK), whole, strict=True):
        pd.testing.assert_frame_equal(frame, expected, check_exact=True)
    assert set(whole[1]["draws"]) == {23}
    with pytest.raises(ValueError, match="not each of 23 permutations once"):
        specification_curve.together(done[1:], QUICK)
