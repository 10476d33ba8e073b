"""Something costly that all test processes of a session share, made by the first that asks.

What belongs here: making it once and waiting for it. What does not: what it is. With pytest-xdist each worker is a process
with fixtures of its own, and a whole run would else be repeated in every one of them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name` of this session, filled by `make` in whichever process comes first; the others wait for it.

    Where `make` fails nothing is remembered: its test fails, and the next process tries again.
    """
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            done.touch()
    return folder
