"""The control pilot of IEC 61851-1, pair by pair."""

from __future__ import annotations

from itertools import product

import pytest

from app.station.kinds import PilotState
from app.station.pilot import TRANSITIONS, PilotSignal, after, signals

S = PilotSignal

# Every state and signal, written down a second time and in another form: a row a state, a column a signal.
COLUMNS = (
    S.CAR_CONNECTED,
    S.CAR_GONE,
    S.CAR_ASKS,
    S.CAR_ASKS_VENTILATED,
    S.CAR_RESTS,
    S.FAULT,
    S.POWER_LOST,
    S.RECOVERED_EMPTY,
    S.RECOVERED_CONNECTED,
)
EXPECTED = {
    "A": "BAAAAFEAA",
    "B": "BACDBFEBB",
    "C": "CACDBFECC",
    "D": "DACDBFEDD",
    "E": "EEEEEEEAB",
    "F": "FFFFFFEAB",
}


@pytest.mark.parametrize(("state", "signal"), list(product(PilotState, PilotSignal)))
def test_each_state_answers_each_signal_as_the_standard_has_it(
    state: PilotState, signal: PilotSignal
) -> None:
    assert after(state, signal).value == EXPECTED[state.value][COLUMNS.index(signal)]


def test_the_table_holds_no_row_that_changes_nothing() -> None:
    assert all(state is not target for (state, _), target in TRANSITIONS.items())


FACTS = list(product([True, False], repeat=5))


@pytest.mark.parametrize("state", list(PilotState))
@pytest.mark.parametrize(("powered", "sound", "connected", "asks", "vents"), FACTS)
def test_from_any_state_the_wire_comes_to_agree_with_the_facts(
    state: PilotState, powered: bool, sound: bool, connected: bool, asks: bool, vents: bool
) -> None:
    for signal in signals(
        state, powered=powered, sound=sound, connected=connected, asks=asks, vents=vents
    ):
        state = after(state, signal)
    if not powered:
        expected = "E"
    elif not sound:
        expected = "F"
    elif not connected:
        expected = "A"
    elif not asks:
        expected = "B"
    else:
        expected = "D" if vents else "C"
    assert state.value == expected
