"""Reservations: a connector, or any of them, is kept for a driver until a time (1.6 part 3.11, 5.1, 5.13).

A reservation is a row until it is used, cancelled, past its expiry date, or its connector went Faulted or
Unavailable. One for connector 0 keeps no particular connector: while no more are free than such
reservations need, those that are free show Reserved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from app.kernel.clock import Timer
from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.events import ReservationEnded, ReservationMade
from app.ocpp.features import RESERVATION
from app.ocpp.personality import Block
from app.ocpp.v16 import status
from app.ocpp.v16.availability import Availability
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connector, Connectors
from app.ocpp.v16.rows import RESERVATIONS, Decision, same_token
from app.ocpp.v16.timers import Timers
from app.ocpp.v16.turned_down import REJECTED, turned_down
from app.station.commands import MarkReserved

ACCEPTED, OCCUPIED = "Accepted", "Occupied"

ANY = 0
"""The connector id of a reservation for whichever is free."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """One reservation as its row has it; `number` 0 is any connector, `expiry` as on the wire."""

    id: int
    number: int
    token: str
    parent: str | None
    expiry: str

    @property
    def until(self) -> datetime:
        return parse_stamp(self.expiry)

    def fits(self, guest: Guest) -> bool:
        """It is for this token or for the group of it."""
        if same_token(self.token, guest.token) or same_token(self.parent, guest.parent):
            return True
        return self.parent is not None and guest.may_be_of_a_group


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who wants to charge, as far as a reservation has to know them."""

    token: str
    parent: str | None = None
    may_be_of_a_group: bool = False
    """Nobody was asked about the token yet: it may turn out to have any parent."""

    @classmethod
    def of(cls, decision: Decision) -> Guest:
        return cls(decision.token, decision.parent)


