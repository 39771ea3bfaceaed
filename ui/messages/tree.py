"""A payload as a tree: field, value, type; a violation is pinned to its field."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QBrush
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.kernel.units import parse_stamp
from app.ocpp.events import Violation
from ui.messages.pretty import join
from ui.theme import Theme, mono_font, ui_font

PATH = Qt.ItemDataRole.UserRole
NAME, VALUE, KIND = range(3)
MOST_ITEMS = 500
"""Items of one list that are shown: more would only be scrolled past."""


class PayloadTree(QTreeWidget):
    """`path_chosen` tells the path of the field under the cursor."""

    path_chosen = Signal(object)

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._catalogue = catalogue
        self._shown: tuple[str, Any, tuple[Violation, ...]] = ("", None, ())
        self.setColumnCount(3)
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setIndentation(16)
        self.setIconSize(QSize(12, 12))
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(VALUE, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(KIND, QHeaderView.ResizeMode.ResizeToContents)
        self.currentItemChanged.connect(self._on_current)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.show_payload(*self._shown)

    def show_payload(self, title: str, payload: Any, violations: tuple[Violation, ...]) -> None:
        """Fill the tree. `title` names the root; None as payload empties it."""
        self._shown = (title, payload, violations)
        self.clear()
        if payload is None and not title:
            return
        broken: dict[str, list[Violation]] = {}
        for violation in violations:
            broken.setdefault(violation.path, []).append(violation)
        root = self._item(title, payload, "", broken)
        root.setFont(NAME, ui_font(12, 600))
        self.addTopLevelItem(root)
        for path, left in broken.items():
            # what is missing has no field of its own: it is pinned to the root
            for violation in left:
                root.addChild(self._violation(path, violation))
        self.expandAll()

    def light(self, path: str | None) -> None:
        """Put the cursor on the field of this path, if it is shown."""
        if path is None:
            return
        pending = [self.topLevelItem(n) for n in range(self.topLevelItemCount())]
        while pending:
            item = pending.pop()
            if item is None:
                continue
            if item.data(NAME, PATH) == path:
                self.setCurrentItem(item)
                return
            pending += [item.child(n) for n in range(item.childCount())]

    def _item(
        self, name: str, value: Any, path: str, broken: dict[str, list[Violation]]
    ) -> QTreeWidgetItem:
        item = QTreeWidgetItem([name, _words(value), self._kind(value)])
        item.setData(NAME, PATH, path)
        item.setFont(VALUE, mono_font(11))
        item.setFont(KIND, ui_font(11))
        item.setForeground(VALUE, QBrush(self._theme.colour(_token(value))))
        item.setForeground(KIND, QBrush(self._theme.colour("text3")))
        item.setToolTip(VALUE, _words(value))
        if isinstance(value, dict):
            for key, member in value.items():
                item.addChild(self._item(str(key), member, join(path, str(key)), broken))
        elif isinstance(value, list):
            for number, member in enumerate(value[:MOST_ITEMS]):
                item.addChild(self._item(f"[{number}]", member, join(path, number), broken))
        for violation in broken.pop(path, ()) if path else ():
            item.setForeground(NAME, QBrush(self._theme.colour("fault")))
            item.addChild(self._violation(path, violation))
        return item

    def _violation(self, path: str, violation: Violation) -> QTreeWidgetItem:
        item = QTreeWidgetItem(["⚠", f"{path}: {violation.message}", violation.rule])
        item.setData(NAME, PATH, path)
        item.setToolTip(VALUE, violation.message)
        for column in (NAME, VALUE, KIND):
            item.setForeground(column, QBrush(self._theme.colour("fault")))
        return item

    def _kind(self, value: Any) -> str:
        if isinstance(value, list):
            return self._catalogue.render(Text("messages.kind.items", {"count": len(value)}))
        return self._catalogue.render(Text(f"messages.kind.{_kind_key(value)}"))

    def _on_current(self, item: QTreeWidgetItem | None, _: QTreeWidgetItem | None) -> None:
        if item is not None:
            self.path_chosen.emit(item.data(NAME, PATH))


def _kind_key(value: Any) -> str:
    if isinstance(value, dict):
        return "object"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "decimal"
    if value is None:
        return "nothing"
    try:
        parse_stamp(str(value))
    except ValueError:
        return "string"
    return "moment"


def _words(value: Any) -> str:
    if isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _token(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "num"
    return "num" if isinstance(value, int | float) else "str"
