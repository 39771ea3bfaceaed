"""The table of configuration keys or variables, whose values are edited in their cells."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QComboBox,
    QLineEdit,
    QStyleOptionViewItem,
    QWidget,
)

from app.runtime.setting_rows import BACK_OFFICE, SettingRow
from ui.rooms.form import Words
from ui.rooms.table import Column, Index, Mark, RecordModel, RecordTable, RowDelegate
from ui.station_rooms.room import clock
from ui.theme import Theme

VALUE = 1
_TYPED = "typed"


class SettingModel(RecordModel[SettingRow]):
    """`entered` carries name and value that a person wrote into a cell."""

    entered = Signal(str, str)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        row = self.record(index.row())
        if index.column() == VALUE and row is not None and row.editable:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row = self.record(index.row())
        if row is None or role != Qt.ItemDataRole.EditRole:
            return False
        self.entered.emit(row.name, str(value))
        return True


class SettingDelegate(RowDelegate):
    """Edits a value: a choice where there are few, else a line. Nothing that is typed is corrected."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        row: SettingRow = index.data(Qt.ItemDataRole.UserRole)
        if row.choices:
            combo = QComboBox(parent)
            combo.addItems(row.choices)
            combo.setAccessibleName(row.name)
            combo.activated.connect(self._chosen)
            return combo
        line = QLineEdit(parent)
        line.setAccessibleName(row.name)
        if row.secret:
            line.setEchoMode(QLineEdit.EchoMode.Password)
        return line

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Only once: what the station tells meanwhile does not overwrite what is typed."""
        if editor.property(_TYPED):
            return
        editor.setProperty(_TYPED, True)
        row: SettingRow = index.data(Qt.ItemDataRole.UserRole)
        value = row.value or ""
        if isinstance(editor, QComboBox):
            editor.setCurrentText(value)
        elif isinstance(editor, QLineEdit):
            editor.setText(value)
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        text = editor.currentText() if isinstance(editor, QComboBox) else ""
        if isinstance(editor, QLineEdit):
            text = editor.text()
        row: SettingRow = index.data(Qt.ItemDataRole.UserRole)
        if text != (row.value or "") or row.secret:
            model.setData(index, text)

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        editor.setGeometry(option.rect)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leaving a line by a click elsewhere gives up what was typed; Enter and Tab take it."""
        if event.type() is QEvent.Type.FocusOut and isinstance(watched, QLineEdit):
            hint = QAbstractItemDelegate.EndEditHint.RevertModelCache
            self.closeEditor.emit(watched, hint)
            return False
        return super().eventFilter(watched, event)

    def _chosen(self) -> None:
        combo = self.sender()
        if isinstance(combo, QComboBox):
            self.commitData.emit(combo)
            self.closeEditor.emit(combo, QAbstractItemDelegate.EndEditHint.NoHint)


class SettingTable(RecordTable[SettingRow]):
    """Enter, F2 or a double click anywhere in a row edits its value; `locked` tells of one that cannot be."""

    locked = Signal(object)

    def __init__(
        self, model: SettingModel, columns: Sequence[Column[SettingRow]], name: str
    ) -> None:
        super().__init__(model, columns, name)
        self._editor = SettingDelegate(model.theme, self)
        self.setItemDelegate(self._editor)
        model.themed.connect(self._editor.set_theme)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.doubleClicked.connect(self.edit_row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2}:
            if self.state() is not QAbstractItemView.State.EditingState:  # it was the line's Enter
                self.edit_row(self.currentIndex())
            return
        super().keyPressEvent(event)

    def edit_row(self, index: QModelIndex) -> None:
        """Open the value of a row for editing, if it can be edited."""
        value = index.siblingAtColumn(VALUE)
        if value.flags() & Qt.ItemFlag.ItemIsEditable:
            self.setCurrentIndex(value)
            self.edit(value)
        elif value.isValid():
            self.locked.emit(self.chosen())


def setting_columns(say: Words) -> tuple[Column[SettingRow], ...]:
    """Name, value, who changed it, access, type, and when a new value counts."""
    return (
        Column[SettingRow](say("setting.name"), lambda s: s.name, 278, strong=True, mark=_mark),
        Column[SettingRow](say("setting.value"), lambda s: shown_value(s, say), mono=True),
        Column[SettingRow](
            say("setting.changed"), lambda s: changed_by(s, say), 176, mark=_changed_mark
        ),
        Column[SettingRow](say("setting.access"), lambda s: _access(s, say), 92),
        Column[SettingRow](say("setting.type"), lambda s: _type(s, say), 104, from_width=860),
        Column[SettingRow](
            say("setting.reboot"),
            lambda s: _reboot(s, say),
            116,
            mark=_reboot_mark,
            from_width=960,
        ),
    )


def setting_model(say: Words, theme: Theme, parent: QObject) -> SettingModel:
    """The model of the table; rows whose value changed flash."""
    columns = setting_columns(say)
    return SettingModel(
        columns, lambda s: s.name, theme, parent, lambda s: (s.value, s.waiting, s.change)
    )


def shown_value(row: SettingRow, say: Words) -> str:
    """The value as it may be seen."""
    if row.secret:
        return say("setting.secret")
    return say("setting.unset") if row.value is None else row.value


def changed_by(row: SettingRow, say: Words) -> str:
    """Who set it last, and when; empty while nobody did."""
    if row.change is None:
        return ""
    return say(f"setting.by.{row.change.by}", time=clock(row.change.at))


def _access(row: SettingRow, say: Words) -> str:
    if row.secret:
        return say("setting.access.write")
    return say("setting.access.read" if row.readonly else "setting.access.both")


def _type(row: SettingRow, say: Words) -> str:
    word = say.maybe(f"type.{row.kind}", row.kind)
    return f"{word}, {row.unit}" if row.unit else word


def _reboot(row: SettingRow, say: Words) -> str:
    if row.waiting:
        return say("setting.waits")
    return say("setting.needs_reboot") if row.reboot else ""


def _reboot_mark(row: SettingRow) -> Mark | None:
    return Mark("waiting", "warn") if row.waiting else None


def _changed_mark(row: SettingRow) -> Mark | None:
    """What the back office changed stands out."""
    if row.change is None:
        return None
    return Mark("link", "charge") if row.change.by == BACK_OFFICE else Mark("tick", "text2")


def _mark(row: SettingRow) -> Mark:
    return Mark("edit" if row.editable else "lock", "text3")
