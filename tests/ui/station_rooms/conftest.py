"""A whole window with a back office that asks, for the rooms of the station."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.ui.shell.conftest import play, until  # noqa: F401 - a fixture
from ui.main_room import Room


async def ask(room: Room, action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Let the training CSMS send a CALL to the station; its answer."""
    station = room.session.snapshot().station_id
    future = room.training.call(station, action, payload)
    outcome = await asyncio.wrap_future(future)
    assert outcome.payload is not None, outcome
    return dict(outcome.payload)


def opened_room(room: Room, ident: str) -> Any:
    """Open a room of the station by its command, without waiting for the turns of the loop it takes."""
    room.controller.commands.run(f"room_{ident}")
    made = room.rooms.room(ident)
    made.set_live(True)
    return made


def later(**delta: float) -> str:
    """A moment from now, as on the wire."""
    moment = datetime.now(UTC) + timedelta(**delta)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def column(table: Any, number: int) -> list[str]:
    """What the cells of a column say, from top to bottom."""
    model = table.model()
    return [str(model.index(row, number).data()) for row in range(model.rowCount())]


def profile(
    ident: int, limit: float, purpose: str = "TxDefaultProfile", level: int = 0
) -> dict[str, Any]:
    """A charging profile of 1.6 that holds from an hour ago on and steps to half in half an hour."""
    return {
        "chargingProfileId": ident,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "startSchedule": later(hours=-1),
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": limit},
                {"startPeriod": 5400, "limit": limit / 2},
            ],
        },
    }
