"""The faults tab: what is broken, what can be broken, with one click each."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.station.faults import consequence
from app.station.intents import ClearFault, RaiseFault
from app.station.kinds import Fault
from app.station.snapshot import EvseSnapshot, FaultSnapshot, StationSnapshot
from ui.widgets.buttons import PushButton

STATION_FAULTS = {Fault.EMERGENCY_STOP, Fault.READER_LOST, Fault.RESTART}
"""These lie at the station, the others at the connector."""


class FaultsTab(QWidget):
    """A switch for each fault: on it lies, off it is cleared."""

    intent = Signal(object)

    def __init__(self, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._catalogue = catalogue
        self._evse: EvseSnapshot | None = None
        self._lying: dict[Fault, FaultSnapshot] = {}
        self._buttons: dict[Fault, QPushButton] = {}
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(10)
        hint = QLabel(catalogue.render(Text("inspector.faults.hint")))
        hint.setProperty("role", "hint")
        hint.setWordWrap(True)
        box.addWidget(hint)
        grid = QGridLayout()
        grid.setSpacing(8)
        box.addLayout(grid)
        for number, fault in enumerate(Fault):
            button = PushButton(fault_word(catalogue, fault))
            button.setCheckable(True)
            button.setProperty("kind", "fault")
            button.setObjectName(fault.value)
            what = catalogue.render(consequence(fault))
            button.setToolTip(what)
            button.setAccessibleDescription(what)
            button.clicked.connect(self._on_clicked)
            grid.addWidget(button, number // 2, number % 2)
            self._buttons[fault] = button
        self._follows = QLabel()
        self._follows.setProperty("role", "secondary")
        self._follows.setWordWrap(True)
        box.addWidget(self._follows)
        box.addStretch(1)

    def show_evse(self, evse: EvseSnapshot, station: StationSnapshot) -> None:
        self._evse = evse
        self._lying = {item.fault: item for item in (*station.faults, *evse.faults)}
        for fault, button in self._buttons.items():
            button.setChecked(fault in self._lying)
        told = "\n".join(self._sentence(item) for item in self._lying.values())
        if self._follows.text() != told:
            self._follows.setText(told)

    def follows(self) -> str:
        """What comes of the faults that lie, in words."""
        return self._follows.text()

    def _sentence(self, lying: FaultSnapshot) -> str:
        what = self._catalogue.render(consequence(lying.fault, lying.info))
        name = fault_word(self._catalogue, lying.fault)
        return self._catalogue.render(
            Text("inspector.faults.follows", {"fault": name, "what": what})
        )

    def _on_clicked(self) -> None:
        button = self.sender()
        if self._evse is None or not isinstance(button, QPushButton):
            return
        fault = Fault(button.objectName())
        self.intent.emit(toggle(fault, self._evse.id, self._lying.get(fault)))


def toggle(fault: Fault, evse: int, lying: FaultSnapshot | None) -> RaiseFault | ClearFault:
    """Clear a fault that lies, raise one that does not, at the place where it belongs."""
    if lying is not None:
        return ClearFault(lying.evse, lying.connector, fault)
    if fault in STATION_FAULTS:
        return RaiseFault(fault)
    return RaiseFault(fault, evse, 1)


def fault_word(catalogue: Catalogue, fault: Fault) -> str:
    return catalogue.render(Text(f"picture.fault.{fault.value}"))
