"""The child buttons of the picture: what a person can do, by pointer, by key and by name.

They paint nothing but their focus ring; the canvas paints what they stand for. A press that moves
becomes a drag, which the canvas follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

LEAST = 32.0


class Act(Enum):
    """What a hotspot is for. Values name the chips of the head where there are any."""

    SELECT = "select"
    PLUG = "plug"
    SOCKET = "socket"
    """The station's end of a cable that belongs to the car."""
    READER = "reader"
    STOP = "stop"
    START = "start"
    CAR = "car"
    EMERGENCY = "emergency"
    MAINS = "mains"
    NETWORK = "network"
    DOOR = "door"
    FAULTS = "faults"
    ZOOM_OUT = "zoom_out"
    ZOOM_RESET = "zoom_reset"
    ZOOM_IN = "zoom_in"


HEAD_ACTS = (
    Act.MAINS, Act.NETWORK, Act.DOOR, Act.FAULTS, Act.ZOOM_OUT, Act.ZOOM_RESET, Act.ZOOM_IN
)  # fmt: skip
DRAGGED = (Act.PLUG, Act.SOCKET, Act.CAR)


@dataclass(frozen=True, slots=True)
class Spot:
    """Which thing a hotspot stands for: evse 0 is the station; `slot` counts connectors or cabinets."""

    act: Act
    evse: int = 0
    slot: int = 0


class Stage(Protocol):
    """What a hotspot needs of its canvas."""

    def drag_begun(self, spot: Spot, at: QPointF) -> bool: ...
    def drag_moved(self, at: QPointF) -> None: ...
    def drag_ended(self, at: QPointF) -> None: ...
    def hover_changed(self) -> None: ...
    def focus_reached(self, spot: Spot) -> None: ...
    def nudged(self, spot: Spot, way: int) -> bool: ...


class Hotspot(QAbstractButton):
    """One act on the picture."""

    def __init__(self, parent: QWidget, stage: Stage, spot: Spot) -> None:
        super().__init__(parent)
        self.spot = spot
        self.ring = QColor()
        self.halo = QColor()
        self._stage = stage
        self._pressed_at: QPointF | None = None
        self._dragging = False
        self._shape = QRectF()
        self._round = False
        self._by_key = False
        self.force = False
        self.setObjectName(f"{spot.act.value}-{spot.evse}-{spot.slot}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def put(self, shape: QRectF, area: QRectF, *, circle: bool = False) -> None:
        """Lie over `shape` (widget px) with a hit area of at least 32 px, inside `area` if it can be."""
        width, height = max(LEAST, shape.width() + 8), max(LEAST, shape.height() + 8)
        hit = QRectF(shape.center().x() - width / 2, shape.center().y() - height / 2, width, height)
        if area.intersects(hit):
            hit.moveLeft(min(max(hit.left(), area.left()), area.right() - hit.width()))
            hit.moveTop(min(max(hit.top(), area.top()), area.bottom() - hit.height()))
        whole = hit.toAlignedRect()
        self._shape = shape.translated(-whole.left(), -whole.top())
        self._round = circle
        self.setGeometry(whole)

    def colour(self, ring: QColor, halo: QColor) -> None:
        """The focus ring and the line that sets it off."""
        self.ring, self.halo = ring, halo
        self.update()

    def name(self, text: str, hint: str = "") -> None:
        """What the act is called: for screen readers and as a tooltip."""
        if self.accessibleName() != text:
            self.setAccessibleName(text)
        tip = f"{text}\n{hint}" if hint else text
        if self.toolTip() != tip:
            self.setToolTip(tip)

    @property
    def focus_shown(self) -> bool:
        return self.hasFocus() and self._by_key

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.focus_shown:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        shape = self._shape.adjusted(-3, -3, 3, 3)
        shape = shape.intersected(QRectF(self.rect()).adjusted(2, 2, -2, -2))
        # The picture is light and dark at once: a line of the other kind sets the ring off.
        for pen in (QPen(self.halo, 4.5), QPen(self.ring, 2)):
            painter.setPen(pen)
            if self._round:
                side = min(shape.width(), shape.height())
                painter.drawEllipse(shape.center(), side / 2, side / 2)
            else:
                painter.drawRoundedRect(shape, 6, 6)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._by_key = event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
            Qt.FocusReason.ShortcutFocusReason,
        )
        if self._by_key:
            self._stage.focus_reached(self.spot)
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._by_key = False
        super().focusOutEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._by_key = True
            self.force = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.click()
            return
        nudges = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Minus: -1}
        if event.key() in nudges and self._stage.nudged(self.spot, nudges[Qt.Key(event.key())]):
            return
        if event.key() == Qt.Key.Key_Space:
            self.force = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        super().keyPressEvent(event)

    def enterEvent(self, event: object) -> None:
        self._stage.hover_changed()

    def leaveEvent(self, event: object) -> None:
        self._stage.hover_changed()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_at = event.position()
            self._dragging = False
            self.force = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed_at is None or self.spot.act not in DRAGGED:
            super().mouseMoveEvent(event)
            return
        here = self._outside(event)
        far = (event.position() - self._pressed_at).manhattanLength()
        if not self._dragging and far >= QApplication.startDragDistance():
            self._dragging = self._stage.drag_begun(self.spot, here)
        if self._dragging:
            self._stage.drag_moved(here)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        dragging, self._dragging, self._pressed_at = self._dragging, False, None
        if dragging:
            self.setDown(False)
            self._stage.drag_ended(self._outside(event))
            return
        super().mouseReleaseEvent(event)

    def _outside(self, event: QMouseEvent) -> QPointF:
        """The pointer in the canvas' coordinates."""
        return QPointF(self.mapToParent(QPoint(0, 0))) + event.position()

    @property
    def outline(self) -> tuple[QRectF, bool]:
        """What it stands for on the canvas (px), and is that a circle."""
        return self._shape.translated(QPointF(self.pos())), self._round
