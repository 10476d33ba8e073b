"""The streams of random numbers (methods.md D9)."""

import numpy as np
import pytest

from pipeline import randomness

PURPOSES = {  # methods.md D9
    "NULL_CALIBRATION": 1,
    "VARIANCE_RATIO": 2,
    "WILD": 3,
    "REGION_WILD": 4,
    "FREEDMAN_LANE": 5,
    "SPECIFICATION_CURVE": 6,
    "MORAN": 7,
}


@pytest.mark.parametrize(("name", "number"), PURPOSES.items())
def test_a_purpose_has_the_number_that_the_method_gives_it(name: str, number: int) -> None:
    assert getattr(randomness, name) == number


def test_a_stream_is_that_of_seed_purpose_model_and_term() -> None:
    own = randomness.stream(20181129, randomness.WILD, 2 + randomness.WITH_REGION_EFFECTS, 4)
    assert np.array_equal(own.integers(0, 1000, 20), np.random.default_rng([20181129, 3, 102, 4]).integers(0, 1000, 20))


def test_model_and_term_are_zero_where_there_is_none() -> None:
    own = randomness.stream(20181129, randomness.MORAN)
    assert np.array_equal(own.integers(0, 1000, 20), np.random.default_rng([20181129, 7, 0, 0]).integers(0, 1000, 20))
