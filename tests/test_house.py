"""The rules of the house: which way imports run, what importing does, what may stand in the repository.

What belongs here: rules about the code and the files of the project as a whole. What does not: what the code computes.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import published_files

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("pipeline", "assets")
PRODUCT = ("pipeline/", "assets/", "sql/", "docs/", "data/", "README.md", "CHANGELOG.md", "dagster.yaml", "Makefile")
BINARY = {".png", ".svgz", ".parquet", ".duckdb", ".xlsx", ".xls", ".ods"}

# Compiled for this project, and handed out beside the published files too.
COMPILED = {
    "data/raw/reference/dfe_la_lookup.csv",
    "data/raw/reference/innovation_programme.csv",
    "data/raw/reference/la_code_changes.csv",
    "data/raw/reference/la_locations.csv",
    "data/raw/reference/lad16_to_county16.csv",
    "data/raw/reference/split_child_weights_2016.csv",
}


@cache
def repository_files() -> tuple[str, ...]:
    """What is in the repository or about to be: everything that is not ignored."""
    if not (PROJECT / ".git").exists():
        pytest.skip("this is not a clone: there is no repository to look at")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(sorted(name for name in set(listed.stdout.split("\0")) - {""} if (PROJECT / name).is_file()))


def modules() -> dict[str, Path]:
    """Dotted name -> file of every module of the product."""
    found = {}
    for package in PACKAGES:
        for path in sorted((PROJECT / package).rglob("*.py")):
            parts = path.relative_to(PROJECT).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute, so that they can be followed"
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_there_are_modules_to_look_at() -> None:
    assert {"pipeline.publish", "pipeline.readers.layouts", "assets.definitions", "assets"} <= set(MODULES)


# ---------------------------------------------------------------------------------------------------------------------
# Imports: assets -> pipeline -> libraries


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("pipeline")])
def test_the_pipeline_knows_nothing_of_dagster(module: str) -> None:
    roots = {name.split(".")[0] for name in imports_of(MODULES[module])}
    assert not {root for root in roots if root == "assets" or root.startswith("dagster")}


@pytest.mark.parametrize("module", MODULES)
def test_the_product_does_not_know_its_tests(module: str) -> None:
    assert not {name for name in imports_of(MODULES[module]) if name.split(".")[0] in ("tests", "pytest")}


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("assets")])
def test_the_graph_does_not_postpone_annotations(module: str) -> None:
    """Dagster cannot resolve a postponed annotation of a context or a configuration, and blames the annotation."""
    assert "__future__.annotations" not in set(imports_of(MODULES[module]))


def test_only_the_command_and_the_stamp_ask_whether_data_are_fictional() -> None:
    """No reader, rule or statistic may know; `places` keeps fictional results out of the folder of the real ones."""
    asking = {name for name, path in MODULES.items() if "pipeline.manifest" in set(imports_of(path))}
    assert asking == {"pipeline.places", "assets.chosen_data", "assets.command", "assets.published", "assets.terminal"}


def test_no_two_test_modules_have_one_name() -> None:
    """Of two with one name in folders that are no packages, pytest collects the first and stops at the second."""
    names = [Path(name).name for name in text_files("tests/") if Path(name).name.startswith("test_")]
    assert sorted(names) == sorted(set(names))


def test_no_module_is_called_like_a_package() -> None:
    """Loading from a folder can pick the module where the package of that name is meant."""
    taken = set(importlib.metadata.packages_distributions()) - set(PACKAGES)
    own = {name.split(".")[-1] for name in MODULES}
    assert not own & taken
    assert not {name.split(".")[-1] for name in MODULES if name.startswith("assets.")} & set(sys.stdlib_module_names)


IMPORT_ALL = """
import importlib, json, os, sys
allowed, names = json.loads(sys.argv[1]), json.loads(sys.argv[2])
found = []

def is_allowed(path):
    return any(path == root or path.startswith(root + os.sep) for root in allowed)

def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path, flags = os.path.abspath(os.fsdecode(arguments[0])), arguments[2]
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if path != os.devnull and (writes or not is_allowed(path)):
            found.append(["opened to write" if writes else "opened", path])
    elif event in ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.symlink", "shutil.rmtree"):
        found.append([event, str(arguments[0])])
    elif event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"):
        found.append([event, str(arguments[-1])])

sys.addaudithook(watch)
for name in names:
    importlib.import_module(name)
