"""What a station remembers over a power cut: one SQLite file of JSON documents.

Write-ahead logging: a commit is one append to the log. With synchronous NORMAL a kill of the program
loses nothing, a power cut of the computer may lose the last commits but never breaks the file; FULL waits
for the disk each time. The log is folded back into the file by PASSIVE checkpoints in a thread, so that
no commit on the loop waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.kernel.jsontext import dump_row
from app.kernel.text import Text
from app.runtime.filelock import FileLock
from app.runtime.migrations import APPLICATION_ID, MIGRATIONS, Migration, migrate, version_of

MEMORY = ":memory:"
CHECKPOINT_EVERY = 500
"""Commits between two checkpoints: the log stays at a few MB."""
LONG_LOG = 4000
"""Pages (16 MB) from which on the log has to begin anew, even if the loop waits for it."""

Row = dict[str, Any]


_BROKEN_ROWS = """
    SELECT tbl, key FROM doc
    WHERE tbl <> 'outbox' AND CASE WHEN json_valid(json) THEN json_type(json) <> 'object' ELSE 1 END
    LIMIT 1
"""
"""A row that is no document. The outbox may be long; its rows are judged when their turn comes."""


class StoreError(OSError):
    """The state cannot be used; `text` says it in words."""

    def __init__(self, text: Text) -> None:
        super().__init__(f"{text.id} {dict(text.params)}")
        self.text = text


class StoreLocked(StoreError):
    """Another program uses this state."""


class StoreTooNew(StoreError):
    """A newer program wrote this state."""


class StoreFailed(StoreError):
    """The disk did not take, or did not give, what was asked of it."""

    @classmethod
    def is_meant_by(cls, error: str) -> bool:
        """A task that failed tells of the disk: the store has said so before, and it is no fault of ours."""
        return error.startswith(f"{cls.__name__}:")


class StateUnfit(StoreError):
    """The state can be read, but says what this station is not or must not become."""


class Store:
    """Named tables of JSON documents in the order they came; implements the store port of the blocks.

    Raises StoreLocked, StoreTooNew or StoreFailed when it cannot be opened. A file that cannot be read is
    renamed (`kept_aside`) and a fresh one begun. `on_failure` is called once with the first failure of
    an open store.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        full_sync: bool = False,
        on_failure: Callable[[StoreFailed], None] | None = None,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        self.path = None if str(path) == MEMORY else Path(path)
        self.on_failure = on_failure
        self.before_commit: Callable[[frozenset[str]], None] | None = None
        """Called at the end of each step with the tables it wrote to: what it writes belongs to the step."""
        self.kept_aside: Path | None = None
        self.migrated_from: int | None = None
        self.failed: StoreFailed | None = None
        self.undone = 0
        """How many steps were undone, inner ones too."""
        self._full_sync = full_sync
        self._migrations = migrations
        self._step = _Step(self)
        self._depth = 0
        self._task: object = None
        self._written: set[str] = set()
        self._commits = 0
        self._checkpoint: threading.Thread | None = None
        self._log_is_long = False
        self._closed = False
        self._lock = self._take_lock()
        try:
            self._connection = self._open()
        except BaseException:
            self._release()
            raise

    # ------------------------------------------------------------------ open and close

    def _take_lock(self) -> FileLock | None:
        if self.path is None:
            return None
        lock = FileLock(self.path.with_name(self.path.name + ".lock"))
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            taken = lock.acquire()
        except OSError as error:
            raise self._cannot_open(error.strerror or str(error)) from error
        if not taken:
            params = {"folder": str(self.path.parent), "pid": lock.holder()}
            raise StoreLocked(Text("runtime.store.locked", params))
        return lock

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.OperationalError as error:
            raise self._cannot_open(str(error)) from error
        except sqlite3.DatabaseError:
            self.kept_aside = self._set_aside()
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            raise self._cannot_open(error.strerror or str(error)) from error
        try:
            return self._connect()
        except (sqlite3.DatabaseError, OSError) as error:
            raise self._cannot_open(str(error)) from error

    def _connect(self) -> sqlite3.Connection:
        if self.path is not None:
            # made here, so that it never exists with other rights than these
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self.path or MEMORY, isolation_level=None, timeout=5.0)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = version_of(connection)
        if version > len(self._migrations):
            params = {"file": str(self.path), "found": version, "known": len(self._migrations)}
            raise StoreTooNew(Text("runtime.store.too_new", params))
        if version and _application_id(connection) != APPLICATION_ID:
            raise StoreFailed(Text("runtime.store.foreign", {"file": str(self.path)}))
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._full_sync else 'NORMAL'}")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        before = migrate(connection, self._migrations)
        broken = connection.execute(_BROKEN_ROWS).fetchone()
        if broken is not None:
            raise sqlite3.DatabaseError(f"the row {broken[0]}/{broken[1]} is none")
        self.migrated_from = before if 0 < before < len(self._migrations) else None

    def _set_aside(self) -> Path:
        if self.path is None:
            raise self._cannot_open("a store in memory does not break")
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        target = self.path.with_name(f"{self.path.name}.broken-{moment}")
        try:
            self.path.rename(target)
            for ending in ("-wal", "-shm"):
                part = self.path.with_name(self.path.name + ending)
                if part.exists():
                    part.rename(target.with_name(target.name + ending))
        except OSError as error:
            raise self._cannot_open(error.strerror or str(error)) from error
        return target

    def _cannot_open(self, why: str) -> StoreFailed:
        params = {"file": str(self.path), "why": why}
        return StoreFailed(Text("runtime.store.cannot_open", params))

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        if self._closed:
            return
        self._closed = True
        if self._checkpoint is not None:
            self._checkpoint.join()
        try:
            if self.path is not None:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            self._fail(error)
        finally:
            self._connection.close()
            self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    # ------------------------------------------------------------------ steps

    def step(self) -> AbstractContextManager[None]:
        """All changes inside become durable together, or none. An inner step joins the outer one.

        If an inner step fails and the outer one goes on, only the inner one's changes are undone.
        No `await` inside: another task's changes would join.
        """
        return self._step

    def _begin(self) -> None:
        self._check_task()
        self._run(f"SAVEPOINT inner{self._depth}" if self._depth else "BEGIN IMMEDIATE")
        self._depth += 1

    def _end(self) -> None:
        if self._depth > 1:
            self._depth -= 1
            self._run(f"RELEASE inner{self._depth}")
            return
        try:
            self._complete()
        except BaseException:
            self._give_up()
            raise
        self._depth = 0
        try:
            self._run("COMMIT")
        except StoreFailed:
            self._undo(None)
            raise
        self._committed()

    def _give_up(self) -> None:
        self._depth -= 1
        self._undo(f"inner{self._depth}" if self._depth else None)

    def _complete(self) -> None:
        if self.before_commit is not None:
            written, self._written = frozenset(self._written), set()
            self.before_commit(written)

    def _check_task(self) -> None:
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        if self._depth == 0:
            self._task = task
            self._written.clear()
        elif task is not self._task:
            raise RuntimeError("another task is in the middle of a step: a step must not await")

    def _undo(self, inner: str | None) -> None:
        self.undone += 1
        try:
            if inner is None:
                # SQLite has already rolled back by itself after some errors, a full disk for one
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            elif self._connection.in_transaction:
                self._connection.execute(f"ROLLBACK TO {inner}")
                self._connection.execute(f"RELEASE {inner}")
        except sqlite3.Error as error:
            self._fail(error)

    def _committed(self) -> None:
        self._commits += 1
        if self._checkpoint is not None and self._checkpoint.is_alive():
            return
        if self._log_is_long:
            self._begin_the_log_anew()
        if self._commits < CHECKPOINT_EVERY or self.path is None:
            return
        self._commits = 0
        self._checkpoint = threading.Thread(
            target=self._fold_back, args=(self.path,), name="store checkpoint", daemon=True
        )
        self._checkpoint.start()

    def _fold_back(self, path: Path) -> None:
        """In a thread of its own, with a connection of its own."""
        # on failure the next one, or closing, tries again; a disk that is broken fails the next commit
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection,
        ):
            _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._log_is_long = pages > LONG_LOG

    def _begin_the_log_anew(self) -> None:
        """Fold back the few commits that came while the thread folded back the others.

        The log begins anew only when nothing is left to fold back, and while a queue is delivered there is
        always one more commit: only between two of them, here, is the moment for it.
        """
        self._log_is_long = False
        with contextlib.suppress(sqlite3.Error):  # as in the thread
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    # ------------------------------------------------------------------ the port

    def get(self, table: str, key: str) -> Row | None:
        """The document of a key, None if there is none."""
        found = self._run("SELECT json FROM doc WHERE tbl = ? AND key = ?", (table, key)).fetchone()
        return json.loads(found[0]) if found else None

    def put(self, table: str, key: str, row: Mapping[str, Any]) -> None:
        """Write a document; one that exists keeps its place in the order."""
        text = dump_row(row)
        self._written.add(table)
        # The table is given twice: the first releases of Python 3.12 warn of `?1`.
        self._change(
            "INSERT INTO doc (tbl, key, position, json) VALUES (?, ?,"
            " (SELECT coalesce(max(position), 0) + 1 FROM doc WHERE tbl = ?), ?)"
            " ON CONFLICT (tbl, key) DO UPDATE SET json = excluded.json",
            (table, key, table, text),
        )

    def delete(self, table: str, key: str) -> None:
        """Forget a document; no error if there is none."""
        self._change("DELETE FROM doc WHERE tbl = ? AND key = ?", (table, key))

    def clear(self, table: str) -> None:
        """Forget all documents of a table."""
        self._change("DELETE FROM doc WHERE tbl = ?", (table,))

    def rows(self, table: str) -> list[tuple[str, Row]]:
        """All documents of a table in the order they came."""
        found = self._run(
            "SELECT key, json FROM doc WHERE tbl = ? ORDER BY position", (table,)
        ).fetchall()
        return [(key, json.loads(text)) for key, text in found]

    def first(self, table: str) -> tuple[str, Row] | None:
        """The document that came first, None if the table is empty."""
        found = self._run(
            "SELECT key, json FROM doc WHERE tbl = ? ORDER BY position LIMIT 1", (table,)
        ).fetchone()
        return (found[0], json.loads(found[1])) if found else None

    def count(self, table: str) -> int:
        """How many documents a table holds."""
        return int(self._run("SELECT count(*) FROM doc WHERE tbl = ?", (table,)).fetchone()[0])

    def heads(self, table: str, *fields: str, limit: int | None = None) -> list[tuple[Any, ...]]:
        """The key and some plain top-level fields of each document, in the order they came.

        SQLite reads them out of the text: no document is parsed here, however large it is.
        """
        columns = "".join(", json_extract(json, ?)" for _ in fields)
        paths = [f"$.{field}" for field in fields]
        return self._run(
            f"SELECT key{columns} FROM doc WHERE tbl = ? ORDER BY position LIMIT ?",  # noqa: S608 - columns hold placeholders alone
            (*paths, table, -1 if limit is None else limit),
        ).fetchall()

    def heads_of(self, table: str, keys: Sequence[str], *fields: str) -> list[tuple[Any, ...]]:
        """The same of these documents alone (a few hundred at most), in any order."""
        columns = "".join(", json_extract(json, ?)" for _ in fields)
        wanted = ", ".join("?" * len(keys))
        paths = [f"$.{field}" for field in fields]
        return self._run(
            f"SELECT key{columns} FROM doc WHERE tbl = ? AND key IN ({wanted})",  # noqa: S608 - columns and wanted hold placeholders alone
            (*paths, table, *keys),
        ).fetchall()

    def tables(self) -> list[str]:
        """The names of all tables that hold something."""
        return [name for (name,) in self._run("SELECT DISTINCT tbl FROM doc ORDER BY tbl")]

    def reset(self, keep: Sequence[str] = ()) -> None:
        """Forget everything but the tables named in `keep`."""
        with self.step():
            for table in self.tables():
                if table not in keep:
                    self.clear(table)

    # ------------------------------------------------------------------ the disk

    def _change(self, statement: str, values: tuple[Any, ...]) -> None:
        if self._depth:
            self._check_task()
            self._run(statement, values)
            return
        self._run(statement, values)
        self._committed()

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise self._fail(error) from error

    def _fail(self, error: sqlite3.Error) -> StoreFailed:
        params = {"file": str(self.path or MEMORY), "why": str(error)}
        failure = StoreFailed(Text("runtime.store.failed", params))
        first = self.failed is None
        if first:
            self.failed = failure
            if self.on_failure is not None:
                self.on_failure(failure)
        return failure


class _Step:
    """What `with store.step()` enters; all its state is in the store, so that one is enough for all.

    A class and not a generator, since there are two steps for each message of the queue.
    """

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> None:
        self._store._begin()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._store._end()
        else:
            self._store._give_up()


def _application_id(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA application_id").fetchone()[0])
