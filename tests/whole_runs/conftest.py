"""What the tests of whole runs share: the finished run on the demonstration country, and the one on published files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import published_files
from tests.whole_runs.installed import Installed, install
from tests.whole_runs.running import FinishedRun, finished_demonstration, finished_run


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return finished_demonstration(tmp_path_factory)


@pytest.fixture(scope="session")
def published_folder() -> Path:
    """The published files; only tests with the mark `published` ask for it."""
    return published_files.folder()


@pytest.fixture(scope="session")
def published_run(published_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return finished_run(tmp_path_factory, "published_run", published_folder)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The project as installed from its wheel, without a checkout around it."""
    return install(tmp_path_factory.mktemp("installed"))
