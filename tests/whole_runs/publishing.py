"""Publications that a test can kill, and processes that read while others publish.

What belongs here: the programs of those processes and starting them. What does not: expectations (`test_publications`).
"""

from __future__ import annotations

import select
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from os import kill
from pathlib import Path

from tests.whole_runs.running import PROJECT, environment_of

# Imports once and then forks a process for each publication, which may be killed at any moment. With a number, the process
# kills itself right before the change with that number of a name in the file system.
_PUBLISHER = """
import os, signal, sys
from pathlib import Path
import pandera.pandas
from pipeline import publish
NAMES = ("os.rename", "os.symlink", "os.remove", "os.mkdir", "os.rmdir")

def die_at(moment):
    left = [moment]
    def watch(event, _):
        if event in NAMES:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(watch)

database, sql = map(Path, sys.argv[1:])
for line in sys.stdin:
    frames, run_id, moment = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        if moment:
            die_at(int(moment))
        try:
            publish.publish(database, Path(frames), sql, {"run_id": run_id}, is_fictional=True)
        except BaseException as error:
            print("!", repr(error), flush=True)
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""

# Reads in a loop until the file `stop` is there; writes a line after the first round, and at the end what it has seen.
_READER = """
import json, os, sys
from pathlib import Path
import duckdb
from pipeline.database import connect
database, stop, queries = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
latest, seen, rounds, is_last = database.parent / "releases" / "latest", set(), 0, False
while not is_last:
    is_last = stop.exists()
    connection = connect(database)
    opened = [connection.execute(query).fetchall()[0][0] for query in queries]
    connection.close()
    folder = os.path.realpath(latest)
    connection = duckdb.connect(os.path.join(folder, "care_numbers.duckdb"), read_only=True)
    linked = [connection.execute(query).fetchall()[0][0] for query in queries]
    connection.close()
    seen |= {json.dumps(opened), json.dumps(linked)}
    rounds += 1
    if rounds == 1:
        print("reading", flush=True)
print(json.dumps([rounds, sorted(seen)]), flush=True)
"""

# Opens once, answers the same queries whenever it is asked, and never opens again.
_HOLDER = """
import json, sys
import duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
for _ in sys.stdin:
    print(json.dumps([connection.execute(query).fetchall()[0][0] for query in json.loads(sys.argv[2])]), flush=True)
"""


def process(program: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """A Python process of its own that talks by lines."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=PROJECT,
        env=environment_of(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )


def end(processes: Iterable[subprocess.Popen[str]]) -> None:
    """End processes by closing what they read from; those that do not end are killed."""
    for one in processes:
        with suppress(BrokenPipeError):
            one.stdin.close()
    for one in processes:
        try:
            one.wait(timeout=20)
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()
        one.stdout.close()


class Publisher:
    """Publishes again and again, each time in a process of its own."""

    def __init__(self, database: Path, sql_folder: Path) -> None:
        self.process = process(_PUBLISHER, database, sql_folder)

    def publish(
        self, frames: Path, run_id: str, *, kill_after: float | None = None, kill_at: int | None = None
    ) -> bool:
        """One publication; True when it ended by itself.

        Killed after so many seconds, or right before the change of a name in the file system with this number, if it is
        not over by then.
        """
        self.process.stdin.write(f"{frames}\t{run_id}\t{'' if kill_at is None else kill_at}\n")
        child = int(self.process.stdout.readline())
        if kill_after is not None and not select.select([self.process.stdout], [], [], kill_after)[0]:
            kill(child, signal.SIGKILL)
        answer = self.process.stdout.readline()
        assert not answer.startswith("!"), answer
        status = int(answer)
        assert status in (0, signal.SIGKILL)
        return status == 0


def readers(number: int, database: Path, stop: Path, queries: str) -> list[subprocess.Popen[str]]:
    """Processes that read in a loop, each of which has read once already."""
    started: Sequence[subprocess.Popen[str]] = [process(_READER, database, stop, queries) for _ in range(number)]
    for one in started:
        assert one.stdout.readline() == "reading\n"
    return list(started)


def holder(database: Path, queries: str) -> subprocess.Popen[str]:
    """A process that keeps one connection open."""
    return process(_HOLDER, database, queries)


def answer(held: subprocess.Popen[str]) -> str:
    """What a holder's open connection answers now."""
    held.stdin.write("\n")
    return held.stdout.readline().rstrip("\n")
