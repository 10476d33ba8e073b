"""Folders by URL: what is a URL, what a store does, and the sentence for each way in which it says no.

Each of these is held against S3 as moto imitates it, and what is not S3's alone against a store in memory as well.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pipeline import stores
from pipeline.errors import Refusal
from pipeline.stores import Store
from tests.fixtures.object_store import ACCOUNT, SECRET, ObjectStore, forget_connections


@pytest.fixture(params=["s3", "memory"])
def store(request: pytest.FixtureRequest) -> Store:
    url = request.getfixturevalue("bucket" if request.param == "s3" else "in_memory")
    return stores.of(f"{url}/a/folder")


def code_of(asked: object, *arguments: object) -> str:
    with pytest.raises(Refusal) as caught:
        asked(*arguments)
    told = f"{caught.value} {caught.value!r}"
    assert SECRET not in told and ACCOUNT not in told
    return caught.value.code


# ---------------------------------------------------------------------------------------------------------------------
# URLs


@pytest.mark.parametrize(
    "text", ["s3://bucket/folder", "gs://bucket", "abfs://container/x", "S3://bucket", "file:///srv"]
)
def test_urls(text: str) -> None:
    assert stores.is_url(text)


@pytest.mark.parametrize(
    "text", ["", ".", "data", "/srv/data", "C:\\data", "a:b", "published", "s3:/bucket", "//host/share"]
)
def test_paths_are_none(text: str) -> None:
    assert not stores.is_url(text)
    assert stores.local_path(text) == text


def test_a_file_url_is_a_folder_of_this_machine() -> None:
    assert stores.local_path("file:///srv/a%20folder/x") == "/srv/a folder/x"
    assert stores.local_path("file://localhost/srv") == "/srv"
    assert stores.local_path("s3://bucket/folder") is None


@pytest.mark.parametrize("text", ["file://otherhost/srv", "file://"])
def test_a_file_url_of_another_machine_is_refused(text: str) -> None:
    assert code_of(stores.local_path, text) == "bad_url"


@pytest.mark.parametrize(
    "url",
    [
        f"s3://{ACCOUNT}:{SECRET}@bucket/folder",
        f"s3://{SECRET}@bucket/folder",
        f"s3://bucket/folder?X-Amz-Signature={SECRET}",
        f"s3://bucket/folder#{SECRET}",
        "s3:///folder",
    ],
)
def test_a_url_says_where_and_nothing_else(url: str) -> None:
    """What it carries besides is refused and not repeated."""
    assert code_of(stores.of, url) == "bad_url"


def test_a_slash_at_the_end_makes_no_difference() -> None:
    assert stores.tidy("s3://bucket/folder//") == "s3://bucket/folder"


# ---------------------------------------------------------------------------------------------------------------------
# Objects


def test_an_empty_folder_is_empty(store: Store) -> None:
    assert store.listed() == {}
    assert store.read("nothing") is None
    assert store.read_all([]) == {}
    store.upload({})
    store.delete([])


def test_what_was_written_is_there(store: Store) -> None:
    store.write("b/two.txt", b"two")
    store.write("one.txt", b"one")
    assert {name: found.bytes for name, found in store.listed().items()} == {"b/two.txt": 3, "one.txt": 3}
    assert list(store.listed()) == ["b/two.txt", "one.txt"]
    assert store.read("one.txt") == b"one"
    assert store.read_all(["one.txt", "b/two.txt"]) == {"one.txt": b"one", "b/two.txt": b"two"}
    assert list(store.below("b").listed()) == ["two.txt"]


def test_a_folder_whose_name_begins_the_same_is_another(store: Store) -> None:
    store.below("part").write("one", b"1")
    store.below("parts").write("two", b"2")
    assert list(store.below("part").listed()) == ["one"]


def test_another_content_is_another_version(store: Store) -> None:
    store.write("one", b"before")
    before = store.listed()["one"]
    store.write("one", b"after!")
    after = store.listed()["one"]
    assert before.bytes == after.bytes and before.version != after.version
    assert before.changed_at is not None and before.changed_at <= after.changed_at


def test_of_two_that_create_one_object_one_does(store: Store) -> None:
    assert store.create("claim", b"mine")
    assert not store.create("claim", b"yours")
    assert store.read("claim") == b"mine"


def test_files_go_up_and_come_down(store: Store, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
    store.upload({"a/one": tmp_path / "one", "two": tmp_path / "two"})
    store.download({"a/one": tmp_path / "back" / "there" / "one", "two": tmp_path / "back" / "two"})
    assert (tmp_path / "back/there/one").read_bytes() == b"one" * 1000
    assert (tmp_path / "back/two").read_bytes() == b"two" * 1000
    store.delete(["a/one"])
    assert list(store.listed()) == ["two"]


def test_what_somebody_else_wrote_is_seen_at_once(bucket: str) -> None:
    """A run must not look for news in what a library has kept of an earlier listing."""
    mine, others = stores.of(f"{bucket}/folder"), stores.of(f"{bucket}/folder")
    mine.write("one", b"1")
    assert list(mine.listed()) == ["one"]
    forget_connections()
    others = stores.of(f"{bucket}/folder")
    others.write("two", b"2")
    assert list(mine.listed()) == ["one", "two"]


# ---------------------------------------------------------------------------------------------------------------------
# Why not


def every_way(store: Store, file: Path) -> list[tuple]:
    return [
        (store.listed,),
        (store.read, "one"),
        (store.read_all, ["one"]),
        (store.write, "one", b"1"),
        (store.create, "one", b"1"),
        (store.upload, {"one": file}),
        (store.download, {"one": file.with_name("two")}),
        (store.delete, ["one"]),
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"1")
    return tmp_path / "file"


def test_a_bucket_that_is_not_there(bucket: str, file: Path) -> None:
    missing = stores.of("s3://no-bucket-of-this-name/folder")
    assert {code_of(*asked) for asked in every_way(missing, file)} == {"no_bucket"}


def test_nobody_says_who_asks(bucket: str, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    forget_connections()
    assert {code_of(*asked) for asked in every_way(stores.of(f"{bucket}/folder"), file)} == {"no_credentials"}


def test_a_profile_that_is_not_there(bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("HOME", str(tmp_path))
    forget_connections()
    assert code_of(lambda: stores.of(f"{bucket}/folder").listed()) == "no_credentials"


def test_an_account_that_may_not(bucket: str, file: Path, object_store: ObjectStore) -> None:
    store = stores.of(f"{bucket}/folder")
    object_store.check_accounts(after=0)
    try:
        assert {code_of(*asked) for asked in every_way(store, file)} == {"store_denied"}
    finally:
        object_store.check_accounts(after=float("inf"))


def test_a_store_that_does_not_answer(bucket: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens at port 1 of this machine."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setitem(
        stores._OPTIONS, "s3", {"config_kwargs": {"connect_timeout": 1, "retries": {"max_attempts": 1}}}
    )
    forget_connections()
    ways = every_way(stores.of(f"{bucket}/folder"), file)
    assert {code_of(*asked) for asked in (ways[0], ways[1], ways[5])} == {"store_unreachable"}


def test_an_answer_that_nobody_expects(in_memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the libraries hand on what a server of S3 says: the server's own code is in the sentence."""

    class SaidNo(Exception):
        response = {"Error": {"Code": "SlowDown", "Message": "Please reduce your request rate."}}

    store = stores.of(in_memory)

    def slow_down(*_: object, **__: object) -> None:
        raise OSError(16, "Please reduce your request rate.") from SaidNo()

    monkeypatch.setattr(store._files, "pipe_file", slow_down)
    with pytest.raises(Refusal, match=r"\(SlowDown\)") as caught:
        store.write("one", b"1")
    assert caught.value.code == "store_failed"


