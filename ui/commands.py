"""Every command of the window once: its words, its keys, what it does, and when it can be done.

Buttons, menus and shortcuts are made from here, so that they never tell different stories.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Command:
    """`id` names its words in the catalogue (`command.<id>`); `keys` as Qt spells them."""

    id: str
    run: Callable[[], object]
    keys: str = ""
    checkable: bool = False


class Commands(QObject):
    """The commands as actions, by id."""

    def __init__(self, catalogue: Catalogue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._catalogue = catalogue
        self._runs: dict[str, Callable[[], object]] = {}
        self.actions: dict[str, QAction] = {}

    def add(self, command: Command) -> QAction:
        """Make the action of a command. Raises ValueError for an id that is taken."""
        if command.id in self.actions:
            raise ValueError(f"two commands are named {command.id}")
        action = QAction(self._catalogue.render(Text(f"command.{command.id}")), self)
        action.setObjectName(command.id)
        action.setCheckable(command.checkable)
        action.setAutoRepeat(False)  # a key that is held down is one act
        if command.keys:
            action.setShortcut(QKeySequence(command.keys))
        action.triggered.connect(self._on_triggered)
        self._runs[command.id] = command.run
        self.actions[command.id] = action
        return action

    def run(self, ident: str) -> None:
        """Do it, as its button would. Raises KeyError."""
        self.actions[ident].trigger()

    def __getitem__(self, ident: str) -> QAction:
        return self.actions[ident]

    def _on_triggered(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self._runs[action.objectName()]()
