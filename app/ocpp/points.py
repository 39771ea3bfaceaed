"""The open points of the specification: where its text is silent, and what was chosen there.

A point is met at the moment of use, so a choice made meanwhile acts on the next occurrence. What the
configuration says wins. Pragmatic mode takes the default; strict mode asks a person, for at most half of the
message time-out, and then takes the default and marks it. Whoever asked looks at the station again before
acting: it went on meanwhile. Where waiting would be wrong (the machine would stand still, or what is told of
a transaction would change its order) the default is taken and marked at once, and the person is asked
meanwhile: the answer counts from the next occurrence on. Strict mode without anybody to ask counts the point
as undecided and tells it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from app.kernel.bus import Bus
from app.kernel.link_clock import LinkClock
from app.kernel.resources import resource
from app.ocpp.events import OpenPointAnswered, OpenPointMet
from app.ocpp.version import Version


@dataclass(frozen=True, slots=True)
class Option:
    """One way to go. `conformant` False: a fault to test a back office with."""

    key: str
    summary: str
    conformant: bool


@dataclass(frozen=True, slots=True)
class Point:
    """An open point. `version` None: both. `kind` SPEC-SILENT, VENDOR-DEPENDENT or POLICY-DEPENDENT.

    `awaits` names the part of the program that will meet it and is not there yet; nobody can choose until
    then, because nothing would come of it.
    """

    id: str
    version: Version | None
    kind: str
    question: str
    options: tuple[Option, ...]
    default: str
    messages: tuple[str, ...]
    observable: str
    note: str
    awaits: str | None = None

    def option(self, key: str) -> Option:
        """Raises KeyError for an option that this point has not."""
        for option in self.options:
            if option.key == key:
                return option
        raise KeyError(f"{self.id} has no option {key!r}")


@cache
def registry() -> Mapping[str, Point]:
    """All open points by id, in the order of the file."""
    data = json.loads(resource("ambiguities.json").read_text("utf-8"))
    return {item["id"]: _point(item) for item in data}


def _point(item: dict[str, Any]) -> Point:
    options = tuple(
        Option(option["key"], option["summary"], option["conformant"]) for option in item["options"]
    )
    version = None if item["version"] == "both" else Version(item["version"])
    point = Point(
        item["id"],
        version,
        item["class"],
        item["question"],
        options,
        item["default"],
        tuple(item["messages"]),
        item["observable"],
        item["note"],
        item.get("awaits"),
    )
    point.option(point.default)
    return point


class Asker(Protocol):
    """Puts a point to a person."""

    async def ask(self, point: Point) -> str | None:
        """The key of the chosen option; None if the person does not want to say."""
        ...


class OpenPoints:
    """What is chosen for each open point. Implements OpenPointsPort.

    `chosen` is what the configuration says; `timeout` the message time-out in link seconds;
    `on_undecided` is told of points that strict mode could put to nobody.
    """

    def __init__(
        self,
        bus: Bus,
        chosen: Mapping[str, str] | None = None,
        *,
        strict: bool = False,
        asker: Asker | None = None,
        timeout: Callable[[], float] = lambda: 30.0,
        link: LinkClock | None = None,
        on_undecided: Callable[[Point], None] | None = None,
        points: Mapping[str, Point] | None = None,
    ) -> None:
        self.strict = strict
        self.asker = asker
        self.undecided: list[str] = []
        self._bus = bus
        self._points = registry() if points is None else points
        self._chosen: dict[str, str] = {}
        self._answered: dict[str, str] = {}
        """What a person said to a question that nobody waited for."""
        self._open: list[Point] = []
        """Questions that nobody waits for, one after the other; the first one is before the person."""
        self._asking: asyncio.Task[None] | None = None
        self._timeout = timeout
        self._link = link
        self._on_undecided = on_undecided
        for point, option in (chosen or {}).items():
            self.set(point, option)

    @property
    def chosen(self) -> Mapping[str, str]:
        """What the configuration or a person has fixed."""
        return dict(self._chosen)

    def set(self, point: str, option: str | None) -> None:
        """Fix a choice from now on; None lifts it. Raises KeyError for an unknown point or option."""
        known = self._points[point]
        self._answered.pop(point, None)
        if option is None:
            self._chosen.pop(point, None)
        else:
            self._chosen[point] = known.option(option).key

    def close(self) -> None:
        """Take back the questions that are still before a person."""
        self._open.clear()
        if self._asking is not None:
            self._asking.cancel()

    def choose(self, point: str) -> str:
        """The option in force, at once. Raises KeyError for a point that is not registered."""
        known = self._points[point]
        if point in self._chosen:
            return self._met(known, self._chosen[point], "config")
        if point in self._answered:
            return self._met(known, self._answered[point], "person")
        if not self.strict:
            return self._met(known, known.default, "default")
        if self.asker is None:
            self._tell_undecided(known)
            return self._met(known, known.default, "default")
        self._ask_meanwhile(known)
        return self._met(known, known.default, "unasked")

    def asks(self, point: str) -> bool:
        """Would a person be asked now?"""
        return self.strict and self.asker is not None and point not in self._chosen

    async def ask(self, point: str) -> str:
        """As `choose`, but in strict mode a person may decide."""
        return (await self.ask_all(point))[point]

    def ahead(self, point: str) -> Ahead:
        """For a point that can be foreseen where it cannot be waited for. Raises KeyError."""
        return Ahead(self, self._points[point])

    async def say(self, point: Point) -> str | None:
        """What a person says now, if anything; the point is not met by that."""
        asker = self.asker
        return None if asker is None else await self._answer_of(asker, point, self._limit())

    def met_as_said(self, point: Point, answer: str | None) -> str:
        """The point is met, and a person was asked about it before."""
        if not self.asks(point.id):
            return self.choose(point.id)
        if answer is None:
            return self._met(point, point.default, "timeout")
        return self._met(point, answer, "person")

    async def ask_all(self, *points: str) -> dict[str, str]:
        """As `ask` for the points that one message raises: all of them take no longer than one."""
        until = self._limit()
        return {point: await self._ask(self._points[point], until) for point in points}

    async def _ask(self, point: Point, until: float | None) -> str:
        asker = self.asker
        if asker is None or not self.asks(point.id):
            return self.choose(point.id)
        answer = await self._answer_of(asker, point, until)
        if answer is not None:
            return self._met(point, answer, "person")
        return self.met_as_said(point, None)

    def _limit(self) -> float | None:
        """Until when a person may think: half of the message time-out from now, in link time."""
        return None if self._link is None else self._link.monotonic() + self._timeout() / 2

    async def _answer_of(self, asker: Asker, point: Point, until: float | None) -> str | None:
        """What the person says in time; None otherwise."""
        asking = asyncio.ensure_future(asker.ask(point))
        timer = None
        if self._link is not None and until is not None:
            left = max(0.0, until - self._link.monotonic())
            timer = self._link.call_later(left, lambda: _cancel(asking))
        try:
            await asyncio.wait([asking])
        finally:
            asking.cancel()
            if timer is not None:
                timer.cancel()
        if asking.cancelled():
            return None
        answer = asking.result()
        return None if answer is None else point.option(answer).key

    def _ask_meanwhile(self, point: Point) -> None:
        if point not in self._open:
            self._open.append(point)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._ask_the_open_ones())

    async def _ask_the_open_ones(self) -> None:
        """One question at a time; what is not answered is asked again when it is met again."""
        while self._open:
            point, asker = self._open[0], self.asker
            if asker is not None and point.id not in self._chosen:
                answer = await self._answer_of(asker, point, self._limit())
                if answer is not None and point.id not in self._chosen:
                    self._answered[point.id] = answer
                    self._bus.publish(OpenPointAnswered(point.id, answer))
            self._open.remove(point)

    def _met(self, point: Point, key: str, how: str) -> str:
        self._bus.publish(OpenPointMet(point.id, key, how, point.option(key).conformant))
        return key

    def _tell_undecided(self, point: Point) -> None:
        if point.id in self.undecided:
            return
        self.undecided.append(point.id)
        if self._on_undecided is not None:
            self._on_undecided(point)


class Ahead:
    """One point, and what a person has said for the next time that it is met."""

    def __init__(self, points: OpenPoints, point: Point) -> None:
        self._points, self._point = points, point
        self._asked = self._asking = False
        self._answer: str | None = None

    async def ask(self) -> None:
        """In strict mode let a person say now what holds for the next time, unless they have said so."""
        if self._asked or self._asking or not self._points.asks(self._point.id):
            return
        self._asking = True
        try:
            self._answer = await self._points.say(self._point)
            self._asked = True
        finally:
            self._asking = False

    def choose(self) -> str:
        """The point is met: what was said for it, or what is chosen without asking."""
        if not self._asked:
            return self._points.choose(self._point.id)
        self._asked = False
        return self._points.met_as_said(self._point, self._answer)


def _cancel(asking: asyncio.Future[Any]) -> None:
    asking.cancel()
