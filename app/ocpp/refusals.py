"""What an answer of ours says itself about why it turns something down: the statusInfo of 2.0.1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.kernel.text import Text

GRANTED = frozenset({"Accepted", "AcceptedCanceled", "Scheduled", "RebootRequired", "Unlocked"})
"""Words that say yes; all others say no."""


def stated_reason(payload: Mapping[str, Any]) -> Text | None:
    """The first reason that the payload gives for a no; None where it says yes, or does not say why."""
    for status, info in _answers(payload):
        if status not in GRANTED and isinstance(info, Mapping):
            params = {"code": info.get("reasonCode", "–"), "more": info.get("additionalInfo", "")}
            return Text("ocpp.why_more" if params["more"] else "ocpp.why", params)
    return None


def _answers(payload: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Each status with its info: one for the whole message, or one for each variable."""
    yield payload.get("status", "Accepted"), payload.get("statusInfo")
    for item in payload.get("setVariableResult", ()):
        yield item.get("attributeStatus"), item.get("attributeStatusInfo")
