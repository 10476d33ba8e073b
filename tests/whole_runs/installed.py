"""The project as a wheel, installed into a folder of its own, away from the checkout.

What belongs here: building, installing and starting the installed copy. What does not: expectations (the test modules).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.whole_runs.running import PROJECT, Ended, environment_of

_PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")


@dataclass(frozen=True)
class Installed:
    """An installed copy: the wheel it came from and the folder that holds its packages."""

    wheel: Path
    packages: Path

    def care_numbers(self, *arguments: str | Path, cwd: Path, environment: Mapping[str, str] | None = None) -> Ended:
        """Run the command of the installed copy, working in a folder that has nothing to do with the checkout."""
        done = subprocess.run(
            [sys.executable, "-m", "assets.command", *map(str, arguments)],
            cwd=cwd,
            # Before the environment's own packages, among which the checkout may be installed too.
            env=environment_of({**(environment or {}), "PYTHONPATH": str(self.packages)}),
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)


def install(folder: Path) -> Installed:
    """Build the wheel from the checkout and install it, both without looking for anything elsewhere."""
    packages = folder / "packages"
    subprocess.run(
        [*_PIP, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, PROJECT], check=True
    )
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*_PIP, "install", "--no-deps", "--no-index", "--target", packages, wheel], check=True)
    return Installed(wheel, packages)
