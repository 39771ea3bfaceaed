"""The ports of a functional block: all it may ask of the world. Implemented above, wired by the session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app.kernel.activity import Activity
from app.kernel.bus import Bus
from app.kernel.clock import Clock
from app.kernel.ids import IdSource
from app.kernel.link_clock import LinkClock
from app.kernel.text import Text
from app.ocpp.points_port import OpenPointsPort
from app.ocpp.shared.jobs.faults import FileFaults
from app.station.commands import Command
from app.station.intents import Intent, Outcome
from app.station.snapshot import MeterReading, StationSnapshot

if TYPE_CHECKING:
    from app.ocpp.shared.vendors import Vendor

Payload = dict[str, Any]


class CallFailed(Exception):
    """A CALL of ours got no usable answer."""


class CallRefused(CallFailed):
    """The back office answered with a CALLERROR."""

    def __init__(self, code: str, description: str = "", details: Any = None) -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code, self.description, self.details = code, description, details


class CallTimedOut(CallFailed):
    """No answer within the message time-out."""


class NotConnected(CallFailed):
    """There is no link, or it broke while the CALL was open."""


class TooLarge(CallFailed):
    """It, or what came while it was open, was more than a side takes, which closed the link for that.

    What ended so is not tried at once on the next link: that would end, too, and so without end.
    """


class InvalidOwnFrame(CallFailed):
    """Our own CALL breaks the schema: a fault of this program; nothing was sent."""


class InvalidAnswer(CallFailed):
    """The answer came but breaks the schema; `payload` is what it held."""

    def __init__(self, payload: Any, explanation: str) -> None:
        super().__init__(explanation)
        self.payload = payload


class StationPort(Protocol):
    """The machine, as the controller sees it."""

    def handle(self, order: Intent | Command) -> Outcome: ...

    def snapshot(self) -> StationSnapshot: ...

    def meter(self, evse: int) -> MeterReading: ...

    def main_meter(self) -> MeterReading | None: ...


class StorePort(Protocol):
    """Rows that survive a power cut: named tables of JSON documents, kept in the order they came.

    A change outside of `step()` is a transaction of its own; inside, all changes become durable
    together when the outermost step ends, or none of them. Raises OSError-like StoreFailed when the disk
    does not take it.
    """

    undone: int
    """How many steps were undone so far, inner ones too: who remembers what it wrote looks again."""

    def step(self) -> AbstractContextManager[None]: ...

    def get(self, table: str, key: str) -> Payload | None: ...

    def put(self, table: str, key: str, row: Mapping[str, Any]) -> None: ...

    def delete(self, table: str, key: str) -> None: ...

    def clear(self, table: str) -> None: ...

    def rows(self, table: str) -> list[tuple[str, Payload]]: ...

    def first(self, table: str) -> tuple[str, Payload] | None: ...

    def count(self, table: str) -> int: ...

    def heads(self, table: str, *fields: str, limit: int | None = None) -> list[tuple[Any, ...]]:
        """The key and some plain fields of each document, oldest first: cheap however large it is."""
        ...

    def heads_of(self, table: str, keys: Sequence[str], *fields: str) -> list[tuple[Any, ...]]:
        """The same of these documents alone (a few hundred at most), in any order."""
        ...


class CallPort(Protocol):
    """Sends a CALL and waits for its answer: one open at a time, later ones wait their turn."""

    async def call(
        self, action: str, payload: Payload, *, message_id: str | None = None
    ) -> Payload:
        """The answer's payload. Raises CallFailed (CallRefused, CallTimedOut, NotConnected, ...).

        `message_id` only for a retry that keeps the id of its first try.
        """
        ...

    @property
    def online(self) -> bool:
        """The WebSocket is open."""
        ...

    def close_link(self, why: str) -> None:
        """Close the socket from our side (it comes back by itself): a reboot, a new password."""
        ...


class TransferTrouble(Enum):
    """What kind of thing stood in the way of a transfer."""

    UNREACHABLE = "unreachable"
    """No such host, nobody listens, no network, or TLS did not come about."""
    CUT_OFF = "cut off"
    """The other side hung up, fell silent, or sent less than it promised."""
    DENIED = "denied"
    """Wrong or missing credentials, or no right to this place."""
    NOT_FOUND = "not found"
    NOT_SUPPORTED = "not supported"
    """Neither we nor the server know how to do this: the scheme, the method, the command."""
    BAD_MESSAGE = "bad message"
    """One side did not understand what the other said."""
    REFUSED = "refused"
    """Any other no of the server."""
    LOCAL = "local"
    """Our own side: the disk is full, the file is too large or cannot be read."""
    CHOSEN = "chosen"
    """Somebody wanted it to fail."""


class TransferFailed(Exception):
    """A file did not get through; `text` says what, where, and what to do. Never holds a password."""

    def __init__(self, text: Text, trouble: TransferTrouble = TransferTrouble.REFUSED) -> None:
        super().__init__(f"{text.id} {dict(text.params)}")
        self.text, self.trouble = text, trouble


Progress = Callable[[int, int | None], None]
"""Bytes done so far, and of how many (None: the other side does not say)."""


class TransferPort(Protocol):
    """Moves files between the station and a server, by the scheme of the URL. Raises TransferFailed.

    Runs in real time: its caller stays counted as active, so that virtual time stands still meanwhile.
    """

    async def download(self, url: str, into: Path, *, progress: Progress) -> None:
        """Fetch a file. On failure nothing is left at `into`."""
        ...

    async def upload(self, url: str, source: Path, name: str, *, progress: Progress) -> None:
        """Deliver a file as `name` into the folder that the URL means, or as the file it means."""
        ...


class LogPort(Protocol):
    """The station's log as files. `kind` is DiagnosticsLog or SecurityLog."""

    def holds(self, kind: str, since: datetime | None, until: datetime | None) -> bool:
        """Is there anything of that time?"""
        ...

    def archive(self, kind: str, since: datetime | None, until: datetime | None) -> Awaitable[Path]:
        """Pack what is of that time into a file of the private folder. The caller deletes it."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the station says it is in its BootNotification."""

    vendor: str = "Forecourt"
    model: str = "Simulator"
    serial_number: str | None = None
    box_serial_number: str | None = None
    firmware_version: str | None = "1.0.0"
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None


