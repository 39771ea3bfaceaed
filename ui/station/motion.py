"""What moves on the picture by itself: energy on cables, a ring that turns, cars that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer

from ui.station.mood import Moving
from ui.station.views import BayView

if TYPE_CHECKING:
    from ui.station.canvas import StationCanvas

FRAME_MS = 33
DRIVE_SECONDS = 0.55


class Motion(QObject):
    """A timer that runs only while something moves in sight, and moves it."""

    def __init__(self, canvas: StationCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._tick)
        self._since = QElapsedTimer()

    @property
    def running(self) -> bool:
        return self._timer.isActive()

    def pace(self) -> None:
        """Start or stop, as what is shown needs it."""
        wanted = self._is_wanted()
        if wanted and not self._timer.isActive():
            self._since.start()
            self._timer.start()
        elif not wanted and self._timer.isActive():
            self._timer.stop()

    def stop(self) -> None:
        """Nobody looks any more: cars are where they are going."""
        self._canvas.picture.mood.moving.clear()
        self._timer.stop()

    def cars_moved(self, before: dict[int, BayView]) -> None:
        """Let cars that came or went be seen driving."""
        mood = self._canvas.picture.mood
        if mood.still or not self._canvas.isVisible():
            return
        for number, view in self._canvas.picture.views.items():
            old = before.get(number)
            if old is None:
                continue
            if old.car is None and view.car is not None:
                mood.moving[number] = Moving(view, arriving=True)
            elif old.car is not None and view.car is None:
                mood.moving[number] = Moving(old, arriving=False)

    def _is_wanted(self) -> bool:
        canvas, picture, mood = self._canvas, self._canvas.picture, self._canvas.picture.mood
        if mood.still or not canvas.isVisible() or canvas.window().isMinimized():
            return False
        return bool(
            mood.moving or picture.asking() or any(view.flowing for view in picture.views.values())
        )

    def _tick(self) -> None:
        canvas, picture, mood = self._canvas, self._canvas.picture, self._canvas.picture.mood
        if canvas.visibleRegion().isEmpty() or canvas.window().isMinimized():
            self._timer.stop()
            return
        seconds = min(0.2, self._since.restart() / 1000)
        for number, view in picture.views.items():
            if view.flowing:
                pace = 14.0 + 76.0 * view.share
                mood.phases[number] = (mood.phases.get(number, 0.0) + pace * seconds) % 1700.0
                canvas.refresh(picture.cable_rect(number))
        mood.turn = (mood.turn + 140 * seconds) % 360
        for cabinet in picture.asking():
            canvas.refresh(picture.ring_rect(cabinet))
        for number, moving in list(mood.moving.items()):
            moving.progress += seconds / DRIVE_SECONDS
            canvas.refresh(picture.bay_rect(number).adjusted(-30, 0, 30, 0))
            if moving.progress >= 1:
                del mood.moving[number]
        self.pace()
