"""Published files by URL: the copy is what the store holds, whatever happened to it, and what was added goes back.

The store is one in memory; S3 as moto imitates it is asked where the protocol matters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline import folders, places, raw_by_url, settings, stores
from pipeline.errors import Refusal
from pipeline.raw_by_url import Copy
from pipeline.stores import Object, Store

REGISTER = places.REGISTER


@pytest.fixture
def copy(in_memory: str, tmp_path: Path) -> Copy:
    return Copy(in_memory, tmp_path / "copy", hidden=frozenset({places.STATE}))


@pytest.fixture
def store(copy: Copy) -> Store:
    return stores.of(copy.url)


def here(copy: Copy) -> dict[str, bytes]:
    return {
        path.relative_to(copy.folder).as_posix(): path.read_bytes()
        for path in sorted(copy.folder.rglob("*"))
        if path.is_file()
    }


def there(store: Store) -> dict[str, bytes]:
    return store.read_all(list(store.listed()))


def downloads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all objects that are downloaded from now on."""
    names: list[str] = []
    download = Store.download

    def noted(self: Store, files: Mapping[str, Path]) -> None:
        names.extend(files)
        download(self, files)

    monkeypatch.setattr(Store, "download", noted)
    return names


# ---------------------------------------------------------------------------------------------------------------------
# Bringing


def test_the_copy_has_the_files_under_their_names(copy: Copy, store: Store) -> None:
    store.write("cla/2024/figures.csv", b"a,b\n1,2\n")
    store.write("manifest.json", b"{}")
    copy.bring()
    assert here(copy) == {"cla/2024/figures.csv": b"a,b\n1,2\n", "manifest.json": b"{}"}
    assert sorted(path.name for path in copy.place.iterdir()) == [raw_by_url.FILES, raw_by_url.INDEX]


def test_an_empty_folder_gives_an_empty_copy(copy: Copy) -> None:
    copy.bring()
    assert copy.folder.is_dir() and here(copy) == {}