@dataclass(frozen=True, slots=True)
class KeySetting:
    """A 1.6 configuration key as the configuration file sets it up."""

    key: str
    value: str | None = None
    readonly: bool | None = None
    """None: as the specification has it."""
    reboot: bool = False
    """A change takes effect with the next boot only."""


@dataclass(frozen=True, slots=True)
class VariableSetting:
    """A 2.0.1 variable as the configuration file sets it up. evse/connector None: not tied to one."""

    component: str
    variable: str
    value: str | None = None
    evse: int | None = None
    connector: int | None = None
    component_instance: str | None = None
    variable_instance: str | None = None
    attribute: str = "Actual"
    mutability: str | None = None


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """What people have given the station for its link, apart from what the protocol sets."""

    password: bytes | None = field(default=None, repr=False)
    roots: bool = False
    """It trusts somebody for TLS: roots were given, or the present link is TLS."""
    root_pems: tuple[str, ...] = field(default=(), repr=False)
    """The roots that were given, as PEM texts."""
    certificate: bool = False
    """It has a certificate of its own, with the key."""


@dataclass(frozen=True, slots=True)
class OcppSettings:
    """The part of the configuration that a personality starts from; the store wins over it."""

    identity: Identity = field(default_factory=Identity)
    keys: tuple[KeySetting, ...] = ()
    variables: tuple[VariableSetting, ...] = ()
    features: frozenset[str] | None = None
    """Feature profiles (1.6) or blocks (2.0.1) that are on; None: all that are implemented."""
    vendors: tuple[Vendor, ...] = ()
    """Dialects of DataTransfer."""
    free_vend: bool = False
    free_vend_token: str = "FREE"
    security_profile: int = 0
    link: LinkFacts = field(default_factory=LinkFacts)
    queue_capacity: int = 10_000
    """Messages the queue holds before the open point both-offline-queue-capacity decides."""
    queue_pause: float = 0.0
    """Station seconds between two messages while a backlog is delivered."""


class BootState(Enum):
    """How the back office sees us."""

    OFF = "off"
    BOOTING = "booting"
    PENDING = "pending"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


