"""The types of identifiers, as OCPP 2.0.1 calls them, the usual ones first; 1.6 tells none."""

from __future__ import annotations

TOKEN_TYPES = (
    "ISO14443",
    "ISO15693",
    "KeyCode",
    "Local",
    "eMAID",
    "MacAddress",
    "Central",
    "NoAuthorization",
)
