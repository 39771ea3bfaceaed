"""What the screens say by themselves: the usual sentence for a state, when nobody ordered another."""

from __future__ import annotations

from dataclasses import dataclass

from app.kernel.text import Text
from app.station.kinds import Fault, Flow


@dataclass(frozen=True, slots=True)
class Scene:
    """What a screen needs to know of its EVSE. power in W, energy in Wh."""

    fault: Fault | None
    operative: bool
    reserved_for: str | None
    flow: Flow
    permitted: bool
    had_energy: bool
    needs_card: bool
    has_button: bool
    car_full: bool
    power: float
    energy: float


def usual_text(scene: Scene) -> Text:
    """The sentence for the driver."""
    if scene.fault is not None:
        return Text("station.screen.faulted", {"fault": Text(f"station.fault.{scene.fault.value}")})
    figures = {"kw": round(scene.power / 1000.0, 1), "kwh": round(scene.energy / 1000.0, 2)}
    match scene.flow:
        case Flow.CHARGING:
            return Text("station.screen.charging", figures)
        case Flow.SUSPENDED_EV:
            key = "car_full" if scene.car_full else "waits_for_car"
            return Text(f"station.screen.{key}", figures)
        case Flow.SUSPENDED_EVSE:
            return Text("station.screen.waits_for_power", figures)
    if not scene.operative:
        return Text("station.screen.out_of_service")
    if scene.flow is Flow.CONNECTED:
        if scene.had_energy:
            return Text("station.screen.finished", figures)
        return Text(f"station.screen.connected_{_way(scene)}")
    if scene.permitted:
        return Text("station.screen.plug_in_now")
    if scene.reserved_for is not None:
        return Text("station.screen.reserved", {"holder": scene.reserved_for})
    return Text(f"station.screen.idle_{_way(scene)}")


def _way(scene: Scene) -> str:
    """How a charge is started here."""
    if scene.needs_card:
        return "card"
    return "button" if scene.has_button else "app"


def station_text(*, emergency: bool, operative: bool, name: str) -> Text:
    """The station's own screen."""
    if emergency:
        return Text("station.screen.emergency_stop")
    if not operative:
        return Text("station.screen.out_of_service")
    return Text("station.screen.welcome", {"name": name})
