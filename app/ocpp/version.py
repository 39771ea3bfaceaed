"""The versions of the protocol that this client speaks."""

from __future__ import annotations

from enum import Enum


class Version(Enum):
    """The value is what people write; `subprotocol` what the handshake says."""

    V16 = "1.6"
    V201 = "2.0.1"

    @property
    def subprotocol(self) -> str:
        return f"ocpp{self.value}"

    @classmethod
    def of_subprotocol(cls, name: str) -> Version:
        """Raises ValueError for a subprotocol that this client does not speak."""
        for version in cls:
            if version.subprotocol == name:
                return version
        raise ValueError(f"unknown subprotocol {name!r}")
