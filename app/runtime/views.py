"""What the runtime shows of itself: the link, and the session as a whole. Nothing here can change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from app.kernel.text import Text
from app.ocpp.context import BootState, JobView, SessionView
from app.ocpp.version import Version
from app.station.snapshot import StationSnapshot


class LinkState(Enum):
    """How it stands with the WebSocket."""

    OFF = "off"
    UNSET = "unset"
    """No back office is set."""
    OFFLINE = "offline"
    """The network plug is pulled."""
    CONNECTING = "connecting"
    WAITING = "waiting"
    ONLINE = "online"


@dataclass(frozen=True, slots=True)
class LinkView:
    """The link at one instant. `since` and `retry_at` are readings of the link clock (seconds)."""

    state: LinkState
    url: str | None = None
    version: Version | None = None
    attempt: int = 0
    problem: Text | None = None
    """Why the last attempt or the last link ended."""
    step: str | None = None
    """How far the last attempt came: url, dns, tcp, tls, http, subprotocol."""
    since: float | None = None
    retry_at: float | None = None


class PowerState(Enum):
    """How it stands with the station's controller."""

    DARK = "dark"
    STARTING = "starting"
    ON = "on"
    FAILED = "failed"
    """Its memory failed: it does not charge."""


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """All that a view shows besides the events themselves."""

    name: str
    station_id: str
    csms_url: str | None
    version: Version | None
    """None: not decided yet (`auto`)."""
    version_wish: str
    """1.6, 2.0.1 or auto."""
    security_profile: int
    strict: bool
    power: PowerState
    link: LinkView
    boot: BootState
    sessions: tuple[SessionView, ...]
    queue: int
    """Messages in the outbox."""
    station: StationSnapshot
    paid: Mapping[int, str] = field(default_factory=dict)
    """By EVSE: what its last session came to, where the back office told."""
    reboots: int = 0
    """Power cycles of this session before the present one."""
    clock_rate: float | None = None
    """Station seconds a real second; None: virtual."""
    jobs: tuple[JobView, ...] = ()
    """Firmware updates and uploads of logs: those that run, and the last of each kind."""
    closing: frozenset[int] = frozenset()
    """EVSEs that go out of service when their session is over."""
    problems: tuple[Text, ...] = field(default=())
    """What stands in the way and must be told: a failed state file, for one."""

    @property
    def protection(self) -> str:
        """The security profile; "0.tls" where the link has TLS though no profile asks for it."""
        url = self.link.url or self.csms_url or ""
        bare = self.security_profile == 0 and url.casefold().startswith("wss:")
        return "0.tls" if bare else str(self.security_profile)
