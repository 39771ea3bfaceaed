"""A token refused in mid-transaction: stop, or only stop the energy, after a last grace (1.6 part 4.8)."""

from __future__ import annotations

from typing import Protocol

from app.kernel.clock import Timer
from app.ocpp.context import Context
from app.ocpp.v16.book import Book
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connector, Connectors
from app.ocpp.v16.rows import Transaction
from app.ocpp.v16.timers import Timers
from app.station.commands import Suspend

LOOK_AGAIN = 60.0
"""Seconds until the register is looked at again while the grace lasts."""


class End(Protocol):
    def __call__(
        self, item: Connector, reason: str, token: str | None = None, *, keep_locked: bool = False
    ) -> None: ...


class Refusals:
    """Carries out StopTransactionOnInvalidId and MaxEnergyOnInvalidId."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        connectors: Connectors,
        book: Book,
        timers: Timers,
        end: End,
    ) -> None:
        self._ctx = ctx
        self._config = config
        self._connectors = connectors
        self._book = book
        self._end = end
        self._deadlines = timers
        self._timers: dict[str, Timer] = {}

    def refuse(self, item: Connector, transaction: Transaction, word: str) -> None:
        """The back office said `word` instead of Accepted."""
        transaction.refused = word
        if self._config.flag("StopTransactionOnInvalidId"):
            self._book.save(transaction)
            self._end(item, "DeAuthorized", keep_locked=True)
            return
        grace = 0 if transaction.uncapped else self._config.number("MaxEnergyOnInvalidId")
        register = self._ctx.station.meter(item.evse).energy_import
        transaction.energy_limit = register + grace
        self._book.save(transaction)
        self._watch(item, transaction)

    def forget(self, transaction: Transaction) -> None:
        timer = self._timers.pop(transaction.ref, None)
        if timer is not None:
            timer.cancel()

    def _watch(self, item: Connector, transaction: Transaction) -> None:
        """End the energy once the grace is used up; look again when it may be."""
        self._timers.pop(transaction.ref, None)
        limit = transaction.energy_limit
        if item.transaction is not transaction or limit is None:
            return
        reading = self._ctx.station.meter(item.evse)
        left = limit - reading.energy_import
        if left <= 0.5:
            item.suspended = True
            self._ctx.station.handle(Suspend(item.evse))
            self._connectors.changed(item.number)
            return
        wait = LOOK_AGAIN
        if reading.power > 0:
            wait = min(wait, left * 3600.0 / reading.power)
        self._timers[transaction.ref] = self._deadlines.call_in(
            max(wait, 1.0), lambda: self._watch(item, transaction)
        )
