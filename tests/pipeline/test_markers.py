"""What a symbol means depends on the release it stands in, and it is never a number.

Sources: the README of the published files ("The meaning of x changes") and the publisher's notes named there.
"""

from __future__ import annotations

import pytest

from pipeline import markers
from pipeline.tables.shared_columns import REASONS


@pytest.mark.parametrize("release", [2010, 2011, 2013, 2017])
@pytest.mark.parametrize(
    ("symbol", "reason"), [("x", "suppressed"), ("..", "not_available"), ("#VALUE!", "not_available")]
)
def test_symbols_up_to_2017(release: int, symbol: str, reason: str) -> None:
    assert markers.reason(symbol, release) == reason


@pytest.mark.parametrize("release", [2018, 2021, 2022, 2025, 2031])
@pytest.mark.parametrize(
    ("symbol", "reason"),
    [("c", "suppressed"), ("k", "suppressed"), ("low", "suppressed"), ("x", "not_available"), ("u", "not_available"),
     ("z", "not_applicable")],
)  # fmt: skip
def test_symbols_since_2018(release: int, symbol: str, reason: str) -> None:
    assert markers.reason(symbol, release) == reason


@pytest.mark.parametrize(("symbol", "reason"), [(":", "not_available"), ("~", "suppressed")])
def test_older_spellings_in_the_release_of_2021(symbol: str, reason: str) -> None:
    """Its notes: ":" for not available, "~" for a figure that would round to 0 but is not zero."""
    assert markers.reason(symbol, 2021) == reason


def test_the_meaning_of_x_changes_with_the_release_of_2018() -> None:
    assert (markers.reason("x", 2017), markers.reason("x", 2018)) == ("suppressed", "not_available")


@pytest.mark.parametrize(("symbol", "release"), [("c", 2017), ("z", 2012), ("#VALUE!", 2022), ("q", 2025), ("", 2025)])
def test_a_symbol_of_no_release_has_no_meaning(symbol: str, release: int) -> None:
    with pytest.raises(KeyError):
        markers.reason(symbol, release)


@pytest.mark.parametrize("release", [2017, 2018])
def test_every_meaning_is_a_reason_and_no_symbol_is_a_number(release: int) -> None:
    symbols = markers.symbols(release)
    assert set(symbols.values()) <= set(REASONS)
    assert not [symbol for symbol in symbols if symbol.isdigit() or symbol in ("", "-", ".")]
