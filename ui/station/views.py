"""What the picture says: a snapshot turned into words and a few shapes, per EVSE.

The views are frozen and compared: what is equal is not painted again.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.context import BootState
from app.station.faults import consequence
from app.station.kinds import BayStatus, Current, Flow, LockState, Plug, ReaderLamp
from app.station.snapshot import EvseSnapshot, StationSnapshot


@dataclass(frozen=True, slots=True)
class EvseExtra:
    """What only the session knows about an EVSE; texts are ready to be shown, or empty."""

    card: str = ""
    cost: str = ""
    queue: str = ""
    closing: bool = False
    """It goes out of service when its session is over."""
    meter_start: float | None = None
    """Wh on the meter when its session began; None while none runs."""

    def delivered(self, evse: EvseSnapshot) -> float:
        """Wh of the session, else of all that this plug brought since it came."""
        if self.meter_start is None:
            return evse.session_energy
        return max(0.0, evse.energy - self.meter_start)


@dataclass(frozen=True, slots=True)
class PictureExtra:
    """What the picture shows and the machine does not know: link, boot, names, sessions."""

    station_id: str = ""
    boot: BootState = BootState.ACCEPTED
    online: bool = True
    queue: int = 0
    """Messages that wait for the link."""
    update: str = ""
    """The step of a firmware update that is under way: scheduled, downloading or installing."""
    evses: Mapping[int, EvseExtra] = field(default_factory=lambda: MappingProxyType({}))

    def evse(self, number: int) -> EvseExtra:
        return self.evses.get(number, EvseExtra())


@dataclass(frozen=True, slots=True)
class CarView:
    id: str
    name: str
    soc: int
    target: int
    left: str
    """Time until the target, or that the car is not plugged in; empty for neither."""


@dataclass(frozen=True, slots=True)
class PlugView:
    connector: int
    tethered: bool
    plugged: bool
    locked: bool
    jammed: bool
    dc: bool


@dataclass(frozen=True, slots=True)
class BayView:
    """One EVSE as the picture shows it."""

    evse: int
    status: BayStatus
    word: str
    subline: str
    dark: bool
    current: Current
    car: CarView | None
    plugs: tuple[PlugView, ...]
    flowing: bool
    share: float
    """Power against the most this EVSE can give, 0 to 1; paces the flow on the cable."""
    power: str
    energy: str
    cost: str
    remaining: str
    """Time until the target, short; empty while nothing flows."""
    title: str
    """First line on the floor where no car stands."""
    note: str
    """Second line on the floor."""
    prompt: str
    """What the screen tells the driver."""
    brief: str
    """The same in fewer words, for a screen that is seen from afar; empty where there are none."""
    told: bool
    """The prompt was ordered by the controller and goes before everything else."""
    ended: bool
    """The session is over and the plug still in."""
    free: bool
    """No reader: started by its own button."""
    state: str = ""
    """The word for the status, where the longer `word` finds no room."""


def kilowatts(watts: float) -> str:
    """Three significant figures: 11.0, 7.4, 142."""
    kw = watts / 1000
    return f"{kw:.0f}" if round(kw, 1) >= 100 else f"{kw:.1f}"


def rating(watts: float) -> str:
    """A rated power as the trade names it: 22 for 32 A on three phases, 7.4 for one."""
    kw = watts / 1000
    return f"{kw:.0f}" if kw >= 10 else f"{kw:.1f}".removesuffix(".0")


def ordered(text: Text | None) -> bool:
    """Was this text put on a screen by the controller; the machine's own are `station.screen.*`."""
    return text is not None and not text.id.startswith("station.screen.")


def starts_by_button(evse: EvseSnapshot, station: StationSnapshot) -> bool:
    """Nobody is asked for a card: charging is free here, or there is no reader."""
    return station.free_vend or evse.reader is None


def clock_time(at: datetime, *, seconds: bool = False) -> str:
    """Wall clock time where the person sits."""
    return at.astimezone().strftime("%H:%M:%S" if seconds else "%H:%M")


