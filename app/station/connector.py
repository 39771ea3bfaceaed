"""An outlet: cable or socket, its lock, and the wire between station and car."""

from __future__ import annotations

from app.station.blueprint import ConnectorSpec
from app.station.kinds import LockState, PilotState, UnplugSide


class Connector:
    """What the hand touches. `plugged`: a car hangs on it."""

    def __init__(self, number: int, spec: ConnectorSpec) -> None:
        self.number, self.spec = number, spec
        self.plugged = False
        self.pilot = PilotState.A
        self.operative = True
        self.bolt_out = False
        """The lock's bolt holds the plug; jammed or not."""
        self.jammed = False

    @property
    def lock(self) -> LockState:
        if not self.spec.lock:
            return LockState.NONE
        if self.jammed:
            return LockState.JAMMED
        return LockState.LOCKED if self.bolt_out else LockState.OPEN

    def held(self, side: UnplugSide) -> bool:
        """The lock keeps this end of the cable in.

        A socket holds the station's end; the car's end of a loose cable can always be drawn. A tethered
        cable has one plug only, at the car.
        """
        if not self.bolt_out:
            return False
        return self.spec.tethered or side is UnplugSide.STATION
