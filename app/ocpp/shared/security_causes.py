"""What makes security events: things that happen at the machine, on the link and in its settings.

The blocks of both versions listen for these; `raise_event` puts the names into the version's spelling.
"""

from __future__ import annotations

from typing import ClassVar

from app.kernel.bus import Entry
from app.ocpp.context import BootReason
from app.ocpp.events import ClockSet, Direction, FramePassed, LinkFailed, SettingChanged
from app.ocpp.shared.security_events import SecurityEvents
from app.station.events import DoorOpened

RESETS = frozenset(
    {
        BootReason.LOCAL_RESET,
        BootReason.REMOTE_RESET,
        BootReason.SCHEDULED_RESET,
        BootReason.FIRMWARE_UPDATE,
        BootReason.WATCHDOG,
    }
)

REPLAYS = frozenset({"ocpp.note.id_in_use", "ocpp.note.id_used_before"})

QUIET = 10.0
"""Station seconds between two log entries of the same event from the wire: a flood is one entry."""

BAD_CERTIFICATE = frozenset(
    {
        "runtime.tls.not_yet_valid",
        "runtime.tls.expired",
        "runtime.tls.self_signed",
        "runtime.tls.unknown_root",
        "runtime.tls.unknown_issuer",
        "runtime.tls.revoked",
        "runtime.tls.wrong_name",
        "runtime.tls.wrong_full_name",
        "runtime.tls.not_trusted",
    }
)
OLD_TLS = frozenset({"runtime.tls.version"})
WEAK_CIPHER = frozenset({"runtime.tls.handshake_failure", "runtime.tls.cipher"})
REFUSED_BY_THEM = frozenset(
    {
        "runtime.tls.certificate_required",
        "runtime.tls.own_unknown",
        "runtime.tls.own_bad",
        "runtime.tls.own_expired",
    }
)
DENIED = frozenset({401, 403})


class CausesOfEvents(SecurityEvents):
    """Security events with the causes that both versions share."""

    settings: ClassVar[frozenset[str]] = frozenset()
    """Keys or variables whose change reconfigures security."""

    def start(self) -> None:
        super().start()
        reason = self.ctx.boot_reason
        if reason in RESETS:
            self.raise_event("ResetOrReboot", reason.value)
        self.raise_event("StartupOfTheDevice", reason.value)
        self._last: dict[str, float] = {}
        self._swallowed: dict[str, int] = {}
        self._problem: tuple[str, str] | None = None
        self.on(self._door, DoorOpened)
        self.on(self._clock, ClockSet)
        self.on(self._setting, SettingChanged)
        self.on(self._frame, FramePassed)
        self.on(self._link_failed, LinkFailed)

    def clock_threshold(self) -> float:
        """Seconds by which the clock may be set without an event; less than 0: by any."""
        raise NotImplementedError

    def maintenance_login(self, user: str, origin: str, *, accepted: bool) -> None:
        """Somebody logged in, or tried to, at the maintenance interface. The format is the appendix's."""
        kind = "MaintenanceLoginAccepted" if accepted else "MaintenanceLoginFailed"
        self.raise_event(kind, f"{{'user': '{user}', 'origin': '{origin}'}}")

    def link_up(self, *, first: bool) -> None:
        self._problem = None
        super().link_up(first=first)

    # ------------------------------------------------------------------ causes

    def _door(self, _entry: Entry) -> None:
        self.raise_event("TamperDetectionActivated", "door opened")

    def _clock(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, ClockSet)
        if abs(event.change) > self.clock_threshold():
            self.raise_event("SettingSystemTime", f"{event.change:+.0f} s by {event.by}")

    def _setting(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, SettingChanged)
        if event.name in self.settings:
            self.raise_event("ReconfigurationOfSecurityParameters", f"{event.name} by {event.by}")

    def _frame(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, FramePassed)
        if event.direction is not Direction.IN:
            return
        note = event.note.id if event.note is not None else None
        if note in REPLAYS:
            self._seldom("AttemptedReplayAttacks", f"{event.action or 'message'} replayed")
        elif event.kind == 0 or event.violations:
            what = event.action or "no OCPP message"
            rule = event.violations[0].rule if event.violations else "unreadable"
            self._seldom("InvalidMessages", f"{what}: {rule}")

    def _seldom(self, kind: str, info: str) -> None:
        """Once in a while, with the number of those in between."""
        now = self.ctx.clock.elapsed()
        if now - self._last.get(kind, -QUIET) < QUIET:
            self._swallowed[kind] = self._swallowed.get(kind, 0) + 1
            return
        self._last[kind] = now
        more = self._swallowed.pop(kind, 0)
        self.raise_event(kind, f"{info} (and {more} more before)" if more else info)

    def _link_failed(self, entry: Entry) -> None:
        """Once for the same problem, however often the attempt is repeated."""
        event = entry.event
        assert isinstance(event, LinkFailed)
        found = self._judge_failure(event)
        if found is None or found == self._problem:
            return
        self._problem = found
        kind, info = found
        if kind == "InvalidCsmsCertificate":
            self.raise_event("CsmsFailedToAuthenticate", info)
        # "trigger", A00.FR.309, .315 and .322: sent, though the list of 1.6 has them for the log only
        self.raise_event(kind, info, critical=None if kind.startswith("Failed") else True)

    def _judge_failure(self, event: LinkFailed) -> tuple[str, str] | None:
        why = event.why
        info = why.id.rpartition(".")[2]
        if why.id in BAD_CERTIFICATE:
            return "InvalidCsmsCertificate", info
        if why.id in OLD_TLS:
            return "InvalidTLSVersion", info
        if why.id in WEAK_CIPHER:
            return "InvalidTLSCipherSuite", info
        if why.id in REFUSED_BY_THEM:
            return "FailedToAuthenticateAtCsms", info
        if event.step == "http" and why.params.get("status") in DENIED:
            return "FailedToAuthenticateAtCsms", f"HTTP {why.params['status']}"
        return None
