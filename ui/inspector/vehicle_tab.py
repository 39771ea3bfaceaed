"""The vehicle tab: which car, its battery, its limits, and its mood."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QLabel,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.station.intents import ArriveCar, LeaveCar, PauseVehicle, ResumeVehicle, SetVehicle
from app.station.kinds import Current
from app.station.snapshot import EvseSnapshot
from ui.rooms.form import roomy
from ui.widgets.buttons import PushButton


class VehicleTab(QWidget):
    """`intent` carries what a person wants of the car."""

    intent = Signal(object)

    def __init__(
        self,
        catalogue: Catalogue,
        vehicles: list[tuple[str, str]],
        parent: QWidget | None = None,
    ) -> None:
        """`vehicles`: id and name of each car of the library."""
        super().__init__(parent)
        self._catalogue = catalogue
        self._evse: EvseSnapshot | None = None
        self._car = QComboBox()
        for ident, name in vehicles:
            self._car.addItem(name, ident)
        self._car.activated.connect(self._on_car)
        self._soc = self._slider("soc")
        self._target = self._slider("target")
        self._soc_value, self._target_value = QLabel(), QLabel()
        self._amps = self._spin("amps", 0, 80, " A")
        self._kilowatts = self._spin("kilowatts", 0, 500, " kW")
        self._phases = self._spin("phases", 1, 3, "")
        self._delay = self._spin("delay", 0, 3600, " s")
        self._pause = PushButton()
        self._pause.clicked.connect(self._on_pause)
        self._drive = PushButton()
        self._drive.clicked.connect(self._on_drive)
        self._build()

    def show_evse(self, evse: EvseSnapshot) -> None:
        """Fill in, but do not disturb what is being dragged or typed."""
        self._evse = evse
        car = evse.vehicle
        self._pause.setEnabled(car is not None)
        self._pause.setText(self._say("resume" if car and car.paused else "pause"))
        self._drive.setText(self._say("leave" if car else "arrive"))
        plugged = any(connector.plugged for connector in evse.connectors)
        self._drive.setEnabled(not plugged)
        self._car.setEnabled(not plugged)
        fields = (self._soc, self._target, self._amps, self._kilowatts, self._phases, self._delay)
        for field in fields:
            field.setEnabled(car is not None)
        if car is None:
            self._soc_value.setText("")
            self._target_value.setText("")
            return
        index = self._car.findData(car.id)
        if index >= 0 and not self._car.view().isVisible():
            self._car.setCurrentIndex(index)
        self._fill(self._soc, round(car.soc))
        self._fill(self._target, round(car.target_soc))
        self._soc_value.setText(f"{car.soc:.1f} %")
        self._target_value.setText(f"{car.target_soc:.0f} %")
        self._fill(self._amps, round(car.max_ac_current))
        self._fill(self._kilowatts, round(car.max_dc_power / 1000))
        self._fill(self._phases, car.ac_phases)
        dc = evse.current is Current.DC
        self._form.setRowVisible(self._kilowatts, dc)
        self._form.setRowVisible(self._amps, not dc)
        self._form.setRowVisible(self._phases, not dc)

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        form = QFormLayout()
        self._form = form
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(10)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.addRow(self._say("car"), self._car)
        form.addRow(self._say("soc"), _beside(self._soc, self._soc_value))
        form.addRow(self._say("target"), _beside(self._target, self._target_value))
        form.addRow(self._say("amps"), self._amps)
        form.addRow(self._say("phases"), self._phases)
        form.addRow(self._say("kilowatts"), self._kilowatts)
        form.addRow(self._say("delay"), self._delay)
        self._car.setAccessibleName(self._say("car"))
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 16, 16, 12)
        box.setSpacing(12)
        box.addLayout(form)
        box.addWidget(self._pause)
        box.addWidget(self._drive)
        box.addStretch(1)

    def _slider(self, name: str) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, 100)
        slider.setObjectName(name)
        slider.setAccessibleName(self._say(name))
        slider.sliderReleased.connect(self._on_slider)
        slider.actionTriggered.connect(self._on_slider_key)
        return slider

    def _spin(self, name: str, low: int, high: int, suffix: str) -> QSpinBox:
        spin = roomy(QSpinBox())
        spin.setRange(low, high)
        spin.setSuffix(suffix)
        spin.setObjectName(name)
        spin.setAccessibleName(self._say(name))
        spin.setKeyboardTracking(False)
        spin.editingFinished.connect(self._on_spin)
        return spin

    @staticmethod
    def _fill(field: QSlider | QSpinBox, value: int) -> None:
        busy = field.isSliderDown() if isinstance(field, QSlider) else field.hasFocus()
        if busy or field.value() == value:
            return
        field.blockSignals(True)
        field.setValue(value)
        field.blockSignals(False)

    # ------------------------------------------------------------------ events

    def _on_car(self) -> None:
        if self._evse is None:
            return
        ident = str(self._car.currentData())
        if self._evse.vehicle is None:
            self.intent.emit(ArriveCar(self._evse.id, ident))
        else:
            self.intent.emit(SetVehicle(self._evse.id, vehicle=ident))

    def _on_slider_key(self) -> None:
        slider = self.sender()
        if isinstance(slider, QSlider) and not slider.isSliderDown():
            self._set_percent(slider.objectName(), slider.sliderPosition())

    def _on_slider(self) -> None:
        slider = self.sender()
        if isinstance(slider, QSlider):
            self._set_percent(slider.objectName(), slider.value())

    def _set_percent(self, name: str, value: int) -> None:
        if self._evse is None:
            return
        if name == "soc":
            self.intent.emit(SetVehicle(self._evse.id, soc=float(value)))
        else:
            self.intent.emit(SetVehicle(self._evse.id, target_soc=float(value)))

    def _on_spin(self) -> None:
        spin = self.sender()
        evse = self._evse
        if not isinstance(spin, QSpinBox) or evse is None or evse.vehicle is None:
            return
        value, car = spin.value(), evse.vehicle
        name = spin.objectName()
        if name == "amps" and value != round(car.max_ac_current):
            self.intent.emit(SetVehicle(evse.id, max_ac_current=float(value)))
        elif name == "kilowatts" and value != round(car.max_dc_power / 1000):
            self.intent.emit(SetVehicle(evse.id, max_dc_power=value * 1000.0))
        elif name == "phases" and value != car.ac_phases:
            self.intent.emit(SetVehicle(evse.id, ac_phases=value))
        elif name == "delay":
            self.intent.emit(SetVehicle(evse.id, ready_delay=float(value)))

    def _on_pause(self) -> None:
        evse = self._evse
        if evse is not None and evse.vehicle is not None:
            paused = evse.vehicle.paused
            self.intent.emit(ResumeVehicle(evse.id) if paused else PauseVehicle(evse.id))

    def _on_drive(self) -> None:
        evse = self._evse
        if evse is not None:
            here = evse.vehicle is not None
            ident = self._car.currentData()
            self.intent.emit(LeaveCar(evse.id) if here else ArriveCar(evse.id, ident))

    def _say(self, key: str) -> str:
        return self._catalogue.render(Text(f"inspector.vehicle.{key}"))


def _beside(field: QWidget, value: QLabel) -> QWidget:
    from PySide6.QtWidgets import QHBoxLayout

    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(field, 1)
    value.setFixedWidth(52)
    value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    row.addWidget(value)
    return holder
