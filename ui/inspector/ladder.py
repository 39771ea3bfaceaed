"""What limits right now: a sentence, its figure, and the ladder of all caps with the binding one marked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.station.kinds import BayStatus, Current
from app.station.snapshot import Cap, EvseSnapshot, FaultSnapshot
from ui.inspector.faults_tab import fault_word
from ui.theme import Theme, ui_font
from ui.theme.qss import repolish
from ui.widgets.glyphs import line_pen
from ui.widgets.line import Line

SIDE = 10.0
RAIL = 10.0
HEIGHT = 36
GAP = 8
MOST = 4
"""Caps that are drawn: the tightest; more would not be readable."""


class LadderCard(QFrame):
    """The card of the inspector."""

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._catalogue = catalogue
        self.setProperty("role", "card")
        self._title, self._short = (
            QLabel(catalogue.render(Text(f"inspector.limits.{name}")))
            for name in ("title", "short")
        )
        for title in (self._title, self._short):
            title.setProperty("role", "secondary")
        self._sentence = Line()
        self._sentence.setProperty("role", "heading")
        self._figure = QLabel()
        self._figure.setProperty("role", "heading")
        self._rail = Ladder(theme, catalogue)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self._short)
        row.addWidget(self._sentence, 1)
        row.addWidget(self._figure)
        box = QVBoxLayout(self)
        box.setSpacing(2)
        box.addWidget(self._title)
        box.addLayout(row)
        box.addWidget(self._rail)
        self.set_low(False)

    def set_low(self, low: bool) -> None:
        """With its title before the sentence instead of above it."""
        self._low = low
        self._title.setVisible(not low)
        self.layout().setContentsMargins(*((12, 6, 12, 4) if low else (16, 10, 16, 8)))
        for words in (self._sentence, self._figure):
            words.setProperty("close", low)
            repolish(words)
        self._make_room()

    def show_rail(self, shown: bool) -> None:
        """All caps, or only what limits right now."""
        self._rail.setVisible(shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """The title before the sentence is left out where the sentence needs its place."""
        sides = self.layout().contentsMargins()
        room = self.width() - sides.left() - sides.right() - 2 * GAP
        parts = (self._short, self._sentence, self._figure)
        wanted = sum(part.sizeHint().width() for part in parts)
        self._short.setVisible(self._low and wanted <= room)

    def set_theme(self, theme: Theme) -> None:
        self._rail.set_theme(theme)

    def show_caps(self, evse: EvseSnapshot, station: Sequence[FaultSnapshot] = ()) -> None:
        """`station`: the faults that lie at the station as a whole."""
        caps = evse.caps
        binding = next((cap for cap in caps if cap.binding), caps[0] if caps else None)
        name = long_name(self._catalogue, binding.name) if binding else "–"
        figure = figure_of(binding, evse.current) if binding else ""
        lying = (*evse.faults, *station)
        if evse.status is BayStatus.FAULTED and lying:  # whatever the caps would allow
            name = fault_word(self._catalogue, lying[0].fault)
            figure = "0 A" if evse.current is Current.AC else "0 kW"
        if (self._sentence.text(), self._figure.text()) != (name, figure):
            self._sentence.show_text(name)
            self._figure.setText(figure)
            self._make_room()
        self._rail.show_caps(caps, evse.current)


class Ladder(QWidget):
    """A rail with a mark for each cap, tightest first; the binding one is a filled diamond."""

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._catalogue = catalogue
        self._caps: tuple[Cap, ...] = ()
        self._current = Current.AC
        self.setMinimumHeight(HEIGHT)

    def sizeHint(self) -> QSize:
        return QSize(336, HEIGHT)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_caps(self, caps: tuple[Cap, ...], current: Current) -> None:
        shown = caps[:MOST]
        if shown == self._caps and current is self._current:
            return
        self._caps, self._current = shown, current
        self.setAccessibleName(", ".join(self._label(cap) for cap in shown))
        self.update()

    def labels(self) -> list[tuple[QRectF, str]]:
        """Where each label is painted."""
        metrics = QFontMetricsF(ui_font(11))
        found: list[tuple[QRectF, str]] = []
        slot = self.width() / max(1, len(self._caps))
        for number, cap in enumerate(self._caps):
            text = metrics.elidedText(
                self._label(cap), Qt.TextElideMode.ElideRight, max(20.0, slot - 6)
            )
            width = metrics.horizontalAdvance(text) + 1
            left = min(max(0.0, slot * (number + 0.5) - width / 2), self.width() - width)
            found.append((QRectF(left, RAIL + 10, width, metrics.height()), text))
        return found

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._caps:
            return
        theme = self._theme
        slot = self.width() / len(self._caps)
        marks = [QPointF(slot * (number + 0.5), RAIL) for number in range(len(self._caps))]
        binding = next((n for n, cap in enumerate(self._caps) if cap.binding), None)
        painter.setPen(line_pen(theme.colour("line2"), 3))
        painter.drawLine(QPointF(2, RAIL), QPointF(self.width() - 2, RAIL))
        if binding is not None:
            painter.setPen(line_pen(theme.colour("charge"), 3))
            painter.drawLine(QPointF(2, RAIL), marks[binding])
        for number, place in enumerate(marks):
            self._mark(painter, place, number == binding)
        painter.setFont(ui_font(11))
        for number, (rect, text) in enumerate(self.labels()):
            painter.setPen(theme.colour("charge" if number == binding else "text2"))
            painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), text)

    def _mark(self, painter: QPainter, place: QPointF, binding: bool) -> None:
        theme = self._theme
        if binding:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("charge"))
            x, y = place.x(), place.y()
            corners = [(0, -6), (6, 0), (0, 6), (-6, 0)]
            painter.drawPolygon(QPolygonF([QPointF(x + a, y + b) for a, b in corners]))
        else:
            painter.setPen(QPen(theme.colour("text3"), 1.6))
            painter.setBrush(theme.colour("raised"))
            painter.drawEllipse(place, 3.6, 3.6)

    def _label(self, cap: Cap) -> str:
        number = figure_of(cap, self._current).split()[0]
        return f"{short_name(self._catalogue, cap.name)} {number}"


def figure_of(cap: Cap, current: Current) -> str:
    """Amperes per phase on AC, kilowatts on DC: what a person at the station thinks in."""
    if current is Current.AC:
        return f"{cap.amps:.0f} A"
    kilo = cap.watts / 1000
    return f"{kilo:.0f} kW" if kilo >= 10 else f"{kilo:.1f} kW"


def short_name(catalogue: Catalogue, name: Text) -> str:
    """A word for a rung: what the machine says in full has no room there."""
    text_id = f"inspector.cap.{name.id.rsplit('.', 1)[1]}"
    return catalogue.render(Text(text_id) if text_id in catalogue else name)


def long_name(catalogue: Catalogue, name: Text) -> str:
    """A few words for the card's head."""
    text_id = f"inspector.limit.{name.id.rsplit('.', 1)[1]}"
    return catalogue.render(Text(text_id, name.params) if text_id in catalogue else name)
