"""An empty database on the PostgreSQL server of this machine, for the tests that need one.

What belongs here: where the server is, and a database of a test's own. What does not: whether there is a server, which each
module asks for the role that it uses. `.ci/postgres.sh` starts it and makes the roles.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline import places

HOST, PORT = "127.0.0.1", int(os.environ.get("CARE_NUMBERS_TEST_POSTGRES_PORT", "5432"))


@contextmanager
def database(role: str, password: str) -> Iterator[dict[str, str]]:
    """The environment that names an empty database, which is dropped afterwards."""
    import psycopg2

    name = f"{role}_{uuid.uuid4().hex[:8]}"
    administration = psycopg2.connect(host=HOST, port=PORT, user=role, password=password, dbname="postgres")
    administration.autocommit = True
    try:
        with administration.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        yield {
            places.POSTGRES_VARIABLE: HOST,
            "CARE_NUMBERS_POSTGRES_PORT": str(PORT),
            "CARE_NUMBERS_POSTGRES_USER": role,
            "CARE_NUMBERS_POSTGRES_PASSWORD": password,
            "CARE_NUMBERS_POSTGRES_DATABASE": name,
        }
        with administration.cursor() as cursor:
            # Own sessions by hand: WITH (FORCE) is refused while the server's own vacuum is there, which a plain DROP ends.
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = %s AND usename = current_user",
                [name],
            )
            cursor.execute(f"DROP DATABASE {name}")
    finally:
        administration.close()
