"""What happened on the wire and between station and back office."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from app.kernel.bus import Event
from app.kernel.text import Text
from app.ocpp.context import BootState
from app.ocpp.version import Version


class Direction(Enum):
    """Seen from the station."""

    OUT = "out"
    IN = "in"


@dataclass(frozen=True, slots=True)
class Violation:
    """Where a payload breaks its schema. `path` as a.b[0].c, `rule` the keyword, `value` shortened."""

    path: str
    rule: str
    message: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class FramePassed(Event):
    """A frame crossed the border: text entered or left.

    `kind` 2 CALL, 3 CALLRESULT, 4 CALLERROR, 0 for what is no OCPP frame. For answers `action` is the one
    of the CALL they belong to (None when they belong to none). `forced`: sent wrong on purpose.
    `text` is the original (redacted before it is stored).
    """

    direction: Direction
    version: Version | None
    kind: int
    message_id: str | None
    action: str | None
    text: str
    violations: tuple[Violation, ...] = ()
    note: Text | None = None
    """Why it was ignored or could not be read; of an answer of ours, why it turns something down."""
    forced: bool = False
    latency_ms: float | None = None
    """For answers: real time since the CALL."""


@dataclass(frozen=True, slots=True)
class OwnFrameRefused(Event):
    """A frame of ours broke the schema and was not sent: a fault of the program. `kind` request, response."""

    version: Version
    action: str
    kind: str
    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class CallEnded(Event):
    """A CALL of ours ended without an answer: `how` is timeout, disconnected, too_large or replaced."""

    message_id: str
    action: str
    how: str


@dataclass(frozen=True, slots=True)
class LinkOpened(Event):
    """The WebSocket is open. `url` has no secrets."""

    url: str
    version: Version


@dataclass(frozen=True, slots=True)
class LinkClosed(Event):
    """The WebSocket closed; `why` says it in words. `retry_in` seconds, None: no retry.

    `own`: the station, or who switched it, wanted it so.
    """

    why: Text
    code: int | None = None
    retry_in: float | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class LinkFailed(Event):
    """An attempt to connect failed; `step` is dns, tcp, tls, http, subprotocol."""

    url: str
    step: str
    why: Text
    attempt: int
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class BootStateChanged(Event):
    """How the back office sees the station, and in how many seconds it is asked again."""

    state: BootState
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class BootDelayed(Event):
    """BootNotification has not made the station known: `why`, and in how many seconds it is sent again."""

    why: Text
    retry_in: float


@dataclass(frozen=True, slots=True)
class HeartbeatAnswered(Event):
    """`drift` seconds: the back office's time minus ours."""

    server_time: datetime
    drift: float


@dataclass(frozen=True, slots=True)
class AuthorizationDecided(Event):
    """A card or remote request was judged. `by` is backoffice, list, cache, offline, free or remote."""

    token: str
    accepted: bool
    status: str
    by: str
    evse: int | None = None


@dataclass(frozen=True, slots=True)
class TransactionStarted(Event):
    """A session began; 1.6 learns `transaction_id` later."""

    evse: int
    connector: int | None
    transaction_id: str | None
    token: str | None


@dataclass(frozen=True, slots=True)
class TransactionIdLearnt(Event):
    """1.6: the back office told the id."""

    evse: int
    transaction_id: str


@dataclass(frozen=True, slots=True)
class TransactionEnded(Event):
    """A session ended; `reason` is the word of the specification."""

    evse: int
    transaction_id: str | None
    reason: str
    energy: float
    """Wh delivered."""


@dataclass(frozen=True, slots=True)
class ConnectorStatusChanged(Event):
    """The status the back office is told. connector 0 and evse 0: the station (1.6)."""

    evse: int
    connector: int
    status: str
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class SettingChanged(Event):
    """A configuration key or variable got a new value; passwords are shown as None."""

    name: str
    before: str | None
    after: str | None
    by: str


@dataclass(frozen=True, slots=True)
class LocalListChanged(Event):
    """The back office changed the local authorization list. `version` 0: it is empty."""

    version: int
    entries: int


@dataclass(frozen=True, slots=True)
class ReservationMade(Event):
    """The back office reserved something. `place`: 1.6 connector or 2.0.1 EVSE, 0 for any of them."""

    reservation_id: int
    place: int
    token: str
    group: str | None
    until: datetime


@dataclass(frozen=True, slots=True)
class ReservationEnded(Event):
    """`why` is used, expired, cancelled, replaced or removed (the place went out of order)."""

    reservation_id: int
    place: int
    why: str


@dataclass(frozen=True, slots=True)
class ChargingProfilesChanged(Event):
    """Charging profiles were installed, replaced or cleared; so many are there now."""

    installed: int


@dataclass(frozen=True, slots=True)
class ChargingProfileRefused(Event):
    """A charging profile was not taken. `place`: 1.6 connector or 2.0.1 EVSE; `rule` is the one it breaks."""

    place: int
    profile_id: int
    rule: str
    why: Text


@dataclass(frozen=True, slots=True)
class FirmwareProgress(Event):
    """A firmware update came a step further. `status` is the word of the specification.

    `done` and `total` are bytes, while it is downloaded.
    """

    status: str
    version: str | None = None
    detail: Text | None = None
    request_id: int | None = None
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class LogProgress(Event):
    """An upload of the station's log came a step further. `kind` is DiagnosticsLog or SecurityLog."""

    kind: str
    status: str
    name: str
    detail: Text | None = None
    request_id: int | None = None
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class FileFaultChosen(Event):
    """Somebody wants something to go wrong with files. `kind` firmware or log; None lifts what was chosen."""

    kind: str
    fault: str | None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class QueueChanged(Event):
    """The outbox: how many messages wait."""

    waiting: int


@dataclass(frozen=True, slots=True)
class MessageDropped(Event):
    """A queued message was given up, and why."""

    action: str
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class OpenPointMet(Event):
    """An open point was met, and what was done.

    `how`: default, config, person; in strict mode, the default for now: timeout (nobody answered),
    unasked (there was no time to ask; a person is asked meanwhile).
    """

    point: str
    option: str
    how: str
    conformant: bool


@dataclass(frozen=True, slots=True)
class OpenPointAnswered(Event):
    """A person has said what to do from now on at a point where the default had to act meanwhile."""

    point: str
    option: str


@dataclass(frozen=True, slots=True)
class TaskFailed(Event):
    """A task of the program raised: a fault of ours, told and survived."""

    task: str
    error: str


@dataclass(frozen=True, slots=True)
class RebootOrdered(Event):
    """The controller restarts itself."""

    reason: str


@dataclass(frozen=True, slots=True)
class SecurityEventRaised(Event):
    """A security event was written to the log; `critical`: it is pushed to the back office too."""

    type: str
    tech_info: str
    critical: bool


@dataclass(frozen=True, slots=True)
class CertificatesChanged(Event):
    """A root or own certificate was installed, replaced or deleted; `what` names it: its subject."""

    what: str
    how: str
    """installed, signed, deleted, discarded."""


@dataclass(frozen=True, slots=True)
class EvCertificateAnswered(Event):
    """What the back office said to a car's wish for a contract certificate; `status` None: nothing."""

    action: str
    """Install or Update."""
    status: str | None
    exi_response: str
    """For the car alone: EXI in base64."""


@dataclass(frozen=True, slots=True)
class ClockSet(Event):
    """The calendar was set to what the back office or a person says; `change` in seconds."""

    change: float
    by: str
