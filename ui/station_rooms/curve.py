"""A schedule of limits as a step curve: each purpose as a thin line, what comes of them as a bold one.

Painted here and not by pyqtgraph: a handful of lines is drawn in under a millisecond, nothing has to be
imported when the room is opened, and the steps can be walked by keys and read by screen readers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from app.ocpp.views import ScheduleView, Step
from ui.rooms.form import Words
from ui.theme import Theme, ui_font

LEFT, RIGHT, TOP, BOTTOM = 48.0, 16.0, 16.0, 24.0
TICKS = (60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
"""Seconds between two marks of the time axis."""
TICK_ROOM = 72.0
LANE_TOKENS = {
    "TxProfile": "charge",
    "TxDefaultProfile": "avail",
    "ChargePointMaxProfile": "reserve",
    "ChargingStationMaxProfile": "reserve",
    "ChargingStationExternalConstraints": "fault",
}
DASHES = {
    "TxProfile": Qt.PenStyle.DashLine,
    "TxDefaultProfile": Qt.PenStyle.DotLine,
}


class StepCurve(QWidget):
    """Arrow keys walk from step to step; the pointer reads any place."""

    def __init__(self, theme: Theme, say: Words) -> None:
        super().__init__()
        self._theme, self._say = theme, say
        self._schedule: ScheduleView | None = None
        self._now: datetime | None = None
        self._cursor: datetime | None = None
        self._chosen = 0
        self.setMinimumSize(200, 110)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(say("curve.name"))

    def sizeHint(self) -> QSize:
        return QSize(420, 200)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_schedule(self, schedule: ScheduleView | None) -> None:
        """Another schedule; None empties it."""
        if schedule != self._schedule:
            self._schedule = schedule
            self._chosen = 0
            self._describe()
            self.update()

    def set_now(self, now: datetime) -> None:
        """Where the line of the present stands."""
        if now != self._now:
            self._now = now
            self.update()

    def reading(self, moment: datetime) -> str:
        """What limits at a moment, in words."""
        schedule = self._schedule
        step = None if schedule is None else schedule.at(moment)
        if schedule is None or step is None:
            return self._say("curve.nothing")
        after = next((one.start for one in schedule.steps if one.start > moment), schedule.end)
        params = {
            "start": _clock(step.start, schedule),
            "end": _clock(after, schedule),
            "limit": figure(step.limit, schedule.unit, self._say),
        }
        if step.profile is None:
            return self._say("curve.reading.bare", **params)
        return self._say(
            "curve.reading", purpose=step.purpose, id=step.profile, level=step.level, **params
        )

    # ------------------------------------------------------------------ places

    def _area(self) -> QRectF:
        return QRectF(
            LEFT, TOP, max(10.0, self.width() - LEFT - RIGHT), self.height() - TOP - BOTTOM
        )

    def _x(self, moment: datetime) -> float:
        schedule = self._schedule
        assert schedule is not None
        whole = (schedule.end - schedule.start).total_seconds() or 1.0
        area = self._area()
        part = (moment - schedule.start).total_seconds() / whole
        return area.left() + area.width() * min(1.0, max(0.0, part))

    def _moment(self, x: float) -> datetime | None:
        schedule, area = self._schedule, self._area()
        if schedule is None or not area.left() <= x <= area.right():
            return None
        part = (x - area.left()) / area.width()
        return schedule.start + (schedule.end - schedule.start) * part

    def _top(self) -> float:
        """The highest limit, with a little room."""
        schedule = self._schedule
        assert schedule is not None
        lanes = (step for lane in schedule.lanes for step in lane.steps)
        limits = [step.limit for step in (*schedule.steps, *lanes) if step.limit is not None]
        return max([1.0, *limits]) * 1.12

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("panel"))
        schedule = self._schedule
        if schedule is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = self._top()
        self._paint_axes(painter, schedule, top)
        for lane in schedule.lanes:
            colour = self._theme.colour(LANE_TOKENS.get(lane.purpose, "text2"))
            pen = QPen(colour, 1.4, DASHES.get(lane.purpose, Qt.PenStyle.DashDotLine))
            painter.setPen(pen)
            painter.drawPath(self._path(lane.steps, top))
        self._paint_whole(painter, schedule, top)
        self._paint_now(painter, schedule)
        self._paint_cursor(painter, schedule, top)
        if self.hasFocus():
            painter.setPen(QPen(self._theme.colour("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def _paint_axes(self, painter: QPainter, schedule: ScheduleView, top: float) -> None:
        area, theme = self._area(), self._theme
        painter.setFont(ui_font(11))
        metrics = QFontMetricsF(painter.font())
        line, words = QPen(theme.colour("line"), 1), theme.colour("text3")
        scale = 1000.0 if schedule.unit == "W" else 1.0
        for value in _levels(top / scale):
            y = area.bottom() - area.height() * value * scale / top
            painter.setPen(line)
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(words)
            rect = QRectF(0, y - 8, LEFT - 8, 16)
            painter.drawText(
                rect,
                int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter),
                f"{value:g}",
            )
        painter.setPen(words)
        unit = self._say(f"unit.{schedule.unit}")
        side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop
        painter.drawText(QRectF(0, 0, LEFT - 8, TOP + 4), int(side), unit)
        for moment in _moments(schedule, area.width()):
            x = self._x(moment)
            text = _tick(moment, schedule)
            width = metrics.horizontalAdvance(text)
            if x + width / 2 <= self.width():
                painter.drawText(QPointF(x - width / 2, self.height() - 8), text)
                painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 3))

    def _path(self, steps: Sequence[Step], top: float) -> QPainterPath:
        """The line over the steps; where there is no limit it breaks off."""
        schedule, area = self._schedule, self._area()
        assert schedule is not None
        path, last = QPainterPath(), None
        for number, step in enumerate(steps):
            begin = self._x(step.start)
            end = steps[number + 1].start if number + 1 < len(steps) else schedule.end
            if step.limit is None:
                last = None
                continue
            y = area.bottom() - area.height() * step.limit / top
            if last is None:
                path.moveTo(begin, y)
            else:
                path.lineTo(begin, y)
            path.lineTo(self._x(end), y)
            last = y
        return path

    def _paint_whole(self, painter: QPainter, schedule: ScheduleView, top: float) -> None:
        path, area = self._path(schedule.steps, top), self._area()
        colour = self._theme.colour("warn")
        for polygon in path.toSubpathPolygons():
            fill = QPainterPath()
            fill.addPolygon(polygon)
            fill.lineTo(polygon.last().x(), area.bottom())
            fill.lineTo(polygon.first().x(), area.bottom())
            painter.fillPath(fill, self._theme.colour("warn", 0.10))
        pen = QPen(colour, 2.4)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)

    def _paint_now(self, painter: QPainter, schedule: ScheduleView) -> None:
        now, area = self._now, self._area()
        if now is None or not schedule.start <= now <= schedule.end:
            return
        x = self._x(now)
        painter.setPen(QPen(self._theme.colour("text"), 1.4))
        painter.drawLine(QPointF(x, area.top() - 4), QPointF(x, area.bottom()))
        painter.setBrush(self._theme.colour("text"))
        painter.drawEllipse(QPointF(x, area.top() - 4), 3, 3)

    def _paint_cursor(self, painter: QPainter, schedule: ScheduleView, top: float) -> None:
        moment = self._cursor
        if moment is None and self.hasFocus() and schedule.steps:
            moment = schedule.steps[min(self._chosen, len(schedule.steps) - 1)].start
        if moment is None:
            return
        area, theme, x = self._area(), self._theme, self._x(moment)
        painter.setPen(QPen(theme.colour("text3"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setFont(ui_font(12))
        text = self.reading(moment)
        size = QFontMetricsF(painter.font()).size(0, text)
        left = min(max(LEFT, x + 8), self.width() - size.width() - 18)
        box = QRectF(left, area.top() + 2, size.width() + 14, size.height() + 8)
        painter.setPen(QPen(QColor(theme.colour("line2")), 1))
        painter.setBrush(theme.colour("raised"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(theme.colour("text"))
        painter.drawText(box.adjusted(7, 4, -7, -4), text)

    # ------------------------------------------------------------------ pointer and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._cursor = self._moment(event.position().x())
        self.update()

    def leaveEvent(self, event: object) -> None:
        self._cursor = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = () if self._schedule is None else self._schedule.steps
        ways = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}
        way = ways.get(Qt.Key(event.key()))
        if way is None or not steps:
            super().keyPressEvent(event)
            return
        self._chosen = min(max(0, self._chosen + way), len(steps) - 1)
        self._describe()
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def _describe(self) -> None:
        """What a screen reader says: the step that the keys stand on."""
        steps = () if self._schedule is None else self._schedule.steps
        chosen = steps[min(self._chosen, len(steps) - 1)] if steps else None
        self.setAccessibleDescription("" if chosen is None else self.reading(chosen.start))


def figure(limit: float | None, unit: str, say: Words) -> str:
    """A limit with its unit; watts as kilowatts."""
    if limit is None:
        return say("curve.unlimited")
    value = limit / 1000 if unit == "W" else limit
    return f"{value:,.2f}".rstrip("0").rstrip(".") + f" {say(f'unit.{unit}')}"


def _levels(top: float) -> list[float]:
    """Round values of the upright axis, about four of them."""
    raw = top / 4
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * part for part in (1, 2, 5, 10) if size * part >= raw)
    return [step * number for number in range(int(top / step) + 1)]


def _moments(schedule: ScheduleView, width: float) -> list[datetime]:
    """Round moments of the time axis, in the clock of this place."""
    whole = (schedule.end - schedule.start).total_seconds()
    most = max(1.0, width / TICK_ROOM)
    step = next((size for size in TICKS if whole / size <= most), TICKS[-1])
    begin = schedule.start.astimezone()
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (begin - midnight).total_seconds()
    first = midnight + timedelta(seconds=math.ceil(passed / step) * step)
    return [first + timedelta(seconds=step * n) for n in range(int(whole / step) + 1)]


def _tick(moment: datetime, schedule: ScheduleView) -> str:
    local = moment.astimezone()
    days = (schedule.end - schedule.start) > timedelta(days=2)
    return local.strftime("%a %d" if days else "%H:%M")


def _clock(moment: datetime, schedule: ScheduleView) -> str:
    local = moment.astimezone()
    if (schedule.end - schedule.start) > timedelta(days=2):
        return local.strftime("%a %H:%M")
    return local.strftime("%H:%M:%S" if local.second else "%H:%M")
