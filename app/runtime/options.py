"""What the command line says about a station, for the window and for the headless station alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class StationOptions:
    """Flags; None where a flag was not given."""

    csms: str | None = None
    id: str | None = None
    version: str | None = None
    blueprint: str | None = None
    config: Path | None = None
    state_dir: Path | None = None
    security_profile: int | None = None
    password_file: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    clock: datetime | None = None
    strict: bool | None = None
    reset_state: bool = False

    def flags(self) -> dict[str, Any]:
        """By path in the configuration file; None counts as not given."""
        return {
            "csms.url": self.csms,
            "csms.id": self.id,
            "csms.version": self.version,
            "security.profile": self.security_profile,
            "security.password_file": self.password_file,
            "security.ca": self.ca,
            "security.certificate": self.cert,
            "security.key": self.key,
            "clock.start": self.clock,
            "mode": None if self.strict is None else ("strict" if self.strict else "pragmatic"),
        }


@dataclass(frozen=True, slots=True)
class HeadlessOptions:
    """Flags of `forecourt headless` alone."""

    station: StationOptions
    control: str = "stdio"
    control_token_file: Path | None = None
    connect_timeout: float | None = None


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """Flags of the window."""

    station: StationOptions
    theme: str | None = None
    language: str | None = None
