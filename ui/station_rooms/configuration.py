"""The configuration keys (1.6) or variables (2.0.1): looked at, searched, and set in place."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from app.ocpp.version import Version
from app.runtime.setting_rows import SettingOutcome, SettingRow
from ui.rooms.empty import EmptyState
from ui.rooms.form import QuietCombo, bar, button, column, label
from ui.rooms.search import SearchField
from ui.rooms.split import TurningSplitter
from ui.station_rooms.room import LiveRoom
from ui.station_rooms.setting_table import (
    VALUE,
    SettingTable,
    changed_by,
    setting_columns,
    setting_model,
    shown_value,
)
from ui.theme import Theme
from ui.widgets.turns import Work

TURN_AT = 900
SHOWN = ("all", "writable", "changed")


class ConfigurationRoom(LiveRoom):
    """What a person writes goes to the station as from its own service menu; a refusal says why."""

    actions = ("ChangeConfiguration", "SetVariables", "SetNetworkProfile")

    def build(self) -> Work:
        say = self._say
        self.search = SearchField(say("setting.search"))
        self.search.textChanged.connect(self._filter)
        self.which = QuietCombo(say("setting.which"))
        for which in SHOWN:
            self.which.addItem(say(f"setting.show.{which}"), which)
        self.which.currentIndexChanged.connect(self._filter)
        self._count = label("", "secondary")
        yield
        self._model = setting_model(say, self._theme, self)
        self._model.entered.connect(self.set_value)
        self.table = SettingTable(self._model, setting_columns(say), say("room.configuration"))
        self.table.selectionModel().selectionChanged.connect(self._show_chosen)
        self.table.locked.connect(self._tell_locked)
        yield
        self._empty = EmptyState("off", say("setting.none"), say("setting.none_hint"), self._theme)
        self._rows: tuple[SettingRow, ...] = ()
        yield
        detail = self._detail()
        yield
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        yield
        self._stack.addWidget(self._whole(detail))

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._empty.set_theme(theme)
        self._model.set_theme(theme)

    def refresh(self) -> None:
        self.tell_refusal()
        self._rows = self._feed.rooms.settings()
        self._stack.setCurrentIndex(1 if self._rows else 0)
        self._fill(quiet=False)

    def set_value(self, name: str, value: str) -> SettingOutcome:
        """Set one and tell what became of it."""
        outcome = self._feed.rooms.set_setting(name, value)
        self.notice.tell(self._told(outcome), good=outcome.accepted)
        self.refresh()
        return outcome

    # ------------------------------------------------------------------ building

    def _whole(self, detail: QWidget) -> QWidget:
        head = bar(self.search, self.which, self._count, stretch_after=2)
        left = QWidget()
        box = QVBoxLayout(left)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(head)
        box.addWidget(self.notice)
        box.addWidget(self.table, 1)
        return TurningSplitter(TURN_AT, [72, 28], [65, 35], left, detail, low=10_000)

    def _detail(self) -> QWidget:
        """Beside the table: what the chosen one is, what it takes, who changed it."""
        say = self._say
        self._name = label("", "strong")
        self._about = label("", wrap=True)
        self._value = label("", "mono", wrap=True)
        self._value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._takes = label("", "secondary", wrap=True)
        self._group = label("", "secondary", wrap=True)
        self._change = label("", "secondary", wrap=True)
        self.edit = button(say("setting.edit"), "quiet")
        self.edit.clicked.connect(self._edit)
        inner = QWidget()
        box = QVBoxLayout(inner)
        box.setContentsMargins(16, 10, 16, 10)
        box.setSpacing(8)
        for each in (self._about, self._value, self._takes, self._group, self._change):
            box.addWidget(each)
        box.addStretch(1)
        return column(bar(self._name, self.edit), inner)

    # ------------------------------------------------------------------ what is shown

    def _filter(self) -> None:
        self._fill(quiet=True)

    def _fill(self, *, quiet: bool) -> None:
        shown = [row for row in self._rows if self._wanted(row)]
        self._model.show(shown, quiet=quiet)
        self._count.setText(self._say("setting.count", shown=len(shown), count=len(self._rows)))
        self._show_chosen()

    def _wanted(self, row: SettingRow) -> bool:
        which = self.which.currentData()
        if which == "writable" and not row.editable:
            return False
        if which == "changed" and row.change is None:
            return False
        value = None if row.secret else row.value
        return self.search.finds(row.name, value, row.group, self._about_of(row))

    def _show_chosen(self) -> None:
        row = self.table.chosen()
        self.edit.setEnabled(row is not None and row.editable)
        if row is None:
            self._name.setText(self._title())
            self._about.setText(self._say("setting.choose"))
            for each in (self._value, self._takes, self._group, self._change):
                each.clear()
            return
        self._name.setText(row.name)
        self._about.setText(self._about_of(row))
        self._about.setVisible(bool(self._about_of(row)))
        value = shown_value(row, self._say).replace(",", ", ")  # so that long lists can be broken
        self._value.setText(value)
        self._takes.setText(self._takes_of(row))
        self._group.setText(self._say("setting.group", group=row.group) if row.group else "")
        self._change.setText(self._change_of(row))

    def _title(self) -> str:
        version = self._feed.rooms.version
        return self._say("setting.keys" if version is Version.V16 else "setting.variables")

    def _about_of(self, row: SettingRow) -> str:
        return self._say.maybe(f"key.{row.name}", "")

    def _takes_of(self, row: SettingRow) -> str:
        words = [self._say("setting.readonly")] if row.readonly else []
        if row.takes is not None and not row.readonly:
            words.append(self._catalogue.render(row.takes))
        if row.reboot:
            words.append(self._say("setting.reboot_hint"))
        if row.waiting:
            words.append(self._say("setting.waits_hint"))
        return " ".join(words)

    def _change_of(self, row: SettingRow) -> str:
        if row.change is None:
            return ""
        words = changed_by(row, self._say)
        if row.secret:
            return words
        before, after = row.change.before or "–", row.change.after or "–"
        return f"{words}\n{before} → {after}"

    def _told(self, outcome: SettingOutcome) -> str:
        row = next((one for one in self._rows if one.name == outcome.name), None)
        secret = row is not None and row.secret
        value = self._say("setting.secret") if secret else outcome.value
        if outcome.accepted:
            key = "setting.set" if outcome.status == "Accepted" else "setting.set_reboot"
            return self._say(key, name=outcome.name, value=value)
        why = "" if outcome.why is None else self._catalogue.render(outcome.why)
        return self._say(
            "setting.refused", name=outcome.name, value=value, status=outcome.status, why=why
        )

    def _tell_locked(self, row: SettingRow | None) -> None:
        if row is not None:
            self.notice.tell(self._say("setting.locked", name=row.name))

    def _edit(self) -> None:
        row = self.table.currentIndex()
        if row.isValid():
            self.table.setFocus()
            self.table.edit_row(row.siblingAtColumn(VALUE))
