"""Parts of the picture kept as pixmaps, painted anew only when what they show has changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPixmap, QTransform

from ui.widgets.scribe import PaintedLabel, Scribe
from ui.widgets.turns import ALONE, Work

Paint = Callable[[QPainter, Scribe], Iterator[None] | None]
"""Paints a part: all of it at once, or in steps."""


def on_grid(rect: QRectF, ratio: float) -> QRectF:
    """`rect` grown to whole device pixels, so that a pixmap of it is shown unchanged."""
    left = math.floor(rect.left() * ratio) / ratio
    top = math.floor(rect.top() * ratio) / ratio
    right = math.ceil(rect.right() * ratio) / ratio
    bottom = math.ceil(rect.bottom() * ratio) / ratio
    return QRectF(left, top, right - left, bottom - top)


class Layer:
    """One cached part: a pixmap, where it lies (unscrolled widget px) and what is written on it."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.rect = QRectF()
        self.labels: list[PaintedLabel] = []
        self.renders = 0
        self.fixed = False
        """Does it stay where it is when the picture scrolls."""
        self._key: Hashable = None
        self._pixmap = QPixmap()
        self._ratio = 1.0

    def matches(self, key: Hashable) -> bool:
        return self._key == key and not self._pixmap.isNull()

    def render(
        self,
        key: Hashable,
        rect: QRectF,
        ratio: float,
        world: QTransform,
        paint: Paint,
        *,
        opaque: bool = False,
    ) -> None:
        """Paint the part anew if `key` has changed; `rect` in widget px, `world` scene to widget.

        `opaque` parts are mixed with 16 bits a channel, so that faint light has no coloured bands.
        """
        for _ in self.painting(key, rect, ratio, world, paint, opaque=opaque):
            pass

    def painting(
        self,
        key: Hashable,
        rect: QRectF,
        ratio: float,
        world: QTransform,
        paint: Paint,
        *,
        opaque: bool = False,
    ) -> Work:
        """As `render`, step by step; what was there before is shown until the last one."""
        if self.matches(key):
            return
        if opaque:
            yield ALONE  # it is as large as the picture: a few ms to clear, and to convert in the end
        rect = on_grid(rect, ratio)
        deep = QImage.Format.Format_RGBX64
        form = deep if opaque else QImage.Format.Format_ARGB32_Premultiplied
        image = QImage(
            max(1, round(rect.width() * ratio)), max(1, round(rect.height() * ratio)), form
        )
        image.setDevicePixelRatio(ratio)
        image.fill(Qt.GlobalColor.black if opaque else Qt.GlobalColor.transparent)
        if opaque:
            yield
        labels: list[PaintedLabel] = []
        painter = QPainter(image)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
            painter.setTransform(world * QTransform.fromTranslate(-rect.left(), -rect.top()))
            steps = paint(painter, Scribe(painter, labels, self.owner, rect.topLeft()))
            if steps is not None:
                yield from steps
        finally:
            painter.end()
        if opaque:
            yield ALONE
            image = image.convertToFormat(QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(1.0)
        self._pixmap = QPixmap.fromImage(image)
        self._key, self._ratio, self.rect, self.labels = key, ratio, rect, labels
        self.renders += 1

    def give_away(self) -> QPixmap:
        """The pixmap, to be painted on; the part is painted anew when it is wanted again."""
        pixmap, self._pixmap = self._pixmap, QPixmap()
        pixmap.setDevicePixelRatio(self._ratio)
        return pixmap

    def draw(self, painter: QPainter, offset: QPointF, clip: QRectF | None = None) -> None:
        """Show the part, moved by `offset`; only what lies in `clip` where one is given.

        It is drawn in the pixels of the screen: in other units Qt would stretch it, if only by nothing.
        """
        ratio, place = self._ratio, self.rect.translated(offset)
        part = place if clip is None else place.intersected(clip)
        if part.isEmpty():
            return
        corner = QPoint(round(place.left() * ratio), round(place.top() * ratio))
        shown = QRect(
            QPoint(math.floor(part.left() * ratio), math.floor(part.top() * ratio)),
            QPoint(math.ceil(part.right() * ratio) - 1, math.ceil(part.bottom() * ratio) - 1),
        ).intersected(QRect(corner, self._pixmap.size()))
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
        painter.drawPixmap(shown.topLeft(), self._pixmap, shown.translated(-corner))
        painter.restore()
