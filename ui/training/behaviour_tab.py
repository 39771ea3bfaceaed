"""The form of the CSMS's behaviour; each change acts at once."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QCheckBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.kernel.catalogue import Catalogue
from app.training.server import TrainingCsms
from app.training.settings import BootAnswer, BootStatus
from ui.rooms.empty import Glyph
from ui.rooms.form import QuietCombo, Words, button, field, label, roomy
from ui.theme import Theme
from ui.training.behaviour import (
    CODES,
    Behaviour,
    Conductor,
    ErrorRule,
    station_actions,
)
from ui.training.feed import TrainingFeed, TrainingView
from ui.widgets.glyphs import glyph_icon
from ui.widgets.turns import Work

LONGEST_DELAY_S = 120.0
LONGEST_INTERVAL_S = 86_400
WIDEST = 720
"""Of a column."""
SIDE_BY_SIDE = 900
BOOT_GLYPHS = {
    BootStatus.ACCEPTED: ("available", "avail"),
    BootStatus.PENDING: ("waiting", "warn"),
    BootStatus.REJECTED: ("faulted", "fault"),
}


class BehaviourTab(QWidget):
    """`changed` carries the Behaviour that is now in force."""

    changed = Signal(object)

    def __init__(self, feed: TrainingFeed, theme: Theme, catalogue: Catalogue) -> None:
        super().__init__()
        self._feed, self._theme = feed, theme
        self._say = Words(catalogue, "training_panel")
        self._behaviour = Behaviour()
        self._conductor = Conductor()
        self._known = False

    def build(self) -> Work:
        """In steps of a few milliseconds; nothing else is called before its end."""
        self._glyphs = [Glyph("warning", "warn", self._theme)]
        self._make_state()
        self._make_boot()
        yield
        self._make_answers()
        yield
        self._make_errors()
        yield
        yield from self._put_together()
        self.set_theme(self._theme)
        yield
        self._show()
        self._feed.started.connect(self._apply)

    @property
    def behaviour(self) -> Behaviour:
        return self._behaviour

    def set_theme(self, theme: Theme) -> None:
        for glyph in self._glyphs:
            glyph.set_theme(theme)
        for status, made in self.boot_buttons.items():
            name, token = BOOT_GLYPHS[status]
            made.setIcon(glyph_icon(name, theme.colour(token), theme.colour("onink")))

    def show_view(self, view: TrainingView) -> None:
        """The boot answer may have been set elsewhere, by a scenario or the command line."""
        if view.running and not self._known:
            self._known = True
            self._behaviour = replace(self._behaviour, boot=view.boot)
            self._show()

    def set_behaviour(self, behaviour: Behaviour) -> None:
        """Put this behaviour in force."""
        if behaviour != self._behaviour:
            self._behaviour = behaviour
            self._known = True
            self._apply()
            self._show()
            self.changed.emit(behaviour)

    # ------------------------------------------------------------------ building

    def _make_state(self) -> None:
        self._state = label("", "secondary", wrap=True)
        self.normal = button(self._say("behaviour.reset"))
        self.normal.clicked.connect(self._on_normal)

    def _make_boot(self) -> None:
        self._boot_group = QButtonGroup(self)
        self.boot_buttons: dict[BootStatus, QPushButton] = {}
        for number, status in enumerate(BootStatus):
            word = self._say(f"boot.{status.value}")
            made = button(f" {word}")  # a blank keeps the word off its shape
            made.setAccessibleName(word)
            made.setCheckable(True)
            made.setToolTip(self._say(f"boot.{status.value}_hint"))
            made.setIconSize(QSize(16, 16))
            self._boot_group.addButton(made, number)
            self.boot_buttons[status] = made
        self._boot_group.idClicked.connect(self._on_boot)
        self.interval = roomy(QSpinBox())
        self.interval.setRange(0, LONGEST_INTERVAL_S)
        self.interval.setSuffix(self._say("seconds_suffix"))
        self.interval.setKeyboardTracking(False)
        self.interval.valueChanged.connect(self._on_boot)
        self.any_certificate = QCheckBox(self._say("behaviour.any_certificate"))
        self.any_certificate.setToolTip(self._say("behaviour.any_certificate_hint"))
        self.any_certificate.toggled.connect(self._on_certificates)

    def _make_answers(self) -> None:
        self.delay = roomy(QDoubleSpinBox())
        self.delay.setRange(0.0, LONGEST_DELAY_S)
        self.delay.setDecimals(1)
        self.delay.setSingleStep(0.5)
        self.delay.setSuffix(self._say("seconds_suffix"))
        self.delay.setKeyboardTracking(False)
        self.delay.valueChanged.connect(self._on_answers)
        self.mute = QCheckBox(self._say("behaviour.mute"))
        self.mute.toggled.connect(self._on_answers)

    def _make_errors(self) -> None:
        self.action = QuietCombo(self._say("behaviour.action"))
        self.action.setEditable(True)
        self.action.addItems(station_actions())
        self.action.setCurrentText("StatusNotification")
        self.code = QuietCombo(self._say("behaviour.code"))
        self.code.setEditable(True)
        self.code.addItems(CODES)
        self.add_error = button(self._say("behaviour.add"))
        self.add_error.clicked.connect(self._on_add_error)
        self._rules = QVBoxLayout()
        self._rules.setSpacing(4)

    def _put_together(self) -> Work:
        area = QScrollArea()
        area.setWidgetResizable(True)
        inner = QWidget()  # goes into its place empty: what it holds is styled once then
        inner.setMaximumWidth(2 * WIDEST)
        box = QVBoxLayout(inner)
        box.setContentsMargins(16, 12, 16, 16)
        box.setSpacing(12)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        area.setWidget(inner)
        yield
        state = QHBoxLayout()
        state.setSpacing(8)
        state.addWidget(self._glyphs[0])
        state.addWidget(self._state, 1)
        state.addWidget(self.normal)
        box.addLayout(state)
        box.addWidget(_line())
        self._columns = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._columns.setSpacing(24)
        box.addLayout(self._columns)
        for side in (self._usual, self._wrong):
            yield
            self._columns.addLayout(side(), 1)
        box.addStretch(1)

    def _usual(self) -> QVBoxLayout:
        """What it tells a booting station, and how quick it is."""
        say = self._say
        box = QVBoxLayout()
        box.setSpacing(12)
        boot = QHBoxLayout()
        boot.setSpacing(8)
        for made in self.boot_buttons.values():
            boot.addWidget(made)
        boot.addStretch(1)
        box.addWidget(label(say("behaviour.boot"), "strong"))
        box.addWidget(label(say("behaviour.boot_hint"), "hint", wrap=True))
        box.addLayout(boot)
        numbers = QHBoxLayout()
        numbers.addLayout(field(say("behaviour.interval"), self.interval))
        numbers.addStretch(1)
        box.addLayout(numbers)
        box.addWidget(self.any_certificate)
        box.addStretch(1)
        return box

    def _wrong(self) -> QVBoxLayout:
        """What it does with all that is asked, and where it answers with an error."""
        say = self._say
        box = QVBoxLayout()
        box.setSpacing(12)
        box.addWidget(label(say("behaviour.answers"), "strong"))
        answers = QHBoxLayout()
        answers.setSpacing(16)
        answers.addLayout(field(say("behaviour.delay"), self.delay))
        answers.addWidget(self.mute, 0, Qt.AlignmentFlag.AlignBottom)
        answers.addStretch(1)
        box.addLayout(answers)
        box.addWidget(_line())
        box.addWidget(label(say("behaviour.errors"), "strong"))
        box.addWidget(label(say("behaviour.errors_hint"), "hint", wrap=True))
        error = QGridLayout()
        error.setHorizontalSpacing(8)
        error.addLayout(field(say("behaviour.action"), self.action), 0, 0)
        error.addLayout(field(say("behaviour.code"), self.code), 0, 1)
        error.addWidget(self.add_error, 0, 2, Qt.AlignmentFlag.AlignBottom)
        error.setColumnStretch(0, 1)
        error.setColumnStretch(1, 1)
        box.addLayout(error)
        box.addLayout(self._rules)
        box.addStretch(1)
        return box

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side where there is room: a low dock shows all without scrolling far."""
        wide = event.size().width() >= SIDE_BY_SIDE
        way = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        self._columns.setDirection(way)
        super().resizeEvent(event)

    # ------------------------------------------------------------------ events

    def _on_boot(self, _: int = 0) -> None:
        status = tuple(BootStatus)[max(0, self._boot_group.checkedId())]
        boot = BootAnswer(status, self.interval.value())
        self.set_behaviour(replace(self._behaviour, boot=boot))

    def _on_certificates(self, checked: bool) -> None:
        self.set_behaviour(replace(self._behaviour, any_certificate=checked))

    def _on_answers(self, _: object = None) -> None:
        delay, mute = round(self.delay.value(), 1), self.mute.isChecked()
        self.set_behaviour(replace(self._behaviour, delay_s=delay, mute=mute))

    def _on_add_error(self) -> None:
        action, code = self.action.currentText().strip(), self.code.currentText().strip()
        if action and code:
            self.set_behaviour(self._behaviour.with_error(ErrorRule(action, code)))

    def _on_remove_error(self) -> None:
        sender = self.sender()
        if isinstance(sender, QPushButton):
            self.set_behaviour(self._behaviour.without_error(str(sender.property("action"))))

    def _on_normal(self) -> None:
        boot = BootAnswer(BootStatus.ACCEPTED, self._behaviour.boot.interval_s)
        self.set_behaviour(Behaviour(boot))

    def _apply(self) -> None:
        if self._known:
            self._feed.ask(partial(_conduct, self._conductor, self._behaviour), None)

    # ------------------------------------------------------------------ showing

    def _show(self) -> None:
        behaviour = self._behaviour
        for widget in (self.interval, self.delay, self.mute, self.any_certificate):
            widget.blockSignals(True)
        self.boot_buttons[behaviour.boot.status].setChecked(True)
        self.interval.setValue(behaviour.boot.interval_s)
        self.delay.setValue(behaviour.delay_s)
        self.mute.setChecked(behaviour.mute)
        self.any_certificate.setChecked(behaviour.any_certificate)
        for widget in (self.interval, self.delay, self.mute, self.any_certificate):
            widget.blockSignals(False)
        self.delay.setEnabled(not behaviour.mute)
        normal = behaviour.is_normal
        self._state.setText(self._say("behaviour.normal" if normal else "behaviour.odd"))
        self._glyphs[0].show_glyph(*(("tick", "avail") if normal else ("warning", "warn")))
        self.normal.setEnabled(not normal)
        self._show_rules()

    def _show_rules(self) -> None:
        while self._rules.count():
            item = self._rules.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for rule in self._behaviour.errors:
            self._rules.addWidget(self._rule_row(rule))

    def _rule_row(self, rule: ErrorRule) -> QWidget:
        row = QFrame()
        row.setProperty("role", "card")
        box = QHBoxLayout(row)
        box.setContentsMargins(12, 2, 4, 2)
        words: QLabel = label(
            self._say("behaviour.rule", action=rule.action, code=rule.code), wrap=True
        )
        remove = button(self._say("behaviour.remove"), "quiet")
        remove.setAccessibleName(self._say("behaviour.remove_name", action=rule.action))
        remove.setProperty("action", rule.action)
        remove.clicked.connect(self._on_remove_error)
        box.addWidget(words, 1)
        box.addWidget(remove)
        return row


def _conduct(conductor: Conductor, behaviour: Behaviour, csms: TrainingCsms) -> None:
    conductor.apply(csms, behaviour)


def _line() -> QFrame:
    line = QFrame()
    line.setProperty("role", "line")
    return line
