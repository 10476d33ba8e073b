"""What if: which questions are refused, and that only what was asked for differs from the published answer.

The small country goes from 500 to 550 children among 250,000 in five years, a rise of 10%. Its three authorities:
Marlshire 20 -> 22 per 10,000, Kings Ferry 20 -> 15, Eastmere 20 -> 39.5.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from pipeline import five_year_change, panel, settings, volatility, what_if
from pipeline.errors import Refusal
from pipeline.five_year_change import Inputs
from pipeline.tables import covariate_tables, frames
from pipeline.what_if import Answer, Question
from tests.fixtures.small_country import END, START, Country, country

CHOSEN = settings.load()
PUBLISHED = Question(
    CHOSEN.classes.england_pct, CHOSEN.classes.movement_pct, CHOSEN.classes.relative_pct, None, None, CHOSEN.seed
)


@pytest.fixture(scope="module")
def small() -> Country:
    return country()


@pytest.fixture(scope="module")
def inputs(small: Country) -> Inputs:
    care_numbers = panel.care_numbers(small.looked_after, small.population, small.local_authorities, small.areas)
    _, usual = volatility.volatility(small.looked_after, small.population, small.areas, CHOSEN.evidence)
    tool = frames.empty(covariate_tables.INTERACTIVE_TOOL)
    return Inputs(small.looked_after, small.population, tool, care_numbers, usual)


@pytest.fixture(scope="module")
def published(small: Country, inputs: Inputs) -> pd.DataFrame:
    return five_year_change.five_year_change(small.windows, inputs, small.areas, CHOSEN).changes


@pytest.fixture
def ask(small: Country, inputs: Inputs):
    def answer(**but: object) -> Answer:
        return what_if.answer(replace(PUBLISHED, **but), inputs, small.areas, CHOSEN)

    return answer


def bucking(found: Answer) -> set[str]:
    return set(found.changes.loc[found.changes["bucked"].fillna(False).astype(bool), "unit_name"])


# ---------------------------------------------------------------------------------------------------------------------
# The answer


def test_the_published_settings_give_the_published_answer(ask, published: pd.DataFrame) -> None:
    found = ask()
    assert (found.window.start, found.window.end, found.window.vintage) == (START, END, "rebased")
    own = published.loc[published["window_end"] == END].reset_index(drop=True)
    but_name = [name for name in own.columns if name != "window_id"]
    pd.testing.assert_frame_equal(found.changes[but_name], own[but_name])
    assert set(found.changes["window_id"]) == {"what_if"}


def test_thresholds_move_the_classes_and_nothing_else(ask) -> None:
    """Kings Ferry fell by 25% and by 32% against the country: with a threshold of 50% it no longer parts from it."""
    usual, wide, still = ask(), ask(relative_pct=50.0), ask(england_pct=10.5)
    assert bucking(usual) == {"Kings Ferry"}
    assert bucking(wide) == set()
    assert set(still.changes["england_direction"]) == {"no_clear_direction"}
    assert still.changes["bucked"].isna().all()
    for found in (wide, still):
        for figure in ("change_pct", "relative_change_pct", "england_change_pct"):
            assert found.changes[figure].to_list() == usual.changes[figure].to_list()


def test_the_movement_threshold_counts_as_well(ask) -> None:
    assert bucking(ask(movement_pct=34.0)) == set()  # ln 1.34 is more than Kings Ferry's ln(20/15)
    assert bucking(ask(movement_pct=33.0)) == {"Kings Ferry"}


def test_the_seed_is_that_of_the_draws(ask) -> None:
    assert set(ask(seed=7).calibration["seed"]) == {7}


def test_the_projects_own_settings_stay_as_they_are(ask) -> None:
    ask(relative_pct=50.0, seed=3)
    assert settings.load() == CHOSEN
    assert (CHOSEN.classes.relative_pct, CHOSEN.seed) == (PUBLISHED.relative_pct, PUBLISHED.seed)


# ---------------------------------------------------------------------------------------------------------------------
# Refusals


@pytest.mark.parametrize(
    ("but", "words"),
    [
        ({"england_pct": -1.0}, ["england_pct", '"-1"', "between 0 and 100"]),
        ({"movement_pct": float("nan")}, ["movement_pct", "nan"]),
        ({"relative_pct": 250.0}, ["relative_pct", '"250"', "published 10"]),
        ({"seed": -5}, ["seed", '"-5"', str(CHOSEN.seed)]),
        ({"start": START}, ["two ends", "give both years"]),
        ({"end": END}, ["two ends"]),
        ({"start": 1999, "end": 2004}, ["1999 and 2004", f"choose reporting years from {START}, {END}"]),
        ({"start": END, "end": START}, ["-5 years long", "3 to 10 years after the start"]),
        ({"start": START, "end": START}, ["0 years long"]),
    ],
)
def test_a_question_without_meaning_is_refused_in_one_sentence(ask, but: dict, words: list[str]) -> None:
    with pytest.raises(Refusal) as refused:
        ask(**but)
    assert all(word in str(refused.value) for word in words), str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_window_without_populations_is_refused(small: Country, inputs: Inputs) -> None:
    early = replace(inputs, population=inputs.population.loc[inputs.population["year"] != START])
    with pytest.raises(Refusal, match=f"{START} to {END} cannot be worked out: no rebased populations"):
        what_if.answer(PUBLISHED, early, small.areas, CHOSEN)


# ---------------------------------------------------------------------------------------------------------------------
# The page


def test_the_page_sets_the_answer_beside_the_published_one(ask, published: pd.DataFrame) -> None:
    own = published.assign(window_id="main_h5")
    page = what_if.page(ask(relative_pct=50.0), own, CHOSEN, is_fictional=False)
    assert page.startswith(f"# What if, {START} to {END}\n")
    assert "not published" in page
    assert "| relative_pct | 50 | 10 |" in page
    assert "England's rate changed by +10.0% and its number by +10.0% over 3 units: up." in page
    assert "0 units moved against England" in page
    assert "which has 1 such units: added none; no longer there Kings Ferry." in page


def test_the_page_lists_who_moved_against_the_nation(ask, published: pd.DataFrame) -> None:
    page = what_if.page(ask(), published, CHOSEN, is_fictional=False)
    assert "| Kings Ferry | -25.0 | -31.8 |" in page
    assert "Marlshire" not in page


def test_the_page_says_when_the_window_is_no_published_one(ask, published: pd.DataFrame) -> None:
    page = what_if.page(ask(), published.assign(window_start=1990), CHOSEN, is_fictional=False)
    assert "This window is not a published one." in page


def test_a_name_cannot_draw_on_the_page(ask, published: pd.DataFrame) -> None:
    found, name = ask(), "Kings | Ferry ![x](http://example.org/x.png) <b>"
    named = found.changes.assign(unit_name=found.changes["unit_name"].replace("Kings Ferry", name))
    page = what_if.page(replace(found, changes=named), published, CHOSEN, is_fictional=False)
    harmless = r"Kings \| Ferry \!\[x\](http://example.org/x.png) \<b\>"
    assert f"| {harmless} | -25.0 | -31.8 |" in page
    assert f"added {harmless}; no longer there Kings Ferry." in page


def test_a_page_about_a_fictional_country_says_so(ask, published: pd.DataFrame) -> None:
    assert what_if.page(ask(), published, CHOSEN, is_fictional=True).startswith("# FICTIONAL: What if")
