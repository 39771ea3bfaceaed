"""Paints the whole picture anew in turns of the loop: in another size or theme nothing that is kept fits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, QTimer
from PySide6.QtGui import QPainter, QPixmap

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
        self._steps: Iterator[None] = iter(())
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._turn)

    @property
    def running(self) -> bool:
        """The picture is not ready."""
        return self._before is not None

    def shown(self, painter: QPainter) -> bool:
        """While it is not ready, show what was there before, stretched to the size of now."""
        self._seen = True
        if self._before is None:
            return False
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(self._canvas.rect(), self._before)
        return True

    def drop(self) -> None:
        """Nobody looks any more."""
        self._timer.stop()
        self._steps = iter(())
        self._before, self._seen = None, False

    def __enter__(self) -> None:
        if self._seen and self._before is None:
            self._before = self._picture_of_now()

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            self._steps = self._canvas.picture.steps()
            self._timer.start()

    def _picture_of_now(self) -> QPixmap:
        picture = self._canvas.picture
        ratio = picture.ratio
        pixmap = QPixmap(round(picture.width * ratio), round(picture.height * ratio))
        pixmap.setDevicePixelRatio(ratio)
        painter = QPainter(pixmap)
        picture.paint(painter, QRectF(0, 0, picture.width, picture.height))
        painter.end()
        return pixmap

    def _turn(self) -> None:
        end = time.perf_counter() + TURN
        while time.perf_counter() < end:
            if next(self._steps, True):
                self._timer.stop()
                self._before = None
                self._canvas.update()
                return
