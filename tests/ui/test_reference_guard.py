"""A PySide6 that loses references to None and True ends the process after a minute or so.

Version 6.12.0 did on Python 3.11: each call that returned nothing dropped a reference to None, each
emitted signal one to True. There is no exception to catch, so the count is watched instead. Since Python
3.12 these objects are never freed, however many references are lost (PEP 683).
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 12), reason="None and True are immortal")

ROUNDS = 300
TOLERATED = 50


class Emitter(QObject):
    """Something that can be emitted."""

    happened = Signal(object)


def references_lost(value: object, action: Callable[[], object]) -> int:
    """How many references to a constant are gone after many rounds of an action."""
    before = sys.getrefcount(value)
    for _ in range(ROUNDS):
        action()
    return before - sys.getrefcount(value)


def test_emitting_signals_loses_no_references(qapp: QCoreApplication) -> None:
    emitter = Emitter()
    seen: list[object] = []
    emitter.happened.connect(seen.append)

    def emit() -> None:
        emitter.happened.emit("tick")

    assert references_lost(True, emit) < TOLERATED
    assert references_lost(None, emit) < TOLERATED
    assert len(seen) == 2 * ROUNDS


def test_starting_and_stopping_timers_loses_no_references(qapp: QCoreApplication) -> None:
    timer = QTimer()

    def start_and_stop() -> None:
        timer.start(10_000)
        timer.stop()

    assert references_lost(None, start_and_stop) < TOLERATED
    assert references_lost(True, start_and_stop) < TOLERATED
    assert not timer.isActive()


def test_events_that_reach_python_lose_no_references(qapp: QCoreApplication) -> None:
    class Clock(QObject):
        ticks = 0

        def timerEvent(self, event: object) -> None:
            self.ticks += 1

    clock = Clock()
    ident = clock.startTimer(0)

    def turn() -> None:
        QCoreApplication.processEvents()

    lost = references_lost(None, turn)
    clock.killTimer(ident)
    assert clock.ticks > 0
    assert lost < TOLERATED
