"""What people want to go wrong with files, and how long steps take: for trying a back office."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

INSTALL_SECONDS = 10.0


class FirmwareFault(Enum):
    """A step of a firmware update that fails."""

    CERTIFICATE = "certificate"
    """The signing certificate counts as invalid."""
    REVOKED = "revoked"
    """The signing certificate counts as revoked."""
    DOWNLOAD = "download"
    """An attempt to download fails."""
    PAUSE = "pause"
    """The download pauses for a while (a plain update of 1.6 has no word for that)."""
    SIGNATURE = "signature"
    """The signature does not fit the file."""
    VERIFICATION = "verification"
    """The image does not pass the check before it is installed."""
    INSTALLATION = "installation"
    """The installation fails half-way."""


class LogFault(Enum):
    """Why an upload of the log fails."""

    EMPTY = "empty"
    """There is nothing to upload."""
    UPLOAD = "upload"
    """An attempt to upload fails."""
    DENIED = "denied"
    """An attempt fails for want of rights."""
    BAD_MESSAGE = "bad_message"
    """An attempt fails since the server does not understand."""
    NOT_SUPPORTED = "not_supported"
    """An attempt fails since the server cannot do it."""


F = TypeVar("F", FirmwareFault, LogFault)


@dataclass(slots=True)
class Chosen(Generic[F]):
    """A fault that is to happen, and how often still; None: until it is lifted."""

    fault: F | None = None
    times: int | None = 1

    def choose(self, fault: F | None, times: int | None = 1) -> None:
        """Let this happen the next `times` times; no fault lifts what was chosen."""
        if times is not None and times < 1:
            raise ValueError(f"a fault happens at least once, not {times} times")
        self.fault, self.times = fault, times

    def take(self, fault: F) -> bool:
        """Is it to happen now? Counts."""
        if self.fault is not fault:
            return False
        if self.times is not None:
            self.times -= 1
            if self.times <= 0:
                self.fault = None
        return True


@dataclass(slots=True)
class FileFaults:
    """What people chose for the files of one station. Lives as long as the program, as overrides do.

    Seconds are station time: what a download or an upload takes at least, how long a pause lasts, what
    an installation takes.
    """

    firmware: Chosen[FirmwareFault] = field(default_factory=Chosen)
    log: Chosen[LogFault] = field(default_factory=Chosen)
    download_seconds: float = 0.0
    pause_seconds: float = 30.0
    install_seconds: float = INSTALL_SECONDS
    upload_seconds: float = 0.0
