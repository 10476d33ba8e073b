"""Services as processes: started in a session of their own, looked at, ended with everything that they started.

What belongs here: starting, waiting, and which sockets the kernel says that they listen at. What does not: expectations
(the test modules).
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.whole_runs.running import environment_of

STARTS_WITHIN = 90  # seconds; a busy machine takes a few times as long as an idle one
STOPS_WITHIN = 30
_LISTENS, _UNCONNECTED = "0A", "07"  # states of the kernel's tables for TCP and UDP
LISTS_SOCKETS = Path("/proc/net/tcp").exists()


def program(name: str) -> str:
    """A program beside the Python that runs the tests."""
    return str(Path(sys.executable).with_name(name))


def free_port() -> int:
    """A port of this machine that nobody has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@dataclass(frozen=True)
class Service:
    """A running command and the file that holds what it writes to the terminal."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def processes(self) -> list[int]:
        """What lives of the processes that it started: all are of its session."""
        return of_session(self.process.pid)

    def wait_until(self, what: Callable[[], object], seconds: float = STARTS_WITHIN) -> None:
        """Ask again and again, for so long and no longer."""
        end = time.monotonic() + seconds
        while not what():
            assert self.process.poll() is None, self.said[-3000:]
            assert time.monotonic() < end, self.said[-3000:]
            time.sleep(0.2)


@contextlib.contextmanager
def running(
    *command: str | Path, cwd: Path, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """A command in a session of its own; at the end it is asked to stop, and what is left of it is killed."""
    with log.open("wb") as terminal:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=environment_of(environment),
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Service(process, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=STOPS_WITHIN)
        for left in of_session(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)
        process.wait()


def of_session(leader: int) -> list[int]:
    """The living processes of a session."""
    listed = subprocess.run(["ps", "-eo", "pid=,sid=,stat="], capture_output=True, text=True, check=True)
    lines = (line.split() for line in listed.stdout.splitlines())
    return [int(pid) for pid, session, state in lines if int(session) == leader and state[0] != "Z"]


def listening(processes: list[int]) -> set[str]:
    """Addresses, such as `127.0.0.1:3000`, at which these processes take connections or datagrams from elsewhere."""
    own = {inode for pid in processes for inode in _sockets_of(pid)}
    return {address for inode, address in _open_sockets() if inode in own}


def socket_files(processes: list[int]) -> list[Path]:
    """The files of the Unix sockets at which these processes take connections."""
    own = {inode for pid in processes for inode in _sockets_of(pid)}
    lines = (line.split() for line in Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()[1:])
    takes_connections = "00010000"
    return [Path(parts[7]) for parts in lines if len(parts) > 7 and parts[6] in own and parts[3] == takes_connections]


def _sockets_of(pid: int) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for link in Path("/proc", str(pid), "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(link))
                if found:
                    yield found[1]


def _open_sockets() -> Iterator[tuple[str, str]]:
    for table, state in (("tcp", _LISTENS), ("tcp6", _LISTENS), ("udp", _UNCONNECTED), ("udp6", _UNCONNECTED)):
        for line in Path("/proc/net", table).read_text(encoding="utf-8").splitlines()[1:]:
            parts = line.split()
            if parts[3] == state:
                yield parts[9], _readable(parts[1])


def _readable(address: str) -> str:
    """An address as the kernel writes it, in words of four bytes of this machine's order."""
    host, _, port = address.partition(":")
    packed = b"".join(struct.pack("=I", int(host[at : at + 8], 16)) for at in range(0, len(host), 8))
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    told = socket.inet_ntop(family, packed).removeprefix("::ffff:")  # a socket for both versions of the protocol
    return f"{told}:{int(port, 16)}"
