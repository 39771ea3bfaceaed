"""What the picture shows beside the state of the station."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF

from ui.station.views import BayView


@dataclass(slots=True)
class Carried:
    """A plug in the hand: of which connector, where it is now (widget px), may it be let go here."""

    evse: int
    slot: int
    at: QPointF
    ready: bool = False


@dataclass(slots=True)
class Moving:
    """A car that drives in or away; `progress` 0 to 1, how far it is on its way."""

    view: BayView
    arriving: bool
    progress: float = 0.0


@dataclass(slots=True)
class Mood:
    """What is shown beside the state of the station: selection, pointer, drag, motion."""

    selected: int = 0
    hovered: str = ""
    """The chip or bubble under the pointer."""
    hover: tuple[QRectF, bool] | None = None
    """Shape under the pointer in the scene (widget px), and is it a circle."""
    glow: str = ""
    """The reader that a card is being held over, as "reader<cabinet>"."""
    carried: Carried | None = None
    charge: tuple[int, int] | None = None
    """EVSE and percent while a battery bar is being dragged."""
    still: bool = False
    moving: dict[int, Moving] = field(default_factory=dict)
    phases: dict[int, float] = field(default_factory=dict)
    turn: float = 0.0
