"""Open points that are asked about ahead, because where they are met nobody can wait any more."""

from __future__ import annotations

from app.ocpp.context import OpenPointsPort


class Ahead:
    """One point, and what a person has said for the next time that it is met."""

    def __init__(self, points: OpenPointsPort, point: str) -> None:
        self._points, self._point = points, point
        self._answer: str | None = None

    async def ask(self) -> None:
        """In strict mode let a person say now, unless they have said already."""
        if self._answer is None and self._points.asks(self._point):
            self._answer = await self._points.ask(self._point)

    def choose(self) -> str:
        """The point is met: what was said for it, or what is chosen without asking."""
        answer, self._answer = self._answer, None
        if answer is not None and self._points.asks(self._point):
            return answer
        return self._points.choose(self._point)
