"""The page about events, made from the events themselves: `python -m tests.support.event_page` writes it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields
from enum import Enum
from types import ModuleType
from typing import get_args, get_type_hints

from app.kernel import bus
from app.kernel.bus import Event
from app.kernel.resources import resource
from app.ocpp import events as conversation
from app.runtime import events as program
from app.station import events as machine

PAGE = resource("help", "events.md")
PARTS: tuple[tuple[str, tuple[ModuleType, ...]], ...] = (
    ("The machine and the cars", (machine,)),
    ("The conversation with the back office", (conversation,)),
    ("The program", (program, bus)),
)
HEAD = """# Events

What happens is a record of the journal: `event` is its name, `data` has the fields named here. They can be
waited for, subscribed to and filtered ([control.md](control.md), *Filters*). Times are UTC, intervals
seconds, power W, currents A, energy Wh. A field that holds a sentence is `{"text": id, "params": {…}}`.
"""


def events_of(module: ModuleType) -> Iterator[type[Event]]:
    """Those that a module defines, as they stand there."""
    for kind in vars(module).values():
        own = isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
        if own and kind.__module__ == module.__name__:
            yield kind


def page() -> str:
    lines = [HEAD]
    for title, modules in PARTS:
        lines += [f"## {title}", "", "| event | data | |", "| --- | --- | --- |"]
        lines += [_row(kind) for module in modules for kind in events_of(module)]
        lines.append("")
    return "\n".join(lines)


def _row(kind: type[Event]) -> str:
    hints = get_type_hints(kind)
    places = [field.name + _words(hints[field.name]) for field in fields(kind)]
    said = inspect.getdoc(kind) or ""
    if said.startswith(f"{kind.__name__}("):
        said = ""  # what a dataclass writes where nobody wrote anything
    return f"| `{kind.__name__}` | {', '.join(places)} | {' '.join(said.split())} |"


def _words(hint: object) -> str:
    """The words that an enumeration has."""
    for one in (hint, *get_args(hint)):
        if isinstance(one, type) and issubclass(one, Enum):
            return " (" + ", ".join(f"`{word.value}`" for word in one) + ")"
    return ""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
