"""The steps of a test as they come: shape, name, words, how long it took."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.kernel.catalogue import Catalogue
from app.runtime.diagnosis import Step
from ui.rooms.empty import Glyph
from ui.rooms.form import Words, label
from ui.theme import Theme

NAME_WIDTH = 132
ROOMY = 272


class StepList(QScrollArea):
    """Empty, running, or done; each row is one step."""

    def __init__(self, theme: Theme, catalogue: Catalogue) -> None:
        super().__init__()
        self._theme = theme
        self._say = Words(catalogue, "connect")
        self._glyphs: list[Glyph] = []
        self._rows: list[QWidget] = []
        self._steps: list[Step] = []
        self._waiting = False
        """The last row says that something is being tried."""
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self._say("test.title"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        self._box = QVBoxLayout(inner)
        self._box.setContentsMargins(16, 12, 12, 12)
        self._box.setSpacing(6)
        self._box.addStretch(1)
        self.setWidget(inner)
        self.clear()

    def sizeHint(self) -> QSize:
        """More than it needs: the form above can grow by a line or two without moving what is below."""
        return QSize(super().sizeHint().width(), ROOMY)

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(self._steps)

    def sentences(self) -> list[str]:
        """What the rows say, for the clipboard and for tests."""
        return [row.accessibleName() for row in self._rows]

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for glyph in self._glyphs:
            glyph.set_theme(theme)

    def clear(self) -> None:
        """Forget the last test and say what a test does."""
        self._empty_rows()
        self._steps.clear()
        self._add("search", "text3", "", self._say("test.hint"), "")

    def begin(self) -> None:
        """A test starts."""
        self._empty_rows()
        self._steps.clear()
        self._add_waiting()

    def add(self, step: Step) -> None:
        """One more step is known; one that failed need not be the last."""
        self._drop_waiting()
        self._steps.append(step)
        glyph, token = ("tick", "avail") if step.ok else ("faulted", "fault")
        name = self._say.maybe(f"step.{step.name}", step.name)
        words = self._say.catalogue.render(step.text)
        ms = self._say("test.ms", value=f"{step.ms:,.0f}") if step.ms >= 1 else ""
        row = self._add(glyph, token, name, words, ms, bad=not step.ok)
        row.setToolTip(step.detail)
        self._add_waiting()
        self._to_end()

    def end(self) -> None:
        """Nothing more will come."""
        self._drop_waiting()
        failed = [row for row, step in zip(self._rows, self._steps, strict=True) if not step.ok]
        if self._steps and not failed:
            self._add("available", "avail", self._say("test.done"), self._say("test.good"), "")
        self._to_end()
        if failed:
            self.ensureWidgetVisible(failed[0])

    def stopped(self) -> None:
        """A person stopped it."""
        self._drop_waiting()
        self._add("unavailable", "unavail", self._say("test.done"), self._say("test.stopped"), "")

    def broke(self, why: str) -> None:
        """The test itself failed: a fault of this program."""
        self._drop_waiting()
        words = self._say("test.broke", why=why)
        self._add("faulted", "fault", self._say("test.done"), words, "", bad=True)

    # ------------------------------------------------------------------ rows

    def _add_waiting(self) -> None:
        self._add("waiting", "text2", self._say("test.next"), "", "")
        self._waiting = True

    def _drop_waiting(self) -> None:
        if self._waiting:
            self._waiting = False
            self._drop_last()

    def _add(
        self, glyph: str, token: str, name: str, words: str, ms: str, *, bad: bool = False
    ) -> QWidget:
        row = QWidget()
        box = QHBoxLayout(row)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(10)
        mark = Glyph(glyph, token, self._theme)
        top = Qt.AlignmentFlag.AlignTop
        box.addWidget(mark, 0, top)
        if name:
            title = label(name, "strong")
            title.setFixedWidth(NAME_WIDTH)
            box.addWidget(title, 0, top)
        box.addWidget(label(words, "error" if bad else "secondary", wrap=True), 1)
        if ms:
            box.addWidget(label(ms, "mono"), 0, top)
        row.setAccessibleName(f"{name}: {words}" if name else words)
        self._box.insertWidget(self._box.count() - 1, row)
        self._rows.append(row)
        self._glyphs.append(mark)
        return row

    def _drop_last(self) -> None:
        if self._rows:
            row = self._rows.pop()
            self._glyphs.pop()
            row.hide()
            self._box.removeWidget(row)
            row.deleteLater()

    def _empty_rows(self) -> None:
        self._waiting = False
        while self._rows:
            self._drop_last()

    def _to_end(self) -> None:
        inner = self.widget()
        if inner is not None and self._rows:
            inner.adjustSize()
            self.ensureWidgetVisible(self._rows[-1])
