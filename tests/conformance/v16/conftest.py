"""Benches of OCPP 1.6 whose status changes are judged by the table of the specification."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any

import pytest

from app.ocpp.context import KeySetting, OcppSettings
from app.ocpp.v16.status import NEXT
from app.ocpp.version import Version
from tests.app.transfer.conftest import authority, server_tls, trust
from tests.support.harness import Bench, make_bench

__all__ = ["authority", "make_bench", "server_tls", "trust"]

OF_STATION = frozenset({"Available", "Unavailable", "Faulted"})
"""16-ST-01."""

MIXED = """
name = "Mixed"
vendor = "Forecourt"
model = "Mixed"
serial = "FC-M-0001"

[supply]
current = 63
voltage = 230
main_meter = true

[[readers]]
evses = [1, 2]

[[evses]]
current = "ac"
max_power = 22000
phases = 3
vehicle = "city-52"

[[evses.connectors]]
plug = "type2"
tethered = false
lock = true
max_current = 32
label = "A"

[[evses.connectors]]
plug = "type2"
tethered = true
lock = false
max_current = 32
label = "B"

[[evses]]
current = "ac"
max_power = 7360
phases = 1
vehicle = "city-52"

[[evses.connectors]]
plug = "type2"
tethered = false
lock = true
max_current = 32
label = "C"
"""
"""A socket and a cable on one EVSE of three phases (connectors 1 and 2), and a socket on one phase (3)."""

Make = Callable[..., Bench]


def forbidden_changes(bench: Bench) -> list[str]:
    """Status changes told over one link that 16-ST-03 does not know."""
    told: dict[tuple[int, int], list[str]] = {}
    for heard in bench.csms.heard:
        if heard.action == "StatusNotification":
            place = (heard.connection, heard.payload["connectorId"])
            told.setdefault(place, []).append(heard.payload["status"])
    wrong = []
    for (_, number), words in told.items():
        for before, after in pairwise(words):
            allowed = OF_STATION if number == 0 else NEXT[before]
            if before != after and after not in allowed:
                wrong.append(f"connector {number}: {before} -> {after}")
    return wrong


@pytest.fixture
async def bench16(make_bench: Make) -> AsyncIterator[Make]:
    """Makes benches of 1.6: `bench16("public-ac-2x22", keys={"MeterValueSampleInterval": "10"})`."""
    benches: list[tuple[Bench, bool]] = []

    def make(
        blueprint: str = "public-ac-2x22",
        *,
        keys: dict[str, str] | None = None,
        judge: bool = True,
        settings: dict[str, Any] | None = None,
        **options: Any,
    ) -> Bench:
        preset = tuple(KeySetting(name, value) for name, value in (keys or {}).items())
        bench = make_bench(
            Version.V16,
            blueprint=blueprint,
            settings=OcppSettings(keys=preset, **(settings or {})),
            **options,
        )
        benches.append((bench, judge))
        return bench

    yield make
    for bench, judge in benches:
        if judge:
            assert not forbidden_changes(bench)
