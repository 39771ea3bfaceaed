"""How the connectors are wired to the grid's phases: ConnectorPhaseRotation (1.6 part 9.1.6).

R, S and T are the phases of the grid connection. With `STR` a connector's L1 hangs on S, L2 on T, L3 on R:
a car on one phase then loads S, which the main meter shows.
"""

from __future__ import annotations

from dataclasses import replace

from app.station.snapshot import MeterReading, Phases

_GRID = "RST"


def rotations(text: str) -> dict[int, str]:
    """The rotation of each connector, as `0.RST,1.STR` has it; only those that turn something."""
    found: dict[int, str] = {}
    for item in text.split(","):
        number, _, letters = item.strip().partition(".")
        if number.isdigit() and sorted(letters) == sorted(_GRID) and letters != _GRID:
            found[int(number)] = letters
    return found


def turned(phases: Phases, letters: str) -> Phases:
    """What lies on L1 to L3 of a connector, by the phases R, S, T of the grid."""
    on_grid = [0.0, 0.0, 0.0]
    for value, letter in zip(phases, letters, strict=True):
        on_grid[_GRID.index(letter)] += value
    return on_grid[0], on_grid[1], on_grid[2]


def on_grid(main: MeterReading, outlets: dict[str, list[MeterReading]]) -> MeterReading:
    """The main meter's reading, with the outlets of each rotation on the phases they hang on."""
    powers, currents = main.power_phases, main.currents
    for letters, readings in outlets.items():
        for reading in readings:
            powers = _moved(powers, reading.power_phases, letters)
            currents = _moved(currents, reading.currents, letters)
    return replace(main, power_phases=powers, currents=currents)


def _moved(total: Phases, part: Phases, letters: str) -> Phases:
    there = turned(part, letters)
    one, two, three = (
        max(0.0, whole - straight + other)
        for whole, straight, other in zip(total, part, there, strict=True)
    )
    return one, two, three
