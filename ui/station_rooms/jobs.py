"""Firmware updates and uploads of logs: how far they are, how they went, and what shall go wrong next."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QStackedLayout,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.ocpp.context import JobView
from app.runtime.rooms import FIRMWARE_FAULTS, LOG_FAULTS, JobStep
from ui.rooms.empty import EmptyState
from ui.rooms.form import QuietCombo, bar, column, label
from ui.rooms.search import SearchField
from ui.rooms.split import TurningSplitter
from ui.rooms.table import MARGIN, Column, Index, Mark, RecordModel, RecordTable, RowDelegate
from ui.station_rooms.room import LiveRoom, clock
from ui.theme import Theme
from ui.widgets.turns import Work

TURN_AT = 1000
PROGRESS = 2
_BAD = ("Fail", "Invalid", "Bad", "Denied", "NotSupported", "Revoked", "Rejected")


class ProgressDelegate(RowDelegate):
    """A bar for how much of a file is through; its words stand beside it."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        job = index.data(Qt.ItemDataRole.UserRole)
        if index.column() != PROGRESS or not isinstance(job, JobView) or not job.total:
            return
        rect = QRectF(option.rect).adjusted(MARGIN, 0, -MARGIN, -4)
        rail = QRectF(rect.left(), rect.bottom() - 4, rect.width(), 4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("line2"))
        painter.drawRoundedRect(rail, 2, 2)
        part = min(1.0, (job.done or 0) / job.total)
        rail.setWidth(rail.width() * part)
        painter.setBrush(self._theme.colour("charge" if job.running else "text3"))
        painter.drawRoundedRect(rail, 2, 2)


