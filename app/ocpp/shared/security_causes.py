"""What makes security events: things that happen at the machine, on the link and in its settings.

The blocks of both versions listen for these; `raise_event` puts the names into the version's spelling.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from typing import ClassVar

from app.kernel.bus import Entry
from app.kernel.clock import Timer
from app.ocpp.context import BootReason, Context
from app.ocpp.events import ClockSet, Direction, FramePassed, MessageDropped, SettingChanged
from app.ocpp.outbox import NO_ROOM
from app.ocpp.personality import LinkTrial, Setback
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

LITTLE = 64 * 2**20
"""Bytes: a disk with less left is about to be full."""
LOOK_EVERY = 3600.0
"""Station seconds between two looks at it."""

OF_A_SETBACK = {
    Setback.CREDENTIALS: "FailedToAuthenticateAtCsms",
    Setback.SERVER_CERTIFICATE: "InvalidCsmsCertificate",
    Setback.TLS_VERSION: "InvalidTLSVersion",
    Setback.TLS_CIPHERS: "InvalidTLSCipherSuite",
}


class CausesOfEvents(SecurityEvents):
    """Security events with the causes that both versions share."""

    settings: ClassVar[frozenset[str]] = frozenset()
    """Keys or variables whose change reconfigures security."""
    listed: ClassVar[Mapping[str, bool]] = {}
    """Each event of the version's list -> is it critical."""

    def __init__(self, ctx: Context, may_send: Callable[[], bool]) -> None:
        super().__init__(ctx, may_send)
        self._last: dict[str, float] = {}
        self._swallowed: dict[str, int] = {}
        self._problem: tuple[str, str] | None = None
        self._disk_timer: Timer | None = None
        self._exhausted = False

    def start(self) -> None:
        super().start()
        reason = self.ctx.boot_reason
        if reason in RESETS:
            self.raise_event("ResetOrReboot", reason.value)
        self.raise_event("StartupOfTheDevice", reason.value)
        self.on(self._door, DoorOpened)
        self.on(self._clock, ClockSet)
        self.on(self._setting, SettingChanged)
        self.on(self._frame, FramePassed)
        self.on(self._dropped, MessageDropped)
        self._look_at_disk()

    def clock_threshold(self) -> float:
        """Seconds by which the clock may be set without an event; less than 0: by any."""
        raise NotImplementedError

    def maintenance_login(self, user: str, origin: str, *, accepted: bool) -> None:
        """Somebody logged in, or tried to, at the maintenance interface. The format is the appendix's."""
        kind = "MaintenanceLoginAccepted" if accepted else "MaintenanceLoginFailed"
        self.raise_event(kind, f"{{'user': '{user}', 'origin': '{origin}'}}")

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

    def _dropped(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, MessageDropped)
        if event.why == NO_ROOM:
            self._seldom("MemoryExhaustion", "the offline queue is full")

    def _look_at_disk(self) -> None:
        """Where the station keeps its files: told once, until there is room again."""
        folder = self.ctx.files
        if folder is None:
            return
        # the folder itself is made with its first file
        free = shutil.disk_usage(folder if folder.is_dir() else folder.parent).free
        if free < LITTLE and not self._exhausted:
            self.raise_event("MemoryExhaustion", f"{free // 2**20} MiB free")
        self._exhausted = free < LITTLE
        self._disk_timer = self.ctx.clock.call_in(LOOK_EVERY, self._look_at_disk)

    def stop(self) -> None:
        super().stop()
        if self._disk_timer is not None:
            self._disk_timer.cancel()

    def _seldom(self, kind: str, info: str) -> None:
        """Once in a while, with the number of those in between."""
        now = self.ctx.clock.elapsed()
        if now - self._last.get(kind, -QUIET) < QUIET:
            self._swallowed[kind] = self._swallowed.get(kind, 0) + 1
            return
        self._last[kind] = now
        more = self._swallowed.pop(kind, 0)
        self.raise_event(kind, f"{info} (and {more} more before)" if more else info)

    # ------------------------------------------------------------------ the link

    def link_tried(self, trial: LinkTrial) -> None:
        """An attempt to connect has ended. Told once for the same problem (A00.FR.316, note)."""
        if trial.setback is None:
            self._problem = None
            return
        kind = OF_A_SETBACK.get(trial.setback)
        if kind is None or (kind, trial.told) == self._problem:
            return
        self._problem = (kind, trial.told)
        if trial.setback is Setback.SERVER_CERTIFICATE:
            self.raise_event("CsmsFailedToAuthenticate", trial.told)
        self.raise_event(kind, trial.told)
