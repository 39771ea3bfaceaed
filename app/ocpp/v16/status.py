"""The nine states of a connector: which one holds, and which may follow which (1.6 part 4.9)."""

from __future__ import annotations

from dataclasses import dataclass

from app.ocpp.v16.connectors import Claim, Connector
from app.station.faults import effect_of
from app.station.kinds import Effect, Fault, Flow
from app.station.snapshot import EvseSnapshot, FaultSnapshot, StationSnapshot

AVAILABLE = "Available"
PREPARING = "Preparing"
CHARGING = "Charging"
SUSPENDED_EV = "SuspendedEV"
SUSPENDED_EVSE = "SuspendedEVSE"
FINISHING = "Finishing"
RESERVED = "Reserved"
UNAVAILABLE = "Unavailable"
FAULTED = "Faulted"

KEEPABLE = frozenset({AVAILABLE, PREPARING, FINISHING})
"""What shows as Reserved while a connector is kept: also with a cable in that is nobody's yet."""

NO_ERROR = "NoError"
EV_ERROR = "EVCommunicationError"
EV_DISCONNECTED = "EV side disconnected"

NEXT: dict[str, frozenset[str]] = {
    AVAILABLE: frozenset(
        {PREPARING, CHARGING, SUSPENDED_EV, SUSPENDED_EVSE, RESERVED, UNAVAILABLE, FAULTED}
    ),
    PREPARING: frozenset({AVAILABLE, CHARGING, SUSPENDED_EV, SUSPENDED_EVSE, FINISHING, FAULTED}),
    CHARGING: frozenset({AVAILABLE, SUSPENDED_EV, SUSPENDED_EVSE, FINISHING, UNAVAILABLE, FAULTED}),
    SUSPENDED_EV: frozenset({AVAILABLE, CHARGING, SUSPENDED_EVSE, FINISHING, UNAVAILABLE, FAULTED}),
    SUSPENDED_EVSE: frozenset({AVAILABLE, CHARGING, SUSPENDED_EV, FINISHING, UNAVAILABLE, FAULTED}),
    FINISHING: frozenset({AVAILABLE, PREPARING, UNAVAILABLE, FAULTED}),
    RESERVED: frozenset({AVAILABLE, PREPARING, UNAVAILABLE, FAULTED}),
    UNAVAILABLE: frozenset({AVAILABLE, PREPARING, CHARGING, SUSPENDED_EV, SUSPENDED_EVSE, FAULTED}),
    FAULTED: frozenset(
        {
            AVAILABLE,
            PREPARING,
            CHARGING,
            SUSPENDED_EV,
            SUSPENDED_EVSE,
            FINISHING,
            RESERVED,
            UNAVAILABLE,
        }
    ),
}
"""The allowed changes (16-ST-03): with B6 and G8, without B8."""

ERROR_CODES = frozenset(
    {
        "ConnectorLockFailure",
        EV_ERROR,
        "GroundFailure",
        "HighTemperature",
        "InternalError",
        "LocalListConflict",
        NO_ERROR,
        "OtherError",
        "OverCurrentFailure",
        "OverVoltage",
        "PowerMeterFailure",
        "PowerSwitchFailure",
        "ReaderFailure",
        "ResetFailure",
        "UnderVoltage",
        "WeakSignal",
    }
)

_CODES: dict[Fault, tuple[str, str | None]] = {
    Fault.EMERGENCY_STOP: ("OtherError", "Emergency stop"),
    Fault.OVER_TEMPERATURE: ("HighTemperature", None),
    Fault.RCD: ("GroundFailure", None),
    Fault.LOCK_JAM: ("ConnectorLockFailure", None),
    Fault.CONTACTOR_WELD: ("PowerSwitchFailure", None),
    Fault.METER_LOST: ("PowerMeterFailure", None),
    Fault.READER_LOST: ("ReaderFailure", None),
    Fault.OVERCURRENT: ("OverCurrentFailure", None),
    Fault.OVERVOLTAGE: ("OverVoltage", None),
    Fault.UNDERVOLTAGE: ("UnderVoltage", None),
    Fault.PILOT: (EV_ERROR, None),
    Fault.INTERNAL: ("InternalError", None),
    Fault.WEAK_SIGNAL: ("WeakSignal", None),
    Fault.RESTART: ("ResetFailure", None),
    Fault.OTHER: ("OtherError", None),
}

_WITH_EV_ERROR = frozenset({PREPARING, SUSPENDED_EV, SUSPENDED_EVSE, FINISHING})
"""The states that EVCommunicationError may come with, as a warning (16-ST-06)."""

