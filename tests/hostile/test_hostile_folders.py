"""A folder that somebody else filled: links, pipes, devices, endless files, names, and files that change under the reader.

What belongs here: what is looked into, what is listed and why, and that the bytes which are read are those that were hashed.
What does not: the content of single files (`test_hostile_files`) and whole runs (`test_hostile_run`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import folders, manifest, reference_tables, sources, summary
from pipeline.errors import Refusal
from pipeline.readers.layout import LOOKED_AFTER
from tests.fixtures import small_tables as small
from tests.fixtures.small_tables import SAMPLES
from tests.published_files import PROJECT_REFERENCES

STOCK, STARTED = small.as_bytes(SAMPLES["CLA"].table), small.as_bytes(SAMPLES["ADM"].table)
LOOKUP = [list(reference_tables.HEADERS["dfe_la_lookup"])] + [
    [code, ons_code, small.NAMES.get(code, "Little Eastmere"), "Q12000001", "North Sarn", "2009-04-01", "", "invented"]
    for code, ons_code in small.ONS_CODES.items()
]
ESCAPES = "\x1b[2J\x1b]0;owned\x07.csv"
FIVE_GB = 5 * 2**30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with one good file and its lookup of authorities."""
    path = tmp_path / "data"
    path.mkdir()
    (path / "good.csv").write_bytes(STOCK)
    (path / "authorities.csv").write_bytes(small.as_bytes(LOOKUP))
    return path


def scanned(folder: Path) -> tuple[list[str], dict[str, str]]:
    """The files that take part, and name and reason of the others. A scan that waits for a pipe fails the test."""
    found: list[sources.Register] = []
    thread = threading.Thread(target=lambda: found.append(sources.scan(folder, PROJECT_REFERENCES)), daemon=True)
    thread.start()
    thread.join(timeout=30)
    assert found, "the scan was refused, or waits for something"
    assert found[0].not_used == sorted(dict(found[0].not_used).items())
    return [file.file for file in found[0].files], dict(found[0].not_used)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        here = os.getcwd()
        os.chdir(path.parent)  # the name of a socket may not be long
        try:
            one.bind(path.name)
        finally:
            os.chdir(here)


def a_loop(path: Path) -> None:
    path.with_name("other.csv").symlink_to(path.name)
    path.symlink_to("other.csv")


