"""Firmware updates of 1.6: UpdateFirmware (part 5.19), and SignedUpdateFirmware (whitepaper L01).

Where the key SecureFirmwareOnly is true, plain updates are refused (L01.FR.20).
"""

from __future__ import annotations

from collections.abc import Mapping

from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import Context, Handler, HandlerError, Payload, Reply
from app.ocpp.features import FIRMWARE
from app.ocpp.shared.jobs.course import FirmwareCourse
from app.ocpp.shared.jobs.job import FirmwareJob, Status
from app.ocpp.shared.jobs.notices import Notices
from app.ocpp.shared.jobs.requests import job_of, refused_signer
from app.ocpp.v16.availability import Availability
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connectors
from app.ocpp.v16.triggers import told_once
from app.ocpp.v16.turned_down import reason, turned_down

PLAIN, SIGNED = "FirmwareStatusNotification", "SignedFirmwareStatusNotification"

_PLAIN_WORDS = {
    Status.DOWNLOADING: "Downloading",
    Status.DOWNLOADED: "Downloaded",
    Status.DOWNLOAD_FAILED: "DownloadFailed",
    Status.INSTALLING: "Installing",
    Status.INSTALLED: "Installed",
    Status.INSTALLATION_FAILED: "InstallationFailed",
    Status.VERIFICATION_FAILED: "InstallationFailed",
}
"""What a plain update tells of; the other steps have no word there."""

_PLAIN_ANSWERS = {
    **_PLAIN_WORDS,
    Status.DOWNLOAD_PAUSED: "Downloading",
    Status.SIGNATURE_VERIFIED: "Downloaded",
    Status.INSTALL_SCHEDULED: "Downloaded",
    Status.INSTALL_REBOOTING: "Installing",
}
"""What a plain trigger is told while an update runs."""


class Firmware(FirmwareCourse):
    """Both kinds of update: one at a time, whichever came last."""

    def __init__(
        self,
        ctx: Context,
        notices: Notices,
        config: Configuration,
        connectors: Connectors,
        availability: Availability,
    ) -> None:
        super().__init__(ctx, notices)
        self._config = config
        self._connectors = connectors
        self._availability = availability

    def handlers(self) -> Mapping[str, Handler]:
        if FIRMWARE not in self._config.profiles:
            return {}
        return {"UpdateFirmware": self._update, "SignedUpdateFirmware": self._signed_update}

    # ------------------------------------------------------------------ requests

    def _update(self, request: Payload) -> Reply:
        if self._config.flag("SecureFirmwareOnly"):
            raise HandlerError("NotSupported", "only signed firmware: SignedUpdateFirmware")
        retries, interval = self._config.patience(request)
        job = FirmwareJob(
            location=str(request["location"]),
            retrieve_at=stamp(parse_stamp(request["retrieveDate"])),
            retries=retries,
            interval=interval,
        )
        if self.admit(job) == "Rejected":
            self.put_off(job)  # there is no word for no, so it comes after the present one
            return Reply({})
        return Reply({}, then=lambda: self.take_up(job))

    async def _signed_update(self, request: Payload) -> Reply:
        certificate = str(request["firmware"]["signingCertificate"])
        refusal = await refused_signer(self.ctx, certificate)  # L01.FR.23 to .25
        if refusal is not None:
            word, why = refusal
            return Reply(
                {"status": word},
                then=lambda: self.raise_event("InvalidFirmwareSigningCertificate", why),
                why=reason("signer", why=why),
            )
        job = job_of(request, *self._config.patience(request))
        status = self.admit(job)
        if status == "Rejected":
            return turned_down(status, "installing")
        return Reply({"status": status}, then=lambda: self.take_up(job))

    # ------------------------------------------------------------------ the course

    def report(self, job: FirmwareJob, status: Status) -> tuple[str, Payload] | None:
        if not job.signed:
            word = _PLAIN_WORDS.get(status)
            return (PLAIN, {"status": word}) if word else None
        return SIGNED, self.remembered(job, status)

    def sessions_run(self) -> bool:
        return bool(self._connectors.running())

    def withhold(self, *, everything: bool) -> None:
        self._availability.withhold(station=everything)

    def give_back(self) -> None:
        self._availability.give_back()

    # ------------------------------------------------------------------ triggers

    def trigger(self) -> Reply:
        """TriggerMessage: Idle unless something is being done (7.25)."""
        word = _PLAIN_ANSWERS.get(Status(self.job.status)) if self.job and self.job.status else None
        return told_once(self.ctx, PLAIN, {"status": word or "Idle"})

    def trigger_signed(self) -> Reply:
        """ExtendedTriggerMessage: what was told last, Idle after Installed (L01.FR.28 and .29)."""
        return told_once(self.ctx, SIGNED, self.told_last())
