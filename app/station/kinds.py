"""The closed sets of the machine: states, sides, faults."""

from __future__ import annotations

from enum import Enum


class Current(Enum):
    """What an EVSE delivers."""

    AC = "ac"
    DC = "dc"


class Plug(Enum):
    """Kind of connector, IEC 62196."""

    TYPE2 = "type2"
    CCS2 = "ccs2"


class PilotState(Enum):
    """IEC 61851-1 control pilot states."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"


class LockState(Enum):
    """NONE: a holster or a connector without a lock."""

    NONE = "none"
    OPEN = "open"
    LOCKED = "locked"
    JAMMED = "jammed"


class UnplugSide(Enum):
    EV = "ev"
    STATION = "station"


class Flow(Enum):
    """Energy flow of an EVSE.

    IDLE: no car connected. CONNECTED: a car is connected, no permission yet, or none left.
    SUSPENDED_EV: permitted, the car takes nothing. SUSPENDED_EVSE: permitted, the station gives nothing.
    """

    IDLE = "idle"
    CONNECTED = "connected"
    CHARGING = "charging"
    SUSPENDED_EV = "suspended_ev"
    SUSPENDED_EVSE = "suspended_evse"


class ReaderLamp(Enum):
    OFF = "off"
    WAITING = "waiting"
    ASKING = "asking"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class RestartKind(Enum):
    """How the station goes down: after closing its sessions, or at once."""

    SOFT = "soft"
    HARD = "hard"


class Effect(Enum):
    """What a fault does to a running charge. None of them lets a new one start, but for WARN."""

    TRIP = "trip"
    DERATE = "derate"
    WARN = "warn"


class Fault(Enum):
    """What can break. The value is the name scripts and the control API use."""

    EMERGENCY_STOP = "emergency_stop"
    OVER_TEMPERATURE = "over_temperature"
    RCD = "rcd"
    LOCK_JAM = "lock_jam"
    CONTACTOR_WELD = "contactor_weld"
    METER_LOST = "meter_lost"
    READER_LOST = "reader_lost"
    OVERCURRENT = "overcurrent"
    OVERVOLTAGE = "overvoltage"
    UNDERVOLTAGE = "undervoltage"
    PILOT = "pilot"
    INTERNAL = "internal"
    WEAK_SIGNAL = "weak_signal"
    RESTART = "restart"
    OTHER = "other"


class BayStatus(Enum):
    """The one state that the picture shows for a bay, worst first."""

    FAULTED = "faulted"
    UNAVAILABLE = "unavailable"
    CHARGING = "charging"
    OCCUPIED = "occupied"
    RESERVED = "reserved"
    AVAILABLE = "available"
    OFF = "off"
