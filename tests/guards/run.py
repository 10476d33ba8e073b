"""Take each guard away and see a test fail: `make guards`.

What belongs here: the copy of the project, the mutation and the verdict. What does not: the guards (`guards.toml`), and
that their places exist (`test_guards_stand`). The copy lies in a temporary folder; the checkout is only read.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

PROJECT = Path(__file__).resolve().parents[2]
GUARDS = Path(__file__).with_name("guards.toml")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
_TESTS_FAILED = 1  # pytest's exit code when tests ran and some failed; a broken file gives another
_NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "processed", "__pycache__", ".*_cache", "*.egg-info")


@dataclass(frozen=True)
class Guard:
    """One guard: where it stands, what takes its place, and the test that must notice."""

    name: str
    promise: str
    file: str
    there: str
    instead: str
    test: str


def guards() -> list[Guard]:
    """All guards of the list."""
    return [Guard(**entry) for entry in tomllib.loads(GUARDS.read_text(encoding="utf-8"))["guard"]]


def main() -> int:
    """Print what each guard's removal breaks; 1 when one can be removed unnoticed or a test fails with all in place."""
    console = Console()
    all_guards = guards()
    with tempfile.TemporaryDirectory(prefix="guards-") as scratch:
        copy = Path(scratch) / "project"
        shutil.copytree(PROJECT, copy, ignore=_NOT_COPIED, symlinks=True)
        code, said = _pytest(copy, *(guard.test for guard in all_guards))
        if code:
            console.print(said, markup=False, highlight=False)
            console.print("A test fails with every guard in place.")
            return 1
        unnoticed = 0
        for number, guard in enumerate(all_guards, start=1):
            failed = _without(copy, guard)
            unnoticed += failed is None
            console.print(f"{number:2}  {guard.name}", highlight=False)
            console.print(f"    without it: {failed or 'NO TEST FAILS'}", highlight=False, soft_wrap=True)
    console.print(f"{len(all_guards) - unnoticed} of {len(all_guards)} guards cannot be removed unnoticed.")
    return int(unnoticed > 0)


def _without(copy: Path, guard: Guard) -> str | None:
    """The first test that fails while the guard is away, None when none does."""
    file = copy / guard.file
    kept = file.read_text(encoding="utf-8")
    if kept.count(guard.there) != 1:
        raise SystemExit(f"{guard.name}: its text stands {kept.count(guard.there)} times in {guard.file}")
    file.write_text(kept.replace(guard.there, guard.instead), encoding="utf-8")
    try:
        code, said = _pytest(copy, guard.test)
    finally:
        file.write_text(kept, encoding="utf-8")
    found = _FAILED.search(said)
    if code != _TESTS_FAILED or found is None:
        return None
    return found[1]


def _pytest(copy: Path, *tests: str) -> tuple[int, str]:
    """Run tests of the copy: its folder comes first on the path, before the installed project."""
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *tests],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
