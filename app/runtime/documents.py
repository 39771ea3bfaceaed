"""All that a state holds, as it is at one instant: what an archive is made of."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.kernel.text import Text
from app.runtime.store import Store, StoreFailed

Document = tuple[str, str, dict[str, Any]]
"""Table, key and row."""


def documents(store: Store) -> Iterator[Document]:
    """Of a store that nobody writes to meanwhile."""
    for table in store.tables():
        for key, row in store.rows(table):
            yield table, key, row


def documents_beside(path: Path) -> Iterator[Document]:
    """Of a file that its store goes on writing to; for a thread. Raises StoreFailed.

    Thousands of messages may wait in it, which take long to read and to look through.
    """
    query = "SELECT tbl, key, json FROM doc ORDER BY tbl, position"
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=5.0)) as connection:
            found = connection.execute(query).fetchall()
    except sqlite3.Error as error:
        params = {"file": str(path), "why": str(error)}
        raise StoreFailed(Text("runtime.store.failed", params)) from error
    for table, key, text in found:
        yield table, key, json.loads(text)
