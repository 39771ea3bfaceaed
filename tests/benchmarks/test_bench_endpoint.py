"""The benchmark of the endpoint runs and counts what it says it counts."""

from __future__ import annotations

import json

import pytest

from app.ocpp.schema import Schemas
from app.ocpp.version import Version
from tests.benchmarks.bench_endpoint import EVENT, LINKS, run, table


def test_the_message_that_is_counted_is_a_valid_one_with_12_samples() -> None:
    assert Schemas.of(Version.V201).check("TransactionEvent", "request", EVENT, own=True) == ()
    assert len(EVENT["meterValue"][0]["sampledValue"]) == 12
    assert 2000 < len(json.dumps(EVENT)) < 2500


@pytest.mark.full
@pytest.mark.parametrize("links", LINKS)
async def test_all_three_ways_are_measured_and_bare_is_the_fastest(links: int) -> None:
    results = await run(100, links)
    bare, endpoint, outbox = results
    assert {result.links for result in results} == {links}
    assert bare.ratio == 1.0
    assert (endpoint.target, outbox.target) == ((0.5, 0.35) if links == 1 else (None, None))
    assert 0 < outbox.ratio < 1
    assert 0 < endpoint.ratio < 1
    assert "endpoint with durable outbox" in table(results)
