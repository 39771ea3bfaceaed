"""The connectors as 1.6 numbers them, and what is going on at each.

1.6 knows no EVSE: connectors count from 1 over all EVSEs in order, 0 is the charge point itself (part 3.8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.kernel.clock import Timer
from app.ocpp.context import Context
from app.ocpp.v16.rows import CONNECTORS, Decision, Transaction
from app.station.snapshot import ConnectorSnapshot, EvseSnapshot


@dataclass(slots=True, eq=False)
class Claim:
    """An accepted driver who has not plugged in yet.

    `numbers` are the connectors that may be used, `shown` those that show Preparing meanwhile.
    """

    decision: Decision
    numbers: tuple[int, ...]
    shown: tuple[int, ...]
    timer: Timer | None = None

    @property
    def token(self) -> str:
        return self.decision.token


@dataclass(slots=True, eq=False)
class Connector:
    """One connector and its present use. Facts of the hardware are asked of the station's snapshot."""

    number: int
    evse: int
    id: int
    tethered: bool
    lockable: bool
    transaction: Transaction | None = None
    done: bool = False
    """The usage is over, the cable is still in."""
    inoperative: bool = False
    updating: bool = False
    """Out of service for the time of a firmware update."""
    scheduled: bool | None = None
    """Operative (True) or not (False) as soon as the connector is free."""
    keeper: tuple[str, str | None] | None = None
    """Token and parent of who alone may free the cable."""
    asking: int = 0
    """Authorizations under way for this connector."""
    welcome: bool = False
    """The one it is reserved for is here, with the cable in."""
    ev_unplugged: bool = False
    """The car's end came out during the transaction."""
    settling: bool = False
    """A transaction is just being opened or closed: its state is told once that is done."""
    suspended: bool = False
    """No more energy for this transaction: its token was refused."""
    waiting: Timer | None = None
    """Runs while a cable is in and nobody has shown a token."""
    plugged_at: float = -1.0
    """Elapsed seconds."""

    @property
    def out_of_service(self) -> bool:
        """By order of the back office, or while firmware is updated.

        A cable that is kept locked for its driver goes on showing that during an update.
        """
        return self.inoperative or (self.updating and self.keeper is None)


class Connectors:
    """All connectors by their 1.6 number, the waiting drivers, and who wants to hear of changes."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.claims: list[Claim] = []
        self.last_used: int | None = None
        self._listeners: list[Callable[[int], None]] = []
        self._by_number: dict[int, Connector] = {}
        for evse in ctx.station.snapshot().evses:
            for part in evse.connectors:
                number = len(self._by_number) + 1
                lockable = part.lock.value != "none"
                self._by_number[number] = Connector(
                    number, evse.id, part.id, part.tethered, lockable
                )

    def __iter__(self) -> Iterator[Connector]:
        return iter(self._by_number.values())

    def __len__(self) -> int:
        return len(self._by_number)

    def get(self, number: int) -> Connector | None:
        return self._by_number.get(number)

    def of(self, evse: int, connector: int = 1) -> Connector:
        """The connector at this place. Raises KeyError."""
        for item in self:
            if item.evse == evse and item.id == connector:
                return item
        raise KeyError((evse, connector))

    def at(self, evse: int) -> list[Connector]:
        """The connectors of an EVSE; all for EVSE 0."""
        return [item for item in self if evse in (0, item.evse)]

    def running(self) -> list[Connector]:
        return [item for item in self if item.transaction is not None]

    def hardware(self, item: Connector) -> tuple[EvseSnapshot, ConnectorSnapshot]:
        """What the machine says about the EVSE and the connector right now."""
        evse = self._ctx.station.snapshot().evse(item.evse)
        return evse, next(part for part in evse.connectors if part.id == item.id)

    def plugged(self, item: Connector) -> bool:
        return self.hardware(item)[1].plugged

    def evse_busy(self, item: Connector) -> bool:
        """A transaction runs at this connector's EVSE, maybe on another of its connectors."""
        return any(other.transaction is not None for other in self.at(item.evse))

    def claim_on(self, number: int) -> Claim | None:
        """The waiting driver who shows on this connector."""
        return next((claim for claim in self.claims if number in claim.shown), None)

    def claims_for(self, number: int) -> list[Claim]:
        """The drivers for whom a plug into this connector may be meant, first come first."""
        return [claim for claim in self.claims if number in claim.numbers]

    def restore(self) -> None:
        """Read what was written down of each connector."""
        for item in self:
            row = self._ctx.store.get(CONNECTORS, str(item.number)) or {}
            item.inoperative = bool(row.get("inoperative"))
            item.scheduled = row.get("scheduled")
            item.done = bool(row.get("done"))
            keeper = row.get("keeper")
            item.keeper = (keeper[0], keeper[1]) if keeper else None

    def save(self, item: Connector) -> None:
        """Write down what has to survive a power cut."""
        row = {
            "inoperative": item.inoperative,
            "scheduled": item.scheduled,
            "done": item.done,
            "keeper": list(item.keeper) if item.keeper else None,
        }
        self._ctx.store.put(CONNECTORS, str(item.number), row)

    def on_change(self, listener: Callable[[int], None]) -> None:
        """Call with the number of each connector whose use has changed."""
        self._listeners.append(listener)

    def changed(self, *numbers: int) -> None:
        for number in numbers:
            for listener in self._listeners:
                listener(number)
