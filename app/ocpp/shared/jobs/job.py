"""A firmware update as its row: what was asked for, and how far it came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.kernel.units import parse_stamp
from app.ocpp.context import StorePort
from app.ocpp.shared.jobs.row import Job

TABLE = "firmware"
JOB, NEXT, LAST, INSTALLED = "job", "next", "last", "installed"
TOLD = "signed_last"
"""The row with what was last told of an update that has a request id; 1.6 has those for signed ones only."""
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


@dataclass(slots=True, eq=False, kw_only=True)
class FirmwareJob(Job):
    """One update."""

    retrieve_at: str
    signed: bool = False
    install_at: str | None = None
    certificate: str | None = None
    signature: str | None = None
    phase: str = Phase.SCHEDULED
    version: str | None = None

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
