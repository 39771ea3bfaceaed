"""The registry of open points: complete, well made, and read at the moment of use."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import app
from app.kernel.bus import Bus
from app.kernel.link_clock import ManualLinkClock
from app.ocpp.events import OpenPointAnswered, OpenPointMet
from app.ocpp.points import OpenPoints, Point, registry
from app.ocpp.schema import Schemas
from app.ocpp.shared.charging.options import POINTS_201
from app.ocpp.v201 import timeouts
from app.ocpp.version import Version

POINT = "both-clock-drift"
DECLARED = {"SPEC-SILENT", "VENDOR-DEPENDENT", "POLICY-DEPENDENT"}

# what the specification leaves open, by where it was found
FOUND_IN_THE_TEXTS = 34
FOUND_IN_THE_ERRATA = {
    "ocpp16-card-first-connector",
    "ocpp16-status-order",
    "both-retry-message-id",
    "both-timeout-counts-as-failure",
    "ocpp16-authorization-key-encoding",
    "ocpp16-inoperative-in-preparing",
    "both-invalid-response",
    "ocpp201-event-merging",
    "ocpp16-hard-reset-stop",
    "ocpp201-firmware-trigger-idle",
    "ocpp201-baseline",
}


class Person:
    """Answers what it is told to, when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    async def ask(self, point: Point) -> str | None:
        self.asked.append(point.id)
        return await self.answer


