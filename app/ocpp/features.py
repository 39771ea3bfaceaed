"""The parts of each version that a configuration can leave out, by the names it uses for them."""

from __future__ import annotations

from collections.abc import Mapping

from app.ocpp.version import Version

CORE = "Core"
LOCAL_LIST = "LocalAuthListManagement"
RESERVATION = "Reservation"
SMART_CHARGING = "SmartCharging"
FIRMWARE = "FirmwareManagement"
REMOTE_TRIGGER = "RemoteTrigger"

FEATURES: Mapping[Version, tuple[str, ...]] = {
    Version.V16: (CORE, FIRMWARE, LOCAL_LIST, RESERVATION, SMART_CHARGING, REMOTE_TRIGGER),
    Version.V201: ("auth_cache", "iso15118"),
}
"""Feature profiles of 1.6, in the order of the specification; optional blocks of 2.0.1."""
