"""What all tests of the window share."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator

import pytest

TESTS_BETWEEN = 20
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def garbage_in_the_main_thread() -> Iterator[None]:
    """Widgets of former tests are collected here and never in a thread of a running CSMS or journal.

    `app.runtime.collector` does the same for the program; it says why.
    """
    gc.disable()
    yield
    if next(_numbers) % TESTS_BETWEEN == 0:
        gc.collect()