class Crowd:
    """A person who is asked several things, and answers one after the other."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: list[asyncio.Future[str | None]] = []

    async def ask(self, point: Point) -> str | None:
        self.asked.append(point.id)
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]


async def turn() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


class Desk:
    def __init__(self) -> None:
        self.met: list[OpenPointMet] = []
        self.bus = Bus(lambda: datetime(2026, 1, 15, 8, tzinfo=UTC))
        self.bus.subscribe(lambda entry: self.met.append(entry.event), OpenPointMet)  # type: ignore[arg-type]
        self.link = ManualLinkClock()

    def points(self, **options: object) -> OpenPoints:
        return OpenPoints(self.bus, link=self.link, timeout=lambda: 30.0, **options)  # type: ignore[arg-type]


def test_all_points_are_registered() -> None:
    points = registry()
    own = [name for name in points if "." not in name]  # the others belong to one of these
    assert set(own) >= FOUND_IN_THE_ERRATA
    assert len(own) == FOUND_IN_THE_TEXTS + len(FOUND_IN_THE_ERRATA)
    assert all(name.partition(".")[0] in points for name in points)


@pytest.mark.parametrize("point", registry().values(), ids=lambda point: point.id)
def test_each_point_is_well_made(point: Point) -> None:
    assert point.kind in DECLARED
    assert len(point.options) >= 2
    assert len({option.key for option in point.options}) == len(point.options)
    assert point.option(point.default).conformant, "a default must conform"
    assert point.question.endswith("?")
    assert point.question[0].isupper()
    for option in point.options:
        assert not option.summary[0].islower()
        assert option.summary.endswith(".")
    prefix = {None: "both-", Version.V16: "ocpp16-", Version.V201: "ocpp201-"}[point.version]
    assert point.id.startswith(prefix)
    known: set[str] = set()
    for version in Version if point.version is None else [point.version]:
        known |= Schemas.of(version).actions
    assert set(point.messages) <= known
    assert point.observable
    assert point.note


USES = re.compile(r"(?:both|ocpp16|ocpp201)-[a-z0-9-]+(?:\.[a-z-]+)?")


def test_each_point_is_met_by_the_program_or_says_what_it_waits_for() -> None:
    """What nobody reads must not be offered as if it did something."""
    text = "\n".join(
        path.read_text("utf-8") for path in Path(app.__file__).parent.glob("ocpp/**/*.py")
    )
    read = set(USES.findall(text))
    read |= {f"{timeouts.POINT}.{part}" for part in ("applies-to", "unlock-cable")}
    later = set(POINTS_201.values())  # decided only where 2.0.1 installs charging profiles
    assert "decide(Version.V201" not in text, "then these are met, and await nothing any more"
    for point in registry().values():
        if point.awaits is None:
            assert point.id in read, f"{point.id} is met nowhere"
        else:
            assert point.id not in read or point.id in later, f"{point.id} is met already"


def test_the_errata_decide_what_conforms() -> None:
    """Errata 23 and others: options that a newer text has ruled out are faults to test with."""
    points = registry()
    for point, option in [
        ("ocpp201-conversion-voltage", "measured"),
        ("ocpp201-composite-algorithm", "docs-min-of-all"),
        ("ocpp16-unsupported-rate-unit", "accept-ignore"),
        ("ocpp201-grid-critical-reaction", "new-sessions-only"),
        ("both-clock-drift", "ignore"),
    ]:
        assert not points[point].option(option).conformant
    assert points["both-retry-message-id"].option("same-id").conformant
    assert points["both-retry-message-id"].option("new-id").conformant


def test_pragmatic_mode_takes_the_default_and_tells_each_time() -> None:
    desk = Desk()
    points = desk.points()
    assert points.choose(POINT) == "set-at-once"
    points.choose(POINT)
    assert desk.met == [OpenPointMet(POINT, "set-at-once", "default", True)] * 2


def test_the_configuration_wins_in_either_mode() -> None:
    for strict in (False, True):
        desk = Desk()
        points = desk.points(chosen={POINT: "ignore"}, strict=strict)
        assert points.choose(POINT) == "ignore"
        assert desk.met == [OpenPointMet(POINT, "ignore", "config", False)]
        assert points.undecided == []
        assert points.chosen == {POINT: "ignore"}


def test_a_choice_acts_on_the_next_occurrence() -> None:
    points = Desk().points()
    before = points.choose(POINT)
    points.set(POINT, "slew")
    assert (before, points.choose(POINT)) == ("set-at-once", "slew")
    points.set(POINT, None)
    assert points.choose(POINT) == "set-at-once"


@pytest.mark.parametrize(("point", "option"), [("no-such-point", "x"), (POINT, "no-such-option")])
def test_a_wrong_name_is_told_at_once(point: str, option: str) -> None:
    with pytest.raises(KeyError):
        Desk().points(chosen={point: option})


def test_an_unknown_point_cannot_be_met() -> None:
    with pytest.raises(KeyError):
        Desk().points().choose("no-such-point")


def test_strict_mode_without_anybody_to_ask_counts_the_point_as_undecided() -> None:
    told: list[str] = []
    desk = Desk()
    points = desk.points(strict=True, on_undecided=lambda point: told.append(point.id))
    assert points.choose(POINT) == "set-at-once"
    points.choose(POINT)
    assert points.undecided == [POINT]
    assert told == [POINT]


async def test_strict_mode_asks_a_person() -> None:
    desk = Desk()
    person = Person()
    points = desk.points(strict=True, asker=person)
    asking = asyncio.ensure_future(points.ask(POINT))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert person.asked == [POINT]
    person.answer.set_result("slew")
    assert await asking == "slew"
    assert desk.met == [OpenPointMet(POINT, "slew", "person", True)]
    assert points.undecided == []


async def test_strict_mode_waits_for_half_of_the_message_time_out_and_marks_the_default() -> None:
    desk = Desk()
    points = desk.points(strict=True, asker=Person())
    asking = asyncio.ensure_future(points.ask(POINT))
    await asyncio.sleep(0)
    desk.link.advance(14.9)
    await asyncio.sleep(0)
    assert not asking.done()
    desk.link.advance(0.2)
    assert await asking == "set-at-once"
    assert desk.met == [OpenPointMet(POINT, "set-at-once", "timeout", True)]


async def test_points_that_one_message_raises_share_the_half_of_its_time_out() -> None:
    desk = Desk()
    crowd = Crowd()
    points = desk.points(strict=True, asker=crowd)
    asking = asyncio.ensure_future(points.ask_all(POINT, "both-retry-message-id"))
    await turn()
    desk.link.advance(10)
    crowd.answers[0].set_result("slew")
    await turn()
    assert crowd.asked == [POINT, "both-retry-message-id"]
    desk.link.advance(5.1)
    assert await asking == {POINT: "slew", "both-retry-message-id": "same-id"}
    assert [met.how for met in desk.met] == ["person", "timeout"]


async def test_where_there_is_no_time_the_person_is_asked_for_the_next_occurrence() -> None:
    desk = Desk()
    crowd = Crowd()
    points = desk.points(strict=True, asker=crowd)
    assert points.choose(POINT) == "set-at-once"
    assert points.choose(POINT) == "set-at-once"
    assert points.choose("both-retry-message-id") == "same-id"
    await turn()
    assert crowd.asked == [POINT], "one question at a time, and each once"
    assert {met.how for met in desk.met} == {"unasked"}
    told: list[object] = []
    desk.bus.subscribe(lambda entry: told.append(entry.event), OpenPointAnswered)
    crowd.answers[0].set_result("slew")
    await turn()
    assert told == [OpenPointAnswered(POINT, "slew")]
    assert points.choose(POINT) == "slew"
    assert desk.met[-1] == OpenPointMet(POINT, "slew", "person", True)
    assert crowd.asked == [POINT, "both-retry-message-id"]
    assert points.undecided == []
    points.close()


async def test_a_question_that_nobody_waits_for_ends_in_time_and_is_asked_again() -> None:
    desk = Desk()
    crowd = Crowd()
    points = desk.points(strict=True, asker=crowd)
    points.choose(POINT)
    await turn()
    desk.link.advance(15.1)
    await turn()
    assert crowd.answers[0].cancelled()
    assert points.choose(POINT) == "set-at-once"
    await turn()
    assert crowd.asked == [POINT, POINT]
    points.set(POINT, "ignore")
    crowd.answers[1].set_result("slew")
    await turn()
    assert points.choose(POINT) == "ignore", "what was fixed meanwhile wins"


async def test_what_is_foreseen_is_asked_once_and_met_when_it_is_met() -> None:
    desk = Desk()
    crowd = Crowd()
    points = desk.points(strict=True, asker=crowd)
    ahead = points.ahead(POINT)
    first, second = (asyncio.ensure_future(ahead.ask()) for _ in range(2))
    await turn()
    assert crowd.asked == [POINT]
    crowd.answers[0].set_result("slew")
    await asyncio.gather(first, second)
    await ahead.ask()
    assert (crowd.asked, desk.met) == ([POINT], [])
    assert ahead.choose() == "slew"
    assert desk.met == [OpenPointMet(POINT, "slew", "person", True)]
    assert ahead.choose() == "set-at-once", "it was said for one time"
    assert desk.met[-1].how == "unasked"
    points.close()


async def test_who_was_asked_ahead_and_did_not_say_gets_the_default() -> None:
    desk = Desk()
    points = desk.points(strict=True, asker=Person())
    ahead = points.ahead(POINT)
    asking = asyncio.ensure_future(ahead.ask())
    await turn()
    desk.link.advance(15.1)
    await asking
    assert ahead.choose() == "set-at-once"
    assert [met.how for met in desk.met] == ["timeout"]


async def test_what_is_fixed_after_it_was_said_ahead_wins() -> None:
    desk = Desk()
    person = Person()
    person.answer.set_result("slew")
    points = desk.points(strict=True, asker=person)
    ahead = points.ahead(POINT)
    await ahead.ask()
    points.set(POINT, "ignore")
    assert ahead.choose() == "ignore"
    assert desk.met[0].how == "config"


async def test_what_is_fixed_while_the_question_is_open_wins_over_the_default() -> None:
    desk = Desk()
    points = desk.points(strict=True, asker=Person())
    asking = asyncio.ensure_future(points.ask(POINT))
    await turn()
    points.set(POINT, "slew")
    desk.link.advance(15.1)
    assert await asking == "slew"
    assert desk.met == [OpenPointMet(POINT, "slew", "config", True)]


async def test_questions_end_with_the_station() -> None:
    desk = Desk()
    crowd = Crowd()
    points = desk.points(strict=True, asker=crowd)
    points.choose(POINT)
    await turn()
    points.close()
    await turn()
    assert crowd.answers[0].cancelled()


async def test_a_person_who_does_not_say_gets_the_default() -> None:
    desk = Desk()
    person = Person()
    person.answer.set_result(None)
    points = desk.points(strict=True, asker=person)
    assert await points.ask(POINT) == "set-at-once"
    assert desk.met[0].how == "timeout"


async def test_without_a_link_clock_a_person_may_take_any_time() -> None:
    desk = Desk()
    person = Person()
    person.answer.set_result("ignore")
    points = OpenPoints(desk.bus, strict=True, asker=person)
    assert await points.ask(POINT) == "ignore"
    assert not desk.met[0].conformant


@pytest.mark.parametrize("options", [{}, {"strict": True}, {"chosen": {POINT: "slew"}}])
async def test_nobody_is_asked_where_there_is_nothing_to_ask(options: object) -> None:
    desk = Desk()
    person = Person()
    points = desk.points(**options)  # type: ignore[arg-type]
    if "strict" not in options:  # type: ignore[operator]
        points.asker = person
    assert await points.ask(POINT) == points.choose(POINT)
    assert person.asked == []


async def test_a_question_ends_with_the_one_who_asked() -> None:
    desk = Desk()
    person = Person()
    asking = asyncio.ensure_future(desk.points(strict=True, asker=person).ask(POINT))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.sleep(0)
    assert person.answer.cancelled()


def test_a_default_that_is_no_option_is_a_broken_file() -> None:
    point = replace(registry()[POINT], default="no-such-option")
    with pytest.raises(KeyError):
        point.option(point.default)
