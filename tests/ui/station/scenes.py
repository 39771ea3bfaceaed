"""Hand-made snapshots of a station, for everything that is looked at without a machine behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.kernel.text import Text
from app.ocpp.context import BootState
from app.station.kinds import (
    BayStatus,
    Current,
    Fault,
    Flow,
    LockState,
    PilotState,
    Plug,
    ReaderLamp,
)
from app.station.snapshot import (
    Cap,
    ConnectorSnapshot,
    EvseSnapshot,
    FaultSnapshot,
    ReaderSnapshot,
    ReservationSnapshot,
    StationSnapshot,
    VehicleSnapshot,
)
from ui.station.views import EvseExtra, PictureExtra

NOW = datetime(2026, 3, 14, 12, 31, 5, tzinfo=UTC)

CARS = (
    ("city-52", "City 52", 52_000, 64.0),
    ("tourer-800", "Tourer 800 V", 90_000, 57.0),
    ("van", "Van", 75_000, 31.0),
    ("plug-in-hybrid", "Plug-in hybrid", 12_000, 82.0),
)


def make_car(index: int = 0, *, left: float | None = 2760, ready: bool = True) -> VehicleSnapshot:
    number, name, capacity, soc = CARS[index % len(CARS)]
    return VehicleSnapshot(
        number, name, soc, 80.0, capacity, 3, 16.0, 150_000.0, False, ready, left
    )


def make_evse(
    number: int, current: Current = Current.AC, *, tethered: bool = True, power: float = 22_000
) -> EvseSnapshot:
    """An EVSE that waits for a car."""
    plug = Plug.TYPE2 if current is Current.AC else Plug.CCS2
    lock = LockState.OPEN if current is Current.DC or not tethered else LockState.NONE
    connector = ConnectorSnapshot(1, plug, tethered, 32.0, False, PilotState.A, lock, True)
    return EvseSnapshot(
        id=number,
        current=current,
        max_power=power,
        phases=3,
        connectors=(connector,),
        status=BayStatus.AVAILABLE,
        flow=Flow.IDLE,
        operative=True,
        permitted=False,
        suspended=False,
        contactor_closed=False,
        power=0.0,
        currents=(0.0, 0.0, 0.0),
        voltages=(230.0, 230.0, 230.0),
        phases_used=0,
        limit_power=power,
        limit_current=32.0,
        line_voltage=230.0,
        caps=(Cap(Text("picture.cap"), power, 32.0, True),),
        energy=1_234_000.0,
        session_energy=0.0,
        session_since=None,
        vehicle=None,
        reservation=None,
        faults=(),
        screen=None,
        temperature=24.0,
        reader=1 + (number - 1) // 2,
    )


def two_plugs(number: int, *, plugged_in: bool = False) -> EvseSnapshot:
    """An EVSE with a CCS cable and a type 2 socket, of which one can be used at a time."""
    evse = make_evse(number, Current.DC, power=150_000)
    socket = replace(make_evse(number, tethered=False).connectors[0], id=2, plugged=plugged_in)
    first = evse.connectors[0]
    evse = replace(evse, connectors=(first, socket))
    if not plugged_in:
        return evse
    return replace(
        evse,
        vehicle=make_car(number, left=None),
        status=BayStatus.OCCUPIED,
        flow=Flow.CONNECTED,
        session_since=NOW,
    )


def parked(evse: EvseSnapshot, index: int = 0) -> EvseSnapshot:
    return replace(evse, vehicle=make_car(index, left=None))


def plugged(evse: EvseSnapshot, index: int = 0) -> EvseSnapshot:
    connector = replace(evse.connectors[0], plugged=True, pilot=PilotState.B)
    return replace(
        evse,
        connectors=(connector,),
        vehicle=make_car(index, left=None),
        status=BayStatus.OCCUPIED,
        flow=Flow.CONNECTED,
        session_since=NOW - timedelta(minutes=1),
    )


def charging(evse: EvseSnapshot, index: int = 0, *, energy: float = 4_210) -> EvseSnapshot:
    lock = evse.connectors[0].lock
    connector = replace(
        evse.connectors[0],
        plugged=True,
        pilot=PilotState.C,
        lock=lock if lock is LockState.NONE else LockState.LOCKED,
    )
    dc = evse.current is Current.DC
    power = 142_300.0 if dc else 11_040.0
    return replace(
        evse,
        connectors=(connector,),
        vehicle=make_car(index, left=480 if dc else 2760),
        status=BayStatus.CHARGING,
        flow=Flow.CHARGING,
        permitted=True,
        contactor_closed=True,
        power=power,
        currents=(0.0, 0.0, 0.0) if dc else (16.0, 16.0, 16.0),
        phases_used=0 if dc else 3,
        session_energy=38_600.0 if dc else energy,
        session_since=NOW - timedelta(minutes=22, seconds=58),
    )


def faulted(
    evse: EvseSnapshot, fault: Fault = Fault.RCD, *, car: int | None = None
) -> EvseSnapshot:
    broken = FaultSnapshot(fault, evse.id, 0, NOW - timedelta(seconds=21))
    evse = plugged(evse, car) if car is not None else evse
    return replace(evse, status=BayStatus.FAULTED, faults=(broken,))


def reserved(evse: EvseSnapshot) -> EvseSnapshot:
    until = NOW + timedelta(minutes=59)
    return replace(
        evse, status=BayStatus.RESERVED, reservation=ReservationSnapshot("Fleet 12", until)
    )


def unavailable(evse: EvseSnapshot) -> EvseSnapshot:
    return replace(evse, status=BayStatus.UNAVAILABLE, operative=False)


def station(*evses: EvseSnapshot, lamps: tuple[ReaderLamp, ...] = ()) -> StationSnapshot:
    numbers = sorted({evse.reader for evse in evses if evse.reader is not None})
    readers = tuple(
        ReaderSnapshot(
            number,
            tuple(evse.id for evse in evses if evse.reader == number),
            lamps[i] if i < len(lamps) else ReaderLamp.WAITING,
            False,
        )
        for i, number in enumerate(numbers)
    )
    return StationSnapshot(
        name="Forecourt North",
        at=NOW,
        mains=True,
        network=True,
        door_open=False,
        operative=True,
        emergency_stop=False,
        supply_current=125.0,
        evses=tuple(evses),
        readers=readers,
        faults=(),
        screen=None,
        free_vend=False,
    )


def row(count: int, dress: Callable[[EvseSnapshot, int], EvseSnapshot]) -> StationSnapshot:
    """`count` EVSEs, the first half AC and the second DC (one or two: AC), each dressed the same."""
    evses = []
    for i in range(count):
        dc = count > 2 and i >= count // 2
        current = Current.DC if dc else Current.AC
        evse = make_evse(i + 1, current, tethered=i % 2 == 0 or dc, power=150_000 if dc else 22_000)
        evses.append(dress(evse, i))
    return station(*evses)


def mixed() -> StationSnapshot:
    """The scene of the design: charging, reserved, charging fast, faulted."""
    ac, dc = Current.AC, Current.DC
    return station(
        charging(make_evse(1, ac), 0),
        reserved(make_evse(2, ac)),
        charging(make_evse(3, dc, power=150_000), 1),
        faulted(make_evse(4, dc, power=150_000)),
        lamps=(ReaderLamp.WAITING, ReaderLamp.ASKING),
    )


def home() -> StationSnapshot:
    """One EVSE with its own cable and no lock."""
    return station(make_evse(1, power=11_000))


def dark(snapshot: StationSnapshot) -> StationSnapshot:
    """The same station without mains."""
    evses = tuple(
        replace(
            evse,
            status=BayStatus.OFF,
            power=0.0,
            contactor_closed=False,
            flow=Flow.CONNECTED if evse.connectors[0].plugged else Flow.IDLE,
        )
        for evse in snapshot.evses
    )
    readers = tuple(replace(reader, lamp=ReaderLamp.OFF) for reader in snapshot.readers)
    return replace(snapshot, mains=False, evses=evses, readers=readers)


def extra(
    snapshot: StationSnapshot,
    *,
    boot: BootState = BootState.ACCEPTED,
    online: bool = True,
    queue: int = 0,
) -> PictureExtra:
    """What the shell adds to a snapshot."""
    sessions = {
        evse.id: EvseExtra(
            card="Anna Berg", cost="2.19 €" if evse.current is Current.AC else "30.49 €"
        )
        for evse in snapshot.evses
        if evse.flow is Flow.CHARGING
    }
    return PictureExtra(
        station_id="CS-NORTH-01", boot=boot, online=online, queue=queue, evses=sessions
    )  # fmt: skip


SCENES: dict[str, Callable[[], StationSnapshot]] = {
    "mixed": mixed,
    "home_idle": home,
    "home_charging": lambda: station(charging(make_evse(1, power=11_000))),
    "idle2": lambda: row(2, lambda evse, i: evse),
    "plugged2": lambda: row(2, plugged),
    "charging2": lambda: row(2, charging),
    "faulted2": lambda: row(2, lambda evse, i: faulted(evse, Fault.OVER_TEMPERATURE, car=i)),
    "dc2": lambda: station(
        charging(make_evse(1, Current.DC, power=150_000), 1),
        plugged(make_evse(2, Current.DC, power=150_000), 2),
    ),
    "idle4": lambda: row(4, lambda evse, i: evse),
    "parked4": lambda: row(4, parked),
    "charging4": lambda: row(4, charging),
    "reserved4": lambda: row(4, lambda evse, i: reserved(evse)),
    "unavailable4": lambda: row(4, lambda evse, i: unavailable(evse)),
    "off4": lambda: dark(row(4, lambda evse, i: plugged(evse, i) if i % 2 else evse)),
    "charging8": lambda: row(8, charging),
    "odd3": lambda: row(3, lambda evse, i: charging(evse, i) if i == 2 else evse),
    "two_plugs": lambda: station(two_plugs(1), two_plugs(2, plugged_in=True)),
    "told": lambda: station(
        *(replace(charging(make_evse(n)), screen=Text("picture.prompt.connected")) for n in (1, 2))
    ),
    "emergency": lambda: replace(
        row(2, lambda evse, i: faulted(evse, Fault.EMERGENCY_STOP, car=i)), emergency_stop=True
    ),
}
