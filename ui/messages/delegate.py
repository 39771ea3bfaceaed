"""Paints the cells of the message table straight from the row."""

from __future__ import annotations

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.ocpp.events import Direction
from app.trace.exchange import Exchange, Verdict
from ui.messages import model as m
from ui.theme import Theme, mono_font, ui_font

ROW_HEIGHT = 24
PADDING = 8


class MessageDelegate(QStyledItemDelegate):
    """One painter for all columns: arrow, words, figures, verdict with its shape."""

    def __init__(self, theme: Theme, model: m.ExchangeModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._model = model
        self._word = ui_font(12)
        self._strong = ui_font(12, 500)
        self._mono = mono_font(11)
        self._metrics = {
            id(font): QFontMetrics(font) for font in (self._word, self._strong, self._mono)
        }

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(80, ROW_HEIGHT)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        exchange = self._model.exchange(index.row())
        if exchange is None:
            return
        rect: QRect = option.rect
        column = index.column()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        self._ground(painter, rect, index.row(), selected, column)
        if column == m.DIRECTION:
            self._arrow(painter, rect, exchange)
        elif column == m.VERDICT:
            self._verdict(painter, rect, exchange)
        else:
            self._words(painter, rect, exchange, column, selected)

    def _ground(
        self, painter: QPainter, rect: QRect, row: int, selected: bool, column: int
    ) -> None:
        token = "sel" if selected else ("panel2" if row % 2 else "panel")
        painter.fillRect(rect, self._theme.colour(token))
        if selected and column == m.NUMBER:
            painter.fillRect(
                QRect(rect.left(), rect.top(), 3, rect.height()), self._theme.colour("ink")
            )

    def _words(
        self, painter: QPainter, rect: QRect, exchange: Exchange, column: int, selected: bool
    ) -> None:
        font = self._word
        token = "text2"
        if column in {m.NUMBER, m.TIME}:
            font, token = self._mono, "text3"
        elif column == m.ACTION:
            font, token = self._strong, "text"
        elif column == m.EVSE or (column == m.SUMMARY and selected):
            token = "text"
        elif column == m.LATENCY and exchange.verdict is Verdict.SLOW:
            token = "warn"
        painter.setFont(font)
        painter.setPen(self._theme.colour(token))
        inner = rect.adjusted(PADDING, 0, -PADDING, 0)
        text = self._metrics[id(font)].elidedText(
            self._model.cell(exchange, column), Qt.TextElideMode.ElideRight, inner.width()
        )
        painter.drawText(inner, int(m.alignment(column)), text)

    def _arrow(self, painter: QPainter, rect: QRect, exchange: Exchange) -> None:
        out = exchange.direction is Direction.OUT
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(QRectF(rect).center())
        if not out:
            painter.scale(-1, 1)
        painter.setPen(_pen(self._theme.colour("out" if out else "inn"), 1.6))
        painter.drawLine(QPointF(-6, 0), QPointF(6, 0))
        painter.drawPolyline(QPolygonF([QPointF(2, -4), QPointF(6, 0), QPointF(2, 4)]))
        painter.restore()

    def _verdict(self, painter: QPainter, rect: QRect, exchange: Exchange) -> None:
        colour = self._theme.colour(verdict_token(exchange.verdict))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        mark = QRectF(rect.left() + PADDING, rect.center().y() - 5.5, 12, 12)
        draw_mark(painter, mark, exchange.verdict, colour)
        painter.restore()
        painter.setFont(self._word)
        plain = exchange.verdict in {Verdict.VALID, Verdict.WAITING}
        painter.setPen(self._theme.colour("text2") if plain else colour)
        inner = rect.adjusted(PADDING + 18, 0, -4, 0)
        text = self._metrics[id(self._word)].elidedText(
            self._model.verdict_word(exchange), Qt.TextElideMode.ElideRight, inner.width()
        )
        painter.drawText(inner, int(m.alignment(m.VERDICT)), text)


def verdict_token(verdict: Verdict) -> str:
    """The colour role of a verdict."""
    if verdict is Verdict.VALID:
        return "avail"
    if verdict is Verdict.WAITING:
        return "text2"
    return "fault" if verdict in m.BAD else "warn"


def draw_mark(painter: QPainter, box: QRectF, verdict: Verdict, colour: QColor) -> None:
    """The shape of a verdict, since colour alone says nothing: tick, arc, cross, triangle."""
    painter.setPen(_pen(colour, 1.6))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    x, y, w, h = box.x(), box.y(), box.width(), box.height()
    if verdict is Verdict.VALID:
        tick = [(0.1, 0.55), (0.4, 0.85), (0.95, 0.2)]
        painter.drawPolyline(QPolygonF([QPointF(x + a * w, y + b * h) for a, b in tick]))
    elif verdict is Verdict.WAITING:
        painter.drawArc(box.adjusted(1, 1, -1, -1), 90 * 16, -270 * 16)
    elif verdict in {Verdict.TIMEOUT, Verdict.DISCONNECTED}:
        painter.drawLine(QPointF(x + 2, y + 2), QPointF(x + w - 2, y + h - 2))
        painter.drawLine(QPointF(x + w - 2, y + 2), QPointF(x + 2, y + h - 2))
    else:
        path = QPainterPath()
        path.addPolygon(
            QPolygonF([QPointF(x + w / 2, y), QPointF(x + w, y + h - 1), QPointF(x, y + h - 1)])
        )
        path.closeSubpath()
        filled = verdict in m.BAD
        if filled:
            painter.setBrush(colour)
        painter.drawPath(path)
        painter.setPen(
            _pen(
                QColor("#000000")
                if filled and colour.lightnessF() > 0.5
                else QColor("#ffffff")
                if filled
                else colour,
                1.4,
            )
        )
        painter.drawLine(QPointF(x + w / 2, y + 4), QPointF(x + w / 2, y + h - 5))
        painter.drawPoint(QPointF(x + w / 2, y + h - 3))


def _pen(colour: QColor, width: float) -> QPen:
    pen = QPen(colour, width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen
