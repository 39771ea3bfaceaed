"""How a state file of an older program becomes one of this program.

The number of a file is its `user_version`. Each step leads from one number to the next and runs in the
same transaction as all others, so that a file is either old or new and never between.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

Migration = Callable[[sqlite3.Connection], None]

APPLICATION_ID = 0x466F7265
"""Marks a SQLite file as ours ("Fore")."""


def _first_tables(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE doc ("
        " tbl TEXT NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL, json TEXT NOT NULL,"
        " PRIMARY KEY (tbl, key)) WITHOUT ROWID"
    )
    connection.execute("CREATE UNIQUE INDEX doc_order ON doc (tbl, position)")
    connection.execute(
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
    )


MIGRATIONS: tuple[Migration, ...] = (_first_tables,)


def version_of(connection: sqlite3.Connection) -> int:
    """The schema number of a file; 0 for one that is empty."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, steps: Sequence[Migration] = MIGRATIONS) -> int:
    """Bring a file to the newest number. Returns the one it had. All or nothing."""
    before = version_of(connection)
    if before == len(steps):
        return before
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps[before:]:
            step(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return before
