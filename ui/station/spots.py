"""Keeps one child button for each act the picture offers: made, placed, named, in the keyboard's order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import QRectF, Qt
from PySide6.QtWidgets import QWidget

from ui.station.hotspots import HEAD_ACTS, Act, Hotspot, Spot, Stage
from ui.station.naming import HeldCard, places, spot_name
from ui.station.picture import Picture
from ui.widgets.turns import Work


class SpotKeeper:
    """The hotspots of a canvas."""

    def __init__(self, canvas: QWidget, stage: Stage, clicked: Callable[[], None]) -> None:
        self._canvas = canvas
        self._stage = stage
        self._clicked = clicked
        self._buttons: dict[Spot, Hotspot] = {}

    def __getitem__(self, spot: Spot) -> Hotspot:
        return self._buttons[spot]

    def all(self) -> list[Hotspot]:
        """In the order of the keyboard."""
        return list(self._buttons.values())

    def focused(self) -> Hotspot | None:
        return next((button for button in self.all() if button.hasFocus()), None)

    def arrange(self, picture: Picture, card: HeldCard | None) -> None:
        """Make, move and name the buttons for the picture as it is now."""
        area = QRectF(self._canvas.rect())
        seen: dict[Spot, Hotspot] = {}
        for place in places(picture):
            button = self._buttons.get(place.spot) or self._make(place.spot, picture)
            button.put(place.shape, area, circle=place.circle)
            # What is scrolled under the head is not seen and must not be hit; keys still reach it.
            covered = not _in_head(place.spot) and place.shape.center().y() < picture.head_height
            button.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, covered)
            seen[place.spot] = button
        for spot, button in self._buttons.items():
            if spot not in seen:
                self._retire(button, seen)
        fresh = list(seen) != list(self._buttons)
        self._buttons = seen
        if fresh:
            self._order()
        self.name(picture, card)

    def make(self, picture: Picture) -> Work:
        """Make them ahead, for a picture that is not seen yet, in steps."""
        for place in places(picture):
            if place.spot not in self._buttons:
                self._buttons[place.spot] = self._make(place.spot, picture)
                yield
        self._order()

    def _order(self) -> None:
        for first, second in pairwise((self._canvas, *self._buttons.values())):
            QWidget.setTabOrder(first, second)

    def name(self, picture: Picture, card: HeldCard | None) -> None:
        """Call every act by what it would do now."""
        if picture.snapshot is not None:
            for spot, button in self._buttons.items():
                button.name(*spot_name(picture, spot, card))

    def colour(self, picture: Picture) -> None:
        """Focus rings in the colours of the theme."""
        for button in self._buttons.values():
            self._ring(button, picture)

    def _ring(self, button: Hotspot, picture: Picture) -> None:
        theme = picture.theme
        button.colour(theme.colour("focus"), theme.colour("panel", 0.9))

    def _make(self, spot: Spot, picture: Picture) -> Hotspot:
        button = Hotspot(self._canvas, self._stage, spot)
        self._ring(button, picture)
        button.clicked.connect(self._clicked)
        button.show()
        if _in_head(spot):
            button.raise_()
        elif spot.act is Act.CAR:
            button.lower()
        return button

    def _retire(self, button: Hotspot, others: dict[Spot, Hotspot]) -> None:
        """A thing is gone: its button gives the focus to the same EVSE's plug, or bubble."""
        evse = button.spot.evse
        heir = others.get(Spot(Act.PLUG, evse)) or others.get(Spot(Act.SELECT, evse))
        if button.hasFocus() and heir is not None:
            heir.setFocus(Qt.FocusReason.OtherFocusReason)
        button.hide()
        button.deleteLater()


def _in_head(spot: Spot) -> bool:
    return spot.act in HEAD_ACTS or spot.act is Act.SELECT
