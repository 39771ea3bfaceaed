"""OCPP 2.0.1, edition 3 with the errata of 2025-09: one file a functional block."""

from __future__ import annotations

from app.ocpp.v201.personality import Personality201

__all__ = ["Personality201"]