class Reservations(Block):
    """All reservations, and what they leave to whom."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        connectors: Connectors,
        availability: Availability,
        timers: Timers,
    ) -> None:
        super().__init__(ctx)
        self._config = config
        self._connectors = connectors
        self._availability = availability
        self._deadlines = timers
        self._all: dict[int, Reservation] = {}
        self._timers: dict[int, Timer] = {}
        self._held: frozenset[int] = frozenset()
        """Connectors that reservations for any connector keep at the moment."""
        self._marks: dict[int, MarkReserved] = {}
        self.on_released: list[Callable[[Connector], None]] = []
        """Called with each connector that no reservation keeps any more."""

    # ------------------------------------------------------------------ what other blocks ask

    def all(self) -> list[Reservation]:
        return list(self._all.values())

    def keeps(self, number: int) -> bool:
        """The connector is reserved, by itself or as the last one that is free."""
        return number in self._held or self._on(number) is not None

    def may_use(self, number: int, guest: Guest) -> bool:
        """No reservation keeps this connector, nor its EVSE, from the guest (RS-05)."""
        if any(not each.fits(guest) for each in self._at_evse_of(number)):
            return False
        return number not in self._held or any(each.fits(guest) for each in self._of_any())

    def expects(self, number: int, guest: Guest) -> bool:
        """This very connector is reserved for the guest."""
        found = self._on(number)
        return found is not None and found.fits(guest)

    def match(self, number: int, guest: Guest) -> Reservation | None:
        """The reservation that a transaction of this guest here uses up."""
        found = self._on(number)
        candidates = self._of_any() if found is None else [found]
        return next((each for each in candidates if each.fits(guest)), None)

    def write_off(self, reservation: Reservation) -> None:
        """Delete its row: inside the store step of what uses it up."""
        self.ctx.store.delete(RESERVATIONS, str(reservation.id))

    def used(self, reservation: Reservation) -> None:
        """Its transaction runs."""
        self._forget(reservation, "used")

    # ------------------------------------------------------------------ block

    def handlers(self) -> Mapping[str, Handler]:
        if RESERVATION not in self._config.profiles:
            return {}
        return {"ReserveNow": self._reserve, "CancelReservation": self._cancel}

    def restore(self) -> None:
        rows = (row for _, row in self.ctx.store.rows(RESERVATIONS))
        found = (Reservation(**row) for row in rows)
        self._all = {each.id: each for each in found if self._fits_hardware(each)}

    def start(self) -> None:
        self._availability.reserved = self.keeps
        self._availability.on_refresh.append(self._review)
        for each in self.all():
            if each.until <= self.ctx.clock.now():
                self._drop(each, "expired")
            else:
                self._arm(each)

    def look_around(self) -> None:
        """All is restored: a cable found in a connector that had to be kept is nobody's yet."""
        self._held = frozenset(
            item.number
            for item in self._connectors
            if self._connectors.plugged(item) and item.transaction is None and not item.done
        )
        self._review()

    def _fits_hardware(self, each: Reservation) -> bool:
        return each.number == ANY or self._connectors.get(each.number) is not None

    # ------------------------------------------------------------------ messages

    def _reserve(self, request: Payload) -> Reply:
        wanted = Reservation(
            id=int(request["reservationId"]),
            number=int(request["connectorId"]),
            token=str(request["idTag"]),
            parent=request.get("parentIdTag"),
            expiry=stamp(parse_stamp(str(request["expiryDate"]))),
        )
        refused = self._refused(wanted)
        if refused is not None:
            return refused
        before = self._all.get(wanted.id)
        self.ctx.store.put(RESERVATIONS, str(wanted.id), asdict(wanted))
        return Reply({"status": ACCEPTED}, then=lambda: self._made(wanted, before))

    def _cancel(self, request: Payload) -> Reply:
        ident = int(request["reservationId"])
        found = self._all.get(ident)
        if found is None:
            return turned_down(REJECTED, "reservation", id=ident)
        self.ctx.store.delete(RESERVATIONS, str(found.id))
        return Reply({"status": ACCEPTED}, then=lambda: self._forget(found, "cancelled"))

    def _refused(self, wanted: Reservation) -> Reply | None:
        """The status word of 7.40 and why (RS-01, RS-02); None where it can be kept."""
        if not self._config.flag("ReservationEnabled"):
            return turned_down(REJECTED, "no_reservations")
        if wanted.until <= self.ctx.clock.now():
            return turned_down(REJECTED, "expired", until=wanted.expiry)
        old = self._all.get(wanted.id)
        others = [each for each in self._all.values() if each is not old]
        if wanted.number == ANY:
            return self._refused_any(others, old)
        item = self._connectors.get(wanted.number)
        if item is None:
            return turned_down(REJECTED, "connector", number=wanted.number)
        refusal = _REFUSALS.get(self._availability.bare(item.number).status)
        if refusal is not None:
            return turned_down(refusal, "out_of_order", number=item.number, status=refusal)
        same_place = old is not None and old.number == item.number and self._unused(item)
        taken = any(each in others for each in self._at_evse_of(item.number))
        if taken:
            return turned_down(OCCUPIED, "kept", number=item.number)
        if not (same_place or self._is_free(item)):
            return turned_down(OCCUPIED, "in_use", number=item.number)
        needed = sum(each.number == ANY for each in others)
        left = self._free_evses(others) - {item.evse}
        return turned_down(OCCUPIED, "needed", count=needed) if needed > len(left) else None

    def _refused_any(self, others: Sequence[Reservation], old: Reservation | None) -> Reply | None:
        if not self._config.flag("ReserveConnectorZeroSupported"):
            return turned_down(REJECTED, "no_zero")
        refusal = _REFUSALS.get(self._availability.bare(ANY).status)
        if refusal is not None:
            return turned_down(refusal, "station_out", status=refusal)
        needed = sum(each.number == ANY for each in others)
        if len(self._free_evses(others)) > needed or (old is not None and old.number == ANY):
            return None
        words = {self._availability.bare(item.number).status for item in self._connectors}
        for word, answer in _REFUSALS.items():
            if words == {word}:
                return turned_down(answer, "all_out", status=answer)
        answer = OCCUPIED if words - set(_REFUSALS) else _REFUSALS[status.FAULTED]
        return turned_down(answer, "none_free")

    # ------------------------------------------------------------------ life of a reservation

    def _made(self, wanted: Reservation, before: Reservation | None) -> None:
        if before is not None:
            self._timers.pop(before.id).cancel()
            self.ctx.bus.publish(ReservationEnded(before.id, before.number, "replaced"))
        self._all[wanted.id] = wanted
        self._arm(wanted)
        self.ctx.bus.publish(
            ReservationMade(wanted.id, wanted.number, wanted.token, wanted.parent, wanted.until)
        )
        self._show(wanted)
        if before is not None and before.number != wanted.number:
            self._show(before)

    def _arm(self, each: Reservation) -> None:
        self._timers[each.id] = self._deadlines.call_at(
            each.until, lambda: self._drop(each, "expired")
        )

    def _drop(self, each: Reservation, why: str) -> None:
        if self._all.get(each.id) is each:
            self.ctx.store.delete(RESERVATIONS, str(each.id))
            self._forget(each, why)

    def _forget(self, each: Reservation, why: str) -> None:
        """Its row is gone, or belongs to its successor."""
        if self._all.get(each.id) is not each:
            return
        del self._all[each.id]
        timer = self._timers.pop(each.id, None)
        if timer is not None:
            timer.cancel()
        self.ctx.bus.publish(ReservationEnded(each.id, each.number, why))
        self._show(each)

    def _show(self, each: Reservation) -> None:
        """Let everybody see what changed; with connector 0 that may be any connector."""
        item = self._connectors.get(each.number)
        if item is None:
            self._review()
            return
        self._connectors.changed(item.number)
        if not self.keeps(item.number):
            self._release(item)

    def _release(self, item: Connector) -> None:
        for listener in self.on_released:
            listener(item)

    # ------------------------------------------------------------------ what changes with the connectors

    def _review(self) -> None:
        """Something changed at a connector: end what cannot be kept, keep what has to be."""
        if not (self._all or self._held or self._marks):
            return
        if any(item.settling for item in self._connectors):
            return  # told again as soon as that is done
        for each in self.all():
            if self._is_out(each):
                self._drop(each, "removed")
        before, self._held = self._held, self._to_hold()
        for number in sorted(before ^ self._held):
            self._availability.refresh(number)
            item = self._connectors.get(number)
            if item is not None and not self.keeps(number):
                self._release(item)
        self._mark()

    def _is_out(self, each: Reservation) -> bool:
        """Its connector, or all of them, are Faulted or Unavailable (RS-07)."""
        if self._availability.bare(each.number).status in _REFUSALS:
            return True
        numbers = [item.number for item in self._connectors] if each.number == ANY else []
        return bool(numbers) and all(
            self._availability.bare(number).status in _REFUSALS for number in numbers
        )

    def _to_hold(self) -> frozenset[int]:
        needed = len(self._of_any())
        if needed == 0:
            return frozenset()
        free = [item for item in self._connectors if self._is_free(item, self.all())]
        missing = needed - len({item.evse for item in free})
        if missing < 0:
            return frozenset()
        # a cable in one that was kept belongs to nobody yet: it stays kept
        plugged = [
            item.number
            for item in self._connectors
            if item.number in self._held and item not in free and self._unused(item)
        ]
        return frozenset([item.number for item in free] + plugged[:missing])

    def _mark(self) -> None:
        """Show on the picture what is kept for whom."""
        wanted: dict[int, MarkReserved] = {}
        spare = self._of_any()
        for item in self._connectors:
            each = self._on(item.number)
            if each is None and item.number in self._held and spare:
                each = spare.pop(0) if len(spare) > 1 else spare[0]
            if each is not None and item.evse not in wanted:
                wanted[item.evse] = MarkReserved(item.evse, item.id, each.token, each.until)
        for evse in self._marks.keys() - wanted.keys():
            self.ctx.station.handle(MarkReserved(evse))
        for evse, mark in wanted.items():
            if self._marks.get(evse) != mark:
                self.ctx.station.handle(mark)
        self._marks = wanted

    # ------------------------------------------------------------------ small questions

    def _on(self, number: int) -> Reservation | None:
        return next((each for each in self._all.values() if each.number == number != ANY), None)

    def _of_any(self) -> list[Reservation]:
        found = (each for each in self._all.values() if each.number == ANY)
        return sorted(found, key=lambda each: each.expiry)

    def _at_evse_of(self, number: int) -> list[Reservation]:
        """Reservations of this connector or of another one of the same EVSE: only one can charge."""
        item = self._connectors.get(number)
        near = self._connectors.at(item.evse) if item is not None else []
        found = (self._on(other.number) for other in near)
        return [each for each in found if each is not None]

    def _is_free(self, item: Connector, given: Sequence[Reservation] = ()) -> bool:
        """Available, apart from reservations other than `given` ones."""
        if self._connectors.evse_busy(item):
            return False
        if any(each in given for each in self._at_evse_of(item.number)):
            return False
        return self._availability.bare(item.number).status == status.AVAILABLE

    def _free_evses(self, given: Sequence[Reservation]) -> set[int]:
        return {item.evse for item in self._connectors if self._is_free(item, given)}

    def _unused(self, item: Connector) -> bool:
        """At most a cable is in that nobody has shown a token for."""
        if item.transaction is not None or item.keeper is not None or item.out_of_service:
            return False
        waited_for = self._connectors.claim_on(item.number) is not None
        return not waited_for and self._availability.bare(item.number).status not in _REFUSALS


_REFUSALS = {status.FAULTED: "Faulted", status.UNAVAILABLE: "Unavailable"}
