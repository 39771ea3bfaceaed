"""The benchmark of the replay delivers what it queued and counts what it says it counts."""

from __future__ import annotations

import pytest

from tests.benchmarks.bench_replay import run, table


@pytest.mark.timeout(60)
async def test_a_small_replay_delivers_all_and_counts_its_bytes() -> None:
    figures = {figure.name: figure for figure in await run(50)}
    assert figures["messages"].value == 50
    assert 2000 < figures["bytes on the wire, a message"].value < 2500
    assert figures["replay, messages a second"].value > 0
    assert "bytes on the wire" in table(list(figures.values()))
