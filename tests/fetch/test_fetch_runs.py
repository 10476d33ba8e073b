"""Whole fetches: the first, one without news, one of amended files, and those that end before their time.

What belongs here: what lies in the raw folder and what is said after a fetch, a kill, a full disk, no network. What does
not: the single failures of the services (`test_fetch_behaviours`) and what a run makes of the files
(`tests/whole_runs/test_fetched_run`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import places, source_lock
from pipeline.errors import Refusal
from pipeline.fetch import catalogue
from tests.fetch.desk import QUICK, Desk, item, kinds, kinds_of, parts
from tests.fixtures.imitation import Imitation, faults
from tests.fixtures.imitation.offers import LOOKED_AFTER, RATES, Offers, with_more_children
from tests.fixtures.imitation.server import unreachable
from tests.fixtures.readings import Readings

CSV = r"/data-set/[^/]+/csv$"
DOWNLOADS = r"/csv$|/download$|/files/|/media/|/attachment_data/"
RATES_SOURCE, POPULATION = "dfe_cla_rates", "dfe_population"
# The demonstration country has no series in two releases, no deprivation of 2025 and no CiLIF: that is said each time.
NOT_ALL_OFFERED = ("dfe_cla_national_series", "mhclg_file_11", "dwp_cilif")
FROZEN = 1_700_000_000_000_000_000  # a time of last change that nothing here has by itself


@pytest.fixture(scope="module")
def fetched(
    country: Offers, demo: Readings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Imitation, Desk]]:
    """Everything that is on offer, fetched once. Tests change nothing in it."""
    raw = tmp_path_factory.mktemp("fetched") / "raw"
    shutil.copytree(demo.folder / "reference", raw / "published" / "reference")
    with Imitation(country.copy()) as imitation:
        desk = Desk(raw, imitation.base_urls())
        report = desk.fetch()
        assert report.exit_code == 0, report.lines()
        yield imitation, desk


@pytest.fixture
def rates(imitation: Imitation) -> Imitation:
    """The two newest releases of the rates, and nothing else."""
    imitation.offers = imitation.offers.only(RATES)
    imitation.offers.releases = [entry for entry in imitation.offers.releases if entry.slug in ("2024", "2025")]
    return imitation


# ---------------------------------------------------------------------------------------------------------------------
# The first, and without news


def test_the_first_fetch_registers_every_file_on_offer(fetched: tuple[Imitation, Desk], demo: Readings) -> None:
    """With the bytes of the folder they are offered from: 6 long files and series, 2 of population, 18 wide, 9 others."""
    _, desk = fetched
    desk.check()
    there = {entry.sha256 for entry in demo.register.files}
    assert {entry.sha256 for entry in desk.entries} <= there
    assert len(desk.entries) == 6 + 2 + 3 * 6 + 2 + 2 + 5
    assert all(entry.edition_seen == 1 and entry.retrieved_at for entry in desk.entries)


def test_an_entry_says_where_its_file_came_from(fetched: tuple[Imitation, Desk]) -> None:
    """With the publisher's own addresses, whatever host was asked."""
    imitation, desk = fetched
    data_set = imitation.offers.release(LOOKED_AFTER, "2025").data_set(RATES)
    entry = desk.entry(RATES_SOURCE, "2025")
    site = "https://explore-education-statistics.service.gov.uk"
    assert entry.page_url == f"{site}/find-statistics/{LOOKED_AFTER}/2025"
    assert entry.requested_url == entry.final_url == f"{site}/data-catalogue/data-set/{data_set.id}/csv"
    assert (entry.data_set_file_id, entry.resolved_via) == (data_set.id, "content-api")
    assert (entry.filename, entry.bytes, entry.rows) == (RATES, len(data_set.content), data_set.rows)
    header = data_set.content.decode("utf-8-sig").splitlines()[0].split(",")
    assert entry.header_sha256 == hashlib.sha256("\x1f".join(header).encode()).hexdigest()
    text = data_set.content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    assert entry.text_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert entry.licence == "OGL-UK-3.0"
    assert "127.0.0.1" not in desk.folders.lock.read_text(encoding="utf-8")


