"""JSON as text, compact and quick: what is sent and stored is mostly meter values, and there are many."""

from __future__ import annotations

import json
from typing import Any

import orjson

_strict = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def dump(value: Any) -> str:
    """The text of a value. Raises ValueError or TypeError for what is no JSON."""
    try:
        data = orjson.dumps(value)
    except TypeError:
        return _strict(value)  # odd keys, integers beyond 64 bits, lone surrogates
    # orjson writes NaN and infinity as null, which would pass for a value
    return _strict(value) if b"null" in data else data.decode()


def dump_row(value: Any) -> str:
    """As `dump`, for what is stored: quicker where there are nulls, and a NaN is kept as null."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return _strict(value)
