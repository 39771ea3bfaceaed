"""Control methods about certificates and security events."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from app.ocpp.shared.security_desk import SecurityDesk
from app.runtime.control.dispatch import Method
from app.runtime.control.errors import Code, ControlError
from app.runtime.control.params import Params
from app.trace.codec import to_json

if TYPE_CHECKING:
    from app.runtime.session import Session


class LogParams(Params):
    since: datetime | None = None
    until: datetime | None = None


class LoginParams(Params):
    user: str
    accepted: bool = True
    origin: str = "panel"


class RequestParams(Params):
    purpose: str = "ChargingStation"


class SecurityMethods:
    """`security.*` and `certificates.*`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def table(self) -> dict[str, tuple[type[BaseModel], Method]]:
        return {
            "security.log": (LogParams, self._log),
            "security.clear_log": (Params, lambda _: {"cleared": self._desk().clear_log()}),
            "security.maintenance_login": (LoginParams, self._login),
            "certificates.list": (Params, self._list),
            "certificates.request": (RequestParams, self._request),
        }

    def _desk(self) -> SecurityDesk:
        personality = self._session.personality
        if personality is None or personality.desk is None:
            raise ControlError(Code.NOT_CONNECTED, "the station has no power or no version yet")
        return personality.desk

    def _log(self, arguments: LogParams) -> dict[str, Any]:
        since, until = _aware(arguments.since), _aware(arguments.until)
        return {"entries": to_json(self._desk().log(since, until))}

    def _login(self, arguments: LoginParams) -> dict[str, Any]:
        self._desk().maintenance_login(
            arguments.user, arguments.origin, accepted=arguments.accepted
        )
        return {"accepted": True}

    def _list(self, _: Params) -> dict[str, Any]:
        desk = self._desk()
        return {
            "certificates": to_json(desk.certificates()),
            "requests": to_json(desk.requests()),
        }

    def _request(self, arguments: RequestParams) -> dict[str, Any]:
        try:
            return {"accepted": self._desk().request_certificate(arguments.purpose)}
        except ValueError as error:
            raise ControlError(Code.INVALID_PARAMS, str(error)) from None


def _aware(moment: datetime | None) -> datetime | None:
    """A moment without a zone is the computer's local time, as in clock.jump."""
    return moment.astimezone() if moment is not None and moment.tzinfo is None else moment
