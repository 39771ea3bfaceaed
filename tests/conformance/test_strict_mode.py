"""Strict mode: a person is asked when an open point is met, and what they say is done there and then.

The station asks for at most half of the message time-out, and looks at what has happened meanwhile before it
acts. Only where waiting would be wrong the default acts at once, and the answer counts from the next time on.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from app.ocpp.events import OpenPointMet
from app.ocpp.points import Point, registry
from app.ocpp.version import Version
from app.station.intents import PlugIn
from tests.conformance.open_points import STORIES, Story, begin, trace
from tests.conformance.thoughtful import (
    BOTH,
    V16,
    V201,
    MakeBench,
    how,
    moment,
    strict_bench,
)
from tests.support.harness import make_bench

__all__ = ["make_bench"]


class Prompt:
    """A person who takes a moment to say what the test wants."""

    def __init__(self, option: str) -> None:
        self.option = option

    async def ask(self, point: Point) -> str | None:
        for _ in range(3):
            await asyncio.sleep(0)
        return self.option


IN_PARALLEL = {"both-local-preauthorize-request"}

NOT_WAITED_FOR = {
    "both-offline-queue-capacity": "a message becomes durable in the step of what it tells",
    "ocpp16-max-profile-allocation": "the machine must be told at once what it may draw",
    "ocpp16-unsupported-rate-unit": "as above, once the profile is installed",
    "ocpp16-no-profile-online": "the machine must be told at once what it may draw",
    "ocpp201-tx-start-stop-point": "the cable is in, and the car may draw at once",
}
"""Where the default acts at once, and why."""


@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story.point}-{story.version.value}")
async def test_what_a_person_says_is_done_as_if_it_had_been_configured(
    make_bench: MakeBench, tmp_path: Path, story: Story
) -> None:
    others = {point.id: point.default for point in registry().values()}
    others = {**others, **story.also}
    del others[story.point]
    ways: set[str] = set()
    for option in story.options():
        bench = await begin(story, make_bench, tmp_path, points={**others, story.point: option})
        await story.then(bench)
        configured = trace(bench)
        bench = await begin(
            story, make_bench, tmp_path, points=others, strict=True, asker=Prompt(option)
        )
        await story.then(bench)
        met = [event for event in bench.happened(OpenPointMet) if event.point == story.point]
        ways |= {event.how for event in met}
        if story.point not in NOT_WAITED_FOR:
            assert _ordered(story, trace(bench)) == _ordered(story, configured)
    if story.point in NOT_WAITED_FOR:
        assert "unasked" in ways
    else:
        assert ways == {"person"}


def _ordered(story: Story, said: list[str]) -> list[str]:
    """What is sent in parallel may leave sooner or later."""
    if story.point not in IN_PARALLEL:
        return said
    return sorted(re.sub("#[0-9]+", "#", line) for line in said)


# ---------------------------------------------------------------- a CALL that waits for a person


REMOTE_START = {
    V16: ("RemoteStartTransaction", {"idTag": "R"}, "ocpp16-remote-start-no-connector"),
    V201: (
        "RequestStartTransaction",
        {"remoteStartId": 1, "idToken": {"idToken": "R", "type": "ISO14443"}},
        "ocpp201-remote-start-no-evse",
    ),
}


@BOTH
async def test_other_calls_are_answered_while_a_person_thinks_about_one(
    make_bench: MakeBench, version: Version
) -> None:
    action, payload, point = REMOTE_START[version]
    bench, person = strict_bench(make_bench, version, point)
    await bench.boot()
    answer = bench.start_request(action, payload)
    other = bench.start_request("ClearCache", {})
    await moment()
    assert (answer.done(), other.done(), person.asked) == (False, True, [point])
    await person.says("pick-free")
    assert answer.result()[2] == {"status": "Accepted"}


@BOTH
async def test_without_an_answer_the_default_acts_at_half_of_the_message_time_out_and_is_marked(
    make_bench: MakeBench, version: Version
) -> None:
    action, payload, point = REMOTE_START[version]
    bench, _ = strict_bench(make_bench, version, point)
    await bench.boot()
    answer = bench.start_request(action, payload)
    await moment()
    half = bench.policy().message_timeout / 2
    bench.link.advance(half - 0.1)
    await moment()
    assert not answer.done()
    bench.link.advance(0.2)
    await moment()
    assert answer.result()[2] == {"status": "Accepted"}
    assert how(bench) == ["timeout"]


@BOTH
async def test_a_remote_start_is_not_done_when_the_link_breaks_while_a_person_thinks(
    make_bench: MakeBench, version: Version
) -> None:
    action, payload, point = REMOTE_START[version]
    bench, person = strict_bench(make_bench, version, point)
    await bench.boot()
    answer = bench.start_request(action, payload)
    await moment()
    bench._link_down()
    bench._link_up()
    await moment()
    await person.says("pick-free")
    await bench.do(PlugIn(1))
    assert not answer.done()
    assert bench.personality.sessions() == ()


@BOTH
async def test_the_power_may_go_while_a_person_thinks(
    make_bench: MakeBench, version: Version
) -> None:
    action, payload, point = REMOTE_START[version]
    bench, _ = strict_bench(make_bench, version, point)
    await bench.boot()
    answer = bench.start_request(action, payload)
    await moment()
    await bench.kill_and_restart()
    await bench.do(PlugIn(1))
    assert not answer.done()
    assert bench.personality.sessions() == ()
