"""The row of cards under the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import (
    QEasingCurve,
    QPoint,
    QPointF,
    QPropertyAnimation,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from ui.theme.theme import Theme
from ui.wallet.buttons import MARGIN, MORE_WIDTH, AddButton, CardButton, CardOverlay, MoreButton
from ui.wallet.card import HEIGHT, LOW_HEIGHT, WIDTH, Card
from ui.widgets.scribe import PaintedLabel, Scribe

GAP = 8
FIRST = 112
ROW, LOW_ROW = 96, 64
Probe = Callable[[QPoint], int | None]
Hover = Callable[[QPoint | None], bool]


class Wallet(QWidget):
    """Cards to show to a reader.

    `card_offered` carries the card and the EVSE whose reader it was dropped on, or None when it was
    clicked: then it is meant for the selected EVSE. `card_chosen` says which card a click on a reader
    shows from now on; `add_requested` asks for a new card. `set_drop_target` names the functions that
    know where readers are (`StationCanvas.reader_at` and `.hover_card`).
    """

    card_offered = Signal(object, object)
    card_chosen = Signal(object)
    add_requested = Signal()

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._catalogue = catalogue
        self._cards: list[CardButton] = []
        self._labels: list[PaintedLabel] = []
        self._probe: Probe | None = None
        self._hover: Hover | None = None
        self._overlay: CardOverlay | None = None
        self._grip = QPointF()
        self._offset = 0
        self._still = False
        self.chosen_uid = ""
        self._add = AddButton(self, self)
        self._add.clicked.connect(self.add_requested)
        self._more = (MoreButton(self, self, -1), MoreButton(self, self, 1))
        for more in self._more:
            more.hide()
            more.clicked.connect(self._turn_page)
        self.setFixedHeight(ROW)
        self.setMinimumWidth(320)
        self.setFocusPolicy(
            Qt.FocusPolicy.ClickFocus
        )  # without one it has no place in the Tab order
        self._name()

    # ------------------------------------------------------------------ what the shell calls

    def set_cards(self, cards: Sequence[Card]) -> None:
        """Show these cards, in this order; cards that stay keep their place and the focus."""
        for button, card in zip(self._cards, cards, strict=False):
            button.card = card
        while len(self._cards) > len(cards):
            gone = self._cards.pop()
            gone.hide()
            gone.deleteLater()
        for card in cards[len(self._cards) :]:
            button = CardButton(self, self, card)
            button.clicked.connect(self._clicked)
            button.show()
            self._cards.append(button)
        before: QWidget = self
        for follower in (*self._cards, self._add):
            QWidget.setTabOrder(before, follower)
            before = follower
        self._name()
        self._arrange()

    def cards(self) -> list[Card]:
        return [button.card for button in self._cards]

    def buttons(self) -> list[CardButton]:
        """The cards' buttons, in order."""
        return list(self._cards)

    @property
    def add_button(self) -> QAbstractButton:
        return self._add

    def choose(self, uid: str) -> None:
        """Mark a card as the one in the hand; no signal."""
        self.chosen_uid = uid
        self._repaint()

    def set_drop_target(self, probe: Probe, hover: Hover | None = None) -> None:
        """`probe(global point)` gives the EVSE of the reader there, `hover` lights it."""
        self._probe, self._hover = probe, hover

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self._repaint()

    def set_low(self, low: bool) -> None:
        """With cards that show less, where the picture above has little room."""
        self.setFixedHeight(LOW_ROW if low else ROW)

    def set_reduced_motion(self, reduced: bool) -> None:
        """A card that is dropped in vain is back at once."""
        self._still = reduced

    def painted_labels(self) -> list[PaintedLabel]:
        """All text on the wallet with its place."""
        found = list(self._labels)
        for button in self._cards:
            found += button.labels
        found += self._add.labels
        return found

    def sizeHint(self) -> QSize:
        return QSize(1200, self.height())

    # ------------------------------------------------------------------ painting and place

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, say = self.theme, self._say
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("panel"))
        painter.fillRect(QRect(0, 0, self.width(), 1), theme.colour("line"))
        self._labels = []
        if self._first() < FIRST:
            return
        scribe = Scribe(painter, self._labels, "wallet")
        low = self.height() == LOW_ROW
        lines = (20, 37, 51) if low else (26, 46, 61)
        scribe.write(16, lines[0], say("wallet"), 13, 600, theme.colour("text"), room=88)
        for y, hint in zip(lines[1:], ("wallet.hint", "wallet.hint2"), strict=True):
            scribe.write(16, y, say(hint), 11, 400, theme.colour("text3"), room=88)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The row scrolls sideways where the cards do not fit."""
        turn = event.angleDelta().x() or event.angleDelta().y()
        if self._overflow() > 0:
            self._offset -= turn
            self._arrange()
            event.accept()
        else:
            event.ignore()

    def _first(self) -> int:
        return FIRST if self.width() >= 620 else 12

    def _overflow(self) -> int:
        content = len(self._cards) * (round(WIDTH) + GAP) + 64
        return max(0, content - (self.width() - self._first() - 12))

    def _arrange(self) -> None:
        self._offset = min(max(0, self._offset), self._overflow())
        high = round(LOW_HEIGHT if self.height() == LOW_ROW else HEIGHT) + 2 * MARGIN
        top = (self.height() - high) // 2
        for one in (*self._cards, self._add, *self._more):
            one.resize(one.width(), high)
        first = self._first()
        x = first - 4 - self._offset
        clip = first - 4
        for button in self._cards:
            button.move(x, top)
            self._clip(button, clip)
            x += round(WIDTH) + GAP
        self._add.move(x, top)
        self._clip(self._add, clip)
        self._place_arrows(top)
        self.update()

    def _place_arrows(self, top: int) -> None:
        """What is beyond an edge has an arrow there."""
        left, right = self._more
        left.move(self._first() - 4, top)
        right.move(self.width() - MORE_WIDTH, top)
        left.setVisible(self._offset > 0)
        right.setVisible(self._offset < self._overflow())
        for more in self._more:
            more.raise_()

    def _turn_page(self) -> None:
        """By an arrow: as many cards further as are in sight, less one."""
        more = self.sender()
        if isinstance(more, MoreButton):
            step = round(WIDTH) + GAP
            cards = max(1, (self.width() - self._first() - MORE_WIDTH) // step - 1)
            self._offset += more.way * cards * step
            self._arrange()

    def _clip(self, button: QWidget, left: int) -> None:
        """What is scrolled under the title is not shown there."""
        hidden = left - button.x()
        if hidden > 0:
            button.setMask(QRect(hidden, 0, max(0, button.width() - hidden) or 1, button.height()))
        else:
            button.clearMask()

    def reveal(self, button: QWidget) -> None:
        """Scroll a card into view."""
        left, right = self._first() - 4, self.width() - 8
        if self._offset > 0 and button is not self._cards[0]:
            left += MORE_WIDTH
        if button is not self._add:
            right -= MORE_WIDTH
        if button.x() < left:
            self._offset -= left - button.x()
        elif button.x() + button.width() > right:
            self._offset += button.x() + button.width() - right
        else:
            return
        self._arrange()

    def step_focus(self, button: QAbstractButton, way: int) -> None:
        """Arrow keys go from card to card."""
        row: list[QAbstractButton] = [*self._cards, self._add]
        place = min(len(row) - 1, max(0, row.index(button) + way))
        row[place].setFocus(Qt.FocusReason.TabFocusReason)

    def _repaint(self) -> None:
        self.update()
        for button in (*self._cards, self._add, *self._more):
            button.update()

    def _say(self, key: str, **params: object) -> str:
        return self._catalogue.render(Text(f"picture.{key}", params))

    def _name(self) -> None:
        self.setAccessibleName(self._say("wallet"))
        self._add.setText(self._say("wallet.add"))
        self._add.setAccessibleName(self._say("wallet.add_name"))
        self._add.setToolTip(self._say("wallet.add_name"))
        for more, way in zip(self._more, ("left", "right"), strict=True):
            more.setAccessibleName(self._say(f"wallet.{way}"))
            more.setToolTip(self._say(f"wallet.{way}"))
        for button in self._cards:
            card = button.card
            name = self._say("wallet.card_name", name=card.name, uid=card.uid, status=card.status)
            button.setAccessibleName(name)
            button.setToolTip(f"{name}\n{self._say('wallet.card_tip')}")
            button.update()

    # ------------------------------------------------------------------ what cards report

    def _clicked(self) -> None:
        button = self.sender()
        if isinstance(button, CardButton):
            self._take(button.card)
            self.card_offered.emit(button.card, None)

    def _take(self, card: Card) -> None:
        if card.uid != self.chosen_uid:
            self.choose(card.uid)
            self.card_chosen.emit(card)

    def lift(self, button: CardButton, grip: QPointF) -> None:
        """A card leaves the wallet in the hand."""
        self._grip = grip
        self._overlay = CardOverlay(self.window(), button.card, self.theme)
        self._overlay.show()
        self._overlay.raise_()
        button.update()

    def carry(self, at: QPoint) -> None:
        """The card follows the pointer."""
        if self._overlay is None:
            return
        self._overlay.move(self.window().mapFromGlobal(at) - self._grip.toPoint())
        if self._hover is not None:
            self._hover(at)

    def let_go(self, button: CardButton, at: QPoint) -> None:
        """On a reader it is shown to it; elsewhere the card goes back."""
        overlay, self._overlay = self._overlay, None
        evse = self._probe(at) if self._probe is not None else None
        if self._hover is not None:
            self._hover(None)
        button.update()
        if evse is not None:
            if overlay is not None:
                overlay.deleteLater()
            self._take(button.card)
            self.card_offered.emit(button.card, evse)
        elif overlay is not None:
            self._send_back(overlay, button)

    def _send_back(self, overlay: CardOverlay, button: CardButton) -> None:
        home = button.mapTo(self.window(), QPoint(0, 0))
        if self._still:
            overlay.deleteLater()
            return
        flight = QPropertyAnimation(overlay, b"pos", overlay)
        flight.setDuration(160)
        flight.setEndValue(home)
        flight.setEasingCurve(QEasingCurve.Type.OutCubic)
        flight.finished.connect(overlay.deleteLater)
        flight.start()
