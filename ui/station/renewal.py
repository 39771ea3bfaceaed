"""Paints the whole picture in turns of the loop: the first one, and in another size or theme a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap, QTransform

from ui.station.geometry import GROUND
from ui.widgets.turns import Turns, Work

if TYPE_CHECKING:
    from ui.station.canvas import StationCanvas


class Renewal(QObject):
    """`with renewal: ...` around what makes the picture another one; what was seen stays until that is ready.

    A picture that nobody has seen yet is painted at once, unless it is asked to open in turns: then wall and
    floor are seen until it is ready.
    """

    def __init__(self, canvas: StationCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._seen = self._running = self._opens = False
        self._before: QPixmap | None = None
        self._then = QTransform()
        self._turns = Turns(self)

    @property
    def running(self) -> bool:
        """The picture is not ready."""
        return self._running or self._opens

    def open_in_turns(self) -> None:
        """The next picture that is seen is the first one of a window that opens."""
        self._opens = True

    def again(self) -> None:
        """What is being painted has become another picture."""
        if self._running:
            self._start()

    def shown(self, painter: QPainter) -> bool:
        """While it is not ready, show what was there before, each thing where it will be."""
        picture = self._canvas.picture
        if self._opens and picture.frame is not None:
            self._opens, self._running = False, True
            self._start()
        self._seen = True
        if not self._running:
            return False
        ground = picture.point(QPointF(0, GROUND)).y()
        wall, floor = QRectF(picture.whole), QRectF(picture.whole)
        wall.setBottom(ground)
        floor.setTop(ground)
        painter.fillRect(wall, picture.theme.colour("wall1"))
        painter.fillRect(floor, picture.theme.colour("floor1"))
        if not picture.content.lit:
            painter.fillRect(picture.whole, picture.night)
        if self._before is not None:
            self._show_before(painter, self._before)
            picture.paint(painter, picture.head_rect)  # quickly made, and words are not stretched
        return True

    def _show_before(self, painter: QPainter, before: QPixmap) -> None:
        picture = self._canvas.picture
        painter.save()
        painter.setClipRect(
            QRectF(0, picture.head_height, picture.width, picture.height),
            Qt.ClipOperation.IntersectClip,
        )
        away = QTransform.fromTranslate(-picture.scroll.x(), -picture.scroll.y())
        painter.setTransform(self._then.inverted()[0] * picture.world * away)
        painter.drawPixmap(QPointF(0, 0), before)
        painter.restore()

    def drop(self) -> None:
        """Nobody looks any more."""
        self._turns.stop()
        self._before = None
        self._seen = self._running = False

    def __enter__(self) -> None:
        picture = self._canvas.picture
        if self._seen and not self._running and picture.frame is not None:
            self._before, self._then = picture.photograph(), picture.world
            self._running = True

    def __exit__(self, *_: object) -> None:
        self.again()

    def _start(self) -> None:
        self._turns.start(self._paint())

    def _paint(self) -> Work:
        yield from self._canvas.picture.steps()
        yield from self._canvas.picture.steps()  # what has changed in between
        self._before, self._running = None, False
        self._canvas.update()
