"""A square for each authority, near where it lies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pipeline import geography, places, reference_tables
from pipeline.report.tile_map import tiles


@pytest.fixture(scope="module")
def england() -> dict[str, tuple[float, float]]:
    return geography.locations(reference_tables.load(places.reference_folder(), {})["la_locations"])


def test_no_two_authorities_share_a_square(england: dict[str, tuple[float, float]]) -> None:
    placed = tiles(england)
    assert set(placed) == set(england)
    assert len(set(placed.values())) == len(england)
    assert min(column for column, _ in placed.values()) == min(row for _, row in placed.values()) == 0


def test_north_is_up_and_east_is_right(england: dict[str, tuple[float, float]]) -> None:
    placed = tiles(england)
    codes = sorted(england)
    degrees, squares = (np.array([table[code] for code in codes]) for table in (england, placed))
    assert stats.spearmanr(-degrees[:, 0], squares[:, 1]).statistic > 0.9
    assert stats.spearmanr(degrees[:, 1], squares[:, 0]).statistic > 0.9


def test_the_map_is_not_much_wider_than_its_squares(england: dict[str, tuple[float, float]]) -> None:
    placed = tiles(england)
    columns, rows = (max(square[at] for square in placed.values()) + 1 for at in (0, 1))
    assert columns <= 24 and rows <= 28


def test_the_same_points_give_the_same_squares_in_any_order(england: dict[str, tuple[float, float]]) -> None:
    assert tiles(dict(reversed(list(england.items())))) == tiles(england)


def test_few_points_and_points_in_one_place() -> None:
    assert tiles({}) == {}
    assert tiles({"1": (45.0, -30.0)}) == {"1": (0, 0)}
    assert len(set(tiles({code: (45.0, -30.0) for code in "123456"}).values())) == 6
