"""The open points as a room shows them: what is done at each, who chose it, how often it was met."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.kernel.bus import Entry
from app.ocpp.events import OpenPointMet
from app.ocpp.points import Option, Point, registry
from app.ocpp.version import Version
from app.runtime.session import Session


@dataclass(frozen=True, slots=True)
class PointRow:
    """An open point of the version in force. `chosen` None: the default counts."""

    point: Point
    chosen: str | None
    met: int
    last: datetime | None = None
    last_option: str = ""

    @property
    def option(self) -> Option:
        """What is done when it is met next, unless a person is asked."""
        return self.point.option(self.chosen or self.point.default)


class PointRows:
    """Reads the points of a session and counts, while it lives, how often each was met."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._met: dict[str, tuple[int, datetime, str]] = {}
        self._remove = session.bus.subscribe(self._on_met, OpenPointMet)

    def close(self) -> None:
        """Hear of nothing any more."""
        self._remove()

    def rows(self, version: Version | None) -> tuple[PointRow, ...]:
        """Those of a version, or of all while it is not decided; without those that nothing meets yet."""
        chosen = self._session.points.chosen
        return tuple(
            self._row(point, chosen.get(point.id))
            for point in registry().values()
            if point.awaits is None and version in {None, point.version or version}
        )

    def choose(self, point: str, option: str | None) -> None:
        """Fix what is done from the next time on, over restarts; None: the default. Raises KeyError."""
        self._session.choose_point(point, option)

    def _row(self, point: Point, chosen: str | None) -> PointRow:
        count, at, option = self._met.get(point.id, (0, None, ""))
        return PointRow(point, chosen, count, at, option)

    def _on_met(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, OpenPointMet)
        count = self._met.get(event.point, (0,))[0]
        self._met[event.point] = (count + 1, entry.at, event.option)