_FLOWS = {
    Flow.CHARGING: CHARGING,
    Flow.SUSPENDED_EV: SUSPENDED_EV,
    Flow.SUSPENDED_EVSE: SUSPENDED_EVSE,
    # energized by no permission: the station gives nothing
    Flow.CONNECTED: SUSPENDED_EVSE,
    Flow.IDLE: SUSPENDED_EV,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """What a StatusNotification says about a connector."""

    status: str
    error_code: str = NO_ERROR
    info: str | None = None
    vendor_error_code: str | None = None


def of_connector(
    item: Connector, claim: Claim | None, evse: EvseSnapshot, station: StationSnapshot
) -> Condition:
    """The state of a connector, from its use and from what the machine says."""
    mine = [fault for fault in evse.faults if fault.connector in (0, item.id)]
    # what only warns is told where it lies: at the charge point itself
    above = [each for each in station.faults if effect(each, station) is not Effect.WARN]
    fault = worst([*above, *mine], station)
    if fault is not None and blocks(fault, station, running=item.transaction is not None):
        return _faulted(fault)
    status, info = _use(item, claim, evse)
    return _with_warning(Condition(status, info=info), fault)


def of_station(
    station: StationSnapshot, inoperative: bool, *, reset_failed: bool = False
) -> Condition:
    """The state of connector 0: it knows Available, Unavailable and Faulted only (16-ST-01).

    That the station cannot restart is not known before a reset has failed.
    """
    known = [each for each in station.faults if each.fault is not Fault.RESTART or reset_failed]
    fault = worst(known, station)
    if fault is not None and blocks(fault, station, running=False):
        return _faulted(fault)
    return _with_warning(Condition(UNAVAILABLE if inoperative else AVAILABLE), fault)


def ends(fault: Fault, info: str | None) -> bool:
    """Whether this fault ends a transaction. A lost pilot only pauses it (16-ST-06)."""
    return fault is not Fault.PILOT and effect_of(fault, info) is Effect.TRIP


def effect(fault: FaultSnapshot, station: StationSnapshot) -> Effect:
    """What a fault does to charging here. Where nobody needs a card, a lost reader only warns."""
    if fault.fault is Fault.READER_LOST and station.free_vend:
        return Effect.WARN
    return effect_of(fault.fault, fault.info)


def blocks(fault: FaultSnapshot, station: StationSnapshot, *, running: bool) -> bool:
    """Whether the connector is Faulted: nothing flows, or nothing can be started."""
    if fault.fault is Fault.PILOT:
        return False
    grade = effect(fault, station)
    return grade is Effect.TRIP or (grade is Effect.DERATE and not running)


def forbidden(item: Connector, evse: EvseSnapshot, station: StationSnapshot) -> bool:
    """Whether a fault lets no transaction begin here."""
    faults = [*station.faults, *(each for each in evse.faults if each.connector in (0, item.id))]
    return any(effect(each, station) is not Effect.WARN for each in faults)


def worst(faults: list[FaultSnapshot], station: StationSnapshot) -> FaultSnapshot | None:
    """The fault that is told: the one with the gravest effect, of equals the newest."""
    order = [Effect.WARN, Effect.DERATE, Effect.TRIP]
    return max(
        faults,
        key=lambda item: (order.index(effect(item, station)), item.since),
        default=None,
    )


def error_of(fault: FaultSnapshot) -> tuple[str, str | None, str | None]:
    """errorCode, info and vendorErrorCode of a fault, as given with it or as it stands for."""
    code, info = _CODES[fault.fault]
    if fault.error_code in ERROR_CODES:
        code = str(fault.error_code)
    vendor = fault.vendor_error_code
    if vendor is None and fault.error_code is not None and fault.error_code not in ERROR_CODES:
        code, vendor = "OtherError", fault.error_code
    info = fault.info or info
    return code, info[:50] if info else None, vendor[:50] if vendor else None


def _faulted(fault: FaultSnapshot) -> Condition:
    return Condition(FAULTED, *error_of(fault))


def _with_warning(condition: Condition, fault: FaultSnapshot | None) -> Condition:
    if fault is None:
        return condition
    code, info, vendor = error_of(fault)
    if code == EV_ERROR and condition.status not in _WITH_EV_ERROR:
        return condition
    return Condition(condition.status, code, condition.info or info, vendor)


def _use(item: Connector, claim: Claim | None, evse: EvseSnapshot) -> tuple[str, str | None]:
    plugged = next(part.plugged for part in evse.connectors if part.id == item.id)
    if item.transaction is not None:
        if item.ev_unplugged:
            return SUSPENDED_EV, EV_DISCONNECTED
        return (SUSPENDED_EVSE if item.suspended else _FLOWS[evse.flow]), None
    if item.out_of_service:
        return UNAVAILABLE, None
    if item.keeper is not None:
        return FINISHING, None
    if plugged:
        return (FINISHING if item.done else PREPARING), None
    if claim is not None:
        return PREPARING, None
    return AVAILABLE, None
