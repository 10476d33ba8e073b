"""Fixtures that tests of several rooms share: the published files, the demonstration country, their deprivation tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import groups

pytest_plugins = [
    "tests.fixtures.readings",
    "tests.fixtures.deprivation_files",
    "tests.fixtures.object_store",
    "tests.fixtures.observed_windows",
    "tests.published_files",
]

_TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes long by the lists of `tests/groups.py`."""
    long, slow = groups.files(groups.LONG), groups.files(groups.SLOW)
    for item in items:
        file = item.path.relative_to(_TESTS).as_posix()
        if file in long:
            item.add_marker(pytest.mark.long)
        if file in slow:
            item.add_marker(pytest.mark.slow)
