"""The one door to the `ocpp` package, which has no types of its own."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar, cast

from ocpp import exceptions  # type: ignore[import-untyped]
from ocpp.routing import on  # type: ignore[import-untyped]
from ocpp.v16 import ChargePoint as ChargePoint16  # type: ignore[import-untyped]
from ocpp.v16 import call_result as result16
from ocpp.v16.enums import Action as Action16  # type: ignore[import-untyped]
from ocpp.v201 import ChargePoint as ChargePoint201  # type: ignore[import-untyped]
from ocpp.v201 import call_result as result201
from ocpp.v201.enums import Action as Action201  # type: ignore[import-untyped]

from app.training.settings import V16

__all__ = ["ChargePoint16", "ChargePoint201", "Fields", "answers", "result16", "result201"]

LARGEST = 2**63
LOGGER = logging.getLogger("forecourt.training")

# The package writes every frame and a stack for every wrong one; both are in our own memory.
_PACKAGE_LOGGER = logging.getLogger("forecourt.training.package")
_PACKAGE_LOGGER.propagate = False
_PACKAGE_LOGGER.addHandler(logging.NullHandler())

_Handler = TypeVar("_Handler", bound=Callable[..., Any])


class Outlet(Protocol):
    """Where the package leaves the text of its answers."""

    async def send(self, text: str) -> None:
        """Take one answer."""


class Personality(Protocol):
    """What a session needs of the handlers of one version."""

    fields: Fields
    route_map: Mapping[str, Any]

    async def route_message(self, raw_msg: str) -> None:
        """Answer one CALL through the outlet."""


class Fields:
    """The payload of a CALL as it came; what is missing or of a wrong kind becomes a CALLERROR."""

    def __init__(self, payload: Mapping[str, Any], version: str) -> None:
        self.payload = payload
        self._version = version

    def text(self, name: str) -> str:
        """A text that must be there."""
        return self._typed(name, str)

    def number(self, name: str) -> int:
        """A whole number that must be there."""
        value = self._typed(name, int)
        if isinstance(value, bool):
            raise self._wrong(name, "a boolean is no number")
        if abs(value) > LARGEST:
            raise self._wrong(name, "too large")
        return value

    def table(self, name: str) -> Fields:
        """An object that must be there."""
        return Fields(self._typed(name, dict), self._version)

    def maybe_text(self, name: str) -> str:
        """A text, or empty."""
        return self.text(name) if name in self.payload else ""

    def maybe_number(self, name: str) -> int | None:
        """A whole number, or None."""
        return self.number(name) if name in self.payload else None

    def maybe_table(self, name: str) -> Fields | None:
        """An object, or None."""
        return self.table(name) if name in self.payload else None

    def flag(self, name: str) -> bool:
        """A boolean; absent is False."""
        return bool(self._typed(name, bool)) if name in self.payload else False

    def tables(self, name: str) -> tuple[Fields, ...]:
        """A list of objects; absent is empty."""
        if name not in self.payload:
            return ()
        items = self._typed(name, list)
        if not all(isinstance(item, dict) for item in items):
            raise self._wrong(name, "an entry is no object")
        return tuple(Fields(item, self._version) for item in items)

    def _typed(self, name: str, kind: type[_T]) -> _T:
        if name not in self.payload:
            raise self._missing(name)
        value = self.payload[name]
        if not isinstance(value, kind):
            raise self._wrong(name, f"{type(value).__name__} instead of {kind.__name__}")
        return value

    def _missing(self, name: str) -> Exception:
        error = (
            exceptions.OccurenceConstraintViolationError
            if self._version == V16
            else exceptions.OccurrenceConstraintViolationError
        )
        return cast(Exception, error(details={"missing": name}))

    def _wrong(self, name: str, why: str) -> Exception:
        return cast(
            Exception,
            exceptions.TypeConstraintViolationError(details={"field": name, "cause": why}),
        )


_T = TypeVar("_T")


def answers(action: str) -> Callable[[_Handler], _Handler]:
    """Route an action to a method `(self, fields)`, the package's own slow validation skipped."""

    def decorate(handler: _Handler) -> _Handler:
        @functools.wraps(handler)
        def routed(self: Any, /, **_renamed: Any) -> Any:
            try:
                return handler(self, self.fields)
            except exceptions.OCPPError:
                raise
            except Exception:
                LOGGER.exception("handler of %s", action)
                raise

        return cast(_Handler, on(action, skip_schema_validation=True)(routed))

    return decorate


def package_logger() -> logging.Logger:
    """The silent logger the package gets."""
    return _PACKAGE_LOGGER


def known_actions(version: str) -> frozenset[str]:
    """Every action name of a version, both directions."""
    return frozenset(action.value for action in (Action16 if version == V16 else Action201))
