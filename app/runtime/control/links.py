"""The link by control: go elsewhere, look why it does not come about, do not wait."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from app.kernel.forms import Limits, form, values
from app.runtime.address import AddressBad
from app.runtime.control.dispatch import Table
from app.runtime.control.params import Params
from app.runtime.diagnosis import Step
from app.runtime.store import StoreError
from app.runtime.wishes import LinkWish

if TYPE_CHECKING:
    from app.runtime.session import Session

Answer = dict[str, Any]


@form
class WayParams(Params):
    """How to reach a back office; what is left out stays as it is."""

    url: str
    id: Annotated[str, Limits(min_length=1, max_length=255)] | None = None
    version: Literal["1.6", "2.0.1", "auto"] | None = None
    security_profile: Annotated[int, Limits(ge=0, le=3)] | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    secure_url: str | None = None
    subprotocols: tuple[str, ...] | None = None
    crl: str | None = None


@form
class DiagnoseParams(WayParams):
    """Without a URL the present back office is looked at."""

    url: str | None = None  # type: ignore[assignment]
    boot: bool = False


def link_table(session: Session) -> Table:
    """The methods `link.*`."""

    async def connect(arguments: WayParams) -> Answer:
        wish = _wish(arguments)
        try:
            await session.connect_to(
                arguments.url,
                wish.station_id,
                wish.version,
                security_profile=wish.security_profile,
                password=wish.password,
                ca=wish.ca,
                certificate=wish.certificate,
                key=wish.key,
                secure_url=wish.secure_url,
                subprotocols=wish.subprotocols,
                crl=wish.crl,
            )
        except (AddressBad, StoreError) as error:
            reason = session.catalogue.render(error.text)
            return {"accepted": False, "reason": reason, "code": error.text.id}
        return {"accepted": True}

    async def diagnose(arguments: DiagnoseParams) -> Answer:
        wish = _wish(arguments) if arguments.url is not None else None
        steps = [_step(session, step) async for step in session.diagnose(wish, boot=arguments.boot)]
        return {"steps": steps, "ok": all(step["ok"] for step in steps)}

    def retry(_: Params) -> Answer:
        session.retry_now()
        return {"accepted": True}

    return {
        "link.connect": (WayParams, connect),
        "link.diagnose": (DiagnoseParams, diagnose),
        "link.retry": (Params, retry),
    }


def _wish(arguments: WayParams) -> LinkWish:
    given = values(arguments)
    given.pop("boot", None)
    return LinkWish(station_id=given.pop("id"), **given)


def _step(session: Session, step: Step) -> Answer:
    return {
        "name": step.name,
        "ok": step.ok,
        "text": session.catalogue.render(step.text),
        "code": step.text.id,
        "detail": step.detail,
        "ms": round(step.ms, 1),
    }
