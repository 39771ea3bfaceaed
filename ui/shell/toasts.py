"""Short messages at the foot of the picture that go away by themselves: never a dialog in the way."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QEvent, QObject, QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.theme import Theme
from ui.widgets.buttons import PushButton
from ui.widgets.glyphs import paint_glyph

MOST = 4
SECONDS = {"note": 4, "good": 4, "warning": 8, "error": 12}
WIDTH = 420
MARGIN = 16


class Tone(Enum):
    """How serious it is."""

    NOTE = "note"
    GOOD = "good"
    WARNING = "warning"
    ERROR = "error"


_GLYPH = {
    Tone.NOTE: ("more", "text2"),
    Tone.GOOD: ("tick", "avail"),
    Tone.WARNING: ("warning", "warn"),
    Tone.ERROR: ("faulted", "fault"),
}


class Toasts(QWidget):
    """A stack of messages over its parent, newest below."""

    def __init__(self, theme: Theme, parent: QWidget, close_name: str = "✕") -> None:
        super().__init__(parent)
        self._theme = theme
        self.close_name = close_name
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(8)
        parent.installEventFilter(self)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for toast in self._toasts():
            toast.set_theme(theme)

    def show_text(self, text: str, tone: Tone = Tone.NOTE, about: str = "") -> None:
        """Show a sentence; the same sentence again only starts its time anew.

        What was told before `about` the same matter does not outlast it: it is over.
        """
        toasts = self._toasts()
        for toast in toasts:
            if about and toast.about == about and toast.text != text:
                toast.hurry(tone)
        for toast in toasts:
            if toast.text == text:
                toast.renew()
                return
        if len(toasts) >= MOST:
            self.dismiss(toasts[0])
        toast = Toast(self._theme, text, tone, self, about)
        self._box.addWidget(toast)
        toast.show()  # a hidden one would get no height now and squeeze the others
        self._place()

    def texts(self) -> list[str]:
        return [toast.text for toast in self._toasts()]

    def dismiss(self, toast: Toast) -> None:
        self._box.removeWidget(toast)
        toast.setParent(None)
        toast.deleteLater()
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _toasts(self) -> list[Toast]:
        items = (self._box.itemAt(number) for number in range(self._box.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [widget for widget in widgets if isinstance(widget, Toast)]

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is None or not self._toasts():
            self.hide()
            return
        width = min(WIDTH, parent.width() - 2 * MARGIN)
        self.setFixedWidth(max(120, width))
        self.show()
        self._box.invalidate()
        height = self._box.heightForWidth(self.width())
        height = height if height > 0 else self.sizeHint().height()
        self.setFixedHeight(height)
        # the right foot of the picture: floor labels of the first bays stay in sight
        self.move(parent.width() - self.width() - MARGIN, parent.height() - height - MARGIN)
        self.raise_()


class Toast(QFrame):
    """One message."""

    def __init__(self, theme: Theme, text: str, tone: Tone, stack: Toasts, about: str = "") -> None:
        super().__init__(stack)
        self.text, self.about = text, about
        self._stack = stack
        self._tone = tone
        self.setProperty("role", "card")
        self.setAccessibleName(text)
        self._mark = _Mark(theme, tone)
        label = QLabel(text)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        close = PushButton("✕")
        close.setProperty("kind", "quiet")
        close.setFixedSize(32, 32)
        close.setAccessibleName(stack.close_name)
        close.clicked.connect(self._close)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 4, 6)
        row.setSpacing(10)
        row.addWidget(self._mark)
        row.addWidget(label, 1)
        row.addWidget(close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._close)
        self.renew()

    def set_theme(self, theme: Theme) -> None:
        self._mark.set_theme(theme)

    def renew(self) -> None:
        self._timer.start(round(SECONDS[self._tone.value] * 1000))

    def hurry(self, tone: Tone) -> None:
        """Go no later than news of this tone that come now."""
        self._timer.start(min(self._timer.remainingTime(), round(SECONDS[tone.value] * 1000)))

    def _close(self) -> None:
        self._timer.stop()
        self._stack.dismiss(self)


class _Mark(QWidget):
    def __init__(self, theme: Theme, tone: Tone) -> None:
        super().__init__()
        self._theme, self._tone = theme, tone
        self.setFixedSize(QSize(18, 18))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        name, token = _GLYPH[self._tone]
        painter = QPainter(self)
        colour, hole = self._theme.colour(token), self._theme.colour("raised")
        paint_glyph(painter, name, QPointF(9, 9), 7.5, colour, hole)
