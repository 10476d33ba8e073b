"""One small published country for the tests of the report, and its site, each made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.report import published as reading
from pipeline.report import site
from pipeline.report.published import Published
from tests.fixtures.small_report import publish_small


@pytest.fixture(scope="session")
def report_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_small(tmp_path_factory.mktemp("report_database"))


@pytest.fixture(scope="session")
def published(report_database: Path) -> Iterator[Published]:
    """The small country's database, open."""
    with reading.opened(report_database) as opened:
        yield opened


@pytest.fixture(scope="session")
def built(report_database: Path, tmp_path_factory: pytest.TempPathFactory) -> site.Built:
    """Its site. Tests read it and change nothing in it."""
    return site.build(report_database, tmp_path_factory.mktemp("report") / "report")
