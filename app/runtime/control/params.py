"""The parameters of the control methods: names, types and ranges, checked before anything is done."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from app.kernel.forms import Limits, RuleBroken, form
from app.kernel.text import Text
from app.ocpp.token_types import TOKEN_TYPES
from app.station.kinds import Fault, UnplugSide


@form
class Params:
    """Unknown names are errors: a typing mistake must not be taken for silence."""


@form
class AtEvse(Params):
    evse: Annotated[int, Limits(ge=1)] = 1


@form
class AtConnector(AtEvse):
    connector: Annotated[int, Limits(ge=1)] = 1


@form
class ArriveCarParams(AtEvse):
    vehicle: str | None = None


@form
class UnplugParams(AtConnector):
    side: UnplugSide = UnplugSide.EV
    force: bool = False


@form
class PresentCardParams(Params):
    id_token: Annotated[str, Limits(min_length=1, max_length=255)]
    type: Literal[TOKEN_TYPES] = "ISO14443"  # type: ignore[valid-type]  # one list for both
    evse: Annotated[int, Limits(ge=1)] | None = None


@form
class RaiseFaultParams(Params):
    fault: Fault
    evse: Annotated[int, Limits(ge=0)] = 0
    connector: Annotated[int, Limits(ge=0)] = 0
    error_code: str | None = None
    vendor_error_code: str | None = None
    info: str | None = None


@form
class ClearFaultParams(Params):
    evse: Annotated[int, Limits(ge=0)] = 0
    connector: Annotated[int, Limits(ge=0)] = 0
    fault: Fault | None = None


@form
class SetVehicleParams(AtEvse):
    vehicle: str | None = None
    soc: Annotated[float, Limits(ge=0, le=100)] | None = None
    target_soc: Annotated[float, Limits(ge=0, le=100)] | None = None
    capacity: Annotated[float, Limits(gt=0)] | None = None
    max_ac_current: Annotated[float, Limits(ge=0)] | None = None
    ac_phases: Annotated[int, Limits(ge=1, le=3)] | None = None
    max_dc_power: Annotated[float, Limits(ge=0)] | None = None
    ready_delay: Annotated[float, Limits(ge=0)] | None = None


@form
class CallParams(Params):
    action: Annotated[str, Limits(min_length=1)]
    payload: Any = field(default_factory=dict)
    validate: bool = True


@form
class RawParams(Params):
    text: str


@form
class OverrideParams(Params):
    """`direction` in: a CALL of the back office is answered so; out: a CALL of ours is treated so."""

    action: Annotated[str, Limits(min_length=1)]
    direction: Literal["in", "out"] = "in"
    answer: dict[str, Any] | None = None
    status: str | None = None
    error: str | None = None
    delay: Annotated[float, Limits(ge=0)] = 0.0
    drop: bool = False
    raw: str | None = None
    count: Annotated[int, Limits(ge=1)] | None = 1


@form
class GetVariableParams(Params):
    name: str | None = None


@form
class SetVariableParams(Params):
    name: str
    value: str


@form
class RestartParams(Params):
    cause: Literal["button", "watchdog"] = "button"


@form
class ExportParams(Params):
    file: Path


@form
class QueueParams(Params):
    limit: Annotated[int, Limits(ge=1, le=10_000)] = 1000


@form
class ReadParams(Params):
    """`first` to `last` are seqs, both included; without them the newest `limit` records."""

    first: Annotated[int, Limits(ge=1)] | None = None
    last: Annotated[int, Limits(ge=1)] | None = None
    limit: Annotated[int, Limits(ge=1, le=10_000)] = 1000
    filter: dict[str, Any] = field(default_factory=dict)


@form
class SubscribeParams(Params):
    filter: dict[str, Any] = field(default_factory=dict)


@form
class UnsubscribeParams(Params):
    subscription: int


@form
class WaitParams(Params):
    """`after`: only records with a higher seq; None: since the last command of this channel."""

    filter: dict[str, Any]
    timeout: Annotated[float, Limits(gt=0, le=86_400)] = 30.0
    after: Annotated[int, Limits(ge=0)] | None = None


LONGEST_JUMP = 366 * 86_400
"""Seconds of station time that may pass at once: each deadline on the way really fires."""


@form
class JumpParams(Params):
    seconds: Annotated[float, Limits(ge=0, le=LONGEST_JUMP)] | None = None
    to: datetime | None = None

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.to is None):
            raise RuleBroken(Text("control.jump_by_one"))


@form
class SetClockParams(Params):
    to: datetime


@form
class RateParams(Params):
    rate: Annotated[float, Limits(gt=0, le=3600)]


@form
class FollowParams(Params):
    follows: bool