def endless(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(FIVE_GB)


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "link to another's file": (lambda path: path.symlink_to("/etc/passwd"), folders.LEADS_OUT),
    "link by a way around": (lambda path: path.symlink_to("../" * 30 + "etc/passwd"), folders.LEADS_OUT),
    "link to a device without end": (lambda path: path.symlink_to("/dev/zero"), folders.LEADS_OUT),
    "link to its own folder": (lambda path: path.symlink_to("."), folders.LINKED_FOLDER),
    "link to nowhere": (lambda path: path.symlink_to("gone.csv"), folders.LEADS_NOWHERE),
    "links in a circle": (a_loop, folders.LEADS_NOWHERE),
    "pipe": (os.mkfifo, folders.NO_FILE),
    "socket": (a_socket, folders.NO_FILE),
    "5 GB of nothing": (endless, folders.TOO_LARGE),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_file_of_the_folder_is_listed_with_its_reason(folder: Path, name: str) -> None:
    planted, reason = HOSTILE[name]
    planted(folder / "hostile.csv")
    files, not_used = scanned(folder)
    assert files == ["good.csv"]
    assert not_used["hostile.csv"] == reason
    assert set(not_used) <= {"hostile.csv", "other.csv"}


@pytest.mark.parametrize("name", HOSTILE)
def test_looking_for_news_reads_none_of_it(folder: Path, name: str) -> None:
    before = sources.hashes(folder)
    HOSTILE[name][0](folder / "hostile.csv")
    after = sources.hashes(folder)
    assert after["good.csv"] == before["good.csv"] == hashlib.sha256(STOCK).hexdigest()
    assert after["hostile.csv"].startswith(HOSTILE[name][1])


def test_a_link_to_a_device_of_the_folder_is_no_file(folder: Path) -> None:
    os.mkfifo(folder / ".pipe")
    (folder / "hostile.csv").symlink_to(".pipe")
    assert scanned(folder) == (["good.csv"], {"hostile.csv": folders.NO_FILE})


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    """As annexes do, which keep every file under its hash and show it by a link."""
    (folder / ".objects").mkdir()
    (folder / "good.csv").rename(folder / ".objects" / "5f")
    (folder / "good.csv").symlink_to(".objects/5f")
    assert scanned(folder) == (["good.csv"], {})


def test_a_folder_of_nothing_but_links_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("/etc/passwd")
    with pytest.raises(Refusal, match="1 in it are not read, such as a.csv, a link that leads out of the folder"):
        sources.scan(tmp_path, PROJECT_REFERENCES)


def test_a_known_file_of_5_gb_is_refused_and_not_left_out(folder: Path) -> None:
    """Its header is that of a release; to pass it over would lose the release."""
    with (folder / "release.csv").open("wb") as file:
        file.write(STARTED)
        file.truncate(FIVE_GB)
    with pytest.raises(Refusal) as caught:
        sources.scan(folder, PROJECT_REFERENCES)
    assert (caught.value.code, caught.value.file) == ("too_large", "release.csv")


NAMES = {
    "an escape": ESCAPES.encode(),
    "no UTF-8": b"\xff\xfe.csv",
    "a new line": b"a\nb.csv",
    "turned writing": "a\u202evsc.exe".encode(),
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_name_that_cannot_be_shown_is_listed_spelt_out(folder: Path, name: bytes) -> None:
    shutil.copyfile(folder / "good.csv", os.path.join(os.fsencode(folder), name))
    files, not_used = scanned(folder)
    assert files == ["good.csv"]
    ((shown, reason),) = not_used.items()
    assert reason == folders.UNSEEN_NAME
    assert shown.isprintable() and "\\" in shown


def test_two_names_that_are_shown_alike_stay_two(folder: Path) -> None:
    for name in ("a\x1b.csv", "a\\x1b.csv"):
        (folder / name).write_text("item,price\nmilk,2\n")
    _, not_used = scanned(folder)
    assert not_used == {"a\\x1b.csv": "not a layout that is read", "a\\x1b.csv?": folders.UNSEEN_NAME}


# ---------------------------------------------------------------------------------------------------------------------
# Files of a folder that say something about it


def a_link_to_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def nested(path: Path) -> None:
    path.write_text('{"fictional": true, "name": ' + "[" * 60_000)


MANIFESTS = {"pipe": os.mkfifo, "device": a_link_to_zeros, "5 GB": endless, "nested without end": nested}


@pytest.mark.parametrize("plant", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_a_hostile_manifest_is_none(tmp_path: Path, plant: Callable[[Path], None]) -> None:
    plant(tmp_path / manifest.FILE)
    assert not manifest.read(tmp_path).is_fictional


@pytest.mark.parametrize("plant", [os.mkfifo, a_link_to_zeros, endless])
def test_a_hostile_table_of_what_was_planted_is_none(tmp_path: Path, plant: Callable[[Path], None]) -> None:
    plant(tmp_path / "planted_truth.csv")
    assert summary._planted_rows(tmp_path / "planted_truth.csv", ("la_code",)) == []


# ---------------------------------------------------------------------------------------------------------------------
# A file that changes while it is read


def test_what_is_registered_is_what_was_recognised(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is another one as soon as it was looked at: nothing of the other one is taken for the first."""
    look = sources._opening

    def and_change(content: bytes, name: str) -> object:
        found = look(content, name)
        if name == "good.csv":
            (folder / name).write_bytes(STARTED)
        return found

    monkeypatch.setattr(sources, "_opening", and_change)
    with pytest.raises(Refusal) as caught:
        sources.scan(folder, PROJECT_REFERENCES)
    assert (caught.value.code, caught.value.file) == ("hash_differs", "good.csv")


def test_what_is_read_is_what_was_registered(folder: Path) -> None:
    register = sources.scan(folder, PROJECT_REFERENCES)
    (folder / "good.csv").write_bytes(STOCK.replace(b"612", b"613"))
    with pytest.raises(Refusal) as caught:
        sources.read_tidy(folder, register.frame(), LOOKED_AFTER, register.knowledge)
    assert (caught.value.code, caught.value.file) == ("hash_differs", "good.csv")


def test_the_figures_are_those_of_the_bytes_that_were_hashed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is another one as soon as its bytes were read: they are read once, so the first ones count."""
    register = sources.scan(folder, PROJECT_REFERENCES)
    read = folders.read

    def and_change(path: Path, name: str, first: int | None = None) -> bytes:
        content = read(path, name, first)
        path.write_bytes(STOCK.replace(b"612", b"613"))
        return content

    monkeypatch.setattr(folders, "read", and_change)
    cells = sources.read_tidy(folder, register.frame(), LOOKED_AFTER, register.knowledge)
    assert set(cells["source_sha256"]) == {hashlib.sha256(STOCK).hexdigest()}
    assert 612 in set(cells["value"]) and 613 not in set(cells["value"])


def test_an_import_registers_nothing_of_a_file_that_changes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = sources.scan

    def and_change(*arguments: Path) -> sources.Register:
        found = scan(*arguments)
        (folder / "good.csv").write_bytes(STOCK.replace(b"612", b"613"))
        return found

    monkeypatch.setattr(sources, "scan", and_change)
    lock = tmp_path / "raw" / "lock.json"
    with pytest.raises(Refusal) as caught:
        sources.import_folder(folder, tmp_path / "raw" / "published", PROJECT_REFERENCES, lock, dt.datetime.now(dt.UTC))
    assert caught.value.code == "hash_differs"
    assert not lock.exists()


@pytest.mark.parametrize("plant", [os.mkfifo, a_link_to_zeros])
def test_a_file_that_becomes_a_pipe_or_a_device_is_refused_at_once(folder: Path, plant: Callable[[Path], None]) -> None:
    sources.scan(folder, PROJECT_REFERENCES)
    (folder / "good.csv").unlink()
    plant(folder / "good.csv")
    with pytest.raises(Refusal) as caught:
        sources.open_source(folder, "good.csv")
    assert caught.value.code == "hash_differs"


def test_a_pinned_file_that_became_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    published, lock = tmp_path / "raw" / "published", tmp_path / "raw" / "lock.json"
    done = sources.import_folder(folder, published, PROJECT_REFERENCES, lock)
    elsewhere = tmp_path / "elsewhere.csv"
    (published / done.new[0].file).rename(elsewhere)
    (published / done.new[0].file).symlink_to(elsewhere)
    (published / "other.csv").write_bytes(STARTED)
    with pytest.raises(Refusal, match="a link that leads out of the folder now") as caught:
        sources.scan(published, PROJECT_REFERENCES, lock)
    assert caught.value.code == "hash_differs"
