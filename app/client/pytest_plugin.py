"""A pytest fixture that starts headless stations: `pytest -p app.client.pytest_plugin`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from app.client.station import Station


@pytest.fixture
def forecourt() -> Iterator[Callable[..., Station]]:
    """Start a station with the arguments of `forecourt headless`; all are ended after the test."""
    with ExitStack() as started:
        yield lambda *arguments: started.enter_context(Station(*arguments))
