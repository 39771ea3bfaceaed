"""The cards as buttons: press to offer, press and move to carry; and the card in the hand."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from ui.theme.theme import Theme
from ui.wallet.card import HEIGHT, WIDTH, Card, paint_card
from ui.widgets.glyphs import paint_glyph
from ui.widgets.scribe import CENTRE, PaintedLabel, Scribe

MORE_WIDTH = 52
MARGIN = 4
"""px around a card that belong to its button: for shadow and focus."""
BY_KEY = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class Holder(Protocol):
    """What a card's button needs of its wallet."""

    theme: Theme
    chosen_uid: str

    def lift(self, button: CardButton, grip: QPointF) -> None: ...
    def carry(self, at: QPoint) -> None: ...
    def let_go(self, button: CardButton, at: QPoint) -> None: ...
    def reveal(self, button: QWidget) -> None: ...
    def step_focus(self, button: QAbstractButton, way: int) -> None: ...


class RowButton(QAbstractButton):
    """A place in the wallet's row: comes into sight with the keyboard, and shows that it has it."""

    def __init__(self, parent: QWidget, wallet: Holder) -> None:
        super().__init__(parent)
        self.labels: list[PaintedLabel] = []
        self._wallet = wallet
        self._by_key = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._by_key = event.reason() in BY_KEY
        self._wallet.reveal(self)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            return
        super().keyPressEvent(event)

    def _paint_focus(self, painter: QPainter, around: QRectF) -> None:
        if self.hasFocus() and self._by_key:
            painter.setPen(QPen(self._wallet.theme.colour("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(around, 10, 10)


class CardButton(RowButton):
    """One card in the wallet. A press that moves lifts it out; the wallet follows the pointer."""

    def __init__(self, parent: QWidget, wallet: Holder, card: Card) -> None:
        super().__init__(parent, wallet)
        self.card = card
        self._pressed_at: QPointF | None = None
        self.lifted = False
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.resize(round(WIDTH) + 2 * MARGIN, round(HEIGHT) + 2 * MARGIN)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.labels = []
        if self.lifted:
            painter.setOpacity(0.35)
        rect = QRectF(MARGIN, MARGIN, WIDTH, self.height() - 2 * MARGIN)
        origin = QPointF(self.pos())
        paint_card(
            painter,
            Scribe(painter, self.labels, "card", origin),
            self._wallet.theme,
            self.card,
            rect,
            chosen=self.card.uid == self._wallet.chosen_uid,
            hovered=self.underMouse(),
        )
        self._paint_focus(painter, rect.adjusted(-2.5, -2.5, 2.5, 2.5))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._wallet.step_focus(self, 1 if event.key() == Qt.Key.Key_Right else -1)
            return
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_at = event.position()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed_at is None:
            super().mouseMoveEvent(event)
            return
        far = (event.position() - self._pressed_at).manhattanLength()
        if not self.lifted and far >= QApplication.startDragDistance():
            self.lifted = True
            self._wallet.lift(self, self._pressed_at)
        if self.lifted:
            self._wallet.carry(event.globalPosition().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        lifted, self.lifted, self._pressed_at = self.lifted, False, None
        if lifted:
            self.setDown(False)
            self._wallet.let_go(self, event.globalPosition().toPoint())
            return
        super().mouseReleaseEvent(event)


class CardOverlay(QWidget):
    """The card in the hand, above everything in its window."""

    def __init__(self, parent: QWidget, card: Card, theme: Theme) -> None:
        super().__init__(parent)
        self._card = card
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.resize(round(WIDTH) + 8, round(HEIGHT) + 12)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        labels: list[PaintedLabel] = []
        scribe = Scribe(painter, labels, "overlay")
        paint_card(
            painter, scribe, self._theme, self._card, QRectF(4, 4, WIDTH, HEIGHT), chosen=True
        )


class MoreButton(QAbstractButton):
    """The row goes on beyond this edge: a fade with an arrow; `way` is -1 to the left, 1 to the right."""

    def __init__(self, parent: QWidget, wallet: Holder, way: int) -> None:
        super().__init__(parent)
        self.way = way
        self._wallet = wallet
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # arrow keys go along the cards themselves
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.resize(MORE_WIDTH, round(HEIGHT) + 2 * MARGIN)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._wallet.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inner, outer = (self.width(), 0) if self.way < 0 else (0, self.width())
        fade = QLinearGradient(inner, 0, outer, 0)
        fade.setColorAt(0, theme.colour("panel", 0.0))
        fade.setColorAt(0.45, theme.colour("panel", 0.92))
        fade.setColorAt(1, theme.colour("panel"))
        painter.fillRect(self.rect(), fade)
        middle = QPointF(self.width() / 2 + self.way * 6, self.height() / 2)
        painter.setPen(QPen(theme.colour("text3" if self.underMouse() else "line2"), 1))
        painter.setBrush(theme.colour("raised"))
        painter.drawEllipse(middle, 14, 14)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.translate(middle)
        if self.way < 0:
            painter.scale(-1, 1)
        paint_glyph(painter, "chevron-right", QPointF(0.5, 0), 8, theme.colour("text"))


class AddButton(RowButton):
    """The empty place at the end: make a new card."""

    def __init__(self, parent: QWidget, wallet: Holder) -> None:
        super().__init__(parent, wallet)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.resize(72, round(HEIGHT) + 2 * MARGIN)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._wallet.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(4.5, 4.5, 63, self.height() - 2 * MARGIN - 1)
        pen = QPen(theme.colour("text3" if self.underMouse() else "line2"), 1)
        pen.setDashPattern([4, 4])
        painter.setPen(pen)
        painter.drawRoundedRect(rect, 8, 8)
        x, y = rect.center().x(), rect.center().y()
        plus = QPointF(x, y - min(8.0, rect.height() / 5))
        paint_glyph(painter, "plus", plus, 8, theme.colour("text2"))
        self.labels = []
        Scribe(painter, self.labels, "add", QPointF(self.pos())).write(
            x, y + min(21.0, rect.height() / 3), self.text(), 11, 500, theme.colour("text2"),
            align=CENTRE, room=58,
        )  # fmt: skip
        self._paint_focus(painter, rect.adjusted(-2, -2, 2, 2))