def test_the_extra_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> ModuleType:
        if name == "fsspec":
            raise ImportError(name)
        return importlib.import_module(name)

    monkeypatch.setattr(stores.importlib, "import_module", without)
    assert code_of(stores.of, "s3://bucket/folder") == "no_object_store"


@pytest.mark.parametrize("protocol", ["gs", "abfs"])
def test_another_protocol_says_what_to_install(protocol: str) -> None:
    if importlib.util.find_spec({"gs": "gcsfs", "abfs": "adlfs"}[protocol]):
        pytest.skip("it is installed here")
    assert code_of(stores.of, f"{protocol}://bucket/folder") == "no_object_store"


def test_a_protocol_that_nobody_speaks() -> None:
    assert code_of(stores.of, "gopher-hole://bucket/folder") == "bad_url"


def test_a_fault_of_the_program_stays_one(bucket: str) -> None:
    with pytest.raises(TypeError):
        stores.of(bucket).write("one", None)


def test_the_libraries_of_stores_are_not_loaded_for_folders_of_this_machine(tmp_path: Path) -> None:
    program = (
        "import sys\nimport assets.command, assets.definitions\nfrom pipeline import places, shelves\n"
        "workspace = places.workspace('demo', sys.argv[1])\nshelves.bring(workspace)\nshelves.of(workspace).listed()\n"
        "print(*{'s3fs', 'botocore', 'aiobotocore', 'boto3'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr
