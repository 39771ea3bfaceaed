"""OCPP 1.6J: edition 2 with the errata sheet and the security whitepaper, a file a functional block."""

from app.ocpp.v16.personality import Personality16

__all__ = ["Personality16"]