print(json.dumps(found))
"""


def test_importing_touches_no_file_and_no_network(tmp_path: Path) -> None:
    """Dagster imports the definitions often: nothing may run then. Code and its libraries are read, and nothing else."""
    code = [str(PROJECT / package) for package in PACKAGES]
    system = [sys.prefix, sys.base_prefix, "/usr", "/etc", "/proc", "/sys"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMPORT_ALL, json.dumps([*code, *system]), json.dumps(list(MODULES))],
        cwd=tmp_path,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------------------------------------------------
# What stands in the repository


def text_of(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def text_files(*beginnings: str) -> list[str]:
    return [name for name in repository_files() if name.startswith(beginnings) and Path(name).suffix not in BINARY]


def lines_with(pattern: str, names: list[str]) -> list[str]:
    """`file:line: text` of every line that the pattern fits."""
    wanted = re.compile(pattern)
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name in names
        for number, line in enumerate(text_of(name).splitlines(), start=1)
        if wanted.search(line)
    ]


def test_no_path_of_a_machine_stands_in_the_repository() -> None:
    """An absolute path works on one machine. Folders of the system itself, such as /usr, are everywhere."""
    folders = "|".join(["work", "home", "root", "tmp", "Users", "mnt", "opt"])
    assert not lines_with(rf"(?<![\w./\-:])/({folders})(/|\b(?![\w\-]))", [n for n in text_files("") if n != _THIS])


def test_the_product_does_not_say_where_a_developer_keeps_files() -> None:
    """Pages of the report are the exception: they link to each other, whichever folder they are in."""
    read = [
        name for name in text_files("pipeline/", "assets/", "sql/", "data/") if not name.startswith("pipeline/report/")
    ]
    assert not lines_with(r"(^|[^\w.])\.\./", read)
    assert not lines_with(r"\.\./" + "shared|shared/" + "data", text_files(*PRODUCT))


def test_no_address_of_a_package_index_stands_in_the_repository() -> None:
    """Where packages come from is a matter of each machine's own configuration."""
    hosts = "|".join(["pypi" + r"\.org", "python" + r"hosted\.org", "--index" + "-url", "--extra-index" + "-url"])
    assert not lines_with(hosts, text_files(""))


_THIS = Path(__file__).resolve().relative_to(PROJECT).as_posix()


def requirements() -> dict[str, str]:
    """Requirement line -> its hashes, from the lock file."""
    joined = text_of("requirements.lock").replace("\\\n", " ")
    lines = [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return dict(line.split(" ", maxsplit=1) if " " in line else (line, "") for line in lines)


def test_the_lock_file_pins_every_package_with_hashes_and_names_no_index() -> None:
    locked = requirements()
    assert len(locked) > 50
    for requirement, rest in locked.items():
        assert re.fullmatch(r"[A-Za-z0-9._\-]+(\[[\w,\-]+\])?==[\w.+!]+", requirement), requirement
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", rest), requirement
    assert "://" not in text_of("requirements.lock")


def test_the_lock_file_has_every_dependency_that_is_declared() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    declared = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    wanted = {re.split(r"[\[<>=~!;\s]", line)[0].lower().replace("_", "-") for line in declared}
    locked = {re.split(r"[\[=]", line)[0].lower().replace("_", "-") for line in requirements()}
    assert wanted <= locked, wanted - locked


def test_the_family_of_dagster_is_of_one_version() -> None:
    """Its packages must match; the ones that tell a version of their own begin with 0."""
    versions = {line.split("==")[1].split()[0] for line in requirements() if line.startswith("dagster")}
    own = {one for one in versions if not one.startswith("0.")}
    assert len(own) == 1, versions
    assert {one.split(".")[-1] for one in versions} == {one.split(".")[-1] for one in own}, versions


@pytest.mark.published
@pytest.mark.skipif(not published_files.IS_HERE, reason=f"the published files are not here: {published_files.folder()}")
def test_no_published_file_is_in_the_repository() -> None:
    """Fixtures are made by hand and fictional; published files stay with their publisher."""
    sizes: dict[int, list[str]] = {}
    for name in repository_files():
        sizes.setdefault((PROJECT / name).stat().st_size, []).append(name)
    sizes.pop(0, None)
    copied = set()
    for path in published_files.folder().rglob("*"):
        if path.is_file() and path.stat().st_size in sizes:
            published = hashlib.sha256(path.read_bytes()).digest()
            same = [
                n
                for n in sizes[path.stat().st_size]
                if hashlib.sha256((PROJECT / n).read_bytes()).digest() == published
            ]
            copied.update(same)
    assert "data/raw/reference/dfe_la_lookup.csv" in copied  # the comparison does see a copy
    assert copied <= COMPILED


def test_imported_files_and_results_are_ignored() -> None:
    """What a person imports or computes here can never be committed by accident."""
    assert not [name for name in repository_files() if name.endswith((".duckdb", ".parquet"))]
    for name in ("data/raw/published/a/2025/a.csv", "data/raw/sources.lock.json", "data/processed/care_numbers.duckdb"):
        done = subprocess.run(["git", "check-ignore", "--quiet", name], cwd=PROJECT, check=False)
        assert done.returncode == 0, name
