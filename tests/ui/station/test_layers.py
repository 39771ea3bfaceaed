"""Parts of the picture that are kept as pixmaps."""

import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QTransform

from ui.station.layers import Layer

INK = QColor("#204060")


def comb(painter, scribe):
    """Teeth of one pixel of the screen: nothing blurs or shifts them unseen."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.resetTransform()
    painter.scale(1 / painter.device().devicePixelRatio(), 1 / painter.device().devicePixelRatio())
    for x in range(0, 200, 2):
        painter.fillRect(x, 0, 1, 200, INK)


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 1.75, 2.0])
@pytest.mark.parametrize("clip", [None, QRectF(9, 3, 31, 17), QRectF(0, 0, 300, 300)])
def test_a_part_is_shown_as_it_was_painted_whatever_the_scale_of_the_screen(qapp, ratio, clip):
    layer = Layer("comb")
    layer.render("key", QRectF(7.3, 2.1, 50, 20), ratio, QTransform(), comb)
    screen = QImage(160, 80, QImage.Format.Format_RGB32)
    screen.setDevicePixelRatio(ratio)
    screen.fill(Qt.GlobalColor.white)
    painter = QPainter(screen)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    if clip is not None:
        painter.setClipRect(clip)
    layer.draw(painter, QPointF(0, 0), clip)
    painter.end()
    seen = layer.rect if clip is None else layer.rect.intersected(clip)
    left = round(layer.rect.left() * ratio)
    row = int(seen.center().y() * ratio)
    for x in range(int(seen.left() * ratio) + 1, int(seen.right() * ratio) - 1):
        tooth = (x - left) % 2 == 0
        assert (screen.pixelColor(x, row) == INK) is tooth, x
