"""What scripts may wait for is written down, all of it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import app
from app.kernel.bus import Event
from tests.support.event_page import PAGE, page


def test_the_page_about_events_is_of_this_program() -> None:
    again = "python -m tests.support.event_page writes it again"
    assert PAGE.read_text("utf-8") == page(), again


def test_it_has_every_event_there_is() -> None:
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.startswith("app.client"):  # stands alone, for other programs
            importlib.import_module(module.name)
    text = page()
    names = {kind.__name__ for kind in _below(Event) if kind.__module__.startswith("app.")}
    assert len(names) > 50
    assert {name for name in names if f"| `{name}` |" not in text} == set()


def _below(kind: type[Event]) -> Iterator[type[Event]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)
