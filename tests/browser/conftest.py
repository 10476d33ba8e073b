"""A headless Chromium, the demonstration country's site, and pages opened in it.

What belongs here: opening pages and what happens while they open. What does not: expectations. The browser is Debian's
(`.ci/browser.sh`); where it or its driver is not there the tests are skipped visibly.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.report import site
from tests.fixtures.small_report import publish_small
from tests.whole_runs.running import finished_demonstration

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_ALL_DRAWN = "[...document.querySelectorAll('.drawing[data-chart]')].every((one) => one.dataset.state === 'drawn')"


class Opened:
    """A page in the browser, with what it said on the console, what it asked for, and what it raised."""

    def __init__(self, context: Any, address: Path) -> None:
        self.said: list[str] = []
        self.asked_for: list[str] = []
        self.dialogs: list[str] = []
        self.page = context.new_page()
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"raised: {error}"))
        self.page.on("request", lambda request: self.asked_for.append(request.url))
        self.page.on("dialog", self._dialog)
        self.page.goto(address.as_uri())

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def drawn(self) -> Opened:
        """With all its charts drawn."""
        self.page.wait_for_function(_ALL_DRAWN, timeout=20_000)
        return self


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="the driver of the browser is not installed")
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium on this machine: .ci/browser.sh installs Debian's")
    with playwright.sync_playwright() as driver:
        # Chromium refuses its sandbox to root, who builds in a container.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = driver.chromium.launch(executable_path=program, args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="session")
def demo_site(tmp_path_factory: pytest.TempPathFactory) -> site.Built:
    run = finished_demonstration(tmp_path_factory)
    return site.build(run.database, tmp_path_factory.mktemp("demo_site") / "report")


@pytest.fixture(scope="session")
def small_site(tmp_path_factory: pytest.TempPathFactory) -> site.Built:
    """Three authorities, one of which has a script for a name."""
    folder = tmp_path_factory.mktemp("small_site")
    return site.build(publish_small(folder), folder / "report")


@pytest.fixture(scope="session")
def wide(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def opened(wide: Any) -> Iterator[Callable[[Path], Opened]]:
    """Opens a file in a page of its own."""
    pages: list[Opened] = []

    def open_one(address: Path) -> Opened:
        pages.append(Opened(wide, address))
        return pages[-1]

    yield open_one
    for one in pages:
        one.page.close()
