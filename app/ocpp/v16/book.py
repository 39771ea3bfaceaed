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

    def keep_sample(self, item: Transaction, value: Payload, most: int) -> None:
        """Keep a MeterValue for transactionData.

        Of more than `most` every second one goes, and from then on only every second one is kept: a session
        of days would fill the disk otherwise, and its end would take seconds (errata 3.91).
        """
        item.samples += 1
        if (item.samples - 1) % item.stride:
            return
        self._store.put(SAMPLES, _key(item, item.samples), value)
        kept = _kept(item)
        if len(kept) > most:
            for number in kept[1::2]:
                self._store.delete(SAMPLES, _key(item, number))
            item.stride *= 2

    def samples(self, item: Transaction) -> list[Payload]:
        found = (self._store.get(SAMPLES, _key(item, number)) for number in _kept(item))
        return [row for row in found if row is not None]

    def drop_samples(self, item: Transaction) -> None:
        for number in _kept(item):
            self._store.delete(SAMPLES, _key(item, number))

    def forget(self, ref: str) -> None:
        """The back office has heard, or will never hear, of its end."""
        self._store.delete(TRANSACTIONS, ref)
        self._open.pop(ref, None)


def _kept(item: Transaction) -> range:
    """The numbers of its samples that were not left out."""
    return range(1, item.samples + 1, item.stride)


def _key(item: Transaction, number: int) -> str:
    return f"{item.ref}:{number:06d}"
