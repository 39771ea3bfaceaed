"""A firmware update as its row: what was asked for, and how far it came."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.kernel.text import Text
from app.kernel.units import parse_stamp
from app.ocpp.context import StorePort

TABLE = "firmware"
JOB, NEXT, LAST, INSTALLED = "job", "next", "last", "installed"
FILE = "firmware.bin"
"""The download, in the station's private folder."""


class Status(StrEnum):
    """The words of both versions; plain updates of 1.6 know a part of them."""

    IDLE = "Idle"
    DOWNLOAD_SCHEDULED = "DownloadScheduled"
    DOWNLOADING = "Downloading"
    DOWNLOAD_PAUSED = "DownloadPaused"
    DOWNLOADED = "Downloaded"
    DOWNLOAD_FAILED = "DownloadFailed"
    SIGNATURE_VERIFIED = "SignatureVerified"
    INVALID_SIGNATURE = "InvalidSignature"
    INSTALL_SCHEDULED = "InstallScheduled"
    INSTALL_REBOOTING = "InstallRebooting"
    INSTALLING = "Installing"
    INSTALLED = "Installed"
    INSTALLATION_FAILED = "InstallationFailed"
    VERIFICATION_FAILED = "InstallVerificationFailed"


class Phase(StrEnum):
    """From where a power cycle goes on."""

    SCHEDULED = "scheduled"
    DOWNLOADING = "downloading"
    DOWNLOADED = "downloaded"
    WAITING = "waiting"
    """The image is good; the date has not come or sessions run."""
    INSTALLING = "installing"
    REBOOTING = "rebooting"
    """The new version is in place; the next boot will tell."""


@dataclass(slots=True, eq=False)
class FirmwareJob:
    """One update. Dates as on the wire; `retries` counts what follows the first try, seconds apart."""

    location: str
    retrieve_at: str
    retries: int
    interval: float
    request_id: int | None = None
    signed: bool = False
    install_at: str | None = None
    certificate: str | None = None
    signature: str | None = None
    phase: str = Phase.SCHEDULED
    tries: int = 0
    """Downloads that failed."""
    retry_at: str | None = None
    status: str = ""
    """The last one that began."""
    version: str | None = None
    why: str | None = None
    """Id of the sentence on what went wrong last."""
    why_params: dict[str, Any] | None = None

    def row(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, row: dict[str, Any]) -> FirmwareJob:
        """From its row; what a newer program added is left out."""
        known = {item.name for item in fields(cls)}
        return cls(**{key: value for key, value in row.items() if key in known})

    @property
    def detail(self) -> Text | None:
        return Text(self.why, self.why_params or {}) if self.why else None

    def failed_because(self, text: Text | None) -> None:
        self.why = text.id if text else None
        self.why_params = dict(text.params) if text else None

    @property
    def retrieve_date(self) -> datetime:
        return parse_stamp(self.retrieve_at)

    @property
    def can_be_cancelled(self) -> bool:
        """Not once it is being written over the old one."""
        return self.phase not in (Phase.INSTALLING, Phase.REBOOTING)


def installed_version(store: StorePort) -> str | None:
    """The version that an update brought, None where the station has its first one still."""
    row = store.get(TABLE, INSTALLED)
    return str(row["version"]) if row else None
