"""What blocks ask about open points of the specification."""

from __future__ import annotations

from typing import Protocol


class Ahead(Protocol):
    """An open point that a person is asked about ahead, because where it is met nobody can wait any more."""

    async def ask(self) -> None:
        """In strict mode let a person say now what holds for the next time, unless they have said so."""
        ...

    def choose(self) -> str:
        """The point is met: what was said for it, or what is chosen without asking."""
        ...


class OpenPointsPort(Protocol):
    """What was chosen for each open point of the specification."""

    def choose(self, point: str) -> str:
        """The option in force, at once. Journals that the point was met.

        Only where waiting would be wrong: in strict mode the default acts, and a person is asked for the
        next time.
        """
        ...

    def asks(self, point: str) -> bool:
        """Would a person be asked now?"""
        ...

    async def ask(self, point: str) -> str:
        """As `choose`, but in strict mode a person is asked first (within half the message time-out)."""
        ...

    async def ask_all(self, *points: str) -> dict[str, str]:
        """As `ask` for all that one message raises, within the same time."""
        ...

    def ahead(self, point: str) -> Ahead:
        """For a point that can be foreseen where it cannot be waited for."""
        ...
