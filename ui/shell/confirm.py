"""Asks before what cannot be taken back: the one kind of dialog that stands in the way on purpose."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from app.kernel.catalogue import Catalogue
from ui.rooms.form import Words, answers, button


class Confirmation(QDialog):
    """`what` names its words in the catalogue (`confirm.<what>`), `params` fill their gaps.

    Escape leaves all as it is, and so does Enter unless the other button was gone to.
    `destroys`: what is agreed to is lost.
    """

    def __init__(
        self,
        what: str,
        catalogue: Catalogue,
        parent: QWidget | None = None,
        *,
        destroys: bool = True,
        **params: Any,
    ) -> None:
        super().__init__(parent)
        say = Words(catalogue, f"confirm.{what}")
        self.setWindowTitle(say("title"))
        words = QLabel(say("words", **params))
        words.setWordWrap(True)
        words.setMinimumWidth(380)
        self.no = button(say("no"))
        self.yes = button(say("yes"), "danger" if destroys else "primary")
        self.no.clicked.connect(self.reject)
        self.yes.clicked.connect(self.accept)
        box = QVBoxLayout(self)
        box.setContentsMargins(24, 20, 24, 16)
        box.setSpacing(16)
        box.addWidget(words)
        box.addLayout(answers(self.no, self.yes))
        self.no.setDefault(True)
        self.no.setFocus()
