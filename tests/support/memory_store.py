"""A StorePort in memory, for tests of one module; conversations use the real store."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any


class MemoryStore:
    """Tables of documents in the order they came; a step that raises leaves nothing behind."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, dict[str, Any]]] = {}
        self.commits = 0
        self.undone = 0
        self._depth = 0

    @contextmanager
    def step(self) -> Iterator[None]:
        before = copy.deepcopy(self.tables) if self._depth == 0 else None
        self._depth += 1
        try:
            yield
        except BaseException:
            if before is not None:
                self.tables = before
            self.undone += 1
            raise
        finally:
            self._depth -= 1
        if self._depth == 0:
            self.commits += 1

    def get(self, table: str, key: str) -> dict[str, Any] | None:
        return copy.deepcopy(self.tables.get(table, {}).get(key))

    def put(self, table: str, key: str, row: Mapping[str, Any]) -> None:
        with self.step():
            self.tables.setdefault(table, {})[key] = copy.deepcopy(dict(row))

    def delete(self, table: str, key: str) -> None:
        with self.step():
            self.tables.get(table, {}).pop(key, None)

    def clear(self, table: str) -> None:
        with self.step():
            self.tables.pop(table, None)

    def rows(self, table: str) -> list[tuple[str, dict[str, Any]]]:
        return [(key, copy.deepcopy(row)) for key, row in self.tables.get(table, {}).items()]

    def first(self, table: str) -> tuple[str, dict[str, Any]] | None:
        return next(iter(self.rows(table)), None)

    def count(self, table: str) -> int:
        return len(self.tables.get(table, {}))

    def heads(self, table: str, *fields: str, limit: int | None = None) -> list[tuple[Any, ...]]:
        found = list(self.tables.get(table, {}).items())[:limit]
        return [(key, *(row.get(field) for field in fields)) for key, row in found]

    def heads_of(self, table: str, keys: Sequence[str], *fields: str) -> list[tuple[Any, ...]]:
        return [head for head in self.heads(table, *fields) if head[0] in keys]
