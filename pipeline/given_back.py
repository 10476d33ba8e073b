"""Memory that is no longer needed, given back to the machine between the steps of a large run.

What belongs here: when it is worth it, and how. What does not: needing less (the modules that hold frames), and what the
statistics of rates call memory (`memory`).

Freed memory stays with a process: the libraries keep it for their next request, in pieces that do not fit it. A country of
thousands of areas would come to hold what every one of its steps has held. Of England's size nothing is done.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from pathlib import Path

import pyarrow as pa

_WORTH_IT = 1_500_000_000  # bytes; a run of the published files holds half of it
_GROWN_BY = 500_000_000  # since the last time: collecting takes some tenths of a second

_left = 0  # what was held after the last time


def give_back() -> None:
    """Give back what nobody needs, where the process holds much more than after the last time; nothing but on Linux."""
    global _left
    if not sys.platform.startswith("linux") or held() < max(_WORTH_IT, _left + _GROWN_BY):
        return
    gc.collect()
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; others give back by themselves
    if trim is not None:
        trim(0)
    _left = held()


def held() -> int:
    """Bytes of memory that this process holds, as Linux counts them."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