class JobsRoom(LiveRoom):
    """What the back office ordered; the person here may let a step of the next one fail."""

    actions = ("UpdateFirmware", "SignedUpdateFirmware", "GetDiagnostics", "GetLog")

    def build(self) -> Work:
        say = self._say
        self.search = SearchField(say("jobs.search"))
        self.search.textChanged.connect(self._filter)
        self.firmware_fault = self._faults(FIRMWARE_FAULTS, "firmware")
        self.log_fault = self._faults(LOG_FAULTS, "log")
        self.firmware_fault.activated.connect(self._choose_firmware)
        self.log_fault.activated.connect(self._choose_log)
        yield
        yield from self._make_tables()
        yield
        self._empty = EmptyState("export", say("jobs.none"), say("jobs.none_hint"), self._theme)
        head = bar(
            self.search,
            label(say("jobs.fail_next"), "secondary"),
            self.firmware_fault,
            self.log_fault,
            stretch_after=0,
        )
        yield
        course = column(bar(label(say("jobs.course"), "strong")), self.course)
        detail = QWidget()
        self._detail = label("", wrap=True)
        words = QHBoxLayout(detail)
        words.setContentsMargins(16, 8, 16, 8)
        words.addWidget(self._detail)
        upper = QWidget()
        above = QVBoxLayout(upper)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(0)
        above.addWidget(self.table, 1)
        above.addWidget(detail)
        yield
        whole = TurningSplitter(TURN_AT, [60, 40], [1, 1], upper, course, low=10_000)
        body = QWidget()
        self._stack = QStackedLayout(body)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(whole)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(head)
        box.addWidget(self.notice)
        box.addWidget(body, 1)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (self._empty, self._model, self._course_model, self._bars):
            part.set_theme(theme)

    def refresh(self) -> None:
        self.tell_refusal()
        rooms = self._feed.rooms
        chosen = rooms.next_faults()
        for combo, fault in ((self.firmware_fault, chosen.firmware), (self.log_fault, chosen.log)):
            if not combo.view().isVisible():
                combo.choose(fault or "")
        self._fill(quiet=False)
        self._stack.setCurrentIndex(1 if rooms.jobs() or rooms.job_steps() else 0)

    def tick(self) -> None:
        self._fill(quiet=False)

    # ------------------------------------------------------------------ building

    def _faults(self, names: tuple[str, ...], kind: str) -> QuietCombo:
        combo = QuietCombo(self._say(f"jobs.fault.{kind}"))
        combo.setMinimumContentsLength(20)
        combo.addItem(self._say(f"jobs.fault.{kind}.none"), "")
        for name in names:
            combo.addItem(self._say(f"jobs.fault.{kind}.{name}"), name)
        return combo

    def _make_tables(self) -> Work:
        say = self._say
        columns = (
            Column[JobView](say("jobs.kind"), self._kind, 148, strong=True, mark=_mark),
            Column[JobView](say("jobs.status"), lambda j: j.status, 148),
            Column[JobView](say("jobs.progress"), self._progress, 128),
            Column[JobView](say("jobs.file"), lambda j: j.name or j.location),
            Column[JobView](say("jobs.attempt"), self._attempt, 76, right=True),
            Column[JobView](say("jobs.due"), lambda j: clock(j.due), 84, mono=True, from_width=680),
        )
        self._model = RecordModel[JobView](
            columns, lambda j: j.kind, self._theme, self, lambda j: (j.status, j.attempt, j.name)
        )
        self.table = RecordTable[JobView](self._model, columns, say("room.jobs"))
        self._bars = ProgressDelegate(self._theme, self.table)
        self.table.setItemDelegate(self._bars)
        self.table.selectionModel().selectionChanged.connect(self._show_detail)
        yield
        course = (
            Column[JobStep](say("jobs.at"), lambda s: clock(s.at), 96, mono=True),
            Column[JobStep](
                say("jobs.kind"), lambda s: say.maybe(f"jobs.kind.{s.kind}", s.kind), 116
            ),
            Column[JobStep](say("jobs.status"), lambda s: s.status, 148, strong=True, mark=_end),
            Column[JobStep](say("jobs.why"), self._step_why),
        )
        self._course_model = RecordModel[JobStep](
            course, lambda s: s.number, self._theme, self, lambda s: s.number
        )
        self.course = RecordTable[JobStep](self._course_model, course, say("jobs.course"))

    # ------------------------------------------------------------------ acts

    def _choose_firmware(self) -> None:
        self._feed.rooms.choose_firmware_fault(self.firmware_fault.currentData() or None)

    def _choose_log(self) -> None:
        self._feed.rooms.choose_log_fault(self.log_fault.currentData() or None)

    # ------------------------------------------------------------------ what is shown

    def _filter(self) -> None:
        self._fill(quiet=True)

    def _fill(self, *, quiet: bool) -> None:
        finds, rooms = self.search.finds, self._feed.rooms
        jobs = [
            job
            for job in rooms.jobs()
            if finds(self._kind(job), job.status, job.name, job.location, job.version)
        ]
        steps = [
            step
            for step in rooms.job_steps()
            if finds(step.kind, step.status, step.name, self._step_why(step))
        ]
        self._model.show(jobs, quiet=quiet)
        self._course_model.show(steps, quiet=quiet)
        if self.table.chosen() is None and jobs:
            self.table.choose(jobs[0].kind)
        self._show_detail()

    def _show_detail(self) -> None:
        job = self.table.chosen()
        self._detail.setText("" if job is None else self._words(job))

    def _words(self, job: JobView) -> str:
        parts = [job.location]
        if job.signed:
            parts.append(self._say("jobs.signed"))
        if job.version:
            parts.append(self._say("jobs.version", version=job.version))
        if job.request_id is not None:
            parts.append(self._say("jobs.request", id=job.request_id))
        words = ", ".join(parts)
        if job.detail is not None:
            words += "\n" + self._catalogue.render(job.detail)
        return words

    def _kind(self, job: JobView) -> str:
        return self._say.maybe(f"jobs.kind.{job.kind}", job.kind)

    def _progress(self, job: JobView) -> str:
        if job.done is None:
            return ""
        if not job.total:
            return self._say("jobs.bytes", done=f"{job.done / 1024:,.0f}")
        return self._say("jobs.percent", percent=round(100 * job.done / job.total))

    def _attempt(self, job: JobView) -> str:
        return self._say("jobs.attempts", attempt=job.attempt or 1, attempts=job.attempts)

    def _step_why(self, step: JobStep) -> str:
        return step.name if step.detail is None else self._catalogue.render(step.detail)


def _failed(status: str) -> bool:
    return any(word in status for word in _BAD)


def _mark(job: JobView) -> Mark:
    if job.running:
        return Mark("charging", "charge")
    return Mark("faulted", "fault") if _failed(job.status) else Mark("tick", "avail")


def _end(step: JobStep) -> Mark | None:
    return Mark("faulted", "fault") if _failed(step.status) else None