def test_a_member_of_an_archive_says_which(fetched: tuple[Imitation, Desk]) -> None:
    imitation, desk = fetched
    archive = imitation.offers.attachment("SFR50_2017_UnderlyingData.zip")
    members = [entry for entry in desk.entries if (entry.source, entry.edition) == ("dfe_cla_before_ees", "2017")]
    assert sorted(entry.filename for entry in members) == [
        "SFR50_ADM2017.csv",
        "SFR50_CEA2017.csv",
        "SFR50_CLA2017.csv",
    ]
    assert {entry.archive_sha256 for entry in members} == {hashlib.sha256(archive.content).hexdigest()}


def test_the_program_says_who_asks(fetched: tuple[Imitation, Desk]) -> None:
    imitation, _ = fetched
    (agent,) = imitation.agents
    assert agent.startswith("Mozilla/5.0 (compatible; care-numbers/")


def test_without_news_nothing_is_written_and_little_asked(fetched: tuple[Imitation, Desk]) -> None:
    """A night without news costs probes only, about two requests a source; a page of gov.uk is one each."""
    imitation, desk = fetched
    before = desk.everything()
    imitation.forget()
    report = desk.fetch()
    assert report.exit_code == 0
    assert {entry.kind for entry in report.items if entry.source not in NOT_ALL_OFFERED} == {"unchanged"}
    assert desk.everything() == before
    assert imitation.asked_for(DOWNLOADS) == []
    assert len(imitation.asked) <= 2 * len(catalogue.load().sources) + 8


def test_a_look_without_fetching_writes_nothing(desk: Desk, rates: Imitation) -> None:
    before = sorted(path.name for path in desk.raw.rglob("*"))
    report = desk.fetch(RATES_SOURCE, dry_run=True)
    assert kinds(report) == {"2025": "would_fetch", "2024": "would_fetch"}
    assert sorted(path.name for path in desk.raw.rglob("*")) == before
    assert rates.asked_for(DOWNLOADS) == []
    desk.fetch(RATES_SOURCE)
    stored = desk.everything()
    rates.offers.release(LOOKED_AFTER, "2025").amend(RATES, b"anything")
    report = desk.fetch(RATES_SOURCE, dry_run=True)
    assert item(report, "2025").kind == "would_fetch"
    assert desk.everything() == stored


# ---------------------------------------------------------------------------------------------------------------------
# Other bytes


def test_the_same_text_with_other_line_ends_is_no_edition(desk: Desk, rates: Imitation) -> None:
    desk.fetch(RATES_SOURCE)
    release = rates.offers.release(LOOKED_AFTER, "2025")
    content = release.data_set(RATES).content
    other = content.replace(b"\r\n", b"\n") if b"\r\n" in content else content.replace(b"\n", b"\r\n")
    release.amend(RATES, other.removeprefix(b"\xef\xbb\xbf"))
    before = [entry.sha256 for entry in desk.entries]
    assert item(desk.fetch(RATES_SOURCE), "2025").kind == "same_text"
    assert [entry.sha256 for entry in desk.entries] == before
    desk.check()


def test_under_pins_other_bytes_are_kept_aside(desk: Desk, rates: Imitation) -> None:
    desk.fetch(RATES_SOURCE)
    before = desk.everything()
    amended = with_more_children(rates.offers.release(LOOKED_AFTER, "2025").data_set(RATES).content)
    rates.offers.release(LOOKED_AFTER, "2025").amend(RATES, amended)
    report = desk.fetch(RATES_SOURCE, locked=True)
    line = item(report, "2025")
    (aside,) = desk.folders.quarantine.rglob("*.rejected")
    assert aside.read_bytes() == amended
    assert (line.kind, aside.name in line.sentence) == ("failed", True)
    assert {name: kept for name, kept in desk.everything().items() if not name.startswith("quarantine")} == before
    assert item(desk.fetch(RATES_SOURCE), "2025").kind == "amended"  # without the pins it is an edition


def test_pins_rebuild_a_lost_folder(desk: Desk, rates: Imitation) -> None:
    """The lock file travels with the code: elsewhere it names the bytes to get."""
    desk.fetch(RATES_SOURCE)
    lock = desk.folders.lock.read_bytes()
    for entry in desk.entries:
        (desk.folders.published / entry.file).unlink()
    report = desk.fetch(RATES_SOURCE, locked=True)
    assert report.exit_code == 0, report.lines()
    desk.check()
    assert [entry.sha256 for entry in desk.entries] == [
        entry.sha256 for entry in source_lock.read(desk.folders.lock).values()
    ]
    assert len(lock) == len(desk.folders.lock.read_bytes())


