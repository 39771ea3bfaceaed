"""The meter of an EVSE: three phases, registers that never fall, and the small noise of a real one.

Noise is a function of the seed, the register's name and the time of the sample, never of how many steps
led there: the same session at any speed gives the same readings. Energy has none.
"""

from __future__ import annotations

import hashlib

from app.station.snapshot import Phases

ZERO: Phases = (0.0, 0.0, 0.0)

VOLTAGE_NOISE = 0.004
POWER_NOISE = 0.002
FREQUENCY = 50.0
FREQUENCY_NOISE = 0.02
"""Hz; the others are shares."""


def noise(seed: int, register: str, elapsed: float) -> float:
    """A number from -1 to 1, always the same for the same arguments; `elapsed` in s counts to the ms."""
    key = f"{seed}/{register}/{round(elapsed * 1000)}"
    digest = hashlib.blake2b(key.encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / (2**47 - 0.5) - 1.0


class Meter:
    """Energy registers in Wh, one a phase (DC: all in the first)."""

    def __init__(self, seed: int, name: str) -> None:
        self.seed, self.name = seed, name
        self.registers: Phases = ZERO

    @property
    def energy(self) -> float:
        return sum(self.registers)

    def after(self, powers: Phases, seconds: float) -> Phases:
        """What the registers read when `powers` (W) have flowed for `seconds` more. Changes nothing."""
        a, b, c = self.registers
        return (
            a + powers[0] * seconds / 3600.0,
            b + powers[1] * seconds / 3600.0,
            c + powers[2] * seconds / 3600.0,
        )

    def count(self, powers: Phases, seconds: float) -> None:
        """Let `powers` (W, none below 0) flow for `seconds`."""
        self.registers = self.after(powers, seconds)

    def raise_to(self, registers: Phases) -> None:
        """Go on from what was written down, wherever that is more."""
        a, b, c = (max(mine, told) for mine, told in zip(self.registers, registers, strict=True))
        self.registers = (a, b, c)

    def noise(self, register: str, elapsed: float) -> float:
        """-1 to 1."""
        return noise(self.seed, f"{self.name}.{register}", elapsed)
