"""Puts the rooms of the station into docks of the window, each with its command and key."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from types import ModuleType

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QMenu

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.runtime.lab import Lab
from app.runtime.point_rows import PointRows
from app.runtime.rooms import Rooms
from ui.ask import Spawner
from ui.bridge import Bridge
from ui.commands import Command, Commands
from ui.shell.below import BELOW
from ui.shell.window import MainWindow
from ui.station_rooms.feed import RoomFeed
from ui.station_rooms.room import LazyRoom, LiveRoom
from ui.theme import Theme
from ui.widgets.turns import Work

ROOMS = (  # name and module, class, key
    ("configuration", "ConfigurationRoom", "Ctrl+3"),
    ("queue", "QueueRoom", "Ctrl+4"),
    ("profiles", "ProfilesRoom", "Ctrl+5"),
    ("tokens", "TokensRoom", "Ctrl+6"),
    ("reservations", "ReservationsRoom", "Ctrl+7"),
    ("jobs", "JobsRoom", "Ctrl+8"),
    ("security", "SecurityRoom", "Ctrl+9"),
    ("points", "PointsRoom", "Ctrl+0"),
    ("clock", "ClockRoom", "Ctrl+J"),
)
HELP = (("coverage", "CoverageRoom", "Ctrl+F1"),)


class StationRooms(QObject):
    """All rooms, closed at first. A room's command opens it, brings it to the front, or closes it."""

    def __init__(
        self,
        window: MainWindow,
        bridge: Bridge,
        commands: Commands,
        theme: Theme,
        catalogue: Catalogue,
        lab: Lab,
        spawner: Spawner,
    ) -> None:
        super().__init__(window)
        self._window = window
        self.feed = RoomFeed(
            bridge, Rooms(bridge.session), PointRows(bridge.session), lab, spawner, self
        )
        self._rooms: dict[str, LazyRoom] = {}
        self.docks: dict[str, QDockWidget] = {}
        self.menu = QMenu(catalogue.render(Text("top.rooms")), window)
        self.help = QMenu(catalogue.render(Text("top.help")), window)
        self._commands, self._theme, self._catalogue = commands, theme, catalogue

    def furnish(self, menu: QMenu, before: QAction) -> Work:
        """Make the places of the rooms, and their entries in the window's menu, in steps."""
        for ident in ("messages", "inspector"):
            self.menu.addAction(self._commands[ident])
        self.menu.addSeparator()
        for shown, rooms in ((self.menu, ROOMS), (self.help, HELP)):
            for ident, kind, keys in rooms:
                self._add(ident, keys, partial(_made, ident, kind, self.feed, self._catalogue))
                run = partial(self.toggle, ident)
                action = self._commands.add(Command(f"room_{ident}", run, keys))
                self._window.addAction(action)
                shown.addAction(action)
                yield
        self.menu.addSeparator()
        self.menu.addAction(self._commands["reset_layout"])
        menu.insertMenu(before, self.menu)
        menu.insertMenu(self._commands["quit"], self.help)

    def room(self, ident: str) -> LiveRoom:
        """A room by its name, made if it is not there yet. Raises KeyError."""
        return self._rooms[ident].room

    def toggle(self, ident: str) -> None:
        """Open it, bring it to the front, or close it if it is in front already."""
        dock = self.docks[ident]
        if dock.isVisible() and not dock.visibleRegion().isEmpty():
            self._window.below.close(dock)
        else:
            self.open(ident)

    def open(self, ident: str) -> None:
        """Show a room in front, large enough to be used, and go there with the keyboard."""
        self._window.below.open(self.docks[ident])
        self._rooms[ident].take_keyboard()

    def wear(self, theme: Theme) -> Work:
        """Put another theme on the rooms, one after the other."""
        for room in self._rooms.values():
            room.set_theme(theme)
            yield

    def close(self) -> None:
        """The session is about to end."""
        for ident, dock in self.docks.items():
            dock.visibilityChanged.disconnect(self._rooms[ident].set_live)
            self._rooms[ident].leave()
        self.feed.close()

    def _add(self, ident: str, keys: str, make: Callable[[Theme], LiveRoom]) -> None:
        room = LazyRoom(make, self._theme)
        dock = self._window.add_room(ident, room, BELOW, keys)
        self._window.tabifyDockWidget(self._window.messages_dock, dock)
        dock.visibilityChanged.connect(room.set_live)
        self._rooms[ident], self.docks[ident] = room, dock


def read_rooms() -> None:
    """Read the program of all rooms, so that each opens at once. For any thread."""
    for ident, _, _ in (*ROOMS, *HELP):
        _module(ident)


def _module(ident: str) -> ModuleType:
    return importlib.import_module(f"ui.station_rooms.{ident}")


def _made(ident: str, kind: str, feed: RoomFeed, catalogue: Catalogue, theme: Theme) -> LiveRoom:
    room: LiveRoom = getattr(_module(ident), kind)(feed, theme, catalogue)
    return room
