"""The form of one card of the wallet, with the card as it will look."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.token_types import TOKEN_TYPES
from ui.ask import Dialog
from ui.cards.kinds import LONGEST, Opinion, judge, made_up, normal
from ui.rooms.empty import Glyph
from ui.rooms.form import QuietCombo, Words, button, field, label
from ui.theme import Theme, mono_font
from ui.theme.qss import repolish
from ui.wallet import Card
from ui.wallet.card import HEIGHT, WIDTH, paint_card
from ui.widgets.scribe import PaintedLabel, Scribe
from ui.widgets.turns import Work

COLOURS = ("blue", "teal", "green", "ochre", "red", "violet", "grey")
LONGEST_NAME = 40
FORM_WIDTH = 420
SCALE = 1.25
SWATCH = 20


class CardPreview(QWidget):
    """The card as the wallet will show it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._card = Card("", "")
        self.labels: list[PaintedLabel] = []
        self.setFixedSize(QSize(round(WIDTH * SCALE) + 8, round(HEIGHT * SCALE) + 12))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_card(self, card: Card) -> None:
        self._card = card
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.scale(SCALE, SCALE)
        self.labels = []
        scribe = Scribe(painter, self.labels, "preview", QPointF(0, 0))
        paint_card(painter, scribe, self._theme, self._card, QRectF(3, 3, WIDTH, HEIGHT))


