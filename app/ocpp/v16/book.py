"""The book of transactions: every one that the back office has not heard the last of."""

from __future__ import annotations

from app.ocpp.context import Payload, StorePort
from app.ocpp.v16.rows import SAMPLES, TRANSACTIONS, Transaction


class Book:
    """Transactions by our own reference, each as its row in the store has it."""

    def __init__(self, store: StorePort) -> None:
        self._store = store
        self._open: dict[str, Transaction] = {}

    def restore(self) -> None:
        self._open = {key: Transaction.of(row) for key, row in self._store.rows(TRANSACTIONS)}

    def get(self, ref: str) -> Transaction | None:
        return self._open.get(ref)

    def unfinished(self) -> list[Transaction]:
        """Those that ran when the last power cycle ended, oldest first."""
        return [item for item in self._open.values() if not item.ended]

    def save(self, item: Transaction) -> None:
        self._store.put(TRANSACTIONS, item.ref, item.row())
        self._open[item.ref] = item

    def keep_sample(self, item: Transaction, value: Payload) -> None:
        """Keep a MeterValue for transactionData."""
        item.samples += 1
        self._store.put(SAMPLES, f"{item.ref}:{item.samples:06d}", value)

    def samples(self, item: Transaction) -> list[Payload]:
        return [row for key, row in self._store.rows(SAMPLES) if key.startswith(item.ref)]

    def drop_samples(self, item: Transaction) -> None:
        for number in range(1, item.samples + 1):
            self._store.delete(SAMPLES, f"{item.ref}:{number:06d}")

    def forget(self, ref: str) -> None:
        """The back office has heard, or will never hear, of its end."""
        self._store.delete(TRANSACTIONS, ref)
        self._open.pop(ref, None)
