"""The control pilot of IEC 61851-1 as a transition table.

Theory of operation. Station and car share one wire, the control pilot. The station feeds it with +12 V
over a resistor; the car pulls it down with resistors of its own, and the level that is left is the state:

    A  +12 V   no car
    B   +9 V   a car is connected, it asks for nothing (its switch S2 is open)
    C   +6 V   the car asks for energy (S2 closed)
    D   +3 V   the car asks for energy and for ventilation of the room
    E    0 V   the station has no power, or the wire is cut or shorted
    F  -12 V   the station says that it is not available (a fault)

While the station offers energy it modulates the wire (a 1 kHz square wave); the duty cycle names the
greatest current, and it cannot name less than 6 A. A car closes S2 only while it sees that wave, so
whatever makes the station stop offering also brings C back to B. The contactor may be closed in C alone
(D would need a fan, which none of our stations has).

The table holds every state and every signal. A pair that is not written down leaves the state as it is:
that is a property of the wire (a car that comes to a dark station changes nothing on it), not a default
for forgotten cases, and a test walks all pairs.
"""

from __future__ import annotations

from enum import Enum

from app.station.kinds import PilotState

A, B, C, D, E, F = PilotState


class PilotSignal(Enum):
    """What can happen to the wire."""

    CAR_CONNECTED = "car connected"
    CAR_GONE = "car gone"
    CAR_ASKS = "car asks"
    CAR_ASKS_VENTILATED = "car asks, with ventilation"
    CAR_RESTS = "car rests"
    FAULT = "fault"
    POWER_LOST = "power lost"
    RECOVERED_EMPTY = "recovered, no car"
    RECOVERED_CONNECTED = "recovered, with a car"


S = PilotSignal

TRANSITIONS: dict[tuple[PilotState, PilotSignal], PilotState] = {
    (A, S.CAR_CONNECTED): B,
    (A, S.FAULT): F,
    (A, S.POWER_LOST): E,
    (B, S.CAR_GONE): A,
    (B, S.CAR_ASKS): C,
    (B, S.CAR_ASKS_VENTILATED): D,
    (B, S.FAULT): F,
    (B, S.POWER_LOST): E,
    (C, S.CAR_RESTS): B,
    (C, S.CAR_GONE): A,
    (C, S.CAR_ASKS_VENTILATED): D,
    (C, S.FAULT): F,
    (C, S.POWER_LOST): E,
    (D, S.CAR_RESTS): B,
    (D, S.CAR_GONE): A,
    (D, S.CAR_ASKS): C,
    (D, S.FAULT): F,
    (D, S.POWER_LOST): E,
    # A dark station shows 0 V whatever breaks meanwhile; a broken one goes dark like any other.
    (E, S.RECOVERED_EMPTY): A,
    (E, S.RECOVERED_CONNECTED): B,
    (F, S.RECOVERED_EMPTY): A,
    (F, S.RECOVERED_CONNECTED): B,
    (F, S.POWER_LOST): E,
}


def after(state: PilotState, signal: PilotSignal) -> PilotState:
    """The state that `signal` leads to from `state`."""
    return TRANSITIONS.get((state, signal), state)


def signals(
    state: PilotState, *, powered: bool, sound: bool, connected: bool, asks: bool, vents: bool
) -> list[PilotSignal]:
    """What happens on the wire of a connector in `state` so that it comes to agree with the facts.

    `powered`: the station has mains; `sound`: no fault stops it; `connected`: a car is on the wire;
    `asks`: energy is offered and the car wants it; `vents`: it wants ventilation with it.
    """
    if not powered:
        return [S.POWER_LOST]
    if not sound:
        # a station that comes back broken shows so: from 0 V by way of a sound moment
        back = S.RECOVERED_CONNECTED if connected else S.RECOVERED_EMPTY
        return [back, S.FAULT] if state is E else [S.FAULT]
    steps: list[PilotSignal] = []
    if state in (E, F):
        steps.append(S.RECOVERED_CONNECTED if connected else S.RECOVERED_EMPTY)
    if not connected:
        return [*steps, S.CAR_GONE]
    steps.append(S.CAR_CONNECTED)
    if not asks:
        steps.append(S.CAR_RESTS)
    else:
        steps.append(S.CAR_ASKS_VENTILATED if vents else S.CAR_ASKS)
    return steps
