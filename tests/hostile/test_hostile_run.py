"""A folder full of hostile things beside a good country: it is imported and run, and nothing else happens on the machine.

What belongs here: `care-numbers import` and `run` as a person starts them but for fewer draws, in a home and a folder for
temporary files of their own, and what is there afterwards. What does not: why a single thing is refused
(`test_hostile_files`, `test_hostile_folders`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline import folders, places, settings
from pipeline.demonstration.build import refresh_demonstration
from tests.hostile import making as make
from tests.hostile import test_hostile_folders as planting
from tests.whole_runs.running import Ended, environment_of, rows

pytestmark = pytest.mark.whole

CANARY = "canary"
UNKNOWN = "not a layout that is read"
# Names that a shell, a database or a page might take for more than a name; all hold the same few lines.
WORDY = [
    f"$(touch {CANARY}).txt", f"; touch {CANARY};.txt", "x'); DROP TABLE main.care_numbers;--.txt",
    "<img src=x onerror=alert(1)>.txt", "=cmd|' calc'!A0.txt", "[bold]loud[bold].txt", "outside\\..\\..\\outside.txt",
]  # fmt: skip
BOMBS = {
    "swelling.bin": lambda: make.zeros(300),
    "two corners.bin": lambda: make.xlsx(make.xlsx_cell("A1") + make.xlsx_cell("XFD1048576")),
    "dimensions.bin": lambda: make.xls(make.xls_dimensions(0xFFFFFFFF, 0xFFFF) + make.xls_number(0, 0)),
    "columns.bin": lambda: make.ods(make.ods_row(make.ods_cell(times=1_000_000_000))),
    "outside.bin": lambda: make.zipped({"../../outside.csv": "a,b\n1,2\n", "/etc/outside.csv": "a,b\n1,2\n"}),
}


@dataclass(frozen=True)
class Sandbox:
    """A machine of its own, as far as a test can make one, and how the two commands ended in it."""

    root: Path
    data: Path
    expected: Mapping[str, str]
    before: Mapping[str, str]
    imported: Ended
    ran: Ended

    @property
    def database(self) -> Path:
        return self.root / "out" / "demo" / "care_numbers.duckdb"


def listing(root: Path) -> dict[str, str]:
    """Everything below a folder, with what it is; links are not followed, and nothing is read."""
    found = {}
    for path in root.rglob("*"):
        told = path.lstat()
        found[os.fsencode(path.relative_to(root)).decode("ascii", "backslashreplace")] = (
            f"{told.st_mode} {told.st_size}"
        )
        if path.is_dir() and not path.is_symlink():
            found.popitem()  # a folder's own size tells of its entries, which are told themselves
    return found


def plant(data: Path) -> dict[str, str]:
    """Hostile things in a folder; name -> the reason that is expected."""
    expected = {}
    for number, (planted, reason) in enumerate(planting.HOSTILE.values()):
        below = data / f"hostile {number}"
        below.mkdir()
        planted(below / "hostile.csv")
        expected[f"hostile {number}/hostile.csv"] = reason
    for name in WORDY:
        (data / name).write_text("item,price\nmilk,2\n", encoding="utf-8")
        expected[name] = UNKNOWN
    for name, made in BOMBS.items():
        (data / name).write_bytes(made())
        expected[name] = UNKNOWN
    (data / planting.ESCAPES).write_text("item,price\nmilk,2\n", encoding="utf-8")
    expected[r"\x1b[2J\x1b]0;owned\x07.csv"] = folders.UNSEEN_NAME
    return expected


# The command as it is installed, but with fewer draws: how often a bootstrap draws has nothing to do with hostile files.
_COMMAND = """
import pathlib, sys
from pipeline import settings
settings._FILE = pathlib.Path(sys.argv.pop(1))
from assets import command
command.main()
"""


def few_draws(file: Path) -> Path:
    usual = Path(settings.__file__).with_name("settings.toml").read_text(encoding="utf-8")
    file.write_text(
        re.sub(r"(?m)^((resampling|curve|moran|bootstrap)_draws) = \d+", r"\1 = 99", usual), encoding="utf-8"
    )
    return file


def command(root: Path, *arguments: str, environment: Mapping[str, str]) -> Ended:
    """`care-numbers` in a process of its own, in the sandbox's working folder."""
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, str(root / "settings.toml"), *arguments],
        env=environment_of(environment),
        cwd=root / "work",
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    root = tmp_path_factory.mktemp("sandbox")
    for name in ("home", "tmp", "work"):
        (root / name).mkdir()
    data = root / "data"
    refresh_demonstration(data)
    expected = plant(data)
    few_draws(root / "settings.toml")
    environment = {"HOME": str(root / "home"), "TMPDIR": str(root / "tmp"), places.RAW_VARIABLE: str(root / "raw")}
    before = listing(root)
    imported = command(root, "import", str(data), environment=environment)
    ran = command(root, "run", "--data", str(data), "--out", str(root / "out"), environment=environment)
    yield Sandbox(root, data, expected, before, imported, ran)
    shutil.rmtree(root / "data")  # 5 GB, if only in name


def test_both_commands_use_what_is_good(sandbox: Sandbox) -> None:
    assert sandbox.imported.code == 0, sandbox.imported.err
    assert sandbox.ran.code == 0, sandbox.ran.err
    assert len(rows(sandbox.database, "SELECT DISTINCT la_code FROM main.care_numbers")) > 100


def test_what_is_hostile_is_listed_with_its_reason(sandbox: Sandbox) -> None:
    told = dict(rows(sandbox.database, "SELECT file, reason FROM about.files_not_used"))
    assert {name: told.get(name) for name in sandbox.expected} == dict(sandbox.expected)
    used = {file for (file,) in rows(sandbox.database, "SELECT file FROM about.sources")}
    assert not used & set(sandbox.expected)
    for name, reason in sandbox.expected.items():
        assert f"  not used    {name}  ({reason})" in sandbox.imported.out


def test_the_terminal_is_told_no_escape(sandbox: Sandbox) -> None:
    for ended in (sandbox.imported, sandbox.ran):
        assert "\x1b" not in ended.out + ended.err
        assert "Traceback" not in ended.err and "panicked" not in ended.err


def test_nothing_but_the_outputs_was_written(sandbox: Sandbox) -> None:
    """The home, the folder for temporary files, the working folder and the data are as they were."""
    after = listing(sandbox.root)
    ours = {name: what for name, what in after.items() if not name.startswith(("out/", "raw/"))}
    assert ours == sandbox.before


def test_nothing_was_executed_and_no_member_left_its_archive(sandbox: Sandbox) -> None:
    found = listing(sandbox.root)
    assert not [name for name in found if Path(name).name in (CANARY, "outside.csv")]
    assert not Path("/etc/outside.csv").exists()


def test_only_recognised_files_were_imported(sandbox: Sandbox) -> None:
    """Regular files, under the names that they had, and none that leads anywhere."""
    imported = [path for path in (sandbox.root / "raw").rglob("*") if not path.is_dir()]
    assert len(imported) > 40
    assert not [path for path in imported if path.is_symlink() or not path.is_file()]
    hostile = {Path(name).name for name in sandbox.expected}
    assert not [path for path in imported if path.name in hostile or path.stem.split(".")[0] == "hostile"]
