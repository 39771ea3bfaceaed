"""A message panel over exchanges that a test makes by publishing frames."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.kernel.bus import Bus
from app.kernel.catalogue import Catalogue
from app.ocpp.events import CallEnded, Direction, FramePassed, Violation
from app.ocpp.version import Version
from app.trace.exchange import Exchanges
from ui.messages.model import ExchangeModel
from ui.messages.panel import MessagePanel
from ui.theme import Theme
from ui.widgets.turns import at_once

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


class Wire:
    """Publishes requests and replies as the dialogue does."""

    def __init__(self, limit: int = 50_000) -> None:
        self._beats = itertools.count()
        self._ids = itertools.count(1)
        self.bus = Bus(self._now, real=lambda: 1000.0)
        self.exchanges = Exchanges(self.bus, limit)

    def _now(self) -> datetime:
        return NOON + timedelta(milliseconds=next(self._beats))

    def ask(
        self,
        action: str,
        payload: dict[str, Any] | None = None,
        *,
        direction: Direction = Direction.OUT,
        violations: tuple[Violation, ...] = (),
        forced: bool = False,
    ) -> str:
        """A request passes; returns its id."""
        ident = f"m{next(self._ids)}"
        text = json.dumps([2, ident, action, payload or {}])
        self.bus.publish(
            FramePassed(direction, Version.V201, 2, ident, action, text, violations, forced=forced)
        )
        return ident

    def answer(
        self,
        ident: str,
        action: str,
        payload: dict[str, Any] | None = None,
        *,
        direction: Direction = Direction.IN,
        latency: float = 12.0,
        violations: tuple[Violation, ...] = (),
    ) -> None:
        text = json.dumps([3, ident, payload or {}])
        self.bus.publish(
            FramePassed(
                direction,
                Version.V201,
                3,
                ident,
                action,
                text,
                violations,
                latency_ms=latency,
            )
        )

    def error(self, ident: str, action: str, code: str) -> None:
        text = json.dumps([4, ident, code, "The disk is full", {}])
        self.bus.publish(FramePassed(Direction.IN, Version.V201, 4, ident, action, text))

    def say(self, text: str) -> None:
        """What is no OCPP comes from the other side."""
        self.bus.publish(FramePassed(Direction.IN, Version.V201, 0, None, None, text))

    def end(self, ident: str, action: str, how: str) -> None:
        self.bus.publish(CallEnded(ident, action, how))

    def beat(self, count: int = 1) -> None:
        """So many heartbeats with their answers."""
        for _ in range(count):
            self.answer(self.ask("Heartbeat"), "Heartbeat")


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def model(wire: Wire, qapp: QApplication) -> ExchangeModel:
    return ExchangeModel(wire.exchanges, Catalogue.load())


@pytest.fixture
def open_panel(qtbot: QtBot, qapp: QApplication) -> Callable[[Wire], MessagePanel]:
    theme = Theme.load("dark")
    theme.apply(qapp)

    def make(wire: Wire) -> MessagePanel:
        panel = MessagePanel(wire.exchanges, theme, Catalogue.load())
        at_once(panel.furnish())
        qtbot.addWidget(panel)
        panel.resize(1400, 300)
        panel.show()
        return panel

    return make


@pytest.fixture
def panel(wire: Wire, open_panel: Callable[[Wire], MessagePanel]) -> MessagePanel:
    return open_panel(wire)