class BootReason(Enum):
    """Why this power cycle began."""

    POWER_UP = "PowerUp"
    LOCAL_RESET = "LocalReset"
    REMOTE_RESET = "RemoteReset"
    SCHEDULED_RESET = "ScheduledReset"
    FIRMWARE_UPDATE = "FirmwareUpdate"
    WATCHDOG = "Watchdog"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class SessionView:
    """A transaction as people see it."""

    evse: int
    connector: int | None
    transaction_id: str | None
    """None while the back office has not told it (1.6)."""
    id_token: str | None
    started: datetime
    meter_start: float
    """Wh."""
    state: str
    cost: str | None = None


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message of the outbox as people see it."""

    id: str
    action: str
    ref: str
    """The transaction it belongs to, or what kind of message it is."""
    at: datetime
    """When it was queued, station time."""
    age: float
    """Station seconds since then."""
    attempts: int
    """How often it was sent and failed on a live link."""
    state: Text
    """Why it waits."""


@dataclass(frozen=True, slots=True)
class JobView:
    """A firmware update or an upload of a log as people see it; it stays to be seen when it is over."""

    kind: str
    """firmware, diagnostics or log."""
    status: str
    """As last told to the back office (or about to be)."""
    running: bool
    location: str
    """The URL without secrets."""
    name: str = ""
    """The file's name."""
    version: str | None = None
    """Firmware: as far as it is known."""
    request_id: int | None = None
    signed: bool = False
    attempt: int = 0
    attempts: int = 1
    done: int | None = None
    """Bytes."""
    total: int | None = None
    due: datetime | None = None
    """When it goes on, where it waits for a date."""
    detail: Text | None = None
    """Why it failed, or what it waits for."""


Spawn = Callable[[Coroutine[Any, Any, Any], str], None]


@dataclass(slots=True)
class Context:
    """One power cycle's ports, given to each block of a personality."""

    bus: Bus
    clock: Clock
    link: LinkClock
    activity: Activity
    station: StationPort
    store: StorePort
    calls: CallPort
    points: OpenPointsPort
    settings: OcppSettings
    ids: IdSource
    spawn: Spawn
    """Starts a task of this power cycle, counted in; an error in it is journaled."""
    reboot: Callable[[BootReason], None]
    """Ends this power cycle and begins the next from the store (after the current step)."""
    boot_reason: BootReason = BootReason.POWER_UP
    transfer: TransferPort | None = None
    logs: LogPort | None = None
    files: Path | None = None
    """The station's private folder for files that come and go."""
    faults: FileFaults = field(default_factory=FileFaults)
    """What people want to go wrong with files."""

    def decide(self, point: str, act: Callable[[str], None]) -> None:
        """Act on the option of an open point: at once, or when a person who is asked has said.

        Whatever `act` builds upon may have changed by then.
        """
        if self.points.asks(point):
            self.spawn(self._act(point, act), f"open point {point}")
        else:
            act(self.points.choose(point))

    async def _act(self, point: str, act: Callable[[str], None]) -> None:
        act(await self.points.ask(point))


Handler = Callable[[Payload], "Reply | Awaitable[Reply]"]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a CALL of the back office, and what is done once it has been handed over.

    What was ordered is done even where the link broke before its answer could leave: the specification is
    silent, and whether an answer arrives nobody here can know, since it may also be lost on its way. A
    Reset, a stop or a setting is wanted all the same, is told of by what follows from it, and does no harm
    if it is ordered again. A remote start is another matter: who got no answer tells the driver that it
    has failed, and what then begins is charged to somebody who has gone. Its handler says so by `unheard`.
    """

    payload: Payload
    then: Callable[[], Awaitable[None] | None] | None = None
    why: Text | None = None
    """Where it turns something down, the reason for people; the wire often has no room for it."""
    unheard: Callable[[], None] | None = None
    """Done instead of `then` where the link broke before the answer could leave; None: `then` is."""


def not_begun() -> None:
    """A `Reply.unheard`: there is nothing to take back."""


class HandlerError(Exception):
    """Answer this CALL with a CALLERROR. `code` in the spelling of the version (see rpc.ErrorCode)."""

    def __init__(self, code: str, description: str = "", details: Payload | None = None) -> None:
        super().__init__(f"{code}: {description}")
        self.code, self.description, self.details = code, description, details or {}
