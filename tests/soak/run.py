"""A long soak: `make soak`. Prints what the nights came to, and fails when anything grows that should not.

What belongs here: the number of nights, what is measured of the process, and the limits. What does not: the nights
(`nights`). A database of a few states is also computed afresh in a process of its own, and has to be the same.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from rich.console import Console

from pipeline import given_back
from pipeline.demonstration.build import build_demonstration
from tests.soak.nights import KEEP_RUN_DAYS, Soak, State, plan
from tests.whole_runs.running import care_numbers_process, tables_that_differ

WARM_UP = 40  # nights until every kind of night has been seen and caches are full
# What is in use is held to a night's growth. What the system sees holds besides what the allocators keep for later in
# pieces, and that takes hundreds of nights to settle, so it has a bound.
MOST_IN_USE_MORE_A_NIGHT = 0.05  # MB
MOST_MEGABYTES = 1.15  # times those after the warm-up
MOST_HANDLES_MORE = 8
MEAN_BLOCK = 64  # bytes of one of Python's small blocks, which it counts and does not add up
FRESH = 3  # states that are computed again by themselves


@dataclass(frozen=True)
class Measured:
    """The process after a night."""

    megabytes: float  # as the system sees it
    in_use_megabytes: (
        float  # of the system's allocator, Arrow's and Python's; not of DuckDB's and the drawing of charts
    )
    objects: int  # that Python's collector knows of
    handles: int
    threads: int
    files: int
    home_megabytes: float


def measured(soak: Soak) -> Measured:
    """What the process holds, and what lies in the output folder besides releases."""
    gc.collect()
    out = soak.workspace.out
    besides = [path for path in out.rglob("*") if path.is_file() and soak.workspace.releases not in path.parents]
    home = [path.stat().st_size for path in besides if soak.workspace.dagster_home in path.parents]
    return Measured(
        given_back.held() / 1e6,
        _in_use() / 1e6,
        len(gc.get_objects()),
        len(os.listdir("/proc/self/fd")),
        len(os.listdir("/proc/self/task")),
        len(besides),
        sum(home) / 1e6,
    )


class _Allocated(ctypes.Structure):
    """What mallinfo2 of the GNU C library tells, in its order."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


def _in_use() -> int:
    """Bytes that somebody asked for and has not given back: of the C library, of Arrow, and Python's small blocks."""
    tell = ctypes.CDLL(None).mallinfo2
    tell.restype = _Allocated
    told = tell()
    return told.uordblks + told.hblkhd + pa.total_allocated_bytes() + sys.getallocatedblocks() * MEAN_BLOCK


def soak_for(nights: int, seed: int, root: Path, console: Console) -> tuple[Soak, list[Measured]]:
    """Let nights pass, each held to its prediction."""
    pristine = root / "pristine"
    build_demonstration(pristine)
    soak, found, began = Soak(pristine, root / "soak"), [], time.monotonic()
    happenings = plan(seed)
    soak.night("the first night", State())
    found.append(measured(soak))
    while soak.day < nights:
        soak.night(*next(happenings)(soak))
        found.append(measured(soak))
        if soak.day % 20 == 0:
            console.print(f"night {soak.day}: {time.monotonic() - began:,.0f} s, {_told(found[-1])}", highlight=False)
    return soak, found


def _told(one: Measured) -> str:
    return (
        f"{one.megabytes:,.0f} MB, {one.in_use_megabytes:.1f} in use, {one.objects:,} objects, {one.handles} handles,"
        f" {one.threads} threads,"
        f" {one.files} files besides releases, Dagster home {one.home_megabytes:.1f} MB"
    )


