"""Small pieces of a form: words from the catalogue, labelled fields, bars, quiet combo boxes."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from ui.widgets.buttons import PushButton

BAR_HEIGHT = 40
HIT = 32
"""Logical pixels: no target of a click is lower."""


Spin = TypeVar("Spin", bound=QAbstractSpinBox)


class Words:
    """Says the sentences of one area of the catalogue."""

    def __init__(self, catalogue: Catalogue, area: str) -> None:
        self.catalogue = catalogue
        self._area = area

    def __call__(self, key: str, **params: object) -> str:
        return self.catalogue.render(Text(f"{self._area}.{key}", params))

    def maybe(self, key: str, otherwise: str) -> str:
        """The sentence if there is one: for words that come from outside, such as statuses."""
        text_id = f"{self._area}.{key}"
        return self.catalogue.render(Text(text_id)) if text_id in self.catalogue else otherwise


class QuietCombo(QComboBox):
    """A combo box that a wheel over the page does not change."""

    def __init__(self, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def choose(self, data: object) -> None:
        """Select the entry with this data; nothing happens if there is none."""
        index = self.findData(data)
        if index >= 0:
            self.setCurrentIndex(index)


def label(text: str = "", role: str = "", *, wrap: bool = False) -> QLabel:
    """A label in one of the roles of the style sheet; texts are never read as markup."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    if wrap:
        made.setWordWrap(True)
        made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.MinimumExpanding)
    return made


def button(text: str, kind: str = "") -> QPushButton:
    """A push button of a kind of the style sheet."""
    made = PushButton(text)
    if kind:
        made.setProperty("kind", kind)
    return made


def roomy(spin: Spin) -> Spin:
    """A spin box whose figure keeps away from its edge; the style sheet's padding does not reach it."""
    spin.lineEdit().setTextMargins(6, 0, 0, 0)
    spin.setMinimumWidth(128)
    return spin


def field(caption: str, widget: QWidget, hint: QLabel | None = None) -> QVBoxLayout:
    """A caption over a widget, with an optional hint below; the caption is the widget's name."""
    box = QVBoxLayout()
    box.setSpacing(4)
    title = label(caption, "secondary")
    title.setBuddy(widget)
    if not widget.accessibleName():
        widget.setAccessibleName(caption)
    box.addWidget(title)
    box.addWidget(widget)
    if hint is not None:
        box.addWidget(hint)
    return box


def bar(*widgets: QWidget, stretch_after: int = 0, left: int = 16, right: int = 12) -> QFrame:
    """A head of 40 px; the widget of this index takes the free room, a label also gives way."""
    frame = QFrame()
    frame.setProperty("role", "bar")
    frame.setFixedHeight(BAR_HEIGHT)
    row = QHBoxLayout(frame)
    row.setContentsMargins(left, 0, right, 0)
    row.setSpacing(8)
    for number, widget in enumerate(widgets):
        if number != stretch_after:
            row.addWidget(widget)
        elif isinstance(widget, QLabel):
            widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            row.addWidget(widget, 1)
        else:
            row.addWidget(widget)
            row.addStretch(1)
    return frame


def add_stack(box: QBoxLayout, *pages: QWidget) -> QStackedLayout:
    """Pages that lie over each other, the first one in front; they take the room that is left in the box.

    It has a place before it has pages: shown without one, the first would be a window of its own.
    """
    stack = QStackedLayout()
    box.addLayout(stack, 1)
    for page in pages:
        stack.addWidget(page)
    return stack


def answers(*buttons: QPushButton) -> QHBoxLayout:
    """The foot of a dialog: what it can be answered with, the way back first."""
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addStretch(1)
    for each in buttons:
        row.addWidget(each)
    return row


def column(*parts: QWidget, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QWidget:
    """Widgets below each other without gaps; the last one takes the room."""
    host = QWidget()
    box = QVBoxLayout(host)
    box.setContentsMargins(*margins)
    box.setSpacing(0)
    for number, part in enumerate(parts):
        box.addWidget(part, 1 if number == len(parts) - 1 else 0)
    return host
