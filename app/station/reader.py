"""A card reader with its ring of light."""

from __future__ import annotations

from app.station.kinds import ReaderLamp
from app.station.snapshot import ReaderSnapshot

VERDICT_SECONDS = 3.0
"""How long the ring shows accepted or refused before it waits for the next card."""


class Reader:
    """Serves some EVSEs. Dark without mains or when it is broken; `lit` is what the controller asked for."""

    def __init__(self, number: int, evses: tuple[int, ...]) -> None:
        self.number, self.evses = number, evses
        self.faulty = False
        self.powered = True
        self.until: float | None = None
        self.blinks = 0
        self._lit = ReaderLamp.WAITING

    @property
    def lamp(self) -> ReaderLamp:
        return self._lit if self.powered and not self.faulty else ReaderLamp.OFF

    def light(self, lamp: ReaderLamp, elapsed: float, blinks: int = 0) -> None:
        """`blinks`: how often a verdict blinks, once a second, instead of a steady light."""
        self._lit = lamp
        verdict = lamp in (ReaderLamp.ACCEPTED, ReaderLamp.REFUSED)
        self.blinks = blinks if verdict else 0
        self.until = elapsed + (self.blinks or VERDICT_SECONDS) if verdict else None

    def rest(self) -> None:
        """Wait for a card again."""
        self._lit, self.until, self.blinks = ReaderLamp.WAITING, None, 0

    def snapshot(self) -> ReaderSnapshot:
        return ReaderSnapshot(self.number, self.evses, self.lamp, self.faulty, self.blinks)
