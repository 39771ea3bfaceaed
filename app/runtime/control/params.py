"""The parameters of the control methods: names, types and ranges, checked before anything is done."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.station.kinds import Fault, UnplugSide


class Params(BaseModel):
    """Unknown names are errors: a typing mistake must not be taken for silence.

    Each is compiled when its method is called first: hardly a client uses all of them.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True)


class AtEvse(Params):
    evse: int = Field(default=1, ge=1)


class AtConnector(AtEvse):
    connector: int = Field(default=1, ge=1)


class ArriveCarParams(AtEvse):
    vehicle: str | None = None


class UnplugParams(AtConnector):
    side: UnplugSide = UnplugSide.EV
    force: bool = False


KINDS = (
    "ISO14443",
    "ISO15693",
    "KeyCode",
    "Local",
    "eMAID",
    "MacAddress",
    "Central",
    "NoAuthorization",
)
"""Kinds of cards, as OCPP 2.0.1 calls them; 1.6 tells none."""


class PresentCardParams(Params):
    id_token: str = Field(min_length=1, max_length=255)
    type: Literal[KINDS] = "ISO14443"  # type: ignore[valid-type]  # one list for both
    evse: int | None = Field(default=None, ge=1)


class RaiseFaultParams(Params):
    fault: Fault
    evse: int = Field(default=0, ge=0)
    connector: int = Field(default=0, ge=0)
    error_code: str | None = None
    vendor_error_code: str | None = None
    info: str | None = None


class ClearFaultParams(Params):
    evse: int = Field(default=0, ge=0)
    connector: int = Field(default=0, ge=0)
    fault: Fault | None = None


class SetVehicleParams(AtEvse):
    vehicle: str | None = None
    soc: float | None = Field(default=None, ge=0, le=100)
    target_soc: float | None = Field(default=None, ge=0, le=100)
    capacity: float | None = Field(default=None, gt=0)
    max_ac_current: float | None = Field(default=None, ge=0)
    ac_phases: int | None = Field(default=None, ge=1, le=3)
    max_dc_power: float | None = Field(default=None, ge=0)
    ready_delay: float | None = Field(default=None, ge=0)


class CallParams(Params):
    action: str = Field(min_length=1)
    payload: Any = Field(default_factory=dict)
    validate_: bool = Field(default=True, alias="validate")


class RawParams(Params):
    text: str


class OverrideParams(Params):
    """`direction` in: a CALL of the back office is answered so; out: a CALL of ours is treated so."""

    action: str = Field(min_length=1)
    direction: Literal["in", "out"] = "in"
    answer: dict[str, Any] | None = None
    status: str | None = None
    error: str | None = None
    delay: float = Field(default=0.0, ge=0)
    drop: bool = False
    raw: str | None = None
    count: int | None = Field(default=1, ge=1)


class GetVariableParams(Params):
    name: str | None = None


class SetVariableParams(Params):
    name: str
    value: str


class RestartParams(Params):
    cause: Literal["button", "watchdog"] = "button"


class ExportParams(Params):
    file: Path


class QueueParams(Params):
    limit: int = Field(default=1000, ge=1, le=10_000)


class ReadParams(Params):
    """`first` to `last` are seqs, both included; without them the newest `limit` records."""

    first: int | None = Field(default=None, ge=1)
    last: int | None = Field(default=None, ge=1)
    limit: int = Field(default=1000, ge=1, le=10_000)
    filter: dict[str, Any] = Field(default_factory=dict)


class SubscribeParams(Params):
    filter: dict[str, Any] = Field(default_factory=dict)


class UnsubscribeParams(Params):
    subscription: int


class WaitParams(Params):
    """`after`: only records with a higher seq; None: since the last command of this channel."""

    filter: dict[str, Any]
    timeout: float = Field(default=30.0, gt=0, le=86_400)
    after: int | None = Field(default=None, ge=0)


LONGEST_JUMP = 366 * 86_400
"""Seconds of station time that may pass at once: each deadline on the way really fires."""


class JumpParams(Params):
    seconds: float | None = Field(default=None, ge=0, le=LONGEST_JUMP)
    to: datetime | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> JumpParams:
        if (self.seconds is None) == (self.to is None):
            raise ValueError("give seconds or to")
        return self


class SetClockParams(Params):
    to: datetime


class RateParams(Params):
    rate: float = Field(gt=0, le=3600)
