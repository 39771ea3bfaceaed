"""When a transaction starts and ends: TxStartPoint and TxStopPoint over five facts. Pure. Part 2, E01, E06.

A start member counts when its fact *becomes* true, a stop member when its fact *becomes* false: a cable that
still hangs there after a transaction has ended does not start another one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.station.kinds import Flow

PARKING = "ParkingBayOccupancy"
CONNECTED = "EVConnected"
AUTHORIZED = "Authorized"
POWER_PATH = "PowerPathClosed"
ENERGY = "EnergyTransfer"

OPTIONS: dict[str, tuple[str, str]] = {
    "power-path": (POWER_PATH, f"{CONNECTED},{AUTHORIZED}"),
    "ev-connected": (CONNECTED, CONNECTED),
    "authorized": (AUTHORIZED, AUTHORIZED),
    "parking-bay": (PARKING, PARKING),
}
"""Start and stop points by option of the open point `ocpp201-tx-start-stop-point`."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of an EVSE right now."""

    occupied: bool = False
    connected: bool = False
    authorized: bool = False
    energy: bool = False

    def holds(self, member: str) -> bool:
        """Is this member of a start or stop point true."""
        match member:
            case "ParkingBayOccupancy":
                return self.occupied
            case "EVConnected":
                return self.connected
            case "Authorized":
                return self.authorized
            case "PowerPathClosed":
                return self.connected and self.authorized
            case "EnergyTransfer":
                return self.energy
        return False  # DataSigned: none of the meters signs


def starts(members: Iterable[str], before: Facts, after: Facts) -> bool:
    """Does this change start a transaction."""
    return any(after.holds(member) and not before.holds(member) for member in members)


def ends(members: Iterable[str], before: Facts, after: Facts) -> bool:
    """Does this change end the transaction."""
    return any(before.holds(member) and not after.holds(member) for member in members)


def charging_state(facts: Facts, flow: Flow) -> str:
    """ChargingStateEnumType."""
    if not facts.connected:
        return "Idle"
    if not facts.authorized:
        return "EVConnected"
    return {
        Flow.CHARGING: "Charging",
        Flow.SUSPENDED_EV: "SuspendedEV",
        Flow.SUSPENDED_EVSE: "SuspendedEVSE",
    }.get(flow, "EVConnected")
