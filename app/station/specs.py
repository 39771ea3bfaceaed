"""Reads what people write down: TOML in, checked models out, or a sentence about the mistake.

Nothing here opens a file: whoever has the text says where it came from, and the sentence names it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from app.kernel.text import Text


class Spec(BaseModel):
    """Base of what is written down: unknown keys are mistakes, numbers are finite, nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SpecError(ValueError):
    """What was written down cannot be used. `text` says what, where and what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(f"{text.id}: {_plain(text)}")
        self.text = text


SpecT = TypeVar("SpecT", bound=Spec)


def parse_spec(model: type[SpecT], text: str, where: str) -> SpecT:
    """Check TOML `text` against `model`. Raises SpecError; `where` is the file or field it came from."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(
            Text("station.spec.not_toml", {"where": where, "detail": str(error)})
        ) from error
    return check_spec(model, data, where)


def check_spec(model: type[SpecT], data: Mapping[str, Any], where: str) -> SpecT:
    """Check data against `model`. Raises SpecError."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise SpecError(describe(error, where)) from error


def mistake(key: str, **params: Any) -> PydanticCustomError:
    """A broken rule of ours inside a validator; `station.spec.<key>` is its sentence."""
    return PydanticCustomError("forecourt", "{key}", {"key": key, "params": params})


def describe(error: ValidationError, where: str) -> Text:
    """The first mistake as a sentence, and how many more there are."""
    details = error.errors(include_url=False, include_input=False)
    first = details[0]
    params = {"where": where, "at": path(first["loc"]), "what": _what(first)}
    if len(details) > 1:
        return Text("station.spec.invalid_more", {**params, "more": len(details) - 1})
    return Text("station.spec.invalid", params)


def path(location: tuple[int | str, ...]) -> str:
    """Where in the file, lists counted from 1 as EVSEs are: `evses[2].connectors[1].plug`."""
    out = ""
    for step in location:
        out += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if out else str(step)
    return out or "/"


def _what(detail: ErrorDetails) -> Text:
    context = detail.get("ctx", {})
    match detail["type"]:
        case "forecourt":
            return Text(f"station.spec.{context['key']}", context["params"])
        case "missing":
            return Text("station.spec.missing")
        case "extra_forbidden":
            return Text("station.spec.unknown_key")
        case "enum" | "literal_error":
            return Text("station.spec.not_one_of", {"choices": context["expected"]})
    # the remaining kinds (wrong type, out of range, too long) are worded well by pydantic itself
    return Text("station.spec.other", {"detail": detail["msg"]})


def _plain(text: Text) -> str:
    values = (_plain(v) if isinstance(v, Text) else str(v) for v in text.params.values())
    return "; ".join(values) or text.id