class CardDialog(Dialog):
    """Adds a card or changes one; `card()` is what was written. To be opened by `await ask(dialog)`.

    A card that is to go is told by `removed` after the dialog was accepted. `taken` are the identifiers
    of the other cards: the wallet tells its cards apart by them.
    """

    def __init__(
        self,
        theme: Theme,
        catalogue: Catalogue,
        before: Card | None = None,
        parent: QWidget | None = None,
        *,
        taken: Collection[str] = (),
    ) -> None:
        super().__init__(parent)
        self._say = Words(catalogue, "cards")
        own = "" if before is None else before.uid.casefold()
        self._taken = {uid.casefold() for uid in taken} - {own}
        self._catalogue = catalogue
        self._theme = theme
        self._before = before
        self.removed = False
        self.setWindowTitle(self._say("title.add" if before is None else "title.edit"))

    def build(self) -> Work:
        self._make_fields(self._before or Card("", ""))
        yield
        self._make_colours((self._before or Card("", "", colour="blue")).colour)
        yield
        self._put_together()
        yield
        self.set_theme(self._theme)
        yield
        self._connect_signals()
        self._refresh()
        self.name_field.setFocus()

    def card(self) -> Card:
        """The card as the form has it."""
        kind = self.kind_field.currentData()
        written = Card(
            uid=normal(kind, self.uid_field.text()),
            name=self.name_field.text().strip(),
            kind=kind,
            colour=COLOURS[max(0, self._colours.checkedId())],
        )
        if self._before is None or self._before.uid != written.uid:
            return written
        kept = self._before
        return replace(written, state=kept.state, status=kept.status, note=kept.note)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.preview.set_theme(theme)
        self._glyph.set_theme(theme)
        for number, name in enumerate(COLOURS):
            self._colours.button(number).setIcon(_swatch(theme, name))

    # ------------------------------------------------------------------ building

    def _make_fields(self, card: Card) -> None:
        say = self._say
        self.name_field = QLineEdit(card.name)
        self.name_field.setMaxLength(LONGEST_NAME)
        self.name_field.setPlaceholderText(say("name_hint"))
        self.kind_field = QuietCombo()
        for kind in TOKEN_TYPES:
            self.kind_field.addItem(say("kind_item", kind=kind, words=say(f"kind.{kind}")), kind)
        self.kind_field.choose(card.kind)
        self.uid_field = QLineEdit(card.uid)
        self.uid_field.setMaxLength(LONGEST * 2)  # typed with separators
        self.uid_field.setFont(mono_font(12))
        self.make_up = button(say("make_up"))
        self.make_up.setToolTip(say("make_up_hint"))
        self.preview = CardPreview(self._theme)
        self._glyph = Glyph("tick", "avail", self._theme)
        self.opinion = label("", "secondary", wrap=True)
        self.opinion.setMinimumHeight(32)
        self.remove_button = button(say("remove"), "danger")
        self.remove_button.setVisible(self._before is not None)
        self.cancel_button = button(say("cancel"))
        self.save_button = button(say("save"), "primary")
        self.save_button.setDefault(True)

    def _make_colours(self, chosen: str) -> None:
        self._colours = QButtonGroup(self)
        for number, name in enumerate(COLOURS):
            made = button("")
            made.setCheckable(True)
            made.setFixedSize(40, 32)
            made.setIconSize(QSize(SWATCH, SWATCH))
            made.setStyleSheet("padding: 0;")
            made.setAccessibleName(self._say(f"colour.{name}"))
            made.setToolTip(self._say(f"colour.{name}"))
            self._colours.addButton(made, number)
        self._colours.button(COLOURS.index(chosen) if chosen in COLOURS else 0).setChecked(True)

    def _put_together(self) -> None:
        say = self._say
        colours = QHBoxLayout()
        colours.setSpacing(6)
        for made in self._colours.buttons():
            colours.addWidget(made)
        colours.addStretch(1)
        uid = QWidget()
        uid_row = QHBoxLayout(uid)
        uid_row.setContentsMargins(0, 0, 0, 0)
        uid_row.setSpacing(8)
        uid_row.addWidget(self.uid_field, 1)
        uid_row.addWidget(self.make_up)
        uid.setFocusProxy(self.uid_field)
        self.uid_field.setAccessibleName(say("uid"))
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignVCenter)
        below.addWidget(self.opinion, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(24, 20, 24, 20)
        box.setSpacing(12)
        box.addWidget(label(self.windowTitle(), "title"))
        box.addWidget(self.preview, 0, Qt.AlignmentFlag.AlignHCenter)
        box.addLayout(field(say("name"), self.name_field))
        box.addLayout(field(say("kind"), self.kind_field))
        box.addLayout(field(say("uid"), uid))
        box.addLayout(below)
        box.addWidget(label(say("colour"), "secondary"))
        box.addLayout(colours)
        box.addSpacing(4)
        box.addLayout(self._buttons())
        self.setMinimumWidth(FORM_WIDTH)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.remove_button)
        row.addStretch(1)
        row.addWidget(self.cancel_button)
        row.addWidget(self.save_button)
        return row

    def _connect_signals(self) -> None:
        self.name_field.textChanged.connect(self._refresh)
        self.uid_field.textChanged.connect(self._refresh)
        self.kind_field.currentIndexChanged.connect(self._refresh)
        self._colours.idClicked.connect(self._refresh)
        self.make_up.clicked.connect(self._on_make_up)
        self.cancel_button.clicked.connect(self.reject)
        self.save_button.clicked.connect(self.accept)
        self.remove_button.clicked.connect(self._on_remove)

    # ------------------------------------------------------------------ events

    def _on_make_up(self) -> None:
        self.uid_field.setText(made_up(self.kind_field.currentData()))

    def _on_remove(self) -> None:
        self.removed = True
        self.accept()

    def _refresh(self, _: object = None) -> None:
        card = self.card()
        name = card.name or self._say("unnamed")
        self.preview.show_card(replace(card, name=name, status=self._say(f"kind.{card.kind}")))
        opinion, is_taken = judge(card.kind, card.uid), card.uid.casefold() in self._taken
        if is_taken:
            opinion = Opinion(False, Text("cards.check.taken"))
        good = opinion.good or not card.uid
        self._glyph.show_glyph(*(("tick", "avail") if opinion.good else ("warning", "warn")))
        self._glyph.setVisible(bool(card.uid) or opinion.good)
        self.opinion.setText(self._catalogue.render(opinion.text))
        role = "secondary" if good else "warning"
        if self.opinion.property("role") != role:
            self.opinion.setProperty("role", role)
            repolish(self.opinion)
        has_uid = bool(card.uid) or card.kind == "NoAuthorization"
        fits = has_uid and len(card.uid) <= LONGEST and not is_taken
        self.save_button.setEnabled(bool(card.name) and fits)


def _swatch(theme: Theme, name: str) -> QIcon:
    """A colour of card edges, sharp up to 300 %."""
    icon = QIcon()
    for ratio in (1, 2, 3):
        pixmap = QPixmap(QSize(SWATCH, SWATCH) * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.card(name))
        painter.drawRoundedRect(QRectF(0, 0, SWATCH, SWATCH), 5, 5)
        painter.end()
        icon.addPixmap(pixmap)
    return icon
