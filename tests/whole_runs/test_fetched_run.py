"""From an empty raw folder to the database: fetched and imported files give what the same files in a folder give.

What belongs here: `care-numbers import`, `fetch` and `run` one after the other, and a release that is amended afterwards.
What does not: what is stored by a fetch (`tests/fetch`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pipeline import places, settings, sources
from pipeline.sources import Register
from pipeline.tables import catalogue
from tests.fixtures.imitation import Imitation
from tests.fixtures.imitation.offers import LOOKED_AFTER, RATES, of_folder, with_more_children
from tests.fixtures.readings import Readings
from tests.published_files import published
from tests.whole_runs.running import Ended, FinishedRun, care_numbers, rows, tables_that_differ

pytestmark = pytest.mark.whole

TOLD_OF_FILES = frozenset(name for name in catalogue.BY_NAME if name.startswith("about."))


@dataclass(frozen=True)
class Fetched:
    """A raw folder that was filled over the network, and the database made of it."""

    imitation: Imitation
    environment: dict[str, str]
    out: Path
    said: Ended

    @property
    def database(self) -> Path:
        return self.out / "care_numbers.duckdb"

    def command(self, *arguments: str | Path) -> Ended:
        ended = care_numbers(*arguments, environment=self.environment)
        assert ended.code == 0, ended.out + ended.err
        return ended

    def run(self) -> Ended:
        return self.command("run", "--data", "published", "--out", self.out)


def fetched_from(folder: Path, scratch: Path) -> Iterator[Fetched]:
    """Import what is got by hand, fetch the rest, and run."""
    offers, others = of_folder(folder)
    by_hand = scratch / "by_hand"
    for path in others:
        target = by_hand / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    with Imitation(offers) as imitation:
        environment = imitation.base_urls() | {places.RAW_VARIABLE: str(scratch / "raw")}
        fetched = Fetched(imitation, environment, scratch / "out", Ended(0, "", ""))
        fetched.command("import", by_hand)
        said = fetched.command("fetch")
        yield Fetched(imitation, environment, scratch / "out", said)


@pytest.fixture(scope="module")
def fetched(demonstration: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetched]:
    """The demonstration country, got over the network."""
    for fetched in fetched_from(demonstration.data, tmp_path_factory.mktemp("fetched_country")):
        fetched.run()
        yield fetched


def test_fetched_files_give_the_same_tables(fetched: Fetched, demonstration: FinishedRun) -> None:
    assert tables_that_differ(demonstration.database, fetched.database, but=TOLD_OF_FILES) == []


def test_the_same_files_took_part(fetched: Fetched, demonstration: FinishedRun) -> None:
    """By their bytes; the names differ, and what was fetched has an address and a time."""
    files = "SELECT sha256 FROM about.sources WHERE origin = 'data_folder' ORDER BY sha256"
    assert rows(fetched.database, files) == rows(demonstration.database, files)
    with_address = rows(
        fetched.database, "SELECT count(*), count(url), count(retrieved) FROM about.sources WHERE release = 2025"
        " AND publication = 'children_looked_after'",
    )  # fmt: skip
    assert with_address == [(1, 1, 1)]


def test_what_a_person_has_to_get_is_listed(fetched: Fetched) -> None:
    """With the page and the name of the file; what was imported is not asked for again."""
    assert "S251" in fetched.said.out.upper() or "section 251" in fetched.said.out.lower()


def test_an_amended_release_is_among_the_revisions_the_next_morning(
    fetched: Fetched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the release of 2025 one authority has one child fewer in 2025, a year that is in no other release.

    The night fetches by itself. The models are resampled a few times only.
    """
    full = settings.load()
    few = replace(full.regression, resampling_draws=99, curve_draws=19, moran_draws=19)
    monkeypatch.setattr(settings, "load", lambda: replace(full, regression=few))
    release = fetched.imitation.offers.release(LOOKED_AFTER, "2025")
    content = release.data_set(RATES).content
    amended = with_more_children(content, year=2025, children=-1)
    ((code, number),) = _changed(content, amended)
    revised = (
        "SELECT value_to FROM main.revisions WHERE la_code = ? AND year = 2025 AND measure = 'looked_after'"
        " AND release_from = 2025 AND release_to = 2025 AND difference = -1 AND edition_from <> ''"
    )
    before = rows(fetched.database, revised, [code])
    release.amend(RATES, amended)
    fetched.command("night", "--data", "published", "--out", fetched.out)
    assert before == []
    assert rows(fetched.database, revised, [code]) == [(number,)]


def _changed(before: bytes, after: bytes) -> list[tuple[str, int]]:
    """Code of the authority and number of every row that differs."""
    pairs = zip(before.decode("utf-8-sig").splitlines(), after.decode("utf-8-sig").splitlines(), strict=True)
    changed = [new.split(",") for old, new in pairs if old != new]
    return [(cells[7], int(cells[12])) for cells in changed]


@published
def test_the_published_files_are_the_same_when_fetched(real: Readings, tmp_path: Path) -> None:
    """Same files, same releases, same corrections; what is computed of them knows neither their names nor their way."""
    for fetched in fetched_from(real.folder, tmp_path):
        raw = Path(fetched.environment[places.RAW_VARIABLE])
        register = sources.scan(raw / "published", places.reference_folder(), raw / "sources.lock.json")
        assert _taking_part(register) == _taking_part(real.register)
        assert {name: table.sha256 for name, table in register.references.items()} == {
            name: table.sha256 for name, table in real.register.references.items()
        }


def _taking_part(register: Register) -> list[tuple[str, int | None, str, str, str]]:
    return sorted((file.layout, file.release, file.part, file.corrections, file.sha256) for file in register.files)
