"""Reads what people write down: TOML in, checked forms out, or a sentence about the mistake.

Nothing here opens a file: whoever has the text says where it came from, and the sentence names it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, TypeVar

from app.kernel.forms import RuleBroken, Slip, Unfilled, fill
from app.kernel.text import Text


class SpecError(ValueError):
    """What was written down cannot be used. `text` says what, where and what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(f"{text.id}: {_plain(text)}")
        self.text = text


SpecT = TypeVar("SpecT")


def parse_spec(form: type[SpecT], text: str, where: str) -> SpecT:
    """Fill a form from TOML `text`. Raises SpecError; `where` is the file or field it came from."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(
            Text("station.spec.not_toml", {"where": where, "detail": str(error)})
        ) from error
    return check_spec(form, data, where)


def check_spec(form: type[SpecT], data: Mapping[str, Any], where: str) -> SpecT:
    """Fill a form from data. Raises SpecError."""
    try:
        return fill(form, data)
    except Unfilled as error:
        raise SpecError(describe(error.slips, where)) from error


def mistake(key: str, **params: Any) -> RuleBroken:
    """Fields that do not go together; `station.spec.<key>` is the sentence."""
    return RuleBroken(Text(f"station.spec.{key}", params))


def describe(slips: tuple[Slip, ...], where: str) -> Text:
    """The first mistake as a sentence, and how many more there are."""
    first, more = slips[0], len(slips) - 1
    params = {"where": where, "at": first.place, "what": _what(first)}
    if more:
        return Text("station.spec.invalid_more", {**params, "more": more})
    return Text("station.spec.invalid", params)


def _what(slip: Slip) -> Text:
    if slip.rule is not None:
        return slip.rule
    match slip.kind:
        case "missing":
            return Text("station.spec.missing")
        case "unknown":
            return Text("station.spec.unknown_key")
        case "one_of":
            return Text("station.spec.not_one_of", {"choices": slip.limit})
    return Text("station.spec.wrong", {"expected": slip.expected})


def _plain(text: Text) -> str:
    values = (_plain(v) if isinstance(v, Text) else str(v) for v in text.params.values())
    return "; ".join(values) or text.id
