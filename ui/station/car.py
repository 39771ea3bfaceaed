"""Cars, seen from the front: a hatchback and a van, in the paint of their vehicle.

Drawn around their axis with the wheels on the ground (scene units; axis x 116 of the outlines).
"""

from __future__ import annotations

import zlib

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QTransform

from ui.station.scenery import ellipse_glow, soft, vertical
from ui.station.views import CarView
from ui.theme.theme import Theme
from ui.widgets.glyphs import line_pen
from ui.widgets.scribe import CENTRE, PaintedLabel, Scribe
from ui.widgets.svgpath import outline

AXIS = 116.0
NO_PEN = Qt.PenStyle.NoPen
WHITE = QColor("#FFFFFF")
BLACK = QColor("#000000")
TRIM = "#0B1015"

BODY = (
    "M26 498C18 492 17 472 18 438C19 422 26 413 38 407L55 364C60 352 72 348 116 347"
    "C160 348 172 352 177 364L194 407C206 413 213 422 214 438C215 472 214 492 206 498z"
)
GLASS = (
    "M47 406L62 367C66 359 76 356 116 356C156 356 166 359 170 367L185 406C152 401 80 401 47 406z"
)
ROOF = "M58 361C64 352 76 348.5 116 348C156 348.5 168 352 174 361"
VAN_BODY = (
    "M26 498C18 492 17 472 18 438C19 424 23 414 30 406L42 322C44 309 52 304 116 303"
    "C180 304 188 309 190 322L202 406C209 414 213 424 214 438C215 472 214 492 206 498z"
)
VAN_GLASS = (
    "M42 406L53 336C55 327 62 324 116 324C170 324 177 327 179 336L190 406C156 400 76 400 42 406z"
)
VAN_ROOF = "M46 318C50 307 60 304.5 116 304C172 304.5 182 307 186 318"

PAINTS = {"city-52": "blue", "tourer-800": "silver", "van": "white", "plug-in-hybrid": "green"}


def paint_name(vehicle: str, paints: tuple[str, ...]) -> str:
    """The paint of a vehicle: known ones have their own, others one that follows from their id."""
    for known, name in PAINTS.items():
        if vehicle.startswith(known.split("-", maxsplit=1)[0]):
            return name
    return paints[zlib.crc32(vehicle.encode()) % len(paints)]


def is_van(vehicle: str) -> bool:
    return "van" in vehicle.lower()


def ghost(painter: QPainter, axis: float, colour: QColor) -> None:
    """A car that is expected: a dashed outline."""
    painter.save()
    painter.translate(axis - AXIS, 0)
    fill = QColor(colour)
    fill.setAlphaF(0.06)
    painter.setPen(NO_PEN)
    painter.setBrush(fill)
    painter.drawPath(outline(BODY))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for data, width, alpha in (
        (BODY, 1.5, 0.85),
        (GLASS, 1.0, 0.55),
        ("M26 434h44M162 434h44M60 472h112", 1.0, 0.55),
    ):
        tone = QColor(colour)
        tone.setAlphaF(alpha)
        pen = line_pen(tone, width)
        pen.setDashPattern([5 / width, 5 / width])
        painter.setPen(pen)
        painter.drawPath(outline(data))
    painter.restore()


