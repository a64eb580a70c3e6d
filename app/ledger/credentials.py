"""The database's credentials, from the files of a mounted Secret."""

from pathlib import Path

import psycopg

KEYS = {"host": "host", "port": "port", "username": "user", "password": "password", "dbname": "dbname"}
"""File name in the Secret -> libpq's keyword."""


class CredentialsMissing(psycopg.OperationalError):
    """A key of the Secret is not there (yet); to the pool it is one more failed connection."""


def read(directory: Path) -> dict[str, str]:
    """Return libpq's keywords from the files in `directory`, as they are at this moment.

    Called for every new connection, so that a rotated password needs no restart.
    """
    found = {}
    for name, keyword in KEYS.items():
        try:
            value = (directory / name).read_text().strip("\r\n")
        except OSError:
            value = ""
        if not value:
            raise CredentialsMissing(f"credential '{name}' is missing in {directory}")
        found[keyword] = value
    return found
