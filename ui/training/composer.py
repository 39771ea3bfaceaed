"""Write a message to a station: choose an action, edit its example, send it right or wrong."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.kernel.catalogue import Catalogue
from app.training import composer
from app.training.outcome import CallOutcome, OutcomeKind
from app.training.records import StationRecord
from app.training.settings import V201
from ui.rooms.empty import Glyph
from ui.rooms.form import HIT, QuietCombo, Words, bar, button, column, label
from ui.rooms.json_edit import JsonEdit, pretty_json, read_json
from ui.rooms.search import SearchField
from ui.rooms.split import TurningSplitter
from ui.theme import Theme
from ui.theme.qss import repolish
from ui.training.answer import Sent, unframed
from ui.training.feed import TrainingFeed, TrainingView
from ui.training.schema_check import Check, check_frame, check_payload
from ui.training.sent import SentPane
from ui.widgets.glyphs import glyph_icon
from ui.widgets.turns import Work

if TYPE_CHECKING:
    from app.training.server import TrainingCsms

CHECK_MS = 250
TURN_AT = 820


class ComposerTab(QWidget):
    """Nothing that is typed here is corrected or held back."""

    def __init__(self, feed: TrainingFeed, theme: Theme, catalogue: Catalogue) -> None:
        super().__init__()
        self._feed = feed
        self._theme = theme
        self._say = Words(catalogue, "training_panel")
        self._present: tuple[object, ...] | None = None
        self._version = ""
        self._action = ""
        self._drafts: dict[tuple[str, str], str] = {}
        self._asked = 0
        self._wanting = False
        self._count = 0
        self._check_timer = QTimer(self)
        self._check_timer.setSingleShot(True)
        self._check_timer.setInterval(CHECK_MS)
        self._check_timer.timeout.connect(self._check)

    def build(self) -> Work:
        """In steps of a few milliseconds; nothing else is called before its end."""
        panes: list[QWidget] = []
        self._make_choice()
        yield
        self._make_editor(self._theme)
        yield
        self.sent = SentPane(self._theme, self._say)
        self.sent.again_wanted.connect(self._on_again)
        for pane in (self._choice, self._editor):
            yield
            panes.append(pane())
        yield
        self.sent.put_together()
        yield
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        self._split = TurningSplitter(
            TURN_AT, [25, 41, 34], [26, 40, 34], *panes, self.sent, low=10_000
        )
        box.addWidget(self._split)
        self.text.submitted.connect(self.send)
        yield
        self._show_versions("")

    # ------------------------------------------------------------------ from outside

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.text.set_theme(theme)
        self._mark.set_theme(theme)
        self.sent.set_theme(theme)
        self._present = None
        self._show_stations(self._feed.view.snapshot.stations)

    def show_view(self, view: TrainingView) -> None:
        self._show_stations(view.snapshot.stations)

    def choose_station(self, station_id: str) -> None:
        """Write to this station."""
        self.station.choose(station_id)

    def choose_action(self, action: str) -> None:
        """Put the cursor on an action; the search is cleared if it hides it."""
        if self._item(action) is None:
            self.search.clear()
        item = self._item(action)
        if item is not None:
            self.action_list.setCurrentItem(item)

    def send(self) -> None:
        """Send what stands in the editor, as it is."""
        station = self._station()
        text = self.text.toPlainText()
        if not self.send_button.isEnabled() or station is None:
            return
        self._count += 1
        raw = self.whole.isChecked()
        sent = Sent(
            self._count,
            datetime.now().astimezone(),
            station.id,
            station.version,
            self._action if not raw else (unframed(text) or (self._say("raw_frame"), ""))[0],
            text,
            raw,
        )
        self.sent.add(sent)
        csms = self._feed.csms
        future = (
            csms.send_raw(station.id, text) if raw else csms.call(station.id, self._action, text)
        )
        lost = CallOutcome(OutcomeKind.DISCONNECTED)
        self._feed.await_future(future, partial(self.sent.take_outcome, sent), lost)

    # ------------------------------------------------------------------ building

    def _make_choice(self) -> None:
        say = self._say
        self.station = QuietCombo(say("composer.station"))
        self.station.currentIndexChanged.connect(self._on_station)
        self.search = SearchField(say("composer.search"), None)
        self.search.textChanged.connect(self._filter)
        self.action_list = QListWidget()
        self.action_list.setAccessibleName(say("composer.actions"))
        self.action_list.setUniformItemSizes(True)
        self.action_list.setMinimumHeight(2 * HIT)
        self.action_list.setStyleSheet("QListWidget::item { padding: 0 12px; }")
        self.action_list.currentItemChanged.connect(self._on_action)

    def _choice(self) -> QWidget:
        top = QWidget()
        box = QVBoxLayout(top)
        box.setContentsMargins(12, 8, 12, 8)
        box.setSpacing(8)
        box.addWidget(self.station)
        box.addWidget(self.search)
        return column(top, self.action_list)

    def _make_editor(self, theme: Theme) -> None:
        say = self._say
        self._title = label("", "strong")
        self.whole = QCheckBox(say("composer.whole"))
        self.whole.setToolTip(say("composer.whole_hint"))
        self.whole.toggled.connect(self._on_whole)
        self.reset = button(say("composer.reset"), "quiet")
        self.reset.setToolTip(say("composer.reset_hint"))
        self.reset.clicked.connect(self._on_reset)
        self.text = JsonEdit(theme, say("composer.payload"))
        self.text.setFrameShape(JsonEdit.Shape.NoFrame)
        self.text.edited.connect(self._on_edited)
        self._mark = Glyph("tick", "avail", theme)
        self.verdict = label("", "secondary", wrap=True)
        self.send_button = button(say("composer.send"), "primary")
        self.send_button.setToolTip(say("composer.send_hint"))
        self.send_button.clicked.connect(self.send)

    def _editor(self) -> QWidget:
        foot = QWidget()
        row = QHBoxLayout(foot)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(8)
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.verdict, 1)
        row.addWidget(self.send_button)
        head = bar(self._title, self.whole, self.reset, left=12)
        body = column(head, self.text)
        host = QWidget()
        box = QVBoxLayout(host)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(body, 1)
        box.addWidget(foot)
        return host

    # ------------------------------------------------------------------ stations and actions

    def _station(self) -> StationRecord | None:
        return self._feed.view.snapshot.station(str(self.station.currentData() or ""))

    def _show_stations(self, stations: tuple[StationRecord, ...]) -> None:
        present = tuple((one.id, one.version, one.connected) for one in stations)
        if present == self._present:
            return  # an open combo box must not be disturbed by what stations say
        self._present = present
        wanted = self.station.currentData()
        self.station.blockSignals(True)
        shown = [self.station.itemData(n) for n in range(self.station.count())]
        if shown != [one.id for one in stations]:
            self.station.clear()
            for one in stations:
                self.station.addItem(one.id, one.id)
        for number, one in enumerate(stations):
            glyph, token = ("available", "avail") if one.connected else ("off", "unavail")
            self.station.setItemIcon(number, glyph_icon(glyph, self._theme.colour(token)))
            self.station.setItemText(
                number, self._say("composer.station_item", id=one.id, version=one.version)
            )
        first = next((one.id for one in stations if one.connected), None)
        self.station.choose(wanted if wanted in {one.id for one in stations} else first)
        self.station.blockSignals(False)
        self.station.setEnabled(bool(stations))
        self._on_station()

    def _on_station(self) -> None:
        station = self._station()
        self._show_versions("" if station is None else station.version)

    def _show_versions(self, version: str) -> None:
        wanted = version or self._version or V201
        if wanted != self._version:
            self._version = wanted
            current = self._action
            self.action_list.blockSignals(True)
            self.action_list.clear()
            for action in composer.actions(wanted):
                item = QListWidgetItem(action)
                item.setSizeHint(QSize(100, HIT))
                self.action_list.addItem(item)
            self.action_list.blockSignals(False)
            self._action = ""
            self._filter()
            self.action_list.setCurrentItem(self._item(current) or self.action_list.item(0))
        elif version and not self.text.toPlainText() and not self._wanting:
            self._ask_example()
        self._allow()

    def _allow(self) -> None:
        """There is somebody to write to, and no example on its way that would change the text."""
        ready = bool(self._action) or self.whole.isChecked()
        self.send_button.setEnabled(self._station() is not None and ready and not self._wanting)

    def _filter(self) -> None:
        words = self.search.text().casefold().split()
        for row in range(self.action_list.count()):
            item = self.action_list.item(row)
            item.setHidden(not all(word in item.text().casefold() for word in words))
        current, exact = self._current(), self._item(self.search.text().strip())
        if exact is not None:
            self.action_list.setCurrentItem(exact)
        elif words and (current is None or current.isHidden()):
            shown = (self.action_list.item(row) for row in range(self.action_list.count()))
            first = next((item for item in shown if not item.isHidden()), None)
            if first is not None:
                self.action_list.setCurrentItem(first)

    def _current(self) -> QListWidgetItem | None:
        return self.action_list.currentItem()

    def _item(self, action: str) -> QListWidgetItem | None:
        found = self.action_list.findItems(action, Qt.MatchFlag.MatchFixedString)
        return next((item for item in found if not item.isHidden()), None)

    def _on_action(self, item: QListWidgetItem | None, _: QListWidgetItem | None) -> None:
        if item is None or item.text() == self._action:
            return
        self._action = item.text()
        self._title.setText(self._action)
        self.action_list.scrollToItem(item)
        draft = self._drafts.get((self._version, self._action))
        self._forget_example()
        if draft is not None:
            self._show_payload(draft)
        else:
            self.text.put("")
            self._ask_example()

    # ------------------------------------------------------------------ the payload

    def _ask_example(self) -> None:
        station = self._station()
        if station is None or not self._action:
            self._check()
            return
        self._asked += 1
        self._wanting = self._feed.view.running
        self._allow()
        wanted = partial(_example, station.id, self._action)
        self._feed.ask(wanted, partial(self._take_example, self._asked))

    def _take_example(self, number: int, example: object) -> None:
        """An example came; one that is no longer wanted is dropped."""
        if number != self._asked:
            return
        self._forget_example()
        if isinstance(example, dict):
            self._show_payload(pretty_json(example))

    def _forget_example(self) -> None:
        self._asked += 1
        self._wanting = False
        self._allow()

    def _show_payload(self, payload: str) -> None:
        self.text.put(self._framed(payload) if self.whole.isChecked() else payload)
        self._check()

    def _framed(self, payload: str) -> str:
        id_, action = json.dumps(str(uuid.uuid4())), json.dumps(self._action)
        return f"[2, {id_}, {action},\n{payload or '{}'}]"

    def _on_whole(self, whole: bool) -> None:
        text = self.text.toPlainText()
        if whole:
            self.text.put(self._framed(text))
        else:
            frame = unframed(text)
            draft = self._drafts.get((self._version, self._action), "")
            self.text.put(frame[1] if frame is not None else draft or text)
        self._allow()
        self._check()

    def _on_reset(self) -> None:
        self._drafts.pop((self._version, self._action), None)
        self._ask_example()

    def _on_edited(self) -> None:
        self._forget_example()
        if not self.whole.isChecked():
            self._drafts[self._version, self._action] = self.text.toPlainText()
        self._check_timer.start()

    def _check(self) -> None:
        text = self.text.toPlainText()
        reading = read_json(text)
        self.text.mark(reading.mistake if text.strip() else None)
        if self.whole.isChecked():
            check = check_frame(self._version, text, reading)
        else:
            check = check_payload(self._version, self._action, text, reading)
        self._show_check(check)

    def _show_check(self, check: Check) -> None:
        self._mark.show_glyph(check.mark.glyph, check.mark.token)
        self._mark.setVisible(check.key != "nothing")
        self.verdict.setText(self._say(f"check.{check.key}", **check.params))
        _set_role(self.verdict, "warning" if check.mark.token == "warn" else "secondary")

    def _on_again(self, sent: Sent) -> None:
        """Take what was sent back into the editor."""
        self._drafts[sent.version, sent.action] = sent.text
        if not sent.raw and sent.version == self._version:
            self.choose_action(sent.action)
        self._forget_example()
        self.whole.blockSignals(True)
        self.whole.setChecked(sent.raw)
        self.whole.blockSignals(False)
        self.text.put(sent.text)
        self._check()


def _example(station: str, action: str, csms: TrainingCsms) -> dict[str, Any]:
    """Asked in the thread of the CSMS; empty where there is none."""
    try:
        return csms.example(station, action)
    except KeyError:
        return {}


def _set_role(widget: QLabel, role: str) -> None:
    if widget.property("role") != role:
        widget.setProperty("role", role)
        repolish(widget)
