"""The face of a cabinet: light bars, glass with reader, emergency stop, stop buttons, name."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QRadialGradient

from app.station.kinds import BayStatus, ReaderLamp
from ui.station.geometry import Build, Cabinet
from ui.station.scenery import ellipse_glow, soft, vertical
from ui.station.screen import SMALLEST
from ui.theme.theme import Theme
from ui.widgets.glyphs import STATE_TOKEN, line_pen, paint_glyph
from ui.widgets.scribe import CENTRE, Scribe, text_width
from ui.widgets.svgpath import outline

NO_PEN = Qt.PenStyle.NoPen
RING = 16.0
WAVES = "M-4 3.6a5.2 5.2 0 0 0 0 -7.2M-0.6 6a9 9 0 0 0 0 -12M2.8 8.2a12.6 12.6 0 0 0 0 -16.4"
LAMP_TOKEN = {
    ReaderLamp.WAITING: "scrtext",
    ReaderLamp.ASKING: "charge",
    ReaderLamp.ACCEPTED: "avail",
    ReaderLamp.REFUSED: "fault",
}


@dataclass(frozen=True, slots=True)
class FaceView:
    """All that the face of a cabinet shows."""

    lamps: tuple[tuple[int, BayStatus], ...]
    """Light bars: EVSE and its state."""
    lamp: ReaderLamp
    faulty: bool
    reader_label: str
    reader_short: str
    """The same where there is little room."""
    emergency: bool
    emergency_label: str
    stop_label: str
    start_label: str
    name: str
    lit: bool


class FacePainter:
    """Paints cabinets' faces of one theme at one scale."""

    def __init__(self, theme: Theme, scale: float) -> None:
        self.theme = theme
        self.glass = theme.lit
        self.scale = scale
        self._label = min(10.8, max(9.0, 8.0 / max(scale, 0.2)))

    def paint(self, painter: QPainter, scribe: Scribe, cabinet: Cabinet, view: FaceView) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._lamps(painter, cabinet, view)
        self._glass(painter, cabinet.glass)
        if cabinet.reader is not None:
            self._reader(painter, scribe, cabinet, view)
        else:
            self._starts(painter, scribe, cabinet, view)
        self._emergency(painter, scribe, cabinet, view)
        for evse in cabinet.evses:
            self._stop(painter, scribe, cabinet.stop(evse), view)
        if view.lit:
            self._name(scribe, cabinet, view)

    def _lamps(self, painter: QPainter, cabinet: Cabinet, view: FaceView) -> None:
        for evse, status in view.lamps:
            rect = cabinet.lamp(evse)
            painter.setPen(NO_PEN)
            if not view.lit or status in (BayStatus.UNAVAILABLE, BayStatus.OFF):
                painter.setBrush(self.theme.colour("slot"))
                painter.drawRoundedRect(rect, 2.5, 2.5)
                continue
            colour = self.theme.colour(STATE_TOKEN[status])
            glow = soft(colour, self.theme.light("glow"))
            ellipse_glow(
                painter, QPointF(rect.center().x(), rect.center().y() - 0.5), rect.width() * 0.72,
                26, QBrush(glow),
            )  # fmt: skip
            painter.setBrush(colour)
            painter.drawRoundedRect(rect, 2.5, 2.5)
            shine = QColor(255, 255, 255, 140)
            painter.setBrush(shine)
            painter.drawRoundedRect(
                QRectF(rect.left() + 4, rect.top() + 1, rect.width() - 8, 1.2), 0.6, 0.6
            )

    def _glass(self, painter: QPainter, rect: QRectF) -> None:
        theme = self.theme
        painter.setPen(QPen(QColor("#000000"), 1))
        painter.setBrush(
            vertical(
                rect.top(),
                rect.bottom(),
                (0, theme.colour("glass2")),
                (1, theme.colour("glass1")),
            )
        )
        painter.drawRoundedRect(rect, 8, 8)
        painter.save()
        painter.translate(rect.topLeft())
        width, height = rect.width(), rect.height()
        glare = outline(
            f"M7.5 .5H{width * 0.65}L{width * 0.2} {height - 0.5}H7.5Q.5 {height - 0.5} .5 {height - 7.5}"
            "V7.5Q.5 .5 7.5 .5z"
        )
        light, none = QColor(255, 255, 255, 16), QColor(255, 255, 255, 0)
        painter.setPen(NO_PEN)
        painter.setBrush(vertical(0, height, (0, light), (1, none)))
        painter.drawPath(glare)
        painter.restore()

    def _reader(self, painter: QPainter, scribe: Scribe, cabinet: Cabinet, view: FaceView) -> None:
        centre, glass = cabinet.ring, self.glass
        token = LAMP_TOKEN.get(view.lamp)
        on = view.lit and token is not None and not view.faulty
        colour = glass.colour(token) if on and token else QColor("#4A565F")
        if on:
            ellipse_glow(painter, centre, 29, 29, QBrush(soft(colour, 0.4)))
        painter.setPen(QPen(QColor("#2D3942"), 1))
        painter.setBrush(QColor("#0E151B"))
        painter.drawEllipse(centre, 19, 19)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor("#2C3A45"), 3))
        painter.drawEllipse(centre, RING, RING)
        pen = QPen(colour, 3)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if view.lamp in (ReaderLamp.WAITING, ReaderLamp.ASKING):
            pen.setDashPattern([5.03 / 3, 3.35 / 3])
        if on and view.lamp is not ReaderLamp.ASKING:
            painter.setPen(pen)
            painter.drawEllipse(centre, RING, RING)
        painter.save()
        painter.translate(centre)
        if on and view.lamp is ReaderLamp.ACCEPTED:
            painter.setPen(line_pen(colour, 2.6))
            painter.drawPath(outline("M-6.5 0.5l4.4 4.6L6.6 -4.8"))
        elif view.faulty or view.lamp is ReaderLamp.REFUSED:
            painter.setPen(line_pen(colour if on else glass.colour("fault"), 2.6))
            painter.drawPath(outline("M-4.8 -4.8L4.8 4.8M4.8 -4.8L-4.8 4.8"))
        else:
            painter.setPen(line_pen(QColor("#DCE8F1") if on else QColor("#4A565F"), 1.6))
            painter.drawPath(outline(WAVES))
        painter.restore()
        if view.lit:
            room = 66 if cabinet.build is Build.TOWER else cabinet.glass.width() - 10
            fits = text_width(view.reader_label, self._label, 500) <= room
            label = view.reader_label if fits else view.reader_short
            base = cabinet.glass.bottom() - 6 if cabinet.build is Build.POST else centre.y() + 32
            scribe.write(
                centre.x(),
                base,
                label,
                self._label,
                500,
                glass.colour("scr2"),
                align=CENTRE,
                room=room,
            )

    def _starts(self, painter: QPainter, scribe: Scribe, cabinet: Cabinet, view: FaceView) -> None:
        """Start buttons of a station without readers."""
        glass = self.glass
        for evse in cabinet.evses:
            centre = cabinet.start(evse)
            colour = glass.colour("avail") if view.lit else QColor("#4A565F")
            painter.setPen(QPen(colour, 2.4))
            painter.setBrush(QColor("#0E151B"))
            painter.drawEllipse(centre, 17, 17)
            paint_glyph(painter, "play", centre + QPointF(0.5, 0), 8, colour)
            if view.lit:
                base = cabinet.glass.bottom() - 6
                scribe.write(
                    centre.x(), base, view.start_label, self._label, 500, glass.colour("scr2"),
                    align=CENTRE, room=46,
                )  # fmt: skip

    def _emergency(
        self, painter: QPainter, scribe: Scribe, cabinet: Cabinet, view: FaceView
    ) -> None:
        centre = cabinet.emergency
        size = 1.0 if cabinet.build is Build.TOWER else 0.8
        painter.save()
        painter.translate(centre)
        painter.scale(size, size)
        if view.emergency:
            ellipse_glow(
                painter, QPointF(0, 0), 34, 34, QBrush(soft(self.glass.colour("fault"), 0.7))
            )
        painter.setPen(QPen(QColor("#B58E13"), 1.2))
        painter.setBrush(QColor("#F1C232"))
        painter.drawEllipse(QPointF(0, 0), 19, 19)
        painter.setPen(NO_PEN)
        painter.setBrush(QColor(0, 0, 0, 76))
        pressed = 11.0 if view.emergency else 12.5
        painter.drawEllipse(QPointF(0, 1 if view.emergency else 2), pressed + 0.5, pressed + 0.5)
        red = QRadialGradient(QPointF(0, -0.5), pressed)
        for at, name in ((0.0, "#FF8A7A"), (0.7, "#D93025"), (1.0, "#A31B12")):
            red.setColorAt(at, QColor(name))
        painter.setBrush(red)
        painter.drawEllipse(QPointF(0, 0 if view.emergency else -0.5), pressed, pressed)
        painter.setBrush(QColor(255, 255, 255, 60 if view.emergency else 97))
        painter.drawEllipse(QPointF(-3.5, -5.5), 5.4, 3.2)
        painter.restore()
        if cabinet.build is Build.TOWER and view.lit:
            scribe.write(
                centre.x(), centre.y() + 32, view.emergency_label, self._label, 500,
                QColor("#F3D27A"), align=CENTRE, room=66,
            )  # fmt: skip

    def _stop(self, painter: QPainter, scribe: Scribe, centre: QPointF, view: FaceView) -> None:
        theme = self.theme
        painter.setPen(QPen(theme.colour("plinth"), 1.4))
        painter.setBrush(QColor("#0E151B"))
        painter.drawEllipse(centre, 11, 11)
        painter.setPen(QPen(QColor("#3A4751"), 1.2))
        painter.drawEllipse(centre, 9, 9)
        painter.setPen(NO_PEN)
        painter.setBrush(QColor("#DCE8F1") if view.lit else QColor("#4A565F"))
        painter.drawRoundedRect(QRectF(centre.x() - 3.4, centre.y() - 3.4, 6.8, 6.8), 1.2, 1.2)
        if not view.lit:
            return
        scribe.write(
            centre.x(), centre.y() + 11 + self._label * 1.05, view.stop_label, self._label, 700,
            QColor("#FFFFFF") if theme.dark else theme.colour("text"), align=CENTRE, room=44,
        )  # fmt: skip

    def _name(self, scribe: Scribe, cabinet: Cabinet, view: FaceView) -> None:
        y = 214.0 if cabinet.build is Build.POST else 260.0
        size = min(13.0, max(10.0, SMALLEST / max(self.scale, 0.2)))
        at = cabinet.place(cabinet.rect.width() / 2, y)
        if text_width(view.name, size, 600) > cabinet.rect.width() - 12:
            size = 10.0
        scribe.write(
            at.x(), at.y(), view.name, size, 600, self.theme.colour("cabtext"), align=CENTRE,
            room=cabinet.rect.width() - 12,
        )  # fmt: skip


def asking_ring(painter: QPainter, centre: QPointF, colour: QColor, turn: float) -> None:
    """The moving ring of a reader that waits for an answer; `turn` in degrees."""
    painter.save()
    painter.translate(centre)
    painter.rotate(turn)
    pen = QPen(colour, 3)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setDashPattern([5.03 / 3, 3.35 / 3])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QPointF(0, 0), RING, RING)
    painter.restore()
