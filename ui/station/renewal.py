"""Paints the whole picture anew in turns of the loop: in another size or theme nothing that is kept fits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPixmap, QTransform

from ui.station.geometry import GROUND
from ui.station.picture import Picture

if TYPE_CHECKING:
    from ui.station.canvas import StationCanvas

TURN = 0.006
"""Seconds of painting in one turn of the loop."""


class Renewal(QObject):
    """`with renewal: ...` around what makes the picture another one; what was seen stays until that is ready.

    A picture that nobody has seen yet is painted at once.
    """

    def __init__(self, canvas: StationCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._seen = False
        self._before: QPixmap | None = None
        self._then, self._head = QTransform(), 0.0
        self._steps: Iterator[None] = iter(())
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._turn)

    @property
    def running(self) -> bool:
        """The picture is not ready."""
        return self._before is not None

    def shown(self, painter: QPainter) -> bool:
        """While it is not ready, show what was there before, each thing where it will be."""
        self._seen = True
        if self._before is None:
            return False
        picture, before, head = self._canvas.picture, self._before, self._head
        top, width, height = picture.head_height, picture.width, picture.height
        ground = picture.point(QPointF(0, GROUND)).y()
        painter.fillRect(QRectF(0, top, width, height), picture.theme.colour("wall1"))
        painter.fillRect(QRectF(0, ground, width, height), picture.theme.colour("floor1"))
        painter.save()
        painter.setClipRect(QRectF(0, top, width, height), Qt.ClipOperation.IntersectClip)
        painter.setTransform(self._then.inverted()[0] * _onto_widget(picture))
        ratio, size = before.devicePixelRatio(), before.deviceIndependentSize()
        below = QRectF(0, head * ratio, before.width(), before.height() - head * ratio)
        painter.drawPixmap(QRectF(0, head, size.width(), size.height() - head), before, below)
        painter.restore()
        picture.paint(painter, picture.head_rect)  # quickly made, and words are not stretched
        return True

    def drop(self) -> None:
        """Nobody looks any more."""
        self._timer.stop()
        self._steps = iter(())
        self._before, self._seen = None, False

    def __enter__(self) -> None:
        picture = self._canvas.picture
        if self._seen and self._before is None and picture.frame is not None:
            self._before = _photograph(picture)
            self._then, self._head = _onto_widget(picture), picture.head_height

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            self._steps = self._canvas.picture.steps()
            self._timer.start()

    def _turn(self) -> None:
        end = time.perf_counter() + TURN
        while time.perf_counter() < end:
            if next(self._steps, True):
                self._timer.stop()
                self._before = None
                self._canvas.update()
                return


def _onto_widget(picture: Picture) -> QTransform:
    """From the scene to the widget, scrolled."""
    return picture.world * QTransform.fromTranslate(-picture.scroll.x(), -picture.scroll.y())


def _photograph(picture: Picture) -> QPixmap:
    ratio = picture.ratio
    pixmap = QPixmap(round(picture.width * ratio), round(picture.height * ratio))
    pixmap.setDevicePixelRatio(ratio)
    painter = QPainter(pixmap)
    picture.paint(painter, picture.whole)
    painter.end()
    return pixmap
