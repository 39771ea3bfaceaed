"""The meter tab: every reading, as the meter would show it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QLabel, QWidget

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.station.kinds import Current
from app.station.snapshot import EvseSnapshot, MeterReading, Phases
from ui.theme import mono_font

ROWS = (
    "register",
    "power",
    "power_phases",
    "currents",
    "voltages",
    "frequency",
    "factor",
    "offered",
    "temperature",
    "pilot",
    "lock",
)
OF_PHASES = ("power_phases", "frequency", "factor")
SINGLE = {"currents": "current", "voltages": "voltage"}
"""What a row is called where there are no phases."""


class MeterTab(QWidget):
    """Readings of one EVSE's meter."""

    def __init__(self, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._catalogue = catalogue
        self._values: dict[str, QLabel] = {}
        self._direct = False
        self._form = form = QFormLayout(self)
        form.setContentsMargins(16, 14, 16, 12)
        form.setHorizontalSpacing(20)
        form.setVerticalSpacing(9)
        for name in ROWS:
            value = QLabel("–")
            value.setFont(mono_font(12))
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label = QLabel(catalogue.render(Text(f"inspector.meter.{name}")))
            label.setProperty("role", "secondary")
            form.addRow(label, value)
            self._values[name] = value

    def show_reading(self, evse: EvseSnapshot, reading: MeterReading) -> None:
        connector = evse.connectors[0]
        direct = evse.current is Current.DC
        if direct is not self._direct:
            self._direct = direct
            self._name_rows()
        shown = {
            "register": f"{reading.energy_import / 1000:,.3f} kWh",
            "power": f"{reading.power:,.0f} W",
            "power_phases": _each(reading.power_phases, "W", 0, direct=direct),
            "currents": _each(reading.currents, "A", 2, direct=direct),
            "voltages": _each(reading.voltages, "V", 1, direct=direct),
            "frequency": f"{reading.frequency:.2f} Hz",
            "factor": f"{reading.power_factor:.2f}",
            "offered": f"{reading.offered_current:.1f} A, {reading.offered_power / 1000:.1f} kW",
            "temperature": f"{reading.temperature:.0f} °C",
            "pilot": connector.pilot.value,
            "lock": self._catalogue.render(Text(f"inspector.lock.{connector.lock.value}")),
        }
        for name, text in shown.items():
            if self._values[name].text() != text:
                self._values[name].setText(text)

    def _name_rows(self) -> None:
        """Direct current has neither phases nor a frequency."""
        for name in OF_PHASES:
            self._form.setRowVisible(self._values[name], not self._direct)
        for name, single in SINGLE.items():
            key = f"inspector.meter.{single if self._direct else name}"
            label = self._form.labelForField(self._values[name])
            assert isinstance(label, QLabel)
            label.setText(self._catalogue.render(Text(key)))


def _each(values: Phases, unit: str, digits: int, *, direct: bool) -> str:
    """The value of each phase, or the only one there is."""
    shown = values[:1] if direct else values
    return " · ".join(f"{value:,.{digits}f}" for value in shown) + f" {unit}"
