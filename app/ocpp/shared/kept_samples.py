"""MeterValues that only the end of a transaction tells: rows until then, in both versions.

A session of days would fill the disk with them, its end would take seconds, and no back office would take
the message (1.6 errata 3.91; 2.0.1 part 2, J02.FR.20 and E06.FR.12). So of more than a limit every second
one goes, and from then on only every second one is kept: what is left lies evenly over the session.
"""

from __future__ import annotations

from typing import Protocol

from app.ocpp.context import Payload, StorePort


class Series(Protocol):
    """What a transaction remembers of its MeterValues."""

    samples: int
    """So many were there to be kept."""
    stride: int
    """Every so manieth of them is kept."""


class KeptSamples:
    """The rows of one table, "<ref>:<n>" -> MeterValue."""

    def __init__(self, store: StorePort, table: str) -> None:
        self._store, self._table = store, table

    def keep(self, ref: str, series: Series, value: Payload, most: int) -> None:
        """Keep one more, if it is its turn; afterwards there are at most `most`.

        Inside the store step in which the transaction is saved.
        """
        series.samples += 1
        if (series.samples - 1) % series.stride:
            return
        self._store.put(self._table, _key(ref, series.samples), value)
        while len(kept := _kept(series)) > max(1, most):
            for number in kept[1::2]:
                self._store.delete(self._table, _key(ref, number))
            series.stride *= 2

    def all(self, ref: str, series: Series) -> list[Payload]:
        """What was kept, oldest first."""
        found = (self._store.get(self._table, _key(ref, number)) for number in _kept(series))
        return [row for row in found if row is not None]

    def drop(self, ref: str, series: Series) -> None:
        """They have been told. Inside the store step of the transaction's end."""
        for number in _kept(series):
            self._store.delete(self._table, _key(ref, number))


def _kept(series: Series) -> range:
    """The numbers of those that were not left out."""
    return range(1, series.samples + 1, series.stride)


def _key(ref: str, number: int) -> str:
    return f"{ref}:{number:06d}"
