"""What the rooms of a window show and do: settings, queue, lists, reservations, charging profiles.

`Rooms` reads a session into frozen records and remembers, while it lives, what only events tell: who changed
a setting, which reservation ended how, which profile was refused, which message was given up.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from app.kernel.bus import Entry, Event
from app.kernel.text import Text
from app.kernel.units import parse_stamp
from app.ocpp.context import JobView
from app.ocpp.events import (
    ChargingProfileRefused,
    Direction,
    EvCertificateAnswered,
    FirmwareProgress,
    FramePassed,
    LogProgress,
    MessageDropped,
    ReservationEnded,
    ReservationMade,
    SettingChanged,
)
from app.ocpp.frames import CALLRESULT
from app.ocpp.outbox import TABLE as OUTBOX
from app.ocpp.redaction import redact
from app.ocpp.shared.jobs.faults import FirmwareFault, LogFault
from app.ocpp.shared.security_desk import SecurityDesk
from app.ocpp.shared.security_events import ACTION as SECURITY_EVENT
from app.ocpp.shared.security_events import MARK, queued
from app.ocpp.shared.security_events import TABLE as ALARMS
from app.ocpp.version import Version
from app.ocpp.views import ReservationView, RoomViews
from app.runtime.clock_desk import ClockDesk
from app.runtime.security_view import SecurityView, security_of
from app.runtime.session import Session
from app.runtime.setting_rows import (
    BACK_OFFICE,
    GOOD,
    PERSON,
    STATION,
    Change,
    SettingOutcome,
    SettingRow,
    setting_row,
    why_not,
)
from app.runtime.store import StoreError

MOST_ENDED = 200
"""Ends, refusals and losses that are remembered."""
MOST_QUEUED = 500
"""Messages of the queue that are shown: the oldest ones."""
FIRMWARE_FAULTS = tuple(fault.value for fault in FirmwareFault)
LOG_FAULTS = tuple(fault.value for fault in LogFault)


@dataclass(frozen=True, slots=True)
class EndedReservation:
    """A reservation that is over; `why` is used, expired, cancelled, replaced or removed."""

    number: int
    at: datetime
    id: int
    place: int
    token: str | None
    why: str


@dataclass(frozen=True, slots=True)
class RefusedProfile:
    """A charging profile that was not taken, with the rule it broke and the sentence of it."""

    number: int
    at: datetime
    place: int
    profile: int
    rule: str
    why: Text


@dataclass(frozen=True, slots=True)
class TurnedDown:
    """What the back office wanted last by this action, and why the station turned it down."""

    number: int
    at: datetime
    action: str
    status: str
    why: Text


@dataclass(frozen=True, slots=True)
class LostMessage:
    """A queued message that was given up, and what it said (secrets left out)."""

    number: int
    at: datetime
    action: str
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class JobStep:
    """A firmware update or an upload of a log came a step further. `kind` firmware or the kind of log."""

    number: int
    at: datetime
    kind: str
    status: str
    name: str
    detail: Text | None = None


@dataclass(frozen=True, slots=True)
class NextFaults:
    """What is to go wrong with the next files, by name; None: nothing. `times` None: until it is lifted."""

    firmware: str | None
    firmware_times: int | None
    log: str | None
    log_times: int | None


@dataclass(frozen=True, slots=True)
class QueuedRow:
    """A message of the queue. `at`: station time when it was queued; `why` it waits."""

    key: str
    place: int
    action: str
    ref: str
    at: datetime
    attempts: int
    why: Text


@dataclass(frozen=True, slots=True)
class QueueView:
    """The queue: how many wait, and the oldest of them."""

    waiting: int
    rows: tuple[QueuedRow, ...]


class Rooms:
    """The rooms' way to the session. Reading never changes anything."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._changes: dict[str, Change] = {}
        self._known: dict[int, ReservationView] = {}
        self._ended: deque[EndedReservation] = deque(maxlen=MOST_ENDED)
        self._refused: deque[RefusedProfile] = deque(maxlen=MOST_ENDED)
        self._turned_down: dict[str, TurnedDown] = {}
        self._lost: deque[LostMessage] = deque(maxlen=MOST_ENDED)
        self._steps: deque[JobStep] = deque(maxlen=MOST_ENDED)
        for each in self._views.reservations() or ():
            self._known[each.id] = each
        listeners: dict[type[Event], Callable[[Entry], None]] = {
            SettingChanged: self._on_setting,
            ReservationMade: self._on_made,
            ReservationEnded: self._on_ended,
            ChargingProfileRefused: self._on_refused,
            MessageDropped: self._on_dropped,
            FirmwareProgress: self._on_firmware,
            LogProgress: self._on_log,
            FramePassed: self._on_frame,
            EvCertificateAnswered: self._on_contract,
        }
        self.clock = ClockDesk(session)
        self.contract: EvCertificateAnswered | None = None
        """The last answer to a car's wish for a contract certificate."""
        self._removers = [
            session.bus.subscribe(handler, kind) for kind, handler in listeners.items()
        ]

    def close(self) -> None:
        """Hear of nothing any more."""
        self.clock.close()
        for remove in self._removers:
            remove()
        self._removers.clear()

    @property
    def views(self) -> RoomViews:
        """Lists, reservations and profiles of the version in force; empty without power."""
        return self._views

    @property
    def _views(self) -> RoomViews:
        personality = self._session.personality
        return RoomViews() if personality is None else personality.rooms

    @property
    def version(self) -> Version | None:
        """The version in force; None without power, or before it is decided."""
        personality = self._session.personality
        return None if personality is None else personality.version

    def now(self) -> datetime:
        """The station's clock."""
        return self._session.clock.now()

    # ------------------------------------------------------------------ settings

    def settings(self) -> tuple[SettingRow, ...]:
        """All configuration keys or variables, in the order of the model; none without power."""
        return tuple(
            setting_row(item, self._changes.get(str(item["name"])))
            for item in self._session.settings()
        )

    def set_setting(self, name: str, value: str) -> SettingOutcome:
        """Set one as a person at the station would; what is refused comes back with its reason."""
        try:
            status = self._session.set_setting(name, value)
        except KeyError:
            return SettingOutcome(name, value, "Rejected", Text("rooms.setting.gone"))
        if status in GOOD:
            return SettingOutcome(name, value, status)
        row = next((row for row in self.settings() if row.name == name), None)
        personality = self._session.personality
        why = None if personality is None else personality.why_not_setting(name, value)
        return SettingOutcome(name, value, status, why or why_not(row))

    # ------------------------------------------------------------------ queue

    def queue(self) -> QueueView:
        """The oldest messages of the queue, each with why it waits. Empty if the store cannot tell."""
        if self._session.personality is None:
            return self._queue_in_the_dark()
        rows, alarms = self._session.queue(MOST_QUEUED), 0
        with suppress(StoreError):  # told by the store
            alarms = self._session.store.count(ALARMS)
        return QueueView(
            self._session.snapshot().queue + alarms,
            tuple(
                QueuedRow(row.id, place, row.action, row.ref, row.at, row.attempts, row.state)
                for place, row in enumerate(rows, 1)
            ),
        )

    def _queue_in_the_dark(self) -> QueueView:
        """Rows outlive a power cut, though nobody sends them."""
        store, why = self._session.store, Text("rooms.queue.why.dark")
        try:
            found = store.heads(OUTBOX, "action", "ref", "created", "tries", limit=MOST_QUEUED)
            waiting, alarms = store.count(OUTBOX), queued(store)
        except StoreError:  # told by the store
            return QueueView(0, ())
        found += [(MARK + row.key, row.action, row.ref, row.created, row.tries) for row in alarms]
        rows = (
            QueuedRow(str(key), place, action, ref, parse_stamp(created), int(tries or 0), why)
            for place, (key, action, ref, created, tries) in enumerate(found[:MOST_QUEUED], 1)
        )
        return QueueView(waiting + len(alarms), tuple(rows))

    def queued_text(self, key: str) -> str | None:
        """What a queued message says, as JSON with its secrets left out; None if it is gone."""
        row, alarm = None, key.startswith(MARK)
        with suppress(StoreError):
            row = self._session.store.get(ALARMS if alarm else OUTBOX, key.removeprefix(MARK))
        if row is None:
            return None
        text = json.dumps(row["payload"], ensure_ascii=False)
        return redact(self.version, SECURITY_EVENT if alarm else str(row["action"]), text)

    # ------------------------------------------------------------------ security

    def security(self) -> SecurityView:
        """The profile in force, the certificates, the security log."""
        return security_of(self._session)

    @property
    def desk(self) -> SecurityDesk | None:
        """What a person may do about the station's security; None without power."""
        personality = self._session.personality
        return None if personality is None else personality.desk

    # ------------------------------------------------------------------ jobs with files

    def jobs(self) -> tuple[JobView, ...]:
        """Firmware updates and uploads: those that run, and the last of each kind."""
        personality = self._session.personality
        return () if personality is None else personality.jobs()

    def job_steps(self) -> tuple[JobStep, ...]:
        """How they went, newest first."""
        return tuple(reversed(self._steps))

    def next_faults(self) -> NextFaults:
        """What somebody wants to go wrong with files."""
        faults = self._session.files.faults
        firmware, log = faults.firmware, faults.log
        return NextFaults(
            firmware.fault.value if firmware.fault else None,
            firmware.times,
            log.fault.value if log.fault else None,
            log.times,
        )

    def choose_firmware_fault(self, fault: str | None, times: int | None = 1) -> None:
        """Let this go wrong with the next firmware update; None: nothing. Raises ValueError."""
        chosen = None if fault is None else FirmwareFault(fault)
        self._session.files.choose_firmware_fault(chosen, times)

    def choose_log_fault(self, fault: str | None, times: int | None = 1) -> None:
        """Let this go wrong with the next upload of a log; None: nothing. Raises ValueError."""
        self._session.files.choose_log_fault(None if fault is None else LogFault(fault), times)

    # ------------------------------------------------------------------ what events told

    def ended_reservations(self) -> tuple[EndedReservation, ...]:
        """Newest first."""
        return tuple(reversed(self._ended))

    def refused_profiles(self) -> tuple[RefusedProfile, ...]:
        """Newest first."""
        return tuple(reversed(self._refused))

    def turned_down(self, *actions: str) -> TurnedDown | None:
        """The newest refusal among the last answers to these actions."""
        found = [one for one in self._turned_down.values() if one.action in actions]
        return max(found, key=lambda one: one.number, default=None)

    def lost_messages(self) -> tuple[LostMessage, ...]:
        """Newest first."""
        return tuple(reversed(self._lost))

    def _on_setting(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, SettingChanged)
        by = event.by.replace(" ", "").replace("_", "").casefold()
        who = {"backoffice": BACK_OFFICE, "person": PERSON}.get(by, STATION)
        self._changes[event.name] = Change(entry.at, who, event.before, event.after)

    def _on_made(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, ReservationMade)
        self._known[event.reservation_id] = ReservationView(
            event.reservation_id, event.place, event.token, event.group, event.until
        )

    def _on_ended(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, ReservationEnded)
        known = self._known.get(event.reservation_id)
        token = None if known is None else known.token
        self._ended.append(
            EndedReservation(
                entry.seq, entry.at, event.reservation_id, event.place, token, event.why
            )
        )

    def _on_refused(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, ChargingProfileRefused)
        self._refused.append(
            RefusedProfile(
                entry.seq, entry.at, event.place, event.profile_id, event.rule, event.why
            )
        )

    def _on_frame(self, entry: Entry) -> None:
        frame = entry.event
        assert isinstance(frame, FramePassed)
        if frame.action is None or (frame.direction, frame.kind) != (Direction.OUT, CALLRESULT):
            return
        self._turned_down.pop(frame.action, None)
        if frame.note is not None:
            status = str(json.loads(frame.text)[2].get("status", ""))
            self._turned_down[frame.action] = TurnedDown(
                entry.seq, entry.at, frame.action, status, frame.note
            )

    def _on_contract(self, entry: Entry) -> None:
        assert isinstance(entry.event, EvCertificateAnswered)
        self.contract = entry.event

    def _on_firmware(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, FirmwareProgress)
        self._on_step(entry, "firmware", event.status, event.version or "", event.detail)

    def _on_log(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, LogProgress)
        self._on_step(entry, event.kind, event.status, event.name, event.detail)

    def _on_step(
        self, entry: Entry, kind: str, status: str, name: str, detail: Text | None
    ) -> None:
        """Progress within a step is no step of its own."""
        last = next((step for step in reversed(self._steps) if step.kind == kind), None)
        if last is None or (last.status, last.name, last.detail) != (status, name, detail):
            self._steps.append(JobStep(entry.seq, entry.at, kind, status, name, detail))

    def _on_dropped(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, MessageDropped)
        self._lost.append(LostMessage(entry.seq, entry.at, event.action, event.why, event.text))
