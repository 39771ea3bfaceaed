"""Finds records and exchanges: by words as people type them, by fields as scripts name them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.kernel.catalogue import Catalogue
from app.trace.codec import Record
from app.trace.exchange import Exchange


def matches(record: Record, wanted: Mapping[str, Any]) -> bool:
    """Does a journal record have all these fields?

    Keys are dotted paths ("event", "data.evse", "data.action", "payload.status"); "payload" is the
    payload of a frame. A value matches when equal, a list when it holds the field's value.
    """
    return all(_equals(field_of(record, path), value) for path, value in wanted.items())


def field_of(record: Record, path: str) -> Any:
    """The field at a dotted path, None where there is none."""
    steps = path.split(".")
    found: Any = _payload_of(record) if steps[0] == "payload" else record
    for step in steps[1:] if steps[0] == "payload" else steps:
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.lstrip("-").isdigit():
            index = int(step)
            found = found[index] if -len(found) <= index < len(found) else None
        else:
            return None
    return found


def _equals(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return any(found == item for item in wanted)
    return bool(found == wanted)


def _payload_of(record: Record) -> Any:
    data = record.get("data") or {}
    index = {2: 3, 3: 2, 4: 4}.get(data.get("kind", 0))
    if record.get("event") != "FramePassed" or index is None:
        return None
    try:
        frame = json.loads(data["text"])
    except (ValueError, RecursionError):
        return None
    return frame[index] if isinstance(frame, list) and len(frame) > index else None


def haystack(exchange: Exchange, catalogue: Catalogue) -> str:
    """All that a word search looks at, folded."""
    return "\n".join(
        (
            exchange.action or "",
            catalogue.render(exchange.summary),
            exchange.verdict.value,
            exchange.request_text or "",
            exchange.reply_text or "",
        )
    ).casefold()


def contains_words(exchange: Exchange, words: str, catalogue: Catalogue) -> bool:
    """Are all words in the row or in its texts? Case does not count; nothing typed matches all."""
    wanted = words.casefold().split()
    return not wanted or all(word in haystack(exchange, catalogue) for word in wanted)