class CarPainter:
    """Paints one car; the same picture for the same vehicle."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme

    def paint(self, painter: QPainter, axis: float, car: CarView, *, lights: bool) -> None:
        painter.save()
        painter.translate(axis - AXIS, 0)
        van = is_van(car.id)
        paint = self.theme.paint(paint_name(car.id, self.theme.paints))
        self._ground(painter, lights=lights)
        self._wheels_and_mirrors(painter, paint[2])
        painter.setPen(NO_PEN)
        top = 303 if van else 347
        painter.setBrush(vertical(top, 498, (0, paint[0]), (0.45, paint[1]), (1, paint[2])))
        painter.drawPath(outline(VAN_BODY if van else BODY))
        self._windscreen(painter, van=van)
        self._hood(painter, van=van)
        self._lights(painter, lights=lights)
        self._grille(painter)
        self._plate(painter, car)
        painter.restore()

    def _ground(self, painter: QPainter, *, lights: bool) -> None:
        theme = self.theme
        shadow = soft(theme.colour("shadow"), theme.light("contact_shadow"), 0.55)
        ellipse_glow(painter, QPointF(AXIS, 517), 116, 14, QBrush(shadow))
        if lights:
            pool = QBrush(soft(theme.colour("lampc"), theme.light("lamp") * 0.28, 0.5))
            for x in (44, 188):
                ellipse_glow(painter, QPointF(x, 534), 40, 10, pool)

    def _wheels_and_mirrors(self, painter: QPainter, shade: QColor) -> None:
        painter.setPen(NO_PEN)
        painter.setBrush(self.theme.colour("tyre"))
        painter.drawRoundedRect(QRectF(21, 466, 34, 48), 7, 7)
        painter.drawRoundedRect(QRectF(177, 466, 34, 48), 7, 7)
        painter.setBrush(shade)
        painter.drawPath(outline("M36 400l-17 -6c-4 -1 -6 2 -5 6l2 6c1 3 4 4 8 4h10z"))
        painter.drawPath(outline("M196 400l17 -6c4 -1 6 2 5 6l-2 6c-1 3 -4 4 -8 4h-10z"))

    def _windscreen(self, painter: QPainter, *, van: bool) -> None:
        theme = self.theme
        glass = outline(VAN_GLASS if van else GLASS)
        top = 324 if van else 356
        painter.setBrush(
            vertical(top, 406, (0, theme.colour("car_glass1")), (1, theme.colour("car_glass2")))
        )
        painter.drawPath(glass)
        for data, alpha in (
            (f"M86 {top + 0.5}L118 {top}L94 402.5L58 404.5z", 0.10),
            (f"M130 {top}h10L120 402h-10z", 0.07),
        ):
            painter.fillPath(outline(data), _veil(WHITE, alpha))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(line_pen(_veil(WHITE, 0.5), 1.4))
        painter.drawPath(outline(VAN_ROOF if van else ROOF))
        painter.setPen(NO_PEN)

    def _hood(self, painter: QPainter, *, van: bool) -> None:
        hood = outline(
            "M40 408C80 402 152 402 192 408C176 418 164 424 116 424C68 424 56 418 40 408z"
        )
        painter.fillPath(hood, vertical(404, 424, (0, _veil(WHITE, 0.3)), (1, _veil(WHITE, 0))))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(_veil(BLACK, 0.22), 1))
        painter.drawPath(outline("M70 406C72 414 78 424 80 430M162 406C160 414 154 424 152 430"))
        painter.setPen(QPen(_veil(BLACK, 0.3), 1))
        painter.drawPath(outline("M19 462C28 466 34 480 32 497M213 462C204 466 198 480 200 497"))
        painter.setPen(NO_PEN)

    def _lights(self, painter: QPainter, *, lights: bool) -> None:
        theme = self.theme
        lamp = theme.colour("lampc")
        bar = _veil(lamp, 0.55 if lights else 0.18)
        painter.setBrush(bar)
        painter.drawRoundedRect(QRectF(26, 433, 180, 1.6), 0.8, 0.8)
        glow = QBrush(soft(lamp, theme.light("lamp") * theme.light("headlight"), 0.5))
        housing = outline("M22 426L64 432L62 437L26 440C21 436 20 431 22 426z")
        for flip in (False, True):
            painter.save()
            if flip:
                painter.setTransform(QTransform(-1, 0, 0, 1, 2 * AXIS, 0), combine=True)
            painter.setPen(NO_PEN)
            painter.setBrush(_veil(QColor(TRIM), 0.85))
            painter.drawPath(housing)
            painter.setPen(line_pen(lamp if lights else _veil(lamp, 0.45), 2.4))
            painter.drawLine(QPointF(25, 430), QPointF(58, 434))
            if lights:
                ellipse_glow(painter, QPointF(40, 433), 34, 14, glow)
            painter.restore()

    def _grille(self, painter: QPainter) -> None:
        painter.setPen(NO_PEN)
        mouth = outline("M54 466H178L170 488C169 491 166 492 163 492H69C66 492 63 491 62 488z")
        painter.fillPath(mouth, _veil(QColor(TRIM), 0.8))
        for y in (474, 481):
            painter.fillRect(QRectF(66, y, 100, 1), _veil(WHITE, 0.10))
        painter.setBrush(_veil(BLACK, 0.45))
        painter.drawRoundedRect(QRectF(28, 495, 176, 4), 2, 2)

    def _plate(self, painter: QPainter, car: CarView) -> None:
        painter.setBrush(QColor("#F3F4F2"))
        painter.drawRoundedRect(QRectF(92, 452, 48, 11), 2, 2)
        painter.setBrush(QColor("#2B5FB8"))
        painter.drawRoundedRect(QRectF(92, 452, 6, 11), 1.5, 1.5)
        number = zlib.crc32(car.id.encode()) % 900 + 100
        unlisted: list[PaintedLabel] = []
        scribe = Scribe(painter, unlisted, "plate")
        scribe.write(119, 460.4, f"FC E {number}", 7, 600, QColor("#1A2026"), align=CENTRE)


def _veil(colour: QColor, alpha: float) -> QColor:
    tone = QColor(colour)
    tone.setAlphaF(alpha)
    return tone