# ---------------------------------------------------------------------------------------------------------------------
# Before its time


@contextlib.contextmanager
def fetching(desk: Desk, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, which heeds Ctrl-C though the tests may be run in the background of a shell."""
    program = Path(sys.executable).with_name("care-numbers")
    environment = dict(os.environ) | dict(desk.settings) | {places.RAW_VARIABLE: str(desk.raw)}
    command = [str(program), "fetch", *arguments]
    with subprocess.Popen(
        command,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_a_fetch_that_is_ended_in_mid_download_is_resumed(desk: Desk, rates: Imitation, ended_by: int) -> None:
    """The first file is there, the second half there; the next fetch gets the second alone."""
    older = rates.offers.release(LOOKED_AFTER, "2024").data_set(RATES)
    rates.spoil(f"/{older.id}/", faults.held(go_on := threading.Event()))
    with fetching(desk, "--source", RATES_SOURCE) as process:
        assert rates.half_sent.wait(20)
        process.send_signal(ended_by)
        process.wait(60)  # a busy machine takes its time; one that goes on downloading never ends
    go_on.set()
    assert process.returncode != 0
    assert {entry.edition for entry in desk.entries} <= {"2025"}
    rates.mend()
    rates.forget()
    report = desk.fetch()  # a source that is named would be looked at anew
    assert kinds_of(report, RATES_SOURCE) == {"2025": "unchanged", "2024": "new"}
    assert len(rates.asked_for(CSV)) == 1
    assert parts(desk.raw) == []
    desk.check()


def test_of_two_fetches_at_once_the_second_says_so(desk: Desk, rates: Imitation) -> None:
    rates.spoil(CSV, faults.held(go_on := threading.Event()), times=1)
    with fetching(desk, "--source", RATES_SOURCE) as first:
        assert rates.half_sent.wait(20)
        with pytest.raises(Refusal) as refusal:
            desk.fetch(RATES_SOURCE)
        assert f"process {first.pid}" in str(refusal.value)
        go_on.set()
        out, err = first.communicate(timeout=30)
    assert first.returncode == 0, out + err
    assert {entry.edition for entry in desk.entries} == {"2024", "2025"}
    desk.check()


def test_a_full_disk_leaves_nothing_half_there(desk: Desk, rates: Imitation, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("pipeline.fetch.client.os.fsync", no_room)
        with pytest.raises(Refusal) as refusal:
            desk.fetch(RATES_SOURCE)
    assert refusal.value.code == "disk_full"
    assert desk.entries == []
    desk.check()
    assert kinds(desk.fetch(RATES_SOURCE)) == {"2025": "new", "2024": "new"}


# ---------------------------------------------------------------------------------------------------------------------
# Nobody answers


def test_without_a_network_every_source_is_told_in_a_sentence(new_desk: Desk) -> None:
    began = time.monotonic()
    report = replace(new_desk, settings=unreachable()).fetch()
    assert time.monotonic() - began < 5
    assert report.exit_code == 1
    names = [source.name for source in catalogue.load().sources]
    assert set(report.failed_required) == {source.name for source in catalogue.load().sources if source.required}
    assert {entry.source for entry in report.items} == set(names)
    assert len(report.items) == len(names)
    assert all(entry.kind == "failed" and "\n" not in entry.sentence for entry in report.items)
    new_desk.check()


def test_with_earlier_editions_no_network_is_a_warning(desk: Desk, rates: Imitation) -> None:
    desk.fetch(RATES_SOURCE)
    before = desk.everything()
    report = replace(desk, settings=unreachable()).fetch(RATES_SOURCE)
    assert (report.exit_code, report.failed_required) == (0, [])
    assert [entry.kind for entry in report.items] == ["failed"]
    (line,) = report.night_lines()
    assert "used instead" in line
    assert desk.everything() == before


def test_a_host_that_swallows_every_call_is_tried_once(desk: Desk, imitation: Imitation) -> None:
    """Its queue is full, so a connection is neither made nor refused. The other hosts are asked as ever."""
    imitation.offers = imitation.offers.only(RATES, "underlying_data", "File_11")
    with contextlib.ExitStack() as stack:
        deaf = stack.enter_context(socket.socket())
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(3):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(deaf.getsockname())
        port = deaf.getsockname()[1]
        settings = dict(desk.settings) | {"GOVUK_URL": f"http://127.0.0.1:{port}"}
        began = time.monotonic()
        report = replace(desk, settings=settings).fetch(
            RATES_SOURCE, "ofsted_history", "mhclg_file_11", manners=replace(QUICK, connect=0.5)
        )
        took = time.monotonic() - began
    assert {entry.kind for entry in report.items if entry.source == RATES_SOURCE} == {"new"}
    assert {entry.kind for entry in report.items if entry.source == "ofsted_history"} == {"failed"}
    assert took < 5


def test_one_source_that_is_down_does_not_stop_the_others(desk: Desk, imitation: Imitation) -> None:
    imitation.offers = imitation.offers.only(RATES, "underlying_data")
    imitation.spoil("/content/api", faults.status(503))
    report = desk.fetch(RATES_SOURCE, "ofsted_history")
    assert report.exit_code == 1
    assert report.failed_required == [RATES_SOURCE]
    assert item(report, "2023", "ofsted_history").kind == "new"


# ---------------------------------------------------------------------------------------------------------------------
# Two hundred nights


SOAK = 200
_ROUTES = (
    r".",
    r"/content/api",
    r"/releases$",
    r"/version-summary",
    r"/data-set-files\?",
    CSV,
    "/download$",
    "/files/",
)
_FAULTS = (
    faults.html,
    faults.html_that_claims_to_be_the_file,
    faults.not_found,
    faults.status(403),
    faults.status(429, Retry_After="3"),
    faults.too_many("9999"),
    faults.status(500),
    faults.status(503),
    faults.gzipped,
    faults.cut_short,
    faults.short_under_its_own_length,
    lambda answer: faults.short_under_its_own_length(faults.gzipped(answer)),
    faults.reset,
    faults.empty,
    faults.error_with_200,
    faults.redirect("http://assets.publishing.service.gov.uk/moved"),
    faults.redirect("https://elsewhere.example/moved", 302),
    faults.redirect("/government/placeholder", 302),
)


def test_two_hundred_fetches_with_random_faults(desk: Desk, imitation: Imitation) -> None:
    """At every moment each registered file has bytes that its publisher once published, and at last all are the newest."""
    rng = random.Random(20181129)
    imitation.offers = imitation.offers.only(RATES, "ons_mid-year")
    offered = [
        (release, entry.filename)
        for release in imitation.offers.releases
        if release.slug in ("2024", "2025")
        for entry in [*release.data_sets, *release.supporting_files]
    ]
    imitation.offers.releases = [release for release in imitation.offers.releases if release.slug in ("2024", "2025")]
    published = {hashlib.sha256(release.data_set(name).content).hexdigest() for release, name in offered}
    outcomes: set[str] = set()
    for number in range(SOAK):
        imitation.mend()
        for _ in range(rng.randrange(4)):
            imitation.spoil(rng.choice(_ROUTES), rng.choice(_FAULTS), times=rng.choice((1, 2, 5, None)))
        if rng.random() < 0.1:
            release = imitation.offers.release(LOOKED_AFTER, rng.choice(("2024", "2025")))
            amended = with_more_children(release.data_set(RATES).content)
            release.amend(RATES, amended)
            published.add(hashlib.sha256(amended).hexdigest())
        report = desk.fetch(RATES_SOURCE if number % 2 else POPULATION)
        outcomes |= {entry.kind for entry in report.items}
        assert {entry.sha256 for entry in desk.entries} <= published
        assert parts(desk.raw) == []
        if number % 10 == 0:
            desk.check()
    assert {"new", "amended", "failed", "unchanged"} <= outcomes
    imitation.mend()
    assert desk.fetch(RATES_SOURCE, POPULATION).exit_code == 0
    desk.check()
    newest = {entry.identity: entry.sha256 for entry in sorted(desk.entries, key=lambda entry: entry.edition_seen)}
    assert sorted(newest.values()) == sorted(
        hashlib.sha256(release.data_set(name).content).hexdigest() for release, name in offered
    )
