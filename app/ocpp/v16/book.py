"""The book of transactions: every one that the back office has not heard the last of."""

from __future__ import annotations

from app.ocpp.context import StorePort
from app.ocpp.shared.kept_samples import KeptSamples
from app.ocpp.v16.rows import SAMPLES, TRANSACTIONS, Transaction


class Book:
    """Transactions by our own reference, each as its row in the store has it."""

    def __init__(self, store: StorePort) -> None:
        self._store = store
        self._open: dict[str, Transaction] = {}
        self.samples = KeptSamples(store, SAMPLES)
        """What is kept of the meter for transactionData."""

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

    def forget(self, ref: str) -> None:
        """The back office has heard, or will never hear, of its end."""
        self._store.delete(TRANSACTIONS, ref)
        self._open.pop(ref, None)
