"""A figure with its name above and its unit behind."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.theme.qss import repolish


class Figure(QWidget):
    """Name, number, unit; `big` for the first row."""

    def __init__(self, name: str, *, big: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = QLabel(name)
        self._name.setProperty("role", "secondary")
        self._number = QLabel("–")
        self._number.setProperty("role", "figure" if big else "figure2")
        self._unit = QLabel()
        self._unit.setProperty("role", "unit")
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._number, 0, Qt.AlignmentFlag.AlignBaseline)
        row.addWidget(self._unit, 0, Qt.AlignmentFlag.AlignBaseline)
        row.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self._name)
        box.addLayout(row)

    def set_small(self, small: bool) -> None:
        """In smaller letters, where there is little room."""
        self._number.setProperty("close", small)
        repolish(self._number)

    def show_value(self, number: str, unit: str = "") -> None:
        """Set number and unit; nothing is repainted when they are the same."""
        if self._number.text() != number:
            self._number.setText(number)
        if self._unit.text() != unit:
            self._unit.setText(unit)
        self.setAccessibleName(f"{self._name.text()} {number} {unit}".strip())

    @property
    def text(self) -> str:
        return f"{self._number.text()} {self._unit.text()}".strip()
