"""Requests that are turned down: the word of the specification for the back office, a sentence for people."""

from __future__ import annotations

from app.kernel.text import Text
from app.ocpp.context import Reply

REJECTED = "Rejected"


def reason(key: str, /, **params: str | float) -> Text:
    """The sentence `v16.no.<key>`."""
    return Text(f"v16.no.{key}", params)


def turned_down(status: str, key: str, /, **params: str | float) -> Reply:
    """This answer, because of `v16.no.<key>`."""
    return Reply({"status": status}, why=reason(key, **params))
