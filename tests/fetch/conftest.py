"""What the tests of fetching share: the demonstration country on offer, and an empty place to fetch it to.

What belongs here: fixtures. What does not: what they are made of (`desk`, `tests/fixtures/imitation`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fetch.desk import Desk
from tests.fixtures.imitation import Imitation
from tests.fixtures.imitation.offers import Offers, of_folder
from tests.fixtures.readings import Readings


@pytest.fixture(scope="session")
def country(demo: Readings) -> Offers:
    """All that the publishers of the demonstration country offer. Copy it before changing it."""
    return of_folder(demo.folder)[0]


@pytest.fixture
def new_desk(demo: Readings, tmp_path: Path) -> Desk:
    """A raw folder with the country's own tables and no published file; it has no address to ask yet."""
    raw = tmp_path / "raw"
    shutil.copytree(demo.folder / "reference", raw / "published" / "reference")
    return Desk(raw, {})


@pytest.fixture
def imitation(country: Offers) -> Iterator[Imitation]:
    """The services, with everything on offer."""
    with Imitation(country.copy()) as running:
        yield running


@pytest.fixture
def desk(new_desk: Desk, imitation: Imitation) -> Desk:
    """A raw folder without a published file, at which the imitation is asked."""
    return replace(new_desk, settings=imitation.base_urls())


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own settings must not lead a test to the publishers."""
    for name in list(os.environ):
        if name.startswith("CARE_NUMBERS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
