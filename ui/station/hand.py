"""What a person holds on the picture: a plug with its cable, or the end of a battery bar."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF

from app.station.intents import Intent, SetVehicle
from ui.station.hotspots import Act, Spot
from ui.station.mood import Carried
from ui.station.naming import drop_fits, plug_intent
from ui.station.picture import Picture

NUDGE = 5
"""Percent of charge that plus and minus add and take."""


class Hand:
    """Follows one drag from press to release."""

    def __init__(self) -> None:
        self.spot: Spot | None = None

    def take(self, picture: Picture, spot: Spot, at: QPointF) -> bool:
        """Begin at a point of the widget; False where there is nothing to take."""
        view = picture.views.get(spot.evse)
        if view is None or (spot.act is Act.CAR and view.car is None):
            return False
        self.spot = spot
        if spot.act is Act.CAR:
            picture.mood.charge = (spot.evse, picture.charge_at(spot.evse, at))
        else:
            picture.mood.carried = Carried(spot.evse, spot.slot, at)
        return True

    def move(self, picture: Picture, at: QPointF) -> QRectF:
        """Follow the pointer; returns what has to be painted anew (widget px)."""
        spot, carried = self.spot, picture.mood.carried
        if spot is None or spot.evse not in picture.views:
            return QRectF()
        if carried is None:
            picture.mood.charge = (spot.evse, picture.charge_at(spot.evse, at))
            return picture.words_rect(spot.evse)
        before = self._reach(picture)
        carried.at = at
        carried.ready = drop_fits(picture, spot, at)
        return before.united(self._reach(picture))

    def let_go(self, picture: Picture, at: QPointF, *, force: bool) -> Intent | None:
        """End at a point of the widget; returns what that does to the machine, if anything."""
        spot, self.spot = self.spot, None
        picture.mood.carried = picture.mood.charge = None
        if spot is None or spot.evse not in picture.views:
            return None
        if spot.act is Act.CAR:
            return SetVehicle(spot.evse, soc=float(picture.charge_at(spot.evse, at)))
        if not drop_fits(picture, spot, at):
            return None
        return plug_intent(picture, spot, force=force)

    def _reach(self, picture: Picture) -> QRectF:
        """The carried cable with its plug and its glow."""
        cable = picture.to_widget(picture.carried_path().boundingRect())
        return cable.adjusted(-48, -60, 48, 60)


def nudge(picture: Picture, spot: Spot, way: int) -> Intent | None:
    """Plus (1) and minus (-1) on a car's battery bar; None on anything else."""
    view = picture.views.get(spot.evse)
    if spot.act is not Act.CAR or view is None or view.car is None:
        return None
    return SetVehicle(spot.evse, soc=float(min(100, max(0, view.car.soc + NUDGE * way))))
