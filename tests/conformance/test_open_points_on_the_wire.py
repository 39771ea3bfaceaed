"""Open points are read when they are met, and any two options of one give two different conversations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.ocpp.events import OpenPointMet
from app.ocpp.points import registry
from app.ocpp.version import Version
from tests.conformance.open_points import STORIES, Story, begin, trace
from tests.support.harness import Bench, make_bench

__all__ = ["make_bench"]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story.point}-{story.version.value}")
async def test_any_two_options_give_two_conversations_and_the_choice_may_change_while_it_runs(
    make_bench: Callable[..., Bench], tmp_path: Path, story: Story
) -> None:
    """Decision: each open point is read at the moment of use, so a change needs no restart."""

    async def told(before: str, after: str) -> list[str]:
        chosen = {**story.also, story.point: before}
        bench = await begin(story, make_bench, tmp_path, points=chosen)
        bench.points.set(story.point, after)
        await story.then(bench)
        said = trace(bench)
        met = [event for event in bench.happened(OpenPointMet) if event.point == story.point]
        assert met, "the point was never met"
        assert met[-1].option == after, met
        return said

    options = story.options()
    traces = {option: await told(option, option) for option in options}
    same = [
        (one, other)
        for number, one in enumerate(options)
        for other in options[:number]
        if traces[one] == traces[other]
    ]
    assert not same, f"these options cannot be told apart: {same}"
    for option, other in zip(options, options[1:] + options[:1], strict=True):
        assert await told(other, option) == traces[option]


@pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
def test_each_open_point_that_a_station_can_meet_has_a_story(version: Version) -> None:
    told = {story.point for story in STORIES if story.version is version}
    points = registry().values()
    met = (point for point in points if point.awaits is None)
    assert told == {point.id for point in met if point.version in (None, version)}
