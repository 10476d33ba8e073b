"""The PostgreSQL server that keeps Dagster's runs, where the environment names one.

What belongs here: whether it can be used, before Dagster tries again and again. What does not: the settings that Dagster
takes (`dagster.postgres.yaml`).
"""

import importlib.util
import os

from pipeline import places
from pipeline.errors import Refusal

# As dagster.postgres.yaml has them.
VARIABLES = {
    "host": places.POSTGRES_VARIABLE,
    "port": "CARE_NUMBERS_POSTGRES_PORT",
    "user": "CARE_NUMBERS_POSTGRES_USER",
    "password": "CARE_NUMBERS_POSTGRES_PASSWORD",
    "dbname": "CARE_NUMBERS_POSTGRES_DATABASE",
}
_SECONDS = 5


def refuse_unusable() -> None:
    """Raise Refusal where a server is named that cannot be used: no package, no settings, no answer, or no entry."""
    if not os.environ.get(places.POSTGRES_VARIABLE):
        return
    if importlib.util.find_spec("dagster_postgres") is None:
        raise Refusal(
            "no_postgres",
            f"{places.POSTGRES_VARIABLE} names a PostgreSQL server, and the package for it is not installed",
            remedy="install it with pip install 'care-numbers[postgres]', or unset the variable",
        )
    missing = [name for name in VARIABLES.values() if name not in os.environ]
    if missing:
        raise Refusal(
            "postgres_settings",
            f"{places.POSTGRES_VARIABLE} names a PostgreSQL server, and {' and '.join(missing)} is not set",
            remedy=f"set it, or unset {places.POSTGRES_VARIABLE}",
        )
    import psycopg2

    try:
        psycopg2.connect(
            connect_timeout=_SECONDS, **{name: os.environ[variable] for name, variable in VARIABLES.items()}
        ).close()
    except psycopg2.Error as error:
        host, port = os.environ[VARIABLES["host"]], os.environ[VARIABLES["port"]]
        raise Refusal(
            "postgres_unusable",
            f"the PostgreSQL server at {host}:{port} cannot be used ({' '.join(str(error).split())})",
            remedy=f"see that it runs and that the settings beginning with CARE_NUMBERS_POSTGRES_ are its own, or unset "
            f"{places.POSTGRES_VARIABLE}; nothing was changed",
        ) from error
