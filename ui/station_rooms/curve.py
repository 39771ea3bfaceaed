"""A schedule of limits as a step curve: each purpose as a thin line, what comes of them as a bold one.

Keys, pointer and words are here; `ui.graphs.step_plot` draws it with pyqtgraph. The steps can be walked by
keys and read by screen readers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from app.ocpp.views import ScheduleView, Step
from ui.graphs.reading import PlotPlace
from ui.rooms.form import Words
from ui.theme import Theme

if TYPE_CHECKING:
    from ui.graphs.step_plot import StepPlot

LEFT, RIGHT, TOP, BOTTOM = 48, 16, 16, 24
"""px around the plot."""
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


class StepCurve(PlotPlace):
    """Arrow keys walk from step to step; the pointer reads any place."""

    def __init__(self, theme: Theme, say: Words) -> None:
        super().__init__()
        self._theme, self._say = theme, say
        self._schedule: ScheduleView | None = None
        self._now: datetime | None = None
        self._cursor: datetime | None = None
        self._chosen = 0
        self._plot: StepPlot | None = None
        self.setMinimumSize(200, 110)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(say("curve.name"))

    def sizeHint(self) -> QSize:
        return QSize(420, 200)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self._plot is not None:
            self._plot.set_theme(theme)
            self.fill_drawing()
        else:
            self.start_over()

    def show_schedule(self, schedule: ScheduleView | None) -> None:
        """Another schedule; None empties it."""
        if schedule != self._schedule:
            self._schedule = schedule
            self._chosen = 0
            self._describe()
            self.fill_drawing()

    def set_now(self, now: datetime) -> None:
        """Where the line of the present stands."""
        if now != self._now:
            self._now = now
            self._show_now()

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

    # ------------------------------------------------------------------ drawing

    def make_drawing(self) -> QWidget:
        from ui.graphs.kit import Edges
        from ui.graphs.step_plot import StepPlot

        self._plot = StepPlot(self._theme, Edges(LEFT, TOP, RIGHT, BOTTOM))
        self._plot.setAccessibleName(self.accessibleName())
        return self._plot

    def fill_drawing(self) -> None:
        """All of it; the axes depend on the room there is."""
        plot, schedule = self._plot, self._schedule
        if plot is None:
            return
        if schedule is None:
            plot.show_nothing()
            return
        from ui.graphs.step_plot import Lane

        solid = Qt.PenStyle.SolidLine
        lanes = [
            Lane(
                LANE_TOKENS.get(lane.purpose, "text2"),
                DASHES.get(lane.purpose, Qt.PenStyle.DashDotLine),
                _places(lane.steps, schedule),
            )
            for lane in schedule.lanes
        ]
        lanes.append(Lane("warn", solid, _places(schedule.steps, schedule), bold=True))
        top, whole = self._top(), _seconds(schedule.end, schedule)
        plot.show_lanes(lanes, whole, top)
        scale = 1000.0 if schedule.unit == "W" else 1.0
        levels = [(value * scale, f"{value:g}") for value in _levels(top / scale)]
        moments = [
            (_seconds(moment, schedule), _tick(moment, schedule))
            for moment in _moments(schedule, self._area().width())
        ]
        plot.show_axes(levels, moments, self._say(f"unit.{schedule.unit}"))
        self._show_now()
        self._show_cursor()

    def _show_now(self) -> None:
        plot, schedule, now = self._plot, self._schedule, self._now
        if plot is not None and schedule is not None:
            there = now is not None and schedule.start <= now <= schedule.end
            plot.show_now(_seconds(now, schedule) if now is not None and there else None)

    def _show_cursor(self) -> None:
        plot, schedule = self._plot, self._schedule
        if plot is None or schedule is None:
            return
        plot.show_focus(self.hasFocus())
        moment = self._cursor
        if moment is None and self.hasFocus() and schedule.steps:
            moment = schedule.steps[min(self._chosen, len(schedule.steps) - 1)].start
        if moment is None:
            plot.show_cursor(None, (), 0.0)
            return
        lines = tuple(self.reading(moment).splitlines())
        plot.show_cursor(_seconds(moment, schedule), lines, self._x(moment))

    # ------------------------------------------------------------------ pointer and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._cursor = self._moment(event.position().x())
        self._show_cursor()

    def leaveEvent(self, event: object) -> None:
        self._cursor = None
        self._show_cursor()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = () if self._schedule is None else self._schedule.steps
        ways = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}
        way = ways.get(Qt.Key(event.key()))
        if way is None or not steps:
            super().keyPressEvent(event)
            return
        self._chosen = min(max(0, self._chosen + way), len(steps) - 1)
        self._describe()
        self._show_cursor()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._show_cursor()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._show_cursor()

    def _describe(self) -> None:
        """What a screen reader says: the step that the keys stand on."""
        steps = () if self._schedule is None else self._schedule.steps
        chosen = steps[min(self._chosen, len(steps) - 1)] if steps else None
        self.setAccessibleDescription("" if chosen is None else self.reading(chosen.start))


def _seconds(moment: datetime, schedule: ScheduleView) -> float:
    """Since the schedule's start."""
    return (moment - schedule.start).total_seconds()


def _places(steps: Sequence[Step], schedule: ScheduleView) -> list[tuple[float, float | None]]:
    return [(max(0.0, _seconds(step.start, schedule)), step.limit) for step in steps]


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