def growth(found: list[Measured]) -> list[str]:
    """What grew after the warm-up, in sentences; empty when nothing did."""
    after = found[WARM_UP:]
    in_use = _in_use_growth(found)
    memory = max(one.megabytes for one in after[-20:]) / max(one.megabytes for one in after[:20])
    handles = max(one.handles for one in after[-20:]) - max(one.handles for one in after[:20])
    threads = max(one.threads for one in after[-20:]) - max(one.threads for one in after[:20])
    # Files and Dagster's home grow until the first runs are old enough to be forgotten.
    settled = found[max(WARM_UP, 2 * KEEP_RUN_DAYS) :]
    files = max(one.files for one in settled[-30:]) - max(one.files for one in settled[:30])
    home = max(one.home_megabytes for one in settled[-30:]) / max(one.home_megabytes for one in settled[:30])
    faults = []
    if in_use > MOST_IN_USE_MORE_A_NIGHT:
        faults.append(f"memory in use grows by {in_use:.3f} MB a night")
    if memory > MOST_MEGABYTES:
        faults.append(f"memory is {memory:.2f} times what it was")
    if handles > MOST_HANDLES_MORE or threads > MOST_HANDLES_MORE:
        faults.append(f"{handles} more handles and {threads} more threads at the end")
    if files > 60 or home > 1.25:
        faults.append(f"{files} more files at the end, and Dagster's home {home:.2f} times as large")
    return faults


def _in_use_growth(found: list[Measured]) -> float:
    """Megabytes a night by which what is in use grows after the warm-up (least squares)."""
    after = [one.in_use_megabytes for one in found[WARM_UP:]]
    return float(np.polyfit(range(len(after)), after, 1)[0])


def main() -> int:
    """Soak, and print the figures; 1 when something grew or a fresh run gives another database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20181129)
    chosen = parser.parse_args()
    console = Console(width=160)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-") as scratch:
        root = Path(scratch)
        soak, found = soak_for(chosen.nights, chosen.seed, root, console)
        seconds = time.monotonic() - began
        differing = []
        for number, state in enumerate(sorted(soak.content, key=str)[:FRESH]):
            differing += fresh_differs(soak, state, root / f"fresh{number}")
    faults = growth(found) if chosen.nights > 2 * WARM_UP else []
    console.print(
        f"{chosen.nights} nights in {seconds:,.0f} s, {seconds / chosen.nights:.1f} s a night", highlight=False
    )
    for kind, count in sorted(soak.kinds.items()):
        console.print(f"  {count:4}  {kind}", highlight=False)
    console.print(
        f"  {len(soak.content)} different databases, each the same whenever its files came back;", highlight=False
    )
    console.print(
        f"  {FRESH} of them computed afresh in a process of their own: {len(differing)} tables differ", highlight=False
    )
    console.print(f"first night {_told(found[0])}", highlight=False)
    console.print(f"night {min(WARM_UP, len(found))} {_told(found[min(WARM_UP, len(found)) - 1])}", highlight=False)
    console.print(f"last night {_told(found[-1])}", highlight=False)
    if chosen.nights > 2 * WARM_UP:
        console.print(f"in use after the warm-up: {_in_use_growth(found):+.4f} MB a night", highlight=False)
    for fault in [*faults, *differing]:
        console.print(fault, highlight=False)
    return int(bool(faults or differing))


def fresh_differs(soak: Soak, state: State, folder: Path) -> list[str]:
    """Compute a state's database in a new folder and process, and compare it with the one that the nights left."""
    release = next((name for name, own in reversed(soak.published) if own == state), None)
    kept = soak.workspace.releases / str(release) / "care_numbers.duckdb"
    if not kept.exists():  # pruned by the retention: the digest has been compared each time it was shown
        return []
    state.build(soak.pristine, folder / "data")
    environment = {"CARE_NUMBERS_SETTINGS": str(soak.root / "own.toml")}
    ended = care_numbers_process("run", "--data", folder / "data", "--out", folder / "out", environment=environment)
    if ended.code:
        return [ended.err]
    fresh = folder / "out" / "demo" / "care_numbers.duckdb"
    return tables_that_differ(kept, fresh, but=frozenset({"about.run", "about.sources"}))


if __name__ == "__main__":
    sys.exit(main())
