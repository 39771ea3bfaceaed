"""A pytest fixture that starts headless stations: `pytest -p app.client.pytest_plugin`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from app.client.station import Station


@pytest.fixture
def forecourt() -> Iterator[Callable[..., Station]]:
    """Start a station with the arguments of `forecourt headless`; all are ended after the test."""
    stations: list[Station] = []

    def start(*arguments: str) -> Station:
        station = Station(*arguments)
        stations.append(station)
        return station

    yield start
    for station in stations:
        station.close()
