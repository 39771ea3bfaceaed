"""A station's way to speak one version: functional blocks, each restored from rows, each reading like its
own chapter of the specification.

Life of a personality, one power cycle long: made with the context, `restore()` reads the rows, `start()`
subscribes and spawns dialogues, `link_up()` and `link_down()` tell of the WebSocket, and the end is the
cancellation of all tasks by the session: nothing is said to a back office then, what had to survive is
already a row.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from app.kernel.bus import Event, Remover
from app.kernel.bus import Handler as EventHandler
from app.kernel.text import Text
from app.ocpp.context import (
    BootState,
    Context,
    Handler,
    JobView,
    Payload,
    QueuedMessage,
    SessionView,
)
from app.ocpp.version import Version
from app.ocpp.views import RoomViews

if TYPE_CHECKING:
    from app.ocpp.shared.security_desk import SecurityDesk


class Block:
    """One functional block. Subclasses override what they need."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._removers: list[Remover] = []

    def handlers(self) -> Mapping[str, Handler]:
        """The actions of the back office that this block answers."""
        return {}

    def restore(self) -> None:
        """Read the rows of the store. No event is published and nothing is sent yet."""

    def start(self) -> None:
        """Subscribe and spawn. All blocks have been restored."""

    def link_up(self, *, first: bool) -> None:
        """The WebSocket is open; `first` in this power cycle."""

    def link_down(self) -> None:
        """The WebSocket is gone."""

    def stop(self) -> None:
        """The power cycle ends: unsubscribe. Tasks are cancelled by the session."""
        for remove in self._removers:
            remove()
        self._removers.clear()

    def on(self, handler: EventHandler, *kinds: type[Event]) -> None:
        """Subscribe for the life of this power cycle."""
        self._removers.append(self.ctx.bus.subscribe(handler, *kinds))


class Personality:
    """The blocks of one version and what the runtime may ask of them."""

    version: ClassVar[Version]

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.blocks: list[Block] = []
        self.desk: SecurityDesk | None = None
        """Certificates and the security log, for people and scripts."""
        self.rooms = RoomViews()
        """What a window shows of lists, reservations and charging profiles."""

    def restore(self) -> None:
        for block in self.blocks:
            block.restore()

    def start(self) -> None:
        for block in self.blocks:
            block.start()

    def stop(self) -> None:
        """Every block: one whose last words find no room on the disk must not keep the others going."""
        for block in self.blocks:
            with contextlib.suppress(OSError):  # told by the store
                block.stop()

    def link_up(self, *, first: bool) -> None:
        for block in self.blocks:
            block.link_up(first=first)

    def link_down(self) -> None:
        for block in self.blocks:
            block.link_down()

    def handlers(self) -> dict[str, Handler]:
        """All actions this personality answers itself, by name."""
        found: dict[str, Handler] = {}
        for block in self.blocks:
            for action, handler in block.handlers().items():
                if action in found:
                    raise ValueError(f"two blocks answer {action}")
                found[action] = handler
        return found

    # What the runtime, the window and the control API ask.

    @property
    def boot_state(self) -> BootState:
        raise NotImplementedError

    def admit(self, action: str) -> Awaitable[None] | None:
        """May this CALL of the back office be answered in the present boot state?

        Raises HandlerError where the answer is a CALLERROR, and Silence where there is none. What it
        returns does the same after a while.
        """
        return None

    def sessions(self) -> tuple[SessionView, ...]:
        """The running transactions."""
        return ()

    def paid(self) -> Mapping[int, str]:
        """What the transaction that ended last at an EVSE came to, where the back office told."""
        return {}

    def jobs(self) -> tuple[JobView, ...]:
        """Firmware updates and uploads of logs: those that run, and the last of each kind."""
        return ()

    def settings(self) -> list[Payload]:
        """All configuration keys / variables: name, value, readonly, and more, for views and control."""
        return []

    def get_setting(self, name: str) -> str | None:
        """The value of a key (1.6) or "Component.Variable" path (2.0.1). Raises KeyError."""
        raise KeyError(name)

    def set_setting(self, name: str, value: str) -> str:
        """Set as a person at the station would. Returns the status word. Raises KeyError."""
        raise KeyError(name)

    def why_not_setting(self, name: str, value: str) -> Text | None:
        """Why a person's value is refused, where type and range of the setting do not tell it already."""
        return None

    def ask_time(self) -> bool:
        """Ask the back office for the time by a Heartbeat; False where it is not spoken to now."""
        return False

    def link_policy(self) -> LinkPolicy:
        """Ping interval, time-outs and back-off, read anew each time they are needed."""
        return LinkPolicy()

    def basic_auth_password(self) -> str | bytes | None:
        """The password that the protocol has set; None: the settings' counts."""
        return None

    async def before_link(self) -> None:
        """Awaited before each attempt to connect: what has to be known by the time that the link is open."""

    def link_plan(self) -> LinkPlan:
        """What the protocol wants the link to use; read before each attempt to connect."""
        return LinkPlan()

    def link_tried(self, trial: LinkTrial) -> None:
        """An attempt of that plan has ended: told before `link_up()` where it succeeded."""

    def queue(self, limit: int | None = None) -> list[QueuedMessage]:
        """The oldest messages of the outbox, each with why it waits; all without a limit."""
        return []


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the back office that the protocol has set; None leaves a thing as people have it."""

    slot: int = 0
    """The number of a 2.0.1 network profile; 0: it has none."""
    url: str | None = None
    security_profile: int | None = None


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """What the protocol wants of the link: where to, how protected, with which password, in which order."""

    ways: tuple[Way, ...] = (Way(),)
    """In the order in which a power cycle tries them; never empty."""
    home: Way | None = None
    """The one that worked last: where the station goes back to when all others have failed."""
    attempts: int = 3
    """Failed attempts after which the next way is taken."""
    passwords: tuple[bytes | None, ...] = field(default=(None,), repr=False)
    """The newest first, behind it the one that worked before; None: the one that people gave."""
    wildcards: bool = True
    """May the certificate of the back office be made out to a name with a wildcard."""


class Setback(Enum):
    """Why an attempt to connect failed, as far as the protocol asks."""

    UNREACHABLE = "unreachable"
    """Nobody is there: no name, no port, no network."""
    CREDENTIALS = "credentials"
    """The back office does not take the password, or the station's certificate."""
    SERVER_CERTIFICATE = "server certificate"
    """Its certificate is not valid, not for this host, or leads to nobody that is trusted."""
    TLS_VERSION = "TLS version"
    TLS_CIPHERS = "TLS ciphers"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LinkTrial:
    """How one attempt to connect went. `password` is its place in the plan's passwords."""

    way: Way
    password: int
    setback: Setback | None
    """None: the link stands."""
    told: str = ""
    """What went wrong, in a word for a log."""


class Silence(Exception):
    """Do not answer this CALL at all."""


class LinkPolicy:
    """How the link is kept, in real seconds. Back-off as 2.0.1 part 4 section 5.3 has it."""

    __slots__ = (
        "backoff_minimum",
        "backoff_random",
        "backoff_repeats",
        "message_timeout",
        "ping_interval",
    )

    def __init__(
        self,
        *,
        ping_interval: float = 30.0,
        message_timeout: float = 30.0,
        backoff_minimum: float = 3.0,
        backoff_random: float = 2.0,
        backoff_repeats: int = 4,
    ) -> None:
        self.ping_interval = ping_interval
        self.message_timeout = message_timeout
        self.backoff_minimum = backoff_minimum
        self.backoff_random = backoff_random
        self.backoff_repeats = backoff_repeats
