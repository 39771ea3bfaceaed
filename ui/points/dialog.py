"""One question, its options, and which of them conform; no answer means the default."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QLabel,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.points import Point
from ui.ask import ask
from ui.rooms.form import answers, button


class PointDialog(QDialog):
    """Asks what the station shall do."""

    def __init__(self, point: Point, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._point = point
        self.setWindowTitle(catalogue.render(Text("points.title")))
        kind = QLabel(f"{point.kind} · {point.id}")
        kind.setProperty("role", "mono")
        question = QLabel(point.question)
        question.setProperty("role", "heading")
        question.setWordWrap(True)
        question.setMinimumWidth(480)
        box = QVBoxLayout(self)
        box.setContentsMargins(24, 20, 24, 16)
        box.setSpacing(8)
        box.addWidget(kind)
        box.addWidget(question)
        self._group = QButtonGroup(self)
        choices = QVBoxLayout()
        choices.setSpacing(0)  # a summary belongs to what is above it
        box.addLayout(choices)
        for number, option in enumerate(point.options):
            tail = "" if option.conformant else catalogue.render(Text("points.not_conformant"))
            radio = QRadioButton(f"{option.key}{tail}")
            radio.setChecked(option.key == point.default)
            self._group.addButton(radio, number)
            summary = QLabel(option.summary)
            summary.setProperty("role", "secondary")
            summary.setWordWrap(True)
            summary.setContentsMargins(26, 0, 0, 8)
            choices.addWidget(radio)
            choices.addWidget(summary)
        self.always = QCheckBox(catalogue.render(Text("points.always")))
        box.addWidget(self.always)
        hint = QLabel(catalogue.render(Text("points.hint", {"default": point.default})))
        hint.setProperty("role", "hint")
        hint.setWordWrap(True)
        box.addWidget(hint)
        leave = button(catalogue.render(Text("points.default")))
        choose = button(catalogue.render(Text("points.choose")), "primary")
        choose.setDefault(True)
        leave.clicked.connect(self.reject)
        choose.clicked.connect(self.accept)
        box.addLayout(answers(leave, choose))

    def choose(self, key: str) -> None:
        """Tick an option. Raises KeyError."""
        keys = [option.key for option in self._point.options]
        if key not in keys:
            raise KeyError(key)
        self._group.button(keys.index(key)).setChecked(True)

    def chosen(self) -> str:
        """The key of the ticked option."""
        return self._point.options[self._group.checkedId()].key


class PointAsker:
    """Puts points to the person at the window, while there is one."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._parent: QWidget | None = None
        self._keep: object = None

    def set_window(self, parent: QWidget | None, keep: object = None) -> None:
        """Where questions appear; `keep(point, option)` fixes a choice for good."""
        self._parent, self._keep = parent, keep

    async def ask(self, point: Point) -> str | None:
        """The chosen option; None when the person leaves it to the default."""
        if self._parent is None:
            return None
        dialog = PointDialog(point, self._catalogue, self._parent)
        try:
            if not await ask(dialog):
                return None
            chosen = dialog.chosen()
            if dialog.always.isChecked() and callable(self._keep):
                self._keep(point.id, chosen)
            return chosen
        finally:
            if isValid(dialog):  # it goes with its window, too
                dialog.close()