class Wording:
    """Writes the views of a station in the words of a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known: dict[int, tuple[Hashable, BayView]] = {}
        self._said: dict[str, str] = {}

    def say(self, key: str, **params: object) -> str:
        """The sentence `picture.<key>`; those without gaps are said many times a second."""
        if params:
            return self._catalogue.render(Text(f"picture.{key}", params))
        if key not in self._said:
            self._said[key] = self._catalogue.render(Text(f"picture.{key}"))
        return self._said[key]

    def render(self, text: Text) -> str:
        """A sentence of any area."""
        return self._catalogue.render(text)

    def duration(self, seconds: float) -> str:
        minutes = math.ceil(seconds / 60)
        if minutes < 90:
            return self.say("minutes", n=minutes)
        return self.say("hours", h=minutes // 60, m=f"{minutes % 60:02d}")

    def bay(self, evse: EvseSnapshot, station: StationSnapshot, extra: PictureExtra) -> BayView:
        """The view of one EVSE; the same object as before where nothing about it changed."""
        key = (
            evse, station.mains, station.free_vend, station.faults, extra.evse(evse.id), extra.boot
        )  # fmt: skip
        known = self._known.get(evse.id)
        if known is None or known[0] != key:
            known = self._known[evse.id] = (key, self._bay(evse, station, extra))
        return known[1]

    def _bay(self, evse: EvseSnapshot, station: StationSnapshot, extra: PictureExtra) -> BayView:
        status = evse.status if station.mains else BayStatus.OFF
        flowing = station.mains and evse.flow is Flow.CHARGING and evse.power > 0
        title, note = self._floor(evse, status, station)
        more = extra.evse(evse.id)
        return BayView(
            evse=evse.id,
            status=status,
            word=self.word(evse, status),
            subline=self._subline(evse, status, more, station),
            dark=not station.mains,
            current=evse.current,
            car=self._car(evse, flowing=flowing),
            plugs=tuple(
                PlugView(
                    connector.id,
                    connector.tethered,
                    connector.plugged,
                    connector.lock in (LockState.LOCKED, LockState.JAMMED),
                    connector.lock is LockState.JAMMED,
                    connector.plug is Plug.CCS2,
                )
                for connector in evse.connectors
            ),
            flowing=flowing,
            share=round(min(1.0, evse.power / evse.max_power), 2) if flowing else 0.0,
            power=kilowatts(evse.power),
            energy=f"{more.delivered(evse) / 1000:.2f} kWh",
            cost=more.cost,
            remaining=self._remaining(evse) if flowing else "",
            title=title,
            note=note,
            prompt=self._prompt(evse, status, station, extra),
            brief=self._brief(evse, status, station),
            told=ordered(evse.screen) and station.mains,
            ended=not evse.permitted and not flowing and evse.session_energy > 0,
            free=evse.reader is None,
            state=self.say(f"state.{status.value}"),
        )

    def hint(self, evse: EvseSnapshot | None, station: StationSnapshot) -> str:
        """What a person can do next at this EVSE, or what comes of its fault."""
        if not station.mains:
            return self.say("hint.mains")
        if evse is None:
            return ""
        if station.emergency_stop:
            return self.say("hint.emergency")
        if evse.faults:
            lying = evse.faults[0]
            return self.render(consequence(lying.fault, lying.info))
        if not evse.operative:
            return ""
        if not any(connector.plugged for connector in evse.connectors):
            tethered = any(connector.tethered for connector in evse.connectors)
            return self.say("hint.plug" if tethered else "hint.socket")
        if evse.permitted:
            if evse.flow is not Flow.CHARGING:
                return self.say("hint.wait")
            return self.say("hint.stop_button" if starts_by_button(evse, station) else "hint.stop")
        if starts_by_button(evse, station):
            return self.say("hint.start")
        reader = next((one for one in station.readers if one.id == evse.reader), None)
        asking = reader is not None and reader.lamp is ReaderLamp.ASKING
        return self.say("hint.asking" if asking else "hint.card")

    def word(self, evse: EvseSnapshot, status: BayStatus) -> str:
        """The one word for the state of a bay."""
        if status in (BayStatus.CHARGING, BayStatus.OCCUPIED):
            return self.say(f"flow.{evse.flow.value}")
        return self.say(f"state.{status.value}")

    def plug_name(self, evse: EvseSnapshot) -> str:
        return self.say(f"plug.{evse.connectors[0].plug.value}") if evse.connectors else ""

    def fault_name(self, evse: EvseSnapshot, station: StationSnapshot | None = None) -> str:
        """The name of the worst known fault of an EVSE, or of its station."""
        faults = evse.faults or (station.faults if station else ())
        return self.say(f"fault.{faults[0].fault.value}") if faults else ""

    def _subline(
        self, evse: EvseSnapshot, status: BayStatus, more: EvseExtra, station: StationSnapshot
    ) -> str:
        plug = self.plug_name(evse)
        match status:
            case BayStatus.CHARGING | BayStatus.OCCUPIED if more.closing:
                return self.say("sub.closing")
            case BayStatus.CHARGING | BayStatus.OCCUPIED if evse.power > 0:
                return self.say("sub.power", kw=kilowatts(evse.power), plug=plug)
            case BayStatus.CHARGING | BayStatus.OCCUPIED:
                if not any(connector.plugged for connector in evse.connectors):
                    return self.say("sub.plug_in", plug=plug)
                begin = "sub.start" if starts_by_button(evse, station) else "sub.card"
                return more.card or self.say("sub.car" if evse.permitted else begin, plug=plug)
            case BayStatus.RESERVED if evse.reservation is not None:
                until = evse.reservation.until
                if until is None:
                    return evse.reservation.holder
                return self.say(
                    "sub.reserved", holder=evse.reservation.holder, time=clock_time(until)
                )
            case BayStatus.FAULTED:
                return self.fault_name(evse, station) or self.say("sub.station_fault")
            case BayStatus.UNAVAILABLE:
                return self.say("sub.unavailable")
            case BayStatus.OFF:
                return self.say("sub.off")
        return self.say("sub.rating", kw=rating(evse.max_power), plug=plug)

    def _car(self, evse: EvseSnapshot, *, flowing: bool) -> CarView | None:
        car = evse.vehicle
        if car is None:
            return None
        left = ""
        if flowing and car.seconds_left is not None:
            left = self.say("left", time=self.duration(car.seconds_left))
        elif not any(connector.plugged for connector in evse.connectors):
            left = self.say("floor.loose")
        return CarView(car.id, car.name, round(car.soc), round(car.target_soc), left)

    def _floor(
        self, evse: EvseSnapshot, status: BayStatus, station: StationSnapshot
    ) -> tuple[str, str]:
        if status is BayStatus.RESERVED and evse.reservation is not None:
            until = evse.reservation.until
            note = self.say("floor.for", holder=evse.reservation.holder)
            if until is not None:
                note = self.say(
                    "floor.held", holder=evse.reservation.holder, time=clock_time(until)
                )
            return self.say("floor.reserved", n=evse.id), note
        if status is BayStatus.FAULTED:
            name = self.fault_name(evse, station) or self.say("sub.station_fault")
            faults = evse.faults or station.faults
            if not faults:
                return name, ""
            locked = any(c.lock is LockState.LOCKED for c in evse.connectors)
            key = "floor.since_locked" if locked else "floor.since"
            return name, self.say(key, time=clock_time(faults[0].since, seconds=True))
        if status is BayStatus.UNAVAILABLE:
            return self.say("floor.unavailable", n=evse.id), ""
        if status in (BayStatus.AVAILABLE, BayStatus.OCCUPIED):
            return self.say("floor.free", n=evse.id), self.say("floor.invite")
        return "", ""

    def _remaining(self, evse: EvseSnapshot) -> str:
        if evse.vehicle is None or evse.vehicle.seconds_left is None:
            return ""
        return self.duration(evse.vehicle.seconds_left)

    def _prompt(
        self, evse: EvseSnapshot, status: BayStatus, station: StationSnapshot, extra: PictureExtra
    ) -> str:
        if status is BayStatus.OFF:
            return ""
        if evse.screen is not None and ordered(evse.screen):
            return self._catalogue.render(evse.screen)
        if extra.boot in (BootState.OFF, BootState.BOOTING):
            return self.say("prompt.booting")
        if evse.screen is not None:
            return self._catalogue.render(evse.screen)
        if status is BayStatus.RESERVED and evse.reservation is not None:
            until = evse.reservation.until
            holder = evse.reservation.holder
            return (
                self.say("prompt.reserved", holder=holder, time=clock_time(until))
                if until
                else holder
            )
        if status in (BayStatus.CHARGING, BayStatus.OCCUPIED):
            return self._session_prompt(evse)
        if status is BayStatus.AVAILABLE:
            return self.say("prompt.free" if station.free_vend else "prompt.available")
        return self.say(f"prompt.{status.value}")

    def _brief(self, evse: EvseSnapshot, status: BayStatus, station: StationSnapshot) -> str:
        if status is not BayStatus.AVAILABLE or ordered(evse.screen) or not station.mains:
            return ""
        return self.say("prompt.free" if evse.reader is None else "prompt.available")

    def _session_prompt(self, evse: EvseSnapshot) -> str:
        if evse.flow is Flow.CONNECTED:
            return self.say("prompt.permitted" if evse.permitted else "prompt.connected")
        if evse.flow is Flow.IDLE:
            return self.say("prompt.plug_in" if evse.permitted else "prompt.available")
        return self.say(f"prompt.{evse.flow.value}")
