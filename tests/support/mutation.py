"""A plugin of pytest that breaks one thing of the station's 1.6, to see whether a test notices.

    FORECOURT_MUTANT="answers Reset" python -m pytest -p tests.support.mutation tests/conformance/v16
    FORECOURT_MUTANT="hides Heartbeat" ...

`answers X`: the handler of X does nothing and answers the least that its schema allows, with the first
status it lists. `hides X`: X never leaves the station, which goes on as if it had got that least answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from app.ocpp.context import Handler, Payload, Reply
from app.ocpp.dialogue import Dialogue
from app.ocpp.schema import Schemas
from app.ocpp.v16 import Personality16
from app.ocpp.version import Version

VARIABLE = "FORECOURT_MUTANT"
ANSWERS, HIDES = "answers", "hides"


def least_answer(action: str) -> Payload:
    """The answer with only what the schema demands; of an enumeration the first word."""
    document = Schemas.of(Version.V16).document(action, "response")
    answer: Payload = _least(document, document)
    return answer


def _least(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    while "$ref" in schema:
        target: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            parts = schema.get("properties", {})
            return {name: _least(document, parts[name]) for name in schema.get("required", ())}
        case "array":
            return [_least(document, schema["items"])] * schema.get("minItems", 0)
        case "integer" | "number":
            return 1
        case "boolean":
            return False
    return "2026-01-15T08:00:00.000Z" if schema.get("format") == "date-time" else ""


def answer_least(patch: Callable[..., None], action: str) -> None:
    """Replace the handler of an action, if there is one."""
    usual = Personality16.handlers

    def handlers(personality: Personality16) -> dict[str, Handler]:
        found = usual(personality)
        if action in found:
            found[action] = lambda request: Reply(least_answer(action))
        return found

    patch(Personality16, "handlers", handlers)


def hide(patch: Callable[..., None], action: str) -> None:
    """Let a CALL of the station of 1.6 never leave."""
    usual = Dialogue.call

    async def call(
        dialogue: Dialogue, name: str, payload: Payload, *, message_id: str | None = None
    ) -> Payload:
        if name == action and dialogue.version is Version.V16 and dialogue.online:
            return least_answer(action)
        return await usual(dialogue, name, payload, message_id=message_id)

    patch(Dialogue, "call", call)


def pytest_configure(config: pytest.Config) -> None:
    """Break what the environment names, for the whole run."""
    how, _, action = os.environ.get(VARIABLE, "").partition(" ")
    mutate = {ANSWERS: answer_least, HIDES: hide}.get(how)
    if mutate is None:
        raise pytest.UsageError(f"{VARIABLE} must be '{ANSWERS} X' or '{HIDES} X'")
    mutate(setattr, action)
