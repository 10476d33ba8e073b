"""The pictures that a run leaves in the event log: on the few assets that have one, small, and over their sentences."""

from __future__ import annotations

import base64
import re

import dagster as dg
import pytest

from pipeline import sentences
from tests.assets.conftest import Copy

pytestmark = pytest.mark.whole

WITH_A_PICTURE = {
    "national_trend",
    "five_year_change",
    "funnel_levels",
    "groups_compared",
    "regression_coefficients",
}
LARGEST = 40_000  # bytes: the event log has no retention of its own
SHAPE = re.compile(
    r"!\[(?P<title>[^\]]+)\]\(data:image/png;base64,(?P<image>[A-Za-z0-9+/=]+)\)\n\n(?P<rest>.+)", re.DOTALL
)


@pytest.fixture(scope="module")
def pictures(copy_of_run: Copy) -> dict[str, str]:
    """The picture of each asset that has one, in the finished run, which is the oldest of the instance."""
    run_id = copy_of_run.instance.get_runs()[-1].run_id
    events = copy_of_run.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    made = [event.asset_materialization for event in events if event.asset_materialization]
    return {
        one.asset_key.to_user_string(): str(one.metadata["picture"].value) for one in made if "picture" in one.metadata
    }


def test_the_few_assets_that_people_would_rather_look_at_have_one(pictures: dict[str, str]) -> None:
    assert set(pictures) == WITH_A_PICTURE


@pytest.mark.parametrize("asset", sorted(WITH_A_PICTURE))
def test_a_picture_is_small_fictional_and_over_its_sentences(pictures: dict[str, str], asset: str) -> None:
    found = SHAPE.fullmatch(pictures[asset])
    assert found
    image = base64.b64decode(found["image"], validate=True)
    assert image.startswith(b"\x89PNG\r\n")
    assert 5_000 < len(image) < LARGEST
    assert found["title"].startswith("FICTIONAL: ")
    assert all(sentence in found["rest"] for sentence in sentences.ALL)


def test_a_picture_of_a_trend_has_the_sentences_of_trends(pictures: dict[str, str]) -> None:
    assert all(sentence in pictures["five_year_change"] for sentence in sentences.TREND)
    assert sentences.ECOLOGICAL in pictures["groups_compared"]
