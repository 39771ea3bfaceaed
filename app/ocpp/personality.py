"""A station's way to speak one version: functional blocks, each restored from rows, each reading like its
own chapter of the specification.

Life of a personality, one power cycle long: made with the context, `restore()` reads the rows, `start()`
subscribes and spawns dialogues, `link_up()` and `link_down()` tell of the WebSocket, and the end is the
cancellation of all tasks by the session: nothing is said to a back office then, what had to survive is
already a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from app.kernel.bus import Event, Remover
from app.kernel.bus import Handler as EventHandler
from app.ocpp.context import BootState, Context, Handler, Payload, SessionView
from app.ocpp.version import Version


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

    def restore(self) -> None:
        for block in self.blocks:
            block.restore()

    def start(self) -> None:
        for block in self.blocks:
            block.start()

    def stop(self) -> None:
        for block in self.blocks:
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

    def admit(self, action: str) -> None:
        """May this CALL of the back office be answered in the present boot state?

        Raises HandlerError where the answer is a CALLERROR, and Silence where there is none.
        """

    def sessions(self) -> tuple[SessionView, ...]:
        """The running transactions."""
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

    def link_policy(self) -> LinkPolicy:
        """Ping interval, time-outs and back-off, read anew each time they are needed."""
        return LinkPolicy()

    def basic_auth_password(self) -> str | bytes | None:
        """The password for the next handshake, if the protocol has set one; None: use the settings'."""
        return None

    def connection_url(self) -> str | None:
        """Where a network profile set over the protocol sends us; None: use the settings'."""
        return None

    def queue(self) -> list[Any]:
        """The rows of the outbox, oldest first."""
        return []


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