def test_a_file_is_downloaded_once(copy: Copy, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("one.csv", b"1")
    store.write("two.csv", b"2")
    names = downloads(monkeypatch)
    copy.bring()
    copy.bring()
    assert sorted(names) == ["one.csv", "two.csv"]
    store.write("two.csv", b"3")
    copy.bring()
    assert names[2:] == ["two.csv"] and here(copy)["two.csv"] == b"3"


def test_what_has_gone_from_the_store_goes_from_the_copy(copy: Copy, store: Store) -> None:
    store.write("cla/2024/one.csv", b"1")
    store.write("cla/two.csv", b"2")
    copy.bring()
    store.delete(["cla/2024/one.csv"])
    copy.bring()
    assert here(copy) == {"cla/two.csv": b"2"}
    assert not (copy.folder / "cla" / "2024").exists()


@pytest.mark.parametrize("damage", ["changed", "cut", "removed", "a stranger", "no index", "a broken index"])
def test_a_copy_that_was_touched_is_mended(copy: Copy, store: Store, damage: str) -> None:
    """It is held to the sha256 with which it came, as a disk or a person may change it and leave its size as it was."""
    store.write("one.csv", b"1234")
    copy.bring()
    file, index = copy.folder / "one.csv", copy.place / raw_by_url.INDEX
    match damage:
        case "changed":
            file.write_bytes(b"1235")
        case "cut":
            file.write_bytes(b"")
        case "removed":
            file.unlink()
        case "a stranger":
            (copy.folder / "two.csv").write_bytes(b"2")
        case "no index":
            index.unlink()
        case "a broken index":
            index.write_text('{"one.csv": {"bytes": 4}}')
    copy.bring()
    assert here(copy) == {"one.csv": b"1234"}


def test_the_index_tells_what_came(copy: Copy, store: Store) -> None:
    store.write("one.csv", b"1234")
    copy.bring()
    told = json.loads((copy.place / raw_by_url.INDEX).read_text())["one.csv"]
    assert told["bytes"] == 4
    # printf 1234 | sha256sum
    assert told["sha256"] == "03ac674216f3e15c761ee1a5e255f067953623c8b388b4459e13f978d7c846f4"


def test_hidden_files_and_marks_of_folders_stay_there(bucket: str, tmp_path: Path) -> None:
    """Stores have no folders, and their tools put empty objects that end with a slash in their place."""
    copy, store = Copy(bucket, tmp_path / "copy", hidden=frozenset({places.STATE})), stores.of(bucket)
    for name in (".git/config", "cla/.DS_Store", "cla/one.csv", places.STATE, "cla/"):
        store.write(name, b"1")
    copy.bring()
    assert sorted(here(copy)) == [places.STATE, "cla/one.csv"]


@pytest.mark.parametrize("name", ["../outside.csv", "cla/../../outside.csv", "cla//one.csv", "./one.csv", "a\0b.csv"])
def test_a_name_that_leads_out_of_the_folder_is_refused(
    copy: Copy, store: Store, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object may be called anything; nothing is written outside of the copy."""
    listed = {name: Object(1, "1", None), "one.csv": Object(1, "1", None)}
    monkeypatch.setattr(Store, "listed", lambda self: listed)
    with pytest.raises(Refusal) as caught:
        copy.bring()
    assert (caught.value.code, caught.value.file) == ("bad_object_name", name.replace("\0", "\\x00"))
    assert not copy.place.exists()


def test_a_file_in_place_of_a_folder_and_the_other_way_round(copy: Copy, store: Store) -> None:
    store.write("a", b"1")
    store.write("b/c", b"2")
    copy.bring()
    store.delete(["a", "b/c"])
    store.write("a/d", b"3")
    store.write("b", b"4")
    copy.bring()
    assert here(copy) == {"a/d": b"3", "b": b"4"}


def test_a_file_that_is_too_large_is_known_by_its_size_alone(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not downloaded; what looks into the folder says why it is not used, as with a folder of this machine."""
    large = settings.load().files.largest_bytes + 1
    monkeypatch.setattr(Store, "listed", lambda self: {"large.csv": Object(large, "1", None)})
    names = downloads(monkeypatch)
    copy.bring()
    copy.bring()
    (entry,) = folders.entries(copy.folder)
    assert (entry.name, entry.reason, names) == ("large.csv", folders.TOO_LARGE, [])
    assert (copy.folder / "large.csv").stat().st_blocks < 100


def test_what_is_replaced_while_it_comes_comes_again(copy: Copy, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("one.csv", b"old")
    contents = [b"new"]
    download = Store.download

    def and_replaced(self: Store, files: Mapping[str, Path]) -> None:
        download(self, files)
        if contents:
            self.write("one.csv", contents.pop())

    monkeypatch.setattr(Store, "download", and_replaced)
    copy.bring()
    assert here(copy) == {"one.csv": b"new"}
    contents[:] = [b"2", b"3", b"4", b"5", b"6"]
    store.write("one.csv", b"1")
    with pytest.raises(Refusal) as caught:
        copy.bring()
    assert caught.value.code == "raw_files_moving"


def test_a_copy_that_a_killed_process_began_is_finished(
    copy: Copy, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    store.write("one.csv", b"1")
    store.write("two.csv", b"2")
    replace, moved = raw_by_url.durable.replace, []

    def killed(beside: Path, target: Path) -> None:
        if moved:
            raise Killed
        moved.append(target)
        replace(beside, target)

    monkeypatch.setattr(raw_by_url.durable, "replace", killed)
    with pytest.raises(Killed):
        copy.bring()
    monkeypatch.undo()
    copy.bring()
    assert here(copy) == {"one.csv": b"1", "two.csv": b"2"}
    assert not (copy.place / raw_by_url.ARRIVING).exists()


def test_at_first_sight_and_for_a_run_of_another_machine(
    copy: Copy, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write("one.csv", b"1234")
    names = downloads(monkeypatch)
    assert copy.at_first_sight() == copy.folder and here(copy) == {"one.csv": b"1234"}
    store.write("one.csv", b"12345")
    copy.at_first_sight()
    copy.bring_for({"one.csv": "03ac674216f3e15c761ee1a5e255f067953623c8b388b4459e13f978d7c846f4"})
    assert names == ["one.csv"]
    # printf 12345 | sha256sum
    copy.bring_for({"one.csv": "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"})
    assert names == ["one.csv"] * 2 and here(copy) == {"one.csv": b"12345"}


# ---------------------------------------------------------------------------------------------------------------------
# Taking back


def test_what_was_added_goes_back_the_register_last(copy: Copy, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("published/one.csv", b"1")
    store.write(REGISTER, b"[1]")
    written: list[str] = []
    upload, write = Store.upload, Store.write
    monkeypatch.setattr(Store, "upload", lambda self, files: (written.extend(files), upload(self, files))[1])
    monkeypatch.setattr(Store, "write", lambda self, name, told: (written.append(name), write(self, name, told))[1])
    with raw_by_url.changing(copy, REGISTER):
        (copy.folder / REGISTER).write_bytes(b"[1, 2]")
        (copy.folder / "published" / "two.csv").write_bytes(b"2")
        (copy.folder / places.STATE).write_bytes(b"{}")
        (copy.folder / ".running.lock").touch()
    assert written == [places.STATE, "published/two.csv", REGISTER]
    assert there(store) == {
        "published/one.csv": b"1",
        "published/two.csv": b"2",
        places.STATE: b"{}",
        REGISTER: b"[1, 2]",
    }
    names = downloads(monkeypatch)
    copy.bring()
    assert names == []
    assert (copy.folder / ".running.lock").exists()  # it is this machine's, and somebody may hold it


def test_of_two_who_add_one_is_told_to_run_again(copy: Copy, store: Store) -> None:
    store.write(REGISTER, b"[]")
    with pytest.raises(Refusal) as caught, raw_by_url.changing(copy, REGISTER):
        (copy.folder / REGISTER).write_bytes(b"[mine]")
        store.write(REGISTER, b"[yours]")
    assert caught.value.code == "raw_files_moving"
    assert there(store) == {REGISTER: b"[yours]"}
    copy.bring()
    assert here(copy) == {REGISTER: b"[yours]"}


def test_what_never_got_back_is_not_registered(copy: Copy, store: Store) -> None:
    """A process that was killed in between: the store is the truth."""
    store.write(REGISTER, b"[]")
    copy.bring()
    (copy.folder / REGISTER).write_bytes(b"[1]")
    (copy.folder / "one.csv").write_bytes(b"1")
    copy.bring()
    assert here(copy) == {REGISTER: b"[]"}


def test_a_folder_of_this_machine_is_left_alone() -> None:
    with raw_by_url.changing(None, REGISTER):
        pass


def test_the_same_on_s3(bucket: str, tmp_path: Path) -> None:
    copy, store = Copy(f"{bucket}/raw", tmp_path / "copy"), stores.of(f"{bucket}/raw")
    store.write("published/a name, with commas & ümlauts.csv", b"1")
    with raw_by_url.changing(copy, REGISTER):
        (copy.folder / REGISTER).write_bytes(b"[1]")
    assert there(store) == here(copy)
    assert len(here(copy)) == 2


# ---------------------------------------------------------------------------------------------------------------------
# Places


def test_a_workspace_by_url_has_its_places_here(in_memory: str, tmp_path: Path) -> None:
    stores.of(f"{in_memory}/raw").write("one.csv", b"1")
    space = places.workspace(f"{in_memory}/raw/", f"{in_memory}/out")
    assert (space.kind, space.data_url, space.out_url) == ("folder", f"{in_memory}/raw", f"{in_memory}/out")
    assert space.frames_url == f"{in_memory}/out/parquet" and space.releases_url == f"{in_memory}/out/releases"
    assert [path.name for path in space.data.iterdir()] == ["one.csv"]
    assert space.data.is_relative_to(tmp_path / "copies") and space.out.is_relative_to(tmp_path / "copies")
    other = places.workspace(f"{in_memory}/raw", f"{in_memory}/out2")
    assert other.out != space.out and other.data == space.data


def test_fictional_files_by_url_never_overwrite_real_results(in_memory: str) -> None:
    stores.of(f"{in_memory}/raw").write("manifest.json", b'{"fictional": true, "name": "Sarnland"}')
    space = places.workspace(f"{in_memory}/raw", f"{in_memory}/out")
    assert space.out_url == f"{in_memory}/out/demo" and space.out.name == "demo"
    assert places.workspace("demo", f"{in_memory}/out").releases_url == f"{in_memory}/out/demo/releases"


def test_a_file_url_is_the_folder_itself(tmp_path: Path) -> None:
    """The same code as for a path, so that all that holds for folders holds for it."""
    (tmp_path / "a folder").mkdir()
    by_url = places.workspace((tmp_path / "a folder").as_uri(), (tmp_path / "out").as_uri())
    assert by_url == places.workspace(str(tmp_path / "a folder"), str(tmp_path / "out"))
    assert by_url.out_url is None and by_url.data_copy is None


def test_registered_files_by_url(in_memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stores.of(f"{in_memory}/raw").write("published/cla/2024/one.csv", b"1")
    monkeypatch.setenv(places.RAW_VARIABLE, f"{in_memory}/raw")
    monkeypatch.delenv(places.DATA_VARIABLE, raising=False)
    space = places.workspace()
    assert (space.kind, space.data_url, space.out_url) == ("published", None, None)
    assert space.data == places.published_folder() and (space.data / "cla" / "2024" / "one.csv").exists()
    assert places.lock_file().parent == space.data.parent
    assert space.data_copy == places.raw_copy()


def test_what_other_processes_are_told(in_memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert places.whole("out") == str(tmp_path / "out")
    assert places.whole((tmp_path / "out").as_uri()) == str(tmp_path / "out")
    assert places.whole(f"{in_memory}/out/") == f"{in_memory}/out"


def test_workers_of_other_machines_are_told_the_url(
    in_memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the copy of the machine that begins the run."""
    monkeypatch.setenv(places.RAW_VARIABLE, f"{in_memory}/raw")
    assert places.raw_choice() == f"{in_memory}/raw"
    monkeypatch.setenv(places.RAW_VARIABLE, str(tmp_path))
    assert places.raw_choice() == str(tmp_path)
