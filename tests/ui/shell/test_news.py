"""What is told of a link, without a window."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QObject

from app.kernel.bus import Bus
from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.events import LinkClosed, LinkOpened
from app.ocpp.version import Version
from ui.shell.news import News


class Told:
    """Stands in for the toasts."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def show_text(self, text: str, tone: object, about: str) -> None:
        self.texts.append(text)


class Clock:
    def __init__(self) -> None:
        self.real = 1000.0


@pytest.fixture
def link() -> tuple[Callable[..., list[str]], Clock]:
    """A link lives for some seconds: `life(seconds, why)` gives what is told of it."""
    told, clock, catalogue = Told(), Clock(), Catalogue.load()
    bus = Bus(lambda: datetime(2026, 1, 1, tzinfo=UTC), real=lambda: clock.real)
    owner = QObject()
    news = News(told, catalogue, owner)  # type: ignore[arg-type]
    bus.subscribe(news.on_event)

    def life(seconds: float, why: str = "runtime.link.lost", *, own: bool = False) -> list[str]:
        assert news.parent() is owner
        told.texts.clear()
        bus.publish(LinkOpened("ws://csms", Version.V201))
        clock.real += seconds
        bus.publish(LinkClosed(Text(why), own=own))
        clock.real += 5.0
        return list(told.texts)

    return life, clock


def test_a_link_that_comes_and_goes_is_told_twice_and_then_only_for_another_reason(
    link: tuple[Callable[..., list[str]], Clock],
) -> None:
    life, _ = link
    assert [len(life(0.1)) for _ in range(2)] == [2, 2]
    assert [life(0.1) for _ in range(9)] == [[]] * 9
    assert len(life(0.1, "runtime.link.woke")) == 1
    assert life(0.1, "runtime.link.woke") == []


def test_a_link_that_held_for_a_while_is_told_again(
    link: tuple[Callable[..., list[str]], Clock],
) -> None:
    life, _ = link
    for _ in range(5):
        life(0.1)
    assert len(life(600)) == 1  # that it broke; the bar says all the time that it stood
    assert len(life(600)) == 2


def test_who_cuts_the_link_again_and_again_is_told_each_time(
    link: tuple[Callable[..., list[str]], Clock],
) -> None:
    life, _ = link
    assert [len(life(1, "runtime.link.network_cut", own=True)) for _ in range(5)] == [2] * 5
