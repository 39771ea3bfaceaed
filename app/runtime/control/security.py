"""Control methods about certificates and security events."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from app.kernel.forms import Limits, form
from app.kernel.units import with_zone
from app.ocpp.shared.security_desk import SecurityDesk
from app.runtime.control.dispatch import Table
from app.runtime.control.errors import Code, ControlError
from app.runtime.control.params import Params
from app.trace.codec import to_json

if TYPE_CHECKING:
    from app.runtime.session import Session


@form
class LogParams(Params):
    since: datetime | None = None
    until: datetime | None = None


@form
class LoginParams(Params):
    user: str
    accepted: bool = True
    origin: str = "panel"


@form
class EventParams(Params):
    type: Annotated[str, Limits(min_length=1, max_length=50)]
    info: str = ""
    critical: bool | None = None


@form
class ContractParams(Params):
    update: bool = False
    exi: str | None = None


@form
class RequestParams(Params):
    purpose: str = "ChargingStation"


class SecurityMethods:
    """`security.*` and `certificates.*`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def table(self) -> Table:
        return {
            "security.log": (LogParams, self._log),
            "security.clear_log": (Params, lambda _: {"cleared": self._desk().clear_log()}),
            "security.maintenance_login": (LoginParams, self._login),
            "security.raise": (EventParams, self._raise),
            "certificates.list": (Params, self._list),
            "certificates.request": (RequestParams, self._request),
            "certificates.request_contract": (ContractParams, self._contract),
            "certificates.ask_status": (Params, lambda _: {"accepted": self._desk().ask_status()}),
        }

    def _desk(self) -> SecurityDesk:
        personality = self._session.personality
        if personality is None or personality.desk is None:
            raise ControlError(Code.NOT_CONNECTED, "the station has no power or no version yet")
        return personality.desk

    def _log(self, arguments: LogParams) -> dict[str, Any]:
        try:
            since, until = (at and with_zone(at) for at in (arguments.since, arguments.until))
        except ValueError as error:
            raise ControlError(Code.INVALID_PARAMS, str(error)) from None
        return {"entries": to_json(self._desk().log(since, until))}

    def _login(self, arguments: LoginParams) -> dict[str, Any]:
        self._desk().maintenance_login(
            arguments.user, arguments.origin, accepted=arguments.accepted
        )
        return {"accepted": True}

    def _raise(self, arguments: EventParams) -> dict[str, Any]:
        self._desk().raise_event(arguments.type, arguments.info, arguments.critical)
        return {"accepted": True}

    def _contract(self, arguments: ContractParams) -> dict[str, Any]:
        try:
            done = self._desk().request_contract(update=arguments.update, exi=arguments.exi)
        except ValueError as error:
            raise ControlError(Code.INVALID_PARAMS, str(error)) from None
        return {"accepted": done}

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
